"""A hash table of pairs of words, compiled: to count pairs, to know phrases again, and to number runs of connectors.

A slot (uint64 (S, 2), S a power of two) holds a key and what belongs to it, 0 in an empty slot: above MIDDLE_AT the
number of the run of connector words that stands between the two words of the key, below it a value, never 0. Slots
are searched one after another from where the hash says.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from firth.draws import GOLDEN, MIX_1, MIX_2
from firth.jit import compiled, inlined

u64 = np.uint64
Slots = npt.NDArray[np.uint64]

MIDDLE_AT = u64(40)  # so a value, such as a count, may reach 2^40, more than any corpus's file can hold
VALUE = u64((1 << 40) - 1)
ONE, HALF, LOW_HALF = u64(1), u64(32), u64(2**32 - 1)
WORD_BITS, WORD_MASK = u64(6), u64(63)  # of a bit's place: which of the words of 64, and which bit in it
SLOT_BYTES = 16
FEWEST_SLOTS = 1 << 10
MOST_RUNS = 1 << 18  # of connector words; no phrase spans the others

_GOLDEN, _MIX_1, _MIX_2 = u64(GOLDEN), u64(MIX_1), u64(MIX_2)
_30, _27, _31 = u64(30), u64(27), u64(31)


class Runs(NamedTuple):
    """Runs of connector words, as a tree: run 0 has none, every other one is another run and a word more."""

    slots: Slots  # run << 32 | word -> the run that goes on with this word
    before: npt.NDArray[np.int32]  # of each run, the one without its last word
    word: npt.NDArray[np.int32]  # and its last word
    used: npt.NDArray[np.int64]  # [0]: how many runs there are


def empty_table(slots: int) -> Slots:
    """A table of so many slots, a power of two."""
    return np.zeros((slots, 2), np.uint64)


def slots_for(entries: int) -> int:
    """How many slots so many entries need."""
    return int(max(FEWEST_SLOTS, 1 << (2 * entries - 1).bit_length()))


def empty_runs(most: int) -> Runs:
    """Room for `most` runs besides the one without words."""
    before, word = np.zeros(most + 1, np.int32), np.zeros(most + 1, np.int32)
    return Runs(empty_table(slots_for(most + 1)), before, word, np.ones(1, np.int64))


def words_of_run(runs: Runs, run: int) -> tuple[int, ...]:
    """The numbers of a run's words."""
    words: list[int] = []
    while run:
        words.append(int(runs.word[run]))
        run = int(runs.before[run])
    return tuple(reversed(words))


@inlined
def pair_key(first, last):
    """Two words as a key."""
    return (u64(first) << HALF) | u64(last)


@inlined
def hashed(key, middle):
    """The hash of a key and the number of a run: SplitMix64, all bits of which are good."""
    value = key + (u64(middle) + ONE) * _GOLDEN
    value = (value ^ (value >> _30)) * _MIX_1
    value = (value ^ (value >> _27)) * _MIX_2
    return value ^ (value >> _31)


@inlined
def slot_of(slots, hash):
    """Where the search for a hash begins."""
    return np.int64(hash & u64(len(slots) - 1))


@inlined
def search(slots, key, middle, slot):
    """The slot that holds `key` and `middle`, or the empty one where they belong; the search begins at `slot`."""
    wanted = u64(middle)
    while slots[slot, 1] != 0 and (slots[slot, 0] != key or slots[slot, 1] >> MIDDLE_AT != wanted):
        slot = (slot + 1) & (len(slots) - 1)
    return slot


@inlined
def value_of(slots, key, middle):
    """The value of `key` and `middle`; 0 if they are not there."""
    return slots[search(slots, key, middle, slot_of(slots, hashed(key, middle))), 1] & VALUE


@inlined
def is_marked(marks, hash):
    """Whether the bit of a hash is set: if not, its entry is in no table, and none need be looked into.

    Tables are larger than the caches, marks are not.
    """
    bit = hash >> HALF
    return marks[np.int64(bit >> WORD_BITS) & (len(marks) - 1)] & (ONE << (bit & WORD_MASK)) != 0


@compiled
def mark_all(marks, keys, middles):
    """Set the bits of entries in marks (uint64, a power of two of them) that are 0."""
    for i in range(len(keys)):
        bit = hashed(keys[i], middles[i]) >> HALF
        marks[np.int64(bit >> WORD_BITS) & (len(marks) - 1)] |= ONE << (bit & WORD_MASK)


@compiled
def put_all(slots, keys, middles, values):
    """Put entries into a table that has room for them; of equal ones the first stays."""
    for i in range(len(keys)):
        slot = search(slots, keys[i], middles[i], slot_of(slots, hashed(keys[i], middles[i])))
        if slots[slot, 1] == 0:
            slots[slot, 0], slots[slot, 1] = keys[i], (u64(middles[i]) << MIDDLE_AT) | u64(values[i])


@inlined
def known_run(runs, run, word):
    """The run that goes on with `word` after `run`; 0 if there is none."""
    return np.int64(value_of(runs.slots, pair_key(run, word), 0))


@compiled
def run_with(runs, run, word):
    """The run that goes on with `word` after `run`, made where there is none yet; 0 where there is no room."""
    key = pair_key(run, word)
    slot = search(runs.slots, key, 0, slot_of(runs.slots, hashed(key, 0)))
    if runs.slots[slot, 1] == 0:
        number = runs.used[0]
        if number == len(runs.word):
            return np.int64(0)
        runs.slots[slot, 0], runs.slots[slot, 1] = key, u64(number)
        runs.before[number], runs.word[number] = run, word
        runs.used[0] = number + 1
        return number
    return np.int64(runs.slots[slot, 1])


@compiled
def move(old, new, low, span):
    """Put those entries of `old` whose hashes are from `low` to `low + span` into `new`; how many they are."""
    moved = 0
    for i in range(len(old)):
        if old[i, 1] != 0:
            hash = hashed(old[i, 0], old[i, 1] >> MIDDLE_AT)
            if hash - low <= span:
                slot = slot_of(new, hash)
                while new[slot, 1] != 0:
                    slot = (slot + 1) & (len(new) - 1)
                new[slot, 0], new[slot, 1] = old[i, 0], old[i, 1]
                moved += 1
    return moved


@compiled
def count_above(slots, least):
    """How many entries have a value of `least` or more."""
    found = 0
    for i in range(len(slots)):
        if np.int64(slots[i, 1] & VALUE) >= least:
            found += 1
    return found


@compiled
def take_above(slots, least, keys, middles, values):
    """Write down the entries with a value of `least` or more, least being 1 or more."""
    found = 0
    for i in range(len(slots)):
        value = np.int64(slots[i, 1] & VALUE)
        if value >= least:
            keys[found], middles[found], values[found] = slots[i, 0], slots[i, 1] >> MIDDLE_AT, value
            found += 1
