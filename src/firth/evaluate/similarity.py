"""Similarity and relatedness: do cosines of pairs of words agree with people's scores?

Sets are lines of two words and a score, divided by tabs, semicolons, commas or spaces, quoted as in CSV or not; a
header and # comments are skipped. Of several numbers in a line the first counts; some sets put a part of speech before
it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from firth.evaluate.known import UNKNOWN, KnownWords
from firth.evaluate.lines import empty_set, fields_of, lines_of, malformed, set_name
from firth.evaluate.resampling import (
    Numbers,
    correlation,
    correlation_intervals,
    pearson,
    spearman,
    why_no_correlation,
)
from firth.evaluate.results import Measure, Result
from firth.options import EvaluationOptions

if TYPE_CHECKING:
    from firth.storage import AnyPath

RULE = "two words and a score"
WAYS = {"spearman": spearman, "pearson": pearson}


@dataclass(frozen=True, kw_only=True)
class SimilarityResult(Result):
    """How well cosines agree with people's scores: Spearman's and Pearson's correlation."""

    kind: ClassVar[str] = "similarity"
    unit: ClassVar[str] = "pairs"

    @property
    def pairs(self) -> int:
        """How many pairs are in the set."""
        return self.items

    @property
    def spearman(self) -> float | None:
        """Spearman's ρ, None where it cannot be told."""
        return self.measure("spearman").value

    @property
    def pearson(self) -> float | None:
        """Pearson's r, None where it cannot be told."""
        return self.measure("pearson").value


@dataclass(frozen=True)
class SimilaritySet:
    """n pairs of words, and what people think of each."""

    name: str
    pairs: tuple[tuple[str, str], ...]
    scores: Numbers

    @classmethod
    def read(cls, path: AnyPath, encoding: str = "utf-8") -> SimilaritySet:
        """The set in a file; raises `MissingFile`, and `BadFile` for a line that is none of it."""
        lines = lines_of(path, encoding)
        if _scored(lines[0][1]) is None and len(fields_of(lines[0][1])) >= 3:  # a header
            del lines[0]
        if not lines:
            raise empty_set(path, "a header")
        found = [_scored(text) for _, text in lines]
        if not all(found):
            raise malformed(path, *lines[found.index(None)], RULE)
        first, second, scores = zip(*filter(None, found), strict=True)
        return cls(set_name(path), tuple(zip(first, second, strict=True)), np.array(scores, np.float64))

    def called(self, name: str) -> SimilaritySet:
        """The same set under another name."""
        return replace(self, name=name)

    def judge(self, known: KnownWords) -> SimilarityResult:
        """How well the cosines of a model agree with the scores."""
        rows = known.rows(chain.from_iterable(self.pairs)).reshape(-1, 2)
        told = (rows != UNKNOWN).all(axis=1)
        # Of a set without any known pair, there is nothing to count as wrong beside.
        cosines = np.full(len(rows), 0.0 if known.options.unknown == "wrong" and told.any() else np.nan)
        cosines[told] = known.cosines(*rows[told].T)
        return SimilarityResult(
            name=self.name,
            items=len(rows),
            known=int(told.sum()),
            measures=correlations(cosines, self.scores, known.options),
            remarks=known.remarks(rows[told].ravel()),
            outcomes={"cosines": cosines, "scores": self.scores},
        )


def correlations(cosines: Numbers, scores: Numbers, options: EvaluationOptions) -> tuple[Measure, ...]:
    """The measures of cosines and scores (n,), NaN where a cosine does not count."""
    known = ~np.isnan(cosines)
    x, y = cosines[known], scores[known]
    reason = why_no_correlation(x, y, len(scores))
    if reason:
        return tuple(Measure(name=name, value=None, reason=reason) for name in WAYS)
    between = correlation_intervals(WAYS, x, y, options.resamples, options.seed)
    return tuple(Measure.of(name, correlation(way, x, y), between[name]) for name, way in WAYS.items())


def _scored(text: str) -> tuple[str, str, float] | None:
    """The two words and the score of a line, or None."""
    first, tab, others = text.partition("\t")
    second, _, number = others.partition("\t")
    if tab and "\t" not in number and '"' not in text:  # most sets: no need to look further
        a, b = first.strip(), second.strip()
        try:
            score = float(number)
        except ValueError:
            pass
        else:
            return (a, b, score) if a and b and math.isfinite(score) else None
    fields = fields_of(text)
    found = score_in(fields)
    return None if found is None else (fields[0], fields[1], found)


def score_in(fields: list[str]) -> float | None:
    """The first number behind the two words, or None."""
    if len(fields) < 3 or not fields[0] or not fields[1]:
        return None
    for field in fields[2:]:
        try:
            score = float(field.replace(",", "."))
        except ValueError:
            continue
        return score if math.isfinite(score) else None
    return None
