"""The lines of a set's file, numbered as an editor numbers them."""

from __future__ import annotations

import codecs
import csv
from pathlib import Path
from typing import TypeAlias

from firth.errors import BadFile, counted
from firth.storage import AnyPath, opened

Line: TypeAlias = tuple[int, str]

SHOWN = 80  # letters of a line that an error quotes
MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}  # byte order marks that speak for another encoding


def all_lines(path: AnyPath, encoding: str = "utf-8") -> list[Line]:
    """Number and text of each line that is no comment (`# ...`), blank ones too.

    Raises:
        MissingFile: nothing is there, or it may not be read.
        BadFile: the bytes are not of this encoding.
    """
    with opened(path) as file:
        data = file.read()
    try:
        text = data.decode("utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding)
    except UnicodeError as error:
        line = data.count(b"\n", 0, getattr(error, "start", 0)) + 1
        likely = MARKS.get(data[:2], "latin-1")
        raise BadFile(
            f"{path}, line {line}: not {encoding.upper()} ({error}); convert the file, or name its encoding, such as "
            f"encoding={likely!r}"
        ) from error
    text = text.replace("\r\n", "\n").replace("\r", "\n")  # lines end as on any system
    lines = enumerate([line.strip(" ") for line in text.split("\n")], start=1)
    if "#" not in text:
        return list(lines)
    return [each for each in lines if each[1][:1] != "#" or each[1][1:2] not in ("", " ", "\t")]


def lines_of(path: AnyPath, encoding: str = "utf-8") -> list[Line]:
    """As `all_lines`, but blank ones left out; `BadFile` where none is left."""
    found = [each for each in all_lines(path, encoding) if each[1] and not each[1].isspace()]
    if not found:
        raise empty_set(path, "blanks and comments")
    return found


def empty_set(path: AnyPath, held: str) -> BadFile:
    """The error for a file that is a set but for what is asked."""
    return BadFile(f"{path} is an empty set: there is nothing in it but {held}; check the file")


def fields_of(text: str) -> list[str]:
    """What a line holds between tabs, else semicolons, else commas, else white space; quoted fields as CSV has them."""
    for delimiter in "\t;,":
        if delimiter in text:
            return list(map(str.strip, _quoted(text, delimiter) if '"' in text else text.split(delimiter)))
    return text.split()


def _quoted(text: str, delimiter: str) -> list[str]:
    """The fields of a line of CSV; where its quotes are no CSV's, as in a set that has " for a word, all they hold."""
    try:
        return next(csv.reader([text], delimiter=delimiter, skipinitialspace=True, strict=True))
    except csv.Error:
        return text.split(delimiter)


def malformed(path: AnyPath, number: int, text: str, rule: str) -> BadFile:
    """The error for a line that breaks the rule."""
    held = counted(len(fields_of(text)), "field")
    return BadFile(f"{path}, line {number}: must be {rule}, got {held}: {text[:SHOWN]!r}; correct the line")


def set_name(path: AnyPath) -> str:
    """What a set is called: its file without folder and suffix."""
    return Path(path).name.removesuffix(".gz").rpartition(".")[0] or Path(path).name
