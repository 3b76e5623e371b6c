"""The n-grams of words met in a sample: for a trial of speed, and to tell how many the words of the whole have."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from firth.estimating.growth import FEWEST_WORDS, grown
from firth.estimating.sizes import GramSizes
from firth.ngrams import GramTable
from firth.options import TrainingOptions
from firth.training import grams_of
from firth.vocabulary import Vocabulary


@dataclass(frozen=True, eq=False)
class GramsMet:
    """The n-grams of the words met, and the seconds that listing those of one takes."""

    table: GramTable
    seconds_a_word: float

    def sizes(self, V: int) -> GramSizes:
        """What V words come to, these being the most frequent of them."""
        met = len(self.table.offsets) - 1
        rows, buckets = len(self.table), self.table.kind.buckets
        if met < V:
            quarter, half = (self._rows_of_first(met // part) for part in (4, 2))
            doublings = float(np.log2(V / met))
            rows = round(grown(quarter, half, rows, doublings) if quarter >= FEWEST_WORDS else rows * V / met)
        return GramSizes(round(len(self.table.rows) * V / met), min(rows, buckets), buckets)

    def _rows_of_first(self, words: int) -> int:
        return len(np.unique(self.table.rows[: self.table.offsets[words]]))

    def of_first(self, words: int) -> GramTable:
        """The n-grams of the first words; words that were not met have none."""
        offsets = self.table.offsets[: words + 1]
        kept, rows = np.unique(self.table.rows[: offsets[-1]], return_inverse=True)
        unmet = np.full(words + 1 - len(offsets), offsets[-1])
        distinct = np.zeros(words, np.int64)
        distinct[: len(offsets) - 1] = self.table.distinct[:words]
        return GramTable(
            self.table.kind,
            np.concatenate([offsets, unmet]),
            rows.astype(np.int32),
            distinct,
            self.table.buckets[kept],
        )


def grams_met(words: Sequence[str], counts: npt.NDArray[np.int64], options: TrainingOptions) -> GramsMet | None:
    """The n-grams of words that occur so often; None without subwords."""
    if not options.subwords:
        return None
    grams_of(Vocabulary(tuple(words[:1]), counts[:1]), options)  # what is compiled is loaded
    began = time.perf_counter()
    table = grams_of(Vocabulary(tuple(words), counts[: len(words)]), options)
    assert table is not None
    return GramsMet(table, (time.perf_counter() - began) / len(words))
