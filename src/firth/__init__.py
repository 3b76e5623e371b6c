"""firth: Word2Vec from scratch. Fast to train, clear to read, with results to trust.

    import firth

    model = firth.Word2Vec(vector_size=100).fit("corpus.txt")
    model.vectors.most_similar("king")

The names below are the public interface, in reading order. Each is imported when first used, so that
`import firth` is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "Word2Vec": "firth.word2vec",
    "WordVectors": "firth.vectors",
    "TrainingOptions": "firth.options",
    "CorpusOptions": "firth.options",
    "PhraseOptions": "firth.options",
    "EncodedCorpus": "firth.corpus",
    "encoded_corpus": "firth.corpus",
    "Phrases": "firth.phrases",
    "Graph": "firth.graphs",
    "GraphOptions": "firth.options",
    "WalkOptions": "firth.options",
    "Vocabulary": "firth.vocabulary",
    "Callback": "firth.callbacks",
    "Progress": "firth.callbacks",
    "StopTraining": "firth.callbacks",
    "estimate": "firth.estimating",
    "shrink": "firth.shrinking",
    "to_arrow": "firth.tables",
    "to_pandas": "firth.tables",
    "evaluate_similarity": "firth.evaluate",
    "evaluate_analogies": "firth.evaluate",
    "evaluate_next_items": "firth.evaluate",
    "judge": "firth.evaluate",
    "leave_last_out": "firth.evaluate",
    "hold_out_sessions": "firth.evaluate",
    "stability": "firth.evaluate",
    "weat": "firth.evaluate",
    "EvaluationOptions": "firth.options",
    "NextItemOptions": "firth.options",
    "FirthError": "firth.errors",
}

__all__ = [
    "Callback",
    "CorpusOptions",
    "EncodedCorpus",
    "EvaluationOptions",
    "FirthError",
    "Graph",
    "GraphOptions",
    "NextItemOptions",
    "PhraseOptions",
    "Phrases",
    "Progress",
    "StopTraining",
    "TrainingOptions",
    "Vocabulary",
    "WalkOptions",
    "Word2Vec",
    "WordVectors",
    "__version__",
    "encoded_corpus",
    "estimate",
    "evaluate_analogies",
    "evaluate_next_items",
    "evaluate_similarity",
    "hold_out_sessions",
    "judge",
    "leave_last_out",
    "shrink",
    "stability",
    "to_arrow",
    "to_pandas",
    "weat",
]

if TYPE_CHECKING:
    from firth.callbacks import Callback, Progress, StopTraining
    from firth.corpus import EncodedCorpus, encoded_corpus
    from firth.errors import FirthError
    from firth.estimating import estimate
    from firth.evaluate import (
        evaluate_analogies,
        evaluate_next_items,
        evaluate_similarity,
        hold_out_sessions,
        judge,
        leave_last_out,
        stability,
        weat,
    )
    from firth.graphs import Graph
    from firth.options import (
        CorpusOptions,
        EvaluationOptions,
        GraphOptions,
        NextItemOptions,
        PhraseOptions,
        TrainingOptions,
        WalkOptions,
    )
    from firth.phrases import Phrases
    from firth.shrinking import shrink
    from firth.tables import to_arrow, to_pandas
    from firth.vectors import WordVectors
    from firth.vocabulary import Vocabulary
    from firth.word2vec import Word2Vec


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        from firth.elsewhere import OF_MODULES, here

        meant = here(name, OF_MODULES) or f"; it has {', '.join(_HOMES)}"
        raise AttributeError(f"module 'firth' has no attribute {name!r}{meant}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
