"""How fast firth reads a text: from a file to counted words and the encoded corpus, against what else counts words.

`python benchmarks/ingestion.py` prints Markdown tables; `--json FILE` keeps every run, `--plot FILE` draws them. See
README.md beside this file.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.util
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from material import chosen_corpus, prepared
from peers import machine
from readers import Job

READER_SCRIPT = Path(__file__).with_name("readers.py")
FIRTH, LOADED, SECOND_RUN = "firth", "firth, code loaded", "firth, second run"
PACKAGES = {"pyarrow": "pyarrow", "gensim": "gensim"}
DOES = {
    FIRTH: "counts, ranks, writes the corpus",
    LOADED: "the same, as a process's second text",
    SECOND_RUN: "finds it in the cache",
    "pyarrow": "counts, numbers in memory",
    "Python": "counts",
    "gensim": "counts",
}


@dataclass(frozen=True)
class Run:
    """One reading, measured; `whole_seconds` are from the start of its process to its end."""

    reader: str
    threads: int
    seconds: float
    whole_seconds: float
    tokens: int
    words: int
    peak_bytes: int
    stages: dict[str, float] = field(default_factory=dict)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure how fast firth reads text.")
    add = parser.add_argument
    add("--corpus", type=Path, help="plain text, a sentence per line, or .xz, .gz, .bz2; else FIRTH_CORPORA's")
    add("--tokens", type=int, help="use about the first so many tokens, for a quick try")
    add("--threads", type=int, nargs="+", default=[1, 2], help="numbers of firth's threads; all others read on one")
    add("--rounds", type=int, default=5, help="rounds, in each of which all take their turn (default 5)")
    add("--peers", nargs="+", choices=list(PACKAGES | {"Python": ""}), help="default: those that are installed")
    add("--json", type=Path, help="file to write every run to")
    add("--from", type=Path, dest="measured", help="take the runs from such a file instead of measuring")
    add("--plot", type=Path, help="file to draw the medians to, for instance ingestion.svg")
    options = parser.parse_args()
    if min(*options.threads, options.rounds) < 1:
        raise SystemExit("threads and rounds must be 1 or more")
    return options


def measured(job: Job, cache: Path) -> Run:
    """Read in a fresh process, firth's compiled code and kept corpora being under `cache`."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, str(READER_SCRIPT), json.dumps(asdict(job))],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"FIRTH_CACHE": str(cache)},
    )
    whole_seconds = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(f"{job.reader} failed with status {done.returncode}:\n{done.stderr[-4000:]}")
    return Run(job.reader, job.threads, whole_seconds=whole_seconds, **json.loads(done.stdout.splitlines()[-1]))


def all_runs(options: argparse.Namespace) -> list[Run]:
    """All rounds; before them, readings that compile, fill the cache, and bring the text into memory."""
    corpus = chosen_corpus(options.corpus)
    peers = options.peers or [
        "Python",
        *(name for name, package in PACKAGES.items() if importlib.util.find_spec(package)),
    ]
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        text = prepared(corpus, Path(folder) / "corpus.txt", options.tokens, min_count=1)
        cache = Path(folder) / "cache"
        jobs = [Job(reader, str(text.path), threads) for reader in (FIRTH, LOADED) for threads in options.threads]
        jobs += [Job(reader, str(text.path), 1) for reader in (SECOND_RUN, *peers)]
        for job in jobs[: 2 * len(options.threads) + 1]:
            measured(job, cache)
        for _ in range(options.rounds):
            for job in jobs:
                runs.append(measured(job, cache))
                print(f"{job.reader}, {job.threads} threads: {runs[-1].seconds:.3f} s", file=sys.stderr, flush=True)
    return runs


# ---- telling -----------------------------------------------------------------------------------


def kinds(runs: Sequence[Run]) -> Iterator[tuple[str, list[Run]]]:
    """The runs of each kind, under its name."""
    for reader, threads in dict.fromkeys((run.reader, run.threads) for run in runs):
        count = f", {threads} thread{'s' if threads > 1 else ''}" if reader in (FIRTH, LOADED) else ""
        yield reader + count, [run for run in runs if (run.reader, run.threads) == (reader, threads)]


def speed(rows: Sequence[Run]) -> float:
    """The median of tokens per second, in millions."""
    return median(run.tokens / run.seconds for run in rows) / 1e6


def table(runs: Sequence[Run]) -> Iterator[str]:
    rounds = len(next(kinds(runs))[1])
    yield f"{runs[0].tokens:,} tokens, {runs[0].words:,} different words; rounds: {rounds}; medians\n"
    yield "| reader | what it does | seconds | M tokens/s | whole process, s | peak MB |"
    yield "| --- | --- | ---: | ---: | ---: | ---: |"
    for name, rows in kinds(runs):
        seconds, whole = (median(getattr(run, each) for run in rows) for each in ("seconds", "whole_seconds"))
        peak = median(run.peak_bytes for run in rows) / 2**20
        rate = "" if rows[0].reader == SECOND_RUN else f"{speed(rows):.1f}"
        yield f"| {name} | {DOES[rows[0].reader]} | {seconds:.3f} | {rate} | {whole:.2f} | {peak:,.0f} |"


def shares(runs: Sequence[Run]) -> Iterator[str]:
    """What part of firth's processor time each stage takes."""
    by_name = {name: rows for name, rows in kinds(runs) if rows[0].reader == FIRTH}
    yield f"| stage | {' | '.join(by_name)} |"
    yield f"| --- |{' ---: |' * len(by_name)}"
    for stage in max((run.stages for run in runs), key=len):
        cells = []
        for rows in by_name.values():
            spent = median(run.stages[stage] for run in rows)
            cells.append(f"{1000 * spent:.0f} ms, {spent / median(sum(run.stages.values()) for run in rows):.0%}")
        yield f"| {stage} | {' | '.join(cells)} |"


def notes(runs: Sequence[Run]) -> Iterator[str]:
    used = [
        "firth",
        "numpy",
        *(PACKAGES[name] for name in dict.fromkeys(run.reader for run in runs) if name in PACKAGES),
    ]
    packages = ", ".join(f"{name} {version(name)}" for name in used)
    python = f"{platform.system()}, Python {platform.python_version()}"
    yield f"- {machine()}; {python}; {packages}; {datetime.date.today()}."
    yield (
        "- seconds: of the call alone, in a fresh process, its modules imported, firth's kernels compiled by an "
        "earlier run, the file in the system's memory. whole process: from its start to its end, imports included."
    )
    yield (
        "- firth, second run: the whole call on a corpus in the cache. pyarrow: ascii_split_whitespace on the whole "
        "text, then dictionary_encode and value_counts. Python: Counter over line.split(). gensim: build_vocab of a "
        "corpus_file, min_count 1, vectors of 1 dimension."
    )
    yield "- stages: processor time over all threads, medians; all else is mostly Python between the stages and pages."


def draw(runs: Sequence[Run], path: Path) -> None:
    """Bars of tokens per second."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "firth"  # the same runs give the same file
    from matplotlib import pyplot as plt

    named = [(name, speed(rows), rows[0].reader) for name, rows in kinds(runs) if rows[0].reader != SECOND_RUN]
    figure, axes = plt.subplots(figsize=(7, 0.5 * len(named) + 1), layout="constrained")
    colours = ["#1f6f8b" if reader in (FIRTH, LOADED) else "#b8b8b8" for *_, reader in named]
    labels = [f"{name}\n{DOES[reader]}" for name, _, reader in named]
    bars = axes.barh(labels, [rate for _, rate, _ in named], color=colours, height=0.65)
    axes.bar_label(bars, [f"{rate:.1f}" for _, rate, _ in named], padding=4)
    axes.invert_yaxis()
    axes.set_xlabel("million tokens per second")
    axes.margins(x=0.1)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0, labelsize=9)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def main() -> None:
    options = arguments()
    if options.measured:
        runs = [Run(**each) for each in json.loads(options.measured.read_text())["runs"]]
    else:
        runs = all_runs(options)
        print(*table(runs), "", *shares(runs), "", *notes(runs), sep="\n")
    if options.json:
        facts: dict[str, Any] = {"machine": machine(), "runs": [asdict(run) for run in runs]}
        options.json.write_text(json.dumps(facts, indent=1) + "\n")
    if options.plot:
        draw(runs, options.plot)


if __name__ == "__main__":
    main()
