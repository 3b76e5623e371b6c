"""`SubwordVectors`: word vectors that give one to words never seen, from their character n-grams."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from firth.errors import BadFile, BadOption, UnknownWord
from firth.ngrams import GramTable, NGrams, buckets_of, rows_among_sorted, whole_vectors
from firth.stored import StoredRows
from firth.vectors.given import Matrix, Query, Vector
from firth.vectors.word_vectors import WordVectors

if TYPE_CHECKING:
    from firth.vocabulary import Vocabulary
    from firth.weights import Weights

Ints: TypeAlias = NDArray[np.int64]


class SubwordVectors(WordVectors):
    """Word vectors that also give one to words never seen, from their character n-grams.

    Queries by nearness, such as `most_similar`, `analogy` and `similarity`, may ask for such words. They have no row:
    `in` says no, and `[...]`, `index` and what counts ranks raise `UnknownWord`: `vector` gives theirs.

    `matrix` (V, D) holds whole vectors of the words; `gram_rows`, float32 (U, D), the rows of n-grams, which may be a
    memory map. `kind` says which n-grams count. `buckets`, int64 (U,), is the bucket that each row is of; if not given,
    every bucket has a row, in order. With `check=False`, buckets are taken to be sound.

    Other sets of words made of these keep the n-grams, and files of the formats `firth`, `hub` and `fasttext` hold
    them; `normalized`, what `firth.transforms` gives, and files of other formats do not.

    Raises what `WordVectors` raises, and `BadOption` for rows or buckets that do not fit.
    """

    _needs = "n-grams"
    _of_unknown = "; by its n-grams, vector(word) may give one"

    def __init__(
        self,
        words: Sequence[str],
        matrix: Matrix | StoredRows,
        counts: Ints | None = None,
        *,
        gram_rows: Matrix,
        kind: NGrams,
        buckets: Ints | None = None,
        check: bool = True,
    ) -> None:
        super().__init__(words, matrix, counts, check=check)
        if gram_rows.ndim != 2 or gram_rows.shape[1] != self.vector_size:
            raise BadOption(f"gram_rows must be rows of {self.vector_size} numbers, got the shape {gram_rows.shape}")
        if check and gram_rows.dtype != np.float32:
            raise BadOption(f"gram_rows must be float32, got {gram_rows.dtype}; convert them with astype")
        expected = kind.buckets if buckets is None else len(buckets)
        if len(gram_rows) != expected:
            raise BadOption(f"gram_rows must have a row for each of {expected} buckets, got {len(gram_rows)}")
        if check and buckets is not None and (wrong := wrong_buckets(buckets, kind)):
            raise BadOption(wrong)
        self.gram_rows, self.kind, self.buckets = gram_rows, kind, buckets

    def vector(self, word: str) -> Vector:
        """The vector of any word, float32 (D,): its own, or the mean of those of its n-grams that have one.

        Raises `UnknownWord` for an unseen word that has none: one too short, one whose n-grams stand in no word that
        was trained, or in a model without n-grams. `BadFile` where rows of its n-grams are not finite.
        """
        if word in self:
            return self[word]
        from firth.ngram_kernels import means  # compiled code is loaded where it is used

        starts, buckets = buckets_of([_spelled(word)], self.kind)
        rows = self.gram_rows_of(buckets)
        out, counts = np.empty((1, self.vector_size), np.float32), np.empty(1, np.int64)
        means(np.full(1, -1), out, starts, rows, self.gram_rows, out, counts)
        if not counts[0]:
            raise UnknownWord(f"no vector for the word {word!r}: it was not seen, and {self._why(rows)}; leave it out")
        found: Vector = out[0]
        if not np.isfinite(found).all():
            raise BadFile(f"n-grams of {word!r} have rows that are not finite numbers; train again at a lower rate")
        return found

    def gram_rows_of(self, buckets: Ints) -> NDArray[np.int32]:
        """Which of `gram_rows` each bucket has, int32 (n,), -1 for none."""
        if self.buckets is None:
            return buckets.astype(np.int32)
        return rows_among_sorted(*self._sorted, buckets)

    def gram_rows_between(self, first: int, last: int) -> Matrix:
        """The rows of the buckets from `first` to before `last`, float32 (n, D); zeros where one has none."""
        if self.buckets is None:
            return self.gram_rows[first:last]
        rows, sorted_buckets = self._sorted
        some = slice(*np.searchsorted(sorted_buckets, [first, last]))
        found = np.zeros((last - first, self.vector_size), np.float32)
        found[sorted_buckets[some] - first] = self.gram_rows[rows[some]]
        return found

    @cached_property
    def _sorted(self) -> tuple[NDArray[np.int32], Ints]:
        """The rows in the order of their buckets, and these buckets; buckets without a row take no memory."""
        assert self.buckets is not None
        rows = np.argsort(self.buckets, kind="stable").astype(np.int32)
        return rows, self.buckets[rows]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__getstate__().items() if name != "_sorted"}  # made at use

    def _made(self, words: Sequence[str], rows: StoredRows, counts: Ints | None, norms: Vector | None) -> WordVectors:
        parts: dict[str, Any] = {"gram_rows": self.gram_rows, "kind": self.kind, "buckets": self.buckets}
        made = SubwordVectors(words, rows, counts, **parts, check=False)
        made._adopt(norms)
        return made

    def _why(self, rows: NDArray[np.int32]) -> str:
        if not len(self.gram_rows):
            return "the model has no n-grams"
        if not len(rows):
            return f"it has no n-gram of {self.kind.shortest} to {self.kind.longest} characters"
        return "none of its n-grams stands in a word that was"

    def _row(self, query: Query) -> int:
        return super()._row(query) if not isinstance(query, str) or query in self else -1

    def _vector(self, query: Query) -> Vector:
        return super()._vector(query) if not isinstance(query, str) or query in self else self.vector(query)


def vectors_of(vocabulary: Vocabulary, weights: Weights, grams: GramTable | None, threads: int = 1) -> WordVectors:
    """The vectors that weights stand for: their input rows, or where words have n-grams what is made of both."""
    if grams is None or weights.grams is None:
        return WordVectors(vocabulary.words, weights.input, vocabulary.counts)
    matrix = whole_vectors(weights.input, weights.grams, grams, threads)
    return SubwordVectors(
        vocabulary.words, matrix, vocabulary.counts, gram_rows=weights.grams, kind=grams.kind, buckets=grams.buckets
    )


def wrong_buckets(buckets: Ints, kind: NGrams) -> str:
    """What is wrong with the buckets that rows of n-grams are of, or nothing."""
    if not len(buckets):
        return ""
    if not 0 <= buckets.min() <= buckets.max() < kind.buckets:
        return f"buckets must be from 0 to {kind.buckets - 1}, got {buckets.min()} to {buckets.max()}"
    if (np.diff(buckets) > 0).all():
        return ""
    ordered = np.sort(buckets)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    return f"buckets must stand once, got {twice[0]} twice" if len(twice) else ""


def _spelled(word: str) -> bytes:
    """The word in UTF-8; bytes that `surrogateescape` kept when it was read stand again as they were."""
    try:
        return word.encode("utf-8", "surrogateescape")
    except (AttributeError, UnicodeEncodeError) as error:
        raise BadOption(f"a word must be a string that UTF-8 can hold, got {word!r}; give one") from error
