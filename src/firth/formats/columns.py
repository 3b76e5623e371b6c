"""Tables of columns: Arrow IPC files (.arrow, .feather) and Parquet (.parquet).

    word    string
    vector  fixed_size_list<float>[D]; lists of floats whose lengths agree are read, too
    count   int64, if known

Columns of other names are understood where they are clear: see WORDS and VECTORS. Both are read batch by batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from firth.errors import BadFile, BadOption, CannotRead
from firth.formats.checks import (
    MAX_VECTOR_SIZE,
    GrowingMatrix,
    Matrix,
    as_dtype,
    as_float32,
    check_matrix,
    check_reading,
    check_unique,
    decoded,
    encoded,
)
from firth.formats.rows import row_blocks
from firth.storage import AnyPath, mapped, opened, replaced

Counts: TypeAlias = NDArray[np.int64]
Columns: TypeAlias = tuple[list[str], Matrix, Counts | None]

WORDS = ("word", "words", "token", "text", "key")
VECTORS = ("vector", "vectors", "embedding", "embeddings")
COUNTS = ("count", "counts", "frequency")
READ_BYTES = 1 << 20  # of a column of Parquet at once
BATCH_NUMBERS = 4 << 20  # of a batch read from Parquet, or a part of one mapped from Arrow


def read_arrow(path: AnyPath, *, encoding_errors: str = "strict", limit: int | None = None) -> Columns:
    """The words, the float32 (V, D) matrix, and the counts, if any, of an Arrow file; at most `limit` rows.

    Raises:
        MissingFile: nothing is there, or it may not be read.
        BadFile: no Arrow file, without words and vectors, with nulls, rows of different sizes, or damaged.
        BadOption: an unknown value of `encoding_errors`, or a limit below 0.
    """
    check_reading(encoding_errors, limit)
    with opened(path) as file, _faults(path):
        reader = pa.ipc.open_file(pa.BufferReader(pa.py_buffer(mapped(file, path))))
        batches = (reader.get_batch(number) for number in range(reader.num_record_batches))
        return _gathered(reader.schema, batches, encoding_errors, limit, path)


def read_parquet(path: AnyPath, *, encoding_errors: str = "strict", limit: int | None = None) -> Columns:
    """The same of a Parquet file; errors as for `read_arrow`."""
    import pyarrow.parquet as pq

    check_reading(encoding_errors, limit)
    with opened(path) as file, _faults(path):
        reader = pq.ParquetFile(file, buffer_size=READ_BYTES)
        names = [_column(reader.schema_arrow, WORDS, path), _column(reader.schema_arrow, VECTORS, path)]
        names += [each for each in COUNTS if each in reader.schema_arrow.names][:1]
        rows = max(1, BATCH_NUMBERS // _numbers_a_row(reader, names[1], path))
        batches = reader.iter_batches(batch_size=rows, columns=names)
        return _gathered(reader.schema_arrow, batches, encoding_errors, limit, path)


def write_arrow(
    path: AnyPath, words: Sequence[str], matrix: Matrix, counts: Counts | None = None, dtype: str = "float32"
) -> None:
    """Write V words, their (V, D) matrix as `dtype`, and their counts, if known, to an Arrow file.

    Raises:
        BadOption: a word is given twice or is no UTF-8, a number does not fit `dtype`, or the sizes do not agree.
        CannotWrite: the disk is full, or the place may not be written.
    """
    schema = _schema(words, matrix, counts, dtype)
    with replaced(path) as file, pa.ipc.new_file(file, schema) as writer:
        for batch in _batches(schema, words, matrix, counts, dtype):
            writer.write_batch(batch)


def write_parquet(
    path: AnyPath, words: Sequence[str], matrix: Matrix, counts: Counts | None = None, dtype: str = "float32"
) -> None:
    """The same to a Parquet file; errors as for `write_arrow`."""
    import pyarrow.parquet as pq

    schema = _schema(words, matrix, counts, dtype)
    # Numbers of vectors do not repeat: a dictionary of them only costs.
    with replaced(path) as file, pq.ParquetWriter(file, schema, use_dictionary=False) as writer:
        for batch in _batches(schema, words, matrix, counts, dtype):
            writer.write_batch(batch)


# ---- reading ------------------------------------------------------------------------------------------


@contextmanager
def _faults(path: AnyPath) -> Iterator[None]:
    """What Arrow raises for files that are not sound, as `BadFile`."""
    try:
        yield
    except (BadFile, CannotRead):
        raise
    except (pa.ArrowException, OSError, ValueError, TypeError, MemoryError, KeyError, IndexError) as error:
        raise BadFile(
            f"{path} is truncated or no sound file of its format ({error}); fetch or write it anew"
        ) from error


def _gathered(
    schema: pa.Schema, batches: Iterator[pa.RecordBatch], encoding_errors: str, limit: int | None, path: AnyPath
) -> Columns:
    named, vectors = _column(schema, WORDS, path), _column(schema, VECTORS, path)
    counted = next((each for each in COUNTS if each in schema.names), None)
    words: list[str] = []
    counts: list[Counts] = []
    matrix = GrowingMatrix(_fixed_size(schema.field(vectors).type), path)
    for batch in _parts(batches):
        if limit is not None and len(words) >= limit:
            break
        batch = batch.slice(0, None if limit is None else limit - len(words))
        found = _words(batch.column(named), path)
        numbers = _numbers(batch.column(vectors), path)
        if len(words) == 0 and len(found):
            matrix = GrowingMatrix(numbers.shape[1], path)
        if len(found) and numbers.shape[1] != matrix.D:
            raise BadFile(f"{path}: vectors must have {matrix.D} numbers each, got {numbers.shape[1]}; write it anew")
        matrix.add(numbers)
        words += decoded(found, encoding_errors, len(words) + 1, path, line_breaks=True)
        if counted is not None:
            counts.append(_counts(batch.column(counted), path))
    check_unique(words, BadFile, f"{path}: ")
    return words, matrix.whole(), None if counted is None else np.concatenate([np.empty(0, np.int64), *counts])


def _parts(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Batches found sound, in parts of some megabytes: whole files may be one batch."""
    for batch in batches:
        batch.validate(full=True)
        rows = max(1, batch.num_rows * 4 * BATCH_NUMBERS // max(1, batch.nbytes))
        for start in range(0, batch.num_rows, rows):
            yield batch.slice(start, rows)


def _numbers_a_row(reader: Any, name: str, path: AnyPath) -> int:
    """How many numbers a row of the column of lists `name` has: by its type, or else by the first row.

    The metadata of Parquet's columns would tell, too, but pyarrow (26.0) ends the process where they are damaged.
    """
    kind = reader.schema_arrow.field(name).type
    if pa.types.is_fixed_size_list(kind):
        return _fixed_size(kind)
    first = next(reader.iter_batches(batch_size=1, columns=[name]), None)
    return 1 if first is None or not len(first) else max(1, _numbers(first.column(0), path).shape[1])


def _column(schema: pa.Schema, wanted: Sequence[str], path: AnyPath) -> str:
    for each in wanted:
        if schema.names.count(each) == 1:
            return each
    raise BadFile(
        f"{path} must have one column named {', '.join(wanted[:-1])} or {wanted[-1]}, "
        f"got {', '.join(schema.names[:8]) or 'none'}; rename it"
    )


def _words(column: pa.Array, path: AnyPath) -> list[bytes]:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kinds = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    if column.null_count or not any(kind(column.type) for kind in kinds):
        raise BadFile(f"{path}: words must be strings without nulls, got {column.type}; write the file anew")
    found: list[bytes] = column.cast(pa.large_binary()).to_pylist()
    return found


def _numbers(column: pa.Array, path: AnyPath) -> Matrix:
    """The float32 (n, D) matrix of a column of lists."""
    kind = column.type
    listed = any(is_kind(kind) for is_kind in (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list))
    if column.null_count or not listed or not (pa.types.is_floating(kind.value_type)):
        raise BadFile(f"{path}: vectors must be lists of floats without nulls, got {kind}; write the file anew")
    if not len(column):
        return np.empty((0, _fixed_size(kind)), np.float32)
    values = column.flatten()
    D = len(values) // len(column)
    if not pa.types.is_fixed_size_list(kind):
        sizes = np.diff(np.asarray(column.offsets))
        D = int(sizes[0])
        if (sizes != D).any():
            raise BadFile(f"{path}: vectors must have the same size, got {D} and others; write the file anew")
    if values.null_count or not 1 <= D <= MAX_VECTOR_SIZE:
        raise BadFile(f"{path}: vectors must be 1 to {MAX_VECTOR_SIZE} numbers without nulls, got {D}")
    return as_float32(values.to_numpy(zero_copy_only=False), path).reshape(len(column), D)


def _counts(column: pa.Array, path: AnyPath) -> Counts:
    if column.null_count or not pa.types.is_integer(column.type):
        raise BadFile(f"{path}: counts must be whole numbers without nulls, got {column.type}; write the file anew")
    return np.asarray(column.cast(pa.int64()).to_numpy(zero_copy_only=False), np.int64)


def _fixed_size(kind: pa.DataType) -> int:
    """D as the type says it; 1 where only the rows can tell."""
    return min(max(kind.list_size, 1), MAX_VECTOR_SIZE) if pa.types.is_fixed_size_list(kind) else 1


# ---- writing ------------------------------------------------------------------------------------------


def _schema(words: Sequence[str], matrix: Matrix, counts: Counts | None, dtype: str) -> pa.Schema:
    check_matrix(words, matrix)
    check_unique(words, BadOption)
    encoded(words, "strict")
    fields = [pa.field("word", pa.string(), nullable=False)]
    fields.append(pa.field("vector", pa.list_(pa.from_numpy_dtype(np.dtype(dtype)), matrix.shape[1]), nullable=False))
    if counts is not None:
        fields.append(pa.field("count", pa.int64(), nullable=False))
    return pa.schema(fields)


def _batches(
    schema: pa.Schema, words: Sequence[str], matrix: Matrix, counts: Counts | None, dtype: str
) -> Iterator[pa.RecordBatch]:
    for start, block in row_blocks(matrix):
        stop = start + len(block)
        values = pa.array(as_dtype(block, dtype).ravel())
        arrays: list[Any] = [
            pa.array(words[start:stop], pa.string()),
            pa.FixedSizeListArray.from_arrays(values, type=schema.field("vector").type),
        ]
        if counts is not None:
            arrays.append(pa.array(counts[start:stop], pa.int64()))
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)
