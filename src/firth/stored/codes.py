"""Rows of int8 with a scale each: a quarter of the bytes; an error of at most 1/254 of a row's largest number."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from firth.nearest import Matrix, Vector, on_threads
from firth.stored.base import Some, StoredRows, padded, scale, steps
from firth.weights import ROW_FLOATS as LANES

LARGEST = 127


class Codes(StoredRows):
    """A row stands for `scales[row]` · `codes[row]`: int8 (V, D) and float32 (V,). D + 4 bytes a row."""

    dtype = "int8"

    def __init__(self, codes: NDArray[np.int8], scales: Vector) -> None:
        self.codes, self.scales = codes, scales
        self.shape = codes.shape[0], codes.shape[1]

    @classmethod
    def encoded(cls, rows: StoredRows) -> Self:
        """The nearest codes, where a row's largest number is 127 or -127."""
        V, D = rows.shape
        codes, scales = np.empty((V, D), np.int8), np.empty(V, np.float32)
        for part in steps(0, V, D):
            codes[part], scales[part] = coded(rows.decoded(part))
        return cls(codes, scales)

    def decoded(self, some: Some) -> Matrix:
        """Scale times code."""
        numbers: Matrix = self.codes[some].astype(np.float32)
        scale(numbers, self.scales[some])
        return numbers

    def taken(self, some: Some) -> Self:
        """Some of the rows."""
        return type(self)(self.codes[some], self.scales[some])

    def joined(self, other: Self) -> Self:
        """These rows and then the other's."""
        codes, scales = (self.codes, other.codes), (self.scales, other.scales)
        return type(self)(np.concatenate(codes), np.concatenate(scales))

    def products(self, target: Vector, some: Some, threads: int) -> Vector:
        """The product of each of some rows with `target` (D,)."""
        from firth.stored.kernels import code_products

        codes, scales, query = self.codes[some], np.ascontiguousarray(self.scales[some]), padded(target, LANES)
        products = np.empty(len(codes), np.float32)
        whole = max(0, len(codes) - len(query) // len(target) - 1)

        def multiply(first: int, last: int) -> None:
            address, stride = codes.ctypes.data, codes.strides[0]
            code_products(address + first * stride, stride, query, scales[first:last], products[first:last])

        on_threads(multiply, whole, len(query), threads)
        rest = padded(codes[whole:], LANES)
        code_products(rest.ctypes.data, rest.strides[0], query, scales[whole:], products[whole:])
        return products

    @property
    def tensors(self) -> dict[str, NDArray[Any]]:
        """Codes and scales."""
        return {"input": self.codes, "input_scales": self.scales}


def coded(rows: Matrix) -> tuple[NDArray[np.int8], Vector]:
    """Codes int8 (n, D) and scales float32 (n,) of a block of finite rows; a zero row has scale 0."""
    scales: Vector = np.maximum(rows.max(axis=1, initial=0), -rows.min(axis=1, initial=0)) / np.float32(LARGEST)
    codes = np.rint(rows / np.where(scales > 0, scales, np.float32(1))[:, None])
    return np.clip(codes, -LARGEST, LARGEST).astype(np.int8), scales
