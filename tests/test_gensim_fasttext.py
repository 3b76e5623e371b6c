"""gensim's FastText over firth: programs written for it run, and what firth means otherwise is told."""

import gzip
import inspect
import logging
import shutil
import struct
import warnings

import numpy as np
import pytest
from stand_ins import fasttext_bytes

import firth
from firth.errors import BadFile, BadOption
from firth.gensim import CallbackAny2Vec, FastText, KeyedVectors, Word2Vec
from firth.gensim.models import fasttext, keyedvectors
from firth.gensim.models.fasttext import (
    FastTextKeyedVectors,
    ft_ngram_hashes,
    load_facebook_model,
    load_facebook_vectors,
    save_facebook_model,
)
from firth.ngrams import NGrams, buckets_of
from firth.vectors import SubwordVectors

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    theirs = pytest.importorskip("gensim.models.fasttext", reason="gensim is not installed: pip install --group test")
    gensim_vectors = pytest.importorskip("gensim.models.keyedvectors")

SMALL = {"vector_size": 16, "min_count": 1, "sample": 0, "workers": 1, "epochs": 2}
FEW = {"bucket": 40, "min_n": 2, "max_n": 4}  # all of which some word has
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
NEW = [["computer", "artificial", "intelligence"], ["artificial", "trees"], ["minors", "artificial", "minors"]] * 2


@pytest.fixture(scope="module")
def model():
    return FastText(SENTENCES, **SMALL)


# ---- the interface -------------------------------------------------------------------------------

SAME = [
    (FastText, theirs.FastText, "__init__"),
    *(
        (FastTextKeyedVectors, theirs.FastTextKeyedVectors, name)
        for name in ("__init__", "get_vector", "get_sentence_vector", "adjust_vectors", "resize_vectors")
    ),
    *(
        (fasttext, theirs, name)
        for name in ("load_facebook_model", "load_facebook_vectors", "save_facebook_model", "ft_ngram_hashes")
    ),
]


@pytest.mark.parametrize(("ours", "others", "name"), SAME, ids=[f"{ours.__name__}.{name}" for ours, _, name in SAME])
def test_arguments_and_defaults_are_gensim_s(ours, others, name):
    def arguments(function):
        return [(each.name, each.default) for each in inspect.signature(function).parameters.values()]

    assert arguments(getattr(ours, name)) == arguments(getattr(others, name))


def test_names_are_where_gensim_has_them():
    assert firth.gensim.models.FastText is fasttext.FastText is FastText
    assert keyedvectors.FastTextKeyedVectors is FastTextKeyedVectors
    assert issubclass(FastText, Word2Vec)
    assert issubclass(FastTextKeyedVectors, KeyedVectors)


# ---- training ------------------------------------------------------------------------------------


@pytest.mark.parametrize("sg", [0, 1])
def test_it_trains_what_firth_trains(sg):
    made = FastText(**SMALL, sg=sg)
    made.build_vocab(SENTENCES)
    for rows in (made.wv.vectors_vocab, made.wv.vectors_ngrams):
        assert 1 / 32 < np.abs(rows).max() <= 1 / 16  # as far as gensim's go
        rows /= 2  # and back to where firth begins
    made.train(SENTENCES, total_examples=9, epochs=made.epochs)
    architecture = "skipgram" if sg else "cbow"
    firth_s = firth.Word2Vec(
        architecture=architecture, cbow_gradient="historical", alpha=0.025, subwords=True, **SMALL
    ).fit(SENTENCES, progress=False)
    assert made.wv.index_to_key == list(firth_s.vectors.words)
    np.testing.assert_array_equal(made.wv.vectors, firth_s.vectors.matrix)
    np.testing.assert_array_equal(made.wv.vectors_vocab, firth_s.weights.input)
    np.testing.assert_array_equal(made.wv.vectors_ngrams, firth_s.weights.grams)
    np.testing.assert_array_equal(made.syn1neg, firth_s.weights.output)
    np.testing.assert_array_equal(made.wv["computers"], firth_s.vectors.vector("computers"))


def test_step_by_step_is_as_at_once(model):
    made = FastText(**SMALL)
    made.build_vocab(SENTENCES)
    made.train(SENTENCES, total_examples=made.corpus_count, epochs=made.epochs)
    np.testing.assert_array_equal(made.wv.vectors, model.wv.vectors)
    np.testing.assert_array_equal(made.wv.vectors_ngrams, model.wv.vectors_ngrams)


def test_new_words_bring_their_n_grams_and_leave_those_there_are(tmp_path):
    made = FastText(SENTENCES, **SMALL)
    words, before, own = list(made.wv.index_to_key), made.wv.vectors.copy(), made.wv.vectors_vocab.copy()
    unseen, size = made.wv["computers"], len(made.wv.vectors_ngrams)
    made.build_vocab(NEW, update=True)
    assert made.wv.index_to_key == [*words, "artificial", "intelligence"]
    assert len(made.wv.vectors_ngrams) == len(made.wv.gram_buckets) == len({*made.wv.gram_buckets.tolist()}) > size
    np.testing.assert_array_equal(made.wv.vectors[:12], before)
    np.testing.assert_array_equal(made.wv.vectors_vocab[:12], own)
    assert made.wv.get_vecattr("artificial", "count") == 6
    assert made._order() is not None  # the new word occurs more often than others before it
    np.testing.assert_allclose(made.wv["computers"], unseen, atol=1e-7)  # other n-grams of it may be there now
    made.train(NEW, total_examples=6, epochs=1)
    moved = (made.wv.vectors_vocab[:12] != own).any(axis=1)
    assert {word for word, changed in zip(words, moved, strict=True) if changed} == {"computer", "trees", "minors"}
    assert (made.wv.vectors[words.index("eps")] == before[words.index("eps")]).all()  # shares no n-gram with them
    made.save(tmp_path / "ft.model")
    loaded = FastText.load(tmp_path / "ft.model")
    assert loaded.wv.index_to_key == made.wv.index_to_key
    for name in ("vectors", "vectors_vocab", "vectors_ngrams", "gram_buckets"):
        np.testing.assert_array_equal(getattr(loaded.wv, name), getattr(made.wv, name))
    for each in (made, loaded):
        each.train(SENTENCES, total_examples=9, epochs=1)
    np.testing.assert_array_equal(loaded.wv["artificially"], made.wv["artificially"])


def test_counts_that_are_changed_do_not_mix_up_rows(model, tmp_path):
    model.save(tmp_path / "ft.model")
    made = FastText.load(tmp_path / "ft.model")
    words = ["computers", "systems", "graphics", "treesome"]
    before, order = made.wv[words], made.wv.gram_buckets.copy()
    made.wv.set_vecattr("minors", "count", 1000)
    np.testing.assert_array_equal(made.core.vectors.vector("minorsurvey"), made.wv["minorsurvey"])
    assert (made.wv.gram_buckets != order).any()
    np.testing.assert_array_equal(made.wv[words], before)
    made.wv.adjust_vectors()
    np.testing.assert_array_equal(made.wv.vectors, model.wv.vectors)


def test_callbacks_see_the_vectors_of_their_epoch():
    class Watch(CallbackAny2Vec):
        def __init__(self):
            self.seen = []

        def on_epoch_end(self, model):
            self.seen.append((model.wv["graphs"].copy(), model.wv.vectors.copy()))

    watch = Watch()
    made = FastText(SENTENCES, **SMALL, callbacks=[watch])
    assert len(watch.seen) == 2
    assert (watch.seen[0][0] != watch.seen[1][0]).any()
    np.testing.assert_array_equal(watch.seen[1][0], made.wv["graphs"])
    np.testing.assert_array_equal(watch.seen[1][1], made.wv.vectors)


@pytest.mark.parametrize("none", [{"max_n": 0}, {"min_n": 5, "max_n": 4}, {"bucket": 0}])
def test_without_n_grams_it_is_word2vec(tmp_path, none):
    for loss in ({}, {"hs": 1, "negative": 0}):
        made, plain = FastText(SENTENCES, **SMALL, **none, **loss), Word2Vec(SENTENCES, **SMALL, **loss)
        np.testing.assert_array_equal(made.wv.vectors, plain.wv.vectors)
        np.testing.assert_array_equal(made.wv.vectors_vocab, plain.wv.vectors)
        assert made.wv.vectors_ngrams.shape == (0, 16)
        assert made.wv.bucket == 0
        assert "graphs" not in made.wv
        with pytest.raises(KeyError, match="graphs"):
            made.wv["graphs"]
        made.save(tmp_path / "ft.model")
        loaded = FastText.load(tmp_path / "ft.model")
        np.testing.assert_array_equal(loaded.wv.vectors, plain.wv.vectors)
        assert "graphs" not in loaded.wv
        made.wv.save(tmp_path / "wv")
        assert FastTextKeyedVectors.load(tmp_path / "wv").bucket == 0


@pytest.mark.parametrize(
    ("error", "arguments", "told"),
    [
        (ValueError, {"hs": 1}, r"n-grams by negative sampling alone, got hs=1; leave out hs .* or give max_n=0 and"),
        (ValueError, {"hs": 1, "negative": 0}, "n-grams by negative sampling alone, got hs=1"),
        (NotImplementedError, {"word_ngrams": 2}, "got word_ngrams=2; leave it out, and see Phrases"),
        (ValueError, {"max_n": 65}, "max_n must be 64 or less, got 65"),
        (TypeError, {"size": 16}, "size is called vector_size since gensim 4"),
    ],
)
def test_what_is_not_trained_is_refused(error, arguments, told):
    with pytest.raises(error, match=told):
        FastText(SENTENCES, **SMALL, **arguments)


@pytest.mark.parametrize("name", ["vectors_lockf", "vectors_vocab_lockf", "vectors_ngrams_lockf"])
def test_locked_vectors_are_refused(name):
    made = FastText(SENTENCES, **SMALL)
    setattr(made.wv, name, np.zeros(1))
    with pytest.raises(ValueError, match=name):
        made.train(SENTENCES, total_examples=9, epochs=1)


# ---- asking --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def both():
    """A model's vectors, and gensim's of the same rows."""
    made = FastText(SENTENCES, **SMALL | {"epochs": 20}, **FEW).wv
    assert len(made.vectors_ngrams) == 40
    other = theirs.FastTextKeyedVectors(16, FEW["min_n"], FEW["max_n"], FEW["bucket"])
    other.index_to_key, other.key_to_index = made.index_to_key, made.key_to_index
    other.vectors_vocab = np.ascontiguousarray(made.vectors_vocab)
    other.vectors_ngrams = np.empty((40, 16), np.float32)
    other.vectors_ngrams[made.gram_buckets] = made.vectors_ngrams
    other.expandos = made.expandos
    other.recalc_char_ngram_buckets()
    other.adjust_vectors()
    return made, other


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("get_vector", ("graphs",)),
        ("get_vector", ("graph", True)),
        ("get_vector", ("graphs", True)),
        ("__getitem__", (["graphs", "graph", "treetop"],)),
        ("get_mean_vector", (["graphs", "graph", "treetop"],)),
        ("get_mean_vector", (["graphs", "graph"], [2, -1], False, True)),
        ("get_mean_vector", (["graphs", "graph", np.ones(16, np.float32)], [1, 2, 3])),
        ("get_sentence_vector", (["graphs", "system"],)),
        ("most_similar", ("graphs",)),
        ("most_similar", (["graphs", ("system", 0.5)], ["treetop"], 4)),
        ("most_similar", (["graphs"], None, None)),
        ("most_similar_cosmul", (["graphs", "system"], ["treetop"], 4)),
        ("most_similar_to_given", ("graphs", ["eps", "graph", "systems"])),
        ("similar_by_word", ("graphs", 3)),
        ("similarity", ("graphs", "graph")),
        ("similarity", ("graphs", "treetop")),
        ("distance", ("graphs", "treetop")),
        ("distances", ("graphs", ["graph", "trees"])),
        ("distances", ("graphs",)),
        ("n_similarity", (["graphs", "tree"], ["system", "humans"])),
        ("relative_cosine_similarity", ("graphs", "graph", 3)),
        ("rank_by_centrality", (["graphs", "graph", "treetop"],)),
        ("rank_by_centrality", (["graphs", "graph", "treetop"], False)),
        ("doesnt_match", (["graphs", "graph", "treetop", "trees"],)),
        ("__contains__", ("graphs",)),
        ("has_index_for", ("graphs",)),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # gensim's of itself
def test_answers_of_unseen_words_are_gensim_s(both, name, asked):
    ours, expected = (getattr(each, name)(*asked) for each in both)
    if isinstance(expected, list):
        names = [[part for pair in some for part in pair if isinstance(part, str)] for some in (ours, expected)]
        numbers = [[part for pair in some for part in pair if not isinstance(part, str)] for some in (ours, expected)]
        assert names[0] == names[1]
        assert numbers[0] == pytest.approx(numbers[1], abs=1e-5)
    elif isinstance(expected, (str, bool)):
        assert ours == expected
    else:
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-6)


def test_vectors_and_n_grams_are_gensim_s(both):
    made, other = both
    np.testing.assert_allclose(made.vectors, other.vectors, atol=1e-6)
    for ours, expected in zip(made.buckets_word, other.buckets_word, strict=True):
        np.testing.assert_array_equal(ours, expected)
    for word in ("graphs", "über", "漢字", "a", ""):
        assert ft_ngram_hashes(word, 3, 6, 1000) == theirs.ft_ngram_hashes(word, 3, 6, 1000)
    assert isinstance(made.core, SubwordVectors)


def test_vectors_for_all_makes_those_of_unseen_words(both):
    words = ["treetop", "graph", "graphs", "graph"]
    for arguments in ({}, {"allow_inference": False}, {"copy_vecattrs": True}):
        ours, expected = (each.vectors_for_all(words, **arguments) for each in both)
        assert ours.index_to_key == expected.index_to_key
        np.testing.assert_allclose(ours.vectors, expected.vectors, atol=1e-6)
        if "copy_vecattrs" in arguments:
            assert ours.expandos["count"].tolist() == [0, 3, 0]


def test_ranks_are_asked_of_words_with_a_row(both):
    for each in both:
        with pytest.raises(KeyError):
            each.rank("graph", "graphs")
        with pytest.raises(KeyError):
            each.distances("graph", ["graphs"])


def test_unseen_words_are_moved_by_word_mover_s_distance(both):
    pytest.importorskip("ot", reason="POT is not installed")
    documents = ["graphs", "system"], ["treetop", "humans", "eps"]
    ours, expected = (each.wmdistance(*documents) for each in both)
    assert ours == pytest.approx(expected, rel=1e-4)


def test_a_word_of_n_grams_that_no_word_has_gets_zeros_and_a_warning(model, caplog):
    for word in ("qqq", ""):
        assert word not in model.wv
        with caplog.at_level(logging.WARNING):
            assert not model.wv[word].any()
        assert f"no n-gram of {word!r} has a vector" in caplog.text
        with pytest.raises(KeyError):
            model.wv.most_similar(word)
        with pytest.raises(KeyError):
            model.wv.similarity("graph", word)
        assert not model.wv.get_mean_vector([word]).any()
    np.testing.assert_array_equal(model.wv.get_mean_vector(["graphs", "qqq"]), model.wv.get_mean_vector(["graphs"]))
    starts, buckets = buckets_of([b"graphq"], NGrams(3, 6, 2_000_000))
    row_of = dict(zip(model.wv.gram_buckets.tolist(), model.wv.vectors_ngrams, strict=True))
    known = [row_of[bucket] for bucket in buckets.tolist() if bucket in row_of]
    assert 0 < len(known) < starts[-1]
    np.testing.assert_allclose(model.wv["graphq"], np.mean(known, axis=0), atol=1e-7)


def test_words_are_predicted_from_those_that_are_known(model):
    assert model.predict_output_word(["system", "nowhere"], 3) == model.predict_output_word(["system"], 3)


def test_vectors_made_by_hand_are_resized_and_sorted():
    wv = FastTextKeyedVectors(4, 3, 6, 100)
    wv.take_keys(["rare", "often"])
    wv.expandos["count"] = np.array([1, 5])
    wv.resize_vectors(seed=2)
    before, unseen = wv["rare"].copy(), wv["rarely"]
    wv.sort_by_descending_frequency()
    wv.adjust_vectors()
    assert wv.index_to_key == ["often", "rare"]
    np.testing.assert_array_equal(wv["rare"], before)
    np.testing.assert_array_equal(wv["rarely"], unseen)
    wv.add_vector("new", np.ones(4))
    assert wv["new"].tolist() == [1, 1, 1, 1]
    wv.vectors_ngrams = 2 * wv.vectors_ngrams
    np.testing.assert_array_equal(wv["rarely"], 2 * unseen)


def test_words_that_are_added_have_rows_of_their_own(tmp_path, model):
    model.wv.save(tmp_path / "wv")
    wv = FastTextKeyedVectors.load(tmp_path / "wv")
    wv.add_vectors(["systems", "xy"], np.stack([np.arange(16), np.ones(16)]), extras={"count": np.array([99, 1])})
    wv.sort_by_descending_frequency()
    assert wv.index_to_key[0] == "systems"
    np.testing.assert_array_equal(
        wv.vectors_vocab[wv.get_index("graph")], model.wv.vectors_vocab[model.wv.get_index("graph")]
    )
    wv.adjust_vectors()
    np.testing.assert_allclose(wv["systems"], np.arange(16), atol=1e-5)
    np.testing.assert_allclose(wv["xy"], np.ones(16), atol=1e-6)
    np.testing.assert_array_equal(wv["graph"], model.wv["graph"])


def test_words_that_utf_8_cannot_hold_are_asked_and_not_saved(tmp_path):
    rows, kind = np.ones((9, 2), np.float32), NGrams(1, 3, 9)
    wv = FastTextKeyedVectors.of(SubwordVectors(["caf\udce9"], np.ones((1, 2)), gram_rows=rows, kind=kind))
    assert wv.vectors_vocab.shape == (1, 2)
    assert len(wv.buckets_word[0]) == len(buckets_of([b"caf\xe9"], kind)[1])
    with pytest.raises(BadOption, match="words must be strings that UTF-8 can hold"):
        wv.save(tmp_path / "wv")


# ---- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("mmap", [None, "r"])
def test_a_model_comes_back_from_its_file_and_trains_on(tmp_path, mmap):
    made = FastText(SENTENCES, **SMALL, **FEW, sg=1)
    made.save(str(tmp_path / "fasttext.bin"), sep_limit=0)
    loaded = FastText.load(str(tmp_path / "fasttext.bin"), mmap=mmap)
    assert vars(loaded).keys() == vars(made).keys()
    assert (loaded.sg, loaded.wv.min_n, loaded.wv.max_n, loaded.wv.bucket) == (1, 2, 4, 40)
    np.testing.assert_array_equal(loaded.wv["graphs"], made.wv["graphs"])
    for each in (made, loaded):
        each.train(SENTENCES, total_examples=9, epochs=1)
    np.testing.assert_array_equal(loaded.wv.vectors, made.wv.vectors)
    np.testing.assert_array_equal(loaded.wv["graphs"], made.wv["graphs"])


@pytest.mark.parametrize("mmap", [None, "r"])
def test_vectors_that_were_changed_come_back_as_they_were_saved(tmp_path, mmap):
    made = FastText(SENTENCES, **SMALL)
    made.build_vocab(NEW, update=True)
    assert made._order() is not None
    made.wv.unit_normalize_all()
    made.wv["graph"] = np.arange(16)
    made.save(tmp_path / "ft.model")
    loaded = FastText.load(tmp_path / "ft.model", mmap=mmap)
    np.testing.assert_array_equal(loaded.wv.vectors, made.wv.vectors)
    assert loaded.wv["graph"].tolist() == list(range(16))
    for each in (made, loaded):
        each.train(SENTENCES, total_examples=9, epochs=1)
    np.testing.assert_array_equal(loaded.wv.vectors, made.wv.vectors)


def test_what_is_saved_is_firth_s_and_what_firth_saves_is_opened(tmp_path, model):
    model.save(tmp_path / "ft.model")
    for opened in (firth.WordVectors.load(tmp_path / "ft.model"), firth.Word2Vec.load(tmp_path / "ft.model").vectors):
        np.testing.assert_array_equal(opened.vector("graphs"), model.wv["graphs"])
    own = firth.Word2Vec(subwords=True, min_n=2, max_n=5, bucket=70, **SMALL).fit(SENTENCES, progress=False)
    own.save(tmp_path / "own.safetensors")
    loaded = FastText.load(tmp_path / "own.safetensors")
    assert (loaded.sg, loaded.wv.min_n, loaded.wv.max_n, loaded.wv.bucket) == (1, 2, 5, 70)
    np.testing.assert_array_equal(loaded.wv["graphs"], own.vectors.vector("graphs"))
    np.testing.assert_array_equal(loaded.wv.vectors_vocab, own.weights.input)
    loaded.train(SENTENCES, total_examples=9, epochs=1)


def test_models_with_and_without_n_grams_are_not_mistaken_for_each_other(tmp_path, model):
    model.save(tmp_path / "ft.model")
    Word2Vec(SENTENCES, **SMALL).save(tmp_path / "w2v.model")
    firth.Word2Vec(subwords=True, **SMALL).fit(SENTENCES, progress=False).save(tmp_path / "own.safetensors")
    for name in ("ft.model", "own.safetensors"):
        with pytest.raises(AttributeError, match=r"with n-grams of characters; open it with FastText\.load"):
            Word2Vec.load(tmp_path / name)
    with pytest.raises(AttributeError, match=r"of words alone; open it with Word2Vec\.load"):
        FastText.load(tmp_path / "w2v.model")
    model.wv.save(tmp_path / "wv")
    with pytest.raises(AttributeError, match=r"KeyedVectors\.load"):
        FastText.load(tmp_path / "wv")


@pytest.mark.parametrize("mmap", [None, "r"])
def test_vectors_come_back_with_their_n_grams_whichever_class_loads_them(tmp_path, model, mmap):
    model.wv.save(tmp_path / "wv")
    model.save(tmp_path / "model")
    for name in ("wv", "model"):
        for cls in (FastTextKeyedVectors, KeyedVectors):
            loaded = cls.load(tmp_path / name, mmap=mmap)
            assert isinstance(loaded, FastTextKeyedVectors)
            for array in ("vectors", "vectors_vocab", "vectors_ngrams", "gram_buckets"):
                np.testing.assert_array_equal(getattr(loaded, array), getattr(model.wv, array))
            np.testing.assert_array_equal(loaded["graphs"], model.wv["graphs"])
            assert loaded.get_vecattr("graph", "count") == 3


def test_word2vec_s_files_hold_whole_vectors(tmp_path, model):
    model.wv.save_word2vec_format(tmp_path / "v.bin", binary=True)
    read = KeyedVectors.load_word2vec_format(tmp_path / "v.bin", binary=True)
    np.testing.assert_array_equal(read["graph"], model.wv["graph"])
    plain = FastTextKeyedVectors.load_word2vec_format(tmp_path / "v.bin", binary=True)
    assert (plain.bucket, "graphs" in plain) == (0, False)


# ---- fastText's files ------------------------------------------------------------------------------

COUNTS = {"the": 7, "über": 5, "漢字漢": 2, "a": 1, "there": 1}


def facebook(tmp_path, changed=None):
    """A model of fastText's whose output matrix is no zeros; `changed` are other numbers of its head, by place."""
    data = bytearray(fasttext_bytes(COUNTS, 4, 30))
    output = np.random.default_rng(9).standard_normal((len(COUNTS), 4), dtype=np.float32)
    data[-output.nbytes :] = output.tobytes()
    for place, value in (changed or {}).items():
        struct.pack_into("<i", data, 4 * place, value)
    (tmp_path / "m.bin").write_bytes(data)
    return str(tmp_path / "m.bin"), output


def test_fasttext_s_vectors_are_those_that_gensim_reads(tmp_path):
    path, _ = facebook(tmp_path)
    ours, expected = load_facebook_vectors(path), theirs.load_facebook_vectors(path)
    assert ours.index_to_key == expected.index_to_key
    assert (ours.min_n, ours.max_n, ours.bucket) == (3, 6, 30)
    for name in ("vectors", "vectors_vocab", "vectors_ngrams"):
        np.testing.assert_allclose(getattr(ours, name), getattr(expected, name), atol=1e-5)
    np.testing.assert_allclose(ours[["thereby", "überall"]], expected[["thereby", "überall"]], atol=1e-6)
    assert ours.get_vecattr("über", "count") == 5
    (tmp_path / "m.bin.gz").write_bytes(gzip.compress((tmp_path / "m.bin").read_bytes()))
    np.testing.assert_array_equal(load_facebook_vectors(tmp_path / "m.bin.gz").vectors, ours.vectors)


def test_fasttext_s_models_are_trained_on(tmp_path):
    path, output = facebook(tmp_path)
    ours, expected = load_facebook_model(path), theirs.load_facebook_model(path)
    for name in ("sg", "hs", "negative", "window", "epochs", "sample", "vector_size", "corpus_total_words"):
        assert getattr(ours, name) == getattr(expected, name), name
    np.testing.assert_array_equal(ours.syn1neg, output)
    np.testing.assert_array_equal(ours.wv.vectors_vocab, expected.wv.vectors_vocab)
    np.testing.assert_array_equal(ours.wv.vectors_ngrams, expected.wv.vectors_ngrams)
    unseen, known = ours.wv["qqqqqq"], ours.wv["the"].copy()
    np.testing.assert_allclose(unseen, expected.wv["qqqqqq"], atol=1e-6)
    text = [["the", "über", "there", "new"]] * 9
    ours.build_vocab(text, update=True)
    np.testing.assert_array_equal(ours.wv["the"], known)
    np.testing.assert_allclose(ours.wv["qqqqqq"], unseen, atol=1e-7)
    ours.sample = 0  # or so short a text is dropped
    ours.train(text, total_examples=9, epochs=2)
    assert (ours.wv["the"] != known).any()
    assert len(ours.wv.vectors_ngrams) == len({*ours.wv.gram_buckets.tolist()}) == 30
    ours.save(tmp_path / "ft.model")
    loaded = FastText.load(tmp_path / "ft.model")
    words = ["the", "new", "thereby", "qqqqqq"]
    np.testing.assert_array_equal(loaded.wv[words], ours.wv[words])


@pytest.mark.parametrize("arguments", [FEW | {"sg": 1}, {"bucket": 50}, {"max_n": 0}])
def test_models_are_written_for_fasttext(tmp_path, arguments):
    made = FastText(SENTENCES, **SMALL, **arguments)
    made.build_vocab(NEW, update=True)
    made.train(NEW, total_examples=6, epochs=1)
    save_facebook_model(made, tmp_path / "m.bin")
    for read in (load_facebook_model(tmp_path / "m.bin"), theirs.load_facebook_model(str(tmp_path / "m.bin"))):
        assert (read.sg, read.window, read.negative, read.sample) == (made.sg, 5, 5, 0)
        assert {word: read.wv.get_vecattr(word, "count") for word in read.wv.index_to_key} == {
            word: made.wv.get_vecattr(word, "count") for word in made.wv.index_to_key
        }
        words = made.wv.index_to_key + (["graphs"] if made.wv.bucket == 40 else [])
        np.testing.assert_allclose(read.wv[words], made.wv[words], atol=1e-6)
        rows = [made.wv.key_to_index[word] for word in read.wv.index_to_key]
        np.testing.assert_array_equal(read.syn1neg, made.syn1neg[rows])
    with pytest.raises(ValueError, match="encoding must be utf8"):
        save_facebook_model(made, tmp_path / "m.bin", encoding="latin-1")


WINDOW, EPOCHS, LOSS, MODEL = 3, 4, 8, 9  # their places in the head


@pytest.mark.parametrize(
    ("error", "changed", "told"),
    [
        (NotImplementedError, {MODEL: 3}, "is a classifier, .* its words: load_facebook_vectors"),
        (ValueError, {LOSS: 1}, "not trained by negative sampling, .* its vectors: load_facebook_vectors"),
        (ValueError, {LOSS: 3}, "not trained by negative sampling"),
        (BadFile, {WINDOW: 0}, r"m\.bin holds options .*window must be 1 to 10000, got 0.*: load_facebook_vectors"),
        (BadFile, {EPOCHS: -1}, r"m\.bin holds options .*epochs must be 1 or more, got -1"),
    ],
)
def test_fasttext_s_models_that_firth_does_not_train_are_refused(tmp_path, error, changed, told):
    path, _ = facebook(tmp_path, changed=changed)
    with pytest.raises(error, match=told):
        load_facebook_model(path)
    assert len(load_facebook_vectors(path)) == len(COUNTS)


def test_a_model_without_words_is_not_written_for_fasttext(tmp_path):
    with pytest.raises(RuntimeError, match="nothing to save: no vocabulary was built"):
        save_facebook_model(FastText(**SMALL), tmp_path / "m.bin")


def test_fasttext_s_files_that_are_cut_short_packed_or_coded_otherwise_are_refused(tmp_path):
    path, _ = facebook(tmp_path)
    with pytest.raises(ValueError, match="encoding must be utf8, got 'cp852'"):
        load_facebook_vectors(path, encoding="cp852")
    whole = (tmp_path / "m.bin").read_bytes()
    with (tmp_path / "m.bin").open("rb") as file, gzip.open(tmp_path / "m.bin.gz", "wb") as packed:
        shutil.copyfileobj(file, packed)
    with pytest.raises(ValueError, match=r"is packed, .* unpack it first"):
        load_facebook_model(tmp_path / "m.bin.gz")
    for size in (len(whole) - 1, len(whole) - 90):
        (tmp_path / "m.bin").write_bytes(whole[:size])
        with pytest.raises(BadFile, match="no matrix of 5 rows of 4 numbers at its end"):
            load_facebook_model(path)
