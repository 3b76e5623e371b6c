"""Walks straight into an encoded corpus, on all threads.

Threads walk blocks of walks; the nodes' numbers go into the corpus's file in the order of the walks, and are counted.
When all walks are done, ranks take the place of numbers, as with text. Each step is a function of the seed, the walk
and the step alone, so any number of threads gives the same file. Memory holds the graph and a few blocks, whatever the
number of walks.
"""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from firth.bar import counting
from firth.cache import cache_folder
from firth.corpus.encoded import CORPUS_FILE, WORDS_FILE, EncodedCorpus
from firth.corpus.encoding import rank_corpus, write_words
from firth.corpus.ranking import ranked_by_counts
from firth.corpus.store import new_folder
from firth.corpus.writer import CorpusWriter, writing
from firth.graphs.kernels import Arcs, Rules, walk
from firth.graphs.reference import rules_of, starts_of
from firth.options import WalkOptions
from firth.phrases.kernels import tally

Nodes = npt.NDArray[np.int32]
Ints = npt.NDArray[np.int64]

NODES_AT_ONCE = 1 << 18  # in a block of walks: some 10 ms of work
BLOCKS_IN_FLIGHT = 3  # for each thread: enough that none waits, few enough that memory stays small


def walked(arcs: Arcs, names: pa.LargeStringArray, options: WalkOptions, progress: bool | None) -> EncodedCorpus:
    """The walks of all nodes as a temporary corpus, whose words are the nodes' names. Raises `CannotWrite`."""
    nodes, rules = len(names), rules_of(options)
    counts = np.zeros(nodes, np.int64)
    done = 0
    folder = new_folder(cache_folder() / "corpora", warn=False)
    try:
        with (
            ThreadPoolExecutor(options.threads, thread_name_prefix="firth-walk") as pool,
            counting("walking", nodes * options.num_walks, "walks", progress) as bar,
        ):
            with CorpusWriter(folder / CORPUS_FILE) as corpus:
                for visited, lengths in _blocks(arcs, rules, options, nodes, pool):
                    tally(visited, counts)
                    done += len(lengths)
                    corpus.add(0, visited, lengths, False)
                    bar.move(done)
            words, word_counts, ranks = ranked_by_counts(names, counts)
            with writing(folder):
                write_words(folder / WORDS_FILE, words, word_counts, corpus.sentences)
                rank_corpus(folder / CORPUS_FILE, corpus.runs, [ranks], pool, options.threads)
        return EncodedCorpus(folder, temporary=True)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _blocks(
    arcs: Arcs, rules: Rules, options: WalkOptions, nodes: int, pool: ThreadPoolExecutor
) -> Iterator[tuple[Nodes, Ints]]:
    """The nodes of the walks of each block, and how many each walk has, in the order of the walks."""
    walks_each = max(1, NODES_AT_ONCE // rules.length)

    def work(starts: Ints, turn: int) -> tuple[Nodes, Ints]:
        visited, lengths = np.empty(len(starts) * rules.length, np.int32), np.empty(len(starts), np.int64)
        count = walk(arcs, rules, starts, turn * nodes + starts, visited, lengths)
        return visited[:count], lengths

    waiting: deque[Future[tuple[Nodes, Ints]]] = deque()
    try:
        for turn in range(options.num_walks):
            starts = starts_of(nodes, options.seed, turn)
            for first in range(0, nodes, walks_each):
                waiting.append(pool.submit(work, starts[first : first + walks_each], turn))
                if len(waiting) >= BLOCKS_IN_FLIGHT * options.threads:
                    yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
