"""Rows of float16: half the bytes; numbers keep 11 bits, an error of at most 1 in 2,048."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from firth.errors import BadOption
from firth.nearest import Matrix, Vector, on_threads
from firth.stored.base import Some, StoredRows, padded, steps
from firth.weights import ROW_FLOATS as LANES

LARGEST = float(np.finfo(np.float16).max)
EXPONENT = 0x7C00  # all its bits are set in NaN and infinity
FEW = 64  # rows that NumPy widens before compiled code is called


class Halves(StoredRows):
    """`matrix` is float16 (V, D), its rows contiguous. 2 D bytes a row."""

    dtype = "float16"

    def __init__(self, matrix: NDArray[np.float16]) -> None:
        self.matrix = matrix
        self.shape = matrix.shape[0], matrix.shape[1]

    @classmethod
    def encoded(cls, rows: StoredRows) -> Self:
        """The nearest float16 of each number; `BadOption` where one is too large for any."""
        halves = np.empty(rows.shape, np.float16)
        for part in steps(0, *rows.shape):
            block = rows.decoded(part)
            if np.abs(block).max(initial=0) > LARGEST:
                raise BadOption(
                    f"float16 holds numbers up to {LARGEST:.0f}, got {np.abs(block).max():.4g}; "
                    "take int8, or bring the vectors to unit length first"
                )
            halves[part] = block
        return cls(halves)

    def decoded(self, some: Some) -> Matrix:
        """The numbers as float32."""
        halves = self.matrix[some]
        if len(halves) <= FEW:
            return halves.astype(np.float32)
        from firth.stored.kernels import widened_rows

        # NumPy takes 5 ns for a number where there is no instruction for it in NumPy's own build.
        n, D = halves.shape
        wide = np.empty((n, -(-D // LANES) * LANES), np.float32)
        whole = max(0, n - wide.shape[1] // D - 1)  # behind the last rows nothing may be read
        widened_rows(halves.ctypes.data, halves.strides[0], wide[:whole])
        wide[whole:, :D] = halves[whole:]
        bad = (halves.view(np.uint16) & EXPONENT) == EXPONENT
        if bad.any():
            wide[:, :D][bad] = np.nan
        return wide[:, :D]

    def taken(self, some: Some) -> Self:
        """Some of the rows."""
        return type(self)(self.matrix[some])

    def joined(self, other: Self) -> Self:
        """These rows and then the other's."""
        return type(self)(np.concatenate([self.matrix, other.matrix]))

    def products(self, target: Vector, some: Some, threads: int) -> Vector:
        """The product of each of some rows with `target` (D,); the rows must be finite."""
        from firth.stored.kernels import half_products

        halves, query = self.matrix[some], padded(target, LANES)
        products = np.empty(len(halves), np.float32)
        whole = max(0, len(halves) - len(query) // len(target) - 1)

        def multiply(first: int, last: int) -> None:
            address, stride = halves.ctypes.data, halves.strides[0]
            half_products(address + first * stride, stride, query, products[first:last])

        on_threads(multiply, whole, len(query), threads)
        rest = padded(halves[whole:], LANES)
        half_products(rest.ctypes.data, rest.strides[0], query, products[whole:])
        return products

    @property
    def tensors(self) -> dict[str, NDArray[Any]]:
        """The matrix."""
        return {"input": self.matrix}
