"""The draws of `firth.draws` in Triton: the same bits, a tensor at a time, for the kernels of the GPU."""

from __future__ import annotations

import triton
import triton.language as tl

from firth import draws

_GOLDEN, _MIX_1, _MIX_2 = tl.constexpr(draws.GOLDEN), tl.constexpr(draws.MIX_1), tl.constexpr(draws.MIX_2)
_LOW_24 = tl.constexpr(draws.CHANCE_ONE - 1)


@triton.jit
def draw(key, counter):
    """The draws of `key` at each of `counter`, all uint64."""
    value = key + (counter + 1) * _GOLDEN
    value = (value ^ (value >> 30)) * _MIX_1
    value = (value ^ (value >> 27)) * _MIX_2
    return value ^ (value >> 31)


@triton.jit
def below(value, bound):
    """Whole numbers from 0 to `bound` - 1, int64, from the upper 32 bits."""
    return (((value >> 32) * bound.to(tl.uint64)) >> 32).to(tl.int64)


@triton.jit
def chance(value):
    """The upper 24 bits, int32."""
    return (value >> 40).to(tl.int32)


@triton.jit
def low_chance(value):
    """The lower 24 bits, int32."""
    return (value & _LOW_24).to(tl.int32)
