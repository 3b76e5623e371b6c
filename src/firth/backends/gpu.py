"""Training on a GPU: kernels in Triton, memory and streams by PyTorch.

A chunk goes through three kernels: which tokens are kept, what each window needs (`gpu_plan`), and training
(`gpu_kernels`), whose programs race on the shared matrices. The host sends tokens and reads sums of losses, and waits
for neither. With one program, windows are trained in the order of the corpus, as the reference trains them; so tests
run these kernels without a GPU, under Triton's interpreter.
"""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

import numpy as np

from firth.backends.base import LOSS_UNITS, Rates, Tables, Tally
from firth.corpus.encoded import Chunk
from firth.draws import Purpose, as_chance, stream_key
from firth.errors import optional
from firth.options import TrainingOptions
from firth.weights import Weights, with_padding
from firth.windows import span

PROGRAMS_PER_MULTIPROCESSOR = 16  # not yet measured
TILE = 4  # contexts in registers at a time; not yet measured
CHUNKS_IN_FLIGHT = 4  # given to the device before the host waits for the first of them
FATES_BLOCK = 1024  # tokens of one program of `decide_fates`
PLAN_NUMBERS = 8192  # compared by one program of `plan_windows`: output rows with one another, for each token
MOST_PLANNED = 256  # tokens of one program of `plan_windows`
FLOATS_PER_THREAD = 4  # of a row: loads and atomic additions of 16 bytes
THREADS_PER_WARP = 32
SHARE_FOR_CORPUS = 0.5  # of the device's memory that is free once weights and tables are there


class Shape(NamedTuple):
    """How rows lie in a program's registers: blocks of MAIN and TAIL floats, in so many warps."""

    main: int
    tail: int
    warps: int


def shape_of(width: int) -> Shape:
    """The blocks, powers of two, that hold a row of `width` floats with the least waste, and warps to hold them."""
    whole = 1 << (width - 1).bit_length()
    half = whole // 2
    rest = 1 << max(width - half - 1, 0).bit_length()
    main, tail = (half, rest) if width > half >= 64 and half + rest < whole else (whole, 0)
    return Shape(main, tail, max(1, main // (FLOATS_PER_THREAD * THREADS_PER_WARP)))


class GpuBackend:
    """Trains with `programs` at once on a device; by default as many as its multiprocessors hold."""

    def __init__(
        self, device: str = "cuda", *, programs: int | None = None, tile: int = TILE, atomic: bool = True
    ) -> None:
        self._torch = optional("torch", extra="gpu", purpose="device='cuda'")
        optional("triton", extra="gpu", purpose="device='cuda'")
        self._device = self._torch.device(device)
        self._programs, self._tile, self._atomic = programs, tile, atomic

    def start(self, weights: Weights, tables: Tables, options: TrainingOptions) -> None:
        """Move weights and tables to the device, and compile the kernels by training nothing."""
        from firth.backends import gpu_kernels, gpu_plan
        from firth.backends.gpu_corpus import ResidentCorpus

        torch = self._torch
        self._plan = gpu_plan
        skipgram = options.architecture == "skipgram"
        self._kernel = gpu_kernels.train_skipgram if skipgram else gpu_kernels.train_cbow
        self._weights, self._options, self._keep = weights, options, tables.keep
        self._padded = Weights(with_padding(weights.input), with_padding(weights.output))
        self._width = self._padded.input.shape[1]
        self._input, self._output = self._on_device(self._padded.input), self._on_device(self._padded.output)
        self._chances = self._on_device(tables.keep.astype(np.int32))
        self._noise = self._on_device(tables.noise.astype(np.int32))
        self._in_flight: deque[tuple[Any, Any]] = deque()
        self._tally = Tally()
        self._current = True
        self._corpus = ResidentCorpus(torch, self._device, self._room_for_corpus())
        if self._programs is None:
            processors = torch.cuda.get_device_properties(self._device).multi_processor_count
            self._programs = PROGRAMS_PER_MULTIPROCESSOR * processors
        nothing = Chunk(np.zeros(1, np.int32), np.array([0, 1], np.int64), 0, 0, 0, 0)
        self.train(nothing, 0, Rates(0.0, 0.0, 0.0))
        self.settle()

    def _on_device(self, array: Any) -> Any:
        return self._torch.from_numpy(np.ascontiguousarray(array)).to(self._device, copy=True)

    def _room_for_corpus(self) -> int:
        if self._device.type != "cuda":
            return 0
        free, _ = self._torch.cuda.mem_get_info(self._device)
        return int(SHARE_FOR_CORPUS * free)

    def train(self, chunk: Chunk, epoch: int, rates: Rates, *, held_out: bool = False) -> None:
        """Give the chunk to the device; waits while several are under way."""
        if chunk.first == chunk.last:
            return
        self._collect(CHUNKS_IN_FLIGHT - 1)
        around = span(chunk, epoch, self._options, self._keep, held_out=held_out)
        piece = self._corpus.piece(chunk, around)
        settings = self._settings(chunk, piece.begin, epoch, rates)
        sums = self._trained(piece, settings, held_out)
        self._current = False
        if self._device.type != "cuda":
            self._in_flight.append((sums, None))
            return
        there = self._torch.empty(sums.shape, dtype=sums.dtype, pin_memory=True)
        there.copy_(sums, non_blocking=True)
        done = self._torch.cuda.Event()
        done.record()
        self._in_flight.append((there, done))

    def _settings(self, chunk: Chunk, begin: int, epoch: int, rates: Rates) -> Any:
        """What the kernels are told about a chunk, in the order of `gpu_plan.SETTINGS`."""

        def key(purpose: Purpose, epoch: int = epoch) -> int:
            return int(np.uint64(stream_key(self._options.seed, epoch, purpose)).view(np.int64))

        def bits(number: float) -> int:
            return int(np.float64(number).view(np.int64))

        told = {
            "keep_key": key(Purpose.KEEP),
            "reach_key": key(Purpose.REACH),
            "noise_key": key(Purpose.NOISE),
            "held_out_key": key(Purpose.HELD_OUT, epoch=0),
            "position": chunk.position + begin,
            "first": chunk.first - begin,
            "last": chunk.last - begin,
            "start": bits(rates.start),
            "slope": bits(rates.slope),
            "floor": bits(rates.floor),
        }
        numbers = self._torch.tensor([told[name] for name in self._plan.SETTINGS], dtype=self._torch.int64)
        return numbers.to(self._device)

    def _trained(self, piece: Any, settings: Any, held_out: bool) -> Any:
        """Train a piece; gives float64 (3,) on the device: the sums of losses, of examples, and of words seen."""
        torch, options = self._torch, self._options
        n, V = len(piece.tokens), len(self._keep)
        S = options.negative + 1
        padded = 1 << (S - 1).bit_length()

        def empty(*shape: int, dtype: Any) -> Any:
            return torch.empty(shape, dtype=dtype, device=self._device)

        lengths = torch.diff(piece.offsets.clamp(0, n))
        sentences = torch.repeat_interleave(
            torch.arange(len(lengths), dtype=torch.int32, device=self._device), lengths, output_size=n
        )
        kept = empty(n, dtype=torch.int32)
        blocks = -(-n // FATES_BLOCK)
        seen = empty(blocks, dtype=torch.int64)
        self._plan.decide_fates[(blocks,)](
            piece.tokens,
            sentences,
            piece.offsets,
            self._chances,
            settings,
            kept,
            seen,
            n,
            V,
            int(as_chance(options.held_out)),
            HELD_OUT=held_out,
            ANY_HELD_OUT=held_out or options.held_out > 0,
            BLOCK=FATES_BLOCK,
        )
        ends = torch.cumsum(kept, 0, dtype=torch.int32)
        words, low, high, at_once = (empty(n, dtype=torch.int32) for _ in range(4))
        rates = empty(n, dtype=torch.float32)
        outputs = empty(n, padded, dtype=torch.int32)
        block = max(1, min(MOST_PLANNED, PLAN_NUMBERS // padded**2))
        self._plan.plan_windows[(-(-n // block),)](
            piece.tokens,
            sentences,
            piece.offsets,
            self._noise,
            settings,
            ends,
            words,
            low,
            high,
            rates,
            at_once,
            outputs,
            n,
            V,
            options.window,
            DYNAMIC=options.dynamic_window,
            S=S,
            PADDED=padded,
            BLOCK=block,
        )
        programs = self._programs
        assert programs is not None
        losses, examples = empty(programs, dtype=torch.float64), empty(programs, dtype=torch.int64)
        shape = shape_of(self._width)
        self._kernel[(programs,)](
            self._input,
            self._output,
            words,
            low,
            high,
            rates,
            at_once,
            outputs,
            ends,
            settings,
            losses,
            examples,
            S=S,
            PADDED=padded,
            C=self._tile,
            MAIN=shape.main,
            TAIL=shape.tail,
            WIDTH=self._width,
            ATOMIC=self._atomic,
            CORRECTED=options.cbow_gradient == "corrected",
            num_warps=shape.warps,
        )
        return torch.stack([losses.sum(), examples.sum().double(), seen.sum().double()])

    def _collect(self, leave: int) -> None:
        """Add up the sums of finished chunks; wait until at most `leave` are under way."""
        while self._in_flight:
            sums, done = self._in_flight[0]
            if done is not None and not done.query():
                if len(self._in_flight) <= leave:
                    return
                done.synchronize()
            self._in_flight.popleft()
            loss, examples, words = sums.tolist()
            loss = float(np.rint(loss * LOSS_UNITS)) / LOSS_UNITS
            self._tally += Tally(loss, int(examples), int(words))

    def settle(self) -> None:
        """Wait for the device."""
        self._collect(0)

    def tally(self) -> Tally:
        """The sums over all finished chunks."""
        self._collect(CHUNKS_IN_FLIGHT)
        return self._tally

    def weights(self) -> Weights:
        """The weights, copied from the device into the memory that they came in where it was padded and aligned."""
        if not self._current:
            self._torch.from_numpy(self._padded.input).copy_(self._input)
            self._torch.from_numpy(self._padded.output).copy_(self._output)
            self._current = True
        D = self._weights.input.shape[1]
        return Weights(self._padded.input[:, :D], self._padded.output[:, :D])

    def buffer_bytes(self, V: int, options: TrainingOptions) -> int:  # noqa: ARG002
        """Two pinned buffers through which tokens travel."""
        return 2 * 4 * (1 << 20)

    def close(self) -> None:
        """Take the weights back, and give the device's memory back."""
        self.weights()
        del self._input, self._output, self._corpus
