"""Functionals of a path, updated step by step: the rules behind the records, for every backend.

See :mod:`randwalk.run.record`."""

from __future__ import annotations

from ..jit.compile import device
from .philox import HALF, LOW, STEPS, U, philox
from .step import I32, U32, rests, table_step

SPREAD = U(0x9E3779B1)  # 2³² over the golden ratio (Knuth, volume 3, section 6.4)

NOWHERE = -(1 << 31)  # the cell of the killed of a walk that kills nobody


@device
def highest(site, killed, earlier):  # type: ignore[no-untyped-def]
    """The highest site so far; the cell `killed` is no place."""
    return earlier if site == killed else max(earlier, site)


@device
def above(before, site, level, killed):  # type: ignore[no-untyped-def]
    """Whether a step counts as time above `level`: neither of its ends below it, and not both on it."""
    return site != killed and before >= level and site >= level and site + before > 2 * level


@device
def turned(before, site):  # type: ignore[no-untyped-def]
    """The turns around a ring of three sites or more that a step makes, from the places on the ring."""
    return (before - site > 1) - (site - before > 1)


@device
def tally(before, site, n, state, j, levels, killed, top):  # type: ignore[no-untyped-def]
    """Update the functionals of walker j after step number `n` took it from `before` to `site`: rows of `state` from number 2
    on are those of `levels` (:attr:`randwalk.kernels.program.Levels.told`). Returns the highest site, which was `top`."""
    visits, positives, cells = levels
    row = 2
    for i in range(visits.size):
        if site == visits[i]:
            state[row + i, j] = n + 1
    row += visits.size
    for i in range(positives.size):
        if above(before, site, positives[i], killed):
            state[row + i, j] += 1
    _tally_cells(before, site, state, j, cells, row + positives.size)
    return highest(site, killed, top)


@device
def first_visit(seen, j, site):  # type: ignore[no-untyped-def]
    """Whether walker j has not been on a cell before; from now on it has. The words of bits of 32 cells each are in a hash table
    with open addresses (:class:`randwalk.kernels.program.Levels`), which is never more than half full."""
    slots, word = U32(seen.shape[1] // 2), U32(site >> 5)
    slot = U32((U(U(word) * SPREAD & LOW) * U(slots)) >> HALF)
    while seen[j, slot] != 0 and seen[j, slot] != word + U32(1):
        slot = U32(0) if slot + U32(1) == slots else U32(slot + U32(1))
    bits, bit = seen[j, slots + slot], U32(1) << U32(site & 31)
    seen[j, slot], seen[j, slots + slot] = word + U32(1), bits | bit
    return bits & bit == 0


@device
def _tally_cells(before, site, state, j, cells, row):  # type: ignore[no-untyped-def]
    """As :func:`tally`, of what is known of each cell; `row` is the first row of its functionals. Without any, `cells` is None,
    and nothing is compiled."""
    if cells is not None:
        sets, heights, rings, seen = cells
        for i in range(sets.shape[0]):
            state[row + i, j] += sets[i, before]
        row += sets.shape[0]
        for i in range(heights.shape[0]):
            state[row + i, j] = max(state[row + i, j], heights[i, site])
        row += heights.shape[0]
        for i in range(rings.shape[0]):
            state[row + i, j] += turned(rings[i, before], rings[i, site])
        if seen.size and first_visit(seen, j, site):
            state[row + rings.shape[0], j] += 1


@device
def follow(here, walker, span, program, told, keys):  # type: ignore[no-untyped-def]
    """(the cell, the number of steps after which the walker rests on it, or 0) of a walker on the cell `here` after steps on a
    table; span = (the step of the first row, the first step, the one after the last). told = (state, the walker's column of it,
    levels) of functionals that are kept, or None."""
    (origin, start, stop), left, gone, top = span, I32(0), rests(here, program), I32(0)
    w0, w1, w2, w3 = U32(0), U32(0), U32(0), U32(0)
    if told is not None:
        top = told[0][1, told[1]]
    for n in range(start // 8 * 8, stop):
        if gone:
            break
        if n % 8 == 0:
            y0, y1, y2, y3 = philox(walker & LOW, walker >> HALF, U(n // 8), STEPS, keys[0], keys[1])
            w0, w1, w2, w3 = U32(y0 & LOW), U32(y1 & LOW), U32(y2 & LOW), U32(y3 & LOW)
        word = U32(w0 >> U32(16))
        w0, w1, w2, w3 = w1, w2, w3, U32(w0 << U32(16))  # high halves first, then the low ones
        if n >= start:
            row = U(n - origin if program.thresholds.shape[0] > 1 else 0)
            there = I32(table_step(here, word, walker, n, program, row, keys))
            if told is not None:
                top = I32(tally(here, there, n, told[0], told[1], told[2], I32(program.exit_of.size - 1), top))
            here, gone = there, rests(there, program)
            left = I32(n + 1) if gone else left
    if told is not None:
        state, j, _ = told
        state[0, j], state[1, j] = left if left else state[0, j], top
    return here, left
