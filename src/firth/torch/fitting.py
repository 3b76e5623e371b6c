"""Training a module: batches of a corpus through it, epoch by epoch, with any optimiser."""

from __future__ import annotations

import contextlib
import inspect
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal

import torch
from torch.optim import SGD, Adagrad, Adam, Optimizer, SparseAdam
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from firth.bar import wants_progress
from firth.callbacks import Callback, Progress, Watchers, check_callbacks
from firth.corpus import EncodedCorpus
from firth.corpus.sources import CorpusLike
from firth.corpus.tokenizers import TokenizerLike
from firth.errors import BadCorpus, BadOption, Diverged
from firth.options import CorpusOptions, whole
from firth.progress import ProgressBar
from firth.torch.batches import Batches
from firth.torch.words import WordModule
from firth.training import NOTHING_TO_TRAIN_ON, interruptible
from firth.vocabulary import Vocabulary, check_vocabulary, trained_words
from firth.word2vec import encoded

TAKE_SPARSE = (SGD, Adagrad, SparseAdam)  # of PyTorch's own optimisers
WHAT_OPTIMISES = "optimizer must be a torch.optim.Optimizer, or what makes one of parameters"
BATCHES_BETWEEN_READINGS = 64  # of the loss: reading it makes the CPU wait for the device


@dataclass(frozen=True)
class Fitted:
    """What a `fit` did.

    losses: the mean loss per example of each epoch, a pair of centre and context for skip-gram, a window for CBOW;
    held_out_losses: the same on held-out sentences. words: tokens of the vocabulary trained. seconds: of training.
    finished: whether it came to its end, or was stopped.
    """

    losses: tuple[float, ...]
    held_out_losses: tuple[float, ...]
    words: int
    seconds: float
    finished: bool


def fit(
    module: WordModule,
    corpus: CorpusLike | EncodedCorpus,
    *,
    optimizer: Optimizer | Callable[[Iterable[torch.nn.Parameter]], Optimizer] | None = None,
    scheduler: Callable[[Optimizer], LRScheduler] | None = None,
    epochs: int | None = None,
    first_epoch: int = 0,
    batch_size: int = 1024,
    shuffle: int = 0,
    reduction: Literal["sum", "mean"] = "sum",
    clip: float | None = None,
    device: torch.device | str = "auto",
    tokenizer: TokenizerLike | None = None,
    vocabulary: Vocabulary | None = None,
    callbacks: Sequence[Callback] = (),
    progress: bool | None = None,
    **reading: Any,
) -> Fitted:
    """Train a module on a corpus, in place, and tell how the loss fell.

    Args:
        module: a `SkipGram`, `CBOW`, `FeedForwardCBOW`, or what else derives from `WordModule`.
        corpus: what `Word2Vec.fit` takes.
        optimizer: a class, or whatever makes an optimiser of parameters (`functools.partial(Adam, lr=0.01)`), or one
            that is made already. Adam if not given; for a module with sparse gradients SparseAdam, or Adagrad where
            some are dense.
        scheduler: what makes a scheduler of the optimiser; it steps after each epoch.
        epochs: passes over the corpus; the module's option if not given.
        first_epoch: the number of the first one. Draws differ from epoch to epoch: to go on after 5, give 5.
        batch_size: windows in a batch, or pairs; see `Batches`.
        shuffle: train so many at a time in another order than the corpus's.
        reduction: what of a batch the optimiser descends, the sum of its examples' losses or their mean. One window's
            sum is the reference's step. With SGD, rates that are right for it are too high for a batch of hundreds,
            whose gradients meet on frequent words; Adam's and Adagrad's steps hardly depend on it.
        clip: shorten the gradient of all parameters together to this length where it is longer.
        device: "auto", which is CUDA's where there is one and else the CPU; or any of PyTorch's.
        tokenizer: how strings are cut, as for `Word2Vec.fit`.
        vocabulary: words to train, where the module has none yet, instead of those counted in the corpus.
        callbacks: who watches; see `Callback`.
        progress: show a progress bar on standard error; by default, where that is a terminal.
        **reading: further options of `CorpusOptions`: encoding_errors, column, cache.

    Raises:
        MissingFile, CannotRead, BadCorpus, CannotWrite: the corpus cannot be read, trained on, or encoded.
        BadOption: what is no module; an option out of range; a device that is not there; an optimiser that does not
            take the module's gradients.
        Diverged: the loss is no longer a number; the module is spoilt.

    Ctrl-C and `StopTraining` end it after the batch under way, with what is trained kept.
    """
    check_callbacks(callbacks)
    check_vocabulary(vocabulary)
    if not isinstance(module, WordModule):
        raise BadOption(
            f"module must be a SkipGram, CBOW or FeedForwardCBOW, got {type(module).__name__}; derive your own from "
            "firth.torch.WordModule"
        )
    if module.is_built and vocabulary is not None and vocabulary != module.vocabulary:
        raise BadOption("the module has other words than the vocabulary given; leave it out, or make a new module")
    if reduction not in ("sum", "mean"):
        raise BadOption(f"reduction must be sum or mean, got {reduction!r}")
    if clip is not None and (isinstance(clip, bool) or not isinstance(clip, Real) or not clip > 0):
        raise BadOption(f"clip must be a number above 0, got {clip!r}; use None not to clip")
    epochs = whole("epochs", module.options.epochs if epochs is None else epochs, at_least=1)
    first_epoch = whole("first_epoch", first_epoch, at_least=0)
    place = usable_device(device)
    options = CorpusOptions.from_dict(reading)
    bar = ProgressBar() if wants_progress(progress) else None
    with (
        contextlib.closing(bar) if bar else contextlib.nullcontext(),
        encoded(corpus, options, tokenizer, module.options.threads, bar) as (text, _),
    ):
        if not module.is_built:
            module.build(trained_words(text, module.options, vocabulary)[0])
        batches = Batches(text, module.vocabulary, module.options, batch_size=batch_size, shuffle=shuffle)
        module.to(place)
        descent = _Descent(module, _made(optimizer, module), reduction, clip)
        run = _Run(
            module,
            batches,
            descent,
            scheduler(descent.optimizer) if scheduler else None,
            range(first_epoch, first_epoch + epochs),
            [*callbacks, *([bar] if bar else [])],
        )
        return run.train()


def usable_device(device: torch.device | str) -> torch.device:
    """The device asked for; `BadOption` where it cannot be used."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        asked = torch.device(device)
        torch.empty(0, device=asked)
    except (RuntimeError, AssertionError, TypeError) as error:  # builds without CUDA say so by an assertion
        reason = str(error).splitlines()[0]
        raise BadOption(f"the device {str(device)!r} cannot be used: {reason}; use 'cpu', or 'auto'") from error
    if asked.type == "meta":
        raise BadOption("the device 'meta' cannot be used: its tensors hold no numbers; use 'cpu', or 'auto'")
    return asked


def _made(given: Any, module: WordModule) -> Optimizer:
    """The optimiser, made of the module's parameters if it is not made yet; `BadOption` where they do not fit."""
    if given is None:
        given = _usual(module)
    if not callable(given) and not isinstance(given, Optimizer):
        raise BadOption(f"{WHAT_OPTIMISES}, got {given!r}; give a class, such as torch.optim.Adam")
    optimizer = given if isinstance(given, Optimizer) else given(list(module.parameters()))
    if not isinstance(optimizer, Optimizer):
        raise BadOption(f"{WHAT_OPTIMISES}, got what makes {optimizer!r}; give a class, such as torch.optim.Adam")
    held = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    if not any(id(parameter) in held for parameter in module.parameters()):
        raise BadOption("the optimizer has none of the module's parameters; give its class, and fit makes it")
    _check_step(optimizer)
    _check_gradients(optimizer, module)
    return optimizer


def _usual(module: WordModule) -> type[Optimizer]:
    """The optimiser where none is given: SparseAdam takes sparse gradients alone, Adagrad both kinds."""
    if not module.sparse:
        return Adam
    return SparseAdam if _all_sparse(module) else Adagrad


def _check_step(optimizer: Optimizer) -> None:
    """Refuse what computes the loss of a batch several times in a step, as LBFGS does."""
    name = type(optimizer).__name__
    closure = inspect.signature(type(optimizer).step).parameters.get("closure")
    if closure is not None and closure.default is inspect.Parameter.empty:
        raise BadOption(f"{name} needs a closure to compute the loss anew, which fit does not give; use Adam or SGD")


def _check_gradients(optimizer: Optimizer, module: WordModule) -> None:
    """Refuse an optimiser that does not take the module's sparse, or dense, gradients."""
    name = type(optimizer).__name__
    if isinstance(optimizer, SparseAdam) and not _all_sparse(module):
        others = "Adagrad or SGD" if module.sparse else "Adam or Adagrad"
        raise BadOption(f"{name} takes sparse gradients alone, and this module has dense ones; use {others}")
    of_pytorch = type(optimizer).__module__.startswith("torch.optim")
    if not module.sparse or not of_pytorch:
        return
    if not isinstance(optimizer, TAKE_SPARSE):
        raise BadOption(f"{name} takes no sparse gradients; make the module with sparse=False, or use Adagrad or SGD")
    decay = next((group["weight_decay"] for group in optimizer.param_groups if group.get("weight_decay")), None)
    if decay is not None:
        raise BadOption(
            f"{name} takes no sparse gradients with weight_decay, got {decay!r}; leave it out, or make the module with "
            "sparse=False"
        )


def _all_sparse(module: WordModule) -> bool:
    """Whether no parameter has dense gradients: layers have, and all output rows under full softmax."""
    sparse = {id(each.weight) for each in module.modules() if isinstance(each, torch.nn.Embedding) and each.sparse}
    return module.options.loss != "softmax" and all(id(each) in sparse for each in module.parameters())


class _Descent:
    """One step after another down the gradient."""

    def __init__(self, module: WordModule, optimizer: Optimizer, reduction: str, clip: float | None) -> None:
        self.module, self.optimizer = module, optimizer
        self.reduction, self.clip = reduction, clip

    def step(self, loss: torch.Tensor, examples: int) -> None:
        """Descend from the summed loss of so many examples."""
        self.optimizer.zero_grad()
        (loss / examples if self.reduction == "mean" else loss).backward()
        if self.clip is not None:
            shorten([each.grad for each in self.module.parameters() if each.grad is not None], self.clip)
        self.optimizer.step()

    @property
    def rate(self) -> float:
        return float(self.optimizer.param_groups[0]["lr"])


@torch.no_grad()
def shorten(gradients: Sequence[torch.Tensor], length: float) -> None:
    """Scale gradients, dense and sparse, so that together they are no longer than `length` (Pascanu et al. 2013).

    PyTorch's own `clip_grad_norm_` takes no sparse ones.
    """
    parts = [each.coalesce().values() if each.is_sparse else each for each in gradients]
    norms = [torch.linalg.vector_norm(part) for part in parts]
    whole = torch.linalg.vector_norm(torch.stack(norms))
    factor = (length / whole).clamp(max=1.0)
    for gradient in gradients:
        gradient.mul_(factor)


class _Sum:
    """Losses of batches added up in float64, read from the device now and then."""

    def __init__(self) -> None:
        self.examples = self.words = 0
        self._read = 0.0
        self._waiting: list[torch.Tensor] = []

    def add(self, loss: torch.Tensor, examples: int, words: int) -> None:
        self.examples += examples
        self.words += words
        self._waiting.append(loss.detach())
        if len(self._waiting) == BATCHES_BETWEEN_READINGS:
            self.read()

    def read(self) -> float:
        if self._waiting:
            self._read += float(torch.stack(self._waiting).cpu().double().sum())
            self._waiting = []
        return self._read

    @property
    def mean(self) -> float:
        return self.read() / self.examples if self.examples else math.nan


class _Run:
    """One call of `fit`: its clock, its sums, and who watches."""

    def __init__(
        self,
        module: WordModule,
        batches: Batches,
        descent: _Descent,
        scheduler: LRScheduler | None,
        epochs: range,
        callbacks: Sequence[Callback],
    ) -> None:
        self.module, self.batches, self.descent = module, batches, descent
        self.scheduler, self.epochs = scheduler, epochs
        self.watchers = Watchers(callbacks, self.progress)
        self.device = next(module.parameters()).device
        self.losses: list[float] = []
        self.held_out_losses: list[float] = []
        self.words = 0  # of finished epochs
        self.sum = _Sum()

    def train(self) -> Fitted:
        self.began = time.perf_counter()
        self.module.train()
        with interruptible() as interrupted, sparse_tensors_unchecked():
            self.watchers.tell("on_train_begin")
            for epoch in self.epochs:
                if self.watchers.stopped or not self.train_epoch(epoch, interrupted.is_set):
                    break
            self.watchers.tell("on_train_end")
        finished = len(self.losses) == len(self.epochs)
        words, seconds = self.words_so_far(), self.seconds()
        return Fitted(tuple(self.losses), tuple(self.held_out_losses), words, seconds, finished)

    def train_epoch(self, epoch: int, interrupted: Callable[[], bool]) -> bool:
        """Train an epoch; whether it came to its end."""
        self.sum = _Sum()
        for batch in self.batches.of_epoch(epoch):
            examples = self.module.examples(batch)
            loss = self.module(batch.to(self.device))
            self.descent.step(loss, examples)
            self.sum.add(loss, examples, batch.words)
            self.watchers.tell_words(self.words_so_far())
            if interrupted() or self.watchers.stopped:
                return False
        self.end_epoch()
        return True

    def end_epoch(self) -> None:
        loss = self.sum.mean
        if not self.sum.examples and not self.losses:
            raise BadCorpus(NOTHING_TO_TRAIN_ON)
        if self.sum.examples and not math.isfinite(loss):
            raise Diverged(
                f"the loss of epoch {len(self.losses) + 1} is {loss} (rate {self.descent.rate:g}, batches of "
                f"{self.batches.batch_size:,}); make a new module, and give a lower rate, clip, or reduction='mean'"
            )
        if self.module.options.held_out:
            self.held_out_losses.append(self.measure_held_out())
        self.losses.append(loss)
        self.words, self.sum = self.words_so_far(), _Sum()
        if isinstance(self.scheduler, ReduceLROnPlateau):
            self.scheduler.step(self.held_out_losses[-1] if self.held_out_losses else loss)
        elif self.scheduler:
            self.scheduler.step()
        self.watchers.tell("on_epoch_end")

    @torch.no_grad()
    def measure_held_out(self) -> float:
        """The mean loss on the sentences held out: the same windows and noise after every epoch."""
        total = _Sum()
        self.module.eval()
        for batch in self.batches.of_epoch(0, held_out=True):
            total.add(self.module(batch.to(self.device)), self.module.examples(batch), 0)
        self.module.train()
        if not total.examples:
            raise BadOption(
                f"held_out is {self.module.options.held_out}: it left no sentence to measure a loss on; raise it, or "
                "set it to 0"
            )
        return total.mean

    # ---- measuring -----------------------------------------------------------------------------

    def seconds(self) -> float:
        return time.perf_counter() - self.began

    def words_so_far(self) -> int:
        return self.words + self.sum.words

    def progress(self) -> Progress:
        words, seconds = self.words_so_far(), self.seconds()
        between = self.sum.examples == 0 and self.losses
        return Progress(
            epoch=len(self.losses),
            epochs=len(self.epochs),
            words=words,
            total_words=self.batches.total_words * len(self.epochs),
            loss=self.losses[-1] if between else self.sum.mean,
            held_out_loss=self.held_out_losses[-1] if self.held_out_losses else None,
            alpha=self.descent.rate,
            seconds=seconds,
            words_per_second=words / seconds if seconds > 0 else 0.0,
            _vectors=self.module.vectors,
        )


@contextlib.contextmanager
def sparse_tensors_unchecked() -> Iterator[None]:
    """What PyTorch's sparse gradients are made of needs no check; PyTorch warns where nobody says whether to."""
    with torch.sparse.check_sparse_tensor_invariants(False):
        yield
