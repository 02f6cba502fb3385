"""The sites of the second account of a lattice walk (:mod:`randwalk.validate.plain`): values of coefficients on them, the regions
that take them, and the masses with which walkers start."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache, reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from randwalk.model.coefficient import Coefficient, Floats
from randwalk.model.coefficient.variables import coordinate
from randwalk.model.region import Ball, HalfSpace, Level, Mask
from randwalk.model.shape import Complement, Intersection, Shape, Union
from randwalk.model.start import Atoms, Everywhere, Normal, Point, Sites, Uniform
from randwalk.model.tabulated import Table
from randwalk.model.walk import LatticeWalk

NEAR = 1e-9  # of a step, or of a length: what is as close to a break or to a boundary is on it
Places = tuple[Floats, ...]  # the coordinates of points, which broadcast


class NotCovered(Exception):
    """Why a walk has no second account."""


@dataclass(frozen=True, eq=False)
class PlainSites:
    """The sites at `axes` of a walk that is followed `until` a time; `drift` replaces the declared one where it is given."""

    walk: LatticeWalk
    axes: tuple[Floats, ...]
    until: float
    drift: Callable[[Floats], Floats] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(axis.size for axis in self.axes)

    @cached_property
    def point(self) -> Places:
        return tuple(np.meshgrid(*self.axes, indexing="ij", sparse=True))

    def moved(self, axis: int, x: Any) -> Places:
        """The sites at other places along an axis: beyond an end at the end, on a ring round it."""
        ends = self.walk.domain.axes[axis]
        inside = (
            ends.low + (x - ends.low) % (ends.high - ends.low) if ends.periodic else np.clip(x, ends.low, ends.high)
        )
        return *self.point[:axis], inside, *self.point[axis + 1 :]

    def value(self, coefficient: Coefficient, point: Places, t: float) -> Floats:
        """A coefficient at points, and at time t."""
        if isinstance(coefficient, Table) and self.drift is not None:
            return self.drift(point[0])
        return np.asarray(coefficient(point if len(point) > 1 else point[0], t), dtype=np.float64)

    def of_step(self, coefficient: Coefficient, point: Places, t: float) -> Floats:
        """A coefficient of the step from t on: its value at t, just after t where it jumps there, or, where it has breaks in the
        step, the mean of its values half way between them."""
        if not coefficient.depends_on_t:
            return self.value(coefficient, point, t)
        if coefficient.moving_breaks:
            raise NotCovered("breaks that move")
        dt, cuts = self.walk.dt, breaks(coefficient, "t", 0.0, self.until)
        inner = cuts[(cuts > t + NEAR * dt) & (cuts < t + dt - NEAR * dt)]
        if inner.size:
            return mean(lambda time: self.value(coefficient, point, float(time)), t, t + dt, inner)
        at_start = bool((np.abs(cuts - t) <= NEAR * dt).any())
        return self.value(coefficient, point, t + NEAR * dt if at_start else t)

    def of_bond(self, of: Callable[[Places], Floats], broken: list[Coefficient], axis: int, end: Any) -> Floats:
        """The mean of a function along an axis from the sites to `end`, half way between the breaks of coefficients."""
        x, dx, ends = self.point[axis], self.walk.spacings[axis], self.walk.domain.axes[axis]
        low, high = max(ends.low, float(x.min()) - 2.0 * dx), min(ends.high, float(x.max()) + 2.0 * dx)
        cuts = np.unique(np.concatenate([breaks(one, coordinate(axis), low, high) for one in broken]))
        if ends.periodic:
            cuts = np.concatenate([cuts - (ends.high - ends.low), cuts, cuts + (ends.high - ends.low)])
        return mean(lambda places: of(self.moved(axis, places)), np.minimum(x, end), np.maximum(x, end), cuts)

    @cached_property
    def region(self) -> NDArray[np.int64]:
        """The number of the region that takes each site, -1 where there is none; of several the first."""
        domain = self.walk.domain
        turns = [(-1, 0, 1) if axis.periodic else (0,) for axis in domain.axes]
        found = np.full(self.shape, -1)
        for number, region in reversed(list(enumerate(domain.regions))):
            images = [
                tuple(
                    x + n * (axis.high - axis.low) if n else x
                    for x, n, axis in zip(self.point, turn, domain.axes, strict=True)
                )
                for turn in itertools.product(*turns)
            ]
            found[np.broadcast_to(inside(region.shape, images, region.wall.on_site), self.shape)] = number
        return found

    def start(self) -> Floats:
        """The mass of every site at time 0, with one more at either end of each axis for what is on a wall there."""
        start = self.walk.start
        if isinstance(start, Everywhere):
            free = self.region < 0
            return np.pad(free / free.sum(), 1)
        if isinstance(start, Atoms):
            parts = [
                mass * reduce(np.multiply.outer, [self._placed(i, Point(c)) for i, c in enumerate(at)])
                for at, mass in zip(start.points, start.masses, strict=True)
            ]
            mass = np.sum(parts, axis=0)
        elif start.factors is not None:
            mass = reduce(np.multiply.outer, [self._placed(i, factor) for i, factor in enumerate(start.factors)])
        else:
            raise NotCovered("such a start")
        mass[(slice(1, -1),) * len(self.axes)][self.region >= 0] = 0.0
        return mass

    def _placed(self, axis: int, factor: Any) -> Floats:
        """The masses of one axis: of points shared by the two sites around, of a uniform start by the parts of cells, of a
        normal one by its density. What is beyond a wall half way is the last site's."""
        x, dx, ends = self.axes[axis], self.walk.spacings[axis], self.walk.domain.axes[axis]
        wide = np.concatenate([[x[0] - dx], x, [x[-1] + dx]])
        if isinstance(factor, (Point, Sites)):
            places, masses = (factor.x, factor.masses) if isinstance(factor, Sites) else ((factor.x,), (1.0,))
            weights = np.zeros(wide.size)
            for place, mass in zip(places, masses, strict=True):
                weights += mass * np.maximum(0.0, 1.0 - np.abs(wide - place) / dx)
        elif isinstance(factor, Uniform):
            low, high = np.maximum(wide - dx / 2, factor.low), np.minimum(wide + dx / 2, factor.high)
            weights = np.maximum(high - low, 0.0) / (factor.high - factor.low)
        elif isinstance(factor, Normal):
            weights = np.exp(-((wide - factor.mean) ** 2) / (2.0 * factor.sd**2))
            weights /= weights.sum()
        elif isinstance(factor, Everywhere):
            weights = np.pad(np.full(x.size, 1.0 / x.size), 1)
        else:
            raise NotCovered("such a start")
        for wall, end, inner in ((ends.left, 0, 1), (ends.right, -1, -2)):
            if not ends.periodic and not (wall is not None and wall.on_site):
                weights[inner] += weights[end]
                weights[end] = 0.0
        return weights


@lru_cache(maxsize=256)
def breaks(coefficient: Coefficient, variable: str, low: float, high: float) -> Floats:
    """Where a coefficient has kinks and jumps, increasing."""
    return np.array(coefficient.breaks(variable, low, high), dtype=np.float64)


def mean(of: Callable[[Any], Floats], low: Any, high: Any, cuts: Floats) -> Floats:
    """The mean of a function from `low` to `high`, by its values half way between the `cuts`."""
    edges = [low, *(np.clip(cut, low, high) for cut in cuts.tolist()), high]
    parts = [(b - a) * of(0.5 * (a + b)) for a, b in itertools.pairwise(edges) if np.any(b > a)]
    return np.asarray(reduce(np.add, parts) / (high - low))


def inside(shape: Shape, images: list[Places], closed: bool) -> Any:
    """Whether points are in a shape, or `closed` on its boundary; the first shape of a complement is open where that is closed.

    `images` are the points and those one turn away on rings, where what is bounded is met as well; the middle ones are they.
    """
    here = images[len(images) // 2]
    if isinstance(shape, Complement):
        return ~inside(shape.shape, images, not closed)
    if isinstance(shape, (Union, Intersection)):
        parts = [inside(part, images, closed) for part in shape.parts]
        return reduce(np.logical_or if isinstance(shape, Union) else np.logical_and, parts)
    if isinstance(shape, Ball):
        room = NEAR * shape.radius * (1.0 if closed else -1.0)
        near = [np.sqrt(sum((x - c) ** 2 for x, c in zip(at, shape.centre, strict=True))) for at in images]
        return reduce(np.logical_or, [r < shape.radius + room for r in near])
    if isinstance(shape, HalfSpace):
        beyond = sum(n * x for n, x in zip(shape.normal, here, strict=True)) - shape.offset
        size = sum(np.abs(n * x) for n, x in zip(shape.normal, here, strict=True)) + abs(shape.offset)
        return beyond > NEAR * size * (-1.0 if closed else 1.0)
    if isinstance(shape, Level):
        level = np.asarray(shape.expression(here))
        return level >= 0.0 if closed else level > 0.0
    if isinstance(shape, Mask):
        cells = zip(here, shape.frame, shape.array.shape, strict=True)
        return shape.array[tuple(((x - begin) / width).astype(int) % n for x, (begin, width), n in cells)]
    raise NotCovered("such a region")
