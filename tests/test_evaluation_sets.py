"""Categories, odd ones out and WEAT: small sets with known results, and the papers' formulas by brute force."""

import itertools
import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firth import WordVectors, weat
from firth.errors import BadFile, BadOption, UnknownWord
from firth.evaluate import evaluate_categories, evaluate_outliers, judge
from firth.evaluate.association import MOST_EXACT, SAMPLED, permuted
from firth.evaluate.categories import CategorySet, clusters, in_their_class
from firth.evaluate.outliers import outlier_position
from firth.evaluate.similarity import SimilaritySet

WORDS = ["cat", "dog", "cow", "car", "bus", "train", "red", "blue", "green", "zero"]


@pytest.fixture
def vectors():
    """Three groups of three words, well apart, and a zero vector."""
    generator = np.random.default_rng(1)
    matrix = np.repeat(np.eye(3, 5), 3, axis=0) + 0.1 * generator.standard_normal((9, 5))
    return WordVectors(WORDS, np.concatenate([matrix, np.zeros((1, 5))]).astype(np.float32))


def file_of(tmp_path, text, name="set.txt"):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / name


# ---- categories -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "cat animal\ndog animal\ncow animal\ncar vehicle\nbus vehicle\ntrain vehicle\n",
        "word\tclass\ncat\tanimal\ndog\tanimal\ncow\tanimal\ncar\tvehicle\nbus\tvehicle\ntrain\tvehicle\n",
        "animal,cat\nanimal,dog\nanimal,cow\nvehicle,car\nvehicle,bus\nvehicle,train\n",
        "cat animal life\ndog animal life\ncow animal life\ncar vehicle x\nbus vehicle x\ntrain vehicle y\n",
        # As BLESS has them: a word stands in many lines.
        "cat-n animal attri wild-j\ncat-n animal event run-v\ndog-n animal mero leg-n\ncow-n animal hyper beast-n\n"
        "car-n vehicle coord bus-n\nbus-n vehicle coord car-n\ntrain-n vehicle random-n pea-n\n",
    ],
)
def test_words_and_classes_are_read_in_their_usual_formats(tmp_path, vectors, text):
    result = judge(vectors, file_of(tmp_path, text)).result("set")
    assert (result.kind, result.items, result.known, result.purity) == ("categories", 6, 6, 1)


def test_purity_is_the_share_of_the_most_frequent_classes(tmp_path, vectors):
    # Clusters are animals and vehicles with one colour each at most; red is in the class of neither.
    text = "cat a\ndog a\ncow a\ncar b\nbus b\ntrain a\nred b\nblue b\nnobody b\n"
    result = evaluate_categories(vectors, file_of(tmp_path, text))
    assert (result.items, result.known) == (9, 8)
    units = vectors.matrix[:8] / np.linalg.norm(vectors.matrix[:8], axis=1, keepdims=True)
    found = clusters(units, 2)
    classes = np.array([0, 0, 0, 1, 1, 0, 1, 1])
    expected = sum(max(np.bincount(classes[found == each])) for each in np.unique(found)) / 8
    assert result.purity == pytest.approx(expected)
    assert result.measure("purity").low <= expected <= result.measure("purity").high


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=40))
def test_purity_is_its_formula(pairs):
    cluster, classes = map(np.array, zip(*pairs, strict=True))
    expected = sum(
        max(sum(1 for pair in pairs if pair == (k, j)) for j in range(6)) for k in {pair[0] for pair in pairs}
    )
    assert in_their_class(cluster, classes).sum() == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x a\ny a\nz b\n", "only 0 of 3 words are known; clusters take 3"),
        ("cat a\ndog a\nz b\n", "only 2 of 3 words are known"),
        ("cat a\ndog a\ncow a\nz b\n", "all 3 known words are of one class, a"),
    ],
)
def test_too_few_words_have_no_purity_and_say_why(tmp_path, vectors, text, why):
    result = evaluate_categories(vectors, file_of(tmp_path, text))
    assert result.purity is None
    assert why in result.measure("purity").reason


def test_a_zero_vector_is_clustered_and_told(tmp_path, vectors):
    result = evaluate_categories(vectors, file_of(tmp_path, "cat a\ndog a\nzero b\n"))
    assert result.known == 3
    assert "1 word has a zero vector" in result.remarks[0]


def test_a_word_without_class_is_told_with_its_line(tmp_path):
    with pytest.raises(BadFile, match="line 2: must be a word and its class, got 1 field: 'dog'"):
        CategorySet.read(file_of(tmp_path, "cat a\ndog\n"))


# ---- odd ones out ---------------------------------------------------------------------------------


def test_the_outlier_is_found_and_its_position_told(tmp_path, vectors):
    text = (
        ": animals\ncat dog cow *car\n*red, cat, dog\ncat *dog cow car\n: colours\nred blue *nobody\nnobody cat *bus\n"
    )
    result = evaluate_outliers(vectors, file_of(tmp_path, text))
    assert (result.items, result.known) == (5, 3)
    assert result.accuracy == pytest.approx(2 / 3)
    assert [(each.name, each.known, each.accuracy) for each in result.sections] == [
        ("animals", 3, pytest.approx(2 / 3)),
        ("colours", 0, None),
    ]
    assert 2 / 3 <= result.position < 1
    assert "of 2 tests, in none" in result.sections[1].measure("accuracy").reason


def test_topics_make_a_test_of_each_outlier(tmp_path, vectors):
    folder = tmp_path / "topics"
    folder.mkdir()
    file_of(folder, "cat\ndog\ncow\n\ncar\nred\n", "animals.txt")
    file_of(folder, "red\nblue\ngreen\n\nbus\nnobody\n", "colours.txt")
    result = judge(vectors, folder).result("topics")
    assert (result.kind, result.items, result.known, result.accuracy, result.position) == ("outliers", 4, 3, 1, 1)
    assert [each.name for each in result.sections] == ["animals", "colours"]
    assert evaluate_outliers(vectors, folder / "animals.txt").accuracy == 1


def test_tests_of_one_topic_are_drawn_together(tmp_path, vectors):
    """Four topics of which two are found whole and two not at all: four draws tell little."""
    text = ["cat dog cow *{}", "car bus train *{}", "cat car red *{}", "dog bus blue *{}"]
    many = [line.format(other) for line in text for other in ("green", "green", "blue", "train", "cow") * 4]
    few = evaluate_outliers(vectors, file_of(tmp_path, "\n".join(many)))
    distinct = few.parts
    assert (len(distinct.within), distinct.second) == (4, None)
    measure = few.measure("accuracy")
    each = few.outcomes["accuracy"].reshape(4, -1).mean(axis=1)
    assert (measure.low, measure.high) == pytest.approx((each.min(), each.max()), abs=0.3)
    assert evaluate_outliers(vectors, file_of(tmp_path, "\n".join(many[:20]))).parts is None


@given(st.integers(3, 9), st.integers(0, 2**32))
@settings(deadline=None)
def test_positions_are_those_of_the_paper_s_compactness(count, seed):
    units = np.random.default_rng(seed).standard_normal((count, 3))
    units /= np.linalg.norm(units, axis=1, keepdims=True)

    def compactness(left_out):
        others = [units[place] for place in range(count) if place != left_out]
        pairs = list(itertools.permutations(others, 2))
        return sum(float(a @ b) for a, b in pairs) / len(pairs)

    scores = [compactness(place) for place in range(count)]
    assert outlier_position(units) == sum(each < scores[-1] - 1e-9 for each in scores[:-1])


def test_words_that_are_alike_do_not_make_an_outlier():
    assert outlier_position(np.ones((4, 1))) == 0


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("cat dog *car\ncat dog car\n", "line 2: must be three words or more, one of them marked"),
        ("cat dog *car\n*cat dog *car\n", "line 2: must be three words or more, one of them marked"),
        ("cat *car\n", "line 1: must be three words or more"),
        ("cat\ndog\n\ncar bus\n", "line 4: must be one word, a blank line standing between"),
        ("cat\n\ncar\n", "line 3: must be one word, a blank line standing between"),
    ],
)
def test_a_malformed_test_is_told_with_its_line(tmp_path, vectors, text, rule):
    with pytest.raises(BadFile, match=rule.replace("*", r"\*")):
        evaluate_outliers(vectors, file_of(tmp_path, text))


# ---- WEAT -----------------------------------------------------------------------------------------


def brute_force(x, y, a, b):
    """Effect size and p, by the paper's formulas, one word and one partition at a time."""

    def cosine(u, v):
        return float(u @ v) / math.sqrt(float(u @ u) * float(v @ v))

    def s(w):
        return sum(cosine(w, each) for each in a) / len(a) - sum(cosine(w, each) for each in b) / len(b)

    def statistic(first, second):
        return sum(s(each) for each in first) - sum(s(each) for each in second)

    both = [*x, *y]
    ties = [s(each) for each in both]
    mean = sum(ties) / len(ties)
    deviation = math.sqrt(sum((each - mean) ** 2 for each in ties) / (len(ties) - 1))
    effect = (sum(s(each) for each in x) / len(x) - sum(s(each) for each in y) / len(y)) / deviation
    observed = statistic(x, y)
    partitions = list(itertools.combinations(range(len(both)), len(x)))
    exceed = sum(
        statistic([both[place] for place in some], [both[place] for place in range(len(both)) if place not in some])
        > observed + 1e-9
        for some in partitions
    )
    return effect, exceed / len(partitions), len(partitions)


@given(st.integers(2, 4), st.integers(1, 3), st.integers(1, 3), st.integers(0, 2**32))
@settings(deadline=None, max_examples=40)
def test_weat_is_the_paper_s(targets, first, second, seed):
    generator = np.random.default_rng(seed)
    count = 2 * targets + first + second
    words = [f"w{place}" for place in range(count)]
    vectors = WordVectors(words, generator.standard_normal((count, 5), np.float32))
    x, y, a, b = np.split(np.array(words), np.cumsum([targets, targets, first]))
    result = weat(vectors, list(x), list(y), list(a), list(b))
    effect, p, partitions = brute_force(
        *(vectors.matrix[[words.index(word) for word in some]].astype(float) for some in (x, y, a, b))
    )
    assert (result.exact, result.permutations) == (True, partitions)
    assert result.effect_size == pytest.approx(effect, abs=1e-6)
    assert result.p_value == pytest.approx(p, abs=1e-12)


def test_many_permutations_are_drawn_and_never_give_zero():
    ties = np.concatenate([np.linspace(0.5, 1, 12), np.linspace(-1, -0.5, 12)])
    assert math.comb(24, 12) > MOST_EXACT
    assert permuted(ties, seed=1) == (1 / (1 + SAMPLED), SAMPLED, False)
    mixed = np.random.default_rng(3).standard_normal(24)
    drawn, exact = permuted(mixed, seed=1)[0], permuted(mixed[:20], seed=1)
    assert permuted(mixed, seed=1)[0] == drawn != permuted(mixed, seed=2)[0]
    assert exact[1:] == (184_756, True)


def test_drawn_and_exact_p_agree(monkeypatch):
    ties = np.random.default_rng(5).standard_normal(16)
    exact = permuted(ties, seed=1)[0]
    monkeypatch.setattr("firth.evaluate.association.MOST_EXACT", 0)
    assert permuted(ties, seed=1)[0] == pytest.approx(exact, abs=0.01)


def test_weat_files_hold_tests_of_four_lists(tmp_path, vectors):
    text = "animals: cat dog\nvehicles: car, bus, nobody\nred ones: red\nothers: blue green\n".replace(", nobody", "")
    report = judge(vectors, file_of(tmp_path, text + text))
    result = report.result("set")
    assert [each.name for each in result.sections] == ["animals and vehicles, red ones and others"] * 2
    assert result.sections[0].effect_size == result.sections[1].effect_size
    assert str(result).count("animals and vehicles, red ones and others: effect size ") == 2
    with pytest.raises(BadOption, match="there are those of its sections alone"):
        _ = result.effect_size
    single = judge(vectors, file_of(tmp_path, text)).result("set")
    assert single.p_value in (0, 1 / 6, 1 / 3, 1 / 2, 2 / 3, 5 / 6)
    assert any("p from all 6 permutations" in each for each in single.remarks)
    assert "p from all 6 permutations" in report.to_markdown()


def test_words_without_vectors_are_left_out_and_told(tmp_path, vectors):
    text = "x: cat dog nobody cow\ny: car bus train red\na: blue\nb: green somebody\n"
    result = judge(vectors, file_of(tmp_path, text)).result("set")
    assert (result.items, result.known) == (11, 9)
    assert result.remarks[:2] == (
        "left out, without vectors: nobody, somebody",
        "left out, so that both targets are as many: red",
    )
    assert result.effect_size == weat(vectors, WORDS[:3], WORDS[3:6], ["blue"], ["green"]).effect_size


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "x: cat nobody\ny: car bus\na: blue\nb: green\n",
            r"too few words are known \(1 of x, 1 of y, 1 of a, 1 of b\)",
        ),
        ("x: cat dog\ny: car bus\na: nobody\nb: green\n", r"too few words are known \(2 of x, 2 of y, 0 of a"),
        ("x: cat dog\ny: car bus\na: blue\nb: blue\n", "all words of x and y are tied alike to both attributes"),
    ],
)
def test_lists_that_tell_nothing_have_no_effect_and_say_why(tmp_path, vectors, text, why):
    result = judge(vectors, file_of(tmp_path, text)).result("set")
    assert result.effect_size is None
    assert result.p_value is None
    assert re.search(why, result.measure("p").reason)


def test_targets_of_different_size_and_unknown_words_are_refused(tmp_path, vectors):
    with pytest.raises(BadOption, match="a must be a list of words, got 'red'; give a list, also for one"):
        weat(vectors, ["cat", "dog"], ["car", "bus"], "red", ["blue"])
    with pytest.raises(BadOption, match="both targets must be as many words, got 2 of x and 1 of y"):
        weat(vectors, ["cat", "dog"], ["car"], ["red"], ["blue"])
    with pytest.raises(BadOption, match=r"x and y must be 2 words or more each.*got 1, 1, 1, 0"):
        weat(vectors, ["cat"], ["car"], ["red"], [])
    with pytest.raises(UnknownWord, match="nobody"):
        weat(vectors, ["cat", "nobody"], ["car", "bus"], ["red"], ["blue"])
    ignoring = weat(vectors, ["cat", "dog", "nobody"], ["car", "bus", "train"], ["red"], ["blue"], ignore_missing=True)
    assert ignoring.effect_size is not None
    path = file_of(tmp_path, "x: cat dog\ny: car\na: red\nb: blue\n")
    with pytest.raises(BadFile, match="both targets must be as many words, got 2 of x and 1 of y"):
        judge(vectors, path)
    with pytest.raises(BadFile, match="has 2 lists of words"):
        judge(vectors, file_of(tmp_path, "x: cat\ny: car\n"), kind="association")
    with pytest.raises(BadFile, match="line 2: must be `name: word word"):
        judge(vectors, file_of(tmp_path, "x: cat\ny\n"), kind="association")


# ---- quotes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", ", "])
def test_fields_may_be_quoted_as_in_csv(tmp_path, vectors, delimiter):
    rows = [('"word 1"', '"word 2"', '"score"'), ('"cat"', '"dog"', "3.5"), ('"say ""hi"""', "cow", '"2"')]
    path = file_of(tmp_path, "".join(delimiter.join(row) + "\n" for row in rows), "pairs.csv")
    read = SimilaritySet.read(path)
    assert (read.pairs, read.scores.tolist()) == ((("cat", "dog"), ('say "hi"', "cow")), [3.5, 2.0])
    assert judge(vectors, path).result("pairs").kind == "similarity"
    classes = file_of(tmp_path, f'"cat"{delimiter}"a"\n"dog"{delimiter}"a"\n', "classes.csv")
    assert CategorySet.read(classes).words == ("cat", "dog")


def test_a_quotation_mark_may_be_a_word(tmp_path):
    assert SimilaritySet.read(file_of(tmp_path, '",cat,1\n')).pairs == (('"', "cat"),)
    assert SimilaritySet.read(file_of(tmp_path, '"\tcat\t1\n')).pairs == (('"', "cat"),)
