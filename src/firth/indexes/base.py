"""What a library's graph offers. V is the number of vectors, D their size, Q a number of queries."""

from __future__ import annotations

from abc import ABC, abstractmethod
from importlib.metadata import version
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from firth.nearest import Matrix, Rows

if TYPE_CHECKING:
    from firth.options import IndexOptions


class Graph(ABC):
    """A graph over V vectors of unit length or zero, float32 (D,), numbered from 0, searched by their products.

    The package loads when a graph is made; `MissingExtra` where it is not installed.
    """

    kind: ClassVar[str]
    package: ClassVar[str]
    extra: ClassVar[str]

    @abstractmethod
    def __init__(self, V: int, D: int, options: IndexOptions) -> None:
        """An empty graph with room for V vectors."""

    @classmethod
    @abstractmethod
    def read(cls, payload: NDArray[np.uint8], V: int, D: int, options: IndexOptions) -> Self:
        """The graph of V vectors that `write` wrote, mapped where the library can; the bytes are known to be whole.

        What the library says against them is raised as it comes.
        """

    @abstractmethod
    def __len__(self) -> int:
        """How many vectors it has."""

    @abstractmethod
    def add(self, first: int, vectors: Matrix, threads: int) -> None:
        """Add vectors (n, D), numbered from `first` on."""

    @abstractmethod
    def near(self, targets: Matrix, count: int, threads: int) -> Rows:
        """Some `count` vectors near to each target (Q, D), int64 (Q, count), count <= V; -1 where it finds no more."""

    @abstractmethod
    def write(self, path: str) -> int:
        """Write to a file at `path`; gives the bytes that it must have, 0 where the library sees to that itself."""

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """The bytes that it holds in memory, as far as the library tells; those of a mapped file are not."""

    @classmethod
    def library(cls) -> str:
        """The package's version."""
        return version(cls.package)
