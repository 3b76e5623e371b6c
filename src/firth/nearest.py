"""The rows of a matrix nearest to one query or to many, by cosine, exactly, on as many threads as are given.

One query reads the matrix once, at the speed of memory, and NumPy does as well there as anything. Many queries are
taken by compiled code (`nearest_kernels.py`), which keeps the best of each and stores no scores. Neither calls
those parts of BLAS that take as many cores as they like. Equal scores are answered in the order of the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from firth.weights import aligned_rows

Vector: TypeAlias = NDArray[np.float32]
Matrix: TypeAlias = NDArray[np.float32]
Rows: TypeAlias = NDArray[np.int64]
Scores: TypeAlias = NDArray[np.floating[Any]]
Answers: TypeAlias = tuple[Rows, Matrix]
Block: TypeAlias = tuple[int, Matrix]  # the number of the first row, and some rows
Result = TypeVar("Result")

BLOCK_NUMBERS = 1 << 18  # of a block that stays in cache while it is read again
PART_NUMBERS = 1 << 22  # fewer are not worth a thread of their own
LONGEST_DOT = 10_000  # OpenBLAS takes one thread for dot products up to this length
LARGEST_GEMV = 9215  # and for products of a matrix with a vector below 9,216 numbers
QUERIES = 1020
FOLD = 64
HAS_VECDOT = hasattr(np, "vecdot")
SMALLEST = np.finfo(np.float32).smallest_subnormal  # in place of a norm of 0, it leaves a product of 0 zero
# Below this sum of squares, float32 has too few digits left; above the largest float32 it has none.
LEAST_SQUARES = 1e-30


def unit(vector: Vector) -> Vector:
    """A vector (D,) at length 1, float32; zero stays zero."""
    exact = vector.astype(np.float64)
    largest = np.abs(exact).max(initial=0)
    if largest == 0:
        return np.zeros(vector.shape, np.float32)
    exact /= largest  # or the squares might overflow or vanish
    return (exact / np.linalg.norm(exact)).astype(np.float32)


def lengths(rows: Matrix) -> Vector:
    """The length of each row of a block, float32; not finite for a row with NaN, infinity or numbers above 1e19."""
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        squares = np.einsum("ij,ij->i", rows, rows)
    tiny = squares < LEAST_SQUARES
    found: Vector = np.sqrt(squares)
    if tiny.any():
        found[tiny] = np.linalg.norm(rows[tiny].astype(np.float64), axis=1)
    return found


def read_through(matrix: Matrix, target: Vector, threads: int) -> tuple[Vector, Vector]:
    """Products of all rows with a target (D,), and the norms, float32 (V,), in one pass over the matrix."""
    V, D = matrix.shape
    products, norms = np.empty(V, np.float32), np.empty(V, np.float32)
    step = max(1, BLOCK_NUMBERS // D)

    def read(first: int, last: int) -> None:
        with np.errstate(over="ignore", invalid="ignore"):  # the norms tell of such rows
            for start in range(first, last, step):
                part = slice(start, min(start + step, last))
                norms[part] = lengths(matrix[part])
                multiply(matrix[part], target, products[part])

    on_threads(read, V, D, threads)
    return products, norms


def multiply(rows: Matrix, target: Vector, products: Vector) -> None:
    """The product of each row with the target, on this thread alone."""
    if HAS_VECDOT and len(target) <= LONGEST_DOT:  # NumPy 2 and later; some 5 % faster
        np.vecdot(rows, target, out=products)
    else:
        np.einsum("ij,j->i", rows, target, out=products)


def rough_products(matrix: Matrix, target: Vector) -> Vector:
    """As `multiply`, on this thread, by pieces small enough for BLAS to take no more of them.

    Twice as quick in cache, where D is some 100; but equal rows may differ in their last digits: see `Search`.
    """
    V, D = matrix.shape
    step = max(1, LARGEST_GEMV // D)
    whole = V // step * step
    products = np.empty(V, np.float32)
    np.matmul(matrix[:whole].reshape(-1, step, D), target, out=products[:whole].reshape(-1, step))
    multiply(matrix[whole:], target, products[whole:])
    return products


def cosines(products: Vector, norms: Vector) -> Vector:
    """Products with a unit vector (n,), divided in place by the norms of the rows; 0 for a zero row."""
    products /= np.maximum(norms, SMALLEST)
    return products


def highest(scores: Scores, count: int) -> Rows:
    """The places of the `count` highest of scores (n,), 1 <= count <= n, highest first, equal ones in their order."""
    places = (scores >= least_of_best(scores, count)).nonzero()[0]  # methods: NumPy's functions cost a query 5 %
    best: Rows = places[(-scores[places]).argsort(kind="stable")[:count]]
    return best


def least_of_best(scores: Scores, count: int) -> np.floating[Any]:
    """A number that at least `count` of the scores (n,) reach, and few others."""
    groups = len(scores) // FOLD
    if groups >= 2 * count:  # the maxima of groups are scores, too, and far fewer to sort
        scores = scores[: groups * FOLD].reshape(FOLD, groups).max(axis=0)
    least: np.floating[Any] = np.partition(scores, -count)[-count]
    return least


class Searched(Protocol):
    """Rows that are read as float32 block by block."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(V, D)."""

    def blocks(self, first: int, last: int) -> Iterator[Block]:
        """The rows from `first` to before `last`, in order."""


def nearest(rows: Searched, norms: Vector, queries: Matrix, excluded: Rows, topn: int, threads: int = 1) -> Answers:
    """The `topn` rows of highest cosine to each query, highest first, and their scores.

    The rows (V, D) have the lengths `norms` (V,), `queries` float32 (Q, D) of unit length, `excluded`
    int64 (Q, E) names rows that are no answer, -1 none. Gives int64 and float32 (Q, min(topn, V)); where a
    query has fewer answers than that, the scores of the rest are -inf and their rows V. The score of a zero row is 0.
    """
    V, Q = rows.shape[0], len(queries)
    count = min(topn, V)
    found, scores = np.full((Q, count), V, np.int64), np.full((Q, count), -np.inf, np.float32)
    for start in range(0, Q if count else 0, QUERIES):
        some = slice(start, start + QUERIES)
        excluded_some = np.ascontiguousarray(excluded[some])
        parts = _best_of_parts(rows, norms, queries[some], excluded_some, count, threads)
        every_row, every_score = (np.concatenate(each, axis=1) for each in zip(*parts, strict=True))
        order = np.lexsort((every_row, -every_score), axis=1)[:, :count]
        found[some] = np.take_along_axis(every_row, order, axis=1)
        scores[some] = np.take_along_axis(every_score, order, axis=1)
    return found, scores


def _best_of_parts(
    searched: Searched, norms: Vector, queries: Matrix, excluded: Rows, count: int, threads: int
) -> list[Answers]:
    """The best answers from each thread's part of the rows, in no order."""
    from firth.nearest_kernels import LANES, PANEL_ROWS, PANELS, TILE, best_rows  # compiled code loads at use

    (V, D), Q = searched.shape, len(queries)
    tiles = -(-Q // TILE)
    tiled = np.zeros((tiles * TILE, D), np.float32)
    tiled[:Q] = queries
    tiled = np.ascontiguousarray(tiled.reshape(tiles, TILE, D).transpose(0, 2, 1))

    def search(first: int, last: int) -> Answers:
        panel = aligned_rows(-(-D // LANES) * LANES * PANELS, LANES)
        products = aligned_rows(TILE, PANEL_ROWS)
        bounds = np.full(tiles * TILE, np.inf, np.float32)
        bounds[:Q] = -np.inf
        most = min(count, last - first)  # of this part's rows there are no more
        rows, scores = np.full((Q, most), V, np.int64), np.full((Q, most), -np.inf, np.float32)
        for start, block in searched.blocks(first, last):
            stride, stop = block.strides[0], start + len(block)
            row_0 = block.ctypes.data - start * stride
            best_rows(row_0, stride, D, norms, start, stop, tiled, excluded, panel, products, bounds, scores, rows)
        return rows, scores

    return on_threads(search, V, D * Q, threads)


def on_threads(work: Callable[[int, int], Result], count: int, cost: int, threads: int) -> list[Result]:
    """What `work(first, last)` gives for parts of `count` things, side by side; `cost` is the numbers read for each."""
    parts = max(1, min(threads, count * cost // PART_NUMBERS, count))
    if parts == 1:
        return [work(0, count)]
    edges = [count * part // parts for part in range(parts + 1)]
    with ThreadPoolExecutor(parts) as pool:
        return list(pool.map(work, edges[:-1], edges[1:]))
