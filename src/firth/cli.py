"""The `firth` command: what can be asked of it, from training to a demo.

Flags come from `options.py`; what the commands do stands elsewhere. Exit status: 0 done, 1 a fault of firth's own,
2 wrong input or options, 130 interrupted, by Ctrl-C or SIGTERM (with what was trained kept).
"""

from __future__ import annotations

import dataclasses
import inspect
import io
import json
import math
import re
import signal
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn, get_args, get_origin, get_type_hints

import typer
from typer.core import TyperCommand, TyperGroup

from firth import __version__
from firth.errors import BadFile, BadOption, CutShort, FirthError, counted
from firth.options import (
    COMBINE_HELP,
    Combine,
    CorpusOptions,
    EvaluationOptions,
    GraphOptions,
    IndexOptions,
    MapOptions,
    NextItemOptions,
    PhraseOptions,
    RetrofitOptions,
    TrainingOptions,
    TransformOptions,
    WalkOptions,
)

if TYPE_CHECKING:
    from firth.evaluate import Report

PANELS: dict[type, str] = {
    TrainingOptions: "Training",
    CorpusOptions: "Reading",
    PhraseOptions: "Phrases",
    GraphOptions: "Graphs",
    WalkOptions: "Graphs",
    TransformOptions: "Transforming",
    RetrofitOptions: "Retrofitting",
    EvaluationOptions: "Judging",
    NextItemOptions: "Judging",
    MapOptions: "Map",
    IndexOptions: "Index",
}
INTERRUPTED = 130  # 128 + SIGINT, as shells report it
WRONG_INPUT = 2
PRINTED = "-"  # in the place of a file


class _Commands(TyperGroup):
    """The commands. What typer would take for Ctrl-D at a prompt, a file cut short, stays an error of the file."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except CutShort as error:  # an EOFError
            raise BadFile(str(error)) from error


app = typer.Typer(
    name="firth",
    cls=_Commands,
    help="Word2Vec: train word vectors on your text, query them, judge them, convert them.\n\n"
    "Begin with [bold]firth demo[/bold], or: firth train corpus.txt -o model.safetensors",
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    pretty_exceptions_enable=False,
)


class _InterruptedButKept(Exception):
    """Training was interrupted, and what was trained is written."""


# ---- flags from options ------------------------------------------------------------------------


def with_options(*classes: type[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command a flag for each field of the options classes; it receives them as keyword arguments.

    A name that several classes have is one flag, the first one's.
    """

    def wrap(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command, eval_str=True)
        own = [each for each in signature.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
        flags: dict[str, inspect.Parameter] = {}
        for flag in (flag for kind in classes for flag in _flags(kind)):
            flags.setdefault(flag.name, flag)
        command.__signature__ = signature.replace(parameters=[*own, *flags.values()])  # type: ignore[attr-defined]
        command.__annotations__ = {each.name: each.annotation for each in (*own, *flags.values())}
        return command

    return wrap


def _flags(options: type[Any]) -> Iterator[inspect.Parameter]:
    hints = get_type_hints(options)
    for each in dataclasses.fields(options):
        kind = hints[each.name]
        accepted = [part for part in get_args(kind) if part is not NoneType]
        plain = str if get_origin(kind) is Literal else accepted[0] if accepted else kind
        default: Any = each.default
        if get_origin(kind) is tuple:  # the flag may be given several times
            plain, default = list[str], list(default)
        rule = each.metadata
        metavar = "|".join(rule["choices"] or (["INTEGER", *rule["also"]] if rule["also"] else [])) or None
        flag = typer.Option(
            help=rule["help"],
            metavar=metavar,
            rich_help_panel=PANELS[options],
            parser=_number_or_word(rule["also"]) if rule["also"] else None,
        )
        optional = plain if default is not None else plain | None
        yield inspect.Parameter(
            each.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[optional, flag]
        )


def _number_or_word(words: tuple[str, ...]) -> Callable[[str], int | str]:
    """What reads a flag whose value is a whole number or one of some words."""

    def read(text: str) -> int | str:
        if text in words:
            return text
        try:
            return int(text)
        except ValueError:
            raise typer.BadParameter(f"{text!r} is no whole number, nor {' nor '.join(words)}") from None

    return read


Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Model = Annotated[Path, typer.Argument(help="A model, or vectors in any known format.", show_default=False)]
Corpus = Annotated[
    str,
    typer.Argument(
        help="Text with a sentence or paragraph per line: a file, a folder, a quoted pattern, a remote address, "
        "or - for standard input. .gz, .bz2, .xz, .zst, .parquet and .arrow files are read by their suffix, and "
        "with --column .csv, .tsv and .jsonl.",
        show_default=False,
    ),
]
GivenVocabulary = Annotated[
    Path | None, typer.Option(help="Train these words (a file of words and counts) instead of counting.")
]
Topn = Annotated[int, typer.Option("--topn", "-n", help="How many to show.")]
Threads = Annotated[int | None, typer.Option(help="Use no more threads than this; all cores if not given.")]


# ---- commands ----------------------------------------------------------------------------------


@app.command()
@with_options(TrainingOptions, CorpusOptions, GraphOptions, WalkOptions)
def train(
    context: typer.Context,
    corpus: Corpus,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write the model.", show_default=False)],
    vocabulary: GivenVocabulary = None,
    phrases: Annotated[
        Path | None, typer.Option(help="Join the phrases of this file, which firth phrases wrote, before training.")
    ] = None,
    graph: Annotated[
        bool,
        typer.Option(
            "--graph",
            help="CORPUS is a file of edges: train on random walks over it, as of firth walk; on every node, unless "
            "--min-count is given.",
        ),
    ] = False,
    resume: Annotated[bool, typer.Option(help="Go on with the model at --output, where it was interrupted.")] = False,
    json_: Json = False,
    **options: Any,
) -> None:
    """Train word vectors on a corpus, and write the model to one file.

    Ctrl-C stops cleanly: what is trained is written, and --resume goes on from there.
    """
    from firth.reports import train_and_report

    given = _given(context, options)
    reading = {name: given.pop(name) for name in CorpusOptions().as_dict() if name in given}
    walking = {name: given.pop(name) for name in list(given) if name not in TrainingOptions().as_dict()}
    if walking and not graph:
        raise BadOption(f"{', '.join(walking)} tell how walks go over a graph; add --graph, or leave them out")
    report = train_and_report(
        corpus,
        output,
        given,
        reading,
        vocabulary=vocabulary,
        phrases=phrases,
        walking=walking if graph else None,
        resume=resume,
        quiet=json_,
    )
    _show(report.as_dict(), json_, report.lines())
    if report.interrupted:
        raise _InterruptedButKept


@app.command()
@with_options(PhraseOptions, CorpusOptions)
def phrases(
    context: typer.Context,
    corpus: Corpus,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where to write the phrases, or the joined text.", show_default=False)
    ],
    apply: Annotated[
        Path | None,
        typer.Option(help="Write the corpus as text with the phrases of this file joined, instead of finding any."),
    ] = None,
    english: Annotated[
        bool, typer.Option("--english", help="Take connector words of English: of, the, and, in, ...")
    ] = False,
    topn: Topn = 20,
    json_: Json = False,
    **options: Any,
) -> None:
    """Find words that belong together, such as new york, and write them to a file; or join them in a text.

    firth train --phrases FILE trains on a corpus with the phrases joined. Joined text has a sentence per line, and
    one space between tokens.
    """
    from firth.reports import find_phrases, join_phrases, phrase_lines

    given = _given(context, options)
    reading = {name: given.pop(name) for name in CorpusOptions().as_dict() if name in given}
    if apply is not None:
        if given or english:
            named = ", ".join([*given, *(["english"] if english else [])])
            raise BadOption(f"--apply joins phrases that are found already; leave out {named}")
        done = join_phrases(corpus, apply, output, reading)
        tokens = counted(done["tokens"], "token")
        _show(done, json_, [f"wrote {tokens} in {counted(done['sentences'], 'line')} to {output}"])
        return
    connectors = [word for each in given.pop("connector_words", []) for word in each.split()]
    if english:
        from firth.phrases import ENGLISH_CONNECTOR_WORDS

        connectors += ENGLISH_CONNECTOR_WORDS
    facts, top = find_phrases(corpus, output, {**given, "connector_words": connectors}, reading, topn)
    as_json = facts | {"top": [{"phrase": each.phrase, "score": each.score, "count": each.count} for each in top]}
    _show(as_json, json_, phrase_lines(facts, top))


@app.command()
@with_options(GraphOptions, WalkOptions)
def walk(
    context: typer.Context,
    graph: Annotated[
        str,
        typer.Argument(
            help="A file of edges: two names on a line, and in all lines or none a weight. What stands behind a # is "
            "left out. .gz, .bz2, .xz and .zst files and remote addresses are read, too.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where to write the walks, plain or as .gz.", show_default=False)
    ],
    json_: Json = False,
    **options: Any,
) -> None:
    """Walk at random over a graph, as DeepWalk or, with --p and --q, node2vec, and write the walks, one on a line.

    To train on walks without writing them: firth train --graph edges.txt -o model.safetensors
    """
    from firth.reports import walk_and_write

    done = walk_and_write(graph, output, _given(context, options), quiet=json_)
    told = f"wrote {counted(done['walks'], 'walk')} of {counted(done['tokens'], 'node')} in all to {output}"
    remarks = f"; lines that begin with #, passed over: {done['remarks']:,}" if done["remarks"] else ""
    _show(done, json_, [f"{counted(done['nodes'], 'node')}, {counted(done['edges'], 'edge')}{remarks}", told])


@app.command()
@with_options(TrainingOptions, CorpusOptions)
def estimate(
    context: typer.Context, corpus: Corpus, vocabulary: GivenVocabulary = None, json_: Json = False, **options: Any
) -> None:
    """Tell the memory and the time that training would take, in some seconds, without training.

    Takes what firth train takes, but for standard input. Large texts are read in part.
    """
    from firth.estimating import estimate as estimated
    from firth.reports import estimate_lines
    from firth.vocabulary import Vocabulary

    words = None if vocabulary is None else Vocabulary.load(vocabulary)
    found = estimated(corpus, vocabulary=words, **_given(context, options))
    _show(found.as_dict(), json_, estimate_lines(found))


@app.command()
def similar(
    model: Model,
    words: Annotated[list[str], typer.Argument(help="One word or several, taken together.", show_default=False)],
    negative: Annotated[list[str] | None, typer.Option("--not", help="A word to move away from.")] = None,
    topn: Topn = 10,
    index: Annotated[
        str | None,
        typer.Option(
            metavar="usearch|faiss|hnswlib", help="Ask the index that firth index made; exact search if not given."
        ),
    ] = None,
    threads: Threads = None,
    json_: Json = False,
) -> None:
    """Show the words most similar to one or several."""
    from firth.vectors import WordVectors

    vectors = WordVectors.load(model, index=index, threads=threads)
    found = vectors.most_similar(words, negative or [], topn, threads=threads, index=index)
    _show({"neighbours": _scored(found)}, json_, _columns(found))


@app.command()
def analogy(
    model: Model,
    a: Annotated[str, typer.Argument(show_default=False)],
    b: Annotated[str, typer.Argument(show_default=False)],
    c: Annotated[str, typer.Argument(show_default=False)],
    topn: Topn = 5,
    method: Annotated[
        str, typer.Option(metavar="add|mul", help="add: by B - A + C; mul: by the product of similarities (3CosMul).")
    ] = "add",
    threads: Threads = None,
    json_: Json = False,
) -> None:
    """A is to B as C is to what? For example: firth analogy model.safetensors man king woman."""
    found = _vectors(model).analogy(a, b, c, topn, method=method, threads=threads)
    _show({"answers": _scored(found)}, json_, _columns(found))


@app.command()
def compare(
    model: Model,
    a: Annotated[str, typer.Argument(show_default=False)],
    b: Annotated[str, typer.Argument(show_default=False)],
    json_: Json = False,
) -> None:
    """Compare two words: cosine, dot product and Euclidean distance of their vectors."""
    found = _vectors(model).compare(a, b)
    _show(found._asdict(), json_, [str(found)])


@app.command()
def describe(
    model: Model,
    word: Annotated[str, typer.Argument(show_default=False)],
    topn: Topn = 10,
    threads: Threads = None,
    json_: Json = False,
) -> None:
    """Tell what is known of a word: its count and rank, the length of its vector, its nearest words."""
    found = _vectors(model).describe(word, topn, threads=threads)
    _show(dataclasses.asdict(found) | {"neighbours": _scored(found.neighbours)}, json_, [str(found)])


class _JsonToFile(TyperCommand):
    """A command whose --json prints, as that of all others, and writes to a file where one is named behind it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put - behind a --json that no file follows."""
        given: list[str] = []
        for place, arg in enumerate(args):
            given.append(arg)
            if arg == "--json" and not "".join(args[place + 1 : place + 2]).lower().endswith(".json"):
                given.append(PRINTED)
        return super().parse_args(ctx, given)


JsonToFile = Annotated[
    str | None,
    typer.Option("--json", metavar="[FILE.json]", help="Write the report as JSON to a file, or print it alone."),
]
Markdown = Annotated[Path | None, typer.Option(help="Write the report as Markdown to this file.")]


def _report_files(json_: str | None, markdown: Path | None) -> dict[str, Path | None]:
    """Which files a report goes to."""
    written = None if json_ in (None, PRINTED) else Path(str(json_))
    if written and markdown and written.resolve() == markdown.resolve():
        raise BadOption(f"the report as JSON and as Markdown cannot both be {written}; give two names")
    return {"json": written, "markdown": markdown}


def _show_report(report: Report, json_: str | None, files: Mapping[str, Path | None]) -> None:
    from firth.reports import judgement_tables

    _show(report.as_dict(), json_ == PRINTED, judgement_tables(report))
    if json_ != PRINTED:
        for path in filter(None, files.values()):
            typer.echo(f"wrote {path}")


@app.command(cls=_JsonToFile)
@with_options(EvaluationOptions)
def evaluate(
    context: typer.Context,
    model: Model,
    sets: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Sets: similarity, analogies, categories, odd ones out, lists for WEAT; files, or folders of them. "
            "Further models among them are compared with the first.",
            show_default=False,
        ),
    ] = None,
    published: Annotated[
        list[str] | None,
        typer.Option(help="Fetch a published set: google, ws353 or simlex999; may be given several times."),
    ] = None,
    json_: JsonToFile = None,
    markdown: Markdown = None,
    **options: Any,
) -> None:
    """Judge vectors by sets: how good a model is, and whether better than another.

    In brackets stand 95 % intervals by the bootstrap.
    """
    from firth.reports import judged

    files = _report_files(json_, markdown)
    report = judged(model, sets or [], published or [], files, _given(context, options))
    _show_report(report, json_, files)


@app.command(name="next-items", cls=_JsonToFile)
@with_options(NextItemOptions, CorpusOptions)
def next_items(
    context: typer.Context,
    models: Annotated[
        list[Path], typer.Argument(help="A model, or several, compared with the first.", show_default=False)
    ],
    sessions: Annotated[
        str,
        typer.Argument(
            help="Sessions held out, one per line, in whatever form firth train reads; what is to be predicted must "
            "not have been trained on.",
            show_default=False,
        ),
    ],
    trained_on: Annotated[
        str | None,
        typer.Option(help="The sessions trained on: popularity and co-occurrence in them are compared, too."),
    ] = None,
    json_: JsonToFile = None,
    markdown: Markdown = None,
    **options: Any,
) -> None:
    """Judge item vectors by what came next in sessions: hit rate, MRR and NDCG, beside two baselines.

    firth hold-out parts a file of sessions into those to train on and those held out.
    """
    from firth.reports import judged_next_items

    files = _report_files(json_, markdown)
    report = judged_next_items(models, sessions, trained_on, files, _given(context, options))
    _show_report(report, json_, files)


@app.command(name="hold-out")
def hold_out(
    sessions: Annotated[
        Path, typer.Argument(help="Sessions, one per line, in whatever form firth train reads.", show_default=False)
    ],
    train: Annotated[Path, typer.Option(help="Where to write those to train on.", show_default=False)],
    held_out: Annotated[Path, typer.Option(help="Where to write those held out.", show_default=False)],
    share: Annotated[
        float | None,
        typer.Option(
            help="Hold out whole sessions, this share of them, the last in the file; if not given, the last item of "
            "each session is left out of training."
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="With --share: draw the sessions held out, instead of the last ones.")
    ] = None,
    column: Annotated[
        str | None, typer.Option(help=CorpusOptions.__dataclass_fields__["column"].metadata["help"])
    ] = None,
    json_: Json = False,
) -> None:
    """Part sessions into those to train on and those held out, for firth next-items.

    Items are what stands between white space: train and judge with the tokenizer that splits so, the usual one.
    """
    from firth.reports import held_out_sessions, hold_out_lines

    facts = held_out_sessions(sessions, train, held_out, share, seed, column)
    _show(facts, json_, hold_out_lines(facts))


@app.command(name="inspect")
def inspect_(
    model: Model,
    topn: Topn = 10,
    vocabulary: Annotated[
        Path | None, typer.Option(help="Write all words and their counts to this file, to train on again.")
    ] = None,
    json_: Json = False,
) -> None:
    """Tell what a model holds: its words, its options, how it was trained."""
    from firth.reports import described, description, write_vocabulary

    facts = described(model, topn)
    if vocabulary is not None:
        write_vocabulary(model, vocabulary)
    _show(facts, json_, description(facts))


@app.command()
def convert(
    source: Annotated[
        Path, typer.Argument(help="Vectors in any known format, a file or a folder.", show_default=False)
    ],
    target: Annotated[Path, typer.Argument(help="Where to write them.", show_default=False)],
    encoding_errors: Annotated[
        str,
        typer.Option(help="Words that are not UTF-8: strict, replace, ignore, backslashreplace or surrogateescape."),
    ] = "strict",
    source_format: Annotated[str | None, typer.Option(help="The source's format, if not told by the file.")] = None,
    target_format: Annotated[str | None, typer.Option(help="The target's format, if not told by its name.")] = None,
    combine: Annotated[str, typer.Option(help=COMBINE_HELP, metavar="|".join(get_args(Combine)))] = "input",
    limit: Annotated[int | None, typer.Option(help="Only so many words, the first.")] = None,
    dtype: Annotated[
        str, typer.Option(help="float32, or where the target's format can hold them float16, float64 or int8.")
    ] = "float32",
    json_: Json = False,
) -> None:
    """Convert vectors between formats.

    Told by name: .safetensors, word2vec text (.txt, .vec) and binary (.bin), .glove, .npz, .arrow, .parquet, .fifu;
    fastText (.fasttext.bin); .onnx and .ids.onnx (only written), for phones and browsers. Named by --target-format:
    safetensors (for torch), tensorboard, sentence-transformers, model2vec, hub. Text, word2vec's binary and fastText's
    also as .gz. N-grams are kept by .safetensors, fastText and hub.
    """
    from firth import formats
    from firth.vectors import SubwordVectors

    vectors = formats.convert(
        source,
        target,
        source_format,
        target_format,
        combine=combine,
        encoding_errors=encoding_errors,
        limit=limit,
        dtype=dtype,
    )
    facts = {"words": len(vectors), "vector_size": vectors.vector_size, "target": str(target)}
    lines = [f"wrote {counted(len(vectors), 'word')} × {vectors.vector_size} to {target}"]
    has_n_grams = isinstance(vectors, SubwordVectors) and vectors.kind.buckets
    if has_n_grams and not formats.writing_format(target, target_format, dtype).n_grams:
        facts["left_out"] = "n-grams"
        lines.append("n-grams were left out; files named .safetensors or .fasttext.bin keep them")
    _show(facts, json_, lines)


@app.command()
def push(
    model: Annotated[Path, typer.Argument(help="A model that firth trained.", show_default=False)],
    repository: Annotated[str, typer.Argument(help="Where to, such as someone/their-vectors.", show_default=False)],
    layout: Annotated[
        str,
        typer.Option(
            help="firth: the whole model; model2vec or sentence-transformers: vectors that these libraries load."
        ),
    ] = "firth",
    tokenizer: Annotated[
        str, typer.Option(help="In those layouts, how text is cut: as firth's tokenizer of this name.")
    ] = "whitespace",
    sets: Annotated[
        list[Path] | None,
        typer.Option("--evaluate", help="Similarity or analogy sets whose scores the card shall tell."),
    ] = None,
    corpus: Annotated[str | None, typer.Option(help="What it was trained on, in a sentence, for the card.")] = None,
    language: Annotated[str | None, typer.Option(help="The language's code, for the card: en, de, ...")] = None,
    license: Annotated[str | None, typer.Option(help="The license, for the card: cc-by-4.0, ...")] = None,
    private: Annotated[bool, typer.Option(help="Make a repository that only you see.")] = False,
    folder: Annotated[Path | None, typer.Option(help="Write model and card to this folder, and send nothing.")] = None,
    json_: Json = False,
) -> None:
    """Send a model with a model card to the Hugging Face hub; --folder only writes what would be sent."""
    from firth.reports import publish

    address = publish(
        model,
        repository,
        folder,
        sets=sets,
        private=private,
        layout=layout,
        tokenizer=tokenizer,
        corpus=corpus,
        language=language,
        license=license,
    )
    _show({"target": address}, json_, [f"wrote model and card to {address}"])


@app.command()
@with_options(EvaluationOptions)
def shrink(
    context: typer.Context,
    model: Model,
    target: Annotated[Path, typer.Argument(help="Where to write what is left.", show_default=False)],
    sets: Annotated[list[Path] | None, typer.Argument(help="Further sets, after --evaluate.", hidden=True)] = None,
    dtype: Annotated[
        str | None,
        typer.Option(metavar="float32|float16|int8|binary|pq", help="How to store vectors; as they are if not given."),
    ] = None,
    parts: Annotated[
        int | None,
        typer.Option(
            help="With pq, the bytes that a vector takes (and 4 more); half as many as it has numbers if not given."
        ),
    ] = None,
    most: Annotated[int | None, typer.Option(help="Keep so many of the most frequent words.")] = None,
    min_count: Annotated[int | None, typer.Option(help="Keep words that occur so many times.")] = None,
    words: Annotated[Path | None, typer.Option(help="Keep the words in this file, one per line.")] = None,
    evaluate: Annotated[
        list[Path] | None,
        typer.Option(metavar="SETS", help="Judge both models by these sets, files or folders, and tell what is lost."),
    ] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write that report as Markdown to this file.")] = None,
    json_: Json = False,
    **options: Any,
) -> None:
    """Write a smaller model to query: without the output matrix, with fewer words, in fewer bytes.

    It cannot be trained on. int8 takes a quarter of the bytes of float32 and changes next to no answer; pq (product
    quantisation) an eighth, and changes some. --evaluate tells what is lost.
    """
    from firth.reports import shrink_and_judge, shrunk_lines

    if sets and not evaluate:
        raise BadOption(f"a model is shrunk to one file, got {target} and {sets[0]}; name sets after --evaluate")
    how = {"dtype": dtype, "parts": parts, "most": most, "min_count": min_count, "words": words}
    judged_by = [*(evaluate or []), *(sets or [])]
    done = shrink_and_judge(model, target, judged_by, markdown, _given(context, options), **how)
    _show(done.as_dict(), json_, shrunk_lines(done, markdown))


@app.command()
@with_options(IndexOptions)
def index(
    context: typer.Context,
    model: Model,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Where to write the index; beside the model, as model.usearch, if not given."
        ),
    ] = None,
    threads: Threads = None,
    json_: Json = False,
    **options: Any,
) -> None:
    r"""Build an index for approximate search over many vectors, and tell how many of the nearest it finds.

    Exact search needs none, and one query alone is no faster with it: it pays for many, of hundreds of thousands of
    words. Needs pip install 'firth\[ann]' (usearch, faiss) or 'firth\[hnswlib]'.
    """
    from firth.reports import index_lines, make_index

    made = make_index(model, output, _given(context, options), threads=threads, quiet=json_)
    _show(made, json_, index_lines(made))


@app.command()
@with_options(TransformOptions)
def transform(
    context: typer.Context,
    model: Model,
    target: Annotated[Path, typer.Argument(help="Where to write the vectors.", show_default=False)],
    json_: Json = False,
    **options: Any,
) -> None:
    """Centre vectors, take their strongest directions out, bring them to length 1; in this order.

    What is written is a model to query, without the output matrix: it cannot be trained on.
    """
    from firth.transforms.files import transform_file, transform_lines

    done = transform_file(model, target, **_given(context, options))
    _show(done, json_, transform_lines(done))


@app.command()
@with_options(RetrofitOptions)
def retrofit(
    context: typer.Context,
    model: Model,
    lexicon: Annotated[
        Path, typer.Argument(help="Words that belong together: a word and its neighbours a line.", show_default=False)
    ],
    target: Annotated[Path, typer.Argument(help="Where to write the vectors.", show_default=False)],
    encoding: Annotated[str, typer.Option(help="The lexicon's encoding.")] = "utf-8",
    json_: Json = False,
    **options: Any,
) -> None:
    """Draw words to their neighbours in a lexicon, such as WordNet's synonyms; all other words stay.

    What is written is a model to query, without the output matrix: it cannot be trained on.
    """
    from firth.transforms.files import retrofit_file, transform_lines

    done = retrofit_file(model, lexicon, target, encoding=encoding, **_given(context, options))
    _show(done, json_, transform_lines(done))


@app.command()
def align(
    model: Model,
    onto: Annotated[Path, typer.Argument(help="The model that stays: vectors of the same size.", show_default=False)],
    target: Annotated[Path, typer.Argument(help="Where to write the turned vectors.", show_default=False)],
    dictionary: Annotated[
        Path | None,
        typer.Option(
            help="Align by these pairs, a word of the model and one of the other on each line; else by the words that "
            "both have."
        ),
    ] = None,
    encoding: Annotated[str, typer.Option(help="The dictionary's encoding.")] = "utf-8",
    topn: Topn = 10,
    min_count: Annotated[int, typer.Option(help="Show words that occur so many times in both.")] = 0,
    json_: Json = False,
) -> None:
    """Turn a model onto another, so that their vectors can be compared, and show the words that moved most.

    What is written is a model to query, without the output matrix: it cannot be trained on.
    """
    from firth.transforms.files import align_files, transform_lines

    done = align_files(model, onto, target, dictionary=dictionary, encoding=encoding, topn=topn, min_count=min_count)
    _show(done, json_, transform_lines(done))


@app.command()
@with_options(MapOptions)
def plot(
    context: typer.Context,
    model: Model,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="Where to draw: .png, .svg or .pdf, or .html to explore.", show_default=False
        ),
    ],
    words: Annotated[list[str] | None, typer.Argument(help="Which words.", show_default=False)] = None,
    kind: Annotated[
        str,
        typer.Option(
            metavar="map|heatmap|analogies", help="heatmap: of cosines; analogies: of words in threes, man woman king."
        ),
    ] = "map",
    around: Annotated[int | None, typer.Option(help="With each word, its so many nearest, in one colour.")] = None,
    most: Annotated[int | None, typer.Option(help="So many of the most frequent words.")] = None,
    groups: Annotated[
        Path | None, typer.Option(help="A file with a word, a tab and its group on each line: one colour a group.")
    ] = None,
    pairs: Annotated[
        bool, typer.Option("--pairs", help="Words come in pairs: draw an arrow from the first to the second.")
    ] = False,
    order: Annotated[
        str, typer.Option(metavar="clusters|given", help="Rows of a heat map: like ones together, or as given.")
    ] = "clusters",
    title: Annotated[str, typer.Option(help="What stands above.")] = "",
    dark: Annotated[bool, typer.Option("--dark", help="Dark paper; pages follow the browser.")] = False,
    topn: Annotated[int, typer.Option(help="How many neighbours a click shows, on a page.")] = 10,
    threads: Threads = None,
    json_: Json = False,
    **options: Any,
) -> None:
    """Draw words as a map, a page to explore, a heat map or analogies.

    For example: firth plot model.safetensors king france dog --around 15 --method tsne -o map.png
    """
    from firth.visualise import Page
    from firth.visualise import plot as drawn

    picture = drawn(
        _vectors(model),
        words or [],
        output,
        kind=kind,  # type: ignore[arg-type]  # checked there, as order is
        around=around,
        most=most,
        groups=groups,
        pairs=pairs,
        order=order,  # type: ignore[arg-type]
        title=title,
        dark=dark,
        topn=topn,
        threads=threads,
        **_given(context, options),
    )
    facts = {"target": str(output), "words": picture.words}
    left_out = 0 if isinstance(picture, Page) else picture.unlabelled
    without = f", {left_out:,} without room for their label" if left_out else ""
    _show(facts | {"unlabelled": left_out}, json_, [f"drew {counted(picture.words, 'word')} to {output}{without}"])


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where to write the corpus, the model and the picture.")] = Path("demo"),
    sentences: Annotated[int, typer.Option(help="How many sentences to make up.")] = 200_000,
    seed: Annotated[int, typer.Option(help="Another seed gives another corpus and another model.")] = 1,
    workers: Annotated[int | None, typer.Option(help="Threads; all cores if not given.")] = None,
    json_: Json = False,
) -> None:
    """Make up a small world, train on it, and show neighbours, analogies and a picture."""
    from firth.demo import run

    _show(run(folder, count=sentences, seed=seed, workers=workers, quiet=json_), json_, [])


# ---- around them -------------------------------------------------------------------------------


def _given(context: typer.Context, options: dict[str, Any]) -> dict[str, Any]:
    """Those of the options that the user gave."""
    return {name: value for name, value in options.items() if _is_given(context, name)}


def _is_given(context: typer.Context, name: str) -> bool:
    """Whether the user gave this option, rather than leaving its default."""
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def _vectors(path: Path) -> Any:
    from firth.vectors import WordVectors

    return WordVectors.load(path)


def _scored(found: Iterable[tuple[str, float]]) -> list[dict[str, Any]]:
    return [{"word": word, "similarity": score} for word, score in found]


def _columns(found: list[tuple[str, float]]) -> list[str]:
    return [f"{score:.4f}  {word}" for word, score in found]


def _show(facts: dict[str, Any], as_json: bool, lines: Any) -> None:
    """Print the facts as JSON, or else the lines (strings, or what rich can draw)."""
    if as_json:
        print(json.dumps(_finite(facts), ensure_ascii=not _writes_utf8(), allow_nan=False))
        return
    from rich.console import Console

    console = Console(soft_wrap=True)
    for line in lines:
        console.print(line, markup=False, highlight=False)


def _finite(value: Any) -> Any:
    """The value with null for numbers that JSON does not know."""
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _writes_utf8() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


@app.callback(invoke_without_command=True)
def _main(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    if version:
        typer.echo(f"firth {__version__}")
        raise typer.Exit


def main() -> NoReturn:
    """The entry point: errors that firth raises on purpose become one sentence and exit status 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal or file that cannot show a letter shows its number
            stream.reconfigure(errors="backslashreplace")
    warnings.showwarning = lambda message, *_: typer.echo(f"firth: {message}", err=True)
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        _refuse_empty(sys.argv)
        status = int(app(standalone_mode=False) or 0)
        if status == INTERRUPTED:  # some versions of typer give Ctrl-C back as a status, others raise it
            raise KeyboardInterrupt
    except _InterruptedButKept:
        status = INTERRUPTED
    except FirthError as error:
        status = _complain(str(error))
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("firth: interrupted; nothing was written", err=True)
        status = INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()  # what reads our output has gone; Python would complain at exit
        status = 0
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        from firth.remedies import remedy

        # typer's errors: unknown commands, missing arguments
        status = _complain(error.format_message() + remedy(error, sys.argv[1:]))
    sys.exit(status)


def _refuse_empty(arguments: list[str]) -> None:
    """Raise `BadOption` for an empty argument, which as a path would be the current folder."""
    for before, argument in pairwise(arguments):
        if not argument or re.fullmatch(r"--[\w-]+=", argument):
            raise BadOption(
                f"nothing stands behind {(argument or before).rstrip('=')}: an empty name or value; give one, and see "
                "whether a variable of the shell that should hold it is set"
            )


def _interrupted(_: int, frame: Any) -> None:
    """Do as at Ctrl-C when asked to end: what is trained is kept, what is unfinished removed."""
    at_ctrl_c = signal.getsignal(signal.SIGINT)
    if not callable(at_ctrl_c):  # ignored, as in what a shell starts with &
        raise KeyboardInterrupt
    at_ctrl_c(signal.SIGINT, frame)


def _complain(message: str) -> int:
    if message:  # none where the help was shown instead
        typer.echo(f"firth: {message}", err=True)
    return WRONG_INPUT


if __name__ == "__main__":
    main()
