"""faiss, loaded at use, and held to as many threads as were asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from firth.errors import optional


def load_faiss(purpose: str) -> Any:
    """The module, or `MissingExtra`."""
    return optional("faiss", extra="ann", purpose=purpose, package="faiss-cpu")


@contextmanager
def faiss_threads(count: int) -> Iterator[None]:
    """While it lasts, what this thread asks of faiss takes no more than `count` threads.

    They are OpenMP's, whose setting is each thread's own; the BLAS that comes with faiss takes its threads from there.
    """
    faiss = load_faiss("a search")
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(count)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
