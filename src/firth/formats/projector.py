"""TensorBoard's embedding projector: a folder with the numbers in one file, the words in another.

    vectors.tsv     0.25<tab>-1.5<tab>...     a line for each word
    metadata.tsv    word, or with counts: a first line `word<tab>count`, then word<tab>count

https://projector.tensorflow.org loads both. A table of one column has no first line of names, one of more has: the
projector's own rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from firth.errors import BadFile, BadOption
from firth.formats.checks import (
    MAX_VECTOR_SIZE,
    GrowingMatrix,
    Matrix,
    check_matrix,
    check_reading,
    check_unique,
    decoded,
    encoded,
)
from firth.formats.rows import line_blocks, lines_in, number_lines, parse_numbers, row_blocks
from firth.storage import AnyPath, opened, replaced_folder

Counts: TypeAlias = NDArray[np.int64]

VECTORS, METADATA = "vectors.tsv", "metadata.tsv"
FILES = (VECTORS, METADATA)
LONGEST_LINE = 16 * MAX_VECTOR_SIZE


def read_projector(
    path: AnyPath, *, encoding_errors: str = "strict", limit: int | None = None
) -> tuple[list[str], Matrix, Counts | None]:
    """The words, the float32 (V, D) matrix, and the counts if metadata.tsv has them; at most `limit` rows.

    Raises:
        MissingFile: one of the two files is not there, or may not be read.
        BadFile: rows of different lengths, not a number, more words than rows or fewer, a word twice.
        BadOption: an unknown value of `encoding_errors`, or a limit below 0.
    """
    check_reading(encoding_errors, limit)
    matrix = _read_vectors(Path(path) / VECTORS, limit)
    words, counts = _read_metadata(Path(path) / METADATA, limit, encoding_errors)
    if len(words) != len(matrix):
        raise BadFile(f"{path}: {VECTORS} has {len(matrix)} rows, {METADATA} {len(words)} words; write both anew")
    check_unique(words, BadFile, f"{path}: ")
    return words, matrix, counts


def write_projector(path: AnyPath, words: Sequence[str], matrix: Matrix, counts: Counts | None = None) -> None:
    """Write V words, their float32 (V, D) matrix and their counts, if known, to the folder `path`.

    Raises:
        BadOption: a word is empty, given twice or holds a tab or a line break, or the sizes do not agree.
        CannotWrite: the folder holds other things, the disk is full, or the place may not be written.
    """
    check_matrix(words, matrix)
    check_unique(words, BadOption)
    for word in words:
        if not word or "\t" in word or "\n" in word or "\r" in word:
            raise BadOption(f"words must not be empty or hold tabs or line breaks here, got {word!r}; leave it out")
    names = encoded(words)
    with replaced_folder(path, FILES) as folder:
        with (folder / VECTORS).open("wb") as file:
            for _, block in row_blocks(matrix):
                file.write(number_lines(block))
        with (folder / METADATA).open("wb") as file:
            if counts is None:
                file.write(b"".join(name + b"\n" for name in names))
            else:
                file.write(b"word\tcount\n")
                file.write(b"".join(b"%b\t%d\n" % pair for pair in zip(names, counts.tolist(), strict=True)))


def _read_vectors(path: Path, limit: int | None) -> Matrix:
    with opened(path) as file:
        first = file.readline(LONGEST_LINE)
        D = len(first.rstrip(b"\r\n\t ").split(b"\t"))
        if D > MAX_VECTOR_SIZE:
            raise BadFile(f"{path}: a row may hold {MAX_VECTOR_SIZE} numbers, got {D}; is it of another format?")
        matrix, line = GrowingMatrix(D, path), 1
        for block in line_blocks(file, D, path, start=first):
            if limit is not None and len(matrix) >= limit:
                break
            rows = parse_numbers(block, D, line, path)
            line += block.count(b"\n")
            matrix.add(rows if limit is None else rows[: limit - len(matrix)])
    return matrix.whole()


def _read_metadata(path: Path, limit: int | None, encoding_errors: str) -> tuple[list[str], Counts | None]:
    words: list[str] = []
    counted: list[int] | None = None
    column = count_column = None
    with opened(path) as file:
        for number, block in enumerate(line_blocks(file, 1, path)):
            rows = [line.rstrip(b"\r").split(b"\t") for line in lines_in(block) if line.rstrip(b"\r")]
            if number == 0:
                column = 0
                if rows and len(rows[0]) > 1:
                    names = rows.pop(0)
                    column = names.index(b"word") if b"word" in names else 0
                    count_column = names.index(b"count") if b"count" in names else None
                    counted = None if count_column is None else []
            for row in rows:
                if len(row) <= max(column or 0, count_column or 0):
                    raise BadFile(f"{path}: the row of {row[0][:40]!r} has {len(row)} columns, too few; correct it")
            words += decoded([row[column or 0] for row in rows], encoding_errors, len(words) + 1, path)
            if counted is not None and count_column is not None:
                counted += [_count(row[count_column], path) for row in rows]
            if limit is not None and len(words) >= limit:
                break
    words, counted = words[:limit], None if counted is None else counted[:limit]
    return words, None if counted is None else np.array(counted, np.int64)


def _count(text: bytes, path: Path) -> int:
    if not text.isdigit() or len(text) > 18:
        raise BadFile(f"{path}: a count must be a whole number, got {text[:40]!r}; correct the line")
    return int(text)
