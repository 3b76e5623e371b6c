"""Programs of others, written for gensim: as they are, and with firth.gensim in gensim's place in their imports.

    pip install networkx pandas scikit-learn POT
    pip install --no-deps node2vec==0.5.0 tqdm joblib
    pip install --no-deps spec2vec==0.9.1 matchms==0.31.0 rdkit lxml pickydict pubchempy pyteomics sparsestack \
        deprecated wrapt pyyaml
    pip install --no-deps wefe==1.0.1 semantic_version plotly narwhals requests
    python benchmarks/downstream.py [PROGRAM ...] [--rounds 3]

(They pin older releases of NumPy or pandas than they need, or, as spec2vec, work only with an older one of matchms:
hence --no-deps, best in a virtual environment of their own. A program that is not installed is passed over and named.)

Each program is taken from its installed package when it runs; `exchanged.py` alters its import statements and nothing
else. Both sides run in turn, each in a fresh process and on the same input, made up from a seed, or a graph under
FIRTH_CORPORA. What comes out is compared in kind (types, shapes, dtypes, keys), and the script fails where that
differs; a measure of quality stands beside it. Seconds are those of what a user of the program waits for, without
imports, and, within them, those that gensim's classes take.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import importlib
import importlib.metadata
import importlib.util
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from exchanged import exchange_imports, ours
from material import corpora_folder, machine

SIDES = ("gensim", "firth")
WORKERS = 2


@dataclass
class Run:
    """What one run of a program came to; `kind` must be the same on both sides, as must `exact`, but for rounding."""

    kind: dict[str, Any] = field(default_factory=dict)
    exact: dict[str, float] = field(default_factory=dict)
    quality: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    inside: float = 0.0  # of these, gensim's classes, or firth's
    imports: list[str] = field(default_factory=list)


class Watch:
    """Tells how long a program took, and how much of it in the functions watched."""

    def __init__(self) -> None:
        self.seconds = self.inside = 0.0

    @contextlib.contextmanager
    def program(self) -> Iterator[None]:
        """The program, under way."""
        began = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - began

    def watch(self, owner: Any, name: str) -> None:
        """Count the time spent in a function of `owner`'s from now on."""
        function = getattr(owner, name)

        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            began = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self.inside += time.perf_counter() - began

        setattr(owner, name, timed)


# ---- node2vec: vectors of a graph's nodes, from random walks --------------------------------------------


def graph() -> tuple[str, list[tuple[str, str]], dict[str, str]]:
    """A graph's name, its edges and its nodes' labels: Cora under FIRTH_CORPORA, else blocks, made up."""
    folder = corpora_folder()
    edges, labels = ((folder or Path()) / "graphs" / f"cora.{name}.tsv" for name in ("edges", "labels"))
    if folder is not None and edges.is_file():
        pairs = [line.split()[:2] for line in edges.read_text().splitlines() if line and not line.startswith("#")]
        named = dict(line.split()[:2] for line in labels.read_text().splitlines() if line and not line.startswith("#"))
        return "Cora", [(a, b) for a, b in pairs], named
    import networkx as nx

    made = nx.planted_partition_graph(20, 50, 0.12, 0.004, seed=1)
    return "blocks", [(str(a), str(b)) for a, b in made.edges], {str(node): str(node // 50) for node in made.nodes}


def run_node2vec(side: str) -> Run:  # noqa: ARG001
    """Walks, vectors, nearest nodes, edges as products of nodes' vectors, word2vec's file; nodes classified."""
    import networkx as nx
    import node2vec
    from node2vec.edges import HadamardEmbedder
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split

    module = sys.modules["node2vec.node2vec"]
    name, edges, labels = graph()
    watch = Watch()
    watch.watch(module.gensim.models, "Word2Vec")
    with watch.program():
        nodes = node2vec.Node2Vec(
            nx.Graph(edges), dimensions=128, walk_length=40, num_walks=5, workers=WORKERS, quiet=True, seed=1
        )
        model = nodes.fit(window=10, min_count=1, batch_words=4)
    few = nx.Graph(edges[:40])
    node, other = edges[0]
    products = HadamardEmbedder(model.wv, quiet=True)
    of_few = HadamardEmbedder(model.wv.vectors_for_all(sorted(few.nodes)), quiet=True).as_keyed_vectors()
    with tempfile.TemporaryDirectory() as folder:
        model.wv.save_word2vec_format(f"{folder}/nodes.txt")
        header = Path(f"{folder}/nodes.txt").read_text().splitlines()[0]
    known = [each for each in labels if each in model.wv]
    X, y = model.wv[known], [labels[each] for each in known]
    scores = []
    for seed in range(5):
        train_X, test_X, train_y, test_y = train_test_split(X, y, test_size=0.5, random_state=seed, stratify=y)
        scores.append(LogisticRegression(max_iter=1000).fit(train_X, train_y).score(test_X, test_y))
    return Run(
        kind={
            "graph": name,
            "model": type(model).__name__,
            "vectors": described(model.wv.vectors),
            "keys": sorted(model.wv.key_to_index) == sorted(nx.Graph(edges).nodes),
            "most_similar": described(model.wv.most_similar(node)),
            "edge": described(products[(node, other)]),
            "edges": (type(of_few).__name__, len(of_few), described(of_few.most_similar(of_few.index_to_key[0]))),
            "file": header,
        },
        quality={"nodes classified right, %": 100 * statistics.mean(scores)},
        seconds=watch.seconds,
        inside=watch.inside,
    )


# ---- spec2vec: likeness of mass spectra, their peaks taken for words ---------------------------------------


def spectra(families: int = 100, each: int = 20, own: int = 6, noise: int = 34) -> tuple[list[Any], list[int]]:
    """Made-up spectra and the family of each: some of a spectrum's peaks are its family's own, the others noise."""
    from matchms import Spectrum

    draw = np.random.default_rng(1)
    places = np.round(np.linspace(50, 950, 9_000), 2)
    made, family = [], []
    for number in range(families):
        shared = draw.choice(places, 3 * own, replace=False)
        for _ in range(each):
            some = {*draw.choice(shared, own, replace=False), *draw.choice(places, noise, replace=False)}
            mz = np.array(sorted(some))
            made.append(Spectrum(mz=mz, intensities=draw.uniform(0.1, 1, len(mz)), metadata={"id": str(len(made))}))
            family.append(number)
    order = draw.permutation(len(made))
    return [made[place] for place in order], [family[place] for place in order]


def run_spec2vec(side: str) -> Run:  # noqa: ARG001
    """A model of spectra, watched by its callbacks and saved by them; each spectrum's nearest other one."""
    import spec2vec
    from spec2vec import model_building

    made, family = spectra()
    watch = Watch()
    watch.watch(model_building.gensim.models, "Word2Vec")
    with tempfile.TemporaryDirectory() as folder, watch.program():
        documents = [spec2vec.SpectrumDocument(each, n_decimals=2) for each in made]
        model = model_building.train_new_word2vec_model(
            documents, iterations=[5, 15], filename=f"{folder}/spectra.model", workers=WORKERS, progress_logger=True
        )
        likeness = spec2vec.Spec2Vec(model=model, intensity_weighting_power=0.5, allowed_missing_percentage=50)
        matrix = likeness.matrix(documents, documents, is_symmetric=True)
        files = sorted(path.name for path in Path(folder).iterdir())
    np.fill_diagonal(matrix, -1)
    right = [family[row] == family[nearest] for row, nearest in enumerate(matrix.argmax(axis=1))]
    return Run(
        kind={
            "model": type(model).__name__,
            "vectors": described(model.wv.vectors),
            "keys": sorted(model.wv.key_to_index) == sorted({word for each in documents for word in each.words}),
            "matrix": described(matrix),
            "loss": model.get_latest_training_loss() > 0,
            "files": files,
        },
        quality={"nearest spectrum of the same family, %": 100 * statistics.mean(right)},
        seconds=watch.seconds,
        inside=watch.inside,
    )


# ---- wefe: bias in word vectors ------------------------------------------------------------------------------


def run_wefe(side: str) -> Run:
    """Vectors from word2vec's binary format, a test of association on them: the same numbers on both sides."""
    from wefe.metrics import WEAT
    from wefe.query import Query
    from wefe.word_embedding_model import WordEmbeddingModel

    models = importlib.import_module("gensim.models" if side == "gensim" else ours("gensim.models"))
    V, D = 200_000, 100
    vectors = np.random.default_rng(1).standard_normal((V, D), np.float32)
    watch = Watch()
    watch.watch(models.KeyedVectors, "load_word2vec_format")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vectors.bin"
        with path.open("wb") as file:
            file.write(f"{V} {D}\n".encode())
            file.writelines(f"w{row} ".encode() + vectors[row].tobytes() for row in range(V))
        sets = [[f"w{row}" for row in range(first, first + 20)] for first in (0, 20, 40, 60)]
        with watch.program():
            model = WordEmbeddingModel(models.KeyedVectors.load_word2vec_format(str(path), binary=True), "made up")
            query = Query(sets[:2], sets[2:], ["a", "b"], ["c", "d"])
            weat = WEAT().run_query(query, model)
    return Run(
        kind={"model": type(model.wv).__name__, "words": len(model), "weat": sorted(weat)},
        exact={"WEAT": float(weat["weat"]), "effect size": float(weat["effect_size"])},
        seconds=watch.seconds,
        inside=watch.inside,
    )


# ---- both sides, in turn -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Program:
    """A package that imports gensim, and what is run of it."""

    package: str
    run: Callable[[str], Run]
    asks: str  # what the seconds inside gensim's classes are


PROGRAMS = {
    "node2vec": Program("node2vec", run_node2vec, "training"),
    "spec2vec": Program("spec2vec", run_spec2vec, "training"),
    "wefe": Program("wefe", run_wefe, "loading"),
}


def described(value: Any) -> str:
    """The type of a value and of what it holds: arrays' shape and dtype, lists' length and first item."""
    if isinstance(value, np.ndarray):
        return f"{type(value).__name__} {value.shape} {value.dtype}"
    if isinstance(value, (list, tuple)):
        inner = described(value[0]) if isinstance(value, list) else ", ".join(map(described, value))
        return f"{type(value).__name__} of {len(value)}: {inner}"
    return type(value).__name__


def run_one(name: str, side: str) -> Run:
    """Run a program in this process."""
    random.seed(1)
    np.random.seed(1)
    exchange = exchange_imports(PROGRAMS[name].package) if side == "firth" else None
    run = PROGRAMS[name].run(side)
    if exchange is not None:
        run.imports = [*exchange.exchanged, *(f"left: {each}" for each in exchange.left)]
    return run


def run_apart(name: str, side: str) -> Run:
    """Run a program in a fresh process, and wait for it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.json"
        command = [sys.executable, "-W", "ignore", __file__, name, "--side", side, "--json", str(path)]
        environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        if done.returncode:
            raise SystemExit(f"{name} with {side} failed:\n{done.stderr}")
        return Run(**json.loads(path.read_text()))


def compare(name: str, rounds: int) -> bool:
    """Run both sides in turn and print what came of it; whether both gave the same kind of result."""
    program = PROGRAMS[name]
    print(f"{name} {importlib.metadata.version(program.package)}")
    run_apart(name, "firth")  # which compiles what is not yet compiled
    runs: dict[str, list[Run]] = {side: [] for side in SIDES}
    for number in range(rounds):
        for side in SIDES if number % 2 == 0 else SIDES[::-1]:
            runs[side].append(run_apart(name, side))
    for line in runs["firth"][0].imports:
        print(f"  {line}")
    first, other = runs["gensim"][0], runs["firth"][0]
    alike = first.kind == other.kind and first.exact.keys() == other.exact.keys()
    alike = alike and all(np.isclose(first.exact[each], other.exact[each], rtol=1e-4) for each in first.exact)
    print(f"  {'the same' if alike else 'NOT THE SAME'} kind of result: {other.kind}")
    if not alike:
        print(f"  gensim's: {first.kind}, {first.exact}; firth's: {other.exact}")
    for each in (*first.exact, *first.quality):
        told = [statistics.mean([(run.exact | run.quality)[each] for run in runs[side]]) for side in SIDES]
        print(f"  {each}: gensim {told[0]:.4g}, firth {told[1]:.4g}")
    for what, of in (("in all", lambda run: run.seconds), (program.asks, lambda run: run.inside)):
        seconds = [[of(run) for run in runs[side]] for side in SIDES]
        ratio = statistics.median(a / b for a, b in zip(*seconds, strict=True))
        middle = [statistics.median(each) for each in seconds]
        print(f"  seconds {what}: gensim {middle[0]:.2f}, firth {middle[1]:.2f}, median ratio {ratio:.1f}")
    print()
    return alike


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="*", choices=[*PROGRAMS, []], help="all if none is given")
    parser.add_argument("--rounds", type=int, default=3, help="how often each side runs")
    parser.add_argument("--side", choices=SIDES, help="run this side alone, in this process")
    parser.add_argument("--json", type=Path, help="with --side: write what came of it here")
    arguments = parser.parse_args()
    names = arguments.programs or list(PROGRAMS)
    if arguments.side:
        run = run_one(names[0], arguments.side)
        text = json.dumps(vars(run))
        print(text) if arguments.json is None else arguments.json.write_text(text)
        return
    print(f"{machine()}; gensim {importlib.metadata.version('gensim')}; {WORKERS} workers\n")
    same = True
    for name in names:
        if importlib.util.find_spec(PROGRAMS[name].package) is None:
            print(f"{name} is not installed, and passed over; see --help\n")
            continue
        same &= compare(name, arguments.rounds)
    sys.exit(not same)


if __name__ == "__main__":
    main()
