"""Bytes that training allocates, added up part by part."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from firth.backends.base import Backend
from firth.backends.cpu import hot_rows
from firth.corpus.encoded import PAGES_KEPT, EncodedCorpus
from firth.corpus.writer import BATCH_TOKENS
from firth.formats.tensors import BLOCK_BYTES
from firth.options import TrainingOptions
from firth.training import tokens_each
from firth.weights import aligned_rows

NUMBER = 8  # bytes of a count, and of the offset at which a word begins
TOKEN = 4
TABLES = 4 + 8  # of a keep-chance, and of a row of the noise table
PYTHON_STRING = sys.getsizeof("") + 8 + 8  # with its place in a tuple, and with rounding up to 16 bytes
INDEXED = 32 + 52  # of a word's row, and its place in a dictionary half full
ROW = 4  # of n-grams, noted for each n-gram of a word
NOTED = 3 * NUMBER  # of each n-gram while they are counted


@dataclass(frozen=True)
class GramSizes:
    """How many n-grams the words have in all, into how many buckets they fall, and of how many there are."""

    entries: int = 0
    rows: int = 0
    buckets: int = 0


def mean_word_bytes(corpus: EncodedCorpus, most: int) -> float:
    """The mean number of UTF-8 bytes of the `most` most frequent words."""
    words = corpus.words[:most]
    return float(words.nbytes / len(words)) - NUMBER


def memory_parts(
    V: int,
    distinct: int,
    letters: float,
    tokens: int,
    options: TrainingOptions,
    machine: Backend,
    *,
    renumbered: bool,
    grams: GramSizes | None = None,
) -> dict[str, int]:
    """What training keeps in memory beside the program, in bytes.

    V words are trained of `distinct` in a corpus of so many tokens, of `letters` bytes in the mean; `renumbered` where
    the vocabulary is given, so that tokens are numbered anew, batch by batch. `grams` are the n-grams trained, if any.
    """
    width = aligned_rows(1, options.vector_size).shape[1]
    in_arrow = distinct * (letters + 2 * NUMBER)
    in_python = V * (letters + PYTHON_STRING + NUMBER)
    chunks = TOKEN * tokens_each(tokens, options) * 2 * options.threads  # those that wait for a worker
    numbered = 2 * TOKEN * BATCH_TOKENS + TOKEN * distinct if renumbered else 0
    packing = V * (2 * letters + 2 * NUMBER)  # the words, joined to be written
    return {
        "two matrices": 2 * V * width * 4,
        **({} if grams is None else _gram_parts(V, letters, options, grams)),
        "words": round(in_arrow + in_python),
        "tables": V * TABLES,
        "workers": machine.buffer_bytes(V, options),
        "corpus": PAGES_KEPT + chunks + numbered,
        "saving": round(BLOCK_BYTES + packing),
    }


def _gram_parts(V: int, letters: float, options: TrainingOptions, grams: GramSizes) -> dict[str, int]:
    """What n-grams take besides: their rows, which word has which, and the whole vectors made when training is over.

    What it takes to count them is over before there are matrices, and is told where it is more than these.
    """
    width = aligned_rows(1, options.vector_size).shape[1]
    copies = 2 * options.threads * hot_rows(grams.rows, options.threads)
    rows = (grams.rows + copies) * width * 4
    if options.backend == "reference":  # which has them in float64 besides
        rows += grams.rows * options.vector_size * 8
    table = 2 * V * NUMBER + grams.entries * ROW + grams.rows * NUMBER
    whole = V * (4 * options.vector_size + INDEXED)
    counting = V * (2 * letters + PYTHON_STRING + 3 * NUMBER) + grams.entries * NOTED + grams.buckets * 2 * NUMBER
    later = 2 * V * width * 4 + rows + table + whole
    return {
        "n-grams' rows": rows,
        "n-grams of words": round(table + max(0, counting - later)),
        "whole vectors": whole,
    }


def model_size(V: int, D: int, letters: float, gram_rows: int | None = None) -> int:
    """How many bytes the model's file has, but for a header of some hundreds; `gram_rows` are those of n-grams."""
    of_grams = 0 if gram_rows is None else V * 4 * D + gram_rows * (4 * D + NUMBER)
    return round(V * (2 * 4 * D + 2 * NUMBER + letters)) + of_grams


def corpus_size(tokens: int, sentences: int, distinct: int, letters: float) -> int:
    """How many bytes the encoded corpus has on disk, but for some headers."""
    return round(TOKEN * tokens + NUMBER * sentences + distinct * (letters + 2 * NUMBER))
