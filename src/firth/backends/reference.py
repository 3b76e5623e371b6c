"""The mathematics of Word2Vec in NumPy, one window at a time: slow on purpose, and the truth for every other backend.

Shapes: V words, D dimensions, C contexts in a window, K noise words, S = 1 + K output rows (the target, then noise).

A window at corpus position p has a centre word, up to `reach` kept words to each side as contexts, and K noise words
drawn for the whole window. With x the vectors that predict and y the output vectors, negative sampling (Mikolov et
al. 2013, "Distributed representations of words and phrases and their compositionality", eq. 4) minimises

    loss = - log σ(x · y_target) - Σ_k log σ(-x · y_k)

- skip-gram: each context's input vector is an x, and the centre is the target: C examples a window;
- CBOW: x is the mean of the contexts' input vectors, and the centre is the target: one example a window.

(word2vec.c's skip-gram, too, predicts the centre from each context: over a whole corpus the pairs are the same.)

A noise word equal to the target is left out; one drawn twice counts twice. All of a window's gradients are taken at
the weights before it, and then applied together, also where a word stands in it twice. Only wide skip-gram windows
take several such steps, as do those that drew one noise word often: summed over hundreds, gradients step too far.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from firth.backends.base import CONTEXTS_AT_ONCE, Rates, Tables, Tally
from firth.corpus.encoded import Chunk
from firth.draws import DRAWS_PER_POSITION, Purpose, as_chance, below, chance, draw, low_chance, stream_key
from firth.options import TrainingOptions
from firth.weights import Weights

Reals = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


# ---- the equations -----------------------------------------------------------------------------


def sigmoid(z: Reals) -> Reals:
    """σ(z) = 1 / (1 + e^-z), without overflow."""
    return np.exp(-np.logaddexp(0.0, -z))


class Gradients(NamedTuple):
    """The loss of a window, summed over its examples, and its derivatives."""

    loss: float
    inputs: Reals  # ∂loss/∂x: (C, D)
    outputs: Reals  # ∂loss/∂y: (S, D)


def negative_sampling(x: Reals, y: Reals, weights: Reals) -> Gradients:
    """Negative sampling of each of x (C, D) against the output vectors y (S, D), the first being the target's.

    `weights` (S,) says how often each output row counts. With labels t = 1 for the target and 0 for noise,

        loss     = Σ_c Σ_s w_s · -log σ(± x_c · y_s)      (+ for the target, - for noise)
        ∂loss/∂(x_c · y_s) = w_s · (σ(x_c · y_s) - t_s)
    """
    labels = np.zeros(len(y))
    labels[0] = 1.0
    scores = x @ y.T  # (C, S)
    signs = 1 - 2 * labels  # -log σ(score) = log(1 + e^-score) for the target, log(1 + e^score) for noise
    loss = float(np.sum(weights * np.logaddexp(0.0, signs * scores)))
    slopes = weights * (sigmoid(scores) - labels)
    return Gradients(loss, slopes @ y, slopes.T @ x)


def contexts_at_once(targets: Ints, weights: Reals) -> int:
    """How many contexts of a skip-gram window take one step together: fewer, the more often one output row counts."""
    most = max(float(weights[targets == each].sum()) for each in targets)
    return max(1, CONTEXTS_AT_ONCE // int(most))


def skipgram_window(
    input: Reals, output: Reals, contexts: Ints, targets: Ints, weights: Reals, rate: float
) -> tuple[float, int]:
    """Gradient descent on a skip-gram window, in place; gives its loss and number of examples."""
    loss = 0.0
    at_once = contexts_at_once(targets, weights)
    for first in range(0, len(contexts), at_once):
        some = contexts[first : first + at_once]
        step = negative_sampling(input[some], output[targets], weights)
        np.subtract.at(input, some, rate * step.inputs)
        np.subtract.at(output, targets, rate * step.outputs)
        loss += step.loss
    return loss, len(contexts)


def cbow_window(
    input: Reals, output: Reals, contexts: Ints, targets: Ints, weights: Reals, rate: float
) -> tuple[float, int]:
    """One step on a CBOW window, in place; gives its loss and number of examples.

    The mean's gradient is added whole to every context, as word2vec.c and gensim do, though the chain rule divides it
    by their number.
    """
    mean = input[contexts].mean(axis=0, keepdims=True)
    step = negative_sampling(mean, output[targets], weights)
    np.subtract.at(input, contexts, rate * np.repeat(step.inputs, len(contexts), axis=0))
    np.subtract.at(output, targets, rate * step.outputs)
    return step.loss, 1


WINDOWS = {"skipgram": skipgram_window, "cbow": cbow_window}


# ---- the decisions -----------------------------------------------------------------------------


def noise_weights(targets: Ints) -> Reals:
    """1 for the target and for each noise word, but 0 for noise words equal to the target."""
    weights = np.ones(len(targets))
    weights[1:][targets[1:] == targets[0]] = 0.0
    return weights


def noise_words(key: int, position: int, count: int, table: npt.NDArray[np.uint32]) -> Ints:
    """`count` noise words for the window at `position`, from the alias table."""
    counters = np.uint64(position) * np.uint64(DRAWS_PER_POSITION) + np.arange(count, dtype=np.uint64)
    draws = draw(key, counters)
    rows = below(draws, len(table))
    stays = low_chance(draws) < table[rows, 0]
    return np.where(stays, rows, table[rows, 1].astype(np.int64))


def kept_tokens(key: int, tokens: npt.NDArray[np.int32], position: int, keep: npt.NDArray[np.uint32]) -> Ints:
    """Indices of the tokens that are in the vocabulary and survive subsampling; tokens[0] stands at `position`."""
    known = np.flatnonzero((tokens >= 0) & (tokens < len(keep)))
    drawn = chance(draw(key, position + known))
    return known[drawn < keep[tokens[known]]]


class ReferenceBackend:
    """Trains by the equations above, in float64, one window after another."""

    def start(self, weights: Weights, tables: Tables, options: TrainingOptions) -> None:
        """Copy the weights to float64."""
        self._weights = weights
        self._input = weights.input.astype(np.float64)
        self._output = weights.output.astype(np.float64)
        self._tables = tables
        self._options = options
        self._tally = Tally()

    def train(self, chunk: Chunk, epoch: int, rates: Rates, *, held_out: bool = False) -> None:
        """Train every window whose centre stands in tokens[first:last]."""
        sentence = chunk.sentence
        while sentence + 1 < len(chunk.offsets) and chunk.offsets[sentence] < chunk.last:
            begin, end = int(chunk.offsets[sentence]), int(chunk.offsets[sentence + 1])
            if self._is_held_out(chunk.position + begin) == held_out:
                self._train_sentence(chunk, begin, end, epoch, rates)
            sentence += 1

    def _is_held_out(self, position: int) -> bool:
        """Whether the sentence that begins at `position` is held out: the same in every epoch."""
        drawn = chance(draw(stream_key(self._options.seed, 0, Purpose.HELD_OUT), position))
        return bool(drawn < as_chance(self._options.held_out))

    def _train_sentence(self, chunk: Chunk, begin: int, end: int, epoch: int, rates: Rates) -> None:
        options = self._options
        keep, reach, noise = (
            stream_key(options.seed, epoch, purpose) for purpose in (Purpose.KEEP, Purpose.REACH, Purpose.NOISE)
        )
        sentence = chunk.tokens[begin:end]
        kept = kept_tokens(keep, sentence, chunk.position + begin, self._tables.keep)
        words = sentence[kept].astype(np.int64)
        for i, at in enumerate(kept + begin):
            if not chunk.first <= at < chunk.last:
                continue
            position = chunk.position + int(at)
            distance = options.window
            if options.dynamic_window:
                distance = 1 + int(below(draw(reach, position), options.window))
            contexts = np.concatenate([words[max(0, i - distance) : i], words[i + 1 : i + distance + 1]])
            if len(contexts):
                targets = np.append(words[i], noise_words(noise, position, options.negative, self._tables.noise))
                rate = max(rates.floor, rates.start - rates.slope * position)
                window = WINDOWS[options.architecture]
                loss, examples = window(self._input, self._output, contexts, targets, noise_weights(targets), rate)
                self._tally += Tally(loss, examples, 0)
        trained = chunk.tokens[max(begin, chunk.first) : min(end, chunk.last)]
        self._tally += Tally(0.0, 0, int(np.sum((trained >= 0) & (trained < len(self._tables.keep)))))

    def settle(self) -> None:
        """Nothing waits: `train` trains at once."""

    def tally(self) -> Tally:
        """The sums so far."""
        return self._tally

    def weights(self) -> Weights:
        """The weights, rounded to float32."""
        self._weights.input[:] = self._input
        self._weights.output[:] = self._output
        return self._weights

    def buffer_bytes(self, V: int, options: TrainingOptions) -> int:
        """Both matrices once more, in float64."""
        return 2 * 8 * V * options.vector_size

    def close(self) -> None:
        """Nothing to let go of."""
