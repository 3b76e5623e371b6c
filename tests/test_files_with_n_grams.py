"""What becomes of n-grams where files are made smaller or transformed."""

import json

import numpy as np
import pytest
from stand_ins import fasttext_bytes, subword_vectors
from typer.testing import CliRunner

from firth.cli import app
from firth.errors import UnknownWord
from firth.formats.model import StoredModel, read_model, write_model
from firth.shrinking import shrink
from firth.transforms.files import align_files, retrofit_file, transform_file, transform_lines
from firth.vectors import SubwordVectors, WordVectors

COUNTS = {"there": 9, "these": 7, "those": 7, "them": 2}


@pytest.fixture
def model(tmp_path):
    """A trained model's file; its vectors stand beside it in memory."""
    vectors, own = subword_vectors(COUNTS)
    output = np.ones((4, 4), np.float32)
    stored = StoredModel.of_vectors(vectors, own=own, output=output, options={"subwords": True})
    write_model(tmp_path / "m.safetensors", stored)
    return tmp_path / "m.safetensors"


@pytest.mark.parametrize("options", [{}, {"dtype": "int8"}, {"most": 2}, {"dtype": "float16", "min_count": 7}])
def test_a_shrunk_model_keeps_n_grams_but_nothing_to_train_on(tmp_path, model, options):
    before = WordVectors.load(model)
    done = shrink(model, tmp_path / "small.safetensors", **options)
    after, stored = WordVectors.load(tmp_path / "small.safetensors"), read_model(tmp_path / "small.safetensors")
    assert isinstance(after, SubwordVectors)
    assert (stored.own, stored.output, stored.options) == (None, None, {"subwords": True})
    for word in ("therese", "thema"):
        np.testing.assert_array_equal(after.vector(word), before.vector(word))
    np.testing.assert_array_equal(after.gram_rows, before.gram_rows)
    assert done.as_dict()["n_gram_bytes"] == before.gram_rows.nbytes
    assert f"{before.gram_rows.nbytes / 1e6:.1f} MB are n-grams, which stay as they were" in list(done.lines())[1]


def test_a_model_without_n_grams_is_not_told_of_any(tmp_path):
    WordVectors(["a", "b"], np.eye(2)).save(tmp_path / "m.safetensors")
    done = shrink(tmp_path / "m.safetensors", tmp_path / "small.safetensors")
    assert done.n_gram_bytes == 0
    assert not any("n-grams" in line for line in done.lines())


def test_fasttext_s_model_is_shrunk_with_its_n_grams(tmp_path):
    (tmp_path / "m.bin").write_bytes(fasttext_bytes(COUNTS, buckets=50))
    done = shrink(tmp_path / "m.bin", tmp_path / "small.safetensors", most=1, dtype="int8")
    before, after = WordVectors.load(tmp_path / "m.bin"), WordVectors.load(tmp_path / "small.safetensors")
    assert (done.words, done.n_gram_bytes) == (1, 50 * 4 * 4)
    np.testing.assert_array_equal(after.vector("therese"), before.vector("therese"))


@pytest.mark.filterwarnings("ignore:.*pairs of words are fewer")
@pytest.mark.parametrize("way", ["transform", "retrofit", "align"])
def test_transforms_leave_n_grams_out_and_say_so(tmp_path, model, way):
    (tmp_path / "lexicon").write_text("there them\n")
    target = tmp_path / "made.safetensors"
    facts = {
        "transform": lambda: transform_file(model, target, centre=True),
        "retrofit": lambda: retrofit_file(model, tmp_path / "lexicon", target),
        "align": lambda: align_files(model, model, target),
    }[way]()
    assert facts["left_out"] == "n-grams"
    assert "n-grams were left out, so words never seen have no vector there" in transform_lines(facts)
    read = WordVectors.load(target)
    assert type(read) is WordVectors
    with pytest.raises(UnknownWord):
        read.most_similar("therese")
    plain = tmp_path / "again.safetensors"
    assert "left_out" not in transform_file(target, plain, centre=True)


@pytest.mark.parametrize(
    ("name", "arguments", "left_out"),
    [
        ("v.bin", [], True),
        ("v.npz", ["--dtype", "float16"], True),
        ("v.fasttext.bin", [], False),
        ("v.bin", ["--target-format", "fasttext"], False),
        ("v.safetensors", ["--limit", "2"], False),
        ("v.safetensors", ["--target-format", "safetensors"], True),
        ("v.bin", ["--combine", "output"], False),  # which has none
    ],
)
def test_converting_on_the_command_line_tells_of_n_grams_left_out(tmp_path, model, name, arguments, left_out):
    command = ["convert", str(model), str(tmp_path / name), *arguments]
    told = CliRunner().invoke(app, command).output
    assert ("n-grams were left out; files named .safetensors or .fasttext.bin keep them" in told) == left_out
    facts = json.loads(CliRunner().invoke(app, [*command, "--json"]).output)
    assert facts.get("left_out") == ("n-grams" if left_out else None)
    read = WordVectors.load(tmp_path / name)
    assert (isinstance(read, SubwordVectors) and read.kind.buckets > 0) == (not left_out and "--combine" not in command)


def test_a_fasttext_model_without_n_grams_is_not_said_to_know_others(tmp_path):
    (tmp_path / "m.bin").write_bytes(fasttext_bytes(COUNTS, buckets=0, shortest=0, longest=0))
    for form in ([], ["--json"]):
        told = CliRunner().invoke(app, ["inspect", str(tmp_path / "m.bin"), *form])
        assert told.exit_code == 0
        assert "4 words" in told.output or '"words": 4' in told.output
        assert "n-gram" not in told.output
        assert "n_grams" not in told.output


def test_where_fasttext_and_gensim_have_n_grams_is_told_what_is_here():
    vectors, _ = subword_vectors(COUNTS)
    for name, here in (("get_subwords", r"firth\.ngrams\.buckets_of"), ("vectors_ngrams", r"vectors\.gram_rows")):
        with pytest.raises(AttributeError, match=rf"no attribute '{name}'; here it is {here}"):
            getattr(vectors, name)
