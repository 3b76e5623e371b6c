"""Files opened with clear errors, and files and folders replaced whole or not at all.

A writer that fails half-way leaves whatever stood under the name before: it writes to a temporary name in the
same folder, flushes it to the disk, and only then renames it.

    with replaced("model.safetensors") as file:
        file.write(...)
"""

from __future__ import annotations

import errno
import gzip
import io
import mmap
import os
import secrets
import shutil
import stat
import zlib
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from firth.errors import BadFile, CannotRead, CannotWrite, CutShort, FirthError, MissingFile

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

AnyPath = str | os.PathLike[str]

# Large enough that a system call costs nothing beside its bytes, small enough for any cache.
BUFFER_BYTES = 1 << 20

# gzip's own default; 9, Python's, took 2.6 times as long on vectors as text and saved 1.3 %.
GZIP_LEVEL = 6

_REMEDIES = {
    errno.ENOSPC: "free some space or choose another folder",
    errno.EDQUOT: "free some of your quota or choose another folder",
    errno.EROFS: "choose a folder that may be written",
    errno.EACCES: "choose a folder that you may write, or ask for the right to",
    errno.EPERM: "choose a folder that you may write, or ask for the right to",
    errno.ENOENT: "create the folder first",
    errno.ENOTDIR: "choose a path whose parents are all folders",
    errno.EISDIR: "give the name of a file inside it",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EFBIG: "choose a file system that holds files of this size",
}

# What the system says where not the name is wrong, but the disk or the network behind it.
_FAILURES = (
    errno.EIO,
    errno.ESTALE,
    errno.ETIMEDOUT,
    errno.ENOTCONN,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.ENETUNREACH,
)


def check_the_path(path: AnyPath) -> str:
    """What to do where nothing is at a path."""
    if str(path).startswith("~"):
        return "~ is the home folder in a shell alone, so give os.path.expanduser(path)"
    return "check the path"


@contextmanager
def replaced(path: AnyPath) -> Iterator[IO[bytes]]:
    """Give a binary file to write; when the block ends well, it takes the place of `path` at once.

    The file's `name` is its temporary path, in the same folder. A file that stood at `path` keeps its
    permissions, a new one gets the usual ones (the umask's). A symbolic link is followed, not replaced.

    Raises:
        CannotWrite: an `OSError` in the block or while opening, flushing or renaming; nothing is left behind.
    """
    check_named(path, CannotWrite)
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".firth-{secrets.token_hex(8)}.tmp")
    try:
        _check_target(target)
        # Mode "x" never opens what someone else put there.
        with temporary.open("xb", buffering=BUFFER_BYTES) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            temporary.chmod(stat.S_IMODE(target.stat().st_mode))
        temporary.replace(target)
        with suppress(OSError):
            _sync(target.parent)
    except FirthError:
        raise
    except OSError as error:
        raise CannotWrite(_sentence(path, error)) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def replaced_folder(path: AnyPath, names: Collection[str]) -> Iterator[Path]:
    """Give an empty folder to fill with files of these names; when the block ends well, it takes the place of `path`.

    A folder that stood there is replaced only where it holds no other names, so that nothing of anyone else's is lost.

    Raises:
        CannotWrite: something else stands at `path`, or an `OSError` in the block; nothing is left behind.
    """
    check_named(path, CannotWrite)
    target = Path(os.path.realpath(path))
    temporary, former = (target.with_name(f".firth-{secrets.token_hex(8)}.{kind}") for kind in ("tmp", "old"))
    try:
        _check_folder(target, names)
        temporary.mkdir()
        yield temporary
        for each in temporary.iterdir():
            _sync(each)
        if target.exists():
            target.rename(former)
        try:
            temporary.rename(target)
        except OSError:
            if former.exists():
                former.rename(target)
            raise
        with suppress(OSError):
            _sync(target.parent)
    except FirthError:
        raise
    except OSError as error:
        raise CannotWrite(_sentence(path, error)) from error
    finally:
        for folder in (temporary, former):
            shutil.rmtree(folder, ignore_errors=True)


def check_writable(path: AnyPath) -> None:
    """Raise `CannotWrite` now if a file at `path` could not be written later: before hours of training, say."""
    check_named(path, CannotWrite)
    target = Path(os.path.realpath(path))
    probe = target.with_name(f".firth-{secrets.token_hex(8)}.tmp")
    try:
        _check_target(target)
        probe.touch(exist_ok=False)
        probe.unlink()
    except FirthError:
        raise
    except OSError as error:
        raise CannotWrite(_sentence(path, error)) from error


@contextmanager
def replaced_packed(path: AnyPath) -> Iterator[IO[bytes]]:
    """As `replaced`, but a file whose name ends in .gz is compressed on the way."""
    with replaced(path) as file:
        if not is_gzip(path):
            yield file
            return
        # Neither name nor time: the same content gives the same bytes.
        with gzip.GzipFile(filename="", mode="wb", compresslevel=GZIP_LEVEL, fileobj=file, mtime=0) as packed:
            yield packed  # type: ignore[misc]  # a GzipFile is written as IO[bytes] is


@contextmanager
def opened(path: AnyPath) -> Iterator[IO[bytes]]:
    """Open a local file for reading bytes; one whose name ends in .gz is decompressed on the way.

    Raises:
        MissingFile: nothing is there, it is a folder, or it may not be read.
        CannotRead: the disk or the network fails (raised while reading, too).
        BadFile: what claims to be gzip is not, or ends early (raised while reading).
    """
    check_named(path)
    try:
        file = watched(Path(path).open("rb", buffering=0), path)  # noqa: SIM115  # closed by the `with` below
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        if is_failure(error):
            raise cannot_read(path, error) from error
        raise MissingFile(f"cannot read {path}: {_reason(error)}; {check_the_path(path)}") from error
    with file:
        if not is_gzip(path):
            yield file
            return
        try:
            with gzip.open(file, "rb") as unpacked:
                yield unpacked  # type: ignore[misc]  # a GzipFile reads as IO[bytes] does
        except CutShort:  # what was unpacked is too short, not the packed data
            raise
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise BadFile(
                f"{path} is not whole gzip data ({error}); fetch it anew, or drop .gz from its name if it is not packed"
            ) from error


def mapped(file: IO[bytes], path: AnyPath) -> mmap.mmap:
    """A local file that is open, and not empty, in memory, to be read; `CannotRead` where its file system refuses.

    Where somebody cuts the file short meanwhile, or the disk fails, the system ends this process (SIGBUS).
    """
    try:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise CannotRead(
            f"cannot map {path} into memory: {_reason(error)}; copy it to where that can be done, a local disk say"
        ) from error


class _Watched(io.RawIOBase):
    """A binary file; where reading from it fails, `CannotRead` says so and names it."""

    def __init__(self, file: Any, name: AnyPath, failures: type[Exception]) -> None:
        self._file, self.name, self._failures = file, name, failures

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        try:
            count: int | None = self._file.readinto(buffer)
        except self._failures as error:
            raise cannot_read(self.name, error) from error
        return count

    def seekable(self) -> bool:
        return bool(self._file.seekable())

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def fileno(self) -> int:
        return int(self._file.fileno())

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def watched(file: Any, name: AnyPath, failures: type[Exception] = OSError) -> io.BufferedReader:
    """A binary file with a buffer, whose `failures` in reading become `CannotRead` with its name."""
    return io.BufferedReader(_Watched(file, name, failures), BUFFER_BYTES)


def is_failure(error: Exception) -> bool:
    """Whether an error in opening a file tells of a disk or a network that fails, not of a wrong name."""
    return getattr(error, "errno", None) in _FAILURES


def cannot_read(name: AnyPath, error: Exception) -> CannotRead:
    """The error for a file that is there and whose disk or network fails."""
    return CannotRead(
        f"reading {name} failed: {_reason(error)}; try again, and if it fails again, read a copy from another disk or "
        "network"
    )


def check_named(path: AnyPath, error: type[FirthError] = MissingFile) -> None:
    """Raise the error for an empty name, which paths take for the current folder."""
    if not os.fspath(path):
        raise error("the name of a file must not be empty, got ''; give its path")


def is_folder(path: AnyPath) -> bool:
    """Whether a folder stands at `path`; a name that is empty, or that no system takes, is none."""
    return os.path.isdir(path)  # noqa: PTH112  # pathlib's raises where the name is too long


def is_same_file(one: AnyPath, other: AnyPath) -> bool:
    """Whether both names are of one file, or folder, that is there."""
    try:
        return os.path.samefile(one, other)  # noqa: PTH121  # of pathlib's, an empty name is the current folder
    except (OSError, ValueError):
        return False


def is_gzip(path: AnyPath) -> bool:
    """Whether the name says that the file is packed with gzip."""
    return os.fspath(path).lower().endswith(".gz")


def _check_target(target: Path) -> None:
    """Refuse to replace what is not a regular file."""
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    if target.exists() and not target.is_file():
        raise CannotWrite(f"cannot write {target}: it is not a regular file; choose another name")


def _check_folder(target: Path, names: Collection[str]) -> None:
    """Refuse to replace what is no folder, or one with other things in it."""
    if target.exists() and not target.is_dir():
        raise CannotWrite(f"cannot write the folder {target}: a file of that name is there; choose another name")
    others = sorted(each.name for each in target.iterdir() if each.name not in names) if target.exists() else []
    if others:
        raise CannotWrite(
            f"cannot write the folder {target}: it holds other things ({', '.join(others[:3])}); "
            "choose a new or an empty folder"
        )


def _sync(path: Path) -> None:
    """Bring a file, or the renaming of what a folder holds, to the disk; not every system lets a folder be opened."""
    descriptor = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _reason(error: Exception) -> str:
    """The system's words for an error, without its number and path."""
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()


def _sentence(path: AnyPath, error: OSError) -> str:
    remedy = _REMEDIES.get(error.errno or 0, "choose another place")
    return f"cannot write {path}: {_reason(error)}; {remedy}"
