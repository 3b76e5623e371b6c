"""The compiled kernels of hierarchical softmax: skip-gram and CBOW, the output rows being a path of the Huffman tree.

All contexts of a window meet the same path, that of its centre, so that their products are small matrix products as
with negative sampling; only the number of output rows changes from window to window. They are taken in groups of
GROUP, the last filled up with a row of zeros that has no gradient. Paths are walked a few windows ahead, from the word
up: a word's entry leads to its parent's, of which those near the root are always at hand.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from firth.backends.base import CONTEXTS_AT_ONCE
from firth.backends.cpu_plan import FLOAT_BYTES, PIECE, Floats, Ints, find_inputs, find_repeated_contexts, look_ahead
from firth.backends.cpu_windows import (
    GROUP_BYTES,
    Scratch,
    count_tiles,
    gather,
    gradient_of_tile,
    loss_of_stretch,
    merge_when_due,
    scratch,
    stride,
    weigh,
)
from firth.backends.simd import (
    GROUP,
    add_to_rows,
    address_of,
    mean,
    prefetch,
    score,
    take,
    update_path,
    update_path_from_one,
)
from firth.huffman import LONGEST_PATH
from firth.jit import compiled, inlined
from firth.weights import aligned_rows

PATHS_AHEAD = 3  # windows between walking a path and using it
PATHS = 4  # kept at a time, a power of two
NEAR_NODES = 256  # nodes nearest to the root: always in the cache, so not asked for
BYTES = 256  # values of eight codes
HALF = 4  # of a group: where no more rows are used, no more are computed with
WHOLE_GROUP, HALF_GROUP = (0,) * GROUP, (0,) * HALF


class TreeScratch(NamedTuple):
    """One worker's buffers: those of every kernel, and the paths of windows soon to come."""

    window: Scratch
    nodes: Ints  # (PATHS, LONGEST_PATH + GROUP): addresses of output rows
    lengths: Ints  # (PATHS,)
    codes: Ints  # (PATHS, LONGEST_PATH / GROUP): eight codes in each
    signs: Floats  # for each eight codes, -1 for code 0 and 1 for code 1, of two contexts
    ones: Floats  # for each number of rows in a group, two contexts of ones for these, then zeros
    nothing: Floats  # a row of zeros


def tree_scratch(window: int, padded: int) -> TreeScratch:
    """Buffers for one worker: `window` words to each side, rows of `padded` floats."""
    bits = np.arange(BYTES)[:, None] >> np.arange(GROUP) & 1
    used = np.arange(GROUP) < np.arange(GROUP + 1)[:, None]
    ones = np.zeros((GROUP + 1, 3, GROUP), np.float32)
    ones[:, :2] = used[:, None]
    return TreeScratch(
        window=scratch(window, S=LONGEST_PATH, planned=1, padded=padded),
        nodes=np.zeros((PATHS, LONGEST_PATH + GROUP), np.int64),
        lengths=np.zeros(PATHS, np.int64),
        codes=np.zeros((PATHS, LONGEST_PATH // GROUP), np.int64),
        signs=np.repeat(2.0 * bits[:, None] - 1.0, 2, axis=1).astype(np.float32).reshape(-1),
        ones=ones.reshape(-1),
        nothing=aligned_rows(1, padded),
    )


# ---- paths -------------------------------------------------------------------------------------


@inlined
def _walk(tables, rows, t, word, slot, blocks):
    """Write down the path of a word, the node farthest from the root first, and ask for its rows."""
    row_bytes = rows.output.shape[1] * FLOAT_BYTES
    shared, own = address_of(rows.output), address_of(rows.own_output)
    V = len(tables.keep)
    length, eight = np.int64(0), np.int64(0)
    entry = np.int64(tables.tree[word])
    while entry >= 0:
        node = entry >> 1
        address = (own if node < rows.hot else shared) + node * row_bytes
        if node >= NEAR_NODES:
            prefetch(address, blocks)
        t.nodes[slot, length] = address
        eight |= (entry & 1) << (length % GROUP)
        t.codes[slot, length // GROUP] = eight
        length += 1
        if length % GROUP == 0:
            eight = np.int64(0)
        entry = np.int64(tables.tree[V + node])
    t.lengths[slot] = length
    for pad in range(length, length + GROUP):
        t.nodes[slot, pad] = address_of(t.nothing)


@inlined
def _gradients(t, slot, n, weighed, rate):
    """Turn the window's scores into gradients, two contexts at a time, and add up the loss."""
    s = t.window
    length = t.lengths[slot]
    groups = -(-length // GROUP)
    count_tiles(s, groups * ((n + 1) >> 1))
    for group in range(groups):
        used = min(length - group * GROUP, GROUP)
        signs = address_of(t.signs) + 2 * GROUP_BYTES * t.codes[slot, group]
        ones = address_of(t.ones) + 3 * GROUP_BYTES * used
        for c in range(0, n, 2):
            place = (group * stride(n) + c * GROUP) * FLOAT_BYTES
            gradient_of_tile(s, weighed, place, signs, ones + GROUP_BYTES * np.int64(c + 1 == n), rate)


@inlined
def _count_nodes(t, slot):
    """Each node of the path counts once, what fills its last group not at all."""
    length = t.lengths[slot]
    for k in range(-(-length // GROUP) * GROUP):
        t.window.counts[k] = np.float32(1.0) if k < length else np.float32(0.0)


# ---- skip-gram ---------------------------------------------------------------------------------


@inlined
def _score_group(contexts, t, slot, first, blocks, place, stride):
    """The scores of a tile's contexts against up to GROUP nodes from number `first` of the path on."""
    at = slot * t.nodes.shape[1] + first
    if t.lengths[slot] - first > HALF:
        score(contexts, take(t.nodes, at, 1, WHOLE_GROUP), blocks, place, stride)
    else:
        score(contexts, take(t.nodes, at, 1, HALF_GROUP), blocks, place, stride)


@inlined
def _skipgram_window(p, t, i, slot, blocks):
    """Train the path of kept word i against its contexts; give the number of pairs."""
    s = t.window
    pairs = 0
    at, high = p.low[i], p.high[i]
    weighed = p.contexts_repeat[i]
    length = t.lengths[slot]
    if length == 0:  # of the only word of a vocabulary, which is certain
        return high - at - 1
    while at < high:
        upto = min(high, at + CONTEXTS_AT_ONCE)
        if at <= i < upto:
            upto = min(high, upto + 1)
        n = gather(p, s, i, at, upto)
        at = upto
        if n == 0:
            continue
        pairs += n
        if weighed:
            _count_nodes(t, slot)
            weigh(s, n, s.counts, -(-length // GROUP))
        scores = address_of(s.gradients)
        for first in range(0, length, GROUP):
            place = scores + first // GROUP * stride(n) * FLOAT_BYTES
            for c in range(0, n - 1, 2):
                pair = (s.contexts[c], s.contexts[c + 1])
                _score_group(pair, t, slot, first, blocks, place + c * GROUP_BYTES, stride(n))
            if n & 1:
                _score_group((s.contexts[n - 1],), t, slot, first, blocks, place + (n - 1) * GROUP_BYTES, stride(n))
        _gradients(t, slot, n, weighed, p.rate[i])
        nodes = slot * t.nodes.shape[1]
        update_path(s.contexts, n, t.nodes, nodes, length, blocks, scores, stride(n))
    return pairs


@compiled
def train_skipgram_tree(chunk, rates, keys, rules, tables, rows, t, row_like, held_out):
    """Train every window of the stretch by skip-gram; give (loss sum, pairs, words)."""
    s = t.window
    blocks, p = len(row_like), s.plan
    examples, words = 0, 0
    first, sentence = chunk.first, chunk.sentence
    while first < chunk.last:
        last = min(first + PIECE, chunk.last)
        begin, end, kept, sentence, seen = look_ahead(
            chunk, rates, keys, rules, tables, p, first, last, sentence, held_out
        )
        find_repeated_contexts(p, end, kept)
        find_inputs(rows, p, kept)
        walked = begin
        for i in range(begin, end):
            while walked < min(end, i + PATHS_AHEAD + 1):
                _walk(tables, rows, t, p.outputs[0, walked], walked % PATHS, blocks)
                if walked + rules.window < kept:
                    prefetch(p.inputs[walked + rules.window], blocks)
                walked += 1
            examples += _skipgram_window(p, t, i, i % PATHS, blocks)
        words += seen
        merge_when_due(rows, last - first)
        first = last
    return loss_of_stretch(s), examples, words


# ---- CBOW --------------------------------------------------------------------------------------


@inlined
def _cbow_window(p, t, i, n, slot, row_like, corrected):
    """Train the mean of kept word i's n contexts against its path."""
    s, blocks = t.window, len(row_like)
    if t.lengths[slot] == 0:
        return
    one_nth = np.float32(1.0) / np.float32(n)
    context, scores = address_of(s.context), address_of(s.gradients)
    mean(p.inputs, p.low[i], p.high[i], i, one_nth, context, row_like)
    for first in range(0, t.lengths[slot], GROUP):
        place = scores + first // GROUP * stride(1) * FLOAT_BYTES
        _score_group((context,), t, slot, first, blocks, place, stride(1))
    _gradients(t, slot, 1, False, p.rate[i])
    nodes, step = slot * t.nodes.shape[1], address_of(s.step)
    update_path_from_one(context, step, t.nodes, nodes, t.lengths[slot], scores, stride(1), row_like)
    share = one_nth if corrected else np.float32(1.0)
    add_to_rows(p.inputs, p.low[i], p.high[i], i, step, share, row_like)


@compiled
def train_cbow_tree(chunk, rates, keys, rules, tables, rows, t, row_like, held_out):
    """Train every window of the stretch by CBOW; give (loss sum, windows, words)."""
    s = t.window
    blocks, p = len(row_like), s.plan
    examples, words = 0, 0
    first, sentence = chunk.first, chunk.sentence
    while first < chunk.last:
        last = min(first + PIECE, chunk.last)
        begin, end, kept, sentence, seen = look_ahead(
            chunk, rates, keys, rules, tables, p, first, last, sentence, held_out
        )
        find_inputs(rows, p, kept)
        walked = begin
        for i in range(begin, end):
            while walked < min(end, i + PATHS_AHEAD + 1):
                _walk(tables, rows, t, p.outputs[0, walked], walked % PATHS, blocks)
                if walked + rules.window < kept:
                    prefetch(p.inputs[walked + rules.window], blocks)
                walked += 1
            n = p.high[i] - p.low[i] - 1
            if n > 0:
                _cbow_window(p, t, i, n, i % PATHS, row_like, rules.corrected)
                examples += 1
        words += seen
        merge_when_due(rows, last - first)
        first = last
    return loss_of_stretch(s), examples, words
