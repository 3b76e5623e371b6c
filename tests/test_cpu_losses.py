"""Hierarchical softmax, noise by pair and distinct noise on the CPU hold to the reference, as the usual kernels do.

Each number of blocks in a row and of noise words compiles anew, so few are tried.
"""

from __future__ import annotations

import numpy as np
import pytest
from cases import ARCHITECTURES, Case, assert_held_to_the_reference, cases, trained
from hypothesis import given, settings
from hypothesis import strategies as st

from firth.backends.cpu import CpuBackend
from firth.options import TrainingOptions


@settings(max_examples=100, deadline=None)
@given(case=cases(loss="hs", negative=5, sizes=(17, 100)))
def test_hierarchical_softmax_on_any_small_corpus(case):
    assert_held_to_the_reference(case)


@settings(max_examples=80, deadline=None)
@given(case=cases(architecture="skipgram", noise="pair", negative=5, sizes=(17, 30)))
def test_noise_by_pair_on_any_small_corpus(case):
    assert_held_to_the_reference(case)


@settings(max_examples=20, deadline=None)
@given(case=cases(architecture="skipgram", noise="pair", negative=20, sizes=(16,)))
def test_much_noise_by_pair(case):
    assert_held_to_the_reference(case)


@settings(max_examples=60, deadline=None)
@given(case=cases(distinct_noise=True, negative=5, sizes=(17, 30)))
def test_distinct_noise_on_any_small_corpus(case):
    assert_held_to_the_reference(case)


@settings(max_examples=60, deadline=None)
@given(case=cases(architecture="skipgram", noise="pair", distinct_noise=True, negative=5, sizes=(17, 30)))
def test_distinct_noise_by_pair_on_any_small_corpus(case):
    assert_held_to_the_reference(case)


@settings(max_examples=20, deadline=None)
@given(case=cases(loss="hs", negative=5, sizes=(17,)), held_out=st.booleans())
def test_held_out_sentences_under_hierarchical_softmax(case, held_out):
    assert_held_to_the_reference(case, held_out=held_out)


@pytest.mark.parametrize("V", [2, 3, 9, 17, 300, 5000])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_paths_of_every_length(V, architecture):
    """Groups of nodes that are full, half full, and hardly begun."""
    options = TrainingOptions(architecture=architecture, loss="hs", workers=1, sample=0, window=3)
    assert_held_to_the_reference(Case(3, V, 20, (40,) * 20, options))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_workers_under_hierarchical_softmax_learn_what_one_learns(architecture):
    one, many = (
        trained(
            CpuBackend(),
            Case(
                5,
                300,
                20,
                (25,) * 4000,
                TrainingOptions(architecture=architecture, loss="hs", workers=workers, sample=0),
                tokens_each=2000,
            ),
        )[1]
        for workers in (1, 8)
    )
    assert (one.examples, one.words) == (many.examples, many.words)
    assert many.mean_loss == pytest.approx(one.mean_loss, rel=0.05)
    assert np.isfinite(many.loss)
