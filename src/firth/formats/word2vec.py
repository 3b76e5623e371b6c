"""word2vec.c's two formats, as gensim and fastText (.vec) know them.

Both begin with a line `V D`. Then each of the V rows is a word and its D numbers:

    text    word 0.25 -1.5 ...      one line each; fastText and word2vec.c leave a space at its end
    binary  word<space><D float32>  little-endian; word2vec.c ends the row with a newline, gensim does not

Names that end in .gz are unpacked and packed on the way. Bytes that `surrogateescape` kept in words when they were
read are written as they were.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import IO, TypeAlias

import numpy as np

from firth.errors import BadFile, BadOption, CutShort
from firth.formats.checks import (
    MAX_WORD_BYTES,
    Matrix,
    check_matrix,
    check_reading,
    check_sizes,
    check_unique,
    decoded,
    encoded,
    new_matrix,
)
from firth.formats.rows import line_blocks, lines_of, parse_block, row_blocks
from firth.storage import AnyPath, opened, replaced_packed

_RowSize: TypeAlias = Callable[[int], int]

BLOCK_BYTES = 1 << 20  # what stays in a core's cache while it is cut
HEADER_BYTES = 64  # two numbers of 20 digits and room to spare

_HEADER = re.compile(rb"\s*([0-9]+)[ \t]+([0-9]+)\s*")
_BLANK = re.compile(r"[ \t\r\v\f]")


def read_text(path: AnyPath, *, encoding_errors: str = "strict", limit: int | None = None) -> tuple[list[str], Matrix]:
    r"""The words and the float32 (V, D) matrix of a text file; at most `limit` rows.

    `encoding_errors` says what becomes of words that are not UTF-8: strict raises, replace puts U+FFFD,
    ignore leaves the bytes out, backslashreplace writes them as \xNN and so keeps all words apart,
    surrogateescape keeps the bytes themselves, so that writing the words gives them back.

    Raises:
        MissingFile: nothing is there, or it may not be read.
        BadFile: no header, a row too short or too long, not a number, fewer or more rows than the header
            says, a word twice, or not UTF-8 under strict.
        BadOption: an unknown value of `encoding_errors`, or a limit below 0.
    """
    check_reading(encoding_errors, limit)
    with opened(path) as file:
        V, D, rows = _read_header(file, path, least_row=lambda D: 2 * D + 1, limit=limit)
        words: list[str] = []
        matrix = new_matrix(rows, D, path)
        line = 2
        for block in line_blocks(file, D, path):
            if limit is not None and len(words) == rows:
                break
            found, values = parse_block(block, D, line, path)
            line += block.count(b"\n")
            if len(words) + len(found) > V:
                raise BadFile(f"{path}: the header says {V} rows, but there are more; correct the header")
            kept = min(len(found), rows - len(words))
            matrix[len(words) : len(words) + kept] = values[:kept]
            words += decoded(found[:kept], encoding_errors, len(words) + 1, path)
    if len(words) < rows:
        raise CutShort(f"{path}: the header says {V} rows, got {len(words)}; the file is cut short, fetch it anew")
    check_unique(words, BadFile, f"{path}: ")
    return words, matrix


def read_binary(
    path: AnyPath, *, encoding_errors: str = "strict", limit: int | None = None
) -> tuple[list[str], Matrix]:
    """The words and the float32 (V, D) matrix of a binary file; arguments and errors as for `read_text`."""
    check_reading(encoding_errors, limit)
    with opened(path) as file:
        V, D, rows = _read_header(file, path, least_row=lambda D: 4 * D + 1, limit=limit)
        words: list[str] = []
        matrix = new_matrix(rows, D, path)
        block = bytearray(max(BLOCK_BYTES, 2 * (MAX_WORD_BYTES + 4 * D)))
        held = 0  # bytes of it that wait for what comes after them
        while len(words) < rows:
            got = file.readinto(memoryview(block)[held:])  # type: ignore[attr-defined]
            found, numbers, end = _cut_rows(block, held + got, D, rows - len(words))
            if not found and (not got or held + got > MAX_WORD_BYTES + 4 * D):
                raise CutShort(
                    f"{path}: the header says {V} rows of {D} numbers, got {len(words)}; "
                    "the file is cut short or of another format, fetch it anew"
                )
            matrix[len(words) : len(words) + len(found)] = numbers
            words += decoded(found, encoding_errors, len(words) + 1, path)
            held += got - end
            block[:held] = block[end : end + held]
        if limit is None and (block[:held] + file.read(BLOCK_BYTES)).strip(b"\n"):
            raise BadFile(f"{path}: the header says {V} rows of {D} numbers, but there is more; correct the header")
    check_unique(words, BadFile, f"{path}: ")
    return words, matrix


def write_text(path: AnyPath, words: Sequence[str], matrix: Matrix) -> None:
    """Write V words and their float32 (V, D) matrix, which may be strided, as text.

    Raises:
        BadOption: a word is empty, given twice or holds white space, or the sizes do not agree.
        CannotWrite: the disk is full, or the place may not be written.
    """
    check_writing(words, matrix)
    with replaced_packed(path) as file:
        file.write(b"%d %d\n" % matrix.shape)
        for start, block in row_blocks(matrix):
            file.write(lines_of(encoded(words[start : start + len(block)]), block))


def write_binary(path: AnyPath, words: Sequence[str], matrix: Matrix) -> None:
    """Write V words and their float32 (V, D) matrix in binary, no newlines; errors as for `write_text`."""
    check_writing(words, matrix)
    with replaced_packed(path) as file:
        file.write(b"%d %d\n" % matrix.shape)
        for start, block in row_blocks(matrix):
            values, width = block.data.cast("B"), 4 * block.shape[1]
            pieces: list[bytes | memoryview] = []
            for row, word in enumerate(encoded(words[start : start + len(block)])):
                pieces += (word, b" ", values[row * width : (row + 1) * width])
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
    check_sizes(V, D, least_row(D), path, before=len(line))
    return V, D, V if limit is None else min(V, limit)


def check_writing(words: Sequence[str], matrix: Matrix) -> None:
    """Raise `BadOption` for words that cannot stand before a space, or sizes that do not agree."""
    check_matrix(words, matrix)
    joined = "\n".join(words)
    if _BLANK.search(joined) or joined.count("\n") >= max(len(words), 1) or "" in words:
        bad = next(word for word in words if not word or "\n" in word or _BLANK.search(word))
        raise BadOption(
            f"words must not be empty or hold white space in word2vec's formats, got {bad!r}; "
            "replace the white space by _, or save as .safetensors"
        )
    encoded(["".join(words)])
    check_unique(words, BadOption)


# ---- binary -----------------------------------------------------------------------------------------


def _cut_rows(block: bytearray, size: int, D: int, most: int) -> tuple[list[bytes], Matrix, int]:
    """Up to `most` whole rows at the start of the `size` bytes that `block` holds, and where they end.

    Gives their words, and their numbers, float32 (rows, D).
    """
    words: list[bytes] = []
    starts: list[int] = []  # of their numbers
    width, end, find = 4 * D, 0, block.find
    last = size - width  # where the numbers of a row that is there may begin
    while len(words) < most:
        space = find(b" ", end, max(0, min(end + MAX_WORD_BYTES, last)))
        if space < 0:
            break
        words.append(bytes(block[end:space]).lstrip(b"\n"))
        starts.append(space + 1)
        end = space + 1 + width
    # Numbers begin anywhere: each row is seen as one item of as many bytes, and NumPy gathers these.
    items = np.ndarray((max(last + 1, 0),), f"V{width}", block, strides=(1,))
    numbers = items[np.array(starts, np.intp)].view("<f4").reshape(-1, D)
    return words, numbers, end
