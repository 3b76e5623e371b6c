"""The words nearest to words and vectors: most similar ones, analogies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from firth.errors import BadOption
from firth.nearest import Answers, Rows, Vector, highest, nearest, unit
from firth.options import whole
from firth.stored.base import Some
from firth.vectors.given import Query, Weighted, as_list, cores, several, weighted
from firth.vectors.indexing import Indexed, VectorIndex
from firth.vectors.search import numbers_of

Neighbours: TypeAlias = list[tuple[str, float]]
Restriction: TypeAlias = int | range | Iterable[str] | None

FEW_QUERIES = 4  # compiled code pays from so many on
# Keeps the quotient of 3CosMul finite: ε of Levy & Goldberg (2014), eq. 4, whose value is gensim's.
EPSILON = 1e-6


class Nearest(Indexed):
    """Searches for nearest words.

    In all of them, words asked for are not answered, words of equal score are answered in the order of the rows, and
    no more than `threads` cores are used, all that the process may use if not given. `restrict` says which words may
    be answers: a number, so many of the first, most frequent ones; a range, the words of these rows, such as
    range(1000, 5000); or a list of words. Search is exact unless `index` names an index, "usearch" or another kind that
    `build_index` or `open_index` has made, or gives one itself: then some of the nearest may be missed, and all words
    are searched, so that `restrict` is refused.
    """

    def most_similar(
        self,
        positive: Weighted | Sequence[Weighted] | None = None,
        negative: Weighted | Sequence[Weighted] | None = None,
        topn: int = 10,
        *,
        restrict: Restriction = None,
        threads: int | None = None,
        index: VectorIndex | str | None = None,
    ) -> Neighbours:
        """The `topn` words nearest to the mean of `positive` less `negative`, and their cosines.

        Queries are words or vectors (D,), one or many; each is brought to unit length before the mean is taken. A
        pair (query, weight) weighs more or less than the usual 1, or -1 among `negative`, where weights are 0 or less.

        After some searches (4 to 9 in a large matrix), a copy of a float32 matrix in int8 is made and kept, V · (D + 8)
        bytes, with which a search reads a quarter as much; what it answers stays the same.

        Raises:
            UnknownWord: a word has no vector.
            BadOption: no query, a vector of another size or with NaN, a weight of the wrong sign, or `topn`,
                `restrict` or `threads` out of range; an index that is none of these vectors', or with `restrict`.
        """
        asked = weighted(positive, negative)
        topn = whole("topn", topn, at_least=1)
        chosen = self._index_asked(index, restrict)
        return self._nearest_to(asked, topn, self._restricted(restrict), cores(threads), chosen)

    def most_similar_batch(
        self,
        queries: Iterable[Query],
        topn: int = 10,
        *,
        restrict: Restriction = None,
        threads: int | None = None,
        index: VectorIndex | str | None = None,
    ) -> list[Neighbours]:
        """What `most_similar` answers to each of Q words or vectors, by matrix products; no copy of the matrix.

        Rows stored as other than float32 are decoded block by block, those of a list of words copied before. Sums are
        added up in another order than one query's, so scores may differ in their last digits.
        Raises what `most_similar` raises, and `BadOption` for queries that are no list of them.
        """
        topn = whole("topn", topn, at_least=1)
        listed: list[Query] = several("queries", queries, "words or vectors")
        chosen = self._index_asked(index, restrict)
        some, limit = self._restricted(restrict), cores(threads)
        if len(listed) < FEW_QUERIES or (self._search.sketch is not None and chosen is None):
            return [self._nearest_to(weighted([query], None), topn, some, limit, chosen) for query in listed]
        targets = np.array([self._unit(query) for query in listed], np.float32)
        asked = np.array([self._row(query) for query in listed], np.int64)
        if chosen is not None:
            return self._named(chosen.nearest(targets, asked[:, None], topn, limit))
        excluded = _places(asked, some)[:, None]
        places, scores = nearest(self.rows.taken(some), self.norms[some], targets, excluded, topn, limit)
        words = np.append(numbers_of(some), -1)  # where a query has too few answers, its places are behind the last
        return self._named((words[places], scores))

    def most_similar_cosmul(
        self,
        positive: Query | Sequence[Query] | None = None,
        negative: Query | Sequence[Query] | None = None,
        topn: int = 10,
        *,
        restrict: Restriction = None,
        threads: int | None = None,
    ) -> Neighbours:
        """The `topn` words of the highest product of similarities (3CosMul, Levy & Goldberg 2014, eq. 4).

        A word's score is Π (1 + cos to each positive) / 2, divided by Π (1 + cos to each negative) / 2 + 1e-6: no
        single large cosine outweighs the others, as it may in a sum. Each query costs one reading of the rows.

        Raises:
            UnknownWord: a word has no vector.
            BadOption: nothing positive, a vector of another size or with NaN, a weight, or `topn`, `restrict` or
                `threads` out of range.
        """
        wanted, unwanted = as_list(positive), as_list(negative)
        if not wanted:
            raise BadOption("most_similar_cosmul needs at least one positive word or vector, got none")
        topn = whole("topn", topn, at_least=1)
        some, limit = self._restricted(restrict), cores(threads)
        above, below = (self._product_of_similarities(queries, some, limit) for queries in (wanted, unwanted))
        scores = above / (below + EPSILON)
        left_out = {self._row(query) for query in (*wanted, *unwanted)} - {-1}
        count = min(topn + len(left_out), len(scores))
        best = highest(scores, count) if count else np.empty(0, np.int64)
        found = zip(numbers_of(some)[best].tolist(), scores[best].tolist(), strict=True)
        return [(self._words[row], score) for row, score in found if row not in left_out][:topn]

    def analogy(
        self,
        a: Query,
        b: Query,
        c: Query,
        topn: int = 10,
        *,
        method: Literal["add", "mul"] = "add",
        restrict: Restriction = None,
        threads: int | None = None,
        index: VectorIndex | str | None = None,
    ) -> Neighbours:
        """What is to `c` as `b` is to `a`: the words nearest to b - a + c (3CosAdd, Mikolov et al. 2013).

        With `method` "mul", those of the highest cos(b) · cos(c) / cos(a): see `most_similar_cosmul`.
        """
        if method not in ("add", "mul"):
            raise BadOption(f"method must be one of add, mul; got {method!r}")
        if method == "add":
            return self.most_similar([b, c], [a], topn, restrict=restrict, threads=threads, index=index)
        if index is not None:
            raise BadOption("an index finds the nearest by cosine, and 3CosMul is none; leave index out, or take add")
        return self.most_similar_cosmul([b, c], [a], topn, restrict=restrict, threads=threads)

    def similar_by_word(
        self,
        word: str,
        topn: int = 10,
        *,
        restrict: Restriction = None,
        threads: int | None = None,
        index: VectorIndex | str | None = None,
    ) -> Neighbours:
        """As `most_similar` of one word."""
        return self.most_similar(word, topn=topn, restrict=restrict, threads=threads, index=index)

    def similar_by_vector(
        self,
        vector: Vector,
        topn: int = 10,
        *,
        restrict: Restriction = None,
        threads: int | None = None,
        index: VectorIndex | str | None = None,
    ) -> Neighbours:
        """As `most_similar` of one vector (D,): no word is left out, not even one that has this very vector."""
        return self.most_similar([vector], topn=topn, restrict=restrict, threads=threads, index=index)

    # ---- their parts ----------------------------------------------------------------------------

    def _nearest_to(
        self, asked: Sequence[tuple[Query, float]], topn: int, some: Some, threads: int, index: VectorIndex | None
    ) -> Neighbours:
        """What `most_similar` answers to queries with their weights."""
        if len(asked) == 1 and asked[0][1] == 1:
            target = self._unit(asked[0][0])
        else:
            target = np.zeros(self.vector_size, np.float32)
            for query, weight in asked:
                target += np.float32(weight) * self._unit(query)
            target = unit(target)
        left_out = {self._row(query) for query, _ in asked} - {-1}
        if index is not None:
            excluded = np.array([[*left_out, -1]], np.int64)
            return self._named(index.nearest(target[None], excluded, topn, threads))[0]
        found = self._search.best(target, topn + len(left_out), some, threads)
        return [(self._words[row], score) for row, score in found if row not in left_out][:topn]

    def _product_of_similarities(self, queries: Sequence[Query], some: Some, threads: int) -> NDArray[np.float64]:
        """Π (1 + cos) / 2 over the queries, for each of some rows; 1 where there is no query."""
        count = len(numbers_of(some))
        product = np.ones(count)
        for query in queries:
            if isinstance(query, tuple):
                raise BadOption(f"most_similar_cosmul takes no weights, got {query!r}; give the word alone")
            similarities = self._search.cosines(self._unit(query), some, threads)
            product *= (1 + np.clip(similarities, -1, 1)) / 2
        return product

    def _named(self, answers: Answers) -> list[Neighbours]:
        rows, scores = answers
        return [
            [(self._words[row], score) for row, score in zip(some, marks, strict=True) if score > -np.inf]
            for some, marks in zip(rows.tolist(), scores.tolist(), strict=True)
        ]


def _places(rows: Rows, some: Some) -> Rows:
    """Where rows stand among some rows, -1 for those that do not."""
    if isinstance(some, slice):
        inside = (rows >= some.start) & (rows < some.stop)
        return np.where(inside, rows - some.start, -1)
    places = np.searchsorted(some, rows)
    known = np.flatnonzero(places < len(some))
    found = np.full(len(rows), -1, np.int64)
    found[known] = np.where(some[places[known]] == rows[known], places[known], -1)
    return found
