"""Documents as features: the formulas, scikit-learn's own checks, pipelines and searches, wrong input."""

import copy
import lzma
import os
import pickle
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from firth import TrainingOptions, Word2Vec, WordVectors
from firth.errors import BadCorpus, BadOption, UnknownWord
from firth.options import DocumentOptions
from firth.world import sentences

pytest.importorskip("sklearn", reason="firth.sklearn needs scikit-learn: pip install 'firth[sklearn]'")

import joblib
from sklearn.base import clone
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks
from sklearn.utils.validation import check_is_fitted, validate_data

from firth.sklearn import Word2VecTransformer

CORPORA = os.environ.get("FIRTH_CORPORA")
DOCUMENTS = ["a b b", "c a", "a x", ""]
VECTORS = WordVectors(["a", "b", "c"], np.array([[1, 0, 2], [0, 3, 1], [2, 2, 2]], np.float32), np.array([6, 3, 1]))
SMALL = {"vector_size": 16, "epochs": 1, "min_count": 1}


def given_vectors(**options):
    return Word2VecTransformer(vectors=VECTORS, empty="zeros", **options)


# ---- the formulas -------------------------------------------------------------------------------


def test_the_mean_counts_every_known_word_alike():
    a, b, c = VECTORS.matrix
    found = given_vectors().fit_transform(DOCUMENTS)
    np.testing.assert_allclose(found, [(a + 2 * b) / 3, (a + c) / 2, a, 0 * a], rtol=1e-6)
    assert found.dtype == np.float32


def test_tfidf_weighs_words_as_scikit_learn_s_vectorizer_does():
    vectorizer = TfidfVectorizer(norm="l1", vocabulary=["a", "b", "c"], token_pattern=r"\w+")
    expected = vectorizer.fit_transform(DOCUMENTS) @ VECTORS.matrix
    np.testing.assert_allclose(given_vectors(weighting="tfidf").fit_transform(DOCUMENTS), expected, rtol=1e-6)


@pytest.mark.parametrize("counts", [VECTORS.counts, None])
def test_sif_weighs_by_share_and_takes_the_first_component_out(counts):
    vectors = WordVectors(VECTORS.words, VECTORS.matrix, counts)
    shares = np.array([0.6, 0.3, 0.1]) if counts is not None else np.array([3, 2, 1]) / 6  # of the documents
    a, b, c = (0.2 / (0.2 + shares))[:, None] * VECTORS.matrix.astype(np.float64)
    rows = np.array([(a + 2 * b) / 3, (a + c) / 2, a, 0 * a])
    _, _, directions = np.linalg.svd(rows)
    expected = rows - np.outer(rows @ directions[0], directions[0])
    transformer = Word2VecTransformer(vectors=vectors, weighting="sif", sif_a=0.2, empty="zeros").fit(DOCUMENTS)
    np.testing.assert_allclose(transformer.transform(DOCUMENTS), expected, atol=1e-6)
    np.testing.assert_allclose(transformer.transform(DOCUMENTS[1:2]), expected[1:2], atol=1e-6)  # as learned at fit


def test_norm_brings_documents_to_length_1_and_leaves_empty_ones_zero():
    found = given_vectors(norm="l2").fit_transform(DOCUMENTS)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), [1, 1, 1, 0], rtol=1e-6)


def test_a_word_may_stand_for_all_unknown_ones():
    found = given_vectors(unknown="c").fit_transform(["a x", "y"])
    a, _, c = VECTORS.matrix
    np.testing.assert_allclose(found, [(a + c) / 2, c])
    trained = Word2VecTransformer(**SMALL, sample=0, unknown="<unk>").fit(["a b a b", "b a"])
    assert trained.transform(["never seen"]).any()
    with pytest.raises(UnknownWord, match="<unk>"):
        given_vectors(unknown="<unk>").fit(["a"])


@pytest.mark.parametrize("many", [np.array, np.asarray, tuple, iter, lambda them: np.array(them, object)])
def test_documents_may_come_in_any_list(many):
    expected = given_vectors().fit_transform(DOCUMENTS)
    np.testing.assert_array_equal(given_vectors().fit(DOCUMENTS).transform(many(DOCUMENTS)), expected)


def test_lists_of_tokens_are_taken_as_they_are_and_strings_are_cut_as_asked():
    tokens = [text.split() for text in DOCUMENTS]
    expected = given_vectors().fit_transform(DOCUMENTS)
    np.testing.assert_array_equal(given_vectors().fit_transform(tokens), expected)
    np.testing.assert_array_equal(given_vectors().fit_transform(["A, b-B!", "c A", "a x", ""]), expected)
    np.testing.assert_array_equal(given_vectors(tokenizer="whitespace").fit_transform(["A b"])[0], VECTORS["b"])
    np.testing.assert_array_equal(given_vectors(tokenizer=list).fit_transform(["abb", "ca", "ax", ""]), expected)


def test_more_documents_than_are_read_at_once_keep_their_places():
    documents = ["a", "b", "", "c"] * 6_000
    found = given_vectors().fit_transform(documents)
    rows = [VECTORS["a"], VECTORS["b"], np.zeros(3), VECTORS["c"]]
    np.testing.assert_array_equal(found.reshape(6_000, 4, 3), np.broadcast_to(rows, (6_000, 4, 3)))


# ---- training and given vectors ------------------------------------------------------------------


@pytest.fixture(scope="module")
def world():
    return [" ".join(words) for words in sentences(300)]


def test_what_is_trained_is_what_word2vec_trains(world):
    found = Word2VecTransformer(**SMALL, random_state=5, combine="average").fit(world)
    expected = Word2Vec(**SMALL, seed=5, workers=1).fit(world, tokenizer="words", cache=False)
    np.testing.assert_array_equal(found.vectors_.matrix, expected.combined_vectors("average").matrix)
    assert found.vectors_.words == expected.vectors.words


def test_runs_are_alike_unless_another_random_state_is_given(world):
    first, again, other, by_state = (
        Word2VecTransformer(**SMALL, random_state=state).fit_transform(world)
        for state in (None, None, 3, np.random.RandomState(0))
    )
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
    assert not np.allclose(other, by_state)


def test_vectors_may_be_a_model_or_a_file(world, tmp_path):
    model = Word2Vec(**SMALL, workers=1).fit(world, cache=False)
    model.save(tmp_path / "m.safetensors")
    expected = Word2VecTransformer(vectors=model.vectors).fit_transform(world)
    for each in (model, tmp_path / "m.safetensors", str(tmp_path / "m.safetensors")):
        np.testing.assert_array_equal(Word2VecTransformer(vectors=each).fit_transform(world), expected)


# ---- what scikit-learn asks of estimators --------------------------------------------------------


class OfTables(Word2VecTransformer):
    """The transformer of tables of numbers, each number a word with its column: what the checks hand to estimators.

    They hand text to none, and pass an estimator of text over but for one check.
    """

    def fit(self, X, y=None):
        return super().fit(as_documents(validate_data(self, X)), y)

    def transform(self, X):
        check_is_fitted(self)
        return super().transform(as_documents(validate_data(self, X, reset=False)))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.one_d_array, tags.input_tags.string = True, False, False
        return tags


def as_documents(X):
    return [[f"{column}:{number:.0f}" for column, number in enumerate(row)] for row in np.asarray(X)]


def failing(_):
    why = "with one column, documents have one word, and nothing stands beside it to train on: BadCorpus says so"
    return {"check_fit2d_1feature": why}


TABLES = [
    OfTables(**SMALL, sample=0, empty="zeros"),
    OfTables(**SMALL, sample=0, empty="zeros", weighting="sif", norm="l2"),
    OfTables(**SMALL, sample=0, empty="zeros", weighting="tfidf"),
]


@parametrize_with_checks(TABLES, expected_failed_checks=failing)
def test_scikit_learn_s_checks_pass(estimator, check):
    check(estimator)


def test_scikit_learn_s_checks_for_estimators_of_text_pass():
    with pytest.warns(SkipTestWarning, match="requires input"):  # of all but the one that needs no data
        check_estimator(Word2VecTransformer())


def test_every_option_is_a_parameter_under_its_own_name():
    named = {each.name for options in (TrainingOptions, DocumentOptions) for each in fields(options)}
    own = {"vectors", "tokenizer", "combine", "random_state", "n_jobs"}
    assert set(Word2VecTransformer().get_params()) == named - {"seed", "workers"} | own
    with pytest.raises(BadOption, match="unknown parameter 'seed'; here it is called random_state"):
        Word2VecTransformer(seed=1)


def test_clones_share_vectors_that_are_given():
    transformer = clone(given_vectors(weighting="tfidf"))
    assert transformer.vectors is VECTORS, "they never change, so there is nothing to copy"
    assert transformer.weighting == "tfidf"
    assert copy.deepcopy(VECTORS) is VECTORS
    with pytest.raises(NotFittedError):
        transformer.transform(DOCUMENTS)


def test_a_fitted_transformer_is_pickled_and_kept_with_joblib(world, tmp_path):
    transformer = Word2VecTransformer(**SMALL, weighting="sif").fit(world)
    expected = transformer.transform(world)
    joblib.dump(transformer, tmp_path / "t.joblib")
    for back in (pickle.loads(pickle.dumps(transformer)), joblib.load(tmp_path / "t.joblib")):
        np.testing.assert_array_equal(back.transform(world), expected)
        assert back.vectors_.most_similar("the") == transformer.vectors_.most_similar("the")


def test_features_have_names_and_come_as_frames_where_asked():
    pandas = pytest.importorskip("pandas", reason="frames need pandas: pip install pandas")
    transformer = given_vectors().set_output(transform="pandas").fit(DOCUMENTS)
    names = [f"word2vectransformer{number}" for number in range(3)]
    assert transformer.get_feature_names_out().tolist() == names
    column = pandas.Series(DOCUMENTS, index=[9, 8, 7, 6])
    frame = transformer.transform(column)
    assert frame.columns.tolist() == names
    assert frame.index.tolist() == [9, 8, 7, 6]


def test_a_search_over_options_of_training_runs_in_processes(world):
    labels = ["france" in text for text in world]
    labels[0] = True
    pipeline = make_pipeline(Word2VecTransformer(**SMALL, empty="zeros"), LogisticRegression())
    grid = {"word2vectransformer__window": [2, 5], "word2vectransformer__weighting": ["mean", "sif"]}
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=2, error_score="raise").fit(world, labels)
    assert len(search.cv_results_["params"]) == 4
    assert search.best_estimator_.predict(world[:2]).shape == (2,)


@pytest.mark.skipif(not CORPORA, reason="set FIRTH_CORPORA to a folder with raw/en_novels.txt.xz to classify real text")
def test_novels_and_encyclopedia_are_told_apart_nearly_as_well_as_by_tfidf():
    """The first 1,500 paragraphs of more than 80 characters of each, cut at 200."""
    documents, labels = [], []
    for name in ("en_novels", "en_wikipedia"):
        with lzma.open(Path(CORPORA) / "raw" / f"{name}.txt.xz", "rt", encoding="utf-8") as file:
            some = [line.strip()[:200] for line in file if len(line) > 80][:1500]
        documents += some
        labels += [name] * len(some)
    train, test, train_labels, test_labels = train_test_split(documents, labels, random_state=0, stratify=labels)
    pipeline = make_pipeline(
        Word2VecTransformer(vector_size=16, min_count=2, weighting="tfidf"), LogisticRegression(C=100, max_iter=2000)
    )
    search = GridSearchCV(pipeline, {"word2vectransformer__epochs": [5, 20]}, cv=2, error_score="raise")
    ours = search.fit(train, train_labels).score(test, test_labels)
    baseline = make_pipeline(TfidfVectorizer(), LogisticRegression(C=10))
    theirs = baseline.fit(train, train_labels).score(test, test_labels)
    assert theirs > 0.95, "words alone tell them apart"
    assert ours > theirs - 0.02


# ---- what is wrong with input --------------------------------------------------------------------


def test_documents_without_a_known_word_are_zeros_with_one_warning():
    transformer = Word2VecTransformer(vectors=VECTORS).fit(["a"])
    with pytest.warns(UserWarning, match=r"2 of 3 documents have no known word \(the first is document 1\)") as warned:
        found = transformer.transform(["a", "x", ""])
    assert len(warned) == 1
    assert warned[0].filename == __file__
    assert not found[1:].any()
    with pytest.raises(BadOption, match="1 of 1 documents have no known word"):
        Word2VecTransformer(vectors=VECTORS, empty="error").fit(["a"]).transform(["x"])


@pytest.mark.parametrize(
    ("documents", "error", "says"),
    [
        ("a b", BadOption, "must be a list, got one str"),
        (b"a b", BadOption, "must be a list, got one bytes"),
        ({"a": 1}, BadOption, "must be a list, got one dict"),
        (7, BadOption, "must be a list, got one int"),
        ([], BadOption, "at least one, got none"),
        (np.array([["a"], ["b"]]), BadOption, r"one column, got the shape \(2, 1\)"),
        (np.array("a"), BadOption, "documents must be a list"),
        (["a", float("nan")], BadCorpus, "document 1 is nan, neither a string nor a list"),
        (["a", None], BadCorpus, "document 1 is None"),
        (["a", b"b"], BadCorpus, "document 1 is bytes"),
        (["a", ["b"]], BadCorpus, "document 1 is list, unlike those before it"),
        ([["a"], ["b", 3]], BadCorpus, "tokens must be strings"),
        (["a", "b\ud800"], BadCorpus, "lone surrogate"),
    ],
)
def test_what_are_no_documents_is_refused(documents, error, says):
    transformer = given_vectors().fit(["a"])
    for ask in (given_vectors(weighting="tfidf").fit, transformer.transform):
        with pytest.raises(error, match=says):
            ask(documents)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"vectors": VECTORS, "vector_size": 7, "combine": "sum"}, "combine, vector_size would change nothing"),
        ({"vectors": [[1.0]]}, "vectors must be WordVectors, a Word2Vec or a path, got list"),
        ({"weighting": "idf"}, "weighting must be one of mean, tfidf, sif; got 'idf'"),
        (
            {"vectors": VECTORS, "weighting": "sif", "sif_components": 2},
            "must be below 2, got 2: of n_samples=2 documents",
        ),
        ({"sif_a": 0}, "sif_a must be above 0"),
        ({"norm": "l1"}, "norm must be one of l2"),
        ({"window": 0}, "window must be 1 or more"),
        ({"tokenizer": "bert"}, "tokenizer must be one of"),
    ],
)
def test_options_that_cannot_be_are_refused_at_fit(options, says):
    transformer = Word2VecTransformer(**options)
    with pytest.raises(BadOption, match=says):
        transformer.fit(["a b", "b a"])


def test_without_scikit_learn_its_part_says_how_to_install_it():
    code = "import sys; sys.modules['sklearn'] = None; import firth.sklearn"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("firth.errors.MissingExtra: firth.sklearn needs the package scikit-learn")
    assert last.endswith("run: pip install 'firth[sklearn]'")
