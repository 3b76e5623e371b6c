"""What is to be drawn on a map: words, their groups, and arrows between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Protocol

import numpy as np

from firth.errors import BadOption, UnknownWord
from firth.vectors import WordVectors, word_vectors
from firth.vectors.index import close_words

if TYPE_CHECKING:
    from numpy.typing import NDArray


WITH_SPELLINGS = 3


class Vectors(Protocol):
    """Anything that knows which words it has, and their vectors."""

    def __contains__(self, word: str, /) -> bool:
        """Whether `word` has a vector."""

    def __getitem__(self, word: str, /) -> NDArray[np.float32]:
        """The vector of `word`."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One map: its words, those among them that form named groups, and arrows from word to word."""

    words: Sequence[str] = ()
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    arrows: Sequence[tuple[str, str]] = ()
    title: str = ""

    @classmethod
    def of_pairs(cls, names: tuple[str, str], pairs: Sequence[tuple[str, str]], title: str = "") -> Panel:
        """A group of all first words and one of all second words, with the arrows between them."""
        groups = {name: [pair[column] for pair in pairs] for column, name in enumerate(names)}
        return cls(groups=groups, arrows=pairs, title=title)

    def all_words(self) -> list[str]:
        """Each word of the panel once: from `words`, the groups and the arrows."""
        return list(
            dict.fromkeys([*self.words, *chain.from_iterable(self.groups.values()), *chain.from_iterable(self.arrows)])
        )

    def members(self) -> dict[str, list[str]]:
        """The words of each group, a word of two groups in the first, and those of none under the name ''."""
        group_of: dict[str, str] = {}
        for name, words in self.groups.items():
            for word in words:
                group_of.setdefault(word, name)
        members: dict[str, list[str]] = {name: [] for name in self.groups}
        for word in self.all_words():
            members.setdefault(group_of.get(word, ""), []).append(word)
        return members


def vectors_of(vectors: Vectors, words: Sequence[str]) -> NDArray[np.float32]:
    """The vectors of words, (N, D).

    Raises:
        UnknownWord: words have no vector; all are named, the first few with what is spelled like them.
        BadOption: a vector is not of finite numbers, or what is given knows no words.
    """
    if not hasattr(vectors, "__contains__"):
        word_vectors(vectors)  # says what would be some
    unknown = [word for word in dict.fromkeys(words) if word not in vectors]
    if unknown:
        named = [f"{word!r}{_alike(vectors, word)}" for word in unknown[:WITH_SPELLINGS]]
        named += map(repr, unknown[WITH_SPELLINGS:])
        raise UnknownWord(f"no vector for {', '.join(named)}; leave out the words not in the model")
    rows = (
        vectors[list(words)]
        if isinstance(vectors, WordVectors)
        else np.stack([np.asarray(vectors[word], np.float32) for word in words])
    )
    bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(bad):
        raise BadOption(f"vectors to draw must be finite numbers, that of {words[bad[0]]!r} is not; leave it out")
    return rows


def _alike(vectors: Vectors, word: str) -> str:
    close = close_words(word, vectors.words, vectors) if isinstance(vectors, WordVectors) else []
    return f" (close to it: {', '.join(close)})" if close else ""
