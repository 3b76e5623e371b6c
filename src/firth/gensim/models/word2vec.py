"""The names of `gensim.models.word2vec`."""

from __future__ import annotations

from firth.gensim.keyed_vectors import KeyedVectors
from firth.gensim.sentences import BrownCorpus, LineSentence, PathLineSentences, Text8Corpus
from firth.gensim.word2vec import Word2Vec

__all__ = ["BrownCorpus", "KeyedVectors", "LineSentence", "PathLineSentences", "Text8Corpus", "Word2Vec"]
