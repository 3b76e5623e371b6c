"""Phrases: counted, scored and joined as a plain dictionary does it, however the corpus is cut and memory is short."""

import json
import math
from collections import Counter
from contextlib import ExitStack
from itertools import pairwise
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firth import EncodedCorpus, Phrases, Word2Vec, encoded_corpus
from firth.corpus import writer
from firth.errors import BadCorpus, BadFile, BadOption, CannotWrite, MissingFile, NotTrained
from firth.options import PhraseOptions
from firth.phrases import ENGLISH_CONNECTOR_WORDS, finding, joining
from firth.phrases.finding import count_all, numbers_of, ranked, roles_of
from firth.phrases.table import words_of_run

# ---- the reference -----------------------------------------------------------------------------


def candidates(sentence, connectors):
    """Every two words of a sentence with nothing but connectors between, as (first, *connectors, last)."""
    start = None
    for place, word in enumerate(sentence):
        if word not in connectors:
            if start is not None:
                yield tuple(sentence[start : place + 1])
            start = place


def reference(sentences, *, min_count=5, threshold=10.0, scoring="count", connector_words=()):
    """The phrases of some sentences: words -> (score, count)."""
    connectors = set(connector_words)
    words = Counter(word for sentence in sentences for word in sentence)
    pairs = Counter(pair for sentence in sentences for pair in candidates(sentence, connectors))
    size, tokens = len(words.keys() - connectors) + len(pairs), words.total()
    found = {}
    for pair, count in pairs.items():
        a, b = words[pair[0]], words[pair[-1]]
        if scoring == "count":
            score = (count - min_count) / (a * b) * size
        else:
            score = math.log(count / tokens / (a / tokens * b / tokens)) / -math.log(count / tokens)
        if count >= min_count and score > threshold:
            found[pair] = score, count
    return found


def reference_join(sentence, found, connectors, delimiter="_"):
    """A sentence with phrases joined: what stands waits for the next word, and is taken with it or let go."""
    out, waiting = [], []
    for word in sentence:
        if word in connectors:
            (waiting if waiting else out).append(word)
        elif (*waiting, word) in found:
            out.append(delimiter.join([*waiting, word]))
            waiting = []
        else:
            out += waiting
            waiting = [word]
    return out + waiting


def decoded(corpus):
    """An encoded corpus's sentences as lists of words."""
    words, sentences = corpus.words.to_pylist(), []
    for chunk in corpus.chunks(1 << 20):
        sentences += [
            [words[token] for token in chunk.tokens[begin:end]] for begin, end in pairwise(chunk.offsets.tolist())
        ]
    return sentences


def found_by(phrases):
    return {each.words: (each.score, each.count) for each in phrases.phrases}


WORDS = ["a", "b", "c", "a_b", "b_c", "_", "é"]
CONNECTORS = ["of", "the"]
texts = st.lists(st.lists(st.sampled_from(WORDS + CONNECTORS), max_size=12), min_size=1, max_size=12).filter(any)
options = st.fixed_dictionaries(
    {
        "min_count": st.integers(1, 3),
        "connector_words": st.sampled_from([(), ("of",), ("the", "of"), ("of", "unknown")]),
    }
).flatmap(
    lambda given: st.one_of(
        st.fixed_dictionaries({**{k: st.just(v) for k, v in given.items()}, "threshold": st.sampled_from([0, 0.7, 2])}),
        st.fixed_dictionaries(
            {
                **{k: st.just(v) for k, v in given.items()},
                "scoring": st.just("npmi"),
                "threshold": st.sampled_from([-1, -0.3001, 0.1001, 0.5001]),  # no score is just there
            }
        ),
    )
)


# ---- finding -----------------------------------------------------------------------------------

NEW_YORK = [["new", "york", "is", "big"], ["new", "york"], ["i", "love", "new", "york"]]


def test_scores_worked_out_by_hand():
    """6 words and 5 different pairs; new and york stand together 3 times, and never apart."""
    (phrase,) = Phrases(min_count=1, threshold=2).fit(NEW_YORK).phrases
    assert phrase == ("new_york", (3 - 1) / (3 * 3) * 11, 3, ("new", "york"))
    npmi = {each.phrase: each.score for each in Phrases(min_count=1, scoring="npmi", threshold=0).fit(NEW_YORK)}
    assert npmi["new_york"] == pytest.approx(1)
    assert npmi["york_is"] == pytest.approx(math.log(0.1 / (0.3 * 0.1)) / -math.log(0.1))


def test_connector_words_stand_within_phrases_and_count_in_no_score():
    text = [["bank", "of", "america"]] * 3 + [["of", "bank", "of", "the", "america", "the"]]
    found = Phrases(min_count=1, threshold=0.1, connector_words=["of", "the"]).fit(text)
    # 2 words and 2 pairs: bank of america, bank of the america. The second occurs once, so its score is 0.
    assert found.phrases == [("bank_of_america", (3 - 1) / (4 * 4) * 4, 3, ("bank", "of", "america"))]
    assert found[["the", "bank", "of", "america", "of"]] == ["the", "bank_of_america", "of"]


def test_a_phrase_must_score_above_the_threshold():
    at = (3 - 1) / 9 * 11
    assert not Phrases(min_count=1, threshold=at).fit(NEW_YORK).phrases
    assert Phrases(min_count=1, threshold=np.nextafter(at, 0)).fit(NEW_YORK).phrases


def test_pairs_do_not_reach_over_the_end_of_a_sentence():
    assert not Phrases(min_count=1, threshold=-1, scoring="npmi").fit([["a"], ["b"], ["a"], ["b"]]).phrases


def test_phrases_come_by_score_then_count_then_words():
    text = [["x", "y"]] * 3 + [["c", "d"]] * 2 + [["a", "b"]] * 2 + [["x", "z"]]
    found = Phrases(min_count=1, scoring="npmi", threshold=0.5).fit(text).phrases
    assert [each.phrase for each in found] == ["a_b", "c_d", "x_y"]
    assert [each.phrase for each in finding.ranked([found[2]._replace(score=1.0), *found[:2]])] == ["x_y", "a_b", "c_d"]


@given(texts, options, st.integers(1, 3), st.integers(1, 20))
def test_what_is_found_is_what_a_dictionary_finds(text, options, workers, stretch):
    with patch.object(finding, "STRETCH", stretch):
        phrases = Phrases(**options, workers=workers).fit(text)
    expected = reference(text, **options)
    found = found_by(phrases)
    assert {words: count for words, (_, count) in found.items()} == {w: count for w, (_, count) in expected.items()}
    for words, (score, _) in found.items():
        assert score == pytest.approx(expected[words][0], rel=1e-12, abs=1e-12)


@pytest.fixture(scope="module")
def many_pairs():
    generator = np.random.default_rng(1)
    words = [f"w{number}" for number in range(200)] + list(CONNECTORS)
    text = [generator.choice(words, size).tolist() for size in generator.integers(0, 60, 600)]
    with encoded_corpus(text) as corpus:
        yield text, corpus


@pytest.mark.parametrize("threads", [1, 3])
def test_counts_are_exact_however_small_the_memory(many_pairs, threads):
    """With room for some hundred pairs of 12,000, the corpus is gone through many times."""
    text, corpus = many_pairs
    expected = Counter(pair for sentence in text for pair in candidates(sentence, CONNECTORS))
    roles = roles_of(numbers_of(CONNECTORS, corpus.words).tolist(), len(corpus.words))
    sweeps = []
    usual = finding._Counter._take
    with patch.object(finding._Counter, "_take", lambda self, slots: (sweeps.append(len(slots)), usual(self, slots))):
        pairs = count_all(corpus, roles, least=2, memory=1, threads=threads)
    assert len(sweeps) > 10
    assert max(sweeps) == finding.FEWEST_SLOTS
    words = corpus.words.to_pylist()
    found = {}
    for first, middle, last, count in zip(pairs.first, pairs.middle, pairs.last, pairs.counts, strict=True):
        between = (words[word] for word in words_of_run(pairs.runs, middle))
        found[(words[first], *between, words[last])] = count
    assert pairs.different == len(expected)
    assert found == {pair: count for pair, count in expected.items() if count >= 2}
    assert len(found) == len(pairs.counts)


def test_a_table_that_must_grow_keeps_its_counts(many_pairs):
    text, corpus = many_pairs
    with patch.object(finding, "TOKENS_TO_A_SLOT", 1 << 30):
        small = Phrases(min_count=2, threshold=1).fit(corpus).phrases
    assert small == Phrases(min_count=2, threshold=1).fit(corpus).phrases
    assert {each.words for each in small} == reference(text, min_count=2, threshold=1).keys()


def test_no_phrase_spans_a_run_of_connectors_that_there_was_no_room_for():
    text = [["a", "of", "b"], ["a", "of", "the", "b"], ["a", "the", "b"]] * 2
    with patch.object(finding, "MOST_RUNS", 2):
        found = Phrases(min_count=1, threshold=0, connector_words=CONNECTORS).fit(text)
    assert {each.words for each in found} == {("a", "of", "b"), ("a", "of", "the", "b")}


# ---- joining -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sentence", "joined"),
    [
        ("a a a", "a_a a"),
        ("a a a a", "a_a a_a"),
        ("b a a b", "b a_a b"),
        ("of a a of", "of a_a of"),
        ("a of b a", "a_of_b a"),
        ("a of of b", "a of of b"),
        ("a of c a of b", "a of c a_of_b"),
        ("c a", "c a"),
        ("a_a a", "a_a a"),
        ("", ""),
    ],
)
def test_the_first_phrase_from_the_left_takes_its_words(sentence, joined):
    phrases = Phrases(min_count=1, threshold=0, connector_words=["of"]).fit([["a", "a"], ["a", "of", "b"]] * 2)
    assert [each.words for each in phrases] == [("a", "of", "b"), ("a", "a")]
    assert phrases[sentence.split()] == joined.split()
    if sentence:
        with phrases.transform(encoded_corpus([sentence])) as corpus:
            assert decoded(corpus) == [joined.split()]


@given(texts, texts, options, st.integers(1, 9), st.sampled_from(["_", "::"]))
def test_corpora_and_lists_are_joined_alike_wherever_they_are_cut(text, other, options, stretch, delimiter):
    """`other` holds words that the phrases do not know, and lacks some that they do."""
    phrases = Phrases(**options, delimiter=delimiter).fit(text)
    found, connectors = reference(text, **options), options["connector_words"]
    other = [*other, ["new", "a", "b"]]
    expected = [reference_join(sentence, found, connectors, delimiter) for sentence in other]
    assert list(phrases[other]) == expected
    with ExitStack() as small:
        small.enter_context(patch.object(joining, "STRETCH", stretch))
        small.enter_context(patch.object(writer, "BATCH_TOKENS", 8))
        corpus = small.enter_context(encoded_corpus(other))
        joined = small.enter_context(phrases.transform(corpus))
        assert decoded(joined) == [sentence for sentence in expected if sentence]
        with encoded_corpus(expected) as anew:
            assert joined.words.equals(anew.words)
            assert joined.counts.tolist() == anew.counts.tolist()
        assert joined.sentences == sum(map(bool, expected))


@settings(max_examples=30)
@given(texts, options)
def test_passes_are_fits_one_after_the_other(text, options):
    twice = Phrases(**options, passes=2).fit(text)
    first = Phrases(**options).fit(text)
    joined = list(first[text])
    second = Phrases(**options).fit(joined)
    assert list(twice[text]) == list(second[joined])
    assert twice.phrases == ranked([*first.phrases, *second.phrases])
    with encoded_corpus(text) as corpus, twice.transform(corpus) as joined_corpus:
        assert decoded(joined_corpus) == [sentence for sentence in second[joined] if sentence]


def test_with_two_passes_phrases_have_up_to_four_words():
    text = [["new", "york", "stock", "exchange"]] * 3 + [["new", "york"], ["stock", "exchange"]]
    phrases = Phrases(min_count=1, scoring="npmi", threshold=0.3, passes=2).fit(text)
    assert phrases[["the", "new", "york", "stock", "exchange"]] == ["the", "new_york_stock_exchange"]


def test_sentences_are_joined_as_they_are_asked_for_and_again():
    phrases = Phrases(min_count=1, threshold=2).fit(NEW_YORK)
    joined = phrases.transform(NEW_YORK)
    assert [list(joined), list(joined)] == [[["new_york", "is", "big"], ["new_york"], ["i", "love", "new_york"]]] * 2
    drawn = []
    generator = (drawn.append(number) or sentence for number, sentence in enumerate(NEW_YORK))
    sentences = iter(phrases[generator])
    assert next(sentences) == ["new_york", "is", "big"]
    assert drawn == [0]
    assert list(sentences) == [["new_york"], ["i", "love", "new_york"]]
    assert phrases[(word for word in ["new", "york"])] == ["new_york"]
    assert phrases[[]] == []


def test_a_model_trains_on_what_is_joined(tmp_path):
    (tmp_path / "text.txt").write_text("new york is big\nnew york\ni love new york\n" * 9)
    phrases = Phrases(min_count=10, threshold=0.2).fit(tmp_path / "text.txt")
    corpus = phrases.transform(str(tmp_path / "text.txt"))
    assert isinstance(corpus, EncodedCorpus)
    options = {"vector_size": 16, "min_count": 1, "workers": 1, "sample": 0, "epochs": 1}
    model = Word2Vec(**options).fit(corpus)
    assert set(model.vocabulary) == {"new_york", "is", "big", "i", "love"}
    lists = Word2Vec(**options).fit(
        phrases[[line.split() for line in (tmp_path / "text.txt").read_text().splitlines()]]
    )
    np.testing.assert_array_equal(lists.vectors.matrix, model.vectors.matrix)
    folder = corpus.folder
    corpus.close()
    assert not folder.exists()


def test_what_was_made_on_the_way_is_removed_and_what_was_given_stays(cache):
    with encoded_corpus(NEW_YORK) as corpus:
        phrases = Phrases(min_count=1, threshold=0, passes=3).fit(corpus)
        phrases.transform(corpus).close()
        assert [each.name for each in cache.iterdir()] == [corpus.folder.name]
        assert decoded(corpus) == NEW_YORK
    Phrases(min_count=1, threshold=0, passes=3).fit(NEW_YORK)
    assert list(cache.iterdir()) == []


def test_a_full_disk_leaves_nothing_behind(cache):
    phrases = Phrases(min_count=1, threshold=2).fit(NEW_YORK)
    with (
        encoded_corpus(NEW_YORK) as corpus,
        patch.object(joining, "write_words", side_effect=OSError(28, "No space left on device")),
        pytest.raises(CannotWrite, match="No space left on device"),
    ):
        phrases.transform(corpus)
    assert list(cache.iterdir()) == []


# ---- as text, and as a file --------------------------------------------------------------------


@settings(max_examples=30)
@given(texts, st.integers(1, 9))
def test_a_corpus_is_written_as_the_text_it_was(text, stretch):
    with patch.object(joining, "STRETCH", stretch), encoded_corpus(text) as corpus:
        written = []

        class File:
            write = staticmethod(lambda data: written.append(bytes(data)))

        size = joining.write_text(corpus, File)
    assert b"".join(written).decode() == "".join(" ".join(sentence) + "\n" for sentence in text if sentence)
    assert size == sum(map(len, written))


@pytest.mark.parametrize("token", ["new york", "new\u2003york", "new\nyork", "new\x85york"])
def test_tokens_with_white_space_are_not_written_as_text(token):
    with encoded_corpus([["a", token]]) as corpus, pytest.raises(BadCorpus, match=r"holds white space.*replace"):
        joining.write_text(corpus, None)


@settings(max_examples=30)
@given(texts, options, st.integers(1, 3))
def test_saving_and_loading_lose_nothing(tmp_path_factory, text, options, passes):
    phrases = Phrases(**options, passes=passes).fit(text)
    path = tmp_path_factory.mktemp("phrases") / "phrases.json"
    phrases.save(path)
    loaded = Phrases.load(path)
    assert loaded.options == phrases.options
    assert loaded.phrases == phrases.phrases
    assert list(loaded[text]) == list(phrases[text])


def test_a_packed_file_is_packed(tmp_path):
    phrases = Phrases(min_count=1, threshold=2).fit(NEW_YORK)
    phrases.save(tmp_path / "p.json.gz")
    assert (tmp_path / "p.json.gz").read_bytes()[:2] == b"\x1f\x8b"
    assert Phrases.load(tmp_path / "p.json.gz").phrases == phrases.phrases


def test_a_file_is_json_with_a_phrase_per_line(tmp_path):
    Phrases(min_count=1, threshold=2).fit(NEW_YORK).save(tmp_path / "p.json")
    text = (tmp_path / "p.json").read_text()
    assert '{"words": ["new", "york"], "score": %s, "count": 3}' % (2 / 9 * 11) in text.splitlines()
    assert json.loads(text)["options"]["threshold"] == 2


def stored(**changes):
    entry = {"words": ["a", "b"], "score": 1.5, "count": 2}
    return {
        "format": "firth phrases",
        "version": 1,
        "options": {"connector_words": ["of"]},
        "passes": [[entry]],
    } | changes


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("new york\n", "it is not JSON"),
        ("[1, 2]", "does not say format 'firth phrases'"),
        (json.dumps(stored(format="x")), "does not say format 'firth phrases'"),
        (json.dumps(stored(version=2)), "in version 2, this firth reads 1"),
        (json.dumps(stored(options={"thresh": 1})), "unknown option 'thresh'"),
        (json.dumps(stored(options={"scoring": "npmi"})), "threshold must be between -1 and 1"),
        (json.dumps(stored(options=3)), "damaged"),
        (json.dumps(stored(passes=3)), "damaged"),
        (json.dumps(stored(passes=[[3]])), "damaged"),
        *(
            (json.dumps(stored(passes=[[{"words": ["a", "b"], "score": 1.5, "count": 2} | wrong]])), says)
            for wrong, says in [
                ({"words": ["a"]}, "two words or more"),
                ({"words": "ab"}, "two words or more"),
                ({"words": ["a", ""]}, "two words or more"),
                ({"words": ["a", 3]}, "two words or more"),
                ({"words": ["a b", "c"]}, "must hold no white space, got 'a b'"),
                ({"words": ["a", "\ud800"]}, "surrogates not allowed"),
                ({"words": ["of", "b"]}, "only connectors may stand"),
                ({"words": ["a", "x", "b"]}, "only connectors may stand"),
                ({"score": "1"}, "a score must be a number"),
                ({"score": math.inf}, "a score must be a number"),
                ({"count": 0}, "a count must be 1 or more"),
                ({"count": True}, "a count must be 1 or more"),
            ]
        ),
    ],
)
def test_a_file_that_holds_no_phrases_is_refused(tmp_path, content, says):
    (tmp_path / "p.json").write_text(content)
    with pytest.raises(BadFile, match=says):
        Phrases.load(tmp_path / "p.json")


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path):
    with pytest.raises(MissingFile, match="check the path"):
        Phrases.load(tmp_path / "p.json")
    (tmp_path / "p.json").write_bytes(b"\xff\xfe\0\x93NUMPY")
    with pytest.raises(BadFile, match="it is not JSON"):
        Phrases.load(tmp_path / "p.json")


# ---- bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"scoring": "npmi"}, r"threshold must be between -1 and 1 with scoring npmi, got 10.0; 0.5 is usual"),
        ({"scoring": "npmi", "threshold": -1.1}, "between -1 and 1"),
        ({"threshold": -0.1}, r"threshold must be 0 or more with scoring count, got -0.1; 10 is usual"),
        ({"threshold": math.nan}, "finite"),
        ({"scoring": "default"}, "scoring must be one of count, npmi"),
        ({"min_count": 0}, "min_count must be 1 or more"),
        ({"passes": 0}, "passes must be 1 or more"),
        ({"delimiter": ""}, r"delimiter must be a string without white space, and not empty, got ''; _ is usual"),
        ({"delimiter": " "}, "without white space"),
        ({"delimiter": "\u2003"}, "without white space"),
        ({"delimiter": 3}, "delimiter must be a string"),
        ({"delimiter": "\ud800"}, r"delimiter must be text that UTF-8 can hold, got '\\ud800'; _ is usual"),
        ({"connector_words": ["\ud800"]}, "connector_words must be text that UTF-8 can hold"),
        ({"connector_words": "of the"}, r"connector_words must be a list of words, got 'of the'; give a list such as"),
        ({"connector_words": 3}, "must be a list of words"),
        ({"connector_words": ["of", ""]}, "must hold words"),
        ({"connector_words": [3]}, "must hold words"),
        ({"common_terms": ["of"]}, "unknown option 'common_terms', here called connector_words"),
        ({"max_memory": 0}, "max_memory must be 1 or more"),
    ],
)
def test_an_option_out_of_its_range_is_refused(options, says):
    with pytest.raises(BadOption, match=says):
        Phrases(**options)


def test_what_cannot_be_joined_is_refused():
    phrases = Phrases(min_count=1, threshold=2).fit(NEW_YORK)
    with pytest.raises(BadCorpus, match="the corpus is empty"):
        Phrases().fit([[]])
    with pytest.raises(MissingFile, match="there is no file nowhere"):
        phrases.transform("nowhere")
    with pytest.raises(BadOption, match=r"got the int 3; give a path or a list"):
        phrases.transform(3)
    with pytest.raises(BadCorpus, match=r"sentence 1 is the str 'new york'.*split it"):
        list(phrases[[["new"], "new york"]])
    for sentences in (["in new york", "in paris"], ["paris", "new\u2003york"]):
        with pytest.raises(
            BadCorpus, match=r"read as one sentence's tokens.*; split sentences into lists of tokens, or"
        ):
            phrases.transform(sentences)
    with pytest.raises(BadCorpus, match=r"hold no white space, got 'new york'; replace the white space by _ first"):
        Phrases(min_count=1, threshold=0).fit([["new york", "city"]] * 3)
    with pytest.raises(BadCorpus, match="sentence 0 holds the int 3"):
        list(phrases[[["new", 3]]])
    with pytest.raises(BadOption, match="leave out the tokenizer"):
        phrases.transform([["new"]], tokenizer="words")
    with pytest.raises(NotTrained, match=r"call fit\(corpus\) first"):
        Phrases()[["a"]]


def test_connector_words_are_kept_each_once_in_order():
    assert PhraseOptions(connector_words={"the", "of", "a"}).connector_words == ("a", "of", "the")
    assert PhraseOptions(connector_words=["the", "of", "the"]).connector_words == ("of", "the")
    assert PhraseOptions(connector_words=ENGLISH_CONNECTOR_WORDS).connector_words == ENGLISH_CONNECTOR_WORDS
    assert PhraseOptions().connector_words == ()
