"""Item vectors against popularity and co-occurrence: is the film that a viewer came to next among the first ten?

    FIRTH_CORPORA=... python benchmarks/items.py
    FIRTH_CORPORA=... python benchmarks/items.py --whole     # every item of viewers none of whose films were trained on
    FIRTH_CORPORA=... python benchmarks/items.py --sweep window sample     # one option at a time

takes MovieLens's sessions (items/movies.txt under FIRTH_CORPORA: a viewer a line, films in the order of time), leaves
the last film of each out of training, and predicts it from those before it. A sweep leaves that one out altogether and
predicts the last but one, so that options are not chosen by what they are then judged by. Figures are means over seeds,
intervals the 95 % ones of the first seed's hit rate.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from material import corpora_folder, machine

from firth import EncodedCorpus, Word2Vec, encoded_corpus, evaluate_next_items, hold_out_sessions, leave_last_out
from firth.evaluate import HeldOut, NextItemResult
from firth.evaluate.results import told

SESSIONS = Path("items") / "movies.txt"
# What served best of what --sweep tries.
CHOSEN: dict[str, Any] = {"window": 5, "epochs": 30, "ns_exponent": 0.0, "min_count": 1, "vector_size": 100}
SWEEP: dict[str, Sequence[Any]] = {
    "ns_exponent": (0.75, 0.5, 0.25, 0.0, -0.25, -0.5),
    "window": (2, 5, 10, 20, 50, 200),
    "dynamic_window": (True, False),
    "sample": (0.0, 1e-4, 1e-3),
    "epochs": (5, 10, 30, 60, 100),
    "alpha": (0.025, 0.05),
    "vector_size": (16, 32, 64, 100, 200),
    "negative": (5, 10, 20),
    "noise": ("window", "pair"),
    "architecture": ("skipgram", "cbow"),
    "min_count": (1, 2, 5),
}
HISTORIES = (1, 3, 5, 10, "all")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Judge item vectors by next items of MovieLens's sessions.")
    parser.add_argument("--sessions", type=Path, help="a session per line; else items/movies.txt under FIRTH_CORPORA")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3, 4, 5])
    parser.add_argument("--sweep", nargs="+", choices=SWEEP, default=[], help="vary one of these options at a time")
    parser.add_argument("--whole", action="store_true", help="hold out one session in ten, and ask for all its items")
    return parser.parse_args()


def sessions(given: Path | None) -> list[list[str]]:
    """The sessions in the file given, else in MovieLens's."""
    folder = corpora_folder()
    path = given or (folder / SESSIONS if folder else None)
    if path is None or not path.is_file():
        raise SystemExit(f"no sessions: give --sessions FILE, or set FIRTH_CORPORA to a folder that holds {SESSIONS}")
    return [line.split() for line in path.read_text(encoding="utf-8").splitlines()]


def trained(corpus: EncodedCorpus, seeds: Sequence[int], **options: Any) -> dict[str, Word2Vec]:
    """A model for each seed."""
    return {f"seed {seed}": Word2Vec(seed=seed, workers=1, **options).fit(corpus, progress=False) for seed in seeds}


def results(report: Any) -> dict[str, NextItemResult]:
    """The results of a report, by the model's name."""
    return dict(zip(report.names, report.results[0], strict=True))


def cells(found: Sequence[NextItemResult]) -> str:
    """Means over seeds, and the interval of the first one's hit rate, in per cent."""
    hits, mrr, ndcg = (100 * mean(each.measures[place].value or float("nan") for each in found) for place in range(3))
    first = found[0].measures[0]
    return f"{hits:.1f} | {told(first.low or 0.0, True)} to {told(first.high or 0.0, True)} | {mrr:.2f} | {ndcg:.2f}"


def compared(parts: HeldOut[str], corpus: EncodedCorpus, seeds: Sequence[int], positions: str) -> Iterator[str]:
    """The chosen options, in both directions, beside the baselines, by how much of the session they look at."""
    models = trained(corpus, seeds, **CHOSEN)
    yield "| predicted by | history | hit rate@10 | interval | MRR@10 | NDCG@10 |\n|---|---|---:|---:|---:|---:|"
    vectors = {name: each.vectors for name, each in models.items()}
    for history in HISTORIES:
        asked: dict[str, Any] = {"history": history, "positions": positions}
        predicted = results(evaluate_next_items(models, parts.held_out, trained_on=parts.train, **asked))
        similar = results(evaluate_next_items(vectors, parts.held_out, scores="similar", **asked))
        near = results(evaluate_next_items(models, parts.held_out, trained_on=parts.train, together=5, **asked))
        rows = {
            "item vectors, output against input": [predicted[name] for name in models],
            "item vectors, cosines of input": [similar[name] for name in models],
            "co-occurrence in a session": [predicted["co-occurrence"]],
            "co-occurrence within 5": [near["co-occurrence"]],
            "popularity": [predicted["popularity"]],
        }
        for name, found in rows.items():
            yield f"| {name} | {history} | {cells(found)} |"


def swept(parts: HeldOut[str], corpus: EncodedCorpus, seeds: Sequence[int], options: Sequence[str]) -> Iterator[str]:
    """Each of the options varied, the others as chosen."""
    yield "| option | value | hit rate@10 | interval | MRR@10 | NDCG@10 |\n|---|---|---:|---:|---:|---:|"
    for option in options:
        for value in SWEEP[option]:
            models = trained(corpus, seeds, **(CHOSEN | {option: value}))
            found = results(evaluate_next_items(models, parts.held_out))
            yield f"| {option} | {value} | {cells(list(found.values()))} |"


def main() -> None:
    given = arguments()
    found = sessions(given.sessions)
    parts = hold_out_sessions(found, 0.1, seed=1) if given.whole else leave_last_out(found)
    if given.sweep:
        parts = leave_last_out(leave_last_out(found).train)
    with encoded_corpus(parts.train) as corpus:
        items = f"{len(parts.held_out):,} sessions, {corpus.total_tokens:,} items of {len(corpus.words):,} kinds"
        print(f"{machine()}; {items}; {len(given.seeds)} seeds; {CHOSEN}\n")
        if given.sweep:
            lines = swept(parts, corpus, given.seeds, given.sweep)
        else:
            lines = compared(parts, corpus, given.seeds, "all" if given.whole else "last")
        for line in lines:
            print(line, flush=True)


if __name__ == "__main__":
    main()
