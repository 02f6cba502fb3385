"""Kernels are called for pieces of the steps, between which a run hears Ctrl-C, also where another thread or process is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

FIRST = 1 << 26  # steps of all walkers in the first piece: some hundredths of a second from a table
COUPLED = 16  # walkers on a lattice that take as long as a coordinate of a walker in continuous space
SOON = 0.6  # seconds after Ctrl-C or an error in which threads and workers end
SHORT, LONG = 0.1, 0.3  # seconds; after a piece that took less or more, the next ones are longer or shorter
ALIGNED = 64  # steps that kernels make together; pieces end at multiples of them


class Ended(Exception):
    """The run of which a thread or a worker makes a part has been ended; `part` is what a worker has made of it, None for
    nothing."""

    def __init__(self, part: Any = None) -> None:
        super().__init__()
        self.part = part


def finished(jobs: Iterable[Future[T]]) -> list[T]:
    """The results of those that are done, and were neither cancelled nor ended."""
    return [job.result() for job in jobs if job.done() and not job.cancelled() and job.exception() is None]


def never() -> bool:
    """The answer where nobody ends a run."""
    return False


def pieces(
    start: int, stop: int, width: int, ended: Callable[[], bool], most: int | None = None
) -> Iterator[tuple[int, int]]:
    """The steps `start` … `stop` - 1 of `width` walkers in pieces of some tenths of a second, and of at most `most` steps:
    (from, to). Where a walker is after the last one does not depend on them.

    Raises
    ------
    Ended
        once the run is `ended`.
    """
    size = max(ALIGNED, FIRST // max(1, width) // ALIGNED * ALIGNED)
    while start < stop:
        if ended():
            raise Ended
        end = min((start + size) // ALIGNED * ALIGNED, start + (most or size), stop)
        begun = time.perf_counter()
        yield start, end
        took = time.perf_counter() - begun
        if took < SHORT:
            size *= 2
        elif took > LONG:
            size = max(ALIGNED, size // 2 // ALIGNED * ALIGNED)
        start = end
