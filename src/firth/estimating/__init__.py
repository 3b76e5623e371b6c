"""What training will take, told beforehand: memory added up from what is allocated, time measured on a sample.

Nothing is guessed that can be measured here in seconds. One process of its own trains a few words with the same
options: it shows what Python, the libraries and the compiled kernels take, and how long a start lasts. Another reads a
sample of the text. Then the kernel trains on the sample, with matrices as large as they will be, and with subwords
with the n-grams of the words met.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from firth.affordable import check_affordable
from firth.backends.devices import decided
from firth.corpus.blocks import shown
from firth.corpus.encoded import EncodedCorpus
from firth.corpus.sample import WHOLE, Sampled, is_read_once
from firth.corpus.store import kept_corpus
from firth.errors import BadOption
from firth.estimating.grams import grams_met
from firth.estimating.growth import quarters, vocabulary_size, words_in_whole
from firth.estimating.sizes import corpus_size, mean_word_bytes, memory_parts, model_size
from firth.estimating.speed import measured_speed
from firth.estimating.trials import sampled, tried
from firth.memory import machine_memory_bytes
from firth.options import CorpusOptions, TrainingOptions
from firth.storage import AnyPath
from firth.vocabulary import Vocabulary, shared_numbers, trained_words
from firth.word2vec import backend


@dataclass(frozen=True)
class Estimate:
    """What `firth train` will take. Each of `memory` (bytes, while training) and `seconds` is a part of the whole.

    words: tokens of the corpus. exact: whether they and the vocabulary are counted, not told from a sample.
    reading_peak_bytes: the most while reading, 0 where the cache holds the corpus. words_per_second: tokens trained,
    in the vocabulary or not. machine_bytes: the memory that there is, None where the system does not tell.
    """

    words: int
    vocabulary: int
    exact: bool
    memory: dict[str, int]
    reading_peak_bytes: int
    seconds: dict[str, float]
    epoch_seconds: float
    words_per_second: float
    model_bytes: int
    cache_bytes: int
    machine_bytes: int | None

    @property
    def peak_bytes(self) -> int:
        """The most resident memory at any moment."""
        return max(sum(self.memory.values()), self.reading_peak_bytes)

    @property
    def total_seconds(self) -> float:
        """From start to end."""
        return sum(self.seconds.values())

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self) | {"peak_bytes": self.peak_bytes, "total_seconds": self.total_seconds}


def estimate(
    corpus: AnyPath | Sequence[Path] | EncodedCorpus, *, vocabulary: Vocabulary | None = None, **options: Any
) -> Estimate:
    """Tell what `firth train` will take, in some seconds, without training.

    Args:
        corpus: a file, folder or pattern, a list of `pathlib.Path`, or an `EncodedCorpus`.
        vocabulary: words to train, instead of those counted in the corpus.
        options: those of `TrainingOptions` and `CorpusOptions`.

    Raises what `Word2Vec` and `fit` raise for the same, and `BadOption` for a corpus that can be read only once.
    """
    reading = {name: options.pop(name) for name in CorpusOptions().as_dict() if name in options}
    (training, _), how = decided(TrainingOptions.from_dict(options)), CorpusOptions.from_dict(reading)
    with tempfile.TemporaryDirectory(prefix="firth-estimate-") as folder:
        text, read = _read(corpus, how, training.threads, Path(folder))
        return _estimated(text, read, vocabulary, training, Path(folder))


def _read(
    corpus: AnyPath | Sequence[Path] | EncodedCorpus, options: CorpusOptions, threads: int, folder: Path
) -> tuple[EncodedCorpus, Sampled]:
    """The corpus if it is encoded already, else a sample of it."""
    if isinstance(corpus, EncodedCorpus):
        return corpus, WHOLE
    single = isinstance(corpus, (str, os.PathLike))
    given: Sequence[Any] = [corpus] if single else corpus if isinstance(corpus, Sequence) else [None]
    if not all(isinstance(each, os.PathLike) or single for each in given) or not given:
        raise BadOption(
            f"an estimate needs a path, a list of pathlib.Path or an EncodedCorpus, got {shown(corpus)}; "
            "make the last with encoded_corpus(...)"
        )
    paths = [os.fspath(each) for each in given]
    for path in paths:
        if is_read_once(path):
            raise BadOption(
                f"an estimate reads text before it is trained, and {path} can be read only once; save it to a file"
            )
    kept = kept_corpus(corpus, options)
    if kept is not None:
        return kept, WHOLE
    read = sampled(paths, options, threads, folder, several=not single)
    return EncodedCorpus(folder / "whole"), read


def _words(
    corpus: EncodedCorpus, read: Sampled, given: Vocabulary | None, options: TrainingOptions
) -> tuple[int, Sequence[str], npt.NDArray[np.int64], npt.NDArray[np.int32] | None]:
    """How many words will be trained, those met, how often they occur, and the corpus's words' numbers among them.

    Without subwords nothing asks which words were met, and none may be given.
    """
    if given is not None:
        return len(given), given.words, given.counts, shared_numbers(given, corpus.words, options.unknown)
    V = vocabulary_size(corpus, read.share, options)
    if options.unknown is None:
        return V, corpus.words[:V].to_pylist() if options.subwords else (), corpus.counts, None
    # the most frequent words of what was read stand for those of the whole, all others for the unknown ones
    met, ids = trained_words(corpus, replace(options, min_count=1, max_vocabulary=V))
    return V + (options.unknown not in corpus.words[:V].to_pylist()), met.words, met.counts, ids


def _estimated(
    corpus: EncodedCorpus, read: Sampled, given: Vocabulary | None, options: TrainingOptions, folder: Path
) -> Estimate:
    V, words, counts, ids = _words(corpus, read, given, options)
    distinct = len(corpus.words) if read.share == 1 else words_in_whole(quarters(corpus), read.share, 1)
    tokens, sentences = round(corpus.total_tokens / read.share), round(corpus.sentences / read.share)
    letters = mean_word_bytes(corpus, V)
    options = options.for_corpus(tokens)
    machine, memory = backend(options), machine_memory_bytes()
    check_affordable(V, options, machine)
    grams = grams_met(words, counts, options)
    sizes = None if grams is None else grams.sizes(V)
    speed = measured_speed(corpus, V, tokens, options, ids, counts, grams, machine, folder, memory)
    start = tried(options, folder)
    parts = memory_parts(V, distinct, letters, tokens, options, machine, renumbered=ids is not None, grams=sizes)
    model_bytes = model_size(V, options.vector_size, letters, None if sizes is None else sizes.rows)
    epoch = tokens * (speed.per_token + speed.per_held_out_token) + speed.checking
    return Estimate(
        words=tokens,
        vocabulary=V,
        exact=read.share == 1,
        memory={"program": start.peak_bytes, **parts},
        reading_peak_bytes=read.peak_bytes_with(distinct, len(corpus.words)),
        seconds={
            "starting": start.seconds,
            "reading": read.seconds / read.share,
            "preparing": speed.preparing,
            "training": options.epochs * epoch,
            "saving": speed.whole_vectors + speed.per_byte_saved * model_bytes,
        },
        epoch_seconds=epoch,
        words_per_second=1 / speed.per_token,
        model_bytes=model_bytes,
        cache_bytes=corpus_size(tokens, sentences, distinct, mean_word_bytes(corpus, distinct)),
        machine_bytes=memory,
    )
