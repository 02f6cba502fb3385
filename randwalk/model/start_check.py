"""Whether a start fits a domain: inside its ends, off its absorbing walls and outside its regions."""

from __future__ import annotations

import math
from functools import reduce

import numpy as np

from .coefficient import Floats
from .coefficient.variables import coordinate
from .domain import Domain
from .start import Atoms, Everywhere, Factor, Normal, Point, Product, Sites, Start, Uniform

OUTSIDE = 1e-12  # the mass of a start that may lie outside the domain
LOOKED_AT = 40_000  # places at which a start that is spread out is compared with regions
MOST_PRODUCT = 6  # dimensions up to which these are all combinations of places on the axes


def check_start(start: Start, domain: Domain) -> None:
    """Refuse a start outside the domain, on an absorbing wall or in a region. A start that is spread out is looked at in some
    places here, and on all sites by :func:`randwalk.model.sites.site_masses`."""
    if isinstance(start, Everywhere):
        if not all(math.isfinite(low) and math.isfinite(high) for low, high in domain.bounds):
            raise ValueError(f"start = {start}: {domain} is unbounded; give a Uniform or Normal start")
        return
    for i in range(domain.dimension):
        if start.factors is not None:
            _check_on_axis(start, start.factors[i], domain, i)
        else:
            _check_on_axis(start, Sites([x[i] for x in start.points], start.masses), domain, i)
    if domain.regions:
        points, masses = _samples(start)
        found = domain.region_at(tuple(points.T))
        inside = np.where(found >= 0, masses / masses.sum(), 0.0)
        if inside.sum() > OUTSIDE:
            at = int(np.argmax(inside))
            about = f", with about {inside.sum():.2g} of the mass" if inside.sum() < 1.0 else ""
            raise ValueError(
                f"start = {start}: {in_region(domain, int(found[at]), points[at])}{about}; start elsewhere"
            )


def _check_on_axis(start: Start, factor: Factor, domain: Domain, i: int) -> None:
    """Refuse a start whose coordinates on an axis, the `factor`, lie outside the axis or on its absorbing wall."""
    axis, (low, high) = domain.axes[i], factor.support
    if isinstance(factor, Normal):
        outside = float(factor.cdf(axis.low)) + 1.0 - float(factor.cdf(axis.high)) if not axis.periodic else 0.0
        if outside > OUTSIDE:
            raise ValueError(
                f"start = {start}: a mass of {outside:.2g} lies outside {domain}; narrow it, or move the walls"
            )
        return
    if low < axis.low or high > axis.high:
        raise ValueError(f"start = {start} lies outside {domain}")
    for face in domain.faces:
        atom = face.axis == i and not isinstance(factor, Uniform)
        if atom and face.wall.on_site and face.place in (low, high):
            raise ValueError(
                f"start = {start} is on the absorbing {face.exit} wall at {coordinate(i)} = {face.place:g}; start inside"
            )


def in_region(domain: Domain, number: int, point: Floats) -> str:
    """Where a point is, for a message."""
    region = domain.regions[number]
    names, values = ", ".join(map(coordinate, range(len(point)))), ", ".join(f"{x:.6g}" for x in point)
    kind = "obstacle" if region.wall.reactivity == 0.0 else "trap"
    return f"({names}) = ({values}) is in the {kind} {region.name!r}"


def _samples(start: Product | Atoms | Factor) -> tuple[Floats, Floats]:
    """Points at which a start is looked at, shape (n, d), and masses in proportion to its own there: the atoms, and of what is
    spread out places at equal distances; in many dimensions a fixed choice of these."""
    if isinstance(start, Atoms):
        return np.array(start.points), np.array(start.masses)
    if start.dimension > MOST_PRODUCT:
        rng, factors = np.random.default_rng(0), start.factors or ()
        places = [rng.choice(x, LOOKED_AT, p=masses / masses.sum()) for x, masses in (_along(f, 64) for f in factors)]
        return np.stack(places, axis=-1), np.ones(LOOKED_AT)
    count = math.ceil(LOOKED_AT ** (1.0 / start.dimension))
    along = [_along(factor, count) for factor in start.factors or ()]
    points = np.stack([x.ravel() for x in np.meshgrid(*(x for x, _ in along), indexing="ij")], axis=-1)
    return points, reduce(np.multiply.outer, [masses for _, masses in along]).ravel()


def _along(factor: Factor, count: int) -> tuple[Floats, Floats]:
    if isinstance(factor, Point):
        return np.array([factor.x]), np.ones(1)
    if isinstance(factor, Sites):
        return np.array(factor.x), np.array(factor.masses)
    edges = np.linspace(*factor.support, count + 1)
    return 0.5 * (edges[1:] + edges[:-1]), np.diff(factor.cdf(edges))
