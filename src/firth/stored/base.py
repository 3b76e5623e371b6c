"""What every way of storing V rows of D numbers offers to those who search them.

A row *stands for* D float32 numbers, `decoded`; whatever is asked of stored rows is answered as of those numbers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from firth.nearest import BLOCK_NUMBERS, Block, Matrix, Rows, Vector, cosines, lengths, on_threads
from firth.weights import ROW_FLOATS

LOOKING_UP = 2  # a byte in a table costs as much as reading so many numbers

Some: TypeAlias = slice | Rows  # rows from one to before another, or by their numbers


class StoredRows(ABC):
    """V rows of D numbers, read-only, in an array of `dtype`; it may be a memory map.

    `tensors` are the arrays that a file keeps, by name; (V, D) is the `shape`.
    """

    dtype: ClassVar[str]
    shape: tuple[int, int]

    @classmethod
    @abstractmethod
    def encoded(cls, rows: StoredRows) -> Self:
        """Rows of finite numbers, as near as this storage comes; they are read block by block."""

    def alike(self, rows: StoredRows) -> Self:
        """Other rows of finite numbers stored as these are, so that the two can be `joined`."""
        return type(self).encoded(rows)

    @abstractmethod
    def decoded(self, some: Some) -> Matrix:
        """The numbers that some rows stand for, float32 (n, D)."""

    @abstractmethod
    def taken(self, some: Some) -> Self:
        """Some of the rows, stored as they are; those of a slice share memory."""

    @abstractmethod
    def joined(self, other: Self) -> Self:
        """These rows and then the other's, in memory of their own."""

    @abstractmethod
    def products(self, target: Vector, some: Some, threads: int) -> Vector:
        """The product of each of some rows with `target` (D,), float32 (n,). Equal rows have equal products."""

    def cosines(self, target: Vector, norms: Vector, some: Some, threads: int) -> Vector:
        """The cosine of each of some rows with `target` (D,), of unit length; all rows have the lengths `norms`."""
        return cosines(self.products(target, some, threads), norms[some])

    @property
    @abstractmethod
    def tensors(self) -> dict[str, NDArray[Any]]:
        """The arrays that hold the rows."""

    @property
    def nbytes(self) -> int:
        """Bytes of the numbers and their scales."""
        return sum(tensor.nbytes for tensor in self.tensors.values())

    def __len__(self) -> int:
        return self.shape[0]

    def lengths(self, threads: int) -> Vector:
        """The length of each row, float32 (V,); not finite where a number is not."""
        found = np.empty(len(self), np.float32)

        def measure(first: int, last: int) -> None:
            for part in steps(first, last, self.shape[1]):
                found[part] = lengths(self.decoded(part))

        on_threads(measure, *self.shape, threads)
        return found

    def blocks(self, first: int, last: int) -> Iterator[Block]:
        """The rows from `first` to before `last` as float32, block by block."""
        for part in steps(first, last, self.shape[1]):
            yield part.start, self.decoded(part)


def scale(numbers: Matrix, scales: Vector) -> None:
    """Multiply each row (n, D) by its scale, in place; what a damaged file's make infinite, the lengths will tell."""
    with np.errstate(over="ignore", invalid="ignore"):
        numbers *= scales[:, None]


def steps(first: int, last: int, D: int) -> Iterator[slice]:
    """Slices whose rows stay in cache, in multiples of ROW_FLOATS rows."""
    step = max(1, BLOCK_NUMBERS // D // (4 * ROW_FLOATS)) * 4 * ROW_FLOATS
    for start in range(first, last, step):
        yield slice(start, min(start + step, last))


def looked_up(codes: NDArray[np.uint8], table: NDArray[np.float32], scales: Vector, threads: int) -> Vector:
    """Scale times the sum of what `table` (B, 256) holds for the bytes of each row of `codes` (n, B), float32 (n,)."""
    from firth.stored.kernels import byte_products

    products = np.empty(len(codes), np.float32)

    def look_up(first: int, last: int) -> None:
        byte_products(codes[first:last], table, scales[first:last], products[first:last])

    on_threads(look_up, len(codes), LOOKING_UP * codes.shape[1], threads)
    return products


def padded(numbers: NDArray[Any], multiple: int) -> NDArray[Any]:
    """A copy of (n, D) or (D,) whose last axis is filled with zeros to a multiple."""
    D = numbers.shape[-1]
    wide = np.zeros((*numbers.shape[:-1], -(-D // multiple) * multiple), numbers.dtype)
    wide[..., :D] = numbers
    return wide
