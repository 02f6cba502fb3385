"""Places of a walk at which coefficients are looked at: sites of bounded axes, and the places of the start on the others."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from .coefficient import Coefficient, Floats, Point, coordinate
from .lattice import Lattice

CHUNK = 1 << 20  # places that are looked at together; in several dimensions, where there are more coefficients,
IN_CACHE = 1 << 16  # so many, whose values fit into a cache
BETWEEN = (65, 65, 17)  # places along each unbounded axis, by the number of such axes that matter


def varying_axes(coefficients: Sequence[Coefficient], dimension: int) -> list[int]:
    """The axes on whose coordinate one of the coefficients depends."""
    return [i for i in range(dimension) if any(c.depends_on(coordinate(i)) for c in coefficients)]


def all_sites(lattice: Lattice) -> Floats:
    """The places of the sites of a bounded axis."""
    assert lattice.first is not None
    assert lattice.last is not None
    return lattice.x(np.arange(lattice.first, lattice.last + 1))


def along_each(
    varying: Sequence[int], lattices: Sequence[Lattice], support: Sequence[tuple[float, float]]
) -> list[Floats]:
    """Places along each axis: of the `varying` ones all sites of a bounded one, some between the ends of the start (`support`) of
    an unbounded one; of the others one place."""
    unbounded = sum(lattices[i].sites is None for i in varying)
    count = BETWEEN[min(unbounded, len(BETWEEN)) - 1]
    return [
        np.array([low])
        if i not in varying
        else np.linspace(low, high, count)
        if lattice.sites is None
        else all_sites(lattice)
        for i, (lattice, (low, high)) in enumerate(zip(lattices, support, strict=True))
    ]


def pieces(along: Sequence[Floats], times: int = 1) -> Iterator[Point]:
    """All points of the product of places along the axes, a flat array for each axis, in pieces of bounded size; so many `times`
    are looked at for each."""
    shape = tuple(len(places) for places in along)
    count, size = math.prod(shape), max(1, (CHUNK if len(shape) == 1 else IN_CACHE) // times)
    for begin in range(0, count, size):
        index = np.unravel_index(np.arange(begin, min(begin + size, count)), shape)
        yield tuple(places[k] for places, k in zip(along, index, strict=True))
