"""Queries against gensim's KeyedVectors: the same numbers, of the same words, and where firth differs on purpose."""

import numpy as np
import pytest

from firth.vectors import WordVectors

WORDS = 12  # asked for in one go
ROUNDS = 5
QUERIES = {
    "most_similar": lambda ours, theirs, w: (ours.most_similar(w[0]), theirs.most_similar(w[0])),
    "most_similar, of several": lambda ours, theirs, w: (
        ours.most_similar(w[:3], w[3:5]),
        theirs.most_similar(w[:3], w[3:5]),
    ),
    "most_similar, weighted": lambda ours, theirs, w: (
        ours.most_similar([(w[0], 2.0), w[1]], [(w[2], -0.5)]),
        theirs.most_similar([(w[0], 2.0), w[1]], [(w[2], -0.5)]),
    ),
    "most_similar, of a range": lambda ours, theirs, w: (
        ours.most_similar(w[0], restrict=range(100, 900)),
        theirs.most_similar(w[0], clip_start=100, clip_end=900),
    ),
    "most_similar_cosmul": lambda ours, theirs, w: (
        ours.most_similar_cosmul(w[:2], w[2:4]),
        theirs.most_similar_cosmul(w[:2], w[2:4]),
    ),
    "analogy, multiplied": lambda ours, theirs, w: (
        ours.analogy(w[2], w[0], w[1], method="mul"),
        theirs.most_similar_cosmul(w[:2], [w[2]]),
    ),
    "similar_by_vector": lambda ours, theirs, w: (
        ours.similar_by_vector(ours[w[0]]),
        theirs.similar_by_vector(theirs[w[0]]),
    ),
    "similarity": lambda ours, theirs, w: (ours.similarity(*w[:2]), theirs.similarity(*w[:2])),
    "distances": lambda ours, theirs, w: (ours.distances(w[0], w[1:]), theirs.distances(w[0], w[1:])),
    "distances, to all": lambda ours, theirs, w: (ours.distances(w[0]), theirs.distances(w[0])),
    "rank": lambda ours, theirs, w: (ours.rank(*w[:2]), theirs.rank(*w[:2])),
    "closer_than": lambda ours, theirs, w: (len(ours.closer_than(*w[:2])), len(theirs.closer_than(*w[:2]))),
    "n_similarity": lambda ours, theirs, w: (ours.n_similarity(w[:3], w[3:]), theirs.n_similarity(w[:3], w[3:])),
    "mean_vector": lambda ours, theirs, w: (
        ours.mean_vector([*w, "_missing_"], np.arange(len(w) + 1) - 2.0),
        theirs.get_mean_vector([*w, "_missing_"], np.arange(len(w) + 1) - 2.0),
    ),
    "mean_vector, at its length": lambda ours, theirs, w: (
        ours.mean_vector(w, pre_normalize=False, post_normalize=True),
        theirs.get_mean_vector(w, pre_normalize=False, post_normalize=True),
    ),
    "rank_by_centrality": lambda ours, theirs, w: (
        ours.rank_by_centrality(w),
        [(word, score) for score, word in theirs.rank_by_centrality(w)],
    ),
    "doesnt_match": lambda ours, theirs, w: (ours.doesnt_match(w[:5]) == theirs.doesnt_match(w[:5]), True),
    "most_similar_to_given": lambda ours, theirs, w: (
        ours.most_similar_to_given(w[0], w[1:]) == theirs.most_similar_to_given(w[0], w[1:]),
        True,
    ),
    "relative_cosine_similarity": lambda ours, theirs, w: (
        ours.relative_cosine_similarity(*w[:2]),
        theirs.relative_cosine_similarity(*w[:2]),
    ),
    "wmdistance": lambda ours, theirs, w: (
        ours.wmdistance([*w[:7], w[0], "_missing_"], w[5:]),
        theirs.wmdistance([*w[:7], w[0], "_missing_"], w[5:]),
    ),
    "wmdistance, at their length": lambda ours, theirs, w: (
        ours.wmdistance(w[:7], w[5:], norm=False),
        theirs.wmdistance(w[:7], w[5:], norm=False),
    ),
}


@pytest.fixture(scope="module")
def both():
    """The same made-up vectors in either library."""
    models = pytest.importorskip("gensim.models", reason="gensim is not installed: pip install gensim")
    matrix = np.random.default_rng(1).standard_normal((1500, 40), np.float32) + np.float32(0.3)
    ours = WordVectors([f"w{row}" for row in range(len(matrix))], matrix)
    theirs = models.KeyedVectors(ours.vector_size)
    theirs.add_vectors(list(ours.words), matrix)
    return ours, theirs


@pytest.mark.filterwarnings("ignore:Call to deprecated `init_sims`")  # its own most_similar_cosmul calls it
@pytest.mark.parametrize("name", QUERIES)
def test_the_numbers_are_gensim_s(both, name):
    generator = np.random.default_rng(2)
    for _ in range(ROUNDS):
        words = [both[0].words[row] for row in generator.choice(len(both[0]), WORDS, replace=False)]
        ours, theirs = QUERIES[name](*both, words)
        if isinstance(ours, list):
            assert [word for word, _ in ours] == [word for word, _ in theirs]
            ours, theirs = ([score for _, score in each] for each in (ours, theirs))
        np.testing.assert_allclose(ours, theirs, atol=2e-6)


def test_a_vector_given_beside_words_is_brought_to_unit_length_as_theirs_are(both):
    """gensim takes it as long as it is, so that it outweighs the words."""
    ours, theirs = both
    long = ours["w1"] * 100
    for library, same in ((ours, True), (theirs, False)):
        scaled, plain = (dict(library.most_similar([vector, "w2"])) for vector in (long, library["w1"]))
        assert (scaled == pytest.approx(plain, abs=1e-6)) is same


def test_words_that_have_the_same_vector_are_no_distance_apart(both):
    """gensim says infinity, since its solver gets stuck there."""
    matrix = np.ones((2, 3), np.float32)
    theirs = type(both[1])(3)
    theirs.add_vectors(["a", "b"], matrix)
    assert theirs.wmdistance(["a"], ["b"]) == np.inf
    assert WordVectors(["a", "b"], matrix).wmdistance(["a"], ["b"]) == 0
