"""Sources that are Python iterables of sentences: strings, or lists of tokens."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from firth.corpus.blocks import BLOCK_BYTES, Block, is_missing, is_token_list, shown, strings_block, tokens_block
from firth.corpus.files import Source
from firth.errors import BadCorpus

# Of an iterable, made into one block: whichever is reached first, so that long sentences fill no memory.
SENTENCES_AT_ONCE, TOKENS_AT_ONCE, CHARACTERS_AT_ONCE = 10_000, 1 << 18, BLOCK_BYTES


@dataclass
class Sentences(Source):
    """Any iterable of sentences: strings, or lists of tokens. It is read once, so a generator will do."""

    sentences: Iterable[Any]

    def blocks(self) -> Iterator[Block]:
        """The sentences, SENTENCES_AT_ONCE to a block, or fewer if they are long."""
        sentences = iter(self.sentences)
        for first in sentences:
            _refuse_sentence(first)
            rest = itertools.chain([first], sentences)
            yield from _string_blocks(rest) if isinstance(first, str) else _token_blocks(rest)


def first_of(sentences: Iterable[Any]) -> tuple[Any, Iterable[Any]]:
    """The first of some sentences, None if there is none, and all of them; an iterator loses none by it."""
    iterator = iter(sentences)
    first = next(iterator, None)
    if iterator is not sentences:
        return first, sentences
    return first, iterator if first is None else itertools.chain([first], iterator)


def _refuse_sentence(first: Any) -> None:
    """Raise `BadCorpus` unless `first`, the first of all, may be a sentence."""
    if isinstance(first, os.PathLike):
        raise BadCorpus(f"sentence 0 is {shown(first)}; to read files, give their paths as a list, with list(...)")
    _refuse_missing(first, 0)
    if not isinstance(first, str) and not is_token_list(first):
        raise BadCorpus(f"sentence 0 is {shown(first)}; a sentence must be a string or a list of tokens")


def _refuse_missing(sentence: Any, number: int) -> None:
    """Raise `BadCorpus` for a value that tables have where nothing stands."""
    if is_missing(sentence):
        raise BadCorpus(f"sentence {number:,} is missing: it is {sentence}; leave it out, in pandas with dropna()")


def _string_blocks(sentences: Iterable[Any]) -> Iterator[Block]:
    some: list[str] = []
    characters = began = 0
    for number, sentence in enumerate(sentences, 1):
        if not isinstance(sentence, str):
            _refuse_missing(sentence, number - 1)
            raise BadCorpus(
                f"sentence {number - 1:,} is {shown(sentence)} though the first was a string; "
                "give all sentences as strings, or all as lists of tokens"
            )
        some.append(sentence)
        characters += len(sentence)
        if len(some) >= SENTENCES_AT_ONCE or characters >= CHARACTERS_AT_ONCE:
            yield strings_block(some, _numbered_from(began))
            some, characters, began = [], 0, number
    if some:
        yield strings_block(some, _numbered_from(began))


def _token_blocks(sentences: Iterable[Any]) -> Iterator[Block]:
    tokens: list[Any] = []
    offsets, began = [0], 0
    for number, sentence in enumerate(sentences, 1):
        if not is_token_list(sentence):
            _refuse_missing(sentence, number - 1)
            raise BadCorpus(
                f"sentence {number - 1:,} is {shown(sentence)} where a list of tokens was meant, as the first sentence "
                "was; split it into tokens, or give all sentences as strings"
            )
        tokens.extend(sentence)
        offsets.append(len(tokens))
        if len(offsets) > SENTENCES_AT_ONCE or len(tokens) >= TOKENS_AT_ONCE:
            yield tokens_block(tokens, offsets, _numbered_from(began))
            tokens, offsets, began = [], [0], number
    if len(offsets) > 1:
        yield tokens_block(tokens, offsets, _numbered_from(began))


def _numbered_from(began: int) -> Callable[[int], str]:
    return lambda at: f"sentence {began + at:,}"
