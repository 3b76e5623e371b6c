"""Deciding ahead on the GPU: which tokens are kept, how far windows reach, which noise words are drawn, at which rate.

The kernels that train walk from window to window and wait for memory; these here take all decisions of a batch before,
thousands at once. `decide_fates` marks the tokens that are kept; the running sum of its marks, taken between the two
kernels, is each kept word's number; `plan_windows` writes down, by that number, what its window needs.

Shapes: n tokens of a batch, S = 1 + K output rows, padded to PADDED, a power of two.
"""

from __future__ import annotations

import triton
import triton.language as tl

from firth import draws
from firth.backends.gpu_draws import below, chance, draw, low_chance

DRAWS_PER_POSITION = tl.constexpr(draws.DRAWS_PER_POSITION)

# What is told to the kernels about a chunk: the places of these in one int64 tensor. Keys are uint64 and rates float64,
# bit for bit. A kernel's own arguments would be compiled for their values, and floats among them be float32. Tokens stand
# behind a chunk's offsets, at a multiple of 16 bytes or not: neither is compiled for.
SETTINGS = (
    "keep_key",
    "reach_key",
    "noise_key",
    "held_out_key",
    "round_key",
    "position",
    "first",
    "last",
    "start",
    "slope",
    "floor",
)
KEEP_KEY, REACH_KEY, NOISE_KEY, HELD_OUT_KEY, ROUND_KEY, POSITION, FIRST, LAST, START, SLOPE, FLOOR = map(
    tl.constexpr, range(len(SETTINGS))
)


@triton.jit
def key_of(settings, which: tl.constexpr):
    """The key that stands there, uint64."""
    return tl.load(settings + which).to(tl.uint64, bitcast=True)


@triton.jit(do_not_specialize=["n", "V", "held_out_chance"], do_not_specialize_on_alignment=["tokens"])
def decide_fates(
    tokens,  # int32 (n,)
    sentences,  # int32 (n,): the sentence of each token
    offsets,  # int64 (sentences + 1,)
    keep,  # int32 (V,): keep-chances
    settings,
    kept,  # int32 (n,), written: 1 for tokens that are kept
    seen,  # int64 (programs,), written: how many tokens of the chunk are in the vocabulary
    n,
    V,
    held_out_chance,
    HELD_OUT: tl.constexpr,  # whether the sentences held out are trained, instead of the others
    ANY_HELD_OUT: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Mark the tokens that are in the vocabulary, in a sentence of the right kind, and survive subsampling."""
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    there = at < n
    word = tl.load(tokens + at, mask=there, other=-1)
    known = there & (word >= 0) & (word < V)
    position = tl.load(settings + POSITION)
    if ANY_HELD_OUT:
        begin = tl.load(offsets + tl.load(sentences + at, mask=there, other=0), mask=there, other=0)
        drawn = chance(draw(key_of(settings, HELD_OUT_KEY), (position + begin).to(tl.uint64)))
        known &= (drawn < held_out_chance) == HELD_OUT
    drawn = chance(draw(key_of(settings, KEEP_KEY), (position + at).to(tl.uint64)))
    survives = known & (drawn < tl.load(keep + word, mask=known, other=0))
    tl.store(kept + at, survives.to(tl.int32), mask=there)
    in_chunk = known & (at >= tl.load(settings + FIRST)) & (at < tl.load(settings + LAST))
    tl.store(seen + tl.program_id(0), tl.sum(in_chunk.to(tl.int64), axis=0))


@triton.jit(do_not_specialize=["n", "V", "window"], do_not_specialize_on_alignment=["tokens"])
def plan_windows(
    tokens,
    sentences,
    offsets,
    noise,  # int32 (V, 2): the alias table
    settings,
    ends,  # int32 (n,): how many tokens are kept, up to and with each
    words,  # int32 (n,), written: by number of kept word, as all that follow
    low,  # int32 (n,): its contexts are the kept words [low, high), itself left out
    high,
    rates,  # float32 (n,)
    at_once,  # int32 (n,): how many of its contexts may take one step together, at most AT_ONCE
    outputs,  # int32 (n, PADDED): its output rows, itself the first; -1 for those that do not count
    n,
    V,
    window,
    DYNAMIC: tl.constexpr,
    AT_ONCE: tl.constexpr,
    S: tl.constexpr,
    PADDED: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Write down the window of each kept token, and draw its noise words."""
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    there = at < n
    number = tl.load(ends + at, mask=there, other=0) - 1
    before = tl.load(ends + at - 1, mask=there & (at > 0), other=0) - 1
    kept = there & (number > before)
    word = tl.load(tokens + at, mask=kept, other=0)
    place = tl.load(settings + POSITION) + at
    tl.store(words + number, word, mask=kept)

    sentence = tl.load(sentences + at, mask=kept, other=0)
    begin = tl.load(offsets + sentence, mask=kept, other=0)
    end = tl.minimum(n, tl.load(offsets + sentence + 1, mask=kept, other=1))
    lowest = tl.load(ends + begin - 1, mask=kept & (begin > 0), other=0)
    highest = tl.load(ends + end - 1, mask=kept, other=0)
    reach = tl.zeros_like(number) + window
    if DYNAMIC:
        reach = 1 + below(draw(key_of(settings, REACH_KEY), place.to(tl.uint64)), window).to(tl.int32)
    tl.store(low + number, tl.maximum(lowest, number - reach), mask=kept)
    tl.store(high + number, tl.minimum(highest, number + reach + 1), mask=kept)

    start, slope, floor = tl.load(settings + START), tl.load(settings + SLOPE), tl.load(settings + FLOOR)
    start, slope = start.to(tl.float64, bitcast=True), slope.to(tl.float64, bitcast=True)
    rate = tl.maximum(floor.to(tl.float64, bitcast=True), start - slope * place.to(tl.float64))
    tl.store(rates + number, rate.to(tl.float32), mask=kept)

    s = tl.arange(0, PADDED)
    is_noise = kept[:, None] & (s > 0)[None, :] & (s < S)[None, :]
    counter = (place[:, None] * DRAWS_PER_POSITION + (s - 1)[None, :]).to(tl.uint64)
    drawn = draw(key_of(settings, NOISE_KEY), counter)
    bucket = below(drawn, V)
    stays = low_chance(drawn) < tl.load(noise + 2 * bucket, mask=is_noise, other=0)
    other = tl.load(noise + 2 * bucket + 1, mask=is_noise, other=0)
    row = tl.where(is_noise, tl.where(stays, bucket.to(tl.int32), other), word[:, None])

    # Noise equal to the centre is left out. What is drawn twice stands twice: both are read before either is written.
    counts = is_noise & (row != word[:, None])
    same = (row[:, :, None] == row[:, None, :]) & counts[:, :, None]
    most = tl.maximum(1, tl.max(tl.sum(same.to(tl.int32), axis=1), axis=1))
    tl.store(at_once + number, tl.maximum(1, tl.full(most.shape, AT_ONCE, tl.int32) // most), mask=kept)
    row = tl.where(counts | (s == 0)[None, :], row, -1)
    spots = number[:, None].to(tl.int64) * PADDED + s[None, :]
    tl.store(outputs + spots, row, mask=kept[:, None])


@triton.jit
def first_kept(ends, settings):
    """The number of the chunk's first kept word."""
    first = tl.load(settings + FIRST)
    return tl.load(ends + first - 1, mask=first > 0, other=0).to(tl.int64)


@triton.jit
def stretch(ends, settings):
    """The kept words [at, upto) of the chunk that are this program's."""
    begin = first_kept(ends, settings)
    length = tl.load(ends + tl.load(settings + LAST) - 1).to(tl.int64) - begin
    program, programs = tl.program_id(0).to(tl.int64), tl.num_programs(0)
    return begin + length * program // programs, begin + length * (program + 1) // programs
