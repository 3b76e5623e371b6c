"""Where compiled code is kept: in the user's cache folder, under a digest of all that it was made from.

Numba by itself looks only at the file that holds a function, not at those it calls or takes constants from; and where
its folder cannot be written it turns to others, such as the installation's own. Here the digest is of the sources of
every compiled module and of what they import, and of the versions that compile. So an upgrade never meets code made
from older sources, one that changes none of them compiles nothing, and a folder that may only be read will do.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import pickle
import re
import shutil
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
from numba.core import caching as untyped_caching

from firth.cache import cache_folder
from firth.machine import LANES, REGISTERS

caching: Any = untyped_caching

PACKAGE = Path(__file__).parent
IMPORTS_JIT = b"from firth.jit import"
IMPORTED = re.compile(rb"^from (firth(?:\.\w+)+) import|^from firth import (.+)$", re.MULTILINE)
COMPILERS: tuple[Any, ...] = (numba, llvmlite, np)

WRITTEN_BY_NUMBA = re.compile(r"\.nb[ic](\.tmp\.\w+)?$")
FOLDER_NAME = re.compile(r"[0-9a-f]{16}")
UNUSED_SECONDS = 90 * 86_400  # after which what another version compiled is removed
MARK_EVERY_SECONDS = 86_400  # how exactly a folder tells when it was last used


@functools.cache
def compiled_folder() -> Path:
    """The folder of what these very sources and versions compile for such registers, marked as used."""
    text = hashlib.sha256(
        repr([*(each.__version__ for each in COMPILERS), sys.version_info[:2], LANES, REGISTERS]).encode()
    )
    for source in sorted(_sources()):
        text.update(source)
    folder = cache_folder() / "compiled" / text.hexdigest()[:16]
    with contextlib.suppress(OSError):  # it is not there yet, or may only be read
        if time.time() - folder.stat().st_mtime > MARK_EVERY_SECONDS:
            os.utime(folder)
    return folder


@functools.cache
def has_sources() -> bool:
    """Whether there are any to make a digest of; not so in a zip archive, or where only byte code is installed."""
    return any(_sources())


def _sources() -> Iterator[bytes]:
    """The sources of compiled modules, and of those they import from firth, directly or through others."""
    texts = {path: path.read_bytes() for path in PACKAGE.rglob("*.py")}
    waiting = [path for path, text in texts.items() if IMPORTS_JIT in text]
    met = set(waiting)
    while waiting:
        text = texts[waiting.pop()]
        yield text
        for module, names in IMPORTED.findall(text):
            for name in [module] if module else [b"firth." + each.strip() for each in names.split(b",")]:
                place = PACKAGE.joinpath(*name.decode().split(".")[1:])
                found = {place.with_suffix(".py"), place / "__init__.py"} & texts.keys() - met
                met |= found
                waiting += found


class _Locator(caching.UserProvidedCacheLocator):  # type: ignore[misc]
    """Tells Numba the place, whether or not it can be written."""

    def __init__(self, py_func: Callable[..., Any], py_file: str) -> None:
        super().__init__(py_func, py_file)
        self._cache_path = str(compiled_folder() / Path(py_file).parent.name)

    def get_source_stamp(self) -> str:
        """The digest, which tells more than the file's own time of change."""
        return compiled_folder().name

    @classmethod
    def from_function(cls, py_func: Callable[..., Any], py_file: str) -> _Locator:
        return cls(py_func, py_file)


class _Impl(caching.CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = (_Locator,)


class _CacheFile(caching.IndexDataCacheFile):  # type: ignore[misc]
    """The forms of one function, each in a file that its key names.

    Numba numbers them, so two processes that compile at once may give one number to two forms, and a later start
    would run one form's code for another's.
    """

    def save(self, key: Any, data: Any) -> None:
        """Keep the `data` of the form with this `key`: first the data, then the index that tells of it."""
        name = self._data_name(hashlib.sha256(repr(key).encode()).hexdigest()[:16])
        self._save_data(name, data)
        self._save_index(self._load_index() | {key: name})

    def _data_name(self, digest: str) -> str:
        return f"{self._index_name.removesuffix('.nbi')}.{digest}.nbc"


class CompiledCache(caching.FunctionCache):  # type: ignore[misc]
    """The compiled forms of one function. A disk that fails costs the next start its compiled code, not this one."""

    _impl_class = _Impl

    def __init__(self, py_func: Callable[..., Any]) -> None:
        super().__init__(py_func)
        self._cache_file = _CacheFile(self._cache_path, self._impl.filename_base, self._impl.locator.get_source_stamp())
        if not has_sources():
            self.disable()

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        """The form compiled for `signature`; None where there is none that can be read."""
        try:
            return super().load_overload(signature, target_context)
        except OSError:
            return None
        except (EOFError, pickle.UnpicklingError):  # cut short, as by a machine that stopped: write it anew
            with contextlib.suppress(OSError):
                self.flush()
            return None

    def save_overload(self, signature: Any, compiled: Any) -> None:
        """Keep what was just compiled; says once where that cannot be."""
        if not has_sources():
            _say_that_nothing_is_kept("its sources are not there to tell versions apart", "install it as a folder")
            return
        try:
            super().save_overload(signature, compiled)
        except OSError as error:
            _say_that_nothing_is_kept(error.strerror or str(error), "set FIRTH_CACHE to a folder that can be written")
        else:
            _forget_unused()


@functools.cache
def _say_that_nothing_is_kept(reason: str, remedy: str) -> None:
    warnings.warn(
        f"firth cannot keep its compiled code in {compiled_folder()} ({reason}), so the next start compiles anew; "
        f"{remedy}",
        stacklevel=2,
    )


@functools.cache
def _forget_unused() -> None:
    """Remove what other versions compiled and none has used for UNUSED_SECONDS; called where a new one compiles."""
    own = compiled_folder()
    with contextlib.suppress(OSError):  # others make and remove folders meanwhile
        for folder in own.parent.iterdir():
            if folder != own and _is_compiled_code(folder) and time.time() - _last_changed(folder) > UNUSED_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def _is_compiled_code(folder: Path) -> bool:
    """Whether it has the name that firth gives, and holds what Numba writes and nothing else."""
    if not FOLDER_NAME.fullmatch(folder.name) or folder.is_symlink() or not folder.is_dir():
        return False
    files = [each for each in folder.rglob("*") if each.is_symlink() or not each.is_dir()]
    return bool(files) and all(WRITTEN_BY_NUMBA.search(each.name) for each in files)


def _last_changed(folder: Path) -> float:
    return max(each.stat().st_mtime for each in (folder, *folder.rglob("*")))
