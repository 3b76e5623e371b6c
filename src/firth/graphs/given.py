"""What callers hold in memory as rows of neighbours: arrays, tables, SciPy's sparse matrices, graphs of networkx."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from firth.arrow import as_numpy
from firth.corpus.blocks import is_missing
from firth.errors import BadCorpus, BadOption
from firth.graphs.adjacency import NO_EDGE, Adjacency, Weights, adjacency, bad_weight, check_nodes, of_csr

Named = tuple[Adjacency, pa.LargeStringArray]
Ends: TypeAlias = npt.NDArray[Any] | pa.LargeStringArray  # whole numbers, or names

MOST_NUMBER = 2**63 - 1  # that stands for a node


def of_table(table: Any, names: Iterable[str] | None, *, directed: bool) -> Named:
    """The rows and names of edges that are rows of a table: of pandas, polars or pyarrow."""
    columns = _columns(table)
    if len(columns) not in (2, 3):
        called = ", ".join(map(str, getattr(table, "column_names", table.columns)))
        raise BadOption(
            f"edges as a table must be two columns, or three with weights, got {len(columns)} ({called}); choose them, "
            'as by table[["from", "to"]] in pandas and table.select(["from", "to"]) in polars and pyarrow'
        )
    weights = columns[2] if len(columns) == 3 else None
    return of_edges(columns[0], columns[1], weights, names, directed=directed)


def of_edges(sources: Any, targets: Any, weights: Any, names: Iterable[str] | None, *, directed: bool) -> Named:
    """The rows and names of edges from each of `sources` to the one of `targets` in the same place."""
    first, second = _ends("sources", sources), _ends("targets", targets)
    if len(first) != len(second):
        raise BadOption(f"sources and targets must be as many, got {len(first):,} and {len(second):,}")
    if isinstance(first, np.ndarray) != isinstance(second, np.ndarray) and len(first):
        raise BadOption("sources and targets must both be names or both be whole numbers; convert names with str")
    values = None if weights is None else _weights(weights, len(first), lambda edge: f"edge {edge:,}")
    if not len(first):
        raise BadCorpus(NO_EDGE)
    if names is None:
        called, numbers = _numbered(first, second)
    else:
        called = as_names(names)
        numbers = np.concatenate([_places(each, called) for each in (first, second)])
    check_nodes(len(called))
    ends = np.split(np.asarray(numbers, np.int32), 2)
    return adjacency(ends[0], ends[1], values, len(called), directed=directed), called


def of_matrix(matrix: Any, names: Iterable[str] | None, *, directed: bool) -> Named:
    """The rows and names of a SciPy sparse matrix, of weights above 0 where there is an edge."""
    from scipy import sparse  # loads at use

    if not sparse.issparse(matrix):
        raise BadOption(
            f"matrix must be a SciPy sparse matrix or array, got {type(matrix).__name__}; make one with "
            "scipy.sparse.csr_array(matrix)"
        )
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise BadOption(f"matrix must be square, with a row and a column for each node, got the shape {matrix.shape}")
    if matrix.dtype.kind not in "biuf":
        raise BadOption(f"matrix must hold real numbers, got {matrix.dtype}; convert it with astype(float)")
    nodes = matrix.shape[0]
    check_nodes(nodes)
    called = as_names([str(node) for node in range(nodes)] if names is None else names)
    if len(called) != nodes:
        raise BadOption(f"names must be as many as the matrix has rows, {nodes:,}, got {len(called):,}")
    rows = sparse.csr_array(matrix, dtype=np.float64, copy=True)
    rows.sum_duplicates()  # and sorts rows
    rows.eliminate_zeros()
    if not rows.nnz:
        raise BadCorpus(NO_EDGE)
    _weights(rows.data, rows.nnz, lambda arc: "entry [{}, {}]".format(*(int(end[arc]) for end in rows.nonzero())))
    if not directed and (rows != rows.T).nnz:
        raise BadOption(
            "the matrix must be symmetric, as edges lead both ways, but is not; take directed=True or matrix + matrix.T"
        )
    return of_csr(rows.indptr, rows.indices, rows.data), called


def of_networkx(graph: Any, weight: str | None) -> Named:
    """The rows and names of a graph of networkx."""
    if not all(hasattr(graph, each) for each in ("nodes", "edges", "is_directed")):
        raise BadOption(
            f"graph must be of networkx, got {type(graph).__name__}; Graph.read takes files, Graph.from_edges arrays"
        )
    place = {node: number for number, node in enumerate(graph.nodes)}
    called = as_names([str(node) for node in place])
    edges = list(graph.edges(data=weight or "", default=1.0 if weight else None))
    if not edges:
        raise BadCorpus(NO_EDGE)
    sources, targets, values = zip(*edges, strict=True)
    first, second = (np.array([place[node] for node in ends], np.int32) for ends in (sources, targets))
    weights = None
    if weight:
        weights = _weights(values, len(edges), lambda edge: f"the edge from {sources[edge]!r} to {targets[edge]!r}")
    return adjacency(first, second, weights, len(called), directed=bool(graph.is_directed())), called


def as_names(names: Iterable[str]) -> pa.LargeStringArray:
    """The names of nodes: `BadOption` for what is no text or empty, and for one that two nodes have."""
    if isinstance(names, str):
        raise BadOption(f"names must be a list of strings, got {names!r}; give a list, also for one")
    listed = list(names)
    met: set[str] = set()
    for name in listed:
        if not isinstance(name, str) or not name:
            raise BadOption(f"names must be strings that are not empty, got {name!r}; convert it with str")
        if name in met:
            raise BadOption(f"two nodes have the name {name!r}, as text; give each its own")
        met.add(name)
    return _as_text(listed)


def _columns(table: Any) -> list[Any]:
    """The columns of a data frame, in their order."""
    if hasattr(table, "iloc") and hasattr(table, "columns"):  # pandas, where two may have the same name
        return [table.iloc[:, place] for place in range(len(table.columns))]
    if hasattr(table, "get_columns"):  # polars
        return list(table.get_columns())
    if hasattr(table, "column_names"):  # pyarrow
        return list(table.columns)
    raise BadOption(
        f"without targets, edges must be a table of pandas, polars or pyarrow, got a {type(table).__name__}; of pairs "
        "give from_edges(*zip(*pairs)), collect() a lazy frame first, and read a file by Graph.read(path)"
    )


def _ends(what: str, given: Any) -> Ends:
    """Names or numbers at one end of all edges.

    Names stay out of NumPy's arrays of strings, which are as wide as the longest and drop zeros at the end.
    """
    if isinstance(given, (list, tuple)) and given and all(isinstance(each, str) for each in given):
        return _as_text(given)
    ends = np.asarray(given)
    if ends.ndim == 1 and ends.dtype.kind in "iu":
        if len(ends) and ends.max() > MOST_NUMBER:
            raise BadOption(f"{what} must be numbers up to {MOST_NUMBER:,}, got {ends.max():,}; give names as text")
        return ends.astype(np.int64)
    if ends.ndim == 1 and all(isinstance(each, str) for each in ends.tolist()):
        return _as_text(ends.tolist())
    if (
        ends.ndim == 1
        and (missing := next((edge for edge, each in enumerate(ends) if is_missing(each)), None)) is not None
    ):
        raise BadOption(
            f"{what} must name a node for each edge, but that of edge {missing:,} is missing: it is {ends[missing]}; "
            "leave such edges out, as by dropna() in pandas and drop_nulls() in polars"
        )
    raise BadOption(
        f"{what} must be one list of names or of whole numbers, got {ends.dtype} of the shape {ends.shape}"
        f"{f', which begins with {ends[0]!r}' if ends.ndim == 1 and len(ends) else ''}; convert it, whole numbers that "
        "are floats with int, all else with str"
    )


def _as_text(names: Sequence[str]) -> pa.LargeStringArray:
    try:
        return pa.array(names, pa.large_string())
    except UnicodeEncodeError as error:
        raise BadOption(f"names must be text that UTF-8 can hold: {error}; replace what it cannot") from error


def _numbered(first: Ends, second: Ends) -> tuple[pa.LargeStringArray, npt.NDArray[Any]]:
    """The nodes' names, in rising order of the names or numbers given, and the place of each end among them."""
    if isinstance(first, np.ndarray):
        labels, numbers = np.unique(np.concatenate([first, second]), return_inverse=True)
        return as_names([str(label) for label in labels.tolist()]), numbers
    met = pa.concat_arrays([first, second])
    names = pc.unique(met)
    called = as_names(names.take(pc.sort_indices(names)).to_pylist())
    return called, as_numpy(pc.index_in(met, value_set=called))


def _places(ends: Ends, names: pa.LargeStringArray) -> npt.NDArray[Any]:
    """The number of the node that each of `ends` stands for."""
    if isinstance(ends, np.ndarray):
        for wrong in (int(ends.min()), int(ends.max())):
            if not 0 <= wrong < len(names):
                raise BadOption(
                    f"edges must join nodes from 0 to {len(names) - 1:,}, as there are {len(names):,} names, got "
                    f"{wrong:,}; add names, or leave them out, as numbers are names then"
                )
        return ends
    found = pc.index_in(ends, value_set=names)
    if found.null_count:
        unknown = ends[pc.index(found.is_null(), True).as_py()].as_py()
        raise BadOption(f"edges must join nodes that have names, got {unknown!r}, which is not among names; add it")
    return as_numpy(found)


def _weights(given: Any, edges: int, edge: Callable[[int], str]) -> Weights:
    """Weights as float64 (edges,); `edge(i)` names the i-th edge in an error."""
    try:
        values = np.asarray(given)
        if values.dtype.kind in "mM":  # which are numbers to NumPy
            raise BadOption(f"weights must be numbers, got {values.dtype}, times; leave them out, or make them numbers")
        weights: Weights = values.astype(np.float64)
    except BadOption:
        raise
    except (TypeError, ValueError) as error:
        raise BadOption(f"weights must be numbers: {error}") from error
    if weights.shape != (edges,):
        raise BadOption(f"weights must be one for each of {edges:,} edges, got the shape {weights.shape}")
    wrong = np.flatnonzero(~((weights > 0) & (weights < np.inf)))
    if len(wrong):
        first = int(wrong[0])
        raise BadOption(bad_weight(float(weights[first]), edge(first)))
    return weights
