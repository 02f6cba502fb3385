"""Following walkers one by one: step by step (the paths method) or from one recorded time to the next (the jump method).

The path of a walker depends on the walk, the seed and the walker's number alone, so the counts of a run are a sum over ranges of
walkers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..kernels.philox import key
from ..kernels.program import Keys, Walkers
from ..tables.table import StepTable
from .batch import Batch
from .counts import Counts
from .free import FreeWalkers, are_free
from .functional import Functionals, Leaving, words_of
from .jump import Jumps
from .machine import Machine
from .record import Record, followed
from .windows import Rows, Windows

BATCH = 1 << 19  # walkers that a thread has in memory at a time
LARGE_BATCH = 1 << 22  # the same number where every batch makes rows of the table, or counts on as many cells
LEAST_BATCH = 1 << 10  # the same number at least, in a batch of long paths
QUICK_WORK, FOLLOWED_WORK = (
    1 << 31,
    1 << 28,
)  # walkers × steps of a batch: a second or two at most, because Ctrl-C loses it
SEEN = 1 << 24  # words for visited cells that a thread has in memory at a time
ROOM = 64  # the least steps that walkers who do not rest at the edge of a window are advanced
STRETCH = 1 << 10  # the least steps between two searches for walkers at the edge of a window
WORK = 1 << 22  # the least walkers × steps between two searches, which then take a negligible share of the time

Cells: TypeAlias = NDArray[np.int32]


class Stride(Protocol):
    """Takes walkers from one recorded time to the next."""

    def __call__(
        self, machine: Machine, walkers: Walkers, rows: Rows, row: int, start: int, stop: int, keys: Keys
    ) -> None: ...


def follow(
    windows: Windows,
    walkers: range,
    steps: tuple[int, ...],
    seed: int,
    records: Sequence[Record],
    jumps: Jumps | None,
    machine: Machine,
) -> Iterator[Counts]:
    """Run the walkers in batches, step by step or by `jumps`; yields the counts of one batch after another.

    Walkers that reach an edge of the window go on in a wider one (:class:`_Walkers`), and later batches begin with the widest
    window that any batch has needed.
    """
    wanted, walk = followed(records, windows.walk), windows.walk
    kept, cells = windows.rows.kept, windows.rows.table.layout.cells
    most = BATCH if kept and cells < BATCH else LARGE_BATCH
    from_table = kept and jumps is None and not windows.rows.table.digits
    quick = not from_table and all(isinstance(functional, Leaving) for functional in wanted)
    steps_at_once = QUICK_WORK if quick else FOLLOWED_WORK
    size = max(LEAST_BATCH, min(most, steps_at_once // max(1, steps[-1])))
    # a site, where it began, the passage, the maximum, the others, and bits
    words = words_of(windows.rows.table, wanted, steps[-1])
    width = 4 + len(set(wanted)) + words
    if words:
        size = max(1, min(size, SEEN // words))
    if _searched(windows.rows.table):
        width *= 2  # and these before a stretch of steps
    keys = key(seed)

    free = are_free(windows.rows.table, records, "paths" if jumps is None else "jump")
    if free:
        width = max(width, 1 + 2 * walk.dimension)

    def work(batch: range) -> Counts:
        kind = FreeWalkers if free else _Walkers
        while True:
            try:
                counts = kind(windows, batch, steps, keys, records, jumps, machine).run()
                return replace(counts, seed=seed, method="paths" if jumps is None else "jump")
            except _Narrow:
                continue

    for _, counts in machine.batches(walkers, size, steps[-1], width, work):
        yield counts


def step_by_step(machine: Machine, walkers: Walkers, rows: Rows, row: int, start: int, stop: int, keys: Keys) -> None:
    """Every step of every walker: the paths method."""
    table = rows.table
    if table.digits:
        machine.advance(walkers, table.digits_program(), start, stop, keys)
        return
    for begin, end, program in rows.chunks(start, stop):
        machine.advance(walkers, program, begin, end, keys)


class _Narrow(Exception):
    """A window is too narrow for walkers that keep a bit for each of its cells: they begin again in a wider one."""


class _Walkers:
    """A batch of walkers on its way: where they are, the functionals of their paths, and what is counted of them so far.

    Walkers that reach an edge of the window rest there. At the end of the stretch of steps these walkers alone make the stretch
    again in a wider window, in which the batch then goes on.
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
        self.windows, self.steps, self.keys, self.machine = windows, steps, keys, machine
        self.stride: Stride = jumps or step_by_step
        self.rows = windows.rows
        table = self.rows.table
        site = machine.place(walkers, self.rows.parts, keys)
        apart = self.rows.single is None or any(table.layout.periodic)  # else displacements are asked of the counts
        self.begun = machine.copy(site) if records and apart else site
        self.functionals = Functionals(table, followed(records, windows.walk), steps[-1])
        levels = self.functionals.begun(site, machine)
        state = machine.begin(site, levels) if self.functionals.wanted else None
        self.walkers = Walkers(walkers.start, site, state, levels, self.functionals.leaving_only)
        # Those of a constant walk on a line may step outside the window, where their places are numbers of cells all the same.
        self.roams = table.digits > 0 and windows.walk.dimension == 1 and not self.functionals.on_cells
        results = {record: record.empty(table, (walkers,), steps) for record in records}
        self.counts = Counts(table, steps, (walkers,), table.layout.empty(len(steps)), results)

    def run(self) -> Counts:
        done = 0
        for row, target in enumerate(self.steps):
            for stop in self._stops(done, target):
                self._advance(row, done, stop)
                done = stop
            if self.counts.records:
                now = self._now(row)
                for record, result in self.counts.records.items():
                    record.add(result, row, now)
        return self.counts

    def _stops(self, done: int, target: int) -> Iterator[int]:
        """The steps from `done` to the recorded step `target` after which the batch stops; in a window with an edge it stops also
        before `target`: for a search for walkers at the edge, or where those that rest at none could step beyond it."""
        table = self.rows.table
        if table.digits and not self.roams:
            while (stop := done + self._room(self.steps[-1] - done)) < target:
                yield stop
                done = stop
        elif _searched(table):
            stretch = STRETCH * max(1, WORK // (STRETCH * self.counts.walkers))
            yield from range((done // stretch + 1) * stretch, target, stretch)
        yield target

    def _room(self, left: int) -> int:
        """In how many steps no walker can leave the window, which is made wider where they are few of those `left`."""
        least = min(ROOM, left)
        while True:
            layout, margins = self.rows.table.layout, []
            numbers = layout.numbers(self.machine.host(self.walkers.site))
            for k, first, n in zip(numbers, layout.first, layout.shape, strict=True):
                margins += [int(k.min()) - first, first + n - 1 - int(k.max())]
            if min(margins) >= least:
                return min(margins)
            self._widen(tuple(margin < least for margin in margins), [])

    def _advance(self, row: int, start: int, stop: int) -> None:
        """The steps `start` … `stop` - 1 of all walkers, in windows wide enough for them."""
        searched = _searched(self.rows.table)
        before = [self.machine.copy(column) for column in self._columns] if searched else []
        self.stride(self.machine, self.walkers, self.rows, row, start, stop, self.keys)
        escaped = self._count(row)
        if any(escaped):
            before = [self.machine.host(column) for column in before]
        while any(escaped):
            places, before = self._widen(escaped, before)
            if places.size:
                again = self.walkers._replace(places=places)
                self.stride(self.machine, again, self.rows, row, start, stop, self.keys)
            escaped = self._count(row)

    @property
    def _columns(self) -> list[Any]:
        """The sites of the walkers, then the functionals of their paths, each for all walkers."""
        state = self.walkers.state
        return [self.walkers.site, *([] if state is None else self.machine.columns(state))]

    def _count(self, row: int) -> tuple[bool, ...]:
        """Count the walkers on each cell. Returns for each face of the window whether it is an edge that walkers have reached."""
        table, columns = self.rows.table, self._columns
        self.counts.raw[row] = self.machine.histogram(columns[0], table.layout.cells)
        highest = columns[2] if self.roams and len(columns) > 1 else None
        return _escaped(table, self.counts.raw[row], highest, self.machine)

    def _widen(self, escaped: tuple[bool, ...], before: list[Cells]) -> tuple[Cells, list[Cells]]:
        """Go over to a wider window. Walkers at the edges of a window are put back to where they were `before`, the columns at
        the beginning of the stretch: (the places of these walkers, the same columns in the wider window)."""
        narrow = self.rows.table
        self.rows = self.windows.wider(self.rows, escaped)
        if self.functionals.words:
            raise _Narrow
        wide = self.rows.table
        now = [self.machine.host(column) for column in self._columns]
        places = np.empty(0, dtype=np.int32)
        if before:
            exits = [way for way, edge in enumerate(narrow.layout.edges) if edge]
            places = np.flatnonzero(np.isin(narrow.layout.exit_of[now[0]], exits)).astype(np.int32)
            for column, earlier in zip(now, before, strict=True):
                column[places] = earlier[places]
        for columns in filter(None, (now, before)):
            columns[0] = _carried(columns[0], narrow, wide)
            columns[1:] = self.functionals.carried(
                columns[1:], narrow, wide, lambda cells: _carried(cells, narrow, wide)
            )
        for column, values in zip(self._columns, now, strict=True):
            column[:] = values
        if self.begun is not self.walkers.site:
            self.begun[:] = _carried(self.machine.host(self.begun), narrow, wide)
        self.functionals = Functionals(wide, self.functionals.wanted, self.steps[-1])
        self.walkers = self.walkers._replace(levels=self.functionals.levels)
        self.counts = self.counts.on(wide)
        return places, before

    def _now(self, row: int) -> Batch:
        """The batch as records see it."""
        site, *state = self._columns
        functionals, start = self.functionals.of(state), self.rows.single
        return Batch(self.rows.table, self.counts.raw[row], start, self.machine, site, self.begun, functionals)


def _searched(table: StepTable) -> bool:
    """Whether walkers rest at an edge of the window, and are searched for. Those of a constant walk step on outside it."""
    return not table.digits and any(table.layout.edges)


def _carried(cells: Cells, narrow: StepTable, wide: StepTable) -> Cells:
    """Cells of a window as cells of a wider one."""
    carried = wide.layout.index(*narrow.layout.numbers(cells))
    if not narrow.digits:
        carried = np.where(cells == narrow.layout.killed, wide.layout.killed, carried)
    return carried.astype(np.int32)


def _escaped(table: StepTable, counts: NDArray[np.int64], highest: Any, machine: Machine) -> tuple[bool, ...]:
    """For each face of the window whether it is an edge that walkers have reached.

    `counts` is the histogram of their sites. Walkers of a constant walk also step outside the window, so for them the `highest`
    sites are searched too.
    """
    layout = table.layout
    reached = layout.gone(counts)[:-1] > 0
    if table.digits:
        beyond = int(counts[layout.killed])
        if highest is not None:
            beyond += int(layout.gone(machine.histogram(highest, layout.cells))[1:].sum())
        reached[-1] |= beyond > 0
    return tuple(edge and bool(there) for edge, there in zip(layout.edges, reached, strict=False))
