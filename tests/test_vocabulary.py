"""The vocabulary: ranked, cut, kept in files, and the chances that training draws with."""

import gzip
import math
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firth.corpus import encoded_corpus
from firth.draws import CHANCE_ONE
from firth.errors import BadCorpus, BadFile, BadOption, CannotWrite, MissingFile
from firth.vocabulary import Vocabulary, from_ranked, numbers_in

SENTENCES = [["b", "a", "b", "é"], ["a", "z", "b", "b"], ["é", "ä", "New York"]]
COUNTS = st.lists(st.integers(0, 10**9), min_size=1, max_size=200)
WORD = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\ufeff"))
SAME_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def with_counts(counts):
    return Vocabulary.of_words([f"w{number}" for number in range(len(counts))], counts)


def counted(**cuts):
    with encoded_corpus(SENTENCES) as corpus:
        return from_ranked(corpus.words, corpus.counts, **cuts)


# ---- ranked and cut ----------------------------------------------------------------------------


def test_words_are_ranked_by_count_and_then_by_their_bytes():
    vocabulary = counted()
    assert vocabulary.words == ("b", "a", "é", "New York", "z", "ä")
    assert vocabulary.counts.tolist() == [4, 2, 2, 1, 1, 1]
    assert vocabulary.total == 11
    assert list(vocabulary) == list(vocabulary.words)
    assert len(vocabulary) == 6


def test_rare_words_are_cut_and_at_most_so_many_kept():
    assert counted(min_count=2).words == ("b", "a", "é")
    assert counted(min_count=3).words == ("b",)
    assert counted(most=2).words == ("b", "a")
    assert counted(min_count=2, most=9).words == ("b", "a", "é")


@given(st.lists(st.sampled_from([1, 2, 3, 5, 8]), min_size=1), st.integers(1, 8), st.none() | st.integers(1, 9))
def test_any_cut_is_the_head_of_the_ranking(counts, min_count, most):
    whole = with_counts(counts)
    kept = [word for word, count in zip(whole.words, whole.counts, strict=True) if count >= min_count][:most]
    words = pa.array(whole.words, pa.large_string())
    if kept:
        assert list(from_ranked(words, whole.counts, min_count=min_count, most=most)) == kept
    else:
        with pytest.raises(BadCorpus):
            from_ranked(words, whole.counts, min_count=min_count, most=most)


def test_cutting_every_word_tells_how_many_there_were_and_the_highest_count():
    with pytest.raises(BadCorpus, match=r"min_count = 5 times .* it has 6 different words, .*'b', is 4; lower min_"):
        counted(min_count=5)


def test_given_words_are_ranked_as_counted_ones():
    given_words = Vocabulary.of_words(["z", "é", "b", "New York", "ä", "a"], np.array([1, 2, 4, 1, 1, 2]))
    assert given_words == counted()
    assert hash(given_words) == hash(counted())
    assert given_words != counted(most=2)
    assert given_words != "something else"


def test_words_of_a_corpus_find_their_numbers_in_a_given_vocabulary():
    vocabulary = Vocabulary.of_words(["a", "new", "b"], [9, 5, 1])
    with encoded_corpus(SENTENCES) as corpus:
        numbers = numbers_in(vocabulary, corpus.words)
        assert numbers.dtype == np.int32
        assert numbers.tolist() == [2, 0, -1, -1, -1, -1]


@pytest.mark.parametrize(
    ("words", "counts", "message"),
    [
        (["a", "b"], [1], "2 words need as many counts, got 1"),
        ([], [], "at least one word"),
        (["a", "b", "a"], [1, 2, 3], "the word 'a' is given twice"),
        (["a"], [-1], "counts must be whole numbers from 0 to .*, got -1 for 'a'"),
        (["a"], [1.5], "counts must be whole numbers"),
        (["a"], [2**63], "counts must be whole numbers"),
        (["a", 3], [1, 1], "words must be strings that UTF-8 can hold, got 3"),
        (["\ud800"], [1], "words must be strings that UTF-8 can hold"),
    ],
)
def test_words_and_counts_that_make_no_vocabulary_are_refused(words, counts, message):
    with pytest.raises(BadOption, match=message):
        Vocabulary.of_words(words, counts)


def test_a_vocabulary_made_directly_is_checked_too():
    for words, counts in ((("a",), [1, 2]), ((), []), (("a",), [-1])):
        with pytest.raises(BadOption):
            Vocabulary(words, np.array(counts, np.int64))


# ---- in files ----------------------------------------------------------------------------------


@SAME_FOLDER
@given(st.dictionaries(WORD, st.integers(0, 2**63 - 1), min_size=1, max_size=20))
def test_what_is_saved_is_loaded_again(tmp_path, counts):
    vocabulary = Vocabulary.of_words(list(counts), list(counts.values()))
    vocabulary.save(tmp_path / "words.tsv")
    assert Vocabulary.load(tmp_path / "words.tsv") == vocabulary


@pytest.mark.parametrize("word", ["New York", " a ", "a\tb", "", "\u2028", "a\x0bb", "a\r", "\x85", "5", "a 5"])
def test_words_with_spaces_of_any_kind_survive_a_file(tmp_path, word):
    vocabulary = Vocabulary.of_words([word, "other"], [7, 3])
    vocabulary.save(tmp_path / "words.tsv")
    assert Vocabulary.load(tmp_path / "words.tsv") == vocabulary


@pytest.mark.parametrize(
    "text",
    ["a 7\nNew York 3\n", "New York\t3\na\t7", "\ufeffa\t7\r\nNew York\t3\r\n", "a 7 \nNew York\t3 \n"],
    ids=["spaces", "any order, no final newline", "from windows", "spaces at the ends"],
)
def test_words_and_counts_from_elsewhere_are_read(tmp_path, text):
    expected = Vocabulary.of_words(["a", "New York"], [7, 3])
    (tmp_path / "words.txt").write_bytes(text.encode())
    assert Vocabulary.load(str(tmp_path / "words.txt")) == expected
    (tmp_path / "words.gz").write_bytes(gzip.compress(text.encode()))
    assert Vocabulary.load(tmp_path / "words.gz") == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a\t1\nb\n", "line 2 of .* must hold a word and its count, got 'b'; put a tab"),
        (b"a\tmany\n", "line 1 of .* must hold a word and its count"),
        (b"a\t-1\n", "line 1 of .* must hold"),
        (b"a\t1\n\nb\t1\n", "line 2 of .* must hold"),
        (b"a\t1\na\t2\n", "is not a vocabulary: the word 'a' is given twice"),
        (b"a\t99999999999999999999\n", "is not a vocabulary: counts must be whole numbers"),
        (b"", "holds no words"),
        (b"caf\xe9\t3\n", "is not UTF-8 text"),
    ],
)
def test_files_that_hold_no_vocabulary_are_refused(tmp_path, content, message):
    (tmp_path / "words.tsv").write_bytes(content)
    with pytest.raises(BadFile, match=message):
        Vocabulary.load(tmp_path / "words.tsv")


def test_a_vocabulary_that_is_not_there_is_named(tmp_path):
    with pytest.raises(MissingFile, match="nowhere"):
        Vocabulary.load(tmp_path / "nowhere")
    with pytest.raises(MissingFile):
        Vocabulary.load(tmp_path)
    with pytest.raises(CannotWrite):
        counted().save(tmp_path / "no folder" / "words.tsv")


def test_a_word_with_a_line_end_is_not_saved_as_text(tmp_path):
    with pytest.raises(BadOption, match=r"must not hold a line's end .*'a\\nb'"):
        Vocabulary.of_words(["a\nb"], [1]).save(tmp_path / "words.tsv")
    assert list(tmp_path.iterdir()) == []


def test_the_table_has_a_row_a_word():
    table = counted(most=2).table()
    assert table.to_pydict() == {"word": ["b", "a"], "count": [4, 2]}
    assert table.schema.types == [pa.large_string(), pa.int64()]


# ---- chances -----------------------------------------------------------------------------------


@pytest.mark.parametrize("sample", [1e-5, 1e-3, 0.1, 1.0])
def test_frequent_words_are_kept_as_seldom_as_word2vec_c_keeps_them(sample):
    vocabulary = with_counts([50_000, 1000, 1000, 30, 1])
    chances = vocabulary.keep_chances(sample)
    assert chances.dtype == np.uint32
    for count, chance in zip(vocabulary.counts.tolist(), chances.tolist(), strict=True):
        share = sample * vocabulary.total / count  # t / f
        assert chance == pytest.approx(min(1, math.sqrt(share) + share) * CHANCE_ONE, abs=0.51)


def test_without_sampling_every_word_is_kept():
    assert with_counts([10**9, 1]).keep_chances(0).tolist() == [CHANCE_ONE, CHANCE_ONE]


@settings(max_examples=200, deadline=None)
@given(COUNTS, st.sampled_from([-2, -0.5, 0, 0.75, 1, 2]))
def test_the_noise_table_gives_each_word_its_share(counts, exponent):
    vocabulary = with_counts(counts)
    table = vocabulary.noise_table(exponent)
    V = len(vocabulary)
    assert table.dtype == np.uint32
    assert table.shape == (V, 2)
    assert table.flags.c_contiguous
    assert (table[:, 0] <= CHANCE_ONE).all()
    assert (table[:, 1] < V).all()
    given_share = np.zeros(V)
    np.add.at(given_share, np.arange(V), table[:, 0].astype(float))
    np.add.at(given_share, table[:, 1], CHANCE_ONE - table[:, 0].astype(float))
    weights = np.maximum(vocabulary.counts, 1).astype(float) ** exponent
    # Each of the V rows is rounded to 2^-24 and drawn once in V times.
    np.testing.assert_allclose(given_share / (V * CHANCE_ONE), weights / weights.sum(), rtol=0, atol=2.0**-24)


def test_a_counted_vocabulary_has_the_counts_of_the_text():
    text = [["x"] * 3, ["y", "x"], []]
    with encoded_corpus(text) as corpus:
        vocabulary = from_ranked(corpus.words, corpus.counts)
    assert dict(zip(vocabulary.words, vocabulary.counts, strict=True)) == Counter(sum(text, []))  # noqa: RUF017


def test_an_encoded_corpus_gives_its_vocabulary_without_training():
    with encoded_corpus([["a", "b", "a"], ["a", "c", "b"]]) as corpus:
        assert Vocabulary.of(corpus, min_count=2).words == ("a", "b")
        assert Vocabulary.of(corpus, max_vocabulary=1).words == ("a",)
        assert Vocabulary.of(corpus).total == 6


def test_words_stand_by_falling_count_each_once():
    assert Vocabulary(["a", "b"], [2, 1]) == Vocabulary.of_words(["b", "a"], [1, 2])
    for words, counts in (("a", "b"), (1, 2)), (("a", "a"), (2, 1)):
        with pytest.raises(BadOption, match="by falling count, each once"):
            Vocabulary(words, np.array(counts))


def test_words_without_counts_are_kept_alike():
    chances = Vocabulary(("a", "b"), np.zeros(2, np.int64)).keep_chances(1e-3)
    np.testing.assert_array_equal(chances, Vocabulary(("a", "b"), np.ones(2, np.int64)).keep_chances(1e-3))
