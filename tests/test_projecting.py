"""Maps by PCA, t-SNE and UMAP: near vectors stay near, a seed gives its map again, and what cannot be is refused."""

import sys
import warnings

import numpy as np
import pytest

from firth.errors import BadOption, MissingExtra
from firth.options import MapOptions
from firth.visualise.projecting import project, unit_rows

PACKAGES = {"tsne": "sklearn.manifold", "umap": "umap"}


def bundles(count=12, each=5, seed=1):
    """Rows in `count` bundles of `each`, of various lengths, and the number of each row's bundle."""
    random = np.random.default_rng(seed)
    rows = np.repeat(random.normal(size=(count, 16)), each, axis=0) + 0.05 * random.normal(size=(count * each, 16))
    return rows * random.uniform(0.1, 10, (len(rows), 1)), np.repeat(np.arange(count), each)


@pytest.mark.parametrize("method", ["tsne", "umap"])
def test_near_vectors_stay_near_and_the_same_seed_gives_the_same_map(method):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImportWarning)  # umap-learn misses TensorFlow
        pytest.importorskip(PACKAGES[method], reason="maps by t-SNE and UMAP need: pip install 'firth[plot]'")
    rows, bundle = bundles()
    options = MapOptions(method=method, perplexity=4, n_neighbors=4, seed=3)
    points = project(rows, options).points
    distances = np.linalg.norm(points[:, None] - points[None], axis=2) + np.diag([np.inf] * len(points))
    assert (bundle[distances.argmin(axis=1)] == bundle).all()
    np.testing.assert_array_equal(project(rows, options).points, points)
    assert project(rows, options).shares is None


def test_components_are_those_of_vectors_at_unit_length():
    rows, _ = bundles()
    one, other = project(rows, MapOptions()), project(unit_rows(rows), MapOptions())
    np.testing.assert_allclose(one.points, other.points, atol=1e-12)
    assert 0 < one.shares.sum() <= 1


@pytest.mark.parametrize(
    ("count", "options", "said"),
    [
        (1, {}, "a map by pca needs 2 words or more, got 1; give more words, or their nearest with around"),
        (
            3,
            {"method": "tsne"},
            "a map by tsne needs 4 words or more, got 3; give more words, or .* around; or take pca",
        ),
        (3, {"method": "umap"}, "a map by umap needs 4 words or more"),
        (10, {"method": "tsne", "perplexity": 10}, "perplexity must be below the number of words, got 10 for 10"),
        (10, {"method": "umap", "n_neighbors": 12}, "n_neighbors must be below the number of words, got 12 for 10"),
    ],
)
def test_what_a_method_cannot_do_is_refused(count, options, said):
    with pytest.raises(BadOption, match=said):
        project(bundles()[0][:count], MapOptions(**options))


@pytest.mark.parametrize("method", ["tsne", "umap"])
def test_without_its_package_a_method_says_what_to_install(method, monkeypatch):
    monkeypatch.setitem(sys.modules, PACKAGES[method], None)
    with pytest.raises(MissingExtra, match=r"needs the package (scikit|umap)-learn.*run: pip install 'firth\[plot\]'"):
        project(bundles()[0], MapOptions(method=method))


def test_what_will_take_long_is_told_with_what_takes_less(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    rows = np.random.default_rng(1).normal(size=(100_000, 2))
    with (
        pytest.warns(
            UserWarning, match=r"100,000 words by tsne may take some 8 minutes, pca some 1 second and umap some"
        ),
        pytest.raises(MissingExtra),
    ):
        project(rows, MapOptions(method="tsne"))
