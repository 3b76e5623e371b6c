"""Windows decided all at once are those that the reference decides one by one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firth.backends import reference
from firth.backends.base import Rates, Tables
from firth.backends.cpu_plan import MARGIN, PIECE
from firth.backends.reference import ReferenceBackend
from firth.corpus.encoded import Chunk
from firth.draws import PAIRS_PER_POSITION, draw
from firth.errors import BadCorpus
from firth.options import WIDEST_BY_PAIR, WIDEST_WINDOW, TrainingOptions
from firth.vocabulary import Vocabulary
from firth.weights import Weights
from firth.windows import check_whole_sentences, noise_for, windows
from firth.word2vec import Word2Vec

V = 12


def noted_by_the_reference(chunks, options, tables, epoch, held_out):
    """(centre, contexts, noise) of each window, or each pair where noise is drawn for pairs; and words seen."""
    seen = []

    def noted(input, output, contexts, outputs, rate, share=1.0):
        seen.append((int(outputs.rows[0]), contexts.tolist(), outputs.rows[1:].tolist()))
        return 0.0, 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reference, "skipgram_window", noted)
        patch.setattr(reference, "cbow_window", noted)
        backend = ReferenceBackend()
        backend.start(Weights(np.zeros((V, 1), np.float32), np.zeros((V, 1), np.float32)), tables, options)
        for chunk in chunks:
            backend.train(chunk, epoch, Rates(0, 0, 0), held_out=held_out)
    return seen, backend.tally().words


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_windows_and_noise_are_those_of_the_reference(data):
    choose = data.draw
    noise = choose(st.sampled_from(["window", "pair"]))
    options = TrainingOptions(
        architecture=choose(st.sampled_from(["skipgram", "cbow"])),
        window=choose(st.sampled_from([1, 2, 5, 30, *(["all"] if noise == "window" else [])])),
        dynamic_window=choose(st.booleans()),
        sample=choose(st.sampled_from([0, 0.1])),
        held_out=choose(st.sampled_from([0, 0.3])),
        noise=noise,
        distinct_noise=choose(st.booleans()),
        negative=choose(st.sampled_from([1, 4])),
        seed=choose(st.integers(0, 2**63 - 1)),
    )
    epoch, held_out = choose(st.integers(0, 9)), choose(st.booleans())
    lengths = choose(st.lists(st.integers(0, 20), min_size=1, max_size=8))
    rng = np.random.default_rng(choose(st.integers(0, 2**32)))
    tokens, offsets = rng.integers(-1, V + 2, sum(lengths)).astype(np.int32), np.cumsum([0, *lengths])
    vocabulary = Vocabulary(tuple(map(str, range(V))), np.arange(100, 100 - V, -1))
    tables = Tables(vocabulary.keep_chances(options.sample), vocabulary.noise_table(0.75))
    each, position = choose(st.integers(1, 40)), choose(st.integers(0, 2**40))
    chunks = [
        Chunk(
            tokens,
            offsets,
            int(np.searchsorted(offsets, first, side="right")) - 1,
            first,
            min(first + each, len(tokens)),
            position,
        )
        for first in range(0, len(tokens), each)
    ]
    expected, words = noted_by_the_reference(chunks, options, tables, epoch, held_out)
    by_pair = options.noise == "pair" and options.architecture == "skipgram"
    found, seen = [], 0
    for chunk in chunks:
        some = windows(chunk, epoch, options, tables.keep, held_out=held_out)
        noise = noise_for(some, epoch, options, tables.noise).tolist()
        contexts = [some.contexts[a:b].tolist() for a, b in zip(some.offsets, some.offsets[1:], strict=False)]
        if by_pair:
            pairs = zip(some.window_of_pair, some.contexts.tolist(), noise, strict=True)
            found += [(int(some.centres[i]), [context], words) for i, context, words in pairs]
        else:
            found += list(zip(some.centres.tolist(), contexts, noise, strict=True))
        seen += some.words
    assert found == expected
    assert seen == words


def test_a_long_sentence_costs_no_more_than_a_short_one(monkeypatch):
    looked_at = []

    def counted(key, counters):
        looked_at.append(np.size(counters))
        return draw(key, counters)

    monkeypatch.setattr("firth.windows.draw", counted)
    options = TrainingOptions(window=5, sample=0.1)
    tokens, keep = np.zeros(1_000_000, np.int32), np.full(1, 1 << 20, np.uint32)  # one in sixteen is kept
    chunk = Chunk(tokens, np.array([0, len(tokens)]), 0, 500_000, 501_000, 0)
    assert windows(chunk, 0, options, keep).words == 1000
    assert sum(looked_at) < 4000


# ---- whole sentences ---------------------------------------------------------------------------


def all_windows(lengths, **options):
    """The windows of sentences of so many different words, with nothing dropped."""
    V = sum(lengths)
    chunk = Chunk(np.arange(V, dtype=np.int32), np.cumsum([0, *lengths]), 0, 0, V, 0)
    keep = np.full(V, 1 << 24, np.uint32)
    return windows(chunk, 0, TrainingOptions(sample=0, **options), keep)


def test_window_all_is_every_other_word_of_the_sentence_however_far():
    found = all_windows((1, 3, 40), window="all")
    sentences = [range(1), range(1, 4), range(4, 44)]
    expected = [[other for other in words if other != word] for words in sentences for word in words if len(words) > 1]
    contexts = [found.contexts[a:b].tolist() for a, b in itertools.pairwise(found.offsets)]
    assert contexts == expected


def test_window_all_is_a_window_of_fixed_width_that_no_sentence_exceeds():
    whole, wide = all_windows((5, 30), window="all"), all_windows((5, 30), window=29, dynamic_window=False)
    assert whole.contexts.tolist() == wide.contexts.tolist()
    assert whole.offsets.tolist() == wide.offsets.tolist()


def test_sentences_that_window_all_cannot_hold_are_refused_with_their_length():
    check_whole_sentences(TrainingOptions(window="all"), WIDEST_WINDOW + 1)
    check_whole_sentences(TrainingOptions(window=5), 10**9)
    with pytest.raises(BadCorpus, match=r"up to 10,001 tokens, and the longest has 10,002; cut it .* give window a"):
        check_whole_sentences(TrainingOptions(window="all"), WIDEST_WINDOW + 2)
    with pytest.raises(BadCorpus, match=r"the longest has 10,002"):
        Word2Vec(window="all", min_count=1).fit([["a"] * 10_002], progress=False)


def test_windows_of_kernels_and_numbers_of_draws_have_room_for_the_widest():
    assert np.iinfo(np.int16).max > PIECE + 2 * WIDEST_WINDOW + MARGIN
    assert 2 * WIDEST_BY_PAIR <= PAIRS_PER_POSITION
