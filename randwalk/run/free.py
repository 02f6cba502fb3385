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
from ..tables import window
from ..tables.guess import Ends
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
SPARE = 4  # part of a window by which it is made wider than it has to be, as long as walkers go on

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
    """A batch of free walkers on its way, step by step or by `jumps`."""

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
        self.rows, self.first = windows.rows, walkers.start
        table, begin = self.rows.table, windows.start
        one = begin.single
        cells = machine.host(machine.place(walkers, begin.parts, keys)) if one is None else np.array([one])
        numbers = np.array(begin.table.layout.numbers(cells))
        self.begun = np.broadcast_to(numbers, (len(numbers), len(walkers)))
        self.numbers = machine.array(self.begun.copy())
        self.moved = machine.array(np.zeros(len(walkers), dtype=np.int32))  # since numbers were brought up to date
        self.counted = by_site(table, records, "paths" if jumps is None else "jump")
        if self.counted:
            table = window.unchecked(windows.walk, self._ends(numbers))
        raw = table.layout.empty(len(steps)) if self.counted else np.zeros((len(steps), 0), dtype=np.int64)
        results = {record: record.empty(table, (walkers,), steps) for record in records}
        self.counts = Counts(table, steps, (walkers,), raw, results)

    def run(self) -> Counts:
        done = 0
        for row, target in enumerate(self.steps):
            if self.jumps is None:
                self._step(done, target)
            elif target > done:
                self._jump(self.jumps, row, done, target)
            done, numbers = target, self.machine.host(self.numbers).astype(np.int64, copy=False)
            if self.counted:
                self._count(row, numbers)
            counts = self.counts.raw[row]
            now = FreeBatch(self.counts.table, counts, None, Host(), begun=self.begun, numbers=numbers)
            for record, result in self.counts.records.items():
                record.add(result, row, now)
        return self.counts

    def _step(self, start: int, stop: int) -> None:
        table, (bits, most, strides) = self.rows.table, packing(len(self.begun))
        offsets = tuple(sum(map(operator.mul, step, strides)) for step in table.walk.probabilities)
        program = table.digits_program()._replace(offsets=offsets)
        for begin in range(start, stop, most):
            self.machine.advance(Walkers(self.first, self.moved), program, begin, min(begin + most, stop), self.keys)
            self.machine.unpack(self.moved, bits, self.numbers)

    def _jump(self, jumps: Jumps, row: int, start: int, stop: int) -> None:
        for axis in range(len(self.begun)):
            program = jumps.program(axis, row, stop - start)
            self.machine.advance(Walkers(self.first, self.moved), program, start, stop, self.keys)
            self.machine.unpack(self.moved, 32, self.numbers[axis : axis + 1])

    def _count(self, row: int, numbers: Whole) -> None:
        """Count the walkers on each cell of a window that holds them all, which is as small as that for the last time."""
        self._hold(self._ends(numbers), row + 1 < len(self.steps))
        layout = self.counts.table.layout
        rings = np.where(layout.periodic, layout.shape, 0)
        axes = np.stack([layout.first, rings, layout.strides], axis=1).astype(np.int64)
        cpu.count_places(numbers, axes, self.counts.raw[row])

    def _ends(self, numbers: Whole) -> Ends:
        """The lowest and the highest number along each axis; all of a ring."""
        ends = []
        for (first, sites), ring, k in zip(
            self.rows.table.window, self.rows.table.layout.periodic, numbers, strict=True
        ):
            ends.append((first, first + sites - 1) if ring else (int(k.min()), int(k.max())))
        return tuple(ends)

    def _hold(self, ends: Ends, more: bool) -> None:
        """Make the window of the counts hold sites between `ends`, and some farther ones where there will be `more` times."""
        widest, wider = self.windows.reaching(ends).table.window, []
        for (first, sites), (low, high), (least, most) in zip(self.counts.table.window, ends, widest, strict=True):
            spare = (high - low) // SPARE if more else 0
            below = first if first <= low else max(low - spare, least)
            above = first + sites - 1 if high < first + sites else min(high + spare, least + most - 1)
            wider.append((below, above))
        self.counts = self.counts.on(window.unchecked(self.windows.walk, tuple(wider)))
