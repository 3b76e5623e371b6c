"""How good vectors are: by what people say of pairs of words, and by analogies.

Similarity sets are lines of two words and a score, divided by tabs, semicolons, commas or spaces; a header
and # comments are skipped. Analogy sets are lines of four words, in sections that begin with `: name` or in
none. Words are tried as they are written, then in lower case.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from firth.errors import BadFile, BadOption, MissingFile
from firth.nearest import nearest
from firth.options import usable_cores
from firth.storage import AnyPath, opened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from firth.vectors import WordVectors

Line: TypeAlias = tuple[int, str]
Rows: TypeAlias = NDArray[np.int64]
Kind: TypeAlias = Literal["similarity", "analogies"]

UNKNOWN = -1
QUESTIONS = 4096
SMALLEST = np.float32(np.finfo(np.float32).tiny)  # keeps a zero vector zero


@dataclass(frozen=True)
class SimilarityResult:
    """How well cosines agree with people's scores; the coefficients are None where they cannot be told.

    `pairs` are in the set, `known` of them have vectors for both words.
    """

    name: str
    pairs: int
    known: int
    spearman: float | None
    pearson: float | None

    @property
    def out_of_vocabulary(self) -> float:
        """The share of pairs with an unknown word, 0 to 1."""
        return (self.pairs - self.known) / self.pairs if self.pairs else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self) | {"out_of_vocabulary": self.out_of_vocabulary}


@dataclass(frozen=True)
class AnalogyScore:
    """The questions of one section, those with four known words, and those answered right."""

    name: str
    questions: int
    known: int
    correct: int

    @property
    def accuracy(self) -> float | None:
        """The share of known questions answered right, or None where none is known."""
        return self.correct / self.known if self.known else None

    @property
    def out_of_vocabulary(self) -> float:
        """The share of questions with an unknown word, 0 to 1."""
        return (self.questions - self.known) / self.questions if self.questions else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self) | {"accuracy": self.accuracy, "out_of_vocabulary": self.out_of_vocabulary}


@dataclass(frozen=True)
class AnalogyResult:
    """An analogy set by sections, of which it may have none, and in total."""

    name: str
    total: AnalogyScore
    sections: tuple[AnalogyScore, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return self.total.as_dict() | {"sections": [each.as_dict() for each in self.sections]}


@dataclass(frozen=True)
class FolderResult:
    """The results of every set in a folder, by name, and the files that are neither kind of set."""

    similarities: tuple[SimilarityResult, ...]
    analogies: tuple[AnalogyResult, ...]
    skipped: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "similarities": [each.as_dict() for each in self.similarities],
            "analogies": [each.as_dict() for each in self.analogies],
            "skipped": list(self.skipped),
        }


def evaluate_similarity(vectors: WordVectors, path: AnyPath) -> SimilarityResult:
    """Spearman's and Pearson's correlation of cosines with the scores in a file.

    Raises:
        MissingFile: nothing is there, or it may not be read.
        BadFile: a line is no pair with a score, or not UTF-8.
    """
    cosines, scores, pairs = [], [], 0
    for first, second, score in _pairs(path):
        pairs += 1
        rows = _row(vectors, first), _row(vectors, second)
        if UNKNOWN not in rows:
            cosines.append(vectors.similarity(vectors.words[rows[0]], vectors.words[rows[1]]))
            scores.append(score)
    spearman, pearson = _correlations(cosines, scores)
    return SimilarityResult(Path(path).stem, pairs, len(scores), spearman, pearson)


def evaluate_analogies(
    vectors: WordVectors, path: AnyPath, *, restrict: int | None = None, threads: int | None = None
) -> AnalogyResult:
    """The share of analogies in a file that 3CosAdd answers right, the words of a question left out.

    With `restrict`, only so many of the first, most frequent words are known, as in word2vec.c's
    `compute-accuracy`. No more than `threads` cores are used, all that the process may use if not given.

    Raises:
        MissingFile: nothing is there, or it may not be read.
        BadFile: a line is neither a section nor four words, or not UTF-8.
        BadOption: `restrict` or `threads` is below 1.
    """
    _check(restrict, threads)
    known_words = len(vectors) if restrict is None else min(restrict, len(vectors))
    sections, questions = _questions(path)
    rows = np.array([[_row(vectors, word) for word in words] for _, words in questions], np.int64).reshape(-1, 4)
    section = np.array([number for number, _ in questions], np.int64)
    known = ((rows != UNKNOWN) & (rows < known_words)).all(axis=1)
    correct = np.zeros(len(rows), bool)
    correct[known] = _solved(vectors, rows[known], known_words, threads or usable_cores())
    scores = [
        AnalogyScore(name, *(int(each[section == number].sum()) for each in (section >= 0, known, correct)))
        for number, name in enumerate(sections)
    ]
    total = AnalogyScore(Path(path).stem, len(rows), int(known.sum()), int(correct.sum()))
    return AnalogyResult(Path(path).stem, total, tuple(scores))


def evaluate_folder(
    vectors: WordVectors, path: AnyPath, *, restrict: int | None = None, threads: int | None = None
) -> FolderResult:
    """Evaluate every set directly in a folder; what kind each file is, its first lines tell.

    Raises:
        MissingFile: the folder is not there.
        BadFile: a line of a set is malformed.
        BadOption: `restrict` or `threads` is below 1.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise MissingFile(f"no folder of evaluation sets at {folder}; check the path")
    _check(restrict, threads)
    similarities, analogies, skipped = [], [], []
    for file in sorted(each for each in folder.iterdir() if each.is_file() and not each.name.startswith(".")):
        match _kind(file):
            case "similarity":
                similarities.append(evaluate_similarity(vectors, file))
            case "analogies":
                analogies.append(evaluate_analogies(vectors, file, restrict=restrict, threads=threads))
            case None:
                skipped.append(file.name)
    if not similarities and not analogies:
        raise BadFile(f"the folder {folder} holds no evaluation set: no pairs with scores, no analogies of four words")
    return FolderResult(tuple(similarities), tuple(analogies), tuple(skipped))


def evaluate_sets(
    vectors: WordVectors, paths: Sequence[AnyPath], *, restrict: int | None = None, threads: int | None = None
) -> FolderResult:
    """Evaluate sets given as files, or as folders of them.

    Raises:
        MissingFile: a path is not there.
        BadFile: a file given by its own name is no set, or a line of a set is malformed.
        BadOption: `restrict` or `threads` is below 1.
    """
    _check(restrict, threads)
    parts = []
    for path in map(Path, paths):
        if path.is_dir():
            parts.append(evaluate_folder(vectors, path, restrict=restrict, threads=threads))
            continue
        match _kind(path):
            case "similarity":
                parts.append(FolderResult((evaluate_similarity(vectors, path),), (), ()))
            case "analogies":
                judged = evaluate_analogies(vectors, path, restrict=restrict, threads=threads)
                parts.append(FolderResult((), (judged,), ()))
            case None:
                raise BadFile(f"{path} holds neither pairs with scores nor analogies of four words")
    return FolderResult(
        tuple(each for part in parts for each in part.similarities),
        tuple(each for part in parts for each in part.analogies),
        tuple(each for part in parts for each in part.skipped),
    )


# ---- scores -----------------------------------------------------------------------------------------


def _check(restrict: int | None, threads: int | None) -> None:
    if restrict is not None and restrict < 1:
        raise BadOption(f"restrict must be 1 or more, got {restrict}; leave it out to use every word")
    if threads is not None and threads < 1:
        raise BadOption(f"threads must be 1 or more, got {threads}; leave it out to use every core")


def _row(vectors: WordVectors, word: str) -> int:
    """The row of a word as it is written, else in lower case, else UNKNOWN."""
    for form in (word, word.lower()):
        if form in vectors:
            return vectors.index(form)
    return UNKNOWN


def _correlations(cosines: list[float], scores: list[float]) -> tuple[float | None, float | None]:
    """Spearman's and Pearson's coefficient; None for fewer than two pairs, or where one side never varies."""
    if len(set(cosines)) < 2 or len(set(scores)) < 2:
        return None, None
    found = stats.spearmanr(cosines, scores).statistic, stats.pearsonr(cosines, scores).statistic
    spearman, pearson = (float(each) if math.isfinite(each) else None for each in found)
    return spearman, pearson


def _solved(vectors: WordVectors, rows: Rows, known_words: int, threads: int) -> NDArray[np.bool_]:
    """Which questions (n, 4) have their last word nearest to b - a + c: bool (n,)."""
    searched, norms = vectors.rows.taken(slice(0, known_words)), vectors.norms[:known_words]
    solved = np.zeros(len(rows), bool)
    for start in range(0, len(rows), QUESTIONS):
        some = rows[start : start + QUESTIONS]
        asked, places = np.unique(some[:, :3], return_inverse=True)
        lengths: NDArray[np.float32] = np.maximum(norms[asked, None], SMALLEST)
        units = (searched.decoded(asked) / lengths)[places.reshape(-1, 3)]
        # No need of unit length: the length of a query changes no order.
        targets = units[:, 1] - units[:, 0] + units[:, 2]
        answers, scores = nearest(searched, norms, targets, some[:, :3], 1, threads)
        solved[start : start + QUESTIONS] = (answers[:, 0] == some[:, 3]) & (scores[:, 0] > -np.inf)
    return solved


# ---- files ------------------------------------------------------------------------------------------


def _lines(path: AnyPath) -> Iterator[Line]:
    """Number and text of each line that is neither blank nor a comment."""
    with opened(path) as file:
        for number, line in enumerate(file, start=1):
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip("\r\n ")
            except UnicodeDecodeError as error:
                raise BadFile(f"{path}, line {number}: not UTF-8 ({error}); convert the file") from error
            if text.strip() and not text.startswith(("# ", "#\t")) and text != "#":
                yield number, text


def _pairs(path: AnyPath) -> Iterator[tuple[str, str, float]]:
    """The pairs of a similarity set and their scores."""
    for place, (number, text) in enumerate(_lines(path)):
        fields = _fields(text)
        score = _score(fields)
        if score is not None:
            yield fields[0], fields[1], score
        elif place > 0 or len(fields) < 3:
            raise BadFile(f"{path}, line {number}: must be two words and a score, got {text[:80]!r}; correct the line")


def _fields(text: str) -> list[str]:
    for delimiter in "\t;,":
        if delimiter in text:
            return [field.strip() for field in text.split(delimiter)]
    return text.split()


def _score(fields: list[str]) -> float | None:
    """The first number behind the two words; some sets put a part of speech between."""
    if len(fields) < 3 or not fields[0] or not fields[1]:
        return None
    for field in fields[2:]:
        try:
            score = float(field.replace(",", "."))
        except ValueError:
            continue
        return score if math.isfinite(score) else None
    return None


def _questions(path: AnyPath) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The names of an analogy set's sections; each question's section, -1 none, and its four words."""
    sections: list[str] = []
    questions: list[tuple[int, list[str]]] = []
    for number, text in _lines(path):
        words = text.split()
        if text.startswith(":"):
            sections.append(text[1:].strip())
        elif len(words) == 4:
            questions.append((len(sections) - 1, words))
        else:
            raise BadFile(
                f"{path}, line {number}: must be four words or `: section`, got {text[:80]!r}; correct the line"
            )
    return sections, questions


def _kind(path: Path) -> Kind | None:
    """What kind of set a file is, told by its first two lines: the first may be a header."""
    try:
        first = [text for _, (_, text) in zip(range(2), _lines(path), strict=False)]
    except BadFile:
        return None
    if any(_score(_fields(text)) is not None for text in first):
        return "similarity"
    if first and (first[0].startswith(":") or all(len(text.split()) == 4 for text in first)):
        return "analogies"
    return None
