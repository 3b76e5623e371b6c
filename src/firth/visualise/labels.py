"""Where labels stand: beside what they name, over nothing else.

On a map of 200 words by t-SNE, adjustText left 58 pairs of labels on top of each other; textalloc left none, as this
does, but led labels away by lines several times as long.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

RINGS = np.array([0.2, 0.5, 0.9, 1.4, 2.0, 2.7, 3.5, 4.5])  # gaps to try, in heights of a label
DIRECTIONS = 16  # around each anchor
SIDEWAYS = 0.25  # above or below costs this gap more than beside: a word reads on from its mark
LINE_COST = 0.35  # as does each point of a line covered
STRANGER_COST = 1.0  # and each height by which another mark is nearer than the label's own
CROSSING_COST = 1.0  # and each of the points on the way to its mark that lies on another label or mark
WAY = np.linspace(0, 1, 10)[1:-1]


def place_labels(
    anchors: Floats, sizes: Floats, frame: Floats, *, clearance: float, lines: Floats, marks: Floats | None = None
) -> Floats:
    """Centres (N, 2) for N labels, each near its anchor, in the unit of the arguments.

    No label overlaps another, comes within `clearance` of an anchor or leaves the frame; of the places left
    the nearest wins, but those put back that cover lines, are nearer to another's mark, or lie behind another label.
    Greedy, the most crowded anchor first.

    Args:
        anchors: (N, 2), the points to label.
        sizes: (N, 2), width and height of each label.
        frame: left, bottom, right, top.
        clearance: the radius of the mark that stands on each anchor.
        lines: (M, 2), points along lines that are better left visible.
        marks: (K, 2), marks without a label.

    Returns:
        The centres; NaN for a label that has no room.
    """
    centres = np.full(anchors.shape, np.nan)
    points = anchors if marks is None else np.vstack([anchors, marks])
    taken, along = np.hstack([points - clearance, points + clearance]), np.hstack([lines, lines])
    for i in _most_crowded_first(anchors):
        places, cost = _places_around(anchors[i], sizes[i], clearance)
        boxes = np.hstack([places - sizes[i] / 2, places + sizes[i] / 2])
        obstacles = _near(boxes, taken)
        cost[_overlaps(boxes, obstacles).any(axis=1) | ~_within(boxes, frame)] = np.inf
        free = np.flatnonzero(np.isfinite(cost))
        if len(free):
            boxes, cost = boxes[free], cost[free]
            cost += LINE_COST * _overlaps(boxes, _near(boxes, along)).sum(axis=1)
            cost += STRANGER_COST * _nearer_strangers(boxes, anchors[i], obstacles, clearance) / sizes[i, 1]
            cost += CROSSING_COST * _crossed(places[free], sizes[i], anchors[i], obstacles, clearance)
            best = int(cost.argmin())
            centres[i] = places[free[best]]
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


def _nearer_strangers(boxes: Floats, anchor: Floats, obstacles: Floats, clearance: float) -> Floats:
    """For each box, how much nearer to it than its own anchor the nearest of the others' marks is; 0 where none is."""
    middles = (obstacles[:, :2] + obstacles[:, 2:]) / 2
    is_mark = np.isclose(obstacles[:, 2] - obstacles[:, 0], 2 * clearance) & ~np.isclose(middles, anchor).all(axis=1)
    own, others = _gaps(boxes, anchor[None, :])[:, 0], _gaps(boxes, middles[is_mark])
    return np.asarray(np.maximum(own - others.min(axis=1, initial=np.inf), 0))


def _gaps(boxes: Floats, points: Floats) -> Floats:
    """The distance of each of A boxes to each of B points: (A, B), 0 within."""
    outside = np.maximum(boxes[:, None, :2] - points[None], points[None] - boxes[:, None, 2:])
    return np.asarray(np.linalg.norm(np.maximum(outside, 0), axis=2))


def _crossed(places: Floats, size: Floats, anchor: Floats, obstacles: Floats, clearance: float) -> Floats:
    """For each place, how many points of the way from its label's edge to the anchor lie on an obstacle."""
    edges = np.clip(anchor, places - size / 2, places + size / 2)
    ways = edges[:, None] * (1 - WAY)[None, :, None] + anchor * WAY[None, :, None]
    others = obstacles[~np.isclose((obstacles[:, :2] + obstacles[:, 2:]) / 2, anchor).all(axis=1)]
    points = ways.reshape(-1, 2)
    near = np.abs(ways - anchor).max(axis=2).ravel() <= clearance  # within its own mark nothing is crossed
    hit = _overlaps(np.hstack([points, points]), others).any(axis=1) & ~near
    return np.asarray(hit.reshape(len(places), -1).sum(axis=1), np.float64)


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
