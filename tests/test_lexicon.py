"""The hash table of words: it numbers and counts as a dict would, however far it must grow."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firth.corpus import lexicon as module
from firth.corpus.lexicon import Lexicon
from firth.corpus.ranking import ranked_words
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
