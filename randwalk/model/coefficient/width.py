"""The narrowest length or time over which a coefficient varies smoothly, found by reading its tree."""

from __future__ import annotations

import math

import numpy as np

from .breaks import sampled, some, zeros
from .tree import Tree
from .variables import At, Floats, arguments


def narrowest(tree: Tree, variable: str, low: float, high: float, at: At) -> float:
    """The width of a tree between `low` and `high` while the other variables have the values `at`."""
    if (known := tree._known_width(variable, low, high, at)) is not None:
        return known
    if not tree.depends_on(variable) or tree._linear(variable, at) is not None:
        return math.inf
    inner = min((narrowest(part, variable, low, high, at) for part in tree.parts), default=math.inf)
    found = np.sort([z for part in tree.parts for z in zeros(part, variable, low, high, at, double=True)])
    points = sampled(tree, variable, low, high, at, some(found))
    point, t = arguments(variable, points, at, tree.dimension)
    try:
        with np.errstate(all="ignore"):
            filled = tuple(np.broadcast_to(v, points.shape) for v in point), np.broadcast_to(t, points.shape)
            own = tree._own_width(variable, *filled, found) if points.size else math.inf
    except (ValueError, TypeError, ArithmeticError):
        own = math.inf
    return min(inner, own)


def smallest(lengths: Floats) -> float:
    """The smallest positive number of an array, inf if there is none."""
    return float(np.min(lengths, where=lengths > 0.0, initial=np.inf))  # NaN is not > 0


def apart_from_zeros(z: Floats, slope: Floats, points: Floats, found: Floats) -> Floats:
    """z/slope for |z| and its |slope|: the length in which z changes by its own size; inf where that length is the distance
    to a zero of z, at which a power or a logarithm has a break and no width."""
    lengths = z / slope
    if not found.size:
        return lengths
    after = np.searchsorted(found, points)
    before, after = np.maximum(after - 1, 0), np.minimum(after, found.size - 1)
    distance = np.minimum(np.abs(points - found[before]), np.abs(points - found[after]))
    return np.where(lengths < 0.1 * distance, lengths, np.inf)
