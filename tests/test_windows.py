"""Windows decided all at once are those that the reference decides one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firth.backends import reference
from firth.backends.base import Rates, Tables
from firth.backends.reference import ReferenceBackend
from firth.corpus.encoded import Chunk
from firth.draws import draw
from firth.options import TrainingOptions
from firth.vocabulary import Vocabulary
from firth.weights import Weights
from firth.windows import noise_for, windows

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
    options = TrainingOptions(
        architecture=choose(st.sampled_from(["skipgram", "cbow"])),
        window=choose(st.sampled_from([1, 2, 5, 30])),
        dynamic_window=choose(st.booleans()),
        sample=choose(st.sampled_from([0, 0.1])),
        held_out=choose(st.sampled_from([0, 0.3])),
        noise=choose(st.sampled_from(["window", "pair"])),
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
