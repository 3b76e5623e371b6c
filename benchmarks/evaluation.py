"""firth's judging against gensim's: the same vectors, sets and threads, in turn, in one process.

`python benchmarks/evaluation.py` prints a Markdown table, and stops where scores differ. See README.md
beside this file.
"""

from __future__ import annotations

import argparse
import datetime
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from material import SIMILARITIES, corpora_folder, machine
from queries import made_vectors, questions_of

from firth import WordVectors, evaluate_analogies, evaluate_similarity
from firth.blas import threads_at_most

SHAPES = ("75000x100", "400000x300")
CLOSE = 5e-5  # scores agree to four digits


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure firth's judging against gensim's.")
    add = parser.add_argument
    add("--shapes", nargs="+", default=SHAPES, help=f"words x numbers of the vectors (default {' '.join(SHAPES)})")
    add("--questions", type=int, default=1000, help="analogies, taken evenly from the set (default 1,000)")
    add("--sets", type=Path, help="folder of the evaluation sets; else eval/ under FIRTH_CORPORA")
    add("--threads", type=int, default=1, help="threads, BLAS's too (default 1)")
    add("--rounds", type=int, default=3, help="rounds (default 3)")
    add("--seed", type=int, default=1, help="the vectors follow from this number")
    return parser.parse_args()


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.process_time()
    found = work()
    return time.process_time() - began, found


def in_gensim(vectors: WordVectors) -> Any:
    from gensim.models import KeyedVectors

    keyed = KeyedVectors(vectors.vector_size)
    keyed.add_vectors(list(vectors.words), vectors.matrix)
    return keyed


def rows(shape: str, options: argparse.Namespace, place: Path) -> Iterator[str]:
    """The table's rows for vectors of one shape."""
    options.words, options.size = map(int, shape.split("x"))
    lines = questions_of(options)
    questions = place / "questions.txt"
    questions.write_text("\n".join(lines) + "\n", encoding="utf-8")
    ours, sets = made_vectors(options, lines), (options.sets or Path(corpora_folder() or "") / "eval")
    theirs = in_gensim(ours)
    everything = {"restrict_vocab": len(ours), "case_insensitive": False}
    exact = {"case": "exact", "threads": options.threads}

    def same_analogies(mine: Any, others: Any) -> bool:
        both = zip([*mine.sections, mine], others[1], strict=True)
        return all(each.correct == len(other["correct"]) for each, other in both)

    def same_pairs(mine: Any, others: Any) -> bool:
        return abs(mine.spearman - others[1][0]) < CLOSE and abs(mine.pearson - others[0][0]) < CLOSE

    works: dict[str, tuple[Callable[[], Any], Callable[[], Any], Callable[[Any, Any], bool]]] = {
        f"{sum(not line.startswith(':') for line in lines):,} analogies": (
            lambda: evaluate_analogies(ours, questions, **exact),
            lambda: theirs.evaluate_word_analogies(questions, **everything),
            same_analogies,
        ),
    }
    text = (sets / SIMILARITIES["MEN"]).read_text(encoding="utf-8").splitlines()
    generator = np.random.default_rng(options.seed)
    drawn = [[ours.words[row] for row in pair] for pair in generator.integers(0, len(ours), (len(text), 2)).tolist()]
    scored = [f"{a}\t{b}\t{line.split()[-1]}" for (a, b), line in zip(drawn, text, strict=True)]
    pairs = place / "pairs.tsv"
    pairs.write_text("\n".join(scored) + "\n", encoding="utf-8")
    for name, resamples in ((f"{len(scored):,} pairs", 0), ("the same, firth with intervals", 1000)):
        works[name] = (
            lambda resamples=resamples: evaluate_similarity(ours, pairs, resamples=resamples, **exact),
            lambda: theirs.evaluate_word_pairs(pairs, **everything),
            same_pairs,
        )
    evaluate_analogies(ours, questions, **exact)  # loads the compiled code
    for name, (mine, other, same) in works.items():
        seconds: list[tuple[float, float]] = []
        for _ in range(options.rounds):
            with threads_at_most(options.threads):
                first, found = timed(mine)
                second, expected = timed(other)
            if not same(found, expected):
                raise SystemExit(f"{name}: scores differ: {found} and {expected}")
            seconds.append((first, second))
        ratio = median(theirs_ / ours_ for ours_, theirs_ in seconds)
        cells = [f"{median(each[side] for each in seconds):.3g}" for side in (0, 1)]
        yield f"| {options.words:,} × {options.size} | {name} | {cells[0]} s | {cells[1]} s | {ratio:.2g} × |"


def main() -> None:
    options = arguments()
    if min(options.rounds, options.threads, options.questions) < 1:
        raise SystemExit("rounds, threads and questions must be 1 or more")
    print("| vectors | what | firth | gensim | gensim / firth |\n| --- | --- | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as scratch:
        for shape in options.shapes:
            for row in rows(shape, options, Path(scratch)):
                print(row, flush=True)
    packages = ", ".join(f"{name} {version(name)}" for name in ("firth", "gensim", "numpy"))
    print(f"\n- {machine()}; Python {platform.python_version()}; {packages}; {datetime.date.today()}.")
    told = f"Medians over {options.rounds} rounds, in turn, of the processor's seconds; scores agree."
    print(f"- Threads, BLAS's too: {options.threads}. {told}")


if __name__ == "__main__":
    main()
