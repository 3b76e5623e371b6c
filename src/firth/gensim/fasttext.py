"""gensim's `FastText`: `Word2Vec` with vectors of n-grams of characters, over firth's subwords."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firth.formats.model import StoredModel
from firth.gensim.gone import GONE_NAMES, takes_gensim_4_s
from firth.gensim.sentences import MAX_WORDS_IN_BATCH
from firth.gensim.subword_vectors import FastTextKeyedVectors
from firth.gensim.utils import TrimRule
from firth.gensim.word2vec import ARGUMENTS, GRAMS, METADATA, Callbacks, Word2Vec
from firth.ngrams import gram_table
from firth.options import TrainingOptions
from firth.storage import AnyPath
from firth.vocabulary import Vocabulary
from firth.weights import Weights


class FastText(Word2Vec):
    """Word vectors with those of n-grams of characters, with the arguments of gensim 4's `FastText` and their defaults.

        model = FastText(sentences, vector_size=100, sg=1)
        model.wv["neverseen"]

    Attributes:
        wv: the words, their vectors and those of n-grams, `FastTextKeyedVectors`.

    Others are those of `Word2Vec`. Without n-grams (`max_n` below `min_n`, or `bucket` 0) it trains as that does.

    Raises `ValueError` for what `Word2Vec` does, and for n-grams with hierarchical softmax; `NotImplementedError` for
    another `word_ngrams` than 1.
    """

    _taken = (*(name for name in ARGUMENTS if name not in ("compute_loss", "comment")), *GRAMS)

    wv: FastTextKeyedVectors

    @takes_gensim_4_s(GONE_NAMES)
    def __init__(
        self,
        sentences: Any = None,
        corpus_file: AnyPath | None = None,
        sg: int = 0,
        hs: int = 0,
        vector_size: int = 100,
        alpha: float = 0.025,
        window: int = 5,
        min_count: int = 5,
        max_vocab_size: int | None = None,
        word_ngrams: int = 1,
        sample: float = 1e-3,
        seed: int | None = 1,
        workers: int = 3,
        min_alpha: float = 0.0001,
        negative: int = 5,
        ns_exponent: float = 0.75,
        cbow_mean: int = 1,
        hashfxn: Callable[[Any], int] = hash,
        epochs: int = 5,
        null_word: int = 0,
        min_n: int = 3,
        max_n: int = 6,
        sorted_vocab: int = 1,
        bucket: int = 2000000,
        trim_rule: TrimRule | None = None,
        batch_words: int = MAX_WORDS_IN_BATCH,
        callbacks: Callbacks = (),
        max_final_vocab: int | None = None,
        shrink_windows: bool = True,
    ) -> None:
        if word_ngrams != 1:
            raise NotImplementedError(
                f"n-grams of words are not trained, got word_ngrams={word_ngrams}; leave it out, and see Phrases for "
                "words that belong together"
            )
        self.word_ngrams = word_ngrams
        self._kind = min_n, max_n, bucket if max_n >= min_n else 0
        super().__init__(
            sentences,
            corpus_file,
            vector_size=vector_size,
            alpha=alpha,
            window=window,
            min_count=min_count,
            max_vocab_size=max_vocab_size,
            sample=sample,
            seed=seed,
            workers=workers,
            min_alpha=min_alpha,
            sg=sg,
            hs=hs,
            negative=negative,
            ns_exponent=ns_exponent,
            cbow_mean=cbow_mean,
            hashfxn=hashfxn,
            epochs=epochs,
            null_word=null_word,
            trim_rule=trim_rule,
            sorted_vocab=sorted_vocab,
            batch_words=batch_words,
            callbacks=callbacks,
            max_final_vocab=max_final_vocab,
            shrink_windows=shrink_windows,
        )

    def _check_supported(self) -> None:
        if self.hs and self.wv.bucket:
            raise ValueError(
                f"firth trains n-grams by negative sampling alone, got hs={self.hs}; leave out hs (negative=5 is "
                "usual), or give max_n=0 and negative=0 to train words alone by hierarchical softmax"
            )
        if any((locks != 1).any() for locks in (self.wv.vectors_vocab_lockf, self.wv.vectors_ngrams_lockf)):
            raise ValueError(
                "firth trains all vectors alike, and cannot lock some; set wv.vectors_vocab_lockf and "
                "wv.vectors_ngrams_lockf to ones"
            )
        super()._check_supported()

    def init_weights(self) -> None:
        """Start all vectors anew: small random numbers, and zeros for the output matrix."""
        self.wv.forget_grams()
        super().init_weights()

    # ---- as firth's ------------------------------------------------------------------------------

    @property
    def options(self) -> TrainingOptions:
        """Firth's options for the arguments; each call of `train` draws other random numbers."""
        kind = self.wv.kind
        if not kind.buckets:
            return super().options
        return replace(super().options, subwords=True, min_n=kind.shortest, max_n=kind.longest, bucket=kind.buckets)

    def _no_vectors(self) -> FastTextKeyedVectors:
        return FastTextKeyedVectors(self.vector_size, *self._kind)

    def _input(self) -> NDArray[np.float32]:
        matrix: NDArray[np.float32] = self.wv.vectors_vocab
        return matrix

    def _started(self) -> Weights:
        return self.wv.begin(self.seed, self.workers) if self.wv.bucket else super()._started()

    def _ranked(self) -> tuple[Vocabulary, Weights]:
        vocabulary, weights = super()._ranked()
        if self.wv.bucket:
            buckets = gram_table(vocabulary.words, vocabulary.counts, self.wv.kind).buckets
            self.wv.arrange(buckets)
            weights.grams = self.wv.vectors_ngrams[: len(buckets)]
        return vocabulary, weights

    def _take_input(self, weights: Weights) -> None:
        self.wv.vectors_vocab = weights.input
        if weights.grams is not None:
            others = self.wv.vectors_ngrams[len(weights.grams) :]
            self.wv.vectors_ngrams = np.concatenate([weights.grams, others]) if len(others) else weights.grams
        self.wv.adjust(self.workers)

    # ---- files -----------------------------------------------------------------------------------

    def _arguments(self) -> dict[str, Any]:
        return {name: getattr(self.wv if name in GRAMS else self, name) for name in self._taken}

    def _matrices(self, weights: Weights, order: NDArray[np.int64] | None) -> dict[str, NDArray[Any]]:
        found = super()._matrices(weights, order)
        if not self.wv.bucket:
            return found
        whole = self.wv.vectors if order is None else self.wv.vectors[order]
        return found | self.wv.tensors() | {"input": whole, "own": weights.input}

    @classmethod
    def _check_kind(cls, stored: StoredModel, fname: AnyPath) -> None:
        if stored.own is None and '"bucket"' not in stored.metadata.get(METADATA, ""):
            raise AttributeError(f"{fname} holds a model of words alone; open it with Word2Vec.load")

    def _weights_in(self, stored: StoredModel, output: NDArray[np.float32]) -> Weights:
        if stored.own is None or stored.n_grams is None or stored.gram_buckets is None or stored.grams is None:
            return super()._weights_in(stored, output)
        kind = stored.n_grams
        self._kind = self.wv.min_n, self.wv.max_n, self.wv.bucket = kind.shortest, kind.longest, kind.buckets
        self.wv.gram_buckets, self.wv.vectors_ngrams = stored.gram_buckets.copy(), stored.grams
        return Weights(stored.own, output, stored.grams)

    def _take_whole(self, matrix: NDArray[np.float32], *, copy: bool) -> None:
        if self.wv.bucket:  # they may have been changed since they were made of their parts
            self.wv.vectors = matrix.copy() if copy else matrix

    @classmethod
    def load_fasttext_format(cls, model_file: AnyPath, encoding: str = "utf8") -> FastText:
        """Deprecated: `load_facebook_model`."""
        from firth.gensim.facebook import load_facebook_model  # which makes one of these

        return load_facebook_model(model_file, encoding)
