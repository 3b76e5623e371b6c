"""What the tests of firth.torch share; where PyTorch is not installed they skip."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed; pip install --group test installs it")

from firth.corpus import encoded_corpus  # noqa: E402
from firth.torch import CBOW, Batches, SkipGram  # noqa: E402
from firth.vocabulary import Vocabulary  # noqa: E402
from firth.weights import Weights, aligned_rows  # noqa: E402

torch.set_num_threads(1)

KINDS = {"skipgram": SkipGram, "cbow": CBOW}

# Every loss, with what it may be told; every architecture takes each.
LOSSES = [
    {"loss": "ns"},
    {"loss": "ns", "noise": "pair"},
    {"loss": "ns", "distinct_noise": True},
    {"loss": "ns", "noise": "pair", "distinct_noise": True},
    {"loss": "hs"},
    {"loss": "softmax"},
]
MODELS = [("skipgram", loss) for loss in LOSSES] + [
    ("cbow", {**loss, "cbow_gradient": gradient}) for loss in LOSSES for gradient in ("historical", "corrected")
]
MODEL_NAMES = ["-".join([name, *map(str, loss.values())]) for name, loss in MODELS]


def random_sentences(count=30, words=12, longest=9, seed=1):
    rng = np.random.default_rng(seed)
    return [[f"w{n}" for n in rng.zipf(1.5, rng.integers(1, longest)) % words] for _ in range(count)]


def read(sentences, **counted):
    """An encoded corpus and its vocabulary."""
    corpus = encoded_corpus(sentences)
    return corpus, Vocabulary.of(corpus, **counted)


def random_weights(V, D, seed=2):
    rng = np.random.default_rng(seed)
    weights = Weights(*(aligned_rows(V, D)[:, :D] for _ in range(2)))
    weights.input[:], weights.output[:] = rng.normal(0, 0.5, (2, V, D))
    return weights


def with_weights(module, weights):
    """The module with these weights, in float64."""
    with torch.no_grad():
        module.input.weight.copy_(torch.tensor(weights.input))
        module.output.weight.copy_(torch.tensor(weights.output))
    return module.double()


def rows_of(batches):
    """(target, contexts, noise) of each row of each batch."""
    rows = []
    for batch in batches:
        contexts = [batch.contexts[a:b].tolist() for a, b in pairwise(batch.offsets.tolist())]
        rows += zip(batch.targets.tolist(), map(tuple, contexts), map(tuple, batch.noise.tolist()), strict=True)
    return rows


__all__ = [
    "CBOW",
    "KINDS",
    "LOSSES",
    "MODELS",
    "MODEL_NAMES",
    "Batches",
    "SkipGram",
    "random_sentences",
    "random_weights",
    "read",
    "rows_of",
    "torch",
    "with_weights",
]
