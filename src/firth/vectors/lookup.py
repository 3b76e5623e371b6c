"""V words and their rows: looking them up.

V is the number of words, D the size of a vector, Q a number of queries.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from firth.errors import BadFile, BadOption, UnknownWord
from firth.nearest import unit
from firth.options import whole
from firth.stored import Floats, StoredRows
from firth.vectors.given import Matrix, Query, Vector, as_vector
from firth.vectors.index import Unknown, index_of
from firth.vectors.search import Search

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from firth.nearest import Rows
    from firth.stored.base import Some
    from firth.vectors.search import Sketch

Number = TypeVar("Number", bound=np.generic)

# Below this length, float32 has too few digits for a division.
LEAST_NORM = 1e-30


class Lookup:
    """What `WordVectors` says of its words, matrix and counts; see there."""

    _of_unknown = ""  # what else to say of a word that has no row

    def __init__(
        self,
        words: Sequence[str],
        matrix: Matrix | StoredRows,
        counts: NDArray[np.int64] | None = None,
        *,
        check: bool = True,
    ) -> None:
        rows = matrix if isinstance(matrix, StoredRows) else Floats(_frozen(_as_matrix(matrix)))
        self._words = tuple(words)
        self._counts = None if counts is None else _frozen(np.asarray(counts, np.int64))
        if len(rows) != len(self._words):
            raise BadOption(f"the matrix must have a row for each word, got {len(rows)} for {len(self._words)}")
        if self._counts is not None and self._counts.shape != (len(self._words),):
            raise BadOption(f"counts must be one for each of {len(self._words)} words, got {self._counts.shape}")
        self._search = Search(rows, self._check_norms)
        if check:
            self._index = index_of(self._words)
            assert self.norms is not None  # measured, and so checked

    @property
    def words(self) -> tuple[str, ...]:
        """The V words in the order of the rows."""
        return self._words

    @property
    def rows(self) -> StoredRows:
        """The rows as they are stored."""
        return self._search.rows

    @property
    def matrix(self) -> Matrix:
        """The float32 (V, D) matrix, read-only; made anew at each call, V · D · 4 bytes, where others are stored."""
        return _frozen(self.rows.decoded(slice(None)))

    @property
    def dtype(self) -> str:
        """What is stored: float32, float16, int8, binary or pq."""
        return self.rows.dtype

    @property
    def nbytes(self) -> int:
        """The bytes of the rows as stored, of whose file some may never be read."""
        return self.rows.nbytes

    @property
    def counts(self) -> NDArray[np.int64] | None:
        """How often each word occurred, int64 (V,), read-only, if known."""
        return self._counts

    @property
    def norms(self) -> Vector:
        """The length of each vector, float32 (V,), computed once; raises `BadFile` for NaN or infinity."""
        return self._search.norms

    @property
    def vector_size(self) -> int:
        """D, how many numbers a vector has."""
        return self.rows.shape[1]

    def __len__(self) -> int:
        return len(self._words)

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and word in self._index

    def __repr__(self) -> str:
        stored = "" if self.dtype == "float32" else f", {self.dtype}"
        return f"{type(self).__name__}({len(self)} words, vector_size={self.vector_size}{stored})"

    def index(self, word: str) -> int:
        """The row of `word`; `UnknownWord` where it has none."""
        row = self._index.get(word) if isinstance(word, str) else None
        if row is None:
            raise UnknownWord(Unknown(word, self._words, self._index, self._of_unknown))
        return row

    @overload
    def __getitem__(self, key: str) -> Vector: ...
    @overload
    def __getitem__(self, key: Sequence[str]) -> Matrix: ...
    def __getitem__(self, key: str | Sequence[str]) -> NDArray[np.float32]:
        """The vector of a word, float32 (D,), read-only; or a new matrix (n, D) for a list of n words."""
        if isinstance(key, str):
            row = self.index(key)
            return _frozen(self.rows.decoded(slice(row, row + 1))[0])
        if not isinstance(key, Iterable):
            raise BadOption(
                f"vectors are looked up by word or list of words, all strings, got {key!r}; "
                f"take [{str(key)!r}] for that word, .matrix[n] for row n"
            )
        return self.rows.decoded(self._rows_of(key))

    # ---- copied, and sent to other processes ---------------------------------------------------

    def __copy__(self) -> Self:
        return self  # they never change

    def __deepcopy__(self, _: object) -> Self:
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_index"}  # which is made at use

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._counts = None if self._counts is None else _frozen(self._counts)

    # ---- for those who build on it --------------------------------------------------------------

    @cached_property
    def _index(self) -> dict[str, int]:
        """The row of each word."""
        return index_of(self._words)

    def _rows_of(self, words: Iterable[str]) -> Rows:
        return np.fromiter((self.index(word) for word in words), np.int64)

    def _row(self, query: Query) -> int:
        """The row of a word that is asked, -1 where the query has none: a vector, or a word of n-grams alone."""
        return self.index(query) if isinstance(query, str) else -1

    def _vector(self, query: Query) -> Vector:
        """The vector of a word, or the vector given; `BadFile` where a word's is not finite."""
        if not isinstance(query, str):
            return as_vector(query, self.vector_size)
        vector = self[query]
        if self._search.known_norms is None and not np.isfinite(vector).all():
            raise BadFile(_not_finite(query, self.index(query)))
        return vector

    def _unit(self, query: Query) -> Vector:
        """The vector of a word, or the vector given, at unit length; zero stays zero."""
        norms = self._search.known_norms
        if norms is not None and isinstance(query, str) and (row := self._row(query)) >= 0:
            norm = norms[row]
            if norm > LEAST_NORM:
                short: Vector = self[query] / norm
                return short
        return unit(self._vector(query))

    def _restricted(self, restrict: int | range | Iterable[str] | None) -> Some:
        """The rows that may be answers: the first ones, those of a range, or those of a list of words, in order."""
        V = len(self)
        if restrict is None:
            return slice(0, V)
        if isinstance(restrict, range):
            if restrict.step != 1 or restrict.start < 0:
                raise BadOption(f"restrict must be a range of rows in steps of 1 from 0 or more, got {restrict}")
            return slice(min(restrict.start, V), max(min(restrict.start, V), min(restrict.stop, V)))
        if isinstance(restrict, str):
            raise BadOption(
                f"restrict must be a number, a range or a list of words, got {restrict!r}; put it in a list"
            )
        if isinstance(restrict, Iterable):
            return np.unique(self._rows_of(restrict))
        return slice(0, min(whole("restrict", restrict, at_least=1), V))

    def _check_norms(self, norms: Vector) -> None:
        bad = np.flatnonzero(~np.isfinite(norms))
        if len(bad):
            raise BadFile(_not_finite(self._words[bad[0]], int(bad[0])))

    def _adopt(self, norms: Vector | None = None, sketch: Sketch | None = None) -> None:
        """Take over what is known of the rows already."""
        self._search = Search(self.rows, self._check_norms, norms, sketch)


def _as_matrix(matrix: Any) -> Matrix:
    """A float32 (V, D) array whose rows are contiguous, copied only where it is not one already."""
    array = np.asarray(matrix)
    if array.ndim != 2 or array.shape[1] < 1 or array.dtype.kind not in "fiu":
        raise BadOption(f"the matrix must be (V, D) numbers, got {array.dtype} with shape {array.shape}")
    with np.errstate(over="ignore"):  # what overflows becomes infinite, which the check finds
        array = array.astype(np.float32, copy=False)
    return array if array.strides[1] == array.itemsize or len(array) == 0 else np.ascontiguousarray(array)


def _frozen(array: NDArray[Number]) -> NDArray[Number]:
    """A read-only view."""
    view = array.view(np.ndarray)
    view.flags.writeable = False
    return view


def _not_finite(word: str, row: int) -> str:
    return (
        f"vectors must be finite numbers below 1e19, that of {word!r} (row {row}) is not; "
        "train again at a lower rate, or leave the word out"
    )
