"""The encoded corpus: sentences as lists of word numbers, in an Arrow file mapped into memory.

A folder holds `corpus.arrow` (an IPC file, column `tokens`: large_list<int32>, one list per sentence) and
`words.arrow` (columns `word`, `count`; metadata `sentences`: how many there are). Words are numbered by falling count,
so any vocabulary cut by count or size is a prefix: numbers from its size on are out of vocabulary. The encoded corpus
therefore serves every `min_count`.
"""

from __future__ import annotations

import mmap
import shutil
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from firth.arrow import as_numpy
from firth.errors import BadCorpus

Tokens = npt.NDArray[np.int32]
Ints = npt.NDArray[np.int64]
Number = TypeVar("Number", bound=np.generic)

CORPUS_FILE, WORDS_FILE = "corpus.arrow", "words.arrow"
PAGES_KEPT = 4 << 20  # bytes behind the chunk under way that stay in memory, as they may still be in training
SENTENCES_AT_ONCE = 1_000  # whose words are looked up together
SCHEMA = pa.schema([("tokens", pa.large_list(pa.int32()))])


@dataclass(frozen=True)
class Chunk:
    """A stretch of the corpus: tokens[first:last] are to be trained; those around them are their contexts.

    `tokens` (int32) are the word numbers of whole sentences, sentence i being tokens[offsets[i]:offsets[i + 1]].
    `sentence` is the one that holds `first`; `position` is the place of tokens[0] in the whole corpus.
    """

    tokens: Tokens
    offsets: Ints
    sentence: int
    first: int
    last: int
    position: int


class EncodedCorpus:
    """An encoded corpus on disk. Reading costs a fixed amount of memory, whatever its size.

    The files stay mapped, so they may be removed while they are read. A `temporary` corpus removes them itself: at
    `close`, or when it is no longer used. Raises `BadCorpus` where the folder does not hold both files, whole.
    """

    def __init__(self, folder: Path, *, temporary: bool = False) -> None:
        self.folder = folder
        self._remove = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True) if temporary else None
        try:
            words = pa.ipc.open_file(pa.memory_map(str(folder / WORDS_FILE))).get_batch(0)
            self.words: pa.LargeStringArray = words["word"]
            self.counts: Ints = as_numpy(words["count"])
            self._mapped = _mapped(folder / CORPUS_FILE)
            if _reader(self._mapped).schema != SCHEMA:
                raise ValueError(f"{CORPUS_FILE} has not the one column tokens")
            self.total_tokens = int(self.counts.sum())
            self.sentences = int((words.schema.metadata or {})[b"sentences"])
        except (pa.ArrowException, OSError, KeyError, ValueError) as error:
            raise BadCorpus(f"the folder {folder} does not hold a sound encoded corpus: {error}; remove it") from error

    def chunks(self, tokens_each: int, *, start: int = 0, ids: Tokens | None = None) -> Iterator[Chunk]:
        """The corpus from position `start` on, some `tokens_each` tokens at a time, in order.

        `ids` (one for each word of the corpus) gives the words other numbers, -1 for those to leave out.
        """
        base = pa.py_buffer(self._mapped).address
        position = done = 0
        for lists in _batches(self._mapped):
            offsets: Ints = as_numpy(lists.offsets)
            length = int(offsets[-1] - offsets[0])
            if position + length > start:
                tokens: Tokens = as_numpy(lists.flatten())
                begin = tokens.ctypes.data - base
                numbered = tokens if ids is None else ids[tokens]
                for chunk in _stretches(numbered, offsets - offsets[0], position, start, tokens_each):
                    yield chunk
                    done = _forget(self._mapped, done, begin + 4 * chunk.first - PAGES_KEPT)
            position += length

    def __iter__(self) -> Iterator[list[str]]:
        """The sentences, each a list of its words."""
        for lists in _batches(self._mapped):
            ends: Ints = as_numpy(lists.offsets)
            for first in range(0, len(lists), SENTENCES_AT_ONCE):
                some = lists.slice(first, SENTENCES_AT_ONCE)
                words = self.words.take(some.flatten()).to_pylist()
                bounds = ends[first : first + len(some) + 1] - ends[first]
                yield from (words[begin:end] for begin, end in pairwise(bounds.tolist()))

    @cached_property
    def longest_sentence(self) -> int:
        """The number of tokens in the longest sentence."""
        lengths = (np.diff(as_numpy(lists.offsets)).max(initial=0) for lists in _batches(self._mapped))
        return int(max(lengths, default=0))

    @cached_property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(each.stat().st_size for each in self.folder.iterdir())

    def __reduce__(self) -> tuple[type[EncodedCorpus], tuple[Path]]:
        """Sent to another process, it opens the same files there; they are this one's to remove."""
        return EncodedCorpus, (self.folder,)

    def close(self) -> None:
        """Remove the files, if they were only made for one run."""
        if self._remove is not None:
            self._remove()

    def __enter__(self) -> EncodedCorpus:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def values_within(path: Path) -> list[tuple[int, int]]:
    """Where the tokens of each batch stand in a corpus file: at which byte they begin, and how many they are."""
    mapped = _mapped(path)
    base = pa.py_buffer(mapped).address
    tokens = (as_numpy(lists.flatten()) for lists in _batches(mapped))
    return [(each.ctypes.data - base, len(each)) for each in tokens]


def _reader(mapped: mmap.mmap) -> Any:
    return pa.ipc.open_file(pa.BufferReader(pa.py_buffer(mapped)))


def _batches(mapped: mmap.mmap) -> Iterator[pa.LargeListArray]:
    reader = _reader(mapped)
    for index in range(reader.num_record_batches):
        yield reader.get_batch(index).column(0)


def _stretches(tokens: Tokens, offsets: Ints, position: int, start: int, tokens_each: int) -> Iterator[Chunk]:
    first = max(start - position, 0)
    while first < len(tokens):
        last = min(first + tokens_each, len(tokens))
        sentence = int(np.searchsorted(offsets, first, side="right")) - 1
        yield Chunk(tokens, offsets, sentence, first, last, position)
        first = last


def _mapped(path: Path) -> mmap.mmap:
    """The file in memory; unmapped when the last array on it goes, as chunks may be in training when reading ends."""
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _forget(mapped: mmap.mmap, done: int, upto: int) -> int:
    """Let the system take back the pages from byte `done` to `upto`: they are trained, and would count as our memory.

    Where a page is still in use it comes back from the file by itself. Gives where to go on.
    """
    upto -= upto % mmap.PAGESIZE
    if not hasattr(mapped, "madvise") or upto - done < PAGES_KEPT:
        return done
    mapped.madvise(mmap.MADV_DONTNEED, done, upto - done)
    return upto
