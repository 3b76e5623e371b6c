"""Answers as tables: what `most_similar` gives as an Arrow table, or as a pandas data frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from firth.errors import BadOption, optional

if TYPE_CHECKING:
    from firth.vectors import Neighbours


def to_arrow(answers: Neighbours | Sequence[Neighbours], queries: Sequence[str] | None = None) -> pa.Table:
    """A table of answers, a row for each: `word` (string) and `score` (float64).

    Answers to many queries, as `most_similar_batch` gives them, have a first column `query` (string) with the names
    in `queries`, or (int64) their numbers from 0.

    Raises `BadOption` where there are not as many names as lists of answers, or for vectors in the place of answers.
    """
    if hasattr(answers, "matrix"):
        raise BadOption(
            f"answers must be what most_similar gives, got {answers!r}; to have vectors as a table, save them "
            "as .parquet or .arrow, or take pandas.DataFrame(vectors.matrix, index=vectors.words)"
        )
    listed: list[Any] = list(answers)
    if not listed or isinstance(listed[0], tuple):
        if queries is not None and listed:
            raise BadOption("names of queries belong to lists of answers, got the answers to one; leave queries out")
        if queries is None:
            return _table(listed, {})
    names: Sequence[Any] = range(len(listed)) if queries is None else queries
    if len(names) != len(listed) or isinstance(names, str):
        raise BadOption(
            f"queries must name each of {len(listed)} lists of answers, got {len(names)}; give one for each"
        )
    kind = pa.int64() if queries is None else pa.string()
    asked = [name for name, found in zip(names, listed, strict=True) for _ in found]
    return _table([pair for found in listed for pair in found], {"query": pa.array(asked, kind)})


def to_pandas(answers: Neighbours | Sequence[Neighbours], queries: Sequence[str] | None = None) -> Any:
    """What `to_arrow` gives, as a pandas data frame; `MissingExtra` where pandas is not installed."""
    optional("pandas", extra="pandas", purpose="a data frame of answers")
    return to_arrow(answers, queries).to_pandas()


def _table(pairs: Sequence[tuple[str, float]], columns: dict[str, pa.Array]) -> pa.Table:
    words, scores = [word for word, _ in pairs], [score for _, score in pairs]
    return pa.table({**columns, "word": pa.array(words, pa.string()), "score": pa.array(scores, pa.float64())})
