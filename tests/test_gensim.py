"""Programs written for gensim run on firth.gensim, with gensim's defaults, answers and errors."""

import inspect
import logging
import math
import subprocess
import sys
import warnings

import numpy as np
import pytest

import firth
from firth.errors import BadFile, BadOption, CutShort
from firth.gensim import CallbackAny2Vec, KeyedVectors, LineSentence, PathLineSentences, Text8Corpus, Word2Vec, utils
from firth.gensim.models import phrases as firth_phrases
from firth.gensim.models.phrases import ENGLISH_CONNECTOR_WORDS, FrozenPhrases, Phraser, Phrases

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    gensim_models = pytest.importorskip("gensim.models", reason="gensim is not installed: pip install --group test")
    gensim_utils = pytest.importorskip("gensim.utils")

SMALL = {"vector_size": 16, "min_count": 1, "sample": 0, "workers": 1, "epochs": 2}
TEXT = [
    "human interface computer",
    "survey user computer system response time",
    "eps user interface system",
    "system human system eps",
    "user response time",
    "trees",
    "graph trees",
    "graph minors trees",
    "graph minors survey",
]
SENTENCES = [line.split() for line in TEXT]
NEW = [["computer", "artificial", "intelligence"], ["artificial", "trees"], ["graph", "artificial", "system"]]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "corpus.txt"
    utils.save_as_line_sentence(SENTENCES, path)
    return str(path)


@pytest.fixture(scope="module")
def model():
    return Word2Vec(SENTENCES, **SMALL)


# ---- the interface -------------------------------------------------------------------------------

SAME = [
    (Word2Vec, gensim_models.Word2Vec, "__init__"),
    *(
        (Word2Vec, gensim_models.Word2Vec, name)
        for name in ("build_vocab_from_freq", "prepare_vocab", "score", "predict_output_word", "scan_vocab")
    ),
    *(
        (KeyedVectors, gensim_models.KeyedVectors, name)
        for name, member in vars(KeyedVectors).items()
        if callable(member) and not name.startswith("_") and name not in ("of", "take_keys", "save", "load", "word_vec")
    ),
    (KeyedVectors, gensim_models.KeyedVectors, "__init__"),
    (KeyedVectors, gensim_models.KeyedVectors, "load_word2vec_format"),
    *((Phrases, gensim_models.phrases.Phrases, name) for name in ("__init__", "score_candidate", "export_phrases")),
    *((firth_phrases, gensim_models.phrases, name) for name in ("original_scorer", "npmi_scorer")),
    *((utils, gensim_utils, name) for name in ("simple_preprocess", "deaccent", "tokenize", "save_as_line_sentence")),
]


@pytest.mark.parametrize(("ours", "theirs", "name"), SAME, ids=[f"{ours.__name__}.{name}" for ours, _, name in SAME])
def test_arguments_and_defaults_are_gensim_s(ours, theirs, name):
    def arguments(function):
        return [(each.name, each.default) for each in inspect.signature(function).parameters.values()]

    assert arguments(getattr(ours, name)) == arguments(getattr(theirs, name))


def test_train_takes_gensim_s_arguments():
    theirs = inspect.signature(gensim_models.Word2Vec.train).parameters
    ours = inspect.signature(Word2Vec.train).parameters
    assert {name: each.default for name, each in ours.items()} == {
        name: each.default for name, each in theirs.items() if name != "kwargs"
    }


def test_the_helpers_of_gensim_s_utils_give_the_same():
    text = "Ich bin über__die Straße gegangen, 3mal! naïve a _b Donaudampfschifffahrt x1y"
    for arguments in ({}, {"deacc": True}, {"min_len": 1, "max_len": 30}):
        assert utils.simple_preprocess(text, **arguments) == gensim_utils.simple_preprocess(text, **arguments)
    assert [*utils.tokenize(text.encode(), to_lower=True)] == [*gensim_utils.tokenize(text.encode(), to_lower=True)]
    for count in (1, 2, 3):
        for says in (utils.RULE_DEFAULT, utils.RULE_DISCARD, utils.RULE_KEEP):
            answers = [
                each.keep_vocab_item("a", count, 2, lambda *_, says=says: says) for each in (utils, gensim_utils)
            ]
            assert answers[0] == answers[1]


def test_it_works_without_gensim():
    code = """import sys
sys.modules["gensim"] = None
from firth.gensim.models import Word2Vec, KeyedVectors, Phrases
from firth.gensim.models.word2vec import LineSentence
from firth.gensim.models.callbacks import CallbackAny2Vec
from firth.gensim.models.phrases import Phraser, ENGLISH_CONNECTOR_WORDS
print(*(name for name in ("scipy.stats", "torch", "pandas") if name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


# ---- sentences -----------------------------------------------------------------------------------


def test_sentences_are_read_as_gensim_reads_them(tmp_path, file):
    theirs = gensim_models.word2vec
    (tmp_path / "folder").mkdir()
    for name in ("b.txt", "a.txt"):
        utils.save_as_line_sentence([[name, "x"], ["y"]], tmp_path / "folder" / name)
    assert [*LineSentence(file)] == [*theirs.LineSentence(file)] == SENTENCES
    assert [*LineSentence(file, max_sentence_length=2, limit=3)] == [*theirs.LineSentence(file, 2, 3)]
    with open(file, "rb") as opened:  # noqa: PTH123
        assert [*LineSentence(opened)] == [*LineSentence(opened)] == SENTENCES
    folder = str(tmp_path / "folder")
    assert [*PathLineSentences(folder)] == [*theirs.PathLineSentences(folder)]
    assert [*Text8Corpus(file, 4)] == [*theirs.Text8Corpus(file, 4)]
    with pytest.raises(ValueError, match="no file and no folder"):
        PathLineSentences(folder + "s")


def test_lists_files_and_corpora_of_any_kind_train_the_same(file, model):
    class Endless:
        def __iter__(self):
            return iter(SENTENCES)

    for arguments in ({"sentences": LineSentence(file)}, {"corpus_file": file}, {"sentences": Endless()}):
        np.testing.assert_array_equal(Word2Vec(**arguments, **SMALL).wv.vectors, model.wv.vectors)


def test_strings_in_place_of_lists_are_taken_letter_by_letter_with_a_warning(caplog):
    made = Word2Vec(min_count=1)
    with caplog.at_level(logging.WARNING):
        made.build_vocab(["abc", "a b"])
    assert set(made.wv.index_to_key) == set("abc ")
    assert "should be a list of words" in caplog.text


# ---- training ------------------------------------------------------------------------------------


def test_it_trains_what_firth_trains():
    model = Word2Vec(**SMALL)
    model.build_vocab(SENTENCES)
    assert 1 / 32 < np.abs(model.wv.vectors).max() <= 1 / 16  # as far as gensim's go
    model.wv.vectors /= 2  # and back to where firth begins
    model.train(SENTENCES, total_examples=9, epochs=model.epochs)
    theirs = firth.Word2Vec(architecture="cbow", cbow_gradient="historical", alpha=0.025, **SMALL).fit(
        SENTENCES, progress=False
    )
    assert model.wv.index_to_key == list(theirs.vectors.words)
    np.testing.assert_array_equal(model.wv.vectors, theirs.vectors.matrix)
    np.testing.assert_array_equal(model.syn1neg, theirs.weights.output)
    assert (model.corpus_count, model.corpus_total_words) == (9, 29)


def test_vectors_begin_as_far_from_zero_as_gensim_s():
    reach = []
    for cls in (Word2Vec, gensim_models.Word2Vec):
        made = cls(vector_size=16, min_count=1)
        made.build_vocab(SENTENCES)
        reach.append(np.abs(made.wv.vectors).max())
    assert reach[0] == pytest.approx(reach[1], rel=0.05)


def test_each_epoch_is_logged(caplog):
    with caplog.at_level(logging.INFO):
        Word2Vec(SENTENCES, **SMALL)
    assert "EPOCH 1 of 2: 29 words so far" in caplog.text
    assert "EPOCH 2 of 2: 58 words so far" in caplog.text


def test_a_seed_of_none_draws_one():
    first, second = (Word2Vec(SENTENCES, **SMALL, seed=None) for _ in range(2))
    assert (first.wv.vectors != second.wv.vectors).any()


def test_documents_that_are_their_own_iterators_are_sentences(model):
    class Document:
        def __init__(self, words):
            self.words, self.left = words, iter(words)

        def __iter__(self):
            self.left = iter(self.words)
            return self

        def __next__(self):
            return next(self.left)

    made = Word2Vec([Document(words) for words in SENTENCES], **SMALL)
    np.testing.assert_array_equal(made.wv.vectors, model.wv.vectors)


def test_programs_that_ask_for_gensim_4_find_it():
    assert firth.gensim.__version__.startswith("4.")
    assert firth.gensim.models.word2vec.FAST_VERSION >= 0


def test_step_by_step_is_as_at_once(model):
    made = Word2Vec(**SMALL)
    made.build_vocab(SENTENCES)
    words, raw = made.train(SENTENCES, total_examples=made.corpus_count, epochs=made.epochs)
    assert (words, raw) == (58, 58)
    np.testing.assert_array_equal(made.wv.vectors, model.wv.vectors)


def test_a_window_wider_than_any_sentence_is_the_whole_sentence():
    assert Word2Vec(**SMALL | {"window": 10**6, "shrink_windows": False}).options.window == "all"
    told = "window must be 1 to 10000, got 1000000; shrink_windows=False reaches every word of the sentence"
    with pytest.raises(BadOption, match=told):
        Word2Vec(**SMALL | {"window": 10**6})  # gensim would draw how far it reaches
    with pytest.raises(BadOption, match="window must be 1 to 10000, got 0; 5 is usual"):
        Word2Vec(**SMALL | {"window": 0})


def test_training_on_goes_from_where_it_was_with_other_draws(model):
    made = Word2Vec(SENTENCES, **SMALL)
    before = made.wv.vectors.copy()
    made.train(SENTENCES, total_examples=9, epochs=1, start_alpha=0.05, end_alpha=0.01)
    once = made.wv.vectors - before
    assert np.abs(once).max() > 0
    assert made.options.seed == 3
    assert (made.alpha, made.min_alpha, made.epochs, made.train_count) == (0.05, 0.01, 1, 2)


@pytest.mark.parametrize("loss", [{"negative": 5}, {"hs": 1, "negative": 0}])
def test_new_words_are_added_behind_the_old_ones_and_trained(tmp_path, loss):
    made = Word2Vec(SENTENCES, **SMALL, **loss)
    words, vectors = list(made.wv.index_to_key), made.wv.vectors.copy()
    made.build_vocab(NEW, update=True)
    assert made.wv.index_to_key == [*words, "artificial", "intelligence"]
    assert made.wv.get_vecattr("artificial", "count") == 3
    assert made.wv.get_vecattr("graph", "count") == 4
    np.testing.assert_array_equal(made.wv.vectors[:12], vectors)
    made.train(NEW, total_examples=3, epochs=1)
    changed = (made.wv.vectors[:12] != vectors).any(axis=1)
    assert {word for word, moved in zip(words, changed, strict=True) if moved} <= {
        word for line in NEW for word in line
    }
    assert changed.any()
    made.save(tmp_path / "w2v.model")
    loaded = Word2Vec.load(tmp_path / "w2v.model")
    assert loaded.wv.index_to_key == made.wv.index_to_key
    np.testing.assert_array_equal(loaded.wv.vectors, made.wv.vectors)
    np.testing.assert_array_equal(loaded._output(), made._output())


def test_callbacks_see_the_model_of_their_epoch():
    class Watch(CallbackAny2Vec):
        def __init__(self):
            self.seen, self.vectors, self.losses = [], [], []

        def on_train_begin(self, _):
            self.seen.append("train")

        def on_epoch_begin(self, _):
            self.seen.append("begin")

        def on_epoch_end(self, model):
            self.seen.append("end")
            self.vectors.append(model.wv.vectors.copy())
            self.losses.append(model.get_latest_training_loss())
            assert len(model.wv.most_similar("graph", topn=3)) == 3

        def on_train_end(self, _):
            self.seen.append("over")

    watch = Watch()
    made = Word2Vec(SENTENCES, **SMALL, compute_loss=True, callbacks=[watch])
    assert watch.seen == ["train", "begin", "end", "begin", "end", "over"]
    assert (watch.vectors[0] != watch.vectors[1]).any()
    np.testing.assert_array_equal(watch.vectors[1], made.wv.vectors)
    assert 0 < watch.losses[0] < watch.losses[1] == made.get_latest_training_loss()
    examples = 27  # of 29 words, two stand alone or have no context
    assert watch.losses[0] / examples == pytest.approx(6 * math.log(2), rel=0.05)


def test_counts_are_cut_as_gensim_cuts_them():
    def rule(word, count, min_count):
        return {"human": utils.RULE_DISCARD, "trees": utils.RULE_KEEP}.get(word, utils.RULE_DEFAULT)

    for arguments in ({"max_final_vocab": 4, "min_count": 2}, {"min_count": 3}, {"min_count": 3, "sample": 3}):
        for trim_rule in (None, rule):
            both = []
            for cls in (Word2Vec, gensim_models.Word2Vec):
                made = cls(vector_size=16, **arguments)
                made.scan_vocab(SENTENCES)
                report = made.prepare_vocab(trim_rule=trim_rule)
                report["downsample_total"] = round(report["downsample_total"], -1)  # rounded otherwise
                both.append((report, made.effective_min_count, set(made.wv.key_to_index)))
            assert both[0] == both[1]


@pytest.mark.parametrize(
    ("error", "arguments"),
    [
        (TypeError, {"sentences": (each for each in SENTENCES)}),
        (TypeError, {"sentences": 5}),
        (TypeError, {"sentences": [5]}),
        (TypeError, {"sentences": "corpus.txt"}),
        (TypeError, {"sentences": SENTENCES, "corpus_file": "corpus.txt"}),
        (TypeError, {"corpus_file": "/no/such/file"}),
        (RuntimeError, {"sentences": []}),
        (RuntimeError, {"sentences": SENTENCES, "min_count": 100}),
        (ValueError, {"sentences": SENTENCES, "hs": 0, "negative": 0}),
        (ValueError, {"hs": 1}),
        (ValueError, {"cbow_mean": 0}),
        (ValueError, {"null_word": 1}),
        (ValueError, {"sorted_vocab": 0}),
        (ValueError, {"sentences": SENTENCES, "vector_size": 0, "min_count": 1}),
    ],
)
def test_wrong_arguments_raise_what_gensim_raises_or_say_what_firth_lacks(error, arguments):
    with pytest.raises(error, match=r"."):
        Word2Vec(**arguments)


def test_train_asks_for_what_gensim_asks_for(file, model):
    made = Word2Vec(**SMALL)
    with pytest.raises(RuntimeError, match="first build vocabulary"):
        made.train(SENTENCES, total_examples=9, epochs=1)
    with pytest.raises(RuntimeError, match="nothing to save"):
        made.save(file + ".model")
    with pytest.raises(RuntimeError, match="no vocabulary to update"):
        made.build_vocab(SENTENCES, update=True)
    made.build_vocab(SENTENCES)
    for arguments in ({"epochs": 1}, {"total_examples": 9}, {"total_examples": 9, "epochs": 0}):
        with pytest.raises(ValueError, match=r"epochs|total_examples"):
            made.train(SENTENCES, **arguments)
    with pytest.raises(ValueError, match="total_words"):
        made.train(corpus_file=file, total_examples=9, epochs=1)
    with pytest.raises(AttributeError, match="on the class"):
        made.load(file)
    made.wv.vectors_lockf = np.zeros(12)
    with pytest.raises(ValueError, match="vectors_lockf"):
        made.train(SENTENCES, total_examples=9, epochs=1)


# ---- predicting and files --------------------------------------------------------------------------


def test_predictions_are_gensim_s_on_the_same_weights(model):
    theirs = gensim_models.Word2Vec(SENTENCES, vector_size=16, min_count=1, seed=2)
    theirs.wv.index_to_key, theirs.wv.key_to_index = model.wv.index_to_key, model.wv.key_to_index
    theirs.wv.vectors, theirs.syn1neg = np.ascontiguousarray(model.wv.vectors), np.ascontiguousarray(model.syn1neg)
    ours, expected = (each.predict_output_word(["system", 0, "nowhere"], topn=3) for each in (model, theirs))
    assert [word for word, _ in ours] == [word for word, _ in expected]
    assert [chance for _, chance in ours] == pytest.approx([chance for _, chance in expected], rel=1e-5)
    assert model.predict_output_word(["nowhere"]) is None
    with pytest.raises(RuntimeError, match="hs=1"):
        model.score(SENTENCES)
    tree = Word2Vec(SENTENCES, **SMALL, hs=1, negative=0)
    assert tree.score(SENTENCES, 5).shape == (5,)
    with pytest.raises(RuntimeError, match="negative"):
        tree.predict_output_word(["system"])


@pytest.mark.parametrize("mmap", [None, "r"])
def test_a_model_comes_back_from_its_file_and_trains_on(tmp_path, mmap):
    made = Word2Vec(SENTENCES, **SMALL, ns_exponent=-1, comment="mine")
    made.save(str(tmp_path / "word2vec.bin"), sep_limit=0)
    loaded = Word2Vec.load(str(tmp_path / "word2vec.bin"), mmap=mmap)
    assert vars(loaded).keys() == vars(made).keys()
    assert (loaded.ns_exponent, loaded.comment, loaded.corpus_count, loaded.train_count) == (-1, "mine", 9, 1)
    for each in (made, loaded):
        each.train(SENTENCES, total_examples=9, epochs=1)
    np.testing.assert_array_equal(loaded.wv.vectors, made.wv.vectors)
    assert firth.WordVectors.load(tmp_path / "word2vec.bin").words == tuple(made.wv.index_to_key)
    assert firth.Word2Vec.load(tmp_path / "word2vec.bin").options.ns_exponent == -1


def test_models_of_firth_s_own_are_opened(tmp_path):
    firth.Word2Vec(loss="hs", alpha=0.03, **SMALL).fit(SENTENCES, progress=False).save(tmp_path / "m.safetensors")
    loaded = Word2Vec.load(tmp_path / "m.safetensors")
    assert (loaded.sg, loaded.hs, loaded.negative, loaded.alpha) == (1, 1, 0, 0.03)
    loaded.train(SENTENCES, total_examples=9, epochs=1)
    firth.Word2Vec(architecture="cbow", **SMALL).fit(SENTENCES, progress=False).save(tmp_path / "cbow.safetensors")
    with pytest.raises(BadFile, match="no cbow_gradient"):
        Word2Vec.load(tmp_path / "cbow.safetensors")
    loaded.wv.save(tmp_path / "wv")
    with pytest.raises(AttributeError, match=r"KeyedVectors\.load"):
        Word2Vec.load(tmp_path / "wv")
    KeyedVectors.load(tmp_path / "wv")


# ---- vectors -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def both():
    """The same vectors in firth's and in gensim's hands."""
    rng = np.random.default_rng(0)
    words = [f"w{n}" for n in range(60)]
    matrix = rng.standard_normal((60, 8)).astype(np.float32)
    found = []
    for cls in (KeyedVectors, gensim_models.KeyedVectors):
        made = cls(8)
        made.add_vectors(words, matrix.copy())
        for word in words:
            made.set_vecattr(word, "count", 100 - int(word[1:]) // 2)
        found.append(made)
    return found


def alike(ours, theirs):
    """The same words in the same order, and the same numbers to float32's digits."""
    if isinstance(theirs, (list, tuple)):
        return len(ours) == len(theirs) and all(map(alike, ours, theirs))
    if isinstance(theirs, (str, bool)):
        return ours == theirs
    return np.allclose(ours, theirs, rtol=1e-4, atol=1e-5)


LONG = np.arange(8, dtype=np.float32)  # gensim takes vectors as long as they are
QUERIES = {
    "most_similar": [("w1",), (["w1", "w2"], ["w3"], 4), ("w1", "w2"), ([("w1", 2.0), "w2"], [("w3", -0.5)]), ([3],)],
    "most_similar_cosmul": [("w1",), (["w1", "w2"], ["w3"], 4), (["w1", "w2"], ["w3"], None), ("w1", None, 3, 0)],
    "similar_by_word": [("w1", 3), ("w1", 3, 10)],
    "similar_by_key": [(5, 3)],
    "similar_by_vector": [(np.arange(8, dtype=np.float32), 3)],
    "similarity": [("w1", "w2"), ("w1", 2)],
    "distance": [("w1", "w2")],
    "distances": [("w1",), ("w1", ["w2", "w3"]), (np.ones(8, np.float32), ["w2"])],
    "closer_than": [("w1", "w2")],
    "rank": [("w1", "w2"), ("w1", "w1")],
    "n_similarity": [(["w1", "w2"], ["w3"]), (["w1", "nowhere"], ["w3"]), (["nowhere"], ["w3"])],
    "relative_cosine_similarity": [("w1", "w2", 5)],
    "rank_by_centrality": [(["w1", "w2", "w3", "nowhere"],), (["w1", "w2", "w3"], False)],
    "doesnt_match": [(["w1", "w2", "w3", "w4"],), ([1, 2, 3],)],
    "most_similar_to_given": [("w1", ["w2", "w3", "w4"])],
    "get_mean_vector": [(["w1", "w2"],), (["w1", "nowhere"], [1, 2], False, True), (["nowhere"],), (["w1", LONG],)],
    "get_vector": [("w1",), ("w1", True)],
    "get_index": [("w7",), ("nowhere", -1), (7,)],
    "get_vecattr": [("w7", "count")],
    "has_index_for": [("w7",), ("nowhere",)],
    "__getitem__": [("w1",), (["w1", "w2"],), (4,)],
    "get_normed_vectors": [()],
    "__len__": [()],
}


@pytest.mark.filterwarnings("ignore:Call to deprecated `init_sims`")  # gensim's own most_similar_cosmul does
@pytest.mark.parametrize(("name", "asked"), [(name, each) for name, some in QUERIES.items() for each in some])
def test_answers_are_gensim_s(both, name, asked):
    ours, theirs = (getattr(each, name)(*asked) for each in both)
    assert alike(ours, theirs), (ours, theirs)


def test_answers_with_all_options_are_gensim_s(both):
    vector = np.arange(1, 9, dtype=np.float32)  # two vectors weigh by their lengths
    for arguments in (
        {"positive": [vector, both[0]["w1"]], "topn": 4},
        {"positive": "w1", "topn": None},
        {"positive": "w1", "topn": 0},
        {"positive": "w1", "clip_start": 10, "clip_end": 30},
        {"positive": "w1", "clip_start": -10},
        {"positive": "w1", "clip_end": -10},
        {"positive": "w1", "clip_end": 0},
        {"positive": "w1", "clip_start": 5, "restrict_vocab": 20},
        {"positive": "w1", "topn": None, "restrict_vocab": 20},
        {"positive": both[0].vectors[:3], "topn": 5},
    ):
        ours, theirs = (each.most_similar(**arguments) for each in both)
        assert alike(list(ours), list(theirs)), arguments


@pytest.mark.parametrize(
    ("error", "call"),
    [
        (KeyError, lambda wv: wv.most_similar("nowhere")),
        (KeyError, lambda wv: wv["nowhere"]),
        (KeyError, lambda wv: wv.similarity("w1", "nowhere")),
        (KeyError, lambda wv: wv.get_vecattr("w1", "nothing")),
        (KeyError, lambda wv: wv.get_mean_vector(["w1", "nowhere"], ignore_missing=False)),
        (ValueError, lambda wv: wv.most_similar()),
        (ValueError, lambda wv: wv.get_mean_vector([])),
        (ValueError, lambda wv: wv.get_mean_vector(["w1"], [1, 2])),
        (ValueError, lambda wv: wv.doesnt_match(["nowhere"])),
        (ZeroDivisionError, lambda wv: wv.n_similarity(["w1"], [])),
        (AttributeError, lambda wv: wv.vocab),
        (AttributeError, lambda wv: wv.index2word),
        (TypeError, lambda wv: wv.set_vecattr("w1", "count", "many")),
    ],
)
def test_errors_are_gensim_s(both, error, call):
    for each in both:
        with pytest.raises(error, match=r"."):
            call(each)


def test_vectors_are_added_replaced_and_attributed():
    made = KeyedVectors(3, count=1)
    assert made.add_vector("a", [1, 0, 0]) == 0
    assert made.add_vector("b", [0, 1, 0]) == 1
    assert made.add_vector("a", [9, 9, 9]) == 0  # which keeps what it has
    made[["b", "c"]] = np.array([[0, 2, 0], [1, 1, 0]])
    made["d"] = np.array([0.0, 0, 1])
    made.add_vectors(["d", "e"], np.ones((2, 3)), extras={"count": np.array([7, 9])})
    assert made.index_to_key == ["a", "b", "c", "d", "e"]
    assert made["b"].tolist() == [0, 2, 0]
    assert made["d"].tolist() == [0, 0, 1]
    assert made.expandos["count"].tolist() == [0, 0, 0, 0, 9]
    assert made.most_similar("a", topn=1)[0][0] == "c"
    made.sort_by_descending_frequency()
    assert made.index_to_key == ["e", "a", "b", "c", "d"]
    made.unit_normalize_all()
    assert np.linalg.norm(made["b"]) == 1
    chosen = made.vectors_for_all(["c", "nowhere", "e", "c"], copy_vecattrs=True)
    assert (chosen.index_to_key, chosen.get_vecattr("e", "count")) == (["c", "e"], 9)


@pytest.mark.parametrize("binary", [False, True])
def test_word2vec_s_files_go_both_ways_between_the_two(tmp_path, both, binary):
    for n, (writer, reader) in enumerate([both, both[::-1]]):
        path, counts = str(tmp_path / f"{n}.vec"), str(tmp_path / f"{n}.vocab")
        writer.save_word2vec_format(path, counts, binary=binary)
        read = type(reader).load_word2vec_format(path, counts, binary=binary)
        assert read.index_to_key == writer.index_to_key
        assert read.get_vecattr("w50", "count") == 75
        np.testing.assert_array_equal(read.vectors, writer.vectors)
    limited = KeyedVectors.load_word2vec_format(path, binary=binary, limit=3, datatype=np.float16)
    assert limited.vectors.dtype == np.float16
    assert [limited.get_vecattr(n, "count") for n in range(3)] == [3, 2, 1]
    made = KeyedVectors(8)
    made.add_vectors(["w1", "other"], np.zeros((2, 8)))
    made.intersect_word2vec_format(path, binary=binary)
    np.testing.assert_array_equal(made["w1"], both[0]["w1"])
    assert made.vectors_lockf.tolist() == [0, 1]


def test_files_that_end_too_soon_or_are_pickled_are_refused(tmp_path, both):
    both[0].save_word2vec_format(tmp_path / "v.txt")
    data = (tmp_path / "v.txt").read_bytes()
    (tmp_path / "v.txt").write_bytes(data.replace(b"60 8\n", b"61 8\n", 1))
    with pytest.raises(EOFError, match="61 rows") as caught:
        KeyedVectors.load_word2vec_format(tmp_path / "v.txt")
    assert caught.type is CutShort
    both[1].save(str(tmp_path / "pickled"))
    for cls in (KeyedVectors, Word2Vec, Phrases, FrozenPhrases):
        with pytest.raises(BadFile):
            cls.load(tmp_path / "pickled")


def test_vectors_are_packed_by_gzip_alone(tmp_path, both):
    for ask in (both[0].save_word2vec_format, KeyedVectors.load_word2vec_format):
        with pytest.raises(ValueError, match=r"packed by gzip alone, got .*v.txt.bz2; take a name that ends in .gz"):
            ask(tmp_path / "v.txt.bz2")
    assert not list(tmp_path.iterdir())


def test_judgements_are_gensim_s(tmp_path, both):
    (tmp_path / "pairs.tsv").write_text("# remark\nW1\tw2\t5\nw3\tw4\t1.5\nw5\tw9\t3\nw1\tnowhere\t4\nbad\n")
    (tmp_path / "analogies.txt").write_text(": one\nw1 w2 W3 w4\nw1 w2 w3 nowhere\n: two\nw5 w6 w7 w8\nbad\n")
    for dummy in (False, True):
        ours, theirs = (each.evaluate_word_pairs(tmp_path / "pairs.tsv", dummy4unknown=dummy) for each in both)
        assert alike([list(ours[0]), list(ours[1]), ours[2]], [list(theirs[0]), list(theirs[1]), theirs[2]])
        ours, theirs = (each.evaluate_word_analogies(tmp_path / "analogies.txt", dummy4unknown=dummy) for each in both)
        assert ours == theirs
    with pytest.raises(ValueError, match="no pair"):
        both[0].evaluate_word_pairs(tmp_path / "analogies.txt")
    with pytest.raises(ValueError, match="name of a section"):
        both[0].evaluate_word_analogies(tmp_path / "pairs.tsv")


def test_word_mover_s_distance_is_gensim_s(both):
    pytest.importorskip("ot", reason="POT is not installed: pip install POT")
    documents = ["w1", "w2", "w2", "nowhere"], ["w3", "w1"]
    ours, theirs = (each.wmdistance(*documents) for each in both)
    assert ours == pytest.approx(theirs, rel=1e-5)
    assert both[0].wmdistance(["nowhere"], ["w1"]) == math.inf


# ---- phrases -------------------------------------------------------------------------------------

NAMES = [
    *SENTENCES,
    ["graph", "minors", "survey", "human", "interface"],
    ["lack", "of", "interest", "lack", "of", "interest"],
]


def own(worda_count, wordb_count, bigram_count, len_vocab, min_count, corpus_word_count):
    return bigram_count / (worda_count + wordb_count)


@pytest.mark.parametrize(
    "arguments",
    [
        {"min_count": 1, "threshold": 1},
        {"min_count": 1, "threshold": 0.5, "scoring": "npmi"},
        {"min_count": 1, "threshold": 1, "delimiter": " ", "connector_words": {"of"}},
        {"min_count": 1, "threshold": 0.1, "scoring": "own"},
        {},
    ],
)
def test_phrases_are_gensim_s(arguments):
    if arguments.get("scoring") == "own":
        arguments = arguments | {"scoring": own}
    ours, theirs = Phrases(NAMES, **arguments), gensim_models.phrases.Phrases(NAMES, **arguments)
    for each in (ours, theirs):
        each.add_vocab([["graph", "minors"], ["a", "new", "one"]])
    assert ours.vocab == theirs.vocab
    assert ours.corpus_word_count == theirs.corpus_word_count
    assert ours.export_phrases() == pytest.approx(theirs.export_phrases())
    assert ours.find_phrases(NAMES) == pytest.approx(theirs.find_phrases(NAMES))
    frozen = Phraser(ours)
    assert [*ours[NAMES]] == [*frozen[NAMES]] == [*theirs[NAMES]]
    assert [ours[each] for each in NAMES] == [theirs[each] for each in NAMES]
    assert all(type(token) is str for token in ours[NAMES[0]])
    assert frozen.phrasegrams == pytest.approx(theirs.freeze().phrasegrams)


def test_phrases_come_back_from_their_files(tmp_path):
    made = Phrases(NAMES, min_count=1, threshold=1, connector_words=ENGLISH_CONNECTOR_WORDS)
    made.save(tmp_path / "phrases.pkl")
    made.freeze().save(str(tmp_path / "frozen.pkl"))
    loaded, frozen = Phrases.load(tmp_path / "phrases.pkl"), FrozenPhrases.load(str(tmp_path / "frozen.pkl"))
    assert loaded.vocab == made.vocab
    assert loaded.connector_words == ENGLISH_CONNECTOR_WORDS
    assert frozen.phrasegrams == made.export_phrases()
    assert [*frozen[NAMES]] == [*loaded[NAMES]] == [*made[NAMES]]
    (tmp_path / "damaged").write_text((tmp_path / "phrases.pkl").read_text().replace('"counts"', '"count"'))
    with pytest.raises(BadFile, match="damaged"):
        Phrases.load(tmp_path / "damaged")
    with pytest.raises(BadFile, match="FrozenPhrases"):
        FrozenPhrases.load(tmp_path / "phrases.pkl")


@pytest.mark.parametrize(
    "arguments",
    [{"min_count": 0}, {"threshold": -1}, {"scoring": "npmi", "threshold": 2}, {"scoring": "other"}, {"scoring": len}],
)
def test_wrong_arguments_of_phrases_are_refused(arguments):
    with pytest.raises(ValueError, match=r"."):
        Phrases(NAMES, **arguments)
