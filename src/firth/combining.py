"""One vector for each word, from the input and the output matrix of a model.

A word's input vector says what stands around it; its output vector, what it stands around. Two input vectors are alike
where the words can take each other's place; an input and an output vector, where the words stand together.

Measured on 17 M words (docs/benchmarks.md): after skip-gram, input vectors are best for similarity, and both
concatenated for analogies; after CBOW, their average is best for nearly everything. A sum has the cosines of an
average, and differs in length alone. Output vectors alone are seldom better, but with input vectors they tell what
stands beside what.
"""

from __future__ import annotations

from typing import get_args

import numpy as np

from firth.errors import BadOption
from firth.options import Combine
from firth.weights import Floats

WAYS: tuple[str, ...] = get_args(Combine)


def check_way(combine: str) -> None:
    """Raise `BadOption` for a way not known."""
    if combine not in WAYS:
        raise BadOption(f"combine must be one of {', '.join(WAYS)}; got {combine!r}")


def combined(input: Floats, output: Floats, combine: str, loss: str) -> Floats:
    """One vector for each word, of both matrices (V, D): float32 (V, D), or (V, 2D) for "concatenate".

    Raises `BadOption` for a way not known, and for all but "input" where the loss is "hs".
    """
    check_way(combine)
    if combine == "input":
        return input
    if loss == "hs":
        raise BadOption(
            f"combine must be 'input' for a model trained by hierarchical softmax, got {combine!r}: its output matrix "
            "has vectors of the tree's inner nodes, not of words; train with loss='ns' or 'softmax' for others"
        )
    if combine == "output":
        return output
    if combine == "concatenate":
        return np.concatenate([input, output], axis=1)
    total = input + output
    return total if combine == "sum" else total / np.float32(2)
