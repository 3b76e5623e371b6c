"""JSON lines: the texts, or lists of tokens, under one key as a source of sentences; or such a file taken for text."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from firth.corpus.blocks import Block, TextBlock, shown, strings_block, tokens_block
from firth.corpus.columns import EVENTS, ColumnFile, listed
from firth.corpus.files import TextFile, whole_lines
from firth.errors import BadCorpus, BadOption

AS_LINES = (
    "JSON lines have a whole object on each line, as pandas' to_json(path, orient='records', lines=True) writes them"
)
AS_IT_STANDS = (
    "is meant as it stands, let the file's name end in .txt; where it stands in a folder of texts and is none, give a "
    "pattern for the texts, such as 'texts/*.txt'"
)
decode = json.JSONDecoder().raw_decode  # what json.loads does with a line that has no spaces around it
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
        """The sentences, as many as a block of the file holds."""
        objects = _Objects(self.path, str(self.column))
        for number, lines in enumerate(whole_lines(self, self.encoding_errors)):
            if number == 0 and ARRAY.match(beginning := lines[:256].encode()):
                raise BadCorpus(_of_array(self.path, beginning))
            yield from objects.blocks(lines)
        objects.check_known()


class _Objects:
    """The objects of a file, whose lines come in parts.

    `lines` is how many there were so far, `kind` that of the values met under the key, str or list, None before one.
    """

    def __init__(self, path: str, column: str) -> None:
        self.path, self.column = path, column
        self.lines = 0
        self.kind: type[Any] | None = None
        self.known = False  # whether an object had the key
        self.others: dict[str, None] = {}  # keys met before that
        self.without = 0  # objects met before that

    def blocks(self, lines: str) -> Iterator[Block]:
        """What stands under the key in some whole lines; `BadCorpus` names the line of what is no sentence."""
        values, numbers = [], []
        for value in self._values(lines):
            if type(value) is not self.kind:
                self._set_kind(value)
            values.append(value if self.kind is str else self._tokens(value))
            numbers.append(self.lines)
        if not values:
            return

        def where(at: int) -> str:
            return f"line {numbers[at]:,} of {self.path}"

        if self.kind is str:
            yield strings_block(values, where)
        else:
            offsets = list(itertools.accumulate(map(len, values), initial=0))
            yield tokens_block(list(itertools.chain.from_iterable(values)), offsets, where)

    def check_known(self) -> None:
        """Raise `BadOption` where objects were met, and none had the key."""
        if self.without and not self.known:
            raise BadOption(
                f"{self.path} has no column {self.column!r}: none of its first {self.without:,} objects has that key; "
                f"they have {listed(self.others)}"
            )

    @property
    def _line(self) -> str:
        return f"line {self.lines:,} of {self.path}"

    def _set_kind(self, value: Any) -> None:
        """Note of what kind the first value is, and so all must be."""
        where = f"{self._line}: {self.column!r} holds {shown(value)}"
        if self.kind is not None:
            raise BadCorpus(f"{where}, but before it stood a {self.kind.__name__}; write them all alike")
        if isinstance(value, dict):
            raise BadCorpus(f"{where}, not a string or a list; {AS_LINES}")
        if not isinstance(value, (str, list)):
            raise BadCorpus(f"{where}, not a string, or a list of strings or of whole numbers; {EVENTS}")
        self.kind = type(value)

    def _tokens(self, value: list[Any]) -> list[str]:
        kinds = set(map(type, value))
        if kinds == {int}:
            return list(map(str, value))
        if kinds - {str}:
            raise BadCorpus(
                f"{self._line}: a list of tokens under {self.column!r} must hold strings, or whole numbers, got "
                f"{shown(value)}; leave out nulls, and make the others strings"
            )
        return value

    def _values(self, lines: str) -> Iterator[Any]:
        """The values that are not null; `BadOption` if LOOKED_FOR objects have not the key."""
        for each in self._objects(lines):
            value = each.get(self.column)
            if value is not None:
                self.known = True
                yield value
            elif not self.known:
                self.known = self.column in each
                self.others.update(dict.fromkeys(each))
                self.without += 1
                if self.without == LOOKED_FOR:
                    self.check_known()

    def _objects(self, lines: str) -> Iterator[dict[str, Any]]:
        """The objects, one for each line that is not empty; `lines` goes along."""
        for line in lines.removesuffix("\n").split("\n"):
            self.lines += 1
            line = line.strip()
            if not line:
                continue
            try:
                found, end = decode(line)
                if end < len(line):
                    raise json.JSONDecodeError("Extra data", line, end)
            except (ValueError, RecursionError) as error:
                raise BadCorpus(f"{self._line} is no JSON: {error}; {AS_LINES}") from error
            if not isinstance(found, dict):
                raise BadCorpus(
                    f"{self._line} holds {shown(found)}; JSON lines have an object on each line, such as "
                    '{"text": "tea is hot"}'
                )
            yield found


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
