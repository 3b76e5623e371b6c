"""One model turned onto another, so that their vectors can be compared (Hamilton et al. 2016).

Two models trained apart have no axes in common: each may be turned as a whole without any change in what it says.
Orthogonal Procrustes finds the turn that brings pairs of words closest (Schönemann 1966).

Shapes: n pairs, D dimensions.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from firth.errors import BadOption
from firth.options import whole
from firth.stored.base import steps
from firth.transforms.components import at_unit_length
from firth.vectors import WordVectors, word_vectors

Reals: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class Moved:
    """A word, what it is paired with, 1 less the cosine of the two after alignment, and both counts, if known."""

    word: str
    onto: str
    distance: float
    count: int | None
    onto_count: int | None


@dataclass(frozen=True, eq=False)
class Alignment:
    """What `align` found.

    Attributes:
        vectors: the first model's words, turned onto the second.
        onto: the second model, as it was given.
        rotation: the orthogonal matrix W, float64 (D, D); the turned vector of v is v W.
        rows: the rows of the n pairs in both, int64 (n, 2).
    """

    vectors: WordVectors
    onto: WordVectors
    rotation: Reals
    rows: Rows

    @property
    def distances(self) -> Reals:
        """1 less the cosine of each pair after alignment, float64 (n,), from 0 to 2; 1 where a vector is zero."""
        found = np.empty(len(self.rows))
        for part in steps(0, len(found), self.vectors.vector_size):
            first, second = (
                _unit(model, self.rows[part, side]) for side, model in enumerate((self.vectors, self.onto))
            )
            found[part] = 1 - np.clip(np.einsum("ij,ij->i", first, second), -1, 1)
        return found

    def moved(self, topn: int = 10, *, min_count: int = 0) -> list[Moved]:
        """The `topn` pairs farthest apart after alignment, the farthest first, equal ones in the order of the pairs.

        The vectors of rare words are mostly chance, and chance moves far: `min_count` leaves out pairs of which either
        word occurs less often. Two models of one text, trained from two seeds, tell how far chance alone moves words.

        Raises `BadOption` for numbers below 0, and for `min_count` where a model has no counts.
        """
        topn, min_count = whole("topn", topn, at_least=0), whole("min_count", min_count, at_least=0)
        counts = [model.counts for model in (self.vectors, self.onto)]
        distances, stays = self.distances, np.arange(len(self.rows))
        for side, known in enumerate(counts):
            if min_count and known is None:
                which = ("first", "second")[side]
                raise BadOption(f"min_count needs counts, and the {which} model came without; leave min_count out")
            if min_count and known is not None:
                stays = stays[known[self.rows[stays, side]] >= min_count]
        best = stays[np.argsort(-distances[stays], kind="stable")[:topn]]
        return [self._moved(pair, distances[pair]) for pair in best.tolist()]

    def _moved(self, pair: int, distance: float) -> Moved:
        words, counts = [], []
        for row, model in zip(self.rows[pair].tolist(), (self.vectors, self.onto), strict=True):
            words.append(model.words[row])
            counts.append(None if model.counts is None else int(model.counts[row]))
        return Moved(words[0], words[1], float(distance), counts[0], counts[1])


def align(
    vectors: WordVectors, onto: WordVectors, pairs: Iterable[tuple[str, str]] | None = None, *, unit: bool = True
) -> Alignment:
    """Turn `vectors` as a whole so that they come closest to `onto`, whose axes they then share.

    With X and Y, (n, D), the vectors of both words of each pair, that is by the orthogonal W for which ‖X W - Y‖² is
    least: W = U Vᵀ, of the singular value decomposition U S Vᵀ of Xᵀ Y. Lengths and cosines within the model stay.
    N-grams, which would need the same turn, are left out.

    Args:
        vectors: the model to turn, D numbers to a vector.
        onto: the model that stays, of the same D.
        pairs: words of the first and of the second model that mean the same; if not given, each word that both have
            with itself. Those that either model lacks are passed over.
        unit: find W by vectors at unit length, so that long ones do not count for more.

    Warns where the pairs are fewer than D: they leave a part of the turn open.

    Raises `BadOption` for models of different size, no word in common, or pairs that are none, and `BadFile` for
    vectors that are not finite.
    """
    vectors, onto = word_vectors(vectors), word_vectors(onto)
    D = vectors.vector_size
    if onto.vector_size != D:
        raise BadOption(
            f"models to align must have vectors of one size, got {D} and {onto.vector_size}: no turn makes one of the "
            "other; train both with the same vector_size"
        )
    assert vectors.norms is not None
    assert onto.norms is not None  # measured, and so finite
    rows = _rows(vectors, onto, pairs)
    if len(rows) < D:
        warnings.warn(
            f"{len(rows):,} pairs of words are fewer than the {D} numbers of a vector, which leaves a part of the turn "
            "open; give more pairs, or train smaller vectors",
            stacklevel=2,
        )
    products = np.zeros((D, D))
    for part in steps(0, len(rows), D):
        first, second = (
            _unit(model, rows[part, side]) if unit else model.rows.decoded(rows[part, side]).astype(np.float64)
            for side, model in enumerate((vectors, onto))
        )
        products += first.T @ second
    left, _, right = np.linalg.svd(products)
    rotation: Reals = left @ right
    matrix = np.empty((len(vectors), D), np.float32)
    for part in steps(0, len(vectors), D):
        matrix[part] = vectors.rows.decoded(part) @ rotation
    return Alignment(WordVectors(vectors.words, matrix, vectors.counts, check=False), onto, rotation, rows)


def _rows(vectors: WordVectors, onto: WordVectors, pairs: Iterable[tuple[str, str]] | None) -> Rows:
    """The rows of each pair that both models know, int64 (n, 2)."""
    if pairs is None:
        listed = [(word, word) for word in vectors.words]
        among = "words in common"
        remedy = "check case and how words were cut, or give pairs"
    else:
        listed = [_pair(each) for each in pairs]
        among = f"known words in any of {len(listed):,} pairs"
        remedy = "check case, encoding and the order: first the word of the model that is turned"
    known = [(vectors.index(a), onto.index(b)) for a, b in listed if a in vectors and b in onto]
    if not known:
        raise BadOption(f"the models have no {among}; {remedy}")
    return np.array(known, np.int64)


def _pair(given: object) -> tuple[str, str]:
    if isinstance(given, (tuple, list)) and len(given) == 2 and all(isinstance(word, str) for word in given):
        return given[0], given[1]
    raise BadOption(f"pairs must be of two words each, got {given!r}; give a list of (word, word)")


def _unit(model: WordVectors, rows: Rows) -> Reals:
    return at_unit_length(model.rows.decoded(rows).astype(np.float64))
