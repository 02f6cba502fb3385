"""Starts of walkers: laws on the line and in space.

A start has a `dimension`, `factors` (the starts on the axes if the coordinates are independent, else None) and `bounds`, the
(low, high) of its support on each axis. :mod:`randwalk.model.sites` rounds a start once to masses on sites, for every use.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..inputs.arguments import number, numbers
from ..inputs.wording import shown
from .coefficient import Floats
from .domain import Domain
from .lattice import Lattice
from .shares import MASS_BITS as MASS_BITS
from .shares import covering, even, share_of, shared, whole_masses

TAIL = 9.5  # standard deviations kept of a normal start: the mass beyond is 2e-21


class _Start:
    """What starts have in common: their product."""

    factors: tuple[Factor, ...] | None

    def __getattr__(self, name: str) -> Any:
        if name in ("support", "anchor", "cdf", "weights"):
            raise AttributeError(f"{self} has no {name} but one for each of its factors: ask start.factors[0].{name}")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __mul__(self, other: Start) -> Product:
        if not isinstance(other, _Start):
            return NotImplemented
        for start in (self, other):
            if start.factors is None:
                raise ValueError(
                    f"{start} is no product of starts on the axes: give Atoms with all coordinates of a point"
                )
        return Product((*self.factors, *other.factors))  # type: ignore[misc]  # not None


class _Factor(_Start):
    """A start on one axis. Given a vector, its class makes the product of as many starts."""

    dimension: ClassVar[int] = 1

    def __new__(cls, *values: Any, **named: Any) -> Any:
        given = (*values, *named.values())
        lengths = {len(value) for value in given if _is_vector(value)}
        if not lengths:
            return super().__new__(cls)
        if len(lengths) > 1 or min(lengths) < 2:
            raise ValueError(
                f"{cls.__name__}: {', '.join(map(shown, given))}: give as many numbers of each, two or more"
            )
        values = tuple(_plain(v) for v in values)
        named = {k: _plain(v) for k, v in named.items()}
        axes = range(lengths.pop())
        return Product(tuple(
            cls(*(v[i] if _is_vector(v) else v for v in values), **{k: v[i] if _is_vector(v) else v for k, v in named.items()})
            for i in axes
        ))  # fmt: skip

    @property
    def factors(self) -> tuple[Factor, ...]:  # type: ignore[override]
        return (self,)  # type: ignore[return-value]

    @property
    def bounds(self) -> Bounds:
        return (self.support,)

    @property
    def anchors(self) -> tuple[float, ...]:
        return (self.anchor,)


def _plain(value: Any) -> Any:
    """An array as a list of Python numbers."""
    return value.tolist() if isinstance(value, np.ndarray) else value


def _is_vector(value: object) -> bool:
    return isinstance(value, (tuple, list)) or (isinstance(value, np.ndarray) and value.ndim > 0)


@dataclass(frozen=True, init=False)
class Point(_Factor):
    """All walkers start at `x`. A point between two sites is shared by the two sites so that the mean is kept.

    In several dimensions `x` is a tuple of coordinates, and a point is shared by the sites around it along each axis.

    >>> Point((0.5, 2.0)) == Point(0.5) * Point(2.0)
    True
    """

    x: float

    def __init__(self, x: float | Sequence[float] | Floats = 0.0) -> None:
        if not math.isfinite(number("start", x)):
            raise ValueError(f"the start must be a finite number, not {x}")
        object.__setattr__(self, "x", x)

    @property
    def support(self) -> tuple[float, float]:
        return self.x, self.x

    @property
    def anchor(self) -> float:
        return self.x

    def cdf(self, x: ArrayLike) -> Floats:
        return (np.asarray(x, dtype=np.float64) >= self.x).astype(np.float64)

    def weights(self, lattice: Lattice) -> tuple[int, Floats]:
        below, upper = share_of(self.x, lattice)
        return below, np.array([1.0 - upper, upper])


@dataclass(frozen=True, init=False)
class Uniform(_Factor):
    """Starts uniform between `low` and `high`. A site gets the mass of the part of its cell, x ± dx/2, between the two.

    In several dimensions `low` and `high` are corners of a box, a number an axis.
    """

    low: float
    high: float

    def __init__(self, low: float | Sequence[float] | Floats, high: float | Sequence[float] | Floats) -> None:
        least, most = number("Uniform: low", low), number("Uniform: high", high)
        if not (math.isfinite(least) and math.isfinite(most) and least < most):
            raise ValueError(f"Uniform: low = {low} must be less than high = {high}, both finite")
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)

    @property
    def support(self) -> tuple[float, float]:
        return self.low, self.high

    @property
    def anchor(self) -> float:
        return 0.0

    def cdf(self, x: ArrayLike) -> Floats:
        return np.clip((np.asarray(x, dtype=np.float64) - self.low) / (self.high - self.low), 0.0, 1.0)

    def weights(self, lattice: Lattice) -> tuple[int, Floats]:
        k = covering(lattice, self.low, self.high)
        edges = lattice.x(np.append(k, k[-1] + 1)) - lattice.dx / 2
        return int(k[0]), np.diff(self.cdf(edges))


@dataclass(frozen=True, init=False)
class Normal(_Factor):
    """Normal starts. The mass of a site is the density at its place (normalised), which keeps mean and variance to
    2 exp(-2π² (sd/dx)²), below 6e-9 because dx ≤ sd is required.

    In several dimensions `mean` and `sd` have a number an axis, and the coordinates are independent; an `sd` that is one number
    is that of every axis.
    """

    mean: float
    sd: float

    def __init__(self, mean: float | Sequence[float] | Floats, sd: float | Sequence[float] | Floats) -> None:
        centre, spread = number("Normal: mean", mean), number("Normal: sd", sd)
        if not (math.isfinite(centre) and 0.0 < spread < math.inf):
            raise ValueError(f"Normal: mean = {mean} must be finite and sd = {sd} finite and positive")
        if not math.isfinite(abs(centre) + TAIL * spread):
            raise ValueError(
                f"Normal: sd = {sd} reaches beyond the largest number: take a smaller one, or another unit of length"
            )
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "sd", sd)

    @property
    def support(self) -> tuple[float, float]:
        return self.mean - TAIL * self.sd, self.mean + TAIL * self.sd

    @property
    def anchor(self) -> float:
        return 0.0

    def cdf(self, x: ArrayLike) -> Floats:
        from scipy import special  # here, because importing it takes long

        return special.ndtr((np.asarray(x, dtype=np.float64) - self.mean) / self.sd)

    def weights(self, lattice: Lattice) -> tuple[int, Floats]:
        if lattice.dx > self.sd:
            raise ValueError(
                f"Normal: sd = {self.sd:g} is narrower than dx = {lattice.dx:g}: take dx ≤ {self.sd!r} or a Point"
            )
        k = covering(lattice, *self.support)
        weights = np.exp(-0.5 * ((lattice.x(k) - self.mean) / self.sd) ** 2)
        return int(k[0]), weights / weights.sum()


@dataclass(frozen=True, init=False)
class Sites(_Factor):
    """Starts at given places `x` with given `masses` (they must sum to 1); each is shared by sites like a :class:`Point`."""

    x: tuple[float, ...]
    masses: tuple[float, ...]

    def __new__(cls, *values: Any, **named: Any) -> Any:
        return object.__new__(cls)

    def __init__(self, x: ArrayLike, masses: ArrayLike) -> None:
        places, given = numbers("Sites: x", x).ravel(), numbers("Sites: masses", masses).ravel()
        if places.size != given.size or places.size == 0:
            raise ValueError(f"Sites: {places.size} places and {given.size} masses; give as many of each, at least one")
        _check_atoms("Sites", places, given)
        order = np.argsort(places, kind="stable")
        object.__setattr__(self, "x", tuple(places[order].tolist()))
        object.__setattr__(self, "masses", tuple((given[order] / given.sum()).tolist()))

    @property
    def support(self) -> tuple[float, float]:
        return self.x[0], self.x[-1]

    @property
    def anchor(self) -> float:
        return self.x[0]

    def cdf(self, x: ArrayLike) -> Floats:
        total = np.concatenate([[0.0], np.cumsum(self.masses)])
        return total[np.searchsorted(self.x, np.asarray(x, dtype=np.float64), side="right")]

    def weights(self, lattice: Lattice) -> tuple[int, Floats]:
        return shared(np.array(self.x), np.array(self.masses), lattice)


@dataclass(frozen=True, init=False)
class Atoms(_Start):
    """Starts at given `points`, shape (n, d), with given `masses`, shape (n,), which must sum to 1. Each point is shared by the
    sites around it like a :class:`Point`. Of points in one dimension, shape (n,), the class makes :class:`Sites`.

    >>> Atoms([(0.0, 0.0), (1.0, 2.0)], [0.25, 0.75]).bounds
    ((0.0, 1.0), (0.0, 2.0))
    """

    points: tuple[tuple[float, ...], ...]
    masses: tuple[float, ...]

    def __new__(cls, points: ArrayLike = (), masses: ArrayLike = ()) -> Any:
        of_numbers = _is_vector(points) and len(points) > 0 and not any(map(_is_vector, points))  # type: ignore[arg-type]
        return Sites(points, masses) if of_numbers else object.__new__(cls)

    def __init__(self, points: ArrayLike, masses: ArrayLike) -> None:
        places, given = numbers("Atoms: points", points), numbers("Atoms: masses", masses).ravel()
        if places.ndim != 2 or places.shape[0] != given.size or places.shape[1] < 2:
            raise ValueError(
                f"Atoms: points of shape {places.shape} and {given.size} masses; give a tuple of coordinates for each mass"
            )
        _check_atoms("Atoms", places, given)
        order = np.lexsort(places.T[::-1])
        object.__setattr__(self, "points", tuple(map(tuple, places[order].tolist())))
        object.__setattr__(self, "masses", tuple((given[order] / given.sum()).tolist()))

    @property
    def factors(self) -> None:  # type: ignore[override]
        """None: the coordinates depend on each other."""

    @property
    def dimension(self) -> int:
        return len(self.points[0])

    @property
    def bounds(self) -> Bounds:
        return tuple((min(x), max(x)) for x in zip(*self.points, strict=True))

    @property
    def anchors(self) -> tuple[float, ...]:
        return self.points[0]


@dataclass(frozen=True)
class Everywhere(_Start):
    """Starts uniform on all live sites of a bounded domain, regions excluded. A walk or an equation sets the `domain`."""

    domain: Domain | None = field(default=None, repr=False, compare=False)

    @property
    def bounds(self) -> Bounds:
        return self._known.bounds

    @property
    def _known(self) -> Domain:
        if self.domain is None:
            raise ValueError("Everywhere() is everywhere in a domain: give it to a walk or an equation")
        return self.domain

    @property
    def dimension(self) -> int:
        return self._known.dimension

    @property
    def factors(self) -> tuple[Factor, ...] | None:  # type: ignore[override]
        return None if self._known.regions else tuple(Everywhere(axis) for axis in self._known.axes)

    @property
    def anchors(self) -> tuple[float, ...]:
        return (0.0,) * self.dimension

    @property
    def support(self) -> tuple[float, float]:
        (support,) = self.bounds
        return support

    @property
    def anchor(self) -> float:
        return 0.0

    def cdf(self, x: ArrayLike) -> Floats:
        return Uniform(*self.support).cdf(x)

    def weights(self, lattice: Lattice) -> tuple[int, Floats]:
        assert lattice.first is not None and lattice.sites is not None  # of a bounded axis
        return lattice.first, np.full(lattice.sites, 1.0 / lattice.sites)


@dataclass(frozen=True)
class Product(_Start):
    """Independent starts on the axes, written ``Normal(0.0, 1.0) * Point(2.0)``; starts with vectors make one, too."""

    factors: tuple[Factor, ...]

    @property
    def dimension(self) -> int:
        return len(self.factors)

    @property
    def bounds(self) -> Bounds:
        return tuple(factor.support for factor in self.factors)

    @property
    def anchors(self) -> tuple[float, ...]:
        return tuple(factor.anchor for factor in self.factors)

    def __repr__(self) -> str:
        (kind, *others) = {type(factor) for factor in self.factors}
        if others or kind not in (Point, Uniform, Normal):
            return " * ".join(map(repr, self.factors))
        fields = zip(*(vars(factor).values() for factor in self.factors), strict=True)
        return f"{kind.__name__}({', '.join(map(repr, fields))})"


Bounds: TypeAlias = tuple[tuple[float, float], ...]
Factor: TypeAlias = Point | Uniform | Normal | Sites | Everywhere
Start: TypeAlias = Factor | Product | Atoms
StartLike: TypeAlias = Start | float | Sequence[float] | NDArray[Any]


def as_start(value: StartLike, domain: Domain | None = None) -> Start:
    """A start in a domain (of one dimension if it is left out); a number or a tuple of coordinates is a :class:`Point`, and 0
    the origin of any space.

    Raises
    ------
    TypeError
        for what is no start.
    ValueError
        for a start of another dimension than the domain.
    """
    dimension = 1 if domain is None else domain.dimension
    if isinstance(value, Everywhere):
        return Everywhere(domain or value.domain)
    if isinstance(value, Start):
        start: Start = value
    elif _is_vector(value):
        start = Point(value) if len(value) > 1 else Point(*value)  # type: ignore[arg-type, misc]
    elif isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        start = Point(number("start", value)) if dimension == 1 or value != 0.0 else Point((0.0,) * dimension)
    else:
        point, atoms = ("a number", "Sites") if dimension == 1 else ("a tuple of coordinates", "Atoms")
        raise TypeError(f"start = {shown(value)}: give {point}, Point, Uniform, Normal, {atoms} or Everywhere()")
    if start.dimension != dimension:
        raise ValueError(
            f"start = {start}: has dimension {start.dimension} and the domain {dimension}; give a number an axis"
        )
    return start


def axes_of(value: StartLike) -> int:
    """How many axes a start says that there are; 1 for a number and for Everywhere()."""
    if isinstance(value, Start):
        return 1 if isinstance(value, Everywhere) else value.dimension
    return len(value) if _is_vector(value) else 1  # type: ignore[arg-type]


def continuous(start: Start) -> Start:
    """The start of an equation: :class:`Everywhere` in a domain without regions is uniform between its ends."""
    if not isinstance(start, Everywhere) or start.factors is None:
        return start
    return reduce(lambda a, b: a * b, (Uniform(*bounds) for bounds in start.bounds))  # type: ignore[arg-type, return-value]


def _check_atoms(kind: str, places: Floats, masses: Floats) -> None:
    if not (np.isfinite(places).all() and np.isfinite(masses).all() and (masses >= 0).all()):
        raise ValueError(f"{kind}: places must be finite and masses finite and not negative")
    if abs(masses.sum() - 1.0) > 1e-9:
        raise ValueError(f"{kind}: the masses sum to {masses.sum():.12g} and must sum to 1; divide them by their sum")


def start_masses(start: Start, lattice: Lattice) -> tuple[int, NDArray[np.int64]]:
    """A start on an axis as whole numbers of 2⁻⁵³ on sites `first`, `first` + 1, …: (first, masses). They sum to 2⁵³ exactly.

    Mass beyond a reflecting or partially absorbing wall belongs to the site before the wall; on a ring, sites wrap. Mass on an
    absorbing wall (site number ``lattice.first - 1`` or ``lattice.last + 1``) counts as absorbed at time 0.
    """
    if isinstance(start, Everywhere):
        assert lattice.first is not None and lattice.sites is not None  # of a bounded axis
        return lattice.first, even(lattice.sites)
    first, weights = start.weights(lattice)
    whole = whole_masses(weights)
    kept = np.flatnonzero(whole)
    return first + int(kept[0]), whole[kept[0] : kept[-1] + 1]
