"""Fonts for words in any script: a label's font is one that has its letters, of those that the machine has.

No font has all scripts, and matplotlib draws boxes for what its usual one lacks. Where a word needs another, the
machine's fonts are looked through for one. matplotlib's list of fonts and its settings stay as they are.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
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


def fonts_for(texts: Iterable[str]) -> dict[str, Path]:
    """The font file for each of the texts that the usual font cannot show whole; warns where none can.

    Letters that no font here has are drawn as boxes; the warning names them, and what to install.
    """
    usual = _letters(_usual())
    found: dict[str, Path] = {}
    lacking: dict[str, str] = {}  # letter -> a word that has it
    for text in dict.fromkeys(texts):
        needed = set(text) - usual
        if needed:
            best = max(_system_fonts(), key=lambda path, text=text: len(_letters(path) & set(text)), default=None)  # type: ignore[misc]
            has: frozenset[str] = _letters(best) if best else frozenset()
            if best and len(has & set(text)) > len(usual & set(text)):
                found[text], needed = best, set(text) - has
            lacking |= {letter: text for letter in needed}
    if lacking:
        _warn(lacking)
    return found


def _warn(lacking: dict[str, str]) -> None:
    letters, words = "".join(sorted(lacking)), list(dict.fromkeys(lacking.values()))
    more = f" and {len(words) - 3} more" if len(words) > 3 else ""
    warnings.warn(
        f"no font on this machine has {letters[:20]!r}, so {', '.join(map(repr, words[:3]))}{more} will show boxes; "
        "install one that does, such as Noto (on Debian: fonts-noto-core, for Chinese, Japanese and Korean "
        "fonts-noto-cjk)",
        stacklevel=6,
    )


def _usual() -> Path:
    """The font that matplotlib is set to."""
    manager = optional("matplotlib.font_manager", extra="viz", purpose="drawing")
    return Path(manager.findfont(manager.FontProperties()))


def _system_fonts() -> Sequence[Path]:
    """All fonts of this machine, plain ones first.

    They are looked for anew, as matplotlib's own list may be older than what was installed since.
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
