"""Rows of the matrices in a program's registers, as blocks of powers of two: what the kernels of the GPU share.

Rows are `WIDTH` floats, D rounded up to sixteen. Blocks must be powers of two, so a row is one block of MAIN floats and,
where that wastes less, a second of TAIL: 300 numbers are 256 + 64, not 512. What reaches beyond the row is masked.

Loads ask the second-level cache, where all writes of other programs arrive (".cg"): the first-level caches of the
multiprocessors are not kept alike, and could show a frequent word's row as it was long ago.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def load_rows(matrix, rows, there, BEGIN: tl.constexpr, SIZE: tl.constexpr, WIDTH: tl.constexpr):
    """Columns [BEGIN, BEGIN + SIZE) of the rows numbered `rows` (R,): float32 (R, SIZE); zeros where not `there`."""
    d = BEGIN + tl.arange(0, SIZE)
    at = rows.to(tl.int64)[:, None] * WIDTH + d[None, :]
    return tl.load(matrix + at, mask=there[:, None] & (d < WIDTH)[None, :], other=0.0, cache_modifier=".cg")


@triton.jit
def add_to_rows(
    matrix,
    rows,
    there,
    change,
    before,
    BEGIN: tl.constexpr,
    SIZE: tl.constexpr,
    WIDTH: tl.constexpr,
    ATOMIC: tl.constexpr,
):
    """Add `change` to these columns of the rows: as atomic additions, or by storing `before` + `change`, a race."""
    d = BEGIN + tl.arange(0, SIZE)
    at = rows.to(tl.int64)[:, None] * WIDTH + d[None, :]
    mask = there[:, None] & (d < WIDTH)[None, :]
    if ATOMIC:
        tl.atomic_add(matrix + at, change, mask=mask, sem="relaxed")
    else:
        tl.store(matrix + at, before + change, mask=mask)


@triton.jit
def load_row(matrix, row, count, BEGIN: tl.constexpr, SIZE: tl.constexpr, WIDTH: tl.constexpr):
    """Columns [BEGIN, BEGIN + SIZE) of one row: float32 (SIZE,); zeros where its count is 0."""
    d = BEGIN + tl.arange(0, SIZE)
    at = row.to(tl.int64) * WIDTH + d
    return tl.load(matrix + at, mask=tl.where(d < WIDTH, count, 0.0) > 0, other=0.0, cache_modifier=".cg")


@triton.jit
def add_to_row(
    matrix,
    row,
    count,
    change,
    before,
    BEGIN: tl.constexpr,
    SIZE: tl.constexpr,
    WIDTH: tl.constexpr,
    ATOMIC: tl.constexpr,
):
    """`add_to_rows` for one row; nothing where its count is 0."""
    d = BEGIN + tl.arange(0, SIZE)
    at = row.to(tl.int64) * WIDTH + d
    mask = tl.where(d < WIDTH, count, 0.0) > 0
    if ATOMIC:
        tl.atomic_add(matrix + at, change, mask=mask, sem="relaxed")
    else:
        tl.store(matrix + at, before + change, mask=mask)


@triton.jit
def logistic_step(scores, label, weights, rate):
    """What to add to each row per unit of the other, and the losses, of scores whose pairs count `weights` times.

    g = rate · w · (label - σ(z)),    loss = w · log(1 + e^±z) = w · (max(±z, 0) + log(1 + e^-|z|))
    """
    e = tl.exp(-tl.abs(scores))
    one_and_e = 1.0 + e
    sigmoid = tl.where(scores >= 0, 1.0, e) / one_and_e
    against = tl.where(label > 0, -scores, scores)
    losses = weights * (tl.maximum(against, 0.0) + tl.log(one_and_e))
    return rate * weights * (label - sigmoid), losses
