"""Functionals of a path, updated step by step: the rules behind the records, for every backend.

See :mod:`randwalk.run.record`."""

from __future__ import annotations

import numpy as np

from .compile import device

U32 = np.uint32

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
    on are those of `levels` (:class:`randwalk.kernels.backend.Levels`). Returns the highest site, which was `top`."""
    visits, positives, sets, heights, rings, seen = levels
    row = 2
    for i in range(visits.size):
        if site == visits[i]:
            state[row + i, j] = n + 1
    row += visits.size
    for i in range(positives.size):
        if above(before, site, positives[i], killed):
            state[row + i, j] += 1
    row += positives.size
    if state.shape[0] > row:
        _tally_cells(before, site, state, j, (sets, heights, rings, seen), row)
    return highest(site, killed, top)


@device
def _tally_cells(before, site, state, j, levels, row):  # type: ignore[no-untyped-def]
    """As :func:`tally`, of what is known of each cell; `row` is the first row of its functionals."""
    sets, heights, rings, seen = levels
    for i in range(sets.shape[0]):
        state[row + i, j] += sets[i, before]
    row += sets.shape[0]
    for i in range(heights.shape[0]):
        state[row + i, j] = max(state[row + i, j], heights[i, site])
    row += heights.shape[0]
    for i in range(rings.shape[0]):
        state[row + i, j] += turned(rings[i, before], rings[i, site])
    if seen.size:
        bits, bit = seen[j, site >> 5], U32(1) << U32(site & 31)
        if not bits & bit:
            seen[j, site >> 5] = bits | bit
            state[row + rings.shape[0], j] += 1
