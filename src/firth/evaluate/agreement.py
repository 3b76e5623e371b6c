"""How stable neighbours are: what models that differ in nothing but their seed agree on.

The k nearest words of a word in one model and in another overlap by some share; its mean over words and pairs of models
is the stability (Wendlandt, Kummerfeld & Mihalcea 2018; Antoniak & Mimno 2018). A neighbour that another seed would not
give says little about the text.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.errors import BadOption, counted
from firth.evaluate.resampling import Numbers, mean_interval
from firth.evaluate.results import Measure
from firth.options import EvaluationOptions, whole
from firth.vectors import word_vectors

if TYPE_CHECKING:
    from firth.vectors import WordVectors

MOST_WORDS = 1000  # the most frequent ones are asked: a second's work, and its interval is narrow
USUAL_NEIGHBOURS = 10


@dataclass(frozen=True, kw_only=True)
class StabilityResult:
    """The share of the `topn` nearest words that two models have in common, on average over `words` words.

    `overlap` is over all pairs of models, `pairs` names two each with theirs.
    """

    models: tuple[str, ...]
    words: int
    topn: int
    overlap: Measure
    pairs: tuple[tuple[str, str, float], ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self) | {
            "overlap": self.overlap.as_dict(),
            "pairs": [{"first": a, "second": b, "overlap": value} for a, b, value in self.pairs],
        }

    def __str__(self) -> str:
        models, words = len(self.models), counted(self.words, "word")
        return f"of {self.topn} neighbours, {models} models have {self.overlap} in common, over {words}"


def stability(
    models: Mapping[str, WordVectors], topn: int = USUAL_NEIGHBOURS, *, most: int = MOST_WORDS, **options: Any
) -> StabilityResult:
    """How far models agree on the `topn` nearest words, of the `most` most frequent words that all of them have.

    Only words that all models have are neighbours. `options` are those of `EvaluationOptions`.

    Raises:
        BadOption: what are no vectors with names, fewer than two models, no more words in common than `topn`, or an
            option out of range.
    """
    chosen = EvaluationOptions(**options)
    whole("most", most, at_least=1)
    if not isinstance(models, Mapping):
        raise BadOption(f"models must be a mapping of names to vectors, got {type(models).__name__}; give each a name")
    models = {name: word_vectors(each) for name, each in models.items()}
    if len(models) < 2:
        raise BadOption(f"stability is that of two models or more, got {len(models)}; give models of other seeds")
    common = common_words(models)
    if len(common) <= whole("topn", topn, at_least=1):
        raise BadOption(
            f"the models have {len(common)} words in common, which are no {topn} neighbours for each; lower topn"
        )
    asked = common[:most]
    found = []
    for vectors in models.values():
        cut = vectors if vectors.words == tuple(common) else vectors.selected(common)
        neighbours = cut.most_similar_batch(asked, topn, threads=chosen.cores)
        found.append([{word for word, _ in each} for each in neighbours])
    shares: dict[tuple[str, str], Numbers] = {
        (first, second): np.array([len(a & b) / topn for a, b in zip(some, others, strict=True)])
        for (first, some), (second, others) in itertools.combinations(zip(models, found, strict=True), 2)
    }
    of_words = np.mean(list(shares.values()), axis=0)
    between = mean_interval(of_words, chosen.resamples, chosen.seed)
    return StabilityResult(
        models=tuple(models),
        words=len(asked),
        topn=topn,
        overlap=Measure.of("overlap", float(of_words.mean()), between, share=True),
        pairs=tuple((*names, float(each.mean())) for names, each in shares.items()),
    )


def common_words(models: Mapping[str, WordVectors]) -> list[str]:
    """The words that all models have, in the order of the first; `BadOption` where there are none."""
    first, *others = models.values()
    common = [word for word in first if all(word in each for each in others)]
    if not common:
        raise BadOption(
            f"the models {', '.join(models)} have no word in common, so that nothing compares them; look at their "
            "words with firth inspect"
        )
    return common
