"""Whether firth's queries give gensim's numbers: `python benchmarks/agreement.py [FILE]`, vectors of any known format.

Without a file, vectors are made up. Each query is asked of both libraries over random words; the largest difference
of scores is printed, and how many answers name other words (neighbours whose scores are equal in float32 may swap).
Where firth differs on purpose, it is asked in the way that should agree.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from gensim.models import KeyedVectors

from firth import WordVectors

ROUNDS = 50
DOCUMENT = 12  # words
Ask = Callable[[list[str]], tuple[Any, Any]]


def questions(ours: WordVectors, theirs: KeyedVectors) -> Iterator[tuple[str, Ask]]:
    """The name of each query, and what both libraries say to it, given some words."""
    both: dict[str, Ask] = {
        "most_similar": lambda w: (ours.most_similar(w[0]), theirs.most_similar(w[0])),
        "most_similar, of several": lambda w: (
            ours.most_similar(w[:3], w[3:5]),
            theirs.most_similar(w[:3], w[3:5]),
        ),
        "most_similar, weighted": lambda w: (
            ours.most_similar([(w[0], 2.0), w[1]], [(w[2], -0.5)]),
            theirs.most_similar([(w[0], 2.0), w[1]], [(w[2], -0.5)]),
        ),
        "most_similar, of a range": lambda w: (
            ours.most_similar(w[0], restrict=range(100, 900)),
            theirs.most_similar(w[0], clip_start=100, clip_end=900),
        ),
        "most_similar_cosmul": lambda w: (
            ours.most_similar_cosmul(w[:2], w[2:4]),
            theirs.most_similar_cosmul(w[:2], w[2:4]),
        ),
        "analogy, multiplied": lambda w: (
            ours.analogy(w[2], w[0], w[1], method="mul"),
            theirs.most_similar_cosmul(w[:2], [w[2]]),
        ),
        "similar_by_vector": lambda w: (
            ours.similar_by_vector(ours[w[0]]),
            theirs.similar_by_vector(theirs[w[0]]),
        ),
        "similarity": lambda w: (ours.similarity(*w[:2]), theirs.similarity(*w[:2])),
        "distances": lambda w: (ours.distances(w[0], w[1:]), theirs.distances(w[0], w[1:])),
        "distances, to all": lambda w: (ours.distances(w[0]), theirs.distances(w[0])),
        "rank": lambda w: (ours.rank(*w[:2]), theirs.rank(*w[:2])),
        "closer_than": lambda w: (len(ours.closer_than(*w[:2])), len(theirs.closer_than(*w[:2]))),
        "n_similarity": lambda w: (ours.n_similarity(w[:3], w[3:]), theirs.n_similarity(w[:3], w[3:])),
        "mean_vector": lambda w: (
            ours.mean_vector([*w, "_missing_"], np.arange(len(w) + 1) - 2.0),
            theirs.get_mean_vector([*w, "_missing_"], np.arange(len(w) + 1) - 2.0),
        ),
        "mean_vector, at its length": lambda w: (
            ours.mean_vector(w, pre_normalize=False, post_normalize=True),
            theirs.get_mean_vector(w, pre_normalize=False, post_normalize=True),
        ),
        "rank_by_centrality": lambda w: (
            ours.rank_by_centrality(w),
            [(word, score) for score, word in theirs.rank_by_centrality(w)],
        ),
        "doesnt_match": lambda w: (ours.doesnt_match(w[:5]) == theirs.doesnt_match(w[:5]), True),
        "most_similar_to_given": lambda w: (
            ours.most_similar_to_given(w[0], w[1:]) == theirs.most_similar_to_given(w[0], w[1:]),
            True,
        ),
        "relative_cosine_similarity": lambda w: (
            ours.relative_cosine_similarity(*w[:2]),
            theirs.relative_cosine_similarity(*w[:2]),
        ),
        "wmdistance": lambda w: (
            ours.wmdistance([*w[:7], w[0], "_missing_"], w[5:]),
            theirs.wmdistance([*w[:7], w[0], "_missing_"], w[5:]),
        ),
        "wmdistance, at their length": lambda w: (
            ours.wmdistance(w[:7], w[5:], norm=False),
            theirs.wmdistance(w[:7], w[5:], norm=False),
        ),
    }
    yield from both.items()


def compared(ours: Any, theirs: Any) -> tuple[float, int]:
    """The largest difference of numbers, and how many words stand in other places."""
    if isinstance(ours, list):
        others = sum(a[0] != b[0] for a, b in zip(ours, theirs, strict=True))
        return max((abs(a[1] - b[1]) for a, b in zip(ours, theirs, strict=True)), default=0.0), others
    return float(np.abs(np.asarray(ours, np.float64) - np.asarray(theirs, np.float64)).max()), 0


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare the numbers of firth's queries with gensim's.")
    parser.add_argument("file", nargs="?", help="vectors in any known format")
    parser.add_argument("--seed", type=int, default=1, help="the words asked for follow from this number")
    options = parser.parse_args()
    generator = np.random.default_rng(options.seed)
    if options.file:
        ours = WordVectors.load(options.file)
    else:
        made = generator.standard_normal((3000, 100), np.float32) + 0.3
        ours = WordVectors([f"w{row}" for row in range(3000)], made)
    theirs = KeyedVectors(ours.vector_size)
    theirs.add_vectors(list(ours.words), ours.matrix)
    for name, ask in questions(ours, theirs):
        largest, others = 0.0, 0
        for _ in range(ROUNDS):
            words = [ours.words[row] for row in generator.choice(len(ours), DOCUMENT, replace=False)]
            difference, moved = compared(*ask(words))
            largest, others = max(largest, difference), others + moved
        print(f"{name:32} {largest:10.2e}  {others} words in other places")


if __name__ == "__main__":
    main()
