"""What the command line was given: models and sets in one list, told apart by what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from firth.formats.table import FIRST_BYTES, FORMATS, by_suffix
from firth.storage import is_folder, opened
from firth.vectors import WordVectors

ALSO_TEXT = (".txt", ".csv", ".tsv")  # suffixes that sets have, too


def models_and_sets(first: Path, others: Sequence[Path]) -> tuple[dict[str, WordVectors], list[Path]]:
    """The models by name, the first path being one, and the paths of sets among the others.

    Raises what `WordVectors.load` does, and `MissingFile` where nothing is at a path.
    """
    models: list[Path] = [first]
    sets: list[Path] = []
    for path in others:
        (models if is_model(path) else sets).append(path)
    return {name: WordVectors.load(path) for name, path in zip(names(models), models, strict=True)}, sets


def is_model(path: Path) -> bool:
    """Whether a file or folder looks like vectors rather than a set."""
    if is_folder(path):
        return any(each.recognises_folder is not None and each.recognises_folder(path) for each in FORMATS)
    if by_suffix(path) and path.suffix.lower() not in ALSO_TEXT:
        return True
    with opened(path) as file:
        first = file.read(FIRST_BYTES)
    alike = [each.name for each in FORMATS if each.recognises(first)]
    if alike == ["glove"]:  # as which a pair with several scores may pass
        return all(_is_number(each) for each in first.partition(b"\n")[0].split()[1:])
    return bool(alike)


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def names(paths: Sequence[Path]) -> list[str]:
    """What models are called: their files without suffix, with as much of the folders as tells them apart."""
    parts = [(*path.resolve().parent.parts, path.stem) for path in paths]
    for length in range(1, max(map(len, parts)) + 1):
        found = [str(Path(*each[-length:])) for each in parts]
        if len(set(found)) == len(found):
            return found
    # One file, several times.
    return [f"{path.name} ({place})" for place, path in enumerate(paths, start=1)]
