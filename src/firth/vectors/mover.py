"""Word Mover's Distance (Kusner et al. 2015): the least that moving one document's words to the other's costs."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from firth.errors import optional

# The vectors (n, D) of a document's words, each once, and how often they stand in it (n,).
Document: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64]]


def word_movers_distance(first: Document, second: Document) -> float:
    """The distance by Euclidean costs; infinite where a document is empty.

    Raises `MissingExtra` where the package POT is not installed.
    """
    if not len(first[1]) or not len(second[1]):
        return float("inf")
    from scipy.spatial.distance import cdist

    solver = optional("ot", extra="wmd", package="POT", purpose="wmdistance")
    costs = cdist(first[0], second[0])
    if not costs.any():
        return 0.0
    return float(solver.emd2(*(counts / counts.sum() for _, counts in (first, second)), costs))
