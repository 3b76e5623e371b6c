"""What `firth plot` draws: words chosen in one of several ways, as one of several pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from firth.errors import BadOption
from firth.options import whole
from firth.storage import AnyPath, check_writable
from firth.vectors import WordVectors, word_vectors
from firth.vectors.given import several
from firth.visualise.choosing import neighbourhoods, read_groups
from firth.visualise.heat import Order, draw_heatmap
from firth.visualise.maps import draw_map
from firth.visualise.page import SUFFIXES, Page, draw_page
from firth.visualise.panels import Panel, vectors_of
from firth.visualise.parallelograms import draw_analogies
from firth.visualise.picture import Picture, check_suffix

Kind: TypeAlias = Literal["map", "heatmap", "analogies"]


def plot(
    vectors: WordVectors,
    words: Sequence[str] = (),
    path: AnyPath | None = None,
    *,
    kind: Kind = "map",
    around: int | None = None,
    most: int | None = None,
    groups: AnyPath | Mapping[str, Sequence[str]] | None = None,
    pairs: bool = False,
    order: Order = "clusters",
    title: str = "",
    dark: bool = False,
    topn: int = 10,
    threads: int | None = None,
    **projection: Any,
) -> Picture | Page:
    """Draw words as a map on paper or to explore, as a heat map of their cosines, or as analogies.

    Args:
        vectors: gives vectors and neighbours.
        words: which words.
        path: where to write it: .png, .svg or .pdf, or .html for a map to explore. Without, a picture is given.
        kind: "map"; "heatmap"; or "analogies", of words in threes (the fourth is found) or of four.
        around: with each word, draw so many of its nearest, in a colour of its own.
        most: draw so many of the most frequent words.
        groups: words by the name of their group, or a file with a word, a tab and its group on each line. Gives colours
            to the words drawn; where nothing else says which to draw, it is all of these.
        pairs: words come in pairs, with an arrow from the first to the second.
        order: of a heat map, "clusters" or "given".
        title: stands above.
        dark: light letters on dark paper; a map to explore follows the browser.
        topn: on a map to explore, how many neighbours a click shows.
        threads: cores to search with; all that the process may use if not given.
        projection: fields of `MapOptions`: `method`, "pca", "tsne" or "umap"; `perplexity`; `n_neighbors`; `seed`.

    Raises:
        BadOption, UnknownWord, CannotWrite, MissingExtra: as `draw_map`, `draw_page`, `draw_heatmap` and
            `draw_analogies` do; nothing to draw; or options that do not go together.
        MissingFile, BadFile: the file of groups cannot be read.
    """
    vectors, words = word_vectors(vectors), several("words", words)
    explore = path is not None and Path(path).suffix.lower() in SUFFIXES
    _check(kind, words, explore=explore, pairs=pairs, around=around, path=path)
    if kind == "analogies":
        return draw_analogies(vectors, _analogies(words), path, title=title, dark=dark, threads=threads)
    panel = _chosen(vectors, words, around=around, most=most, groups=groups, pairs=pairs, threads=threads)
    if kind == "heatmap":
        return draw_heatmap(vectors, panel.all_words(), path, order=order, title=title, dark=dark)
    if explore:
        return draw_page(
            vectors, panel.words, path, groups=panel.groups, title=title, topn=topn, threads=threads, **projection
        )
    return draw_map(
        vectors, panel.words, path, groups=panel.groups, arrows=panel.arrows, title=title, dark=dark, **projection
    )


def _check(
    kind: str, words: Sequence[str], *, explore: bool, pairs: bool, around: int | None, path: AnyPath | None
) -> None:
    if kind not in get_args(Kind):
        raise BadOption(f"kind must be one of {', '.join(get_args(Kind))}; got {kind!r}")
    if explore and (kind != "map" or pairs):
        what = "arrows" if kind == "map" else f"a picture of kind {kind}"
        raise BadOption(f"{what} cannot be drawn as a page to explore; end its name in .png, .svg or .pdf")
    if path is not None:
        if not explore and Path(path).suffix.lower() not in SUFFIXES:
            check_suffix(path, ", or .html to explore")
        check_writable(path)
    if pairs and (len(words) % 2 or around is not None):
        found = f"{len(words)} words" if len(words) % 2 else "neighbours around them as well"
        raise BadOption(f"pairs are words two by two and nothing else, got {found}; give france paris italy rome, say")


def _analogies(words: Sequence[str]) -> list[Sequence[str]]:
    if len(words) == 4:
        return [words]
    if not words or len(words) % 3:
        raise BadOption(
            f"analogies take words in threes, or four, got {len(words)}; give man woman king france paris italy, say"
        )
    return [words[first : first + 3] for first in range(0, len(words), 3)]


def _chosen(
    vectors: WordVectors,
    words: Sequence[str],
    *,
    around: int | None,
    most: int | None,
    groups: AnyPath | Mapping[str, Sequence[str]] | None,
    pairs: bool,
    threads: int | None,
) -> Panel:
    """The words to draw, frequent ones first where a number of them is asked for, and their groups and arrows."""
    given = groups if groups is None or isinstance(groups, Mapping) else read_groups(groups)
    arrows: list[tuple[str, str]] = []
    colours: Mapping[str, Sequence[str]] = {}
    if pairs:
        arrows = list(zip(words[::2], words[1::2], strict=True))
        colours = {"first": words[::2], "second": words[1::2]}
    elif around is not None and words:
        colours = neighbourhoods(vectors, words, whole("around", around, at_least=1), threads=threads)
    frequent = () if most is None else vectors.words[: whole("most", most, at_least=1)]
    drawn = list(dict.fromkeys([*words, *chain.from_iterable(colours.values()), *frequent]))
    if given is not None and drawn:
        wanted = set(drawn)
        colours = {name: some for name, all_ in given.items() if (some := [word for word in all_ if word in wanted])}
    elif given is not None:
        colours, drawn = given, list(chain.from_iterable(given.values()))
    if not drawn:
        raise BadOption(
            "there is nothing to draw; give words, a number of the most frequent ones (most), or a file of groups"
        )
    if around is not None and not words:
        raise BadOption(f"around draws the {around} words nearest to each of some words, got no words; give some")
    vectors_of(vectors, drawn)
    return Panel(words=drawn, groups=colours, arrows=arrows)
