"""The few helpers of `gensim.utils` that programs around Word2Vec use."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from firth.storage import AnyPath, replaced

# What a `trim_rule` answers of a word: let min_count decide, leave it out, keep it.
RULE_DEFAULT, RULE_DISCARD, RULE_KEEP = 0, 1, 2

TrimRule: TypeAlias = Callable[[str, int, int], int]

_LETTERS = re.compile(r"((?!\d)\w)+")  # runs of letters and underscores of any script


def keep_vocab_item(word: str, count: int, min_count: int, trim_rule: TrimRule | None = None) -> bool:
    """Whether a word stays: what `trim_rule` says of it, if anything, or else whether it occurs often enough."""
    says = RULE_DEFAULT if trim_rule is None else trim_rule(word, count, min_count)
    return says == RULE_KEEP or (says != RULE_DISCARD and count >= min_count)


def to_unicode(text: str | bytes, encoding: str = "utf8", errors: str = "strict") -> str:
    """`text` as a string, decoded if it is bytes."""
    return text if isinstance(text, str) else text.decode(encoding, errors)


def deaccent(text: str | bytes) -> str:
    """`text` with accents taken off its letters."""
    parts = unicodedata.normalize("NFD", to_unicode(text))
    return unicodedata.normalize("NFC", "".join(each for each in parts if unicodedata.category(each) != "Mn"))


def tokenize(
    text: str | bytes,
    lowercase: bool = False,
    deacc: bool = False,
    encoding: str = "utf8",
    errors: str = "strict",
    to_lower: bool = False,
    lower: bool = False,
) -> Iterator[str]:
    """The runs of letters in `text`, one after another, lower-cased and without accents where that is asked for."""
    text = to_unicode(text, encoding, errors)
    if lowercase or to_lower or lower:
        text = text.lower()
    if deacc:
        text = deaccent(text)
    for match in _LETTERS.finditer(text):
        yield match.group()


def simple_preprocess(doc: str | bytes, deacc: bool = False, min_len: int = 2, max_len: int = 15) -> list[str]:
    """The words of a document, lower-cased: runs of `min_len` to `max_len` letters that begin with no underscore."""
    words = tokenize(doc, lower=True, deacc=deacc, errors="ignore")
    return [word for word in words if min_len <= len(word) <= max_len and not word.startswith("_")]


def save_as_line_sentence(corpus: Iterable[Iterable[str]], filename: AnyPath) -> None:
    """Write sentences to a file, one a line, words with a space between; whole or not at all."""
    with replaced(filename) as file:
        for sentence in corpus:
            file.write(f"{' '.join(sentence)}\n".encode())
