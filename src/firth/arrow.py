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
