"""Queries beyond the nearest words: weights, restrictions, 3CosMul, ranks, means, the odd one out, documents."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firth import nearest as nearest_module
from firth.errors import BadFile, BadOption, MissingExtra, UnknownWord
from firth.nearest import unit
from firth.stored import KINDS
from firth.vectors import WordVectors
from firth.vectors import search as search_module

WORDS = ["king", "queen", "man", "woman", "nothing", "apple"]
MATRIX = np.array([[5, 0, 1], [5, 1, 0], [1, 0, 1], [1, 1, 0], [0, 0, 0], [0, -3, 0]], np.float32)
KING_MAN, KING_WOMAN = 6 / np.sqrt(52), 5 / np.sqrt(52)


@pytest.fixture
def vectors():
    return WordVectors(WORDS, MATRIX, np.array([9, 8, 7, 6, 5, 4]))


# ---- the nearest, by their definition -------------------------------------------------------------


@st.composite
def questions(draw):
    """Vectors with equal and zero rows, stored in any way, and words and weights to ask of them."""
    V, D = draw(st.integers(2, 70)), draw(st.sampled_from([1, 3, 16, 33]))
    generator = np.random.default_rng(draw(st.integers(0, 99)))
    matrix = generator.integers(-2, 3, (V, D)).astype(np.float32)
    matrix[V // 2 :] = matrix[: V - V // 2] * 2
    vectors = WordVectors([f"w{row}" for row in range(V)], matrix).astype(draw(st.sampled_from(list(KINDS))))
    rows = generator.choice(V, draw(st.integers(1, min(4, V))), replace=False)
    weights = draw(st.lists(st.sampled_from([-2.0, -1.0, -0.5, 0.5, 1.0, 2.0]), min_size=len(rows), max_size=len(rows)))
    restrict = draw(
        st.sampled_from(
            [None, V // 2 + 1, range(V // 3, V), range(V, V + 3), [f"w{row}" for row in generator.choice(V, V // 2)]]
        )
    )
    return vectors, rows.tolist(), weights, restrict, draw(st.integers(1, V + 1))


def plain_cosines(vectors, target):
    """Cosines of the numbers that are stored, by the definition, in float64."""
    matrix = vectors.matrix.astype(np.float64)
    lengths = np.linalg.norm(matrix, axis=1) * np.linalg.norm(target)
    return np.divide(matrix @ target, lengths, out=np.zeros(len(matrix)), where=lengths > 1e-9)


def allowed(vectors, restrict, left_out):
    if restrict is None or isinstance(restrict, int):
        rows = range(len(vectors) if restrict is None else min(restrict, len(vectors)))
    else:
        rows = restrict if isinstance(restrict, range) else {vectors.index(word) for word in restrict}
    return sorted(row for row in rows if row < len(vectors) and row not in left_out)


def assert_best(vectors, found, scores, rows, topn, atol=2e-6):
    """`found` are the `topn` of `rows` with the best of `scores` (V,), in order, equal ones by row."""
    answered = [vectors.index(word) for word, _ in found]
    assert set(answered) <= set(rows)
    assert len(set(answered)) == len(answered) == min(topn, len(rows))
    np.testing.assert_allclose([score for _, score in found], scores[answered], atol=atol)
    np.testing.assert_allclose(scores[answered], np.sort(scores[rows])[::-1][:topn], atol=atol)
    assert [(-score, row) for (_, score), row in zip(found, answered, strict=True)] == sorted(
        (-score, row) for (_, score), row in zip(found, answered, strict=True)
    )


@given(questions())
def test_the_nearest_are_those_of_the_definition_however_rows_are_stored(question):
    vectors, rows, weights, restrict, topn = question
    units = [unit(vectors.matrix[row]).astype(np.float64) for row in rows]
    target = sum(weight * each for weight, each in zip(weights, units, strict=True))
    pairs = [(f"w{row}", weight) for row, weight in zip(rows, weights, strict=True)]
    wanted, unwanted = [each for each in pairs if each[1] > 0], [each for each in pairs if each[1] < 0]
    if np.linalg.norm(target) < 1e-4 and target.any():
        return  # what is left of numbers that nearly cancel has no direction
    found = vectors.most_similar(wanted, unwanted, topn, restrict=restrict, threads=1)
    assert_best(vectors, found, plain_cosines(vectors, target), allowed(vectors, restrict, rows), topn)


@given(questions())
def test_a_batch_has_the_nearest_of_the_definition_however_rows_are_stored(question):
    vectors, rows, _, restrict, topn = question
    queries = [f"w{row}" for row in rows] * 4 + [vectors.matrix[rows[0]] + 1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearest_module, "PART_NUMBERS", 64)
        answers = vectors.most_similar_batch(queries, topn, restrict=restrict, threads=2)
    for query, found in zip(queries, answers, strict=True):
        left_out = [vectors.index(query)] if isinstance(query, str) else []
        target = (vectors[query] if isinstance(query, str) else query).astype(np.float64)
        assert_best(vectors, found, plain_cosines(vectors, target), allowed(vectors, restrict, left_out), topn)


@given(questions())
def test_products_of_similarities_are_those_of_the_definition(question):
    """3CosMul: Levy & Goldberg (2014), eq. 4."""
    vectors, rows, _, restrict, topn = question
    wanted, unwanted = rows[: len(rows) // 2 + 1], rows[len(rows) // 2 + 1 :]
    halves = {row: (1 + plain_cosines(vectors, vectors.matrix[row].astype(np.float64))) / 2 for row in rows}
    scores = np.prod([halves[row] for row in wanted], axis=0)
    scores = scores / (np.prod([halves[row] for row in unwanted], axis=0) + 1e-6)
    found = vectors.most_similar_cosmul(
        [f"w{row}" for row in wanted], [f"w{row}" for row in unwanted], topn, restrict=restrict
    )
    if not unwanted:  # a quotient by next to nothing magnifies what float32 loses
        assert_best(vectors, found, scores, allowed(vectors, restrict, rows), topn)
    else:
        answered = [vectors.index(word) for word, _ in found]
        below = np.prod([halves[row] for row in unwanted], axis=0)
        tame = [place for place, row in enumerate(answered) if below[row] > 1e-3]
        got = np.array([score for _, score in found])
        np.testing.assert_allclose(got[tame], scores[answered][tame], rtol=1e-3, atol=1e-5)
        assert set(answered) <= set(allowed(vectors, restrict, rows))


@given(st.integers(40, 300), st.integers(1, 40), st.integers(1, 20), st.integers(0, 99))
def test_a_rough_search_first_changes_no_answer(V, D, topn, seed):
    generator = np.random.default_rng(seed)
    matrix = generator.integers(-2, 3, (V, D)).astype(np.float32)
    matrix[V // 2 :] = matrix[: V - V // 2]
    vectors = WordVectors([f"w{row}" for row in range(V)], matrix)
    target = generator.standard_normal(D)
    answers = []
    for cached in (range(0), range(1, 1 << 20)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(search_module, "IN_CACHE", cached)
            patch.setattr(nearest_module, "LARGEST_GEMV", 100)
            answers.append(
                (vectors.most_similar(target, topn=topn), vectors.most_similar(target, restrict=range(5, V)))
            )
    assert answers[0] == answers[1]


# ---- weights and restrictions ---------------------------------------------------------------------


def test_a_weight_counts_as_many_times(vectors):
    target = 2 * unit(MATRIX[0]) - 0.5 * unit(MATRIX[3])
    expected = plain_cosines(vectors, target.astype(np.float64))
    found = vectors.most_similar([("king", 2)], [("woman", -0.5)])
    assert dict(found) == {
        word: pytest.approx(expected[row], abs=1e-6) for row, word in enumerate(WORDS) if word not in ("king", "woman")
    }
    assert vectors.most_similar([("king", 2.0)]) == vectors.most_similar(("king", 2.0)) == vectors.most_similar("king")
    assert vectors.most_similar(["king", ("woman", -1)]) == vectors.most_similar("king", "woman")


def test_a_word_of_weight_zero_is_left_out_and_else_forgotten(vectors):
    found = vectors.most_similar(["king", ("apple", 0)])
    assert found == [each for each in vectors.most_similar("king") if each[0] != "apple"]


@pytest.mark.parametrize(
    ("restrict", "words"),
    [
        (2, ["queen"]),
        (range(1, 4), ["queen", "man", "woman"]),
        (range(3, 99), ["woman", "nothing", "apple"]),
        (range(6, 9), []),
        (["apple", "king", "man", "man"], ["man", "apple"]),
        (iter(["woman", "man"]), ["man", "woman"]),
        ([], []),
    ],
)
def test_answers_are_of_the_words_or_rows_given(vectors, restrict, words):
    assert [word for word, _ in vectors.most_similar("king", restrict=restrict)] == words


def test_a_batch_is_restricted_to_words_from_an_iterator_for_all_its_queries(vectors):
    queries = ["king", "queen", "man", "apple"]
    expected = [vectors.most_similar(query, restrict=["man", "woman"]) for query in queries]
    for count in (2, 4):
        found = vectors.most_similar_batch(queries[:count], restrict=iter(["woman", "man"]))
        assert [[word for word, _ in each] for each in found] == [[word for word, _ in each] for each in expected][
            :count
        ]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        (lambda v: v.most_similar("king", [("man", 0.5)]), "weights among negative must be 0 or less, got 0.5"),
        (lambda v: v.most_similar([("king", np.nan)]), "a weight must be a finite number, got nan for 'king'"),
        (lambda v: v.most_similar([("king", True)]), "a weight must be a finite number, got True"),
        (lambda v: v.most_similar("king", restrict="man"), "a number, a range or a list of words, got 'man'"),
        (lambda v: v.most_similar("king", restrict=range(0, 9, 2)), "a range of rows in steps of 1"),
        (lambda v: v.most_similar("king", restrict=range(-2, 3)), "from 0 or more"),
        (lambda v: v.most_similar("king", restrict=True), "restrict must be a whole number"),
        (lambda v: v.most_similar_cosmul(None, "king"), "at least one positive word or vector, got none"),
        (lambda v: v.most_similar_cosmul([("king", 2.0)]), "takes no weights"),
        (lambda v: v.analogy("man", "king", "woman", method="div"), "method must be one of add, mul; got 'div'"),
        (lambda v: v.mean_vector([]), "a list of at least one, got none"),
        (lambda v: v.mean_vector(["king"], [1, 2]), "weights must be 1 finite numbers"),
        (lambda v: v.mean_vector(["king"], [np.inf]), "weights must be 1 finite numbers"),
        (lambda v: v.n_similarity(["king"], []), "a list of at least one, got none"),
        (lambda v: v.doesnt_match([]), "a list of at least one, got none"),
        (lambda v: v.similarities("king", "man"), "others must be a list of words, got 'man'"),
        (lambda v: v.most_similar_to_given("king", "man"), "others must be a list of words, got 'man'"),
        (lambda v: v.most_similar_to_given("king", []), "others must name at least one word"),
        (lambda v: v.relative_cosine_similarity("nothing", "king"), "add up to 0"),
        (lambda v: v.wmdistance("king", ["man"]), "the first document must be a list of words, got 'king'"),
    ],
)
def test_queries_that_make_no_sense_are_told(vectors, query, sentence):
    with pytest.raises(BadOption, match=sentence):
        query(vectors)


@pytest.mark.parametrize(
    "query",
    [
        lambda v: v.most_similar("king", restrict=["man", "zebra"]),
        lambda v: v.most_similar_cosmul(["king", "zebra"]),
        lambda v: v.rank("king", "zebra"),
        lambda v: v.closer_than("zebra", "king"),
        lambda v: v.distances("king", ["zebra"]),
        lambda v: v.mean_vector(["king", "zebra"], ignore_missing=False),
        lambda v: v.mean_vector(["zebra", "giraffe"]),
        lambda v: v.n_similarity(["king"], ["zebra"]),
        lambda v: v.doesnt_match(["zebra"]),
        lambda v: v.doesnt_match(["king", "zebra"], ignore_missing=False),
        lambda v: v.most_similar_to_given("king", ["zebra"]),
        lambda v: v.relative_cosine_similarity("king", "zebra"),
        lambda v: v.wmdistance(["king"], ["zebra"], ignore_missing=False),
    ],
)
def test_every_query_tells_of_unknown_words(vectors, query):
    with pytest.raises(UnknownWord, match="zebra"):
        query(vectors)


# ---- words against words --------------------------------------------------------------------------


def test_an_analogy_may_be_multiplied(vectors):
    found = vectors.analogy("man", "king", "woman", method="mul")
    assert found == vectors.most_similar_cosmul(["king", "woman"], ["man"])
    assert found[0][0] == "queen"
    queen = (1 + 25 / 26) / 2 * (1 + KING_MAN) / 2 / ((1 + KING_WOMAN) / 2 + 1e-6)
    assert found[0][1] == pytest.approx(queen, rel=1e-5)


def test_a_word_may_be_similar_by_word_or_by_vector(vectors):
    assert vectors.similar_by_word("king", 2) == vectors.most_similar("king", topn=2)
    assert vectors.similar_by_vector(MATRIX[0], 1) == [("king", pytest.approx(1))]


def test_similarities_are_cosines_to_the_words_given_or_to_all(vectors):
    np.testing.assert_allclose(vectors.similarities("king", ["man", "queen", "man"]), [KING_MAN, 25 / 26, KING_MAN])
    np.testing.assert_allclose(vectors.distances("king"), [0, 1 / 26, 1 - KING_MAN, 1 - KING_WOMAN, 1, 1], atol=1e-6)
    assert vectors.similarities("king", []).shape == (0,)
    assert vectors.similarities(MATRIX[0]).dtype == np.float32


def test_words_closer_than_another_are_told_in_the_order_of_the_rows(vectors):
    assert vectors.closer_than("king", "woman") == ["queen", "man"]
    assert vectors.closer_than("king", "queen") == []
    assert vectors.closer_than(MATRIX[0], "queen") == ["king"]


@pytest.mark.parametrize(("word", "rank"), [("queen", 1), ("man", 2), ("woman", 3), ("nothing", 4), ("apple", 4)])
def test_a_rank_counts_words_that_are_closer(vectors, word, rank):
    """Nothing and apple are as far from king."""
    assert vectors.rank("king", word) == rank


def test_a_mean_is_of_unit_vectors_unless_told_otherwise(vectors):
    np.testing.assert_allclose(vectors.mean_vector(["man", "apple"]), [8**-0.5, -0.5, 8**-0.5], rtol=1e-6)
    np.testing.assert_allclose(vectors.mean_vector(["man", "woman"], pre_normalize=False), [1, 0.5, 0.5])
    assert np.linalg.norm(vectors.mean_vector(["man", "king"], post_normalize=True)) == pytest.approx(1)
    assert vectors.mean_vector("man", pre_normalize=False).tolist() == [1, 0, 1]
    assert vectors.mean_vector([MATRIX[0], "king"], pre_normalize=False).tolist() == [5, 0, 1]
    assert vectors.mean_vector(["nothing"], post_normalize=True).tolist() == [0, 0, 0]


def test_weights_of_a_mean_are_divided_by_what_they_add_up_to(vectors):
    mean = vectors.mean_vector(["man", "zebra", "woman"], [3, 50, -1], pre_normalize=False)
    np.testing.assert_allclose(mean, [0.5, -0.25, 0.75])
    assert vectors.mean_vector(["man", "woman"], [0, 0]).tolist() == [0, 0, 0]


def test_sets_are_as_similar_as_their_means(vectors):
    assert vectors.n_similarity(["king", "man", "zebra"], ["queen"]) == pytest.approx(15 / np.sqrt(10 * 26))
    assert vectors.n_similarity(["king"], ["nothing"]) == 0


def test_the_odd_one_out_is_least_like_the_mean(vectors):
    assert vectors.doesnt_match(["king", "apple", "queen", "man", "zebra"]) == "apple"
    assert vectors.doesnt_match(["man", "woman"]) == "man", "as near to the mean: the first given"
    ranked = vectors.rank_by_centrality(["king", "apple", "queen"])
    assert [word for word, _ in ranked] == ["king", "queen", "apple"]
    at_their_length = vectors.rank_by_centrality(["man", "king"], use_norm=False)
    assert at_their_length == [("king", pytest.approx(32 / np.sqrt(40))), ("man", pytest.approx(8 / np.sqrt(40)))]


def test_the_nearest_of_those_given_is_the_first_of_equal_ones(vectors):
    assert vectors.most_similar_to_given("king", ["woman", "man", "apple"]) == "man"
    assert vectors.most_similar_to_given("king", ["apple", "nothing"]) == "apple"


def test_a_relative_similarity_is_a_share_of_the_neighbours_similarities(vectors):
    assert vectors.relative_cosine_similarity("king", "man", topn=2) == pytest.approx(KING_MAN / (25 / 26 + KING_MAN))


# ---- documents ------------------------------------------------------------------------------------


def test_moving_a_document_costs_what_its_words_are_apart(vectors):
    assert vectors.wmdistance(["man"], ["woman"], norm=False) == pytest.approx(np.sqrt(2))
    assert vectors.wmdistance(["man"], ["woman"]) == pytest.approx(1), "at unit length"
    assert vectors.wmdistance(["man", "king"], ["king", "man"]) == pytest.approx(0)
    # Of man's 2/3, 1/2 stays; 1/6 goes to queen, and king's 1/3, too.
    cost = np.sqrt(18) / 6 + np.sqrt(2) / 3
    assert vectors.wmdistance(["man", "king", "man", "zebra"], ["man", "queen"], norm=False) == pytest.approx(cost)


def test_words_of_the_same_vector_cost_nothing_and_no_words_cost_infinitely_much():
    vectors = WordVectors(["a", "b"], np.ones((2, 3), np.float32))
    assert vectors.wmdistance(["a"], ["b"]) == 0
    assert vectors.wmdistance(["a"], ["zebra"]) == np.inf
    assert vectors.wmdistance([], []) == np.inf


def test_without_pot_the_command_that_installs_it_is_told(vectors, monkeypatch):
    monkeypatch.setitem(sys.modules, "ot", None)
    with pytest.raises(MissingExtra, match=r"wmdistance needs the package POT.*pip install 'firth\[wmd\]'"):
        vectors.wmdistance(["man"], ["woman"])


# ---- numbers that are none ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["most_similar", "most_similar_cosmul", "similarities", "mean_vector"])
def test_numbers_that_are_not_finite_are_told(name):
    matrix = MATRIX.copy()
    matrix[2, 1] = np.nan
    with pytest.raises(BadFile, match=r"that of 'man' \(row 2\)"):
        getattr(WordVectors(WORDS, matrix, check=False), name)(["man"] if name != "similarities" else "man")
