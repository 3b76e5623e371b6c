"""Where a run stands: what is kept in a model's file so that training can go on from there."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from firth.backends.base import Tally
from firth.corpus.encoded import EncodedCorpus
from firth.errors import BadOption, counted


@dataclass(frozen=True)
class Mark:
    """What a corpus is known again by: how long it is, and a digest of its words and their counts."""

    tokens: int = 0
    sentences: int = 0
    digest: str = ""

    @classmethod
    def of(cls, corpus: EncodedCorpus) -> Mark:
        """The mark of a corpus."""
        _, offsets, text = corpus.words.buffers()
        ends = np.frombuffer(offsets, np.int64)[corpus.words.offset :]
        digest = hashlib.sha256(corpus.counts.tobytes())
        digest.update(memoryview(text)[ends[0] : ends[len(corpus.words)]])
        return cls(corpus.total_tokens, corpus.sentences, digest.hexdigest()[:16])

    def __str__(self) -> str:
        return f"{counted(self.tokens, 'token')} in {counted(self.sentences, 'sentence')} (words {self.digest})"


@dataclass(frozen=True)
class State:
    """Where a run stands, and what it measured: kept in the model's file.

    epoch, position: the place that training goes on from; a finished run stands at (epochs, 0).
    losses: mean loss of each finished epoch; held_out_losses: the same on held-out sentences.
    tally: of the epoch under way. words, seconds: trained so far, compiling left out. corpus: what is trained on.
    """

    epoch: int = 0
    position: int = 0
    losses: tuple[float, ...] = ()
    held_out_losses: tuple[float, ...] = ()
    tally: Tally = field(default_factory=Tally)
    words: int = 0
    seconds: float = 0.0
    corpus: Mark = field(default_factory=Mark)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> State:
        """What `as_dict` gave."""
        values = dict(values)
        values["tally"] = Tally(**values.get("tally", {}))
        values["corpus"] = Mark(**values.get("corpus", {}))
        for name in ("losses", "held_out_losses"):
            values[name] = tuple(values.get(name, ()))
        return cls(**values)

    def on(self, corpus: EncodedCorpus) -> State:
        """This state with the corpus noted; `BadOption` where the run stopped on another one."""
        mark = Mark.of(corpus)
        if self.corpus not in (mark, Mark()):
            raise BadOption(
                f"cannot resume on another corpus: the run was on {self.corpus}, this one has {mark}; "
                "give the same text, read with the same options, or call fit without resume to start anew"
            )
        return replace(self, corpus=mark)
