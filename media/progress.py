"""Progress of long jobs: a callback for the library, a bar for terminals."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

__all__ = ["Progress", "no_progress", "progress_bar"]


class Progress(Protocol):
    """Called as work goes on."""

    def __call__(self, step: str, done: int, total: int | None) -> None:
        """Report that ``done`` of ``total`` units (``None``: unknown) of ``step`` are finished."""


def no_progress(step: str, done: int, total: int | None) -> None:
    """Report nothing; the default of every function that takes a ``progress``."""


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Show one bar per step on standard error, on a terminal only.

    Yields:
        A :class:`Progress` to hand to library functions.
    """
    if not sys.stderr.isatty():
        yield no_progress
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with RichProgress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks = {}

        def report(step: str, done: int, total: int | None) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=total)
            bars.update(tasks[step], completed=done, total=total)

        yield report
