"""Chunks of the encoded corpus on the GPU: kept there while there is room, else sent again in each epoch.

A chunk takes with it what of its sentences lies beyond its ends and may be in a window. Tokens go through two pinned
buffers and a stream of their own, so that the next chunk travels while this one is trained.
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
    first may begin before it, the last end behind `end`.
    """

    begin: int
    end: int
    tokens: Any
    offsets: Any


class ResidentCorpus:
    """The pieces that are on the device."""

    def __init__(self, torch: Any, device: Any, budget: int) -> None:
        self._torch, self._device, self._budget = torch, device, budget
        self._pieces: dict[tuple[int, int, int], Piece] = {}
        self._staging = _Staging(torch, device) if device.type == "cuda" else None

    def __len__(self) -> int:
        return len(self._pieces)

    def piece(self, chunk: Chunk, span: tuple[int, int]) -> Piece:
        """The tokens of `span` of the chunk's batch, or more."""
        key = (chunk.position, chunk.first, chunk.last)
        piece = self._pieces.get(key)
        if piece is not None and piece.begin <= span[0] and span[1] <= piece.end:
            return piece
        begin, end = _widened(chunk, span)
        last = int(np.searchsorted(chunk.offsets, end, side="left"))
        first = int(np.searchsorted(chunk.offsets, begin, side="right")) - 1
        offsets = chunk.offsets[first : last + 1] - begin
        piece = Piece(begin, end, self._sent(chunk.tokens[begin:end]), self._sent(offsets))
        size = chunk.tokens[begin:end].nbytes + offsets.nbytes
        if key in self._pieces or size <= self._budget:
            self._budget -= 0 if key in self._pieces else size
            self._pieces[key] = piece
        return piece

    def _sent(self, array: npt.NDArray[Any]) -> Any:
        if self._staging is None:
            return self._torch.from_numpy(np.array(array))
        return self._staging.sent(array)


def _widened(chunk: Chunk, span: tuple[int, int]) -> tuple[int, int]:
    """A span with more of a margin where it cuts a sentence."""
    before, after = (chunk.first - span[0]) * SPARE_MARGIN, (span[1] - chunk.last) * SPARE_MARGIN
    lowest = int(chunk.offsets[chunk.sentence])
    highest = int(chunk.offsets[np.searchsorted(chunk.offsets, chunk.last, side="left")])
    return max(lowest, chunk.first - before), min(highest, chunk.last + after)


class _Staging:
    """Two pinned buffers in turn: one is filled while the other is copied."""

    def __init__(self, torch: Any, device: Any) -> None:
        self._torch, self._device = torch, device
        self._stream = torch.cuda.Stream(device)
        self._buffers: list[Any] = [None, None]
        self._copied: list[Any] = [None, None]
        self._turn = 0

    def sent(self, array: npt.NDArray[Any]) -> Any:
        """The array on the device, there by the time that the current stream's next work needs it."""
        torch, turn = self._torch, self._turn
        self._turn = 1 - turn
        if self._copied[turn] is not None:
            self._copied[turn].synchronize()
        if self._buffers[turn] is None or len(self._buffers[turn]) < array.nbytes:
            self._buffers[turn] = torch.empty(array.nbytes, dtype=torch.uint8, pin_memory=True)
        pinned = self._buffers[turn][: array.nbytes]
        pinned.numpy()[:] = np.ascontiguousarray(array).view(np.uint8)
        current = torch.cuda.current_stream(self._device)
        with torch.cuda.stream(self._stream):
            there = torch.empty(array.nbytes, dtype=torch.uint8, device=self._device)
            there.copy_(pinned, non_blocking=True)
            self._copied[turn] = torch.cuda.Event()
            self._copied[turn].record(self._stream)
        current.wait_event(self._copied[turn])
        there.record_stream(current)
        return there.view(torch.int32 if array.dtype == np.int32 else torch.int64)
