"""Shapes, which are sets of points, and regions: sets of points that are taken out of a domain.

A shape answers which points it `contains`, within which `bounds` it lies and, where it can, the signed `distance` to its
boundary, positive inside. A point on the boundary is not inside. ``|``, ``&`` and ``~`` make unions, intersections and
complements.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import zip_longest
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..inputs.arguments import finite_numbers, number
from ..inputs.wording import shown
from .coefficient import Coefficient, CoefficientLike, Variable, apply, as_coefficient
from .coefficient.extreme import maximum, minimum
from .coefficient.variables import coordinate
from .wall import Wall

ON = 1e-9  # a point so close to the boundary, relative to the numbers that it is compared with, is on it
Bounds: TypeAlias = tuple[tuple[float, float], ...]
Inside: TypeAlias = NDArray[np.bool_]
EVERYWHERE = (-math.inf, math.inf)


class Shape(ABC):
    """A set of points in space.

    Attributes
    ----------
    bounds : tuple of (low, high)
        The smallest known box around the set, a pair for each axis; axes that are missing have (-inf, inf).
    distance : Coefficient or None
        The signed distance to the boundary (length), positive inside; None where no formula is known. Of a union it is exact
        outside and of an intersection inside; elsewhere it is not more, in absolute value, than the distance.
    """

    @abstractmethod
    def contains(self, point: tuple[ArrayLike, ...]) -> Inside:
        """Whether points, one array of coordinates an axis, are inside; of the shape that the arrays broadcast to."""

    @property
    @abstractmethod
    def bounds(self) -> Bounds: ...

    @property
    @abstractmethod
    def distance(self) -> Coefficient | None: ...

    @abstractmethod
    def fit(self, dimension: int) -> None:
        """Refuse a dimension in which this is no shape."""

    @abstractmethod
    def shifted(self, axis: int, by: float) -> Shape:
        """The shape moved along an axis."""

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


def _parts(shape: Shape, kind: type[Union] | type[Intersection]) -> tuple[Shape, ...]:
    return shape.parts if isinstance(shape, kind) else (shape,)


@dataclass(frozen=True)
class Ball(Shape):
    """The points at less than `radius` (length) from `centre`: a disc in the plane.

    >>> disc = Ball((0.0, 1.0), 2.0)
    >>> disc.contains((0.0, [0.5, 3.5])), disc.bounds, float(disc.distance((0.0, 0.0)))
    (array([ True, False]), ((-2.0, 2.0), (-1.0, 3.0)), 1.0)
    """

    centre: tuple[float, ...]
    radius: float

    def __init__(self, centre: ArrayLike, radius: float) -> None:
        object.__setattr__(self, "centre", vector("Ball: centre", centre))
        object.__setattr__(self, "radius", number("Ball: radius", radius))
        if not 0.0 < self.radius < math.inf:
            raise ValueError(f"Ball: radius = {self.radius}: must be positive and finite")

    def contains(self, point: tuple[ArrayLike, ...]) -> Inside:
        # in radii, so that squares of small or large lengths stay numbers
        squares = [((np.asarray(x) - c) / self.radius) ** 2 for x, c in zip(point, self.centre, strict=True)]
        return np.asarray(reduce(np.add, squares) < (1.0 - ON) ** 2)

    @property
    def bounds(self) -> Bounds:
        return tuple((c - self.radius, c + self.radius) for c in self.centre)

    @property
    def distance(self) -> Coefficient:
        squares = [(Variable(coordinate(axis)) - c) ** 2.0 for axis, c in enumerate(self.centre)]
        return self.radius - apply("sqrt", reduce(lambda a, b: a + b, squares))

    def fit(self, dimension: int) -> None:
        _same_dimension(self, len(self.centre), dimension)

    def shifted(self, axis: int, by: float) -> Ball:
        return Ball([c + by * (i == axis) for i, c in enumerate(self.centre)], self.radius)

    def __repr__(self) -> str:
        return f"Ball({self.centre}, {self.radius!r})"


@dataclass(frozen=True)
class HalfSpace(Shape):
    """The points with normal · x > offset: the side of a line or plane to which `normal` points. The normal may have any
    length; `offset` is in the unit of normal · x.

    >>> HalfSpace((1.0, -1.0), 0.0).contains(([2.0, 1.0], [1.0, 2.0]))  # x > y
    array([ True, False])
    """

    normal: tuple[float, ...]
    offset: float = 0.0

    def __init__(self, normal: ArrayLike, offset: float = 0.0) -> None:
        object.__setattr__(self, "normal", vector("HalfSpace: normal", normal))
        object.__setattr__(self, "offset", number("HalfSpace: offset", offset))
        if not any(self.normal) or not math.isfinite(self.offset):
            raise ValueError(
                f"HalfSpace: normal = {self.normal} must not be 0 and offset = {self.offset} must be finite"
            )

    def contains(self, point: tuple[ArrayLike, ...]) -> Inside:
        terms = [n * np.asarray(x) for n, x in zip(self.normal, point, strict=True)]
        size = reduce(np.add, map(np.abs, terms)) + abs(self.offset)
        return np.asarray(reduce(np.add, terms) - self.offset > ON * size)

    @property
    def bounds(self) -> Bounds:
        bounds = [EVERYWHERE] * len(self.normal)
        across = [axis for axis, n in enumerate(self.normal) if n]
        if len(across) == 1:
            place = self.offset / self.normal[across[0]]
            bounds[across[0]] = (place, math.inf) if self.normal[across[0]] > 0.0 else (-math.inf, place)
        return tuple(bounds)

    @property
    def distance(self) -> Coefficient:
        length = math.hypot(*self.normal)
        terms = [(n / length) * Variable(coordinate(axis)) for axis, n in enumerate(self.normal) if n]
        return reduce(lambda a, b: a + b, terms) - self.offset / length

    def fit(self, dimension: int) -> None:
        _same_dimension(self, len(self.normal), dimension)

    def shifted(self, axis: int, by: float) -> HalfSpace:
        return HalfSpace(self.normal, self.offset + by * self.normal[axis])

    def __repr__(self) -> str:
        return f"HalfSpace({self.normal}, {self.offset!r})"


@dataclass(frozen=True, init=False)
class Level(Shape):
    """The points at which `expression` is positive: a number, a formula of :func:`randwalk.expression` or a function of the
    coordinates. With ``distance=True`` its values are taken as the signed distance to the boundary (length); a domain that
    takes the shape checks at sampled points that the gradient has the length 1.

    >>> from randwalk import expression
    >>> Level(expression("x*y - 1")).contains((2.0, [0.1, 3.0]))
    array([False,  True])
    """

    expression: Coefficient
    is_distance: bool

    def __init__(self, expression: CoefficientLike, distance: bool = False) -> None:
        made = as_coefficient(expression)
        if made.depends_on_t:
            raise ValueError(f"Level: expression = {made}: a region does not depend on time; write it without t")
        object.__setattr__(self, "expression", made)
        object.__setattr__(self, "is_distance", bool(distance))

    @property
    def distance(self) -> Coefficient | None:
        return self.expression if self.is_distance else None

    def contains(self, point: tuple[ArrayLike, ...]) -> Inside:
        values = self.expression(point)
        if np.isnan(values).any():
            at = np.unravel_index(np.argmax(np.isnan(values)), values.shape)
            place = tuple(float(x[at]) for x in np.broadcast_arrays(*map(np.asarray, point)))
            raise ValueError(f"{self} has no value at {place}: take an expression that is a number there")
        return np.asarray(values > 0.0)

    @property
    def bounds(self) -> Bounds:
        return ()

    def fit(self, dimension: int) -> None:
        if self.expression.dimension > dimension:
            raise ValueError(
                f"{self} depends on {coordinate(self.expression.dimension - 1)}, and the domain has {dimension} axes"
            )

    def shifted(self, axis: int, by: float) -> Level:
        return Level(self.expression.shifted(coordinate(axis), -by), self.is_distance)

    def __repr__(self) -> str:
        told = ", distance=True" if self.is_distance else ""
        return f"Level({self.expression!r}{told})"


@dataclass(frozen=True, init=False, eq=False)
class Mask(Shape):
    """The cells of those sites of a bounded domain that are True in `array`, shape (sites along x, along y, …).

    A domain that takes the mask places it: a cell is ± dx/2 around its site, for as many sites an axis as the array has.
    A walk on that domain has these sites, or a whole number of times closer ones.

    >>> import randwalk as rw
    >>> room = (rw.Ring(0, 4) * rw.Ring(0, 2)).without(Mask([[0, 0], [1, 0], [0, 0], [0, 0]]))
    >>> room.contains((1.5, [0.5, 1.5]))
    array([False,  True])
    """

    array: NDArray[np.bool_]
    frame: tuple[tuple[float, float], ...]  # for each axis where the first cell begins, and the width of a cell

    def __init__(self, array: ArrayLike, frame: Sequence[tuple[float, float]] = ()) -> None:
        given = np.asarray(array)
        if given.dtype.kind not in "bui" or not np.isin(given, (0, 1)).all():
            raise TypeError(f"Mask: array = {shown(array)}: must be True and False (or 1 and 0), a value a site")
        if not given.size or not given.ndim:
            raise ValueError(f"Mask: array has shape {given.shape}: give a value a site, an axis of the array an axis")
        held = np.array(given, dtype=bool)
        held.setflags(write=False)
        object.__setattr__(self, "array", held)
        object.__setattr__(self, "frame", tuple(frame))

    def contains(self, point: tuple[ArrayLike, ...]) -> Inside:
        if not self.frame:
            raise ValueError(f"{self} has no place yet: give it to the domain, domain.without(mask)")
        known, cells = np.asarray(True), []
        for x, n, (begin, width) in zip(point, self.array.shape, self.frame, strict=True):
            cell = np.floor((np.asarray(x, dtype=np.float64) - begin) / width + ON).astype(np.int64)
            known = known & (cell >= 0) & (cell < n)
            cells.append(np.clip(cell, 0, n - 1))
        return np.asarray(self.array[tuple(cells)] & known)

    @property
    def bounds(self) -> Bounds:
        if not self.frame or not self.array.any():
            return ()
        ends = [
            np.flatnonzero(self.array.any(axis=_others(self.array.ndim, axis)))[[0, -1]]
            for axis in range(self.array.ndim)
        ]
        return tuple((b + w * int(i), b + w * (int(j) + 1)) for (b, w), (i, j) in zip(self.frame, ends, strict=True))

    @property
    def distance(self) -> None:
        return None

    def fit(self, dimension: int) -> None:
        _same_dimension(self, self.array.ndim, dimension)

    def shifted(self, axis: int, by: float) -> Mask:
        return Mask(self.array, [(begin + by * (i == axis), width) for i, (begin, width) in enumerate(self.frame)])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mask) and np.array_equal(self.array, other.array) and self.frame == other.frame

    def __hash__(self) -> int:
        return hash((self.array.shape, self.array.tobytes(), self.frame))

    def __repr__(self) -> str:
        return f"Mask({int(self.array.sum())} of {' × '.join(map(str, self.array.shape))} sites)"


@dataclass(frozen=True)
class Complement(Shape):
    """The points that are not inside a shape; those on its boundary are."""

    shape: Shape

    def contains(self, point: tuple[ArrayLike, ...]) -> Inside:
        return ~self.shape.contains(point)

    @property
    def bounds(self) -> Bounds:
        return ()

    @property
    def distance(self) -> Coefficient | None:
        inner = self.shape.distance
        return None if inner is None else -inner

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

    def _distances(self) -> list[Coefficient] | None:
        known = [part.distance for part in self.parts]
        return None if any(d is None for d in known) else [d for d in known if d is not None]

    def _ends(self) -> list[tuple[tuple[float, float], ...]]:
        """For each axis the (low, high) of every part."""
        return list(zip_longest(*(part.bounds for part in self.parts), fillvalue=EVERYWHERE))


class Union(_Several):
    """The points inside any of several shapes."""

    def contains(self, point: tuple[ArrayLike, ...]) -> Inside:
        return reduce(np.logical_or, (part.contains(point) for part in self.parts))

    @property
    def bounds(self) -> Bounds:
        return tuple((min(low for low, _ in ends), max(high for _, high in ends)) for ends in self._ends())

    @property
    def distance(self) -> Coefficient | None:
        known = self._distances()
        return None if known is None else maximum(*known)

    def __invert__(self) -> Shape:
        return Intersection(tuple(~part for part in self.parts))

    def __repr__(self) -> str:
        return f"({' | '.join(map(repr, self.parts))})"


class Intersection(_Several):
    """The points inside all of several shapes."""

    def contains(self, point: tuple[ArrayLike, ...]) -> Inside:
        return reduce(np.logical_and, (part.contains(point) for part in self.parts))

    @property
    def bounds(self) -> Bounds:
        return tuple((max(low for low, _ in ends), min(high for _, high in ends)) for ends in self._ends())

    @property
    def distance(self) -> Coefficient | None:
        known = self._distances()
        return None if known is None else minimum(*known)

    def __invert__(self) -> Shape:
        return Union(tuple(~part for part in self.parts))

    def __repr__(self) -> str:
        return f"({' & '.join(map(repr, self.parts))})"


class Region(NamedTuple):
    """A set of points taken out of a domain: its shape, the wall at its boundary and the name of its exit."""

    shape: Shape
    wall: Wall
    name: str


def vector(name: str, values: ArrayLike) -> tuple[float, ...]:
    """A point or a direction as a tuple of finite floats, a number an axis."""
    array = finite_numbers(name, values)
    if array.ndim != 1 or array.size < 2:
        raise ValueError(f"{name} = {shown(values)}: give a number for each axis, two or more")
    return tuple(array.tolist())


def _same_dimension(shape: Shape, own: int, dimension: int) -> None:
    if own != dimension:
        raise ValueError(f"{shape} has {own} axes and the domain has {dimension}: give one number an axis")


def _others(dimension: int, axis: int) -> tuple[int, ...]:
    return tuple(i for i in range(dimension) if i != axis)
