"""Compiling with Numba, once for each version of the source: see `jit_cache`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba as typed_numba
from numba import extending

from firth.jit_cache import CompiledCache

numba: Any = typed_numba  # its annotations leave out some options of `njit`


def compiled(function: Callable[..., Any]) -> Any:
    """Compile `function` to machine code at its first call, to run without the GIL, so threads run it side by side.

    It may allocate nothing: arrays come from outside, and none is reference-counted (counting is atomic, and cost
    the first kernel a third of its speed). There is no check for division by zero, nor of bounds. Multiplications and
    additions may fuse; nothing else is reordered, so a result depends on the kernel alone.
    """
    return _jit(function)


def inlined(function: Callable[..., Any]) -> Any:
    """As `compiled`, and always made part of its caller: a call would push every array of a tuple on the stack.

    It becomes part of the caller's source, as it were. Compiled by itself and then put into the caller's machine code,
    it would be optimised at each level anew: starting with nothing compiled took a quarter longer.
    """
    return _jit(function, inline="always")


def intrinsic(function: Callable[..., Any]) -> Any:
    """Numba's decorator of the same name; what it makes is called without the typing context that `function` takes."""
    make: Any = extending.intrinsic
    return make(function)


def _jit(function: Callable[..., Any], **options: Any) -> Any:
    made = numba.njit(error_model="numpy", fastmath={"contract"}, nogil=True, _nrt=False, **options)(function)
    made._cache = CompiledCache(function)  # as `cache=True` would set it, but with a cache of our own
    return made
