"""What storing vectors in fewer bytes saves and costs: `python benchmarks/storage.py MODEL` prints a Markdown table.

Evaluation sets are those in eval/ under FIRTH_CORPORA. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import datetime
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from material import ANALOGIES, SIMILARITIES, corpora_folder
from peers import machine

from firth import WordVectors, evaluate_analogies, evaluate_similarity

SETTLED = 20  # queries after which a search is as quick as it gets
TOPN = 10
RESCORE = (5, 20)
BATCH = 1000


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure vectors stored as float32, float16, int8 and bits.")
    parser.add_argument("model", help="a model trained on real text")
    parser.add_argument("--queries", type=int, default=500, help="words asked for, alone (default 500)")
    parser.add_argument("--seed", type=int, default=1, help="the words follow from this number")
    return parser.parse_args()


def seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def shared(found: WordVectors, exact: WordVectors, words: list[str]) -> float:
    """The share of the exact nearest words that are found."""
    hits = 0
    for word in words:
        ours, true = (dict(each.most_similar(word, topn=TOPN, threads=1)) for each in (found, exact))
        hits += len(ours.keys() & true.keys())
    return hits / (TOPN * len(words))


def row(name: str, vectors: WordVectors, size: int, exact: WordVectors, words: list[str]) -> Iterator[str]:
    """The cells of one way of storing; the sets are asked of the stored numbers, which rescoring leaves alone."""
    yield name
    yield f"{size / 1e6:.1f}"
    alone = [seconds(lambda word=word: vectors.most_similar(word, topn=TOPN, threads=1)) for word in words]
    yield f"{1e3 * median(alone[SETTLED:]):.2f}"
    batch = [vectors.words[place] for place in range(min(BATCH, len(vectors)))]
    yield f"{seconds(lambda: vectors.most_similar_batch(batch, topn=TOPN, threads=1)):.2f}"
    yield f"{100 * shared(vectors, exact, words):.1f}"
    folder = Path(corpora_folder() or "") / "eval"
    for file in ANALOGIES.values():
        yield f"{100 * (evaluate_analogies(vectors, folder / file, threads=1).total.accuracy or 0):.1f}"
    for file in SIMILARITIES.values():
        yield f"{100 * (evaluate_similarity(vectors, folder / file).spearman or 0):.1f}"


def main() -> None:
    options = arguments()
    if corpora_folder() is None:
        raise SystemExit("no evaluation sets: set FIRTH_CORPORA to a folder with eval/ in it")
    exact = WordVectors.load(options.model)
    chosen = np.random.default_rng(options.seed).choice(len(exact), options.queries, replace=False)
    words = [exact.words[place] for place in chosen]
    heads = [
        "stored as",
        "MB",
        "query, ms",
        f"{BATCH:,} at once, s",
        f"of the {TOPN} nearest, %",
        *ANALOGIES,
        *SIMILARITIES,
    ]
    print(f"| {' | '.join(heads)} |\n|---|{'---:|' * (len(heads) - 1)}")
    with tempfile.TemporaryDirectory() as scratch:
        for dtype in ("float32", "float16", "int8", "binary"):
            path = Path(scratch) / f"{dtype}.safetensors"
            exact.astype(dtype).save(path)
            vectors = WordVectors.load(path)
            print(f"| {' | '.join(row(dtype, vectors, path.stat().st_size, exact, words))} |", flush=True)
    for rescore in RESCORE:
        vectors = exact.astype("binary", rescore=rescore)
        size = exact.nbytes + exact.astype("binary").nbytes
        print(f"| {' | '.join(row(f'binary, rescore={rescore}', vectors, size, exact, words))} |", flush=True)
    print(f"\n- {machine()}; {len(exact):,} × {exact.vector_size}; 1 thread; {datetime.date.today()}.")


if __name__ == "__main__":
    main()
