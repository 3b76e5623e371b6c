"""The two matrices of a model, and where they start."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from firth.draws import Purpose, draw, stream_key, unit

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

ROW_FLOATS = 16  # rows are padded to a multiple of this many floats: a cache line, the widest vector register
ALIGNMENT = 4 * ROW_FLOATS  # bytes
NUMBERS_AT_ONCE = 1 << 18  # so that what is made on the way costs a few megabytes, whatever D is


@dataclass
class Weights:
    """The input and output matrix, both float32 (V, D), and where words have n-grams their rows, float32 (U, D).

    With n-grams, rows of `input` are but one part of words' vectors: see `firth.ngrams`. The arrays are views of memory
    from `aligned_rows`, so a backend that wants whole cache lines can use the padding.
    """

    input: Floats
    output: Floats
    grams: Floats | None = None

    @property
    def finite(self) -> bool:
        """Whether all numbers are finite."""
        return all(_is_finite(matrix) for matrix in self._matrices)

    @property
    def _matrices(self) -> list[Floats]:
        return [self.input, self.output] + ([] if self.grams is None else [self.grams])

    def copy(self) -> Weights:
        """The same weights in memory of their own."""
        return self.mapped(_copied)

    def mapped(self, change: Callable[[Floats], Floats]) -> Weights:
        """Weights of what `change` makes of each matrix."""
        return Weights(*map(change, self._matrices))


def _copied(matrix: Floats) -> Floats:
    rows, D = matrix.shape
    fresh = aligned_rows(rows, D)[:, :D]
    fresh[:] = matrix
    return fresh


def aligned_rows(count: int, columns: int) -> Floats:
    """Zeros, float32 (count, columns rounded up to ROW_FLOATS), every row at the start of a cache line."""
    padded = -(-columns // ROW_FLOATS) * ROW_FLOATS
    size = 4 * count * padded
    raw = np.zeros(size + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size].view(np.float32).reshape(count, padded)


def with_padding(matrix: Floats) -> Floats:
    """The padded rows that `matrix` (V, D) is a view of; a padded copy if it is not one."""
    V, D = matrix.shape
    padded = -(-D // ROW_FLOATS) * ROW_FLOATS
    in_place = matrix.strides == (4 * padded, 4) and matrix.ctypes.data % ALIGNMENT == 0
    if in_place and matrix.flags.writeable and _holds(matrix, V, padded):
        rows = np.lib.stride_tricks.as_strided(matrix, (V, padded), matrix.strides)
        if not rows[:, D:].any():  # else they are columns of another matrix
            return rows
    rows = aligned_rows(V, D)
    rows[:, :D] = matrix
    return rows


def _holds(matrix: Floats, V: int, padded: int) -> bool:
    """Whether the memory that `matrix` is a view of reaches to the end of its last padded row."""
    whole = matrix
    while isinstance(whole.base, np.ndarray):
        whole = whole.base
    end = whole.ctypes.data + whole.nbytes
    return bool(matrix.ctypes.data + 4 * V * padded <= end)


def _rows_at_once(D: int) -> int:
    return max(1, NUMBERS_AT_ONCE // D)


def _is_finite(matrix: Floats) -> bool:
    """Whether all numbers are finite; in blocks, so that it costs no memory."""
    rows = _rows_at_once(matrix.shape[1])
    blocks = (matrix[first : first + rows] for first in range(0, len(matrix), rows))
    return all(np.isfinite(block).all() for block in blocks)


def initial_weights(V: int, D: int, seed: int, threads: int = 1, buckets: Ints | None = None) -> Weights:
    """Input rows uniform in [-1/2D, 1/2D), as in word2vec.c, by counted draws; output rows zero.

    With the buckets of n-grams, int64 (U,), their rows likewise: a bucket's is the same in any vocabulary.
    """
    weights = Weights(aligned_rows(V, D)[:, :D], aligned_rows(V, D)[:, :D])
    with ThreadPoolExecutor(threads) as pool:
        _fill(weights.input, np.arange(V), stream_key(seed, 0, Purpose.WEIGHTS), pool)
        if buckets is not None:
            weights.grams = aligned_rows(len(buckets), D)[:, :D]
            _fill(weights.grams, buckets, stream_key(seed, 0, Purpose.GRAM_WEIGHTS), pool)
    return weights


def _fill(matrix: Floats, numbers: Ints, key: int, pool: ThreadPoolExecutor) -> None:
    """Draw rows uniform in [-1/2D, 1/2D), by the numbers that they have."""
    D = matrix.shape[1]
    rows_at_once = _rows_at_once(D)

    def fill(first: int) -> None:
        rows = matrix[first : first + rows_at_once]
        begins = numbers[first : first + rows_at_once].astype(np.uint64) * np.uint64(D)
        counters = begins[:, None] + np.arange(D, dtype=np.uint64)
        rows[:] = (unit(draw(key, counters)) - np.float32(0.5)) / np.float32(D)

    list(pool.map(fill, range(0, len(matrix), rows_at_once)))
