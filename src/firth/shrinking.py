"""A smaller file of the same vectors: fewer words, fewer bytes for each, no output matrix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from firth.errors import BadFile, BadOption
from firth.formats import read_vectors, recognised
from firth.formats.model import StoredModel, read_model, write_model
from firth.storage import AnyPath, opened
from firth.word2vec import check_model_name


@dataclass(frozen=True)
class Shrunk:
    """What became of a file: bytes and words before and after, and how the vectors are stored."""

    source: str
    target: str
    source_bytes: int
    target_bytes: int
    source_words: int
    words: int
    vector_size: int
    dtype: str

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """A line to read."""
        yield (
            f"wrote {self.words:,} of {self.source_words:,} words × {self.vector_size} as {self.dtype} to "
            f"{self.target}: {self.target_bytes / 1e6:,.1f} MB of {self.source_bytes / 1e6:,.1f} MB"
        )


def shrink(
    source: AnyPath,
    target: AnyPath,
    *,
    dtype: str | None = None,
    parts: int | None = None,
    most: int | None = None,
    min_count: int | None = None,
    words: AnyPath | None = None,
) -> Shrunk:
    """Write vectors from a file of any format to a firth model without the output matrix, so that only queries remain.

    `dtype` is float32, float16, int8, binary or pq (`parts` + 4 bytes a vector), as it was if not given; `most`,
    `min_count` and `words`, a file of a word per line (what follows a tab or space on it is passed over), say which
    words are kept: see `WordVectors.pruned`. Options and state of a firth model are kept for `inspect` to tell.

    Raises:
        MissingFile, BadFile: the source or the list of words cannot be read.
        MissingExtra: pq without faiss.
        BadOption: the target is the source or goes by another format's name, no word is left, or what `pruned` and
            `astype` raise.
        CannotWrite: the disk is full, or the place may not be written.
    """
    check_model_name(target)
    if Path(target).exists() and Path(target).samefile(source):
        raise BadOption(f"cannot shrink {source} into itself; give another name to write to")
    vectors = read_vectors(source)
    before = len(vectors)
    if most is not None or min_count is not None or words is not None:
        listed = None if words is None else _words_in(words)
        vectors = vectors.pruned(most=most, min_count=min_count, words=listed)
    vectors = vectors.astype(vectors.dtype if dtype is None else dtype, parts=parts)
    stored = StoredModel.of(vectors.words, counts=vectors.counts, **vectors.rows.tensors)
    if recognised(source).name == "firth":
        whole = read_model(source)
        stored = replace(stored, options=whole.options, state=whole.state, metadata=whole.metadata)
    write_model(target, stored)
    return Shrunk(
        source=str(source),
        target=str(target),
        source_bytes=_size(Path(source)),
        target_bytes=Path(target).stat().st_size,
        source_words=before,
        words=len(vectors),
        vector_size=vectors.vector_size,
        dtype=vectors.dtype,
    )


def _size(path: Path) -> int:
    """The bytes of a file, or of those in a folder."""
    files = path.iterdir() if path.is_dir() else [path]
    return sum(each.stat().st_size for each in files)


def _words_in(path: AnyPath) -> list[str]:
    with opened(path) as file:
        try:
            lines = file.read().decode("utf-8-sig").splitlines()
        except UnicodeDecodeError as error:
            raise BadFile(f"{path} is no list of words: it is not UTF-8 text ({error}); convert it") from error
    return [line.split()[0] for line in lines if line.strip()]
