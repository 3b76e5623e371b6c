"""How text is cut into tokens.

Each tokenizer turns a block into token numbers of a lexicon and the number of tokens in each sentence. Three are
built in; any callable from a string to tokens will do, and any Hugging Face `tokenizers.Tokenizer`.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from firth.arrow import string_buffers
from firth.corpus.blocks import (
    Block,
    StringsBlock,
    TextBlock,
    TokensBlock,
    decoded,
    is_token_list,
    shown,
    tokens_block,
)
from firth.corpus.lexicon import Lexicon, Separators, lines
from firth.errors import BadCorpus, BadOption

Ints = npt.NDArray[np.int64]
Numbered = tuple[npt.NDArray[np.int32], Ints]
TokenizerLike = str | Callable[[str], Iterable[str]] | Any


# What stands between the words of `Words`, in RE2's syntax. A word begins with a letter or digit, goes on with these
# and their marks, and may hold one apostrophe between two of them. Joiners of no width (U+200C, U+200D) belong to the
# spelling of Persian and of Indic scripts, but end no word.
BETWEEN_WORDS = "|".join(
    [
        r"[\x{200C}\x{200D}]*[^\p{L}\p{M}\p{N}'’\x{200C}\x{200D}][^\p{L}\p{N}]*",
        r"[\x{200C}\x{200D}]*['’][^\p{L}\p{N}]+",
        r"^[^\p{L}\p{N}]+",
        r"['’\x{200C}\x{200D}]+$",
    ]
)


WHITESPACE = Separators(0x09, 0x0D - 0x09, 0x1C, 0x20 - 0x1C, wide=True)  # as in Python's str.split
LETTERS = Separators(0, ord("a") - 1, ord("z") + 1, 0xFF - ord("z") - 1, wide=False)


class Tokenizer(ABC):
    """Cuts blocks into tokens."""

    @abstractmethod
    def number(self, block: Block, lexicon: Lexicon, errors: str) -> Numbered:
        """The numbers of the block's tokens in `lexicon` (int32), and how many each sentence has (int64)."""

    def identity(self) -> str | None:
        """A name that is equal only for tokenizers that cut alike; None where that cannot be known."""
        return None


def tokenizer_for(given: TokenizerLike) -> Tokenizer:
    """The tokenizer that a user means by a name, a callable, or a Hugging Face tokenizer."""
    if isinstance(given, Tokenizer):
        return given
    if isinstance(given, str):
        makers: dict[str, Callable[[], Tokenizer]] = {"whitespace": Whitespace, "letters": Letters, "words": Words}
        if given not in makers:
            raise BadOption(f"tokenizer must be one of {', '.join(makers)}, or a callable; got {given!r}")
        return makers[given]()
    given = getattr(given, "backend_tokenizer", given)  # the `tokenizers.Tokenizer` within one of `transformers`
    if hasattr(given, "encode_batch") and hasattr(given, "to_str"):
        return HuggingFace(given)
    if callable(given):
        return Custom(given)
    raise BadOption(
        f"tokenizer must be a name, a callable from a string to tokens, or a Hugging Face tokenizer; "
        f"got {type(given).__name__}"
    )


# ---- text to arrays ----------------------------------------------------------------------------


def _strings(block: TextBlock | StringsBlock, errors: str) -> pa.LargeStringArray:
    """The block's sentences as strings."""
    if isinstance(block, StringsBlock):
        return block.strings
    data = decoded(block, errors)
    offsets = lines(np.frombuffer(data, np.uint8))
    return pa.LargeStringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(data))


def _sentences(block: TextBlock | StringsBlock, errors: str) -> list[str]:
    """The block's sentences as Python strings, without the ends of lines."""
    strings = _strings(block, errors)
    return list((pc.utf8_rtrim(strings, "\r\n") if isinstance(block, TextBlock) else strings).to_pylist())


def _number_lists(lists: pa.LargeListArray, lexicon: Lexicon) -> Numbered:
    """Number ready-made tokens. Empty ones are left out: no text could hold them."""
    data, starts = string_buffers(lists.flatten())
    there = np.diff(starts) > 0
    numbers = lexicon.number(data, np.concatenate([starts[:-1][there], starts[-1:]]))
    return numbers, np.diff(np.concatenate([[0], np.cumsum(there)])[lists.offsets.to_numpy()])


def _replaced(strings: pa.LargeStringArray, part: str, by: str) -> pa.LargeStringArray:
    """The strings with `by` for `part`, a letter beyond ASCII."""
    return pc.replace_substring(strings, part, by) if _holds(strings, part) else strings


def _holds(strings: pa.LargeStringArray, part: str) -> bool:
    """Whether `part`, a letter beyond ASCII, is in the strings; to look costs far less than to replace."""
    data, _ = string_buffers(strings)
    return len(data) > 0 and data.max() >= 0x80 and part.encode() in data.tobytes()


# ---- the tokenizers ----------------------------------------------------------------------------


class _Splitter(Tokenizer):
    """Cuts at separators, after preparing the strings. Ready-made token lists pass unchanged."""

    separators: Separators

    def prepared(self, strings: pa.LargeStringArray) -> pa.LargeStringArray:
        return strings

    def number(self, block: Block, lexicon: Lexicon, errors: str) -> Numbered:
        if isinstance(block, TokensBlock):
            return _number_lists(block.lists, lexicon)
        data, offsets = string_buffers(self.prepared(_strings(block, errors)))
        return lexicon.split(data, offsets, self.separators)

    def identity(self) -> str | None:
        return type(self).__name__


class Whitespace(_Splitter):
    """Splits at white space, as Python's `str.split` does; tokens stay as they stand."""

    separators = WHITESPACE


class Letters(_Splitter):
    """Lower-cased runs of the letters a to z."""

    separators = LETTERS

    def prepared(self, strings: pa.LargeStringArray) -> pa.LargeStringArray:
        """The strings lower-cased, as far as that gives a to z: two letters beyond ASCII do, as in `str.lower`."""
        kelvin = _replaced(strings, "\N{KELVIN SIGN}", "k")
        return pc.ascii_lower(_replaced(kelvin, "İ", "i\N{COMBINING DOT ABOVE}"))


class Words(_Splitter):
    """Lower-cased runs of letters, their marks, and digits, of any script; an apostrophe counts within a word.

    Each letter is lower-cased by itself; only Σ at a word's end becomes ς. Soft hyphens vanish. Scripts that put no
    space between words (Chinese, Japanese, Thai) need a tokenizer that knows their words.
    """

    separators = WHITESPACE

    def prepared(self, strings: pa.LargeStringArray) -> pa.LargeStringArray:
        """The strings lower-cased, with a space for all that stands between words."""
        joined = _replaced(strings, "\N{SOFT HYPHEN}", "")
        if _holds(joined, "Σ"):
            joined = pc.replace_substring_regex(joined, r"(\p{L}\p{M}*)Σ([^\p{L}\p{M}]|$)", r"\1ς\2")
        return pc.replace_substring_regex(pc.utf8_lower(joined), BETWEEN_WORDS, " ")


class Custom(Tokenizer):
    """A callable from a string to its tokens, called for each sentence."""

    def __init__(self, tokens_of: Callable[[str], Iterable[str]]) -> None:
        self.tokens_of = tokens_of

    def number(self, block: Block, lexicon: Lexicon, errors: str) -> Numbered:
        """Call the callable on each sentence that is a string; token lists pass unchanged."""
        if isinstance(block, TokensBlock):
            return _number_lists(block.lists, lexicon)
        return _number_given(_sentences(block, errors), self.tokens_of, lexicon)


class HuggingFace(Tokenizer):
    """A Hugging Face `tokenizers.Tokenizer`, called on batches, without its special tokens."""

    def __init__(self, tokenizer: Any) -> None:
        if tokenizer.truncation is not None or tokenizer.padding is not None:
            raise BadOption(
                "the tokenizer truncates or pads, but sentences of any length are trained whole; "
                "call its no_truncation() and no_padding() first"
            )
        self.tokenizer = tokenizer

    def number(self, block: Block, lexicon: Lexicon, errors: str) -> Numbered:
        """Encode each sentence that is a string; token lists pass unchanged."""
        if isinstance(block, TokensBlock):
            return _number_lists(block.lists, lexicon)
        sentences = _sentences(block, errors)
        encoded = self.tokenizer.encode_batch(sentences, add_special_tokens=False)
        tokens_of = iter(encoded)
        return _number_given(sentences, lambda _: next(tokens_of).tokens, lexicon)

    def identity(self) -> str | None:
        """A digest of the tokenizer's whole configuration; None if a part of it is written in Python."""
        try:
            configuration = self.tokenizer.to_str()
        except Exception:  # the package raises nothing narrower
            return None
        return "HuggingFace " + hashlib.sha256(configuration.encode()).hexdigest()


def _number_given(sentences: list[str], tokens_of: Callable[[str], Iterable[str]], lexicon: Lexicon) -> Numbered:
    """Number the tokens that a callable gives for each sentence."""
    tokens: list[str] = []
    offsets = [0]
    for sentence in sentences:
        given = tokens_of(sentence)
        if not is_token_list(given):
            raise BadCorpus(
                f"a tokenizer must give a list of tokens, but gave {shown(given)} for {shown(sentence)}; "
                "let it return a list of strings"
            )
        tokens.extend(given)
        offsets.append(len(tokens))
    block = tokens_block(tokens, offsets, lambda at: f"what the tokenizer gave for {shown(sentences[at])}")
    return _number_lists(block.lists, lexicon)
