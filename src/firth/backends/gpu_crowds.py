"""How crowded each row is when many programs train at once, and how far additions to it are scaled down.

What a program adds was computed without what the others are adding meanwhile, and all of it sums: too many windows at
once on one row step too far. A row that a share p of all windows has is, beside one window, in some p · (programs - 1)
others. Its additions are multiplied by

    min(1, MOST_ON_A_ROW / (1 + p · (programs - 1)))

so that they sum to some MOST_ON_A_ROW windows' at most, however many programs run. Rare rows, nearly all of them, keep
the factor 1, and so do all with one program. A frequent word learns less from each occurrence, and has many.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from firth.backends.base import Tables
from firth.draws import CHANCE_ONE
from firth.huffman import shares_of_nodes
from firth.options import TrainingOptions

MOST_ON_A_ROW = 8.0

Shares = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Crowds:
    """In how many windows each row is expected, of one window: input and output rows, float32 (V,)."""

    input: Shares
    output: Shares

    @classmethod
    def of(cls, tables: Tables, options: TrainingOptions) -> Crowds:
        """From how often words stand in the text, and are drawn as noise or have a node of the tree on their path."""
        V = len(tables.counts)
        kept = np.maximum(tables.counts, 1) * (tables.keep / CHANCE_ONE)
        text = kept / (kept.sum() or 1.0)  # a tiny `sample` may keep no word
        contexts = options.reach + 1 if options.reach_is_drawn else 2 * options.reach
        if options.loss == "hs":
            output = shares_of_nodes(tables.tree, text)
        else:
            stays = tables.noise[:, 0] / CHANCE_ONE
            noise = (np.bincount(tables.noise[:, 1], 1 - stays, V) + stays) / V
            output = text + options.negative * noise
        return cls((contexts * text).astype(np.float32), output.astype(np.float32))

    @staticmethod
    def scales(shares: Shares, programs: int, most: float = MOST_ON_A_ROW) -> Any:
        """What additions to each row are multiplied by with so many programs: float32 (V,)."""
        return np.minimum(1, most / (1 + shares * (programs - 1))).astype(np.float32)
