"""The kernels of words made of n-grams take the reference's decisions and compute its equations."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from cases import ARCHITECTURES, Case, assert_held_to_the_reference, cases, trained
from hypothesis import example, given, settings
from hypothesis import strategies as st

from firth.backends.base import Rates
from firth.backends.cpu import CpuBackend
from firth.backends.reference import ReferenceBackend
from firth.ngrams import NGrams, buckets_of, gram_table
from firth.options import TrainingOptions
from firth.weights import initial_weights

# Words are numbers, and so few buckets that many an n-gram stands twice in a word.
GRAMS = {"subwords": True, "bucket": 50, "min_n": 1, "max_n": 3}


def options_of(architecture, **others):
    return TrainingOptions(architecture=architecture, sample=0.01, **GRAMS, **others)


@settings(max_examples=80)
@given(case=cases(sizes=(1, 15, 100), **GRAMS, negative=5))
def test_kernels_hold_to_the_reference_on_any_small_corpus(case):
    assert_held_to_the_reference(case)


def test_noise_that_fills_several_groups():
    options = options_of("skipgram", negative=20, workers=1)
    assert_held_to_the_reference(Case(5, 150, 16, (700, 300, 5), options, unknown=0.1, one_word=0.1))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("lengths", [(3000,), (1023, 1, 1024, 1025), (5, 1019, 1024, 1024, 7)])
@pytest.mark.parametrize("tokens_each", [1024, 1000, 1 << 20])
def test_pieces_and_cuts_may_fall_anywhere_in_long_sentences(architecture, lengths, tokens_each):
    options = options_of(architecture, workers=1)
    case = Case(5, 150, 16, lengths, options, unknown=0.1, one_word=0.1, tokens_each=tokens_each)
    assert_held_to_the_reference(case)


@settings(max_examples=30)
@given(case=cases(longest=1500, sizes=(16,), **GRAMS, negative=5), other_cut=st.integers(1, 3000))
def test_the_result_does_not_depend_on_where_chunks_are_cut(case, other_cut):
    whole = Case(**{**case.__dict__, "tokens_each": 1 << 20})
    cut = Case(**{**case.__dict__, "tokens_each": max(other_cut, sum(case.lengths) // 50, 1)})
    (one, _), (other, _) = trained(CpuBackend(), whole), trained(CpuBackend(), cut)
    for name in ("input", "output", "grams"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes()


@settings(max_examples=15)
@given(case=cases(sizes=(16,), **GRAMS, negative=5))
@example(case=Case(1, 5, 16, (50,), options_of("skipgram", workers=1, held_out=0.3)))
def test_held_out_sentences_are_those_of_the_reference(case):
    assert_held_to_the_reference(case, held_out=True, rates=Rates(0.0, 0.0, 0.0))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_workers_that_race_learn_what_one_learns(architecture):
    """Each has its own rows of the most frequent words and n-grams, merged every so many tokens."""
    case = Case(3, 400, 16, (40,) * 2000, options_of(architecture, workers=1), one_word=0.1, tokens_each=4000)
    racing = Case(**{**case.__dict__, "options": options_of(architecture, workers=4)})
    (_, told), (weights, racing_told) = trained(CpuBackend(), case), trained(CpuBackend(), racing)
    assert (told.examples, told.words) == (racing_told.examples, racing_told.words)
    assert racing_told.mean_loss == pytest.approx(told.mean_loss, rel=0.05)
    assert weights.finite


def test_a_part_that_stands_several_times_in_a_word_takes_one_step():
    """Else its word would move by many steps at once, and with long runs of one letter without bound."""
    words = ["-" * 80, "x", "y"]
    table = gram_table(words, np.array([3, 2, 1]), NGrams(3, 6, 1000))
    rows = table.rows[: table.offsets[1]]
    assert len(rows) > 300
    assert len(np.unique(rows)) < 20

    options = TrainingOptions(subwords=True, bucket=1000, workers=1, sample=0, dynamic_window=False)
    case = Case(1, 3, 16, (9,), options)
    start = case.start()
    start.grams = np.ones((len(table), 16), np.float32)
    for machine in (CpuBackend(), ReferenceBackend()):
        tables = case.tables().__class__(case.tables().keep, case.tables().noise, grams=table)
        machine.start(start.copy(), tables, options)
        for chunk in case.chunks():
            machine.train(chunk, 0, Rates(0.05, 0.0, 0.0))
        machine.settle()
        machine.close()
        moved = machine.weights().grams - start.grams
        own = machine.weights().input - start.input
        only = np.setdiff1d(rows, table.rows[table.offsets[1] :])  # n-grams of the first word alone
        np.testing.assert_allclose(moved[only], np.tile(own[0], (len(only), 1)), rtol=1e-4, atol=1e-6)


def test_rows_stand_by_falling_use_and_none_is_without_a_word():
    words, counts, kind = ["there", "the", "here"], np.array([5, 3, 2]), NGrams(3, 4, 1 << 20)
    table = gram_table(words, counts, kind)
    uses = np.bincount(table.rows, weights=np.repeat(counts, np.diff(table.offsets)))
    assert len(uses) == len(table)
    assert (np.diff(uses) <= 0).all()
    np.testing.assert_array_equal(table.buckets[table.rows], buckets_of([word.encode() for word in words], kind)[1])


def test_n_grams_that_differ_stand_first():
    words = ["aaaaaa", "b", "abab"]
    table = gram_table(words, np.array([3, 2, 1]), NGrams(1, 2, 1000))
    _, buckets = buckets_of([word.encode() for word in words], table.kind)
    for word, (first, last) in enumerate(pairwise(table.offsets)):
        rows, differ = table.rows[first:last], table.distinct[word]
        assert sorted(table.buckets[rows]) == sorted(buckets[first:last])
        assert len(set(rows[:differ])) == differ == len(set(rows))
    assert list(table.distinct) == [4, 3, 6]


def test_a_bucket_starts_from_the_same_row_in_any_vocabulary():
    few, many = np.array([7, 3]), np.array([1, 3, 5, 7])
    first, second = (initial_weights(2, 20, seed=9, buckets=each).grams for each in (few, many))
    np.testing.assert_array_equal(first, second[[3, 1]])
    assert len(np.unique(second)) == second.size
