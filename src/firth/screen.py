"""A coarse copy of a matrix that tells which rows may be nearest to a query, so that only those are read.

One query is bound by memory: it reads every number of the matrix and uses it once. Rows at unit length are therefore
kept a second time as int8, a quarter of the memory and of the time. The error of a score so found is at most the
distance between row and copy, which is kept too. Rows whose score and error could reach the best are looked up in
the matrix itself, so that answers are exact, and the same whether or not there is a screen.

V rows, D columns.
"""

from __future__ import annotations

import numpy as np

from firth.nearest import FOLD, Matrix, Rows, Vector, on_threads

# Beyond the copy's own error, what float32 may lose in sums of D products: each rounds by at most 2⁻²⁴.
ROUNDING = 2.0**-23
ROUNDINGS = 32


def rounding(D: int) -> np.float32:
    """What a cosine summed in float32, in any order, may be off by."""
    return np.float32(ROUNDING * (D + ROUNDINGS))


class Screen:
    """int8 copies of the rows of `matrix` (V, D), whose lengths are `norms` (V,): V · (D + 8) bytes."""

    def __init__(self, matrix: Matrix, norms: Vector, threads: int) -> None:
        from firth.nearest_kernels import LANES, encoded_rows  # compiled code loads at use

        V, D = matrix.shape
        self._codes = np.empty((V, -(-D // LANES) * LANES), np.int8)
        self._scales, self._errors = np.empty(V, np.float32), np.empty(V, np.float32)
        row_0, stride = matrix.ctypes.data, matrix.strides[0]

        def encode(first: int, last: int) -> None:
            parts = (each[first:last] for each in (self._codes, self._scales, self._errors))
            encoded_rows(row_0 + first * stride, stride, D, norms[first:last], rounding(D), *parts)

        on_threads(encode, V, D, threads)

    def candidates(self, target: Vector, count: int, V: int, threads: int) -> Rows:
        """Rows, in order, among which are the `count` of the first V nearest to `target` (D,), of unit length."""
        from firth.nearest_kernels import screened

        width = self._codes.shape[1]
        padded = np.zeros(width, np.float32)
        padded[: len(target)] = target
        group = max(1, min(FOLD, V // (2 * count)))
        groups = -(-V // group)
        most, least = np.empty(V, np.float32), np.empty(groups, np.float32)

        def look(first: int, last: int) -> None:
            screened(self._codes, padded, self._scales, self._errors, group, first, last, most, least)

        on_threads(look, groups, group * width, threads)
        # The best of `count` groups reach this for certain: a row that cannot is not among the best.
        rows: Rows = np.flatnonzero(most >= np.partition(least, -count)[-count])
        return rows
