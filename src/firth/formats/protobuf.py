"""Messages in the wire format of Protocol Buffers (https://protobuf.dev/programming-guides/encoding), written alone.

A message is its fields, one after another: a tag, 8 · number of the field + kind, and then

    kind 0  a whole number, 7 bits to a byte, the lowest first; the highest bit of a byte says that there are more
    kind 2  so many bytes: their number, as above, and they: a string, or another message

Sizes stand before what they measure, so a message is put together first. What is large (a matrix) is then only known
by its size, and made while it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import IO, Self, TypeAlias

NUMBER, BYTES = 0, 2
NEGATIVE = 1 << 64  # added to numbers below zero

Writer: TypeAlias = Callable[[IO[bytes]], None]


class Message:
    """Fields in the order in which they were added; `size` is the bytes that they take."""

    def __init__(self) -> None:
        self.size = 0
        self._pieces: list[bytes | Writer] = []

    def numbers(self, field: int, values: Iterable[int]) -> Self:
        """A field for each whole number, from -2⁶³ to before 2⁶³."""
        tag = varint(8 * field + NUMBER)
        return self._add(b"".join([tag + varint(value) for value in values]))

    def texts(self, field: int, values: Iterable[bytes]) -> Self:
        """A field for each string of bytes."""
        tag = varint(8 * field + BYTES)
        return self._add(b"".join([tag + varint(len(value)) + value for value in values]))

    def number(self, field: int, value: int) -> Self:
        """A field that is a whole number."""
        return self.numbers(field, [value])

    def text(self, field: int, value: str) -> Self:
        """A field that is a string, as UTF-8."""
        return self.texts(field, [value.encode()])

    def message(self, field: int, inner: Message) -> Self:
        """A field that is a message, as it stands now."""
        self._add(varint(8 * field + BYTES) + varint(inner.size))
        self._pieces += inner._pieces
        self.size += inner.size
        return self

    def later(self, field: int, size: int, write: Writer) -> Self:
        """A field of so many bytes, which `write` writes when the message is written."""
        self._add(varint(8 * field + BYTES) + varint(size))
        self._pieces.append(write)
        self.size += size
        return self

    def write(self, file: IO[bytes]) -> None:
        """Write all fields."""
        for piece in self._pieces:
            if isinstance(piece, bytes):
                file.write(piece)
            else:
                piece(file)

    def _add(self, data: bytes) -> Self:
        self._pieces.append(data)
        self.size += len(data)
        return self


def varint(value: int) -> bytes:
    """A whole number, 7 bits to a byte."""
    value += NEGATIVE * (value < 0)
    data = bytearray()
    while value > 0x7F:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    data.append(value)
    return bytes(data)
