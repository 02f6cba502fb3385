"""Places that are asked for, as lattice numbers of sites."""

from __future__ import annotations

import math
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from randwalk.inputs.wording import shown
from randwalk.laws.lookup import points
from randwalk.model.domain import sites_within
from randwalk.model.shape import Shape
from randwalk.model.walk import LatticeWalk
from randwalk.tables.table import StepTable

ON_SITE: Final = 1e-6  # of dx: how far from a site a place may be given
FARTHEST: Final = 1 << 60  # lattice number

Places: TypeAlias = Any
Numbers: TypeAlias = tuple[NDArray[np.int64], ...]  # of sites, an array for each axis


def cells_of(table: StepTable, places: Numbers) -> NDArray[np.int64]:
    """The cells of those places that are in the window of a table."""
    layout, here = table.layout, np.array(True)
    for axis, numbers in enumerate(places):
        along = layout.along(axis)
        here = here & (numbers >= along[0]) & (numbers <= along[-1])
    return layout.index(*(numbers[here] for numbers in places))


def numbers_of(walk: LatticeWalk, name: str, places: Places, walls: int = 0) -> Numbers:
    """The lattice numbers of places, which must be sites that walkers can be on, or up to `walls` = 1 sites farther, on absorbing
    walls; of a shape or of True in an array over the sites, of those that walkers can be on."""
    if isinstance(places, Shape) or (isinstance(places, np.ndarray) and places.dtype == bool):
        return _covered(walk, name, places)
    point, shape = points(places, walk.dimension, name)
    if not math.prod(shape):
        raise ValueError(f"{name} = {shown(places)}: give at least one place")
    point = (point,) if walk.dimension == 1 else point
    numbers, nearest, wrong = [], [], np.zeros(point[0].shape, dtype=bool)
    for x, lattice, axis in zip(point, walk.lattices, walk.domain.axes, strict=True):
        ratio = (x - lattice.origin) / lattice.dx
        near = np.rint(np.clip(ratio, -FARTHEST, FARTHEST)).astype(np.int64)
        close = np.abs(ratio - near) <= ON_SITE
        if lattice.periodic and lattice.sites is not None:
            near = np.where(close, near % lattice.sites, near)
        more = {face.exit: walls for face in axis.faces if face.wall.on_site}
        first = -FARTHEST if lattice.first is None else lattice.first - more.get("left", 0)
        last = FARTHEST if lattice.last is None else lattice.last + more.get("right", 0)
        wrong |= ~close | (near < first) | (near > last)
        numbers.append(near.reshape(shape))
        nearest.append(lattice.x(np.clip(near, first, last)))
    if wrong.any():
        at = int(np.argmax(wrong))
        place, near_by = (", ".join(f"{float(x[at]):.12g}" for x in axes) for axes in (point, nearest))
        raise ValueError(f"{name} = {place} is no site of the walk on {walk.domain}: the nearest is {near_by}")
    taken = _taken(walk, tuple(numbers))
    if taken.any():
        place = ", ".join(f"{float(x[np.argmax(taken.ravel())]):.12g}" for x in point)
        exit = ", or its exit" if name == "target" else ""
        raise ValueError(
            f"{name} = {place} is in a region of {walk.domain}, where no walker is: give another place{exit}"
        )
    return tuple(numbers)


def _covered(walk: LatticeWalk, name: str, where: Shape | NDArray[np.bool_]) -> Numbers:
    """The lattice numbers of the sites that a shape contains, or that are True in an array over the sites."""
    firsts = [lattice.first for lattice in walk.lattices]
    sites = [lattice.sites for lattice in walk.lattices]
    if None in sites:
        raise ValueError(f"{name} = {shown(where)}: needs a bounded domain, not {walk.domain}; give places")
    shape = tuple(n for n in sites if n is not None)
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"))
    numbers = tuple(k + first for k, first in zip(grid, firsts, strict=True))
    if isinstance(where, Shape):
        point = tuple(lattice.x(k) for lattice, k in zip(walk.lattices, numbers, strict=True))
        chosen = sites_within(where, walk.domain.axes, point)
    elif where.shape != shape:
        raise ValueError(f"{name} has shape {where.shape} and the sites have {shape}: give one value a site")
    else:
        chosen = where
    chosen = chosen & ~_taken(walk, numbers)
    if not chosen.any():
        raise ValueError(f"{name} = {shown(where)}: holds no site that walkers can be on")
    return tuple(k[chosen] for k in numbers)


def _taken(walk: LatticeWalk, numbers: Numbers) -> NDArray[np.bool_]:
    """Whether sites are in a region of the domain."""
    if not walk.domain.regions:
        return np.zeros(numbers[0].shape, dtype=bool)
    point = tuple(lattice.x(k) for lattice, k in zip(walk.lattices, numbers, strict=True))
    return walk.domain.region_at(point) >= 0


def sites_of(numbers: Numbers) -> set[tuple[int, ...]]:
    """Lattice numbers as a set of sites."""
    return set(zip(*(axis.reshape(-1).tolist() for axis in numbers), strict=True))


def one_site(walk: LatticeWalk, name: str, place: Places) -> Places:
    """The place, refused unless it is one site."""
    (numbers, *_) = numbers_of(walk, name, place)
    if numbers.size != 1:
        raise ValueError(f"{name} = {shown(place)}: give one place")
    return place
