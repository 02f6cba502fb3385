"""The occupation method: the histogram is stepped, not the walkers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..kernels.backend import Machine
from ..kernels.occupation import scatter
from ..kernels.philox import key
from ..kernels.program import Keys
from ..model.domain import EXITS
from .counts import Counts
from .record import FirstPassage, Passages, Record, Recorded
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
    kept = any(isinstance(record, FirstPassage) for record in records)
    gone = np.zeros((steps[-1] + 1 if kept else 1, len(EXITS)), dtype=np.int64)
    gone[0] = layout.gone(counts)
    recorded: list[Counts] = []
    done = 0
    for target in steps:
        while done < target:
            stop = min(done + STRETCH, target)
            rows, counts, left = _stretch(windows, rows, counts, done, stop, machine, keys)
            if kept:
                gone[done + 1 : stop + 1] = left
            advance((stop - done) / steps[-1])
            done = stop
        recorded.append(Counts(rows.table, (target,), (walkers,), counts[None].copy(), {}))
    results: dict[Record, Recorded] = {}
    for record in records:
        results[record] = Passages(np.arange(steps[-1] + 1) * rows.table.walk.dt, gone, len(walkers))
    raw = np.concatenate([counted.on(rows.table).raw for counted in recorded])
    return Counts(rows.table, steps, (walkers,), raw, results, seed, "occupation")


def _stretch(
    windows: Windows, rows: Rows, counts: NDArray[np.int64], start: int, stop: int, machine: Machine, keys: Keys
) -> tuple[Rows, NDArray[np.int64], NDArray[np.int64]]:
    """(the table, the histogram at step `stop`, the walkers that left in each step by each exit), from the histogram at step
    `start`; in a wider window than that of `rows` if walkers reach its edge."""
    while True:
        table = rows.table
        after, gone = counts.copy(), np.zeros((stop - start, len(EXITS)), dtype=np.int64)
        layout = table.layout
        for begin, end, program in rows.chunks(start, stop):
            left = gone[begin - start : end - start]
            machine.occupy(after, program, layout, begin, end, left, keys)
            layout.leave(after, left.sum(axis=0))
        reached = layout.gone(after) > 0
        escaped = tuple(edge and bool(out) for edge, out in zip(layout.edges[:2], reached[:2], strict=True))
        if not any(escaped):
            return rows, after, gone
        rows = windows.wider(rows, *escaped)
        counts = layout.moved(counts, rows.table.layout)
