"""What is learned when many programs train at once, as on a GPU, simulated on the CPU: loss and quality.

    python benchmarks/concurrency.py --programs 1 64 512 2112 --limit 0 8

Each program walks through a stretch of a chunk, window by window, as the GPU's do. A window is computed at the weights
as they were before the last `--programs` windows were added ("delay": programs end their windows in turn), or all
programs read, and then all add ("step"). `--limit` scales additions to frequent rows down, so that no more windows than
this are expected to add to a row at once (`firth.backends.gpu_crowds`); 0 scales nothing. With `--storage bfloat16`
rows are kept to eight bits, and additions rounded up or down by chance to what the row can hold. `--loss hs` trains
hierarchical softmax, the root of whose tree is in every window; a window is one step, however many contexts it has.

Real programs keep no such order; what they add is late by about as much.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from epochs import Encoded, encoded
from material import chosen_corpus, corpora_folder, machine, prepared, quality
from numba import njit

from firth import WordVectors
from firth.backends.gpu_crowds import Crowds
from firth.huffman import tree_paths
from firth.options import TrainingOptions, usable_cores
from firth.training import rates_in, tables_for
from firth.weights import initial_weights
from firth.windows import Windows, noise_for, windows

CHUNK = 1 << 20
MIN_COUNT = 5
BFLOAT16_FRACTION = 8  # bits, the leading one among them


@dataclass(frozen=True)
class Result:
    """One simulated training: the last epoch's mean loss, NaN where weights grew without bound."""

    architecture: str
    loss_function: str
    programs: int
    limit: float
    order: str
    storage: str
    alpha: float
    seed: int
    loss: float
    scores: dict[str, float]
    seconds: float


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Simulate training by many programs at once.")
    add = parser.add_argument
    add("--corpus", type=Path, help="plain text, a sentence per line, or packed; else FIRTH_CORPORA's")
    add("--tokens", type=int, default=4_000_000, help="of the text (default 4 M)")
    add("--architecture", nargs="+", default=["skipgram"], choices=["skipgram", "cbow"])
    add("--loss", nargs="+", default=["ns"], choices=["ns", "hs"])
    add("--programs", nargs="+", type=int, default=[1, 64, 512, 2112], help="2112: 16 on each of 132 multiprocessors")
    add("--limit", nargs="+", type=float, default=[0, 8], help="windows that may add to a row at once; 0: no limit")
    add("--order", nargs="+", default=["delay"], choices=["delay", "step"])
    add("--storage", nargs="+", default=["float32"], choices=["float32", "bfloat16"])
    add("--alpha", nargs="+", type=float, default=[0.05])
    add("--seeds", nargs="+", type=int, default=[1])
    add("--epochs", type=int, default=2)
    add("--vector-size", type=int, default=64)
    add("--json", type=Path, help="file to write every result to")
    return parser.parse_args()


@njit(fastmath={"contract", "reassoc"}, error_model="numpy")
def rounded(value: float, change: float) -> float:
    """The change as a multiple of the last bit of `value` in bfloat16, rounded up or down by chance: unbiased."""
    size = max(abs(value), 1e-30)
    bit = 2.0 ** (math.floor(math.log2(size)) + 1 - BFLOAT16_FRACTION)
    return math.floor(change / bit + np.random.random()) * bit


@njit(fastmath={"contract", "reassoc"}, error_model="numpy")
def trained(
    input: Any,  # float32 (V, D)
    output: Any,
    order: Any,  # which window each turn takes
    contexts: Any,  # these as in `firth.windows.Windows`
    offsets: Any,
    outputs: Any,  # (N, S): see `output_rows`
    rates: Any,  # float32 (N,)
    scale_in: Any,  # float32 (V,): what additions to each row are multiplied by
    scale_out: Any,
    pending: Any,  # float32 (programs, most rows, D): what is computed and not yet added
    in_step: bool,
    cbow: bool,
    halves: bool,
) -> float:
    """Train windows in this order, each added so late; gives the loss."""
    programs, D, S = len(pending), input.shape[1], outputs.shape[1]
    loss, x = 0.0, np.zeros(D, np.float32)
    for turn in range(len(order) + programs):
        slot = turn % programs
        first = turn - programs  # what is added before this turn: the window so long before, or all
        if first >= 0 and (not in_step or slot == 0):
            for late in range(first, min(first + (programs if in_step else 1), len(order))):
                i, rows = order[late], pending[late % programs]
                C = offsets[i + 1] - offsets[i]
                for r in range(C + S):
                    if r < C:
                        word = contexts[offsets[i] + r]
                        row, scale = input[word], scale_in[word]
                    else:
                        entry = outputs[i, r - C]
                        if entry < 0:
                            continue
                        row, scale = output[entry >> 1], scale_out[entry >> 1]
                    if halves:
                        for d in range(D):
                            row[d] += rounded(row[d], scale * rows[r, d])
                    else:
                        for d in range(D):
                            row[d] += scale * rows[r, d]
        if turn >= len(order):
            continue
        i, rows = order[turn], pending[slot]
        low, C, rate = offsets[i], offsets[i + 1] - offsets[i], rates[i]
        rows[: C + S] = 0.0
        for c in range(1 if cbow else C):
            if cbow:
                x[:] = 0.0
                for each in range(C):
                    row = input[contexts[low + each]]
                    for d in range(D):
                        x[d] += row[d] / np.float32(C)
            else:
                x[:] = input[contexts[low + c]]
            for s in range(S):
                entry = outputs[i, s]
                if entry < 0:
                    continue
                y, score = output[entry >> 1], np.float32(0.0)
                for d in range(D):
                    score += x[d] * y[d]
                label = 1.0 - (entry & 1)
                loss += math.log1p(math.exp(-abs(score))) + max(0.0, score if entry & 1 else -score)
                g = np.float32(rate * (label - 1.0 / (1.0 + math.exp(-score))))
                for d in range(D):
                    rows[c, d] += g * y[d]
                    rows[C + s, d] += g * x[d]
        if cbow:
            for d in range(D):
                rows[0, d] /= np.float32(C)
            for c in range(1, C):
                rows[c] = rows[0]
    return loss


def output_rows(text: Encoded, paths: Any, found: Windows, epoch: int, options: TrainingOptions) -> Any:
    """Each window's output rows: (N, S), 2 · row, and 1 more where the label is 0; -1 for those that do not count."""
    if options.loss == "hs":
        return paths[found.centres]
    noise = noise_for(found, epoch, options, text.tables.noise)
    target = found.centres[:, None]
    return np.hstack([2 * target, np.where(noise == target, -1, 2 * noise + 1)])


def stretches(count: int, programs: int) -> Any:
    """The windows of a chunk in the order that programs take them: first the first of each stretch."""
    bounds = count * np.arange(programs + 1) // programs
    longest = int(np.diff(bounds).max(initial=0))
    places = bounds[:-1, None] + np.arange(longest)
    return places.T[(places < bounds[1:, None]).T]


def simulated(text: Encoded, options: TrainingOptions, programs: int, limit: float, order: str, storage: str) -> Any:
    """Gives the input matrix and the last epoch's mean loss."""
    V, D = len(text.vocabulary), options.vector_size
    weights = initial_weights(V, D, options.seed, usable_cores())
    input, output = np.ascontiguousarray(weights.input), np.ascontiguousarray(weights.output)
    tables = tables_for(text.vocabulary, options)
    crowds, paths = Crowds.of(tables, options), tree_paths(tables.tree)
    scales = [np.ones(V, np.float32)] * 2
    if limit:
        scales = [crowds.scales(shares, programs, limit) for shares in (crowds.input, crowds.output)]
    S = paths.shape[1] if options.loss == "hs" else options.negative + 1
    pending = np.zeros((programs, 2 * options.window + S, D), np.float32)
    cbow = options.architecture == "cbow"
    loss = examples = 0.0
    for epoch in range(options.epochs):
        rates = rates_in(epoch, options, text.corpus.total_tokens)
        loss = examples = 0.0
        for chunk in text.corpus.chunks(CHUNK):
            found = windows(chunk, epoch, options, text.tables.keep)
            falling = np.maximum(rates.floor, rates.start - rates.slope * found.positions).astype(np.float32)
            loss += trained(
                input,
                output,
                stretches(len(found), programs),
                found.contexts,
                found.offsets,
                output_rows(text, paths, found, epoch, options),
                falling,
                *scales,
                pending,
                order == "step",
                cbow,
                storage == "bfloat16",
            )
            examples += len(found) if cbow else len(found.contexts)
            if not np.isfinite(loss):
                return input, math.nan
    return input, loss / examples


def results(given: argparse.Namespace, text: Encoded, sets: Path | None, folder: Path) -> Iterator[Result]:
    models = product(given.seeds, given.architecture, given.loss, given.alpha)
    whats = product(models, given.programs, given.limit, given.order, given.storage)
    for (seed, architecture, loss_function, alpha), programs, limit, order, storage in whats:
        if programs == 1 and (limit, order) != (given.limit[0], given.order[0]):
            continue  # all the same
        options = TrainingOptions(
            architecture=architecture,
            loss=loss_function,
            alpha=alpha,
            vector_size=given.vector_size,
            epochs=given.epochs,
            seed=seed,
        )
        began = time.perf_counter()
        input, loss = simulated(text, options, programs, limit, order, storage)
        scores: dict[str, float] = {}
        if sets is not None and math.isfinite(loss):
            path = folder / "vectors.safetensors"
            WordVectors(text.vocabulary.words, input, text.vocabulary.counts).save(path)
            scores = {name: score for name, score in quality(path, sets).items() if score is not None}
        seconds = time.perf_counter() - began
        yield Result(architecture, loss_function, programs, limit, order, storage, alpha, seed, loss, scores, seconds)


def table(found: Sequence[Result]) -> Iterator[str]:
    """Markdown: a row for each simulated training."""
    names = list(found[0].scores) if found else []
    head = ["architecture", "of", "order", "storage", "alpha", "seed", "programs", "limit", "loss", *names, "mean"]
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for each in found:
        cells = [each.architecture, each.loss_function, each.order, each.storage, f"{each.alpha:g}", str(each.seed)]
        cells += [str(each.programs), f"{each.limit:g}", f"{each.loss:.4f}"]
        scores = [f"{each.scores[name]:.1f}" if name in each.scores else "" for name in names]
        average = f"{mean(each.scores.values()):.1f}" if each.scores else ""
        yield "| " + " | ".join([*cells, *scores, average]) + " |"


def main() -> None:
    given, folder = arguments(), corpora_folder()
    sets = folder / "eval" if folder else None
    found = []
    with tempfile.TemporaryDirectory() as work:
        path = Path(work) / "text.txt"
        prepared(chosen_corpus(given.corpus), path, given.tokens, MIN_COUNT)
        text = encoded(path, MIN_COUNT)
        for each in results(given, text, sets, Path(work)):
            print(each, flush=True)
            found.append(each)
            if given.json:
                given.json.write_text(json.dumps([dataclasses.asdict(result) for result in found], indent=1) + "\n")
    print(f"{machine()}; {given.tokens:,} tokens, D = {given.vector_size}, {given.epochs} epochs\n")
    print(*table(found), sep="\n")


if __name__ == "__main__":
    main()
