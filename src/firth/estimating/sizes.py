"""Bytes that training allocates, added up part by part."""

from __future__ import annotations

import sys

from firth.backends.base import Backend
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


def mean_word_bytes(corpus: EncodedCorpus, most: int) -> float:
    """The mean number of UTF-8 bytes of the `most` most frequent words."""
    words = corpus.words[:most]
    return float(words.nbytes / len(words)) - NUMBER


def memory_parts(
    V: int, distinct: int, letters: float, tokens: int, options: TrainingOptions, machine: Backend, *, renumbered: bool
) -> dict[str, int]:
    """What training keeps in memory beside the program, in bytes.

    V words are trained of `distinct` in a corpus of so many tokens, of `letters` bytes in the mean; `renumbered` where
    the vocabulary is given, so that tokens are numbered anew, batch by batch.
    """
    width = aligned_rows(1, options.vector_size).shape[1]
    in_arrow = distinct * (letters + 2 * NUMBER)
    in_python = V * (letters + PYTHON_STRING + NUMBER)
    chunks = TOKEN * tokens_each(tokens, options) * 2 * options.threads  # those that wait for a worker
    numbered = 2 * TOKEN * BATCH_TOKENS + TOKEN * distinct if renumbered else 0
    packing = V * (2 * letters + 2 * NUMBER)  # the words, joined to be written
    return {
        "two matrices": 2 * V * width * 4,
        "words": round(in_arrow + in_python),
        "tables": V * TABLES,
        "workers": machine.buffer_bytes(V, options),
        "corpus": PAGES_KEPT + chunks + numbered,
        "saving": round(BLOCK_BYTES + packing),
    }


def model_size(V: int, D: int, letters: float) -> int:
    """How many bytes the model's file has, but for a header of some hundreds."""
    return round(V * (2 * 4 * D + 2 * NUMBER + letters))


def corpus_size(tokens: int, sentences: int, distinct: int, letters: float) -> int:
    """How many bytes the encoded corpus has on disk, but for some headers."""
    return round(TOKEN * tokens + NUMBER * sentences + distinct * (letters + 2 * NUMBER))
