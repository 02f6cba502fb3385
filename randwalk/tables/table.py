"""Step probabilities as the simulation, the exact law and every backend use them: whole numbers of 2⁻⁶² on a window of sites."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.program import BITS, FULL, PLANES, DigitsProgram, TableProgram
from ..model.coefficient import Floats
from ..model.lattice import Lattice
from ..model.walk import LatticeWalk
from .layout import Layout, Numbers
from .quantise import Limits, in_parts, quantise
from .step_law import StepLaw
from .surroundings import Surroundings, as_point, with_regions

CHUNK = 1 << 22  # table entries made at a time for coefficients that depend on time
NEVER = np.iinfo(np.int64).max
OF_A_THRESHOLD = 8  # bytes of a threshold of a column in a row, in two parts
SMALL, SMALL_CELLS = 1 << 22, 1 << 16  # bytes of rows and cells of a table that is kept for further use
REST = 0  # the column of the cells at which walkers rest, where columns are shared

Window = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class StepTable:
    """The quantised steps of `walk` on a window of sites: for each axis the lattice number of the first one, and how many.

    A homogeneous walk has a column for each kind of surroundings that its sites have, whatever the dimension, and one for
    cells at which walkers rest. Otherwise every cell of the layout has a column of its own.
    """

    walk: LatticeWalk
    window: Window

    @cached_property
    def layout(self) -> Layout:
        """How the sites of the window are numbered, which of its ends are walls, and which sites regions take."""
        domain, edges = self.walk.domain, []
        for lattice, (first, count) in zip(self.lattices, self.window, strict=True):
            edges += [first != lattice.first, first + count - 1 != lattice.last]
        exits = domain.exits
        edges += [False] * (len(exits) - len(edges))
        periodic = tuple(lattice.periodic for lattice in self.lattices)
        counts, firsts = (tuple(ends[i] for ends in self.window) for i in (1, 0))
        shut = {face.exit for face in domain.faces if face.wall.reactivity == 0.0}
        closed = tuple(
            exit in shut and not edge for exit, edge in zip(exits, edges[: 2 * domain.dimension], strict=False)
        )
        return with_regions(Layout(counts, firsts, periodic, exits, tuple(edges), closed), self.walk)

    @cached_property
    def around(self) -> Surroundings:
        """What is one step away from each site."""
        return Surroundings(self.walk, self.layout)

    @property
    def lattices(self) -> tuple[Lattice, ...]:
        return self.walk.lattices

    @property
    def lattice(self) -> Lattice:
        """The lattice of a walk on one axis."""
        return self.walk.lattice

    @property
    def first(self) -> int:
        """The lattice number of the first site on the first axis."""
        return self.window[0][0]

    @property
    def sites(self) -> int:
        """How many sites the window has."""
        return self.layout.sites

    @cached_property
    def _sites(self) -> Numbers:
        """The sites whose probabilities are in the table: all that walkers can be on, or one of each kind."""
        return self.around.alike[0] if self.walk.homogeneous else self.around.free

    @cached_property
    def _filled(self) -> Numbers | slice:
        """The columns of those sites."""
        if self.walk.homogeneous:
            return slice(REST + 1, None)
        cells = self.layout.inner(np.arange(self.layout.cells)).reshape(-1)[self._sites]
        return slice(int(cells[0]), int(cells[-1]) + 1) if cells[-1] - cells[0] == len(cells) - 1 else cells

    @cached_property
    def columns(self) -> int:
        """How many columns the table has."""
        return 1 + self._sites.size if self.walk.homogeneous else self.layout.cells

    @property
    def offsets(self) -> tuple[int, ...]:
        """What each step adds to the number of a cell, in the order of the thresholds."""
        strides = self.layout.strides
        return tuple(sum(map(operator.mul, step, strides)) for step in self.walk.probabilities)

    @property
    def x(self) -> Floats:
        """Positions of the live sites of a walk on one axis."""
        return self.lattice.x(self.layout.along())

    @property
    def axes(self) -> tuple[Floats, ...]:
        """Positions of the live sites of each axis."""
        return tuple(lattice.x(self.layout.along(axis)) for axis, lattice in enumerate(self.lattices))

    @property
    def point(self) -> Any:
        """The places of all sites, as coefficients take them: arrays that broadcast to the shape of the window."""
        return as_point(np.meshgrid(*self.axes, indexing="ij", sparse=True))

    @cached_property
    def column(self) -> NDArray[np.int32]:
        """The column of each cell of a homogeneous walk; empty for others, whose columns are the cells."""
        if not self.walk.homogeneous:
            return np.zeros(0, dtype=np.int32)
        columns = np.full(self.layout.cells, REST, dtype=np.int32)
        self.layout.inner(columns)[self.layout.free] = REST + 1 + self.around.alike[1]
        return columns

    @cached_property
    def digits(self) -> int:
        """The number of random binary digits drawn for every step if all probabilities are constant on an unbounded line, 1 to
        PLANES. 0 for all other walks, which are simulated from the table.

        The walk alone decides between the two families of streams, so the records of a run do not change its paths.
        """
        domain = self.walk.domain
        if not self.walk.homogeneous or self.walk.time_dependent or domain.regions:
            return 0
        if any(math.isfinite(end) for axis in domain.axes for end in (axis.low, axis.high)):
            return 0
        *limits, live = self.constant
        if live != FULL:
            return 0
        digits = BITS - min((n & -n).bit_length() - 1 for n in (*limits, FULL) if n)
        return max(1, min(PLANES, digits))

    @cached_property
    def constant(self) -> tuple[int, ...]:
        """The K + 1 thresholds of a site of a homogeneous walk on an unbounded lattice that does not depend on time."""
        return _constants(self.walk)

    @property
    def step_laws(self) -> tuple[StepLaw, ...]:
        """The law of a step along each axis away from walls, of a homogeneous walk that does not depend on time and kills
        nobody."""
        steps = [*self.walk.probabilities, (0,) * len(self.window)]
        laws = []
        for axis in range(len(self.window)):
            units = dict.fromkeys((-1, 0, 1), 0)
            for step, (below, above) in zip(steps, pairwise((0, *self.constant)), strict=True):
                units[step[axis]] += above - below
            laws.append(StepLaw(-1, tuple(n / FULL for n in units.values())))
        return tuple(laws)

    def probabilities(self, step: int = 0) -> Floats:
        """The probabilities of step number `step` on the live sites, each rounded once, shape (K + 2, *sites): of each of the K
        steps in the order of `offsets`, of a stay, of being killed."""
        row = self.rows(step, step + 1)[0]
        limits = self.layout.inner(row[:, self.column] if self.column.size else row)
        return np.diff(limits, axis=0, prepend=0, append=FULL) / FULL

    def digits_program(self) -> DigitsProgram:
        """What kernels read of a walk with constant probabilities on an unbounded lattice."""
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
        leaves = kills or any(layout.edges) or bool(self.walk.domain.open_exits(False))
        return TableProgram(self.offsets, in_parts(rows), self.column, layout.home, layout.exit_of, kills, leaves)

    def rows(self, start: int, stop: int) -> Limits:
        """Thresholds of the steps `start` … `stop` - 1 in units of 2⁻⁶², shape (rows, K + 1, columns); one row if nothing
        depends on time.

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
        return self._rows(np.zeros(1, dtype=np.int64))

    def _rows(self, steps: NDArray[np.int64]) -> Limits:
        walk, t = self.walk, steps[:, None] * self.walk.dt
        chances = self.around.chances(self._sites, t)
        killed = -np.expm1(-walk.killing_rate(self.around.point(self._sites), t) * walk.dt)
        table = np.zeros((t.size, len(chances) + 1, self.columns), dtype=np.int64)
        table[:, -1] = FULL  # who is at an exit stays there
        table[:, :, self._filled] = np.moveaxis(quantise(chances, killed, self._opposite), 0, 1)
        return table

    @cached_property
    def _opposite(self) -> tuple[int, ...]:
        """For each step the number of the opposite one, -1 if there is none; nothing on one axis."""
        steps = list(self.walk.probabilities)
        if len(self.window) == 1:
            return ()
        turned = (tuple(-e for e in step) for step in steps)
        return tuple(steps.index(step) if step in steps else -1 for step in turned)

    def chunks(self, start: int, stop: int) -> Iterator[tuple[int, int, TableProgram]]:
        """The steps `start` … `stop` - 1 in pieces whose tables are of bounded size: (from, to, program)."""
        size = self.rows_at_once if self.walk.time_dependent else max(1, stop - start)
        for begin in range(start, stop, size):
            end = min(begin + size, stop)
            yield begin, end, self.program(begin, end)

    @property
    def bytes_of_a_row(self) -> int:
        """The size of the thresholds of a step."""
        return OF_A_THRESHOLD * (len(self.offsets) + 1) * self.columns

    def is_small(self, rows: int = 1) -> bool:
        """Whether it takes so little memory, with so many rows, that a walk may keep it."""
        return self.layout.cells <= SMALL_CELLS and (not rows or rows * self.bytes_of_a_row <= SMALL)

    @property
    def rows_at_once(self) -> int:
        """How many rows of a time-dependent table are made at a time."""
        return max(1, 3 * CHUNK // (self.columns * (len(self.walk.probabilities) + 1)))

    def has_short_thresholds(self, steps: int) -> bool:
        """Whether all thresholds of the first `steps` steps are whole numbers of 2⁻³¹."""
        programs = (program for _, _, program in self.chunks(0, steps))
        return all(program.thresholds.shape[1] == len(program.offsets) + 1 for program in programs)

    def possible(self, steps: int) -> tuple[NDArray[np.bool_], bool]:
        """(whether each of the K steps, and a stay, can happen in one of the first `steps` steps on a site where all steps are
        made, shape (K + 1,); whether a stay can happen anywhere).

        Rows that were made before are not made again: what is asked here is noted of every row.
        """
        known = self._possible[1]
        if self.walk.time_dependent:
            for _ in self.chunks(known, steps):
                pass
        elif not known and steps:
            self._note(0, self._row)
        first, _ = self._possible
        return first[:-1] < steps, bool(first[-1] < steps)

    @property
    def _possible(self) -> tuple[NDArray[np.int64], int]:
        """(the first step at which each of the K steps, a stay where all steps are made, and a stay anywhere are possible; steps
        0 … that many - 1 that are noted)."""
        nothing = np.full(len(self.walk.probabilities) + 2, NEVER), 0
        return self.__dict__.get("_noted", nothing)

    def _note(self, start: int, rows: Limits) -> None:
        """Note of steps from `start` on, if none is missing before them, what is possible."""
        first, known = self._possible
        if start > known or start + len(rows) <= known:
            return
        everywhere, plain = self._noted_columns
        below = np.zeros_like(rows[:, 0])
        seen = []
        for k in range(rows.shape[1]):
            here = below < rows[:, k]
            seen.append((here & plain).any(axis=1))
            below = rows[:, k]
        seen.append((here & everywhere).any(axis=1))
        step = [start + int(at.argmax()) if at.any() else NEVER for at in seen]
        self.__dict__["_noted"] = np.minimum(first, step), start + len(rows)  # in one piece: threads make rows together

    @cached_property
    def _noted_columns(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """(the columns of sites, those of sites from which all steps are made)."""
        everywhere, plain = np.zeros((2, self.columns), dtype=bool)
        codes = self.around.codes[np.searchsorted(self.around.free, self._sites)]
        everywhere[self._filled], plain[self._filled] = True, codes == 0
        return everywhere, plain


@lru_cache(maxsize=64)
def _constants(walk: LatticeWalk) -> tuple[int, ...]:
    """:attr:`StepTable.constant`: those of the smallest window, which are those of every window."""
    smallest = StepTable(walk, ((0, 1),) * walk.dimension)
    return tuple(int(t) for t in smallest.rows(0, 1)[0, :, REST + 1])
