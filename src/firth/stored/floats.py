"""Rows of float32: the numbers themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from firth.nearest import Block, Matrix, Vector, lengths, multiply, on_threads, read_through
from firth.stored.base import Some, StoredRows, steps


class Floats(StoredRows):
    """`matrix` is float32 (V, D), its rows contiguous, but they may be strided. 4 D bytes a row."""

    dtype = "float32"

    def __init__(self, matrix: Matrix) -> None:
        self.matrix = matrix
        self.shape = matrix.shape[0], matrix.shape[1]

    @classmethod
    def encoded(cls, rows: StoredRows) -> Self:
        """The numbers that the rows stand for; those of a matrix are not copied."""
        return cls(rows.decoded(slice(None)))

    def decoded(self, some: Some) -> Matrix:
        """The rows themselves; those of a slice are not copied."""
        found: Matrix = self.matrix[some]
        return found

    def taken(self, some: Some) -> Self:
        """Some of the rows."""
        return type(self)(self.matrix[some])

    def joined(self, other: Self) -> Self:
        """These rows and then the other's."""
        return type(self)(np.concatenate([self.matrix, other.matrix]))

    def products(self, target: Vector, some: Some, threads: int) -> Vector:
        """The product of each of some rows with `target` (D,)."""
        if isinstance(some, slice):
            rows = self.matrix[some]
            products = np.empty(len(rows), np.float32)
            on_threads(lambda a, b: multiply(rows[a:b], target, products[a:b]), len(rows), self.shape[1], threads)
            return products
        products = np.empty(len(some), np.float32)

        def gather(first: int, last: int) -> None:
            for part in steps(first, last, self.shape[1]):
                multiply(self.matrix[some[part]], target, products[part])

        on_threads(gather, len(some), self.shape[1], threads)
        return products

    def products_and_lengths(self, target: Vector, threads: int) -> tuple[Vector, Vector]:
        """Both in one pass over the matrix, which may lie on a disk."""
        return read_through(self.matrix, target, threads)

    @property
    def tensors(self) -> dict[str, NDArray[Any]]:
        """The matrix."""
        return {"input": self.matrix}

    def lengths(self, threads: int) -> Vector:
        """The length of each row."""
        found = np.empty(len(self), np.float32)

        def measure(first: int, last: int) -> None:
            found[first:last] = lengths(self.matrix[first:last])

        on_threads(measure, *self.shape, threads)
        return found

    def blocks(self, first: int, last: int) -> Iterator[Block]:
        """The rows at once: they are read where they stand."""
        yield first, self.matrix[first:last]
