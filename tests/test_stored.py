"""Rows stored in every way: what they stand for, files of them, and searching by bits or products first."""

import sys
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from firth import nearest as nearest_module
from firth.errors import BadFile, BadOption, FirthError, MissingExtra
from firth.formats.model import StoredModel, read_model, write_model
from firth.stored import KINDS, Bits, Codes, Floats, Halves, base
from firth.vectors import WordVectors
from firth.word2vec import Word2Vec

NARROW = ["float16", "int8", "binary", "pq"]


def random_matrix(V=300, D=33, seed=0):
    matrix = np.random.default_rng(seed).standard_normal((V, D), dtype=np.float32)
    matrix[V // 3] = 0
    return matrix


def named(matrix, **others):
    return WordVectors([f"w{row}" for row in range(len(matrix))], matrix, **others)


# ---- what rows stand for --------------------------------------------------------------------------


def test_bits_stand_for_signs_at_their_mean_size():
    bits = Bits.encoded(Floats(np.array([[3, -1, 0, 4, -2, 1, 1, 0, -6], [0] * 9], np.float32)))
    assert bits.decoded(slice(None)).tolist() == [[2, -2, 2, 2, -2, 2, 2, 2, -2], [0] * 9]
    assert bits.bits.tolist() == [[0b10110111, 0], [0b11111111, 0b10000000]]
    assert bits.nbytes == 2 * 2 + 2 * 4 + 8


def test_codes_stand_for_multiples_of_a_hundred_and_twenty_seventh_of_the_largest():
    codes = Codes.encoded(Floats(np.array([[127, -63.4, 0.6], [0, 0, 0], [-0.5, 0.25, 0]], np.float32)))
    assert codes.codes.tolist() == [[127, -63, 1], [0, 0, 0], [-127, 64, 0]]
    np.testing.assert_allclose(codes.scales, [1, 0, 0.5 / 127])


@given(st.integers(0, 200), st.integers(1, 70), st.integers(-8, 8), st.integers(0, 99))
def test_no_number_is_off_by_more_than_its_storage_says(V, D, exponent, seed):
    matrix = random_matrix(V + 1, D, seed)[: V or 1] * np.float32(2.0**exponent)
    largest = np.abs(matrix).max(axis=1, keepdims=True)
    assert (KINDS["float32"].encoded(Floats(matrix)).decoded(slice(None)) == matrix).all()
    halves, codes, bits, products = (KINDS[name].encoded(Floats(matrix)).decoded(slice(None)) for name in NARROW)
    assert (np.abs(halves - matrix) <= np.abs(matrix) / 2048 + 2.0**-25).all()
    assert (np.abs(codes - matrix) <= largest / 254 * 1.001).all()
    assert ((bits >= 0) == (matrix >= 0)).all()
    np.testing.assert_allclose(np.abs(bits).mean(axis=1), np.abs(matrix).mean(axis=1), rtol=1e-4)
    assert (np.abs(products - matrix) <= 1e-3 * largest).all(), "up to 256 rows are entries of the codebooks"


@given(st.binary(min_size=2, max_size=400).filter(lambda data: len(data) % 2 == 0), st.integers(1, 40))
def test_any_halves_are_widened_as_numpy_does(data, repeats):
    """Also zeros with a sign, the smallest numbers, NaN and infinity, which becomes NaN where there are many rows."""
    halves = np.tile(np.frombuffer(data, np.float16), (2 * repeats, 1))
    found = Halves(halves).decoded(slice(None))
    expected = halves.astype(np.float32)
    if len(halves) > 64:
        expected[np.isinf(expected)] = np.nan
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(np.signbit(found)[found == 0], np.signbit(expected)[found == 0])


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("D", [1, 8, 16, 33, 100])
def test_products_are_those_of_the_numbers_stood_for_and_equal_for_equal_rows(dtype, D, monkeypatch):
    monkeypatch.setattr(nearest_module, "PART_NUMBERS", 64)
    rows = KINDS[dtype].encoded(Floats(np.tile(random_matrix(70, D), (2, 1))))
    target = random_matrix(2, D, seed=5)[1]
    expected = rows.decoded(slice(None)).astype(np.float64) @ target
    for threads in (1, 3):
        found = rows.products(target, slice(None), threads)
        np.testing.assert_allclose(found, expected, atol=1e-5 * D)
        np.testing.assert_array_equal(found[:70], found[70:])
        some = np.array([139, 0, 77, 69])
        np.testing.assert_array_equal(rows.products(target, some, threads), found[some])
        np.testing.assert_array_equal(rows.products(target, slice(5, 9), threads), found[5:9])


@pytest.mark.parametrize("dtype", NARROW)
def test_vectors_stored_otherwise_answer_as_those_of_the_numbers_stood_for(dtype):
    vectors = named(random_matrix()).astype(dtype)
    plain = named(vectors.matrix)
    assert vectors.dtype == dtype
    assert dtype in repr(vectors)
    found, expected = vectors.most_similar("w7", topn=300), dict(plain.most_similar("w7", topn=300))
    assert {word: pytest.approx(score, abs=1e-6) for word, score in found} == expected
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
    assert vectors.similarity("w1", "w2") == pytest.approx(plain.similarity("w1", "w2"), abs=1e-6)
    np.testing.assert_allclose(vectors["w5"], plain["w5"])
    np.testing.assert_allclose(vectors[["w5", "w9"]], plain[["w5", "w9"]])
    np.testing.assert_allclose(vectors.norms, plain.norms, rtol=1e-6)
    below = plain.similarities("w1") > plain.similarity("w1", "w2") + 1e-5
    assert vectors.rank("w1", "w2") == below.sum() - below[1] + 1
    assert not vectors["w5"].flags.writeable


def test_the_cosine_of_bits_counts_those_that_differ():
    bits = named(random_matrix(50, 40)).astype("binary")
    signs = np.sign(bits.matrix)
    assert bits.similarity("w1", "w2") == pytest.approx(1 - 2 * (signs[1] != signs[2]).sum() / 40, abs=1e-6)


def test_narrow_rows_take_fewer_bytes():
    vectors = named(random_matrix(100, 128))
    assert {name: vectors.astype(name).nbytes for name in KINDS} == {
        "float32": 100 * 512,
        "float16": 100 * 256,
        "int8": 100 * 132,
        "binary": 100 * 20 + 8,
        "pq": 100 * (64 + 4) + 256 * 4 * 128 + 8,
    }


@pytest.mark.parametrize("dtype", NARROW)
def test_a_batch_decodes_no_more_than_a_block_at_once(dtype, monkeypatch):
    monkeypatch.setattr(base, "BLOCK_NUMBERS", 64 * 33)
    vectors = named(random_matrix(1000)).astype(dtype)
    vectors.norms  # noqa: B018  # measured now
    kind, sizes = type(vectors.rows), []
    decoded = kind.decoded
    monkeypatch.setattr(kind, "decoded", lambda *args: sizes.append(len(made := decoded(*args))) or made)
    found = vectors.most_similar_batch(vectors.words[:9], 5)
    assert max(sizes) == 64
    alone = vectors.most_similar("w0", topn=5)
    np.testing.assert_allclose([score for _, score in found[0]], [score for _, score in alone], atol=1e-6)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda v: v.astype("float64"), "dtype must be one of float32, float16, int8, binary, pq; got 'float64'"),
        (lambda v: named(v.matrix * 1e6).astype("float16"), "float16 holds numbers up to 65504, got"),
        (lambda v: v.astype("int8", rescore=3), "needs dtype binary or pq, got 'int8'"),
        (lambda v: v.astype("binary", rescore=-1), "rescore must be a whole number, 1 or more, got -1"),
    ],
)
def test_what_cannot_be_stored_is_told(change, sentence):
    with pytest.raises(BadOption, match=sentence):
        change(named(random_matrix()))


def test_numbers_that_are_not_finite_are_stored_as_nothing_else():
    vectors = named(np.array([[1, np.nan]], np.float32), check=False)
    for dtype in NARROW:
        with pytest.raises(BadFile, match="that of 'w0'"):
            vectors.astype(dtype)


# ---- bits first -----------------------------------------------------------------------------------


def test_bits_choose_what_the_numbers_then_score():
    exact = named(random_matrix(2000, 64))
    vectors = exact.astype("binary", rescore=20)
    hits = 0
    for word in exact.words[1::40]:
        found, expected = vectors.most_similar(word), exact.most_similar(word)
        assert dict(found).items() <= dict(exact.most_similar(word, topn=2000)).items(), "scores are exact"
        hits += len(dict(found).keys() & dict(expected).keys())
    assert hits > 0.85 * 500
    assert vectors.most_similar_batch(exact.words[:5], 3) == [
        vectors.most_similar(word, topn=3) for word in exact.words[:5]
    ]


def test_with_enough_candidates_bits_miss_nothing():
    exact = named(random_matrix(200))
    vectors = exact.astype("binary", rescore=200)
    for restrict in (None, range(50, 150), exact.words[7::3]):
        assert vectors.most_similar("w9", restrict=restrict) == exact.most_similar("w9", restrict=restrict)


# ---- product quantisation -------------------------------------------------------------------------


def test_products_come_nearer_the_more_parts_there_are():
    pytest.importorskip("faiss")
    vectors = named(random_matrix(600, 33))
    errors = {}
    for parts in (3, 10, 33):
        stored = vectors.astype("pq", parts=parts)
        assert stored.rows.tensors["input"].shape == (600, parts)
        assert stored.nbytes == 600 * (parts + 4) + 256 * parts * -(-33 // parts) * 4 + 8
        errors[parts] = np.linalg.norm(stored.matrix - vectors.matrix) / np.linalg.norm(vectors.matrix)
        lost = np.einsum("nd,nd->n", stored.matrix - vectors.matrix, stored.matrix)
        np.testing.assert_allclose(lost, 0, atol=1e-3)  # no other scale comes nearer
    assert 0.75 > errors[3] > 1.5 * errors[10] > 5 * errors[33]


def test_products_are_the_same_bytes_at_every_run():
    pytest.importorskip("faiss")
    first, second = (named(random_matrix(400)).astype("pq", parts=5).rows.tensors for _ in range(2))
    assert all((first[name] == second[name]).all() for name in first)


def test_words_that_are_added_share_the_codebooks():
    pytest.importorskip("faiss")
    vectors = named(random_matrix(400)).astype("pq")
    more = vectors.added(["new"], [2 * vectors["w9"]]).replaced(["w1"], [-vectors["w9"]])
    assert more.rows.codebooks is vectors.rows.codebooks
    assert more.similarity("new", "w9") == pytest.approx(1)
    assert more.compare("new", "w9").cosine == pytest.approx(1)
    np.testing.assert_allclose(more["new"], 2 * vectors["w9"], rtol=1e-5)
    assert more.similarity("w1", "w9") < 0
    np.testing.assert_array_equal(more["w5"], vectors["w5"])
    assert vectors.merged(named(random_matrix(1)).renamed({"w0": "other"})).dtype == "pq"


def test_products_choose_what_the_numbers_then_score():
    pytest.importorskip("faiss")
    exact = named(random_matrix(600, 33))
    vectors = exact.astype("pq", parts=11, rescore=10)
    hits = 0
    for word in exact.words[1::20]:
        found = vectors.most_similar(word)
        assert dict(found).items() <= dict(exact.most_similar(word, topn=600)).items(), "scores are exact"
        hits += len(dict(found).keys() & dict(exact.most_similar(word)).keys())
    assert hits > 0.9 * 300


def test_products_are_searched_without_faiss_which_makes_them(tmp_path, monkeypatch):
    pytest.importorskip("faiss")
    exact = named(random_matrix(400))
    vectors = exact.astype("pq")
    vectors.save(tmp_path / "v.safetensors")
    with safe_open(tmp_path / "v.safetensors", framework="numpy") as file:
        assert file.metadata()["format_version"] == "3"
    monkeypatch.setitem(sys.modules, "faiss", None)
    loaded = WordVectors.load(tmp_path / "v.safetensors")
    assert loaded.most_similar("w3") == vectors.most_similar("w3")
    assert loaded.added(["new"], [exact["w3"]]).dtype == "pq"
    with pytest.raises(MissingExtra, match=r"needs the package faiss-cpu, .*; run: pip install 'firth\[ann\]'"):
        exact.astype("pq")


@pytest.mark.parametrize(
    ("dtype", "parts", "sentence"),
    [
        ("pq", 0, "parts must be a whole number, from 1 to 33, got 0"),
        ("pq", 34, "parts must be a whole number, from 1 to 33, got 34"),
        ("int8", 5, "parts are those of dtype pq, got 'int8'; leave them out"),
    ],
)
def test_parts_that_cannot_be_are_told(dtype, parts, sentence):
    with pytest.raises(BadOption, match=sentence):
        named(random_matrix()).astype(dtype, parts=parts)


# ---- files ----------------------------------------------------------------------------------------


@pytest.fixture
def vectors():
    return named(random_matrix(40, 20), counts=np.arange(40, 0, -1))


@pytest.mark.parametrize("dtype", NARROW)
def test_narrow_rows_come_back_from_a_file_and_stay_in_it(tmp_path, vectors, dtype):
    narrow = vectors.astype(dtype)
    narrow.save(tmp_path / "v.safetensors")
    loaded = WordVectors.load(tmp_path / "v.safetensors")
    assert loaded.dtype == dtype
    assert loaded.words == vectors.words
    np.testing.assert_array_equal(loaded.counts, vectors.counts)
    for name, tensor in loaded.rows.tensors.items():
        np.testing.assert_array_equal(tensor, narrow.rows.tensors[name])
        assert name == "vector_size" or not tensor.flags.owndata
    part = loaded.sliced(5, 30)
    assert np.shares_memory(part.rows.tensors["input"], loaded.rows.tensors["input"])
    assert loaded.most_similar("w3") == narrow.most_similar("w3")
    assert part.most_similar("w7")[0][0] in part


def test_floats_are_written_as_any_firth_reads_them(tmp_path, vectors):
    vectors.save(tmp_path / "v.safetensors")
    vectors.astype("float16").save(tmp_path / "h.safetensors")
    for name, version in (("v", "1"), ("h", "2")):
        with safe_open(tmp_path / f"{name}.safetensors", framework="numpy") as file:
            assert file.metadata()["format_version"] == version


def test_other_formats_get_floats(tmp_path, vectors):
    narrow = vectors.astype("int8")
    narrow.save(tmp_path / "v.bin")
    np.testing.assert_array_equal(WordVectors.load(tmp_path / "v.bin").matrix, narrow.matrix)


@pytest.mark.parametrize(
    ("dtype", "change", "sentence"),
    [
        ("float16", {"input": np.zeros((40, 20))}, "tensor input must be F32"),
        ("int8", {"input_scales": None}, "input_scales must have 40 items beside int8 rows"),
        ("int8", {"input_scales": np.ones(39, np.float32)}, "input_scales must have 40 items"),
        ("float16", {"input_scales": np.ones(40, np.float32)}, "input_scales must have no items beside float16 rows"),
        ("binary", {"vector_size": None}, "vector_size must stand beside uint8 rows"),
        ("binary", {"vector_size": np.array([25])}, "vector_size must fit rows of 3 bytes, got .25."),
        ("binary", {"vector_size": np.array([-1])}, "vector_size must fit rows of 3 bytes"),
        ("pq", {"vector_size": None}, "vector_size must stand beside uint8 rows"),
        ("pq", {"vector_size": np.array([9])}, "must fit rows of 10 bytes and codebooks of shape .10, 256, 2."),
        ("pq", {"codebooks": np.zeros((10, 255, 2), np.float32)}, "codebooks of shape .10, 255, 2., got .20."),
        ("pq", {"codebooks": np.zeros((9, 256, 2), np.float32)}, "codebooks of shape .9, 256, 2."),
        ("pq", {"codebooks": None}, "vector_size must fit rows of 10 bytes, got .20."),
        ("int8", {"codebooks": np.zeros((20, 256, 1), np.float32)}, "codebooks must not stand beside int8 rows"),
        ("int8", {"vector_size": np.array([20])}, "vector_size must not stand beside int8 rows"),
        ("float16", {"output": np.zeros((40, 20), np.float32)}, "output stands beside float32 input alone"),
    ],
)
def test_narrow_rows_at_odds_with_the_rest_are_told(tmp_path, vectors, dtype, change, sentence):
    path = tmp_path / "v.safetensors"
    vectors.astype(dtype).save(path)
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
    tensors = {name: tensor for name, tensor in (load_file(path) | change).items() if tensor is not None}
    save_file(tensors, path, metadata)
    with pytest.raises(BadFile, match=sentence):
        read_model(path)


@given(st.sampled_from(NARROW), st.integers(0, 1 << 20), st.integers(0, 255))
def test_a_changed_byte_gives_no_other_error(tmp_path_factory, dtype, place, byte):
    path = tmp_path_factory.getbasetemp() / "changed.safetensors"
    named(random_matrix(5, 9)).astype(dtype).save(path)
    data = bytearray(path.read_bytes())
    data[place % len(data)] = byte
    path.write_bytes(data)
    with suppress(FirthError):
        assert len(WordVectors.load(path).most_similar(np.ones(9))) == 5


def test_a_half_that_is_no_number_is_told_when_it_is_searched(tmp_path, vectors):
    halves = vectors.matrix.astype(np.float16)
    halves[7, 3] = np.inf
    write_model(tmp_path / "v", StoredModel.of(vectors.words, halves))
    with pytest.raises(BadFile, match=r"that of 'w7' \(row 7\)"):
        WordVectors.load(tmp_path / "v").most_similar("w1")


@pytest.mark.parametrize("scale", [np.inf, np.nan, np.float32(3e38)])
@pytest.mark.parametrize("dtype", ["int8", "binary", "pq"])
def test_a_scale_that_no_vector_has_is_told_and_warns_of_nothing(tmp_path, vectors, dtype, scale):
    rows = vectors.astype(dtype).rows.tensors
    scales = rows["input_scales"].copy()
    scales[7] = scale
    write_model(tmp_path / "v", StoredModel.of(vectors.words, **{**rows, "input_scales": scales}))
    with pytest.raises(BadFile, match=r"that of 'w7' \(row 7\)"):
        WordVectors.load(tmp_path / "v").most_similar("w1")


def test_a_file_of_narrow_rows_is_for_queries_alone(tmp_path, vectors):
    vectors.astype("int8").save(tmp_path / "v.safetensors")
    with pytest.raises(BadFile, match=r"cannot be trained on; open it with WordVectors\.load"):
        Word2Vec.load(tmp_path / "v.safetensors")
