"""Walkers with constant probabilities and without walls: places are numbers along the axes, which no window bounds.

Which cells walkers are on is asked at recorded times alone. Where a window of all sites that they may be on is more than can be
counted, records of displacements do without.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels import cpu
from ..kernels.packing import packing
from ..kernels.program import Keys, Walkers
from ..model.coefficient import Floats
from ..tables.table import StepTable
from .batch import Batch
from .counts import Counts
from .functional import Functional, Leaving, Turns
from .host import Host
from .jump import Jumps
from .machine import Machine
from .record import Record, Trajectories, followed
from .windows import Windows

MOST_CELLS = 1 << 26  # of several axes that are counted one by one

Whole = NDArray[np.int64]


def are_free(table: StepTable, records: Sequence[Record], method: str) -> bool:
    """Whether the walkers of a run are :class:`FreeWalkers`."""
    wanted, several = followed(records, table.walk), len(table.window) > 1
    if method == "jump":
        return several or any(table.layout.periodic)
    return method == "paths" and several and table.digits > 0 and all(isinstance(f, Leaving) for f in wanted)


def by_site(table: StepTable, records: Sequence[Record], method: str) -> bool:
    """Whether a run counts the walkers on each site: it does unless the walkers are free, what they are asked for is in the
    records, and there are too many sites or whole paths are all that is asked for."""
    few = len(table.window) == 1 or table.layout.cells <= MOST_CELLS
    asked = few and not all(isinstance(record, Trajectories) for record in records)
    return asked or not records or not are_free(table, records, method)


@dataclass(frozen=True, eq=False)
class FreeBatch(Batch):
    """Free walkers at a recorded time: their numbers along each axis, shape (axes, walkers), which on rings go on beyond the
    seam, and those at which they began."""

    numbers: Any = None

    @property
    def may_leave(self) -> bool:
        return False

    def displacement(self, axis: int, bins: int) -> Whole:
        return np.bincount(self.numbers[axis] - self.begun[axis] + bins // 2, minlength=bins)

    def displacements(self) -> tuple[Whole, Whole]:
        return self.numbers - self.begun, np.ones(self.numbers.shape[1], dtype=np.int64)

    def living(self, functional: Functional, bins: int) -> Whole:
        assert isinstance(functional, Turns)
        axis, layout = functional.axis, self.table.layout
        turns = (self.numbers[axis] - layout.first[axis]) // layout.shape[axis]
        return np.bincount(turns + bins // 2, minlength=bins)

    def places(self) -> list[Floats]:
        found = []
        for lattice, k in zip(self.table.lattices, self.numbers, strict=True):
            found.append(lattice.x(k % lattice.sites if lattice.periodic else k))
        return found


class FreeWalkers:
    """A batch of free walkers on its way, step by step or by `jumps`.

    Their numbers along the axes are those at which they `begun`, for all if that is one site, or `numbers`, brought up to date
    from time to time; and what they have `moved` since, in one whole number each.
    """

    def __init__(
        self,
        windows: Windows,
        walkers: range,
        steps: tuple[int, ...],
        keys: Keys,
        records: Sequence[Record],
        jumps: Jumps | None,
        machine: Machine,
    ) -> None:
        self.windows, self.steps, self.keys, self.jumps, self.machine = windows, steps, keys, jumps, machine
        self.walkers, self.records, self.table, begin = walkers, records, windows.rows.table, windows.start
        one = begin.single
        cells = machine.host(machine.place(walkers, begin.parts, keys)) if one is None else np.array([one])
        self.begun = np.array(begin.table.layout.numbers(cells))
        self.numbers: Any = None
        kind = machine.packed if jumps is None and len(self.begun) > 2 else np.int32  # two axes have 16 digits each
        self.moved = machine.array(np.zeros(len(walkers), dtype=kind))
        self.bits, self.most, self.strides = packing(len(self.begun), 8 * np.dtype(kind).itemsize)
        self.counted = by_site(self.table, records, "paths" if jumps is None else "jump")
        self.counts: Counts | None = None if self.counted else self._empty(self.table)
        self._told = 0  # steps up to which numbers are up to date

    def run(self) -> Counts:
        done = 0
        for row, target in enumerate(self.steps):
            if self.jumps is None:
                self._step(done, target)
            elif target > done:
                self._jump(self.jumps, row, done, target)
            done = target
            if self.records:
                self._bring_up_to_date(done)
            numbers: Whole = (
                self.begun if self.numbers is None else self.machine.host(self.numbers).astype(np.int64, copy=False)
            )
            if self.counted:
                self._count(row, numbers)
            assert self.counts is not None
            table, raw = self.counts.table, self.counts.raw[row]
            now = FreeBatch(table, raw, None, Host(), begun=self.begun, numbers=numbers)
            for record, result in self.counts.records.items():
                record.add(result, row, now)
        assert self.counts is not None
        return self.counts

    def _empty(self, table: StepTable) -> Counts:
        """Counts of nobody on the cells of a table, or on none."""
        raw = np.zeros((len(self.steps), table.layout.cells if self.counted else 0), dtype=np.int64)
        results = {record: record.empty(table, (self.walkers,), self.steps) for record in self.records}
        return Counts(table, self.steps, (self.walkers,), raw, results)

    def _step(self, start: int, stop: int) -> None:
        offsets = tuple(sum(map(operator.mul, step, self.strides)) for step in self.windows.walk.probabilities)
        program = self.table.digits_program()._replace(offsets=offsets)
        while start < stop:
            if start - self._told == self.most:
                self._bring_up_to_date(start)
            end = min(self._told + self.most, stop)
            self.machine.advance(Walkers(self.walkers.start, self.moved), program, start, end, self.keys)
            start = end

    def _jump(self, jumps: Jumps, row: int, start: int, stop: int) -> None:
        for axis in range(len(self.begun)):
            program = jumps.program(axis, row, stop - start)
            self.machine.advance(Walkers(self.walkers.start, self.moved), program, start, stop, self.keys)
            self.machine.unpack(self.moved, 32, self._apart()[axis : axis + 1])

    def _apart(self) -> Any:
        """The numbers of each walker, an array of the machine."""
        if self.numbers is None:
            shape = len(self.begun), len(self.walkers)
            self.numbers = self.machine.array(np.broadcast_to(self.begun, shape).copy())
        return self.numbers

    def _bring_up_to_date(self, steps: int) -> None:
        self.machine.unpack(self.moved, self.bits, self._apart())
        self._told = steps

    def _count(self, row: int, numbers: Whole) -> None:
        """Count the walkers on each cell of a window that holds them all."""
        moved = self.machine.host(self.moved)
        table = self._holding(cpu.ends(numbers, moved, self.bits))
        self.counts = self._empty(table) if self.counts is None else self.counts.on(table)
        layout = table.layout
        rings = np.where(layout.periodic, layout.shape, 0)
        axes = np.stack([layout.first, rings, layout.strides], axis=1).astype(np.int64)
        cpu.count_places(numbers, moved, self.bits, axes, self.counts.raw[row])

    def _holding(self, ends: Whole) -> StepTable:
        """The table of the window of the run, wide enough for walkers with numbers between `ends`, shape (axes, 2). Where they
        are recorded once, that of the sites from where they began to where they are, a small part of the window in space."""
        widest = self.windows.reaching(tuple(map(tuple, ends.tolist()))).table
        if len(self.steps) > 1:
            return widest
        window = []
        for (first, sites), ring, begun, (low, high) in zip(
            widest.window, widest.layout.periodic, self.begun, ends.tolist(), strict=True
        ):
            low, high = min(low, int(begun.min())), max(high, int(begun.max()))
            window.append((first, sites) if ring else (low, high - low + 1))
        return StepTable(self.windows.walk, tuple(window))
