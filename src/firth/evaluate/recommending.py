"""What predicts the next item of a session: a model's vectors, and the baselines that they are to beat.

Shapes: V items, D dimensions, B sessions, as a sparse matrix (B, V) that says how often each item stands in each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from firth.errors import BadOption
from firth.evaluate.sessions import Sessions
from firth.huffman import Tree
from firth.likelihood import log_probabilities
from firth.vectors import WordVectors
from firth.weights import Floats
from firth.word2vec import Word2Vec

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Scores: TypeAlias = NDArray[Any]  # float32 or float64


class Recommender(Protocol):
    """What gives every item a score, higher for what is likelier to come next."""

    @property
    def items(self) -> Sequence[str]:
        """The V items that it knows."""

    @property
    def vector_size(self) -> int | None:
        """Numbers in a vector, None where there are none."""

    def scores(self, sessions: csr_array) -> Scores:
        """The score of each item after each of B sessions, none of them empty: (B, V), which may be written to."""


def recommender_for(model: Word2Vec | WordVectors, scores: Literal["predict", "similar"]) -> Recommender:
    """What predicts by a model's vectors; `scores` as in `NextItemOptions`.

    Raises `BadOption` where predicting takes an output matrix and there is none.
    """
    if scores == "similar":
        return BySimilarity(model.vectors if isinstance(model, Word2Vec) else model)
    if isinstance(model, Word2Vec):
        return ByPrediction(model)
    raise BadOption(
        "scores 'predict' needs the output matrix of a Word2Vec model, got vectors alone; open the model with "
        "Word2Vec.load, or take scores='similar'"
    )


class ByPrediction:
    """The model's own direction: p(item | x) as in `firth.likelihood`, x being the mean of the input vectors."""

    def __init__(self, model: Word2Vec) -> None:
        self.items: Sequence[str] = model.vocabulary.words
        self.vector_size: int | None = model.options.vector_size
        self._input, self._output = model.vectors.matrix, model.weights.output
        self._tree: Tree | None = model._tree

    def scores(self, sessions: csr_array) -> Scores:
        """Log p where the loss is hierarchical softmax, else x · y, which ranks as p does."""
        x: Floats = np.asarray(means(sessions, self._input), np.float32)
        if self._tree is not None:
            return log_probabilities(x, self._output, self._tree)
        return np.asarray(x @ self._output.T)


class BySimilarity:
    """Cosines with the mean of the input vectors at unit length, as `WordVectors.most_similar` has them."""

    def __init__(self, vectors: WordVectors) -> None:
        self.items: Sequence[str] = vectors.words
        self.vector_size: int | None = vectors.vector_size
        self._units = vectors.normalized().matrix

    def scores(self, sessions: csr_array) -> Scores:
        """Products of the mean with rows at unit length: its own length changes no order."""
        x: Floats = np.asarray(means(sessions, self._units), np.float32)
        return np.asarray(x @ self._units.T)


@dataclass(frozen=True, eq=False)
class Popularity:
    """The same for every session: items by how often they stand in those that were trained on."""

    items: Sequence[str]
    counts: Scores
    vector_size: int | None = None

    @classmethod
    def of(cls, sessions: Sessions) -> Popularity:
        """Counted in sessions."""
        return cls(sessions.items.to_pylist(), sessions.counts.astype(np.float64))

    def scores(self, sessions: csr_array) -> Scores:
        """The counts."""
        return np.tile(self.counts, (sessions.shape[0], 1))


@dataclass(frozen=True, eq=False)
class CoOccurrence:
    """Item-to-item neighbours: the sum, over a session's items i, of how often an item j stands together with i.

    Counts are brought to cosines, as in item-based nearest neighbours (Sarwar et al. 2001; Deshpande & Karypis 2004):

        similarity(i, j) = together(i, j) / √(count(i) · count(j)),   0 for i = j

    By sessions, together(i, j) is the number of those that hold both, and count(i) of those that hold i; with
    `together`, it is the number of times that they stand no farther apart, and count(i) how often i stands anywhere.
    """

    items: Sequence[str]
    similarities: csr_array
    vector_size: int | None = None

    @classmethod
    def of(cls, sessions: Sessions, together: int | Literal["all"] = "all") -> CoOccurrence:
        """Counted in sessions."""
        from scipy.sparse import csr_array, diags_array, triu  # takes a tenth of a second to load

        V = len(sessions.items)
        if together == "all":
            held = csr_array((np.ones(len(sessions.tokens)), (sessions.of_token, sessions.tokens)), (len(sessions), V))
            held.data[:] = 1  # twice in a session counts once
            found, counts = held.T @ held, held.sum(axis=0)
        else:
            found, counts = _within(sessions, together), sessions.counts
        above = triu(found, 1)
        scale = diags_array(1 / np.sqrt(np.maximum(counts, 1)), shape=(V, V))
        return cls(sessions.items.to_pylist(), (scale @ (above + above.T) @ scale).tocsr())

    def scores(self, sessions: csr_array) -> Scores:
        """Sums of similarities."""
        return np.asarray((sessions @ self.similarities).toarray())


def _within(sessions: Sessions, distance: int) -> csr_array:
    """How often items stand in one session and no more than `distance` apart: (V, V), both ways."""
    from scipy.sparse import csr_array

    V, owners = len(sessions.items), sessions.of_token
    found = csr_array((V, V))
    for apart in range(1, min(distance, int(np.diff(sessions.offsets).max())) + 1):
        same = owners[apart:] == owners[:-apart]
        pair = sessions.tokens[:-apart][same], sessions.tokens[apart:][same]
        found += csr_array((np.ones(len(pair[0])), pair), shape=(V, V))
    return found + found.T


def means(sessions: csr_array, rows: Floats) -> Scores:
    """The mean of the rows (V, D) of each session's items: (B, D)."""
    return np.asarray((sessions @ rows) / sessions.sum(axis=1)[:, None])
