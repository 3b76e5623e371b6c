"""One column cut out of text in rows and cells (CSV and its like), compiled.

Quotes are those of RFC 4180: a cell that begins with one ends with the next that is not doubled, and may hold
separators and line ends. What is no such row is a fault: nothing is mended.
"""

from __future__ import annotations

from firth.jit import compiled, inlined

LINE_FEED, RETURN, SPACE, QUOTE = 10, 13, 32, 34
USED, LINES, HEADING, FAULT, MET = 0, 1, 2, 3, 4  # the places of `state`

# What may be wrong with a row.
COUNT, BEHIND_QUOTE = 1, 2


@inlined
def _ends_row(byte):
    return byte in (LINE_FEED, RETURN)


@compiled
def cut_column(data, separator, place, columns, texts, ends, state):
    """Cut the whole rows of `data` into cells; how many cells of the column `place` hold anything.

    The i-th of these is texts[ends[i]:ends[i + 1]], without its quotes. Empty lines and spaces at a cell's beginning
    are passed over. `state` takes how many bytes the whole rows have and how many lines (added up over calls), and
    says whether the heading is yet to come, a row that gives no text. At a fault, LINES are those before its row, and
    MET is how many cells the row has, or the line, from 1 on, where text stands behind a closing quote.
    """
    at, end = 0, len(data)
    rows = filled = 0
    lines = state[LINES]
    while at < end:
        while at < end and (data[at] == SPACE or _ends_row(data[at])):  # empty lines
            lines += data[at] == LINE_FEED
            at += 1
        state[USED], state[LINES] = at, lines
        cells = 0
        first = filled
        while True:
            wanted = cells == place and state[HEADING] == 0
            while at < end and data[at] == SPACE:
                at += 1
            if at < end and data[at] == QUOTE:
                at += 1
                while at < end:
                    if data[at] == QUOTE:
                        at += 1
                        if at == end or data[at] != QUOTE:
                            break
                    lines += data[at] == LINE_FEED
                    if wanted:
                        texts[filled] = data[at]
                        filled += 1
                    at += 1
                while at < end and data[at] == SPACE:
                    at += 1
                if at < end and data[at] != separator and not _ends_row(data[at]):
                    state[FAULT], state[MET] = BEHIND_QUOTE, lines + 1
                    return rows
            else:
                while at < end and data[at] != separator and not _ends_row(data[at]):
                    if wanted:
                        texts[filled] = data[at]
                        filled += 1
                    at += 1
            if at == end:  # the row goes on in what comes next
                return rows
            cells += 1
            if data[at] != separator:
                break
            at += 1
        if cells != columns:
            state[FAULT], state[MET] = COUNT, cells
            return rows
        if state[HEADING]:
            state[HEADING] = 0
        elif filled > first:
            rows += 1
            ends[rows] = filled
    return rows
