"""The sites of a walk, x_k = origin + k dx, placed so that walls are on sites or half way between two, as each requires."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..inputs.wording import shown
from .coefficient import Floats
from .domain import Domain, Wall

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
    def on(cls, domain: Domain, dx: float, anchor: float) -> Lattice:
        """The lattice of spacing `dx` on `domain`. On a line one site stands at `anchor`."""
        if domain.periodic:
            count = _whole(domain, dx, 0.0, 1)
            return cls(domain.low, (domain.high - domain.low) / count, 0, count - 1, True)
        low_gap, high_gap = (_gap(wall) for wall in (domain.left, domain.right))
        if math.isinf(domain.low) and math.isinf(domain.high):
            return cls(anchor, dx, None, None, False)
        if math.isinf(domain.high):
            return cls(domain.low + low_gap * dx, dx, 0, None, False)
        if math.isinf(domain.low):
            return cls(domain.high - high_gap * dx, dx, None, 0, False)
        # the length in dx, without the half of a pair of walls of which one is on a site
        steps = _whole(domain, dx, (low_gap + high_gap) % 1.0, int(low_gap + high_gap))
        exact = (domain.high - domain.low) / (steps + (low_gap + high_gap) % 1.0)
        last = steps - 1 - (1 if low_gap + high_gap == 2.0 else 0)
        return cls(domain.low + low_gap * exact, exact, 0, last, False)


def spacing(domain: Domain, sites: int) -> float:
    """The dx for which a bounded `domain` has `sites` live sites."""
    if isinstance(sites, bool) or not isinstance(sites, (int, np.integer)) or sites < 1:
        raise ValueError(f"sites = {shown(sites)}: must be a positive whole number")
    if sites > MOST_SITES:
        raise ValueError(f"sites = {shown(sites)}: a walker's place is counted up to {MOST_SITES}")
    length = domain.high - domain.low
    if math.isinf(length):
        raise ValueError(f"sites = {sites} needs a bounded domain; on {domain} give dx")
    if domain.periodic:
        return length / sites
    gaps = _gap(domain.left) + _gap(domain.right)
    return length / (sites - 1 + gaps)


def _gap(wall: Wall | None) -> float:
    """The distance from a wall to the first live site, in dx."""
    return 1.0 if wall is not None and wall.on_site else 0.5


def _whole(domain: Domain, dx: float, half: float, least: int) -> int:
    """The whole number n ≥ `least` with length = (n + half) dx, or an error that names the nearest dx that fit."""
    length = domain.high - domain.low
    ratio = length / dx - half
    count = round(ratio)
    if abs(ratio - count) <= FIT * max(1.0, ratio):
        if count >= least:
            return count
        raise ValueError(f"{domain} holds no site at dx = {dx:g}: take dx ≤ {length / (least + half):.12g}")
    fits = [length / (n + half) for n in (math.floor(ratio), math.ceil(ratio)) if n >= least]
    kind = "a whole number and a half" if half else "a whole number"
    raise ValueError(
        f"dx = {dx:g} does not fit {domain}: its length {length:g} must be {kind} of dx (an absorbing wall stands on a "
        f"site, the others half way); take dx = {' or '.join(f'{d:.12g}' for d in fits or [length / (least + half)])}, or sites="
    )


def check_place(lattice: Lattice, *places: float) -> None:
    """Refuse places so far from 0 that floating-point numbers do not tell neighbouring sites apart."""
    far = max((abs(x) for x in (*places, lattice.origin) if math.isfinite(x)), default=0.0)
    if far >= PRECISE * lattice.dx:
        raise ValueError(
            f"x = {far:g} is {far / lattice.dx:.3g} dx from 0, where floating-point numbers do not tell sites apart: move the "
            f"origin of x there, or take dx ≥ {2.0 * far / PRECISE:.3g}"
        )
