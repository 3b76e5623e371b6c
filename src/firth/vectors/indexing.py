"""Approximate search: an index of vectors, built or opened, and asked in place of all of them.

V is the number of words, D the size of a vector, Q a number of queries.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from firth.bar import counting
from firth.errors import BadFile, BadOption, MissingFile
from firth.indexes import GRAPHS
from firth.indexes.file import ANEW, METRIC, Facts, digest_of_rows, graph_of, read_index, write_index
from firth.nearest import HAS_VECDOT, SMALLEST, Answers, Matrix, Rows, Vector, lengths, nearest, unit
from firth.options import IndexOptions, whole
from firth.stored.base import steps
from firth.vectors.given import as_vector, cores
from firth.vectors.lookup import Lookup

if TYPE_CHECKING:
    from typing import Any

    from firth.indexes import Graph
    from firth.storage import AnyPath
    from firth.vectors.search import Search

ADDED_AT_ONCE = 4096  # vectors, so that a bar moves and no second matrix is made
TWICE = 2  # as many candidates as answers: a graph of float16 takes near equals for one another
TOLD = 10  # the k of the recall that an index is told with
QUERIES = 1000
EQUAL = 1e-6  # cosines no further apart are of words as near: float32 tells them apart by the order of a sum


class VectorIndex:
    """An index of some word vectors, made by `build_index` or `open_index`, which finds most of the nearest quickly.

    It belongs to those vectors alone: others, also edited ones, refuse it. It gives candidates, which are scored by
    the vectors themselves, so that scores and their order are those of exact search; what it may do is miss some.
    """

    def __init__(self, search: Search, words: tuple[str, ...], graph: Graph, facts: Facts) -> None:
        self._search, self._words, self._graph, self._facts = search, words, graph, facts

    @property
    def kind(self) -> str:
        """The library: usearch, faiss or hnswlib."""
        return self._facts.kind

    @property
    def options(self) -> IndexOptions:
        """What it was built with."""
        return IndexOptions.from_dict({**self._facts.options, "kind": self.kind})

    @property
    def recall_when_built(self) -> float:
        """The share of the 10 nearest that it found when it was built, over 1,000 words."""
        return self._facts.recall

    @property
    def nbytes(self) -> int:
        """The bytes of memory that it takes beside the vectors, as far as the library tells; not those of its file."""
        return self._graph.nbytes

    def __len__(self) -> int:
        return len(self._words)

    def __repr__(self) -> str:
        size = f"{len(self)} words, vector_size={self._facts.vector_size}"
        return f"{type(self).__name__}({self.kind}, {size}, recall@{TOLD}={self.recall_when_built:.3f})"

    def belongs_to(self, search: Search) -> bool:
        """Whether it was made of the very rows that are searched."""
        return search.rows is self._search.rows

    def recall(self, k: int = TOLD, queries: int = QUERIES, *, seed: int = 1, threads: int | None = None) -> float:
        """The share of the `k` nearest words that it finds, over so many words drawn by `seed`, by exact search.

        The word asked for is no answer, and a word as near as the last of the `k` is as good as that one. Raises
        `BadOption` for `k`, `queries` or `threads` below 1.
        """
        k, queries = whole("k", k, at_least=1), whole("queries", queries, at_least=1)
        rows, norms, limit = self._search.rows, self._search.norms, cores(threads)
        V = len(self)
        asked = np.sort(np.random.default_rng(seed).choice(V, min(queries, V), replace=False))
        targets = _units(rows.decoded(asked), norms[asked])
        _, true = nearest(rows, norms, targets, asked[:, None], k, limit)
        _, found = self.nearest(targets, asked[:, None], k, limit)
        there = true > -np.inf
        least = np.where(there, true, np.inf).min(axis=1, keepdims=True)
        hits = (found >= least - EQUAL) & there
        return float(hits.sum() / there.sum()) if there.any() else 1.0

    def save(self, path: AnyPath, *, threads: int | None = None) -> None:
        """Write the index to a file, to be opened by `open_index` of the same vectors; a file there is replaced whole.

        Beside model.safetensors, `WordVectors.load` looks for model.usearch, model.faiss or model.hnswlib.
        Raises `CannotWrite` where the disk is full or the place may not be written.
        """
        write_index(path, self._graph, self._facts, cores(threads))

    def most_similar(self, vector: Vector, num_neighbors: int) -> list[tuple[str, float]]:
        """The words nearest to a vector (D,), and their cosines, on one thread: what gensim asks of an `indexer`."""
        target = unit(as_vector(vector, self._facts.vector_size))
        none = np.full((1, 1), -1, np.int64)
        rows, scores = self.nearest(target[None], none, whole("num_neighbors", num_neighbors, at_least=1), 1)
        found = zip(rows[0].tolist(), scores[0].tolist(), strict=True)
        return [(self._words[row], score) for row, score in found if score > -np.inf]

    def nearest(self, targets: Matrix, excluded: Rows, topn: int, threads: int) -> Answers:
        """What `firth.nearest.nearest` answers, of those that the graph finds.

        `targets` are float32 (Q, D) of unit length, `excluded` int64 (Q, E) rows that are no answers, -1 none. Where a
        graph finds fewer words than there are to answer with, all are searched.
        """
        V = len(self)
        count = min(topn, V)
        candidates = self._graph.near(targets, min(TWICE * (count + excluded.shape[1]), V), threads)
        scores = self._scored(targets, candidates)
        scores[(candidates < 0) | (candidates[:, :, None] == excluded[:, None]).any(axis=2)] = -np.inf
        best = np.lexsort((candidates, -scores), axis=1)[:, :count]
        rows, scores = np.take_along_axis(candidates, best, axis=1), np.take_along_axis(scores, best, axis=1)
        rows[scores == -np.inf] = V
        owed = np.minimum(count, V - (excluded >= 0).sum(axis=1))
        few = np.flatnonzero((rows < V).sum(axis=1) < owed)
        if len(few):
            searched, norms = self._search.rows, self._search.norms
            rows[few], scores[few] = nearest(searched, norms, targets[few], excluded[few], count, threads)
        return rows, scores

    def _scored(self, targets: Matrix, candidates: Rows) -> Matrix:
        """The cosine of each candidate (Q, n) with its target; of those that are none, some number."""
        (Q, n), D = candidates.shape, targets.shape[1]
        scores = np.empty((Q, n), np.float32)
        norms = self._search.known_norms
        for part in steps(0, Q, n * D):
            rows = candidates[part].ravel()
            numbers = self._search.rows.decoded(rows)
            sizes = lengths(numbers) if norms is None else norms[rows]
            numbers = numbers.reshape(-1, n, D)
            if HAS_VECDOT:
                np.vecdot(numbers, targets[part, None], out=scores[part])
            else:
                np.einsum("qnd,qd->qn", numbers, targets[part], out=scores[part])
            scores[part] /= np.maximum(sizes, SMALLEST).reshape(-1, n)
        return scores


class Indexed(Lookup):
    """Makes and keeps indexes of the vectors."""

    def build_index(
        self, kind: str = IndexOptions.kind, *, threads: int | None = None, progress: bool | None = None, **options: Any
    ) -> VectorIndex:
        """Build an index for `most_similar(..., index=...)`: a graph by usearch, faiss or hnswlib.

        That takes minutes for a million words, and pays for thousands of queries; exact search needs nothing of the
        kind. Further options are those of `firth.options.IndexOptions`. No more than `threads` cores are used; a bar
        is shown where standard error is a terminal, or as `progress` says. With more than one thread, no two graphs
        are the same. What it finds of the 10 nearest is measured, and stands in the index's `recall_when_built`.

        The index is remembered: `index="usearch"` names it from then on.

        Raises:
            MissingExtra: the library is not installed: pip install 'firth[ann]', or 'firth[hnswlib]'.
            BadOption: an unknown kind or option, one out of its range, or no words.
            BadFile: NaN or infinity in the matrix.
        """
        chosen, limit = IndexOptions.from_dict({"kind": kind, **options}), cores(threads)
        (V, D), norms = self.rows.shape, self.norms
        if V == 0:
            raise BadOption("an index needs at least one word, and these vectors have none; add some first")
        graph = GRAPHS[chosen.kind](V, D, chosen)
        with counting("indexing", V, "words", progress) as bar:
            for start in range(0, V, ADDED_AT_ONCE):
                part = slice(start, min(start + ADDED_AT_ONCE, V))
                graph.add(start, _units(self.rows.decoded(part), norms[part]), limit)
                bar.move(part.stop)
            facts = Facts(
                kind=chosen.kind,
                library=graph.library(),
                words=V,
                vector_size=D,
                metric=METRIC,
                rows=digest_of_rows(self.rows, limit),
                options={name: value for name, value in chosen.as_dict().items() if name != "kind"},
                recall=float("nan"),
            )
            recall = VectorIndex(self._search, self._words, graph, facts).recall(threads=limit)
            bar.tell(f"the index finds {100 * recall:.1f} % of the {TOLD} nearest")
        return self._remembered(graph, facts, recall)

    def open_index(self, path: AnyPath, *, threads: int | None = None) -> VectorIndex:
        """Open an index that was made of these vectors and saved, without building anything.

        Vectors and file are read once, to see that they belong together and are whole; usearch and faiss then search
        the file where it lies. The index is remembered, as by `build_index`.

        Raises:
            MissingFile: nothing is there, or it may not be read.
            BadFile: truncated, damaged, no index, or one of other vectors.
            MissingExtra: its library is not installed.
        """
        limit = cores(threads)
        facts, payload = read_index(path, limit)
        if (facts.words, facts.vector_size) != self.rows.shape:
            raise BadFile(
                f"{path} is an index of {facts.words} vectors of {facts.vector_size} numbers, these are {len(self)} of "
                f"{self.vector_size}; {ANEW}"
            )
        if facts.rows != digest_of_rows(self.rows, limit):
            raise BadFile(f"{path} is an index of other vectors than these, or of these before they changed; {ANEW}")
        return self._remembered(graph_of(facts, payload, path), facts, facts.recall)

    # ---- their parts ----------------------------------------------------------------------------

    @cached_property
    def _indexes(self) -> dict[str, VectorIndex]:
        """The indexes of these vectors, by kind."""
        return {}

    def _remembered(self, graph: Graph, facts: Facts, recall: float) -> VectorIndex:
        made = VectorIndex(self._search, self._words, graph, Facts(**{**vars(facts), "recall": recall}))
        self._indexes[facts.kind] = made
        return made

    def _index_asked(self, index: VectorIndex | str | None, restrict: object) -> VectorIndex | None:
        """The index that a query names, None for exact search; `BadOption` where it cannot answer."""
        if index is None:
            return None
        if isinstance(index, str):
            if index not in GRAPHS:
                raise BadOption(f"index must be one of {', '.join(GRAPHS)}, or what build_index gave; got {index!r}")
            if index not in self._indexes:
                raise BadOption(f"these vectors have no index of kind {index}; make one: build_index({index!r})")
            index = self._indexes[index]
        if not isinstance(index, VectorIndex):
            raise BadOption(f"index must be one of {', '.join(GRAPHS)}, or what build_index gave; got {index!r}")
        if not index.belongs_to(self._search):
            raise BadOption("the index is of other vectors than these; make one of these with build_index")
        if restrict is not None:
            raise BadOption(
                "an index finds the nearest of all words, so restrict does not go with it; leave index out, or index "
                "those words alone: sliced(...) or selected(...), then build_index"
            )
        return index


def beside(path: AnyPath, kind: str) -> Path:
    """Where the index of a file of vectors is looked for: model.usearch beside model.safetensors."""
    if kind not in GRAPHS:
        raise BadOption(f"index must be one of {', '.join(GRAPHS)}; got {kind!r}")
    place = Path(path) if Path(path).name else Path(path).resolve()  # the current folder, a model's, has a name, too
    return place.with_suffix(f".{kind}")


def open_beside(vectors: Indexed, path: AnyPath, kind: str, threads: int | None) -> None:
    """Open the index that stands beside a file of vectors; `MissingFile` with the remedy where there is none."""
    place = beside(path, kind)
    if not place.exists():
        raise MissingFile(f"{path} has no index at {place}; make one: firth index {path} --kind {kind}")
    vectors.open_index(place, threads=threads)


def _units(numbers: Matrix, norms: Vector) -> Matrix:
    """Rows (n, D) at length 1; zero stays zero."""
    return (numbers / np.maximum(norms, SMALLEST)[:, None]).astype(np.float32, copy=False)
