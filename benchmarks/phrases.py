"""How fast firth finds phrases and joins them, against gensim's `Phrases`.

`python benchmarks/phrases.py` prints a Markdown table; `--json FILE` keeps every run. The two take turns, each in a
fresh process, and the script stops where their phrases, scores or joined texts differ. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import importlib.util
import json
import math
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from material import chosen_corpus, machine, prepared
from trainers import peak_bytes

FIRTH, GENSIM = "firth", "gensim"
STAGES = {
    "text to phrases and scores": {FIRTH: ("read", "find"), GENSIM: ("count", "score")},
    "text to joined text": {FIRTH: ("read", "join", "write"), GENSIM: ("join and write",)},
    "encoded corpus to phrases and scores": {FIRTH: ("find",), GENSIM: None},
    "encoded corpus to joined one, to train on": {FIRTH: ("join",), GENSIM: None},
}
ULPS = 4  # by which two logarithms may differ


@dataclass(frozen=True)
class Job:
    """Which library, on what text, and how."""

    package: str
    corpus: str
    joined: str
    threads: int
    scoring: str
    threshold: float
    min_count: int
    connectors: tuple[str, ...]


@dataclass
class Done:
    """What a job found, and the seconds of its stages."""

    seconds: dict[str, float] = field(default_factory=dict)
    phrases: dict[str, float] = field(default_factory=dict)
    peak_bytes: int = 0

    def time(self, stage: str, work: Callable[[], Any]) -> Any:
        """What `work` gives; keep the processor's seconds, in which others on the machine count little."""
        began = time.process_time()
        result = work()
        self.seconds[stage] = time.process_time() - began
        return result


# ---- the two libraries -------------------------------------------------------------------------


def run_firth(job: Job, done: Done) -> None:
    from firth import CorpusOptions, EncodedCorpus, Phrases, encoded_corpus
    from firth.phrases.joining import write_text

    finder = Phrases(
        min_count=job.min_count,
        threshold=job.threshold,
        scoring=job.scoring,
        connector_words=job.connectors,
        workers=job.threads,
    )

    def write(corpus: EncodedCorpus) -> None:
        with Path(job.joined).open("wb") as file:
            write_text(corpus, file)

    corpus = done.time("read", lambda: encoded_corpus(job.corpus, CorpusOptions(cache=False), threads=job.threads))
    with corpus:
        done.time("find", lambda: finder.fit(corpus))
        with done.time("join", lambda: finder.transform(corpus)) as joined:
            done.time("write", lambda: write(joined))
    done.phrases = {each.phrase: each.score for each in finder}


def run_gensim(job: Job, done: Done) -> None:
    from gensim.models.phrases import Phrases
    from gensim.models.word2vec import LineSentence

    options = {
        "min_count": job.min_count,
        "threshold": job.threshold,
        "scoring": {"count": "default"}.get(job.scoring, job.scoring),
        "connector_words": frozenset(job.connectors),
    }

    def join() -> None:
        with Path(job.joined).open("w", encoding="utf-8") as file:
            for sentence in frozen[LineSentence(job.corpus)]:
                file.write(" ".join(sentence) + "\n")

    counted = done.time("count", lambda: Phrases(LineSentence(job.corpus), **options))
    frozen = done.time("score", counted.freeze)
    done.time("join and write", join)
    done.phrases = frozen.phrasegrams


LIBRARIES = {FIRTH: run_firth, GENSIM: run_gensim}


def run(job: Job) -> Done:
    done = Done()
    LIBRARIES[job.package](job, done)
    done.peak_bytes = peak_bytes()
    return done


# ---- measuring ---------------------------------------------------------------------------------


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure firth's phrases against gensim's.")
    add = parser.add_argument
    add("--corpus", type=Path, help="plain text, a sentence per line, or .xz, .gz, .bz2; else FIRTH_CORPORA's")
    add("--tokens", type=int, help="use about the first so many tokens, for a quick try")
    add("--rounds", type=int, default=3, help="rounds, in each of which both take their turn (default 3)")
    add("--threads", type=int, default=1, help="firth's threads (default 1); gensim has one")
    add("--scoring", choices=["count", "npmi"], default="count")
    add("--threshold", type=float, help="default: 10 for count, 0.5 for npmi")
    add("--min-count", type=int, default=5)
    add("--english", action="store_true", help="let phrases hold connector words of English")
    add("--json", type=Path, help="file to write every run to")
    add("--job", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if min(options.rounds, options.threads) < 1:
        raise SystemExit("rounds and threads must be 1 or more")
    if options.job is None and not importlib.util.find_spec(GENSIM):
        raise SystemExit("gensim is not installed; run: pip install --group bench")
    if options.threshold is None:
        options.threshold = 10.0 if options.scoring == "count" else 0.5
    return options


def launched(job: Job) -> Done:
    """A job done in a fresh process."""
    command = [sys.executable, __file__, "--job", json.dumps(asdict(job))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{job.package} failed with status {done.returncode}:\n{done.stderr[-4000:]}")
    return Done(**json.loads(done.stdout.splitlines()[-1]))


def check_alike(runs: dict[str, Done], joined: Sequence[Path]) -> None:
    """Stop where the two found other phrases, or joined them otherwise."""
    ours, theirs = (runs[library].phrases for library in (FIRTH, GENSIM))
    if ours.keys() != theirs.keys():
        raise SystemExit(f"other phrases: {sorted(ours.keys() ^ theirs.keys())[:10]}")
    for phrase, score in ours.items():
        if not math.isclose(score, theirs[phrase], rel_tol=ULPS * sys.float_info.epsilon):
            raise SystemExit(f"the score of {phrase}: {score!r} and {theirs[phrase]!r}")
    if len({hashlib.sha256(path.read_bytes()).hexdigest() for path in joined}) > 1:
        raise SystemExit("the joined texts differ")


def all_runs(options: argparse.Namespace) -> list[dict[str, Done]]:
    """All rounds; before them one of firth's alone, which compiles and brings the text into memory."""
    from firth.phrases import ENGLISH_CONNECTOR_WORDS

    rounds = []
    with tempfile.TemporaryDirectory() as folder:
        text = prepared(chosen_corpus(options.corpus), Path(folder) / "corpus.txt", options.tokens, min_count=1)
        joined = {library: Path(folder) / f"{library}.txt" for library in LIBRARIES}
        jobs = {
            library: Job(
                library,
                str(text.path),
                str(joined[library]),
                options.threads,
                options.scoring,
                options.threshold,
                options.min_count,
                ENGLISH_CONNECTOR_WORDS if options.english else (),
            )
            for library in LIBRARIES
        }
        launched(jobs[FIRTH])
        for number in range(options.rounds):
            rounds.append({library: launched(job) for library, job in jobs.items()})
            check_alike(rounds[-1], list(joined.values()))
            print(f"round {number + 1}: {[done.seconds for done in rounds[-1].values()]}", file=sys.stderr, flush=True)
        print(f"{text.tokens:,} tokens, {len(rounds[0][FIRTH].phrases):,} phrases; rounds: {len(rounds)}; medians\n")
    return rounds


def table(rounds: Sequence[dict[str, Done]]) -> Iterator[str]:
    def seconds(done: Done, stages: Sequence[str] | None) -> float | None:
        return sum(done.seconds[stage] for stage in stages) if stages else None

    yield "| what | firth, s | gensim, s | firth is |"
    yield "| --- | ---: | ---: | ---: |"
    for name, stages in STAGES.items():
        ours, theirs = ([seconds(each[library], stages[library]) for each in rounds] for library in LIBRARIES)
        cells = ["" if None in each else f"{median(each):.2f}" for each in (ours, theirs)]
        ratio = "" if "" in cells else f"{median(b / a for a, b in zip(ours, theirs, strict=True)):.1f} ×"
        yield f"| {name} | {cells[0]} | {cells[1]} | {ratio} |"
    peaks = [f"{median(each[library].peak_bytes for each in rounds) / 2**20:,.0f}" for library in LIBRARIES]
    yield f"| peak MB, all in one process | {peaks[0]} | {peaks[1]} | |"


def notes(options: argparse.Namespace) -> Iterator[str]:
    packages = ", ".join(f"{name} {version(name)}" for name in ("firth", "numpy", "gensim"))
    python = f"{platform.system()}, Python {platform.python_version()}"
    yield f"- {machine()}; {python}; {packages}; {datetime.date.today()}."
    yield "- Seconds are the processor's, of all threads together: the machine may be shared."
    yield (
        f"- scoring {options.scoring}, threshold {options.threshold:g}, min_count {options.min_count}, "
        f"{'English' if options.english else 'no'} connector words, {options.threads} thread(s) of firth's. Phrases, "
        "scores and joined texts were equal."
    )


def main() -> None:
    options = arguments()
    if options.job:
        print(json.dumps(asdict(run(Job(**json.loads(options.job))))))
        return
    rounds = all_runs(options)
    print("\n".join([*table(rounds), "", *notes(options)]))
    if options.json:
        kept = [
            {library: done.seconds | {"peak_bytes": done.peak_bytes} for library, done in r.items()} for r in rounds
        ]
        options.json.write_text(json.dumps(kept, indent=1))


if __name__ == "__main__":
    main()
