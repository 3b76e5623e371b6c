"""The names of `gensim.models.word2vec`."""

from __future__ import annotations

from firth.gensim.keyed_vectors import KeyedVectors
from firth.gensim.sentences import MAX_WORDS_IN_BATCH, BrownCorpus, LineSentence, PathLineSentences, Text8Corpus
from firth.gensim.word2vec import FAST_VERSION, Word2Vec

__all__ = [
    "FAST_VERSION",
    "MAX_WORDS_IN_BATCH",
    "BrownCorpus",
    "KeyedVectors",
    "LineSentence",
    "PathLineSentences",
    "Text8Corpus",
    "Word2Vec",
]
