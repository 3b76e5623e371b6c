"""The cosines of words with each other, as a heat map."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from firth.errors import BadOption, optional
from firth.vectors.given import several
from firth.visualise.fonts import Fonts, boxes_accepted, shown
from firth.visualise.panels import Vectors, vectors_of
from firth.visualise.picture import Picture, check_suffix, new_figure
from firth.visualise.projecting import unit_rows
from firth.visualise.theme import Theme, theme_for

Order: TypeAlias = Literal["clusters", "given"]
Floats: TypeAlias = NDArray[np.float64]

MOST = 200  # words; the names of more cannot be read
WRITTEN = 25  # words up to which each square holds its number
CELL_INCHES, LEAST_INCHES = 0.3, 3.5
NAME_POINTS, NUMBER_POINTS = 9.0, 7.0


def draw_heatmap(
    vectors: Vectors,
    words: Sequence[str],
    path: str | os.PathLike[str] | None = None,
    *,
    order: Order = "clusters",
    title: str = "",
    dark: bool = False,
) -> Picture:
    """Draw the cosine of each word with each other as a coloured square, with its number for up to 25 words.

    With `order` "clusters", words that are alike stand together: the leaves of average-linkage clustering, put so that
    neighbours in the row are as alike as the tree allows (Bar-Joseph et al. 2001). With "given" they stay as they are.

    Raises:
        BadOption: fewer than 2 words or more than 200, another order, or a suffix of no known format.
        UnknownWord: words without a vector, all of them named.
        CannotWrite: the picture cannot be written; what stood at `path` before still does.
        MissingExtra: matplotlib is not installed.
    """
    if order not in get_args(Order):
        raise BadOption(f"order must be one of {', '.join(get_args(Order))}; got {order!r}")
    if path is not None:
        check_suffix(path)
    listed = list(dict.fromkeys(several("words", words)))
    if not 2 <= len(listed) <= MOST:
        raise BadOption(f"a heat map takes 2 to {MOST} words, got {len(listed)}; give {_remedy(len(listed))}")
    rows = unit_rows(vectors_of(vectors, listed))
    cosines = np.clip(rows @ rows.T, -1, 1)
    if order == "clusters":
        places = by_likeness(cosines)
        listed, cosines = [listed[place] for place in places], cosines[np.ix_(places, places)]
    with boxes_accepted():
        picture = Picture(_drawn(listed, cosines, title, theme_for(dark)), len(listed))
    if path is not None:
        picture.save(path)
    return picture


def by_likeness(cosines: Floats) -> list[int]:
    """An order of N things, given their (N, N) cosines, in which like ones stand together."""
    from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering

    distances = (1 - cosines)[np.triu_indices(len(cosines), 1)].clip(0)
    tree = optimal_leaf_ordering(linkage(distances, "average"), distances)
    return [int(place) for place in leaves_list(tree)]


def _remedy(count: int) -> str:
    return "more words" if count < 2 else "fewer, or draw a map"


def _number(cosine: float) -> str:
    """As .67, −.05, 0 or 1."""
    hundredths = round(100 * cosine)
    return "−" * (hundredths < 0) + (f".{abs(hundredths):02d}" if hundredths % 100 else str(abs(hundredths) // 100))


def _drawn(words: Sequence[str], cosines: Floats, title: str, theme: Theme) -> Any:
    colours = optional("matplotlib.colors", extra="viz", purpose="drawing")
    side = max(LEAST_INCHES, CELL_INCHES * len(words))
    names = [shown(word) for word in words]
    fonts = Fonts([shown(title), *names])
    figure = new_figure((side + 2.0, side + 1.2), "", theme, fonts)
    axes = figure.add_subplot()
    fonts.put(axes.set_title(shown(title), loc="left", fontsize=13, fontweight="bold", color=theme.ink))
    colourmap = colours.LinearSegmentedColormap.from_list("cosines", [theme.colours[0], theme.paper, theme.colours[1]])
    image = axes.imshow(cosines, cmap=colourmap, vmin=-1, vmax=1)
    axes.set_xticks(range(len(words)), names, rotation=90)
    axes.set_yticks(range(len(words)), names)
    axes.tick_params(length=0, colors=theme.ink, labelsize=NAME_POINTS)
    for text in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        fonts.put(text)
    axes.spines[:].set_visible(False)
    if len(words) <= WRITTEN:
        for (row, column), cosine in np.ndenumerate(cosines):
            colour = theme.readable_on(colours.to_hex(colourmap((1 + cosine) / 2)))
            axes.text(column, row, _number(cosine), ha="center", va="center", fontsize=NUMBER_POINTS, color=colour)
    bar = figure.colorbar(image, ax=axes, shrink=0.6, pad=0.02)
    bar.outline.set_visible(False)
    bar.set_label("cosine", color=theme.grey)
    bar.ax.tick_params(colors=theme.grey, length=0)
    return figure
