"""The one-file model: matrices, words, counts, options and state in one safetensors file.

Its tensors (see `tensors.py`), those of the largest items first so that each is aligned:

    word_offsets  int64    (V + 1,)   where each word begins in `words`
    counts        int64    (V,)       how often each word occurs; optional
    vector_size   int64    (1,)       D; where the vectors are bits or codes
    input_scales  float32  (V,)       a scale for each row; where the vectors are int8, bits or codes
    gram_kind     int64    (3,)       which n-grams count: the shortest, the longest, buckets; beside n-grams
    gram_buckets  int64    (U,)       the bucket that each row of n-grams is of; beside n-grams
    codebooks     float32  (M, 256, D / M)  beside codes of product quantisation alone
    input         float32  (V, D)     the vectors; float16, int8 (V, D) or bits, uint8 (V, D / 8), in version 2;
                                      codes, uint8 (V, M), in version 3
    output        float32  (V, D)     the vectors of words as contexts; optional
    grams         float32  (U, D)     the rows of character n-grams (`firth.ngrams`), in version 4; optional
    own           float32  (V, D)     beside n-grams, the words' own rows, which training goes on from; optional
    words         uint8    (bytes,)   the words' UTF-8 bytes, joined

What narrow rows stand for, `firth.stored` says. Files of float32 are of version 1, as they always were. Beside n-grams,
`input` holds whole vectors, made of the words' own rows and their n-grams'.
Its metadata are strings: `format` "firth", `format_version` "1" to "4", `options` and `state` as JSON, and any
others. Writing costs a fixed buffer, reading maps the file into memory. Nothing is ever unpickled.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from firth.errors import BadFile, BadOption
from firth.formats.tensors import TYPES, Tensor, header_of, read_tensors, write_blocks
from firth.formats.words import check_packed, pack_words, unpack_words
from firth.ngrams import LONGEST_GRAM, MOST_BUCKETS, NGrams
from firth.storage import AnyPath, replaced
from firth.stored import Bits, Codes, Floats, Halves, Products, StoredRows
from firth.stored.bits import BYTE
from firth.stored.pq import ENTRIES, part_size
from firth.vectors import SubwordVectors, WordVectors
from firth.vectors.subwords import wrong_buckets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FORMAT = "firth"
FORMAT_VERSION = 4
OLD_VERSION = 1  # which knows float32 alone, and is still written for it
NARROW_VERSION = 2  # float16, int8 and bits
CODED_VERSION = 3  # product quantisation
RESERVED = ("format", "format_version", "options", "state")

Matrix: TypeAlias = NDArray[np.float32]

# name -> (safetensors' name of the type, number of dimensions), largest items first
_TENSORS: dict[str, tuple[str, int]] = {
    "word_offsets": ("I64", 1),
    "counts": ("I64", 1),
    "vector_size": ("I64", 1),
    "gram_kind": ("I64", 1),
    "gram_buckets": ("I64", 1),
    "input_scales": ("F32", 1),
    "codebooks": ("F32", 3),
    "input": ("F32", 2),
    "output": ("F32", 2),
    "grams": ("F32", 2),
    "own": ("F32", 2),
    "words": ("U8", 1),
}
_OPTIONAL = tuple(name for name in _TENSORS if name not in ("word_offsets", "input", "words"))
_NARROW = ("F16", "I8", "U8")  # other types of `input`, from version 2 on


@dataclass(frozen=True, eq=False, kw_only=True)
class StoredModel:
    """What a model file holds; arrays read from a file are read-only views into its memory map.

    `word_bytes` is uint8, `word_offsets` int64 (V + 1,), `counts` int64 (V,), `input` and `output` float32
    (V, D), which may be strided by rows. Narrow rows stand in `input`, `input_scales`, `codebooks` and `vector_size`
    as their `tensors` say (`firth.stored`), without `output`; `rows` are either. `grams`, float32 (U, D), are the rows
    of n-grams, `gram_buckets`, int64 (U,), and `gram_kind`, int64 (3,), say of which; `own`, float32 (V, D), are then
    the words' own rows. `options` and `state` hold what JSON can; `metadata` are all other strings.
    """

    word_bytes: NDArray[np.uint8]
    word_offsets: NDArray[np.int64]
    input: NDArray[Any]
    output: Matrix | None = None
    counts: NDArray[np.int64] | None = None
    input_scales: NDArray[np.float32] | None = None
    vector_size: NDArray[np.int64] | None = None
    codebooks: NDArray[np.float32] | None = None
    grams: Matrix | None = None
    gram_buckets: NDArray[np.int64] | None = None
    gram_kind: NDArray[np.int64] | None = None
    own: Matrix | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    state: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, words: Sequence[str], input: NDArray[Any], **others: Any) -> Self:
        """A model of V `words` and their vectors; `others` are the further fields."""
        word_bytes, word_offsets = pack_words(words)
        return cls(word_bytes=word_bytes, word_offsets=word_offsets, input=input, **others)

    @classmethod
    def of_vectors(cls, vectors: WordVectors, **others: Any) -> Self:
        """A model of vectors alone, with their n-grams where they have some; `others` are the further fields."""
        grams = gram_tensors(vectors) if isinstance(vectors, SubwordVectors) else {}
        return cls.of(vectors.words, counts=vectors.counts, **vectors.rows.tensors, **grams, **others)

    @cached_property
    def words(self) -> list[str]:
        """The V words, decoded at first use."""
        return unpack_words(self.word_bytes, self.word_offsets)

    @property
    def rows(self) -> StoredRows:
        """The vectors as they are stored."""
        if self.input.dtype == np.float16:
            return Halves(self.input)
        if self.input.dtype == np.int8 and self.input_scales is not None:
            return Codes(self.input, self.input_scales)
        if self.input.dtype == np.uint8 and self.input_scales is not None and self.vector_size is not None:
            if self.codebooks is not None:
                return Products(self.input, self.input_scales, self.codebooks, int(self.vector_size[0]))
            return Bits(self.input, self.input_scales, int(self.vector_size[0]))
        return Floats(self.input)

    @property
    def n_grams(self) -> NGrams | None:
        """Which n-grams have rows; None where none have."""
        return None if self.gram_kind is None else NGrams(*self.gram_kind.tolist())

    @property
    def format_version(self) -> int:
        """The first version of the format that can hold it."""
        if self.grams is not None:
            return FORMAT_VERSION
        if self.codebooks is not None:
            return CODED_VERSION
        return OLD_VERSION if self.input.dtype == np.float32 else NARROW_VERSION

    def __len__(self) -> int:
        return len(self.word_offsets) - 1


def gram_tensors(vectors: SubwordVectors) -> dict[str, NDArray[Any]]:
    """The fields of a `StoredModel` that hold the n-grams of vectors."""
    kind = vectors.kind
    if not kind.buckets:
        return {}
    buckets = np.arange(kind.buckets) if vectors.buckets is None else vectors.buckets
    sizes = np.array([kind.shortest, kind.longest, kind.buckets], np.int64)
    return {"grams": vectors.gram_rows, "gram_buckets": buckets, "gram_kind": sizes}


def write_model(path: AnyPath, stored: StoredModel) -> None:
    """Write `stored` to `path`, whole or not at all, block by block.

    Raises:
        BadOption: arrays of a wrong type or shape, or metadata that are not strings or use a reserved name.
        CannotWrite: the disk is full, or the place may not be written.
    """
    tensors = _tensors_of(stored)
    kinds = {name: TYPES[_code_of(name, tensor)] for name, tensor in tensors.items()}
    shapes = {name: (kinds[name], tensor.shape) for name, tensor in tensors.items()}
    header = header_of(shapes, _metadata_of(stored))
    with replaced(path) as file:
        file.write(header)
        for name, tensor in tensors.items():
            write_blocks(file, tensor, kinds[name])


def read_model(path: AnyPath) -> StoredModel:
    """Map the model at `path` into memory; only its words are read, to be checked, all else when it is used.

    Raises:
        MissingFile: nothing is there, or it may not be read.
        BadFile: truncated, not safetensors, not made by firth, of a newer version, or at odds with itself.
    """
    found, metadata = read_tensors(path)
    _check_version(metadata, path)
    tensors = _known(found, int(metadata["format_version"]), path)
    stored = StoredModel(
        word_bytes=tensors["words"],
        word_offsets=tensors["word_offsets"],
        input=tensors["input"],
        **{name: tensors.get(name) for name in _OPTIONAL},
        options=_object(metadata, "options", path),
        state=_object(metadata, "state", path),
        metadata={name: text for name, text in metadata.items() if name not in RESERVED},
    )
    check_packed(stored.word_bytes, stored.word_offsets, str(path))
    wrong = _wrong_shape(stored)
    if wrong:
        raise BadFile(f"{path}: {wrong}; the file is damaged, write it anew")
    return stored


# ---- writing ------------------------------------------------------------------------------------


def _tensors_of(stored: StoredModel) -> dict[str, NDArray[Any]]:
    """The arrays to write under their names, in the order of the file."""
    given = {name: stored.word_bytes if name == "words" else getattr(stored, name) for name in _TENSORS}
    tensors = {name: array for name, array in given.items() if array is not None}
    for name, array in tensors.items():
        dimensions, kind = _TENSORS[name][1], TYPES[_code_of(name, array)]
        if array.dtype.newbyteorder("<") != np.dtype(kind) or array.ndim != dimensions:
            raise BadOption(
                f"{name} must be {np.dtype(kind).name} with {dimensions} dimension(s), "
                f"got {array.dtype.name} with {array.ndim}; convert it first"
            )
    wrong = _wrong_shape(stored)
    if wrong:
        raise BadOption(f"{wrong}; give one row to each word")
    return tensors


def _code_of(name: str, array: NDArray[Any]) -> str:
    """The type that a tensor must have, as safetensors calls it; that of `input` may be narrow."""
    codes = (*_NARROW, _TENSORS[name][0]) if name == "input" else (_TENSORS[name][0],)
    return next((code for code in codes if array.dtype.newbyteorder("<") == np.dtype(TYPES[code])), codes[-1])


def _metadata_of(stored: StoredModel) -> dict[str, str]:
    for name, text in stored.metadata.items():
        if name in RESERVED or not isinstance(text, str):
            raise BadOption(
                f"metadata {name!r} must be a string under a name other than {', '.join(RESERVED)}; "
                f"got {text!r}; rename it or convert it"
            )
    return {
        "format": FORMAT,
        "format_version": str(stored.format_version),
        "options": json.dumps(dict(stored.options), default=_plain),
        "state": json.dumps(dict(stored.state), default=_plain),
        **stored.metadata,
    }


def _plain(value: Any) -> Any:
    """A NumPy number as Python's; JSON knows no others."""
    if isinstance(value, np.generic):
        return value.item()
    raise BadOption(f"options and state must hold what JSON can, got {value!r}; convert it first")


# ---- reading ------------------------------------------------------------------------------------


def _known(found: Mapping[str, Tensor], version: int, path: AnyPath) -> dict[str, NDArray[Any]]:
    """The arrays of a model, or `BadFile` where one is missing or of another type."""
    for name, (usual, dimensions) in _TENSORS.items():
        if name not in found and name in _OPTIONAL:
            continue
        narrow = name == "input" and version > OLD_VERSION and name in found and found[name].code in _NARROW
        code = found[name].code if narrow else usual
        got = (found[name].code, found[name].array.ndim) if name in found else "none"
        if got != (code, dimensions):
            raise BadFile(
                f"{path}: tensor {name} must be {code} with {dimensions} dimension(s), got {got}; "
                "the file is damaged, write it anew"
            )
    return {name: found[name].array for name in _TENSORS if name in found}


def _check_version(metadata: Mapping[str, str], path: AnyPath) -> None:
    if metadata.get("format") != FORMAT:
        raise BadFile(
            f"{path} is a safetensors file but no firth model: its metadata must say format {FORMAT!r}, "
            f"got {metadata.get('format')!r}; give a file that firth wrote"
        )
    version = metadata.get("format_version", "")
    if not (version.isascii() and version.isdigit()) or not 1 <= len(version) <= 9:
        raise BadFile(f"{path}: format_version must be a whole number, got {version!r}; write the file anew")
    if int(version) > FORMAT_VERSION:
        raise BadFile(
            f"{path} has format version {version}, this firth reads up to {FORMAT_VERSION}; install a newer firth"
        )


def _object(metadata: Mapping[str, str], name: str, path: AnyPath) -> dict[str, Any]:
    """The JSON object under `name`, empty where there is none."""
    try:
        value = json.loads(metadata.get(name, "{}"))
    except (ValueError, RecursionError) as error:
        raise BadFile(f"{path}: metadata {name} must be JSON ({error}); write the file anew") from error
    if not isinstance(value, dict):
        raise BadFile(f"{path}: metadata {name} must be a JSON object, got {value!r}; write the file anew")
    return value


def _wrong_shape(stored: StoredModel) -> str:
    """What is wrong with the shapes, or nothing."""
    V = len(stored)
    if len(stored.input) != V:
        return f"input must have {V} rows, one for each word, got {len(stored.input)}"
    if stored.output is not None and stored.output.shape != stored.input.shape:
        return f"output must have the shape of input, {stored.input.shape}, got {stored.output.shape}"
    if stored.counts is not None and len(stored.counts) != V:
        return f"counts must have {V} items, one for each word, got {len(stored.counts)}"
    return _wrong_grams(stored) or _wrong_narrow(stored)


def _wrong_grams(stored: StoredModel) -> str:
    """What is wrong with the rows of n-grams and what says which they are, or nothing."""
    grams, buckets, kind = stored.grams, stored.gram_buckets, stored.gram_kind
    if (grams is None) != (buckets is None) or (grams is None) != (kind is None):
        return "grams, gram_buckets and gram_kind must all be there, or none"
    if stored.own is not None and (grams is None or stored.own.shape != stored.input.shape):
        return f"own must have the shape of input, {stored.input.shape}, beside grams, got {stored.own.shape}"
    if grams is None or buckets is None or kind is None:
        return ""
    D = stored.rows.shape[1] if not _wrong_narrow(stored) else 0
    if len(kind) != 3 or not 1 <= kind[0] <= kind[1] <= LONGEST_GRAM or not 1 <= kind[2] <= MOST_BUCKETS:
        return f"gram_kind must be two lengths up to {LONGEST_GRAM} and a number of buckets, got {kind.tolist()[:5]}"
    if grams.shape != (len(buckets), D):
        return f"grams must have {len(buckets)} rows of {D} numbers, got the shape {grams.shape}"
    wrong = wrong_buckets(buckets, NGrams(*kind.tolist()))
    return f"gram_{wrong}" if wrong else ""


def _wrong_narrow(stored: StoredModel) -> str:
    """What is wrong with scales and sizes beside rows of this type, or nothing."""
    V, columns = len(stored), stored.input.shape[1]
    scaled, bits = stored.input.dtype in (np.int8, np.uint8), stored.input.dtype == np.uint8
    scales, size = stored.input_scales, stored.vector_size
    if stored.output is not None and stored.input.dtype != np.float32:
        return f"output stands beside float32 input alone, got {stored.input.dtype.name}"
    if (scales is not None) != scaled or (scales is not None and len(scales) != V):
        return f"input_scales must have {V if scaled else 'no'} items beside {stored.input.dtype.name} rows"
    if (size is not None) != bits:
        return f"vector_size must {'' if bits else 'not '}stand beside {stored.input.dtype.name} rows"
    books = stored.codebooks
    if books is not None and size is None:
        return f"codebooks must not stand beside {stored.input.dtype.name} rows"
    if size is not None and (len(size) != 1 or size[0] < 1 or not _fits(int(size[0]), columns, books)):
        return f"vector_size must fit rows of {columns} bytes{_and(books)}, got {size.tolist()}"
    return ""


def _fits(D: int, columns: int, codebooks: NDArray[np.float32] | None) -> bool:
    """Whether vectors of D numbers have so many bytes, which are bits, or numbers of entries in codebooks."""
    if codebooks is None:
        return columns == -(-D // BYTE)
    return 1 <= columns <= D and codebooks.shape == (columns, ENTRIES, part_size(D, columns))


def _and(codebooks: NDArray[np.float32] | None) -> str:
    return "" if codebooks is None else f" and codebooks of shape {codebooks.shape}"
