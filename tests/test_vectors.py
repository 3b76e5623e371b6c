"""Words and their vectors: look-up, similarity, neighbours, analogies."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firth import nearest as nearest_module
from firth.errors import BadFile, BadOption, UnknownWord
from firth.nearest import cosines, highest, nearest, read_through, unit
from firth.screen import Screen, rounding
from firth.stored import Floats
from firth.vectors import WordVectors
from firth.vectors import search as search_module

WORDS = ["king", "queen", "man", "woman", "nothing", "apple"]
MATRIX = np.array([[5, 0, 1], [5, 1, 0], [1, 0, 1], [1, 1, 0], [0, 0, 0], [0, -3, 0]], np.float32)


@pytest.fixture
def vectors():
    return WordVectors(WORDS, MATRIX, np.array([9, 8, 7, 6, 5, 4]))


def random_vectors(V, D=8, seed=0):
    matrix = np.random.default_rng(seed).standard_normal((V, D), dtype=np.float32)
    return WordVectors([f"w{row}" for row in range(V)], matrix)


def plain_cosines(vectors, target):
    """Cosines by the definition, in float64."""
    matrix = vectors.matrix.astype(np.float64)
    lengths = np.linalg.norm(matrix, axis=1) * np.linalg.norm(target)
    return np.divide(matrix @ target, lengths, out=np.zeros(len(matrix)), where=lengths > 0)


# ---- words and rows -------------------------------------------------------------------------------


def test_a_word_gives_its_row(vectors):
    assert vectors["queen"].tolist() == [5, 1, 0]
    assert vectors.index("queen") == 1


def test_a_list_of_words_gives_a_matrix(vectors):
    np.testing.assert_array_equal(vectors[["man", "king", "man"]], MATRIX[[2, 0, 2]])
    assert vectors[[]].shape == (0, 3)


def test_it_is_a_collection_of_words(vectors):
    assert list(vectors) == WORDS
    assert len(vectors) == 6
    assert "king" in vectors
    assert "prince" not in vectors
    assert 0 not in vectors
    assert vectors.vector_size == 3
    assert vectors.counts.tolist() == [9, 8, 7, 6, 5, 4]
    assert repr(vectors) == "WordVectors(6 words, vector_size=3)"


def test_what_it_gives_out_cannot_change_it(vectors):
    for array in (vectors.matrix, vectors["king"], vectors.counts):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_the_matrix_given_stays_writable_and_is_not_copied():
    matrix = MATRIX.copy()
    vectors = WordVectors(WORDS, matrix)
    assert matrix.flags.writeable
    assert np.shares_memory(vectors.matrix, matrix)


def test_padded_rows_are_not_copied():
    padded = np.zeros((6, 16), np.float32)
    padded[:, :3] = MATRIX
    vectors = WordVectors(WORDS, padded[:, :3])
    assert np.shares_memory(vectors.matrix, padded)
    assert vectors.most_similar("king") == WordVectors(WORDS, MATRIX).most_similar("king")


def test_columns_that_are_strided_are_copied():
    vectors = WordVectors(WORDS, np.asfortranarray(MATRIX))
    assert vectors.matrix.flags.c_contiguous


def test_other_numbers_become_float32():
    assert WordVectors(["a"], np.array([[1, 2]])).matrix.dtype == np.float32


@pytest.mark.parametrize(
    ("words", "matrix", "counts", "sentence"),
    [
        (["a", "a"], np.ones((2, 2)), None, "must stand once, got 'a' twice"),
        (["a"], np.ones((2, 2)), None, "a row for each word, got 2 for 1"),
        (["a"], np.ones(2), None, r"\(V, D\) numbers"),
        (["a"], np.ones((1, 0)), None, r"\(V, D\) numbers"),
        (["a"], np.array([["x"]]), None, r"\(V, D\) numbers"),
        (["a"], np.ones((1, 2)), np.ones(2, np.int64), "counts must be one for each of 1 words"),
        (["a", 1], np.ones((2, 2)), None, "words must be strings, got 1"),
    ],
)
def test_what_does_not_fit_together_is_told(words, matrix, counts, sentence):
    with pytest.raises(BadOption, match=sentence):
        WordVectors(words, matrix, counts)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e25])
def test_numbers_that_are_not_finite_are_told(bad):
    matrix = np.ones((3, 2), np.float32)
    matrix[1, 1] = bad
    with pytest.raises(BadFile, match=r"that of 'b' \(row 1\) is not; train again"):
        WordVectors(["a", "b", "c"], matrix)
    unchecked = WordVectors(["a", "b", "c"], matrix, check=False)
    with pytest.raises(BadFile, match=r"that of 'b' \(row 1\)"):
        unchecked.most_similar("a")


def test_numbers_that_are_not_finite_are_told_in_a_similarity():
    vectors = WordVectors(["a", "b"], np.array([[1, 1], [1, np.nan]], np.float32), check=False)
    with pytest.raises(BadFile, match="that of 'b'"):
        vectors.similarity("a", "b")


def test_norms_hold_for_numbers_whose_squares_vanish():
    vectors = WordVectors(["a", "b"], np.array([[3e-25, 4e-25], [3, 4]], np.float32))
    np.testing.assert_allclose(vectors.norms, [5e-25, 5], rtol=1e-6)
    assert vectors.similarity("a", "b") == pytest.approx(1)
    assert vectors.most_similar("b")[0] == ("a", pytest.approx(1))


# ---- unknown words --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "close"),
    [("King", "king"), ("QUEEN", "queen"), ("quen", "queen"), ("womans", "woman"), ("aple", "apple")],
)
def test_an_unknown_word_is_told_with_close_ones(vectors, word, close):
    with pytest.raises(UnknownWord, match=f"^no vector for the word '{word}'; close to it: {close}$"):
        vectors[word]


@pytest.mark.parametrize("word", ["zebra", "", 7, None])
def test_an_unknown_word_without_close_ones_is_told(vectors, word):
    with pytest.raises(UnknownWord, match=f"no vector for the word {word!r}; leave it out"):
        vectors.index(word)


def test_an_error_sent_elsewhere_takes_no_vectors_along(vectors):
    with pytest.raises(UnknownWord) as caught:
        vectors["quen"]
    sent = pickle.loads(pickle.dumps(caught.value))
    assert str(sent) == str(caught.value)
    assert type(sent.args[0]) is str


def test_every_query_tells_of_unknown_words(vectors):
    for query in (
        lambda: vectors[["king", "zebra"]],
        lambda: vectors.most_similar("zebra"),
        lambda: vectors.most_similar("king", "zebra"),
        lambda: vectors.most_similar_batch(["king", "zebra"]),
        lambda: vectors.similarity("king", "zebra"),
        lambda: vectors.analogy("king", "zebra", "man"),
    ):
        with pytest.raises(KeyError, match="zebra"):
            query()


# ---- similarity and neighbours --------------------------------------------------------------------


def test_similarity_is_the_cosine(vectors):
    assert vectors.similarity("man", "woman") == pytest.approx(0.5)
    assert vectors.distance("man", "woman") == pytest.approx(0.5)
    assert vectors.similarity("man", "man") == pytest.approx(1)
    assert vectors.similarity("man", np.array([-1, 0, -1])) == pytest.approx(-1)


def test_a_zero_vector_is_similar_to_nothing(vectors):
    assert vectors.similarity("nothing", "king") == 0
    assert vectors.similarity("nothing", "nothing") == 0
    assert ("nothing", 0.0) in vectors.most_similar("king")
    assert {score for _, score in vectors.most_similar("nothing")} == {0.0}


def test_neighbours_come_nearest_first(vectors):
    assert vectors.most_similar("king") == [
        ("queen", pytest.approx(25 / 26)),
        ("man", pytest.approx(6 / np.sqrt(52))),
        ("woman", pytest.approx(5 / np.sqrt(52))),
        ("nothing", 0),
        ("apple", 0),
    ]


def test_a_queen_is_to_a_woman_as_a_king_is_to_a_man(vectors):
    assert vectors.analogy("man", "king", "woman", topn=1)[0][0] == "queen"
    assert vectors.analogy("man", "king", "woman") == vectors.most_similar(["king", "woman"], ["man"])


def test_words_and_vectors_are_brought_to_unit_length_before_the_mean(vectors):
    mean = unit(MATRIX[0]) + unit(MATRIX[1]) - unit(MATRIX[5])
    expected = plain_cosines(vectors, mean.astype(np.float64))
    given = vectors.most_similar([MATRIX[0] * 100, "queen"], MATRIX[5])
    assert dict(given) == {
        word: pytest.approx(float(expected[row]), abs=1e-6) for row, word in enumerate(WORDS) if word != "queen"
    }


def test_one_query_need_not_stand_in_a_list(vectors):
    assert vectors.most_similar("king") == vectors.most_similar(["king"])
    assert vectors.most_similar(negative="king") == vectors.most_similar(negative=["king"])
    assert vectors.most_similar(MATRIX[0]) == vectors.most_similar(MATRIX[:1])
    assert vectors.most_similar(MATRIX[0])[0][0] == "king"


@pytest.mark.parametrize("topn", [1, 3, 5, 100])
def test_no_more_answers_than_asked_for_or_there_are(vectors, topn):
    assert len(vectors.most_similar("king", topn=topn)) == min(topn, 5)
    assert len(vectors.most_similar_batch(["king"], topn=topn)[0]) == min(topn, 5)


def test_when_every_word_is_asked_for_none_is_answered(vectors):
    assert vectors.most_similar(WORDS) == []


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        (lambda v: v.most_similar(), "at least one word or vector, got none"),
        (lambda v: v.most_similar([]), "at least one word or vector, got none"),
        (lambda v: v.most_similar("king", topn=0), "topn must be a whole number, 1 or more, got 0"),
        (lambda v: v.most_similar("king", threads=0), "threads must be a whole number, 1 or more, got 0"),
        (lambda v: v.most_similar("king", restrict=0), "restrict must be a whole number, 1 or more, got 0"),
        (lambda v: v.most_similar_batch(["king"], threads=0), "threads must be a whole number, 1 or more, got 0"),
        (lambda v: v.most_similar(np.ones(2)), "a vector of 3 finite numbers"),
        (lambda v: v.most_similar(np.array([1, np.nan, 1])), "a vector of 3 finite numbers"),
        (lambda v: v.most_similar([None]), "a vector of 3 finite numbers"),
        (lambda v: v.most_similar_batch("king"), "list of words or vectors, got .king.; give a list"),
        (lambda v: v.most_similar_batch(None), "got None; give a list"),
        (lambda v: v.most_similar_batch({"king": 1}), "got {'king': 1}; give a list"),
        (lambda v: v.most_similar_batch(["king"], topn=0), "topn must be a whole number, 1 or more, got 0"),
    ],
)
def test_queries_that_make_no_sense_are_told(vectors, query, sentence):
    with pytest.raises(BadOption, match=sentence):
        query(vectors)


@pytest.fixture
def small_parts(monkeypatch):
    """Let few rows be enough for threads, blocks, groups and a screen."""
    monkeypatch.setattr(nearest_module, "PART_NUMBERS", 64)
    monkeypatch.setattr(nearest_module, "BLOCK_NUMBERS", 100)
    monkeypatch.setattr(nearest_module, "QUERIES", 7)
    monkeypatch.setattr(search_module, "LEAST_SCREENED", 64)
    monkeypatch.setattr(search_module, "PATIENCE_NUMBERS", 64)


@pytest.mark.parametrize("threads", [1, 2, 7, 50])
def test_threads_change_no_answer(small_parts, threads):
    expected = random_vectors(400).most_similar("w3", threads=1)
    vectors = random_vectors(400)
    for _ in range(search_module.PATIENCE + 2):
        assert vectors.most_similar("w3", threads=threads) == expected


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("topn", [1, 10, 600])
def test_a_batch_answers_as_each_query_alone(small_parts, topn, threads):
    vectors = random_vectors(555)
    queries = [*vectors.words[::30], vectors["w5"] * 2, vectors["w6"] - vectors["w7"]]
    for query, found in zip(queries, vectors.most_similar_batch(queries, topn, threads=threads), strict=True):
        expected = vectors.most_similar(query, topn=topn)
        assert [word for word, _ in found] == [word for word, _ in expected]
        np.testing.assert_allclose([score for _, score in found], [score for _, score in expected], atol=1e-6)


@pytest.mark.parametrize("count", [2, 9])
def test_a_batch_may_come_from_an_iterator(vectors, count):
    queries = ["king", "man", "woman"] * 3
    assert vectors.most_similar_batch(iter(queries[:count])) == vectors.most_similar_batch(queries[:count])


@pytest.mark.parametrize("topn", [100, 250, 1000])
def test_a_part_keeps_no_more_answers_than_it_has_rows(small_parts, monkeypatch, topn):
    from firth import nearest_kernels

    shapes = []
    kernel = nearest_kernels.best_rows
    monkeypatch.setattr(nearest_kernels, "best_rows", lambda *args: (shapes.append(args[-1].shape[1]), kernel(*args)))
    vectors = random_vectors(300)
    queries = vectors.words[:8]
    found = vectors.most_similar_batch(queries, topn, threads=3)
    assert set(shapes) == {100}
    assert found == vectors.most_similar_batch(queries, topn, threads=1)
    assert len(found[0]) == min(topn, 299)


@pytest.mark.parametrize("count", [1, 2, 20])
def test_equal_scores_are_answered_in_the_order_of_the_rows(small_parts, count):
    """Row 5 lies off the others, which are one vector at three lengths and so all alike."""
    matrix = np.ones((300, 20), np.float32) * np.array([1, 2, 4], np.float32).repeat(100)[:, None]
    matrix[5, :3] = 9
    vectors = WordVectors([f"w{row}" for row in range(300)], matrix)
    expected = [f"w{row}" for row in [0, 1, 2, 3, 4, *range(6, 40)]][:count]
    target = np.ones(20, np.float32)
    for _ in range(search_module.PATIENCE + 2):
        assert [word for word, _ in vectors.most_similar(target, topn=count, threads=2)] == expected
    for found in vectors.most_similar_batch([target] * 9, topn=count, threads=2):
        assert [word for word, _ in found] == expected


@pytest.mark.parametrize("restrict", [1, 7, 100, 999])
def test_answers_may_be_restricted_to_the_first_words(small_parts, restrict):
    vectors, first = random_vectors(200), min(restrict, 200)
    alone = WordVectors(vectors.words[:first], vectors.matrix[:first])
    target = vectors["w150"] + vectors["w3"]
    expected = alone.most_similar(target)
    for _ in range(search_module.PATIENCE + 2):
        assert vectors.most_similar(target, restrict=restrict) == expected
    for found in vectors.most_similar_batch([target] * 5, restrict=restrict):
        assert [word for word, _ in found] == [word for word, _ in expected]
    assert "w150" not in dict(vectors.most_similar("w150", topn=200, restrict=restrict))


def test_a_screen_is_made_for_many_numbers_alone_and_after_some_searches(monkeypatch):
    monkeypatch.setattr(search_module, "PATIENCE_NUMBERS", 12 * 800)
    monkeypatch.setattr(search_module, "KERNELS", "not loaded")
    vectors = random_vectors(100)
    for _ in range(13):
        vectors.most_similar("w1")
    assert vectors._search.screen is None
    monkeypatch.setattr(search_module, "LEAST_SCREENED", 800)
    vectors = random_vectors(100)
    for _ in range(12):
        vectors.most_similar("w1")
    assert vectors._search.screen is None
    vectors.most_similar("w1")
    assert vectors._search.screen is not None


def test_words_unchecked_are_checked_when_looked_up():
    vectors = WordVectors(["a", "b", "a"], np.ones((3, 2), np.float32), check=False)
    with pytest.raises(BadOption, match="must stand once, got 'a' twice"):
        vectors.most_similar("b")


def test_products_are_the_same_by_either_way(monkeypatch):
    matrix, target = random_vectors(50, D=30).matrix, np.ones(30, np.float32)
    fast, _ = read_through(matrix, target, threads=1)
    monkeypatch.setattr(nearest_module, "LONGEST_DOT", 29)
    plain, _ = read_through(matrix, target, threads=1)
    np.testing.assert_allclose(fast, plain, atol=1e-5)
    np.testing.assert_allclose(plain, matrix.astype(np.float64).sum(axis=1), atol=1e-5)


@given(st.integers(1, 300), st.integers(1, 40), st.integers(1, 30), st.integers(0, 99), st.integers(-30, 15))
def test_a_screen_leaves_no_row_out_that_is_among_the_best(V, D, count, seed, exponent):
    """Also where rows are outliers, zero, or differ by the smallest numbers."""
    generator = np.random.default_rng(seed)
    matrix = generator.standard_normal((V, D)) ** 3 * 10.0**exponent
    matrix[generator.random(V) < 0.1] = 0
    matrix[V // 2 :] = matrix[: V - V // 2] * (1 + 1e-7 * generator.standard_normal((V - V // 2, 1)))
    vectors = WordVectors([str(row) for row in range(V)], matrix)
    target, count = unit(generator.standard_normal(D)), min(count, V)
    screen = Screen(vectors.matrix, vectors.norms, threads=1)
    products, _ = read_through(vectors.matrix, target, threads=1)
    best = highest(cosines(products, vectors.norms), count)
    assert set(best.tolist()) <= set(screen.candidates(target, count, V, threads=1).tolist())


@pytest.mark.parametrize(("D", "stride"), [(1, 1), (16, 16), (33, 48), (100, 100)])
def test_a_screen_s_codes_are_the_nearest_and_their_errors_known(D, stride):
    """Also of rows whose numbers are very small or large, zero, or padded."""
    matrix = np.random.default_rng(0).standard_normal((300, stride)).astype(np.float32)[:, :D]
    matrix *= np.logspace(-36, 17, 300, dtype=np.float32)[:, None]
    matrix[7] = 0
    vectors = WordVectors([f"w{row}" for row in range(300)], matrix)
    screen = Screen(vectors.matrix, vectors.norms, threads=1)
    lengths = np.linalg.norm(matrix.astype(np.float64), axis=1)
    units = matrix / np.where(lengths > 0, lengths, 1)[:, None]
    copies = screen._codes[:, :D] * screen._scales[:, None].astype(np.float64)
    assert (np.abs(units - copies) <= (0.5 + 1e-4) * screen._scales[:, None] + 1e-12).all()
    assert (np.abs(screen._codes).max(axis=1) == np.where(lengths > 0, 127, 0)).all()
    assert not screen._codes[:, D:].any()
    distances = np.linalg.norm(units - copies, axis=1)
    assert (screen._errors >= distances).all()
    assert (screen._errors <= distances + 2 * rounding(D)).all()


def test_a_screen_leaves_few_rows():
    vectors = random_vectors(5000, D=100)
    screen = Screen(vectors.matrix, vectors.norms, threads=1)
    assert len(screen.candidates(unit(vectors["w7"]), 11, 5000, threads=1)) < 100


def test_rows_too_much_alike_for_a_screen_are_all_read(small_parts):
    """All within the error of their copies."""
    matrix = 1 + 1e-4 * np.random.default_rng(0).standard_normal((500, 20))
    vectors = WordVectors([f"w{row}" for row in range(500)], matrix)
    expected = vectors.most_similar("w3")
    for _ in range(search_module.PATIENCE + 2):
        assert vectors.most_similar("w3") == expected


def test_an_empty_batch_has_no_answers(vectors):
    assert vectors.most_similar_batch([]) == []


@given(
    st.integers(1, 90), st.integers(1, 40), st.integers(1, 30), st.integers(1, 99), st.integers(1, 4), st.integers(0, 9)
)
def test_nearest_rows_are_those_of_a_full_sort(V, D, Q, topn, threads, seed):
    """Small whole numbers make many equal scores; rows may be strided."""
    generator = np.random.default_rng(seed)
    matrix = generator.integers(-2, 3, (V, D + 3)).astype(np.float32)[:, :D]
    norms = np.linalg.norm(matrix, axis=1).astype(np.float32)
    queries = generator.standard_normal((Q, D), dtype=np.float32)
    excluded = generator.integers(-1, V, (Q, 2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearest_module, "PART_NUMBERS", 64)
        rows, scores = nearest(Floats(matrix), norms, queries, excluded, topn, threads)
    assert rows.shape == scores.shape == (Q, min(topn, V))
    every = queries.astype(np.float64) @ matrix.T / np.where(norms > 0, norms, 1)
    for query in range(Q):
        left_out = set(excluded[query].tolist()) - {-1}
        expected = sorted((every[query, row] for row in range(V) if row not in left_out), reverse=True)[:topn]
        answered = rows[query][scores[query] > -np.inf]
        np.testing.assert_allclose(every[query, answered], expected, atol=1e-5)
        np.testing.assert_allclose(scores[query][: len(answered)], expected, atol=1e-5)
        assert len(set(answered.tolist())) == len(answered)
        assert not left_out & set(answered.tolist())
        order = sorted(zip(-scores[query], rows[query], strict=True))
        assert order == list(zip(-scores[query], rows[query], strict=True)), "highest first, equal ones by row"


@given(st.lists(st.floats(-(2**60), 2**60, width=32), min_size=1, max_size=9))
def test_a_unit_vector_has_length_one_or_zero(numbers):
    vector = np.array(numbers, np.float32)
    length = float(np.linalg.norm(unit(vector)))
    assert length == pytest.approx(1 if vector.any() else 0, abs=1e-5)


# ---- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["v.safetensors", "v.txt", "v.vec", "v.bin", "v.bin.gz"])
def test_vectors_come_back_from_a_file(tmp_path, vectors, name):
    vectors.save(tmp_path / name)
    loaded = WordVectors.load(str(tmp_path / name))
    assert loaded.words == vectors.words
    np.testing.assert_array_equal(loaded.matrix, MATRIX)
    assert loaded.most_similar("king") == vectors.most_similar("king")


def test_the_model_file_alone_keeps_counts(tmp_path, vectors):
    vectors.save(tmp_path / "v.safetensors")
    assert WordVectors.load(tmp_path / "v.safetensors").counts.tolist() == [9, 8, 7, 6, 5, 4]
    vectors.save(tmp_path / "v.bin")
    assert WordVectors.load(tmp_path / "v.bin").counts is None


def test_the_format_may_be_named(tmp_path, vectors):
    vectors.save(tmp_path / "v", "word2vec-text")
    assert WordVectors.load(tmp_path / "v", "word2vec-text").words == vectors.words


def test_a_subclass_loads_as_itself(tmp_path, vectors):
    class Mine(WordVectors):
        pass

    vectors.save(tmp_path / "v.txt")
    assert type(Mine.load(tmp_path / "v.txt")) is Mine


def test_words_and_vectors_come_in_any_shape(vectors):
    wanted = vectors.most_similar(["king", "woman"], ["man"])
    assert vectors.most_similar(("king", "woman"), ("man",)) == wanted
    assert vectors.most_similar(np.array(["king", "woman"]), np.array(["man"])) == wanted
    flat = vectors["king"].tolist()
    assert vectors.most_similar(flat)[0][0] == "king", "a flat list of numbers is one vector"
    assert vectors.most_similar([np.array(flat, np.float32)]) == vectors.most_similar(flat)


@pytest.mark.parametrize("topn", [0, -1, 2.5, None, "3", True])
def test_how_many_is_a_whole_number(vectors, topn):
    with pytest.raises(BadOption, match="topn must be a whole number, 1 or more"):
        vectors.most_similar("king", topn=topn)


@pytest.mark.parametrize("queries", [3, {"king": 0.5}])
def test_what_is_neither_word_nor_vector_is_told(vectors, queries):
    with pytest.raises(BadOption, match="queries must be words or vectors"):
        vectors.most_similar(queries)
    with pytest.raises(
        BadOption, match=r"looked up by word or list of words, all strings, got 3; take \['3'\] for that word"
    ):
        vectors[3]
    assert ["king"] not in vectors
