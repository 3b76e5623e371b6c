"""finalfusion files (.fifu): words and vectors in chunks (https://finalfusion.github.io/spec).

    "FiFu", uint32 version 0, uint32 number of chunks, their kinds uint32 each; then each chunk:
    uint32 kind, uint64 bytes, data

    kind 1  words         uint64 V; each word: uint32 bytes, UTF-8
    kind 2  array         uint64 rows, uint32 columns, uint32 type (10: float32), 1 to 4 bytes of padding, the numbers
    kind 6  norms         uint64 rows, uint32 type, padding, float32 each
    kind 5  metadata      passed over

Rows stand at unit length, their lengths in the norms: so the file holds vectors to the last bit or two of float32, not
bit by bit. Of vocabularies with subwords (kinds 3, 7 and 8) the words are read, whose rows stand first. Quantised
arrays (kind 4) and Floret's vocabulary (9) are refused. Written are kinds 1, 2 and 6.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np

from firth.errors import BadFile, BadOption, counted
from firth.formats.checks import (
    Matrix,
    check_matrix,
    check_reading,
    check_sizes,
    check_unique,
    decoded,
    encoded,
    read_exactly,
    read_rows,
)
from firth.formats.rows import row_blocks
from firth.storage import AnyPath, opened, replaced

MAGIC = b"FiFu"
VERSION = 0
SIMPLE, ARRAY, BUCKETS, QUANTISED, METADATA, NORMS, FASTTEXT, EXPLICIT, FLORET = range(1, 10)
BEHIND_LENGTH = {SIMPLE: 0, BUCKETS: 12, FASTTEXT: 12, EXPLICIT: 16}  # bytes between V and the first word
FLOAT32 = 10
MOST_CHUNKS = 64
HEAD = struct.Struct("<4s2I")
CHUNK = struct.Struct("<IQ")
SHAPE = struct.Struct("<Q2I")


def read_finalfusion(
    path: AnyPath, *, encoding_errors: str = "strict", limit: int | None = None
) -> tuple[list[str], Matrix]:
    """The words and the float32 (V, D) matrix, rows times norms; at most `limit` words.

    Raises:
        MissingFile: nothing is there, or it may not be read.
        BadFile: cut short, at odds with itself, or of a kind that is not read.
        BadOption: an unknown value of `encoding_errors`, or a limit below 0.
    """
    check_reading(encoding_errors, limit)
    words: list[str] | None = None
    matrix: Matrix | None = None
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        _check_head(file, path)
        while matrix is None or file.tell() < size:
            kind, length = CHUNK.unpack(read_exactly(file, CHUNK.size, path))
            start = file.tell()
            stop = _end_of_explicit(file, path) if kind == EXPLICIT else start + length
            file.seek(start)
            if stop > size:
                raise BadFile(f"{path}: a chunk of {stop - start} bytes does not fit into the file; it is cut short")
            if kind in BEHIND_LENGTH and words is None:
                words = _read_words(file, kind, stop - start, limit, encoding_errors, path)
            elif kind == ARRAY and words is not None and matrix is None:
                matrix = _read_array(file, len(words), limit is None, path)
            elif kind == NORMS and matrix is not None:
                with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is found with all other vectors
                    matrix *= _read_norms(file, len(matrix), path)
            elif kind != METADATA:
                _refuse(kind, path)
            file.seek(stop)
    if words is None or matrix is None:
        raise BadFile(f"{path} has no words and vectors; fetch it anew")
    check_unique(words, BadFile, f"{path}: ")
    return words, matrix


def write_finalfusion(path: AnyPath, words: Sequence[str], matrix: Matrix, norms: Matrix) -> None:
    """Write V words, their float32 (V, D) matrix at unit length, and their `norms`, float32 (V,).

    Raises:
        BadOption: a word is given twice or is no UTF-8, or the sizes do not agree.
        CannotWrite: the disk is full, or the place may not be written.
    """
    check_matrix(words, matrix)
    check_unique(words, BadOption)
    names = encoded(words, "strict")
    with replaced(path) as file:
        file.write(HEAD.pack(MAGIC, VERSION, 3) + struct.pack("<3I", SIMPLE, ARRAY, NORMS))
        file.write(CHUNK.pack(SIMPLE, 8 + 4 * len(names) + sum(map(len, names))) + struct.pack("<Q", len(names)))
        for start in range(0, len(names), 1 << 16):
            file.write(b"".join(struct.pack("<I", len(name)) + name for name in names[start : start + (1 << 16)]))
        padding = _padding(file.tell() + CHUNK.size + SHAPE.size)
        file.write(CHUNK.pack(ARRAY, SHAPE.size + padding + matrix.size * 4))
        file.write(SHAPE.pack(*matrix.shape, FLOAT32) + bytes(padding))
        divisors = np.where(norms > 0, norms, np.float32(1))[:, None]  # a zero vector stays one
        for start, block in row_blocks(matrix):
            file.write((block / divisors[start : start + len(block)]).astype("<f4").data.cast("B"))
        padding = _padding(file.tell() + CHUNK.size + 12)
        file.write(CHUNK.pack(NORMS, 12 + padding + len(norms) * 4))
        file.write(struct.pack("<QI", len(norms), FLOAT32) + bytes(padding))
        file.write(np.ascontiguousarray(norms, "<f4").data.cast("B"))


def _check_head(file: IO[bytes], path: AnyPath) -> None:
    magic, version, chunks = HEAD.unpack(read_exactly(file, HEAD.size, path))
    if magic != MAGIC or version != VERSION or chunks > MOST_CHUNKS:
        raise BadFile(
            f"{path} is no finalfusion file of version {VERSION}: it begins with {magic!r}, version {version}, "
            f"{chunks} chunks; fetch it anew, or name its own format"
        )
    read_exactly(file, 4 * chunks, path)


def _end_of_explicit(file: IO[bytes], path: AnyPath) -> int:
    """Where words and n-grams end, found by walking through them.

    finalfusion's Python package (0.7.1) leaves the n-grams' indices, 8 bytes each, out of the length that it writes.
    """
    V, ngrams = struct.unpack("<2Q8x", read_exactly(file, 24, path))
    for count, behind in ((V, 0), (ngrams, 8)):
        for _ in range(count):
            file.seek(struct.unpack("<I", read_exactly(file, 4, path))[0] + behind, 1)
    return file.tell()


def _read_words(
    file: IO[bytes], kind: int, length: int, limit: int | None, encoding_errors: str, path: AnyPath
) -> list[str]:
    skipped = BEHIND_LENGTH[kind]
    data = memoryview(read_exactly(file, length, path))
    V = struct.unpack_from("<Q", data)[0] if length >= 8 + skipped else -1
    position = 8 + skipped
    if V < 0 or (length - position) // 4 < V:
        raise BadFile(f"{path}: {V} words do not fit into {length} bytes; the file is damaged, fetch it anew")
    names: list[bytes] = []
    for _ in range(V if limit is None else min(V, limit)):
        stop = position + 4
        stop += struct.unpack_from("<I", data, position)[0] if stop <= length else length
        if stop > length:
            raise BadFile(f"{path}: word {len(names) + 1} goes beyond the words' end; the file is damaged")
        names.append(bytes(data[position + 4 : stop]))
        position = stop
    return decoded(names, encoding_errors, 1, path, line_breaks=True)


def _read_array(file: IO[bytes], V: int, whole: bool, path: AnyPath) -> Matrix:
    rows, D, kind = SHAPE.unpack(read_exactly(file, SHAPE.size, path))
    if kind != FLOAT32:
        raise BadFile(f"{path}: vectors must be float32 (type {FLOAT32}), got type {kind}; write the file anew")
    if rows < V:
        raise BadFile(f"{path}: there must be a row for each of {counted(V, 'word')}, got {rows}; the file is damaged")
    file.seek(_padding(file.tell()), 1)
    check_sizes(rows if whole else V, D, 4 * D, path, before=file.tell())
    return read_rows(file, V, D, path)


def _read_norms(file: IO[bytes], V: int, path: AnyPath) -> Matrix:
    rows, kind = struct.unpack("<QI", read_exactly(file, 12, path))
    if kind != FLOAT32 or rows < V:
        raise BadFile(f"{path}: there must be {V} norms of type {FLOAT32}, got {rows} of type {kind}")
    file.seek(_padding(file.tell()), 1)
    room = Path(path).stat().st_size - file.tell()
    if room < 4 * V:
        raise BadFile(f"{path}: {V} norms do not fit into the file; it is cut short, fetch it anew")
    return read_rows(file, V, 1, path)


def _refuse(kind: int, path: AnyPath) -> None:
    names = {QUANTISED: "a quantised array", FLORET: "Floret's hashed vocabulary"}
    what = names.get(kind, f"a chunk of kind {kind} out of its place")
    raise BadFile(f"{path} holds {what}, which is not read; write it with plain words and a float32 array")


def _padding(position: int) -> int:
    """The bytes that bring `position` to a multiple of 4: 1 to 4, never none, as finalfusion has it."""
    return 4 - position % 4
