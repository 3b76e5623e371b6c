"""Colours of pictures, on light and on dark paper."""

from __future__ import annotations

from dataclasses import dataclass

# Okabe and Ito's palette for every kind of colour vision (2008), less black and a yellow too pale for paper; then four
# darker ones of Paul Tol's.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#882255", "#999933", "#332288", "#7A5230")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")  # no divisor in common with colours: 70 groups before a pair comes twice
INK, GREY, PALE = "#222222", "#767676", "#D0D0D0"


@dataclass(frozen=True)
class Theme:
    """What is drawn in which colour."""

    paper: str
    ink: str
    grey: str  # what explains
    pale: str  # frames
    line: str  # from a label to its mark
    arrow: str
    colours: tuple[str, ...]

    def of_group(self, number: int) -> tuple[str, str]:
        """Colour and marker of a group."""
        return self.colours[number % len(self.colours)], MARKERS[number % len(MARKERS)]

    def of_label(self, colour: str) -> str:
        """A colour halfway to the ink, so that thin letters in it can be read."""
        return mixed(colour, self.ink, 0.5)

    def readable_on(self, colour: str) -> str:
        """Ink or paper, whichever stands out more from a colour."""
        own = luminance(colour)
        return max(self.ink, self.paper, key=lambda each: contrast(own, luminance(each)))


def luminance(colour: str) -> float:
    """The relative luminance of an sRGB colour, #rrggbb, from 0 for black to 1 for white (WCAG 2.1)."""
    parts = [value / 255 for value in bytes.fromhex(colour[1:])]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: float, other: float) -> float:
    """The contrast of two luminances, from 1 to 21; 4.5 and more is good to read (WCAG 2.1)."""
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


def mixed(one: str, other: str, share: float) -> str:
    """The colour between two: `share` of the other. Colours are #rrggbb."""
    channels = zip(bytes.fromhex(one[1:]), bytes.fromhex(other[1:]), strict=True)
    return "#" + bytes(round(a + share * (b - a)) for a, b in channels).hex()


LIGHT = Theme("#ffffff", INK, GREY, PALE, "#B8B8B8", "#A8A8A8", COLOURS)
DARK = Theme(
    "#15181c",
    "#e8e8e8",
    "#9aa0a6",
    "#3c4248",
    "#5d646b",
    "#747b82",
    ("#56B4E9", "#E69F00", "#2EC4A0", "#F0A0CC", "#F0E442", "#FF8A4C", "#D08CFF", "#B8C464", "#8FA0FF", "#C9A27E"),
)


def theme_for(dark: bool) -> Theme:
    """The theme on light or on dark paper."""
    return DARK if dark else LIGHT
