"""Elementary shapes, and regions: shapes that are taken out of a domain. ``|``, ``&`` and ``~`` make unions, intersections and
complements (:mod:`randwalk.model.shape`)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..inputs.arguments import finite_numbers, number
from ..inputs.wording import shown
from .coefficient import Coefficient, CoefficientLike, Floats, Variable, apply, as_coefficient
from .coefficient.variables import coordinate
from .moving import place_at, placed
from .shape import EVERYWHERE, Bounds, Inside, Shape
from .wall import Wall

ON = 1e-9  # a point so close to the boundary, relative to the numbers that it is compared with, is on it
SAMPLES = 64  # points at which a distance is checked
STEEP = 1e-6  # the error allowed in the length of its gradient, because some derivatives are differences


@dataclass(frozen=True)
class Ball(Shape):
    """The points at less than `radius` (length) from `centre`: a disc in the plane. A radius that is a formula or a function of
    the time t moves the wall of an Itô walk; the attribute is then the radius at t = 0. ``dataclasses.replace`` keeps its `path`,
    unless it gives another radius.

    >>> disc = Ball((0.0, 1.0), 2.0)
    >>> disc.contains((0.0, [0.5, 3.5])), disc.bounds, float(disc.distance((0.0, 0.0)))
    (array([ True, False]), ((-2.0, 2.0), (-1.0, 3.0)), 1.0)
    """

    centre: tuple[float, ...]
    radius: float
    path: Coefficient | None = None  # of the radius in time, where it changes

    def __init__(self, centre: ArrayLike, radius: CoefficientLike, *, path: Coefficient | None = None) -> None:
        at_first, path = placed("Ball: radius", radius, path)
        object.__setattr__(self, "centre", vector("Ball: centre", centre))
        object.__setattr__(self, "radius", number("Ball: radius", at_first))
        object.__setattr__(self, "path", path)
        if not 0.0 < self.radius < math.inf:
            raise ValueError(f"Ball: radius = {self.radius}: must be positive and finite")

    def contains(self, point: tuple[ArrayLike, ...]) -> Inside:
        return np.asarray(self._square(point) < (1.0 - ON) ** 2)

    def touches(self, point: tuple[ArrayLike, ...]) -> Inside:
        return np.asarray(self._square(point) <= (1.0 + ON) ** 2)

    def _square(self, point: tuple[ArrayLike, ...]) -> Floats:
        """The squared distance from the centre in radii, so that squares of small or large lengths stay numbers."""
        squares = [((np.asarray(x) - c) / self.radius) ** 2 for x, c in zip(point, self.centre, strict=True)]
        return reduce(np.add, squares)

    @property
    def bounds(self) -> Bounds:
        return tuple((c - self.radius, c + self.radius) for c in self.centre)

    @property
    def distance(self) -> Coefficient:
        squares = [(Variable(coordinate(axis)) - c) ** 2.0 for axis, c in enumerate(self.centre)]
        radius = self.radius if self.path is None else self.path
        return radius - apply("sqrt", reduce(lambda a, b: a + b, squares))

    @property
    def moves(self) -> bool:
        return self.path is not None

    def at(self, t: float) -> Ball:
        return self if self.path is None else Ball(self.centre, place_at("Ball: radius", self.path, t))

    def fit(self, dimension: int) -> None:
        _same_dimension(self, len(self.centre), dimension)

    def shifted(self, axis: int, by: float) -> Ball:
        centre = [c + by * (i == axis) for i, c in enumerate(self.centre)]
        return Ball(centre, self.radius if self.path is None else self.path)

    def __repr__(self) -> str:
        return f"Ball({self.centre}, {repr(self.radius) if self.path is None else self.path})"


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
        return np.asarray(self._beyond(point) > ON)

    def touches(self, point: tuple[ArrayLike, ...]) -> Inside:
        return np.asarray(self._beyond(point) >= -ON)

    def _beyond(self, point: tuple[ArrayLike, ...]) -> Floats:
        """normal · x - offset, relative to the sizes of the numbers that it is made of."""
        terms = [n * np.asarray(x, dtype=np.float64) for n, x in zip(self.normal, point, strict=True)]
        size = reduce(np.add, map(np.abs, terms)) + abs(self.offset)
        beyond = reduce(np.add, terms) - self.offset
        return np.divide(beyond, size, out=np.zeros(np.shape(beyond)), where=size > 0.0)

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
            raise ValueError(
                f"Level: expression = {made}: a region does not depend on time; write it without t, or for an "
                "ItoWalk whose wall moves give a Ball whose radius is a formula of t, or an Interval whose end is one"
            )
        object.__setattr__(self, "expression", made)
        object.__setattr__(self, "is_distance", bool(distance))

    @property
    def distance(self) -> Coefficient | None:
        return self.expression if self.is_distance else None

    @property
    def level(self) -> Coefficient:
        return self.expression

    def contains(self, point: tuple[ArrayLike, ...]) -> Inside:
        return np.asarray(self._values(point) > 0.0)

    def touches(self, point: tuple[ArrayLike, ...]) -> Inside:
        return np.asarray(self._values(point) >= 0.0)

    def _values(self, point: tuple[ArrayLike, ...]) -> Floats:
        values = self.expression(point)
        if np.isnan(values).any():
            at = np.unravel_index(np.argmax(np.isnan(values)), values.shape)
            place = tuple(float(x[at]) for x in np.broadcast_arrays(*map(np.asarray, point)))
            raise ValueError(f"{self} has no value at {place}: take an expression that is a number there")
        return values

    @property
    def bounds(self) -> Bounds:
        return ()

    def fit(self, dimension: int) -> None:
        if self.expression.dimension > dimension:
            raise ValueError(
                f"{self} depends on {coordinate(self.expression.dimension - 1)}, and the domain has {dimension} axes"
            )

    def check_distance(self, bounds: Bounds) -> None:
        """Refuse values that are taken as a distance and have no gradient of length 1, at sampled points between the bounds."""
        if not self.is_distance:
            return
        parts = np.random.default_rng(0).uniform(0.05, 0.95, (len(bounds), SAMPLES))
        point = tuple(_between(low, high, part) for (low, high), part in zip(bounds, parts, strict=True))
        slopes = [self.expression.regular_derivative(coordinate(i))(point) for i in range(len(bounds))]
        length = np.sqrt(sum(slope**2 for slope in slopes))
        if (np.abs(length - 1.0) > STEEP).any():  # NaN, on a kink, is not
            at = int(np.argmax(np.abs(np.nan_to_num(length, nan=1.0) - 1.0)))
            place = ", ".join(f"{x[at]:.6g}" for x in point)
            raise ValueError(
                f"{self}: the gradient has the length {length[at]:.6g} at ({place}), so the values are no distance: "
                "leave distance=True out, or divide the expression by the length of its gradient if that is constant"
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
    A walk on that domain has these sites, or a whole number of times closer ones (an odd number of times on a ring and between
    absorbing walls, where the ends of cells would be sites).

    >>> import randwalk as rw
    >>> room = (rw.Ring(0, 4) * rw.Ring(0, 2)).without(Mask([[0, 0], [1, 0], [0, 0], [0, 0]]))
    >>> room.contains((1.0, [0.0, 1.0]))
    array([False,  True])
    """

    array: NDArray[np.bool_]
    frame: tuple[tuple[float, float], ...]  # for each axis where the first cell begins, and the width of a cell

    def __init__(self, array: ArrayLike, frame: Sequence[tuple[float, float]] = ()) -> None:
        given = _table(array)
        if given.dtype.kind not in "bui" or not np.isin(given, (0, 1)).all():
            raise TypeError(f"Mask: array = {shown(array)}: must be True and False (or 1 and 0), a value a site")
        if not given.size or not given.ndim:
            raise ValueError(f"Mask: array has shape {given.shape}: give a value a site, an axis of the array an axis")
        held = given if given.dtype == bool and not given.flags.writeable else np.array(given, dtype=bool)
        held.setflags(write=False)
        object.__setattr__(self, "array", held)
        object.__setattr__(self, "frame", tuple(frame))

    def contains(self, point: tuple[ArrayLike, ...]) -> Inside:
        if not self.frame:
            raise ValueError(f"{self} has no place yet: give it to the domain, domain.without(mask)")
        known, cells = np.asarray(True), []
        for x, n, (begin, width) in zip(point, self.array.shape, self.frame, strict=True):
            cell = np.floor((np.asarray(x, dtype=np.float64) - begin) / width).astype(np.int64)
            known = known & (cell >= 0) & (cell < n)
            cells.append(np.clip(cell, 0, n - 1))
        return np.asarray(self.array[tuple(cells)] & known)

    def touches(self, point: tuple[ArrayLike, ...]) -> Inside:
        """The same: sites are not on the ends of cells."""
        return self.contains(point)

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

    def __reduce__(self) -> tuple[type[Mask], tuple[object, ...]]:
        return Mask, (self.array, self.frame)  # so that the array of a copy cannot be changed either

    def __repr__(self) -> str:
        return f"Mask({int(self.array.sum())} of {' × '.join(map(str, self.array.shape))} sites)"


def _table(array: ArrayLike) -> NDArray[np.generic]:
    try:
        return np.asarray(array)
    except ValueError:  # lists of different lengths
        return np.array(None)


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


def _between(low: float, high: float, part: Floats) -> Floats:
    """Points between two ends, at parts of the way in (0, 1); one way to a far end is a hyperbola."""
    if math.isfinite(high - low):
        return low + (high - low) * part
    if math.isfinite(low):
        return low + part / (1.0 - part)
    return high - (1.0 - part) / part if math.isfinite(high) else np.tan(np.pi * (part - 0.5))


def _same_dimension(shape: Shape, own: int, dimension: int) -> None:
    if own != dimension:
        one = "an array with an axis for each" if isinstance(shape, Mask) else "one number an axis"
        raise ValueError(f"{shape} has {own} axes and the domain has {dimension}: give {one}")


def _others(dimension: int, axis: int) -> tuple[int, ...]:
    return tuple(i for i in range(dimension) if i != axis)
