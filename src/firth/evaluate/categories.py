"""Categorisation: do clusters of vectors agree with people's classes of words?

Sets are lines of a word and its class, divided by tabs, semicolons, commas or spaces (AP, Battig, ESSLLI 2008); the
column with fewer different entries is the class, the second where both have as many. Of BLESS, whose lines are
`alligator-n  amphibian_reptile  relation  relatum-n`, the different words are taken, without -n.

Vectors of unit length are clustered by Ward's method, which draws nothing by chance, into as many clusters as there are
classes. Purity is the share of words whose class is the most frequent one of their cluster.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from firth.errors import counted
from firth.evaluate.known import UNKNOWN, KnownWords, Rows
from firth.evaluate.lines import empty_set, fields_of, lines_of, malformed, set_name
from firth.evaluate.resampling import Numbers
from firth.evaluate.results import Measure, Result, mean_measure

if TYPE_CHECKING:
    from firth.storage import AnyPath

RULE = "a word and its class"
HEADERS = {"word", "words", "concept", "noun", "category", "class"}
BLESS_WORD = re.compile(r"(.+)-[njv]")
FEWEST_WORDS = 3


@dataclass(frozen=True, kw_only=True)
class CategoryResult(Result):
    """How pure clusters of words are; its interval holds for other words of the same kind in these clusters."""

    kind: ClassVar[str] = "categories"
    unit: ClassVar[str] = "words"

    @property
    def purity(self) -> float | None:
        """The share of words in a cluster whose most frequent class is theirs, None where too few are known."""
        return self.measure("purity").value


@dataclass(frozen=True)
class CategorySet:
    """Words and their classes, as many of both."""

    name: str
    words: tuple[str, ...]
    classes: tuple[str, ...]

    @classmethod
    def read(cls, path: AnyPath, encoding: str = "utf-8") -> CategorySet:
        """The set in a file; raises `MissingFile`, and `BadFile` for a line that is none of it."""
        pairs: dict[tuple[str, str], None] = {}
        for place, (number, text) in enumerate(lines_of(path, encoding)):
            fields = fields_of(text)
            if len(fields) < 2 or not fields[0] or not fields[1]:
                raise malformed(path, number, text, RULE)
            if place == 0 and fields[0].lower() in HEADERS and fields[1].lower() in HEADERS:
                continue
            word = BLESS_WORD.fullmatch(fields[0]) if is_bless(fields) else None
            pairs[word[1] if word else fields[0], fields[1]] = None
        if not pairs:
            raise empty_set(path, "a header")
        first, second = zip(*pairs, strict=True)
        words, classes = (second, first) if len(set(first)) < len(set(second)) else (first, second)
        return cls(set_name(path), words, classes)

    def called(self, name: str) -> CategorySet:
        """The same set under another name."""
        return replace(self, name=name)

    def judge(self, known: KnownWords) -> CategoryResult:
        """Cluster the known words of a model, and see how pure the clusters are."""
        rows = known.rows(self.words)
        return self._judged(known, rows, rows != UNKNOWN)

    def judge_shared(self, first: KnownWords, second: KnownWords) -> tuple[CategoryResult, CategoryResult]:
        """Cluster, in each of two models, those words alone that both know."""
        rows, others = first.rows(self.words), second.rows(self.words)
        shared = (rows != UNKNOWN) & (others != UNKNOWN)
        return self._judged(first, rows, shared), self._judged(second, others, shared)

    def _judged(self, known: KnownWords, rows: Rows, told: NDArray[np.bool_]) -> CategoryResult:
        asked = rows[told]
        classes = np.unique([each for each, is_known in zip(self.classes, told, strict=True) if is_known])
        pure = np.full(len(rows), np.nan)
        reason = ""
        if len(asked) < FEWEST_WORDS:
            are = "is" if len(asked) == 1 else "are"
            reason = f"only {len(asked)} of {counted(len(rows), 'word')} {are} known; clusters take {FEWEST_WORDS}"
        elif len(classes) < 2:
            reason = f"all {len(asked)} known words are of one class, {classes[0]}: any clusters of them are pure"
        else:
            numbers = np.searchsorted(classes, np.array(self.classes)[told])
            pure[told] = in_their_class(clusters(known.units(asked), len(classes)), numbers)
        measure = (
            Measure(name="purity", value=None, share=True, reason=reason)
            if reason
            else mean_measure("purity", pure, known.options, reason)
        )
        return CategoryResult(
            name=self.name,
            items=len(rows),
            known=len(asked),
            measures=(measure,),
            remarks=known.remarks(asked),
            outcomes={"purity": pure},
        )


def clusters(units: Numbers, count: int) -> Rows:
    """The cluster of each of the vectors (n, D), whole numbers (n,), by Ward's method; no more than `count`."""
    from scipy.cluster.hierarchy import fcluster, linkage  # takes half a second to load

    found: Rows = fcluster(linkage(units, "ward"), count, "maxclust")
    return found


def in_their_class(cluster: Rows, classes: Rows) -> Numbers:
    """1 for each word whose class is the most frequent of its cluster, of equal ones the first by name, else 0."""
    cluster = np.unique(cluster, return_inverse=True)[1]
    counts = np.zeros((cluster.max() + 1, classes.max() + 1))
    np.add.at(counts, (cluster, classes), 1)
    found: Numbers = (counts.argmax(axis=1)[cluster] == classes).astype(np.float64)
    return found


def is_bless(fields: list[str]) -> bool:
    """Whether these are the fields of a line of BLESS."""
    return len(fields) == 4 and bool(BLESS_WORD.fullmatch(fields[0])) and "-" in fields[3]
