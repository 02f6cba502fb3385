"""The step tables of a run. On an unbounded domain a table covers a window of sites, which is a guess: walkers that reach the
edge of the window rest there, and these alone go on in a window that reaches twice as far from the start on that side.

The path of a walker depends on the walk, the seed and the walker's number alone, so it is the same in every window.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..kernels.backend import Start
from ..kernels.program import TableProgram
from ..model.coefficient import Floats
from ..model.coefficient.variables import coordinate
from ..model.lattice import MOST_SITES
from ..model.walk import LatticeWalk
from ..tables.guess import guessed_ends
from ..tables.surroundings import as_point
from ..tables.table import StepTable
from ..tables.window import Ends, start_index, start_range, table_on

KEPT = 1 << 28  # bytes of the rows that a time-dependent table keeps for the next batch of walkers
OF_A_THRESHOLD = 8  # bytes of a threshold of a column in a row, in two parts
Doublings: TypeAlias = tuple[int, ...]  # of the low and the high side of every axis
TRIED = 16  # times at which the probabilities of a time-dependent walk are checked before a window is taken


class Rows:
    """A step table, the law of the start on its sites, and the rows made so far.

    The table makes the rows of a time-dependent walk once, as far as KEPT bytes hold them, and further rows again for each batch.
    """

    def __init__(self, table: StepTable, steps: int) -> None:
        self.table = table
        self.start = Start(*start_index(table))
        self._steps = steps
        self._made: dict[int, TableProgram] = {}
        self._lock = threading.Lock()

    @property
    def _of_a_row(self) -> int:
        return OF_A_THRESHOLD * (len(self.table.offsets) + 1) * self.table.columns

    @property
    def bytes(self) -> float:
        """The size of the rows of all steps."""
        return float(self._of_a_row) * (self._steps if self.table.walk.time_dependent else 1)

    @property
    def kept(self) -> bool:
        """Whether all rows are kept."""
        return self.bytes <= KEPT

    def chunks(self, start: int, stop: int) -> Iterator[tuple[int, int, TableProgram]]:
        """The steps `start` … `stop` - 1 in pieces of bounded size: (from, to, program)."""
        if not self.table.walk.time_dependent:
            yield from self.table.chunks(start, stop)
            return
        size = self.table.rows_at_once
        kept = self._steps if self.kept else KEPT // self._of_a_row // size * size
        for begin in range(start // size * size, min(stop, kept), size):
            program = self._made_once(begin, min(begin + size, self._steps))
            low, high = max(begin, start), min(begin + size, stop)
            yield low, high, program._replace(thresholds=program.thresholds[low - begin : high - begin])
        yield from self.table.chunks(max(start, kept), stop)

    def _made_once(self, begin: int, end: int) -> TableProgram:
        with self._lock:  # threads that need the same rows wait for the one that makes them
            if begin not in self._made:
                self._made[begin] = self.table.program(begin, end)
            return self._made[begin]


class Windows:
    """The windows of a walk during `steps` steps: the guess and wider ones, each with its table.

    The low end of an axis is 2^i times as far below the start as guessed and the high one 2^j times as far above it; which i and j
    of each axis are needed depends on the walkers alone, not on how they are divided into batches.
    """

    def __init__(self, walk: LatticeWalk, steps: int) -> None:
        self.walk, self.steps = walk, steps
        if any(lattice.sites is None for lattice in walk.lattices):
            self._begin = start_range(walk)
            guess = guessed_ends(walk, steps, self._begin)
            self._far = [
                (max(first - low, 1), max(high - last, 1))
                for (low, high), (first, last) in zip(guess, self._begin, strict=True)
            ]
        self._doublings: Doublings = (0,) * (2 * walk.dimension)
        self._tables: dict[Doublings, Rows] = {}
        self._lock = threading.Lock()

    @property
    def rows(self) -> Rows:
        """The table of the widest window that any walkers so far have needed."""
        with self._lock:
            return self._at(self._doublings)

    def wider(self, rows: Rows, reached: Sequence[bool]) -> Rows:
        """The table of the next wider window than that of `rows`, on the sides whose edge walkers have reached: the low and the
        high one of every axis.

        Raises
        ------
        ValueError
            where the walk is not valid beyond an edge that walkers have reached, with the place; or where the window has more
            sites than a walker's place can count.
        """
        with self._lock:
            made = next(doublings for doublings, known in self._tables.items() if known is rows)
            doublings = tuple(n + bool(more) for n, more in zip(made, reached, strict=True))
            wider = self._at(doublings)
            for side, more in enumerate(reached):
                if more and _end(wider.table, side) == _end(rows.table, side):
                    self._refuse(rows.table, side)
            self._doublings = tuple(map(max, self._doublings, doublings))
            return wider

    def _at(self, doublings: Doublings) -> Rows:
        if doublings not in self._tables:
            self._tables[doublings] = Rows(table_on(self.walk, self._ends(doublings)), self.steps)
        return self._tables[doublings]

    def _ends(self, doublings: Doublings) -> list[tuple[int, int]]:
        """The first and the last site of a window, axis by axis; a bounded axis is its own window."""
        ends = []
        for axis, lattice in enumerate(self.walk.lattices):
            if lattice.first is not None and lattice.last is not None:
                ends.append((lattice.first, lattice.last))
                continue
            (first, last), (below, above) = self._begin[axis], self._far[axis]
            i, j = doublings[2 * axis : 2 * axis + 2]
            low, high = first - min(below << i, self.steps), last + min(above << j, self.steps)
            low = low if lattice.first is None else max(low, lattice.first)
            ends.append((low, high if lattice.last is None else min(high, lattice.last)))
        known = self.walk.homogeneous or all(lattice.sites is not None for lattice in self.walk.lattices)
        if known or math.prod(high - low + 1 for low, high in ends) >= MOST_SITES:
            return ends
        return _valid(self.walk, ends, self._begin, self._times)

    @property
    def _times(self) -> Floats:
        """The times at which probabilities are checked."""
        tried = np.linspace(0, max(self.steps - 1, 0), TRIED if self.walk.time_dependent else 1)
        return np.unique(np.rint(tried)) * self.walk.dt

    def _refuse(self, table: StepTable, side: int) -> None:
        """Say why a window does not go on beyond a side that walkers have reached."""
        axis, lattice = side // 2, table.lattices[side // 2]
        beyond = _end(table, side) + (1 if side % 2 else -1)
        ranges = [table.layout.along(other) for other in range(self.walk.dimension)]
        ranges[axis] = np.array([beyond])
        for t in self._times:
            self.walk.check(_places(self.walk, ranges), t)
        raise ValueError(
            f"walkers reach {coordinate(axis)} = {lattice.x(_end(table, side)):.6g}, beyond which the walk is not valid: put a "
            "wall there, or give coefficients that go further"
        )


def _end(table: StepTable, side: int) -> int:
    """The lattice number of the outermost site of a window on a side: the low and the high one of every axis."""
    first, sites = table.window[side // 2]
    return first + (sites - 1 if side % 2 else 0)


def _places(walk: LatticeWalk, along: Sequence[NDArray[np.int64]]) -> Any:
    """The points of a box of sites, given by the lattice numbers along each axis."""
    numbers = np.meshgrid(*along, indexing="ij")
    return as_point([lattice.x(k) for lattice, k in zip(walk.lattices, numbers, strict=True)])


def _valid(walk: LatticeWalk, ends: Ends, begin: Ends, times: Floats) -> Ends:
    """The part of a window around the start that has step probabilities at all the `times`.

    The window is cut axis by axis at the first sites beyond the start that have none, where the others of their row are those
    of the start; in several dimensions then once more where sites are left that have none.
    """
    ends, begin = list(ends), list(begin)
    for axis in range(walk.dimension):
        box = list(begin)
        (low, high), (first, last) = ends[axis], begin[axis]
        kept = []
        for end, start, towards in ((low, first, -1), (high, last, 1)):
            kept.append(min(_leading(walk, box, axis, start, towards, abs(end - start), float(t)) for t in times))
        ends[axis] = first - kept[0], last + kept[1]
    return ends


def _leading(walk: LatticeWalk, box: Ends, axis: int, begin: int, towards: int, count: int, t: float) -> int:
    """How many of the `count` rows of sites next to `begin` along an axis have step probabilities at time `t`, one after the
    other; `box` holds the sites along the others."""
    found, block = 0, 64
    while found < count:
        along = [np.arange(low, high + 1) for low, high in box]
        along[axis] = begin + towards * np.arange(found + 1, min(found + block, count) + 1)
        try:
            good = _good(walk, _places(walk, along), t)
        except ValueError:  # a table that ends among these sites
            if block == 1:
                return found
            block //= 2
            continue
        rows = good.all(axis=tuple(other for other in range(good.ndim) if other != axis))
        if not rows.all():
            return found + int(np.argmin(rows))
        found, block = found + rows.size, 2 * block
    return found


def _good(walk: LatticeWalk, point: Any, t: float) -> NDArray[np.bool_]:
    """Whether the steps from places have probabilities."""
    chances, kappa = [p(point, t) for p in walk.probabilities.values()], walk.killing_rate(point, t)
    with np.errstate(invalid="ignore"):
        good = (sum(chances) <= 1.0 + 1e-15) & (kappa >= 0.0)
        for p in chances:
            good = good & (p >= -1e-15)
    shape = np.shape(point[0] if isinstance(point, tuple) else point)
    return np.asarray(np.broadcast_to(good, shape))
