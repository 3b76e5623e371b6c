"""The rows of a matrix nearest to many queries at once, by cosine, exactly and in a fixed memory.

Queries and rows are taken in blocks, so that each product of some queries (Q, D) with some rows (R, D) stays
below some 32 MB. Sorting would cost more than the products; a row of R scores is therefore folded to R / FOLD
maxima first. The best n scores stand among those folded into the best n maxima, so that only n * FOLD scores
are looked at again.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Vector: TypeAlias = NDArray[np.float32]
Matrix: TypeAlias = NDArray[np.float32]
Rows: TypeAlias = NDArray[np.int64]
Answers: TypeAlias = tuple[Rows, Matrix]

QUERIES = 256
ROWS = 1 << 15
FOLD = 64


def unit(vector: Vector) -> Vector:
    """A vector (D,) at length 1, float32; zero stays zero."""
    exact = vector.astype(np.float64)
    largest = np.abs(exact).max(initial=0)
    if largest == 0:
        return np.zeros(vector.shape, np.float32)
    exact /= largest  # or the squares might overflow or vanish
    return (exact / np.linalg.norm(exact)).astype(np.float32)


def nearest(matrix: Matrix, norms: Vector, queries: Matrix, excluded: Rows, topn: int) -> Answers:
    """The `topn` rows of highest cosine to each query, highest first, and their scores.

    `matrix` is float32 (V, D) with lengths `norms` (V,), `queries` float32 (Q, D) of unit length, `excluded`
    int64 (Q, E) names rows that are no answer, -1 none. Gives int64 and float32 (Q, min(topn, V)); where a
    query has fewer answers than that, the scores of the rest are -inf. The score of a zero row is 0.
    """
    count = min(topn, len(matrix))
    rows = np.zeros((len(queries), count), np.int64)
    scores = np.full((len(queries), count), -np.inf, np.float32)
    for start in range(0, len(queries) if count else 0, QUERIES):
        some = slice(start, start + QUERIES)
        for first in range(0, len(matrix), ROWS):
            part = slice(first, first + ROWS)
            found = _scores(matrix[part], norms[part], queries[some])
            _leave_out(found, excluded[some] - first)
            rows[some], scores[some] = _merged(rows[some], scores[some], _best(found, count, first))
    return rows, scores


def _scores(matrix: Matrix, norms: Vector, queries: Matrix) -> Matrix:
    """Cosines, float32 (Q, R); those of zero rows are 0."""
    products: Matrix = queries @ matrix.T
    products /= np.where(norms > 0, norms, np.float32(1))
    return products


def _leave_out(scores: Matrix, columns: Rows) -> None:
    """Set the score of each of `columns` (Q, E) that exists to -inf."""
    query, which = np.nonzero((columns >= 0) & (columns < scores.shape[1]))
    scores[query, columns[query, which]] = -np.inf


def _best(scores: Matrix, count: int, first: int) -> Answers:
    """The `count` best of each row of `scores` (Q, R), or all, in no order, numbered from `first`."""
    Q, R = scores.shape
    groups = R // FOLD
    if groups <= count:
        columns = _top(scores, min(count, R))
    else:
        # Column g + j * groups belongs to group g, so that maxima are taken over whole contiguous runs.
        whole = groups * FOLD
        tops = _top(scores[:, :whole].reshape(Q, FOLD, groups).max(axis=1), count)
        folded = (tops[:, :, None] + groups * np.arange(FOLD)).reshape(Q, -1)
        columns = np.hstack([folded, np.broadcast_to(np.arange(whole, R), (Q, R - whole))])
        columns = np.take_along_axis(columns, _top(np.take_along_axis(scores, columns, axis=1), count), axis=1)
    return columns + first, np.take_along_axis(scores, columns, axis=1)


def _top(scores: Matrix, count: int) -> Rows:
    """The columns of the `count` highest scores in each row, in no order."""
    columns: Rows = np.argpartition(scores, -count, axis=1)[:, -count:]
    return columns


def _merged(rows: Rows, scores: Matrix, more: Answers) -> Answers:
    """The best of two sets of answers, as many as in the first, highest first."""
    rows_of_both, scores_of_both = np.hstack([rows, more[0]]), np.hstack([scores, more[1]])
    order = np.argsort(-scores_of_both, axis=1, kind="stable")[:, : rows.shape[1]]
    return np.take_along_axis(rows_of_both, order, axis=1), np.take_along_axis(scores_of_both, order, axis=1)
