"""`Word2VecTransformer`: documents in, one vector for each out, as scikit-learn's pipelines want it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, Self

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from firth.errors import BadOption
from firth.options import DocumentOptions, TrainingOptions
from firth.sklearn.documents import Counted, counted, listed
from firth.sklearn.parameters import DEFAULTS, takes_parameters
from firth.sklearn.weighting import Reals, document_vectors, factors
from firth.transforms.components import at_unit_length, strongest, without
from firth.vectors import WordVectors
from firth.word2vec import Word2Vec


class Word2VecTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Documents to vectors: word vectors trained on them, or given, weighted and averaged.

        pipeline = make_pipeline(Word2VecTransformer(vector_size=50, weighting="sif"), LogisticRegression())
        pipeline.fit(documents, labels)

    All parameters are given by keyword. They are, with the defaults of these:

    - every option of `TrainingOptions` but `seed` and `workers`: vector_size, window, min_count, epochs, ...
    - every option of `DocumentOptions`: weighting, sif_a, sif_components, norm, empty;
    - and those below.

    Args:
        vectors: `WordVectors`, a trained `Word2Vec` or the path of a file of vectors, to take instead of training.
            Training options other than the defaults are then refused; `unknown`, a word of the vectors, is not.
        tokenizer: how strings are cut: "words" (lower-cased, any script), "whitespace", "letters", a callable from a
            string to tokens, or a Hugging Face `tokenizers.Tokenizer`. Documents that are lists of tokens stay.
        combine: which vectors of a model that is trained here; see `Word2Vec.combined_vectors`.
        random_state: where training starts from; a number, a `RandomState`, or None for firth's own seed, which makes
            every run alike.
        n_jobs: threads that train. None is one (or what `joblib.parallel_config` says), which gives the same bytes at
            every run; -1 is all cores, faster, and no two runs alike to the last bit.

    Attributes:
        vectors_: the `WordVectors` trained or given.
        word_factors_: what each word counts for, float64 (V,); None where all count alike.
        components_: what sif takes out, float64 (k, D); for other weightings, k is 0.

    It can be cloned, pickled and kept with joblib (open such files only where you trust them: unpickling runs code;
    firth itself never does it). Vectors that were given as a path are read at `fit` and then go with it.
    """

    @takes_parameters
    def __init__(self, **given: Any) -> None:
        for name, default in DEFAULTS.items():
            setattr(self, name, given.get(name, default))

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002  # scikit-learn hands labels to all
        """Train word vectors on the documents, or take those given, and learn what words count for.

        Args:
            X: n documents: a list, array or column of strings, or of lists of tokens.
            y: not used.

        Raises:
            BadOption: an option out of range, training options beside vectors, what is no list of documents, or no
                more documents than sif takes components out.
            BadCorpus: a document that is no text, or none with a word to train.
            UnknownWord: vectors without the word of `unknown`.
        """
        options = self._document_options()
        documents = listed(X)
        self.vectors_ = self._trained(documents) if self.vectors is None else self._given()
        if self.unknown is not None:
            self.vectors_.index(self.unknown)  # says so where it has no vector
        self._factors = factors(self._counted(documents), self.vectors_, options)
        self.word_factors_ = None if self._factors is None else self._factors[:-1]
        self.components_ = self._common(documents, options)
        self._n_features_out = self.vectors_.vector_size
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """The vector of each document: float32 (n, D), or what `set_output` asks for.

        Words never seen are left out or counted as `unknown`; with subwords, or vectors that have n-grams, and without
        `unknown`, they count by their n-grams.

        Documents without a known word are rows of zeros, with one warning for all, or as the option `empty` says.

        Raises `NotFittedError` before `fit`, and `BadOption` or `BadCorpus` for what are no documents, or one without
        a known word where `empty` is "error".
        """
        check_is_fitted(self)
        options = self._document_options()
        documents = listed(X)
        found = np.zeros((len(documents), self.vectors_.vector_size), np.float32)
        empty: list[int] = []
        for some in self._counted(documents):
            vectors, without_words = self._vectors_of(some, options)
            vectors = without(vectors, self.components_)
            found[some.first : some.first + len(vectors)] = at_unit_length(vectors) if options.norm == "l2" else vectors
            empty += (some.first + np.flatnonzero(without_words)).tolist()
        self._tell(empty, len(documents), options)
        return found

    # ---- its parts ------------------------------------------------------------------------------

    def _document_options(self) -> DocumentOptions:
        return DocumentOptions(**{each.name: getattr(self, each.name) for each in fields(DocumentOptions)})

    def _trained(self, documents: list[Any]) -> WordVectors:
        given = {each.name: getattr(self, each.name) for each in fields(TrainingOptions) if hasattr(self, each.name)}
        if self.random_state is not None:
            given["seed"] = _seed(self.random_state)
        model = Word2Vec(**given, workers=effective_n_jobs(self.n_jobs))
        model.fit(documents, tokenizer=self.tokenizer, progress=False, cache=False)
        return model.combined_vectors(self.combine)

    def _given(self) -> WordVectors:
        changed = [
            name
            for name in ("combine", *(each.name for each in fields(TrainingOptions)))
            if name != "unknown" and getattr(self, name, DEFAULTS.get(name)) != DEFAULTS.get(name)
        ]
        if changed:
            raise BadOption(
                f"vectors are given, so nothing is trained and {', '.join(changed)} would change nothing; leave them "
                "at their defaults, or leave vectors out"
            )
        if isinstance(self.vectors, Word2Vec):
            return self.vectors.vectors
        if isinstance(self.vectors, (str, os.PathLike)):
            return WordVectors.load(self.vectors)
        if not isinstance(self.vectors, WordVectors):
            kind = type(self.vectors).__name__
            raise BadOption(f"vectors must be WordVectors, a Word2Vec or a path, got {kind}; leave them out to train")
        return self.vectors

    def _counted(self, documents: list[Any]) -> Iterator[Counted]:
        return counted(documents, self.tokenizer, self.vectors_, self.unknown)

    def _vectors_of(self, some: Counted, options: DocumentOptions) -> tuple[Reals, NDArray[np.bool_]]:
        return document_vectors(some, self._factors, options.weighting)

    def _common(self, documents: list[Any], options: DocumentOptions) -> Reals:
        D = self.vectors_.vector_size
        if options.weighting != "sif" or not options.sif_components:
            return np.zeros((0, D))
        if options.sif_components >= min(len(documents), D):
            raise BadOption(
                f"sif_components must be below {min(len(documents), D)}, got {options.sif_components}: of "
                f"n_samples={len(documents)} documents and {D} numbers nothing would be left; give more documents, or "
                "take 0"
            )
        return strongest(
            lambda: (self._vectors_of(some, options)[0] for some in self._counted(documents)), D, options.sif_components
        )

    def _tell(self, empty: list[int], n: int, options: DocumentOptions) -> None:
        if not empty or options.empty == "zeros":
            return
        told = f"{len(empty):,} of {n:,} documents have no known word (the first is document {empty[0]:,})"
        if options.empty == "error":
            raise BadOption(f"{told}; leave them out, lower min_count, or let empty be 'warn' or 'zeros'")
        warnings.warn(f"{told}; their rows are zeros. Let empty be 'zeros' to say nothing of it", stacklevel=4)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        tags.non_deterministic = self.n_jobs not in (None, 1)
        return tags


def _seed(random_state: Any) -> int:
    if isinstance(random_state, (int, np.integer)):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))
