"""The kernels of the GPU for hierarchical softmax: skip-gram and CBOW, the output rows being a path of a Huffman tree.

A window's output rows y are the inner nodes on its centre's path, some 10 to 12 and up to 64. They are taken in tiles
of S, the last filled up with rows that count nothing. For skip-gram a tile stays in registers with what it gains, while
the contexts x of a step pass by, C at a time; what a context changes by is kept in the program's own memory from tile to
tile, and added with the last. So all gradients of a step are taken at the weights before it, as in the reference, but
for a word that stands twice among the contexts, more than C apart: its second place meets the last tile with its first
change. CBOW has one x, which stays in registers, so nothing is kept and all is the reference's.

Paths come from a table of all words' (`huffman.tree_paths`): the entries of a tile are read at once. Walking up the
tree, each would wait for the one before, hundreds of cycles each, and there are too few programs to hide that behind.
The table takes as much memory as some 22 numbers of each word's vector (75,299 words).
"""

from __future__ import annotations

import triton
import triton.language as tl

from firth.backends import base
from firth.backends.gpu_plan import first_kept, stretch
from firth.backends.gpu_rows import (
    add,
    add_to_contexts,
    contexts_of,
    load,
    mean_of,
    seeds_of,
    weighed,
    zeros,
)
from firth.backends.gpu_scores import LANES, in_lanes, steps

AT_ONCE = tl.constexpr(base.PATH_CONTEXTS_AT_ONCE)


@triton.jit
def nodes_of(path, S: tl.constexpr):
    """The inner nodes whose entries stand at `path`, and how often each counts: 0.0 behind the end."""
    nodes = ()
    counts = ()
    for s in tl.static_range(S):
        entry = tl.load(path + s)
        nodes = nodes + (tl.maximum(entry, 0) >> 1,)
        counts = counts + ((entry >= 0).to(tl.float32),)
    return nodes, counts


@triton.jit(do_not_specialize=["longest"])
def train_skipgram_tree(
    input,  # float32 or bfloat16 (V, WIDTH)
    output,
    input_scales,  # float32 (V,): what additions to each row are multiplied by (see `gpu_crowds`)
    output_scales,
    words,  # these as in `plan_windows`
    low,
    high,
    rates,
    at_once,
    centres,  # int32 (n,): its `outputs`, which without noise are the words themselves
    ends,
    settings,
    losses,  # float64 (programs,), written: the loss of each program's stretch
    examples,  # int64 (programs,), written: its examples
    paths,  # int32 (V, longest): as `huffman.tree_paths` gives them, filled up to a multiple of S
    lengths,  # int32 (V,)
    changes,  # float32 (programs, AT_ONCE, WIDTH), to work in
    longest,
    S: tl.constexpr,
    C: tl.constexpr,
    MAIN: tl.constexpr,
    TAIL: tl.constexpr,
    WARPS: tl.constexpr,
    WIDTH: tl.constexpr,
    ATOMIC: tl.constexpr,
    CORRECTED: tl.constexpr,
):
    """Train the windows of the chunk's kept words by skip-gram."""
    at, upto = stretch(ends, settings)
    earliest = first_kept(ends, settings)
    own = changes + tl.program_id(0).to(tl.int64) * AT_ONCE * WIDTH
    NEAR: tl.constexpr = 128 // input.dtype.element_ty.primitive_bitwidth  # sixteen bytes of a row
    loss = tl.zeros((LANES,), tl.float64)
    pairs = tl.zeros((), tl.int64)
    for i in range(at, upto):
        input_seed, output_seed = seeds_of(i, earliest, settings)
        first = tl.load(low + i)
        n = tl.load(high + i) - first - 1
        rate, most = tl.load(rates + i), tl.load(at_once + i)
        centre = tl.load(centres + i)
        length = tl.load(lengths + centre)
        path = paths + centre.to(tl.int64) * longest
        for begin in range(0, n, most):
            end = tl.minimum(n, begin + most)
            step_loss = tl.zeros((LANES,), tl.float32)
            for tile in range(0, length, S):
                rows, count = nodes_of(path + tile, S)
                labels, counts = in_lanes(path + tile, S, C, True)
                y, gain = load(output, rows, S, 0, MAIN, WIDTH), zeros(S, MAIN)
                y_tail, gain_tail = y, gain  # not used where there is no tail
                if TAIL:
                    y_tail, gain_tail = load(output, rows, S, MAIN, TAIL, WIDTH), zeros(S, TAIL)
                for some in range(begin, end, C):
                    contexts, there = contexts_of(words, i, first, some, end, C)
                    x, before = load(input, contexts, C, 0, MAIN, WIDTH), zeros(C, MAIN)
                    x_tail, before_tail = x, before
                    if TAIL:
                        x_tail, before_tail = load(input, contexts, C, MAIN, TAIL, WIDTH), zeros(C, TAIL)
                    kept = own + (some - begin) * WIDTH
                    if tile > 0:
                        if input.dtype.element_ty == tl.bfloat16:
                            tl.debug_barrier()  # see `kept_changes`
                        before = kept_changes(kept, there, C, 0, MAIN, WIDTH)
                        if TAIL:
                            before_tail = kept_changes(kept, there, C, MAIN, TAIL, WIDTH)
                    changed, changed_tail, gain, gain_tail, step_loss = steps(
                        x, x_tail, end - some, y, y_tail, labels, counts, rate,
                        before, before_tail, gain, gain_tail, step_loss, C, S, MAIN, TAIL, WARPS, NEAR,
                    )  # fmt: skip
                    if tile + S < length:
                        keep_changes(kept, there, changed, C, 0, MAIN, WIDTH)
                        if TAIL:
                            keep_changes(kept, there, changed_tail, C, MAIN, TAIL, WIDTH)
                    else:
                        input_weights = weighed(input_scales, contexts, there, C)
                        add(
                            input, contexts, input_weights, changed, x, input_seed + some * WIDTH,
                            C, 0, MAIN, WIDTH, ATOMIC,
                        )  # fmt: skip
                        if TAIL:
                            add(
                                input, contexts, input_weights, changed_tail, x_tail, input_seed + some * WIDTH,
                                C, MAIN, TAIL, WIDTH, ATOMIC,
                            )  # fmt: skip
                output_weights = weighed(output_scales, rows, count, S)
                add(
                    output, rows, output_weights, gain, y, output_seed + (begin * longest + tile) * WIDTH,
                    S, 0, MAIN, WIDTH, ATOMIC,
                )  # fmt: skip
                if TAIL:
                    add(
                        output, rows, output_weights, gain_tail, y_tail, output_seed + (begin * longest + tile) * WIDTH,
                        S, MAIN, TAIL, WIDTH, ATOMIC,
                    )  # fmt: skip
            loss += step_loss.to(tl.float64)
        pairs += tl.maximum(n, 0)
    tl.store(losses + tl.program_id(0), tl.sum(loss))
    tl.store(examples + tl.program_id(0), pairs)


@triton.jit
def kept_changes(kept, there, C: tl.constexpr, BEGIN: tl.constexpr, SIZE: tl.constexpr, WIDTH: tl.constexpr):
    """What `keep_changes` kept: C tensors (SIZE,).

    With rows of float32 they lie in registers as they did when they were kept, so that each thread reads what it wrote
    itself, and none waits for another. That asks for rows of as many floats as a program has threads, which `gpu_shapes`
    sees to. Rows of bfloat16 may give a thread eight numbers where four are kept at a time: there threads read what others
    wrote, and wait for them first.
    """
    d = BEGIN + tl.arange(0, SIZE)
    found = ()
    for c in tl.static_range(C):
        found = found + (tl.load(kept + c * WIDTH + d, mask=d < WIDTH * there[c].to(tl.int32), other=0.0),)
    return found


@triton.jit
def keep_changes(kept, there, changes, C: tl.constexpr, BEGIN: tl.constexpr, SIZE: tl.constexpr, WIDTH: tl.constexpr):
    """Keep columns [BEGIN, BEGIN + SIZE) of what the contexts that are there change by."""
    d = BEGIN + tl.arange(0, SIZE)
    for c in tl.static_range(C):
        tl.store(kept + c * WIDTH + d, changes[c], mask=d < WIDTH * there[c].to(tl.int32))


@triton.jit(do_not_specialize=["longest"])
def train_cbow_tree(
    input,
    output,
    input_scales,
    output_scales,
    words,
    low,
    high,
    rates,
    at_once,
    centres,
    ends,
    settings,
    losses,
    examples,
    paths,
    lengths,
    changes,
    longest,
    S: tl.constexpr,
    C: tl.constexpr,
    MAIN: tl.constexpr,
    TAIL: tl.constexpr,
    WARPS: tl.constexpr,
    WIDTH: tl.constexpr,
    ATOMIC: tl.constexpr,
    CORRECTED: tl.constexpr,  # whether each context gets its share of the gradient, instead of the whole
):
    """Train the windows of the chunk's kept words by CBOW; the arguments are those of `train_skipgram_tree`."""
    at, upto = stretch(ends, settings)
    earliest = first_kept(ends, settings)
    NEAR: tl.constexpr = 128 // input.dtype.element_ty.primitive_bitwidth  # sixteen bytes of a row
    loss = tl.zeros((LANES,), tl.float64)
    windows = tl.zeros((), tl.int64)
    for i in range(at, upto):
        input_seed, output_seed = seeds_of(i, earliest, settings)
        first = tl.load(low + i)
        n = tl.load(high + i) - first - 1
        if n > 0:
            centre = tl.load(centres + i)
            length = tl.load(lengths + centre)
            path = paths + centre.to(tl.int64) * longest
            x, x_tail = mean_of(input, words, i, first, n, C, MAIN, TAIL, WIDTH)
            changed, changed_tail = (tl.zeros_like(x),), (tl.zeros_like(x_tail),)
            rate = tl.load(rates + i)
            step_loss = tl.zeros((LANES,), tl.float32)
            for tile in range(0, length, S):
                rows, count = nodes_of(path + tile, S)
                labels, counts = in_lanes(path + tile, S, 1, True)
                y, gain = load(output, rows, S, 0, MAIN, WIDTH), zeros(S, MAIN)
                y_tail, gain_tail = y, gain
                if TAIL:
                    y_tail, gain_tail = load(output, rows, S, MAIN, TAIL, WIDTH), zeros(S, TAIL)
                changed, changed_tail, gain, gain_tail, step_loss = steps(
                    (x,), (x_tail,), 1, y, y_tail, labels, counts, rate,
                    changed, changed_tail, gain, gain_tail, step_loss, 1, S, MAIN, TAIL, WARPS, NEAR,
                )  # fmt: skip
                output_weights = weighed(output_scales, rows, count, S)
                add(output, rows, output_weights, gain, y, output_seed + tile * WIDTH, S, 0, MAIN, WIDTH, ATOMIC)
                if TAIL:
                    add(
                        output, rows, output_weights, gain_tail, y_tail, output_seed + tile * WIDTH,
                        S, MAIN, TAIL, WIDTH, ATOMIC,
                    )  # fmt: skip
            change, change_tail = changed[0], changed_tail[0]
            if CORRECTED:
                one_nth = 1.0 / n.to(tl.float32)
                change, change_tail = change * one_nth, change_tail * one_nth
            add_to_contexts(
                input, input_scales, words, i, first, n, change, change_tail, input_seed, C, MAIN, TAIL, WIDTH
            )
            loss += step_loss.to(tl.float64)
            windows += 1
    tl.store(losses + tl.program_id(0), tl.sum(loss))
    tl.store(examples + tl.program_id(0), windows)
