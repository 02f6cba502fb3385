"""Leaving a product of half-lines whose ends absorb, by a walk that steps along one axis at a time, the same everywhere.

With steps at the ticks of a Poisson clock (:mod:`randwalk.pde.hitting.clock`) the axes are independent, and the probability of
leaving by the end of axis a is ∫ f_a(t) Π_(b ≠ a) S_b(t) e^(-κt) dt, κ that of being killed in a step. f, the density of the time
of leaving along an axis from n sites away, is n/t times the probability of being at its end on a line without one (the ballot
theorem: Feller, *An Introduction to Probability Theory and Its Applications* II, XIV.6), and S(t) is what leaves later or never.
In log t all are smooth, so that Gauss's nodes on short panels are exact to rounding, and no term is negative. The N-th tick comes
at a time T with E[T | N] = N and Var[T | N] = N, so that E[N] = E[T] and Var[N] = Var[T] - E[T].
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from randwalk.model.coefficient import Floats
from randwalk.model.walk import LatticeWalk

from .clock import log_law
from .lattice_green import Moves, Whole
from .passage import HittingTime, mixture

NODES: Final = 16  # of a panel
LEAST: Final = 1e-17  # of the whole, left out at either end
PANEL: Final = 0.7  # of log t
PEAK: Final = 2.0  # a panel, in widths 1/√n of a peak


class _HalfLine(NamedTuple):
    """An axis: the probabilities of a step `away` from its end and `toward` it, and how many `sites` away the end is."""

    away: float
    toward: float
    sites: int

    @property
    def falls(self) -> float:
        """The rate at which the density of the time of leaving falls off; 0 if the walk along the axis is fair."""
        return (self.away - self.toward) ** 2 / (math.sqrt(self.away) + math.sqrt(self.toward)) ** 2

    @property
    def never(self) -> float:
        """The probability of never leaving."""
        if self.away <= self.toward:
            return 0.0
        return -math.expm1(self.sites * math.log(self.toward / self.away)) if self.toward else 1.0

    @property
    def end(self) -> float:
        """A time beyond which :data:`LEAST` leave; if the walk is fair, its square."""
        rate = self.away + self.toward
        if not self.falls:
            return (self.sites / LEAST) ** 2 / rate
        return 50.0 / self.falls + 20.0 * self.sites / rate

    def density(self, t: Floats) -> Floats:
        """That of the time of leaving."""
        with np.errstate(divide="ignore"):
            at_end = log_law(self.away, self.toward, np.array([-self.sites]), t.ravel())[0].reshape(t.shape)
        return np.asarray(np.exp(at_end - self.falls * t) * self.sites / t)


@dataclass(frozen=True)
class Orthant:
    """The walk on such a product: its `moves`, and for each axis the lattice number of the end and 1 if sites are above it."""

    moves: Moves
    ends: tuple[tuple[int, int], ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, walk: LatticeWalk) -> Orthant | None:
        """None if the walk is no such one."""
        faces = walk.domain.faces
        plain = walk.homogeneous and not walk.domain.regions and all(face.wall.on_site for face in faces)
        if not plain or [face.axis for face in faces] != list(range(walk.dimension)):
            return None
        ends = []
        for lattice, face in zip(walk.lattices, faces, strict=True):
            way = 1 if face.inward > 0.0 else -1
            last = lattice.first if way > 0 else lattice.last
            assert last is not None
            ends.append((last - way, way))
        moves = Moves.of(walk)
        return None if moves.by_axis is None else cls(moves, tuple(ends), tuple(face.exit for face in faces))

    def leaving(self, starts: Whole, exits: tuple[str, ...]) -> HittingTime:
        """The number of steps until walkers from each of `starts` (n, d) leave by one of `exits`."""
        one, back = np.unique(starts, axis=0, return_inverse=True)
        found = np.array([self._from(site, exits) for site in one.tolist()])[back.reshape(-1)]
        return HittingTime(*found.T)

    def _from(self, site: list[int], exits: tuple[str, ...]) -> HittingTime:
        apart = [abs(x - end) for x, (end, _) in zip(site, self.ends, strict=True)]
        if 0 in apart:  # it has left already
            return (
                HittingTime(1.0, 0.0, 0.0)
                if self.names[apart.index(0)] in exits
                else HittingTime(0.0, math.nan, math.nan)
            )
        assert self.moves.by_axis is not None
        lines = [
            _HalfLine(float(up if way > 0 else down), float(down if way > 0 else up), n)
            for up, down, (_, way), n in zip(*self.moves.by_axis, self.ends, apart, strict=True)
        ]
        lost, fair = self.moves.lost, sum(not line.falls for line in lines)
        clock = _Clock.of(lines)
        t, found = clock.t, []
        densities = [line.density(t) for line in lines]
        later = [line.never + clock.later(f, 0.0 if line.falls else 2.0 * t[-1, -1] * f[-1, -1])
                 for line, f in zip(lines, densities, strict=True)]  # fmt: skip
        for own, (name, density) in enumerate(
            zip((*self.names, "killing"), (*densities, np.full(t.shape, lost)), strict=True)
        ):
            if name not in exits:
                continue
            flow, falls = density * np.exp(-lost * t), lost + (lines[own].falls if own < len(lines) else 0.0)
            for other, (line, left) in enumerate(zip(lines, later, strict=True)):
                if other != own:
                    flow, falls = flow * left, falls + line.falls * (line.toward > line.away)
            found.append(_moments(t, clock.weights * flow, math.inf if falls else 0.5 * fair))
        return mixture(*np.array(found).T)


def _moments(t: Floats, shares: Floats, power: float) -> tuple[float, float, float]:
    """The sum of `shares` of the times t, and the mean and the variance of the number of ticks: infinite where what is beyond t
    falls as t^-1, or as t^-2, or with a lower `power`."""
    total = float(shares.sum())
    if not total or power <= 1.0:
        return total, math.inf if total else math.nan, math.inf if total else math.nan
    mean = float((shares * t).sum()) / total
    return total, mean, math.inf if power <= 2.0 else float((shares * (t - mean) ** 2).sum()) / total - mean


@dataclass(frozen=True)
class _Clock:
    """Nodes t, their weights, each (panels, NODES), and `half` the length of a panel of log t."""

    t: Floats
    weights: Floats
    half: float

    @classmethod
    def of(cls, lines: list[_HalfLine]) -> _Clock:
        first = math.log(LEAST / max(line.away + line.toward for line in lines))
        last = math.log(max(line.end for line in lines))
        width = min(PANEL, PEAK / math.sqrt(max(line.sites for line in lines)))
        edges = np.linspace(first, last, math.ceil((last - first) / width) + 1)
        half = 0.5 * (edges[1] - edges[0])
        nodes, weights = np.polynomial.legendre.leggauss(NODES)
        t = np.exp(edges[:-1, None] + half * (nodes + 1.0))
        return cls(t, half * weights * t, half)

    def later(self, f: Floats, beyond: float) -> Floats:
        """The integral of f from each node on, with what is `beyond` the last panel."""
        nodes, weights = np.polynomial.legendre.leggauss(NODES)
        values = np.polynomial.legendre.legvander(nodes, NODES)
        rest = np.empty((NODES, NODES))  # of the Legendre polynomials, from a node to the end of a panel
        rest[:, 0] = 1.0 - nodes
        degree = np.arange(1, NODES)
        rest[:, 1:] = (values[:, :-2] - values[:, 2:]) / (2.0 * degree + 1.0)
        within = (rest * (np.arange(NODES) + 0.5)) @ (values[:, :NODES].T * weights)
        panels = (f * self.weights).sum(axis=1)
        return np.asarray(
            (f * self.t * self.half) @ within.T + (np.cumsum(panels[::-1])[::-1] - panels + beyond)[:, None]
        )
