"""Scores of contexts against output rows, packed one to a lane of a warp, and the steps that follow from them.

A score is a sum over a row, which lies across the lanes: each of 32 has some of its numbers. Summed one after another,
each score would take five exchanges between lanes, and all lanes would then compute the same logistic function of it.
So up to 32 scores are summed together: at each exchange a lane gives away half of the sums that it has, and gets the
other lanes' part of the half that it keeps, until each lane has one score whole. Twelve scores take 13 exchanges in
place of 60, and one logistic function in place of twelve. What becomes of each is then told to all lanes.

Scores are counted c · S + s, context by context; 32 of them are a pack, and lane l of it has score l. In code that runs
without lanes (Triton's interpreter) all of this is arithmetic on tensors of 32 numbers.
"""

from __future__ import annotations

import triton
import triton.language as tl

LANES = tl.constexpr(32)
EXCHANGES = tl.constexpr(5)  # each halves what a lane has of 32 sums


@triton.jit
def split(product, SIZE: tl.constexpr, WARPS: tl.constexpr, NEAR: tl.constexpr):
    """The sum (WARPS, LANES) over what each lane has of a tensor (SIZE,): NEAR numbers in a row, again and again.

    With another NEAR than what the compiler chose it is the same sum, and slow.
    """
    EACH: tl.constexpr = min(NEAR, SIZE // (LANES * WARPS))
    parts = tl.reshape(product, (SIZE // (LANES * WARPS * EACH), WARPS, LANES, EACH))
    return tl.sum(tl.sum(parts, axis=3), axis=0)


@triton.jit
def spread(value, SIZE: tl.constexpr, WARPS: tl.constexpr, NEAR: tl.constexpr):
    """A tensor (SIZE,) of what each lane has at hand (LANES,): what `split` sums up."""
    EACH: tl.constexpr = min(NEAR, SIZE // (LANES * WARPS))
    parts = tl.broadcast_to(value[None, None, :, None], (SIZE // (LANES * WARPS * EACH), WARPS, LANES, EACH))
    return tl.reshape(parts, (SIZE,))


@triton.jit
def packed(parts, WARPS: tl.constexpr):
    """The sums of up to 32 tensors (WARPS, LANES), tensor l's in lane l: (LANES,)."""
    lane = tl.broadcast_to(tl.arange(0, LANES)[None, :], (WARPS, LANES))
    for bit in tl.static_range(EXCHANGES):
        keeps_second = ((lane >> bit) & 1) > 0
        other = lane ^ (1 << bit)
        halved = ()
        for n in tl.static_range(0, len(parts), 2):
            if n + 1 < len(parts):
                kept = tl.where(keeps_second, parts[n + 1], parts[n])
                given = tl.where(keeps_second, parts[n], parts[n + 1])
                halved = halved + (kept + tl.gather(given, other, 1),)
            else:
                halved = halved + (parts[n] + tl.gather(parts[n], other, 1),)
        parts = halved
    return tl.sum(parts[0], axis=0)


@triton.jit
def in_lanes(entries, S: tl.constexpr, C: tl.constexpr, TREE: tl.constexpr):
    """The label of each score, and how often its row counts (1.0, 0.0), by pack; `entries` are as in the plan.

    They are numbers of rows, the first of which has the label 1, or (TREE) of nodes, of which those with code 0 have it,
    as in the reference. Negative ones do not count.
    """
    labels = ()
    counts = ()
    for begin in tl.static_range(0, C * S, LANES):
        score = tl.arange(0, LANES) + begin
        entry = tl.load(entries + score % S)
        label = (entry & 1) == 0 if TREE else score % S == 0
        labels = labels + (label.to(tl.float32),)
        counts = counts + (((entry >= 0) & (score < C * S)).to(tl.float32),)
    return labels, counts


@triton.jit
def logistic(score, label):
    """The difference label - σ(score), and the loss log(1 + e^±score) = max(±score, 0) + log(1 + e^-|score|)."""
    e = tl.exp(-tl.abs(score))
    sigmoid = tl.where(score >= 0, 1.0, e) / (1.0 + e)
    against = tl.where(label > 0, -score, score)
    return label - sigmoid, tl.maximum(against, 0.0) + tl.log(1.0 + e)


@triton.jit
def steps(
    x, x_tail, there, y, y_tail, labels, counts, rate, changes, changes_tail, gain, gain_tail, loss,
    C: tl.constexpr, S: tl.constexpr, MAIN: tl.constexpr, TAIL: tl.constexpr, WARPS: tl.constexpr, NEAR: tl.constexpr,
):  # fmt: skip
    """The steps of C contexts x, of which the first `there` are there, against S output rows y.

        change of x = Σ rate · (label - σ(x · y)) · y,    gain of y = Σ rate · (label - σ(x · y)) · x

    Gives what the contexts' changes, the rows' gains and the loss, float32 (LANES,), are with them.
    """
    sums = ()
    for c in tl.static_range(C):
        for s in tl.static_range(S):
            part = split(x[c] * y[s], MAIN, WARPS, NEAR)
            if TAIL:
                part += split(x_tail[c] * y_tail[s], TAIL, WARPS, NEAR)
            sums = sums + (part,)
    slopes = ()
    for pack in tl.static_range(len(labels)):
        count = counts[pack] * ((tl.arange(0, LANES) + pack * LANES) // S < there).to(tl.float32)
        # What does not count may be a copy of a score without bounds, whose loss is ∞ times 0.
        score = tl.where(count > 0, packed(sums[pack * LANES : (pack + 1) * LANES], WARPS), 0.0)
        slope, lost = logistic(score, labels[pack])
        slope *= rate * count
        loss += count * lost
        for lane in tl.static_range(LANES):
            if pack * LANES + lane < C * S:
                slopes = slopes + (tl.gather(slope, tl.full((LANES,), lane, tl.int32), 0),)
    changed = ()
    changed_tail = ()
    for c in tl.static_range(C):
        change = changes[c]
        change_tail = changes_tail[c]
        gained = ()
        gained_tail = ()
        for s in tl.static_range(S):
            g = spread(slopes[c * S + s], MAIN, WARPS, NEAR)
            change += g * y[s]
            gained = gained + (gain[s] + g * x[c],)
            if TAIL:
                g = spread(slopes[c * S + s], TAIL, WARPS, NEAR)
                change_tail += g * y_tail[s]
                gained_tail = gained_tail + (gain_tail[s] + g * x_tail[c],)
        gain = gained
        if TAIL:
            gain_tail = gained_tail
        changed = changed + (change,)
        changed_tail = changed_tail + (change_tail,)
    return changed, changed_tail, gain, gain_tail, loss
