"""What is told of words: `Comparison` of two, `Description` of one. Printed, they are a few lines to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from firth.errors import counted


class Comparison(NamedTuple):
    """Three ways in which two vectors are near each other.

    dot: their dot product. cosine: of the angle between them, from -1 to 1; 0 where one is zero. euclidean: the length
    of their difference, 0 where they are equal.
    """

    dot: float
    cosine: float
    euclidean: float

    def __str__(self) -> str:
        return f"cosine {self.cosine:.4f}, dot product {self.dot:.4f}, Euclidean distance {self.euclidean:.4f}"


@dataclass(frozen=True)
class Description:
    """What is known of a word.

    rank: its place among the words, 1 for the first, which is the most frequent where they stand by frequency. count:
    how often it occurred, if known. norm: the length of its vector. neighbours: the nearest words and their cosines.
    """

    word: str
    rank: int
    words: int
    count: int | None
    norm: float
    neighbours: tuple[tuple[str, float], ...]

    def __str__(self) -> str:
        count = "" if self.count is None else f", occurs {counted(self.count, 'time')}"
        first = f"{self.word}: word {self.rank:,} of {self.words:,}{count}; length of its vector {self.norm:.4f}"
        return "\n".join([first, *(f"{cosine:.4f}  {word}" for word, cosine in self.neighbours)])
