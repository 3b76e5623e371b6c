"""Log-likelihoods of sentences under a trained model: every window in full, no word dropped, nothing drawn.

Shapes: V words, D dimensions, X distinct rows x, N examples.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from firth.corpus.encoded import Chunk
from firth.corpus.iterables import Sentences
from firth.corpus.lexicon import Lexicon
from firth.corpus.tokenizers import TokenizerLike, tokenizer_for
from firth.draws import CHANCE_ONE
from firth.huffman import Tree
from firth.likelihood import Ints, Reals, log_likelihoods
from firth.options import TrainingOptions
from firth.vocabulary import Vocabulary, numbers_in
from firth.weights import Floats, Weights
from firth.windows import Windows, windows

PAIRS_AT_ONCE = 1 << 16  # of a context and its centre: 25 MB of vectors at D = 100


def sentence_scores(
    sentences: Iterable[Any],
    tokenizer: TokenizerLike,
    vocabulary: Vocabulary,
    weights: Weights,
    tree: Tree | None,
    options: TrainingOptions,
) -> Reals:
    """The log-likelihood of each sentence: float64, as many as there are sentences; see `Word2Vec.score`."""
    every_window = replace(options, dynamic_window=False, held_out=0.0)
    keep = np.full(len(vocabulary), CHANCE_ONE, np.uint32)
    found = []
    for chunk in _chunks(sentences, tokenizer, vocabulary, options.unknown):
        scores = np.zeros(len(chunk.offsets) - 1)
        some = windows(chunk, 0, every_window, keep) if chunk.last else None
        if some is not None and len(some):
            examples = _example_scores(some, weights, tree, options.architecture)
            owners = np.searchsorted(chunk.offsets, some.positions, side="right") - 1
            scores += np.bincount(owners, examples, len(scores))
        found.append(scores)
    return np.concatenate(found) if found else np.zeros(0)


def _chunks(
    sentences: Iterable[Any], tokenizer: TokenizerLike, vocabulary: Vocabulary, unknown: str | None
) -> Iterator[Chunk]:
    """The sentences as chunks of word numbers, -1 for words that are not known, unless `unknown` stands for them."""
    cut = tokenizer_for(tokenizer)
    for block in Sentences(sentences).blocks():
        lexicon = Lexicon()
        ids, lengths = cut.number(block, lexicon, "strict")
        words, _ = lexicon.words()
        tokens = numbers_in(vocabulary, words.cast(pa.large_string()), unknown)[ids]
        yield Chunk(tokens, np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]), 0, 0, len(tokens), 0)


def _example_scores(found: Windows, weights: Weights, tree: Tree | None, architecture: str) -> Reals:
    """The sum of each window's log-likelihoods: float64 (windows,)."""
    totals = np.zeros(len(found))
    first = 0
    while first < len(found):
        last = int(np.searchsorted(found.offsets, found.offsets[first] + PAIRS_AT_ONCE, side="right")) - 1
        some = slice(first, max(last, first + 1))
        totals[some] = _some_scores(found, some, weights, tree, architecture)
        first = some.stop
    return totals


def _some_scores(found: Windows, some: slice, weights: Weights, tree: Tree | None, architecture: str) -> Reals:
    begins, lengths, centres = found.offsets[some], found.lengths[some], found.centres[some]
    contexts = found.contexts[begins[0] : begins[-1] + lengths[-1]]
    if architecture == "cbow":
        x: Floats = np.add.reduceat(weights.input[contexts], begins - begins[0])
        x /= lengths[:, None]
        return log_likelihoods(x, np.arange(len(x)), centres, weights.output, tree)
    words, x_of = np.unique(contexts, return_inverse=True)
    owners: Ints = np.repeat(np.arange(len(centres)), lengths)
    logs = log_likelihoods(weights.input[words], x_of, centres[owners], weights.output, tree)
    return np.asarray(np.bincount(owners, logs, len(centres)), np.float64)
