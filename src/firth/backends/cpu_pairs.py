"""The compiled kernel of skip-gram with noise drawn anew for each pair of centre and context, as in word2vec.c.

Each pair takes a step of its own, one after another, and moves K + 1 output rows for one context: several times the
work and the memory of noise shared by a window. Noise is drawn for a few windows at once, and the rows of a pair are
asked for some pairs ahead.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from firth.backends.cpu_draws import draw
from firth.backends.cpu_plan import (
    FLOAT_BYTES,
    MARGIN,
    PIECE,
    Ints,
    find_inputs,
    look_ahead,
    make_distinct,
    noise_word,
)
from firth.backends.cpu_windows import (
    Scratch,
    column,
    count_outputs,
    gradients,
    loss_of_stretch,
    merge_when_due,
    scratch,
    stride,
    weigh,
)
from firth.backends.simd import address_of, prefetch, score, take, update
from firth.backends.simd_pieces import GROUP
from firth.draws import DRAWS_PER_POSITION, PAIRS_PER_POSITION
from firth.jit import compiled, inlined

PAIRS_AHEAD = 3  # pairs between asking for rows and using them
PAIRS = 256  # drawn at once, or those of one window if there are more


class PairScratch(NamedTuple):
    """One worker's buffers: those of every kernel, and the pairs of windows soon to come, in columns."""

    window: Scratch
    contexts: Ints  # the address of each pair's input row
    outputs: Ints  # (S, ·): the words of its output rows, and then their addresses
    counters: npt.NDArray[np.uint64]  # of its first noise draw
    drawn: npt.NDArray[np.uint64]
    rate: npt.NDArray[np.float32]
    repeats: npt.NDArray[np.bool_]  # whether an output row stands twice


def pair_scratch(window: int, S: int, padded: int) -> PairScratch:
    """Buffers for one worker: `window` words to each side, S output rows, rows of `padded` floats."""
    length = PAIRS + 2 * window + MARGIN
    return PairScratch(
        window=scratch(window, S, planned=1, padded=padded),
        contexts=np.zeros(length, np.int64),
        outputs=np.zeros((S, length), np.int64),
        counters=np.zeros(length, np.uint64),
        drawn=np.zeros(length, np.uint64),
        rate=np.zeros(length, np.float32),
        repeats=np.zeros(length, np.bool_),
    )


@inlined
def _list_pairs(chunk, keys, tables, p, t, i, last):
    """List the pairs of window i and of those after it, before `last`, while there is room.

    Gives how many there are, and the window after them.
    """
    n = np.int64(0)
    words = p.outputs[0]
    while i < last and (n == 0 or n + p.high[i] - p.low[i] <= PAIRS):
        position = np.uint64(chunk.position + p.places[i]) * np.uint64(PAIRS_PER_POSITION)
        begin = n
        for at in range(p.low[i], p.high[i]):
            t.contexts[n] = p.inputs[at]
            t.outputs[0, n] = words[i]
            t.counters[n] = (position + np.uint64(n - begin)) * np.uint64(DRAWS_PER_POSITION)
            t.rate[n] = p.rate[i]
            n += np.int64(at != i)  # else the next is written over it
        i += 1
    for k in range(1, len(t.outputs)):
        for pair in range(n):
            t.drawn[pair] = draw(keys.noise, t.counters[pair] + np.uint64(k - 1))
        for pair in range(n):
            t.outputs[k, pair] = noise_word(tables, t.drawn[pair])
    return n, i


@inlined
def _make_pairs_distinct(keys, tables, p, t, i, upto):
    """Draw noise again for the pairs of windows [i, upto) until it is neither centre nor context, nor drawn before."""
    pair = 0
    for window in range(i, upto):
        for at in range(p.low[window], p.high[window]):
            if at != window:
                make_distinct(keys, tables, p.outputs[0], at, at + 1, t.outputs, pair, t.counters[pair])
                pair += 1


@inlined
def _find_outputs(rows, t, n):
    """Mark pairs in which an output row stands twice, and find the rows of all."""
    for pair in range(n):
        t.repeats[pair] = False
    for k in range(1, len(t.outputs)):
        for other in range(k):
            for pair in range(n):
                t.repeats[pair] |= t.outputs[k, pair] == t.outputs[other, pair]
    row_bytes = rows.output.shape[1] * FLOAT_BYTES
    shared, own = address_of(rows.output), address_of(rows.own_output)
    for k in range(len(t.outputs)):
        for pair in range(n):
            t.outputs[k, pair] = (own if t.outputs[k, pair] < rows.hot else shared) + t.outputs[k, pair] * row_bytes


@inlined
def _train_pair(t, pair, outputs_like, row_like):
    """One step of a context's row and its output rows."""
    s = t.window
    outputs = take(t.outputs, pair, t.outputs.shape[1], outputs_like)
    weighed = t.repeats[pair]
    s.contexts[0] = t.contexts[pair]
    if weighed:
        count_outputs(t.outputs, s, pair)
        weigh(s, 1, s.counts, -(-len(outputs) // GROUP))
    scores = address_of(s.gradients)
    score((t.contexts[pair],), outputs, len(row_like), scores, stride(1))
    gradients(s, 1, -(-len(outputs) // GROUP), weighed, t.rate[pair])
    update(s.contexts, 1, outputs, scores, stride(1), column(t.outputs, pair + PAIRS_AHEAD), row_like)


@compiled
def train_skipgram_pairs(chunk, rates, keys, rules, tables, rows, t, outputs_like, row_like, distinct, held_out):
    """Train every pair of the stretch by skip-gram; give (loss sum, pairs, words). `distinct` is None or not."""
    s = t.window
    p = s.plan
    examples, words = 0, 0
    first, sentence = chunk.first, chunk.sentence
    while first < chunk.last:
        last = min(first + PIECE, chunk.last)
        i, end, kept, sentence, seen = look_ahead(chunk, rates, keys, rules, tables, p, first, last, sentence, held_out)
        find_inputs(rows, p, kept)
        while i < end:
            n, upto = _list_pairs(chunk, keys, tables, p, t, i, end)
            if distinct is not None:
                _make_pairs_distinct(keys, tables, p, t, i, upto)
            _find_outputs(rows, t, n)
            i = upto
            for pair in range(n):
                prefetch(t.contexts[pair + PAIRS_AHEAD], row_like)
                _train_pair(t, pair, outputs_like, row_like)
            examples += n
        words += seen
        merge_when_due(rows, last - first)
        first = last
    return loss_of_stretch(s), examples, words
