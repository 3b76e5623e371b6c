"""Word vectors from and to files: one file per format, one row per format in the table below."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from firth.combining import check_way, combined
from firth.errors import BadFile, BadOption
from firth.formats.model import StoredModel, read_model, write_model
from firth.formats.word2vec import read_binary, read_header, read_text, write_binary, write_text
from firth.storage import AnyPath, is_gzip, opened
from firth.vectors import WordVectors

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST_BYTES = 4096


@dataclass(frozen=True)
class Format:
    """One way to keep vectors in a file.

    `recognises` tells from a file's first bytes whether it may be of this format; `packed` formats may be
    compressed with gzip.
    """

    name: str
    suffixes: tuple[str, ...]
    recognises: Callable[[bytes], bool]
    read: Callable[[AnyPath, str], WordVectors]  # the second argument: encoding_errors
    write: Callable[[WordVectors, AnyPath], None]
    packed: bool


def read_vectors(path: AnyPath, format: str | None = None, *, encoding_errors: str = "strict") -> WordVectors:
    """Vectors from a file of any known format, guessed from its first bytes, then its suffix, if not given.

    `encoding_errors` says what to do with words that are not UTF-8: strict (an error), replace, ignore or
    backslashreplace.

    Raises:
        MissingFile: nothing is there, or it may not be read.
        BadFile: of no known format, or not what its format asks for.
        BadOption: `format` is none of those known.
    """
    chosen = _named(format) if format else recognised(path)
    return chosen.read(path, encoding_errors)


def convert(
    source: AnyPath,
    target: AnyPath,
    source_format: str | None = None,
    target_format: str | None = None,
    *,
    combine: str = "input",
    encoding_errors: str = "strict",
) -> WordVectors:
    """Read vectors from one file and write them to another; a firth model becomes a firth model with nothing lost.

    `combine` says which vectors of a firth model to write: those of its input matrix, or others that `combining` tells
    of; these are written without what is needed to train on.

    Raises what `read_vectors` and `write_vectors` do, and `BadOption` where both are the same file, or where the source
    has no output matrix to combine.
    """
    if Path(target).exists() and Path(target).samefile(source):
        raise BadOption(f"cannot convert {source} into itself; give another name to write to")
    vectors = read_vectors(source, source_format, encoding_errors=encoding_errors)
    made_by_firth = (_named(source_format) if source_format else recognised(source)).name == "firth"
    if combine != "input":
        vectors = _combined(vectors, read_model(source) if made_by_firth else None, combine, source)
    if combine == "input" and made_by_firth and writing_format(target, target_format).name == "firth":
        write_model(target, read_model(source))
    else:
        write_vectors(vectors, target, target_format)
    return vectors


def _combined(vectors: WordVectors, stored: StoredModel | None, combine: str, source: AnyPath) -> WordVectors:
    check_way(combine)
    if stored is None or stored.output is None:
        raise BadOption(
            f"combine {combine!r} needs a model with its output matrix, and {source} holds one matrix of vectors; "
            "give a model that firth trained, or leave combine out"
        )
    matrix = combined(stored.input, stored.output, combine, str(stored.options.get("loss", "ns")))
    return WordVectors(vectors.words, matrix, vectors.counts)


def write_vectors(vectors: WordVectors, path: AnyPath, format: str | None = None) -> None:
    """Write vectors to a file, whole or not at all, in the format of its suffix if not given.

    Raises:
        BadOption: neither `format` nor the suffix is known, or a word does not fit the format.
        CannotWrite: the disk is full, or the place may not be written.
    """
    chosen = writing_format(path, format)
    if is_gzip(path) and not chosen.packed:
        raise BadOption(f"{chosen.name} is read by memory map and cannot be packed, got {path}; leave out .gz")
    chosen.write(vectors, path)


def writing_format(path: AnyPath, format: str | None = None) -> Format:
    """The format named, or else that of the path's suffix; `BadOption` where neither is known."""
    if format:
        return _named(format)
    matching = _by_suffix(path)
    if not matching:
        raise BadOption(f"no format goes by the name of {path}; {_KNOWN}; rename it or name the format")
    return matching[0]


# ---- the table ------------------------------------------------------------------------------------


def _read_firth(path: AnyPath, _: str) -> WordVectors:
    stored = read_model(path)
    # Checking every number would read the whole file; it is done when the norms are first needed.
    return WordVectors(stored.words, stored.input, stored.counts, check=False)


def _write_firth(vectors: WordVectors, path: AnyPath) -> None:
    write_model(path, StoredModel.of(vectors.words, vectors.matrix, counts=vectors.counts))


def _looks_like_firth(first: bytes) -> bool:
    return first[8:9] == b"{"  # after the length of the header, the header


def _looks_like_text(first: bytes) -> bool:
    """Whether a header is followed by a word and a number."""
    if read_header(first) is None:
        return False
    _, *fields = first.partition(b"\n")[2].split(maxsplit=2)
    try:
        float(fields[0] if fields else b"")
    except ValueError:
        return False
    return True


def _looks_like_binary(first: bytes) -> bool:
    """Whether a header and a word are followed by bytes that no number in text holds."""
    sizes = read_header(first)
    if sizes is None:
        return False
    _, _, numbers = first.partition(b"\n")[2].partition(b" ")
    shortest = 2 * sizes[1] - 1  # D digits and the spaces between them
    return not numbers[:shortest].isascii() or any(byte < 32 for byte in numbers[:shortest].rstrip(b"\r\n"))


FORMATS = (
    Format("firth", (".safetensors",), _looks_like_firth, _read_firth, _write_firth, packed=False),
    Format(
        "word2vec-text",
        (".txt", ".vec"),
        _looks_like_text,
        lambda path, errors: WordVectors(*read_text(path, encoding_errors=errors)),
        lambda vectors, path: write_text(path, vectors.words, vectors.matrix),
        packed=True,
    ),
    Format(
        "word2vec-binary",
        (".bin",),
        _looks_like_binary,
        lambda path, errors: WordVectors(*read_binary(path, encoding_errors=errors)),
        lambda vectors, path: write_binary(path, vectors.words, vectors.matrix),
        packed=True,
    ),
)

_KNOWN = "the formats are: " + ", ".join(f"{each.name} ({', '.join(each.suffixes)})" for each in FORMATS)


def _named(name: str) -> Format:
    for each in FORMATS:
        if each.name == name:
            return each
    raise BadOption(f"unknown format {name!r}; {_KNOWN}")


def _by_suffix(path: AnyPath) -> list[Format]:
    name = Path(path).name.lower().removesuffix(".gz")
    return [each for each in FORMATS if name.endswith(each.suffixes)]


def recognised(path: AnyPath) -> Format:
    """The format that a file's first bytes speak for; where several or none do, its suffix decides."""
    with opened(path) as file:
        first = file.read(FIRST_BYTES)
    named, alike = _by_suffix(path), [each for each in FORMATS if each.recognises(first)]
    for each in named:
        if each in alike:
            return each
    if alike or named:
        return (alike or named)[0]
    raise BadFile(f"{path} is of no known format; {_KNOWN}; name its format if it is one of them")
