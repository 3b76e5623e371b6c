"""Where text comes from: every kind of source gives its sentences whole, and what is wrong is said in a sentence."""

import bz2
import errno
import gzip
import io
import lzma
import os
import sys
import types
from itertools import chain, zip_longest
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stand_ins import FailingDisk

from firth import Graph, WordVectors
from firth.corpus import encoded_corpus, files, iterables
from firth.corpus.blocks import StringsBlock, TextBlock
from firth.corpus.files import cut_into_blocks
from firth.corpus.iterables import Sentences
from firth.corpus.sources import find
from firth.errors import BadCorpus, BadOption, CannotRead, MissingFile
from firth.options import CorpusOptions

TEXT = "the cat sat\non the mat\n"
SENTENCES = [["the", "cat", "sat"], ["on", "the", "mat"]]


def packed_zstd(data):
    return pa.compress(data, "zstd", asbytes=True)


PACKERS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": packed_zstd}


def read(corpus, *, tokenizer=None, **options):
    """The sentences of a corpus, as lists of tokens."""
    with encoded_corpus(corpus, CorpusOptions(cache=False, **options), tokenizer=tokenizer) as encoded:
        words = encoded.words.to_pylist()
        table = pa.ipc.open_file(str(encoded.folder / "corpus.arrow")).read_all()
        return [[words[number] for number in sentence] for sentence in table["tokens"].to_pylist()]


def written(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


# ---- files -------------------------------------------------------------------------------------


def test_each_line_of_a_file_is_a_sentence(tmp_path):
    path = written(tmp_path / "a.txt", TEXT)
    assert read(path) == read(str(path)) == SENTENCES


@pytest.mark.parametrize(
    "content",
    [
        "the cat sat\r\non the mat\r\n",
        "\ufeffthe cat sat\non the mat\n",
        "the cat sat\non the mat",
        "\n\nthe cat sat\n \n\non the mat\n\n",
        "\ufeff\r\nthe cat sat\r\n\r\non the mat",
    ],
    ids=["crlf", "byte-order mark", "no final newline", "empty lines", "all together"],
)
@pytest.mark.parametrize("tokenizer", [None, str.split], ids=["whitespace", "callable"])
def test_how_lines_end_and_files_begin_changes_nothing(tmp_path, content, tokenizer):
    assert read(written(tmp_path / "a.txt", content), tokenizer=tokenizer) == SENTENCES


@pytest.mark.parametrize("suffix", PACKERS)
def test_packed_files_are_unpacked(tmp_path, suffix):
    assert read(written(tmp_path / f"a.txt.{suffix.upper()}", PACKERS[suffix](TEXT.encode()))) == SENTENCES


@pytest.mark.parametrize("suffix", PACKERS)
def test_several_packed_parts_in_one_file_are_all_read(tmp_path, suffix):
    pack = PACKERS[suffix]
    assert read(written(tmp_path / f"a.{suffix}", pack(b"the cat sat\n") + pack(b"on the mat\n"))) == SENTENCES


def test_a_folder_stands_for_all_files_below_it_in_order_but_hidden_ones(tmp_path):
    written(tmp_path / "b.txt", "on the mat\n")
    written(tmp_path / "a" / "deep" / "c.txt.gz", gzip.compress(b"the cat sat\n"))
    written(tmp_path / ".hidden", "no\n")
    written(tmp_path / "a" / ".git" / "d.txt", "no\n")
    assert read(tmp_path) == SENTENCES


def test_a_hidden_folder_that_is_named_is_read(tmp_path):
    written(tmp_path / ".texts" / "a.txt", TEXT)
    assert read(tmp_path / ".texts") == SENTENCES


def test_a_pattern_stands_for_the_files_that_match(tmp_path):
    written(tmp_path / "1.txt", "the cat sat\n")
    written(tmp_path / "2" / "2.txt", "on the mat\n")
    written(tmp_path / "3.csv", "no\n")
    (tmp_path / "folder.txt").mkdir()
    assert read(str(tmp_path / "**" / "*.txt")) == SENTENCES


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path):
    written(tmp_path / "1.txt", "no\n")
    assert read(written(tmp_path / "[1].txt", TEXT)) == SENTENCES


def test_a_list_of_paths_is_read_in_its_order(tmp_path):
    second = written(tmp_path / "a.txt", "on the mat\n")
    first = written(tmp_path / "b.txt", "the cat sat\n")
    assert read([first, second]) == SENTENCES


def test_paths_from_a_generator_are_asked_for_as_a_list(tmp_path):
    with pytest.raises(BadCorpus, match=r"sentence 0 is the \w+ .*; to read files, give their paths as a list"):
        read(tmp_path.glob("*") if list(tmp_path.glob("*")) else iter([tmp_path]))


def test_a_hyphen_is_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=io.BytesIO(TEXT.encode())))
    assert read("-") == SENTENCES


def test_standard_input_without_bytes_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(MissingFile, match="standard input is not open"):
        read("-")


def test_remote_addresses_are_read_through_fsspec(tmp_path):
    fsspec = pytest.importorskip("fsspec")
    with fsspec.open("memory://firth/a.txt.gz", "wb") as file:
        file.write(gzip.compress(TEXT.encode()))
    assert read("memory://firth/a.txt.gz") == SENTENCES
    assert read(written(tmp_path / "a.txt", TEXT).as_uri()) == SENTENCES


def test_remote_files_that_tell_when_they_changed_are_known_again(tmp_path):
    path = written(tmp_path / "a.txt", TEXT)
    (source,) = find(path.as_uri())
    before = source.identity()
    assert before is not None
    os.utime(path, ns=(1, 1))
    assert source.identity() != before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_never_known_again(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (source,) = find(tmp_path / "pipe")
    assert source.identity() is None
    assert source.size is None


# ---- columns -----------------------------------------------------------------------------------

STRINGS = ["the cat sat", None, "on the mat"]
LISTS = [["the", "cat", "sat"], None, ["on", "the", "mat"]]
COLUMNS = {
    "string": pa.array(STRINGS),
    "large_string": pa.array(STRINGS, pa.large_string()),
    "string_view": pa.array(STRINGS, pa.string_view()),
    "dictionary": pa.array(STRINGS).dictionary_encode(),
    "list": pa.array(LISTS),
    "large_list": pa.array(LISTS, pa.large_list(pa.large_string())),
    "fixed_size_list": pa.array(LISTS, pa.list_(pa.string(), 3)),
    "list of dictionary": pa.ListArray.from_arrays(
        pa.array([0, 3, 6]), pa.array(["the", "cat", "sat", "on", "the", "mat"]).dictionary_encode()
    ),
}


def write_columns(path, table, **options):
    if path.suffix == ".parquet":
        pq.write_table(table, path, **options)
        return path
    opened = pa.ipc.new_stream if path.suffix == ".arrow" else pa.ipc.new_file  # both are in use
    with pa.OSFile(str(path), "wb") as file, opened(file, table.schema) as writer:
        writer.write_table(table, **options)
    return path


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "feather", "ipc"])
@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
def test_a_column_of_strings_or_lists_gives_a_sentence_a_row_without_nulls(tmp_path, suffix, column):
    path = write_columns(tmp_path / f"a.{suffix}", pa.table({"text": column, "n": range(len(column))}))
    assert read(path) == SENTENCES


def test_a_null_within_a_dictionary_is_a_null_row(tmp_path):
    column = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2]), pa.array(STRINGS))
    assert read(write_columns(tmp_path / "a.feather", pa.table({"text": column}))) == SENTENCES


def test_the_column_is_chosen_by_name(tmp_path):
    path = write_columns(
        tmp_path / "a.parquet", pa.table({"title": ["no", "no"], "a.b": ["the cat sat", "on the mat"]})
    )
    assert read(path, column="a.b") == SENTENCES
    with pytest.raises(BadOption, match=r"a\.parquet has 2 columns of strings .*\(title, a\.b\).* option column"):
        read(path)
    with pytest.raises(BadOption, match=r"has no column 'text'; it has title, a\.b"):
        read(path, column="text")


def test_a_column_of_numbers_is_no_text(tmp_path):
    path = write_columns(tmp_path / "a.parquet", pa.table({"n": [1, 2], "text": ["a", "b"]}))
    with pytest.raises(
        BadOption, match=r"column 'n' of .* holds int64, not strings.* group those of a session into a list"
    ):
        read(path, column="n")
    path = write_columns(tmp_path / "b.parquet", pa.table({"n": [1, 2]}))
    with pytest.raises(BadOption, match=r"has 0 columns .*\(none of n\)"):
        read(path)


def test_lists_of_whole_numbers_are_sentences_where_the_column_is_named(tmp_path):
    table = pa.table({"items": [[1, 20], None, [-3]], "prices": [[0.5], None, [1.0]]})
    for name in ("a.parquet", "a.arrow"):
        path = write_columns(tmp_path / name, table)
        assert read(path, column="items") == [["1", "20"], ["-3"]]
        with pytest.raises(BadOption, match="has 0 columns of strings"):
            read(path)
        with pytest.raises(BadOption, match=r"holds list<.* double>, not strings"):
            read(path, column="prices")
    with pytest.raises(BadCorpus, match="holds a null"):
        read(write_columns(tmp_path / "b.parquet", pa.table({"items": [[1, None]]})), column="items")


def test_a_null_within_a_list_of_tokens_is_refused(tmp_path):
    path = write_columns(tmp_path / "a.parquet", pa.table({"text": [["a", None]]}))
    with pytest.raises(BadCorpus, match=r"a\.parquet holds a null; remove"):
        read(path)


@pytest.mark.parametrize("suffix", ["parquet", "feather"])
@pytest.mark.parametrize("as_list", [False, True])
def test_blocks_of_columns_are_small_even_if_rows_are_long(tmp_path, monkeypatch, suffix, as_list):
    monkeypatch.setattr("firth.corpus.columns.BLOCK_BYTES", 1000)
    rows = [f"{'x' * 300} {number}" for number in range(50)]
    column = pa.array([row.split() for row in rows] if as_list else rows)
    path = write_columns(tmp_path / f"a.{suffix}", pa.table({"text": column}))
    blocks = list(find(path)[0].blocks())
    assert len(blocks) > 10
    assert read(path) == [row.split() for row in rows]


@pytest.mark.parametrize("suffix", ["parquet", "feather"])
@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda _: b"no columns\n" * 9])
def test_damaged_column_files_are_said_to_be_so(tmp_path, suffix, damage):
    path = write_columns(tmp_path / f"a.{suffix}", pa.table({"text": ["some words"] * 1000}))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(BadCorpus, match=r"is not a sound .* file: .*; fetch or write it anew"):
        read(path)


def test_a_damaged_page_of_a_parquet_file_is_said_to_be_so(tmp_path):
    path = write_columns(tmp_path / "a.parquet", pa.table({"text": [f"word{n}" for n in range(9999)]}))
    data = bytearray(path.read_bytes())
    data[4:60] = bytes(56)
    path.write_bytes(data)
    with pytest.raises(BadCorpus, match="is not a sound parquet file"):
        read(path)


# ---- iterables ---------------------------------------------------------------------------------


class Rereadable:
    """Sentences that can be iterated over again, as a user's own class gives them."""

    def __iter__(self):
        return iter(SENTENCES)


@pytest.mark.parametrize(
    "corpus",
    [
        SENTENCES,
        [" ".join(sentence) for sentence in SENTENCES],
        tuple(tuple(sentence) for sentence in SENTENCES),
        np.array(SENTENCES),
        [np.array(sentence) for sentence in SENTENCES],
        np.array([" ".join(sentence) for sentence in SENTENCES]),
        [SENTENCES[0], tuple(SENTENCES[1])],
        Rereadable(),
        io.StringIO(TEXT),
        {0: SENTENCES[0], 1: SENTENCES[1]}.values(),
    ],
    ids=lambda corpus: type(corpus).__name__,
)
def test_any_iterable_of_strings_or_token_lists_is_a_corpus(corpus):
    assert read(corpus) == SENTENCES


def test_a_pandas_series_is_a_corpus():
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    assert read(pandas.Series(SENTENCES, index=[7, 3])) == SENTENCES
    assert read(pandas.Series([" ".join(each) for each in SENTENCES])) == SENTENCES
    frame = pandas.DataFrame({"who": ["x", "x"], "what": ["a", "b"]})
    with pytest.raises(
        BadOption, match=r"got a DataFrame, which gives only its keys; .*frame\.groupby\(who\)\[what\]\.agg\(list\)"
    ):
        read(frame)
    with pytest.raises(BadOption, match=r"got a SeriesGroupBy, which gives pairs of key and group; .*\.agg\(list\)"):
        read(frame.groupby("who")["what"])
    assert read(frame.groupby("who")["what"].agg(list)) == [["a", "b"]]
    for missing in (pandas.NA, pandas.NaT):
        with pytest.raises(
            BadCorpus, match=r"sentence 0 holds the N\w+ .*; a missing value, which is no token: leave it out"
        ):
            read([["a", missing]])


def test_a_polars_series_is_a_corpus():
    polars = pytest.importorskip("polars", reason="polars is not installed")
    assert read(polars.Series(SENTENCES)) == read(polars.Series([" ".join(each) for each in SENTENCES])) == SENTENCES
    with pytest.raises(BadOption, match="got a DataFrame, which gives only its keys"):
        read(polars.DataFrame({"who": ["x"], "what": ["a"]}))


def test_generators_are_read_once():
    asked = []

    def sentences():
        asked.append(1)
        for sentence in SENTENCES:
            yield (token for token in sentence)

    assert read(sentences()) == SENTENCES
    assert asked == [1]


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=5), max_size=30), st.integers(1, 5), st.integers(1, 9))
def test_blocks_of_iterables_hold_all_sentences_in_order(sentences, at_once, tokens_at_once):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(iterables, "SENTENCES_AT_ONCE", at_once)
        patch.setattr(iterables, "TOKENS_AT_ONCE", tokens_at_once)
        patch.setattr(iterables, "CHARACTERS_AT_ONCE", tokens_at_once)
        lists = [block.lists.to_pylist() for block in Sentences(sentences).blocks()]
        strings = [block.strings.to_pylist() for block in Sentences(map("".join, sentences)).blocks()]
    assert list(chain.from_iterable(lists)) == sentences
    assert list(chain.from_iterable(strings)) == ["".join(each) for each in sentences]
    assert all(0 < len(block) <= at_once for block in lists + strings)
    assert all(sum(map(len, block[:-1])) < tokens_at_once for block in lists + strings)


def test_errors_of_the_users_own_generator_pass_unchanged():
    def sentences():
        yield ["a"]
        raise OSError(28, "the user's own")

    with pytest.raises(OSError, match="the user's own") as caught:
        read(sentences())
    assert type(caught.value) is OSError


@pytest.mark.parametrize(
    ("corpus", "message"),
    [
        ([["a"], "b c"], "sentence 1 is the str 'b c' where a list of tokens was meant"),
        (["b c", ["a"]], r"sentence 1 is the list \['a'\] though the first was a string"),
        ([["a"], ["b", 7]], "tokens must be strings, but sentence 1 holds the int 7; convert"),
        ([["a"], [], ["b", None]], "sentence 2 holds the NoneType None; a missing value, which is no token: leave it"),
        ([["a", float("nan")]], "sentence 0 holds the float nan; a missing value, which is no token: leave it out"),
        ([[["a"]]], r"tokens must be strings, but sentence 0 holds the list \['a'\]"),
        ([["a"], ["b", "x\ud800y"]], r"sentence 1 holds the str 'x\\ud800y', which UTF-8 cannot hold: .*surrogate"),
        (["a", "x\ud800y"], "sentence 1 holds .* lone surrogate; clean it"),
        ([b"a b"], "sentence 0 is the bytes b'a b'; a sentence must be a string or a list of tokens"),
        ([["a"], {"text": "b"}], "sentence 1 is the dict .* where a list of tokens was meant"),
        ([3], "sentence 0 is the int 3"),
        ([None], "sentence 0 is missing: it is None; leave it out"),
        ([["a"], None], "sentence 1 is missing: it is None; leave it out"),
        (["a b", float("nan")], r"sentence 1 is missing: it is nan; leave it out, in pandas with dropna\(\)"),
    ],
)
def test_a_sentence_that_is_none_is_named(corpus, message):
    with pytest.raises(BadCorpus, match=message):
        read(iter(corpus))


def test_sentences_are_named_by_number_beyond_the_first_block(monkeypatch):
    monkeypatch.setattr(iterables, "SENTENCES_AT_ONCE", 2)
    for good, bad in ((["a"], [1]), ("a", "\ud800")):
        with pytest.raises(BadCorpus, match="sentence 4 holds"):
            read([good] * 4 + [bad])


@pytest.mark.parametrize("corpus", [7, None, b"text", object()])
def test_what_cannot_be_a_corpus_is_refused(corpus):
    with pytest.raises(BadOption, match=r"a corpus must be a path or an iterable of sentences, got \w+; give"):
        read(corpus)


def test_a_mapping_is_no_corpus():
    with pytest.raises(BadOption, match="got a dict, which gives only its keys; give the values"):
        read({"first": "a b"})


# ---- blocks ------------------------------------------------------------------------------------

LINES = st.lists(
    st.text(st.sampled_from("ab \t\r\n\x0bä\u3000"), max_size=30).map(str.encode) | st.just(b"\xff"), max_size=20
).map(b"".join)


@settings(max_examples=300)
@given(LINES, st.integers(1, 20), st.booleans())
def test_blocks_joined_are_the_file_and_cut_no_token(data, block_bytes, marked):
    mark = b"\xef\xbb\xbf" if marked else b""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "BLOCK_BYTES", block_bytes)
        blocks = list(cut_into_blocks(io.BytesIO(mark + data), "a"))
    assert b"".join(block.data for block in blocks) == data
    assert not blocks or not blocks[-1].line_goes_on
    at = len(mark)
    for block, after in zip_longest(blocks, blocks[1:]):
        assert isinstance(block, TextBlock)
        assert block.start == at
        at += len(block.data)
        assert block.data.endswith(b"\n") or after is None or (block.line_goes_on and after.data[:1] in b" \t\r")


def test_text_without_any_space_is_refused_before_it_fills_memory(monkeypatch):
    monkeypatch.setattr(files, "LONGEST_TOKEN", 1 << 20)
    with pytest.raises(BadCorpus, match=r"a has 1 MiB without a space .* from byte 4 on"):
        list(cut_into_blocks(io.BytesIO(b"a b\n" + b"x" * (6 << 20)), "a"))


# ---- what is wrong -----------------------------------------------------------------------------


def test_nothing_at_all_is_an_empty_corpus(tmp_path):
    for corpus in ([], [[]], [""], iter(()), written(tmp_path / "a", ""), written(tmp_path / "b", "\ufeff \r\n")):
        with pytest.raises(BadCorpus, match="the corpus is empty: it holds no token; check the path"):
            read(corpus)


@pytest.mark.parametrize("path", ["nowhere.txt", "x" * 5000, "some text\nmeant as a corpus", "a\0b", Path("nowhere")])
def test_a_file_that_is_not_there_is_named_with_the_remedy(path):
    with pytest.raises(MissingFile, match=r"no file|cannot be opened") as caught:
        read(path)
    assert len(str(caught.value)) < 400
    assert isinstance(caught.value, FileNotFoundError)


def test_the_hint_tells_how_to_train_on_text_itself():
    with pytest.raises(MissingFile, match=r"there is no file the cat sat; .*give a list of sentences"):
        read("the cat sat")


def test_a_folder_without_files_is_named(tmp_path):
    (tmp_path / ".hidden").write_text("a")
    with pytest.raises(MissingFile, match="holds no files; name one"):
        read(tmp_path)


def test_a_pattern_that_nothing_matches_is_named(tmp_path):
    with pytest.raises(MissingFile, match=r"no file matches .*\*\.txt; check the pattern"):
        read(str(tmp_path / "*.txt"))


@pytest.mark.parametrize("address", ["memory://nothing/here.txt", "nosuch://a/b", "file:///nowhere/at/all"])
def test_a_remote_file_that_cannot_be_opened_is_named(address):
    with pytest.raises(MissingFile, match=address):
        read(address)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (PermissionError(13, "Permission denied"), "may not be read; check its permissions"),
        (OSError(24, "Too many open files"), "cannot be opened: Too many open files"),
    ],
)
def test_a_file_that_may_not_be_read_is_named(tmp_path, monkeypatch, error, message):
    def refuse(*_, **__):
        raise error

    path = written(tmp_path / "a.txt", TEXT)
    monkeypatch.setattr(files, "open", refuse, raising=False)
    with pytest.raises(MissingFile, match=rf"a\.txt {message}"):
        read(path)


@pytest.mark.parametrize("suffix", ["txt", "parquet", "arrow", *PACKERS])
@pytest.mark.parametrize("sound", [0, 100_000])
def test_a_disk_that_fails_is_told_with_the_files_name(tmp_path, monkeypatch, suffix, sound):
    path = tmp_path / f"a.{suffix}"
    noise = np.random.default_rng(0).integers(97, 123, 1 << 20, np.uint8).tobytes()
    if suffix in ("parquet", "arrow"):
        write_columns(path, pa.table({"text": [noise[:200_000].decode()] * 3}))
    else:
        path.write_bytes(PACKERS.get(suffix, bytes)(noise))
    monkeypatch.setattr(files, "watched", lambda file, name, watch=files.watched: watch(FailingDisk(file, sound), name))
    with pytest.raises(CannotRead, match=rf"reading .*a\.{suffix} failed: input/output error; try again") as told:
        read(path)
    assert told.value.__cause__.errno == errno.EIO


def test_a_disk_that_fails_at_once_is_told(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    path = written(tmp_path / "a.txt", TEXT)
    monkeypatch.setattr(files, "open", fail, raising=False)
    with pytest.raises(CannotRead, match=r"reading .*a\.txt failed: input/output error"):
        read(path)


def test_standard_input_that_fails_is_told(monkeypatch):
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=FailingDisk(io.BytesIO(TEXT.encode()), 10)))
    with pytest.raises(CannotRead, match="reading standard input failed: input/output error"):
        read("-")


def test_a_network_that_fails_is_told_whatever_the_remote_file_raises(monkeypatch):
    fsspec = pytest.importorskip("fsspec")
    with fsspec.open("memory://firth/a.txt", "wb") as file:
        file.write(TEXT.encode())

    def fail(*_):
        raise RuntimeError("Payload Is Not Completed")

    monkeypatch.setattr("fsspec.implementations.memory.MemoryFile.readinto", fail, raising=False)
    with pytest.raises(CannotRead, match=r"reading memory://firth/a\.txt failed: payload is not completed"):
        read("memory://firth/a.txt")


PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 9


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (PNG, "byte 8 is zero, as in images"),
        (gzip.compress(TEXT.encode()), "it is gzip data; let its name end in .gz"),
        (bz2.compress(TEXT.encode()), "it is bzip2 data; let its name end in .bz2"),
        (lzma.compress(TEXT.encode()), "it is xz data; let its name end in .xz"),
        (packed_zstd(TEXT.encode()), "it is zstd data; let its name end in .zst"),
        (TEXT.encode("utf-16"), "it is UTF-16 text; convert it to UTF-8"),
        ("漢字".encode("utf-16"), "it is UTF-16 text; convert it to UTF-8"),
        (TEXT.encode("utf-16-le"), "byte 1 is zero, as in .* UTF-16"),
        (b"PK\x03\x04" + PNG, "it is a zip archive; unpack it first"),
    ],
    ids=["png", "gz", "bz2", "xz", "zst", "utf-16", "utf-16 without ascii", "utf-16 without mark", "zip"],
)
@pytest.mark.parametrize("errors", ["strict", "ignore"])
def test_files_that_are_no_text_are_told_from_text(tmp_path, content, message, errors):
    with pytest.raises(BadCorpus, match=rf"a\.txt is not text: {message}"):
        read(written(tmp_path / "a.txt", content), encoding_errors=errors)


def test_column_files_under_another_name_are_told_from_text(tmp_path):
    for suffix, kind in (("parquet", "a Parquet"), ("feather", "an Arrow")):
        path = write_columns(tmp_path / f"a.{suffix}", pa.table({"text": ["a"]}))
        with pytest.raises(BadCorpus, match=f"is not text: it is {kind} file; let its name end in"):
            read(path.rename(tmp_path / "a.txt"))


LONG = " ".join(str(number) for number in range(20_000)).encode()


@pytest.mark.parametrize("suffix", PACKERS)
@pytest.mark.parametrize("tail", [5, 1000])
def test_packed_files_cut_short_are_said_to_be_so(tmp_path, suffix, tail):
    path = written(tmp_path / f"a.{suffix}", PACKERS[suffix](LONG)[:-tail])
    with pytest.raises(BadCorpus, match=rf"a\.{suffix} cannot be read to its end: .+; if it is damaged"):
        read(path)


@pytest.mark.parametrize("suffix", PACKERS)
def test_packed_files_that_are_not_packed_are_said_to_be_so(tmp_path, suffix):
    with pytest.raises(BadCorpus, match=rf"a\.{suffix} cannot be read to its end: .+; .*if its suffix is wrong"):
        read(written(tmp_path / f"a.{suffix}", TEXT * 9))


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz"])
def test_damage_within_a_packed_file_is_said_to_be_there(tmp_path, suffix):
    data = bytearray(PACKERS[suffix](LONG))
    middle = len(data) // 2
    data[middle : middle + 50] = bytes(50)
    with pytest.raises(BadCorpus, match=r"cannot be read to its end: .+"):
        read(written(tmp_path / f"a.{suffix}", bytes(data)))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("marked", [False, True])
def test_the_first_byte_that_is_not_utf8_is_named_exactly(tmp_path, monkeypatch, packed, marked):
    monkeypatch.setattr(files, "BLOCK_BYTES", 1000)
    mark = b"\xef\xbb\xbf" if marked else b""
    data = mark + b"some words\n" * 1000 + "größer ".encode() + b"caf\xe9 au lait\n" + b"more\n" * 1000 + b"\xff"
    at = data.index(b"\xe9 ")
    path = written(tmp_path / "a.gz", gzip.compress(data)) if packed else written(tmp_path / "a.txt", data)
    with pytest.raises(BadCorpus, match=rf"{path.name} is not UTF-8: byte 0xe9 at position {at:,}; convert the file"):
        read(path)


@pytest.mark.parametrize("block_bytes", [7, 1 << 20])
def test_bytes_that_are_not_utf8_are_replaced_or_left_out_as_asked(tmp_path, monkeypatch, block_bytes):
    monkeypatch.setattr(files, "BLOCK_BYTES", block_bytes)
    data = b"caf\xe9 au \xff\xff lait\n\xff\n\xe2\x82 \xff end"
    path = written(tmp_path / "a.txt", data)
    for errors in ("replace", "ignore"):
        lines = data.decode("utf-8", errors).split("\n")
        assert read(path, encoding_errors=errors) == [line.split() for line in lines if line.split()]


def test_an_unfinished_sequence_at_the_end_is_not_utf8(tmp_path):
    with pytest.raises(BadCorpus, match="byte 0xe2 at position 5"):
        read(written(tmp_path / "a.txt", b"euro \xe2\x82"))


def test_strings_in_blocks_are_arrow_strings():
    (block,) = Sentences(["a b"]).blocks()
    assert isinstance(block, StringsBlock)
    assert block.strings.type == pa.large_string()


def test_a_home_folder_s_sign_is_told_to_be_the_shell_s():
    told = r"there is no file ~/none\.txt; ~ is the home folder in a shell alone, so give os\.path\.expanduser\(path\)"
    with pytest.raises(MissingFile, match=told):
        read("~/none.txt")
    with pytest.raises(MissingFile, match=told):
        Graph.read("~/none.txt")
    with pytest.raises(MissingFile, match=r"cannot read ~/none\.txt: .*; ~ is the home folder in a shell alone"):
        WordVectors.load("~/none.txt")
