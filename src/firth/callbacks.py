"""Who watches training, and what they see of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from firth.errors import BadOption
from firth.vectors import WordVectors


class StopTraining(Exception):
    """Raised by a callback to end training cleanly, keeping what is trained."""


@dataclass(frozen=True)
class Progress:
    """A moment of training, as callbacks see it.

    epoch: the one under way, from 0. words: trained so far, out of total_words. loss: mean per example in this epoch.
    alpha: the learning rate now. seconds, words_per_second: of training alone, in this call; when full softmax begins,
    words_per_second is what it will be, as measured just before.
    """

    epoch: int
    epochs: int
    words: int
    total_words: int
    loss: float
    held_out_loss: float | None
    alpha: float
    seconds: float
    words_per_second: float
    _vectors: Callable[[], WordVectors] = field(repr=False)

    @property
    def seconds_left(self) -> float:
        """How long the rest will take at this speed; infinite before anything is measured."""
        left = self.total_words - self.words
        return left / self.words_per_second if self.words_per_second else float("inf")

    def vectors(self) -> WordVectors:
        """A copy of the vectors as they stand now; waits for the chunks under way."""
        return self._vectors()


class Callback:
    """Watches training. Override what you need; raise `StopTraining` to end the run cleanly.

    `every_words` says how often `on_words` is called: after about so many words of training.
    """

    every_words: int | None = None

    def on_train_begin(self, progress: Progress) -> None:
        """Everything is ready; nothing is trained yet."""

    def on_words(self, progress: Progress) -> None:
        """Some `every_words` more words are trained."""

    def on_epoch_end(self, progress: Progress) -> None:
        """An epoch is complete, and its loss known."""

    def on_train_end(self, progress: Progress) -> None:
        """Training is over, or was stopped."""


class Watchers:
    """The callbacks of a run. `stopped` says whether one of them raised `StopTraining`."""

    def __init__(self, callbacks: Sequence[Callback], progress: Callable[[], Progress]) -> None:
        self.stopped = False
        self._callbacks, self._progress = callbacks, progress
        self._next_call = {id(each): each.every_words for each in callbacks if each.every_words}

    def tell(self, event: str) -> None:
        """Call the method `event` of each."""
        if self._callbacks:
            self._tell(self._callbacks, event)

    def tell_words(self, trained: int) -> None:
        """Call `on_words` of those whose `every_words` is reached, `trained` being the words of this run so far."""
        for callback in self._callbacks:
            due = self._next_call.get(id(callback))
            if due is not None and callback.every_words and trained >= due:
                self._next_call[id(callback)] = trained - trained % callback.every_words + callback.every_words
                self._tell([callback], "on_words")

    def _tell(self, callbacks: Sequence[Callback], event: str) -> None:
        progress = self._progress()
        for callback in callbacks:
            try:
                getattr(callback, event)(progress)
            except StopTraining:
                self.stopped = True


def check_callbacks(callbacks: Sequence[Callback]) -> None:
    """Raise `BadOption` for what is no list of callbacks, before any work is done."""
    for callback in [callbacks] if isinstance(callbacks, Callback) else callbacks:
        if not isinstance(callback, Callback) or isinstance(callbacks, Callback):
            raise BadOption(
                f"callbacks must be a list of firth.Callback objects, got {callbacks!r}; derive yours from that class"
            )
        if callback.every_words is not None and callback.every_words < 1:
            raise BadOption(f"every_words must be 1 or more, got {callback.every_words}; use None for no calls")
