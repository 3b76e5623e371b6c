"""Rows of sign bits with a scale each: a thirty-second of the bytes.

A row x stands for s · sign(x), s the mean of |x|, which of all such rows lies nearest to x (Rastegari et al. 2016,
"XNOR-Net", eq. 6). A query is not cut to bits: its product with a row is looked up, eight coordinates at a time, in
tables made for it. Between two rows of bits, the cosine so found is 1 - 2 h / D, h the bits that differ.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from firth.nearest import Matrix, Vector
from firth.stored.base import Some, StoredRows, looked_up, padded, scale, steps

BYTE = 8
# Row b holds the signs that byte b stands for, its highest bit first: +1 for a bit, -1 for none.
SIGNS = (2.0 * np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1) - 1).astype(np.float32)


class Bits(StoredRows):
    """`bits` uint8 (V, ⌈D / 8⌉), the first coordinate in the highest bit; `scales` float32 (V,)."""

    dtype = "binary"

    def __init__(self, bits: NDArray[np.uint8], scales: Vector, D: int) -> None:
        self.bits, self.scales = bits, scales
        self.shape = len(bits), D

    @classmethod
    def encoded(cls, rows: StoredRows) -> Self:
        """A bit for each number that is not negative."""
        V, D = rows.shape
        bits, scales = np.empty((V, -(-D // BYTE)), np.uint8), np.empty(V, np.float32)
        for part in steps(0, V, D):
            block = rows.decoded(part)
            bits[part], scales[part] = np.packbits(block >= 0, axis=1), np.abs(block).mean(axis=1)
        return cls(bits, scales, D)

    def decoded(self, some: Some) -> Matrix:
        """Scale times sign."""
        numbers = np.unpackbits(self.bits[some], axis=1, count=self.shape[1]).astype(np.float32)
        numbers *= 2
        numbers -= 1
        scale(numbers, self.scales[some])
        return numbers

    def taken(self, some: Some) -> Self:
        """Some of the rows."""
        return type(self)(self.bits[some], self.scales[some], self.shape[1])

    def joined(self, other: Self) -> Self:
        """These rows and then the other's."""
        bits, scales = (self.bits, other.bits), (self.scales, other.scales)
        return type(self)(np.concatenate(bits), np.concatenate(scales), self.shape[1])

    def products(self, target: Vector, some: Some, threads: int) -> Vector:
        """The product of each of some rows with `target` (D,)."""
        return self._summed(target, np.ascontiguousarray(self.scales[some]), some, threads)

    def cosines(self, target: Vector, norms: Vector, some: Some, threads: int) -> Vector:  # noqa: ARG002
        """The cosine of each of some rows with `target` (D,), of unit length, whatever the rows' scales.

        To another row of bits, sums are whole numbers, so that as many differing bits give equal cosines.
        """
        size = np.abs(target[0])
        of_bits = bool(size > 0 and (np.abs(target) == size).all())
        same = (self.scales[some] > 0).astype(np.float32)
        found = self._summed(np.sign(target) if of_bits else target, same, some, threads)
        found *= (size if of_bits else np.float32(1)) / np.sqrt(np.float32(self.shape[1]))
        return found

    def _summed(self, target: Vector, scales: Vector, some: Some, threads: int) -> Vector:
        """Scale times the sum of what the signs make of `target` (D,), for each of some rows."""
        bits = np.ascontiguousarray(self.bits[some])
        table = np.ascontiguousarray(np.einsum("jk,bk->jb", padded(target, BYTE).reshape(-1, BYTE), SIGNS))
        return looked_up(bits, table, scales, threads)

    @property
    def tensors(self) -> dict[str, NDArray[Any]]:
        """Bits and scales, and D, which the bytes of a row do not tell."""
        return {"input": self.bits, "input_scales": self.scales, "vector_size": np.array([self.shape[1]], np.int64)}
