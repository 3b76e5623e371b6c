"""The synthetic world: the same for a seed, consistent in its tables, and with the tail of real text."""

from __future__ import annotations

from collections import Counter
from itertools import chain, islice

import pytest

from firth.world import (
    ADJECTIVES,
    ANALOGIES,
    ANIMALS,
    COMMON,
    COUNTRIES,
    PEOPLE,
    RELATIONS,
    TOPICS,
    VERBS,
    sentences,
)

COUNT = 60_000


@pytest.fixture(scope="module")
def text() -> list[list[str]]:
    return list(sentences(COUNT, seed=1))


@pytest.fixture(scope="module")
def counts(text: list[list[str]]) -> Counter[str]:
    return Counter(chain.from_iterable(text))


def test_the_same_seed_gives_the_same_sentences() -> None:
    assert list(sentences(500, seed=3)) == list(sentences(500, seed=3))


def test_another_seed_gives_other_sentences() -> None:
    assert list(sentences(500, seed=3)) != list(sentences(500, seed=4))


def test_two_generators_do_not_disturb_each_other() -> None:
    first, second = sentences(50, seed=3), sentences(50, seed=3)
    assert list(zip(first, second, strict=True)) == [(each, each) for each in sentences(50, seed=3)]


def test_a_shorter_corpus_is_the_beginning_of_a_longer_one() -> None:
    assert list(sentences(100, seed=2)) == list(islice(sentences(500, seed=2), 100))


def test_the_count_is_kept(text: list[list[str]]) -> None:
    assert len(text) == COUNT
    assert list(sentences(0)) == []


def test_tokens_are_lower_case_words(counts: Counter[str]) -> None:
    assert [word for word in counts if not (word.isalpha() and word == word.lower())] == []


def test_sentences_have_some_ten_words(text: list[list[str]]) -> None:
    lengths = [len(sentence) for sentence in text]
    assert min(lengths) >= 5
    assert max(lengths) <= 25
    assert 8 < sum(lengths) / len(lengths) < 12


def test_every_topic_has_its_share() -> None:
    assert sum(topic.share for topic in TOPICS) == pytest.approx(1)


@pytest.mark.parametrize("column", ["country", "capital", "people", "region", "sight", "food"])
def test_no_fact_belongs_to_two_countries(column: str) -> None:
    values = [row[column] for row in COUNTRIES]
    assert len(set(values)) == len(values)


@pytest.mark.parametrize(
    ("rows", "least"), [(COUNTRIES, 30), (VERBS, 40), (ADJECTIVES, 30), (ANIMALS, 20), (PEOPLE, 16)]
)
def test_tables_are_large_enough_and_their_words_are_one_token_each(rows, least: int) -> None:
    assert len(rows) >= least
    singular = {"object", "noun", "deed", "habit", "home"}
    cells = [row[column] for row in rows for column in row if column not in singular]
    assert all(len(cell) == 1 and cell[0].isalpha() for cell in cells)


def test_no_word_of_the_relations_has_two_places_in_a_table() -> None:
    for rows in (COUNTRIES, VERBS, ADJECTIVES, ANIMALS, PEOPLE):
        related = {word for pairs in RELATIONS.values() for pair in pairs for word in pair}
        places = Counter(cell for row in rows for cells in row.values() for cell in cells if cell in related)
        assert {word for word, count in places.items() if count > 1} == set()


def test_no_made_up_name_is_a_word_of_the_text() -> None:
    phrases = [phrase for topic in TOPICS for phrase in topic.patterns]
    phrases += [phrase for topic in TOPICS for row in topic.rows for cell in row.values() for phrase in cell]
    phrases += [phrase for slot in COMMON.keys() - {"surname", "village"} for phrase in COMMON[slot]]
    words = {word for phrase in phrases for word in phrase.split()}
    assert words & {*COMMON["surname"], *COMMON["village"]} == set()
    assert set(COMMON["surname"]) & set(COMMON["village"]) == set()


def test_no_word_of_the_relations_is_a_common_word() -> None:
    common = {word for phrases in COMMON.values() for phrase in phrases for word in phrase.split()}
    assert common & {word for pairs in RELATIONS.values() for pair in pairs for word in pair} == set()


def test_every_word_of_the_relations_is_frequent(counts: Counter[str]) -> None:
    rare = {word for pairs in RELATIONS.values() for pair in pairs for word in pair if counts[word] < 40}
    assert rare == set()


def test_the_known_analogies_are_asked() -> None:
    assert ANALOGIES[:3] == (
        ("man", "king", "woman", "queen"),
        ("france", "paris", "italy", "rome"),
        ("walked", "walking", "swam", "swimming"),
    )


def test_analogies_ask_for_four_different_words_and_no_question_twice() -> None:
    assert all(len(set(question)) == 4 for question in ANALOGIES)
    assert len(set(ANALOGIES)) == len(ANALOGIES)


def test_further_analogies_follow_from_the_relations() -> None:
    pairs = {pair for relation in RELATIONS.values() for pair in relation}
    assert all({(a, b), (c, answer)} <= pairs for a, b, c, answer in ANALOGIES[1:])


def test_a_long_tail_of_words_occurs_more_than_five_times(counts: Counter[str]) -> None:
    assert sum(count > 5 for count in counts.values()) > 1_900


def test_a_full_corpus_has_thousands_of_words_above_the_usual_cut() -> None:
    counts = Counter(chain.from_iterable(sentences()))
    assert 1_500_000 < counts.total() < 2_500_000
    assert sum(count >= 5 for count in counts.values()) > 3_500


@pytest.mark.parametrize("rank", [3, 10])
def test_villages_thin_out_by_zipf(counts: Counter[str], rank: int) -> None:
    """Ten times the rank has about a tenth of the occurrences."""
    ranked = sorted((counts[village] for village in COMMON["village"]), reverse=True)
    assert ranked[rank - 1] / ranked[10 * rank - 1] == pytest.approx(10, rel=0.35)
