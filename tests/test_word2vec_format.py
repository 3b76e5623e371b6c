"""word2vec.c's text and binary formats."""

import gzip
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from firth.errors import BadFile, BadOption, CannotWrite, FirthError, MissingFile
from firth.formats import recognised, rows, word2vec
from firth.formats.word2vec import read_binary, read_text, write_binary, write_text

SAME_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)
PLAIN_WORDS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=" \t\n\r\v\f"), min_size=1, max_size=6
)
BOTH = pytest.mark.parametrize(("read", "write"), [(read_text, write_text), (read_binary, write_binary)])
READERS = pytest.mark.parametrize("read", [read_text, read_binary])


def row(word, *numbers, end=b""):
    return word + b" " + struct.pack(f"<{len(numbers)}f", *numbers) + end


def file_of(tmp_path, data, name="v"):
    (tmp_path / name).write_bytes(data)
    return tmp_path / name


# ---- there and back -------------------------------------------------------------------------------


@BOTH
@given(words=st.lists(PLAIN_WORDS, unique=True, max_size=8), D=st.integers(1, 4), data=st.data())
@SAME_FOLDER
def test_words_and_numbers_come_back_exactly(tmp_path, read, write, words, D, data):
    size = len(words) * D
    matrix = np.array(data.draw(st.lists(FLOATS, min_size=size, max_size=size)), np.float32).reshape(-1, D)
    write(tmp_path / "v", words, matrix)
    found, values = read(tmp_path / "v")
    assert found == words
    assert values.tobytes() == matrix.tobytes()


@BOTH
@pytest.mark.parametrize("name", ["v", "v.gz"])
def test_many_blocks_join_without_a_seam(tmp_path, monkeypatch, read, write, name):
    monkeypatch.setattr(word2vec, "BLOCK_BYTES", 100)
    monkeypatch.setattr(word2vec, "COPIED_BYTES", 100)
    monkeypatch.setattr(word2vec, "AHEAD", 3)
    monkeypatch.setattr(rows, "BLOCK_BYTES", 100)
    words = [f"w{number}" for number in range(500)]
    matrix = np.random.default_rng(0).standard_normal((500, 16), dtype=np.float32)[:, :7]
    write(tmp_path / name, words, matrix)
    found, values = read(tmp_path / name)
    assert found == words
    np.testing.assert_array_equal(values, matrix)


@BOTH
def test_gz_is_packed(tmp_path, read, write):
    write(tmp_path / "v.gz", ["a"], np.ones((1, 2), np.float32))
    assert gzip.decompress((tmp_path / "v.gz").read_bytes()).startswith(b"1 2\na ")
    assert read(tmp_path / "v.gz")[0] == ["a"]


def test_text_has_the_fewest_digits(tmp_path):
    write_text(tmp_path / "v", ["a"], np.array([[0.1, -1, 1e-7]], np.float32))
    assert (tmp_path / "v").read_bytes() == b"1 3\na 0.1 -1 1e-7\n"


def test_binary_has_no_newlines(tmp_path):
    write_binary(tmp_path / "v", ["a", "b"], np.array([[1, 2], [3, 4]], np.float32))
    assert (tmp_path / "v").read_bytes() == b"2 2\n" + row(b"a", 1, 2) + row(b"b", 3, 4)


# ---- what others write ----------------------------------------------------------------------------


@pytest.mark.parametrize("end", [b"", b"\n"], ids=["gensim", "word2vec.c"])
def test_binary_rows_may_end_in_a_newline(tmp_path, end):
    path = file_of(tmp_path, b"2 2\n" + row(b"a", 1, 2, end=end) + row(b"b", 3, 4, end=end))
    words, matrix = read_binary(path)
    assert words == ["a", "b"]
    assert matrix.tolist() == [[1, 2], [3, 4]]


def test_binary_numbers_may_hold_spaces_and_newlines(tmp_path):
    tricky = struct.unpack("<f", b" \n \n")[0]
    path = file_of(tmp_path, b"2 2\n" + row(b"a", tricky, tricky, end=b"\n") + row(b"b", tricky, 1, end=b"\n"))
    assert read_binary(path)[0] == ["a", "b"]


@pytest.mark.parametrize("end", [b"\n", b" \n", b"\r\n"], ids=["gensim", "fastText", "Windows"])
def test_text_rows_end_in_many_ways(tmp_path, end):
    path = file_of(tmp_path, b"2 2\na 1 2" + end + b"b 3e0 -.5" + end)
    words, matrix = read_text(path)
    assert words == ["a", "b"]
    assert matrix.tolist() == [[1, 2], [3, -0.5]]


def test_a_byte_order_mark_before_the_sizes_is_passed_over(tmp_path):
    words, matrix = read_text(file_of(tmp_path, b"\xef\xbb\xbf1 2\nking 0.5 1\n"))
    assert (words, matrix.tolist()) == (["king"], [[0.5, 1.0]])
    assert recognised(tmp_path / "v").name == "word2vec-text"


def test_the_last_line_of_text_need_not_end(tmp_path):
    assert read_text(file_of(tmp_path, b"2 1\na 1\nb 2"))[0] == ["a", "b"]


def test_rows_of_text_that_end_differently_are_read(tmp_path):
    assert read_text(file_of(tmp_path, b"3 1\na 1\nb 2 \nc 3\r\n"))[1].tolist() == [[1], [2], [3]]


@pytest.mark.parametrize("word", ['"', "'", '"a', "\\", "\ufeff", "#", ",", "\u00a0", "\u2028", "NULL", "nan", "1"])
def test_words_of_any_look_are_read_from_text(tmp_path, word):
    assert read_text(file_of(tmp_path, f"2 1\n{word} 1\nb 2\n".encode()))[0] == [word, "b"]


@BOTH
def test_only_so_many_rows_are_read(tmp_path, read, write):
    write(tmp_path / "v", ["a", "b", "c"], np.ones((3, 2), np.float32))
    for limit in (0, 1, 3, 9):
        words, matrix = read(tmp_path / "v", limit=limit)
        assert words == ["a", "b", "c"][:limit]
        assert matrix.shape == (len(words), 2)


@READERS
@pytest.mark.parametrize(("errors", "word"), [("replace", "a\ufffd"), ("ignore", "a"), ("backslashreplace", "a\\xff")])
def test_bytes_that_are_not_utf8_may_be_kept(tmp_path, read, errors, word):
    rows = row(b"a\xff", 1) if read is read_binary else b"a\xff 1\n"
    assert read(file_of(tmp_path, b"1 1\n" + rows), encoding_errors=errors)[0] == [word]


@READERS
def test_bytes_that_are_not_utf8_are_told_with_their_place(tmp_path, read):
    rows = row(b"a", 1) + row(b"bc\xff", 1) if read is read_binary else b"a 1\nbc\xff 1\n"
    with pytest.raises(BadFile, match=r"row 2: byte 2 of the word b'bc\\xff' is not UTF-8; .*backslashreplace"):
        read(file_of(tmp_path, b"2 1\n" + rows))


def test_a_word_with_a_line_break_before_one_that_is_not_utf8_is_told(tmp_path):
    with pytest.raises(BadFile, match=r"row 2: byte 0 of the word b'\\xff'"):
        read_binary(file_of(tmp_path, b"2 1\n" + row(b"a\nb", 1) + row(b"\xff", 1)))


# ---- what is wrong --------------------------------------------------------------------------------


@READERS
@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "first line must be two whole numbers"),
        (b"the 0.1 0.2\n", "first line must be two whole numbers.*got b'the"),
        (b"-1 2\n", "first line must be two whole numbers"),
        (b"1 2 3\n", "first line must be two whole numbers"),
        (b"1" * 99 + b" 2\n", "first line must be two whole numbers"),
        (b"1 0\n", "vector_size must be 1 to 1000000, got 0"),
        (b"1 99999999\n", "vector_size must be 1 to 1000000, got 99999999"),
        (b"999999999999 300\na 1\n", "999999999999 words of 300 numbers need"),
        (b"2 2\n", "2 words of 2 numbers need"),
    ],
)
def test_a_header_that_lies_is_told_before_memory_is_taken(tmp_path, read, data, sentence):
    with pytest.raises(BadFile, match=sentence):
        read(file_of(tmp_path, data))


@READERS
def test_a_packed_header_that_lies_is_told_before_memory_is_taken(tmp_path, read):
    with pytest.raises(BadFile, match="words of 300 numbers need"):
        read(file_of(tmp_path, gzip.compress(b"999999999 300\n"), "v.gz"))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"2 2\na 1 2\nb 1\n", r"line 3: a row must be a word and 2 numbers, got 1 after the word b'b'"),
        (b"2 2\na 1 2\nb 1 2 3\n", r"line 3: a row must be a word and 2 numbers, got 3"),
        (b"2 2\na 1 2\n\nb 1 x\n", r"line 4: b'x' is not a number"),
        (b"2 2\na 1 2\nb 1 1_0\n", r"line 3: b'1_0' is not a number"),
        (b"2 2\na 1 2\nb  2\n", r"line 3: b'' is not a number"),
        (b"2 2\na 1 2\nb 1 1e39\n", r"line 3: b'1e39' is too large"),
        (b"2 1\na 1\na 2\n", r"must stand once, got 'a' in rows 1 and 2"),
        (b"2 1\naaaa 1\n", r"the header says 2 rows, got 1"),
        (b"1 1\na 1\nb 2\n", r"the header says 1 row, but there are more"),
    ],
)
def test_wrong_text_is_told_with_its_line(tmp_path, data, sentence):
    with pytest.raises(BadFile, match=sentence):
        read_text(file_of(tmp_path, data))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"2 1\n" + row(b"aaaaaaaaa", 1), "2 rows of 1 number, got 1; the file is cut short"),
        (b"2 1\n" + row(b"a", 1) + row(b"b", 1)[:-1], "got 1; the file is cut short"),
        (b"1 1\n" + row(b"a", 1) + row(b"b", 1), "1 row of 1 number, but there is more"),
        (b"2 1\n" + row(b"a", 1) + row(b"a", 1), "must stand once, got 'a' in rows 1 and 2"),
        (b"1 1\n" + row(b"a\nb", 1), r"row 1: a word must not hold a line break, got b'a\\nb'"),
        (b"1 1\n" + b"a" * (1 << 18), "got 0; the file is cut short or of another format"),
    ],
)
def test_wrong_binary_is_told(tmp_path, data, sentence):
    with pytest.raises(BadFile, match=sentence):
        read_binary(file_of(tmp_path, data))


@READERS
@given(data=st.binary(max_size=60), header=st.sampled_from([b"", b"1 1\n", b"2 2\n", b"3 1\r\n"]))
@example(data=b"a 1_0\n", header=b"1 1\n")
@example(data=b"a 0x1\n", header=b"1 1\n")
@example(data=b"\xef\xbb\xbf \xff\n", header=b"1 1\n")
@SAME_FOLDER
def test_garbage_gives_no_other_error(tmp_path, read, data, header):
    for name in ("v", "v.gz"):
        try:
            words, matrix = read(file_of(tmp_path, header + data, name))
            assert len(words) == len(matrix)
        except FirthError:
            pass


@given(st.text("ab 12.e-\n\r\t\"'_x", max_size=40))
@SAME_FOLDER
def test_text_that_is_nearly_right_gives_no_other_error(tmp_path, text):
    try:
        words, matrix = read_text(file_of(tmp_path, b"2 1\n" + text.encode()))
        assert matrix.shape == (2, 1)
        assert len(words) == 2
    except BadFile:
        pass


@READERS
def test_nothing_there_is_missing(tmp_path, read):
    with pytest.raises(MissingFile, match="check the path"):
        read(tmp_path / "none")


@READERS
def test_options_of_reading_are_checked(tmp_path, read):
    path = file_of(tmp_path, b"0 1\n")
    with pytest.raises(BadOption, match="encoding_errors must be one of strict"):
        read(path, encoding_errors="loose")
    with pytest.raises(BadOption, match="limit must be 0 or more, got -1"):
        read(path, limit=-1)


@pytest.mark.parametrize("write", [write_text, write_binary])
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["a", "new york"],
            "white space in word2vec's formats, got 'new york'; replace the white space by _",
        ),
        (["a", "b\n"], r"got 'b\\n'"),
        (["a", "b\tc"], r"got 'b\\tc'"),
        (["a", ""], "must not be empty .* got ''"),
        (["a", "a"], "must stand once, got 'a' in rows 1 and 2"),
        (["a", "\ud800"], "UTF-8 can hold"),
        (["a"], "a row for each of 1 words"),
    ],
)
def test_words_that_do_not_fit_are_not_written(tmp_path, write, words, sentence):
    with pytest.raises(BadOption, match=sentence):
        write(tmp_path / "v", words, np.ones((2, 2), np.float32))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("write", [write_text, write_binary])
def test_a_missing_folder_is_told(tmp_path, write):
    with pytest.raises(CannotWrite, match="create the folder first"):
        write(tmp_path / "none" / "v", ["a"], np.ones((1, 1), np.float32))
