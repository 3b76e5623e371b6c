"""How long files of vectors take to open, read and write: firth, gensim and fastText in turn, each in a fresh process.

`python benchmarks/loading.py` prints a Markdown table; `--json FILE` keeps every run. Imports are left out. See
README.md beside this file.
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from loaders import Job
from material import machine, made_up

from firth import WordVectors
from firth.formats.model import StoredModel, write_model

SCRIPT = Path(__file__).with_name("loaders.py")
LONGEST_RUN = 1800  # seconds
ROWS_AT_ONCE = 1 << 14
FASTTEXT = {"dim": 100, "bucket": 200_000, "epoch": 1, "minCount": 1, "thread": 2}
FASTTEXT_TOKENS, FASTTEXT_WORDS = 1_000_000, 100_000


@dataclass(frozen=True)
class Run:
    """One process, measured."""

    what: str
    package: str
    round: int
    seconds: float
    peak_bytes: int


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure how long files of vectors take to open, read and write.")
    add = parser.add_argument
    add("--words", type=int, default=400_000, help="vectors of word2vec's binary format (default 400,000)")
    add("--text-words", type=int, default=50_000, help="vectors of its text format (default 50,000)")
    add("--size", type=int, default=300, help="numbers in a vector (default 300)")
    add("--model-bytes", type=int, default=2 * 10**9, help="bytes of a model's two matrices (default 2 GB)")
    add("--rounds", type=int, default=5, help="rounds, in each of which everything runs once (default 5)")
    add("--folder", type=Path, help="where to put the files, some 6 GB; else the system's temporary folder")
    add("--json", type=Path, help="file to write every run to")
    return parser.parse_args()


# ---- material ----------------------------------------------------------------------------------


def numbers(words: int, size: int) -> np.ndarray:
    generator = np.random.default_rng(1)
    matrix = np.empty((words, size), np.float32)
    for start in range(0, words, ROWS_AT_ONCE):
        part = matrix[start : start + ROWS_AT_ONCE]
        part[:] = generator.standard_normal(part.shape, np.float32)
    return matrix


def names(words: int) -> list[str]:
    return [f"word{number}" for number in range(words)]


def prepared(options: argparse.Namespace, place: Path) -> list[Job]:
    """Files to read, and what to do with them; what is compared stands side by side."""
    vectors = WordVectors(names(options.words), numbers(options.words, options.size))
    for name in ("v.bin", "v.safetensors"):
        vectors.save(place / name)
    some = vectors.sliced(options.text_words)
    for name in ("some.txt", "some.bin", "some.safetensors"):
        some.save(place / name)
    words = options.model_bytes // (8 * options.size)
    matrix = numbers(words, options.size)
    write_model(place / "model.safetensors", StoredModel.of(names(words), matrix, output=matrix))
    jobs = [
        *(Job(each, "binary", str(place / "v.bin")) for each in ("firth", "gensim")),
        *(Job(each, "text", str(place / "some.txt")) for each in ("firth", "gensim")),
        Job("firth", "model", str(place / "model.safetensors")),
        Job("firth", "write binary", str(place / "out.bin"), str(place / "v.safetensors")),
        Job("gensim", "write binary", str(place / "out.bin"), str(place / "v.bin")),
        Job("firth", "write text", str(place / "out.txt"), str(place / "some.safetensors")),
        Job("gensim", "write text", str(place / "out.txt"), str(place / "some.bin")),
        Job("firth", "write model", str(place / "out.safetensors"), str(place / "v.safetensors")),
    ]
    if find_spec("fasttext") is None:
        print("fasttext is not installed, so its file is left out: pip install fasttext", file=sys.stderr)
        return jobs
    path = fasttext_model(place)
    return [*jobs, *(Job(each, "fastText", path) for each in ("firth", "gensim", "fasttext"))]


def fasttext_model(place: Path) -> str:
    """A model that fastText itself trained and wrote, of a made-up text."""
    import fasttext

    text = made_up(place / "text.txt", FASTTEXT_TOKENS, FASTTEXT_WORDS).path
    fasttext.train_unsupervised(str(text), verbose=0, **FASTTEXT).save_model(str(place / "fasttext.bin"))
    return str(place / "fasttext.bin")


# ---- measuring ---------------------------------------------------------------------------------


def launched(job: Job) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), json.dumps(asdict(job))],
        capture_output=True,
        text=True,
        timeout=LONGEST_RUN,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{job.package}, {job.what}, failed with status {done.returncode}:\n{done.stderr[-4000:]}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def measured(jobs: list[Job], rounds: int) -> Iterator[Run]:
    """All runs; those to compare follow each other, and must have read the same."""
    for number in range(rounds + 1):  # one round before the first brings files and libraries into memory
        read: dict[str, list[float]] = {}
        for job in jobs:
            told = launched(job)
            if "last" in told:
                first = read.setdefault(job.what, [told["words"], *told["last"]])
                if not np.allclose(first, [told["words"], *told["last"]], rtol=1e-5):
                    raise SystemExit(f"{job.package} read other vectors from {job.path}")
            if number:
                yield Run(job.what, job.package, number, told["seconds"], told["peak_bytes"])


# ---- telling -----------------------------------------------------------------------------------


def meanings(options: argparse.Namespace) -> dict[str, str]:
    many, some = f"{options.words:,} × {options.size}", f"{options.text_words:,} × {options.size}"
    return {
        "binary": f"read word2vec's binary, {many}",
        "text": f"read word2vec's text, {some}",
        "fastText": f"read fastText's model, {FASTTEXT_WORDS:,} words and {FASTTEXT['bucket']:,} buckets",
        "model": f"open firth's model, {options.model_bytes / 1e9:g} GB",
        "write binary": f"write word2vec's binary, {many}",
        "write text": f"write word2vec's text, {some}",
        "write model": f"write firth's model, {many}",
    }


def table(runs: list[Run], options: argparse.Namespace) -> Iterator[str]:
    yield "| what | by | median, s | least | most | memory, MB | firth is |"
    yield "|---|---|---:|---:|---:|---:|---:|"
    for what, told in meanings(options).items():
        ours = [each for each in runs if (each.what, each.package) == (what, "firth")]
        for library in dict.fromkeys(each.package for each in runs if each.what == what):
            some = [each for each in runs if (each.what, each.package) == (what, library)]
            seconds = [each.seconds for each in some]
            ratios = [theirs.seconds / own.seconds for own, theirs in zip(ours, some, strict=True)]
            times = "" if library == "firth" else f"{median(ratios):.1f} × ({min(ratios):.1f} to {max(ratios):.1f})"
            numbers = [f"{number:.3g}" for number in (median(seconds), min(seconds), max(seconds))]
            memory = median(each.peak_bytes for each in some) / 1e6
            yield f"| {' | '.join([told, library, *numbers, f'{memory:,.0f}', times])} |"


def notes(runs: list[Run], options: argparse.Namespace) -> Iterator[str]:
    packages = ", ".join(f"{name} {version(name)}" for name in sorted({each.package for each in runs} | {"numpy"}))
    system = f"{platform.system()}, Python {platform.python_version()}"
    yield f"\n- {machine()}; {system}; {packages}; {datetime.date.today()}."
    yield (
        f"- {options.rounds} rounds, each process fresh, imports left out, files in the page cache; ratios are by "
        "round. Memory is the most of the whole process, mapped pages included."
    )
    yield "- firth's files are on the disk when writing ends (fsync), gensim's in the page cache."


def main() -> None:
    options = arguments()
    if options.rounds < 1 or not 1 <= options.text_words <= options.words:
        raise SystemExit("rounds must be 1 or more, and text words 1 to words")
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        runs = []
        for run in measured(prepared(options, Path(scratch)), options.rounds):
            print(f"{run.what}, {run.package}, round {run.round}: {run.seconds:.3f} s", file=sys.stderr, flush=True)
            runs.append(run)
    print(*table(runs, options), *notes(runs, options), sep="\n")
    if options.json:
        facts = {"machine": machine(), "options": vars(options), "runs": [asdict(run) for run in runs]}
        options.json.write_text(json.dumps(facts, indent=1, default=str) + "\n")


if __name__ == "__main__":
    main()
