"""Scores against scipy, resamples against resampling one by one, intervals against what they promise."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from firth.evaluate.parts import Parts
from firth.evaluate.resampling import (
    correlation,
    correlation_difference_interval,
    correlation_intervals,
    interval,
    mean_interval,
    pearson,
    resampled,
    spearman,
)


def correlation_interval(way, x, y, resamples, seed):
    return correlation_intervals({"": way}, x, y, resamples, seed)[""]


NUMBERS = st.lists(st.tuples(st.integers(-5, 5), st.floats(-10, 10, width=16)), min_size=3, max_size=40)


@given(NUMBERS)
def test_correlations_are_scipy_s(pairs):
    x, y = np.array(pairs, np.float64).T
    assume(np.ptp(x) > 0)
    assume(np.ptp(y) > 1e-3)
    assert correlation(pearson, x, y) == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-9)
    assert correlation(spearman, x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-9)


@given(NUMBERS, st.integers(0, 2**32))
@settings(deadline=None)
def test_counts_stand_for_resamples(pairs, seed):
    """What counting gives is what drawing the pairs themselves gives."""
    x, y = np.array(pairs, np.float64).T
    assume(np.ptp(y) > 1e-3)
    counts = np.concatenate(list(resampled(len(x), 5, seed)))
    assert (counts.sum(axis=1) == len(x)).all()
    for ways, way in ((stats.pearsonr, pearson), (stats.spearmanr, spearman)):
        for row, found in zip(counts, way(x, y, counts), strict=True):
            drawn = np.repeat(np.arange(len(x)), row.astype(int))
            constant = np.ptp(x[drawn]) == 0 or np.ptp(y[drawn]) == 0
            assert np.isnan(found) == constant
            if not constant and np.ptp(y[drawn]) > 1e-3:
                assert found == pytest.approx(ways(x[drawn], y[drawn]).statistic, abs=1e-6)


def test_large_means_cost_no_digits():
    generator = np.random.default_rng(0)
    x, y = generator.standard_normal((2, 50))
    assert correlation(pearson, x + 1e8, y) == pytest.approx(correlation(pearson, x, y), abs=1e-6)


def test_one_interval_is_drawn_by_one_seed():
    x, y = np.random.default_rng(0).standard_normal((2, 50))
    first = correlation_interval(spearman, x, y, 200, seed=1)
    assert first == correlation_interval(spearman, x, y, 200, seed=1)
    assert first != correlation_interval(spearman, x, y, 200, seed=2)
    assert mean_interval(x, 200, 1) == mean_interval(x, 200, 1)


def test_no_resamples_give_no_interval():
    x, y = np.random.default_rng(0).standard_normal((2, 50))
    assert correlation_interval(pearson, x, y, 0, 1) is None
    assert correlation_difference_interval(pearson, x, x, y, 0, 1) is None
    assert mean_interval(x, 0, 1) is None
    assert interval(np.full(3, np.nan)) is None


@pytest.mark.parametrize("different", [2, 3000])
def test_the_interval_of_a_mean_is_that_of_scipy_s_bootstrap(different):
    outcomes = np.random.default_rng(0).integers(0, different, 3000) / (different - 1)
    low, high = mean_interval(outcomes, 4000, seed=1)
    theirs = stats.bootstrap(
        (outcomes,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(2), batch=500
    ).confidence_interval
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=1.5e-3)


def test_the_interval_of_a_correlation_is_that_of_scipy_s_bootstrap():
    x, noise = np.random.default_rng(0).standard_normal((2, 200))
    y = x + noise
    low, high = correlation_interval(pearson, x, y, 4000, seed=1)
    theirs = stats.bootstrap(
        (x, y),
        lambda a, b, axis: stats.pearsonr(a, b, axis=axis).statistic,
        paired=True,
        n_resamples=4000,
        method="percentile",
        rng=np.random.default_rng(2),
    ).confidence_interval
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.015)


def test_intervals_hold_the_truth_as_often_as_they_promise():
    """Of 400 samples of 200 answers, each right with chance 0.3, some 95 % have 0.3 inside."""
    generator = np.random.default_rng(0)
    inside = 0
    for seed in range(400):
        low, high = mean_interval((generator.random(200) < 0.3).astype(float), 500, seed)
        inside += low <= 0.3 <= high
    assert 0.91 < inside / 400 < 0.98


@given(st.integers(1, 4), st.integers(2, 6), st.booleans(), st.integers(0, 2**32))
@settings(deadline=None, max_examples=30)
def test_parts_weigh_their_items_as_often_as_they_are_drawn(strata, each, paired, seed):
    """Against a list of what each resample holds, item by item."""
    generator = np.random.default_rng(seed)
    P = strata * each
    within = generator.permutation(np.repeat(np.arange(strata), each))
    asked = generator.integers(0, P, (30, 2))
    outcomes = generator.random(30)
    parts = Parts(asked[:, 0], asked[:, 1] if paired else None, within)
    [counts] = parts._drawn(50, seed)
    for stratum in range(strata):
        assert (counts[:, within == stratum].sum(axis=1) == each).all()
    means = []
    for row in counts:
        held = [
            outcome
            for (first, second), outcome in zip(asked, outcomes, strict=True)
            for _ in range(int(row[first] * (row[second] if paired else 1)))
        ]
        means.append(np.mean(held) if held else np.nan)
    expected = interval(np.array(means))
    found = parts.mean_interval(outcomes, 50, seed)
    assert (found is None) == (expected is None)
    assert found is None or found == pytest.approx(expected)


def test_some_of_the_items_keep_their_parts():
    parts = Parts(np.array([5, 1, 3, 1]), np.array([1, 3, 5, 5]), np.array([0, 2, 0, 1, 0, 7]))
    some = parts.of(np.array([0, 3]))
    assert (some.first.tolist(), some.second.tolist(), some.within.tolist()) == ([1, 0], [0, 1], [2, 7])


def crossed(generator, pairs=20):
    """Questions that cross pairs, some pairs being harder than others: outcomes whose expected mean is 0.5."""
    first, second = np.array([(i, j) for i in range(pairs) for j in range(pairs) if i != j]).T
    ease = generator.standard_normal(pairs)
    outcomes = (ease[first] + ease[second] + generator.standard_normal(len(first)) > 0).astype(float)
    return Parts(first, second, np.zeros(pairs, np.int64)), outcomes


def test_intervals_of_crossed_questions_hold_the_truth_where_those_of_questions_do_not():
    generator = np.random.default_rng(0)
    by_pairs = by_questions = 0
    for seed in range(200):
        parts, outcomes = crossed(generator)
        low, high = parts.mean_interval(outcomes, 300, seed)
        by_pairs += low <= 0.5 <= high
        low, high = mean_interval(outcomes, 300, seed)
        by_questions += low <= 0.5 <= high
    assert by_pairs / 200 > 0.88
    assert by_questions / 200 < 0.6


def test_a_paired_interval_is_narrower_than_both_others():
    """Two models that fail on the same questions: the difference is told, though their own intervals overlap."""
    generator = np.random.default_rng(0)
    scores = generator.standard_normal(300)
    first = scores + 2 * generator.standard_normal(300)
    second = first + 0.3 * scores
    own = (
        correlation_interval(spearman, first, scores, 1000, 1),
        correlation_interval(spearman, second, scores, 1000, 1),
    )
    low, high = correlation_difference_interval(spearman, first, second, scores, 1000, 1)
    assert own[0][1] > own[1][0]
    assert 0 < low < high < own[0][1] - own[0][0]
