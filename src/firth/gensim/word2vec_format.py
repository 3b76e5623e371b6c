"""word2vec's text and binary files with gensim's arguments, read and written by `firth.formats`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from firth.errors import BadFile
from firth.formats import named, read_vectors, resembled, write_vectors
from firth.storage import AnyPath, opened, replaced_packed
from firth.vectors import WordVectors

if TYPE_CHECKING:
    from firth.gensim.keyed_vectors import KeyedVectors

K = TypeVar("K", bound="KeyedVectors")

READ_WITH = {"word2vec-binary": "binary=True", "word2vec-text": "binary=False", "glove": "no_header=True"}


def load_word2vec_format(
    cls: type[K],
    fname: AnyPath,
    fvocab: AnyPath | None = None,
    binary: bool = False,
    encoding: str = "utf8",
    unicode_errors: str = "strict",
    limit: int | None = None,
    datatype: Any = np.float32,
    no_header: bool = False,
    binary_chunk_size: int | None = None,  # noqa: ARG001  (firth reads by blocks of its own)
) -> K:
    """The vectors of a file, the first `limit` of them; `no_header` is for text without its first line.

    Raises `UnicodeDecodeError` for words that are not UTF-8 under strict, `CutShort` (an `EOFError`) for a file that
    ends too soon, `BadFile` (a `ValueError`) for one that is not what it should be, and `ValueError` for another
    encoding, a binary file without its header, or one that is packed other than by gzip.
    """
    _check_packing(fname)
    check_encoding(encoding)
    if binary and no_header:
        raise ValueError("a binary file needs its header, or nothing tells the size of a vector; leave no_header out")
    kind = "word2vec-binary" if binary else "glove" if no_header else "word2vec-text"
    try:
        read = read_vectors(fname, kind, encoding_errors=unicode_errors, limit=limit or None)
    except BadFile as error:
        if isinstance(error.__cause__, UnicodeDecodeError):
            raise error.__cause__ from error
        other = resembled(fname, named(kind))
        if other and other.name in READ_WITH:
            error.args = (f"{error}, which is read with {READ_WITH[other.name]}",)
        raise
    counts = falling_counts(len(read)) if fvocab is None else _counts_of(read.words, fvocab, unicode_errors)
    return cls.of(read, counts=counts, dtype=datatype)


def save_word2vec_format(fname: AnyPath, vectors: WordVectors, binary: bool, write_header: bool) -> None:
    """Write vectors; text may go without its header. Raises `ValueError` for a binary file that should, or bzip2."""
    _check_packing(fname)
    if binary and not write_header:
        raise ValueError("a binary file needs its header, or nothing tells the size of a vector; leave write_header")
    write_vectors(vectors, fname, "word2vec-binary" if binary else "word2vec-text" if write_header else "glove")


def falling_counts(V: int) -> NDArray[np.int64]:
    """Made-up counts, where a file has none: V, V - 1, … 1."""
    return np.arange(V, 0, -1)


def write_counts(fname: AnyPath, words: Sequence[str], counts: NDArray[Any]) -> None:
    """Write words and counts, a word a line."""
    with replaced_packed(fname) as file:
        file.writelines(f"{word} {count}\n".encode() for word, count in zip(words, counts.tolist(), strict=True))


def check_encoding(encoding: str) -> None:
    """Raise `ValueError` for words in another encoding than UTF-8."""
    if encoding.lower().replace("-", "").replace("_", "") != "utf8":
        raise ValueError(f"encoding must be utf8, got {encoding!r}; convert the file first")


def _check_packing(fname: AnyPath) -> None:
    """Raise `ValueError` for names by which gensim would pack and unpack otherwise than by gzip."""
    if str(fname).endswith((".bz2", ".xz", ".zst")):
        raise ValueError(f"vectors are packed by gzip alone, got {fname}; take a name that ends in .gz, or unpack it")


def _counts_of(words: Sequence[str], fvocab: AnyPath, errors: str) -> NDArray[np.int64]:
    """The count of each word by a file of words and counts; 0 for those that it lacks."""
    with opened(fvocab) as file:
        pairs = [line.decode("utf8", errors).split() for line in file]
    counts = {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2}
    return np.array([counts.get(word, 0) for word in words], np.int64)
