"""Pairs of nodes as rows of neighbours: compressed sparse rows (CSR).

Shapes: N nodes, A arcs. An edge of an undirected graph is two arcs, a loop one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from firth.errors import BadCorpus, BadOption

Ints = npt.NDArray[np.int64]
Nodes = npt.NDArray[np.int32]
Weights = npt.NDArray[np.float64]

MOST_NODES = 2**31 - 1  # their numbers are int32
NO_EDGE = "the graph is empty: it has no edge; give at least one"


class Adjacency(NamedTuple):
    """The arcs of node n are indices[indptr[n]:indptr[n + 1]], in rising order, each once.

    indptr: int64 (N + 1,). indices: int32 (A,). weights: float64 (A,), above 0; None where all arcs weigh the same.
    """

    indptr: Ints
    indices: Nodes
    weights: Weights | None


def adjacency(
    sources: npt.NDArray[Any], targets: npt.NDArray[Any], weights: Weights | None, nodes: int, *, directed: bool
) -> Adjacency:
    """The rows of the edges from `sources` to `targets`, numbers from 0 to `nodes` - 1.

    An edge named several times is one, with the sum of its weights where there are any. Raises `BadCorpus` where no
    edge is there, `BadOption` where sums are beyond float64.
    """
    from scipy import sparse  # loads at use

    if not len(sources):
        raise BadCorpus(NO_EDGE)
    rows, columns = _both_ways(sources, targets) if not directed else (sources, targets)
    values: npt.NDArray[Any] = np.ones(len(rows), np.bool_)
    if weights is not None:
        values = weights if directed else np.concatenate([weights, weights[sources != targets]])
    matrix = sparse.coo_array((values, (rows, columns)), shape=(nodes, nodes)).tocsr()
    matrix.sum_duplicates()  # and sorts rows
    return of_csr(matrix.indptr, matrix.indices, None if weights is None else matrix.data)


def of_csr(indptr: npt.NDArray[Any], indices: npt.NDArray[Any], weights: npt.NDArray[Any] | None) -> Adjacency:
    """Rows that are sorted, each arc once, in their own types; weights that are all alike are left out."""
    if weights is not None and not np.isfinite(weights).all():
        raise BadOption("the weights of one edge, which stands several times, add up to infinity; give smaller ones")
    if weights is not None and (weights == weights[0]).all():
        weights = None
    return Adjacency(
        np.asarray(indptr, np.int64),
        np.asarray(indices, np.int32),
        None if weights is None else np.asarray(weights, np.float64),
    )


def _both_ways(sources: npt.NDArray[Any], targets: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """All arcs of undirected edges: as given, then back, loops once."""
    other = sources != targets
    return np.concatenate([sources, targets[other]]), np.concatenate([targets, sources[other]])


def check_nodes(count: int) -> None:
    """Raise `BadOption` for more nodes than can be numbered."""
    if count > MOST_NODES:
        raise BadOption(f"a graph may have {MOST_NODES:,} nodes, got {count:,}; leave some out")


def bad_weight(weight: object, edge: str) -> str:
    """What is wrong with a weight, for an error."""
    return (
        f"the weight of {edge} must be a number above 0, and finite, got {weight!r}; correct it, or leave the edge out"
    )
