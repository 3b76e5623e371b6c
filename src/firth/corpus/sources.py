"""What a user gives as a corpus, turned into sources. Nothing is read before a source is asked for blocks."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from firth.corpus.columns import ArrowFile
from firth.corpus.files import UNPACKERS, Source, StandardInput, TextFile, shortened
from firth.corpus.iterables import Sentences
from firth.corpus.json_lines import JsonAsText, JsonLinesFile
from firth.corpus.separated import SeparatedAsText, SeparatedFile
from firth.errors import BadOption, MissingFile
from firth.options import CorpusOptions

COLUMNAR = {".parquet": "parquet", ".arrow": "arrow", ".feather": "arrow", ".ipc": "arrow"}
SEPARATED = {".csv": ",", ".tsv": "\t", ".tab": "\t"}  # and what separates cells, unless the heading says otherwise
JSON_LINES = (".jsonl", ".ndjson", ".json")
STANDARD_INPUT = "-"

CorpusLike = str | os.PathLike[str] | Iterable[Any]


def find(corpus: CorpusLike, options: CorpusOptions | None = None, *, lines_as_they_are: bool = False) -> list[Source]:
    """The sources that `corpus` stands for.

    A string or path is a file, a folder (all files below it), a pattern such as `texts/*.gz`, "-" for standard
    input, or a remote address such as s3://bucket/file; an iterable gives sentences, or paths (`pathlib.Path`).
    With `lines_as_they_are`, nobody minds tables read as plain text, since the caller's tokenizer knows them.
    Raises `MissingFile` where nothing is found and `BadOption` for what cannot be a corpus.
    """
    file = partial(_file, options=options or CorpusOptions(), lines_as_they_are=lines_as_they_are)
    if isinstance(corpus, (str, os.PathLike)):
        return _find_path(os.fspath(corpus), file)
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
    if is_paths(corpus):
        return [source for path in corpus for source in _find_path(os.fspath(path), file)]
    return [Sentences(corpus)]


def is_paths(corpus: CorpusLike) -> bool:
    """Whether a corpus is a list of paths, to be read, rather than of sentences."""
    return isinstance(corpus, Sequence) and bool(corpus) and all(isinstance(each, os.PathLike) for each in corpus)


def _find_path(path: str, file: Callable[[str], Source]) -> list[Source]:
    if path == STANDARD_INPUT:
        return [StandardInput()]
    if "://" in path:
        return [file(path)]
    if os.path.isdir(path):  # noqa: PTH112  (unlike pathlib's, false for any string that can be no path)
        below = sorted(each for each in Path(path).rglob("*") if each.is_file() and not _hidden(each, Path(path)))
        if not below:
            raise MissingFile(f"the folder {path} holds no files; name one that holds text")
        return [file(str(each)) for each in below]
    if os.path.exists(path) or not glob.has_magic(path):  # noqa: PTH110
        return [file(path)]
    found = sorted(each for each in glob.glob(path, recursive=True) if Path(each).is_file())  # noqa: PTH207
    if not found:
        raise MissingFile(f"no file matches {shortened(path)}; check the pattern, or quote it if the shell changes it")
    return [file(each) for each in found]


def _hidden(path: Path, top: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(top).parts)


def _file(path: str, options: CorpusOptions, *, lines_as_they_are: bool) -> Source:
    suffix, column, errors = Path(path).suffix.lower(), options.column, options.encoding_errors
    if suffix in COLUMNAR:
        return ArrowFile(path, column, COLUMNAR[suffix])
    if suffix in UNPACKERS:
        suffix = Path(path).with_suffix("").suffix.lower()
    if suffix in SEPARATED and column is not None:
        return SeparatedFile(path, column, SEPARATED[suffix], errors, lines_as_they_are)
    if suffix in JSON_LINES and column is not None:
        return JsonLinesFile(path, column, errors)
    if suffix in SEPARATED and not lines_as_they_are:
        return SeparatedAsText(path)
    if suffix in JSON_LINES and not lines_as_they_are:
        return JsonAsText(path)
    return TextFile(path)
