"""fastText's binary models (.bin): words, character n-grams, and vectors for words never seen. Read only.

Layout (https://github.com/facebookresearch/fastText, version 12), little-endian:

    int32    793712314, then 12
    int32    dim, ws, epoch, minCount, neg, wordNgrams, loss, model, bucket, minn, maxn, lrUpdateRate; float64 t
    int32    entries, words, labels; int64 tokens, pruned entries (-1: not pruned)
             each entry: its bytes, a zero, int64 count, int8 kind (0 a word, 1 a label)
    bool     whether the matrix is quantised
    int64    rows (words, then buckets), columns; then the rows, float32

The vector of a word is the mean of its own row and those of its n-grams; of an unseen word, of its n-grams alone
(Bojanowski et al. 2017, "Enriching Word Vectors with Subword Information"). Text that fastText writes (.vec) is
word2vec's. What follows the matrix, the output weights, is not read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, TypeAlias

import numpy as np
from numpy.typing import NDArray

from firth.errors import BadFile, BadOption, UnknownWord
from firth.formats.checks import (
    MAX_WORD_BYTES,
    Matrix,
    check_reading,
    check_sizes,
    check_unique,
    decoded,
    encoded,
    new_matrix,
    read_exactly,
    read_rows,
    unpacked_room,
)
from firth.storage import AnyPath, is_gzip, mapped, opened
from firth.vectors import Vector, WordVectors
from firth.vectors.given import Query

Counts: TypeAlias = NDArray[np.int64]
Ints: TypeAlias = NDArray[np.int64]

MAGIC = 793712314
VERSION = 12
HEAD = struct.Struct("<2i12id3i2q")
LEAST_ENTRY = 10  # a zero, a count, a kind
LABEL = 1
END_OF_SENTENCE = b"</s>"  # has no n-grams
LONGEST_GRAM = 64  # characters; fastText's own choice is 6
WORDS_EACH = 4096
READ_BYTES = 1 << 20


@dataclass(frozen=True)
class NGrams:
    """Which n-grams of a word count, in characters, and how many buckets they are hashed into; 0 for none."""

    shortest: int
    longest: int
    buckets: int


class SubwordVectors(WordVectors):
    """Word vectors that also give one to words never seen, from their character n-grams.

    Queries by nearness, such as `most_similar`, `analogy` and `similarity`, may ask for such words. They have no row:
    `in` says no, and `[...]`, `index` and what counts ranks raise `UnknownWord`: `vector` gives theirs.

    `matrix` (V, D) holds whole vectors of the words; `buckets`, float32 (B, D), the rows that the n-grams are hashed
    into. It may be a memory map.

    Raises what `WordVectors` raises.
    """

    _of_unknown = "; by its n-grams, vector(word) may give one"

    def __init__(
        self,
        words: Sequence[str],
        matrix: Matrix,
        counts: Counts | None = None,
        *,
        buckets: Matrix,
        shortest: int,
        longest: int,
        check: bool = True,
    ) -> None:
        super().__init__(words, matrix, counts, check=check)
        if buckets.ndim != 2 or buckets.shape[1] != self.vector_size:
            raise BadOption(f"buckets must be rows of {self.vector_size} numbers, got the shape {buckets.shape}")
        self._buckets, self._grams = buckets, NGrams(shortest, longest, len(buckets))

    def vector(self, word: str) -> Vector:
        """The vector of any word, float32 (D,): its own, or the mean of those of its n-grams.

        Raises `UnknownWord` for an unseen word that has no n-gram: one too short, or in a model without n-grams.
        """
        if word in self:
            return self[word]
        spelled = encoded([word])
        (vector,), (count,) = _means(spelled, np.full(1, -1), self._buckets, 0, self._grams)
        if not count:
            short, long = self._grams.shortest, self._grams.longest
            why = (
                f"it has no n-gram of {short} to {long} characters"
                if len(self._buckets)
                else "the model has no n-grams"
            )
            raise UnknownWord(f"no vector for the word {word!r}: it was not seen, and {why}; leave it out")
        found: Vector = vector
        return found

    def _row(self, query: Query) -> int:
        return super()._row(query) if not isinstance(query, str) or query in self else -1

    def _vector(self, query: Query) -> Vector:
        return super()._vector(query) if not isinstance(query, str) or query in self else self.vector(query)


def read_fasttext(path: AnyPath, *, encoding_errors: str = "strict", limit: int | None = None) -> SubwordVectors:
    """The words, their vectors and those of their n-grams from a .bin model; at most `limit` words.

    A file that is not packed stays where it is, mapped into memory: only the words' own vectors are computed, and
    n-grams are read when a word asks for them.

    Raises:
        MissingFile: nothing is there, or it may not be read.
        BadFile: cut short, quantised (.ftz), of another version, or at odds with itself.
        BadOption: an unknown value of `encoding_errors`, or a limit below 0.
    """
    check_reading(encoding_errors, limit)
    with opened(path) as file:
        head = _read_head(file, path)
        names, counts = _read_entries(file, head, path)
        rows, D = _read_shape(file, head, path)
        stored = _map(file, rows, D) if not is_gzip(path) else read_rows(file, rows, D, path)
    kept = len(names) if limit is None else min(limit, len(names))
    words = decoded(names[:kept], encoding_errors, 1, path)
    check_unique(words, BadFile, f"{path}: ")
    matrix = new_matrix(kept, D, path)
    for start in range(0, kept, WORDS_EACH):
        some = names[start : min(start + WORDS_EACH, kept)]
        own = np.arange(start, start + len(some))
        matrix[start : start + len(some)], _ = _means(some, own, stored, head.words, head.grams)
    return SubwordVectors(
        words,
        matrix,
        counts[:kept],
        buckets=stored[head.words : head.words + head.grams.buckets],
        shortest=head.grams.shortest,
        longest=head.grams.longest,
    )


# ---- the parts of the file --------------------------------------------------------------------------


@dataclass(frozen=True)
class _Head:
    D: int
    grams: NGrams
    entries: int
    words: int


def _read_head(file: IO[bytes], path: AnyPath) -> _Head:
    values = HEAD.unpack(read_exactly(file, HEAD.size, path))
    magic, version, D, _, _, _, _, _, _, _, bucket, shortest, longest, _, _, entries, words, labels, _, pruned = values
    if magic != MAGIC:
        raise BadFile(f"{path} is no fastText model: it must begin with {MAGIC}, got {magic}; name its own format")
    if version != VERSION:
        raise BadFile(f"{path} is of fastText's version {version}, only {VERSION} is read; write it with a newer one")
    if not (words >= 0 and labels >= 0 and entries == words + labels):
        raise BadFile(f"{path}: {entries} entries must be {words} words and {labels} labels; fetch the file anew")
    if pruned >= 0:
        raise BadFile(f"{path} is a pruned, quantised model (.ftz), which is not read; take the .bin it was made from")
    if not 0 <= longest <= LONGEST_GRAM or bucket < 0:
        raise BadFile(f"{path}: n-grams must have 0 to {LONGEST_GRAM} characters, got {longest}; fetch the file anew")
    check_sizes(entries, D, LEAST_ENTRY, path)
    return _Head(D, NGrams(max(shortest, 1), longest, bucket if longest else 0), entries, words)


def _read_entries(file: IO[bytes], head: _Head, path: AnyPath) -> tuple[list[bytes], Counts]:
    """The words and their counts; labels of a classifier are passed over."""
    names: list[bytes] = []
    counts = np.empty(head.words, np.int64)
    for name, count, kind in _entries(file, head.entries, path):
        if kind != LABEL and len(names) < head.words:
            counts[len(names)] = count
            names.append(name)
    if len(names) < head.words:
        raise BadFile(f"{path}: the header says {head.words} words, got {len(names)}; fetch the file anew")
    return names, counts


def _entries(file: IO[bytes], most: int, path: AnyPath) -> Iterator[tuple[bytes, int, int]]:
    """Each entry's bytes, count and kind; the file then stands behind the last of them."""
    rest = b""
    given = position = 0
    while given < most:
        end = rest.find(b"\0", position, position + MAX_WORD_BYTES)
        if end >= 0 and end + LEAST_ENTRY <= len(rest):
            count, kind = struct.unpack_from("<qb", rest, end + 1)
            yield rest[position:end], count, kind
            position, given = end + LEAST_ENTRY, given + 1
            continue
        more = file.read(READ_BYTES)
        if not more or (end < 0 and len(rest) - position > MAX_WORD_BYTES):
            raise BadFile(f"{path}: the header says {most} entries, got {given}; the file is cut short, fetch it anew")
        rest, position = rest[position:] + more, 0
    file.seek(position - len(rest), 1)


def _read_shape(file: IO[bytes], head: _Head, path: AnyPath) -> tuple[int, int]:
    """Rows and columns of the matrix that the file now stands before, found to fit into it."""
    quantised, rows, D = struct.unpack("<?2q", read_exactly(file, 17, path))
    if quantised:
        raise BadFile(f"{path} is a quantised model (.ftz), which is not read; take the .bin it was made from")
    if rows < head.words + head.grams.buckets or D != head.D:
        raise BadFile(
            f"{path}: a matrix of {head.words + head.grams.buckets} rows of {head.D} numbers should follow the words, "
            f"got {rows} of {D}; the file is damaged, fetch it anew"
        )
    room = unpacked_room(path)
    if room is not None and 4 * rows * D > room:
        raise BadFile(f"{path}: {rows} rows of {D} numbers do not fit into the file; it is cut short, fetch it anew")
    return rows, D


def _map(file: IO[bytes], rows: int, D: int) -> Matrix:
    """The matrix in the file; its rows may begin at any byte."""
    if not rows:
        return np.empty((0, D), np.float32)
    whole = mapped(file, file.name)
    try:
        return np.ndarray((rows, D), "<f4", buffer=whole, offset=file.tell())
    except TypeError as error:
        raise BadFile(f"{file.name}: its matrix is cut short; fetch the file anew") from error


# ---- vectors from rows ------------------------------------------------------------------------------


def _means(words: Sequence[bytes], own: Ints, stored: Matrix, first_bucket: int, grams: NGrams) -> tuple[Matrix, Ints]:
    """The mean of each word's own row of `stored` (-1: none) and those of its n-grams, and how many these are."""
    from firth.formats.ngram_kernels import means  # compiled code is loaded where it is used

    letters = np.frombuffer(b"".join(b"<%b>" % word for word in words), np.uint8)
    offsets = np.zeros(len(words) + 1, np.int64)
    np.cumsum(np.fromiter((len(word) + 2 for word in words), np.int64, len(words)), out=offsets[1:])
    whole = np.fromiter((row >= 0 and word == END_OF_SENTENCE for row, word in zip(own, words, strict=True)), bool)
    out = np.empty((len(words), stored.shape[1]), np.float32)
    counts = np.empty(len(words), np.int64)
    means(letters, offsets, own, whole, stored, first_bucket, grams.buckets, grams.shortest, grams.longest, out, counts)
    return out, counts
