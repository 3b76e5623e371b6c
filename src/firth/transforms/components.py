"""The mean and the strongest directions taken out of all vectors: all-but-the-top (Mu & Viswanath 2018).

Word vectors share a large mean and a few directions that say how frequent a word is rather than what it means.

Shapes: V words (or N rows of any kind), D dimensions, k components.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from firth.errors import BadOption
from firth.options import TransformOptions
from firth.stored.base import steps
from firth.vectors import WordVectors, word_vectors

Reals: TypeAlias = NDArray[np.float64]
Blocks: TypeAlias = Callable[[], Iterable[Reals]]


def transformed(vectors: WordVectors, **options: bool | int) -> WordVectors:
    """The same words, their vectors centred, without their strongest directions, and at unit length, as asked for.

    The options are those of `TransformOptions`: centre, remove_components, unit. With μ the mean and u_1 ... u_k the
    eigenvectors of the largest eigenvalues of Σ (v - μ)(v - μ)ᵀ,

        v' = (v - μ) - Σ_i u_i u_iᵀ (v - μ)

    and without `centre` the same with μ = 0. (The paper's algorithm 1 has u_i u_iᵀ v in the sum, which adds the same
    vector to all words; here the mean stays zero.) Sums are float64, taken block by block: beside the result, (V, D)
    float32, that takes the memory of a D × D matrix. N-grams are left out: what is taken off words is not off theirs.

    Raises `BadOption` for options that ask for nothing or are out of range, or as many components as there are
    dimensions or words (of which centring takes one), and `BadFile` for vectors that are not finite.
    """
    asked = TransformOptions.from_dict(options)
    if asked == TransformOptions():
        raise BadOption("nothing to do: give centre, remove_components or unit")
    V, D = len(word_vectors(vectors)), vectors.vector_size
    assert vectors.norms is not None  # measured, and so finite
    rank = min(D, V - asked.centre)
    if asked.remove_components and asked.remove_components >= rank:
        raise BadOption(
            f"remove_components must be below {max(rank, 1)}, got {asked.remove_components}: {V:,} words of {D} numbers"
            f"{' about their mean' if asked.centre else ''} have {rank} directions; take 1 to 3, or more words"
        )
    if not V:
        raise BadOption("there are no words to transform; give vectors that have some")
    parts = list(steps(0, V, D))
    mean = np.zeros(D)
    if asked.centre:
        for part in parts:
            mean += vectors.rows.decoded(part).sum(axis=0, dtype=np.float64)
        mean /= V

    def centred() -> Iterable[Reals]:
        return (vectors.rows.decoded(part) - mean for part in parts)

    directions = strongest(centred, D, asked.remove_components)
    matrix = np.empty((V, D), np.float32)
    for part, rows in zip(parts, centred(), strict=True):
        left = without(rows, directions)
        matrix[part] = at_unit_length(left) if asked.unit else left
    return WordVectors(vectors.words, matrix, vectors.counts, check=False)


def strongest(blocks: Blocks, D: int, count: int) -> Reals:
    """The `count` directions in which rows, float64 blocks (n, D), have the largest sum of squares: (count, D).

    They are the first right singular vectors of all rows together, each with its largest number positive.
    """
    if not count:
        return np.zeros((0, D))
    squares = np.zeros((D, D))
    for rows in blocks():
        squares += rows.T @ rows
    _, vectors = np.linalg.eigh(squares)  # the smallest eigenvalue first
    found: Reals = vectors.T[::-1][:count]
    signs = np.sign(found[np.arange(count), np.abs(found).argmax(axis=1)])
    return np.asarray(found * signs[:, None])


def without(rows: Reals, directions: Reals) -> Reals:
    """The rows (n, D) less their parts along some orthonormal directions (k, D)."""
    return rows - (rows @ directions.T) @ directions if len(directions) else rows


def at_unit_length(rows: Reals) -> Reals:
    """The rows (n, D) at length 1; those of zeros stay."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    short: Reals = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return short
