"""Random walks, compiled: the steps of `reference.py`, and the tables that weighted steps are looked up in."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from firth.backends.cpu_draws import draw, scaled
from firth.draws import DRAWS_PER_STEP
from firth.jit import compiled, inlined

u64 = np.uint64
TOGETHER = 16  # walks
ATTEMPTS = 16  # of a step that is drawn and may be refused; then all neighbours are weighed
ONE, TWO, HALF_BITS, LOW_HALF, _11 = u64(1), u64(2), u64(32), u64(2**32 - 1), u64(11)
EXACT = 2.0**-53  # what chances of being taken are whole numbers of
FULL = 2.0**32 - 1  # the highest chance of an alias

RETURN, NEAR, FAR = 0, 1, 2  # the columns of biases: back, to a neighbour of where the walk was, elsewhere


class Arcs(NamedTuple):
    """The graph as walks see it: CSR, see `adjacency`; both last are empty where all arcs weigh the same.

    An alias says what becomes of the arc that a draw picks: its lower 32 bits are the chance to stay, in units of
    2^-32, the upper ones the place in the row of the arc that is taken otherwise.
    """

    indptr: npt.NDArray[np.int64]  # (N + 1,)
    indices: npt.NDArray[np.int32]  # (A,)
    weights: npt.NDArray[np.float64]  # (A,)
    aliases: npt.NDArray[np.uint64]  # (A,)


class Rules(NamedTuple):
    """What does not change from walk to walk.

    `biases` are float64 (3,), 1/p, 1 and 1/q over the largest of them; `chances` the same in units of 2^-53, uint64.
    """

    key: np.uint64
    length: int
    second_order: bool
    biases: npt.NDArray[np.float64]
    chances: npt.NDArray[np.uint64]


@inlined
def _pick(arcs, node, value):
    """The arc that a draw picks out of those of a node, by weight."""
    begin = arcs.indptr[node]
    place, rest = scaled(value, arcs.indptr[node + 1] - begin)
    if len(arcs.aliases) > 0:
        alias = arcs.aliases[begin + place]
        if rest >= alias & LOW_HALF:
            place = np.int64(alias >> HALF_BITS)
    return begin + place


@inlined
def _leads_to(arcs, node, target):
    """Whether an arc leads from a node to a target: binary search."""
    low, high = arcs.indptr[node], arcs.indptr[node + 1]
    last = high
    while low < high:
        middle = (low + high) >> 1
        if arcs.indices[middle] < target:
            low = middle + 1
        else:
            high = middle
    return low < last and arcs.indices[low] == target


@inlined
def _kind(arcs, previous, target):
    """Where a step to `target` leads, seen from where the walk was before: the column of its bias."""
    if target == previous:
        return RETURN
    return NEAR if _leads_to(arcs, previous, target) else FAR


@inlined
def _weighed(arcs, rules, previous, node, value):
    """The arc that a draw picks when all arcs of a node are weighed with their biases."""
    begin, end = arcs.indptr[node], arcs.indptr[node + 1]
    weighted = len(arcs.weights) > 0
    total = 0.0
    for arc in range(begin, end):
        weight = arcs.weights[arc] if weighted else 1.0
        total += weight * rules.biases[_kind(arcs, previous, arcs.indices[arc])]
    drawn, upto = np.float64(value >> _11) * EXACT * total, 0.0
    for arc in range(begin, end):
        weight = arcs.weights[arc] if weighted else 1.0
        upto += weight * rules.biases[_kind(arcs, previous, arcs.indices[arc])]
        if drawn < upto:
            return arc
    return end - 1


@inlined
def _pick_biased(arcs, rules, walk_key, counter, previous, node):
    """The arc of a second-order step.

    One is picked by weight alone and taken with a chance in proportion to its bias, else another is picked: so what is
    taken has the right distribution. The arc found by weighing all has it, too, and so may come in place of any further
    attempt: the number of attempts is bounded, and nothing biased by that.
    """
    low = min(rules.chances[RETURN], rules.chances[NEAR], rules.chances[FAR])
    for _ in range(ATTEMPTS):
        arc = _pick(arcs, node, draw(walk_key, counter))
        value = draw(walk_key, counter + ONE) >> _11
        if value < low or value < rules.chances[_kind(arcs, previous, arcs.indices[arc])]:
            return arc
        counter += TWO
    return _weighed(arcs, rules, previous, node, draw(walk_key, counter))


@inlined
def _go_on(arcs, rules, number, step, nodes, at, lengths, walk):
    """Take a step of a walk, to nodes[at], if an arc leads on."""
    node = np.int64(nodes[at - 1])
    if arcs.indptr[node] < arcs.indptr[node + 1]:
        walk_key, counter = draw(rules.key, number), u64(step) * u64(DRAWS_PER_STEP)
        if step > 1 and rules.second_order:
            arc = _pick_biased(arcs, rules, walk_key, counter, np.int64(nodes[at - 2]), node)
        else:
            arc = _pick(arcs, node, draw(walk_key, counter))
        nodes[at] = arcs.indices[arc]
        lengths[walk] = step + 1


@compiled
def walk(arcs, rules, starts, numbers, nodes, lengths):
    """Walk from each of `starts`; walk i has the number numbers[i]. Gives how many nodes were gone to.

    `nodes` takes the nodes of all walks, one after the other, `lengths` how many each has. TOGETHER walks take each
    step side by side: where one waits for memory, the others go on.
    """
    written = 0
    for first in range(0, len(starts), TOGETHER):
        count = min(TOGETHER, len(starts) - first)
        begin = written
        for i in range(count):
            nodes[begin + i * rules.length] = starts[first + i]
            lengths[first + i] = 1
        for step in range(1, rules.length):
            for i in range(count):
                at = begin + i * rules.length + step
                if lengths[first + i] == step:
                    _go_on(arcs, rules, u64(numbers[first + i]), step, nodes, at, lengths, first + i)
        for i in range(count):
            at = begin + i * rules.length
            for step in range(lengths[first + i]):
                nodes[written + step] = nodes[at + step]
            written += lengths[first + i]
    return written


@compiled
def fill_aliases(indptr, weights, aliases, left, waiting):
    """Write the alias of each arc: Walker 1977, by Vose's method (1991), row by row.

    `left` (float64) and `waiting` (int64) have room for the longest row.
    """
    for node in range(len(indptr) - 1):
        begin, count = indptr[node], indptr[node + 1] - indptr[node]
        heaviest, total = 0.0, 0.0
        for i in range(count):
            heaviest = max(heaviest, weights[begin + i])
        for i in range(count):
            total += weights[begin + i] / heaviest
        small, large = 0, count  # places that wait: those below 1 from the front, the others from the back
        for i in range(count):
            left[i] = weights[begin + i] / heaviest * (count / total)
            aliases[begin + i] = (u64(i) << HALF_BITS) | LOW_HALF
            if left[i] < 1:
                waiting[small] = i
                small += 1
            else:
                large -= 1
                waiting[large] = i
        while small > 0 and large < count:
            small -= 1
            low, high = waiting[small], waiting[large]
            aliases[begin + low] = (u64(high) << HALF_BITS) | u64(min(left[low] * 2.0**32, FULL))
            left[high] -= 1 - left[low]
            if left[high] < 1:
                large += 1
                waiting[small] = high
                small += 1
