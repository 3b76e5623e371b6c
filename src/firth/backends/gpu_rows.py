"""Rows of the matrices in a program's registers, read and added to: what the kernels of the GPU share.

Rows are WIDTH floats, D rounded up to sixteen. A tensor's size must be a power of two, so a row is one tensor of MAIN
floats and, where that wastes less, a second of TAIL: 300 numbers are 256 + 64, not 512. What reaches beyond the row is
masked. Several rows are a tuple of tensors. All lie alike, four floats in a row to each thread, so that they are loaded
and added to sixteen bytes at a time, and no row ever moves between threads.

Loads ask the second-level cache, where all writes of other programs arrive (".cg"): the first-level caches of the
multiprocessors are not kept alike, and could show a frequent word's row as it was long ago.

Rows may be kept as bfloat16, eight numbers to sixteen bytes. They are computed with as float32, and what is added is
rounded by chance, so that steps far smaller than a number's last bit still move it on average. Steps are rounded, not
what is stored: to differences of bfloat16 numbers, which are then added atomically, so that none is lost.
"""

from __future__ import annotations

import triton
import triton.language as tl

from firth.backends.gpu_draws import draw
from firth.backends.gpu_plan import FIRST, POSITION, ROUND_KEY, key_of


@triton.jit
def outputs_of(outputs, COUNT: tl.constexpr):
    """The rows whose numbers stand at `outputs`, and how often each counts: 0.0 where it is negative."""
    rows = ()
    counts = ()
    for s in tl.static_range(COUNT):
        row = tl.load(outputs + s)
        rows = rows + (tl.maximum(row, 0),)
        counts = counts + ((row >= 0).to(tl.float32),)
    return rows, counts


@triton.jit
def zeros(COUNT: tl.constexpr, SIZE: tl.constexpr):
    """So many tensors (SIZE,) of zeros."""
    found = ()
    for _ in tl.static_range(COUNT):
        found = found + (tl.zeros((SIZE,), tl.float32),)
    return found


@triton.jit
def alike(row, COUNT: tl.constexpr):
    """So many times the same tensor."""
    found = ()
    for _ in tl.static_range(COUNT):
        found = found + (row,)
    return found


@triton.jit
def load(matrix, rows, COUNT: tl.constexpr, BEGIN: tl.constexpr, SIZE: tl.constexpr, WIDTH: tl.constexpr):
    """Columns [BEGIN, BEGIN + SIZE) of the rows with these numbers: as many float32 tensors (SIZE,)."""
    d = BEGIN + tl.arange(0, SIZE)
    found = ()
    for n in tl.static_range(COUNT):
        at = matrix + rows[n].to(tl.int64) * WIDTH + d
        found = found + (tl.load(at, mask=d < WIDTH, other=0.0, cache_modifier=".cg").to(tl.float32),)
    return found


@triton.jit
def seeds_of(number, begin, settings):
    """What input and output rows are rounded by in the window of this kept word, the chunk's first being `begin`.

    Two uint32 of one draw. It is counted from the position of the chunk's first token, so that no two windows of an
    epoch have the same.
    """
    place = tl.load(settings + POSITION) + tl.load(settings + FIRST) + number - begin
    value = draw(key_of(settings, ROUND_KEY), place.to(tl.uint64))
    return (value >> 32).to(tl.uint32), value.to(tl.uint32)


@triton.jit
def sixteen_bits(counter):
    """Sixteen random bits for each uint32 counter, as uint32: a draw for each number would take four times as long.

    Two multiplications (C. Wellons, "Prospecting for Hash Functions", 2018: lowbias32), whose upper bits these are.
    """
    value = (counter ^ (counter >> 16)) * 0x7FEB352D
    value = (value ^ (value >> 15)) * 0x846CA68B
    return value >> 16


@triton.jit
def step_by_chance(before, change, bits):
    """The step from `before`, float32 that bfloat16 can hold, to before + change rounded by chance, as bfloat16.

    The sum is rounded up with the probability of what bfloat16 cuts off: the sixteen bits are added to it as to a whole
    number, and its lower half is dropped. The step is 0, or a multiple of the last bit of the smaller of both.
    """
    total = before + change
    upper = (total.to(tl.uint32, bitcast=True) + bits) & 0xFFFF0000
    step = upper.to(tl.float32, bitcast=True) - before
    return tl.where(total == total, step, total).to(tl.bfloat16)  # adding bits could make a number of what is none


@triton.jit
def sum_of(rows, counts, COUNT: tl.constexpr):
    """The sum of the rows that count."""
    total = rows[0] * counts[0]
    for n in tl.static_range(1, COUNT):
        total += rows[n] * counts[n]
    return total


@triton.jit
def add(
    matrix,
    rows,
    weights,
    changes,
    before,
    seed,
    COUNT: tl.constexpr,
    BEGIN: tl.constexpr,
    SIZE: tl.constexpr,
    WIDTH: tl.constexpr,
    ATOMIC: tl.constexpr,
):
    """Add weight · change to these columns of each row whose weight is not 0.

    By atomic additions, or by storing `before` + weight · change, a race. Rows of bfloat16 are rounded by chance, of
    which row n's numbers have what is counted from `seed` + n · WIDTH on.
    """
    d = BEGIN + tl.arange(0, SIZE)
    for n in tl.static_range(COUNT):
        if weights[n] > 0:
            at = matrix + rows[n].to(tl.int64) * WIDTH + d
            change = weights[n] * changes[n]
            if matrix.dtype.element_ty == tl.bfloat16:
                change = step_by_chance(before[n], change, sixteen_bits(seed + n * WIDTH + d.to(tl.uint32)))
            if ATOMIC:
                tl.atomic_add(at, change, mask=d < WIDTH, sem="relaxed")
            else:
                tl.store(at, before[n] + change, mask=d < WIDTH)


@triton.jit
def weighed(scales, rows, counts, COUNT: tl.constexpr):
    """How much of its change each row gets: count · scale, so that programs add no more at once than is sound."""
    found = ()
    for n in tl.static_range(COUNT):
        found = found + (counts[n] * tl.load(scales + rows[n]),)
    return found


@triton.jit
def contexts_of(words, centre, low, first, upto, C: tl.constexpr):
    """The words of contexts [first, upto) of a window, C at most, and how often each of the C counts: 1.0, or 0.0."""
    found = ()
    counts = ()
    for c in tl.static_range(C):
        there = first + c < upto
        place = low + first + c
        place += (place >= centre).to(tl.int32)  # the centre itself is left out
        found = found + (tl.load(words + place, mask=there, other=0),)
        counts = counts + (there.to(tl.float32),)
    return found, counts


@triton.jit
def mean_of(
    input, words, centre, first, n, C: tl.constexpr, MAIN: tl.constexpr, TAIL: tl.constexpr, WIDTH: tl.constexpr
):
    """The mean of the rows of a window's n contexts, C of them read at once: tensors (MAIN,) and (TAIL,)."""
    x = tl.zeros((MAIN,), tl.float32)
    x_tail = x
    if TAIL:
        x_tail = tl.zeros((TAIL,), tl.float32)
    for some in range(0, n, C):
        contexts, there = contexts_of(words, centre, first, some, n, C)
        x += sum_of(load(input, contexts, C, 0, MAIN, WIDTH), there, C)
        if TAIL:
            x_tail += sum_of(load(input, contexts, C, MAIN, TAIL, WIDTH), there, C)
    one_nth = 1.0 / n.to(tl.float32)
    return x * one_nth, x_tail * one_nth


@triton.jit
def add_to_contexts(
    input, scales, words, centre, first, n, change, change_tail, seed,
    C: tl.constexpr, MAIN: tl.constexpr, TAIL: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    """Add one change to the rows of all n contexts of a window.

    Always atomically: the rows that their mean was made of are not at hand any more. Where they are bfloat16, they are
    read again, as rounding must know what stands there.
    """
    for some in range(0, n, C):
        contexts, there = contexts_of(words, centre, first, some, n, C)
        weights = weighed(scales, contexts, there, C)
        changes = alike(change, C)
        before = changes
        if input.dtype.element_ty == tl.bfloat16:
            before = load(input, contexts, C, 0, MAIN, WIDTH)
        add(input, contexts, weights, changes, before, seed + some * WIDTH, C, 0, MAIN, WIDTH, True)
        if TAIL:
            changes = alike(change_tail, C)
            before = changes
            if input.dtype.element_ty == tl.bfloat16:
                before = load(input, contexts, C, MAIN, TAIL, WIDTH)
            add(input, contexts, weights, changes, before, seed + some * WIDTH, C, MAIN, TAIL, WIDTH, True)
