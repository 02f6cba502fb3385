"""Lattices with ends on one side of some axes, by images: a wall that absorbs stands for walkers of the opposite sign beyond it,
one that reflects for walkers of the same sign (Chandrasekhar, Rev. Mod. Phys. 15, 1, 1943, chapter I). The steps must be the same
mirrored across the wall."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from randwalk.model.walk import LatticeWalk

from .lattice_green import Moves, Whole


class Mirror(NamedTuple):
    """A wall across an `axis`, at half the lattice number `twice`; `sign` is that of the image: -1 of a wall that absorbs."""

    axis: int
    twice: int
    sign: int


def mirrors_of(walk: LatticeWalk) -> tuple[Mirror, ...]:
    """The walls of a walk that is the same everywhere, on axes with at most one end, as mirrors.

    Raises
    ------
    ValueError
        naming what has no image.
    """
    moves, found = Moves.of(walk), []
    for face in walk.domain.faces:
        lattice, low = walk.lattices[face.axis], face.inward > 0.0
        end = lattice.first if low else lattice.last
        assert end is not None
        side = -1 if low else 1
        if not moves.even(face.axis):
            raise ValueError(_refusal(walk, f"the steps across the wall {face.exit!r} are not the same to both sides"))
        if math.isinf(face.wall.reactivity):
            found.append(Mirror(face.axis, 2 * (end + side), -1))
        elif face.wall.reactivity:
            raise ValueError(_refusal(walk, f"the wall {face.exit!r} absorbs in part"))
        elif ((moves.steps[:, face.axis] != 0) & (np.abs(moves.steps).sum(axis=1) > 1)).any():
            raise ValueError(_refusal(walk, f"diagonal steps meet the reflecting wall {face.exit!r}"))
        else:
            found.append(Mirror(face.axis, 2 * end + side, 1))
    return tuple(found)


def _refusal(walk: LatticeWalk, why: str) -> str:
    return f"{walk.domain} is unbounded along more than one axis, and {why}: put far walls, Reflecting() or Absorbing()"


def images(sites: Whole, mirrors: tuple[Mirror, ...]) -> Iterator[tuple[int, Whole]]:
    """(sign, sites) of the sites (n, d) themselves and of all their images."""
    for chosen in itertools.product((False, True), repeat=len(mirrors)):
        there, sign = sites.copy(), 1
        for mirror in itertools.compress(mirrors, chosen):
            there[:, mirror.axis] = mirror.twice - there[:, mirror.axis]
            sign *= mirror.sign
        yield sign, there


def half_open(walk: LatticeWalk) -> bool:
    """Whether a walk is the same everywhere on a lattice whose axes have at most one end each, without regions."""
    open_axes = all(not line.periodic and (line.first is None or line.last is None) for line in walk.lattices)
    return walk.homogeneous and open_axes and not walk.domain.regions
