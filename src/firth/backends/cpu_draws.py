"""The draws of `firth.draws`, compiled: the same bits, one at a time, for the kernels."""

from __future__ import annotations

import numpy as np

from firth import draws
from firth.jit import inlined

u64 = np.uint64
_GOLDEN, _MIX_1, _MIX_2 = u64(draws.GOLDEN), u64(draws.MIX_1), u64(draws.MIX_2)
_30, _27, _31, _32, _40 = u64(30), u64(27), u64(31), u64(32), u64(40)
_LOW_32 = draws.LOW_HALF
_LOW_24 = u64(draws.CHANCE_ONE - 1)


@inlined
def draw(key, counter):
    """The draw of `key` at `counter`, both uint64."""
    value = key + (counter + u64(1)) * _GOLDEN
    value = (value ^ (value >> _30)) * _MIX_1
    value = (value ^ (value >> _27)) * _MIX_2
    return value ^ (value >> _31)


@inlined
def below(value, bound):
    """A whole number from 0 to `bound` - 1, from the upper 32 bits."""
    return np.int64(((value >> _32) * u64(bound)) >> _32)


@inlined
def scaled(value, bound):
    """A whole number from 0 to `bound` - 1, and 32 bits that are independent of it."""
    product = (value >> _32) * u64(bound) + (((value & _LOW_32) * u64(bound)) >> _32)
    return np.int64(product >> _32), product & _LOW_32


@inlined
def chance(value):
    """The upper 24 bits."""
    return value >> _40


@inlined
def low_chance(value):
    """The lower 24 bits."""
    return value & _LOW_24
