"""The row of each word, and what is said of a word that has none."""

from __future__ import annotations

import difflib
from collections.abc import Container, Mapping, Sequence

from firth.errors import BadOption

SUGGEST_AMONG = 50_000
SUGGESTIONS = 3


def index_of(words: Sequence[str]) -> dict[str, int]:
    """The row of each of V words; `BadOption` for one given twice, or no string."""
    index = dict(zip(words, range(len(words)), strict=True))
    if len(index) != len(words):
        twice = next(word for row, word in enumerate(words) if index[word] != row)
        raise BadOption(f"a word must stand once, got {twice!r} twice; leave one out")
    if not all(issubclass(kind, str) for kind in set(map(type, words))):
        other = next(word for word in words if not isinstance(word, str))
        raise BadOption(f"words must be strings, got {other!r}; convert it first")
    return index


class Unknown:
    """What is said of an unknown word; the search for close ones waits until someone reads it."""

    def __init__(self, word: object, words: Sequence[str], index: Mapping[str, int], more: str = "") -> None:
        self.word, self.words, self.index, self.more = word, words, index, more

    def __str__(self) -> str:
        close = close_words(self.word, self.words, self.index) if isinstance(self.word, str) else []
        remedy = f"close to it: {', '.join(close)}" if close else "leave it out, or check how words were cut"
        return f"no vector for the word {self.word!r}; {remedy}{self.more}"

    __repr__ = __str__

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)  # an error sent to another process takes no words along


def close_words(word: str, words: Sequence[str], index: Container[str]) -> list[str]:
    """The word in other cases, then those spelled alike among the most frequent."""
    cases = [each for each in (word.lower(), word.capitalize(), word.upper(), word.title()) if each in index]
    among = [each for each in words[:SUGGEST_AMONG] if abs(len(each) - len(word)) <= 2]
    alike = difflib.get_close_matches(word, among, n=SUGGESTIONS, cutoff=0.7)
    return list(dict.fromkeys([*cases, *alike]))[:SUGGESTIONS]
