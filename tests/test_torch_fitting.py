"""Any optimiser trains a module; vectors go into PyTorch and come back."""

from __future__ import annotations

import math
import signal
from functools import partial

import numpy as np
import pytest
from torch_cases import CBOW, KINDS, SkipGram, random_sentences, torch

import firth.torch
from firth import Callback, StopTraining, Word2Vec, WordVectors
from firth.corpus import encoded_corpus
from firth.errors import BadCorpus, BadOption, Diverged, MissingFile, NotTrained, UnknownWord
from firth.torch import FeedForwardCBOW, embedding, fit, from_word2vec, numbers, to_word2vec
from firth.torch.fitting import shorten
from firth.vocabulary import Vocabulary
from firth.world import sentences

TINY = random_sentences(count=60)
OPTIONS = {"vector_size": 6, "window": 2, "min_count": 1, "sample": 0}
ADAM = partial(torch.optim.Adam, lr=0.01)
SPARSE_ADAM = partial(torch.optim.SparseAdam, lr=0.01)


def weights_of(module):
    return [parameter.detach().clone() for parameter in module.parameters()]


def changed(module, before):
    return any(not torch.equal(a, b) for a, b in zip(module.parameters(), before, strict=True))


# ---- learning ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def world():
    with encoded_corpus(list(sentences(4000))) as corpus:
        yield corpus


def contrast(vectors):
    """How much nearer countries are to each other than to words of other kinds."""
    countries = ["france", "italy", "spain", "japan", "egypt", "norway"]
    others = ["mayor", "river", "the", "moscow", "market", "euro"]
    units = [vectors[some] / np.linalg.norm(vectors[some], axis=1, keepdims=True) for some in (countries, others)]
    alike = (units[0] @ units[0].T)[np.triu_indices(len(countries), 1)]
    return float(alike.mean() - (units[0] @ units[1].T).mean())


@pytest.mark.parametrize("architecture", ["skipgram", "cbow"])
@pytest.mark.parametrize("optimizer", [ADAM, SPARSE_ADAM], ids=["dense Adam", "SparseAdam"])
def test_adam_brings_related_words_together(world, architecture, optimizer):
    module = KINDS[architecture](vector_size=20, min_count=3, sparse=optimizer is SPARSE_ADAM)
    untrained = SkipGram(Vocabulary.of(world, min_count=3), vector_size=20)
    fitted = fit(module, world, optimizer=optimizer, batch_size=512, epochs=8)
    assert fitted.losses[-1] < 0.5 * fitted.losses[0]
    assert abs(contrast(untrained.vectors())) < 0.1
    assert contrast(module.vectors()) > 0.3
    assert contrast(module.vectors("average")) > 0.5


def test_the_hidden_layer_learns_to_predict_the_word_amid_a_context():
    text = [["the", animal, verb, "the", thing] for animal, verb, thing in PHRASES] * 40
    module = FeedForwardCBOW(vector_size=10, hidden=32, window=2, dynamic_window=False, min_count=1, sample=0)
    fitted = fit(module, text, optimizer=ADAM, batch_size=32, epochs=6)
    assert fitted.losses[-1] < 0.5 * fitted.losses[0]
    (verb, chance), *_ = module.predict(["the", "dog", "the", "bone"])
    assert verb == "gnaws"
    assert chance > 0.8


PHRASES = [("dog", "gnaws", "bone"), ("cat", "chases", "mouse"), ("cow", "chews", "grass"), ("bee", "seeks", "flower")]


def test_a_module_of_one_s_own_is_trained_like_the_others():
    """What it must say is how it is built and what its loss is."""

    class Bilinear(CBOW):
        def build(self, vocabulary):
            super().build(vocabulary)
            self.turn = torch.nn.Parameter(torch.eye(self.options.vector_size))
            return self

        def predictors(self, batch):
            return super().predictors(batch) @ self.turn

    module = Bilinear(**OPTIONS)
    fitted = fit(module, TINY, optimizer=ADAM, epochs=4, batch_size=16)
    assert fitted.losses[-1] < fitted.losses[0]
    assert not torch.equal(module.turn.detach(), torch.eye(6))


@pytest.mark.parametrize("name", firth.torch.__all__)
def test_every_public_name_tells_what_it_is(name):
    assert getattr(firth.torch, name).__doc__


# ---- optimisers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("optimizer", "sparse"),
    [
        (partial(torch.optim.AdamW, lr=0.01), False),
        (partial(torch.optim.RMSprop, lr=1e-3), False),
        (partial(torch.optim.Adagrad, lr=0.1), False),
        (partial(torch.optim.Adagrad, lr=0.1), True),
        (partial(torch.optim.SGD, lr=0.05, momentum=0.5), True),
        (SPARSE_ADAM, True),
    ],
)
def test_optimisers_of_pytorch_train(optimizer, sparse):
    module = SkipGram(sparse=sparse, **OPTIONS)
    fitted = fit(module, TINY, optimizer=optimizer, epochs=4, batch_size=16)
    assert fitted.finished
    assert len(fitted.losses) == 4
    assert fitted.losses[-1] < fitted.losses[0]


DENSE_TOO = {  # modules with sparse gradients and dense ones, both
    "skip-gram": partial(SkipGram, loss="softmax", sparse=True, **OPTIONS),
    "cbow": partial(CBOW, loss="softmax", sparse=True, **OPTIONS),
    "hidden layer": partial(FeedForwardCBOW, sparse=True, **OPTIONS),
}


@pytest.mark.parametrize(
    ("make", "usual"),
    [
        (partial(SkipGram, **OPTIONS), torch.optim.Adam),
        (partial(SkipGram, sparse=True, **OPTIONS), torch.optim.SparseAdam),
        *((make, torch.optim.Adagrad) for make in DENSE_TOO.values()),
    ],
    ids=["dense", "sparse", *DENSE_TOO],
)
def test_where_no_optimiser_is_given_one_is_taken_that_trains_the_module(make, usual):
    module, given = make(), make()
    assert fit(module, TINY, epochs=2).finished
    assert fit(given, TINY, epochs=2, optimizer=usual).finished
    for one, other in zip(module.parameters(), given.parameters(), strict=True):
        assert torch.equal(one, other)


def test_an_optimiser_made_already_goes_on_with_its_state():
    module = CBOW(Vocabulary.of(encoded_corpus(TINY)), **OPTIONS)
    optimizer = torch.optim.Adam(module.parameters())
    fit(module, TINY, optimizer=optimizer, epochs=1, batch_size=16)
    steps = optimizer.state[module.input.weight]["step"].item()
    fit(module, TINY, optimizer=optimizer, epochs=1, first_epoch=1, batch_size=16)
    assert steps > 0
    assert optimizer.state[module.input.weight]["step"].item() == 2 * steps


def test_later_epochs_draw_anew():
    losses = [
        fit(SkipGram(**OPTIONS), TINY, optimizer=partial(torch.optim.SGD, lr=1e-3), epochs=1, first_epoch=first).losses
        for first in (0, 0, 1)
    ]
    assert losses[0] == losses[1] != losses[2]


@pytest.mark.parametrize(
    ("module", "optimizer", "wrong"),
    [
        (
            SkipGram(**OPTIONS),
            torch.optim.SparseAdam,
            "SparseAdam takes sparse gradients alone, and this module has dense ones; use Adam or Adagrad",
        ),
        *(
            (
                make(),
                torch.optim.SparseAdam,
                "SparseAdam takes sparse gradients alone, and this module has dense ones; use Adagrad or SGD",
            )
            for make in DENSE_TOO.values()
        ),
        *(
            (
                make(),
                torch.optim.Adam,
                "Adam takes no sparse gradients; make the module with sparse=False, or use Adagrad or SGD",
            )
            for make in (partial(SkipGram, sparse=True, **OPTIONS), *DENSE_TOO.values())
        ),
        *(
            (
                SkipGram(sparse=True, **OPTIONS),
                partial(kind, weight_decay=0.1),
                f"{kind.__name__} takes no sparse gradients with weight_decay, got 0.1; leave it out, or make the "
                "module with sparse=False",
            )
            for kind in (torch.optim.SGD, torch.optim.Adagrad)
        ),
        (
            SkipGram(**OPTIONS),
            torch.optim.LBFGS,
            "LBFGS needs a closure to compute the loss anew, which fit does not give; use Adam or SGD",
        ),
        *(
            (
                SkipGram(**OPTIONS),
                wrong,
                "optimizer must be a torch.optim.Optimizer, or what makes one of parameters, got "
                f"{got}; give a class, such as torch.optim.Adam",
            )
            for wrong, got in (("adam", "'adam'"), ("", "''"), (lambda _: 3, "what makes 3"))
        ),
        (
            SkipGram(**OPTIONS),
            torch.optim.SGD([torch.zeros(1)], lr=1),
            "the optimizer has none of the module's parameters; give its class, and fit makes it",
        ),
    ],
)
def test_optimisers_that_do_not_fit_are_refused_with_those_that_do(module, optimizer, wrong):
    with pytest.raises(BadOption) as refused:
        fit(module, TINY, optimizer=optimizer)
    assert str(refused.value) == wrong


@pytest.mark.parametrize(
    ("make", "optimizers"),
    [
        (partial(SkipGram, **OPTIONS), (torch.optim.Adam, torch.optim.Adagrad, torch.optim.SGD)),
        (partial(SkipGram, **OPTIONS), (partial(torch.optim.Adagrad, weight_decay=0.1),)),
        (partial(SkipGram, sparse=True, **OPTIONS), (torch.optim.Adagrad, partial(torch.optim.SGD, lr=0.01))),
        *((make, (torch.optim.Adagrad, partial(torch.optim.SGD, lr=0.01))) for make in DENSE_TOO.values()),
    ],
)
def test_what_refusals_name_does_train(make, optimizers):
    for optimizer in optimizers:
        assert fit(make(), TINY, optimizer=optimizer, epochs=1).finished


def test_a_scheduler_steps_after_each_epoch():
    rates = []

    class Noted(Callback):
        def on_epoch_end(self, progress):
            rates.append(progress.alpha)

    fit(
        SkipGram(**OPTIONS),
        TINY,
        optimizer=partial(torch.optim.SGD, lr=0.08),
        scheduler=partial(torch.optim.lr_scheduler.ExponentialLR, gamma=0.5),
        epochs=3,
        callbacks=[Noted()],
    )
    assert rates == pytest.approx([0.04, 0.02, 0.01])


def test_a_scheduler_that_watches_the_loss_is_told_it():
    fitted = fit(
        SkipGram(**OPTIONS),
        TINY,
        optimizer=partial(torch.optim.SGD, lr=0.0),
        scheduler=partial(torch.optim.lr_scheduler.ReduceLROnPlateau, patience=0),
        epochs=3,
    )
    assert fitted.finished


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
def test_clipping_bounds_how_far_a_step_goes(sparse):
    module = SkipGram(Vocabulary.of(encoded_corpus(TINY)), sparse=sparse, **OPTIONS)
    before = weights_of(module)
    fit(module, TINY, optimizer=partial(torch.optim.SGD, lr=1.0), clip=1e-3, epochs=1, batch_size=1 << 20)
    moved = math.sqrt(
        sum(float((a.detach() - b).square().sum()) for a, b in zip(module.parameters(), before, strict=True))
    )
    assert moved == pytest.approx(1e-3, rel=1e-3)


def test_gradients_shorter_than_the_bound_stay():
    gradients = [torch.tensor([3.0, 0.0]), torch.sparse_coo_tensor([[1, 1]], [2.0, 2.0], (5,), check_invariants=True)]
    shorten(gradients, 5.0)
    assert gradients[0].tolist() == [3.0, 0.0]
    shorten(gradients, 1.0)
    assert gradients[0].tolist() == pytest.approx([0.6, 0.0])
    assert gradients[1].to_dense().tolist() == pytest.approx([0, 0.8, 0, 0, 0])


def test_the_mean_of_a_batch_steps_less_far_by_its_number_of_examples():
    moved = []
    for reduction in ("sum", "mean"):
        module = CBOW(Vocabulary.of(encoded_corpus(TINY)), **OPTIONS)
        before = weights_of(module)
        one = partial(torch.optim.SGD, lr=0.01)
        fit(module, TINY, optimizer=one, reduction=reduction, epochs=1, batch_size=1 << 20)
        moved.append(float((module.output.weight.detach() - before[1]).norm()))
    windows = sum(len(sentence) for sentence in TINY if len(sentence) > 1)
    assert moved[0] / moved[1] == pytest.approx(windows, rel=1e-4)


# ---- what is read, watched and stopped -----------------------------------------------------------


def test_a_file_is_read_and_its_words_counted(tmp_path):
    (tmp_path / "text.txt").write_text("Tea and Milk\n" * 9 + "tea once\n")
    module = SkipGram(vector_size=3, min_count=2, sample=0)
    assert not module.is_built
    fit(module, tmp_path / "text.txt", tokenizer="letters", epochs=1)
    assert module.vocabulary.words == ("tea", "and", "milk")


def test_a_generator_is_read_once_for_all_epochs():
    fitted = fit(SkipGram(**OPTIONS), (sentence for sentence in TINY), epochs=3)
    assert len(fitted.losses) == 3
    assert fitted.words == 3 * sum(map(len, TINY))


def test_a_vocabulary_given_is_trained():
    given = Vocabulary(("w1", "w2"), np.array([3, 1]))
    module = SkipGram(**OPTIONS)
    fit(module, TINY, vocabulary=given, epochs=1)
    assert module.vocabulary is given
    with pytest.raises(BadOption, match="has other words"):
        fit(module, TINY, vocabulary=Vocabulary(("w3",), np.array([1])))


def test_losses_on_held_out_sentences():
    module = SkipGram(held_out=0.3, **OPTIONS)
    fitted = fit(module, TINY, optimizer=ADAM, epochs=5, batch_size=16)
    assert len(fitted.held_out_losses) == 5
    assert fitted.held_out_losses[-1] < fitted.held_out_losses[0]
    assert fitted.words < 5 * sum(map(len, TINY))


def test_the_loss_before_anything_is_learnt_is_that_of_chance():
    """At zero output weights each score is 0: log 2 for the target and for each noise word that counts."""
    fitted = fit(
        CBOW(vector_size=4, loss="hs", min_count=1, sample=0),
        [["a", "b"]] * 50,
        optimizer=partial(torch.optim.SGD, lr=0.0),
        epochs=1,
    )
    assert fitted.losses[0] == pytest.approx(math.log(2), rel=1e-6)


def test_callbacks_watch_as_in_word2vec():
    seen = []

    class Watching(Callback):
        every_words = 50

        def on_train_begin(self, progress):
            seen.append(("begin", progress.epochs, math.isnan(progress.loss)))

        def on_words(self, progress):
            seen.append(("words", progress.words, progress.words <= progress.total_words))

        def on_epoch_end(self, progress):
            seen.append(("epoch", progress.epoch, progress.loss))

        def on_train_end(self, progress):
            seen.append(("end", progress.words, len(progress.vectors())))

    module = SkipGram(**OPTIONS)
    fitted = fit(module, TINY, epochs=2, batch_size=8, callbacks=[Watching()])
    assert seen[0] == ("begin", 2, True)
    assert [loss for name, _, loss in seen if name == "epoch"] == list(fitted.losses)
    assert all(right for name, _, right in seen if name == "words")
    assert seen[-1] == ("end", fitted.words, len(module.vocabulary))


def test_progress_is_shown_where_asked_for(capsys):
    fit(SkipGram(**OPTIONS), TINY, epochs=2, progress=True)
    shown = capsys.readouterr().err
    assert "epoch 2: loss" in shown
    assert "words/s" in shown


@pytest.mark.parametrize("how", ["Ctrl-C", "StopTraining"])
def test_stopping_keeps_what_is_trained(how):
    class Stopping(Callback):
        every_words = 20

        def on_words(self, _):
            if how == "StopTraining":
                raise StopTraining
            signal.raise_signal(signal.SIGINT)

    module = SkipGram(Vocabulary.of(encoded_corpus(TINY)), **OPTIONS)
    before = weights_of(module)
    usual = signal.getsignal(signal.SIGINT)
    fitted = fit(module, TINY, epochs=3, batch_size=4, callbacks=[Stopping()])
    assert not fitted.finished
    assert fitted.losses == ()
    assert 0 < fitted.words < sum(map(len, TINY))
    assert changed(module, before)
    assert signal.getsignal(signal.SIGINT) is usual


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"epochs": 0}, "epochs must be"),
        ({"reduction": "max"}, "reduction must be sum or mean"),
        ({"clip": 0}, "clip must be a number above 0, got 0; use None not to clip"),
        ({"clip": "a"}, "clip must be a number above 0, got 'a'; use None not to clip"),
        ({"clip": math.nan}, "clip must be a number above 0, got nan"),
        ({"vocabulary": ["a"]}, "vocabulary must be a firth.Vocabulary, got list"),
        ({"device": "meta"}, "the device 'meta' cannot be used: its tensors hold no numbers; use 'cpu', or 'auto'"),
        ({"batch_size": 0}, "batch_size must be"),
        ({"shuffle": -1}, "shuffle must be"),
        ({"first_epoch": -1}, "first_epoch must be"),
        ({"device": "abacus"}, "'abacus' cannot be used"),
        ({"encoding": "x"}, "unknown option 'encoding'"),
        ({"callbacks": [print]}, "callbacks must be"),
    ],
)
def test_options_out_of_range_are_refused(changes, wrong):
    with pytest.raises(BadOption, match=wrong):
        fit(SkipGram(**OPTIONS), TINY, **changes)


@pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA is here")
def test_cuda_asked_for_where_there_is_none():
    with pytest.raises(BadOption, match=r"'cuda' cannot be used: .*; use 'cpu', or 'auto'"):
        fit(SkipGram(**OPTIONS), TINY, device="cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("sparse", [False, True])
def test_cuda_trains_what_the_cpu_trains(sparse):
    losses = [
        fit(SkipGram(sparse=sparse, **OPTIONS), TINY, batch_size=16, epochs=2, device=device).losses
        for device in ("cpu", "cuda")
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_corpora_that_cannot_be_trained_on(tmp_path):
    with pytest.raises(MissingFile):
        fit(SkipGram(**OPTIONS), tmp_path / "nothing.txt")
    with pytest.raises(BadCorpus, match="min_count"):
        fit(SkipGram(min_count=99), TINY)
    with pytest.raises(BadCorpus, match="nothing to train on"):
        fit(SkipGram(**OPTIONS), [["alone"], ["single"]])


def test_a_loss_that_is_no_number_is_an_error():
    with pytest.raises(Diverged, match="lower rate"):
        fit(SkipGram(**OPTIONS), TINY, optimizer=partial(torch.optim.SGD, lr=1e30), batch_size=4, epochs=2)


# ---- into PyTorch and back -----------------------------------------------------------------------

VECTORS = WordVectors(("a", "b", "c"), np.arange(6, dtype=np.float32).reshape(3, 2))


def test_an_embedding_has_the_vectors_rows():
    layer = embedding(VECTORS)
    assert layer(numbers(VECTORS, ["c", "a"])).tolist() == [[4, 5], [0, 1]]
    assert not layer.weight.requires_grad
    assert embedding(VECTORS, freeze=False).weight.requires_grad
    layer.weight.zero_()
    assert VECTORS.matrix.any()
    with pytest.raises(UnknownWord):
        numbers(VECTORS, ["z"])


def test_an_embedding_has_rows_for_the_unknown_and_for_padding():
    layer = embedding(VECTORS, freeze=False, unknown=True, padding=True)
    assert layer.padding_idx == 4
    assert layer(numbers(VECTORS, ["b", "z"], unknown=True)).tolist() == [[2, 3], [2, 3]]  # the mean is b's, too
    assert layer(torch.tensor([4])).tolist() == [[0, 0]]
    layer(torch.tensor([0, 4])).sum().backward()
    assert layer.weight.grad[:, 0].tolist() == [1, 0, 0, 0, 0]
    assert embedding(VECTORS, padding=True).padding_idx == 3


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"loss": "hs"},
        {"architecture": "cbow", "cbow_gradient": "corrected"},
        {"architecture": "cbow", "loss": "hs"},
    ],
)
def test_a_model_goes_into_pytorch_and_back(options, tmp_path):
    model = Word2Vec(vector_size=17, min_count=1, sample=0, negative=5, workers=1, **options).fit(TINY)
    module = from_word2vec(model, sparse=True)
    assert module.architecture == model.options.architecture
    np.testing.assert_array_equal(module.input.weight.detach(), model.weights.input)
    np.testing.assert_array_equal(module.output.weight.detach(), model.weights.output)
    before = weights_of(module)
    fit(module, TINY, optimizer=SPARSE_ADAM, epochs=1)
    assert changed(module, before)
    back = to_word2vec(module)
    back.save(tmp_path / "model.safetensors")
    opened = Word2Vec.load(tmp_path / "model.safetensors")
    assert opened.options.loss == model.options.loss
    assert opened.vocabulary == model.vocabulary
    np.testing.assert_array_equal(opened.weights.input, module.input.weight.detach())
    np.testing.assert_array_equal(opened.vectors["w1"], module["w1"])
    assert to_word2vec(module).fit(TINY, resume=True).losses  # and firth's own kernels go on from there


def test_what_is_no_model_is_not_made_one():
    with pytest.raises(BadOption, match=r"made of a firth.Word2Vec, got WordVectors; .*embedding\(vectors\)"):
        from_word2vec(VECTORS)
    for make in (embedding, partial(numbers, tokens=["a"])):
        for wrong in (3, Word2Vec()):
            with pytest.raises(BadOption, match=r"vectors must be a firth.WordVectors, got .*; a model's are model"):
                make(wrong)
    with pytest.raises(BadOption, match="tokens must be a list of words, got 'abc'"):
        numbers(VECTORS, "abc")
    with pytest.raises(BadOption, match=r"got Linear; derive your own from firth.torch.WordModule"):
        fit(torch.nn.Linear(2, 2), TINY)
    with pytest.raises(BadOption, match="FeedForwardCBOW"):
        to_word2vec(FeedForwardCBOW(**OPTIONS))
    with pytest.raises(NotTrained):
        to_word2vec(SkipGram(**OPTIONS))
    with pytest.raises(NotTrained):
        from_word2vec(Word2Vec())
