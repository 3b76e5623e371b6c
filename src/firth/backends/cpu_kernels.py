"""The compiled kernels: skip-gram and CBOW with negative sampling over a stretch of the encoded corpus.

Both hold to `reference.py`, draw for draw and equation for equation. A stretch is trained piece by piece, each planned
ahead by `cpu_plan`. How many output rows there are (S = 1 + K) and how many vectors make a row is known when a kernel
is compiled: they are the lengths of the tuples `outputs_like` and `row_like`, whose items do not matter.

Rows of the `hot` most frequent words are trained on copies of the worker's own, merged into the shared ones now and
then: shared, their cache lines would travel between cores at nearly every word.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from firth.backends.base import CONTEXTS_AT_ONCE
from firth.backends.cpu_plan import FLOAT_BYTES, MARGIN, PIECE, Floats, Ints, Plan, look_ahead, plan
from firth.backends.simd import (
    CONSTANTS,
    GROUP,
    add_to_rows,
    address_of,
    copy_eight,
    gradient,
    mean,
    merge_row,
    prefetch,
    score,
    take,
    total,
    update,
    update_from_one,
)
from firth.jit import compiled, inlined
from firth.machine import LANES
from firth.weights import aligned_rows

# Windows between asking for output rows and using them: at 1 skip-gram is a fifth slower; at 3 one thread is as fast as
# at 2, and two are some 4 % faster.
OUTPUTS_AHEAD = 3
OUTPUTS_AHEAD_CBOW = 4
WINDOWS_PER_SUM = 32  # whose losses are added up in float32, before they go to the float64 sum; a power of two
GROUP_BYTES = GROUP * FLOAT_BYTES


class Scratch(NamedTuple):
    """One worker's buffers, for one piece and for one window.

    Scores, gradients and weights of a window are laid out as `simd` tells: for each group of output rows, for each
    context, GROUP floats.
    """

    plan: Plan
    contexts: Ints  # the addresses of the window's input rows, each once
    times: Floats  # how often each stands in the window
    counts: Floats  # how often each output row counts
    gradients: Floats  # scores, and then gradients
    weights: Floats  # how often each pair counts, where any counts more than once
    ones: Floats  # where none does: for each group, two contexts of ones, then zeros
    signs: Floats  # -1 for the target, 1 for noise; for each group, of two contexts
    losses: Floats  # LANES sums
    constants: Floats
    context: Floats  # CBOW's mean of its contexts
    step: Floats  # and the step for them


def scratch(window: int, negative: int, padded: int) -> Scratch:
    """Buffers for one worker: `window` words to each side, `negative` noise words, rows of `padded` floats."""
    widest, S = min(2 * window, CONTEXTS_AT_ONCE) + 1, negative + 1
    groups = -(-S // GROUP)
    counted = np.zeros((groups, GROUP), np.float32)
    counted.reshape(-1)[:S] = 1.0
    ones = np.zeros((groups, 3, GROUP), np.float32)
    ones[:, :2] = counted[:, None]
    signs = np.ones((groups, 2, GROUP), np.float32)
    signs[0, :, 0] = -1.0
    return Scratch(
        plan=plan(window, negative),
        contexts=np.zeros(widest + 2 * MARGIN, np.int64),
        times=np.zeros(widest + 1, np.float32),
        counts=np.zeros(groups * GROUP, np.float32),
        gradients=aligned_rows(1, (widest + 1) * GROUP * groups)[0],
        weights=aligned_rows(1, (widest + 1) * GROUP * groups)[0],
        ones=ones.reshape(-1),
        signs=signs.reshape(-1),
        losses=aligned_rows(1, LANES)[0],
        constants=np.array(list(CONSTANTS.values()), np.float32),
        context=aligned_rows(1, padded),
        step=aligned_rows(1, padded),
    )


# ---- one window --------------------------------------------------------------------------------


@inlined
def _prefetch_ahead(p, i, ahead, last, kept, window, blocks):
    """Ask for the output rows of a window soon to come, and for the input row that it will reach."""
    soon = i + ahead
    if soon < last and p.high[soon] - p.low[soon] > 1:
        for k in range(len(p.outputs)):
            prefetch(p.outputs[k, soon], blocks)
    if soon + window < kept:
        prefetch(p.inputs[soon + window], blocks)


@inlined
def _count_outputs(p, s, i):
    """How often each output row of window i counts: at its first place, as often as it was drawn; the target once.

    Gives how many contexts of the window may take one step together.
    """
    S = len(p.outputs)
    most = np.float32(1.0)
    for k in range(S):
        count = np.float32(1.0)
        for other in range(k + 1, S):
            if p.outputs[other, i] == p.outputs[k, i] and k > 0:
                count += np.float32(1.0)
        for other in range(k):
            if p.outputs[other, i] == p.outputs[k, i]:
                count = np.float32(0.0)
        s.counts[k] = count
        most = max(most, count)
    return max(1, CONTEXTS_AT_ONCE // np.int64(most))


@inlined
def _gather(p, s, i, first, last):
    """Write down the contexts of kept word i among the kept words [first, last); give how many."""
    if i < first or last <= i:
        for at in range(first, last, 8):
            copy_eight(p.inputs, at, s.contexts, at - first)
        return last - first
    for at in range(first, i, 8):
        copy_eight(p.inputs, at, s.contexts, at - first)
    for at in range(i + 1, last, 8):
        copy_eight(p.inputs, at, s.contexts, at - 1 - first)
    return last - first - 1


@inlined
def _stride(n):
    """Floats from one group of scores to the next: contexts stand in pairs."""
    return (n + (n & 1)) * GROUP


@inlined
def _weigh(s, n):
    """Of contexts that stand twice leave one, that counts twice; weigh all pairs; give how many contexts are left."""
    found = 0
    for c in range(n):
        place = 0
        while place < found and s.contexts[place] != s.contexts[c]:
            place += 1
        if place == found:
            s.contexts[found] = s.contexts[c]
            s.times[found] = np.float32(0.0)
            found += 1
        s.times[place] += np.float32(1.0)
    s.times[found] = np.float32(0.0)  # the second of a pair whose first is the last
    for c in range(found + (found & 1)):
        for k in range(len(s.counts)):
            place = k // GROUP * _stride(found) + c * GROUP + k % GROUP
            s.weights[place] = s.times[c] * s.counts[k]
    return found


@inlined
def _gradients(s, n, groups, weighed, rate):
    """Turn the window's scores into gradients, two contexts at a time, and add up the loss."""
    scores, losses, constants = address_of(s.gradients), address_of(s.losses), address_of(s.constants)
    for group in range(groups):
        signs = address_of(s.signs) + 2 * GROUP_BYTES * group
        ones = address_of(s.ones) + 3 * GROUP_BYTES * group
        for c in range(0, n, 2):
            place = (group * _stride(n) + c * GROUP) * FLOAT_BYTES
            weights = ones + GROUP_BYTES * np.int64(c + 1 == n)
            if weighed:
                weights = address_of(s.weights) + place
            gradient(scores + place, signs, weights, rate, constants, losses)


# ---- skip-gram ---------------------------------------------------------------------------------


@inlined
def _score_all(s, n, outputs, blocks):
    """The scores of n contexts against the output rows, in tiles of two contexts."""
    scores = address_of(s.gradients)
    c = 0
    while c + 1 < n:
        score((s.contexts[c], s.contexts[c + 1]), outputs, blocks, scores + c * GROUP_BYTES, _stride(n))
        c += 2
    if c < n:
        score((s.contexts[c],), outputs, blocks, scores + c * GROUP_BYTES, _stride(n))


@inlined
def _skipgram_window(p, s, i, outputs, blocks, last, kept, window):
    """Train kept word i and its noise against its contexts; give the number of pairs."""
    pairs = 0
    at, high = p.low[i], p.high[i]
    weighed = p.repeats[i]
    at_once = CONTEXTS_AT_ONCE
    if weighed:
        at_once = _count_outputs(p, s, i)
    while at < high:
        upto = min(high, at + at_once)
        if at <= i < upto:
            upto = min(high, upto + 1)
        n = _gather(p, s, i, at, upto)
        at = upto
        if n == 0:
            continue
        pairs += n
        if weighed:
            n = _weigh(s, n)
        _score_all(s, n, outputs, blocks)
        _gradients(s, n, -(-len(outputs) // GROUP), weighed, p.rate[i])
        _prefetch_ahead(p, i, OUTPUTS_AHEAD, last, kept, window, blocks)  # here, as gradients are waited for
        update(s.contexts, n, outputs, blocks, address_of(s.gradients), _stride(n))
    return pairs


@compiled
def train_skipgram(chunk, rates, keys, rules, tables, rows, s, outputs_like, row_like, held_out):
    """Train every window of the stretch by skip-gram; give (loss sum, pairs, words)."""
    blocks, p = len(row_like), s.plan
    loss, examples, words = 0.0, 0, 0
    first, sentence = chunk.first, chunk.sentence
    while first < chunk.last:
        last = min(first + PIECE, chunk.last)
        begin, end, kept, sentence, seen = look_ahead(
            chunk, rates, keys, rules, tables, rows, p, first, last, sentence, held_out
        )
        for i in range(begin, end):
            outputs = take(p.outputs, i, p.outputs.shape[1], outputs_like)
            examples += _skipgram_window(p, s, i, outputs, blocks, end, kept, rules.window)
            if i % WINDOWS_PER_SUM == 0 or p.high[i] - p.low[i] > 2 * CONTEXTS_AT_ONCE:
                loss += total(address_of(s.losses))
        loss += total(address_of(s.losses))
        words += seen
        _merge_when_due(rows, last - first)
        first = last
    return loss, examples, words


# ---- CBOW --------------------------------------------------------------------------------------


@inlined
def _cbow_window(p, s, i, n, outputs, row_like):
    """Train the mean of kept word i's n contexts against it and its noise."""
    blocks = len(row_like)
    context, step, scores = address_of(s.context), address_of(s.step), address_of(s.gradients)
    mean(p.inputs, p.low[i], p.high[i], i, np.float32(1.0) / np.float32(n), context, row_like)
    score((context,), outputs, blocks, scores, _stride(1))
    weighed = p.repeats[i]
    if weighed:
        _count_outputs(p, s, i)
        _weigh(s, 1)
    _gradients(s, 1, -(-len(outputs) // GROUP), weighed, p.rate[i])
    update_from_one(context, step, outputs, blocks, scores, _stride(1))
    add_to_rows(p.inputs, p.low[i], p.high[i], i, step, row_like)


@compiled
def train_cbow(chunk, rates, keys, rules, tables, rows, s, outputs_like, row_like, held_out):
    """Train every window of the stretch by CBOW; give (loss sum, windows, words)."""
    blocks, p = len(row_like), s.plan
    loss, examples, words = 0.0, 0, 0
    first, sentence = chunk.first, chunk.sentence
    while first < chunk.last:
        last = min(first + PIECE, chunk.last)
        begin, end, kept, sentence, seen = look_ahead(
            chunk, rates, keys, rules, tables, rows, p, first, last, sentence, held_out
        )
        for i in range(begin, end):
            _prefetch_ahead(p, i, OUTPUTS_AHEAD_CBOW, end, kept, rules.window, blocks)
            n = p.high[i] - p.low[i] - 1
            if n > 0:
                _cbow_window(p, s, i, n, take(p.outputs, i, p.outputs.shape[1], outputs_like), row_like)
                examples += 1
            if i % WINDOWS_PER_SUM == 0:
                loss += total(address_of(s.losses))
        loss += total(address_of(s.losses))
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
