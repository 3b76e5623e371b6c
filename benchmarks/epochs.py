"""Training on the CPU timed epoch by epoch: the chunks and rates of the main flow, without what stands around it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from firth.backends.base import Tables
from firth.backends.cpu import CpuBackend
from firth.corpus.encoded import EncodedCorpus
from firth.corpus.store import encoded_corpus
from firth.options import CorpusOptions, TrainingOptions, usable_cores
from firth.training import rates_in, tables_for, tokens_each
from firth.vocabulary import Vocabulary
from firth.weights import initial_weights


@dataclass(frozen=True)
class Encoded:
    """An encoded corpus, its vocabulary, and what draws are compared with."""

    corpus: EncodedCorpus
    vocabulary: Vocabulary
    tables: Tables


@dataclass(frozen=True)
class Epoch:
    """One pass over a corpus. `examples` are pairs for skip-gram, windows for CBOW."""

    seconds: float
    words: int
    examples: int


def encoded(text: Path, min_count: int) -> Encoded:
    """The text encoded among the temporary files, which go with it."""
    corpus = encoded_corpus(text, CorpusOptions(cache=False), threads=usable_cores())
    vocabulary = Vocabulary.of(corpus, min_count=min_count)
    return Encoded(corpus, vocabulary, tables_for(vocabulary, TrainingOptions()))


@contextmanager
def started(material: Encoded, options: TrainingOptions, *, touched: bool = True) -> Iterator[CpuBackend]:
    """A backend with fresh weights, its kernel compiled.

    With `touched`, all pages are written before: else the system hands out those of the output matrix in the first
    epoch, which with 2 million words and one thread took two to three times as long.
    """
    backend = CpuBackend()
    weights = initial_weights(len(material.vocabulary), options.vector_size, options.seed, usable_cores())
    if touched:
        weights.output[:] = 0.0
    backend.start(weights, material.tables, options)
    try:
        yield backend
    finally:
        backend.close()


def trained_epoch(backend: CpuBackend, material: Encoded, options: TrainingOptions, number: int) -> Epoch:
    """Train epoch `number`, from 0 on, to its last word."""
    total = material.corpus.total_tokens
    rates, before = rates_in(number, options, total), backend.tally()
    began = time.perf_counter()
    for chunk in material.corpus.chunks(tokens_each(total, options)):
        backend.train(chunk, number, rates)
    backend.settle()
    seconds = time.perf_counter() - began
    trained = backend.tally() - before
    return Epoch(seconds, trained.words, trained.examples)


def trained(material: Encoded, options: TrainingOptions, *, touched: bool = True) -> list[Epoch]:
    """Train all epochs from fresh weights; `touched` as for `started`."""
    with started(material, options, touched=touched) as backend:
        return [trained_epoch(backend, material, options, number) for number in range(options.epochs)]
