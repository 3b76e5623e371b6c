"""The table of formats: a row for each, with how it is recognised, read and written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firth.errors import BadFile, BadOption
from firth.formats.checks import check_no_pickle
from firth.formats.columns import read_arrow, read_parquet, write_arrow, write_parquet
from firth.formats.embeddings import read_embeddings, write_embeddings
from firth.formats.fasttext import MAGIC as FASTTEXT_MAGIC
from firth.formats.fasttext import read_fasttext, write_fasttext
from firth.formats.finalfusion import MAGIC as FINALFUSION_MAGIC
from firth.formats.finalfusion import read_finalfusion, write_finalfusion
from firth.formats.glove import numbers_at_end, read_glove, write_glove
from firth.formats.hub import is_hub_folder, read_hub_folder, write_hub_folder
from firth.formats.model import StoredModel, read_model, write_model
from firth.formats.npz import read_npz, write_npz
from firth.formats.onnx import DTYPES as ONNX_DTYPES
from firth.formats.onnx import write_onnx
from firth.formats.projector import FILES as PROJECTOR_FILES
from firth.formats.projector import read_projector, write_projector
from firth.formats.rows import is_number
from firth.formats.static import MODEL2VEC, SENTENCE_TRANSFORMERS, is_static, read_static, write_static
from firth.formats.word2vec import read_binary, read_header, read_text, write_binary, write_text
from firth.storage import AnyPath, is_folder, opened
from firth.stored import stored_kind
from firth.vectors import SubwordVectors, WordVectors

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST_BYTES = 1 << 16
FLOAT32 = ("float32",)
FLOATS = ("float32", "float16", "float64")


@dataclass(frozen=True, kw_only=True)
class Format:
    """One way to keep vectors in a file, or in a folder.

    `recognises` tells from a file's first bytes whether it may be of this format, `recognises_folder` from what is in
    a folder; `packed` formats may be compressed with gzip. `read` is None where a format is only written, `write` where
    it is only read; `n_grams` says whether it holds those of characters; `dtypes` are the types of number it can hold.
    """

    name: str
    suffixes: tuple[str, ...] = ()
    recognises: Callable[[bytes], bool] = lambda _: False
    recognises_folder: Callable[[Path], bool] | None = None
    read: Callable[[AnyPath, str, int | None], WordVectors] | None = None  # the path, encoding_errors, limit
    write: Callable[[WordVectors, AnyPath, str], None] | None = None  # the vectors, the path, dtype
    packed: bool = False
    n_grams: bool = False
    dtypes: tuple[str, ...] = FLOAT32


# ---- how each is read and written -----------------------------------------------------------------


def _reads(read: Callable[..., tuple[Any, ...]]) -> Callable[[AnyPath, str, int | None], WordVectors]:
    """A reader of words and matrix (and counts) as one of vectors."""

    def vectors(path: AnyPath, encoding_errors: str, limit: int | None) -> WordVectors:
        parts = read(path, encoding_errors=encoding_errors, limit=limit)
        return _checked(path, lambda: WordVectors(*parts))

    return vectors


def _checked(path: AnyPath, make: Callable[[], WordVectors]) -> WordVectors:
    """What `make` gives; where it finds NaN or infinity, the error names the file, as others do."""
    try:
        return make()
    except BadFile as error:
        if str(error).startswith(str(path)):
            raise
        raise BadFile(f"{path}: {error}") from error


def _read_firth(path: AnyPath, _: str, limit: int | None) -> WordVectors:
    return vectors_in(read_model(path), limit)


def vectors_in(stored: StoredModel, limit: int | None = None) -> WordVectors:
    """The vectors of a model's file, the first `limit` words."""
    counts = None if stored.counts is None else stored.counts[:limit]
    # Checking every number would read the whole file; it is done when the norms are first needed.
    words, rows = stored.words[:limit], stored.rows.taken(slice(limit))
    if stored.grams is None or stored.n_grams is None:
        return WordVectors(words, rows, counts, check=False)
    return SubwordVectors(
        words, rows, counts, gram_rows=stored.grams, kind=stored.n_grams, buckets=stored.gram_buckets, check=False
    )


def _read_fasttext(path: AnyPath, encoding_errors: str, limit: int | None) -> WordVectors:
    return _checked(path, lambda: read_fasttext(path, encoding_errors=encoding_errors, limit=limit))


def _static(layout: str) -> Format:
    return Format(
        name=layout,
        recognises_folder=lambda folder: is_static(folder, layout),
        read=_reads(read_static),
        write=lambda vectors, path, dtype: write_static(path, vectors.words, vectors.matrix, layout, dtype),
        dtypes=FLOATS,
    )


def _onnx(name: str, suffixes: tuple[str, ...], *, ids: bool) -> Format:
    def write(vectors: WordVectors, path: AnyPath, dtype: str) -> None:
        rows = vectors.rows if vectors.dtype == dtype else stored_kind(dtype).encoded(vectors.rows)
        write_onnx(path, vectors.words, rows, ids=ids)

    return Format(name=name, suffixes=suffixes, write=write, dtypes=ONNX_DTYPES)


# ---- by which each is recognised ------------------------------------------------------------------


def _looks_like_safetensors(first: bytes) -> bool:
    return first[8:9] == b"{"  # after the length of the header, the header


def _looks_like_firth(first: bytes) -> bool:
    return _looks_like_safetensors(first) and b'"format":"firth"' in first


def _is_wordless(first: bytes) -> bool:
    """Whether a header says that there is no word, and none follows: word2vec's text and binary format alike."""
    sizes = read_header(first)
    return sizes is not None and sizes[0] == 0 and not first.partition(b"\n")[2].strip()


def _looks_like_text(first: bytes) -> bool:
    """Whether a header is followed by a word and a number, or tells of none."""
    if read_header(first) is None:
        return False
    if _is_wordless(first):
        return True
    fields = first.partition(b"\n")[2].split(maxsplit=2)
    return len(fields) > 1 and is_number(fields[1])


def _looks_like_binary(first: bytes) -> bool:
    """Whether a header and a word are followed by bytes that no number in text holds, or the header tells of none."""
    sizes = read_header(first)
    if sizes is None:
        return False
    if _is_wordless(first):
        return True
    _, _, numbers = first.partition(b"\n")[2].partition(b" ")
    shortest = 2 * sizes[1] - 1  # D digits and the spaces between them
    return not numbers[:shortest].isascii() or any(byte < 32 for byte in numbers[:shortest].rstrip(b"\r\n"))


def _looks_like_glove(first: bytes) -> bool:
    """Whether the first line is a word and several numbers: one alone may be a count, or a score of two words."""
    return read_header(first) is None and numbers_at_end(first.partition(b"\n")[0] + b"\n") > 1


def _begins(magic: bytes) -> Callable[[bytes], bool]:
    return lambda first: first.startswith(magic)


# ---- the table ------------------------------------------------------------------------------------

FORMATS = (
    Format(
        name="firth",
        suffixes=(".safetensors",),
        recognises=_looks_like_firth,
        read=_read_firth,
        write=lambda vectors, path, _: write_model(path, StoredModel.of_vectors(vectors)),
        n_grams=True,
    ),
    Format(
        name="word2vec-text",
        suffixes=(".txt", ".vec"),
        recognises=_looks_like_text,
        read=_reads(read_text),
        write=lambda vectors, path, _: write_text(path, vectors.words, vectors.matrix),
        packed=True,
    ),
    Format(
        name="word2vec-binary",
        suffixes=(".bin",),
        recognises=_looks_like_binary,
        read=_reads(read_binary),
        write=lambda vectors, path, _: write_binary(path, vectors.words, vectors.matrix),
        packed=True,
    ),
    Format(
        name="glove",
        suffixes=(".glove", ".glove.txt"),
        recognises=_looks_like_glove,
        read=_reads(read_glove),
        write=lambda vectors, path, _: write_glove(path, vectors.words, vectors.matrix),
        packed=True,
    ),
    Format(
        name="fasttext",
        suffixes=(".bin", ".fasttext.bin"),
        recognises=_begins(FASTTEXT_MAGIC.to_bytes(4, "little")),
        read=_read_fasttext,
        write=lambda vectors, path, _: write_fasttext(path, vectors),
        packed=True,
        n_grams=True,
    ),
    Format(
        name="safetensors",
        suffixes=(".safetensors",),
        recognises=_looks_like_safetensors,
        read=_reads(read_embeddings),
        write=lambda vectors, path, dtype: write_embeddings(path, vectors.words, vectors.matrix, vectors.counts, dtype),
        dtypes=FLOATS,
    ),
    Format(
        name="npz",
        suffixes=(".npz",),
        recognises=_begins(b"PK"),
        read=_reads(read_npz),
        write=lambda vectors, path, dtype: write_npz(path, vectors.words, vectors.matrix, vectors.counts, dtype),
        dtypes=FLOATS,
    ),
    Format(
        name="arrow",
        suffixes=(".arrow", ".feather"),
        recognises=_begins(b"ARROW1"),
        read=_reads(read_arrow),
        write=lambda vectors, path, dtype: write_arrow(path, vectors.words, vectors.matrix, vectors.counts, dtype),
        dtypes=FLOATS,
    ),
    Format(
        name="parquet",
        suffixes=(".parquet",),
        recognises=_begins(b"PAR1"),
        read=_reads(read_parquet),
        write=lambda vectors, path, dtype: write_parquet(path, vectors.words, vectors.matrix, vectors.counts, dtype),
        dtypes=FLOATS,
    ),
    Format(
        name="finalfusion",
        suffixes=(".fifu",),
        recognises=_begins(FINALFUSION_MAGIC),
        read=_reads(read_finalfusion),
        write=lambda vectors, path, _: write_finalfusion(path, vectors.words, vectors.matrix, vectors.norms),
    ),
    _onnx("onnx", (".onnx",), ids=False),
    _onnx("onnx-ids", (".ids.onnx",), ids=True),
    Format(
        name="tensorboard",
        recognises_folder=lambda folder: all((folder / name).is_file() for name in PROJECTOR_FILES),
        read=_reads(read_projector),
        write=lambda vectors, path, _: write_projector(path, vectors.words, vectors.matrix, vectors.counts),
    ),
    Format(
        name="hub",
        recognises_folder=is_hub_folder,
        read=lambda path, _, limit: vectors_in(read_hub_folder(path), limit),
        write=lambda vectors, path, _: write_hub_folder(path, StoredModel.of_vectors(vectors)),
        n_grams=True,
    ),
    _static(SENTENCE_TRANSFORMERS),
    _static(MODEL2VEC),
)

KNOWN = "the formats are: " + ", ".join(f"{each.name} ({', '.join(each.suffixes) or 'a folder'})" for each in FORMATS)


def named(name: str) -> Format:
    """The format of that name; `BadOption` where there is none."""
    for each in FORMATS:
        if each.name == name:
            return each
    raise BadOption(f"unknown format {name!r}; {KNOWN}")


def by_suffix(path: AnyPath) -> list[Format]:
    """The formats of the path's suffix, the longest suffix first."""
    name = Path(path).name.lower().removesuffix(".gz")
    lengths = {each.name: max((len(end) for end in each.suffixes if name.endswith(end)), default=0) for each in FORMATS}
    return sorted((each for each in FORMATS if lengths[each.name]), key=lambda each: -lengths[each.name])


def recognised(path: AnyPath) -> Format:
    """The format that a file's first bytes, or a folder's files, speak for; else the one of its suffix."""
    if is_folder(path):
        for each in FORMATS:
            if each.recognises_folder and each.recognises_folder(Path(path)):
                return each
        raise BadFile(f"{path} is a folder of no known format; {KNOWN}; name its format if it is one of them")
    with opened(path) as file:
        first = file.read(FIRST_BYTES)
    suffixed, alike = by_suffix(path), [each for each in FORMATS if each.recognises(first)]
    for each in suffixed:
        if each in alike:
            return each
    if alike or suffixed:
        return (alike or suffixed)[0]
    check_no_pickle(first, path)
    raise BadFile(f"{path} is of no known format; {KNOWN}; name its format if it is one of them")


def resembled(path: AnyPath, chosen: Format) -> Format | None:
    """Another format that a file's first bytes speak for, where they do not speak for the one chosen."""
    if not Path(path).is_file():  # a folder, or a pipe, which can be read once
        return None
    with opened(path) as file:
        first = file.read(FIRST_BYTES)
    alike = [each for each in FORMATS if each.recognises(first)]
    return alike[0] if alike and chosen not in alike else None
