"""usearch: float16 vectors, half the bytes of float32; a file is searched where it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from firth.errors import optional
from firth.indexes.base import Graph
from firth.nearest import Matrix, Rows

if TYPE_CHECKING:
    from firth.options import IndexOptions


class UsearchGraph(Graph):
    """See https://github.com/unum-cloud/usearch. Left to itself, its type of numbers would differ between machines."""

    kind = "usearch"
    package = "usearch"
    extra = "ann"

    def __init__(self, V: int, D: int, options: IndexOptions) -> None:  # noqa: ARG002
        library = optional("usearch.index", extra=self.extra, purpose="an index of kind usearch")
        self._payload: NDArray[np.uint8] | None = None
        self._index: Any = library.Index(
            ndim=D,
            metric="ip",
            dtype="f16",
            connectivity=options.connectivity,
            expansion_add=options.expansion_add,
            expansion_search=options.expansion_search,
        )

    @classmethod
    def read(cls, payload: NDArray[np.uint8], V: int, D: int, options: IndexOptions) -> Self:
        """The graph in the bytes, which stay where they are."""
        made = cls(V, D, options)
        made._index.view(payload.data)
        made._payload = payload  # usearch keeps its address alone
        return made

    def __len__(self) -> int:
        return len(self._index)

    def add(self, first: int, vectors: Matrix, threads: int) -> None:
        """Add vectors (n, D)."""
        keys = np.arange(first, first + len(vectors), dtype=np.uint64)
        self._index.add(keys, np.ascontiguousarray(vectors), threads=threads)

    def near(self, targets: Matrix, count: int, threads: int) -> Rows:
        """Some `count` vectors near to each target."""
        found = self._index.search(targets, count, threads=threads)
        rows = np.full((len(targets), count), -1, np.int64)
        if len(targets) == 1:
            rows[0, : len(found.keys)] = found.keys
        else:
            known = np.arange(count) < found.counts[:, None]
            rows[known] = found.keys[known]
        return rows

    def write(self, path: str) -> int:
        """Write usearch's own file."""
        self._index.save(path)
        return int(self._index.serialized_length)

    @property
    def nbytes(self) -> int:
        """What usearch has allocated."""
        return int(self._index.memory_usage)
