"""safetensors as other libraries write them: one matrix, under one of their names, and the words somewhere.

    embedding.weight   (V, D)   what `torch.nn.Embedding` calls its weights
    metadata           words: a JSON list of strings; counts: one of whole numbers, if known

Files without words in them are read where these stand beside: in tokenizer.json, or vocab.txt with a word on each
line. The matrix is known by its name (see MATRICES), or by being the only one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from firth.errors import BadFile, BadOption, counted
from firth.formats.checks import (
    Matrix,
    as_float32,
    check_matrix,
    check_reading,
    check_unique,
    decoded,
    encoded,
    new_matrix,
)
from firth.formats.rows import line_blocks, lines_in
from firth.formats.tensors import Tensor, header_of, read_tensors, text_of, write_blocks
from firth.formats.tokenizer_json import read_tokens
from firth.formats.words import unpack_words
from firth.storage import AnyPath, opened, replaced

Counts: TypeAlias = NDArray[np.int64]

MATRIX = "embedding.weight"
MATRICES = (
    MATRIX,
    "embeddings",
    "embeddings.weight",
    "weight",
    "vectors",
    "input",
    "word_embeddings.weight",
    "embeddings.word_embeddings.weight",
    "model.embed_tokens.weight",
    "wte.weight",
)
BESIDE = ("tokenizer.json", "vocab.txt")
COPIED_ROWS = 1 << 14
NUMBERS = ("F64", "F32", "F16", "BF16", "I8")


def read_embeddings(
    path: AnyPath, *, encoding_errors: str = "strict", limit: int | None = None
) -> tuple[list[str], Matrix, Counts | None]:
    """The words, the float32 (V, D) matrix, and the counts if the file has them; at most `limit` words.

    A float32 matrix is not read but mapped into memory.

    Raises:
        MissingFile: nothing is there, or it may not be read.
        BadFile: no safetensors file, several matrices of unknown names or none, or no words.
        BadOption: an unknown value of `encoding_errors`, or a limit below 0.
    """
    check_reading(encoding_errors, limit)
    tensors, metadata = read_tensors(path)
    stored = matrix_in(tensors, MATRICES, path)
    words = _words(tensors, metadata, path, encoding_errors)
    if len(words) != len(stored.array):
        raise BadFile(f"{path}: there must be a row for each of {counted(len(words), 'word')}, got {len(stored.array)}")
    check_unique(words, BadFile, f"{path}: ")
    counts = text_of(metadata, "counts")
    if counts is not None:
        if not isinstance(counts, list) or len(counts) != len(words) or not all(map(_is_count, counts)):
            raise BadFile(f"{path}: counts must be a whole number for each of {len(words)} words; write it anew")
        counts = np.array(counts[:limit], np.int64)
    return words[:limit], as_matrix(stored, path)[:limit], counts


def write_embeddings(
    path: AnyPath, words: Sequence[str], matrix: Matrix, counts: Counts | None = None, dtype: str = "float32"
) -> None:
    """Write V words, their (V, D) matrix as `dtype`, and their counts, if known.

    Raises:
        BadOption: a word is given twice or is no UTF-8, a number does not fit `dtype`, the sizes do not agree, or the
            words are too many for a header of safetensors.
        CannotWrite: the disk is full, or the place may not be written.
    """
    check_matrix(words, matrix)
    check_unique(words, BadOption)
    encoded(words, "strict")
    metadata = {"format": "pt", "words": json.dumps(list(words), ensure_ascii=False)}
    if counts is not None:
        metadata["counts"] = json.dumps(counts.tolist())
    kind = np.dtype(dtype).newbyteorder("<").str
    header = header_of({MATRIX: (kind, matrix.shape)}, metadata)
    with replaced(path) as file:
        file.write(header)
        write_blocks(file, matrix, dtype)


def matrix_in(tensors: Mapping[str, Tensor], names: Sequence[str], path: AnyPath) -> Tensor:
    """The tensor under the first of `names` that is there, or the only one with two dimensions; else `BadFile`."""
    wide = {name: each for name, each in tensors.items() if each.array.ndim == 2 and each.code in NUMBERS}
    found = [name for name in names if name in wide] or (list(wide) if len(wide) == 1 else [])
    if not found or wide[found[0]].array.shape[1] < 1:
        raise BadFile(
            f"{path} must hold a (V, D) matrix of numbers under the name {names[0]}, "
            f"got {', '.join(list(tensors)[:8]) or 'nothing'}; rename it"
        )
    return wide[found[0]]


def as_matrix(stored: Tensor, path: AnyPath) -> Matrix:
    """A tensor (V, D) as float32: the memory map itself where it is that, a copy otherwise."""
    if stored.code == "F32" and stored.array.flags.aligned:
        return stored.array
    matrix = new_matrix(len(stored.array), stored.array.shape[1], path)
    for start in range(0, len(matrix), COPIED_ROWS):
        rows = slice(start, start + COPIED_ROWS)
        matrix[rows] = as_float32(stored.numbers(rows), path)
    return matrix


def _words(
    tensors: Mapping[str, Tensor], metadata: Mapping[str, str], path: AnyPath, encoding_errors: str
) -> list[str]:
    words = text_of(metadata, "words")
    if words is not None:
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise BadFile(f"{path}: words in its metadata must be a JSON list of strings; write it anew")
        return words
    data, offsets = tensors.get("words"), tensors.get("word_offsets")
    if data and offsets and _kind(data) == ("U8", 1) and _kind(offsets) == ("I64", 1):
        return unpack_words(data.array, offsets.array, str(path))
    folder = Path(path).parent
    if (folder / BESIDE[0]).is_file():
        return read_tokens(folder / BESIDE[0])
    if (folder / BESIDE[1]).is_file():
        return _lines(folder / BESIDE[1], encoding_errors)
    raise BadFile(f"{path} holds a matrix but no words; put {' or '.join(BESIDE)} beside it")


def _kind(tensor: Tensor) -> tuple[str, int]:
    return tensor.code, tensor.array.ndim


def _lines(path: Path, encoding_errors: str) -> list[str]:
    words: list[str] = []
    with opened(path) as file:
        for block in line_blocks(file, 1, path):
            lines = [line.rstrip(b"\r") for line in lines_in(block)]
            words += decoded(lines, encoding_errors, len(words) + 1, path)
    return words


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 1 << 63
