"""Functionals of a path, updated step by step: the rules behind the records, for every backend.

See :mod:`randwalk.run.record`."""

from __future__ import annotations

from .compile import device

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
def tally(before, site, n, state, j, levels, killed, top):  # type: ignore[no-untyped-def]
    """Update the functionals at levels of walker j after step number `n` took it from `before` to `site`: rows of `state` from
    number 2 on are last visits to levels, then times above levels; levels = (those of visits, those of times). Returns the
    highest site, which was `top`."""
    visits, positives = levels
    for i in range(visits.size):
        if site == visits[i]:
            state[2 + i, j] = n + 1
    for i in range(positives.size):
        if above(before, site, positives[i], killed):
            state[2 + visits.size + i, j] += 1
    return highest(site, killed, top)
