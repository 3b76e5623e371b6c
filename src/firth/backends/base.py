"""The seam between training and the machine that trains.

A backend takes weights, tables, and chunks of encoded tokens with their learning rates; it trains, counts and adds up
the loss, and hands the weights back. It reads no files, prints nothing, parses no options.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from firth.corpus.encoded import Chunk
from firth.ngrams import GramTable
from firth.options import TrainingOptions
from firth.weights import Weights

# Contexts of a skip-gram window whose gradients are taken together; of one with a noise word drawn n times, only one
# n-th of them. Their sum moves one output row: at rates of 0.025 to 0.05, 20 at once were sound on the most frequent
# words, 40 to 100 grew without bound. Windows of 8 take one step.
CONTEXTS_AT_ONCE = 16
# The same under hierarchical softmax, where fewer learn more at high rates and on sparse graphs, probably as all words
# share the upper nodes: of the subjects of Cora's nodes their vectors told 80.7 % with 16, 81.4 with 4, 81.7 with 2 and
# 81.9 with 1 (gensim's 81.8). But 4, 2 and 1 train 0.88, 0.74 and 0.49 times as many words a second as 16. Negative
# sampling learned no more with fewer.
PATH_CONTEXTS_AT_ONCE = 4
# Examples of full softmax that take one step: consecutive ones of a chunk. With many, products of matrices are fast;
# with too many, the sum of their gradients on the rows of frequent words steps too far. 32, 64 and 128 learned the same
# at the rate 0.05 (2,000 words); 512 grew without bound there, as did 128 at 0.1, and 64 at 0.1 on 20 words.
SOFTMAX_BATCH = 64
LOSS_UNITS = 2**20  # a chunk's loss is a whole number of these parts, so that sums are exact in any order


@dataclass(frozen=True)
class Tables:
    """What draws are compared with, in units of 2^-24 (see `Vocabulary`).

    keep: uint32 (V,), the chance that an occurrence of each word is kept.
    noise: uint32 (V, 2), the alias table of the noise words; empty where none are drawn.
    tree: int32 (2V - 1,), the Huffman tree (see `huffman`); empty where it is not walked.
    counts: int64 (V,), how often each word stands in the text.
    grams: the words' n-grams; None where they have none.
    """

    keep: npt.NDArray[np.uint32]
    noise: npt.NDArray[np.uint32] = field(default_factory=lambda: np.zeros((0, 2), np.uint32))
    tree: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    grams: GramTable | None = None


@dataclass(frozen=True)
class Rates:
    """The learning rates of one epoch: at corpus position p, max(floor, start - slope · p)."""

    start: float
    slope: float
    floor: float


@dataclass(frozen=True)
class Tally:
    """What was trained so far.

    loss: the sum over examples, float64. examples: pairs of centre and context for skip-gram, windows for CBOW.
    words: tokens within the vocabulary, whether subsampling kept them or not.
    """

    loss: float = 0.0
    examples: int = 0
    words: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.loss + other.loss, self.examples + other.examples, self.words + other.words)

    def __sub__(self, other: Tally) -> Tally:
        return Tally(self.loss - other.loss, self.examples - other.examples, self.words - other.words)

    @property
    def mean_loss(self) -> float:
        """Loss per example; NaN when there was none."""
        return self.loss / self.examples if self.examples else float("nan")


class Backend(Protocol):
    """A machine that trains. The order of calls is start, (train … settle) …, close."""

    def start(self, weights: Weights, tables: Tables, options: TrainingOptions) -> None:
        """Take the weights over, and get ready (compile, move to the device)."""

    def train(self, chunk: Chunk, epoch: int, rates: Rates, *, held_out: bool = False) -> None:
        """Train a chunk, at once or soon. With `held_out`, the sentences held out instead of the others."""

    def settle(self) -> None:
        """Return when all chunks given are trained, and what was kept apart is merged."""

    def tally(self) -> Tally:
        """The sums over all chunks finished since `start`."""

    def weights(self) -> Weights:
        """The weights as they are; complete after `settle`."""

    def finite(self) -> bool:
        """Whether all weights are finite; after `settle`."""

    def buffer_bytes(self, V: int, options: TrainingOptions) -> int:
        """How many bytes training `V` words takes here beside the weights and tables; may be asked before `start`."""

    def close(self) -> None:
        """Let go of threads and devices. The weights stay."""
