"""Compiling with Numba, once for each version of the source.

Compiled code is kept in the user's cache folder under a name made from the text of firth's own compiled modules,
so an upgrade never meets code compiled from older sources (Numba itself looks only at the file that holds the
function, not at those it calls), and a read-only installation works. `FIRTH_CACHE` moves the folder.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba as typed_numba

from firth.cache import cache_folder

numba: Any = typed_numba  # its annotations leave out what this module needs: `config` and the options of `njit`


@functools.cache
def _compiled_folder() -> str:
    """Where the code compiled from this very source is kept."""
    text = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        source = path.read_bytes()
        if b"firth.jit" in source:
            text.update(source)
    return str(cache_folder() / "compiled" / text.hexdigest()[:16])


def compiled(function: Callable[..., Any]) -> Any:
    """Compile `function` to machine code at its first call, to run without the GIL, so threads run it side by side.

    It may allocate nothing: arrays come from outside, and none is reference-counted (counting is atomic, and cost
    the first kernel a third of its speed). There is no check for division by zero, nor of bounds. Multiplications and
    additions may fuse; nothing else is reordered, so a result depends on the kernel alone.
    """
    return _jit(function)


def inlined(function: Callable[..., Any]) -> Any:
    """As `compiled`, and always made part of its caller: a call would push every array of a tuple on the stack."""
    return _jit(function, forceinline=True)


def _keep_if_possible(made: Any) -> None:
    """Let a disk that is full, or turns read-only, cost the next start its compiled code, but not stop this one."""
    save = made._cache.save_overload

    def save_if_possible(*arguments: Any) -> None:
        with contextlib.suppress(OSError):
            save(*arguments)

    made._cache.save_overload = save_if_possible


def _jit(function: Callable[..., Any], **options: bool) -> Any:
    options = {"nogil": True, "_nrt": False, **options}
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = _compiled_folder()
    try:
        made = numba.njit(cache=True, error_model="numpy", fastmath={"contract"}, **options)(function)
        _keep_if_possible(made)
    except RuntimeError:  # Numba's word for "no folder can be written": compile at every start instead
        warnings.warn(
            "firth can write no folder for its compiled code, so every start compiles anew; "
            "set FIRTH_CACHE to a writable folder",
            stacklevel=3,
        )
        made = numba.njit(error_model="numpy", fastmath={"contract"}, **options)(function)
    finally:
        numba.config.CACHE_DIR = before
    return made
