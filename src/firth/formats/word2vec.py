"""word2vec.c's two formats, as gensim and fastText (.vec) know them.

Both begin with a line `V D`. Then each of the V rows is a word and its D numbers:

    text    word 0.25 -1.5 ...      one line each; fastText and word2vec.c leave a space at its end
    binary  word<space><D float32>  little-endian; word2vec.c ends the row with a newline, gensim does not

Names that end in .gz are unpacked and packed on the way. Bytes that `surrogateescape` kept in words when they were
read are written as they were.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, TypeAlias

import numpy as np

from firth.errors import BadFile, BadOption, CutShort, counted
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
from firth.options import usable_cores
from firth.storage import AnyPath, is_gzip, mapped, opened, replaced_packed

_RowSize: TypeAlias = Callable[[int], int]

BLOCK_BYTES = 1 << 20  # what stays in a core's cache while it is cut
COPIERS = 4  # threads that copy numbers while one cuts words
COPIED_BYTES = 4 << 20  # by one of them at once
AHEAD = 16  # such copies that may wait
HEADER_BYTES = 64  # two numbers of 20 digits and room to spare

# A text editor may have put a byte-order mark before it.
_HEADER = re.compile(rb"(?:\xef\xbb\xbf)?\s*([0-9]+)[ \t]+([0-9]+)\s*")
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
                raise BadFile(f"{path}: the header says {counted(V, 'row')}, but there are more; correct the header")
            kept = min(len(found), rows - len(words))
            matrix[len(words) : len(words) + kept] = values[:kept]
            words += decoded(found[:kept], encoding_errors, len(words) + 1, path)
    if len(words) < rows:
        raise CutShort(
            f"{path}: the header says {counted(V, 'row')}, got {len(words)}; the file is cut short, fetch it anew"
        )
    check_unique(words, BadFile, f"{path}: ")
    return words, matrix


def read_binary(
    path: AnyPath, *, encoding_errors: str = "strict", limit: int | None = None
) -> tuple[list[str], Matrix]:
    """The words and the float32 (V, D) matrix of a binary file; arguments and errors as for `read_text`."""
    check_reading(encoding_errors, limit)
    with opened(path) as file, ThreadPoolExecutor(min(COPIERS, usable_cores())) as pool:
        V, D, rows = _read_header(file, path, least_row=lambda D: 4 * D + 1, limit=limit)
        words: list[str] = []
        matrix = new_matrix(rows, D, path)
        at_once = max(1, COPIED_BYTES // (4 * D))
        held = _Held(file, path, D)
        copies: list[Future[None]] = []
        while len(words) < rows:
            found, starts = _cut_rows(held, D, min(at_once, rows - len(words)))
            if found:
                copies.append(pool.submit(held.copy_rows, starts, matrix[len(words) : len(words) + len(found)]))
                words += decoded(found, encoding_errors, len(words) + 1, path)
            if not found or len(copies) == AHEAD:
                _wait(copies)
                held.forget()
            if not found and (len(held) > MAX_WORD_BYTES + 4 * D or not held.more()):
                raise CutShort(
                    f"{path}: the header says {counted(V, 'row')} of {counted(D, 'number')}, got {len(words)}; "
                    "the file is cut short or of another format, fetch it anew"
                )
        _wait(copies)
        if limit is None and held.rest().strip(b"\n"):
            raise BadFile(
                f"{path}: the header says {counted(V, 'row')} of {counted(D, 'number')}, but there is more; correct "
                "the header"
            )
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
                if len(word) > MAX_WORD_BYTES:
                    raise BadOption(f"words must have {MAX_WORD_BYTES} bytes at most, got {len(word)}; shorten it")
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


class _Held:
    """Bytes of a file that are at hand, from `begin` to before `end` of `block`.

    A plain file is mapped, all of it: whoever cuts it short meanwhile ends this process (SIGBUS). Of one that is
    packed, or a pipe, a block is read after another.
    """

    block: mmap.mmap | bytearray

    def __init__(self, file: IO[bytes], path: AnyPath, D: int) -> None:
        self._file, self._width = file, 4 * D
        self.begin = self.end = self._forgotten = 0
        if is_gzip(path) or not Path(path).is_file():
            self.block = bytearray(max(BLOCK_BYTES, 2 * (MAX_WORD_BYTES + self._width)))
        else:
            self.block = mapped(file, path)
            self.begin, self.end = file.tell(), len(self.block)

    def __len__(self) -> int:
        return self.end - self.begin

    def more(self) -> bool:
        """Read on, behind what is held; False where nothing is left to read."""
        if isinstance(self.block, mmap.mmap):
            return False
        self.block[: len(self)] = self.block[self.begin : self.end]
        self.begin, self.end = 0, len(self)
        got: int = self._file.readinto(memoryview(self.block)[self.end :])  # type: ignore[attr-defined]
        self.end += got
        return got > 0

    def copy_rows(self, starts: list[int], target: Matrix) -> None:
        """Copy the numbers that begin at these places into rows; other threads may run meanwhile."""
        # Numbers begin anywhere: each row is seen as one item of as many bytes, and NumPy gathers these.
        items = np.ndarray((self.end - self._width + 1,), f"V{self._width}", self.block, strides=(1,))
        target[:] = items[np.array(starts, np.intp)].view("<f4").reshape(target.shape)

    def forget(self) -> None:
        """Take pages that are done with out of this process's memory."""
        page = self.begin // mmap.PAGESIZE * mmap.PAGESIZE
        if isinstance(self.block, mmap.mmap) and hasattr(self.block, "madvise") and page > self._forgotten:
            self.block.madvise(mmap.MADV_DONTNEED, self._forgotten, page - self._forgotten)
            self._forgotten = page

    def rest(self) -> bytes:
        """The beginning of what is left, of the file, too."""
        self.more()
        return bytes(self.block[self.begin : min(self.end, self.begin + BLOCK_BYTES)])


def _wait(copies: list[Future[None]]) -> None:
    """Wait for all, raise what any raised, and empty the list."""
    for copy in copies:
        copy.result()
    copies.clear()


def _cut_rows(held: _Held, D: int, most: int) -> tuple[list[bytes], list[int]]:
    """Take up to `most` whole rows from what is held: their words, and where the numbers of each begin."""
    pieces: list[bytes | bytearray] = []
    starts: list[int] = []
    block, end, find = held.block, held.begin, held.block.find
    last = max(0, held.end - 4 * D)  # where the numbers of a row that is there may begin
    behind = 1 + 4 * D  # a space and the numbers
    for _ in range(most):
        space = find(b" ", end, last)
        if space < 0 or space - end > MAX_WORD_BYTES:
            break
        pieces.append(block[end:space])
        starts.append(space + 1)
        end = space + behind
    held.begin = end
    words = list(map(bytes, pieces))
    if b"\n" in b"".join(words):  # word2vec.c's rows end so
        words = [word.lstrip(b"\n") for word in words]
    return words, starts
