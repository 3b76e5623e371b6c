"""Skip-gram and CBOW with each of the three losses, as modules.

What is computed is what `firth.backends.reference` says, for all windows of a batch at once: the sum of the windows'
losses, each as the reference has it. So a step of `torch.optim.SGD` on a batch of one window (with full softmax, of
SOFTMAX_BATCH examples) is the reference's step at that rate. (Its windows of more than CONTEXTS_AT_ONCE contexts take
several steps, with hierarchical softmax those of more than PATH_CONTEXTS_AT_ONCE, here one.)

B rows in a batch, E examples in it, S output rows of a window, V words, D dimensions.
"""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple, Self

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from firth.errors import BadOption
from firth.huffman import ROOT, huffman_tree, tree_paths
from firth.torch.batches import Batch
from firth.torch.words import WordModule, table
from firth.vocabulary import Vocabulary


class Outputs(NamedTuple):
    """The output rows of each row of a batch: their numbers int64, labels 1 or 0, and how often each counts; (B, S)."""

    rows: torch.Tensor
    labels: torch.Tensor
    weights: torch.Tensor


def logistic(scores: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Σ w · -log σ(± score), + for label 1 and - for label 0; all three (E, S)."""
    return -(weights * functional.logsigmoid((2 * labels - 1) * scores)).sum()


def target_and_noise(targets: torch.Tensor, noise: torch.Tensor) -> Outputs:
    """Negative sampling's: noise words equal to the target are left out, those drawn twice count twice."""
    rows = torch.cat([targets.unsqueeze(1), noise], dim=1)
    labels = torch.zeros_like(rows)
    labels[:, 0] = 1
    weights = (rows != targets.unsqueeze(1)) | labels.bool()
    return Outputs(rows, labels, weights.to(labels.dtype))


def nodes_of(paths: torch.Tensor) -> Outputs:
    """Hierarchical softmax's, from paths (B, L): at each inner node, code 0 has the label 1.

    What is behind a path's end counts nothing; the root stands there, which every path meets anyway.
    """
    weights = (paths != ROOT).to(paths.dtype)
    return Outputs((paths >> 1).clamp(min=0), 1 - (paths & 1), weights)


class _TwoMatrices(WordModule):
    """An input and an output matrix, and the losses between them."""

    output: nn.Embedding
    paths: torch.Tensor

    def build(self, vocabulary: Vocabulary) -> Self:
        """Take a vocabulary, and make both matrices for it: the output matrix is zero, as every backend's."""
        super().build(vocabulary)
        zeros = np.zeros((len(vocabulary), self.options.vector_size), np.float32)
        self.output = table(zeros, sparse=self.sparse)
        if self.options.loss == "hs":
            paths = torch.from_numpy(tree_paths(huffman_tree(vocabulary.counts)))
            self.register_buffer("paths", paths, persistent=False)
        return self

    def forward(self, batch: Batch) -> torch.Tensor:
        """The loss, summed over the examples of a batch: a tensor of one number."""
        x, row = self.predictors(batch), self.row_of_example(batch)
        if self.options.loss == "softmax":
            return functional.cross_entropy(x @ self.output.weight.T, batch.targets[row], reduction="sum")
        if self.options.loss == "hs":
            outputs = nodes_of(self.paths[batch.targets])
        else:
            outputs = target_and_noise(batch.targets, batch.noise)
        scores = products(x, self.output(outputs.rows), row, batch.offsets)
        return logistic(scores, outputs.labels[row], outputs.weights[row])

    def predictors(self, batch: Batch) -> torch.Tensor:
        """What is predicted from in each example: (E, D)."""
        raise NotImplementedError

    def row_of_example(self, batch: Batch) -> torch.Tensor:
        """The row of the batch that each example is of: int64 (E,)."""
        raise NotImplementedError

    def output_vectors(self) -> torch.Tensor:
        """The words' output vectors (V, D); `BadOption` under hierarchical softmax."""
        if self.options.loss == "hs":
            raise BadOption(
                "under loss='hs' output rows are the inner nodes of a tree, not words; take combine='input', or train "
                "with loss='ns'"
            )
        return self.output.weight


class SkipGram(_TwoMatrices):
    """Skip-gram: each context of a window predicts its centre."""

    architecture: ClassVar[Literal["skipgram", "cbow"]] = "skipgram"

    def predictors(self, batch: Batch) -> torch.Tensor:
        """The input vector of each context."""
        return self.input(batch.contexts)

    def row_of_example(self, batch: Batch) -> torch.Tensor:
        """The window of each context."""
        return torch.repeat_interleave(batch.offsets.diff(), output_size=len(batch.contexts))


class CBOW(_TwoMatrices):
    """Continuous bag of words: the mean of a window's contexts predicts its centre.

    With `cbow_gradient="historical"` each context gets the mean's gradient whole, as word2vec.c and gensim have it;
    with "corrected" autograd's, a C-th of it for C contexts.
    """

    architecture: ClassVar[Literal["skipgram", "cbow"]] = "cbow"

    def predictors(self, batch: Batch) -> torch.Tensor:
        """The mean of each window's input vectors."""
        mean = bag(self.input, batch, "mean")
        if self.options.cbow_gradient == "historical" and mean.requires_grad:
            lengths = batch.offsets.diff().unsqueeze(1)
            mean.register_hook(lambda gradient: gradient * lengths)  # the mean divides by them on the way back
        return mean

    def row_of_example(self, batch: Batch) -> torch.Tensor:
        """Each window is one example."""
        return torch.arange(len(batch.targets), device=batch.targets.device)


def bag(embedding: nn.Embedding, batch: Batch, mode: Literal["mean", "sum"]) -> torch.Tensor:
    """The mean or sum of the contexts' vectors of each row of a batch: (B, D)."""
    return functional.embedding_bag(
        batch.contexts, embedding.weight, batch.offsets, mode=mode, sparse=embedding.sparse, include_last_offset=True
    )


def products(x: torch.Tensor, y: torch.Tensor, row: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """x_e · y_s for each example (E, D) and each output row of its window, y (B, S, D): (E, S).

    A window's contexts stand side by side, padded to as many as the widest has, so that its scores are one product of
    matrices, and no output row is looked up or summed into once for each context.
    """
    if len(x) == len(y):
        return torch.bmm(y, x.unsqueeze(2)).squeeze(2)
    number = torch.arange(len(x), device=x.device) - offsets[row]
    widest = int(offsets.diff().max())
    padded = x.new_zeros(len(y), widest, x.shape[1]).index_put((row, number), x)
    return torch.bmm(padded, y.transpose(1, 2))[row, number]
