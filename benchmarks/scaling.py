"""How firth's training speed scales: with threads and length of line, vocabulary, vector size, and length of the text.

`python benchmarks/scaling.py` prints Markdown tables; `--json FILE` keeps every run, `--plot FILE` draws an SVG, and
`--read FILE ...` tells of runs kept before, so that parts measured apart come together. Within a part, all texts are
encoded first, and each is trained once in every round.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

from epochs import Encoded, encoded, trained
from kernel_parts import run_peak
from material import chosen_corpus, machine, made_up, prepared

from firth.options import TrainingOptions, usable_cores

MIN_COUNT = 5
REGISTERS = "registers"  # the part of a loop that needs nothing but its core: no training can gain more by threads
REPEATS = 60_000_000  # of that loop: a sixth of a second
NATURAL = "natural"
LINES = ("5", NATURAL, "10000")
COLOURS = {"skipgram": "#4477aa", "cbow": "#cc6677"}
NAMES = {"skipgram": "skip-gram", "cbow": "CBOW"}
STYLES = ("--", "-", ":", "-.")


@dataclass(frozen=True)
class Case:
    """A training: what is varied in its part, and the text (by its name) that it is trained on."""

    part: str
    value: str
    text: str
    architecture: str
    threads: int
    size: int = 100
    epochs: int = 1
    min_count: int = MIN_COUNT


@dataclass(frozen=True)
class Run:
    """One epoch of a case; `epoch` is 1 for the first, `vocabulary` the number of words trained."""

    part: str
    value: str
    architecture: str
    threads: int
    epoch: int
    round: int
    vocabulary: int
    words: int
    examples: int
    seconds: float


@dataclass(frozen=True)
class Part:
    """A table and a picture: what is varied, and the texts and cases that it takes."""

    title: str
    texts: Callable[[argparse.Namespace, Path], dict[str, Path]]
    cases: Callable[[argparse.Namespace], list[Case]]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure how firth's training speed scales.")
    add = parser.add_argument
    add("--corpus", type=Path, help="plain text, a sentence per line, or .xz, .gz, .bz2; else FIRTH_CORPORA's")
    add("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="what to measure (default: all)")
    add("--architectures", nargs="+", choices=NAMES, default=list(NAMES))
    add("--tokens", type=int, default=3_000_000, help="tokens of the texts, where that is not varied (default 3 M)")
    add("--threads", type=int, nargs="+", default=powers_of_two(usable_cores()), help="numbers of threads")
    add("--vocabularies", type=int, nargs="+", default=[10_000, 50_000, 200_000, 1_000_000, 2_000_000], help="words")
    add("--sizes", type=int, nargs="+", default=[50, 100, 200, 300, 512], help="vector sizes D")
    add(
        "--lengths",
        type=int,
        nargs="+",
        default=[250_000, 1_000_000, 4_000_000, 16_000_000],
        help="tokens of the texts",
    )
    add("--epochs", type=int, default=5, help="the last epoch of the threads' part (default 5)")
    add("--rounds", type=int, default=3, help="rounds (default 3)")
    add("--quick", action="store_true", help="a tenth of each text and vocabulary, and one round, to see that it runs")
    add("--read", type=Path, nargs="+", help="tell of the runs in these files instead of measuring")
    add("--json", type=Path, help="file to write every run to")
    add("--plot", type=Path, help="SVG file to draw the medians in")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.tokens = 1, options.tokens // 10
        options.vocabularies = [each // 10 for each in options.vocabularies]
        options.lengths = [each // 10 for each in options.lengths]
    return options


def powers_of_two(most: int) -> list[int]:
    """1, 2, 4 and so on, up to `most`, which is the last."""
    return [*(1 << power for power in range(most.bit_length()) if 1 << power < most), most]


# ---- what is varied ----------------------------------------------------------------------------


def cut_text(options: argparse.Namespace, folder: Path, name: str, tokens: int) -> Path:
    path = folder / f"{name}.txt"
    prepared(chosen_corpus(options.corpus), path, tokens, MIN_COUNT)
    return path


def recut(text: Path, target: Path, words_each: int) -> Path:
    """The text in lines of `words_each` words."""
    words = text.read_text(encoding="utf-8").split()
    with target.open("w", encoding="utf-8") as file:
        for first in range(0, len(words), words_each):
            file.write(" ".join(words[first : first + words_each]) + "\n")
    return target


def line_texts(options: argparse.Namespace, folder: Path) -> dict[str, Path]:
    natural = cut_text(options, folder, NATURAL, options.tokens)
    others = {name: recut(natural, folder / f"{name}.txt", int(name)) for name in LINES if name != NATURAL}
    return {NATURAL: natural, **others}


def line_cases(options: argparse.Namespace) -> list[Case]:
    return [
        Case("threads", line, line, architecture, threads, epochs=options.epochs)
        for architecture, line, threads in product(options.architectures, LINES, options.threads)
    ]


def vocabulary_texts(options: argparse.Namespace, folder: Path) -> dict[str, Path]:
    """Texts of one length, that of the longest that any of them needs."""
    tokens = max(options.tokens, 2 * max(options.vocabularies))
    texts = {str(V): folder / f"{V}.txt" for V in options.vocabularies}
    for V, path in texts.items():
        made_up(path, tokens, int(V))
    return texts


def vocabulary_cases(options: argparse.Namespace) -> list[Case]:
    return [
        Case("vocabulary", str(V), str(V), architecture, threads, min_count=1)
        for architecture, V, threads in product(options.architectures, options.vocabularies, ends(options.threads))
    ]


def size_texts(options: argparse.Namespace, folder: Path) -> dict[str, Path]:
    return {NATURAL: cut_text(options, folder, NATURAL, options.tokens)}


def size_cases(options: argparse.Namespace) -> list[Case]:
    return [
        Case("size", str(D), NATURAL, architecture, threads, size=D)
        for architecture, D, threads in product(options.architectures, options.sizes, ends(options.threads))
    ]


def length_texts(options: argparse.Namespace, folder: Path) -> dict[str, Path]:
    return {str(tokens): cut_text(options, folder, str(tokens), tokens) for tokens in options.lengths}


def length_cases(options: argparse.Namespace) -> list[Case]:
    return [
        Case("length", str(tokens), str(tokens), architecture, threads)
        for architecture, tokens, threads in product(options.architectures, options.lengths, ends(options.threads))
    ]


def ends(threads: Sequence[int]) -> list[int]:
    """The fewest and the most."""
    return sorted({min(threads), max(threads)})


PARTS = {
    "threads": Part("words in a line", line_texts, line_cases),
    "vocabulary": Part("words in the vocabulary", vocabulary_texts, vocabulary_cases),
    "size": Part("vector size D", size_texts, size_cases),
    "length": Part("tokens in the text", length_texts, length_cases),
}


# ---- measuring ---------------------------------------------------------------------------------


def measured(part: Part, options: argparse.Namespace, folder: Path) -> Iterator[Run]:
    """All runs of a part."""
    cases = part.cases(options)
    counts = {case.text: case.min_count for case in cases}
    texts = {name: encoded(path, counts[name]) for name, path in part.texts(options, folder).items()}
    run_peak(1)  # compiles
    for number in range(1, options.rounds + 1):
        if part is PARTS["threads"]:
            for threads in options.threads:
                yield run_in_registers(threads, number)
        for case in cases:
            yield from runs_of(case, texts[case.text], number)


def run_in_registers(threads: int, number: int) -> Run:
    """A loop of vector FMAs that touches registers alone, once in each of so many threads."""
    loops = [threading.Thread(target=run_peak, args=(REPEATS,)) for _ in range(threads)]
    began = time.perf_counter()
    for loop in loops:
        loop.start()
    for loop in loops:
        loop.join()
    seconds = time.perf_counter() - began
    return Run(REGISTERS, "", "", threads, 1, number, 0, threads * REPEATS, threads * REPEATS, seconds)


def runs_of(case: Case, text: Encoded, number: int) -> Iterator[Run]:
    """The first epoch, and the last where the case has more."""
    training = TrainingOptions(
        architecture=case.architecture,
        vector_size=case.size,
        epochs=case.epochs,
        workers=case.threads,
        min_count=case.min_count,
    )
    epochs = trained(text, training)
    for place in sorted({1, case.epochs}):
        told = epochs[place - 1]
        yield Run(
            case.part,
            case.value,
            case.architecture,
            case.threads,
            place,
            number,
            len(text.vocabulary),
            told.words,
            told.examples,
            told.seconds,
        )


# ---- telling -----------------------------------------------------------------------------------


def speed(runs: Sequence[Run]) -> float:
    """The median, in words/s."""
    return median(run.words / run.seconds for run in runs)


def gain(runs: Sequence[Run], fewest: Sequence[Run]) -> float:
    """How many times as fast as the same with the fewest threads: the median of the rounds' ratios."""
    before = {run.round: run.words / run.seconds for run in fewest}
    return median(run.words / run.seconds / before[run.round] for run in runs)


def select(runs: Sequence[Run], **wanted: Any) -> list[Run]:
    return [run for run in runs if all(getattr(run, name) == value for name, value in wanted.items())]


def distinct(runs: Sequence[Run], name: str) -> list[Any]:
    """The values of one of the runs' fields, each once, in the order that they were measured in."""
    return list(dict.fromkeys(getattr(run, name) for run in runs))


def table(part: str, runs: Sequence[Run]) -> Iterator[str]:
    yield f"| {PARTS[part].title} | vocabulary | | threads | epoch | M words/s | M examples/s | × fewest threads |"
    yield "| ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: |"
    keys = ("architecture", "value", "epoch", "threads")
    for found in product(*(distinct(runs, key) for key in keys)):
        these = select(runs, **dict(zip(keys, found, strict=True)))
        architecture, value, epoch, threads = found
        fewest = min(run.threads for run in runs)
        ratio = ""
        if threads > fewest:
            others = select(runs, architecture=architecture, value=value, epoch=epoch, threads=fewest)
            ratio = f"{gain(these, others):.2f} ×"
        examples = median(run.examples / run.seconds for run in these)
        cells = [value, f"{these[0].vocabulary:,}", NAMES[architecture], str(threads), str(epoch)]
        yield f"| {' | '.join([*cells, f'{speed(these) / 1e6:.2f}', f'{examples / 1e6:.2f}', ratio])} |"
    yield ""


def notes(runs: Sequence[Run]) -> Iterator[str]:
    rounds = max(run.round for run in runs)
    yield f"- {machine()}; {datetime.date.today()}; rounds: {rounds}; medians, ratios by round."
    yield "- D = 100 where not varied; window 5, K = 5, sample 0.001; examples: pairs (skip-gram), windows (CBOW)."
    yield (
        "- Speed of training alone, epoch by epoch: no reading, tables, weights. Vocabularies: made-up texts of one "
        "length, words drawn by Zipf's law, each at least once, all trained. Else min_count 5."
    )
    alone = select(runs, part=REGISTERS)
    fewest, *more = distinct(alone, "threads") or [1]
    for threads in more:
        ratio = gain(select(alone, threads=threads), select(alone, threads=fewest))
        yield f"- A loop that touches registers alone, in the same rounds: {threads} threads {ratio:.2f} × {fewest}."


def plot(path: Path, runs: Sequence[Run]) -> None:
    """Small multiples: what threads bring for each length of line, then speed over what else is varied."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.fonttype"] = "none"
    figure = Figure(figsize=(9, 6), layout="constrained")
    upper, lower = figure.subplots(2, 3)
    for place, (axes, line) in enumerate(zip(upper, LINES, strict=True)):
        draw_gains(axes, select(runs, part="threads", value=line))
        axes.set_title("natural lines" if line == NATURAL else f"lines of {int(line):,} words", fontsize=10)
        axes.set_ylabel("times as fast as one thread" if place == 0 else "")
    for place, (axes, part) in enumerate(zip(lower, list(PARTS)[1:], strict=True)):
        draw_speeds(axes, select(runs, part=part))
        axes.set_xlabel(PARTS[part].title)
        axes.set_ylabel("million words a second" if place == 0 else "")
    for axes in (*upper, *lower):
        axes.spines[["top", "right"]].set_visible(False)
    for axes in (upper[0], lower[0]):
        if axes.has_data():
            axes.legend(frameon=False, fontsize=7, handlelength=4)
    figure.savefig(path, format="svg", metadata={"Date": None})


def draw_gains(axes: Any, runs: Sequence[Run]) -> None:
    threads = distinct(runs, "threads")
    for architecture in distinct(runs, "architecture"):
        for style, epoch in zip(STYLES, distinct(runs, "epoch"), strict=False):
            these = select(runs, architecture=architecture, epoch=epoch)
            fewest = select(these, threads=min(threads))
            gains = [gain(select(these, threads=each), fewest) for each in threads]
            label = f"{NAMES[architecture]}, epoch {epoch}"
            axes.plot(threads, gains, style, marker="o", markersize=4, color=COLOURS[architecture], label=label)
    axes.plot(threads, threads, color="0.8", linewidth=1, zorder=0, label="as many times as threads")
    axes.set_xticks(threads)
    axes.set_xlabel("threads")
    axes.set_ylim(0.8, 1.05 * max(threads, default=1))


def draw_speeds(axes: Any, runs: Sequence[Run]) -> None:
    for architecture in distinct(runs, "architecture"):
        for style, threads in zip(STYLES, distinct(runs, "threads"), strict=False):
            these = select(runs, architecture=architecture, threads=threads)
            values = distinct(these, "value")
            speeds = [speed(select(these, value=value)) / 1e6 for value in values]
            label = f"{NAMES[architecture]}, {threads} thread{'s' * (threads > 1)}"
            axes.plot(
                [int(each) for each in values],
                speeds,
                style,
                marker="o",
                markersize=4,
                color=COLOURS[architecture],
                label=label,
            )
    numbers = [int(each) for each in distinct(runs, "value")]
    if not numbers:
        return
    axes.set_xscale("log")
    axes.set_xticks(numbers, [short(each) for each in numbers])
    axes.minorticks_off()
    axes.set_ylim(bottom=0)


def short(number: int) -> str:
    """10,000 as 10 k."""
    for unit, name in ((1_000_000, "M"), (1_000, "k")):
        if number >= unit:
            return f"{number / unit:g} {name}"
    return str(number)


def kept_runs(files: Sequence[Path]) -> list[Run]:
    return [Run(**run) for file in files for run in json.loads(file.read_text(encoding="utf-8"))["runs"]]


def main() -> None:
    options = arguments()
    lengths = (*options.vocabularies, *options.sizes, *options.lengths)
    if min(options.rounds, options.epochs, options.tokens, *options.threads, *lengths) < 1:
        raise SystemExit("rounds, epochs, tokens, threads, vocabularies, sizes and lengths must be 1 or more")
    runs = kept_runs(options.read or [])
    for name in [] if options.read else options.parts:
        with tempfile.TemporaryDirectory() as scratch:
            for run in measured(PARTS[name], options, Path(scratch)):
                print(run, file=sys.stderr, flush=True)
                runs.append(run)
    for part in [each for each in distinct(runs, "part") if each in PARTS]:
        print(*table(part, select(runs, part=part)), sep="\n")
    print(*notes(runs), sep="\n")
    if options.json:
        facts = {"machine": machine(), "options": vars(options), "runs": [asdict(run) for run in runs]}
        options.json.write_text(json.dumps(facts, indent=1, default=str) + "\n")
    if options.plot:
        plot(options.plot, runs)


if __name__ == "__main__":
    main()
