"""The examples in PyTorch run as they stand, and show what they say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from torch_cases import torch

EXAMPLES = Path(__file__).parents[1] / "examples"


def shown_by(name):
    """What an example prints, line by line."""
    assert torch  # without it, these tests skip
    program = [sys.executable, "-W", "error", str(EXAMPLES / name)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def losses(line):
    return [float(number) for number in re.findall(r"[0-9.]+[0-9]", line)]


def test_adam_on_a_corpus_small_enough_to_read():
    loss, *near = shown_by("torch_adam.py")
    first, last = losses(loss)
    assert last < 0.8 * first
    related = {
        "bread": {"loaves", "oven", "dough", "flour", "yeast", "warm", "baker"},
        "boat": {"quay", "sail", "tide", "harbour", "wind", "sailor", "leaves"},
        "roses": {"hedge", "grow", "seeds", "soil", "gardener", "rain", "sun", "spring"},
    }
    for line in near:
        word, _, others = line.partition(": ")
        assert len({other.split()[0] for other in others.split(", ")} & related.pop(word)) >= 3, line
    assert not related


def test_a_hidden_layer_finds_the_word_in_the_middle():
    loss, *guesses, looked_up = shown_by("torch_feed_forward.py")
    first, last = losses(loss)
    assert last < 0.2 * first
    found = [line.partition(": ")[2].split(", ") for line in guesses]
    assert [line[0].split()[0] for line in found] == ["clock", "school", "across"]
    assert "shape (24,)" in looked_up
    assert looked_up.endswith("three words: (3, 24)")
