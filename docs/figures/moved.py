"""Numbers moved for one word of text, by how noise is drawn: counted, not measured."""

from pathlib import Path

from paper import BLUE, GREY, keep, sheet

C, K = 6, 5  # contexts of a dynamic window of five, on average, and noise words
S = K + 1


def draw(path: Path) -> None:
    """Rows read and written for a window of C contexts."""
    ways = {"noise for each pair": 2 * C * (1 + S), "noise for each window": 2 * (C + S)}
    figure, axes = sheet(height=1.7)
    axes.barh(list(ways)[::-1], list(ways.values())[::-1], color=[BLUE, GREY], height=0.6)
    for place, rows in enumerate(reversed(ways.values())):
        axes.text(rows + 1, place, f"{rows} $D$", va="center")
    axes.set(title=f"numbers read and written for one word ({C} contexts, {K} noise words)", xlim=(0, 95), xticks=[])
    axes.spines[["bottom", "left"]].set_visible(False)
    axes.tick_params(length=0)
    keep(figure, path)
