"""Maps of words on paper: vectors -> two principal components -> a picture whose labels can all be read.

A map may have several panels, each with its own components. Those of countries and capitals show what the
pairs have in common far better than components of many words, which mostly tell kinds of words apart.
"""

from __future__ import annotations

import math
import os
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from firth.errors import BadOption, CannotWrite, UnknownWord, optional

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]

FORMATS = (".png", ".svg", ".pdf")
# Okabe and Ito's palette for every kind of colour vision (2008), less black and a yellow too pale for paper.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")  # one more than colours: 42 groups before a pair comes twice
INK, GREY, PALE = "#222222", "#767676", "#D0D0D0"
PANEL_INCHES = (6.4, 5.6)  # up to PANEL_WORDS; the area grows with the words beyond
PANEL_WORDS = 40
DOTS_PER_INCH = 150
LABEL_POINTS = 9.5
MARKER_POINTS = 6.5
FAR_POINTS = 9  # from this gap on a fine line ties a label to its mark


class Vectors(Protocol):
    """Anything that knows which words it has, and their vectors."""

    def __contains__(self, word: str, /) -> bool:
        """Whether `word` has a vector."""

    def __getitem__(self, word: str, /) -> NDArray[np.float32]:
        """The vector of `word`."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One map: its words, those among them that form named groups, and arrows from word to word."""

    words: Sequence[str] = ()
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    arrows: Sequence[tuple[str, str]] = ()
    title: str = ""

    @classmethod
    def of_pairs(cls, names: tuple[str, str], pairs: Sequence[tuple[str, str]], title: str = "") -> Panel:
        """A group of all first words and one of all second words, with the arrows between them."""
        groups = {name: [pair[column] for pair in pairs] for column, name in enumerate(names)}
        return cls(groups=groups, arrows=pairs, title=title)

    def all_words(self) -> list[str]:
        """Each word of the panel once: from `words`, the groups and the arrows."""
        return list(
            dict.fromkeys([*self.words, *chain.from_iterable(self.groups.values()), *chain.from_iterable(self.arrows)])
        )

    def members(self) -> dict[str, list[str]]:
        """The words of each group, a word of two groups in the first, and those of none under the name ''."""
        group_of: dict[str, str] = {}
        for name, words in self.groups.items():
            for word in words:
                group_of.setdefault(word, name)
        members: dict[str, list[str]] = {name: [] for name in self.groups}
        for word in self.all_words():
            members.setdefault(group_of.get(word, ""), []).append(word)
        return members


def draw_map(
    vectors: Vectors,
    words: Sequence[str],
    path: str | os.PathLike[str],
    *,
    groups: Mapping[str, Sequence[str]] | None = None,
    arrows: Sequence[tuple[str, str]] = (),
    title: str = "",
) -> None:
    """Draw `words`, and those of `groups` and `arrows`, on one map; see `draw_panels`."""
    draw_panels(vectors, [Panel(words=words, groups=groups or {}, arrows=arrows, title=title)], path)


def draw_panels(vectors: Vectors, panels: Sequence[Panel], path: str | os.PathLike[str], *, title: str = "") -> None:
    """Draw each panel on the first two principal components of its words' vectors, scaled to unit length.

    Each axis has a scale of its own and tells its share of the variance; the mean arrow points right and up.

    Args:
        vectors: gives the vector of each word.
        panels: what to draw, left to right, then down.
        path: where the picture goes; its suffix says the format: .png, .svg or .pdf.
        title: stands above all panels.

    Raises:
        BadOption: no panel, a panel of fewer than two words, or a suffix of no known format.
        UnknownWord: words without a vector, all of them named.
        CannotWrite: the picture cannot be written; what stood at `path` before still does.
        MissingExtra: matplotlib is not installed.
    """
    target = Path(path)
    _check(vectors, panels, target)
    figure, all_axes = _new_figure(panels, title)
    coordinates = [_draw_panel(axes, panel, vectors) for axes, panel in zip(all_axes, panels, strict=True)]
    figure.draw_without_rendering()  # fixes where the axes lie on the page, which labels are placed by
    figure.set_layout_engine("none")
    for axes, panel, where in zip(all_axes, panels, coordinates, strict=True):
        _draw_labels(axes, panel, where)
    _save(figure, target)


def principal_components(matrix: NDArray[Any], count: int = 2) -> tuple[Floats, Floats]:
    """Coordinates of the rows of `matrix` on its first `count` principal components, and explained shares.

    Given (N, D), returns (N, `count`) and (`count`,), both float64: the share is the component's part of the
    total variance. A component's sign makes its largest coordinate positive; those beyond the rank are zero.
    """
    centred = np.asarray(matrix, np.float64) - np.mean(matrix, axis=0, dtype=np.float64)
    left, spread, _ = np.linalg.svd(centred, full_matrices=False)
    kept = min(count, len(spread))
    coordinates, shares = np.zeros((len(centred), count)), np.zeros(count)
    coordinates[:, :kept] = left[:, :kept] * spread[:kept]
    shares[:kept] = spread[:kept] ** 2 / max(float(spread @ spread), np.finfo(float).tiny)
    largest = np.abs(coordinates).argmax(axis=0)
    return coordinates * np.where(coordinates[largest, range(count)] < 0, -1.0, 1.0), shares


# ---- labels ----------------------------------------------------------------------------------------------

RINGS = np.array([0.2, 0.5, 0.9, 1.4, 2.0, 2.7, 3.5, 4.5])  # gaps to try, in heights of a label
DIRECTIONS = 16  # around each anchor
SIDEWAYS = 0.25  # above or below costs this gap more than beside: a word reads on from its mark
LINE_COST = 0.35  # as does each point of a line covered


def place_labels(anchors: Floats, sizes: Floats, frame: Floats, *, clearance: float, lines: Floats) -> Floats:
    """Centres (N, 2) for N labels, each near its anchor, in the unit of the arguments.

    No label overlaps another, comes within `clearance` of an anchor or leaves the frame; of the places left
    the nearest wins, those that cover lines put back. Greedy, the most crowded anchor first.

    Args:
        anchors: (N, 2), the points to label.
        sizes: (N, 2), width and height of each label.
        frame: left, bottom, right, top.
        clearance: the radius of the mark that stands on each anchor.
        lines: (M, 2), points along lines that are better left visible.

    Returns:
        The centres; NaN for a label that has no room.
    """
    centres = np.full(anchors.shape, np.nan)
    taken, along = np.hstack([anchors - clearance, anchors + clearance]), np.hstack([lines, lines])
    for i in _most_crowded_first(anchors):
        places, cost = _places_around(anchors[i], sizes[i], clearance)
        boxes = np.hstack([places - sizes[i] / 2, places + sizes[i] / 2])
        cost += LINE_COST * _overlaps(boxes, _near(boxes, along)).sum(axis=1)
        cost[_overlaps(boxes, _near(boxes, taken)).any(axis=1) | ~_within(boxes, frame)] = np.inf
        best = int(cost.argmin())
        if np.isfinite(cost[best]):
            centres[i] = places[best]
            taken = np.vstack([taken, boxes[best]])
    return centres


def _places_around(anchor: Floats, size: Floats, clearance: float) -> tuple[Floats, Floats]:
    """Centres for one label, ring by ring around its anchor, and the cost of each, in heights of it."""
    angles = np.arange(DIRECTIONS) * 2 * math.pi / DIRECTIONS
    ways = np.column_stack([np.cos(angles), np.sin(angles)])
    ways = ways / np.abs(ways).max(axis=1, keepdims=True)  # onto a square: the box touches its anchor's mark
    ways, gaps = np.tile(ways, (len(RINGS), 1)), np.repeat(RINGS, DIRECTIONS)
    reach = size / 2 + clearance + (gaps * size[1])[:, None]
    return anchor + ways * reach, gaps + SIDEWAYS * np.abs(ways[:, 1])


def _most_crowded_first(anchors: Floats) -> NDArray[np.intp]:
    distances = np.linalg.norm(anchors[:, None] - anchors[None, :], axis=2)
    np.fill_diagonal(distances, np.inf)
    return np.argsort(distances.min(axis=1), kind="stable")


def _overlaps(boxes: Floats, others: Floats) -> NDArray[np.bool_]:
    """Whether each of A boxes (left, bottom, right, top) overlaps each of B others: (A, B)."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    return np.asarray((low <= high).all(axis=2))


def _near(boxes: Floats, others: Floats) -> Floats:
    """Those of the others that overlap the smallest box around all `boxes`: the only ones to look at."""
    around = np.hstack([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])
    return np.asarray(others[_overlaps(around[None, :], others)[0]])


def _within(boxes: Floats, frame: Floats) -> NDArray[np.bool_]:
    return np.asarray(((boxes[:, :2] >= frame[:2]) & (boxes[:, 2:] <= frame[2:])).all(axis=1))


# ---- drawing ---------------------------------------------------------------------------------------------


def _new_figure(panels: Sequence[Panel], title: str) -> tuple[Any, list[Any]]:
    """A figure with axes for each panel, made without pyplot and so without global state."""
    matplotlib = optional("matplotlib.figure", extra="viz", purpose="drawing a map")
    agg = optional("matplotlib.backends.backend_agg", extra="viz", purpose="drawing a map")
    count = len(panels)
    columns = min(count, 2 if count <= 4 else 3)
    rows = math.ceil(count / columns)
    larger = math.sqrt(max(1.0, max(len(panel.all_words()) for panel in panels) / PANEL_WORDS))
    inches = (columns * PANEL_INCHES[0] * larger, rows * PANEL_INCHES[1] * larger + 0.5 * bool(title))
    figure = matplotlib.Figure(figsize=inches, dpi=DOTS_PER_INCH, layout="constrained", facecolor="white")
    agg.FigureCanvasAgg(figure)
    figure.get_layout_engine().set(w_pad=0.15, h_pad=0.15)
    if title:
        figure.suptitle(title, x=0.5, fontsize=17, fontweight="bold", color=INK, parse_math=False)
    return figure, [figure.add_subplot(rows, columns, place + 1) for place in range(count)]


def _draw_panel(axes: Any, panel: Panel, vectors: Vectors) -> dict[str, Floats]:
    """Draw all but the labels; returns where each word stands."""
    words = panel.all_words()
    rows = np.stack([np.asarray(vectors[word], np.float64) for word in words])
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    coordinates, shares = principal_components(rows / np.where(lengths > 0, lengths, 1.0))
    where = _facing_right(dict(zip(words, coordinates, strict=True)), panel.arrows)
    _draw_frame(axes, panel.title, shares)
    _draw_arrows(axes, panel.arrows, where)
    _draw_marks(axes, panel, where)
    return where


def _facing_right(where: Mapping[str, Floats], arrows: Sequence[tuple[str, str]]) -> dict[str, Floats]:
    """The same map, mirrored where needed so that the mean arrow points right and up."""
    mean = sum((where[end] - where[start] for start, end in arrows), np.zeros(2))
    return {word: np.where(mean < 0, -point, point) for word, point in where.items()}


def _draw_frame(axes: Any, title: str, shares: Floats) -> None:
    axes.set(xticks=[], yticks=[])
    axes.margins(0.16, 0.09)
    axes.spines[:].set_color(PALE)
    style = {"color": GREY, "fontsize": 9}
    axes.set_xlabel(f"first component, {shares[0]:.0%} of the variance", **style)
    axes.set_ylabel(f"second component, {shares[1]:.0%}", **style)
    axes.set_title(title, loc="left", fontsize=13, fontweight="bold", color=INK, parse_math=False)


def _draw_arrows(axes: Any, arrows: Sequence[tuple[str, str]], where: Mapping[str, Floats]) -> None:
    look = {
        "arrowstyle": "-|>",
        "color": "#A8A8A8",
        "lw": 1.1,
        "shrinkA": 4,
        "shrinkB": 5,
        "mutation_scale": 11,
    }
    for start, end in arrows:
        axes.annotate("", xy=where[end], xytext=where[start], arrowprops=look, zorder=1)


def _draw_marks(axes: Any, panel: Panel, where: Mapping[str, Floats]) -> None:
    for number, (name, words) in enumerate(panel.members().items()):
        colour = COLOURS[number % len(COLOURS)] if name else GREY
        marker = MARKERS[number % len(MARKERS)] if name else "o"
        look = {"color": colour, "marker": marker, "ms": MARKER_POINTS, "mec": "white", "mew": 0.6, "ls": ""}
        points = np.array([where[word] for word in words]).reshape(-1, 2)
        axes.plot(*points.T, **look, zorder=2, label=name or "other")
    if panel.groups:
        legend = axes.legend(
            axes.lines,
            [line.get_label() for line in axes.lines],
            loc="upper center",
            bbox_to_anchor=(0.5, 0),
            borderaxespad=2.2,
            ncols=4,
            frameon=False,
        )
        for text in legend.get_texts():
            text.set(color=INK, parse_math=False)


def _draw_labels(axes: Any, panel: Panel, where: Mapping[str, Floats]) -> None:
    """Write each word next to its mark, with a fine line to it where it had to stand away."""
    pixels = DOTS_PER_INCH / 72  # in a point
    anchors = axes.transData.transform(np.stack(list(where.values())))
    sizes = _sizes(axes, list(where)) + 2 * pixels
    centres = place_labels(
        anchors,
        sizes,
        np.array(axes.get_window_extent().extents),
        clearance=MARKER_POINTS / 2 * pixels,
        lines=_points_along(panel.arrows, dict(zip(where, anchors, strict=True))),
    )
    gaps = np.linalg.norm(np.maximum(np.abs(centres - anchors) - sizes / 2, 0), axis=1)
    for i, (word, point) in enumerate(where.items()):
        if np.isfinite(gaps[i]):
            offset = (centres[i] - anchors[i]) / pixels
            _write(axes, word, point, offset, far=bool(gaps[i] > FAR_POINTS * pixels))
    left_out = int(np.isnan(gaps).sum())
    if left_out:
        note = f"no room for {left_out} of {len(where)} labels"
        axes.text(0.99, 0.01, note, transform=axes.transAxes, ha="right", color=GREY, fontsize=8)


def _sizes(axes: Any, words: Sequence[str]) -> Floats:
    """Width and height of each word in pixels, all of the height of the tallest."""
    text = axes.text(0, 0, "", fontsize=LABEL_POINTS, parse_math=False)
    sizes = []
    for word in words:
        text.set_text(word)
        sizes.append(text.get_window_extent().size)
    text.remove()
    return np.column_stack([np.array(sizes)[:, 0], np.full(len(words), np.max(sizes, axis=0)[1])])


def _write(axes: Any, word: str, point: Floats, offset: Floats, *, far: bool) -> None:
    """One label, its centre `offset` points away from `point`."""
    axes.annotate(
        word,
        xy=point,
        xytext=offset,
        textcoords="offset points",
        arrowprops={"arrowstyle": "-", "color": "#B8B8B8", "lw": 0.8, "shrinkA": 0, "shrinkB": 4} if far else None,
        ha="center",
        va="center",
        fontsize=LABEL_POINTS,
        color=INK,
        parse_math=False,
    )


def _points_along(arrows: Sequence[tuple[str, str]], at: Mapping[str, Floats]) -> Floats:
    """(M, 2) points along the arrows, 40 on each, in the unit of `at`."""
    steps = np.linspace(0, 1, 40)[:, None]
    points = [at[start] * (1 - steps) + at[end] * steps for start, end in arrows]
    return np.concatenate(points) if points else np.empty((0, 2))


# ---- checks and files ------------------------------------------------------------------------------------


def _check(vectors: Vectors, panels: Sequence[Panel], target: Path) -> None:
    if target.suffix.lower() not in FORMATS:
        known = ", ".join(FORMATS)
        raise BadOption(f"a map is drawn as one of {known}, got {target.name!r}; end its name in one of these")
    if not panels:
        raise BadOption("a map needs one panel or more, got none; give the words to draw")
    for panel in panels:
        count = len(panel.all_words())
        if count < 2:
            raise BadOption(f"a map needs 2 words or more, got {count}; give more words")
    unknown = dict.fromkeys(word for panel in panels for word in panel.all_words() if word not in vectors)
    if unknown:
        raise UnknownWord(f"no vector for {', '.join(map(repr, unknown))}; leave out the words not in the model")


def _save(figure: Any, target: Path) -> None:
    """Write under a temporary name beside `target`, then rename."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        figure.savefig(temporary, format=target.suffix[1:].lower())
        temporary.replace(target)
    except OSError as error:
        raise CannotWrite(
            f"cannot write {target}: {error.strerror or error}; check the folder and its space"
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink()
