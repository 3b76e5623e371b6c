"""Indexes for approximate search beside exact search: `python benchmarks/indexes.py` prints Markdown tables.

Of made-up vectors in clusters, and, where FIRTH_CORPORA is set, of vectors trained on the text there. Seconds are the
processor's, of all threads: what else the machine does counts little. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import datetime
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from material import chosen_corpus, corpora_folder, prepared
from peers import machine

from firth import Word2Vec, WordVectors
from firth.errors import MissingExtra
from firth.indexes import GRAPHS

TOPN = 10
BATCH = 1000
ROUNDS = 3
ALONE = 300  # queries one after another
SETTLED = 20  # queries after which exact search is as quick as it gets
NEAR = 100  # vectors to a cluster
SPREAD = 20  # columns until the spectrum falls, as that of trained vectors does
RESCORE = 5
ROWS_AT_ONCE = 1 << 14


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure indexes for approximate search beside exact search.")
    add = parser.add_argument
    add("--words", type=int, default=400_000, help="how many made-up vectors (default 400,000), 0 for none")
    add("--size", type=int, default=100, help="numbers in a vector (default 100)")
    add("--kinds", nargs="+", choices=GRAPHS, default=[*GRAPHS], help="which indexes; all if not given")
    add("--threads", type=int, default=2, help="threads that build (default 2); queries take one")
    add("--seed", type=int, default=1, help="the vectors follow from this number")
    return parser.parse_args()


def made_vectors(V: int, D: int, seed: int) -> WordVectors:
    """Vectors about V / 100 centres, half of their squares being the cluster's, of lengths that differ."""
    generator = np.random.default_rng(seed)
    spectrum = (1 / np.sqrt(1 + np.arange(D) / SPREAD)).astype(np.float32)
    centres = generator.standard_normal((V // NEAR + 1, D), np.float32)
    matrix = np.empty((V, D), np.float32)
    for start in range(0, V, ROWS_AT_ONCE):
        part = matrix[start : start + ROWS_AT_ONCE]
        part[:] = centres[generator.integers(0, len(centres), len(part))]
        part += generator.standard_normal(part.shape, np.float32)
        part *= spectrum * generator.lognormal(size=(len(part), 1)).astype(np.float32)
    return WordVectors([f"word{row}" for row in range(V)], matrix)


def trained_vectors() -> WordVectors:
    """Vectors of the text under FIRTH_CORPORA, with firth's defaults."""
    with tempfile.TemporaryDirectory() as scratch:
        text = prepared(chosen_corpus(None), Path(scratch) / "text.txt", None, 5)
        return Word2Vec().fit(text.path, cache=False, progress=False).vectors


def seconds(work: Callable[[], Any]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def cells(
    name: str, vectors: WordVectors, exact: WordVectors, built: float | None, size: int, how: Any
) -> Iterator[str]:
    """One row: what searches `vectors`, and how many of the nearest of `exact` it finds."""
    places = np.random.default_rng(2).choice(len(exact), BATCH, replace=False)
    words = [exact.words[place] for place in places]
    alone = [seconds(partial(vectors.most_similar, word, topn=TOPN, threads=1, index=how)) for word in words[:ALONE]]
    true = exact.most_similar_batch(words, TOPN, threads=1)
    answers: list[Any] = []
    ask = partial(vectors.most_similar_batch, words, TOPN, threads=1, index=how)
    batch = median(seconds(lambda: answers.append(ask())) for _ in range(ROUNDS))
    hits = sum(len(dict(found).keys() & dict(each).keys()) for found, each in zip(answers[0], true, strict=True))
    yield name
    yield "" if built is None else f"{built:.1f}"
    yield f"{size / 1e6:.1f}"
    yield f"{1e3 * median(alone[SETTLED:]):.3f}"
    yield f"{batch:.3f}"
    yield f"{100 * hits / (TOPN * BATCH):.1f}"


def measure(title: str, vectors: WordVectors, options: argparse.Namespace) -> None:
    def show(*row: Any) -> None:
        print(f"| {' | '.join(cells(*row))} |", flush=True)

    print(f"\n{title}: {len(vectors):,} × {vectors.vector_size}\n")
    print(f"| search | built, s | MB | a query, ms | {BATCH:,} at once, s | of the {TOPN} nearest, % |")
    print("|---|---:|---:|---:|---:|---:|")
    vectors.most_similar_batch(vectors.words[:8], threads=1)  # what is compiled is compiled
    show("exact", vectors, vectors, None, vectors.nbytes, None)
    with tempfile.TemporaryDirectory() as scratch:
        for kind in options.kinds:
            began = time.process_time()
            try:
                index = vectors.build_index(kind, threads=options.threads, progress=False)
            except MissingExtra as error:
                print(f"| {kind}: {error} | | | | | |")
                continue
            built = time.process_time() - began
            index.save(Path(scratch) / kind)
            show(kind, vectors, vectors, built, (Path(scratch) / kind).stat().st_size, index)
    for rescore in (0, RESCORE):
        began = time.process_time()
        few = vectors.astype("pq", rescore=rescore)
        built = time.process_time() - began
        size = vectors.astype("pq").nbytes if rescore else few.nbytes
        show(f"pq, rescore={rescore}" if rescore else "pq", few, vectors, built, size, None)


def main() -> None:
    options = arguments()
    if options.words:
        measure("Made up, in clusters", made_vectors(options.words, options.size, options.seed), options)
    if corpora_folder() is not None:
        measure("Trained", trained_vectors(), options)
    print(f"\n- {machine()}; {options.threads} threads build, 1 asks; {datetime.date.today()}. Processor's seconds.")


if __name__ == "__main__":
    main()
