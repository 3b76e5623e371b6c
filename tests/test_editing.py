"""Word vectors made of others: added to, replaced, removed, chosen, renamed, merged, sorted."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_ins import subword_vectors

from firth.errors import BadFile, BadOption, UnknownWord
from firth.ngrams import NGrams
from firth.stored import KINDS
from firth.transforms import align, retrofitted, transformed
from firth.vectors import SubwordVectors, WordVectors

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


# ---- with n-grams -----------------------------------------------------------------------------------

SOME = {"there": 9, "these": 7, "those": 7, "them": 2}


@pytest.fixture
def subwords():
    return subword_vectors(SOME)[0]


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        (lambda v: v.removed(["these", "them"]), ["there", "those"]),
        (lambda v: v.selected(["them", "there"]), ["them", "there"]),
        (lambda v: v.sliced(1, 3), ["these", "those"]),
        (lambda v: v.sliced(2), ["there", "these"]),
        (lambda v: v.sliced(0, 0), []),
        (lambda v: v.pruned(min_count=7, most=2), ["there", "these"]),
        (lambda v: v.selected(["them", "there"]).sorted_by_count(), ["there", "them"]),
        (lambda v: v.added(["new"], np.ones((1, 4)), [1]), [*SOME]),
        (lambda v: v.replaced(["them"], np.ones((1, 4))), [*SOME][:3]),
        (lambda v: v.renamed({"them": "they"}), [*SOME][:3]),
        (lambda v: v.merged(WordVectors(["new"], np.ones((1, 4)))), [*SOME]),
        (lambda v: v.astype("float32"), [*SOME]),
        (lambda v: v.astype("binary", rescore=4), [*SOME]),
        (copy.copy, [*SOME]),
        (copy.deepcopy, [*SOME]),
        (lambda v: pickle.loads(pickle.dumps(v)), [*SOME]),
    ],
)
def test_n_grams_stay_with_words_chosen_and_added(subwords, change, kept):
    unseen = subwords.vector("therese")
    changed = change(subwords)
    assert isinstance(changed, SubwordVectors)
    assert (changed.gram_rows is subwords.gram_rows) or (changed.gram_rows == subwords.gram_rows).all()
    for word in kept:
        np.testing.assert_array_equal(changed.vector(word), subwords[word])
    np.testing.assert_array_equal(changed.vector("therese"), unseen)
    gone = [word for word in SOME if word not in changed]
    for word in gone:  # which is a word never seen from then on
        by_grams = subwords.removed(word).vector(word)
        np.testing.assert_array_equal(changed.vector(word), by_grams)
        assert (by_grams != subwords[word]).any()
    if len(changed):
        assert changed.most_similar("therese", topn=1)[0][1] > 0
        np.testing.assert_allclose(changed.norms, np.linalg.norm(changed.matrix, axis=1), rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_n_grams_stay_float32_whatever_words_are_stored_as(subwords, kind):
    if kind == "pq":
        pytest.importorskip("faiss", reason="faiss is not installed: pip install 'firth[ann]'")
    narrow = subwords.astype(kind)
    assert (narrow.dtype, narrow.gram_rows.dtype) == (kind, np.float32)
    np.testing.assert_array_equal(narrow.vector("therese"), subwords.vector("therese"))
    near = [word for word, _ in narrow.most_similar("therese", topn=4)]
    assert near == [word for word, _ in WordVectors(SOME, narrow.matrix).most_similar(subwords.vector("therese"))]
    back = pickle.loads(pickle.dumps(narrow))
    assert back.dtype == kind
    np.testing.assert_array_equal(back.vector("therese"), subwords.vector("therese"))


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v.normalized(),
        lambda v: transformed(v, centre=True),
        lambda v: retrofitted(v, {"there": ["them"]}),
        lambda v: align(v, v).vectors,
        lambda v: WordVectors(["new"], np.ones((1, 4))).merged(v),
    ],
)
@pytest.mark.filterwarnings("ignore:.*pairs of words are fewer")
def test_n_grams_are_left_out_where_they_would_be_of_other_vectors(subwords, change):
    assert type(change(subwords)) is WordVectors


def test_n_grams_of_damaged_rows_are_told_when_a_word_has_them(subwords):
    rows = subwords.gram_rows.copy()
    rows[0] = np.inf
    bad = SubwordVectors([*SOME], subwords.matrix, gram_rows=rows, kind=subwords.kind, buckets=subwords.buckets)
    with pytest.raises(BadFile, match="n-grams of 'therese' have rows that are not finite numbers"):
        bad.most_similar("therese")


def test_looking_n_grams_up_takes_memory_for_those_that_have_a_row(subwords):
    kind = NGrams(3, 6, 2**31 - 1)
    rows, buckets = np.ones((2, 4), np.float32), np.array([2**31 - 2, 5])
    few = SubwordVectors([*SOME], subwords.matrix, gram_rows=rows, kind=kind, buckets=buckets)
    assert few.gram_rows_of(np.array([5, 6, 4, 2**31 - 2, 0])).tolist() == [1, -1, -1, 0, -1]
    assert few.gram_rows_between(4, 7).tolist() == [[0] * 4, [1] * 4, [0] * 4]
    with pytest.raises(UnknownWord, match="none of its n-grams stands in a word that was"):
        few.vector("therese")
    none = SubwordVectors([*SOME], subwords.matrix, gram_rows=rows[:0], kind=kind, buckets=buckets[:0])
    with pytest.raises(UnknownWord, match="the model has no n-grams"):
        none.vector("therese")
