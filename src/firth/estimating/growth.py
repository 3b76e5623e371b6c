"""How many words the whole corpus has, told from a sample (Heaps' law, with the bend that real text shows)."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from firth.corpus.encoded import EncodedCorpus
from firth.errors import BadCorpus
from firth.options import TrainingOptions
from firth.vocabulary import from_ranked

Ints = npt.NDArray[np.int64]

STRETCHES = 61  # of the sample, each going to the next quarter, so that every quarter is from all over it
PARTS = 16  # of a stretch that are counted at once: one that reaches over into the next stretch shifts little
FEWEST_WORDS = 50  # whose growth is no accident


def quarters(corpus: EncodedCorpus) -> Ints:
    """How often each word occurs in each quarter of the corpus, one being every fourth stretch: int64 (4, words)."""
    each = max(1, -(-corpus.total_tokens // STRETCHES))
    counts = np.zeros((4, len(corpus.words)), np.int64)
    for chunk in corpus.chunks(max(1, each // PARTS)):
        quarter = (chunk.position + chunk.first) // each % 4
        np.add.at(counts[quarter], chunk.tokens[chunk.first : chunk.last], 1)
    return counts


def vocabulary_size(corpus: EncodedCorpus, share: float, options: TrainingOptions) -> int:
    """How many words the text will have of which `corpus` is a `share`, after `min_count` and `max_vocabulary`.

    Raises `BadCorpus` where the whole was read and none is left.
    """
    if share == 1:
        return len(from_ranked(corpus.words, corpus.counts, min_count=options.min_count, most=options.max_vocabulary))
    size = words_in_whole(quarters(corpus), share, options.min_count)
    return min(size, options.max_vocabulary or size)


def words_in_whole(counts: Ints, share: float, min_count: int) -> int:
    """How many words occur `min_count` times in a text, `counts` (4, words) being those of a `share` of it.

    The words in a quarter, a half and all of what was read show how the number grows when text doubles, and by how
    much less it grows each time; that goes on. Raises `BadCorpus` where there is none.
    """
    quarter, half, all_ = (_words_in_part(counts, part, min_count) for part in (4, 2, 1))
    if quarter < FEWEST_WORDS:  # too rare to see them grow; but those will do that occur as often in proportion
        size = int((counts.sum(axis=0) >= max(1.0, min_count * share)).sum())
        if size:
            return size
        raise BadCorpus(f"no word of the sample read occurs often enough for min_count = {min_count}; lower min_count")
    return round(grown(quarter, half, all_, -math.log2(share)))


def grown(quarter: float, half: float, all_: float, doublings: float) -> float:
    """What a number comes to that was so large in a quarter, a half and all of something, when that doubles so often.

    By how much less it grew with the last doubling, it grows less with each further one.
    """
    before, growth = math.log2(half / quarter), math.log2(all_ / half)
    bend = min(growth / before, 1.0) if before > 0 else 1.0
    more = growth * doublings if bend == 1 else growth * bend * (1 - bend**doublings) / (1 - bend)
    return float(all_ * 2**more)


def _words_in_part(counts: Ints, part: int, min_count: int) -> float:
    """How many words occur `min_count` times in one `part`-th of what was read; the mean of all such parts."""
    sizes: Iterator[int] = ((counts[first::part].sum(axis=0) >= min_count).sum() for first in range(part))
    return float(np.mean(list(sizes)))
