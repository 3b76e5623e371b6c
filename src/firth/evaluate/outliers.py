"""Odd one out: does a word that does not belong stand apart from those that do (Camacho-Collados & Navigli 2016)?

Sets are lines of words, the outlier among them marked with *, in sections that begin with `: name` or in none; or, as
the 8-8-8 set has them, one file for each topic: a word on each line, a blank line, then outliers, each of which makes a
test with all the words.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from firth.errors import counted
from firth.evaluate.known import UNKNOWN, KnownWords, Rows
from firth.evaluate.lines import all_lines, lines_of, malformed, set_name
from firth.evaluate.parts import Parts
from firth.evaluate.resampling import Numbers
from firth.evaluate.results import Result, mean_measure
from firth.storage import is_folder

if TYPE_CHECKING:
    from firth.storage import AnyPath

MARK = "*"
RULE = "three words or more, one of them marked as the outlier (*word)"
TOPIC_RULE = "one word, a blank line standing between those that belong and the outliers"
FEWEST_BELONG = 2


@dataclass(frozen=True, kw_only=True)
class OutlierResult(Result):
    """How often the outlier was found (accuracy), and how far down it stood (the outlier position percentage)."""

    kind: ClassVar[str] = "outliers"
    unit: ClassVar[str] = "tests"

    @property
    def accuracy(self) -> float | None:
        """The share of tests whose outlier is the least compact word, None where no test is known."""
        return self.measure("accuracy").value

    @property
    def position(self) -> float | None:
        """OPP as a share: the mean of the outlier's position, 1 being last, 0 first; None where no test is known."""
        return self.measure("position").value


@dataclass(frozen=True)
class OutlierTest:
    """Words that belong together, and one that does not."""

    section: str
    words: tuple[str, ...]
    outlier: str


@dataclass(frozen=True)
class OutlierSet:
    """Tests, in sections or in none ("")."""

    name: str
    tests: tuple[OutlierTest, ...]

    @classmethod
    def read(cls, path: AnyPath, encoding: str = "utf-8") -> OutlierSet:
        """The set in a file, or in a folder with a file for each topic.

        Raises `MissingFile`, and `BadFile` for a line that is none of it.
        """
        if not is_folder(path):
            is_topic = any(not text.strip() for _, text in _inside(path, encoding))
            read = _topic if is_topic and not _has_mark(path, encoding) else _marked
            return cls(set_name(path), tuple(read(path, encoding, "")))
        files = sorted(each for each in Path(path).iterdir() if each.is_file() and not each.name.startswith("."))
        tests = [test for file in files for test in _topic(file, encoding, file.stem)]
        return cls(Path(path).name, tuple(tests))

    def called(self, name: str) -> OutlierSet:
        """The same set under another name."""
        return replace(self, name=name)

    def judge(self, known: KnownWords) -> OutlierResult:
        """Rank the words of each test by compactness, and see where the outlier stands."""
        wrong = known.options.unknown == "wrong"
        outcomes = np.array([_found(known, each) for each in self.tests], np.float64).reshape(-1, 2)
        told = ~np.isnan(outcomes[:, 0])
        outcomes[~told] = 0.0 if wrong else np.nan
        rows = [known.row(word) for test in self.tests for word in (*test.words, test.outlier)]
        names = np.array([each.section for each in self.tests])
        sections = [
            self._result(name, np.flatnonzero(names == name), outcomes, told, known)
            for name in dict.fromkeys(each.section for each in self.tests)
            if name
        ]
        every, remarks = np.arange(len(self.tests)), known.remarks(rows)
        return self._result(self.name, every, outcomes, told, known, tuple(sections), remarks)

    def _result(
        self,
        name: str,
        places: Rows,
        outcomes: Numbers,
        told: NDArray[np.bool_],
        known: KnownWords,
        sections: tuple[Result, ...] = (),
        remarks: tuple[str, ...] = (),
    ) -> OutlierResult:
        """The result of the tests at `places`."""
        reason = (
            f"of {counted(len(places), 'test')}, in none has the outlier a vector, and {FEWEST_BELONG} of the other "
            "words"
        )
        columns = {"accuracy": outcomes[places, 0], "position": outcomes[places, 1]}
        parts = self._parts(places)
        return OutlierResult(
            name=name,
            items=len(places),
            known=int(told[places].sum()),
            measures=tuple(
                mean_measure(each, some, known.options, reason, parts, told=told[places])
                for each, some in columns.items()
            ),
            sections=sections,
            remarks=remarks,
            outcomes=columns,
            parts=parts,
        )

    def _parts(self, places: Rows) -> Parts | None:
        """Which of the tests at `places` have all their words in common but the outlier: these are drawn together.

        None where no two have, and where all have: then what is drawn are outliers.
        """
        numbers: dict[tuple[str, ...], int] = {}
        first = [numbers.setdefault(self.tests[place].words, len(numbers)) for place in places]
        if len(numbers) in (1, len(places)):
            return None
        return Parts(np.array(first, np.int64), None, np.zeros(len(numbers), np.int64))


def _found(known: KnownWords, test: OutlierTest) -> tuple[float, float]:
    """Whether the outlier is found, and its position as a share; NaN where too few words are known.

    A word's compactness is the mean similarity of all pairs of the others (eq. 1 of the paper): the less a word
    belongs, the more compact is what it leaves. Unknown words that belong are left out.
    """
    outlier = known.row(test.outlier)
    belong = [row for row in map(known.row, test.words) if row != UNKNOWN]
    if outlier == UNKNOWN or len(belong) < FEWEST_BELONG:
        return np.nan, np.nan
    position = outlier_position(known.units([*belong, outlier]))
    return float(position == len(belong)), position / len(belong)


def outlier_position(units: Numbers) -> int:
    """Where the last of n + 1 vectors stands by compactness: 0 first, n last. Equal ones stand against it."""
    cosines = units @ units.T
    np.fill_diagonal(cosines, 0)
    # Leaving a word out takes its own pairs from the sum over all: the least similar word leaves most.
    own = cosines.sum(axis=1)
    return int((own[:-1] > own[-1] + 1e-12).sum())


# ---- files -------------------------------------------------------------------------------------


def _marked(path: AnyPath, encoding: str, section: str) -> list[OutlierTest]:
    found = []
    for number, text in lines_of(path, encoding):
        if text.startswith(":"):
            section = text[1:].strip()
            continue
        words = words_in(text)
        outliers = [each[len(MARK) :] for each in words if is_marked(each)]
        if len(words) <= FEWEST_BELONG or len(outliers) != 1:
            raise malformed(path, number, text, RULE)
        found.append(OutlierTest(section, tuple(each for each in words if not is_marked(each)), outliers[0]))
    return found


def _topic(path: AnyPath, encoding: str, section: str) -> list[OutlierTest]:
    words: list[str] = []
    outliers: list[str] = []
    part = words
    lines_of(path, encoding)  # raises where there is nothing in it
    for number, text in _inside(path, encoding):
        if not text.strip():
            part = outliers
        elif len(text.split()) == 1:
            part.append(text.strip())
        else:
            raise malformed(path, number, text, TOPIC_RULE)
    if len(words) < FEWEST_BELONG or not outliers:
        number, text = _inside(path, encoding)[-1]
        raise malformed(path, number, text, TOPIC_RULE)
    return [OutlierTest(section, tuple(words), each) for each in outliers]


def _inside(path: AnyPath, encoding: str) -> list[tuple[int, str]]:
    """The lines from the first that is not blank to the last."""
    lines = all_lines(path, encoding)
    full = [place for place, (_, text) in enumerate(lines) if text.strip()]
    return lines[full[0] : full[-1] + 1] if full else []


def _has_mark(path: AnyPath, encoding: str) -> bool:
    return any(is_marked(word) for _, text in lines_of(path, encoding) for word in words_in(text))


def words_in(text: str) -> list[str]:
    """The words of a line, divided by white space, commas or semicolons."""
    return text.replace(",", " ").replace(";", " ").split()


def is_marked(word: str) -> bool:
    """Whether a word is marked as the outlier."""
    return word.startswith(MARK) and len(word) > len(MARK)


def is_topic(path: AnyPath, encoding: str = "utf-8") -> bool:
    """Whether a file is a topic: words one to a line, and one blank line or more between two parts of them."""
    lines = _inside(path, encoding)
    blank = [not text.strip() for _, text in lines]
    single = all(len(text.split()) <= 1 for _, text in lines)
    return single and any(blank) and blank.index(True) >= FEWEST_BELONG
