"""A bar that tells how far some work is, on standard error, where that is a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

MOVES_EVERY_SECONDS = 0.1


def wants_progress(asked: bool | None) -> bool:
    """Whether to show a bar: as asked, or else where standard error is a terminal."""
    return sys.stderr.isatty() if asked is None else asked


def bars() -> Any:
    """Bars of rich as firth draws them: tasks have a `share` and a `note` to show."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bars

    return Bars(
        TextColumn("{task.description:<14}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[share]}"),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
    )


class Counting:
    """Shows how many of `total` things are done, with rich; nothing where not `shown`."""

    def __init__(self, what: str, total: int, things: str, *, shown: bool) -> None:
        self._total, self._things = total, things
        self._moved = 0.0
        self._bars: Any = None
        if shown:
            self._bars = bars()
            self._task = self._bars.add_task(what, total=total, share="", note="")
            self._bars.start()

    def move(self, done: int) -> None:
        """So many are done; drawn some times a second."""
        if self._bars is None or (done < self._total and time.monotonic() - self._moved < MOVES_EVERY_SECONDS):
            return
        self._moved = time.monotonic()
        share = f"{100 * done / self._total:>3.0f} %" if self._total else ""
        note = f"{done:,} of {self._total:,} {self._things}"
        self._bars.update(self._task, completed=done, share=share, note=note)

    def tell(self, line: str) -> None:
        """Leave a line above the bar."""
        if self._bars is not None:
            self._bars.console.print(line, highlight=False)

    def close(self) -> None:
        """End the thread that draws."""
        if self._bars is not None:
            self._bars.stop()


@contextmanager
def counting(what: str, total: int, things: str, asked: bool | None) -> Iterator[Counting]:
    """A bar for `total` things, where one is wanted, taken down whatever happens."""
    bar = Counting(what, total, things, shown=wants_progress(asked))
    try:
        yield bar
    finally:
        bar.close()
