"""The occupation method: the histogram is stepped, not the walkers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..kernels.occupation import scatter
from ..kernels.philox import key
from ..kernels.program import Keys
from .batch import Batch
from .counts import Counts
from .machine import Machine
from .record import Record
from .results import Passages
from .windows import Rows, Windows

STRETCH = 1 << 14  # steps between chances to interrupt; in a window with an edge, steps that may have to be repeated


def occupation(
    windows: Windows,
    walkers: range,
    steps: tuple[int, ...],
    seed: int,
    records: Sequence[Record],
    machine: Machine,
    advance: Callable[[float], None],
) -> Counts:
    """Run the range of walkers as one histogram; `advance` is told of each fraction that is done.

    A range that does not start at walker 0 has a key of its own, so that ranges are independent samples.
    """
    keys = key(seed, walkers.start) if walkers.start else key(seed)
    rows = windows.rows
    layout = rows.table.layout
    counts = layout.empty()
    scatter(counts, len(walkers), tuple(rows.start), len(rows.table.offsets), layout.address, keys)
    results = {record: record.empty(rows.table, (walkers,), steps) for record in records}
    passages = next((result.counts for result in results.values() if isinstance(result, Passages)), None)
    if passages is not None:
        passages[0] = layout.gone(counts)
    total = Counts(rows.table, steps, (walkers,), layout.empty(len(steps)), results, seed, "occupation")
    done = 0
    for row, target in enumerate(steps):
        while done < target:
            stop = min(done + STRETCH, target)
            rows, counts, left = _stretch(windows, rows, counts, done, stop, machine, keys)
            if passages is not None:
                passages[done + 1 : stop + 1] = left
            advance((stop - done) / steps[-1])
            done = stop
        total = total.on(rows.table)
        total.raw[row] = counts
        now = Batch(rows.table, counts, rows.single, machine)
        for record, result in total.records.items():
            if not isinstance(result, Passages):
                record.add(result, row, now)
    return total


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
