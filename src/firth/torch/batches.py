"""Mini-batches of an encoded corpus, by the same draws as every backend's.

B rows in a batch, C contexts of all its rows together, K noise words.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import IterableDataset, get_worker_info

from firth.corpus.encoded import Chunk, EncodedCorpus
from firth.draws import PAIRS_PER_POSITION, Purpose, draw, stream_key
from firth.options import TrainingOptions, whole
from firth.vocabulary import Vocabulary, shared_numbers
from firth.windows import noise_for, windows

Ints = npt.NDArray[np.int64]

TOKENS_EACH = 16_384  # in a chunk: some megabytes of windows; what workers of a loader share out


class Batch(NamedTuple):
    """B windows, or pairs of centre and context; all tensors are int64.

    contexts: (C,), the words to predict from; those of row i stand at [offsets[i], offsets[i + 1]), at least one.
    offsets: (B + 1,), as `torch.nn.functional.embedding_bag` takes them with `include_last_offset`.
    targets: (B,), the words to be predicted: the windows' centres.
    noise: (B, K), the noise words of negative sampling; K is 0 for other losses.
    words: its rows' share of the tokens of the vocabulary, those counted in that were subsampled.
    """

    contexts: torch.Tensor
    offsets: torch.Tensor
    targets: torch.Tensor
    noise: torch.Tensor
    words: int = 0

    def to(self, device: torch.device | str, *, non_blocking: bool = False) -> Batch:
        """The same batch on a device."""
        contexts, offsets, targets, noise = (each.to(device, non_blocking=non_blocking) for each in self[:4])
        return Batch(contexts, offsets, targets, noise, self.words)


class Batches(IterableDataset[Batch]):
    """One epoch's windows in batches of `batch_size`, the last one smaller.

        for epoch in range(5):
            for batch in DataLoader(batches.of_epoch(epoch), batch_size=None, num_workers=2):
                loss = module(batch)

    A row is a window; where skip-gram draws noise for each pair, or takes full softmax, it is a pair. Rows come in the
    order of the corpus; with `shuffle`, in an order drawn anew in each epoch among so many rows at a time. `held_out`
    gives the windows of the sentences held out instead of the others. Workers of a `DataLoader` share the chunks of
    the corpus out, so that each row is in one batch; with several, batches come in another order than with one.

    Raises `BadOption` for sizes out of range, `BadCorpus` where vocabulary and corpus share no word.
    """

    def __init__(
        self,
        corpus: EncodedCorpus,
        vocabulary: Vocabulary,
        options: TrainingOptions,
        *,
        batch_size: int = 1024,
        shuffle: int = 0,
        epoch: int = 0,
        held_out: bool = False,
    ) -> None:
        self.corpus, self.options = corpus, options
        self.batch_size = whole("batch_size", batch_size, at_least=1)
        self.shuffle = whole("shuffle", shuffle, at_least=0)
        self.epoch, self.held_out = whole("epoch", epoch, at_least=0), held_out
        ids, V = shared_numbers(vocabulary, corpus.words, options.unknown), len(vocabulary)
        as_they_are = np.array_equal(ids[:V], np.arange(V)) and not (ids[V:] >= 0).any()
        self._ids = None if as_they_are else ids
        self.total_words = round(int(corpus.counts[ids >= 0].sum()) * (1 - options.held_out))
        self._keep = vocabulary.keep_chances(options.sample)
        self._noise = vocabulary.noise_table(options.ns_exponent) if options.loss == "ns" else None

    def of_epoch(self, epoch: int, *, held_out: bool = False) -> Self:
        """The same corpus in another epoch: other windows, tokens kept, noise words and order."""
        other = copy.copy(self)
        other.epoch, other.held_out = whole("epoch", epoch, at_least=0), held_out
        return other

    def __iter__(self) -> Iterator[Batch]:
        waiting = _Rows.none(self.options.negative if self._noise is not None else 0)
        for rows in self._in_order():
            waiting = _Rows.joined([waiting, rows])
            full = len(waiting) - len(waiting) % self.batch_size
            for first in range(0, full, self.batch_size):
                yield waiting.batch(first, first + self.batch_size)
            if full:
                waiting = waiting.part(full, len(waiting))
        if len(waiting):
            yield waiting.batch(0, len(waiting))

    def _in_order(self) -> Iterator[_Rows]:
        """The rows in the order in which they are trained, some at a time."""
        key = stream_key(self.options.seed, self.epoch, Purpose.SHUFFLE)
        gathered: list[_Rows] = []
        for chunk in self._chunks():
            gathered.append(self._rows(chunk))
            if sum(map(len, gathered)) >= self.shuffle:
                yield _Rows.joined(gathered).shuffled(key) if self.shuffle else gathered[0]
                gathered.clear()
        if gathered:
            yield _Rows.joined(gathered).shuffled(key)

    def _chunks(self) -> Iterator[Chunk]:
        """The chunks that are this process's."""
        worker = get_worker_info()
        own, of = (worker.id, worker.num_workers) if worker else (0, 1)
        for number, chunk in enumerate(self.corpus.chunks(TOKENS_EACH, ids=self._ids)):
            if number % of == own:
                yield chunk

    def _rows(self, chunk: Chunk) -> _Rows:
        found = windows(chunk, self.epoch, self.options, self._keep, held_out=self.held_out)
        noise = np.empty((len(found), 0), np.int64)
        if self._noise is not None:
            noise = noise_for(found, self.epoch, self.options, self._noise)
        counters = found.positions * PAIRS_PER_POSITION
        if not _takes_pairs(self.options):
            return _Rows(found.contexts, found.offsets, found.centres, noise, counters, found.words)
        window = found.window_of_pair
        pairs = np.arange(len(window) + 1)
        counters = counters[window] + pairs[:-1] - found.offsets[window]
        noise = noise if len(noise) == len(window) else noise[window]
        return _Rows(found.contexts, pairs, found.centres[window], noise, counters, found.words)


def _takes_pairs(options: TrainingOptions) -> bool:
    """Whether each pair of centre and context has an own row: where pairs of a window share no output rows."""
    by_pair = options.loss == "softmax" or (options.loss == "ns" and options.noise == "pair")
    return options.architecture == "skipgram" and by_pair


@dataclass(frozen=True, eq=False)
class _Rows:
    """What a `Batch` is cut from, in NumPy: the same arrays, and for each row a counter that is its alone (B,)."""

    contexts: Ints
    offsets: Ints
    targets: Ints
    noise: Ints
    counters: Ints
    words: int

    @classmethod
    def none(cls, K: int) -> _Rows:
        empty = np.empty(0, np.int64)
        return cls(empty, np.zeros(1, np.int64), empty, np.empty((0, K), np.int64), empty, 0)

    @classmethod
    def joined(cls, parts: list[_Rows]) -> _Rows:
        contexts, targets, noise, counters = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("contexts", "targets", "noise", "counters")
        )
        lengths = np.concatenate([np.diff(part.offsets) for part in parts])
        return cls(contexts, _offsets(lengths), targets, noise, counters, sum(part.words for part in parts))

    def __len__(self) -> int:
        return len(self.targets)

    def part(self, first: int, last: int) -> _Rows:
        """Rows first to last, and their share of the words."""
        rows, offsets = slice(first, last), self.offsets[first : last + 1]
        contexts = self.contexts[offsets[0] : offsets[-1]]
        words = self.words * last // len(self) - self.words * first // len(self)
        return _Rows(contexts, offsets - offsets[0], self.targets[rows], self.noise[rows], self.counters[rows], words)

    def shuffled(self, key: int) -> _Rows:
        """The rows in the order of their draws."""
        order = np.argsort(draw(key, self.counters))
        lengths = np.diff(self.offsets)[order]
        offsets = _offsets(lengths)
        places = np.arange(offsets[-1]) + np.repeat(self.offsets[order] - offsets[:-1], lengths)
        targets, noise, counters = (each[order] for each in (self.targets, self.noise, self.counters))
        return _Rows(self.contexts[places], offsets, targets, noise, counters, self.words)

    def batch(self, first: int, last: int) -> Batch:
        rows = self.part(first, last)
        contexts, offsets, targets, noise = map(
            torch.from_numpy, (rows.contexts, rows.offsets, rows.targets, rows.noise)
        )
        return Batch(contexts, offsets, targets, noise, rows.words)


def _offsets(lengths: Ints) -> Ints:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
