"""Files of edges: two or three columns, a compiled loop that cuts them, and a lexicon that numbers the names."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from firth.arrow import as_numpy
from firth.corpus.blocks import TextBlock
from firth.corpus.files import TextFile, shortened
from firth.corpus.lexicon import Lexicon
from firth.errors import BadCorpus, BadFile, MissingFile
from firth.graphs.adjacency import Nodes, Weights, bad_weight
from firth.graphs.cutting import FAULTS, WITH_WEIGHTS, cut_edges
from firth.options import GraphOptions
from firth.storage import check_the_path

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

DELIMITERS = {"space": 0, "comma": ord(","), "semicolon": ord(";"), "tab": ord("\t")}  # 0: white space
DECIMAL_COMMA = re.compile(rb"[^\s,]+\s+[^\s,]+\s+\d*,\d+")  # in a weight, no delimiter; the weight is then refused
LONGEST_LINE = 1 << 20  # bytes
FEWEST_BYTES = 4  # of a line with an edge: two names, what is between, the line's end


class Edges(NamedTuple):
    """Edge i leads from node sources[i] to targets[i], both int32; `names` are those of the nodes.

    `remarks` is how many lines begin with #, which were passed over.
    """

    sources: Nodes
    targets: Nodes
    weights: Weights | None
    names: pa.LargeStringArray
    remarks: int


def read_edges(path: str, options: GraphOptions) -> Edges:
    """The edges of a file; nodes are numbered in the order in which they are met.

    Raises `MissingFile`, `BadCorpus` for what is no text or holds no edge, `BadFile` for a line that is no edge.
    """
    if "://" not in path and not Path(path).exists():
        raise MissingFile(f"there is no file {shortened(path)}; {check_the_path(path)}")
    cutter = _Cutter(path, options)
    numbers, weights = [], []
    for lines in _whole_lines(path):
        names, ends, values = cutter.cut(lines)
        if len(ends) > 1:
            numbers.append(cutter.lexicon.number(names, ends))
            weights.append(values)
    if not numbers:
        told = f" (lines that begin with # are none: {cutter.remarks:,})" if cutter.remarks else ""
        raise BadCorpus(f"{shortened(path)} holds no edge{told}; give two names on a line, and a weight if you like")
    nodes = np.concatenate(numbers)
    return Edges(
        np.ascontiguousarray(nodes[0::2]),
        np.ascontiguousarray(nodes[1::2]),
        np.concatenate(weights) if cutter.columns == WITH_WEIGHTS else None,
        cutter.names(),
        cutter.remarks,
    )


def _whole_lines(path: str) -> Iterator[bytes]:
    """The file, some whole lines at a time, the last of which may lack its end; `BadFile` for what is too long."""
    begun, lines = b"", 0
    for block in TextFile(path).blocks():
        assert isinstance(block, TextBlock)
        text = begun + bytes(block.data)
        begun = text if block.line_goes_on else b""
        if len(begun) > LONGEST_LINE:
            raise BadFile(f"line {lines + 1:,} of {shortened(path)} has {len(begun):,} bytes or more; it is no edge")
        if not begun:
            lines += text.count(b"\n")
            yield text


class _Cutter:
    """Cuts blocks of one file. `columns` are those of its first edge, 0 before there is one; `remarks` are counted."""

    def __init__(self, path: str, options: GraphOptions) -> None:
        self.path, self.weighted = shortened(path), options.weighted
        self.delimiter = DELIMITERS.get(options.delimiter)
        self.header = options.header  # which is yet to come
        self.columns = 0
        self.lines, self.remarks = 0, 0  # before the block
        self.lexicon = Lexicon()

    def cut(self, text: bytes) -> tuple[Bytes, Ints, Weights]:
        """The names of the edges of some lines joined, where each ends (from 0 on), and the weights."""
        if self.header:
            text, self.header = _without_header(text)
        if self.delimiter is None:
            self.delimiter = _delimiter_of(text)
        data = np.frombuffer(text, np.uint8)
        most = len(data) // FEWEST_BYTES + 1
        names, weights = np.empty(len(data), np.uint8), np.empty(len(data) if self.weighted else 0, np.uint8)
        ends, weight_ends = np.zeros(2 * most + 1, np.int64), np.zeros(most + 1, np.int64)
        lines = np.empty(most, np.int64)
        state = np.array([self.columns, 0, 0, 0, 0], np.int64)
        edges = cut_edges(data, self.delimiter or 0, self.weighted, names, ends, weights, weight_ends, lines, state)
        self.columns, line, fault, met, remarks = map(int, state)
        self.remarks += remarks
        if fault:
            said = FAULTS[fault].format(met=met, columns=self.columns, s="s" * (met != 1))
            raise BadFile(f"line {self.lines + line:,} of {self.path} {said}")
        values = np.empty(0)
        if self.columns == WITH_WEIGHTS:
            values = self._numbers(weights, weight_ends[: edges + 1], lines)
        self.lines += line
        return names, ends[: 2 * edges + 1], values

    def _numbers(self, text: Bytes, ends: Ints, lines: Ints) -> Weights:
        """The weights of a block's edges, `text` cut at `ends`; `BadFile` names the line of the first that is none."""
        buffers = [None, pa.py_buffer(ends), pa.py_buffer(text)]
        words = pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(ends) - 1, buffers)
        try:
            values: Weights = as_numpy(words.cast(pa.large_string()).cast(pa.float64()))
        except pa.ArrowInvalid:
            values = np.array([_number(word) for word in words.to_pylist()])
        wrong = np.flatnonzero(~((values > 0) & (values < np.inf)))
        if len(wrong):
            first = int(wrong[0])
            word = words[first].as_py().decode(errors="backslashreplace")
            told = bad_weight(word, f"the edge in line {self.lines + int(lines[first]):,} of {self.path}")
            heading = first == 0 and not len(self.lexicon) and math.isnan(_number(words[0].as_py()))
            raise BadFile(told + "; if that line names the columns, set header=True" * heading)
        return values

    def names(self) -> pa.LargeStringArray:
        """The names of all nodes; `BadFile` where one is not UTF-8."""
        words, _ = self.lexicon.words()
        try:
            return words.cast(pa.large_string())
        except pa.ArrowInvalid as error:
            raise BadFile(f"{self.path} holds names that are not UTF-8 ({error}); convert it, as by iconv") from error


def _without_header(text: bytes) -> tuple[bytes, bool]:
    """The lines, of which the first that is neither empty nor a remark is emptied; and whether it is yet to come."""
    start = 0
    while start < len(text):
        end = text.find(b"\n", start)
        if end < 0:  # the last line, which lacks its end
            end = len(text)
        line = text[start:end].strip()
        if line and not line.startswith(b"#"):
            return text[:start] + text[end:], False
        start = end + 1
    return text, True


def _number(word: bytes) -> float:
    try:
        return float(word)
    except ValueError:
        return np.nan


def _delimiter_of(text: bytes) -> int | None:
    """What `auto` finds: a comma if the first edge of `text` has one, else white space; None where no edge is there."""
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith(b"#"):
            return DELIMITERS["comma" if b"," in line and not DECIMAL_COMMA.fullmatch(line.strip()) else "space"]
    return None
