"""CSV and its like: a column of texts as a source of sentences, or such a file taken for plain text."""

from __future__ import annotations

import csv
import io
import itertools
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from firth.corpus.blocks import Block, TextBlock, shown
from firth.corpus.columns import ColumnFile, listed
from firth.corpus.files import TextFile, whole_lines
from firth.corpus.iterables import Sentences
from firth.errors import BadCorpus, BadOption, counted

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
LONGEST_CELL = 16 << 20  # characters, after which a quote is taken to be unclosed
TABLE_ROWS = 20  # that are looked at to see what a text is
TABLE_CHARACTERS = 1 << 16


@dataclass
class SeparatedFile(ColumnFile):
    """One column of a file of rows and cells, each row a sentence; empty cells are left out.

    The first row names the columns, and tells what separates them: the `usual` separator, or another of SEPARATORS.
    """

    usual: str
    encoding_errors: str
    cells_as_they_are: bool = False  # whether the caller's tokenizer knows what stands in a cell

    def blocks(self) -> Iterator[Block]:
        """The column's cells."""
        parts = whole_lines(self, self.encoding_errors)
        text = next((part for part in parts if not part.isspace()), None)
        if text is None:
            return
        separator, place, columns = self._heading(text)
        lines = (line for part in itertools.chain([text], parts) for line in io.StringIO(part, newline=""))
        cells = self._cells(lines, separator, place, columns)
        some = list(itertools.islice(cells, TABLE_ROWS))
        if some and not self.cells_as_they_are:
            self._warn_of_lists(some)
        yield from Sentences(itertools.chain(some, cells)).blocks()

    def _heading(self, text: str) -> tuple[str, int, int]:
        """The separator, the place of the column, and how many columns there are; `BadOption` if it is not there."""
        order = sorted(SEPARATORS, key=lambda each: each != self.usual)
        headings = {each: [name.strip() for name in next(_rows(text, each), [])] for each in order}
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

    def _cells(self, lines: Iterator[str], separator: str, place: int, columns: int) -> Iterator[str]:
        """What stands in one column, below the heading."""
        csv.field_size_limit(max(csv.field_size_limit(), LONGEST_CELL))  # of the whole process, so never lowered
        reader = csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True)
        begins, is_heading = 1, True
        try:
            for row in reader:
                line, begins = begins, reader.line_num + 1
                if not any(row):  # an empty line
                    continue
                if len(row) != columns:
                    raise BadCorpus(
                        f"line {line:,} of {self.path} has {counted(len(row), 'cell')}, but the first line names "
                        f"{counted(columns, 'column')}; put quotes around a cell that holds a {SEPARATORS[separator]}, "
                        "and leave no cell out"
                    )
                if row[place] and not is_heading:
                    yield row[place]
                is_heading = False
        except csv.Error as error:
            within = "" if reader.line_num == begins else f", in the row that begins in line {begins:,}"
            given = "" if separator == "," else f", sep={separator!r}"
            raise BadCorpus(
                f"line {reader.line_num:,} of {self.path} cannot be read{within}: {error}; write a quote within a cell "
                "twice, and no space behind the one that ends it, or give the column itself, by pandas.read_csv with "
                "escapechar where backslashes stand before quotes, or, where quotes mean nothing: "
                f"pandas.read_csv(path{given}, quoting=3)[column].dropna()"
            ) from error

    def _warn_of_lists(self, cells: list[str]) -> None:
        if all(cell.startswith("[") and cell.endswith("]") for cell in cells):
            warnings.warn(
                f"the cells of {self.column!r} in {self.path} look like lists ({shown(cells[0])}), but are read as "
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


def _rows(text: str, separator: str) -> Iterator[list[str]]:
    """The rows of a text that are not empty, as far as they can be told."""
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
        yield from filter(any, reader)
    except csv.Error:  # a cell longer than csv takes
        return


def _table_of(block: TextBlock) -> list[str]:
    """The first row of a text whose rows have equally many cells, two or more, by some separator; else nothing."""
    text = block.data[:TABLE_CHARACTERS].decode("utf-8", "replace")
    whole = text[: text.rfind("\n") + 1]
    for separator in SEPARATORS:
        rows = list(itertools.islice(_rows(whole, separator), TABLE_ROWS))
        if len(rows) > 1 and len(rows[0]) > 1 and len({len(row) for row in rows}) == 1:
            return rows[0]
    return []
