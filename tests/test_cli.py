"""The command line: what each command prints, its exit statuses, and what it says of bad input."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from firth import Word2Vec, WordVectors, __version__, judge
from firth.formats.model import read_model
from firth.options import CorpusOptions, TrainingOptions
from firth.transforms import read_lexicon, retrofitted
from firth.world import sentences


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    path = tmp_path_factory.mktemp("cli") / "corpus.txt"
    path.write_text("".join(" ".join(each) + "\n" for each in sentences(4_000, 1)))
    return path


@pytest.fixture(scope="module")
def model(corpus):
    path = corpus.with_name("model.safetensors")
    Word2Vec(vector_size=16, epochs=2, workers=1).fit(corpus, cache=False).save(path)
    return path


def test_the_package_runs_as_the_command():
    done = subprocess.run([sys.executable, "-m", "firth", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"firth {__version__}"


def test_train_writes_a_model_and_one_json_object(run, corpus, tmp_path):
    out = tmp_path / "m.safetensors"
    status, printed, complained = run(
        "train", corpus, "-o", out, "--vector-size", 20, "--epochs", 2, "--workers", 2, "--no-cache", "--json"
    )
    assert (status, complained) == (0, "")
    report = json.loads(printed)
    wanted = {"words", "vocabulary", "reading_seconds", "compiling_seconds", "training_seconds", "words_per_second"}
    assert wanted | {"losses", "peak_memory_bytes"} <= set(report)
    assert len(report["losses"]) == 2
    loaded = Word2Vec.load(out)
    assert len(loaded.vectors) == report["vocabulary"]
    assert report["words"] == 2 * loaded.vocabulary.total
    assert loaded.vectors.vector_size == 20


def test_train_takes_every_option_under_its_own_name(run):
    _, shown, _ = run("train", "--help")
    for each in (*fields(TrainingOptions), *fields(CorpusOptions)):
        assert f"--{each.name.replace('_', '-')}"[:17] in shown


def test_estimate_takes_what_train_takes_and_tells_a_table_or_one_json_object(run, corpus):
    options = (corpus, "--vector-size", 20, "--epochs", 2, "--workers", 1, "--no-cache")
    status, printed, complained = run("estimate", *options, "--json")
    assert (status, complained) == (0, "")
    found = json.loads(printed)
    assert found["exact"]
    assert found["peak_bytes"] == max(sum(found["memory"].values()), found["reading_peak_bytes"])
    assert found["total_seconds"] == pytest.approx(sum(found["seconds"].values()))
    status, printed, _ = run("estimate", *options)
    assert status == 0
    assert f"{found['words']:,}" in printed
    assert "memory at most" in printed
    status, _, complained = run("estimate", corpus, "--vector-size", 0)
    assert (status, "vector_size must be 1 or more" in complained) == (2, True)
    status, _, shown = run("estimate", "nothing.txt")
    assert (status, "there is no file nothing.txt" in shown) == (2, True)


def test_train_with_the_same_seed_and_one_worker_writes_the_same_bytes(run, corpus, tmp_path):
    written = []
    for name in ("a", "b"):
        out = tmp_path / f"{name}.safetensors"
        run("train", corpus, "-o", out, "--vector-size", 10, "--epochs", 1, "--workers", 1, "--no-cache")
        written.append(WordVectors.load(out).matrix.tobytes())
    assert written[0] == written[1]


def test_train_reads_standard_input(corpus, tmp_path):
    out = tmp_path / "m.safetensors"
    command = [sys.executable, "-m", "firth.cli", "train", "-", "-o", out, "--epochs", "1", "--json"]
    done = subprocess.run(command, input=corpus.read_bytes(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["vocabulary"] == len(WordVectors.load(out))
    assert done.stderr == b"", "there is no progress bar where there is no terminal"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
def test_an_interrupted_run_keeps_what_is_trained_and_goes_on_with_resume(corpus, tmp_path, run):
    out = tmp_path / "m.safetensors"
    arguments = [
        "train",
        corpus,
        "-o",
        out,
        "--vector-size",
        "100",
        "--workers",
        "1",
        "--no-cache",
        "--epochs",
        "99999",
    ]
    assert run("train", corpus, "-o", out, "--no-cache")[0] == 0  # so that the next need not compile
    program = "import signal as s; s.signal(s.SIGINT, s.default_int_handler); from firth.cli import main; main()"
    process = subprocess.Popen([sys.executable, "-c", program, *map(str, arguments)], stderr=subprocess.PIPE)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(6)
    process.send_signal(signal.SIGINT)
    _, complained = process.communicate(timeout=60)
    assert process.returncode == 130, complained
    stopped = Word2Vec.load(out).state
    assert 0 < stopped.epoch < 99999
    status, _, complained = run("train", corpus, "-o", out, "--resume", "--epochs", 7, "--no-cache")
    assert status == 2
    assert "epochs 7 instead of 99999" in complained


def test_similar_and_analogy_answer_as_the_library_does(run, model):
    vectors = WordVectors.load(model)
    status, printed, _ = run("similar", model, "king", "-n", 3, "--json")
    assert status == 0
    found = [(each["word"], each["similarity"]) for each in json.loads(printed)["neighbours"]]
    assert found == vectors.most_similar("king", topn=3)
    _, printed, _ = run("analogy", model, "man", "king", "woman", "--json")
    assert [each["word"] for each in json.loads(printed)["answers"]] == [
        word for word, _ in vectors.analogy("man", "king", "woman", topn=5)
    ]
    _, printed, _ = run("similar", model, "king", "woman", "--not", "man", "-n", 1)
    assert printed.split()[1] == vectors.most_similar(["king", "woman"], ["man"], topn=1)[0][0]


def test_compare_and_describe_tell_what_the_library_does(run, model):
    vectors = WordVectors.load(model)
    status, printed, _ = run("compare", model, "king", "queen", "--json")
    assert status == 0
    assert json.loads(printed) == pytest.approx(vectors.compare("king", "queen")._asdict())
    _, printed, _ = run("compare", model, "king", "queen")
    assert printed == f"{vectors.compare('king', 'queen')}\n"
    status, printed, _ = run("describe", model, "king", "-n", 2, "--json")
    facts, found = json.loads(printed), vectors.describe("king", 2)
    assert (status, facts["rank"], facts["count"]) == (0, found.rank, found.count)
    assert [each["word"] for each in facts["neighbours"]] == [word for word, _ in found.neighbours]
    _, printed, _ = run("describe", model, "king", "-n", 2)
    assert printed == f"{found}\n"


def test_evaluate_reports_sets_and_what_is_unknown(run, model, tmp_path):
    (tmp_path / "pairs.tsv").write_text("king\tqueen\t9\nking\tsword\t2\nking\tunheardof\t1\nman\twoman\t8\n")
    (tmp_path / "questions.txt").write_text(": family\nman king woman queen\nman woman king unheardof\n")
    status, printed, _ = run("evaluate", model, tmp_path, "--json")
    assert status == 0
    pairs, questions = (each["results"][0] for each in json.loads(printed)["sets"])
    assert pairs["known"] < pairs["items"] == 4
    assert (questions["items"], questions["sections"][0]["name"]) == (2, "family")
    status, printed, _ = run("evaluate", model, tmp_path / "questions.txt", tmp_path / "pairs.tsv")
    assert status == 0
    assert "family" in printed
    assert "Spearman" in printed
    assert "In brackets: 95 % intervals" in printed


def test_evaluate_compares_models_and_writes_reports(run, model, tmp_path):
    other, pairs = tmp_path / "other.bin", tmp_path / "pairs.txt"
    vectors = WordVectors.load(model)
    vectors.pruned(most=30).save(other)
    words = vectors.words
    pairs.write_text("".join(f"{words[n]} {words[n + 1]} {n}\n" for n in range(9)))
    files = ["--json", tmp_path / "r.json", "--markdown", tmp_path / "r.md"]
    status, printed, complained = run("evaluate", model, other, pairs, *files, "--neighbours", 3, "--resamples", 50)
    assert status == 0, complained
    assert printed.endswith(f"wrote {tmp_path / 'r.json'}\nwrote {tmp_path / 'r.md'}\n")
    facts = json.loads((tmp_path / "r.json").read_text())
    assert [each["name"] for each in facts["models"]] == [model.stem, "other"]
    assert (facts["options"]["resamples"], facts["stability"]["topn"]) == (50, 3)
    assert facts["sets"][0]["differences"][0]["difference"] == pytest.approx(0)
    assert "# How good the vectors are" in (tmp_path / "r.md").read_text()
    # --json before the sets takes no set for its file.
    status, printed, _ = run("evaluate", model, "--json", pairs, "--case", "exact", "--restrict", 20)
    assert (status, json.loads(printed)["options"]["case"]) == (0, "exact")
    assert pairs.read_text().count("\n") == 9


def test_evaluate_says_what_it_cannot_do(run, model, tmp_path):
    pairs = tmp_path / "pairs.md"
    pairs.write_text("king queen 9\n")
    for arguments, says in (
        (["evaluate", model], "there is no set to judge by"),
        (["evaluate", model, pairs, "--restrict", 0], "restrict must be 1 or more, got 0; leave it out"),
        (["evaluate", model, pairs, "--threads", 0], "threads must be 1 or more, got 0; leave it out"),
        (["evaluate", model, pairs, "--case", "upper"], "case must be one of lower, exact, fold"),
        (["evaluate", model, pairs, "--markdown", pairs], "is also what is to be read"),
        (["evaluate", model, pairs, "--markdown", tmp_path / "none" / "r.md"], "create the folder first"),
        (["evaluate", model, pairs, "--neighbours", 5], "stability is that of two models or more, got 1"),
        (["evaluate", model, pairs, "--published", "googel"], "no published set is called 'googel'"),
    ):
        status, printed, complained = run(*arguments)
        assert (status, printed) == (2, "")
        assert says in complained
    assert pairs.read_text() == "king queen 9\n"


def test_inspect_tells_words_options_and_losses(run, model):
    status, printed, _ = run("inspect", model, "--json")
    facts = json.loads(printed)
    assert status == 0
    assert facts["format"] == "firth"
    assert facts["options"]["vector_size"] == facts["vector_size"] == 16
    assert len(facts["state"]["losses"]) == 2
    status, printed, _ = run("inspect", model)
    assert status == 0
    assert "most frequent: " in printed


def test_convert_goes_to_word2vec_and_back(run, model, tmp_path):
    for name in ("v.bin", "v.txt", "v.vec.gz", "v.safetensors"):
        status, _, complained = run("convert", model, tmp_path / name)
        assert status == 0, complained
        status, printed, _ = run("inspect", tmp_path / name, "--json")
        assert (status, json.loads(printed)["vector_size"]) == (0, 16)
        np.testing.assert_array_equal(WordVectors.load(tmp_path / name).matrix, WordVectors.load(model).matrix)


def test_convert_combines_both_matrices_on_request(run, model, tmp_path):
    status, printed, _ = run("convert", model, tmp_path / "v.bin", "--combine", "concatenate", "--json")
    assert (status, json.loads(printed)["vector_size"]) == (0, 32)
    weights = Word2Vec.load(model).weights
    both = np.hstack([weights.input, weights.output])
    np.testing.assert_array_equal(WordVectors.load(tmp_path / "v.bin").matrix, both)
    status, _, complained = run("convert", model, tmp_path / "w.bin", "--combine", "mean")
    assert status == 2
    assert "combine must be one of input, output" in complained


def test_convert_takes_limits_types_and_folders(run, model, tmp_path):
    out = tmp_path / "out"
    assert run("convert", model, out, "--target-format", "model2vec", "--dtype", "float16", "--limit", 3)[0] == 0
    status, printed, complained = run("inspect", out, "--json")
    assert status == 0, complained
    facts = json.loads(printed)
    assert (facts["format"], facts["words"]) == ("model2vec", 3)
    half = WordVectors.load(model).matrix[:3].astype(np.float16).astype(np.float32)
    np.testing.assert_array_equal(WordVectors.load(out).matrix, half)
    status, _, complained = run("convert", model, tmp_path / "v.bin", "--dtype", "float16")
    assert status == 2
    assert "holds numbers of float32" in complained


def test_push_writes_what_it_would_send(run, model, tmp_path):
    (tmp_path / "pairs.tsv").write_text(
        "\n".join(f"{a}\t{a}\t{n}" for n, a in enumerate(WordVectors.load(model).words[:4]))
    )
    arguments = ["--evaluate", tmp_path / "pairs.tsv", "--corpus", "made-up text", "--license", "cc0-1.0"]
    status, printed, complained = run("push", model, "someone/vectors", "--folder", tmp_path / "out", *arguments)
    assert status == 0, complained
    assert str(tmp_path / "out") in printed
    card = (tmp_path / "out" / "README.md").read_text()
    for fact in ("# vectors", "Trained on: made-up text", 'license: "cc0-1.0"', "pairs", "| `epochs` |"):
        assert fact in card
    assert Word2Vec.load(tmp_path / "out" / "model.safetensors").options == Word2Vec.load(model).options


def test_shrink_writes_a_smaller_model_that_answers_alike(run, model, tmp_path):
    small = tmp_path / "small.safetensors"
    status, printed, complained = run("shrink", model, small, "--dtype", "int8", "--most", 20, "--json")
    assert status == 0, complained
    facts = json.loads(printed)
    assert (facts["words"], facts["dtype"], facts["vector_size"]) == (20, "int8", 16)
    assert facts["target_bytes"] == small.stat().st_size < facts["source_bytes"] == model.stat().st_size
    before, after = WordVectors.load(model), WordVectors.load(small)
    assert after.words == before.words[:20]
    np.testing.assert_allclose(after.matrix, before.matrix[:20], atol=np.abs(before.matrix).max() / 250)
    inspected = json.loads(run("inspect", small, "--json")[1])
    assert (inspected["dtype"], inspected["trainable"]) == ("int8", False)
    assert inspected["options"] == Word2Vec.load(model).options.as_dict()


def test_transform_and_align_write_models_and_tell_what_they_did(run, model, tmp_path):
    made = tmp_path / "made.safetensors"
    status, printed, complained = run(
        "transform", model, made, "--centre", "--remove-components", 2, "--unit", "--json"
    )
    assert (status, complained) == (0, "")
    assert json.loads(printed)["transform"] == {"centre": True, "remove_components": 2, "unit": True}
    np.testing.assert_allclose(WordVectors.load(made).norms, 1, rtol=1e-6)
    status, printed, _ = run("align", model, made, tmp_path / "b.safetensors", "--topn", 3, "--min-count", 10)
    assert status == 0
    assert f"aligned by {len(WordVectors.load(made)):,} pairs of words" in printed
    assert len(printed.splitlines()) == 5
    (tmp_path / "pairs.txt").write_bytes("the die\n\xfc ue\n".encode("latin-1"))
    wrong = ("align", model, made, tmp_path / "c.safetensors", "--dictionary", tmp_path / "pairs.txt")
    status, _, complained = run(*wrong)
    assert (status, "is not utf-8" in complained) == (2, True)
    status, _, complained = run("transform", model, tmp_path / "c.safetensors")
    assert (status, "nothing to do" in complained) == (2, True)
    assert not (tmp_path / "c.safetensors").exists()


def test_retrofit_draws_the_words_of_a_lexicon_together(run, model, tmp_path):
    made, again, lexicon = tmp_path / "made.safetensors", tmp_path / "again.safetensors", tmp_path / "lexicon.txt"
    lexicon.write_bytes("king bread dog\nbread king\nnaïf king\n".encode("latin-1"))
    given = (model, lexicon, made, "--encoding", "latin-1", "--iterations", 5, "--beta", 2)
    status, printed, complained = run("retrofit", *given, "--json")
    assert (status, complained) == (0, "")
    asked = {"lexicon": "lexicon.txt", "drawn": 2, "iterations": 5, "alpha": 1.0, "beta": 2.0}
    facts = json.loads(printed)
    assert (facts["retrofit"], facts["entries"]) == (asked, 3)
    expected = retrofitted(WordVectors.load(model), read_lexicon(lexicon, encoding="latin-1"), iterations=5, beta=2)
    np.testing.assert_array_equal(WordVectors.load(made).matrix, expected.matrix)
    assert json.loads(read_model(made).metadata["transforms"]) == [{"retrofit": asked}]
    assert "drew 2 words to their neighbours, of 3" in run("retrofit", *given[:2], again, *given[3:])[1]


@pytest.mark.parametrize(
    ("lexicon", "arguments", "says"),
    [
        ("king bread\n", ["{lexicon}", "{lexicon}"], "name it .safetensors"),
        ("king bread\n", ["{lexicon}", "{model}"], "over what is read from it"),
        ("king bread\n", ["nowhere.txt", "{target}"], "cannot read nowhere.txt"),
        ("king\nbread\n", ["{lexicon}", "{target}"], "is no lexicon"),
        ("king unheardof\n", ["{lexicon}", "{target}"], "no word of the lexicon (1 entries) has a vector and"),
        ("k\xf6nig brot\n", ["{lexicon}", "{target}"], "is not utf-8"),
        ("king bread\n", ["{lexicon}", "{target}", "--alpha", "0", "--beta", "0"], "must not both be 0"),
        ("king bread\n", ["{lexicon}", "{target}", "--iterations", "0"], "iterations must be 1 or more, got 0"),
    ],
)
def test_retrofit_tells_what_is_wrong(run, model, tmp_path, lexicon, arguments, says):
    (tmp_path / "lexicon.txt").write_bytes(lexicon.encode("latin-1"))
    names = {"lexicon": tmp_path / "lexicon.txt", "target": tmp_path / "made.safetensors", "model": model}
    status, printed, complained = run("retrofit", model, *(each.format(**names) for each in arguments))
    assert (status, printed, says in complained) == (2, "", True)
    assert not (tmp_path / "made.safetensors").exists()


def test_shrink_keeps_the_words_of_a_list_and_the_numbers_as_they_are(run, model, tmp_path):
    words = list(WordVectors.load(model))[3:9]
    (tmp_path / "words.txt").write_text("\ufeff" + "".join(f"{word}\t7\n\n" for word in reversed(words)) + "zebra\n")
    small = tmp_path / "small.safetensors"
    status, printed, _ = run("shrink", model, small, "--words", tmp_path / "words.txt")
    assert status == 0
    assert "wrote 6 of" in printed
    assert list(WordVectors.load(small)) == words
    np.testing.assert_array_equal(WordVectors.load(small).matrix, WordVectors.load(model)[words])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["{model}"], "into itself"),
        (["small.bin"], "name it .safetensors"),
        (["s.safetensors", "--dtype", "int4"], "dtype must be one of float32, float16, int8, binary, pq; got 'int4'"),
        (["s.safetensors", "--min-count", "999999999"], "no word of"),
        (["s.safetensors", "--words", "{model}"], "is no list of words"),
        (["s.safetensors", "pairs.tsv"], "name sets after --evaluate"),
        (["s.safetensors", "--evaluate", "nowhere.tsv"], "cannot read nowhere.tsv"),
        (["s.safetensors", "--evaluate", "{strange}"], "the model knows nothing that is asked by strange"),
        (["s.safetensors", "--resamples", "0"], "resamples say how to judge, but there is no set"),
        (["s.safetensors", "--markdown", "s.md"], "there is nothing to report to s.md without sets"),
        (["s.safetensors", "--evaluate", "{strange}", "--markdown", "{model}"], "is also what is to be read"),
    ],
)
def test_shrink_tells_what_is_wrong(run, model, tmp_path, arguments, says):
    strange = tmp_path / "strange.tsv"
    strange.write_text("unheard of 1\nof unheard 2\n")
    places = [each.format(model=model, strange=strange) for each in arguments]
    places[0] = places[0] if "{" in arguments[0] else tmp_path / places[0]
    status, _, complained = run("shrink", model, *places)
    assert status == 2
    assert says in complained
    assert list(tmp_path.glob("s*")) == [strange]


def test_shrink_by_product_quantisation(run, model, tmp_path):
    pytest.importorskip("faiss")
    small = tmp_path / "small.safetensors"
    status, printed, complained = run("shrink", model, small, "--dtype", "pq", "--parts", 4)
    assert status == 0, complained
    assert "as pq to" in printed
    assert WordVectors.load(small).rows.tensors["input"].shape == (len(WordVectors.load(model)), 4)
    status, _, complained = run("shrink", model, small, "--dtype", "int8", "--parts", 4)
    assert (status, "parts are those of dtype pq" in complained) == (2, True)


def test_shrink_tells_what_is_lost(run, model, tmp_path):
    vectors, small, pairs, more = WordVectors.load(model), *(tmp_path / name for name in ("s.safetensors", "a", "b"))
    pairs.write_text("".join(f"{vectors.words[n]} {vectors.words[n + 1]} {n}\n" for n in range(12)))
    more.write_text("".join(f"{vectors.words[0]} {vectors.words[n]} {n}\n" for n in range(1, 9)))
    judging = ["--evaluate", pairs, more, "--resamples", 0, "--markdown", tmp_path / "r.md"]
    status, printed, complained = run("shrink", model, small, "--dtype", "binary", *judging)
    assert status == 0, complained
    assert all(said in printed for said in ("before", "after"))
    assert "--evaluate" not in printed
    report = judge({"before": vectors, "after": WordVectors.load(small)}, [pairs, more], resamples=0)
    assert (tmp_path / "r.md").read_text() == report.to_markdown()
    lost = [each.difference.value for each in report.differences]
    assert len(lost) == 4
    assert any(lost)
    facts = json.loads(run("shrink", model, small, "--dtype", "binary", *judging[:4], "0", "--json")[1])
    assert facts["evaluation"] == json.loads(report.to_json())


def test_shrink_counts_what_needs_a_word_that_has_gone_as_wrong(run, model, tmp_path):
    vectors, small, pairs = WordVectors.load(model), tmp_path / "s.safetensors", tmp_path / "pairs"
    pairs.write_text("".join(f"{vectors.words[n]} {vectors.words[-n]} {n}\n" for n in range(1, 30)))
    for given, unknown in (([], "wrong"), (["--unknown", "skip"], "skip")):
        arguments = ["--words", pairs, "--evaluate", pairs, "--json", *given]
        status, printed, complained = run("shrink", model, small, *arguments)
        assert status == 0, complained
        report = json.loads(printed)["evaluation"]
        assert (report["options"]["unknown"], report["sets"][0]["results"][1]["known"]) == (unknown, 0)
        reasons = [each["reason"] for each in report["sets"][0]["differences"]]
        assert all(reasons)
    status, printed, _ = run("shrink", model, small, "--most", len(vectors) - 1, "--evaluate", pairs)
    assert (status, "what needs a word that has gone counts as wrong" in printed) == (0, True)
    pairs.with_name("others").write_text("x0 x1 1\nx1 x2 2\nx0 x2 3\n")  # of which the model knows nothing
    sets = [pairs, pairs.with_name("others"), "--json"]
    report = json.loads(run("shrink", model, small, "--most", len(vectors) - 1, "--evaluate", *sets)[1])["evaluation"]
    told = {each["reason"] for each in report["sets"][1]["results"][0]["measures"].values()}
    assert told == {"of 3 pairs, none has vectors for both words; check how words are cased"}


def test_shrink_without_sets_says_how_the_loss_is_told(run, model, tmp_path):
    for given, says in ((["--dtype", "int8"], "--evaluate SETS"), ([], "the vectors are those of before")):
        status, printed, _ = run("shrink", model, tmp_path / "s.safetensors", *given)
        assert (status, says in printed) == (0, True)


def test_index_is_built_beside_the_model_and_asked(run, model, tmp_path):
    pytest.importorskip("usearch")
    place = tmp_path / "model.safetensors"
    place.write_bytes(model.read_bytes())
    status, printed, complained = run("index", place, "--connectivity", 8, "--threads", 1)
    assert status == 0, complained
    assert "with usearch in" in printed
    assert "% of the 10 nearest words" in printed
    assert (tmp_path / "model.usearch").stat().st_size > 1000
    word = WordVectors.load(place).words[0]
    assert run("similar", place, word, "--index", "usearch") == run("similar", place, word)
    named = tmp_path / "named"
    facts = json.loads(run("index", place, "-o", named, "--json")[1])
    assert (facts["index"], facts["bytes"]) == (str(named), named.stat().st_size)
    assert facts["recall_at_10"] > 0.95
    assert facts["words"] == len(WordVectors.load(place))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["index", "{model}", "--kind", "annoy"], "kind must be one of usearch, faiss, hnswlib; got 'annoy'"),
        (["index", "{model}", "-o", "{model}"], "over it; give another name to write to"),
        (["index", "{model}", "-o", "{model}/x"], "choose a path whose parents are all folders"),
        (["similar", "{model}", "king", "--index", "hnswlib"], "make one: firth index"),
        (
            ["similar", "{model}", "king", "--index", "annoy"],
            "index must be one of usearch, faiss, hnswlib; got 'annoy'",
        ),
    ],
)
def test_index_tells_what_is_wrong(run, model, arguments, says):
    status, _, complained = run(*(each.format(model=model) for each in arguments))
    assert status == 2
    assert says in complained


def test_version_and_help(run):
    assert run("--version") == (0, f"firth {__version__}\n", "")
    status, shown, _ = run("--help")
    assert status == 0
    for command in (
        "train",
        "similar",
        "analogy",
        "evaluate",
        "inspect",
        "convert",
        "shrink",
        "index",
        "transform",
        "retrofit",
        "align",
        "push",
        "demo",
    ):
        assert command in shown


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["train", "{empty}", "-o", "{out}"], "the corpus is empty"),
        (["train", "{short}", "-o", "{out}"], "min_count = 5 times or more: it has 3 different words"),
        (["train", "{nowhere}", "-o", "{out}"], "there is no file"),
        (["train", "{binary}", "-o", "{out}"], "is not text"),
        (["train", "{latin}", "-o", "{out}"], "is not UTF-8: byte 0xe9 at position 3"),
        (["train", "{short}"], "Missing option '--output'"),
        (["train", "{short}", "-o", "{nowhere}/m"], "create the folder first"),
        (["train", "{short}", "-o", "{out}", "--min-count", "0"], "min_count must be 1 or more, got 0; use 1"),
        (["train", "{short}", "-o", "{out}", "--loss", "x"], "loss must be one of"),
        (["train", "{short}", "-o", "{out}", "--min-alpha", "0.5"], "min_alpha must not exceed alpha"),
        (["train", "{short}", "-o", "{out}", "--resume"], "there is no model"),
        (["similar", "{model}", "kingg"], "no vector for the word 'kingg'; close to it: king"),
        (["similar", "{truncated}", "king"], "truncated"),
        (["similar", "{short}", "king"], "is of no known format"),
        (["similar", "{lines}", "king"], "the file is cut short"),
        (["convert", "{lines}", "{out}.bin"], "the file is cut short"),
        (["evaluate", "{model}", "{nowhere}"], "no such file"),
        (["convert", "{model}", "{out}.xyz"], "no format goes by the name"),
        (["trian"], "No such command 'trian'. Did you mean 'train'?"),
    ],
)
def test_bad_input_gets_one_sentence_and_status_2_and_leaves_no_file(run, model, tmp_path, arguments, says):
    places = {
        name: tmp_path / name for name in ("empty", "short", "nowhere", "binary", "latin", "out", "truncated", "lines")
    }
    places["empty"].write_text("")
    places["short"].write_text("a b c\n")
    places["binary"].write_bytes(b"\x89PNG\r\n\0\0\0")
    places["latin"].write_bytes("caf\xe9 au lait\n".encode("latin-1"))
    places["lines"].write_text("5 3\nking 1.5 -0.25 1\n")
    places["truncated"].write_bytes(model.read_bytes()[:5000])
    status, printed, complained = run(*(each.format(model=model, **places) for each in arguments))
    assert status == 2
    assert printed == ""
    assert says in complained
    assert complained.startswith("firth: ")
    assert complained.count("\n") == 1
    assert "Traceback" not in complained
    assert not places["out"].exists()
    assert not list(tmp_path.glob(".firth-*"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_told_plainly(model):
    program = "import sys; from firth.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "convert", model, "/dev/full"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_the_corpus_is_never_overwritten_by_the_model(run, corpus, tmp_path):
    text = corpus.read_bytes()
    own = tmp_path / "corpus"
    own.write_bytes(text)
    status, _, complained = run("train", own, "-o", own)
    assert status == 2
    assert "give the model another name" in complained
    assert own.read_bytes() == text
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_bytes(text)
    status, _, complained = run("train", tmp_path / "texts", "-o", tmp_path / "texts" / "m.safetensors")
    assert status == 2
    assert "write the model elsewhere" in complained


@pytest.mark.parametrize("name", ["m.bin", "m.txt", "m.vec", "m.safetensors.gz"])
def test_a_model_is_not_written_under_the_name_of_another_format(run, corpus, tmp_path, name):
    status, _, complained = run("train", corpus, "-o", tmp_path / name)
    assert status == 2
    assert "firth convert" in complained
    assert not (tmp_path / name).exists()


def test_a_run_that_diverges_says_so_and_leaves_the_model_that_was_there(run, model, tmp_path):
    text = tmp_path / "two.txt"
    text.write_text("a b a a b b a b\n" * 400)
    kept = tmp_path / "m.safetensors"
    kept.write_bytes(model.read_bytes())
    options = ["--architecture", "cbow", "--negative", "20", "--window", "20", "--sample", "0", "--alpha", "0.5"]
    status, printed, complained = run("train", text, "-o", kept, "--no-cache", "--workers", 1, *options)
    assert (status, printed) == (2, "")
    assert "training grew without bound in epoch 1 (alpha 0.5" in complained
    assert kept.read_bytes() == model.read_bytes()


def test_json_has_null_where_there_is_no_number(run, tmp_path):
    text = tmp_path / "short.txt"
    text.write_text("a b c a b d e a f b a a c d e\n")
    arguments = ["--min-count", 1, "--workers", 1, "--epochs", 40, "--no-cache", "--sample", "0.005"]
    status, printed, _ = run("train", text, "-o", tmp_path / "m.safetensors", *arguments, "--json")
    assert status == 0
    assert "NaN" not in printed
    assert None in json.loads(printed)["losses"], "some epochs of so short a text keep no pair"


def test_convert_from_model_to_model_loses_nothing_and_never_writes_over_its_source(run, model, tmp_path):
    assert run("convert", model, tmp_path / "copy.safetensors")[0] == 0
    original, copied = Word2Vec.load(model), Word2Vec.load(tmp_path / "copy.safetensors")
    np.testing.assert_array_equal(original.weights.output, copied.weights.output)
    assert (original.options, original.state) == (copied.options, copied.state)
    status, _, complained = run("convert", model, model)
    assert status == 2
    assert "into itself" in complained


def test_words_that_are_not_utf8_can_be_read_on_request(run, tmp_path):
    path = tmp_path / "latin.bin"
    path.write_bytes(b"1 2\ncaf\xe9 " + np.ones(2, np.float32).tobytes())
    status, _, complained = run("convert", path, tmp_path / "v.txt")
    assert status == 2
    assert "encoding_errors" in complained
    assert run("convert", path, tmp_path / "v.txt", "--encoding-errors", "replace")[0] == 0
    assert WordVectors.load(tmp_path / "v.txt").words == ("caf�",)


def test_inspect_writes_a_vocabulary_that_train_takes(run, model, corpus, tmp_path):
    words = tmp_path / "words.tsv"
    assert run("inspect", model, "--vocabulary", words, "--json")[0] == 0
    out = tmp_path / "m.safetensors"
    arguments = ["--vocabulary", words, "--epochs", 1, "--vector-size", 8, "--no-cache"]
    assert run("train", corpus, "-o", out, *arguments)[0] == 0
    assert Word2Vec.load(out).vocabulary == Word2Vec.load(model).vocabulary


def test_output_that_cannot_show_a_letter_is_no_traceback(model):
    done = subprocess.run(
        [sys.executable, "-m", "firth.cli", "convert", model, model.with_name("ascii.bin")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\xd7" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
@pytest.mark.parametrize(
    ("sent", "at_ctrl_c"),
    [("SIGINT", "default_int_handler"), ("SIGTERM", "default_int_handler"), ("SIGTERM", "SIG_IGN")],
)
def test_an_interruption_before_training_says_that_nothing_was_written(tmp_path, cache, sent, at_ctrl_c):
    program = f"import signal as s; s.signal(s.SIGINT, s.{at_ctrl_c}); from firth.cli import main; main()"
    out = tmp_path / "m.safetensors"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "train", "-", "-o", out], stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    while process.poll() is None and not list(cache.glob("making-*")):
        time.sleep(0.1)
    process.send_signal(getattr(signal, sent))
    _, complained = process.communicate(timeout=60)
    assert (process.returncode, complained) == (130, b"firth: interrupted; nothing was written\n")
    assert not out.exists()
    assert not list(cache.iterdir()), "what is unfinished is removed"
