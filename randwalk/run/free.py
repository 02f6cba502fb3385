"""Walkers with constant probabilities on an unbounded lattice of several axes: places are numbers along the axes, which no window
bounds.

The steps of a walker between two looks at it make one whole number, its displacement packed: a digit for each axis in a base that
is large enough for so many steps. Kernels add offsets to it as they add them to the number of a cell.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels import cpu
from ..kernels.backend import Machine, Walkers
from ..kernels.program import Keys
from ..tables.table import StepTable
from .batch import Batch
from .counts import Counts
from .host import Host
from .jump import Jumps
from .record import Record
from .windows import Windows

Whole = NDArray[np.int64]


class Packing:
    """Displacements of up to `most` steps along each of some axes in 32 bits."""

    def __init__(self, axes: int) -> None:
        base = int((1 << 32) ** (1.0 / axes)) - 1
        self.most = (base - 1) // 2
        self._base = 2 * self.most + 1
        self.strides = tuple(self._base ** (axes - 1 - axis) for axis in range(axes))

    def unpacked(self, packed: NDArray[np.int32]) -> Iterator[Whole]:
        """The displacements along each axis."""
        rest = packed.astype(np.int64) + self.most * sum(self.strides)
        for stride in self.strides:
            digit = rest // stride
            rest -= digit * stride
            yield digit - self.most


class FreeWalkers:
    """A batch of walkers on its way, step by step or by `jumps`; which cells they are on is asked at recorded times alone."""

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
        table = self.rows.table
        start = machine.host(machine.place(walkers, self.rows.parts, keys))
        self.begun: list[Whole] = list(table.layout.numbers(start))
        self.numbers = [k.copy() for k in self.begun]
        self.packing = Packing(len(self.numbers))
        results = {record: record.empty(table, (walkers,), steps) for record in records}
        self.counts = Counts(table, steps, (walkers,), table.layout.empty(len(steps)), results)

    def run(self) -> Counts:
        done = 0
        for row, target in enumerate(self.steps):
            if self.jumps is None:
                self._step(done, target)
            elif target > done:
                self._jump(self.jumps, row, done, target)
            done = target
            self._widen()
            cells = self._cells(self.numbers)
            cpu.count(cells, 0, self.counts.raw[row])
            now = Batch(
                self.rows.table, self.counts.raw[row], self.rows.single, Host(), cells, self._cells(self.begun), {}
            )
            for record, result in self.counts.records.items():
                record.add(result, row, now)
        return self.counts

    def _step(self, start: int, stop: int) -> None:
        table = self.rows.table
        offsets = tuple(sum(map(operator.mul, step, self.packing.strides)) for step in table.walk.probabilities)
        program = table.digits_program()._replace(offsets=offsets)
        for begin in range(start, stop, self.packing.most):
            end = min(begin + self.packing.most, stop)
            site = self._nowhere()
            self.machine.advance(Walkers(self.first, site), program, begin, end, self.keys)
            for k, moved in zip(self.numbers, self.packing.unpacked(self.machine.host(site)), strict=True):
                k += moved

    def _jump(self, jumps: Jumps, row: int, start: int, stop: int) -> None:
        for axis, k in enumerate(self.numbers):
            site = self._nowhere()
            program = jumps.program(axis, row, stop - start)
            self.machine.advance(Walkers(self.first, site), program, start, stop, self.keys)
            k += self.machine.host(site)

    def _nowhere(self) -> Any:
        """Displacements of no steps, an array of the machine."""
        return self.machine.array(np.zeros(self.numbers[0].size, dtype=np.int32))

    def _cells(self, numbers: list[Whole]) -> NDArray[np.int32]:
        return self.rows.table.layout.index(*numbers).astype(np.int32)

    def _widen(self) -> None:
        """Go over to a window that holds all walkers."""
        while any(reached := _outside(self.rows.table, self.numbers)):
            self.rows = self.windows.wider(self.rows, reached)
            self.counts = self.counts.on(self.rows.table)


def _outside(table: StepTable, numbers: list[Whole]) -> tuple[bool, ...]:
    """Whether there are numbers beyond the low and the high end of each axis of a window."""
    found = []
    for (first, sites), k in zip(table.window, numbers, strict=True):
        found += [bool(k.min() < first), bool(k.max() >= first + sites)]
    return tuple(found)
