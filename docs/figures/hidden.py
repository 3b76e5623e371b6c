"""The feed-forward network of chapter 9: four contexts, their sum, 128 units, a score for each word."""

from pathlib import Path

from paper import BLUE, GREY, INK, PALE, RED, keep, sheet


def draw(path: Path) -> None:
    """Boxes as tall as layers are wide, more or less."""
    figure, axes = sheet(height=2.9)
    axes.axis("off")
    axes.set(xlim=(0, 10), ylim=(-2.1, 2.1))
    for place, word in zip((1.35, 0.45, -0.45, -1.35), ("pour", "some", "into", "the"), strict=True):
        axes.text(0.3, place, word, va="center", color=BLUE)
        axes.add_patch(_box(1.3, place - 0.28, 0.9, 0.56))
        axes.annotate("", (3.25, 0), (2.2, place), arrowprops={"arrowstyle": "-", "color": GREY, "lw": 1})
    for left, height, name in ((3.25, 1.1, "sum\n32"), (5.3, 3.0, "hidden\nReLU\n128"), (7.4, 3.8, "scores\n$V$")):
        axes.add_patch(_box(left, -height / 2, 0.95, height))
        axes.text(left + 0.47, 0, name, ha="center", va="center", color=INK, fontsize=9.5)
    for start, end, name in ((4.2, 5.3, "32 × 128"), (6.25, 7.4, "128 × $V$")):
        axes.annotate("", (end, 0), (start, 0), arrowprops={"arrowstyle": "->", "color": GREY})
        axes.text((start + end) / 2, 0.16, name, ha="center", color=GREY, fontsize=8.5)
    axes.text(1.75, 1.85, "$V$ × 32", ha="center", color=GREY, fontsize=8.5)
    axes.annotate("", (9.0, 0), (8.35, 0), arrowprops={"arrowstyle": "->", "color": GREY})
    axes.text(8.67, 0.16, "softmax", ha="center", color=GREY, fontsize=8.5)
    axes.text(9.1, 0, "tea", va="center", color=RED, weight="bold")
    keep(figure, path)


def _box(x: float, y: float, width: float, height: float):
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), width, height, facecolor=PALE, edgecolor=GREY, lw=0.8)
