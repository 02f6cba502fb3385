"""A domain and a start on the sites of lattices, one an axis: which sites regions take, and the masses with which walkers
start."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from functools import reduce
from typing import NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from ..inputs.memory import require
from .coefficient import Floats
from .domain import Box, Domain
from .lattice import FIT, Lattice
from .region import Mask
from .shape import EVERYWHERE, Bounds
from .shares import MASS_BITS, OF_A_SITE, even, share, whole_masses
from .start import Atoms, Start, start_masses
from .start_check import OUTSIDE, in_region

Numbers = NDArray[np.int64]
CHUNK = 2**20  # sites looked at together
ASIDE = 1e-3  # in dx, by how much sites may be off the places where cells have them


class Block(NamedTuple):
    """The masses of a start on one axis, or on several whose coordinates depend on each other.

    Attributes
    ----------
    axes : tuple of int
    numbers : int64 array, shape (axes, n)
        Lattice numbers of sites.
    masses : int64 array, shape (n,)
        Whole numbers of 2⁻⁵³ that sum to 2⁵³.
    """

    axes: tuple[int, ...]
    numbers: Numbers
    masses: Numbers


def site_masses(start: Start, lattices: Sequence[Lattice], domain: Domain) -> tuple[Block, ...]:
    """The start as masses on sites: a block for each axis, the masses of a site being the product, or one block for all axes.

    Sites beyond a wall that is half way between sites are replaced by the site before it, and sites of a ring have numbers
    from 0; a site on an absorbing wall (``lattice.first - 1`` or ``lattice.last + 1``) begins absorbed. A start of independent
    axes is one block if regions take some of its sites: it is the start without them, if their mass is below 1e-12.

    Raises
    ------
    ValueError
        for more mass in a region, with its place.
    """
    if isinstance(start, Atoms):
        return (_joint(start, *_shared(start, lattices), lattices, domain),)
    if start.factors is None:  # everywhere, without regions
        free = np.concatenate([np.argwhere(found < 0).T + first for first, found in _found(domain, lattices)], axis=1)
        return (Block(tuple(range(domain.dimension)), free, even(free.shape[1])),)
    blocks = []
    for i, (factor, lattice) in enumerate(zip(start.factors, lattices, strict=True)):
        first, masses = start_masses(factor, lattice)
        blocks.append(Block((i,), settled(np.arange(first, first + masses.size), lattice, domain, i)[None], masses))
    if not domain.regions:
        return tuple(blocks)
    size = math.prod(block.masses.size for block in blocks)
    require(OF_A_SITE * size, f"start = {start} on {size:.3g} sites", "narrow it, or take a larger dx")
    numbers = [block.numbers[0] for block in blocks]
    sites = np.stack([k.ravel() for k in np.meshgrid(*numbers, indexing="ij")])
    if (_regions_at(sites, lattices, domain) < 0).all():
        return tuple(blocks)
    product = reduce(np.multiply.outer, [block.masses / 2.0**MASS_BITS for block in blocks])
    return (_joint(start, sites, product.ravel(), lattices, domain),)


def settled(numbers: Numbers, lattice: Lattice, domain: Domain, axis: int) -> Numbers:
    """The numbers of the sites on an axis to which mass on the given places belongs: beyond a wall the wall if it stands on a
    site, else the site before it; on a ring they go round."""
    if lattice.first is None and lattice.last is None:
        return numbers
    if lattice.first is not None and lattice.last is not None and lattice.periodic:
        return lattice.first + (numbers - lattice.first) % (lattice.last - lattice.first + 1)
    walls = domain.axes[axis].left, domain.axes[axis].right
    low, high = (wall is not None and wall.on_site for wall in walls)
    least, most = np.iinfo(np.int64).min, np.iinfo(np.int64).max
    return np.clip(
        numbers,
        least if lattice.first is None else lattice.first - low,
        most if lattice.last is None else lattice.last + high,
    )


def check_regions(domain: Domain, lattices: Sequence[Lattice]) -> None:
    """Refuse regions that take no site or leave none, and masks that were made for other sites. On sites without end, bounded
    regions are looked at, if there are at most CHUNK sites between their bounds."""
    for region in domain.regions:
        for leaf in region.shape.leaves:
            if isinstance(leaf, Mask):
                _check_mask(leaf, lattices, region.name)
    if any(math.isinf(end) for pair in domain.bounds for end in pair):
        for number in range(len(domain.regions)):
            between = _bounds_of(domain, number)
            sizes = [(high - low) / lattice.dx for lattice, (low, high) in zip(lattices, between, strict=True)]
            few = max(sizes) <= CHUNK and math.prod(max(size, 0.0) + 1.0 for size in sizes) <= CHUNK
            if few and not any((found == number).any() for _, found in _found(domain, lattices, between)):
                _refuse_empty(domain, number, lattices)
        return
    if not domain.regions:
        return
    counts = np.zeros(len(domain.regions) + 1, dtype=np.int64)
    for _, found in _found(domain, lattices):
        counts += np.bincount(found.ravel() + 1, minlength=counts.size)
        if counts.all():
            return
    if not counts.sum():
        raise ValueError(f"no site lies in {domain}: take a smaller dx")
    if not counts[0]:
        raise ValueError(
            f"the regions of {domain} take all {counts.sum()} sites: leave more of it, or take a smaller dx"
        )
    for number, count in enumerate(counts[1:]):
        if not count:
            _refuse_empty(domain, number, lattices)


def _bounds_of(domain: Domain, number: int) -> Bounds:
    """(low, high) of each axis, between which all points of the region are that are in the domain."""
    own = domain.sets[number].bounds
    own = (*own, *[EVERYWHERE] * (domain.dimension - len(own)))
    return tuple(
        (max(low, least), min(high, most)) for (low, high), (least, most) in zip(own, domain.bounds, strict=True)
    )


def _refuse_empty(domain: Domain, number: int, lattices: Sequence[Lattice]) -> NoReturn:
    region, why = domain.regions[number], _why_no_site(domain, number, lattices)
    raise ValueError(f"the region {region.name!r}, {region.shape}, takes no site{why}, or leave the region out")


def _why_no_site(domain: Domain, number: int, lattices: Sequence[Lattice]) -> str:
    """Why a region takes no site, with a remedy."""
    alone = Box(*domain.axes, regions=(domain.regions[number],))
    if any((found >= 0).any() for _, found in _found(alone, lattices, _bounds_of(domain, number))):
        return " but those of regions before it, which count first: move it away from them, or take it out before them"
    shape = domain.sets[number]
    pairs = zip(shape.bounds, domain.axes, strict=False)
    if isinstance(shape, Mask) or any(high <= axis.low or low >= axis.high for (low, high), axis in pairs):
        axes = " × ".join(f"[{axis.low:g}, {axis.high:g}]" for axis in domain.axes)
        return f": no part of it is in {axes}; move it there"
    return f": take a smaller dx than {min(lattice.dx for lattice in lattices):g}"


def _check_mask(mask: Mask, lattices: Sequence[Lattice], name: str) -> None:
    for (begin, width), lattice in zip(mask.frame, lattices, strict=True):
        finer, first = width / lattice.dx, (lattice.origin - begin) / lattice.dx
        if round(finer) < 1 or abs(finer - round(finer)) > FIT * finer or abs(first % 1.0 - 0.5) > ASIDE:
            raise ValueError(
                f"the region {name!r}, {mask}, was made for other sites than those of dx = {lattice.dx:g}: take "
                f"sites={mask.array.shape}, or an array of shape {tuple(lattice.sites for lattice in lattices)}"
            )


def _found(
    domain: Domain, lattices: Sequence[Lattice], between: Bounds | None = None
) -> Iterator[tuple[Numbers, Numbers]]:
    """The number of the region that takes each site in the bounds of a domain, or `between` others, -1 for none, in pieces across
    the first axis: (numbers of the first site of the piece, shape (d, 1), and an array with an axis for each of the domain)."""
    ranges = []
    for lattice, (low, high) in zip(lattices, between or domain.bounds, strict=True):
        low, high = ((end - lattice.origin) / lattice.dx for end in (low, high))
        first, last = math.ceil(low - FIT * max(1.0, abs(low))), math.floor(high + FIT * max(1.0, abs(high)))
        first = first if lattice.first is None else max(first, lattice.first)
        last = last if lattice.last is None else min(last, lattice.last)
        ranges.append(np.arange(first, last + 1))
    if not all(k.size for k in ranges):
        return
    rows = max(1, CHUNK // math.prod(k.size for k in ranges[1:]))
    for begin in range(0, ranges[0].size, rows):
        piece = [ranges[0][begin : begin + rows], *ranges[1:]]
        places = np.meshgrid(
            *(lattice.x(k) for lattice, k in zip(lattices, piece, strict=True)), indexing="ij", sparse=True
        )
        yield np.array([[k[0]] for k in piece]), domain.region_at(tuple(places))


def _regions_at(sites: Numbers, lattices: Sequence[Lattice], domain: Domain) -> Numbers:
    return domain.region_at(tuple(lattice.x(k) for lattice, k in zip(lattices, sites, strict=True)))


def _shared(start: Atoms, lattices: Sequence[Lattice]) -> tuple[Numbers, Floats]:
    """The points of a start shared by the sites around them: (numbers of sites, masses)."""
    below, upper = zip(
        *(share(x, lattice) for x, lattice in zip(np.transpose(start.points), lattices, strict=True)), strict=True
    )
    numbers, masses = [], []
    for corner in itertools.product((0, 1), repeat=len(lattices)):
        parts = [up if high else 1.0 - up for high, up in zip(corner, upper, strict=True)]
        numbers.append(np.stack([k + high for high, k in zip(corner, below, strict=True)]))
        masses.append(np.prod([np.array(start.masses), *parts], axis=0))
    return np.concatenate(numbers, axis=1), np.concatenate(masses)


def _joint(start: Start, numbers: Numbers, masses: Floats, lattices: Sequence[Lattice], domain: Domain) -> Block:
    """The block of masses on sites, shape (d, n): those of one site together, and none in a region."""
    places = np.stack(
        [settled(k, lattice, domain, i) for i, (k, lattice) in enumerate(zip(numbers, lattices, strict=True))]
    )
    sites, which = np.unique(places, axis=1, return_inverse=True)
    total = np.bincount(which.ravel(), weights=masses, minlength=sites.shape[1])
    found = _regions_at(sites, lattices, domain)
    inside = np.where(found >= 0, total, 0.0)
    if inside.sum() > OUTSIDE:
        at = int(np.argmax(inside))
        point = np.array([float(lattice.x(k)) for lattice, k in zip(lattices, sites[:, at], strict=True)])
        raise ValueError(
            f"start = {start}: {in_region(domain, int(found[at]), point)}, a site with a mass of {inside[at]:.2g} of the start; "
            "start farther away, or Everywhere()"
        )
    whole = whole_masses(np.where(found < 0, total, 0.0))
    return Block(tuple(range(domain.dimension)), sites[:, whole > 0], whole[whole > 0])
