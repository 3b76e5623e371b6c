"""gensim's `FastTextKeyedVectors`: keys, vectors and n-grams of characters, asked by firth's `SubwordVectors`."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from firth.errors import UnknownWord
from firth.formats.checks import encoded
from firth.formats.model import StoredModel, gram_tensors, read_model, write_model
from firth.gensim.keyed_vectors import REAL, Key, KeyedVectors, Vectors, first_weights
from firth.ngrams import GramTable, NGrams, buckets_of, gram_table, rows_among, whole_vectors
from firth.storage import AnyPath
from firth.vectors import SubwordVectors, WordVectors
from firth.weights import Weights

logger = logging.getLogger(__name__)

Ints = NDArray[np.int64]


class FastTextKeyedVectors(KeyedVectors):
    """Words, their vectors, and those of n-grams of characters, of which words never seen have one.

    Attributes:
        min_n, max_n, bucket: characters of the shortest and longest n-grams, and how many buckets they are hashed into;
            without n-grams, `bucket` is 0.
        vectors: the words' whole vectors, (V, D), made of the two below.
        vectors_vocab: the words' own rows, (V, D).
        vectors_ngrams: the n-grams' rows, (U, D): those that words have, not all of `bucket`.
        gram_buckets: the bucket of each of these rows, int64 (U,).
        core: the same as firth's `SubwordVectors`.
    """

    compatible_hash = True  # with fastText's
    core: SubwordVectors
    _own: Vectors | None

    def __init__(
        self, vector_size: int, min_n: int, max_n: int, bucket: int, count: int = 0, dtype: Any = REAL
    ) -> None:
        super().__init__(vector_size, count, dtype)
        self.min_n, self.max_n, self.bucket = min_n, max_n, bucket
        self.vectors_vocab = np.zeros((count, vector_size), dtype)
        self.vectors_vocab_lockf, self.vectors_ngrams_lockf = np.ones(1, REAL), np.ones(1, REAL)
        self.forget_grams()

    @classmethod
    def _like(cls, vectors: WordVectors) -> Self:
        if not isinstance(vectors, SubwordVectors):
            return cls(vectors.vector_size, 1, 0, 0)
        kind = vectors.kind
        made = cls(vectors.vector_size, kind.shortest, kind.longest, kind.buckets)
        made._own = None  # see vectors_vocab
        made.vectors_ngrams = vectors.gram_rows
        made.gram_buckets = np.arange(kind.buckets) if vectors.buckets is None else vectors.buckets
        return made

    # ---- firth's own -----------------------------------------------------------------------------

    @property
    def kind(self) -> NGrams:
        """Which n-grams count, as firth says it."""
        return NGrams(max(self.min_n, 1), self.max_n, self.bucket if self.max_n >= self.min_n else 0)

    @property
    def vectors_vocab(self) -> Vectors:
        """The words' own rows, (V, D); of words that came with whole vectors alone, what is left without n-grams.

        Such rows are right to the rounding of float32.
        """
        if self._own is None:
            self._own = self._without_grams()
        elif len(self._own) < len(self.vectors):  # words were added with whole vectors
            self._own = np.concatenate([self._own, self._without_grams()[len(self._own) :]])
        return self._own

    @vectors_vocab.setter
    def vectors_vocab(self, matrix: Vectors) -> None:
        self._own = matrix

    @property
    def vectors_ngrams(self) -> Vectors:
        """The n-grams' rows, (U, D)."""
        return self._grams

    @vectors_ngrams.setter
    def vectors_ngrams(self, matrix: Vectors) -> None:
        self._grams, self._core = matrix, None

    @property
    def buckets_word(self) -> list[NDArray[np.uint32]]:
        """The buckets of each word's n-grams."""
        starts, buckets = buckets_of(encoded(self.index_to_key), self.kind)
        return np.split(buckets.astype(np.uint32), starts[1:-1]) if len(self) else []

    def _without_grams(self) -> Vectors:
        """What is left of whole vectors without n-grams."""
        table, lone = self._table(), np.zeros_like(self.vectors)
        of_grams = whole_vectors(lone, self.vectors_ngrams, table)  # sums over one more than there are n-grams
        rows = np.bincount(np.repeat(np.arange(len(self)), np.diff(table.offsets)), table.rows >= 0, len(self))
        left: Vectors = ((self.vectors - of_grams.astype(np.float64)) * (rows[:, None] + 1)).astype(REAL)
        return left

    def _table(self) -> GramTable:
        """The n-grams of the words, and which of the rows here they have; -1 for those that have none."""
        starts, buckets = buckets_of(encoded(self.index_to_key), self.kind)
        rows = rows_among(self.gram_buckets, buckets)
        return GramTable(self.kind, starts, rows, np.diff(starts), self.gram_buckets)

    def _made_core(self, counts: Ints | None) -> SubwordVectors:
        return SubwordVectors(
            self.index_to_key,
            self.vectors,
            counts,
            gram_rows=self.vectors_ngrams,
            kind=self.kind,
            buckets=self.gram_buckets,
            check=False,
        )

    def forget_grams(self) -> None:
        """Leave n-grams without rows."""
        self.vectors_ngrams, self.gram_buckets = np.zeros((0, self.vector_size), REAL), np.zeros(0, np.int64)

    def arrange(self, buckets: Ints, started: NDArray[np.float32] | None = None) -> None:
        """Have the rows of these buckets (U,) come first, in this order; those without one take theirs of `started`."""
        if np.array_equal(self.gram_buckets[: len(buckets)], buckets):
            return
        rows = rows_among(self.gram_buckets, buckets)
        had = rows >= 0
        if started is None:
            if not had.all():
                raise RuntimeError("words have n-grams without vectors; call prepare_weights(update=True)")
            started = np.empty((len(buckets), self.vector_size), REAL)
        started[had] = self.vectors_ngrams[rows[had]]
        others = np.ones(len(self.gram_buckets), bool)
        others[rows[had]] = False
        self.gram_buckets = np.concatenate([buckets, self.gram_buckets[others]])
        self.vectors_ngrams = np.concatenate([started, self.vectors_ngrams[others]]) if others.any() else started

    def begin(self, seed: int, threads: int = 1) -> Weights:
        """Where training begins: rows for all words, and n-grams' rows, which stay what they are where there are some.

        The output matrix is zero.
        """
        counts = self.expandos.get("count", np.zeros(len(self), np.int64))
        buckets = gram_table(self.index_to_key, counts, self.kind).buckets
        weights = first_weights(len(self), self.vector_size, seed, threads, buckets)
        self.arrange(buckets, weights.grams)
        weights.grams = self.vectors_ngrams[: len(buckets)]
        return weights

    # ---- looking up ------------------------------------------------------------------------------

    def __contains__(self, key: Hashable) -> bool:
        return self.has_index_for(key) or self._inferred(key) is not None

    def _inferred(self, key: Any) -> Vectors | None:
        """The vector of a word without a row, None where no n-gram of it has one."""
        if not self.bucket or not isinstance(key, str):
            return None
        try:
            return self.core.vector(key)
        except UnknownWord:
            return None

    def get_vector(self, word: Key, norm: bool = False) -> Vectors:
        """The vector of a word, read-only; of one never seen, the mean of those of its n-grams that have one.

        With `norm` at unit length. Where no n-gram has one, zeros, and a warning is logged. Raises `KeyError` for an
        unseen word where there are no n-grams.
        """
        if self.has_index_for(word) or not self.bucket:
            return super().get_vector(word, norm)
        vector = self._inferred(word)
        if vector is None:
            logger.warning("no n-gram of %r has a vector; its own is taken for zeros", word)
            return np.zeros(self.vector_size, REAL)
        return vector / np.linalg.norm(vector) if norm else vector

    def _query(self, key: Key) -> Any:
        word = self._word(key)
        if not isinstance(word, str) or word in self.key_to_index:
            return word
        vector = self._inferred(word)
        return word if vector is None else vector

    def get_sentence_vector(self, sentence: Sequence[Key]) -> Vectors:
        """The mean of the vectors of a sentence's words, each at unit length."""
        return self.get_mean_vector(sentence)

    # ---- changing --------------------------------------------------------------------------------

    def adjust_vectors(self) -> None:
        """Make `vectors` anew of the rows of words and n-grams."""
        self.adjust(1)

    def adjust(self, threads: int) -> None:
        """`adjust_vectors`, on so many cores."""
        own = self.vectors_vocab
        self.vectors = whole_vectors(own, self.vectors_ngrams, self._table(), threads) if self.bucket else own

    def resize_vectors(self, seed: int = 0) -> None:
        """Give rows to words and n-grams that have none: small random numbers, as training begins with."""
        before = self.vectors_vocab
        weights = self.begin(seed)
        weights.input[: len(before)] = before
        self.vectors_vocab = weights.input
        self.allocate_vecattrs()
        self.adjust_vectors()

    def _put_in(self, order: Ints) -> None:
        own = self.vectors_vocab
        super()._put_in(order)
        self.vectors_vocab = own[order] if len(own) else own

    # ---- asking ----------------------------------------------------------------------------------

    def most_similar_to_given(self, key1: Key, keys_list: Sequence[Key]) -> Key:
        """That of `keys_list` which is nearest to `key1`."""
        return keys_list[int(np.argmax([self.similarity(key1, key) for key in keys_list]))]

    def rank_by_centrality(self, words: Sequence[Key], use_norm: bool = True) -> list[tuple[float, Key]]:
        """Closeness to the mean of all, and the key, the most central first. Raises `ValueError` if none is known."""
        if all(self.has_index_for(word) for word in words):
            return super().rank_by_centrality(words, use_norm)
        return self.vectors_for_all(words).rank_by_centrality(words, use_norm)

    def wmdistance(self, document1: Iterable[str], document2: Iterable[str], norm: bool = True) -> float:
        """Word Mover's Distance of two lists of words; needs the package POT, as in gensim."""
        first, second = list(document1), list(document2)
        return self.vectors_for_all([*first, *second]).wmdistance(first, second, norm)

    # ---- files -----------------------------------------------------------------------------------

    def _write(self, fname: AnyPath) -> None:
        own = {"own": self.vectors_vocab} if self.bucket and len(self.vectors_vocab) == len(self) else {}
        stored = StoredModel.of(
            self.index_to_key,
            self.vectors.astype(REAL, copy=False),
            counts=self.core.counts,
            **self.tensors(),
            **own,
        )
        write_model(fname, stored)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """The fields of a `StoredModel` that hold the n-grams."""
        return gram_tensors(self.core)

    @classmethod
    def load(cls, fname: AnyPath, mmap: str | None = None) -> Self:
        """Open what `save` wrote, or any file of firth's, as `KeyedVectors.load` does."""
        made = super().load(fname, mmap)
        stored = read_model(fname)
        if stored.own is not None:
            made.vectors_vocab = stored.own if mmap else stored.own.copy()
        if not made.bucket:
            made.vectors_vocab = made.vectors
        if mmap is None:
            made.vectors_ngrams = made.vectors_ngrams.copy()
        return made


def ft_ngram_hashes(word: str, minn: int, maxn: int, num_buckets: int) -> list[int]:
    """The bucket of each n-gram of a word."""
    hashes: list[int] = buckets_of([word.encode()], NGrams(max(minn, 1), maxn, num_buckets))[1].tolist()
    return hashes
