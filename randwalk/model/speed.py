"""The mean speed of the walkers, and the part of it that :attr:`Rule.CAPPED` loses."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .coefficient import Floats
from .discretise import directions_of
from .rule import Rule, shortfall
from .sites import site_masses
from .start import MASS_BITS

if TYPE_CHECKING:
    from .walk import LatticeWalk

Masses: TypeAlias = Floats | NDArray[np.int64]
Places: TypeAlias = ArrayLike | tuple[ArrayLike, ...]


def starting_masses(walk: LatticeWalk) -> tuple[tuple[Floats, ...], Floats]:
    """The live sites on which walkers start, a flat array of places for each axis, and their masses."""
    blocks = site_masses(walk.start, walk.lattices, walk.domain)
    which = np.meshgrid(*(np.arange(block.masses.size) for block in blocks), indexing="ij")
    masses = np.prod([block.masses[k.ravel()] / 2.0**MASS_BITS for block, k in zip(blocks, which, strict=True)], axis=0)
    numbers = {
        axis: row[k.ravel()]
        for block, k in zip(blocks, which, strict=True)
        for axis, row in zip(block.axes, block.numbers, strict=True)
    }
    live = np.ones(masses.size, dtype=bool)
    for axis, lattice in enumerate(walk.lattices):
        live &= lattice.first is None or numbers[axis] >= lattice.first
        live &= lattice.last is None or numbers[axis] <= lattice.last
    return tuple(lattice.x(numbers[axis][live]) for axis, lattice in enumerate(walk.lattices)), masses[live]


def missing_speed(walk: LatticeWalk, x: Places, masses: Masses, t: float) -> float:
    """The part of the mean speed |a| over the masses at places `x` that :attr:`Rule.CAPPED` loses; 0 for other rules."""
    return capped_speed(walk, x, masses, t) if walk.rule is Rule.CAPPED else 0.0


def capped_speed(walk: LatticeWalk, x: Places, masses: Masses, t: float) -> float:
    """The part of the mean speed |a| over the masses at places `x` that :attr:`Rule.CAPPED` loses, or would lose; of several
    axes, that of the axis which loses most."""
    seen = masses > 0
    if walk.declared is None or not seen.any():
        return 0.0
    given = x if isinstance(x, tuple) else (x,)
    point, held = tuple(np.broadcast_to(np.asarray(c), seen.shape)[seen] for c in given), masses[seen]
    worst = 0.0
    for drift, diffusion, dx in directions_of(walk.declared, walk.spacings):
        a, d = drift(point, t), diffusion(point, t)
        speed = held * np.abs(a)
        with np.errstate(divide="ignore", invalid="ignore"):  # D = 0: the whole speed, or no drift
            lost = np.where(a == 0.0, 0.0, shortfall(dx * a / d))
        worst = max(worst, float(speed @ lost / speed.sum()) if speed.any() else 0.0)
    return worst
