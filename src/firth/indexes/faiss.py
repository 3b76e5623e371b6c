"""faiss: float32 vectors in an HNSW graph; a file is searched where it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from firth.indexes.base import Graph
from firth.nearest import Matrix, Rows
from firth.stored.faiss import faiss_threads, load_faiss

if TYPE_CHECKING:
    from firth.options import IndexOptions

LINK_BYTES = 4
LAYER_0_LINKS = 2  # times the connectivity, as in hnswlib


class FaissGraph(Graph):
    """See https://faiss.ai. Its threads are OpenMP's, limited for the time of each call."""

    kind = "faiss"
    package = "faiss-cpu"
    extra = "ann"

    def __init__(self, V: int, D: int, options: IndexOptions) -> None:  # noqa: ARG002
        self._faiss = load_faiss("an index of kind faiss")
        self._options = options
        self._payload: NDArray[np.uint8] | None = None
        self._index: Any = self._faiss.IndexHNSWFlat(D, options.connectivity, self._faiss.METRIC_INNER_PRODUCT)
        self._index.hnsw.efConstruction = options.expansion_add

    @classmethod
    def read(cls, payload: NDArray[np.uint8], V: int, D: int, options: IndexOptions) -> Self:
        """The graph in the bytes, which stay where they are."""
        made = cls(V, D, options)
        reader = made._faiss.ZeroCopyIOReader(made._faiss.swig_ptr(payload), len(payload))
        made._index = made._faiss.read_index(reader, made._faiss.IO_FLAG_MMAP_IFC)
        made._payload = payload  # faiss keeps its address alone
        if not isinstance(made._index, made._faiss.IndexHNSW) or made._index.d != D:
            raise RuntimeError(f"it holds a {type(made._index).__name__} of {made._index.d} dimensions")
        return made

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def add(self, first: int, vectors: Matrix, threads: int) -> None:  # noqa: ARG002  # faiss counts by itself
        """Add vectors (n, D)."""
        with faiss_threads(threads):
            self._index.add(np.ascontiguousarray(vectors))

    def near(self, targets: Matrix, count: int, threads: int) -> Rows:
        """Some `count` vectors near to each target."""
        how = self._faiss.SearchParametersHNSW(efSearch=max(self._options.expansion_search, count))
        with faiss_threads(threads):
            rows: Rows = self._index.search(targets, count, params=how)[1]
        return rows

    def write(self, path: str) -> int:
        """Write faiss's own file; it raises where that fails."""
        self._faiss.write_index(self._index, path)
        return 0

    @property
    def nbytes(self) -> int:
        """Vectors and links; faiss itself does not tell."""
        if self._payload is not None:
            return 0
        links = LAYER_0_LINKS * self._options.connectivity
        return len(self) * (int(self._index.d) * 4 + links * LINK_BYTES)
