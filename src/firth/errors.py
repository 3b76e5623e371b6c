"""The errors that firth raises, each a sentence with the value, the rule and the remedy.

    FirthError
    ├── BadOption       (ValueError)         an option out of its range, or two in conflict
    ├── BadCorpus       (ValueError)         text that cannot be trained on: empty, over-pruned, not UTF-8
    ├── BadFile         (ValueError)         a file that is not what it should be: truncated, foreign, malformed
    │   └── CutShort    (EOFError)           a file that ends before all that its beginning promises
    ├── MissingFile     (FileNotFoundError)  nothing there, or nothing that may be read
    ├── CannotRead      (OSError)            the disk or the network failed while a file was read
    ├── CannotWrite     (OSError)            the disk is full, or the place may not be written
    ├── UnknownWord     (KeyError)           a query for a word that has no vector
    ├── Diverged        (ArithmeticError)    training grew without bound; the model is what it was before
    ├── NotTrained      (RuntimeError)       vectors asked of a model before `fit`
    └── MissingExtra    (ImportError)        an optional package is not there, or is broken

Each also derives from the built-in error that Python users would expect to catch.
"""

from __future__ import annotations

import importlib
from typing import Any


class FirthError(Exception):
    """The base of all errors that firth raises on purpose."""


class BadOption(FirthError, ValueError):
    """An option is out of its range, or in conflict with another."""


class BadCorpus(FirthError, ValueError):
    """The corpus cannot be trained on: empty, over-pruned, not text, or not in the encoding it claims."""


class BadFile(FirthError, ValueError):
    """A file is not what it should be: truncated, malformed, or of another format."""


class CutShort(BadFile, EOFError):
    """A file ends before all that its beginning promises."""


class MissingFile(FirthError, FileNotFoundError):
    """A file is not there, or may not be read."""

    def __str__(self) -> str:
        return str(self.args[0])


class CannotRead(FirthError, OSError):
    """A file is there, but its disk or network failed while it was read; the system's own error is the cause."""


class CannotWrite(FirthError, OSError):
    """A file could not be written; whatever stood under its name before still does."""

    def __str__(self) -> str:
        return str(self.args[0])


class UnknownWord(FirthError, KeyError):
    """A word that has no vector was asked for."""

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would show its repr, quotes and all


class Diverged(FirthError, ArithmeticError):
    """Weights or loss grew beyond all numbers in training."""


class NotTrained(FirthError, RuntimeError):
    """Vectors were asked of a model that has not been trained."""


class MissingExtra(FirthError, ImportError):
    """An optional package is not installed, or cannot be loaded."""


def optional(module: str, *, extra: str, purpose: str, package: str = "") -> Any:
    """Import an optional `module`, or raise `MissingExtra` with the command that installs its `extra`.

    The `package` has the module's name unless another is given. One that is there, but whose libraries are not (PyTorch
    without CUDA's, for one), raises `MissingExtra` with what it says and the command that installs it anew.
    """
    try:
        return importlib.import_module(module)
    except (ImportError, OSError) as error:
        root = module.partition(".")[0]
        package = package or root
        if isinstance(error, ModuleNotFoundError) and error.name in (root, module):
            raise MissingExtra(
                f"{purpose} needs the package {package}, which is not installed; run: pip install 'firth[{extra}]'"
            ) from error
        said = str(error).strip().split("\n")[0]
        raise MissingExtra(
            f"{purpose} needs the package {package}, which is installed but cannot be loaded ({said}); run: "
            f"pip install --force-reinstall {package}"
        ) from error


def counted(count: int, noun: str) -> str:
    """How many of something, as a sentence has it: 1 word, 2 words."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
