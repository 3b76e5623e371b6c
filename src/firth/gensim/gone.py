"""Names that are not here: gensim 3's, whose errors name what came in their place, and what only gensim itself has."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from typing import Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
S = TypeVar("S")

GONE_NAMES = {"size": "vector_size", "iter": "epochs", "common_terms": "connector_words"}
GONE_FROM_VECTORS = {
    "vocab": "key_to_index, index_to_key and get_vecattr",
    **dict.fromkeys(("index2word", "index2entity"), "index_to_key"),
    "vectors_norm": "get_normed_vectors()",
    "syn0": "vectors",
    "syn0norm": "get_normed_vectors()",
    "wv": "the vectors themselves, without .wv",
    "accuracy": "evaluate_word_analogies(path)",
    **dict.fromkeys(("get_keras_embedding", "get_embedding_layer"), "vectors, the matrix for an embedding layer"),
}
GONE_FROM_MODELS = {
    "iter": "epochs",
    "size": "vector_size",
    "vocabulary": "wv.key_to_index, wv.get_vecattr and build_vocab",
    "trainables": "syn1neg and layer1_size",
    "intersect_word2vec_format": "wv.intersect_word2vec_format",
    "delete_temporary_training_data": "model.wv alone, which is what is left to query",
    "syn0": "wv.vectors",
    "syn0norm": "wv.get_normed_vectors()",
}


# Parts of gensim's that have no counterpart; gensim itself may be imported beside firth.
GENSIM_S_ALONE = {
    "firth.gensim": ("corpora", "downloader", "interfaces", "matutils", "parsing", "scripts", "similarities", "test"),
    "firth.gensim.models": (
        "CoherenceModel", "Doc2Vec", "HdpModel", "LdaModel", "LdaMulticore", "LsiModel", "Nmf", "TfidfModel",
        "doc2vec", "ldamodel", "tfidfmodel",
    ),
}  # fmt: skip


def no_module(module: str, name: str) -> AttributeError:
    """The error for a name that a module has not got, which tells where gensim's own is."""
    told = f"module {module!r} has no attribute {name!r}"
    return AttributeError(f"{told}{_beside(module, name)}", name=name)


def _beside(module: str, name: str) -> str:
    if name not in GENSIM_S_ALONE.get(module, ()):
        return ""
    return f": firth has no counterpart; import it from {module.removeprefix('firth.')}, which runs beside firth"


class Leading:
    """Asked last when a module is imported: tells of one that gensim alone has what `no_module` tells of its name.

    `from firth.gensim.models import Doc2Vec` comes here, too, as Python looks for a module where a package has not got
    the name.
    """

    def find_spec(self, name: str, *_: object) -> None:
        """Nothing, or `ModuleNotFoundError`."""
        module, last = name.rpartition(".")[::2]
        if beside := _beside(module, last):
            # Without its name: Python passes over the error of a module that `from ... import` was not told to be one.
            raise ModuleNotFoundError(f"no module named {name!r}{beside}")


def lead_on() -> None:
    """Have `Leading` asked, once."""
    if not any(isinstance(each, Leading) for each in sys.meta_path):
        sys.meta_path.append(Leading())


def no_attribute(owner: object, name: str, gone: Mapping[str, str], vectors: type | None = None) -> AttributeError:
    """The error for an attribute that is not there; what the class of `vectors` has is asked of a model's `wv`."""
    if name in gone:
        told = f"{name} is gone since gensim 4; take {gone[name]}"
    elif vectors is not None and not name.startswith("_") and hasattr(vectors, name):
        told = f"{name} is asked of a model's vectors alone since gensim 4; take model.wv.{name}"
    else:
        told = f"{type(owner).__name__!r} object has no attribute {name!r}"
    return AttributeError(told, name=name, obj=owner)


def takes_gensim_4_s(
    gone: Mapping[str, str],
) -> Callable[[Callable[Concatenate[S, P], None]], Callable[Concatenate[S, P], None]]:
    """Have a constructor raise `TypeError` for arguments of gensim 3 with the names that they have since gensim 4."""

    def wrap(constructor: Callable[Concatenate[S, P], None]) -> Callable[Concatenate[S, P], None]:
        @functools.wraps(constructor)
        def checked(self: S, /, *args: P.args, **arguments: P.kwargs) -> None:
            for name in arguments:
                if name in gone:
                    raise TypeError(f"the argument {name} is called {gone[name]} since gensim 4; rename it")
            constructor(self, *args, **arguments)

        return checked

    return wrap
