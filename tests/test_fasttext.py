"""fastText's models: words, n-grams, and vectors of words never seen."""

import gzip
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stand_ins import fasttext_bytes

from firth import WordVectors
from firth.errors import BadFile, BadOption, UnknownWord
from firth.formats import fasttext
from firth.formats.fasttext import SubwordVectors, read_fasttext

SAME_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
COUNTS = {"</s>": 9, "the": 7, "über": 5, "漢字漢": 2, "a": 1}


def grams_of(word, shortest, longest):
    """The n-grams of a word, by the words of the paper; the < and > around it alone are none."""
    letters = f"<{word}>"
    for start in range(len(letters)):
        for stop in range(start + shortest, min(start + longest, len(letters)) + 1):
            if stop - start > 1 or 0 < start < len(letters) - 1:
                yield letters[start:stop]


def bucket_of(gram, buckets):
    hashed = 2166136261
    for byte in gram.encode():
        hashed = ((hashed ^ (byte if byte < 128 else byte | 0xFFFFFF00)) * 16777619) % 2**32
    return hashed % buckets


def mean_of(word, row, matrix, V, shortest, longest):
    """The vector of a word as the paper says: its row, and those of its n-grams."""
    buckets = len(matrix) - V
    rows = [] if row is None else [row]
    if word != "</s>" or row is None:
        rows += [V + bucket_of(gram, buckets) for gram in grams_of(word, shortest, longest)]
    return np.mean(matrix[rows].astype(np.float64), axis=0) if rows else None


@given(
    words=st.lists(st.text("aéñ漢🙂<>", min_size=1, max_size=6), unique=True, min_size=1, max_size=4),
    unseen=st.text("aé漢b", max_size=6),
    shortest=st.integers(1, 4),
    longest=st.integers(0, 6),
    buckets=st.integers(1, 50),
)
@SAME_FOLDER
def test_vectors_are_means_of_rows_and_n_grams(tmp_path, words, unseen, shortest, longest, buckets):
    matrix = np.random.default_rng(0).standard_normal((len(words) + buckets, 3), dtype=np.float32)
    data = fasttext_bytes(dict.fromkeys(words, 1), 3, buckets, shortest, longest, matrix=matrix)
    (tmp_path / "m.bin").write_bytes(data)
    vectors = read_fasttext(tmp_path / "m.bin")
    assert vectors.words == tuple(words)
    for row, word in enumerate(words):
        expected = mean_of(word, row, matrix, len(words), shortest, longest)
        np.testing.assert_allclose(vectors[word], expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(vectors.vector(word), vectors[word])
    if unseen in words:
        return
    expected = mean_of(unseen, None, matrix, len(words), shortest, longest)
    if expected is None:
        with pytest.raises(UnknownWord, match="it was not seen, and"):
            vectors.vector(unseen)
    else:
        np.testing.assert_allclose(vectors.vector(unseen), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["m.bin", "m.bin.gz"])
def test_words_counts_and_labels(tmp_path, name):
    data = fasttext_bytes(COUNTS, labels=["__label__x"])
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    vectors = WordVectors.load(tmp_path / name)
    assert isinstance(vectors, SubwordVectors)
    assert vectors.words == tuple(COUNTS)
    assert vectors.counts.tolist() == [*COUNTS.values()]
    assert vectors.vector("unseen").shape == (4,)
    assert read_fasttext(tmp_path / name, limit=2).words == ("</s>", "the")
    assert len(vectors.most_similar(vectors.vector("unseen"), topn=2)) == 2


@pytest.mark.parametrize("warmed", [False, True])
def test_queries_by_nearness_take_words_never_seen(tmp_path, warmed):
    (tmp_path / "m.bin").write_bytes(fasttext_bytes(COUNTS))
    vectors = WordVectors.load(tmp_path / "m.bin")
    if warmed:
        assert len(vectors.norms) == len(COUNTS)
    unseen = vectors.vector("unseen")
    nearest = vectors.most_similar(unseen, topn=3)
    assert vectors.most_similar("unseen", topn=3) == nearest
    by_hand = dict(vectors.most_similar([unseen, vectors["the"]], topn=9))
    assert by_hand.pop("the") > 0
    assert dict(vectors.most_similar(["unseen", "the"], topn=9)) == pytest.approx(by_hand, abs=1e-6)
    assert vectors.similarity("unseen", "the") == vectors.similarity(unseen, "the")
    assert vectors.compare("unseen", "the") == vectors.compare(unseen, "the")
    for method in ("add", "mul"):
        asked, by_hand = (vectors.analogy(a, "the", "</s>", method=method) for a in ("unseen", unseen))
        assert asked == by_hand
    batch = vectors.most_similar_batch(["unseen", "the"] * 3, topn=3)
    assert [word for word, _ in batch[0]] == [word for word, _ in nearest]
    assert "the" not in dict(batch[1])


def test_words_never_seen_have_no_row(tmp_path):
    (tmp_path / "m.bin").write_bytes(fasttext_bytes(COUNTS))
    vectors = WordVectors.load(tmp_path / "m.bin")
    assert "unseen" not in vectors
    for ask in (lambda: vectors["unseen"], lambda: vectors.index("unseen"), lambda: vectors.rank("unseen", "the")):
        with pytest.raises(UnknownWord, match=r"'unseen'; .*; by its n-grams, vector\(word\) may give one"):
            ask()


def test_the_end_of_a_sentence_has_no_n_grams(tmp_path):
    matrix = np.arange(40, dtype=np.float32).reshape(10, 4)
    (tmp_path / "m.bin").write_bytes(fasttext_bytes(COUNTS, matrix=matrix))
    np.testing.assert_array_equal(read_fasttext(tmp_path / "m.bin")["</s>"], matrix[0])


def test_a_model_is_not_read_before_a_word_asks_for_it(tmp_path):
    """Only the rows of words stand in memory; those of n-grams stay in the file."""
    (tmp_path / "m.bin").write_bytes(fasttext_bytes(COUNTS))
    vectors = read_fasttext(tmp_path / "m.bin")
    base = vectors._buckets
    while isinstance(base, np.ndarray):
        base = base.base
    assert type(base).__name__ == "mmap"


def test_many_words_are_read_in_blocks(tmp_path, monkeypatch):
    counts = {f"w{number}": 1 for number in range(50)}
    (tmp_path / "m.bin").write_bytes(fasttext_bytes(counts))
    whole = read_fasttext(tmp_path / "m.bin")
    monkeypatch.setattr(fasttext, "WORDS_EACH", 7)
    monkeypatch.setattr(fasttext, "READ_BYTES", 16)
    np.testing.assert_array_equal(read_fasttext(tmp_path / "m.bin").matrix, whole.matrix)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"version": 11}, "of fastText's version 11, only 12 is read"),
        ({"quantised": True}, r"quantised model \(\.ftz\), which is not read; take the \.bin"),
        ({"pruned": 3}, r"pruned, quantised model \(\.ftz\)"),
        ({"longest": 65}, "n-grams must have 0 to 64 characters, got 65"),
        ({"matrix": np.ones((3, 4), np.float32)}, "a matrix of 10 rows of 4 numbers should follow the words, got 3"),
    ],
)
def test_models_that_are_not_read_say_why(tmp_path, change, sentence):
    (tmp_path / "m.bin").write_bytes(fasttext_bytes(COUNTS, **change))
    with pytest.raises(BadFile, match=sentence):
        WordVectors.load(tmp_path / "m.bin")


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.6])
@pytest.mark.parametrize("packed", [False, True])
def test_a_model_cut_short_is_told(tmp_path, share, packed):
    data = fasttext_bytes(COUNTS)
    data = data[: int(share * len(data))]
    path = tmp_path / ("m.bin.gz" if packed else "m.bin")
    path.write_bytes(gzip.compress(data) if packed else data)
    with pytest.raises(BadFile, match="cut short"):
        WordVectors.load(path)


def test_sizes_that_lie_are_told_before_memory_is_taken(tmp_path):
    data = bytearray(fasttext_bytes(COUNTS))
    struct.pack_into("<3i", data, 64, 2**31 - 1, 2**31 - 1, 0)
    (tmp_path / "m.bin").write_bytes(data)
    with pytest.raises(BadFile, match="2147483647 words of 4 numbers need"):
        WordVectors.load(tmp_path / "m.bin")


def test_buckets_must_fit_the_vectors():
    with pytest.raises(BadOption, match="buckets must be rows of 2 numbers"):
        SubwordVectors(["a"], np.ones((1, 2)), buckets=np.ones((3, 4), np.float32), shortest=3, longest=6)
