"""The transformer's parameters: those of the options classes, and a few of its own, with a signature that shows them.

scikit-learn reads a constructor's signature to clone and to search, so every parameter must stand in it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from firth.errors import BadOption
from firth.options import DocumentOptions, TrainingOptions

# What scikit-learn has names of its own for.
CALLED_OTHERWISE = {"seed": "random_state", "workers": "n_jobs"}
OWN: dict[str, Any] = {"vectors": None, "tokenizer": "words", "combine": "input", "random_state": None, "n_jobs": None}
DEFAULTS: dict[str, Any] = OWN | {
    each.name: each.default
    for options in (DocumentOptions, TrainingOptions)
    for each in fields(options)
    if each.name not in CALLED_OTHERWISE
}


def takes_parameters(constructor: Callable[..., None]) -> Callable[..., None]:
    """Give a constructor the signature of all parameters, by keyword, and refuse others."""

    def checked(self: Any, **given: Any) -> None:
        for name in given:
            if name not in DEFAULTS:
                meant = f"; here it is called {CALLED_OTHERWISE[name]}" if name in CALLED_OTHERWISE else ""
                raise BadOption(f"unknown parameter {name!r}{meant}; the parameters are: {', '.join(sorted(DEFAULTS))}")
        constructor(self, **given)

    checked.__doc__ = constructor.__doc__
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    named = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=value) for name, value in DEFAULTS.items()]
    checked.__signature__ = inspect.Signature([own, *named])  # type: ignore[attr-defined]
    return checked
