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
from firth.draws import ATTEMPTS, DRAWS_PER_POSITION
from firth.jit import inlined

PIECE = 1024  # tokens decided ahead; what is written down about them stays in the second-level cache
SLOTS = 4096  # of the table that tells when a word was last met; a power of two
MARGIN = 8  # items that may be read and written beyond a buffer's end, by whole vectors
FLOAT_BYTES = 4
ADDRESS_BYTES = 8
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
    noise_again: np.uint64
    held_out: np.uint64


class Rules(NamedTuple):
    """What does not change during a run; `held_out` is a chance in units of 2^-24, uint64."""

    window: int
    dynamic_window: bool
    corrected: bool  # whether each of CBOW's contexts gets its share of the gradient, instead of the whole
    held_out: np.uint64


class Tables(NamedTuple):
    """What decisions are looked up in; the noise or the tree is empty where it is not needed."""

    keep: npt.NDArray[np.uint32]  # (V,), keep-chances
    noise: npt.NDArray[np.uint64]  # (V,), the alias table: below, the chance to stay; above, the word to go to
    tree: npt.NDArray[np.int32]  # (2V - 1,), the Huffman tree
    lengths: npt.NDArray[np.uint8]  # (V, 2), see `cpu_tree.path_lengths`


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
    outputs: Ints  # (S, ·): likewise of its output row, and of those of noise words drawn for its whole window
    low: Ints  # its contexts stand in [low, high), itself left out
    high: Ints
    rate: Floats
    latest: Ints  # the last place, up to here, where a word stood that stands again up to here
    contexts_repeat: npt.NDArray[np.bool_]  # whether a context may stand twice in the window
    outputs_repeat: npt.NDArray[np.bool_]  # whether an output row does
    met: npt.NDArray[np.int16]  # slot -> where a word of that slot was last met


def plan(window: int, S: int) -> Plan:
    """Buffers for one worker: `window` words to each side, S output rows decided ahead."""
    length = PIECE + 2 * window + MARGIN
    return Plan(
        fate=np.zeros(length, np.uint8),
        drawn=np.zeros(length, np.uint64),
        places=np.zeros(length, np.int64),
        inputs=np.zeros(length, np.int64),
        outputs=np.zeros((S, length), np.int64),
        low=np.zeros(length, np.int64),
        high=np.zeros(length, np.int64),
        rate=np.zeros(length, np.float32),
        latest=np.zeros(length, np.int64),
        contexts_repeat=np.zeros(length, np.bool_),
        outputs_repeat=np.zeros(length, np.bool_),
        met=np.zeros(SLOTS, np.int16),
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
    """The noise words of the windows of kept words [0, last)."""
    for k in range(1, len(p.outputs)):
        for i in range(last):
            counter = np.uint64(chunk.position + p.places[i]) * np.uint64(DRAWS_PER_POSITION) + np.uint64(k - 1)
            p.drawn[i] = draw(keys.noise, counter)
        for i in range(last):
            p.outputs[k, i] = noise_word(tables, p.drawn[i])


@inlined
def noise_word(tables, drawn):
    """The word that a draw gives, by the alias table."""
    bucket = below(drawn, np.uint64(len(tables.noise)))
    entry = tables.noise[bucket]
    return bucket if low_chance(drawn) < (entry & LOW_HALF) else np.int64(entry >> HALF_BITS)


@inlined
def _may_stand(word, words, low, high, outputs, k, column):
    """Whether a word is not among words [low, high), nor among the output rows before the k-th in a column."""
    free = True
    for at in range(low, high):
        free &= words[at] != word
    for other in range(k):
        free &= outputs[other, column] != word
    return free


@inlined
def make_distinct(keys, tables, words, low, high, outputs, column, first):
    """Draw the noise words in a column of `outputs` again until each may stand; after ATTEMPTS, the target stands.

    Words [low, high) are those that it may not be; `first` is the counter of the first noise word's first draw.
    """
    for k in range(1, len(outputs)):
        counter = (first + np.uint64(k - 1)) * np.uint64(ATTEMPTS)
        attempt = 0
        while not _may_stand(outputs[k, column], words, low, high, outputs, k, column):
            attempt += 1
            if attempt == ATTEMPTS:
                outputs[k, column] = outputs[0, column]
                break
            outputs[k, column] = noise_word(tables, draw(keys.noise_again, counter + np.uint64(attempt)))


@inlined
def _make_windows_distinct(chunk, keys, tables, p, last):
    for i in range(last):
        first = np.uint64(chunk.position + p.places[i]) * np.uint64(DRAWS_PER_POSITION)
        make_distinct(keys, tables, p.outputs[0], p.low[i], p.high[i], p.outputs, i, first)


@inlined
def find_repeated_contexts(p, last, kept):
    """Mark the windows of kept words [0, last) in which a context may stand twice: a slot is shared by several words.

    Before `find_inputs`, which puts addresses in the words' place.
    """
    p.met[:] = -1
    latest = np.int64(-1)
    for i in range(kept):
        slot = p.inputs[i] & (SLOTS - 1)
        latest = max(latest, np.int64(p.met[slot]))
        p.met[slot] = np.int16(i)
        p.latest[i] = latest
    for i in range(last):
        p.contexts_repeat[i] = p.latest[p.high[i] - 1] >= p.low[i]


@inlined
def _find_repeated_outputs(p, last):
    """Mark windows in which an output row stands twice."""
    for i in range(last):
        p.outputs_repeat[i] = False
    for k in range(1, len(p.outputs)):
        for other in range(k):
            for i in range(last):
                p.outputs_repeat[i] |= p.outputs[k, i] == p.outputs[other, i]


@inlined
def _find_rows(matrix, own, hot, numbers, count):
    """Turn numbers of rows into their addresses: the worker's own for hot ones."""
    row_bytes = matrix.shape[1] * FLOAT_BYTES
    shared, mine = address_of(matrix), address_of(own)
    for i in range(count):
        numbers[i] = (mine if numbers[i] < hot else shared) + numbers[i] * row_bytes


@inlined
def look_ahead(chunk, rates, keys, rules, tables, p, first, last, sentence, held_out):
    """Decide for tokens [first, last), at most PIECE, which are kept, how far windows reach, and their rates.

    `sentence` holds `first`. The kept words stand in `outputs[0]`, too. Gives
    (first centre, last centre, kept words, the sentence of `last`, tokens seen in the vocabulary).
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
    for i in range(kept):
        p.outputs[0, i] = p.inputs[i]
    return first_centre, last_centre, kept, sentence, seen


@inlined
def find_inputs(rows, p, kept):
    """Find the input rows of all kept words."""
    _find_rows(rows.input, rows.own_input, rows.hot, p.inputs, kept)


@inlined
def draw_noise(chunk, keys, tables, rows, p, last, distinct):
    """Draw noise for the windows of kept words [0, last), and find their output rows. `distinct` is None or not."""
    _decide_noise(chunk, keys, tables, p, last)
    if distinct is not None:
        _make_windows_distinct(chunk, keys, tables, p, last)
    _find_repeated_outputs(p, last)
    for k in range(len(p.outputs)):
        _find_rows(rows.output, rows.own_output, rows.hot, p.outputs[k], last)
