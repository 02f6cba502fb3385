"""Shapes, which are sets of points in space, and their unions, intersections and complements.

A shape answers which points it `contains`, within which `bounds` it lies and, where it can, the signed `distance` to its
boundary, positive inside. A point on the boundary is not inside: a shape `contains` the points inside and `touches` also those
on the boundary, so that sites on the boundary of a region can be given to the wall that stands there or left free.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import zip_longest
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .coefficient import Coefficient, Floats
from .coefficient.extreme import maximum, minimum

Bounds: TypeAlias = tuple[tuple[float, float], ...]
Inside: TypeAlias = NDArray[np.bool_]
EVERYWHERE = (-math.inf, math.inf)
MARGIN = 1e-6  # around bounds, relative to their numbers: more than a point on the boundary may be off


class Shape(ABC):
    """A set of points in space.

    Attributes
    ----------
    bounds : tuple of (low, high)
        The smallest known box around the set, a pair for each axis; axes that are missing have (-inf, inf).
    distance : Coefficient or None
        The signed distance to the boundary (length), positive inside; None where no formula is known. Of a union it is exact
        outside and of an intersection inside; elsewhere it is not more, in absolute value, than the distance.
    level : Coefficient or None
        A function that is positive inside and negative outside: the distance where it is known; None for sites.
    """

    @abstractmethod
    def contains(self, point: tuple[ArrayLike, ...]) -> Inside:
        """Whether points, one array of coordinates an axis, are inside; of the shape that the arrays broadcast to."""

    @abstractmethod
    def touches(self, point: tuple[ArrayLike, ...]) -> Inside:
        """As :meth:`contains`, for points inside or on the boundary."""

    @property
    @abstractmethod
    def bounds(self) -> Bounds: ...

    @property
    @abstractmethod
    def distance(self) -> Coefficient | None: ...

    @property
    def level(self) -> Coefficient | None:
        return self.distance

    @abstractmethod
    def fit(self, dimension: int) -> None:
        """Refuse a dimension in which this is no shape."""

    @abstractmethod
    def shifted(self, axis: int, by: float) -> Shape:
        """The shape moved along an axis."""

    @property
    def moves(self) -> bool:
        """Whether an elementary shape moves; what it contains, its bounds and images are then those at t = 0."""
        return False

    def at(self, t: float) -> Shape:
        """The shape at a time."""
        return self if self.leaves == (self,) else self.mapped(lambda leaf: leaf.at(t))

    @property
    def leaves(self) -> tuple[Shape, ...]:
        """The elementary shapes that the shape is made of."""
        return (self,)

    def mapped(self, change: Callable[[Shape], Shape]) -> Shape:
        """The shape made of changed elementary shapes."""
        return change(self)

    def __or__(self, other: Shape) -> Shape:
        return Union((*_parts(self, Union), *_parts(other, Union))) if isinstance(other, Shape) else NotImplemented

    def __and__(self, other: Shape) -> Shape:
        if not isinstance(other, Shape):
            return NotImplemented
        return Intersection((*_parts(self, Intersection), *_parts(other, Intersection)))

    def __invert__(self) -> Shape:
        return Complement(self)


def _negative(function: Coefficient | None) -> Coefficient | None:
    return None if function is None else -function


def _parts(shape: Shape, kind: type[Union] | type[Intersection]) -> tuple[Shape, ...]:
    return shape.parts if isinstance(shape, kind) else (shape,)


@dataclass(frozen=True)
class Complement(Shape):
    """The points outside a shape."""

    shape: Shape

    def contains(self, point: tuple[ArrayLike, ...]) -> Inside:
        return ~self.shape.touches(point)

    def touches(self, point: tuple[ArrayLike, ...]) -> Inside:
        return ~self.shape.contains(point)

    @property
    def bounds(self) -> Bounds:
        return ()

    @property
    def distance(self) -> Coefficient | None:
        return _negative(self.shape.distance)

    @property
    def level(self) -> Coefficient | None:
        return _negative(self.shape.level)

    def fit(self, dimension: int) -> None:
        self.shape.fit(dimension)

    def shifted(self, axis: int, by: float) -> Shape:
        return Complement(self.shape.shifted(axis, by))

    @property
    def leaves(self) -> tuple[Shape, ...]:
        return self.shape.leaves

    def mapped(self, change: Callable[[Shape], Shape]) -> Shape:
        return ~self.shape.mapped(change)

    def __invert__(self) -> Shape:
        return self.shape

    def __repr__(self) -> str:
        return f"~{self.shape!r}"


@dataclass(frozen=True)
class _Several(Shape):
    """What unions and intersections share."""

    parts: tuple[Shape, ...]

    def fit(self, dimension: int) -> None:
        for part in self.parts:
            part.fit(dimension)

    def shifted(self, axis: int, by: float) -> Shape:
        return type(self)(tuple(part.shifted(axis, by) for part in self.parts))

    @property
    def leaves(self) -> tuple[Shape, ...]:
        return tuple(leaf for part in self.parts for leaf in part.leaves)

    def mapped(self, change: Callable[[Shape], Shape]) -> Shape:
        return type(self)(tuple(part.mapped(change) for part in self.parts))

    @property
    def distance(self) -> Coefficient | None:
        return self._joined([part.distance for part in self.parts])

    @property
    def level(self) -> Coefficient | None:
        return self._joined([part.level for part in self.parts])

    @staticmethod
    @abstractmethod
    def _joined(known: Sequence[Coefficient | None]) -> Coefficient | None:
        """The function of the whole, from those of its parts; None if one has none."""

    def _ends(self) -> list[tuple[tuple[float, float], ...]]:
        """For each axis the (low, high) of every part."""
        return list(zip_longest(*(part.bounds for part in self.parts), fillvalue=EVERYWHERE))


class Union(_Several):
    """The points inside any of several shapes."""

    def contains(self, point: tuple[ArrayLike, ...]) -> Inside:
        return self._any(lambda part, there: part.contains(there), point)

    def touches(self, point: tuple[ArrayLike, ...]) -> Inside:
        return self._any(lambda part, there: part.touches(there), point)

    def _any(self, inside: Callable[[Shape, tuple[Any, ...]], Inside], point: tuple[ArrayLike, ...]) -> Inside:
        given = tuple(np.asarray(x, dtype=np.float64) for x in point)
        found = np.zeros(np.broadcast_shapes(*(x.shape for x in given)), dtype=bool)
        for part in self.parts:
            at, there = around(part.bounds, given)
            found[at] |= inside(part, there)
        return found[()]

    @property
    def bounds(self) -> Bounds:
        return tuple((min(low for low, _ in ends), max(high for _, high in ends)) for ends in self._ends())

    @staticmethod
    def _joined(known: Sequence[Coefficient | None]) -> Coefficient | None:
        return None if None in known else maximum(*(one for one in known if one is not None))

    def __invert__(self) -> Shape:
        return Intersection(tuple(~part for part in self.parts))

    def __repr__(self) -> str:
        return f"({' | '.join(map(repr, self.parts))})"


class Intersection(_Several):
    """The points inside all of several shapes."""

    def contains(self, point: tuple[ArrayLike, ...]) -> Inside:
        return reduce(np.logical_and, (part.contains(point) for part in self.parts))

    def touches(self, point: tuple[ArrayLike, ...]) -> Inside:
        return reduce(np.logical_and, (part.touches(point) for part in self.parts))

    @property
    def bounds(self) -> Bounds:
        return tuple((max(low for low, _ in ends), min(high for _, high in ends)) for ends in self._ends())

    @staticmethod
    def _joined(known: Sequence[Coefficient | None]) -> Coefficient | None:
        return None if None in known else minimum(*(one for one in known if one is not None))

    def __invert__(self) -> Shape:
        return Union(tuple(~part for part in self.parts))

    def __repr__(self) -> str:
        return f"({' & '.join(map(repr, self.parts))})"


def around(bounds: Bounds, point: tuple[Floats, ...]) -> tuple[tuple[slice, ...], tuple[Floats, ...]]:
    """(a part of the points, as slices of the array that their coordinates broadcast to, outside of which none is in these
    bounds; the coordinates of the part)."""
    shape = np.broadcast_shapes(*(x.shape for x in point))
    part = [slice(0, n) for n in shape]
    for x, (low, high) in zip(point, bounds, strict=False):
        margin = MARGIN * max(high - low, abs(low), abs(high))
        for i in [i - x.ndim for i in range(x.ndim) if x.shape[i] == x.size > 1]:  # it varies along one axis alone
            near = np.flatnonzero((x.reshape(-1) >= low - margin) & (x.reshape(-1) <= high + margin))
            first, last = (int(near[0]), int(near[-1]) + 1) if near.size else (0, 0)
            part[i] = slice(max(first, part[i].start), min(last, part[i].stop))
    cut = [
        x[tuple(one if n > 1 else slice(None) for one, n in zip(part[len(part) - x.ndim :], x.shape, strict=True))]
        for x in point
    ]
    return tuple(part), tuple(cut)


def on_rings(shape: Shape, turns: Sequence[float | None]) -> Shape:
    """The set that a shape is where axes close after a `turn` (None where an axis does not): elementary shapes that have two ends
    on such an axis, with their images one turn away."""
    return shape.mapped(lambda part: _with_images(part, turns))


def _with_images(shape: Shape, turns: Sequence[float | None]) -> Shape:
    ends = (*shape.bounds, *[EVERYWHERE] * (len(turns) - len(shape.bounds)))
    for axis, (turn, (low, high)) in enumerate(zip(turns, ends, strict=True)):
        if turn is not None and math.isfinite(high - low):
            shape = shape.shifted(axis, -turn) | shape | shape.shifted(axis, turn)
    return shape
