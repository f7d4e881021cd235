"""How long work tells the person who waits how far it is."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

LINE_SECONDS = 5.0

Report = Callable[[str, int, int | None], None]
"""Called with the name of a step, what is done of it, and its total (None: not known)."""


@contextmanager
def progress_bars(console: Console) -> Generator[Report]:
    """One bar per step, in the order in which steps are first named; lines where bars cannot be."""
    if not console.is_terminal:
        yield _lines(console)
        return
    bars = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )
    tasks: dict[str, TaskID] = {}

    def report(step: str, done: int, total: int | None) -> None:
        if step not in tasks:
            tasks[step] = bars.add_task(step, total=total)
        bars.update(tasks[step], completed=done, total=total)

    with bars:
        yield report


def _lines(console: Console) -> Report:
    """A line when a step begins and ends, and now and then between."""
    told: dict[str, tuple[int, float]] = {}

    def report(step: str, done: int, total: int | None) -> None:
        before, when = told.get(step, (-1, 0.0))
        now = time.monotonic()
        if done == before or (done != total and now - when < LINE_SECONDS):
            return
        told[step] = (done, now)
        console.print(f"{step}: {done:,}" + (f" of {total:,}" if total is not None else ""))

    return report
