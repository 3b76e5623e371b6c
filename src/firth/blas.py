"""How many threads BLAS may take: no more than were asked for."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from functools import cache
from typing import Any


@cache
def _libraries() -> Any:
    from threadpoolctl import ThreadpoolController  # finding the libraries takes milliseconds; it loads at use

    return ThreadpoolController()


class _Limits:
    """The limits in force, and what each library took before the first of them: one such for the whole process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._limits: list[int] = []
        self._before: list[tuple[Any, int]] = []

    def add(self, count: int) -> None:
        """A limit begins to hold."""
        with self._lock:
            if not self._limits:
                blas = [each for each in _libraries().lib_controllers if each.user_api == "blas"]
                self._before = [(each, each.num_threads) for each in blas if each.num_threads is not None]
            self._limits.append(count)
            self._set()

    def remove(self, count: int) -> None:
        """A limit no longer holds; the last to go leaves what was before the first came."""
        with self._lock:
            self._limits.remove(count)
            self._set()

    def _set(self) -> None:
        for library, before in self._before:
            library.set_num_threads(min([before, *self._limits]))


_limits = _Limits()


@contextlib.contextmanager
def threads_at_most(count: int) -> Iterator[None]:
    """While it lasts, no product of matrices in this process takes more than `count` threads.

    BLAS else takes every core, and has no argument for it: each library has its own call, and its setting holds for
    the whole process. So where several limits hold at once, in one thread or in many, the least of them does, and they
    may end in any order. OpenBLAS, MKL and BLIS can be limited; Apple's Accelerate, which some of NumPy's wheels use,
    cannot.
    """
    _limits.add(count)
    try:
        yield
    finally:
        _limits.remove(count)
