"""The compiled kernels: skip-gram and CBOW with negative sampling, noise drawn by window, over a stretch of the corpus.

Both hold to `reference.py`, draw for draw and equation for equation. A stretch is trained piece by piece, each planned
ahead by `cpu_plan`. How many output rows there are (S = 1 + K) and how many vectors make a row is known when a kernel
is compiled: they are the lengths of the tuples `outputs_like` and `row_like`, whose items do not matter. `distinct` is
None unless noise words must be distinct: what is not asked for is not compiled.
"""

from __future__ import annotations

import numpy as np

from firth.backends.base import CONTEXTS_AT_ONCE
from firth.backends.cpu_plan import PIECE, draw_noise, find_inputs, find_repeated_contexts, look_ahead
from firth.backends.cpu_windows import (
    GROUP_BYTES,
    column,
    count_outputs,
    gather,
    gradients,
    loss_of_stretch,
    merge_when_due,
    stride,
    weigh,
)
from firth.backends.simd import (
    add_to_rows,
    address_of,
    mean,
    prefetch,
    score,
    take,
    update,
    update_from_one,
)
from firth.backends.simd_pieces import GROUP
from firth.jit import compiled, inlined
from firth.machine import LANES

# Windows between asking for output rows and using them: at 1 skip-gram is a sixth slower; at 3 one thread is as fast as
# at 2, and two are some 4 % faster. Longer rows, whose windows take longer, would push one another out of the cache.
OUTPUTS_AHEAD = 3
OUTPUTS_AHEAD_LONG = 2
LONG_ROW = 256  # floats
OUTPUTS_AHEAD_CBOW = 4


@inlined
def _ask_for_input(p, soon, kept, window, row_like):
    """Ask for the input row that a window soon to come will reach."""
    if soon + window < kept:
        prefetch(p.inputs[soon + window], row_like)


# ---- skip-gram ---------------------------------------------------------------------------------


@inlined
def _score_all(s, n, outputs, blocks):
    """The scores of n contexts against the output rows, in tiles of two contexts."""
    scores = address_of(s.gradients)
    c = 0
    while c + 1 < n:
        score((s.contexts[c], s.contexts[c + 1]), outputs, blocks, scores + c * GROUP_BYTES, stride(n))
        c += 2
    if c < n:
        score((s.contexts[c],), outputs, blocks, scores + c * GROUP_BYTES, stride(n))


@inlined
def _skipgram_window(p, s, i, outputs, row_like, kept, window):
    """Train kept word i and its noise against its contexts; give the number of pairs."""
    pairs, blocks = 0, len(row_like)
    at, high = p.low[i], p.high[i]
    groups = -(-len(outputs) // GROUP)
    soon = i + (OUTPUTS_AHEAD if blocks * LANES <= LONG_ROW else OUTPUTS_AHEAD_LONG)
    weighed = p.contexts_repeat[i] | p.outputs_repeat[i]
    at_once, counts = CONTEXTS_AT_ONCE, s.once
    if p.outputs_repeat[i]:
        at_once, counts = count_outputs(p.outputs, s, i), s.counts
    while at < high:
        upto = min(high, at + at_once)
        if at <= i < upto:
            upto = min(high, upto + 1)
        n = gather(p, s, i, at, upto)
        at = upto
        if n == 0:
            continue
        pairs += n
        _score_all(s, n, outputs, blocks)
        if weighed:
            weigh(s, n, counts, groups)
        gradients(s, n, groups, weighed, p.rate[i])
        _ask_for_input(p, soon, kept, window, row_like)
        update(s.contexts, n, outputs, address_of(s.gradients), stride(n), column(p.outputs, soon), row_like)
    return pairs


@compiled
def train_skipgram(chunk, rates, keys, rules, tables, rows, s, outputs_like, row_like, distinct, held_out):
    """Train every window of the stretch by skip-gram; give (loss sum, pairs, words)."""
    p = s.plan
    examples, words = 0, 0
    first, sentence = chunk.first, chunk.sentence
    while first < chunk.last:
        last = min(first + PIECE, chunk.last)
        begin, end, kept, sentence, seen = look_ahead(
            chunk, rates, keys, rules, tables, p, first, last, sentence, held_out
        )
        draw_noise(chunk, keys, tables, rows, p, end, distinct)
        find_repeated_contexts(p, end, kept)
        find_inputs(rows, p, kept)
        for i in range(begin, end):
            outputs = take(p.outputs, i, p.outputs.shape[1], outputs_like)
            examples += _skipgram_window(p, s, i, outputs, row_like, kept, rules.window)
        words += seen
        merge_when_due(rows, last - first)
        first = last
    return loss_of_stretch(s), examples, words


# ---- CBOW --------------------------------------------------------------------------------------


@inlined
def _cbow_window(p, s, i, n, outputs, row_like, corrected):
    """Train the mean of kept word i's n contexts against it and its noise."""
    blocks = len(row_like)
    context, step, scores = address_of(s.context), address_of(s.step), address_of(s.gradients)
    one_nth = np.float32(1.0) / np.float32(n)
    mean(p.inputs, p.low[i], p.high[i], i, one_nth, context, row_like)
    score((context,), outputs, blocks, scores, stride(1))
    groups, weighed = -(-len(outputs) // GROUP), p.outputs_repeat[i]
    if weighed:
        count_outputs(p.outputs, s, i)
        weigh(s, 1, s.counts, groups)
    gradients(s, 1, groups, weighed, p.rate[i])
    ahead = column(p.outputs, i + OUTPUTS_AHEAD_CBOW)
    update_from_one(context, step, outputs, scores, stride(1), ahead, row_like)
    add_to_rows(p.inputs, p.low[i], p.high[i], i, step, one_nth if corrected else np.float32(1.0), row_like)


@compiled
def train_cbow(chunk, rates, keys, rules, tables, rows, s, outputs_like, row_like, distinct, held_out):
    """Train every window of the stretch by CBOW; give (loss sum, windows, words)."""
    p = s.plan
    examples, words = 0, 0
    first, sentence = chunk.first, chunk.sentence
    while first < chunk.last:
        last = min(first + PIECE, chunk.last)
        begin, end, kept, sentence, seen = look_ahead(
            chunk, rates, keys, rules, tables, p, first, last, sentence, held_out
        )
        draw_noise(chunk, keys, tables, rows, p, end, distinct)
        find_inputs(rows, p, kept)
        for i in range(begin, end):
            _ask_for_input(p, i + OUTPUTS_AHEAD_CBOW, kept, rules.window, row_like)
            n = p.high[i] - p.low[i] - 1
            if n > 0:
                outputs = take(p.outputs, i, p.outputs.shape[1], outputs_like)
                _cbow_window(p, s, i, n, outputs, row_like, rules.corrected)
                examples += 1
        words += seen
        merge_when_due(rows, last - first)
        first = last
    return loss_of_stretch(s), examples, words
