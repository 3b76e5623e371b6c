"""From text to the encoded corpus, in one reading.

Blocks are read in order; threads tokenise them, each numbering words in a lexicon of its own; the numbers are spooled
to disk. When all is read, words are ranked by count, and the spool is rewritten with ranks for numbers. So a source
that can be read only once will do, nothing depends on the number of threads, and memory holds the words, not the text.
"""

from __future__ import annotations

import contextlib
import mmap
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from firth.arrow import as_arrow
from firth.corpus.blocks import Block, TextBlock
from firth.corpus.encoded import CORPUS_FILE, SCHEMA, WORDS_FILE
from firth.corpus.files import Source
from firth.corpus.lexicon import Lexicon, ranked_words
from firth.corpus.tokenizers import Numbered, Tokenizer
from firth.errors import BadCorpus, CannotWrite

BATCH_TOKENS = 1 << 20  # in one record batch, unless a single sentence is longer
BLOCKS_IN_FLIGHT = 3  # for each thread: enough that none waits, few enough that memory stays small
EMPTY = "the corpus is empty: it holds no token; check the path, and the tokenizer's rule"
MOST_THREADS = 16  # beyond, reading itself is the limit

Progress = Callable[[int, int | None, int], None]  # (bytes read, bytes in all where known, tokens so far)


class _Spool:
    """Token numbers as they come, on disk, with the lengths of sentences and the lexicon of each run of numbers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with writing(folder):
            self.ids = (folder / "ids").open("w+b")
            self.lengths = (folder / "lengths").open("w+b")
        self.runs: list[tuple[int, int]] = []  # lexicon, tokens
        self.tokens = 0
        self.sentences = 0
        self._unfinished = 0  # tokens of a line that goes on in the next block

    def add(self, lexicon: int, numbered: Numbered, line_goes_on: bool) -> None:
        """Append one block's tokens."""
        ids, lengths = numbered
        if self._unfinished:
            lengths[0] += self._unfinished
            self._unfinished = 0
        if line_goes_on:
            self._unfinished = int(lengths[-1])
            lengths = lengths[:-1]
        lengths = lengths[lengths > 0]
        with writing(self.folder):
            self.ids.write(ids.data)
            self.lengths.write(lengths.data)
        self.runs.append((lexicon, len(ids)))
        self.tokens += len(ids)
        self.sentences += len(lengths)

    def batches(self) -> Iterator[npt.NDArray[np.int64]]:
        """The sentences' lengths, as many at a time as make up BATCH_TOKENS, but at least one."""
        self.lengths.seek(0)
        pending = np.empty(0, np.int64)
        while read := self.lengths.read(8 << 16):
            pending = np.concatenate([pending, np.frombuffer(read, np.int64)])
            ends = np.cumsum(pending)
            first, before = 0, 0
            while ends[-1] - before >= BATCH_TOKENS:
                upto = max(int(np.searchsorted(ends, before + BATCH_TOKENS, side="right")), first + 1)
                yield pending[first:upto]
                first, before = upto, int(ends[upto - 1])
            pending = pending[first:]
        if len(pending):
            yield pending

    def close(self) -> None:
        """Remove the spool."""
        for file in (self.ids, self.lengths):
            with contextlib.suppress(OSError):  # closing may flush once more what a full disk refused
                file.close()
            Path(file.name).unlink(missing_ok=True)


def encode(
    sources: Sequence[Source],
    tokenizer: Tokenizer,
    folder: Path,
    *,
    threads: int = 1,
    encoding_errors: str = "strict",
    progress: Progress | None = None,
) -> None:
    """Write the encoded corpus of `sources` into `folder`, which must exist.

    Raises `BadCorpus` where there is no token at all or text is not what it should be, `CannotWrite` for a full disk.
    """
    with contextlib.closing(_Spool(folder)) as spool:
        lexicons = _tokenise(sources, tokenizer, spool, min(threads, MOST_THREADS), encoding_errors, progress)
        if not spool.tokens:
            raise BadCorpus(EMPTY)
        words, counts, ranks = ranked_words(lexicons)
        with writing(folder):
            _write_words(folder / WORDS_FILE, words, counts)
            _rank(spool, ranks)
            _write_corpus(folder / CORPUS_FILE, spool)


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


def _tokenise(
    sources: Sequence[Source],
    tokenizer: Tokenizer,
    spool: _Spool,
    threads: int,
    errors: str,
    progress: Progress | None,
) -> list[Lexicon]:
    """Tokenise all blocks on `threads` threads into the spool, in the sources' order; give the lexicons."""
    sizes = [source.size for source in sources]
    total = None if None in sizes else sum(size or 0 for size in sizes)
    lexicons = [Lexicon() for _ in range(threads)]
    free: SimpleQueue[int] = SimpleQueue()
    for index in range(threads):
        free.put(index)

    def work(block: Block) -> tuple[int, Numbered]:
        index = free.get()
        try:
            return index, tokenizer.number(block, lexicons[index], errors)
        finally:
            free.put(index)

    waiting: deque[tuple[Future[tuple[int, Numbered]], bool, int]] = deque()

    def finish_one() -> None:
        future, line_goes_on, read = waiting.popleft()
        lexicon, numbered = future.result()
        spool.add(lexicon, numbered, line_goes_on)
        if progress is not None:
            progress(read, total, spool.tokens)

    read_before = 0
    with ThreadPoolExecutor(threads, thread_name_prefix="firth-read") as pool:
        try:
            for source in sources:
                for block in source.blocks():
                    line_goes_on = isinstance(block, TextBlock) and block.line_goes_on
                    waiting.append((pool.submit(work, block), line_goes_on, read_before + source.done))
                    if len(waiting) >= BLOCKS_IN_FLIGHT * threads:
                        finish_one()
                read_before += source.done
            while waiting:
                finish_one()
        except BaseException:
            for future, _, _ in waiting:
                future.cancel()
            raise
    return lexicons


def _rank(spool: _Spool, ranks: Sequence[npt.NDArray[np.int32]]) -> None:
    """Rewrite the spool in place, with ranks for numbers."""
    at = 0
    for lexicon, count in spool.runs:
        spool.ids.seek(at)
        ids = np.frombuffer(spool.ids.read(4 * count), np.int32)
        spool.ids.seek(at)
        spool.ids.write(ranks[lexicon][ids].data)
        at += 4 * count
    spool.ids.flush()


def _write_words(path: Path, words: pa.LargeStringArray, counts: npt.NDArray[np.int64]) -> None:
    table = pa.table({"word": words, "count": as_arrow(counts)})
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def _write_corpus(path: Path, spool: _Spool) -> None:
    """Write the ranks as lists, in batches of whole sentences."""
    schema = SCHEMA.with_metadata({"tokens": str(spool.tokens), "sentences": str(spool.sentences)})
    at = 0
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, schema) as writer:
        for lengths in spool.batches():
            offsets = np.concatenate([[0], np.cumsum(lengths)])
            count = int(offsets[-1])
            lists = pa.LargeListArray.from_arrays(as_arrow(offsets), _values(spool.ids, at, count))
            writer.write_batch(pa.record_batch([lists], schema=schema))
            at += count


def _values(file: BinaryIO, at: int, count: int) -> pa.Array:
    """`count` ranks from place `at` of the spool: read, or mapped where they are more than memory should hold."""
    if count <= BATCH_TOKENS:
        file.seek(4 * at)
        return pa.Array.from_buffers(pa.int32(), count, [None, pa.py_buffer(file.read(4 * count))])
    mapped = mmap.mmap(file.fileno(), 4 * (at + count), access=mmap.ACCESS_READ)
    return pa.Array.from_buffers(pa.int32(), count, [None, pa.py_buffer(memoryview(mapped)[4 * at :])])
