"""A file of phrases: JSON, with a phrase per line."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from firth.errors import BadFile, BadOption
from firth.options import PhraseOptions
from firth.phrases.finding import Phrase, check_words
from firth.storage import AnyPath, opened, replaced_packed

FORMAT, VERSION = "firth phrases", 1


def write_phrases(path: AnyPath, options: PhraseOptions, passes: Sequence[Sequence[Phrase]]) -> None:
    """Write the phrases of each pass. Raises `CannotWrite`; a file that stood there is replaced only by a whole one."""
    lists = [",\n".join(_line(phrase) for phrase in phrases) for phrases in passes]
    head = json.dumps({"format": FORMAT, "version": VERSION, "options": options.as_dict()}, ensure_ascii=False)
    with replaced_packed(path) as file:
        file.write(f'{head[:-1]}, "passes": [\n'.encode())
        file.write(",\n".join(f"[\n{each}\n]" for each in lists).encode())
        file.write(b"\n]}\n")


def _line(phrase: Phrase) -> str:
    return json.dumps({"words": phrase.words, "score": phrase.score, "count": phrase.count}, ensure_ascii=False)


def read_phrases(path: AnyPath) -> tuple[PhraseOptions, list[list[Phrase]]]:
    """The options and the phrases of each pass. Raises `MissingFile`, or `BadFile` for what is no file of phrases."""
    with opened(path) as file:
        data = file.read()
    try:
        stored = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadFile(f"{path} is no file of phrases: it is not JSON ({error}); give what `save` wrote") from error
    if not isinstance(stored, dict) or stored.get("format") != FORMAT:
        raise BadFile(f"{path} is no file of phrases: it does not say format {FORMAT!r}; give what `save` wrote")
    if stored.get("version") != VERSION:
        raise BadFile(
            f"{path} holds phrases in version {stored.get('version')!r}, this firth reads {VERSION}; find them anew, "
            "or install the version that wrote it"
        )
    try:
        options = PhraseOptions.from_dict(stored["options"])
        passes = [[_phrase(entry, options) for entry in entries] for entries in stored["passes"]]
    except (BadOption, KeyError, TypeError, ValueError) as error:
        raise BadFile(f"{path} is damaged, or was changed by hand: {error}; find the phrases anew") from error
    return options, passes


def _phrase(entry: Any, options: PhraseOptions) -> Phrase:
    """A phrase as the file holds it; raises `ValueError` or `TypeError` for what is none."""
    words, score, count = entry["words"], entry["score"], entry["count"]
    if not isinstance(words, list) or len(words) < 2 or not all(isinstance(word, str) and word for word in words):
        raise ValueError(f"a phrase must have two words or more, got {words!r}")
    "".join(words).encode()  # a lone surrogate is refused
    check_words(words)
    connectors = [word in options.connector_words for word in words]
    if connectors[0] or connectors[-1] or not all(connectors[1:-1]):
        raise ValueError(f"between two words that are no connectors, only connectors may stand, got {words!r}")
    if isinstance(score, bool) or not isinstance(score, (int, float)) or not math.isfinite(score):
        raise ValueError(f"a score must be a number, got {score!r}")
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ValueError(f"a count must be 1 or more, got {count!r}")
    return Phrase(options.delimiter.join(words), float(score), count, tuple(words))
