"""How text is cut into tokens.

Each tokenizer turns a block into token numbers of a lexicon and the number of tokens in each sentence. Three are
built in; any callable from a string to tokens will do, and any Hugging Face `tokenizers.Tokenizer`.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from firth.corpus.blocks import Block, StringsBlock, TextBlock, TokensBlock
from firth.errors import BadCorpus, BadOption

if TYPE_CHECKING:
    from firth.corpus.lexicon import Lexicon

Ints = npt.NDArray[np.int64]
Numbered = tuple[npt.NDArray[np.int32], Ints]
TokenizerLike = str | Callable[[str], Iterable[str]] | Any

PART, SEPARATOR, PERHAPS_SPACE = 0, 1, 2  # what a byte is to the lexicon's splitter
ASCII_SPACE = b" \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f"  # as in Python's str.split
FIRST_BYTES_OF_WIDE_SPACES = b"\xc2\xe1\xe2\xe3"
NEW_LINE = 10


def _classes(separators: Iterable[int], perhaps: bytes = b"") -> npt.NDArray[np.uint8]:
    classes = np.full(256, PART, np.uint8)
    classes[list(separators)] = SEPARATOR
    classes[list(perhaps)] = PERHAPS_SPACE
    return classes


WHITESPACE = _classes(ASCII_SPACE, FIRST_BYTES_OF_WIDE_SPACES)
LETTERS = _classes(set(range(256)) - set(range(ord("a"), ord("z") + 1)))


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
    if hasattr(given, "encode_batch") and hasattr(given, "to_str"):
        return HuggingFace(given)
    if callable(given):
        return Custom(given)
    raise BadOption(
        f"tokenizer must be a name, a callable from a string to tokens, or a Hugging Face tokenizer; "
        f"got {type(given).__name__}"
    )


# ---- text to arrays ----------------------------------------------------------------------------


def decoded(block: TextBlock, errors: str) -> bytes:
    """The block's bytes, held to be UTF-8: `strict` raises `BadCorpus` with the place, others mend."""
    whole = pa.StringArray.from_buffers(
        1, pa.py_buffer(np.array([0, len(block.data)], np.int32)), pa.py_buffer(block.data)
    )
    try:
        whole.validate(full=True)
    except pa.ArrowInvalid:
        if errors != "strict":
            return block.data.decode("utf-8", errors).encode()
        try:
            block.data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise BadCorpus(
                f"{block.origin} is not UTF-8: byte 0x{block.data[error.start]:02x} at position "
                f"{block.start + error.start:,}; convert the file, or set encoding_errors to replace or ignore"
            ) from error
    return block.data


def _lines(data: npt.NDArray[np.uint8]) -> Ints:
    """Offsets of the lines in `data`, each with its line feed; an unfinished last line counts."""
    ends = np.flatnonzero(data == NEW_LINE) + 1
    if len(data) and (not len(ends) or ends[-1] != len(data)):
        ends = np.append(ends, len(data))
    return np.concatenate([np.zeros(1, np.int64), ends])


def _buffers(strings: pa.LargeStringArray) -> tuple[npt.NDArray[np.uint8], Ints]:
    """The bytes of an array of strings, and where each starts and the last ends."""
    _, offsets, data = strings.buffers()
    starts = np.frombuffer(offsets, np.int64)[strings.offset : strings.offset + len(strings) + 1]
    return np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8), starts


def _strings(block: TextBlock | StringsBlock, errors: str) -> pa.LargeStringArray:
    """The block's sentences as strings."""
    if isinstance(block, StringsBlock):
        return block.strings
    data = decoded(block, errors)
    offsets = _lines(np.frombuffer(data, np.uint8))
    return pa.LargeStringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(data))


def _number_lists(lists: pa.LargeListArray, lexicon: Lexicon) -> Numbered:
    data, starts = _buffers(lists.flatten())
    return lexicon.number(data, starts), np.diff(lists.offsets.to_numpy())


# ---- the tokenizers ----------------------------------------------------------------------------


class _Splitter(Tokenizer):
    """Cuts at bytes of some classes, after preparing the strings. Ready-made token lists pass unchanged."""

    classes: npt.NDArray[np.uint8]

    def prepared(self, strings: pa.LargeStringArray) -> pa.LargeStringArray:
        return strings

    def number(self, block: Block, lexicon: Lexicon, errors: str) -> Numbered:
        if isinstance(block, TokensBlock):
            return _number_lists(block.lists, lexicon)
        data, offsets = _buffers(self.prepared(_strings(block, errors)))
        return lexicon.split(data, offsets, self.classes)

    def identity(self) -> str | None:
        return type(self).__name__


class Whitespace(_Splitter):
    """Splits at white space, as Python's `str.split` does; tokens stay as they stand."""

    classes = WHITESPACE


class Letters(_Splitter):
    """Lower-cased runs of the letters a to z."""

    classes = LETTERS

    def prepared(self, strings: pa.LargeStringArray) -> pa.LargeStringArray:
        """The strings lower-cased."""
        return pc.utf8_lower(strings)


class Words(_Splitter):
    """Lower-cased runs of letters, their marks, and digits, of any script; apostrophes count within a word.

    Scripts that put no space between words (Chinese, Japanese, Thai) need a tokenizer that knows their words.
    """

    classes = WHITESPACE

    def prepared(self, strings: pa.LargeStringArray) -> pa.LargeStringArray:
        """The strings lower-cased, with a space for everything that is not part of a word."""
        spaced = pc.replace_substring_regex(pc.utf8_lower(strings), r"[^\p{L}\p{M}\p{N}'’]+", " ")
        return pc.replace_substring_regex(spaced, r"(^|\s)['’]+|['’]+(\s|$)", " ")


class Custom(Tokenizer):
    """A callable from a string to its tokens, called for each sentence."""

    def __init__(self, tokens_of: Callable[[str], Iterable[str]]) -> None:
        self.tokens_of = tokens_of

    def number(self, block: Block, lexicon: Lexicon, errors: str) -> Numbered:
        """Call the callable on each sentence that is a string; token lists pass unchanged."""
        if isinstance(block, TokensBlock):
            return _number_lists(block.lists, lexicon)
        lists = [list(self.tokens_of(text)) for text in _strings(block, errors).to_pylist()]
        return _number_lists(_as_lists(lists, "the tokenizer"), lexicon)


class HuggingFace(Tokenizer):
    """A Hugging Face `tokenizers.Tokenizer`, called on batches, without its special tokens."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer

    def number(self, block: Block, lexicon: Lexicon, errors: str) -> Numbered:
        """Encode each sentence that is a string; token lists pass unchanged."""
        if isinstance(block, TokensBlock):
            return _number_lists(block.lists, lexicon)
        encoded = self.tokenizer.encode_batch(_strings(block, errors).to_pylist(), add_special_tokens=False)
        return _number_lists(_as_lists([each.tokens for each in encoded], "the tokenizer"), lexicon)

    def identity(self) -> str | None:
        """A digest of the tokenizer's whole configuration."""
        return "HuggingFace " + hashlib.sha256(self.tokenizer.to_str().encode()).hexdigest()


def _as_lists(lists: list[list[str]], giver: str) -> pa.LargeListArray:
    try:
        made = pa.array(lists, pa.large_list(pa.large_string()))
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise BadCorpus(f"{giver} must give strings: {error}") from error
    if made.flatten().null_count:
        raise BadCorpus(f"{giver} must give strings, but gave None as a token")
    return made
