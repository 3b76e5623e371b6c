"""Models judged by sets, side by side: what `firth evaluate` tells, writes as JSON and as Markdown."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from firth import __version__
from firth.errors import BadOption
from firth.evaluate.agreement import StabilityResult, common_words, stability
from firth.evaluate.categories import CategorySet
from firth.evaluate.comparing import Difference, differences
from firth.evaluate.known import KnownWords
from firth.evaluate.results import Result
from firth.evaluate.sets import EvaluationSet, read_sets
from firth.evaluate.tables import Table, as_markdown, listed, notes, set_table, summary_table
from firth.options import EvaluationOptions, JudgingOptions
from firth.storage import AnyPath, replaced
from firth.vectors import word_vectors

if TYPE_CHECKING:
    from firth.vectors import WordVectors

SCHEMA = "firth-evaluation-1"  # of the JSON; a later number where a name in it changes its meaning


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """What is told of a model that was judged."""

    name: str
    words: int
    vector_size: int | None  # None for what has no vectors


@dataclass(frozen=True, kw_only=True)
class Report:
    """How models did on sets.

    `results` has a row for each set and in it a result for each model; `differences` are those of each further model
    from the first; `skipped` are files that are no sets.
    """

    models: tuple[ModelFacts, ...]
    options: JudgingOptions
    results: tuple[tuple[Result, ...], ...]
    differences: tuple[Difference, ...] = ()
    stability: StabilityResult | None = None
    skipped: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """What the models are called."""
        return [each.name for each in self.models]

    def result(self, set_name: str, model: str | None = None) -> Result:
        """The result of a model, the first if not given, on the set of this name; `BadOption` where there is none."""
        sets = {each[0].name: dict(zip(self.names, each, strict=True)) for each in self.results}
        name = self.names[0] if model is None else model
        if set_name not in sets or name not in self.names:
            raise BadOption(
                f"there is no result of {name!r} on {set_name!r}; the models are {', '.join(self.names)}, the sets "
                f"{', '.join(sets)}"
            )
        return sets[set_name][name]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON; docs/howto/judging.md describes them."""
        return {
            "schema": SCHEMA,
            "firth": __version__,
            "models": [asdict(each) for each in self.models],
            "options": self.options.as_dict(),
            "sets": [self._set(each) for each in self.results],
            "stability": None if self.stability is None else self.stability.as_dict(),
            "skipped": list(self.skipped),
        }

    def _set(self, results: Sequence[Result]) -> dict[str, Any]:
        first = results[0]
        return {
            "name": first.name,
            "kind": first.kind,
            "results": [{"model": name} | each.as_dict() for name, each in zip(self.names, results, strict=True)],
            "differences": [each.as_dict() for each in self.differences if each.set == first.name],
        }

    def to_json(self) -> str:
        """`as_dict` as JSON."""
        return json.dumps(self.as_dict(), ensure_ascii=False, indent=1, allow_nan=False) + "\n"

    def tables(self) -> Iterator[Table]:
        """A table of all sets, and one for each that has sections."""
        if self.results:
            yield summary_table(self.results, self.names, self.differences)
        yield from (set_table(each, self.names, self.differences) for each in self.results if each[0].sections)

    def notes(self) -> Iterator[str]:
        """Sentences below the tables: why a score is missing, what was left out, how things were counted."""
        yield from notes(self.results, self.names, self.differences)
        if self.stability is not None:
            yield f"Stability: {self.stability}."
        if self.skipped:
            yield f"Not sets: {listed(self.skipped)}."
        yield from _policy(self.options)

    def to_markdown(self) -> str:
        """The report as a page of Markdown."""
        models = Table(
            "Models",
            ("model", "words", "numbers in a vector"),
            tuple((each.name, f"{each.words:,}", str(each.vector_size or "")) for each in self.models),
        )
        parts = ["# How good the vectors are"]
        for table in (models, *self.tables()):
            parts += [f"## {table.title}", as_markdown(table)]
        parts += ["## Notes", "\n".join(f"- {each}" for each in self.notes())]
        return "\n\n".join(parts) + "\n"

    def save(self, *, json: AnyPath | None = None, markdown: AnyPath | None = None) -> None:
        """Write the report to files, whole or not at all; raises `CannotWrite`."""
        for path, text in ((json, self.to_json), (markdown, self.to_markdown)):
            if path is not None:
                with replaced(path) as file:
                    file.write(text().encode("utf-8", "surrogatepass"))

    def __str__(self) -> str:
        return "\n".join(f"{name}: {each}" for row in self.results for name, each in zip(self.names, row, strict=True))


def judge(models: WordVectors | Mapping[str, WordVectors], sets: AnyPath | Iterable[AnyPath], **options: Any) -> Report:
    """Judge vectors, or several by name, by sets: files, or folders of them; the others are compared with the first.

    `options` are those of `EvaluationOptions`.

    Raises:
        MissingFile: a path is not there.
        BadFile: a file given by its own name is no set, a folder holds none, or a line of a set is malformed.
        BadOption: an option is out of range, there is no model or no set, or models have no word in common.
    """
    chosen = EvaluationOptions(**options)
    given = models if isinstance(models, Mapping) else {"model": models}
    named = {name: word_vectors(each) for name, each in given.items()}
    if not named:
        raise BadOption("there must be a model to judge, got none")
    paths = [sets] if isinstance(sets, (str, os.PathLike)) else list(sets)
    if not paths and chosen.neighbours is None:
        raise BadOption("there must be a set to judge by, got none; give the file of one, or a folder of them")
    found, skipped = read_sets(paths, chosen)
    facts = tuple(ModelFacts(name=name, words=len(each), vector_size=each.vector_size) for name, each in named.items())
    if len(named) > 1:
        common = common_words(named)
        if chosen.common:
            named = {name: each.selected(common) for name, each in named.items()}
    known = {name: KnownWords(each, chosen) for name, each in named.items()}
    results = [tuple(each.judge(words) for words in known.values()) for each in found]
    return Report(
        models=facts,
        options=chosen,
        results=tuple(results),
        differences=tuple(
            each for one, row in zip(found, results, strict=True) for each in _compared(one, row, known, chosen)
        ),
        stability=_stability(named, chosen),
        skipped=tuple(skipped),
    )


def _compared(
    one: EvaluationSet, results: Sequence[Result], known: Mapping[str, KnownWords], options: EvaluationOptions
) -> Iterator[Difference]:
    """The differences of every further model from the first."""
    names = list(known)
    for place in range(1, len(names)):
        pair: tuple[Result, Result] = (results[0], results[place])
        if isinstance(one, CategorySet):  # clusters hang on which words there are
            pair = one.judge_shared(known[names[0]], known[names[place]])
        yield from differences((names[0], names[place]), pair, options)


def _stability(models: Mapping[str, WordVectors], options: EvaluationOptions) -> StabilityResult | None:
    if options.neighbours is None:
        return None
    return stability(
        models, options.neighbours, resamples=options.resamples, seed=options.seed, threads=options.threads
    )


def _policy(options: JudgingOptions) -> Iterator[str]:
    usual = type(options)()
    if options.resamples:
        yield (
            f"In brackets: 95 % intervals by the bootstrap, {options.resamples:,} resamples, seed {options.seed}; "
            "those of differences are paired, on what both models know."
        )
    changed = [name for name in options.counting if getattr(options, name) != getattr(usual, name)]
    if changed:
        yield "Other than usual: " + ", ".join(f"{name} {getattr(options, name)}" for name in changed) + "."
