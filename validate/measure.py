"""What is compared between laws of one problem: masses of bins that do not move under refinement, and absorbed probabilities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from randwalk.laws.binning import each_axis
from randwalk.laws.estimate import exact
from randwalk.laws.law import Law
from randwalk.model.coefficient import Constant, Floats
from randwalk.model.walk import LatticeWalk
from randwalk.pde import exact_law
from randwalk.pde.exact_law import ExactLaw
from randwalk.tables.sublattice import cell, occupied

FLOOR = 2e-11  # errors below this are rounding
EDGES = 33  # bin edges of all axes, over all times
FEWEST = 12  # bin edges of all axes at each time
POINTS = 9  # at which a distribution function is read in a search: some closed forms take a second for 64
SEEN = 1e-4  # the mass at either end that lies outside the bins


@dataclass(frozen=True)
class Measure:
    """The quantities compared between laws of one problem: bin edges of each axis that do not move under refinement, times,
    exits."""

    edges: tuple[Floats, ...]
    times: tuple[float, ...]
    exits: tuple[str, ...]

    def values(self, law: Law[Any]) -> Floats:
        """The joint distribution function at the edges, and absorbed probabilities, at every time."""
        edges: Any = self.edges[0] if len(self.edges) == 1 else self.edges
        masses = [exact(law.mass(edges, t)) for t in self.times]
        cumulative = [each_axis(mass, lambda _, rows: np.cumsum(rows, axis=0)).ravel() for mass in masses]
        absorbed = [exact(law.absorbed(exit, self.times)) for exit in self.exits]
        return np.concatenate([*cumulative, *absorbed])

    def difference(self, first: Law[Any], second: Law[Any]) -> float:
        return distance(self.values(first), self.values(second))


def distance(first: Floats, second: Floats) -> float:
    """The root mean square of the differences."""
    return float(np.sqrt(np.mean((first - second) ** 2)))


def measure_for(walk: LatticeWalk, times: Sequence[float], *others: Law[Any]) -> Measure:
    """The ends of each axis and some 30 edges in all. At each time the edges cover all places but those of a mass of 1e-4 at
    either end of the exact law of `walk` or of one of the `others`, so that laws at different places are compared at both.

    On the line edges lie between cells of the walk's atoms, which refinement by 3 keeps, so that no edge cuts a cell. Beyond,
    they are sites where walls stand on sites and lie between sites where walls stand half way: refinement by 2 and by 3 keeps
    either, and an edge cuts all cells, or none, in the middle.
    """
    law = exact_law(walk, times)
    edges = tuple(_edges(law, axis, times, [other.marginal(axis) for other in others]) for axis in range(law.dimension))
    return Measure(edges, tuple(t for t in times if t > 0), law.domain.open_exits(walk.killing != Constant(0.0)))


def _borders(law: ExactLaw, axis: int) -> tuple[int, float, int]:
    """The numbers of the borders at which edges may stand on an axis, in dx from its origin: (apart, offset, first)."""
    if law.dimension > 1:
        return 1, 0.5 * any(not face.wall.on_site for face in law.domain.axes[axis].faces), 0
    last = law.steps[-1]
    if cell(law.table, last) == (2,):  # the sites without mass
        kept = occupied(law.table, last)
        assert isinstance(kept, slice)
        return 2, 0.0, (law.table.first + 1 - (kept.start or 0)) % 2
    return 1, 0.5, 0


def _edges(law: ExactLaw, axis: int, times: Sequence[float], others: Sequence[Law[Any]]) -> Floats:
    """The edges along one axis."""
    line, support = law.domain.axes[axis], law._at(times[0]).support
    dx, (step, offset, parity) = support.spacings[axis], _borders(law, axis)
    origin = float(support.places[axis][0]) - dx * law.table.layout.first[axis]  # of the numbers of sites
    ends, borders = [math.inf, -math.inf], []
    for t in times:
        here = law._at(t).onto((axis,))
        (x,) = here.places
        total = np.cumsum(here.p) / max(float(here.p.sum()), 1e-300)
        seen = np.flatnonzero((total > SEEN) & (total < 1.0 - SEEN))
        low, high = x[seen[[0, -1]] if seen.size else [0, -1]]
        for other in others if t > 0 else ():
            begin, end = _places(other, t, low, high, dx)
            low, high = min(low, begin), max(high, end)
        ends = [min(ends[0], x[0] - dx, low - dx), max(ends[1], x[-1] + dx, high + dx)]
        first = math.ceil((low - origin) / dx - offset - 1e-6)
        first += (first - parity) % step
        count = math.floor((high - origin) / dx - offset + 1e-6) - first
        stride = step * max(1, count // step // (max(EDGES // len(times), FEWEST) // law.dimension))
        borders.append(origin + dx * (np.arange(first, first + count + 1, stride) + offset))
    ends = [line.low if np.isfinite(line.low) else ends[0], line.high if np.isfinite(line.high) else ends[1]]
    inside = np.unique(np.concatenate(borders))
    inside = inside[(inside > ends[0] + 0.25 * dx) & (inside < ends[1] - 0.25 * dx)]
    inside = inside[np.diff(inside, prepend=-np.inf) > 0.25 * dx]
    return np.concatenate([[ends[0]], inside, [ends[1]]])


def _places(law: Law[Any], t: float, low: float, high: float, width: float) -> tuple[float, float]:
    """The interval that holds the mass of `law` at time `t` but SEEN at either end, to within `width` or a 64th of its length.
    [low, high] is tried first, and what is `width` wider at either end. Returns (low, high) if no mass is left."""
    alive = float(law.survival(t))
    if alive <= FLOOR:
        return low, high
    domain = law.domain

    def below(x: Floats | float) -> Floats:
        return exact(law.cdf(x, t)) / alive

    wide = np.array([max(low - width, domain.low), low, high, min(high + width, domain.high)])
    shares = below(wide)
    near, far = np.flatnonzero(shares[:2] <= SEEN), np.flatnonzero(shares[2:] >= 1.0 - SEEN)
    if near.size and far.size:
        return float(wide[near[-1]]), float(wide[2 + far[0]])
    begin, end, reach = low, high, max(high - low, width)
    while begin > domain.low and float(below(begin)) > SEEN and math.isfinite(begin):
        begin, reach = max(begin - reach, domain.low), 2.0 * reach
    reach = max(high - low, width)
    while end < domain.high and float(below(end)) < 1.0 - SEEN and math.isfinite(end):
        end, reach = min(end + reach, domain.high), 2.0 * reach
    found: list[float] = []
    for part in (SEEN, 1.0 - SEEN):
        left, right = begin, end
        while right - left > max(width, (end - begin) / 2.0**50):
            x = np.linspace(left, right, POINTS)
            at = int(np.clip(np.searchsorted(below(x), part), 1, POINTS - 1))
            left, right = float(x[at - 1]), float(x[at])
            if found and right - left < (right - found[0]) / 64.0:
                break
        found.append(left if part == SEEN else right)
    return found[0], found[1]
