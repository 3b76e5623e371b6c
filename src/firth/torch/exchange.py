"""Into PyTorch and back: word vectors as an embedding layer, models as modules, modules as models.

V words, D dimensions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np
import torch
from torch import nn

from firth.errors import BadOption
from firth.torch.modules import CBOW, SkipGram
from firth.torch.words import ELSEWHERE, as_numpy, set_weight
from firth.vectors import WordVectors
from firth.vectors.given import several
from firth.weights import Weights, aligned_rows
from firth.word2vec import Word2Vec


def embedding(
    vectors: WordVectors,
    *,
    freeze: bool = True,
    unknown: bool = False,
    padding: bool = False,
    sparse: bool = False,
) -> nn.Embedding:
    """An embedding layer of word vectors: word n of `vectors` has row n. The rows are copied.

    With `unknown`, a further row V, the mean of all, stands for words without a vector; with `padding`, a last row of
    zeros fills sequences up: it is the layer's `padding_idx`, and no gradient changes it. With `freeze` none changes
    any row. `numbers` gives the rows of tokens. Raises `BadOption` for what is no `WordVectors`.
    """
    _check_vectors(vectors)
    rows = [np.asarray(vectors.matrix)]
    if unknown:
        rows.append(vectors.matrix.mean(axis=0, dtype=np.float64, keepdims=True).astype(np.float32))
    if padding:
        rows.append(np.zeros((1, vectors.vector_size), np.float32))
    matrix = torch.from_numpy(np.concatenate(rows) if len(rows) > 1 else np.array(rows[0], order="C"))
    padding_idx = len(matrix) - 1 if padding else None
    return nn.Embedding.from_pretrained(matrix, freeze=freeze, padding_idx=padding_idx, sparse=sparse)


def numbers(vectors: WordVectors, tokens: Sequence[str], *, unknown: bool = False) -> torch.Tensor:
    """The rows of tokens in `embedding(vectors, unknown=...)`: int64 (n,).

    Tokens without a vector have row V if `unknown`, else raise `UnknownWord`. Raises `BadOption` for what is no
    `WordVectors`, and for one string.
    """
    _check_vectors(vectors)
    tokens = several("tokens", tokens)
    V = len(vectors)
    rows = [V if unknown and token not in vectors else vectors.index(token) for token in tokens]
    return torch.tensor(rows, dtype=torch.int64)


def from_word2vec(model: Word2Vec, *, sparse: bool = False) -> SkipGram | CBOW:
    """A module with a model's words, options and weights, copied, to be trained on with any optimiser.

    What of its options means nothing in PyTorch, such as the learning rate, takes its default. Of a model with
    subwords it takes the words' whole vectors; their n-grams are left behind. Raises `NotTrained` for a model that has
    no weights yet, and `BadOption` for what is no `Word2Vec`.
    """
    if not isinstance(model, Word2Vec):
        raise BadOption(
            f"a module is made of a firth.Word2Vec, got {type(model).__name__}; vectors alone become a layer with "
            "embedding(vectors)"
        )
    options = model.options
    kind = SkipGram if options.architecture == "skipgram" else CBOW
    taken = {each.name: getattr(options, each.name) for each in fields(options) if each.name not in ELSEWHERE}
    module = kind(model.vocabulary, sparse=sparse, **taken)
    set_weight(module.input, model.vectors.matrix)
    set_weight(module.output, model.weights.output)
    return module


def to_word2vec(module: SkipGram | CBOW) -> Word2Vec:
    """A model with a module's words, options and weights, copied: to save, or to train on with firth's own kernels.

    Its state is that of a model that stands at its start: `fit(corpus, resume=True)` trains all epochs on top of these
    weights. Raises `NotTrained` for a module without words.
    """
    if not isinstance(module, (SkipGram, CBOW)):
        raise BadOption(
            f"only SkipGram and CBOW are models of firth, got {type(module).__name__}; take its vectors() instead"
        )
    V, D = len(module.vocabulary), module.options.vector_size
    weights = Weights(*(aligned_rows(V, D)[:, :D] for _ in range(2)))
    weights.input[:], weights.output[:] = as_numpy(module.input.weight), as_numpy(module.output.weight)
    return Word2Vec.of(module.options, module.vocabulary, weights)


def _check_vectors(given: object) -> None:
    if not isinstance(given, WordVectors):
        raise BadOption(
            f"vectors must be a firth.WordVectors, got {type(given).__name__}; a model's are model.vectors, a file's "
            "WordVectors.load(path)"
        )
