"""What is tested of the GPU's kernels, on any device: under Triton's interpreter on the CPU, or on a GPU.

Whether Triton interprets is decided when kernels are defined, so the tests are run by a program (`gpu_runs` does):

    TRITON_INTERPRET=1 python gpu_cases.py NAME ...

Of each named function it prints a line of JSON, with what went wrong if it failed.
"""

from __future__ import annotations

import json
import sys
import tempfile
import traceback
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
import triton
import triton.language as tl
from cases import ARCHITECTURES, Case, trained
from interpreted_bfloat16 import bits_of, nearest

from firth import Callback, StopTraining, Word2Vec, draws, word2vec
from firth.backends import gpu_draws, gpu_rows, gpu_scores
from firth.backends.base import Rates
from firth.backends.cpu import CpuBackend
from firth.backends.gpu import FATES_BLOCK, MOST_PLANNED, GpuBackend
from firth.backends.gpu_crowds import Crowds
from firth.backends.reference import ReferenceBackend
from firth.options import TrainingOptions
from firth.training import tables_for
from firth.vocabulary import Vocabulary
from firth.windows import noise_for, windows

RATES = Rates(0.05, 1e-6, 0.01)
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def backend(**how):
    return GpuBackend(DEVICE, **{"programs": 1, "corpus_bytes": 1 << 20, **how})


@triton.jit
def fill_draws(key, counters, bound, into, belows, chances, lows, COUNT: tl.constexpr):
    at = tl.arange(0, COUNT)
    counter = tl.load(counters + at).to(tl.uint64, bitcast=True)
    value = gpu_draws.draw(tl.load(key).to(tl.uint64, bitcast=True), counter)
    tl.store(into + at, value.to(tl.int64, bitcast=True))
    tl.store(belows + at, gpu_draws.below(value, tl.load(bound)))
    tl.store(chances + at, gpu_draws.chance(value))
    tl.store(lows + at, gpu_draws.low_chance(value))


def draws_are_the_same_bits():
    rng = np.random.default_rng(1)
    counters = rng.integers(0, 2**64, 64, dtype=np.uint64)
    counters[:3] = 0, 1, 2**64 - 1
    for key in (0, 1, 2**63, 2**64 - 1, 0x123456789ABCDEF0):
        for bound in (1, 3, 75_299, 2**31 - 1):
            numbers = [torch.zeros(64, dtype=kind, device=DEVICE) for kind in (torch.int64,) * 2 + (torch.int32,) * 2]
            told = [np.array([key], np.uint64).view(np.int64), counters.view(np.int64), np.array([bound])]
            told = [torch.from_numpy(each).to(DEVICE) for each in told]
            fill_draws[(1,)](*told, *numbers, COUNT=64)
            into, belows, chances, lows = (each.cpu().numpy() for each in numbers)
            expected = draws.draw(key, counters)
            np.testing.assert_array_equal(into.view(np.uint64), expected)
            np.testing.assert_array_equal(belows, draws.below(expected, bound))
            np.testing.assert_array_equal(chances, draws.chance(expected))
            np.testing.assert_array_equal(lows, draws.low_chance(expected))


def held_to_the_reference(case, machine, held_out=False, rates=None):
    expected, truth = trained(ReferenceBackend(), case, held_out=held_out, rates=rates)
    weights, tally = trained(machine, case, held_out=held_out, rates=rates)
    assert (tally.examples, tally.words) == (truth.examples, truth.words)
    assert truth.examples > 0
    np.testing.assert_allclose(tally.loss, truth.loss, rtol=1e-5)
    np.testing.assert_allclose(weights.input, expected.input, rtol=1e-4, atol=2e-6)
    np.testing.assert_allclose(weights.output, expected.output, rtol=1e-4, atol=2e-6)


class Shuffled(Case):
    """Each sentence is of different words, so that none stands twice in a window."""

    def tokens(self):
        rng = np.random.default_rng(self.seed)
        words = np.concatenate([rng.permutation(self.V)[:length] for length in self.lengths]).astype(np.int32)
        outside = rng.random(len(words)) < self.unknown
        return np.where(outside, rng.choice([-1, self.V, self.V + 7], len(words)), words).astype(np.int32)


def one_program_is_the_reference():
    """Any places, sentences, unknown words, sentences held out; rows of one tensor, and of two (D = 300)."""
    for architecture in ARCHITECTURES:
        for D, gradient in ((20, "corrected"), (33, "historical"), (300, "corrected")):
            options = TrainingOptions(architecture=architecture, sample=5e-3, held_out=0.3, cbow_gradient=gradient)
            lengths = (10, 1, 0, 9, 7) if D == 300 else (25, 1, 0, 9, 12, 7)
            case = Shuffled(3, 50, D, lengths, options, unknown=0.1, position=2**48 - 7, epoch=3)
            held_to_the_reference(case, backend())


def words_may_stand_twice():
    """With all contexts of a step at hand nothing differs; few words: noise is often the centre, or drawn twice."""
    options = TrainingOptions(sample=0, negative=3)
    held_to_the_reference(Case(4, 3, 20, (5, 5, 3), options), backend(tile=4))
    held_to_the_reference(Case(4, 3, 20, (12, 6), replace(options, architecture="cbow")), backend())


def any_case(seed):
    """A small corpus of any kind, whose windows are of six contexts at most."""
    rng = np.random.default_rng(seed)

    def one_of(*values):
        return values[rng.integers(len(values))]

    options = TrainingOptions(
        architecture=one_of(*ARCHITECTURES),
        loss=one_of("ns", "hs"),
        negative=one_of(1, 5),
        window=one_of(1, 2, 3),
        dynamic_window=one_of(False, True),
        sample=one_of(0, 0.1),
        held_out=one_of(0.0, 0.3),
        cbow_gradient=one_of("historical", "corrected"),
        seed=int(rng.integers(2**63)),
    )
    return Case(
        seed,
        one_of(1, 2, 3, 10, 60),
        one_of(16, 33),
        (*(one_of(0, 1, 2, 5, 9) for _ in range(rng.integers(1, 5))), 4),
        options,
        unknown=one_of(0.0, 0.0, 0.3),
        one_word=one_of(0.0, 0.5),
        position=one_of(0, 2**31 - 3, 2**48),
        epoch=one_of(0, 3),
        tokens_each=one_of(1, 3, 7, 1 << 20),
    )


def any_small_corpus_is_the_reference():
    trained_on = 0
    for seed in range(30):
        case = any_case(seed)
        if not trained(ReferenceBackend(), case)[1].examples:
            continue
        trained_on += 1
        try:
            held_to_the_reference(case, backend(tile=6, corpus_bytes=60))
        except AssertionError as error:
            raise AssertionError(case) from error
    assert trained_on > 20


def wide_windows_take_several_steps():
    """More where a noise word was drawn twice, as among five out of thirty. A sentence of one word stands before."""
    for architecture, negative in (("skipgram", 1), ("skipgram", 5), ("cbow", 1)):
        options = TrainingOptions(
            architecture=architecture, sample=0, negative=negative, window=20, dynamic_window=False
        )
        held_to_the_reference(Shuffled(4, 30, 20, (1, 24), options), backend(), rates=Rates(0.01, 0.0, 0.0))


@triton.jit
def pack(numbers, sums, COUNT: tl.constexpr, WARPS: tl.constexpr, NEAR: tl.constexpr):
    SIZE: tl.constexpr = 32 * WARPS * NEAR
    parts = ()
    for n in tl.static_range(COUNT):
        row = tl.load(numbers + n * SIZE + tl.arange(0, SIZE))
        parts = parts + (gpu_scores.split(row, SIZE, WARPS, NEAR),)  # noqa: RUF005  # Triton joins tuples by + alone
    tl.store(sums + tl.arange(0, 32), gpu_scores.packed(parts, WARPS))


def sums_end_one_to_a_lane():
    for count in (1, 2, 3, 6, 7, 12, 21, 31, 32):
        for warps, near in ((1, 4), (4, 2)):
            numbers = torch.randn(count, 32 * warps * near, generator=torch.Generator().manual_seed(count))
            sums = torch.full((32,), np.nan, device=DEVICE)
            pack[(1,)](numbers.to(DEVICE), sums, COUNT=count, WARPS=warps, NEAR=near, num_warps=warps)
            np.testing.assert_allclose(sums.cpu()[:count], numbers.double().sum(1), rtol=1e-5, atol=1e-5)


def scores_fill_several_packs_and_warps():
    """More than 32 at a time; rows that several warps share."""
    for architecture in ARCHITECTURES:
        options = TrainingOptions(architecture=architecture, sample=0, negative=35)
        held_to_the_reference(Shuffled(5, 60, 20, (5,), options), backend())
        options = replace(options, negative=2)
        held_to_the_reference(Shuffled(5, 60, 150, (5,), options), backend(warps=4, tile=1))
        held_to_the_reference(Shuffled(5, 60, 300, (4,), options), backend(warps=2))
        options = replace(options, negative=20)  # a pack ends within a context
        held_to_the_reference(Shuffled(5, 60, 20, (5,), options), backend(tile=2))


def scores_without_bounds_are_an_infinite_loss():
    """In lanes that have copies of a score, too, which count nothing."""
    for architecture in ARCHITECTURES:
        for loss in ("ns", "hs"):
            case = Shuffled(5, 40, 20, (9,), TrainingOptions(architecture=architecture, loss=loss, sample=0))
            start = case.start()
            start.input[:] = start.output[:] = 1e20
            machine = backend()
            machine.start(start, case.tables(), case.options)
            for chunk in case.chunks():
                machine.train(chunk, 0, Rates(0.0, 0.0, 0.0))
            machine.settle()
            assert machine.tally().loss == np.inf


def stores_in_place_of_additions_are_the_same_with_one_program():
    options = TrainingOptions(sample=0, negative=1)
    held_to_the_reference(Shuffled(6, 400, 20, (12, 9), options), backend(atomic=False))


def chunks_may_be_cut_anywhere():
    for architecture in ARCHITECTURES:
        options = TrainingOptions(architecture=architecture, sample=5e-3, negative=1)
        case = Shuffled(7, 60, 20, (50, 3, 20), options, unknown=0.6, tokens_each=9)
        held_to_the_reference(case, backend())


def chunks_of_many_tokens_are_planned_by_several_programs():
    """Of which a tenth is kept, so that few are trained."""
    for architecture, negative in (("skipgram", 5), ("cbow", 1)):
        options = TrainingOptions(architecture=architecture, sample=1e-4, negative=negative, held_out=0.2)
        case = Shuffled(10, 60, 20, (40,) * 30, options, unknown=0.1, position=2**48 - 7, epoch=3)
        assert len(case.tokens()) > FATES_BLOCK > MOST_PLANNED
        held_to_the_reference(case, backend())


def what_is_measured_moves_nothing():
    options = TrainingOptions(sample=0, negative=1, held_out=0.5)
    case = Shuffled(8, 60, 20, (20, 6, 9, 5), options)
    held_to_the_reference(case, backend(), held_out=True, rates=Rates(0.0, 0.0, 0.0))
    weights, _ = trained(backend(), case, held_out=True, rates=Rates(0.0, 0.0, 0.0))
    np.testing.assert_array_equal(weights.input, case.start().input)
    np.testing.assert_array_equal(weights.output, case.start().output)


def the_corpus_stays_on_the_device_where_there_is_room():
    """Over two epochs, of which the second keeps other words around the cuts."""
    options = TrainingOptions(sample=5e-3, negative=1, window=2)
    case = Shuffled(9, 60, 20, (40, 7), options, unknown=0.4, tokens_each=8)
    expected = ReferenceBackend()
    kept, some, sent = backend(), backend(corpus_bytes=150), backend(corpus_bytes=0)
    for machine in (expected, kept, some, sent):
        machine.start(case.start(), case.tables(), case.options)
        for epoch in range(2):
            for chunk in case.chunks():
                machine.train(chunk, epoch, Rates(0.05, 0.0, 0.0))
        machine.settle()
    assert len(kept._corpus) == len(list(case.chunks())) > len(some._corpus) > len(sent._corpus) == 0
    np.testing.assert_allclose(kept.weights().input, expected.weights().input, rtol=1e-4, atol=2e-6)
    assert kept.tally().examples == expected.tally().examples
    for machine in (some, sent):
        np.testing.assert_array_equal(machine.weights().input, kept.weights().input)
        np.testing.assert_array_equal(machine.weights().output, kept.weights().output)
        assert machine.tally() == kept.tally()


class Steep(Shuffled):
    """Each word is counted half as often as the one before: paths of up to V - 1 nodes, which take several tiles."""

    def tables(self):
        words = Vocabulary(tuple(map(str, range(self.V))), 2 ** np.arange(self.V)[::-1])
        return tables_for(words, self.options)


def paths_in_one_program_are_the_reference():
    """Of several tiles; rows of one tensor, and of two (D = 300); wide windows, which take up to five steps."""
    for architecture in ARCHITECTURES:
        for D, gradient in ((20, "historical"), (300, "corrected")):
            options = TrainingOptions(
                architecture=architecture, loss="hs", sample=0, window=9 if D == 20 else 2, cbow_gradient=gradient
            )
            lengths = (19, 1, 0, 3) if D == 20 else (4, 1, 0, 3)
            held_to_the_reference(Steep(5, 20, D, lengths, options, position=2**48 - 7, epoch=3), backend())


def paths_of_few_words():
    """None, one and two nodes; words stand again and again in each window."""
    for V in (1, 2, 3):
        for architecture in ARCHITECTURES:
            options = TrainingOptions(architecture=architecture, loss="hs", sample=0)
            held_to_the_reference(Case(4, V, 20, (5, 3), options), backend(tile=4))


def paths_of_rows_that_warps_share():
    """What contexts change by from tile to tile, each thread reads as it wrote it itself."""
    for architecture in ARCHITECTURES:
        options = TrainingOptions(architecture=architecture, loss="hs", sample=0)
        for D, warps in ((150, 4), (300, 2)):
            held_to_the_reference(Steep(5, 20, D, (4, 1, 3), options), backend(warps=warps))


def paths_of_several_programs():
    """The same decisions however many there are; and other chunks, unknown words, sentences held out."""
    for architecture in ARCHITECTURES:
        options = TrainingOptions(architecture=architecture, loss="hs", sample=5e-3, held_out=0.3)
        case = Shuffled(7, 60, 20, (14, 3, 9), options, unknown=0.3, tokens_each=9)
        held_to_the_reference(case, backend())
        one, many = (trained(backend(programs=each), case)[1] for each in (1, 5))
        assert (many.examples, many.words) == (one.examples, one.words)
        np.testing.assert_allclose(many.loss, one.loss, rtol=0.05)


# ---- bfloat16 -----------------------------------------------------------------------------------


@triton.jit
def step_all(before, changes, seed, steps, SIZE: tl.constexpr):
    at = tl.arange(0, SIZE)
    bits = gpu_rows.sixteen_bits(tl.load(seed).to(tl.uint32) + at.to(tl.uint32))
    tl.store(steps + at, gpu_rows.step_by_chance(tl.load(before + at), tl.load(changes + at), bits).to(tl.float32))


SIZE = 1 << 16


def steps_from(before, change, seed=0):
    """The steps of SIZE numbers that are all alike."""
    told = [torch.as_tensor(each, dtype=torch.float32).repeat(SIZE).to(DEVICE) for each in (before, change)]
    steps = torch.empty(SIZE, device=DEVICE)
    step_all[(1,)](*told, torch.tensor([seed], device=DEVICE), steps, SIZE=SIZE)
    return steps.cpu().numpy()


def steps_are_rounded_without_bias():
    """By one of two neighbours, so often that the mean is the step; also where the sum is in another power of two."""
    for before, change in (
        (1.0, 1e-4), (1.0, -1e-4), (-1.5, 2e-3), (3.0, -0.37), (0.0, 0.0123), (0.0, -1e-6), (1e-4, 0.05),
        (200.0, 1e-3), (0.25, -0.0625 - 1e-4), (1.9921875, 0.004), (1e-30, 2e-30),
    ):  # fmt: skip
        before = float(nearest([before])[0])
        steps = steps_from(before, change, seed=12345).astype(np.float64)
        sums = nearest(np.float32(before) + steps.astype(np.float32))
        assert 1 <= len(np.unique(sums)) <= 2, (before, change)
        off = sums.astype(np.float64).mean() - (np.float64(np.float32(before) + np.float32(change)))
        error = max(np.ptp(sums) / 2 / np.sqrt(SIZE), 1e-12 * abs(change))
        assert abs(off) < 4 * error, (before, change, off, error)


def steps_are_multiples_of_the_last_bit():
    before = 1.5
    steps = steps_from(before, 0.0123)
    np.testing.assert_array_equal(np.unique(steps / 2.0**-7), [1, 2])
    np.testing.assert_array_equal(steps_from(before, 0.0), np.zeros(SIZE))
    np.testing.assert_array_equal(steps_from(before, 3 * 2.0**-7), np.full(SIZE, 3 * 2.0**-7))
    assert len(np.unique(steps_from(before, 0.001, seed=1) != steps_from(before, 0.001, seed=2**20))) == 2


def what_is_no_number_stays_none():
    for before, change in ((np.nan, 1.0), (1.0, np.nan), (np.inf, -np.inf)):
        assert np.isnan(steps_from(before, change)).all()
    made_by_gpus = np.array([0x7FFFFFFF], np.uint32).view(np.float32)  # adding bits would make it -0
    assert np.isnan(steps_from(1.0, torch.from_numpy(made_by_gpus))).all()
    assert (steps_from(1.0, np.inf) == np.inf).all()
    assert (steps_from(3e38, 3e38) == np.inf).all()


def added_by_chance(before, change, seed):
    """What the kernels make of rows (n, width) of bfloat16, by NumPy."""
    counter = (np.uint64(seed) + np.arange(change.size, dtype=np.uint64)).astype(np.uint32).reshape(change.shape)
    value = (counter ^ (counter >> 16)) * np.uint32(0x7FEB352D)
    bits = ((value ^ (value >> 15)) * np.uint32(0x846CA68B)) >> 16
    total = (before + change).astype(np.float32)
    step = ((bits_of(total) + bits) & np.uint32(0xFFFF0000)).view(np.float32) - before
    return nearest(before + nearest(step))


def rounded_training(case):
    """The reference, a window for every word, what each adds being rounded as the kernels round it."""
    reference, weights = ReferenceBackend(), case.start()
    weights.input[:], weights.output[:] = nearest(weights.input), nearest(weights.output)
    width = -(-case.D // 16) * 16
    key = draws.stream_key(case.options.seed, case.epoch, draws.Purpose.ROUND)
    pieces = replace(case, tokens_each=1).chunks()
    for chunk in case.chunks():
        found = windows(chunk, case.epoch, case.options, case.tables().keep)
        noise = noise_for(found, case.epoch, case.options, case.tables().noise)
        assert len(found) == chunk.last - chunk.first
        for n in range(len(found)):
            before = weights.copy()
            reference.start(weights.copy(), case.tables(), case.options)
            reference.train(next(pieces), case.epoch, RATES)
            after = reference.weights()
            drawn = int(draws.draw(key, np.uint64(chunk.position + chunk.first + n)))
            contexts = found.contexts[found.offsets[n] : found.offsets[n + 1]]
            rows = [found.centres[n], *noise[n]]
            for matrix, seed, order in (("input", drawn >> 32, contexts), ("output", drawn & 0xFFFFFFFF, rows)):
                then, now, kept = getattr(before, matrix), getattr(after, matrix), getattr(weights, matrix)
                for place, row in enumerate(order):
                    if row < 0 or (matrix == "output" and place and row == found.centres[n]):
                        continue
                    padded = np.zeros((2, width), np.float32)
                    padded[0, : case.D], padded[1, : case.D] = then[row], now[row] - then[row]
                    kept[row] = added_by_chance(*padded, seed + place * width)[: case.D]
    return weights


def one_program_rounds_as_numpy_does():
    """Words all differ within a window. A sum that is a float apart is rounded otherwise now and then, by one bit."""
    for architecture in ARCHITECTURES:
        options = TrainingOptions(
            architecture=architecture, sample=0, negative=1, window=2, device="cuda", gpu_dtype="bfloat16"
        )
        case = Shuffled(8, 400, 20, (12, 4), options, position=2**40 + 3, tokens_each=7)
        expected = rounded_training(case)
        weights, _ = trained(backend(), case, rates=RATES)
        for name in ("input", "output"):
            ours, theirs = getattr(weights, name), getattr(expected, name)
            np.testing.assert_array_equal(ours, nearest(ours))
            moved = theirs != nearest(getattr(case.start(), name))
            assert moved.sum() > 50
            assert (ours != theirs).sum() <= 0.02 * moved.sum(), (architecture, name, (ours != theirs).sum())
            np.testing.assert_allclose(ours, theirs, rtol=2.0**-6)


def bfloat16_learns_as_float32_does():
    """Every kernel, rows of one tensor and of two; chance is the seed's, so that a second run gives the same bits."""
    for architecture in ARCHITECTURES:
        for kind, loss, D in ((Shuffled, "ns", 20), (Steep, "hs", 300), (Shuffled, "ns", 300)):
            options = TrainingOptions(
                architecture=architecture, loss=loss, sample=0, negative=3, device="cuda", gpu_dtype="bfloat16"
            )
            case = kind(3, 20, D, (9, 5), options)
            other = replace(case, options=replace(options, gpu_dtype="float32"))
            weights, tally = trained(backend(), case)
            again, _ = trained(backend(), case)
            exact, expected = trained(backend(), other)
            np.testing.assert_array_equal(weights.input, again.input)
            np.testing.assert_array_equal(weights.output, again.output)
            assert (tally.examples, tally.words) == (expected.examples, expected.words)
            np.testing.assert_allclose(tally.loss, expected.loss, rtol=0.01)
            for name in ("input", "output"):
                np.testing.assert_allclose(getattr(weights, name), getattr(exact, name), rtol=0.05, atol=5e-3)


def rounded_steps_may_be_stored():
    """With one program, and no word twice in a window, stores are what additions are."""
    options = TrainingOptions(sample=0, negative=1, device="cuda", gpu_dtype="bfloat16")
    case = Shuffled(6, 400, 20, (12, 9), options)
    (added, tally), (stored, other) = (trained(backend(atomic=atomic), case) for atomic in (True, False))
    assert tally == other
    np.testing.assert_array_equal(added.input, stored.input)
    np.testing.assert_array_equal(added.output, stored.output)


def weights_without_bounds_are_seen():
    for kept in ("float32", "bfloat16"):
        case = Case(4, 20, 20, (7,), TrainingOptions(sample=0, device="cuda", gpu_dtype=kept))
        for name, number in ((None, 0.0), ("_input", np.nan), ("_output", np.inf), ("_output", -np.inf)):
            machine = backend()
            machine.start(case.start(), case.tables(), case.options)
            if name:
                getattr(machine, name)[3, 7] = number
            assert machine.finite() == (name is None)


class OneEpoch(Callback):
    def on_epoch_end(self, _):
        raise StopTraining


def models_of_paths_go_on_elsewhere():
    """The second epoch on the CPU after the first on the GPU, or the other way; by way of the model's file."""
    text = [list("abcdefghij"), list("caib"), list("dbcaf")]
    options = {"loss": "hs", "vector_size": 20, "min_count": 1, "sample": 0, "epochs": 2, "workers": 1}
    whole = Word2Vec(**options).fit(text)
    machines = CpuBackend, backend
    for first, second in (machines, machines[::-1]):
        with tempfile.TemporaryDirectory() as folder, patch.object(word2vec, "backend") as chosen:
            chosen.return_value = first()
            Word2Vec(**options).fit(text, callbacks=[OneEpoch()]).save(Path(folder, "model.safetensors"))
            chosen.return_value = second()
            model = Word2Vec.load(Path(folder, "model.safetensors")).fit(text, resume=True)
        assert model.state.words == whole.state.words
        np.testing.assert_allclose(model.state.losses, whole.state.losses, rtol=1e-5)
        np.testing.assert_allclose(model.weights.input, whole.weights.input, rtol=1e-4, atol=2e-6)
        np.testing.assert_allclose(model.weights.output, whole.weights.output, rtol=1e-4, atol=2e-6)
        chances, expected = ([chance for _, chance in each.predict(["a", "c"])] for each in (model, whole))
        np.testing.assert_allclose(chances, expected, rtol=1e-4)


def programs_make_the_same_decisions_however_many():
    for architecture in ARCHITECTURES:
        case = Shuffled(3, 60, 20, (12, 9), TrainingOptions(architecture=architecture, sample=0, negative=1))
        one, many = (trained(backend(programs=each), case)[1] for each in (1, 7))
        assert (many.examples, many.words) == (one.examples, one.words)
        np.testing.assert_allclose(many.loss, one.loss, rtol=0.05)


def additions_to_crowded_rows_are_scaled():
    """The interpreter runs one program after another, so windows come in order, each with its one step's scaled."""
    kinds = [(architecture, loss, 20) for architecture in ARCHITECTURES for loss in ("ns", "hs")]
    for architecture, loss, D in (*kinds, ("skipgram", "ns", 300)):
        options = TrainingOptions(
            architecture=architecture, loss=loss, sample=0, negative=3, window=2 if loss == "hs" else 5
        )
        case = Shuffled(3, 20, D, (9, 5), options)
        crowds, programs = Crowds.of(case.tables(), options), 64
        scales = [crowds.scales(shares, programs)[:, None] for shares in (crowds.input, crowds.output)]
        assert all(0.1 < scale.min() < 0.9 for scale in scales)
        expected = case.start()
        reference, pieces = ReferenceBackend(), replace(case, tokens_each=1)
        for chunk in pieces.chunks():
            before = expected.copy()
            reference.start(expected, case.tables(), options)
            reference.train(chunk, case.epoch, RATES)
            expected = reference.weights()
            for name, scale in zip(("input", "output"), scales, strict=True):
                now, then = getattr(expected, name), getattr(before, name)
                now[:] = then + scale * (now - then)
        weights, _ = trained(backend(programs=programs), case, rates=RATES)
        np.testing.assert_allclose(weights.input, expected.input, rtol=1e-4, atol=2e-6)
        np.testing.assert_allclose(weights.output, expected.output, rtol=1e-4, atol=2e-6)


def report(names, functions):
    """Run the functions of these names, and print a line of JSON about each."""
    torch.set_num_threads(1)
    for name in names:
        error = None
        try:
            functions[name]()
        except Exception:
            error = traceback.format_exc()
        print(json.dumps({"name": name, "error": error}), flush=True)


if __name__ == "__main__":
    report(sys.argv[1:], globals())
