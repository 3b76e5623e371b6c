"""Training on the CPU: compiled kernels on threads that race on shared weights (Hogwild; Niu et al. 2011).

Each worker takes the next chunk from a queue, so that short and long ones balance. Rows of the most frequent words
would be fought over; each worker has its own copies of them, and every so many words merges what they gained into
the shared rows, by AdaSum (see `simd.merge_row`): plain sums of gains that agree step too far. With them, weights grew
without bound from 4 workers on where words were few or subsampling off; with AdaSum 64 workers learn what one learns.
Merging races, too: where two merge the same row at the same moment, what one of them gained may be lost.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from firth.backends import cpu_grams, cpu_kernels, cpu_pairs, cpu_tree, cpu_windows
from firth.backends import cpu_plan as plans
from firth.backends.base import LOSS_UNITS, Rates, Tables, Tally
from firth.corpus.encoded import Chunk
from firth.draws import Purpose, as_chance, stream_key
from firth.machine import LANES
from firth.options import TrainingOptions
from firth.weights import Floats, Weights, aligned_rows, with_padding

# Rows of the most frequent words are copied for each worker. A row is worth a copy where others write it soon after,
# and that goes with its frequency and with their number: hence the more rows, the more workers. On 17 M words the
# first 512 are 47 % of contexts, 32 % of output rows.
HOT_ROWS_A_WORKER = 64
MOST_HOT_ROWS = 512
MERGE_EVERY = 4096  # tokens between merges of hot rows, for few workers
# Tokens that all workers together train between merges. With twice as many, 32 workers lost a hundredth on MEN.
MOST_UNMERGED = 65_536

Scalar = TypeVar("Scalar", bound=np.generic)


def hot_rows(V: int, workers: int) -> int:
    """How many of V rows each of so many workers has copies of."""
    return min(V, HOT_ROWS_A_WORKER * workers, MOST_HOT_ROWS) if workers > 1 else 0


class Kernel(NamedTuple):
    """What trains: a compiled function, what it knows when it is compiled, and the maker of one worker's buffers."""

    train: Any
    known: tuple[Any, ...]
    scratch: Callable[[], Any]


def kernel_for(options: TrainingOptions, width: int) -> Kernel:
    """The kernel that trains what is asked for on rows of `width` floats."""
    if options.loss == "softmax":
        raise ValueError("these kernels train loss 'ns' and 'hs'; SoftmaxBackend trains 'softmax'")
    window, S = options.reach, options.negative + 1
    row_like = (0,) * (width // LANES)
    skipgram = options.architecture == "skipgram"
    if options.loss == "hs":
        train = cpu_tree.train_skipgram_tree if skipgram else cpu_tree.train_cbow_tree
        return Kernel(train, (row_like,), lambda: cpu_tree.tree_scratch(window, width))
    outputs_like, distinct = (0,) * S, True if options.distinct_noise else None
    if options.subwords:
        train = cpu_grams.train_skipgram_grams if skipgram else cpu_grams.train_cbow_grams
        return Kernel(train, (outputs_like, row_like), lambda: cpu_grams.gram_scratch(window, S, width))
    known = (outputs_like, row_like, distinct)
    if skipgram and options.noise == "pair":
        return Kernel(cpu_pairs.train_skipgram_pairs, known, lambda: cpu_pairs.pair_scratch(window, S, width))
    train = cpu_kernels.train_skipgram if skipgram else cpu_kernels.train_cbow
    return Kernel(train, known, lambda: cpu_windows.scratch(window, S, planned=S, padded=width))


class CpuBackend:
    """Trains with `options.threads` threads. With one, training is in order and the result is the same every time."""

    def start(self, weights: Weights, tables: Tables, options: TrainingOptions) -> None:
        """Take the weights over, give each worker its buffers, and compile the kernel by training nothing."""
        self._weights = weights
        self._options = options
        self._padded = weights.mapped(with_padding)
        lengths = cpu_tree.path_lengths(tables.tree) if options.loss == "hs" else np.zeros((0, 2), np.uint8)
        self._tables = plans.Tables(
            _read_only(tables.keep), _read_only(_in_one(tables.noise)), _read_only(tables.tree), _read_only(lengths)
        )
        self._rules = plans.Rules(
            options.reach,
            options.reach_is_drawn,
            options.cbow_gradient == "corrected",
            np.uint64(int(as_chance(options.held_out))),
        )
        self._kernel = kernel_for(options, self._padded.input.shape[1])
        workers = options.threads
        self._rows = [self._rows_for_worker(workers) for _ in range(workers)]
        self._scratch = [self._kernel.scratch() for _ in range(workers)]
        self._grams = [self._grams_for_worker(tables, workers) for _ in range(workers)]
        self._free: SimpleQueue[int] = SimpleQueue()
        for worker in range(workers):
            self._free.put(worker)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="firth-train")
        self._queue_room = threading.BoundedSemaphore(2 * workers)
        self._pending: set[Future[None]] = set()
        self._lock = threading.Lock()
        self._tally = Tally()
        try:
            nothing = Chunk(np.zeros(1, np.int32), np.array([0, 1], np.int64), 0, 0, 0, 0)
            self.train(nothing, 0, Rates(0.0, 0.0, 0.0))
            self.settle()
        except BaseException:
            self.close()
            raise

    def _rows_for_worker(self, workers: int) -> plans.Rows:
        V, width = self._padded.input.shape
        hot = hot_rows(V, workers)

        def copied(matrix: Floats) -> Floats:
            rows = aligned_rows(max(hot, 1), width)[:hot]
            rows[:] = matrix[:hot]
            return rows

        return plans.Rows(
            self._padded.input,
            self._padded.output,
            hot,
            own_input=copied(self._padded.input),
            own_output=copied(self._padded.output),
            merged_input=copied(self._padded.input),
            merged_output=copied(self._padded.output),
            merge_every=min(MERGE_EVERY, MOST_UNMERGED // workers),
            since_merge=np.zeros(1, np.int64),
        )

    def _grams_for_worker(self, tables: Tables, workers: int) -> tuple[()] | tuple[cpu_grams.GramRows]:
        if tables.grams is None or self._padded.grams is None:
            return ()
        return (cpu_grams.gram_rows(tables.grams, self._padded.grams, hot_rows(len(tables.grams), workers)),)

    def train(self, chunk: Chunk, epoch: int, rates: Rates, *, held_out: bool = False) -> None:
        """Hand the chunk to the next free worker; waits while the queue is full."""
        self._raise_failures()
        self._queue_room.acquire()
        future = self._pool.submit(self._work, chunk, epoch, rates, held_out)
        self._pending.add(future)
        future.add_done_callback(lambda _: self._queue_room.release())

    def _work(self, chunk: Chunk, epoch: int, rates: Rates, held_out: bool) -> None:
        tokens, offsets = _read_only(chunk.tokens), _read_only(chunk.offsets)
        worker = self._free.get()
        try:
            loss, examples, words = self._kernel.train(
                plans.Stretch(tokens, offsets, chunk.sentence, chunk.first, chunk.last, chunk.position),
                plans.Rates(rates.start, rates.slope, rates.floor),
                self._keys(epoch),
                self._rules,
                self._tables,
                self._rows[worker],
                self._scratch[worker],
                *self._grams[worker],
                *self._kernel.known,
                held_out,
            )
        finally:
            self._free.put(worker)
        with self._lock:
            self._tally += Tally(float(np.rint(loss * LOSS_UNITS)) / LOSS_UNITS, examples, words)

    def _keys(self, epoch: int) -> plans.Keys:
        def key(purpose: Purpose, epoch: int = epoch) -> np.uint64:
            return np.uint64(stream_key(self._options.seed, epoch, purpose))

        return plans.Keys(
            key(Purpose.KEEP),
            key(Purpose.REACH),
            key(Purpose.NOISE),
            key(Purpose.NOISE_AGAIN),
            key(Purpose.HELD_OUT, epoch=0),
        )

    def _raise_failures(self) -> None:
        for future in [each for each in self._pending if each.done()]:
            self._pending.discard(future)
            future.result()

    def settle(self) -> None:
        """Wait for all workers, then merge their hot rows: once to add all gains, once more to share the sums."""
        while self._pending:
            self._pending.pop().result()
        for _ in range(2):
            for rows, grams in zip(self._rows, self._grams, strict=True):
                if rows.hot:
                    cpu_windows.merge(rows)
                for each in grams:
                    cpu_grams.merge_grams(each)

    def tally(self) -> Tally:
        """The sums over all finished chunks."""
        with self._lock:
            return self._tally

    def weights(self) -> Weights:
        """The weights, in the memory that they came in where it was padded and aligned."""
        D = self._weights.input.shape[1]
        return self._padded.mapped(lambda matrix: matrix[:, :D])

    def finite(self) -> bool:
        """Whether all weights are finite."""
        return self.weights().finite

    def buffer_bytes(self, V: int, options: TrainingOptions) -> int:
        """What each worker has of its own: four copies of the hot rows, and what it decides ahead in."""
        width = int(aligned_rows(1, options.vector_size).shape[1])
        hot = hot_rows(V, options.threads)
        return options.threads * (4 * 4 * hot * width + _bytes_of(kernel_for(options, width).scratch()))

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def _bytes_of(buffers: Any) -> int:
    """The bytes of all arrays in tuples of tuples."""
    if isinstance(buffers, np.ndarray):
        return buffers.nbytes
    return sum(_bytes_of(each) for each in buffers) if isinstance(buffers, tuple) else 0


def _read_only(array: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
    """A view that may not be written, whatever `array` allows: the two are different types to the compiler."""
    view = array.view()
    view.flags.writeable = False
    return view


def _in_one(table: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint64]:
    """The alias table with a row's two numbers in one: the chance below, the word above."""
    wide = table.astype(np.uint64)
    return np.asarray(wide[:, 0] | wide[:, 1] << np.uint64(32))
