"""3CosAdd for many questions at once, compiled.

A question asks for the row of the highest cosine to b - a + c. As cos(row, b - a + c) is, but for a factor that is
the question's, row·b - row·a + row·c, the products of the rows with each word that is asked of, few hundreds, answer
all questions, tens of thousands: three numbers are added up where D products would be.
"""

from __future__ import annotations

import numpy as np

from firth.jit import compiled
from firth.nearest_kernels import is_among

LANES = 16


@compiled
def best_answers(products, count, first, questions, excluded, best, rows):
    """Put into `best` and `rows` (n,) what is better in a block of `count` rows, whose number begins at `first`.

    `products` float32 (U, a multiple of LANES) are those of U words with the rows of the block, and of no meaning
    behind the first `count`; `questions` int32 (n, 3) are a, b, c among the U words; `excluded` int64 (n, E) are rows
    that are no answer. Of equal ones, the first row stays.
    """
    for q in range(len(questions)):
        a, b, c = products[questions[q, 0]], products[questions[q, 1]], products[questions[q, 2]]
        bound = best[q]
        above = 0  # whether any is above: no maximum, so that the loop becomes vector code without fast maths
        for r in range(len(a)):
            above += (b[r] - a[r]) + c[r] > bound
        for r in range(count if above else 0):
            score = (b[r] - a[r]) + c[r]
            if score > best[q] and not is_among(first + r, excluded[q]):
                best[q], rows[q] = score, np.int64(first + r)
