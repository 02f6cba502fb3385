"""The sites of a walk, x_k = origin + k dx on each axis, placed so that walls are on sites or half way between two, as each
requires."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..inputs.wording import shown
from .coefficient import Floats
from .coefficient.variables import coordinate
from .domain import Axis, Domain
from .wall import gap

MOST_SITES = 2**31 - 9
PRECISE = 2.0**53  # the distance from 0, in dx, up to which sites are different numbers
FIT = 1e-9  # a domain whose length is a whole number of dx to this relative accuracy fits; dx is then made exact


@dataclass(frozen=True)
class Lattice:
    """Sites ``origin + k dx`` for whole k from `first` to `last` (None where the domain is unbounded).

    On a bounded side the outermost live site is one dx from an absorbing wall and half a dx from any other wall.
    """

    origin: float
    dx: float
    first: int | None
    last: int | None
    periodic: bool

    def x(self, k: ArrayLike) -> Floats:
        """Positions of the sites with numbers `k`."""
        return self.origin + self.dx * np.asarray(k, dtype=np.float64)

    @property
    def sites(self) -> int | None:
        """The number of live sites, None on an unbounded domain."""
        return None if self.first is None or self.last is None else self.last - self.first + 1

    @classmethod
    def on(cls, domain: Axis, dx: float, anchor: float) -> Lattice:
        """The lattice of spacing `dx` on a domain of one dimension. On a line one site stands at `anchor`."""
        return _on_axis(domain, dx, anchor, "", _written)


def lattices_on(domain: Domain, spacings: Sequence[float], anchors: Sequence[float]) -> tuple[Lattice, ...]:
    """The lattice of each axis of a domain, with the spacings dx of the axes; a spacing that nearly fits is made exact. On a line
    one site stands at the anchor.

    Raises
    ------
    ValueError
        for walls that do not fit the sites, with the axis and the dx that would.

    Examples
    --------
    >>> from randwalk import Line, Ring
    >>> [lattice.sites for lattice in lattices_on(Ring(0.0, 1.0) * Line(), (0.25, 0.1), (0.0, 0.0))]
    [4, None]
    """
    if domain.dimension == 1:
        return (Lattice.on(domain.axes[0], spacings[0], anchors[0]),)
    fitting = [_nearest(axis, dx) for axis, dx in zip(domain.axes, spacings, strict=True)]

    def written(i: int) -> Callable[[float], str]:
        """How dx is written with one spacing for axis `i` and spacings that fit for the others."""
        return lambda d: f"({', '.join(_written(d if j == i else other) for j, other in enumerate(fitting))})"

    return tuple(
        _on_axis(axis, spacings[i], anchors[i], f"the {coordinate(i)} axis, ", written(i))
        for i, axis in enumerate(domain.axes)
    )


def per_axis(name: str, value: object, dimension: int) -> tuple[object, ...]:
    """An argument that is one value for all axes or a sequence of one value an axis, as one value an axis."""
    if not isinstance(value, (tuple, list)) and not (isinstance(value, np.ndarray) and value.ndim):
        return (value,) * dimension
    if len(value) != dimension:
        raise ValueError(f"{name} = {shown(value)}: {len(value)} values for {dimension} axes; give one, or one an axis")
    return tuple(value)


def spacing(domain: Axis, sites: int) -> float:
    """The dx for which a bounded `domain` of one dimension has `sites` live sites."""
    if isinstance(sites, bool) or not isinstance(sites, (int, np.integer)) or sites < 1:
        raise ValueError(f"sites = {shown(sites)}: must be a positive whole number")
    if sites > MOST_SITES:
        raise ValueError(f"sites = {shown(sites)}: a walker's place is counted up to {MOST_SITES}")
    length = domain.high - domain.low
    if math.isinf(length):
        raise ValueError(f"sites = {sites} needs a bounded domain; on {domain} give dx")
    if domain.periodic:
        return length / sites
    gaps = gap(domain.left) + gap(domain.right)
    return length / (sites - 1 + gaps)


def _on_axis(axis: Axis, dx: float, anchor: float, name: str, written: Callable[[float], str]) -> Lattice:
    """The lattice of an axis; in messages `name` is the beginning of its name and `written` writes the argument dx."""
    length = axis.high - axis.low
    if axis.periodic:
        count = _whole(axis, dx, 0.0, 1, name, written)
        return Lattice(axis.low, length / count, 0, count - 1, True)
    low_gap, high_gap = (gap(wall) for wall in (axis.left, axis.right))
    if math.isinf(axis.low) and math.isinf(axis.high):
        return Lattice(anchor, dx, None, None, False)
    if math.isinf(axis.high):
        return Lattice(axis.low + low_gap * dx, dx, 0, None, False)
    if math.isinf(axis.low):
        return Lattice(axis.high - high_gap * dx, dx, None, 0, False)
    # the length in dx, without the half of a pair of walls of which one is on a site
    steps = _whole(axis, dx, (low_gap + high_gap) % 1.0, int(low_gap + high_gap), name, written)
    exact = length / (steps + (low_gap + high_gap) % 1.0)
    last = steps - 1 - (1 if low_gap + high_gap == 2.0 else 0)
    return Lattice(axis.low + low_gap * exact, exact, 0, last, False)


def _whole(axis: Axis, dx: float, half: float, least: int, name: str, written: Callable[[float], str]) -> int:
    """The whole number n ≥ `least` with length = (n + half) dx, or an error that names the nearest dx that fit."""
    length = axis.high - axis.low
    ratio = length / dx - half
    count = round(ratio)
    if abs(ratio - count) <= FIT * max(1.0, ratio):
        if count >= least:
            return count
        raise ValueError(f"{name}{axis} holds no site at dx = {dx:g}: take dx ≤ {_written(length / (least + half))}")
    fits = _fits(length, dx, half, least)
    kind = "a whole number and a half" if half else "a whole number"
    raise ValueError(
        f"dx = {dx:g} does not fit {name}{axis}: its length {length:g} must be {kind} of dx (an absorbing wall stands on a "
        f"site, the others half way); take dx = {' or '.join(map(written, fits))}, or sites="
    )


def _fits(length: float, dx: float, half: float, least: int) -> list[float]:
    """The next longer and the next shorter spacing with length = (n + half) dx for whole n ≥ `least`."""
    ratio = length / dx - half
    return [length / (n + half) for n in (math.floor(ratio), math.ceil(ratio)) if n >= least] or [
        length / (least + half)
    ]


def _nearest(axis: Axis, dx: float) -> float:
    """The spacing nearest to `dx` that fits an axis."""
    length = axis.high - axis.low
    if math.isinf(length):
        return dx
    gaps = 0.0 if axis.periodic else gap(axis.left) + gap(axis.right)
    return min(_fits(length, dx, gaps % 1.0, max(1, int(gaps))), key=lambda d: abs(d - dx))


def _written(dx: float) -> str:
    return f"{dx:.12g}"


def check_place(lattice: Lattice, *places: float, name: str = "x") -> None:
    """Refuse places on an axis called `name` so far from 0 that floating-point numbers do not tell neighbouring sites apart."""
    far = max((abs(x) for x in (*places, lattice.origin) if math.isfinite(x)), default=0.0)
    if far >= PRECISE * lattice.dx:
        raise ValueError(
            f"{name} = {far:g} is {far / lattice.dx:.3g} dx from 0, where floating-point numbers do not tell sites apart: move "
            f"the origin of {name} there, or take dx ≥ {2.0 * far / PRECISE:.3g}"
        )
