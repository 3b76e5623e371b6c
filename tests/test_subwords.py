"""Training of character n-grams as its users meet it: `Word2Vec`, the command line, scikit-learn, PyTorch."""

from __future__ import annotations

import copy
import json
import os
import pickle
import warnings

import numpy as np
import pytest

import firth
from firth import Callback, StopTraining, Vocabulary, Word2Vec, WordVectors
from firth.errors import BadFile, BadOption, UnknownWord
from firth.formats.model import read_model, write_model
from firth.options import TrainingOptions
from firth.training import grams_of
from firth.vectors import SubwordVectors
from firth.weights import Weights

CORPORA = os.environ.get("FIRTH_CORPORA")
STEMS, ENDS = ("walk", "talk", "jump", "play", "work"), ("", "s", "ed", "ing", "er")
OPTIONS = {"subwords": True, "bucket": 5000, "vector_size": 16, "min_count": 1, "sample": 0, "epochs": 2, "workers": 1}


def made_up(sentences=300, seed=1):
    """Sentences of words that are stems and ends, two words of one stem side by side."""
    draws = np.random.default_rng(seed)
    stems, ends = np.array(STEMS), np.array(ENDS)
    for stem in draws.integers(0, len(STEMS), (sentences, 4)).repeat(2, axis=1):
        yield [str(stems[s]) + str(ends[e]) for s, e in zip(stem, draws.integers(0, len(ENDS), 8), strict=True)]


TEXT = list(made_up())
LONG = "".join(np.random.default_rng(2).choice(list("abcdefghijklmnopqrstuvwxyzäöü"), 8000))


@pytest.fixture(scope="module")
def model():
    return Word2Vec(**OPTIONS).fit(TEXT, cache=False)


@pytest.fixture
def files(tmp_path):
    (tmp_path / "text.txt").write_text("".join(" ".join(words) + "\n" for words in TEXT))
    return tmp_path


FLAGS = ["--subwords", "--bucket", "5000", "--vector-size", "16", "--min-count", "1", "--workers", "1", "--epochs", "2"]


# ---- options -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            {"min_n": 2},
            "no n-grams of characters are trained, so this option changes nothing: min_n; leave it out, or ",
        ),
        ({"max_n": 4, "bucket": 9}, "so these options change nothing: max_n, bucket; leave them out, or use subwords="),
    ],
)
def test_options_of_n_grams_without_subwords_are_told(options, told):
    with pytest.warns(UserWarning, match=told) as warned:
        Word2Vec(min_count=1, vector_size=8, epochs=1, **options).fit(TEXT, cache=False)
    assert len(warned) == 1
    assert TrainingOptions(subwords=True, **options).without_effect == ()


def test_each_reason_has_a_sentence():
    first, second = TrainingOptions(loss="hs", negative=7, min_n=2).without_effect
    assert first.startswith("loss 'hs' draws no noise words, so this option changes nothing: negative; leave it out")
    assert second.startswith("no n-grams of characters are trained, so this option changes nothing: min_n; leave it")


@pytest.mark.parametrize("name", ["min_n", "max_n", "bucket"])
def test_none_of_something_is_led_to_training_without(name):
    with pytest.raises(BadOption, match=f"{name} must be 1 or more, got 0; .* subwords=False trains no n-grams"):
        Word2Vec(**{name: 0})


@pytest.mark.parametrize(("theirs", "ours"), [("minn", "min_n"), ("maxn", "max_n"), ("buckets", "bucket")])
def test_other_libraries_names_are_told(theirs, ours):
    with pytest.raises(BadOption, match=f"unknown option '{theirs}', here called {ours};"):
        Word2Vec(subwords=True, **{theirs: 3})


def test_the_cpu_trains_and_says_so(capsys):
    trained = Word2Vec(**OPTIONS, device="auto").fit(TEXT, cache=False)
    assert trained.device == "cpu"
    assert "firth: training on the CPU: device='cuda' does not train subwords\n" in capsys.readouterr().err
    with pytest.raises(BadOption, match="does not train subwords; leave them out, or take device='cpu'"):
        Word2Vec(**OPTIONS, device="cuda").fit(TEXT, cache=False)


# ---- training ----------------------------------------------------------------------------------


class StopsAfter(Callback):
    """Looks at the vectors, and stops after an epoch."""

    def on_epoch_end(self, progress):
        self.seen = progress.vectors()
        raise StopTraining


@pytest.mark.parametrize("saved", [False, True])
def test_a_run_that_stopped_goes_on_as_if_it_never_had(model, tmp_path, saved):
    stops = StopsAfter()
    half = Word2Vec(**OPTIONS).fit(TEXT, cache=False, callbacks=[stops])
    assert half.state.epoch == 1
    assert np.array_equal(stops.seen.vector("walkest"), half.vectors.vector("walkest"))
    before = stops.seen.matrix.copy()
    if saved:
        half.save(tmp_path / "half.safetensors")
        half = Word2Vec.load(tmp_path / "half.safetensors")
    half.fit(TEXT, cache=False, resume=True)
    for name in ("input", "output", "grams"):
        assert np.array_equal(getattr(half.weights, name), getattr(model.weights, name))
    assert np.array_equal(half.vectors.matrix, model.vectors.matrix)
    assert np.array_equal(stops.seen.matrix, before), "vectors seen are copies"


def test_n_grams_are_listed_once(monkeypatch, tmp_path):
    calls = []
    monkeypatch.setattr("firth.word2vec.grams_of", lambda *given: calls.append(1) or grams_of(*given))
    Word2Vec(**OPTIONS).fit(TEXT, cache=False).save(tmp_path / "m.safetensors")
    assert len(calls) == 1


def test_words_that_are_given_are_trained_with_their_n_grams():
    given = Vocabulary.of_words(["walked", "talking", "never"], [3, 2, 0])
    trained = Word2Vec(**OPTIONS).fit(TEXT, cache=False, vocabulary=given)
    assert trained.vectors.words == ("walked", "talking", "never")
    assert trained.vectors.vector("walks").any()
    with pytest.raises(UnknownWord):
        trained.vectors.vector("jumps")


def test_held_out_sentences_are_measured():
    trained = Word2Vec(**OPTIONS, held_out=0.3).fit(TEXT, cache=False)
    first, second = trained.state.held_out_losses
    assert second < first


def test_the_word_for_unknown_ones_has_no_n_grams():
    trained = Word2Vec(**OPTIONS | {"unknown": "<walk>", "min_count": 80}).fit(TEXT, cache=False)
    row = trained.vectors.index("<walk>")
    assert np.array_equal(trained.vectors.matrix[row], trained.weights.input[row])
    assert not np.array_equal(trained.vectors.matrix, trained.weights.input)
    assert trained.predict(["never"]) == trained.predict(["<walk>"]), "and stands for words never seen"


@pytest.mark.parametrize(
    "text",
    [
        [["aa", "aa", "aa"]],
        [[LONG[:5000], "y", LONG[4000:]]],
        [["\U0001f600\U0001f600\U0001d518", "\U0001d518nicode", "日本語"]],
        [["a", "<b", "b>", "<", ">", "</s>"]],
    ],
    ids=["one word", "thousands of characters", "beyond the BMP", "marks"],
)
@pytest.mark.parametrize("architecture", ["skipgram", "cbow"])
def test_words_of_any_shape_are_trained_as_the_reference_does(text, architecture):
    both = [
        Word2Vec(**OPTIONS | {"bucket": 1_000_000}, architecture=architecture, backend=backend).fit(
            text * 5, cache=False
        )
        for backend in ("cpu", "reference")
    ]
    first, second = (each.vectors for each in both)
    assert np.isfinite(first.matrix).all()
    np.testing.assert_allclose(first.matrix, second.matrix, rtol=1e-3, atol=1e-4)
    for word in first.words:
        if word not in ("a", "y", "<", ">", "</s>"):  # of whose n-grams with an s none was trained
            np.testing.assert_allclose(first.vector(word + "s"), second.vector(word + "s"), rtol=1e-3, atol=1e-4)


def test_words_too_short_for_any_n_gram_have_their_own_rows_alone(tmp_path):
    trained = Word2Vec(**OPTIONS | {"min_n": 30, "max_n": 40}).fit(TEXT, cache=False)
    plain = Word2Vec(**{name: value for name, value in OPTIONS.items() if name not in ("subwords", "bucket")})
    assert trained.weights.grams.shape == (0, 16)
    assert np.array_equal(trained.vectors.matrix, trained.weights.input)
    assert trained.losses[-1] == pytest.approx(plain.fit(TEXT, cache=False).losses[-1], rel=0.1)
    trained.save(tmp_path / "m.safetensors")
    back = Word2Vec.load(tmp_path / "m.safetensors").fit(TEXT, cache=False, resume=True)
    with pytest.raises(UnknownWord, match="the model has no n-grams"):
        back.vectors.vector("walked" * 9)


# ---- what was trained --------------------------------------------------------------------------


def test_contexts_never_seen_count_in_predictions_by_their_n_grams(model):
    assert "walkings" not in model.vectors
    x = np.stack([model.vectors["talk"], model.vectors.vector("walkings")]).mean(axis=0)
    scores = model.weights.output @ x
    expected = np.exp(scores - np.logaddexp.reduce(scores))
    best = model.predict(["talk", "walkings", "zzz"], topn=3)
    assert [word for word, _ in best] == [model.vectors.words[row] for row in np.argsort(-expected)[:3]]
    assert [chance for _, chance in best] == pytest.approx(sorted(expected)[::-1][:3], rel=1e-4)
    with pytest.raises(UnknownWord, match="none of the context words"):
        model.predict(["zzz"])


def test_sentences_are_scored_by_whole_vectors(model):
    (score,) = model.score([["walk", "never seen", "walked"]])
    V, output = model.vectors, model.weights.output
    a, b = V.index("walk"), V.index("walked")
    expected = sum((V.matrix[x] @ output[y]) - np.logaddexp.reduce(output @ V.matrix[x]) for x, y in ((a, b), (b, a)))
    assert score == pytest.approx(expected, rel=1e-4)


def test_input_vectors_are_those_that_know_n_grams(model):
    assert model.combined_vectors("input") is model.vectors
    both = model.combined_vectors("concatenate")
    assert np.array_equal(both.matrix, np.concatenate([model.vectors.matrix, model.weights.output], axis=1))
    assert not isinstance(both, SubwordVectors)


def test_a_model_is_pickled_with_its_n_grams(model):
    back = pickle.loads(pickle.dumps(model))
    assert np.array_equal(back.vectors.vector("walkest"), model.vectors.vector("walkest"))
    assert np.array_equal(copy.deepcopy(model).vectors.matrix, model.vectors.matrix)


def test_weights_from_elsewhere_are_held_to_the_words(model):
    of = lambda weights, options=model.options: Word2Vec.of(options, model.vocabulary, weights)  # noqa: E731
    assert np.array_equal(of(model.weights).vectors.matrix, model.vectors.matrix)
    with pytest.raises(BadOption, match="got subwords True and no rows; take subwords=False"):
        of(Weights(model.weights.input, model.weights.output))
    with pytest.raises(BadOption, match=r"got subwords False and \d+ rows; take subwords=True"):
        of(model.weights, TrainingOptions(vector_size=16))
    fewer = of(Weights(model.weights.input, model.weights.output, model.weights.grams[:-1]))
    for ask in (lambda: fewer.vectors, lambda: fewer.fit(TEXT, cache=False, resume=True)):
        with pytest.raises(BadOption, match=r"fall into \d+ buckets, and the weights have \d+ rows"):
            ask()


def test_a_file_whose_n_grams_are_not_those_of_its_words_is_not_trained_on(model, tmp_path):
    from dataclasses import replace

    model.save(tmp_path / "m.safetensors")
    stored = read_model(tmp_path / "m.safetensors")
    write_model(tmp_path / "other.safetensors", replace(stored, options={**stored.options, "max_n": 5}))
    with pytest.raises(BadFile, match="the options of subwords and the rows of n-grams do not agree"):
        Word2Vec.load(tmp_path / "other.safetensors")
    write_model(tmp_path / "turned.safetensors", replace(stored, gram_buckets=stored.gram_buckets[::-1].copy()))
    turned = Word2Vec.load(tmp_path / "turned.safetensors")
    with pytest.raises(BadFile, match="n-grams in another order"):
        turned.fit(TEXT, cache=False, resume=True)


# ---- the command line --------------------------------------------------------------------------


def test_the_command_line_trains_resumes_and_asks(run, files):
    model, text = files / "m.safetensors", files / "text.txt"
    status, printed, complained = run("train", text, *FLAGS, "--min-n", "3", "--max-n", "5", "-o", model, "--json")
    assert (status, complained) == (0, "")
    assert json.loads(printed)["vocabulary"] == 25
    assert run("train", text, *FLAGS, "--max-n", "5", "-o", model, "--resume")[0] == 0
    status, _, complained = run("train", text, *FLAGS, "--max-n", "6", "-o", model, "--resume")
    assert status == 2
    assert "got max_n 6 instead of 5" in complained
    status, printed, _ = run("similar", model, "overwalked", "-n", "5")
    assert status == 0
    assert "walked" in printed
    assert run("analogy", model, "walk", "walked", "talkest", "-n", "1")[0] == 0
    assert run("compare", model, "walk", "walkest")[0] == 0
    status, _, complained = run("similar", model, "zzz")
    assert status == 2
    assert "none of its n-grams stands in a word that was" in complained


def test_inspect_tells_of_n_grams(run, files, model):
    model.save(files / "m.safetensors")
    _, printed, _ = run("inspect", files / "m.safetensors")
    rows = len(model.weights.grams)
    assert f"{rows} rows of n-grams of 3 to 6 characters, in 5,000 buckets: words never seen have vectors" in printed
    _, printed, _ = run("inspect", files / "m.safetensors", "--json")
    assert json.loads(printed)["n_grams"] == {"rows": rows, "min_n": 3, "max_n": 6, "bucket": 5000}


def test_without_effect_is_told_on_the_command_line(run, files):
    plain = ["--vector-size", "8", "--min-count", "1", "--epochs", "1"]
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        status, _, complained = run("train", files / "text.txt", "-o", files / "m.safetensors", "--max-n", "4", *plain)
    assert status == 0
    assert "firth: no n-grams of characters are trained, so this option changes nothing: max_n" in complained


def test_words_never_seen_are_unknown_where_models_are_judged(model, tmp_path):
    (tmp_path / "pairs.txt").write_text("walk\twalked\t9\nwalk\ttalks\t2\nwalk\tjumped\t1\nwalk\twalkest\t8\n")
    found = firth.evaluate_similarity(model.vectors, tmp_path / "pairs.txt")
    assert (found.items, found.known) == (4, 3)


# ---- scikit-learn and PyTorch ------------------------------------------------------------------


DOCUMENTS = ["walk walked", "walkest walk", "zzz", "overtalked walkest walkest"]


def transformer(**options):
    pytest.importorskip("sklearn", reason="firth.sklearn needs scikit-learn: pip install 'firth[sklearn]'")
    from firth.sklearn import Word2VecTransformer

    return Word2VecTransformer(empty="zeros", **options)


def test_words_never_seen_count_in_documents(model):
    vectors = model.vectors
    found = transformer(vectors=vectors).fit_transform(DOCUMENTS)
    a, b, c = (vectors.vector(word) for word in ("walk", "walkest", "overtalked"))
    expected = [(a + vectors["walked"]) / 2, (a + b) / 2, 0 * a, (c + 2 * b) / 3]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    without = WordVectors(vectors.words, vectors.matrix, vectors.counts)
    np.testing.assert_allclose(transformer(vectors=without).fit_transform(DOCUMENTS)[1:], [a, 0 * a, 0 * a], rtol=1e-5)
    instead = transformer(vectors=vectors, unknown="talk").fit_transform(DOCUMENTS)
    np.testing.assert_allclose(instead[1:3], [(a + vectors["talk"]) / 2, vectors["talk"]], rtol=1e-5)


def test_words_never_seen_weigh_as_those_of_no_document(model):
    vectors = model.vectors
    a, b = vectors["walk"], vectors.vector("walkest")
    fitted = transformer(vectors=vectors, weighting="tfidf").fit(["walk"] * 3)
    assert fitted.word_factors_.shape == (len(vectors),)
    never = np.log(4) + 1
    np.testing.assert_allclose(fitted.transform(["walk walkest"]), [(a + never * b) / (1 + never)], rtol=1e-5)
    share = vectors.counts[vectors.index("walk")] / vectors.counts.sum()
    fitted = transformer(vectors=vectors, weighting="sif", sif_a=0.1, sif_components=0).fit(["walk"] * 3)
    np.testing.assert_allclose(
        fitted.transform(["walk walkest"]), [(0.1 / (0.1 + share) * a + b) / 2], rtol=1e-5, atol=1e-6
    )


def test_a_transformer_trains_n_grams_and_is_pickled_with_them():
    texts = [" ".join(words) for words in TEXT]
    fitted = transformer(**{name: value for name, value in OPTIONS.items() if name != "workers"}).fit(texts)
    assert fitted.transform(["overwalkest"]).any()
    back = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(back.transform(DOCUMENTS), fitted.transform(DOCUMENTS))
    from sklearn.base import clone

    assert clone(fitted).get_params() == fitted.get_params()


def test_a_module_of_pytorch_takes_whole_vectors(model):
    pytest.importorskip("torch", reason="firth.torch needs PyTorch: pip install 'firth[torch]'")
    from firth.torch import SkipGram, from_word2vec, to_word2vec

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        module = from_word2vec(model)
    back = to_word2vec(module)
    assert np.array_equal(back.vectors.matrix, model.vectors.matrix)
    assert not back.options.subwords
    assert back.fit(TEXT, cache=False, resume=True).losses
    with pytest.raises(BadOption, match=r"subwords is no option of SkipGram: .* firth\.Word2Vec trains n-grams"):
        SkipGram(subwords=True)


# ---- real text ---------------------------------------------------------------------------------


@pytest.mark.skipif(not CORPORA, reason="set FIRTH_CORPORA to a folder with raw/en_novels.txt.xz to train on real text")
def test_forms_never_seen_come_near_those_that_were():
    trained = Word2Vec(subwords=True, bucket=200_000, vector_size=50, epochs=3).fit(
        f"{CORPORA}/raw/en_novels.txt.xz", tokenizer="words", cache=False, progress=False
    )
    for unseen in ("unhappinesses", "kindnesslike", "walkingly"):
        assert unseen not in trained.vectors
        near = [word for word, _ in trained.vectors.most_similar(unseen, topn=20)]
        assert any(part in word for word in near for part in ("happ", "kind", "walk")), (unseen, near)
