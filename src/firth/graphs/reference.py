"""A random walk, step by step and slow on purpose: the truth that `kernels.py` is held to.

A walk from node to node, each step along an arc out of the present node. Coming from t and standing at v, it goes on to
a neighbour x of v with a probability in proportion to

    weight(v, x) · bias,    bias = 1/p if x is t;  1 if an arc leads from t to x;  1/q otherwise

(node2vec, Grover & Leskovec 2016, section 3.2). The first step has no t and goes by weight alone, as does every step
where p = q = 1: DeepWalk (Perozzi et al. 2014).

All draws of a walk are under a key of its own, which is a draw at its number; those of its s-th step (the first is 1)
are at s · 64 + n. The first draw, n = 0, decides a step by weight alone. A biased step is drawn by rejection: attempt a
picks an arc by weight (n = 2a) and takes it with the chance bias / largest bias (n = 2a + 1). After ATTEMPTS in vain,
all arcs are weighed with their biases, and one more draw decides (n = 2 · ATTEMPTS).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from firth.draws import DRAWS_PER_STEP, Purpose, draw, scaled, stream_key
from firth.graphs.kernels import ATTEMPTS, FAR, NEAR, RETURN, Arcs, Rules
from firth.options import WalkOptions


def rules_of(options: WalkOptions) -> Rules:
    """The options as kernels take them."""
    biases = np.array([1 / options.p, 1.0, 1 / options.q])
    biases /= biases.max()
    chances = np.rint(biases * 2.0**53).astype(np.uint64)
    key = np.uint64(stream_key(options.seed, 0, Purpose.WALK))
    return Rules(key, options.walk_length, not options.p == options.q == 1, biases, chances)


def starts_of(nodes: int, seed: int, turn: int) -> npt.NDArray[np.int64]:
    """The nodes in the order in which walks start from them in a turn: each once, int64 (nodes,).

    Training sees walks in this order, and its learning rate falls meanwhile: so a node's walks are spread over it.
    """
    draws = draw(stream_key(seed, turn, Purpose.STARTS), np.arange(nodes))
    return np.argsort(draws, kind="stable")


def walk_by_steps(arcs: Arcs, rules: Rules, start: int, number: int) -> list[int]:
    """The nodes of one walk, the start among them."""
    walk_key = int(draw(int(rules.key), number))
    walk = [start]
    for step in range(1, rules.length):
        begin, end = (int(each) for each in arcs.indptr[walk[-1] : walk[-1] + 2])
        if begin == end:
            break
        if step == 1 or not rules.second_order:
            arc = begin + _picked(arcs, begin, end, draw(walk_key, step * DRAWS_PER_STEP))
        else:
            arc = begin + _picked_biased(arcs, rules, walk_key, step, walk[-2], begin, end)
        walk.append(int(arcs.indices[arc]))
    return walk


def _picked(arcs: Arcs, begin: int, end: int, value: npt.NDArray[np.uint64]) -> int:
    """Which of a node's arcs a draw picks, by weight."""
    place, rest = scaled(value, end - begin)
    if not len(arcs.aliases):
        return int(place)
    alias = int(arcs.aliases[begin + int(place)])
    return int(place) if rest < alias % 2**32 else alias >> 32


def _picked_biased(arcs: Arcs, rules: Rules, walk_key: int, step: int, previous: int, begin: int, end: int) -> int:
    targets = arcs.indices[begin:end]
    near = np.isin(targets, arcs.indices[arcs.indptr[previous] : arcs.indptr[previous + 1]])
    kinds = np.where(targets == previous, RETURN, np.where(near, NEAR, FAR))
    first = step * DRAWS_PER_STEP
    for attempt in range(ATTEMPTS):
        place = _picked(arcs, begin, end, draw(walk_key, first + 2 * attempt))
        if draw(walk_key, first + 2 * attempt + 1) >> np.uint64(11) < rules.chances[kinds[place]]:
            return place
    weights = rules.biases[kinds] * (arcs.weights[begin:end] if len(arcs.weights) else 1.0)
    upto = np.cumsum(weights)
    share = float(draw(walk_key, first + 2 * ATTEMPTS) >> np.uint64(11)) * 2.0**-53
    return min(int(np.searchsorted(upto, share * upto[-1], side="right")), end - begin - 1)
