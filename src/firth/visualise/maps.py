"""Maps of words on paper: vectors -> points of a plane -> a picture whose labels can all be read.

A map may have several panels, each with a projection of its own. Principal components of countries and capitals show
what the pairs have in common far better than components of many words, which mostly tell kinds of words apart.
"""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from firth.errors import BadOption, optional
from firth.options import MapOptions
from firth.vectors.given import several
from firth.visualise.fonts import Fonts, boxes_accepted, shown
from firth.visualise.labels import place_labels
from firth.visualise.panels import Panel, Vectors, vectors_of
from firth.visualise.picture import DOTS_PER_INCH, Picture, check_suffix, new_figure
from firth.visualise.projecting import project
from firth.visualise.theme import Theme, theme_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]

PANEL_INCHES = (6.4, 5.6)  # up to PANEL_WORDS; the area grows with the words beyond
PANEL_WORDS = 40
LABELLED = 400  # words with labels; there is no paper for more
LABEL_POINTS = 9.5
LEGEND_COLUMNS = 5
MARKER_POINTS, LEAST_MARKER_POINTS = 6.5, 2.5
HALO_POINTS = 2.5
FAR_POINTS = 9  # from this gap on a fine line ties a label to its mark
CLOUD = 2_000  # more marks leave no room between them: labels stand over those without one
CLOUD_OPACITY = 0.5
AS_VECTORS = 5_000  # marks that an SVG or PDF draws one by one; more become one image within it


def draw_map(
    vectors: Vectors,
    words: Sequence[str] = (),
    path: str | os.PathLike[str] | None = None,
    *,
    groups: Mapping[str, Sequence[str]] | None = None,
    arrows: Sequence[tuple[str, str]] = (),
    title: str = "",
    dark: bool = False,
    **projection: Any,
) -> Picture:
    """Draw `words`, and those of `groups` and `arrows`, on one map; see `draw_panels`."""
    panel = Panel(words=several("words", words), groups=groups or {}, arrows=arrows, title=title)
    return draw_panels(vectors, [panel], path, dark=dark, **projection)


def draw_panels(
    vectors: Vectors,
    panels: Sequence[Panel],
    path: str | os.PathLike[str] | None = None,
    *,
    title: str = "",
    dark: bool = False,
    **projection: Any,
) -> Picture:
    """Draw each panel on two principal components of its words' vectors at unit length, or by t-SNE or UMAP.

    With principal components, each axis has a scale of its own and tells its share of the variance. The mean arrow
    points right and up. A word that a group is named after is written in bold. Of more than 400 words, the first 400
    have labels.

    Args:
        vectors: gives the vector of each word.
        panels: what to draw, left to right, then down.
        path: where the picture goes, if anywhere; its suffix says the format: .png, .svg or .pdf.
        title: stands above all panels.
        dark: light letters on dark paper.
        projection: fields of `MapOptions`: `method`, "pca", "tsne" or "umap"; `perplexity`; `n_neighbors`; `seed`.

    Returns:
        The picture, which notebooks show; its `figure` is matplotlib's.

    Raises:
        BadOption: no panel, too few words for the method, words that all have the same vector, an option out of
            range, or a suffix of no known format.
        UnknownWord: words without a vector, all of them named.
        CannotWrite: the picture cannot be written; what stood at `path` before still does.
        MissingExtra: matplotlib or what the method needs is not installed.
    """
    options, theme = MapOptions(**projection), theme_for(dark)
    if path is not None:
        check_suffix(path)
    if not panels:
        raise BadOption("a map needs one panel or more, got none; give the words to draw")
    placed = [_placed(panel, vectors, options) for panel in panels]
    said = [text for panel in panels for text in (panel.title, *panel.groups, *panel.all_words()[:LABELLED])]
    fonts = Fonts(map(shown, [title, *said]))
    with boxes_accepted():
        figure, all_axes = _panels_of(panels, title, theme, fonts)
        for axes, panel, (where, shares) in zip(all_axes, panels, placed, strict=True):
            _draw_frame(axes, panel.title, shares, options.method, theme, fonts)
            _draw_arrows(axes, panel.arrows, where, theme)
            _draw_marks(axes, panel, where, theme, fonts)
        figure.draw_without_rendering()  # fixes where the axes lie on the page, which labels are placed by
        figure.set_layout_engine("none")
        left_out = sum(
            _draw_labels(axes, panel, where, theme, fonts)
            for axes, panel, (where, _) in zip(all_axes, panels, placed, strict=True)
        )
    picture = Picture(figure, sum(len(where) for where, _ in placed), left_out)
    if path is not None:
        picture.save(path)
    return picture


# ---- where words stand -----------------------------------------------------------------------------------


def _placed(panel: Panel, vectors: Vectors, options: MapOptions) -> tuple[dict[str, Floats], Floats | None]:
    """Where each word of a panel stands, and the components' shares of the variance."""
    words = panel.all_words()
    if not words:
        raise BadOption("a map needs 2 words or more, got none; give the words to draw")
    projection = project(vectors_of(vectors, words), options)
    where = dict(zip(words, projection.points, strict=True))
    return _facing_right(where, panel.arrows), projection.shares


def _facing_right(where: Mapping[str, Floats], arrows: Sequence[tuple[str, str]]) -> dict[str, Floats]:
    """The same map, mirrored where needed so that the mean arrow points right and up."""
    mean = sum((where[end] - where[start] for start, end in arrows), np.zeros(2))
    return {word: np.where(mean < 0, -point, point) for word, point in where.items()}


# ---- drawing ---------------------------------------------------------------------------------------------


def _panels_of(panels: Sequence[Panel], title: str, theme: Theme, fonts: Fonts) -> tuple[Any, list[Any]]:
    """A figure with axes for each panel."""
    count = len(panels)
    columns = min(count, 2 if count <= 4 else 3)
    rows = math.ceil(count / columns)
    most = max(min(len(panel.all_words()), LABELLED) for panel in panels)
    larger = math.sqrt(max(1.0, most / PANEL_WORDS))
    inches = (columns * PANEL_INCHES[0] * larger, rows * PANEL_INCHES[1] * larger + 0.5 * bool(title))
    figure = new_figure(inches, title, theme, fonts)
    return figure, [figure.add_subplot(rows, columns, place + 1) for place in range(count)]


def _draw_frame(axes: Any, title: str, shares: Floats | None, method: str, theme: Theme, fonts: Fonts) -> None:
    axes.set(xticks=[], yticks=[], facecolor=theme.paper)
    axes.margins(0.16, 0.09)
    axes.spines[:].set_color(theme.pale)
    style = {"color": theme.grey, "fontsize": 9}
    if shares is not None:
        axes.set_xlabel(f"first component, {shares[0]:.0%} of the variance", **style)
        axes.set_ylabel(f"second component, {shares[1]:.0%}", **style)
    else:
        name = {"tsne": "t-SNE", "umap": "UMAP"}[method]
        axes.set_xlabel(f"{name}: near words are alike; far distances tell little", **style)
    text = axes.set_title(shown(title), loc="left", fontsize=13, fontweight="bold", color=theme.ink)
    fonts.put(text)


def _draw_arrows(axes: Any, arrows: Sequence[tuple[str, str]], where: Mapping[str, Floats], theme: Theme) -> None:
    look = {
        "arrowstyle": "-|>",
        "color": theme.arrow,
        "lw": 1.1,
        "shrinkA": 4,
        "shrinkB": 5,
        "mutation_scale": 11,
    }
    for start, end in arrows:
        axes.annotate("", xy=where[end], xytext=where[start], arrowprops=look, zorder=1)


def _draw_marks(axes: Any, panel: Panel, where: Mapping[str, Floats], theme: Theme, fonts: Fonts) -> None:
    size = _marker_points(len(where))
    members = panel.members()
    for number, (name, words) in enumerate(members.items()):
        colour, marker = theme.of_group(number) if name else (theme.grey, "o")
        look = {"color": colour, "marker": marker, "ms": size, "mec": theme.paper, "mew": size / 11, "ls": ""}
        points = np.array([where[word] for word in words]).reshape(-1, 2)
        look |= {"alpha": CLOUD_OPACITY if len(where) > CLOUD else 1, "zorder": 2 if name else 1.5}
        axes.plot(*points.T, **look, rasterized=len(where) > AS_VECTORS)
    if any(panel.groups):
        _draw_legend(axes, [shown(name) or "other" for name in members], theme, fonts)


def _draw_legend(axes: Any, names: Sequence[str], theme: Theme, fonts: Fonts) -> None:
    """The groups below the axes, in as few rows as find room, evenly filled."""
    room = axes.figure.bbox.width / axes.get_subplotspec().get_gridspec().ncols
    for most in range(min(LEGEND_COLUMNS, len(names)), 0, -1):
        rows = math.ceil(len(names) / most)
        legend = axes.legend(
            axes.lines,
            names,
            loc="upper center",
            bbox_to_anchor=(0.5, 0),
            borderaxespad=2.2,
            ncols=math.ceil(len(names) / rows),
            frameon=False,
        )
        for text in legend.get_texts():
            text.set_color(theme.ink)
            fonts.put(text)
        if legend.get_window_extent().width <= room:
            return


def _marker_points(words: int) -> float:
    """The width of a mark: smaller for more words than have labels."""
    return max(LEAST_MARKER_POINTS, MARKER_POINTS * min(1.0, math.sqrt(LABELLED / words)))


def _draw_labels(axes: Any, panel: Panel, where: Mapping[str, Floats], theme: Theme, fonts: Fonts) -> int:
    """Write words next to their marks, with a fine line where one had to stand away; gives how many found no room."""
    pixels = DOTS_PER_INCH / 72  # in a point
    words = list(where)[:LABELLED]
    marks = axes.transData.transform(np.stack(list(where.values())))
    anchors = marks[:LABELLED]
    effects = optional("matplotlib.patheffects", extra="viz", purpose="drawing")
    looks = _looks(panel, words, theme, fonts)
    sizes = _sizes(axes, looks) + 2 * pixels
    centres = place_labels(
        anchors,
        sizes,
        np.array(axes.get_window_extent().extents),
        clearance=_marker_points(len(where)) / 2 * pixels,
        lines=_points_along(panel.arrows, dict(zip(where, marks, strict=True))),
        marks=marks[LABELLED:] if len(marks) <= CLOUD else None,
    )
    gaps = np.linalg.norm(np.maximum(np.abs(centres - anchors) - sizes / 2, 0), axis=1)
    for i, word in enumerate(words):
        if np.isfinite(gaps[i]):
            offset = (centres[i] - anchors[i]) / pixels
            label = _write(axes, looks[i], where[word], offset, theme, far=bool(gaps[i] > FAR_POINTS * pixels))
            if len(marks) > CLOUD:
                label.set_path_effects([effects.withStroke(linewidth=HALO_POINTS, foreground=theme.paper)])
    left_out = len(where) - int(np.isfinite(gaps).sum())
    if left_out:
        note = f"no room for {left_out:,} of {len(where):,} labels"
        axes.text(0.99, 0.01, note, transform=axes.transAxes, ha="right", color=theme.grey, fontsize=8)
    return left_out


def _looks(panel: Panel, words: Sequence[str], theme: Theme, fonts: Fonts) -> list[dict[str, Any]]:
    """What each label says, and its font and colour."""
    colour_of = dict.fromkeys(words, theme.ink)
    for number, (name, members) in enumerate(panel.members().items()):
        if name:
            colour_of |= dict.fromkeys(members, theme.of_label(theme.of_group(number)[0]))
    return [
        {
            "text": shown(word),
            "font": fonts.of(shown(word), LABEL_POINTS, "bold" if word in panel.groups else "normal"),
            "color": colour_of[word],
        }
        for word in words
    ]


def _sizes(axes: Any, looks: Sequence[Mapping[str, Any]]) -> Floats:
    """Width and height of each label in pixels, all of the height of the tallest."""
    sizes = []
    for look in looks:
        text = axes.text(0, 0, look["text"], font=look["font"], parse_math=False)
        sizes.append(text.get_window_extent().size)
        text.remove()
    return np.column_stack([np.array(sizes)[:, 0], np.full(len(looks), np.max(sizes, axis=0)[1])])


def _write(axes: Any, look: Mapping[str, Any], point: Floats, offset: Floats, theme: Theme, *, far: bool) -> Any:
    """One label, its centre `offset` points away from `point`."""
    return axes.annotate(
        look["text"],
        xy=point,
        xytext=offset,
        textcoords="offset points",
        arrowprops={"arrowstyle": "-", "color": theme.line, "lw": 0.8, "shrinkA": 0, "shrinkB": 4} if far else None,
        ha="center",
        va="center",
        font=look["font"],
        color=look["color"],
        parse_math=False,
    )


def _points_along(arrows: Sequence[tuple[str, str]], at: Mapping[str, Floats]) -> Floats:
    """(M, 2) points along the arrows, 40 on each, in the unit of `at`."""
    steps = np.linspace(0, 1, 40)[:, None]
    points = [at[start] * (1 - steps) + at[end] * steps for start, end in arrows]
    return np.concatenate(points) if points else np.empty((0, 2))
