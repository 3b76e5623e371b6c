"""Which words are drawn, and in which groups: neighbourhoods of words, or what a file says."""

from __future__ import annotations

from collections.abc import Sequence

from firth.errors import BadFile, BadOption
from firth.options import whole
from firth.storage import AnyPath, opened
from firth.vectors import WordVectors
from firth.vectors.given import several
from firth.visualise.panels import vectors_of


def neighbourhoods(
    vectors: WordVectors,
    words: Sequence[str],
    topn: int = 10,
    *,
    restrict: int | None = None,
    threads: int | None = None,
) -> dict[str, list[str]]:
    """Each of the words with its `topn` nearest ones, as groups to draw; a word near to several is with the nearest.

    `restrict` answers from so many of the most frequent words.

    Raises:
        UnknownWord: words have no vector.
        BadOption: no word, or `topn`, `restrict` or `threads` out of range.
    """
    listed = list(dict.fromkeys(several("words", words)))
    if not listed:
        raise BadOption("neighbourhoods are those of words, got none; give one word or more")
    whole("topn", topn, at_least=1)
    vectors_of(vectors, listed)
    nearest = vectors.most_similar_batch(listed, topn, restrict=restrict, threads=threads)
    best: dict[str, tuple[float, str]] = {word: (2.0, word) for word in listed}  # above any cosine
    for word, found in zip(listed, nearest, strict=True):
        for other, score in found:
            best[other] = max(best.get(other, (-2.0, "")), (score, word))
    groups: dict[str, list[str]] = {word: [] for word in listed}
    for other, (_, word) in best.items():
        groups[word].append(other)
    return groups


def read_groups(path: AnyPath) -> dict[str, list[str]]:
    """Groups of words from a UTF-8 file with a word, a tab and the name of its group on each line.

    A word without a group is in the group "". Empty lines are passed over.

    Raises:
        MissingFile: the file cannot be read.
        BadFile: it is not UTF-8, a line has more than one tab, or there is no word in it.
    """
    with opened(path) as file:
        try:
            lines = file.read().decode("utf-8-sig").split("\n")
        except UnicodeDecodeError as error:
            raise BadFile(f"{path} is no list of words: it is not UTF-8 text ({error}); convert it") from error
    groups: dict[str, list[str]] = {}
    for number, line in enumerate(lines, 1):
        word, _, group = line.partition("\t")
        if "\t" in group:
            raise BadFile(f"{path}: line {number} must be a word, a tab and its group, got {line!r}; take the rest out")
        if word.strip():
            groups.setdefault(group.strip(), []).append(word.strip())
    if not groups:
        raise BadFile(f"{path} has no words; write a word, a tab and its group on each line")
    return groups
