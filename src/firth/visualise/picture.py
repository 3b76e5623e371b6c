"""A picture made by matplotlib, without its global state: shown by notebooks, written to a file."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

from firth.errors import BadOption, optional
from firth.storage import replaced
from firth.visualise.fonts import Fonts, boxes_accepted, shown
from firth.visualise.theme import Theme

FORMATS = (".png", ".svg", ".pdf")
DOTS_PER_INCH = 150
NOTEBOOK_DOTS_PER_INCH = 80


class Picture:
    """A finished picture.

    Attributes:
        figure: the `matplotlib.figure.Figure`, to change or to draw further on.
        words: how many words are drawn.
        unlabelled: how many of them had no room for their label.
    """

    def __init__(self, figure: Any, words: int, unlabelled: int = 0) -> None:
        self.figure = figure
        self.words = words
        self.unlabelled = unlabelled

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture; its suffix says the format: .png, .svg or .pdf.

        Raises:
            BadOption: another suffix.
            CannotWrite: the picture cannot be written; what stood at `path` before still does.
        """
        suffix = check_suffix(path)
        drawn = self._drawn(suffix[1:])
        with replaced(path) as file:
            file.write(drawn)

    def _repr_png_(self) -> bytes:
        return self._drawn("png", NOTEBOOK_DOTS_PER_INCH)

    def _drawn(self, format: str, dpi: float | None = None) -> bytes:
        file = io.BytesIO()
        # No date, so that the same words give the same file.
        metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(format)
        with boxes_accepted():
            self.figure.savefig(file, format=format, dpi=dpi or "figure", metadata=metadata)
        return file.getvalue()


def check_suffix(path: str | os.PathLike[str], others: str = "") -> str:
    """The suffix of a picture's file, in small letters, or `BadOption`, which tells the `others` there are."""
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise BadOption(
            f"a picture is drawn as one of {', '.join(FORMATS)}{others}, got {Path(path).name!r}; "
            "end its name in one of these"
        )
    return suffix


def new_figure(inches: tuple[float, float], title: str, theme: Theme, fonts: Fonts) -> Any:
    """A figure without pyplot, and so without global state."""
    matplotlib = optional("matplotlib.figure", extra="viz", purpose="drawing")
    agg = optional("matplotlib.backends.backend_agg", extra="viz", purpose="drawing")
    figure = matplotlib.Figure(figsize=inches, dpi=DOTS_PER_INCH, layout="constrained", facecolor=theme.paper)
    agg.FigureCanvasAgg(figure)
    figure.get_layout_engine().set(w_pad=0.15, h_pad=0.15)
    if title:
        fonts.put(figure.suptitle(shown(title), x=0.5, fontsize=17, fontweight="bold", color=theme.ink))
    return figure
