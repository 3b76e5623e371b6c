"""Full softmax by matrix products holds to the reference, example by example."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cases import ARCHITECTURES, Case, assert_held_to_the_reference, cases, trained
from hypothesis import given, settings
from hypothesis import strategies as st

from firth.backends import cpu_softmax
from firth.backends.base import Rates
from firth.backends.cpu import CpuBackend
from firth.backends.cpu_softmax import SoftmaxBackend
from firth.options import TrainingOptions


@settings(max_examples=120)
@given(case=cases(loss="softmax"))
def test_any_small_corpus_in_any_chunks(case):
    assert_held_to_the_reference(case)


@settings(max_examples=30)
@given(case=cases(loss="softmax"), held_out=st.booleans())
def test_held_out_sentences(case, held_out):
    assert_held_to_the_reference(case, held_out=held_out)


@settings(max_examples=30)
@given(case=cases(loss="softmax"))
def test_measuring_trains_nothing(case):
    weights, tally = trained(SoftmaxBackend(), case, held_out=True, rates=Rates(0, 0, 0))
    start = case.start()
    np.testing.assert_array_equal(weights.input, start.input)
    np.testing.assert_array_equal(weights.output, start.output)
    assert np.isfinite(tally.loss)
    assert_held_to_the_reference(case, held_out=True, rates=Rates(0, 0, 0))


def a_case(architecture, **changed):
    """Some slices of words, the last one short."""
    options = TrainingOptions(architecture=architecture, loss="softmax", workers=1, sample=0)
    V = 2 * cpu_softmax.SLICE_ROWS + 5
    return Case(7, V, 17, (30,) * 10, replace(options, **changed), unknown=0.1, tokens_each=70)


@pytest.mark.parametrize("cbow_gradient", ["historical", "corrected"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_words_in_several_slices(architecture, cbow_gradient):
    assert_held_to_the_reference(a_case(architecture, cbow_gradient=cbow_gradient))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_any_number_of_workers_gives_the_same_bytes(architecture):
    weights, tally = trained(SoftmaxBackend(), a_case(architecture))
    for workers in (1, 2, 5):
        others, same_tally = trained(SoftmaxBackend(), a_case(architecture, workers=workers))
        np.testing.assert_array_equal(weights.input, others.input)
        np.testing.assert_array_equal(weights.output, others.output)
        assert tally == same_tally


def test_kernels_of_the_other_losses_refuse_it():
    with pytest.raises(ValueError, match="SoftmaxBackend"):
        trained(CpuBackend(), a_case("cbow"))
