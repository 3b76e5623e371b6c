"""Words and their vectors: look up, compare, find the nearest, solve analogies.

    vectors = WordVectors.load("model.safetensors")
    vectors.most_similar("king", topn=3)
    vectors.analogy("man", "king", "woman")    # man is to king as woman is to ?

V is the number of words, D the size of a vector, Q a number of queries.
"""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeAlias, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from firth.descriptions import Comparison, Description
from firth.errors import BadFile, BadOption, UnknownWord
from firth.nearest import Answers, Rows, cosines, highest, nearest, read_through, unit
from firth.options import usable_cores

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from firth.screen import Screen
    from firth.storage import AnyPath

Vector: TypeAlias = NDArray[np.float32]
Matrix: TypeAlias = NDArray[np.float32]
Query: TypeAlias = str | Vector
Neighbours: TypeAlias = list[tuple[str, float]]
Number = TypeVar("Number", bound=np.generic)

# A screen costs about as much as reading the matrix a dozen times, and compiled code to load: it is made when about
# as much has been spent on searches without it. So many numbers are read in 0.1 to 0.2 s.
PATIENCE = 8
PATIENCE_NUMBERS = 1 << 30
LEAST_SCREENED = 1 << 20  # numbers in a matrix; fewer are read as quickly
FEW_CANDIDATES = 1 / 8  # of the rows: more are not worth gathering
FEW_QUERIES = 4  # compiled code pays from so many on
SUGGEST_AMONG = 50_000
SUGGESTIONS = 3


class WordVectors:
    """V words, the most frequent first, and a float32 (V, D) matrix with one row for each.

    The matrix is not copied: it may be a memory map, or strided by rows; do not change it afterwards.
    `counts` (int64, V) are optional. With `check=False`, NaN and infinity are looked for not now but when the
    norms are first needed, and words given twice when one is first looked up, so that a mapped file is not read
    before its time.

    Raises:
        BadOption: sizes that do not agree, a word given twice, a matrix that is no matrix of numbers.
        BadFile: NaN, infinity or numbers above 1e19 in the matrix.
    """

    def __init__(
        self,
        words: Sequence[str],
        matrix: Matrix,
        counts: NDArray[np.int64] | None = None,
        *,
        check: bool = True,
    ) -> None:
        self._words = tuple(words)
        self._matrix = _frozen(_as_matrix(matrix))
        self._counts = None if counts is None else _frozen(np.asarray(counts, np.int64))
        if len(self._matrix) != len(self._words):
            raise BadOption(f"the matrix must have a row for each word, got {len(matrix)} for {len(self._words)}")
        if self._counts is not None and self._counts.shape != (len(self._words),):
            raise BadOption(f"counts must be one for each of {len(self._words)} words, got {self._counts.shape}")
        self._norms: Vector | None = None
        self._screen: Screen | None = None
        self._numbers_read = 0
        if check:
            self._norms, self._index = self.norms, _index_of(self._words)

    # ---- words and rows -----------------------------------------------------------------------------

    @property
    def words(self) -> tuple[str, ...]:
        """The V words in the order of the rows."""
        return self._words

    @property
    def matrix(self) -> Matrix:
        """The float32 (V, D) matrix, read-only."""
        return self._matrix

    @property
    def counts(self) -> NDArray[np.int64] | None:
        """How often each word occurred, int64 (V,), read-only, if known."""
        return self._counts

    @property
    def norms(self) -> Vector:
        """The length of each vector, float32 (V,), computed once; raises `BadFile` for NaN or infinity."""
        if self._norms is None:
            self._norms = self._checked(read_through(self._matrix, None, None, threads=1)[1])
        return self._norms

    @property
    def vector_size(self) -> int:
        """D, how many numbers a vector has."""
        return int(self._matrix.shape[1])

    def __len__(self) -> int:
        return len(self._words)

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and word in self._index

    def __repr__(self) -> str:
        return f"WordVectors({len(self)} words, vector_size={self.vector_size})"

    def index(self, word: str) -> int:
        """The row of `word`; `UnknownWord` where it has none."""
        row = self._index.get(word) if isinstance(word, str) else None
        if row is None:
            raise UnknownWord(_Unknown(word, self))
        return row

    @overload
    def __getitem__(self, key: str) -> Vector: ...
    @overload
    def __getitem__(self, key: Sequence[str]) -> Matrix: ...
    def __getitem__(self, key: str | Sequence[str]) -> NDArray[np.float32]:
        """The vector of a word, a read-only view (D,); or a new matrix (n, D) for a list of n words."""
        if not isinstance(key, Iterable):
            raise BadOption(f"vectors are looked up by word or list of words, got {key!r}; for row n take .matrix[n]")
        rows = self.index(key) if isinstance(key, str) else [self.index(word) for word in key]
        found: NDArray[np.float32] = self._matrix[rows]
        return found

    # ---- queries ------------------------------------------------------------------------------------

    def most_similar(
        self,
        positive: Query | Sequence[Query] | None = None,
        negative: Query | Sequence[Query] | None = None,
        topn: int = 10,
        *,
        restrict: int | None = None,
        threads: int | None = None,
    ) -> Neighbours:
        """The `topn` words nearest to the mean of `positive` less `negative`, and their cosines.

        Queries are words or vectors (D,), one or many; each is brought to unit length before the mean is
        taken. Words asked for are not answered; words of equal cosine are answered in the order of the rows.
        With `restrict`, only so many of the first, most frequent words are answered. No more than `threads`
        cores are used, all that the process may use if not given.

        After some searches (8 in a large matrix), a copy of the matrix in int8 is made and kept, V · (D + 8)
        bytes, with which a search reads a quarter as much; what it answers stays the same.

        Raises:
            UnknownWord: a word has no vector.
            BadOption: no query, a vector of another size or with NaN, or `topn`, `restrict` or `threads` below 1.
        """
        wanted, unwanted = (_as_list(queries) for queries in (positive, negative))
        if not wanted and not unwanted:
            raise BadOption("most_similar needs at least one word or vector, got none")
        _check_count("topn", topn)
        V, threads = self._answerable(restrict), _cores(threads)
        target = np.zeros(self.vector_size, np.float32)
        for query in wanted:
            target += self._unit(query)
        for query in unwanted:
            target -= self._unit(query)
        asked = {self.index(query) for query in (*wanted, *unwanted) if isinstance(query, str)}
        found = self._search(unit(target), min(topn + len(asked), V), V, threads)
        return [(self._words[row], score) for row, score in found if row not in asked][:topn]

    def most_similar_batch(
        self, queries: Iterable[Query], topn: int = 10, *, restrict: int | None = None, threads: int | None = None
    ) -> list[Neighbours]:
        """What `most_similar` answers to each of Q words or vectors, by matrix products; no copy of the matrix.

        Raises what `most_similar` raises, and `BadOption` for queries that are no list of them.
        """
        _check_count("topn", topn)
        if isinstance(queries, (str, Mapping)) or not isinstance(queries, Iterable):
            raise BadOption(
                f"queries must be a list of words or vectors, got {reprlib.repr(queries)}; give a list, also for one"
            )
        queries = list(queries)
        V, threads = self._answerable(restrict), _cores(threads)
        if len(queries) < FEW_QUERIES:
            return [self.most_similar([query], topn=topn, restrict=restrict, threads=threads) for query in queries]
        targets = np.array([self._unit(query) for query in queries], np.float32)
        excluded = np.array([[self.index(query)] if isinstance(query, str) else [-1] for query in queries], np.int64)
        return self._named(nearest(self._matrix[:V], self.norms[:V], targets, excluded, topn, threads))

    def analogy(
        self,
        a: Query,
        b: Query,
        c: Query,
        topn: int = 10,
        *,
        restrict: int | None = None,
        threads: int | None = None,
    ) -> Neighbours:
        """What is to `c` as `b` is to `a`: the words nearest to b - a + c (3CosAdd, Mikolov et al. 2013)."""
        return self.most_similar(positive=[b, c], negative=[a], topn=topn, restrict=restrict, threads=threads)

    def similarity(self, a: Query, b: Query) -> float:
        """The cosine of the angle between two words or vectors, from -1 to 1; 0 where one of them is zero."""
        return float(np.clip(np.dot(self._unit(a), self._unit(b)), -1, 1))

    def distance(self, a: Query, b: Query) -> float:
        """1 less `similarity`, from 0 to 2."""
        return 1 - self.similarity(a, b)

    def compare(self, a: Query, b: Query) -> Comparison:
        """Dot product, cosine and Euclidean distance of two words or vectors (D,), summed in float64.

        Raises `UnknownWord` for a word without a vector, `BadOption` for a vector of another size or with NaN.
        """
        one, other = (self._vector(query).astype(np.float64) for query in (a, b))
        return Comparison(float(one @ other), self.similarity(a, b), float(np.linalg.norm(one - other)))

    def describe(self, word: str, topn: int = 10, *, threads: int | None = None) -> Description:
        """Count, rank and norm of a word, and its `topn` nearest words; raises what `most_similar` raises."""
        row = self.index(word)
        neighbours = self.most_similar(word, topn=topn, threads=threads)
        count = None if self._counts is None else int(self._counts[row])
        return Description(word, row + 1, len(self), count, float(self.norms[row]), tuple(neighbours))

    # ---- files --------------------------------------------------------------------------------------

    def save(self, path: AnyPath, format: str | None = None, *, dtype: str = "float32") -> None:
        """Write to a file in the format of its suffix, or in `format`; see `firth.formats.write_vectors`."""
        from firth.formats import write_vectors  # the formats make WordVectors, so they come after

        write_vectors(self, path, format, dtype=dtype)

    @classmethod
    def load(
        cls, path: AnyPath, format: str | None = None, *, encoding_errors: str = "strict", limit: int | None = None
    ) -> Self:
        """Read from a file of any known format, the first `limit` words; see `firth.formats.read_vectors`."""
        from firth.formats import read_vectors

        read = read_vectors(path, format, encoding_errors=encoding_errors, limit=limit)
        return read if isinstance(read, cls) else cls(read.words, read.matrix, read.counts, check=False)

    # ---- their parts --------------------------------------------------------------------------------

    @cached_property
    def _index(self) -> dict[str, int]:
        """The row of each word."""
        return _index_of(self._words)

    def _vector(self, query: Query) -> Vector:
        """The vector of a word, or the vector given; `BadFile` where a word's is not finite."""
        if not isinstance(query, str):
            return _as_vector(query, self.vector_size)
        vector = self[query]
        if not np.isfinite(vector).all():
            raise BadFile(_not_finite(query, self.index(query)))
        return vector

    def _unit(self, query: Query) -> Vector:
        """The vector of a word, or the vector given, at unit length."""
        return unit(self._vector(query))

    def _answerable(self, restrict: int | None) -> int:
        """How many words, counted from the first, may be answers."""
        if restrict is None:
            return len(self)
        _check_count("restrict", restrict)
        return min(restrict, len(self))

    def _search(self, target: Vector, count: int, V: int, threads: int) -> list[tuple[int, float]]:
        """The `count` of the first V rows nearest to `target`, which has unit length, and their cosines."""
        if count == 0:
            return []
        if self._pays_to_screen(V * self.vector_size):
            rows = self._screened(threads).candidates(target, count, V, threads)
            if len(rows) <= V * FEW_CANDIDATES:
                norms = self.norms[rows]
                products, _ = read_through(self._matrix[rows], norms, target, threads)
                return _ranked(cosines(products, norms), count, rows)
        if self._norms is None:  # found on the way
            products, norms = read_through(self._matrix, None, target, threads)
            self._norms = self._checked(norms)
            products = products[:V]
        else:
            products, _ = read_through(self._matrix[:V], self._norms, target, threads)
        return _ranked(cosines(products, self._norms[:V]), count)

    def _pays_to_screen(self, numbers: int) -> bool:
        """Whether a search that reads so many numbers should have a screen, given those before it."""
        self._numbers_read += numbers
        return numbers >= LEAST_SCREENED and self._numbers_read > max(PATIENCE * numbers, PATIENCE_NUMBERS)

    def _screened(self, threads: int) -> Screen:
        if self._screen is None:
            from firth.screen import Screen

            self._screen = Screen(self._matrix, self.norms, threads)
        return self._screen

    def _checked(self, norms: Vector) -> Vector:
        """The norms, or `BadFile` where one is not finite."""
        bad = np.flatnonzero(~np.isfinite(norms))
        if len(bad):
            raise BadFile(_not_finite(self._words[bad[0]], int(bad[0])))
        return norms

    def _named(self, answers: Answers) -> list[Neighbours]:
        rows, scores = answers
        return [
            [(self._words[row], score) for row, score in zip(some, marks, strict=True) if score > -np.inf]
            for some, marks in zip(rows.tolist(), scores.tolist(), strict=True)
        ]


class _Unknown:
    """What is said of an unknown word; the search for close ones waits until someone reads it."""

    def __init__(self, word: object, vectors: WordVectors) -> None:
        self.word = word
        self.vectors = vectors

    def __str__(self) -> str:
        close = _close_words(self.word, self.vectors) if isinstance(self.word, str) else []
        remedy = f"close to it: {', '.join(close)}" if close else "leave it out, or check how words were cut"
        return f"no vector for the word {self.word!r}; {remedy}"

    __repr__ = __str__

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)  # an error sent to another process takes no matrix along


def _close_words(word: str, vectors: WordVectors) -> list[str]:
    """The word in other cases, then those spelled alike among the most frequent."""
    cases = [each for each in (word.lower(), word.capitalize(), word.upper(), word.title()) if each in vectors]
    among = [each for each in vectors.words[:SUGGEST_AMONG] if abs(len(each) - len(word)) <= 2]
    alike = difflib.get_close_matches(word, among, n=SUGGESTIONS, cutoff=0.7)
    return list(dict.fromkeys([*cases, *alike]))[:SUGGESTIONS]


def _index_of(words: tuple[str, ...]) -> dict[str, int]:
    index = dict(zip(words, range(len(words)), strict=True))
    if len(index) != len(words):
        twice = next(word for row, word in enumerate(words) if index[word] != row)
        raise BadOption(f"a word must stand once, got {twice!r} twice; leave one out")
    if not all(issubclass(kind, str) for kind in set(map(type, words))):
        other = next(word for word in words if not isinstance(word, str))
        raise BadOption(f"words must be strings, got {other!r}; convert it first")
    return index


def _as_matrix(matrix: Any) -> Matrix:
    """A float32 (V, D) array whose rows are contiguous, copied only where it is not one already."""
    array = np.asarray(matrix)
    if array.ndim != 2 or array.shape[1] < 1 or array.dtype.kind not in "fiu":
        raise BadOption(f"the matrix must be (V, D) numbers, got {array.dtype} with shape {array.shape}")
    with np.errstate(over="ignore"):  # what overflows becomes infinite, which the check finds
        array = array.astype(np.float32, copy=False)
    return array if array.strides[1] == array.itemsize or len(array) == 0 else np.ascontiguousarray(array)


def _as_vector(query: Any, size: int) -> Vector:
    vector = np.asarray(query)
    if vector.shape != (size,) or vector.dtype.kind not in "fiu" or not np.isfinite(vector).all():
        raise BadOption(f"a query must be a word or a vector of {size} finite numbers, got {query!r}")
    return vector


def _frozen(array: NDArray[Number]) -> NDArray[Number]:
    """A read-only view."""
    view = array.view(np.ndarray)
    view.flags.writeable = False
    return view


def _as_list(queries: Query | Sequence[Query] | None) -> list[Query]:
    """The words and vectors given: one or many; a flat list or array of numbers is one vector."""
    if queries is None:
        return []
    if isinstance(queries, str):
        return [queries]
    if isinstance(queries, Mapping) or not isinstance(queries, Iterable):
        raise BadOption(f"queries must be words or vectors, got {queries!r}; give a word or a list of words")
    listed: list[Any] = (
        queries.tolist() if isinstance(queries, np.ndarray) and queries.dtype.kind == "U" else [*queries]
    )
    if listed and all(isinstance(each, (int, float, np.number)) for each in listed):
        return [np.asarray(listed, np.float32)]
    return listed


def _check_count(name: str, value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise BadOption(f"{name} must be a whole number, 1 or more, got {value!r}")


def _cores(threads: int | None) -> int:
    """How many threads to use: those given, or every core that this process may use."""
    if threads is None:
        return usable_cores()
    _check_count("threads", threads)
    return threads


def _ranked(scores: Vector, count: int, rows: Rows | None = None) -> list[tuple[int, float]]:
    """The `count` highest scores with their rows, highest first, equal ones by row; `rows` are those of the scores."""
    best = highest(scores, count)
    return list(zip((best if rows is None else rows[best]).tolist(), scores[best].tolist(), strict=True))


def _not_finite(word: str, row: int) -> str:
    return (
        f"vectors must be finite numbers below 1e19, that of {word!r} (row {row}) is not; "
        "train again at a lower rate, or leave the word out"
    )
