"""Is this model better than that one? Differences on what both know, with paired intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from firth.evaluate.resampling import (
    Numbers,
    correlation,
    correlation_difference_interval,
    why_no_correlation,
)
from firth.evaluate.results import Measure, Result, interval_of_mean, told
from firth.evaluate.similarity import WAYS
from firth.options import JudgingOptions


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What `second` scores above `first` on the `shared` items that both know, and its 95 % interval.

    `values` are both scores on these items. Where there is no difference to tell, `reason` says why.
    """

    set: str
    section: tuple[str, ...]
    measure: str
    first: str
    second: str
    shared: int
    values: tuple[float, float] | None
    difference: Measure

    @property
    def better(self) -> str | None:
        """The model that is better by more than chance lets one expect (the interval leaves 0 out), or None."""
        low, high = self.difference.low, self.difference.high
        if low is None or high is None or low <= 0 <= high:
            return None
        return self.second if low > 0 else self.first

    def __str__(self) -> str:
        value, low, high = self.difference.value, self.difference.low, self.difference.high
        if value is None:
            return "none"
        share = self.difference.share
        shown = told(value, share, sign=True) + " %" * share
        if low is None or high is None:
            return shown
        verdict = {None: "", self.second: ", better", self.first: ", worse"}[self.better]
        return f"{shown} ({told(low, share, sign=True)} to {told(high, share, sign=True)}){verdict}"

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "section": list(self.section),
            "measure": self.measure,
            "first": self.first,
            "second": self.second,
            "shared": self.shared,
            "values": None if self.values is None else list(self.values),
            "difference": self.difference.value,
            "low": self.difference.low,
            "high": self.difference.high,
            "better": self.better,
            "reason": self.difference.reason or None,
        }


def differences(names: tuple[str, str], results: tuple[Result, Result], options: JudgingOptions) -> list[Difference]:
    """The differences of two models on a set and on each of its sections, measure by measure."""
    found = []
    for (path, first), (_, second) in zip(results[0].walked(), results[1].walked(), strict=True):
        for measure in first.measures:
            if measure.name in WAYS:
                values, difference, shared = _of_correlations(measure, first, second, options)
            elif measure.name in first.outcomes:
                values, difference, shared = _of_means(measure, first, second, options)
            else:
                continue  # WEAT's effect is no score: neither more nor less of it is better
            found.append(
                Difference(
                    set=results[0].name,
                    section=path,
                    measure=measure.name,
                    first=names[0],
                    second=names[1],
                    shared=shared,
                    values=values,
                    difference=difference,
                )
            )
    return found


def _of_means(
    measure: Measure, first: Result, second: Result, options: JudgingOptions
) -> tuple[tuple[float, float] | None, Measure, int]:
    a, b, shared = _shared(first, second, measure.name)
    if not len(a) or not (first.known or second.known):  # wrong answers alone tell nothing
        return None, Measure(name=measure.name, value=None, share=True, reason=_nothing_shared(first)), 0
    parts = None if first.parts is None else first.parts.of(np.flatnonzero(shared))
    between = interval_of_mean(b - a, options, parts)
    difference = Measure.of(measure.name, float((b - a).mean()), between, share=True)
    return (float(a.mean()), float(b.mean())), difference, int(shared.sum())


def _of_correlations(
    measure: Measure, first: Result, second: Result, options: JudgingOptions
) -> tuple[tuple[float, float] | None, Measure, int]:
    a, b, shared = _shared(first, second, "cosines")
    scores, way = first.outcomes["scores"][shared], WAYS[measure.name]
    reason = _nothing_shared(first) if not len(a) else ""
    for side in (a, b):
        reason = reason or why_no_correlation(side, scores, first.items)
    if reason:
        return None, Measure(name=measure.name, value=None, reason=reason), len(a)
    values = correlation(way, a, scores), correlation(way, b, scores)
    between = correlation_difference_interval(way, a, b, scores, options.resamples, options.seed)
    return values, Measure.of(measure.name, values[1] - values[0], between), len(a)


def _shared(first: Result, second: Result, column: str) -> tuple[Numbers, Numbers, np.ndarray[Any, Any]]:
    """What became, with each model, of the items that count with both; and which these are."""
    a, b = first.outcomes[column], second.outcomes[column]
    shared = ~np.isnan(a) & ~np.isnan(b)
    return a[shared], b[shared], shared


def _nothing_shared(result: Result) -> str:
    return f"no {result.unit} are known to both models: there is nothing to compare them on"
