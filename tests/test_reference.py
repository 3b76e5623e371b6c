"""The reference's gradients are those of its loss, and its decisions those that the documentation tells."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firth.backends import reference
from firth.backends.base import CONTEXTS_AT_ONCE, PATH_CONTEXTS_AT_ONCE, Rates, Tables
from firth.backends.reference import (
    Example,
    Outputs,
    ReferenceBackend,
    cbow_window,
    contexts_at_once,
    distinct_noise_words,
    kept_tokens,
    logistic,
    noise_words,
    sigmoid,
    skipgram_window,
    softmax,
    softmax_step,
    target_and_noise,
    tree_nodes,
)
from firth.corpus.encoded import Chunk
from firth.draws import CHANCE_ONE, Purpose, as_chance, below, chance, draw, stream_key
from firth.huffman import huffman_tree, path
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


def first_is_target(S):
    return np.eye(1, S)[0]


def outputs(rows, weights=None):
    """Output rows, the first the target."""
    rows = np.array(rows)
    return Outputs(rows, first_is_target(len(rows)), np.ones(len(rows)) if weights is None else weights)


@st.composite
def windows(draw):
    C, S, D = draw(st.integers(1, 4)), draw(st.integers(1, 5)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    scale = draw(st.sampled_from([0.1, 1.0, 3.0]))
    labels = np.array(draw(st.lists(st.sampled_from([0.0, 1.0]), min_size=S, max_size=S)))
    weights = np.array([1.0, *draw(st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=S - 1, max_size=S - 1))])
    return rng.normal(0, scale, (C, D)), rng.normal(0, scale, (S, D)), labels, weights


@settings(max_examples=40, deadline=None)
@given(window=windows())
def test_gradients_are_those_of_the_loss(window):
    x, y, labels, weights = window
    step = logistic(x, y, labels, weights)

    def loss():
        return logistic(x, y, labels, weights).loss

    np.testing.assert_allclose(step.inputs, numeric_gradient(loss, x), rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(step.outputs, numeric_gradient(loss, y), rtol=1e-4, atol=1e-7)


@settings(max_examples=40, deadline=None)
@given(window=windows())
def test_the_gradient_of_the_mean_is_that_of_each_context_times_their_number(window):
    x, y, labels, weights = window
    step = logistic(x.mean(axis=0, keepdims=True), y, labels, weights)

    def loss():
        return logistic(x.mean(axis=0, keepdims=True), y, labels, weights).loss

    by_chain_rule = numeric_gradient(loss, x)
    np.testing.assert_allclose(np.repeat(step.inputs, len(x), axis=0), by_chain_rule * len(x), rtol=1e-4, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(window=windows(), rate=st.floats(1e-6, 1e-3))
def test_a_cbow_step_adds_the_gradient_of_the_mean_whole_to_every_context(window, rate):
    x, y, labels, weights = window
    step = logistic(x.mean(axis=0, keepdims=True), y, labels, weights)
    input, output = x.copy(), y.copy()
    rows = Outputs(np.arange(len(y)), labels, weights)
    loss, examples = cbow_window(input, output, np.arange(len(x)), rows, rate)
    assert (loss, examples) == (step.loss, 1)
    np.testing.assert_allclose(input, x - rate * step.inputs)
    np.testing.assert_allclose(output, y - rate * step.outputs)


def test_the_loss_is_that_of_the_paper():
    x, y = np.array([[1.0, 2.0]]), np.array([[0.5, -1.0], [3.0, 0.0]])
    expected = -np.log(sigmoid(np.array(-1.5))) - np.log(sigmoid(np.array(-3.0)))
    assert logistic(x, y, first_is_target(2), np.ones(2)).loss == pytest.approx(expected)


def test_large_scores_do_not_overflow():
    x, y = np.array([[1000.0]]), np.array([[-1000.0], [1000.0]])
    step = logistic(x, y, first_is_target(2), np.ones(2))
    assert step.loss == pytest.approx(2e6)
    assert np.isfinite(step.inputs).all()


def test_noise_equal_to_the_target_is_left_out():
    drawn = target_and_noise(3, np.array([5, 3, 5, 3]))
    assert drawn.rows.tolist() == [3, 5, 3, 5, 3]
    assert drawn.labels.tolist() == [1, 0, 0, 0, 0]
    assert drawn.weights.tolist() == [1, 1, 0, 1, 0]
    x, y = np.ones((2, 3)), np.random.default_rng(1).normal(size=(6, 3))
    all_five = logistic(x, y[drawn.rows], drawn.labels, drawn.weights)
    without = logistic(x, y[[3, 5, 5]], first_is_target(3), np.ones(3))
    assert all_five.loss == pytest.approx(without.loss)
    np.testing.assert_allclose(all_five.inputs, without.inputs)


def test_noise_drawn_twice_counts_twice():
    rng = np.random.default_rng(2)
    input, output = rng.normal(size=(2, 4)), rng.normal(size=(3, 4))
    once, twice = output.copy(), output.copy()
    skipgram_window(input.copy(), once, np.array([0]), outputs([1, 2]), 0.01)
    skipgram_window(input.copy(), twice, np.array([0]), outputs([1, 2, 2]), 0.01)
    np.testing.assert_allclose(twice[2] - output[2], 2 * (once[2] - output[2]))


def test_a_word_that_stands_twice_in_a_window_gets_both_gradients_from_before_it():
    rng = np.random.default_rng(3)
    input, output = rng.normal(size=(2, 4)), rng.normal(size=(3, 4))
    step = logistic(input[[0, 0]], output[[1, 2]], first_is_target(2), np.ones(2))
    moved = input.copy()
    skipgram_window(moved, output.copy(), np.array([0, 0]), outputs([1, 2]), 0.1)
    np.testing.assert_allclose(moved[0], input[0] - 0.1 * step.inputs.sum(axis=0))


@pytest.mark.parametrize("at_most", [CONTEXTS_AT_ONCE, PATH_CONTEXTS_AT_ONCE])
def test_a_wide_window_takes_a_step_for_every_few_contexts(at_most):
    rng = np.random.default_rng(4)
    input, output = rng.normal(size=(50, 4)), rng.normal(size=(50, 4))
    contexts, rows = np.arange(at_most + 3), outputs([49, 48])
    whole, stepwise = (input.copy(), output.copy()), (input.copy(), output.copy())
    loss, examples = skipgram_window(*whole, contexts, rows, 0.1, at_most)
    parts = [skipgram_window(*stepwise, some, rows, 0.1)[0] for some in (contexts[:at_most], contexts[at_most:])]
    assert examples == len(contexts)
    assert loss == pytest.approx(sum(parts))
    np.testing.assert_array_equal(whole, stepwise)


def test_a_window_that_drew_a_noise_word_often_takes_smaller_steps():
    def at_once(*noise):
        return contexts_at_once(target_and_noise(1, np.array(noise)))

    assert at_once(2, 3, 4) == CONTEXTS_AT_ONCE
    assert at_once(1, 1, 1) == CONTEXTS_AT_ONCE  # equal to the target: left out
    assert at_once(2, 3, 2) == CONTEXTS_AT_ONCE // 2
    assert at_once(*[2] * 5, *[3] * 4) == CONTEXTS_AT_ONCE // 5
    assert at_once(*[2] * 64) == 1


@settings(max_examples=40, deadline=None)
@given(window=windows(), rate=st.floats(1e-6, 1e-3))
def test_the_corrected_cbow_step_is_gradient_descent_on_the_loss(window, rate):
    x, y, labels, weights = window
    rows = Outputs(np.arange(len(y)), labels, weights)

    def loss():
        return logistic(x.mean(axis=0, keepdims=True), y, labels, weights).loss

    slopes = numeric_gradient(loss, x)
    input = x.copy()
    cbow_window(input, y.copy(), np.arange(len(x)), rows, rate, share=1 / len(x))
    np.testing.assert_allclose(input, x - rate * slopes, rtol=1e-6, atol=1e-9)


# ---- hierarchical softmax ----------------------------------------------------------------------


def test_the_probabilities_of_the_trees_leaves_sum_to_one():
    rng = np.random.default_rng(5)
    counts = np.sort(rng.integers(1, 1000, 20))[::-1]
    tree, x, y = huffman_tree(counts), rng.normal(size=(3, 4)), rng.normal(size=(20, 4))
    total = np.zeros(3)
    for word in range(20):
        rows = tree_nodes(tree, word)
        for c in range(3):
            total[c] += np.exp(-logistic(x[c : c + 1], y[rows.rows], rows.labels, rows.weights).loss)
    np.testing.assert_allclose(total, 1.0)


def test_code_0_is_the_label_1_as_in_word2vec_c():
    tree = huffman_tree(np.array([3, 2, 1]))
    for word in range(3):
        nodes, codes = path(tree, word)
        rows = tree_nodes(tree, word)
        assert rows.rows.tolist() == nodes.tolist()
        assert rows.labels.tolist() == (1 - codes).tolist()


# ---- full softmax ------------------------------------------------------------------------------


@st.composite
def batches(draw):
    B, V, D = draw(st.integers(1, 4)), draw(st.integers(1, 6)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    scale = draw(st.sampled_from([0.1, 1.0, 3.0]))
    return rng.normal(0, scale, (B, D)), rng.normal(0, scale, (V, D)), rng.integers(0, V, B)


@settings(max_examples=40, deadline=None)
@given(batch=batches())
def test_the_gradients_of_full_softmax_are_those_of_its_loss(batch):
    x, y, targets = batch
    step = softmax(x, y, targets)

    def loss():
        return softmax(x, y, targets).loss

    np.testing.assert_allclose(step.inputs, numeric_gradient(loss, x), rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(step.outputs, numeric_gradient(loss, y), rtol=1e-4, atol=1e-7)


def test_full_softmax_is_minus_the_log_of_the_probability_and_does_not_overflow():
    x, y = np.array([[1.0, 2.0]]), np.array([[0.5, -1.0], [3.0, 0.0], [0.0, 0.0]])
    scores = np.array([-1.5, 3.0, 0.0])
    expected = -np.log(np.exp(scores) / np.exp(scores).sum())
    for target in range(3):
        assert softmax(x, y, np.array([target])).loss == pytest.approx(expected[target])
    assert softmax(1000 * x, 1000 * y, np.array([0])).loss == pytest.approx(4.5e6)


def test_a_batch_of_full_softmax_is_one_step_at_the_weights_before_it():
    rng = np.random.default_rng(6)
    input, output = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    examples = [Example(np.array([0, 1]), 0.5, 2, 0.1), Example(np.array([1, 1]), 1.0, 4, 0.01)]
    x = np.array([(input[0] + input[1]) / 2, input[1]])
    expected = softmax(x, output, np.array([2, 4]))
    after = input.copy(), output.copy()
    assert softmax_step(*after, examples) == expected.loss
    moved = input.copy()
    moved[0] -= 0.1 * 0.5 * expected.inputs[0]
    moved[1] -= 0.1 * (0.5 * expected.inputs[0] + 2 * expected.inputs[1])
    np.testing.assert_allclose(after[0], moved)
    np.testing.assert_allclose(after[1], output - 0.1 * expected.outputs)


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
    drawn = noise_words(7, np.arange(40_000, dtype=np.uint64), table)
    counts = np.bincount(drawn, minlength=4) / len(drawn)
    np.testing.assert_allclose(counts, [0.375, 0, 0.5, 0.125], atol=0.01)


def noise_of(monkeypatch, sentences, **options):
    """The contexts and the noise words of each step that the reference takes."""
    seen = []

    def noted(input, output, contexts, outputs, rate, at_most=CONTEXTS_AT_ONCE):
        seen.append((int(outputs.rows[0]), contexts.tolist(), outputs.rows[1:].tolist()))
        return 0.0, len(contexts)

    monkeypatch.setattr(reference, "skipgram_window", noted)
    trained(sentences, dynamic_window=False, **options)
    return seen


def test_noise_of_a_window_is_drawn_at_its_position(monkeypatch):
    seen = noise_of(monkeypatch, [[0, 1, 2], [3, 4]], window=2, negative=3, seed=7, epoch=2)
    key, table = stream_key(7, 2, Purpose.NOISE), np.stack([np.full(V, CHANCE_ONE), np.arange(V)], axis=1)
    counters = np.arange(5, dtype=np.uint64)[:, None] * np.uint64(64) + np.arange(3, dtype=np.uint64)
    expected = noise_words(key, counters, table.astype(np.uint32))
    assert [noise for *_, noise in seen] == expected.tolist()


def test_noise_of_a_pair_is_drawn_for_each_context(monkeypatch):
    seen = noise_of(monkeypatch, [[0, 1, 2], [3, 4]], window=2, negative=3, noise="pair")
    assert [(centre, contexts) for centre, contexts, _ in seen] == [
        (0, [1]), (0, [2]), (1, [0]), (1, [2]), (2, [0]), (2, [1]), (3, [4]), (4, [3]),
    ]  # fmt: skip
    key, table = stream_key(1, 0, Purpose.NOISE), np.stack([np.full(V, CHANCE_ONE), np.arange(V)], axis=1)
    places = [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1), (3, 0), (4, 0)]
    counters = np.array([[(p * 2048 + c) * 64 + k for k in range(3)] for p, c in places], np.uint64)
    assert [noise for *_, noise in seen] == noise_words(key, counters, table.astype(np.uint32)).tolist()


@pytest.mark.parametrize("noise", ["window", "pair"])
def test_distinct_noise_is_neither_centre_nor_context_nor_drawn_twice(monkeypatch, noise):
    rng = np.random.default_rng(8)
    seen = noise_of(monkeypatch, [rng.integers(0, V, 100)], window=2, negative=4, noise=noise, distinct_noise=True)
    missing = 0
    for centre, contexts, words in seen:
        real = [word for word in words if word != centre]  # the target stands where none was found
        missing += len(words) - len(real)
        assert not set(real) & set(contexts)
        assert len(set(real)) == len(real)
    assert missing < 0.05 * 4 * len(seen)


def test_distinct_noise_that_cannot_be_is_left_out():
    table = np.array([[CHANCE_ONE, 0], [CHANCE_ONE, 1], [CHANCE_ONE, 2]], np.uint32)
    counters = np.arange(4, dtype=np.uint64)
    found = distinct_noise_words((1, 2), counters, table, 0, np.array([1]))
    assert sorted(found.tolist()) == [0, 0, 0, 2]


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
