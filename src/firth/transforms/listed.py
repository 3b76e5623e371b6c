"""Lexicons and dictionaries from text files: words on a line, divided by white space."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator

from firth.errors import BadFile, BadOption
from firth.storage import AnyPath, opened


def read_lexicon(path: AnyPath, *, encoding: str = "utf-8") -> dict[str, list[str]]:
    """A lexicon's words and their neighbours, from lines of `word neighbour neighbour ...`, as retrofitting takes it.

    Words that begin several lines have the neighbours of all. Empty lines are passed over, and a word alone on its
    line has no neighbours. A byte order mark is no part of the first word.

    Raises:
        MissingFile: nothing is there, or it may not be read.
        BadFile: not in this encoding, or no line has a word and a neighbour.
        BadOption: an encoding that Python does not know.
    """
    found: dict[str, list[str]] = {}
    for _, words in _lines(path, encoding):
        found.setdefault(words[0], []).extend(words[1:])
    if not any(found.values()):
        raise BadFile(f"{path} is no lexicon: no line has a word and a neighbour; write `word neighbour neighbour ...`")
    return found


def read_pairs(path: AnyPath, *, encoding: str = "utf-8") -> list[tuple[str, str]]:
    """Pairs of words from lines of two, such as a word and its translation.

    Raises:
        MissingFile: nothing is there, or it may not be read.
        BadFile: not in this encoding, a line that has not two words, or no line at all.
        BadOption: an encoding that Python does not know.
    """
    found = []
    for number, words in _lines(path, encoding):
        if len(words) != 2:
            raise BadFile(f"{path}, line {number}: a line must have two words, got {len(words)}; mend or remove it")
        found.append((words[0], words[1]))
    if not found:
        raise BadFile(f"{path} is no dictionary: it has no line of two words; check the path")
    return found


def _lines(path: AnyPath, encoding: str) -> Iterator[tuple[int, list[str]]]:
    """The number and the words of each line that has any."""
    try:
        name = codecs.lookup(encoding).name
        "".encode(encoding)  # of text, not of bytes
    except (LookupError, TypeError, ValueError) as error:
        raise BadOption(f"encoding must be one that Python knows, got {encoding!r}; utf-8 is usual") from error
    with opened(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8-sig" if name == "utf-8" else name)
        number = 0
        try:
            for number, line in enumerate(text, 1):
                if words := line.split():
                    yield number, words
        except UnicodeError as error:
            raise BadFile(
                f"{path} is not {encoding} after line {number}: {error}; give its encoding (latin-1, cp1252, ...), or "
                "convert it"
            ) from error
        finally:
            text.detach()  # the file is closed by `opened`
