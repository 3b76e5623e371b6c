"""How likely an occurrence is kept, by its word's share; and how often words are noise, by the exponent."""

from pathlib import Path

import numpy as np
from paper import BLUE, COLOURS, GREY, keep, sheet

from firth.vocabulary import Vocabulary


def draw(path: Path) -> None:
    """On a vocabulary of Zipf's law: the word of rank r has a share of about 1 / r."""
    V = 20_000
    counts = np.round(1e7 / np.arange(1, V + 1)).astype(np.int64)
    vocabulary = Vocabulary(tuple(f"w{rank:05}" for rank in range(V)), counts)
    share = counts / counts.sum()
    figure, (left, right) = sheet(2)
    for sample, colour in zip((1e-3, 1e-4, 1e-5), COLOURS, strict=False):
        left.semilogx(share, vocabulary.keep_chances(sample) / 2**24, color=colour, label=f"sample {sample:g}")
    left.set(title="chance that an occurrence is kept", xlabel="the word's share of the text", ylim=(0, 1.05))
    left.legend(loc="lower left", fontsize=8.5, handlelength=1)
    ranks = np.arange(1, V + 1)
    for exponent, colour in ((1.0, GREY), (0.75, BLUE), (0.0, COLOURS[1])):
        weights = counts.astype(float) ** exponent
        right.loglog(ranks, weights / weights.sum(), color=colour, label=f"count to the power {exponent:g}")
    right.set(title="chance to be drawn as noise", xlabel="rank of the word")
    right.legend()
    keep(figure, path)
