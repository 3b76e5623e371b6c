"""Joining phrases: in an encoded corpus, by numbers; in lists of tokens, by words; and a corpus as text again."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import IO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from firth.arrow import string_buffers
from firth.cache import cache_folder
from firth.corpus.encoded import CORPUS_FILE, WORDS_FILE, EncodedCorpus
from firth.corpus.encoding import write_words
from firth.corpus.ranking import put_ranks, ranked_by_counts
from firth.corpus.store import new_folder
from firth.corpus.writer import CorpusWriter, writing
from firth.errors import BadCorpus
from firth.phrases.finding import STRETCH, Phrase, numbers_of, roles_of
from firth.phrases.kernels import (
    AT,
    EIGHT,
    PLACE_SIZE,
    SENTENCE,
    START,
    TAIL,
    join_pairs,
    spell,
    spelled_size,
    tally,
)
from firth.phrases.table import empty_runs, empty_table, mark_all, put_all, run_with, slots_for

Ints = npt.NDArray[np.int64]
Ids = npt.NDArray[np.int32]
MARKS_TO_A_SLOT = 8  # bits; so of 16 pairs that are no phrase, one at most is looked up in vain
WHITE_SPACE = r"[\s\x{85}\p{Z}]"


# ---- in an encoded corpus ----------------------------------------------------------------------


def joined_corpus(corpus: EncodedCorpus, phrases: Sequence[Phrase], connectors: tuple[str, ...]) -> EncodedCorpus:
    """The corpus with phrases joined, as a temporary one, in which all words are counted and ranked anew.

    It is gone through twice, to count and to write. Raises `CannotWrite` for a full disk.
    """
    joiner = _Joiner(corpus, phrases, connectors)
    counts = np.zeros(len(joiner.words), np.int64)
    for ids, _, _ in joiner.stretches():
        tally(ids, counts)
    words, counts, ranks = ranked_by_counts(joiner.words, counts)
    folder = new_folder(cache_folder() / "corpora", warn=False)
    try:
        with CorpusWriter(folder / CORPUS_FILE) as writer:
            for ids, lengths, goes_on in joiner.stretches():
                put_ranks(ids, ranks)
                writer.add(0, ids, lengths, goes_on)
        with writing(folder):
            write_words(folder / WORDS_FILE, words, counts, writer.sentences)
        return EncodedCorpus(folder, temporary=True)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


class _Joiner:
    """Goes through a corpus with its phrases joined; `words` are its words, and the phrases that are none of these."""

    def __init__(self, corpus: EncodedCorpus, phrases: Sequence[Phrase], connectors: tuple[str, ...]) -> None:
        self.corpus = corpus
        asked = list({word for phrase in phrases for word in (phrase.phrase, *phrase.words)}.union(connectors))
        number = dict(zip(asked, numbers_of(asked, corpus.words).tolist(), strict=True))
        self.roles = roles_of([number[word] for word in connectors], len(corpus.words))
        known = [phrase for phrase in phrases if min(map(number.__getitem__, phrase.words)) >= 0]
        new = [text for text in dict.fromkeys(phrase.phrase for phrase in known) if number[text] < 0]
        self.words = pa.concat_arrays([corpus.words, pa.array(new, pa.large_string())])
        targets = number | {text: len(corpus.words) + place for place, text in enumerate(new)}
        self._index(
            [tuple(map(number.__getitem__, phrase.words)) for phrase in known],
            [targets[phrase.phrase] for phrase in known],
        )

    def _index(self, phrases: list[tuple[int, ...]], targets: list[int]) -> None:
        """Make the tables that phrases, given as numbers of words, are found in."""
        self.longest = max(map(len, phrases), default=2)  # fewer words wait from one stretch to the next
        self.runs = empty_runs(sum(len(words) - 2 for words in phrases))
        first, last = (np.array([words[end] for words in phrases], np.int64) for end in (0, -1))
        middles = np.array([self._run(words[1:-1]) for words in phrases], np.int64)
        keys = (first << 32 | last).astype(np.uint64)
        self.slots = empty_table(slots_for(len(phrases)))
        put_all(self.slots, keys, middles, np.array(targets, np.int64) + 1)
        self.marks = np.zeros(len(self.slots) * MARKS_TO_A_SLOT // 64, np.uint64)
        mark_all(self.marks, keys, middles)

    def _run(self, connectors: tuple[int, ...]) -> int:
        run = 0
        for word in connectors:
            run = run_with(self.runs, run, word)
        return run

    def stretches(self) -> Iterator[tuple[Ids, Ints, bool]]:
        """Tokens with phrases joined (int32), how many each sentence has (int64), whether the last goes on in the next.

        The tokens may be changed, and are good until the next are asked for.
        """
        place = np.zeros(PLACE_SIZE, np.int64)
        place[START] = -1
        out = np.empty(STRETCH + self.longest, np.int32)
        for chunk in self.corpus.chunks(STRETCH):
            place[AT], place[SENTENCE] = chunk.first, chunk.sentence
            end = int(np.searchsorted(chunk.offsets, chunk.last))
            lengths = np.zeros(end - chunk.sentence, np.int64)
            done = join_pairs(
                chunk.tokens,
                chunk.offsets,
                chunk.last,
                self.roles,
                self.runs,
                self.slots,
                self.marks,
                out,
                lengths,
                place,
            )
            waiting = out[done : done + place[TAIL]].copy()
            yield out[:done], lengths, bool(chunk.last < chunk.offsets[end])
            out[: len(waiting)] = waiting


# ---- in lists of tokens ------------------------------------------------------------------------


def join(
    tokens: Iterable[str], connectors: Collection[str], phrase_of: Callable[[tuple[str, ...]], str | None]
) -> list[str]:
    """The tokens, from left to right, with `phrase_of` some words, if not None, where none of these is taken yet.

    The words asked for begin and end with ones that are no connectors, and only connectors stand between them.
    """
    out: list[str] = []
    start = -1  # where in `out` the last word stands that may begin a phrase
    for token in tokens:
        out.append(token)
        if token in connectors:
            continue
        phrase = None if start < 0 else phrase_of(tuple(out[start:]))
        if phrase is None:
            start = len(out) - 1
        else:
            out[start:] = [phrase]
            start = -1
    return out


class PhraseTable:
    """Phrases to be joined in lists of tokens, as the compiled loop does in a corpus."""

    def __init__(self, phrases: Iterable[Phrase], connectors: Iterable[str]) -> None:
        self._phrases = {phrase.words: phrase.phrase for phrase in phrases}
        self._connectors = frozenset(connectors)

    def joined(self, tokens: Iterable[str]) -> list[str]:
        """The tokens, with a phrase wherever its words stand; see `join`."""
        return join(tokens, self._connectors, self._phrases.get)


# ---- as text -----------------------------------------------------------------------------------


def check_writable_as_text(words: pa.LargeStringArray) -> None:
    """Raise `BadCorpus` for a token that holds white space: text could not tell it from several."""
    broken = words.filter(pc.match_substring_regex(words, WHITE_SPACE))
    if len(broken):
        raise BadCorpus(
            f"the token {broken[0].as_py()!r} holds white space, so text could not tell it from several; replace the "
            "white space by _ first"
        )


def write_text(corpus: EncodedCorpus, file: IO[bytes]) -> int:
    """Write a corpus as UTF-8 text, a sentence per line, tokens with a space between; gives the bytes written.

    Raises `BadCorpus` where a token holds white space: it would be read as two.
    """
    check_writable_as_text(corpus.words)
    space, nothing = (pa.scalar(text, pa.large_string()) for text in (" ", ""))
    data, starts = string_buffers(pc.binary_join_element_wise(corpus.words, space, nothing))
    data = np.append(data, np.zeros(EIGHT, np.uint8))
    out = np.empty(0, np.uint8)
    written = 0
    for chunk in corpus.chunks(STRETCH):
        size = spelled_size(chunk.tokens, chunk.first, chunk.last, starts)
        if size + EIGHT > len(out):
            out = np.empty(size + EIGHT, np.uint8)
        spell(chunk.tokens, chunk.offsets, chunk.first, chunk.last, chunk.sentence, data, starts, out)
        file.write(out[:size].data)
        written += size
    return written
