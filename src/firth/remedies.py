"""What to do about a command line that typer refuses, to be said after its own words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from firth.options import NO_OPTIONS, OTHER_NAMES

# Commands of fastText's, and programs of word2vec.c's, and what does the same here.
OTHER_COMMANDS = {
    "skipgram": "firth train --subwords, of skip-gram unless told otherwise",
    "cbow": "firth train --subwords --architecture cbow",
    "train_unsupervised": "firth train --subwords",
    "word2vec": "firth train",
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


TWO_DASHES = "names of several letters take two dashes"


def remedy(error: Any, arguments: Sequence[str]) -> str:
    """The end of a sentence about an error of typer's, empty where there is no more to say.

    `arguments` are those of the command line, without the program's name.
    """
    takes = {each.name for each in error.ctx.command.params} if getattr(error, "ctx", None) else set()
    if hasattr(error, "possibilities"):
        name = error.option_name.lstrip("-")
        if name in ("o", "output") and "target" in takes:
            named = (each.name.upper() for each in error.ctx.command.params if each.param_type_name == "argument")
            return f"; what to write is an argument: firth {error.ctx.command.name} {' '.join(named)}"
        return _for_option(name, arguments, takes)
    message = error.format_message()
    if message.startswith("No such command") and arguments and arguments[0] in OTHER_COMMANDS:
        return f" Here it is {OTHER_COMMANDS[arguments[0]]}."
    if "unexpected extra argument" in message:
        if words := [word for word in _with_one_dash(arguments) if word in takes]:  # -output, read as -o utput
            return f"; {TWO_DASHES}: {_flag(words[0])}"
        if "corpus" not in takes:
            return ""
        return "; several files are one corpus as a folder, or as a pattern in quotes, such as 'texts/*.txt'"
    return ""


def _for_option(name: str, arguments: Sequence[str], takes: set[str]) -> str:
    if len(name) == 1 and (words := _with_one_dash(arguments)):  # typer reads -size as -s -i -z -e
        return f"; {TWO_DASHES}: {_flag(words[0])}"
    if OTHER_NAMES.get(name) in takes:
        return f"; here called {_flag(name)}"
    return f"; {NO_OPTIONS[name]}" if name == "wordNgrams" else ""


def _with_one_dash(arguments: Sequence[str]) -> list[str]:
    """The words among the arguments that begin with a single dash, without it."""
    return [each[1:] for each in arguments if len(each) > 2 and each[0] == "-" and each[1].isalpha()]


def _flag(name: str) -> str:
    return "--" + OTHER_NAMES.get(name, name).replace("_", "-")
