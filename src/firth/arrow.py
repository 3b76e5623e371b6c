"""NumPy arrays as Arrow's and back, sharing memory.

pyarrow's own ways from one to the other look for pandas first, and load it where it is installed: 0.3 s and some
30 MB for nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def as_numpy(array: pa.Array) -> npt.NDArray[Any]:
    """An array of whole numbers without nulls as NumPy's, read-only, of the same type and shape (length,)."""
    kind = np.dtype(str(array.type))
    data = array.buffers()[1]
    if data is None or not len(array):
        return np.empty(0, kind)
    return np.frombuffer(data, kind, len(array), array.offset * kind.itemsize)


def as_arrow(array: npt.NDArray[Any]) -> pa.Array:
    """A NumPy array of whole numbers, of shape (length,), as Arrow's of the same type."""
    data = np.ascontiguousarray(array)
    return pa.Array.from_buffers(pa.from_numpy_dtype(data.dtype), len(data), [None, pa.py_buffer(data)])


def string_buffers(strings: pa.LargeStringArray) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The UTF-8 bytes of an array of strings, joined, and where each begins and the last ends: int64 (length + 1,)."""
    if not len(strings):
        return np.zeros(0, np.uint8), np.zeros(1, np.int64)
    _, offsets, data = strings.buffers()
    starts = np.frombuffer(offsets, np.int64)[strings.offset : strings.offset + len(strings) + 1]
    bytes_of_all = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    return bytes_of_all[starts[0] : starts[-1]], starts - starts[0]
