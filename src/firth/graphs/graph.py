"""`Graph`: edges from files, matrices, networkx or arrays in, walks to train on out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from firth.arrow import as_arrow
from firth.corpus.encoded import EncodedCorpus
from firth.errors import BadOption, UnknownWord, counted
from firth.graphs.adjacency import Adjacency, adjacency, check_nodes
from firth.graphs.given import of_edges, of_matrix, of_networkx, of_table
from firth.graphs.kernels import Arcs, fill_aliases
from firth.graphs.reading import read_edges
from firth.graphs.walking import walked
from firth.options import GraphOptions, WalkOptions
from firth.storage import AnyPath


class Graph:
    """A graph to walk on. Make one with `read`, `from_networkx`, `from_scipy` or `from_edges`.

        graph = Graph.read("edges.txt")
        model = Word2Vec(min_count=1).fit(graph.walks(num_walks=10, walk_length=80, p=0.5, q=2))
        model.vectors.most_similar("a node's name")

    Nodes have names, which are the words of walks. An edge of an undirected graph may be walked both ways. A loop, an
    edge from a node to itself, is kept: a walk that takes it stays for a step.

    Attributes:
        names: the nodes' names, `pyarrow.LargeStringArray` (N,); node n is the n-th.
        rows: who is next to whom, by number, as compressed sparse rows: `indptr` int64 (N + 1,), `indices` int32 (A,),
            `weights` float64 (A,), None where all edges weigh the same.
        directed: whether edges lead one way.
        remarks: how many lines of the file that it was read from begin with #, and so are no edges.
    """

    def __init__(self, rows: Adjacency, names: pa.LargeStringArray, *, directed: bool, remarks: int = 0) -> None:
        self.rows, self.names, self.directed, self.remarks = rows, names, directed, remarks

    # ---- where it comes from -------------------------------------------------------------------

    @classmethod
    def read(cls, path: AnyPath, **options: Any) -> Self:
        """The graph of a file of edges: on each line two names and, in all lines or none, a weight.

        Packed files (.gz, .bz2, .xz, .zst) and remote addresses are read as those of text. Empty lines, and what stands
        behind a # at a line's beginning, are left out; `remarks` counts such lines. An edge that stands several times,
        in an undirected graph also the other way round, counts once; weights are added up.

        Args:
            path: the file.
            options: those of `GraphOptions`: directed, weighted, delimiter, header.

        Raises:
            MissingFile: there is no such file.
            BadFile: a line that is no edge, or a weight that is no number above 0; the error names the line.
            BadCorpus: what is no text, or holds no edge.
            BadOption: an option out of range or unknown.
        """
        chosen = GraphOptions.from_dict(options)
        edges = read_edges(os.fspath(path), chosen)
        check_nodes(len(edges.names))
        rows = adjacency(edges.sources, edges.targets, edges.weights, len(edges.names), directed=chosen.directed)
        return cls(rows, edges.names, directed=chosen.directed, remarks=edges.remarks)

    @classmethod
    def from_edges(
        cls,
        sources: npt.ArrayLike | Sequence[str] | Any,
        targets: npt.ArrayLike | Sequence[str] | None = None,
        weights: npt.ArrayLike | None = None,
        *,
        names: Sequence[str] | None = None,
        directed: bool = False,
    ) -> Self:
        """The graph of edges from each of `sources` to the one of `targets` in the same place, or of those of a table.

            Graph.from_edges(frame[["from", "to"]])

        Args:
            sources: names, or whole numbers. With `names`, numbers are places in these; without, they are the names, as
                text. Or a data frame of pandas or polars or a table of pyarrow, whose columns in their order are
                sources, targets and, if there are three, weights.
            targets: as many; left out with a table.
            weights: one above 0 for each edge; all alike if not given.
            names: the nodes' names; nodes without an edge may be among them.
            directed: whether edges lead one way.

        An edge that is given several times counts once; weights are added up. Raises `BadOption` for what does not fit
        together, `BadCorpus` where there is no edge.
        """
        if targets is not None:
            return cls(*of_edges(sources, targets, weights, names, directed=directed), directed=directed)
        if weights is not None:
            raise BadOption("weights of edges in a table must be its third column; add it, or give targets, too")
        return cls(*of_table(sources, names, directed=directed), directed=directed)

    @classmethod
    def from_scipy(cls, matrix: Any, *, names: Sequence[str] | None = None, directed: bool = False) -> Self:
        """The graph of a SciPy sparse matrix or array (N, N): entry [i, j] is the weight of the edge from i to j.

        Args:
            matrix: of any sparse format; zeros are no edges.
            names: the N nodes' names; 0, 1, ... if not given.
            directed: whether edges lead one way; where not, the matrix must be symmetric.

        Raises `BadOption` for a matrix that is not square or not symmetric, weights that are not above 0, another
        number of names; `BadCorpus` where there is no edge.
        """
        return cls(*of_matrix(matrix, names, directed=directed), directed=directed)

    @classmethod
    def from_networkx(cls, graph: Any, *, weight: str | None = "weight") -> Self:
        """A networkx graph of any kind: `Graph`, `DiGraph`, `MultiGraph`, `MultiDiGraph`.

        Names are the nodes as text: vectors of node 7 are those of the word "7". Parallel edges add up.

        Args:
            graph: the graph.
            weight: the edges' attribute that holds weights; an edge without it weighs 1, as in networkx. None leaves
                weights out.

        Raises `BadOption` for weights that are not above 0 and for nodes with the same text, `BadCorpus` for a graph
        without edges.
        """
        rows, names = of_networkx(graph, weight)
        return cls(rows, names, directed=bool(graph.is_directed()))

    # ---- what it is ----------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.names)

    @property
    def edges(self) -> int:
        """How many edges there are."""
        arcs = len(self.rows.indices)
        if self.directed:
            return arcs
        sources = np.repeat(np.arange(len(self)), np.diff(self.rows.indptr))
        return (arcs + int((sources == self.rows.indices).sum())) // 2

    def neighbours(self, name: str) -> list[tuple[str, float]]:
        """The nodes that edges lead to from the one of this name, and their weights.

        Raises `UnknownWord`, and `BadOption` for a name that is no text.
        """
        if not isinstance(name, str):
            raise BadOption(f"nodes have names, which are text, got {name!r}; ask for {str(name)!r}")
        node = pc.index(self.names, pa.scalar(name, pa.large_string())).as_py()
        if node < 0:
            raise UnknownWord(f"the graph has no node {name!r}; names are text, also those that were numbers")
        begin, end = self.rows.indptr[node : node + 2]
        near = self.names.take(as_arrow(self.rows.indices[begin:end])).to_pylist()
        weights = [1.0] * len(near) if self.rows.weights is None else self.rows.weights[begin:end].tolist()
        return list(zip(near, weights, strict=True))

    def __repr__(self) -> str:
        kind = "directed" if self.directed else "undirected"
        weighted = "" if self.rows.weights is None else ", weighted"
        return f"<Graph: {counted(len(self), 'node')}, {counted(self.edges, 'edge')}, {kind}{weighted}>"

    # ---- walks ---------------------------------------------------------------------------------

    def walks(self, *, progress: bool | None = None, **options: Any) -> EncodedCorpus:
        """Random walks from every node, to train on: sentences whose words are the nodes' names.

        They come in turns, each of which starts once at every node, in an order of its own. A walk ends where no edge
        leads on; so that of a node without edges is the node alone, which trains nothing. Going through the walks gives
        lists of names. They stand on disk, and go when closed or no longer used.

        Args:
            progress: show a bar on standard error; by default, where that is a terminal.
            options: those of `WalkOptions`: num_walks, walk_length, p, q, seed, workers.

        The same seed gives the same walks, with any number of workers, of a graph whose nodes come in the same order.
        Raises `BadOption` for an option out of range or unknown, `CannotWrite` for a full disk.
        """
        return walked(self.arcs, self.names, WalkOptions.from_dict(options), progress)

    @cached_property
    def arcs(self) -> Arcs:
        """The rows as walks see them, with a table to draw weighted steps from."""
        indptr, indices, weights = self.rows
        if weights is None:
            return Arcs(indptr, indices, np.empty(0, np.float64), np.empty(0, np.uint64))
        aliases = np.empty(len(weights), np.uint64)
        longest = int(np.diff(indptr).max())
        fill_aliases(indptr, weights, aliases, np.empty(longest), np.empty(longest, np.int64))
        return Arcs(indptr, indices, weights, aliases)
