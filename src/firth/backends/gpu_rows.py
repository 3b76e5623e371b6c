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
def products(x, y):
    """The products of all rows of x (C, SIZE) and of y (S, SIZE): (C, S)."""
    return tl.sum(x[:, None, :] * y[None, :, :], axis=2)


@triton.jit
def sum_over_outputs(g, y):
    """Σ_s g_cs · y_s: (C, SIZE)."""
    return tl.sum(g[:, :, None] * y[None, :, :], axis=1)


@triton.jit
def sum_over_contexts(g, x):
    """Σ_c g_cs · x_c: (S, SIZE)."""
    return tl.sum(g[:, :, None] * x[:, None, :], axis=0)


@triton.jit
def _times(a, b):
    return a * b


@triton.jit
def logistic_step(scores, labels, weights, rate):
    """What to add per unit of the other row, and the loss, of scores (C, S) with `labels` (S,) and `weights` (C, S).

        g = rate · w · (label - σ(z)),    loss = Σ w · log(1 + e^±z)

    log(1 + e^z) = max(z, 0) + log(1 + e^-|z|). Numbers 1 + e^-|z| are at most 2, so those of a column, of 16 contexts at
    most, are multiplied, and one logarithm is taken of the product. All contexts there weigh the same in a column.
    """
    e = tl.exp(-tl.abs(scores))
    sigmoid = tl.where(scores >= 0, 1.0, e) / (1.0 + e)
    signed = tl.where(labels[None, :] > 0, -scores, scores)
    linear = tl.sum(tl.sum(weights * tl.maximum(signed, 0.0), axis=1), axis=0)
    product = tl.reduce(tl.where(weights > 0, 1.0 + e, 1.0), 0, _times)
    logs = tl.sum(tl.max(weights, axis=0) * tl.log(product), axis=0)
    return rate * weights * (labels[None, :] - sigmoid), linear + logs
