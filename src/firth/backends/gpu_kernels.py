"""The kernels of the GPU: skip-gram and CBOW with negative sampling, noise drawn by window.

Each program walks through a stretch of the kept words of a chunk, window by window, and holds a window's rows in
registers: contexts x (C, D) and output rows y (S, D). Steps are the reference's: all gradients of a step are taken at
the weights before it, a row that stands several times counts as often. Programs race; additions are atomic, so none
is lost. With one program, windows are trained in the order of the corpus.
"""

from __future__ import annotations

import triton
import triton.language as tl

from firth.backends.gpu_plan import FIRST, LAST
from firth.backends.gpu_rows import add_to_row, add_to_rows, load_row, load_rows, logistic_step


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


# ---- skip-gram ---------------------------------------------------------------------------------


@triton.jit
def _zeros(S: tl.constexpr, SIZE: tl.constexpr):
    rows = ()
    for _ in tl.static_range(S):
        rows = rows + (tl.zeros((SIZE,), tl.float32),)
    return rows


@triton.jit
def _rows_of(matrix, rows, counts, BEGIN: tl.constexpr, SIZE: tl.constexpr, S: tl.constexpr, WIDTH: tl.constexpr):
    """The columns of S rows whose numbers and counts stand at `rows` and `counts`: S tensors (SIZE,)."""
    found = ()
    for s in tl.static_range(S):
        found = found + (load_row(matrix, tl.load(rows + s), tl.load(counts + s), BEGIN, SIZE, WIDTH),)
    return found


@triton.jit
def _add_to_rows_of(
    matrix,
    rows,
    counts,
    changes,
    before,
    BEGIN: tl.constexpr,
    SIZE: tl.constexpr,
    S: tl.constexpr,
    WIDTH: tl.constexpr,
    ATOMIC: tl.constexpr,
):
    """Add S tensors (SIZE,) to the columns of the rows that `_rows_of` gave."""
    for s in tl.static_range(S):
        row, count = tl.load(rows + s), tl.load(counts + s)
        add_to_row(matrix, row, count, changes[s], before[s], BEGIN, SIZE, WIDTH, ATOMIC)


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
    S: tl.constexpr,
    PADDED: tl.constexpr,
    C: tl.constexpr,  # contexts in registers at a time, a power of two
    MAIN: tl.constexpr,
    TAIL: tl.constexpr,
    WIDTH: tl.constexpr,
    ATOMIC: tl.constexpr,
    CORRECTED: tl.constexpr,
):
    """Train the windows of the chunk's kept words by skip-gram, each program a stretch of them.

    The output rows y of a step stay in registers, S tensors and as many of what they gain; contexts x pass by, C at a
    time.
    """
    at, upto = _stretch(ends, settings)
    loss = tl.zeros((), tl.float64)
    pairs = tl.zeros((), tl.int64)
    for i in range(at, upto):
        first = tl.load(low + i)
        n = tl.load(high + i) - first - 1
        rate, most = tl.load(rates + i), tl.load(at_once + i)
        rows, count = outputs + i * PADDED, counts + i * PADDED
        for begin in range(0, n, most):
            end = tl.minimum(n, begin + most)
            y, gain = _rows_of(output, rows, count, 0, MAIN, S, WIDTH), _zeros(S, MAIN)
            if TAIL:
                y_tail, gain_tail = _rows_of(output, rows, count, MAIN, TAIL, S, WIDTH), _zeros(S, TAIL)
            sums = tl.zeros((C,), tl.float32)
            for some in range(begin, end, C):
                contexts, there = _contexts(words, i, first, some, end, C)
                x = load_rows(input, contexts, there, 0, MAIN, WIDTH)
                change = tl.zeros((C, MAIN), tl.float32)
                if TAIL:
                    x_tail = load_rows(input, contexts, there, MAIN, TAIL, WIDTH)
                    change_tail = tl.zeros((C, TAIL), tl.float32)
                gained = ()
                gained_tail = ()
                for s in tl.static_range(S):
                    scores = tl.sum(x * y[s][None, :], axis=1)
                    if TAIL:
                        scores += tl.sum(x_tail * y_tail[s][None, :], axis=1)
                    weights = tl.where(there, tl.load(count + s), 0.0)
                    g, parts = logistic_step(scores, 1.0 if s == 0 else 0.0, weights, rate)
                    sums += parts
                    change += g[:, None] * y[s][None, :]
                    gained = gained + (gain[s] + tl.sum(g[:, None] * x, axis=0),)
                    if TAIL:
                        change_tail += g[:, None] * y_tail[s][None, :]
                        gained_tail = gained_tail + (gain_tail[s] + tl.sum(g[:, None] * x_tail, axis=0),)
                gain = gained
                add_to_rows(input, contexts, there, change, x, 0, MAIN, WIDTH, ATOMIC)
                if TAIL:
                    gain_tail = gained_tail
                    add_to_rows(input, contexts, there, change_tail, x_tail, MAIN, TAIL, WIDTH, ATOMIC)
            _add_to_rows_of(output, rows, count, gain, y, 0, MAIN, S, WIDTH, ATOMIC)
            if TAIL:
                _add_to_rows_of(output, rows, count, gain_tail, y_tail, MAIN, TAIL, S, WIDTH, ATOMIC)
            loss += tl.sum(sums, axis=0).to(tl.float64)
        pairs += tl.maximum(n, 0)
    tl.store(losses + tl.program_id(0), loss)
    tl.store(examples + tl.program_id(0), pairs)


# ---- CBOW --------------------------------------------------------------------------------------


@triton.jit
def _outputs(outputs, counts, i, PADDED: tl.constexpr):
    """The output rows of window i (PADDED,), how often each counts, and their labels."""
    s = tl.arange(0, PADDED)
    at = i * PADDED + s  # int64, as i is
    return tl.load(outputs + at), tl.load(counts + at), (s == 0).to(tl.float32)


@triton.jit
def _sum_of_rows(
    input, words, i, first, n, BEGIN: tl.constexpr, SIZE: tl.constexpr, WIDTH: tl.constexpr, C: tl.constexpr
):
    """The sum of the rows of n contexts: (SIZE,)."""
    total = tl.zeros((SIZE,), tl.float32)
    for begin in range(0, n, C):
        contexts, there = _contexts(words, i, first, begin, tl.minimum(n, begin + C), C)
        total += tl.sum(load_rows(input, contexts, there, BEGIN, SIZE, WIDTH), axis=0)
    return total


@triton.jit
def _add_to_all(
    input, words, i, first, n, change, BEGIN: tl.constexpr, SIZE: tl.constexpr, WIDTH: tl.constexpr, C: tl.constexpr
):
    """Add `change` (SIZE,) to the rows of all n contexts. A word that stands twice gets it twice: always atomic."""
    for begin in range(0, n, C):
        contexts, there = _contexts(words, i, first, begin, tl.minimum(n, begin + C), C)
        wide = tl.broadcast_to(change[None, :], (C, SIZE))
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
    S: tl.constexpr,
    PADDED: tl.constexpr,
    C: tl.constexpr,
    MAIN: tl.constexpr,
    TAIL: tl.constexpr,
    WIDTH: tl.constexpr,
    ATOMIC: tl.constexpr,
    CORRECTED: tl.constexpr,  # whether each context gets its share of the gradient, instead of the whole
):
    """Train the windows of the chunk's kept words by CBOW; the arguments are those of `train_skipgram`."""
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
            scores = tl.sum(x[None, :] * y, axis=1)
            if TAIL:
                x_tail = _sum_of_rows(input, words, i, first, n, MAIN, TAIL, WIDTH, C) * one_nth
                y_tail = load_rows(output, rows, counted, MAIN, TAIL, WIDTH)
                scores += tl.sum(x_tail[None, :] * y_tail, axis=1)
            g, parts = logistic_step(scores, labels, count, tl.load(rates + i))
            share = one_nth if CORRECTED else 1.0
            _add_to_all(input, words, i, first, n, tl.sum(g[:, None] * y, axis=0) * share, 0, MAIN, WIDTH, C)
            add_to_rows(output, rows, counted, g[:, None] * x[None, :], y, 0, MAIN, WIDTH, ATOMIC)
            if TAIL:
                _add_to_all(
                    input, words, i, first, n, tl.sum(g[:, None] * y_tail, axis=0) * share, MAIN, TAIL, WIDTH, C
                )
                add_to_rows(output, rows, counted, g[:, None] * x_tail[None, :], y_tail, MAIN, TAIL, WIDTH, ATOMIC)
            loss += tl.sum(parts, axis=0).to(tl.float64)
            windows += 1
    tl.store(losses + tl.program_id(0), loss)
    tl.store(examples + tl.program_id(0), windows)
