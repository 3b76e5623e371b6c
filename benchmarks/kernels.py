"""The CPU kernels against what the core can do: GFLOP/s and their share of its measured peak, on one thread.

`python benchmarks/kernels.py` prints Markdown tables; `--json FILE` keeps every run, `--plot FILE` draws an SVG. The
peak is that of a loop of vector FMAs that touches registers alone; it is measured before each run of a kernel.

What is counted, a fused multiply-add as two operations:

- skip-gram: 6 · D for each pair of context and output row (2 · D for its score, 2 · D for each of two gradients). A
  word that stands twice among a window's contexts, or its outputs, is counted once, as it is computed once.
- CBOW: 6 · D for each output row of a window, likewise; and for each context 2 · D: D to add it to the mean, D to add
  the step to it.
- In neither: sigmoid, loss, draws, addresses. D is the vectors' size; rows are padded to whole cache lines, and what
  is computed on the padding counts only where the table says so.

With `--trial FILE.py`, another trainer's script is timed in turn with firth on the same text. It is run as
`FILE.py TEXT --size D --threads T --epochs N` and prints a line with `trained X M words/s`.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import kernel_parts as parts
import numpy as np
from epochs import Encoded, encoded, started, trained, trained_epoch
from material import Text, chosen_corpus, corpora_folder, machine, made_up, prepared

from firth.backends.cpu import CpuBackend
from firth.options import TrainingOptions
from firth.training import rates_in, tokens_each
from firth.weights import ROW_FLOATS

MIN_COUNT = 5
MADE_UP_WORDS = 50_000
TRIAL_LINE = re.compile(r"trained ([\d.]+) M words/s")
ARCHITECTURES = {"skipgram": "skip-gram", "cbow": "CBOW"}
TILES = {
    "score": parts.score_tiles,
    "gradient": parts.gradient_tiles,
    "update": parts.update_tiles,
    "skip-gram window": parts.skipgram_windows,
    "CBOW window": parts.cbow_windows,
}


@dataclass(frozen=True)
class Case:
    """A kernel to time; what it does in a run, in floating-point operations (0: not told), and of how many items."""

    name: str
    size: int
    item: str
    items: int
    flop: int
    run: Callable[[], float]  # gives its seconds


@dataclass(frozen=True)
class Run:
    """One run of a case, and the peak (FLOP/s) measured before it."""

    name: str
    size: int
    round: int
    items: int
    flop: int
    seconds: float
    peak: float


@dataclass(frozen=True)
class Duel:
    """firth's words/s and those of the other trainer, after each other."""

    size: int
    threads: int
    round: int
    ours: float
    theirs: float


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure firth's CPU kernels against the core's peak.")
    add = parser.add_argument
    add(
        "--corpus",
        type=Path,
        help="plain text, a sentence per line, or .xz, .gz, .bz2; else FIRTH_CORPORA's; "
        "without either a text made up by Zipf's law",
    )
    add("--tokens", type=int, default=3_000_000, help="tokens to train (default 3 million)")
    add("--sizes", type=int, nargs="+", default=[100, 300], help="vector sizes D")
    add("--windows", type=int, default=500_000, help="windows in the cache in a run (default 500,000)")
    add("--peak-loops", type=int, default=30_000_000, help="repeats of the peak's loop (default 30 million)")
    add("--rounds", type=int, default=5, help="rounds, in each of which every kernel runs once (default 5)")
    add("--trial", type=Path, help="script of another trainer, to be timed instead in turn with firth's training")
    add("--python", default=sys.executable, help="the interpreter that runs it")
    add("--threads", type=int, nargs="+", default=[1, 2], help="numbers of threads of the trial")
    add("--epochs", type=int, default=2, help="epochs of the trial (default 2)")
    add("--json", type=Path, help="file to write every run to")
    add("--plot", type=Path, help="SVG file to draw the shares of the peak in; not of a trial")
    return parser.parse_args()


def text_for(options: argparse.Namespace, folder: Path) -> Text:
    """The beginning of the corpus, or a made-up text where there is none."""
    target = folder / "text.txt"
    if options.corpus is None and corpora_folder() is None:
        return made_up(target, options.tokens, MADE_UP_WORDS)
    return prepared(chosen_corpus(options.corpus), target, options.tokens, MIN_COUNT)


def padded(size: int) -> int:
    """The floats of a row."""
    return -(-size // ROW_FLOATS) * ROW_FLOATS


# ---- what is timed -----------------------------------------------------------------------------


def timed(function: Callable[..., Any], *arguments: Any) -> float:
    began = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - began


def tile_cases(size: int, windows: int) -> Iterator[Case]:
    """Windows in the first-level cache: three steps alone, then all of them, as training calls them."""
    pairs = parts.CONTEXTS * parts.OUTPUTS
    flop = {
        "score": 2 * pairs,
        "gradient": 0,
        "update": 4 * pairs,
        "skip-gram window": 6 * pairs,
        "CBOW window": 2 * parts.CONTEXTS + 6 * parts.OUTPUTS,
    }
    for name, function in TILES.items():
        given = parts.cached_window(size)
        function(1, *given)  # compiles
        run = partial(timed, function, windows, *given)
        yield Case(f"{name}, in cache", size, "window", windows, windows * size * flop[name], run)


def training_cases(material: Encoded, size: int, architecture: str, stack: ExitStack) -> Iterator[Case]:
    """The whole training of an epoch; for skip-gram also deciding ahead alone."""
    options = TrainingOptions(architecture=architecture, vector_size=size, epochs=1, workers=1, min_count=MIN_COUNT)
    backend = stack.enter_context(started(material, options))
    pairs, contexts, outputs = counted(backend, material, options)
    flop = 6 * pairs if architecture == "skipgram" else 2 * contexts + 6 * outputs
    told = trained_epoch(backend, material, options, 0)
    if architecture == "skipgram" and told.examples != contexts:
        raise SystemExit(
            f"{contexts:,} contexts were counted, but {told.examples:,} trained; counted is something else"
        )

    def run() -> float:
        return trained_epoch(backend, material, options, 0).seconds

    words = told.words
    yield Case(f"{ARCHITECTURES[architecture]} training", size, "word", words, flop * size, run)
    if architecture == "skipgram":
        yield Case("deciding ahead", size, "word", words, 0, partial(timed, decided, backend, material, options))


def chunks_as_handed(backend: CpuBackend, material: Encoded, options: TrainingOptions) -> Iterator[tuple[Any, ...]]:
    total = material.corpus.total_tokens
    for chunk in material.corpus.chunks(tokens_each(total, options)):
        yield parts.as_handed(backend, chunk, rates_in(0, options, total))


def decided(backend: CpuBackend, material: Encoded, options: TrainingOptions) -> int:
    return sum(parts.decide(*each) for each in chunks_as_handed(backend, material, options))


def counted(backend: CpuBackend, material: Encoded, options: TrainingOptions) -> tuple[int, int, int]:
    """What epoch 0 trains, see `parts.count`; compiles `parts.decide` too."""
    decided(backend, material, options)
    sums = np.sum([parts.count(*each) for each in chunks_as_handed(backend, material, options)], axis=0)
    return int(sums[0]), int(sums[1]), int(sums[2])


def measured(cases: Sequence[Case], options: argparse.Namespace) -> Iterator[Run]:
    """All cases in turn, the peak before each."""
    timed(parts.run_peak, 1)  # compiles
    for number in range(1, options.rounds + 1):
        for case in cases:
            peak = parts.peak_flop(options.peak_loops) / timed(parts.run_peak, options.peak_loops)
            yield Run(case.name, case.size, number, case.items, case.flop, case.run(), peak)


def duels(options: argparse.Namespace, text: Text) -> Iterator[Duel]:
    """Firth and the trial in turn; firth's kernels are compiled before its clock starts, as the trial's are."""
    material = encoded(text.path, MIN_COUNT)
    for number in range(1, options.rounds + 1):
        for size in options.sizes:
            for threads in options.threads:
                training = TrainingOptions(vector_size=size, epochs=options.epochs, workers=threads)
                epochs = trained(material, training, touched=False)  # as in a run of its own
                ours = sum(each.words for each in epochs) / sum(each.seconds for each in epochs)
                yield Duel(size, threads, number, ours, trial(options, text, size, threads))


def trial(options: argparse.Namespace, text: Text, size: int, threads: int) -> float:
    """The words/s that the other trainer's script told."""
    command = [options.python, str(options.trial), str(text.path), "--size", str(size)]
    command += ["--threads", str(threads), "--epochs", str(options.epochs)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    told = TRIAL_LINE.search(done.stdout)
    if done.returncode or told is None:
        raise SystemExit(f"{options.trial} failed with status {done.returncode}:\n{done.stdout}{done.stderr[-4000:]}")
    return 1e6 * float(told[1])


# ---- telling -----------------------------------------------------------------------------------


def of(runs: Sequence[Run], case: Case) -> list[Run]:
    return [run for run in runs if (run.name, run.size) == (case.name, case.size)]


def share(runs: Sequence[Run], case: Case) -> float:
    """The median of its rounds' shares of the peak measured before, in percent."""
    return 100 * median(run.flop / run.seconds / run.peak for run in of(runs, case))


def table(runs: Sequence[Run], cases: Sequence[Case]) -> Iterator[str]:
    yield "| kernel | D | M words/s | time | GFLOP/s | of the peak | padding counted |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for case in cases:
        seconds = median(run.seconds for run in of(runs, case))
        words = f"{case.items / seconds / 1e6:.2f}" if case.item == "word" else ""
        cells = [case.name, str(case.size), words, f"{1e9 * seconds / case.items:.1f} ns a {case.item}"]
        if case.flop:
            part = share(runs, case)
            with_padding = part * padded(case.size) / case.size
            cells += [f"{case.flop / seconds / 1e9:.1f}", f"{part:.1f} %", f"{with_padding:.1f} %"]
        else:
            cells += [""] * 3
        yield f"| {' | '.join(cells)} |"


def notes(runs: Sequence[Run], material: Encoded, options: argparse.Namespace) -> Iterator[str]:
    peaks = [run.peak / 1e9 for run in runs]
    yield (
        f"- {machine()}; {datetime.date.today()}; one thread; medians over {options.rounds} rounds, shares by round, "
        "each of the peak measured just before."
    )
    yield (
        f"- peak: {median(peaks):.1f} GFLOP/s, from {min(peaks):.1f} to {max(peaks):.1f}: {parts.ACCUMULATORS} "
        f"independent chains of FMAs on vectors of {parts.LANES} floats, in registers alone."
    )
    yield (
        f"- training: {material.corpus.total_tokens:,} tokens, {len(material.vocabulary):,} words, window 5, K = 5, "
        f"one epoch. In cache: {parts.CONTEXTS} contexts against {parts.OUTPUTS} output rows."
    )
    yield "- counted: skip-gram 6 · D a pair; CBOW 6 · D an output row and 2 · D a context; D without padding."


def duel_table(fought: Sequence[Duel], text: Text, options: argparse.Namespace) -> Iterator[str]:
    yield f"| D | threads | firth, M words/s | {options.trial.stem}, M words/s | firth is |"
    yield "| ---: | ---: | ---: | ---: | ---: |"
    for size in options.sizes:
        for threads in options.threads:
            these = [each for each in fought if (each.size, each.threads) == (size, threads)]
            ours, theirs = median(each.ours for each in these), median(each.theirs for each in these)
            ratio = median(each.ours / each.theirs for each in these)
            yield f"| {size} | {threads} | {ours / 1e6:.2f} | {theirs / 1e6:.2f} | {ratio:.2f} × |"
    yield ""
    yield f"- {machine()}; {datetime.date.today()}; medians over {options.rounds} rounds, ratios by round."
    yield f"- skip-gram, {text.tokens:,} tokens, {text.vocabulary:,} words, window 5, K = 5, {options.epochs} epochs."


def plot(path: Path, runs: Sequence[Run], cases: Sequence[Case]) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.fonttype"] = "none"
    shown = [case for case in cases if case.flop]
    names, sizes = list(dict.fromkeys(case.name for case in shown)), sorted({case.size for case in shown})
    figure = Figure(figsize=(7.5, 0.5 * len(names) + 1.2), layout="constrained")
    axes, height = figure.subplots(), 0.8 / len(sizes)
    for place, size in enumerate(sizes):
        these = [case for case in shown if case.size == size]
        centres = [names.index(case.name) + (place - (len(sizes) - 1) / 2) * height for case in these]
        shares = [share(runs, case) for case in these]
        shade = str(0.3 + 0.4 * place / max(1, len(sizes) - 1))
        bars = axes.barh(centres, shares, 0.9 * height, color=shade, label=f"D = {size}")
        axes.bar_label(bars, [f"{each:.0f} %" for each in shares], padding=3, fontsize=8)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    peak = median(run.peak for run in runs) / 1e9
    axes.set_xlabel(f"share of the measured FMA peak of one core ({peak:.0f} GFLOP/s), %")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    figure.legend(frameon=False, loc="outside upper right", ncols=len(sizes))
    figure.savefig(path, format="svg", metadata={"Date": None})


def write(file: Path | None, options: argparse.Namespace, runs: Sequence[Run] | Sequence[Duel]) -> None:
    if file:
        facts = {"machine": machine(), "options": vars(options), "runs": [asdict(run) for run in runs]}
        file.write_text(json.dumps(facts, indent=1, default=str) + "\n")


def measure_trial(options: argparse.Namespace, text: Text) -> None:
    fought = []
    for duel in duels(options, text):
        print(duel, file=sys.stderr, flush=True)
        fought.append(duel)
    print(*duel_table(fought, text, options), sep="\n")
    write(options.json, options, fought)


def measure_kernels(options: argparse.Namespace, text: Text) -> None:
    material = encoded(text.path, MIN_COUNT)
    with ExitStack() as stack:
        cases = [
            case
            for size in options.sizes
            for architecture in ARCHITECTURES
            for case in training_cases(material, size, architecture, stack)
        ]
        cases += [case for size in options.sizes for case in tile_cases(size, options.windows)]
        runs = list(measured(cases, options))
    print(*table(runs, cases), "", *notes(runs, material, options), sep="\n")
    write(options.json, options, runs)
    if options.plot:
        plot(options.plot, runs, cases)


def main() -> None:
    options = arguments()
    if min(options.rounds, options.epochs, options.tokens, options.windows, *options.sizes, *options.threads) < 1:
        raise SystemExit("rounds, epochs, tokens, windows, sizes and threads must be 1 or more")
    if options.trial and not options.trial.is_file():
        raise SystemExit(f"no script at {options.trial}; correct --trial")
    with tempfile.TemporaryDirectory() as scratch:
        text = text_for(options, Path(scratch))
        if options.trial:
            measure_trial(options, text)
        else:
            measure_kernels(options, text)


if __name__ == "__main__":
    main()
