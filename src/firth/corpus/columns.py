"""A column of a file as a source of sentences: strings, or lists of tokens. Here of Parquet and Arrow files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from firth.corpus.blocks import BLOCK_BYTES, Block, StringsBlock, TokensBlock
from firth.corpus.files import File, readable
from firth.errors import BadCorpus, BadOption, CannotRead, counted

ROWS_AT_ONCE = 10_000
MOST_NAMES = 20  # of columns, that an error lists
EVENTS = "where each row is one event, group those of a session into a list first"


@dataclass
class ColumnFile(File):
    """One column of a file, each row a sentence; rows with nothing in it are left out."""

    column: str | None

    def identity(self) -> tuple[str | int, ...] | None:
        """The file's name, size, time of change, and the column."""
        file = super().identity()
        return None if file is None else (*file, self.column or "")


def listed(names: Iterable[str]) -> str:
    """Names of columns, as an error lists them."""
    every = [name if len(name) <= 40 else f"{name[:40]}…" for name in names]
    more = f" and {len(every) - MOST_NAMES:,} more" if len(every) > MOST_NAMES else ""
    return ", ".join(name or "''" for name in every[:MOST_NAMES]) + more


@dataclass
class ArrowFile(ColumnFile):
    """One column of a Parquet or Arrow IPC file; null rows are left out.

    It holds strings or lists of strings; or, if it is named, lists of whole numbers, whose tokens are their digits.
    """

    kind: str  # "parquet" or "arrow"

    def blocks(self) -> Iterator[Block]:
        """The column, ROWS_AT_ONCE rows to a block, or fewer if they are long."""
        with readable(self.path) as file:
            try:
                for array in self._arrays(file):
                    yield from self._blocks_of(array)
            except CannotRead:
                raise
            except (pa.ArrowException, OSError) as error:
                raise BadCorpus(
                    f"{self.path} is not a sound {self.kind} file: {error}; fetch or write it anew, "
                    "and if its suffix is wrong, rename it"
                ) from error
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

    def _blocks_of(self, array: pa.Array) -> Iterator[Block]:
        if _is_string(array.type):
            yield from (StringsBlock(part) for part in _parts(array.cast(pa.large_string()).drop_null()))
            return
        lists = array.cast(pa.large_list(pa.large_string())).drop_null()
        if lists.flatten().null_count:
            raise BadCorpus(f"a list of tokens in {self.path} holds a null; remove nulls from the lists first")
        yield from (TokensBlock(_packed(part)) for part in _parts(lists))

    def _chosen(self, schema: pa.Schema) -> str:
        """The name of the column to read, or `BadOption`."""
        usable = [field.name for field in schema if _is_usable(field.type)]
        if self.column is None:
            if len(usable) == 1:
                return str(usable[0])
            told = listed(usable) or f"none of {listed(schema.names)}"
            raise BadOption(
                f"{self.path} has {counted(len(usable), 'column')} of strings or lists of strings ({told}); "
                "say which with the option column"
            )
        if self.column not in schema.names:
            raise BadOption(f"{self.path} has no column {self.column!r}; it has {listed(schema.names)}")
        kind = schema.field(self.column).type
        if self.column not in usable and not (_is_list(kind) and pa.types.is_integer(kind.value_type)):
            raise BadOption(
                f"the column {self.column!r} of {self.path} holds {kind}, not strings, or lists of strings or of "
                f"whole numbers; {EVENTS}"
            )
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
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _is_usable(kind: pa.DataType) -> bool:
    return _is_string(kind) or (_is_list(kind) and _is_string(kind.value_type))


def _parts(array: pa.Array) -> Iterator[pa.Array]:
    """Slices of some ROWS_AT_ONCE rows and BLOCK_BYTES bytes, whichever is less, but at least a row."""
    bytes_each = array.nbytes / max(len(array), 1)
    rows = max(1, min(ROWS_AT_ONCE, int(BLOCK_BYTES / max(bytes_each, 1))))
    for start in range(0, len(array), rows):
        yield array.slice(start, rows)


def _packed(lists: pa.LargeListArray) -> pa.LargeListArray:
    """The same lists with offsets from 0 on, whatever slice of a larger array `lists` is."""
    offsets = lists.offsets.to_numpy()
    return pa.LargeListArray.from_arrays(pa.array(offsets - offsets[0], pa.int64()), lists.flatten())
