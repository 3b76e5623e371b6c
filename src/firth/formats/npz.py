"""NumPy archives (.npz): `words`, strings, and `vectors`, numbers (V, D); `counts`, whole numbers, if known.

    found = np.load("vectors.npz")  # allow_pickle stays False
    found["words"], found["vectors"]

Other names are understood where they are clear: see WORDS and VECTORS. Objects, which would be unpickled, are refused.
Archives are read part by part, so that one that unpacks to more than it says is found out.
"""

from __future__ import annotations

import sys
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import IO, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from firth.errors import BadFile, BadOption, CannotRead
from firth.formats.checks import (
    DEFLATE_MOST,
    MAX_VECTOR_SIZE,
    Matrix,
    as_float32,
    check_matrix,
    check_reading,
    check_unique,
    decoded,
    encoded,
    new_matrix,
)
from firth.formats.tensors import write_blocks
from firth.storage import AnyPath, opened, replaced

Array: TypeAlias = NDArray[Any]

WORDS = ("words", "word", "vocab", "vocabulary", "tokens", "labels", "keys", "index_to_key")
VECTORS = ("vectors", "vector", "embeddings", "embedding", "matrix", "weights", "input")
COUNTS = ("counts", "count", "frequencies")
BLOCK_BYTES = 4 << 20
MAX_WORD_LETTERS = 1 << 16


def read_npz(
    path: AnyPath, *, encoding_errors: str = "strict", limit: int | None = None
) -> tuple[list[str], Matrix, NDArray[np.int64] | None]:
    """The words, the float32 (V, D) matrix, and the counts if the archive holds them; at most `limit` words.

    Raises:
        MissingFile: nothing is there, or it may not be read.
        BadFile: no archive, without words and vectors, holding objects, or at odds with itself.
        BadOption: an unknown value of `encoding_errors`, or a limit below 0.
    """
    check_reading(encoding_errors, limit)
    with opened(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                names = {name.removesuffix(".npy"): name for name in archive.namelist()}
                words = _read_words(archive, _found(names, WORDS, path), limit, encoding_errors, path)
                matrix = _read_matrix(archive, _found(names, VECTORS, path), len(words), limit is None, path)
                counted = next((names[each] for each in COUNTS if each in names), None)
                counts = None if counted is None else _read_counts(archive, counted, len(words), path)
        except _FAULTS as error:
            for failed in (error, error.__context__):  # zipfile takes any OSError for the sign of no archive
                if isinstance(failed, CannotRead):
                    raise failed from failed.__cause__
            raise BadFile(f"{path} is no sound .npz archive ({error}); fetch it or write it anew") from error
    check_unique(words, BadFile, f"{path}: ")
    return words, matrix, counts


def write_npz(
    path: AnyPath,
    words: Sequence[str],
    matrix: Matrix,
    counts: NDArray[np.int64] | None = None,
    dtype: str = "float32",
) -> None:
    """Write V words, their (V, D) matrix as `dtype`, and their counts, if known.

    Raises:
        BadOption: a word is given twice, ends in a null or is no UTF-8, a number does not fit `dtype`, or the sizes do
            not agree.
        CannotWrite: the disk is full, or the place may not be written.
    """
    check_matrix(words, matrix)
    check_unique(words, BadOption)
    encoded(words, "strict")
    if any(word.endswith("\0") for word in words):
        raise BadOption("NumPy drops nulls at the ends of strings, so no word may end in one; leave it out")
    width = max(map(len, words), default=1) or 1
    if width > MAX_WORD_LETTERS:
        raise BadOption(f"words must have {MAX_WORD_LETTERS} letters at most, got {width}; shorten it")
    strings = np.dtype(f"<U{width}")
    with replaced(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        # Strings of one width are mostly zeros, which pack well; numbers do not.
        with _part(archive, "words", zipfile.ZIP_DEFLATED) as part:
            _write_header(part, strings, (len(words),))
            each = max(1, BLOCK_BYTES // strings.itemsize)
            for start in range(0, len(words), each):
                part.write(np.array(words[start : start + each], strings).tobytes())
        with _part(archive, "vectors", zipfile.ZIP_STORED) as part:
            _write_header(part, np.dtype(dtype).newbyteorder("<"), matrix.shape)
            write_blocks(part, matrix, dtype)
        if counts is not None:
            with _part(archive, "counts", zipfile.ZIP_STORED) as part:
                _write_header(part, np.dtype("<i8"), counts.shape)
                part.write(np.ascontiguousarray(counts, "<i8").tobytes())


# ---- reading ------------------------------------------------------------------------------------------

# What zipfile and NumPy raise for archives and headers that are not sound.
_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,  # packed in a way that zipfile does not know
    RuntimeError,  # encrypted
    OSError,
    ValueError,
    TypeError,
    SyntaxError,
    tokenize.TokenError,  # from headers that NumPy takes for Python 2's
    MemoryError,
    OverflowError,
    IndexError,
    KeyError,
    AttributeError,
    UnicodeError,
)


def _found(names: dict[str, str], wanted: Sequence[str], path: AnyPath) -> str:
    for each in wanted:
        if each in names:
            return names[each]
    raise BadFile(
        f"{path} must hold one of {', '.join(wanted)}, got {', '.join(list(names)[:8]) or 'nothing'}; "
        "save it with np.savez(path, words=..., vectors=...)"
    )


def _blocks(archive: zipfile.ZipFile, name: str, dimensions: int, path: AnyPath) -> Iterator[Array]:
    """First an empty array of the member's type and shape (0 rows stand for its own), then its rows, block by block."""
    with archive.open(name) as file:
        shape, in_columns, dtype = _read_header(file)
        if dtype.hasobject or dtype.itemsize == 0:
            raise BadFile(f"{path}: {name} holds objects, not numbers or strings; firth unpickles nothing")
        if len(shape) != dimensions or in_columns:
            raise BadFile(f"{path}: {name} must have {dimensions} dimension(s), by rows; got the shape {shape}")
        row = dtype.itemsize * (shape[1] if dimensions == 2 else 1)
        room = DEFLATE_MOST * archive.getinfo(name).compress_size + 1
        if min(shape) < 0 or (dimensions == 2 and not 1 <= shape[1] <= MAX_VECTOR_SIZE) or shape[0] * row > room:
            raise BadFile(f"{path}: {name} of shape {shape} does not fit into the archive; it is damaged")
        yield np.broadcast_to(np.empty((), dtype), shape)
        each = max(1, BLOCK_BYTES // row)
        for start in range(0, shape[0], each):
            rows = min(each, shape[0] - start)
            data = file.read(rows * row)
            if len(data) < rows * row:
                raise BadFile(f"{path}: {name} is cut short; fetch the archive anew")
            yield np.frombuffer(data, dtype).reshape(rows, *shape[1:])


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, in_columns, dtype = read(file)
    return shape, bool(in_columns and len(shape) > 1), dtype


def _read_words(
    archive: zipfile.ZipFile, name: str, limit: int | None, encoding_errors: str, path: AnyPath
) -> list[str]:
    blocks = _blocks(archive, name, 1, path)
    kind, V = (whole := next(blocks)).dtype, len(whole)
    if kind.kind not in "US" or kind.itemsize > 4 * MAX_WORD_LETTERS:
        raise BadFile(f"{path}: {name} must be strings, got {kind}; save them as an array of str")
    most = V if limit is None else min(V, limit)
    words: list[str] = []
    empty = 0
    for block in blocks:
        if len(words) >= most:
            break
        block = block[: most - len(words)]
        if kind.kind == "U" and int(block.view(kind.str[0] + "u4").max(initial=0)) > sys.maxunicode:
            raise BadFile(f"{path}: {name} holds numbers that are no letters; the archive is damaged, fetch it anew")
        found = block.tolist()
        words += found if kind.kind == "U" else decoded(found, encoding_errors, len(words) + 1, path, line_breaks=True)
        empty += sum(not word for word in found)
        if empty > 1:  # at once: what unpacks to nothing but zeros would go on and on
            raise BadFile(f"{path}: a word must stand once, got '' twice; leave one out")
    return words


def _read_matrix(archive: zipfile.ZipFile, name: str, V: int, whole: bool, path: AnyPath) -> Matrix:
    blocks = _blocks(archive, name, 2, path)
    shape = next(blocks).shape
    if (shape[0] != V) if whole else (shape[0] < V):
        raise BadFile(f"{path}: there must be a row of {name} for each of {V} words, got {shape[0]}; write it anew")
    matrix = new_matrix(V, shape[1], path)
    done = 0
    for block in blocks:
        if done == V:
            break
        part = as_float32(block[: V - done], path)
        matrix[done : done + len(part)] = part
        done += len(part)
    return matrix


def _read_counts(archive: zipfile.ZipFile, name: str, V: int, path: AnyPath) -> NDArray[np.int64]:
    blocks = _blocks(archive, name, 1, path)
    whole = next(blocks)
    if whole.dtype.kind not in "iu" or len(whole) < V:
        raise BadFile(f"{path}: {name} must be {V} whole numbers, got {len(whole)} of {whole.dtype}; write it anew")
    return np.concatenate([np.empty(0, np.int64), *(block.astype(np.int64) for block in blocks)])[:V]


# ---- writing ------------------------------------------------------------------------------------------


def _part(archive: zipfile.ZipFile, name: str, packing: int) -> IO[bytes]:
    entry = zipfile.ZipInfo(f"{name}.npy")  # of 1980, so that the same content gives the same bytes
    entry.compress_type = packing
    return archive.open(entry, "w", force_zip64=True)


def _write_header(file: IO[bytes], dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    described = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, described)
