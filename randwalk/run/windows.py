"""The step tables of a run. On an unbounded domain a table covers a window of sites, which is a guess: walkers that reach the
edge of the window rest there, and these alone go on in a window that reaches twice as far from the start on that side.

The path of a walker depends on the walk, the seed and the walker's number alone, so it is the same in every window.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from functools import cached_property

from ..kernels.program import Start, TableProgram
from ..model.walk import LatticeWalk
from ..tables import window
from ..tables.guess import Ends
from ..tables.start_table import start_index, start_parts
from ..tables.table import StepTable

KEPT = 1 << 28  # bytes of the rows that a time-dependent table keeps for the next batch of walkers


class Rows:
    """A step table, the law of the start on its sites, and the rows made so far.

    The table makes the rows of a time-dependent walk once, as far as KEPT bytes hold them, and further rows again for each batch.
    """

    def __init__(self, table: StepTable, steps: int) -> None:
        self.table = table
        self.parts = tuple(Start(*part) for part in start_parts(table))
        self._steps = steps
        self._made: dict[int, TableProgram] = {}
        self._lock = threading.Lock()

    @cached_property
    def start(self) -> Start:
        """The start as one part."""
        return Start(*start_index(self.table))

    @property
    def single(self) -> int | None:
        """The cell at which all walkers begin; None if there are several."""
        cells = [part.sites for part in self.parts]
        return sum(int(some[0]) for some in cells) if all(some.size == 1 for some in cells) else None

    @property
    def rows(self) -> int:
        """How many rows all steps need; none if walkers are advanced by digits."""
        return 0 if self.table.digits else self._steps if self.table.walk.time_dependent else 1

    @property
    def bytes(self) -> float:
        """The size of the rows of all steps."""
        return float(self.table.bytes_of_a_row) * self.rows if self.rows else 0.0

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
        kept = self._steps if self.kept else KEPT // self.table.bytes_of_a_row // size * size
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


class Tables:
    """The step tables of a walk for runs of `steps` steps, by their sites, each made when it is first needed. They depend on
    nothing else, so runs share them."""

    def __init__(self, walk: LatticeWalk, steps: int) -> None:
        self.walk, self.steps = walk, steps
        self.sites = window.Windows(walk, steps)
        self.guess = self.sites.ends()
        self._made: dict[Ends, Rows] = {}
        self._lock = threading.Lock()

    @cached_property
    def start(self) -> Rows:
        """The table of the sites at which walkers begin."""
        return Rows(window.table_on(self.walk, self.sites.begin), self.steps)

    def on(self, ends: Ends) -> Rows:
        """The table of the sites between the numbers `ends`."""
        with self._lock:
            if ends not in self._made:
                self._made[ends] = Rows(window.unchecked(self.walk, ends), self.steps)
            return self._made[ends]

    @property
    def guessed(self) -> Rows:
        """The table of the sites that walkers are expected to reach."""
        return self.on(self.guess)

    @property
    def small(self) -> bool:
        """Whether the table of the guessed sites takes so little memory that it may be kept after a run."""
        return self.guessed.table.is_small(self.guessed.rows)


class Windows:
    """The windows of a run on some tables. Which ones are needed depends on the walkers alone, not on how they are divided into
    batches."""

    def __init__(self, tables: Tables) -> None:
        self.tables, self.walk, self.steps = tables, tables.walk, tables.steps
        self._widest = tables.guess
        self._lock = threading.Lock()

    @classmethod
    def reachable(cls, tables: Tables) -> Windows:
        """Those of all sites that walkers without walls can reach, however many: for walkers that are not counted by site."""
        windows, steps, begins = cls(tables), tables.steps, tables.sites.begin
        windows._widest = tuple(
            (first, last) if lattice.periodic else (begin[0] - steps, begin[1] + steps)
            for lattice, (first, last), begin in zip(tables.walk.lattices, tables.guess, begins, strict=True)
        )
        return windows

    @property
    def start(self) -> Rows:
        """The table of the sites at which walkers begin."""
        return self.tables.start

    @property
    def rows(self) -> Rows:
        """The table of the widest window that any walkers so far have needed."""
        return self.tables.on(self._widest)

    def on(self, table: StepTable) -> Rows:
        """The table of the sites of another table of this walk."""
        return self.tables.on(tuple((first, first + sites - 1) for first, sites in table.window))

    def wider(self, rows: Rows, reached: Sequence[bool]) -> Rows:
        """The table of the next wider window than that of `rows`, on the sides whose edge walkers have reached: the low and the
        high one of every axis.

        Raises
        ------
        ValueError
            where the walk is not valid beyond an edge that walkers have reached, with the place; or where the window has more
            sites than a walker's place can count.
        """
        ends = tuple((first, first + sites - 1) for first, sites in rows.table.window)
        wider = self.tables.sites.wider(ends, reached, "walkers reach")
        window.check_size(self.walk, wider)
        with self._lock:
            self._widest = tuple((min(a, b), max(c, d)) for (a, c), (b, d) in zip(self._widest, wider, strict=True))
        return self.tables.on(wider)

    def reaching(self, ends: Ends) -> Rows:
        """The table of the widest window so far, which is made wider first if it lacks sites between these `ends`."""
        rows = self.rows
        while any(reached := _beyond(rows.table, ends)):
            rows = self.wider(rows, reached)
        return rows


def _beyond(table: StepTable, ends: Ends) -> tuple[bool, ...]:
    """Whether `ends` lie beyond the low and the high end of each axis of a window that is not a ring."""
    found = []
    for (first, sites), ring, (low, high) in zip(table.window, table.layout.periodic, ends, strict=True):
        found += [not ring and low < first, not ring and high >= first + sites]
    return tuple(found)
