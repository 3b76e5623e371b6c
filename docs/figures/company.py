"""Cosines of one-hot vectors, and of counts of company: words of like use are alike only in the second."""

import re
from pathlib import Path

import numpy as np
from paper import keep, sheet

TEXT = """
In the morning she drinks hot tea. In the morning he drinks hot coffee.
At noon she eats fresh bread. At noon he eats fresh cake.
In the evening they drink hot tea. In the evening they drink hot coffee.
On Sundays they eat fresh bread and drink tea. On Sundays they eat fresh cake and drink coffee.
"""
SHOWN = ["tea", "coffee", "bread", "cake", "she", "he", "morning", "evening", "noon"]


def company(window: int = 2) -> np.ndarray:
    """How often each word of SHOWN has each word of the text within `window` places."""
    sentences = [re.findall("[a-z]+", sentence) for sentence in TEXT.lower().split(".")]
    words = sorted({word for sentence in sentences for word in sentence})
    counts = np.zeros((len(words), len(words)))
    for sentence in sentences:
        for i, word in enumerate(sentence):
            for other in sentence[max(0, i - window) : i] + sentence[i + 1 : i + 1 + window]:
                counts[words.index(word), words.index(other)] += 1
    return counts[[words.index(word) for word in SHOWN]]


def draw(path: Path) -> None:
    """Two tables of cosines, side by side."""
    figure, axes = sheet(2, height=3.6)
    rows = company()
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    for each, cosines, title in zip(axes, [np.eye(len(SHOWN)), rows @ rows.T], ["one-hot", "company"], strict=True):
        image = each.imshow(cosines, cmap="Blues", vmin=0, vmax=1)
        each.set_title(title)
        each.set_xticks(range(len(SHOWN)), SHOWN, rotation=60, ha="right", rotation_mode="anchor")
        each.set_yticks(range(len(SHOWN)), SHOWN)
        each.tick_params(length=0)
        each.spines[:].set_visible(False)
    figure.colorbar(image, ax=axes, shrink=0.8, label="cosine")
    keep(figure, path)
