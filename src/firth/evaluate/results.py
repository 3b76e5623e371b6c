"""What judging gives: a result for each set, its measures with their intervals, its sections.

Every result tells how many things were asked and how many of them the model knows. A measure that cannot be told is
None, and `reason` says why; it is never 0 for want of words.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from firth.errors import BadOption, counted
from firth.evaluate.parts import Parts
from firth.evaluate.resampling import Interval, mean_interval
from firth.options import JudgingOptions

Numbers: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A score; from `low` to `high` is its 95 % interval by the bootstrap, if one was asked for.

    A `share` is told in per cent. Without a value, `reason` is a sentence.
    """

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    share: bool = False
    reason: str = ""

    @classmethod
    def of(cls, name: str, value: float, between: Interval | None, *, share: bool = False) -> Self:
        """A measure that could be taken."""
        low, high = between or (None, None)
        return cls(name=name, value=value, low=low, high=high, share=share)

    def __str__(self) -> str:
        if self.value is None:
            return "none"
        if self.low is None or self.high is None:
            return told(self.value, self.share) + " %" * self.share
        inside = f"{told(self.low, self.share)} to {told(self.high, self.share)}"
        return f"{told(self.value, self.share)}{' %' if self.share else ''} ({inside})"

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {"value": self.value, "low": self.low, "high": self.high, "reason": self.reason or None}


def told(value: float, share: bool, sign: bool = False) -> str:
    """A number as it is shown: shares in per cent."""
    plus = "+" if sign else ""
    # Adding 0 makes the zero that a small negative number rounds to positive.
    return f"{round(100 * value, 1) + 0.0:{plus}.1f}" if share else f"{round(value, 3) + 0.0:{plus}.3f}"


@dataclass(frozen=True, kw_only=True)
class Result:
    """How a model did on a set, or on a section of it.

    `items` are in the set, `known` of them have vectors for all words that they need.
    """

    kind: ClassVar[str] = ""
    unit: ClassVar[str] = "items"

    name: str
    items: int
    known: int
    measures: tuple[Measure, ...]
    sections: tuple[Result, ...] = ()
    remarks: tuple[str, ...] = ()
    # What became of each item, NaN where it does not count: what two models are compared on.
    outcomes: dict[str, Numbers] = field(default_factory=dict, repr=False, compare=False)
    # What items are made of, where they do not stand for themselves.
    parts: Parts | None = field(default=None, repr=False, compare=False)

    @property
    def out_of_vocabulary(self) -> float:
        """The share of items with an unknown word, 0 to 1."""
        return (self.items - self.known) / self.items if self.items else 0.0

    @property
    def asked(self) -> str:
        """How many items are in the set, and of what."""
        return counted(self.items, self.unit.removesuffix("s"))

    def measure(self, name: str) -> Measure:
        """The measure of this name; `BadOption` where there is none."""
        for each in self.measures:
            if each.name == name:
                return each
        there = ", ".join(each.name for each in self.measures) or "those of its sections alone"
        raise BadOption(f"{self.name} has no measure {name!r}; there are {there}")

    def walked(self, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Result]]:
        """The sections, and theirs, with the names that lead to each; then the result itself, whose path is ()."""
        for each in self.sections:
            yield from each.walked((*path, each.name))
        yield path, self

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON; docs/howto/judging.md describes them."""
        return {
            "name": self.name,
            "kind": self.kind,
            "unit": self.unit,
            "items": self.items,
            "known": self.known,
            "out_of_vocabulary": self.out_of_vocabulary,
            "measures": {each.name: each.as_dict() for each in self.measures},
            "remarks": list(self.remarks),
            "sections": [each.as_dict() for each in self.sections],
        }

    def to_json(self) -> str:
        """`as_dict` as JSON."""
        return json.dumps(self.as_dict(), ensure_ascii=False, indent=1, allow_nan=False)

    def to_markdown(self) -> str:
        """A table of sections and total, in Markdown."""
        from firth.evaluate.tables import as_markdown, set_table

        return as_markdown(set_table([self], ["score"], []))

    def __str__(self) -> str:
        if not self.measures:
            return "\n".join(str(each) for each in self.sections)
        measured = ", ".join(f"{each.name} {each.reason or each}" for each in self.measures)
        return f"{self.name}: {measured}; {self.known:,} of {self.asked} known"


def mean_measure(
    name: str,
    outcomes: Numbers,
    options: JudgingOptions,
    reason: str,
    parts: Parts | None = None,
    *,
    told: NDArray[np.bool_] | None = None,
) -> Measure:
    """The mean of outcomes (n,) that count, as a share; `reason` where there is none.

    `told` says of which the model knows all words, where others may count, too: wrong answers alone tell nothing.
    """
    known = np.flatnonzero(~np.isnan(outcomes))
    if not len(known) or not (told is None or told.any()):
        return Measure(name=name, value=None, share=True, reason=reason)
    between = interval_of_mean(outcomes[known], options, None if parts is None else parts.of(known))
    return Measure.of(name, float(outcomes[known].mean()), between, share=True)


def interval_of_mean(outcomes: Numbers, options: JudgingOptions, parts: Parts | None) -> Interval | None:
    """The interval of the mean of outcomes (n,), by drawing them or, if they are made of parts, these."""
    if parts is None:
        return mean_interval(outcomes, options.resamples, options.seed)
    return parts.mean_interval(outcomes, options.resamples, options.seed)
