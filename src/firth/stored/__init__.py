"""Rows of numbers as they are stored: float32, float16, int8 with scales, bits, or products of codebooks.

Each way stands in a file of its own.
"""

from __future__ import annotations

from firth.errors import BadOption
from firth.stored.base import StoredRows
from firth.stored.bits import Bits
from firth.stored.codes import Codes
from firth.stored.floats import Floats
from firth.stored.halves import Halves
from firth.stored.pq import Products

__all__ = ["KINDS", "Bits", "Codes", "Floats", "Halves", "Products", "StoredRows", "stored_kind"]

KINDS: dict[str, type[StoredRows]] = {kind.dtype: kind for kind in (Floats, Halves, Codes, Bits, Products)}


def stored_kind(dtype: str) -> type[StoredRows]:
    """The class that stores rows as `dtype`, or `BadOption`."""
    if dtype not in KINDS:
        raise BadOption(f"dtype must be one of {', '.join(KINDS)}; got {dtype!r}")
    return KINDS[dtype]
