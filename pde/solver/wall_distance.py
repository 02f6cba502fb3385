"""How far places are from the wall of a region: its distance where that is known; else from where a level changes its sign, so
that one that is steep, flat or jumps at the wall does as well as another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from randwalk.model.coefficient import Coefficient, Floats, Point
from randwalk.model.shape import Inside, Shape

BISECTIONS: Final = 44
OF_NORMALS: Final = 24  # bisections: to a billionth of a cell
APART: Final = 1e-2  # of a cell: from a place on a wall to those that tell how it is turned
REACH: Final = 1.5  # times as far along the axis that a plane wall is most nearly across it is met there: 1 would do
BESIDE: Final = 1e-3  # of a cell: from a place to those that tell the gradient of a distance there
FARTHER: Final = 0.25  # of a cell, beyond twice a distance to first order, up to which that distance is looked for
FAR: Final = 4.0  # cells: no wall of a level that cuts a cell is farther


def met(inside: Callable[[Floats], Inside], size: int, bisections: int = BISECTIONS) -> Floats:
    """The parts, from 0 to 1, of so many ways at which they come `inside`, as that tells of places at parts of them."""
    low, high = np.zeros(size), np.ones(size)
    for _ in range(bisections):
        middle = 0.5 * (low + high)
        there = inside(middle)
        low, high = np.where(there, low, middle), np.where(there, middle, high)
    return 0.5 * (low + high)


def normals(shape: Shape, point: Point, spacings: Sequence[float]) -> Floats:
    """The unit vectors (axes, n) into a shape at places (n,) of its boundary, 0 where there are none: along the gradient of its
    distance, or across a plane through places where its level changes its sign, on lines along the axis for which they are the
    nearest."""
    if shape.distance is not None:
        return _unit(_gradient(shape.distance, point, spacings))
    assert shape.level is not None
    inside, at, found = _inside(shape.level), np.stack(point), np.zeros((len(point), point[0].size))
    least = np.full(point[0].size, np.inf)
    for a, h in enumerate(spacings):
        reach, along = REACH * APART * h, _one(a, len(spacings))
        facing = inside(at + reach * along).astype(np.float64) - inside(at - reach * along)
        normal, farthest = along * facing, np.zeros_like(least)
        for b, step in enumerate(APART * np.asarray(spacings)):
            if b != a:
                beside = step * _one(b, len(spacings))
                low, high = (_height(inside, at + sense * beside, facing * reach * along) for sense in (-1.0, 1.0))
                normal[b] = -0.5 * reach * (high - low) / step
                farthest = np.maximum(farthest, np.maximum(np.abs(low), np.abs(high)))
        better = (facing != 0.0) & (farthest < least)
        found, least = np.where(better, normal, found), np.where(better, farthest, least)
    return _unit(found)


def _height(inside: Callable[[Floats], Inside], at: Floats, way: Floats) -> Floats:
    """From -1 to 1, the part of the ways (axes, n) from places `at`, and back, at which they come inside."""
    return 2.0 * met(lambda part: inside(at + (2.0 * part - 1.0) * way), at.shape[1], OF_NORMALS) - 1.0


def depths(shape: Shape, edges: Sequence[Floats], spacings: Sequence[float]) -> tuple[Floats, Floats]:
    """The signed distances from the boundary of a shape, positive inside, of the corners of all cells between the `edges` of the
    axes and of their centres. Of a level they are no more than :data:`FAR` cells, and known to third order in cells that the
    wall passes through: on the line through a place along the normal where an edge is crossed next to it."""
    corners = np.meshgrid(*edges, indexing="ij")
    centres = np.meshgrid(*(0.5 * (e[1:] + e[:-1]) for e in edges), indexing="ij")
    if shape.distance is not None:
        return shape.distance(tuple(corners)), shape.distance(tuple(centres))
    assert shape.level is not None
    inside, far, every = _inside(shape.level), FAR * max(spacings), range(len(edges))
    within, between = inside(np.stack(corners)), inside(np.stack(centres))
    beside, places = np.zeros(within.shape, dtype=bool), []
    for a in every:
        crossed = np.nonzero(np.diff(within, axis=a))
        ends = [
            np.stack([x[tuple(c + shift * (b == a) for b, c in enumerate(crossed))] for x in corners])
            for shift in (0, 1)
        ]
        outer = np.where(within[crossed], ends[1], ends[0])
        way = np.where(within[crossed], ends[0], ends[1]) - outer
        places.append(outer + way * met(lambda p, o=outer, w=way: inside(o + p * w), way.shape[1]))  # type: ignore[misc]
        for shift in (0, 1):
            beside[tuple(c + shift * (b == a) for b, c in enumerate(crossed))] = True
    near = [ndimage.binary_dilation(beside, np.ones((3,) * len(edges))), _any_corner(beside)]
    found = [np.where(within, far, -far), np.where(between, far, -far)]
    wall = np.concatenate(places, axis=1)
    if wall.size:
        across = normals(shape, tuple(wall), spacings)
        for own, of, points in zip(found, near, (corners, centres), strict=True):
            own[of] = np.clip(_from(inside, np.stack([x[of] for x in points]), wall, across, spacings), -far, far)
    return found[0], found[1]


def _from(
    inside: Callable[[Floats], Inside], at: Floats, wall: Floats, across: Floats, spacings: Sequence[float]
) -> Floats:
    """The signed distances (n,) of the places `at` (axes, n) from a wall, some places of which, and its normals there, are
    known."""
    scale = np.asarray(spacings)[:, None]
    nearest = cKDTree((wall / scale).T).query((at / scale).T)[1]
    here, apart = inside(at), at - wall[:, nearest]
    known = across[:, nearest].any(axis=0)
    first = np.where(known, np.abs((apart * across[:, nearest]).sum(axis=0)), np.sqrt((apart**2).sum(axis=0)))
    way = np.where(known, np.where(here, -across[:, nearest], across[:, nearest]), -_unit(apart))
    way = way * (2.0 * first + FARTHER * min(spacings))
    whole = np.sqrt((way**2).sum(axis=0))
    part = met(lambda p: inside(at + p * way) != here, here.size)
    distance = np.where(inside(at + way) != here, part * whole, first)
    return np.where(here, distance, -distance)


def _inside(level: Coefficient) -> Callable[[Floats], Inside]:
    def inside(at: Floats) -> Inside:
        with np.errstate(all="ignore"):
            return np.asarray(np.broadcast_to(level(tuple(at)), at.shape[1:]) > 0.0)

    return inside


def _any_corner(marked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of all cells whether one of their corners is marked."""
    for a in range(marked.ndim):
        pair = np.moveaxis(marked, a, 0)
        marked = np.moveaxis(pair[:-1] | pair[1:], 0, a)
    return marked


def _gradient(distance: Coefficient, point: Point, spacings: Sequence[float]) -> Floats:
    """That of a distance, (axes, n), by differences over a small part of a cell."""

    def moved(axis: int, by: float) -> Floats:
        return distance(tuple(x + by * (a == axis) for a, x in enumerate(point)))

    steps = [BESIDE * h for h in spacings]
    return np.stack([(moved(a, step) - moved(a, -step)) / (2.0 * step) for a, step in enumerate(steps)])


def _one(axis: int, dimension: int) -> Floats:
    """The unit vector along an axis, as a column."""
    return np.eye(dimension)[:, [axis]]


def _unit(vectors: Floats) -> Floats:
    """Vectors (axes, n) of length 1, or 0."""
    size = np.sqrt((vectors**2).sum(axis=0))
    return np.asarray(vectors / np.where(size > 0.0, size, 1.0))
