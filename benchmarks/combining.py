"""Which vectors of a model are best for what: those of the input matrix, of the output matrix, or made of both.

    python benchmarks/combining.py --seeds 1 2 3

trains once for each architecture and seed, and judges all ways of `Word2Vec.combined_vectors` on the published sets.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

from material import ANALOGIES, SIMILARITIES, chosen_corpus, corpora_folder, machine, prepared

from firth import Word2Vec, WordVectors, evaluate_analogies, evaluate_similarity
from firth.evaluate import AnalogyResult

WAYS = ("input", "output", "average", "concatenate")  # cosines of sums are those of averages
RELATED, ALIKE = "ws353-rel.tsv", "ws353-sim.tsv"  # WS-353 in two: words that go together, words of a kind
COLUMNS = ("semantic", "syntactic", *SIMILARITIES, "WS-353 related", "WS-353 alike")
MIN_COUNT = 5


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Judge input, output and combined vectors.")
    parser.add_argument("--corpus", type=Path, help="plain text, a sentence per line, or packed; else FIRTH_CORPORA's")
    parser.add_argument("--sets", type=Path, help="folder of the evaluation sets; else eval under FIRTH_CORPORA")
    parser.add_argument("--architecture", nargs="+", default=["skipgram", "cbow"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--workers", type=int, default=1)
    return parser.parse_args()


def share(sections: Sequence[AnalogyResult]) -> float:
    """Questions answered right, in percent of those whose words are all known."""
    return 100 * sum(each.correct for each in sections) / max(1, sum(each.known for each in sections))


def judged(vectors: WordVectors, sets: Path) -> dict[str, float]:
    sections = evaluate_analogies(vectors, sets / ANALOGIES["Google"]).sections
    scores = {
        "semantic": share([each for each in sections if not each.name.startswith("gram")]),
        "syntactic": share([each for each in sections if each.name.startswith("gram")]),
    }
    files = SIMILARITIES | {"WS-353 related": RELATED, "WS-353 alike": ALIKE}
    return scores | {
        name: 100 * (evaluate_similarity(vectors, sets / file).spearman or 0.0) for name, file in files.items()
    }


def main() -> None:
    given, folder = arguments(), corpora_folder()
    sets = given.sets or (folder / "eval" if folder else None)
    if sets is None or not sets.is_dir():
        raise SystemExit("no evaluation sets: give --sets FOLDER, or set FIRTH_CORPORA to a folder that holds eval/")
    found: dict[tuple[str, str], list[dict[str, float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as work:
        text = prepared(chosen_corpus(given.corpus), Path(work) / "text.txt", None, MIN_COUNT).path
        for seed in given.seeds:
            for architecture in given.architecture:
                model = Word2Vec(architecture=architecture, epochs=given.epochs, seed=seed, workers=given.workers)
                model.fit(text)
                for way in WAYS:
                    found[architecture, way].append(judged(model.combined_vectors(way), sets))  # type: ignore[arg-type]
    print(f"{machine()}; {given.epochs} epochs, {len(given.seeds)} seeds\n")
    print("| architecture | vectors | " + " | ".join(COLUMNS) + " |\n|" + "---|" * (2 + len(COLUMNS)))
    for (architecture, way), scores in sorted(found.items(), key=lambda item: (item[0][0], WAYS.index(item[0][1]))):
        cells = [f"{mean(each[name] for each in scores):.1f}" for name in COLUMNS]
        print(f"| {architecture} | {way} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
