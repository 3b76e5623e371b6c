"""Whoever asks by gensim's or fastText's names is told ours, and what is told is there."""

from __future__ import annotations

import copy
import pickle
import re

import numpy as np
import pytest

import firth
from firth import Word2Vec, WordVectors
from firth.elsewhere import OF_MODELS, OF_MODULES, OF_VECTORS
from firth.errors import BadOption
from firth.options import NO_OPTIONS, OTHER_NAMES, TrainingOptions
from firth.vectors import SubwordVectors

VECTORS = WordVectors(["king", "queen"], np.eye(2, 4))
MODEL = Word2Vec(vector_size=16)


@pytest.mark.parametrize("name", sorted(OF_VECTORS))
def test_vectors_tell_what_they_call_it(name):
    assert not hasattr(VECTORS, name)
    with pytest.raises(AttributeError, match=f"'WordVectors' .* '{name}'; here it is {re.escape(OF_VECTORS[name])}"):
        getattr(VECTORS, name)


@pytest.mark.parametrize("name", sorted({*OF_MODELS, *OF_VECTORS} - {"vectors"}))
def test_models_tell_what_they_or_their_vectors_call_it(name):
    told = OF_MODELS.get(name) or OF_VECTORS[name]
    with pytest.raises(AttributeError, match=f"'Word2Vec' .* '{name}'; here it is {re.escape(told)}"):
        getattr(MODEL, name)


@pytest.mark.parametrize("told", sorted({*OF_VECTORS.values(), *OF_MODELS.values(), *OF_MODULES.values()}))
def test_what_is_told_is_there(told):
    import firth.gensim
    import firth.ngrams

    kind = firth.ngrams.NGrams(3, 6, buckets=1)
    of_grams = SubwordVectors(["a"], np.ones((1, 2)), gram_rows=np.ones((1, 2), np.float32), kind=kind)
    owners = {"vectors": of_grams if "where n-grams were" in told else WordVectors, "model": Word2Vec, "firth": firth}
    named = re.findall(r"\b(vectors|model|firth)\.(\w+)", told)
    assert named or re.match(r"vectors\[word\]|word in vectors$", told)
    for owner, attribute in named:
        assert hasattr(owners[owner], attribute), told


def test_what_vectors_can_do_is_asked_of_them():
    with pytest.raises(AttributeError, match=r"ask its vectors: model\.vectors\.most_similar$"):
        MODEL.most_similar("king")  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match=r"ask its vectors: model\.vectors\[word\], word in model\.vectors$"):
        MODEL["king"]
    with pytest.raises(TypeError, match=r"ask its vectors: model\.vectors\[word\], word in model\.vectors$"):
        _ = "king" in MODEL
    with pytest.raises(AttributeError, match=r"its options have it: model\.options\.epochs$"):
        MODEL.epochs  # type: ignore[attr-defined]  # noqa: B018


def test_a_name_of_nobody_is_no_attribute_as_ever():
    for owner in (MODEL, VECTORS):
        with pytest.raises(AttributeError, match=r"object has no attribute 'nothing'$"):
            owner.nothing  # noqa: B018
    assert copy.copy(MODEL).options == MODEL.options
    assert pickle.loads(pickle.dumps(VECTORS)).words == VECTORS.words


@pytest.mark.parametrize("name", sorted(OF_MODULES))
def test_the_package_tells_what_it_has(name):
    with pytest.raises(AttributeError, match=f"no attribute '{name}'; here it is {re.escape(OF_MODULES[name])}"):
        getattr(firth, name)


def test_a_corpus_given_to_the_constructor_is_led_to_fit():
    for corpus in ([["a", "b"]], "corpus.txt"):
        with pytest.raises(TypeError, match=r"a corpus is given to fit: Word2Vec\(\.\.\.\)\.fit\(corpus\)"):
            Word2Vec(corpus, vector_size=16)  # type: ignore[misc]
        with pytest.raises(TypeError, match=r"a corpus is given to fit: Phrases\(\.\.\.\)\.fit\(corpus\)"):
            firth.Phrases(corpus)  # type: ignore[misc]


@pytest.mark.parametrize("name", sorted(NO_OPTIONS))
def test_what_is_no_option_is_led_where_it_belongs(name):
    with pytest.raises(BadOption, match=f"^unknown option '{name}': {re.escape(NO_OPTIONS[name])}; the options are"):
        Word2Vec(**{name: 1})
    assert name not in {*OTHER_NAMES, *TrainingOptions().as_dict()}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("vector_sise", "vector_size"), ("epochss", "epochs"), ("Window", "window"), ("workes", "workers")],
)
def test_a_misspelt_option_is_told_the_one_close_to_it(typed, meant):
    with pytest.raises(BadOption, match=f"unknown option '{typed}', close to {meant};"):
        Word2Vec(**{typed: 1})


def test_an_option_like_no_other_is_told_them_all():
    with pytest.raises(BadOption, match="unknown option 'colour'; the options are: alpha"):
        Word2Vec(colour=1)  # type: ignore[call-arg]


def test_an_option_of_training_given_to_fit_is_led_to_the_constructor():
    with pytest.raises(
        BadOption, match=r"unknown option 'epochs': it is given to Word2Vec\(epochs=\.\.\.\); the options"
    ):
        Word2Vec().fit([["a", "b"]], epochs=3)
