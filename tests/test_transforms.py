"""Vectors centred, without their strongest directions, retrofitted, aligned: held to the formulas in plain NumPy."""

import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import orthogonal_procrustes

from firth import WordVectors
from firth.errors import BadFile, BadOption, MissingFile
from firth.formats.model import read_model
from firth.stored import KINDS
from firth.transforms import align, read_lexicon, read_pairs, retrofitted, transformed
from firth.transforms.files import align_files, transform_file


def some_vectors(V=50, D=6, seed=1, counts=True):
    matrix = np.random.default_rng(seed).normal(0.5, 1, (V, D)).astype(np.float32)
    return WordVectors([f"w{row}" for row in range(V)], matrix, np.arange(V, 0, -1) if counts else None)


def turned(vectors, seed=2):
    """A copy turned at random, and the turn."""
    D = vectors.vector_size
    rotation, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(D, D)))
    return WordVectors(vectors.words, (vectors.matrix @ rotation).astype(np.float32), vectors.counts), rotation


# ---- the mean, the strongest directions, unit length ---------------------------------------------


@pytest.mark.parametrize("centre", [True, False])
@pytest.mark.parametrize("k", [0, 1, 3])
@pytest.mark.parametrize("dtype", KINDS)
def test_what_is_left_is_what_singular_value_decomposition_leaves(centre, k, dtype):
    vectors = some_vectors().astype(dtype)
    exact = vectors.matrix.astype(np.float64)
    exact -= exact.mean(axis=0) if centre else 0
    _, _, directions = np.linalg.svd(exact, full_matrices=False)
    for direction in directions[:k]:
        exact -= np.outer(exact @ direction, direction)
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    found = transformed(vectors, centre=centre, remove_components=k, unit=True)
    np.testing.assert_allclose(found.matrix, exact, atol=1e-5)
    assert found.words == vectors.words
    assert found.counts.tolist() == vectors.counts.tolist()
    assert found.dtype == "float32"


def test_centring_many_rows_goes_block_by_block_and_leaves_those_given_alone():
    vectors = some_vectors(V=20_000, D=30)
    before = vectors.matrix.copy()
    found = transformed(vectors, centre=True)
    np.testing.assert_allclose(found.matrix.mean(axis=0, dtype=np.float64), 0, atol=1e-7)
    np.testing.assert_array_equal(vectors.matrix, before)


def test_a_zero_vector_stays_zero_at_unit_length():
    found = transformed(WordVectors(["a", "b"], np.array([[0, 0], [3, 4]], np.float32)), unit=True)
    np.testing.assert_allclose(found.matrix, [[0, 0], [0.6, 0.8]], rtol=1e-6)


@pytest.mark.parametrize(
    ("V", "options", "says"),
    [
        (50, {}, "nothing to do"),
        (50, {"remove_components": 6}, "below 6, got 6: 50 words of 6 numbers have 6 directions"),
        (4, {"centre": True, "remove_components": 3}, "below 3, got 3: 4 words of 6 numbers about their mean"),
        (1, {"centre": True, "remove_components": 1}, "take 1 to 3, or more words"),
        (50, {"remove_components": -1}, "must be 0 or more"),
        (50, {"center": True}, "unknown option 'center'"),
        (0, {"centre": True}, "no words"),
    ],
)
def test_what_cannot_be_transformed_is_refused(V, options, says):
    with pytest.raises(BadOption, match=says):
        transformed(some_vectors(V), **options)


@pytest.mark.parametrize("transform", [lambda v: transformed(v, centre=True), lambda v: align(v, some_vectors())])
def test_numbers_that_are_not_finite_are_refused(transform):
    matrix = some_vectors().matrix.copy()
    matrix[3, 2] = np.nan
    with pytest.raises(BadFile, match="'w3'"):
        transform(WordVectors(some_vectors().words, matrix, check=False))


# ---- retrofitting -------------------------------------------------------------------------------


def test_each_step_of_retrofitting_is_the_update_of_the_paper():
    vectors = some_vectors(V=5, D=3)
    own = vectors.matrix.astype(np.float64)
    q = own.copy()
    for _ in range(2):
        q[0] = (2 * own[0] + 0.5 / 2 * (q[1] + q[3])) / 2.5
        q[3] = (2 * own[3] + 0.5 / 1 * q[0]) / 2.5
    lexicon = {"w3": ["w0", "unknown"], "w0": ["w3", "w1", "w1", "w0"], "other": ["w2"], "w4": ["unknown"]}
    found = retrofitted(vectors, lexicon, iterations=2, alpha=2, beta=0.5)
    np.testing.assert_allclose(found.matrix, q, rtol=1e-5)
    np.testing.assert_array_equal(found.matrix[[1, 2, 4]], vectors.matrix[[1, 2, 4]])


def test_the_strongest_pull_that_is_allowed_stays_finite():
    vectors = WordVectors(["a", "b"], np.array([[1e18, 0], [0, 1e18]], np.float32))
    found = retrofitted(vectors, {"a": ["b"]}, iterations=1, beta=1e6)
    np.testing.assert_allclose(found["a"], [1e12, 1e18], rtol=1e-5)


def test_retrofitting_reaches_the_least_of_the_paper_s_objective():
    """With both directions named, the fixed point solves (αI + L) Q = α Q̂, row by row with β_ij = 1 / degree(i)."""
    vectors = some_vectors(V=4, D=3)
    lexicon = {"w0": ["w1", "w2"], "w1": ["w0"], "w2": ["w0", "w3"], "w3": ["w2"]}
    system = np.array([[2, -0.5, -0.5, 0], [-1, 2, 0, 0], [-0.5, 0, 2, -0.5], [0, 0, -1, 2]])
    found = retrofitted(vectors, lexicon, iterations=60)
    np.testing.assert_allclose(found.matrix, np.linalg.solve(system, vectors.matrix), atol=1e-5)


@pytest.mark.parametrize(
    ("lexicon", "options", "says"),
    [
        ({"a": ["b"]}, {}, r"no word of the lexicon \(1 entries\) has a vector"),
        ([("w1", "w2")], {}, "lexicon must be a mapping"),
        ({"w1": "w2"}, {}, "the neighbours of 'w1' must be a list"),
        ({"w1": ["w2"]}, {"iterations": 0}, "iterations must be 1 or more"),
        ({"w1": ["w2"]}, {"alpha": 0, "beta": 0}, "must not both be 0"),
    ],
)
def test_what_cannot_be_retrofitted_is_refused(lexicon, options, says):
    with pytest.raises(BadOption, match=says):
        retrofitted(some_vectors(), lexicon, **options)


# ---- files of words -----------------------------------------------------------------------------


def test_lexicons_and_dictionaries_are_read_in_their_encoding(tmp_path):
    path = tmp_path / "words.txt"
    path.write_bytes("\ufeffmüde matt schläfrig\n\nallein\nmüde erschöpft\n".encode())
    assert read_lexicon(path) == {"müde": ["matt", "schläfrig", "erschöpft"], "allein": []}
    path.write_bytes("müde\ttired\nKönig king\n".encode("latin-1"))
    assert read_pairs(path, encoding="latin-1") == [("müde", "tired"), ("König", "king")]
    with pytest.raises(BadFile, match=r"words.txt is not utf-8 after line 0: .*give its encoding"):
        read_lexicon(path)


@pytest.mark.parametrize(
    ("read", "text", "encoding", "error", "says"),
    [
        (read_lexicon, "alone\n", "utf-8", BadFile, "no line has a word and a neighbour"),
        (read_lexicon, "a b\n", "utf-99", BadOption, "encoding must be one that Python knows"),
        (read_pairs, "a b\n", "rot13", BadOption, "encoding must be one that Python knows"),
        (read_lexicon, "a b\n", "utf-16", BadFile, "is not utf-16"),
        (read_pairs, "", "utf-8", BadFile, "no line of two words"),
        (read_pairs, "a b\n\na b c\n", "utf-8", BadFile, "line 3: a line must have two words, got 3"),
    ],
)
def test_files_that_are_not_what_they_should_be_say_so(tmp_path, read, text, encoding, error, says):
    (tmp_path / "words.txt").write_text(text)
    with pytest.raises(error, match=says):
        read(tmp_path / "words.txt", encoding=encoding)


def test_a_lexicon_that_is_not_there_says_so(tmp_path):
    with pytest.raises(MissingFile, match="cannot read"):
        read_lexicon(tmp_path / "nothing.txt")


# ---- alignment ----------------------------------------------------------------------------------


def test_a_turned_copy_is_turned_back_exactly():
    vectors = some_vectors()
    copy, rotation = turned(vectors)
    found = align(copy, vectors)
    np.testing.assert_allclose(found.rotation, rotation.T, atol=1e-6)
    np.testing.assert_allclose(found.vectors.matrix, vectors.matrix, atol=1e-5)
    np.testing.assert_allclose(found.distances, 0, atol=1e-6)
    assert found.vectors.counts.tolist() == vectors.counts.tolist()


@pytest.mark.parametrize("unit", [True, False])
def test_the_turn_is_scipy_s(unit):
    first, second = some_vectors(seed=3), some_vectors(seed=4)
    X, Y = (each.matrix.astype(np.float64) for each in (first, second))
    if unit:
        X, Y = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (X, Y))
    expected, _ = orthogonal_procrustes(X, Y)
    np.testing.assert_allclose(align(first, second, unit=unit).rotation, expected, atol=1e-6)


@given(st.integers(0, 1000), st.integers(2, 8), st.integers(8, 30))
def test_alignment_keeps_all_cosines_and_lengths_and_brings_no_pair_set_farther_apart(seed, D, V):
    first, second = some_vectors(V, D, seed), some_vectors(V, D, seed + 1)
    found = align(first, second, unit=False)
    before, after = (each.matrix.astype(np.float64) for each in (first, found.vectors))
    np.testing.assert_allclose(after @ after.T, before @ before.T, atol=1e-4)
    np.testing.assert_allclose(found.rotation @ found.rotation.T, np.eye(D), atol=1e-12)
    other = second.matrix
    assert np.linalg.norm(after - other) <= np.linalg.norm(before - other) + 1e-4


@given(st.integers(0, 1000), st.integers(1, 8), st.integers(2, 30))
def test_transformed_rows_have_unit_length(seed, D, V):
    found = transformed(some_vectors(V, D, seed), centre=True, unit=True)
    np.testing.assert_allclose(found.norms, 1, atol=1e-6)


def test_words_that_were_moved_are_found_and_rare_ones_can_be_left_out():
    vectors = some_vectors(V=60, D=5)
    copy, _ = turned(vectors)
    matrix = copy.matrix.copy()
    matrix[[7, 55]] *= -1
    moved = WordVectors(copy.words, matrix, copy.counts)
    found = align(moved, vectors)
    assert {each.word for each in found.moved(2)} == {"w7", "w55"}
    (first,) = found.moved(1, min_count=10)
    assert (first.word, first.onto, first.count, first.onto_count) == ("w7", "w7", 53, 53)
    assert first.distance == pytest.approx(2, abs=0.1)
    assert len(found.moved(99, min_count=60)) == 1
    with pytest.raises(BadOption, match="min_count needs counts, and the second model came without"):
        align(moved, some_vectors(V=60, D=5, counts=False)).moved(min_count=2)


def test_a_dictionary_aligns_models_whose_words_differ():
    vectors = some_vectors(V=40)
    copy, _ = turned(vectors)
    german = WordVectors([f"das {word}" for word in copy.words], copy.matrix)
    pairs = [(f"das w{row}", f"w{row}") for row in range(30)] + [("das w1", "unknown"), ("unknown", "w1")]
    found = align(german, vectors, pairs)
    assert len(found.rows) == 30
    assert found.onto.most_similar(found.vectors["das w39"], topn=1)[0][0] == "w39", "a word of no pair"


def test_words_in_another_order_and_of_one_model_alone_do_not_disturb():
    vectors = some_vectors()
    copy, rotation = turned(vectors.selected([f"w{row}" for row in range(39, 4, -1)]))
    np.testing.assert_allclose(align(copy, vectors).rotation, rotation.T, atol=1e-6)


def test_too_few_pairs_leave_the_turn_open_and_are_warned_of():
    with pytest.warns(UserWarning, match="5 pairs of words are fewer than the 6 numbers"):
        found = align(some_vectors(), some_vectors(seed=9), [(f"w{row}", f"w{row}") for row in range(5)])
    np.testing.assert_allclose(found.rotation @ found.rotation.T, np.eye(6), atol=1e-12)


@pytest.mark.parametrize(
    ("other", "pairs", "says"),
    [
        (some_vectors(D=7), None, "got 6 and 7: no turn makes one of the other"),
        (WordVectors(["x"], np.ones((1, 6))), None, "no words in common; check case"),
        (some_vectors(), [("a", "b")], "no known words in any of 1 pairs"),
        (some_vectors(), [("w1", "w2", "w3")], "pairs must be of two words each"),
        (some_vectors(), ["ab"], "pairs must be of two words each, got 'ab'"),
    ],
)
def test_what_cannot_be_aligned_is_refused(other, pairs, says):
    with pytest.raises(BadOption, match=says):
        align(some_vectors(), other, pairs)


# ---- files --------------------------------------------------------------------------------------


def test_files_tell_what_was_done_to_their_vectors(tmp_path):
    vectors = some_vectors()
    copy, _ = turned(vectors)
    vectors.save(tmp_path / "a.safetensors")
    copy.save(tmp_path / "b.bin")
    transform_file(tmp_path / "a.safetensors", tmp_path / "c.safetensors", centre=True, remove_components=2)
    done = transform_file(tmp_path / "c.safetensors", tmp_path / "d.safetensors", unit=True)
    assert done["transform"] == {"centre": False, "remove_components": 0, "unit": True}
    kept = json.loads(read_model(tmp_path / "d.safetensors").metadata["transforms"])
    assert [each["transform"]["remove_components"] for each in kept] == [2, 0]
    expected = transformed(vectors, centre=True, remove_components=2, unit=True)
    found = WordVectors.load(tmp_path / "d.safetensors")
    np.testing.assert_allclose(found.matrix, expected.matrix, atol=1e-6)
    assert found.counts.tolist() == vectors.counts.tolist()
    told = align_files(tmp_path / "b.bin", tmp_path / "a.safetensors", tmp_path / "e.safetensors", topn=3)
    assert (told["pairs"], len(told["moved"])) == (50, 3)
    np.testing.assert_allclose(WordVectors.load(tmp_path / "e.safetensors").matrix, vectors.matrix, atol=1e-5)


def test_a_file_is_not_written_over_what_it_is_read_from(tmp_path):
    some_vectors().save(tmp_path / "a.safetensors")
    before = (tmp_path / "a.safetensors").read_bytes()
    with pytest.raises(BadOption, match="over what is read from it"):
        transform_file(tmp_path / "a.safetensors", tmp_path / "a.safetensors", unit=True)
    with pytest.raises(BadOption, match="a model is one safetensors file"):
        align_files(tmp_path / "a.safetensors", tmp_path / "a.safetensors", tmp_path / "b.bin")
    assert (tmp_path / "a.safetensors").read_bytes() == before


# ---- sent to other processes --------------------------------------------------------------------


@pytest.mark.parametrize("dtype", KINDS)
def test_pickled_vectors_answer_alike_and_stay_read_only(dtype):
    vectors = some_vectors().astype(dtype)
    assert len(vectors.norms) == 50  # measured: a query's last bit depends on whether its length is known
    expected = vectors.most_similar("w1")
    back = pickle.loads(pickle.dumps(vectors))
    assert back.most_similar("w1") == expected
    assert not back.counts.flags.writeable
    assert not back.matrix.flags.writeable
