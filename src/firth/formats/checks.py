"""What every reader and writer asks of words, sizes and options, before memory is taken.

Files come from strangers: a header may claim more than the file holds or the machine has, and a packed file may
unpack without end. Nothing is allocated for a number that was only claimed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import IO, TypeAlias

import numpy as np
from numpy.typing import NDArray

from firth.errors import BadFile, BadOption, CutShort
from firth.memory import machine_memory_bytes
from firth.storage import AnyPath, is_gzip

Matrix: TypeAlias = NDArray[np.float32]

BLOCK_BYTES = 4 << 20
MAX_VECTOR_SIZE = 1_000_000
MAX_WORD_BYTES = 1 << 16  # word2vec.c cuts words at 100 bytes; without a bound, garbage is searched to its end
DEFLATE_MOST = 1032  # https://zlib.net/zlib_tech.html: deflate cannot pack tighter than 1032 to 1
ENCODING_ERRORS = ("strict", "replace", "ignore", "backslashreplace", "surrogateescape")
GROWTH = 1.25  # of a matrix whose rows are not known beforehand
PICKLE = b"\x80"  # the first byte of a pickle of protocol 2 to 5; then comes the protocol's number
PICKLE_PROTOCOLS = (2, 3, 4, 5)
HEADER_STARTS = 8  # bytes of a safetensors file, which hold the length of the header and may look like a pickle's


def check_reading(encoding_errors: str, limit: int | None) -> None:
    """Raise `BadOption` for an unknown policy or a limit below 0."""
    if encoding_errors not in ENCODING_ERRORS:
        raise BadOption(f"encoding_errors must be one of {', '.join(ENCODING_ERRORS)}; got {encoding_errors!r}")
    if limit is not None and limit < 0:
        raise BadOption(f"limit must be 0 or more, got {limit}; leave it out to read every row")


def check_no_pickle(first: bytes, path: AnyPath) -> None:
    """Raise `BadFile` where the first bytes of a file are a pickle's, such as those that gensim's `save` writes.

    To be asked of files that could not be read as something else. `first` are HEADER_STARTS + 1 bytes or more, or all.
    """
    begins = len(first) > 1 and first[:1] == PICKLE and first[1] in PICKLE_PROTOCOLS
    if begins and first[HEADER_STARTS : HEADER_STARTS + 1] != b"{":
        raise BadFile(
            f"{path} is pickled, as gensim's save does it, and nothing is ever unpickled here; "
            'have gensim write wv.save_word2vec_format("vectors.bin", binary=True)'
        )


def check_sizes(V: int, D: int, least_row: int, path: AnyPath, before: int = 0) -> None:
    """Raise `BadFile` where V rows of D numbers, `least_row` bytes each or more, cannot stand in the file.

    `before` are the bytes that stand before them. A pipe has no size to check.
    """
    if not 1 <= D <= MAX_VECTOR_SIZE:
        raise BadFile(f"{path}: vector_size must be 1 to {MAX_VECTOR_SIZE}, got {D}; correct the header")
    room = unpacked_room(path)
    if room is not None and V * least_row - 1 > room - before:  # a last line may want its newline
        raise CutShort(
            f"{path}: {V} words of {D} numbers need {V * least_row} bytes or more, but there is room for "
            f"{room - before}; the file is cut short or its header is wrong, fetch it anew"
        )


def unpacked_room(path: AnyPath) -> int | None:
    """The most bytes that a file can hold, unpacked where its name says .gz; None for a pipe."""
    if not Path(path).is_file():
        return None
    return Path(path).stat().st_size * (DEFLATE_MOST if is_gzip(path) else 1)


def new_matrix(rows: int, D: int, path: AnyPath) -> Matrix:
    """An empty float32 (rows, D) matrix, or `BadFile` where the machine has no memory for it."""
    needed, most = 4 * rows * D, machine_memory_bytes()
    try:
        if most is None or needed <= most:
            return np.empty((rows, D), np.float32)
    except (MemoryError, ValueError):  # ValueError: beyond all addresses
        pass
    raise BadFile(
        f"{path}: {rows} words of {D} numbers take {needed / 2**30:,.1f} GiB of memory, more than there is here; "
        "read its first words alone, with limit"
    )


class GrowingMatrix:
    """Rows gathered block by block where their number is not known beforehand: float32 (rows, D)."""

    def __init__(self, D: int, path: AnyPath) -> None:
        self.D, self._path = D, path
        self._rows = 0
        self._held = new_matrix(0, D, path)

    def __len__(self) -> int:
        return self._rows

    def add(self, rows: Matrix) -> None:
        """Append a block of rows (n, D); `BadFile` where they grow beyond the machine's memory."""
        stop = self._rows + len(rows)
        if stop > len(self._held):
            larger = new_matrix(max(stop, int(GROWTH * len(self._held))), self.D, self._path)
            larger[: self._rows] = self._held[: self._rows]
            self._held = larger
        self._held[self._rows : stop] = rows
        self._rows = stop

    def whole(self) -> Matrix:
        """All rows, without the room kept for more."""
        return self._held[: self._rows]


def read_exactly(file: IO[bytes], size: int, path: AnyPath) -> bytes:
    """The next `size` bytes; `BadFile` where the file ends before. Take `size` from nowhere unchecked."""
    data = file.read(size)
    if len(data) < size:
        raise CutShort(f"{path} ends where {size - len(data)} more bytes should stand; it is cut short, fetch it anew")
    return data


def read_rows(file: IO[bytes], rows: int, D: int, path: AnyPath, dtype: str = "<f4") -> Matrix:
    """The next `rows` rows of D numbers of a type as a float32 matrix, read some megabytes at a time."""
    matrix = new_matrix(rows, D, path)
    width = np.dtype(dtype).itemsize
    each = max(1, BLOCK_BYTES // (width * D))
    for start in range(0, rows, each):
        part = matrix[start : start + each]
        part[:] = as_float32(np.frombuffer(read_exactly(file, part.size * width, path), dtype), path).reshape(
            part.shape
        )
    return matrix


def decoded(
    words: Sequence[bytes], errors: str, first_row: int, path: AnyPath, *, line_breaks: bool = False
) -> list[str]:
    """Words as strings; all at once, since that is far faster than one by one. `first_row` counts from 1.

    `BadFile` for words that are not UTF-8, and for those that hold line breaks, if the format has no place for these.
    """
    if not words:
        return []
    try:
        texts = b"\n".join(words).decode("utf-8", errors).split("\n")
    except UnicodeDecodeError as error:
        row, position = _wrong_byte(words)
        raise BadFile(
            f"{path}, row {first_row + row}: byte {position} of the word {words[row][:40]!r} is not UTF-8; "
            "read the file with encoding_errors='surrogateescape' or 'backslashreplace' to keep such words, "
            "or 'ignore' to drop the bytes"
        ) from error
    if len(texts) != len(words) and line_breaks:
        return [word.decode("utf-8", errors) for word in words]
    if len(texts) != len(words):
        row = next(row for row, word in enumerate(words) if b"\n" in word)
        raise BadFile(f"{path}, row {first_row + row}: a word must not hold a line break, got {words[row][:40]!r}")
    return texts


def _wrong_byte(words: Sequence[bytes]) -> tuple[int, int]:
    """Which word is the first that is not UTF-8, counted from 0, and which of its bytes."""
    for row, word in enumerate(words):
        try:
            word.decode("utf-8")
        except UnicodeDecodeError as error:
            return row, error.start
    raise AssertionError("every word is UTF-8")


def encoded(words: Sequence[str], errors: str = "surrogateescape") -> list[bytes]:
    """Words as UTF-8; bytes that `surrogateescape` kept when they were read stand again as they were.

    Raises:
        BadOption: a word is no string, or holds half of a surrogate pair (under strict also escaped bytes).
    """
    try:
        return [word.encode("utf-8", errors) for word in words]
    except (AttributeError, UnicodeEncodeError) as error:
        raise BadOption(f"words must be strings that UTF-8 can hold ({error}); leave the others out") from error


def check_unique(words: Sequence[str], error: type[BadFile | BadOption], where: str = "") -> None:
    """Raise `error` where a word stands twice; `where` begins its sentence."""
    if len(set(words)) == len(words):
        return
    seen: dict[str, int] = {}
    for row, word in enumerate(words, start=1):
        if word in seen:
            raise error(f"{where}a word must stand once, got {word!r} in rows {seen[word]} and {row}; leave one out")
        seen[word] = row


def check_matrix(words: Sequence[str], matrix: Matrix) -> None:
    """Raise `BadOption` where the matrix has not one row of numbers for each word."""
    if matrix.ndim != 2 or len(words) != len(matrix) or matrix.shape[1] < 1:
        raise BadOption(f"the matrix must have a row for each of {len(words)} words, got the shape {matrix.shape}")


def as_float32(values: NDArray[np.generic], path: AnyPath) -> Matrix:
    """Numbers of any type as float32; `BadFile` where they are none, or one is too large for 32 bits."""
    if values.dtype.kind not in "fiu":
        raise BadFile(f"{path}: vectors must be numbers, got {values.dtype}; write the file anew")
    with np.errstate(over="ignore", invalid="ignore"):
        narrow: Matrix = values.astype(np.float32, copy=False)
    if values.dtype.itemsize > 4 and bool((np.isinf(narrow) & np.isfinite(values)).any()):
        raise BadFile(f"{path}: a number is too large for 32 bits; scale the vectors down")
    return narrow


def as_dtype(values: Matrix, dtype: str) -> NDArray[np.generic]:
    """Contiguous little-endian numbers of another width; `BadOption` where one is too large for it."""
    with np.errstate(over="ignore", invalid="ignore"):
        cast = np.ascontiguousarray(values, np.dtype(dtype).newbyteorder("<"))
    if cast.dtype.itemsize < 4 and bool((np.isinf(cast) & np.isfinite(values)).any()):
        raise BadOption(f"a number is too large for {dtype}; write float32, or scale the vectors down")
    return cast
