"""Full softmax by matrix products holds to the reference, example by example."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cases import ARCHITECTURES, Case, assert_held_to_the_reference, cases, trained
from hypothesis import given, settings
from hypothesis import strategies as st

from firth import Callback, Progress, StopTraining, Word2Vec, encoded_corpus, estimate
from firth.backends import cpu_softmax
from firth.backends.base import Rates
from firth.backends.cpu import CpuBackend
from firth.backends.cpu_softmax import SoftmaxBackend
from firth.blas import _libraries, threads_at_most
from firth.errors import BadOption
from firth.estimating.speed import measured_speed
from firth.options import TrainingOptions
from firth.progress import ProgressBar, TellsLongRuns
from firth.word2vec import backend

# Where nearly all examples of a batch are one word, its gradients add up: at higher rates, float32 and float64 part.
RATES = Rates(0.01, 1e-6, 0.002)


@settings(max_examples=100)
@given(case=cases(loss="softmax"))
def test_any_small_corpus_in_any_chunks(case):
    assert_held_to_the_reference(case, rates=RATES)


@settings(max_examples=30)
@given(case=cases(loss="softmax"), held_out=st.booleans())
def test_held_out_sentences(case, held_out):
    assert_held_to_the_reference(case, held_out=held_out, rates=RATES)


@settings(max_examples=20)
@given(case=cases(loss="softmax"))
def test_measuring_trains_nothing(case):
    weights, tally = trained(SoftmaxBackend(), case, held_out=True, rates=Rates(0, 0, 0))
    start = case.start()
    np.testing.assert_array_equal(weights.input, start.input)
    np.testing.assert_array_equal(weights.output, start.output)
    assert np.isfinite(tally.loss)
    assert_held_to_the_reference(case, held_out=True, rates=Rates(0, 0, 0))


def a_case(architecture, **changed):
    """Some slices of words, the last one short."""
    options = TrainingOptions(architecture=architecture, loss="softmax", workers=1, sample=0)
    V = 2 * cpu_softmax.SLICE_ROWS + 5
    return Case(7, V, 17, (30,) * 10, replace(options, **changed), unknown=0.1, tokens_each=70)


@pytest.mark.parametrize("cbow_gradient", ["historical", "corrected"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_words_in_several_slices(architecture, cbow_gradient):
    assert_held_to_the_reference(a_case(architecture, cbow_gradient=cbow_gradient))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_any_number_of_workers_gives_the_same_bytes(architecture):
    weights, tally = trained(SoftmaxBackend(), a_case(architecture))
    for workers in (1, 2, 5):
        others, same_tally = trained(SoftmaxBackend(), a_case(architecture, workers=workers))
        np.testing.assert_array_equal(weights.input, others.input)
        np.testing.assert_array_equal(weights.output, others.output)
        assert tally == same_tally


def test_kernels_of_the_other_losses_refuse_it():
    with pytest.raises(ValueError, match="SoftmaxBackend"):
        trained(CpuBackend(), a_case("cbow"))


# ---- a whole run -------------------------------------------------------------------------------

SMALL = {"loss": "softmax", "vector_size": 12, "min_count": 1, "sample": 0.01, "epochs": 2, "held_out": 0.1}


def text(count=400, V=120):
    rng = np.random.default_rng(0)
    return [[f"w{rng.zipf(1.3) % V}" for _ in range(rng.integers(1, 30))] for _ in range(count)]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_whole_run_holds_to_the_reference(architecture):
    fast, slow = (
        Word2Vec(**SMALL, architecture=architecture, backend=each, workers=2).fit(text(), progress=False)
        for each in ("cpu", "reference")
    )
    np.testing.assert_allclose(fast.weights.input, slow.weights.input, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(fast.weights.output, slow.weights.output, rtol=1e-3, atol=1e-4)
    assert fast.losses == pytest.approx(slow.losses, rel=1e-5)
    assert fast.state.held_out_losses == pytest.approx(slow.state.held_out_losses, rel=1e-5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_run_that_was_stopped_goes_on_to_the_same_bytes(architecture, tmp_path):
    class Stop(Callback):
        every_words = 1

        def on_words(self, _):
            raise StopTraining

    whole = Word2Vec(**SMALL, architecture=architecture).fit(text(), progress=False)
    stopped = Word2Vec(**SMALL, architecture=architecture).fit(text(), callbacks=[Stop()], progress=False)
    assert (stopped.state.epoch, stopped.state.position) == (0, 2048)
    stopped.save(tmp_path / "m.safetensors")
    resumed = Word2Vec.load(tmp_path / "m.safetensors").fit(text(), resume=True, progress=False)
    np.testing.assert_array_equal(whole.weights.input, resumed.weights.input)
    np.testing.assert_array_equal(whole.weights.output, resumed.weights.output)
    assert whole.losses == pytest.approx(resumed.losses, rel=1e-12)


class Watcher(Callback):
    def on_train_begin(self, progress):
        self.began = progress

    def on_train_end(self, progress):
        self.ended = progress


@pytest.mark.parametrize("loss", ["softmax", "ns"])
def test_how_long_it_takes_is_known_before_it_begins(loss):
    """And to measure it changes nothing that is trained, counted or told afterwards."""
    watcher, options = Watcher(), SMALL | {"loss": loss, "vector_size": 17}
    watched = Word2Vec(**options, workers=1).fit(text(), callbacks=[watcher], progress=False)
    alone = Word2Vec(**options, workers=1).fit(text(), progress=False)
    np.testing.assert_array_equal(watched.weights.input, alone.weights.input)
    np.testing.assert_array_equal(watched.weights.output, alone.weights.output)
    assert (watched.losses, watched.state.words) == (alone.losses, alone.state.words)
    assert watcher.began.words == 0
    if loss == "ns":
        assert watcher.began.seconds_left == float("inf")
    else:  # the machine may be busy; that the units are right can be seen
        assert 0.1 < watcher.began.seconds_left / watcher.ended.seconds < 10


@pytest.mark.parametrize("teller", [TellsLongRuns, ProgressBar])
def test_a_long_run_is_told_before_it_begins(teller, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")

    def begun(words_per_second):
        progress = Progress(0, 5, 0, 3_600_000, float("nan"), None, 0.05, 0.0, words_per_second, lambda: None)
        callback = teller()
        callback.on_train_begin(progress)
        callback.on_train_end(progress)
        return capsys.readouterr().err

    assert "take about 1:00:00 (hours:minutes:seconds), at 1,000 words/s as just measured" in begun(1000)
    for quick in (0.0, 100_000):
        assert "this will take" not in begun(quick)


@pytest.mark.parametrize("progress", [None, False])
def test_fit_tells_a_long_run_where_nothing_else_is_shown(progress, capsys, monkeypatch):
    """Every run is long here; how fast it will be is measured before, and changes nothing that is trained."""
    monkeypatch.setattr("firth.progress.LONG_SECONDS", 0.0)
    model = Word2Vec(**SMALL, workers=1).fit(text(40), progress=progress)
    complained = capsys.readouterr().err
    if progress is None:
        assert complained.startswith("firth: this will take about 0:0")
        assert len(complained.splitlines()) == 1
    else:
        assert complained == ""
    silent = Word2Vec(**SMALL, workers=1).fit(text(40), progress=False)
    np.testing.assert_array_equal(model.weights.output, silent.weights.output)


BLAS = [each for each in _libraries().info() if each["user_api"] == "blas"]


@pytest.mark.skipif(not BLAS, reason="threadpoolctl cannot limit the BLAS that NumPy uses here (Apple's Accelerate?)")
def test_products_take_one_thread_while_training_and_then_as_many_as_before(monkeypatch):
    seen = []
    usual = cpu_softmax.descend

    def noted(*arguments):
        seen.extend(each["num_threads"] for each in _libraries().info() if each["user_api"] == "blas")
        return usual(*arguments)

    monkeypatch.setattr(cpu_softmax, "descend", noted)
    with threads_at_most(2):
        before = _libraries().info()
        Word2Vec(**SMALL, workers=2).fit(text(40), progress=False)
        assert _libraries().info() == before
    assert set(seen) == {1}


@pytest.mark.skipif(not BLAS, reason="threadpoolctl cannot limit the BLAS that NumPy uses here (Apple's Accelerate?)")
def test_limits_of_threads_that_end_in_any_order_leave_what_was_before():
    libraries = [each for each in _libraries().lib_controllers if each.user_api == "blas"]

    def taken():
        (each,) = {library.num_threads for library in libraries}
        return each

    usual = [library.num_threads for library in libraries]
    try:
        for library in libraries:
            library.set_num_threads(4)
        if taken() != 4:
            pytest.skip("this BLAS was built for fewer than 4 threads")
        first, second, third = threads_at_most(2), threads_at_most(1), threads_at_most(9)
        first.__enter__()
        assert taken() == 2
        second.__enter__()
        assert taken() == 1
        first.__exit__(None, None, None)  # another thread's, which ends before the one that began within it
        assert taken() == 1
        third.__enter__()
        second.__exit__(None, None, None)
        assert taken() == 4  # no more than before, though 9 were allowed
        third.__exit__(None, None, None)
        assert taken() == 4
        with threads_at_most(2), threads_at_most(3):
            assert taken() == 2
        assert taken() == 4
    finally:
        for library, count in zip(libraries, usual, strict=True):
            library.set_num_threads(count)


# ---- what is refused ---------------------------------------------------------------------------


def test_more_words_than_it_can_train_are_refused_with_what_to_do(monkeypatch):
    monkeypatch.setattr("firth.affordable.MOST_SOFTMAX_WORDS", 50)
    refusal = "must have 50 words or fewer, got 1.*raise min_count, set max_vocabulary, or use loss='ns' or 'hs'"
    with pytest.raises(BadOption, match=refusal):
        Word2Vec(**SMALL).fit(text(), progress=False)
    with encoded_corpus(text()) as corpus, pytest.raises(BadOption, match=refusal):
        estimate(corpus, **SMALL)
    Word2Vec(**SMALL, max_vocabulary=50).fit(text(20), progress=False)
    Word2Vec(**SMALL | {"loss": "hs", "vector_size": 17}).fit(text(20), progress=False)


def test_more_memory_than_there_is_is_refused(monkeypatch):
    monkeypatch.setattr("firth.affordable.machine_memory_bytes", lambda: 2**20)
    with pytest.raises(BadOption, match=r"vector_size 4000 needs \d+ MB.*this machine has 1 MB; lower vector_size"):
        Word2Vec(**SMALL | {"vector_size": 4000}).fit(text(), progress=False)


# ---- what it takes -----------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["hs", "softmax"])
def test_it_takes_as_long_as_was_measured_beforehand(loss, tmp_path):
    """Roughly, as other programs run beside the tests."""
    options = TrainingOptions(**SMALL | {"loss": loss, "vector_size": 17, "sample": 0.1}, workers=1)
    with encoded_corpus(text(3000)) as corpus:
        V, tokens = len(corpus.words), corpus.total_tokens
        speed = measured_speed(corpus, V, tokens, options, None, corpus.counts, None, backend(options), tmp_path, None)
        model = Word2Vec(**options.as_dict()).fit(corpus, progress=False)
    told = options.epochs * tokens * (speed.per_token + speed.per_held_out_token)
    assert 0.3 < told / model.seconds.training < 3
