"""Which row answers each of many analogies.

Few questions are a search like any other (`nearest`). Many questions ask of the same few words again and again: BLAS
multiplies these with all rows once, and `analogy_kernels` adds up the products.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from firth.blas import threads_at_most
from firth.nearest import SMALLEST, nearest, on_threads

if TYPE_CHECKING:
    from firth.evaluate.known import KnownWords

Rows: TypeAlias = NDArray[np.int64]

BLOCK_ROWS = 128  # products of 1,000 words with so many rows, 512 KB, stay in a core's cache
# The search computes twice as fast as BLAS (docs/design.md): two questions for each word cost as much either way.
QUESTIONS_A_WORD = 2
NO_ANSWER = -1


def answers(known: KnownWords, questions: Rows, threads: int) -> Rows:
    """The row nearest to b - a + c for each of `questions` (n, 3), rows a, b, c: (n,), NO_ANSWER where there is none.

    The question's own words are no answer, nor what is one with them where case is folded.
    """
    if not len(questions):
        return np.empty(0, np.int64)
    asked, places = np.unique(questions, return_inverse=True)
    triples = places.reshape(questions.shape).astype(np.int32)
    units, excluded = known.units(asked).astype(np.float32), known.with_others(questions)
    if len(questions) < QUESTIONS_A_WORD * len(asked):
        searched, norms = known.vectors.rows.taken(slice(0, known.count)), known.vectors.norms[: known.count]
        # No need of unit length: the length of a query changes no order.
        targets = units[triples[:, 1]] - units[triples[:, 0]] + units[triples[:, 2]]
        rows, scores = nearest(searched, norms, targets, excluded, 1, threads)
        return np.where(scores[:, 0] > -np.inf, rows[:, 0], NO_ANSWER)
    return _by_products(known, triples, units, excluded, threads)


def _by_products(
    known: KnownWords, triples: NDArray[np.int32], units: NDArray[np.float32], excluded: Rows, threads: int
) -> Rows:
    """The answers to `triples` (n, 3), which are places among the words asked of, whose unit vectors are (U, D)."""
    from firth.evaluate.analogy_kernels import best_answers  # compiled code loads at use

    norms, stored = known.vectors.norms, known.vectors.rows

    def search(first: int, last: int) -> tuple[Rows, NDArray[np.float32]]:
        best, rows = np.full(len(triples), -np.inf, np.float32), np.full(len(triples), NO_ANSWER, np.int64)
        products = np.zeros((len(units), BLOCK_ROWS), np.float32)
        for start, block in stored.blocks(first, last):
            for place in range(0, len(block), BLOCK_ROWS):
                part, row = block[place : place + BLOCK_ROWS], start + place
                scaled = part / np.maximum(norms[row : row + len(part), None], SMALLEST)
                np.matmul(units, scaled.T, out=products[:, : len(part)])
                best_answers(products, len(part), row, triples, excluded, best, rows)
        return rows, best

    with threads_at_most(1):  # threads share out the rows; BLAS would take every core for each of them
        parts = on_threads(search, known.count, units.size + len(triples), threads)
    rows, scores = (np.stack(each) for each in zip(*parts, strict=True))
    chosen: Rows = rows[scores.argmax(axis=0), np.arange(len(triples))]  # of equal ones the first part's
    return chosen
