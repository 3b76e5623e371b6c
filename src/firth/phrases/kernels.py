"""The two loops over a corpus, compiled: counting pairs of words, and putting phrases in their place.

Both walk a sentence as gensim's `Phrases` does. A word that is no connector is the end of the pair that began with
the last such word, and begins the next; connector words between belong to the pair. Where a phrase is found, what
follows begins anew. Sentences may be cut anywhere: where a walk stands is written down and goes on with the next
stretch.
"""

from __future__ import annotations

import numpy as np

from firth.corpus.scan import ask_for, eight_at, put_eight
from firth.jit import compiled, inlined
from firth.phrases.table import (
    MIDDLE_AT,
    ONE,
    SLOT_BYTES,
    hashed,
    is_marked,
    known_run,
    pair_key,
    run_with,
    search,
    slot_of,
    u64,
    value_of,
)

PIECE = 256  # pairs from step to step: their slots stay in the first cache
MOST_FILLED = 5 / 8  # of a table: with more, searches grow long

EIGHT = 8
LINE_END = ord("\n")

NONE, CONNECTOR = 0, 1  # what a word may be

AT, SENTENCE, START, RUN, TAIL = 0, 1, 2, 3, 4  # where a walk stands: token, sentence, the word that a pair began
PLACE_SIZE = 5  # with (-1: none), the connectors since, and how many tokens wait to be joined


@inlined
def _pairs(tokens, offsets, last, roles, runs, slots, low, span, scratch, place):
    """Write down the next pairs whose hashes are from `low` to `low + span`, at most PIECE; how many they are."""
    at, sentence, start, run = place[AT], place[SENTENCE], place[START], place[RUN]
    table = np.int64(slots.ctypes.data)
    end = offsets[sentence + 1]
    found = 0
    while at < last and found < PIECE:
        while at == end:
            sentence += 1
            end = offsets[sentence + 1]
            start = -1
        word = np.int64(tokens[at])
        if roles[word] == CONNECTOR:
            if start >= 0:
                run = run_with(runs, run, word)
                if run == 0:
                    start = -1
        else:
            if start >= 0:
                key = pair_key(start, word)
                hash = hashed(key, run)
                if hash - low <= span:
                    slot = slot_of(slots, hash)
                    ask_for(table + SLOT_BYTES * slot)
                    scratch[found, 0], scratch[found, 1], scratch[found, 2] = key, u64(run), u64(slot)
                    found += 1
            start, run = word, 0
        at += 1
    place[AT], place[SENTENCE], place[START], place[RUN] = at, sentence, start, run
    return found


@compiled
def count_pairs(tokens, offsets, last, roles, runs, slots, used, low, span, scratch, place):
    """Count pairs until `last` (True), or until the table must have room (False); `place` says where to go on.

    Only those whose hashes are from `low` to `low + span` (uint64) are counted; `used[0]` is how many of these are in
    the table.
    """
    while place[AT] < last:
        if used[0] + PIECE > len(slots) * MOST_FILLED:
            return False
        found = _pairs(tokens, offsets, last, roles, runs, slots, low, span, scratch, place)
        for i in range(found):
            key, run = scratch[i, 0], scratch[i, 1]
            slot = search(slots, key, run, np.int64(scratch[i, 2]))
            if slots[slot, 1] == 0:
                slots[slot, 0], slots[slot, 1] = key, run << MIDDLE_AT
                used[0] += 1
            slots[slot, 1] += ONE
    return True


@compiled
def join_pairs(tokens, offsets, last, roles, runs, slots, marks, out, lengths, place):
    """Copy tokens up to `last` to `out`, with phrases joined; how many are done.

    A slot's value is a phrase's number and 1 more; only what `marks` has is looked up. `lengths` takes how many
    tokens each sentence has in `out`. Where a sentence goes on, so may a phrase: the last place[TAIL] tokens then stand
    behind those that are done, and must be at the beginning of `out` when the next stretch is joined.
    """
    sentence, start, run, written = place[SENTENCE], place[START], place[RUN], place[TAIL]
    began, start_at, length = 0, 0, 0
    end = offsets[sentence + 1]
    for at in range(place[AT], last):
        while at == end:
            lengths[length] = written - began
            length, began = length + 1, written
            sentence += 1
            end = offsets[sentence + 1]
            start = -1
        word = np.int64(tokens[at])
        out[written] = word
        written += 1
        if roles[word] == CONNECTOR:
            if start >= 0:
                run = known_run(runs, run, word)
                if run == 0:
                    start = -1
            continue
        if start >= 0 and is_marked(marks, hashed(pair_key(start, word), run)):
            phrase = np.int64(value_of(slots, pair_key(start, word), run)) - 1
            if phrase >= 0:
                out[start_at] = phrase
                written = start_at + 1
                start = -1
                continue
        start, start_at, run = word, written - 1, 0
    if last == end:
        start = -1
    done = written if start < 0 else start_at
    lengths[length] = done - began
    place[START], place[RUN], place[TAIL] = start, run, written - done
    return done


@compiled
def tally(numbers, counts):
    """Add 1 to the count of each of the numbers."""
    for i in range(len(numbers)):
        counts[numbers[i]] += 1


@compiled
def spell(tokens, offsets, first, last, sentence, data, starts, out):
    """Write tokens as text, word i being data[starts[i]:starts[i + 1]], a space its last byte; how many bytes it takes.

    A sentence ends in a line's end instead. `data` and `out` have EIGHT bytes more than are used, as words are copied
    by eights: what is too much is written over by the next word.
    """
    source, target = np.int64(data.ctypes.data), np.int64(out.ctypes.data)
    end = offsets[sentence + 1]
    written = 0
    for at in range(first, last):
        while at == end:
            sentence += 1
            end = offsets[sentence + 1]
        begin = starts[tokens[at]]
        size = starts[tokens[at] + 1] - begin
        for i in range(0, size, EIGHT):
            put_eight(target + written + i, eight_at(source + begin + i))
        written += size
        if at + 1 == end:
            out[written - 1] = LINE_END
    return written


@compiled
def spelled_size(tokens, first, last, starts):
    """How many bytes `spell` writes."""
    size = 0
    for at in range(first, last):
        size += starts[tokens[at] + 1] - starts[tokens[at]]
    return size
