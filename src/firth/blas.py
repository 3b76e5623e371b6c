"""How many threads BLAS may take: no more than were asked for."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any


@cache
def _libraries() -> Any:
    from threadpoolctl import ThreadpoolController  # finding the libraries takes milliseconds; it loads at use

    return ThreadpoolController()


def threads_at_most(count: int) -> AbstractContextManager[object]:
    """While it lasts, no product of matrices in this process takes more than `count` threads.

    BLAS else takes every core, and has no argument for it: each library has its own call, and its setting holds for
    the whole process. OpenBLAS, MKL and BLIS have one; Apple's Accelerate, which some of NumPy's wheels use, has none.
    """
    limited: AbstractContextManager[object] = _libraries().limit(limits=count, user_api="blas")
    return limited
