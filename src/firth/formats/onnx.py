"""Vectors as an ONNX graph that looks words up and finds the nearest: for phones, browsers and small machines.

    words       string   (N,)    what is asked; or, without words in the file, `ids`, int64 (N,), rows from 0 to V - 1
    k           int64    (1,)    how many neighbours; 0 for none, which spares reading all rows

    known       bool     (N,)    whether there is such a word
    vectors     float32  (N, D)  zeros for one that is unknown
    neighbours  string   (N, m)  m = min(k, V - 1), the nearest first; or ids, int64. Of an unknown word "", or -1
    scores      float32  (N, m)  their cosines; of an unknown word zeros

As with `most_similar`, a word is no neighbour of its own, and equal scores come in the order of the rows.

The matrix is stored as float32, float16 or int8 with a scale for each row. Products of int8 are products of whole
numbers: the query is a row, too, so nothing is rounded but by the scales. Float16 is widened when the file is opened.
The matrix is the first factor of each product, since onnxruntime keeps a second copy of a constant that is the second.

Written without the package onnx: the format is 180 lines (`onnx_graph.py`, `protobuf.py`), and rows go from where
they are mapped straight into the file.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from firth import __version__
from firth.errors import BadFile, BadOption, counted
from firth.formats.checks import check_unique, encoded
from firth.formats.onnx_graph import BOOL, FLOAT, INT64, STRING, Graph, model
from firth.nearest import Vector
from firth.storage import AnyPath, replaced
from firth.stored import Codes, StoredRows

IR_VERSION = 7
OPSETS = {"": 13, "ai.onnx.ml": 2}
DTYPES = ("float32", "float16", "int8")
LARGEST = 2**31 - 1  # what Protocol Buffers hold in one message
ONE = np.ones(1, np.int64)


def write_onnx(path: AnyPath, words: Sequence[str], rows: StoredRows, *, ids: bool = False) -> None:
    """Write V words and their rows, float32, float16 or int8, as a graph; with `ids`, rows alone, asked by number.

    Raises:
        BadOption: no words, one that stands twice or is no UTF-8, or more than 2 GiB in all.
        BadFile: NaN or infinity in the rows.
        CannotWrite: the disk is full, or the place may not be written.
    """
    if not words:
        raise BadOption("a graph of no words answers nothing; give at least one word")
    if len(words) != rows.shape[0] or rows.dtype not in DTYPES:
        raise BadOption(
            f"a graph takes a row of {', '.join(DTYPES)} for each word, got {rows.shape[0]} rows of {rows.dtype} for "
            f"{len(words)} words; see WordVectors.save"
        )
    check_unique(words, BadOption)
    norms = rows.lengths(threads=1)
    if not np.isfinite(norms).all():
        raise BadFile("vectors must be finite numbers below 1e19; train again at a lower rate, or leave such words out")
    graph = _graph(encoded(words, "strict"), rows, norms, ids)
    message = model(graph, IR_VERSION, OPSETS, ("firth", __version__), _described(rows, ids))
    if message.size > LARGEST:
        raise BadOption(
            f"{len(words)} words of {rows.shape[1]} numbers as {rows.dtype} make {message.size / 2**30:.1f} GiB, and "
            "an ONNX file holds less than 2; take dtype int8, or fewer words with limit"
        )
    with replaced(path) as file:
        message.write(file)


def _graph(words: list[bytes], rows: StoredRows, norms: Vector, ids: bool) -> Graph:
    """Which row each query is, the rows, and their neighbours where any are asked for."""
    V, D = rows.shape
    graph = Graph("vectors")
    graph.input("ids" if ids else "words", INT64 if ids else STRING, ["N"])
    graph.input("k", INT64, [1])
    for name, value in {"none": 0, "one": 1, "V": V, "others": V - 1}.items():
        graph.constant(name, value * ONE)
    if not ids:
        values = {"keys_strings": words, "values_int64s": range(V), "default_int64": -1}
        graph.node("ids", "LabelEncoder", "words", domain="ai.onnx.ml", **values)
    _add_places(graph)
    _add_rows(graph, rows, norms)
    graph.node("asked", "Greater", "k", "none")
    searched, spared = _searched(isinstance(rows, Codes)), _spared()
    graph.node(["nearest", "scores"], "If", "asked", then_branch=searched, else_branch=spared)
    if ids:
        graph.constant("nothing", -ONE)
        graph.node("neighbours", "Where", "known_columns", "nearest", "nothing")
    else:
        graph.texts("list", words)
        graph.texts("nothing", [b""])
        graph.node("named", "Gather", "list", "nearest")
        graph.node("neighbours", "Where", "known_columns", "named", "nothing")
    graph.output("known", BOOL, ["N"])
    graph.output("vectors", FLOAT, ["N", D])
    graph.output("neighbours", INT64 if ids else STRING, ["N", "m"])
    graph.output("scores", FLOAT, ["N", "m"])
    return graph


def _add_places(graph: Graph) -> None:
    """Whether each query is a word, and its row, or 0; both also as columns (N, 1)."""
    graph.node("below", "Less", "ids", "none")
    graph.node("not_below", "Not", "below")
    graph.node("not_beyond", "Less", "ids", "V")
    graph.node("known", "And", "not_below", "not_beyond")
    graph.node("places", "Where", "known", "ids", "none")
    graph.node("known_columns", "Unsqueeze", "known", "one")
    graph.node("place_columns", "Unsqueeze", "places", "one")
    graph.node("weights", "Cast", "known_columns", to=FLOAT)  # 1 for a word, 0 for none


def _add_rows(graph: Graph, rows: StoredRows, norms: Vector) -> None:
    """`vectors`; and what the search needs of all rows and of those asked."""
    lengths = np.where(norms > 0, norms, np.float32(1))[:, None]
    if isinstance(rows, Codes):
        scales = np.ascontiguousarray(rows.scales)[:, None]
        graph.constant("codes", rows.codes)
        graph.constant("scales", scales)
        graph.constant("unit_scales", scales / lengths)
        graph.node("query_codes", "Gather", "codes", "places")
        graph.node("query_scales", "Gather", "scales", "places")
        graph.node("numbers", "Cast", "query_codes", to=FLOAT)
        graph.node("stored", "Mul", "numbers", "query_scales")
    else:
        graph.constant("lengths", lengths)
        graph.constant("halves" if rows.dtype == "float16" else "matrix", rows.tensors["input"])
        if rows.dtype == "float16":
            graph.node("matrix", "Cast", "halves", to=FLOAT)
        graph.node("stored", "Gather", "matrix", "places")
    graph.node("vectors", "Mul", "stored", "weights")


def _searched(coded: bool) -> Graph:
    """The rows nearest to each query, int64 (N, m), and their scores."""
    graph = Graph("search")
    if coded:
        graph.node("columns", "Transpose", "query_codes")
        graph.node("whole", "MatMulInteger", "codes", "columns")
        graph.node("products", "Cast", "whole", to=FLOAT)
        graph.node("shares", "Mul", "products", "unit_scales")
        graph.node("query_unit_scales", "Gather", "unit_scales", "places")
        graph.node("by_query", "Transpose", "shares")
        graph.node("cosines", "Mul", "by_query", "query_unit_scales")
    else:
        graph.node("query_lengths", "Gather", "lengths", "places")
        graph.node("units", "Div", "vectors", "query_lengths")
        graph.node("columns", "Transpose", "units")
        graph.node("products", "MatMul", "matrix", "columns")
        graph.node("shares", "Div", "products", "lengths")
        graph.node("cosines", "Transpose", "shares")
    graph.node("shape", "Shape", "place_columns")
    graph.node("lowest", "ConstantOfShape", "shape", value=np.full(1, -np.inf, np.float32))
    graph.node("without_itself", "ScatterElements", "cosines", "place_columns", "lowest", axis=1)
    graph.node("m", "Min", "k", "others")
    graph.node(["best_scores", "best"], "TopK", "without_itself", "m", axis=1)
    graph.node("scores_or_zeros", "Mul", "best_scores", "weights")
    graph.output("best", INT64, ["N", "m"])
    graph.output("scores_or_zeros", FLOAT, ["N", "m"])
    return graph


def _spared() -> Graph:
    """No neighbours."""
    graph = Graph("no search")
    graph.node("count", "Shape", "ids")
    graph.node("empty", "Concat", "count", "none", axis=0)
    graph.node("no_rows", "ConstantOfShape", "empty", value=0 * ONE)
    graph.node("no_scores", "ConstantOfShape", "empty", value=np.zeros(1, np.float32))
    graph.output("no_rows", INT64, ["N", "m"])
    graph.output("no_scores", FLOAT, ["N", "m"])
    return graph


def _described(rows: StoredRows, ids: bool) -> str:
    V, D = rows.shape
    asked = f"ids, int64 (N,), rows from 0 to {V - 1}" if ids else "words, string (N,)"
    return (
        f"{V} word vectors of {counted(D, 'number')}, stored as {rows.dtype}. Inputs: {asked}; k, int64 (1,), how many "
        "neighbours, 0 for none. Outputs: known (N,), vectors (N, D), neighbours and scores (N, min(k, V - 1)), by "
        "cosine, the nearest first, without the word itself. Of what is unknown: zeros, and neighbours that are "
        f"{'-1' if ids else 'empty'}."
    )
