"""Draws are counted, uniform, unrelated between purposes, and the same bits in NumPy and in compiled code."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from firth import draws
from firth.backends import cpu_draws
from firth.draws import (
    CHANCE_ONE,
    GOLDEN,
    Purpose,
    as_chance,
    below,
    chance,
    draw,
    low_chance,
    scaled,
    stream_key,
    unit,
)
from firth.jit import compiled

keys = st.integers(0, 2**64 - 1)


@compiled
def fill_draws(key, counters, bound, into, belows, chances, lows, wholes, rests):
    """Everything that the kernels read from a draw."""
    for i in range(len(counters)):
        value = cpu_draws.draw(key, counters[i])
        into[i] = value
        belows[i] = cpu_draws.below(value, bound)
        chances[i] = cpu_draws.chance(value)
        lows[i] = cpu_draws.low_chance(value)
        wholes[i], rests[i] = cpu_draws.scaled(value, bound)


def test_the_mixer_is_the_published_splitmix64():
    # https://rosettacode.org/wiki/Pseudo-random_numbers/Splitmix64: the first five numbers of seed 1234567
    published = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert draw(1234567, np.arange(5)).tolist() == published


@settings(max_examples=50, deadline=None)
@given(key=keys, start=st.integers(0, 2**64 - 1001), bound=st.integers(1, 2**32))
def test_numpy_and_compiled_draws_are_equal_bit_for_bit(key, start, bound):
    counters = np.uint64(start) + np.arange(1000, dtype=np.uint64)
    values, chances, lows, rests = (np.empty(1000, np.uint64) for _ in range(4))
    belows, wholes = (np.empty(1000, np.int64) for _ in range(2))
    fill_draws(np.uint64(key), counters, bound, values, belows, chances, lows, wholes, rests)
    expected = draw(key, counters)
    np.testing.assert_array_equal(values, expected)
    np.testing.assert_array_equal(belows, below(expected, bound))
    np.testing.assert_array_equal(chances, chance(expected))
    np.testing.assert_array_equal(lows, low_chance(expected))
    products = [int(value) * bound for value in expected]
    for found in ((wholes, rests), scaled(expected, bound)):
        assert found[0].tolist() == [product >> 64 for product in products]
        assert found[1].tolist() == [(product >> 32) % 2**32 for product in products]


@settings(max_examples=50, deadline=None)
@given(key=keys, counters=st.lists(st.integers(0, 2**63), min_size=1, max_size=20), shuffled=st.randoms())
def test_a_draw_depends_on_its_key_and_counter_alone(key, counters, shuffled):
    alone = {each: int(draw(key, each)) for each in counters}
    order = list(counters)
    shuffled.shuffle(order)
    assert draw(key, np.array(order, np.uint64)).tolist() == [alone[each] for each in order]
    assert draw(key, np.array([order, order], np.uint64)).tolist() == [[alone[each] for each in order]] * 2


@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.parametrize("bound", [2, 7, 1000])
def test_draws_below_a_bound_are_uniform(purpose, bound):
    drawn = below(draw(stream_key(1, 0, purpose), np.arange(200_000)), bound)
    assert drawn.min() >= 0
    assert drawn.max() < bound
    assert stats.chisquare(np.bincount(drawn, minlength=bound)).pvalue > 1e-3


@pytest.mark.parametrize("read", [chance, low_chance])
def test_both_chances_are_uniform(read):
    drawn = read(draw(stream_key(3, 2, Purpose.KEEP), np.arange(200_000))).astype(np.int64)
    assert drawn.max() < CHANCE_ONE
    assert stats.chisquare(np.bincount(drawn * 256 // CHANCE_ONE, minlength=256)).pvalue > 1e-3


def test_the_low_chance_is_independent_of_what_below_reads():
    values = draw(stream_key(1, 0, Purpose.NOISE), np.arange(200_000))
    cells = below(values, 16) * 16 + low_chance(values).astype(np.int64) * 16 // CHANCE_ONE
    assert stats.chisquare(np.bincount(cells, minlength=256)).pvalue > 1e-3


def test_streams_of_other_seeds_epochs_and_purposes_are_unrelated():
    seeds, epochs = (0, 1, 2, 2**63 - 1), (0, 1, 2)
    streams = {
        (seed, epoch, purpose): draw(stream_key(seed, epoch, purpose), np.arange(10_000))
        for seed in seeds
        for epoch in epochs
        for purpose in Purpose
    }
    assert len({int(each[0]) for each in streams.values()}) == len(streams)
    for one, other in combinations(list(streams.values())[::4], 2):
        correlation = np.corrcoef(unit(one), unit(other))[0, 1]
        assert abs(correlation) < 5 / np.sqrt(len(one))  # five standard deviations
        assert not np.isin(one, other).any()  # no stream is another, shifted


def test_neighbouring_draws_of_a_stream_are_unrelated():
    values = unit(draw(stream_key(1, 0, Purpose.KEEP), np.arange(100_001)))
    assert abs(np.corrcoef(values[1:], values[:-1])[0, 1]) < 5 / np.sqrt(100_000)


@given(seed=st.integers(0, 2**63 - 1), epoch=st.integers(0, 10**6), purpose=st.sampled_from(Purpose))
def test_a_stream_key_has_64_bits_and_follows_from_its_parts(seed, epoch, purpose):
    key = stream_key(seed, epoch, purpose)
    assert 0 <= key < 2**64
    assert key == stream_key(seed, epoch, purpose)
    assert key != stream_key(seed, epoch + 1, purpose)


def test_unit_draws_lie_in_zero_to_one_and_each_is_exact():
    values = unit(draw(1, np.arange(100_000)))
    assert values.dtype == np.float32
    assert values.min() >= 0
    assert values.max() < 1
    np.testing.assert_array_equal(values.astype(np.float64) * 2**24 % 1, 0)


def test_chances_are_rounded_and_kept_within_certainty():
    assert as_chance([-1, 0, 0.5, 1, 2]).tolist() == [0, 0, CHANCE_ONE // 2, CHANCE_ONE, CHANCE_ONE]
    assert as_chance(2**-25 * 1.01) == 1


def test_golden_is_odd_so_that_no_counter_collides_with_another():
    assert GOLDEN % 2 == 1
    assert draws.MASK == 2**64 - 1
