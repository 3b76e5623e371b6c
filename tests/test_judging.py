"""Models side by side: differences and their paired intervals, stability, reports; and gensim's scores."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from firth import Word2Vec, WordVectors, evaluate_analogies, evaluate_similarity, judge, stability, weat
from firth.errors import BadOption, counted
from firth.evaluate.given import is_model, models_and_sets, names
from firth.evaluate.report import SCHEMA
from firth.transforms import align, retrofitted, transformed
from firth.visualise import draw_map, draw_page, plot

V, D = 400, 12


@pytest.fixture(scope="module")
def models():
    """Vectors, and noisier ones of the same words."""
    generator = np.random.default_rng(0)
    matrix = generator.standard_normal((V, D))
    words = [f"w{row}" for row in range(V)]
    noisy = matrix + 0.7 * generator.standard_normal((V, D))
    return {
        "good": WordVectors(words, matrix.astype(np.float32)),
        "noisy": WordVectors(words, noisy.astype(np.float32)),
    }


@pytest.fixture(scope="module")
def sets(models, tmp_path_factory):
    """Pairs scored by the good vectors' cosines and some noise; analogies that hold for these; classes; outliers."""
    folder = tmp_path_factory.mktemp("sets")
    generator = np.random.default_rng(1)
    vectors = models["good"]
    pairs = [(f"w{a}", f"w{b}") for a, b in generator.integers(0, V, (300, 2))]
    scores = [vectors.similarity(a, b) + 0.2 * generator.standard_normal() for a, b in pairs]
    lines = [f"{a}\t{b}\t{score:.4f}" for (a, b), score in zip(pairs, scores, strict=True)]
    (folder / "pairs.tsv").write_text("\n".join([*lines, "w1\tnobody\t0.5"]))
    asked = [generator.choice(V, 3, replace=False).tolist() for _ in range(200)]
    answered = [(*each, int(vectors.analogy(*(f"w{row}" for row in each), topn=1)[0][0][1:])) for each in asked]
    text = [" ".join(f"w{row}" for row in each) for each in answered]
    (folder / "analogies.txt").write_text("\n".join([": one", *text[:80], ": two", *text[80:], "a b c d"]))
    (folder / "classes.txt").write_text("".join(f"w{row}\tclass{row % 3}\n" for row in range(60)))
    (folder / "weat.txt").write_text("x: w1 w2 w3\ny: w4 w5 w6\na: w7\nb: w8\n")
    return folder


@pytest.fixture(scope="module")
def report(models, sets):
    return judge(models, sets, neighbours=5, resamples=300)


@pytest.fixture(scope="module")
def model():
    return Word2Vec(vector_size=16, min_count=1, sample=0, epochs=1).fit([["a", "b", "c"]] * 9, progress=False)


@pytest.mark.parametrize(
    "asked",
    [
        lambda model, pairs: judge(model, pairs),
        lambda model, pairs: judge({"a": model}, pairs),
        lambda model, pairs: evaluate_similarity(model, pairs),
        lambda model, _: stability({"a": model, "b": model}),
        lambda model, _: weat(model, ["a", "b"], ["b", "c"], ["a"], ["c"]),
        lambda model, _: transformed(model, centre=True),
        lambda model, _: retrofitted(model, {"a": ["b"]}),
        lambda model, _: align(model, model.vectors),
        lambda model, _: align(model.vectors, model),
        lambda model, _: draw_map(model, ["a", "b"]),
        lambda model, _: draw_page(model, ["a", "b"]),
        lambda model, _: plot(model, most=3),
    ],
)
def test_a_model_in_the_place_of_its_vectors_is_told(model, sets, asked):
    with pytest.raises(BadOption, match=r"vectors must be WordVectors, got Word2Vec; give its \.vectors"):
        asked(model, sets / "pairs.tsv")


def test_sets_come_in_any_list_but_an_empty_one(models, sets):
    report = judge(models["good"], (sets / name for name in ("pairs.tsv", "classes.txt")), resamples=0)
    assert [row[0].name for row in report.results] == ["pairs", "classes"]
    with pytest.raises(BadOption, match="there must be a set to judge by, got none; give the file of one"):
        judge(models["good"], [])
    assert judge(models, [], neighbours=3, resamples=0).stability is not None


def test_what_has_no_vectors_is_told(model, sets):
    with pytest.raises(BadOption, match=r"vectors must be WordVectors, got str; see WordVectors\.load"):
        judge("model.safetensors", sets)
    with pytest.raises(BadOption, match="models must be a mapping of names to vectors, got list; give each a name"):
        stability([model.vectors, model.vectors])


# ---- differences ----------------------------------------------------------------------------------


def test_what_is_better_is_told(report):
    found = {(each.set, each.section, each.measure): each for each in report.differences}
    assert set(found) == {
        ("analogies", ("one",), "accuracy"),
        ("analogies", ("two",), "accuracy"),
        ("analogies", (), "accuracy"),
        ("classes", (), "purity"),
        ("pairs", (), "spearman"),
        ("pairs", (), "pearson"),
    }
    for key in (("analogies", (), "accuracy"), ("pairs", (), "spearman")):
        assert found[key].better == "good"
        assert found[key].difference.high < 0
        assert ", worse" in str(found[key])
        first, second = found[key].values
        assert found[key].difference.value == pytest.approx(second - first)
    assert found["analogies", (), "accuracy"].shared == 200
    assert report.result("analogies", "noisy").accuracy < report.result("analogies").accuracy == 1


def test_a_model_is_no_better_than_itself(models, sets):
    report = judge({"a": models["good"], "b": models["good"]}, sets, resamples=100)
    for each in report.differences:
        assert (each.difference.value, each.difference.low, each.difference.high, each.better) == (0, 0, 0, None)


def test_models_are_compared_on_what_both_know(models, sets):
    few = models["good"].selected([f"w{row}" for row in range(0, V, 2)])
    report = judge({"all": models["good"], "half": few}, sets, resamples=50)
    pairs = next(each for each in report.differences if each.measure == "spearman")
    assert pairs.shared == report.result("pairs", "half").known < report.result("pairs").known
    assert pairs.difference.value == pytest.approx(0)
    purity = next(each for each in report.differences if each.measure == "purity")
    assert (purity.shared, purity.difference.value) == (30, 0)
    alike = judge({"all": models["good"], "half": few}, sets, resamples=50, common=True)
    for name in ("pairs", "analogies", "classes"):
        first, second = (alike.result(name, model) for model in ("all", "half"))
        assert first.known == second.known
        assert [each.value for each in first.measures] == pytest.approx([each.value for each in second.measures])


def test_models_without_a_word_in_common_cannot_be_compared(models, sets):
    other = WordVectors(["x", "y"], np.eye(2, dtype=np.float32))
    with pytest.raises(BadOption, match="the models a, b have no word in common"):
        judge({"a": models["good"], "b": other}, sets)


def test_a_set_of_which_nothing_is_shared_says_so(models, tmp_path):
    (tmp_path / "pairs.tsv").write_text("".join(f"w{row}\tw{row + 1}\t{row}\n" for row in range(9)))
    (tmp_path / "classes.tsv").write_text("".join(f"w{row}\tc{row % 2}\n" for row in range(10)))
    halves = [f"w{row}" for row in range(5)], [f"w{row}" for row in range(5, 10)]
    parts = {name: models["good"].selected([*half, "w11"]) for name, half in zip("ab", halves, strict=True)}
    report = judge(parts, tmp_path)
    pairs, _, purity = sorted(report.differences, key=lambda each: each.measure, reverse=True)[:3]
    assert pairs.difference.value is None
    assert pairs.better is None
    assert pairs.difference.reason == "no pairs are known to both models: there is nothing to compare them on"
    purity = next(each for each in report.differences if each.measure == "purity")
    assert purity.difference.reason == "no words are known to both models: there is nothing to compare them on"
    assert "pairs, b against a: no pairs are known to both models" in report.to_markdown()
    assert json.loads(report.to_json())["sets"][1]["differences"][0]["difference"] is None


def test_of_wrong_answers_alone_there_is_no_score_and_what_was_known_once_is_lost(models, tmp_path):
    right = models["good"].analogy("w0", "w1", "w2", topn=1)[0][0]
    (tmp_path / "lost.txt").write_text(f": one\nw0 w1 w2 {right}\n: two\nx0 x1 x2 x3\n")
    (tmp_path / "never.txt").write_text("x0 x1 x2 x3\nx0 x1 x4 x5\n")
    (tmp_path / "odd.txt").write_text("x0 x1 *w9\nx2 x3 *w9\n")
    named = {"before": models["good"], "after": models["good"].selected(["w8", "w9"])}
    report = judge(named, tmp_path, unknown="wrong")
    assert [report.result(name).measures[0].value is None for name in ("lost", "never", "odd")] == [False, True, True]
    assert report.result("lost", "after").accuracy is None
    assert "of 2 questions, none" in report.result("never").measure("accuracy").reason
    assert "of 2 tests, in none" in report.result("odd").measure("accuracy").reason
    known = {(each.set, each.section): each.difference.value for each in report.differences}
    assert (report.result("lost").accuracy, known[("lost", ())]) == (0.5, -0.5)
    assert known[("lost", ("two",))] is known[("never", ())] is known[("odd", ())] is None


def test_notes_say_once_what_holds_for_many(models, tmp_path):
    google = "".join(f": relation {row}\nx{row} x1 x2 x3\n" for row in range(9))
    (tmp_path / "google.txt").write_text(f": known\nw0 w1 w2 w3\n{google}")
    for name in "abcdef":
        (tmp_path / f"{name}.tsv").write_text("x0\tx1\t1\nx1\tx2\t2\n")
        (tmp_path / f"{name}.pdf").write_text("no set")
    notes = list(judge(models, tmp_path).notes())
    assert notes[:-2] == [
        "a, b, c, d and 2 more: of 2 pairs, none has vectors for both words; check how words are cased.",
        "google: nothing is known in 9 sections: relation 0, relation 1, relation 2, relation 3 and 5 more.",
    ]
    assert notes[-2] == "Not sets: a.pdf, b.pdf, c.pdf, d.pdf and 2 more."


def test_one_of_something_is_said_as_one(models, tmp_path):
    (tmp_path / "one.txt").write_text("w0 w1 w2 w3\n")
    (tmp_path / "pair.tsv").write_text("x0\tx1\t1\n")
    report = judge(models["good"], tmp_path)
    assert str(report.result("one")).endswith("; 1 of 1 question known")
    assert [row[2] for row in next(report.tables()).rows] == ["1 question", "1 pair", "1 pair"]
    assert next(report.notes()) == "pair: of 1 pair, none has vectors for both words; check how words are cased."
    assert (counted(1, "word"), counted(0, "word"), counted(2000, "word")) == ("1 word", "0 words", "2,000 words")


# ---- stability ------------------------------------------------------------------------------------


def test_stability_is_the_overlap_of_neighbours(models, report):
    result = stability(models, 5, resamples=300)
    assert result == report.stability
    one, other = (
        [{word for word, _ in vectors.most_similar(name, topn=5)} for name in vectors.words]
        for vectors in models.values()
    )
    assert result.overlap.value == pytest.approx(np.mean([len(a & b) / 5 for a, b in zip(one, other, strict=True)]))
    assert result.overlap.low < result.overlap.value < result.overlap.high
    assert result.pairs == (("good", "noisy", pytest.approx(result.overlap.value)),)
    assert (result.words, result.topn) == (V, 5)
    assert "of 5 neighbours, 2 models have" in str(result)


def test_models_are_stable_on_the_words_that_all_have(models):
    good = models["good"]
    cut = good.selected([f"w{row}" for row in range(V - 1, 99, -1)])
    result = stability({"a": good, "b": cut, "c": good}, 10, most=50)
    assert (result.overlap.value, result.words, len(result.pairs)) == (1, 50, 3)


def test_stability_needs_two_models_and_enough_words(models):
    with pytest.raises(BadOption, match="stability is that of two models or more, got 1"):
        stability({"good": models["good"]})
    with pytest.raises(BadOption, match="the models have 3 words in common, which are no 3 neighbours"):
        stability({name: each.pruned(most=3) for name, each in models.items()}, 3)


# ---- reports --------------------------------------------------------------------------------------


def test_the_json_has_the_names_that_the_documentation_tells(report):
    facts = json.loads(report.to_json())
    assert facts["schema"] == SCHEMA
    assert list(facts) == ["schema", "firth", "models", "options", "sets", "stability", "skipped"]
    assert facts["models"] == [{"name": name, "words": V, "vector_size": D} for name in ("good", "noisy")]
    by_name = {each["name"]: each for each in facts["sets"]}
    pairs = by_name["pairs"]["results"][0]
    assert list(by_name["pairs"]) == ["name", "kind", "results", "differences"]
    assert list(pairs) == [
        "model",
        "name",
        "kind",
        "unit",
        "items",
        "known",
        "out_of_vocabulary",
        "measures",
        "remarks",
        "sections",
    ]
    assert (pairs["items"], pairs["known"]) == (301, 300)
    assert list(pairs["measures"]["spearman"]) == ["value", "low", "high", "reason"]
    assert list(by_name["pairs"]["differences"][0]) == [
        "section",
        "measure",
        "first",
        "second",
        "shared",
        "values",
        "difference",
        "low",
        "high",
        "better",
        "reason",
    ]
    assert [each["name"] for each in by_name["analogies"]["results"][1]["sections"]] == ["one", "two"]
    assert list(facts["stability"]) == ["models", "words", "topn", "overlap", "pairs"]
    assert facts["options"]["resamples"] == 300


def test_the_markdown_says_coverage_scores_and_differences(report):
    page = report.to_markdown()
    for line in (
        "| good | 400 | 12 |",
        "| pairs | Spearman | 301 pairs | 99.7 % | 0.",
        "## analogies (analogies)",
        "| one | accuracy | 80 questions | 100.0 % | 100.0 % (100.0 to 100.0) |",
        "| all of analogies | accuracy | 201 questions | 99.5 % | 100.0 %",
        ", worse |",
        "- Stability: of 5 neighbours, 2 models have",
        "- In brackets: 95 % intervals by the bootstrap, 300 resamples, seed 1",
        "p from all 20 permutations",
    ):
        assert line in page, line
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert all(line.count("|") == 9 for line in rows if line.startswith("| pairs"))


def test_a_report_of_one_model_prints_and_is_written(models, sets, tmp_path):
    report = judge(models["good"], [sets / "pairs.tsv", sets / "analogies.txt"], case="exact", resamples=0)
    assert str(report).splitlines()[0].startswith("model: pairs: spearman 0.")
    assert "Other than usual: case exact." in report.to_markdown()
    assert "brackets" not in report.to_markdown()
    report.save(json=tmp_path / "r.json", markdown=tmp_path / "r.md")
    assert json.loads((tmp_path / "r.json").read_text()) == json.loads(report.to_json())
    assert (tmp_path / "r.md").read_text() == report.to_markdown()
    section = report.result("analogies").sections[1]
    assert "| all of two | accuracy | 121 questions |" in section.to_markdown()


def test_a_model_that_knows_no_word_of_a_set_says_so(models, tmp_path):
    (tmp_path / "pairs.tsv").write_text("x\ty\t1\nx\tz\t2\n")
    page = judge(models["good"], tmp_path).to_markdown()
    assert "| pairs | Spearman | 2 pairs | none | none |" in page
    assert "pairs: of 2 pairs, none has vectors for both words" in page


def test_what_is_not_in_a_report_is_told_with_what_is(report):
    with pytest.raises(BadOption, match="no result of 'bad' on 'pairs'; the models are good, noisy, the sets"):
        report.result("pairs", "bad")
    with pytest.raises(BadOption, match="pairs has no measure 'accuracy'; there are spearman, pearson"):
        report.result("pairs").measure("accuracy")


def test_nothing_to_judge_is_told(sets):
    with pytest.raises(BadOption, match="there must be a model to judge, got none"):
        judge({}, sets)


# ---- what the command line is given ---------------------------------------------------------------


def test_models_and_sets_are_told_apart(models, sets, tmp_path):
    for name in ("one.safetensors", "two.txt", "three.glove", "four.bin"):
        models["good"].save(tmp_path / name)
    (tmp_path / "three.glove").rename(tmp_path / "three.txt")
    (tmp_path / "scores.txt").write_text("tiger cat 7.35 1 2 3 4\n")
    found = [is_model(each) for each in sorted(tmp_path.iterdir())]
    assert dict(zip([each.name for each in sorted(tmp_path.iterdir())], found, strict=True)) == {
        "four.bin": True,
        "one.safetensors": True,
        "scores.txt": False,
        "three.txt": True,
        "two.txt": True,
    }
    named, others = models_and_sets(tmp_path / "one.safetensors", [sets, tmp_path / "two.txt", tmp_path / "scores.txt"])
    assert (list(named), others) == (["one", "two"], [sets, tmp_path / "scores.txt"])


def test_models_of_one_name_are_called_by_their_folders():
    assert names([Path("a/m.bin"), Path("b/m.bin")]) == [str(Path("a/m")), str(Path("b/m"))]
    assert names([Path("m.bin"), Path("m.bin")]) == ["m.bin (1)", "m.bin (2)"]


# ---- gensim ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def both():
    """The same vectors in firth and in gensim, with words that the published sets ask for, in odd cases."""
    if not os.environ.get("FIRTH_CORPORA"):
        pytest.skip("FIRTH_CORPORA is not set: a folder whose subfolder eval holds the published sets")
    keyed_vectors = pytest.importorskip("gensim.models.keyedvectors", reason="gensim is not installed")
    folder = Path(os.environ["FIRTH_CORPORA"]) / "eval"
    lines = (folder / "questions-words.txt").read_text().splitlines()[::4]
    questions = [line for line in lines if not line.startswith(":")]
    asked = [word for line in questions for word in line.split()]
    paired = [word for line in (folder / "men.tsv").read_text().splitlines()[::2] for word in line.split("\t")[:2]]
    asked += [*paired, *(word.lower() for word in asked[::3]), *(word.upper() for word in asked[::5])]
    words = list(dict.fromkeys([*asked[1::2], *asked[::7]]))  # not all of them
    generator = np.random.default_rng(0)
    row = {word: place for place, word in enumerate(words)}
    matrix = generator.standard_normal((len(words), 12), dtype=np.float32)
    for line in questions:  # many analogies hold, some by words in another case
        a, b, c, d = (row.get(word) for word in line.split())
        if None not in (a, b, c, d):
            matrix[d] = matrix[b] - matrix[a] + matrix[c] + 0.5 * generator.standard_normal(12)
    theirs = keyed_vectors.KeyedVectors(12)
    theirs.add_vectors(words, matrix)
    return WordVectors(words, matrix), theirs, folder


@pytest.mark.parametrize("fold", [True, False])
@pytest.mark.parametrize("restrict", [None, 900])
@pytest.mark.parametrize("dummy", [True, False])
@pytest.mark.parametrize("name", ["men.tsv", "ws353.tsv", "simlex999.tsv"])
def test_correlations_are_gensim_s(both, name, fold, restrict, dummy):
    ours, theirs, folder = both
    result = evaluate_similarity(
        ours,
        folder / name,
        case="fold" if fold else "exact",
        restrict=restrict,
        unknown="wrong" if dummy else "skip",
        resamples=0,
    )
    pearson, spearman, unknown = theirs.evaluate_word_pairs(
        folder / name, case_insensitive=fold, restrict_vocab=restrict or len(ours), dummy4unknown=dummy
    )
    assert result.pearson == pytest.approx(pearson.statistic, abs=1e-5)
    assert result.spearman == pytest.approx(spearman.statistic, abs=1e-4)
    assert 100 * result.out_of_vocabulary == pytest.approx(unknown)


@pytest.mark.parametrize("fold", [True, False])
@pytest.mark.parametrize("restrict", [None, 900])
@pytest.mark.parametrize("dummy", [True, False])
def test_analogies_are_gensim_s_in_every_section(both, tmp_path, fold, restrict, dummy):
    ours, theirs, folder = both
    lines = (folder / "questions-words.txt").read_text().splitlines()
    some = [line for place, line in enumerate(lines) if line.startswith(":") or place % 8 == 0]
    (tmp_path / "questions.txt").write_text("\n".join(some))
    result = evaluate_analogies(
        ours,
        tmp_path / "questions.txt",
        case="fold" if fold else "exact",
        restrict=restrict,
        unknown="wrong" if dummy else "skip",
        resamples=0,
    )
    total, sections = theirs.evaluate_word_analogies(
        tmp_path / "questions.txt", case_insensitive=fold, restrict_vocab=restrict or len(ours), dummy4unknown=dummy
    )
    *sections, everything = sections
    assert result.accuracy == pytest.approx(total, abs=1e-9)
    assert 0.05 < total < 0.95
    for mine, other in zip([*result.sections, result], [*sections, everything], strict=True):
        assert mine.correct == len(other["correct"]), mine.name
        assert (mine.items if dummy else mine.known) == len(other["correct"]) + len(other["incorrect"])
