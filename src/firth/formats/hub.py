"""Models for the Hugging Face hub: a folder with a model card, and sending it there.

README.md           the card: what was trained on how much, with which options, and how good it is
model.safetensors   the whole model, as firth writes it (or one of the layouts of `static`, for other libraries)
config.json         the sizes and options, as JSON

write_hub_folder("out", read_model("model.safetensors"), scores=judge(vectors, "sets").as_dict())
push("out", "someone/their-vectors")     # needs the extra [hub]
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from firth.errors import BadFile, BadOption, CannotWrite, counted, optional
from firth.formats.model import StoredModel, read_model, write_model
from firth.formats.static import CARD, CONFIG, FILES, LAYOUTS, MODEL, write_static
from firth.formats.tensors import read_tensors
from firth.storage import AnyPath, replaced_folder

OWN_LAYOUT = "firth"
TAGS = ("firth", "word2vec", "word-embeddings")
LONGEST_VALUE = 64  # of an option in the table
# The kinds of sets that a card tells of, by what the hub may call their tasks.
TASKS = {
    "similarity": "word-similarity",
    "analogies": "word-analogies",
    "categories": "word-categorisation",
    "outliers": "outlier-detection",
}


def is_hub_folder(folder: Path) -> bool:
    """Whether a folder holds a model of firth's with a card."""
    if not (folder / MODEL).is_file() or not (folder / CARD).is_file():
        return False
    try:
        return read_tensors(folder / MODEL)[1].get("format") == OWN_LAYOUT
    except BadFile:
        return False


def read_hub_folder(path: AnyPath) -> StoredModel:
    """The model in a folder that `write_hub_folder` wrote; raises what `read_model` does."""
    return read_model(Path(path) / MODEL)


def write_hub_folder(
    path: AnyPath,
    stored: StoredModel,
    *,
    layout: str = OWN_LAYOUT,
    tokenizer: str = "whitespace",
    dtype: str = "float32",
    title: str | None = None,
    scores: Mapping[str, Any] | None = None,
    corpus: str | None = None,
    language: str | None = None,
    license: str | None = None,
) -> None:
    """Write a model and its card to a folder.

    Args:
        path: the folder; it is made, or replaced where it holds nothing but such files.
        stored: the model, as `read_model` gives it.
        layout: "firth" for the whole model, which can be trained on; "model2vec" or "sentence-transformers" for
            vectors that these libraries load.
        tokenizer: how those cut text: as firth's tokenizer of this name.
        dtype: of the vectors in those layouts: float32 or float16.
        title: the card's; the folder's name if not given.
        scores: what `judge(...).as_dict()` of `firth.evaluate` gave.
        corpus: what it was trained on, in a sentence.
        language: its code, such as "en".
        license: its identifier on the hub, such as "cc-by-4.0".

    Raises:
        BadOption: an unknown layout, or what `write_static` refuses.
        CannotWrite: the folder holds other things, the disk is full, or the place may not be written.
    """
    title = title or Path(path).absolute().name
    card = model_card(stored, title, layout=layout, scores=scores, corpus=corpus, language=language, license=license)
    if layout in LAYOUTS:
        write_static(
            path, stored.words, stored.rows.decoded(slice(None)), layout, dtype, tokenizer=tokenizer, card=card
        )
        return
    if layout != OWN_LAYOUT:
        raise BadOption(f"layout must be one of {', '.join((OWN_LAYOUT, *LAYOUTS))}; got {layout!r}")
    if dtype != "float32":
        raise BadOption(f"firth's own layout holds float32 alone, got {dtype}; choose another layout")
    config = {
        "model_type": OWN_LAYOUT,
        "format_version": stored.format_version,
        "words": len(stored),
        "vector_size": stored.rows.shape[1],
        "options": dict(stored.options),
    }
    with replaced_folder(path, FILES) as folder:
        write_model(folder / MODEL, stored)
        (folder / CONFIG).write_text(json.dumps(config, indent=2), encoding="utf-8")
        (folder / CARD).write_text(card, encoding="utf-8")


def push(
    folder: AnyPath,
    repository: str,
    *,
    private: bool = False,
    token: str | None = None,
    endpoint: str | None = None,
    message: str = "Word vectors trained by firth",
) -> str:
    """Send a folder to a repository of models on the hub, which is made if it is not there; gives its address.

    `token` is the one that `hf auth login` keeps if not given, `endpoint` the public hub.

    Raises:
        MissingExtra: huggingface_hub is not installed.
        BadFile: there is no folder with a model.
        CannotWrite: the hub was not reached, or refused.
    """
    hub = optional("huggingface_hub", extra="hub", purpose="sending a model to the hub")
    if not (Path(folder) / MODEL).is_file():
        raise BadFile(f"{folder} is no folder with a {MODEL}; write it with write_hub_folder")
    api = hub.HfApi(endpoint=endpoint, token=token)
    try:
        made = api.create_repo(repository, private=private, exist_ok=True, repo_type="model")
        api.upload_folder(
            repo_id=made.repo_id, folder_path=str(folder), commit_message=message, allow_patterns=list(FILES)
        )
    except Exception as error:  # what it raises depends on the HTTP library that its version uses
        raise CannotWrite(
            f"the hub did not take {repository}: {error}; check the name, and log in with `hf auth login`"
        ) from error
    return str(made)


# ---- the card -----------------------------------------------------------------------------------------


def model_card(
    stored: StoredModel,
    title: str,
    *,
    layout: str = OWN_LAYOUT,
    scores: Mapping[str, Any] | None = None,
    corpus: str | None = None,
    language: str | None = None,
    license: str | None = None,
) -> str:
    """The README.md of a model: facts for the hub to read at its top, and text for people. See `write_hub_folder`."""
    facts: dict[str, Any] = {
        "library_name": layout,
        "tags": [*TAGS],
        **({"language": language} if language else {}),
        **({"license": license} if license else {}),
    }
    metrics = [*_metrics(scores or {})]
    if metrics:
        facts["model-index"] = [{"name": title, "results": metrics}]
    # JSON is YAML, too.
    front = "\n".join(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in facts.items())
    parts = [f"---\n{front}\n---", f"# {title}", _summary(stored, layout, corpus), _usage(layout)]
    if scores:
        parts.append(_table("## How good they are", ("set", "measure", "score", "known"), _score_rows(scores)))
    if stored.options:
        rows = [(f"`{name}`", _shown(value)) for name, value in stored.options.items()]
        parts.append(_table("## Options", ("option", "value"), rows))
    return "\n\n".join(parts) + "\n"


def _summary(stored: StoredModel, layout: str, corpus: str | None) -> str:
    V, D = len(stored), stored.rows.shape[1]
    lines = [f"{V:,} word vectors of {counted(D, 'number')}, trained with firth (Word2Vec)."]
    if stored.grams is not None and layout == OWN_LAYOUT:
        rows = counted(len(stored.grams), "row")
        lines.append(f"Words never seen have vectors, too, by {rows} of character n-grams: `vectors.vector(word)`.")
    elif stored.grams is not None:
        lines.append("Character n-grams, by which words never seen have vectors, were left out: this layout has none.")
    if corpus:
        lines.append(f"Trained on: {corpus}")
    read = stored.state.get("corpus")
    if isinstance(read, Mapping) and read.get("tokens"):
        sentences = counted(read.get("sentences", 0), "sentence")
        lines.append(f"The corpus has {counted(read['tokens'], 'token')} in {sentences}.")
    if stored.counts is not None:
        lines.append(f"The words kept stand for {int(stored.counts.sum()):,} of its tokens.")
    losses = stored.state.get("losses")
    if losses:
        lines.append("Mean loss of each epoch: " + ", ".join(f"{loss:.4f}" for loss in losses) + ".")
    return "\n".join(lines)


def _usage(layout: str) -> str:
    code = {
        "model2vec": 'from model2vec import StaticModel\n\nmodel = StaticModel.from_pretrained("...")',
        "sentence-transformers": (
            'from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer("...")'
        ),
    }.get(
        layout,
        "import firth\nfrom huggingface_hub import hf_hub_download\n\n"
        f'vectors = firth.WordVectors.load(hf_hub_download("...", "{MODEL}"))\nvectors.most_similar("word")',
    )
    return f"## How to use them\n\n```python\n{code}\n```"


def _metrics(scores: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The scores as the hub's `model-index` has them."""
    for name, kind, measure, value, _ in _scores(scores):
        if value is not None:
            metric = {"type": measure.lower(), "name": measure, "value": round(value, 4)}
            yield {"task": {"type": TASKS[kind]}, "dataset": {"name": name, "type": name}, "metrics": [metric]}


def _score_rows(scores: Mapping[str, Any]) -> list[tuple[str, ...]]:
    return [
        (name, measure, "-" if value is None else f"{value:.3f}", f"{known:.1%}")
        for name, _, measure, value, known in _scores(scores)
    ]


def _scores(scores: Mapping[str, Any]) -> Iterator[tuple[str, str, str, float | None, float]]:
    """Each set's name, kind, first measure, its value, and the share of the set whose words are known."""
    for each in scores.get("sets", ()):
        if each["kind"] in TASKS:
            [(measure, told), *_] = each["results"][0]["measures"].items()
            known = 1 - float(each["results"][0]["out_of_vocabulary"])
            yield str(each["name"]), each["kind"], measure.capitalize(), told["value"], known


def _table(title: str, names: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [" | ".join(names), " | ".join("---" for _ in names), *(" | ".join(row) for row in rows)]
    return title + "\n\n" + "\n".join(f"| {line} |" for line in lines)


def _shown(value: Any) -> str:
    return str(value).replace("|", "\\|")[:LONGEST_VALUE]
