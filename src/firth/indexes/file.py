"""An index in a file: the library's own file, and behind it what tells which vectors it belongs to.

    the library's bytes | facts, JSON in UTF-8 | their length, 8 bytes | b"firthidx"

usearch and faiss open such a file themselves, since they read no further than their own bytes. The libraries trust what
they read, and may end the process where it is damaged: so bytes and facts are held to their SHA-256 first, and searched
where they were checked. That tells of damage, not of intent: open indexes of your own, or of those you trust.
"""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from firth.errors import BadFile, BadOption, CannotWrite
from firth.indexes import GRAPHS
from firth.options import IndexOptions
from firth.storage import AnyPath, mapped, opened, replaced

if TYPE_CHECKING:
    from firth.indexes.base import Graph
    from firth.stored import StoredRows

Bytes = NDArray[np.uint8]

END = b"firthidx"
LENGTH_BYTES = 8
LONGEST_FACTS = 1 << 20
FORMAT_VERSION = 1
METRIC = "cosine"
PIECE_BYTES = 4 << 20  # each has a digest of its own, so that threads can share the work
ANEW = "build it anew, with build_index or firth index"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a file tells of its index: what it was made of, by what, and how much of the nearest it found then.

    `rows` is the digest of the vectors as they are stored, `recall` that of the 10 nearest.
    """

    kind: str
    library: str
    words: int
    vector_size: int
    metric: str
    rows: str
    options: dict[str, Any]
    recall: float


def write_index(path: AnyPath, graph: Graph, facts: Facts, threads: int) -> None:
    """Write a graph and its facts to `path`, whole or not at all; `CannotWrite` where that fails."""
    with replaced(path) as file:
        try:
            least = graph.write(file.name)
        except RuntimeError as error:  # the libraries' own, for a full disk, say
            raise CannotWrite(f"cannot write {path}: {error}; free some space or choose another folder") from error
        payload = _mapped(file.name)
        if len(payload) < max(1, least):
            raise CannotWrite(
                f"cannot write {path}: {len(payload)} of {least} bytes were written; "
                "free some space or choose another folder"
            )
        told = {"format_version": FORMAT_VERSION, **asdict(facts)}
        text = json.dumps({**told, "digest": _digest_of(told, payload, threads)}).encode()
        file.seek(len(payload))
        file.write(text + len(text).to_bytes(LENGTH_BYTES, "little") + END)


def read_index(path: AnyPath, threads: int) -> tuple[Facts, Bytes]:
    """The facts of an index and the library's bytes, which are whole, mapped into memory.

    Raises:
        MissingFile: nothing is there, or it may not be read.
        BadFile: truncated, damaged, of a newer version, or no index that firth wrote.
    """
    whole = _mapped(path)
    tail = LENGTH_BYTES + len(END)
    if len(whole) < tail or whole[-len(END) :].tobytes() != END:
        raise BadFile(f"{path} is cut short, or no index that firth wrote; {ANEW}")
    length = int.from_bytes(whole[-tail : -len(END)].tobytes(), "little")
    size = len(whole) - tail - length
    if length > LONGEST_FACTS or size < 1:
        raise BadFile(f"{path} is damaged: its facts cannot have {length} bytes; {ANEW}")
    text = whole[size : size + length].tobytes()
    told = _told(text, path)
    as_written = json.dumps(told).encode() == text  # JSON may mean the same with other white space
    payload, digest = whole[:size], told.pop("digest", None)
    if not as_written or _digest_of(told, payload, threads) != digest:
        raise BadFile(f"{path} is damaged: its bytes are not those that were written; {ANEW}")
    return _facts_of(told, path), payload


def graph_of(facts: Facts, payload: Bytes, path: AnyPath) -> Graph:
    """The graph in the bytes of a file; `BadFile` where this version of the library cannot read it."""
    kind = GRAPHS[facts.kind]
    options = IndexOptions.from_dict({**facts.options, "kind": facts.kind})
    try:
        graph = kind.read(payload, facts.words, facts.vector_size, options)
    except (RuntimeError, ValueError) as error:
        raise BadFile(
            f"{path}: {kind.package} {kind.library()} cannot read what {kind.package} {facts.library} wrote ({error}); "
            f"{ANEW}"
        ) from error
    if len(graph) != facts.words:
        raise BadFile(f"{path}: it holds {len(graph)} vectors and claims {facts.words}; {ANEW}")
    return graph


def digest_of_rows(rows: StoredRows, threads: int) -> str:
    """SHA-256 of all numbers as they are stored: of the digests of pieces of some megabytes, which threads share."""
    shapes = [[name, str(tensor.dtype), list(tensor.shape)] for name, tensor in rows.tensors.items()]
    pieces = [piece for tensor in rows.tensors.values() for piece in _pieces(tensor)]
    return _digest(json.dumps([rows.dtype, rows.shape, shapes]).encode(), pieces, threads)


def _digest_of(told: dict[str, Any], payload: Bytes, threads: int) -> str:
    """The same of facts and the library's bytes."""
    return _digest(json.dumps(told).encode(), _pieces(payload), threads)


def _pieces(array: NDArray[Any]) -> list[NDArray[Any]]:
    step = max(1, PIECE_BYTES * len(array) // max(1, array.nbytes))
    return [array[start : start + step] for start in range(0, len(array), step)]


def _digest(head: bytes, pieces: list[NDArray[Any]], threads: int) -> str:
    def digest(piece: NDArray[Any]) -> bytes:
        return hashlib.sha256(np.ascontiguousarray(piece).data.cast("B")).digest()

    with ThreadPoolExecutor(threads) as pool:
        return hashlib.sha256(head + b"".join(pool.map(digest, pieces))).hexdigest()


def _mapped(path: AnyPath) -> Bytes:
    with opened(path) as file:
        return np.frombuffer(mapped(file, path) if file.read(1) else b"", np.uint8)


def _told(text: bytes, path: AnyPath) -> dict[str, Any]:
    """The JSON object, of a version that is known, or `BadFile`."""
    try:
        told = json.loads(text)
        number = int(told["format_version"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadFile(f"{path} is damaged: its facts make no sense ({error}); {ANEW}") from error
    if number > FORMAT_VERSION:
        raise BadFile(
            f"{path} is an index of version {number}, this firth reads up to {FORMAT_VERSION}; install a newer firth"
        )
    return dict(told)


def _facts_of(told: dict[str, Any], path: AnyPath) -> Facts:
    """What the file tells, once its digest has been found right; `BadFile` where it still makes no sense."""
    try:
        facts = Facts(**{name: value for name, value in told.items() if name != "format_version"})
        IndexOptions.from_dict({**facts.options, "kind": facts.kind})
    except (TypeError, BadOption) as error:
        raise BadFile(f"{path}: its facts make no sense ({error}); {ANEW}") from error
    if facts.metric != METRIC:
        raise BadFile(f"{path} is an index by {facts.metric!r}, firth searches by {METRIC}; {ANEW}")
    return facts
