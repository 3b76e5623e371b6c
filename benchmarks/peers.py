"""firth against gensim and fastText: the same text, settings and threads, run in turn, each in a fresh process.

`python benchmarks/peers.py` prints Markdown tables; `--json FILE` keeps every run. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.util
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from statistics import mean, median
from typing import Any

from material import SETS, Text, chosen_corpus, corpora_folder, machine, made_up, prepared, quality
from trainers import (
    ALPHA,
    MAX_N,
    MIN_COUNT,
    MIN_N,
    NEGATIVE,
    READS_WHILE_TRAINING,
    SUBWORD_ALPHA,
    TRAINERS,
    WINDOW,
    Job,
)

FIRTH, *PEERS = TRAINERS
PACKAGES = {"gensim-file": "gensim", "gensim-iterator": "gensim", "fasttext": "fasttext"}
TRAINER_SCRIPT = Path(__file__).with_name("trainers.py")
LOSSES = {"ns": f"negative sampling, K = {NEGATIVE}", "hs": "hierarchical softmax"}
LONGEST_RUN = 4 * 3600  # seconds
WARM_UP_TOKENS = 20_000


@dataclass(frozen=True)
class Pass:
    """Rounds of runs that one table shows."""

    rounds: int
    epochs: int
    threads: tuple[int, ...]
    tokens: int | None  # of the text; None: all of it
    scored: bool


@dataclass(frozen=True)
class Run:
    """One run, measured. `whole_seconds` are from the start of its process to its end, vectors written."""

    trainer: str
    architecture: str
    threads: int
    epochs: int
    seed: int
    training_seconds: float
    words_per_second: float
    whole_seconds: float
    peak_bytes: int
    quality: dict[str, float | None]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Measure firth against its peers.",
        epilog="By default speed is measured at each number of threads in 3 rounds of 1 epoch over the first 6 million "
        "tokens, then whole runs of 5 epochs over the whole text, with the quality of their vectors, once at the most "
        "threads: about half an hour on 2 cores. 3 rounds of 5 epochs over 17 million tokens at 1 and 2 threads would "
        "take over two hours, nearly all of them the peers'; --speed-epochs 5 asks for just that.",
    )
    add = parser.add_argument
    add("--corpus", type=Path, help="plain text, a sentence per line, or .xz, .gz, .bz2; else FIRTH_CORPORA's")
    add("--made-up", type=int, metavar="V", help="a made-up text of V words instead, of --speed-tokens; no quality")
    add("--sets", type=Path, help="folder of the evaluation sets; else eval/ under FIRTH_CORPORA")
    add("--tokens", type=int, help="use about the first so many tokens, for a quick try")
    add("--threads", type=int, nargs="+", default=[1, 2], help="numbers of threads")
    add("--architectures", nargs="+", default=list(ALPHA), choices=ALPHA)
    add("--vector-size", type=int, default=100, help="numbers in a vector (default 100)")
    add("--sample", type=float, default=1e-3, help="subsampling threshold (default 0.001)")
    add("--loss", default="ns", choices=["ns", "hs"], help="negative sampling or hierarchical softmax")
    add("--subwords", action="store_true", help="train n-grams of characters, too: fastText's own model")
    add("--peers", nargs="+", default=PEERS, choices=PEERS, help="whom to measure firth against")
    add("--rounds", type=int, default=3, help="rounds of speed, with seeds from 1 (default 3; 0: none)")
    add("--epochs", type=int, default=5, help="epochs of the runs whose vectors are judged (default 5)")
    add(
        "--speed-epochs",
        type=int,
        default=1,
        help="epochs of the rounds of speed (default 1); if as many as --epochs, these rounds take the whole text and "
        "are judged too, and no others run",
    )
    add("--speed-tokens", type=int, default=6_000_000, help="tokens that the rounds of speed take (default 6 million)")
    add(
        "--quality-rounds",
        type=int,
        default=1,
        help="rounds of judged runs, if others (default 1; 0: none)",
    )
    add("--json", type=Path, help="file to write every run to")
    return parser.parse_args()


def passes(options: argparse.Namespace) -> list[Pass]:
    threads, whole = tuple(options.threads), options.tokens
    if options.made_up:
        return [Pass(options.rounds, options.speed_epochs, threads, whole, scored=False)]
    if options.speed_epochs == options.epochs:
        return [Pass(options.rounds, options.epochs, threads, whole, scored=True)]
    part = min(options.speed_tokens, whole or options.speed_tokens)
    planned = [
        Pass(options.rounds, options.speed_epochs, threads, part, scored=False),
        Pass(options.quality_rounds, options.epochs, (max(threads),), whole, scored=True),
    ]
    return [each for each in planned if each.rounds]


# ---- measuring ---------------------------------------------------------------------------------


def launched(job: Job) -> tuple[dict[str, Any], float]:
    """What the run told, and the seconds from the start of its process to its end."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, str(TRAINER_SCRIPT), json.dumps(asdict(job))],
        capture_output=True,
        text=True,
        timeout=LONGEST_RUN,
        check=False,
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(f"{job.trainer} failed with status {done.returncode}:\n{done.stderr[-4000:]}")
    return json.loads(done.stdout.splitlines()[-1]), seconds


def measured(job: Job, text: Text, sets: Path | None) -> Run:
    """Train in a fresh process, and judge the vectors if there are `sets`."""
    told, whole_seconds = launched(job)
    scores = quality(Path(job.vectors), sets) if sets else {}
    training_seconds = told["seconds"]
    if job.trainer in READS_WHILE_TRAINING:
        training_seconds -= launched(replace(job, epochs=0))[0]["seconds"]
    return Run(
        job.trainer,
        job.architecture,
        job.threads,
        job.epochs,
        job.seed,
        training_seconds,
        text.kept_tokens * job.epochs / training_seconds,
        whole_seconds,
        told["peak_bytes"],
        scores,
    )


def job_of(options: argparse.Namespace, trainer: str, text: Text, vectors: Path, *settings: Any) -> Job:
    rules = (options.vector_size, options.sample, options.loss, options.subwords)
    return Job(trainer, str(text.path), str(vectors), *settings, *rules)


def jobs(plan: Pass, options: argparse.Namespace, text: Text, vectors: Path) -> Iterator[Job]:
    """The runs of a pass: within a round, those to compare follow each other."""
    for seed in range(1, plan.rounds + 1):
        for architecture in options.architectures:
            for threads in plan.threads:
                for trainer in (FIRTH, *options.peers):
                    yield job_of(options, trainer, text, vectors, architecture, threads, plan.epochs, seed)


def warm_up(corpus: Path, folder: Path, options: argparse.Namespace) -> None:
    """Let firth compile, and keep, what the runs will use."""
    tiny = prepared(corpus, folder / "tiny.txt", WARM_UP_TOKENS, MIN_COUNT)
    for architecture in options.architectures:
        for threads in options.threads:
            launched(job_of(options, FIRTH, tiny, folder / "tiny.bin", architecture, threads, 1, 1))


# ---- telling -----------------------------------------------------------------------------------


def table(plan: Pass, text: Text, runs: Sequence[Run]) -> Iterator[str]:
    """Medians over the rounds, the median of each round's ratios, and the mean quality over the seeds."""
    heads = ["architecture", "threads", "trainer", "M words/s", "firth is", "whole run, s", "firth is", "peak MB"]
    judged = bool(runs[0].quality)
    heads += SETS if judged else ()
    yield (
        f"{text.tokens:,} tokens, {text.kept_tokens:,} of them within a vocabulary of {text.vocabulary:,} words; "
        f"epochs: {plan.epochs}; rounds: {plan.rounds}\n"
    )
    yield _line(heads)
    yield _line(["---"] * 3 + ["---:"] * (len(heads) - 3))
    for architecture, threads, trainer in dict.fromkeys((run.architecture, run.threads, run.trainer) for run in runs):
        alike = [run for run in runs if (run.architecture, run.threads) == (architecture, threads)]
        rows = [run for run in alike if run.trainer == trainer]
        firth = [run for run in alike if run.trainer == FIRTH]
        cells = [
            architecture,
            str(threads),
            trainer,
            f"{median(run.words_per_second for run in rows) / 1e6:.3f}",
            _ratio(firth, rows, lambda ours, other: ours.words_per_second / other.words_per_second),
            f"{median(run.whole_seconds for run in rows):.1f}",
            _ratio(firth, rows, lambda ours, other: other.whole_seconds / ours.whole_seconds),
            f"{median(run.peak_bytes for run in rows) / 2**20:,.0f}",
        ]
        yield _line(cells + ([_mean(run.quality[name] for run in rows) for name in SETS] if judged else []))


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _ratio(firth: Sequence[Run], rows: Sequence[Run], ratio: Callable[[Run, Run], float]) -> str:
    if rows[0].trainer == FIRTH:
        return ""
    return f"{median(map(ratio, firth, rows)):.1f} ×"


def _mean(scores: Iterable[float | None]) -> str:
    known = [score for score in scores if score is not None]
    return f"{mean(known):.1f}" if known else "none known"


def versions(peers: Iterable[str]) -> dict[str, str]:
    return {name: version(name) for name in dict.fromkeys([FIRTH, "numpy", *(PACKAGES[peer] for peer in peers)])}


def notes(options: argparse.Namespace) -> Iterator[str]:
    packages = ", ".join(f"{name} {number}" for name, number in versions(options.peers).items())
    python = f"{platform.system()}, Python {platform.python_version()}"
    rates = SUBWORD_ALPHA if options.subwords else ALPHA
    alphas = ", ".join(f"{rates[each]} ({each})" for each in options.architectures)
    grams = f"n-grams of {MIN_N} to {MAX_N} characters, " if options.subwords else ""
    yield f"- {machine()}; {python}; {packages}; {datetime.date.today()}."
    yield (
        f"- {LOSSES[options.loss]}, {grams}D = {options.vector_size}, window {WINDOW}, sample {options.sample:g}, "
        f"min_count {MIN_COUNT}, alpha {alphas}."
    )
    yield (
        "- words/s: tokens within the vocabulary × epochs / seconds of training; reading, vocabulary, tables, saving "
        "left out. gensim: the call of `train`. fastText trains in one call that reads first: from its seconds those "
        "of the same call with 0 epochs are subtracted. Medians; “firth is”: the median of each round's ratio, of "
        "words/s and of whole runs."
    )
    yield (
        "- whole run: from the start of a process to its end, vectors written in word2vec's binary format. firth reads "
        "the text anew each time (cache=False); its kernels were compiled before by a tiny training."
    )
    yield (
        "- quality: Google analogies in % (3CosAdd among all words), the others Spearman × 100; means over the seeds, "
        "of the vectors whose training was timed. fastText draws noise words by count to the power 0.5 (fixed in its "
        "source), the others 0.75; it takes no seed, so its rounds differ only by what threads race for."
    )


def check(options: argparse.Namespace) -> None:
    missing = [name for name in {PACKAGES[peer] for peer in options.peers} if not importlib.util.find_spec(name)]
    if missing:
        raise SystemExit(
            f"not installed: {', '.join(sorted(missing))}; run pip install --group bench, or choose --peers"
        )
    if min(*options.threads, options.epochs, options.speed_epochs) < 1 or not passes(options):
        raise SystemExit("threads and epochs must be 1 or more, and there must be a round of speed or of judged runs")


def corpus_of(options: argparse.Namespace, place: Path) -> Path:
    """The text asked for; in a made-up one every word stands often enough to be trained."""
    if options.made_up:
        return made_up(place / "made-up.txt", options.speed_tokens, options.made_up, each=MIN_COUNT).path
    return chosen_corpus(options.corpus)


def run_pass(plan: Pass, options: argparse.Namespace, corpus: Path, place: Path) -> tuple[Text, list[Run]]:
    folder = corpora_folder()
    sets = options.sets or (folder / "eval" if folder else None)
    text = prepared(corpus, place / "corpus.txt", plan.tokens, MIN_COUNT)
    runs = []
    for job in jobs(plan, options, text, place / "vectors.bin"):
        runs.append(measured(job, text, sets if plan.scored else None))
        print(_told(runs[-1]), file=sys.stderr, flush=True)
    return text, runs


def main() -> None:
    options = arguments()
    check(options)
    facts: dict[str, Any] = {"machine": machine(), "versions": versions(options.peers), "passes": []}
    with tempfile.TemporaryDirectory() as scratch:
        corpus = corpus_of(options, Path(scratch))
        warm_up(corpus, Path(scratch), options)
        for plan in passes(options):
            text, runs = run_pass(plan, options, corpus, Path(scratch))
            print(*table(plan, text, runs), "", sep="\n", flush=True)
            told = asdict(text) | {"path": str(corpus)}
            facts["passes"].append(asdict(plan) | {"text": told, "runs": [asdict(run) for run in runs]})
    print(*notes(options), sep="\n")
    if options.json:
        options.json.write_text(json.dumps(facts, indent=1) + "\n")


def _told(run: Run) -> str:
    speed = f"{run.words_per_second / 1e6:.3f} M words/s"
    return (
        f"{run.architecture}, {run.threads} threads, seed {run.seed}, {run.trainer}: {speed}, {run.whole_seconds:.1f} s"
    )


if __name__ == "__main__":
    main()
