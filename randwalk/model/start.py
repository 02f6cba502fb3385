"""Starts of walkers: laws on the line, rounded once to masses on sites for every use."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..inputs.arguments import number, numbers
from ..inputs.memory import require
from ..inputs.wording import shown
from .coefficient import Floats
from .domain import Domain
from .lattice import Lattice

MASS_BITS = 53  # a start mass is a whole number of 2⁻⁵³, exact in a double and in a 64-bit word
OF_A_SITE = 48.0  # bytes, while masses are computed
TAIL = 9.5  # standard deviations kept of a normal start: the mass beyond is 2e-21


@dataclass(frozen=True)
class Point:
    """All walkers start at `x`. A point between two sites is shared by the two sites so that the mean is kept."""

    x: float = 0.0

    def __post_init__(self) -> None:
        if not math.isfinite(number("start", self.x)):
            raise ValueError(f"the start must be a finite number, not {self.x}")

    @property
    def support(self) -> tuple[float, float]:
        return self.x, self.x

    @property
    def anchor(self) -> float:
        return self.x

    def cdf(self, x: ArrayLike) -> Floats:
        return (np.asarray(x, dtype=np.float64) >= self.x).astype(np.float64)

    def weights(self, lattice: Lattice) -> tuple[int, Floats]:
        return _share(np.array([self.x]), np.ones(1), lattice)


@dataclass(frozen=True)
class Uniform:
    """Starts uniform between `low` and `high`. A site gets the mass of the part of its cell, x ± dx/2, between the two."""

    low: float
    high: float

    def __post_init__(self) -> None:
        low, high = number("Uniform: low", self.low), number("Uniform: high", self.high)
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"Uniform: low = {self.low} must be less than high = {self.high}, both finite")

    @property
    def support(self) -> tuple[float, float]:
        return self.low, self.high

    @property
    def anchor(self) -> float:
        return 0.0

    def cdf(self, x: ArrayLike) -> Floats:
        return np.clip((np.asarray(x, dtype=np.float64) - self.low) / (self.high - self.low), 0.0, 1.0)

    def weights(self, lattice: Lattice) -> tuple[int, Floats]:
        k = _covering(lattice, self.low, self.high)
        edges = lattice.x(np.append(k, k[-1] + 1)) - lattice.dx / 2
        return int(k[0]), np.diff(self.cdf(edges))


@dataclass(frozen=True)
class Normal:
    """Normal starts. The mass of a site is the density at its place (normalised), which keeps mean and variance to
    2 exp(-2π² (sd/dx)²), below 6e-9 because dx ≤ sd is required."""

    mean: float
    sd: float

    def __post_init__(self) -> None:
        mean, sd = number("Normal: mean", self.mean), number("Normal: sd", self.sd)
        if not (math.isfinite(mean) and 0.0 < sd < math.inf):
            raise ValueError(f"Normal: mean = {self.mean} must be finite and sd = {self.sd} finite and positive")

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
        k = _covering(lattice, *self.support)
        weights = np.exp(-0.5 * ((lattice.x(k) - self.mean) / self.sd) ** 2)
        return int(k[0]), weights / weights.sum()


@dataclass(frozen=True)
class Sites:
    """Starts at given places `x` with given `masses` (they must sum to 1); each is shared by sites like a :class:`Point`."""

    x: tuple[float, ...]
    masses: tuple[float, ...]

    def __init__(self, x: ArrayLike, masses: ArrayLike) -> None:
        places, given = numbers("Sites: x", x).ravel(), numbers("Sites: masses", masses).ravel()
        if places.size != given.size or places.size == 0:
            raise ValueError(f"Sites: {places.size} places and {given.size} masses; give as many of each, at least one")
        if not (np.isfinite(places).all() and np.isfinite(given).all() and (given >= 0).all()):
            raise ValueError("Sites: places must be finite and masses finite and not negative")
        if abs(given.sum() - 1.0) > 1e-9:
            raise ValueError(f"Sites: the masses sum to {given.sum():.12g} and must sum to 1; divide them by their sum")
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
        return _share(np.array(self.x), np.array(self.masses), lattice)


Start: TypeAlias = Point | Uniform | Normal | Sites
StartLike: TypeAlias = Start | float


def as_start(value: StartLike) -> Start:
    """A start; a number is a :class:`Point`."""
    if isinstance(value, (Point, Uniform, Normal, Sites)):
        return value
    if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        return Point(number("start", value))
    raise TypeError(f"start = {shown(value)}: give a number, Point, Uniform, Normal or Sites")


def check_start(start: Start, domain: Domain) -> None:
    """Refuse a start outside the domain or on an absorbing wall."""
    low, high = start.support
    if isinstance(start, Normal):
        outside = float(start.cdf(domain.low)) + 1.0 - float(start.cdf(domain.high)) if not domain.periodic else 0.0
        if outside > 1e-12:
            raise ValueError(
                f"start = {start}: a mass of {outside:.2g} lies outside {domain}; narrow it, or move the walls"
            )
        return
    if low < domain.low or high > domain.high:
        raise ValueError(f"start = {start} lies outside {domain}")
    atom = not isinstance(start, Uniform)
    for face in domain.faces:
        if atom and face.wall.on_site and face.place in (low, high):
            raise ValueError(
                f"start = {start} is on the absorbing {face.exit} wall at x = {face.place:g}; start inside"
            )


def start_masses(start: Start, lattice: Lattice) -> tuple[int, NDArray[np.int64]]:
    """The start as whole numbers of 2⁻⁵³ on sites `first`, `first` + 1, …: (first, masses). They sum to 2⁵³ exactly.

    Mass beyond a reflecting or partially absorbing wall belongs to the site before the wall; on a ring, sites wrap. Mass on an
    absorbing wall (site number ``lattice.first - 1`` or ``lattice.last + 1``) counts as absorbed at time 0.
    """
    first, weights = start.weights(lattice)
    whole = np.rint(weights / weights.sum() * 2.0**MASS_BITS).astype(np.int64)
    whole[np.argmax(whole)] += 2**MASS_BITS - int(whole.sum())
    kept = np.flatnonzero(whole)
    return first + int(kept[0]), whole[kept[0] : kept[-1] + 1]


def _covering(lattice: Lattice, low: float, high: float) -> NDArray[np.int64]:
    """The numbers of the sites whose cells, x ± dx/2, meet [low, high]."""
    _check_width(low, high, lattice)
    first = math.floor((low - lattice.origin) / lattice.dx + 0.5)
    last = math.ceil((high - lattice.origin) / lattice.dx - 0.5)
    return np.arange(first, max(first, last) + 1)


def _share(x: Floats, masses: Floats, lattice: Lattice) -> tuple[int, Floats]:
    """Each mass shared by the two sites around its place so that its mean is kept."""
    _check_width(float(x.min()), float(x.max()), lattice)
    place = (x - lattice.origin) / lattice.dx
    near = np.rint(place)
    place = np.where(np.abs(place - near) <= 1e-9 * np.maximum(1.0, np.abs(near)), near, place)  # on a site, exactly
    below = np.floor(place).astype(np.int64)
    upper = place - below
    first = int(below.min())
    shared = np.zeros(int(below.max()) - first + 2)
    np.add.at(shared, below - first, masses * (1.0 - upper))
    np.add.at(shared, below - first + 1, masses * upper)
    return first, shared


def _check_width(low: float, high: float, lattice: Lattice) -> None:
    """Refuse a start on more sites than fit into memory, before they are counted."""
    require(
        OF_A_SITE * (high - low) / lattice.dx, f"a start from {low:g} to {high:g}", "narrow it, or take a larger dx"
    )
