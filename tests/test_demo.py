"""The demo: its analogies come out right whatever the seed, and it leaves a model and a picture."""

import json

import pytest

from firth.cli import main
from firth.demo import SHOWN_ANALOGIES, run
from firth.vectors import WordVectors
from firth.world import ANALOGIES


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_the_three_analogies_are_right_for_each_seed(tmp_path, seed):
    told = run(tmp_path, seed=seed, quiet=True)
    assert [each["answer"] for each in told["analogies"]] == ["queen", "rome", "swimming"]
    assert told["analogies_correct"] > 0.9 * len(ANALOGIES)
    assert told["losses"] == sorted(told["losses"], reverse=True), "the loss falls from epoch to epoch"


def test_the_demo_writes_its_corpus_model_and_picture(tmp_path, capsys, monkeypatch):
    pytest.importorskip("matplotlib", reason="pictures need matplotlib: pip install 'firth[viz]'")
    monkeypatch.setattr("sys.argv", ["firth", "demo", "--folder", str(tmp_path), "--json"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 0
    told = json.loads(capsys.readouterr().out)
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
    assert len((tmp_path / "corpus.txt").read_text().splitlines()) == 200_000
    assert len(WordVectors.load(tmp_path / "model.safetensors")) == told["vocabulary"]


def test_the_demo_says_that_its_corpus_is_synthetic_and_how_to_go_on(tmp_path, capsys):
    run(tmp_path, count=50_000)
    shown = capsys.readouterr().out
    assert "synthetic" in shown
    assert "firth train your-text.txt" in shown
    for a, b, c, _ in SHOWN_ANALOGIES:
        assert f"{b} − {a} + {c} = " in shown
