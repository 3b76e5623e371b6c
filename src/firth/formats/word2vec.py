"""word2vec.c's two formats, as gensim and fastText (.vec) know them.

Both begin with a line `V D`. Then each of the V rows is a word and its D numbers:

    text    word 0.25 -1.5 ...      one line each; fastText and word2vec.c leave a space at its end
    binary  word<space><D float32>  little-endian; word2vec.c ends the row with a newline, gensim does not

Names that end in .gz are unpacked and packed on the way. Text is written with the fewest digits that give
each float32 back exactly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from firth.errors import BadFile, BadOption
from firth.storage import AnyPath, is_gzip, opened, replaced_packed

Matrix: TypeAlias = NDArray[np.float32]
_RowSize: TypeAlias = Callable[[int], int]

BLOCK_BYTES = 4 << 20
HEADER_BYTES = 64  # two numbers of 20 digits and room to spare
MAX_VECTOR_SIZE = 1_000_000
MAX_WORD_BYTES = 1 << 16  # word2vec.c cuts words at 100 bytes; without a bound, garbage is searched to its end
LARGEST = float(np.finfo(np.float32).max)
GZIP_MOST = 1032  # https://zlib.net/zlib_tech.html: deflate cannot pack tighter than 1032 to 1
ENCODING_ERRORS = ("strict", "replace", "ignore", "backslashreplace")

_HEADER = re.compile(rb"\s*([0-9]+)[ \t]+([0-9]+)\s*")
_BLANK = re.compile(r"[ \t\r\v\f]")


def read_text(path: AnyPath, *, encoding_errors: str = "strict", limit: int | None = None) -> tuple[list[str], Matrix]:
    r"""The words and the float32 (V, D) matrix of a text file; at most `limit` rows.

    `encoding_errors` says what becomes of words that are not UTF-8: strict raises, replace puts U+FFFD,
    ignore leaves the bytes out, backslashreplace writes them as \xNN and so keeps all words apart.

    Raises:
        MissingFile: nothing is there, or it may not be read.
        BadFile: no header, a row too short or too long, not a number, fewer or more rows than the header
            says, a word twice, or not UTF-8 under strict.
        BadOption: an unknown value of `encoding_errors`, or a limit below 0.
    """
    _check_reading(encoding_errors, limit)
    with opened(path) as file:
        V, D, rows = _read_header(file, path, least_row=lambda D: 2 * D + 1, limit=limit)
        words: list[str] = []
        matrix = np.empty((rows, D), np.float32)
        line = 2
        for block in _line_blocks(file):
            if limit is not None and len(words) == rows:
                break
            found, values = _parse_block(block, D, line, path)
            line += block.count(b"\n")
            if len(words) + len(found) > V:
                raise BadFile(f"{path}: the header says {V} rows, but there are more; correct the header")
            kept = min(len(found), rows - len(words))
            matrix[len(words) : len(words) + kept] = values[:kept]
            words += _decoded(found[:kept], encoding_errors, len(words) + 1, path)
    if len(words) < rows:
        raise BadFile(f"{path}: the header says {V} rows, got {len(words)}; the file is cut short, fetch it anew")
    _check_unique(words, BadFile, f"{path}: ")
    return words, matrix


def read_binary(
    path: AnyPath, *, encoding_errors: str = "strict", limit: int | None = None
) -> tuple[list[str], Matrix]:
    """The words and the float32 (V, D) matrix of a binary file; arguments and errors as for `read_text`."""
    _check_reading(encoding_errors, limit)
    with opened(path) as file:
        V, D, rows = _read_header(file, path, least_row=lambda D: 4 * D + 1, limit=limit)
        words: list[str] = []
        matrix = np.empty((rows, D), np.float32)
        rest = b""
        while len(words) < rows:
            more = file.read(BLOCK_BYTES)
            found, values, rest = _cut_rows(rest + more, D, rows - len(words))
            if not found and (not more or (b" " not in rest and len(rest) > MAX_WORD_BYTES)):
                raise BadFile(
                    f"{path}: the header says {V} rows of {D} numbers, got {len(words)}; "
                    "the file is cut short or of another format, fetch it anew"
                )
            matrix[len(words) : len(words) + len(found)] = np.frombuffer(values, "<f4").reshape(-1, D)
            words += _decoded(found, encoding_errors, len(words) + 1, path)
        if limit is None and (rest + file.read(BLOCK_BYTES)).strip(b"\n"):
            raise BadFile(f"{path}: the header says {V} rows of {D} numbers, but there is more; correct the header")
    _check_unique(words, BadFile, f"{path}: ")
    return words, matrix


def write_text(path: AnyPath, words: Sequence[str], matrix: Matrix) -> None:
    """Write V words and their float32 (V, D) matrix, which may be strided, as text.

    Raises:
        BadOption: a word is empty, given twice or holds white space, or the sizes do not agree.
        CannotWrite: the disk is full, or the place may not be written.
    """
    _check_writing(words, matrix)
    with replaced_packed(path) as file:
        file.write(b"%d %d\n" % matrix.shape)
        for start, block in _row_blocks(matrix):
            file.write(_lines(words[start : start + len(block)], block))


def write_binary(path: AnyPath, words: Sequence[str], matrix: Matrix) -> None:
    """Write V words and their float32 (V, D) matrix in binary, no newlines; errors as for `write_text`."""
    _check_writing(words, matrix)
    with replaced_packed(path) as file:
        file.write(b"%d %d\n" % matrix.shape)
        for start, block in _row_blocks(matrix):
            values, width = block.data.cast("B"), 4 * block.shape[1]
            pieces: list[bytes | memoryview] = []
            for row, word in enumerate(words[start : start + len(block)]):
                pieces += (word.encode(), b" ", values[row * width : (row + 1) * width])
            file.write(b"".join(pieces))


# ---- header and words -----------------------------------------------------------------------------


def read_header(line: bytes) -> tuple[int, int] | None:
    """V and D of a file that begins with `line`, or None where it is no header."""
    match = _HEADER.fullmatch(line.partition(b"\n")[0]) if b"\n" in line[:HEADER_BYTES] else None
    return (int(match[1]), int(match[2])) if match else None


def _read_header(file: IO[bytes], path: AnyPath, least_row: _RowSize, limit: int | None) -> tuple[int, int, int]:
    """V, D and the number of rows to read, found to fit into the file before memory is taken for them."""
    line = file.readline(HEADER_BYTES)
    sizes = read_header(line)
    if sizes is None:
        raise BadFile(
            f"{path}: the first line must be two whole numbers, `words vector_size`, got {line[:40]!r}; "
            "add that line, or read the file in its own format"
        )
    V, D = sizes
    if not 1 <= D <= MAX_VECTOR_SIZE:
        raise BadFile(f"{path}: vector_size must be 1 to {MAX_VECTOR_SIZE}, got {D}; correct the first line")
    size = Path(path).stat().st_size
    room = size * GZIP_MOST if is_gzip(path) else size - len(line)
    if Path(path).is_file() and V * least_row(D) - 1 > room:  # a pipe has no size to check
        raise BadFile(
            f"{path}: {V} words of {D} numbers need {V * least_row(D)} bytes or more, but there is room for "
            f"{room}; the file is cut short or its first line is wrong, fetch it anew"
        )
    return V, D, V if limit is None else min(V, limit)


def _decoded(rows: Sequence[bytes], errors: str, first_row: int, path: AnyPath) -> list[str]:
    """Words as strings; all at once, since that is far faster than one by one."""
    if not rows:
        return []
    joined = b"\n".join(rows)
    try:
        words = joined.decode("utf-8", errors).split("\n")
    except UnicodeDecodeError as error:
        row = joined.count(b"\n", 0, error.start)
        position = error.start - (joined.rfind(b"\n", 0, error.start) + 1)
        raise BadFile(
            f"{path}, row {first_row + row}: byte {position} of the word {rows[row][:40]!r} is not UTF-8; "
            "read the file with encoding_errors='backslashreplace' to keep such words, "
            "or 'ignore' to drop the bytes"
        ) from error
    if len(words) != len(rows):
        row = next(row for row, word in enumerate(rows) if b"\n" in word)
        raise BadFile(f"{path}, row {first_row + row}: a word must not hold a line break, got {rows[row][:40]!r}")
    return words


def _check_unique(words: Sequence[str], error: type[BadFile | BadOption], where: str = "") -> None:
    if len(set(words)) == len(words):
        return
    seen: dict[str, int] = {}
    for row, word in enumerate(words, start=1):
        if word in seen:
            raise error(f"{where}a word must stand once, got {word!r} in rows {seen[word]} and {row}; leave one out")
        seen[word] = row


def _check_reading(encoding_errors: str, limit: int | None) -> None:
    if encoding_errors not in ENCODING_ERRORS:
        raise BadOption(f"encoding_errors must be one of {', '.join(ENCODING_ERRORS)}; got {encoding_errors!r}")
    if limit is not None and limit < 0:
        raise BadOption(f"limit must be 0 or more, got {limit}; leave it out to read every row")


def _check_writing(words: Sequence[str], matrix: Matrix) -> None:
    if matrix.ndim != 2 or len(words) != len(matrix) or matrix.shape[1] < 1:
        raise BadOption(f"the matrix must have a row for each of {len(words)} words, got the shape {matrix.shape}")
    joined = "\n".join(words)
    if _BLANK.search(joined) or joined.count("\n") >= max(len(words), 1) or "" in words:
        bad = next(word for word in words if not word or "\n" in word or _BLANK.search(word))
        raise BadOption(
            f"words must not be empty or hold white space in word2vec's formats, got {bad!r}; "
            "replace the white space by _, or save as .safetensors"
        )
    try:
        joined.encode()
    except UnicodeEncodeError as error:
        raise BadOption(f"words must be strings that UTF-8 can hold ({error}); leave the others out") from error
    _check_unique(words, BadOption)


def _row_blocks(matrix: Matrix) -> Iterator[tuple[int, Matrix]]:
    """First row and contiguous rows, some megabytes at a time."""
    rows = max(1, BLOCK_BYTES // 4 // matrix.shape[1])
    for start in range(0, len(matrix), rows):
        yield start, np.ascontiguousarray(matrix[start : start + rows], dtype="<f4")


# ---- binary -----------------------------------------------------------------------------------------


def _cut_rows(data: bytes, D: int, most: int) -> tuple[list[bytes], bytes, bytes]:
    """Up to `most` whole rows at the start of `data`: their words, their numbers joined, and what is left."""
    words: list[bytes] = []
    values: list[memoryview] = []
    view, width, position = memoryview(data), 4 * D, 0
    while len(words) < most:
        space = data.find(b" ", position, position + MAX_WORD_BYTES)
        stop = space + 1 + width
        if space < 0 or stop > len(data):
            break
        words.append(data[position:space].lstrip(b"\n"))
        values.append(view[space + 1 : stop])
        position = stop
    return words, b"".join(values), data[position:]


# ---- text -------------------------------------------------------------------------------------------


def _line_blocks(file: IO[bytes]) -> Iterator[bytes]:
    """The rest of the file in blocks of whole lines."""
    rest: list[bytes] = []
    while more := file.read(BLOCK_BYTES):
        cut = more.rfind(b"\n") + 1
        if cut == 0:
            rest.append(more)
            continue
        yield b"".join([*rest, more[:cut]])
        rest = [more[cut:]]
    yield b"".join(rest)


def _parse_block(block: bytes, D: int, line: int, path: AnyPath) -> tuple[list[bytes], Matrix]:
    """Words and float32 (rows, D) of a block of lines, the first of which is line number `line`."""
    try:
        words, values = _parse_fast(block, D)
    except pa.ArrowException:
        return _parse_lines(block, D, line, path)
    if not np.isfinite(values).all():  # Arrow makes infinity of a number too large for float32
        return _parse_lines(block, D, line, path)
    return words, values


def _parse_fast(block: bytes, D: int) -> tuple[list[bytes], Matrix]:
    """By Arrow's CSV reader, which finds fields and reads numbers in parallel."""
    if not block or block.isspace():
        return [], np.empty((0, D), np.float32)
    names = [str(column) for column in range(D + 1)]
    kinds = {name: pa.float32() for name in names[1:]} | {"0": pa.binary()}
    # The newline in front, a blank line, keeps Arrow from taking a first word's U+FEFF for a byte order mark.
    table = pyarrow.csv.read_csv(
        pa.BufferReader(b"\n" + _without_space_at_ends(block)),
        read_options=pyarrow.csv.ReadOptions(column_names=names, block_size=len(block) + 1),
        parse_options=pyarrow.csv.ParseOptions(delimiter=" ", quote_char=False, double_quote=False, escape_char=False),
        convert_options=pyarrow.csv.ConvertOptions(column_types=kinds, null_values=[], check_utf8=False),
    )
    values = np.empty((len(table), D), np.float32)
    for column in range(D):
        values[:, column] = table.column(column + 1).to_numpy()
    return table.column(0).to_pylist(), values


def _without_space_at_ends(block: bytes) -> bytes:
    """Lines without the space that fastText and word2vec.c leave behind the last number."""
    spaced = block[: block.find(b"\n") + 1].endswith(b" \n")
    return block.replace(b" \n", b"\n") if spaced else block


def _parse_lines(block: bytes, D: int, line: int, path: AnyPath) -> tuple[list[bytes], Matrix]:
    """Line by line: slow, but it says what is wrong and where."""
    words: list[bytes] = []
    rows: list[Matrix] = []
    for number, text in enumerate(block.split(b"\n"), start=line):
        word, *fields = text.rstrip(b" \r").split(b" ")
        if not word and not fields:
            continue
        if len(fields) != D:
            raise BadFile(
                f"{path}, line {number}: a row must be a word and {D} numbers, got {len(fields)} after the "
                f"word {word[:40]!r}; correct the line, or the vector size in the first line"
            )
        words.append(word)
        rows.append(np.array([_number(each, number, path) for each in fields], np.float32))
    return words, np.array(rows, np.float32).reshape(-1, D)


def _number(text: bytes, line: int, path: AnyPath) -> float:
    try:
        value = float(text.replace(b"_", b"?"))  # Python alone reads 1_000 as a number
    except ValueError as error:
        raise BadFile(f"{path}, line {line}: {text[:40]!r} is not a number; correct the line") from error
    if LARGEST < abs(value) < np.inf:
        raise BadFile(f"{path}, line {line}: {text[:40]!r} is too large for 32 bits; scale the vectors down")
    return value


def _lines(words: Sequence[str], block: Matrix) -> bytes:
    """Rows of text: Arrow writes the fewest digits that give a float32 back."""
    numbers = pc.cast(pa.array(block.ravel()), pa.string())
    ends = np.arange(0, block.size + 1, block.shape[1], dtype=np.int32)
    rows = pc.binary_join(pa.ListArray.from_arrays(ends, numbers), " ")
    lines = pc.binary_join_element_wise(pa.array(words, pa.string()), rows, " ")
    ended = pc.binary_join_element_wise(lines, "", "\n")
    _, _, data = ended.buffers()
    return bytes(data)[: pc.sum(pc.binary_length(ended)).as_py()]
