"""The names of `gensim.models` that firth has, under the modules that gensim keeps them in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import firth.gensim.models.callbacks as callbacks
import firth.gensim.models.fasttext as fasttext
import firth.gensim.models.keyedvectors as keyedvectors
import firth.gensim.models.phrases as phrases
import firth.gensim.models.word2vec as word2vec
from firth.gensim.gone import no_module
from firth.gensim.models.fasttext import FastText
from firth.gensim.models.keyedvectors import KeyedVectors
from firth.gensim.models.phrases import FrozenPhrases, Phraser, Phrases
from firth.gensim.models.word2vec import Word2Vec

__all__ = [
    "FastText",
    "FrozenPhrases",
    "KeyedVectors",
    "Phraser",
    "Phrases",
    "Word2Vec",
    "callbacks",
    "fasttext",
    "keyedvectors",
    "phrases",
    "word2vec",
]

if not TYPE_CHECKING:  # type checkers would take every name for one that is there

    def __getattr__(name: str) -> Any:
        raise no_module(__name__, name)
