"""What holds for every format: there and back, recognition, limits, types of number, and files that are not sound."""

import errno
import gzip
import os
import zipfile
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from measured_reader import MeasuredReader
from stand_ins import FailingDisk, fasttext_bytes, subword_vectors

from firth import storage
from firth.errors import BadFile, BadOption, CannotRead, CannotWrite, FirthError, MissingFile
from firth.formats import (
    FORMATS,
    convert,
    named,
    read_vectors,
    recognised,
    write_vectors,
)
from firth.formats.model import StoredModel, read_model, write_model
from firth.vectors import WordVectors

SAME_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
FUZZED = settings(SAME_FOLDER, max_examples=int(os.environ.get("FIRTH_FUZZ_EXAMPLES", "25")))
WORDS = ["the", "über", "漢字", "🙂", '"', "a'b", "\\", "NULL", "nan", "1.5", "#", ",", "\ufeffx", "zero"]
COUNTED = {"firth", "fasttext", "safetensors", "npz", "arrow", "parquet", "tensorboard", "hub"}
NEARLY = {"finalfusion"}  # it keeps unit vectors and lengths
READ = [each for each in FORMATS if each.read]
WITH_N_GRAMS = {"firth with n-grams": "firth", "hub with n-grams": "hub"}  # kinds of file that are damaged, too
DAMAGED = [each.name for each in READ] + list(WITH_N_GRAMS)
WRITTEN = [each for each in READ if each.write]
PACKED = [each for each in WRITTEN if each.packed]
NARROWED = [each.name for each in READ if "float16" in each.dtypes]
FOLDERS = [each.name for each in FORMATS if each.recognises_folder]
WORDS_NEEDED = {"glove", "tensorboard", "fasttext"}  # with no row, nothing says how long rows are; fastText refuses it
MAPPED = {"firth", "fasttext", "safetensors", "word2vec-binary", "arrow"}  # where the disk fails then, the process ends
MOST_MEMORY = 96 << 20  # for files of a few kilobytes; what is read at once takes up to 32


def some_vectors(D=5, counts=True):
    matrix = np.random.default_rng(0).standard_normal((len(WORDS), 2 * D), dtype=np.float32)[:, ::2] * 1e-3
    matrix[-1] = 0
    matrix[0, :4] = [-0.0, np.finfo(np.float32).tiny / 8, 3.0e18, 1 / 3]
    return WordVectors(WORDS, matrix, np.arange(len(WORDS))[::-1].copy() if counts else None)


def names():
    return [
        (each.name, "v" + suffix + packed)
        for each in WRITTEN
        for suffix in (each.suffixes or ("",))
        for packed in ("", ".gz")
        if each.packed or not packed
    ]


def same(kind, read, written):
    assert read.words == written.words
    if kind in NEARLY:
        np.testing.assert_allclose(read.matrix, written.matrix, rtol=3e-7, atol=1e-12)
    else:
        assert read.matrix.tobytes() == np.ascontiguousarray(written.matrix).tobytes()
    if kind in COUNTED:
        assert read.counts.tolist() == written.counts.tolist()


# ---- there and back -------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "name"), names())
def test_vectors_come_back_bit_by_bit(tmp_path, kind, name):
    vectors = some_vectors()
    write_vectors(vectors, tmp_path / name, kind)
    same(kind, read_vectors(tmp_path / name, kind), vectors)


@pytest.mark.parametrize("kind", [each.name for each in WRITTEN])
def test_each_format_is_known_by_what_is_in_it(tmp_path, kind):
    for name in ("plain", "v.bin", "v.txt"):
        write_vectors(some_vectors(), tmp_path / name, kind)
        assert recognised(tmp_path / name).name == kind
        same(kind, read_vectors(tmp_path / name), some_vectors())


@pytest.mark.parametrize("kind", [each.name for each in WRITTEN if each.name not in WORDS_NEEDED])
def test_a_file_of_no_words_is_known_by_what_is_in_it_too(tmp_path, kind):
    write_vectors(WordVectors([], np.empty((0, 100), np.float32)), tmp_path / "plain", kind)
    assert len(read_vectors(tmp_path / "plain")) == 0
    assert read_vectors(tmp_path / "plain").vector_size == 100
    if kind.startswith("word2vec"):  # which are the same then
        write_vectors(WordVectors([], np.empty((0, 100), np.float32)), tmp_path / "v.bin", kind)
        assert recognised(tmp_path / "v.bin").name == "word2vec-binary"
        assert recognised(tmp_path / "plain").name == "word2vec-text"


def test_a_header_that_tells_of_words_is_no_file_without(tmp_path):
    for text in ("1 100\n", "0 100\nthe cat sat\n", "0 100"):
        (tmp_path / "plain").write_text(text)
        with pytest.raises(BadFile, match="of no known format"):
            recognised(tmp_path / "plain")


@pytest.mark.parametrize("each", [each for each in WRITTEN if each.suffixes], ids=lambda each: each.name)
def test_each_format_is_written_by_its_suffix(tmp_path, each):
    write_vectors(some_vectors(), tmp_path / f"v{each.suffixes[-1]}")
    named = "firth" if each.name == "safetensors" else each.name
    assert recognised(tmp_path / f"v{each.suffixes[-1]}").name == named


@pytest.mark.parametrize("kind", [each.name for each in WRITTEN])
def test_the_same_vectors_give_the_same_bytes(tmp_path, kind):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_vectors(some_vectors(), tmp_path / name / "v", kind)
    one, two = (
        {
            each.relative_to(tmp_path / name): each.read_bytes()
            for each in (tmp_path / name).rglob("*")
            if each.is_file()
        }
        for name in ("one", "two")
    )
    assert one == two


@pytest.mark.parametrize("kind", [each.name for each in WRITTEN])
@given(words=st.lists(st.text("aé漢🙂_-", min_size=1, max_size=4), unique=True, max_size=6), D=st.integers(1, 3))
@settings(SAME_FOLDER, max_examples=15)
def test_any_number_of_words_comes_back(tmp_path, kind, words, D):
    if kind in WORDS_NEEDED and not words:
        return
    vectors = WordVectors(words, np.ones((len(words), D), np.float32), np.ones(len(words), np.int64))
    write_vectors(vectors, tmp_path / "v", kind)
    same(kind, read_vectors(tmp_path / "v", kind), vectors)


@pytest.mark.parametrize("kind", [each.name for each in WRITTEN])
@pytest.mark.parametrize("limit", [0, 3, 99])
def test_only_so_many_words_are_read(tmp_path, kind, limit):
    write_vectors(some_vectors(), tmp_path / "v", kind)
    read = read_vectors(tmp_path / "v", kind, limit=limit)
    whole = read_vectors(tmp_path / "v", kind)
    assert read.words == tuple(WORDS[:limit])
    assert read.matrix.tobytes() == np.ascontiguousarray(whole.matrix[:limit]).tobytes()
    assert read.counts is None or len(read.counts) == len(read)


@pytest.mark.parametrize(
    "kind", [each.name for each in WRITTEN if each.name not in FOLDERS and each.name not in MAPPED]
)
@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("sound", [0, 50_000, 100_000])
def test_a_disk_that_fails_is_told_with_the_files_name(tmp_path, monkeypatch, kind, named, sound):
    matrix = np.random.default_rng(0).standard_normal((9, 5000), dtype=np.float32)
    write_vectors(WordVectors(WORDS[:9], matrix), tmp_path / "v", kind)
    monkeypatch.setattr(
        storage, "watched", lambda file, name, watch=storage.watched: watch(FailingDisk(file, sound), name)
    )
    with pytest.raises(CannotRead, match=r"reading .*v failed: input/output error; try again") as told:
        read_vectors(tmp_path / "v", kind if named else None)
    assert told.value.__cause__.errno == errno.EIO


@pytest.mark.parametrize("kind", NARROWED)
@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_numbers_may_be_written_narrower_or_wider(tmp_path, kind, dtype):
    matrix = np.random.default_rng(0).standard_normal((3, 4), dtype=np.float32)
    write_vectors(WordVectors(["a", "b", "c"], matrix), tmp_path / "v", kind, dtype=dtype)
    read = read_vectors(tmp_path / "v", kind).matrix
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, matrix.astype(dtype).astype(np.float32))


@pytest.mark.parametrize("kind", NARROWED)
def test_a_number_too_large_for_its_type_is_told(tmp_path, kind):
    vectors = WordVectors(["a"], np.full((1, 2), 1e6, np.float32))
    with pytest.raises(BadOption, match="too large for float16"):
        write_vectors(vectors, tmp_path / "v", kind, dtype="float16")
    assert list(tmp_path.iterdir()) == []


def test_a_format_that_cannot_hold_a_type_says_so(tmp_path):
    with pytest.raises(BadOption, match="word2vec-binary holds numbers of float32, got 'float16'"):
        write_vectors(some_vectors(), tmp_path / "v.bin", dtype="float16")


@pytest.mark.parametrize("kind", ["word2vec-text", "word2vec-binary", "glove", "fasttext", "tensorboard"])
def test_bytes_that_are_no_utf8_are_written_as_they_were_read(tmp_path, kind):
    vectors = WordVectors(["caf\udce9", "b"], np.ones((2, 2), np.float32))
    write_vectors(vectors, tmp_path / "v", kind)
    place = tmp_path / "v" / "metadata.tsv" if kind == "tensorboard" else tmp_path / "v"
    assert b"caf\xe9" in place.read_bytes()
    with pytest.raises(BadFile, match="surrogateescape"):
        read_vectors(tmp_path / "v", kind)
    assert read_vectors(tmp_path / "v", kind, encoding_errors="surrogateescape").words == vectors.words


@pytest.mark.parametrize(
    "kind", sorted({each.name for each in WRITTEN} - {each.name for each in PACKED} - {"tensorboard"})
)
def test_bytes_that_are_no_utf8_are_refused_where_the_format_asks_for_it(tmp_path, kind):
    with pytest.raises(BadOption, match="UTF-8"):
        write_vectors(WordVectors(["caf\udce9"], np.ones((1, 2), np.float32)), tmp_path / "v", kind)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [each.name for each in WRITTEN])
def test_vectors_with_nan_are_told_when_they_are_read(tmp_path, kind):
    bad = WordVectors(["a", "b"], np.array([[1, 2], [3, np.nan]], np.float32), check=False)
    if kind == "finalfusion":  # whose lengths need the norms
        with pytest.raises(BadFile, match=r"that of 'b' \(row 1\) is not"):
            write_vectors(bad, tmp_path / "v", kind)
        return
    write_vectors(bad, tmp_path / "v", kind)
    with pytest.raises(BadFile, match=r"that of 'b' \(row 1\) is not"):
        _ = read_vectors(tmp_path / "v", kind).norms


# ---- converting -----------------------------------------------------------------------------------


def test_a_model_keeps_all_that_is_known_of_it_between_file_and_hub_folder(tmp_path):
    stored = StoredModel.of(["a", "b"], np.ones((2, 3), np.float32), options={"epochs": 5}, state={"epoch": 5})
    write_model(tmp_path / "m.safetensors", stored)
    convert(tmp_path / "m.safetensors", tmp_path / "out", target_format="hub")
    convert(tmp_path / "out", tmp_path / "back.safetensors")
    assert (tmp_path / "back.safetensors").read_bytes() == (tmp_path / "m.safetensors").read_bytes()
    convert(tmp_path / "out", tmp_path / "one.safetensors", limit=1)
    assert read_model(tmp_path / "one.safetensors").words == ["a"]


def test_a_folder_with_other_things_is_not_replaced(tmp_path):
    (tmp_path / "v").mkdir()
    (tmp_path / "v" / "thesis.txt").write_text("years of work")
    for kind in FOLDERS:
        with pytest.raises(CannotWrite, match=r"holds other things \(thesis\.txt\); choose a new or an empty folder"):
            write_vectors(some_vectors(), tmp_path / "v", kind)
    assert [each.name for each in tmp_path.rglob("*")] == ["v", "thesis.txt"]


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_folder_is_replaced_whole(tmp_path, kind):
    write_vectors(some_vectors(), tmp_path / "v", kind)
    vectors = WordVectors(["a"], np.ones((1, 2), np.float32))
    write_vectors(vectors, tmp_path / "v", kind)
    assert read_vectors(tmp_path / "v", kind).words == ("a",)
    assert [each.name for each in tmp_path.iterdir()] == ["v"]


def test_where_a_folder_should_stand_no_file_is_replaced(tmp_path):
    (tmp_path / "v").write_text("mine")
    with pytest.raises(CannotWrite, match="a file of that name is there"):
        write_vectors(some_vectors(), tmp_path / "v", "tensorboard")


def test_a_format_that_is_only_read_says_so(tmp_path, monkeypatch):
    only_read = replace(named("glove"), write=None)
    monkeypatch.setattr("firth.formats.named", lambda _: only_read)
    with pytest.raises(BadOption, match="glove is only read; choose another format: firth, "):
        write_vectors(some_vectors(), tmp_path / "v.glove", "glove")


def test_an_unknown_format_is_told_with_the_known_ones(tmp_path):
    with pytest.raises(BadOption, match=r"v\.doc; the formats are: firth \(\.safetensors\), word2vec-text"):
        write_vectors(some_vectors(), tmp_path / "v.doc")
    with pytest.raises(BadOption, match="unknown format 'doc'; the formats are: firth"):
        write_vectors(some_vectors(), tmp_path / "v.txt", "doc")
    (tmp_path / "v.doc").write_bytes(b"hello")
    with pytest.raises(BadFile, match=r"no known format; the formats are: firth"):
        read_vectors(tmp_path / "v.doc")
    with pytest.raises(BadFile, match=r"a folder of no known format; .*tensorboard \(a folder\)"):
        read_vectors(tmp_path)


@pytest.mark.parametrize(
    "each", [each for each in WRITTEN if each.suffixes and not each.packed], ids=lambda each: each.name
)
def test_what_cannot_be_packed_says_so(tmp_path, each):
    name = f"v{each.suffixes[0]}.gz"
    with pytest.raises(BadOption, match=r"leave out \.gz"):
        write_vectors(some_vectors(), tmp_path / name, each.name)
    (tmp_path / name).write_bytes(gzip.compress(b"x"))
    with pytest.raises(BadFile, match="unpack it first"):
        read_vectors(tmp_path / name, each.name)


@pytest.mark.parametrize("kind", [each.name for each in READ])
@pytest.mark.parametrize("name", ["none", "x" * 300])
def test_nothing_there_is_missing(tmp_path, kind, name):
    with pytest.raises(MissingFile, match="check the path"):
        read_vectors(tmp_path / name, kind)


@pytest.mark.parametrize("kind", [each.name for each in WRITTEN])
def test_a_missing_folder_is_told(tmp_path, kind):
    with pytest.raises(CannotWrite, match="create the folder first"):
        write_vectors(some_vectors(), tmp_path / "none" / "v", kind)


# ---- files that are not sound -----------------------------------------------------------------------


class Sound(dict):
    """Sound files by format; its repr is short, since failing examples print it."""

    def __repr__(self):
        return "Sound()"


def whole_files(tmp_path_factory):
    """The bytes of a small sound file of each format, and of each file in the folders of others."""
    folder = tmp_path_factory.mktemp("sound")
    vectors = WordVectors(["a", "bé", "c"], np.ones((3, 2), np.float32), np.arange(3))
    for each in WRITTEN:
        write_vectors(vectors, folder / each.name, each.name)
    (folder / "fasttext").write_bytes(fasttext_bytes({"a": 3, "bé": 2}, D=2, buckets=3))
    subwords, _ = subword_vectors({"abé": 3, "béc": 2}, D=2, buckets=9)
    for name, kind in WITH_N_GRAMS.items():
        write_vectors(subwords, folder / name, kind)
    sound = Sound()
    for kind in DAMAGED:
        place = folder / kind
        files = sorted(place.iterdir()) if place.is_dir() else [place]
        sound[kind] = {str(file.relative_to(folder)): file.read_bytes() for file in files}
    return sound


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return whole_files(tmp_path_factory)


@pytest.fixture(scope="module")
def read_bounded(sound, tmp_path_factory):
    """Read, let firth's own errors pass, and hold what memory it took to a bound."""
    folder = tmp_path_factory.mktemp("measured")
    with MeasuredReader() as reader:

        def read(path, kind, **options):
            taken = reader.read(path, WITH_N_GRAMS.get(kind, kind), **options)
            assert taken < MOST_MEMORY, f"reading {path} as {kind} took {taken / 2**20:.0f} MB"

        for kind, data in sound.items():  # what is loaded and compiled once takes memory that no file takes
            put(folder, data)
            reader.read(folder / kind, WITH_N_GRAMS.get(kind, kind))
        yield read


def put(tmp_path, files):
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)


@st.composite
def damages(draw):
    """A way to damage bytes: cut, overwrite, put in or take out some, at places told as shares of the length."""
    share = st.floats(0, 1, exclude_max=True)
    kind = draw(st.sampled_from(["cut", "overwrite", "insert", "remove", "number"]))
    values = draw(st.binary(min_size=1, max_size=8))
    if kind == "number":  # sizes and counts that lie
        values = draw(st.sampled_from([0, 1, 255, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63, 2**64 - 1])).to_bytes(
            8, "little"
        )
        values = values[: draw(st.sampled_from([1, 4, 8]))]
    return kind, draw(share), values


def damaged(data, kind, share, values):
    place = int(share * len(data))
    if kind == "cut":
        return data[:place]
    if kind == "insert":
        return data[:place] + values + data[place:]
    if kind == "remove":
        return data[:place] + data[place + len(values) :]
    return data[:place] + values + data[place + len(values) :]


@pytest.mark.parametrize("kind", DAMAGED)
@given(damage=st.lists(damages(), min_size=1, max_size=3), which=st.integers(0, 9))
@FUZZED
def test_damaged_files_give_no_other_error_and_take_no_memory(tmp_path, sound, read_bounded, kind, damage, which):
    files = dict(sound[kind])
    name = sorted(files)[which % len(files)]
    for each in damage:
        files[name] = damaged(files[name], *each)
    put(tmp_path, files)
    read_bounded(tmp_path / kind, kind)
    read_bounded(tmp_path / kind, kind, limit=1, encoding_errors="replace")
    with suppress(FirthError):
        recognised(tmp_path / kind)


@pytest.mark.parametrize("kind", DAMAGED)
@given(data=st.binary(max_size=80), which=st.integers(0, 9))
@FUZZED
def test_garbage_gives_no_other_error(tmp_path, sound, read_bounded, kind, data, which):
    files = dict(sound[kind])
    files[sorted(files)[which % len(files)]] = data
    put(tmp_path, files)
    read_bounded(tmp_path / kind, kind)


@pytest.mark.parametrize("name", ["v", *sorted({"v" + end for each in FORMATS for end in each.suffixes})])
@given(data=st.binary(max_size=60))
@example(data=b"1 1\na x\n")
@FUZZED
def test_garbage_under_any_name_gives_no_other_error(tmp_path, name, data):
    for packed in ("", ".gz"):
        (tmp_path / (name + packed)).write_bytes(data)
        with suppress(FirthError):
            read_vectors(tmp_path / (name + packed))


# ---- files that unpack without end ------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["word2vec-text", "word2vec-binary", "glove", "fasttext"])
@pytest.mark.parametrize("start", [b"", b"1 2\n", b"a 1 2\n", b"99999 2\na 1 2\n"])
@pytest.mark.parametrize("filling", [b"\0", b"a", b" ", b"\n", b"1"])
def test_what_is_packed_to_a_thousandth_takes_no_memory(tmp_path, read_bounded, kind, start, filling):
    packed = tmp_path / "bomb.gz"
    with gzip.open(packed, "wb", compresslevel=1) as file:
        file.write(start)
        for _ in range(2 * MOST_MEMORY >> 20):
            file.write(filling * (1 << 20))
    read_bounded(packed, kind, limit=None)


def archive_of(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)


def npy(descr, shape, data=b""):
    header = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape!r}, }}"
    header += " " * (-(10 + len(header) + 1) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + data


def test_memory_that_reading_takes_is_seen(tmp_path):
    np.savez(tmp_path / "v.npz", words=np.arange(8192).astype("U"), vectors=np.ones((8192, 1024), np.float32))
    with MeasuredReader() as reader:
        first, second = (reader.read(tmp_path / "v.npz", "npz") for _ in range(2))
    assert min(first, second) >= 32 << 20


def test_an_archive_of_nothing_but_zeros_takes_no_memory(tmp_path, read_bounded):
    count = MOST_MEMORY >> 3
    archive_of(tmp_path / "v.npz", words=npy("<U4", (count,), bytes(16 * count)), vectors=npy("<f4", (count, 1)))
    read_bounded(tmp_path / "v.npz", "npz")


@pytest.mark.parametrize(
    ("words", "vectors", "sentence"),
    [
        (npy("|O", (1,)), npy("<f4", (1, 1), bytes(4)), "objects, not numbers or strings; firth unpickles nothing"),
        (npy("<U1", (1,), b"a\0\0\0"), npy("|O", (1, 1)), "objects"),
        (npy("<U1", (1,), b"a\0\0\0"), npy("<f4", (1 << 40, 1 << 10)), "does not fit into the archive"),
        (npy("<U1", (1,), b"a\0\0\0"), npy("<f4", (1, -1)), "does not fit into the archive"),
        (npy("<U1", (1 << 60,), b"a\0\0\0"), npy("<f4", (1, 1)), "does not fit into the archive"),
        (npy("<U1", (1,), b"a\0\0\0"), npy("<f4", (2, 1), bytes(8)), "a row of vectors.npy for each of 1 words, got 2"),
        (npy("<U1", (1,), b"a\0\0\0"), npy("<f4", (1,), bytes(4)), "must have 2 dimension"),
        (npy("<U1", (1,), b"a\0\0\0"), npy("<c8", (1, 1), bytes(8)), "must be numbers, got complex64"),
        (npy("<f4", (1,), bytes(4)), npy("<f4", (1, 1), bytes(4)), "must be strings, got float32"),
        (npy("<U1", (2,), b"a\0\0\0a\0\0\0"), npy("<f4", (2, 1), bytes(8)), "must stand once, got 'a' in rows 1 and 2"),
        (npy("<U1", (1,), b"\xff\xff\xff\xff"), npy("<f4", (1, 1), bytes(4)), "numbers that are no letters"),
        (b"\x93NUMPY\x09\x00", npy("<f4", (1, 1)), "no sound .npz archive"),
        (b"\x93NUMPY\x01\x00\x0d\x00{'descr': '''", npy("<f4", (1, 1)), "no sound .npz archive"),
        (npy("<U1", (1,), b"a\0\0\0"), npy("<f4", (1, 1), b"\0\0"), "cut short"),
    ],
)
def test_wrong_archives_are_told(tmp_path, words, vectors, sentence):
    archive_of(tmp_path / "v.npz", words=words, vectors=vectors)
    with pytest.raises(BadFile, match=sentence):
        read_vectors(tmp_path / "v.npz")


def test_an_archive_without_words_tells_what_it_holds(tmp_path):
    np.savez(tmp_path / "v.npz", foo=np.ones(2), vectors=np.ones((1, 1)))
    with pytest.raises(BadFile, match=r"must hold one of words, .*, got foo, vectors; save it with np.savez"):
        read_vectors(tmp_path / "v.npz")


def test_more_than_the_machine_has_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("firth.formats.checks.machine_memory_bytes", lambda: 100)
    write_vectors(some_vectors(), tmp_path / "v.bin")
    with pytest.raises(BadFile, match="memory, more than there is here; read its first words alone, with limit"):
        read_vectors(tmp_path / "v.bin")
    assert len(read_vectors(tmp_path / "v.bin", limit=2)) == 2
