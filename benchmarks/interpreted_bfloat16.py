"""bfloat16 under Triton's interpreter as GPUs have it; the interpreter cannot add it, and cuts bits off in casting.

For tests and interpreted benchmarks alone: nothing that trains imports it.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
import triton.language as tl
from triton.runtime.interpreter import InterpreterBuilder, TensorHandle


def bits_of(numbers: Any) -> Any:
    """Float32 numbers as uint32."""
    return np.ascontiguousarray(numbers, np.float32).view(np.uint32)


def nearest(numbers: Any) -> Any:
    """Float32 rounded to the nearest bfloat16, ties to even; NaN stays."""
    return torch.from_numpy(np.ascontiguousarray(numbers, np.float32)).to(torch.bfloat16).float().numpy()


def rightly_added(builder: Any, operation: Any, ptr: Any, val: Any, mask: Any, sem: Any, scope: Any) -> Any:
    """Adds bfloat16 as Hopper does, sums being rounded to the nearest."""
    if val.dtype.scalar != tl.bfloat16:
        return as_it_adds(builder, operation, ptr, val, mask, sem, scope)
    for at, bits, there in zip(ptr.data.flat, val.data.flat, mask.data.flat, strict=True):
        if there:
            place = np.ctypeslib.as_array((ctypes.c_uint16 * 1).from_address(int(at)))
            widened = (np.array([place[0], bits], np.uint32) << 16).view(np.float32)
            place[0] = bits_of(nearest(widened.sum(keepdims=True)))[0] >> 16
    return val


def rightly_cast(builder: Any, source: Any, kind: Any) -> Any:
    """Makes float32 the nearest bfloat16."""
    if (source.dtype.scalar, kind.scalar) != (tl.float32, tl.bfloat16):
        return as_it_casts(builder, source, kind)
    upper = (bits_of(nearest(source.data)) >> 16).astype(np.uint16)
    return TensorHandle(upper.reshape(source.data.shape), tl.bfloat16)


as_it_adds: Any = InterpreterBuilder.create_atomic_rmw
as_it_casts: Any = InterpreterBuilder.cast_impl


@contextlib.contextmanager
def right_bfloat16() -> Iterator[None]:
    """The interpreter with bfloat16 as Hopper has it. Overflow and what is no number are no warnings on a GPU."""
    with (
        patch.object(InterpreterBuilder, "create_atomic_rmw", rightly_added),
        patch.object(InterpreterBuilder, "cast_impl", rightly_cast),
        np.errstate(over="ignore", invalid="ignore"),
    ):
        yield
