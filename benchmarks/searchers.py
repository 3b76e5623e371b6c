"""One library searched in a process of its own: `python searchers.py JOB`, the job as JSON; prints seconds as JSON.

Both libraries answer the same queries from the same vectors, each loaded from its own kind of file by memory map.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from trainers import peak_bytes

BEGAN = time.perf_counter()
TOPN = 10
EARLY = 8  # queries before firth makes its screen
SETTLED = 20  # queries after which it has
IDIOM_QUERIES = 100  # multiplied at once: their scores are kept in memory
Found = list[list[str]]


@dataclass(frozen=True)
class Job:
    """What to load and what to ask of it."""

    searcher: str
    vectors: str
    questions: str
    queries: list[str]
    singles: int
    threads: int


class Clock:
    """Seconds by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def mark(self, name: str) -> None:
        """The seconds since this script began, NumPy loaded."""
        self.seconds[name] = time.perf_counter() - BEGAN

    def time(self, name: str, work: Callable[[], Any]) -> Any:
        """What `work` gives; keep its seconds."""
        began = time.perf_counter()
        result = work()
        self.seconds[name] = time.perf_counter() - began
        return result

    def each(self, work: Callable[[str], Any], words: list[str]) -> list[float]:
        """The seconds of each word, asked alone."""
        seconds = []
        for word in words:
            began = time.perf_counter()
            work(word)
            seconds.append(time.perf_counter() - began)
        return seconds

    def singles(self, work: Callable[[str], Any], words: list[str]) -> None:
        """A first query, those early ones that follow, the slowest until all is settled, and those from then on."""
        first, *others = words
        self.time("first query", lambda: work(first))
        self.mark("first answer")
        self.seconds["early query"] = statistics.median(self.each(work, others[: EARLY - 1]))
        self.seconds["slowest of others"] = max(self.each(work, others[EARLY - 1 : SETTLED]))
        self.seconds["query"] = statistics.median(self.each(work, others[SETTLED:]))


def search_firth(job: Job, clock: Clock) -> dict[str, Any]:
    from firth.formats import read_vectors

    def ask(word: str) -> list[tuple[str, float]]:
        return vectors.most_similar(word, topn=TOPN, threads=job.threads)

    vectors = clock.time("load", lambda: read_vectors(job.vectors))
    clock.singles(ask, job.queries[: job.singles])
    alone = [_words(ask(word)) for word in job.queries[: job.singles]]
    vectors.most_similar_batch(job.queries[:20], threads=job.threads)  # loads the compiled code
    batch = clock.time("batch", lambda: vectors.most_similar_batch(job.queries, TOPN, threads=job.threads))
    from firth.evaluate import evaluate_analogies

    judged = clock.time("analogies", lambda: evaluate_analogies(vectors, job.questions, threads=job.threads))
    return {"alone": alone, "batch": list(map(_words, batch)), "correct": judged.total.correct}


def search_gensim(job: Job, clock: Clock) -> dict[str, Any]:
    from gensim.models import KeyedVectors

    def ask(word: str) -> list[tuple[str, float]]:
        return vectors.most_similar(word, topn=TOPN)

    vectors = clock.time("load", lambda: KeyedVectors.load(job.vectors, mmap="r"))
    clock.singles(ask, job.queries[: job.singles])
    alone = [_words(ask(word)) for word in job.queries[: job.singles]]
    clock.time("batch", lambda: [ask(word) for word in job.queries])
    normed = vectors.get_normed_vectors()  # not timed: a copy of the matrix, made once
    batch = clock.time("batch idiom", lambda: list(_by_idiom(vectors, normed, job.queries)))
    everything = {"restrict_vocab": len(vectors), "case_insensitive": False}
    _, sections = clock.time("analogies", lambda: vectors.evaluate_word_analogies(job.questions, **everything))
    return {"alone": alone, "batch": batch, "correct": len(sections[-1]["correct"])}


def _by_idiom(vectors: Any, normed: np.ndarray, queries: list[str]) -> Iterator[list[str]]:
    """Many queries by matrix products and partial sorting, as one does who knows NumPy."""
    for start in range(0, len(queries), IDIOM_QUERIES):
        rows = [vectors.key_to_index[word] for word in queries[start : start + IDIOM_QUERIES]]
        scores = normed[rows] @ normed.T
        scores[np.arange(len(rows)), rows] = -np.inf
        best = np.argpartition(scores, -TOPN, axis=1)[:, -TOPN:]
        marks = np.take_along_axis(scores, best, axis=1)
        best = np.take_along_axis(best, np.argsort(-marks, axis=1), axis=1)
        yield from ([vectors.index_to_key[row] for row in some] for some in best)


def _words(found: list[tuple[str, float]]) -> list[str]:
    return [word for word, _ in found]


SEARCHERS = {"firth": search_firth, "gensim": search_gensim}


if __name__ == "__main__":
    job = Job(**json.loads(Path(sys.argv[1]).read_text()))
    clock = Clock()
    answers = SEARCHERS[job.searcher](job, clock)
    print(json.dumps({"seconds": clock.seconds, "peak_bytes": peak_bytes(), "answers": answers}))
