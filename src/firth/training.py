"""The main flow: chunks of the encoded corpus go to the backend, epoch by epoch, while callbacks watch.

A run's place is (epoch, corpus position). Decisions and learning rates are functions of the place alone, so a run that
stopped goes on from there as if it never had.
"""

from __future__ import annotations

import contextlib
import math
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from firth.backends.base import Backend, Rates, Tables, Tally
from firth.callbacks import Callback, Progress, Watchers, check_callbacks
from firth.corpus.encoded import EncodedCorpus
from firth.errors import BadCorpus, BadOption, Diverged
from firth.huffman import huffman_tree
from firth.ngrams import END_OF_SENTENCE, GramTable, NGrams, gram_table
from firth.options import TrainingOptions
from firth.state import State
from firth.vectors import WordVectors, vectors_of
from firth.vocabulary import Vocabulary
from firth.weights import Weights
from firth.windows import check_whole_sentences

MOST_TOKENS_EACH = 262_144  # in a chunk: some 40 ms of work; handing one over takes the cores 0.1 ms
FEWEST_TOKENS_EACH = 2_048
CHUNKS_PER_WORKER = 8  # in an epoch of a small corpus, so that workers end together
GPU_TOKENS_EACH = 1 << 20  # some 5 ms of work for a GPU; a batch of the encoded corpus, so that no sentence is cut
REHEARSED_TOKENS = 256  # at once, to tell how long full softmax will take
REHEARSED_SECONDS = 0.5
WITHOUT_GRAMS = END_OF_SENTENCE.decode()

NOTHING_TO_TRAIN_ON = (
    "nothing to train on: no word has another beside it in its sentence. A list of strings is read as a list of "
    "sentences, and a table's column as a sentence a row; give one list of tokens per sentence, lower min_count, or "
    "set sample to 0 so that no frequent word is dropped"
)


def tables_for(vocabulary: Vocabulary, options: TrainingOptions, grams: GramTable | None = None) -> Tables:
    """The chances that draws are compared with, the tree, the words' counts and n-grams, as the loss needs them.

    `grams` are the words' n-grams where they are known already.
    """
    keep, counts = vocabulary.keep_chances(options.sample), vocabulary.counts
    if options.loss == "ns":
        grams = grams_of(vocabulary, options) if grams is None else grams
        return Tables(keep, noise=vocabulary.noise_table(options.ns_exponent), counts=counts, grams=grams)
    if options.loss == "hs":
        return Tables(keep, tree=huffman_tree(counts), counts=counts)
    return Tables(keep, counts=counts)


def n_grams_of(options: TrainingOptions) -> NGrams | None:
    """Which n-grams are trained; None where none are."""
    return NGrams(options.min_n, options.max_n, options.bucket) if options.subwords else None


def grams_of(vocabulary: Vocabulary, options: TrainingOptions) -> GramTable | None:
    """The n-grams of the words, where they are trained.

    The word that stands for unknown ones has none: its letters mean nothing, and others would share their rows.
    """
    kind = n_grams_of(options)
    if kind is None:
        return None
    words: Sequence[str] = vocabulary.words
    if options.unknown is not None:
        words = [WITHOUT_GRAMS if word == options.unknown else word for word in words]
    return gram_table(words, vocabulary.counts, kind)


def rates_in(epoch: int, options: TrainingOptions, tokens: int) -> Rates:
    """The learning rates of one epoch: a straight line over the whole run, from alpha down to min_alpha."""
    fall = options.rate - options.min_alpha
    start = options.rate - fall * epoch / options.epochs
    return Rates(start, fall / (options.epochs * max(tokens, 1)), options.min_alpha)


def tokens_each(total_tokens: int, options: TrainingOptions) -> int:
    """How many tokens a chunk has."""
    if options.loss == "softmax":  # a second of work or two, and the same batches for any number of threads
        return FEWEST_TOKENS_EACH
    if options.device == "cuda":
        return GPU_TOKENS_EACH
    return max(FEWEST_TOKENS_EACH, min(MOST_TOKENS_EACH, total_tokens // (options.threads * CHUNKS_PER_WORKER)))


def train(
    corpus: EncodedCorpus,
    vocabulary: Vocabulary,
    options: TrainingOptions,
    backend: Backend,
    weights: Weights,
    *,
    grams: GramTable | None = None,
    ids: npt.NDArray[np.int32] | None = None,
    state: State | None = None,
    callbacks: Sequence[Callback] = (),
    may_be_idle: bool = False,
) -> tuple[Weights, State]:
    """Train from `state` to the last epoch, or until stopped; give the weights and where the run then stands.

    `grams` are the words' n-grams where they are known already. `ids` renumbers the corpus's words where the vocabulary
    was given instead of counted. Ctrl-C and `StopTraining` end the run after the chunks under way, with nothing lost.
    `BadCorpus` where the first epoch trains nothing, unless it `may_be_idle`, and `BadOption` where `state` is of
    another corpus.
    """
    check_callbacks(callbacks)
    if options.window == "all":
        check_whole_sentences(options, corpus.longest_sentence)
    tables = tables_for(vocabulary, options, grams)
    state = (state or State()).on(corpus)
    run = _Run(corpus, vocabulary, options, backend, tables.grams, ids, state, callbacks, may_be_idle)
    backend.start(weights, tables, options)
    try:
        with interruptible() as interrupted:
            run.begin()
            while run.state.epoch < options.epochs and not run.watchers.stopped:
                run.train_epoch(interrupted)
            run.end()
        return backend.weights(), run.state
    finally:
        backend.close()


class _Run:
    """One call of `train`: its clock, its tallies, and who watches."""

    def __init__(
        self,
        corpus: EncodedCorpus,
        vocabulary: Vocabulary,
        options: TrainingOptions,
        backend: Backend,
        grams: GramTable | None,
        ids: npt.NDArray[np.int32] | None,
        state: State,
        callbacks: Sequence[Callback],
        may_be_idle: bool,
    ) -> None:
        self.corpus, self.vocabulary, self.options, self.backend = corpus, vocabulary, options, backend
        self.grams, self.ids, self.state = grams, ids, state
        self.callbacks, self.may_be_idle = callbacks, may_be_idle
        self.watchers = Watchers(callbacks, self.progress)
        self.before = state  # when this call began
        self.epoch_began = Tally()
        self.validation = Tally()  # made on held-out sentences or at rate 0, to be left out of training's sums
        self.foretold = 0.0  # words a second, before any are trained
        self.tokens_each = tokens_each(corpus.total_tokens, options)

    def begin(self) -> None:
        if self.options.loss == "softmax" and self.callbacks and self.state.epoch < self.options.epochs:
            self.foretold = self.rehearsed()
        self.began = time.perf_counter()
        self.watchers.tell("on_train_begin")

    def train_epoch(self, interrupted: threading.Event) -> None:
        """Train the epoch under way from where it stands; end it, or note where it was stopped."""
        epoch, position = self.state.epoch, self.state.position
        rates = rates_in(epoch, self.options, self.corpus.total_tokens)
        for chunk in self.corpus.chunks(self.tokens_each, start=position, ids=self.ids):
            self.backend.train(chunk, epoch, rates)
            position = chunk.position + chunk.last
            self.state = replace(self.state, position=position)
            self.watchers.tell_words(self.words() - self.before.words)
            if interrupted.is_set() or self.watchers.stopped:
                self.watchers.stopped = True
                break
        self.backend.settle()
        self.watchers.tell_words(self.words() - self.before.words)
        if position < self.corpus.total_tokens:
            self.state = replace(self.state, tally=self.epoch_tally())
            return
        self.end_epoch()

    def end_epoch(self) -> None:
        tally = self.epoch_tally()
        self.check_finite(tally)
        if tally.examples == 0 and self.state.epoch == 0 and not self.may_be_idle:
            raise BadCorpus(NOTHING_TO_TRAIN_ON)
        held_out = self.state.held_out_losses
        if self.options.held_out:
            held_out = (*held_out, self.measure_held_out())
        self.epoch_began = self.backend.tally()
        self.state = replace(
            self.state,
            epoch=self.state.epoch + 1,
            position=0,
            losses=(*self.state.losses, tally.mean_loss),
            held_out_losses=held_out,
            tally=Tally(),
        )
        self.watchers.tell("on_epoch_end")

    def check_finite(self, tally: Tally) -> None:
        """Raise `Diverged` where the loss or the weights have left the numbers."""
        if math.isfinite(tally.loss) and self.backend.finite():
            return
        options = self.options
        noise, fewer = (f"negative {options.negative}, ", "fewer noise words or ") if options.loss == "ns" else ("", "")
        corrected = ""
        if options.architecture == "cbow" and options.cbow_gradient == "historical":
            corrected = "cbow_gradient='corrected', "
        raise Diverged(
            f"training grew without bound in epoch {self.state.epoch + 1} (alpha {options.rate}, {noise}"
            f"window {options.window}, {len(self.vocabulary):,} words); lower alpha, or take "
            f"{corrected}{fewer}a smaller window"
        )

    def measure_held_out(self) -> float:
        """The mean loss on the sentences held out: the same windows and noise after every epoch."""
        before = self.backend.tally()
        for chunk in self.corpus.chunks(self.tokens_each, ids=self.ids):
            self.backend.train(chunk, 0, Rates(0.0, 0.0, 0.0), held_out=True)
        self.backend.settle()
        measured = self.backend.tally() - before
        if not measured.examples:
            raise BadOption(
                f"held_out is {self.options.held_out}: of {self.corpus.sentences:,} sentences it left none to measure "
                "a loss on; raise it, or set it to 0"
            )
        self.validation += measured
        return measured.mean_loss

    def end(self) -> None:
        self.state = replace(self.state, words=self.words(), seconds=self.before.seconds + self.seconds())
        self.watchers.tell("on_train_end")

    # ---- measuring -----------------------------------------------------------------------------

    def rehearsed(self) -> float:
        """Words a second, from training the next ones at rate 0, which changes no weight."""
        began, before = time.perf_counter(), self.backend.tally()
        for chunk in self.corpus.chunks(REHEARSED_TOKENS, start=self.state.position, ids=self.ids):
            self.backend.train(chunk, self.state.epoch, Rates(0.0, 0.0, 0.0))
            if time.perf_counter() - began > REHEARSED_SECONDS:
                break
        self.backend.settle()
        done = self.backend.tally() - before
        self.epoch_began += done
        self.validation += done
        return done.words / (time.perf_counter() - began)

    def seconds(self) -> float:
        return time.perf_counter() - self.began

    def words(self) -> int:
        return self.before.words + self.backend.tally().words - self.validation.words

    def epoch_tally(self) -> Tally:
        """Of the epoch under way, what an earlier call trained of it included."""
        earlier = self.before.tally if self.state.epoch == self.before.epoch else Tally()
        return self.backend.tally() - self.epoch_began + earlier

    def progress(self) -> Progress:
        words, seconds = self.words(), self.seconds()
        trained = words - self.before.words
        rates = rates_in(self.state.epoch, self.options, self.corpus.total_tokens)
        finished = self.state.position == 0 and self.state.losses
        return Progress(
            epoch=self.state.epoch,
            epochs=self.options.epochs,
            words=words,
            total_words=self.total_words(),
            loss=self.state.losses[-1] if finished else self.epoch_tally().mean_loss,
            held_out_loss=self.state.held_out_losses[-1] if self.state.held_out_losses else None,
            alpha=max(rates.floor, rates.start - rates.slope * self.state.position),
            seconds=seconds,
            words_per_second=trained / seconds if trained and seconds > 0 else self.foretold,
            _vectors=self.vectors,
        )

    def total_words(self) -> int:
        counts = self.corpus.counts[: len(self.vocabulary)] if self.ids is None else self.corpus.counts[self.ids >= 0]
        return round(int(counts.sum()) * self.options.epochs * (1 - self.options.held_out))

    def vectors(self) -> WordVectors:
        self.backend.settle()
        return vectors_of(self.vocabulary, self.backend.weights().copy(), self.grams, self.options.threads)


@contextlib.contextmanager
def interruptible() -> Iterator[threading.Event]:
    """Turn Ctrl-C into an event, so that training stops between chunks; a second Ctrl-C interrupts at once."""
    interrupted = threading.Event()
    usual = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or usual is None:  # None: not Python's to set back
        yield interrupted
        return

    def note(*_: Any) -> None:
        interrupted.set()
        signal.signal(signal.SIGINT, usual)

    signal.signal(signal.SIGINT, note)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, usual)
