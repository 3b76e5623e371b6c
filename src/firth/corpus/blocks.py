"""Blocks of a corpus on their way from a source to the tokenizer, and how Python's strings become them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from firth.errors import BadCorpus

BLOCK_BYTES = 2 << 20  # of text: large enough to spread the cost of a call, small enough to stay near the caches


@dataclass(frozen=True)
class TextBlock:
    """Lines of UTF-8 text, one sentence each, as they stand in a file.

    The block ends after a line, or, within a line longer than a block, before white space; then the line goes on in
    the next block and `line_goes_on` is true.
    """

    data: bytes | bytearray
    origin: str
    start: int  # the block's first byte in the (uncompressed) file
    line_goes_on: bool


@dataclass(frozen=True)
class StringsBlock:
    """Sentences as strings."""

    strings: pa.LargeStringArray


@dataclass(frozen=True)
class TokensBlock:
    """Sentences that are already lists of tokens."""

    lists: pa.LargeListArray


Block = TextBlock | StringsBlock | TokensBlock
Where = Callable[[int], str]


def strings_block(sentences: Sequence[Any], where: Where) -> StringsBlock:
    """Sentences as a block; `where(i)` names the i-th of them in an error.

    Raises `BadCorpus` for what is not a string, or not one that UTF-8 can hold.
    """
    return StringsBlock(_as_strings(sentences, where))


def tokens_block(tokens: Sequence[Any], offsets: Sequence[int], where: Where) -> TokensBlock:
    """Lists of tokens as a block, list i being tokens[offsets[i]:offsets[i + 1]]; `where(i)` names it in an error.

    Raises `BadCorpus` for a token that is not a string, or not one that UTF-8 can hold.
    """
    strings = _as_strings(tokens, lambda at: where(bisect_right(offsets, at) - 1))
    return TokensBlock(pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), strings))


def decoded(block: TextBlock, errors: str) -> bytes | bytearray:
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


def is_token_list(value: Any) -> bool:
    """Whether `value` may be a list of tokens. Strings and mappings give items too, but not those that are meant."""
    return isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping))


def shown(value: Any) -> str:
    """A value in an error message: its type, and the beginning of what it holds."""
    text = repr(value)
    return f"the {type(value).__name__} {text if len(text) <= 40 else text[:40] + '…'}"


def is_missing(value: Any) -> bool:
    """Whether `value` stands for nothing: None, NaN, or pandas' NA and NaT."""
    return (
        value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and value != value)
    )


def _as_strings(values: Sequence[Any], where: Where) -> pa.LargeStringArray:
    try:
        made = pa.array(values, pa.large_string())
    except (pa.ArrowException, TypeError, UnicodeError):
        made = None
    if made is None or made.null_count:
        raise _refusal(values, where)
    return made


def _refusal(values: Sequence[Any], where: Where) -> BadCorpus:
    """What is wrong with the first of `values` that cannot be text."""
    at, value = next((at, value) for at, value in enumerate(values) if not _is_text(value))
    if isinstance(value, str):
        return BadCorpus(
            f"{where(at)} holds {shown(value)}, which UTF-8 cannot hold: it has a lone surrogate; "
            "clean it with .encode('utf-8', 'ignore').decode()"
        )
    remedy = (
        "a missing value, which is no token: leave it out" if is_missing(value) else "convert each token with str(...)"
    )
    return BadCorpus(f"tokens must be strings, but {where(at)} holds {shown(value)}; {remedy}")


def _is_text(value: Any) -> bool:
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:
        return False
