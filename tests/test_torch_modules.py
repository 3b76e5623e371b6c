"""One step of plain gradient descent in PyTorch is one step of the reference, for every architecture and loss."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import get_args

import numpy as np
import pytest
from torch_cases import (
    CBOW,
    KINDS,
    MODEL_NAMES,
    MODELS,
    Batches,
    SkipGram,
    random_sentences,
    random_weights,
    read,
    torch,
    with_weights,
)

from firth.backends import reference
from firth.backends.base import SOFTMAX_BATCH, Rates
from firth.backends.reference import ReferenceBackend
from firth.errors import BadOption, NotTrained, UnknownWord
from firth.options import Combine
from firth.torch import FeedForwardCBOW, fit, to_word2vec
from firth.torch.modules import logistic
from firth.training import tables_for
from firth.vocabulary import Vocabulary
from firth.weights import initial_weights

D, RATE = 5, 0.1
# Windows of up to 4 contexts, and noise that can be drawn 4 times at most, take one step in the reference.
FEW = {"vector_size": D, "window": 2, "negative": 4, "sample": 0.2, "workers": 1}
THREE = Vocabulary(("a", "b", "c"), np.array([3, 2, 1]))


def by_the_reference(corpus, vocabulary, options, weights):
    backend = ReferenceBackend()
    backend.start(weights.copy(), tables_for(vocabulary, options), options)
    for chunk in corpus.chunks(1 << 20):
        backend.train(chunk, 0, Rates(RATE, 0.0, 0.0))
    return backend.weights(), backend.tally()


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize(("architecture", "loss"), MODELS, ids=MODEL_NAMES)
def test_steps_of_sgd_are_those_of_the_reference(architecture, loss, sparse):
    """A whole epoch of batches of one window, or of SOFTMAX_BATCH examples, each a step."""
    with read(random_sentences())[0] as corpus:
        vocabulary = Vocabulary.of(corpus, min_count=2)
        start = random_weights(len(vocabulary), D)
        module = with_weights(KINDS[architecture](vocabulary, sparse=sparse, **FEW, **loss), start)
        expected, tally = by_the_reference(corpus, vocabulary, module.options, start)
        batch_size = SOFTMAX_BATCH if loss["loss"] == "softmax" else 1
        fitted = fit(module, corpus, optimizer=partial(torch.optim.SGD, lr=RATE), batch_size=batch_size, epochs=1)
    assert tally.examples > 100
    assert fitted.words == tally.words
    assert fitted.losses[0] == pytest.approx(tally.mean_loss, rel=1e-9)
    np.testing.assert_allclose(module.input.weight.detach(), expected.input, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(module.output.weight.detach(), expected.output, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("architecture", KINDS)
def test_windows_of_whole_sentences_are_the_reference_s(architecture):
    """Of up to 5 words, so that a window takes one step in the reference; a fixed window as wide gives the same."""
    whole = FEW | {"window": "all"}
    with read(random_sentences(longest=6))[0] as corpus:
        vocabulary = Vocabulary.of(corpus, min_count=1)
        start = random_weights(len(vocabulary), D)
        module = with_weights(KINDS[architecture](vocabulary, **whole), start)
        expected, tally = by_the_reference(corpus, vocabulary, module.options, start)
        wide = replace(module.options, window=5, dynamic_window=False)
        as_wide, _ = by_the_reference(corpus, vocabulary, wide, start)
        fitted = fit(module, corpus, optimizer=partial(torch.optim.SGD, lr=RATE), batch_size=1, epochs=1)
    assert fitted.losses[0] == pytest.approx(tally.mean_loss, rel=1e-9)
    np.testing.assert_allclose(module.input.weight.detach(), expected.input, rtol=1e-6, atol=1e-7)
    np.testing.assert_array_equal(expected.output, as_wide.output)


def dense(gradient):
    return gradient.to_dense() if gradient.is_sparse else gradient


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize(("architecture", "loss"), MODELS, ids=MODEL_NAMES)
def test_loss_and_gradients_of_a_batch_are_the_sums_of_its_windows(architecture, loss, sparse):
    corpus, vocabulary = read(random_sentences())
    module = KINDS[architecture](vocabulary, sparse=sparse, **FEW, **loss)
    with_weights(module, random_weights(len(vocabulary), D))
    sums = []
    for batch_size in (1, 7, 1000):
        module.zero_grad()
        losses = [module(batch) for batch in Batches(corpus, vocabulary, module.options, batch_size=batch_size)]
        sum(losses).backward()
        gradients = [dense(parameter.grad) for parameter in (module.input.weight, module.output.weight)]
        sums.append((float(sum(losses).detach()), *gradients))
    for one_by_one, together in ((sums[0], sums[1]), (sums[0], sums[2])):
        for one, other in zip(one_by_one, together, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_sparse_gradients_touch_only_what_was_looked_up():
    module = SkipGram(Vocabulary(tuple(map(str, range(50))), np.full(50, 9)), sparse=True, **FEW)
    corpus, _ = read([["3", "7", "9"]])
    (batch,) = Batches(corpus, module.vocabulary, module.options)
    module(batch).backward()
    seen = set(batch.contexts.tolist())
    assert set(module.input.weight.grad.coalesce().indices()[0].tolist()) == seen
    written = {*batch.targets.tolist(), *batch.noise.flatten().tolist()}
    assert set(module.output.weight.grad.coalesce().indices()[0].tolist()) == written


def test_autograd_finds_the_reference_s_gradients_of_the_logistic_loss():
    rng = np.random.default_rng(3)
    x, y = rng.normal(0, 2, (4, 6)), rng.normal(0, 2, (5, 6))
    labels, weights = np.array([1.0, 0, 0, 1, 0]), np.array([1.0, 2, 0, 1, 3])
    expected = reference.logistic(x, y, labels, weights)
    tx, ty, tl, tw = (torch.tensor(each, requires_grad=each.ndim == 2) for each in (x, y, labels, weights))
    loss = logistic(tx @ ty.T, tl, tw)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(expected.loss, rel=1e-12)
    np.testing.assert_allclose(tx.grad, expected.inputs, rtol=1e-9)
    np.testing.assert_allclose(ty.grad, expected.outputs, rtol=1e-9)


@pytest.mark.parametrize("loss", ["ns", "hs", "softmax"])
@pytest.mark.parametrize("architecture", sorted(KINDS))
def test_a_vocabulary_of_one_word_has_nothing_to_learn(architecture, loss):
    """Its noise is the target, its path has no node, its probability is 1."""
    module = KINDS[architecture](loss=loss, vector_size=2, min_count=1, sample=0)
    fitted = fit(module, [["a", "a", "a"]], optimizer=partial(torch.optim.SGD, lr=0.5), epochs=2)
    assert fitted.losses[0] == pytest.approx(math.log(2) if loss == "ns" else 0, abs=1e-6)


def test_large_scores_do_not_overflow():
    scores = torch.tensor([[-1e4, 1e4]], dtype=torch.float32, requires_grad=True)
    loss = logistic(scores, torch.tensor([[1, 0]]), torch.ones(1, 2))
    loss.backward()
    assert loss.item() == pytest.approx(2e4)
    assert scores.grad.tolist() == [[-1.0, 1.0]]


def test_modules_start_where_every_backend_starts_and_leave_pytorch_s_generator_alone():
    before = torch.random.get_rng_state()
    module = CBOW(THREE, vector_size=7, seed=9)
    np.testing.assert_array_equal(module.input.weight.detach(), initial_weights(3, 7, 9).input)
    assert not module.output.weight.any()
    one, other = FeedForwardCBOW(THREE, seed=9), FeedForwardCBOW(THREE, seed=9)
    assert torch.equal(one.hidden.weight, other.hidden.weight)
    assert torch.equal(before, torch.random.get_rng_state())


def test_vectors_are_looked_up_by_word_by_number_and_for_a_sequence():
    module = SkipGram(THREE, vector_size=4)
    weight = module.input.weight.detach()
    assert torch.equal(module["b"], weight[1])
    assert torch.equal(module[2], weight[2])
    assert torch.equal(module[["c", "a", 1, "c"]], weight[[2, 0, 1, 2]])
    assert module[[]].shape == (0, 4)
    assert not module["b"].requires_grad
    with pytest.raises(UnknownWord, match="'d' is none of the 3 words"):
        module["d"]
    assert torch.equal(module[np.int32(2)], weight[2])
    assert torch.equal(module[np.array([2, 0])], weight[[2, 0]])
    assert torch.equal(module[torch.tensor([2, 0])], weight[[2, 0]])
    for wrong in (3, -1, 0.7, True, None, [0.7], [1, True], [0, None], np.array([0.5])):
        with pytest.raises(BadOption, match="a word is given as itself or as its number from 0 to 2, got"):
            module[wrong]


def test_vectors_are_combined_as_a_model_s():
    module = with_weights(CBOW(THREE, vector_size=4), random_weights(3, 4)).float()
    input, output = module.input.weight.detach().numpy(), module.output.weight.detach().numpy()
    np.testing.assert_array_equal(module.vectors().matrix, input)
    np.testing.assert_array_equal(module.vectors("output").matrix, output)
    np.testing.assert_allclose(module.vectors(combine="average").matrix, (input + output) / 2, rtol=1e-6)
    for way in get_args(Combine):
        np.testing.assert_array_equal(
            module.vectors(way).matrix, to_word2vec(module).combined_vectors(way).matrix, strict=True
        )
        assert not np.shares_memory(module.vectors(way).matrix, input)
        assert not np.shares_memory(module.vectors(way).matrix, output)
    assert module.vectors().words == THREE.words
    assert module.vectors().counts.tolist() == [3, 2, 1]
    with pytest.raises(BadOption, match="combine must be one of input, output, average, sum, concatenate; got 'mean'"):
        module.vectors("mean")


def test_what_has_no_output_words_refuses_their_average():
    for module in (SkipGram(THREE, loss="hs"), FeedForwardCBOW(THREE)):
        assert len(module.vectors()) == 3
        with pytest.raises(BadOption, match="combine='input'"):
            module.vectors("average")


def test_options_of_other_backends_are_refused_with_what_stands_in_their_place():
    with pytest.raises(BadOption, match="alpha is no option of SkipGram: give the optimiser"):
        SkipGram(alpha=0.1)
    with pytest.raises(BadOption, match="unknown option 'vektor'"):
        CBOW(vektor=3)
    with pytest.raises(BadOption, match="vector_size must be 1 or more"):
        CBOW(vector_size=0)


@pytest.mark.parametrize("kind", [SkipGram, CBOW, FeedForwardCBOW])
def test_a_vocabulary_must_be_one(kind):
    with pytest.raises(BadOption, match=r"vocabulary must be a firth.Vocabulary, got list; make one with"):
        kind(["a", "b"])


@pytest.mark.parametrize("kind", [partial(SkipGram, loss="softmax"), partial(CBOW, loss="softmax"), FeedForwardCBOW])
def test_more_words_than_full_softmax_can_train_are_refused(kind, monkeypatch):
    monkeypatch.setattr("firth.affordable.MOST_SOFTMAX_WORDS", 2)
    refusal = "must have 2 words or fewer, got 3; raise min_count, set max_vocabulary, or use loss='ns' or 'hs'"
    with pytest.raises(BadOption, match=refusal):
        kind(THREE)
    with pytest.raises(BadOption, match=refusal):
        fit(kind(min_count=1), [["a", "b", "c"]])
    assert SkipGram(THREE, loss="ns").is_built
    assert kind(Vocabulary(("a", "b"), np.array([2, 1]))).is_built


def test_a_module_without_words_says_so():
    with pytest.raises(NotTrained, match="no words yet; call fit"):
        SkipGram().vectors()


def test_the_hidden_layer_s_network_is_what_it_says():
    module = FeedForwardCBOW(THREE, vector_size=4, hidden=6)
    x = module.input.weight[0] + module.input.weight[2] + module.input.weight[2]
    units = torch.relu(module.hidden.weight @ x + module.hidden.bias)
    expected = torch.softmax(module.scores.weight @ units + module.scores.bias, dim=0).tolist()
    found = module.predict(["a", "c", "c"])
    assert [word for word, _ in found] == sorted("abc", key=lambda word: -expected["abc".index(word)])
    assert [chance for _, chance in found] == pytest.approx(sorted(expected, reverse=True), rel=1e-5)
    assert module.predict([0, 2, 2], topn=1) == found[:1]


def test_the_hidden_layer_s_unknown_words_are_taken_for_the_one_that_stands_for_them():
    module = FeedForwardCBOW(Vocabulary(("a", "b", "<unk>"), np.array([3, 2, 1])), unknown="<unk>")
    assert module.predict(["zzz", "a"]) == module.predict(["<unk>", "a"])
    assert module.predict(["b", 0]) == module.predict([1, 0])
    with pytest.raises(UnknownWord, match="'zzz'"):
        module["zzz"]


@pytest.mark.parametrize(
    ("options", "wrong"),
    [({"hidden": 0}, "hidden must be"), ({"loss": "ns"}, "has the loss softmax")],
)
def test_the_hidden_layer_s_options_are_checked(options, wrong):
    with pytest.raises(BadOption, match=wrong):
        FeedForwardCBOW(**options)


@pytest.mark.parametrize(
    ("context", "topn", "error", "wrong"),
    [
        ([], 1, BadOption, "one or more words"),
        ("ab", 1, BadOption, "list of one or more words"),
        (3, 1, BadOption, "list of one or more words, got 3"),
        (["a"], 0, BadOption, "topn must be"),
        (["z"], 1, UnknownWord, "'z'"),
    ],
)
def test_a_prediction_needs_a_context(context, topn, error, wrong):
    with pytest.raises(error, match=wrong):
        FeedForwardCBOW(THREE).predict(context, topn)
