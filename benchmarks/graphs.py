"""Vectors of nodes from random walks: how well they tell what nodes are about, and how fast they are made.

    FIRTH_CORPORA=... python benchmarks/graphs.py quality      # node classification beside published figures
    FIRTH_CORPORA=... python benchmarks/graphs.py quality --graphs cora --seeds 3 --trainers firth gensim
    FIRTH_CORPORA=... python benchmarks/graphs.py speed        # walks and training beside the node2vec package

Classification is that of DeepWalk's own scoring.py: nodes are split at random into a share that a one-against-rest
logistic regression (L2, C = 1) learns from and the rest, on which it names as many labels as each node truly has, those
of the highest probabilities. Given are means of micro- and macro-F1 over several splits. gensim, if asked for, trains
on the very same walks with the same options, and its vectors are judged on the same splits.

Speed is taken from edges in memory (a networkx graph) to vectors, in turns, each in a fresh process that has compiled
before, with the same walks, window, size, noise words, epochs and workers.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from material import corpora_folder, machine

from firth import Graph, TrainingOptions, Word2Vec, WordVectors

PERCENTS = range(10, 100, 10)  # of the nodes, to learn from

# In percent. BlogCatalog with DeepWalk: the README of its authors' program (github.com/phanein/deepwalk), with the
# settings of Perozzi et al. 2014; with node2vec: Grover & Leskovec 2016, as github.com/PaddlePaddle/PGL quotes them.
# Cora: node2vec (p = q = 1) in the README of github.com/thunlp/OpenNE, whose accuracy is micro-F1 where a node has one
# label. Its DeepWalk, 82.8, trains both hierarchical softmax and negative sampling, as gensim does if not told else.
PUBLISHED: dict[tuple[str, str, str], dict[int, float]] = {
    ("blogcatalog", "deepwalk", "micro"): dict(
        zip(PERCENTS, (35.86, 38.51, 39.96, 40.76, 41.51, 41.85, 42.27, 42.35, 42.40), strict=True)
    ),
    ("blogcatalog", "deepwalk", "macro"): dict(
        zip(PERCENTS, (21.08, 23.98, 25.71, 26.73, 27.68, 28.28, 28.88, 28.70, 28.21), strict=True)
    ),
    ("blogcatalog", "node2vec", "macro"): {50: 25.8},
    ("cora", "openne", "micro"): {50: 82.0},
}

# Walks as in Perozzi et al. 2014, and Grover & Leskovec 2016 (p and q those of BlogCatalog). Hierarchical softmax
# starts at gensim's rate, as DeepWalk's authors train with gensim; negative sampling at firth's.
METHODS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "deepwalk": ({"num_walks": 80, "walk_length": 40}, {"loss": "hs", "epochs": 1, "alpha": 0.025}),
    "node2vec": (
        {"num_walks": 10, "walk_length": 80, "p": 0.25, "q": 0.25},
        {"loss": "ns", "epochs": 1, "alpha": 0.05},
    ),
    # OpenNE's walks and options, but for the rate, which is gensim's 0.025 there.
    "openne": (
        {"num_walks": 10, "walk_length": 80},
        {"loss": "ns", "epochs": 5, "alpha": 0.00625, "sample": 1e-3},
    ),
}
TRAINING = {"vector_size": 128, "window": 10, "min_count": 1, "sample": 0}
NEGATIVE = TrainingOptions().negative
NOISE = {"firth": "window", "firth-pair": "pair"}  # the trainers that are firth, and how they draw noise words


def folder() -> Path:
    found = corpora_folder()
    if found is None or not (found / "graphs").is_dir():
        raise SystemExit("no graphs: set FIRTH_CORPORA to a folder that holds graphs/cora.edges.tsv and others")
    return found / "graphs"


# ---- quality -----------------------------------------------------------------------------------


def labels_of(name: str, words: tuple[str, ...]) -> np.ndarray:
    """Which labels each node has: bool (nodes, labels)."""
    lines = (folder() / f"{name}.labels.tsv").read_text().splitlines()
    pairs = [line.split() for line in lines]
    labels = {label: column for column, label in enumerate(sorted({label for _, label in pairs}))}
    found = np.zeros((len(words), len(labels)), bool)
    place = {word: number for number, word in enumerate(words)}
    for node, label in pairs:
        if node in place:
            found[place[node], labels[label]] = True
    return found[:, found.any(axis=0)]


def scores(vectors: WordVectors, labels: np.ndarray, share: float, split: int) -> tuple[float, float]:
    """Micro- and macro-F1 of one split."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score

    order = np.random.default_rng(split).permutation(len(labels))
    known = int(share * len(labels))
    learned, asked = order[:known], order[known:]
    chances = np.zeros((len(asked), labels.shape[1]))
    for label in range(labels.shape[1]):
        answers = labels[learned, label]
        if answers.any() and not answers.all():
            one = LogisticRegression(C=1.0, solver="liblinear").fit(vectors.matrix[learned], answers)
            chances[:, label] = one.predict_proba(vectors.matrix[asked])[:, 1]
    ranks = np.argsort(np.argsort(-chances, axis=1), axis=1)
    named = ranks < labels[asked].sum(axis=1, keepdims=True)
    micro, macro = (f1_score(labels[asked], named, average=kind, zero_division=0) for kind in ("micro", "macro"))
    return 100 * micro, 100 * macro


def trained(
    graph: Graph, method: str, trainer: str, seed: int, workers: int, alpha: float | None = None
) -> WordVectors:
    walking, training = METHODS[method]
    options = TRAINING | training | {"seed": seed, "workers": workers} | ({} if alpha is None else {"alpha": alpha})
    with graph.walks(**walking, seed=seed, workers=workers) as walks:
        if trainer in NOISE:
            return Word2Vec(**options, noise=NOISE[trainer]).fit(walks, progress=False).vectors
        import gensim.models

        hs = options.pop("loss") == "hs"
        model = gensim.models.Word2Vec(walks, sg=1, hs=int(hs), negative=0 if hs else NEGATIVE, **options)
        return WordVectors(model.wv.index_to_key, model.wv.vectors)


def quality(given: argparse.Namespace) -> None:
    found: dict[str, Any] = {}
    for name in given.graphs:
        graph = Graph.read(folder() / f"{name}.edges.tsv")
        for method, trainer in itertools.product(given.methods, given.trainers):
            measured: dict[int, list[tuple[float, float]]] = defaultdict(list)
            for seed in range(1, given.seeds + 1):
                vectors = trained(graph, method, trainer, seed, given.workers, given.alpha)
                labels = labels_of(name, vectors.words)
                for percent in given.percents:
                    splits = range(given.splits)
                    measured[percent] += [scores(vectors, labels, percent / 100, split) for split in splits]
            means = {percent: np.mean(each, axis=0).round(2).tolist() for percent, each in measured.items()}
            found[f"{name} {method} {trainer}"] = means
            print("\n".join(rows(name, method, trainer, means)), flush=True)
    if given.json:
        given.json.write_text(json.dumps({"machine": machine(), "percent: [micro-F1, macro-F1]": found}, indent=1))


def rows(name: str, method: str, trainer: str, means: dict[int, list[float]]) -> Iterator[str]:
    """A table: shares across, micro- and macro-F1 below, with what was published beneath."""
    yield f"\n| {name}, {method}, {trainer} | " + " | ".join(f"{percent} %" for percent in means) + " |"
    yield "|---|" + "---|" * len(means)
    for place, kind in enumerate(("micro", "macro")):
        yield f"| {kind}-F1 | " + " | ".join(f"{each[place]:.2f}" for each in means.values()) + " |"
        if published := PUBLISHED.get((name, method, kind)):
            cells = [f"{published[percent]:.2f}" if percent in published else "" for percent in means]
            yield f"| published {kind}-F1 | " + " | ".join(cells) + " |"


# ---- speed -------------------------------------------------------------------------------------

# Each side is a program that reads edges into networkx, trains once on a small graph (which compiles, or imports what
# is imported late), and then tells the seconds of walks and of training.
SIDES = {
    "firth": """
from firth import Graph, Word2Vec
def made(graph):
    began = time.perf_counter()
    with Graph.from_networkx(graph).walks(num_walks=N, walk_length=L, p=P, q=Q, workers=W) as walks:
        walked = time.perf_counter()
        Word2Vec(vector_size=128, window=10, min_count=1, epochs=1, workers=W).fit(walks, progress=False).vectors
    return walked - began, time.perf_counter() - walked
""",
    "node2vec": """
from node2vec import Node2Vec
def made(graph):
    began = time.perf_counter()
    model = Node2Vec(graph, dimensions=128, walk_length=L, num_walks=N, p=P, q=Q, workers=W, quiet=True)
    walked = time.perf_counter()
    model.fit(window=10, min_count=1, epochs=1)
    return walked - began, time.perf_counter() - walked
""",
}
PROGRAM = """
import json, sys, time
import networkx
{side}
def read(path):
    with open(path) as lines:
        return networkx.Graph(tuple(line.split()) for line in lines)
path, N, L, P, Q, W = json.loads(sys.argv[1])
if __name__ == "__main__":
    made(networkx.karate_club_graph())
    print(json.dumps(made(read(path))))
"""


def speed(graphs: list[str], walks: int, rounds: int, workers: int) -> None:
    print(f"{machine()}; {workers} workers, {walks} walks of 80 nodes from each node; medians of {rounds} rounds")
    print("| graph | p, q | side | walks | training | both |\n|---|---|---|---|---|---|")
    for name in graphs:
        for p, q in ((1, 1), (0.25, 0.25)):
            given = json.dumps([str(folder() / f"{name}.edges.tsv"), walks, 80, p, q, workers])
            seconds: dict[str, list[list[float]]] = defaultdict(list)
            for _ in range(rounds):
                for side, text in SIDES.items():
                    command = [sys.executable, "-c", PROGRAM.format(side=text), given]
                    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
                    seconds[side].append(json.loads(done.stdout.splitlines()[-1]))
            both = {side: median(map(sum, each)) for side, each in seconds.items()}
            for side, each in seconds.items():
                cells = [*(f"{median(column):.2f} s" for column in zip(*each, strict=True)), f"{both[side]:.2f} s"]
                print(f"| {name} | {p}, {q} | {side} | " + " | ".join(cells) + " |")
            print(f"| | | ratio | | | {both['node2vec'] / both['firth']:.1f} |", flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=("quality", "speed"))
    parser.add_argument("--graphs", nargs="+", default=["cora", "blogcatalog"])
    parser.add_argument("--methods", nargs="+", default=["deepwalk", "node2vec"], choices=[*METHODS])
    parser.add_argument("--trainers", nargs="+", default=["firth"], choices=[*NOISE, "gensim"], help="of the walks")
    parser.add_argument("--alpha", type=float, help="the rate that training starts from, instead of the method's")
    parser.add_argument("--percents", nargs="+", type=int, default=[*PERCENTS], help="of the nodes, to learn from")
    parser.add_argument("--splits", type=int, default=10, help="of the nodes, to take the mean over")
    parser.add_argument("--seeds", type=int, default=1, help="trainings to take the mean over")
    parser.add_argument("--walks", type=int, default=10, help="speed: walks from each node")
    parser.add_argument("--rounds", type=int, default=3, help="speed: turns of each side")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path, help="quality: write what was measured to this file")
    return parser.parse_args()


if __name__ == "__main__":
    given = arguments()
    if given.what == "quality":
        quality(given)
    else:
        speed(given.graphs, given.walks, given.rounds, given.workers)
