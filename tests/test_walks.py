"""Walks: their steps are those of the reference and have the right distribution; they are a corpus to train on."""

import gzip
import json
import os
from itertools import pairwise
from pathlib import Path

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from firth import Graph, Word2Vec
from firth.errors import BadOption
from firth.graphs.kernels import ATTEMPTS, walk
from firth.graphs.reference import rules_of, starts_of, walk_by_steps
from firth.options import WalkOptions

BIASES = [(1, 1), (0.25, 0.25), (4, 0.5), (0.01, 1), (1, 100)]  # with the last two, attempts often run out


def made_up(nodes=12, edges=40, seed=1, *, weighted, directed):
    rng = np.random.default_rng(seed)
    ends = rng.integers(0, nodes, (2, edges))
    weights = rng.exponential(size=edges) if weighted else None
    return Graph.from_edges(*ends, weights, names=[f"n{node}" for node in range(nodes)], directed=directed)


def by_reference(graph, options):
    """All walks as lists of numbers, in the order of training."""
    rules, nodes = rules_of(options), len(graph)
    return [
        walk_by_steps(graph.arcs, rules, int(start), turn * nodes + int(start))
        for turn in range(options.num_walks)
        for start in starts_of(nodes, options.seed, turn)
    ]


def numbered(graph, walks):
    number = {name: place for place, name in enumerate(graph.names.to_pylist())}
    return [[number[name] for name in each] for each in walks]


# ---- the reference -----------------------------------------------------------------------------


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize(("p", "q"), BIASES)
def test_walks_are_those_of_the_reference_step_by_step(weighted, directed, p, q):
    graph = made_up(weighted=weighted, directed=directed)
    options = WalkOptions(num_walks=3, walk_length=50, p=p, q=q, seed=7)
    expected = by_reference(graph, options)
    for workers in (1, 2, 3):
        with graph.walks(**options.as_dict() | {"workers": workers}) as walks:
            assert numbered(graph, walks) == expected


@settings(max_examples=50)
@given(
    edges=st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8), st.floats(1e-3, 1e3)), min_size=1, max_size=25),
    weighted=st.booleans(),
    directed=st.booleans(),
    p=st.sampled_from([1e-6, 0.3, 1, 5, 1e6]),
    q=st.sampled_from([1e-6, 0.3, 1, 5, 1e6]),
    seed=st.integers(0, 2**63 - 1),
)
def test_every_step_of_any_graph_is_an_edge(edges, weighted, directed, p, q, seed):
    sources, targets, weights = zip(*edges, strict=True)
    graph = Graph.from_edges(
        sources, targets, weights if weighted else None, names=list("abcdefghi"), directed=directed
    )
    options = WalkOptions(num_walks=2, walk_length=20, p=p, q=q, seed=seed, workers=1)
    near = {name: {other for other, _ in graph.neighbours(name)} for name in graph.names.to_pylist()}
    with graph.walks(**options.as_dict()) as walks:
        listed = list(walks)
    assert sorted(each[0] for each in listed) == sorted([*near] * 2)
    for each in listed:
        assert all(b in near[a] for a, b in pairwise(each))
        assert len(each) == 20 or not near[each[-1]]
    assert numbered(graph, listed) == by_reference(graph, options)


# ---- distributions -----------------------------------------------------------------------------


def chances_of(graph, p, q, came_from, at):
    """The exact transition probabilities of node2vec, by name, from the definition."""
    shares = {}
    beyond = {name for name, _ in graph.neighbours(came_from)}
    for name, weight in graph.neighbours(at):
        shares[name] = weight * (1 / p if name == came_from else 1 if name in beyond else 1 / q)
    return {name: share / sum(shares.values()) for name, share in shares.items()}


def p_value(met, chances):
    """How likely such counts, or less likely ones, are under `chances`: the chi-square test."""
    assert met.keys() <= chances.keys()
    names = [name for name, chance in chances.items() if chance > 0]
    counts = np.array([met.get(name, 0) for name in names])
    return stats.chisquare(counts, counts.sum() * np.array([chances[name] for name in names])).pvalue


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize(("p", "q"), BIASES)
def test_steps_have_the_distribution_of_the_definition(weighted, directed, p, q):
    graph = made_up(nodes=6, edges=14, seed=3, weighted=weighted, directed=directed)
    with graph.walks(num_walks=2000, walk_length=30, p=p, q=q, seed=11, workers=1) as walks:
        listed = list(walks)
    first, later = {}, {}
    for each in listed:
        if len(each) > 1:
            met = first.setdefault(each[0], {})
            met[each[1]] = met.get(each[1], 0) + 1
        for came_from, at, to in zip(each, each[1:], each[2:], strict=False):
            met = later.setdefault((came_from, at), {})
            met[to] = met.get(to, 0) + 1
    values = []
    for at, met in first.items():
        weights = dict(graph.neighbours(at))
        values.append(p_value(met, {name: weight / sum(weights.values()) for name, weight in weights.items()}))
    for (came_from, at), met in later.items():
        if sum(met.values()) > 200 and len(met) > 1:
            values.append(p_value(met, chances_of(graph, p, q, came_from, at)))
    values = [value for value in values if np.isfinite(value)]
    assert len(values) > 10
    assert min(values) > 1e-3 / len(values)
    assert stats.kstest(values, "uniform").pvalue > 1e-3  # neither too far from what is expected, nor too near


def test_attempts_run_out_without_a_bias():
    """From the hub of a star whose rim is closed, with all but one way nearly barred: most steps weigh all arcs."""
    graph = networkx.wheel_graph(30)
    walked = Graph.from_networkx(graph)
    with walked.walks(num_walks=400, walk_length=40, p=1e-3, q=1, seed=2, workers=1) as walks:
        turned = [a == c for each in walks for a, b, c in zip(each, each[1:], each[2:], strict=False) if b == "0"]
    expected = 1000 / (1000 + 28)
    assert (28 / 29) ** ATTEMPTS > 0.5  # the share of steps in which no attempt was taken
    assert np.mean(turned) == pytest.approx(expected, abs=5 * np.sqrt(expected * (1 - expected) / len(turned)))


def test_all_turns_start_once_at_every_node_in_orders_of_their_own():
    orders = [starts_of(100, seed, turn).tolist() for seed in (1, 2) for turn in (0, 1)]
    assert all(sorted(order) == list(range(100)) for order in orders)
    assert len({tuple(order) for order in orders}) == 4
    assert starts_of(100, 1, 0).tolist() == orders[0]


def test_a_walk_depends_on_its_number_alone():
    graph = made_up(weighted=True, directed=False)
    rules = rules_of(WalkOptions(walk_length=9, p=2))
    both, alone = np.empty(18, np.int32), np.empty(9, np.int32)
    lengths = np.empty(2, np.int64)
    assert walk(graph.arcs, rules, np.array([3, 5]), np.array([40, 90]), both, lengths) == 18
    walk(graph.arcs, rules, np.array([5]), np.array([90]), alone, lengths)
    np.testing.assert_array_equal(both[9:], alone)


# ---- ends --------------------------------------------------------------------------------------


def test_a_walk_ends_where_no_edge_leads_on_and_that_of_a_lone_node_is_itself():
    graph = Graph.from_edges([0, 1], [1, 2], names=["a", "b", "c", "alone"], directed=True)
    with graph.walks(num_walks=2, p=0.5) as walks:
        assert sorted(walks) == sorted([["a", "b", "c"], ["b", "c"], ["c"], ["alone"]] * 2)
        assert (walks.sentences, walks.total_tokens) == (8, 14)


def test_a_walk_may_stay_on_a_loop():
    with Graph.from_edges(["a"], ["a"]).walks(num_walks=1, walk_length=4, q=2) as walks:
        assert list(walks) == [["a"] * 4]


def test_walks_of_one_node_are_the_nodes():
    with made_up(weighted=False, directed=False).walks(num_walks=1, walk_length=1) as walks:
        assert sorted(walks) == sorted([[f"n{node}"] for node in range(12)])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"p": 0}, "p must be 1e-06 or more, got 0.0; 0.25 to 4 are usual"),
        ({"q": -1}, "q must be 1e-06 or more, got -1.0"),
        ({"q": float("nan")}, "q must be a finite number, got nan"),
        ({"p": 1e9}, "p must be 1000000.0 or less"),
        ({"num_walks": 0}, "num_walks must be 1 or more, got 0"),
        ({"walk_length": 0}, "walk_length must be 1 or more, got 0"),
        ({"walk_length": 2.5}, "walk_length must be a whole number"),
        ({"length": 8}, "unknown option 'length', here called walk_length"),
        ({"number_walks": 8}, "unknown option 'number_walks', here called num_walks"),
    ],
)
def test_options_out_of_range_are_refused(options, says):
    with pytest.raises(BadOption, match=says):
        made_up(weighted=False, directed=False).walks(**options)


# ---- as a corpus -------------------------------------------------------------------------------


def test_walks_are_a_corpus_ranked_by_count_that_goes_when_closed(tmp_path, monkeypatch):
    monkeypatch.setenv("FIRTH_CACHE", str(tmp_path))
    graph = made_up(nodes=200, edges=600, weighted=False, directed=False)
    walks = graph.walks(num_walks=100, walk_length=100, workers=2)
    assert walks.total_tokens == sum(map(len, walks)) > 2**20  # more than a batch
    words, met = np.unique(np.concatenate([np.array(each) for each in walks]), return_counts=True)
    assert dict(zip(walks.words.to_pylist(), walks.counts.tolist(), strict=True)) == dict(
        zip(words.tolist(), met.tolist(), strict=True)
    )
    assert (np.diff(walks.counts) <= 0).all()
    assert walks.folder.exists()
    assert walks.folder.is_relative_to(tmp_path)
    walks.close()
    assert not walks.folder.exists()


def test_a_graph_itself_is_no_corpus():
    with pytest.raises(BadOption, match=r"got a graph; give graph\.walks\(\)"):
        Word2Vec().fit(made_up(weighted=False, directed=False))
    with pytest.raises(BadOption, match=r"got a graph of networkx; give Graph\.from_networkx\(graph\)\.walks\(\)"):
        Word2Vec().fit(networkx.Graph([("a node", "another")]))


def test_a_bar_shows_how_far_walking_is(capsys):
    made_up(weighted=False, directed=False).walks(progress=True).close()
    assert "120 of 120 walks" in capsys.readouterr().err


def test_walks_interrupted_leave_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("FIRTH_CACHE", str(tmp_path))

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("firth.corpus.writer.CorpusWriter.add", interrupted)
    with pytest.raises(KeyboardInterrupt):
        made_up(weighted=False, directed=False).walks()
    assert not list((tmp_path / "corpora").iterdir())


@pytest.mark.parametrize(("p", "q"), [(1, 1), (0.5, 2)])
def test_vectors_of_the_karate_club_tell_its_factions_apart(p, q):
    """Zachary 1977: who stayed with the instructor, and who went with the officer."""
    club = networkx.karate_club_graph()
    model = Word2Vec(vector_size=16, window=5, min_count=1, sample=0, epochs=5, workers=1)
    with Graph.from_networkx(club).walks(num_walks=20, walk_length=40, p=p, q=q) as walks:
        vectors = model.fit(walks, progress=False).vectors
    stayed = {str(node): kind == "Mr. Hi" for node, kind in club.nodes(data="club")}
    rows = np.array([vectors[name] for name in stayed])
    side = (rows - rows.mean(axis=0)) @ np.linalg.svd(rows - rows.mean(axis=0))[2][0] > 0
    agree = np.mean(side == np.array([*stayed.values()]))
    assert max(agree, 1 - agree) >= 32 / 34  # member 8 stood between, and went with the others for his belt


def test_training_on_walks_twice_gives_the_same_bytes():
    def trained(workers):
        with made_up(weighted=True, directed=False).walks(p=0.5, workers=workers) as walks:
            return Word2Vec(vector_size=16, min_count=1, workers=1).fit(walks, progress=False)

    np.testing.assert_array_equal(trained(1).weights.input, trained(2).weights.input)


# ---- the command -------------------------------------------------------------------------------


@pytest.fixture
def edges(tmp_path):
    path = tmp_path / "edges.txt"
    path.write_text("".join(f"{a} {b}\n" for a, b in networkx.karate_club_graph().edges))
    return path


def test_the_command_writes_walks_and_trains_on_the_same(run, edges, tmp_path):
    walking = ("--num-walks", 6, "--walk-length", 30, "--p", 0.5, "--seed", 3)
    status, printed, complained = run("walk", edges, "-o", tmp_path / "walks.gz", *walking, "--json")
    assert (status, complained) == (0, "")
    assert json.loads(printed) == {
        "target": str(tmp_path / "walks.gz"), "nodes": 34, "edges": 78, "remarks": 0, "walks": 204, "tokens": 6120,
    }  # fmt: skip
    with Graph.read(edges).walks(num_walks=6, walk_length=30, p=0.5, seed=3) as walks:
        lines = gzip.decompress((tmp_path / "walks.gz").read_bytes()).decode().splitlines()
        assert lines == [" ".join(each) for each in walks]
    status, printed, _ = run("walk", edges, "-o", tmp_path / "walks.txt", *walking)
    assert status == 0
    assert "34 nodes, 78 edges\n" in printed
    assert "wrote 204 walks of 6,120 nodes in all" in printed

    training = ("--vector-size", 16, "--epochs", 1, "--workers", 1, "--sample", 0, "--seed", 3, "--json")
    status, printed, complained = run("train", edges, "--graph", "-o", tmp_path / "a.safetensors", *walking, *training)
    assert (status, complained) == (0, "")
    assert json.loads(printed)["words"] == 6120
    assert run("train", tmp_path / "walks.txt", "-o", tmp_path / "b.safetensors", *training)[0] == 0
    one, other = (Word2Vec.load(tmp_path / f"{name}.safetensors") for name in "ab")
    np.testing.assert_array_equal(one.weights.input, other.weights.input)


def test_the_command_tells_how_many_lines_were_remarks(run, tmp_path):
    (tmp_path / "tags.txt").write_text("#cats #dogs\na b\n#x\n")
    status, printed, _ = run("walk", tmp_path / "tags.txt", "-o", tmp_path / "walks.txt")
    assert (status, printed.splitlines()[0]) == (0, "2 nodes, 1 edge; lines that begin with #, passed over: 2")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["walk", "{nowhere}", "-o", "{out}.txt"], "there is no file"),
        (["walk", "{edges}", "-o", "{edges}"], "give the walks another name"),
        (["walk", "{edges}", "-o", "{out}.xz"], "written plain or as .gz"),
        (["walk", "{edges}", "-o", "{out}.txt", "--p", "0"], "p must be 1e-06 or more"),
        (["walk", "{edges}", "-o", "{out}.txt", "--delimiter", ";"], "delimiter must be one of"),
        (["train", "{edges}", "-o", "{out}.safetensors", "--p", "2"], "p tell how walks go over a graph; add --graph"),
        (
            ["train", "{edges}", "-o", "{out}.safetensors", "--graph", "--tokenizer", "words"],
            "a graph has no text to read; leave out tokenizer, or leave out --graph",
        ),
        (["train", "{edges}", "-o", "{out}.safetensors", "--graph", "--phrases", "{edges}"], "leave out phrases"),
    ],
)
def test_bad_input_gets_one_sentence_and_status_2(run, edges, tmp_path, arguments, says):
    places = {"edges": edges, "out": tmp_path / "out", "nowhere": tmp_path / "nowhere"}
    status, printed, complained = run(*(each.format(**places) for each in arguments))
    assert (status, printed) == (2, "")
    assert says in complained
    assert complained.count("\n") == 1


# ---- real graphs -------------------------------------------------------------------------------


def test_vectors_of_cora_tell_what_papers_are_about():
    """Seven nearest neighbours vote on each paper's subject: the largest class alone is 30 %."""
    folder = Path(os.environ.get("FIRTH_CORPORA", "")) / "graphs"
    if not (folder / "cora.edges.tsv").exists():
        pytest.skip("set FIRTH_CORPORA to a folder that holds graphs/cora.edges.tsv")
    graph = Graph.read(folder / "cora.edges.tsv")
    subject = dict(line.split() for line in (folder / "cora.labels.tsv").read_text().splitlines())
    model = Word2Vec(vector_size=16, window=5, min_count=1, sample=0, epochs=1, workers=2)
    with graph.walks(num_walks=10, walk_length=40, workers=2) as walks:
        vectors = model.fit(walks, progress=False).vectors
    right = 0
    for name, found in zip(vectors.words, vectors.most_similar_batch(vectors.words, topn=7, threads=2), strict=True):
        votes = [subject[other] for other, _ in found]
        right += max(set(votes), key=votes.count) == subject[name]
    assert right / len(vectors) > 0.75


def test_names_that_text_cannot_hold_are_refused_before_walking(run, tmp_path, monkeypatch):
    monkeypatch.setattr(Graph, "walks", lambda *_, **__: pytest.fail("walked"))
    (tmp_path / "edges.csv").write_text("new york,paris\nparis,rome\n")
    status, _, said = run("walk", tmp_path / "edges.csv", "-o", tmp_path / "walks.txt")
    assert (status, "the token 'new york' holds white space" in said) == (2, True)


def test_every_node_is_trained_on_however_few_its_walks(run, tmp_path):
    (tmp_path / "edges.txt").write_text("a b\nb c\n")
    few = ("--num-walks", 1, "--walk-length", 3, "--vector-size", 16, "--epochs", 1, "--sample", 0)
    assert run("train", tmp_path / "edges.txt", "--graph", "-o", tmp_path / "m.safetensors", *few)[0] == 0
    assert sorted(Word2Vec.load(tmp_path / "m.safetensors").vectors.words) == ["a", "b", "c"]
