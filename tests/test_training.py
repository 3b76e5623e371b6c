"""The main flow: rates, losses, callbacks, and runs that stop and go on."""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firth import Callback, Progress, StopTraining, Word2Vec
from firth.backends.base import Tally
from firth.backends.cpu import CpuBackend, kernel_for
from firth.backends.reference import ReferenceBackend
from firth.corpus import encoded_corpus
from firth.draws import Purpose, as_chance, chance, draw, stream_key
from firth.errors import BadCorpus, BadOption, Diverged, NotTrained
from firth.options import TrainingOptions
from firth.state import Mark, State
from firth.training import rates_in, train
from firth.vocabulary import from_ranked
from firth.weights import initial_weights

SMALL = {"vector_size": 12, "min_count": 1, "workers": 1, "sample": 0.01, "alpha": 0.05}


def sentences(count=1500, seed=0, V=300):
    """Sentences whose words come from one of ten topics each, so that there is something to learn."""
    rng = np.random.default_rng(seed)
    topics = rng.integers(0, 10, count)
    return [[f"w{(rng.zipf(1.3) * 10 + topic) % V}" for _ in range(rng.integers(1, 30))] for topic in topics.tolist()]


TEXT = sentences()
TOKENS = sum(map(len, TEXT))


class Watcher(Callback):
    """Notes what it is told, and does what it is asked when some event comes for the n-th time."""

    def __init__(self, every_words=None, when=None, do=None):
        self.every_words = every_words
        self.when, self.do = when, do
        self.events = []

    def _note(self, event, progress):
        self.events.append((event, progress))
        if (event, [name for name, _ in self.events].count(event)) == self.when:
            self.do(progress)

    def on_train_begin(self, progress):
        self._note("begin", progress)

    def on_words(self, progress):
        self._note("words", progress)

    def on_epoch_end(self, progress):
        self._note("epoch", progress)

    def on_train_end(self, progress):
        self._note("end", progress)

    def names(self):
        return [name for name, _ in self.events]


def stop(_):
    raise StopTraining


def bytes_of(model):
    return model.weights.input.tobytes(), model.weights.output.tobytes()


def no_threads_left():
    return not [each for each in threading.enumerate() if each.name.startswith("firth")]


# ---- rates -------------------------------------------------------------------------------------


@given(
    epochs=st.integers(1, 50),
    tokens=st.integers(1, 10**12),
    place=st.floats(0, 1),
    alpha=st.floats(0.001, 1),
    floor=st.floats(0, 0.001),
)
def test_the_rate_falls_in_one_straight_line_over_all_epochs(epochs, tokens, place, alpha, floor):
    options = TrainingOptions(epochs=epochs, alpha=alpha, min_alpha=floor)
    for epoch in {0, epochs // 2, epochs - 1}:
        rates = rates_in(epoch, options, tokens)
        assert rates.floor == floor
        expected = alpha - (alpha - floor) * (epoch + place) / epochs
        assert rates.start - rates.slope * place * tokens == pytest.approx(expected, abs=1e-9)
    last = rates_in(epochs - 1, options, tokens)
    assert last.start - last.slope * tokens == pytest.approx(floor, abs=1e-9)


def test_the_rate_that_callbacks_see_ends_at_min_alpha():
    watcher = Watcher(every_words=2000)
    Word2Vec(**SMALL, epochs=3, min_alpha=0.001).fit(TEXT, callbacks=[watcher])
    alphas = [progress.alpha for _, progress in watcher.events]
    assert np.diff(alphas).max() < 1e-12
    assert alphas[0] == 0.05
    assert alphas[-1] == pytest.approx(0.001)


# ---- losses ------------------------------------------------------------------------------------


@pytest.mark.parametrize("architecture", ["skipgram", "cbow"])
def test_the_loss_falls(architecture):
    losses = Word2Vec(**SMALL, epochs=6, architecture=architecture).fit(TEXT).losses
    assert len(losses) == 6
    assert losses[-1] < 0.95 * losses[0]
    assert np.diff(losses).max() < 0


def run(backend, options, state=None, callbacks=(), weights=None):
    with encoded_corpus(TEXT) as corpus:
        vocabulary = from_ranked(corpus.words, corpus.counts)
        weights = weights or initial_weights(len(vocabulary), options.vector_size, options.seed)
        return train(corpus, vocabulary, options, backend, weights, state=state, callbacks=callbacks)


@pytest.mark.parametrize("architecture", ["skipgram", "cbow"])
def test_weights_and_losses_of_whole_runs_are_those_of_the_reference(architecture):
    options = TrainingOptions(**SMALL, epochs=2, architecture=architecture, held_out=0.1)
    expected, truth = run(ReferenceBackend(), options)
    weights, state = run(CpuBackend(), options)
    np.testing.assert_allclose(state.losses, truth.losses, rtol=1e-5)
    np.testing.assert_allclose(state.held_out_losses, truth.held_out_losses, rtol=1e-5)
    assert state.words == truth.words
    np.testing.assert_allclose(weights.input, expected.input, rtol=1e-3, atol=5e-5)
    np.testing.assert_allclose(weights.output, expected.output, rtol=1e-3, atol=5e-5)


def test_the_loss_is_the_same_for_any_number_of_threads_within_noise():
    one, many = (Word2Vec(**{**SMALL, "workers": n}, epochs=6).fit(TEXT).losses[-1] for n in (1, 4))
    assert many == pytest.approx(one, rel=0.05)


def test_held_out_sentences_are_measured_and_not_trained_on():
    watcher = Watcher()
    model = Word2Vec(**SMALL, epochs=3, held_out=0.2).fit(TEXT, callbacks=[watcher])
    assert len(model.state.held_out_losses) == 3
    assert model.state.held_out_losses[-1] < model.state.held_out_losses[0]
    assert model.state.words / 3 == pytest.approx(0.8 * TOKENS, rel=0.05)
    told = [progress.held_out_loss for name, progress in watcher.events if name == "epoch"]
    assert tuple(told) == model.state.held_out_losses


def test_words_of_held_out_sentences_alone_keep_the_vectors_they_began_with():
    pairs = [[f"a{i}", f"b{i}"] for i in range(500)]
    model = Word2Vec(**{**SMALL, "sample": 0}, epochs=1, held_out=0.3).fit(pairs)
    start = initial_weights(1000, 12, 1).input
    untrained = {word for word, row in zip(model.vocabulary, model.weights.input == start, strict=True) if row.all()}
    chosen = chance(draw(stream_key(1, 0, Purpose.HELD_OUT), 2 * np.arange(500))) < as_chance(0.3)
    held_out = {word for pair, out in zip(pairs, chosen, strict=True) if out for word in pair}
    assert held_out <= untrained
    assert len(untrained) < 0.5 * 1000


def test_the_words_counted_are_those_of_the_vocabulary():
    model = Word2Vec(**{**SMALL, "min_count": 20}, epochs=2).fit(TEXT)
    assert model.state.words == 2 * model.vocabulary.total < 2 * TOKENS


def test_tallies_add_and_subtract():
    one, other = Tally(1.5, 2, 3), Tally(0.5, 1, 1)
    assert one + other - other == one
    assert one.mean_loss == 0.75
    assert math.isnan(Tally().mean_loss)


# ---- callbacks ---------------------------------------------------------------------------------


def test_callbacks_are_told_in_order():
    watcher = Watcher(every_words=5000)
    model = Word2Vec(**SMALL, epochs=2).fit(TEXT, callbacks=[watcher])
    names = watcher.names()
    assert names[0] == "begin"
    assert names[-2:] == ["epoch", "end"]
    assert names.count("epoch") == 2
    words = [progress.words for _, progress in watcher.events]
    assert words == sorted(words)
    assert words[0] == 0
    assert words[-1] == model.state.words == watcher.events[0][1].total_words
    told = [progress.loss for name, progress in watcher.events if name == "epoch"]
    assert tuple(told) == model.losses
    assert [progress.epoch for name, progress in watcher.events if name == "epoch"] == [1, 2]


def test_on_words_is_called_about_every_so_many_words():
    watcher = Watcher(every_words=4000)
    Word2Vec(**SMALL, epochs=4).fit(TEXT, callbacks=[watcher])
    assert 4 <= watcher.names().count("words") <= 4 * TOKENS // 4000


def test_every_callback_has_its_own_interval():
    often, seldom, never = Watcher(every_words=2000), Watcher(every_words=4 * TOKENS // 2), Watcher()
    Word2Vec(**SMALL, epochs=4).fit(TEXT, callbacks=[often, seldom, never])
    assert often.names().count("words") > seldom.names().count("words") > never.names().count("words") == 0


def test_the_vectors_can_be_looked_at_after_each_epoch():
    seen = []

    def look(progress):
        seen.append(np.array(progress.vectors().matrix))

    watcher = Watcher(when=("epoch", 1), do=look)
    model = Word2Vec(**SMALL, epochs=2).fit(TEXT, callbacks=[watcher])
    once = Word2Vec(**SMALL, epochs=2).fit(TEXT, callbacks=[Watcher(when=("epoch", 1), do=stop)])
    np.testing.assert_array_equal(seen[0], once.weights.input)
    assert (seen[0] != model.weights.input).any()


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("event", ["begin", "words", "epoch", "end"])
def test_an_error_in_a_callback_comes_out_and_leaves_no_thread(event, workers):
    def fail(_):
        raise KeyError("mine")

    model = Word2Vec(**{**SMALL, "workers": workers})
    with pytest.raises(KeyError, match="mine"):
        model.fit(TEXT, callbacks=[Watcher(every_words=100, when=(event, 1), do=fail)], progress=True)
    assert no_threads_left()
    with pytest.raises(RuntimeError):
        model.vectors  # noqa: B018
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_in_a_worker_comes_out(monkeypatch):
    usual = kernel_for
    monkeypatch.setattr("firth.backends.cpu.kernel_for", lambda *of: usual(*of)._replace(train=lambda *_: 1 / 0))
    with pytest.raises(ZeroDivisionError):
        Word2Vec(**SMALL).fit(TEXT)
    assert no_threads_left()


def test_progress_tells_how_long_the_rest_takes():
    some = Progress(0, 1, 100, 300, 1.0, None, 0.05, 2.0, 50.0, lambda: None)
    assert some.seconds_left == 4.0
    assert replace(some, words_per_second=0.0).seconds_left == math.inf


def test_a_corpus_without_pairs_is_refused_with_the_remedy():
    with pytest.raises(BadCorpus, match=r"nothing to train on.*list of tokens per sentence"):
        Word2Vec(min_count=1, sample=0).fit([["one"], ["two"], ["one"]])


# ---- stopping and going on ---------------------------------------------------------------------


WHOLE = dict(**SMALL, epochs=3, held_out=0.1)


@pytest.fixture(scope="module", params=["skipgram", "cbow"])
def uninterrupted(request):
    return Word2Vec(**WHOLE, architecture=request.param).fit(TEXT)


@pytest.mark.parametrize("when", [("begin", 1), ("words", 1), ("words", 4), ("words", 7), ("epoch", 1), ("epoch", 2)])
def test_a_stopped_run_goes_on_to_the_same_bytes(uninterrupted, when, tmp_path):
    model = Word2Vec(**uninterrupted.options.as_dict())
    model.fit(TEXT, callbacks=[Watcher(every_words=2500, when=when, do=stop)])
    assert (model.state.epoch, model.state.position) < (3, 0)
    model.save(tmp_path / "stopped.safetensors")
    for going_on in (Word2Vec.load(tmp_path / "stopped.safetensors"), model):
        going_on.fit(TEXT, resume=True)
        assert bytes_of(going_on) == bytes_of(uninterrupted)
        assert going_on.losses == uninterrupted.losses
        assert going_on.state.held_out_losses == uninterrupted.state.held_out_losses
        assert going_on.state.words == uninterrupted.state.words


def test_a_run_stopped_again_and_again_comes_to_the_same_bytes(uninterrupted):
    model = Word2Vec(**uninterrupted.options.as_dict())
    model.fit(TEXT, callbacks=[Watcher(when=("begin", 1), do=stop)])
    calls = 0
    while model.state.epoch < 3:
        model.fit(TEXT, resume=True, callbacks=[Watcher(every_words=2000, when=("words", 1), do=stop)])
        calls += 1
    assert calls > 6
    assert bytes_of(model) == bytes_of(uninterrupted)
    assert model.losses == uninterrupted.losses


def test_ctrl_c_stops_between_chunks_and_nothing_is_lost(uninterrupted):
    model = Word2Vec(**uninterrupted.options.as_dict())
    interrupt = Watcher(every_words=2500, when=("words", 3), do=lambda _: os.kill(os.getpid(), signal.SIGINT))
    assert model.fit(TEXT, callbacks=[interrupt]) is model
    assert (model.state.epoch, model.state.position) < (3, 0)
    assert interrupt.names()[-1] == "end"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    model.fit(TEXT, resume=True)
    assert bytes_of(model) == bytes_of(uninterrupted)
    assert model.losses == uninterrupted.losses


def test_ctrl_c_from_outside_stops_a_long_run():
    watcher = Watcher(every_words=1000)
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))

    def start(_):
        timer.start()

    watcher.when, watcher.do = ("words", 1), start
    model = Word2Vec(**{**SMALL, "workers": 2}, epochs=100_000).fit(TEXT, callbacks=[watcher])
    timer.join()
    assert 0 < model.state.epoch < 100_000
    assert no_threads_left()


def test_a_second_ctrl_c_interrupts_at_once():
    def twice(_):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)

    with pytest.raises(KeyboardInterrupt):
        Word2Vec(**SMALL).fit(TEXT, callbacks=[Watcher(every_words=1000, when=("words", 1), do=twice)])
    assert no_threads_left()


def test_a_run_that_is_complete_is_resumed_to_itself(uninterrupted):
    before, state = bytes_of(uninterrupted), uninterrupted.state
    watcher = Watcher(every_words=10)
    uninterrupted.fit(TEXT, resume=True, callbacks=[watcher])
    assert bytes_of(uninterrupted) == before
    assert replace(uninterrupted.state, seconds=state.seconds) == state
    assert watcher.names() == ["begin", "end"]


def test_a_failed_resume_leaves_the_model_as_it_was(uninterrupted):
    def fail(_):
        raise KeyError("mine")

    model = Word2Vec(**uninterrupted.options.as_dict())
    model.fit(TEXT, callbacks=[Watcher(when=("epoch", 1), do=stop)])
    before, state, vectors = bytes_of(model), model.state, model.vectors
    with pytest.raises(KeyError):
        model.fit(TEXT, resume=True, callbacks=[Watcher(when=("epoch", 1), do=fail)])
    assert (bytes_of(model), model.state) == (before, state)
    model.fit(TEXT, resume=True)
    assert bytes_of(model) == bytes_of(uninterrupted)
    assert vectors.matrix.tobytes() == before[0]  # what was handed out does not change


@pytest.mark.parametrize(
    "other", [TEXT[:-1], [*TEXT, ["new"]], [[*TEXT[0], *TEXT[1]], *TEXT[2:]], sentences(seed=5)], ids=len
)
def test_resuming_on_another_corpus_is_refused(other):
    model = Word2Vec(**SMALL).fit(TEXT, callbacks=[Watcher(when=("epoch", 1), do=stop)])
    with pytest.raises(BadOption, match=rf"another corpus.*{TOKENS:,} tokens in {len(TEXT):,} sentences"):
        model.fit(other, resume=True)


def test_other_words_of_the_same_number_are_another_corpus():
    model = Word2Vec(**SMALL).fit(TEXT, callbacks=[Watcher(when=("epoch", 1), do=stop)])
    with pytest.raises(BadOption, match="another corpus"):
        model.fit([[word.replace("w1", "x1") for word in sentence] for sentence in TEXT], resume=True)


def test_a_corpus_has_one_mark_however_it_is_given(tmp_path):
    file = tmp_path / "text.txt"
    file.write_text("\n".join(" ".join(sentence) for sentence in TEXT))
    with encoded_corpus(TEXT) as listed, encoded_corpus(str(file)) as read:
        assert Mark.of(listed) == Mark.of(read) != Mark()


def test_state_comes_back_from_plain_values():
    state = State(2, 77, (1.5, 1.25), (2.0,), Tally(3.5, 4, 5), 99, 1.5, Mark(1, 2, "3"))
    assert State.from_dict(state.as_dict()) == state
    assert State.from_dict({}) == State()


def test_fit_works_outside_the_main_thread(uninterrupted):
    model = Word2Vec(**uninterrupted.options.as_dict())
    errors = []

    def work():
        try:
            model.fit(TEXT)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert not errors
    assert bytes_of(model) == bytes_of(uninterrupted)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"architecture": "cbow", "negative": 20, "window": 20, "alpha": 0.5}, [["a", "b"] * 200] * 20),
        ({"alpha": 1.0, "window": 100, "epochs": 10}, TEXT),
    ],
)
def test_training_that_grows_without_bound_is_an_error_and_leaves_the_model_as_it_was(options, text):
    model = Word2Vec(min_count=1, sample=0, workers=1, **options)
    with pytest.raises(Diverged, match=r"training grew without bound in epoch \d+ \(alpha"):
        model.fit(text)
    with pytest.raises(NotTrained):
        _ = model.vectors


@pytest.mark.parametrize("gradient", ["historical", "corrected"])
def test_the_corrected_gradient_is_named_where_the_other_grew_without_bound(gradient):
    text = [["a", "b"] * 200] * 20
    options = {"negative": 20, "window": 20, "alpha": 0.5, "min_count": 1, "sample": 0, "workers": 1}
    model = Word2Vec(architecture="cbow", cbow_gradient=gradient, **options)
    with pytest.raises(Diverged) as told:
        model.fit(text, progress=False)
    remedy = "or take cbow_gradient='corrected', fewer noise words or a smaller window"
    assert (remedy in str(told.value)) == (gradient == "historical")


def test_callbacks_that_are_none_are_told_before_any_work():
    class Foreign:
        def on_epoch_end(self, progress):
            raise AssertionError(progress)

    for callbacks in ([Foreign()], Callback(), [Watcher(every_words=-1)]):
        with pytest.raises(BadOption, match=r"firth.Callback|every_words"):
            Word2Vec(**SMALL).fit(TEXT, callbacks=callbacks)


def test_vectors_given_to_a_callback_stay_as_they_were():
    seen = []
    watcher = Watcher(when=("epoch", 1), do=lambda progress: seen.append(progress.vectors()))
    model = Word2Vec(**SMALL, epochs=2).fit(TEXT, callbacks=[watcher])
    assert seen[0].words == model.vectors.words
    assert not np.array_equal(seen[0].matrix, model.vectors.matrix)


def test_a_share_held_out_that_holds_out_nothing_is_told():
    with pytest.raises(BadOption, match="held_out is 1e-09: of 1,500 sentences it left none"):
        Word2Vec(**SMALL, held_out=1e-9).fit(TEXT)
