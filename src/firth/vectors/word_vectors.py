"""`WordVectors`: words, their vectors, and all that is asked of them, each kind of question in a file of its own.

lookup.py       words and rows
indexing.py     indexes for approximate search
neighbours.py   nearest words, analogies
comparing.py    words against words
editing.py      other sets of words made of these
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from firth.elsewhere import OF_VECTORS, here
from firth.errors import BadFile, BadOption
from firth.vectors.editing import Edited
from firth.vectors.indexing import open_beside

if TYPE_CHECKING:
    from firth.storage import AnyPath


class WordVectors(Edited):
    """V words, the most frequent first, and a float32 (V, D) matrix with one row for each.

    The matrix is not copied: it may be a memory map, or strided by rows; do not change it afterwards. Rows may be
    stored as other than float32: see `astype` and `firth.stored`.
    `counts` (int64, V) are optional. With `check=False`, NaN and infinity are looked for not now but when the
    norms are first needed, and words given twice when one is first looked up, so that a mapped file is not read
    before its time. Word vectors never change; methods that edit give new ones.

    Raises:
        BadOption: sizes that do not agree, a word given twice, a matrix that is no matrix of numbers.
        BadFile: NaN, infinity or numbers above 1e19 in the matrix.
    """

    _needs = ""  # what a file must hold besides words and vectors

    def save(self, path: AnyPath, format: str | None = None, *, dtype: str = "float32") -> None:
        """Write to a file in the format of its suffix, or in `format`; see `firth.formats.write_vectors`.

        firth's own format keeps rows as they are stored, all others get the numbers that they stand for, as `dtype`.
        """
        from firth.formats import write_vectors  # the formats make WordVectors, so they come after

        write_vectors(self, path, format, dtype=dtype)

    @classmethod
    def load(
        cls,
        path: AnyPath,
        format: str | None = None,
        *,
        encoding_errors: str = "strict",
        limit: int | None = None,
        index: str | None = None,
        threads: int | None = None,
    ) -> Self:
        """Read from a file of any known format, the first `limit` words; see `firth.formats.read_vectors`.

        Files of some formats stay mapped into memory: do not shorten one that is in use, which would end this process.

        With `index`, open the index of that kind that stands beside the file, model.usearch beside model.safetensors:
        queries may name it then; it is checked on no more than `threads` cores. Raises `MissingFile` where there
        is none, and what `open_index` raises.
        """
        from firth.formats import read_vectors

        read = read_vectors(path, format, encoding_errors=encoding_errors, limit=limit)
        if not isinstance(read, cls) and cls._needs:
            raise BadFile(f"{path} holds no {cls._needs}; open it with WordVectors.load")
        vectors = read if isinstance(read, cls) else cls(read.words, read.rows, read.counts, check=False)
        if index is not None:
            open_beside(vectors, path, index, threads)
        return vectors

    if not TYPE_CHECKING:  # type checkers would take every name for one that is there

        def __getattr__(self, name: str) -> Any:
            told = f"{type(self).__name__!r} object has no attribute {name!r}{here(name, OF_VECTORS)}"
            raise AttributeError(told, name=name, obj=self)


def word_vectors(given: Any) -> WordVectors:
    """The `WordVectors` given, or `BadOption` for what is none, as a model that has some."""
    if isinstance(given, WordVectors):
        return given
    remedy = "give its .vectors" if isinstance(getattr(given, "vectors", None), WordVectors) else "see WordVectors.load"
    raise BadOption(f"vectors must be WordVectors, got {type(given).__name__}; {remedy}")
