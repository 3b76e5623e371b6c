"""One query after another: which rows are nearest, with a coarse copy of the rows where that pays.

The copy may be a screen (`firth.screen`), which changes no answer, or a `Sketch`, which may miss some.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from firth.nearest import Rows, Vector, cosines, highest, least_of_best, rough_products
from firth.screen import rounding
from firth.stored import Floats, StoredRows
from firth.stored.base import Some

if TYPE_CHECKING:
    from collections.abc import Callable

    from firth.screen import Screen

Found: TypeAlias = list[tuple[int, float]]

# A screen costs about as much as reading the matrix five times, and compiled code to load: it is made when about as
# much has been spent on searches without it. So many numbers are read in 0.1 to 0.2 s.
PATIENCE = 4
PATIENCE_NUMBERS = 1 << 30
LEAST_SCREENED = 1 << 17  # numbers in a matrix; fewer are read as quickly
FEW_CANDIDATES = 1 / 8  # of the rows: more are not worth gathering
KERNELS = "firth.nearest_kernels"
# Matrices of so many numbers lie in cache, where BLAS is quicker than sums in one order; smaller ones take no time.
IN_CACHE = range(1 << 16, 1 << 20)


@dataclass(frozen=True)
class Sketch:
    """Few bytes for each of the same rows, by which the best `rescore` · count are chosen, to be scored by the rows."""

    rows: StoredRows
    norms: Vector
    rescore: int

    def candidates(self, target: Vector, count: int, some: Some, threads: int) -> Rows:
        """The numbers of the rows to score, in order."""
        scores = self.rows.cosines(target, self.norms, some, threads)
        best = highest(scores, min(self.rescore * count, len(scores)))
        return numbers_of(some)[np.sort(best)]


class Search:
    """Searches V stored rows; `check` is called once with their lengths, (V,), and raises where one is not finite."""

    def __init__(
        self,
        rows: StoredRows,
        check: Callable[[Vector], None],
        norms: Vector | None = None,
        sketch: Sketch | None = None,
    ) -> None:
        self.rows, self.sketch = rows, sketch
        self.screen: Screen | None = None
        self._check, self._norms = check, norms
        self._numbers_read = 0

    @property
    def known_norms(self) -> Vector | None:
        """The length of each row, if it has been measured already."""
        return self._norms

    @property
    def norms(self) -> Vector:
        """The length of each row, float32 (V,), measured once."""
        return self._keep(self.rows.lengths(threads=1)) if self._norms is None else self._norms

    def cosines(self, target: Vector, some: Some, threads: int) -> Vector:
        """The cosine of each of some rows with `target` (D,), of unit length, float32 (n,); 0 for a zero row."""
        if self._norms is None and isinstance(self.rows, Floats):  # found on the way
            products, norms = self.rows.products_and_lengths(target, threads)
            self._keep(norms)
            return cosines(products[some], norms[some])
        norms = self._keep(self.rows.lengths(threads)) if self._norms is None else self._norms
        return self.rows.cosines(target, norms, some, threads)

    def best(self, target: Vector, count: int, some: Some, threads: int) -> Found:
        """The `count` of some rows nearest to `target`, of unit length, and their cosines; equal ones by row."""
        count = min(count, _count(some))
        if count == 0:
            return []
        rows = self._candidates(target, count, some, threads)
        scores = self.cosines(target, rows, threads)
        best = highest(scores, count)
        places = best + rows.start if isinstance(rows, slice) else rows[best]
        return list(zip(places.tolist(), scores[best].tolist(), strict=True))

    def _candidates(self, target: Vector, count: int, some: Some, threads: int) -> Some:
        """Those of some rows that are worth scoring, in order; all of them where a copy would not pay."""
        if self.sketch is not None:
            return self.sketch.candidates(target, count, some, threads)
        if not isinstance(some, slice) or not isinstance(self.rows, Floats):
            return some
        n = _count(some)
        if some.start == 0 and self._pays_to_screen(n * self.rows.shape[1]):
            rows = self._screened(self.rows, threads).candidates(target, count, n, threads)
        elif self._norms is not None and n * self.rows.shape[1] in IN_CACHE:
            rows = self._roughly_best(self.rows, target, count, some)
        else:
            return some
        return rows if len(rows) <= n * FEW_CANDIDATES else some

    def _roughly_best(self, rows: Floats, target: Vector, count: int, some: slice) -> Rows:
        """The numbers of some rows among which are the `count` nearest, by rough products."""
        scores = cosines(rough_products(rows.matrix[some], target), self.norms[some])
        found: Rows = np.flatnonzero(scores >= least_of_best(scores, count) - 2 * rounding(len(target)))
        found += some.start
        return found

    def _keep(self, norms: Vector) -> Vector:
        self._check(norms)
        norms.flags.writeable = False
        self._norms = norms
        return norms

    def _pays_to_screen(self, numbers: int) -> bool:
        """Whether a search that reads so many numbers should have a screen, given those before it."""
        self._numbers_read += numbers
        loading = 0 if KERNELS in sys.modules else PATIENCE_NUMBERS
        return numbers >= LEAST_SCREENED and self._numbers_read > max(PATIENCE * numbers, loading)

    def _screened(self, rows: Floats, threads: int) -> Screen:
        if self.screen is None:
            from firth.screen import Screen

            self.screen = Screen(rows.matrix, self.norms, threads)
        return self.screen


def numbers_of(some: Some) -> Rows:
    """The numbers of some rows."""
    return np.arange(some.start, some.stop) if isinstance(some, slice) else some


def _count(some: Some) -> int:
    return int(some.stop - some.start) if isinstance(some, slice) else len(some)
