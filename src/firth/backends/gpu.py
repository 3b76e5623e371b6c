"""Training on a GPU: kernels in Triton, memory and streams by PyTorch.

A chunk goes through three kernels: which tokens are kept, what each window needs (`gpu_plan`), and training
(`gpu_kernels`; `gpu_tree` for hierarchical softmax), whose programs race on the shared matrices. The host sends tokens
and reads sums of losses, and waits for neither. With one program, windows are trained in the order of the corpus, as
the reference trains them; so tests run these kernels without a GPU, under Triton's interpreter. No speed is measured
yet.
"""

from __future__ import annotations

import contextlib
import math
from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from firth.backends.base import CONTEXTS_AT_ONCE, LOSS_UNITS, PATH_CONTEXTS_AT_ONCE, Rates, Tables, Tally
from firth.backends.gpu_crowds import Crowds
from firth.backends.gpu_shapes import ADDED_AT_ONCE, Shape, nodes_at_once, programs_of_a_multiprocessor, shape_of
from firth.corpus.encoded import Chunk
from firth.draws import Purpose, as_chance, stream_key
from firth.errors import BadOption, optional
from firth.huffman import ROOT, tree_paths
from firth.options import TrainingOptions
from firth.weights import ROW_FLOATS, Floats, Weights, with_padding
from firth.windows import span

CHUNKS_IN_FLIGHT = 4  # given to the device before the host waits for the first of them
FATES_BLOCK = 1024  # tokens of one program of `decide_fates`
PLAN_NUMBERS = 8192  # compared by one program of `plan_windows`: output rows with one another, for each token
MOST_PLANNED = 256  # tokens of one program of `plan_windows`
SHARE_FOR_CORPUS = 0.5  # of the device's memory that is free once weights and tables are there
PINNED_BYTES = 2 * 4 * (1 << 20)  # the buffers through which tokens travel, of a chunk each
# Of a word, for its path twice: as it is found, and filled up to whole tiles (a million words, Zipf's law).
PATH_BYTES = 212

# Tokens of a chunk for each program, or more: windows that read a frequent row before its program adds to it are then a
# small part of the chunk's, also where it is a whole small corpus.
SHORTEST_STRETCH = 256


class Kernel(NamedTuple):
    """What trains: a compiled function, its shape, and how many output rows are planned and used at a time."""

    train: Any
    shape: Shape
    S: int
    planned: int


def kernel_for(options: TrainingOptions, width: int) -> Kernel:
    """The kernel that trains what is asked for on rows of `width` floats."""
    from firth.backends import gpu_kernels, gpu_tree  # Triton loads at use

    skipgram = options.architecture == "skipgram"
    each = ADDED_AT_ONCE[options.gpu_dtype]
    if options.loss == "hs":
        S = nodes_at_once(width, each)
        shape = shape_of(width, S, each)
        if skipgram:  # labels and counts take what two contexts at a time would need
            return Kernel(gpu_tree.train_skipgram_tree, shape._replace(tile=1), S, planned=1)
        return Kernel(gpu_tree.train_cbow_tree, shape, S, planned=1)
    S = options.negative + 1
    train = gpu_kernels.train_skipgram if skipgram else gpu_kernels.train_cbow
    return Kernel(train, shape_of(width, S, each), S, planned=S)


class GpuBackend:
    """Trains on a device with so many programs at once: as many as it holds, if not given, or fewer on short chunks.

    `tile` contexts are in registers at a time, of `warps` warps; additions are `atomic`, or else stores that race;
    `corpus_bytes` of the encoded corpus stay on the device. All have defaults; they are arguments so that they can be
    measured.
    """

    def __init__(
        self,
        device: str = "cuda",
        *,
        programs: int | None = None,
        tile: int | None = None,
        warps: int | None = None,
        atomic: bool = True,
        corpus_bytes: int | None = None,
    ) -> None:
        self._torch = optional("torch", extra="gpu", purpose="device='cuda'")
        optional("triton", extra="gpu", purpose="device='cuda'")
        self._device = self._torch.device(device)
        self._is_gpu = self._device.type == "cuda"
        self._given_programs, self._tile, self._warps = programs, tile, warps
        self._atomic, self._corpus_bytes = atomic, corpus_bytes

    def start(self, weights: Weights, tables: Tables, options: TrainingOptions) -> None:
        """Move weights and tables to the device, and compile the kernels by training nothing.

        Raises `BadOption` where the device's memory does not suffice.
        """
        from firth.backends import gpu_plan
        from firth.backends.gpu_corpus import ResidentCorpus

        self._plan = gpu_plan
        self._weights, self._options, self._keep = weights, options, tables.keep
        self._padded = Weights(with_padding(weights.input), with_padding(weights.output))
        self._width = self._padded.input.shape[1]
        self._number_bytes = 2 if options.gpu_dtype == "bfloat16" else 4
        self._kernel = kernel_for(options, self._width)
        shape = self._kernel.shape
        shape = shape.shared_by(self._warps or shape.warps)._replace(tile=self._tile or shape.tile)
        self._kernel = self._kernel._replace(shape=shape)
        self._in_flight: deque[tuple[Any, Any]] = deque()
        self._tally = Tally()
        self._current = True  # whether the host's weights are those of the device
        with self._enough_memory():
            self._input, self._output = self._kept_there(self._padded.input), self._kept_there(self._padded.output)
            self._chances = self._on_device(tables.keep.astype(np.int32))
            self._noise = self._on_device(tables.noise.astype(np.int32))
            self._tree = self._tree_on_device(tables)
            self._corpus = ResidentCorpus(self._torch, self._device, self._room_for_corpus())
        self._crowds = Crowds.of(tables, options)
        self._scales: tuple[int, Any, Any] = 0, None, None
        self._programs = self._given_programs or 1
        nothing = Chunk(np.zeros(1, np.int32), np.array([0, 1], np.int64), 0, 0, 1, 0)
        piece = ResidentCorpus(self._torch, self._device, room=0).piece(nothing, (0, 1))
        with self._enough_memory():
            settings = self._settings(nothing, 0, 0, Rates(0, 0, 0))
            compiled = self._trained(piece, settings)[1]
            if options.held_out:
                self._decided(piece, settings, held_out=True)
        if self._given_programs is None:
            has = self._torch.cuda.get_device_properties(self._device)
            threads, capability = has.max_threads_per_multi_processor, (has.major, has.minor)
            held = programs_of_a_multiprocessor(compiled.n_regs, self._kernel.shape.warps, threads, capability)
            self._programs = has.multi_processor_count * held

    @contextlib.contextmanager
    def _enough_memory(self) -> Iterator[None]:
        """Turn PyTorch's error into one that says what to do."""
        try:
            yield
        except self._torch.OutOfMemoryError as error:
            V, megabyte = len(self._keep), 2**20
            free, total = self._torch.cuda.mem_get_info(self._device)
            raise BadOption(
                f"the matrices of {V:,} words with vector_size {self._options.vector_size} take "
                f"{2 * self._number_bytes * V * self._width / megabyte:,.0f} MB of the GPU's memory, and training "
                "needs more; "
                f"{free / megabyte:,.0f} of {total / megabyte:,.0f} MB are free; lower vector_size, raise min_count, "
                "set max_vocabulary, or take device='cpu'"
            ) from error

    def _tree_on_device(self, tables: Tables) -> tuple[Any, ...]:
        """All words' paths, int32 (V, a multiple of the nodes at a time), and their lengths; nothing without a tree."""
        if not len(tables.tree):
            return ()
        found = tree_paths(tables.tree)
        V, longest = found.shape
        paths = np.full((V, -(-max(longest, 1) // self._kernel.S) * self._kernel.S), ROOT, np.int32)
        paths[:, :longest] = found
        return self._on_device(paths), self._on_device((paths != ROOT).sum(axis=1, dtype=np.int32))

    def _kept_there(self, matrix: Floats) -> Any:
        """A matrix on the device, as the numbers it is kept in; made on the way, not there, where memory is scarcer.

        bfloat16 is rounded to the nearest: one rounding moves no number by more than a step of training does, and what
        was trained in bfloat16 before stays as it was.
        """
        numbers = self._torch.from_numpy(matrix)
        return numbers.to(getattr(self._torch, self._options.gpu_dtype)).to(self._device, copy=True)

    def _on_device(self, array: Any) -> Any:
        return self._torch.from_numpy(np.ascontiguousarray(array)).to(self._device, copy=True)

    def _room_for_corpus(self) -> int:
        if self._corpus_bytes is not None:
            return self._corpus_bytes
        free, _ = self._torch.cuda.mem_get_info(self._device)
        return int(SHARE_FOR_CORPUS * free)

    def train(self, chunk: Chunk, epoch: int, rates: Rates, *, held_out: bool = False) -> None:
        """Give the chunk to the device; waits while several are under way."""
        self._collect(CHUNKS_IN_FLIGHT - 1)
        around = span(chunk, epoch, self._options, self._keep, held_out=held_out)
        with self._enough_memory():
            piece = self._corpus.piece(chunk, around)
            sums, _ = self._trained(piece, self._settings(chunk, piece.begin, epoch, rates), held_out)
        self._current = False
        if not self._is_gpu:
            self._in_flight.append((sums, None))
            return
        here = self._torch.empty(sums.shape, dtype=sums.dtype, pin_memory=True)
        here.copy_(sums, non_blocking=True)
        done = self._torch.cuda.Event()
        done.record()
        self._in_flight.append((here, done))

    def plan(self, chunk: Chunk, epoch: int = 0) -> None:
        """Decide all that training the chunk needs, and train nothing: to measure what that takes."""
        piece = self._corpus.piece(chunk, span(chunk, epoch, self._options, self._keep))
        self._decided(piece, self._settings(chunk, piece.begin, epoch, Rates(0, 0, 0)))

    def _settings(self, chunk: Chunk, begin: int, epoch: int, rates: Rates) -> Any:
        """What the kernels are told about a chunk whose piece begins there, in the order of `gpu_plan.SETTINGS`."""

        def key(purpose: Purpose, epoch: int = epoch) -> int:
            return int(np.uint64(stream_key(self._options.seed, epoch, purpose)).view(np.int64))

        def bits(number: float) -> int:
            return int(np.float64(number).view(np.int64))

        told = {
            "keep_key": key(Purpose.KEEP),
            "reach_key": key(Purpose.REACH),
            "noise_key": key(Purpose.NOISE),
            "held_out_key": key(Purpose.HELD_OUT, epoch=0),
            "round_key": key(Purpose.ROUND),
            "position": chunk.position + begin,
            "first": chunk.first - begin,
            "last": chunk.last - begin,
            "start": bits(rates.start),
            "slope": bits(rates.slope),
            "floor": bits(rates.floor),
        }
        numbers = [told[name] for name in self._plan.SETTINGS]
        there = self._torch.tensor(numbers, dtype=self._torch.int64, pin_memory=self._is_gpu)
        return there.to(self._device, non_blocking=True)

    def _empty(self, *shape: int, dtype: str = "int32") -> Any:
        return self._torch.empty(shape, dtype=getattr(self._torch, dtype), device=self._device)

    def _trained(self, piece: Any, settings: Any, held_out: bool = False) -> tuple[Any, Any]:
        """Train a piece.

        Gives float64 (3,) on the device, the sums of losses, of examples and of words seen, and the compiled kernel.
        """
        torch = self._torch
        ends, seen, planned = self._decided(piece, settings, held_out)
        programs = self.programs_for(len(piece.tokens))
        losses, examples = self._empty(programs, dtype="float64"), self._empty(programs, dtype="int64")
        train, shape, S, _ = self._kernel
        if self._tree:
            changes = self._empty(programs, PATH_CONTEXTS_AT_ONCE, self._width, dtype="float32")
            further, known = (*self._tree, changes, self._tree[0].shape[1]), {}
        else:
            further, known = (), {"PADDED": planned[-1].shape[1]}
        compiled = train[(programs,)](
            self._input,
            self._output,
            *self._scales_for(programs),
            *planned,
            ends,
            settings,
            losses,
            examples,
            *further,
            **known,
            S=S,
            C=shape.tile,
            MAIN=shape.main,
            TAIL=shape.tail,
            WARPS=shape.warps,
            WIDTH=self._width,
            ATOMIC=self._atomic,
            CORRECTED=self._options.cbow_gradient == "corrected",
            num_warps=shape.warps,
            enable_fp_fusion=True,
        )
        return torch.stack([losses.sum(), examples.sum().double(), seen.sum().double()]), compiled

    def _decided(self, piece: Any, settings: Any, held_out: bool = False) -> tuple[Any, Any, tuple[Any, ...]]:
        """All that is decided ahead of training: kept tokens, words seen, and what windows need."""
        torch = self._torch
        lengths = torch.diff(piece.offsets.clamp(0, len(piece.tokens)))
        numbers = torch.arange(len(lengths), dtype=torch.int32, device=self._device)
        sentences = torch.repeat_interleave(numbers, lengths, output_size=len(piece.tokens))
        ends, seen = self._kept(piece, sentences, settings, held_out)
        return ends, seen, self._planned(piece, sentences, ends, settings)

    def programs_for(self, tokens: int) -> int:
        """How many programs train a chunk of so many tokens."""
        return self._given_programs or max(1, min(self._programs, tokens // SHORTEST_STRETCH))

    def _scales_for(self, programs: int) -> tuple[Any, Any]:
        """What additions to input and output rows are multiplied by with so many programs; kept for the next chunk."""
        if self._scales[0] != programs:
            shares = self._crowds.input, self._crowds.output
            self._scales = programs, *(self._on_device(Crowds.scales(each, programs)) for each in shares)
        return self._scales[1:]

    def _kept(self, piece: Any, sentences: Any, settings: Any, held_out: bool) -> tuple[Any, Any]:
        """How many tokens are kept up to and with each, and how many of the vocabulary each program saw."""
        n, share = len(piece.tokens), self._options.held_out
        blocks = -(-n // FATES_BLOCK)
        kept, seen = self._empty(n), self._empty(blocks, dtype="int64")
        self._plan.decide_fates[(blocks,)](
            piece.tokens,
            sentences,
            piece.offsets,
            self._chances,
            settings,
            kept,
            seen,
            n,
            len(self._keep),
            int(as_chance(share)),
            HELD_OUT=held_out,
            ANY_HELD_OUT=held_out or share > 0,
            BLOCK=FATES_BLOCK,
        )
        return self._torch.cumsum(kept, 0, dtype=self._torch.int32), seen

    def _planned(self, piece: Any, sentences: Any, ends: Any, settings: Any) -> tuple[Any, ...]:
        """What `plan_windows` writes, in the order of the kernels' arguments."""
        n, options, S = len(piece.tokens), self._options, self._kernel.planned
        padded = 1 << (S - 1).bit_length()
        block = max(1, min(MOST_PLANNED, PLAN_NUMBERS // padded**2))
        words, low, high, at_once = (self._empty(n) for _ in range(4))
        planned = words, low, high, self._empty(n, dtype="float32"), at_once, self._empty(n, padded)
        self._plan.plan_windows[(-(-n // block),)](
            piece.tokens,
            sentences,
            piece.offsets,
            self._noise,
            settings,
            ends,
            *planned,
            n,
            len(self._keep),
            options.reach,
            DYNAMIC=options.reach_is_drawn,
            AT_ONCE=PATH_CONTEXTS_AT_ONCE if options.loss == "hs" else CONTEXTS_AT_ONCE,
            S=S,
            PADDED=padded,
            BLOCK=block,
        )
        return planned

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
            self._tally += Tally(float(np.rint(loss * LOSS_UNITS)) / LOSS_UNITS, int(examples), int(words))

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
            self._copy_back(self._input, self._padded.input)
            self._copy_back(self._output, self._padded.output)
            self._current = True
        D = self._weights.input.shape[1]
        return Weights(self._padded.input[:, :D], self._padded.output[:, :D])

    def finite(self) -> bool:
        """Whether all weights are finite: asked there, as copying them would take longer than many an epoch."""
        ends = (end for matrix in (self._input, self._output) for end in self._torch.aminmax(matrix))
        return all(math.isfinite(end.item()) for end in ends)

    def _copy_back(self, there: Any, here: Floats) -> None:
        # Widened here, not on the device, where it would take more memory.
        self._torch.from_numpy(here).copy_(there if there.dtype == self._torch.float32 else there.cpu())

    def buffer_bytes(self, V: int, options: TrainingOptions) -> int:
        """The buffers through which tokens travel, paths while they are made, and a matrix of bfloat16 on its way."""
        width = -(-options.vector_size // ROW_FLOATS) * ROW_FLOATS
        matrix = 2 * V * width if options.gpu_dtype == "bfloat16" else 0
        return PINNED_BYTES + max(matrix, PATH_BYTES * V if options.loss == "hs" else 0)

    def close(self) -> None:
        """Take the weights back, and give the device's memory back."""
        self.weights()
        del self._input, self._output, self._corpus, self._tree
