"""The hash table of words: it numbers and counts as a dict would, however far it must grow."""

import re
from collections import Counter
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firth.corpus import lexicon as module
from firth.corpus.lexicon import Lexicon
from firth.corpus.ranking import MOST_IN_KEY, ranked_words
from firth.corpus.tokenizers import LETTERS, WHITESPACE
from firth.errors import BadCorpus

WORDS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4), max_size=60)


def buffers(texts):
    data = [text.encode() for text in texts]
    starts = np.concatenate([[0], np.cumsum([len(each) for each in data])]).astype(np.int64)
    return np.frombuffer(b"".join(data), np.uint8), starts


def words_of(lexicon):
    words, counts = lexicon.words()
    return dict(zip(words.cast(pa.large_string()).to_pylist(), counts.tolist(), strict=True))


def by_dict(words):
    numbers = {}
    return [numbers.setdefault(word, len(numbers)) for word in words]


@given(WORDS)
def test_words_are_numbered_as_met_and_counted(words):
    lexicon = Lexicon()
    assert lexicon.number(*buffers(words)).tolist() == by_dict(words)
    assert words_of(lexicon) == Counter(words)
    assert len(lexicon) == len(set(words))


@given(st.lists(st.text(st.sampled_from("ab é\t"), max_size=9), min_size=1, max_size=9), st.integers(0, 3))
def test_texts_are_cut_from_wherever_they_begin(texts, skipped):
    data, offsets = buffers(texts)
    data, offsets = np.concatenate([np.full(skipped, ord("z"), np.uint8), data]), offsets + skipped
    lexicon = Lexicon()
    numbers, lengths = lexicon.split(data, offsets, WHITESPACE)
    cut = [text.split() for text in texts]
    assert lengths.tolist() == [len(each) for each in cut]
    assert numbers.tolist() == by_dict(word for each in cut for word in each)
    assert words_of(lexicon) == Counter(word for each in cut for word in each)


@pytest.mark.parametrize("ready_made", [False, True])
def test_a_table_grows_as_far_as_words_need_and_counts_each_once(ready_made):
    distinct = [f"word{number}" for number in range(150_000)]  # several doublings of all its parts
    words = distinct[:70_000] + distinct
    lexicon = Lexicon()
    for some in (words[:1000], words[1000:]):
        if ready_made:
            lexicon.number(*buffers(some))
        else:
            lexicon.split(*buffers([" ".join(some)]), WHITESPACE)
    assert words_of(lexicon) == Counter(words)
    assert lexicon.number(*buffers(words)).tolist() == by_dict(words)


def test_one_word_may_be_larger_than_the_table_at_first():
    long = "x" * (1 << 20)
    lexicon = Lexicon()
    numbers, lengths = lexicon.split(*buffers([f"a {long} a {long}y"]), WHITESPACE)
    assert numbers.tolist() == [0, 1, 0, 2]
    assert lengths.tolist() == [4]
    assert words_of(lexicon) == {"a": 2, long: 1, f"{long}y": 1}


WIDE_SPACES = "\x85\xa0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000"
NEARLY_SPACES = "\x84\xa1\u1681\u200b\u2027\u202a\u2030\u2060\u3001"  # begin with the same bytes


@settings(max_examples=200)
@given(
    st.lists(
        st.text(st.sampled_from("ab é \n" + WIDE_SPACES + NEARLY_SPACES), max_size=90).map(lambda text: text * 9),
        min_size=1,
        max_size=4,
    ),
    st.integers(0, 64),
)
def test_spaces_of_several_bytes_separate_wherever_they_stand(texts, skipped):
    """They are cut by blocks of 64 bytes, and here by pieces of a few tokens: on the seams nothing may be lost."""
    data, offsets = buffers(["z" * skipped, *texts])
    numbers, lengths = Lexicon().split(data, offsets[1:], WHITESPACE)
    cut = [text.split() for text in texts]
    assert lengths.tolist() == [len(each) for each in cut]
    assert numbers.tolist() == by_dict(word for each in cut for word in each)


@pytest.mark.parametrize("between", [" ", "\u3000", " \u2003 \u205f"])
@pytest.mark.parametrize("word", ["a", "bcd", "longer-than-one-block-of-bytes" * 3])
def test_a_text_of_many_pieces_is_cut_as_one(word, between):
    for skipped in range(9):
        data, offsets = buffers(["z" * skipped, (word + between) * 3000])
        numbers, lengths = Lexicon().split(data, offsets[1:], WHITESPACE)
        assert lengths.tolist() == [3000]
        assert not numbers.any()


def test_words_of_all_sizes_are_told_apart_at_all_places_of_a_page():
    """A word near a page's end is read byte by byte; long ones are found by a hash."""
    words = [letter * size for size in range(1, 40) for letter in "ab"]
    words += ["same start, " + middle + ", same end" for middle in "xyz"] + ["a\0", "a\0\0", "\0", "\0\0"]
    expected = by_dict(words)
    for shift in range(0, 64, 7):
        data, offsets = buffers(["z" * (4096 - shift), *(words * 4)])
        lexicon = Lexicon()
        assert lexicon.number(data, offsets[1:]).tolist() == expected * 4
        assert words_of(lexicon) == dict.fromkeys(words, 4)


@given(st.lists(st.binary(max_size=9).map(lambda some: some.replace(b"a", b"\n")), max_size=40), st.integers(0, 70))
def test_lines_are_where_their_feeds_are(parts, skipped):
    data = np.frombuffer(b"z" * skipped + b"".join(parts), np.uint8)[skipped:]
    found = module.lines(data)
    joined = b"".join(parts)
    assert [joined[a:b] for a, b in pairwise(found)] == (re.findall(rb"[^\n]*\n|[^\n]+", joined) or [b""])


def test_tokens_of_one_byte_fill_no_more_than_was_reserved():
    lexicon = Lexicon()
    numbers, lengths = lexicon.split(*buffers(["a", "b", "c d", "é", "e"] * 999), LETTERS)
    assert lengths.tolist() == [1, 1, 2, 0, 1] * 999
    assert len(numbers) == 5 * 999


def test_more_words_than_can_be_numbered_are_refused(monkeypatch):
    monkeypatch.setattr(module, "MOST_WORDS", 1 << 16)
    lexicon = Lexicon()
    lexicon.number(*buffers([str(number) for number in range(1 << 16)]))
    with pytest.raises(BadCorpus, match=r"more than 65,536 different words, .*; choose a tokenizer"):
        lexicon.number(*buffers(["one more"]))


@settings(max_examples=200)
@given(st.lists(WORDS, min_size=1, max_size=4))
def test_lexicons_merge_into_one_ranking_by_count_and_then_bytes(parts):
    lexicons = [Lexicon() for _ in parts]
    numbers = [lexicon.number(*buffers(words)).tolist() for lexicon, words in zip(lexicons, parts, strict=True)]
    words, counts, ranks = ranked_words(lexicons)
    together = Counter(word for part in parts for word in part)
    expected = sorted(together.items(), key=lambda pair: (-pair[1], pair[0].encode()))
    assert list(zip(words.to_pylist(), counts.tolist(), strict=True)) == expected
    for part, given_numbers, rank in zip(parts, numbers, ranks, strict=True):
        assert [expected[rank[number]][0] for number in given_numbers] == part


def test_counts_beyond_what_a_key_holds_rank_all_the_same():
    words = [f"same beginning {number}" for number in range(40)] + ["b", "a"]
    counts = [MOST_IN_KEY - 20 + 7 * number % 40 for number in range(40)] + [MOST_IN_KEY + 1] * 2
    lexicon = Lexicon()
    lexicon.number(*buffers(words), np.array(counts, np.uint64))
    ranked, found, _ = ranked_words([lexicon])
    expected = sorted(zip(words, counts, strict=True), key=lambda pair: (-pair[1], pair[0]))
    assert list(zip(ranked.to_pylist(), found.tolist(), strict=True)) == expected
