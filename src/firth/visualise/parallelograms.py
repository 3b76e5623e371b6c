"""Analogies as parallelograms: man is to woman as king is to queen."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from firth.errors import BadOption
from firth.options import usable_cores
from firth.vectors import WordVectors
from firth.visualise.fonts import Fonts, boxes_accepted, shown
from firth.visualise.panels import vectors_of
from firth.visualise.picture import Picture, check_suffix, new_figure
from firth.visualise.projecting import principal_components, unit_rows
from firth.visualise.theme import Theme, theme_for

Floats: TypeAlias = NDArray[np.float64]

PANEL_INCHES = (5.2, 4.2)
MOST = 12  # panels of one picture
LABEL_POINTS = 12
NAME = 20  # characters of a word that are drawn


def draw_analogies(
    vectors: WordVectors,
    analogies: Sequence[Sequence[str]],
    path: str | os.PathLike[str] | None = None,
    *,
    title: str = "",
    dark: bool = False,
    threads: int | None = None,
) -> Picture:
    """Draw each analogy (a, b, c) as a parallelogram: a to b, and c to the word nearest to b - a + c.

    With a fourth word, that one is drawn instead of the nearest. The cross marks where b - a + c itself lies, so that
    the picture shows how well the analogy holds. The plane is the two principal components of these five vectors, words
    at unit length; each panel has its own, and tells how much of their variance it shows.

    Raises:
        BadOption: no analogy, more than 12, one that has neither three nor four different words or whose words have
            all the same vector, or a suffix of no known format.
        UnknownWord: words without a vector, all of them named.
        CannotWrite: the picture cannot be written; what stood at `path` before still does.
        MissingExtra: matplotlib is not installed.
    """
    if path is not None:
        check_suffix(path)
    _check(analogies)
    vectors_of(vectors, [word for analogy in analogies for word in analogy])
    wholes = [_whole(vectors, analogy, threads or usable_cores()) for analogy in analogies]
    placed = [_placed(vectors, words) for words in wholes]
    theme, columns = theme_for(dark), min(len(wholes), 2 if len(wholes) <= 4 else 3)
    rows = math.ceil(len(wholes) / columns)
    inches = (columns * PANEL_INCHES[0], rows * PANEL_INCHES[1] + 0.5 * bool(title))
    names = [_names(words) for words in wholes]
    fonts = Fonts([shown(title), *map(_said, names), *(name for some in names for name in some)])
    figure = new_figure(inches, title, theme, fonts)
    with boxes_accepted():
        for number, (some, (points, share)) in enumerate(zip(names, placed, strict=True), 1):
            _draw(figure.add_subplot(rows, columns, number), some, points, share, theme, fonts)
    picture = Picture(figure, len({word for words in wholes for word in words}))
    if path is not None:
        picture.save(path)
    return picture


def _check(analogies: Sequence[Sequence[str]]) -> None:
    if not 1 <= len(analogies) <= MOST:
        raise BadOption(
            f"analogies to draw must be 1 to {MOST}, got {len(analogies)}; give words such as man woman king"
        )
    for words in analogies:
        if isinstance(words, str) or len(set(words)) != len(words) or len(words) not in (3, 4):
            raise BadOption(f"an analogy has three or four different words, got {words!r}; give man woman king, say")


def _whole(vectors: WordVectors, analogy: Sequence[str], threads: int) -> tuple[str, ...]:
    """The analogy's four words, the fourth found where it is not given."""
    if len(analogy) == 4:
        return tuple(analogy)
    a, b, c = analogy
    found = vectors.analogy(a, b, c, topn=1, threads=threads)
    if not found:
        raise BadOption(f"no word is left to complete {', '.join(analogy)}; take vectors of more than three words")
    return (*analogy, found[0][0])


def _placed(vectors: WordVectors, words: Sequence[str]) -> tuple[Floats, float]:
    """Points (5, 2) of a, b, c, d and b - a + c, and the share of their variance that the plane shows.

    Mirrored so that a lies left of and below b and, in the main, c.
    """
    rows = unit_rows(vectors_of(vectors, words))
    rows = np.vstack([rows, rows[1] - rows[0] + rows[2]])
    points, shares = principal_components(rows)
    if not np.ptp(points, axis=0).any():
        raise BadOption(f"{', '.join(words)} have the same vector, so there is nothing to draw; give other words")
    turned = points @ _upright(points)
    return turned, float(shares.sum())


def _upright(points: Floats) -> Floats:
    """The rotation or reflection (2, 2) after which a -> b points up, and c lies to the right."""
    up = points[1] - points[0]
    length = float(np.linalg.norm(up))
    up = up / length if length else np.array([0.0, 1.0])
    right = np.array([up[1], -up[0]])
    if (points[2] - points[0]) @ right < 0:
        right = -right
    return np.column_stack([right, up])


def _names(words: Sequence[str]) -> list[str]:
    return [shown(word, NAME) for word in words]


def _said(names: Sequence[str]) -> str:
    a, b, c, d = names
    return f"{b} − {a} + {c} ≈ {d}"


def _draw(axes: Any, names: Sequence[str], points: Floats, share: float, theme: Theme, fonts: Fonts) -> None:
    axes.set(xticks=[], yticks=[], facecolor=theme.paper)
    axes.margins(0.28, 0.22)
    axes.spines[:].set_color(theme.pale)
    axes.set_xlabel(f"{share:.0%} of the variance of the five", color=theme.grey, fontsize=9)
    fonts.put(axes.set_title(_said(names), loc="left", fontsize=13, fontweight="bold", color=theme.ink))
    solid = {"arrowstyle": "-|>", "lw": 2.2, "shrinkA": 6, "shrinkB": 6, "mutation_scale": 16}
    faint = {"arrowstyle": "-", "lw": 1.1, "ls": (0, (4, 4)), "color": theme.arrow, "shrinkA": 6, "shrinkB": 6}
    for start, end in ((0, 2), (1, 4)):
        axes.annotate("", xy=points[end], xytext=points[start], arrowprops=faint, zorder=1)
    axes.annotate("", xy=points[1], xytext=points[0], arrowprops=solid | {"color": theme.colours[0]}, zorder=2)
    axes.annotate("", xy=points[3], xytext=points[2], arrowprops=solid | {"color": theme.colours[1]}, zorder=2)
    axes.annotate("", xy=points[4], xytext=points[2], arrowprops=faint | {"color": theme.colours[1]}, zorder=1)
    look = {"marker": "o", "ms": 8, "mec": theme.paper, "mew": 0.8, "ls": "", "zorder": 3}
    axes.plot(*points[:2].T, color=theme.colours[0], **look)
    axes.plot(*points[2:4].T, color=theme.colours[1], **look)
    axes.plot(*points[4], marker="x", ms=8, mew=2, color=theme.grey, ls="", zorder=3)
    middle = points[:4].mean(axis=0)
    for name, point, below in zip(names, points[:4], (True, False, True, False), strict=True):
        axes.annotate(
            name,
            xy=point,
            xytext=(-4 if point[0] < middle[0] else 4, -10 if below else 10),
            textcoords="offset points",
            ha="right" if point[0] < middle[0] else "left",
            va="top" if below else "bottom",
            font=fonts.of(name, LABEL_POINTS),
            color=theme.ink,
            parse_math=False,
        )
