"""Products of narrow rows with one query, compiled: float16, int8 codes, and bits.

Rows are given by the address of the first and the bytes from one to the next. Where a row is no multiple of LANES
long, its last vector reaches into what stands behind it, which is multiplied by the zeros that the query ends in: no
half and no code is anything but a finite number here. So the last rows, behind which nothing may stand, have to be
given as a padded copy.
"""

from __future__ import annotations

import numpy as np

from firth.backends.simd import address_of
from firth.jit import compiled
from firth.nearest_kernels import LANES, code_product, half_product, widen


@compiled
def half_products(rows, stride, query, products):
    """products[n] = row n · query: float16 rows, `query` float32 (a multiple of LANES,), `products` float32 (n,)."""
    for row in range(len(products)):
        products[row] = half_product(rows + row * stride, address_of(query), len(query) // LANES)


@compiled
def code_products(rows, stride, query, scales, products):
    """products[n] = scales[n] · (row n · query): int8 rows, all else float32; `query` (a multiple of LANES,)."""
    for row in range(len(products)):
        product = code_product(rows + row * stride, address_of(query), len(query) // LANES)
        products[row] = scales[row] * product


@compiled
def byte_products(codes, table, scales, products):
    """products[n] = scales[n] · Σ_j table[j, codes[n, j]]: `codes` uint8 (n, B), `table` float32 (B, 256)."""
    last = len(table) // 4 * 4
    for row in range(len(products)):
        # Four sums, so that additions need not wait for each other: two took 2.5 times as long.
        a = b = c = d = np.float32(0)
        for j in range(0, last, 4):
            a += table[j, codes[row, j]]
            b += table[j + 1, codes[row, j + 1]]
            c += table[j + 2, codes[row, j + 2]]
            d += table[j + 3, codes[row, j + 3]]
        for j in range(last, len(table)):
            a += table[j, codes[row, j]]
        products[row] = scales[row] * ((a + b) + (c + d))


@compiled
def widened_rows(rows, stride, floats):
    """floats[n, :] = row n of float16 rows; `floats` float32 (n, a multiple of LANES), each row read as far."""
    for row in range(len(floats)):
        widen(rows + row * stride, address_of(floats) + 4 * row * floats.shape[1], floats.shape[1] // LANES)
