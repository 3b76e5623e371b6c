"""gensim's `Word2Vec`: its arguments, attributes and steps, over firth's counting, training and files."""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from firth.affordable import check_affordable
from firth.corpus import EncodedCorpus
from firth.errors import BadFile, BadOption
from firth.formats import read_trainable
from firth.formats.model import StoredModel, write_model
from firth.gensim.callbacks import CallbackAny2Vec, Relay
from firth.gensim.counting import Sampled, counts_in, effective_min_count, kept, sampled_share
from firth.gensim.gone import GONE_FROM_MODELS, GONE_NAMES, no_attribute, takes_gensim_4_s
from firth.gensim.keyed_vectors import REAL, KeyedVectors, first_weights
from firth.gensim.sentences import MAX_WORDS_IN_BATCH, check_corpus, corpus_for
from firth.gensim.utils import TrimRule
from firth.options import WIDEST_WINDOW, CorpusOptions, TrainingOptions
from firth.state import State
from firth.storage import AnyPath
from firth.training import train
from firth.vocabulary import Vocabulary, trained_words
from firth.weights import Weights
from firth.word2vec import Word2Vec as FirthWord2Vec
from firth.word2vec import backend, encoded

logger = logging.getLogger(__name__)

Callbacks = Iterable[CallbackAny2Vec]

FAST_VERSION = 1  # what gensim says of itself where it is compiled; programs warn below 0
SEED_BITS = 32  # of one drawn where None is given
METADATA = "gensim"  # under which a model's file keeps what is gensim's alone
# What is kept so: arguments, and what training left.
ARGUMENTS = (
    "vector_size", "alpha", "window", "min_count", "max_vocab_size", "sample", "seed", "workers", "min_alpha", "sg",
    "hs", "negative", "ns_exponent", "cbow_mean", "epochs", "batch_words", "compute_loss", "comment",
    "max_final_vocab", "shrink_windows",
)  # fmt: skip
GRAMS = ("min_n", "max_n", "bucket")  # arguments of FastText alone
STANDING = (
    "corpus_count", "corpus_total_words", "train_count", "total_train_time", "min_alpha_yet_reached",
    "running_training_loss", "effective_min_count",
)  # fmt: skip


class Word2Vec:
    """Word vectors from sentences, with the arguments of gensim 4's `Word2Vec` and their defaults.

        model = Word2Vec(sentences, vector_size=100, sg=1)
        model.wv.most_similar("king")

    Attributes:
        wv: the words and their vectors, a `KeyedVectors`.
        syn1neg, syn1: the output matrix, (V, D), of negative sampling and of hierarchical softmax.
        raw_vocab: counts of all words between `scan_vocab` and `prepare_vocab`.
        corpus_count, corpus_total_words: how many sentences and words were counted.
        core: the same as firth's own `Word2Vec`.

    Raises `ValueError` for what firth does not train: hs and negative together, sums for CBOW (cbow_mean=0), a null
    word, unsorted words.
    """

    _taken: tuple[str, ...] = ARGUMENTS

    @takes_gensim_4_s(GONE_NAMES)
    def __init__(
        self,
        sentences: Any = None,
        corpus_file: AnyPath | None = None,
        vector_size: int = 100,
        alpha: float = 0.025,
        window: int = 5,
        min_count: int = 5,
        max_vocab_size: int | None = None,
        sample: float = 1e-3,
        seed: int | None = 1,
        workers: int = 3,
        min_alpha: float = 0.0001,
        sg: int = 0,
        hs: int = 0,
        negative: int = 5,
        ns_exponent: float = 0.75,
        cbow_mean: int = 1,
        hashfxn: Callable[[Any], int] = hash,
        epochs: int = 5,
        null_word: int = 0,
        trim_rule: TrimRule | None = None,
        sorted_vocab: int = 1,
        batch_words: int = MAX_WORDS_IN_BATCH,
        compute_loss: bool = False,
        callbacks: Callbacks = (),
        comment: str | None = None,
        max_final_vocab: int | None = None,
        shrink_windows: bool = True,
    ) -> None:
        self.vector_size = self.layer1_size = int(vector_size)
        self.alpha, self.min_alpha = float(alpha), float(min_alpha)
        self.window, self.shrink_windows = int(window), bool(shrink_windows)
        self.min_count, self.max_vocab_size, self.max_final_vocab = min_count, max_vocab_size, max_final_vocab
        self.seed = secrets.randbits(SEED_BITS) if seed is None else seed
        self.sample, self.workers, self.epochs = sample, int(workers), epochs
        self.sg, self.hs, self.negative, self.cbow_mean = int(sg), int(hs), int(negative), int(cbow_mean)
        self.ns_exponent, self.hashfxn, self.null_word, self.sorted_vocab = (
            ns_exponent,
            hashfxn,
            null_word,
            sorted_vocab,
        )
        self.batch_words, self.compute_loss, self.comment = batch_words, bool(compute_loss), comment
        self.corpus_count = self.corpus_total_words = self.train_count = 0
        self.total_train_time = self.running_training_loss = 0.0
        self.min_alpha_yet_reached = self.alpha
        self.effective_min_count = min_count
        self.raw_vocab: Mapping[str, int] = {}
        self.wv = self._no_vectors()
        self.load = _only_on_the_class  # type: ignore[assignment,method-assign]
        self._check_supported()
        if sentences is None and corpus_file is None:
            if trim_rule is not None or callbacks:
                logger.warning("trim_rule and callbacks are not kept: give them to build_vocab and train")
            return
        check_corpus(sentences, corpus_file, passes=epochs + 1)
        with self._read(sentences, corpus_file) as corpus:
            self._build(corpus, trim_rule=trim_rule)
            self._check_trainable(epochs, self.corpus_count, self.corpus_total_words)
            self._train(corpus, callbacks)

    if not TYPE_CHECKING:  # type checkers would take every name for one that is there

        def __getattr__(self, name: str) -> Any:
            raise no_attribute(self, name, GONE_FROM_MODELS, KeyedVectors)

        def __getitem__(self, _: Any) -> Any:
            # Python asks for 0, too, where a key is looked for with `in`, so what is asked is not named.
            raise TypeError("a model is not looked up in since gensim 4; take model.wv[key], key in model.wv")

    def __str__(self) -> str:
        return f"{type(self).__name__}<vocab={len(self.wv)}, vector_size={self.vector_size}, alpha={self.alpha}>"

    def _check_supported(self) -> None:
        """Raise `ValueError` for what firth does not do."""
        if self.hs and self.negative:
            logger.warning("Both hierarchical softmax and negative sampling are activated.")
            raise ValueError(
                f"firth trains one loss, got hs={self.hs} and negative={self.negative}; set negative=0 for "
                "hierarchical softmax, or hs=0 for negative sampling"
            )
        if not self.cbow_mean and not self.sg:
            raise ValueError("firth's CBOW takes the mean of the contexts, not their sum; leave out cbow_mean=0")
        if self.null_word:
            raise ValueError("firth has no null word, which is for concatenated layers; leave out null_word")
        if not self.sorted_vocab:
            raise ValueError("firth keeps words by falling count; leave out sorted_vocab=0")
        if (self.wv.vectors_lockf != 1).any():
            raise ValueError("firth trains all vectors alike, and cannot lock some; set wv.vectors_lockf to ones")
        if self.window < 1 or (self.window > WIDEST_WINDOW and self.shrink_windows):
            remedy = "5 is usual" if self.window < 1 else "shrink_windows=False reaches every word of the sentence"
            raise BadOption(f"window must be 1 to {WIDEST_WINDOW}, got {self.window}; {remedy}")
        assert self.options  # which are checked when they are made

    # ---- the vocabulary --------------------------------------------------------------------------

    def build_vocab(
        self,
        corpus_iterable: Any = None,
        corpus_file: AnyPath | None = None,
        update: bool = False,
        progress_per: int = 10000,  # noqa: ARG002  (firth counts in threads of its own)
        keep_raw_vocab: bool = False,
        trim_rule: TrimRule | None = None,
        **kwargs: Any,
    ) -> None:
        """Count the words of a corpus and start their vectors; with `update`, add new words to those there are.

        `kwargs` may be min_count and sample, to use instead of the model's.

        Raises `TypeError` for what is no corpus, `RuntimeError` for an empty one, or nothing to update.
        """
        check_corpus(corpus_iterable, corpus_file, passes=1)
        with self._read(corpus_iterable, corpus_file) as corpus:
            self._build(corpus, update, keep_raw_vocab=keep_raw_vocab, trim_rule=trim_rule, **kwargs)

    def _build(self, corpus: EncodedCorpus, update: bool = False, **preparing: Any) -> None:
        self.corpus_total_words, self.corpus_count = self._scan(corpus)
        self.prepare_vocab(update, **preparing)
        self.prepare_weights(update)

    def build_vocab_from_freq(
        self,
        word_freq: Mapping[str, int],
        keep_raw_vocab: bool = False,
        corpus_count: int | None = None,
        trim_rule: TrimRule | None = None,
        update: bool = False,
    ) -> None:
        """As `build_vocab`, of words whose counts are known."""
        self.raw_vocab, self.corpus_count = word_freq, corpus_count or 0
        self.prepare_vocab(update, keep_raw_vocab, trim_rule)
        self.prepare_weights(update)

    def scan_vocab(
        self,
        corpus_iterable: Any = None,
        corpus_file: AnyPath | None = None,
        progress_per: int = 10000,  # noqa: ARG002
        workers: int | None = None,  # noqa: ARG002
        trim_rule: TrimRule | None = None,  # noqa: ARG002  (for pruning while counting, which firth does not need)
    ) -> tuple[int, int]:
        """Count the words of a corpus into `raw_vocab`; gives how many words and sentences it has."""
        check_corpus(corpus_iterable, corpus_file, passes=1)
        with self._read(corpus_iterable, corpus_file) as corpus:
            return self._scan(corpus)

    def _scan(self, corpus: EncodedCorpus) -> tuple[int, int]:
        self.raw_vocab = counts_in(corpus, self.max_vocab_size)
        return corpus.total_tokens, corpus.sentences

    def prepare_vocab(
        self,
        update: bool = False,
        keep_raw_vocab: bool = False,
        trim_rule: TrimRule | None = None,
        min_count: int | None = None,
        sample: float | None = None,
        dry_run: bool = False,
    ) -> dict[str, int]:
        """Choose among the words of `raw_vocab`, and tell how many stay; with `dry_run` that alone."""
        min_count, sample = min_count or self.min_count, sample or self.sample
        least = effective_min_count(self.raw_vocab, min_count, self.max_final_vocab)
        stay = kept(self.raw_vocab, least, trim_rule)
        sampled = Sampled.of(stay, sample)
        report = {
            "drop_unique": len(self.raw_vocab) - len(stay),
            "retain_total": sum(stay.values()),
            "downsample_unique": sampled.words,
            "downsample_total": sampled.tokens,
            "num_retained_words": len(stay),
        }
        self.effective_min_count = least
        if dry_run:
            return report
        self.min_count, self.sample = min_count, sample
        if not update:
            self.wv = self._no_vectors()
        counts = dict(zip(self.wv.index_to_key, self.wv.expandos.get("count", np.zeros(0)).tolist(), strict=True))
        for word in stay.keys() | (self.raw_vocab.keys() & counts.keys()):
            counts[word] = counts.get(word, 0) + self.raw_vocab[word]
        words = [*self.wv.index_to_key, *(word for word in stay if word not in self.wv.key_to_index)]
        self.wv.take_keys(words)
        self.wv.expandos["count"] = np.array([counts[word] for word in words], np.int64)
        if not keep_raw_vocab:
            self.raw_vocab = {}
        return report

    def prepare_weights(self, update: bool = False) -> None:
        """Start the vectors of all words, or with `update` those of new ones."""
        if update:
            self.update_weights()
        else:
            self.init_weights()

    def init_weights(self) -> None:
        """Start all vectors anew: small random numbers, and zeros for the output matrix."""
        self._take(self._started())

    def update_weights(self) -> None:
        """Start the vectors of words that have none. Raises `RuntimeError` where no word has one."""
        before = len(self.wv.vectors)
        if not before:
            raise RuntimeError("there is no vocabulary to update; call build_vocab without update first")
        weights = self._started()
        weights.input[:before], weights.output[:before] = self._input(), self._output()
        self._take(weights)

    def _started(self) -> Weights:
        """Where training begins."""
        return first_weights(len(self.wv), self.vector_size, self.seed, self.workers)

    def reset_from(self, other_model: Word2Vec) -> None:
        """Take over another model's words and counts, and start their vectors anew."""
        self.wv = self._no_vectors()
        self.wv.take_keys(other_model.wv.index_to_key)
        self.wv.expandos = other_model.wv.expandos
        self.corpus_count = other_model.corpus_count
        self.init_weights()

    # ---- as firth's ------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _read(self, corpus_iterable: Any, corpus_file: Any) -> Iterator[EncodedCorpus]:
        corpus, tokenizer = corpus_for(corpus_iterable, corpus_file)
        with encoded(corpus, CorpusOptions(), tokenizer, self.workers, None) as (read, _):
            yield read

    @property
    def options(self) -> TrainingOptions:
        """Firth's options for the arguments; each call of `train` draws other random numbers."""
        return TrainingOptions(
            architecture="skipgram" if self.sg else "cbow",
            loss="hs" if self.hs else "ns",
            vector_size=self.vector_size,
            window="all" if self.window > WIDEST_WINDOW and not self.shrink_windows else self.window,
            dynamic_window=self.shrink_windows,
            cbow_gradient="historical",
            min_count=max(self.min_count, 1),
            max_vocabulary=self.max_final_vocab,
            negative=self.negative or TrainingOptions().negative,
            ns_exponent=self.ns_exponent,
            sample=sampled_share(self.sample, int(self.wv.expandos.get("count", np.zeros(1, np.int64)).sum())),
            epochs=self.epochs,
            alpha=self.alpha,
            min_alpha=self.min_alpha,
            seed=self.seed + self.train_count,
            workers=self.workers,
        )

    @property
    def core(self) -> FirthWord2Vec:
        """This model as firth's own, whose words stand by falling count; see `_order`."""
        return FirthWord2Vec.of(self.options, *self._ranked())

    def _order(self) -> NDArray[np.int64] | None:
        """The rows by falling count, None where they stand so; after an update, they may not."""
        counts = self.wv.expandos["count"]
        return None if (np.diff(counts) <= 0).all() else np.argsort(-counts, kind="stable")

    def _ranked(self) -> tuple[Vocabulary, Weights]:
        """The words and both matrices by falling count."""
        order, words, counts = self._order(), self.wv.index_to_key, self.wv.expandos["count"]
        weights = Weights(self._input(), self._output())
        if order is None:
            return Vocabulary(tuple(words), counts), weights
        ranked = Vocabulary(tuple(words[row] for row in order.tolist()), counts[order])
        output = weights.output if self.hs else weights.output[order]  # those of hs are the tree's nodes
        return ranked, Weights(weights.input[order], output)

    def _take(self, weights: Weights, order: NDArray[np.int64] | None = None) -> None:
        """Make these the model's matrices; they stand in `order`, if that is given."""
        if order is not None:
            back = np.argsort(order)
            output = weights.output if self.hs else weights.output[back]
            weights = Weights(weights.input[back], output, weights.grams)
        self._take_input(weights)
        if self.hs:
            self.syn1 = weights.output
        if self.negative:
            self.syn1neg = weights.output

    def _no_vectors(self) -> KeyedVectors:
        """What holds the words and their vectors, empty."""
        return KeyedVectors(self.vector_size)

    def _input(self) -> NDArray[np.float32]:
        """The words' own rows, which are trained."""
        matrix: NDArray[np.float32] = self.wv.vectors
        return matrix

    def _take_input(self, weights: Weights) -> None:
        self.wv.vectors = weights.input

    def _output(self) -> NDArray[np.float32]:
        name = "syn1" if self.hs else "syn1neg"
        if not hasattr(self, name):
            raise RuntimeError(
                f"the model has vectors, but no output matrix ({name}); build the vocabulary and train it"
            )
        matrix: NDArray[np.float32] = getattr(self, name)
        return matrix

    # ---- training --------------------------------------------------------------------------------

    def train(
        self,
        corpus_iterable: Any = None,
        corpus_file: AnyPath | None = None,
        total_examples: int | None = None,
        total_words: int | None = None,
        epochs: int | None = None,
        start_alpha: float | None = None,
        end_alpha: float | None = None,
        word_count: int = 0,  # noqa: ARG002  (which gensim does not use)
        queue_factor: int = 2,  # noqa: ARG002  (firth queues by itself)
        report_delay: float = 1.0,  # noqa: ARG002
        compute_loss: bool = False,
        callbacks: Callbacks = (),
    ) -> tuple[int, int]:
        """Train on, and give how many words of the vocabulary were trained, and words in all.

        The rate falls from `start_alpha` to `end_alpha` over the corpus as it is; `total_examples` and `total_words`
        are asked for, as in gensim, but change nothing.

        Raises:
            RuntimeError: no vocabulary, or no vectors.
            ValueError: no `epochs`, neither `total_examples` nor `total_words`, or what firth does not train.
            TypeError: no corpus, or a generator for more than one epoch.
        """
        self.alpha, self.min_alpha = start_alpha or self.alpha, end_alpha or self.min_alpha
        self._check_supported()
        self._check_trainable(epochs, total_examples, total_words)
        assert epochs is not None
        check_corpus(corpus_iterable, corpus_file, passes=epochs)
        if corpus_file is not None and not total_words:
            raise ValueError("total_words must be given with corpus_file: total_words=model.corpus_total_words")
        self.epochs, self.compute_loss = epochs, compute_loss
        with self._read(corpus_iterable, corpus_file) as corpus:
            if total_examples and total_examples != corpus.sentences and corpus_file is None:
                logger.warning("total_examples is %d, the corpus has %d sentences", total_examples, corpus.sentences)
            return self._train(corpus, callbacks)

    def _check_trainable(self, epochs: int | None, total_examples: int | None, total_words: int | None) -> None:
        if not self.hs and not self.negative:
            raise ValueError("with hs=0 and negative=0 nothing is trained; set one of them")
        if self.alpha > self.min_alpha_yet_reached:
            logger.warning("Effective 'alpha' higher than previous training cycles")
        if not self.wv.key_to_index:
            raise RuntimeError(
                f"you must first build vocabulary before training the model: no word was counted, or none occurs "
                f"min_count = {self.effective_min_count} times"
            )
        if not len(self.wv.vectors):
            raise RuntimeError("you must initialize vectors before training the model: call prepare_weights()")
        if total_words is None and total_examples is None:
            raise ValueError("give total_examples=model.corpus_count, or total_words=model.corpus_total_words")
        if not epochs or epochs < 0:
            raise ValueError(f"epochs must be 1 or more, got {epochs}; epochs=model.epochs is usual")

    def _train(self, corpus: EncodedCorpus, callbacks: Callbacks) -> tuple[int, int]:
        began, options, order, callbacks = time.perf_counter(), self.options, self._order(), list(callbacks)
        vocabulary, weights = self._ranked()
        vocabulary, ids = trained_words(corpus, options, vocabulary)
        machine = backend(options)
        check_affordable(len(vocabulary), options, machine)
        self.running_training_loss = 0.0

        def refresh() -> None:
            """Bring this model up to date; weights in order are trained where they are."""
            if self.compute_loss:
                self.running_training_loss = machine.tally().loss
            if callbacks:
                self._take(machine.weights(), order)

        relay = Relay(self, callbacks, refresh)
        weights, state = train(
            corpus, vocabulary, options, machine, weights, ids=ids, callbacks=[relay], may_be_idle=True
        )
        self._take(weights, order)
        self.min_alpha_yet_reached = self.min_alpha
        self.train_count += 1
        self.total_train_time += time.perf_counter() - began
        raw = corpus.total_tokens * self.epochs
        logger.info("training on %d raw words (%d of the vocabulary) took %.1fs", raw, state.words, state.seconds)
        for callback in callbacks:
            callback.on_train_end(self)
        return state.words, raw

    def get_latest_training_loss(self) -> float:
        """The sum of the losses of all examples of the last `train` with compute_loss=True, added up in float64."""
        return self.running_training_loss

    def init_sims(self, replace: bool = False) -> None:
        """Deprecated: `wv.fill_norms`, and with `replace` `wv.unit_normalize_all`."""
        self.wv.init_sims(replace)

    # ---- what it predicts ------------------------------------------------------------------------

    def score(
        self,
        sentences: Iterable[Sequence[str]],
        total_sentences: int = int(1e6),
        chunksize: int = 100,  # noqa: ARG002
        queue_factor: int = 2,  # noqa: ARG002
        report_delay: float = 1,  # noqa: ARG002
    ) -> NDArray[np.float32]:
        """The log-likelihood of each sentence, float32, under hierarchical softmax. Raises `RuntimeError` without."""
        if not self.wv.key_to_index:
            raise RuntimeError("you must first build vocabulary before scoring new data")
        if not self.hs:
            raise RuntimeError("sentences are scored by hierarchical softmax; train with hs=1, negative=0")
        return self.core.score(list(itertools.islice(sentences, total_sentences))).astype(REAL)

    def predict_output_word(
        self, context_words_list: Iterable[str | int], topn: int = 10
    ) -> list[tuple[str, float]] | None:
        """The `topn` likeliest words in the middle of some words (or rows), and their probabilities; None if unknown.

        Raises `RuntimeError` for a model without negative sampling or its output matrix.
        """
        if not self.negative or not hasattr(self, "syn1neg"):
            raise RuntimeError("words are predicted by negative sampling and its output matrix; train with negative=5")
        known = [
            self.wv.index_to_key[self.wv.get_index(word)] for word in context_words_list if self.wv.has_index_for(word)
        ]
        if not known:
            logger.warning("All the input context words are out-of-vocabulary for the current model.")
            return None
        return self.core.predict(known, topn)

    # ---- files -----------------------------------------------------------------------------------

    def save(self, fname: AnyPath, **kwargs: Any) -> None:  # noqa: ARG002  (how gensim splits and packs its pickles)
        """Write the model to one file in firth's format, under the name given, whatever it ends in; nothing is pickled.

        firth.Word2Vec.load and firth.WordVectors.load open it, too. Raises `RuntimeError` where there is no vocabulary.
        """
        if not len(self.wv.vectors):
            raise RuntimeError("there is nothing to save: no vocabulary was built")
        order, (vocabulary, weights) = self._order(), self._ranked()
        kept = self._arguments() | {name: getattr(self, name) for name in STANDING}
        kept["order"] = None if order is None else order.tolist()
        stored = StoredModel.of(
            vocabulary.words,
            **self._matrices(weights, order),
            counts=vocabulary.counts,
            options=self.options.as_dict(),
            state=State().as_dict(),
            metadata={METADATA: json.dumps(kept)},
        )
        write_model(fname, stored)

    def _arguments(self) -> dict[str, Any]:
        """What the constructor was given, and training changed."""
        return {name: getattr(self, name) for name in self._taken}

    def _matrices(self, weights: Weights, order: NDArray[np.int64] | None) -> dict[str, NDArray[Any]]:  # noqa: ARG002
        """What a file holds of this model's vectors, by falling count."""
        return {"input": weights.input, "output": weights.output}

    @classmethod
    def load(cls, fname: AnyPath, mmap: str | None = None, rethrow: bool = False) -> Self:  # noqa: ARG003
        """Open a model that `save` or firth's own Word2Vec wrote; with `mmap`, its matrices stay in the file.

        Raises `AttributeError` for a file of vectors alone, or of another kind of model, `BadFile` for one that is not
        firth's (gensim's are pickled, and nothing is unpickled), `MissingFile` where there is none.
        """
        stored = read_trainable(fname, "KeyedVectors.load_word2vec_format")
        if stored.output is None or stored.counts is None:
            raise AttributeError(f"{fname} holds vectors alone, no model; open it with KeyedVectors.load")
        cls._check_kind(stored, fname)
        try:
            found = (
                json.loads(stored.metadata[METADATA]) if METADATA in stored.metadata else arguments_for(stored.options)
            )
            model = cls(**{name: found[name] for name in cls._taken if name in found})
            for name in STANDING:
                setattr(model, name, found.get(name, getattr(model, name)))
            order = None if found.get("order") is None else np.array(found["order"], np.int64)
        except (TypeError, ValueError, AttributeError) as error:
            raise BadFile(f"{fname} holds arguments that this version cannot read: {error}") from error
        weights = model._weights_in(stored, stored.output)
        back = slice(None) if order is None else np.argsort(order)
        model.wv.take_keys(np.array(stored.words, object)[back].tolist())
        model.wv.expandos["count"] = stored.counts[back].copy()
        model._take(weights if mmap else weights.copy(), order)
        model._take_whole(stored.input[back], copy=mmap is None)
        return model

    @classmethod
    def _check_kind(cls, stored: StoredModel, fname: AnyPath) -> None:
        """Raise `AttributeError` for a file of another kind of model."""
        if stored.own is not None:
            raise AttributeError(f"{fname} holds a model with n-grams of characters; open it with FastText.load")

    def _weights_in(self, stored: StoredModel, output: NDArray[np.float32]) -> Weights:
        """What a file holds of such a model."""
        return Weights(stored.input, output)

    def _take_whole(self, matrix: NDArray[np.float32], *, copy: bool) -> None:
        """Take over the vectors of a file, where they are others than the rows that are trained."""


def _only_on_the_class(*_: Any, **__: Any) -> None:
    raise AttributeError("load is called on the class: Word2Vec.load(path)")


def arguments_for(options: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of gensim's that mean firth's options; `ValueError` where none do."""
    given, usual = TrainingOptions.from_dict(dict(options)), TrainingOptions(cbow_gradient="historical")
    own = ["noise", "distinct_noise", "unknown", "held_out"] + ["cbow_gradient"] * (given.architecture == "cbow")
    differ = [name for name in own if getattr(given, name) != getattr(usual, name)]
    if given.loss == "softmax" or differ:
        raise ValueError(f"gensim has no {', '.join(differ) or 'softmax'}; open it with firth.Word2Vec.load")
    hs = given.loss == "hs"
    return {name: getattr(given, name) for name in (*ARGUMENTS, *GRAMS) if hasattr(given, name)} | {
        "alpha": given.rate,
        "workers": given.threads,
        "sg": int(given.architecture == "skipgram"),
        "hs": int(hs),
        "negative": 0 if hs else given.negative,
        "shrink_windows": given.dynamic_window,
        "max_final_vocab": given.max_vocabulary,
    }
