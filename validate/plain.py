"""A second account of lattice walks, which shares no rule, wall, start, table, kernel or elimination with the package's own: the
master equation and the first-passage sums written out from a walk's declaration.

Walk and exact law are made of one table, so that a fault in it is in both, and one that falls like the error of the walk, such
as a killing probability κ dt for 1 - exp(-κ dt), is none to an order of convergence. It is one to this account, which must
agree to rounding. What is taken from the walk are its coefficients, the places of its sites and its dx and dt.

Covered are walks whose axes step independently, without regions, and with coefficients that have no breaks in space where
the convention is not Itô's. The formulas are those of :class:`randwalk.Rule`, :class:`randwalk.Convention` and of the theory of
walls.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from randwalk.model.coefficient import Coefficient, Constant, Floats
from randwalk.model.coefficient.variables import coordinate
from randwalk.model.convention import Convention
from randwalk.model.neighbourhood import Moore
from randwalk.model.rule import Rule
from randwalk.model.start import Normal, Point, Sites, Uniform
from randwalk.model.tabulated import Table
from randwalk.model.walk import LatticeWalk
from randwalk.pde.exact_law import ExactLaw
from randwalk.pde.hitting import hitting_time

AGREED = 1e-11  # the largest difference that rounding makes
MOST = 2e8  # site-steps, in a second or two
MOST_SITES = 400  # of a chain whose first passage is summed
Steps = dict[int, Floats]  # the probabilities of the steps -1, 0, 1 of one axis, on all sites


class NotCovered(Exception):
    """Why a walk has no second account."""


def difference(walk: LatticeWalk, law: ExactLaw, source: Mapping[str, Any], folder: Path | None) -> float:
    """The largest difference between the exact law of a walk, at its recorded times and with its exits, or its hitting
    probabilities and times, and this account; NaN where there is none. Of a problem file `source` is the data and `folder` the
    place, so that a table is read from its file once more.
    """
    try:
        plain = PlainWalk(walk, tuple(np.asarray(axis) for axis in law.table.axes), _read_again(source, folder))
        return max(plain.from_law(law), plain.from_hitting())
    except NotCovered:
        return float("nan")


def _read_again(source: Mapping[str, Any], folder: Path | None) -> Callable[[Floats], Floats] | None:
    """The drift of a problem file that is a table in a CSV file, by Python's own reader."""
    given = source.get("walk", {}).get("drift")
    if not (isinstance(given, dict) and "csv" in given and folder is not None):
        return None
    with (folder / given["csv"]).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    x, values = (np.array([float(row[given[key]]) for row in rows]) for key in ("x", "value"))
    return lambda places: np.interp(places, x, values)


@dataclass(frozen=True, eq=False)
class PlainWalk:
    """A walk on the sites at `axes`; `drift` replaces the declared one where it is given."""

    walk: LatticeWalk
    axes: tuple[Floats, ...]
    drift: Callable[[Floats], Floats] | None = None

    def __post_init__(self) -> None:
        declared = self.walk.declared
        if self.walk.domain.regions:
            raise NotCovered("regions")
        if declared is None and len(self.axes) > 1:
            raise NotCovered("steps of the user's in more than one dimension")
        if declared is not None and not (declared.tensor.diagonal and isinstance(declared.neighbourhood, Moore)):
            raise NotCovered("axes that do not step independently")
        if declared is not None and declared.convention not in (Convention.ITO, Convention.FICK):
            raise NotCovered("Stratonovich's convention")
        for coefficient in () if declared is None else declared.coefficients:
            if coefficient.depends_on_t and coefficient.breaks("t", 0.0, 1e9):
                raise NotCovered("breaks in time")
            for axis in range(len(self.axes)) if declared and declared.convention is Convention.FICK else ():
                low, high = self.axes[axis][0], self.axes[axis][-1]
                if coefficient.breaks(coordinate(axis), low, high):
                    raise NotCovered("breaks in space")

    @property
    def point(self) -> tuple[Floats, ...]:
        return tuple(np.meshgrid(*self.axes, indexing="ij", sparse=True))

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(axis.size for axis in self.axes)

    def _value(self, coefficient: Coefficient, point: tuple[Floats, ...], t: float) -> Floats:
        if isinstance(coefficient, Table) and self.drift is not None:
            return self.drift(point[0])
        return np.asarray(coefficient(point if len(point) > 1 else point[0], t), dtype=np.float64)

    def steps(self, axis: int, t: float) -> Steps:
        """The probabilities of the steps along an axis at time t, as its walls let them be made."""
        up, down = (np.broadcast_to(p, self.shape).copy() for p in self._free(axis, t))
        ends = self.walk.domain.axes[axis]
        for wall, index, chance, outward in ((ends.left, 0, down, -1.0), (ends.right, -1, up, 1.0)):
            if wall is not None and not wall.on_site and not ends.periodic and self._at_wall(axis, index):
                edge = np.moveaxis(chance, axis, 0)
                edge[index] = 0.0 if wall.reactivity == 0.0 else self._out(axis, index, outward, wall.reactivity, t)
        return {1: up, -1: down, 0: 1.0 - up - down}

    def _at_wall(self, axis: int, index: int) -> bool:
        """Whether the first or the last site is the last before the wall."""
        ends, dx = self.walk.domain.axes[axis], self.walk.spacings[axis]
        return abs(self.axes[axis][index] - (ends.low if index == 0 else ends.high)) < 1.25 * dx

    def _free(self, axis: int, t: float) -> tuple[Floats, Floats]:
        """The probabilities of steps up and down away from walls."""
        walk, point = self.walk, self.point
        if walk.declared is None:
            up, down = (walk.probabilities[e] for e in ((1,), (-1,)))
            return self._value(up, point, t), self._value(down, point, t)
        declared, dx, dt = walk.declared, walk.spacings[axis], walk.dt
        drift, diffusion = declared.vector[axis], declared.tensor[axis, axis]
        m = dt / dx * self._value(drift, point, t)
        fick, rule = declared.convention is Convention.FICK, declared.rule
        both = [self._half_way(axis, 0.5 * side * dx) if fick else point for side in (1.0, -1.0)]
        s = [2.0 * dt / dx**2 * self._value(diffusion, place, t) for place in both]
        if rule in (Rule.FITTED, Rule.CAPPED):
            ratio = [dx * self._value(drift, x, t) / self._value(diffusion, x, t) for x in both]
            if rule is Rule.CAPPED:
                return s[0] / (1.0 + np.exp(-ratio[0])), s[1] / (1.0 + np.exp(ratio[1]))
            return 0.5 * s[0] * _bernoulli(-ratio[0]), 0.5 * s[1] * _bernoulli(ratio[1])
        if rule is Rule.TWO_WAY:
            s = [np.ones(()), np.ones(())]
        square = m**2 if rule is Rule.EXACT_VARIANCE else 0.0
        return 0.5 * (s[0] + square + m), 0.5 * (s[1] + square - m)

    def _half_way(self, axis: int, by: float) -> tuple[Floats, ...]:
        """The places half a bond away, those beyond an end at the end, or round the ring."""
        ends, moved = self.walk.domain.axes[axis], self.point[axis] + by
        if ends.periodic:
            moved = ends.low + (moved - ends.low) % (ends.high - ends.low)
        else:
            moved = np.minimum(np.maximum(moved, ends.low), ends.high)
        return *self.point[:axis], moved, *self.point[axis + 1 :]

    def _out(self, axis: int, index: int, outward: float, reactivity: float, t: float) -> Floats:
        """K (dt/dx)/((D_w/D)^λ + (K + a) dx/(2 D^λ F)) from the sites before a wall, a counted inward: λ = 1 and F = 1 for Itô;
        λ = 0 and F = D half way to the wall for Fick."""
        walk, declared = self.walk, self.walk.declared
        if declared is None or declared.rule in (Rule.FITTED, Rule.CAPPED):
            raise NotCovered("a partially absorbing wall with such probabilities")
        dx, ends = walk.spacings[axis], walk.domain.axes[axis]
        here = tuple(np.moveaxis(np.broadcast_to(x, self.shape), axis, 0)[index] for x in self.point)
        wall = ends.low if index == 0 else ends.high
        diffusion, drift = declared.tensor[axis, axis], declared.vector[axis]

        def at(x: Any) -> tuple[Floats, ...]:
            return *here[:axis], np.broadcast_to(x, here[axis].shape).astype(float), *here[axis + 1 :]

        a = -outward * self._value(drift, here, t)
        if declared.convention is Convention.FICK:
            half = self._value(diffusion, at(0.5 * (here[axis] + wall)), t)
            return reactivity * walk.dt / dx / (1.0 + (reactivity + a) * dx / (2.0 * half))
        d, at_wall = self._value(diffusion, here, t), self._value(diffusion, at(wall), t)
        return reactivity * walk.dt / dx / (at_wall / d + (reactivity + a) * dx / (2.0 * d))

    @cached_property
    def _rests(self) -> bool:
        return not self.walk.time_dependent

    def made(self, t: float) -> tuple[list[Steps], Floats]:
        """(the steps of each axis, the probability of not being killed) at time t."""
        rate = self._value(self.walk.killing, self.point, t)
        return [self.steps(axis, t) for axis in range(len(self.axes))], np.exp(-rate * self.walk.dt)

    def advanced(self, mass: Floats, made: tuple[list[Steps], Floats], gone: dict[str, float]) -> Floats:
        """The mass after a step; what leaves is added to `gone`. A step across a corner counts for the first axis."""
        chances, alive = made
        gone["killing"] = gone.get("killing", 0.0) + float((mass * (1.0 - alive)).sum())
        mass = mass * alive
        after = np.zeros(tuple(n + 2 for n in self.shape))
        for step in itertools.product((-1, 0, 1), repeat=len(self.axes)):
            moved = mass
            for axis, e in enumerate(step):
                moved = moved * chances[axis][e]
            after[tuple(slice(1 + e, 1 + e + n) for e, n in zip(step, self.shape, strict=True))] += moved
        names = self.walk.domain.exits
        for axis, ends in enumerate(self.walk.domain.axes):
            rows = np.moveaxis(after, axis, 0)
            if ends.periodic:
                rows[-2] += rows[0]
                rows[1] += rows[-1]
            else:
                for index, name in ((0, names[2 * axis]), (-1, names[2 * axis + 1])):
                    gone[name] = gone.get(name, 0.0) + float(rows[index].sum())
            rows[[0, -1]] = 0.0
        return after[(slice(1, -1),) * len(self.axes)]

    def start(self, gone: dict[str, float]) -> Floats:
        """The mass of every site at time 0."""
        start = self.walk.start
        factors = start.factors if start.factors is not None else ()
        if len(factors) != len(self.axes):
            raise NotCovered("a start that is no product")
        mass = np.ones(())
        for axis, factor in enumerate(factors):
            mass = np.multiply.outer(mass, self._placed(axis, factor, gone))
        return mass

    def _placed(self, axis: int, factor: Any, gone: dict[str, float]) -> Floats:
        """The masses of one axis: of points shared by the two sites around, of a uniform start by the parts of cells, of a
        normal one by its density. What is beyond a wall half way is the last site's, on a wall gone."""
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
        else:
            raise NotCovered("such a start")
        inside = weights[1:-1].copy()
        if ends.periodic:
            inside[[-1, 0]] += weights[[0, -1]]
            return inside
        names = self.walk.domain.exits[2 * axis : 2 * axis + 2]
        for index, wall, name in ((0, ends.left, names[0]), (-1, ends.right, names[1])):
            if wall is not None and wall.on_site:
                if len(self.axes) > 1 and weights[index] > 0.0:
                    raise NotCovered("a start on a wall")
                gone[name] = gone.get(name, 0.0) + float(weights[index])
            else:
                inside[index] += weights[index]
        return inside

    def from_law(self, law: ExactLaw) -> float:
        """The largest difference from the exact law at its recorded times."""
        walk, last = self.walk, law.steps[-1]
        if last * np.prod(self.shape) * 3.0 ** len(self.axes) * (4.0 if walk.time_dependent else 1.0) > MOST:
            raise NotCovered("so many sites and steps")
        gone: dict[str, float] = {}
        mass, worst, made = self.start(gone), 0.0, self.made(0.0)
        wanted = dict(zip(law.steps, law.times.tolist(), strict=True))
        for n in range(last + 1):
            if n in wanted:
                worst = max(worst, self._apart(law, wanted[n], mass, gone))
            if n < last:
                made = made if n == 0 or self._rests else self.made(n * walk.dt)
                mass = self.advanced(mass, made, gone)
        return worst

    def _apart(self, law: ExactLaw, t: float, mass: Floats, gone: dict[str, float]) -> float:
        atoms = law._at(t)
        index = [
            np.rint((places - axis[0]) / dx).astype(np.int64)
            for places, axis, dx in zip(atoms.places, self.axes, self.walk.spacings, strict=True)
        ]
        theirs = np.zeros(self.shape)
        theirs[np.ix_(*index)] = atoms.p
        exits = self.walk.domain.open_exits(self.walk.killing != Constant(0.0))
        left = [abs(float(law.absorbed(exit, t)) - gone.get(exit, 0.0)) for exit in exits]
        return max(float(np.abs(theirs - mass).max()), *left, 0.0)

    def from_hitting(self) -> float:
        """The largest relative difference of the probabilities and mean times of leaving by each exit: sums over the chain by
        NumPy's elimination; 0 where the chain is long, has two ends that are not walls, or moves."""
        walk, (n, *more) = self.walk, self.shape
        exits = [exit for exit in walk.domain.open_exits(False) if exit != "killing"]
        ends = walk.domain.axes[0]
        unbounded = not (np.isfinite(ends.low) and np.isfinite(ends.high))
        if more or n > MOST_SITES or walk.time_dependent or unbounded or not exits or ends.periodic:
            return 0.0
        (chances,), alive = self.made(0.0)
        gone: dict[str, float] = {}
        mass = self.start(gone)
        stay, up, down = (alive * chances[e] for e in (0, 1, -1))
        rest = np.eye(n) - np.diag(stay) - np.diag(up[:-1], 1) - np.diag(down[1:], -1)
        worst = 0.0
        for exit in exits:
            out = np.zeros(n)
            out[0 if exit == walk.domain.exits[0] else -1] = (down[0], up[-1])[exit == walk.domain.exits[1]]
            hit = np.linalg.solve(rest, out)
            steps = np.linalg.solve(rest, hit)
            chance = gone.get(exit, 0.0) + float(mass @ hit)
            found = hitting_time(walk, exit)
            worst = max(worst, abs(float(found.probability) / chance - 1.0))
            worst = max(worst, abs(float(found.mean) * chance / (float(mass @ steps) * walk.dt) - 1.0))
        return worst


def _bernoulli(w: Floats) -> Floats:
    """w/(e^w - 1)."""
    small = np.abs(w) < 1e-9
    return np.where(small, 1.0 - 0.5 * w, np.where(small, 1.0, w) / np.where(small, 1.0, np.expm1(w)))
