"""The names of `gensim.models.fasttext`."""

from __future__ import annotations

from firth.gensim.facebook import load_facebook_model, load_facebook_vectors, save_facebook_model
from firth.gensim.fasttext import FastText
from firth.gensim.subword_vectors import FastTextKeyedVectors, ft_ngram_hashes

__all__ = [
    "FastText",
    "FastTextKeyedVectors",
    "ft_ngram_hashes",
    "load_facebook_model",
    "load_facebook_vectors",
    "save_facebook_model",
]
