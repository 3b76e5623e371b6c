"""The CPU kernels take the reference's decisions and compute its equations, on any corpus and however it is cut."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from cases import ARCHITECTURES, NEGATIVES, Case, assert_held_to_the_reference, cases, trained
from hypothesis import example, given, settings
from hypothesis import strategies as st

from firth.backends import cpu_plan, cpu_windows
from firth.backends.base import Rates
from firth.backends.cpu import CpuBackend
from firth.backends.reference import ReferenceBackend
from firth.corpus.encoded import Chunk
from firth.draws import CHANCE_ONE, as_chance
from firth.options import TrainingOptions
from firth.weights import aligned_rows, with_padding


@settings(max_examples=100)
@given(case=cases())
def test_kernels_hold_to_the_reference_on_any_small_corpus(case):
    assert_held_to_the_reference(case)


@settings(max_examples=30)
@given(case=cases())
def test_held_out_sentences_are_those_of_the_reference(case):
    assert_held_to_the_reference(case, held_out=True, rates=Rates(0.0, 0.0, 0.0))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize(
    "lengths",
    [(3000,), (1023, 1, 1024, 1025), (1, 1, 2500, 1), (5, 1019, 1024, 1024, 7), (700, 2400)],
    ids=lambda lengths: "+".join(map(str, lengths)),
)
@pytest.mark.parametrize("tokens_each", [1024, 1000, 1 << 20])
def test_pieces_and_cuts_may_fall_anywhere_in_long_sentences(architecture, lengths, tokens_each):
    options = TrainingOptions(architecture=architecture, workers=1, sample=0.01)
    case = Case(5, 150, 20, lengths, options, unknown=0.1, one_word=0.1, tokens_each=tokens_each)
    assert_held_to_the_reference(case)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("negative", NEGATIVES)
def test_two_words_and_noise_that_is_mostly_the_target(architecture, negative):
    options = TrainingOptions(architecture=architecture, negative=negative, workers=1, sample=0)
    assert_held_to_the_reference(Case(1, 2, 16, (300,), options))


@settings(max_examples=60)
@given(case=cases(longest=1500), other_cut=st.integers(1, 3000))
def test_the_result_does_not_depend_on_where_chunks_are_cut(case, other_cut):
    whole = Case(**{**case.__dict__, "tokens_each": 1 << 20})
    cut = Case(**{**case.__dict__, "tokens_each": max(other_cut, sum(case.lengths) // 50, 1)})
    (one, tally), (other, cut_tally) = trained(CpuBackend(), whole), trained(CpuBackend(), cut)
    assert one.input.tobytes() == other.input.tobytes()
    assert one.output.tobytes() == other.output.tobytes()
    assert (tally.examples, tally.words) == (cut_tally.examples, cut_tally.words)
    assert tally.loss == pytest.approx(
        cut_tally.loss, rel=1e-5, abs=1e-4, nan_ok=True
    )  # float32 sums; two words may diverge


@settings(max_examples=30)
@given(case=cases())
@example(case=Case(1, 5, 17, (50,), TrainingOptions(workers=1)))
def test_padding_stays_zero(case):
    backend = CpuBackend()
    trained(backend, case)
    for matrix in (backend._padded.input, backend._padded.output):
        assert matrix.shape[1] % 16 == 0
        assert not matrix[:, case.D :].any()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_measuring_with_rate_zero_moves_nothing(architecture):
    options = TrainingOptions(architecture=architecture, workers=2, held_out=0.5)
    case = Case(1, 50, 24, (40,) * 30, options, tokens_each=100)
    weights, tally = trained(CpuBackend(), case, held_out=True, rates=Rates(0.0, 0.0, 0.0))
    assert tally.examples > 0
    np.testing.assert_array_equal(weights.input, case.start().input)
    np.testing.assert_array_equal(weights.output, case.start().output)


def test_without_a_held_out_share_no_sentence_is_held_out():
    case = Case(1, 50, 24, (40,) * 30, TrainingOptions(workers=1))
    assert trained(CpuBackend(), case, held_out=True)[1].words == 0


def test_a_long_stretch_without_kept_words_costs_no_more_than_its_length():
    """One line of 3 million words, nearly all out of vocabulary: looking for contexts again and again takes minutes."""
    case = Case(1, 10, 16, (3_000_000,), TrainingOptions(workers=1, sample=0), unknown=0.0)
    tokens = np.full(3_000_000, -1, np.int32)
    tokens[:10] = tokens[-10:] = np.arange(10)
    backend = CpuBackend()
    backend.start(case.start(), case.tables(), case.options)
    began = time.process_time()
    backend.train(Chunk(tokens, np.array([0, len(tokens)]), 0, 0, len(tokens), 0), 0, Rates(0.05, 0.0, 0.0))
    backend.settle()
    assert time.process_time() - began < 2  # some 20 ms; 3,000 pieces each looking through a million words: 4 s and up
    backend.close()
    assert backend.tally().words == 20


NARROW = """
import sys
from firth import machine
LANES, REGISTERS, as_if = map(int, sys.argv[1:])
if as_if:
    machine.LANES, machine.REGISTERS = LANES, REGISTERS
assert (machine.LANES, machine.REGISTERS) == (LANES, REGISTERS)
from cases import ARCHITECTURES, Case, TrainingOptions, assert_held_to_the_reference
for architecture in ARCHITECTURES:
    kinds = [{"negative": 5}, {"negative": 8}, {"loss": "hs"}]
    for kind in kinds + [{"noise": "pair"}] * (architecture == "skipgram"):
        options = TrainingOptions(architecture=architecture, workers=1, sample=0.01, **kind)
        # 100: rows that AVX2 cannot hold in registers, so that CBOW takes them in parts
        D = 100 if architecture == "cbow" else 20
        assert_held_to_the_reference(Case(5, 150, D, (700, 300, 5), options, unknown=0.1, one_word=0.1))
"""
AVX2 = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx,+avx2,+fma,+bmi,+bmi2,+sse4.2,+popcnt"}


X86 = platform.machine().lower() in ("x86_64", "amd64")


def hold_with_registers(lanes, registers, *, as_if, **environment):
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    arguments = [str(number) for number in (lanes, registers, int(as_if))]
    command = [sys.executable, "-W", "error", "-c", NARROW, *arguments]
    environment = os.environ | {"PYTHONPATH": path} | environment
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """Both at once: each is one process that compiles. That of four floats has a cache of its own."""
    cache = str(tmp_path_factory.mktemp("four"))
    with ThreadPoolExecutor() as threads:
        found = {"four": threads.submit(hold_with_registers, 4, 32, as_if=True, FIRTH_CACHE=cache)}
        if X86:
            found["AVX2"] = threads.submit(hold_with_registers, 8, 16, as_if=False, **AVX2)
        yield found


@pytest.mark.skipif(not X86, reason="256-bit registers are x86's")
def test_machines_with_narrower_registers_compute_the_same(running):
    done = running["AVX2"].result()
    assert done.returncode == 0, done.stderr


def test_vectors_of_four_floats_compute_the_same(running):
    """As on ARM; compiled for this machine, whose code the cache would take it for."""
    done = running["four"].result()
    assert done.returncode == 0, done.stderr


# ---- many workers ------------------------------------------------------------------------------


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_workers_make_the_same_decisions_however_many(architecture):
    def tally(workers):
        options = TrainingOptions(architecture=architecture, workers=workers, sample=0.01)
        return trained(CpuBackend(), Case(3, 400, 32, (25,) * 2000, options, tokens_each=2048))[1]

    one = tally(1)
    for workers in (2, 7):
        many = tally(workers)
        assert (many.examples, many.words) == (one.examples, one.words)
        assert np.isfinite(many.loss)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("V", [1, 2, 3, 20, 600])
@pytest.mark.parametrize("workers", [4, 16, 64])
def test_workers_that_share_few_words_learn_what_one_learns(architecture, V, workers):
    """With sums for merges, weights grew to 1e17 here."""

    def losses(workers):
        options = TrainingOptions(architecture=architecture, workers=workers, sample=0, window=5)
        case = Case(3, V, 16, (20,) * 2000, options, one_word=0.1, tokens_each=2048)
        backend = CpuBackend()
        backend.start(case.start(), case.tables(), options)
        tallies = [backend.tally()]
        for epoch in range(8):
            for chunk in case.chunks():
                backend.train(chunk, epoch, Rates(options.rate, 0.0, 0.0))
            backend.settle()
            tallies.append(backend.tally())
        backend.close()
        assert np.abs(backend.weights().input).max() < 10
        assert np.abs(backend.weights().output).max() < 10
        return (tallies[-1] - tallies[-2]).mean_loss

    assert losses(workers) == pytest.approx(losses(1), rel=0.05, abs=1e-3)


def merged(shared, mine, before):
    """The three rows after a merge of one worker's copy of one hot row."""
    D = len(shared)
    parts = [aligned_rows(1, D) for _ in range(6)]
    for rows, row in zip(parts, (shared, shared, mine, mine, before, before), strict=True):
        rows[0, :D] = row
    shared_in, shared_out, own_in, own_out, merged_in, merged_out = parts
    rows = cpu_plan.Rows(shared_in, shared_out, 1, own_in, own_out, merged_in, merged_out, 1000, np.ones(1, np.int64))
    cpu_windows.merge(rows)
    for rows_in, rows_out in ((shared_in, shared_out), (own_in, own_out), (merged_in, merged_out)):
        np.testing.assert_array_equal(rows_in, shared_in)
        np.testing.assert_array_equal(rows_out, shared_in)
    assert rows.since_merge[0] == 0
    return shared_in[0, :D].copy()


@settings(max_examples=60)
@given(D=st.sampled_from([1, 16, 100]), seed=st.integers(0, 2**32), scale=st.sampled_from([1e-3, 1.0, 100.0]))
def test_merging_is_adasum(D, seed, scale):
    rng = np.random.default_rng(seed)
    before, a, b = rng.normal(size=D), scale * rng.normal(size=D), rng.normal(size=D)
    expected = before + (1 - a @ b / (2 * a @ a)) * a + (1 - a @ b / (2 * b @ b)) * b
    tolerance = 1e-4 * (1 + np.abs(a).max() + np.abs(b).max())
    np.testing.assert_allclose(merged(before + a, before + b, before), expected, atol=tolerance)


def test_merging_adds_gains_at_right_angles_and_averages_those_that_agree():
    before = np.zeros(16)
    a, b = np.eye(16)[0], np.eye(16)[1]
    np.testing.assert_allclose(merged(a, b, before), a + b)
    np.testing.assert_allclose(merged(a, a, before), a)


def test_merging_nothing_changes_nothing():
    row, other = np.random.default_rng(1).normal(size=(2, 16)).astype(np.float32)
    np.testing.assert_array_equal(merged(row, row, row), row)
    np.testing.assert_array_equal(merged(other, row, row), other)  # what others gained is taken as it stands
    np.testing.assert_allclose(merged(row, other, row), other, rtol=1e-6)


# ---- numbers at their limits -------------------------------------------------------------------


@pytest.mark.parametrize("size", [1e-30, 1e-3, 3.0, 20.0, 1e4])
def test_scores_of_any_size_give_the_loss_of_the_reference(size):
    case = Case(1, 30, 16, (60,), TrainingOptions(workers=1, sample=0))

    def loss(backend):
        weights = case.start()
        weights.input *= size
        backend.start(weights, case.tables(), case.options)
        for chunk in case.chunks():
            backend.train(chunk, 0, Rates(0.0, 0.0, 0.0))
        backend.settle()
        backend.close()
        return backend.tally().loss

    assert loss(CpuBackend()) == pytest.approx(loss(ReferenceBackend()), rel=1e-5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_weights_that_are_not_numbers_show_in_the_loss(architecture):
    case = Case(1, 30, 16, (60,), TrainingOptions(workers=1, sample=0, architecture=architecture))
    weights = case.start()
    weights.input[:] = np.nan
    backend = CpuBackend()
    backend.start(weights, case.tables(), case.options)
    for chunk in case.chunks():
        backend.train(chunk, 0, Rates(0.0, 0.0, 0.0))
    backend.settle()
    backend.close()
    assert np.isnan(backend.tally().loss)


@pytest.mark.parametrize("window", [20, 100, 1000])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_wide_windows_over_frequent_words_stay_finite(window, architecture):
    """With the gradients of a whole window summed, weights grew without bound."""
    options = TrainingOptions(architecture=architecture, workers=1, sample=0, window=window)
    case = Case(1, 1000, 32, (3000,) * 5, options, one_word=0.2)
    weights, tally = trained(CpuBackend(), case, rates=Rates(options.rate, 0.0, 0.0))
    assert tally.mean_loss < 4
    assert np.abs(weights.output).max() < 20


@pytest.mark.parametrize("loss", ["ns", "hs"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_windows_of_whole_sentences_across_pieces_and_chunks(architecture, loss):
    """A sentence longer than a piece, cut by chunks: all its words meet."""
    options = TrainingOptions(architecture=architecture, loss=loss, workers=1, sample=0, window="all")
    case = Case(3, 3000, 16, (1, 1100, 2, 40), options, tokens_each=700)
    assert_held_to_the_reference(case)
    _, tally = trained(CpuBackend(), case)
    pairs = 1100 * 1099 + 2 + 40 * 39
    assert tally.examples == (pairs if architecture == "skipgram" else 1142)


@pytest.mark.parametrize("negative", [5, 20])
@pytest.mark.parametrize("loss", ["ns", "hs"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_loss_where_nothing_is_learnt_is_that_of_chance(architecture, loss, negative):
    """Output rows begin at 0, where each factor of the products that losses are kept as is largest: 2."""
    options = TrainingOptions(architecture=architecture, loss=loss, negative=negative, workers=1, sample=0, window=8)
    case = Case(7, 500, 17, (60,) * 30, options)
    tallies = []
    for backend in (ReferenceBackend(), CpuBackend()):
        start = case.start()
        start.output[:] = 0
        backend.start(start, case.tables(), options)
        for chunk in case.chunks():
            backend.train(chunk, 0, Rates(0.0, 0.0, 0.0))
        backend.settle()
        backend.close()
        tallies.append(backend.tally())
    truth, tally = tallies
    assert tally.examples == truth.examples
    assert tally.loss == pytest.approx(truth.loss, rel=1e-6)
    if loss == "ns":  # but for noise equal to the target
        assert truth.mean_loss == pytest.approx((1 + negative) * np.log(2), rel=0.01)


# ---- the memory that weights come in -----------------------------------------------------------


def test_weights_are_trained_in_the_memory_they_came_in():
    case = Case(1, 30, 20, (60,), TrainingOptions(workers=1))
    start = case.start()
    backend = CpuBackend()
    backend.start(start, case.tables(), case.options)
    assert np.shares_memory(backend.weights().input, start.input)
    backend.close()


@pytest.mark.parametrize("D", [1, 16, 100])
def test_rows_that_cannot_be_padded_in_place_are_copied(D):
    rng = np.random.default_rng(1)
    plain = rng.random((7, D), np.float32)
    read_only = aligned_rows(7, D)[:, :D]
    read_only[:] = plain
    read_only.flags.writeable = False
    columns = aligned_rows(7, 112)[:, :D]
    columns.base[...] = 1  # what stands beside D columns is not padding
    columns[:] = plain
    for matrix in (plain, read_only, columns, plain[::-1], np.asfortranarray(plain)):
        rows = with_padding(matrix)
        np.testing.assert_array_equal(rows[:, :D], matrix)
        assert not rows[:, D:].any()
        assert rows.flags.writeable
        assert rows.ctypes.data % 64 == 0


def test_chances_of_one_keep_every_word():
    assert Case(1, 5, 4, (1,), TrainingOptions(sample=0)).tables().keep.tolist() == [CHANCE_ONE] * 5
    assert as_chance(1.0) == CHANCE_ONE


def test_an_error_in_a_worker_comes_out_and_leaves_no_thread(monkeypatch):
    backend = CpuBackend()
    case = Case(1, 30, 16, (60,) * 50, TrainingOptions(workers=2), tokens_each=10)
    backend.start(case.start(), case.tables(), case.options)
    monkeypatch.setattr(backend, "_kernel", backend._kernel._replace(train=lambda *_: 1 / 0))
    backend.train(next(case.chunks()), 0, Rates(0.0, 0.0, 0.0))
    with pytest.raises(ZeroDivisionError):
        backend.settle()
    backend.close()
    assert not [each for each in threading.enumerate() if each.name.startswith("firth-train")]
