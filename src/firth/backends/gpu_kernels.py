"""The kernels of the GPU: skip-gram and CBOW with negative sampling, noise drawn by window.

Each program walks through a stretch of the kept words of a chunk, window by window. A window's output rows y, S of
them, stay in registers with what they gain; its contexts x pass by, C at a time. Steps are the reference's: gradients
of a step are taken at the weights before it, an output row that stands twice counts twice. One thing differs: a word
that stands twice among a skip-gram window's contexts, more than C apart, is read the second time with its first change.

Programs race; additions are atomic, so none is lost, and scaled, so that what is added to a frequent row at once steps
no farther than is sound. With one program, windows come in the order of the corpus, and nothing is scaled.
"""

from __future__ import annotations

import triton
import triton.language as tl

from firth.backends.gpu_plan import first_kept, stretch
from firth.backends.gpu_rows import (
    add,
    add_to_contexts,
    contexts_of,
    load,
    mean_of,
    outputs_of,
    seeds_of,
    weighed,
    zeros,
)
from firth.backends.gpu_scores import LANES, in_lanes, steps


@triton.jit
def train_skipgram(
    input,  # float32 or bfloat16 (V, WIDTH)
    output,
    input_scales,  # float32 (V,): what additions to each row are multiplied by (see `gpu_crowds`)
    output_scales,
    words,  # these as in `plan_windows`
    low,
    high,
    rates,
    at_once,
    outputs,
    ends,
    settings,
    losses,  # float64 (programs,), written: the loss of each program's stretch
    examples,  # int64 (programs,), written: its examples
    S: tl.constexpr,
    PADDED: tl.constexpr,
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
    NEAR: tl.constexpr = 128 // input.dtype.element_ty.primitive_bitwidth  # sixteen bytes of a row
    loss = tl.zeros((LANES,), tl.float64)
    pairs = tl.zeros((), tl.int64)
    for i in range(at, upto):
        input_seed, output_seed = seeds_of(i, earliest, settings)
        first = tl.load(low + i)
        n = tl.load(high + i) - first - 1
        rate, most = tl.load(rates + i), tl.load(at_once + i)
        rows, count = outputs_of(outputs + i * PADDED, S)
        labels, counts = in_lanes(outputs + i * PADDED, S, C, False)
        for begin in range(0, n, most):
            end = tl.minimum(n, begin + most)
            y, gain = load(output, rows, S, 0, MAIN, WIDTH), zeros(S, MAIN)
            y_tail, gain_tail = y, gain  # not used where there is no tail
            if TAIL:
                y_tail, gain_tail = load(output, rows, S, MAIN, TAIL, WIDTH), zeros(S, TAIL)
            step_loss = tl.zeros((LANES,), tl.float32)
            for some in range(begin, end, C):
                contexts, there = contexts_of(words, i, first, some, end, C)
                x = load(input, contexts, C, 0, MAIN, WIDTH)
                x_tail = x
                if TAIL:
                    x_tail = load(input, contexts, C, MAIN, TAIL, WIDTH)
                changes, changes_tail, gain, gain_tail, step_loss = steps(
                    x, x_tail, end - some, y, y_tail, labels, counts, rate,
                    zeros(C, MAIN), zeros(C, TAIL or MAIN), gain, gain_tail, step_loss, C, S, MAIN, TAIL, WARPS, NEAR,
                )  # fmt: skip
                input_weights = weighed(input_scales, contexts, there, C)
                add(input, contexts, input_weights, changes, x, input_seed + some * WIDTH, C, 0, MAIN, WIDTH, ATOMIC)
                if TAIL:
                    add(
                        input, contexts, input_weights, changes_tail, x_tail, input_seed + some * WIDTH,
                        C, MAIN, TAIL, WIDTH, ATOMIC,
                    )  # fmt: skip
            output_weights = weighed(output_scales, rows, count, S)
            add(output, rows, output_weights, gain, y, output_seed + begin * S * WIDTH, S, 0, MAIN, WIDTH, ATOMIC)
            if TAIL:
                add(
                    output, rows, output_weights, gain_tail, y_tail, output_seed + begin * S * WIDTH,
                    S, MAIN, TAIL, WIDTH, ATOMIC,
                )  # fmt: skip
            loss += step_loss.to(tl.float64)
        pairs += tl.maximum(n, 0)
    tl.store(losses + tl.program_id(0), tl.sum(loss))
    tl.store(examples + tl.program_id(0), pairs)


@triton.jit
def train_cbow(
    input,
    output,
    input_scales,
    output_scales,
    words,
    low,
    high,
    rates,
    at_once,
    outputs,
    ends,
    settings,
    losses,
    examples,
    S: tl.constexpr,
    PADDED: tl.constexpr,
    C: tl.constexpr,
    MAIN: tl.constexpr,
    TAIL: tl.constexpr,
    WARPS: tl.constexpr,
    WIDTH: tl.constexpr,
    ATOMIC: tl.constexpr,
    CORRECTED: tl.constexpr,  # whether each context gets its share of the gradient, instead of the whole
):
    """Train the windows of the chunk's kept words by CBOW; the arguments are those of `train_skipgram`."""
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
            rows, count = outputs_of(outputs + i * PADDED, S)
            labels, counts = in_lanes(outputs + i * PADDED, S, 1, False)
            y, gain = load(output, rows, S, 0, MAIN, WIDTH), zeros(S, MAIN)
            y_tail, gain_tail = y, gain
            x, x_tail = mean_of(input, words, i, first, n, C, MAIN, TAIL, WIDTH)
            if TAIL:
                y_tail, gain_tail = load(output, rows, S, MAIN, TAIL, WIDTH), zeros(S, TAIL)
            rate = tl.load(rates + i)
            changes, changes_tail, gain, gain_tail, step_loss = steps(
                (x,), (x_tail,), 1, y, y_tail, labels, counts, rate, (tl.zeros_like(x),), (tl.zeros_like(x_tail),),
                gain, gain_tail, tl.zeros((LANES,), tl.float32), 1, S, MAIN, TAIL, WARPS, NEAR,
            )  # fmt: skip
            change, change_tail = changes[0], changes_tail[0]
            output_weights = weighed(output_scales, rows, count, S)
            add(output, rows, output_weights, gain, y, output_seed, S, 0, MAIN, WIDTH, ATOMIC)
            if TAIL:
                add(output, rows, output_weights, gain_tail, y_tail, output_seed, S, MAIN, TAIL, WIDTH, ATOMIC)
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
