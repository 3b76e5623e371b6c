"""How far additions to frequent rows are scaled down when many programs train at once."""

from __future__ import annotations

import numpy as np
import pytest

from firth.backends.gpu_crowds import MOST_ON_A_ROW, Crowds
from firth.corpus.encoded import Chunk
from firth.huffman import path
from firth.options import TrainingOptions
from firth.training import tables_for
from firth.vocabulary import Vocabulary
from firth.windows import noise_for, windows

V, TOKENS = 50, 40_000
TEXT = np.sort(np.random.default_rng(1).zipf(1.5, TOKENS).clip(max=V) - 1).astype(np.int32)
COUNTS = np.bincount(TEXT, minlength=V)


def tables(options):
    return tables_for(Vocabulary(tuple(map(str, range(V))), np.sort(COUNTS)[::-1]), options)


def crowds(**options):
    chosen = TrainingOptions(sample=0, **options)
    return Crowds.of(tables(chosen), chosen)


@pytest.mark.parametrize("options", [{}, {"dynamic_window": False, "negative": 2, "ns_exponent": 0.0}])
def test_shares_are_those_of_the_windows_that_are_drawn(options):
    chosen = TrainingOptions(sample=0, **options)
    ranked = np.argsort(np.argsort(-COUNTS, kind="stable")).astype(np.int32)[TEXT]
    text = np.random.default_rng(2).permutation(ranked)
    found = windows(Chunk(text, np.array([0, TOKENS]), 0, 0, TOKENS, 0), 0, chosen, tables(chosen).keep)
    noise = noise_for(found, 0, chosen, tables(chosen).noise)
    outputs = np.concatenate([found.centres, noise.ravel()])
    for share, rows in ((crowds(**options).input, found.contexts), (crowds(**options).output, outputs)):
        np.testing.assert_allclose(share, np.bincount(rows, minlength=V) / len(found), rtol=0.15, atol=2e-3)


def test_a_node_is_as_crowded_as_all_words_below_it():
    chosen = TrainingOptions(sample=0.05, loss="hs")
    known = tables(chosen)
    kept = known.counts * (known.keep / 2**24)
    share = Crowds.of(known, chosen).output
    for node in (0, 1, 2, V - 2):
        below = sum(kept[word] for word in range(V) if node in path(known.tree, word).nodes)
        assert share[node] == pytest.approx(below / kept.sum(), rel=1e-6)
    assert share[0] == pytest.approx(1.0)
    assert share[V - 1] == 0.0


def test_one_program_is_scaled_by_nothing():
    for each in (crowds().input, crowds(negative=20).output, crowds(loss="hs").output):
        np.testing.assert_array_equal(Crowds.scales(each, 1), np.ones(V, np.float32))


def test_what_is_added_at_once_is_bounded_however_many_programs_there_are():
    for each in (crowds().input, crowds().output, crowds(loss="hs").output):
        for programs in (2, 64, 2112, 100_000):
            scales, at_once = Crowds.scales(each, programs), 1 + each * (programs - 1)
            assert (scales * at_once).max() <= MOST_ON_A_ROW * (1 + 1e-6)
            np.testing.assert_array_equal(scales[at_once <= MOST_ON_A_ROW], 1.0)


def test_where_no_word_is_kept_no_row_is_crowded_but_by_noise():
    for loss in ("ns", "hs"):
        chosen = TrainingOptions(sample=1e-24, loss=loss)
        known = tables(chosen)
        assert not known.keep.any()
        crowded = Crowds.of(known, chosen)
        assert not crowded.input.any()
        assert crowded.output.sum() == pytest.approx(chosen.negative if loss == "ns" else 0.0)
