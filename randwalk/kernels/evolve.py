"""The master equation, one step after another: P(x, t + dt) from P(x, t), on the table the simulation uses."""

from __future__ import annotations

import numpy as np

from .compile import device, kernel, maker
from .philox import U
from .program import FULL, LIVE
from .step import column, limit

TINY = 1e-292  # a mass to drop at the edge of the reached sites: denormal numbers are a hundred times slower
UNIT = 1.0 / FULL
SHORTEST = 16  # cells in a row whose chances are alike, so that they are read once


@device
def _tabulate(chances, program, row, begin, end, far):  # type: ignore[no-untyped-def]
    """chances[k, i + far] = the probability of step k on cell i, or on column i if `far` is 0, for begin ≤ i < end, rounded once;
    k = K is a stay."""
    for i in range(begin, end):
        c = column(i, program) if far else U(i)
        for k in range(len(program.offsets) + 1):
            above = limit(program, row, k, c)
            chances[k, i + far] = np.float64(above - limit(program, row, k - 1, c) if k else above) * UNIT


@device
def _gather(target, source, chances, columns, offsets, begin, end):  # type: ignore[no-untyped-def]
    """The mass of the cells begin … end - 1 after a step."""
    for i in range(begin, end):
        mass = 0.0
        for k in range(len(offsets)):
            here = U(i - offsets[k])  # an index that might be negative would keep this off vectors
            mass += chances[k, U(columns[here]) if columns.size else here] * source[here]
        target[U(i)] = mass + chances[len(offsets), U(columns[i]) if columns.size else U(i)] * source[U(i)]


@device
def _gather_alike(target, source, chances, offsets, begin, end):  # type: ignore[no-untyped-def]
    """As :func:`_gather`, where all cells have the same `chances`."""
    for i in range(begin, end):
        mass = 0.0
        for k in range(len(offsets)):
            mass += chances[k] * source[U(i - offsets[k])]
        target[U(i)] = mass + chances[len(offsets)] * source[U(i)]


@maker
def _alike(columns, offsets, far):  # type: ignore[no-untyped-def]
    """(begin, end) of the longer runs of cells to which steps lead from cells of their own column alone."""
    runs, count, begin = np.empty((columns.size // SHORTEST + 1, 2), np.int64), 0, far
    for i in range(far, columns.size - far + 1):
        same = i < columns.size - far
        for k in range(len(offsets)):
            same = same and columns[i - offsets[k]] == columns[begin]
        if not (same and columns[i] == columns[begin]):
            if i - begin >= SHORTEST:
                runs[count, 0], runs[count, 1] = begin, i
                count += 1
            begin = i + 1
    return runs[:count]


@maker
def _ghosts(program):  # type: ignore[no-untyped-def]
    """The cells at which walkers rest, or from which they go on elsewhere, except that of the killed."""
    cells, count = np.empty(program.exit_of.size - 1, np.int64), 0
    for i in range(cells.size):
        if program.exit_of[i] != LIVE or (program.home.size and program.home[i] != i):
            cells[count] = i
            count += 1
    return cells[:count]


@maker
def _reached(ghosts, chances, offsets, far):  # type: ignore[no-untyped-def]
    """Those of the ghosts that a step can lead to."""
    count = 0
    for g in range(ghosts.size):
        come = 0.0
        for k in range(len(offsets)):
            come += chances[k, ghosts[g] + far - offsets[k]]
        if come > 0.0:
            ghosts[count] = ghosts[g]
            count += 1
    return ghosts[:count]


@device
def _clear(mass, begin, end):  # type: ignore[no-untyped-def]
    for i in range(begin, end):  # assigning to a slice takes two seconds longer to compile
        mass[i] = 0.0


@kernel
def evolve(mass, program, steps, reach, out, drop):  # type: ignore[no-untyped-def]
    """Advance `mass`, of every cell, by `steps` steps, in place; there is none at exits.

    `reach` = [lowest, highest cell with mass, lowest, highest ever], updated; masses below `drop` at its ends are dropped.
    out[step] += mass that left by each exit during that step.
    """
    offsets, cells, far = program.offsets, mass.size - 1, 0
    for k in range(len(offsets)):
        far = max(far, abs(offsets[k]))
    # Cell i stands at i + far, so that cells at both ends have neighbours.
    source, target = np.zeros(cells + 2 * far), np.zeros(cells + 2 * far)
    ghosts, constant = _ghosts(program), program.thresholds.shape[0] == 1
    columns = np.zeros(source.size if program.column.size else 0, np.int32)
    for i in range(cells):
        source[i + far] = mass[i]
        if columns.size:
            columns[i + far] = program.column[i]
    runs = _alike(columns, offsets, far)
    # Chances are kept for each cell; of a homogeneous walk that depends on time, whose chances are made for each step, by column.
    shared = columns if not constant else columns[:0]
    shift, size = (0, program.thresholds.shape[2]) if shared.size else (far, cells)
    chances = np.zeros((len(offsets) + 1, size + 2 * shift))
    lo, hi, lowest, highest = reach[0] + far, reach[1] + far, reach[2], reach[3]
    for n in range(steps):
        row = 0 if constant else n
        if not constant or n == 0:
            few = not constant and shift
            first, last = (max(lo - 3 * far, 0), min(hi + far + 1, cells)) if few else (0, size)
            _tabulate(chances, program, row, first, last, shift)
            if constant:
                ghosts = _reached(ghosts, chances, offsets, far)
        if program.kills:
            killed = 0.0
            for i in range(lo - far, hi + 1 - far):
                dying = np.float64(FULL - limit(program, row, len(offsets), column(i, program))) * UNIT
                killed += dying * source[i + far]
            out[n, program.exit_of[cells]] += killed
        low, high = lo - far, hi + far
        lo, hi = max(low, 2 * far), min(high, cells - 1)
        here = low
        for r in range(runs.shape[0]):
            begin, end = max(runs[r, 0], here), min(runs[r, 1], high + 1)
            if begin < end:
                _gather(target, source, chances, shared, offsets, here, begin)
                alike = chances[:, shared[begin] if shared.size else begin]
                _gather_alike(target, source, alike, offsets, begin, end)
                here = end
        _gather(target, source, chances, shared, offsets, here, high + 1)
        for g in range(ghosts.size):
            cell, ghost = ghosts[g], ghosts[g] + far
            if low <= ghost <= high:
                come, target[ghost] = target[ghost], 0.0
                if program.exit_of[cell] != LIVE:
                    out[n, program.exit_of[cell]] += come
                elif come > 0.0:
                    there = np.int64(program.home[cell]) + far
                    if there < lo or there > hi:
                        _clear(target, there, lo)
                        _clear(target, hi + 1, there + 1)
                        lo, hi = min(lo, there), max(hi, there)
                    target[there] += come
        while lo < hi and target[lo] < drop:
            target[lo] = 0.0
            lo += 1
        while hi > lo and target[hi] < drop:
            target[hi] = 0.0
            hi -= 1
        _clear(target, lo - 2 * far, lo)  # the next step reads so far beyond what this one reached
        _clear(target, hi + 1, hi + 2 * far + 1)
        lowest, highest = min(lowest, lo - far), max(highest, hi - far)
        source, target = target, source
    for i in range(cells):
        mass[i] = source[i + far] if lo <= i + far <= hi else 0.0
    reach[0], reach[1], reach[2], reach[3] = lo - far, hi - far, lowest, highest
