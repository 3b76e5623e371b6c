"""Rows of numbers as they are stored: float32, float16, int8 with scales, or bits; each way in a file of its own."""

from __future__ import annotations

from firth.errors import BadOption
from firth.stored.base import StoredRows
from firth.stored.bits import Bits
from firth.stored.codes import Codes
from firth.stored.floats import Floats
from firth.stored.halves import Halves

__all__ = ["KINDS", "Bits", "Codes", "Floats", "Halves", "StoredRows", "stored_kind"]

KINDS: dict[str, type[StoredRows]] = {kind.dtype: kind for kind in (Floats, Halves, Codes, Bits)}


def stored_kind(dtype: str) -> type[StoredRows]:
    """The class that stores rows as `dtype`, or `BadOption`."""
    if dtype not in KINDS:
        raise BadOption(f"dtype must be one of {', '.join(KINDS)}; got {dtype!r}")
    return KINDS[dtype]
