"""A run as a value: what is run, apart from how many walkers and on which machine."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from ..inputs.wording import shown
from ..model.coefficient import Function
from ..model.functions import check_unchanged, functions_in
from ..model.walk import LatticeWalk
from .counts import Counts, added, union
from .free import are_free, by_site
from .host import Host
from .jump import Jumps
from .machine import Machine
from .occupation import Midway, occupation
from .paths import follow
from .plan import check_memory, check_method, check_records, plan_in
from .record import Counted, Record
from .windows import Tables, Windows

MOST_WALKERS = 1 << 53  # that are counted exactly, also in doubles


def _nothing(fraction: float) -> None:
    """Progress that nobody looks at."""


@dataclass(frozen=True)
class Prepared:
    """What a run needs that does not depend on its seed and its walkers, each part made when it is first needed."""

    walk: LatticeWalk
    steps: tuple[int, ...]
    method: str
    records: tuple[Record, ...]

    @cached_property
    def functions(self) -> tuple[tuple[str, Function], ...]:
        """The Python functions of the declaration, by the names of the arguments."""
        return tuple(functions_in(self))

    @cached_property
    def tables(self) -> Tables:
        """The step tables."""
        return Tables(self.walk, self.steps[-1])

    @property
    def small(self) -> bool:
        """Whether it may be kept after a run: its tables take little memory, and are not made by Python functions, which may read
        what changes where nobody sees it, as by a function of another module."""
        return not self.functions and self.tables.small

    @cached_property
    def jumps(self) -> Jumps | None:
        """The law of the steps between recorded times, for draws from it."""
        return Jumps(self.tables.guessed.table, self.steps) if self.method == "jump" else None


@dataclass(frozen=True)
class Task:
    """A run without its walkers. Counts of any ranges of walkers add up to the run of all of them, wherever they are made:

        sum = task.run(range(0, 10**6)) + task.run(range(10**6, 2 * 10**6))

    A task makes its tables once, for all ranges. It pickles as its declaration, so that it can be sent to other processes.

    Parameters
    ----------
    walk : LatticeWalk
    steps : sequence of int ≥ 0
        The recorded steps, increasing: ``walk.steps(times)``.
    seed : int ≥ 0
    method : "paths", "occupation" or "jump"
    records : sequence of records
        What is kept besides counts of places.

    Raises
    ------
    TypeError, ValueError
        for a method that is unknown or cannot do this run, with the reason; for steps that do not increase, and other arguments
        that are none.

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
        checked_walk(self.walk)
        object.__setattr__(self, "steps", checked_steps(self.steps))
        object.__setattr__(self, "seed", checked_seed(self.seed))
        object.__setattr__(self, "records", checked_records(self.records, "records"))
        check_method(self.method, self.walk, self.records)

    @classmethod
    def asked(
        cls,
        walk: LatticeWalk,
        walkers: range,
        steps: tuple[int, ...],
        seed: int,
        method: str,
        records: tuple[Record, ...],
        part: bool,
    ) -> Task:
        """The task of `walkers` by a method, or by the one that "auto" takes, see :func:`randwalk.run.plan.plan`; with what the
        plan has made, or an earlier task of the walk that differs in the seed."""

        def prepared() -> Prepared:
            if method != "auto":
                return Prepared(walk, steps, method, records)
            check_records(walk, records)
            tables = Tables(walk, steps[-1])
            made = Prepared(walk, steps, plan_in(tables, walkers, steps, records, part).method, records)
            vars(made)["tables"] = tables
            return made

        of_auto = (len(walkers), part) if method == "auto" else ()
        made = walk.kept((steps, method, records, of_auto), prepared, lambda made: made.small)
        task = cls(walk, steps, seed, made.method, records)
        vars(task)["prepared"] = made
        return task

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @cached_property
    def prepared(self) -> Prepared:
        """What does not depend on the seed."""
        return Prepared(self.walk, self.steps, self.method, self.records)

    @property
    def functions(self) -> tuple[tuple[str, Function], ...]:
        """The Python functions of the declaration, by the names of the arguments."""
        return self.prepared.functions

    @cached_property
    def windows(self) -> Windows:
        """The windows that the walkers have needed so far."""
        tables = self.prepared.tables
        if by_site(tables.guessed.table, self.records, self.method):
            return Windows(tables)
        return Windows.reachable(tables)

    def run(self, walkers: int | range, machine: Machine | None = None) -> Counts:
        """The counts of the first `walkers`, or of a range of them, on one thread of this processor or on another `machine`."""
        return self.whole(added(self.stream(walker_range(walkers), machine)))

    def whole(self, counts: Counts) -> Counts:
        """The same counts on the window of the run; those of a batch of walkers without walls are on the sites they need."""
        if not are_free(counts.table, self.records, self.method) or not counts.raw.size:
            return counts
        ends = tuple((first, first + sites - 1) for first, sites in counts.table.window)
        return counts.on(union(self.windows.reaching(ends).table, counts.table))

    def stream(
        self,
        walkers: range,
        machine: Machine | None = None,
        advance: Callable[[float], None] = _nothing,
        midway: Midway | None = None,
        steps: tuple[int, ...] | None = None,
    ) -> Iterator[Counts]:
        """The counts of one batch of the walkers after another, each on a window of its own (:meth:`whole`); `advance` is told of
        each fraction of the work that is done. A run by ``occupation`` is kept `midway`, and may end earlier, at the last of
        other `steps`."""
        check_unchanged(self.functions)
        where = machine or Host()
        shared = (self.windows, walkers, steps or self.steps, self.seed, self.records)
        if self.method == "occupation":
            yield occupation(*shared, where, advance, midway)
            return
        for counts in follow(*shared, self.prepared.jumps, where):
            advance(counts.walkers / len(walkers))
            yield counts

    def seconds(self, walkers: int) -> float:
        """The predicted time on a reference machine."""
        return plan_in(self.prepared.tables, range(walkers), self.steps, self.records, part=False).seconds[self.method]

    def check_memory(self, walkers: int, threads: int) -> None:
        """Refuse a request that cannot fit, before anything runs."""
        check_memory(self.windows.rows, walkers, self.steps, self.records, self.method, threads)


def checked_walk(walk: object) -> LatticeWalk:
    """The walk, if it is one."""
    if not isinstance(walk, LatticeWalk):
        raise TypeError(f"walk = {shown(walk)}: must be a LatticeWalk")
    return walk


def checked_seed(seed: object) -> int:
    """The seed, if it is one."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ValueError(f"seed = {shown(seed)}: must be a whole number ≥ 0")
    return int(seed)


def checked_steps(steps: object) -> tuple[int, ...]:
    """Numbers of steps, if they are whole and increase."""
    try:
        given = tuple(operator.index(step) for step in steps)  # type: ignore[attr-defined]
    except TypeError:
        raise TypeError(f"steps = {shown(steps)}: must be whole numbers, tuple(walk.steps(times))") from None
    if not given or given[0] < 0 or any(b <= a for a, b in pairwise(given)):
        raise ValueError(f"steps = {shown(steps)}: must be at least one, ≥ 0 and increasing")
    return given


def checked_records(records: object, name: str = "record") -> tuple[Record, ...]:
    """The records of the argument `name`, if they are some."""
    if isinstance(records, Counted):
        raise TypeError(f"{name} = {records!r}: give a list, {name}=[{records!r}]")
    if not isinstance(records, (list, tuple)):
        raise TypeError(f"{name} = {shown(records)}: give a list like [FirstPassage()], or leave it out")
    for item in records:
        if not isinstance(item, Counted):
            raise TypeError(
                f"{name} = {shown(item)}: must be FirstPassage(), LastVisit(x), TimePositive(x), Maximum(), …"
            )
    if len(set(records)) < len(records):
        raise ValueError(f"{name} has {list(records)}: each only once")
    return tuple(records)


def walker_range(walkers: object) -> range:
    """The numbers of walkers: the first so many, or those of a range."""
    if isinstance(walkers, range):
        if walkers.step != 1 or not 0 <= walkers.start < walkers.stop:
            raise ValueError(
                f"walkers = {shown(walkers)}: a range must start at 0 or above, have step 1 and not be empty"
            )
        span = walkers
    elif isinstance(walkers, bool) or not isinstance(walkers, (int, np.integer)):
        hint = f"; write {int(walkers)}" if type(walkers) is float and walkers.is_integer() else ""
        raise TypeError(f"walkers = {shown(walkers)}: must be a whole number{hint}")
    else:
        span = range(int(walkers)) if walkers > 0 else range(0)
    if not span:
        raise ValueError(f"walkers = {shown(walkers)}: must be at least 1")
    if span.stop > MOST_WALKERS:
        raise ValueError(f"walkers = {shown(walkers)}: at most 2⁵³ = {MOST_WALKERS} are counted exactly")
    return span
