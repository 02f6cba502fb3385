"""A walker in any number of dimensions, step by step in plain Python numbers from the declaration of its walk and the page of the
stream (docs/stream.md): no table, no layout, no kernel. The tests compare the package with it, to the bit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import randwalk as rw
from randwalk.model.start import start_masses

from .naive import FULL, START, block, constant_uniform, table_uniform

Site = tuple[int, ...]  # the lattice numbers of a site
Place = Site | str  # a site, or the name of the exit a walker has taken


def point(walk: rw.LatticeWalk, site: Site) -> tuple[float, ...]:
    return tuple(lattice.origin + lattice.dx * k for lattice, k in zip(walk.lattices, site, strict=True))


def at(coefficient: Any, walk: rw.LatticeWalk, site: Site, t: float) -> float:
    where = point(walk, site)
    return float(coefficient(where if len(where) > 1 else where[0], t))


def beyond(walk: rw.LatticeWalk, site: Site) -> list[Any]:
    """The faces that a site lies beyond, axis by axis; None where it lies between the ends of an axis, or the axis is a ring."""
    found: list[Any] = []
    for axis, (lattice, k) in enumerate(zip(walk.lattices, site, strict=True)):
        side = 0.0
        if not lattice.periodic and lattice.first is not None and k < lattice.first:
            side = 1.0
        if not lattice.periodic and lattice.last is not None and k > lattice.last:
            side = -1.0
        faces = [face for face in walk.domain.faces if face.axis == axis and face.inward == side]
        found.append(faces[0] if faces else None)
    return found


def wrapped(walk: rw.LatticeWalk, site: Site) -> Site:
    """The site on a torus that a walker is on."""
    lattices: Any = walk.lattices
    return tuple(k % (x.last + 1) if x.periodic else k for x, k in zip(lattices, site, strict=True))


def arrival(walk: rw.LatticeWalk, site: Site, step: Site) -> Place | None:
    """Where a step ends that is not of a product of axes; None if it is not made, because it crosses a face that reflects or ends
    in an obstacle. Over a corner, the first axis names the exit."""
    end = tuple(k + e for k, e in zip(site, step, strict=True))
    crossed = [face for face in beyond(walk, end) if face is not None]
    if any(face.wall.reactivity == 0.0 for face in crossed):
        return None
    if crossed:
        return str(crossed[0].exit)
    end = wrapped(walk, end)
    for region in walk.domain.regions:
        if (region.shape.touches if region.wall.on_site else region.shape.contains)(point(walk, end)):
            return None if region.wall.reactivity == 0.0 else str(region.name)
    return end


def choices(walk: rw.LatticeWalk, site: Site, n: int) -> Iterator[tuple[Place | None, float]]:
    """(end, probability) of every displacement of the walk in its order. No wall absorbs in part."""
    t = n * walk.dt
    if walk.axis_steps is None or len(site) == 1:
        for step, p in walk.probabilities.items():
            yield arrival(walk, site, step if isinstance(step, tuple) else (step,)), at(p, walk, site, t)
        return
    axes = []
    for axis, (right, left) in enumerate(walk.axis_steps):
        chances = {1: at(right, walk, site, t), -1: at(left, walk, site, t)}
        chances[0] = 1.0 - chances[1] - chances[-1]
        for e in (1, -1):
            across = beyond(walk, tuple(k + e * (i == axis) for i, k in enumerate(site)))[axis]
            if across is not None and across.wall.reactivity == 0.0:  # what would cross the face stays on this axis
                chances[0] += chances[e]
                chances[e] = 0.0
        axes.append(chances)
    for step in walk.probabilities:
        yield arrival(walk, site, step), math.prod(chances[e] for chances, e in zip(axes, step, strict=True))


def thresholds(walk: rw.LatticeWalk, site: Site, n: int) -> list[tuple[int, Place | None]]:
    """Cumulative thresholds in units of 2⁻⁶² with the place below each, the last two those of a stay and of being killed."""
    live = FULL - round(-math.expm1(-at(walk.killing, walk, site, n * walk.dt) * walk.dt) * FULL)
    total, limits = 0, []
    for end, p in choices(walk, site, n):
        total += 0 if end is None else round(p * live)
        limits.append((total, end))
    return [*limits, (live, site), (FULL, "killing")]


def planes(walk: rw.LatticeWalk) -> int:
    """Binary digits (8 at most) of a walk with constant probabilities and without walls; 0 for the others."""
    coefficients = [*walk.probabilities.values(), walk.killing]
    free = all(x.first is None and x.last is None and not x.periodic for x in walk.lattices) and not walk.domain.regions
    if not free or any(c.depends_on_x or c.depends_on_t for c in coefficients):
        return 0
    *limits, live, _ = (limit for limit, _ in thresholds(walk, (0,) * len(walk.lattices), 0))
    if live != FULL:
        return 0
    return next(d for d in range(1, 9) if d == 8 or all(limit * 2**d % FULL == 0 for limit in limits))


def start(walk: rw.LatticeWalk, walker: int, seed: int) -> Site:
    """The start of a walker whose start is a product: a draw for each axis where it has several sites."""
    factors: Any = walk.start.factors if len(walk.lattices) > 1 else (walk.start,)
    assert factors is not None
    site: list[int] = []
    for axis, (factor, lattice) in enumerate(zip(factors, walk.lattices, strict=True)):
        first, masses = start_masses(factor, lattice)
        shares: dict[int, int] = {}
        for k, mass in enumerate(masses.tolist(), start=first):
            k = k % (lattice.sites or 1) if lattice.periodic else k
            shares[k] = shares.get(k, 0) + mass
        kept = sorted((k, mass) for k, mass in shares.items() if mass)
        words = block(walker, axis, START, seed)
        word = (words[0] + 2**32 * words[1]) >> 11 if len(kept) > 1 else 0
        for k, mass in kept:
            if word < mass:
                site.append(k)
                break
            word -= mass
    assert len(site) == len(walk.lattices)
    return tuple(site)


def path(walk: rw.LatticeWalk, walker: int, steps: int, seed: int) -> list[Place]:
    """The places of a walker after 0, 1, … `steps` steps."""
    family = planes(walk)
    here: Place = start(walk, walker, seed)
    places = [here]
    for n in range(steps):
        if not isinstance(here, str):
            u = constant_uniform(walker, n, family, seed) if family else table_uniform(walker, n, seed)
            end = next(end for limit, end in thresholds(walk, here, n) if u < limit)
            here = here if end is None else end
        places.append(here)
    return places


def torus_turns(walk: rw.LatticeWalk, places: list[Place]) -> list[int]:
    """The turns of a path around each axis, from the order of its sites; for rings of three sites or more."""
    turns = [0] * len(walk.lattices)
    for before, after in pairwise(places):
        assert not isinstance(before, str) and not isinstance(after, str)
        for axis, (a, b) in enumerate(zip(before, after, strict=True)):
            turns[axis] += (b - a < -1) - (b - a > 1)
    return turns
