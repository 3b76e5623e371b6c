"""From text to the encoded corpus, in one reading.

Blocks are read in order; threads tokenise them, each numbering words in a lexicon of its own; the numbers go straight
into the corpus's file. When all is read, words are ranked by count, and threads put ranks in place of numbers. So a
source that can be read only once will do, nothing depends on the number of threads, and memory holds the words and a
few blocks, not the text, however long its sentences.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from firth.arrow import as_arrow
from firth.corpus.blocks import Block, TextBlock
from firth.corpus.encoded import CORPUS_FILE, WORDS_FILE, values_within
from firth.corpus.files import Source
from firth.corpus.lexicon import Lexicon
from firth.corpus.ranking import put_ranks, ranked_words
from firth.corpus.tokenizers import Numbered, Tokenizer
from firth.corpus.writer import CorpusWriter, writing
from firth.errors import BadCorpus

BLOCKS_IN_FLIGHT = 3  # for each thread: enough that none waits, few enough that memory stays small
EMPTY = "the corpus is empty: it holds no token; check the path, and the tokenizer's rule"
MOST_THREADS = 16  # beyond, reading itself is the limit
TOKENS_AT_ONCE = 1 << 18  # read, ranked and written back: they stay in the second cache

Progress = Callable[[int, int | None, int], None]  # (bytes read, bytes in all where known, tokens so far)


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
    threads = min(threads, MOST_THREADS)
    with ThreadPoolExecutor(threads, thread_name_prefix="firth-read") as pool:
        with CorpusWriter(folder / CORPUS_FILE) as corpus:
            lexicons = _tokenise(sources, tokenizer, corpus, pool, threads, encoding_errors, progress)
            if not corpus.tokens:
                raise BadCorpus(EMPTY)
        words, counts, ranks = ranked_words(lexicons)
        with writing(folder):
            write_words(folder / WORDS_FILE, words, counts, corpus.sentences)
            rank_corpus(folder / CORPUS_FILE, corpus.runs, ranks, pool, threads)


def _tokenise(
    sources: Sequence[Source],
    tokenizer: Tokenizer,
    corpus: CorpusWriter,
    pool: ThreadPoolExecutor,
    threads: int,
    errors: str,
    progress: Progress | None,
) -> list[Lexicon]:
    """Tokenise all blocks on the pool's threads into the corpus, in the sources' order; give the lexicons."""
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
        corpus.add(lexicon, *numbered, line_goes_on)
        if progress is not None:
            progress(read, total, corpus.tokens)

    read_before = 0
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


def write_words(path: Path, words: pa.LargeStringArray, counts: npt.NDArray[np.int64], sentences: int) -> None:
    """Write the corpus's words, ranked, with their counts and the number of sentences."""
    batch = pa.RecordBatch.from_arrays([words, as_arrow(counts)], ["word", "count"])
    batch = batch.replace_schema_metadata({"sentences": str(sentences)})
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, batch.schema) as writer:
        writer.write_batch(batch)


def rank_corpus(
    path: Path,
    runs: Sequence[tuple[int, int]],
    ranks: Sequence[npt.NDArray[np.int32]],
    pool: ThreadPoolExecutor,
    threads: int,
) -> None:
    """Put ranks in place of numbers in the corpus's file; `runs` tells the lexicon of so many numbers each."""
    places = values_within(path)

    def work(thread: int) -> None:
        numbers = np.empty(TOKENS_AT_ONCE, np.int32)
        with path.open("r+b", buffering=0) as file:  # a buffer would write back what is another thread's, too
            for place, count, lexicon in islice(_stretches(places, runs), thread, None, threads):
                some = numbers[:count]
                file.seek(place)
                file.readinto(some.data)
                put_ranks(some, ranks[lexicon])
                file.seek(place)
                left = some.view(np.uint8).data
                while left:  # a disk that is full takes a part, then says so
                    left = left[file.write(left) :]

    for done in [pool.submit(work, thread) for thread in range(threads)]:
        done.result()


def _stretches(places: Sequence[tuple[int, int]], runs: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int, int]]:
    """Stretches of numbers of one lexicon, at most TOKENS_AT_ONCE: the first one's byte, how many, the lexicon."""
    remaining = iter(runs)
    run = 0
    for place, count in places:
        while count:
            while not run:
                lexicon, run = next(remaining)
            some = min(count, run, TOKENS_AT_ONCE)
            yield place, some, lexicon
            place, count, run = place + 4 * some, count - some, run - some
