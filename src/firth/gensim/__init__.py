"""gensim 4's interface over firth: programs written for gensim run after one changed import.

    from firth.gensim.models import Word2Vec      # was: from gensim.models import Word2Vec

It counts, trains, searches and joins by firth's own parts and keeps gensim's names, arguments, defaults and errors.
gensim itself is not needed. What firth cannot do is refused; docs/gensim.md lists what differs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import firth.gensim.models as models
import firth.gensim.utils as utils
from firth.gensim.callbacks import CallbackAny2Vec
from firth.gensim.fasttext import FastText
from firth.gensim.gone import lead_on, no_module
from firth.gensim.keyed_vectors import KeyedVectors
from firth.gensim.phrases import ENGLISH_CONNECTOR_WORDS, FrozenPhrases, Phraser, Phrases
from firth.gensim.sentences import BrownCorpus, LineSentence, PathLineSentences, Text8Corpus
from firth.gensim.utils import simple_preprocess
from firth.gensim.word2vec import Word2Vec

__version__ = "4.4.0"  # the gensim whose interface this is: programs ask whether they have gensim 4

__all__ = [
    "ENGLISH_CONNECTOR_WORDS",
    "BrownCorpus",
    "CallbackAny2Vec",
    "FastText",
    "FrozenPhrases",
    "KeyedVectors",
    "LineSentence",
    "PathLineSentences",
    "Phraser",
    "Phrases",
    "Text8Corpus",
    "Word2Vec",
    "models",
    "simple_preprocess",
    "utils",
]

lead_on()

if not TYPE_CHECKING:  # type checkers would take every name for one that is there

    def __getattr__(name: str) -> Any:
        raise no_module(__name__, name)
