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
    key, reach_key = (stream_key(options.seed, epoch, purpose) for purpose in (Purpose.KEEP, Purpose.REACH))
    # The sentences that the chunk's centres are of, whole: contexts may stand outside [first, last).
    last_sentence = int(np.searchsorted(chunk.offsets, chunk.last, side="left"))
    bounds = chunk.offsets[chunk.sentence : last_sentence + 1]
    begin = int(bounds[0])
    tokens = chunk.tokens[begin : int(bounds[-1])]
    taken = _held_out(options, chunk.position + bounds[:-1]) == held_out
    sentences = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))

    known = (tokens >= 0) & (tokens < len(keep)) & taken[sentences]
    drawn = chance(draw(key, chunk.position + begin + np.arange(len(tokens))))
    kept = np.flatnonzero(known & (drawn < keep[np.where(known, tokens, 0)]))
    inside = slice(max(0, chunk.first - begin), chunk.last - begin)

    sentence = sentences[kept]
    starts, ends = np.searchsorted(sentence, sentence, side="left"), np.searchsorted(sentence, sentence, side="right")
    positions = chunk.position + begin + kept
    distances = np.full(len(kept), options.window, np.int64)
    if options.dynamic_window:
        distances = 1 + below(draw(reach_key, positions), options.window)
    at = np.arange(len(kept))
    low, high = np.maximum(starts, at - distances), np.minimum(ends, at + distances + 1)
    centres = np.flatnonzero((kept >= inside.start) & (kept < inside.stop) & (high - low > 1))
    low, lengths = low[centres], high[centres] - low[centres] - 1
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    places = np.arange(offsets[-1]) - np.repeat(offsets[:-1] - low, lengths)
    places += places >= np.repeat(centres, lengths)  # the centre itself is left out
    kept_words = tokens[kept].astype(np.int64)
    return Windows(kept_words[centres], positions[centres], kept_words[places], offsets, int(known[inside].sum()))


def _held_out(options: TrainingOptions, positions: Ints) -> npt.NDArray[np.bool_]:
    """Which of the sentences that begin at `positions` are held out."""
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
    for row, owning in enumerate(owner.tolist()):
        centre = int(found.centres[owning])
        contexts = found.contexts[row : row + 1] if by_pair else found.contexts[slice(*found.offsets[owning:][:2])]
        taken = {centre, *contexts.tolist()}
        for k, word in enumerate(noise[row].tolist()):
            if word in taken:
                others = _drawn(again, counters_again(counters[row, k : k + 1])[0], table)
                word = next((other for other in others.tolist() if other not in taken), centre)
            noise[row, k] = word
            taken.add(word)
    return noise


def _drawn(key: int, counters: Draws, table: Chances) -> Ints:
    draws = draw(key, counters)
    rows = below(draws, len(table))
    return np.where(low_chance(draws) < table[rows, 0], rows, table[rows, 1].astype(np.int64))
