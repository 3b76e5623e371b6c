"""Analogies: a is to b as c is to what? Answered by 3CosAdd (Mikolov et al. 2013): the word nearest to b - a + c.

Google's set and MSR's are lines of four words, in sections that begin with `: name` or in none. BATS (Gladkova et al.
2016) is folders of files, one relation each, with lines of a word and its partners, `word  answer/another/...`: each
line is asked of by every other line of its file, with the other's first known partner, and any partner is right.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from firth.errors import BadFile, MissingFile, counted
from firth.evaluate.analogy_search import answers
from firth.evaluate.known import UNKNOWN, KnownWords
from firth.evaluate.lines import lines_of, malformed, set_name
from firth.evaluate.parts import Parts
from firth.evaluate.resampling import Numbers
from firth.evaluate.results import Result, mean_measure
from firth.storage import is_folder

if TYPE_CHECKING:
    from firth.evaluate.known import Rows
    from firth.storage import AnyPath

Path_: TypeAlias = tuple[str, ...]
Choices: TypeAlias = tuple[str, ...]

RULE = "four words or `: section`"
PAIR_RULE = "a word and its answers, divided by /"
# Files of BATS are called for their relation: "I01 [noun - plural_reg].txt".
BATS_NAME = re.compile(r"[IDEL]\d\d \[.+\]\.txt")


@dataclass(frozen=True, kw_only=True)
class AnalogyResult(Result):
    """The share of analogies answered right."""

    kind: ClassVar[str] = "analogies"
    unit: ClassVar[str] = "questions"

    @property
    def questions(self) -> int:
        """How many questions are in the set or section."""
        return self.items

    @property
    def correct(self) -> int:
        """How many of them are answered right."""
        return int(np.nansum(self.outcomes["accuracy"]))

    @property
    def accuracy(self) -> float | None:
        """The share answered right, None where no question is known."""
        return self.measure("accuracy").value

    @property
    def total(self) -> AnalogyResult:
        """The result itself, over all sections."""
        return self


@dataclass(frozen=True)
class Question:
    """What is to `c` as `b` is to `a`: one of `right`. Of several `b`, the first known one is meant."""

    section: Path_
    a: str
    b: Choices
    c: str
    right: Choices


@dataclass(frozen=True)
class AnalogySet:
    """Questions in sections, which may hold sections; `sections` names them all, in order, also empty ones."""

    name: str
    questions: tuple[Question, ...]
    sections: tuple[Path_, ...] = ()

    @classmethod
    def read(cls, path: AnyPath, encoding: str = "utf-8") -> AnalogySet:
        """The set in a file of fours, in a folder of files of pairs, or in one such file of BATS.

        Raises `MissingFile`, and `BadFile` for a line that is none of it.
        """
        if is_folder(path):
            return cls._read_pairs(Path(path), sorted(Path(path).rglob("*.txt")), encoding)
        if BATS_NAME.fullmatch(Path(path).name):
            return cls._read_pairs(Path(path), [Path(path)], encoding)
        return cls._read_fours(path, encoding)

    @classmethod
    def _read_fours(cls, path: AnyPath, encoding: str) -> AnalogySet:
        sections: list[Path_] = []
        questions = []
        for number, text in lines_of(path, encoding):
            words = text.split()
            if text.startswith(":"):
                sections.append((text[1:].strip(),))
            elif len(words) == 4:
                a, b, c, d = words
                questions.append(Question(sections[-1] if sections else (), a, (b,), c, (d,)))
            else:
                raise malformed(path, number, text, RULE)
        return cls(set_name(path), tuple(questions), tuple(dict.fromkeys(sections)))

    @classmethod
    def _read_pairs(cls, path: Path, files: list[Path], encoding: str) -> AnalogySet:
        files = [each for each in files if not each.name.startswith(".")]
        if not files:
            raise MissingFile(f"the folder {path} holds no .txt files of words and their answers; check the path")
        questions: list[Question] = []
        sections: list[Path_] = []
        for file in files:
            section = () if file == path else (*file.relative_to(path).parent.parts, file.stem)
            sections += [section] if section else []
            pairs = list(_pairs(file, encoding))
            questions += [
                Question(section, a, b, c, right)
                for place, (c, right) in enumerate(pairs)
                for other, (a, b) in enumerate(pairs)
                if other != place
            ]
        return cls(path.name.removesuffix(".txt"), tuple(questions), tuple(sections))

    def called(self, name: str) -> AnalogySet:
        """The same set under another name."""
        return replace(self, name=name)

    @cached_property
    def parts(self) -> Parts:
        """The pairs that each question is made of; pairs are drawn within their section."""
        numbers: dict[tuple[Path_, str, Choices], int] = {}
        first = [numbers.setdefault((each.section, each.a, each.b), len(numbers)) for each in self.questions]
        second = [numbers.setdefault((each.section, each.c, each.right), len(numbers)) for each in self.questions]
        sections: dict[Path_, int] = {}
        within = [sections.setdefault(section, len(sections)) for section, _, _ in numbers]
        return Parts(*(np.array(column, np.int64) for column in (first, second, within)))

    def judge(self, known: KnownWords) -> AnalogyResult:
        """Ask a model all questions."""
        # The rows a, b, c, and those that are right; of a question that is not known, nothing.
        asked = [_rows(known, each) for each in self.questions]
        told = np.array([each is not None for each in asked], bool)
        triples = np.array([each[0] for each in asked if each], np.int64).reshape(-1, 3)
        found = answers(known, triples, known.options.cores)
        right = [each[1] for each in asked if each]
        outcomes = np.full(len(asked), 0.0 if known.options.unknown == "wrong" else np.nan)
        outcomes[told] = [
            row >= 0 and known.first_alike(row) in some for row, some in zip(found.tolist(), right, strict=True)
        ]
        remarks = known.remarks(np.unique(triples))
        return self._result((), self.name, np.arange(len(asked)), outcomes, told, known, remarks)

    def _result(
        self,
        path: Path_,
        name: str,
        places: Rows,
        outcomes: Numbers,
        told: NDArray[np.bool_],
        known: KnownWords,
        remarks: tuple[str, ...] = (),
    ) -> AnalogyResult:
        """The result of the questions at `places`, whose section begins with `path`, and of the sections in it."""
        depth = len(path)
        inside: dict[str, list[int]] = {
            each[depth]: [] for each in self.sections if each[:depth] == path and len(each) > depth
        }
        for place in places.tolist() if inside else ():
            section = self.questions[place].section
            if len(section) > depth:
                inside[section[depth]].append(place)
        mine, parts = outcomes[places], self.parts.of(places)
        reason = (
            f"of {counted(len(places), 'question')}, none has vectors for all its words; check how words are cased"
            if len(places)
            else "there is no question in it"
        )
        return AnalogyResult(
            name=name,
            items=len(places),
            known=int(told[places].sum()),
            measures=(mean_measure("accuracy", mine, known.options, reason, parts, told=told[places]),),
            sections=tuple(
                self._result((*path, each), each, np.array(some, np.int64), outcomes, told, known)
                for each, some in inside.items()
            ),
            remarks=remarks,
            outcomes={"accuracy": mine},
            parts=parts,
        )


def _rows(known: KnownWords, question: Question) -> tuple[tuple[int, int, int], frozenset[int]] | None:
    """The rows of a question's words and of its right answers, or None where it is not known."""
    a, c = known.row(question.a), known.row(question.c)
    b = next((row for row in map(known.row, question.b) if row != UNKNOWN), UNKNOWN)
    right = frozenset(map(known.row, question.right)) - {UNKNOWN}
    return None if UNKNOWN in (a, b, c) or not right else ((a, b, c), right)


def _pairs(path: Path, encoding: str) -> list[tuple[str, Choices]]:
    """The words of a file, and the answers to each."""
    found = []
    for number, text in lines_of(path, encoding):
        fields = text.split("\t") if "\t" in text else text.split()
        right = tuple(dict.fromkeys(each.strip() for each in fields[-1].split("/") if each.strip()))
        if len(fields) != 2 or not fields[0].strip() or not right:
            raise malformed(path, number, text, PAIR_RULE)
        found.append((fields[0].strip(), right))
    if len(found) < 2:
        raise BadFile(f"{path} holds a single pair, and there is nothing to ask by one; give it a second line")
    return found


def is_bats(folder: Path) -> bool:
    """Whether a folder holds files that are called as those of BATS are, itself or in its folders."""
    return any(BATS_NAME.fullmatch(each.name) for each in [*folder.glob("*.txt"), *folder.glob("*/*.txt")])
