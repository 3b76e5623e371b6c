"""Random numbers that are counted, not streamed: draw = f(seed, epoch, purpose, counter).

Each random decision (keep this token? how far does its window reach? which noise words?) is a pure function of
where it is taken, so every backend, with any number of threads or machines, takes the same ones, and a run goes on
from any position without a generator's state.

The generator is SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014;
the finaliser is Stafford's variant 13), entered at `key + counter · GOLDEN`. It stands here twice, for NumPy
arrays and for compiled kernels; a test holds the two equal bit for bit.

A draw has 64 bits. `below` reads its upper 32, `chance` its upper 24, `low_chance` its lower 24, `scaled` all of them.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

Draws = npt.NDArray[np.uint64]

GOLDEN = 0x9E3779B97F4A7C15  # 2^64 divided by the golden ratio, odd: SplitMix64's step
MIX_1 = 0xBF58476D1CE4E5B9
MIX_2 = 0x94D049BB133111EB
MASK = 2**64 - 1
LOW_HALF = np.uint64(2**32 - 1)

CHANCE_ONE = 1 << 24  # a chance is a whole number of 2^-24; this is certainty
DRAWS_PER_POSITION = 64  # noise draws of position p are numbered p · 64 + k, so that k < 64 never collides
PAIRS_PER_POSITION = 2048  # those of its context c, where each has its own: (p · 2048 + c) · 64 + k
ATTEMPTS = 16  # to draw a noise word that may stand; attempt a > 0 of draw n is numbered n · 16 + a
DRAWS_PER_STEP = 64  # draws of step s of a walk are numbered s · 64 + n, under the walk's own key


class Purpose(IntEnum):
    """What a draw is for. The numbers are part of the format: changing one changes every result."""

    KEEP = 1
    REACH = 2
    NOISE = 3
    WEIGHTS = 4
    HELD_OUT = 5
    NOISE_AGAIN = 6
    SHUFFLE = 7
    STARTS = 8
    WALK = 9
    ROUND = 10
    GRAM_WEIGHTS = 11


def stream_key(seed: int, epoch: int, purpose: Purpose) -> int:
    """The 64-bit key of the draws for one purpose in one epoch."""
    key = _mixed(seed & MASK)
    key = _mixed((key + epoch * GOLDEN) & MASK)
    return _mixed((key + int(purpose) * GOLDEN) & MASK)


def _mixed(value: int) -> int:
    value = ((value ^ (value >> 30)) * MIX_1) & MASK
    value = ((value ^ (value >> 27)) * MIX_2) & MASK
    return value ^ (value >> 31)


def draw(key: int, counter: npt.ArrayLike) -> Draws:
    """The draws of `key` at each of `counter`: uint64, of the counter's shape."""
    with np.errstate(over="ignore"):
        value: Any = np.uint64(key) + (np.asarray(counter).astype(np.uint64) + np.uint64(1)) * np.uint64(GOLDEN)
        value = (value ^ (value >> np.uint64(30))) * np.uint64(MIX_1)
        value = (value ^ (value >> np.uint64(27))) * np.uint64(MIX_2)
        return np.asarray(value ^ (value >> np.uint64(31)))


def noise_counters(positions: npt.ArrayLike, count: int, pairs: npt.ArrayLike | None = None) -> Draws:
    """The counters of `count` noise words at each of `positions` (n,), or of pairs (n,) there: uint64 (n, count)."""
    places = np.asarray(positions).astype(np.uint64)
    if pairs is not None:
        places = places * np.uint64(PAIRS_PER_POSITION) + np.asarray(pairs).astype(np.uint64)
    first = places * np.uint64(DRAWS_PER_POSITION)
    return np.asarray(first[:, None] + np.arange(count, dtype=np.uint64), np.uint64)


def counters_again(counters: Draws) -> Draws:
    """The counters of the further attempts at each of `counters` (n,): uint64 (n, ATTEMPTS - 1)."""
    return np.asarray(counters[:, None] * np.uint64(ATTEMPTS) + np.arange(1, ATTEMPTS, dtype=np.uint64), np.uint64)


def below(draws: Draws, bound: int) -> npt.NDArray[np.int64]:
    """Whole numbers from 0 to `bound` - 1 (`bound` up to 2^32), by multiplying the upper 32 bits (Lemire 2019)."""
    return (((draws >> np.uint64(32)) * np.uint64(bound)) >> np.uint64(32)).astype(np.int64)


def scaled(draws: Draws, bound: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
    """Whole numbers from 0 to `bound` - 1 (`bound` up to 2^32), and 32 bits that are independent of them.

    With the draw as a fraction of 2^64, these are what stands before the point of its product with `bound`, and behind.
    """
    product = (draws >> np.uint64(32)) * np.uint64(bound) + (((draws & LOW_HALF) * np.uint64(bound)) >> np.uint64(32))
    return (product >> np.uint64(32)).astype(np.int64), product & LOW_HALF


def chance(draws: Draws) -> npt.NDArray[np.uint32]:
    """The upper 24 bits: compare with a probability in units of 2^-24."""
    return (draws >> np.uint64(40)).astype(np.uint32)


def low_chance(draws: Draws) -> npt.NDArray[np.uint32]:
    """The lower 24 bits, independent of those that `below` reads."""
    return (draws & np.uint64(CHANCE_ONE - 1)).astype(np.uint32)


def unit(draws: Draws) -> npt.NDArray[np.float32]:
    """Uniform float32 in [0, 1), from the upper 24 bits, each value exact."""
    return chance(draws).astype(np.float32) * np.float32(2.0**-24)


def as_chance(probability: npt.ArrayLike) -> npt.NDArray[np.uint32]:
    """Probabilities in units of 2^-24, rounded, so that every backend compares the same whole numbers."""
    return np.rint(np.clip(probability, 0.0, 1.0) * np.float64(CHANCE_ONE)).astype(np.uint32)
