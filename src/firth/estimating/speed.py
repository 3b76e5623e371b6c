"""How fast this machine trains: the kernel itself, for a second or two, on a sample, with matrices of full size."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from firth.backends.base import Backend, Rates
from firth.corpus.encoded import Chunk, EncodedCorpus
from firth.estimating.grams import GramsMet
from firth.formats.model import StoredModel, write_model
from firth.ngrams import GramTable
from firth.options import TrainingOptions
from firth.training import tables_for, tokens_each
from firth.vectors import vectors_of
from firth.vocabulary import Vocabulary
from firth.weights import Weights, initial_weights

MOST_BYTES = 4 << 30  # of matrices trained here; beyond, hardly a row is in any cache
MOST_SHARE_OF_MACHINE = 8  # and no more than one part in so many of the machine's memory
MEASURE_SECONDS = 1.5
WARM_UP_SECONDS = 0.3
RATE = 1e-4  # of learning: a sample trained again and again at a higher one might diverge
SAVED_BYTES = 64 << 20  # written to see how fast that is

Ids = npt.NDArray[np.int32] | None


@dataclass(frozen=True)
class Speed:
    """Seconds. per_token: of training, for each token of the corpus, in the vocabulary or not.

    per_held_out_token: of measuring the loss. preparing: vocabulary, tables, initial weights. checking: after each
    epoch. whole_vectors: made of the words' n-grams, where they have any. per_byte_saved: of the model's file.
    """

    per_token: float
    per_held_out_token: float
    preparing: float
    checking: float
    whole_vectors: float
    per_byte_saved: float


def measured_speed(
    corpus: EncodedCorpus,
    V: int,
    total_tokens: int,
    options: TrainingOptions,
    ids: Ids,
    counts: npt.NDArray[np.int64],
    grams: GramsMet | None,
    machine: Backend,
    folder: Path,
    memory: int | None,
) -> Speed:
    """Train `corpus` for a while as part of a text of `total_tokens` and V words, and tell how fast that went.

    `counts` are those of the words met so far, most frequent first; further words count 1. `grams` are the n-grams of
    those met, where they are trained. `memory` is the machine's.
    """
    matrices = 2.0 if grams is None else 2 + grams.sizes(V).rows / V
    most = min(MOST_BYTES, (memory or MOST_BYTES) // MOST_SHARE_OF_MACHINE)
    rows = min(V, max(1, int(most / (4 * matrices * options.vector_size))))
    table = None if grams is None else grams.of_first(rows)
    began = time.perf_counter()
    met = np.maximum(counts[:rows], 1)
    numbers = tuple(map(str, range(rows)))
    vocabulary = Vocabulary(numbers, np.concatenate([met, np.ones(rows - len(met), np.int64)]))
    buckets = None if table is None else table.buckets
    weights = initial_weights(rows, options.vector_size, options.seed, options.threads, buckets)
    tables = tables_for(vocabulary, options, table)
    weights.output[:] = 0  # in a run its pages come while the first epoch trains, here before anything is measured
    preparing = time.perf_counter() - began
    chunks = _again_and_again(corpus, tokens_each(total_tokens, options), ids)
    machine.start(weights, tables, options)
    try:
        _train_for(WARM_UP_SECONDS, machine, chunks, held_out=False)
        per_token = _train_for(MEASURE_SECONDS, machine, chunks, held_out=False)
        per_held_out = _train_for(WARM_UP_SECONDS, machine, chunks, held_out=True) if options.held_out else 0.0
        weights = machine.weights()
    finally:
        machine.close()
    return Speed(
        per_token,
        per_held_out,
        preparing * V / rows + (0.0 if grams is None else grams.seconds_a_word * V),
        _seconds(lambda: weights.finite) * V / rows,
        _seconds(lambda: _whole_vectors(vocabulary, weights, table, options.threads)) * V / rows,
        _saving(weights, numbers, folder),
    )


def _again_and_again(corpus: EncodedCorpus, each: int, ids: Ids) -> Iterator[Chunk]:
    return (chunk for _ in itertools.repeat(None) for chunk in corpus.chunks(each, ids=ids))


def _train_for(seconds: float, machine: Backend, chunks: Iterator[Chunk], *, held_out: bool) -> float:
    """Seconds for each token, over at least so many seconds."""
    began, tokens = time.perf_counter(), 0
    rates = Rates(0.0 if held_out else RATE, 0.0, 0.0)
    for chunk in chunks:
        machine.train(chunk, 0, rates, held_out=held_out)
        tokens += chunk.last - chunk.first
        if time.perf_counter() - began > seconds:
            break
    machine.settle()
    return (time.perf_counter() - began) / tokens


def _whole_vectors(vocabulary: Vocabulary, weights: Weights, table: GramTable | None, threads: int) -> None:
    """What a model does before it is saved, where its words are made of n-grams."""
    if table is not None:
        vectors_of(vocabulary, weights, table, threads)


def _saving(weights: Weights, words: tuple[str, ...], folder: Path) -> float:
    """Seconds for each byte of a model's file, written into `folder`."""
    rows = max(1, min(len(words), SAVED_BYTES // (8 * weights.input.shape[1])))
    stored = StoredModel.of(words[:rows], weights.input[:rows], output=weights.output[:rows])
    path = folder / "model.safetensors"
    seconds = _seconds(lambda: write_model(path, stored))
    return seconds / os.path.getsize(path)  # noqa: PTH202


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
