"""What the kernels of all losses share: a worker's buffers, the contexts of a window, its gradients, the hot rows.

Rows of the `hot` most frequent words are trained on copies of the worker's own, merged into the shared ones now and
then: shared, their cache lines would travel between cores at nearly every word.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from firth.backends.base import CONTEXTS_AT_ONCE
from firth.backends.cpu_plan import ADDRESS_BYTES, FLOAT_BYTES, MARGIN, Floats, Ints, Plan, plan
from firth.backends.simd import address_of, copy_eight, merge_row, weigh_pairs
from firth.backends.simd_logistic import CONSTANTS, gradient, gradient_weighed, total
from firth.backends.simd_pieces import GROUP, PAIR
from firth.jit import compiled, inlined
from firth.machine import LANES
from firth.weights import aligned_rows

MOST_TILES = 120  # whose losses are kept as products of numbers up to 2, which reach 2^120: float32 holds 2^127
GROUP_BYTES = GROUP * FLOAT_BYTES
LN_2 = np.log(2.0)


class Scratch(NamedTuple):
    """One worker's buffers, for one piece and for one window.

    Scores, gradients and weights of a window are laid out as `simd` tells: for each group of output rows, for each
    context, GROUP floats.
    """

    plan: Plan
    contexts: Ints  # the addresses of the window's input rows
    counts: Floats  # how often each output row counts: at its first place, as often as it was drawn
    once: Floats  # the same where none stands twice
    gradients: Floats  # scores, and then gradients
    weights: Floats  # how often each pair counts, where any counts more than once
    ones: Floats  # where none does: for each group, two contexts of ones, then zeros
    signs: Floats  # -1 for the target, 1 for noise; for each group, of two contexts
    losses: Floats  # PAIR sums and PAIR products, see `simd.gradient`
    tiles: Ints  # how many tiles these hold, in [0]
    loss: npt.NDArray[np.float64]  # what was added up of the stretch, in [0]
    constants: Floats
    context: Floats  # CBOW's mean of its contexts
    step: Floats  # and the step for them


def scratch(window: int, S: int, planned: int, padded: int) -> Scratch:
    """Buffers for one worker: `window` words to each side, rows of `padded` floats.

    A window has up to S output rows, of which `planned` are decided for a whole piece.
    """
    widest = min(2 * window, CONTEXTS_AT_ONCE) + 1
    groups = -(-S // GROUP)
    counted = np.zeros((groups, GROUP), np.float32)
    counted.reshape(-1)[:S] = 1.0
    ones = np.zeros((groups, 3, GROUP), np.float32)
    ones[:, :2] = counted[:, None]
    signs = np.ones((groups, 2, GROUP), np.float32)
    signs[0, :, 0] = -1.0
    return Scratch(
        plan=plan(window, planned),
        contexts=np.zeros(widest + 2 * MARGIN, np.int64),
        counts=np.zeros(groups * GROUP, np.float32),
        once=counted.reshape(-1),
        gradients=aligned_rows(1, (widest + 1) * GROUP * groups)[0],
        weights=aligned_rows(1, (widest + 1) * GROUP * groups)[0],
        ones=ones.reshape(-1),
        signs=signs.reshape(-1),
        losses=np.array([0.0] * PAIR + [1.0] * PAIR, np.float32),
        tiles=np.zeros(1, np.int64),
        loss=np.zeros(1, np.float64),
        constants=np.array(list(CONSTANTS.values()), np.float32),
        context=aligned_rows(1, padded),
        step=aligned_rows(1, padded),
    )


# ---- one window --------------------------------------------------------------------------------


@inlined
def count_outputs(outputs, s, i):
    """Write down how often each output row in column i counts: at its first place, as often as drawn; the target once.

    Gives how many contexts of the window may take one step together.
    """
    S = len(outputs)
    most = np.float32(1.0)
    for k in range(S):
        count = np.float32(1.0)
        for other in range(k + 1, S):
            if outputs[other, i] == outputs[k, i] and k > 0:
                count += np.float32(1.0)
        for other in range(k):
            if outputs[other, i] == outputs[k, i]:
                count = np.float32(0.0)
        s.counts[k] = count
        most = max(most, count)
    return max(1, CONTEXTS_AT_ONCE // np.int64(most))


@inlined
def column(addresses, i):
    """Where column i of a matrix of addresses stands, as `simd.update` takes it: (address, bytes between items)."""
    return address_of(addresses) + i * ADDRESS_BYTES, addresses.shape[1] * ADDRESS_BYTES


@inlined
def gather(p, s, i, first, last):
    """Write down the contexts of kept word i among the kept words [first, last); give how many."""
    if i < first or last <= i:
        for at in range(first, last, 8):
            copy_eight(p.inputs, at, s.contexts, at - first)
        return last - first
    for at in range(first, i, 8):
        copy_eight(p.inputs, at, s.contexts, at - first)
    for at in range(i + 1, last, 8):
        copy_eight(p.inputs, at, s.contexts, at - 1 - first)
    return last - first - 1


@inlined
def stride(n):
    """Floats from one group of scores to the next: contexts stand in pairs."""
    return (n + (n & 1)) * GROUP


@inlined
def weigh(s, n, counts, groups):
    """Weigh the pairs of n contexts with groups of output rows that count so often."""
    weigh_pairs(s.contexts, n, address_of(counts), groups, address_of(s.weights), stride(n))


@inlined
def _add_up(s):
    """Add the losses of some tiles to the loss of the stretch."""
    sums, exponents, mantissa = total(address_of(s.losses))
    s.loss[0] += sums + exponents * LN_2 + np.log(np.float64(mantissa))
    s.tiles[0] = 0


@inlined
def loss_of_stretch(s):
    """The loss since the last call."""
    _add_up(s)
    loss = s.loss[0]
    s.loss[0] = 0.0
    return loss


@inlined
def count_tiles(s, tiles):
    """To be called before the gradients of so many tiles are taken: their losses need room."""
    if s.tiles[0] + tiles > MOST_TILES:
        _add_up(s)
    s.tiles[0] += tiles


@inlined
def gradient_of_tile(s, weighed, place, signs, usual, rate):
    """Turn the scores of two contexts, `place` bytes on, into gradients; `usual` weighs pairs that count once."""
    scores, losses, constants = address_of(s.gradients) + place, address_of(s.losses), address_of(s.constants)
    if weighed:
        gradient_weighed(scores, signs, address_of(s.weights) + place, rate, constants, losses)
    else:
        gradient(scores, signs, usual, rate, constants, losses)


@inlined
def gradients(s, n, groups, weighed, rate):
    """Turn the window's scores into gradients, two contexts at a time, and add up the loss."""
    count_tiles(s, groups * ((n + 1) >> 1))
    for group in range(groups):
        signs = address_of(s.signs) + 2 * GROUP_BYTES * group
        ones = address_of(s.ones) + 3 * GROUP_BYTES * group
        for c in range(0, n, 2):
            place = (group * stride(n) + c * GROUP) * FLOAT_BYTES
            gradient_of_tile(s, weighed, place, signs, ones + GROUP_BYTES * np.int64(c + 1 == n), rate)


# ---- hot rows ----------------------------------------------------------------------------------


@inlined
def merge_rows(shared, own, merged):
    """Merge the worker's own rows, one by one, with the shared ones."""
    blocks = own.shape[1] // LANES
    row_bytes = own.shape[1] * FLOAT_BYTES
    for row in range(len(own)):
        at = row * row_bytes
        merge_row(address_of(shared) + at, address_of(own) + at, address_of(merged) + at, blocks)


@compiled
def merge(rows):
    """Merge a worker's own rows of hot words with the shared ones."""
    merge_rows(rows.input, rows.own_input, rows.merged_input)
    merge_rows(rows.output, rows.own_output, rows.merged_output)
    rows.since_merge[0] = 0


@inlined
def is_merge_due(rows, tokens):
    """Count tokens trained, and say whether the worker's own rows, if it has any, are to be merged now."""
    rows.since_merge[0] += tokens
    return rows.hot > 0 and rows.since_merge[0] >= rows.merge_every


@inlined
def merge_when_due(rows, tokens):
    """Merge the worker's own rows, if it has any, when enough tokens are trained since the last time."""
    if is_merge_due(rows, tokens):
        merge(rows)
