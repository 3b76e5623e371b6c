"""`firth phrases`, and `firth train --phrases`."""

import json

import numpy as np
import pytest

from firth import Phrases, Word2Vec


@pytest.fixture
def text(tmp_path):
    (tmp_path / "text.txt").write_text("new york is big\nnew york\n\ni love  new york\nbank of america\n" * 9)
    return tmp_path / "text.txt"


def test_the_command_finds_phrases_joins_them_and_trains_on_them(run, text, tmp_path):
    found, model = tmp_path / "phrases.json", tmp_path / "m.safetensors"
    options = ("--threshold", 0.4, "--connector-words", "of the", "--connector-words", "in", "-n", 2)
    status, printed, complained = run("phrases", text, "-o", found, *options, "--json")
    assert (status, complained) == (0, "")
    report = json.loads(printed)
    expected = Phrases(threshold=0.4, connector_words=["of", "the", "in"]).fit(text)
    assert Phrases.load(found).phrases == expected.phrases
    assert report["phrases"] == len(expected)
    assert report["top"] == [{"phrase": e.phrase, "score": e.score, "count": e.count} for e in expected.phrases[:2]]

    status, printed, _ = run("phrases", text, "-o", found, "--threshold", 0.4, "--english")
    assert status == 0
    assert "bank_of_america" in printed
    assert f"wrote {len(expected)} phrases to {found}" in printed

    status, printed, complained = run("phrases", text, "--apply", found, "-o", tmp_path / "joined.txt", "--json")
    assert (status, complained) == (0, "")
    lines = [" ".join(expected[line.split()]) + "\n" for line in text.read_text().splitlines() if line]
    assert (tmp_path / "joined.txt").read_text() == "".join(lines)
    assert json.loads(printed)["sentences"] == len(lines)

    train = ("--vector-size", 16, "--epochs", 1, "--workers", 1, "--sample", 0, "--json")
    status, _, complained = run("train", text, "-o", model, "--phrases", found, *train)
    assert (status, complained) == (0, "")
    assert "new_york" in Word2Vec.load(model).vectors
    written = model.read_bytes()
    assert run("train", tmp_path / "joined.txt", "-o", model, *train)[0] == 0
    np.testing.assert_array_equal(Word2Vec.load(model).weights.input, _weights(tmp_path, written))


def _weights(folder, written):
    (folder / "first.safetensors").write_bytes(written)
    return Word2Vec.load(folder / "first.safetensors").weights.input


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["{nowhere}", "-o", "{out}"], "there is no file"),
        (["{text}", "-o", "{text}"], "give the phrases another name"),
        (["{text}", "-o", "{out}", "--scoring", "npmi"], "threshold must be between -1 and 1"),
        (["{text}", "-o", "{out}", "--delimiter", " "], "delimiter must be a string without white space"),
        (["{text}", "-o", "{out}", "--apply", "{text}"], "is no file of phrases"),
        (["{text}", "-o", "{out}", "--apply", "{text}", "--threshold", "3"], "leave out threshold"),
        (["{text}", "-o", "{out}", "--apply", "{text}", "--english"], "leave out english"),
        (["{text}", "-o", "{out}.xz", "--apply", "{text}"], "written plain or as .gz"),
        (["{text}", "-o", "{out}", "-n", "-1"], "topn must be 0 or more"),
    ],
)
def test_bad_input_gets_one_sentence_and_status_2(run, text, tmp_path, arguments, says):
    places = {"text": text, "nowhere": tmp_path / "nowhere", "out": tmp_path / "out"}
    before = text.read_bytes()
    status, printed, complained = run("phrases", *(each.format(**places) for each in arguments))
    assert (status, printed) == (2, "")
    assert says in complained
    assert complained.count("\n") == 1
    assert not places["out"].exists()
    assert text.read_bytes() == before


def test_a_text_without_phrases_is_told_so(run, text, tmp_path):
    status, printed, _ = run("phrases", text, "-o", tmp_path / "p.json", "--threshold", 1000)
    assert status == 0
    assert "wrote 0 phrases" in printed
    assert "lower threshold or min_count" in printed
