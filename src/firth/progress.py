"""The progress bar: words per second, loss and time left, on standard error, where that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from firth.callbacks import Callback, Progress


def wants_progress(asked: bool | None) -> bool:
    """Whether to show a bar: as asked, or else where standard error is a terminal."""
    return sys.stderr.isatty() if asked is None else asked


class ProgressBar(Callback):
    """Shows reading, then training, with rich."""

    every_words = 100_000

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bars

        self._bars = Bars(
            TextColumn("{task.description:<14}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[share]}"),
            TextColumn("{task.fields[note]}"),
            console=Console(stderr=True),
        )
        self._task: Any = None

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
        self.on_words(progress)

    def on_words(self, progress: Progress) -> None:
        """Move the bar on."""
        epoch = f"epoch {min(progress.epoch + 1, progress.epochs)} of {progress.epochs}"
        self._move(progress.words, progress.total_words, _note(progress), description=epoch)

    def on_epoch_end(self, progress: Progress) -> None:
        """Leave a line for the epoch."""
        held_out = "" if progress.held_out_loss is None else f", held out {progress.held_out_loss:.4f}"
        self._bars.console.print(f"epoch {progress.epoch}: loss {progress.loss:.4f}{held_out}", highlight=False)
        self.on_words(progress)

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
    return f"{progress.words_per_second / 1e6:.2f} M words/s{loss}{time_left}"


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
