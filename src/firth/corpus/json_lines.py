"""JSON lines: the texts, or lists of tokens, under one key as a source of sentences; or such a file taken for text."""

from __future__ import annotations

import io
import itertools
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from firth.corpus.blocks import Block, TextBlock, decoded, shown
from firth.corpus.columns import EVENTS, ColumnFile, listed
from firth.corpus.files import TextFile
from firth.corpus.iterables import Sentences
from firth.errors import BadCorpus, BadOption

LONGEST_LINE = 64 << 20  # characters after which a line is taken to be a whole file
AS_IT_STANDS = "is meant as it stands, let the file's name end in .txt"
LOOKED_FOR = 10_000  # objects without the key, after which a file is taken to have none with it
OBJECT, ARRAY = re.compile(rb"\s*{\s*([\"}]|$)"), re.compile(rb"\s*\[\s*([\"\[{\]\d]|$)")  # how they begin


@dataclass
class JsonLinesFile(ColumnFile):
    """What stands under one key of the objects of a file, one on each line; each is a sentence.

    They are strings, or lists of strings or whole numbers, whose tokens are their digits. Objects without the key, or
    with null, are left out.
    """

    encoding_errors: str

    def blocks(self) -> Iterator[Block]:
        """The sentences, in blocks as of any others in memory."""
        return Sentences(self._values()).blocks()

    def _values(self) -> Iterator[str | list[str]]:
        """The value of each object that has one, all of one kind; `BadCorpus` names the line of another."""
        kind: type[Any] | None = None
        for number, value in self._found():
            if kind is None:
                kind = type(value)
            if type(value) is not kind or (kind is not str and kind is not list):
                raise self._refusal(number, value, kind)
            if isinstance(value, list):
                kinds = set(map(type, value))
                if kinds == {int}:
                    value = list(map(str, value))
                elif kinds - {str}:
                    raise BadCorpus(
                        f"line {number:,} of {self.path}: a list of tokens under {self.column!r} must hold strings, or "
                        f"whole numbers, got {shown(value)}; leave out nulls, and make the others strings"
                    )
            _check_text(value, f"line {number:,} of {self.path}")
            yield value

    def _refusal(self, number: int, value: Any, kind: type[Any]) -> BadCorpus:
        where = f"line {number:,} of {self.path}: {self.column!r} holds {shown(value)}"
        if kind in (str, list):
            return BadCorpus(f"{where}, but before it stood a {kind.__name__}; write them all alike")
        return BadCorpus(f"{where}, not a string, or a list of strings or of whole numbers; {EVENTS}")

    def _found(self) -> Iterator[tuple[int, Any]]:
        """The values that are not null, each with the number of its line; `BadOption` if no object has the key."""
        others: dict[str, None] = {}
        objects, known = 0, False
        for number, each in self._objects():
            if self.column in each:
                known = True
                if each[self.column] is not None:
                    yield number, each[self.column]
            elif not known:
                others.update(dict.fromkeys(each))
                objects += 1
                if objects == LOOKED_FOR:
                    break
        if objects and not known:
            raise BadOption(
                f"{self.path} has no column {self.column!r}: none of its first {objects:,} objects has that key; they "
                f"have {listed(others)}"
            )

    def _objects(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """The objects, each with the number of its line."""
        for number, line in enumerate(self._lines(), 1):
            if not line.strip():
                continue
            try:
                found = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise BadCorpus(
                    f"line {number:,} of {self.path} is no JSON: {error}; JSON lines have a whole object on each line"
                ) from error
            if not isinstance(found, dict):
                raise BadCorpus(
                    f"line {number:,} of {self.path} holds {shown(found)}; JSON lines have an object on each line, "
                    'such as {"text": "tea is hot"}'
                )
            yield number, found

    def _lines(self) -> Iterator[str]:
        text = TextFile(self.path)
        begun, length, begins = [], 0, True
        for block in text.blocks():
            assert isinstance(block, TextBlock)
            self.done = text.done
            if begins and ARRAY.match(block.data):
                raise BadCorpus(_of_array(self.path, block.data))
            begins = False
            begun.append(decoded(block, self.encoding_errors).decode())
            length += len(begun[-1])
            if length > LONGEST_LINE:
                raise BadCorpus(
                    f"{self.path} has a line of more than {LONGEST_LINE >> 20} MiB; JSON lines have an object on each "
                    "line"
                )
            if not block.line_goes_on:
                yield from io.StringIO("".join(begun), newline="\n")
                begun, length = [], 0


@dataclass
class JsonAsText(TextFile):
    """A file such as .jsonl taken for plain text, which it must be: `BadOption` where it holds JSON."""

    def blocks(self) -> Iterator[Block]:
        """The file's lines, as of any text."""
        blocks = super().blocks()
        for first in blocks:
            if isinstance(first, TextBlock) and ARRAY.match(first.data):
                raise BadCorpus(f"{_of_array(self.path, first.data)}, or, if it {AS_IT_STANDS}")
            if isinstance(first, TextBlock) and OBJECT.match(first.data):
                raise BadOption(
                    f"{self.path} holds JSON, not text{_keys(first)}; name the key to read with the option column, or, "
                    f"if it {AS_IT_STANDS}"
                )
            yield from itertools.chain([first], blocks)


def _check_text(value: str | list[str], where: str) -> None:
    """Raise `BadCorpus` for half a letter, as the escapes of JSON may write it."""
    text = value if isinstance(value, str) else " ".join(value)
    try:
        if not text.isascii():
            text.encode()
    except UnicodeEncodeError as error:
        raise BadCorpus(
            f"{where} holds {shown(text[error.start])}, which UTF-8 cannot hold: it is a lone surrogate; write the "
            "file anew without it"
        ) from error


def _of_array(path: str, text: bytes | bytearray) -> str:
    """The error for a file of arrays: one of objects, or one of tokens on each line."""
    if not re.match(rb"\s*\[\s*[\"\[\]\d]", text):
        return (
            f"{path} holds a JSON array of objects, not an object on each line; write it so, or give the values "
            "themselves: pandas.read_json(path)[column].dropna()"
        )
    return (
        f"{path} holds JSON arrays, not objects with keys; give the lists themselves: "
        "[json.loads(line) for line in open(path)]"
    )


def _keys(block: TextBlock) -> str:
    """The keys of the first line's object, to be told."""
    try:
        found: Iterable[str] = json.loads(block.data.lstrip().split(b"\n", 1)[0])
    except (ValueError, RecursionError):
        return ""
    return f" (it has {listed(found)})" if isinstance(found, dict) and found else ""
