"""CSV and its like: a column of texts as a source of sentences, or such a file taken for plain text."""

from __future__ import annotations

import csv
import io
import itertools
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from firth.corpus.blocks import Block, StringsBlock, TextBlock, decoded, shown
from firth.corpus.cells import BEHIND_QUOTE, FAULT, HEADING, LINES, MET, USED, cut_column
from firth.corpus.columns import ColumnFile, listed
from firth.corpus.files import TextFile
from firth.errors import BadCorpus, BadOption, counted

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
HEADING_CHARACTERS = 1 << 16  # in which the heading is looked for
FIRST_LINE = re.compile(rb"\s*[^\r\n]+[\r\n]")
LONGEST_ROW = 64 << 20  # bytes after which a quote is taken to be unclosed
TABLE_ROWS = 20  # that are looked at to see whether a text is a table


@dataclass
class SeparatedFile(ColumnFile):
    """One column of a file of rows and cells, each row a sentence; empty cells are left out.

    The first row names the columns, and tells what separates them: the `usual` separator, or another of SEPARATORS.
    """

    usual: str
    encoding_errors: str
    cells_as_they_are: bool = False  # whether the caller's tokenizer knows what stands in a cell

    def blocks(self) -> Iterator[Block]:
        """The column's cells, as many as a block of the file holds."""
        rest, cutter, looked = bytearray(), None, False
        for data in self._text():
            rest += data
            if cutter is None:
                if len(rest) > LONGEST_ROW:
                    raise BadCorpus(f"the first line of {self.path} is longer than {LONGEST_ROW >> 20} MiB; is it CSV?")
                if not FIRST_LINE.match(rest):
                    continue
                cutter = _Cutter(self.path, *self._heading(rest))
            texts = cutter.cut(rest)
            if len(rest) > LONGEST_ROW:
                raise cutter.unclosed(rest, f"is longer than {LONGEST_ROW >> 20} MiB: a quote may never be closed")
            if len(texts):
                if not looked and not self.cells_as_they_are:
                    self._warn_of_lists(texts)
                looked = True
                yield StringsBlock(texts)
        if cutter is not None and rest:
            raise cutter.unclosed(rest, "has a quote that is never closed")

    def _text(self) -> Iterator[bytes | bytearray]:
        """The file in UTF-8, so many bytes at a time, and in the end a line's end, which the last row may lack."""
        text = TextFile(self.path)
        for block in text.blocks():
            assert isinstance(block, TextBlock)
            self.done = text.done
            yield decoded(block, self.encoding_errors)
        yield b"\n"

    def _heading(self, text: bytearray) -> tuple[str, int, int]:
        """The separator, the place of the column, and how many columns there are; `BadOption` if it is not there."""
        beginning = text[:HEADING_CHARACTERS].decode("utf-8", "ignore")
        order = sorted(SEPARATORS, key=lambda each: each != self.usual)
        headings = {each: [name.strip() for name in next(_rows(beginning, each), [])] for each in order}
        wanted = (self.column or "").strip()
        separator = max(order, key=lambda each: (wanted in headings[each], len(headings[each])))
        names = headings[separator]
        if wanted not in names:
            raise BadOption(
                f"{self.path} has no column {self.column!r}; its first line names {listed(names)}. If that line is a "
                "row like the others, or sep=; for a spreadsheet, let a line that names the columns be the first"
            )
        if names.count(wanted) > 1:
            raise BadOption(f"{self.path} has {names.count(wanted)} columns {self.column!r}; give each its own name")
        return separator, names.index(wanted), len(names)

    def _warn_of_lists(self, texts: pa.LargeStringArray) -> None:
        some = texts[:TABLE_ROWS].to_pylist()
        if all(text.startswith("[") and text.endswith("]") for text in some):
            warnings.warn(
                f"the cells of {self.column!r} in {self.path} look like lists ({shown(some[0])}), but are read as "
                "texts, brackets and all; write them as JSON lines or Parquet, or give a tokenizer of your own",
                stacklevel=2,
            )


@dataclass
class SeparatedAsText(TextFile):
    """A file such as .csv taken for plain text. If it looks like a table, a warning says how to read a column."""

    def blocks(self) -> Iterator[Block]:
        """The file's lines, as of any text."""
        for number, block in enumerate(super().blocks()):
            if number == 0 and isinstance(block, TextBlock) and (names := _table_of(block)):
                warnings.warn(
                    f"{self.path} looks like a table ({listed(names)}), but is read as plain text, commas, quotes and "
                    "all; name the column to read with the option column, or, if plain text is meant, let the file's "
                    "name end in .txt",
                    stacklevel=2,
                )
            yield block


class _Cutter:
    """Cuts the cells of one column out of the text of a file, which comes in parts."""

    def __init__(self, path: str, separator: str, place: int, columns: int) -> None:
        self.path, self.separator, self.place, self.columns = path, separator, place, columns
        self.state = np.zeros(5, np.int64)
        self.state[HEADING] = 1

    def cut(self, text: bytearray) -> pa.LargeStringArray:
        """The cells of the whole rows of `text` that hold anything; these rows are taken away from it."""
        data = np.frombuffer(text, np.uint8)
        texts = np.empty(len(data), np.uint8)
        ends = np.empty(len(data) // (self.columns + 1) + 2, np.int64)  # a row with a text has no fewer bytes
        ends[0] = 0
        rows = cut_column(data, ord(self.separator), self.place, self.columns, texts, ends, self.state)
        del data  # which would hold the text at its size
        if self.state[FAULT]:
            raise self._fault(text)
        del text[: int(self.state[USED])]
        return pa.LargeStringArray.from_buffers(rows, pa.py_buffer(ends), pa.py_buffer(texts))

    def unclosed(self, text: bytearray, what: str) -> BadCorpus:
        """The error for a row that does not end."""
        return BadCorpus(f"the row that begins in line {self.line:,} of {self.path} {what}; {self._about_quotes(text)}")

    @property
    def line(self) -> int:
        """The line in which the row under way begins, from 1 on."""
        return int(self.state[LINES]) + 1

    def _fault(self, text: bytearray) -> BadCorpus:
        met = int(self.state[MET])
        if self.state[FAULT] == BEHIND_QUOTE:
            where = "" if met == self.line else f"; the row begins in line {self.line:,}"
            return BadCorpus(
                f"line {met:,} of {self.path} has text behind a closing quote{where}; {self._about_quotes(text)}"
            )
        named = SEPARATORS[self.separator]
        return BadCorpus(
            f"line {self.line:,} of {self.path} has {counted(met, 'cell')}, but the first line names "
            f"{counted(self.columns, 'column')}; put quotes around a cell that holds a {named}, and leave no cell out"
        )

    def _about_quotes(self, text: bytearray) -> str:
        """What to do about the quotes of a text."""
        how = "" if self.separator == "," else f", sep={self.separator!r}"
        if b'\\"' in text:
            how, when = f"{how}, escapechar={chr(92)!r}", "where backslashes stand before them"
        else:
            how, when = f"{how}, quoting=3", "where quotes mean nothing"
        return (
            f"write a quote within a cell twice, or, {when}, give the column itself: "
            f"pandas.read_csv(path{how})[column].dropna()"
        )


def _rows(text: str, separator: str) -> Iterator[list[str]]:
    """The rows of a text that are not empty, as far as they can be told."""
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
        yield from filter(None, reader)
    except csv.Error:  # a cell longer than csv takes
        return


def _table_of(block: TextBlock) -> list[str]:
    """The first row of a text whose rows have equally many cells, two or more, by some separator; else nothing."""
    text = block.data[:HEADING_CHARACTERS].decode("utf-8", "replace")
    whole = text[: text.rfind("\n") + 1]
    for separator in SEPARATORS:
        rows = list(itertools.islice(_rows(whole, separator), TABLE_ROWS))
        if len(rows) > 1 and len(rows[0]) > 1 and len({len(row) for row in rows}) == 1:
            return rows[0]
    return []
