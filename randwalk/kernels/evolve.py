"""The master equation, one step after another: P(x, t + dt) from P(x, t), on the table the simulation uses."""

from __future__ import annotations

import numpy as np

from ..jit.compile import device, kernel, maker
from ..jit.lanes import REALS, fetch_masses, keep
from ..jit.vector import wide
from .constant import aligned
from .philox import U
from .program import FULL, LIVE
from .step import ZERO, column, limit

TINY = 1e-292  # a mass to drop at the edge of the reached sites: denormal numbers are a hundred times slower
UNIT = 1.0 / FULL
NOWHERE = -1  # the column of a cell that is none
MIX = U(0x9E3779B97F4A7C15)  # 2⁶⁴ over the golden ratio


@device
def _source(program, cell, k):  # type: ignore[no-untyped-def]
    """The column from which step k leads to a cell; k = K is a stay."""
    here = cell - (program.offsets[k] if k < len(program.offsets) else 0)
    return np.int64(column(here, program)) if 0 <= here < program.exit_of.size - 1 else NOWHERE


@maker
def _patterns(program, size, before):  # type: ignore[no-untyped-def]
    """(the number of the pattern of each vector of cells, the first cell of each pattern, where columns are shared the columns
    from which steps lead to a pattern), of `size` vectors, the first of which begins `before` cells before cell 0."""
    numbers, first, count = np.empty(size, np.int64), np.empty(size, np.int64), 0
    slots, ways = np.full(2 * size, -1), len(program.offsets) + 1
    for v in range(size):
        begin, mixed, number = v * REALS - before, ZERO, v
        if program.column.size:
            for place in range(ways * REALS):
                mixed = (mixed ^ U(_source(program, begin + place // ways, place % ways))) * MIX
                mixed ^= mixed >> U(29)
            slot = np.int64(mixed % U(slots.size))
            while slots[slot] >= 0 and not _alike(program, begin, first[slots[slot]]):
                slot = (slot + 1) % slots.size
            number = slots[slot] if slots[slot] >= 0 else count
            slots[slot] = number
        if number == count:
            first[count] = begin
            count += 1
        numbers[v] = number
    shared = np.empty(count * ways * REALS if program.column.size else 0, np.int32)
    for j in range(shared.size):
        shared[j] = _source(program, first[j // (ways * REALS)] + j % REALS, j // REALS % ways)
    return numbers, first[:count], shared


@device
def _alike(program, one, other):  # type: ignore[no-untyped-def]
    """Whether to the vectors of cells that begin at `one` and at `other` steps lead from the same columns."""
    for i in range(REALS):
        for k in range(len(program.offsets) + 1):
            if _source(program, one + i, k) != _source(program, other + i, k):
                return False
    return True


@device
def _tabulate(chances, program, row, first, shared, begin, end):  # type: ignore[no-untyped-def]
    """chances[(m (K + 1) + k) REALS + i] = the probability of step k to cell first[m] + i, rounded once, for begin ≤ m < end."""
    ways = len(program.offsets) + 1
    for m in range(begin, end):
        for k in range(ways):
            for i in range(REALS):
                j, chance = (m * ways + k) * REALS + i, 0.0
                c = np.int64(shared[j]) if shared.size else _source(program, first[m] + i, k)
                if c >= 0:
                    above = limit(program, row, k, c)
                    chance = np.float64(above - limit(program, row, k - 1, c) if k else above) * UNIT
                chances[j] = chance


@device
def _move(target, source, chances, pattern, offsets, begin, end):  # type: ignore[no-untyped-def]
    """The mass of the vectors of cells begin … end - 1 after a step."""
    ways = len(offsets) + 1
    for v in range(begin, end):
        here, c = v * REALS, pattern[v] * ways * REALS
        mass = fetch_masses(chances, c) * fetch_masses(source, here - offsets[0])
        for k in range(1, len(offsets)):
            mass = mass + fetch_masses(chances, c + k * REALS) * fetch_masses(source, here - offsets[k])
        keep(mass + fetch_masses(chances, c + len(offsets) * REALS) * fetch_masses(source, here), target, here)


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
def _reached(ghosts, chances, pattern, ways, before):  # type: ignore[no-untyped-def]
    """Those of the ghosts that a step can lead to."""
    count = 0
    for ghost in ghosts:
        come, at = 0.0, ghost + before
        for k in range(ways - 1):
            come += chances[(pattern[at // REALS] * ways + k) * REALS + at % REALS]
        if come > 0.0:
            ghosts[count] = ghost
            count += 1
    return ghosts[:count]


@device
def _clear(mass, begin, end):  # type: ignore[no-untyped-def]
    for i in range(begin, end):  # assigning to a slice takes two seconds longer to compile
        mass[i] = 0.0


@maker
def _zeros(size):  # type: ignore[no-untyped-def]
    """So many masses of 0, of which vectors do not straddle cache lines."""
    masses = aligned(size).view(np.float64)
    _clear(masses, 0, size)
    return masses


@kernel
def evolve(mass, program, steps, reach, out, drop):  # type: ignore[no-untyped-def]
    """Advance `mass`, of every cell, by `steps` steps, in place; there is none at exits.

    `reach` = [lowest, highest cell with mass, lowest, highest ever], updated; masses below `drop` at its ends are dropped.
    out[step] += mass that left by each exit during that step.
    """
    wide()
    offsets, ways, cells, far = program.offsets, len(program.offsets) + 1, mass.size - 1, 0
    for k in range(len(offsets)):
        far = max(far, abs(offsets[k]))
    # Cell i stands at i + before, so that cells at both ends have neighbours, and vectors of cells.
    before = (far // REALS + 2) * REALS
    size = (cells + before) // REALS + 1
    source, target = _zeros((size + 2) * REALS + far), _zeros((size + 2) * REALS + far)
    for i in range(cells):
        source[i + before] = mass[i]
    ghosts, constant = _ghosts(program), program.thresholds.shape[0] == 1
    pattern, first, shared = _patterns(program, size, before)
    chances = _zeros(first.size * ways * REALS)
    lo, hi, lowest, highest = reach[0] + before, reach[1] + before, reach[2], reach[3]
    least, most = far + before, cells - 1 - far + before  # the ends of the cells to which steps lead
    for n in range(steps):
        row = 0 if constant else n
        if n == 0 or not constant:
            whole = constant or program.column.size > 0
            begin, end = (0, first.size) if whole else ((lo - far) // REALS, (hi + far) // REALS + 1)
            _tabulate(chances, program, row, first, shared, begin, end)
            ghosts = _reached(ghosts, chances, pattern, ways, before) if constant else ghosts
            for ghost in ghosts:
                least, most = min(least, ghost + before), max(most, ghost + before)
        if program.kills:
            killed = 0.0
            for i in range(lo - before, hi + 1 - before):
                dying = np.float64(FULL - limit(program, row, len(offsets), column(i, program))) * UNIT
                killed += dying * source[i + before]
            out[n, program.exit_of[cells]] += killed
        low, high = max(lo - far, least), min(hi + far, most)
        lo, hi = max(low, far + before), min(high, cells - 1 - far + before)
        _move(target, source, chances, pattern, offsets, low // REALS, high // REALS + 1)
        for cell in ghosts:
            ghost = cell + before
            if low <= ghost <= high:
                come, target[ghost] = target[ghost], 0.0
                if program.exit_of[cell] != LIVE:
                    out[n, program.exit_of[cell]] += come
                elif come > 0.0:
                    there = np.int64(program.home[cell]) + before
                    if there < lo or there > hi:
                        _clear(target, there, lo)
                        _clear(target, hi + 1, there + 1)
                        lo, hi = min(lo, there), max(hi, there)
                    target[there] += come
        while lo < hi and target[lo] < drop:
            target[lo], lo = 0.0, lo + 1
        while hi > lo and target[hi] < drop:
            target[hi], hi = 0.0, hi - 1
        _clear(target, lo - 2 * far - REALS, lo)  # the next step reads so far beyond what this one reached
        _clear(target, hi + 1, hi + 2 * far + REALS + 1)
        lowest, highest = min(lowest, lo - before), max(highest, hi - before)
        source, target = target, source
    for i in range(cells):
        mass[i] = source[i + before] if lo <= i + before <= hi else 0.0
    reach[0], reach[1], reach[2], reach[3] = lo - before, hi - before, lowest, highest
