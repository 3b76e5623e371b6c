"""Documents: checked, cut into tokens, and numbered by the rows of word vectors."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from firth.corpus.iterables import Sentences
from firth.corpus.lexicon import Lexicon
from firth.corpus.tokenizers import TokenizerLike, tokenizer_for
from firth.errors import BadCorpus, BadOption, UnknownWord
from firth.vectors import SubwordVectors, WordVectors

UNKNOWN = -1


@dataclass(frozen=True)
class Counted:
    """Some documents, one after another, as counts of known words.

    `counts` is a sparse matrix, float64 (n, U), over the U known words that occur in them; `rows`, int64 (U,), are
    their rows in the word vectors, V for words that have a vector by their n-grams alone, which stand last;
    `vectors`, float64 (U, D), are theirs; `first` is the first document's number.
    """

    first: int
    counts: sparse.csr_array
    rows: NDArray[np.int64]
    vectors: NDArray[np.float64]


def listed(documents: Any) -> list[Any]:
    """The documents as a list; `BadOption` for what is not a list of strings or of lists of tokens.

    None stands in a table's column for a text that is missing; so does NaN. They are refused, not taken for words.
    """
    remedy = "give a list of strings, or of lists of tokens"
    if isinstance(documents, (str, bytes, Mapping)) or not isinstance(documents, Iterable):
        raise BadOption(f"documents must be a list, got one {type(documents).__name__}; {remedy}, also for one")
    if sparse.issparse(documents) or len(getattr(documents, "shape", (0,))) != 1:
        shape = getattr(documents, "shape", ())
        raise BadOption(f"documents must be a list or one column, got the shape {shape}; {remedy}, or table['text']")
    found = list(documents)
    if not found:
        raise BadOption("documents must be at least one, got none: a list with 0 sample(s)")
    for number, each in enumerate(found):
        if isinstance(each, bytes):
            raise BadCorpus(f"document {number:,} is bytes, not text; decode it, as in text.decode('utf-8')")
        if not isinstance(each, (str, list, tuple)) and not (isinstance(each, np.ndarray) and each.ndim == 1):
            raise BadCorpus(f"document {number:,} is {each!r:.60}, neither a string nor a list of tokens; {remedy}")
        if isinstance(each, str) != isinstance(found[0], str):
            raise BadCorpus(f"document {number:,} is {type(each).__name__}, unlike those before it; {remedy}, not both")
    return found


def counted(
    documents: list[Any], tokenizer: TokenizerLike, vectors: WordVectors, unknown: str | None
) -> Iterator[Counted]:
    """Some thousand documents at a time; words without a vector are left out, or counted as `unknown`.

    Where vectors are made of n-grams and nothing stands for unknown words, words never seen have theirs.
    """
    cut = tokenizer_for(tokenizer)
    by_grams = vectors if isinstance(vectors, SubwordVectors) and unknown is None else None
    other = UNKNOWN if unknown is None else vectors.index(unknown)
    first = 0
    for block in Sentences(documents).blocks():
        lexicon = Lexicon()
        ids, lengths = cut.number(block, lexicon, "strict")
        words = lexicon.words()[0].cast(pa.large_string()).to_pylist()
        row_of = np.fromiter(
            (vectors.index(word) if word in vectors else other for word in words), np.int64, len(words)
        )
        made = [] if by_grams is None else _made(by_grams, words, row_of)
        rows = np.unique(row_of[row_of != UNKNOWN])
        owners, tokens = np.repeat(np.arange(len(lengths)), lengths), row_of[ids]
        known = tokens != UNKNOWN
        places = owners[known], np.searchsorted(rows, tokens[known])
        shape = (len(lengths), len(rows))
        counts = sparse.coo_array((np.ones(int(known.sum())), places), shape).tocsr()  # adds up what stands twice
        of_rows = vectors.rows.decoded(rows[: len(rows) - len(made)])
        found = np.concatenate([of_rows, made]) if made else of_rows
        yield Counted(first, counts, np.minimum(rows, len(vectors)), found.astype(np.float64))
        first += len(lengths)


def _made(vectors: SubwordVectors, words: list[str], row_of: NDArray[np.int64]) -> list[NDArray[np.float32]]:
    """The vectors of words that have no row but n-grams; in `row_of` they get rows of their own, from V on."""
    found: list[NDArray[np.float32]] = []
    for number in np.flatnonzero(row_of == UNKNOWN).tolist():
        with contextlib.suppress(UnknownWord):
            found.append(vectors.vector(words[number]))
            row_of[number] = len(vectors) + len(found) - 1
    return found
