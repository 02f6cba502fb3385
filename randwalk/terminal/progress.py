"""Progress bars for long work. They are on standard error, so that standard output has the results alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress

DELAY: Final = 1.0  # seconds of work in stages after which there is a bar

T = TypeVar("T")

Advance: TypeAlias = Callable[[float], None]  # to call with the amount of work just done
Stages: TypeAlias = Callable[[str, float], Advance]  # to call with the name and the amount of work of each stage


@contextmanager
def progress_bar(description: str, total: float, shown: bool) -> Iterator[Advance]:
    """Yields a function to call with the amount of work just done."""
    if not shown:
        yield _nothing
        return
    with _bar() as progress:
        task = progress.add_task(description, total=total)
        yield lambda done: progress.advance(task, done)


def unseen(name: str, total: float) -> Advance:
    """Stages of work that shows no bar."""
    return _nothing


def told(parts: Iterable[T], advance: Advance) -> Iterator[T]:
    """The `parts` of a stage, each told when the next one is asked for."""
    for part in parts:
        yield part
        advance(1.0)


@contextmanager
def stages_bar(shown: bool) -> Iterator[Stages]:
    """A bar of work in stages of which nobody knows how many there will be; it begins anew with each of them. Work that is done
    within :data:`DELAY` shows none."""
    if not shown:
        yield unseen
        return
    progress, shows = _bar(), time.monotonic() + DELAY
    task = progress.add_task("")

    def show() -> None:
        if not progress.live.is_started and time.monotonic() > shows:
            progress.start()

    def begin(name: str, total: float) -> Advance:
        progress.reset(task, total=total, description=name)
        show()
        return advance

    def advance(done: float) -> None:
        progress.advance(task, done)
        show()

    try:
        yield begin
    finally:
        if progress.live.is_started:  # else rich ends a line that was never begun
            progress.stop()


def _nothing(done: float) -> None:
    """What is done with the amount of work where no bar is shown."""


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=True), transient=True)
