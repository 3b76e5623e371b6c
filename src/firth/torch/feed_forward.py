"""CBOW with a hidden layer: the network of introductions to PyTorch, on firth's batches.

B rows in a batch, V words, D dimensions, H units.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Literal, Self

import torch
from torch import nn
from torch.nn import functional

from firth.errors import BadOption
from firth.options import whole
from firth.torch.batches import Batch
from firth.torch.modules import bag
from firth.torch.words import WordModule
from firth.vocabulary import Vocabulary

UNITS = 128


class FeedForwardCBOW(WordModule):
    """The sum of a window's vectors, a hidden layer with ReLU, and a softmax over all words for the centre.

        x = Σ input[contexts];   log p = log_softmax(W₂ · relu(W₁ · x + b₁) + b₂)

    `hidden` is the number of units H. Of `TrainingOptions`, it takes those that say which windows are trained; the
    loss is full softmax. The layers start as PyTorch starts them, from `seed`.
    """

    architecture: ClassVar[Literal["skipgram", "cbow"]] = "cbow"
    hidden: nn.Linear
    scores: nn.Linear

    def __init__(
        self,
        vocabulary: Vocabulary | None = None,
        *,
        hidden: int = UNITS,
        sparse: bool = False,
        **options: Any,
    ) -> None:
        if options.get("loss", "softmax") != "softmax":
            raise BadOption(f"FeedForwardCBOW has the loss softmax, got {options['loss']!r}; leave loss out")
        self.units = whole("hidden", hidden, at_least=1)
        super().__init__(vocabulary, sparse=sparse, **{**options, "loss": "softmax"})

    def build(self, vocabulary: Vocabulary) -> Self:
        """Take a vocabulary, and make the matrix and both layers for it."""
        super().build(vocabulary)
        with torch.random.fork_rng(devices=[]):  # PyTorch starts layers from its global generator
            torch.manual_seed(self.options.seed)
            nn.init.normal_(self.input.weight)  # what goes through a layer should be of the size of 1
            self.hidden = nn.Linear(self.options.vector_size, self.units)
            self.scores = nn.Linear(self.units, len(vocabulary))
        return self

    def log_probabilities(self, batch: Batch) -> torch.Tensor:
        """The log p of each word being the centre of each row: (B, V)."""
        return functional.log_softmax(self.scores(functional.relu(self.hidden(bag(self.input, batch, "sum")))), dim=1)

    def forward(self, batch: Batch) -> torch.Tensor:
        """The negative log-likelihood of the centres, summed over a batch: a tensor of one number."""
        return functional.nll_loss(self.log_probabilities(batch), batch.targets, reduction="sum")

    @torch.no_grad()
    def predict(self, context: Sequence[str | int], topn: int = 10) -> list[tuple[str, float]]:
        """The `topn` most likely words to stand amid `context`, likeliest first, and their probabilities.

        Words that are not known are taken for the option `unknown`, as `Word2Vec.predict` does. Raises `UnknownWord`
        where there is no such option, and `BadOption` for an empty context or `topn` below 1.
        """
        if isinstance(context, str) or not isinstance(context, Iterable) or not (listed := list(context)):
            raise BadOption(f"context must be a list of one or more words, got {context!r}")
        topn = whole("topn", topn, at_least=1)
        unknown = self.options.unknown
        if unknown is not None:
            listed = [unknown if isinstance(each, str) and each not in self else each for each in listed]
        contexts = self.indices(listed)
        offsets = torch.tensor([0, len(contexts)], device=contexts.device)
        batch = Batch(contexts, offsets, targets=contexts[:0], noise=contexts[:0])
        found = self.log_probabilities(batch)[0].exp().topk(min(topn, len(self.vocabulary)))
        words = self.vocabulary.words
        return [(words[row], chance) for row, chance in zip(found.indices.tolist(), found.values.tolist(), strict=True)]
