"""Which row answers each of many analogies: products by BLAS, then `analogy_kernels`."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from firth.blas import threads_at_most
from firth.nearest import SMALLEST, on_threads

if TYPE_CHECKING:
    from firth.evaluate.known import KnownWords

Rows: TypeAlias = NDArray[np.int64]

BLOCK_ROWS = 128  # products of 1,000 words with so many rows, 512 KB, stay in a core's cache
NO_ANSWER = -1


def answers(known: KnownWords, questions: Rows, threads: int) -> Rows:
    """The row nearest to b - a + c for each of `questions` (n, 3), rows a, b, c: (n,), NO_ANSWER where there is none.

    The question's own words are no answer, nor what is one with them where case is folded.
    """
    if not len(questions):
        return np.empty(0, np.int64)
    from firth.evaluate.analogy_kernels import best_answers  # compiled code loads at use

    asked, places = np.unique(questions, return_inverse=True)
    triples = places.reshape(questions.shape).astype(np.int32)
    units = known.units(asked).astype(np.float32)
    excluded, norms = known.with_others(questions), known.vectors.norms
    stored = known.vectors.rows

    def search(first: int, last: int) -> tuple[Rows, NDArray[np.float32]]:
        best, rows = np.full(len(triples), -np.inf, np.float32), np.full(len(triples), NO_ANSWER, np.int64)
        products = np.zeros((len(asked), BLOCK_ROWS), np.float32)
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
