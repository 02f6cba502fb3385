"""Counts of walkers: what every part of a run gives, and what adds up to the run."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..tables.table import StepTable
from .record import Record
from .results import Recorded

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Counts:
    """Whole numbers of walkers of some ranges. Counts of one run add, in any order and on any windows of sites.

    Attributes
    ----------
    table : StepTable
        The window of sites that holds the walkers.
    steps : tuple of int
        The recorded steps.
    parts : tuple of range
        The walkers, in increasing order.
    raw : NDArray[np.int64], shape (times, cells)
        Walkers on each cell of the layout: on the sites, at the exits, and killed.
    records : dict
        The result of each record.
    seed : int
    method : "paths", "occupation" or "jump"
        Each part of ``occupation`` is one sample, drawn as a whole. Such parts stay apart; others that are neighbours become one.

    Examples
    --------
    >>> import randwalk as rw
    >>> from randwalk.run.task import Task
    >>> task = Task(rw.LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0), steps=(2,), seed=1, method="paths")
    >>> both = task.run(range(400, 1000)) + task.run(range(400))
    >>> both.parts, (both.raw == task.run(range(1000)).raw).all()
    ((range(0, 1000),), np.True_)
    """

    table: StepTable
    steps: tuple[int, ...]
    parts: tuple[range, ...]
    raw: NDArray[np.int64]
    records: dict[Record, Recorded]
    seed: int = 0
    method: str = "paths"

    @property
    def walkers(self) -> int:
        """How many walkers are counted, also those that have left the domain."""
        return sum(map(len, self.parts))

    def __add__(self, other: Counts) -> Counts:
        """The walkers of both.

        Raises
        ------
        ValueError
            for counts of different walks, steps, seeds, methods or records, or of the same walkers.
        """
        if not isinstance(other, Counts):
            return NotImplemented
        if (self.table.walk, self.steps) != (other.table.walk, other.steps):
            raise ValueError("counts of different walks or of different steps do not add")
        for name in ("seed", "method"):
            if getattr(self, name) != getattr(other, name):
                raise ValueError(
                    f"counts of different {name}s do not add: {getattr(self, name)} and {getattr(other, name)}"
                )
        if self.records.keys() != other.records.keys():
            raise ValueError(f"counts of different records do not add: {list(self.records)} and {list(other.records)}")
        parts = joined((*self.parts, *other.parts), self.method == "occupation")
        table = union(self.table, other.table)
        mine, theirs = self._records_on(table), other._records_on(table)
        records = {record: result + theirs[record] for record, result in mine.items()}  # type: ignore[operator]
        return replace(self, table=table, parts=parts, raw=_sum(table, self, other), records=records)

    def __radd__(self, other: object) -> Counts:
        """So that ``sum`` adds counts: it begins with 0."""
        return self if type(other) is int and other == 0 else NotImplemented

    def on(self, table: StepTable) -> Counts:
        """The same counts on a wider window."""
        if table.window == self.table.window:
            return self
        raw = self.table.layout.moved(self.raw, table.layout)
        return replace(self, table=table, raw=raw, records=self._records_on(table))

    def _records_on(self, table: StepTable) -> dict[Record, Recorded]:
        if table.window == self.table.window:
            return self.records
        return {record: record.on(result, table, self.steps) for record, result in self.records.items()}


def added(counts: Iterable[T]) -> T:
    """The sum of one or more counts."""
    return reduce(operator.add, counts)


def _sum(table: StepTable, one: Counts, other: Counts) -> NDArray[np.int64]:
    """The walkers of both on each cell of a table that has the sites of both."""
    if one.table.window == other.table.window:
        return one.raw + other.raw
    raw = one.table.layout.moved(one.raw, table.layout)
    other.table.layout.add(other.raw, table.layout, raw)
    return raw


def union(one: StepTable, other: StepTable) -> StepTable:
    """A table on the sites of both; one of the two if it has them all, because its rows may be made already."""
    window = []
    for (first, n), (begin, m) in zip(one.window, other.window, strict=True):
        low, high = min(first, begin), max(first + n, begin + m)
        window.append((low, high - low))
    whole = [table for table in (one, other) if table.window == tuple(window)]
    return whole[0] if whole else replace(one, window=tuple(window))


def joined(parts: Iterable[range], independent: bool = False) -> tuple[range, ...]:
    """The parts in increasing order; neighbours become one unless they are independent samples."""
    ordered = sorted(parts, key=lambda part: part.start)
    for one, other in pairwise(ordered):
        if one.stop > other.start:
            raise ValueError(f"both ensembles hold walkers {other.start} … {other.stop - 1}: they would count twice")
    found: list[range] = []
    for part in ordered:
        if found and found[-1].stop == part.start and not independent:
            found[-1] = range(found[-1].start, part.stop)
        else:
            found.append(part)
    return tuple(found)
