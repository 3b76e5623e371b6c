"""The compiled kernels of hierarchical softmax: skip-gram and CBOW, the output rows being a path of the Huffman tree.

All contexts of a window meet the same path, that of its centre, so that their products are small matrix products as
with negative sampling; only the number of output rows changes from window to window. They are taken in groups of
GROUP, the last filled up with a row of zeros that has no gradient. Paths are walked a few windows ahead, from the word
up: a word's entry leads to its parent's, of which those near the root are always at hand. How many nodes a path has is
looked up beforehand: an end that only shows at the end of a chain of loads would be mispredicted, and late.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from firth.backends.base import PATH_CONTEXTS_AT_ONCE
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
    add_to_rows,
    address_of,
    mean,
    prefetch,
    score,
    take,
    update_path,
    update_path_from_one,
)
from firth.backends.simd_pieces import GROUP, PAIR
from firth.huffman import LONGEST_PATH
from firth.jit import compiled, inlined
from firth.weights import aligned_rows

PATHS_AHEAD = 3  # windows between walking a path and using it
PATHS = 4  # kept at a time, a power of two
NEAR_NODES = 256  # nodes nearest to the root: always in the cache, so not asked for
HALF = 4  # of a group: where no more rows are used, no more are computed with
WHOLE_GROUP, HALF_GROUP, TWO_GROUPS = (0,) * GROUP, (0,) * HALF, (0,) * PAIR


class TreeScratch(NamedTuple):
    """One worker's buffers: those of every kernel, and the paths of windows soon to come."""

    window: Scratch
    nodes: Ints  # (PATHS, LONGEST_PATH + PAIR): addresses of output rows
    lengths: Ints  # (PATHS,)
    signs: Floats  # (PATHS, ·): -1 for code 0 and 1 for code 1
    signs_of_two: Floats  # those of a group, for two contexts
    ones: Floats  # for each number of rows in a group, two contexts of ones for these, then zeros
    ones_of_one: Floats  # PAIR ones, then as many zeros
    nothing: Floats  # a row of zeros


def tree_scratch(window: int, padded: int) -> TreeScratch:
    """Buffers for one worker: `window` words to each side, rows of `padded` floats."""
    used = np.arange(GROUP) < np.arange(GROUP + 1)[:, None]
    ones = np.zeros((GROUP + 1, 3, GROUP), np.float32)
    ones[:, :2] = used[:, None]
    return TreeScratch(
        window=scratch(window, S=LONGEST_PATH, planned=1, padded=padded),
        nodes=np.zeros((PATHS, LONGEST_PATH + PAIR), np.int64),
        lengths=np.zeros(PATHS, np.int64),
        signs=np.zeros((PATHS, LONGEST_PATH + PAIR), np.float32),
        signs_of_two=np.zeros(PAIR, np.float32),
        ones=ones.reshape(-1),
        ones_of_one=np.repeat(np.array([1.0, 0.0], np.float32), PAIR),
        nothing=aligned_rows(1, padded),
    )


# ---- paths -------------------------------------------------------------------------------------


def path_lengths(tree: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    """How many nodes the path of each of V words has: those that are not near the root, and all; uint8 (V, 2)."""
    V = (len(tree) + 1) // 2
    lengths = np.zeros((V, 2), np.uint8)
    _count_steps(tree, np.zeros((V, 2), np.uint8), lengths)
    return lengths


@compiled
def _count_steps(tree, of_nodes, of_words):
    V = len(of_words)
    for node in range(V - 1):
        for kind in range(2):
            above = of_nodes[tree[V + node] >> 1, kind] if node > 0 else 0  # a parent stands before its children
            of_nodes[node, kind] = above + (kind == 1 or node >= NEAR_NODES)
    for word in range(V if V > 1 else 0):
        for kind in range(2):
            of_words[word, kind] = of_nodes[tree[word] >> 1, kind]


@inlined
def _step(tables, rows, t, entry, slot, k):
    """Write down the node that an entry leads to, the k-th of a path, and its sign; give its address and own entry."""
    node = entry >> 1
    start = address_of(rows.own_output) if node < rows.hot else address_of(rows.output)
    address = start + node * rows.output.shape[1] * FLOAT_BYTES
    t.nodes[slot, k] = address
    t.signs[slot, k] = np.float32(2 * (entry & 1) - 1)
    return address, np.int64(tables.tree[len(tables.keep) + node])


@inlined
def _walk(tables, rows, t, word, slot, row_like):
    """Write down the path of a word, the node farthest from the root first, and ask for its rows."""
    far, length = np.int64(tables.lengths[word, 0]), np.int64(tables.lengths[word, 1])
    entry = np.int64(tables.tree[word])
    for k in range(far):
        address, entry = _step(tables, rows, t, entry, slot, k)
        prefetch(address, row_like)
    for k in range(far, length):
        _, entry = _step(tables, rows, t, entry, slot, k)
    t.lengths[slot] = length
    for pad in range(length, length + PAIR):
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
        for k in range(GROUP):
            t.signs_of_two[k] = t.signs_of_two[GROUP + k] = t.signs[slot, group * GROUP + k]
        signs = address_of(t.signs_of_two)
        ones = address_of(t.ones) + 3 * GROUP_BYTES * used
        for c in range(0, n, 2):
            place = (group * stride(n) + c * GROUP) * FLOAT_BYTES
            gradient_of_tile(s, weighed, place, signs, ones + GROUP_BYTES * np.int64(c + 1 == n), rate)


@inlined
def _gradients_of_one(t, slot, rate):
    """The same for a single context: PAIR nodes at a time, their scores one after another."""
    s, length = t.window, t.lengths[slot]
    count_tiles(s, -(-length // PAIR))
    for first in range(0, length, PAIR):
        signs = address_of(t.signs) + (slot * t.signs.shape[1] + first) * FLOAT_BYTES
        ones = address_of(t.ones_of_one) + (PAIR - min(length - first, PAIR)) * FLOAT_BYTES
        gradient_of_tile(s, False, first * FLOAT_BYTES, signs, ones, rate)


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
        upto = min(high, at + PATH_CONTEXTS_AT_ONCE)
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
                _walk(tables, rows, t, p.outputs[0, walked], walked % PATHS, row_like)
                if walked + rules.window < kept:
                    prefetch(p.inputs[walked + rules.window], row_like)
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
    nodes, step = slot * t.nodes.shape[1], address_of(s.step)
    for first in range(0, t.lengths[slot], PAIR):  # mostly once
        outputs = take(t.nodes, nodes + first, 1, TWO_GROUPS)
        score((context,), outputs, blocks, scores + first * FLOAT_BYTES, GROUP)
    _gradients_of_one(t, slot, p.rate[i])
    update_path_from_one(context, step, t.nodes, nodes, t.lengths[slot], scores, row_like)
    share = one_nth if corrected else np.float32(1.0)
    add_to_rows(p.inputs, p.low[i], p.high[i], i, step, share, row_like)


@compiled
def train_cbow_tree(chunk, rates, keys, rules, tables, rows, t, row_like, held_out):
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
        find_inputs(rows, p, kept)
        walked = begin
        for i in range(begin, end):
            while walked < min(end, i + PATHS_AHEAD + 1):
                _walk(tables, rows, t, p.outputs[0, walked], walked % PATHS, row_like)
                if walked + rules.window < kept:
                    prefetch(p.inputs[walked + rules.window], row_like)
                walked += 1
            n = p.high[i] - p.low[i] - 1
            if n > 0:
                _cbow_window(p, t, i, n, i % PATHS, row_like, rules.corrected)
                examples += 1
        words += seen
        merge_when_due(rows, last - first)
        first = last
    return loss_of_stretch(s), examples, words
