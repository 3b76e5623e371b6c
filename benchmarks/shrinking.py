"""What each way of making a model smaller saves and costs: `python benchmarks/shrinking.py` prints Markdown tables.

Models are trained on the text under FIRTH_CORPORA, with firth's defaults, and judged by five sets in its eval/. See
README.md beside this file.
"""

from __future__ import annotations

import argparse
import datetime
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np
from material import ANALOGIES, SIMILARITIES, chosen_corpus, machine, prepared

from firth import Word2Vec, WordVectors, shrink
from firth.evaluate import Report, judge
from firth.shrinking import AFTER, BEFORE

TOPN = 10
ASKED = 1000  # words whose nearest are compared
ALONE = 200  # queries one after another
SETTLED = 20  # queries after which a search is as quick as it gets
FEWER = (50_000, 20_000)
RESCORE = {"binary": 20, "pq": 5}
FILES = {**ANALOGIES, **SIMILARITIES}
JUDGING = {"resamples": 0, "unknown": "wrong"}  # a word that has gone is no gain


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure what each way of shrinking a model saves and costs.")
    add = parser.add_argument
    add("--corpus", type=Path, help="a text; else the usual one under FIRTH_CORPORA")
    add("--sizes", type=int, nargs="+", default=[100, 300], help="numbers in a vector (default 100 300)")
    add("--epochs", type=int, default=5, help="epochs (default 5)")
    add("--workers", type=int, default=2, help="threads that train (default 2); queries take one")
    return parser.parse_args()


def ways(D: int) -> dict[str, dict[str, Any]]:
    """The arguments of `shrink`, by what they are called in the table."""
    most, fewest = FEWER
    return {
        "float32, without the output matrix": {},
        "float16": {"dtype": "float16"},
        "int8": {"dtype": "int8"},
        f"pq, {D // 2} parts": {"dtype": "pq", "parts": D // 2},
        f"pq, {D // 4} parts": {"dtype": "pq", "parts": D // 4},
        "binary": {"dtype": "binary"},
        f"{most:,} words": {"most": most},
        f"{fewest:,} words": {"most": fewest},
        f"{most:,} words, int8": {"most": most, "dtype": "int8"},
        f"{fewest:,} words, int8": {"most": fewest, "dtype": "int8"},
    }


def score(report: Report, name: str) -> float:
    """The mean of the sets: Google's accuracy and Spearman's correlations, × 100."""
    found = []
    for file in FILES.values():
        result = report.result(Path(file).stem, name)
        found.append(result.measure("spearman" if result.kind == "similarity" else "accuracy").value or 0)
    return 100 * mean(found)


def milliseconds(vectors: WordVectors) -> float:
    """A query: the processor's time, when searches have settled."""
    chosen = np.random.default_rng(1).choice(len(vectors), ALONE)
    taken = []
    for place in chosen.tolist():
        began = time.process_time()
        vectors.most_similar(vectors.words[place], topn=TOPN, threads=1)
        taken.append(time.process_time() - began)
    return 1e3 * median(taken[SETTLED:])


def shared(found: WordVectors, exact: WordVectors) -> float:
    """The share of the exact nearest words that are found, in per cent."""
    words = [exact.words[place] for place in np.random.default_rng(2).choice(len(exact), ASKED, replace=False).tolist()]
    answers = [vectors.most_similar_batch(words, TOPN, threads=1) for vectors in (found, exact)]
    hits = sum(len(dict(a).keys() & dict(b).keys()) for a, b in zip(*answers, strict=True))
    return 100 * hits / (TOPN * ASKED)


def rows(model: Path, sets: list[Path], scratch: Path) -> Iterator[tuple[str, ...]]:
    """The table's rows for one model."""
    exact = WordVectors.load(model)
    whole = score(judge(exact, sets, **JUDGING), "model")
    usual = score(judge(exact, sets, resamples=0), "model")
    size = model.stat().st_size / 1e6
    yield "as trained", f"{size:.1f}", "100", f"{whole:.1f} ({usual:.1f})", "", "100.0", f"{milliseconds(exact):.2f}"
    for name, how in ways(exact.vector_size).items():
        done = shrink(model, scratch / "small.safetensors", **how, evaluate=sets, **JUDGING)
        assert done.evaluation is not None
        before, after = (score(done.evaluation, each) for each in (BEFORE, AFTER))
        small = WordVectors.load(done.target)
        found = f"{shared(small, exact):.1f}" if len(small) == len(exact) else ""
        share = f"{100 * done.target_bytes / done.source_bytes:.0f}"
        cost = f"{round(before - after, 1) + 0.0:.1f}"
        yield name, f"{done.target_bytes / 1e6:.1f}", share, f"{after:.1f}", cost, found, f"{milliseconds(small):.2f}"
    file = shrink(model, scratch / "exact.safetensors").target_bytes
    for dtype, times in RESCORE.items():
        few = exact.astype(dtype, rescore=times)
        bytes_ = file + exact.astype(dtype).nbytes
        share = f"{100 * bytes_ / (1e6 * size):.0f}"
        query = f"{milliseconds(few):.2f}"
        name = f"{dtype}, rescore={times}"
        yield name, f"{bytes_ / 1e6:.1f}", share, f"{whole:.1f}", "0.0", f"{shared(few, exact):.1f}", query


def main() -> None:
    options = arguments()
    source = chosen_corpus(options.corpus)
    sets = [source.parent / "eval" / file for file in FILES.values()]
    heads = ("", "MB", "% of the bytes", "mean of five sets", "lost", f"of the {TOPN} nearest, %", "a query, ms")
    with tempfile.TemporaryDirectory() as scratch:
        text = prepared(source, Path(scratch) / "text.txt", None, 5)
        for D in options.sizes:
            model = Path(scratch) / f"model{D}.safetensors"
            trained = Word2Vec(vector_size=D, epochs=options.epochs, workers=options.workers)
            trained.fit(text.path, cache=False, progress=False).save(model)
            print(f"\n{text.vocabulary:,} × {D}\n\n| {' | '.join(heads)} |\n|---|{'---:|' * (len(heads) - 1)}")
            for row in rows(model, sets, Path(scratch)):
                print(f"| {' | '.join(row)} |", flush=True)
    print(f"\n- {machine()}; {datetime.date.today()}; {text.tokens:,} tokens, {options.epochs} epochs.")
    print("- Google's accuracy and Spearman × 100 of four sets; what needs an unknown word counts as wrong.")


if __name__ == "__main__":
    main()
