"""hnswlib: float32 vectors, by the authors of the method; a file is read into memory."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from firth.errors import optional
from firth.indexes.base import Graph
from firth.nearest import Matrix, Rows

if TYPE_CHECKING:
    from firth.options import IndexOptions


class HnswlibGraph(Graph):
    """See https://github.com/nmslib/hnswlib. One search at a time: how far it looks is a setting of the graph."""

    kind = "hnswlib"
    package = "hnswlib"
    extra = "hnswlib"

    def __init__(self, V: int, D: int, options: IndexOptions) -> None:
        self._index = self._empty(D)
        self._options = options
        self._index.init_index(V, M=options.connectivity, ef_construction=options.expansion_add)

    @classmethod
    def _empty(cls, D: int) -> Any:
        return optional("hnswlib", extra=cls.extra, purpose="an index of kind hnswlib").Index(space="ip", dim=D)

    @classmethod
    def read(cls, payload: NDArray[np.uint8], V: int, D: int, options: IndexOptions) -> Self:
        """The graph in the bytes, which hnswlib reads from a whole file alone: they are copied to one for that time."""
        made = cls.__new__(cls)
        made._index, made._options = cls._empty(D), options
        with tempfile.TemporaryDirectory(prefix="firth-") as folder:
            path = Path(folder) / "graph"
            with path.open("wb") as file:
                file.write(payload.data)
            made._index.load_index(str(path), max_elements=V)
        return made

    def __len__(self) -> int:
        return int(self._index.element_count)

    def add(self, first: int, vectors: Matrix, threads: int) -> None:
        """Add vectors (n, D)."""
        self._index.add_items(vectors, np.arange(first, first + len(vectors)), num_threads=threads)

    def near(self, targets: Matrix, count: int, threads: int) -> Rows:
        """Some `count` vectors near to each target; none for any, where one finds fewer."""
        self._index.set_ef(max(self._options.expansion_search, count))
        try:
            return self._index.knn_query(targets, count, num_threads=threads)[0].astype(np.int64)  # type: ignore[no-any-return]
        except RuntimeError:  # "Cannot return the results in a contiguous 2D array"
            return np.full((len(targets), count), -1, np.int64)

    def write(self, path: str) -> int:
        """Write hnswlib's own file."""
        self._index.save_index(path)
        return int(self._index.index_file_size())

    @property
    def nbytes(self) -> int:
        """Vectors and links, about what a file of it takes."""
        return int(self._index.index_file_size())
