"""Character n-grams: which a word has, which rows of a matrix are theirs, and vectors made of them.

As in fastText (Bojanowski et al. 2017, "Enriching Word Vectors with Subword Information"): the vector of a word is the
mean of a row of its own and the rows of its n-grams; that of a word never seen, of its n-grams alone. N-grams are
hashed into buckets. Unlike there, only buckets that some word of the vocabulary falls into have a row: those of the
others would keep their random start for ever, which is noise in the vectors of unseen words, and most of the memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

END_OF_SENTENCE = b"</s>"  # fastText's mark of the end of a line, which has no n-grams
LONGEST_GRAM = 64  # characters; fastText's own choice is 6
MOST_BUCKETS = 2**31 - 1
ROWS_EACH = 4096  # words whose vectors are made at once, so that what is made on the way costs a few megabytes


@dataclass(frozen=True)
class NGrams:
    """Which n-grams of a word count, in characters, and how many buckets they are hashed into; 0 for none."""

    shortest: int
    longest: int
    buckets: int


@dataclass(frozen=True, eq=False)
class GramTable:
    """The n-grams of V words, which share U rows.

    offsets, rows: int64 (V + 1,) and int32; rows[offsets[w]:offsets[w + 1]] are the rows of word w's n-grams, one that
    stands twice in a word twice, and then the second time behind all that differ.
    distinct: int64 (V,), how many differ.
    buckets: int64 (U,), the bucket that each row is of, the most frequent first.
    """

    kind: NGrams
    offsets: Ints
    rows: npt.NDArray[np.int32]
    distinct: Ints
    buckets: Ints

    def __len__(self) -> int:
        return len(self.buckets)


def gram_table(words: Sequence[str], counts: Ints, kind: NGrams) -> GramTable:
    """The n-grams of V words that stand so often (int64 (V,)) in the text."""
    from firth.ngram_kernels import add_uses, number_grams  # compiled code is loaded where it is used

    offsets, buckets = buckets_of([word.encode() for word in words], kind)
    uses = np.zeros(kind.buckets, np.int64)
    add_uses(offsets, buckets, np.maximum(counts, 1), uses)
    used = np.flatnonzero(uses)
    used = used[np.argsort(-uses[used], kind="stable")]
    row_of = np.empty(kind.buckets, np.int32)
    row_of[used] = np.arange(len(used), dtype=np.int32)
    rows, distinct = np.empty(len(buckets), np.int32), np.empty(len(words), np.int64)
    number_grams(offsets, buckets, row_of, np.full(len(used), -1, np.int64), rows, distinct)
    return GramTable(kind, offsets, rows, distinct, used)


def rows_among(buckets: Ints, wanted: Ints) -> npt.NDArray[np.int32]:
    """The place of each of `wanted` among `buckets` (U,), int32, -1 where it is none of them."""
    order = np.argsort(buckets, kind="stable").astype(np.int32)
    return rows_among_sorted(order, buckets[order], wanted)


def rows_among_sorted(order: npt.NDArray[np.int32], ordered: Ints, wanted: Ints) -> npt.NDArray[np.int32]:
    """The same where the buckets are sorted already: `ordered`, which stood in the places `order`."""
    if not len(ordered):
        return np.full(len(wanted), -1, np.int32)
    places = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
    return np.where(ordered[places] == wanted, order[places], np.int32(-1))


def buckets_of(words: Sequence[bytes], kind: NGrams) -> tuple[Ints, Ints]:
    """The buckets of all n-grams of some words, in UTF-8, one word after another, and where each word's begin.

    The first is int64 (words + 1,).
    """
    from firth.ngram_kernels import count_grams, list_grams  # compiled code is loaded where it is used

    whole = [word == END_OF_SENTENCE for word in words]
    letters = np.frombuffer(b"".join(b"<%b>" % word for word in words), np.uint8)
    ends = np.zeros(len(words) + 1, np.int64)
    np.cumsum(np.fromiter((len(word) + 2 for word in words), np.int64, len(words)), out=ends[1:])
    starts, counts = np.zeros(len(words) + 1, np.int64), np.zeros(len(words), np.int64)
    if kind.buckets:
        count_grams(letters, ends, kind.shortest, kind.longest, counts)
    np.cumsum(counts, out=starts[1:])
    found = np.empty(starts[-1], np.int64)
    if kind.buckets:
        list_grams(letters, ends, kind.buckets, kind.shortest, kind.longest, starts, found)
    if any(whole):
        kept = np.repeat(~np.array(whole), counts)
        counts[whole] = 0
        np.cumsum(counts, out=starts[1:])
        found = found[kept]
    return starts, found


def whole_vectors(own: Floats, gram_rows: Floats, table: GramTable, threads: int = 1) -> Floats:
    """The vectors of all words, float32 (V, D): the means of the words' own rows (V, D) and their n-grams' (U, D)."""
    from firth.ngram_kernels import means

    out = np.empty(own.shape, np.float32)

    def fill(first: int) -> None:
        rows = slice(first, first + ROWS_EACH)
        numbers = np.arange(first, first + len(out[rows]))
        counts = np.empty(len(numbers), np.int64)
        starts = table.offsets[first : first + len(numbers) + 1]
        means(numbers, own, starts, table.rows, gram_rows, out[rows], counts)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(fill, range(0, len(out), ROWS_EACH)))
    return out
