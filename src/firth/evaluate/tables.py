"""Results as tables to read: one row for each measure of a set or section, one column for each model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from firth.evaluate.comparing import Difference
from firth.evaluate.results import Measure, Result

NAMES = {"spearman": "Spearman", "pearson": "Pearson"}  # what is spelled with a capital


@dataclass(frozen=True)
class Table:
    """Heads, and rows of as many cells; the first two columns are text, the others numbers."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def a_row_for_each(self, names: Sequence[str]) -> Table:
        """The same with a row for each model in place of columns, as narrow screens need it."""
        count = len(names)
        heads = (*self.heads[:2], "model", self.heads[2], "known", "score", "difference")
        rows = []
        for label, measure, items, *cells in self.rows:
            told, differences = cells[: 2 * count], ["", *cells[2 * count :], *[""] * count]
            for place, name in enumerate(names):
                begins = (label, measure, name, items) if place == 0 else ("", "", name, "")
                rows.append((*begins, *told[2 * place : 2 * place + 2], differences[place]))
        return Table(self.title, heads, tuple(rows))


def summary_table(results: Sequence[Sequence[Result]], names: Sequence[str], found: Sequence[Difference]) -> Table:
    """All sets, of each the result of every model, without their sections."""
    rows = [row for of_set in results for row in _rows(of_set[0].name, of_set, _of_section(found, of_set[0].name, ()))]
    return Table("Sets", _heads(names, found, "set"), tuple(rows))


def set_table(results: Sequence[Result], names: Sequence[str], found: Sequence[Difference]) -> Table:
    """One set: its sections and the total, of each the result of every model."""
    rows: list[tuple[str, ...]] = []
    for walked in zip(*(each.walked() for each in results), strict=True):
        path, first = walked[0]
        label = " / ".join(path) or f"all of {first.name}"
        rows += _rows(label, [each for _, each in walked], _of_section(found, results[0].name, path))
    return Table(f"{results[0].name} ({results[0].kind})", _heads(names, found, "section"), tuple(rows))


def _heads(names: Sequence[str], found: Sequence[Difference], first: str) -> tuple[str, ...]:
    of_models = [head for name in names for head in ("known", name)]
    return (first, "measure", "items", *of_models, *(f"{b} - {a}" for a, b in _compared(found)))


def _compared(found: Sequence[Difference]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((each.first, each.second) for each in found))


def _of_section(found: Sequence[Difference], name: str, path: tuple[str, ...]) -> list[Difference]:
    return [each for each in found if each.set == name and each.section == path]


def _rows(label: str, results: Sequence[Result], found: Sequence[Difference]) -> Iterator[tuple[str, ...]]:
    for place, measure in enumerate(results[0].measures):
        cells = [cell for each in results for cell in (_known(each), _cell(each.measures[place]))]
        told = [str(each) for each in found if each.measure == measure.name]
        yield (label, NAMES.get(measure.name, measure.name), f"{results[0].items:,} {results[0].unit}", *cells, *told)


def _known(result: Result) -> str:
    return f"{100 * (1 - result.out_of_vocabulary):.1f} %" if result.known else "none"


def _cell(measure: Measure) -> str:
    return str(measure)


def notes(results: Sequence[Sequence[Result]], names: Sequence[str], found: Sequence[Difference]) -> Iterator[str]:
    """Why there is no score where there is none, what is to be said of a set, and what comes out of the comparison."""
    for of_set in results:
        for name, result in zip(names, of_set, strict=True):
            of = f"{result.name}, {name}" if len(names) > 1 else result.name
            for path, each in result.walked():
                where = " / ".join((of, *path))
                reasons = dict.fromkeys(measure.reason for measure in each.measures if measure.reason)
                yield from (f"{where}: {said}." for said in (*reasons, *each.remarks))
    yield from dict.fromkeys(  # once where several measures have the same reason
        f"{one.set}, {one.second} against {one.first}: {one.difference.reason}."
        for one in found
        if one.difference.reason and not one.section
    )


def as_markdown(table: Table) -> str:
    """A table in Markdown, without its title."""
    dashes = tuple("---" if place < 2 else "---:" for place in range(len(table.heads)))
    return "\n".join(f"| {' | '.join(map(_escaped, row))} |" for row in (table.heads, dashes, *table.rows))


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|")
