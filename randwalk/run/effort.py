"""The means of a run, on which its results do not depend."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..jit.compile import DeviceError
from .devices import choose
from .executor import check_executor
from .machine import Machine
from .pieces import Ended
from .threads import share

REMEDY = "give workers a GPU, or take backend='auto', by which each worker takes what it has"


@dataclass(frozen=True)
class Effort:
    """The number of threads at most, whether a progress bar is shown, the backend and its devices, and the executor whose workers
    do it, each range of walkers on one thread unless more are given."""

    threads: int | None = None
    progress: bool = False
    backend: str = "cpu"
    devices: Sequence[int] | None = None
    executor: Any = None

    def __post_init__(self) -> None:
        if self.executor is not None:
            check_executor(self.executor)

    @contextmanager
    def machine(self, seconds: float, method: str, ended: Callable[[], bool]) -> Iterator[Machine]:
        """That of this process, for work of so many predicted seconds."""
        with share(self.threads) as threads:
            yield choose(self.backend, self.devices, seconds, threads, method, ended)


@dataclass(frozen=True)
class Portions:
    """What workers of an executor do: ranges of walkers of a task."""

    task: Any
    threads: int
    backend: str
    devices: Sequence[int] | None

    @property
    def shared(self) -> tuple[Any, ...]:
        walk = self.task.walk
        return (walk, walk.domain, *self.task.records)

    @contextmanager
    def machine(self, walkers: int, ended: Callable[[], bool]) -> Iterator[Machine]:
        """That of a worker, for so many walkers."""
        seconds = self.task.seconds(walkers) if self.backend == "auto" else 0.0
        with share(self.threads) as threads:
            try:
                machine = choose(self.backend, self.devices, seconds, threads, self.task.method, ended)
            except DeviceError as error:
                raise DeviceError(
                    f"a worker of the executor, on {platform.node() or 'its machine'}: {error}; {REMEDY}"
                ) from None
            yield machine

    def __call__(self, walkers: range, ended: Callable[[], bool]) -> Any:
        made: Any = None
        with self.machine(len(walkers), ended) as machine:
            try:
                for counts in self.task.stream(walkers, machine):
                    made = counts if made is None else made + counts
            except (Ended, KeyboardInterrupt):  # a terminal sends Ctrl-C to processes, too
                raise Ended(made) from None
            return made
