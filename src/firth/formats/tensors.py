"""Files of named arrays: safetensors, written block by block and read by memory map.

Layout (https://github.com/huggingface/safetensors): 8 bytes with the header's length, a JSON header padded with
spaces to a multiple of 8, then the arrays. Reading takes only what safetensors' own library has found sound.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from firth.errors import BadFile, BadOption
from firth.formats.checks import HEADER_STARTS, as_dtype, check_no_pickle
from firth.storage import AnyPath, mapped, opened

Array: TypeAlias = NDArray[Any]

BLOCK_BYTES = 8 << 20
LARGEST_HEADER = 100_000_000  # what safetensors' library reads at most

# safetensors' names of types, and NumPy's. It knows no bfloat16: those are the upper halves of float32.
TYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "|i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "|u1",
}
CODES = {kind: code for code, kind in TYPES.items() if code != "BF16"}


@dataclass(frozen=True, eq=False)
class Tensor:
    """An array in a file: safetensors' name of its type, and a read-only view (shape ...) into the memory map."""

    code: str
    array: Array

    def numbers(self, rows: slice = slice(None)) -> Array:
        """Some rows as numbers that NumPy knows; bfloat16 becomes float32."""
        part = self.array[rows]
        return part if self.code != "BF16" else (part.astype(np.uint32) << 16).view(np.float32)


def header_of(tensors: Mapping[str, tuple[str, tuple[int, ...]]], metadata: Mapping[str, str]) -> bytes:
    """The length and the JSON header of a file of tensors, (type as NumPy names it, shape) each, in their order."""
    entries: dict[str, Any] = {"__metadata__": dict(metadata)}
    start = 0
    for name, (kind, shape) in tensors.items():
        stop = start + np.dtype(kind).itemsize * int(np.prod(shape, dtype=np.int64))
        entries[name] = {"dtype": CODES[kind], "shape": list(shape), "data_offsets": [start, stop]}
        start = stop
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > LARGEST_HEADER:
        raise BadOption(
            f"the words make a header of {len(text)} bytes, safetensors reads {LARGEST_HEADER} at most; "
            "write fewer words, or firth's own format"
        )
    return len(text).to_bytes(8, "little") + text


def write_blocks(file: IO[bytes], array: Array, dtype: str) -> None:
    """Write an array row by row in little-endian order, some megabytes at a time."""
    if array.size == 0:
        return
    rows = max(1, BLOCK_BYTES * len(array) // array.nbytes)
    for start in range(0, len(array), rows):
        file.write(as_dtype(array[start : start + rows], dtype).data.cast("B"))


def read_tensors(path: AnyPath) -> tuple[dict[str, Tensor], dict[str, str]]:
    """All arrays of a safetensors file, mapped into memory, and its metadata.

    Types that NumPy has no name for (float8 and the like) are left out.

    Raises:
        MissingFile: nothing is there, or it may not be read.
        BadFile: truncated, pickled, or no safetensors file.
    """
    with opened(path) as data:  # says it clearly where nothing may be read
        first = data.read(HEADER_STARTS + 1)
        whole = mapped(data, path) if first else b""
    try:
        with safe_open(Path(path), framework="numpy") as tensors_file:
            metadata: dict[str, str] = tensors_file.metadata() or {}
    except (SafetensorError, OSError, ValueError) as error:
        check_no_pickle(first, path)
        raise BadFile(f"{path} is truncated or not a safetensors file ({error}); fetch it or write it anew") from error
    begin = 8 + int.from_bytes(whole[:8], "little")
    tensors = {}
    try:
        for name, entry in json.loads(whole[8:begin]).items():
            if name != "__metadata__" and entry["dtype"] in TYPES:
                place = begin + entry["data_offsets"][0]
                array = np.ndarray(tuple(entry["shape"]), TYPES[entry["dtype"]], buffer=whole, offset=place)
                tensors[name] = Tensor(entry["dtype"], array)
    except (TypeError, ValueError, KeyError) as error:  # the file was replaced after it was checked
        raise BadFile(f"{path}: its arrays do not fit the file ({error}); read it again") from error
    return tensors, metadata


def text_of(metadata: Mapping[str, str], name: str) -> Any:
    """What the metadata say under `name` in JSON, or None."""
    with suppress(ValueError, RecursionError):
        return json.loads(metadata.get(name, "null"))
    return None
