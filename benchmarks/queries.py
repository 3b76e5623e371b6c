"""firth's queries against gensim's: the same vectors, queries and threads, in turn, each in a fresh process.

`python benchmarks/queries.py` prints a Markdown table; `--json FILE` keeps every run, `--plot FILE` draws an SVG.
See README.md beside this file.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from material import ANALOGIES, corpora_folder
from peers import machine
from searchers import EARLY, SEARCHERS, SETTLED, TOPN, Job

from firth import WordVectors

SCRIPT = Path(__file__).with_name("searchers.py")
LONGEST_RUN = 3600  # seconds
ROWS_AT_ONCE = 1 << 14
SPREAD = 20  # columns until the spectrum of the made vectors falls: trained ones use their columns unevenly, too
NOISE = 0.3
TICKS = (0.5, 1, 2, 5, 10, 20, 50)
BLAS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@dataclass(frozen=True)
class Measure:
    """A row of the table: what each library's number is called in a run, and how it is told."""

    name: str
    ours: str
    theirs: str
    unit: str
    scale: float


@dataclass(frozen=True)
class Run:
    """One process, measured: seconds by name."""

    searcher: str
    threads: int
    round: int
    seconds: dict[str, float]
    peak_bytes: int


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure firth's queries against gensim's.")
    add = parser.add_argument
    add("--words", type=int, default=400_000, help="how many vectors (default 400,000)")
    add("--size", type=int, default=300, help="numbers in a vector (default 300)")
    add("--queries", type=int, default=1000, help="queries of a batch (default 1,000)")
    add("--singles", type=int, default=50, help="queries asked alone (default 50)")
    add("--questions", type=int, default=1000, help="analogies, taken evenly from the set (default 1,000)")
    add("--sets", type=Path, help="folder of the evaluation sets; else eval/ under FIRTH_CORPORA")
    add("--threads", type=int, nargs="+", default=[1, 2], help="numbers of threads")
    add("--rounds", type=int, default=3, help="rounds (default 3)")
    add("--seed", type=int, default=1, help="the vectors follow from this number")
    add("--json", type=Path, help="file to write every run to")
    add("--plot", type=Path, help="SVG file to draw the medians into")
    return parser.parse_args()


# ---- material ----------------------------------------------------------------------------------


def questions_of(options: argparse.Namespace) -> list[str]:
    """The lines of the analogy set: its sections, and of its questions so many, taken evenly."""
    folder = corpora_folder()
    if options.sets is None and folder is None:
        raise SystemExit("no analogy set: give --sets FOLDER, or set FIRTH_CORPORA to a folder with eval/ in it")
    path = (options.sets or Path(folder or "") / "eval") / ANALOGIES["Google"]
    if not path.is_file():
        raise SystemExit(f"no analogy set at {path}; correct --sets or FIRTH_CORPORA")
    lines = path.read_text(encoding="utf-8").lower().splitlines()
    places = [place for place, line in enumerate(lines) if not line.startswith(":")]
    step = max(1, len(places) // options.questions)
    kept = set(places[::step][: options.questions])
    return [line for place, line in enumerate(lines) if place in kept or line.startswith(":")]


def made_vectors(options: argparse.Namespace, lines: Sequence[str]) -> WordVectors:
    """Vectors by chance, (words, size); within a section of the set, second words lie off their first by one offset."""
    generator = np.random.default_rng(options.seed)
    asked = list(dict.fromkeys(word for line in lines if not line.startswith(":") for word in line.split()))
    words = [*asked, *(f"word{number}" for number in range(options.words - len(asked)))]
    spectrum = (1 / np.sqrt(1 + np.arange(options.size) / SPREAD)).astype(np.float32)
    matrix = np.empty((options.words, options.size), np.float32)
    for start in range(0, options.words, ROWS_AT_ONCE):
        part = matrix[start : start + ROWS_AT_ONCE]
        part[:] = generator.standard_normal(part.shape, np.float32) * spectrum
    row, placed = {word: number for number, word in enumerate(asked)}, set[str]()
    offset = np.zeros(options.size)
    for line in lines:
        if line.startswith(":"):
            offset = generator.standard_normal(options.size) * spectrum
            continue
        a, b, c, d = line.split()
        for first, second in ((a, b), (c, d)):
            if second not in placed:
                noise = NOISE * generator.standard_normal(options.size) * spectrum
                matrix[row[second]] = matrix[row[first]] + offset + noise
            placed |= {first, second}
    return WordVectors(words, matrix)


def prepared(options: argparse.Namespace, place: Path) -> dict[str, Job]:
    """The files of each library, and what to ask of it (with one thread)."""
    lines = questions_of(options)
    questions = place / "questions.txt"
    questions.write_text("\n".join(lines) + "\n", encoding="utf-8")
    vectors = made_vectors(options, lines)
    vectors.save(place / "firth.safetensors")
    _save_as_gensim(vectors, place / "gensim.kv")
    chosen = np.random.default_rng(options.seed).choice(len(vectors), options.queries, replace=False)
    queries = [vectors.words[row] for row in chosen]
    files = {"firth": place / "firth.safetensors", "gensim": place / "gensim.kv"}
    return {
        name: Job(name, str(file), str(questions), queries, options.singles, threads=1) for name, file in files.items()
    }


def _save_as_gensim(vectors: WordVectors, path: Path) -> None:
    from gensim.models import KeyedVectors

    keyed = KeyedVectors(vectors.vector_size)
    keyed.add_vectors(list(vectors.words), vectors.matrix)
    keyed.save(str(path))


# ---- measuring ---------------------------------------------------------------------------------


def launched(job: Job, place: Path) -> dict[str, Any]:
    """What one process told; BLAS and whatever else has threads is held to the job's number."""
    file = place / "job.json"
    file.write_text(json.dumps(asdict(job)))
    held = os.environ | dict.fromkeys(BLAS, str(job.threads))
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(file)],
        capture_output=True,
        text=True,
        timeout=LONGEST_RUN,
        check=False,
        env=held,
    )
    if done.returncode:
        raise SystemExit(f"{job.searcher} failed with status {done.returncode}:\n{done.stderr[-4000:]}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def measured(jobs: dict[str, Job], options: argparse.Namespace, place: Path) -> Iterator[Run]:
    """All runs; within a round, those to compare follow each other, and must answer alike."""
    launched(jobs["firth"], place)  # compiles, and brings the file into memory
    for number in range(1, options.rounds + 1):
        for threads in options.threads:
            answers = []
            for name in SEARCHERS:
                job = Job(**asdict(jobs[name]) | {"threads": threads})
                told = launched(job, place)
                answers.append(told["answers"])
                yield Run(name, threads, number, told["seconds"], told["peak_bytes"])
            check_alike(*answers)


def check_alike(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Stop where the answers differ by more than neighbours whose scores are equal in float32."""
    if ours["correct"] != theirs["correct"]:
        raise SystemExit(f"analogies differ: {ours['correct']} and {theirs['correct']} right")
    for name in ("alone", "batch"):
        differing = sum(a != b for a, b in zip(ours[name], theirs[name], strict=True))
        if differing > len(ours[name]) // 100:
            raise SystemExit(f"{differing} of {len(ours[name])} answers differ ({name})")


# ---- telling -----------------------------------------------------------------------------------


def measures(options: argparse.Namespace) -> list[Measure]:
    batch, questions = f"{options.queries:,} queries at once", f"{options.questions:,} analogies"
    return [
        Measure("load", "load", "load", "ms", 1e3),
        Measure("first query", "first query", "first query", "ms", 1e3),
        Measure("import, load and first query", "first answer", "first answer", "ms", 1e3),
        Measure(f"query, 2nd to {EARLY}th", "early query", "early query", "ms", 1e3),
        Measure(f"query, from the {SETTLED + 2}nd on", "query", "query", "ms", 1e3),
        Measure(f"{batch}; gensim: one by one", "batch", "batch", "s", 1),
        Measure(f"{batch}; gensim: in NumPy", "batch", "batch idiom", "s", 1),
        Measure(questions, "analogies", "analogies", "s", 1),
    ]


def pairs(runs: Sequence[Run], measure: Measure, threads: int) -> tuple[list[float], list[float]]:
    """What was measured in each round, of firth and of gensim, in the measure's unit."""
    names = {"firth": measure.ours, "gensim": measure.theirs}
    ours, theirs = (
        [run.seconds[names[name]] * measure.scale for run in runs if (run.searcher, run.threads) == (name, threads)]
        for name in SEARCHERS
    )
    return ours, theirs


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    return median(other / own for own, other in zip(ours, theirs, strict=True))


def table(runs: Sequence[Run], options: argparse.Namespace) -> Iterator[str]:
    yield "| what | threads | firth | gensim | unit | gensim / firth |"
    yield "| --- | --- | ---: | ---: | --- | ---: |"
    for measure in measures(options):
        for threads in options.threads:
            ours, theirs = pairs(runs, measure, threads)
            cells = [measure.name, str(threads), f"{median(ours):.3g}", f"{median(theirs):.3g}", measure.unit]
            yield f"| {' | '.join([*cells, f'{ratio(ours, theirs):.2f} ×'])} |"
    for threads in options.threads:
        peaks = [
            median(run.peak_bytes for run in runs if (run.searcher, run.threads) == (name, threads)) / 2**20
            for name in SEARCHERS
        ]
        yield f"| most memory, mapped file included | {threads} | {peaks[0]:,.0f} | {peaks[1]:,.0f} | MB | |"


def notes(runs: Sequence[Run], options: argparse.Namespace) -> Iterator[str]:
    packages = ", ".join(f"{name} {version(name)}" for name in (*SEARCHERS, "numpy"))
    screens = [f"{median(_screens(runs, threads)):.2f} s with {threads}" for threads in options.threads]
    yield (
        f"- {machine()}; {platform.system()}, Python {platform.python_version()}; {packages}; {datetime.date.today()}."
    )
    yield (
        f"- {options.words:,} × {options.size} float32 vectors made from seed {options.seed}; the {TOPN} nearest; "
        f"medians over {options.rounds} rounds, ratios by round. BLAS is held to the same number of threads."
    )
    yield (
        "- Both files are mapped into memory, and in the page cache. gensim in NumPy: queries @ normed.T in hundreds, "
        "then argpartition; the normalised copy of the matrix that it needs is not timed. Analogies: among all words."
    )
    yield (
        f"- The {EARLY + 1}th query makes firth's int8 copy; it took {', '.join(screens)} threads. Most memory is that "
        "of the whole run."
    )


def _screens(runs: Sequence[Run], threads: int) -> list[float]:
    return [run.seconds["slowest of others"] for run in runs if (run.searcher, run.threads) == ("firth", threads)]


def plot(path: Path, runs: Sequence[Run], options: argparse.Namespace) -> None:
    """How many times as long gensim takes, for each measure and number of threads."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.fonttype"] = "none"  # text stays text
    from matplotlib import pyplot as plt

    rows, height = measures(options), 0.8 / len(options.threads)
    figure, axes = plt.subplots(figsize=(8, 0.7 * len(rows) + 1), layout="constrained")
    for place, threads in enumerate(options.threads):
        ratios = [ratio(*pairs(runs, measure, threads)) for measure in rows]
        centres = [row + (place - (len(options.threads) - 1) / 2) * height for row in range(len(rows))]
        shade = str(0.25 + 0.4 * place / max(1, len(options.threads) - 1))
        beyond = [each - 1 for each in ratios]  # bars begin where both are as fast
        name = f"{threads} thread{'s' * (threads > 1)}"
        axes.barh(centres, beyond, 0.9 * height, left=1, color=shade, label=name)
        for centre, each in zip(centres, ratios, strict=True):
            axes.annotate(
                f"{each:.2g} ×", (max(1, each), centre), (3, 0), textcoords="offset points", va="center", fontsize=8
            )
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_xticks(TICKS, [f"{each:g}" for each in TICKS], minor=False)
    axes.minorticks_off()
    axes.margins(x=0.1)
    axes.set_yticks(range(len(rows)), [measure.name for measure in rows])
    axes.invert_yaxis()
    axes.set_xlabel(f"gensim's seconds / firth's seconds, {options.words:,} × {options.size} vectors (log scale)")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    figure.legend(frameon=False, loc="outside upper right", ncols=len(options.threads))
    figure.savefig(path, format="svg")


def main() -> None:
    options = arguments()
    if min(options.rounds, *options.threads) < 1 or not SETTLED + 1 < options.singles <= options.queries:
        raise SystemExit(f"rounds and threads must be 1 or more, singles {SETTLED + 2} or more, queries no fewer")
    runs = []
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        for run in measured(prepared(options, place), options, place):
            told = ", ".join(f"{name} {seconds:.4g}" for name, seconds in run.seconds.items())
            print(f"{run.searcher}, {run.threads} threads, round {run.round}: {told} s", file=sys.stderr, flush=True)
            runs.append(run)
    print(*table(runs, options), "", *notes(runs, options), sep="\n")
    if options.json:
        facts = {"machine": machine(), "options": vars(options), "runs": [asdict(run) for run in runs]}
        options.json.write_text(json.dumps(facts, indent=1, default=str) + "\n")
    if options.plot:
        plot(options.plot, runs, options)


if __name__ == "__main__":
    main()
