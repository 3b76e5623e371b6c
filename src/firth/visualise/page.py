"""One HTML file with a map to explore: search, hover, zoom, pan, and each word's neighbours at a click.

It holds all that it needs, plotly's script among it, and a policy that forbids the browser to fetch anything. plotly
draws, with WebGL; `browser/page.js` searches, and shows neighbours.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firth.errors import BadOption, counted, optional
from firth.options import MapOptions, whole
from firth.storage import replaced
from firth.vectors import WordVectors
from firth.vectors.given import several
from firth.visualise.panels import Panel, vectors_of
from firth.visualise.projecting import Projection, project
from firth.visualise.theme import DARK, LIGHT

SUFFIXES = (".html", ".htm")
MOST_WORDS = 65_535  # what numbers of 16 bits tell apart
MOST_NEIGHBOURS = 100
NOTEBOOK_HEIGHT = 640  # pixels


class Page:
    """A finished page.

    Attributes:
        html: the page's text, UTF-8.
        words: how many words are drawn.
    """

    def __init__(self, html: bytes, words: int) -> None:
        self.html = html
        self.words = words

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page; raises `BadOption` unless `path` ends in .html, and `CannotWrite`."""
        check_html(path)
        with replaced(path) as file:
            file.write(self.html)

    def _repr_html_(self) -> str:
        inner = html.escape(self.html.decode("utf-8"))
        return f'<iframe srcdoc="{inner}" style="width: 100%; height: {NOTEBOOK_HEIGHT}px; border: 0"></iframe>'


def draw_page(
    vectors: WordVectors,
    words: Sequence[str] = (),
    path: str | os.PathLike[str] | None = None,
    *,
    groups: Mapping[str, Sequence[str]] | None = None,
    title: str = "",
    topn: int = 10,
    threads: int | None = None,
    **projection: Any,
) -> Page:
    """Draw `words`, and those of `groups`, as a map to explore in a browser, which needs no network.

    A click shows a word's `topn` nearest among those drawn, by the cosine of the whole vectors, not by the map. Words
    that come first are labelled first: give frequent ones first. Up to 65,535 words; the file has about 5 MB, and 60
    bytes more for each word.

    Args:
        vectors: gives vectors, counts and neighbours.
        words: what to draw.
        path: where the page goes, if anywhere: a name that ends in .html.
        groups: words by the name of their group, each in a colour of its own; those of none are grey.
        title: stands above the map.
        topn: how many neighbours a click shows, 100 at most.
        threads: cores to search neighbours with; all that the process may use if not given.
        projection: fields of `MapOptions`: `method`, "pca", "tsne" or "umap"; `perplexity`; `n_neighbors`; `seed`.

    Raises:
        BadOption: too few or too many words, words that all have the same vector, an option out of range, or another
            suffix.
        UnknownWord: words without a vector, all of them named.
        CannotWrite: the page cannot be written; what stood at `path` before still does.
        MissingExtra: plotly or what the method needs is not installed.
    """
    options = MapOptions(**projection)
    topn = whole("topn", topn, at_least=1)
    if topn > MOST_NEIGHBOURS:
        raise BadOption(f"topn must be {MOST_NEIGHBOURS} or less on a page, got {topn}")
    if path is not None:
        check_html(path)
    panel = Panel(words=several("words", words), groups=groups or {})
    drawn = panel.all_words()
    _check(drawn)
    offline = optional("plotly.offline", extra="plot", purpose="a map to explore")
    placed = project(vectors_of(vectors, drawn), options)
    members = {name: some for name, some in panel.members().items() if some}
    if "" in members:  # first, so that all others are drawn over it
        members = {"": members[""]} | members
    data = _data(vectors, drawn, members, placed, topn, threads)
    shown_title = title or counted(len(drawn), "word")
    page = Page(_filled(data | {"method": options.method}, offline.get_plotlyjs(), shown_title), len(drawn))
    if path is not None:
        page.save(path)
    return page


def check_html(path: str | os.PathLike[str]) -> None:
    """Raise `BadOption` for a name that no browser would take for a page."""
    if Path(path).suffix.lower() not in SUFFIXES:
        raise BadOption(f"a map to explore is an HTML page, got {Path(path).name!r}; end its name in .html")


def _check(drawn: Sequence[str]) -> None:
    if len(drawn) < 2:
        raise BadOption(f"a map needs 2 words or more, got {len(drawn)}; give more words")
    if len(drawn) > MOST_WORDS:
        raise BadOption(
            f"a page holds {MOST_WORDS:,} words at most, got {len(drawn):,}; draw the most frequent of them"
        )


# ---- what the page knows ---------------------------------------------------------------------------------


def _data(
    vectors: WordVectors,
    drawn: Sequence[str],
    members: Mapping[str, Sequence[str]],
    placed: Projection,
    topn: int,
    threads: int | None,
) -> dict[str, Any]:
    """Everything that `page.js` reads, arrays as base64 of little-endian numbers."""
    place = {word: number for number, word in enumerate(drawn)}
    group_of = np.empty(len(drawn), "<u2")
    for number, words in enumerate(members.values()):
        group_of[[place[word] for word in words]] = number
    near, cosines = _neighbours(vectors, drawn, place, min(topn, len(drawn) - 1), threads)
    counts = vectors.counts
    return {
        "words": list(drawn),
        "groups": list(members),
        "group": _packed(group_of),
        "x": _packed(placed.points[:, 0].astype("<f4")),
        "y": _packed(placed.points[:, 1].astype("<f4")),
        "near": _packed(near),
        "cosines": _packed(cosines),
        "counts": None if counts is None else [int(counts[vectors.index(word)]) for word in drawn],
        "shares": None if placed.shares is None else [float(share) for share in placed.shares],
        "themes": [asdict(theme) | {"accent": theme.colours[0]} for theme in (LIGHT, DARK)],
    }


def _neighbours(
    vectors: WordVectors, drawn: Sequence[str], place: Mapping[str, int], topn: int, threads: int | None
) -> tuple[NDArray[np.uint16], NDArray[np.int8]]:
    """For each word, the places of the nearest ones drawn and their cosines in hundredths: both (N, topn)."""
    found = vectors.most_similar_batch(drawn, topn, restrict=drawn, threads=threads)
    near = np.array([[place[word] for word, _ in answers] for answers in found], "<u2")
    cosines = np.array([[score for _, score in answers] for answers in found])
    return near, np.rint(100 * cosines).astype(np.int8)


def _packed(array: NDArray[Any]) -> str:
    return base64.b64encode(array.tobytes()).decode("ascii")


# ---- the page --------------------------------------------------------------------------------------------


def _filled(data: Mapping[str, Any], plotly: str, title: str) -> bytes:
    """The page's bytes: its template with everything in its place."""
    parts = {name: _read(name) for name in ("page.html", "page.css", "page.js")}
    script = parts["page.js"]
    filling = {
        "policy": _policy(plotly, script),
        "title": html.escape(title),
        "style": parts["page.css"],
        "data": _as_json(data),
        "plotly": plotly,
        "script": script,
    }
    page = re.sub(r"\{(\w+)\}", lambda match: filling[match[1]], parts["page.html"])
    return page.encode("utf-8", "backslashreplace")  # half a surrogate pair becomes \udcff, which JSON reads as one


def _policy(*scripts: str) -> str:
    """Nothing may be fetched, and no script run but these: not even one that a word managed to smuggle in.

    These two may make functions of strings: plotly's WebGL is written so.
    """
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{each}'" for each in hashes)
    return (
        f"default-src 'none'; script-src {allowed} 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _as_json(data: Mapping[str, Any]) -> str:
    """JSON that may stand within a script element: no "<" can end it."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _read(name: str) -> str:
    return resources.files("firth.visualise").joinpath("browser", name).read_text(encoding="utf-8")
