"""Encoded corpora kept between runs, under a key made of the sources, the tokenizer and the options."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

from firth.cache import cache_folder
from firth.corpus.columns import ColumnFile
from firth.corpus.encoded import EncodedCorpus
from firth.corpus.encoding import Progress, encode
from firth.corpus.files import Source
from firth.corpus.sources import COLUMNAR, JSON_LINES, SEPARATED, CorpusLike, find, is_paths
from firth.corpus.tokenizers import Custom, Tokenizer, TokenizerLike, tokenizer_for
from firth.corpus.writer import writing
from firth.errors import BadCorpus, BadOption
from firth.memory import give_back_free_memory
from firth.options import CorpusOptions

ENCODING_VERSION = 3  # raise it whenever the same text would be encoded otherwise
MOST_CACHED_BYTES = 32 << 30  # beyond, the corpora longest unused are removed
ABANDONED_SECONDS = 86_400  # after which an unfinished encoding is taken for dead
UNFINISHED = "making-"
MARK = re.compile(rf"{UNFINISHED}([0-9a-f]{{16}})-([0-9]+)-")  # who made it: where process numbers are its own, and its


def encoded_corpus(
    corpus: CorpusLike | EncodedCorpus,
    options: CorpusOptions | None = None,
    *,
    tokenizer: TokenizerLike | None = None,
    threads: int = 1,
    progress: Progress | None = None,
) -> EncodedCorpus:
    """The encoded form of a corpus: from the cache where it stands there, else made and, where it can be, kept.

    Files are known again by name, size and time of change; iterables and callables cannot be, so what is made of
    them lasts until `close`. `tokenizer` may be a callable or a Hugging Face tokenizer; without it the options' is
    used. Raises what reading text can: `MissingFile`, `CannotRead`, `BadCorpus`, `BadOption`, `CannotWrite`.
    """
    if isinstance(corpus, EncodedCorpus):
        if tokenizer is not None or options not in (None, CorpusOptions()):
            raise BadOption("an encoded corpus is read already: leave out the tokenizer and the options of reading")
        return corpus
    options = options or CorpusOptions()
    sources, cut, key = asked_for(corpus, options, tokenizer)
    store = cache_folder() / "corpora"
    if key is not None and (known := _known(store / key)) is not None:
        return known
    folder = new_folder(store, warn=key is not None)
    if folder.parent != store:
        key = None
    try:
        encode(sources, cut, folder, threads=threads, encoding_errors=options.encoding_errors, progress=progress)
        give_back_free_memory()
        if key is None:
            return EncodedCorpus(folder, temporary=True)
        made = EncodedCorpus(_kept(folder, store / key))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    _forget_old(store, but=made.folder)
    return made


def asked_for(
    corpus: CorpusLike, options: CorpusOptions, tokenizer: TokenizerLike | None = None
) -> tuple[list[Source], Tokenizer, str | None]:
    """What is to be read, how it is cut, and the key it is kept under; None where it cannot be, or is not to be.

    Raises `MissingFile`, and `BadOption` for what can be no corpus.
    """
    cut = tokenizer_for(options.tokenizer if tokenizer is None else tokenizer)
    sources = find(corpus, options, lines_as_they_are=isinstance(cut, Custom))
    if options.column is not None and not any(isinstance(source, ColumnFile) for source in sources):
        raise BadOption(f"column is {options.column!r}, but {_without_columns(corpus)}, or leave column out")
    return sources, cut, _key(sources, cut, options) if options.cache else None


def _without_columns(corpus: CorpusLike) -> str:
    if not isinstance(corpus, (str, os.PathLike)) and not is_paths(corpus):
        return (
            f"the corpus is no file: of a {type(corpus).__name__}, each item is a sentence; give the name of a file, "
            "of several a list of pathlib.Path"
        )
    named = ", ".join([*SEPARATED, *JSON_LINES, *COLUMNAR])
    return f"no file of the corpus is one with columns, whose names end in {named}; rename it"


def kept_corpus(corpus: CorpusLike, options: CorpusOptions) -> EncodedCorpus | None:
    """The encoded form of a corpus where the cache holds it, else None; raises as `asked_for` does."""
    _, _, key = asked_for(corpus, options)
    return None if key is None else _known(cache_folder() / "corpora" / key)


def new_folder(store: Path, *, warn: bool) -> Path:
    """A folder to encode into: in the store, or, where nothing can be written there, among the temporary files."""
    try:
        store.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(store)
        maker = _namespace()
        mark = f"{UNFINISHED}{maker}-{os.getpid()}-" if maker else UNFINISHED
        return Path(tempfile.mkdtemp(prefix=mark, dir=store))
    except OSError as error:
        if warn:
            warnings.warn(
                f"the cache {store} cannot be written ({error.strerror}), so the encoded corpus is not kept for the "
                "next run; set FIRTH_CACHE to a folder that can",
                stacklevel=3,
            )
    with writing(Path(tempfile.gettempdir())):
        return Path(tempfile.mkdtemp(prefix="firth-"))


def _known(place: Path) -> EncodedCorpus | None:
    """The corpus kept in `place`, marked as used; None where there is none. What is not sound is removed."""
    if not place.is_dir():
        return None
    try:
        known = EncodedCorpus(place)
    except BadCorpus:
        shutil.rmtree(place, ignore_errors=True)
        return None
    with contextlib.suppress(OSError):  # a cache that may only be read will do
        os.utime(place)
    return known


def _key(sources: Sequence[Source], tokenizer: Tokenizer, options: CorpusOptions) -> str | None:
    identities = [source.identity() for source in sources]
    name = tokenizer.identity()
    if name is None or any(identity is None for identity in identities):
        return None
    text = json.dumps([ENCODING_VERSION, identities, name, options.encoding_errors])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _kept(folder: Path, place: Path) -> Path:
    """Move a finished encoding to its place, unless another process was faster."""
    with writing(place.parent):
        try:
            folder.rename(place)
        except OSError:
            if not place.is_dir():
                raise
            shutil.rmtree(folder, ignore_errors=True)
    return place


def _remove_abandoned(store: Path) -> None:
    """Remove what processes left unfinished that were killed: at once where that is certain, else after a day."""
    for entry in store.glob(f"{UNFINISHED}*"):
        if _is_nobodys(entry) or time.time() - max(map(_changed, [entry, *_files(entry)])) > ABANDONED_SECONDS:
            shutil.rmtree(entry, ignore_errors=True)


def _is_nobodys(entry: Path) -> bool:
    """Whether the process that made this folder is certain to have ended.

    Only a process of the same boot of the same machine, and of the same container, can be looked for: of others, which
    may share this store by a network, nothing is known. Locks would tell of these too, but not on every mount.
    """
    made = MARK.match(entry.name)
    if made is None or made[1] != _namespace():
        return False
    try:
        os.kill(int(made[2]), 0)  # sends nothing
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # it is there, and another user's
        pass
    return False


def _namespace() -> str:
    """What is told apart by process numbers: the boot of a machine and the container in it; empty where unknown."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
        container = os.readlink("/proc/self/ns/pid")  # noqa: PTH115  (no path: pid:[4026531836])
    except (OSError, ValueError):
        return ""
    return hashlib.sha256(f"{boot}{container}".encode()).hexdigest()[:16]


def _forget_old(store: Path, but: Path) -> None:
    """Remove the encodings longest unused beyond MOST_CACHED_BYTES."""
    room = MOST_CACHED_BYTES
    for entry in sorted(store.iterdir(), key=_changed, reverse=True):
        if entry.name.startswith(UNFINISHED):
            continue
        room -= sum(_bytes(file) for file in _files(entry))
        if room < 0 and entry != but:
            shutil.rmtree(entry, ignore_errors=True)


# Other processes make and remove entries meanwhile, so what has gone counts as nothing.


def _files(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
