"""What a user gives as a corpus, turned into sources. Nothing is read before a source is asked for blocks."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from firth.corpus.columns import ColumnFile
from firth.corpus.files import Source, StandardInput, TextFile, shortened
from firth.corpus.iterables import Sentences
from firth.errors import BadOption, MissingFile

COLUMNAR = {".parquet": "parquet", ".arrow": "arrow", ".feather": "arrow", ".ipc": "arrow"}
STANDARD_INPUT = "-"

CorpusLike = str | os.PathLike[str] | Iterable[Any]


def find(corpus: CorpusLike, column: str | None = None) -> list[Source]:
    """The sources that `corpus` stands for.

    A string or path is a file, a folder (all files below it), a pattern such as `texts/*.gz`, "-" for standard
    input, or a remote address such as s3://bucket/file; an iterable gives sentences, or paths (`pathlib.Path`).
    Raises `MissingFile` where nothing is found and `BadOption` for what cannot be a corpus.
    """
    if isinstance(corpus, (str, os.PathLike)):
        return _find_path(os.fspath(corpus), column)
    if hasattr(corpus, "walks"):
        raise BadOption("a corpus must be a path or an iterable of sentences, got a graph; give graph.walks()")
    if hasattr(corpus, "nodes") and hasattr(corpus, "edges"):  # of networkx: going through it gives its nodes
        raise BadOption(
            "a corpus must be a path or an iterable of sentences, got a graph of networkx; give "
            "Graph.from_networkx(graph).walks()"
        )
    if isinstance(corpus, (bytes, bytearray)) or not isinstance(corpus, Iterable):
        raise BadOption(
            f"a corpus must be a path or an iterable of sentences, got {type(corpus).__name__}; "
            "give a file's name, or a list of token lists"
        )
    if type(corpus).__name__.endswith("GroupBy"):
        raise BadOption(
            f"a corpus must be a path or an iterable of sentences, got a {type(corpus).__name__}, which gives pairs of "
            "key and group; give lists of one column's tokens, as by frame.groupby(who)[what].agg(list)"
        )
    if isinstance(corpus, Mapping) or hasattr(corpus, "columns"):
        raise BadOption(
            f"a corpus must be a path or an iterable of sentences, got a {type(corpus).__name__}, which gives only its "
            "keys; give the values, or the one column that holds the sentences; of a frame with a row for each event, "
            "frame.groupby(who)[what].agg(list)"
        )
    if isinstance(corpus, Sequence) and corpus and all(isinstance(each, os.PathLike) for each in corpus):
        return [source for path in corpus for source in _find_path(os.fspath(path), column)]
    return [Sentences(corpus)]


def _find_path(path: str, column: str | None) -> list[Source]:
    if path == STANDARD_INPUT:
        return [StandardInput()]
    if "://" in path:
        return [_file(path, column)]
    if os.path.isdir(path):  # noqa: PTH112  (unlike pathlib's, false for any string that can be no path)
        below = sorted(each for each in Path(path).rglob("*") if each.is_file() and not _hidden(each, Path(path)))
        if not below:
            raise MissingFile(f"the folder {path} holds no files; name one that holds text")
        return [_file(str(each), column) for each in below]
    if os.path.exists(path) or not glob.has_magic(path):  # noqa: PTH110
        return [_file(path, column)]
    found = sorted(each for each in glob.glob(path, recursive=True) if Path(each).is_file())  # noqa: PTH207
    if not found:
        raise MissingFile(f"no file matches {shortened(path)}; check the pattern, or quote it if the shell changes it")
    return [_file(each, column) for each in found]


def _hidden(path: Path, top: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(top).parts)


def _file(path: str, column: str | None) -> Source:
    kind = COLUMNAR.get(Path(path).suffix.lower())
    return ColumnFile(path, kind, column) if kind else TextFile(path)
