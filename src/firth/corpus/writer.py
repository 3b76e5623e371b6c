"""Writing the encoded corpus's Arrow file while its text is still read."""

from __future__ import annotations

import contextlib
import io
import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from firth.corpus.encoded import SCHEMA
from firth.errors import CannotWrite

Ints = npt.NDArray[np.int64]
Ids = npt.NDArray[np.int32]

BATCH_TOKENS = 1 << 20  # in one record batch, unless a single sentence is longer


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn a full or read-only disk into `CannotWrite`, with the remedy."""
    try:
        yield
    except OSError as error:
        raise CannotWrite(
            f"cannot write the encoded corpus in {folder}: {error.strerror or error}; make room there, or set "
            "FIRTH_CACHE to a folder that has some"
        ) from error


class CorpusWriter:
    """Takes tokens as they come and writes whole sentences, in batches of as many as make up BATCH_TOKENS.

    A sentence longer than that is a batch of its own. It is written as it comes, after room for what stands before a
    batch's values, which is filled in when the sentence has ended; so memory holds little more than a batch. Use it in
    a `with` statement: only when that ends well is the file whole. Raises `CannotWrite` for a full disk.
    """

    def __init__(self, path: Path) -> None:
        self.runs: list[tuple[int, int]] = []  # lexicon, tokens: who numbered them
        self.tokens = 0
        self.sentences = 0
        self.folder = path.parent
        with writing(self.folder):
            self._file = _Holed(path)
            self._batches = pa.ipc.new_file(pa.PythonFile(self._file, "w"), SCHEMA)
        self._ids = np.empty(2 * BATCH_TOKENS, np.int32)  # kept, as fresh memory costs more than what is written to it
        self._held = 0  # how many of them are tokens not yet written
        self._lengths: list[Ints] = []  # of the whole sentences among these
        self._unfinished = 0  # tokens of a line that goes on in the next block
        self._streamed = 0  # of them, already written
        self._stream_began = 0

    def add(self, lexicon: int, ids: Ids, lengths: Ints, line_goes_on: bool) -> None:
        """Append the tokens of one block; with `line_goes_on`, its last sentence goes on in the next block."""
        if self._unfinished:
            lengths[0] += self._unfinished
            self._unfinished = 0
        if line_goes_on:
            self._unfinished = int(lengths[-1])
            lengths = lengths[:-1]
        lengths = lengths[lengths > 0]
        self.runs.append((lexicon, len(ids)))
        self.tokens += len(ids)
        self.sentences += len(lengths)
        self._lengths.append(lengths)
        self._hold(ids)
        if self._streamed or self._held > BATCH_TOKENS:
            with writing(self.folder):
                self._write_full(self._ids[: self._held], np.concatenate(self._lengths))

    def _hold(self, ids: Ids) -> None:
        if self._held + len(ids) > len(self._ids):
            larger = np.empty(2 * (self._held + len(ids)), np.int32)
            larger[: self._held] = self._ids[: self._held]
            self._ids = larger
        self._ids[self._held : self._held + len(ids)] = ids
        self._held += len(ids)

    def _write_full(self, ids: Ids, lengths: Ints) -> None:
        """Write what makes up whole batches, and what there is of a sentence longer than a batch; keep the rest."""
        while self._streamed or len(ids) > BATCH_TOKENS:
            upto = int(np.searchsorted(np.cumsum(lengths), BATCH_TOKENS, side="right"))
            if self._streamed or upto == 0:
                written = self._stream(ids, int(lengths[0]) if len(lengths) else None)
                upto = 1
            else:
                written = self._write(ids, lengths[:upto])
            ids, lengths = ids[written:], lengths[upto:]
            if not len(ids):
                break
        self._held, self._lengths = len(ids), [lengths]
        self._ids[: self._held] = ids

    def _write(self, ids: Ids, lengths: Ints) -> int:
        """Write sentences of these lengths, the first of `ids`, as a batch; how many tokens that are."""
        offsets = np.zeros(len(lengths) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        count = int(offsets[-1])
        self._batches.write_batch(_batch(offsets, pa.py_buffer(ids[:count])))
        return count

    def _stream(self, ids: Ids, length: int | None) -> int:
        """Write what `ids` holds of the long sentence that they begin with, and go on with; how many tokens that are.

        Its `length` is known when it has ended.
        """
        if not self._streamed:
            self._stream_began = self._file.tell()
            self._file.seek(self._stream_began + _bytes_before_values(first=self._stream_began == 0))
        some = ids if length is None else ids[: length - self._streamed]
        self._file.write(some.data)
        self._streamed += len(some)
        if length is not None:
            self._file.seek(self._stream_began)
            self._file.there = pa.py_buffer(mmap.mmap(-1, 4 * length))  # never touched, so it takes no memory
            self._batches.write_batch(_batch(np.array([0, length], np.int64), self._file.there))
            self._streamed = 0
        return len(some)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            with contextlib.suppress(OSError):  # closing may flush once more what a full disk refused
                self._file.close()
            return
        with writing(self.folder), self._file:
            if self._held:
                self._write(self._ids[: self._held], np.concatenate(self._lengths))
            self._batches.close()


class _Holed(io.BufferedRandom):
    """A file that does not write the buffer `there`, but goes over it: its bytes stand in the file already."""

    there: pa.Buffer | None = None

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path, "w+"))

    def write(self, data: Any) -> int:
        """Write a buffer, or go over it."""
        if self.there is not None and isinstance(data, pa.Buffer) and data.address == self.there.address:
            self.seek(data.size, io.SEEK_CUR)
            return int(data.size)
        return super().write(data)


def _batch(offsets: Ints, values: pa.Buffer) -> pa.RecordBatch:
    """Sentences as a batch, made from buffers: pa.array would import pandas where it is installed."""
    tokens = pa.Array.from_buffers(pa.int32(), int(offsets[-1]), [None, values])
    kind = SCHEMA.field("tokens").type
    lists = pa.Array.from_buffers(kind, len(offsets) - 1, [None, pa.py_buffer(offsets)], children=[tokens])
    return pa.RecordBatch.from_arrays([lists], schema=SCHEMA)


def _bytes_before_values(*, first: bool) -> int:
    """How many bytes a batch of one sentence takes before its tokens, whatever the sentence's length.

    The file's `first` batch has the schema before it, as that is not written earlier.
    """
    marks = np.full(16, 0x5EED5EED, np.int32)
    sink = io.BytesIO()
    with pa.ipc.new_file(pa.PythonFile(sink, "w"), SCHEMA) as batches:
        for _ in range(2):
            batches.write_batch(_batch(np.array([0, len(marks)], np.int64), pa.py_buffer(marks)))
    before, between, _ = sink.getvalue().split(marks.tobytes())
    return len(before if first else between)
