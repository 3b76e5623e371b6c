"""Results as tables to read: one row for each measure of a set or section, one column for each model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from firth.errors import counted
from firth.evaluate.comparing import Difference
from firth.evaluate.results import Measure, Result

NAMES = {"spearman": "Spearman", "pearson": "Pearson"}  # what is spelled with a capital
MOST_LISTED = 4  # names in a sentence


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
        yield (label, NAMES.get(measure.name, measure.name), results[0].asked, *cells, *told)


def _known(result: Result) -> str:
    return f"{100 * (1 - result.out_of_vocabulary):.1f} %" if result.known else "none"


def _cell(measure: Measure) -> str:
    return str(measure)


def notes(results: Sequence[Sequence[Result]], names: Sequence[str], found: Sequence[Difference]) -> Iterator[str]:
    """Why there is no score where there is none, what is to be said of a set, and what comes out of the comparison."""
    places: dict[str, dict[str, None]] = {}  # of what each sentence is said, each place once
    without: set[tuple[str, str]] = set()  # sets and models that have no score
    for of_set in results:
        of = of_set[0].name
        told = [list(_told(each)) for each in of_set]
        for name, result, some in zip(names, of_set, told, strict=True):
            without |= {(of, name) for each in result.measures if each.value is None}
            for path, said in some:
                of_all = all((path, said) in others for others in told)
                where = " / ".join((of if of_all else f"{of}, {name}", *path))
                places.setdefault(said, {})[where] = None
    for one in found:
        # Where a model has no score, it goes without saying that there is no difference.
        if one.difference.reason and not one.section and not without & {(one.set, one.first), (one.set, one.second)}:
            places.setdefault(one.difference.reason, {})[f"{one.set}, {one.second} against {one.first}"] = None
    yield from (f"{listed(list(where))}: {said}." for said, where in places.items())


def _told(result: Result) -> Iterator[tuple[tuple[str, ...], str]]:
    """What is to be said of a set and of its sections, with the names that lead to each; () for the set."""
    for path, each in result.walked():
        reasons = dict.fromkeys(measure.reason for measure in each.measures if measure.reason)
        if path and each.items and not each.known:
            reasons = {}  # said below of all such sections, or of the set
        yield from ((path, said) for said in (*reasons, *each.remarks))
    unknown = list(_unknown(result))
    if unknown and not any(measure.reason for measure in result.measures):
        yield (), f"nothing is known in {counted(len(unknown), 'section')}: {listed(unknown)}"


def _unknown(result: Result, path: tuple[str, ...] = ()) -> Iterator[str]:
    """The sections in which nothing is known, and not those inside one of them."""
    for each in result.sections:
        if each.items and not each.known:
            yield " / ".join((*path, each.name))
        else:
            yield from _unknown(each, (*path, each.name))


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: the first MOST_LISTED of them, and how many there are besides."""
    more = len(names) - MOST_LISTED
    if more <= 1:  # one more name is no longer than its number
        return ", ".join(names)
    return f"{', '.join(names[:MOST_LISTED])} and {more:,} more"


def as_markdown(table: Table) -> str:
    """A table in Markdown, without its title."""
    dashes = tuple("---" if place < 2 else "---:" for place in range(len(table.heads)))
    return "\n".join(f"| {' | '.join(map(_escaped, row))} |" for row in (table.heads, dashes, *table.rows))


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|")
