"""Other sets of words made from these: words added, replaced, removed, chosen, renamed, merged, stored otherwise.

`WordVectors` never change: each method gives new ones. What the two have in common is shared where it lies together
(a prefix, all rows under other names) and copied where it does not; lengths already measured are taken along.

`SubwordVectors` give such again: rows of n-grams stay as they are, shared, whatever becomes of the words, so that words
without a row, also removed ones, have vectors by these. `normalized` alone leaves them out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from firth.errors import BadOption
from firth.nearest import SMALLEST
from firth.options import whole
from firth.stored import Bits, Floats, Products, StoredRows, stored_kind
from firth.stored.base import Some
from firth.vectors.comparing import Compared
from firth.vectors.given import Matrix, Vector, several
from firth.vectors.index import index_of
from firth.vectors.search import Sketch, numbers_of

if TYPE_CHECKING:
    from firth.vectors import WordVectors

Counts = NDArray[np.int64]


class Edited(Compared):
    """Makes other `WordVectors` of these. Words keep their order, and new ones come last, whatever their counts."""

    def added(self, words: Sequence[str], matrix: Matrix, counts: Counts | None = None) -> WordVectors:
        """These words and then n others with their vectors, (n, D); where these have counts, the others need theirs.

        Vectors are stored as these are. All are copied: add many at once.

        Raises `BadOption` for a word that has a vector already (see `replaced`), sizes that do not agree, or counts
        that are not given for all.
        """
        words = several("words", words)
        standing = next((word for word in words if word in self), None)
        if standing is not None:
            raise BadOption(f"{standing!r} has a vector already; leave it out, or give it to replaced()")
        if (counts is None) != (self._counts is None):
            which = "need counts, too: these have them" if counts is None else "must come without: these have none"
            raise BadOption(f"the words to add {which}")
        return self._followed_by(self._others(words, matrix, counts))

    def replaced(self, words: Sequence[str], matrix: Matrix) -> WordVectors:
        """The same words, n of them with other vectors, (n, D), stored as these are; all rows are copied.

        Raises `UnknownWord` for a word that has no vector (see `added`), `BadOption` for sizes that do not agree.
        """
        rows = self._rows_of(several("words", words))
        others = self._others(words, matrix, None)
        order = np.arange(len(self))
        order[rows] = len(self) + np.arange(len(rows))
        known = self._search.known_norms
        norms = None if known is None else np.concatenate([known, others.norms])[order]
        return self._made(self._words, self._joined(others).taken(order), self._counts, norms)

    def removed(self, words: Iterable[str]) -> WordVectors:
        """All words but these, `UnknownWord` for one that is not there."""
        stays = np.ones(len(self), bool)
        stays[self._rows_of([words] if isinstance(words, str) else words)] = False
        return self._taken(np.flatnonzero(stays))

    def selected(self, words: Sequence[str]) -> WordVectors:
        """These words alone, in the order given; `UnknownWord` for one that is not there."""
        return self._taken(self._rows_of(several("words", words)))

    def sliced(self, start: int, stop: int | None = None) -> WordVectors:
        """The words of the rows from `start` to before `stop`, or the first `start`; rows share memory with these."""
        first, last, _ = slice(*((0, start) if stop is None else (start, stop))).indices(len(self))
        return self._taken(slice(first, max(first, last)))

    def pruned(
        self, *, most: int | None = None, min_count: int | None = None, words: Iterable[str] | None = None
    ) -> WordVectors:
        """The `most` frequent of the words that occur `min_count` times and are among `words`, in the order they have.

        Where counts are not known, the first are taken for the most frequent. Of `words`, unknown ones are passed over.

        Raises `BadOption` for numbers below 1, for `min_count` where there are no counts, and where no word is left.
        """
        stays = np.ones(len(self), bool)
        if min_count is not None:
            min_count = whole("min_count", min_count, at_least=1)
            if self._counts is None:
                raise BadOption("min_count needs counts, and these vectors came without; take most or words")
            stays &= self._counts >= min_count
        if words is not None:
            if isinstance(words, str):
                several("words", words)
            listed = np.zeros(len(self), bool)
            listed[[self._index[word] for word in words if word in self]] = True
            stays &= listed
        rows = np.flatnonzero(stays)
        if most is not None:
            most = whole("most", most, at_least=1)
            if self._counts is not None:
                rows = np.sort(rows[np.argsort(-self._counts[rows], kind="stable")[:most]])
            rows = rows[:most]
        if not len(rows):
            raise BadOption(f"no word of {len(self)} is left; lower min_count, or check the list of words")
        together = rows[-1] - rows[0] == len(rows) - 1
        return self._taken(slice(int(rows[0]), int(rows[-1]) + 1) if together else rows)

    def renamed(self, names: Mapping[str, str]) -> WordVectors:
        """The same vectors under other names, {old: new}; two words may change places.

        Raises `UnknownWord` for an old name that is not there, `BadOption` for a name that would stand twice.
        """
        words = list(self._words)
        for old, new in names.items():
            words[self.index(old)] = new
        index_of(words)  # says so where one stands twice
        return self._made(words, self.rows, self._counts, self._search.known_norms)

    def merged(self, other: Compared, *, prefer: Literal["first", "second", "mean"] = "first") -> WordVectors:
        """The words of both, these first, stored as these are; counts are added up, if both have them.

        Of words in both, `prefer` takes the vector of the first, of the second, or the mean of the two. Two models
        trained apart have no axes in common: merge what was trained or aligned together. N-grams are of the first.

        Raises `BadOption` for vectors of other sizes, or an unknown `prefer`.
        """
        if prefer not in ("first", "second", "mean"):
            raise BadOption(f"prefer must be one of first, second, mean; got {prefer!r}")
        if other.vector_size != self.vector_size:
            raise BadOption(f"vectors to merge must be of one size, got {self.vector_size} and {other.vector_size}")
        both = [word for word in other.words if word in self]
        news = [word for word in other.words if word not in self]
        base = self
        if both and prefer != "first":
            vectors = other[both]
            if prefer == "mean":
                vectors += self[both]
                vectors /= 2
            base = self.replaced(both, vectors)
        counts = None
        if self._counts is not None and other.counts is not None:
            counts = self._counts.copy()
            counts[self._rows_of(both)] += other.counts[other._rows_of(both)]
        with_counts = self._made(self._words, base.rows, counts, base._search.known_norms)
        if not news:
            return with_counts
        rows = other._rows_of(news)
        theirs = None if counts is None or other.counts is None else other.counts[rows]
        return with_counts._followed_by(self._others(news, other.rows.decoded(rows), theirs))

    def sorted_by_count(self) -> WordVectors:
        """The same words, the most frequent first, equal ones as they stand; `BadOption` where there are no counts."""
        if self._counts is None:
            raise BadOption("sorting by count needs counts, and these vectors came without")
        return self._taken(np.argsort(-self._counts, kind="stable"))

    def normalized(self) -> WordVectors:
        """The same words with vectors at unit length, float32; zero stays zero.

        Without n-grams: what words never seen have by these is of other lengths.
        """
        matrix = (self.matrix / np.maximum(self.norms, SMALLEST)[:, None]).astype(np.float32, copy=False)
        return _plain(self._words, Floats(matrix), self._counts, None)

    def astype(self, dtype: str, *, rescore: int = 0, parts: int | None = None) -> WordVectors:
        """The same words with vectors stored as `dtype`: float32, float16, int8, binary or pq.

        int8 has a scale for each row, binary keeps signs, pq is product quantisation: each vector is cut into `parts`
        (⌈D / 2⌉ if not given), and each part becomes a byte, so that a vector takes parts + 4 bytes. Making pq takes
        faiss: pip install 'firth[ann]'.

        Whatever is asked of them is answered as of the numbers that are stored then. From narrow numbers to wider
        ones, none comes back that was lost.

        With `rescore` (binary and pq), these rows are kept as well, in their file if that is where they are: a search
        reads all bits or bytes, and then the `rescore` · topn best rows, by whose numbers it answers. All else is asked
        of these rows, too.

        Raises `BadOption` for another dtype, numbers beyond the range of float16, `rescore` or `parts` with another
        dtype, or parts that are not 1 to D; `MissingExtra` without faiss.
        """
        kind = stored_kind(dtype)
        if rescore and dtype not in (Bits.dtype, Products.dtype):
            raise BadOption(
                f"rescore chooses by few bytes, so it needs dtype binary or pq, got {dtype!r}; leave it out"
            )
        if parts is not None and dtype != Products.dtype:
            raise BadOption(f"parts are those of dtype pq, got {dtype!r}; leave them out")
        if self.dtype == dtype and self._search.sketch is None and parts is None:
            return self._made(self._words, self.rows, self._counts, self._search.known_norms)
        assert self.norms is not None  # finite numbers alone are encoded
        few = Products.encoded(self.rows, parts) if kind is Products else kind.encoded(self.rows)
        if not rescore:
            return self._made(self._words, few, self._counts, None)
        rescore = whole("rescore", rescore, at_least=1)
        made = self._made(self._words, self.rows, self._counts, self.norms)
        made._adopt(self.norms, Sketch(few, few.lengths(threads=1), rescore))
        return made

    # ---- their parts ----------------------------------------------------------------------------

    def _made(self, words: Sequence[str], rows: StoredRows, counts: Counts | None, norms: Vector | None) -> WordVectors:
        """Word vectors like these, of parts that are known to be sound; their lengths, if known."""
        return _plain(words, rows, counts, norms)

    def _taken(self, some: Some) -> WordVectors:
        numbers = numbers_of(some)
        words = self._words[some] if isinstance(some, slice) else [self._words[row] for row in numbers.tolist()]
        norms, counts = self._search.known_norms, self._counts
        return self._made(
            words,
            self.rows.taken(some),
            None if counts is None else counts[some],
            None if norms is None else norms[some],
        )

    def _others(self, words: Sequence[str], matrix: Any, counts: Counts | None) -> WordVectors:
        """Words to come together with these, checked and stored as these are."""
        from firth.vectors import WordVectors

        numbers = np.asarray(matrix)
        if numbers.ndim != 2 or numbers.shape[1] != self.vector_size:
            raise BadOption(f"vectors must be (n, {self.vector_size}) numbers, as these are, got shape {numbers.shape}")
        plain = WordVectors(words, numbers, counts)
        return _plain(plain.words, self.rows.alike(plain.rows), plain.counts, None)

    def _joined(self, other: Edited) -> StoredRows:
        return self.rows.joined(other.rows)

    def _followed_by(self, other: Edited) -> WordVectors:
        known = self._search.known_norms
        return self._made(
            (*self._words, *other._words),
            self._joined(other),
            None if self._counts is None or other._counts is None else np.concatenate([self._counts, other._counts]),
            None if known is None else np.concatenate([known, other.norms]),
        )


def _plain(words: Sequence[str], rows: StoredRows, counts: Counts | None, norms: Vector | None) -> WordVectors:
    """Word vectors of parts that are known to be sound; their lengths, if known."""
    from firth.vectors import WordVectors  # which is made of this class

    made = WordVectors(words, rows, counts, check=False)
    made._adopt(norms)
    return made
