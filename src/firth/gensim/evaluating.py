"""gensim's two judgements of vectors: scored pairs of words, and analogies.

They differ from `firth.evaluate` in what gensim's callers rely on: words are compared without regard to case, what is
no pair is passed over, and each question is told with its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np

from firth.evaluate.analogy_search import NO_ANSWER, answers
from firth.evaluate.known import KnownWords
from firth.gensim.utils import to_unicode
from firth.options import EvaluationOptions
from firth.storage import AnyPath, opened
from firth.vectors import WordVectors

Question: TypeAlias = tuple[str, ...]

ANSWERS = 5  # the first of so many neighbours that is no word of the question is the answer


class Folded:
    """The first `restrict` words, without regard to case if so wished: of several alike, the most frequent."""

    def __init__(self, vectors: WordVectors, restrict: int | None, case_insensitive: bool) -> None:
        self.vectors, self.restrict = vectors, restrict
        self.fold: Callable[[str], str] = str.upper if case_insensitive else str
        self.words = {self.fold(word): word for word in reversed(vectors.words[:restrict])}


def word_pairs(
    folded: Folded, path: AnyPath, delimiter: str, encoding: str, dummy4unknown: bool
) -> tuple[Any, Any, float]:
    """What `KeyedVectors.evaluate_word_pairs` gives."""
    from scipy import stats  # takes a second to load

    people, cosines, unknown = [], [], 0
    for line in _lines(path, encoding):
        fields = [field.strip() for field in line.split(delimiter)]
        try:
            first, second, score = folded.fold(fields[0]), folded.fold(fields[1]), float(fields[2])
        except (IndexError, ValueError):
            continue  # a header, or a remark
        known = first in folded.words and second in folded.words
        unknown += not known
        if known or dummy4unknown:
            people.append(score)
            cosines.append(folded.vectors.similarity(folded.words[first], folded.words[second]) if known else 0.0)
    if not people:
        raise ValueError(f"no pair of {path} has vectors for both words; check its delimiter, and how words are cased")
    pairs = len(people) if dummy4unknown else len(people) + unknown
    return stats.pearsonr(people, cosines), stats.spearmanr(people, cosines), 100 * unknown / pairs


def word_analogies(
    folded: Folded, search: Callable[..., list[tuple[str, float]]] | None, path: AnyPath, dummy4unknown: bool
) -> tuple[float, list[dict[str, Any]]]:
    """What `KeyedVectors.evaluate_word_analogies` gives; without a `search` of its own, by 3CosAdd, all at once."""
    sections: list[dict[str, Any]] = []
    asked: list[tuple[int, Question]] = []
    for line in _lines(path, "utf8"):
        if line.startswith(": "):
            sections.append({"section": line[2:].strip(), "correct": [], "incorrect": []})
            continue
        if not sections:
            raise ValueError(f"{path} must begin with the name of a section (`: name`), got {line!r}")
        question = tuple(map(folded.fold, line.split()))
        if len(question) == 4:
            asked.append((len(sections) - 1, question))
    known = [question for _, question in asked if all(word in folded.words for word in question)]
    found = iter(_answers(folded, known) if search is None else (_answer(folded, search, each[:3]) for each in known))
    for place, question in asked:
        if all(word in folded.words for word in question):
            sections[place]["correct" if next(found) == question[3] else "incorrect"].append(question)
        elif dummy4unknown:
            sections[place]["incorrect"].append(question)
    total: dict[str, Any] = {"section": "Total accuracy"}
    for kind in ("correct", "incorrect"):
        total[kind] = [question for section in sections for question in section[kind]]
    answered = len(total["correct"]) + len(total["incorrect"])
    return len(total["correct"]) / answered if answered else 0.0, [*sections, total]


def _answers(folded: Folded, questions: list[Question]) -> list[str | None]:
    """What is to c as b is to a, for each question, as it is spelled when folded."""
    if not questions:
        return []
    options = EvaluationOptions(
        restrict=len(folded.vectors.words[: folded.restrict]), case="exact" if folded.fold is str else "fold"
    )
    known = KnownWords(folded.vectors, options)
    rows = np.array([known.rows(each[:3]) for each in questions])
    found = answers(known, rows, options.cores).tolist()
    return [None if row == NO_ANSWER else folded.fold(folded.vectors.words[row]) for row in found]


def _answer(folded: Folded, search: Callable[..., list[tuple[str, float]]], question: tuple[str, ...]) -> str | None:
    """What is to c as b is to a, as it is spelled when folded."""
    a, b, c = (folded.words[word] for word in question)
    found = search(positive=[b, c], negative=[a], topn=ANSWERS, restrict_vocab=folded.restrict)
    spelled = (folded.fold(word) for word, _ in found)
    return next((word for word in spelled if word not in question), None)


def _lines(path: AnyPath, encoding: str) -> Iterator[str]:
    """The lines of a file that are no comments, without their ends."""
    with opened(path) as file:
        for line in file:
            text = to_unicode(line, encoding).rstrip("\r\n")
            if text and not text.startswith("#"):
                yield text
