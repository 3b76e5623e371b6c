"""How chunks travel to a GPU, with a stand-in for PyTorch whose copies are made as late as they may be."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

from firth.backends.gpu_corpus import ResidentCorpus
from firth.corpus.encoded import Chunk


class Late:
    """Memory that is written when somebody waits for it."""

    def __init__(self, array, machine):
        self.array, self.machine = array, machine

    def __len__(self):
        return len(self.array)

    def __getitem__(self, part):
        return Late(self.array[part], self.machine)

    def view(self, dtype):
        return Late(self.array.view(dtype), self.machine)

    def numpy(self):
        return self.array

    def copy_(self, source, *, non_blocking):
        assert non_blocking
        self.machine.pending.append(lambda: np.copyto(self.array, source.array))

    def record_stream(self, stream):
        assert stream == "current"


class Event:
    def __init__(self, machine):
        self.machine = machine

    def record(self, stream):
        assert stream == "copies"
        self.upto = len(self.machine.pending)

    def synchronize(self):
        self.machine.copied(self.upto)


class Machine:
    """What of PyTorch a corpus needs. The device's stream waits for copies only where it is told to."""

    uint8, int32, int64 = np.uint8, np.int32, np.int64

    def __init__(self):
        self.pending, self.done = [], 0
        self.waited = []
        self.cuda = self
        self.pinned = 0

    def Stream(self, device):  # noqa: N802
        assert device is self.device
        return "copies"

    def Event(self):  # noqa: N802
        return Event(self)

    def current_stream(self, device):
        assert device is self.device
        return self

    def stream(self, stream):
        assert stream == "copies"
        return contextlib.nullcontext()

    def wait_event(self, event):
        self.waited.append(event.upto)

    def __eq__(self, other):
        return other == "current"

    __hash__ = None
    type = "cuda"

    @property
    def device(self):
        return self

    def empty(self, size, dtype, pin_memory=False, device=None):
        assert pin_memory is (device is None)
        self.pinned += size if pin_memory else 0
        return Late(np.zeros(size, dtype), self)

    def copied(self, upto):
        for copy in self.pending[self.done : upto]:
            copy()
        self.done = max(self.done, upto)


TOKENS, OFFSETS = np.arange(40, dtype=np.int32), np.array([0, 7, 7, 19, 40])


def chunks(each):
    for first in range(0, 40, each):
        sentence = int(np.searchsorted(OFFSETS, first, side="right")) - 1
        yield Chunk(TOKENS, OFFSETS, sentence, first, min(first + each, 40), 100)


@pytest.mark.parametrize(("room", "kept"), [(0, 0), (120, 2), (10_000, 8)])
def test_what_arrives_is_what_was_sent_however_late_it_is_copied(room, kept):
    machine = Machine()
    corpus = ResidentCorpus(machine, machine.device, room)
    for epoch in range(2):
        spans = [(max(int(OFFSETS[chunk.sentence]), chunk.first - 2), chunk.last) for chunk in chunks(5)]
        found = [(span, corpus.piece(chunk, span)) for chunk, span in zip(chunks(5), spans, strict=True)]
        assert len(machine.pending) - machine.done in ((2,) if epoch == 0 else (0, 1, 2))  # two are under way at most
        assert machine.waited == list(range(1, len(machine.pending) + 1))
        machine.copied(len(machine.pending))
        for span, piece in found:
            assert piece.begin <= span[0] < span[1] <= piece.end
            np.testing.assert_array_equal(piece.tokens.array, TOKENS[piece.begin : piece.end])
            bounds = np.clip(piece.offsets.array, 0, piece.end - piece.begin)
            assert (bounds[0], bounds[-1]) == (0, piece.end - piece.begin)
            inside = [each - piece.begin for each in OFFSETS if piece.begin < each < piece.end]
            assert set(inside) <= set(bounds.tolist())
        assert len(corpus) == kept
    assert len(machine.pending) == 8 + (8 - kept)
    assert machine.pinned < 1000  # two buffers, grown with what went through them


def test_a_piece_that_needs_a_wider_margin_takes_its_room_again():
    machine = Machine()
    (chunk,) = list(chunks(10))[2:3]
    corpus = ResidentCorpus(machine, machine.device, 80)
    corpus.piece(chunk, (20, 30))
    assert len(corpus) == 1
    wide = corpus.piece(chunk, (19, 35))
    assert (wide.begin, wide.end) == (19, 40)
    assert len(corpus) == 0  # 21 tokens and 2 offsets are more than there is room for
    corpus.piece(chunk, (20, 30))
    assert len(corpus) == 1
