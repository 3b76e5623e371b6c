"""`Phrases`: options in, `fit` on a corpus, then words that belong together are joined in any other."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, Self, overload

from firth.corpus import EncodedCorpus, encoded_corpus
from firth.corpus.blocks import is_token_list, shown
from firth.corpus.iterables import first_of
from firth.corpus.sources import CorpusLike
from firth.corpus.tokenizers import TokenizerLike
from firth.errors import BadCorpus, BadOption, NotTrained, counted
from firth.options import CorpusOptions, PhraseOptions, takes_options
from firth.phrases.file import read_phrases, write_phrases
from firth.phrases.finding import Phrase, find_phrases, ranked
from firth.phrases.joining import PhraseTable, joined_corpus
from firth.storage import AnyPath

# Articles, prepositions and conjunctions that stand within English names and terms, and seldom begin or end them.
ENGLISH_CONNECTOR_WORDS = (
    "a", "an", "and", "at", "by", "for", "from", "in", "into", "of", "on", "or", "over", "the", "to", "under", "upon",
    "with", "without",
)  # fmt: skip


class Phrases:
    """Words that often stand together, to be joined into single tokens: "new york" becomes "new_york".

    The arguments, all by keyword, are those of `PhraseOptions`, which tells what each means.

        phrases = Phrases(min_count=5, threshold=10).fit("corpus.txt")
        phrases[["in", "new", "york"]]                  # ['in', 'new_york']
        Word2Vec().fit(phrases.transform("corpus.txt"))

    Scores and joining are those of gensim's `Phrases` (Mikolov et al. 2013, section 4): a sentence is read from left
    to right, and the first phrase that is met takes its words.

    Attributes:
        options: the `PhraseOptions`.
        phrases: what was found: `Phrase` tuples (phrase, score, count, words), highest score first; after `fit`.
    """

    @takes_options(PhraseOptions)
    def __init__(self, **options: Any) -> None:
        self.options = PhraseOptions.from_dict(options)
        self._passes: list[list[Phrase]] | None = None
        self._tables: list[PhraseTable] = []

    def fit(
        self, corpus: CorpusLike | EncodedCorpus, *, tokenizer: TokenizerLike | None = None, **reading: Any
    ) -> Self:
        """Find the phrases of a corpus, and give this object back; what was found before is forgotten.

        Args:
            corpus: what `Word2Vec.fit` takes: a path, a pattern, sentences, an `EncodedCorpus`.
            tokenizer: "whitespace" (default), "letters", "words", a callable, or a Hugging Face tokenizer.
            reading: further options of `CorpusOptions`: encoding_errors, column, cache.

        Raises:
            MissingFile, CannotRead, BadCorpus, CannotWrite: the corpus cannot be read, or encoded.
            BadOption: an option out of range or unknown.
        """
        passes: list[list[Phrase]] = []
        current = self._encoded(corpus, tokenizer, reading)
        try:
            for number in range(self.options.passes):
                passes.append(find_phrases(current, self.options))
                if not passes[-1] or number + 1 == self.options.passes:
                    break
                joined = joined_corpus(current, passes[-1], self.options.connector_words)
                if current is not corpus:
                    current.close()
                current = joined
        finally:
            if current is not corpus:
                current.close()
        self._set(passes)
        return self

    @overload
    def transform(
        self, corpus: AnyPath | EncodedCorpus | Sequence[Path], *, tokenizer: TokenizerLike | None = ..., **reading: Any
    ) -> EncodedCorpus: ...

    @overload
    def transform(self, corpus: Iterable[Any]) -> list[str] | JoinedSentences: ...

    def transform(
        self, corpus: Any, *, tokenizer: TokenizerLike | None = None, **reading: Any
    ) -> EncodedCorpus | list[str] | JoinedSentences:
        """The same with phrases joined.

        - A path, a list of `pathlib.Path`, or an `EncodedCorpus` becomes an `EncodedCorpus` to train on, quickly.
          Its files go when it is closed or no longer used; `tokenizer` and `reading` are those of `fit`.
        - A list of tokens, the first of which is a string, becomes a list of tokens; none may hold white space.
        - Any other iterable, of lists of tokens, becomes an iterable of lists, made as they are asked for. It may be
          gone through as often as what was given.

        Sentences that are strings must be cut first, as by `encoded_corpus`. Raises what `fit` does, `NotTrained`
        before it, and `BadCorpus` for a sentence that is no list of tokens, when it is reached.
        """
        passes = self._found()
        if isinstance(corpus, (str, os.PathLike, EncodedCorpus)) or _are_paths(corpus):
            return self._transformed(self._encoded(corpus, tokenizer, reading), corpus, passes)
        if tokenizer is not None or reading:
            raise BadOption(
                "lists of tokens are cut already: leave out the tokenizer and the options of reading, or give "
                "encoded_corpus(sentences, tokenizer=...)"
            )
        if not is_token_list(corpus):
            raise BadOption(
                f"phrases are joined in files, lists of tokens or an encoded corpus, got {shown(corpus)}; give a path "
                "or a list of strings"
            )
        first, sentences = first_of(corpus)
        if first is None or isinstance(first, str):
            return _joined(_without_white_space(sentences), self._tables, 0)
        return JoinedSentences(sentences, self._tables)

    def __getitem__(self, tokens: Iterable[Any]) -> Any:
        """As `transform`, for a list of tokens or an iterable of such lists."""
        return self.transform(tokens)

    @property
    def phrases(self) -> list[Phrase]:
        """What was found in all passes, highest score first."""
        return ranked(itertools.chain(*self._found()))

    def __len__(self) -> int:
        return sum(map(len, self._found()))

    def __iter__(self) -> Iterator[Phrase]:
        return iter(self.phrases)

    def __repr__(self) -> str:
        found = "not fitted" if self._passes is None else counted(len(self), "phrase")
        return f"<Phrases: {found}>"

    def save(self, path: AnyPath) -> None:
        """Write the phrases and the options to a JSON file, which takes the place of one there only when it is whole.

        Raises `CannotWrite`, and `NotTrained` before `fit`.
        """
        write_phrases(path, self.options, self._found())

    @classmethod
    def load(cls, path: AnyPath) -> Self:
        """Read what `save` wrote. Raises `MissingFile`, or `BadFile` for what is no file of phrases."""
        options, passes = read_phrases(path)
        made = cls(**options.as_dict())
        made._set(passes)
        return made

    def _set(self, passes: list[list[Phrase]]) -> None:
        self._passes = passes
        self._tables = [PhraseTable(phrases, self.options.connector_words) for phrases in passes]

    def _found(self) -> list[list[Phrase]]:
        if self._passes is None:
            raise NotTrained("no phrases have been looked for; call fit(corpus) first, or Phrases.load(path)")
        return self._passes

    def _encoded(
        self, corpus: CorpusLike | EncodedCorpus, tokenizer: TokenizerLike | None, reading: dict[str, Any]
    ) -> EncodedCorpus:
        if isinstance(tokenizer, str):
            reading, tokenizer = reading | {"tokenizer": tokenizer}, None
        options = CorpusOptions.from_dict(reading)
        return encoded_corpus(corpus, options, tokenizer=tokenizer, threads=self.options.threads)

    def _transformed(self, read: EncodedCorpus, given: Any, passes: list[list[Phrase]]) -> EncodedCorpus:
        """An encoded corpus with the phrases of all passes joined; what is made on the way is removed."""
        current = read
        for phrases in passes or [[]]:
            joined = joined_corpus(current, phrases, self.options.connector_words)
            if current is not given:
                current.close()
            current = joined
        return current


class Joins(Protocol):
    """What joins the phrases in a list of tokens, such as a `PhraseTable`."""

    def joined(self, tokens: Iterable[str]) -> list[str]:
        """The tokens with phrases joined."""


class JoinedSentences:
    """Sentences with phrases joined, made as they are asked for."""

    def __init__(self, sentences: Iterable[Any], tables: Sequence[Joins]) -> None:
        self._sentences, self._tables = sentences, tables

    def __iter__(self) -> Iterator[list[str]]:
        for number, sentence in enumerate(self._sentences):
            yield _joined(sentence, self._tables, number)


def _joined(sentence: Any, tables: Sequence[Joins], number: int) -> list[str]:
    if not is_token_list(sentence):
        raise BadCorpus(
            f"sentence {number:,} is {shown(sentence)} where a list of tokens was meant; split it into tokens, or give "
            "encoded_corpus(sentences)"
        )
    tokens = list(sentence)
    for token in tokens:
        if not isinstance(token, str):
            raise BadCorpus(
                f"tokens must be strings, but sentence {number:,} holds {shown(token)}; convert it with str"
            )
    for table in tables:
        tokens = table.joined(tokens)
    return tokens


def _without_white_space(tokens: Iterable[Any]) -> list[Any]:
    """The tokens; `BadCorpus` where one looks like a sentence, and so the list like a list of sentences."""
    listed = list(tokens)
    for token in listed:
        if isinstance(token, str) and re.search(r"\s", token):
            raise BadCorpus(
                f"a list of strings is read as one sentence's tokens, which hold no white space, got {shown(token)}; "
                "split sentences into lists of tokens, or give encoded_corpus(sentences)"
            )
    return listed


def _are_paths(corpus: Any) -> bool:
    return isinstance(corpus, Sequence) and bool(corpus) and all(isinstance(each, os.PathLike) for each in corpus)
