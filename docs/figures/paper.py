"""What all figures share: paper, ink and colours."""

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib.figure import Figure

from firth.visualise.theme import COLOURS, GREY, INK

BLUE, RED, GREEN = COLOURS[:3]
PALE = "#E8EEF4"

matplotlib.rcParams.update(
    {
        "svg.hashsalt": "firth",  # so that a figure drawn again is the same file
        "font.size": 10,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": GREY,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 10.5,
        "axes.titlelocation": "left",
        "legend.frameon": False,
        "lines.linewidth": 2,
    }
)


def sheet(columns: int = 1, width: float = 8.0, height: float = 3.2) -> tuple[Figure, Any]:
    """A figure, and its axes: one, or an array of some side by side."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(1, columns)


def keep(figure: Figure, path: Path) -> None:
    """Write a figure as SVG; drawn again from the same numbers, it is the same file."""
    figure.savefig(path, metadata={"Date": None})
