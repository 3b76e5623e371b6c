"""What to do about a command line that typer refuses, to be said after its own words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from firth.options import NO_OPTIONS, OTHER_NAMES

# Commands of fastText's, and programs of word2vec.c's, and what does the same here.
OTHER_COMMANDS = {
    "skipgram": "firth train, of skip-gram unless told otherwise",
    "cbow": "firth train --architecture cbow",
    **dict.fromkeys(("word2vec", "train_unsupervised"), "firth train"),
    **dict.fromkeys(("nn", "distance", "most_similar"), "firth similar"),
    **dict.fromkeys(("analogies", "word-analogy"), "firth analogy"),
    **dict.fromkeys(("print-word-vectors", "save_word2vec_format"), "firth convert, which writes them to a file"),
    **dict.fromkeys(("quantize", "reduce"), "firth shrink"),
    "word2phrase": "firth phrases",
    **dict.fromkeys(("compute-accuracy", "test", "eval"), "firth evaluate"),
    "info": "firth inspect",
    "deepwalk": "firth train --graph",
    "node2vec": "firth train --graph, with --p and --q",
}


def remedy(error: Any, arguments: Sequence[str]) -> str:
    """The end of a sentence about an error of typer's, empty where there is no more to say.

    `arguments` are those of the command line, without the program's name.
    """
    if hasattr(error, "possibilities"):
        return _for_option(error.option_name.lstrip("-"), arguments)
    message = error.format_message()
    if message.startswith("No such command") and arguments and arguments[0] in OTHER_COMMANDS:
        return f" Here it is {OTHER_COMMANDS[arguments[0]]}."
    takes = {each.name for each in error.ctx.command.params} if getattr(error, "ctx", None) else set()
    if "unexpected extra argument" in message and "corpus" in takes:
        return "; several files are one corpus as a folder, or as a pattern in quotes, such as 'texts/*.txt'"
    return ""


def _for_option(name: str, arguments: Sequence[str]) -> str:
    short = [each for each in arguments if each[:1] == "-" and each[:2] != "--" and len(each) > 2 and each[1].isalpha()]
    if len(name) == 1 and short:  # typer reads -size as -s -i -z -e
        return f"; names of several letters take two dashes: {_flag(short[0][1:])}"
    if name in OTHER_NAMES:
        return f"; here called {_flag(name)}"
    return f"; {NO_OPTIONS[name]}" if name in ("minn", "maxn", "bucket", "wordNgrams") else ""


def _flag(name: str) -> str:
    return "--" + OTHER_NAMES.get(name, name).replace("_", "-")
