"""The vocabulary: which words are trained, how often each is kept, and how often each is drawn as noise."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from firth.corpus.encoded import EncodedCorpus
from firth.draws import CHANCE_ONE, as_chance
from firth.errors import BadCorpus, BadFile, BadOption
from firth.options import TrainingOptions
from firth.storage import AnyPath, opened, replaced

Ints = npt.NDArray[np.int64]
Chances = npt.NDArray[np.uint32]

BYTE_ORDER_MARK = "\ufeff"
HIGHEST_COUNT = 2**63 - 1  # counts are int64


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Words, most frequent first, and their counts (int64, (V,)). A word's number is its place here."""

    words: tuple[str, ...]
    counts: Ints

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", tuple(self.words))
        object.__setattr__(self, "counts", np.asarray(self.counts, np.int64))
        if len(self.words) != len(self.counts):
            raise BadOption(f"{len(self.words):,} words need as many counts, got {len(self.counts):,}")
        if not self.words:
            raise BadOption("a vocabulary needs at least one word, got none")
        if np.any(self.counts < 0):
            raise BadOption(f"counts must be 0 or more, got {int(self.counts.min())}")
        if np.any(np.diff(self.counts) > 0) or len(set(self.words)) < len(self.words):
            raise BadOption("words must stand by falling count, each once; Vocabulary.of_words ranks and checks them")

    def __len__(self) -> int:
        return len(self.words)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vocabulary):
            return NotImplemented
        return self.words == other.words and np.array_equal(self.counts, other.counts)

    def __hash__(self) -> int:
        return hash(self.words)

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    @property
    def total(self) -> int:
        """How many tokens of the corpus are in the vocabulary."""
        return int(self.counts.sum())

    @classmethod
    def of(
        cls,
        corpus: EncodedCorpus,
        *,
        min_count: int = 1,
        max_vocabulary: int | None = None,
        unknown: str | None = None,
    ) -> Vocabulary:
        """The words of an encoded corpus, counted: those that occur `min_count` times or more, the most frequent.

        With `unknown`, this word stands among them for all others, and counts as often as they.
        Raises `BadCorpus` when none is left.
        """
        chosen = from_ranked(corpus.words, corpus.counts, min_count=min_count, most=max_vocabulary)
        if unknown is None:
            return chosen
        words, counts, count = list(chosen.words), chosen.counts, int(corpus.counts[len(chosen) :].sum())
        if unknown in words:
            place = words.index(unknown)
            count += int(counts[place])
            counts = np.delete(counts, place)
            del words[place]
        _check(unknown, count)
        first, last = (int(np.searchsorted(-counts, -count, side=side)) for side in ("left", "right"))
        place = bisect.bisect(words, unknown.encode(), first, last, key=str.encode)
        words.insert(place, unknown)
        return Vocabulary(tuple(words), np.insert(counts, place, count))

    @classmethod
    def of_words(cls, words: Sequence[str], counts: Sequence[int] | Ints) -> Self:
        """A vocabulary of given words and counts, ranked by count and then word.

        Raises `BadOption` for words that are no strings, or are given twice, and for counts that do not fit them.
        """
        if len(words) != len(counts):
            raise BadOption(f"{len(words):,} words need as many counts, got {len(counts):,}")
        for word, count in zip(words, counts, strict=True):
            _check(word, count)
        twice = next((a for a, b in pairwise(sorted(words)) if a == b), None)
        if twice is not None:
            raise BadOption(f"the word {twice!r} is given twice; give each word once")
        ranked = sorted(zip(words, counts, strict=True), key=lambda pair: (-int(pair[1]), pair[0].encode()))
        return cls(tuple(str(word) for word, _ in ranked), np.array([int(count) for _, count in ranked], np.int64))

    # ---- as a table ----------------------------------------------------------------------------

    def table(self) -> pa.Table:
        """Columns `word` and `count`, one row a word."""
        return pa.table({"word": pa.array(self.words, pa.large_string()), "count": self.counts})

    def save(self, path: AnyPath) -> None:
        """Write the words and counts as tab-separated text, a word per line.

        Raises `CannotWrite`, and `BadOption` for a word that holds a line's end, which such text cannot.
        """
        broken = next((word for word in self.words if "\n" in word), None)
        if broken is not None:
            raise BadOption(f"a word must not hold a line's end to be saved as text, got {broken!r}; replace it by _")
        with replaced(path) as file:
            for word, count in zip(self.words, self.counts, strict=True):
                file.write(f"{word}\t{count}\n".encode())

    @classmethod
    def load(cls, path: AnyPath) -> Self:
        """Read what `save` wrote, or any text of words and counts (a tab or a space between).

        Raises `MissingFile`, or `BadFile` for what is not such text.
        """
        with opened(path) as file:
            data = file.read()
        try:
            lines = data.decode().removeprefix(BYTE_ORDER_MARK).split("\n")
        except UnicodeDecodeError as error:
            raise BadFile(
                f"{path} is not a vocabulary: it is not UTF-8 text; give a word and its count per line"
            ) from error
        if not lines[-1]:
            lines.pop()
        if not lines:
            raise BadFile(f"{path} holds no words; give a word and its count per line")
        pairs = [_parsed(line, f"line {number:,} of {path}") for number, line in enumerate(lines, 1)]
        try:
            return cls.of_words([word for word, _ in pairs], [count for _, count in pairs])
        except BadOption as error:
            raise BadFile(f"{path} is not a vocabulary: {error}") from error

    # ---- what training draws from --------------------------------------------------------------

    def keep_chances(self, sample: float) -> Chances:
        """How likely each occurrence of a word survives subsampling, in units of 2^-24: uint32 (V,).

        keep(w) = min(1, √(t / f) + t / f), f being the word's share of the corpus and t `sample`: what word2vec.c
        computes (the paper, Mikolov et al. 2013, gives √(t / f)). With `sample` 0 every word is kept.
        """
        if sample == 0:
            return np.full(len(self), CHANCE_ONE, np.uint32)
        counts = np.maximum(self.counts, 1)
        share = counts / counts.sum()
        return as_chance(np.sqrt(sample / share) + sample / share)

    def noise_table(self, exponent: float) -> Chances:
        """An alias table for drawing words in proportion to count^exponent: uint32 (V, 2).

        A draw picks a row; with the chance in its first column (units of 2^-24) the row's own word is taken, else the
        word in the second. Walker 1977; built by Vose's method, 1991.
        """
        weights = np.maximum(self.counts, 1).astype(np.float64) ** exponent
        chances, others = _alias(weights / weights.sum() * len(weights))
        return np.ascontiguousarray(np.stack([as_chance(chances), others.astype(np.uint32)], axis=1))


def check_vocabulary(given: Vocabulary | None) -> None:
    """Raise `BadOption` for what is given as a vocabulary and is none; None is not given."""
    if given is not None and not isinstance(given, Vocabulary):
        raise BadOption(
            f"vocabulary must be a firth.Vocabulary, got {type(given).__name__}; make one with "
            "Vocabulary.load(path), Vocabulary.of_words(words, counts) or Vocabulary.of(corpus)"
        )


def _check(word: str, count: int) -> None:
    """Raise `BadOption` unless these may stand in a vocabulary."""
    try:
        word.encode()
    except (AttributeError, UnicodeEncodeError) as error:
        raise BadOption(f"words must be strings that UTF-8 can hold, got {word!r}; leave it out") from error
    if not isinstance(count, (int, np.integer)) or not 0 <= count <= HIGHEST_COUNT:
        raise BadOption(f"counts must be whole numbers from 0 to {HIGHEST_COUNT:,}, got {count!r} for {word!r}")


def _parsed(line: str, place: str) -> tuple[str, int]:
    """The word and the count in a line: what stands before and after its last tab, or else its last space."""
    line = line.rstrip()
    word, separator, count = line.rpartition("\t" if "\t" in line else " ")
    if not separator or not (count.isascii() and count.isdecimal()):
        raise BadFile(f"{place} must hold a word and its count, got {line[:60]!r}; put a tab between them")
    return word, int(count)


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
            f"words, and the count of the most frequent, {words[0].as_py()!r}, is {int(counts[0]):,}; "
            "lower min_count or give more text"
        )
    size = min(size, most or size)
    return Vocabulary(tuple(words[:size].to_pylist()), counts[:size].copy())


def trained_words(
    corpus: EncodedCorpus, options: TrainingOptions, given: Vocabulary | None = None
) -> tuple[Vocabulary, npt.NDArray[np.int32] | None]:
    """The words to train on a corpus, those `given` or else counted, and the number of each of its words among them.

    The numbers are None where they are the corpus's own. Raises `BadCorpus` where no word is left or in common, and
    `BadOption` for a vocabulary that lacks the word that stands for unknown ones.
    """
    vocabulary = given or Vocabulary.of(
        corpus, min_count=options.min_count, max_vocabulary=options.max_vocabulary, unknown=options.unknown
    )
    if given is None and options.unknown is None:
        return vocabulary, None
    return vocabulary, shared_numbers(vocabulary, corpus.words, options.unknown)


def shared_numbers(
    vocabulary: Vocabulary, words: pa.LargeStringArray, unknown: str | None = None
) -> npt.NDArray[np.int32]:
    """What `numbers_in` gives; `BadCorpus` where the vocabulary has none of `words`, those of a corpus."""
    numbers = numbers_in(vocabulary, words, unknown)
    if not (numbers >= 0).any():
        raise BadCorpus(
            "the vocabulary given and the corpus have no word in common; check that both are cut and cased alike"
        )
    return numbers


def numbers_in(vocabulary: Vocabulary, words: pa.LargeStringArray, unknown: str | None = None) -> npt.NDArray[np.int32]:
    """The number of each of `words` in the vocabulary: int32. Those that it lacks have that of `unknown`, or else -1.

    Raises `BadOption` where it lacks `unknown`.
    """
    known = pa.array(vocabulary.words, pa.large_string())
    other = -1
    if unknown is not None:
        if unknown not in vocabulary.words:
            raise BadOption(
                f"unknown words are to be trained as {unknown!r}, which the vocabulary given lacks; add it, or leave "
                "the option unknown out"
            )
        other = vocabulary.words.index(unknown)
    return np.asarray(pc.fill_null(pc.index_in(words, value_set=known), other).to_numpy(), np.int32)
