"""The vocabulary: which words are trained, how often each is kept, and how often each is drawn as noise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from firth.draws import CHANCE_ONE, as_chance
from firth.errors import BadCorpus, BadFile, BadOption, MissingFile
from firth.storage import replaced

Ints = npt.NDArray[np.int64]
Chances = npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Vocabulary:
    """Words, most frequent first, and their counts (int64, (V,)). A word's number is its place here."""

    words: tuple[str, ...]
    counts: Ints

    def __post_init__(self) -> None:
        if len(self.words) != len(self.counts):
            raise BadOption(f"{len(self.words):,} words need as many counts, got {len(self.counts):,}")
        if not self.words:
            raise BadOption("a vocabulary needs at least one word, got none")
        if np.any(self.counts < 0):
            raise BadOption(f"counts must be 0 or more, got {int(self.counts.min())}")

    def __len__(self) -> int:
        return len(self.words)

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    @property
    def total(self) -> int:
        """How many tokens of the corpus are in the vocabulary."""
        return int(self.counts.sum())

    @classmethod
    def of_words(cls, words: Sequence[str], counts: Sequence[int] | Ints) -> Self:
        """A vocabulary of given words and counts, ranked by count and then word."""
        if len(words) != len(counts):
            raise BadOption(f"{len(words):,} words need as many counts, got {len(counts):,}")
        ranked = sorted(zip(words, counts, strict=True), key=lambda pair: (-int(pair[1]), pair[0].encode()))
        twice = next((a[0] for a, b in zip(sorted(words), sorted(words)[1:], strict=False) if a == b), None)
        if twice is not None:
            raise BadOption(f"the word {twice!r} is given twice; give each word once")
        return cls(tuple(word for word, _ in ranked), np.array([count for _, count in ranked], np.int64))

    # ---- as a table ----------------------------------------------------------------------------

    def table(self) -> pa.Table:
        """Columns `word` and `count`, one row a word."""
        return pa.table({"word": pa.array(self.words, pa.large_string()), "count": self.counts})

    def save(self, path: str | Path) -> None:
        """Write the words and counts as tab-separated text, a word per line."""
        with replaced(path) as file:
            for word, count in zip(self.words, self.counts, strict=True):
                file.write(f"{word}\t{count}\n".encode())

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` wrote, or any text of words and counts (tabs or spaces between)."""
        try:
            lines = Path(path).read_text(encoding="utf-8").splitlines()
        except FileNotFoundError as error:
            raise MissingFile(f"there is no file {path}") from error
        except UnicodeDecodeError as error:
            raise BadFile(f"{path} is not a vocabulary: it is not UTF-8 text") from error
        words, counts = [], []
        for number, line in enumerate(lines, 1):
            word, _, count = line.rstrip().replace(" ", "\t").rpartition("\t")
            if not word or not count.isdecimal():
                raise BadFile(f"line {number} of {path} must hold a word and its count, got {line[:60]!r}")
            words.append(word)
            counts.append(int(count))
        if not words:
            raise BadFile(f"{path} holds no words")
        return cls.of_words(words, counts)

    # ---- what training draws from --------------------------------------------------------------

    def keep_chances(self, sample: float) -> Chances:
        """How likely each occurrence of a word survives subsampling, in units of 2^-24: uint32 (V,).

        keep(w) = min(1, √(t / f) + t / f), f being the word's share of the corpus and t `sample`: what word2vec.c
        computes (the paper, Mikolov et al. 2013, gives √(t / f)). With `sample` 0 every word is kept.
        """
        if sample == 0:
            return np.full(len(self), CHANCE_ONE, np.uint32)
        share = np.maximum(self.counts, 1) / max(self.total, 1)
        return as_chance(np.sqrt(sample / share) + sample / share)

    def noise_table(self, exponent: float) -> Chances:
        """An alias table for drawing words in proportion to count^exponent: uint32 (V, 2).

        A draw picks a row; with the chance in its first column (units of 2^-24) the row's own word is taken, else the
        word in the second. Walker 1977; built by Vose's method, 1991.
        """
        weights = np.maximum(self.counts, 1).astype(np.float64) ** exponent
        chances, others = _alias(weights / weights.sum() * len(weights))
        return np.ascontiguousarray(np.stack([as_chance(chances), others.astype(np.uint32)], axis=1))


def _alias(shares: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], Ints]:
    """Vose's method over shares whose mean is 1: each row's chance to stay, and the word it else goes to."""
    chances = np.ones(len(shares))
    others = np.arange(len(shares))
    left = shares.tolist()
    small = [row for row, share in enumerate(left) if share < 1]
    large = [row for row, share in enumerate(left) if share >= 1]
    while small and large:
        low, high = small.pop(), large[-1]
        chances[low], others[low] = left[low], high
        left[high] -= 1 - left[low]
        if left[high] < 1:
            small.append(large.pop())
    return chances, others


def from_ranked(words: pa.LargeStringArray, counts: Ints, *, min_count: int = 1, most: int | None = None) -> Vocabulary:
    """The words that occur `min_count` times or more, at most `most` of them, out of all, ranked.

    Raises `BadCorpus` when none is left.
    """
    size = int(np.searchsorted(-counts, -min_count, side="right"))
    if size == 0:
        raise BadCorpus(
            f"no word of the corpus occurs min_count = {min_count} times or more: it has {len(words):,} different "
            f"words, and the most frequent, {words[0].as_py()!r}, occurs {int(counts[0]):,} times; "
            "lower min_count or give more text"
        )
    size = min(size, most or size)
    return Vocabulary(tuple(words[:size].to_pylist()), counts[:size].copy())


def numbers_in(vocabulary: Vocabulary, words: pa.LargeStringArray) -> npt.NDArray[np.int32]:
    """The number of each of `words` in the vocabulary, -1 for those that it lacks: int32."""
    known = pa.array(vocabulary.words, pa.large_string())
    return np.asarray(pc.fill_null(pc.index_in(words, value_set=known), -1).to_numpy(), np.int32)
