"""Graphs from files, matrices, networkx, arrays and tables, and what is refused."""

import gzip

import networkx
import numpy as np
import pandas
import polars
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from firth import Graph
from firth.errors import BadCorpus, BadFile, BadOption, MissingFile, UnknownWord


@pytest.fixture
def written(tmp_path):
    """Write some text or bytes to a file of edges; gives its path."""

    def write(text, name="edges.txt"):
        path = tmp_path / name
        data = text if isinstance(text, bytes) else text.encode()
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    return write


def edges_of(graph):
    """What a graph holds, by name: {(source, target): weight}, in an undirected one each edge both ways."""
    return {(name, near): weight for name in graph.names.to_pylist() for near, weight in graph.neighbours(name)}


def both_ways(edges):
    return edges | {(target, source): weight for (source, target), weight in edges.items()}


TWO = both_ways({("a", "b"): 1.0, ("b", "c"): 1.0})
WEIGHTED = both_ways({("a", "b"): 2.0, ("b", "c"): 0.5})


# ---- files -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "edges"),
    [
        ("a b\nb c\n", TWO),
        ("a b\nb c", TWO),
        ("a b", both_ways({("a", "b"): 1.0})),
        ("a,b", both_ways({("a", "b"): 1.0})),
        ("Area 5,1\n", both_ways({("Area 5", "1"): 1.0})),
        ("a\tb\r\nb\tc\r\n", TWO),
        ("a,b\nb , c\n", TWO),
        ("  a   b \n\n # a remark\nb\t c # another, with words\n#c a\n", TWO),
        ("a b 2\nb c 5e-1\n", WEIGHTED),
        ("a,b,2\n# a, b, c\nb,c, .5\n", WEIGHTED),
        ("a b 1\nb c .25\nb a 1\nc b 0.25\n", WEIGHTED),
        ("a b 3\nb c 3\n", TWO),
        ("a b\na b\nb a\nc b\n", TWO),
        ("\ufeffa b\nb c\n", TWO),
        ("ä#1 猫\n", both_ways({("ä#1", "猫"): 1.0})),
        ("a a\na b\n", both_ways({("a", "a"): 1.0, ("a", "b"): 1.0})),
        ("New York,Los Angeles\n", both_ways({("New York", "Los Angeles"): 1.0})),
        ("a,#b\n", both_ways({("a", "#b"): 1.0})),
    ],
)
@pytest.mark.parametrize("name", ["edges.txt", "edges.gz"])
def test_edges_are_read(written, text, edges, name):
    assert edges_of(Graph.read(written(text, name))) == edges


def test_what_stands_between_columns_may_be_said(written):
    path = written("New York\tLos Angeles, CA\nNew York\tRome\n")
    assert Graph.read(path, delimiter="tab").names.to_pylist() == ["New York", "Los Angeles, CA", "Rome"]
    assert Graph.read(written("a,1 b,2\n"), delimiter="space").names.to_pylist() == ["a,1", "b,2"]


@pytest.mark.parametrize(
    "text",
    [
        "source,target,weight\na,b,2\nb,c,.5\n",
        "\ufeffsource,target,weight\r\na,b,2\r\nb,c,.5\r\n",
        "# edges\n\n  # of two\nfrom to how-much\na b 2\nb c .5",
        "from;to;weight\na;b;2\nb;c;.5\n",
    ],
)
def test_headings_are_passed_over_where_they_are_told(written, text):
    graph = Graph.read(written(text), header=True, delimiter="semicolon" if ";" in text else "auto")
    assert edges_of(graph) == WEIGHTED
    assert graph.names.to_pylist() == ["a", "b", "c"]


def test_only_the_first_line_is_one_of_headings(written):
    assert Graph.read(written("u v\nu v\n"), header=True).names.to_pylist() == ["u", "v"]
    for text in ("u v\n", "u v"):
        with pytest.raises(BadCorpus, match="holds no edge"):
            Graph.read(written(text), header=True)
    with pytest.raises(BadFile, match="line 3 of"):
        Graph.read(written("u v\na b\na\n"), header=True)


def test_further_columns_may_be_left_out(written):
    path = written("a b 1082040961 -3\nb c 1082155839\n")
    assert edges_of(Graph.read(path, weighted=False)) == TWO


def test_directed_edges_lead_one_way(written):
    graph = Graph.read(written("a b 2\nb c .5\nc b 1\nb c .5\n"), directed=True)
    assert edges_of(graph) == {("a", "b"): 2.0, ("b", "c"): 1.0, ("c", "b"): 1.0}
    assert repr(graph) == "<Graph: 3 nodes, 3 edges, directed, weighted>"


def test_a_loop_is_one_edge(written):
    graph = Graph.read(written("a a\na b\nb b\n"))
    assert (len(graph), graph.edges) == (2, 3)
    assert repr(graph) == "<Graph: 2 nodes, 3 edges, undirected>"


def test_a_file_of_many_blocks_is_read_as_networkx_reads_it(written):
    numbers = np.random.default_rng(1).integers(0, 30_000, (200_000, 2))
    path = written("".join(f"{a:012} {b:012}\n" for a, b in numbers.tolist()))
    assert path.stat().st_size > 4 << 20  # bytes: three blocks
    graph, expected = Graph.read(path), networkx.Graph(numbers.tolist())
    assert (len(graph), graph.edges) == (expected.number_of_nodes(), expected.number_of_edges())
    order = [int(name) for name in graph.names.to_pylist()]
    matrix = sparse.csr_array((np.ones(len(graph.rows.indices)), graph.rows.indices, graph.rows.indptr))
    assert (matrix != networkx.to_scipy_sparse_array(expected, order, dtype=float)).nnz == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a b\n\nc\n", r"line 3 of .*edges\.txt has 1 column; an edge has two names"),
        ("a b 1 2\n", r"line 1 of .* has 4 columns; .* weighted=False"),
        ("a b\nb c 1\n", "line 2 of .* has 3 columns where those before had 2; give every edge a weight, or none"),
        ("a b 1\nb c\n", "line 2 of .* has 2 columns where those before had 3"),
        ("a,b\na,,1\n", "line 2 of .* has nothing in column 2"),
        ("# x\na b 1\nb c x1\n", r"line 3 of .*edges\.txt must be a number above 0, and finite, got 'x1'; correct it"),
        ("a b 1\nb c 0\n", "line 2 of .* must be a number above 0"),
        ("a b 1\nb c -1\n", "got '-1'"),
        ("a b nan\n", "got 'nan'"),
        ("a b inf\n", "got 'inf'"),
        (b"a b\nb \xff\n", "names that are not UTF-8"),
        (b"a b " + b"x" * (5 << 20) + b" c\n", "line 1 of .* has 4 columns"),
        (b"a b\n" + b"a " * (5 << 20) + b"\n", "line 2 of .* has .* bytes or more; it is no edge"),
        (
            "source,target,weight\na,b,1\n",
            "line 1 .* got 'weight'; .*; if that line names the columns, set header=True",
        ),
        ("a b 1\nc d x\n", "line 2 of .* got 'x'; correct it, or leave the edge out$"),
        ("a b 0\n", "line 1 of .* got '0'; correct it, or leave the edge out$"),
        ("a;b\n", "line 1 of .* has 1 column; .* what the option delimiter says"),
        ("a b 1,5\n", "line 1 of .* must be a number above 0, and finite, got '1,5'"),
        ("a b\rb c\r", "line 1 of .* has 4 columns"),
    ],
)
def test_a_line_that_is_no_edge_is_named(written, text, says):
    with pytest.raises(BadFile, match=says):
        Graph.read(written(text))


def test_lines_are_counted_over_blocks(written):
    text = "".join(f"{n} {n + 1}\n" for n in range(300_000)) + "odd\n"
    with pytest.raises(BadFile, match="line 300,001 of"):
        Graph.read(written(text))


@pytest.mark.parametrize(
    ("text", "told"),
    [("", ""), ("\n\n", ""), ("#cat #dog\n\n #dog #cow\n", r" \(lines that begin with # are none: 2\)")],
)
def test_a_file_without_an_edge_is_refused(written, text, told):
    with pytest.raises(BadCorpus, match=rf"edges\.txt holds no edge{told}; give two names on a line"):
        Graph.read(written(text))


def test_lines_that_are_remarks_are_counted(written):
    assert Graph.read(written("#cat #dog\na b # of two\n  # more\nb c\n#")).remarks == 3
    many = "".join(f"#{n}\n{n} {n + 1}\n" for n in range(200_000))  # more than a block
    assert Graph.read(written(many)).remarks == 200_000
    assert Graph.from_edges(["a"], ["b"]).remarks == 0


def test_what_cannot_be_read_is_refused(written, tmp_path):
    with pytest.raises(MissingFile, match=r"there is no file .*none\.txt; check the path"):
        Graph.read(tmp_path / "none.txt")
    with pytest.raises(BadCorpus, match=r"is gzip data; let its name end in \.gz"):
        Graph.read(written(gzip.compress(b"a b\n")))
    with pytest.raises(
        BadOption, match="unknown option 'sep', here called delimiter; the options are: delimiter, directed, header"
    ):
        Graph.read(written("a b\n"), sep=",")
    with pytest.raises(BadOption, match="delimiter must be one of auto, space, comma, semicolon, tab"):
        Graph.read(written("a b\n"), delimiter=",")


# ---- arrays ------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [list, np.array, lambda names: np.array(names, object)])
def test_edges_may_be_lists_or_arrays_of_names(make):
    assert edges_of(Graph.from_edges(make(["a", "b"]), make(["b", "c"]), [2, 0.5])) == WEIGHTED


def test_numbers_are_names_or_places_among_names():
    labelled = Graph.from_edges([900, 7], [7, -1])
    assert labelled.names.to_pylist() == ["-1", "7", "900"]
    assert edges_of(labelled) == both_ways({("900", "7"): 1.0, ("7", "-1"): 1.0})
    placed = Graph.from_edges([0, 1], [1, 2], names=["a", "b", "c", "alone"], directed=True)
    assert edges_of(placed) == {("a", "b"): 1.0, ("b", "c"): 1.0}
    assert len(placed) == 4
    assert edges_of(Graph.from_edges(["a", "b"], ["b", "c"], names=["c", "b", "a"])) == TWO


@pytest.mark.parametrize(
    ("arguments", "more", "says"),
    [
        (([0, 1], [1]), {}, "sources and targets must be as many, got 2 and 1"),
        (([0, 1], ["a", "b"]), {}, "must both be names or both be whole numbers"),
        (
            ([1.0, None], [1, 2]),
            {},
            "sources must name a node for each edge, but that of edge 1 is missing: it is None",
        ),
        (([0.5], [1]), {}, "sources must be one list of names or of whole numbers, got float64"),
        (([[0]], [[1]]), {}, r"got int64 of the shape \(1, 1\)"),
        (([0], [1], [1, 2]), {}, r"weights must be one for each of 1 edges, got the shape \(2,\)"),
        (([0], [1], ["x"]), {}, "weights must be numbers"),
        (([0, 1], [1, 2], [1, 0]), {}, r"the weight of edge 1 must be a number above 0, and finite, got 0\.0"),
        (([0], [1], [np.nan]), {}, "edge 0 must be a number above 0, and finite, got nan"),
        (([0], [1], [-np.inf]), {}, "got -inf"),
        (([0, 0], [1, 1], [1e308, 1e308]), {}, "add up to infinity; give smaller ones"),
        (([0], [2]), {"names": ["a", "b"]}, "from 0 to 1, as there are 2 names, got 2"),
        (([0], [-1]), {"names": ["a", "b"]}, "got -1"),
        ((["a"], ["x"]), {"names": ["a", "b"]}, "got 'x', which is not among names"),
        (([0], [1]), {"names": ["a", "a"]}, "two nodes have the name 'a'"),
        (([0], [1]), {"names": ["a", ""]}, "strings that are not empty, got ''"),
        (([0], [1]), {"names": ["a", 1]}, "got 1; convert it with str"),
        (([0], [1]), {"names": "ab"}, "names must be a list of strings"),
        ((["\ud800"], ["a"]), {}, "UTF-8 can hold"),
    ],
)
def test_edges_that_do_not_fit_together_are_refused(arguments, more, says):
    with pytest.raises(BadOption, match=says):
        Graph.from_edges(*arguments, **more)


FRAME = pandas.DataFrame({"from": ["a", "b"], "to": ["b", "c"], "weight": [2, 0.5]}, index=[7, 3])


@pytest.mark.parametrize(
    "make", [lambda frame: frame, polars.from_pandas, pa.table], ids=["pandas", "polars", "pyarrow"]
)
def test_a_table_of_two_or_three_columns_is_a_graph(make):
    assert edges_of(Graph.from_edges(make(FRAME.reset_index(drop=True)))) == WEIGHTED
    two = make(FRAME[["from", "to"]].reset_index(drop=True))
    assert edges_of(Graph.from_edges(two)) == TWO
    assert Graph.from_edges(two, directed=True, names=["a", "b", "c", "alone"]).edges == 2
    numbered = make(pandas.DataFrame({"a": [900, 7], "b": [7, -1]}))
    assert edges_of(Graph.from_edges(numbered)) == edges_of(Graph.from_edges([900, 7], [7, -1]))
    with pytest.raises(BadOption, match=r"two columns, or three with weights, got 1 \(a\); choose them, as by table"):
        Graph.from_edges(make(pandas.DataFrame({"a": [1]})))
    with pytest.raises(
        BadOption, match=r"must name a node for each edge, but that of edge 1 is missing: .* dropna\(\)"
    ):
        Graph.from_edges(make(pandas.DataFrame({"a": ["x", None], "b": ["y", "z"]})))
    with pytest.raises(BadOption, match=r"weights must be numbers, got datetime64\[.*\], times; leave them out"):
        Graph.from_edges(make(pandas.DataFrame({"a": [1], "b": [2], "c": pandas.to_datetime(["2026-01-01"])})))


def test_columns_of_a_table_go_by_their_place():
    assert edges_of(Graph.from_edges(FRAME)) == WEIGHTED
    assert edges_of(Graph.from_edges(pandas.DataFrame([["a", "b"], ["b", "c"]], columns=["x", "x"]))) == TWO


@pytest.mark.parametrize("given", [[("a", "b")], np.array([[1, 2]]), {"a": [1], "b": [2]}, "edges.csv", FRAME["to"]])
def test_what_is_no_table_needs_targets(given):
    with pytest.raises(
        BadOption, match=r"without targets, edges must be a table .* from_edges\(\*zip\(\*pairs\)\), .* Grap"
    ):
        Graph.from_edges(given)


def test_weights_beside_a_table_are_refused():
    with pytest.raises(BadOption, match="weights of edges in a table must be its third column"):
        Graph.from_edges(FRAME[["from", "to"]], weights=[1, 2])


def test_no_edges_are_refused():
    with pytest.raises(BadCorpus, match="the graph is empty: it has no edge; give at least one"):
        Graph.from_edges([], [])


def test_more_nodes_than_numbers_are_refused():
    matrix = sparse.coo_array((np.ones(1), ([0], [1])), shape=(2**31, 2**31))
    with pytest.raises(BadOption, match=r"may have 2,147,483,647 nodes, got 2,147,483,648; leave some out"):
        Graph.from_scipy(matrix)


# ---- matrices ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [sparse.coo_array, sparse.csr_array, sparse.csc_matrix, sparse.lil_array])
def test_a_matrix_s_entries_are_weights(kind):
    matrix = kind(np.array([[0, 2, 0], [2, 0, 0.5], [0, 0.5, 0]]))
    assert edges_of(Graph.from_scipy(matrix, names=["a", "b", "c"])) == WEIGHTED
    assert Graph.from_scipy(matrix).names.to_pylist() == ["0", "1", "2"]
    one_way = Graph.from_scipy(kind(np.array([[0, 2], [1, 0]])), directed=True)
    assert edges_of(one_way) == {("0", "1"): 2.0, ("1", "0"): 1.0}


def test_a_matrix_is_not_changed_and_its_zeros_are_no_edges():
    matrix = sparse.csr_array((np.array([1, 0, 1, 1]), np.array([1, 2, 2, 0]), np.array([0, 2, 3, 4])))
    before = matrix.copy()
    assert edges_of(Graph.from_scipy(matrix, directed=True)) == {("0", "1"): 1, ("1", "2"): 1, ("2", "0"): 1}
    assert (matrix.indices == before.indices).all()
    assert matrix.nnz == before.nnz
    assert Graph.from_scipy(sparse.coo_array(np.eye(2, dtype=bool))).rows.weights is None


@pytest.mark.parametrize(
    ("matrix", "more", "says"),
    [
        (np.eye(2), {}, r"matrix must be a SciPy sparse matrix or array, got ndarray; .*csr_array"),
        (sparse.coo_array((2, 3)), {}, r"matrix must be square, .* got the shape \(2, 3\)"),
        (sparse.coo_array(np.eye(2)), {"names": ["a"]}, "names must be as many as the matrix has rows, 2, got 1"),
        (sparse.coo_array(np.eye(2) * 1j), {}, "matrix must hold real numbers, got complex128"),
        (sparse.coo_array(np.array([[0, -1], [-1, 0]])), {}, r"the weight of entry \[0, 1\] .* got -1\.0"),
        (sparse.coo_array(np.array([[0, 1], [np.inf, 0]])), {}, r"the weight of entry \[1, 0\] .* got inf"),
        (sparse.coo_array(np.array([[0, 1], [0, 0]])), {}, "must be symmetric.* directed=True or matrix"),
    ],
)
def test_a_matrix_that_is_no_graph_is_refused(matrix, more, says):
    with pytest.raises(BadOption, match=says):
        Graph.from_scipy(matrix, **more)


def test_a_matrix_without_entries_is_refused():
    with pytest.raises(BadCorpus, match="the graph is empty"):
        Graph.from_scipy(sparse.coo_array((3, 3)))


# ---- networkx ----------------------------------------------------------------------------------


def test_the_karate_club_is_that_of_networkx():
    club = networkx.karate_club_graph()
    graph = Graph.from_networkx(club)
    assert edges_of(graph) == both_ways({(str(a), str(b)): w for a, b, w in club.edges(data="weight")})
    assert repr(graph) == "<Graph: 34 nodes, 78 edges, undirected, weighted>"
    unweighted = Graph.from_networkx(club, weight=None)
    assert (unweighted.rows.weights, unweighted.edges) == (None, 78)


def test_kinds_of_networkx_graphs():
    directed = networkx.DiGraph([("a", "b"), ("b", "a"), ("b", "c")])
    assert edges_of(Graph.from_networkx(directed)) == dict.fromkeys(directed.edges, 1.0)
    parallel = networkx.MultiGraph()
    parallel.add_weighted_edges_from([("a", "b", 1.5), ("b", "a", 0.5), ("b", "c", 0.5)])
    parallel.add_node("alone")
    assert edges_of(Graph.from_networkx(parallel)) == WEIGHTED
    assert len(Graph.from_networkx(parallel)) == 4
    some = networkx.Graph()
    some.add_edge("a", "b", weight=2)
    some.add_edge("b", "c")
    assert edges_of(Graph.from_networkx(some)) == both_ways({("a", "b"): 2.0, ("b", "c"): 1.0})


def test_networkx_graphs_that_cannot_be_walked_are_refused():
    with pytest.raises(BadOption, match="graph must be of networkx, got list"):
        Graph.from_networkx([(0, 1)])
    with pytest.raises(BadCorpus, match="the graph is empty"):
        Graph.from_networkx(networkx.empty_graph(3))
    with pytest.raises(BadOption, match="two nodes have the name '1', as text"):
        Graph.from_networkx(networkx.Graph([(1, "1")]))
    wrong = networkx.Graph()
    wrong.add_edge("x", 2, weight=-1)
    with pytest.raises(BadOption, match=r"the weight of the edge from 'x' to 2 must be .* got -1\.0"):
        Graph.from_networkx(wrong)


# ---- all ---------------------------------------------------------------------------------------


@given(
    edges=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.floats(0.125, 8)), min_size=1, max_size=30),
    directed=st.booleans(),
)
def test_all_ways_to_a_graph_give_the_same(tmp_path_factory, edges, directed):
    path = tmp_path_factory.mktemp("graph") / "edges.txt"
    path.write_text("".join(f"{a} {b} {w!r}\n" for a, b, w in edges))
    ends = networkx.MultiDiGraph() if directed else networkx.MultiGraph()
    ends.add_weighted_edges_from(edges)
    matrix = networkx.to_scipy_sparse_array(ends, dtype=float)
    graphs = [
        Graph.read(path, directed=directed),
        Graph.from_edges(*zip(*edges, strict=True), directed=directed),
        Graph.from_networkx(ends),
        Graph.from_scipy(matrix, names=list(map(str, ends.nodes)), directed=directed),
    ]
    # A weight that all edges share is none.
    found = [edges_of(graph) for graph in graphs]
    for each, graph in zip(found, graphs, strict=True):
        assert each == pytest.approx(found[0])
        assert graph.edges == graphs[0].edges
        assert all(np.all(np.diff(row) > 0) for row in np.split(graph.rows.indices, graph.rows.indptr[1:-1]))


def test_an_unknown_node_is_named():
    with pytest.raises(UnknownWord, match="the graph has no node 'x'; names are text"):
        Graph.from_edges([0], [1]).neighbours("x")


@pytest.mark.parametrize("kinds", [("int32", "uint32"), ("int64", "uint64"), ("uint8", "int16")])
def test_ends_may_be_whole_numbers_of_any_kind(kinds):
    graph = Graph.from_edges(np.array([1, 2], kinds[0]), np.array([2, 3], kinds[1]))
    assert graph.names.to_pylist() == ["1", "2", "3"]


def test_names_that_differ_in_zeros_at_their_end_stay_apart():
    """NumPy's arrays of strings drop such zeros."""
    names = ["a", "a\0", "a\0\0"]
    for make in (list, tuple, lambda ends: np.array(ends, object)):
        graph = Graph.from_edges(make(names[:2]), make(names[1:]))
        assert graph.names.to_pylist() == names
        assert edges_of(graph) == both_ways({("a", "a\0"): 1.0, ("a\0", "a\0\0"): 1.0})
    assert edges_of(Graph.from_edges(["a"], ["a\0"], names=names[:2])) == both_ways({("a", "a\0"): 1.0})


def test_numbers_too_large_for_a_node_and_names_that_are_no_text_are_refused():
    with pytest.raises(BadOption, match="sources must be numbers up to"):
        Graph.from_edges(np.array([2**63], np.uint64), np.array([1], np.uint64))
    with pytest.raises(BadOption, match="nodes have names, which are text, got 1; ask for '1'"):
        Graph.from_edges([1], [2]).neighbours(1)
