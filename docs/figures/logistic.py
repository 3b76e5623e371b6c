"""The logistic loss and its slope, for a target and for noise."""

from pathlib import Path

import numpy as np
from paper import BLUE, GREY, RED, keep, sheet

from firth.backends.reference import logistic


def draw(path: Path) -> None:
    """Loss on the left, slope on the right, over the score."""
    scores = np.linspace(-5, 5, 201)
    figure, (left, right) = sheet(2, height=2.9)
    for label, colour, name in ((1.0, BLUE, "target"), (0.0, RED, "noise")):
        steps = [logistic(np.array([[z]]), np.ones((1, 1)), np.array([label]), np.ones(1)) for z in scores]
        left.plot(scores, [step.loss for step in steps], color=colour, label=name)
        right.plot(scores, [step.inputs[0, 0] for step in steps], color=colour, label=name)
    left.set(title="loss", xlabel="score x · y")
    right.set(title="slope: σ(score) less label", xlabel="score x · y")
    right.axhline(0, color=GREY, lw=0.8)
    left.legend(loc="upper center")
    keep(figure, path)
