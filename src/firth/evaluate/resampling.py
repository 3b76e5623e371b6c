"""How sure a score is: percentile intervals of the bootstrap (Efron 1979), paired where two models are compared.

The n things that were asked (pairs, questions, words) are drawn n times with replacement, and the score is taken
again; the middle 95 % of the scores of R such resamples are the interval. Two models are compared on the same
resamples, of what both know: what is hard for both then cancels out, and the interval of their difference is far
narrower than their own ones would let one think.

Things that are made of the same parts again and again are not drawn themselves: see `parts.py`.

Only how often each thing was drawn matters, `counts` (R, n). A mean needs less: how often each of its few different
outcomes was drawn, which is multinomial, whatever n.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from firth.errors import counted

Numbers: TypeAlias = NDArray[np.float64]
Interval: TypeAlias = tuple[float, float]

CONFIDENCE = 0.95
COUNTS_AT_ONCE = 1 << 18  # numbers of counts held at a time: 2 MB, which stay in cache (1 << 21 took twice as long)
MOST_DIFFERENT = 1 << 10  # outcomes; a multinomial draw of more would cost more than resampling itself
FEWEST = 3  # things that a correlation is told of: two always lie on a line
# Cosines of float32 vectors that differ by less differ by rounding.
EQUAL_COSINES = 4 * float(np.finfo(np.float32).eps)

DOUBTFUL = 1e-9  # of the largest square: where squares are less on average, they are added up anew


def interval(samples: Numbers) -> Interval | None:
    """The middle CONFIDENCE of samples (R,); None where there are none. Samples without a score (NaN) do not count."""
    told = samples[np.isfinite(samples)]
    if not len(told):
        return None
    low, high = np.quantile(told, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def mean_interval(outcomes: Numbers, resamples: int, seed: int) -> Interval | None:
    """The interval of the mean of outcomes (n,); for two models, of the mean of their differences."""
    if not resamples or not len(outcomes):
        return None
    values, counts = np.unique(outcomes, return_counts=True)
    if len(values) <= MOST_DIFFERENT:
        drawn = np.random.default_rng(seed).multinomial(len(outcomes), counts / len(outcomes), size=resamples)
        return interval(drawn @ values / len(outcomes))
    return interval(
        np.concatenate([each @ outcomes for each in resampled(len(outcomes), resamples, seed)]) / len(outcomes)
    )


def resampled(n: int, resamples: int, seed: int) -> Iterator[Numbers]:
    """How often each of n things was drawn, in each resample: some rows of counts (resamples, n) at a time."""
    generator = np.random.default_rng(seed)
    step = max(1, COUNTS_AT_ONCE // n)
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        drawn = generator.integers(0, n, (rows, n)) + n * np.arange(rows)[:, None]
        yield np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)


# ---- correlations ------------------------------------------------------------------------------

Correlation: TypeAlias = Callable[[Numbers, Numbers, Numbers], Numbers]


def pearson(x: Numbers, y: Numbers, counts: Numbers) -> Numbers:
    """Pearson's r of x and y (n,), each pair taken `counts` (R, n) times: (R,); NaN where one is constant."""
    n = counts.sum(axis=1)
    x, y = x - x.mean(), y - y.mean()  # large means would leave few digits
    sum_x, sum_y, xx, yy, xy = (counts @ np.stack([x, y, x * x, y * y, x * y], axis=1)).T
    squares_x, squares_y = xx - sum_x**2 / n, yy - sum_y**2 / n
    found = _quotient(xy - sum_x * sum_y / n, squares_x, squares_y)
    # Where a resample hardly varies, rounding could pass for a correlation.
    doubtful = (squares_x <= DOUBTFUL * n * _largest(x)) | (squares_y <= DOUBTFUL * n * _largest(y))
    for row in np.flatnonzero(doubtful):
        drawn = np.repeat(np.arange(len(x)), counts[row].astype(np.int64))
        found[row] = _plain(x[drawn], y[drawn])
    return found


def spearman(x: Numbers, y: Numbers, counts: Numbers) -> Numbers:
    """Spearman's ρ of x and y (n,): Pearson's r of their ranks, equal values sharing the mean of theirs.

    Ranks are halves of whole numbers, so these sums are exact.
    """
    n = counts.sum(axis=1, keepdims=True)
    x, y = (_ranks(side, counts) - (n + 1) / 2 for side in (x, y))  # as many above the mean as below it
    weighted = x * counts
    covariance, squares_x = np.einsum("rn,rn->r", weighted, y), np.einsum("rn,rn->r", weighted, x)
    return _quotient(covariance, squares_x, np.einsum("rn,rn->r", y * counts, y))


def _quotient(covariance: Numbers, squares_x: Numbers, squares_y: Numbers) -> Numbers:
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Numbers = np.where(
            (squares_x > 0) & (squares_y > 0), covariance / np.sqrt(squares_x * squares_y), np.nan
        )
    return np.clip(found, -1, 1)


def _largest(centred: Numbers) -> float:
    return float((centred * centred).max())


def _plain(x: Numbers, y: Numbers) -> float:
    """Pearson's r of x and y (n,), step by step; NaN where one is constant."""
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    x, y = x - x.mean(), y - y.mean()
    return float(np.clip(np.dot(x / np.linalg.norm(x), y / np.linalg.norm(y)), -1, 1))


def _ranks(values: Numbers, counts: Numbers) -> Numbers:
    """The mean rank of each of values (n,) among as many of each as `counts` (R, n) says: (R, n)."""
    distinct, group = np.unique(values, return_inverse=True)
    order = np.argsort(group, kind="stable")
    sizes = counts[:, order]
    if len(distinct) < len(values):
        sizes = np.add.reduceat(sizes, np.flatnonzero(np.diff(group[order], prepend=-1)), axis=1)
    ranks: Numbers = (np.cumsum(sizes, axis=1) - (sizes - 1) / 2)[:, group]
    return ranks


def correlation(way: Correlation, x: Numbers, y: Numbers) -> float:
    """The correlation of x and y (n,), each pair once."""
    return float(way(x, y, np.ones((1, len(x))))[0])


def correlation_intervals(
    ways: Mapping[str, Correlation], x: Numbers, y: Numbers, resamples: int, seed: int
) -> dict[str, Interval | None]:
    """The intervals of several correlations of x and y (n,), on the same resamples."""
    if not resamples:
        return dict.fromkeys(ways)
    samples = [[way(x, y, counts) for way in ways.values()] for counts in resampled(len(x), resamples, seed)]
    return {name: interval(np.concatenate(some)) for name, some in zip(ways, zip(*samples, strict=True), strict=True)}


def correlation_difference_interval(
    way: Correlation, first: Numbers, second: Numbers, y: Numbers, resamples: int, seed: int
) -> Interval | None:
    """The interval of what `second` (n,) correlates with y more than `first` does, on the same resamples."""
    if not resamples:
        return None
    samples = [way(second, y, each) - way(first, y, each) for each in resampled(len(y), resamples, seed)]
    return interval(np.concatenate(samples))


def why_no_correlation(cosines: Numbers, scores: Numbers, pairs: int) -> str:
    """Why there is no correlation of cosines and scores (n,), of so many pairs in the set; empty where there is one."""
    known = len(scores)
    if known == 0:
        return f"of {counted(pairs, 'pair')}, none has vectors for both words; check how words are cased"
    if known < FEWEST:
        are = "is" if known == 1 else "are"
        return f"only {known} of {counted(pairs, 'pair')} {are} known; a correlation takes {FEWEST}"
    if np.ptp(scores) == 0:
        return f"all {known} pairs that count have the same score, {scores[0]:g}: there is nothing to correlate"
    if np.ptp(cosines) <= EQUAL_COSINES:
        return f"all {known} pairs that count have the same cosine, {cosines[0]:.4f}: there is nothing to correlate"
    return ""
