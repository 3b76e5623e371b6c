"""Fonts for words in any script: a label's font is one that has its letters, of those that the machine has.

No font has all scripts, and matplotlib draws boxes for what its usual one lacks. Where a word needs another, the
machine's fonts are looked through for one. matplotlib's list of fonts and its settings stay as they are.
"""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from firth.errors import optional

SHORTEN_TO = 40  # characters of a word that are drawn
MISSING = "\ufffd"
# Faces that a label should not have while there is a plain one.
SPECIAL = re.compile("bold|black|italic|oblique|mono|condensed|light|thin|serif(?!s)|ui|emoji|symbol", re.IGNORECASE)


def shown(word: str, most: int = SHORTEN_TO) -> str:
    """The word as it is drawn: in one line, of so many characters at `most`, and without what no font draws."""
    word = "".join(letter if letter.isprintable() or letter == "\u200d" else MISSING for letter in word)
    return word if len(word) <= most else word[: most - 1] + "…"


class Fonts:
    """The fonts of all that one picture says; warns once of what no font here can show."""

    def __init__(self, texts: Iterable[str]) -> None:
        usual = _letters(_usual())
        self._found: dict[str, Path] = {}
        lacking: dict[str, str] = {}  # letter -> a text that has it
        for text in dict.fromkeys(texts):
            needed = set(text)
            if needed - usual:
                best = max(_system_fonts(), key=lambda path, needed=needed: len(_letters(path) & needed), default=None)  # type: ignore[misc]
                if best is not None and len(_letters(best) & needed) > len(usual & needed):
                    self._found[text] = best
                has = _letters(self._found[text]) if text in self._found else usual
                lacking |= dict.fromkeys(sorted(needed - has), text)
        if lacking:
            _warn(lacking)

    def of(self, text: str, points: float, weight: str = "normal") -> Any:
        """The font that shows a text, as matplotlib's properties: the usual one unless that lacks letters."""
        manager = optional("matplotlib.font_manager", extra="viz", purpose="drawing")
        return manager.FontProperties(fname=self._found.get(text), size=points, weight=weight)

    def put(self, text: Any) -> None:
        """Have a text of matplotlib's show what it says as it stands, without mathematics, in a font of its letters."""
        text.set_parse_math(False)
        if text.get_text() in self._found:
            text.set_font_properties(self.of(text.get_text(), text.get_fontsize(), text.get_fontweight()))


@contextlib.contextmanager
def boxes_accepted() -> Iterator[None]:
    """Keeps matplotlib from warning at each letter and each drawing of what `Fonts` has warned of."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font", UserWarning)
        yield


def _warn(lacking: dict[str, str]) -> None:
    letters, words = "".join(sorted(lacking)), list(dict.fromkeys(lacking.values()))
    more = f" and {len(words) - 3} more" if len(words) > 3 else ""
    warnings.warn(
        f"no font on this machine has all letters of {', '.join(map(repr, words[:3]))}{more}, so boxes will stand for "
        f"{letters[:20]!r}; install one that does, such as Noto (on Debian: fonts-noto-core, for Chinese, Japanese and "
        "Korean fonts-noto-cjk)",
        stacklevel=4,
    )


def _usual() -> Path:
    """The font that matplotlib is set to."""
    manager = optional("matplotlib.font_manager", extra="viz", purpose="drawing")
    return Path(manager.findfont(manager.FontProperties()))


@cache
def _system_fonts() -> Sequence[Path]:
    """All fonts of this machine, plain ones first.

    They are looked for once in each process, as matplotlib's own list may be older than what was installed since.
    """
    manager = optional("matplotlib.font_manager", extra="viz", purpose="drawing")
    paths = {Path(each) for each in manager.findSystemFonts()}
    return sorted(paths, key=lambda path: (len(SPECIAL.findall(path.stem)), len(path.stem), path.name))


@cache
def _letters(path: Path) -> frozenset[str]:
    """The letters that a font has; none where it cannot be read, as fonts of bitmaps."""
    ft2font: Any = optional("matplotlib.ft2font", extra="viz", purpose="drawing")
    try:
        return frozenset(map(chr, ft2font.FT2Font(str(path)).get_charmap()))
    except (RuntimeError, OSError, ValueError):
        return frozenset()
