"""Rows of text, a word and its numbers on each line: what word2vec's text, GloVe and TensorBoard share.

Text is written with the fewest digits that give each float32 back exactly. It is read some megabytes at a time: by
Arrow's CSV reader, and where that finds a fault line by line, to say what is wrong and where.
"""

from __future__ import annotations

import io
from array import array
from collections.abc import Iterator, Sequence
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from firth.errors import BadFile, counted
from firth.formats.checks import MAX_WORD_BYTES, Matrix
from firth.storage import AnyPath

BLOCK_BYTES = 4 << 20
NUMBER_BYTES = 64  # more than any number written with sense takes
LARGEST = float(np.finfo(np.float32).max)


def line_blocks(file: IO[bytes], D: int, path: AnyPath, start: bytes = b"") -> Iterator[bytes]:
    """`start` and the rest of the file in blocks of whole lines; the last need not end.

    Raises `BadFile` for a line that no word and D numbers fill: without an end to lines, memory would have none.
    """
    longest = max(BLOCK_BYTES, MAX_WORD_BYTES + NUMBER_BYTES * D)
    rest, held = [start], len(start)
    while more := file.read(BLOCK_BYTES):
        cut = more.rfind(b"\n") + 1
        if cut == 0:
            rest.append(more)
            held += len(more)
            if held > longest:
                raise BadFile(
                    f"{path}: a line goes on for more than {longest} bytes, longer than a word and {D} numbers; "
                    "the file is of another format, or damaged"
                )
            continue
        yield b"".join([*rest, more[:cut]])
        rest, held = [more[cut:]], len(more) - cut
    yield b"".join(rest)


def lines_in(block: bytes) -> Iterator[bytes]:
    """The lines of a block one by one, without their ends; a list of four million empty ones would take 33 MB."""
    return (line.removesuffix(b"\n") for line in io.BytesIO(block))


def parse_block(block: bytes, D: int, line: int, path: AnyPath, *, spaced: bool = False) -> tuple[list[bytes], Matrix]:
    """Words and float32 (rows, D) of a block of lines, the first of which is line number `line`.

    With `spaced`, words may hold spaces, as some of GloVe's do: what stands before the last D numbers is the word, if
    it does not itself end in a number.
    """
    try:
        words, values = _parse_fast(block, D)
    except (pa.ArrowException, ValueError):
        return _parse_lines(block, D, line, path, spaced)
    if not np.isfinite(values).all():  # Arrow makes infinity of a number too large for float32
        return _parse_lines(block, D, line, path, spaced)
    return words, values


def parse_numbers(block: bytes, D: int, line: int, path: AnyPath) -> Matrix:
    """Float32 (rows, D) of a block of lines that hold numbers alone, divided by tabs."""
    try:
        numbers = _matrix(_columns(block, [pa.float32()] * D, "\t"), D)
        if np.isfinite(numbers).all():
            return numbers
    except (pa.ArrowException, ValueError):
        pass
    values = array("f")
    for number, text in enumerate(lines_in(block), start=line):
        if text.strip():
            fields = text.rstrip(b"\t\r ").split(b"\t")
            if len(fields) != D:
                raise BadFile(
                    f"{path}, line {number}: a row must be {counted(D, 'number')}, got {len(fields)}; correct the line"
                )
            values.extend(_number(each, number, path) for each in fields)
    return np.array(values).reshape(-1, D)


def lines_of(words: Sequence[bytes], block: Matrix) -> bytes:
    """Rows of text: a word, and the fewest digits that give each float32 back, divided by spaces."""
    lines = pc.binary_join_element_wise(pa.array(words, pa.binary()), _joined(block, " "), b" ")
    return _data(pc.binary_join_element_wise(lines, b"", b"\n"))


def number_lines(block: Matrix) -> bytes:
    """Rows of numbers alone, divided by tabs."""
    return _data(pc.binary_join_element_wise(_joined(block, "\t"), b"", b"\n"))


def row_blocks(matrix: Matrix) -> Iterator[tuple[int, Matrix]]:
    """First row and contiguous rows, some megabytes at a time."""
    rows = max(1, BLOCK_BYTES // 4 // matrix.shape[1])
    for start in range(0, len(matrix), rows):
        yield start, np.ascontiguousarray(matrix[start : start + rows], dtype="<f4")


# ---- their parts ----------------------------------------------------------------------------------


def _joined(block: Matrix, delimiter: str) -> pa.Array:
    """One string of bytes for each row; Arrow writes the fewest digits that give a float32 back."""
    numbers = pc.cast(pa.array(block.ravel()), pa.string())
    ends = np.arange(0, block.size + 1, block.shape[1], dtype=np.int32)
    return pc.cast(pc.binary_join(pa.ListArray.from_arrays(ends, numbers), delimiter), pa.binary())


def _data(lines: pa.Array) -> bytes:
    """The bytes of all strings, joined."""
    _, _, data = lines.buffers()
    return bytes(data)[: pc.sum(pc.binary_length(lines)).as_py()] if len(lines) else b""


def _parse_fast(block: bytes, D: int) -> tuple[list[bytes], Matrix]:
    """By Arrow's CSV reader, which finds fields and reads numbers in parallel."""
    table = _columns(_without_space_at_ends(block), [pa.binary(), *[pa.float32()] * D], " ")
    return table.column(0).to_pylist(), _matrix(table.drop_columns("0"), D)


def _columns(block: bytes, kinds: list[pa.DataType], delimiter: str) -> pa.Table:
    named = {str(column): kind for column, kind in enumerate(kinds)}
    if not block or block.isspace():
        return pa.schema(named).empty_table()
    # The newline in front, a blank line, keeps Arrow from taking a first word's U+FEFF for a byte order mark.
    return pyarrow.csv.read_csv(
        pa.BufferReader(b"\n" + block),
        read_options=pyarrow.csv.ReadOptions(column_names=list(named), block_size=len(block) + 1),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=delimiter, quote_char=False, double_quote=False, escape_char=False
        ),
        convert_options=pyarrow.csv.ConvertOptions(column_types=named, null_values=[], check_utf8=False),
    )


def _matrix(table: pa.Table, D: int) -> Matrix:
    values = np.empty((len(table), D), np.float32)
    for column in range(D):
        values[:, column] = table.column(column).to_numpy()
    return values


def _without_space_at_ends(block: bytes) -> bytes:
    """Lines without the space that fastText and word2vec.c leave behind the last number."""
    spaced = block[: block.find(b"\n") + 1].endswith(b" \n")
    return block.replace(b" \n", b"\n") if spaced else block


def _parse_lines(block: bytes, D: int, line: int, path: AnyPath, spaced: bool) -> tuple[list[bytes], Matrix]:
    """Line by line: slow, but it says what is wrong and where."""
    words: list[bytes] = []
    values = array("f")
    for number, text in enumerate(lines_in(block), start=line):
        word, *fields = text.rstrip(b" \r").split(b" ")
        if not word and not fields:
            continue
        if spaced and len(fields) > D and not is_number(fields[-D - 1]):
            word, fields = b" ".join([word, *fields[:-D]]), fields[-D:]
        if len(fields) != D:
            raise BadFile(
                f"{path}, line {number}: a row must be a word and {counted(D, 'number')}, got {len(fields)} after the "
                f"word {word[:40]!r}; correct the line, or the vector size in the first line"
            )
        words.append(word)
        values.extend(_number(each, number, path) for each in fields)
    return words, np.array(values).reshape(-1, D)


def is_number(text: bytes) -> bool:
    """Whether `text` reads as a number."""
    try:
        float(text.replace(b"_", b"?"))  # Python alone reads 1_000 as a number
    except ValueError:
        return False
    return True


def _number(text: bytes, line: int, path: AnyPath) -> float:
    if not is_number(text):
        raise BadFile(f"{path}, line {line}: {text[:40]!r} is not a number; correct the line")
    value = float(text)
    if LARGEST < abs(value) < np.inf:
        raise BadFile(f"{path}, line {line}: {text[:40]!r} is too large for 32 bits; scale the vectors down")
    return value
