"""fastText's models: words, n-grams, and vectors of words never seen."""

import gzip
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stand_ins import fasttext_bytes, subword_vectors

from firth import Word2Vec, WordVectors
from firth.errors import BadFile, BadOption, UnknownWord
from firth.formats import convert, fasttext, read_vectors, write_vectors
from firth.formats.fasttext import read_fasttext
from firth.formats.model import StoredModel, gram_tensors, read_model, write_model
from firth.ngrams import NGrams, buckets_of
from firth.vectors import SubwordVectors

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
    base = vectors.gram_rows
    while isinstance(base, np.ndarray):
        base = base.base
    assert type(base).__name__ == "mmap"


def test_many_words_are_read_in_blocks(tmp_path, monkeypatch):
    counts = {f"w{number}": 1 for number in range(50)}
    (tmp_path / "m.bin").write_bytes(fasttext_bytes(counts))
    whole = read_fasttext(tmp_path / "m.bin")
    monkeypatch.setattr(fasttext, "ROWS_EACH", 7)
    monkeypatch.setattr(fasttext, "READ_BYTES", 16)
    np.testing.assert_array_equal(read_fasttext(tmp_path / "m.bin").matrix, whole.matrix)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"version": 11}, "of fastText's version 11, only 12 is read"),
        ({"quantised": True}, r"quantised model \(\.ftz\), which is not read; take the \.bin"),
        ({"pruned": 3}, r"pruned, quantised model \(\.ftz\)"),
        ({"longest": 65}, "n-grams must have 0 to 64 characters, got 65"),
        ({"buckets": -1, "matrix": np.ones((4, 4), np.float32)}, "buckets must be 0 or more, got -1"),
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
    kind = NGrams(3, 6, buckets=3)
    twice = np.array([2, 0, 2])
    for rows, buckets, sentence in [
        (np.ones((3, 2)), twice, "buckets must stand once, got 2 twice"),
        (np.ones((3, 4)), None, "gram_rows must be rows of 2 numbers"),
        (np.ones((2, 2)), None, "gram_rows must have a row for each of 3 buckets, got 2"),
        (np.ones((2, 2)), np.array([0]), "gram_rows must have a row for each of 1 buckets, got 2"),
        (np.ones((2, 2)), np.array([0, 3]), "buckets must be from 0 to 2, got 0 to 3"),
    ]:
        with pytest.raises(BadOption, match=sentence):
            SubwordVectors(["a"], np.ones((1, 2)), gram_rows=rows.astype(np.float32), kind=kind, buckets=buckets)
    with pytest.raises(BadOption, match="gram_rows must be float32, got float16"):
        SubwordVectors(["a"], np.ones((1, 2)), gram_rows=np.ones((3, 2), np.float16), kind=kind)


# ---- written ----------------------------------------------------------------------------------------


def nearly(found, expected):
    """To the last two bits, or what float32 holds beside the largest number."""
    np.testing.assert_allclose(found, expected, rtol=3e-7, atol=1e-6 * np.abs(expected).max(initial=0))


@pytest.mark.parametrize("options", [{}, {"shortest": 1, "longest": 2}, {"buckets": 1}, {"buckets": 0, "longest": 0}])
def test_every_byte_is_fasttext_s(tmp_path, options):
    """Vectors read from a file of fastText's give that file again, but for the last bits of the words' own rows."""
    V, D, buckets = len(COUNTS), 4, options.get("buckets", 5)
    data = fasttext_bytes(COUNTS, **options)
    (tmp_path / "m.bin").write_bytes(data)
    write_vectors(read_fasttext(tmp_path / "m.bin"), tmp_path / "n.bin", "fasttext")
    written = (tmp_path / "n.bin").read_bytes()
    assert len(written) == len(data)
    stop = len(data) - 17 - 4 * V * D - 4 * buckets * D  # of the words' rows
    start = stop - 4 * V * D
    assert (written[start - 17 : start], written[stop:]) == (data[start - 17 : start], data[stop:])
    assert written[: start - 17] == data[: start - 17]
    nearly(np.frombuffer(written[start:stop], "<f4"), np.frombuffer(data[start:stop], "<f4"))


def test_the_header_is_what_fasttext_asks_for(tmp_path):
    write_vectors(WordVectors(["a", "bé"], np.ones((2, 3)), np.array([7, 2])), tmp_path / "m.bin", "fasttext")
    data = (tmp_path / "m.bin").read_bytes()
    assert struct.unpack_from("<2i12id3i2q", data) == (
        *(793712314, 12),
        *(3, 5, 5, 1, 5, 1, 2, 2, 0, 0, 0, 100, 1e-4),
        *(2, 2, 0, 9, -1),
    )
    entries = b"a\0" + struct.pack("<qb", 7, 0) + "bé\0".encode() + struct.pack("<qb", 2, 0)
    matrix = struct.pack("<?2q6f", False, 2, 3, *[1.0] * 6)
    assert data[92:] == entries + matrix + struct.pack("<?2q6f", False, 2, 3, *[0.0] * 6)


@given(
    words=st.lists(st.text("aéñ漢🙂<>", min_size=1, max_size=6), unique=True, min_size=1, max_size=6),
    shortest=st.integers(1, 4),
    more=st.integers(0, 4),
    buckets=st.integers(1, 200),
)
@SAME_FOLDER
def test_words_have_the_same_vectors_there_and_others_the_same_directions(tmp_path, words, shortest, more, buckets):
    counts = dict.fromkeys(["</s>", *words], 1)
    vectors, _ = subword_vectors(counts, shortest=shortest, longest=shortest + more, buckets=buckets)
    write_vectors(vectors, tmp_path / "m.bin", "fasttext")
    read = read_fasttext(tmp_path / "m.bin")
    assert (read.words, read.kind) == (vectors.words, vectors.kind)
    assert len(read.gram_rows) == buckets
    for row, bucket in zip(vectors.gram_rows, vectors.buckets.tolist(), strict=True):
        np.testing.assert_array_equal(read.gram_rows[bucket], row)
    nearly(read.matrix, vectors.matrix)
    for word in ("aéñ漢", words[0] + "a"):
        if word in vectors or not len(buckets_of([word.encode()], vectors.kind)[1]):
            continue
        known = vectors.gram_rows_of(buckets_of([word.encode()], vectors.kind)[1]) >= 0
        if known.any():
            np.testing.assert_allclose(read.vector(word), vectors.vector(word) * known.mean(), rtol=1e-5, atol=1e-6)
        else:
            assert not read.vector(word).any()


def test_words_added_have_their_vectors_there_too_whatever_n_grams_they_have(tmp_path):
    """Of whose n-grams no row is known, which fastText counts all the same."""
    vectors, _ = subword_vectors(COUNTS)
    more = vectors.added(["unheard-of", "theory"], np.array([[1, 2, 3, 4], [5, 6, 7, 8]]), np.array([1, 1]))
    write_vectors(more.renamed({"the": "them"}), tmp_path / "m.bin", "fasttext")
    read = read_fasttext(tmp_path / "m.bin")
    assert read.words == ("</s>", "them", "über", "漢字漢", "a", "unheard-of", "theory")
    nearly(read.matrix, more.matrix)


def test_narrow_rows_are_written_as_the_numbers_that_they_stand_for(tmp_path):
    vectors, _ = subword_vectors(COUNTS)
    write_vectors(vectors.astype("int8"), tmp_path / "m.bin", "fasttext")
    nearly(read_fasttext(tmp_path / "m.bin").matrix, vectors.astype("int8").matrix)


@pytest.mark.parametrize("sorted_buckets", [True, False])
def test_files_are_written_in_blocks(tmp_path, monkeypatch, sorted_buckets):
    vectors, _ = subword_vectors({f"w{number}": 1 for number in range(50)}, buckets=300)
    if sorted_buckets:
        order = np.argsort(vectors.buckets)
        rows, buckets = vectors.gram_rows[order], vectors.buckets[order]
        vectors = SubwordVectors(
            vectors.words, vectors.matrix, vectors.counts, gram_rows=rows, kind=vectors.kind, buckets=buckets
        )
    write_vectors(vectors, tmp_path / "m.bin", "fasttext")
    monkeypatch.setattr(fasttext, "ROWS_EACH", 7)
    write_vectors(vectors, tmp_path / "n.bin.gz", "fasttext")
    assert gzip.decompress((tmp_path / "n.bin.gz").read_bytes()) == (tmp_path / "m.bin").read_bytes()


def test_zeros_of_all_buckets_are_never_in_memory_at_once(tmp_path):
    vectors, _ = subword_vectors(COUNTS, D=20, buckets=400_000)
    write_vectors(vectors, tmp_path / "m.bin", "fasttext")  # what is loaded once is
    tracemalloc.start()
    write_vectors(vectors, tmp_path / "m.bin", "fasttext")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "m.bin").stat().st_size > 32_000_000
    assert most < 4_000_000


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "fastText reads no model without words"),
        (["a\0b"], r"hold no line break or zero in fastText's format, got 'a\\x00b'"),
        (["a\nb"], "hold no line break or zero"),
        (["é" * 40_000], "must be shorter than 65536 bytes"),
    ],
)
def test_what_cannot_be_read_again_is_not_written(tmp_path, words, sentence):
    with pytest.raises(BadOption, match=sentence):
        write_vectors(WordVectors(words, np.ones((len(words), 2))), tmp_path / "m.bin", "fasttext")
    assert not list(tmp_path.iterdir())


def test_more_rows_than_fasttext_counts_are_not_written(tmp_path):
    kind, rows = NGrams(3, 6, 2**31 - 1), np.ones((1, 2), np.float32)
    vectors = SubwordVectors(["a"], np.ones((1, 2)), gram_rows=rows, kind=kind, buckets=np.array([7]))
    with pytest.raises(BadOption, match="more rows than fastText counts, 2147483647"):
        write_vectors(vectors, tmp_path / "m.bin", "fasttext")
    assert not list(tmp_path.iterdir())


def test_the_name_of_a_file_may_say_that_it_is_fasttext_s(tmp_path):
    vectors, _ = subword_vectors(COUNTS)
    vectors.save(tmp_path / "m.fasttext.bin")
    assert isinstance(WordVectors.load(tmp_path / "m.fasttext.bin"), SubwordVectors)
    vectors.save(tmp_path / "m.bin")
    assert not isinstance(WordVectors.load(tmp_path / "m.bin"), SubwordVectors)
    with pytest.raises(BadFile, match=r"m\.bin holds no n-grams; open it with WordVectors\.load"):
        SubwordVectors.load(tmp_path / "m.bin")
    with pytest.raises(BadOption, match=r"no format goes by the name of .*m\.ftz"):
        vectors.save(tmp_path / "m.ftz")


# ---- from format to format --------------------------------------------------------------------------


def trained_model(path, D=4, **options):
    """A model's file as training writes it, and its vectors and own rows."""
    vectors, own = subword_vectors(COUNTS, D)
    told = {
        "window": 3,
        "epochs": 7,
        "min_count": 2,
        "negative": 9,
        "sample": 0.5,
        "architecture": "cbow",
        "loss": "ns",
    }
    output = np.random.default_rng(9).standard_normal((len(vectors), D), dtype=np.float32)
    write_model(path, StoredModel.of_vectors(vectors, own=own, output=output, options=told | options))
    return vectors, own, output


def rows_in(path, V, buckets, D=4):
    """The words' own rows and the output matrix of a .bin file."""
    data = path.read_bytes()
    output = np.frombuffer(data[len(data) - 4 * V * D :], "<f4").reshape(V, D)
    stop = len(data) - 4 * V * D - 17 - 4 * buckets * D
    return np.frombuffer(data[stop - 4 * V * D : stop], "<f4").reshape(V, D), output


@pytest.mark.parametrize("limit", [None, 3])
def test_a_trained_model_s_own_rows_are_written_as_they_are(tmp_path, limit):
    vectors, own, output = trained_model(tmp_path / "m.safetensors")
    convert(tmp_path / "m.safetensors", tmp_path / "m.fasttext.bin", limit=limit)
    V = limit or len(vectors)
    read = read_vectors(tmp_path / "m.fasttext.bin")
    np.testing.assert_allclose(read.matrix, vectors.matrix[:V], rtol=1e-6, atol=1e-7)
    assert read.counts.tolist() == vectors.counts.tolist()[:V]
    rows, outputs = rows_in(tmp_path / "m.fasttext.bin", V, 1000)
    np.testing.assert_array_equal(rows, own[:V])
    np.testing.assert_array_equal(outputs, output[:V])
    head = struct.unpack_from("<2i12id", (tmp_path / "m.fasttext.bin").read_bytes())
    assert head[2:] == (4, 3, 7, 2, 9, 1, 2, 1, 1000, 3, 6, 100, 0.5)


@pytest.mark.parametrize("sample", [None, 10**400, "x"])
def test_options_that_fasttext_cannot_hold_are_left_at_its_own(tmp_path, sample):
    options = {"window": "all", "negative": -1, "epochs": 2**40, "sample": sample, "loss": "hs"}
    trained_model(tmp_path / "m.safetensors", **options)
    convert(tmp_path / "m.safetensors", tmp_path / "m.fasttext.bin")
    head = struct.unpack_from("<2i12id", (tmp_path / "m.fasttext.bin").read_bytes())
    assert head[2:] == (4, 5, 5, 2, 5, 1, 2, 1, 1000, 3, 6, 100, 1e-4)
    _, output = rows_in(tmp_path / "m.fasttext.bin", len(COUNTS), 1000)
    assert not output.any()  # which after "hs" is of inner nodes


@pytest.mark.parametrize("combine", ["output", "average", "concatenate"])
def test_combined_vectors_have_no_n_grams(tmp_path, combine):
    _, _, output = trained_model(tmp_path / "m.safetensors")
    convert(tmp_path / "m.safetensors", tmp_path / "m.fasttext.bin", combine=combine)
    read = read_vectors(tmp_path / "m.fasttext.bin")
    assert read.kind.buckets == 0
    if combine == "output":
        np.testing.assert_array_equal(read.matrix, output)
    with pytest.raises(UnknownWord, match="the model has no n-grams"):
        read.vector("unseen")


@pytest.mark.parametrize("way", ["firth", "hub"])
def test_n_grams_go_from_format_to_format(tmp_path, way):
    """Those of fastText's file are all there then, a row for each bucket, and give the same bits."""
    (tmp_path / "m.bin").write_bytes(fasttext_bytes(COUNTS, buckets=50))
    vectors = read_vectors(tmp_path / "m.bin")
    convert(tmp_path / "m.bin", tmp_path / "there", target_format=way)
    read = read_vectors(tmp_path / "there")
    assert isinstance(read, SubwordVectors)
    assert read.buckets.tolist() == list(range(50))
    convert(tmp_path / "there", tmp_path / "back.bin", target_format="fasttext")
    back = read_vectors(tmp_path / "back.bin")
    for word in ("unseen", "überall", "the"):
        assert read.vector(word).tobytes() == vectors.vector(word).tobytes()
        nearly(back.vector(word), vectors.vector(word))
    convert(tmp_path / "m.bin", tmp_path / "few", target_format=way, limit=2)
    few = read_vectors(tmp_path / "few")
    assert few.words == ("</s>", "the")
    assert few.vector("unseen").tobytes() == vectors.vector("unseen").tobytes()
    with pytest.raises(BadOption, match="holds numbers of float32, got 'float16'"):
        convert(tmp_path / "m.bin", tmp_path / "half", target_format=way, dtype="float16")


def test_a_file_of_two_million_buckets_is_converted_where_it_lies(tmp_path):
    """Block by block: its n-grams take a gigabyte, were they of a size that is used."""
    buckets, D = 2_000_000, 2
    (tmp_path / "m.bin").write_bytes(fasttext_bytes(COUNTS, D, buckets))
    tracemalloc.start()
    convert(tmp_path / "m.bin", tmp_path / "m.safetensors")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 80_000_000  # buckets' numbers, checked and sorted; rows go through a buffer
    stored = read_model(tmp_path / "m.safetensors")
    assert stored.gram_buckets.tolist() == list(range(buckets))
    read, vectors = (read_vectors(tmp_path / name) for name in ("m.safetensors", "m.bin"))
    assert read.vector("unseen").tobytes() == vectors.vector("unseen").tobytes()
    np.testing.assert_array_equal(read.gram_rows[-1], vectors.gram_rows[-1])


def test_a_file_that_asks_for_n_grams_longer_than_the_longest_has_none(tmp_path):
    (tmp_path / "m.bin").write_bytes(fasttext_bytes(COUNTS, shortest=5, longest=4))
    read = read_vectors(tmp_path / "m.bin")
    assert gram_tensors(read) == {}
    convert(tmp_path / "m.bin", tmp_path / "m.safetensors")
    assert read_vectors(tmp_path / "m.safetensors").words == read.words


def test_a_model_trained_here_goes_there_and_back(tmp_path):
    sentences = [["the", "cats", "sat", "on", "the", "mats"], ["a", "cat", "sat", "there", "on", "a", "mat"]] * 50
    model = Word2Vec(subwords=True, min_n=2, max_n=4, bucket=500, vector_size=8, min_count=1, workers=1).fit(sentences)
    model.save(tmp_path / "m.safetensors")
    convert(tmp_path / "m.safetensors", tmp_path / "m.fasttext.bin")
    convert(tmp_path / "m.fasttext.bin", tmp_path / "back.safetensors")
    back = WordVectors.load(tmp_path / "back.safetensors")
    assert back.matrix.tobytes() == model.vectors.matrix.tobytes()
    for word in ("catty", "sits", "cats"):
        assert back.similarity(word, "mat") == pytest.approx(model.vectors.similarity(word, "mat"), abs=1e-6)


def test_the_word_for_unknown_ones_keeps_its_vector_though_it_has_n_grams_there(tmp_path):
    text = [["the", "cats", "sat", "on", "the", "mats"], ["the", "dog", "sat", "there"]] * 20 + [["rare", "the"]]
    model = Word2Vec(subwords=True, unknown="<unk>", bucket=50, vector_size=4, min_count=2, workers=1).fit(text)
    assert "<unk>" in model.vectors
    model.save(tmp_path / "m.safetensors")
    convert(tmp_path / "m.safetensors", tmp_path / "m.fasttext.bin")
    read = read_vectors(tmp_path / "m.fasttext.bin")
    assert read.words == model.vectors.words
    nearly(read.matrix, model.vectors.matrix)
