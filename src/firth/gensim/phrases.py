"""gensim's `Phrases` and `FrozenPhrases`: counted, scored and joined by `firth.phrases`.

gensim keeps the count of every pair, so that more sentences may be added and thresholds changed later; firth's own
`Phrases` keeps the phrases alone, and is the better choice for a large corpus.
"""

from __future__ import annotations

import contextlib
import inspect
import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self, TypeAlias

from firth.corpus import EncodedCorpus
from firth.corpus.iterables import first_of
from firth.errors import BadFile
from firth.gensim.gone import GONE_NAMES, takes_gensim_4_s
from firth.gensim.sentences import corpus_for
from firth.options import CorpusOptions, PhraseOptions
from firth.phrases import ENGLISH_CONNECTOR_WORDS as FIRTH_CONNECTOR_WORDS
from firth.phrases.finding import MB, count_all, count_score, npmi_score, numbers_of, roles_of
from firth.phrases.joining import join
from firth.phrases.kernels import CONNECTOR
from firth.phrases.model import JoinedSentences
from firth.phrases.table import words_of_run
from firth.storage import AnyPath, opened, replaced
from firth.word2vec import encoded

Scorer: TypeAlias = Callable[..., float]
Words: TypeAlias = tuple[str, ...]

ENGLISH_CONNECTOR_WORDS = frozenset(FIRTH_CONNECTOR_WORDS)
NEGATIVE_INFINITY = float("-inf")
SCORER_ARGUMENTS = ("worda_count", "wordb_count", "bigram_count", "len_vocab", "min_count", "corpus_word_count")
FORMAT, VERSION = "firth.gensim phrases", 1


def original_scorer(
    worda_count: float,
    wordb_count: float,
    bigram_count: float,
    len_vocab: float,
    min_count: float,
    corpus_word_count: float,  # noqa: ARG001  (every scorer is told)
) -> float:
    """The score by counts; see `firth.phrases.finding.count_score`."""
    if not worda_count or not wordb_count:
        return NEGATIVE_INFINITY
    return float(count_score(worda_count, wordb_count, bigram_count, min_count, len_vocab))


def npmi_scorer(
    worda_count: float,
    wordb_count: float,
    bigram_count: float,
    len_vocab: float,  # noqa: ARG001
    min_count: float,
    corpus_word_count: float,
) -> float:
    """Normalised pointwise mutual information; see `firth.phrases.finding.npmi_score`."""
    if not worda_count or not wordb_count or bigram_count < max(min_count, 1):
        return NEGATIVE_INFINITY
    return float(npmi_score(worda_count, wordb_count, bigram_count, corpus_word_count))


SCORERS: dict[str, Scorer] = {"default": original_scorer, "npmi": npmi_scorer}


class _Scored(str):
    """A phrase among other tokens, with its score."""

    score: float


class _PhrasesTransformation(ABC):
    """What joins phrases in sentences; those made of it say which words are one."""

    def __init__(self, connector_words: Iterable[str]) -> None:
        self.connector_words = frozenset(connector_words)

    @abstractmethod
    def score_candidate(self, word_a: str, word_b: str, in_between: list[str]) -> tuple[str | None, float | None]:
        """The phrase that two words and the connectors between make, and its score; (None, None) for none."""

    def analyze_sentence(self, sentence: Iterable[str]) -> Iterator[tuple[str, float | None]]:
        """The tokens of a sentence with phrases joined, each phrase with its score, each other token with None."""

        def phrase_of(words: Words) -> _Scored | None:
            phrase, score = self.score_candidate(words[0], words[-1], list(words[1:-1]))
            if phrase is None or score is None:
                return None
            found = _Scored(phrase)
            found.score = score
            return found

        for token in join(sentence, self.connector_words, phrase_of):
            yield (str(token), token.score) if isinstance(token, _Scored) else (token, None)

    def joined(self, tokens: Iterable[str]) -> list[str]:
        """The tokens with phrases joined."""
        return [token for token, _ in self.analyze_sentence(tokens)]

    def __getitem__(self, sentence: Iterable[Any]) -> Any:
        """A sentence with phrases joined; of several sentences, an iterable of such."""
        first, sentences = first_of(sentence)
        if first is None or isinstance(first, str):
            return self.joined(sentences)
        return JoinedSentences(sentences, [self])

    def find_phrases(self, sentences: Iterable[Iterable[str]]) -> dict[str, float]:
        """The phrases that stand in some sentences, and their scores."""
        found = (pair for sentence in sentences for pair in self.analyze_sentence(sentence))
        return {phrase: score for phrase, score in found if score is not None}


class Phrases(_PhrasesTransformation):
    """Finds words that stand together more often than by chance.

    Attributes:
        vocab: how often each word, and each pair joined by `delimiter`, occurs; connectors have no count.
        corpus_word_count: how many tokens were read.
    """

    @takes_gensim_4_s(GONE_NAMES)
    def __init__(
        self,
        sentences: Any = None,
        min_count: float = 5,
        threshold: float = 10.0,
        max_vocab_size: int = 40000000,
        delimiter: str = "_",
        progress_per: int = 10000,
        scoring: str | Scorer = "default",
        connector_words: Iterable[str] = frozenset(),
    ) -> None:
        super().__init__(connector_words)
        if min_count <= 0:
            raise ValueError(f"min_count must be above 0, got {min_count}")
        if scoring == "default" and threshold <= 0:
            raise ValueError(f"threshold must be above 0 with default scoring, got {threshold}; 10 is usual")
        if scoring == "npmi" and not -1 <= threshold <= 1:
            raise ValueError(f"threshold must be between -1 and 1 with npmi scoring, got {threshold}; 0.5 is usual")
        self.min_count, self.threshold, self.max_vocab_size = min_count, threshold, max_vocab_size
        self.delimiter, self.progress_per = delimiter, progress_per
        self.scoring = _scorer(scoring)
        self.corpus_word_count = 0
        self._vocab: dict[str, int] | None = None
        self._counts: Counter[Words] = Counter()  # of words, each alone, and of pairs with the connectors between
        if sentences is not None:
            self.add_vocab(sentences)

    def __str__(self) -> str:
        return (
            f"{type(self).__name__}<{len(self.vocab)} vocab, min_count={self.min_count}, threshold={self.threshold}, "
            f"max_vocab_size={self.max_vocab_size}>"
        )

    @property
    def vocab(self) -> dict[str, int]:
        """How often each word and each joined pair occurs."""
        if self._vocab is None:
            joined: Counter[str] = Counter()
            for words, count in self._counts.items():
                joined[self.delimiter.join(words)] += count
            self._vocab = dict(joined)
        return self._vocab

    def add_vocab(self, sentences: Any) -> None:
        """Count the words and pairs of further sentences. Of more than `max_vocab_size`, the most frequent stay."""
        corpus, tokenizer = corpus_for(sentences, None)
        with encoded(corpus, CorpusOptions(), tokenizer, PhraseOptions().threads, None) as (read, _):
            self._counts.update(counted(read, self.connector_words))
            self.corpus_word_count += read.total_tokens
        if len(self._counts) > self.max_vocab_size:
            self._counts = Counter(dict(self._counts.most_common(self.max_vocab_size)))
        self._vocab = None

    def score_candidate(self, word_a: str, word_b: str, in_between: list[str]) -> tuple[str | None, float | None]:
        """The phrase that two words and the connectors between make, and its score; (None, None) for none."""
        phrase = self.delimiter.join([word_a, *in_between, word_b])
        of_first, of_last, together = (self.vocab.get(each, 0) for each in (word_a, word_b, phrase))
        if not of_first or not of_last or not together:
            return None, None
        score = self.scoring(
            worda_count=of_first,
            wordb_count=of_last,
            bigram_count=together,
            len_vocab=len(self.vocab),
            min_count=self.min_count,
            corpus_word_count=self.corpus_word_count,
        )
        return (phrase, score) if score > self.threshold else (None, None)

    def export_phrases(self) -> dict[str, float]:
        """All phrases and their scores."""
        pairs = (words for words in self._counts if len(words) > 1)
        found = (self.score_candidate(words[0], words[-1], list(words[1:-1])) for words in pairs)
        return {phrase: score for phrase, score in found if phrase is not None and score is not None}

    def freeze(self) -> FrozenPhrases:
        """The phrases alone: smaller and faster."""
        return FrozenPhrases(self)

    def save(self, fname: AnyPath, **kwargs: Any) -> None:  # noqa: ARG002  (how gensim writes its pickles)
        """Write the counts as JSON; nothing is pickled. Raises `ValueError` for a scorer that is a function."""
        _write(
            fname,
            self,
            max_vocab_size=self.max_vocab_size,
            corpus_word_count=self.corpus_word_count,
            counts=[[*words, count] for words, count in self._counts.items()],
        )

    @classmethod
    def load(cls, fname: AnyPath, **kwargs: Any) -> Self:  # noqa: ARG003
        """Read what `save` wrote. Raises `BadFile` for anything else; gensim's own files are pickled."""
        stored = _read(fname, cls.__name__)
        with _damage(fname):
            counts = Counter({tuple(words): count for *words, count in stored.pop("counts")})
            tokens = stored.pop("corpus_word_count")
            made = cls(**stored)
        made._counts, made.corpus_word_count = counts, tokens
        return made


class FrozenPhrases(_PhrasesTransformation):
    """The phrases that a `Phrases` found, and their scores: `phrasegrams`."""

    def __init__(self, phrases_model: Phrases) -> None:
        super().__init__(phrases_model.connector_words)
        self.threshold, self.min_count = phrases_model.threshold, phrases_model.min_count
        self.delimiter, self.scoring = phrases_model.delimiter, phrases_model.scoring
        self.phrasegrams = phrases_model.export_phrases()

    def __str__(self) -> str:
        return (
            f"{type(self).__name__}<{len(self.phrasegrams)} phrases, min_count={self.min_count}, "
            f"threshold={self.threshold}>"
        )

    def score_candidate(self, word_a: str, word_b: str, in_between: list[str]) -> tuple[str | None, float | None]:
        """The phrase that two words and the connectors between make, and its score; (None, None) for none."""
        phrase = self.delimiter.join([word_a, *in_between, word_b])
        score = self.phrasegrams.get(phrase, NEGATIVE_INFINITY)
        return (phrase, score) if score > self.threshold else (None, None)

    def save(self, fname: AnyPath, **kwargs: Any) -> None:  # noqa: ARG002
        """Write the phrases as JSON; nothing is pickled. Raises `ValueError` for a scorer that is a function."""
        _write(fname, self, phrasegrams=self.phrasegrams)

    @classmethod
    def load(cls, fname: AnyPath, **kwargs: Any) -> Self:  # noqa: ARG003
        """Read what `save` wrote. Raises `BadFile` for anything else; gensim's own files are pickled."""
        stored = _read(fname, cls.__name__)
        with _damage(fname):
            phrasegrams = stored.pop("phrasegrams")
            made = cls(Phrases(**stored))
        made.phrasegrams = phrasegrams
        return made


Phraser = FrozenPhrases


def counted(corpus: EncodedCorpus, connectors: Iterable[str]) -> dict[Words, int]:
    """How often each word of a corpus occurs, and each pair of words with the connectors between; no connectors."""
    options = PhraseOptions()
    roles = roles_of(numbers_of(tuple(connectors), corpus.words).tolist(), len(corpus.words))
    pairs = count_all(corpus, roles, least=1, memory=options.max_memory * MB, threads=options.threads)
    words: list[str] = corpus.words.to_pylist()
    between = {
        run: tuple(words[number] for number in words_of_run(pairs.runs, run)) for run in set(pairs.middle.tolist())
    }
    found: dict[Words, int] = {
        (word,): count
        for word, count, role in zip(words, corpus.counts.tolist(), roles.tolist(), strict=True)
        if role != CONNECTOR
    }
    for a, b, run, count in zip(
        *(each.tolist() for each in (pairs.first, pairs.last, pairs.middle, pairs.counts)), strict=True
    ):
        found[words[a], *between[run], words[b]] = count
    return found


def _scorer(scoring: str | Scorer) -> Scorer:
    if isinstance(scoring, str):
        if scoring not in SCORERS:
            raise ValueError(f"scoring must be one of {', '.join(SCORERS)}, or a function, got {scoring!r}")
        return SCORERS[scoring]
    missing = [name for name in SCORER_ARGUMENTS if name not in inspect.signature(scoring).parameters]
    if missing:
        raise ValueError(f"a scoring function must take {', '.join(SCORER_ARGUMENTS)}; this lacks {', '.join(missing)}")
    return scoring


# ---- files -------------------------------------------------------------------------------------------


def _write(fname: AnyPath, model: Phrases | FrozenPhrases, **others: Any) -> None:
    scoring = next((name for name, scorer in SCORERS.items() if scorer is model.scoring), None)
    if scoring is None:
        raise ValueError(
            f"the scoring function {model.scoring!r} cannot be kept in a file: nothing is pickled; keep the phrases "
            "that export_phrases() gives"
        )
    stored = {
        "format": FORMAT,
        "version": VERSION,
        "kind": type(model).__name__,
        "scoring": scoring,
        "min_count": model.min_count,
        "threshold": model.threshold,
        "delimiter": model.delimiter,
        "connector_words": sorted(model.connector_words),
    }
    with replaced(fname) as file:
        file.write(json.dumps(stored | others, ensure_ascii=False).encode())


@contextlib.contextmanager
def _damage(fname: AnyPath) -> Iterator[None]:
    """Turn what a damaged file leads to into `BadFile`."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        raise BadFile(f"{fname} is damaged, or was changed by hand: {error!r}; find the phrases anew") from error


def _read(fname: AnyPath, kind: str) -> dict[str, Any]:
    """The arguments and further values that `_write` wrote."""
    with opened(fname) as file:
        data = file.read()
    try:
        stored = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadFile(f"{fname} is no file of phrases: it is not JSON ({error}); gensim's own are not read") from error
    found = {name: stored.pop(name, None) for name in ("format", "version", "kind")} if type(stored) is dict else {}
    if found != {"format": FORMAT, "version": VERSION, "kind": kind}:
        raise BadFile(
            f"{fname} must hold {FORMAT} of kind {kind}, version {VERSION}, got {found}; give what save wrote"
        )
    return dict(stored)
