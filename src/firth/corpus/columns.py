"""Parquet and Arrow files: a column of strings, or of lists of tokens, as a source of sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from firth.corpus.blocks import Block, StringsBlock, TokensBlock
from firth.corpus.sources import Source, file_identity, readable
from firth.errors import BadCorpus, BadOption

ROWS_AT_ONCE = 10_000


@dataclass
class ColumnFile(Source):
    """One column of a Parquet or Arrow IPC file, each row a sentence; null rows are left out."""

    path: str
    kind: str  # "parquet" or "arrow"
    column: str | None

    def __post_init__(self) -> None:
        if "://" not in self.path and Path(self.path).is_file():
            self.size = Path(self.path).stat().st_size

    def identity(self) -> tuple[str | int, ...] | None:
        """The file's name, size, time of change, and the column."""
        file = file_identity(self.path)
        return None if file is None else (*file, self.column or "")

    def blocks(self) -> Iterator[Block]:
        """The column, ROWS_AT_ONCE rows at a time."""
        with readable(self.path) as file:
            try:
                yield from (_as_block(array) for array in self._arrays(file))
            except pa.ArrowInvalid as error:
                raise BadCorpus(f"{self.path} is not a sound {self.kind} file: {error}") from error
        self.done = self.size or 0

    def _arrays(self, file: Any) -> Iterator[pa.Array]:
        if self.kind == "parquet":
            import pyarrow.parquet as pq

            parquet = pq.ParquetFile(file)
            name = self._chosen(parquet.schema_arrow)
            for batch in parquet.iter_batches(ROWS_AT_ONCE, columns=[name]):
                yield batch.column(0)
            return
        for batch in _arrow_batches(file):
            yield batch.column(self._chosen(batch.schema))

    def _chosen(self, schema: pa.Schema) -> str:
        """The name of the column to read, or `BadOption`."""
        usable = [field.name for field in schema if _is_usable(field.type)]
        if self.column is None:
            if len(usable) == 1:
                return str(usable[0])
            listed = ", ".join(usable) or "none"
            raise BadOption(
                f"{self.path} has {len(usable)} columns of strings or lists of strings ({listed}); "
                "say which with the option column"
            )
        if self.column not in schema.names:
            raise BadOption(f"{self.path} has no column {self.column!r}; it has {', '.join(schema.names)}")
        if self.column not in usable:
            kind = schema.field(self.column).type
            raise BadOption(f"the column {self.column!r} of {self.path} holds {kind}, not strings or lists of strings")
        return self.column


def _arrow_batches(file: Any) -> Iterator[pa.RecordBatch]:
    """Batches of an Arrow IPC file, or of a stream."""
    try:
        reader = pa.ipc.open_file(file)
    except pa.ArrowInvalid:
        file.seek(0)
        yield from pa.ipc.open_stream(file)
        return
    for index in range(reader.num_record_batches):
        yield reader.get_batch(index)


def _is_string(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_string(kind.value_type)
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _is_list(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def _is_usable(kind: pa.DataType) -> bool:
    return _is_string(kind) or (_is_list(kind) and _is_string(kind.value_type))


def _as_block(array: pa.Array) -> Block:
    array = array.drop_null()
    if _is_string(array.type):
        return StringsBlock(array.cast(pa.large_string()))
    lists = array.cast(pa.large_list(pa.large_string()))
    if lists.flatten().null_count:
        raise BadCorpus("a list of tokens holds a null; remove nulls from the lists first")
    return TokensBlock(pa.LargeListArray.from_arrays(*_packed(lists)))


def _packed(lists: pa.LargeListArray) -> tuple[pa.Array, pa.Array]:
    """Offsets from 0 on, and the tokens between them, whatever slice of a larger array `lists` is."""
    offsets = lists.offsets.to_numpy()
    return pa.array(offsets - offsets[0], pa.int64()), lists.flatten()
