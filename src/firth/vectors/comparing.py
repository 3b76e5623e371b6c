"""Words against words: similarities, ranks, means, the odd one out, distances of documents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from firth.descriptions import Comparison, Description
from firth.errors import BadOption
from firth.nearest import Vector, highest, unit
from firth.stored.base import Some
from firth.vectors.given import Query, as_list, cores, several
from firth.vectors.mover import word_movers_distance
from firth.vectors.neighbours import Nearest, Neighbours


class Compared(Nearest):
    """Comparisons of words with words, or with vectors (D,) in their place.

    Where `ignore_missing` is taken, unknown words are passed over if it is True; if all are unknown, that is
    `UnknownWord` in any case. All other comparisons raise it for each. A zero vector has cosine 0 to all.
    """

    def similarity(self, a: Query, b: Query) -> float:
        """The cosine of the angle between two words or vectors, from -1 to 1; 0 where one of them is zero."""
        return float(np.clip(np.dot(self._unit(a), self._unit(b)), -1, 1))

    def distance(self, a: Query, b: Query) -> float:
        """1 less `similarity`, from 0 to 2."""
        return 1 - self.similarity(a, b)

    def compare(self, a: Query, b: Query) -> Comparison:
        """Dot product, cosine and Euclidean distance of two words or vectors (D,), summed in float64.

        Raises `UnknownWord` for a word without a vector, `BadOption` for a vector of another size or with NaN.
        """
        one, other = (self._vector(query).astype(np.float64) for query in (a, b))
        return Comparison(float(one @ other), self.similarity(a, b), float(np.linalg.norm(one - other)))

    def describe(self, word: str, topn: int = 10, *, threads: int | None = None) -> Description:
        """Count, rank and norm of a word, and its `topn` nearest words; raises what `most_similar` raises."""
        row = self.index(word)
        neighbours = self.most_similar(word, topn=topn, threads=threads)
        count = None if self._counts is None else int(self._counts[row])
        return Description(word, row + 1, len(self), count, float(self.norms[row]), tuple(neighbours))

    def similarities(
        self, query: Query, others: Iterable[str] | None = None, *, threads: int | None = None
    ) -> NDArray[np.float32]:
        """The cosine of a word or vector to each of n others, float32 (n,); to all words, in order, if not given."""
        target = self._unit(query)
        some: Some = slice(0, len(self))
        if others is not None:
            if isinstance(others, str):
                several("others", others)
            some = self._rows_of(others)
        return np.clip(self._search.cosines(target, some, cores(threads)), -1, 1)

    def distances(
        self, query: Query, others: Iterable[str] | None = None, *, threads: int | None = None
    ) -> NDArray[np.float32]:
        """1 less `similarities`, float32 (n,)."""
        return 1 - self.similarities(query, others, threads=threads)

    def closer_than(self, a: Query, b: str, *, threads: int | None = None) -> list[str]:
        """The words closer to `a` than `b` is, in the order of the rows; not `a` itself."""
        scores = self.similarities(a, threads=threads)
        closer = np.flatnonzero(scores > scores[self.index(b)])
        own = self.index(a) if isinstance(a, str) else -1
        return [self._words[row] for row in closer.tolist() if row != own]

    def rank(self, a: Query, b: str, *, threads: int | None = None) -> int:
        """The place of `b` among the words nearest to `a`, from 1; words as near as `b` do not count."""
        scores = self.similarities(a, threads=threads)
        closer = scores > scores[self.index(b)]
        if isinstance(a, str):
            closer[self.index(a)] = False
        return int(closer.sum()) + 1

    def mean_vector(
        self,
        words: Sequence[Query],
        weights: Sequence[float] | None = None,
        *,
        pre_normalize: bool = True,
        post_normalize: bool = False,
        ignore_missing: bool = True,
    ) -> Vector:
        """The mean of the vectors of words (or of vectors), float32 (D,): Σ w v / Σ |w|.

        `pre_normalize` brings each to unit length before, `post_normalize` the mean. `weights` are 1 if not given;
        those of missing words do not count. Where all weights are 0, so is the mean.

        Raises:
            UnknownWord: a word is missing and `ignore_missing` is False, or all are.
            BadOption: no words, weights that are not as many finite numbers, or a vector of another size.
        """
        listed = _one_or_many(words)
        factors = np.ones(len(listed)) if weights is None else _as_weights(weights, len(listed))
        known = [place for place, query in enumerate(listed) if not isinstance(query, str) or query in self]
        if len(known) < len(listed) and (not ignore_missing or not known):
            self._rows_of(query for query in listed if isinstance(query, str))  # names the first that is missing
        vector = self._unit if pre_normalize else self._vector
        total, size = np.zeros(self.vector_size), 0.0
        for place in known:
            total += factors[place] * vector(listed[place])
            size += abs(factors[place])
        mean: Vector = (total / size if size else total).astype(np.float32)
        return unit(mean) if post_normalize else mean

    def n_similarity(self, first: Sequence[str], second: Sequence[str], *, ignore_missing: bool = True) -> float:
        """The cosine between the means of two sets of words, whose vectors are taken at their own lengths.

        Raises `UnknownWord` and `BadOption` as `mean_vector` does.
        """
        a, b = (
            self.mean_vector(words, pre_normalize=False, post_normalize=True, ignore_missing=ignore_missing)
            for words in (first, second)
        )
        return float(np.clip(np.dot(a, b), -1, 1))

    def rank_by_centrality(
        self, words: Sequence[str], *, use_norm: bool = True, ignore_missing: bool = True
    ) -> Neighbours:
        """Words and their closeness to the mean of all, the most central first, equal ones in the order given.

        Vectors are brought to unit length, and closeness is the cosine to the mean; with `use_norm` False, they are
        taken as they are, and closeness is their product with the mean at unit length.

        Raises `UnknownWord` and `BadOption` as `mean_vector` does.
        """
        listed = _one_or_many(words)
        known = [word for word in listed if word in self] if ignore_missing else listed
        vector = self._unit if use_norm else self._vector
        rows = np.array([vector(word) for word in (known or listed)], np.float32)
        centre = unit(rows.mean(axis=0))
        closeness = np.einsum("ij,j->i", rows, centre)
        return [(known[place], float(closeness[place])) for place in highest(closeness, len(known)).tolist()]

    def doesnt_match(self, words: Sequence[str], *, ignore_missing: bool = True) -> str:
        """The word least like the mean of all of them: the odd one out; of equal ones, the first given.

        Raises `UnknownWord` and `BadOption` as `mean_vector` does.
        """
        ranked = self.rank_by_centrality(words, ignore_missing=ignore_missing)
        least = ranked[-1][1]
        return next(word for word, closeness in ranked if closeness == least)

    def most_similar_to_given(self, word: Query, others: Sequence[str]) -> str:
        """That of `others` which is nearest to a word or vector; of equal ones, the first given."""
        listed = several("others", others)
        if not listed:
            raise BadOption("others must name at least one word, got none")
        return str(listed[int(np.argmax(self.similarities(word, listed)))])

    def relative_cosine_similarity(self, a: str, b: str, topn: int = 10, *, threads: int | None = None) -> float:
        """cos(a, b) / Σ cos(a, the `topn` words nearest to a) (Leeuwenberg et al. 2016, eq. 1).

        Above 1 / `topn`, b is nearer to a than its neighbours are on average: a synonym rather than a relative.

        Raises `UnknownWord`, and `BadOption` where the neighbours' cosines add up to nothing.
        """
        total = sum(score for _, score in self.most_similar(a, topn=topn, threads=threads))
        if total == 0:
            raise BadOption(f"the neighbours of {a!r} have cosines that add up to 0; it is no measure for this word")
        return self.similarity(a, b) / total

    def wmdistance(
        self, first: Iterable[str], second: Iterable[str], *, norm: bool = True, ignore_missing: bool = True
    ) -> float:
        """Word Mover's Distance (Kusner et al. 2015) between two documents, lists of words.

        It is what moving the words of one to those of the other costs at least, each as much as its share times the
        Euclidean distance of the vectors, with `norm` at unit length. Where none of a document's words is known, the
        distance is infinite.

        Raises:
            MissingExtra: the package POT is not installed.
            UnknownWord: a word is missing, and `ignore_missing` is False.
            BadOption: a document that is a string, no list of words.
        """
        sides = []
        for name, document in (("first", first), ("second", second)):
            if isinstance(document, str):
                several(f"the {name} document", document)
            words = [word for word in document if not ignore_missing or word in self]
            unique = dict.fromkeys(words, 0)
            for word in words:
                unique[word] += 1
            vectors = [(self._unit if norm else self._vector)(word) for word in unique]
            sides.append((np.array(vectors, np.float64), np.array(list(unique.values()), np.float64)))
        return word_movers_distance(*sides)


def _one_or_many(words: Sequence[Query]) -> list[Query]:
    listed: list[Query] = as_list(words)
    if not listed:
        raise BadOption("words must be a list of at least one, got none")
    return listed


def _as_weights(weights: Sequence[float], count: int) -> NDArray[np.float64]:
    found = np.asarray(weights)
    if found.shape != (count,) or found.dtype.kind not in "fiu" or not np.isfinite(found).all():
        raise BadOption(f"weights must be {count} finite numbers, one for each word, got {weights!r}")
    return found.astype(np.float64)
