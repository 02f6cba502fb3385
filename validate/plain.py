"""A second account of lattice walks, which shares no rule, wall, start, table, kernel or elimination with the package's own: the
master equation and the first-passage sums written out from a walk's declaration.

Walk and exact law are made of one table, so that a fault in it is in both, and one that falls like the error of the walk, such
as a killing probability κ dt for 1 - exp(-κ dt), is none to an order of convergence. It is one to this account, which must
agree to rounding. What is taken from the walk are its coefficients, the shapes of its regions, the places of its sites and its dx
and dt (:mod:`randwalk.validate.plain_sites`); :mod:`randwalk.validate.plain_steps` makes the probabilities.

Not covered are breaks of coefficients that move, and walks of so many sites and steps that the account takes seconds.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from randwalk.laws.estimate import exact
from randwalk.model.coefficient import Constant, Floats
from randwalk.model.walk import LatticeWalk
from randwalk.pde.exact_law import ExactLaw
from randwalk.pde.hitting import hitting_time

from .plain_sites import NotCovered as NotCovered
from .plain_sites import PlainSites
from .plain_steps import Chances, PlainSteps

AGREED = 1e-11  # the largest difference that rounding makes
MOST = 1e8  # moves of the mass of a site, in a second or two
MOST_SITES = 400  # whose first passage is summed
RARE = 1e-6  # the probability of an exit below which rounding is seen beside it


def difference(walk: LatticeWalk, law: ExactLaw, source: Mapping[str, Any], folder: Path | None) -> float:
    """The largest difference between the exact law of a walk, at its recorded times and with its exits, or its hitting
    probabilities and times, and this account; NaN where there is none. Of a problem file `source` is the data and `folder` the
    place, so that a table is read from its file once more.
    """
    try:
        axes = tuple(np.asarray(axis) for axis in law.table.axes)
        plain = PlainWalk(PlainSites(walk, axes, (law.steps[-1] + 1) * walk.dt, _read_again(source, folder)))
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
    """A walk by its account on given sites."""

    sites: PlainSites

    @property
    def walk(self) -> LatticeWalk:
        return self.sites.walk

    @cached_property
    def steps(self) -> PlainSteps:
        return PlainSteps(self.sites)

    def made(self, t: float) -> tuple[Chances, Floats]:
        """(the probabilities of the steps, that of not being killed) at time t."""
        rate = self.sites.of_step(self.walk.killing, self.sites.point, t)
        return self.steps.made(t), np.exp(-rate * self.walk.dt)

    def start(self, gone: dict[str, float]) -> Floats:
        """The mass of every site at time 0; what is absorbed then is added to `gone`."""
        return self._settled(self.sites.start(), gone)

    def advanced(self, mass: Floats, made: tuple[Chances, Floats], gone: dict[str, float]) -> Floats:
        """The mass after a step; what leaves is added to `gone`."""
        chances, alive = made
        gone["killing"] = gone.get("killing", 0.0) + float((mass * (1.0 - alive)).sum())
        mass = mass * alive
        stays, after = mass.copy(), np.zeros(tuple(n + 2 for n in mass.shape))
        for step, p in chances.items():
            moved = mass * p
            stays -= moved
            after[tuple(slice(1 + e, 1 + e + n) for e, n in zip(step, mass.shape, strict=True))] += moved
        after[(slice(1, -1),) * mass.ndim] += stays
        return self._settled(after, gone)

    def _settled(self, after: Floats, gone: dict[str, float]) -> Floats:
        """What is beyond an end brought home round a ring, else gone by the face there, of the first axis first, by those that
        reflect last; what is in a region gone by its name."""
        domain = self.walk.domain
        closed = {face.exit for face in domain.faces if face.wall.reactivity == 0.0}
        for axis, ends in enumerate(domain.axes):
            rows = np.moveaxis(after, axis, 0)
            if ends.periodic:
                rows[-2] += rows[0]
                rows[1] += rows[-1]
                rows[[0, -1]] = 0.0
        for number in sorted(range(2 * domain.dimension), key=lambda number: domain.exits[number] in closed):
            rows, name = np.moveaxis(after, number // 2, 0), domain.exits[number]
            gone[name] = gone.get(name, 0.0) + float(rows[-(number % 2)].sum())
            rows[-(number % 2)] = 0.0
        mass = after[(slice(1, -1),) * after.ndim]
        for number, region in enumerate(domain.regions):
            here = self.sites.region == number
            gone[region.name] = gone.get(region.name, 0.0) + float(mass[here].sum())
            mass[here] = 0.0
        return mass

    def from_law(self, law: ExactLaw) -> float:
        """The largest difference from the exact law at its recorded times: of the mass of every site, of what has left by each
        exit and what has not, and of the mean place, relative to the furthest one."""
        walk, last = self.walk, law.steps[-1]
        moves = last * np.prod(self.sites.shape) * (len(walk.probabilities) + 1.0)
        if moves * (4.0 if walk.time_dependent else 1.0) > MOST:
            raise NotCovered("so many sites and steps")
        gone: dict[str, float] = {}
        mass, worst, made = self.start(gone), 0.0, self.made(0.0)
        wanted = dict(zip(law.steps, law.times.tolist(), strict=True))
        for n in range(last + 1):
            if n in wanted:
                worst = max(worst, self._apart(law, wanted[n], mass, gone))
            if n < last:
                made = made if n == 0 or not walk.time_dependent else self.made(n * walk.dt)
                mass = self.advanced(mass, made, gone)
        return worst

    def _apart(self, law: ExactLaw, t: float, mass: Floats, gone: dict[str, float]) -> float:
        atoms = law._at(t)
        index = [
            np.rint((places - axis[0]) / dx).astype(np.int64)
            for places, axis, dx in zip(atoms.places, self.sites.axes, self.walk.spacings, strict=True)
        ]
        theirs = np.zeros(mass.shape)
        theirs[np.ix_(*index)] = atoms.p
        exits = self.walk.domain.open_exits(self.walk.killing != Constant(0.0))
        left = [abs(float(law.absorbed(exit, t)) - gone.get(exit, 0.0)) for exit in exits]
        alive = float(mass.sum())
        told = [abs(float(law.survival(t)) - alive)]
        for axis, x in enumerate(self.sites.axes if alive > RARE else ()):
            own = float(x @ mass.sum(axis=tuple(a for a in range(mass.ndim) if a != axis))) / alive
            told.append(abs(float(exact(law.marginal(axis).mean(t))) - own) / float(np.abs(x).max()))
        return max(float(np.abs(theirs - mass).max()), *left, *told)

    def from_hitting(self) -> float:
        """The largest relative difference of the probabilities and mean times of leaving by each exit: sums over the chain by
        NumPy's elimination; 0 where the sites are many or without end, and where the walk has no exits, or moves."""
        walk, n = self.walk, int(np.prod(self.sites.shape))
        exits = [exit for exit in walk.domain.open_exits(False) if exit != "killing"]
        bounded = np.isfinite(walk.domain.bounds).all()
        if n > MOST_SITES or walk.time_dependent or not bounded or not exits:
            return 0.0
        made, rows, gone = self.made(0.0), np.empty((n, n)), [dict[str, float]() for _ in range(n)]
        for i, unit in enumerate(np.eye(n)):
            rows[i] = self.advanced(unit.reshape(self.sites.shape), made, gone[i]).ravel()
        begun: dict[str, float] = {}
        mass, rest, worst = self.start(begun).ravel(), np.eye(n) - rows, 0.0
        for exit in exits:
            hit = np.linalg.solve(rest, np.array([one.get(exit, 0.0) for one in gone]))
            steps = np.linalg.solve(rest, hit)
            chance = begun.get(exit, 0.0) + float(mass @ hit)
            if chance < RARE:
                continue
            found = hitting_time(walk, exit)
            worst = max(worst, abs(float(found.probability) / chance - 1.0))
            worst = max(worst, abs(float(found.mean) * chance / (float(mass @ steps) * walk.dt) - 1.0))
        return worst
