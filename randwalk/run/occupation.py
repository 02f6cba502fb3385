"""The occupation method: the histogram is stepped, not the walkers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..kernels.occupation import scatter
from ..kernels.philox import key
from ..kernels.program import Keys
from .batch import Batch
from .counts import Counts
from .machine import Machine
from .record import Record
from .results import Passages, Paths, Recorded
from .windows import Rows, Windows

STRETCH = 1 << 14  # steps between chances to interrupt; in a window with an edge, steps that may have to be repeated
SITE_STEPS = 1 << 27  # of a stretch, some seconds


class Midway(Protocol):
    """Where a run is kept while it goes on: as the counts of all its walkers at the recorded times so far, and now."""

    def begun(self, walkers: range) -> Counts | None:
        """What was kept of a run of these walkers."""

    def keep(self, so_far: Callable[[], Counts]) -> None:
        """Told after every stretch of steps."""


def occupation(
    windows: Windows,
    walkers: range,
    steps: tuple[int, ...],
    seed: int,
    records: Sequence[Record],
    machine: Machine,
    advance: Callable[[float], None],
    midway: Midway | None = None,
) -> Counts:
    """Run the range of walkers as one histogram; `advance` is told of each fraction that is done.

    A range that does not start at walker 0 has a key of its own, so that ranges are independent samples. A run goes on from what
    is kept of it `midway`: how many step from a site is a function of the seed, the site and the step alone.
    """
    keys = key(seed, walkers.start) if walkers.start else key(seed)
    held = midway.begun(walkers) if midway is not None else None
    rows = windows.rows if held is None else windows.on(held.table)
    results = {record: record.empty(rows.table, (walkers,), steps) for record in records}
    total = Counts(rows.table, steps, (walkers,), rows.table.layout.empty(len(steps)), results, seed, "occupation")
    counts, done, known = rows.table.layout.empty(), 0, 0
    if held is None:
        scatter(counts, len(walkers), tuple(rows.start), len(rows.table.offsets), rows.table.layout.address, keys)
    else:
        counts, done, known = held.raw[-1].copy(), held.steps[-1], _taken_over(total, held)
        advance(done / steps[-1])
    passages = next((result.counts for result in results.values() if isinstance(result, Passages)), None)
    if passages is not None and held is None:
        passages[0] = rows.table.layout.gone(counts)
    for row, target in enumerate(steps[known:], known):
        while done < target:
            stop = min(done + max(1, min(STRETCH, SITE_STEPS // rows.table.sites)), target)
            rows, counts, left = _stretch(windows, rows, counts, done, stop, machine, keys)
            if passages is not None:
                passages[done + 1 : stop + 1] = left
            advance((stop - done) / steps[-1])
            done = stop
            if midway is not None:
                midway.keep(partial(_so_far, total, row, done, rows, counts, machine))
        total = total.on(rows.table)
        total.raw[row] = counts
        now = Batch(rows.table, counts, rows.single, machine)
        for record, result in total.records.items():
            if not isinstance(result, Passages):
                record.add(result, row, now)
    return total


def ends_at(steps: Sequence[int], last: int) -> tuple[int, ...]:
    """The recorded steps of the run that ends at step `last`."""
    return *(step for step in steps if step < last), last


def _so_far(total: Counts, row: int, done: int, rows: Rows, counts: NDArray[np.int64], machine: Machine) -> Counts:
    """The run as one that ends now, after the first `row` recorded times."""
    total, steps = total.on(rows.table), (*total.steps[:row], done)
    now, results = Batch(rows.table, counts, rows.single, machine), {}
    for record, result in total.records.items():
        ending = record.empty(rows.table, total.parts, steps)
        if not isinstance(ending, Passages):
            record.add(ending, row, now)
        results[record] = _filled(ending, result, done + 1 if isinstance(ending, Passages) else row)
    raw = np.concatenate([total.raw[:row], counts[None]])
    return Counts(rows.table, steps, total.parts, raw, results, total.seed, total.method)


def _taken_over(total: Counts, held: Counts) -> int:
    """Put what is known of a run into its counts; how many of the recorded times that is."""
    known = len(held.steps) - (held.steps[-1] not in total.steps)
    total.raw[:known] = held.raw[:known]
    for record, result in total.records.items():
        rows = held.steps[-1] + 1 if isinstance(result, Passages) else known
        total.records[record] = _filled(result, held.records[record], rows)
    return known


def _filled(result: Recorded, other: Recorded, rows: int) -> Recorded:
    """A result with the first rows of another one."""
    assert not isinstance(result, Paths) and not isinstance(other, Paths)
    counts = np.array(result.counts)
    counts[:rows] = other.counts[:rows]
    return result.holding(counts)


def _stretch(
    windows: Windows, rows: Rows, counts: NDArray[np.int64], start: int, stop: int, machine: Machine, keys: Keys
) -> tuple[Rows, NDArray[np.int64], NDArray[np.int64]]:
    """(the table, the histogram at step `stop`, the walkers that left in each step by each exit), from the histogram at step
    `start`; in a wider window than that of `rows` if walkers reach its edge."""
    while True:
        layout = rows.table.layout
        after, gone = counts.copy(), np.zeros((stop - start, len(layout.exits)), dtype=np.int64)
        for begin, end, program in rows.chunks(start, stop):
            left = gone[begin - start : end - start]
            machine.occupy(after, program, layout, begin, end, left, keys)
            layout.leave(after, left.sum(axis=0))
        reached = layout.gone(after)[:-1] > 0
        escaped = tuple(edge and bool(out) for edge, out in zip(layout.edges, reached, strict=False))
        if not any(escaped):
            return rows, after, gone
        rows = windows.wider(rows, escaped)
        counts = layout.moved(counts, rows.table.layout)
