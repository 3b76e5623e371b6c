"""How good vectors are, and whether better than others.

    judge(vectors, ["wordsim353.tsv", "questions-words.txt"])          # one model
    judge({"old": old, "new": new}, "sets/")                           # several, compared with the first

Sets are known by their lines: pairs with scores (`similarity.py`), analogies, words with classes (`categories.py`),
odd ones out (`outliers.py`), lists for WEAT (`association.py`). Each file reads its sets and judges by them; `sets.py`
tells them apart, `report.py` puts results side by side.

Items of sessions are judged by what came next in them (`next_items.py`), beside baselines (`recommending.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from firth.evaluate.agreement import StabilityResult, stability
from firth.evaluate.analogies import AnalogyResult, AnalogySet
from firth.evaluate.association import AssociationResult, AssociationSet, weat
from firth.evaluate.categories import CategoryResult, CategorySet
from firth.evaluate.comparing import Difference
from firth.evaluate.holding_out import HeldOut, hold_out_sessions, leave_last_out
from firth.evaluate.known import KnownWords
from firth.evaluate.next_items import NextItemResult, evaluate_next_items
from firth.evaluate.outliers import OutlierResult, OutlierSet
from firth.evaluate.published import published_set
from firth.evaluate.report import Report, judge
from firth.evaluate.results import Measure, Result
from firth.evaluate.similarity import SimilarityResult, SimilaritySet
from firth.options import EvaluationOptions

if TYPE_CHECKING:
    from firth.storage import AnyPath
    from firth.vectors import WordVectors

__all__ = [
    "AnalogyResult",
    "AnalogySet",
    "AssociationResult",
    "AssociationSet",
    "CategoryResult",
    "CategorySet",
    "Difference",
    "HeldOut",
    "Measure",
    "NextItemResult",
    "OutlierResult",
    "OutlierSet",
    "Report",
    "Result",
    "SimilarityResult",
    "SimilaritySet",
    "StabilityResult",
    "evaluate_analogies",
    "evaluate_categories",
    "evaluate_next_items",
    "evaluate_outliers",
    "evaluate_similarity",
    "hold_out_sessions",
    "judge",
    "leave_last_out",
    "published_set",
    "stability",
    "weat",
]


def evaluate_similarity(vectors: WordVectors, path: AnyPath, **options: Any) -> SimilarityResult:
    """Spearman's and Pearson's correlation of cosines with the scores in a file, with their intervals.

    A pair with a word never seen is unknown, also where the word's n-grams would give it a vector. `options` are
    those of `EvaluationOptions`.

    Raises:
        MissingFile: nothing is there, or it may not be read.
        BadFile: a line is no pair with a score, or not of the encoding; or there is none.
        BadOption: an option is out of range.
    """
    chosen = EvaluationOptions(**options)
    return SimilaritySet.read(path, chosen.encoding).judge(KnownWords(vectors, chosen))


def evaluate_analogies(vectors: WordVectors, path: AnyPath, **options: Any) -> AnalogyResult:
    """The share of analogies that 3CosAdd answers right, the words of a question left out, by sections and in total.

    The set is a file of fours (Google's, MSR's), or a folder of files of pairs (BATS). `options` are those of
    `EvaluationOptions`: with `restrict`, only so many of the first, most frequent words are known, as in word2vec.c's
    `compute-accuracy`.

    Raises:
        MissingFile: nothing is there, or it may not be read.
        BadFile: a line is neither a section nor a question, or not of the encoding; or there is none.
        BadOption: an option is out of range.
    """
    chosen = EvaluationOptions(**options)
    return AnalogySet.read(path, chosen.encoding).judge(KnownWords(vectors, chosen))


def evaluate_categories(vectors: WordVectors, path: AnyPath, **options: Any) -> CategoryResult:
    """The purity of clusters of the words in a file of words and classes.

    Raises what `evaluate_similarity` does.
    """
    chosen = EvaluationOptions(**options)
    return CategorySet.read(path, chosen.encoding).judge(KnownWords(vectors, chosen))


def evaluate_outliers(vectors: WordVectors, path: AnyPath, **options: Any) -> OutlierResult:
    """How often the odd one out is found, in a file of lines with the outlier marked or a folder of topics.

    Raises what `evaluate_similarity` does.
    """
    chosen = EvaluationOptions(**options)
    return OutlierSet.read(path, chosen.encoding).judge(KnownWords(vectors, chosen))
