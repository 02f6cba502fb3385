"""A run as a value: what is run, apart from how many walkers and on which machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from ..kernels.backend import Machine
from ..model.walk import LatticeWalk
from .counts import Counts, added
from .host import Host
from .occupation import occupation
from .paths import Jumps, Stride, follow, step_by_step
from .plan import check_method
from .record import Record
from .windows import Windows


def _nothing(fraction: float) -> None:
    """Progress that nobody looks at."""


@dataclass(frozen=True)
class Task:
    """A run without its walkers. Counts of any ranges of walkers add up to the run of all of them, wherever they are made:

        sum = task.run(range(0, 10**6)) + task.run(range(10**6, 2 * 10**6))

    A task makes its tables once, for all ranges. It pickles as its declaration, so that it can be sent to other processes.

    Parameters
    ----------
    walk : LatticeWalk
    steps : tuple of int
        The recorded steps, increasing: ``tuple(walk.steps(times))``.
    seed : int ≥ 0
    method : "paths", "occupation" or "jump"
    records : tuple of records
        What is kept besides counts of places.

    Raises
    ------
    ValueError
        for a method that is unknown or cannot do this run, with the reason.

    Examples
    --------
    >>> import randwalk as rw
    >>> walk = rw.LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0)
    >>> task = Task(walk, steps=(100,), seed=1, method="paths")
    >>> counts = task.run(range(5_000, 10_000)) + task.run(range(5_000))
    >>> rw.Ensemble(task, counts).mean(100)
    -0.2164 ± 0.1
    """

    walk: LatticeWalk
    steps: tuple[int, ...]
    seed: int
    method: str
    records: tuple[Record, ...] = ()

    def __post_init__(self) -> None:
        check_method(self.method, self.walk, self.records)

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @cached_property
    def windows(self) -> Windows:
        """The step tables, each made when it is first needed."""
        return Windows(self.walk, self.steps[-1])

    @cached_property
    def _stride(self) -> Stride:
        return Jumps(self.windows.rows.table, self.steps) if self.method == "jump" else step_by_step

    def run(self, walkers: range, machine: Machine | None = None) -> Counts:
        """The counts of a range of walkers, on one thread of this processor or on another `machine`."""
        return added(self.stream(walkers, machine))

    def stream(
        self, walkers: range, machine: Machine | None = None, advance: Callable[[float], None] = _nothing
    ) -> Iterator[Counts]:
        """The counts of one batch of the walkers after another; `advance` is told of each fraction of the work that is done."""
        where = machine or Host()
        shared = (self.windows, walkers, self.steps, self.seed, self.records)
        if self.method == "occupation":
            yield occupation(*shared, where, advance)
            return
        for counts in follow(*shared, self._stride, where):
            advance(counts.walkers / len(walkers))
            yield counts
