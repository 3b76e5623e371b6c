"""Which words of a set a model knows, by the rules that were asked for.

A word is known if it has a row. Those that n-grams alone could give a vector are not: what is asked and what is
answered are rows, and models with and without n-grams are compared on the same words.
"""

from __future__ import annotations

from functools import cached_property
from itertools import repeat
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from firth.nearest import SMALLEST
from firth.options import EvaluationOptions
from firth.vectors import word_vectors
from firth.vectors.lookup import LEAST_NORM

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from firth.vectors import WordVectors

Rows: TypeAlias = NDArray[np.int64]

UNKNOWN = -1
LONGEST = 1e15  # of vectors whose products are within float32


class KnownWords:
    """The words of `vectors` as the options let them be known.

    `count` is the number of rows that may be asked for or answered: the first of them, or, where models are compared
    on what they have in common, `vectors` were cut to that before.
    """

    def __init__(self, vectors: WordVectors, options: EvaluationOptions) -> None:
        self.vectors, self.options = word_vectors(vectors), options
        self.count = min(options.restrict or len(vectors), len(vectors))
        self._fold, self._lower = options.case == "fold", options.case == "lower"
        self._rows = self._folded if self._fold else vectors._index

    def row(self, word: str) -> int:
        """The row of a word, or UNKNOWN."""
        row = self._rows.get(fold(word) if self._fold else word)
        if row is None and self._lower:
            row = self._rows.get(word.lower())
        return UNKNOWN if row is None or row >= self.count else row

    def rows(self, words: Iterable[str]) -> Rows:
        """The rows of words, int64 (n,), UNKNOWN where there is none."""
        given = [fold(word) for word in words] if self._fold else list(words)
        rows = np.fromiter(map(self._rows.get, given, repeat(UNKNOWN)), np.int64, len(given))
        if self._lower:
            for place in np.flatnonzero(rows == UNKNOWN).tolist():
                rows[place] = self._rows.get(given[place].lower(), UNKNOWN)
        rows[rows >= self.count] = UNKNOWN
        return rows

    # ---- words that are one ---------------------------------------------------------------------

    @cached_property
    def _folded(self) -> dict[str, int]:
        """Of words that differ in case alone, the first row, which is that of the most frequent."""
        found: dict[str, int] = {}
        for row, word in enumerate(self.vectors.words[: self.count]):
            found.setdefault(fold(word), row)
        return found

    def first_alike(self, row: int) -> int:
        """The row that stands for all words that are one with this row's: itself, unless case is folded."""
        return self._folded[fold(self.vectors.words[row])] if self.options.case == "fold" else row

    @cached_property
    def _others(self) -> dict[int, list[int]]:
        """The further rows of words that differ from a first one in case alone, by its row."""
        found: dict[int, list[int]] = {}
        if self.options.case == "fold":
            for row, word in enumerate(self.vectors.words[: self.count]):
                first = self._folded[fold(word)]
                if first != row:
                    found.setdefault(first, []).append(row)
        return found

    def with_others(self, rows: Rows) -> Rows:
        """Rows (n, m) of first words, followed by all rows that are one with them: (n, m + k), filled up with -1."""
        if not self._others:
            return rows
        others = [[other for row in some for other in self._others.get(row, ())] for some in rows.tolist()]
        found = np.full((len(rows), rows.shape[1] + max(map(len, others), default=0)), -1, np.int64)
        found[:, : rows.shape[1]] = rows
        for place, each in enumerate(others):
            found[place, rows.shape[1] : rows.shape[1] + len(each)] = each
        return found

    # ---- their vectors --------------------------------------------------------------------------

    def units(self, rows: Sequence[int] | Rows) -> NDArray[np.float64]:
        """The vectors of rows at unit length, float64 (n, D); zero vectors stay zero."""
        some = np.asarray(rows, np.int64)
        found, lengths = self.vectors.rows.decoded(some).astype(np.float64), self.vectors.norms[some, None]
        if (lengths < LEAST_NORM).any():  # float32 has too few digits for such lengths, or the vector is zero
            found /= np.maximum(np.abs(found).max(axis=1, initial=0, keepdims=True), SMALLEST)
            lengths = np.linalg.norm(found, axis=1, keepdims=True)
        return found / np.where(lengths == 0, 1, lengths)

    def cosines(self, first: Rows, second: Rows) -> NDArray[np.float64]:
        """The cosine of each row of `first` with that of `second`, both (n,); 0 where one is a zero vector."""
        norms, decoded = self.vectors.norms, self.vectors.rows.decoded
        lengths = norms[first], norms[second]
        if all(((each > 1 / LONGEST) & (each < LONGEST)).all() for each in lengths):
            # Their products are no trouble for float32.
            products = np.einsum("nd,nd->n", decoded(first), decoded(second))
            found: NDArray[np.float64] = products.astype(np.float64) / lengths[0] / lengths[1]
        else:
            found = np.einsum("nd,nd->n", self.units(first), self.units(second))
        return found

    def remarks(self, rows: Sequence[int] | Rows) -> tuple[str, ...]:
        """What is to be said of the words at these rows: how many have zero vectors."""
        asked = np.asarray(rows, np.int64)
        asked = asked[asked != UNKNOWN]
        zero = len(np.unique(asked[self.vectors.norms[asked] == 0]))
        if not zero:
            return ()
        return (f"{zero} word{'s have' if zero > 1 else ' has'} a zero vector, whose cosine to anything is taken as 0",)


def fold(word: str) -> str:
    """A word without regard to case, as gensim has it."""
    return word.upper()
