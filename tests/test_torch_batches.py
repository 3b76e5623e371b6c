"""Batches hold each window once, by the draws of every other backend."""

from __future__ import annotations

import pickle
from itertools import pairwise

import numpy as np
import pytest
from torch_cases import Batches, random_sentences, read, rows_of, torch

from firth.errors import BadCorpus, BadOption
from firth.options import TrainingOptions
from firth.torch.batches import TOKENS_EACH
from firth.vocabulary import Vocabulary
from firth.windows import noise_for, windows

SMALL = TrainingOptions(window=3, negative=2, sample=0.1)


@pytest.fixture(scope="module")
def small():
    return read(random_sentences())


def test_rows_are_windows_in_the_order_of_the_corpus(small):
    corpus, vocabulary = small
    (chunk,) = corpus.chunks(1 << 20)
    found = windows(chunk, 4, SMALL, vocabulary.keep_chances(SMALL.sample))
    noise = noise_for(found, 4, SMALL, vocabulary.noise_table(SMALL.ns_exponent))
    batches = list(Batches(corpus, vocabulary, SMALL, batch_size=7, epoch=4))
    contexts = [tuple(found.contexts[a:b].tolist()) for a, b in pairwise(found.offsets)]
    assert rows_of(batches) == list(zip(found.centres.tolist(), contexts, map(tuple, noise.tolist()), strict=True))
    assert {len(batch.targets) for batch in batches[:-1]} == {7}
    assert 0 < len(batches[-1].targets) <= 7
    assert sum(batch.words for batch in batches) == found.words


@pytest.mark.parametrize("loss", [{"noise": "pair"}, {"loss": "softmax"}], ids=["by pair", "softmax"])
def test_where_pairs_share_no_output_rows_each_is_a_row(small, loss):
    corpus, vocabulary = small
    by_window = TrainingOptions(window=3, negative=2, sample=0.1)
    by_pair = TrainingOptions(window=3, negative=2, sample=0.1, **loss)
    pairs = [
        (centre, context) for centre, some, _ in rows_of(Batches(corpus, vocabulary, by_window)) for context in some
    ]
    rows = rows_of(Batches(corpus, vocabulary, by_pair))
    assert [(centre, context) for centre, (context,), _ in rows] == pairs
    assert {len(noise) for *_, noise in rows} == {0 if loss.get("loss") else 2}


def test_shuffling_changes_the_order_alone_and_anew_in_each_epoch(small):
    corpus, vocabulary = small
    fixed = TrainingOptions(window=3, dynamic_window=False, sample=0, loss="softmax", architecture="cbow")
    straight = rows_of(Batches(corpus, vocabulary, fixed))
    shuffled = Batches(corpus, vocabulary, fixed, shuffle=10_000, batch_size=8)
    first, again, second = (rows_of(shuffled.of_epoch(epoch)) for epoch in (0, 0, 1))
    assert first == again
    assert sorted(first) == sorted(second) == sorted(straight)
    assert first != straight
    assert first != second


def test_pairs_of_a_window_are_shuffled_apart(small):
    corpus, vocabulary = small
    options = TrainingOptions(window=3, sample=0, noise="pair", negative=2)
    straight, shuffled = (rows_of(Batches(corpus, vocabulary, options, shuffle=size)) for size in (0, 10_000))
    assert sorted(straight) == sorted(shuffled)
    together = [sum(a[0] == b[0] for a, b in pairwise(rows)) for rows in (straight, shuffled)]
    assert together[1] < 0.7 * together[0]


def test_a_small_buffer_shuffles_near_rows_alone(small, monkeypatch):
    monkeypatch.setattr("firth.torch.batches.TOKENS_EACH", 40)
    corpus, vocabulary = small
    options = TrainingOptions(window=1, dynamic_window=False, sample=0, loss="softmax", architecture="cbow")
    straight, shuffled = (rows_of(Batches(corpus, vocabulary, options, shuffle=size)) for size in (0, 1))
    sizes = [len(windows(chunk, 0, options, vocabulary.keep_chances(0))) for chunk in corpus.chunks(40)]
    assert len(sizes) > 2
    ends = np.cumsum([0, *sizes])
    for first, last in pairwise(ends):
        assert sorted(shuffled[first:last]) == sorted(straight[first:last])
    assert shuffled != straight


@pytest.mark.filterwarnings("ignore:This DataLoader will create 2 worker processes")  # said where there is one core
def test_workers_of_a_loader_give_each_row_once():
    """Started anew, not forked: what batches hold must be fit to be sent."""
    corpus, vocabulary = read(random_sentences(count=18_000))
    assert corpus.total_tokens > 4 * TOKENS_EACH
    batches = Batches(corpus, vocabulary, SMALL, batch_size=500)
    loader = torch.utils.data.DataLoader(
        batches.of_epoch(3), batch_size=None, num_workers=2, multiprocessing_context="spawn"
    )
    loaded = list(loader)
    alone = list(batches.of_epoch(3))
    assert [type(each) for each in loaded[0]] == [type(each) for each in alone[0]]
    assert sorted(rows_of(loaded)) == sorted(rows_of(alone))
    assert rows_of(loaded) != rows_of(alone)
    assert sum(batch.words for batch in loaded) == sum(batch.words for batch in alone)


def test_a_corpus_sent_elsewhere_is_not_removed_from_there():
    corpus, vocabulary = read(random_sentences())
    sent = pickle.loads(pickle.dumps(Batches(corpus, vocabulary, SMALL)))
    expected = rows_of(sent)
    sent.corpus.close()
    del sent
    assert rows_of(Batches(corpus, vocabulary, SMALL)) == expected


def test_held_out_sentences_have_batches_of_their_own(small):
    corpus, vocabulary = small
    options = TrainingOptions(sample=0, dynamic_window=False, held_out=0.3, negative=1)
    everything = TrainingOptions(sample=0, dynamic_window=False, negative=1)
    batches = Batches(corpus, vocabulary, options)
    trained, held_out = rows_of(batches), rows_of(batches.of_epoch(0, held_out=True))
    assert len(held_out) > 5
    assert sorted(trained + held_out) == sorted(rows_of(Batches(corpus, vocabulary, everything)))


def test_a_vocabulary_given_renumbers_the_words():
    corpus, _ = read([["a", "b", "c", "b", "a", "b"]])
    given = Vocabulary(("c", "a"), np.array([5, 1]))
    options = TrainingOptions(sample=0, dynamic_window=False, window=1, negative=1)
    rows = rows_of(Batches(corpus, given, options))
    assert [(centre, contexts) for centre, contexts, _ in rows] == [(1, (0,)), (0, (1, 1)), (1, (0,))]


def test_a_foreign_vocabulary_and_bad_sizes_are_refused(small):
    corpus, vocabulary = small
    with pytest.raises(BadCorpus, match="no word in common"):
        Batches(corpus, Vocabulary(("elsewhere",), np.array([1])), SMALL)
    for name, value in (("batch_size", 0), ("batch_size", 2.5), ("shuffle", -1), ("epoch", -1), ("batch_size", True)):
        with pytest.raises(BadOption, match=f"{name} must be a whole number"):
            Batches(corpus, vocabulary, SMALL, **{name: value})
