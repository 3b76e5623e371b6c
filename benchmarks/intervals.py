"""How wide intervals of analogies are by drawing questions and by drawing the pairs that they cross.

`python benchmarks/intervals.py` trains two models that differ in their seed alone, and prints a Markdown table.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from material import CORPUS, chosen_corpus, corpora_folder, prepared

from firth import Word2Vec, WordVectors, evaluate_analogies
from firth.evaluate.resampling import mean_interval

SETS = {"Google": "questions-words.txt", "BATS": "BATS_3.0"}
RESAMPLES, SEED = 1000, 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare two ways to draw an interval for analogies.")
    add = parser.add_argument
    add("--corpus", type=Path, help=f"text, a sentence per line; else {CORPUS} under FIRTH_CORPORA")
    add("--sets", type=Path, help="folder of the evaluation sets; else eval/ under FIRTH_CORPORA")
    add("--epochs", type=int, default=1, help="epochs (default 1)")
    add("--seeds", type=int, nargs=2, default=[1, 2], help="the two seeds (default 1 2)")
    return parser.parse_args()


def shown(between: tuple[float, float] | None) -> str:
    assert between is not None
    return f"{100 * between[0]:.1f} to {100 * between[1]:.1f}"


def row(name: str, path: Path, models: list[WordVectors]) -> str:
    first, second = (evaluate_analogies(each, path, resamples=0) for each in models)
    a, b = (each.outcomes["accuracy"] for each in (first, second))
    told = np.flatnonzero(~np.isnan(a) & ~np.isnan(b))
    assert first.parts is not None
    parts, cells = first.parts.of(told), [name]
    for outcomes in (a[told], b[told] - a[told]):
        by_questions = mean_interval(outcomes, RESAMPLES, SEED)
        by_pairs = parts.mean_interval(outcomes, RESAMPLES, SEED)
        cells += [f"{100 * outcomes.mean():.1f}", shown(by_questions), shown(by_pairs)]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    options = arguments()
    sets = options.sets or Path(corpora_folder() or "") / "eval"
    with tempfile.TemporaryDirectory() as scratch:
        text = prepared(chosen_corpus(options.corpus), Path(scratch) / "text.txt", None, 5)
        models = [
            Word2Vec(seed=seed, epochs=options.epochs, workers=1).fit(str(text.path), progress=False).vectors
            for seed in options.seeds
        ]
    print("| set | one model | by questions | by pairs | the other less this one | by questions | by pairs |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, file in SETS.items():
        print(row(name, sets / file, models))


if __name__ == "__main__":
    main()
