"""The windows of a chunk as arrays: what the reference decides one window at a time, decided for all by NumPy.

For trainers that take mini-batches (full softmax, PyTorch): the same draws, hence the same windows and noise words.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from firth.corpus.encoded import Chunk
from firth.draws import (
    Draws,
    Purpose,
    as_chance,
    below,
    chance,
    counters_again,
    draw,
    low_chance,
    noise_counters,
    stream_key,
)
from firth.errors import BadCorpus
from firth.options import TrainingOptions

Ints = npt.NDArray[np.int64]
Chances = npt.NDArray[np.uint32]


@dataclass(frozen=True, eq=False)
class Windows:
    """N windows that have contexts, in the order of the corpus; all arrays are int64.

    centres: (N,), the words to be predicted. positions: (N,), where they stand in the corpus.
    contexts: the contexts of all windows in a row; those of window i stand at [offsets[i], offsets[i + 1]).
    words: how many tokens of the vocabulary were looked at.
    """

    centres: Ints
    positions: Ints
    contexts: Ints
    offsets: Ints
    words: int

    def __len__(self) -> int:
        return len(self.centres)

    @property
    def lengths(self) -> Ints:
        """How many contexts each window has: (N,)."""
        return np.diff(self.offsets)

    @property
    def window_of_pair(self) -> Ints:
        """The window that each context is of: (contexts,)."""
        return np.repeat(np.arange(len(self)), self.lengths)


def windows(chunk: Chunk, epoch: int, options: TrainingOptions, keep: Chances, *, held_out: bool = False) -> Windows:
    """The windows whose centres stand in tokens[first:last] of a chunk; `keep` as in `Tables`.

    With `held_out`, those of the sentences held out instead of the others.
    """
    reach_key = stream_key(options.seed, epoch, Purpose.REACH)
    sentences = _Sentences(chunk, epoch, options, keep, held_out)
    before, after = sentences.around(options.reach)
    known, inside = sentences.kept(chunk.first, chunk.last)
    kept = np.concatenate([before, inside, after])

    sentence = sentences.of(kept)
    starts, ends = np.searchsorted(sentence, sentence, side="left"), np.searchsorted(sentence, sentence, side="right")
    positions = chunk.position + kept
    distances = np.full(len(kept), options.reach, np.int64)
    if options.reach_is_drawn:
        distances = 1 + below(draw(reach_key, positions), options.reach)
    at = np.arange(len(kept))
    low, high = np.maximum(starts, at - distances), np.minimum(ends, at + distances + 1)
    centres = len(before) + np.arange(len(inside))
    centres = centres[high[centres] - low[centres] > 1]
    low, lengths = low[centres], high[centres] - low[centres] - 1
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    places = np.arange(offsets[-1]) - np.repeat(offsets[:-1] - low, lengths)
    places += places >= np.repeat(centres, lengths)  # the centre itself is left out
    words = chunk.tokens[kept].astype(np.int64)
    return Windows(words[centres], positions[centres], words[places], offsets, known)


def span(
    chunk: Chunk, epoch: int, options: TrainingOptions, keep: Chances, *, held_out: bool = False
) -> tuple[int, int]:
    """Which of a chunk's tokens its windows need: tokens[begin:end], from `first` to `last` and contexts beyond."""
    before, after = _Sentences(chunk, epoch, options, keep, held_out).around(options.reach)
    begin = int(before[0]) if len(before) else chunk.first
    end = int(after[-1]) + 1 if len(after) else chunk.last
    return begin, end


class _Sentences:
    """The sentences that a chunk's centres are of, and which of their tokens are kept."""

    def __init__(self, chunk: Chunk, epoch: int, options: TrainingOptions, keep: Chances, held_out: bool) -> None:
        self.chunk, self.keep = chunk, keep
        self.key = stream_key(options.seed, epoch, Purpose.KEEP)
        last = int(np.searchsorted(chunk.offsets, chunk.last, side="left"))
        self.bounds = chunk.offsets[chunk.sentence : last + 1]
        check_whole_sentences(options, int(np.diff(self.bounds).max(initial=0)))
        self.taken = _held_out(options, chunk.position + self.bounds[:-1]) == held_out

    def of(self, places: Ints) -> Ints:
        """The sentence that the token at each of `places` is in."""
        return np.searchsorted(self.bounds, places, side="right") - 1

    def kept(self, first: int, last: int) -> tuple[int, Ints]:
        """How many of tokens[first:last] are in the vocabulary, and where those stand that are kept."""
        tokens, places = self.chunk.tokens[first:last], np.arange(first, last)
        known = (tokens >= 0) & (tokens < len(self.keep)) & self.taken[self.of(places)]
        drawn = chance(draw(self.key, self.chunk.position + places))
        return int(known.sum()), places[known & (drawn < self.keep[np.where(known, tokens, 0)])]

    def around(self, count: int) -> tuple[Ints, Ints]:
        """Where the kept tokens next to the chunk's stand, `count` to each side, or as many as the sentences have.

        Looked for farther and farther away, so that long sentences cost no more than short ones.
        """
        first, last = self.chunk.first, self.chunk.last
        begin, end, step = first, last, count
        before = after = np.empty(0, np.int64)
        while len(before) < count and begin > self.bounds[0]:
            begin, step = max(int(self.bounds[0]), begin - step), 2 * step
            before = self.kept(begin, first)[1]
        step = count
        while len(after) < count and end < self.bounds[-1]:
            end, step = min(int(self.bounds[-1]), end + step), 2 * step
            after = self.kept(last, end)[1]
        return before[-count:], after[:count]


def check_whole_sentences(options: TrainingOptions, longest: int) -> None:
    """Raise `BadCorpus` where windows are to hold whole sentences, and the longest has more words than they can."""
    if options.window == "all" and longest > options.reach + 1:
        raise BadCorpus(
            f"window 'all' takes sentences of up to {options.reach + 1:,} tokens, and the longest has {longest:,}; cut "
            f"it into shorter ones, or give window a number, up to {options.reach:,}"
        )


def _held_out(options: TrainingOptions, positions: Ints) -> npt.NDArray[np.bool_]:
    """Which of the sentences that begin at `positions` are held out."""
    if not options.held_out:
        return np.zeros(len(positions), np.bool_)
    drawn = chance(draw(stream_key(options.seed, 0, Purpose.HELD_OUT), positions))
    return np.asarray(drawn < as_chance(options.held_out))


def noise_for(found: Windows, epoch: int, options: TrainingOptions, table: Chances) -> Ints:
    """The noise words: int64 (N, K), or (contexts, K) where skip-gram draws them for each pair; `table` as in `Tables`.

    A word equal to its window's centre is no noise.
    """
    by_pair = options.noise == "pair" and options.architecture == "skipgram"
    owner = found.window_of_pair if by_pair else np.arange(len(found))
    number_in_window = np.arange(len(owner)) - found.offsets[owner] if by_pair else None
    counters = noise_counters(found.positions[owner], options.negative, number_in_window)
    key, again = (stream_key(options.seed, epoch, each) for each in (Purpose.NOISE, Purpose.NOISE_AGAIN))
    noise = _drawn(key, counters, table)
    if not options.distinct_noise:
        return noise
    taken = _Pairs(found.contexts, np.arange(len(found.contexts)) if by_pair else found.window_of_pair, len(table))
    return _made_distinct(noise, counters, again, table, found.centres[owner], taken)


class _Pairs:
    """Which (row, word) are pairs of a row and one of its contexts."""

    def __init__(self, contexts: Ints, rows: Ints, V: int) -> None:
        self.V = V
        self.keys = np.sort(rows * V + contexts)

    def has(self, rows: Ints, words: Ints) -> npt.NDArray[np.bool_]:
        keys = rows * self.V + words
        return np.asarray(self.keys[np.searchsorted(self.keys, keys).clip(max=len(self.keys) - 1)] == keys)


def _made_distinct(noise: Ints, counters: Draws, again: int, table: Chances, centres: Ints, contexts: _Pairs) -> Ints:
    """Noise (N, K) drawn again where it is the row's centre, a context or noise before it; the centre after all."""
    for k in range(noise.shape[1]):
        earlier, word = noise[:, :k], noise[:, k]
        clash = (word == centres) | contexts.has(np.arange(len(noise)), word) | (earlier == word[:, None]).any(axis=1)
        rows = np.flatnonzero(clash)
        if not len(rows):
            continue
        others = _drawn(again, counters_again(counters[rows, k]), table)
        mine = centres[rows, None]
        clash = (others == mine) | contexts.has(rows[:, None], others)
        clash |= (others[:, :, None] == earlier[rows, None, :]).any(axis=2)
        others = np.where(clash, mine, others)
        noise[rows, k] = others[np.arange(len(rows)), clash.argmin(axis=1)]  # the first that may stand
    return noise


def _drawn(key: int, counters: Draws, table: Chances) -> Ints:
    draws = draw(key, counters)
    rows = below(draws, len(table))
    return np.where(low_chance(draws) < table[rows, 0], rows, table[rows, 1].astype(np.int64))
