"""A window of two words to each side, as it moves along a sentence."""

from pathlib import Path

from matplotlib.patches import FancyBboxPatch
from paper import BLUE, GREY, RED, keep, sheet

SENTENCE = ["in", "the", "morning", "she", "drinks", "hot", "tea"]
REACH = 2


def draw(path: Path) -> None:
    """The sentence once for each of three centres, contexts and centre in colour, pairs beside it."""
    figure, axes = sheet(height=2.6)
    axes.set(xlim=(-0.1, 11.3), ylim=(-2.7, 0.8))
    axes.axis("off")
    for line, centre in enumerate([3, 4, 6]):
        for place, word in enumerate(SENTENCE):
            near = 0 < abs(place - centre) <= REACH
            colour = RED if place == centre else BLUE if near else GREY
            box = FancyBboxPatch(
                (place + 0.06, -line - 0.28), 0.88, 0.56, "round,pad=0,rounding_size=0.1",
                facecolor=colour if place == centre or near else "none", alpha=0.18, edgecolor="none",
            )  # fmt: skip
            axes.add_patch(box)
            weight = "bold" if place == centre else "normal"
            axes.text(place + 0.5, -line, word, ha="center", va="center", color=colour, weight=weight)
        contexts = [word for place, word in enumerate(SENTENCE) if 0 < abs(place - centre) <= REACH]
        axes.text(7.3, -line, ", ".join(contexts), va="center", color=BLUE)
        axes.text(11.2, -line, f"→ {SENTENCE[centre]}", va="center", ha="right", color=RED, weight="bold")
    axes.text(7.3, 0.62, "contexts", color=BLUE)
    axes.text(11.2, 0.62, "centre", color=RED, ha="right")
    keep(figure, path)
