"""What the command line reports: of training, of a model, of evaluation."""

from __future__ import annotations

import contextlib
import math
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firth.corpus import EncodedCorpus, encoded_corpus
from firth.errors import BadFile, BadOption, MissingFile, counted
from firth.formats import read_vectors, recognised
from firth.formats.hub import push, write_hub_folder
from firth.formats.model import read_model
from firth.memory import peak_memory_bytes
from firth.options import CorpusOptions, GraphOptions, IndexOptions, NextItemOptions, WalkOptions
from firth.progress import speed
from firth.state import State
from firth.storage import check_writable, is_folder, is_same_file, replaced_packed
from firth.vectors import SubwordVectors, WordVectors
from firth.vectors.indexing import beside
from firth.vocabulary import Vocabulary
from firth.word2vec import Word2Vec, check_model_name

if TYPE_CHECKING:
    from firth.estimating import Estimate
    from firth.evaluate import Report
    from firth.evaluate.tables import Table as Judgements
    from firth.graphs import Graph
    from firth.phrases import Phrase
    from firth.shrinking import Shrunk


NOT_WRITTEN_AS_TEXT = (".bz2", ".xz", ".zst", ".parquet", ".arrow", ".feather", ".ipc")  # but read by these names


# ---- training ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class TrainingReport:
    """What `firth train` tells. Seconds are of this call; words are tokens within the vocabulary, times epochs."""

    model: str
    words: int
    vocabulary: int
    epochs: int
    reading_seconds: float
    compiling_seconds: float
    training_seconds: float
    saving_seconds: float
    words_per_second: float
    losses: tuple[float, ...]
    held_out_losses: tuple[float, ...]
    peak_memory_bytes: int | None
    workers: int
    device: str
    interrupted: bool

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """A few lines to read."""
        if self.interrupted:
            yield f"interrupted in epoch {len(self.losses) + 1}; go on with --resume"
        losses = _losses(self.losses)
        trained = counted(self.words, "word")
        yield f"{trained} trained, {self.vocabulary:,} in the vocabulary; loss of each epoch: {losses}"
        memory = "" if self.peak_memory_bytes is None else f"; {self.peak_memory_bytes / 2**20:,.0f} MB at most"
        where = "on the GPU" if self.device == "cuda" else f"with {counted(self.workers, 'worker')}"
        yield (
            f"{speed(self.words_per_second)} {where}: reading "
            f"{self.reading_seconds:.1f} s, preparing {self.compiling_seconds:.1f} s, training "
            f"{self.training_seconds:.1f} s, saving {self.saving_seconds:.1f} s{memory}"
        )
        yield f"wrote {self.model}"


def _losses(losses: Sequence[float]) -> str:
    """The losses of the finished epochs; subsampling may leave an epoch of a tiny corpus without any example."""
    return ", ".join(f"{loss:.4f}" if math.isfinite(loss) else "no example" for loss in losses) or "none finished"


def train_and_report(
    corpus: str,
    output: Path,
    options: Mapping[str, Any],
    reading: Mapping[str, Any],
    *,
    vocabulary: Path | None = None,
    phrases: Path | None = None,
    walking: Mapping[str, Any] | None = None,
    resume: bool = False,
    quiet: bool = False,
) -> TrainingReport:
    """Train on `corpus`, save to `output`, and tell how it went; what stops short is saved too.

    `options` are those that the user gave; all others have their defaults or, in a resumed run, those of the model.
    `phrases`, a file of them, are joined in the corpus first. With `walking`, options of graphs and walks, the corpus
    is a file of edges, and what is trained on are walks.
    """
    check_model_name(output)
    _check_output(output, corpus, vocabulary, phrases)
    if walking is not None:
        options = {"min_count": 1, **options}  # every node of a graph is meant, however few the walks
    model = _resumed(output, options) if resume else Word2Vec(**options)
    words_before = model.state.words
    given = None if vocabulary is None else Vocabulary.load(vocabulary)
    shown = False if quiet else None
    began = time.perf_counter()
    threads = model.options.threads
    if walking is None:
        prepared = _with_phrases(corpus, phrases, reading, threads)
    else:
        _check_graph(phrases, reading)
        prepared = _walks(corpus, {**walking, "seed": model.options.seed, "workers": threads}, shown)
    with prepared as (text, reading_of_text):
        preparing_seconds = time.perf_counter() - began
        model.fit(text, vocabulary=given, resume=resume, progress=shown, **reading_of_text)
    began = time.perf_counter()
    model.save(output)
    seconds, words = model.seconds, model.state.words - words_before
    return TrainingReport(
        model=str(output),
        words=words,
        vocabulary=len(model.vocabulary),
        epochs=model.options.epochs,
        reading_seconds=seconds.reading + preparing_seconds,
        compiling_seconds=seconds.preparing,
        training_seconds=seconds.training,
        saving_seconds=time.perf_counter() - began,
        words_per_second=words / seconds.training if seconds.training else 0.0,
        losses=model.state.losses,
        held_out_losses=model.state.held_out_losses,
        peak_memory_bytes=peak_memory_bytes(),
        workers=model.workers,
        device=model.device,
        interrupted=model.state.epoch < model.options.epochs,
    )


@contextlib.contextmanager
def _with_phrases(
    corpus: str, phrases: Path | None, reading: Mapping[str, Any], threads: int
) -> Iterator[tuple[str | EncodedCorpus, Mapping[str, Any]]]:
    """What to train on, and how it is still to be read: the corpus itself, or with phrases joined."""
    if phrases is None:
        yield corpus, reading
        return
    from firth.phrases import Phrases

    found = Phrases.load(phrases)
    with encoded_corpus(corpus, CorpusOptions(**reading), threads=threads) as read, found.transform(read) as joined:
        yield joined, {}


def _check_graph(phrases: Path | None, reading: Mapping[str, Any]) -> None:
    idle = [*(["phrases"] if phrases else []), *(name for name in reading if name != "cache")]
    if idle:
        raise BadOption(f"a graph has no text to read; leave out {', '.join(idle)}, or leave out --graph")


@contextlib.contextmanager
def _walks(
    graph: str, options: Mapping[str, Any], progress: bool | None
) -> Iterator[tuple[EncodedCorpus, Mapping[str, Any]]]:
    """Walks to train on, over a file of edges; they are read already."""
    with _read_graph(graph, options).walks(progress=progress, **_those_of(WalkOptions, options)) as walks:
        yield walks, {}


def _read_graph(path: str, options: Mapping[str, Any]) -> Graph:
    from firth.graphs import Graph

    return Graph.read(path, **_those_of(GraphOptions, options))


def _those_of(kind: type[GraphOptions] | type[WalkOptions], options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name in kind().as_dict()}


def _check_output(output: Path, corpus: str, *others: Path | None, what: str = "model") -> None:
    """Refuse, before hours of training, a place that cannot be written, or that holds what is to be read."""
    for read in (corpus, *others):
        if read is not None and is_same_file(read, output):
            raise BadOption(f"{output} is also what is to be read; give the {what} another name")
    if is_folder(corpus) and Path(corpus).resolve() in output.resolve().parents:
        raise BadOption(f"{output} lies in the folder that is read; write the {what} elsewhere")
    check_writable(output)


MAY_CHANGE = ("workers", "device", "gpu_dtype")  # in a resumed run: they change no decision


def _resumed(path: Path, options: Mapping[str, Any]) -> Word2Vec:
    """The model at `path`, to go on with; only the number of workers, the device and what it keeps may be others."""
    if not path.exists():
        raise MissingFile(f"there is no model {path} to go on with; leave out --resume to start one")
    model = Word2Vec.load(path)
    began_with = model.options.as_dict()
    changed = [name for name, value in options.items() if name not in MAY_CHANGE and began_with[name] != value]
    if changed:
        listed = ", ".join(f"{name} {options[name]} instead of {began_with[name]}" for name in changed)
        raise BadOption(
            f"a resumed run keeps the options it began with, got {listed}; leave them out, or train anew without "
            "--resume"
        )
    model.options = replace(model.options, **{name: options[name] for name in MAY_CHANGE if name in options})
    return model


# ---- phrases -----------------------------------------------------------------------------------


def find_phrases(
    corpus: str, output: Path, options: Mapping[str, Any], reading: Mapping[str, Any], topn: int
) -> tuple[dict[str, Any], list[Phrase]]:
    """Find the phrases of a corpus, write them to `output`, and give what to tell, and the best `topn` of them."""
    from firth.phrases import Phrases

    if topn < 0:
        raise BadOption(f"topn must be 0 or more, got {topn}")
    _check_output(output, corpus, what="phrases")
    began = time.perf_counter()
    found = Phrases(**options).fit(corpus, **reading)
    found.save(output)
    facts = {
        "target": str(output),
        "phrases": len(found),
        "seconds": time.perf_counter() - began,
        "peak_memory_bytes": peak_memory_bytes(),
    }
    return facts, found.phrases[:topn]


def phrase_lines(facts: Mapping[str, Any], top: Sequence[Phrase]) -> Iterator[Any]:
    """A table of the best phrases, and where all of them were written."""
    if top:
        rows = [(each.phrase, f"{each.score:,.2f}", f"{each.count:,}") for each in top]
        yield _table(("phrase", "score", "count"), rows)
    hint = "" if facts["phrases"] else "; for more, lower threshold or min_count"
    yield f"wrote {counted(facts['phrases'], 'phrase')} to {facts['target']}{hint}"


def _check_text_name(output: Path) -> None:
    if output.suffix.lower() in NOT_WRITTEN_AS_TEXT:
        raise BadOption(f"the text is written plain or as .gz, but {output} ends in {output.suffix}; name it otherwise")


def join_phrases(corpus: str, phrases: Path, output: Path, reading: Mapping[str, Any]) -> dict[str, Any]:
    """Write `corpus` as text with the phrases of a file joined, packed if `output` ends in .gz; gives what to tell."""
    from firth.phrases import Phrases
    from firth.phrases.joining import write_text

    _check_text_name(output)
    _check_output(output, corpus, phrases, what="text")
    with Phrases.load(phrases).transform(corpus, **reading) as joined, replaced_packed(output) as file:
        write_text(joined, file)
        return {"target": str(output), "tokens": joined.total_tokens, "sentences": joined.sentences}


# ---- walks -------------------------------------------------------------------------------------


def walk_and_write(graph: str, output: Path, options: Mapping[str, Any], *, quiet: bool = False) -> dict[str, Any]:
    """Write walks over a file of edges as text, packed if `output` ends in .gz; gives what to tell."""
    from firth.phrases.joining import check_writable_as_text, write_text

    _check_text_name(output)
    _check_output(output, graph, what="walks")
    read = _read_graph(graph, options)
    check_writable_as_text(read.names)
    facts = {"target": str(output), "nodes": len(read), "edges": read.edges, "remarks": read.remarks}
    chosen = _those_of(WalkOptions, options)
    with read.walks(progress=False if quiet else None, **chosen) as walks, replaced_packed(output) as file:
        write_text(walks, file)
        return facts | {"walks": walks.sentences, "tokens": walks.total_tokens}


# ---- estimates ---------------------------------------------------------------------------------


def estimate_lines(found: Estimate) -> Iterator[Any]:
    """A table of what training will take, and a warning where memory does not suffice."""
    about = "" if found.exact else "about "
    memory = [(f"memory: {name}", _bytes(size)) for name, size in found.memory.items()]
    time_ = [(f"time: {name}", _seconds(each)) for name, each in found.seconds.items()]
    yield _table(
        ("", "estimate"),
        [
            ("words in the text", f"{about}{found.words:,}"),
            ("vocabulary", f"{about}{found.vocabulary:,}"),
            *memory,
            ("memory while training", _bytes(sum(found.memory.values()))),
            ("memory while reading", _bytes(found.reading_peak_bytes) if found.reading_peak_bytes else "read already"),
            ("memory at most", _bytes(found.peak_bytes)),
            *time_,
            ("time in all", _seconds(found.total_seconds)),
            ("time of an epoch", f"{_seconds(found.epoch_seconds)} ({speed(found.words_per_second)})"),
            ("model file", _bytes(found.model_bytes)),
            ("cache", _bytes(found.cache_bytes)),
        ],
    )
    if found.machine_bytes is not None and found.peak_bytes > found.machine_bytes:
        yield (
            f"This needs more memory than there is: {_bytes(found.peak_bytes)} of {_bytes(found.machine_bytes)}. "
            "Raise min_count, set max_vocabulary, or lower vector_size."
        )


def _bytes(number: int) -> str:
    return f"{number / 2**20:,.0f} MB"


def _seconds(number: float) -> str:
    return f"{number:,.1f} s"


# ---- models ------------------------------------------------------------------------------------


def described(path: Path, most: int = 10) -> dict[str, Any]:
    """What a file of vectors holds, as plain values; `most` of its most frequent words with their counts."""
    if most < 1:
        raise BadOption(f"topn must be 1 or more, got {most}")
    vectors = read_vectors(path)
    facts: dict[str, Any] = {
        "file": str(path),
        "format": recognised(path).name,
        "bytes": sum(each.stat().st_size for each in (path.iterdir() if path.is_dir() else [path])),
        "words": len(vectors),
        "vector_size": vectors.vector_size,
        "dtype": vectors.dtype,
    }
    counts = vectors.counts
    if counts is not None:
        facts["total_count"] = int(counts.sum())
    if isinstance(vectors, SubwordVectors) and vectors.kind.buckets:
        kind = vectors.kind
        facts["n_grams"] = {"rows": len(vectors.gram_rows), "min_n": kind.shortest, "max_n": kind.longest}
        facts["n_grams"] |= {"bucket": kind.buckets}
    first = vectors.words[:most]
    facts["most_frequent"] = [
        {"word": word} | ({} if counts is None else {"count": int(counts[row])}) for row, word in enumerate(first)
    ]
    if facts["format"] == "firth":
        stored = read_model(path)
        facts |= {"options": dict(stored.options), "state": dict(stored.state)}
        facts["trainable"] = stored.output is not None
    return facts


def write_vocabulary(model: Path, path: Path) -> None:
    """Write the words and counts of a model to a file that `firth train --vocabulary` takes."""
    vectors = read_vectors(model)
    if vectors.counts is None:
        raise BadOption(f"{model} holds no counts, so there is no vocabulary to write; take a model that firth trained")
    Vocabulary(vectors.words, vectors.counts).save(path)


def description(facts: Mapping[str, Any]) -> Iterator[str]:
    """The facts of `described`, to read."""
    yield f"{facts['file']}: {facts['format']}, {facts['bytes'] / 1e6:,.1f} MB"
    yield f"{counted(facts['words'], 'word')} × {facts['vector_size']}, {facts['dtype']}"
    if n_grams := facts.get("n_grams"):
        yield (
            f"{counted(n_grams['rows'], 'row')} of n-grams of {n_grams['min_n']} to {n_grams['max_n']} characters, in "
            f"{counted(n_grams['bucket'], 'bucket')}: words never seen have vectors, too"
        )
    words = [f"{each['word']} {each.get('count', '')}".strip() for each in facts["most_frequent"]]
    yield "most frequent: " + ", ".join(words)
    if facts.get("options"):
        yield "options: " + ", ".join(f"{name} {value}" for name, value in facts["options"].items())
    if facts.get("state"):
        state = State.from_dict(facts["state"])
        losses = _losses(state.losses)
        yield f"trained on {counted(state.words, 'word')} in {state.seconds:.1f} s; loss of each epoch: {losses}"


def publish(
    model: Path, repository: str, folder: Path | None = None, *, sets: Sequence[Path] | None, private: bool, **card: Any
) -> str:
    """Send a model and its card to the hub, or write both to `folder` alone; gives the address or the folder.

    `sets` are judged for the card; `card` are further arguments of `write_hub_folder`.
    """
    from firth.evaluate import judge

    stored = read_model(model)
    scores = judge(read_vectors(model), sets).as_dict() if sets else None
    title = repository.rpartition("/")[2]
    if folder is not None:
        write_hub_folder(folder, stored, scores=scores, title=title, **card)
        return str(folder)
    with tempfile.TemporaryDirectory(prefix="firth-") as made:
        write_hub_folder(Path(made) / "model", stored, scores=scores, title=title, **card)
        return push(Path(made) / "model", repository, private=private)


# ---- smaller files -----------------------------------------------------------------------------


def shrink_and_judge(
    model: Path, target: Path, sets: Sequence[Path], markdown: Path | None, judging: Mapping[str, Any], **how: Any
) -> Shrunk:
    """Write a smaller model, judge both by `sets`, and write the report to the file `markdown`, if one is named.

    `judging` are options of judging, `how` further arguments of `shrink`.
    """
    from firth.shrinking import shrink

    if markdown is not None:
        if not sets:
            raise BadOption(f"there is nothing to report to {markdown} without sets; give some with --evaluate")
        _check_output(markdown, str(model), *sets, what="report")
        if markdown.resolve() == target.resolve():
            raise BadOption(f"the report and the model cannot both be {target}; give the report another name")
    done = shrink(model, target, evaluate=sets, **how, **judging)
    if done.evaluation is not None:
        done.evaluation.save(markdown=markdown)
    return done


def shrunk_lines(done: Shrunk, markdown: Path | None) -> Iterator[Any]:
    """What became of a model, to read: sizes, and the scores of each set as a whole; sections are in the report."""
    yield from done.lines()
    if done.evaluation is not None:
        yield _judgement_table(done.evaluation, next(done.evaluation.tables()))
        yield from done.evaluation.notes()
    if markdown is not None:
        yield f"wrote {markdown}"


# ---- indexes -----------------------------------------------------------------------------------


def make_index(
    model: Path, output: Path | None, options: dict[str, Any], *, threads: int | None, quiet: bool
) -> dict[str, Any]:
    """Build an index of the vectors in a file, write it, and tell what became of it."""
    chosen = IndexOptions.from_dict(options)
    target = output or beside(model, chosen.kind)
    if is_same_file(model, target):
        raise BadOption(f"cannot write the index of {model} over it; give another name to write to")
    check_writable(target)
    vectors = WordVectors.load(model)
    began = time.perf_counter()
    built = vectors.build_index(**chosen.as_dict(), threads=threads, progress=False if quiet else None)
    seconds = time.perf_counter() - began
    built.save(target, threads=threads)
    return {
        "index": str(target),
        "kind": built.kind,
        "words": len(vectors),
        "vector_size": vectors.vector_size,
        "recall_at_10": built.recall_when_built,
        "seconds": seconds,
        "bytes": target.stat().st_size,
    }


def index_lines(facts: dict[str, Any]) -> Iterator[str]:
    """What `make_index` tells, to read."""
    yield (
        f"indexed {counted(facts['words'], 'word')} × {facts['vector_size']} with {facts['kind']} in "
        f"{facts['seconds']:,.1f} s: "
        f"{facts['index']}, {facts['bytes'] / 1e6:,.1f} MB"
    )
    yield f"it finds {100 * facts['recall_at_10']:.1f} % of the 10 nearest words"


# ---- evaluation --------------------------------------------------------------------------------


def judged(
    model: Path,
    others: Sequence[Path],
    published: Sequence[str],
    files: Mapping[str, Path | None],
    options: Mapping[str, Any],
) -> Report:
    """Judge models by sets, told apart by what they hold, and write the report to `files`, `json` and `markdown`.

    `published` sets are fetched by name.
    """
    from firth.evaluate import judge, published_set
    from firth.evaluate.given import models_and_sets

    for path in filter(None, files.values()):
        _check_output(path, str(model), *others, what="report")
    models, sets = models_and_sets(model, others)
    sets += [published_set(name) for name in published]
    if not sets and options.get("neighbours") is None:
        raise BadOption("there is no set to judge by: give the file of one, a folder of them, or --published google")
    report = judge(models, sets, **options)
    report.save(**files)
    return report


def judged_next_items(
    models: Sequence[Path],
    sessions: str,
    trained_on: str | None,
    files: Mapping[str, Path | None],
    options: Mapping[str, Any],
) -> Report:
    """Judge models by the next items of sessions, and write the report to `files`, `json` and `markdown`."""
    from firth.evaluate import evaluate_next_items
    from firth.evaluate.given import names
    from firth.evaluate.lines import set_name

    for path in filter(None, files.values()):
        _check_output(path, sessions, *models, None if trained_on is None else Path(trained_on), what="report")
    by_similarity = options.get("scores", NextItemOptions().scores) == "similar"
    loaded = [WordVectors.load(path) if by_similarity else _predicting(path) for path in models]
    named = dict(zip(names(models), loaded, strict=True))
    report = evaluate_next_items(named, sessions, trained_on=trained_on, name=set_name(sessions), **options)
    report.save(**files)
    return report


def _predicting(path: Path) -> Word2Vec:
    try:
        return Word2Vec.load(path)
    except BadFile as error:
        raise BadFile(f"{error}. To predict takes the output matrix; --scores similar takes vectors alone") from error


def held_out_sessions(
    sessions: Path, train: Path, held_out: Path, share: float | None, seed: int | None, column: str | None = None
) -> dict[str, Any]:
    """Part sessions, lines of text or of a column, and write those to train on and held out; gives what to tell."""
    from firth.evaluate import hold_out_sessions, leave_last_out

    if share is None and seed is not None:
        raise BadOption(f"seed draws which sessions are held out, got {seed} without a share of them; give --share 0.1")
    if train.resolve() == held_out.resolve():
        raise BadOption(f"the sessions to train on and those held out would both be {train}; give two names")
    for path in (train, held_out):
        _check_text_name(path)
        _check_output(path, str(sessions), what="sessions")
    with encoded_corpus(str(sessions), CorpusOptions(column=column, cache=False)) as read:
        _check_without_spaces(read)
        found = list(read)
    parted = leave_last_out(found) if share is None else hold_out_sessions(found, share, seed=seed)
    for path, some in ((train, parted.train), (held_out, parted.held_out)):
        with replaced_packed(path) as file:
            file.writelines(f"{' '.join(each)}\n".encode() for each in some)
    return {
        "train": str(train),
        "held_out": str(held_out),
        "sessions": len(found),
        "sessions_to_train_on": len(parted.train),
        "sessions_held_out": len(parted.held_out),
    }


def _check_without_spaces(sessions: EncodedCorpus) -> None:
    """Raise `BadOption` for an item that would be several where a line of sessions is read again."""
    for item in sessions.words.to_pylist():
        if len(item.split()) != 1:
            raise BadOption(
                f"sessions are written with white space between items, and the item {item!r} holds some; replace it, "
                "or part the sessions in Python, by firth.leave_last_out"
            )


def hold_out_lines(facts: Mapping[str, Any]) -> Iterator[str]:
    """What `held_out_sessions` did, to read."""
    yield f"wrote {counted(facts['sessions_to_train_on'], 'session')} to train on to {facts['train']}"
    yield f"wrote {counted(facts['sessions_held_out'], 'session')} held out to {facts['held_out']}"


def judgement_tables(report: Report) -> Iterator[Any]:
    """What `judged` found, to read."""
    for table in report.tables():
        yield _judgement_table(report, table)
    yield from report.notes()


def _judgement_table(report: Report, table: Judgements) -> Any:
    shown = table.a_row_for_each(report.names) if len(report.names) > 1 else table
    return _table((shown.title, *shown.heads[1:]), shown.rows, left=3 if len(report.names) > 1 else 2)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> Any:
    from rich.table import Table

    table = Table(*heads)
    for column in table.columns:
        column.overflow = "fold"  # a narrow terminal shows all of it
    for column in table.columns[left:]:
        column.justify = "right"
    for row in rows:
        table.add_row(*row)
    return table
