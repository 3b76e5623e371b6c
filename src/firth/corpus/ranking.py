"""The words of all lexicons in one order: by falling count, then by their bytes; compiled where there are many."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from firth.arrow import as_arrow, string_buffers
from firth.corpus.lexicon import FIRST_EIGHT, Lexicon
from firth.corpus.scan import ask_for, byte_at, eight_at, reversed_bytes
from firth.jit import compiled, inlined

Ints = npt.NDArray[np.int64]
Ranks = npt.NDArray[np.int32]

WORDS_AHEAD = 16  # whose bytes are asked for while one is copied
MOST_IN_KEY = (1 << 24) - 1  # counts above share a key


def ranked_words(lexicons: list[Lexicon]) -> tuple[pa.LargeStringArray, Ints, list[Ranks]]:
    """All words of all lexicons, most frequent first, equally frequent ones by their bytes.

    Gives the words, their counts (int64), and for each lexicon the rank of each of its words (int32). The first
    lexicon then holds all words.
    """
    first, *others = lexicons
    numbers = [np.arange(len(first), dtype=np.int32), *(first.absorb(other) for other in others)]
    starts, arena, counts = first.table.starts, first.table.arena, first.counts()
    order = _order(starts, arena, counts)
    ranks = np.empty(len(order), np.int32)
    ranks[order] = np.arange(len(order), dtype=np.int32)
    offsets = np.zeros(len(order) + 1, np.int64)
    np.cumsum(np.diff(starts[: len(order) + 1])[order], out=offsets[1:])
    data = np.empty(offsets[-1], np.uint8)
    _copy_words(starts, arena, order, offsets, data)
    words = pa.LargeStringArray.from_buffers(len(order), pa.py_buffer(offsets), pa.py_buffer(data))
    return words, counts[order], [ranks[each] for each in numbers]


def ranked_by_counts(words: pa.LargeStringArray, counts: Ints) -> tuple[pa.LargeStringArray, Ints, Ranks]:
    """The words that occur, and their counts, in the order of ranks; the rank of each of the words given, or -1."""
    occur = np.flatnonzero(counts)
    lexicon = Lexicon()
    lexicon.number(*string_buffers(words.take(as_arrow(occur))), counts[occur].astype(np.uint64))
    ranked, ranked_counts, (ranks,) = ranked_words([lexicon])
    of_all = np.full(len(words), -1, np.int32)
    of_all[occur] = ranks
    return ranked, ranked_counts, of_all


def _order(starts: Ints, arena: npt.NDArray[np.uint8], counts: Ints) -> Ints:
    """The words' numbers in the order of ranks.

    Keys made of the count and the first bytes settle most of it, and NumPy sorts them with vector instructions.
    """
    keys = np.empty(len(counts), np.uint64)
    _make_keys(starts, arena, counts, keys)
    order = np.argsort(keys)
    _settle(starts, arena, counts, keys, order, np.empty_like(order))
    return order


@compiled
def _make_keys(starts, arena, counts, keys):
    """24 bits that fall with the count, then the first 5 bytes; 0 for all whose count is too high for that."""
    at = np.int64(arena.ctypes.data)
    for word in range(len(keys)):
        if counts[word] > MOST_IN_KEY:
            keys[word] = 0
            continue
        size = min(starts[word + 1] - starts[word], 8)
        text = reversed_bytes(eight_at(at + starts[word]) & FIRST_EIGHT[size])
        rarity = np.uint64(MOST_IN_KEY + 1 - counts[word])
        keys[word] = (rarity << np.uint64(40)) | (text >> np.uint64(24))


@inlined
def _precedes(starts, arena, counts, a, b):
    """Whether word a ranks before word b, another."""
    if counts[a] != counts[b]:
        return counts[a] > counts[b]
    at = np.int64(arena.ctypes.data)
    size_a, size_b = starts[a + 1] - starts[a], starts[b + 1] - starts[b]
    for i in range(min(size_a, size_b)):
        byte_a, byte_b = byte_at(at + starts[a] + i), byte_at(at + starts[b] + i)
        if byte_a != byte_b:
            return byte_a < byte_b
    return size_a < size_b


@compiled
def _settle(starts, arena, counts, keys, order, scratch):
    """Sort what shares a key: words of one count that begin alike, and the most frequent. Merge sort, from below."""
    first = 0
    while first < len(order):
        last = first + 1
        while last < len(order) and keys[order[last]] == keys[order[first]]:
            last += 1
        width = 1
        while width < last - first:
            for left in range(first, last, 2 * width):
                middle, end = min(left + width, last), min(left + 2 * width, last)
                a, b = left, middle
                for into in range(left, end):
                    if b == end or (a < middle and _precedes(starts, arena, counts, order[a], order[b])):
                        scratch[into] = order[a]
                        a += 1
                    else:
                        scratch[into] = order[b]
                        b += 1
            for i in range(first, last):
                order[i] = scratch[i]
            width *= 2
        first = last


@compiled
def _copy_words(starts, arena, order, offsets, data):
    at = np.int64(arena.ctypes.data)
    for rank in range(len(order)):
        ask_for(at + starts[order[min(rank + WORDS_AHEAD, len(order) - 1)]])
        begin = starts[order[rank]]
        for i in range(offsets[rank + 1] - offsets[rank]):
            data[offsets[rank] + i] = arena[begin + i]


@compiled
def put_ranks(numbers, ranks):
    """Put the rank of each word in place of its number."""
    for i in range(len(numbers)):
        numbers[i] = ranks[numbers[i]]
