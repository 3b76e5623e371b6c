"""Vectors made of the input and the output matrix, in Python and from a model's file."""

from __future__ import annotations

import numpy as np
import pytest

from firth import Word2Vec, WordVectors
from firth.combining import WAYS
from firth.errors import BadOption
from firth.formats import convert

TEXT = ["a b c d e f g h"] * 40


@pytest.fixture(scope="module")
def model():
    return Word2Vec(vector_size=17, min_count=1, sample=0, epochs=2, workers=1).fit(TEXT, progress=False)


@pytest.fixture(scope="module")
def tree_model():
    options = {"vector_size": 17, "min_count": 1, "sample": 0, "epochs": 1, "workers": 1}
    return Word2Vec(loss="hs", **options).fit(TEXT, progress=False)


def expected(model, combine):
    input, output = model.weights.input, model.weights.output
    return {
        "input": input,
        "output": output,
        "sum": input + output,
        "average": (input + output) / 2,
        "concatenate": np.hstack([input, output]),
    }[combine]


@pytest.mark.parametrize("combine", WAYS)
def test_each_way_is_what_it_is_called(model, combine):
    vectors = model.combined_vectors(combine)
    np.testing.assert_array_equal(vectors.matrix, expected(model, combine))
    assert vectors.matrix.dtype == np.float32
    assert vectors.words == model.vocabulary.words
    np.testing.assert_array_equal(vectors.counts, model.vocabulary.counts)
    assert vectors.describe("a").count == 40


@pytest.mark.parametrize("target", ["v.bin", "v.txt", "v.safetensors"])
@pytest.mark.parametrize("combine", WAYS)
def test_files_are_converted_each_way(model, tmp_path, combine, target):
    model.save(tmp_path / "m.safetensors")
    convert(tmp_path / "m.safetensors", tmp_path / target, combine=combine)
    np.testing.assert_array_equal(WordVectors.load(tmp_path / target).matrix, expected(model, combine))


def test_combining_needs_words_in_both_matrices(model, tree_model, tmp_path):
    np.testing.assert_array_equal(tree_model.combined_vectors("input").matrix, tree_model.weights.input)
    tree_model.save(tmp_path / "tree.safetensors")
    model.vectors.save(tmp_path / "v.safetensors")
    model.vectors.save(tmp_path / "v.bin")
    for combine in set(WAYS) - {"input"}:
        with pytest.raises(BadOption, match=r"must be 'input' for a model trained by hierarchical softmax.*loss='ns'"):
            tree_model.combined_vectors(combine)
        with pytest.raises(BadOption, match="hierarchical softmax"):
            convert(tmp_path / "tree.safetensors", tmp_path / "out.bin", combine=combine)
        for source in ("v.safetensors", "v.bin"):
            with pytest.raises(BadOption, match="needs a model with its output matrix"):
                convert(tmp_path / source, tmp_path / "out.bin", combine=combine)
    assert not (tmp_path / "out.bin").exists()


@pytest.mark.parametrize("source", ["m.safetensors", "v.bin"])
def test_an_unknown_way_is_told(model, tmp_path, source):
    with pytest.raises(BadOption, match="one of input, output, average, sum, concatenate; got 'mean'"):
        model.combined_vectors("mean")
    model.save(tmp_path / "m.safetensors")
    model.vectors.save(tmp_path / "v.bin")
    with pytest.raises(BadOption, match="one of input, output, average, sum, concatenate; got 'mean'"):
        convert(tmp_path / source, tmp_path / "out.txt", combine="mean")
