r"""Many words as two arrays: their UTF-8 bytes, joined, and where each begins.

pack_words(["a", "über"]) -> (b"a\xc3\xbcber" as uint8, [0, 1, 6] as int64)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from firth.errors import BadFile, BadOption

if TYPE_CHECKING:
    from collections.abc import Sequence

Bytes: TypeAlias = NDArray[np.uint8]
Offsets: TypeAlias = NDArray[np.int64]


def pack_words(words: Sequence[str]) -> tuple[Bytes, Offsets]:
    """The joined UTF-8 bytes of V words, uint8, and their V + 1 offsets, int64.

    Raises:
        BadOption: something among them is not a string, or holds half of a surrogate pair.
    """
    try:
        data = np.frombuffer("".join(words).encode(), np.uint8)
    except (TypeError, UnicodeEncodeError) as error:
        raise BadOption(f"words must be strings that UTF-8 can hold ({error}); leave the others out") from error
    lengths = np.fromiter((len(word.encode()) for word in words), np.int64, len(words))
    return data, np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])


def unpack_words(data: Bytes, offsets: Offsets, source: str = "the list of words") -> list[str]:
    """The V words in `data` (uint8) between `offsets` (int64, V + 1); `source` names them in errors.

    Raises:
        BadFile: the offsets do not fit the bytes, or the bytes are not UTF-8.
    """
    check_packed(data, offsets, source)
    buffers = [None, pa.py_buffer(np.ascontiguousarray(offsets)), pa.py_buffer(np.ascontiguousarray(data))]
    words: list[str] = pa.Array.from_buffers(pa.large_string(), len(offsets) - 1, buffers).to_pylist()
    return words


def check_packed(data: Bytes, offsets: Offsets, source: str) -> None:
    """Check that `offsets` cut `data` into UTF-8 strings; see `unpack_words`."""
    if len(offsets) == 0 or offsets[0] != 0 or offsets[-1] != len(data) or bool((offsets[1:] < offsets[:-1]).any()):
        raise BadFile(
            f"{source}: word_offsets must rise from 0 to {len(data)}, the number of bytes in words; "
            "the file is damaged, write it anew"
        )
    try:
        str(data.data, "utf-8")
    except UnicodeDecodeError as error:
        raise BadFile(f"{source}: words must be UTF-8, byte {error.start} is not; write the file anew") from error
    starts = offsets[offsets < len(data)]
    if bool(((data[starts] & 0xC0) == 0x80).any()):  # 10xxxxxx continues a character
        raise BadFile(f"{source}: word_offsets must not cut a character in two; write the file anew")
