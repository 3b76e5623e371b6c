"""WEAT: are two sets of words tied to two sets of attributes (Caliskan, Bryson & Narayanan 2017)?

With X and Y as many target words each, A and B attributes, and cosines throughout:

    s(w) = mean of cos(w, a) over A - mean of cos(w, b) over B
    effect size d = (mean of s over X - mean of s over Y) / standard deviation of s over X and Y
    p = the share of all ways to part X and Y into halves whose Σ s(first) - Σ s(second) exceeds that of X and Y

The deviation is that of a sample (n - 1), as in May et al. 2019; with n, d would be √(n / (n - 1)) times as large. All
halvings are looked at where there are MOST_EXACT or fewer, which holds up to ten words a side; else SAMPLED
permutations are drawn, and p is (1 + those that exceed) / (1 + SAMPLED), which is never 0 (Phipson & Smyth 2010).

A file holds one test or several, four lines each: `name: word word ...`, first X and Y, then A and B.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from firth.errors import BadFile, BadOption, counted
from firth.evaluate.known import UNKNOWN, KnownWords
from firth.evaluate.lines import lines_of, malformed, set_name
from firth.evaluate.outliers import words_in
from firth.evaluate.resampling import Numbers
from firth.evaluate.results import Measure, Result
from firth.options import EvaluationOptions
from firth.vectors.given import several

if TYPE_CHECKING:
    from firth.storage import AnyPath
    from firth.vectors import WordVectors

MOST_EXACT = 200_000  # C(20, 10) is 184,756; a tenth of a second
SAMPLED = 100_000
PERMUTED_AT_ONCE = 10_000
FEWEST = 2  # words a side, or there is no deviation to speak of
ROUNDING = 1e-12  # sums of the same numbers in another order differ by less
RULE = "`name: word word ...`, in fours: two targets, two attributes"
LINE = re.compile(r"([^:\s][^:]*):\s*(\S.*)")


@dataclass(frozen=True, kw_only=True)
class AssociationResult(Result):
    """A test of association, or a file of them; `exact` says whether all permutations were looked at."""

    kind: ClassVar[str] = "association"
    unit: ClassVar[str] = "words"

    exact: bool | None = None
    permutations: int = 0

    @property
    def effect_size(self) -> float | None:
        """d, None where it cannot be told."""
        return self.measure("effect size").value

    @property
    def p_value(self) -> float | None:
        """p, one-sided, None where it cannot be told."""
        return self.measure("p").value


@dataclass(frozen=True)
class AssociationTest:
    """Two sets of target words and two of attributes, with what each is called."""

    names: tuple[str, str, str, str]
    words: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]

    @property
    def name(self) -> str:
        """What it asks."""
        x, y, a, b = self.names
        return f"{x} and {y}, {a} and {b}"


@dataclass(frozen=True)
class AssociationSet:
    """The tests of a file."""

    name: str
    tests: tuple[AssociationTest, ...]

    @classmethod
    def read(cls, path: AnyPath, encoding: str = "utf-8") -> AssociationSet:
        """The tests in a file; raises `MissingFile`, and `BadFile` for a line that is none of it."""
        named = []
        for number, text in lines_of(path, encoding):
            found = LINE.fullmatch(text.strip())
            if not found:
                raise malformed(path, number, text, RULE)
            named.append((found[1].strip(), tuple(words_in(found[2]))))
        if len(named) % 4:
            raise BadFile(f"{path} has {counted(len(named), 'list')} of words; tests take four each, {RULE}")
        tests = []
        for start in range(0, len(named), 4):
            names, words = zip(*named[start : start + 4], strict=True)
            if len(words[0]) != len(words[1]):
                raise BadFile(f"{path}: {_unequal(names[0], words[0], names[1], words[1])}")
            tests.append(AssociationTest(names, words))
        return cls(set_name(path), tuple(tests))

    def called(self, name: str) -> AssociationSet:
        """The same set under another name."""
        return replace(self, name=name)

    def judge(self, known: KnownWords) -> AssociationResult:
        """Every test, those words left out that a model does not know; which these are is a remark."""
        found = tuple(_judged(test, known) for test in self.tests)
        if len(found) == 1:
            return replace(found[0], name=self.name)
        return AssociationResult(
            name=self.name,
            items=sum(each.items for each in found),
            known=sum(each.known for each in found),
            measures=(),
            sections=found,
        )


def weat(
    vectors: WordVectors,
    x: Sequence[str],
    y: Sequence[str],
    a: Sequence[str],
    b: Sequence[str],
    *,
    ignore_missing: bool = False,
    seed: int = 1,
) -> AssociationResult:
    """How much more the words `x` are tied to `a` rather than `b` than the words `y` are: WEAT's effect size and p.

    With `ignore_missing`, words without a vector are left out, and of the longer of x and y the last words, until both
    are as many.

    Raises:
        UnknownWord: a word has no vector, and `ignore_missing` is False.
        BadOption: a word alone in place of a list; x and y are not as many words, or fewer than two each; no
            attributes.
    """
    words = tuple(tuple(several(name, each)) for name, each in zip("xyab", (x, y, a, b), strict=True))
    if len(words[0]) != len(words[1]):
        raise BadOption(_unequal("x", words[0], "y", words[1]))
    if min(len(words[0]), len(words[1])) < FEWEST or not words[2] or not words[3]:
        raise BadOption(
            f"x and y must be {FEWEST} words or more each, a and b at least one, got "
            f"{', '.join(str(len(each)) for each in words)}"
        )
    known = KnownWords(vectors, EvaluationOptions(seed=seed, case="exact"))
    if not ignore_missing:
        for word in itertools.chain(*words):
            vectors.index(word)  # names the word that has none
    return _judged(AssociationTest(("x", "y", "a", "b"), words), known)  # type: ignore[arg-type]


def _judged(test: AssociationTest, known: KnownWords) -> AssociationResult:
    rows = [[row for row in map(known.row, words) if row != UNKNOWN] for words in test.words]
    missing = [word for words in test.words for word in words if known.row(word) == UNKNOWN]
    remarks = [f"left out, without vectors: {', '.join(missing)}"] if missing else []
    size = min(len(rows[0]), len(rows[1]))
    for place in (0, 1):
        if len(rows[place]) > size:
            dropped = [known.vectors.words[row] for row in rows[place][size:]]
            remarks.append(f"left out, so that both targets are as many: {', '.join(dropped)}")
            rows[place] = rows[place][:size]
    items = sum(map(len, test.words))
    result = partial(AssociationResult, name=test.name, items=items, known=items - len(missing))
    reason = ""
    if size < FEWEST or not rows[2] or not rows[3]:
        left = ", ".join(f"{len(some)} of {name}" for name, some in zip(test.names, rows, strict=True))
        reason = f"too few words are known ({left}); it takes {FEWEST} of each target and one of each attribute"
    else:
        x, y, a, b = (known.units(some) for some in rows)
        ties = np.concatenate([ties_of(x, a, b), ties_of(y, a, b)])
        deviation = ties.std(ddof=1)
        if deviation <= ROUNDING:
            reason = f"all words of {test.names[0]} and {test.names[1]} are tied alike to both attributes"
    if reason:
        measures = tuple(Measure(name=each, value=None, reason=reason) for each in ("effect size", "p"))
        return result(measures=measures, remarks=tuple(remarks))
    p, permutations, exact = permuted(ties, known.options.seed)
    effect = float((ties[:size].mean() - ties[size:].mean()) / deviation)
    remarks.append(
        f"p from all {permutations:,} permutations{f': below 1/{permutations:,}, as none exceeds' if p == 0 else ''}"
        if exact
        else f"p from {counted(permutations, 'permutation')} drawn by chance"
    )
    return result(
        measures=(Measure(name="effect size", value=effect), Measure(name="p", value=p)),
        remarks=(*remarks, *known.remarks([row for some in rows for row in some])),
        exact=exact,
        permutations=permutations,
    )


def ties_of(words: Numbers, a: Numbers, b: Numbers) -> Numbers:
    """s(w) for each of the unit vectors of words (n, D), attributes (m, D) and (k, D): (n,)."""
    found: Numbers = (words @ a.T).mean(axis=1) - (words @ b.T).mean(axis=1)
    return found


def permuted(ties: Numbers, seed: int) -> tuple[float, int, bool]:
    """P of s over X and then Y, (2n,); from how many permutations; and whether these are all there are.

    As Σ s(first) + Σ s(second) is the same for all, comparing Σ s(first) is comparing their difference.
    """
    n = len(ties) // 2
    beyond = ties[:n].sum() + ROUNDING * max(1.0, float(np.abs(ties).sum()))
    count = math.comb(2 * n, n)
    if count <= MOST_EXACT:
        chosen = np.fromiter(
            itertools.chain.from_iterable(itertools.combinations(range(2 * n), n)), np.int64, count * n
        )
        return float((ties[chosen.reshape(count, n)].sum(axis=1) > beyond).mean()), count, True
    generator = np.random.default_rng(seed)
    exceed = 0
    for start in range(0, SAMPLED, PERMUTED_AT_ONCE):
        rows = np.tile(ties, (min(PERMUTED_AT_ONCE, SAMPLED - start), 1))
        exceed += int((generator.permuted(rows, axis=1)[:, :n].sum(axis=1) > beyond).sum())
    return (1 + exceed) / (1 + SAMPLED), SAMPLED, False


def _unequal(first: str, x: Sequence[str], second: str, y: Sequence[str]) -> str:
    return (
        f"both targets must be as many words, got {len(x)} of {first} and {len(y)} of {second}; leave out some of the "
        "longer one"
    )


def is_association(texts: Sequence[str]) -> bool:
    """Whether the lines of a file are all lists of words with their names, in fours."""
    return bool(texts) and len(texts) % 4 == 0 and all(LINE.fullmatch(each.strip()) for each in texts)
