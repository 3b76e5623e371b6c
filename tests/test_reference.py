"""The reference's gradients are those of its loss, and its decisions those that the documentation tells."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firth.backends.base import CONTEXTS_AT_ONCE, Rates, Tables
from firth.backends.reference import (
    ReferenceBackend,
    cbow_window,
    contexts_at_once,
    kept_tokens,
    negative_sampling,
    noise_weights,
    noise_words,
    sigmoid,
    skipgram_window,
)
from firth.corpus.encoded import Chunk
from firth.draws import CHANCE_ONE, Purpose, as_chance, below, chance, draw, stream_key
from firth.options import TrainingOptions
from firth.weights import Weights

STEP = 1e-5


def numeric_gradient(loss, at):
    """Central differences of `loss()` at each item of the array `at`, which is put back."""
    slopes = np.zeros_like(at)
    for place in np.ndindex(at.shape):
        before = at[place]
        at[place] = before + STEP
        above = loss()
        at[place] = before - STEP
        slopes[place] = (above - loss()) / (2 * STEP)
        at[place] = before
    return slopes


@st.composite
def windows(draw):
    C, S, D = draw(st.integers(1, 4)), draw(st.integers(1, 5)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    scale = draw(st.sampled_from([0.1, 1.0, 3.0]))
    weights = np.array([1.0, *draw(st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=S - 1, max_size=S - 1))])
    return rng.normal(0, scale, (C, D)), rng.normal(0, scale, (S, D)), weights


@settings(max_examples=40, deadline=None)
@given(window=windows())
def test_gradients_are_those_of_the_loss(window):
    x, y, weights = window
    step = negative_sampling(x, y, weights)

    def loss():
        return negative_sampling(x, y, weights).loss

    np.testing.assert_allclose(step.inputs, numeric_gradient(loss, x), rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(step.outputs, numeric_gradient(loss, y), rtol=1e-4, atol=1e-7)


@settings(max_examples=40, deadline=None)
@given(window=windows())
def test_the_gradient_of_the_mean_is_that_of_each_context_times_their_number(window):
    x, y, weights = window
    step = negative_sampling(x.mean(axis=0, keepdims=True), y, weights)

    def loss():
        return negative_sampling(x.mean(axis=0, keepdims=True), y, weights).loss

    by_chain_rule = numeric_gradient(loss, x)
    np.testing.assert_allclose(np.repeat(step.inputs, len(x), axis=0), by_chain_rule * len(x), rtol=1e-4, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(window=windows(), rate=st.floats(1e-6, 1e-3))
def test_a_cbow_step_adds_the_gradient_of_the_mean_whole_to_every_context(window, rate):
    x, y, weights = window
    step = negative_sampling(x.mean(axis=0, keepdims=True), y, weights)
    input, output = x.copy(), y.copy()
    loss, examples = cbow_window(input, output, np.arange(len(x)), np.arange(len(y)), weights, rate)
    assert (loss, examples) == (step.loss, 1)
    np.testing.assert_allclose(input, x - rate * step.inputs)
    np.testing.assert_allclose(output, y - rate * step.outputs)


def test_the_loss_is_that_of_the_paper():
    x, y = np.array([[1.0, 2.0]]), np.array([[0.5, -1.0], [3.0, 0.0]])
    expected = -np.log(sigmoid(np.array(-1.5))) - np.log(sigmoid(np.array(-3.0)))
    assert negative_sampling(x, y, np.ones(2)).loss == pytest.approx(expected)


def test_large_scores_do_not_overflow():
    x, y = np.array([[1000.0]]), np.array([[-1000.0], [1000.0]])
    step = negative_sampling(x, y, np.ones(2))
    assert step.loss == pytest.approx(2e6)
    assert np.isfinite(step.inputs).all()


def test_noise_equal_to_the_target_is_left_out():
    targets = np.array([3, 5, 3, 5, 3])
    assert noise_weights(targets).tolist() == [1, 1, 0, 1, 0]
    x, y = np.ones((2, 3)), np.random.default_rng(1).normal(size=(6, 3))
    all_five = negative_sampling(x, y[targets], noise_weights(targets))
    without = negative_sampling(x, y[[3, 5, 5]], np.ones(3))
    assert all_five.loss == pytest.approx(without.loss)
    np.testing.assert_allclose(all_five.inputs, without.inputs)


def test_noise_drawn_twice_counts_twice():
    rng = np.random.default_rng(2)
    input, output = rng.normal(size=(2, 4)), rng.normal(size=(3, 4))
    once, twice = output.copy(), output.copy()
    skipgram_window(input.copy(), once, np.array([0]), np.array([1, 2]), np.ones(2), 0.01)
    skipgram_window(input.copy(), twice, np.array([0]), np.array([1, 2, 2]), np.ones(3), 0.01)
    np.testing.assert_allclose(twice[2] - output[2], 2 * (once[2] - output[2]))


def test_a_word_that_stands_twice_in_a_window_gets_both_gradients_from_before_it():
    rng = np.random.default_rng(3)
    input, output = rng.normal(size=(2, 4)), rng.normal(size=(3, 4))
    step = negative_sampling(input[[0, 0]], output[[1, 2]], np.ones(2))
    moved = input.copy()
    skipgram_window(moved, output.copy(), np.array([0, 0]), np.array([1, 2]), np.ones(2), 0.1)
    np.testing.assert_allclose(moved[0], input[0] - 0.1 * step.inputs.sum(axis=0))


def test_a_wide_window_takes_a_step_for_every_few_contexts():
    rng = np.random.default_rng(4)
    input, output = rng.normal(size=(50, 4)), rng.normal(size=(50, 4))
    contexts, targets, weights = np.arange(CONTEXTS_AT_ONCE + 3), np.array([49, 48]), np.ones(2)
    whole, stepwise = (input.copy(), output.copy()), (input.copy(), output.copy())
    loss, examples = skipgram_window(*whole, contexts, targets, weights, 0.1)
    parts = [
        skipgram_window(*stepwise, some, targets, weights, 0.1)[0]
        for some in (contexts[:CONTEXTS_AT_ONCE], contexts[CONTEXTS_AT_ONCE:])
    ]
    assert examples == len(contexts)
    assert loss == pytest.approx(sum(parts))
    np.testing.assert_array_equal(whole, stepwise)


def test_a_window_that_drew_a_noise_word_often_takes_smaller_steps():
    def at_once(*noise):
        targets = np.array([1, *noise])
        return contexts_at_once(targets, noise_weights(targets))

    assert at_once(2, 3, 4) == CONTEXTS_AT_ONCE
    assert at_once(1, 1, 1) == CONTEXTS_AT_ONCE  # equal to the target: left out
    assert at_once(2, 3, 2) == CONTEXTS_AT_ONCE // 2
    assert at_once(*[2] * 5, *[3] * 4) == CONTEXTS_AT_ONCE // 5
    assert at_once(*[2] * 64) == 1


# ---- decisions ---------------------------------------------------------------------------------


V = 10


def trained(sentences, *, rates=Rates(0.1, 0.0, 0.0), keep=CHANCE_ONE, chunk=None, epoch=0, **options):  # noqa: B008
    """Train sentences of word numbers from the same start; gives (backend, matrices before, after)."""
    rng = np.random.default_rng(0)
    start = Weights(rng.normal(size=(V, 4)).astype(np.float32), rng.normal(size=(V, 4)).astype(np.float32))
    before = start.input.copy(), start.output.copy()
    noise = np.stack([np.full(V, CHANCE_ONE), np.arange(V)], axis=1).astype(np.uint32)
    backend = ReferenceBackend()
    backend.start(start, Tables(np.full(V, keep, np.uint32), noise), TrainingOptions(**options))
    tokens = np.concatenate(sentences).astype(np.int32)
    offsets = np.cumsum([0, *map(len, sentences)])
    backend.train(chunk or Chunk(tokens, offsets, 0, 0, len(tokens), 0), epoch, rates)
    after = backend.weights()
    return backend, before, (after.input.copy(), after.output.copy())


def test_contexts_never_cross_sentences():
    backend, before, after = trained([[0, 1], [2], [3, 4]], window=5)
    assert backend.tally().examples == 4
    np.testing.assert_array_equal(after[0][2], before[0][2])  # alone in its sentence: nobody's context


@pytest.mark.parametrize("window", [1, 2, 3, 9])
def test_a_fixed_window_reaches_as_far_as_it_says(window):
    backend, _, _ = trained([[0, 1, 2, 3, 4, 5]], window=window, dynamic_window=False)
    expected = sum(min(i, window) + min(5 - i, window) for i in range(6))
    assert backend.tally().examples == expected


def test_a_dynamic_window_reaches_as_far_as_the_counted_draws_say():
    length, window = 50, 4
    backend, _, _ = trained([np.arange(length) % V], window=window, seed=9, epoch=3)
    reach = 1 + below(draw(stream_key(9, 3, Purpose.REACH), np.arange(length)), window)
    assert set(reach) == {1, 2, 3, 4}
    expected = sum(min(i, r) + min(length - 1 - i, r) for i, r in enumerate(reach.tolist()))
    assert backend.tally().examples == expected


def test_subsampling_keeps_by_counted_draws_and_closes_the_gaps():
    key = stream_key(1, 0, Purpose.KEEP)
    tokens, keep = np.array([0, -1, 1, 2, V, 0, 1], np.int32), as_chance([0.5] * V)
    drawn = chance(draw(key, 1000 + np.arange(7)))
    expected = [i for i, word in enumerate(tokens) if 0 <= word < V and drawn[i] < keep[word]]
    assert kept_tokens(key, tokens, 1000, keep).tolist() == expected

    length = 300
    backend, _, _ = trained([np.arange(length) % V], keep=CHANCE_ONE // 2, window=1)
    kept = int(np.sum(chance(draw(key, np.arange(length))) < CHANCE_ONE // 2))
    assert backend.tally().examples == 2 * (kept - 1)
    assert backend.tally().words == length


def test_noise_words_follow_the_alias_table_and_the_position():
    table = np.array([[CHANCE_ONE, 0], [0, 2], [CHANCE_ONE, 2], [CHANCE_ONE // 2, 0]], np.uint32)
    drawn = np.concatenate([noise_words(7, position, 20, table) for position in range(2000)])
    counts = np.bincount(drawn, minlength=4) / len(drawn)
    np.testing.assert_allclose(counts, [0.375, 0, 0.5, 0.125], atol=0.01)
    np.testing.assert_array_equal(noise_words(7, 5, 20, table)[:3], noise_words(7, 5, 3, table))


def test_the_rate_falls_with_the_position_down_to_its_floor():
    def moved(position, rates):
        chunk = Chunk(np.array([0, 1], np.int32), np.array([0, 2]), 0, 0, 1, position)
        _, before, after = trained([[0, 1]], chunk=chunk, rates=rates, negative=1)
        return after[0][1] - before[0][1]

    falling, fixed = Rates(0.1, 0.0001, 0.02), Rates(0.05, 0.0, 0.0)
    np.testing.assert_allclose(moved(500, falling), moved(500, fixed), atol=1e-7)
    np.testing.assert_allclose(moved(5000, falling), moved(5000, Rates(0.02, 0.0, 0.0)), atol=1e-7)


def test_held_out_sentences_are_chosen_by_draws_and_trained_only_when_asked_for():
    sentences = [[0, 1, 2]] * 400
    chosen = chance(draw(stream_key(1, 0, Purpose.HELD_OUT), 3 * np.arange(400))) < as_chance(0.25)
    for epoch in (0, 1):
        backend, _, _ = trained(sentences, held_out=0.25, epoch=epoch)
        assert backend.tally().words == 3 * int(np.sum(~chosen))
    tokens, offsets = np.tile([0, 1, 2], 400).astype(np.int32), 3 * np.arange(401)
    backend.train(Chunk(tokens, offsets, 0, 0, 1200, 0), 0, Rates(0, 0, 0), held_out=True)
    assert backend.tally().words == 1200
