"""Sentences in files, as gensim reads them, and how any of gensim's corpora becomes one of firth's."""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Iterable, Iterator, Sized
from pathlib import Path
from types import GeneratorType
from typing import Any, BinaryIO, cast

from firth.corpus.files import UNPACKERS
from firth.corpus.iterables import first_of
from firth.corpus.sources import CorpusLike
from firth.gensim.utils import to_unicode
from firth.storage import watched

logger = logging.getLogger(__name__)

MAX_WORDS_IN_BATCH = 10_000  # gensim's: longer lines are given in pieces of so many words
READ_BYTES = 1 << 20


class LineSentence:
    """The sentences of a file, one a line, words divided by white space.

    `source` is a path (packed as .gz, .bz2, .xz or .zst, if its name says so) or an open binary file. Of a path, with
    no `limit`, firth trains straight from the file, and lines stay whole.
    """

    def __init__(self, source: Any, max_sentence_length: int = MAX_WORDS_IN_BATCH, limit: int | None = None) -> None:
        self.source, self.max_sentence_length, self.limit = source, max_sentence_length, limit

    def __iter__(self) -> Iterator[list[str]]:
        if hasattr(self.source, "seek"):
            self.source.seek(0)
            yield from _cut(itertools.islice(self.source, self.limit), self.max_sentence_length)
            return
        with _opened(self.source) as file:
            yield from _cut(itertools.islice(file, self.limit), self.max_sentence_length)


class PathLineSentences:
    """The sentences of all files of a folder, in the order of their names, as `LineSentence` reads each.

    Raises `ValueError` for what is neither a folder nor a file.
    """

    def __init__(
        self, source: str | os.PathLike[str], max_sentence_length: int = MAX_WORDS_IN_BATCH, limit: int | None = None
    ) -> None:
        self.source, self.max_sentence_length, self.limit = source, max_sentence_length, limit
        path = Path(source)
        if not path.exists():
            raise ValueError(f"no file and no folder at {source}; check the path")
        self.input_files = [str(path)] if path.is_file() else sorted(str(each) for each in path.iterdir())

    def __iter__(self) -> Iterator[list[str]]:
        for path in self.input_files:
            yield from LineSentence(path, self.max_sentence_length, self.limit)


class Text8Corpus:
    """One long line of words, such as text8, in sentences of `max_sentence_length` words."""

    def __init__(self, fname: str | os.PathLike[str], max_sentence_length: int = MAX_WORDS_IN_BATCH) -> None:
        self.fname, self.max_sentence_length = fname, max_sentence_length

    def __iter__(self) -> Iterator[list[str]]:
        words: list[str] = []
        with _opened(self.fname) as file:
            rest = b""
            while more := file.read(READ_BYTES):
                whole, _, rest = (rest + more).rpartition(b" ")
                words += to_unicode(whole).split()
                while len(words) >= self.max_sentence_length:
                    yield words[: self.max_sentence_length]
                    del words[: self.max_sentence_length]
            words += to_unicode(rest).split()
        yield from (
            words[first : first + self.max_sentence_length] for first in range(0, len(words), self.max_sentence_length)
        )


class BrownCorpus:
    """The Brown corpus, a folder of files of lines of word/TAG: sentences of word/TA, tags cut to two letters."""

    def __init__(self, dirname: str | os.PathLike[str]) -> None:
        self.dirname = dirname

    def __iter__(self) -> Iterator[list[str]]:
        for path in sorted(each for each in Path(self.dirname).iterdir() if each.is_file()):
            for words in LineSentence(path):
                pairs = [word.split("/") for word in words if word.count("/") == 1]
                kept = [f"{word.lower()}/{tag[:2]}" for word, tag in pairs if tag[:2].isalpha()]
                if kept:
                    yield kept


def _opened(path: str | os.PathLike[str]) -> BinaryIO:
    """A file for reading, unpacked on the way where its name says that it is packed."""
    unpack = UNPACKERS.get(Path(path).suffix.lower())
    file = watched(Path(path).open("rb", buffering=0), path)  # noqa: SIM115  (closed by those who read)
    return file if unpack is None else cast("BinaryIO", unpack(file))


def _cut(lines: Iterable[str | bytes], longest: int) -> Iterator[list[str]]:
    for line in lines:
        words = to_unicode(line).split()
        for first in range(0, len(words), longest):
            yield words[first : first + longest]


# ---- as firth takes them -----------------------------------------------------------------------------


def check_corpus(corpus_iterable: Any, corpus_file: Any, passes: int) -> None:
    """Raise `TypeError`, as gensim does, unless exactly one of the two is given and can be read so many times."""
    if (corpus_iterable is None) == (corpus_file is None):
        given = "none" if corpus_file is None else "both"
        raise TypeError(f"give one of corpus_iterable (sentences) and corpus_file, got {given}")
    if corpus_file is not None:
        if not isinstance(corpus_file, (str, os.PathLike)) or not Path(corpus_file).is_file():
            raise TypeError(f"corpus_file must be the path of a file, got {corpus_file!r}; check that it is there")
        if Path(corpus_file).suffix.lower() in UNPACKERS:
            raise TypeError(f"corpus_file must not be packed, got {corpus_file}; give LineSentence({corpus_file!r})")
        return
    if not isinstance(corpus_iterable, Iterable):
        raise TypeError(f"sentences must be an iterable of lists of words, got {corpus_iterable!r}")
    if isinstance(corpus_iterable, GeneratorType) and passes > 1:
        raise TypeError(
            f"a generator can be read once, and {passes} passes are asked for; give a list, or an object whose "
            "__iter__ begins anew"
        )


def corpus_for(corpus_iterable: Any, corpus_file: Any) -> tuple[CorpusLike, Any]:
    """What firth reads for one of gensim's corpora, and the tokenizer that cuts it, None for its own.

    Files are read by firth itself; strings in place of lists of words are taken letter by letter, with a warning, as
    gensim does. Raises `RuntimeError` where there is no sentence, `TypeError` for what is none.
    """
    if corpus_file is not None:
        return Path(corpus_file), None
    if isinstance(corpus_iterable, (str, os.PathLike)):
        raise TypeError(f"sentences must be lists of words, got {corpus_iterable!r}; give a path as corpus_file")
    if _is_whole(corpus_iterable, LineSentence) and isinstance(corpus_iterable.source, (str, os.PathLike)):
        return Path(corpus_iterable.source), None
    if _is_whole(corpus_iterable, PathLineSentences):
        return [Path(each) for each in corpus_iterable.input_files], None
    first, sentences = first_of(corpus_iterable)
    if first is None and not (isinstance(corpus_iterable, Sized) and len(corpus_iterable)):
        raise RuntimeError("the corpus holds no sentence, so there is no vocabulary to build or train; give some")
    if isinstance(first, str):
        logger.warning(
            "Each 'sentences' item should be a list of words (usually unicode strings). "
            "The first one is a string instead, whose letters are taken for words."
        )
        return sentences, list
    if not isinstance(first, Iterable) or isinstance(first, GeneratorType):
        raise TypeError(f"each sentence must be a list of words, got {first!r}")
    return sentences, None


def _is_whole(corpus: Any, kind: type) -> bool:
    """Whether this is of the very class, not one made of it, and of all lines."""
    return type(corpus) is kind and getattr(corpus, "limit", None) is None
