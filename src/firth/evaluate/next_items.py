"""Next items: is what came next in a session among the first that a model would recommend?

Every prediction ranks all items, not a sample of them, whose measures can order models otherwise (Krichene & Rendle
2020). With one right item at the rank r:

    hit rate@k = [r ≤ k],    MRR@k = [r ≤ k] / r,    NDCG@k = [r ≤ k] / log2(1 + r)

all being means over predictions. An item that the model does not know cannot be recommended: where it was the right
one, that is a miss. Where none of the items before it is known, there is nothing to predict from, and the prediction is
left out; how many are is told. Equal scores rank in the order of the vocabulary, the more frequent first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from firth.blas import threads_at_most
from firth.corpus import EncodedCorpus
from firth.corpus.sources import CorpusLike
from firth.corpus.tokenizers import TokenizerLike
from firth.errors import BadOption, Diverged, counted
from firth.evaluate.comparing import Difference, differences
from firth.evaluate.parts import Parts
from firth.evaluate.recommending import CoOccurrence, Popularity, Recommender, recommender_for
from firth.evaluate.report import ModelFacts, Report
from firth.evaluate.resampling import Numbers
from firth.evaluate.results import Measure, Result, mean_measure
from firth.evaluate.sessions import UNKNOWN, Asked, Rows, Sessions
from firth.options import CorpusOptions, NextItemOptions
from firth.vectors import WordVectors
from firth.word2vec import Word2Vec

if TYPE_CHECKING:
    from scipy.sparse import csr_array

SCORES_AT_ONCE = 1 << 22  # of some sessions with all items: 32 MB in float64
POPULARITY, CO_OCCURRENCE = "popularity", "co-occurrence"
NO_SESSIONS = "sessions"  # what held-out sessions that have no file are called


@dataclass(frozen=True, kw_only=True)
class NextItemResult(Result):
    """How often what came next was among the first k, and how far up.

    `ranks` has the rank of the right item in each prediction: infinite where it cannot be recommended, NaN where
    nothing was known to predict from.
    """

    kind: ClassVar[str] = "sessions"
    unit: ClassVar[str] = "predictions"

    k: int
    ranks: Numbers = field(repr=False, compare=False)

    @property
    def hit_rate(self) -> float | None:
        """The share of right items among the first k, None where it cannot be told."""
        return self.measure(f"hit rate@{self.k}").value

    @property
    def mrr(self) -> float | None:
        """The mean of 1 / rank of those among the first k, and 0 for others."""
        return self.measure(f"MRR@{self.k}").value

    @property
    def ndcg(self) -> float | None:
        """The mean of 1 / log2(1 + rank) of those among the first k, and 0 for others."""
        return self.measure(f"NDCG@{self.k}").value


def evaluate_next_items(
    models: Word2Vec | WordVectors | Mapping[str, Word2Vec | WordVectors],
    sessions: CorpusLike | EncodedCorpus,
    *,
    trained_on: CorpusLike | EncodedCorpus | None = None,
    tokenizer: TokenizerLike | None = None,
    name: str = NO_SESSIONS,
    **options: Any,
) -> Report:
    """How well models predict the next items of sessions that were held out, beside two baselines.

    Items that a model never saw say nothing to it, also where their n-grams would give them a vector.

    Args:
        models: a model, or several by name; the others, and the baselines, are compared with the first.
        sessions: those held out, in any form that `fit` reads; what is to be predicted must not have been trained on
            (see `leave_last_out`).
        trained_on: the sessions that models were trained on, for the baselines "popularity" (the most frequent items,
            whatever the session) and "co-occurrence" (item-to-item neighbours); without them, there are none.
        tokenizer: what `fit` was given.
        name: what the sessions are called in the report.
        options: those of `NextItemOptions`, and of `CorpusOptions` for reading.

    Raises:
        MissingFile, BadCorpus: sessions cannot be read, hold no item, or none of them has two.
        BadOption: an option is out of range, k is not less than the number of items, or `scores` is "predict" and a
            model has no output matrix.
        Diverged: a model's scores are not finite.
    """
    reading = {each.name: options.pop(each.name) for each in fields(CorpusOptions) if each.name in options}
    chosen, how = NextItemOptions.from_dict(options), CorpusOptions.from_dict(reading)
    named = dict(models) if isinstance(models, Mapping) else {"model": models}
    if not named:
        raise BadOption("there must be a model to judge, got none")
    recommenders = {each: recommender_for(model, chosen.scores) for each, model in named.items()}
    if trained_on is not None:
        if taken := sorted({POPULARITY, CO_OCCURRENCE} & named.keys()):
            raise BadOption(f"{taken[0]!r} is the name of a baseline; call the model otherwise")
        recommenders |= _baselines(Sessions.read(trained_on, how, tokenizer=tokenizer, threads=chosen.cores), chosen)
    held_out = Sessions.read(sessions, how, tokenizer=tokenizer, threads=chosen.cores)
    asked = Asked.of(held_out, chosen.positions)
    with threads_at_most(chosen.cores):
        results = [judged(each, held_out, asked, chosen, name) for each in recommenders.values()]
    return Report(
        models=tuple(
            ModelFacts(name=each, words=len(found.items), vector_size=found.vector_size)
            for each, found in recommenders.items()
        ),
        options=chosen,
        results=(tuple(results),),
        differences=tuple(_compared(list(recommenders), results, chosen)),
    )


def _baselines(sessions: Sessions, options: NextItemOptions) -> dict[str, Recommender]:
    return {POPULARITY: Popularity.of(sessions), CO_OCCURRENCE: CoOccurrence.of(sessions, options.together)}


def _compared(names: list[str], results: list[NextItemResult], options: NextItemOptions) -> Iterator[Difference]:
    for name, result in zip(names[1:], results[1:], strict=True):
        yield from differences((names[0], name), (results[0], result), options)


# ---- one model ---------------------------------------------------------------------------------


def judged(
    recommender: Recommender, sessions: Sessions, asked: Asked, options: NextItemOptions, name: str = NO_SESSIONS
) -> NextItemResult:
    """How well one model or baseline predicts what is asked."""
    V, k = len(recommender.items), options.k
    if k >= V:
        raise BadOption(f"k must be less than the number of items, of which there are {V:,}, got {k}; lower k")
    known = _Known(recommender, sessions, asked)
    ranks = np.full(len(asked), np.inf)
    ranks[~known.told] = np.nan
    returning = np.zeros(len(asked), np.bool_)
    for some in known.batches(V):
        ranks[some], returning[some] = _ranks(recommender, known, some, options)
    hits = np.where(np.isnan(ranks), np.nan, ranks <= k)
    with np.errstate(invalid="ignore"):
        outcomes = {
            f"hit rate@{k}": hits,
            f"MRR@{k}": np.where(hits == 1, 1 / ranks, hits),
            f"NDCG@{k}": np.where(hits == 1, 1 / np.log2(1 + ranks), hits),
        }
    reason = known.why_nothing(V)
    parts = None
    if options.positions == "all":  # those of one session stand or fall together
        several, session = np.unique(asked.session, return_inverse=True)
        parts = Parts(session, None, np.zeros(len(several), np.int64))
    return NextItemResult(
        name=name,
        items=len(asked),
        known=int(known.told.sum()),
        k=k,
        ranks=ranks,
        measures=tuple(
            Measure(name=each, value=None, share=True, reason=reason)
            if reason
            else mean_measure(each, values, options, reason, parts)
            for each, values in outcomes.items()
        ),
        remarks=tuple(_remarks(known, sessions, asked, returning, V)),
        outcomes=outcomes,
        parts=parts,
    )


class _Known:
    """What one model knows of what is asked: (n,) each, but for `items`."""

    def __init__(self, recommender: Recommender, sessions: Sessions, asked: Asked) -> None:
        numbers = sessions.numbered_by(recommender.items)
        before = np.concatenate([np.zeros(1, np.int64), np.cumsum(numbers != UNKNOWN)])
        self.items = numbers[numbers != UNKNOWN]  # those of all sessions in a row
        self.begins, self.ends = before[asked.begins], before[asked.places]  # of those before each prediction
        self.targets = numbers[asked.places]
        self.told = self.ends > self.begins
        self.scored = self.told & (self.targets != UNKNOWN)

    def batches(self, V: int) -> Iterator[Rows]:
        """Which predictions are to be scored, some at a time."""
        places = np.flatnonzero(self.scored)
        at_once = max(1, SCORES_AT_ONCE // V)
        for first in range(0, len(places), at_once):
            yield places[first : first + at_once]

    def held(self, some: Rows, history: int | None) -> tuple[Rows, Rows]:
        """The known items before some predictions, the last `history` or all: where each one's begin, and items."""
        ends = self.ends[some]
        begins = self.begins[some] if history is None else np.maximum(self.begins[some], ends - history)
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(ends - begins)])
        places = np.arange(offsets[-1]) + np.repeat(begins - offsets[:-1], ends - begins)
        return offsets, self.items[places]

    def why_nothing(self, V: int) -> str:
        """Why there is no score; empty where there is one."""
        n, told = len(self.told), int(self.told.sum())
        if not told:
            return f"of {counted(n, 'prediction')}, none has a known item before it; check that items are written alike"
        if not self.scored.any():
            return (
                f"none of the {told:,} items to predict is among the {V:,} that are known; check how they are written"
            )
        return ""


def _ranks(
    recommender: Recommender, known: _Known, some: Rows, options: NextItemOptions
) -> tuple[Numbers, NDArray[np.bool_]]:
    """The rank of the right item in some predictions, and whether the session held it before: (B,) each."""
    from scipy.sparse import csr_array

    B, V = len(some), len(recommender.items)
    offsets, items = known.held(some, None if options.history == "all" else options.history)
    sessions: csr_array = csr_array((np.ones(len(items), np.float32), items, offsets), shape=(B, V))
    scores, targets, rows = recommender.scores(sessions), known.targets[some], np.arange(B)
    if not np.isfinite(scores).all():
        raise Diverged("a model's scores of items are not all finite numbers; train it again at a lower rate")
    right = scores[rows, targets][:, None]
    returning = np.zeros(B, np.bool_)
    if options.exclude_seen:
        offsets, items = known.held(some, None)
        owners = np.repeat(rows, np.diff(offsets))
        scores[owners, items] = -np.inf
        returning = np.isneginf(scores[rows, targets])
    better = (scores > right) | ((scores == right) & (np.arange(V) < targets[:, None]))
    return np.where(returning, np.inf, 1.0 + better.sum(axis=1)), returning


def _remarks(known: _Known, sessions: Sessions, asked: Asked, returning: NDArray[np.bool_], V: int) -> Iterator[str]:
    n, told = len(asked), known.told
    if not told.all():
        yield f"{n - int(told.sum()):,} of {counted(n, 'prediction')} are left out, as no item before them is known"
    unknown = int((told & ~known.scored).sum())
    if unknown:
        yield f"{unknown:,} of {int(told.sum()):,} right items are not among the {V:,} known, which counts as a miss"
    if returning.any():
        yield (
            f"{int(returning.sum()):,} right items stood in their session before, which counts as a miss; with "
            "exclude_seen off, items may return"
        )
    alone = int((np.diff(sessions.offsets) < 2).sum())
    if alone:
        yield f"{alone:,} of {counted(len(sessions), 'session')} have no second item, and nothing to predict"
