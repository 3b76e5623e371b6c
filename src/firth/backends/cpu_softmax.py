"""Full softmax on the CPU: mini-batches, as products of matrices.

The step is that of `reference.softmax_step`, on the same examples. Three things make it fast:

- Skip-gram's x is the input vector of one context, and consecutive windows share their contexts: of 64 examples some
  17 have an x of their own. What is computed from x (its scores, exponentials, gradients) is computed once for each
  distinct context; the gradients of those that agree in x but not in their targets are summed before they are used.
- The output matrix is taken in slices of some thousand rows, which stay in a core's cache: scores and exponentials of
  a slice in one go, and its gradients in another, when the sums over all slices are known. No temporary is larger
  than a slice, but for the scores of a batch.
- Threads take slices, not batches: every batch is trained at the weights that the one before it left, and whatever the
  number of threads the result is the same to the byte.

Shapes: V words, D dimensions, B examples of a batch, X distinct rows x, U distinct contexts, R rows of a slice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from firth.backends.base import LOSS_UNITS, SOFTMAX_BATCH, Rates, Tables, Tally
from firth.blas import threads_at_most
from firth.corpus.encoded import Chunk
from firth.options import TrainingOptions
from firth.weights import Floats, Weights
from firth.windows import Windows, windows

SLICE_ROWS = 1024  # of the output matrix: 400 kB at D = 100, and few enough for two threads to share 2,000 words

Ints = npt.NDArray[np.int64]


class Batch(NamedTuple):
    """B examples of a chunk.

    contexts: int64 (U,), the distinct words that the x are made of. mean: float32 (X, U), x = mean · input[contexts];
    None where each context is an x. shares: float32 (X, U), what part of each x's gradient each context gets; None
    where it is the whole of its own. x_of: int64 (B,), the row of each example's x. targets: int64 (B,).
    position: of the first example.
    """

    contexts: Ints
    mean: Floats | None
    shares: Floats | None
    x_of: Ints
    targets: Ints
    position: int


def skipgram_batches(found: Windows) -> Iterator[Batch]:
    """Batches of consecutive pairs of centre and context."""
    owners = found.window_of_pair
    for first in range(0, len(owners), SOFTMAX_BATCH):
        some = owners[first : first + SOFTMAX_BATCH]
        contexts, x_of = np.unique(found.contexts[first : first + SOFTMAX_BATCH], return_inverse=True)
        yield Batch(contexts, None, None, x_of, found.centres[some], int(found.positions[some[0]]))


def cbow_batches(found: Windows, *, corrected: bool) -> Iterator[Batch]:
    """Batches of consecutive windows."""
    for first in range(0, len(found), SOFTMAX_BATCH):
        offsets = found.offsets[first : first + SOFTMAX_BATCH + 1]
        lengths = np.diff(offsets)
        contexts, column = np.unique(found.contexts[offsets[0] : offsets[-1]], return_inverse=True)
        times: Floats = np.zeros((len(lengths), len(contexts)), np.float32)  # each word stands in each window
        np.add.at(times, (np.repeat(np.arange(len(lengths)), lengths), column), np.float32(1))
        mean = np.asarray(times / lengths[:, None], np.float32)
        targets = found.centres[first : first + SOFTMAX_BATCH]
        x_of = np.arange(len(lengths))
        yield Batch(contexts, mean, mean if corrected else times, x_of, targets, int(found.positions[first]))


def shifted_scores(x: Floats, y: Floats, scores: Floats) -> Floats:
    """Put x · yᵀ - m into `scores` (X, R), m (X,) being the highest score of each x; gives m."""
    np.matmul(x, y.T, out=scores)
    highest: Floats = scores.max(axis=1)
    scores -= highest[:, None]
    return highest


def descend(slopes: Floats, step: Floats, y: Floats) -> Floats:
    """Move y (R, D) by its gradient in place, `step` (X, D) being x times the rate; gives the gradient of x.

    `slopes` (X, R) are ∂loss/∂(x · yᵀ).
    """
    gradient: Floats = slopes @ y
    y -= slopes.T @ step
    return gradient


class SoftmaxBackend:
    """Trains full softmax. The same bytes at every run, with any number of threads."""

    def start(self, weights: Weights, tables: Tables, options: TrainingOptions) -> None:
        """Take the weights over, to train them where they are, and make room for the scores of a batch."""
        self._weights, self._tables, self._options = weights, tables, options
        V = len(weights.output)
        self._slices = [slice(first, min(first + SLICE_ROWS, V)) for first in range(0, V, SLICE_ROWS)]
        self._scores = [np.empty((SOFTMAX_BATCH, each.stop - each.start), np.float32) for each in self._slices]
        self._tally = Tally()
        threads = min(options.threads, len(self._slices))
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="firth-train") if threads > 1 else None

    def train(self, chunk: Chunk, epoch: int, rates: Rates, *, held_out: bool = False) -> None:
        """Train a chunk, batch after batch."""
        options = self._options
        found = windows(chunk, epoch, options, self._tables.keep, held_out=held_out)
        if options.architecture == "skipgram":
            batches = skipgram_batches(found)
        else:
            batches = cbow_batches(found, corrected=options.cbow_gradient == "corrected")
        measure_only = held_out and rates.start == rates.floor == 0
        loss, examples = 0.0, 0
        with np.errstate(all="ignore"), threads_at_most(1):  # those of this pool are as many as were asked for
            for batch in batches:
                rate = max(rates.floor, rates.start - rates.slope * batch.position)
                loss += self._step(batch, None if measure_only else np.float32(rate))
                examples += len(batch.targets)
        self._tally += Tally(float(np.rint(loss * LOSS_UNITS)) / LOSS_UNITS, examples, found.words)

    def _step(self, batch: Batch, rate: np.float32 | None) -> float:
        """One step on a batch, or none without a rate; gives the loss."""
        input, output = self._weights.input, self._weights.output
        known = input[batch.contexts]
        x = known if batch.mean is None else batch.mean @ known
        some = [scores[: len(x)] for scores in self._scores]

        slice_of, column = np.divmod(batch.targets, SLICE_ROWS)
        target_scores = np.empty(len(batch.targets))

        def score(i: int) -> tuple[Floats, Floats]:
            highest = shifted_scores(x, output[self._slices[i]], some[i])
            mine = slice_of == i
            target_scores[mine] = some[i][batch.x_of[mine], column[mine]]
            np.exp(some[i], out=some[i])
            return highest, some[i].sum(axis=1)

        highest, sums = np.array(self._each(score)).swapaxes(0, 1)  # (slices, X)
        shift = (highest - highest.max(axis=0)).astype(np.float64)  # of a slice's highest score from that of all
        scale = np.exp(shift)
        total = (scale * sums).sum(axis=0)  # (X,)
        loss = float(np.sum(np.log(total)[batch.x_of] - target_scores - shift[slice_of, batch.x_of]))
        if rate is None:
            return loss
        scale *= np.bincount(batch.x_of) / total  # examples that share an x share its probabilities

        def follow(i: int) -> Floats:
            slopes, mine = some[i], slice_of == i
            slopes *= scale[i].astype(np.float32)[:, None]
            np.subtract.at(slopes, (batch.x_of[mine], column[mine]), np.float32(1))
            return descend(slopes, x * rate, output[self._slices[i]])

        gradient = np.sum(self._each(follow), axis=0)
        input[batch.contexts] = known - rate * (gradient if batch.shares is None else batch.shares.T @ gradient)
        return loss

    def _each(self, work: Callable[[int], Any]) -> list[Any]:
        """What `work` gives for the number of each slice, in order, done by as many threads as there are."""

        def quietly(i: int) -> Any:
            with np.errstate(all="ignore"):  # what leaves the numbers shows in the loss
                return work(i)

        return list((self._pool.map if self._pool else map)(quietly, range(len(self._slices))))

    def settle(self) -> None:
        """Nothing waits: `train` trains at once."""

    def tally(self) -> Tally:
        """The sums so far."""
        return self._tally

    def weights(self) -> Weights:
        """The weights, in the memory that they came in."""
        return self._weights

    def finite(self) -> bool:
        """Whether all weights are finite."""
        return self.weights().finite

    def buffer_bytes(self, V: int, options: TrainingOptions) -> int:
        """The scores of a batch, and each thread's gradients of a slice."""
        return 4 * (SOFTMAX_BATCH * V + 2 * options.threads * SLICE_ROWS * options.vector_size)

    def close(self) -> None:
        """End the threads."""
        if self._pool:
            self._pool.shutdown()
