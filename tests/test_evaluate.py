"""Scores against people's judgements and analogies."""

import json
import os
import re
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firth.errors import BadFile, BadOption, MissingFile
from firth.evaluate import (
    evaluate_analogies,
    evaluate_categories,
    evaluate_outliers,
    evaluate_similarity,
    judge,
)
from firth.evaluate.analogy_search import NO_ANSWER, answers
from firth.evaluate.known import KnownWords
from firth.evaluate.sets import kind_of
from firth.options import EvaluationOptions
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
        "a\tb\t9\na\tc\t1\na\td\t0\n",
        "a,b,9\na,c,1\na,d,0\n",
        "a;b;9\na;c;1\na;d;0\n",
        "a b 9\na  c  1\na d 0",
        "word1\tword2\tscore\na\tb\t9\na\tc\t1\na\td\t0\n",
        "\ufeff# made by hand\n\na\tb\t9\r\n# so\na\tc\t1\na\td\t0",
        "a\tb\tN\t9\t0.1\na\tc\tV\t1\t0.2\na\td\tV\t0\t0.2\n",
        "a\tb\t9,5\na\tc\t1,5\na\td\t0,5\n",
        "a\tb\t9\ra\tc\t1\ra\td\t0\r",
        "A\tB\t9\nA\tC\t1\nA\tD\t0\n",
    ],
)
def test_the_usual_formats_are_read(tmp_path, vectors, text):
    result = evaluate_similarity(vectors, file_of(tmp_path, text))
    assert (result.pairs, result.known) == (3, 3)
    assert result.spearman == pytest.approx(1)


def test_words_are_tried_as_written_then_lower_cased(tmp_path, vectors):
    result = evaluate_similarity(vectors, file_of(tmp_path, "Paris\tA\t1\nparis\ta\t1\n"))
    assert result.known == 1


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x\ty\t1\n", "of 1 pair, none has vectors"),
        ("x\ty\t1\na\tb\t2\n", "only 1 of 2 pairs is known; a correlation takes 3"),
        ("a\tb\t1\na\tc\t2\n", "only 2 of 2 pairs are known"),
        ("a\tb\t1\na\tc\t1\na\td\t1\n", "all 3 pairs that count have the same score, 1"),
        ("a\tb\t1\nb\ta\t2\na\tb\t3\n", "all 3 pairs that count have the same cosine, 0.9848"),
    ],
)
def test_a_set_that_tells_nothing_has_no_score_and_says_why(tmp_path, vectors, text, why):
    result = evaluate_similarity(vectors, file_of(tmp_path, text))
    assert result.spearman is None
    assert result.pearson is None
    assert why in result.measure("spearman").reason
    assert why in str(result)
    assert json.loads(result.to_json())["measures"]["spearman"] == {
        "value": None,
        "low": None,
        "high": None,
        "reason": result.measure("spearman").reason,
    }


@pytest.mark.parametrize(
    ("evaluate", "text"), [(evaluate_similarity, "word1\tword2\tscore\n"), (evaluate_categories, "word,class\n")]
)
def test_a_set_of_a_header_alone_is_told(tmp_path, vectors, evaluate, text):
    with pytest.raises(BadFile, match="is an empty set: there is nothing in it but a header"):
        evaluate(vectors, file_of(tmp_path, text))


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n"])
@pytest.mark.parametrize("evaluate", [evaluate_similarity, evaluate_analogies, evaluate_categories, evaluate_outliers])
def test_an_empty_set_is_told(tmp_path, vectors, text, evaluate):
    with pytest.raises(BadFile, match="is an empty set"):
        evaluate(vectors, file_of(tmp_path, text))


def test_zero_vectors_are_told(tmp_path, royal):
    result = evaluate_similarity(royal, file_of(tmp_path, "zero\tman\t1\nking\tman\t5\nking\tqueen\t3\n"))
    assert result.known == 3
    assert result.outcomes["cosines"][0] == 0
    assert result.remarks == ("1 word has a zero vector, whose cosine to anything is taken as 0",)


def test_vectors_of_any_length_have_their_cosines(tmp_path):
    matrix = np.array([[1e-38, 0], [1e-38, 1e-38], [1e18, 1e18], [-1, 1]], np.float32)
    vectors = WordVectors(["a", "b", "c", "d"], matrix)
    result = evaluate_similarity(vectors, file_of(tmp_path, "a b 1\nb c 2\nb d 3\n"))
    assert result.outcomes["cosines"] == pytest.approx([2**-0.5, 1, 0], abs=1e-6)


@pytest.mark.parametrize(
    "text", ["a\tb\t1\na\tb\n", "a\tb\t1\na\tb\tx\n", "a\tb\n", "h\th\th\nh\th\th\n", "a\tb\t1\na\tb\tnan\n"]
)
def test_a_malformed_pair_is_told_with_its_line(tmp_path, vectors, text):
    line = 1 if text == "a\tb\n" else 2
    with pytest.raises(BadFile, match=rf"line {line}: must be two words and a score, got \d fields?: "):
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
    assert json.loads(result.to_json())["sections"][0]["measures"]["accuracy"]["value"] == pytest.approx(2 / 3)


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


@pytest.mark.parametrize("text", [": empty\n", ": unknown\na b c d\n"])
def test_an_analogy_set_that_tells_nothing_has_no_score(tmp_path, royal, text):
    result = evaluate_analogies(royal, file_of(tmp_path, text))
    assert result.total.accuracy is None
    assert all(each.accuracy is None for each in result.sections)
    said = "there is no question in it" if text == ": empty\n" else "of 1 question, none has vectors"
    assert said in result.measure("accuracy").reason


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


def test_case_may_be_exact_or_folded(tmp_path):
    matrix = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 1], [0, 1, 1], [0.1, 1, 1]], np.float32)
    vectors = WordVectors(["Man", "woman", "king", "queen", "QUEEN"], matrix)
    path = file_of(tmp_path, "man king woman queen\nMan king woman queen\nMAN KING WOMAN Queen\n")
    assert evaluate_analogies(vectors, path, case="exact").known == 1
    assert evaluate_analogies(vectors, path, case="lower").known == 1
    folded = evaluate_analogies(vectors, path, case="fold")
    assert (folded.known, folded.correct) == (3, 3)
    # Another spelling of a word of the question is no answer either.
    near = WordVectors(
        ["man", "king", "woman", "queen", "KING"], np.array([*matrix[[0, 2, 1, 3]], [0, 1, 1]], np.float32)
    )
    assert evaluate_analogies(near, file_of(tmp_path, "man king woman queen\n"), case="fold").correct == 1


def test_what_is_unknown_may_count_as_wrong(tmp_path, royal):
    path = file_of(tmp_path, "man king woman queen\nman king woman nobody\n")
    result = evaluate_analogies(royal, path, unknown="wrong")
    assert (result.known, result.accuracy) == (1, 0.5)
    pairs = file_of(tmp_path, "man\tking\t3\nman\tnobody\t1\nman\tgirl\t1\n")
    assert evaluate_similarity(royal, pairs, unknown="wrong").outcomes["cosines"] == pytest.approx([0.5**0.5, 0, 0])
    # A set of which nothing is known is not told by its wrong answers.
    nobody = evaluate_similarity(royal, file_of(tmp_path, "x\ty\t1\ny\tz\t2\nx\tz\t3\n"), unknown="wrong")
    assert (nobody.known, nobody.spearman) == (0, None)
    assert "of 3 pairs, none has vectors for both words" in nobody.measure("spearman").reason


def test_bats_asks_each_line_by_every_other_and_takes_any_answer(tmp_path, royal):
    for folder, name, text in (
        ("1_Made", "I01 [royal - plain].txt", "man\tking/nobody\r\nwoman\tlady/queen/\n"),
        ("2_Up", "E01 [young].txt", "man  nobody/boy\nwoman  girl\nsir  lad\n"),
    ):
        (tmp_path / "bats" / folder).mkdir(parents=True)
        (tmp_path / "bats" / folder / name).write_text(text)
    for result in (evaluate_analogies(royal, tmp_path / "bats"), judge(royal, tmp_path).result("bats")):
        assert (result.questions, result.known, result.accuracy) == (8, 4, 1.0)
        assert [(each.name, each.questions, each.known) for each in result.sections] == [
            ("1_Made", 2, 2),
            ("2_Up", 6, 2),
        ]
        assert [each.name for each in result.sections[0].sections] == ["I01 [royal - plain]"]


def test_a_file_of_bats_is_told_by_its_name(tmp_path, royal):
    # By its lines, words with classes.
    path = file_of(tmp_path, "man\tqueen/king\nwoman\tqueen\nboy\tking\n", "E01 [royal - plain].txt")
    for result in (judge(royal, path).result("E01 [royal - plain]"), evaluate_analogies(royal, path)):
        assert (result.kind, result.questions, result.known, result.sections) == ("analogies", 6, 6, ())


def test_words_of_a_section_may_be_numbers(tmp_path):
    vectors = WordVectors(["1", "one", "2", "two"], np.array([[1, 0], [1, 1], [2, 0], [2, 1]], np.float32))
    report = judge(vectors, file_of(tmp_path, ": numbers\none 1 two 2\n"))
    assert report.result("set").kind == "analogies"


def test_a_folder_of_pairs_that_is_not_called_as_bats_is_read_when_told(tmp_path, royal):
    (tmp_path / "mine").mkdir()
    file_of(tmp_path / "mine", "man king\nwoman queen\n", "royal.txt")
    assert judge(royal, tmp_path / "mine", kind="analogies").result("mine").accuracy == 1
    (tmp_path / "none").mkdir()
    with pytest.raises(MissingFile, match=r"holds no \.txt files"):
        evaluate_analogies(royal, tmp_path / "none")
    file_of(tmp_path / "none", "a b\n", "one.txt")
    with pytest.raises(BadFile, match="holds a single pair"):
        evaluate_analogies(royal, tmp_path / "none")
    file_of(tmp_path / "none", "a b\na b c\n", "one.txt")
    with pytest.raises(BadFile, match="line 2: must be a word and its answers, divided by /, got 3 fields"):
        evaluate_analogies(royal, tmp_path / "none")


@pytest.mark.parametrize("asked", [20, 2000])  # by search, by products
@given(
    st.integers(1, 300),
    st.integers(1, 9),
    st.integers(1, 4),
    st.integers(0, 2**32),
    st.sampled_from(["float32", "int8"]),
)
@settings(deadline=None, max_examples=30)
def test_answers_are_those_of_a_plain_reckoning(asked, V, D, threads, seed, dtype):
    generator = np.random.default_rng(seed)
    vectors = WordVectors([f"w{row}" for row in range(V)], generator.standard_normal((V, D), np.float32)).astype(dtype)
    questions = generator.integers(0, V, (asked, 3))
    units = vectors.matrix / np.linalg.norm(vectors.matrix, axis=1, keepdims=True)
    scores = (units[questions[:, 1]] - units[questions[:, 0]] + units[questions[:, 2]]) @ units.T
    np.put_along_axis(scores, questions, -np.inf, axis=1)
    found = answers(KnownWords(vectors, EvaluationOptions()), questions, threads)
    best = scores.max(axis=1)
    assert ((found == NO_ANSWER) == (best == -np.inf)).all()
    told = found != NO_ANSWER
    # Where two are as good to the last digits, either may be answered.
    assert scores[told, found[told]] == pytest.approx(best[told], abs=1e-5)


# ---- folders and files ----------------------------------------------------------------------------


def test_a_folder_is_sorted_by_what_its_files_are(tmp_path, royal):
    file_of(tmp_path, "man\tking\t3\nman\tgirl\t1\n", "pairs.tsv")
    file_of(tmp_path, "word 1,word 2,score\nman,king,3\n", "pairs.csv")
    file_of(tmp_path, ": s\nman king woman queen\n", "google.txt")
    file_of(tmp_path, "man king woman queen\n", "msr.txt")
    file_of(tmp_path, "man\tadult\nwoman\tadult\nboy\tchild\n", "ages.txt")
    file_of(tmp_path, "man woman *king\n", "odd.txt")
    file_of(tmp_path, "x: man king\ny: woman queen\na: boy\nb: girl\n", "weat.txt")
    file_of(tmp_path, "Where these sets are from, and under which licence.\n", "README")
    file_of(tmp_path, "License: CC\n", "LICENSE")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff\xfe")
    (tmp_path / "folder").mkdir()
    report = judge(royal, tmp_path)
    assert [(each.name, each.kind) for (each,) in report.results] == [
        ("ages", "categories"),
        ("google", "analogies"),
        ("msr", "analogies"),
        ("odd", "outliers"),
        ("pairs", "similarity"),
        ("pairs (2)", "similarity"),
        ("weat", "association"),
    ]
    assert report.skipped == ("LICENSE", "README", "picture.png")


def test_a_missing_or_empty_folder_is_told(tmp_path, royal):
    with pytest.raises(MissingFile, match="no such file"):
        judge(royal, tmp_path / "none")
    with pytest.raises(BadFile, match="holds no evaluation set"):
        judge(royal, tmp_path)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1 2 3 4\n5 6 7 8\n", "analogies"),
        ("1 2 3 4\n", "analogies"),
        (": items\n1 2 3 4\n", "analogies"),
        ("1\t2\t3\t4\n5\t6\t7\t8\n", "similarity"),
        ("1 2 3.5 4\n5 6 7 8\n", "similarity"),
        ("1 2 3\n5 6 7\n", "similarity"),
        ("take remove V 6\nwalk trail V 5\n", "similarity"),
    ],
)
def test_numbers_that_are_words_are_told_from_scores(tmp_path, text, kind):
    assert kind_of(file_of(tmp_path, text)) == kind


def test_a_file_of_no_known_kind_is_told(tmp_path, royal):
    with pytest.raises(BadFile, match="is no set that is known by its lines"):
        judge(royal, file_of(tmp_path, "one line of prose that is no set\n"))
    with pytest.raises(BadFile, match="must be two words and a score"):
        judge(royal, file_of(tmp_path, "one line\n"), kind="similarity")


@pytest.mark.parametrize("evaluate", [evaluate_similarity, evaluate_analogies, evaluate_categories, evaluate_outliers])
def test_a_missing_file_and_one_of_another_encoding_are_told(tmp_path, royal, evaluate):
    with pytest.raises(MissingFile, match="check the path"):
        evaluate(royal, tmp_path / "none")
    (tmp_path / "latin").write_bytes(b"# so\n# sch\xf6n\n")
    with pytest.raises(BadFile, match=r"line 2: not UTF-8.*encoding='latin-1'"):
        evaluate(royal, tmp_path / "latin")
    (tmp_path / "wide").write_bytes("man king".encode("utf-16"))
    with pytest.raises(BadFile, match="encoding='utf-16'"):
        evaluate(royal, tmp_path / "wide")


@pytest.mark.parametrize("encoding", ["utf-8", "utf_8", "U8", "utf-8-sig"])
def test_a_byte_order_mark_is_no_part_of_the_first_word(tmp_path, vectors, encoding):
    path = file_of(tmp_path, "\ufeffa b 1\na c 2\na d 3\n")
    assert evaluate_similarity(vectors, path, encoding=encoding).known == 3


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8", "cp1252"])
def test_sets_are_read_in_their_encoding(tmp_path, encoding):
    vectors = WordVectors(["für", "gegen", "ö"], np.eye(3, dtype=np.float32) + 1)
    (tmp_path / "set").write_bytes("für gegen 1\nö für 2\nö gegen 3\n".encode(encoding))
    assert evaluate_similarity(vectors, tmp_path / "set", encoding=encoding).known == 3


@pytest.mark.parametrize("name", ["utf-9", "rot13", "undefined", "a\0b"])
def test_an_unknown_encoding_is_told(name):
    with pytest.raises(BadOption, match=f"encoding must be one that Python knows, got {re.escape(repr(name))}"):
        EvaluationOptions(encoding=name)


@given(st.binary(max_size=60) | st.text("ab:#;, \t\n1.", max_size=60).map(str.encode))
@SAME_FOLDER
def test_garbage_gives_no_other_error(tmp_path, vectors, data):
    (tmp_path / "set").write_bytes(data)
    for kind in (None, "similarity", "analogies", "categories", "outliers", "association"):
        for path in (tmp_path / "set", tmp_path):
            with suppress(BadFile):
                judge(vectors, path, kind=kind, resamples=10)


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
    report = judge(vectors, sets, resamples=0)
    sizes = {each.name: each.items for (each,) in report.results if each.kind == "similarity"}
    assert sizes | {"ws353": 353, "men": 3000, "simlex999": 999, "rw": 2034, "simverb3500": 3500, "rg65": 65} == sizes
    questions = {each.name: (each.items, len(each.sections)) for (each,) in report.results if each.kind == "analogies"}
    assert questions == {"BATS_3.0": (98_000, 4), "msr": (8000, 0), "questions-words": (19544, 14)}
    google = report.result("questions-words")
    assert google.known == google.items
    assert [len(each.sections) for each in report.result("BATS_3.0").sections] == [10, 10, 10, 10]
    assert report.skipped == ()
