"""The Huffman tree of eight words, drawn from firth's own array."""

from pathlib import Path

import numpy as np
from paper import BLUE, GREY, INK, RED, keep, sheet

from firth.huffman import huffman_tree

WORDS = ["the", "of", "tea", "hot", "cup", "pour", "spoon", "saucer"]
COUNTS = np.array([40, 22, 12, 9, 7, 5, 3, 2])


def draw(path: Path) -> None:
    """Leaves from left to right as the tree has them; code 0 to the left, 1 to the right."""
    tree = huffman_tree(COUNTS)
    V = len(WORDS)
    children = {node: [0, 0] for node in range(V - 1)}
    for entry in (each for each in range(2 * V - 1) if tree[each] >= 0):
        children[int(tree[entry]) >> 1][int(tree[entry]) & 1] = entry
    figure, axes = sheet(height=3.6)
    axes.axis("off")
    places: dict[int, tuple[float, float]] = {}
    leaves = iter(range(V))

    def place(entry: int, depth: int) -> tuple[float, float, int]:
        """Where an entry stands, and what it counts; below it, its children, drawn first."""
        if entry < V:
            x, count = float(next(leaves)), int(COUNTS[entry])
        else:
            below = [place(child, depth + 1) for child in children[entry - V]]
            x, count = (below[0][0] + below[1][0]) / 2, below[0][2] + below[1][2]
            for code, (at, down, _) in enumerate(below):
                axes.plot([x, at], [-depth, down], color=GREY, lw=1.2, zorder=1)
                axes.text((x + at) / 2, (down - depth) / 2, str(code), ha="center", color=RED, fontsize=9,
                          bbox={"fc": "white", "ec": "none", "pad": 0.8})  # fmt: skip
        places[entry] = (x, -depth)
        return x, -depth, count

    def label(entry: int) -> int:
        """Write what an entry counts."""
        x, y = places[entry]
        if entry < V:
            axes.text(x, y - 0.12, f"{WORDS[entry]}\n{COUNTS[entry]}", ha="center", va="top", color=INK)
            return int(COUNTS[entry])
        count = sum(label(child) for child in children[entry - V])
        axes.text(x, y, str(count), ha="center", va="center", color="white", fontsize=8.5, zorder=3,
                  bbox={"boxstyle": "circle", "fc": BLUE, "ec": "none"})  # fmt: skip
        return count

    place(V, 0)
    label(V)
    axes.set(xlim=(-0.6, V - 0.4), ylim=(min(y for _, y in places.values()) - 0.9, 0.4))
    keep(figure, path)
