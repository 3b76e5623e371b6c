"""Predicted words and the likelihood of sentences, held to sums written out word by word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cases import ARCHITECTURES

from firth import Word2Vec
from firth.backends import reference
from firth.errors import BadCorpus, BadOption, UnknownWord
from firth.huffman import huffman_tree
from firth.likelihood import log_probabilities

LOSSES = ("ns", "hs", "softmax")
SENTENCES = [
    ["the", "fox", "the", "hen", "ran", "the", "fox"],
    ["unheardof", "a", "hen", "unheardof", "ran"],
    [],
    ["fox"],
    ["unheardof"],
    ["ran", "ran"],
]


@pytest.fixture(scope="module", params=[(loss, each) for loss in LOSSES for each in ARCHITECTURES], ids="-".join)
def model(request):
    loss, architecture = request.param
    rng = np.random.default_rng(3)
    words = ["the", "a", "fox", "hen", "ran", "hid", *(f"w{n}" for n in range(12))]
    text = [[words[int(18 * rng.random() ** 2)] for _ in range(9)] for _ in range(300)]
    options = {"vector_size": 17, "window": 2, "min_count": 1, "sample": 0, "epochs": 3, "workers": 1}
    return Word2Vec(loss=loss, architecture=architecture, **options).fit(text, progress=False)


def log_likelihood(model, context_rows, target):
    """Log p(target | mean of the contexts), by the reference's equations."""
    x = model.weights.input[context_rows].astype(np.float64).mean(axis=0, keepdims=True)
    output = model.weights.output.astype(np.float64)
    if model.options.loss == "hs":
        nodes = reference.tree_nodes(huffman_tree(model.vocabulary.counts), target)
        return -reference.logistic(x, output[nodes.rows], nodes.labels, nodes.weights).loss
    return -reference.softmax(x, output, np.array([target])).loss


def score(model, sentence):
    rows = [model.vectors.index(word) for word in sentence if word in model.vectors]
    total = 0.0
    for i, target in enumerate(rows):
        contexts = rows[max(0, i - 2) : i] + rows[i + 1 : i + 3]
        if model.options.architecture == "cbow":
            total += log_likelihood(model, contexts, target) if contexts else 0.0
        else:
            total += sum(log_likelihood(model, [context], target) for context in contexts)
    return total


def test_scores_are_sums_over_all_windows_in_full(model):
    scores = model.score(SENTENCES)
    assert scores.dtype == np.float64
    np.testing.assert_allclose(scores, [score(model, each) for each in SENTENCES], rtol=1e-5)
    assert (scores[[2, 3, 4]] == 0).all()
    assert (scores[[0, 1, 5]] < 0).all()


def test_strings_are_cut_as_asked(model):
    expected = model.score(SENTENCES)
    np.testing.assert_array_equal(model.score(" ".join(each) for each in SENTENCES), expected)
    shouted = [" ".join(each).upper() + "!" for each in SENTENCES]
    np.testing.assert_array_equal(model.score(shouted, tokenizer="words"), expected)
    np.testing.assert_array_equal(model.score(shouted, tokenizer=lambda text: text[:-1].lower().split()), expected)


def test_scores_come_alike_in_pieces(model, monkeypatch):
    expected = model.score(SENTENCES)
    monkeypatch.setattr("firth.scoring.PAIRS_AT_ONCE", 3)
    monkeypatch.setattr("firth.likelihood.SCORES_AT_ONCE", 1)
    monkeypatch.setattr("firth.corpus.iterables.SENTENCES_AT_ONCE", 2)
    np.testing.assert_allclose(model.score(SENTENCES), expected, rtol=1e-6)


def test_predictions_are_the_likeliest_words(model):
    contexts = ["the", "unheardof", "hen"]
    rows = [model.vectors.index(word) for word in ("the", "hen")]
    expected = {word: np.exp(log_likelihood(model, rows, row)) for row, word in enumerate(model.vocabulary)}
    found = model.predict(contexts, topn=1000)
    assert len(found) == len(model.vocabulary)
    assert sum(chance for _, chance in found) == pytest.approx(1, abs=1e-9)
    assert [chance for _, chance in found] == sorted((chance for _, chance in found), reverse=True)
    for word, chance in found:
        assert chance == pytest.approx(expected[word], rel=1e-4)
    assert model.predict(contexts, topn=2) == found[:2]
    assert model.predict(contexts, np.int64(2)) == found[:2]
    assert model.predict("the") == model.predict(["the"])


def test_a_loaded_model_predicts_and_scores_the_same(model, tmp_path):
    model.save(tmp_path / "m.safetensors")
    loaded = Word2Vec.load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(loaded.score(SENTENCES), model.score(SENTENCES))
    assert loaded.predict("the") == model.predict("the")


def test_what_cannot_be_predicted_or_scored_is_told(model):
    with pytest.raises(UnknownWord, match=r"none of the context words.*zebra.*give at least one"):
        model.predict(["zebra"])
    with pytest.raises(UnknownWord, match="none of the context words"):
        model.predict([])
    with pytest.raises(BadOption, match="topn must be a whole number, 1 or more, got 0"):
        model.predict("the", topn=0)
    with pytest.raises(BadOption, match="topn must be a whole number, 1 or more, got True"):
        model.predict("the", topn=True)
    for no_words in (3, None):
        with pytest.raises(BadOption, match=f"context_words must be a list of words, got {no_words}; give a list"):
            model.predict(no_words)
    for no_list in ("the fox", Path("text.txt"), {"the": 1}, 3):
        with pytest.raises(BadOption, match="give a list, also for one"):
            model.score(no_list)
    with pytest.raises(BadCorpus, match="sentence 0 is"):
        model.score([3])
    assert model.score([]).shape == (0,)


@pytest.mark.parametrize("V", [1, 2, 3, 50])
def test_the_leaves_of_a_tree_share_all_of_the_probability(V):
    rng = np.random.default_rng(V)
    x, output = (rng.normal(size=(count, 4)).astype(np.float32) for count in (3, V))
    tree = huffman_tree(np.sort(rng.integers(1, 10**6, V))[::-1])
    logs = log_probabilities(x, output, tree)
    np.testing.assert_allclose(np.exp(logs).sum(axis=1), 1, rtol=1e-12)
    for word in range(V):
        nodes = reference.tree_nodes(tree, word)
        losses = [
            reference.logistic(each[None], output[nodes.rows].astype(float), nodes.labels, nodes.weights).loss
            for each in x.astype(float)
        ]
        np.testing.assert_allclose(logs[:, word], -np.array(losses), rtol=1e-5, atol=1e-6)
