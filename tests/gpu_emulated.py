"""The tests of the GPU's kernels, of what is compiled for one: run by `ptx`, without a GPU.

    python gpu_emulated.py CAPABILITY NAME ...

A stand-in for Triton's driver is told that there is a GPU of that compute capability, such as 90, and launches what
Triton compiled for it, with the arguments that a GPU would get, on an emulation.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import gpu_cases
import numpy as np
import ptx
import pytest
import torch
import triton
import triton.language as tl
from cases import ARCHITECTURES, trained
from gpu_ahead import Driver
from gpu_rows_alone import move

from firth.backends.base import Rates
from firth.options import TrainingOptions


class Emulation(Driver):
    """A driver that runs what it is given; `together` programs at a time."""

    def __init__(self, capability):
        super().__init__(capability)
        self.together = 1
        self.texts = {}  # PTX by the machine code that was assembled from it
        triton.knobs.compilation.listener = self.compiled

    def compiled(self, *, metadata_group, **_):
        files = {Path(name).suffix: Path(path) for name, path in metadata_group.items()}
        self.texts[files[".cubin"].read_bytes()] = files[".ptx"].read_text()

    def load(self, name, binary, shared, device):
        module, _, *rest = super().load(name, binary, shared, device)
        return module, (self.texts[binary], shared), *rest

    def launcher_cls(self, source, _):
        kinds = list(source.signature.values())

        def launcher(programs, _y, _z, _stream, function, *rest):
            arguments = [each for each, kind in zip(rest[-len(kinds) :], kinds, strict=True) if kind != "constexpr"]
            text, shared = function
            ptx.launch(text, programs, shared, arguments, self.together)

        return launcher


def programs_at_once_lose_nothing():
    """With small steps, programs in turns come to what they come to one after another, but for steps of steps."""
    driver = triton.runtime.driver.active
    for architecture in ARCHITECTURES:
        for loss in ("ns", "hs"):
            options = TrainingOptions(architecture=architecture, loss=loss, sample=0)
            case = gpu_cases.Shuffled(3, 60, 20, (25, 1, 0, 9, 12), options)
            changes = []
            for driver.together in (1, 9):
                weights, tally = trained(gpu_cases.backend(programs=9), case, rates=Rates(1e-3, 0.0, 0.0))
                changes.append((weights.input - case.start().input, weights.output - case.start().output, tally.loss))
            driver.together = 1
            (input, output, loss), (other_input, other_output, other_loss) = changes
            assert other_loss != loss  # they were not the same turns
            np.testing.assert_allclose(other_loss, loss, rtol=1e-3)
            for one, other in ((input, other_input), (output, other_output)):
                assert np.linalg.norm(other - one) < 0.02 * np.linalg.norm(one)
                moved = np.abs(one).max(axis=1) > 0
                np.testing.assert_array_equal(np.abs(other).max(axis=1) > 0, moved)


class Place:
    """An address of float32 numbers, of which Triton is told no more."""

    def __init__(self, address):
        self.address, self.dtype = address, torch.float32

    def data_ptr(self):
        return self.address

    def numel(self):
        return 0


def rows_stand_beyond_what_32_bits_count():
    """In a matrix of which but one row is there: number 2**27 of 32 floats, 2**34 bytes behind its beginning."""
    row, width, first = 1 << 27, 32, 16
    numbers = torch.zeros(first + width, dtype=torch.int32)  # which row, and from number 16 on the row itself
    numbers[0] = row
    there = numbers[first:].view(torch.float32)
    there[:] = torch.arange(width)
    matrix = Place(there.data_ptr() - 4 * row * width)
    move[(1,)](matrix, numbers, 1, MAIN=width, WIDTH=width, num_warps=1)
    assert there.tolist() == [2.0 * each for each in range(width)]


# ---- what it refuses ------------------------------------------------------------------------------


@triton.jit
def copy_some(numbers, into, most, COUNT: tl.constexpr):
    at = tl.arange(0, COUNT)
    tl.store(into + at, tl.load(numbers + at, mask=at < most, other=0.0), mask=at < most)


@triton.jit
def reverse(numbers, COUNT: tl.constexpr, WAIT: tl.constexpr):
    at = tl.arange(0, COUNT)
    tl.store(numbers + at, at)
    if WAIT:
        tl.debug_barrier()
    tl.store(numbers + COUNT + at, tl.load(numbers + COUNT - 1 - at))


def addresses_out_of_bounds():
    numbers, into = torch.arange(200.0), torch.zeros(200)
    copy_some[(1,)](numbers, into, 200, COUNT=256)
    assert (into == numbers).all()
    for most in (201, 256):
        with pytest.raises(ptx.Fault, match="of an array of 800"):
            copy_some[(1,)](numbers, into, most, COUNT=256)


def addresses_that_are_not_aligned():
    """Triton looks at addresses, and is told nothing of them by the second launch of what the first compiled."""
    numbers, into = torch.arange(260.0), torch.zeros(260)
    compiled = copy_some.warmup(numbers, into, 256, COUNT=256, grid=(1,))
    compiled[(1, 1, 1)](numbers[4:], into[4:], 256, 256)
    with pytest.raises(ptx.Fault, match="no multiples of 8"):
        compiled[(1, 1, 1)](numbers[3:], into[4:], 256, 256)


def reading_what_another_thread_wrote():
    for threads in (32, 64):
        numbers = torch.zeros(128, dtype=torch.int32)
        with pytest.raises(ptx.Fault, match="without a barrier"):
            reverse[(1,)](numbers, COUNT=64, WAIT=False, num_warps=threads // 32)
        reverse[(1,)](numbers, COUNT=64, WAIT=True, num_warps=threads // 32)
        assert numbers.tolist() == [*range(64), *range(64)[::-1]]


@triton.jit
def store_upper(numbers, COUNT: tl.constexpr, WAIT: tl.constexpr):
    at = tl.arange(0, COUNT)
    read = tl.load(numbers + COUNT // 2 + at % (COUNT // 2))
    tl.store(numbers + COUNT + at, read)
    if WAIT:
        tl.debug_barrier()
    tl.store(numbers + at, read + 1, mask=at >= COUNT // 2)


def writing_over_what_another_warp_read():
    """Though the warps before have read it: on a GPU they may come later."""
    numbers = torch.arange(128, dtype=torch.int32)
    with pytest.raises(ptx.Fault, match="a warp writes over what another read, without a barrier"):
        store_upper[(1,)](numbers, COUNT=64, WAIT=False, num_warps=2)
    numbers = torch.arange(128, dtype=torch.int32)
    store_upper[(1,)](numbers, COUNT=64, WAIT=True, num_warps=2)
    assert numbers.tolist() == [*range(32), *range(33, 65), *range(32, 64), *range(32, 64)]


def by_hand(*lines):
    """A kernel of instructions such as Triton makes none."""
    body = "\n".join(lines)
    return f""".visible .entry by_hand(
    .param .u64 .ptr .global .align 1 by_hand_param_0
)
.reqntid 32
{{
    .reg .pred %p<2>;
    .reg .b16 %rs<2>;
    .reg .b32 %r<2>;
{body}
    ret;
}}
"""


def branches_that_threads_take_differently():
    for limit in (0, 31, 32):
        lines = "mov.u32 %r1, %tid.x;", f"setp.lt.u32 %p1, %r1, {limit};", "@%p1 bra $L__BB0_1;", "$L__BB0_1:"
        differently = limit == 31
        with pytest.raises(ptx.Fault, match="take differently") if differently else contextlib.nullcontext():
            ptx.launch(by_hand(*lines), 2, 0, [0])


def instructions_that_are_not_known():
    """And would be taken for others: of another kind, in another manner, a barrier of some threads."""
    for line in ("add.rn.bf16 %rs1, %rs1, %rs1;", "max.NaN.f32 %r1, %r1, %r1;", "bar.sync 1, 32;", "bar.sync 0, 32;"):
        with pytest.raises(ptx.Unknown):
            ptx.launch(by_hand(line), 1, 0, [0])


if __name__ == "__main__":
    triton.runtime.driver.set_active(Emulation(int(sys.argv[1])))
    gpu_cases.DEVICE = "cpu"
    gpu_cases.report(sys.argv[2:], vars(gpu_cases) | globals())
