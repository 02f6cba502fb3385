"""Traps of an unbounded domain as the sites where walkers stop."""

from __future__ import annotations

import math

import numpy as np

from randwalk.model.domain import Box
from randwalk.model.walk import LatticeWalk

from .lattice_green import Moves, Whole


def traps_of(walk: LatticeWalk) -> dict[str, Whole] | None:
    """The sites (n, d) of each region that walkers can step to, by the name of the region; None unless the walk is the same
    everywhere, and all regions absorb and have ends."""
    regions = walk.domain.regions
    bounds = np.array([region.shape.bounds for region in regions])
    if not regions or not walk.homogeneous or not all(r.wall.on_site for r in regions) or not np.isfinite(bounds).all():
        return None
    low, high = bounds[..., 0].min(axis=0), bounds[..., 1].max(axis=0)
    lines = [
        np.arange(math.floor((a - lattice.origin) / lattice.dx) - 1, math.ceil((b - lattice.origin) / lattice.dx) + 2)
        for a, b, lattice in zip(low, high, walk.lattices, strict=True)
    ]
    grid = np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1)
    place = tuple(lattice.x(grid[..., axis]) for axis, lattice in enumerate(walk.lattices))
    of = walk.domain.region_at(place)
    beside = np.zeros(of.shape, dtype=bool)
    every = tuple(range(of.ndim))
    for step in Moves.of(walk).steps.tolist():
        beside |= np.roll(of, step, axis=every) < 0
    return {region.name: grid[(of == k) & beside] for k, region in enumerate(regions)}


def without_traps(walk: LatticeWalk) -> LatticeWalk:
    """The same walk without regions."""
    spacings = tuple(lattice.dx for lattice in walk.lattices)
    return LatticeWalk(
        steps=walk.probabilities,
        dx=spacings,
        dt=walk.dt,
        domain=Box(*walk.domain.axes),
        start=walk.start,
        killing=walk.killing,
    )
