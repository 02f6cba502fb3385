"""The step tables of a run. On an unbounded domain a table covers a window of sites, which is a guess: walkers that reach the
edge of the window rest there, and these alone go on in a window that reaches twice as far from the start on that side.

The path of a walker depends on the walk, the seed and the walker's number alone, so it is the same in every window.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np

from ..kernels.backend import Start
from ..kernels.program import TableProgram
from ..model.coefficient import Floats
from ..model.lattice import MOST_SITES
from ..model.walk import LatticeWalk
from ..tables.guess import guessed_ends
from ..tables.table import StepTable
from ..tables.window import start_index, start_range, table_on

KEPT = 1 << 28  # bytes of the rows that a time-dependent table keeps for the next batch of walkers
OF_A_ROW = 24  # bytes of a column in a row: three thresholds in two parts
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
    def bytes(self) -> float:
        """The size of the rows of all steps."""
        return float(OF_A_ROW) * self.table.columns * (self._steps if self.table.walk.time_dependent else 1)

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
        kept = self._steps if self.kept else KEPT // (OF_A_ROW * self.table.columns) // size * size
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

    The lower end is 2^i times as far below the start as guessed and the upper one 2^j times as far above it; which i and j are
    needed depends on the walkers alone, not on how they are divided into batches.
    """

    def __init__(self, walk: LatticeWalk, steps: int) -> None:
        self.walk, self.steps = walk, steps
        if walk.lattice.sites is None:
            (self._begin,) = begin = start_range(walk)
            ((low, high),) = guessed_ends(walk, steps, begin)
            self._far = max(self._begin[0] - low, 1), max(high - self._begin[1], 1)
        self._doublings = (0, 0)
        self._tables: dict[tuple[int, int], Rows] = {}
        self._lock = threading.Lock()

    @property
    def rows(self) -> Rows:
        """The table of the widest window that any walkers so far have needed."""
        with self._lock:
            return self._at(*self._doublings)

    def wider(self, rows: Rows, left: bool, right: bool) -> Rows:
        """The table of the next wider window than that of `rows`, on the sides whose edge walkers have reached.

        Raises
        ------
        ValueError
            where the walk is not valid beyond an edge that walkers have reached, with the place; or where the window has more
            sites than a walker's place can count.
        """
        with self._lock:
            i, j = next(doublings for doublings, made in self._tables.items() if made is rows)
            wider = self._at(i + left, j + right)
            for reached, edge, stays, beyond in (
                (left, rows.table.first, wider.table.first == rows.table.first, -1),
                (right, _last(rows.table), _last(wider.table) == _last(rows.table), 1),
            ):
                if reached and stays:
                    self._refuse(edge, beyond)
            self._doublings = max(self._doublings[0], i + left), max(self._doublings[1], j + right)
            return wider

    def _at(self, i: int, j: int) -> Rows:
        if (i, j) not in self._tables:
            self._tables[i, j] = Rows(table_on(self.walk, [self._ends(i, j)]), self.steps)
        return self._tables[i, j]

    def _ends(self, i: int, j: int) -> tuple[int, int]:
        """The first and the last site of a window; a bounded domain is its own window."""
        lattice = self.walk.lattice
        if lattice.first is not None and lattice.last is not None:
            return lattice.first, lattice.last
        begin, end = self._begin
        low, high = begin - min(self._far[0] << i, self.steps), end + min(self._far[1] << j, self.steps)
        low = low if lattice.first is None else max(low, lattice.first)
        high = high if lattice.last is None else min(high, lattice.last)
        if self.walk.homogeneous or high - low >= MOST_SITES:
            return low, high
        return begin - self._valid(begin, low), end + self._valid(end, high)

    @property
    def _times(self) -> Floats:
        """The times at which probabilities are checked."""
        tried = np.linspace(0, max(self.steps - 1, 0), TRIED if self.walk.time_dependent else 1)
        return np.unique(np.rint(tried)) * self.walk.dt

    def _valid(self, begin: int, end: int) -> int:
        """How many sites from `begin` towards `end` have step probabilities, one after the other."""
        towards = 1 if end >= begin else -1
        return min(_leading(self.walk, begin, towards, abs(end - begin), float(t)) for t in self._times)

    def _refuse(self, edge: int, beyond: int) -> None:
        for t in self._times:
            self.walk.check(self.walk.lattice.x([edge + beyond]), t)
        raise ValueError(
            f"walkers reach x = {self.walk.lattice.x(edge):.6g}, beyond which the walk is not valid: put a wall there, or give "
            "coefficients that go further"
        )


def _last(table: StepTable) -> int:
    return table.first + table.sites - 1


def _leading(walk: LatticeWalk, begin: int, towards: int, count: int, t: float) -> int:
    """How many of the `count` sites next to `begin` have step probabilities at time `t`, one after the other."""
    found, block = 0, 64
    while found < count:
        k = begin + towards * np.arange(found + 1, min(found + block, count) + 1)
        x = walk.lattice.x(k)
        try:
            p, q, kappa = walk.right(x, t), walk.left(x, t), walk.killing_rate(x, t)
        except ValueError:  # a table that ends among these sites
            if block == 1:
                return found
            block //= 2
            continue
        with np.errstate(invalid="ignore"):
            good = (p >= -1e-15) & (q >= -1e-15) & (p + q <= 1.0 + 1e-15) & (kappa >= 0.0)
        if not good.all():
            return found + int(np.argmin(np.broadcast_to(good, k.shape)))
        found, block = found + k.size, 2 * block
    return found
