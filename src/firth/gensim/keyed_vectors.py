"""gensim's `KeyedVectors`: keys, vectors and attributes that may be changed, asked by firth's `WordVectors`."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from firth.gensim.evaluating import Folded, word_analogies, word_pairs
from firth.gensim.gone import GONE_FROM_VECTORS, no_attribute
from firth.gensim.word2vec_format import falling_counts, load_word2vec_format, save_word2vec_format, write_counts
from firth.storage import AnyPath
from firth.vectors import SubwordVectors, WordVectors
from firth.weights import Weights, initial_weights

REAL = np.float32

Key: TypeAlias = Any  # a word, or the place of one
Vectors: TypeAlias = NDArray[Any]
Neighbours: TypeAlias = list[tuple[str, float]]

KEYS = (str, int, np.integer)


class KeyedVectors:
    """Words and their vectors.

    Attributes:
        index_to_key, key_to_index: the words in the order of the rows, and the row of each.
        vectors: the matrix, (V, D). After changing numbers in place call `fill_norms(force=True)`.
        expandos: arrays of further attributes, such as "count", with one item for each word; see `get_vecattr`.
        core: the same as firth's `WordVectors`, made when something is asked.
    """

    def __init__(
        self, vector_size: int, count: int = 0, dtype: Any = np.float32, mapfile_path: AnyPath | None = None
    ) -> None:
        self.vector_size, self.mapfile_path = vector_size, mapfile_path
        self.index_to_key: list[Any] = [None] * count
        self.next_index = 0
        self.key_to_index: dict[Any, int] = {}
        self.vectors = np.zeros((count, vector_size), dtype)
        self.expandos: dict[str, NDArray[Any]] = {}
        self.vectors_lockf = np.ones(1, REAL)

    @classmethod
    def of(cls, vectors: WordVectors, *, counts: NDArray[np.int64] | None = None, dtype: Any = REAL) -> Self:
        """Firth's word vectors as gensim's; the matrix is copied only for another dtype."""
        made = cls._like(vectors)
        made.take_keys(vectors.words)
        made.vectors = vectors.matrix.astype(dtype, copy=False)
        counts = vectors.counts if counts is None else counts
        if counts is not None:
            made.expandos["count"] = counts.copy()
        return made

    @classmethod
    def _like(cls, vectors: WordVectors) -> Self:
        """Vectors of the same kind, without any yet."""
        return cls(vectors.vector_size)

    def take_keys(self, keys: Iterable[Any]) -> None:
        """Make these the keys, in this order."""
        self.index_to_key = list(keys)
        self.next_index = len(self.index_to_key)
        self.key_to_index = {key: row for row, key in enumerate(self.index_to_key)}

    # ---- firth's own -----------------------------------------------------------------------------

    @property
    def vectors(self) -> Vectors:
        """The matrix, (V, D)."""
        return self._vectors

    @vectors.setter
    def vectors(self, matrix: Vectors) -> None:
        self._vectors = matrix
        self._core: WordVectors | None = None

    @property
    def core(self) -> WordVectors:
        """These words and vectors as firth's `WordVectors`, which answer all questions; their matrix is this one."""
        if self._core is None or len(self._core) != len(self.index_to_key):
            if self.next_index < len(self.index_to_key) and None in self.index_to_key:
                raise ValueError(
                    f"{self.index_to_key.count(None)} of {len(self)} places have no key yet; add_vector fills them"
                )
            self._core = self._made_core(self.expandos.get("count"))
            assert self._core.norms is not None  # measured now, so that every search adds up in the same order
        return self._core

    def _made_core(self, counts: NDArray[np.int64] | None) -> WordVectors:
        return WordVectors(self.index_to_key, self.vectors, counts, check=False)

    @property
    def norms(self) -> NDArray[np.float32] | None:
        """The length of each vector, float32 (V,), once measured; set it to None to have them measured anew."""
        return None if self._core is None else self._core.norms

    @norms.setter
    def norms(self, norms: None) -> None:
        if norms is not None:
            raise ValueError("norms are measured, and can only be set to None, which has them measured anew")
        self._core = None

    def fill_norms(self, force: bool = False) -> None:
        """Measure the length of each vector, with `force` also where that was done before."""
        if force:
            self._core = None
        assert self.core.norms is not None

    # ---- looking up ------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.index_to_key)

    def __str__(self) -> str:
        return f"{type(self).__name__}<vector_size={self.vector_size}, {len(self)} keys>"

    def __contains__(self, key: Hashable) -> bool:
        return self.has_index_for(key)

    def __getitem__(self, key_or_keys: Key | Sequence[Key]) -> Vectors:
        if isinstance(key_or_keys, KEYS):
            return self.get_vector(key_or_keys)
        return np.vstack([self.get_vector(key) for key in key_or_keys])

    def get_index(self, key: Key, default: int | None = None) -> int:
        """The row of a key, or `default`; the number of a row stands for itself. Raises `KeyError`."""
        row = self.key_to_index.get(key)
        if row is not None:
            return row
        if isinstance(key, (int, np.integer)) and 0 <= key < len(self):
            return int(key)
        if default is None:
            raise KeyError(f"Key '{key}' not present")
        return default

    def has_index_for(self, key: Key) -> bool:
        """Whether there is a vector for this key."""
        return self.get_index(key, -1) >= 0

    def get_vector(self, key: Key, norm: bool = False) -> Vectors:
        """The vector of a key, read-only; with `norm` at unit length. Raises `KeyError`."""
        row = self.get_index(key)
        vector: Vectors = self.vectors[row] / self.core.norms[row] if norm else self.vectors[row]
        vector.setflags(write=False)
        return vector

    def word_vec(self, key: Key, norm: bool = False) -> Vectors:
        """The older name of `get_vector`."""
        return self.get_vector(key, norm)

    def get_normed_vectors(self) -> Vectors:
        """All vectors at unit length, (V, D), a new matrix."""
        return self.core.normalized().matrix

    def get_mean_vector(
        self,
        keys: Sequence[Key],
        weights: Sequence[float] | NDArray[Any] | None = None,
        pre_normalize: bool = True,
        post_normalize: bool = False,
        ignore_missing: bool = True,
    ) -> Vectors:
        """The weighted mean of the vectors of keys (or of vectors), zeros where none of them is known.

        Raises `ValueError` for no keys, or weights that are not as many; `KeyError` for an unknown key, unless ignored.
        """
        listed = [self._query(key) for key in keys]
        known = [isinstance(query, np.ndarray) or query in self for query in listed]
        if ignore_missing and listed and not any(known):
            return np.zeros(self.vector_size, REAL)
        given = [isinstance(key, np.ndarray) for key in keys]
        mixed = pre_normalize and any(given)
        if mixed:  # firth brings vectors to unit length, gensim takes them as they are
            listed = [
                self.core.mean_vector([query]) if found and not own else query
                for query, found, own in zip(listed, known, given, strict=True)
            ]
        return self.core.mean_vector(
            listed,
            None if weights is None else list(weights),
            pre_normalize=pre_normalize and not mixed,
            post_normalize=post_normalize,
            ignore_missing=ignore_missing,
        )

    def _word(self, key: Key) -> Any:
        """The word that a key means: the number of a row is that row's word; vectors stay what they are."""
        if isinstance(key, (int, np.integer)) and key not in self.key_to_index:
            return self.index_to_key[self.get_index(key)]
        return key

    def _query(self, key: Key) -> Any:
        """What firth is asked for a key, where keys without a row may have a vector: the word, or that vector."""
        return self._word(key)

    # ---- attributes ------------------------------------------------------------------------------

    def allocate_vecattrs(self, attrs: Iterable[str] | None = None, types: Iterable[Any] | None = None) -> None:
        """Make room for attributes of the types given, or fit those there are to the number of keys.

        Raises `TypeError` for a type that an attribute does not have.
        """
        if attrs is None or types is None:
            attrs, types = [*self.expandos], [each.dtype for each in self.expandos.values()]
        for name, kind in zip(attrs, types, strict=True):
            kind = np.dtype({int: np.int64, str: object}.get(kind, kind))
            before = self.expandos.get(name, np.zeros(0, kind))
            if not np.issubdtype(kind, before.dtype):
                raise TypeError(f"attribute {name} holds {before.dtype}, and cannot take {kind}; convert the value")
            if name not in self.expandos or len(before) != len(self):
                self.expandos[name] = np.zeros(len(self), before.dtype)
                self.expandos[name][: len(before)] = before[: len(self)]

    def set_vecattr(self, key: Key, attr: str, val: Any) -> None:
        """Give one key an attribute."""
        self.allocate_vecattrs([attr], [type(val)])
        self.expandos[attr][self.get_index(key)] = val
        if attr == "count":
            self._core = None

    def get_vecattr(self, key: Key, attr: str) -> Any:
        """An attribute of a key. Raises `KeyError` where there is no such key or attribute."""
        return self.expandos[attr][self.get_index(key)]

    # ---- changing --------------------------------------------------------------------------------

    def add_vector(self, key: Key, vector: Any) -> int:
        """Add one key, and give its row; where rows were reserved, the next of them."""
        if self.next_index >= len(self) or self.index_to_key[self.next_index] is not None:
            self.add_vectors([key], [vector])
            self.next_index = len(self)
            return self.key_to_index[key]
        row = self.next_index
        self.index_to_key[row], self.key_to_index[key] = key, row
        self.vectors[row] = vector
        self.next_index, self._core = row + 1, None
        return row

    def add_vectors(
        self, keys: Any, weights: Any, extras: dict[str, NDArray[Any]] | None = None, replace: bool = False
    ) -> None:
        """Add keys with their vectors, (n, D), and attributes; keys that are there keep theirs unless `replace`."""
        if isinstance(keys, KEYS):
            keys, weights = [keys], np.asarray(weights)[None]
        matrix = np.asarray(weights, self.vectors.dtype)
        new = np.array([key not in self.key_to_index for key in keys], bool)
        for place in np.flatnonzero(new).tolist():
            self.key_to_index[keys[place]] = len(self.index_to_key)
            self.index_to_key.append(keys[place])
        self.vectors = np.vstack([self.vectors, matrix[new]])
        self.allocate_vecattrs()
        changed = [place for place in range(len(keys)) if new[place] or replace]
        rows = [self.key_to_index[keys[place]] for place in changed]
        if replace:
            self.vectors[rows] = matrix[changed]
        for name, values in (extras or {}).items():
            self.allocate_vecattrs([name], [values.dtype])
            self.expandos[name][rows] = values[changed]

    def __setitem__(self, keys: Any, weights: Any) -> None:
        if not isinstance(keys, list):
            keys, weights = [keys], np.asarray(weights)[None]
        self.add_vectors(keys, weights, replace=True)

    def resize_vectors(self, seed: int = 0) -> None:
        """Give a vector to each key that has none: small random numbers, as training begins with."""
        before = self.vectors
        if before.shape != (len(self), self.vector_size):
            made = first_weights(len(self), self.vector_size, seed).input
            made[: len(before)] = before
            self.vectors = made
        self.allocate_vecattrs()

    def sort_by_descending_frequency(self) -> None:
        """Put the most frequent words first, equal ones as they stand."""
        order = np.argsort(-self.expandos["count"], kind="stable") if len(self) else np.zeros(0, np.int64)
        self._put_in(order)

    def _put_in(self, order: NDArray[np.int64]) -> None:
        self.take_keys([self.index_to_key[row] for row in order.tolist()])
        self.expandos = {name: values[order] for name, values in self.expandos.items()}
        self.vectors = self.vectors[order] if len(self.vectors) else self.vectors

    def unit_normalize_all(self) -> None:
        """Bring all vectors to unit length; what was their own is lost."""
        self.vectors = self.core.normalized().matrix.astype(self.vectors.dtype)

    def init_sims(self, replace: bool = False) -> None:
        """Deprecated: `fill_norms`, and with `replace` `unit_normalize_all`."""
        self.fill_norms()
        if replace:
            self.unit_normalize_all()

    def vectors_for_all(
        self, keys: Iterable[Key], allow_inference: bool = True, copy_vecattrs: bool = False
    ) -> KeyedVectors:
        """Vectors for those of the keys that have one, each once; with `copy_vecattrs`, their attributes, too.

        Keys without a row, which n-grams alone give a vector, are among them with `allow_inference`; their attributes
        are 0.
        """
        known = [key for key in dict.fromkeys(keys) if key in (self if allow_inference else self.key_to_index)]
        rows = np.array([self.get_index(key, -1) for key in known], np.int64)
        matrix = self.vectors[rows]
        for place in np.flatnonzero(rows < 0).tolist():
            matrix[place] = self.get_vector(known[place])
        made = KeyedVectors(self.vector_size, dtype=self.vectors.dtype)
        made.add_vectors(known, matrix)
        made.expandos = {name: values[rows] for name, values in self.expandos.items() if copy_vecattrs}
        for values in made.expandos.values():
            values[rows < 0] = 0
        made.expandos.setdefault("count", falling_counts(len(known)))
        return made

    # ---- the nearest -----------------------------------------------------------------------------

    def most_similar(
        self,
        positive: Any = None,
        negative: Any = None,
        topn: int | None = 10,
        clip_start: int = 0,
        clip_end: int | None = None,
        restrict_vocab: int | None = None,
        indexer: Any = None,
    ) -> Any:
        """The `topn` keys nearest to the mean of `positive` less `negative`, and their cosines.

        Queries are keys, vectors or pairs of one and a weight. Vectors count by their length, where there are several.
        Answers are rows `clip_start` to `clip_end`, counted from the end where below 0, or the first `restrict_vocab`.
        With `topn` None, the cosine of each of these rows instead. An `indexer` is asked instead of all rows.
        Raises `ValueError` without a query, `KeyError` for an unknown key.
        """
        if topn is not None and topn < 1:
            return []
        weighted = [(*self._weighted(each, 1.0),) for each in as_list(positive)]
        weighted += [(*self._weighted(each, -1.0),) for each in as_list(negative)]
        if not weighted:
            raise ValueError("cannot compute similarity with no input: give positive or negative keys or vectors")
        some = slice(restrict_vocab) if restrict_vocab else slice(clip_start, clip_end or None)
        if topn is None or indexer is not None:
            keys, weights = zip(*weighted, strict=True)
            mean = self.core.mean_vector(keys, weights, post_normalize=True, ignore_missing=False)
            return self.core.similarities(mean)[some] if topn is None else indexer.most_similar(mean, topn)
        return self.core.most_similar(
            [each for each in weighted if each[1] > 0] or None,
            [each for each in weighted if each[1] <= 0] or None,
            topn,
            restrict=range(*some.indices(len(self))),
        )

    def _weighted(self, query: Any, usual: float) -> tuple[Any, float]:
        query, weight = query if isinstance(query, tuple) else (query, usual)
        if isinstance(query, np.ndarray):  # firth brings vectors to unit length, gensim takes them as they are
            return query, float(weight * np.linalg.norm(query))
        return self._query(query), float(weight)

    def similar_by_key(self, key: Key, topn: int | None = 10, restrict_vocab: int | None = None) -> Any:
        """`most_similar` to one key."""
        return self.most_similar([key], topn=topn, restrict_vocab=restrict_vocab)

    def similar_by_word(self, word: Key, topn: int | None = 10, restrict_vocab: int | None = None) -> Any:
        """`most_similar` to one word."""
        return self.similar_by_key(word, topn, restrict_vocab)

    def similar_by_vector(self, vector: Vectors, topn: int | None = 10, restrict_vocab: int | None = None) -> Any:
        """`most_similar` to one vector."""
        return self.most_similar([np.asarray(vector)], topn=topn, restrict_vocab=restrict_vocab)

    def most_similar_cosmul(
        self, positive: Any = None, negative: Any = None, topn: int | None = 10, restrict_vocab: int | None = None
    ) -> Any:
        """The `topn` of the first `restrict_vocab` keys whose product of similarities is highest, and the product.

        With `topn` None, the product of each of these rows, float64. Raises what `most_similar` does.
        """
        if topn is not None and topn < 1:
            return []
        wanted, unwanted = ([self._query(each) for each in as_list(some)] for some in (positive, negative))
        rows = range(*slice(restrict_vocab or None).indices(len(self)))
        if topn is not None:
            return self.core.most_similar_cosmul(wanted, unwanted, topn, restrict=rows)
        # Words that are asked by their vectors are answered, too.
        above, below = (
            [self.core[key] if isinstance(key, str) else key for key in some] for some in (wanted, unwanted)
        )
        products = np.zeros(len(rows))
        for word, product in self.core.most_similar_cosmul(above, below, len(self), restrict=rows):
            products[self.key_to_index[word]] = product
        return products

    def most_similar_to_given(self, key1: Key, keys_list: Sequence[Key]) -> Key:
        """That of `keys_list` which is nearest to `key1`."""
        return self.core.most_similar_to_given(self._query(key1), keys_list)

    def closer_than(self, key1: Key, key2: Key) -> list[str]:
        """The keys closer to `key1` than `key2` is."""
        return self.core.closer_than(self._word(key1), self._word(key2))

    def words_closer_than(self, word1: Key, word2: Key) -> list[str]:
        """The older name of `closer_than`."""
        return self.closer_than(word1, word2)

    def rank(self, key1: Key, key2: Key) -> int:
        """The place of `key2` among the keys nearest to `key1`, from 1."""
        return self.core.rank(self._word(key1), self._word(key2))

    # ---- one with another ------------------------------------------------------------------------

    def similarity(self, w1: Key, w2: Key) -> float:
        """The cosine of two keys, to the last bit that of `n_similarity`."""
        return self.core.n_similarity([self._query(w1)], [self._query(w2)])

    def distance(self, w1: Key, w2: Key) -> float:
        """1 less `similarity`."""
        return 1 - self.similarity(w1, w2)

    def distances(self, word_or_vector: Any, other_words: Iterable[Key] = ()) -> NDArray[np.float32]:
        """1 less the cosine of a key or vector to each of the others, or to all keys, float32."""
        others = [self._word(each) for each in other_words]
        return self.core.distances(self._query(word_or_vector), others or None)

    @staticmethod
    def cosine_similarities(vector_1: Vectors, vectors_all: Vectors) -> Vectors:
        """The cosine of a vector (D,) to each row of a matrix (n, D)."""
        lengths = np.linalg.norm(vectors_all, axis=1) * np.linalg.norm(vector_1)
        cosines: Vectors = vectors_all @ vector_1 / lengths
        return cosines

    def n_similarity(self, ws1: Sequence[Key], ws2: Sequence[Key]) -> float:
        """The cosine of the means of those of two sets of keys that are known, 0 where none of a set is.

        Raises `ZeroDivisionError` for an empty one.
        """
        if not len(ws1) or not len(ws2):
            raise ZeroDivisionError("n_similarity needs two lists of at least one key, got an empty one")
        known, others = ([self._query(key) for key in keys if key in self] for keys in (ws1, ws2))
        return self.core.n_similarity(known, others) if known and others else 0.0

    def relative_cosine_similarity(self, wa: Key, wb: Key, topn: int = 10) -> float:
        """The cosine of two words over the sum of those of the `topn` words nearest to the first."""
        return self.core.relative_cosine_similarity(self._query(wa), self._query(wb), topn)

    def rank_by_centrality(self, words: Sequence[Key], use_norm: bool = True) -> list[tuple[float, Key]]:
        """Closeness to the mean of all, and the key, the most central first. Raises `ValueError` if none is known."""
        known = [self._word(key) for key in words if key in self]
        given = {self._word(key): key for key in words if key in self}  # numbers of rows are answered as numbers
        if not known:
            raise ValueError(f"cannot select a word: none of {list(words)!r} is known; give at least one that is")
        return [(closeness, given[word]) for word, closeness in self.core.rank_by_centrality(known, use_norm=use_norm)]

    def doesnt_match(self, words: Sequence[Key]) -> Key:
        """The key least like the mean of all of them."""
        return self.rank_by_centrality(words)[-1][1]

    def wmdistance(self, document1: Iterable[str], document2: Iterable[str], norm: bool = True) -> float:
        """Word Mover's Distance of two lists of words; needs the package POT, as in gensim."""
        return self.core.wmdistance(document1, document2, norm=norm)

    # ---- judging ---------------------------------------------------------------------------------

    def evaluate_word_pairs(
        self,
        pairs: AnyPath,
        delimiter: str = "\t",
        encoding: str = "utf8",
        restrict_vocab: int | None = 300000,
        case_insensitive: bool = True,
        dummy4unknown: bool = False,
    ) -> tuple[Any, Any, float]:
        """Pearson's and Spearman's correlation with a file of scored pairs, each with its p-value; per cent unknown.

        Raises `ValueError` where no pair of the file is known.
        """
        folded = Folded(self.core, restrict_vocab, case_insensitive)
        return word_pairs(folded, pairs, delimiter, encoding, dummy4unknown)

    def evaluate_word_analogies(
        self,
        analogies: AnyPath,
        restrict_vocab: int | None = 300000,
        case_insensitive: bool = True,
        dummy4unknown: bool = False,
        similarity_function: str = "most_similar",
    ) -> tuple[float, list[dict[str, Any]]]:
        """The share of analogies in a file that are answered right, and each section's, right and wrong.

        Raises `ValueError` where lines stand before the first section.
        """
        search: Callable[..., Neighbours] | None = None
        if similarity_function != "most_similar":
            search = getattr(self, similarity_function)
        folded = Folded(self.core, restrict_vocab, case_insensitive)
        return word_analogies(folded, search, analogies, dummy4unknown)

    # ---- files -----------------------------------------------------------------------------------

    def save(self, fname: AnyPath, **kwargs: Any) -> None:  # noqa: ARG002  (how gensim splits and packs its pickles)
        """Write one file in firth's format under the name given, whatever it ends in; nothing is pickled.

        Raises `ValueError` for attributes other than "count", which the file has no place for.
        """
        others = set(self.expandos) - {"count"}
        if others:
            raise ValueError(
                f"a file of firth's holds words, vectors and counts, and no attribute {', '.join(sorted(others))}; "
                "take it out of expandos, and keep it in a file of its own"
            )
        self._write(fname)

    def _write(self, fname: AnyPath) -> None:
        self.core.save(fname, "firth")

    @classmethod
    def load(cls, fname: AnyPath, mmap: str | None = None) -> Self:
        """Open what `save` wrote, or any file of firth's; with `mmap`, vectors stay in the file, and are read-only.

        A file with n-grams gives `FastTextKeyedVectors`, as in gensim.

        Raises what `WordVectors.load` does; gensim's own files, which are pickled, are refused.
        """
        read = WordVectors.load(fname, "firth")
        if isinstance(read, SubwordVectors):
            from firth.gensim.subword_vectors import FastTextKeyedVectors  # which are made of these

            if not issubclass(cls, FastTextKeyedVectors):
                return FastTextKeyedVectors.load(fname, mmap)  # type: ignore[return-value]
        made = cls.of(read)
        if mmap is None:
            made.vectors = made.vectors.copy()
        return made

    def save_word2vec_format(
        self,
        fname: AnyPath,
        fvocab: AnyPath | None = None,
        binary: bool = False,
        total_vec: int | None = None,
        write_header: bool = True,
        prefix: str = "",
        append: bool = False,
        sort_attr: str = "count",
    ) -> None:
        """Write word2vec's text or binary format, the words of the highest `sort_attr` first.

        Raises `ValueError` for `append` and another `total_vec`: files are written whole.
        """
        if append or total_vec not in (None, len(self)):
            raise ValueError("a file is written whole, with all words: leave out append and total_vec")
        order = np.arange(len(self))
        if sort_attr in self.expandos:
            order = np.argsort(-self.expandos[sort_attr], kind="stable")
        elif fvocab is not None:
            raise ValueError(f"no attribute {sort_attr} to write to {fvocab}; leave fvocab out, or set it first")
        words = [f"{prefix}{self.index_to_key[row]}" for row in order.tolist()]
        if fvocab is not None:
            write_counts(fvocab, words, self.expandos[sort_attr][order])
        matrix = self.vectors[order].astype(REAL, copy=False)
        save_word2vec_format(fname, WordVectors(words, matrix), binary, write_header)

    @classmethod
    def load_word2vec_format(
        cls,
        fname: AnyPath,
        fvocab: AnyPath | None = None,
        binary: bool = False,
        encoding: str = "utf8",
        unicode_errors: str = "strict",
        limit: int | None = None,
        datatype: Any = REAL,
        no_header: bool = False,
    ) -> Self:
        """Read word2vec's text or binary format; without `fvocab`, counts are made up, falling from V to 1."""
        return load_word2vec_format(cls, fname, fvocab, binary, encoding, unicode_errors, limit, datatype, no_header)

    def intersect_word2vec_format(
        self,
        fname: AnyPath,
        lockf: float = 0.0,
        binary: bool = False,
        encoding: str = "utf8",
        unicode_errors: str = "strict",
    ) -> None:
        """Take the vectors of those words of a file that are here, too. firth trains them on only with `lockf=1.0`."""
        read = load_word2vec_format(KeyedVectors, fname, None, binary, encoding, unicode_errors)
        if read.vector_size != self.vector_size:
            raise ValueError(f"{fname} has vectors of {read.vector_size} numbers, these have {self.vector_size}")
        known = [word for word in read.index_to_key if word in self.key_to_index]
        self[known] = read[known] if known else np.zeros((0, self.vector_size))
        if len(self.vectors_lockf) != len(self):
            self.vectors_lockf = np.ones(len(self), REAL)
        self.vectors_lockf[[self.key_to_index[word] for word in known]] = lockf

    if not TYPE_CHECKING:  # type checkers would take every name for one that is there

        def __getattr__(self, name: str) -> Any:
            raise no_attribute(self, name, GONE_FROM_VECTORS)


Word2VecKeyedVectors = KeyedVectors


def as_list(queries: Any) -> list[Any]:
    """One query or many, as a list: a key, a pair with its weight, a vector (D,), the rows of a matrix."""
    if queries is None:
        return []
    if isinstance(queries, (*KEYS, tuple)) or (isinstance(queries, np.ndarray) and queries.ndim == 1):
        return [queries]
    return list(queries)


def first_weights(V: int, D: int, seed: int, threads: int = 1, buckets: NDArray[np.int64] | None = None) -> Weights:
    """Where training begins: input rows uniform in [-1/D, 1/D), as gensim 4's, twice as far as `initial_weights` goes.

    With the buckets of n-grams, int64 (U,), their rows likewise.

    On 1 M words, where they count the most, CBOW's vectors are the better for it by 0.3 % of Google's analogies.
    """
    weights = initial_weights(V, D, seed, threads, buckets)
    weights.input[:] *= 2
    if weights.grams is not None:
        weights.grams[:] *= 2
    return weights


def pseudorandom_weak_vector(
    size: int, seed_string: Any = None, hashfxn: Callable[[Any], int] = hash
) -> NDArray[np.float32]:
    """A vector (size,) of small random numbers, the same each time for the same `seed_string`, if given."""
    seed = None if seed_string is None else hashfxn(seed_string) & 0xFFFFFFFF
    return ((np.random.default_rng(seed).random(size) - 0.5) / size).astype(REAL)
