"""What full softmax may be asked for: beyond, it is refused before any work, with what to do instead.

Each example of full softmax computes with every word, so its time grows with the vocabulary as no other loss's does.
"""

from __future__ import annotations

from firth.backends.base import Backend
from firth.errors import BadOption
from firth.memory import machine_memory_bytes
from firth.options import TrainingOptions
from firth.weights import aligned_rows

# With 50,000 words of 100 numbers, one core trains some 1,300 words of text a second (skip-gram; CBOW 3,300): a million
# words take a quarter of an hour an epoch. With twice as many words it is half as fast.
MOST_SOFTMAX_WORDS = 100_000
INSTEAD = "raise min_count, set max_vocabulary, or use loss='ns' or 'hs', which do not compute with every word"


def check_words(V: int, options: TrainingOptions) -> None:
    """Raise `BadOption` where full softmax over V words would take days."""
    if options.loss == "softmax" and V > MOST_SOFTMAX_WORDS:
        raise BadOption(
            f"full softmax computes with every word for each example, so the vocabulary must have "
            f"{MOST_SOFTMAX_WORDS:,} words or fewer, got {V:,}; {INSTEAD}"
        )


def check_affordable(V: int, options: TrainingOptions, machine: Backend) -> None:
    """Raise `BadOption` where full softmax over V words would take memory that is not there, or days."""
    check_words(V, options)
    if options.loss != "softmax":
        return
    width, there_is = aligned_rows(1, options.vector_size).shape[1], machine_memory_bytes()
    needed = 2 * 4 * V * width + machine.buffer_bytes(V, options)
    if there_is is not None and needed > there_is:
        raise BadOption(
            f"full softmax over {V:,} words with vector_size {options.vector_size} needs {needed / 2**20:,.0f} MB, "
            f"matrices and scores, and this machine has {there_is / 2**20:,.0f} MB; lower vector_size, {INSTEAD}"
        )
