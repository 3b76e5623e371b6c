"""The compiled kernels of words made of character n-grams: skip-gram and CBOW with negative sampling.

A word's parts are its own row and those of its n-grams, some 17 in all: x is the mean of the parts of skip-gram's
centre, or of all CBOW's contexts, and each part takes the step of x, one that stands twice in a word once. The
parts of words soon to come are asked for, one word's at each window.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from firth.backends.cpu_plan import FLOAT_BYTES, PIECE, Floats, Ints, draw_noise, find_inputs, look_ahead
from firth.backends.cpu_windows import (
    Scratch,
    column,
    count_outputs,
    gradients,
    is_merge_due,
    loss_of_stretch,
    merge,
    merge_rows,
    scratch,
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
from firth.ngrams import GramTable
from firth.weights import aligned_rows

PARTS_AHEAD = 1  # windows between asking for the parts of a word and using them
OUTPUTS_AHEAD = 3  # likewise for output rows


class GramRows(NamedTuple):
    """The n-grams of all words, and their rows: shared ones, and the worker's own of the `hot` most frequent."""

    offsets: Ints  # (V + 1,), where the n-grams of each word begin in `rows`
    rows: npt.NDArray[np.int32]
    distinct: Ints  # (V,), how many n-grams of each word differ: its first
    matrix: Floats  # (U, padded D)
    hot: int
    own: Floats
    merged: Floats  # what the worker's own rows were at the last merge
    parts: Ints  # room for the addresses of the parts of any word


class GramScratch(NamedTuple):
    """One worker's buffers: those of every kernel, and what n-grams need besides."""

    window: Scratch
    words: Ints  # the number of each kept word of the piece
    some: Floats  # the sum of a word's parts


def gram_scratch(window: int, S: int, padded: int) -> GramScratch:
    """Buffers for one worker: `window` words to each side, S output rows, rows of `padded` floats."""
    buffers = scratch(window, S, planned=S, padded=padded)
    return GramScratch(buffers, words=np.zeros_like(buffers.plan.inputs), some=aligned_rows(1, padded))


def gram_rows(table: GramTable, matrix: Floats, hot: int) -> GramRows:
    """The rows of n-grams for one worker, with copies of the `hot` most frequent."""
    own, merged = (aligned_rows(max(hot, 1), matrix.shape[1])[:hot] for _ in range(2))
    own[:] = merged[:] = matrix[:hot]
    parts = np.zeros(int(np.diff(table.offsets).max(initial=0)) + 1, np.int64)
    return GramRows(table.offsets, table.rows, table.distinct, matrix, hot, own, merged, parts)


@compiled
def merge_grams(g):
    """Merge a worker's own rows of n-grams with the shared ones."""
    merge_rows(g.matrix, g.own, g.merged)


@inlined
def _merge_when_due(rows, g, tokens):
    if is_merge_due(rows, tokens):
        merge(rows)
        merge_grams(g)


# ---- words and their parts ---------------------------------------------------------------------


@inlined
def _list_parts(g, p, t, i):
    """Write down the addresses of the parts of kept word i; give how many."""
    row_bytes = g.matrix.shape[1] * FLOAT_BYTES
    shared, own = address_of(g.matrix), address_of(g.own)
    word = t.words[i]
    g.parts[0] = p.inputs[i]
    n = np.int64(1)
    for k in range(g.offsets[word], g.offsets[word + 1]):
        row = np.int64(g.rows[k])
        g.parts[n] = (own if row < g.hot else shared) + row * row_bytes
        n += 1
    return n


@inlined
def _differing_parts(g, t, i):
    """How many parts of kept word i differ: those listed first."""
    return 1 + g.distinct[t.words[i]]


@inlined
def _ask_for_parts(g, p, t, i, last, row_like):
    """Ask for the parts of kept word i, if it stands before `last`."""
    if i < last:
        for part in range(_list_parts(g, p, t, i)):
            prefetch(g.parts[part], row_like)


@inlined
def _note_words(p, t, kept):
    """Note the number of each kept word; before `find_inputs`, which puts addresses in their place."""
    for i in range(kept):
        t.words[i] = p.inputs[i]


@inlined
def _add_row(row, total, keep):
    """Total = keep · total + row."""
    for d in range(total.shape[1]):
        total[0, d] = keep * total[0, d] + row[0, d]


# ---- skip-gram ---------------------------------------------------------------------------------


@inlined
def _skipgram_window(p, g, t, i, outputs_like, row_like):
    """Train the parts of kept word i to predict its contexts, one after another; give how many there are."""
    s, blocks, groups = t.window, len(row_like), -(-len(outputs_like) // GROUP)
    x, scores = address_of(s.context), address_of(s.gradients)
    parts = _list_parts(g, p, t, i)
    mean(g.parts, 0, parts, -1, np.float32(1.0) / np.float32(parts), x, row_like)
    _add_row(s.context, s.step, np.float32(0.0))
    s.contexts[0] = x
    for at in range(p.low[i], p.high[i]):
        if at == i:
            continue
        outputs = take(p.outputs, at, p.outputs.shape[1], outputs_like)
        weighed = p.outputs_repeat[at]
        if weighed:
            count_outputs(p.outputs, s, at)
            weigh(s, 1, s.counts, groups)
        score((x,), outputs, blocks, scores, stride(1))
        gradients(s, 1, groups, weighed, p.rate[i])
        update(s.contexts, 1, outputs, scores, stride(1), None, row_like)
    for d in range(s.step.shape[1]):
        s.step[0, d] = s.context[0, d] - s.step[0, d]
    add_to_rows(g.parts, 0, _differing_parts(g, t, i), -1, address_of(s.step), np.float32(1.0), row_like)
    return p.high[i] - p.low[i] - 1


@compiled
def train_skipgram_grams(chunk, rates, keys, rules, tables, rows, t, g, outputs_like, row_like, held_out):
    """Train every window of the stretch by skip-gram; give (loss sum, pairs, words)."""
    s = t.window
    p = s.plan
    examples, words = 0, 0
    first, sentence = chunk.first, chunk.sentence
    while first < chunk.last:
        last = min(first + PIECE, chunk.last)
        begin, end, kept, sentence, seen = look_ahead(
            chunk, rates, keys, rules, tables, p, first, last, sentence, held_out
        )
        draw_noise(chunk, keys, tables, rows, p, kept, None)
        _note_words(p, t, kept)
        find_inputs(rows, p, kept)
        for i in range(begin, end):
            _ask_for_parts(g, p, t, i + PARTS_AHEAD, end, row_like)
            if i + rules.window + OUTPUTS_AHEAD < kept:
                for k in range(len(p.outputs)):
                    prefetch(p.outputs[k, i + rules.window + OUTPUTS_AHEAD], row_like)
            if p.high[i] - p.low[i] > 1:
                examples += _skipgram_window(p, g, t, i, outputs_like, row_like)
        words += seen
        _merge_when_due(rows, g, last - first)
        first = last
    return loss_of_stretch(s), examples, words


# ---- CBOW --------------------------------------------------------------------------------------


@inlined
def _cbow_window(p, g, t, i, outputs, row_like, corrected):
    """Train the mean of all parts of kept word i's contexts against it and its noise."""
    s, blocks = t.window, len(row_like)
    context, step, scores = address_of(s.context), address_of(s.step), address_of(s.gradients)
    n, one = p.high[i] - p.low[i] - 1, np.float32(1.0)
    all_parts = 0
    for at in range(p.low[i], p.high[i]):
        if at != i:
            parts = _list_parts(g, p, t, at)
            mean(g.parts, 0, parts, -1, one, address_of(t.some), row_like)
            _add_row(t.some, s.context, np.float32(all_parts > 0))
            all_parts += parts
    for d in range(s.context.shape[1]):
        s.context[0, d] *= one / np.float32(all_parts)
    score((context,), outputs, blocks, scores, stride(1))
    groups, weighed = -(-len(outputs) // GROUP), p.outputs_repeat[i]
    if weighed:
        count_outputs(p.outputs, s, i)
        weigh(s, 1, s.counts, groups)
    gradients(s, 1, groups, weighed, p.rate[i])
    update_from_one(context, step, outputs, scores, stride(1), column(p.outputs, i + OUTPUTS_AHEAD), row_like)
    share = one / np.float32(n) if corrected else one
    for at in range(p.low[i], p.high[i]):
        if at != i:
            _list_parts(g, p, t, at)
            add_to_rows(g.parts, 0, _differing_parts(g, t, at), -1, step, share, row_like)


@compiled
def train_cbow_grams(chunk, rates, keys, rules, tables, rows, t, g, outputs_like, row_like, held_out):
    """Train every window of the stretch by CBOW; give (loss sum, windows, words)."""
    s = t.window
    p = s.plan
    examples, words = 0, 0
    first, sentence = chunk.first, chunk.sentence
    while first < chunk.last:
        last = min(first + PIECE, chunk.last)
        begin, end, kept, sentence, seen = look_ahead(
            chunk, rates, keys, rules, tables, p, first, last, sentence, held_out
        )
        draw_noise(chunk, keys, tables, rows, p, end, None)
        _note_words(p, t, kept)
        find_inputs(rows, p, kept)
        for i in range(begin, end):
            _ask_for_parts(g, p, t, i + rules.window + PARTS_AHEAD, kept, row_like)
            if p.high[i] - p.low[i] > 1:
                outputs = take(p.outputs, i, p.outputs.shape[1], outputs_like)
                _cbow_window(p, g, t, i, outputs, row_like, rules.corrected)
                examples += 1
        words += seen
        _merge_when_due(rows, g, last - first)
        first = last
    return loss_of_stretch(s), examples, words
