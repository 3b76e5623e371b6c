"""What a file or a folder of sets holds, told by its first lines, and read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from firth.errors import BadFile, MissingFile
from firth.evaluate.analogies import BATS_NAME, AnalogySet, is_bats
from firth.evaluate.association import AssociationSet, is_association
from firth.evaluate.categories import CategorySet, is_bless
from firth.evaluate.known import KnownWords
from firth.evaluate.lines import fields_of, lines_of
from firth.evaluate.outliers import OutlierSet, is_marked, is_topic, words_in
from firth.evaluate.results import Result
from firth.evaluate.similarity import SimilaritySet, score_in
from firth.options import EvaluationOptions
from firth.storage import AnyPath, is_folder

Kind: TypeAlias = Literal["similarity", "analogies", "categories", "outliers", "association"]

WHOLE_FOLDERS = ("analogies", "outliers")  # kinds of which a folder may be one set


class EvaluationSet(Protocol):
    """What a model can be judged by."""

    @property
    def name(self) -> str:
        """What it is called."""

    def called(self, name: str) -> EvaluationSet:
        """The same under another name."""

    def judge(self, known: KnownWords) -> Result:
        """How a model does on it."""


READERS: dict[str, Callable[[AnyPath, str], EvaluationSet]] = {
    "similarity": SimilaritySet.read,
    "analogies": AnalogySet.read,
    "categories": CategorySet.read,
    "outliers": OutlierSet.read,
    "association": AssociationSet.read,
}


def read_sets(paths: Sequence[AnyPath], options: EvaluationOptions) -> tuple[list[EvaluationSet], list[str]]:
    """The sets in files, and in folders of them; and the names of files in folders that are none.

    Raises:
        MissingFile: a path is not there.
        BadFile: a file given by its own name is no set, a folder holds none, or a line of a set is malformed.
    """
    sets: list[EvaluationSet] = []
    skipped: list[str] = []
    for path in paths:
        if is_folder(path):
            some, others = read_folder(Path(path), options)
            sets += some
            skipped += others
        else:
            sets.append(read_set(path, options))
    return _named_apart(sets), skipped


def _named_apart(sets: list[EvaluationSet]) -> list[EvaluationSet]:
    """The sets, those of a name that is taken already with a number behind it."""
    found: dict[str, EvaluationSet] = {}
    for each in sets:
        number, name = 1, each.name
        while name in found:
            number += 1
            name = f"{each.name} ({number})"
        found[name] = each.called(name)
    return list(found.values())


def read_set(path: AnyPath, options: EvaluationOptions) -> EvaluationSet:
    """The set in a file, of the kind that the options or its lines tell."""
    kind = options.kind or kind_of(path, options.encoding)
    if kind is None:
        raise BadFile(
            f"{path} is no set that is known by its lines: neither pairs with scores nor analogies, words with classes,"
            " outliers or lists for WEAT; name its kind"
        )
    return READERS[kind](path, options.encoding)


def read_folder(folder: Path, options: EvaluationOptions) -> tuple[list[EvaluationSet], list[str]]:
    """The sets directly in a folder, or the one that the folder is; and the names of files that are no sets."""
    if not folder.is_dir():
        raise MissingFile(f"no folder of evaluation sets at {folder}; check the path")
    whole = _whole_folder(folder, options)
    if whole:
        return [READERS[whole](folder, options.encoding)], []
    sets, skipped = [], []
    for entry in sorted(each for each in folder.iterdir() if not each.name.startswith(".")):
        if entry.is_dir():
            inside = _whole_folder(entry, options) if not options.kind else None
            if inside:
                sets.append(READERS[inside](entry, options.encoding))
            continue
        kind = options.kind or _kind_or_none(entry, options.encoding)
        if kind:
            sets.append(READERS[kind](entry, options.encoding))
        else:
            skipped.append(entry.name)
    if not sets:
        raise BadFile(
            f"the folder {folder} holds no evaluation set: no pairs with scores, no analogies of four words, no words "
            "with classes, no outliers"
        )
    return sets, skipped


def _whole_folder(folder: Path, options: EvaluationOptions) -> str | None:
    """The kind of the one set that a folder is, or None."""
    files = [each for each in folder.iterdir() if each.is_file() and not each.name.startswith(".")]
    if is_bats(folder) or (options.kind == "analogies" and _are_pairs(folder, options.encoding)):
        return "analogies"
    topics = (
        options.kind in (None, "outliers")
        and len(files) > 1
        and all(_is_topic(each, options.encoding) for each in files)
    )
    return "outliers" if topics else None


def _are_pairs(folder: Path, encoding: str) -> bool:
    """Whether the first text file somewhere in a folder begins with a word and its answers."""
    first = next(iter(sorted(folder.rglob("*.txt"))), None)
    return first is not None and len(lines_of(first, encoding)[0][1].split()) == 2


def _is_topic(path: Path, encoding: str) -> bool:
    try:
        return is_topic(path, encoding)
    except BadFile:
        return False


def _kind_or_none(path: Path, encoding: str) -> Kind | None:
    try:
        return kind_of(path, encoding)
    except BadFile:
        return None


def kind_of(path: AnyPath, encoding: str = "utf-8") -> Kind | None:
    """What kind of set a file is, told by its first two lines, as the first may be a header; or None.

    A file of BATS, which could pass for words with classes, is told by its name. Lines with a number behind two words
    are pairs with scores, but where both begin with four whole numbers, spaces alone between them, they are analogies
    of numbers, as one has them of items or nodes.

    Raises `MissingFile` where nothing is there, and `BadFile` where nothing is in it, or it is not of this encoding.
    """
    texts = [text for _, text in lines_of(path, encoding)]
    first = texts[:2]
    if BATS_NAME.fullmatch(Path(path).name):
        return "analogies"
    if is_association(texts):
        return "association"
    if any(is_marked(word) for text in first for word in words_in(text)) or is_topic(path, encoding):
        return "outliers"
    scored = [score_in(fields_of(text)) is not None for text in first]
    if first[0].startswith(":") and not scored[0]:  # of a section; words may be numbers
        return "analogies"
    if any(scored):
        return "analogies" if all(_are_four_numbers(text) for text in first) else "similarity"
    if any(is_bless(fields_of(text)) for text in first):
        return "categories"
    if all(len(text.split()) == 4 for text in first):
        return "analogies"
    if _are_classes(texts):
        return "categories"
    return None


def _are_four_numbers(text: str) -> bool:
    """Whether a line is four whole numbers, spaces alone between them."""
    fields = text.split(" ")
    return len(fields) == 4 and all(each.isdecimal() for each in fields)


def _are_classes(texts: list[str]) -> bool:
    """Whether each line is two words, or three, of which one is said again: a class has several members."""
    lines = [fields_of(text) for text in texts]
    if not all(2 <= len(each) <= 3 and each[0] and each[1] for each in lines):
        return False
    return any(len({each[column] for each in lines}) < len(lines) for column in (0, 1))
