"""N vectors -> N points of a plane: principal components, t-SNE, UMAP.

The first is a few lines of linear algebra; the others are their authors' and scikit-learn's, with the extra `plot`.
All look at vectors of unit length, whose distances order words as their cosines do.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from firth.errors import BadOption, counted, optional
from firth.options import MapOptions

Floats: TypeAlias = NDArray[np.float64]

FEWEST = {"pca": 2, "tsne": 4, "umap": 4}  # fewer have no neighbours to keep
USUAL_PERPLEXITY = 30.0  # van der Maaten & Hinton (2008): 5 to 50
USUAL_NEIGHBOURS = 30  # with 15, neighbourhoods of fifteen words came apart
LEAST_DISTANCE = {True: 0.5, False: 0.1}  # of few words, so that labels have room; of many, UMAP's own
FEW = 1_000
TSNE_START = 1e-4  # standard deviation of where it starts (Kobak & Berens 2019)
UMAP_START = 10.0  # its largest coordinate where it starts
ALIKE = 1e-6  # vectors of unit length no further apart than this are one to float32
# Seconds a word, rough: vectors of 100 numbers, 5,000 to 50,000 words, two cores at work on other things besides.
SECONDS_A_WORD = {"pca": 1e-5, "tsne": 5e-3, "umap": 2e-3}
LONG = 60.0  # seconds from which on one is told beforehand
MANY = 5_000  # words from which on t-SNE gains by more than one core


@dataclass(frozen=True)
class Projection:
    """Points (N, 2), and, of principal components alone, each one's share of the variance (2,)."""

    points: Floats
    shares: Floats | None = None


def project(rows: NDArray[Any], options: MapOptions) -> Projection:
    """Where N vectors (N, D) lie on a map.

    Raises:
        BadOption: too few vectors for the method, a perplexity or number of neighbours that they have not got, or
            vectors that are all the same.
        MissingExtra: scikit-learn or umap-learn is not installed.
    """
    _check(len(rows), options)
    rows = unit_rows(rows)
    if np.abs(rows - rows[0]).max() < ALIKE:
        raise BadOption(f"all {len(rows)} words have the same vector, so no map tells them apart; give other words")
    _tell_of_long(len(rows), options.method)
    points, shares = principal_components(rows)
    if options.method == "tsne":
        return Projection(_tsne(rows, points, options))
    if options.method == "umap":
        return Projection(_umap(rows, points, options))
    return Projection(points, shares)


def unit_rows(rows: NDArray[Any]) -> Floats:
    """The rows at unit length, float64; zero stays zero."""
    rows = np.asarray(rows, np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1.0))


def principal_components(matrix: NDArray[Any], count: int = 2) -> tuple[Floats, Floats]:
    """Coordinates of the rows of `matrix` on its first `count` principal components, and explained shares.

    Given (N, D), returns (N, `count`) and (`count`,), both float64: the share is the component's part of the
    total variance. A component's sign makes its largest coordinate positive; those beyond the rank are zero.
    """
    centred = np.asarray(matrix, np.float64) - np.mean(matrix, axis=0, dtype=np.float64)
    left, spread, _ = np.linalg.svd(centred, full_matrices=False)
    kept = min(count, len(spread))
    coordinates, shares = np.zeros((len(centred), count)), np.zeros(count)
    coordinates[:, :kept] = left[:, :kept] * spread[:kept]
    shares[:kept] = spread[:kept] ** 2 / max(float(spread @ spread), np.finfo(float).tiny)
    largest = np.abs(coordinates).argmax(axis=0)
    return coordinates * np.where(coordinates[largest, range(count)] < 0, -1.0, 1.0), shares


# ---- by other libraries ----------------------------------------------------------------------------------


def _tsne(rows: Floats, start: Floats, options: MapOptions) -> Floats:
    """t-SNE (van der Maaten & Hinton 2008), from the principal components on (Kobak & Berens 2019)."""
    manifold = optional("sklearn.manifold", extra="plot", purpose="a map by t-SNE", package="scikit-learn")
    start = start / start[:, 0].std() * TSNE_START
    model = manifold.TSNE(
        perplexity=options.perplexity or min(USUAL_PERPLEXITY, (len(rows) - 1) / 3),
        init=start.astype(np.float32),
        random_state=options.seed,
    )
    with _one_core() if len(rows) < MANY else contextlib.nullcontext():
        return np.asarray(model.fit_transform(rows.astype(np.float32)), np.float64)


def _umap(rows: Floats, start: Floats, options: MapOptions) -> Floats:
    """UMAP (McInnes, Healy & Melville 2018), from the principal components on; on one core, so that it repeats."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImportWarning)  # that there is no TensorFlow, which is not needed
        umap = optional("umap", extra="plot", purpose="a map by UMAP", package="umap-learn")
    model = umap.UMAP(
        n_neighbors=options.n_neighbors or min(USUAL_NEIGHBOURS, len(rows) - 1),
        init=(UMAP_START * start / np.abs(start).max()).astype(np.float32),
        min_dist=LEAST_DISTANCE[len(rows) <= FEW],
        random_state=options.seed,
        n_jobs=1,
    )
    return np.asarray(model.fit_transform(rows.astype(np.float32)), np.float64)


@contextlib.contextmanager
def _one_core() -> Iterator[None]:
    """Threads of OpenMP wait for each other by spinning: on a busy machine two took ten times as long as one."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="openmp"):
        yield


# ---- checks ----------------------------------------------------------------------------------------------


def _check(count: int, options: MapOptions) -> None:
    fewest = FEWEST[options.method]
    if count < fewest:
        otherwise = "give more words, or their nearest with around" + (
            "" if options.method == "pca" else "; or take pca"
        )
        raise BadOption(f"a map by {options.method} needs {fewest} words or more, got {count}; {otherwise}")
    if options.perplexity is not None and options.method == "tsne" and options.perplexity >= count:
        raise BadOption(
            f"perplexity must be below the number of words, got {options.perplexity:g} for {count}; "
            f"a third of them, {count / 3:.0f}, is the most that makes sense"
        )
    if options.n_neighbors is not None and options.method == "umap" and options.n_neighbors >= count:
        raise BadOption(
            f"n_neighbors must be below the number of words, got {options.n_neighbors} for {count}; lower it"
        )


def _tell_of_long(count: int, method: str) -> None:
    seconds = {each: count * rate for each, rate in SECONDS_A_WORD.items()}
    if seconds[method] >= LONG:
        quicker = [f"{each} some {_about(seconds[each])}" for each in seconds if seconds[each] < seconds[method] / 2]
        warnings.warn(
            f"a map of {count:,} words by {method} may take some {_about(seconds[method])}, "
            f"{' and '.join(quicker)}; a picture rarely gains by more than some thousand words",
            stacklevel=5,
        )


def _about(seconds: float) -> str:
    return counted(round(seconds / 60), "minute") if seconds >= LONG else counted(max(round(seconds), 1), "second")
