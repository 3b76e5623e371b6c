"""The kernels of the GPU: skip-gram and CBOW with negative sampling, noise drawn by window.

Each program walks through a stretch of the kept words of a chunk, window by window, and holds a window's rows in
registers: contexts x (C, D) and output rows y (S, D). Steps are the reference's: all gradients of a step are taken at
the weights before it, a row that stands several times counts as often. Programs race; additions are atomic, so none
is lost. With one program, windows are trained in the order of the corpus.
"""

from __future__ import annotations

import triton
import triton.language as tl

from firth.backends import base
from firth.backends.gpu_plan import FIRST, LAST
from firth.backends.gpu_rows import (
    add_to_rows,
    load_rows,
    logistic_step,
    products,
    sum_over_contexts,
    sum_over_outputs,
)

CONTEXTS_AT_ONCE = tl.constexpr(base.CONTEXTS_AT_ONCE)


@triton.jit
def _stretch(ends, settings):
    """The kept words [at, upto) of the chunk that are this program's."""
    first, last = tl.load(settings + FIRST), tl.load(settings + LAST)
    begin = tl.load(ends + first - 1, mask=first > 0, other=0).to(tl.int64)
    length = tl.load(ends + last - 1).to(tl.int64) - begin
    program, programs = tl.program_id(0).to(tl.int64), tl.num_programs(0)
    return begin + length * program // programs, begin + length * (program + 1) // programs


@triton.jit
def _contexts(words, centre, low, first, upto, C: tl.constexpr):
    """The words of contexts [first, upto) of a window, which are C at most, and which of the C there are."""
    number = first + tl.arange(0, C)
    there = number < upto
    place = low + number
    place += (place >= centre).to(tl.int32)  # the centre itself is left out
    return tl.load(words + place, mask=there, other=0), there


@triton.jit
def _outputs(outputs, counts, i, PADDED: tl.constexpr):
    """The output rows of window i (PADDED,), how often each counts, and their labels."""
    s = tl.arange(0, PADDED)
    at = i * PADDED + s  # int64, as i is
    return tl.load(outputs + at), tl.load(counts + at), (s == 0).to(tl.float32)


# ---- skip-gram ---------------------------------------------------------------------------------


@triton.jit
def _skipgram_step(
    input,
    output,
    contexts,
    there,
    rows,
    count,
    labels,
    rate,
    MAIN: tl.constexpr,
    TAIL: tl.constexpr,
    WIDTH: tl.constexpr,
    ATOMIC: tl.constexpr,
):
    """One step of some contexts (C,) against the output rows (S,); gives the loss."""
    counted = count > 0
    x, y = load_rows(input, contexts, there, 0, MAIN, WIDTH), load_rows(output, rows, counted, 0, MAIN, WIDTH)
    scores = products(x, y)
    if TAIL:
        x_tail = load_rows(input, contexts, there, MAIN, TAIL, WIDTH)
        y_tail = load_rows(output, rows, counted, MAIN, TAIL, WIDTH)
        scores += products(x_tail, y_tail)
    g, loss = logistic_step(scores, labels, tl.where(there[:, None], count[None, :], 0.0), rate)
    add_to_rows(input, contexts, there, sum_over_outputs(g, y), x, 0, MAIN, WIDTH, ATOMIC)
    add_to_rows(output, rows, counted, sum_over_contexts(g, x), y, 0, MAIN, WIDTH, ATOMIC)
    if TAIL:
        add_to_rows(input, contexts, there, sum_over_outputs(g, y_tail), x_tail, MAIN, TAIL, WIDTH, ATOMIC)
        add_to_rows(output, rows, counted, sum_over_contexts(g, x_tail), y_tail, MAIN, TAIL, WIDTH, ATOMIC)
    return loss


@triton.jit
def train_skipgram(
    input,  # float32 (V, WIDTH)
    output,
    words,  # these as in `plan_windows`
    low,
    high,
    rates,
    at_once,
    outputs,
    counts,
    ends,
    settings,
    losses,  # float64 (programs,), written: the loss of each program's stretch
    examples,  # int64 (programs,), written: its examples
    PADDED: tl.constexpr,
    MAIN: tl.constexpr,
    TAIL: tl.constexpr,
    WIDTH: tl.constexpr,
    ATOMIC: tl.constexpr,
    CORRECTED: tl.constexpr,
):
    """Train the windows of the chunk's kept words by skip-gram, each program a stretch of them."""
    at, upto = _stretch(ends, settings)
    loss = tl.zeros((), tl.float64)
    pairs = tl.zeros((), tl.int64)
    for i in range(at, upto):
        first = tl.load(low + i)
        n = tl.load(high + i) - first - 1
        rate, most = tl.load(rates + i), tl.load(at_once + i)
        rows, count, labels = _outputs(outputs, counts, i, PADDED)
        for begin in range(0, n, most):
            end = tl.minimum(n, begin + most)
            # Smaller tiles waste less: a window of 2, 4, 6, 8 or 10 contexts takes 4, 4, 8, 8 or 16.
            if end - begin <= 4:
                contexts, there = _contexts(words, i, first, begin, end, 4)
                step = _skipgram_step(
                    input, output, contexts, there, rows, count, labels, rate, MAIN, TAIL, WIDTH, ATOMIC
                )
            elif end - begin <= 8:
                contexts, there = _contexts(words, i, first, begin, end, 8)
                step = _skipgram_step(
                    input, output, contexts, there, rows, count, labels, rate, MAIN, TAIL, WIDTH, ATOMIC
                )
            else:
                contexts, there = _contexts(words, i, first, begin, end, CONTEXTS_AT_ONCE)
                step = _skipgram_step(
                    input, output, contexts, there, rows, count, labels, rate, MAIN, TAIL, WIDTH, ATOMIC
                )
            loss += step.to(tl.float64)
        pairs += tl.maximum(n, 0)
    tl.store(losses + tl.program_id(0), loss)
    tl.store(examples + tl.program_id(0), pairs)


# ---- CBOW --------------------------------------------------------------------------------------


@triton.jit
def _sum_of_rows(
    input, words, i, first, n, BEGIN: tl.constexpr, SIZE: tl.constexpr, WIDTH: tl.constexpr, C: tl.constexpr
):
    """The sum of the rows of n contexts: (1, SIZE)."""
    total = tl.zeros((1, SIZE), tl.float32)
    for begin in range(0, n, C):
        contexts, there = _contexts(words, i, first, begin, tl.minimum(n, begin + C), C)
        total += tl.sum(load_rows(input, contexts, there, BEGIN, SIZE, WIDTH), axis=0)[None, :]
    return total


@triton.jit
def _add_to_all(
    input, words, i, first, n, change, BEGIN: tl.constexpr, SIZE: tl.constexpr, WIDTH: tl.constexpr, C: tl.constexpr
):
    """Add `change` (1, SIZE) to the rows of all n contexts. A word that stands twice gets it twice: always atomic."""
    for begin in range(0, n, C):
        contexts, there = _contexts(words, i, first, begin, tl.minimum(n, begin + C), C)
        wide = tl.broadcast_to(change, (C, SIZE))
        add_to_rows(input, contexts, there, wide, wide, BEGIN, SIZE, WIDTH, True)


@triton.jit
def train_cbow(
    input,
    output,
    words,
    low,
    high,
    rates,
    at_once,
    outputs,
    counts,
    ends,
    settings,
    losses,
    examples,
    PADDED: tl.constexpr,
    MAIN: tl.constexpr,
    TAIL: tl.constexpr,
    WIDTH: tl.constexpr,
    ATOMIC: tl.constexpr,
    CORRECTED: tl.constexpr,  # whether each context gets its share of the gradient, instead of the whole
):
    """Train the windows of the chunk's kept words by CBOW; the arguments are those of `train_skipgram`."""
    C: tl.constexpr = 8
    at, upto = _stretch(ends, settings)
    loss = tl.zeros((), tl.float64)
    windows = tl.zeros((), tl.int64)
    for i in range(at, upto):
        first = tl.load(low + i)
        n = tl.load(high + i) - first - 1
        if n > 0:
            rows, count, labels = _outputs(outputs, counts, i, PADDED)
            counted = count > 0
            one_nth = 1.0 / n.to(tl.float32)
            x = _sum_of_rows(input, words, i, first, n, 0, MAIN, WIDTH, C) * one_nth
            y = load_rows(output, rows, counted, 0, MAIN, WIDTH)
            scores = products(x, y)
            if TAIL:
                x_tail = _sum_of_rows(input, words, i, first, n, MAIN, TAIL, WIDTH, C) * one_nth
                y_tail = load_rows(output, rows, counted, MAIN, TAIL, WIDTH)
                scores += products(x_tail, y_tail)
            g, step = logistic_step(scores, labels, count[None, :], tl.load(rates + i))
            share = one_nth if CORRECTED else 1.0
            _add_to_all(input, words, i, first, n, sum_over_outputs(g, y) * share, 0, MAIN, WIDTH, C)
            add_to_rows(output, rows, counted, sum_over_contexts(g, x), y, 0, MAIN, WIDTH, ATOMIC)
            if TAIL:
                _add_to_all(input, words, i, first, n, sum_over_outputs(g, y_tail) * share, MAIN, TAIL, WIDTH, C)
                add_to_rows(output, rows, counted, sum_over_contexts(g, x_tail), y_tail, MAIN, TAIL, WIDTH, ATOMIC)
            loss += step.to(tl.float64)
            windows += 1
    tl.store(losses + tl.program_id(0), loss)
    tl.store(examples + tl.program_id(0), windows)
