"""Word vectors made of others: added to, replaced, removed, chosen, renamed, merged, sorted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firth.errors import BadOption, UnknownWord
from firth.stored import KINDS
from firth.vectors import WordVectors

WORDS = ["a", "b", "c", "d"]
MATRIX = np.array([[1, 0], [0, 2], [3, 3], [0, 0]], np.float32)
COUNTS = np.array([9, 7, 7, 2])


@pytest.fixture(params=KINDS)
def vectors(request):
    """Numbers that every storage keeps as they are, but bits."""
    return WordVectors(WORDS, MATRIX, COUNTS).astype(request.param)


@pytest.fixture
def floats():
    return WordVectors(WORDS, MATRIX, COUNTS)


def contents(vectors):
    """The vector and the count of each word, in order."""
    counts = [None] * len(vectors) if vectors.counts is None else vectors.counts.tolist()
    return [(word, vectors[word].tolist(), count) for word, count in zip(vectors, counts, strict=True)]


def assert_whole(vectors):
    """Lengths that were taken over are those of the rows; searches work."""
    np.testing.assert_allclose(vectors.norms, np.linalg.norm(vectors.matrix, axis=1), rtol=1e-6)
    if len(vectors):
        assert len(vectors.most_similar(np.ones(2), topn=99)) == len(vectors)


@pytest.mark.parametrize(
    ("change", "rows"),
    [
        (lambda v: v.removed(["b", "d"]), [0, 2]),
        (lambda v: v.removed("a"), [1, 2, 3]),
        (lambda v: v.selected(["d", "a"]), [3, 0]),
        (lambda v: v.selected([]), []),
        (lambda v: v.sliced(2), [0, 1]),
        (lambda v: v.sliced(1, 3), [1, 2]),
        (lambda v: v.sliced(-3, -1), [1, 2]),
        (lambda v: v.sliced(3, 99), [3]),
        (lambda v: v.sliced(3, 1), []),
        (lambda v: v.pruned(most=2), [0, 1]),
        (lambda v: v.pruned(min_count=7), [0, 1, 2]),
        (lambda v: v.pruned(words=["d", "zebra", "b"]), [1, 3]),
        (lambda v: v.pruned(most=1, min_count=3, words=["d", "c", "b"]), [1]),
        (lambda v: v.selected(["d", "c", "a"]).pruned(most=2), [2, 0]),
        (lambda v: v.selected(["d", "c", "b", "a"]).sorted_by_count(), [0, 2, 1, 3]),
    ],
)
def test_some_of_the_words_keep_vectors_and_counts(vectors, change, rows):
    before = contents(vectors)
    changed = change(vectors)
    assert contents(changed) == [before[row] for row in rows]
    assert changed.dtype == vectors.dtype
    assert_whole(changed)
    assert contents(vectors) == before, "and nothing happens to the others"


def test_a_slice_shares_memory(vectors):
    for part in (vectors.sliced(1, 3), vectors.pruned(words=["b", "c"])):
        assert np.shares_memory(part.rows.tensors["input"], vectors.rows.tensors["input"])


def test_words_are_added_behind_the_others(vectors):
    more = vectors.added(["e", "f"], np.array([[5, 0], [0, 4]]), np.array([3, 1]))
    assert contents(more)[:4] == contents(vectors)
    assert more.words[4:] == ("e", "f")
    assert more.dtype == vectors.dtype
    alone = WordVectors(["e", "f"], np.array([[5, 0], [0, 4]])).astype(vectors.dtype)
    np.testing.assert_array_equal(more[["e", "f"]], alone.matrix)
    assert more.counts.tolist()[4:] == [3, 1]
    assert_whole(more)


def test_vectors_are_replaced_where_they_stand(floats):
    other = floats.replaced(["c", "a"], np.array([[7, 7], [8, 8]]))
    assert contents(other) == [("a", [8, 8], 9), ("b", [0, 2], 7), ("c", [7, 7], 7), ("d", [0, 0], 2)]
    assert_whole(other)


def test_names_change_and_vectors_do_not(vectors):
    other = vectors.renamed({"a": "b", "b": "a", "d": "D"})
    assert [vector for _, vector, _ in contents(other)] == [vector for _, vector, _ in contents(vectors)]
    assert other.words == ("b", "a", "c", "D")
    assert other.rows is vectors.rows


@pytest.mark.parametrize(("prefer", "expected"), [("first", [3, 3]), ("second", [1, 1]), ("mean", [2, 2])])
def test_of_words_in_both_the_one_preferred_is_taken(floats, prefer, expected):
    other = WordVectors(["x", "c"], np.array([[6, 6], [1, 1]]), np.array([100, 10]))
    both = floats.merged(other, prefer=prefer)
    assert contents(both) == [
        ("a", [1, 0], 9),
        ("b", [0, 2], 7),
        ("c", expected, 17),
        ("d", [0, 0], 2),
        ("x", [6, 6], 100),
    ]
    assert_whole(both)


def test_counts_are_kept_where_both_have_them(floats):
    assert floats.merged(WordVectors(["x"], np.ones((1, 2)))).counts is None
    assert floats.merged(WordVectors(["a"], np.ones((1, 2)), np.array([1]))).counts.tolist() == [10, 7, 7, 2]


def test_vectors_merge_with_those_stored_otherwise(vectors, floats):
    both = vectors.merged(floats.renamed({"a": "x"}))
    assert both.dtype == vectors.dtype
    assert both.words == (*WORDS, "x")
    assert floats.merged(vectors.renamed({"a": "x"}))["x"].tolist() == vectors["a"].tolist()


def test_normalized_vectors_have_length_one_or_zero(floats):
    assert floats.normalized().norms.tolist() == pytest.approx([1, 1, 1, 0])
    assert floats.normalized().counts is floats.counts or floats.normalized().counts.tolist() == COUNTS.tolist()


@given(st.integers(1, 30), st.integers(0, 30), st.integers(0, 99))
def test_to_add_and_to_remove_gives_what_there_was(V, more, seed):
    generator = np.random.default_rng(seed)
    vectors = WordVectors([f"w{row}" for row in range(V)], generator.standard_normal((V, 3)))
    news = [f"n{row}" for row in range(more)]
    back = vectors.added(news, generator.standard_normal((more, 3))).removed(news)
    assert back.words == vectors.words
    np.testing.assert_array_equal(back.matrix, vectors.matrix)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda v: v.added(["e", "a"], np.ones((2, 2)), [1, 1]),
            "'a' has a vector already; leave it out, or give it to",
        ),
        (lambda v: v.added(["e"], np.ones((1, 2))), "need counts, too"),
        (lambda v: v.added(["e", "e"], np.ones((2, 2)), [1, 1]), "must stand once, got 'e' twice"),
        (lambda v: v.added(["e"], np.ones((1, 3)), [1]), r"must be \(n, 2\) numbers, as these are, got shape \(1, 3\)"),
        (lambda v: v.added(["e"], np.ones((2, 2)), [1]), "a row for each word, got 2 for 1"),
        (lambda v: v.added("e", np.ones((1, 2)), [1]), "words must be a list of words, got 'e'"),
        (lambda v: v.replaced(["a", "b"], np.ones((1, 2))), "a row for each word, got 1 for 2"),
        (lambda v: v.selected(["a", "a"])["a"], "must stand once, got 'a' twice"),
        (lambda v: v.pruned(min_count=10), "no word of 4 is left"),
        (lambda v: v.pruned(words=["zebra"]), "no word of 4 is left"),
        (lambda v: v.pruned(most=0), "most must be a whole number, 1 or more, got 0"),
        (lambda v: WordVectors(["a"], v.matrix[:1]).pruned(min_count=2), "min_count needs counts"),
        (lambda v: WordVectors(["a"], v.matrix[:1]).sorted_by_count(), "needs counts"),
        (lambda v: v.renamed({"a": "b"}), "must stand once, got 'b' twice"),
        (lambda v: v.renamed({"a": 1}), "words must be strings, got 1"),
        (lambda v: v.merged(WordVectors(["x"], np.ones((1, 3)))), "must be of one size, got 2 and 3"),
        (lambda v: v.merged(v, prefer="both"), "prefer must be one of first, second, mean; got 'both'"),
    ],
)
def test_edits_that_make_no_sense_are_told(floats, change, sentence):
    with pytest.raises(BadOption, match=sentence):
        change(floats)


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v.removed(["zebra"]),
        lambda v: v.selected(["a", "zebra"]),
        lambda v: v.replaced(["zebra"], np.ones((1, 2))),
        lambda v: v.renamed({"zebra": "x"}),
    ],
)
def test_words_that_are_not_there_are_told(floats, change):
    with pytest.raises(UnknownWord, match="zebra"):
        change(floats)
