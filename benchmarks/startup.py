"""How long firth takes to start: to import, to show its help, and until the first word is trained.

`python benchmarks/startup.py` prints a Markdown table; `--json FILE` keeps every run, `--plot FILE` draws an SVG.
The first word is trained when the first chunk is: a callback with `every_words = 1` is called then, in a run that goes
the way of `firth train`, and tells the clock that the process was started by.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from material import chosen_corpus, machine, prepared

from firth.cli import INTERRUPTED

SMALL_TOKENS = 100_000
MIN_COUNT = 5

# Trains by the command line's own way, watched by one more callback, and stops when the first chunk is trained.
FIRST_WORD = """
import sys, time
import firth.word2vec as word2vec
from firth.callbacks import Callback, StopTraining

class FirstWord(Callback):
    every_words = 1

    def on_words(self, progress):
        if progress.words:
            print(time.monotonic(), file=sys.stderr)
            raise StopTraining

fit = word2vec.Word2Vec.fit
word2vec.Word2Vec.fit = lambda self, *given, **named: fit(self, *given, **{**named, "callbacks": [FirstWord()]})
from firth.cli import main
main()
"""

Case = Callable[[], float]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure how long firth takes to start.")
    add = parser.add_argument
    add("--corpus", type=Path, help="plain text, a sentence per line, or .xz, .gz, .bz2; else FIRTH_CORPORA's")
    add("--rounds", type=int, default=5, help="rounds, in each of which every case runs once (default 5)")
    add("--json", type=Path, help="file to write every run to")
    add("--plot", type=Path, help="SVG to draw the medians in")
    return parser.parse_args()


def elapsed(command: Sequence[str], cache: Path, status: int = 0) -> tuple[float, str]:
    """Seconds from the start of a process to its end, with that exit status; and what it said on standard error."""
    began = time.monotonic()
    environment = os.environ | {"FIRTH_CACHE": str(cache)}
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False, env=environment)
    seconds = time.monotonic() - began
    if done.returncode != status:
        raise SystemExit(f"a run failed:\n{done.stderr}")
    return seconds, done.stderr


def first_word(text: Path, cache: Path, folder: Path) -> float:
    """Seconds from the start of a process to the first trained word; the clock is the system's, not the process's."""
    began = time.monotonic()
    command = ["-c", FIRST_WORD, "train", str(text), "-o", str(folder / "m.safetensors"), "--json"]
    _, told = elapsed(command, cache, status=INTERRUPTED)
    return float(told.split()[0]) - began


def cold(text: Path, warm: Path, folder: Path) -> float:
    """The same with nothing compiled before; the corpus is encoded already where it is in the cache `warm`."""
    cache = Path(tempfile.mkdtemp(dir=folder))
    (cache / "corpora").symlink_to(warm / "corpora", target_is_directory=True)
    try:
        return first_word(text, cache, folder)
    finally:
        shutil.rmtree(cache)


def cases(small: Path, large: Path, cache: Path, folder: Path) -> dict[str, Case]:
    return {
        "import firth": lambda: elapsed(["-c", "import firth"], cache)[0],
        "firth --help": lambda: elapsed(["-m", "firth.cli", "--help"], cache)[0],
        "first word, small text, warm": lambda: first_word(small, cache, folder),
        "first word, large text, warm": lambda: first_word(large, cache, folder),
        "first word, small text, cold": lambda: cold(small, cache, folder),
        "first word, large text, cold": lambda: cold(large, cache, folder),
    }


def draw(path: Path, seconds: dict[str, list[float]]) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.fonttype"] = "none"
    figure = Figure(figsize=(7.5, 2.8), layout="constrained")
    axes = figure.subplots()
    names, medians = list(seconds), [median(each) for each in seconds.values()]
    bars = axes.barh(names, medians, color="#4477aa", height=0.6)
    axes.bar_label(bars, [f"{each:.2f} s" for each in medians], padding=4)
    axes.invert_yaxis()
    axes.set_xlabel("seconds from the start of the process (median)")
    axes.set_xlim(0, 1.15 * max(medians))
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    options = arguments()
    if options.rounds < 1:
        raise SystemExit(f"rounds must be 1 or more, got {options.rounds}")
    corpus = chosen_corpus(options.corpus)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        small = prepared(corpus, folder / "small.txt", SMALL_TOKENS, MIN_COUNT)
        large = prepared(corpus, folder / "large.txt", None, MIN_COUNT)
        cache = folder / "cache"
        measured = cases(small.path, large.path, cache, folder)
        for text in (small, large):
            first_word(text.path, cache, folder)  # compiles, and encodes the corpus
        seconds: dict[str, list[float]] = {name: [] for name in measured}
        for _ in range(options.rounds):
            for name, case in measured.items():
                seconds[name].append(case())
    print("| | median, s | least, s | most, s |\n|---|---:|---:|---:|")
    for name, each in seconds.items():
        print(f"| {name} | {median(each):.2f} | {min(each):.2f} | {max(each):.2f} |")
    print(f"\n- {machine()}; {datetime.date.today()}; rounds: {options.rounds}, each case once in every round.")
    print(f"- texts of {small.tokens:,} and {large.tokens:,} tokens, both encoded before; default options.")
    print("- warm: the kernels were compiled before; cold: a new FIRTH_CACHE, with nothing compiled in it.")
    if options.json:
        options.json.write_text(json.dumps({"machine": machine(), "seconds": seconds}, indent=1) + "\n")
    if options.plot:
        draw(options.plot, seconds)


if __name__ == "__main__":
    main()
