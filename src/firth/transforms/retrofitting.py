"""Words drawn to their neighbours in a lexicon (Faruqui et al. 2015)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from firth.errors import BadOption
from firth.options import RetrofitOptions
from firth.vectors import WordVectors, word_vectors
from firth.vectors.given import several


def retrofitted(vectors: WordVectors, lexicon: Mapping[str, Iterable[str]], **options: Any) -> WordVectors:
    """The same words, those of a lexicon drawn to their neighbours there.

    The arguments after `lexicon` are those of `RetrofitOptions`. With q̂ the vectors given, and n neighbours j of word i
    that have vectors, each iteration goes through the words in the order of the rows and sets

        q_i = (α q̂_i + β / n Σ_j q_j) / (α + β)

    by the newest q_j (eq. 2 of the paper; with α = β = 1 and 10 iterations, the authors' program). A word has the
    neighbours that its own entry names; for relations both ways, let the lexicon name both. Words not known, a word
    named twice, and a word named as its own neighbour do not count. Sums are float64; all other rows stay as they are.
    N-grams are left out: they know nothing of the lexicon.

    Raises `BadOption` for options out of range, what is no lexicon, and one in which no known word has a known
    neighbour.
    """
    asked = RetrofitOptions.from_dict(options)
    if not isinstance(lexicon, Mapping):
        raise BadOption(
            f"lexicon must be a mapping of words to neighbours, got {type(lexicon).__name__}; see read_lexicon"
        )
    assert word_vectors(vectors).norms is not None  # measured, and so finite
    neighbours = known_neighbours(vectors, lexicon)
    if not neighbours:
        raise BadOption(
            f"no word of the lexicon ({len(lexicon):,} entries) has a vector and a neighbour that has one; check case "
            "and encoding"
        )
    own = vectors.rows.decoded(slice(None))
    new = np.array(own, np.float32)  # a copy
    share = asked.beta / (asked.alpha + asked.beta)
    for _ in range(asked.iterations):
        for row, others in neighbours:
            mean = new[others].mean(axis=0, dtype=np.float64)
            new[row] = (1 - share) * own[row].astype(np.float64) + share * mean
    return WordVectors(vectors.words, new, vectors.counts, check=False)


def known_neighbours(vectors: WordVectors, lexicon: Mapping[str, Iterable[str]]) -> list[tuple[int, list[int]]]:
    """The row of each word that has neighbours, and theirs, in the order of the rows."""
    found = []
    for word, named in lexicon.items():
        if word in vectors:
            others = {
                each for each in several(f"the neighbours of {word!r}", named) if each in vectors and each != word
            }
            if others:
                found.append((vectors.index(word), sorted(map(vectors.index, others))))
    return sorted(found)
