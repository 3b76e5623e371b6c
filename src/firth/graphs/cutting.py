"""Lines of edges cut into their columns, compiled."""

from __future__ import annotations

from firth.jit import compiled, inlined

WITHOUT_WEIGHTS, WITH_WEIGHTS = 2, 3  # columns
NEW_LINE, TAB, SPACE, RETURN, HASH = 10, 9, 32, 13, 35
COLUMNS, LINE, FAULT, MET, REMARKS = 0, 1, 2, 3, 4  # the places of `state`

# What may be wrong with a line. An error goes on from "line 3 of edges.txt ".
COUNT, OTHER_COUNT, EMPTY = 1, 2, 3
FAULTS = {
    COUNT: "has {met} column{s}; an edge has two names and, if you like, a weight, with what the option delimiter "
    "says between them. What is no edge begins with #, and the option weighted=False reads the first two columns alone",
    OTHER_COUNT: "has {met} columns where those before had {columns}; give every edge a weight, or none",
    EMPTY: "has nothing in column {met}; put a name or a weight there",
}


@inlined
def _is_blank(byte, delimiter):
    """Whether a byte is white space within a line, and not what stands between columns."""
    return (byte == SPACE or (TAB <= byte <= RETURN and byte != NEW_LINE)) and byte != delimiter


@compiled
def cut_edges(data, delimiter, weighted, names, ends, weights, weight_ends, lines, state):
    """Cut all lines of `data`, the last of which may lack its end; how many edges there are.

    The names of edge i are names[ends[2i]:ends[2i + 1]] and names[ends[2i + 1]:ends[2i + 2]], its weight is
    weights[weight_ends[i]:weight_ends[i + 1]], if it has one, and its line lines[i], from 1 on. `delimiter` is the byte
    between columns, 0 for any white space. What stands behind a # at the beginning of a line, or of a column where
    columns are told by white space, is left out. `state` says how many columns an edge has (0: not yet known), and
    takes how many lines there are, and how many of them are remarks and nothing else; at a fault, its line, and what
    was met there.
    """
    at, end = 0, len(data)
    edges, filled, weight_filled = 0, 0, 0
    while at < end:
        state[LINE] += 1
        fields = 0
        while at < end and data[at] != NEW_LINE:
            while at < end and _is_blank(data[at], delimiter):
                at += 1
            if at == end or data[at] == NEW_LINE:
                break
            if data[at] == HASH and (fields == 0 or delimiter == 0):
                state[REMARKS] += fields == 0
                while at < end and data[at] != NEW_LINE:
                    at += 1
                break
            first = at
            while at < end and data[at] != NEW_LINE and data[at] != delimiter:
                if delimiter == 0 and _is_blank(data[at], delimiter):
                    break
                at += 1
            last = at
            while last > first and _is_blank(data[last - 1], delimiter):
                last -= 1
            fields += 1
            if last == first:
                state[FAULT], state[MET] = EMPTY, fields
                return edges
            if fields <= WITHOUT_WEIGHTS:
                for i in range(first, last):
                    names[filled] = data[i]
                    filled += 1
                if 2 * edges + fields < len(ends):
                    ends[2 * edges + fields] = filled
            elif weighted and fields == WITH_WEIGHTS:
                for i in range(first, last):
                    weights[weight_filled] = data[i]
                    weight_filled += 1
            if at < end and data[at] == delimiter:
                at += 1
        at += 1
        if fields == 0:
            continue
        if not weighted and fields > WITHOUT_WEIGHTS:
            fields = WITHOUT_WEIGHTS
        if fields < WITHOUT_WEIGHTS or fields > WITH_WEIGHTS or (state[COLUMNS] != 0 and fields != state[COLUMNS]):
            known = WITHOUT_WEIGHTS <= fields <= WITH_WEIGHTS
            state[FAULT], state[MET] = OTHER_COUNT if known else COUNT, fields
            return edges
        state[COLUMNS] = fields
        lines[edges] = state[LINE]
        edges += 1
        weight_ends[edges] = weight_filled
    return edges
