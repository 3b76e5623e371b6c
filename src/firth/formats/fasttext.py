"""fastText's binary models (.bin): words, character n-grams, and vectors for words never seen.

Layout (https://github.com/facebookresearch/fastText, version 12), little-endian:

    int32    793712314, then 12
    int32    dim, ws, epoch, minCount, neg, wordNgrams, loss, model, bucket, minn, maxn, lrUpdateRate; float64 t
    int32    entries, words, labels; int64 tokens, pruned entries (-1: not pruned)
             each entry: its bytes, a zero, int64 count, int8 kind (0 a word, 1 a label)
    bool     whether the matrix is quantised
    int64    rows (words, then buckets), columns; then the rows, float32
    bool     whether the output matrix is quantised
    int64    rows (words), columns; then the rows, float32

The vector of a word is the mean of its own row and those of its n-grams; of an unseen word, of its n-grams alone
(Bojanowski et al. 2017, "Enriching Word Vectors with Subword Information"). Text that fastText writes (.vec) is
word2vec's. The output matrix is written, since fastText reads no file without, but not read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, NamedTuple, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from firth.errors import BadFile, BadOption
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
from firth.ngrams import LONGEST_GRAM, ROWS_EACH, NGrams, buckets_of
from firth.storage import AnyPath, is_gzip, mapped, opened, replaced_packed
from firth.vectors import SubwordVectors, WordVectors

Counts: TypeAlias = NDArray[np.int64]

NO_GRAMS = NGrams(0, 0, 0)
MAGIC = 793712314
VERSION = 12
HEAD = struct.Struct("<2i12id3i2q")
LEAST_ENTRY = 10  # a zero, a count, a kind
SHAPE = struct.Struct("<?2q")
ENTRY_END = struct.Struct("<xqb")
LABEL = 1
READ_BYTES = 1 << 20
MOST_ROWS = 2**31 - 1  # which fastText counts in 32 bits
CBOW, SKIPGRAM = 1, 2
LOSSES = {"ns": 2, "softmax": 3}
LR_UPDATE_RATE = 100  # fastText's own: how many tokens a thread trains before it looks at the rate anew
ROUNDS = 2  # of finding words' own rows: the first leaves rounding errors, the second takes them off


class Header(NamedTuple):
    """What a file begins with; the names are firth's options' where there are such."""

    magic: int
    version: int
    vector_size: int
    window: int
    epochs: int
    min_count: int
    negative: int
    word_ngrams: int
    loss: int
    model: int
    bucket: int
    min_n: int
    max_n: int
    lr_update_rate: int
    sample: float
    entries: int
    words: int
    labels: int
    tokens: int
    pruned: int  # entries of a quantised model, else -1

    @classmethod
    def of(cls, data: bytes) -> Self:
        """The header in the first bytes of a file, HEAD.size of them."""
        return cls._make(HEAD.unpack(data))


def read_fasttext(path: AnyPath, *, encoding_errors: str = "strict", limit: int | None = None) -> SubwordVectors:
    """The words, their vectors and those of their n-grams from a .bin model; at most `limit` words.

    A file that is not packed stays where it is, mapped into memory: only the words' own vectors are computed, and
    n-grams are read when a word asks for them.

    Raises:
        MissingFile: nothing is there, or it may not be read.
        BadFile: cut short, quantised (.ftz), of another version, or at odds with itself.
        BadOption: an unknown value of `encoding_errors`, or a limit below 0.
    """
    from firth.ngram_kernels import means  # compiled code is loaded where it is used

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
    gram_rows = stored[head.words : head.words + head.grams.buckets]
    for start in range(0, kept, ROWS_EACH):
        some = names[start : min(start + ROWS_EACH, kept)]
        numbers = np.arange(start, start + len(some))
        starts, buckets = buckets_of(some, head.grams)
        grams, added = buckets.astype(np.int32), np.empty(len(some), np.int64)
        means(numbers, stored, starts, grams, gram_rows, matrix[start:], added)
    return SubwordVectors(words, matrix, counts[:kept], gram_rows=gram_rows, kind=head.grams)


def write_fasttext(
    path: AnyPath,
    vectors: WordVectors,
    *,
    own: Matrix | None = None,
    output: Matrix | None = None,
    options: Mapping[str, Any] | None = None,
) -> None:
    """Write words, vectors and n-grams as a .bin model, block by block, with a row for each bucket: zeros for others.

    fastText then gives the words these vectors: their own rows in the file are what makes it so, `own`, float32 (V, D),
    if given, or else found, by which vectors are right to the last bits. What it gives words never seen is ours times
    one factor for each word, since it counts n-grams without a row, too.

    `output`, float32 (V, D), is the output matrix, zeros if not given; `options` are those of training, of which the
    header tells. Words whose counts are not known get 1.

    Raises:
        BadOption: no words, a word that holds a line break or a zero, is given twice or too long, or more rows than
            fastText counts.
        CannotWrite: the disk is full, or the place may not be written.
    """
    names = _checked_names(vectors)
    V, D = len(names), vectors.vector_size
    kind = vectors.kind if isinstance(vectors, SubwordVectors) else NO_GRAMS
    if V + kind.buckets > MOST_ROWS:
        raise BadOption(f"{V} words and {kind.buckets} buckets are more rows than fastText counts, {MOST_ROWS}")
    counts = np.ones(V, np.int64) if vectors.counts is None else vectors.counts
    with replaced_packed(path) as file:
        file.write(_head(D, kind, options or {}, counts))
        for start in range(0, V, ROWS_EACH):
            entries = zip(names[start : start + ROWS_EACH], counts[start : start + ROWS_EACH].tolist(), strict=True)
            file.write(b"".join(name + ENTRY_END.pack(count, 0) for name, count in entries))
        file.write(SHAPE.pack(False, V + kind.buckets, D))
        for start in range(0, V, ROWS_EACH):
            some = slice(start, min(start + ROWS_EACH, V))
            rows = vectors.rows.decoded(some) if own is None else own[some]
            if own is None and isinstance(vectors, SubwordVectors):
                rows = _own_rows(rows, names[some], vectors)
            _write_rows(file, rows)
        if isinstance(vectors, SubwordVectors):
            for start in range(0, kind.buckets, ROWS_EACH):
                _write_rows(file, vectors.gram_rows_between(start, min(start + ROWS_EACH, kind.buckets)))
        file.write(SHAPE.pack(False, V, D))
        for start in range(0, V, ROWS_EACH):
            n = min(ROWS_EACH, V - start)
            _write_rows(file, np.zeros((n, D), np.float32) if output is None else output[start : start + n])


# ---- what is written ------------------------------------------------------------------------------


def _checked_names(vectors: WordVectors) -> list[bytes]:
    """The words' bytes, found to be such as can be read again."""
    if not len(vectors):
        raise BadOption("fastText reads no model without words; give vectors that have some")
    check_unique(vectors.words, BadOption)
    names = encoded(vectors.words)
    for word, name in zip(vectors.words, names, strict=True):
        if b"\0" in name or b"\n" in name or len(name) >= MAX_WORD_BYTES:
            raise BadOption(
                f"words must be shorter than {MAX_WORD_BYTES} bytes and hold no line break or zero in fastText's "
                f"format, got {word[:40]!r}; leave it out, or save as .safetensors"
            )
    return names


def _head(D: int, kind: NGrams, options: Mapping[str, Any], counts: Counts) -> bytes:
    """The header; what `options` do not tell is what fastText's own are, but that all words are kept."""

    def number(name: str, usual: int) -> int:
        value = options.get(name)
        return value if isinstance(value, int) and 0 <= value <= MOST_ROWS else usual

    sample = options.get("sample")
    head = Header(
        MAGIC,
        VERSION,
        D,
        number("window", 5),
        number("epochs", 5),
        number("min_count", 1),
        number("negative", 5),
        word_ngrams=1,  # n-grams of words, which fastText trains in classifiers alone
        loss=LOSSES.get(str(options.get("loss")), LOSSES["ns"]),
        model=CBOW if options.get("architecture") == "cbow" else SKIPGRAM,
        bucket=kind.buckets,
        min_n=kind.shortest,
        max_n=kind.longest,
        lr_update_rate=LR_UPDATE_RATE,
        sample=float(sample) if isinstance(sample, (int, float)) and 0 <= sample <= 1 else 1e-4,
        entries=len(counts),
        words=len(counts),
        labels=0,
        tokens=int(counts.sum()),
        pruned=-1,
    )
    return HEAD.pack(*head)


def _own_rows(targets: Matrix, names: Sequence[bytes], vectors: SubwordVectors) -> Matrix:
    """The words' own rows of which, with their n-grams', the means are `targets` (n, D), as fastText adds them up."""
    from firth.ngram_kernels import means  # compiled code is loaded where it is used

    numbers, (starts, buckets) = np.arange(len(names)), buckets_of(names, vectors.kind)
    grams, parts = vectors.gram_rows_of(buckets), 1 + np.diff(starts)[:, None]
    own, found, added = targets.copy(), np.empty_like(targets), np.empty(len(names), np.int64)
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite stays so, and is told when it is read
        for _ in range(ROUNDS):
            means(numbers, own, starts, grams, vectors.gram_rows, found, added)
            # fastText divides by all n-grams, also those without a row, whose zeros were not added here.
            own += parts * (targets - found * (added[:, None] / parts)).astype(np.float32)
    return own


def _write_rows(file: IO[bytes], rows: Matrix) -> None:
    file.write(np.ascontiguousarray(rows, "<f4").data.cast("B"))


# ---- the parts of the file --------------------------------------------------------------------------


@dataclass(frozen=True)
class _Head:
    D: int
    grams: NGrams
    entries: int
    words: int


def _read_head(file: IO[bytes], path: AnyPath) -> _Head:
    head = Header.of(read_exactly(file, HEAD.size, path))
    if head.magic != MAGIC:
        raise BadFile(f"{path} is no fastText model: it must begin with {MAGIC}, got {head.magic}; name its own format")
    if head.version != VERSION:
        raise BadFile(
            f"{path} is of fastText's version {head.version}, only {VERSION} is read; write it with a newer one"
        )
    entries, words, labels = head.entries, head.words, head.labels
    if not (words >= 0 and labels >= 0 and entries == words + labels):
        raise BadFile(f"{path}: {entries} entries must be {words} words and {labels} labels; fetch the file anew")
    if head.pruned >= 0:
        raise BadFile(f"{path} is a pruned, quantised model (.ftz), which is not read; take the .bin it was made from")
    if head.bucket < 0:
        raise BadFile(f"{path}: buckets must be 0 or more, got {head.bucket}; fetch the file anew")
    if not 0 <= head.max_n <= LONGEST_GRAM:
        raise BadFile(
            f"{path}: n-grams must have 0 to {LONGEST_GRAM} characters, got {head.max_n}; fetch the file anew"
        )
    check_sizes(entries, head.vector_size, LEAST_ENTRY, path)
    shortest, longest = max(head.min_n, 1), head.max_n
    kind = NGrams(shortest, longest, head.bucket if shortest <= longest else 0)
    return _Head(head.vector_size, kind, entries, words)


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
    quantised, rows, D = SHAPE.unpack(read_exactly(file, SHAPE.size, path))
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
