"""The compiled kernels: skip-gram and CBOW with negative sampling over a stretch of the encoded corpus.

Both hold to `reference.py`, draw for draw and equation for equation. A stretch is trained piece by piece: `look_ahead`
first makes every decision for the next PIECE tokens (which are kept, how far windows reach, which noise words) and
writes down the addresses of all rows concerned, so that the loop over windows only computes, and can ask for rows
before it needs them.

Rows of the `hot` most frequent words are trained on copies of the worker's own, merged into the shared ones now and
then: shared, their cache lines would travel between cores at nearly every word.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from firth.backends.base import CONTEXTS_AT_ONCE
from firth.backends.cpu_draws import below, chance, draw, low_chance
from firth.backends.simd import (
    GROUP,
    LANES,
    add_to_rows,
    address_of,
    copy,
    gradient,
    mean,
    merge_row,
    prefetch,
    score,
    take,
    update,
)
from firth.draws import DRAWS_PER_POSITION
from firth.jit import compiled, inlined
from firth.weights import aligned_rows

PIECE = 1024  # tokens decided ahead; their rows' addresses stay in the second-level cache
SLOTS = 1024  # of the table that tells when a word was last met; a power of two
OUTPUTS_AHEAD = 2  # windows between asking for output rows and using them (470 ns a word without, 241 with)
FLOAT_BYTES = 4

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
    """Keep-chances uint32 (V,); the alias table, uint32 (V, 2): the chance to stay, and the word to go to."""

    keep: npt.NDArray[np.uint32]
    noise: npt.NDArray[np.uint32]


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


class Scratch(NamedTuple):
    """One worker's buffers, for one piece and for one window."""

    inputs: Ints  # address of each kept word's input row
    outputs: Ints  # S for each: the word's output row, then those of its noise
    low: Ints  # each word's contexts stand in [low, high), itself left out
    high: Ints
    rate: Floats
    earlier: Ints  # where the same word (or one sharing its slot) was met before
    repeats: npt.NDArray[np.bool_]  # whether a noise word equals the target or another noise word
    met: Ints  # slot -> where it was last met
    contexts: Ints
    reads: Ints
    gradients: Floats
    signs: Floats  # -1 for the target, 1 for noise
    ones: Floats  # weights when no noise word repeats: 1 for each output row, 0 for the rest of its group
    weights: Floats
    spare: Floats  # rows as they were, for words that stand twice in a window
    context: Floats  # CBOW's mean of its contexts
    step: Floats  # and the step for them


def scratch(window: int, negative: int, padded: int) -> Scratch:
    """Buffers for one worker: `window` words to each side, `negative` noise words, rows of `padded` floats."""
    length, widest, S = PIECE + 2 * window, min(2 * window, CONTEXTS_AT_ONCE) + 1, negative + 1
    groups = -(-S // GROUP)
    signs = np.ones(groups * 3 * GROUP, np.float32)
    signs[0] = signs[GROUP] = -1.0
    # For each group: the weights of a tile of two contexts, then zeros; a lone context reads from the second half on.
    ones = np.zeros((groups, 3, GROUP), np.float32)
    flat = np.zeros(groups * GROUP, np.float32)
    flat[:S] = 1.0
    ones[:, 0] = ones[:, 1] = flat.reshape(groups, GROUP)
    return Scratch(
        inputs=np.zeros(length, np.int64),
        outputs=np.zeros(length * S, np.int64),
        low=np.zeros(length, np.int64),
        high=np.zeros(length, np.int64),
        rate=np.zeros(length, np.float32),
        earlier=np.zeros(length, np.int64),
        repeats=np.zeros(length, np.bool_),
        met=np.full(SLOTS, -1, np.int64),
        contexts=np.zeros(widest, np.int64),
        reads=np.zeros(widest, np.int64),
        gradients=aligned_rows(1, widest * GROUP * groups + LANES)[0],
        signs=signs,
        ones=ones.reshape(-1),
        weights=np.zeros(ones.size, np.float32),
        spare=aligned_rows(widest, padded),
        context=aligned_rows(1, padded),
        step=aligned_rows(1, padded),
    )


# ---- deciding ahead ----------------------------------------------------------------------------


@inlined
def _kept(chunk, keys, tables, at):
    """Whether the token at index `at` is in the vocabulary and survives subsampling."""
    word = np.int64(chunk.tokens[at])
    if word < 0 or word >= len(tables.keep):
        return False
    return chance(draw(keys.keep, np.uint64(chunk.position + at))) < tables.keep[word]


@inlined
def _keeps_any(chunk, keys, tables, first, last):
    """Whether any of the tokens [first, last) is kept."""
    while first < last and not _kept(chunk, keys, tables, first):
        first += 1
    return first < last


@inlined
def _left_halo(chunk, keys, tables, window, begin, first):
    """The index from which on `window` kept tokens stand before `first`, or the sentence's start."""
    found = 0
    at = first
    while at > begin and found < window:
        at -= 1
        if _kept(chunk, keys, tables, at):
            found += 1
    return at


@inlined
def _add(chunk, rows, s, at, kept):
    """Write down the token at index `at` as kept word number `kept`, as yet without a window."""
    word = np.int64(chunk.tokens[at])
    row_bytes = rows.input.shape[1] * FLOAT_BYTES
    if word < rows.hot:
        s.inputs[kept] = address_of(rows.own_input) + word * row_bytes
    else:
        s.inputs[kept] = address_of(rows.input) + word * row_bytes
    slot = word & (SLOTS - 1)
    s.earlier[kept] = s.met[slot]
    s.met[slot] = kept
    s.low[kept] = kept
    s.high[kept] = kept


@inlined
def _add_outputs(chunk, keys, tables, rows, s, at, kept, S):
    """Draw the noise of kept word number `kept` and write down the output rows, the word's own first."""
    V = len(tables.keep)
    row_bytes = rows.output.shape[1] * FLOAT_BYTES
    shared, own = address_of(rows.output), address_of(rows.own_output)
    counter = np.uint64(chunk.position + at) * np.uint64(DRAWS_PER_POSITION)
    repeats = False
    for k in range(S):
        if k == 0:
            word = np.int64(chunk.tokens[at])
        else:
            value = draw(keys.noise, counter + np.uint64(k - 1))
            bucket = below(value, V)
            stays, other_word = tables.noise[bucket, 0], np.int64(tables.noise[bucket, 1])
            word = bucket if low_chance(value) < stays else other_word  # both loaded: no branch to mispredict
        row = (own if word < rows.hot else shared) + word * row_bytes
        for other in range(k):
            repeats |= s.outputs[kept * S + other] == row
        s.outputs[kept * S + k] = row
    s.repeats[kept] = repeats


@inlined
def look_ahead(chunk, rates, keys, rules, tables, rows, s, S, first, last, sentence, held_out):
    """Make all decisions for tokens [first, last); give (kept words, the sentence of `last`, words seen).

    The kept words of every sentence in reach stand in the buffers one after another; those before `first` and from
    `last` on are there as contexts only.
    """
    window = rules.window
    kept = 0
    seen = 0
    s.met[:] = -1
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
        if at > begin and _keeps_any(chunk, keys, tables, at, stop):
            for before in range(_left_halo(chunk, keys, tables, window, begin, at), at):
                if _kept(chunk, keys, tables, before):
                    _add(chunk, rows, s, before, kept)
                    kept += 1
        first_centre = kept
        for index in range(at, stop):
            word = np.int64(chunk.tokens[index])
            if word < 0 or word >= len(tables.keep):
                continue
            seen += 1
            if chance(draw(keys.keep, np.uint64(chunk.position + index))) >= tables.keep[word]:
                continue
            _add(chunk, rows, s, index, kept)
            _add_outputs(chunk, keys, tables, rows, s, index, kept, S)
            reach = window
            if rules.dynamic_window:
                reach = 1 + below(draw(keys.reach, np.uint64(chunk.position + index)), window)
            s.low[kept] = max(start, kept - reach)
            s.high[kept] = kept + reach + 1
            s.rate[kept] = np.float32(max(rates.floor, rates.start - rates.slope * (chunk.position + index)))
            kept += 1
        last_centre = kept
        index = stop if last_centre > first_centre else end  # without a centre there is no need of contexts
        while index < end and kept - last_centre < window:
            if _kept(chunk, keys, tables, index):
                _add(chunk, rows, s, index, kept)
                kept += 1
            index += 1
        for each in range(first_centre, last_centre):
            s.high[each] = min(s.high[each], kept)
        at = stop
    return kept, sentence, seen


@inlined
def _weigh(s, i, S):
    """Weights when noise repeats: a word drawn twice counts twice, at its first place; the target, never.

    Gives how many contexts of the window may take one step together.
    """
    most = np.float32(1.0)
    for k in range(S):
        weight = np.float32(1.0)
        for other in range(k + 1, S):
            if s.outputs[i * S + other] == s.outputs[i * S + k] and k > 0:
                weight += np.float32(1.0)
        for other in range(k):
            if s.outputs[i * S + other] == s.outputs[i * S + k]:
                weight = np.float32(0.0)
        group = 3 * GROUP * (k // GROUP) + k % GROUP
        s.weights[group] = weight
        s.weights[group + GROUP] = weight
        most = max(most, weight)
    return max(1, CONTEXTS_AT_ONCE // np.int64(most))


@inlined
def _prefetch_ahead(s, S, i, kept, window, blocks):
    """Ask for the output rows of a window soon to come, and for the input row that it will reach."""
    soon = i + OUTPUTS_AHEAD
    if soon < kept and s.high[soon] > s.low[soon]:
        for k in range(S):
            prefetch(s.outputs[soon * S + k], blocks)
    if i + window + 1 < kept:
        prefetch(s.inputs[i + window + 1], blocks)


@inlined
def _gradients(s, n, stride, groups, weights, rate):
    """Turn the window's scores into gradients, two contexts at a time, and give the loss."""
    loss = np.float32(0.0)
    scores, signs = address_of(s.gradients), address_of(s.signs)
    for group in range(groups):
        place = scores + group * stride * FLOAT_BYTES
        shift = 3 * GROUP * FLOAT_BYTES * group
        for c in range(0, n, 2):
            lone = GROUP * FLOAT_BYTES if c + 1 == n else 0
            loss += gradient(place + c * GROUP * FLOAT_BYTES, signs + shift, weights + shift + lone, rate)
    return loss


# ---- training ----------------------------------------------------------------------------------


@inlined
def _skipgram_window(s, i, n, outputs, S, blocks):
    """Train the n contexts in `s.contexts` against kept word i and its noise, weighed before; give the loss."""
    stride = (n + (n & 1)) * GROUP
    scores = address_of(s.gradients)
    c = 0
    while c + 1 < n:
        score((s.contexts[c], s.contexts[c + 1]), outputs, blocks, scores + c * GROUP * FLOAT_BYTES, stride)
        c += 2
    if c < n:
        score((s.contexts[c],), outputs, blocks, scores + c * GROUP * FLOAT_BYTES, stride)
    weights = address_of(s.weights) if s.repeats[i] else address_of(s.ones)
    loss = _gradients(s, n, stride, (S + GROUP - 1) // GROUP, weights, s.rate[i])
    update(s.reads, s.contexts, n, outputs, blocks, scores, stride)
    return loss


@inlined
def _read_before(s, n, blocks):
    """Copy the rows of words that stand twice among the contexts, to be read as they were before the window."""
    row_bytes = blocks * LANES * FLOAT_BYTES
    for c in range(n):
        for other in range(c):
            if s.contexts[other] == s.contexts[c]:
                s.reads[c] = address_of(s.spare) + c * row_bytes
                copy(s.contexts[c], s.reads[c], blocks)
                break


@inlined
def _gather(s, i, first, at_once):
    """Write down the next contexts of kept word i, from `first` on; give (where to go on, how many, any word twice)."""
    n, repeated = 0, False
    last = min(s.high[i], first + at_once)
    if first <= i < last:
        last = min(s.high[i], last + 1)
    for at in range(first, last):
        if at != i:
            s.contexts[n] = s.inputs[at]
            s.reads[n] = s.inputs[at]
            repeated |= s.earlier[at] >= first
            n += 1
    return last, n, repeated


@compiled
def train_skipgram(chunk, rates, keys, rules, tables, rows, s, like, held_out):
    """Train every window of the stretch by skip-gram; give (loss sum, pairs, words). `like` is as long as S."""
    S, blocks = len(like), rows.input.shape[1] // LANES
    loss, examples, words = 0.0, 0, 0
    first, sentence = chunk.first, chunk.sentence
    while first < chunk.last:
        last = min(first + PIECE, chunk.last)
        kept, sentence, seen = look_ahead(
            chunk, rates, keys, rules, tables, rows, s, S, first, last, sentence, held_out
        )
        for i in range(kept):
            _prefetch_ahead(s, S, i, kept, rules.window, blocks)
            at, at_once = s.low[i], CONTEXTS_AT_ONCE
            if s.repeats[i]:
                at_once = _weigh(s, i, S)
            while at < s.high[i]:
                at, n, repeated = _gather(s, i, at, at_once)
                if n == 0:
                    continue
                if repeated:
                    _read_before(s, n, blocks)
                loss += _skipgram_window(s, i, n, take(s.outputs, i * S, like), S, blocks)
                examples += n
        words += seen
        _merge_when_due(rows, last - first)
        first = last
    return loss, examples, words


@inlined
def _cbow_window(s, i, n, outputs, S, blocks):
    """Train the mean of kept word i's contexts against it and its noise; give the loss."""
    context, step, scores = address_of(s.context), address_of(s.step), address_of(s.gradients)
    mean(s.inputs, s.low[i], s.high[i], i, np.float32(1.0) / np.float32(n), blocks, context)
    score((context,), outputs, blocks, scores, 2 * GROUP)
    weights = address_of(s.ones)
    if s.repeats[i]:
        _weigh(s, i, S)
        weights = address_of(s.weights)
    loss = _gradients(s, 1, 2 * GROUP, (S + GROUP - 1) // GROUP, weights, s.rate[i])
    s.step[:] = 0
    s.reads[0] = context
    s.contexts[0] = step
    update(s.reads, s.contexts, 1, outputs, blocks, scores, 2 * GROUP)
    add_to_rows(s.inputs, s.low[i], s.high[i], i, blocks, step)
    return loss


@compiled
def train_cbow(chunk, rates, keys, rules, tables, rows, s, like, held_out):
    """Train every window of the stretch by CBOW; give (loss sum, windows, words). `like` is as long as S."""
    S, blocks = len(like), rows.input.shape[1] // LANES
    loss, examples, words = 0.0, 0, 0
    first, sentence = chunk.first, chunk.sentence
    while first < chunk.last:
        last = min(first + PIECE, chunk.last)
        kept, sentence, seen = look_ahead(
            chunk, rates, keys, rules, tables, rows, s, S, first, last, sentence, held_out
        )
        for i in range(kept):
            _prefetch_ahead(s, S, i, kept, rules.window, blocks)
            n = s.high[i] - s.low[i] - 1
            if n > 0:
                loss += _cbow_window(s, i, n, take(s.outputs, i * S, like), S, blocks)
                examples += 1
        words += seen
        _merge_when_due(rows, last - first)
        first = last
    return loss, examples, words


# ---- hot rows ----------------------------------------------------------------------------------


@inlined
def _merge_rows(shared, own, merged):
    """Merge the worker's own rows, one by one, with the shared ones."""
    blocks = own.shape[1] // LANES
    row_bytes = own.shape[1] * FLOAT_BYTES
    for row in range(len(own)):
        at = row * row_bytes
        merge_row(address_of(shared) + at, address_of(own) + at, address_of(merged) + at, blocks)


@compiled
def merge(rows):
    """Merge a worker's own rows of hot words with the shared ones."""
    _merge_rows(rows.input, rows.own_input, rows.merged_input)
    _merge_rows(rows.output, rows.own_output, rows.merged_output)
    rows.since_merge[0] = 0


@inlined
def _merge_when_due(rows, tokens):
    if rows.hot:
        rows.since_merge[0] += tokens
        if rows.since_merge[0] >= rows.merge_every:
            merge(rows)
