"""Command lines as fastText, word2vec.c and gensim would have them: refused, with what is meant here."""

import re

import pytest

from firth.cli import app
from firth.remedies import OTHER_COMMANDS

OUT = ["-o", "never-written.safetensors"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["train", "t.txt", "--dim", "100", *OUT], "No such option: --dim .*; here called --vector-size$"),
        (["train", "t.txt", "--minCount", "3", *OUT], "; here called --min-count$"),
        (["train", "t.txt", "--threads", "2", *OUT], "; here called --workers$"),
        (["train", "t.txt", "-t", "1e-4", *OUT], "No such option: -t; here called --sample$"),
        (["train", "t.txt", "-size", "100", *OUT], "; names of several letters take two dashes: --vector-size$"),
        (["similar", "m", "king", "--size", "100"], r"No such option: --size[^;]*$"),
        (["similar", "m", "king", "-topn", "3"], "; names of several letters take two dashes: --topn$"),
        (["train", "t.txt", "--minn", "3", *OUT], "; here called --min-n$"),
        (["train", "t.txt", "--wordNgrams", "2", *OUT], "; for words that belong together, see Phrases; leave it out$"),
        (["similar", "m", "king", "--bucket", "3"], r"No such option: --bucket[^;]*$"),
        (
            ["train", "t.txt", "--max-n", "0", *OUT],
            "max_n must be 1 or more, got 0; .* subwords=False trains no n-grams$",
        ),
        (["train", "t.txt", "-x", *OUT], "No such option: -x$"),
        (["train", "t.txt", "--min-cout", "3", *OUT], r"\(Possible options: .*--min-count\b[^;]*\)$"),
        (
            ["train", "a.txt", "b.txt", *OUT],
            r"\(b\.txt\); several files are one corpus as a folder, or as a pattern in quotes",
        ),
        (["train", "t.txt", "-output", "m"], "; names of several letters take two dashes: --output$"),
        (["train", "a.txt", "b.txt", "-om"], "several files are one corpus"),
        (["estimate", "a.txt", "b.txt"], "several files are one corpus"),
        (
            ["convert", "m", "-o", "v.bin"],
            "No such option: -o; what to write is an argument: firth convert SOURCE TARGET$",
        ),
        (["align", "m", "n", "--output", "t"], "; what to write is an argument: firth align MODEL ONTO TARGET$"),
        (["similar", "m", "king", "-o", "t"], "No such option: -o$"),
        (["inspect", "a", "b"], r"Got unexpected extra argument\(s\) \(b\)$"),
        (["skipgram", "-input", "t.txt"], r"No such command 'skipgram'\. Here it is firth train --subwords"),
        (["nn", "m.safetensors"], r"No such command 'nn'\. Here it is firth similar\.$"),
        (["nothing"], r"No such command 'nothing'\.$"),
        ([*OUT, "nn"], "No such option: -o$"),
    ],
)
def test_what_is_meant_is_told(run, arguments, says):
    status, printed, complained = run(*arguments)
    assert (status, printed) == (2, "")
    assert re.search(says, complained.strip())
    assert complained.count("\n") == 1


def test_the_commands_that_are_named_are_there():
    there = {each.name or each.callback.__name__ for each in app.registered_commands}
    named = {told.split()[1].rstrip(",") for told in OTHER_COMMANDS.values()}
    assert named <= there
    assert not there & set(OTHER_COMMANDS)
