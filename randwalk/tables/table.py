"""Step probabilities as the simulation, the exact law and every backend use them: whole numbers of 2⁻⁶² on a window of sites."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..kernels.program import BITS, FULL, PART, PLANES, DigitsProgram, TableProgram, Thresholds
from ..model.coefficient import Floats
from ..model.lattice import Lattice
from ..model.outlet import step_out
from ..model.walk import LatticeWalk
from .layout import Layout
from .step_law import StepLaw

CHUNK = 1 << 22  # table entries made at a time for coefficients that depend on time
NEVER = np.iinfo(np.int64).max
WHOLE = 1.0 - 2.0**-50  # right and left that sum to so much, 4 ulp less than 1, sum to 1

Limits = NDArray[np.int64]  # thresholds in units of 2⁻⁶²


def quantise(right: Floats, left: Floats, killed: Floats) -> Limits:
    """Cumulative thresholds (3, …) in units of 2⁻⁶²: a step whose uniform is below the first goes right, below the second left,
    below the third nowhere; the walkers of the others are killed.

    `right` and `left` are the probabilities of a step that is made unless the walker is killed, with probability `killed`.
    Each is rounded by itself, so a symmetric walk stays symmetric; where they sum to 1 no stay is left over by rounding.
    """
    gone = np.rint(killed * FULL)  # a whole number, exact in doubles
    live = FULL - gone.astype(np.int64)
    p, q = (np.rint(share * FULL).astype(np.int64) - np.rint(share * gone).astype(np.int64) for share in (right, left))
    p = np.minimum(p, live)
    q = np.where(right + left >= WHOLE, live - p, np.minimum(q, live - p))
    return np.stack([p, p + q, live])


def in_parts(limits: Limits) -> Thresholds:
    """Thresholds, shape (rows, K + 1, columns), as kernels read them (:class:`randwalk.kernels.program.TableProgram`)."""
    high, low = limits >> PART, limits & ((1 << PART) - 1)
    return np.concatenate([high, low] if low.any() else [high], axis=1).astype(np.uint32)


@dataclass(frozen=True)
class StepTable:
    """The quantised steps of `walk` on the window of live sites `first` … `first + sites - 1` (lattice numbers).

    A homogeneous walk has the columns of a window of three sites: the first one, any other, the last one. Otherwise every cell of
    the layout has a column of its own.
    """

    walk: LatticeWalk
    lattice: Lattice
    first: int
    sites: int

    @cached_property
    def layout(self) -> Layout:
        """How the sites of the window are numbered, and which of its ends are walls."""
        return self._window(self.sites)

    @cached_property
    def _columns(self) -> Layout:
        """The layout of the columns of the table."""
        return self._window(3) if self.walk.homogeneous else self.layout

    def _window(self, sites: int) -> Layout:
        edges = self.first != self.lattice.first, self.first + self.sites - 1 != self.lattice.last, False
        return Layout((sites,), (self.first,), (self.lattice.periodic,), self.walk.domain.exits, edges)

    @property
    def window(self) -> tuple[tuple[int, int], ...]:
        return ((self.first, self.sites),)

    @property
    def lattices(self) -> tuple[Lattice, ...]:
        return (self.lattice,)

    def on(self, window: tuple[tuple[int, int], ...]) -> StepTable:
        ((first, sites),) = window
        return replace(self, first=first, sites=sites)

    @property
    def columns(self) -> int:
        return self._columns.cells

    @property
    def offsets(self) -> tuple[int, ...]:
        """What a step adds to the number of a cell, in the order of the thresholds: to the right, to the left."""
        (stride,) = self.layout.strides
        return stride, -stride

    @property
    def x(self) -> Floats:
        """Positions of the live sites."""
        return self.lattice.x(self.layout.along())

    @cached_property
    def column(self) -> NDArray[np.int32]:
        """The column of each cell of a homogeneous walk; empty for others, whose columns are the cells."""
        if not self.walk.homogeneous:
            return np.zeros(0, dtype=np.int32)
        cell, (sites,) = np.arange(self.layout.cells), self.layout.shape
        return (np.minimum(cell, 2) + np.maximum(cell - (sites - 1), 0)).astype(np.int32)

    @cached_property
    def digits(self) -> int:
        """The number of random binary digits drawn for every step if all probabilities are constant on an unbounded line, 1 to
        PLANES. 0 for all other walks, which are simulated from the table.

        The walk alone decides between the two families of streams, so the records of a run do not change its paths.
        """
        if not self.walk.homogeneous or self.walk.time_dependent or not all(self.layout.edges[:-1]):
            return 0
        if self.lattice.periodic or self.lattice.first is not None or self.lattice.last is not None:
            return 0
        *limits, live = self.constant
        if live != FULL:
            return 0
        digits = BITS - min((n & -n).bit_length() - 1 for n in (*limits, FULL) if n)
        return max(1, min(PLANES, digits))

    @cached_property
    def constant(self) -> tuple[int, ...]:
        """The K + 1 thresholds of a site away from walls, of a homogeneous walk that does not depend on time."""
        return tuple(int(t) for t in self._columns.live(self._row)[0, :, 1])

    @property
    def step_law(self) -> StepLaw:
        """The law of a step away from walls, of a homogeneous walk that does not depend on time and kills nobody."""
        right, left, live = self.constant
        return StepLaw(-1, ((left - right) / FULL, (live - left) / FULL, right / FULL))

    def probabilities(self, step: int = 0) -> Floats:
        """The probabilities of step number `step` on the live sites, each rounded once, shape (K + 2, *sites): of each of the K
        steps in the order of `offsets`, of a stay, of being killed."""
        row = self.rows(step, step + 1)[0]
        limits = self.layout.live(row[:, self.column] if self.column.size else row)
        return np.diff(limits, axis=0, prepend=0, append=FULL) / FULL

    def digits_program(self) -> DigitsProgram:
        """What kernels read of a walk with constant probabilities on an unbounded line."""
        return DigitsProgram(self.offsets, self.constant[:-1], self.digits)

    def program(self, start: int, stop: int) -> TableProgram:
        """What kernels read of the steps `start` … `stop` - 1."""
        return self._made(self.rows(start, stop)) if self.walk.time_dependent else self._program

    @cached_property
    def _program(self) -> TableProgram:
        """The program of all steps, where nothing depends on time."""
        return self._made(self._row)

    def _made(self, rows: Limits) -> TableProgram:
        layout, kills = self.layout, bool((rows[:, -1] < FULL).any())
        leaves = kills or not all(layout.periodic)
        return TableProgram(self.offsets, in_parts(rows), self.column, layout.home, layout.exit_of, kills, leaves)

    def rows(self, start: int, stop: int) -> Limits:
        """Thresholds of the steps `start` … `stop` - 1 in units of 2⁻⁶², shape (rows, 3, columns); one row if nothing depends on
        time.

        Probabilities that are not ones are refused here, with their place and time.
        """
        if not self.walk.time_dependent:
            return self._row
        rows = self._rows(np.arange(start, stop))
        self._note(start, rows)
        return rows

    @cached_property
    def _row(self) -> Limits:
        """The row of all steps, where nothing depends on time."""
        row = self._rows(np.zeros(1, dtype=np.int64))
        self._note(0, row)
        return row

    def _rows(self, steps: NDArray[np.int64]) -> Limits:
        walk, columns = self.walk, self._columns
        t = steps[:, None] * walk.dt
        x = np.repeat(self.lattice.x(self.first), 3) if walk.homogeneous else self.x
        ends = np.arange(x.size)
        first, last = ends == 0, ends == x.size - 1
        if self.sites == 1:  # its only column is that of a site between others
            first, last = (np.full(x.size, True) for _ in range(2))
        walk.check(x, t)
        p, q = np.clip(walk.right(x, t), 0.0, 1.0), np.clip(walk.left(x, t), 0.0, 1.0)
        if not columns.edges[0]:
            q = np.where(first, self._out("left", q, x, t), q)
        if not columns.edges[1]:
            p = np.where(last, self._out("right", p, x, t), p)
        table = columns.empty(t.size, 3)
        table[:, 2] = FULL  # who is at an exit stays there
        columns.live(table)[:] = np.moveaxis(quantise(p, q, -np.expm1(-walk.killing_rate(x, t) * walk.dt)), 0, 1)
        return table

    def chunks(self, start: int, stop: int) -> Iterator[tuple[int, int, TableProgram]]:
        """The steps `start` … `stop` - 1 in pieces whose tables are of bounded size: (from, to, program)."""
        size = self.rows_at_once if self.walk.time_dependent else max(1, stop - start)
        for begin in range(start, stop, size):
            end = min(begin + size, stop)
            yield begin, end, self.program(begin, end)

    @property
    def rows_at_once(self) -> int:
        """How many rows of a time-dependent table are made at a time."""
        return max(1, CHUNK // self.columns)

    def has_short_thresholds(self, steps: int) -> bool:
        """Whether all thresholds of the first `steps` steps are whole numbers of 2⁻³¹."""
        programs = (program for _, _, program in self.chunks(0, steps))
        return all(program.thresholds.shape[1] == len(program.offsets) + 1 for program in programs)

    def stays(self, steps: int) -> NDArray[np.bool_]:
        """For each column of live sites, whether a walker can stay there in one of the first `steps` steps.

        Rows that were made before are not made again: what is asked here is noted of every row.
        """
        first, known = self._stay
        wanted = steps if self.walk.time_dependent else min(steps, 1)
        for _ in self.chunks(known, wanted) if known < wanted else ():
            first, known = self._stay
        return self._columns.live(first) < steps

    @property
    def _stay(self) -> tuple[NDArray[np.int64], int]:
        """(the first step in which a walker can stay on each column, steps 0 … that many - 1 that are noted)."""
        nothing = np.full(self.columns, NEVER), 0
        return self.__dict__.get("_noted", nothing)

    def _note(self, start: int, rows: Limits) -> None:
        """Note of steps from `start` on, if none is missing before them, where a walker can stay."""
        first, known = self._stay
        if start > known or start + len(rows) <= known:
            return
        stays = rows[:, -2] < rows[:, -1]
        step = np.where(stays.any(axis=0), start + stays.argmax(axis=0), NEVER)
        self.__dict__["_noted"] = np.minimum(first, step), start + len(rows)  # in one piece: threads make rows together

    def _out(self, side: str, free: Floats, x: Floats, t: Floats) -> Floats:
        """The probability of stepping out through the wall on this `side`, for a walker on the site beside it."""
        face = self.walk.domain.face(side)
        if face is None or face.wall.on_site:
            return free
        if face.wall.reactivity == 0.0:
            return np.zeros_like(free)
        return step_out(self.walk, face, float(x[0 if side == "left" else -1]), t)
