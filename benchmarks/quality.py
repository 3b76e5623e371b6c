"""How good vectors become, and in how many seconds: learning rate, epochs, noise words and subsampling, over seeds.

    python benchmarks/quality.py --alpha 0.025 0.05 --epochs 3 5 --json sweep.json --plot sweep.svg

trains once for each combination and seed, scores the vectors on the published sets, and prints a Markdown table. With
`--json`, results are added to what the file holds, so that a sweep may be made in several goes; the table and the plot
show all of them. `--curves FILE` draws the mean score against window and vector_size. `--bar NAME SCORE
SECONDS` draws a peer for comparison, in the same mean score.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

from material import SETS, chosen_corpus, corpora_folder, machine, prepared, quality

from firth import Word2Vec

SWEPT = (
    *("architecture", "loss", "alpha", "epochs", "negative", "noise", "cbow_gradient"),
    *("sample", "window", "vector_size", "min_count", "workers"),
)
MIN_COUNT = 5
USUAL = {
    "loss": "ns",
    "negative": 5,
    "noise": "window",
    "cbow_gradient": "historical",
    "sample": 1e-3,
    "window": 5,
    "vector_size": 100,
    "min_count": MIN_COUNT,
}
CURVES = ("window", "vector_size")
COLOURS = {"0.025": "#7a8ca3", "0.05": "#c8553d", "0.075": "#588157", "0.1": "#b08968"}


@dataclass(frozen=True)
class Result:
    """One training: what was chosen, how long it took, and what the vectors are worth."""

    architecture: str
    alpha: float
    epochs: int
    negative: int
    sample: float
    vector_size: int
    workers: int
    seed: int
    seconds: float  # of training: reading, tables and saving left out
    scores: dict[str, float]  # in percent
    loss: str = "ns"
    noise: str = "window"
    cbow_gradient: str = "historical"
    window: int = 5
    min_count: int = MIN_COUNT

    @property
    def mean(self) -> float:
        """Over the sets."""
        return mean(self.scores.values())


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure quality against seconds of training.")
    add = parser.add_argument
    add("--corpus", type=Path, help="plain text, a sentence per line, or .xz, .gz, .bz2; else FIRTH_CORPORA's")
    add("--sets", type=Path, help="folder of the evaluation sets; else eval under FIRTH_CORPORA")
    add("--architecture", nargs="+", default=["skipgram"])
    add("--alpha", nargs="+", type=float, default=[0.025, 0.05])
    add("--epochs", nargs="+", type=int, default=[5])
    add("--loss", nargs="+", default=["ns"])
    add("--negative", nargs="+", type=int, default=[5])
    add("--noise", nargs="+", default=["window"])
    add("--cbow-gradient", nargs="+", default=["historical"])
    add("--sample", nargs="+", type=float, default=[1e-3])
    add("--window", nargs="+", type=int, default=[5])
    add("--vector-size", nargs="+", type=int, default=[100])
    add("--min-count", nargs="+", type=int, default=[MIN_COUNT])
    add("--workers", nargs="+", type=int, default=[2])
    add("--seeds", nargs="+", type=int, default=[1, 2, 3])
    add("--json", type=Path, help="file to add every result to")
    add("--plot", type=Path, help="SVG to draw quality against seconds in")
    add("--curves", type=Path, help=f"SVG to draw quality against {', '.join(CURVES)} in")
    add("--bar", nargs=3, action="append", default=[], metavar=("NAME", "SCORE", "SECONDS"), help="a peer to draw")
    add("--only-show", action="store_true", help="train nothing: show what --json holds")
    return parser.parse_args()


def trained(text: Path, sets: Path, folder: Path, chosen: dict[str, object], seed: int) -> Result:
    model = Word2Vec(**chosen, seed=seed).fit(text)
    model.vectors.save(folder / "vectors.safetensors")
    scores = {name: score for name, score in quality(folder / "vectors.safetensors", sets).items() if score is not None}
    return Result(**chosen, seed=seed, seconds=model.seconds.training, scores=scores)  # type: ignore[arg-type]


def sweep(given: argparse.Namespace, results: list[Result]) -> list[Result]:
    """Train what is asked for, seed by seed, so that a slow minute falls on all alike."""
    folder = corpora_folder()
    sets = given.sets or (folder / "eval" if folder else None)
    if sets is None or not sets.is_dir():
        raise SystemExit("no evaluation sets: give --sets FOLDER, or set FIRTH_CORPORA to a folder that holds eval/")
    with tempfile.TemporaryDirectory() as work:
        text = prepared(chosen_corpus(given.corpus), Path(work) / "text.txt", None, MIN_COUNT).path
        combinations = list(itertools.product(*(getattr(given, name) for name in SWEPT)))
        for seed, values in itertools.product(given.seeds, combinations):
            results.append(trained(text, sets, Path(work), dict(zip(SWEPT, values, strict=True)), seed))
            if given.json:
                given.json.write_text(json.dumps([dataclasses.asdict(each) for each in results], indent=1))
    return results


def grouped(results: list[Result]) -> dict[tuple[object, ...], list[Result]]:
    groups: dict[tuple[object, ...], list[Result]] = defaultdict(list)
    for each in results:
        groups[tuple(getattr(each, name) for name in SWEPT)].append(each)
    return dict(sorted(groups.items(), key=lambda item: (str(item[0][0]), *item[0][1:])))


def table(results: list[Result]) -> str:
    head = [*SWEPT, "seeds", "seconds", *SETS, "mean", "± over seeds"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for chosen, group in grouped(results).items():
        spread = f"{stdev(each.mean for each in group):.2f}" if len(group) > 1 else ""
        scores = [f"{mean(each.scores[name] for each in group):.1f}" for name in SETS]
        seconds, score = mean(each.seconds for each in group), mean(each.mean for each in group)
        cells = [*map(str, chosen), str(len(group)), f"{seconds:.1f}", *scores, f"{score:.1f}", spread]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def plot(results: list[Result], peers: list[list[str]], target: Path) -> None:
    """Mean score against seconds: a line for each rate, a point for each number of epochs; all else as usual."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot as plt

    usual = [each for each in results if all(getattr(each, name) == value for name, value in USUAL.items())]
    architectures = sorted({each.architecture for each in usual}, reverse=True)
    figure, panels = plt.subplots(1, len(architectures), figsize=(5.2 * len(architectures), 3.8), squeeze=False)
    for panel, architecture in zip(panels[0], architectures, strict=True):
        lines: dict[str, list[tuple[float, float, int]]] = defaultdict(list)
        for group in grouped([each for each in usual if each.architecture == architecture]).values():
            point = mean(each.seconds for each in group), mean(each.mean for each in group), group[0].epochs
            lines[str(group[0].alpha)].append(point)
        for alpha, points in lines.items():
            points.sort()
            colour = COLOURS.get(alpha, "#444444")
            panel.plot(*zip(*((x, y) for x, y, _ in points), strict=True), "o-", color=colour, label=f"rate {alpha}")
            for x, y, epochs in points:
                panel.annotate(str(epochs), (x, y), (0, 6), textcoords="offset points", ha="center", fontsize=8)
        for name, score, seconds in peers:
            if name.split()[-1] == architecture:
                panel.axhline(float(score), color="#888888", lw=1, ls="--")
                label = f"{' '.join(name.split()[:-1])}, {float(seconds):.0f} s"
                right = panel.get_xlim()[1]
                panel.annotate(
                    label, (right, float(score)), (0, -11), textcoords="offset points", ha="right", fontsize=8
                )
        panel.set_title(architecture)
        panel.set_xlabel("seconds of training (numbers: epochs)")
        panel.set_ylabel("mean of five sets, percent")
        panel.spines[["top", "right"]].set_visible(False)
        panel.legend(frameon=False, loc="lower right")
    figure.tight_layout()
    figure.savefig(target)


def curves(results: list[Result], target: Path) -> None:
    """Mean score against each of CURVES, all else as usual; for results of one rate and number of epochs."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(1, len(CURVES), figsize=(3.4 * len(CURVES), 2.9), sharey=True)
    for panel, swept in zip(panels, CURVES, strict=True):
        others = {name: value for name, value in USUAL.items() if name != swept}
        groups: dict[int, list[float]] = defaultdict(list)
        for each in sorted(results, key=lambda each: int(getattr(each, swept))):
            if all(getattr(each, name) == value for name, value in others.items()):
                groups[getattr(each, swept)].append(each.mean)
        panel.plot([str(value) for value in groups], [mean(group) for group in groups.values()], "o-", color="#c8553d")
        panel.set_xlabel(swept)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("mean of five sets, percent")
    figure.tight_layout()
    figure.savefig(target)


def main() -> None:
    given = arguments()
    results = []
    if given.json and given.json.exists():
        results = [Result(**each) for each in json.loads(given.json.read_text())]
    if not given.only_show:
        results = sweep(given, results)
    print(f"{machine()}\n\n{table(results)}")
    if given.plot:
        plot(results, given.bar, given.plot)
    if given.curves:
        curves(results, given.curves)


if __name__ == "__main__":
    main()
