"""A smaller file of the same vectors: fewer words, fewer bytes for each, no output matrix; and what that costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firth.errors import BadFile, BadOption, counted
from firth.formats import read_vectors, recognised
from firth.formats.model import StoredModel, read_model, write_model
from firth.storage import AnyPath, check_writable, is_same_file, opened
from firth.vectors import WordVectors
from firth.word2vec import check_model_name

if TYPE_CHECKING:
    from firth.evaluate import Report

BEFORE, AFTER = "before", "after"  # what the two are called in the report


@dataclass(frozen=True)
class Shrunk:
    """What became of a file: bytes and words before and after, how the vectors are stored, and what that costs.

    `n_gram_bytes` of the target are rows of n-grams, which stay float32. `evaluation` judges both, called before and
    after, by the sets that were given; None where none were.
    """

    source: str
    target: str
    source_bytes: int
    target_bytes: int
    source_words: int
    words: int
    vector_size: int
    dtype: str
    source_dtype: str
    n_gram_bytes: int = 0
    evaluation: Report | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        judged = None if self.evaluation is None else self.evaluation.as_dict()
        return asdict(replace(self, evaluation=None)) | {"evaluation": judged}

    def lines(self) -> Iterator[str]:
        """A line or two to read; the scores are in `evaluation`."""
        yield (
            f"wrote {self.words:,} of {counted(self.source_words, 'word')} × {self.vector_size} as {self.dtype} to "
            f"{self.target}: {self.target_bytes / 1e6:,.1f} MB of {self.source_bytes / 1e6:,.1f} MB"
        )
        if self.n_gram_bytes:
            yield f"{self.n_gram_bytes / 1e6:,.1f} MB are n-grams, which stay as they were, for words never seen"
        if self.evaluation is None:
            if (self.words, self.dtype) == (self.source_words, self.source_dtype):
                yield "the vectors are those of before"
            else:
                yield "what that costs in quality, evaluation sets tell: --evaluate SETS"
        elif self.words < self.source_words and self.evaluation.options.as_dict()["unknown"] == "wrong":
            yield "what needs a word that has gone counts as wrong; --unknown skip leaves it out"


def shrink(
    source: AnyPath,
    target: AnyPath,
    *,
    dtype: str | None = None,
    parts: int | None = None,
    most: int | None = None,
    min_count: int | None = None,
    words: AnyPath | None = None,
    evaluate: AnyPath | Sequence[AnyPath] = (),
    **judging: Any,
) -> Shrunk:
    """Write vectors from a file of any format to a firth model without the output matrix, so that only queries remain.

    `dtype` is float32, float16, int8, binary or pq (`parts` + 4 bytes a vector), as it was if not given; `most`,
    `min_count` and `words`, a file of a word per line (what follows a tab or space on it is passed over), say which
    words are kept: see `WordVectors.pruned`. Options and state of a firth model are kept for `inspect` to tell. N-grams
    are kept, all of them as float32, so that words that go have vectors by these, too.

    `evaluate` are sets, or folders of them, by which the vectors are judged before and after; `judging` are options
    of `EvaluationOptions` for that. Where words go, what needs them is `unknown="wrong"` unless you say otherwise, or
    having fewer words would pass for being better. Where the vectors cannot be judged, nothing is written.

    Raises:
        MissingFile, BadFile: the source, the list of words or a set cannot be read.
        MissingExtra: pq without faiss.
        BadOption: the target is the source or goes by another format's name, no word is left, the source knows nothing
            of the sets, options of judging without sets, or what `pruned`, `astype` and `judge` raise.
        CannotWrite: the disk is full, or the place may not be written.
    """
    check_model_name(target)
    check_writable(target)
    if is_same_file(source, target):
        raise BadOption(f"cannot shrink {source} into itself; give another name to write to")
    original = vectors = read_vectors(source)
    if most is not None or min_count is not None or words is not None:
        listed = None if words is None else _words_in(words)
        vectors = vectors.pruned(most=most, min_count=min_count, words=listed)
    vectors = vectors.astype(vectors.dtype if dtype is None else dtype, parts=parts)
    report = _judged(original, vectors, evaluate, judging)
    stored = StoredModel.of_vectors(vectors)
    if recognised(source).name == "firth":
        whole = read_model(source)
        stored = replace(stored, options=whole.options, state=whole.state, metadata=whole.metadata)
    write_model(target, stored)
    return Shrunk(
        source=str(source),
        target=str(target),
        source_bytes=_size(Path(source)),
        target_bytes=Path(target).stat().st_size,
        source_words=len(original),
        words=len(vectors),
        vector_size=vectors.vector_size,
        dtype=vectors.dtype,
        source_dtype=original.dtype,
        n_gram_bytes=0 if stored.grams is None else stored.grams.nbytes,
        evaluation=report,
    )


def _judged(
    before: WordVectors, after: WordVectors, evaluate: AnyPath | Sequence[AnyPath], judging: dict[str, Any]
) -> Report | None:
    """Both judged by the sets, None without sets; `BadOption` where the first knows nothing that is asked."""
    sets = list(evaluate) if isinstance(evaluate, Sequence) and not isinstance(evaluate, str) else [evaluate]
    if not sets:
        if judging:
            raise BadOption(f"{', '.join(judging)} say how to judge, but there is no set to judge by; give evaluate")
        return None
    from firth.evaluate import judge

    if len(after) < len(before):
        judging = {"unknown": "wrong", **judging}
    report = judge({BEFORE: before, AFTER: after}, sets, **judging)
    first = [row[0] for row in report.results]
    if not any(each.known for each in first):
        names = ", ".join(each.name for each in first)
        raise BadOption(
            f"the model knows nothing that is asked by {names}, so no loss can be told; check how words are cased, or "
            "take sets in its language"
        )
    return report


def _size(path: Path) -> int:
    """The bytes of a file, or of those in a folder."""
    files = path.iterdir() if path.is_dir() else [path]
    return sum(each.stat().st_size for each in files)


def _words_in(path: AnyPath) -> list[str]:
    with opened(path) as file:
        try:
            lines = file.read().decode("utf-8-sig").splitlines()
        except UnicodeDecodeError as error:
            raise BadFile(f"{path} is no list of words: it is not UTF-8 text ({error}); convert it") from error
    return [line.split()[0] for line in lines if line.strip()]
