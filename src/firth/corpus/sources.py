"""Where text comes from: files of every kind, standard input, remote places, and any Python iterable.

`find` turns what a user gives into a list of sources; each yields blocks. Nothing is read before a block is asked for.
"""

from __future__ import annotations

import bz2
import contextlib
import glob
import gzip
import io
import itertools
import lzma
import os
import sys
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from firth.corpus.blocks import BLOCK_BYTES, Block, StringsBlock, TextBlock, TokensBlock
from firth.errors import BadCorpus, BadOption, MissingFile

COLUMNAR = {".parquet": "parquet", ".arrow": "arrow", ".feather": "arrow", ".ipc": "arrow"}
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
SENTENCES_AT_ONCE = 10_000  # of an iterable, made into one block
LONGEST_TOKEN = 64 << 20  # bytes without white space after which a file is not taken for text
STANDARD_INPUT = "-"

# What decompressors raise on damaged data, besides OSError.
DAMAGED = (EOFError, zlib.error, lzma.LZMAError, pa.ArrowInvalid)

CorpusLike = str | os.PathLike[str] | Iterable[Any]


class Source(ABC):
    """One place that text comes from."""

    size: int | None = None  # in bytes of the source as stored, where known
    done: int = 0  # bytes read so far

    @abstractmethod
    def blocks(self) -> Iterator[Block]:
        """The source's blocks, in order."""

    def identity(self) -> tuple[str | int, ...] | None:
        """What tells this source's present contents from any other's; None where nothing can."""
        return None


def find(corpus: CorpusLike, column: str | None = None) -> list[Source]:
    """The sources that `corpus` stands for.

    A string or path is a file, a folder (all files below it), a pattern such as `texts/*.gz`, "-" for standard
    input, or a remote address such as s3://bucket/file; an iterable gives sentences, or paths (`pathlib.Path`).
    Raises `MissingFile` where nothing is found and `BadOption` for what cannot be a corpus.
    """
    if isinstance(corpus, (str, os.PathLike)):
        return _find_path(os.fspath(corpus), column)
    if isinstance(corpus, (bytes, bytearray)) or not isinstance(corpus, Iterable):
        raise BadOption(
            f"a corpus must be a path or an iterable of sentences, got {type(corpus).__name__}; "
            "give a file's name, or a list of token lists"
        )
    if isinstance(corpus, Sequence) and corpus and all(isinstance(each, os.PathLike) for each in corpus):
        return [source for path in corpus for source in _find_path(os.fspath(path), column)]
    return [Sentences(corpus)]


def _find_path(path: str, column: str | None) -> list[Source]:
    if path == STANDARD_INPUT:
        return [StandardInput()]
    if "://" in path:
        return [_file(path, column)]
    if Path(path).is_dir():
        below = sorted(each for each in Path(path).rglob("*") if each.is_file() and not _hidden(each, Path(path)))
        if not below:
            raise MissingFile(f"the folder {path} holds no files; name one that holds text")
        return [_file(str(each), column) for each in below]
    if Path(path).exists() or not glob.has_magic(path):
        return [_file(path, column)]
    found = sorted(each for each in glob.glob(path, recursive=True) if Path(each).is_file())  # noqa: PTH207
    if not found:
        raise MissingFile(f"no file matches {path}; check the pattern, or quote it if the shell changes it")
    return [_file(each, column) for each in found]


def _hidden(path: Path, top: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(top).parts)


def _file(path: str, column: str | None) -> Source:
    from firth.corpus.columns import ColumnFile

    kind = COLUMNAR.get(Path(path).suffix.lower())
    return ColumnFile(path, kind, column) if kind else TextFile(path)


# ---- files -------------------------------------------------------------------------------------


@contextlib.contextmanager
def readable(path: str) -> Iterator[BinaryIO]:
    """Open a local or remote file for reading; errors become `MissingFile` with the reason."""
    try:
        if "://" in path:
            import fsspec

            with fsspec.open(path, "rb") as remote:
                yield remote
        else:
            with open(path, "rb") as local:  # noqa: PTH123
                yield local
    except FileNotFoundError as error:
        hint = "" if "://" in path else "; to train on text itself, give a list of sentences"
        raise MissingFile(f"there is no file {_shortened(path)}{hint}") from error
    except PermissionError as error:
        raise MissingFile(f"the file {path} may not be read; check its permissions") from error
    except IsADirectoryError as error:
        raise MissingFile(f"{path} is a folder, not a file") from error
    except (ImportError, ValueError) as error:
        if "://" not in path or isinstance(error, (BadCorpus, BadOption)):
            raise
        raise MissingFile(f"cannot open {path}: {error}") from error
    except OSError as error:
        raise MissingFile(f"the file {_shortened(path)} cannot be read: {error.strerror or error}") from error


def _shortened(path: str) -> str:
    return path if len(path) <= 200 else f"{path[:200]}…"


def file_identity(path: str) -> tuple[str | int, ...] | None:
    """A file's name, size and time of change, or a remote file's own tag; None where it has none."""
    if "://" not in path:
        try:
            status = os.stat(path)  # noqa: PTH116
        except OSError:
            return None
        return (os.path.realpath(path), status.st_size, status.st_mtime_ns)
    import fsspec

    try:
        filesystem, name = fsspec.core.url_to_fs(path)
        info = filesystem.info(name)
    except Exception:  # each remote filesystem raises its own; reading will tell what is wrong
        return None
    tags = [
        str(info[key]) for key in ("ETag", "etag", "mtime", "LastModified", "last_modified", "updated") if info.get(key)
    ]
    return (path, int(info.get("size") or 0), *tags) if tags else None


@dataclass
class TextFile(Source):
    """A text file with a sentence or paragraph per line; .gz, .bz2, .xz and .zst are decompressed."""

    path: str

    def __post_init__(self) -> None:
        if "://" not in self.path and Path(self.path).is_file():
            self.size = Path(self.path).stat().st_size

    def identity(self) -> tuple[str | int, ...] | None:
        """The file's name, size and time of change."""
        return file_identity(self.path)

    def blocks(self) -> Iterator[Block]:
        """The file's lines, some BLOCK_BYTES at a time."""
        with readable(self.path) as raw:
            for block in cut_into_blocks(_decompressed(raw, self.path), self.path):
                with contextlib.suppress(OSError, ValueError):
                    self.done = raw.tell()
                yield block


@dataclass
class StandardInput(Source):
    """Text from standard input, a sentence or paragraph per line."""

    def blocks(self) -> Iterator[Block]:
        """The lines of standard input."""
        for block in cut_into_blocks(sys.stdin.buffer, "standard input"):
            self.done += len(block.data)
            yield block


def _decompressed(raw: BinaryIO, path: str) -> BinaryIO:
    suffix = Path(path).suffix.lower()
    if suffix == ".gz":
        return gzip.open(raw)  # type: ignore[return-value]
    if suffix == ".bz2":
        return bz2.open(raw)
    if suffix == ".xz":
        return lzma.open(raw)
    if suffix == ".zst":
        return pa.CompressedInputStream(raw, "zstd")  # type: ignore[no-any-return]
    return raw


def cut_into_blocks(file: BinaryIO, origin: str) -> Iterator[TextBlock]:
    """Read a file block by block, cutting after a line's end, or before white space in a line longer than a block."""
    left, start = b"", 0
    while True:
        try:
            read = file.read(BLOCK_BYTES)
        except DAMAGED as error:
            raise BadCorpus(f"{origin} is damaged or cut short: {error or 'unexpected end'}") from error
        except OSError as error:  # gzip's word for "not gzip"
            raise BadCorpus(f"{origin} cannot be read to its end: {error}") from error
        data = left + read
        if start == 0:
            if data.startswith(BYTE_ORDER_MARK):
                data, start = data[len(BYTE_ORDER_MARK) :], len(BYTE_ORDER_MARK)
            _refuse_binary(data, origin)
        if not read:
            if data:
                yield TextBlock(data, origin, start, line_goes_on=False)
            return
        cut, line_goes_on = _cut(data)
        if cut == 0 and len(data) > LONGEST_TOKEN:
            raise BadCorpus(
                f"{origin} has {LONGEST_TOKEN >> 20} MiB without white space from byte {start:,} on, so it is hardly "
                "text; use a text file with a sentence per line"
            )
        if cut:
            yield TextBlock(data[:cut], origin, start, line_goes_on)
        left, start = data[cut:], start + cut


def _cut(data: bytes) -> tuple[int, bool]:
    """Where to cut `data`, and whether a line goes on beyond: after its last line, else before its last space."""
    end_of_line = data.rfind(b"\n") + 1
    if end_of_line:
        return end_of_line, False
    space = max(data.rfind(each) for each in (b" ", b"\t", b"\r"))
    return (space, True) if space > 0 else (0, False)


def _refuse_binary(data: bytes, origin: str) -> None:
    at = data.find(b"\0", 0, 1 << 16)
    if at >= 0:
        raise BadCorpus(
            f"{origin} is not text: byte {at:,} is zero; firth reads UTF-8 text (.gz, .bz2, .xz and .zst as well), "
            "and .parquet and .arrow files by their suffix"
        )


# ---- iterables ---------------------------------------------------------------------------------


@dataclass
class Sentences(Source):
    """Any iterable of sentences: strings, or lists of tokens. It is read once, so a generator will do."""

    sentences: Iterable[Any]

    def blocks(self) -> Iterator[Block]:
        """The sentences, SENTENCES_AT_ONCE to a block."""
        sentences = iter(self.sentences)
        kind: type | None = None
        number = 0
        while some := list(itertools.islice(sentences, SENTENCES_AT_ONCE)):
            kind = kind or (str if isinstance(some[0], str) else list)
            yield _strings(some, number) if kind is str else _token_lists(some, number)
            number += len(some)


def _strings(sentences: list[Any], number: int) -> StringsBlock:
    for at, sentence in enumerate(sentences, number):
        if not isinstance(sentence, str):
            raise BadCorpus(
                f"sentence {at:,} is a {type(sentence).__name__} though the first was a string; "
                "give all sentences as strings, or all as lists of tokens"
            )
    return StringsBlock(_large_strings(sentences, number))


def _token_lists(sentences: list[Any], number: int) -> TokensBlock:
    tokens: list[str] = []
    offsets = [0]
    for at, sentence in enumerate(sentences, number):
        if isinstance(sentence, (str, bytes)) or not isinstance(sentence, Iterable):
            raise BadCorpus(
                f"sentence {at:,} is {_shown(sentence)} where a list of tokens was meant, as the first sentence was; "
                "split it into tokens, or give all sentences as strings"
            )
        tokens.extend(sentence)
        offsets.append(len(tokens))
    return TokensBlock(pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), _large_strings(tokens, number)))


def _large_strings(strings: list[Any], number: int) -> pa.LargeStringArray:
    try:
        made = pa.array(strings, pa.large_string())
        if made.null_count == 0:
            return made
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):
        pass
    wrong = next((each for each in strings if not isinstance(each, str)), None)
    if wrong is None and None not in strings:
        raise BadCorpus(
            f"a token in sentences {number:,} and following cannot be written as UTF-8 (it has a lone surrogate); "
            "clean it with .encode('utf-8', 'ignore').decode()"
        )
    raise BadCorpus(
        f"tokens must be strings, but in sentences {number:,} and following stands {_shown(wrong)}; "
        "convert each token with str(...)"
    )


def _shown(value: Any) -> str:
    text = repr(value)
    return f"the {type(value).__name__} {text if len(text) <= 40 else text[:40] + '…'}"


def total_size(sources: Sequence[Source]) -> int | None:
    """The bytes of all sources together, or None if one is unknown."""
    sizes = [source.size for source in sources]
    return None if any(size is None for size in sizes) else sum(size or 0 for size in sizes)


def is_interactive_input() -> bool:
    """Whether standard input is a terminal, where nobody has piped text in."""
    return isinstance(sys.stdin, io.TextIOBase) and sys.stdin.isatty()
