"""Intervals of means where items are made of the same parts again and again.

Analogy sets cross pairs of words: with 23 pairs, capital-common-countries asks 506 questions, and one pair that a model
gets wrong spoils 44 of them. Drawing questions would take each for news. So what is drawn with replacement are the
pairs, within their section, and a question counts as often as both its pairs were drawn together, the product of their
counts (the vertex bootstrap, Snijders & Borgatti 1999). Of questions that share nothing this makes intervals up to √3
times too wide (Owen 2007); of questions that are crossed, drawing them alone made intervals a quarter as wide, and told
two seeds of one training apart as better and worse (docs/benchmarks.md).

Tests of odd ones out that share all their words are drawn together, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from firth.evaluate.resampling import COUNTS_AT_ONCE, Interval, Numbers, interval

Rows: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class Parts:
    """Which of P parts each of n items is made of: `first` and, if it is made of two, `second`, int64 (n,).

    `within` (P,) says in which stratum each part is drawn.
    """

    first: Rows
    second: Rows | None
    within: Rows

    def of(self, places: Rows) -> Parts:
        """The parts of some of the items."""
        columns = [self.first[places]] if self.second is None else [self.first[places], self.second[places]]
        used, numbers = np.unique(np.concatenate(columns), return_inverse=True)
        first, *second = numbers.reshape(len(columns), -1)
        return Parts(first, second[0] if second else None, self.within[used])

    def mean_interval(self, outcomes: Numbers, resamples: int, seed: int) -> Interval | None:
        """The interval of the mean of outcomes (n,)."""
        if not resamples or not len(outcomes):
            return None
        totals, sizes = self._summed(outcomes), self._summed(np.ones(len(outcomes)))
        samples = []
        for counts in self._drawn(resamples, seed):
            with np.errstate(invalid="ignore", divide="ignore"):  # no item may be left, which is no sample
                samples.append(_weighed(counts, totals) / _weighed(counts, sizes))
        return interval(np.concatenate(samples))

    def _summed(self, values: Numbers) -> NDArray[np.float64]:
        """The sum of the values of each part's items (P,), or of each two parts', sparse (P, P)."""
        P = len(self.within)
        if self.second is None:
            return np.bincount(self.first, values, minlength=P).astype(np.float64)
        from scipy.sparse import csr_array  # takes a tenth of a second to load

        found: NDArray[np.float64] = csr_array((values, (self.first, self.second)), shape=(P, P))
        return found

    def _drawn(self, resamples: int, seed: int) -> Iterator[Numbers]:
        """How often each part was drawn, in each resample: some rows of counts (resamples, P) at a time."""
        P = len(self.within)
        order = np.argsort(self.within, kind="stable")
        _, starts, sizes = np.unique(self.within[order], return_index=True, return_counts=True)
        first, size = np.repeat(starts, sizes), np.repeat(sizes, sizes)
        generator = np.random.default_rng(seed)
        step = max(1, COUNTS_AT_ONCE // P)
        for start in range(0, resamples, step):
            rows = min(step, resamples - start)
            drawn = order[first + generator.integers(0, size, (rows, P))] + P * np.arange(rows)[:, None]
            yield np.bincount(drawn.ravel(), minlength=rows * P).reshape(rows, P).astype(np.float64)


def _weighed(counts: Numbers, sums: NDArray[np.float64]) -> Numbers:
    """Sums of parts, each as often as it was drawn; of two parts, as often as both were: (R,)."""
    found: Numbers = counts @ sums
    return found if found.ndim == 1 else np.einsum("rp,rp->r", found, counts)
