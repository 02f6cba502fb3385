"""Functionals of a path, updated step by step: the rules behind the records, for every backend.

See :mod:`randwalk.run.record`."""

from __future__ import annotations

from .compile import device


@device
def passage(before, site, n, outer, earlier):  # type: ignore[no-untyped-def]
    """The number of steps after which a walker left, when step `n` took it from `before` to `site`; else `earlier`."""
    return n + 1 if site != before and (site == 0 or site >= outer) else earlier


@device
def highest(site, outer, earlier):  # type: ignore[no-untyped-def]
    """The highest site so far. Where killed walkers are is above all sites, but no place."""
    return max(earlier, site) if site <= outer else earlier


@device
def above(before, site, level, outer):  # type: ignore[no-untyped-def]
    """Whether a step counts as time above `level`: neither of its ends below it, and not both on it."""
    return site <= outer and before >= level and site >= level and site + before > 2 * level
