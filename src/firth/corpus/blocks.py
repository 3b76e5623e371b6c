"""Blocks of a corpus on their way from a source to the tokenizer."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

BLOCK_BYTES = 4 << 20  # of text: large enough to spread the cost of a call, small enough to stay near the caches


@dataclass(frozen=True)
class TextBlock:
    """Lines of UTF-8 text, one sentence each, as they stand in a file.

    The block ends after a line, or, within a line longer than a block, before white space; then the line goes on in
    the next block and `line_goes_on` is true.
    """

    data: bytes
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
