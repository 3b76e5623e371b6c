"""What each word counts for, and the vector of a document.

With c(w) how often word w stands in a document, and f(w) its factor, the document's vector is

    mean     Σ c(w) v(w) / Σ c(w)
    tfidf    Σ c(w) f(w) v(w) / Σ c(w) f(w),   f(w) = ln((1 + n) / (1 + n(w))) + 1, of n documents n(w) with the word
    sif      Σ c(w) f(w) v(w) / Σ c(w),        f(w) = a / (a + p(w)), p(w) its share of all known words

over the known words. A word that has a vector by its n-grams alone counts as one that stands nowhere: n(w) and p(w)
are 0. SIF (Arora et al. 2017) then takes the documents' strongest directions out. Sums are float64.

Shapes: n documents, V words, U of them in some documents, D dimensions.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from firth.options import DocumentOptions
from firth.sklearn.documents import Counted
from firth.vectors import WordVectors

Reals: TypeAlias = NDArray[np.float64]


def factors(documents: Iterable[Counted], vectors: WordVectors, options: DocumentOptions) -> Reals | None:
    """What each of the V words counts for, and last one that has no row: float64 (V + 1,); None where all count alike.

    SIF takes the counts of the vectors, and where these have none, those of the documents.
    """
    if options.weighting == "mean":
        return None
    V, n = len(vectors), 0
    if options.weighting == "sif" and vectors.counts is not None and vectors.counts.any():
        return sif_factors(np.append(vectors.counts, 0).astype(np.float64), options.sif_a)
    totals, holding = np.zeros(V + 1), np.zeros(V + 1)
    for some in documents:
        n += some.counts.shape[0]
        totals[some.rows] += some.counts.sum(axis=0)
        holding[some.rows] += np.bincount(some.counts.indices, minlength=len(some.rows))
    totals[V] = holding[V] = 0
    if options.weighting == "tfidf":
        found: Reals = np.log((1 + n) / (1 + holding)) + 1
        return found
    return sif_factors(totals, options.sif_a)


def sif_factors(counts: Reals, a: float) -> Reals:
    """The factor a / (a + p(w)) of each word, float64 (V,)."""
    return np.asarray(a / (a + counts / max(counts.sum(), 1)), np.float64)


def document_vectors(some: Counted, factor: Reals | None, weighting: str) -> tuple[Reals, NDArray[np.bool_]]:
    """The vector of each document, float64 (n, D), zeros where no word is known; and which those are, (n,).

    `factor` is as `factors` gives it.
    """
    weighted = some.counts.copy()
    if factor is not None:
        weighted.data *= factor[some.rows][weighted.indices]
    sizes = np.asarray((weighted if weighting == "tfidf" else some.counts).sum(axis=1))
    found = weighted @ some.vectors
    empty = sizes == 0
    found /= np.where(empty, 1, sizes)[:, None]
    return np.asarray(found), empty
