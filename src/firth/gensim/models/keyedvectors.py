"""The names of `gensim.models.keyedvectors`."""

from __future__ import annotations

from firth.gensim.keyed_vectors import REAL, KeyedVectors, Word2VecKeyedVectors, pseudorandom_weak_vector
from firth.gensim.subword_vectors import FastTextKeyedVectors
from firth.gensim.word2vec_format import load_word2vec_format as _load_word2vec_format

__all__ = [
    "REAL",
    "FastTextKeyedVectors",
    "KeyedVectors",
    "Word2VecKeyedVectors",
    "_load_word2vec_format",
    "pseudorandom_weak_vector",
]
