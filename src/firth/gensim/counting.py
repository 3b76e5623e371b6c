"""Which of the words counted are kept, by gensim's rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from firth.corpus import EncodedCorpus
from firth.draws import CHANCE_ONE
from firth.gensim.utils import TrimRule, keep_vocab_item
from firth.vocabulary import Vocabulary

GOLDEN = (3 + 5**0.5) / 2  # of gensim's: a word that occurs `sample` times is then just kept always


def counts_in(corpus: EncodedCorpus, most: int | None) -> dict[str, int]:
    """How often each word of a corpus occurs, the most frequent first; at most so many words."""
    size = len(corpus.words) if most is None else most
    return dict(zip(corpus.words[:size].to_pylist(), corpus.counts[:size].tolist(), strict=True))


def effective_min_count(counts: Mapping[str, int], min_count: int, max_final_vocab: int | None) -> int:
    """The least count at which at most `max_final_vocab` words stay, `min_count` at least."""
    if max_final_vocab is None or max_final_vocab >= len(counts):
        return min_count
    return max(min_count, sorted(counts.values(), reverse=True)[max_final_vocab] + 1)


def kept(counts: Mapping[str, int], min_count: int, trim_rule: TrimRule | None) -> dict[str, int]:
    """The words that stay, the most frequent first, equal ones as they stand."""
    stay = ((word, count) for word, count in counts.items() if keep_vocab_item(word, count, min_count, trim_rule))
    return dict(sorted(stay, key=lambda pair: -pair[1]))


def sampled_share(sample: float, total: int) -> float:
    """`sample` as the share of the text above which words are dropped; from 1 on, gensim means a count."""
    if sample < 1:
        return float(sample)
    return min(1.0, int(sample * GOLDEN) / max(total, 1))


@dataclass(frozen=True)
class Sampled:
    """How many words subsampling drops now and then, and how many tokens it leaves."""

    words: int
    tokens: int

    @classmethod
    def of(cls, counts: Mapping[str, int], sample: float) -> Sampled:
        """What `sample` does to words of these counts, by falling count."""
        if not counts:
            return cls(0, 0)
        vocabulary = Vocabulary(tuple(counts), np.array([*counts.values()], np.int64))
        chances = vocabulary.keep_chances(sampled_share(sample, vocabulary.total)) / CHANCE_ONE
        return cls(int((chances < 1).sum()), int(chances @ vocabulary.counts))
