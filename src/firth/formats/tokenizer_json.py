"""tokenizer.json, the fast tokenizers' file, as a list of words: one word, one token.

What it says is JSON, so it is read and written without the package `tokenizers`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from firth.errors import BadFile, BadOption
from firth.storage import AnyPath, opened

UNKNOWN = "[UNK]"
MOST_BYTES = 1 << 29

TOKENIZERS = ("whitespace", "letters", "words")  # of firth's own


def tokenizer_json(tokens: list[str], unknown: str, tokenizer: str = "whitespace") -> bytes:
    """The file of a tokenizer that cuts text as firth's `tokenizer` does and numbers `tokens` in their order.

    Raises `BadOption` for a tokenizer that is none of firth's.
    """
    normalizer, cut = _cut(tokenizer)
    model = {
        "type": "WordLevel",
        "vocab": {token: number for number, token in enumerate(tokens)},
        "unk_token": unknown,
    }
    whole = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": normalizer,
        "pre_tokenizer": cut,
        "post_processor": None,
        "decoder": None,
        "model": model,
    }
    return json.dumps(whole, ensure_ascii=False).encode()


def _cut(tokenizer: str) -> tuple[Any, Any]:
    """How one of firth's tokenizers changes letters and cuts, in the words of `tokenizers`."""
    if tokenizer == "whitespace":
        return None, {"type": "WhitespaceSplit"}
    if tokenizer not in TOKENIZERS:
        raise BadOption(f"tokenizer must be one of {', '.join(TOKENIZERS)}; got {tokenizer!r}")
    between = "[^a-z]+"
    if tokenizer == "words":
        from firth.corpus.tokenizers import BETWEEN_WORDS  # loads what reads corpora, compiled code too

        between = BETWEEN_WORDS
    cut = {"type": "Split", "pattern": {"Regex": between}, "behavior": "Removed", "invert": False}
    return {"type": "Lowercase"}, cut


def read_tokens(path: AnyPath) -> list[str]:
    """The tokens of a tokenizer of any kind, by their numbers.

    Raises:
        MissingFile: nothing is there, or it may not be read.
        BadFile: no tokenizer, or its numbers are not 0 to one less than the number of tokens.
    """
    whole = read_json(path)
    try:
        vocabulary = whole["model"]["vocab"]
        if isinstance(vocabulary, dict):
            numbered = [(number, token) for token, number in vocabulary.items()]
        else:  # Unigram: pairs of token and score
            numbered = [(number, token) for number, (token, _) in enumerate(vocabulary)]
        numbered += [(each["id"], each["content"]) for each in whole.get("added_tokens") or []]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadFile(f"{path} is no tokenizer with a vocabulary ({error!r}); fetch it anew") from error
    tokens: dict[int, str] = {}
    for number, token in numbered:
        if type(number) is not int or not isinstance(token, str) or tokens.setdefault(number, token) != token:
            raise BadFile(f"{path}: tokens must be strings, each with a whole number of its own, got {token!r}")
    if sorted(tokens) != list(range(len(tokens))):
        raise BadFile(f"{path}: tokens must be numbered from 0 without a gap; fetch the file anew")
    return [tokens[number] for number in range(len(tokens))]


def read_json(path: AnyPath) -> dict[str, Any]:
    """The JSON object in a file; `BadFile` where there is none."""
    if Path(path).is_file() and Path(path).stat().st_size > MOST_BYTES:
        raise BadFile(f"{path} is larger than {MOST_BYTES} bytes, more than is read of JSON; is it another file?")
    with opened(path) as file:
        try:
            value = json.loads(file.read())
        except (ValueError, RecursionError) as error:
            raise BadFile(f"{path} must be JSON ({error}); fetch it anew") from error
    if not isinstance(value, dict):
        raise BadFile(f"{path} must be a JSON object; fetch it anew")
    return value
