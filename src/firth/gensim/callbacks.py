"""gensim's callbacks, told by firth's."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from firth.callbacks import Callback, Progress

if TYPE_CHECKING:
    from firth.gensim.word2vec import Word2Vec

logger = logging.getLogger(__name__)


class CallbackAny2Vec:
    """Watches training, and is handed the model each time. Override what you need."""

    def on_epoch_begin(self, model: Word2Vec) -> None:
        """An epoch begins."""

    def on_epoch_end(self, model: Word2Vec) -> None:
        """An epoch is complete; the model holds its vectors and its loss."""

    def on_train_begin(self, model: Word2Vec) -> None:
        """Training begins."""

    def on_train_end(self, model: Word2Vec) -> None:
        """Training is over."""


class Relay(Callback):
    """Tells gensim's callbacks what firth's are told; `refresh` first brings the model up to date.

    That training is over they are told by the model itself, when it is complete.
    """

    def __init__(self, model: Word2Vec, callbacks: Iterable[CallbackAny2Vec], refresh: Callable[[], None]) -> None:
        self._model, self._callbacks, self._refresh = model, list(callbacks), refresh

    def on_train_begin(self, progress: Progress) -> None:  # noqa: ARG002
        """Training, and its first epoch, begin."""
        self._tell("on_train_begin")
        self._tell("on_epoch_begin")

    def on_epoch_end(self, progress: Progress) -> None:
        """An epoch ends, and the next one, if any is left, begins."""
        logger.info(
            "EPOCH %d of %d: %d words so far, %.0f words/s",
            progress.epoch,
            progress.epochs,
            progress.words,
            progress.words_per_second,
        )
        self._refresh()
        self._tell("on_epoch_end")
        if progress.epoch < progress.epochs:
            self._tell("on_epoch_begin")

    def _tell(self, event: str) -> None:
        for callback in self._callbacks:
            getattr(callback, event)(self._model)
