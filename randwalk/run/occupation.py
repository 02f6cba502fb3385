"""The occupation method: the histogram is stepped, not the walkers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ..kernels.backend import Machine, TableProgram
from ..kernels.occupation import scatter
from ..kernels.philox import key
from ..model.domain import EXITS
from ..tables.table import StepTable
from ..tables.window import start_index
from .host import Host
from .record import FirstPassage, Passages, Record, Recorded, only_exits

STRETCH = 1 << 14  # steps between chances to interrupt


def occupation(
    table: StepTable,
    walkers: range,
    steps: Sequence[int],
    seed: int,
    records: Sequence[Record],
    backend: Machine | None = None,
) -> Iterator[tuple[float, NDArray[np.int64], list[Recorded]]]:
    """Run the range of walkers as one histogram: yields (fraction done, counts (times, sites + 3), records), last the whole.

    A range that does not start at walker 0 has a key of its own, so that ranges are independent samples.
    """
    keys = key(seed, walkers.start) if walkers.start else key(seed)
    where = backend or Host()
    outer = table.sites + 2
    counts = np.zeros(outer + 1, dtype=np.int64)
    origin = table.first - 1
    scatter(counts, len(walkers), *start_index(table), origin, *keys)
    recorded = np.zeros((len(steps), outer + 1), dtype=np.int64)
    kept = any(isinstance(r, FirstPassage) for r in records)
    gone = np.zeros((steps[-1] + 1 if kept else 1, len(EXITS)), dtype=np.int64)
    gone[0, :2] = counts[0], counts[table.sites + 1]
    passing = np.zeros((min(STRETCH, steps[-1]), len(EXITS)), dtype=np.int64)
    layout = (table.low, table.high, table.wrap, outer)
    done = 0
    for row, target in enumerate(steps):
        while done < target:
            stop = min(done + STRETCH, target)
            for begin, end, thresholds in table.chunks(done, stop):
                left = gone[begin + 1 : end + 1] if kept else passing[: end - begin]
                program = TableProgram(thresholds, layout)
                where.occupy(counts, program, begin, end, origin, left, keys)
                counts[[0, table.sites + 1, outer]] += left.sum(axis=0)
            done = stop
            yield done / steps[-1], recorded, []
        recorded[row] = counts
    results: list[Recorded] = []
    if kept:
        only_exits(gone, table)
        results = [Passages(np.arange(steps[-1] + 1) * table.walk.dt, gone, len(walkers))]
    yield 1.0, recorded, results
