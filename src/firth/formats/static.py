"""Folders of static embeddings: model2vec's and sentence-transformers' StaticEmbedding, which read each other's.

    model.safetensors   `embeddings` (model2vec) or `embedding.weight` (sentence-transformers), (V + 1, D)
    tokenizer.json      a tokenizer of whole words; see `tokenizer_json`
    modules.json        what sentence-transformers puts together
    config.json         model2vec's facts; config_sentence_transformers.json: sentence-transformers'

A text's vector is the mean of its words'. Both libraries ask for a token that stands for unknown words: where the
words have none, it is added as the last, with a vector of zeros, and left out again when the folder is read.

model2vec's folders may also hold `mapping`, the row of each token, and `weights`, which rows are multiplied with.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from firth.errors import BadFile, BadOption, counted
from firth.formats.checks import Matrix, check_matrix, check_reading, check_unique, encoded
from firth.formats.embeddings import MATRIX, as_matrix, matrix_in
from firth.formats.tensors import Tensor, header_of, read_tensors, write_blocks
from firth.formats.tokenizer_json import UNKNOWN, read_tokens, tokenizer_json
from firth.storage import AnyPath, is_folder, replaced_folder

MODEL2VEC = "model2vec"
SENTENCE_TRANSFORMERS = "sentence-transformers"
LAYOUTS = (MODEL2VEC, SENTENCE_TRANSFORMERS)

MODEL, TOKENIZER, CARD = "model.safetensors", "tokenizer.json", "README.md"
CONFIG, ST_CONFIG, MODULES = "config.json", "config_sentence_transformers.json", "modules.json"
FILES = (MODEL, TOKENIZER, CONFIG, ST_CONFIG, MODULES, CARD)
NESTED = "0_StaticEmbedding"  # where older sentence-transformers put the model
ADDED = {"unknown_token": "added by firth"}
MATRICES = (MATRIX, "embeddings")


def read_static(
    path: AnyPath, *, encoding_errors: str = "strict", limit: int | None = None
) -> tuple[list[str], Matrix]:
    """The words (tokens) and the float32 (V, D) matrix of a folder; at most `limit` words.

    Raises:
        MissingFile: one of its files is not there, or may not be read.
        BadFile: a file is not what it should be, or the sizes do not agree.
        BadOption: an unknown value of `encoding_errors`, or a limit below 0.
    """
    check_reading(encoding_errors, limit)
    folder = Path(path) / NESTED if is_folder(Path(path) / NESTED) else Path(path)
    tensors, metadata = read_tensors(folder / MODEL)
    words = read_tokens(folder / TOKENIZER)
    matrix = _mapped(tensors, as_matrix(matrix_in(tensors, MATRICES, path), path), path)
    if len(words) != len(matrix):
        raise BadFile(f"{path}: there must be a row for each of {counted(len(words), 'token')}, got {len(matrix)}")
    if ADDED.items() <= metadata.items():
        words, matrix = words[:-1], matrix[:-1]
    check_unique(words, BadFile, f"{path}: ")
    return words[:limit], matrix[:limit]


def write_static(
    path: AnyPath,
    words: Sequence[str],
    matrix: Matrix,
    layout: str = SENTENCE_TRANSFORMERS,
    dtype: str = "float32",
    *,
    tokenizer: str = "whitespace",
    card: str | None = None,
) -> None:
    """Write V words and their (V, D) matrix as `dtype` to a folder that one of the two libraries loads.

    `tokenizer` says how they shall cut text: as firth's of that name does. `card` becomes the folder's README.md.

    Raises:
        BadOption: a word is given twice or is no UTF-8, a number does not fit `dtype`, the sizes do not agree, or the
            layout or the tokenizer is unknown.
        CannotWrite: the folder holds other things, the disk is full, or the place may not be written.
    """
    check_matrix(words, matrix)
    check_unique(words, BadOption)
    encoded(words, "strict")
    if layout not in LAYOUTS:
        raise BadOption(f"layout must be one of {', '.join(LAYOUTS)}; got {layout!r}")
    tokens = [*words] if UNKNOWN in words else [*words, UNKNOWN]
    V, D = len(tokens), matrix.shape[1]
    name = "embeddings" if layout == MODEL2VEC else MATRIX
    metadata = {"format": "pt", **(ADDED if len(words) < V else {})}
    header = header_of({name: (np.dtype(dtype).newbyteorder("<").str, (V, D))}, metadata)
    texts = {TOKENIZER: tokenizer_json(tokens, UNKNOWN, tokenizer)}
    texts |= {file: json.dumps(said, indent=2).encode() for file, said in _settings(layout, D, dtype).items()}
    texts |= {} if card is None else {CARD: card.encode()}
    with replaced_folder(path, FILES) as folder:
        with (folder / MODEL).open("wb") as file:
            file.write(header)
            write_blocks(file, matrix, dtype)
            write_blocks(file, np.zeros((V - len(words), D), np.float32), dtype)
        for file_name, text in texts.items():
            (folder / file_name).write_bytes(text)


def is_static(folder: Path, layout: str) -> bool:
    """Whether a folder has the files of a layout."""
    marked = folder / (ST_CONFIG if layout == SENTENCE_TRANSFORMERS else CONFIG)
    inner = folder / NESTED if (folder / NESTED).is_dir() else folder
    return marked.is_file() and (inner / MODEL).is_file() and (inner / TOKENIZER).is_file()


def _settings(layout: str, D: int, dtype: str) -> Mapping[str, Any]:
    modules = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.StaticEmbedding"}]
    if layout == MODEL2VEC:
        config: dict[str, Any] = {
            "model_type": "model2vec",
            "architectures": ["StaticModel"],
            "hidden_dim": D,
            "normalize": False,
            "embedding_dtype": dtype,
        }
        return {CONFIG: config, MODULES: modules}
    config = {"prompts": {}, "default_prompt_name": None, "similarity_fn_name": "cosine"}
    return {ST_CONFIG: config, MODULES: modules}


def _mapped(tensors: Mapping[str, Tensor], matrix: Matrix, path: AnyPath) -> Matrix:
    """One row for each token, where model2vec keeps fewer rows than tokens, or a factor for each."""
    mapping, weights = tensors.get("mapping"), tensors.get("weights")
    if mapping is not None:
        rows = mapping.array
        if (
            rows.ndim != 1
            or rows.dtype.kind not in "iu"
            or (len(rows) and not 0 <= rows.min() <= rows.max() < len(matrix))
        ):
            raise BadFile(f"{path}: mapping must be the row of each token, 0 to {len(matrix) - 1}; fetch it anew")
        matrix = matrix[rows]
    if weights is not None:
        factors = weights.numbers()
        if factors.shape != (len(matrix),) or factors.dtype.kind != "f":
            raise BadFile(f"{path}: weights must be a number for each of {len(matrix)} tokens, got {factors.shape}")
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is found with all other vectors
            matrix = matrix * factors.astype(np.float32)[:, None]
    return matrix
