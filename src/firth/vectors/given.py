"""What users hand to queries, checked: words and vectors, weights, counts, threads."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from firth.errors import BadOption
from firth.options import usable_cores, whole

Vector: TypeAlias = NDArray[np.float32]
Matrix: TypeAlias = NDArray[np.float32]
Query: TypeAlias = str | Vector
Weighted: TypeAlias = Query | tuple[Query, float]


def as_list(queries: Weighted | Sequence[Weighted] | None) -> list[Any]:
    """The words and vectors given: one or many; a flat list or array of numbers is one vector."""
    if queries is None:
        return []
    if isinstance(queries, str) or _is_weighted(queries):
        return [queries]
    if isinstance(queries, Mapping) or not isinstance(queries, Iterable):
        raise BadOption(f"queries must be words or vectors, got {queries!r}; give a string or a list of strings")
    listed: list[Any] = (
        queries.tolist() if isinstance(queries, np.ndarray) and queries.dtype.kind == "U" else [*queries]
    )
    if listed and all(isinstance(each, (int, float, np.number)) for each in listed):
        return [np.asarray(listed, np.float32)]
    return listed


def weighted(
    positive: Weighted | Sequence[Weighted] | None, negative: Weighted | Sequence[Weighted] | None
) -> list[tuple[Query, float]]:
    """Each query and its weight: 1 for those wanted, -1 for those not, unless it comes as a pair with its weight.

    Raises:
        BadOption: no query at all, a weight that is no finite number, or one above 0 among those not wanted.
    """
    if isinstance(positive, str) and negative is None:
        return [(positive, 1.0)]
    found = [_with_weight(each, 1.0) for each in as_list(positive)]
    for query, weight in (_with_weight(each, -1.0) for each in as_list(negative)):
        if weight > 0:
            raise BadOption(
                f"weights among negative must be 0 or less, got {weight} for {reprlib.repr(query)}; "
                f"give {-weight}, or move it to positive"
            )
        found.append((query, weight))
    if not found:
        raise BadOption("most_similar needs at least one word or vector, got none")
    return found


def _is_weighted(query: Any) -> bool:
    """Whether this is a pair of a word or vector and its weight, not two numbers of a vector."""
    return (
        isinstance(query, tuple)
        and len(query) == 2
        and isinstance(query[1], Real)
        and isinstance(query[0], (str, np.ndarray, list))
    )


def _with_weight(query: Any, usual: float) -> tuple[Any, float]:
    if not _is_weighted(query):
        return query, usual
    what, weight = query
    if isinstance(weight, bool) or not np.isfinite(weight):
        raise BadOption(f"a weight must be a finite number, got {weight!r} for {reprlib.repr(what)}")
    return what, float(weight)


def as_vector(query: Any, size: int) -> Vector:
    """A vector (size,) of finite numbers, or `BadOption`."""
    vector = np.asarray(query)
    if vector.shape != (size,) or vector.dtype.kind not in "fiu" or not np.isfinite(vector).all():
        raise BadOption(f"a query must be a word or a vector of {size} finite numbers, got {query!r}")
    return vector


def several(name: str, given: Any, what: str = "words") -> list[Any]:
    """A list of what is given, or `BadOption` for one word alone."""
    if isinstance(given, (str, Mapping)) or not isinstance(given, Iterable):
        raise BadOption(f"{name} must be a list of {what}, got {reprlib.repr(given)}; give a list, also for one")
    return list(given)


def cores(threads: int | None) -> int:
    """How many threads to use: those given, or every core that this process may use."""
    return usable_cores() if threads is None else whole("threads", threads, at_least=1)
