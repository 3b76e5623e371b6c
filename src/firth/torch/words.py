"""What all modules share: options, words, an input matrix, and looking vectors up.

V words, D dimensions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from torch import nn

from firth.affordable import check_words
from firth.combining import check_way, combined
from firth.errors import BadOption, NotTrained, UnknownWord
from firth.options import Combine, TrainingOptions, whole
from firth.torch.batches import Batch
from firth.vectors import WordVectors
from firth.vocabulary import Vocabulary, check_vocabulary
from firth.weights import Floats, initial_weights

# Options of the other backends that mean nothing here, and what stands in their place.
ELSEWHERE = {
    "architecture": "it is the module's class",
    "alpha": "give the optimiser its rate: functools.partial(torch.optim.SGD, lr=0.05)",
    "min_alpha": "give fit a scheduler",
    "backend": "give fit a device",
    "device": "give it to fit",
    **dict.fromkeys(
        ("subwords", "min_n", "max_n", "bucket"), "a module has a row for each word; firth.Word2Vec trains n-grams"
    ),
}


class WordModule(nn.Module):
    """Words and their input vectors; what derives from it says how it learns them, in `forward`.

    The options are those of `TrainingOptions`, less ELSEWHERE; `workers` threads read the corpus, how many compute is
    said by `torch.set_num_threads`. A module without a vocabulary gets the one that `fit`
    counts, and has no parameters before. With `sparse`, gradients of what is looked up are sparse tensors, for
    SparseAdam, Adagrad and SGD: a step costs the same, however many words there are.
    """

    architecture: ClassVar[Literal["skipgram", "cbow"]]
    input: nn.Embedding

    def __init__(self, vocabulary: Vocabulary | None = None, *, sparse: bool = False, **options: Any) -> None:
        super().__init__()
        check_vocabulary(vocabulary)
        for name in options:
            if name in ELSEWHERE:
                raise BadOption(f"{name} is no option of {type(self).__name__}: {ELSEWHERE[name]}")
        self.options = TrainingOptions.from_dict({**options, "architecture": self.architecture})
        self.sparse = sparse
        self._vocabulary: Vocabulary | None = None
        self._rows: dict[str, int] = {}
        if vocabulary is not None:
            self.build(vocabulary)

    # ---- what a subclass says ------------------------------------------------------------------

    def build(self, vocabulary: Vocabulary) -> Self:
        """Take a vocabulary, and make the input matrix for it, as every backend does: by counted draws.

        Raises `BadOption` for more words than full softmax can train.
        """
        check_words(len(vocabulary), self.options)
        self._vocabulary = vocabulary
        self._rows = dict(zip(vocabulary.words, range(len(vocabulary)), strict=True))
        start = initial_weights(len(vocabulary), self.options.vector_size, self.options.seed)
        self.input = table(start.input, sparse=self.sparse)
        return self

    def forward(self, batch: Batch) -> torch.Tensor:
        """The loss, summed over the examples of a batch: a tensor of one number."""
        raise NotImplementedError(f"{type(self).__name__} must say in forward(batch) what its loss is")

    def examples(self, batch: Batch) -> int:
        """How many examples the loss of a batch is the sum of."""
        return len(batch.contexts if self.architecture == "skipgram" else batch.targets)

    def output_vectors(self) -> torch.Tensor:
        """The words' output vectors (V, D); `BadOption` where words have none."""
        raise BadOption(f"{type(self).__name__} has no output vectors of words; take combine='input'")

    # ---- words and vectors ---------------------------------------------------------------------

    @property
    def vocabulary(self) -> Vocabulary:
        """The words, most frequent first: word n has row n of the input matrix."""
        if self._vocabulary is None:
            raise NotTrained(f"this {type(self).__name__} has no words yet; call fit, or give it a vocabulary")
        return self._vocabulary

    @property
    def is_built(self) -> bool:
        """Whether it has a vocabulary, and so parameters."""
        return self._vocabulary is not None

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and word in self._rows

    def index(self, word: str) -> int:
        """The number of a word; `UnknownWord` where it has none."""
        V = len(self.vocabulary)
        row = self._rows.get(word)
        if row is None:
            raise UnknownWord(f"{word!r} is none of the {V:,} words of this module; leave it out")
        return row

    def indices(self, words: Sequence[str | int]) -> torch.Tensor:
        """The numbers of words, int64 (n,), on the module's device; numbers stand for themselves.

        Raises `UnknownWord`, and `BadOption` for a number that is no word's, and for what is neither.
        """
        numbers = [self.index(each) if isinstance(each, str) else self._number(each) for each in words]
        return torch.tensor(numbers, dtype=torch.int64, device=self.input.weight.device)

    def _number(self, given: Any) -> int:
        """The number of a word, given as such."""
        last = len(self.vocabulary) - 1
        try:
            number = whole("the number of a word", given, at_least=0)
        except BadOption as error:
            raise BadOption(f"a word is given as itself or as its number from 0 to {last:,}, got {given!r}") from error
        if number > last:
            raise BadOption(f"a word is given as itself or as its number from 0 to {last:,}, got {given!r}")
        return number

    def __getitem__(self, key: str | int | Sequence[str | int]) -> torch.Tensor:
        """The input vector (D,) of a word or of its number, or those of a sequence (n, D); copies, without gradients.

        Raises what `indices` raises.
        """
        if isinstance(key, str) or not isinstance(key, Iterable):
            return self[[key]][0]
        return self.input.weight.detach()[self.indices(key)]

    @torch.no_grad()
    def vectors(self, combine: Combine = "input") -> WordVectors:
        """The words and a copy of their vectors, float32 (V, D).

        `combine` says which, as for `Word2Vec.combined_vectors`: "input", "output", "average", "sum", or "concatenate"
        (2D numbers). Raises `BadOption` for another, and for all but "input" where output rows are not words
        (hierarchical softmax has inner nodes there).
        """
        words, input = self.vocabulary, as_numpy(self.input.weight)
        check_way(combine)
        output = input if combine == "input" else as_numpy(self.output_vectors())
        return WordVectors(words.words, combined(input, output, combine, self.options.loss), words.counts)


def as_numpy(tensor: torch.Tensor) -> Floats:
    """A copy in the main memory, float32."""
    return np.array(tensor.detach().cpu().numpy(), np.float32)


def table(rows: Floats, *, sparse: bool) -> nn.Embedding:
    """An embedding of rows (V, D), copied; made so, it draws nothing from PyTorch's global generator."""
    return nn.Embedding.from_pretrained(torch.tensor(rows), freeze=False, sparse=sparse)


@torch.no_grad()
def set_weight(embedding: nn.Embedding, rows: Floats) -> None:
    """Copy rows (V, D) into an embedding of that size."""
    embedding.weight.copy_(torch.tensor(rows))
