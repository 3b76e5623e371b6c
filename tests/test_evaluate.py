"""Scores against people's judgements and analogies."""

import json
import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firth.errors import BadFile, BadOption, MissingFile
from firth.evaluate import evaluate_analogies, evaluate_folder, evaluate_similarity
from firth.vectors import WordVectors

SAME_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
# On a half circle: the angles say how similar two words are.
ANGLES = {"a": 0, "b": 10, "c": 30, "d": 60, "e": 100, "Paris": 170}


@pytest.fixture
def vectors():
    turns = np.radians(list(ANGLES.values()))
    return WordVectors(list(ANGLES), np.stack([np.cos(turns), np.sin(turns)], axis=1).astype(np.float32))


@pytest.fixture
def royal():
    """Words whose offsets solve analogies exactly."""
    words = ["man", "woman", "king", "queen", "boy", "girl", "zero"]
    matrix = [
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [1, 0, 1, 0],
        [0, 1, 1, 0],
        [1, 0, 0, 1],
        [0, 1, 0, 1],
        [0, 0, 0, 0],
    ]
    return WordVectors(words, np.array(matrix, np.float32))


def file_of(tmp_path, text, name="set.tsv"):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / name


# ---- similarity -----------------------------------------------------------------------------------


def test_agreement_is_measured_on_known_pairs(tmp_path, vectors):
    result = evaluate_similarity(vectors, file_of(tmp_path, "a\tb\t9\na\tc\t8\na\td\t2\na\te\t3\na\tnone\t5\n"))
    assert (result.name, result.pairs, result.known, result.out_of_vocabulary) == ("set", 5, 4, 0.2)
    # Ranks 4 3 2 1 against 4 3 1 2: 1 - 6 * 2 / (4 * 15).
    assert result.spearman == pytest.approx(0.8)
    cosines = np.cos(np.radians([10, 30, 60, 100]))
    assert result.pearson == pytest.approx(np.corrcoef(cosines, [9, 8, 2, 3])[0, 1], abs=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        "a\tb\t9\na\tc\t1\n",
        "a,b,9\na,c,1\n",
        "a;b;9\na;c;1\n",
        "a b 9\na  c  1\n",
        "word1\tword2\tscore\na\tb\t9\na\tc\t1\n",
        "\ufeff# made by hand\n\na\tb\t9\r\n# so\na\tc\t1",
        "a\tb\tN\t9\t0.1\na\tc\tV\t1\t0.2\n",
        "a\tb\t9,5\na\tc\t1,5\n",
        "A\tB\t9\nA\tC\t1\n",
    ],
)
def test_the_usual_formats_are_read(tmp_path, vectors, text):
    result = evaluate_similarity(vectors, file_of(tmp_path, text))
    assert (result.pairs, result.known) == (2, 2)
    assert result.spearman == pytest.approx(1)


def test_words_are_tried_as_written_then_lower_cased(tmp_path, vectors):
    result = evaluate_similarity(vectors, file_of(tmp_path, "Paris\tA\t1\nparis\ta\t1\n"))
    assert result.known == 1


@pytest.mark.parametrize("text", ["", "x\ty\t1\n", "x\ty\t1\na\tb\t2\n", "a\tb\t1\na\tc\t1\n"])
def test_a_set_that_tells_nothing_has_no_score(tmp_path, vectors, text):
    result = evaluate_similarity(vectors, file_of(tmp_path, text))
    assert result.spearman is None
    assert result.pearson is None
    assert json.loads(json.dumps(result.as_dict()))["spearman"] is None


@pytest.mark.parametrize(
    "text", ["a\tb\t1\na\tb\n", "a\tb\t1\na\tb\tx\n", "a\tb\n", "h\th\th\nh\th\th\n", "a\tb\t1\na\tb\tnan\n"]
)
def test_a_malformed_pair_is_told_with_its_line(tmp_path, vectors, text):
    line = 1 if text == "a\tb\n" else 2
    with pytest.raises(BadFile, match=rf"line {line}: must be two words and a score"):
        evaluate_similarity(vectors, file_of(tmp_path, text))


# ---- analogies ------------------------------------------------------------------------------------


def test_analogies_are_counted_by_section_and_in_total(tmp_path, royal):
    royals = ": royal\nman king woman queen\nMan King Woman Queen\nman king woman girl\n"
    text = royals + ": young\nman boy woman girl\nx y z w\n"
    result = evaluate_analogies(royal, file_of(tmp_path, text))
    assert [(each.name, each.questions, each.known, each.correct) for each in result.sections] == [
        ("royal", 3, 3, 2),
        ("young", 2, 1, 1),
    ]
    assert (result.total.name, result.total.questions, result.total.known) == ("set", 5, 4)
    assert result.total.accuracy == 0.75
    assert result.total.out_of_vocabulary == pytest.approx(0.2)
    assert json.loads(json.dumps(result.as_dict()))["sections"][0]["accuracy"] == pytest.approx(2 / 3)


def test_a_set_may_have_no_sections(tmp_path, royal):
    result = evaluate_analogies(royal, file_of(tmp_path, "man king woman queen\nman king woman girl\n"))
    assert result.sections == ()
    assert result.total.accuracy == 0.5


def test_words_of_the_question_are_no_answers(tmp_path, royal):
    # king - man + man is king itself, which is asked for.
    result = evaluate_analogies(royal, file_of(tmp_path, "man king man king\n"))
    assert (result.total.known, result.total.correct) == (1, 0)


def test_a_zero_vector_is_no_trouble(tmp_path, royal):
    result = evaluate_analogies(royal, file_of(tmp_path, "zero man zero king\n"))
    assert result.total.known == 1


def test_only_the_most_frequent_words_may_count(tmp_path, royal):
    path = file_of(tmp_path, "man king woman queen\nman boy woman girl\n")
    assert evaluate_analogies(royal, path, restrict=4).total.known == 1
    assert evaluate_analogies(royal, path, restrict=3).total.accuracy is None
    assert evaluate_analogies(royal, path, restrict=99).total.known == 2
    with pytest.raises(BadOption, match="restrict must be 1 or more, got 0"):
        evaluate_analogies(royal, path, restrict=0)


@pytest.mark.parametrize("text", ["", ": empty\n", ": unknown\na b c d\n"])
def test_an_analogy_set_that_tells_nothing_has_no_score(tmp_path, royal, text):
    result = evaluate_analogies(royal, file_of(tmp_path, text))
    assert result.total.accuracy is None
    assert all(each.accuracy is None for each in result.sections)


def test_analogies_are_those_of_a_plain_reckoning(tmp_path):
    words = [f"w{row}" for row in range(300)]
    generator = np.random.default_rng(0)
    # Two dimensions crowd the words, so that some questions are answered right by chance.
    vectors = WordVectors(words, generator.standard_normal((300, 2), dtype=np.float32))
    units = vectors.matrix / np.linalg.norm(vectors.matrix, axis=1, keepdims=True)
    rows = generator.integers(0, 300, (3000, 4))
    scores = (units[rows[:, 1]] - units[rows[:, 0]] + units[rows[:, 2]]) @ units.T
    np.put_along_axis(scores, rows[:, :3], -9, axis=1)
    correct = int((scores.argmax(axis=1) == rows[:, 3]).sum())
    path = file_of(tmp_path, "\n".join(" ".join(words[row] for row in question) for question in rows))
    result = evaluate_analogies(vectors, path)
    assert (result.total.known, result.total.correct) == (3000, correct)
    assert correct > 0


@pytest.mark.parametrize("text", [": s\nman king woman\n", "a b c d\n\na b c d e\n"])
def test_a_malformed_question_is_told_with_its_line(tmp_path, royal, text):
    with pytest.raises(BadFile, match=rf"line {text.count(chr(10))}: must be four words or `: section`"):
        evaluate_analogies(royal, file_of(tmp_path, text))


# ---- folders and files ----------------------------------------------------------------------------


def test_a_folder_is_sorted_by_what_its_files_are(tmp_path, royal):
    file_of(tmp_path, "man\tking\t3\nman\tgirl\t1\n", "pairs.tsv")
    file_of(tmp_path, "word 1,word 2,score\nman,king,3\n", "pairs.csv")
    file_of(tmp_path, ": s\nman king woman queen\n", "google.txt")
    file_of(tmp_path, "man king woman queen\n", "msr.txt")
    file_of(tmp_path, "Where these sets are from, and under which licence.\n", "README")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff\xfe")
    (tmp_path / "folder").mkdir()
    result = evaluate_folder(royal, tmp_path)
    assert [each.name for each in result.similarities] == ["pairs", "pairs"]
    assert [each.name for each in result.analogies] == ["google", "msr"]
    assert result.skipped == ("README", "picture.png")
    assert set(json.loads(json.dumps(result.as_dict()))) == {"similarities", "analogies", "skipped"}


def test_a_missing_folder_is_told(tmp_path, royal):
    with pytest.raises(MissingFile, match="no folder of evaluation sets"):
        evaluate_folder(royal, tmp_path / "none")


@pytest.mark.parametrize("evaluate", [evaluate_similarity, evaluate_analogies])
def test_a_missing_file_and_one_not_in_utf8_are_told(tmp_path, royal, evaluate):
    with pytest.raises(MissingFile, match="check the path"):
        evaluate(royal, tmp_path / "none")
    (tmp_path / "latin").write_bytes(b"# sch\xf6n\n")
    with pytest.raises(BadFile, match="line 1: not UTF-8"):
        evaluate(royal, tmp_path / "latin")


@given(st.binary(max_size=60) | st.text("ab:#;, \t\n1.", max_size=60).map(str.encode))
@SAME_FOLDER
def test_garbage_gives_no_other_error(tmp_path, vectors, data):
    (tmp_path / "set").write_bytes(data)
    for evaluate, path in (
        (evaluate_similarity, tmp_path / "set"),
        (evaluate_analogies, tmp_path / "set"),
        (evaluate_folder, tmp_path),
    ):
        with suppress(BadFile):
            evaluate(vectors, path)


# ---- the field's own sets -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sets():
    if not os.environ.get("FIRTH_CORPORA"):
        pytest.skip("FIRTH_CORPORA is not set: a folder whose subfolder eval holds the published sets")
    return Path(os.environ["FIRTH_CORPORA"]) / "eval"


def words_of(sets):
    lines = (sets / "questions-words.txt").read_text().splitlines()
    asked = [word for line in lines if not line.startswith(":") for word in line.lower().split()]
    paired = [word for line in (sets / "men.tsv").read_text().splitlines() for word in line.split("\t")[:2]]
    return list(dict.fromkeys(asked + paired))


def test_published_sets_are_read_whole(sets):
    words = words_of(sets)
    vectors = WordVectors(words, np.random.default_rng(0).standard_normal((len(words), 8), dtype=np.float32))
    result = evaluate_folder(vectors, sets)
    sizes = {each.name: each.pairs for each in result.similarities}
    assert sizes | {"ws353": 353, "men": 3000, "simlex999": 999, "rw": 2034, "simverb3500": 3500, "rg65": 65} == sizes
    questions = {each.name: (each.total.questions, len(each.sections)) for each in result.analogies}
    assert questions == {"msr": (8000, 0), "questions-words": (19544, 14)}
    google = next(each.total for each in result.analogies if each.name == "questions-words")
    assert google.known == google.questions
