"""What only a process of its own can show: what a start takes, and what reading holds at most."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from firth import errors
from firth.corpus.sample import Sampled
from firth.errors import FirthError
from firth.options import CorpusOptions, TrainingOptions

TRIAL_TEXT = "".join(f"{a} {b} {c}\n" for a in range(20) for b in range(20) for c in range(10))
TRIAL_RATES = {
    "alpha": 1e-4,
    "min_alpha": 1e-5,
}  # low enough that a few words do not diverge
TRIAL_BUCKETS = 1000  # what many take is counted with what n-grams take
NOT_TRIED = ("min_count", "max_vocabulary", "epochs", "sample", "held_out")  # as they could leave nothing to train


@dataclass(frozen=True)
class Trial:
    """A run of `firth train` on a few words: the memory it held at most, and its seconds from start to end."""

    peak_bytes: int
    seconds: float


def tried(options: TrainingOptions, folder: Path) -> Trial:
    """Train a few words with these options on the command line, in `folder`.

    Raises `FirthError` where that fails, with what it said last.
    """
    text = folder / "trial.txt"
    text.write_text(TRIAL_TEXT)
    given = {name: value for name, value in options.as_dict().items() if value is not None and name not in NOT_TRIED}
    given |= {"dynamic_window": options.dynamic_window} | TRIAL_RATES
    if options.subwords:
        given |= {"bucket": TRIAL_BUCKETS}
    arguments = ["train", str(text), "-o", str(folder / "trial.safetensors"), "--json", "--no-cache"]
    arguments += ["--epochs", "1", "--min-count", "1", "--sample", "0"]
    for name, value in given.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            arguments.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            arguments += [f"--{flag}", str(value)]
    began = time.perf_counter()
    told = json.loads(_output("trains a few words", "from firth.cli import main; main()", arguments))
    return Trial(told["peak_memory_bytes"] or 0, time.perf_counter() - began)


def sampled(paths: Sequence[str], options: CorpusOptions, threads: int, folder: Path, *, several: bool) -> Sampled:
    """Read a sample of the corpus into `folder`; raises what reading it raises."""
    asked = {"paths": list(paths), "several": several, "options": options.as_dict(), "threads": threads}
    program = "from firth.corpus.sample import main; main()"
    told = json.loads(_output("reads a sample", program, [json.dumps(asked | {"folder": str(folder)})]))
    if "error" in told:
        kind: type[FirthError] = getattr(errors, told["error"])
        raise kind(told["message"])
    for message in told.pop("warnings"):
        warnings.warn(message, stacklevel=2)
    return Sampled(**told)


def _output(purpose: str, program: str, arguments: Sequence[str]) -> str:
    command = [sys.executable, "-P", "-c", program, *arguments]  # -P: imports nothing from the user's current folder
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False)
    if done.returncode:
        last = (done.stderr.strip() or "it said nothing").splitlines()[-1]
        raise FirthError(
            f"the process that {purpose} for the estimate must end with status 0, got {done.returncode}: {last}; "
            "mend that, or train without an estimate"
        )
    sys.stderr.write(done.stderr)  # warnings
    return done.stdout
