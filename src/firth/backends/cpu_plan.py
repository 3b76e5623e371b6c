"""Deciding ahead: which tokens are kept, how far windows reach, which noise words are drawn, and where their rows are.

All decisions for a piece of the corpus are made before it is trained, one kind after another over the whole piece:
short loops over plain arrays, which the compiler turns into vector code (a third of the time that it took to decide
word by word). The loop over windows then only computes, and can ask for rows before it needs them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from firth.backends.cpu_draws import below, chance, draw, low_chance
from firth.backends.simd import address_of
from firth.draws import DRAWS_PER_POSITION
from firth.jit import inlined

PIECE = 1024  # tokens decided ahead; what is written down about them stays in the second-level cache
SLOTS = 1024  # of the table that tells when a word was last met; a power of two
MARGIN = 8  # items that may be read and written beyond a buffer's end, by whole vectors
FLOAT_BYTES = 4
LOW_HALF, HALF_BITS = np.uint64(2**32 - 1), np.uint64(32)

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


class Stretch(NamedTuple):
    """Tokens [first, last) of a batch; `sentence` is the one that holds `first`; `position` is tokens[0]'s."""

    tokens: npt.NDArray[np.int32]
    offsets: Ints
    sentence: int
    first: int
    last: int
    position: int


class Rates(NamedTuple):
    """The learning rate of the token at position p of this epoch: max(floor, start - slope · p)."""

    start: float
    slope: float
    floor: float


class Keys(NamedTuple):
    """One key of draws for each decision, uint64."""

    keep: np.uint64
    reach: np.uint64
    noise: np.uint64
    held_out: np.uint64


class Rules(NamedTuple):
    """What does not change during a run; `held_out` is a chance in units of 2^-24, uint64."""

    window: int
    dynamic_window: bool
    held_out: np.uint64


class Tables(NamedTuple):
    """Keep-chances uint32 (V,); the alias table, uint64 (V,): below, the chance to stay; above, the word to go to."""

    keep: npt.NDArray[np.uint32]
    noise: npt.NDArray[np.uint64]


class Rows(NamedTuple):
    """The shared matrices, float32 (V, padded D), and the worker's own rows of the `hot` most frequent words."""

    input: Floats
    output: Floats
    hot: int
    own_input: Floats
    own_output: Floats
    merged_input: Floats  # what the worker's own rows were at the last merge
    merged_output: Floats
    merge_every: int  # tokens
    since_merge: Ints  # tokens trained since then, in [0]


class Plan(NamedTuple):
    """What is decided about a piece: about its tokens, then about its kept words, those of all sentences in a row.

    Kept words before the first centre and from the last one on belong to other pieces: they are contexts only.
    """

    fate: npt.NDArray[np.uint8]  # of each token: 1 if it is in the vocabulary, 2 more if it is kept
    drawn: npt.NDArray[np.uint64]  # one draw for each, of the kind under way
    places: Ints  # where each kept word stands in the batch
    inputs: Ints  # its number, and then the address of its input row
    outputs: Ints  # (S, ·): likewise of its output row, and of those of its noise words
    low: Ints  # its contexts stand in [low, high), itself left out
    high: Ints
    rate: Floats
    latest: Ints  # the last place, up to here, where a word stood that stands again up to here
    repeats: npt.NDArray[np.bool_]  # whether a context or an output row may stand twice in its window
    met: Ints  # slot -> where a word of that slot was last met


def plan(window: int, negative: int) -> Plan:
    """Buffers for one worker: `window` words to each side, `negative` noise words."""
    length = PIECE + 2 * window + MARGIN
    return Plan(
        fate=np.zeros(length, np.uint8),
        drawn=np.zeros(length, np.uint64),
        places=np.zeros(length, np.int64),
        inputs=np.zeros(length, np.int64),
        outputs=np.zeros((negative + 1, length), np.int64),
        low=np.zeros(length, np.int64),
        high=np.zeros(length, np.int64),
        rate=np.zeros(length, np.float32),
        latest=np.zeros(length, np.int64),
        repeats=np.zeros(length, np.bool_),
        met=np.zeros(SLOTS, np.int64),
    )


# ---- which tokens ------------------------------------------------------------------------------


@inlined
def _kept(chunk, keys, tables, at):
    """Whether the token at index `at` is in the vocabulary and survives subsampling."""
    word = np.int64(chunk.tokens[at])
    if word < 0 or word >= len(tables.keep):
        return False
    return chance(draw(keys.keep, np.uint64(chunk.position + at))) < tables.keep[word]


@inlined
def _decide_fates(chunk, keys, tables, p, first, last):
    """The fates of tokens [first, last)."""
    V = len(tables.keep)
    for i in range(last - first):
        p.drawn[i] = draw(keys.keep, np.uint64(chunk.position + first + i))
    for i in range(last - first):
        word = np.int64(chunk.tokens[first + i])
        known = (word >= 0) & (word < V)
        kept = known & (chance(p.drawn[i]) < tables.keep[word if known else 0])
        p.fate[i] = np.uint8(known) + np.uint8(2) * np.uint8(kept)


@inlined
def _keeps_any(p, first, last):
    any_kept = False
    for i in range(first, last):
        any_kept |= p.fate[i] > 1
    return any_kept


@inlined
def _add(chunk, p, at, kept):
    p.places[kept] = at
    p.inputs[kept] = chunk.tokens[at]


@inlined
def _add_before(chunk, keys, tables, p, window, begin, at, kept):
    """Add up to `window` kept words of the sentence before token `at`; give how many words there are now."""
    found = 0
    first = at
    while first > begin and found < window:
        first -= 1
        if _kept(chunk, keys, tables, first):
            found += 1
    for before in range(first, at):
        if _kept(chunk, keys, tables, before):
            _add(chunk, p, before, kept)
            kept += 1
    return kept


@inlined
def _add_after(chunk, keys, tables, p, window, at, end, kept):
    """Add up to `window` kept words of the sentence from token `at` on; give how many words there are now."""
    most = kept + window
    while at < end and kept < most:
        if _kept(chunk, keys, tables, at):
            _add(chunk, p, at, kept)
            kept += 1
        at += 1
    return kept


# ---- their windows and noise -------------------------------------------------------------------
# From word 0 on, though the first may be contexts only: of a start that might be negative no vector code is made.


@inlined
def _decide_reach(chunk, keys, rules, p, last):
    """Narrow the contexts of kept words [0, last) from the whole sentence to their windows."""
    if rules.dynamic_window:
        for i in range(last):
            p.drawn[i] = draw(keys.reach, np.uint64(chunk.position + p.places[i]))
        for i in range(last):
            reach = 1 + below(p.drawn[i], rules.window)
            p.low[i] = max(p.low[i], i - reach)
            p.high[i] = min(p.high[i], i + reach + 1)
    else:
        for i in range(last):
            p.low[i] = max(p.low[i], i - rules.window)
            p.high[i] = min(p.high[i], i + rules.window + 1)


@inlined
def _decide_rates(chunk, rates, p, last):
    for i in range(last):
        p.rate[i] = np.float32(max(rates.floor, rates.start - rates.slope * (chunk.position + p.places[i])))


@inlined
def _decide_noise(chunk, keys, tables, p, last):
    """The words of the output rows: the kept words [0, last) themselves, then noise."""
    V = np.uint64(len(tables.keep))
    for i in range(last):
        p.outputs[0, i] = p.inputs[i]
    for k in range(1, len(p.outputs)):
        for i in range(last):
            counter = np.uint64(chunk.position + p.places[i]) * np.uint64(DRAWS_PER_POSITION) + np.uint64(k - 1)
            p.drawn[i] = draw(keys.noise, counter)
        for i in range(last):
            bucket = below(p.drawn[i], V)
            entry = tables.noise[bucket]
            stays = low_chance(p.drawn[i]) < (entry & LOW_HALF)
            p.outputs[k, i] = bucket if stays else np.int64(entry >> HALF_BITS)


@inlined
def _find_repeats(p, last, kept):
    """Mark windows in which a context, or an output row, may stand twice (a slot is shared by several words)."""
    p.met[:] = -1
    latest = -1
    for i in range(kept):
        slot = p.inputs[i] & (SLOTS - 1)
        latest = max(latest, p.met[slot])
        p.met[slot] = i
        p.latest[i] = latest
    for i in range(last):
        p.repeats[i] = p.latest[p.high[i] - 1] >= p.low[i]
    for k in range(1, len(p.outputs)):
        for other in range(k):
            for i in range(last):
                p.repeats[i] |= p.outputs[k, i] == p.outputs[other, i]


@inlined
def _find_rows(rows, p, last, kept):
    """Turn the numbers of words into the addresses of their rows: the worker's own for hot words."""
    row_bytes = rows.input.shape[1] * FLOAT_BYTES
    hot = rows.hot
    shared, own = address_of(rows.input), address_of(rows.own_input)
    for i in range(kept):
        p.inputs[i] = (own if p.inputs[i] < hot else shared) + p.inputs[i] * row_bytes
    shared, own = address_of(rows.output), address_of(rows.own_output)
    for k in range(len(p.outputs)):
        for i in range(last):
            p.outputs[k, i] = (own if p.outputs[k, i] < hot else shared) + p.outputs[k, i] * row_bytes


@inlined
def look_ahead(chunk, rates, keys, rules, tables, rows, p, first, last, sentence, held_out):
    """Make all decisions for tokens [first, last), at most PIECE; `sentence` holds `first`.

    Gives (first centre, last centre, kept words, the sentence of `last`, tokens seen in the vocabulary).
    """
    _decide_fates(chunk, keys, tables, p, first, last)
    kept, seen = np.int64(0), np.int64(0)
    first_centre, last_centre = kept, kept
    at = first
    while at < last:
        while chunk.offsets[sentence + 1] <= at:
            sentence += 1
        begin, end = chunk.offsets[sentence], chunk.offsets[sentence + 1]
        stop = min(end, last)
        if rules.held_out > 0 or held_out:
            value = draw(keys.held_out, np.uint64(chunk.position + begin))
            if (chance(value) < rules.held_out) != held_out:
                at = stop
                continue
        start = kept
        any_kept = True
        if begin < at or stop < end:  # a sentence of several pieces: without a centre there is no need of contexts
            any_kept = _keeps_any(p, at - first, stop - first)
        if begin < at and any_kept:
            kept = _add_before(chunk, keys, tables, p, rules.window, begin, at, kept)
            first_centre = kept
        for i in range(at - first, stop - first):
            _add(chunk, p, first + i, kept)
            kept += np.int64(p.fate[i] >> 1)  # else the next is written over it; a branch would be mispredicted
            seen += np.int64(p.fate[i] & 1)
        last_centre = kept
        if stop < end and any_kept:
            kept = _add_after(chunk, keys, tables, p, rules.window, stop, end, kept)
        for i in range(start, last_centre):
            p.low[i] = start
            p.high[i] = kept
        at = stop
    _decide_reach(chunk, keys, rules, p, last_centre)
    _decide_rates(chunk, rates, p, last_centre)
    _decide_noise(chunk, keys, tables, p, last_centre)
    _find_repeats(p, last_centre, kept)
    _find_rows(rows, p, last_centre, kept)
    return first_centre, last_centre, kept, sentence, seen
