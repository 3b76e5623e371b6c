"""What is wrong in a file of vectors is told: words given twice, rows of other lengths, what is no number."""

import struct
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from firth.errors import BadFile, BadOption
from firth.formats import (
    FORMATS,
    columns,
    embeddings,
    fasttext,
    finalfusion,
    npz,
    projector,
    read_vectors,
    recognised,
    static,
    word2vec,
    write_vectors,
)
from firth.vectors import WordVectors

LATE = ("firth", "hub")  # whose words are not looked up before their time, and told then


@pytest.mark.parametrize("kind", [each.name for each in FORMATS if each.write and each.read and each.name not in LATE])
def test_a_word_that_stands_twice_is_told(tmp_path, monkeypatch, kind):
    with monkeypatch.context() as patch:
        for module in (columns, embeddings, fasttext, finalfusion, npz, projector, static, word2vec):
            patch.setattr(module, "check_unique", lambda *_: None)
        write_vectors(WordVectors(["a", "b", "a"], np.ones((3, 2)), check=False), tmp_path / "v", kind)
    sentence = "without a gap" if kind in static.LAYOUTS else "a word must stand once, got 'a' in rows 1 and 3"
    with pytest.raises(BadFile, match=sentence):
        read_vectors(tmp_path / "v", kind)


ODD_WORDS = [
    "a\nb",
    "\n",
    "a b",
    "a\tb",
    "a\0b",
    "a\rb",
    "\u2028",
    "\x85",
    "\xa0",
    "1",
    "-",
    '"',
    "#",
    "</s>",
    "x" * 70_000,
]


@pytest.mark.parametrize("kind", [each.name for each in FORMATS if each.write and each.read])
def test_what_a_format_writes_it_reads(tmp_path, kind):
    written = 0
    for number, word in enumerate(ODD_WORDS):
        vectors, path = WordVectors([word, "zz"], np.arange(6).reshape(2, 3)), tmp_path / str(number)
        try:
            write_vectors(vectors, path, kind)
        except BadOption:
            continue
        assert read_vectors(path, kind).words == vectors.words
        written += 1
    assert written > 5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"the 1 2\n. . . 3 4\nat name@domain.com 5 6\n", ("the", ". . .", "at name@domain.com")),
        (b"new york 1 2\nb 3 4", ("new york", "b")),
        (b"1 2 3\n2 4 5\n", ("1", "2")),
        (b"a 1e-3 -.5 \r\nb 3 4\r\n", ("a", "b")),
    ],
)
def test_words_of_glove_may_hold_spaces(tmp_path, text, words):
    (tmp_path / "v.txt").write_bytes(text)
    assert recognised(tmp_path / "v.txt").name == "glove"
    assert read_vectors(tmp_path / "v.txt").words == words


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"a 1 2\nb 1\n", "line 2: a row must be a word and 2 numbers, got 1"),
        (b"a 1 2\nb 1 2 3\n", "line 2: a row must be a word and 2 numbers, got 3"),
        (b"a 1 2\nb 1 x\n", "line 2: b'x' is not a number"),
        (b"the cat sat\n", "the first line must be a word and its numbers, got b'the cat sat"),
        (b"", "the first line must be a word and its numbers"),
        (b"a 1 2\nb 1 nan\n", r"that of 'b' \(row 1\) is not"),
        (b"a 1 2\nb 1 1e39\n", "too large for 32 bits"),
    ],
)
def test_wrong_glove_is_told(tmp_path, text, sentence):
    (tmp_path / "v.txt").write_bytes(text)
    with pytest.raises(BadFile, match=sentence):
        read_vectors(tmp_path / "v.txt", "glove")


@pytest.mark.parametrize(
    ("numbers", "words", "sentence"),
    [
        (b"1\t2\n3\n", b"a\nb\n", "line 2: a row must be 2 numbers, got 1"),
        (b"1\t2\n3\tx\n", b"a\nb\n", "line 2: b'x' is not a number"),
        (b"1\t2\n", b"a\nb\n", r"vectors\.tsv has 1 rows, metadata\.tsv 2 words"),
        (b"1\t2\n", b"word\tcount\na\tmany\n", "a count must be a whole number, got b'many'"),
        (b"1\t2\n", b"count\tword\n3\n", "has 1 columns, too few"),
    ],
)
def test_wrong_projections_are_told(tmp_path, numbers, words, sentence):
    (tmp_path / "vectors.tsv").write_bytes(numbers)
    (tmp_path / "metadata.tsv").write_bytes(words)
    with pytest.raises(BadFile, match=sentence):
        read_vectors(tmp_path)


def test_a_projection_may_have_other_columns(tmp_path):
    (tmp_path / "vectors.tsv").write_bytes(b"1\t2\r\n3\t4\r\n")
    (tmp_path / "metadata.tsv").write_bytes(b"kind\tword\r\nx\ta\r\ny\tb\r\n")
    assert read_vectors(tmp_path).words == ("a", "b")


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"word": ["a", "b"], "vector": [[1.0, 2.0], [3.0]]}, "vectors must have the same size, got 2 and others"),
        ({"word": ["a", None], "vector": [[1.0], [3.0]]}, "words must be strings without nulls"),
        ({"word": ["a", "b"], "vector": [[1.0], None]}, "vectors must be lists of floats without nulls"),
        ({"word": ["a", "b"], "vector": [[1.0], [None]]}, "numbers without nulls"),
        ({"word": ["a", "b"], "vector": [["x"], ["y"]]}, "vectors must be lists of floats"),
        ({"word": [1, 2], "vector": [[1.0], [2.0]]}, "words must be strings"),
        ({"name": ["a"], "vector": [[1.0]]}, "one column named word, words, token, text or key, got name, vector"),
        ({"word": ["a"], "vector": [[1e39]]}, "too large for 32 bits"),
        ({"word": ["a"], "vector": [[1.0]], "count": ["many"]}, "counts must be whole numbers"),
        ({"word": ["a"], "vector": pa.array([[]], pa.list_(pa.float32()))}, "vectors must be 1 to 1000000 numbers"),
    ],
)
def test_wrong_tables_are_told(tmp_path, table, sentence):
    pq.write_table(pa.table(table), tmp_path / "v")
    with pytest.raises(BadFile, match=sentence):
        read_vectors(tmp_path / "v")


EVERY_BYTE_CHANGED = """
import sys
from contextlib import suppress
from pathlib import Path

from firth.errors import FirthError
from firth.formats import read_vectors

path = Path(sys.argv[1])
sound = path.read_bytes()
for place, byte in enumerate(sound):
    for changed in (0, byte ^ 1, byte ^ 128):
        path.write_bytes(sound[:place] + bytes([changed]) + sound[place + 1 :])
        with suppress(FirthError):
            read_vectors(path, "parquet")
"""


def test_no_changed_byte_of_parquet_ends_the_process(tmp_path):
    """pyarrow's C++ ends it where the metadata of a column are damaged and asked for."""
    words = ["the", "of", "café", "日本", "x" * 20, "a'b"]
    vectors = WordVectors(words, np.random.default_rng(0).normal(size=(6, 8)), np.arange(6, 0, -1))
    write_vectors(vectors, tmp_path / "v", "parquet")
    command = [sys.executable, "-c", EVERY_BYTE_CHANGED, str(tmp_path / "v")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_rows_of_parquet_whose_type_tells_no_size_are_read_in_batches(tmp_path, monkeypatch):
    monkeypatch.setattr(columns, "BATCH_NUMBERS", 20)
    lists = pa.array(np.arange(70, dtype=np.float32).reshape(10, 7).tolist(), pa.list_(pa.float32()))
    pq.write_table(pa.table({"word": [f"w{n}" for n in range(10)], "vector": lists}), tmp_path / "v")
    sizes: list[int] = []
    numbers = columns._numbers
    monkeypatch.setattr(columns, "_numbers", lambda column, path: sizes.append(len(column)) or numbers(column, path))
    assert read_vectors(tmp_path / "v").matrix.tolist() == np.arange(70).reshape(10, 7).tolist()
    assert sizes == [1, 2, 2, 2, 2, 2]


def test_other_kinds_of_finalfusion_are_refused_by_name(tmp_path):
    write_vectors(WordVectors(["a"], np.ones((1, 2))), tmp_path / "v", "finalfusion")
    data = bytearray((tmp_path / "v").read_bytes())
    place = 24 + 12 + 8 + 4 + 1  # behind the head and the chunk of words
    assert data[place] == finalfusion.ARRAY
    data[place] = finalfusion.QUANTISED
    (tmp_path / "v").write_bytes(data)
    with pytest.raises(BadFile, match="holds a quantised array, which is not read"):
        read_vectors(tmp_path / "v")


def test_words_of_finalfusion_s_vocabularies_with_subwords_are_read(tmp_path):
    """Kind 3: three sizes of four bytes stand between the number of words and the first; buckets' rows come last."""
    write_vectors(WordVectors(["a"], np.ones((1, 2))), tmp_path / "v", "finalfusion")
    data = (tmp_path / "v").read_bytes()
    words = b"\x03\0\0\0" + (25).to_bytes(8, "little") + (1).to_bytes(8, "little") + bytes(12) + b"\x01\0\0\0a"
    padding = 4 - (len(data[:24] + words) + 28) % 4
    array = struct.pack("<IQQII", 2, 16 + padding + 24, 3, 2, 10) + bytes(padding) + np.arange(6, dtype="<f4").tobytes()
    (tmp_path / "v").write_bytes(data[:24] + words + array)
    read = read_vectors(tmp_path / "v")
    assert read.words == ("a",)
    assert read.matrix.tolist() == [[0, 1]]
