"""Lattices with ends on one side of some axes, by images: a wall that absorbs stands for walkers of the opposite sign beyond it,
one that reflects for walkers of the same sign (Chandrasekhar, Rev. Mod. Phys. 15, 1, 1943, chapter I). The steps must be the same
mirrored across the wall."""

from __future__ import annotations

import itertools
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


def without_image(walk: LatticeWalk) -> str | None:
    """Why a walk has walls or regions that have no image; None if all have."""
    if walk.domain.regions:
        return "it has regions"
    if not walk.homogeneous:
        return "probabilities depend on the place"
    if any(line.periodic or (line.first is not None and line.last is not None) for line in walk.lattices):
        return "other axes have two ends"
    moves = Moves.of(walk)
    for face in walk.domain.faces:
        if not moves.even(face.axis):
            return f"the steps across the wall {face.exit!r} are not the same to both sides"
        if face.wall.on_site:
            continue
        if face.wall.reactivity:
            return f"the wall {face.exit!r} absorbs in part"
        if ((moves.steps[:, face.axis] != 0) & (np.abs(moves.steps).sum(axis=1) > 1)).any():
            return f"diagonal steps meet the reflecting wall {face.exit!r}"
    return None


def mirrors_of(walk: LatticeWalk) -> tuple[Mirror, ...]:
    """The walls of a walk, all of which have an image (:func:`without_image`), as mirrors."""
    found = []
    for face in walk.domain.faces:
        lattice, low = walk.lattices[face.axis], face.inward > 0.0
        end = lattice.first if low else lattice.last
        assert end is not None
        side = -1 if low else 1
        absorbs = face.wall.on_site
        found.append(Mirror(face.axis, 2 * (end + side) if absorbs else 2 * end + side, -1 if absorbs else 1))
    return tuple(found)


def images(sites: Whole, mirrors: tuple[Mirror, ...]) -> Iterator[tuple[int, Whole]]:
    """(sign, sites) of the sites (n, d) themselves and of all their images."""
    for chosen in itertools.product((False, True), repeat=len(mirrors)):
        there, sign = sites.copy(), 1
        for mirror in itertools.compress(mirrors, chosen):
            there[:, mirror.axis] = mirror.twice - there[:, mirror.axis]
            sign *= mirror.sign
        yield sign, there
