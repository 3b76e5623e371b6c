"""The mathematics of Word2Vec in NumPy, one window at a time: slow on purpose, and the truth for every other backend.

Shapes: V words, D dimensions, C contexts in a window, K noise words, S output rows, B examples of a batch.

A window at corpus position p has a centre word and, up to `reach` kept words to each side, its contexts. The centre is
to be predicted, from x:

- skip-gram: the input vector of one context is an x: C examples a window;
- CBOW: the mean of the contexts' input vectors is x: one example a window.

(word2vec.c's skip-gram, too, predicts the centre from each context: over a whole corpus the pairs are the same.)

Three losses tell how well x predicts it. With y the rows of the output matrix:

Negative sampling (Mikolov et al. 2013, "Distributed representations of words and phrases and their
compositionality", eq. 4), the centre being the target, with K noise words:

    loss = -log σ(x · y_target) - Σ_k log σ(-x · y_k)

Hierarchical softmax (Morin and Bengio 2005), y being those of the inner nodes on the centre's way through a Huffman
tree, and its codes 0 or 1 at each:

    loss = -Σ_n log σ((1 - 2 code_n) x · y_n)

Full softmax over all words:

    loss = -log (exp(x · y_target) / Σ_v exp(x · y_v))

The first two are sums of logistic losses and share their gradients. All of a window's gradients are taken at the
weights before it, and then applied together, also where a word stands in it twice. Skip-gram windows of more than
CONTEXTS_AT_ONCE contexts take several such steps, as do those that drew one noise word often: summed over hundreds,
gradients step too far. With hierarchical softmax it is one for each PATH_CONTEXTS_AT_ONCE contexts; with noise for each
pair, each pair takes a step. Full softmax takes one for each SOFTMAX_BATCH examples.

With character n-grams (Bojanowski et al. 2017, "Enriching Word Vectors with Subword Information") a word's x is the
mean of a row of its own and those of its n-grams. Each of these takes the whole step that x takes, as in fastText; one
that stands several times in a word takes it once, so that x moves by just this step, however its letters repeat.
To make x costs many rows, so a window of skip-gram makes but one: its centre's, from which the contexts are predicted
one after another, each against the noise words drawn at its own position; the pairs are the same. CBOW's x is the mean
of all rows of all contexts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from firth.backends.base import CONTEXTS_AT_ONCE, PATH_CONTEXTS_AT_ONCE, SOFTMAX_BATCH, Rates, Tables, Tally
from firth.corpus.encoded import Chunk
from firth.draws import (
    Draws,
    Purpose,
    as_chance,
    below,
    chance,
    counters_again,
    draw,
    low_chance,
    noise_counters,
    stream_key,
)
from firth.huffman import path
from firth.options import TrainingOptions
from firth.weights import Weights

Reals = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


# ---- the equations -----------------------------------------------------------------------------


def sigmoid(z: Reals) -> Reals:
    """σ(z) = 1 / (1 + e^-z), without overflow."""
    return np.exp(-np.logaddexp(0.0, -z))


class Gradients(NamedTuple):
    """A loss, summed over its examples, and its derivatives."""

    loss: float
    inputs: Reals  # ∂loss/∂x, of x's shape
    outputs: Reals  # ∂loss/∂y, of y's shape


def logistic(x: Reals, y: Reals, labels: Reals, weights: Reals) -> Gradients:
    """Logistic regression of each of x (C, D) against each of y (S, D), whose labels (S,) are 1 or 0.

    `weights` (S,) says how often each output row counts.

        loss               = Σ_c Σ_s w_s · -log σ(± x_c · y_s)      (+ for label 1, - for label 0)
        ∂loss/∂(x_c · y_s) = w_s · (σ(x_c · y_s) - label_s)
    """
    scores = x @ y.T  # (C, S)
    signs = 1 - 2 * labels  # -log σ(score) = log(1 + e^-score) for label 1, log(1 + e^score) for 0
    loss = float(np.sum(weights * np.logaddexp(0.0, signs * scores)))
    slopes = weights * (sigmoid(scores) - labels)
    return Gradients(loss, slopes @ y, slopes.T @ x)


def softmax(x: Reals, y: Reals, targets: Ints) -> Gradients:
    """Full softmax: from each of x (B, D), the probability of its target among all words, with y (V, D).

    With the scores A = x yᵀ and T (B, V) the targets, one 1 in each row:

        loss     = Σ_b - log softmax(A_b)[target_b]
        ∂loss/∂A = softmax(A) - T,    ∂loss/∂x = ∂loss/∂A · y,    ∂loss/∂y = (∂loss/∂A)ᵀ · x
    """
    scores = x @ y.T
    scores -= scores.max(axis=1, keepdims=True)  # changes no probability, and keeps exp from overflowing
    rows = np.arange(len(x))
    sums = np.exp(scores).sum(axis=1)
    loss = float(np.sum(np.log(sums) - scores[rows, targets]))
    slopes = np.exp(scores) / sums[:, None]
    slopes[rows, targets] -= 1.0
    return Gradients(loss, slopes @ y, slopes.T @ x)


# ---- what is predicted -------------------------------------------------------------------------


class Outputs(NamedTuple):
    """The output rows of a window: their numbers int64 (S,), labels and weights (S,) for `logistic`."""

    rows: Ints
    labels: Reals
    weights: Reals


def target_and_noise(target: int, noise: Ints) -> Outputs:
    """Negative sampling's: noise words equal to the target are left out, those drawn twice count twice."""
    rows = np.append(target, noise)
    labels, weights = np.zeros(len(rows)), np.ones(len(rows))
    labels[0] = 1.0
    weights[1:][noise == target] = 0.0
    return Outputs(rows, labels, weights)


def tree_nodes(tree: npt.NDArray[np.int32], target: int) -> Outputs:
    """Hierarchical softmax's: the inner nodes above the target; at each, code 0 has the label 1, as in word2vec.c."""
    nodes, codes = path(tree, target)
    return Outputs(nodes, (1 - codes).astype(np.float64), np.ones(len(nodes)))


# ---- one step ----------------------------------------------------------------------------------


def contexts_at_once(outputs: Outputs, at_most: int = CONTEXTS_AT_ONCE) -> int:
    """How many contexts of a skip-gram window take one step together: fewer, the more often one output row counts."""
    most = max((float(outputs.weights[outputs.rows == each].sum()) for each in outputs.rows), default=1.0)
    return max(1, at_most // int(most))


def skipgram_window(
    input: Reals, output: Reals, contexts: Ints, outputs: Outputs, rate: float, at_most: int = CONTEXTS_AT_ONCE
) -> tuple[float, int]:
    """Gradient descent on a skip-gram window, in place; gives its loss and number of examples.

    At most `at_most` contexts take one step together: CONTEXTS_AT_ONCE, or under hierarchical softmax
    PATH_CONTEXTS_AT_ONCE.
    """
    loss = 0.0
    at_once = contexts_at_once(outputs, at_most)
    for first in range(0, len(contexts), at_once):
        some = contexts[first : first + at_once]
        step = logistic(input[some], output[outputs.rows], outputs.labels, outputs.weights)
        np.subtract.at(input, some, rate * step.inputs)
        np.subtract.at(output, outputs.rows, rate * step.outputs)
        loss += step.loss
    return loss, len(contexts)


def cbow_window(
    input: Reals, output: Reals, contexts: Ints, outputs: Outputs, rate: float, share: float = 1.0
) -> tuple[float, int]:
    """One step on a CBOW window, in place; gives its loss and number of examples.

    Each context gets `share` of the mean's gradient. The chain rule says 1 / C; word2vec.c and gensim take 1.
    """
    mean = input[contexts].mean(axis=0, keepdims=True)
    step = logistic(mean, output[outputs.rows], outputs.labels, outputs.weights)
    np.subtract.at(input, contexts, rate * share * np.repeat(step.inputs, len(contexts), axis=0))
    np.subtract.at(output, outputs.rows, rate * step.outputs)
    return step.loss, 1


def subword_window(x: Reals, output: Reals, steps: list[Outputs], rate: float) -> tuple[float, Reals]:
    """Steps of x (D,), a centre made of n-grams, to each of its contexts, `output` in place; gives the loss and x then.

    Each context is a target against the noise drawn where it stands.
    """
    loss, x = 0.0, x[None].copy()
    for outputs in steps:
        step = logistic(x, output[outputs.rows], outputs.labels, outputs.weights)
        x -= rate * step.inputs
        np.subtract.at(output, outputs.rows, rate * step.outputs)
        loss += step.loss
    return loss, x[0]


class Example(NamedTuple):
    """One example of full softmax: the words whose mean is x, the share of x's gradient that each gets, the target."""

    contexts: Ints
    share: float
    target: int
    rate: float


def softmax_step(input: Reals, output: Reals, examples: list[Example]) -> float:
    """One step of full softmax on a batch, at the rate of its first example, in place; gives the loss."""
    x = np.array([input[each.contexts].mean(axis=0) for each in examples])
    step = softmax(x, output, np.array([each.target for each in examples]))
    rate = examples[0].rate
    for each, gradient in zip(examples, step.inputs, strict=True):
        np.subtract.at(input, each.contexts, rate * each.share * gradient)
    output -= rate * step.outputs
    return step.loss


# ---- the decisions -----------------------------------------------------------------------------


def noise_words(key: int, counters: Draws, table: npt.NDArray[np.uint32]) -> Ints:
    """The noise word of each draw, from the alias table."""
    draws = draw(key, counters)
    rows = below(draws, len(table))
    stays = low_chance(draws) < table[rows, 0]
    return np.where(stays, rows, table[rows, 1].astype(np.int64))


def distinct_noise_words(
    keys: tuple[int, int], counters: Draws, table: npt.NDArray[np.uint32], target: int, contexts: Ints
) -> Ints:
    """Noise words that are neither the target nor a context nor like one another.

    Each is drawn up to ATTEMPTS times; where none may stand the target stands, which is no noise. `keys` are those of
    the first draw and of the draws again.
    """
    found: list[int] = []
    again = counters_again(counters)
    for first, others in zip(noise_words(keys[0], counters, table), noise_words(keys[1], again, table), strict=True):
        taken = {target, *contexts.tolist(), *found}
        found.append(next((int(word) for word in (first, *others) if int(word) not in taken), target))
    return np.array(found, np.int64)


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
        self._grams = None if weights.grams is None else weights.grams.astype(np.float64)
        self._tables = tables
        self._options = options
        self._tally = Tally()
        self._batch: list[Example] = []

    def train(self, chunk: Chunk, epoch: int, rates: Rates, *, held_out: bool = False) -> None:
        """Train every window whose centre stands in tokens[first:last]."""
        sentence = chunk.sentence
        while sentence + 1 < len(chunk.offsets) and chunk.offsets[sentence] < chunk.last:
            begin, end = int(chunk.offsets[sentence]), int(chunk.offsets[sentence + 1])
            if self._is_held_out(chunk.position + begin) == held_out:
                self._train_sentence(chunk, begin, end, epoch, rates)
            sentence += 1
        self._train_batch()

    def _is_held_out(self, position: int) -> bool:
        """Whether the sentence that begins at `position` is held out: the same in every epoch."""
        drawn = chance(draw(stream_key(self._options.seed, 0, Purpose.HELD_OUT), position))
        return bool(drawn < as_chance(self._options.held_out))

    def _train_sentence(self, chunk: Chunk, begin: int, end: int, epoch: int, rates: Rates) -> None:
        options = self._options
        keep, reach = (stream_key(options.seed, epoch, purpose) for purpose in (Purpose.KEEP, Purpose.REACH))
        sentence = chunk.tokens[begin:end]
        kept = kept_tokens(keep, sentence, chunk.position + begin, self._tables.keep)
        words = sentence[kept].astype(np.int64)
        for i, at in enumerate(kept + begin):
            if not chunk.first <= at < chunk.last:
                continue
            position = chunk.position + int(at)
            distance = options.reach
            if options.reach_is_drawn:
                distance = 1 + int(below(draw(reach, position), options.reach))
            around = np.r_[max(0, i - distance) : i, i + 1 : min(i + distance + 1, len(words))]
            if len(around):
                rate = max(rates.floor, rates.start - rates.slope * position)
                places = chunk.position + begin + kept[around]
                self._train_window(int(words[i]), words[around], position, places, epoch, rate)
        trained = chunk.tokens[max(begin, chunk.first) : min(end, chunk.last)]
        self._tally += Tally(0.0, 0, int(np.sum((trained >= 0) & (trained < len(self._tables.keep)))))

    def _train_window(self, centre: int, contexts: Ints, position: int, places: Ints, epoch: int, rate: float) -> None:
        """Train one window by the loss asked for; the centre stands at `position`, the contexts at `places`."""
        options, input, output = self._options, self._input, self._output
        C = len(contexts)
        share = 1.0 / C if options.cbow_gradient == "corrected" else 1.0
        if self._grams is not None:
            self._train_subwords(self._grams, centre, contexts, position, places, epoch, rate, share)
        elif options.loss == "softmax":
            if options.architecture == "cbow":
                self._add_to_batch(Example(contexts, share, centre, rate))
            for context in contexts if options.architecture == "skipgram" else ():
                self._add_to_batch(Example(np.array([context]), 1.0, centre, rate))
        elif options.architecture == "cbow":
            outputs = self._outputs(centre, contexts, position, epoch)
            self._add(*cbow_window(input, output, contexts, outputs, rate, share))
        elif options.loss == "ns" and options.noise == "pair":
            for c in range(C):
                one = contexts[c : c + 1]
                outputs = self._outputs(centre, one, position, epoch, pair=c)
                self._add(*skipgram_window(input, output, one, outputs, rate))
        else:
            outputs = self._outputs(centre, contexts, position, epoch)
            at_most = PATH_CONTEXTS_AT_ONCE if options.loss == "hs" else CONTEXTS_AT_ONCE
            self._add(*skipgram_window(input, output, contexts, outputs, rate, at_most))

    def _outputs(self, centre: int, contexts: Ints, position: int, epoch: int, pair: int | None = None) -> Outputs:
        """The output rows of a window, or of one of its pairs."""
        options = self._options
        if options.loss == "hs":
            return tree_nodes(self._tables.tree, centre)
        (counters,) = noise_counters([position], options.negative, None if pair is None else [pair])
        key, again = (stream_key(options.seed, epoch, each) for each in (Purpose.NOISE, Purpose.NOISE_AGAIN))
        if options.distinct_noise:
            noise = distinct_noise_words((key, again), counters, self._tables.noise, centre, contexts)
        else:
            noise = noise_words(key, counters, self._tables.noise)
        return target_and_noise(centre, noise)

    def _train_subwords(
        self,
        grams: Reals,
        centre: int,
        contexts: Ints,
        position: int,
        places: Ints,
        epoch: int,
        rate: float,
        share: float,
    ) -> None:
        """Train one window of words that are made of n-grams."""
        words = np.array([centre]) if self._options.architecture == "skipgram" else contexts
        rows = np.concatenate([self._grams_of(word) for word in words])
        x = (self._input[words].sum(axis=0) + grams[rows].sum(axis=0)) / (len(words) + len(rows))
        if self._options.architecture == "skipgram":
            steps = [self._outputs(word, contexts, at, epoch) for word, at in zip(contexts, places, strict=True)]
            loss, after = subword_window(x, self._output, steps, rate)
            step, examples = after - x, len(contexts)
        else:
            outputs = self._outputs(centre, contexts, position, epoch)
            found = logistic(x[None], self._output[outputs.rows], outputs.labels, outputs.weights)
            np.subtract.at(self._output, outputs.rows, rate * found.outputs)
            step, loss, examples = -rate * share * found.inputs[0], found.loss, 1
        np.add.at(self._input, words, step)
        for word in words:
            grams[np.unique(self._grams_of(word))] += step
        self._add(loss, examples)

    def _grams_of(self, word: int) -> npt.NDArray[np.int32]:
        """The rows of a word's n-grams."""
        table = self._tables.grams
        assert table is not None
        return table.rows[table.offsets[word] : table.offsets[word + 1]]

    def _add(self, loss: float, examples: int) -> None:
        self._tally += Tally(loss, examples, 0)

    def _add_to_batch(self, example: Example) -> None:
        self._batch.append(example)
        if len(self._batch) == SOFTMAX_BATCH:
            self._train_batch()

    def _train_batch(self) -> None:
        if self._batch:
            self._add(softmax_step(self._input, self._output, self._batch), len(self._batch))
            self._batch = []

    def settle(self) -> None:
        """Nothing waits: `train` trains at once."""

    def tally(self) -> Tally:
        """The sums so far."""
        return self._tally

    def weights(self) -> Weights:
        """The weights, rounded to float32."""
        self._weights.input[:] = self._input
        self._weights.output[:] = self._output
        if self._weights.grams is not None:
            self._weights.grams[:] = self._grams
        return self._weights

    def finite(self) -> bool:
        """Whether all weights are finite."""
        return self.weights().finite

    def buffer_bytes(self, V: int, options: TrainingOptions) -> int:
        """Both matrices once more, in float64; full softmax also has gradients of one, and the scores of a batch."""
        softmax = V * (options.vector_size + 3 * SOFTMAX_BATCH) if options.loss == "softmax" else 0
        return 8 * (2 * V * options.vector_size + softmax)

    def close(self) -> None:
        """Nothing to let go of."""
