"""`Word2Vec` as its users meet it."""

from __future__ import annotations

import copy
import hashlib
import inspect
import lzma
import os
import pickle
import subprocess
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from firth import Callback, StopTraining, TrainingOptions, Vocabulary, Word2Vec, WordVectors, encoded_corpus
from firth.errors import BadCorpus, BadFile, BadOption, MissingFile, NotTrained
from firth.evaluate import evaluate_similarity

OPTIONS = {"vector_size": 12, "min_count": 1, "workers": 1, "sample": 0, "epochs": 2}


def sentences(count=800, seed=0):
    rng = np.random.default_rng(seed)
    return [
        [f"w{rng.zipf(1.4) % 30 * 5 + topic}" for _ in range(rng.integers(2, 20))]
        for topic in rng.integers(0, 5, count).tolist()
    ]


TEXT = sentences()


def bytes_of(model):
    return model.weights.input.tobytes(), model.weights.output.tobytes()


@pytest.fixture(scope="module")
def trained():
    return Word2Vec(**OPTIONS).fit(TEXT)


# ---- options -----------------------------------------------------------------------------------


def test_the_signature_shows_every_option_with_its_default():
    shown = inspect.signature(Word2Vec).parameters
    assert {name: each.default for name, each in shown.items()} == TrainingOptions().as_dict()
    assert all(each.kind is inspect.Parameter.KEYWORD_ONLY for each in shown.values())


def test_positional_arguments_are_refused():
    with pytest.raises(TypeError):
        Word2Vec(100)
    with pytest.raises(TypeError):
        Word2Vec().fit(TEXT, "letters")


def test_unknown_options_are_refused_with_those_there_are():
    with pytest.raises(BadOption, match=r"unknown option 'size'.*vector_size"):
        Word2Vec(size=100)
    with pytest.raises(BadOption, match=r"unknown option 'encoding'.*encoding_errors"):
        Word2Vec(**OPTIONS).fit(TEXT, encoding="latin-1")


def test_the_repr_tells_what_is_not_default():
    assert repr(Word2Vec()) == "Word2Vec()"
    assert repr(Word2Vec(window=3, architecture="cbow")) == "Word2Vec(architecture='cbow', window=3)"


# ---- the same bytes ----------------------------------------------------------------------------


@pytest.mark.parametrize("architecture", ["skipgram", "cbow"])
def test_one_worker_gives_the_same_bytes_at_every_run(architecture):
    def model(seed):
        return Word2Vec(**OPTIONS, architecture=architecture, seed=seed).fit(TEXT)

    one = model(1)
    assert bytes_of(one) == bytes_of(model(1))
    assert one.losses == model(1).losses
    assert bytes_of(one) != bytes_of(model(2))


def test_another_process_gives_the_same_bytes(trained):
    code = (
        "import hashlib, sys; from tests.test_word2vec import OPTIONS, TEXT, bytes_of; from firth import Word2Vec; "
        "print(hashlib.sha256(b''.join(bytes_of(Word2Vec(**OPTIONS).fit(TEXT)))).hexdigest())"
    )
    root = Path(__file__).parent.parent
    ran = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == hashlib.sha256(b"".join(bytes_of(trained))).hexdigest()
    assert ran.stderr == ""


# ---- corpora -----------------------------------------------------------------------------------


def test_every_kind_of_corpus_gives_the_same_model(trained, tmp_path):
    file = tmp_path / "text.txt"
    file.write_text("\n".join(" ".join(sentence) for sentence in TEXT))
    with encoded_corpus(TEXT) as encoded:
        kinds = [
            (" ".join(sentence) for sentence in TEXT),
            (sentence for sentence in TEXT),
            [" ".join(sentence) for sentence in TEXT],
            [tuple(sentence) for sentence in TEXT],
            str(file),
            file,
            [file],
            encoded,
        ]
        for corpus in kinds:
            model = Word2Vec(**OPTIONS).fit(corpus)
            assert model.vocabulary.words == trained.vocabulary.words
            assert bytes_of(model) == bytes_of(trained)
        assert encoded.folder.exists()  # the caller's, not removed by fit


def test_a_tokenizer_is_a_name_or_a_callable():
    text = ["The cat. The dog!", "the cat, the mouse"] * 20
    by_name = Word2Vec(**OPTIONS).fit(text, tokenizer="letters")
    by_callable = Word2Vec(**OPTIONS).fit(text, tokenizer=lambda line: line.lower().replace(".", "").split())
    assert set(by_name.vocabulary) == {"the", "cat", "dog", "mouse"}
    assert set(by_callable.vocabulary) == {"the", "cat", "dog!", "cat,", "mouse"}


def test_fit_gives_the_model_back_and_takes_the_time():
    model = Word2Vec(**OPTIONS)
    assert model.fit(TEXT) is model
    assert model.seconds.training > 0
    assert model.seconds.preparing > 0
    assert model.state.seconds == model.seconds.training
    assert len(model.losses) == 2


def test_a_given_vocabulary_is_the_one_that_is_trained():
    words = Vocabulary.of_words(["w3", "w10", "never"], [5, 9, 1])
    model = Word2Vec(**OPTIONS).fit(TEXT, vocabulary=words)
    assert model.vocabulary is words
    assert model.weights.input.shape == (3, 12)
    assert model.state.words == 2 * sum(word in ("w3", "w10") for sentence in TEXT for word in sentence)


def test_a_vocabulary_in_another_order_trains_the_same_words(trained):
    words, counts = trained.vocabulary.words, trained.vocabulary.counts
    model = Word2Vec(**OPTIONS).fit(TEXT, vocabulary=Vocabulary.of_words(words[::-1], counts[::-1]))
    assert model.losses == trained.losses
    np.testing.assert_array_equal(model.weights.input, trained.weights.input)


def test_min_count_and_max_vocabulary_cut_the_rarest_words(trained):
    assert Word2Vec(**{**OPTIONS, "min_count": 30}).fit(TEXT).vocabulary.counts.min() >= 30
    model = Word2Vec(**OPTIONS, max_vocabulary=7).fit(TEXT)
    assert model.vocabulary.words == trained.vocabulary.words[:7]


@pytest.mark.parametrize(
    ("corpus", "error"),
    [
        ([["one"], ["two"]], BadCorpus),
        ([], BadCorpus),
        ([[], [""]], BadCorpus),
        ("/no/such/file.txt", MissingFile),
    ],
)
def test_what_cannot_be_trained_on_is_refused(corpus, error):
    model = Word2Vec(**OPTIONS)
    with pytest.raises(error):
        model.fit(corpus)
    with pytest.raises(NotTrained):
        model.vectors  # noqa: B018


# ---- before and after fit ----------------------------------------------------------------------


@pytest.mark.parametrize("what", ["vectors", "weights", "vocabulary"])
def test_an_untrained_model_has_nothing_to_show(what):
    with pytest.raises(NotTrained, match="fit"):
        getattr(Word2Vec(), what)


def test_an_untrained_model_is_neither_saved_nor_resumed(tmp_path):
    with pytest.raises(NotTrained):
        Word2Vec().save(tmp_path / "model.safetensors")
    assert not list(tmp_path.iterdir())
    with pytest.raises(BadOption, match="nothing to resume"):
        Word2Vec().fit(TEXT, resume=True)


def test_vectors_are_the_rows_of_the_input_matrix(trained):
    np.testing.assert_array_equal(trained.vectors.matrix, trained.weights.input)
    assert trained.vectors is trained.vectors
    assert tuple(trained.vectors.words) == trained.vocabulary.words
    assert trained.weights.input.dtype == np.float32


def test_words_of_one_topic_are_near_each_other():
    model = Word2Vec(vector_size=20, min_count=5, workers=1, epochs=20, alpha=0.05, sample=0).fit(TEXT)
    vectors = model.vectors.matrix / np.linalg.norm(model.vectors.matrix, axis=1, keepdims=True)
    topics = np.array([int(word[1:]) % 5 for word in model.vocabulary])
    same = topics[:, None] == topics[None, :]
    cosines = vectors @ vectors.T
    assert cosines[same].mean() > cosines[~same].mean() + 0.3


def test_a_second_fit_starts_anew(trained):
    model = Word2Vec(**OPTIONS).fit(sentences(seed=3)).fit(TEXT)
    assert bytes_of(model) == bytes_of(trained)
    assert model.losses == trained.losses


def test_a_failed_fit_leaves_the_model_as_it_was():
    model = Word2Vec(**OPTIONS).fit(TEXT)
    before = bytes_of(model)
    with pytest.raises(BadCorpus):
        model.fit([["one"], ["two"]])
    assert bytes_of(model) == before
    assert model.vocabulary.words[0].startswith("w")


# ---- keeping -----------------------------------------------------------------------------------


def test_a_saved_model_comes_back_whole(trained, tmp_path):
    trained.save(tmp_path / "model.safetensors")
    loaded = Word2Vec.load(tmp_path / "model.safetensors")
    assert loaded.options == trained.options
    assert loaded.state == trained.state
    assert loaded.vocabulary.words == trained.vocabulary.words
    np.testing.assert_array_equal(loaded.vocabulary.counts, trained.vocabulary.counts)
    assert bytes_of(loaded) == bytes_of(trained)


def test_a_loaded_model_is_fitted_to_other_text(trained, tmp_path):
    trained.save(tmp_path / "model.safetensors")
    other = sentences(seed=8)
    loaded = Word2Vec.load(tmp_path / "model.safetensors").fit(other)
    assert bytes_of(loaded) == bytes_of(Word2Vec(**OPTIONS).fit(other))


def test_a_loaded_model_is_saved_over_its_own_file(trained, tmp_path):
    path = tmp_path / "model.safetensors"
    trained.save(path)
    Word2Vec.load(path).save(path)
    assert bytes_of(Word2Vec.load(path)) == bytes_of(trained)


def test_a_file_of_vectors_alone_is_no_model_to_train(trained, tmp_path):
    trained.vectors.save(tmp_path / "vectors.safetensors")
    with pytest.raises(BadFile, match=r"WordVectors\.load"):
        Word2Vec.load(tmp_path / "vectors.safetensors")
    assert len(WordVectors.load(tmp_path / "vectors.safetensors")) == len(trained.vocabulary)


def test_what_is_no_model_is_refused(tmp_path):
    (tmp_path / "noise").write_bytes(b"no model")
    with pytest.raises(BadFile):
        Word2Vec.load(tmp_path / "noise")
    with pytest.raises(MissingFile):
        Word2Vec.load(tmp_path / "nothing")


@pytest.mark.parametrize("again", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copied_model_is_whole_and_apart(again):
    model = Word2Vec(**OPTIONS).fit(TEXT, callbacks=[_StopAfterOne()])
    model.vectors  # noqa: B018  # made before the copy
    other = again(model)
    assert bytes_of(other) == bytes_of(model)
    other.fit(TEXT, resume=True)
    assert bytes_of(other) == bytes_of(Word2Vec(**OPTIONS).fit(TEXT)) != bytes_of(model)
    assert again(Word2Vec(window=3)).options.window == 3


class _StopAfterOne(Callback):
    def on_epoch_end(self, _):
        raise StopTraining


def test_resuming_with_another_vocabulary_is_refused():
    model = Word2Vec(**OPTIONS).fit(TEXT, callbacks=[_StopAfterOne()])
    with pytest.raises(BadOption, match="another vocabulary"):
        model.fit(TEXT, resume=True, vocabulary=Vocabulary.of_words(["w3", "w1"], [1, 1]))
    model.fit(TEXT, resume=True, vocabulary=model.vocabulary)
    assert bytes_of(model) == bytes_of(Word2Vec(**OPTIONS).fit(TEXT))


# ---- what is shown -----------------------------------------------------------------------------


def test_nothing_is_printed_where_standard_error_is_no_terminal(capfd):
    Word2Vec(**OPTIONS).fit(TEXT)
    assert capfd.readouterr() == ("", "")


def test_progress_is_shown_when_asked_for(capfd):
    Word2Vec(**OPTIONS, held_out=0.1).fit(TEXT, progress=True)
    shown = capfd.readouterr()
    assert shown.out == ""
    assert "epoch 1: loss" in shown.err
    assert "epoch 2: loss" in shown.err
    assert "held out" in shown.err


# ---- quality -----------------------------------------------------------------------------------


@pytest.mark.skipif("FIRTH_CORPORA" not in os.environ, reason="FIRTH_CORPORA names no folder of corpora")
@pytest.mark.parametrize("workers", [1, 2])
def test_vectors_of_four_million_words_agree_with_people(workers):
    folder = Path(os.environ["FIRTH_CORPORA"])
    with lzma.open(folder / "text17.txt.xz", "rt", encoding="utf-8") as file:
        text = [line.split() for line in islice(file, 56_000)]
    vectors = Word2Vec(epochs=2, alpha=0.05, workers=workers).fit(text).vectors
    # Six seeds gave 0.505 to 0.545 and 0.455 to 0.467, with one worker and with two.
    assert evaluate_similarity(vectors, folder / "eval" / "ws353.tsv").spearman > 0.46
    assert evaluate_similarity(vectors, folder / "eval" / "men.tsv").spearman > 0.43


@pytest.mark.parametrize("vocabulary", [["a", "b"], "words.txt", {"a": 1}])
def test_a_vocabulary_of_another_kind_is_told(vocabulary):
    with pytest.raises(BadOption, match=r"vocabulary must be a firth.Vocabulary"):
        Word2Vec().fit([["a", "b"]], vocabulary=vocabulary)


def test_a_vocabulary_without_a_word_of_the_corpus_is_told():
    with pytest.raises(BadCorpus, match="no word in common"):
        Word2Vec(sample=0).fit([["a", "b"]] * 9, vocabulary=Vocabulary.of_words(["A", "B"], [2, 1]))


@pytest.mark.parametrize("loss", ["hs", "softmax"])
def test_options_of_noise_are_told_to_be_idle_where_none_is_drawn(loss):
    with pytest.warns(UserWarning, match="change nothing: negative, ns_exponent; leave them out"):
        Word2Vec(**OPTIONS, loss=loss, negative=10, ns_exponent=0.5).fit(TEXT[:50])
    Word2Vec(**OPTIONS, loss=loss).fit(TEXT[:50])  # warnings are errors here


def test_an_encoded_corpus_takes_no_options_of_reading():
    with encoded_corpus([["a", "b"]] * 9) as corpus:
        for reading in ({"tokenizer": "letters"}, {"column": "text"}, {"encoding_errors": "ignore"}):
            with pytest.raises(BadOption, match="read already"):
                Word2Vec(min_count=1).fit(corpus, **reading)


def test_a_column_of_what_has_none_is_told(tmp_path):
    (tmp_path / "a.txt").write_text("a b\n")
    for corpus in (tmp_path / "a.txt", [tmp_path / "a.txt"]):
        with pytest.raises(
            BadOption, match=r"no file of the corpus is one with columns, whose names end in \.csv, .*pa"
        ):
            Word2Vec(min_count=1).fit(corpus, column="text")
    with pytest.raises(
        BadOption, match=r"no file: of a list, each item is a sentence; .* several a list of pathlib\.Pa"
    ):
        Word2Vec(min_count=1).fit(["a.csv"], column="text")
    with pytest.raises(
        BadOption, match="unknown option 'encoding': text is read as UTF-8, to which other files are con"
    ):
        Word2Vec(min_count=1).fit("a.csv", column="text", encoding="latin-1")


@pytest.mark.parametrize(("theirs", "ours"), [("size", "vector_size"), ("sg", "architecture"), ("lr", "alpha")])
def test_names_of_gensim_and_fasttext_lead_to_ours(theirs, ours):
    with pytest.raises(BadOption, match=f"unknown option '{theirs}', here called {ours};"):
        Word2Vec(**{theirs: 1})


def test_a_model_is_not_saved_under_the_name_of_another_format(tmp_path):
    model = Word2Vec(min_count=1, sample=0, epochs=1).fit([["a", "b"]] * 9)
    for name in ("m.bin", "m.vec", "m.safetensors.gz"):
        with pytest.raises(BadOption, match="a model is one safetensors file"):
            model.save(tmp_path / name)


def test_a_disk_that_keeps_no_compiled_code_only_costs_the_next_start(tmp_path):
    program = """
import sys
from numba.core.caching import IndexDataCacheFile
def full(*_):
    raise OSError(28, "No space left on device")
IndexDataCacheFile.save = full
import firth
model = firth.Word2Vec(min_count=1, sample=0, epochs=1, vector_size=4, workers=1).fit([["a", "b"]] * 9)
print(len(model.vectors))
"""
    environment = {**os.environ, "FIRTH_CACHE": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stdout.strip()) == (0, "2"), done.stderr


def test_where_no_cache_can_be_written_training_goes_on_and_says_so(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("FIRTH_CACHE", str(tmp_path / "file" / "cache"))
    text = tmp_path / "a.txt"
    text.write_text("a b c\n" * 9)
    with pytest.warns(UserWarning, match="is not kept for the next run; set FIRTH_CACHE"):
        Word2Vec(min_count=1, sample=0, epochs=1).fit(text)
    Word2Vec(min_count=1, sample=0, epochs=1).fit(text, cache=False)
    Word2Vec(min_count=1, sample=0, epochs=1).fit([["a", "b"]] * 9)


# ---- a word for the unknown ones ---------------------------------------------------------------


RARE = [["a", "b", "c"], ["a", "b", "d"], ["b", "a", "e", "<unk>"]]


@pytest.mark.parametrize("loss", ["ns", "hs", "softmax"])
def test_unknown_words_may_be_trained_as_one(loss):
    options = {**OPTIONS, "min_count": 2, "loss": loss}
    model = Word2Vec(**options, unknown="<unk>").fit(RARE)
    assert dict(zip(model.vocabulary.words, model.vocabulary.counts.tolist(), strict=True)) == {
        "<unk>": 4, "a": 3, "b": 3,
    }  # fmt: skip
    written = [[word if word in "ab" else "<unk>" for word in sentence] for sentence in RARE]
    assert bytes_of(model) == bytes_of(Word2Vec(**options).fit(written))
    assert model.predict(["never", "seen"]) == model.predict(["<unk>"])
    assert model.score([["a", "never"]]) == model.score([["a", "<unk>"]])


def test_the_unknown_word_stands_even_where_every_word_is_known():
    model = Word2Vec(**OPTIONS, unknown="<unk>").fit([["a", "b"]])
    assert dict(zip(model.vocabulary.words, model.vocabulary.counts.tolist(), strict=True))["<unk>"] == 0


@pytest.mark.parametrize(("unknown", "wrong"), [("", "unknown must be a word, got ''"), ("\ud800", "UTF-8 can hold")])
def test_the_unknown_word_must_be_one(unknown, wrong):
    with pytest.raises(BadOption, match=wrong):
        Word2Vec(unknown=unknown)


def test_a_vocabulary_given_must_have_the_unknown_word():
    given = Vocabulary.of_words(["a", "b"], [3, 3])
    with pytest.raises(BadOption, match=r"'<unk>', which the vocabulary given lacks"):
        Word2Vec(**OPTIONS, unknown="<unk>").fit(RARE, vocabulary=given)
    given = Vocabulary.of_words(["a", "b", "<unk>"], [3, 3, 1])
    whole = Word2Vec(**OPTIONS, unknown="<unk>").fit(RARE, vocabulary=given)
    assert whole.state.words == 2 * 10


def test_threads_do_not_race_on_little_text_unless_asked_to(monkeypatch):
    monkeypatch.setattr("firth.options.usable_cores", lambda: 8)
    small = [["a", "b", "c", "d"]] * 300
    one, same = (Word2Vec(vector_size=16, min_count=1, epochs=1).fit(small) for _ in range(2))
    assert one.workers == same.workers == 1
    np.testing.assert_array_equal(one.vectors.matrix, same.vectors.matrix)
    assert one.options.workers is None, "what was asked for stays: a larger corpus takes more"
    assert Word2Vec(vector_size=16, min_count=1, epochs=1, workers=2).fit(small).workers == 2
    options = TrainingOptions()
    assert [options.for_corpus(tokens).workers for tokens in (0, 99_999, 250_000, 10**9)] == [1, 1, 2, 8]
    assert TrainingOptions(loss="softmax").for_corpus(10).workers == 8, "which learns the same with any number"
