"""The one-file model."""

import errno
import json
import os
import tracemalloc
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from stand_ins import subword_vectors

from firth.errors import BadFile, BadOption, CannotWrite, FirthError, MissingFile
from firth.formats import model, tensors
from firth.formats.model import StoredModel, read_model, write_model
from firth.formats.words import pack_words, unpack_words
from firth.ngrams import NGrams
from firth.vectors import SubwordVectors, WordVectors
from firth.word2vec import Word2Vec

WORDS = ["the", "über", "漢字", "🙂"]
SAME_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
UTF8 = st.text(st.characters(exclude_categories=["Cs"]))


def matrix(V=4, D=3, seed=0):
    return np.random.default_rng(seed).standard_normal((V, D), dtype=np.float32)


def some_model(**others):
    given = {
        "counts": np.array([9, 5, 5, 1]),
        "output": matrix(seed=1),
        "options": {"epochs": 5},
        "state": {"at": 7},
    }
    return StoredModel.of(WORDS, matrix(), **(given | others))


def tensors_and_metadata(path):
    with safe_open(path, framework="numpy") as file:
        return load_file(path), file.metadata()


def rewrite(path, tensor=None, metadata=None):
    """Write the model at `path` anew by safetensors itself, with another tensor or other metadata."""
    tensors, said = tensors_and_metadata(path)
    tensors |= tensor or {}
    kept = {name: array for name, array in tensors.items() if array is not None}
    save_file(kept, path, said | (metadata or {}))


@pytest.fixture
def path(tmp_path):
    write_model(tmp_path / "model.safetensors", some_model())
    return tmp_path / "model.safetensors"


# ---- words ----------------------------------------------------------------------------------------


@given(st.lists(UTF8))
def test_words_come_back_as_they_were_packed(words):
    data, offsets = pack_words(words)
    assert (data.dtype, offsets.dtype) == (np.uint8, np.int64)
    assert bytes(data) == "".join(words).encode()
    assert unpack_words(data, offsets) == words


@pytest.mark.parametrize("words", [["a", None], ["a", 1], ["\ud800"]])
def test_only_strings_are_packed(words):
    with pytest.raises(BadOption, match="words must be strings"):
        pack_words(words)


@pytest.mark.parametrize("offsets", [[], [0], [1, 4], [0, 3], [0, 5], [0, 3, 2, 4], [0, -1, 4], [0, 9, 4]])
def test_offsets_that_do_not_fit_are_told(offsets):
    data = np.frombuffer("über"[:3].encode(), np.uint8)
    with pytest.raises(BadFile, match="word_offsets must rise from 0 to 4"):
        unpack_words(data, np.array(offsets, np.int64))


def test_a_character_cut_in_two_is_told():
    with pytest.raises(BadFile, match="cut a character in two"):
        unpack_words(np.frombuffer("ü".encode(), np.uint8), np.array([0, 1, 2]))


def test_words_that_are_not_utf8_are_told():
    with pytest.raises(BadFile, match="byte 1 is not"):
        unpack_words(np.frombuffer(b"a\xff", np.uint8), np.array([0, 2]))


# ---- there and back -------------------------------------------------------------------------------


def test_a_model_comes_back_as_it_was_written(tmp_path):
    written = some_model(metadata={"licence": "CC0"})
    write_model(tmp_path / "m", written)
    read = read_model(tmp_path / "m")
    assert read.words == WORDS
    for name in ("counts", "input", "output"):
        np.testing.assert_array_equal(getattr(read, name), getattr(written, name))
    assert (read.options, read.state, read.metadata) == ({"epochs": 5}, {"at": 7}, {"licence": "CC0"})


def test_output_and_counts_may_be_left_out(tmp_path):
    write_model(tmp_path / "m", some_model(output=None, counts=None))
    read = read_model(tmp_path / "m")
    assert read.output is None
    assert read.counts is None


def test_a_model_without_words_comes_back(tmp_path):
    write_model(tmp_path / "m", StoredModel.of([], matrix(0)))
    assert read_model(tmp_path / "m").input.shape == (0, 3)


@given(st.lists(UTF8, unique=True, max_size=9), st.integers(1, 5), st.data())
@SAME_FOLDER
def test_any_words_and_numbers_come_back(tmp_path, words, D, data):
    numbers = data.draw(
        st.lists(st.floats(width=32), min_size=len(words) * D, max_size=len(words) * D), label="numbers"
    )
    vectors = np.array(numbers, np.float32).reshape(-1, D)
    write_model(tmp_path / "m", StoredModel.of(words, vectors))
    read = read_model(tmp_path / "m")
    assert read.words == words
    assert read.input.tobytes() == vectors.tobytes()


def test_strided_rows_are_written_block_by_block(tmp_path, monkeypatch):
    monkeypatch.setattr(tensors, "BLOCK_BYTES", 64)
    padded = matrix(1000, 16)
    write_model(tmp_path / "m", StoredModel.of([str(word) for word in range(1000)], padded[:, :10]))
    np.testing.assert_array_equal(read_model(tmp_path / "m").input, padded[:, :10])


def test_a_model_may_be_written_over_the_one_it_is_mapped_from(path):
    read = read_model(path)
    write_model(path, read)
    np.testing.assert_array_equal(read_model(path).input, matrix())


def test_numpy_numbers_may_stand_in_options(tmp_path):
    write_model(tmp_path / "m", some_model(options={"alpha": np.float64(0.5), "epochs": np.int64(3)}))
    assert read_model(tmp_path / "m").options == {"alpha": 0.5, "epochs": 3}


def test_arrays_are_read_only_views_of_the_file(path):
    read = read_model(path)
    for array in (read.input, read.output, read.counts, read.word_offsets, read.word_bytes):
        assert not array.flags.owndata
        assert not array.flags.writeable
        assert array.flags.aligned


# ---- n-grams --------------------------------------------------------------------------------------


@pytest.fixture
def subwords(tmp_path):
    """A model with n-grams, in `subwords.safetensors`."""
    vectors, own = subword_vectors(dict.fromkeys(WORDS, 3), D=3)
    write_model(tmp_path / "subwords.safetensors", StoredModel.of_vectors(vectors, own=own))
    return vectors


@pytest.mark.parametrize("limit", [None, 0, 2])
@pytest.mark.parametrize("dtype", ["float32", "float16", "int8", "binary"])
def test_n_grams_come_back_beside_words_stored_in_any_way(tmp_path, subwords, limit, dtype):
    written = subwords.astype(dtype)
    written.save(tmp_path / "m.safetensors")
    read = WordVectors.load(tmp_path / "m.safetensors", limit=limit)
    assert isinstance(read, SubwordVectors)
    assert (read.words, read.dtype, read.kind) == (subwords.words[:limit], dtype, subwords.kind)
    for name in ("gram_rows", "buckets"):
        np.testing.assert_array_equal(getattr(read, name), getattr(subwords, name))
        assert not getattr(read, name).flags.owndata
    np.testing.assert_array_equal(read.vector("theü"), subwords.vector("theü"))
    np.testing.assert_array_equal(read.matrix, written.matrix[:limit])
    assert json.loads(tensors_and_metadata(tmp_path / "m.safetensors")[1]["format_version"]) == 4


def test_an_index_beside_a_file_answers_for_words_never_seen(tmp_path, subwords):
    pytest.importorskip("usearch", reason="usearch is not installed: pip install 'firth[ann]'")
    plain = WordVectors.load(tmp_path / "subwords.safetensors")
    plain.build_index("usearch")
    plain._indexes["usearch"].save(tmp_path / "subwords.usearch")
    read = WordVectors.load(tmp_path / "subwords.safetensors", index="usearch")
    assert read.most_similar("theü", topn=2, index="usearch") == plain.most_similar("theü", topn=2)


def test_opening_reads_no_rows_of_n_grams(tmp_path):
    kind, U = NGrams(3, 6, 2**31 - 1), 300_000
    buckets = np.random.default_rng(0).permutation(2 * U)[:U]
    vectors = SubwordVectors(
        WORDS, matrix(), gram_rows=np.ones((U, 3), np.float32), kind=kind, buckets=buckets.astype(np.int64)
    )
    vectors.save(tmp_path / "m.safetensors")
    tracemalloc.start()
    read = WordVectors.load(tmp_path / "m.safetensors")
    with suppress(FirthError):
        read.vector("theüber")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 40 * U  # some copies of the list of buckets


# ---- what others read -----------------------------------------------------------------------------


def test_the_library_of_safetensors_reads_it(path):
    tensors, metadata = tensors_and_metadata(path)
    np.testing.assert_array_equal(tensors["input"], matrix())
    np.testing.assert_array_equal(tensors["output"], matrix(seed=1))
    np.testing.assert_array_equal(tensors["counts"], [9, 5, 5, 1])
    assert bytes(tensors["words"]).decode() == "".join(WORDS)
    assert tensors["word_offsets"].tolist() == [0, 3, 8, 14, 18]
    assert metadata["format"] == "firth"
    assert metadata["format_version"] == "1"
    assert json.loads(metadata["options"]) == {"epochs": 5}


def test_it_reads_what_the_library_of_safetensors_writes(path):
    rewrite(path)
    assert read_model(path).words == WORDS


def test_the_header_ends_where_every_number_is_aligned(path):
    assert int.from_bytes(path.read_bytes()[:8], "little") % 8 == 0


# ---- what is wrong --------------------------------------------------------------------------------


def test_nothing_there_is_missing(tmp_path):
    with pytest.raises(MissingFile, match="none"):
        read_model(tmp_path / "none")


def test_a_truncated_file_is_told_wherever_it_ends(path):
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(BadFile, match="truncated or not a safetensors file"):
            read_model(path)


def test_safetensors_of_another_kind_are_told(tmp_path):
    save_file({"embeddings": matrix()}, tmp_path / "m", {"format": "pt"})
    with pytest.raises(BadFile, match=r"no firth model.*got 'pt'"):
        read_model(tmp_path / "m")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"metadata": {"format_version": "5"}}, "version 5, this firth reads up to 4; install a newer"),
        ({"metadata": {"format_version": "one"}}, "must be a whole number, got 'one'"),
        ({"metadata": {"options": "{"}}, "options must be JSON"),
        ({"metadata": {"options": "[" * 100_000}}, "options must be JSON"),
        ({"metadata": {"state": "[]"}}, "state must be a JSON object"),
        ({"tensor": {"input": None}}, "tensor input must be F32 with 2 .*got none"),
        ({"tensor": {"input": matrix().astype(np.float16)}}, "tensor input must be F32"),
        ({"tensor": {"input": matrix()[0]}}, "tensor input must be F32 with 2 dimension"),
        ({"tensor": {"input": matrix(3)}}, "input must have 4 rows"),
        ({"tensor": {"output": matrix(4, 2)}}, "output must have the shape of input"),
        ({"tensor": {"counts": np.ones(3, np.int64)}}, "counts must have 4 items"),
        ({"tensor": {"word_offsets": np.array([0, 3, 8, 14, 19])}}, "word_offsets must rise from 0 to 18"),
        ({"tensor": {"word_offsets": np.array([0, 4, 3, 14, 18])}}, "word_offsets must rise from 0 to 18"),
        (
            {"tensor": {"word_offsets": np.array([0, 3, 4, 13, 18])}},
            "cut a character in two",
        ),
        ({"tensor": {"word_offsets": np.empty(0, np.int64)}}, "word_offsets must rise"),
    ],
)
def test_a_model_at_odds_with_itself_is_told(path, change, sentence):
    rewrite(path, **change)
    with pytest.raises(BadFile, match=sentence):
        read_model(path)


ONES = np.ones((1, 3), np.float32)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"grams": None}, "grams, gram_buckets and gram_kind must all be there, or none"),
        ({"gram_buckets": None}, "must all be there, or none"),
        ({"gram_kind": None}, "must all be there, or none"),
        ({"grams": None, "gram_buckets": None, "gram_kind": None}, "own must have the shape of input"),
        ({"grams": ONES}, r"grams must have 19 rows of 3 numbers, got the shape \(1, 3\)"),
        ({"grams": np.ones((19, 2), np.float32)}, r"grams must have 19 rows of 3 numbers, got the shape \(19, 2\)"),
        ({"grams": np.ones((19, 3), np.float16)}, "tensor grams must be F32"),
        ({"grams": np.ones(19, np.float32)}, "tensor grams must be F32 with 2 dimension"),
        ({"own": ONES}, r"own must have the shape of input, \(4, 3\), beside grams, got \(1, 3\)"),
        ({"gram_buckets": np.arange(18)}, "grams must have 18 rows"),
        ({"gram_buckets": np.arange(19) - 1}, "gram_buckets must be from 0 to 999, got -1 to 17"),
        ({"gram_buckets": np.arange(982, 1001)}, "gram_buckets must be from 0 to 999, got 982 to 1000"),
        ({"gram_buckets": np.array([5, 2**62, -(2**62)] + [7] * 16)}, "gram_buckets must be from 0 to 999"),
        ({"gram_buckets": np.array([*range(18), 3])}, "gram_buckets must stand once, got 3 twice"),
        ({"gram_buckets": np.zeros(19, np.int32)}, "tensor gram_buckets must be I64"),
        ({"gram_kind": np.array([3, 6])}, "gram_kind must be two lengths up to 64 and a number of buckets"),
        ({"gram_kind": np.array([0, 6, 1000])}, "gram_kind must be two lengths up to 64"),
        ({"gram_kind": np.array([6, 3, 1000])}, "gram_kind must be two lengths up to 64"),
        ({"gram_kind": np.array([3, 65, 1000])}, "gram_kind must be two lengths up to 64"),
        ({"gram_kind": np.array([3, 6, 0])}, "gram_kind must be two lengths up to 64"),
        ({"gram_kind": np.array([3, 6, 2**31])}, "gram_kind must be two lengths up to 64"),
        ({"gram_kind": np.array([3, 6, -(2**63)])}, "gram_kind must be two lengths up to 64"),
    ],
)
def test_n_grams_at_odds_with_themselves_are_told(tmp_path, subwords, change, sentence):
    assert subwords.gram_rows.shape == (19, 3)
    rewrite(tmp_path / "subwords.safetensors", change)
    with pytest.raises(BadFile, match=sentence):
        read_model(tmp_path / "subwords.safetensors")


def test_a_huge_number_of_buckets_takes_no_memory(tmp_path, subwords):
    rewrite(tmp_path / "subwords.safetensors", {"gram_kind": np.array([3, 6, 2**31 - 1])})
    tracemalloc.start()
    read = WordVectors.load(tmp_path / "subwords.safetensors")
    with suppress(FirthError):
        read.vector("theü")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8_000_000


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        (
            lambda grams, buckets, kind: (grams[:1], buckets[:1], kind),
            BadOption,
            "and the weights have 1 rows",
        ),
        (lambda grams, buckets, kind: (grams, buckets[::-1].copy(), kind), BadFile, "n-grams in another order than"),
        (lambda grams, buckets, kind: (grams, buckets, np.add(kind, [0, 0, 1])), BadFile, "do not agree; write"),
    ],
)
def test_a_model_with_rows_of_other_n_grams_is_not_trained_on(tmp_path, change, error, sentence):
    """Training would write beyond the rows that there are."""
    sentences = [["these", "words", "there"], ["those", "words"]] * 50
    model = Word2Vec(subwords=True, bucket=500, vector_size=3, min_count=1, workers=1, epochs=1).fit(sentences)
    model.save(tmp_path / "m.safetensors")
    names = ("grams", "gram_buckets", "gram_kind")
    found = load_file(tmp_path / "m.safetensors")
    changed = change(*(found[name] for name in names))
    rewrite(tmp_path / "m.safetensors", dict(zip(names, changed, strict=True)))
    with pytest.raises(error, match=sentence):
        Word2Vec.load(tmp_path / "m.safetensors").fit(sentences, resume=True)


@given(st.binary(max_size=200))
@example(b"")
@example(b"\xff" * 8)
@example(b"\x02" + b"\0" * 7 + b"{}")
@example(b"\x80\x04]\x94.")
@SAME_FOLDER
def test_garbage_gives_no_other_error(tmp_path, data):
    (tmp_path / "m").write_bytes(data)
    with pytest.raises(BadFile):
        read_model(tmp_path / "m")


@given(st.integers(0, 1 << 20), st.integers(0, 255))
@SAME_FOLDER
def test_a_changed_byte_gives_no_other_error(tmp_path, place, byte):
    write_model(tmp_path / "m", some_model())
    data = bytearray((tmp_path / "m").read_bytes())
    data[place % len(data)] = byte
    (tmp_path / "m").write_bytes(data)
    with suppress(FirthError):
        assert len(read_model(tmp_path / "m").words) == len(WORDS)


@given(st.integers(0, 1 << 20), st.integers(0, 255))
@SAME_FOLDER
def test_a_changed_byte_of_a_model_with_n_grams_gives_no_other_error(tmp_path, place, byte):
    vectors, own = subword_vectors(dict.fromkeys(WORDS, 3), D=3)
    write_model(tmp_path / "m", StoredModel.of_vectors(vectors, own=own))
    data = bytearray((tmp_path / "m").read_bytes())
    data[place % len(data)] = byte
    (tmp_path / "m").write_bytes(data)
    with suppress(FirthError):
        read = WordVectors.load(tmp_path / "m")
        read.most_similar("theü")


@pytest.mark.parametrize(
    ("others", "sentence"),
    [
        ({"output": matrix(4, 2)}, "output must have the shape of input"),
        ({"counts": np.ones(3, np.int64)}, "counts must have 4 items"),
        ({"counts": np.ones(4)}, "counts must be int64"),
        ({"metadata": {"format": "pt"}}, "metadata 'format' must be a string under a name other than"),
        ({"metadata": {"size": 3}}, "metadata 'size' must be a string"),
        ({"options": {"a": object()}}, "must hold what JSON can"),
    ],
)
def test_a_model_that_does_not_fit_is_not_written(tmp_path, others, sentence):
    with pytest.raises(BadOption, match=sentence):
        write_model(tmp_path / "m", some_model(**others))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_model(path, monkeypatch):
    def full(file, tensor, kind):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(model, "write_blocks", full)
    with pytest.raises(CannotWrite, match="free some space"):
        write_model(path, some_model(options={"epochs": 6}))
    assert read_model(path).options == {"epochs": 5}
    assert len(list(path.parent.iterdir())) == 1


def test_vectors_of_a_model_keep_words_and_counts(path):
    vectors = WordVectors.load(path)
    assert list(vectors) == WORDS
    assert vectors.counts.tolist() == [9, 5, 5, 1]
    np.testing.assert_array_equal(vectors["über"], matrix()[1])
    assert not vectors.matrix.flags.owndata
