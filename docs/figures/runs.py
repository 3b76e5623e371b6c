"""The share of runs of three to six letters that words have in common."""

from pathlib import Path

import numpy as np
from paper import keep, sheet

WORDS = ["walk", "walks", "walked", "walking", "talking", "talked", "moon", "moonlight", "light"]


def runs(word: str) -> set[str]:
    """The runs of letters of a word, with its beginning and end marked."""
    marked = f"<{word}>"
    return {marked[i : i + n] for n in range(3, 7) for i in range(len(marked) - n + 1)}


def draw(path: Path) -> None:
    """A table of shares."""
    shares = np.array([[len(runs(a) & runs(b)) / len(runs(a) | runs(b)) for b in WORDS] for a in WORDS])
    figure, axes = sheet(width=5.6, height=4.4)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(WORDS)), WORDS, rotation=60, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(WORDS)), WORDS)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figure.colorbar(image, shrink=0.8, label="shared runs")
    keep(figure, path)
