"""Words met so far, each with a number and a count: a hash table over UTF-8 bytes, compiled.

One lexicon belongs to one thread, which numbers words in the order it meets them; `ranking.py` merges the lexicons of
all threads at the end. A slot is half a cache line and holds all that most words need to be found and counted: their
bytes themselves, up to 16 of them. Tokens go through in pieces of some hundred, in three steps: cut, hash and ask for
the slot's cache line, look up; so no step waits for memory, and no branch depends on a word's length.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from firth.corpus.scan import BLOCK, ask_for, byte_at, count_bits, eight_at, first_bit, in_ranges
from firth.errors import BadCorpus
from firth.jit import compiled, inlined

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Words64 = npt.NDArray[np.uint64]

PIECE = 256  # tokens from step to step: their slots stay in the first cache
MOST_WORDS = 2**30  # numbers are int32, and a block may bring some more before this is looked at
IN_SLOT = 16  # bytes of a word that its slot holds
SLACK = 16  # bytes that may be read beyond the arena's last
PAGE = 4096  # bytes: no system has smaller ones, and within one reading cannot fail
FEWEST_SLOTS = 1 << 17  # 4 MiB, of which the system gives what is touched; growing costs more
BITS = 64
NEW_LINE = 10

# Of a word of n bytes, the bits that count in its first and its second eight bytes.
FIRST_EIGHT = np.array([(1 << 8 * min(n, 8)) - 1 for n in range(IN_SLOT + 1)], np.uint64)
SECOND_EIGHT = np.array([(1 << 8 * max(n - 8, 0)) - 1 for n in range(IN_SLOT + 1)], np.uint64)
MIX, SPREAD = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)  # odd, with bits set all over
ONE, HALF, ALL = np.uint64(1), np.uint64(32), np.uint64(2**64 - 1)

KEY_0, KEY_1, WHICH, COUNT = 0, 1, 2, 3  # the columns of a slot


class Separators(NamedTuple):
    """What stands between tokens: bytes `first` to `first + width`, `other` to `other + other_width`.

    With `wide`, Unicode's white space beyond ASCII, too.
    """

    first: int
    width: int
    other: int
    other_width: int
    wide: bool


class Table(NamedTuple):
    """The hash table; word i's bytes are arena[starts[i]:starts[i + 1]].

    A slot (uint64 (S, 4), S a power of two) holds two keys, `length << 32 | number`, 0 where the slot is empty, and
    the word's count. The keys are the word's bytes, padded with zeros; of a word longer than IN_SLOT, its hash and
    its last eight bytes.
    """

    slots: Words64
    starts: Ints
    arena: Bytes
    used: Ints  # [0]: how many words


class Scratch(NamedTuple):
    """What passes from step to step: where tokens begin and end, in turn; their keys and slots (uint64 (n, 3))."""

    bounds: Ints
    keys: Words64


class Lexicon:
    """Numbers words as they are met, and counts them. At most one thread at a time may use it."""

    def __init__(self) -> None:
        self.table = _table(FEWEST_SLOTS)
        self._ids = np.empty(0, np.int32)
        self._scratch = Scratch(np.empty(2 * PIECE + BLOCK + 2, np.int64), np.empty((PIECE + BLOCK, 3), np.uint64))

    def __len__(self) -> int:
        return int(self.table.used[0])

    def split(self, data: Bytes, offsets: Ints, separators: Separators) -> tuple[npt.NDArray[np.int32], Ints]:
        """Cut each text data[offsets[i]:offsets[i + 1]] into tokens; give their numbers and how many each text has."""
        self._make_room(0, len(data))
        most = (len(data) + 1) // 2 + len(offsets)  # tokens: each takes two bytes, or ends a text
        if len(self._ids) < most:
            self._ids = np.empty(most, np.int32)
        ids = self._ids  # kept, as fresh memory costs more than what is written to it
        lengths = np.zeros(len(offsets) - 1, np.int64)
        place = np.array([0, offsets[0], 0], np.int64)  # text, byte, token: where to go on after growing
        while not _split(self.table, data, offsets, separators, self._scratch, ids, lengths, place):
            self._make_room(len(self), 0)
        self._refuse_too_many()
        return ids[: place[2]].copy(), lengths

    def number(self, data: Bytes, offsets: Ints, counts: Words64 | None = None) -> npt.NDArray[np.int32]:
        """The numbers of ready-made tokens, token i being data[offsets[i]:offsets[i + 1]], none of them empty.

        Each counts once, or as `counts` (uint64) says.
        """
        self._make_room(0, len(data))
        ids = np.empty(len(offsets) - 1, np.int32)
        counts = np.ones(len(ids), np.uint64) if counts is None else counts
        place = np.zeros(1, np.int64)
        while not _number(self.table, data, offsets, counts, self._scratch, ids, place):
            self._make_room(len(self), 0)
        self._refuse_too_many()
        return ids

    def absorb(self, other: Lexicon) -> npt.NDArray[np.int32]:
        """Add another lexicon's words and counts; give the number here of each of its words."""
        starts = other.table.starts[: len(other) + 1]
        return self.number(other.table.arena, starts, other.counts().view(np.uint64))

    def words(self) -> tuple[pa.LargeBinaryArray, Ints]:
        """All words in the order they were met, and their counts."""
        starts = self.table.starts[: len(self) + 1]
        buffers = [None, pa.py_buffer(starts), pa.py_buffer(self.table.arena)]
        return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(self), buffers), self.counts()

    def counts(self) -> Ints:
        """How often each word was met."""
        counts = np.empty(len(self), np.int64)
        _read_counts(self.table.slots, counts)
        return counts

    def _refuse_too_many(self) -> None:
        if len(self) > MOST_WORDS:
            raise BadCorpus(
                f"the corpus has more than {MOST_WORDS:,} different words, the most that fit; "
                "choose a tokenizer that gives fewer"
            )

    def _make_room(self, words: int, bytes_more: int) -> None:
        """Let the table hold `words` more words, of `bytes_more` bytes together."""
        used = len(self)
        filled, slots = int(self.table.starts[used]), len(self.table.slots)
        if filled + bytes_more > len(self.table.arena) - SLACK:
            arena = np.empty(2 * filled + bytes_more + SLACK, np.uint8)
            arena[:filled] = self.table.arena[:filled]
            self.table = self.table._replace(arena=arena)
        while _most_words(slots) < used + words + PIECE + BLOCK:
            slots *= 2
        if slots > len(self.table.slots):
            new = _table(slots)
            _rehash(self.table.slots, new.slots)
            new.starts[: used + 1], new.used[0] = self.table.starts[: used + 1], used
            self.table = new._replace(arena=self.table.arena)


def _table(slots: int) -> Table:
    starts = np.empty(_most_words(slots) + 1, np.int64)
    starts[0] = 0
    return Table(np.zeros((slots, 4), np.uint64), starts, np.empty(SLACK, np.uint8), used=np.zeros(1, np.int64))


def _most_words(slots: int) -> int:
    """How many words so many slots may hold: with more, searches grow long."""
    return slots * 5 // 8


def lines(data: Bytes) -> Ints:
    """Offsets of the lines in `data`, each with its line feed; there is at least one, and the last may lack it."""
    offsets = np.zeros(_count_feeds(data) + 2, np.int64)
    count = _find_feeds(data, offsets)
    if count == 1 or offsets[count - 1] < len(data):
        offsets[count] = len(data)
        count += 1
    return offsets[:count]


# ---- compiled: cutting -------------------------------------------------------------------------


@inlined
def _within(at, end):
    """A bit for each byte of the block of `at` that stands from `at` on and before `end`."""
    block = at & ~np.int64(BLOCK - 1)
    bits = ALL << np.uint64(at - block)
    if end - block < BLOCK:
        bits &= (ONE << np.uint64(end - block)) - ONE
    return bits


@inlined
def _feeds(at, end):
    """A bit for each line feed in the block of `at`, from `at` on and before `end`."""
    return in_ranges(at & ~np.int64(BLOCK - 1), NEW_LINE, 0, NEW_LINE, 0) & _within(at, end)


@compiled
def _count_feeds(data):
    at = np.int64(data.ctypes.data)
    end = at + len(data)
    count = 0
    while at < end:
        count += count_bits(_feeds(at, end))
        at = (at & ~np.int64(BLOCK - 1)) + BLOCK
    return count


@compiled
def _find_feeds(data, offsets):
    """Write where a line begins after each line feed, from offsets[1] on; how many offsets that makes."""
    start = np.int64(data.ctypes.data)
    at, end = start, start + len(data)
    count = 1
    while at < end:
        feeds, block = _feeds(at, end), at & ~np.int64(BLOCK - 1)
        while feeds != 0:
            offsets[count] = block + first_bit(feeds) + 1 - start
            count += 1
            feeds &= feeds - ONE
        at = block + BLOCK
    return count


@inlined
def _space_bytes(at, end):
    """How many bytes a white-space character beyond ASCII takes at address `at`; 0 if none stands there.

    U+0085, U+00A0, U+1680, U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F and U+3000, as in Python's `str.split`.
    """
    a = byte_at(at)
    if a == 0xC2:
        return 2 if at + 1 < end and (byte_at(at + 1) == 0x85 or byte_at(at + 1) == 0xA0) else 0
    if at + 2 >= end:
        return 0
    b, c = byte_at(at + 1), byte_at(at + 2)
    if a == 0xE1:
        return 3 if b == 0x9A and c == 0x80 else 0
    if a == 0xE2:
        if b == 0x80:
            return 3 if c <= 0x8A or c == 0xA8 or c == 0xA9 or c == 0xAF else 0
        return 3 if b == 0x81 and c == 0x9F else 0
    return 3 if a == 0xE3 and b == 0x80 and c == 0x80 else 0


@inlined
def _wide_spaces(block, within, end):
    """The bytes of wide spaces that begin in a block, where `within` has a bit set, and how many go beyond it."""
    found, beyond = np.uint64(0), 0
    perhaps = in_ranges(block, 0xC2, 0, 0xE1, 2) & within  # the first bytes of all there are
    while perhaps != 0:
        bit = first_bit(perhaps)
        perhaps &= perhaps - ONE
        size = _space_bytes(block + bit, end)
        found |= ((ONE << np.uint64(size)) - ONE) << np.uint64(bit)
        beyond = max(beyond, bit + size - BLOCK)
    return found, beyond


@inlined
def _cut(start, offsets, separators, bounds, lengths, place):
    """Find the bounds of the next tokens, PIECE or some more, from `place` on; how many there are."""
    text, at = place[0], start + place[1]
    found = 0
    while text < len(lengths):
        end = start + offsets[text + 1]
        before, inside, beyond = found, np.uint64(0), 0
        while at < end and found <= 2 * PIECE:
            block = at & ~np.int64(BLOCK - 1)
            within = _within(at, end)
            separates = in_ranges(block, separators.first, separators.width, separators.other, separators.other_width)
            separates |= (ONE << np.uint64(beyond)) - ONE
            if separators.wide:
                spaces, beyond = _wide_spaces(block, within, end)
                separates |= spaces
            part = within & ~separates
            edges = part ^ ((part << ONE) | inside)
            inside = part >> np.uint64(BLOCK - 1)
            while edges != 0:
                bounds[found] = block + first_bit(edges)
                found += 1
                edges &= edges - ONE
            at = block + BLOCK
        if at < end:  # the piece is full: a token cut in two is left to the next
            unfinished = found & 1
            found -= unfinished
            lengths[text] += (found - before) >> 1
            place[0], place[1] = text, (bounds[found] if unfinished else at + beyond) - start
            return found >> 1
        if found & 1:
            bounds[found] = end
            found += 1
        lengths[text] += (found - before) >> 1
        at = end
        text += 1
    place[0], place[1] = text, at - start
    return found >> 1


# ---- compiled: the table -----------------------------------------------------------------------


@inlined
def _mixed(key_0, key_1):
    """A hash of two keys, whose upper bits are good."""
    high = key_1 * MIX
    return (key_0 ^ (high << HALF) ^ (high >> HALF)) * SPREAD


@inlined
def _slot(key_0, key_1, slots):
    """The slot where a search begins: the upper bits of the hash."""
    return np.int64((_mixed(key_0, key_1) >> HALF) & np.uint64(len(slots) - 1))


@inlined
def _short_keys(at, size):
    """The bytes of a word of at most IN_SLOT, padded with zeros; never read from a page that the word is not on."""
    if at & (PAGE - 1) <= PAGE - IN_SLOT:
        return eight_at(at) & FIRST_EIGHT[size], eight_at(at + 8) & SECOND_EIGHT[size]
    key_0, key_1 = np.uint64(0), np.uint64(0)
    for i in range(size):
        if i < 8:
            key_0 |= byte_at(at + i) << np.uint64(8 * i)
        else:
            key_1 |= byte_at(at + i) << np.uint64(8 * i - BITS)
    return key_0, key_1


@inlined
def _long_keys(at, size):
    """The hash of a word longer than IN_SLOT, and its last eight bytes."""
    hash = np.uint64(size)
    for i in range(0, size - 7, 8):
        hash = _mixed(eight_at(at + i), hash)
        hash ^= hash >> HALF
    return hash, eight_at(at + size - 8)


@inlined
def _look_ahead(table, scratch, count):
    """Write down the keys and the slot of each token, and ask for the slots' cache lines."""
    slots = np.int64(table.slots.ctypes.data)
    for i in range(count):
        at = scratch.bounds[2 * i]
        size = scratch.bounds[2 * i + 1] - at
        key_0, key_1 = _short_keys(at, size) if size <= IN_SLOT else _long_keys(at, size)
        slot = _slot(key_0, key_1, table.slots)
        ask_for(slots + 32 * slot)
        scratch.keys[i, 0], scratch.keys[i, 1], scratch.keys[i, 2] = key_0, key_1, np.uint64(slot)


@inlined
def _same_bytes(table, word, at, size):
    begin = np.int64(table.arena.ctypes.data) + table.starts[word]
    if table.starts[word + 1] - table.starts[word] != size:
        return False
    for i in range(size):  # noqa: SIM110  (compiled: a generator would not be)
        if byte_at(begin + i) != byte_at(at + i):
            return False
    return True


@inlined
def _add(table, at, size, slot, key_0, key_1, count):
    """Add `count` to the word at address `at`, new or known; its number. The table must have room."""
    slots = table.slots
    which = np.uint64(size) << HALF
    while slots[slot, WHICH] != 0:
        if slots[slot, KEY_0] == key_0 and slots[slot, KEY_1] == key_1 and (slots[slot, WHICH] ^ which) >> HALF == 0:
            word = np.int64(slots[slot, WHICH] & np.uint64(0xFFFFFFFF))
            if size <= IN_SLOT or _same_bytes(table, word, at, size):
                slots[slot, COUNT] += count
                return word
        slot = (slot + 1) & (len(slots) - 1)
    word = table.used[0]
    begin = table.starts[word]
    for i in range(size):
        table.arena[begin + i] = byte_at(at + i)
    table.starts[word + 1] = begin + size
    table.used[0] = word + 1
    slots[slot, KEY_0], slots[slot, KEY_1] = key_0, key_1
    slots[slot, WHICH], slots[slot, COUNT] = which | np.uint64(word), count
    return word


@inlined
def _number_piece(table, scratch, count, counts, ids, token):
    """Number the `count` tokens whose bounds are known, into ids[token:]; without `counts`, each counts once."""
    _look_ahead(table, scratch, count)
    for i in range(count):
        at = scratch.bounds[2 * i]
        size = scratch.bounds[2 * i + 1] - at
        keys = scratch.keys[i]
        times = ONE if counts is None else counts[token + i]
        ids[token + i] = _add(table, at, size, np.int64(keys[2]), keys[0], keys[1], times)


@inlined
def _has_room(table):
    return table.used[0] + PIECE + BLOCK < len(table.starts)


@compiled
def _split(table, data, offsets, separators, scratch, ids, lengths, place):
    """Cut and number until all is done (True) or the table must grow (False); `place` says where to go on."""
    start = np.int64(data.ctypes.data)
    while place[0] < len(lengths):
        if not _has_room(table):
            return False
        count = _cut(start, offsets, separators, scratch.bounds, lengths, place)
        _number_piece(table, scratch, count, None, ids, place[2])
        place[2] += count
    return True


@compiled
def _number(table, data, offsets, counts, scratch, ids, place):
    """Number ready-made tokens until all is done (True) or the table must grow (False)."""
    start = np.int64(data.ctypes.data)
    while place[0] < len(ids):
        if not _has_room(table):
            return False
        token = place[0]
        count = min(PIECE, len(ids) - token)
        for i in range(count):
            scratch.bounds[2 * i], scratch.bounds[2 * i + 1] = (
                start + offsets[token + i],
                start + offsets[token + i + 1],
            )
        _number_piece(table, scratch, count, counts, ids, token)
        place[0] += count
    return True


@compiled
def _rehash(old, new):
    """Put all that stands in the slots of a table into those of a larger one."""
    for i in range(len(old)):
        if old[i, WHICH] != 0:
            slot = _slot(old[i, KEY_0], old[i, KEY_1], new)
            while new[slot, WHICH] != 0:
                slot = (slot + 1) & (len(new) - 1)
            for column in range(4):
                new[slot, column] = old[i, column]


@compiled
def _read_counts(slots, counts):
    for i in range(len(slots)):
        if slots[i, WHICH] != 0:
            counts[np.int64(slots[i, WHICH] & np.uint64(0xFFFFFFFF))] = np.int64(slots[i, COUNT])
