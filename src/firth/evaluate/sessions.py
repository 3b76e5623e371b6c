"""Sessions as numbers, and what is to be predicted in them.

Shapes: N items of all sessions in a row, S sessions, n predictions (of the last item of each, or of all but the first).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from firth.corpus import EncodedCorpus, encoded_corpus
from firth.corpus.sources import CorpusLike
from firth.errors import BadCorpus
from firth.options import CorpusOptions

Rows: TypeAlias = NDArray[np.int64]

UNKNOWN = -1
TOKENS_EACH = 1 << 20  # read at once


@dataclass(frozen=True, eq=False)
class Sessions:
    """S sessions of items: session i holds items[tokens[offsets[i]:offsets[i + 1]]]; numbers are int64.

    Items are ranked by how often they stand in these sessions, `counts`.
    """

    items: pa.LargeStringArray
    counts: Rows
    tokens: Rows
    offsets: Rows

    @classmethod
    def read(cls, sessions: CorpusLike | EncodedCorpus, options: CorpusOptions | None = None, **how: Any) -> Sessions:
        """Read sessions from whatever `Word2Vec.fit` reads; `how` are further arguments of `encoded_corpus`.

        Raises `MissingFile`, and `BadCorpus` where there is no item at all.
        """
        corpus = encoded_corpus(sessions, options, **how)
        try:
            tokens, lengths = [], []
            for chunk in corpus.chunks(TOKENS_EACH):
                tokens.append(chunk.tokens[chunk.first : chunk.last].astype(np.int64))
                if chunk.first == 0:  # the first of a batch, whose sentences all its chunks share
                    lengths.append(np.diff(chunk.offsets))
            offsets = np.cumsum(np.concatenate([np.zeros(1, np.int64), *lengths]))
            return cls(corpus.words, corpus.counts.copy(), np.concatenate(tokens), offsets)
        finally:
            if corpus is not sessions:
                corpus.close()

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def of_token(self) -> Rows:
        """The session that each item stands in: (N,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    def numbered_by(self, items: Sequence[str]) -> Rows:
        """The place of each item of all sessions among other `items`, UNKNOWN where it is none: (N,)."""
        places = pc.index_in(self.items, value_set=pa.array(items, pa.large_string()))
        return np.asarray(pc.fill_null(places, UNKNOWN).to_numpy(), np.int64)[self.tokens]


@dataclass(frozen=True, eq=False)
class Asked:
    """n predictions: the item at places[i] from those at [begins[i], places[i]), all of one session."""

    begins: Rows
    places: Rows
    session: Rows  # (n,), which it is

    @classmethod
    def of(cls, sessions: Sessions, positions: str) -> Asked:
        """Those asked by `NextItemOptions.positions`; raises `BadCorpus` where no session has two items."""
        owners = sessions.of_token
        places = np.arange(len(owners)) if positions == "all" else sessions.offsets[1:] - 1
        places = places[places >= 0]
        places = places[places > sessions.offsets[owners[places]]]  # with an item before it
        if positions == "last":
            places = np.unique(places)  # an empty session has no last item, and would name that of the one before
        if not len(places):
            raise BadCorpus(
                f"there is no next item to predict: none of the {len(sessions):,} sessions has two items; give a "
                "session for each line or list, and its items in the order in which they came"
            )
        return cls(sessions.offsets[owners[places]], places, owners[places])

    def __len__(self) -> int:
        return len(self.places)
