"""Walls as continuous walks see them: each a signed distance, its gradient, a reactivity and an exit.

A lattice walk asks which sites a domain contains; a continuous walk asks how far a wall is. The distance is a coefficient,
so that it may move with time, and its gradient, the normal inward, is the exact derivative of its tree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .coefficient import Coefficient
from .coefficient.variables import coordinate
from .domain import Domain
from .region import Level, Mask, Region
from .shape import Intersection, Shape


@dataclass(frozen=True)
class Barrier:
    """A wall at which a continuous walk stops, turns back or is absorbed in part.

    Attributes
    ----------
    name : str
        The name of the face or of the region.
    exit : int
        The column of :attr:`Domain.exits` in which walkers that leave here are counted; -1 where nobody leaves.
    reactivity : float
        K of the wall (length/time): infinite if it absorbs, 0 if it reflects.
    distance : Coefficient
        The signed distance to the wall (length), positive in the domain; of position and time.
    normal : tuple of Coefficient
        The gradient of the distance, of length 1, a component an axis: it points inward.
    """

    name: str
    exit: int
    reactivity: float
    distance: Coefficient
    normal: tuple[Coefficient, ...]

    def beyond(self, point: tuple[NDArray[np.float64], ...], t: float = 0.0) -> NDArray[np.bool_]:
        """Which points are beyond the wall, or on one that absorbs: there a walk cannot start."""
        away = self.distance(point, t)
        return away <= 0.0 if self.reactivity == np.inf else away < 0.0


def barriers(domain: Domain) -> tuple[Barrier, ...]:
    """The walls of a domain: its faces, then its regions. What an intersection of shapes keeps has a wall for each of them.

    Raises
    ------
    ValueError
        for a region without a known distance, with the reason and the remedy.

    Examples
    --------
    >>> from randwalk.model.domain import Absorbing, Interval, Line, Reflecting
    >>> from randwalk.model.region import Ball
    >>> room = (Interval(0.0, 2.0, Absorbing(), Reflecting()) * Line()).without(Ball((1.0, 0.0), 0.5), Absorbing(), "trap")
    >>> [(wall.name, wall.exit, float(wall.distance((0.25, 0.0)))) for wall in barriers(room)]
    [('left', 0, 0.25), ('right', 1, 1.75), ('trap', 4, 0.25)]
    """
    found = []
    for face in domain.faces:
        found.append(_barrier(domain, face.exit, face.wall.reactivity, face.distance))
    for region, shape in zip(domain.regions, domain.sets, strict=True):
        kept = ~shape
        for part in kept.parts if isinstance(kept, Intersection) else (kept,):
            found.append(_barrier(domain, region.name, region.wall.reactivity, _distance(region, part)))
    return tuple(found)


def _barrier(domain: Domain, name: str, reactivity: float, distance: Coefficient) -> Barrier:
    normal = tuple(distance.regular_derivative(coordinate(axis)) for axis in range(domain.dimension))
    return Barrier(name, domain.exits.index(name) if name in domain.exits else -1, reactivity, distance, normal)


def _distance(region: Region, shape: Shape) -> Coefficient:
    if (known := shape.distance) is not None:
        return known
    for leaf in shape.leaves:
        if isinstance(leaf, Mask):
            raise ValueError(
                f"the region {region.name!r} is a Mask: a continuous walk needs the distance to its wall, and sites have none; "
                "give a Ball, a HalfSpace, a Level that is a distance, or what |, & and ~ make of them, or take a LatticeWalk"
            )
        if isinstance(leaf, Level) and leaf.distance is None:
            raise ValueError(
                f"the region {region.name!r} is {leaf}: a continuous walk needs the distance to its wall; divide the expression "
                "by the length of its gradient and give Level(expression, distance=True) if it is one, or take a LatticeWalk"
            )
    raise ValueError(f"the region {region.name!r} has no known distance: take a LatticeWalk")
