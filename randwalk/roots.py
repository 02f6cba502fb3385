"""Places of a function of one variable: grids that reach every scale, sign changes, double zeros, jumps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Curve = Callable[[Array], Array]

UNIFORM = 513  # points of the even part of a grid
OCTAVES = np.ldexp(1.0, -np.arange(0, 56))  # distances from a centre, as parts of the range
REACH = np.ldexp(1.0, np.arange(-80, 81, 1))  # distances from a centre where the range has no end
HALVINGS = 70  # of an interval of the grid: to the last digit of any place that is not far nearer to 0
SAME = 1e-13  # places this close, relative to their size, are one


def grid(low: float, high: float, centres: Iterable[float], even: int = UNIFORM) -> Array:
    """Increasing points of [low, high], even ones and others at every distance from the `centres` and the ends.

    Whatever is narrow about a centre meets some points, however narrow it is. Ends may be infinite.
    """
    ends = [end for end in (low, high) if np.isfinite(end)]
    bounded = len(ends) == 2
    distances = (high - low) * OCTAVES if bounded else REACH
    about = np.array([*ends, *(c for c in centres if low <= c <= high)] or [0.0])
    points = [about, (about[:, None] + distances).ravel(), (about[:, None] - distances).ravel()]
    if bounded:
        points.append(np.linspace(low, high, even))
    every = np.unique(np.concatenate(points))
    return every[(every >= low) & (every <= high)]


def crossings(f: Curve, points: Array) -> list[float]:
    """Where f changes its sign between two of the increasing points, by bisection; a jump over 0 is a change too."""
    signs = np.sign(f(points))
    at = np.flatnonzero((signs[1:] != signs[:-1]) & ~np.isnan(signs[1:]) & ~np.isnan(signs[:-1]))
    left, right, sign = points[at], points[at + 1], signs[at]
    for _ in range(HALVINGS if at.size else 0):
        middle = 0.5 * left + 0.5 * right
        same = np.sign(f(middle)) == sign
        left, right = np.where(same, middle, left), np.where(same, right, middle)
    return list(np.where(np.abs(f(left)) < np.abs(f(right)), left, right))


def touches(f: Curve, slope: Curve, points: Array) -> list[float]:
    """Where f has a zero without changing its sign: its slope changes sign, and f is nothing beside its values about."""
    places = np.array(crossings(slope, points))
    after = np.clip(np.searchsorted(points, places), 1, points.size - 1)
    around = np.maximum(np.abs(f(points[after - 1])), np.abs(f(points[after])))
    return list(places[np.abs(f(places)) <= 1e-9 * around]) if places.size else []


def merged(places: Iterable[float], low: float, high: float) -> tuple[float, ...]:
    """The places strictly inside (low, high), increasing, without repetitions that differ by rounding alone."""
    result: list[float] = []
    for place in sorted(p for p in places if low < p < high):
        if not result or place - result[-1] > SAME * max(abs(place), abs(result[-1])):
            result.append(float(place))
    return tuple(result)


def jumps(f: Curve, place: float, room: float) -> bool:
    """Whether f jumps or is unbounded at `place`, which has no other break within `room`.

    The difference over the place shrinks with its distance if f is continuous, however steep its kink. Where f has no
    values on one side, it ends, and does not jump.
    """
    distances = np.ldexp(room, np.array([-24, -32]))
    right, left, at = f(place + distances), f(place - distances), f(np.array([place]))
    if np.isnan(right).any() or np.isnan(left).any():
        return False
    with np.errstate(invalid="ignore"):
        far, near = np.abs(right - left)
    about = np.abs(f(place + room * np.linspace(-0.5, 0.5, 9)))
    size = np.max(about, where=np.isfinite(about), initial=0.0)
    if np.isinf(at).any() or not np.isfinite(near) or np.abs(right[1]) > 1e6 * size:
        return True
    return bool(near > 0.5 * far and near > 1e-10 * size)
