"""Chunks of the encoded corpus on the GPU: kept there while there is room, else sent again in each epoch.

A chunk takes with it what of its sentences lies beyond its ends and may be in a window. It travels as one block, through
two pinned buffers in turn and a stream of its own: the host fills one while the other is copied, and both while earlier
chunks are trained. So the corpus may be larger than the device's memory. Those that are kept are the first that came:
epochs go through all in one order, so to make room for a later one would only move the sending to an earlier one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from firth.corpus.encoded import Chunk

SPARE_MARGIN = 2  # times the margin that a cut sentence needs is sent, as another epoch keeps other words


@dataclass(frozen=True)
class Piece:
    """Tokens [begin, end) of a chunk's batch on the device, with the sentences that they are of.

    tokens: int32 (end - begin,). offsets: int64 (sentences + 1,), where sentences begin, counted from `begin`; the
    first may begin before it, the last end behind `end`. bytes: what both take.
    """

    begin: int
    end: int
    tokens: Any
    offsets: Any
    bytes: int


class ResidentCorpus:
    """The pieces that are on the device, in `room` bytes."""

    def __init__(self, torch: Any, device: Any, room: int) -> None:
        self._torch, self._room = torch, room
        self._pieces: dict[tuple[int, int, int], Piece] = {}
        self._road = _Staging(torch, device) if device.type == "cuda" else _Copying(torch)

    def __len__(self) -> int:
        return len(self._pieces)

    def piece(self, chunk: Chunk, span: tuple[int, int]) -> Piece:
        """The tokens of `span` of the chunk's batch, or more."""
        key = (chunk.position, chunk.first, chunk.last)
        kept = self._pieces.get(key)
        if kept is not None and kept.begin <= span[0] and span[1] <= kept.end:
            return kept
        if kept is not None:
            self._room += self._pieces.pop(key).bytes
        piece = self._sent(chunk, *_widened(chunk, span))
        if piece.bytes <= self._room:
            self._room -= piece.bytes
            self._pieces[key] = piece
        return piece

    def _sent(self, chunk: Chunk, begin: int, end: int) -> Piece:
        last = int(np.searchsorted(chunk.offsets, end, side="left"))
        first = int(np.searchsorted(chunk.offsets, begin, side="right")) - 1
        offsets, tokens = chunk.offsets[first : last + 1] - begin, chunk.tokens[begin:end]
        block = self._road.sent(offsets, tokens)
        there = block[offsets.nbytes :].view(self._torch.int32), block[: offsets.nbytes].view(self._torch.int64)
        return Piece(begin, end, *there, bytes=offsets.nbytes + tokens.nbytes)


def _widened(chunk: Chunk, span: tuple[int, int]) -> tuple[int, int]:
    """A span with more of a margin where it cuts a sentence."""
    before, after = (chunk.first - span[0]) * SPARE_MARGIN, (span[1] - chunk.last) * SPARE_MARGIN
    lowest = int(chunk.offsets[chunk.sentence])
    highest = int(chunk.offsets[np.searchsorted(chunk.offsets, chunk.last, side="left")])
    return max(lowest, chunk.first - before), min(highest, chunk.last + after)


def _filled(block: npt.NDArray[np.uint8], arrays: tuple[npt.NDArray[Any], ...]) -> None:
    """Write the arrays' bytes into the block, one array behind another."""
    at = 0
    for array in arrays:
        block[at : at + array.nbytes] = np.ascontiguousarray(array).view(np.uint8)
        at += array.nbytes


class _Copying:
    """The way to the CPU as a device."""

    def __init__(self, torch: Any) -> None:
        self._torch = torch

    def sent(self, *arrays: npt.NDArray[Any]) -> Any:
        """The arrays in one block of bytes."""
        block = np.empty(sum(each.nbytes for each in arrays), np.uint8)
        _filled(block, arrays)
        return self._torch.from_numpy(block)


class _Staging:
    """The way to a GPU: two pinned buffers in turn, one is filled while the other is copied."""

    def __init__(self, torch: Any, device: Any) -> None:
        self._torch, self._device = torch, device
        self._stream = torch.cuda.Stream(device)
        self._buffers: list[Any] = [None, None]
        self._copied: list[Any] = [None, None]  # events: when what is in the buffer has left it
        self._turn = 0

    def sent(self, *arrays: npt.NDArray[Any]) -> Any:
        """The arrays in one block of bytes, there by the time that the current stream's next work needs it."""
        torch, turn, size = self._torch, self._turn, sum(each.nbytes for each in arrays)
        self._turn = 1 - turn
        if self._copied[turn] is not None:
            self._copied[turn].synchronize()
        if self._buffers[turn] is None or len(self._buffers[turn]) < size:
            self._buffers[turn] = torch.empty(size, dtype=torch.uint8, pin_memory=True)
        pinned = self._buffers[turn][:size]
        _filled(pinned.numpy(), arrays)
        current = torch.cuda.current_stream(self._device)
        with torch.cuda.stream(self._stream):
            block = torch.empty(size, dtype=torch.uint8, device=self._device)
            block.copy_(pinned, non_blocking=True)
            self._copied[turn] = torch.cuda.Event()
            self._copied[turn].record(self._stream)
        current.wait_event(self._copied[turn])
        block.record_stream(current)  # its memory goes to no other block before the current stream is done with it
        return block
