"""`Word2Vec`: options in, `fit` on a corpus, vectors out."""

from __future__ import annotations

import contextlib
import reprlib
import sys
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np

from firth.affordable import check_affordable
from firth.ahead import kernel_compiled_ahead
from firth.backends.base import Backend
from firth.backends.devices import decided
from firth.blas import threads_at_most
from firth.callbacks import Callback, check_callbacks
from firth.combining import combined
from firth.corpus import EncodedCorpus, encoded_corpus
from firth.corpus.sources import CorpusLike
from firth.corpus.tokenizers import TokenizerLike
from firth.elsewhere import OF_MODELS, OF_VECTORS, here
from firth.errors import BadFile, BadOption, NotTrained, UnknownWord
from firth.formats import FORMATS, read_trainable
from firth.formats.model import StoredModel, gram_tensors, write_model
from firth.formats.table import vectors_in
from firth.huffman import Tree, huffman_tree
from firth.likelihood import Reals, log_probabilities
from firth.ngrams import GramTable
from firth.options import Combine, CorpusOptions, TrainingOptions, takes_options, whole
from firth.progress import ProgressBar, shown
from firth.scoring import sentence_scores
from firth.state import State
from firth.storage import AnyPath
from firth.training import grams_of, n_grams_of, train
from firth.vectors import SubwordVectors, WordVectors, vectors_of
from firth.vectors.given import several
from firth.vocabulary import Vocabulary, check_vocabulary, trained_words
from firth.weights import Floats, Weights, initial_weights

OTHER_SUFFIXES = {".gz", ".npy", ".ftz"} | {suffix for each in FORMATS for suffix in each.suffixes} - {".safetensors"}

T = TypeVar("T")


@dataclass(frozen=True)
class Seconds:
    """Where the time of a `fit` went."""

    reading: float = 0.0
    preparing: float = 0.0  # finding a GPU, vocabulary, tables, initial weights, compiling
    training: float = 0.0


class Word2Vec:
    """Word vectors from a corpus.

    The arguments, all by keyword, are those of `TrainingOptions`, which tells what each means.

        model = Word2Vec(vector_size=100, window=5, min_count=5)
        model.fit("corpus.txt")
        model.vectors.most_similar("king")
        model.save("model.safetensors")

    Attributes:
        options: the `TrainingOptions`.
        vocabulary: the words that were trained, with their counts; after `fit`.
        vectors: the `WordVectors`; after `fit`.
        weights: both matrices, float32 (V, D); after `fit`.
        state: where training stands and the loss of each epoch.
        seconds: where the time of the last `fit` went.
        workers: how many threads the last `fit` trained with, on the CPU.
        device: what it trained on, "cpu" or "cuda".
    """

    @takes_options(TrainingOptions)
    def __init__(self, **options: Any) -> None:
        self.options = TrainingOptions.from_dict(options)
        self.state = State()
        self.seconds = Seconds()
        self.workers, self.device = self.options.threads, self.options.device
        self._vocabulary: Vocabulary | None = None
        self._weights: Weights | None = None
        self._vectors: WordVectors | None = None

    # ---- training ------------------------------------------------------------------------------

    def fit(
        self,
        corpus: CorpusLike | EncodedCorpus,
        *,
        tokenizer: TokenizerLike | None = None,
        vocabulary: Vocabulary | None = None,
        callbacks: Sequence[Callback] = (),
        progress: bool | None = None,
        resume: bool = False,
        **reading: Any,
    ) -> Self:
        """Train on a corpus, and give this model back.

        Args:
            corpus: a file, folder, pattern, remote address or "-"; a list of `pathlib.Path`; or any iterable of
                sentences, each a string or a list of tokens. A generator is read once, and that is enough. Of tables
                (CSV, JSON lines, Parquet, Arrow) `column` names what to read.
            tokenizer: "whitespace" (default), "letters", "words", a callable from a string to tokens, or a Hugging
                Face `tokenizers.Tokenizer`.
            vocabulary: words to train, instead of those counted in the corpus.
            callbacks: who watches; see `Callback`.
            progress: show a progress bar on standard error; by default, where that is a terminal, and elsewhere only a
                line before full softmax that will take long. False shows nothing.
            resume: go on where an interrupted `fit` on the same corpus stopped, instead of starting anew.
            reading: further options of `CorpusOptions`: encoding_errors, column, cache.

        Raises:
            MissingFile, CannotRead, BadCorpus, CannotWrite: the corpus cannot be read, trained on, or encoded.
            BadOption: an option out of range or unknown, or nothing to resume, or another corpus or vocabulary to
                resume on.

        Warns of options that change nothing beside the others.

        Ctrl-C stops training and keeps what is trained: `state` tells where, and `resume` goes on. To resume a run
        that is complete changes nothing. After an error the model is what it was before.
        """
        if resume:
            self._check_resumable(vocabulary)
        check_callbacks(callbacks)
        check_vocabulary(vocabulary)
        for idle in self.options.without_effect:
            warnings.warn(idle, stacklevel=2)
        if isinstance(tokenizer, str):
            reading["tokenizer"], tokenizer = tokenizer, None
        began = time.perf_counter()
        options, told = decided(self.options)
        deciding = time.perf_counter() - began  # PyTorch loads, and reaches the GPU
        if told and progress is not False:
            print(f"firth: {told}", file=sys.stderr)
        bar, tellers = shown(progress)
        with (
            contextlib.closing(bar) if bar else contextlib.nullcontext(),
            kernel_compiled_ahead(options) as wait_for_kernel,
            encoded(corpus, CorpusOptions.from_dict(reading), tokenizer, self.options.threads, bar) as read,
        ):
            text, seconds = read
            wait_for_kernel()
            self._train(text, options, vocabulary, [*callbacks, *tellers], resume, Seconds(seconds, deciding))
        return self

    def _check_resumable(self, vocabulary: Vocabulary | None) -> None:
        if self._weights is None:
            raise BadOption("there is nothing to resume: this model has not been trained; call fit without resume")
        if vocabulary is not None and vocabulary.words != self.vocabulary.words:
            raise BadOption(
                f"cannot resume with another vocabulary: the model has {len(self.vocabulary):,} words, the one given "
                f"{len(vocabulary):,}; leave vocabulary out, or call fit without resume to start anew"
            )

    def _train(
        self,
        corpus: EncodedCorpus,
        options: TrainingOptions,
        vocabulary: Vocabulary | None,
        callbacks: Sequence[Callback],
        resume: bool,
        spent: Seconds,
    ) -> None:
        began = time.perf_counter()
        options = options.for_corpus(corpus.total_tokens)
        if resume:
            vocabulary = self.vocabulary
        vocabulary, ids = trained_words(corpus, options, vocabulary)
        machine = backend(options)
        check_affordable(len(vocabulary), options, machine)
        grams = self._grams if resume else grams_of(vocabulary, options)
        if resume:
            weights, state = self.weights.copy(), self.state
        else:
            buckets = None if grams is None else grams.buckets
            weights = initial_weights(len(vocabulary), options.vector_size, options.seed, options.threads, buckets)
            state = State()
        before = state.seconds
        weights, state = train(
            corpus, vocabulary, options, machine, weights, grams=grams, ids=ids, state=state, callbacks=callbacks
        )
        training = state.seconds - before
        self._set(vocabulary, weights, state)
        self._grams = grams  # to list them takes memory and time
        self.seconds = Seconds(spent.reading, spent.preparing + time.perf_counter() - began - training, training)
        self.workers, self.device = options.threads, options.device

    def _set(self, vocabulary: Vocabulary, weights: Weights, state: State) -> None:
        self._vocabulary, self._weights, self.state = vocabulary, weights, state
        self._vectors = None
        for made in ("_tree", "_grams"):
            self.__dict__.pop(made, None)

    @classmethod
    def of(cls, options: TrainingOptions, vocabulary: Vocabulary, weights: Weights, state: State | None = None) -> Self:
        """A model of weights that were trained elsewhere, float32 (V, D); they are not copied.

        With subwords, they are the words' own rows, and those of the buckets that their n-grams fall into: see
        `firth.ngrams.gram_table`. Raises `BadOption` where options and weights do not agree on n-grams.
        """
        model = cls(**options.as_dict())
        if options.subwords != (weights.grams is not None):
            has = "no" if weights.grams is None else f"{len(weights.grams):,}"
            raise BadOption(
                f"weights must have rows of n-grams where subwords are trained, and there alone, got subwords "
                f"{options.subwords} and {has} rows; take subwords={not options.subwords}"
            )
        model._set(vocabulary, weights, state or State())
        return model

    # ---- what was trained ----------------------------------------------------------------------

    @property
    def vocabulary(self) -> Vocabulary:
        """The words that were trained, most frequent first."""
        return self._trained(self._vocabulary)

    @property
    def weights(self) -> Weights:
        """The input and output matrix, float32 (V, D); with subwords those of words alone, and the n-grams' rows."""
        return self._trained(self._weights)

    @property
    def vectors(self) -> WordVectors:
        """The words and their vectors, the rows of the input matrix; with subwords, made of theirs and the n-grams'.

        These are `SubwordVectors`, which have vectors of words never seen, too.
        """
        if self._vectors is None:
            self._vectors = vectors_of(self.vocabulary, self.weights, self._grams, self.options.threads)
        return self._vectors

    def combined_vectors(self, combine: Combine) -> WordVectors:
        """The words with vectors made of the input and the output matrix; `vectors` are those of "input".

        Args:
            combine: "input", "output", "average", "sum", or "concatenate" (2D numbers); see `firth.combining`, which
                tells what each is good for.

        Those of "input" and "output" are views of `weights`, not copies: they follow what is written there. `fit` makes
        new weights, and leaves these as they are. With subwords, "input" are `vectors` themselves, and words never seen
        have a vector there alone.

        Raises `BadOption` for another name, and for all but "input" where loss is "hs": its output matrix has vectors
        of the tree's inner nodes, not of words.
        """
        if combine == "input" and self.options.subwords:
            return self.vectors
        matrix = combined(self._input, self.weights.output, combine, self.options.loss)
        return WordVectors(self.vocabulary.words, matrix, self.vocabulary.counts)

    @property
    def losses(self) -> tuple[float, ...]:
        """The mean loss per example of each finished epoch."""
        return self.state.losses

    # ---- what it predicts ----------------------------------------------------------------------

    def predict(self, context_words: str | Sequence[str], topn: int = 10) -> list[tuple[str, float]]:
        """The `topn` words most likely in the middle of some context words, and their probabilities.

        The probability is p(word | x) as in `firth.likelihood`, x being the mean of the context words' input vectors:
        what CBOW trains; skip-gram trains each context alone, and gets this mean all the same. With the losses
        "softmax" and "hs" it is the model's own; with "ns" it is the softmax of x · y, which ranks words by how much
        likelier than by chance they are here, so frequent words come out too low. With subwords, too, x is a mean of
        whole vectors, while CBOW trains the mean of all their parts, where long words count more.

        Words that are not known are taken for the option `unknown` if there is one; with subwords they count by their
        n-grams; else they are left out. Raises `BadOption` for `topn` below
        1 and for what is no list of words, and `UnknownWord` where none is known.
        """
        topn = whole("topn", topn, at_least=1)
        words = [context_words] if isinstance(context_words, str) else several("context_words", context_words)
        if self.options.unknown is not None:
            words = [word if word in self.vectors else self.options.unknown for word in words]
        known = [vector for word in words if (vector := self._vector_of(word)) is not None]
        if not known:
            raise UnknownWord(
                f"none of the context words {reprlib.repr(words)} is among the {len(self.vocabulary):,} that were "
                "trained; give at least one that is, or check how words were cut"
            )
        x = np.mean(known, axis=0, keepdims=True)
        with threads_at_most(self.options.threads):
            logs = log_probabilities(x, self.weights.output, self._tree)[0]
        best = np.argsort(-logs, kind="stable")[:topn]
        return [(self.vocabulary.words[row], float(np.exp(logs[row]))) for row in best]

    def score(self, sentences: Iterable[str | Sequence[str]], *, tokenizer: TokenizerLike = "whitespace") -> Reals:
        """The log-likelihood of each sentence (natural logarithm): float64, one for each.

        Every known word w_i of a sentence is predicted from the contexts that stand up to `window` known words to each
        side (the window is always full, no word is dropped), with p as in `firth.likelihood`:

            skip-gram:  Σ_i Σ_(c in contexts of i) log p(w_i | input_c)
            CBOW:       Σ_i log p(w_i | mean of input_c over the contexts of i)

        That is a sum over predictions and no probability of the sentence as a whole: compare sentences of one length,
        or models on the same sentences with the same vocabulary and window. With "hs" it is what gensim's `score`
        gives; "ns" models can be compared with each other, but were not trained to it. Sentences with fewer than two
        known words score 0; words never seen are not known, with subwords neither.

        Args:
            sentences: an iterable of strings, which `tokenizer` cuts, or of lists of tokens.
            tokenizer: what `fit` was given.

        Raises `BadOption` for what is no list, such as one string or a path, and `BadCorpus` for what is no sentence.
        """
        if isinstance(sentences, (str, bytes, Mapping)) or not isinstance(sentences, Iterable):
            raise BadOption(
                f"sentences must be a list of sentences, got {reprlib.repr(sentences)}; give a list, also for one"
            )
        with threads_at_most(self.options.threads):
            weights = Weights(self._input, self.weights.output)
            return sentence_scores(sentences, tokenizer, self.vocabulary, weights, self._tree, self.options)

    @cached_property
    def _tree(self) -> Tree | None:
        """The Huffman tree of the words, as training made it from their counts; None where the loss has none."""
        return huffman_tree(self.vocabulary.counts) if self.options.loss == "hs" else None

    @cached_property
    def _grams(self) -> GramTable | None:
        """The n-grams of the words, as training listed them; None without subwords.

        Raises `BadOption` where they do not fit the rows that there are: kernels would read behind these.
        """
        grams, rows = grams_of(self.vocabulary, self.options), self.weights.grams
        if grams is None or rows is None:
            return None
        if len(rows) != len(grams):
            raise BadOption(
                f"the n-grams of the words fall into {len(grams):,} buckets, and the weights have {len(rows):,} rows "
                "for them; give weights of these words, min_n, max_n and bucket"
            )
        read = self._vectors.buckets if isinstance(self._vectors, SubwordVectors) else None
        if read is not None and not np.array_equal(read, grams.buckets):
            raise BadFile("the file of this model has its n-grams in another order than its words; write it anew")
        return grams

    @property
    def _input(self) -> Floats:
        """The vectors that words are predicted from, float32 (V, D)."""
        return self.weights.input if self.weights.grams is None else self.vectors.matrix

    def _vector_of(self, word: str) -> Floats | None:
        """The vector that a word is predicted from, float32 (D,); None for one that has none."""
        if word in self.vectors:
            row: Floats = self._input[self.vectors.index(word)]
            return row
        if isinstance(self.vectors, SubwordVectors):
            with contextlib.suppress(UnknownWord):
                return self.vectors.vector(word)
        return None

    @staticmethod
    def _trained(value: T | None) -> T:
        if value is None:
            raise NotTrained("this model has not been trained; call fit(corpus) first")
        return value

    def __repr__(self) -> str:
        defaults = TrainingOptions()
        changed = [
            f"{each.name}={getattr(self.options, each.name)!r}"
            for each in fields(TrainingOptions)
            if getattr(self.options, each.name) != getattr(defaults, each.name)
        ]
        return f"Word2Vec({', '.join(changed)})"

    if not TYPE_CHECKING:  # type checkers would take every name for one that is there

        def __getattr__(self, name: str) -> Any:
            told = here(name, OF_MODELS) or here(name, OF_VECTORS)
            if not told and not name.startswith("_") and hasattr(WordVectors, name):
                told = f"; ask its vectors: model.vectors.{name}"
            if not told and name in TrainingOptions.__dataclass_fields__:
                told = f"; its options have it: model.options.{name}"
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{told}", name=name, obj=self)

        def __getitem__(self, _: Any) -> Any:
            # Python asks for 0, too, where a word is looked for with `in`, so what is asked is not named.
            raise TypeError("a model is not looked up in; ask its vectors: model.vectors[word], word in model.vectors")

    # ---- keeping -------------------------------------------------------------------------------

    def save(self, path: AnyPath) -> None:
        """Write the model to one safetensors file: both matrices, words, counts, options and state.

        Raises `CannotWrite`, and `BadOption` for a name that speaks of another format; a file that stood there before
        is replaced only by a whole one.
        """
        check_model_name(path)
        vocabulary, weights = self.vocabulary, self.weights
        grams = {}
        if isinstance(self.vectors, SubwordVectors):
            grams = gram_tensors(self.vectors) | {"own": weights.input}
        stored = StoredModel.of(
            vocabulary.words,
            self._input,
            output=weights.output,
            counts=vocabulary.counts,
            **grams,
            options=self.options.as_dict(),
            state=self.state.as_dict(),
        )
        write_model(path, stored)

    @classmethod
    def load(cls, path: AnyPath) -> Self:
        """Open a saved model; its matrices stay in the file, mapped into memory, until training goes on.

        Until then the file must not be shortened: the system ends a process (SIGBUS) that reads what is gone.

        Raises `MissingFile`, or `BadFile` for what is not a whole model.
        """
        stored = read_trainable(path, "WordVectors.load")
        if stored.output is None or stored.counts is None:
            raise BadFile(
                f"{path} holds vectors without the output matrix or counts, so it cannot be trained on; "
                "open it with WordVectors.load"
            )
        try:
            model = cls(**stored.options)
            state = State.from_dict(dict(stored.state))
        except (TypeError, BadOption) as error:
            raise BadFile(f"{path} holds options or a state that this version cannot read: {error}") from error
        if stored.n_grams != n_grams_of(model.options) or (stored.own is None) != (stored.grams is None):
            raise BadFile(f"{path}: the options of subwords and the rows of n-grams do not agree; write the file anew")
        input = stored.input if stored.own is None else stored.own
        model._set(Vocabulary(tuple(stored.words), stored.counts), Weights(input, stored.output, stored.grams), state)
        if stored.own is not None:
            model._vectors = vectors_in(stored)
        return model


def check_model_name(path: AnyPath) -> None:
    """Raise `BadOption` for a name that other programs would take for another format."""
    suffix = Path(path).suffix.lower()
    if suffix in OTHER_SUFFIXES:
        raise BadOption(
            f"a model is one safetensors file, but {path} ends in {suffix}; name it .safetensors, and write its "
            "vectors in other formats with vectors.save or `firth convert`"
        )


def backend(options: TrainingOptions) -> Backend:
    """The machine that trains. Raises `BadOption` or `MissingExtra` where a GPU is asked for and cannot be had."""
    options, _ = decided(options)
    if options.device == "cuda":
        from firth.backends.gpu import GpuBackend

        return GpuBackend()
    if options.backend == "reference":
        from firth.backends.reference import ReferenceBackend

        return ReferenceBackend()
    if options.loss == "softmax":
        from firth.backends.cpu_softmax import SoftmaxBackend

        return SoftmaxBackend()
    from firth.backends.cpu import CpuBackend

    return CpuBackend()


@contextlib.contextmanager
def encoded(
    corpus: CorpusLike | EncodedCorpus,
    options: CorpusOptions,
    tokenizer: TokenizerLike | None,
    threads: int,
    bar: ProgressBar | None,
) -> Iterator[tuple[EncodedCorpus, float]]:
    """The corpus encoded, and the seconds it took; what was made for this call alone is removed after it."""
    began = time.perf_counter()
    progress = bar.reading() if bar else None
    encoded = encoded_corpus(corpus, options, tokenizer=tokenizer, threads=threads, progress=progress)
    if bar:
        bar.read(encoded.total_tokens)
    seconds = time.perf_counter() - began
    try:
        yield encoded, seconds
    finally:
        if encoded is not corpus:
            encoded.close()
