"""The progress bar: words per second, loss and time left, on standard error, where that is a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from firth.bar import MOVES_EVERY_SECONDS, bars, wants_progress
from firth.callbacks import Callback, Progress

LONG_SECONDS = 300.0
SLOW_WORDS_PER_SECOND = 100_000


def shown(asked: bool | None) -> tuple[ProgressBar | None, list[Callback]]:
    """The bar, if there is to be one, and all who show how training goes: nobody where `asked` is False."""
    if wants_progress(asked):
        bar = ProgressBar()
        return bar, [bar]
    return None, [] if asked is False else [TellsLongRuns()]


def long_run(progress: Progress) -> str:
    """A sentence for what will take long, where that is known before it begins; else nothing."""
    left = progress.seconds_left
    if not LONG_SECONDS < left < float("inf"):
        return ""
    return (
        f"this will take about {_duration(left)} (hours:minutes:seconds), at {speed(progress.words_per_second)} "
        "as just measured; Ctrl-C ends it and keeps what is trained"
    )


class TellsLongRuns(Callback):
    """Says on standard error, before training, that it will take long: for where no bar is shown."""

    def on_train_begin(self, progress: Progress) -> None:
        """Say so, if it will."""
        if told := long_run(progress):
            print(f"firth: {told}", file=sys.stderr)


class ProgressBar(Callback):
    """Shows reading, then training, with rich."""

    every_words = 2_000

    def __init__(self) -> None:
        self._bars = bars()
        self._task: Any = None
        self._moved = 0.0

    def reading(self) -> Callable[[int, int | None, int], None]:
        """Show that text is read; gives the function to call with (bytes read, bytes in all, tokens so far)."""
        self._bars.start()
        self._task = self._bars.add_task("reading", total=None, note="", share="")

        def show(read: int, total: int | None, tokens: int) -> None:
            self._move(read, total, f"{tokens / 1e6:,.1f} M tokens")

        return show

    def read(self, tokens: int) -> None:
        """Reading is over; what comes before training begins to show."""
        self._move(1, 1, f"{tokens / 1e6:,.1f} M tokens")
        self._task = self._bars.add_task("preparing", total=None, note="(compiling, the first time)", share="")

    def _move(self, done: int, total: int | None, note: str, **more: Any) -> None:
        share = f"{100 * done / total:>3.0f} %" if total else ""
        self._bars.update(self._task, total=total, completed=done, share=share, note=note, **more)

    def on_train_begin(self, progress: Progress) -> None:
        """Begin the bar of training."""
        self._bars.start()
        if self._task is not None:
            self._move(1, 1, "")
        self._task = self._bars.add_task("training", total=progress.total_words, note="", share="")
        if told := long_run(progress):
            self._bars.console.print(told, highlight=False)
        self._show(progress)

    def on_words(self, progress: Progress) -> None:
        """Move the bar on, some times a second."""
        if time.monotonic() - self._moved > MOVES_EVERY_SECONDS:
            self._show(progress)

    def _show(self, progress: Progress) -> None:
        self._moved = time.monotonic()
        epoch = f"epoch {min(progress.epoch + 1, progress.epochs)} of {progress.epochs}"
        self._move(progress.words, progress.total_words, _note(progress), description=epoch)

    def on_epoch_end(self, progress: Progress) -> None:
        """Leave a line for the epoch."""
        held_out = "" if progress.held_out_loss is None else f", held out {progress.held_out_loss:.4f}"
        self._bars.console.print(f"epoch {progress.epoch}: loss {progress.loss:.4f}{held_out}", highlight=False)
        self._show(progress)

    def on_train_end(self, progress: Progress) -> None:
        """Take the bar down."""
        self._bars.update(self._task, note=_note(progress))
        self.close()

    def close(self) -> None:
        """End the thread that draws, whatever happened."""
        if self._bars.live.is_started:
            self._bars.stop()


def _note(progress: Progress) -> str:
    left = progress.seconds_left
    time_left = f", {_duration(left)} left" if 0 < left < float("inf") else ""
    loss = f", loss {progress.loss:.4f}" if progress.loss == progress.loss else ""
    return f"{speed(progress.words_per_second)}{loss}{time_left}"


def speed(words_per_second: float) -> str:
    """Words a second, to read."""
    slow = words_per_second < SLOW_WORDS_PER_SECOND
    return f"{words_per_second:,.0f} words/s" if slow else f"{words_per_second / 1e6:.2f} M words/s"


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
