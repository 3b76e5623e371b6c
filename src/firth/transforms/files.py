"""From model files to a model file: what the command line asks for. The file tells what was done to its vectors.

N-grams are left out, since theirs are vectors of the space as it was.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from firth.errors import BadFile, BadOption, counted
from firth.formats import read_vectors, recognised
from firth.formats.model import StoredModel, read_model, write_model
from firth.options import RetrofitOptions, TransformOptions
from firth.storage import AnyPath, is_same_file
from firth.transforms.alignment import align
from firth.transforms.components import transformed
from firth.transforms.listed import read_lexicon, read_pairs
from firth.transforms.retrofitting import known_neighbours, retrofitted
from firth.vectors import SubwordVectors, WordVectors
from firth.word2vec import check_model_name

DONE = "transforms"  # of the metadata: what was done, as a JSON list, the first first


def transform_file(source: AnyPath, target: AnyPath, **options: Any) -> dict[str, Any]:
    """Write the vectors of a file, `transformed`, to a firth model without the output matrix, which queries alone read.

    Raises what `transformed`, reading and writing raise, and `BadOption` where the target is the source or goes by
    another format's name.
    """
    _check_target(target, source)
    given = read_vectors(source)
    vectors = transformed(given, **options)
    done = {"transform": TransformOptions.from_dict(options).as_dict()}
    _write(target, vectors, source, done)
    return {**_facts(vectors, target, given), **done}


def retrofit_file(
    source: AnyPath, lexicon: AnyPath, target: AnyPath, *, encoding: str = "utf-8", **options: Any
) -> dict[str, Any]:
    """Write the vectors of a file, `retrofitted` to the lexicon in another, and tell how many words that moved.

    Raises what `read_lexicon`, `retrofitted`, reading and writing raise, and `BadOption` where the target is one of the
    sources or goes by another format's name.
    """
    _check_target(target, source, lexicon)
    asked = RetrofitOptions.from_dict(options).as_dict()
    entries, vectors = read_lexicon(lexicon, encoding=encoding), read_vectors(source)
    drawn = retrofitted(vectors, entries, **asked)
    moved = len(known_neighbours(vectors, entries))
    done = {"retrofit": {"lexicon": Path(lexicon).name, "drawn": moved, **asked}}
    _write(target, drawn, source, done)
    return {**_facts(drawn, target, vectors), "entries": len(entries), "drawn": moved, **done}


def align_files(
    source: AnyPath,
    onto: AnyPath,
    target: AnyPath,
    *,
    dictionary: AnyPath | None = None,
    encoding: str = "utf-8",
    topn: int = 10,
    min_count: int = 0,
) -> dict[str, Any]:
    """Write the vectors of `source`, aligned onto those of another file, and tell the `topn` words that moved most.

    `dictionary` is a file of pairs of words, in `encoding`. Raises what `align`, `moved`, reading and writing raise,
    and `BadOption` where the target is one of the sources or goes by another format's name.
    """
    _check_target(target, source, onto)
    pairs = None if dictionary is None else read_pairs(dictionary, encoding=encoding)
    given = read_vectors(source)
    found = align(given, read_vectors(onto), pairs)
    moved = [asdict(each) for each in found.moved(topn, min_count=min_count)]
    done = {"align": {"onto": Path(onto).name, "pairs": len(found.rows)}}
    _write(target, found.vectors, source, done)
    facts = _facts(found.vectors, target, given)
    return {**facts, "pairs": len(found.rows), "distance": float(found.distances.mean()), "moved": moved}


def transform_lines(facts: dict[str, Any]) -> list[str]:
    """What was written, to read; for aligned files the words that moved, too, for retrofitted ones how many did."""
    lines = [f"wrote {counted(facts['words'], 'word')} × {facts['vector_size']} to {facts['target']}"]
    if "left_out" in facts:
        lines.append(f"{facts['left_out']} were left out, so words never seen have no vector there")
    if "retrofit" in facts:
        lines.append(f"drew {facts['drawn']:,} words to their neighbours, of {facts['entries']:,} that the lexicon has")
    if "pairs" in facts:
        lines.append(
            f"aligned by {counted(facts['pairs'], 'pair')} of words, {facts['distance']:.4f} apart on average; moved "
            "most:"
        )
    for each in facts.get("moved", []):
        name = each["word"] if each["word"] == each["onto"] else f"{each['word']} – {each['onto']}"
        counts = [each["count"], each["onto_count"]]
        often = "" if None in counts else f"  ({counts[0]:,} and {counts[1]:,} times)"
        lines.append(f"{each['distance']:.4f}  {name}{often}")
    return lines


def _facts(vectors: WordVectors, target: AnyPath, given: WordVectors) -> dict[str, Any]:
    """What was written, and what was left out of the vectors given."""
    left_out = {"left_out": "n-grams"} if isinstance(given, SubwordVectors) and given.kind.buckets else {}
    return {"words": len(vectors), "vector_size": vectors.vector_size, "target": str(target), **left_out}


def _check_target(target: AnyPath, *sources: AnyPath) -> None:
    check_model_name(target)
    for source in sources:
        if is_same_file(source, target):
            raise BadOption(f"cannot write {target} over what is read from it; give another name to write to")


def _write(target: AnyPath, vectors: WordVectors, source: AnyPath, done: dict[str, Any]) -> None:
    others: dict[str, Any] = {"metadata": {DONE: json.dumps([done])}}
    if recognised(source).name == "firth":
        whole = read_model(source)
        try:
            before = json.loads(whole.metadata.get(DONE, "[]"))
        except json.JSONDecodeError as error:
            raise BadFile(f"{source} has metadata {DONE!r} that are not JSON: {error}; write it anew") from error
        metadata = {**whole.metadata, DONE: json.dumps([*before, done])}
        others = {"options": whole.options, "state": whole.state, "metadata": metadata}
    write_model(target, StoredModel.of_vectors(vectors, **others))
