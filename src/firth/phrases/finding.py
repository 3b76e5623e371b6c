"""Finding phrases in an encoded corpus: counting pairs of words, exactly, in bounded memory; scoring them.

Where the table of pairs is full and may not grow, it forgets the half of them whose hashes are the higher ones, and
counts on; these are counted in another sweep over the corpus. So every count is exact, whatever memory there is.
Threads share the hashes among themselves in the same way.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from firth.arrow import as_arrow, as_numpy
from firth.corpus.encoded import EncodedCorpus
from firth.errors import BadCorpus
from firth.options import PhraseOptions
from firth.phrases.kernels import AT, CONNECTOR, NONE, PIECE, PLACE_SIZE, RUN, SENTENCE, START, count_pairs
from firth.phrases.table import (
    FEWEST_SLOTS,
    LOW_HALF,
    MOST_RUNS,
    SLOT_BYTES,
    Runs,
    Slots,
    count_above,
    empty_runs,
    empty_table,
    move,
    take_above,
    words_of_run,
)

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

STRETCH = 1 << 18  # tokens from call to call: Ctrl-C ends a sweep between two
MOST_THREADS = 64
HASHES = 1 << 64
MB = 1 << 20
TOKENS_TO_A_SLOT = 8  # at the start; 17 M words of English have 4.2 M different pairs


class Phrase(NamedTuple):
    """Words joined into one token: the phrase, its score, how often its words stood so, and these words."""

    phrase: str
    score: float
    count: int  # type: ignore[assignment]  # a tuple's method, which no one calls on a phrase
    words: tuple[str, ...]


@dataclass(frozen=True)
class Pairs:
    """Pairs that occur often enough: their words' numbers, the run of connectors between, their counts.

    `different` is how many pairs the corpus has, often or not. Arrays are int64 (pairs,).
    """

    first: Ints
    last: Ints
    middle: Ints
    counts: Ints
    runs: Runs
    different: int


def find_phrases(corpus: EncodedCorpus, options: PhraseOptions) -> list[Phrase]:
    """The phrases of a corpus, as `ranked`; `BadCorpus` where a word of one holds white space."""
    roles = roles_of(numbers_of(options.connector_words, corpus.words).tolist(), len(corpus.words))
    pairs = count_all(corpus, roles, least=options.min_count, memory=options.max_memory * MB, threads=options.threads)
    scores = scores_of(pairs, corpus.counts, int((roles == NONE).sum()), options)
    chosen = np.flatnonzero(scores > options.threshold)
    first, last = (_spelled(corpus.words, each[chosen]) for each in (pairs.first, pairs.last))
    between = {run: _spelled(corpus.words, words_of_run(pairs.runs, run)) for run in set(pairs.middle[chosen].tolist())}
    found = []
    for a, run, b, score, count in zip(
        first, pairs.middle[chosen].tolist(), last, scores[chosen].tolist(), pairs.counts[chosen].tolist(), strict=True
    ):
        words = (a, *between[run], b)
        check_words(words)
        found.append(Phrase(options.delimiter.join(words), score, count, words))
    return ranked(found)


def check_words(words: Iterable[str]) -> None:
    """Raise `BadCorpus` for a word that holds white space: joined, it could not be told from several."""
    broken = next((word for word in words if re.search(r"\s", word)), None)
    if broken is not None:
        raise BadCorpus(
            f"words of a phrase must hold no white space, got {broken!r}; replace the white space by _ first"
        )


def ranked(phrases: Iterable[Phrase]) -> list[Phrase]:
    """Phrases by falling score, equal ones by falling count, then by their words."""
    return sorted(phrases, key=lambda phrase: (-phrase.score, -phrase.count, phrase.words))


def roles_of(connectors: list[int], words: int) -> npt.NDArray[np.uint8]:
    """CONNECTOR for the words of these numbers (-1: it is none of them), NONE for the others: uint8 (words,)."""
    roles = np.full(words, NONE, np.uint8)
    roles[[number for number in connectors if number >= 0]] = CONNECTOR
    return roles


def numbers_of(wanted: tuple[str, ...] | list[str], words: pa.LargeStringArray) -> npt.NDArray[np.int32]:
    """The place of each of `wanted` among `words`, -1 for those that are not there."""
    places = pc.index_in(pa.array(wanted, pa.large_string()), value_set=words)
    found: npt.NDArray[np.int32] = as_numpy(pc.fill_null(places, -1))
    return found


def _spelled(words: pa.LargeStringArray, numbers: Ints | tuple[int, ...]) -> list[str]:
    spelled: list[str] = words.take(as_arrow(np.asarray(numbers, np.int64))).to_pylist()
    return spelled


# ---- scores ------------------------------------------------------------------------------------


def scores_of(pairs: Pairs, counts: Ints, words: int, options: PhraseOptions) -> Floats:
    """The score of each pair, float64; `counts` are those of the corpus's words, `words` how many are no connectors."""
    of_first, of_last = (counts[each].astype(np.float64) for each in (pairs.first, pairs.last))
    if options.scoring == "count":
        return count_score(of_first, of_last, pairs.counts, options.min_count, words + pairs.different)
    return npmi_score(of_first, of_last, pairs.counts, float(counts.sum()))


def count_score(
    of_first: Floats | float, of_last: Floats | float, together: Ints | float, min_count: float, different: float
) -> Floats:
    """(count(ab) - min_count) · V / (count(a) · count(b)), after Mikolov et al. 2013, equation 6.

    V, `different`, is the number of different words and pairs together, as in gensim, so that thresholds mean the same;
    word2phrase.c takes the number of tokens instead, and the paper neither.
    """
    return np.asarray((together - min_count) / (of_first * of_last) * different)


def npmi_score(of_first: Floats | float, of_last: Floats | float, together: Ints | float, tokens: float) -> Floats:
    """ln(p(ab) / (p(a) · p(b))) / -ln p(ab), p being counts over the number of tokens (Bouma 2009)."""
    share = together / tokens
    scores: Floats = np.log(share / ((of_first / tokens) * (of_last / tokens))) / -np.log(share)
    return np.minimum(scores, 1)  # the last bit may say more


# ---- counting ----------------------------------------------------------------------------------


def count_all(corpus: EncodedCorpus, roles: npt.NDArray[np.uint8], *, least: int, memory: int, threads: int) -> Pairs:
    """The pairs of a corpus that occur `least` times or more, counted in at most `memory` bytes."""
    threads = min(threads, MOST_THREADS)
    most_slots = _largest_table(memory // threads)
    stop = threading.Event()
    bounds = [HASHES * thread // threads for thread in range(threads + 1)]
    counters = [_Counter(corpus, roles, low, high - 1, least, most_slots, stop) for low, high in pairwise(bounds)]
    if threads == 1:
        counters[0].count()
    else:
        with ThreadPoolExecutor(threads, thread_name_prefix="firth-pairs") as pool, _stopping(stop):
            for done in [pool.submit(counter.count) for counter in counters]:
                done.result()
    found = [each for counter in counters for each in counter.found]
    keys, middles, counts = (np.concatenate(column) for column in zip(*found, strict=True))
    return Pairs(
        (keys >> np.uint64(32)).astype(np.int64),
        (keys & LOW_HALF).astype(np.int64),
        middles,
        counts,
        counters[0].runs,
        sum(counter.different for counter in counters),
    )


def _largest_table(memory: int) -> int:
    """The most slots, a power of two, of which two tables, the old and the new one, fit into so many bytes."""
    slots = max(FEWEST_SLOTS, memory // (2 * SLOT_BYTES))
    return 1 << (slots.bit_length() - 1)


@contextlib.contextmanager
def _stopping(stop: threading.Event) -> Iterator[None]:
    """Let other threads end when this one is interrupted."""
    try:
        yield
    except BaseException:
        stop.set()
        raise


class _Counter:
    """Counts the pairs whose hashes are from `low` to `last`, in as many sweeps as the largest table makes it take."""

    def __init__(
        self,
        corpus: EncodedCorpus,
        roles: npt.NDArray[np.uint8],
        low: int,
        last: int,
        least: int,
        most_slots: int,
        stop: threading.Event,
    ) -> None:
        self.corpus, self.roles, self.least, self.most_slots, self.stop = corpus, roles, least, most_slots, stop
        self.low, self.last = low, last
        self.span = last - low  # of the hashes that this sweep counts, less 1
        self.runs = empty_runs(MOST_RUNS if bool((roles == CONNECTOR).any()) else 0)
        self.used = np.zeros(1, np.int64)
        self.found: list[tuple[npt.NDArray[np.uint64], Ints, Ints]] = []
        self.different = 0

    def count(self) -> None:
        """Sweep over the corpus until all is counted."""
        slots = empty_table(min(self.most_slots, self._usual_slots()))
        while True:
            slots = self._sweep(slots)
            self._take(slots)
            self.low += self.span + 1
            if self.low > self.last or self.stop.is_set():
                return
            self.span = min(self.span, self.last - self.low)
            slots[:] = 0
            self.used[0] = 0

    def _usual_slots(self) -> int:
        """As many as half of what English of this length fills: to start small and grow took a third longer."""
        share = (self.last - self.low) / HASHES
        return max(FEWEST_SLOTS, 1 << int(share * self.corpus.total_tokens / TOKENS_TO_A_SLOT).bit_length())

    def _sweep(self, slots: Slots) -> Slots:
        scratch = np.empty((PIECE, 3), np.uint64)
        place = np.zeros(PLACE_SIZE, np.int64)
        for chunk in self.corpus.chunks(STRETCH):
            place[AT], place[SENTENCE] = chunk.first, chunk.sentence
            if chunk.first == chunk.offsets[chunk.sentence]:
                place[START], place[RUN] = -1, 0
            while not count_pairs(
                chunk.tokens, chunk.offsets, chunk.last, self.roles, self.runs, slots, self.used,
                np.uint64(self.low), np.uint64(self.span), scratch, place,
            ):  # fmt: skip
                slots = self._with_room(slots)
            if self.stop.is_set():
                break
        return slots

    def _with_room(self, slots: Slots) -> Slots:
        """A table twice as large, or, where that must not be, one that has forgotten the upper half of the hashes."""
        if len(slots) < self.most_slots:
            larger = empty_table(2 * len(slots))
        else:
            larger = empty_table(len(slots))
            self.span //= 2
        self.used[0] = move(slots, larger, np.uint64(self.low), np.uint64(self.span))
        return larger

    def _take(self, slots: Slots) -> None:
        """Keep the pairs that occur often enough."""
        size = count_above(slots, self.least)
        keys, middles, counts = np.empty(size, np.uint64), np.empty(size, np.int64), np.empty(size, np.int64)
        take_above(slots, self.least, keys, middles, counts)
        self.found.append((keys, middles, counts))
        self.different += int(self.used[0])
