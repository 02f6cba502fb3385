"""Step probabilities as the simulation, the exact law and every backend use them: whole numbers of 2⁻³¹ on a window of sites.

Layout. Live sites have the indices 1 … `sites`. Index 0 and `sites` + 1 are the outer sites: a wall, or, on an unbounded
side, the edge of the window, through which less than the stated mass leaks. Index `sites` + 2 is where killed walkers are.
A walker on an outer site or killed stays there, so absorption needs no rule of its own in any kernel.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..model.coefficient import Floats
from ..model.lattice import Lattice
from ..model.outlet import step_out
from ..model.walk import LatticeWalk

BITS = 31  # 2³² + 1 thresholds do not fit in 32 bits, and p + q = 1 must be exact
FULL = 1 << BITS
IDENTITY = 1 << 30  # a column map that leaves every site where it is
CHUNK = 1 << 22  # table entries made at a time for coefficients that depend on time

Thresholds = NDArray[np.uint32]


def quantise(right: Floats, left: Floats, killed: Floats) -> Thresholds:
    """Cumulative thresholds (3, …) in units of 2⁻³¹: a 31-bit word below the first steps right, below the second left,
    below the third stays; the rest is killed.

    `right` and `left` are the probabilities of a step that is made unless the walker is killed, with probability `killed`.
    Each is rounded by itself, so a symmetric walk stays symmetric; where they sum to 1 no stay is left over by rounding.
    """
    live = FULL - np.rint(killed * FULL)
    p = np.clip(np.rint(right * live), 0, live)
    q = np.clip(np.rint(left * live), 0, live - p)
    q = np.where(right + left > 1.0 - 2.0**-32, live - p, q)
    return np.stack([p, p + q, live]).astype(np.uint32)


@dataclass(frozen=True)
class StepTable:
    """The quantised steps of `walk` on the window of live sites `first` … `first + sites - 1` (lattice numbers).

    A homogeneous walk has six columns, whatever its sites: left outer site, first site, any other, last site, right outer
    site, killed. Otherwise a column is a site. ``column = min(index, low) + max(index - high, 0)`` in both cases.
    """

    walk: LatticeWalk
    lattice: Lattice
    first: int
    sites: int

    @property
    def wrap(self) -> int:
        """The number of sites of a ring, 0 elsewhere."""
        return self.sites if self.lattice.periodic else 0

    @property
    def low(self) -> int:
        return 2 if self.walk.homogeneous else IDENTITY

    @property
    def high(self) -> int:
        return self.sites - 1 if self.walk.homogeneous else IDENTITY

    @property
    def columns(self) -> int:
        return 6 if self.walk.homogeneous else self.sites + 3

    @property
    def x(self) -> Floats:
        """Positions of the live sites."""
        return self.lattice.x(np.arange(self.first, self.first + self.sites))

    @property
    def left_wall(self) -> bool:
        """Whether the left outer site is a wall (and not the edge of a window)."""
        return self.first == self.lattice.first

    @property
    def right_wall(self) -> bool:
        return self.first + self.sites - 1 == self.lattice.last

    def rows(self, start: int, stop: int) -> Thresholds:
        """Thresholds of the steps `start` … `stop` - 1, shape (rows, 3, columns); one row if nothing depends on time.

        Probabilities that are not ones are refused here, with their place and time.
        """
        return self._rows(np.arange(start, stop)) if self.walk.time_dependent else self._row

    @cached_property
    def _row(self) -> Thresholds:
        """The row of all steps, where nothing depends on time."""
        return self._rows(np.zeros(1, dtype=np.int64))

    def _rows(self, steps: NDArray[np.int64]) -> Thresholds:
        walk = self.walk
        t = steps[:, None] * walk.dt
        if walk.homogeneous:
            x = np.repeat(self.lattice.x(self.first), 3)
            first, last = np.array([True, self.sites == 1, False]), np.array([False, self.sites == 1, True])
        else:
            x = self.x
            first, last = (np.arange(self.sites) == k for k in (0, self.sites - 1))
        walk.check(x, t)
        p, q = np.clip(walk.right(x, t), 0.0, 1.0), np.clip(walk.left(x, t), 0.0, 1.0)
        if self.left_wall:
            q = np.where(first, self._out("left", q, x, t), q)
        if self.right_wall:
            p = np.where(last, self._out("right", p, x, t), p)
        table = np.zeros((t.size, 3, self.columns), dtype=np.uint32)
        table[:, 2] = FULL  # outer sites and killed walkers rest
        table[:, :, 1:-2] = np.moveaxis(quantise(p, q, -np.expm1(-walk.killing_rate(x, t) * walk.dt)), 0, 1)
        return table

    def chunks(self, start: int, stop: int) -> Iterator[tuple[int, int, Thresholds]]:
        """The steps `start` … `stop` - 1 in pieces of bounded size: (from, to, thresholds)."""
        if not self.walk.time_dependent:
            yield start, stop, self.rows(start, stop)
            return
        for begin in range(start, stop, self.rows_at_once):
            end = min(begin + self.rows_at_once, stop)
            yield begin, end, self.rows(begin, end)

    @property
    def rows_at_once(self) -> int:
        """How many rows of a time-dependent table are made at a time."""
        return max(1, CHUNK // self.columns)

    def _out(self, side: str, free: Floats, x: Floats, t: Floats) -> Floats:
        """The probability of stepping out through the wall on this `side`, for a walker on the site beside it."""
        face = self.walk.domain.face(side)
        if face is None or face.wall.on_site:
            return free
        if face.wall.reactivity == 0.0:
            return np.zeros_like(free)
        return step_out(self.walk, face, float(x[0 if side == "left" else -1]), t)


def probabilities(thresholds: Thresholds) -> tuple[Floats, Floats, Floats, Floats]:
    """Thresholds (rows, 3, columns) as probabilities (rows, columns) of right, left, stay, killed; exact in doubles. Where
    nobody is ever killed the last has no rows."""
    t_right, t_left, t_live = np.ascontiguousarray(np.moveaxis(thresholds, 1, 0)) / FULL
    killed = 1.0 - t_live
    return t_right, t_left - t_right, t_live - t_left, killed if killed.any() else killed[:0]
