"""Sources that are files: text in blocks of lines, packed or not, local, remote, or from standard input."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import os
import stat
import sys
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa

from firth.corpus.blocks import BLOCK_BYTES, Block, TextBlock, decoded
from firth.errors import BadCorpus, CannotRead, MissingFile
from firth.storage import cannot_read, check_named, check_the_path, is_failure, watched

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LONGEST_TOKEN = 64 << 20  # bytes without a space after which a file is not taken for text
LONGEST_LINE = 64 << 20  # bytes, where lines are read whole

UNPACKERS: dict[str, Callable[[BinaryIO], Any]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
    ".zst": lambda raw: pa.CompressedInputStream(raw, "zstd"),
}

# What decompressors raise on damaged data.
DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError, pa.ArrowInvalid)

# How files begin that are often taken for text, and what to do with them.
FOREIGN = {
    b"\x1f\x8b": "is gzip data; let its name end in .gz",
    b"BZh91AY&SY": "is bzip2 data; let its name end in .bz2",
    b"\xfd7zXZ\0": "is xz data; let its name end in .xz",
    b"\x28\xb5\x2f\xfd": "is zstd data; let its name end in .zst",
    b"PK\x03\x04": "is a zip archive; unpack it first",
    b"\xff\xfe": "is UTF-16 text; convert it to UTF-8, for instance with iconv -f UTF-16 -t UTF-8",
    b"\xfe\xff": "is UTF-16 text; convert it to UTF-8, for instance with iconv -f UTF-16 -t UTF-8",
    b"PAR1\x15": "is a Parquet file; let its name end in .parquet",
    b"ARROW1\0\0": "is an Arrow file; let its name end in .arrow",
}


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


@contextlib.contextmanager
def readable(path: str) -> Iterator[BinaryIO]:
    """Open a local or remote file for reading; what hinders it is `MissingFile` or `CannotRead`, with the reason."""
    check_named(path)
    try:
        file = _opened(path)
    except FileNotFoundError as error:
        hint = "check the address" if _is_remote(path) else f"{check_the_path(path)}, or give a list of sentences"
        raise MissingFile(f"there is no file {shortened(path)}; {hint}") from error
    except PermissionError as error:
        raise MissingFile(f"the file {path} may not be read; check its permissions") from error
    except IsADirectoryError as error:
        raise MissingFile(f"{path} is a folder, not a file; name a file in it") from error
    except Exception as error:  # each remote filesystem raises its own
        if is_failure(error):
            raise cannot_read(shortened(path), error) from error
        reason = getattr(error, "strerror", None) or error
        raise MissingFile(f"the file {shortened(path)} cannot be opened: {reason}; check its name") from error
    with file:
        yield file


def _opened(path: str) -> BinaryIO:
    if not _is_remote(path):
        return watched(open(path, "rb", buffering=0), path)  # noqa: PTH123  (closed by `readable`)
    import fsspec

    return watched(fsspec.open(path, "rb").open(), path, failures=Exception)


def _is_remote(path: str) -> bool:
    return "://" in path


def shortened(path: str) -> str:
    """The path as an error names it."""
    return path if len(path) <= 200 else f"{path[:200]}…"


@dataclass
class File(Source):
    """A file, local or remote."""

    path: str

    def __post_init__(self) -> None:
        status = self._status()
        if status is not None:
            self.size = status.st_size

    def identity(self) -> tuple[str | int, ...] | None:
        """The file's name, size and time of change, or a remote file's own tag; None where it has none."""
        if _is_remote(self.path):
            return _remote_identity(self.path)
        status = self._status()
        return None if status is None else (os.path.realpath(self.path), status.st_size, status.st_mtime_ns)

    def _status(self) -> os.stat_result | None:
        """The status of a local file; None for pipes and devices too, whose contents no name or time tells."""
        try:
            status = os.stat(self.path)  # noqa: PTH116
        except (OSError, ValueError):
            return None
        return status if stat.S_ISREG(status.st_mode) else None


def _remote_identity(path: str) -> tuple[str | int, ...] | None:
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
class TextFile(File):
    """A text file with a sentence or paragraph per line; .gz, .bz2, .xz and .zst are decompressed."""

    def blocks(self) -> Iterator[Block]:
        """The file's lines, some BLOCK_BYTES at a time."""
        with readable(self.path) as raw, _decompressed(raw, self.path) as text:
            for block in cut_into_blocks(text, self.path):
                with contextlib.suppress(OSError, ValueError):
                    self.done = raw.tell()
                yield block


def whole_lines(file: File, encoding_errors: str) -> Iterator[str]:
    """A file's text, some whole lines at a time; `BadCorpus` for a line of more than LONGEST_LINE bytes."""
    text, begun, length = TextFile(file.path), [], 0
    for block in text.blocks():
        assert isinstance(block, TextBlock)
        file.done = text.done
        begun.append(decoded(block, encoding_errors))
        length += len(begun[-1])
        if length > LONGEST_LINE:
            raise BadCorpus(
                f"{file.path} has a line of more than {LONGEST_LINE >> 20} MiB; write each row on a line of its own"
            )
        if not block.line_goes_on:
            yield b"".join(begun).decode()
            begun, length = [], 0


@dataclass
class StandardInput(Source):
    """Text from standard input, a sentence or paragraph per line."""

    def blocks(self) -> Iterator[Block]:
        """The lines of standard input."""
        if sys.stdin is None or not hasattr(sys.stdin, "buffer"):
            raise MissingFile("standard input is not open for reading bytes; name a file instead of -")
        for block in cut_into_blocks(sys.stdin.buffer, "standard input"):
            self.done += len(block.data)
            yield block


def _decompressed(raw: BinaryIO, path: str) -> BinaryIO:
    unpack = UNPACKERS.get(Path(path).suffix.lower())
    return raw if unpack is None else cast("BinaryIO", unpack(raw))


def cut_into_blocks(file: BinaryIO, origin: str) -> Iterator[TextBlock]:
    """Read a file block by block, cutting after a line's end, or before white space in a line longer than a block."""
    left, start = bytearray(), 0
    while True:
        data = _read(file, left, origin)
        ended = len(data) == len(left)
        if start == 0:
            _refuse_foreign(data, origin)
            if data.startswith(BYTE_ORDER_MARK):
                del data[: len(BYTE_ORDER_MARK)]
                start = len(BYTE_ORDER_MARK)
        if ended:
            if data:
                yield TextBlock(data, origin, start, line_goes_on=False)
            return
        cut, line_goes_on = _cut(data)
        if cut == 0 and len(data) > LONGEST_TOKEN:
            raise BadCorpus(
                f"{origin} has {LONGEST_TOKEN >> 20} MiB without a space or a line's end from byte {start:,} on, so it "
                "is hardly text; use a text file with a sentence per line"
            )
        left = data[cut:]
        del data[cut:]
        if cut:
            yield TextBlock(data, origin, start, line_goes_on)
        start += cut


def _read(file: BinaryIO, left: bytearray, origin: str) -> bytearray:
    """What was `left`, and the next BLOCK_BYTES of the file, or what it has."""
    data = bytearray(len(left) + BLOCK_BYTES)
    data[: len(left)] = left
    try:
        with memoryview(data)[len(left) :] as room:
            count = file.readinto(room)  # type: ignore[attr-defined]  # all binary files have it
    except CannotRead:
        raise
    except DAMAGED as error:
        if is_failure(error):  # of standard input
            raise cannot_read(origin, error) from error
        raise BadCorpus(
            f"{origin} cannot be read to its end: {str(error) or 'it ends too early'}; if it is damaged or cut short, "
            "fetch it anew, and if its suffix is wrong, rename it"
        ) from error
    del data[len(left) + count :]
    return data


def _cut(data: bytearray) -> tuple[int, bool]:
    """Where to cut `data`, and whether a line goes on beyond: after its last line, else before its last space."""
    end_of_line = data.rfind(b"\n") + 1
    if end_of_line:
        return end_of_line, False
    space = max(data.rfind(each) for each in (b" ", b"\t", b"\r"))
    return (space, True) if space > 0 else (0, False)


def _refuse_foreign(data: bytearray, origin: str) -> None:
    """Raise `BadCorpus` for a file whose beginning shows that it is no UTF-8 text."""
    for beginning, remedy in FOREIGN.items():
        if data.startswith(beginning):
            raise BadCorpus(f"{origin} is not text: it {remedy}")
    at = data.find(b"\0", 0, 1 << 16)
    if at >= 0:
        raise BadCorpus(
            f"{origin} is not text: byte {at:,} is zero, as in images, archives and UTF-16; give UTF-8 text, "
            "as it is or in .gz, .bz2, .xz or .zst, or a .parquet or .arrow file"
        )
