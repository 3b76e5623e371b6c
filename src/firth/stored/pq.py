"""Product quantisation: a byte for each part of a row, and a scale for the row.

A row's direction is cut into M parts, and each part is told by the number of the nearest of 256 vectors, its codebook
(Jégou et al. 2011, "Product quantization for nearest neighbor search"). The codebooks come of k-means, by faiss; to
search and to decode takes nothing but what is in the file. A query meets a row by tables of its products with all
that is in the codebooks, as it meets bits.

M parts of at most S = ⌈D / M⌉ numbers each; shorter ones end in zeros.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from firth.nearest import Matrix, Vector
from firth.options import whole
from firth.stored.base import Some, StoredRows, looked_up, scale, steps
from firth.stored.faiss import faiss_threads, load_faiss

ENTRIES = 256  # of a codebook: what a byte can number
USUAL_SIZE = 2  # numbers in a part, unless told otherwise: an eighth of the bytes of float32
TRAINED_ON = 1 << 16  # rows, drawn at random: 256 for each entry, as many as faiss would take of them
# faiss 1.15 takes 0.55 s for the k-means of 30,000 rows and 0.10 s for that of 65,536: from so many on, rows are given
# again until there are as many.
FEW_ROWS = 1 << 13
ENCODED_AT_ONCE = 1 << 12
SEED = 1
LEAST = np.finfo(np.float32).tiny


class Products(StoredRows):
    """`codes` uint8 (V, M), `scales` float32 (V,), `codebooks` float32 (M, 256, S). M + 4 bytes a row.

    Numbers 0 to ⌊D / M⌋ of a row stand in its first part, and so on: part m begins with number ⌊m · D / M⌋.
    """

    dtype = "pq"

    def __init__(self, codes: NDArray[np.uint8], scales: Vector, codebooks: NDArray[np.float32], D: int) -> None:
        self.codes, self.scales, self.codebooks = codes, scales, codebooks
        self.shape = len(codes), D

    @classmethod
    def encoded(cls, rows: StoredRows, parts: int | None = None) -> Self:
        """Codes by codebooks of these rows, in `parts` bytes for a row, ⌈D / 2⌉ if not given, on one thread.

        Raises `MissingExtra` without faiss, `BadOption` for parts below 1 or above D.
        """
        D = rows.shape[1]
        M = -(-D // USUAL_SIZE) if parts is None else whole("parts", parts, at_least=1, at_most=D)
        return cls._coded(rows, _codebooks(rows, M))

    def alike(self, rows: StoredRows) -> Self:
        """Other rows by the codebooks of these."""
        return self._coded(rows, self.codebooks)

    @classmethod
    def _coded(cls, rows: StoredRows, codebooks: NDArray[np.float32]) -> Self:
        (V, D), (M, _, _) = rows.shape, codebooks.shape
        codes, scales = np.empty((V, M), np.uint8), np.empty(V, np.float32)
        halves = (codebooks**2).sum(axis=2) / 2
        for start in range(0, V, ENCODED_AT_ONCE):
            part = slice(start, min(start + ENCODED_AT_ONCE, V))
            numbers = rows.decoded(part)
            units = _in_parts(_units(numbers), M)
            for m in range(M):
                # The nearest entry, since |x - c|² = |x|² - 2 (x · c - |c|² / 2); einsum takes one thread.
                codes[part, m] = np.argmax(np.einsum("ns,es->ne", units[:, m], codebooks[m]) - halves[m], axis=1)
            made = cls(codes[part], np.ones(len(numbers), np.float32), codebooks, D).decoded(slice(None))
            squares = np.einsum("nd,nd->n", made, made)
            # Of all scales, the one that comes nearest to the row.
            scales[part] = np.einsum("nd,nd->n", numbers, made) / np.maximum(squares, LEAST)
        return cls(codes, scales, codebooks, D)

    def decoded(self, some: Some) -> Matrix:
        """Scale times the entries that the codes name."""
        M, _, S = self.codebooks.shape
        codes = self.codes[some]
        entries = self.codebooks[np.arange(M), codes].reshape(len(codes), M * S)
        numbers: Matrix = np.take(entries, _places(self.shape[1], M), axis=1)  # indexing would give columns in order
        scale(numbers, self.scales[some])
        return numbers

    def taken(self, some: Some) -> Self:
        """Some of the rows; the codebooks are shared."""
        return type(self)(self.codes[some], self.scales[some], self.codebooks, self.shape[1])

    def joined(self, other: Self) -> Self:
        """These rows and then the other's, which are by the same codebooks: see `alike`."""
        assert other.codebooks is self.codebooks
        codes, scales = (self.codes, other.codes), (self.scales, other.scales)
        return type(self)(np.concatenate(codes), np.concatenate(scales), self.codebooks, self.shape[1])

    def products(self, target: Vector, some: Some, threads: int) -> Vector:
        """The product of each of some rows with `target` (D,)."""
        codes, scales = np.ascontiguousarray(self.codes[some]), np.ascontiguousarray(self.scales[some])
        query = _in_parts(target[None].astype(np.float32, copy=False), len(self.codebooks))[0]
        table = np.einsum("mes,ms->me", self.codebooks, query)
        return looked_up(codes, table, scales, threads)

    @property
    def tensors(self) -> dict[str, NDArray[Any]]:
        """Codes, scales and codebooks, and D, which none of them tells."""
        size = np.array([self.shape[1]], np.int64)
        return {
            "input": self.codes,
            "input_scales": self.scales,
            "codebooks": self.codebooks,
            "vector_size": size,
        }


def part_size(D: int, M: int) -> int:
    """How many numbers the longest of M parts has."""
    return -(-D // M)


def _places(D: int, M: int) -> NDArray[np.int64]:
    """Where the D numbers of a row stand among M parts of S places each."""
    starts = np.arange(M + 1) * D // M
    part = np.repeat(np.arange(M), np.diff(starts))
    return part * part_size(D, M) + np.arange(D) - starts[part]


def _in_parts(rows: Matrix, M: int) -> NDArray[np.float32]:
    """Rows (n, D) cut into parts, (n, M, S)."""
    n, D = rows.shape
    S = part_size(D, M)
    wide = np.zeros((n, M * S), np.float32)
    wide[:, _places(D, M)] = rows
    return wide.reshape(n, M, S)


def _units(rows: Matrix) -> Matrix:
    """Rows (n, D) at length 1; zero stays zero."""
    sizes = np.abs(rows).max(axis=1, initial=0)[:, None]
    scaled = rows / np.where(sizes > 0, sizes, np.float32(1))  # or squares might vanish
    scaled /= np.maximum(np.sqrt(np.einsum("nd,nd->n", scaled, scaled)), LEAST)[:, None]
    return np.asarray(scaled, np.float32)


def _codebooks(rows: StoredRows, M: int) -> NDArray[np.float32]:
    """Codebooks (M, 256, S) for the directions of rows; up to 256 rows are entries themselves."""
    V, D = rows.shape
    S = part_size(D, M)
    if V <= ENTRIES:
        books = np.zeros((M, ENTRIES, S), np.float32)
        books[:, :V] = _in_parts(_units(rows.decoded(slice(None))), M).transpose(1, 0, 2)
        return books
    faiss = load_faiss("product quantisation (dtype pq)")
    drawn = np.random.default_rng(SEED).choice(V, min(V, TRAINED_ON), replace=False)
    if V > FEW_ROWS:
        drawn = np.resize(drawn, TRAINED_ON)
    drawn.sort()
    sample = np.empty((len(drawn), M, S), np.float32)
    for part in steps(0, len(drawn), D):
        sample[part] = _in_parts(_units(rows.decoded(drawn[part])), M)
    quantizer = faiss.ProductQuantizer(M * S, M, 8)
    quantizer.cp.seed = SEED
    quantizer.cp.min_points_per_centroid = 1  # or it would write to standard error that 39 are better
    with faiss_threads(1):
        quantizer.train(sample.reshape(len(drawn), M * S))
    return np.array(faiss.vector_to_array(quantizer.centroids), np.float32).reshape(M, ENTRIES, S)
