"""Word vectors from and to files and folders: one file per format, one row per format in `table.py`."""

from __future__ import annotations

from firth.combining import check_way, combined
from firth.errors import BadFile, BadOption, CannotWrite
from firth.formats.checks import check_reading
from firth.formats.fasttext import write_fasttext
from firth.formats.hub import read_hub_folder, write_hub_folder
from firth.formats.model import StoredModel, read_model, write_model
from firth.formats.table import FORMATS, KNOWN, Format, by_suffix, named, recognised, resembled
from firth.storage import AnyPath, check_named, is_gzip, is_same_file
from firth.vectors import WordVectors

__all__ = [
    "FORMATS",
    "Format",
    "convert",
    "named",
    "read_trainable",
    "read_vectors",
    "recognised",
    "resembled",
    "write_vectors",
    "writing_format",
]

WHOLE = ("firth", "hub")  # which keep all that firth knows of a model


def read_vectors(
    path: AnyPath, format: str | None = None, *, encoding_errors: str = "strict", limit: int | None = None
) -> WordVectors:
    """Vectors from a file or folder of any known format, guessed from its content, then its suffix, if not given.

    `encoding_errors` says what to do with words that are not UTF-8: strict (an error), replace, ignore,
    backslashreplace or surrogateescape (which keeps the bytes for writing). Only the first `limit` words are read.

    Files of firth, safetensors, fastText, Arrow and word2vec's binary format are mapped into memory, the last two while
    they are read, the others, unless packed, as long as the vectors live. Where somebody cuts such a file short
    meanwhile, the system ends this process (SIGBUS), and no error can be raised: replace files whole, as firth does.

    Raises:
        MissingFile: nothing is there, or it may not be read.
        CannotRead: its disk or network fails, or it stands where no file can be mapped.
        BadFile: of no known format, or not what its format asks for, or more than memory holds.
        BadOption: `format` is none of those known, or only written, or a limit below 0.
    """
    check_reading(encoding_errors, limit)
    check_named(path)
    chosen = named(format) if format else recognised(path)
    if chosen.read is None:
        raise BadOption(f"{chosen.name} is only written, got {path} to read; read the vectors that it was made of")
    if is_gzip(path) and not chosen.packed:
        raise BadFile(f"{path} is packed, and {chosen.name} is not read so; unpack it first")
    try:
        return chosen.read(path, encoding_errors, limit)
    except BadFile as error:
        if format and (other := resembled(path, chosen)):
            error.args = (f"{error}; by its first bytes it is {other.name}, not {chosen.name}",)
        raise


def read_trainable(path: AnyPath, opener: str) -> StoredModel:
    """A firth model from its file; where it is a file of vectors alone, the error names their `opener`.

    Raises `MissingFile`, or `BadFile` for what is not a whole model's file.
    """
    try:
        return read_model(path)
    except BadFile as error:
        if other := resembled(path, named("firth")):
            raise BadFile(
                f"{path} is no model to train on: by its first bytes it is {other.name}; open it with {opener}"
            ) from error
        raise


def convert(
    source: AnyPath,
    target: AnyPath,
    source_format: str | None = None,
    target_format: str | None = None,
    *,
    combine: str = "input",
    encoding_errors: str = "strict",
    limit: int | None = None,
    dtype: str = "float32",
) -> WordVectors:
    """Read vectors from one file or folder and write them to another, the first `limit` words, as numbers of `dtype`.

    A firth model becomes a firth model with nothing lost, if no limit is given. N-grams are kept between the formats
    firth, hub and fasttext, all of them, whatever the limit; others hold words alone.

    `combine` says which vectors of a firth model to write: those of its input matrix, or others that `combining` tells
    of; these are written without n-grams and what is needed to train on.

    Raises what `read_vectors` and `write_vectors` do, and `BadOption` where both are the same file, or where the source
    has no output matrix to combine.
    """
    if is_same_file(source, target):
        raise BadOption(f"cannot convert {source} into itself; give another name to write to")
    chosen = writing_format(target, target_format, dtype)
    read = named(source_format) if source_format else recognised(source)
    vectors = read_vectors(source, read.name, encoding_errors=encoding_errors, limit=limit)
    stored = None if read.name not in WHOLE else read_hub_folder(source) if read.name == "hub" else read_model(source)
    if combine != "input":
        vectors = _combined(vectors, stored, combine, source)
    elif stored is not None and chosen.name in WHOLE and limit is None:
        if chosen.name == "hub":
            write_hub_folder(target, stored)
        else:
            write_model(target, stored)
        return vectors
    elif stored is not None and chosen.name == "fasttext":
        _write_trained(target, vectors, stored)
        return vectors
    write_vectors(vectors, target, chosen.name, dtype=dtype)
    return vectors


def _write_trained(target: AnyPath, vectors: WordVectors, stored: StoredModel) -> None:
    """The first words of a firth model as fastText's, with what it has besides vectors."""
    V = len(vectors)
    # The word that stands for unknown ones has n-grams there, so rows must be found with which its vector is the same.
    as_trained = vectors.dtype == "float32" and stored.options.get("unknown") is None
    own = stored.own[:V] if stored.own is not None and as_trained else None
    # After hierarchical softmax the output matrix is of the tree's inner nodes, and fastText would build another tree.
    output = None if stored.output is None or stored.options.get("loss") == "hs" else stored.output[:V]
    write_fasttext(target, vectors, own=own, output=output, options=stored.options)


def _combined(vectors: WordVectors, stored: StoredModel | None, combine: str, source: AnyPath) -> WordVectors:
    check_way(combine)
    if stored is None or stored.output is None:
        raise BadOption(
            f"combine {combine!r} needs a model with its output matrix, and {source} holds one matrix of vectors; "
            "give a model that firth trained, or leave combine out"
        )
    V = len(vectors)
    matrix = combined(stored.input[:V], stored.output[:V], combine, str(stored.options.get("loss", "ns")))
    return WordVectors(vectors.words, matrix, vectors.counts)


def write_vectors(vectors: WordVectors, path: AnyPath, format: str | None = None, *, dtype: str = "float32") -> None:
    """Write vectors to a file or folder, whole or not at all, in the format of its suffix if not given.

    Raises:
        BadOption: neither `format` nor the suffix is known, the format is only read, or a word, a number or `dtype`
            does not fit it.
        CannotWrite: the disk is full, the place may not be written, or a folder there holds other things.
    """
    chosen = writing_format(path, format, dtype)
    assert chosen.write is not None
    chosen.write(vectors, path, dtype)


def writing_format(path: AnyPath, format: str | None = None, dtype: str = "float32") -> Format:
    """The format named, or else that of the path's suffix; `BadOption` where neither is known, or it does not fit."""
    check_named(path, CannotWrite)
    if format:
        chosen = named(format)
    else:
        matching = [each for each in by_suffix(path) if each.write]
        if not matching:
            raise BadOption(f"no format goes by the name of {path}; {KNOWN}; rename it or name the format")
        chosen = matching[0]
    if chosen.write is None:
        written = ", ".join(each.name for each in FORMATS if each.write)
        raise BadOption(f"{chosen.name} is only read; choose another format: {written}")
    if is_gzip(path) and not chosen.packed:
        raise BadOption(f"{chosen.name} cannot be packed, got {path}; leave out .gz")
    if dtype not in chosen.dtypes:
        raise BadOption(f"{chosen.name} holds numbers of {' or '.join(chosen.dtypes)}, got {dtype!r}; choose one")
    return chosen
