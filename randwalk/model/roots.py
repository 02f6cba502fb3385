"""Special places of a function of one variable: changes of sign, double zeros, jumps; and grids on which to search them."""

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
HALVINGS = 70  # of an interval of the grid, after which a place is exact to its last digit unless it is very near 0
STEP = 1e-6  # of the largest value: the smallest jump that is recognised in samples
SAME = 1e-13  # relative distance up to which two places count as one


def grid(low: float, high: float, centres: Iterable[float], even: int = UNIFORM) -> Array:
    """Increasing points of [low, high]: equidistant points, and points at every scale of distance from `centres` and ends.

    A feature about a centre meets several points, however narrow the feature is. Ends may be infinite.
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
    """The places between increasing points where f changes its sign, by bisection; a jump over 0 is such a change."""
    signs = np.sign(f(points))
    at = np.flatnonzero((signs[1:] != signs[:-1]) & ~np.isnan(signs[1:]) & ~np.isnan(signs[:-1]))
    left, right, sign = points[at], points[at + 1], signs[at]
    for _ in range(HALVINGS if at.size else 0):
        middle = 0.5 * left + 0.5 * right
        same = np.sign(f(middle)) == sign
        left, right = np.where(same, middle, left), np.where(same, right, middle)
    return list(np.where(np.abs(f(left)) < np.abs(f(right)), left, right))


def touches(f: Curve, slope: Curve, points: Array) -> list[float]:
    """The zeros of f without a change of sign: places where the slope changes its sign and |f| is 1e-9 of the values around."""
    places = np.array(crossings(slope, points))
    after = np.clip(np.searchsorted(points, places), 1, points.size - 1)
    around = np.maximum(np.abs(f(points[after - 1])), np.abs(f(points[after])))
    return list(places[np.abs(f(places)) <= 1e-9 * around]) if places.size else []


def sudden(f: Curve, points: Array) -> list[float]:
    """The places between increasing points where f jumps, by halving the intervals down to neighbouring numbers.

    Each halving keeps the half with the larger change. The change over a jump stays, the change over a steep slope goes to
    0. The function finds one jump in each interval, if the jump is more than 1e-6 of the largest value.
    """
    values = f(points)
    least = STEP * np.max(np.abs(values), where=np.isfinite(values), initial=0.0)
    left, right, before, after = points[:-1], points[1:], values[:-1], values[1:]
    for _ in range(2 * HALVINGS):
        kept = np.abs(after - before) > least
        left, right, before, after = left[kept], right[kept], before[kept], after[kept]
        middle = 0.5 * left + 0.5 * right
        inside = (middle > left) & (middle < right)
        if not inside.any():
            break
        value = f(middle)
        upper = inside & (np.abs(after - value) >= np.abs(value - before))
        lower = inside & ~upper
        left, before = np.where(upper, middle, left), np.where(upper, value, before)
        right, after = np.where(lower, middle, right), np.where(lower, value, after)
    return [min(map(float, pair), key=lambda z: len(repr(z))) for pair in zip(left, right, strict=True)]


def merged(places: Iterable[float], low: float, high: float) -> tuple[float, ...]:
    """The places strictly inside (low, high), increasing; of places that differ by rounding alone the first one."""
    result: list[float] = []
    for place in sorted(p for p in places if low < p < high):
        if not result or place - result[-1] > SAME * max(abs(place), abs(result[-1])):
            result.append(float(place))
    return tuple(result)


def jumps(f: Curve, places: Array, rooms: Array) -> Array:
    """Whether f jumps or is unbounded at each of the places; no other break lies within the room of a place.

    If f is continuous, the difference of f over a place shrinks with the distance of the two points, however steep a kink
    is. Where f has no values on one side, f ends, and does not jump.
    """
    far, near = np.ldexp(rooms, -24), np.ldexp(rooms, -32)
    offsets = np.array([far, near, -far, -near, *(part * rooms for part in np.linspace(-0.5, 0.5, 9))])
    values = f((places + offsets).ravel()).reshape(offsets.shape)
    size = np.max(np.abs(values[4:]), axis=0, where=np.isfinite(values[4:]), initial=0.0)
    with np.errstate(invalid="ignore", over="ignore"):
        over_far, over_near = np.abs(values[0] - values[2]), np.abs(values[1] - values[3])
        stays = (over_near > 0.5 * over_far) & (over_near > 1e-10 * size)
        unbounded = np.isinf(f(places)) | ~np.isfinite(over_near) | (np.abs(values[1]) > 1e6 * size)
    return ~np.isnan(values[:4]).any(axis=0) & (stays | unbounded)


def rooms(places: Array, *ends: float) -> Array:
    """The distance from each of the increasing places to the nearest other one or end."""
    marks = np.unique([*places, *(end for end in ends if np.isfinite(end))])
    gaps = np.diff(marks, prepend=-np.inf, append=np.inf)
    at = np.searchsorted(marks, places)
    room = np.minimum(gaps[at], gaps[at + 1])
    return np.where(np.isfinite(room), room, np.where(places == 0.0, 1.0, np.abs(places)))
