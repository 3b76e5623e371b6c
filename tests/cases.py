"""Small corpora to train on, and what holds a backend to the reference."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import strategies as st

from firth.backends.base import Rates
from firth.backends.reference import ReferenceBackend
from firth.corpus.encoded import Chunk
from firth.options import TrainingOptions
from firth.training import tables_for
from firth.vocabulary import Vocabulary
from firth.weights import Weights, aligned_rows
from firth.word2vec import backend

ARCHITECTURES = ("skipgram", "cbow")
NEGATIVES = (1, 5, 8, 20)  # each compiles once; from 8 on, output rows stand in several groups
SIZES = (1, 15, 16, 17, 100)


@dataclass(frozen=True)
class Case:
    """A corpus of word numbers, some of them outside the vocabulary, and how to train on it."""

    seed: int
    V: int
    D: int
    lengths: tuple[int, ...]
    options: TrainingOptions
    unknown: float = 0.0
    one_word: float = 0.0  # share of tokens that are word 0, so that windows hold it many times
    position: int = 0
    epoch: int = 0
    tokens_each: int = 1 << 20

    def tokens(self):
        rng = np.random.default_rng(self.seed)
        words = rng.integers(0, self.V, sum(self.lengths)).astype(np.int32)
        words[rng.random(len(words)) < self.one_word] = 0
        outside = rng.random(len(words)) < self.unknown
        return np.where(outside, rng.choice([-1, self.V, self.V + 7], len(words)), words).astype(np.int32)

    def start(self):
        rng = np.random.default_rng(self.seed + 1)
        weights = Weights(*(aligned_rows(self.V, self.D)[:, : self.D] for _ in range(2)))
        if self.options.subwords:
            weights.grams = aligned_rows(len(self.tables().grams), self.D)[:, : self.D]
        for matrix in (weights.input, weights.output, weights.grams):
            if matrix is not None:
                matrix[:] = rng.normal(0, 1 / np.sqrt(self.D), matrix.shape)
        return weights

    def tables(self):
        rng = np.random.default_rng(self.seed + 2)
        counts = rng.integers(1, 1000, self.V)
        vocabulary = Vocabulary(tuple(map(str, range(self.V))), -np.sort(-counts))
        return tables_for(vocabulary, replace(self.options, ns_exponent=0.75))

    def chunks(self):
        tokens, offsets = self.tokens(), np.cumsum([0, *self.lengths])
        for first in range(0, len(tokens), self.tokens_each):
            sentence = int(np.searchsorted(offsets, first, side="right")) - 1
            yield Chunk(tokens, offsets, sentence, first, min(first + self.tokens_each, len(tokens)), self.position)


def trained(machine, case, *, held_out=False, rates=None):
    """Train a case from its start; gives (weights, tally)."""
    if rates is None:  # a word that fills a wide window takes so long a step that rounding grows with each
        rates = Rates(0.05, 1e-6, 0.01) if case.options.reach < 20 else Rates(0.005, 1e-7, 0.001)
    machine.start(case.start(), case.tables(), case.options)
    for chunk in case.chunks():
        machine.train(chunk, case.epoch, rates, held_out=held_out)
    machine.settle()
    machine.close()
    return machine.weights(), machine.tally()


def assert_held_to_the_reference(case, **how):
    expected, truth = trained(ReferenceBackend(), case, **how)
    weights, tally = trained(backend(case.options), case, **how)
    assert (tally.examples, tally.words) == (truth.examples, truth.words)
    assert np.isfinite(truth.loss)
    assert tally.loss == pytest.approx(truth.loss, rel=1e-5, abs=1e-5)
    np.testing.assert_allclose(weights.input, expected.input, rtol=1e-3, atol=5e-5)
    np.testing.assert_allclose(weights.output, expected.output, rtol=1e-3, atol=5e-5)
    if case.options.subwords:
        np.testing.assert_allclose(weights.grams, expected.grams, rtol=1e-3, atol=5e-5)


@st.composite
def cases(draw, longest=80, sizes=None, **fixed):
    """Any small corpus; `fixed` are options that are not to be drawn.

    Each number of noise words compiles anew for each number of vectors in a row: without `sizes`, all are tried with
    the usual number alone.
    """
    options = TrainingOptions(
        **{
            "architecture": draw(st.sampled_from(ARCHITECTURES)),
            "negative": draw(st.sampled_from(NEGATIVES)),
            "cbow_gradient": draw(st.sampled_from(["historical", "corrected"])),
            **fixed,
        },
        window=draw(st.sampled_from([1, 2, 3, 5, 8, 9, 20, 300, *([] if fixed.get("noise") == "pair" else ["all"])])),
        dynamic_window=draw(st.booleans()),
        sample=draw(st.sampled_from([0, 1e-2, 1e-1])),
        held_out=draw(st.sampled_from([0.0, 0.3])),
        workers=1,
        seed=draw(st.integers(0, 2**63 - 1)),
    )
    return Case(
        seed=draw(st.integers(0, 2**32)),
        V=draw(st.sampled_from([1, 2, 3, 10, 200, 3000])),
        D=draw(st.sampled_from(sizes or (SIZES if options.negative == 5 else (17,)))),
        lengths=(*draw(st.lists(st.integers(0, longest), min_size=1, max_size=12)), 1),
        options=options,
        unknown=draw(st.sampled_from([0.0, 0.3, 0.97])),
        one_word=draw(st.sampled_from([0.0, 0.5, 0.9])),
        position=draw(st.integers(0, 2**48)),
        epoch=draw(st.integers(0, 20)),
        tokens_each=draw(st.integers(1, 400)),
    )
