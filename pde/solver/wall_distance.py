"""How far places are from the wall of a region: its distance where that is known, else what a level and its gradient say, which
is of first order in the distance, as near a wall as it takes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from randwalk.model.coefficient import Coefficient, Floats, Point
from randwalk.model.shape import Shape

BESIDE: Final = 1e-3  # of a cell: from a place to those that tell the gradient there
FAR: Final = 4.0  # diagonals of a cell: a wall that is farther is not that of the cell


def slopes(level: Coefficient, point: Point, spacings: Sequence[float]) -> list[Floats]:
    """The components of the gradient of a level at places, by differences over a small part of a cell."""

    def moved(axis: int, by: float) -> Floats:
        return level(tuple(x + by * (a == axis) for a, x in enumerate(point)))

    steps = [BESIDE * h for h in spacings]
    return [(moved(a, step) - moved(a, -step)) / (2.0 * step) for a, step in enumerate(steps)]


def length(gradient: Sequence[Floats]) -> Floats:
    """That of a vector of arrays."""
    return np.asarray(np.sqrt(sum(slope**2 for slope in gradient)))


def depth(shape: Shape, point: Point, spacings: Sequence[float]) -> Floats | None:
    """The signed distance of places from the boundary, positive inside; None of sites. That of a level is no more than
    :data:`FAR`, and NaN where the level is 0 and flat."""
    if shape.distance is not None:
        return shape.distance(point)
    if shape.level is None:
        return None
    far = FAR * math.hypot(*spacings)
    with np.errstate(all="ignore"):
        found = shape.level(point) / length(slopes(shape.level, point, spacings))
    return np.clip(found, -far, far)


def smooth(depths: Floats, spacings: Sequence[float]) -> bool:
    """Whether the signed distances of the corners of all cells, which spacings apart are, are such: numbers, and no more than
    :data:`FAR` at the ends of edges that the wall crosses. Those of a function that jumps there are not."""
    if np.isnan(depths).any():
        return False
    far = FAR * math.hypot(*spacings)
    for a in range(depths.ndim):
        pair = np.moveaxis(depths, a, 0)
        near, next_ = pair[:-1], pair[1:]
        if (np.maximum(np.abs(near), np.abs(next_))[near * next_ < 0.0] >= far).any():
            return False
    return True
