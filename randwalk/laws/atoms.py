"""Distributions on the sites of a lattice: with exact probabilities, as counts of a sample, and spread over cells."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..model.coefficient import Floats
from ..model.domain import Domain
from .binning import bin_atoms, spread, up_to
from .distribution import Distribution
from .estimate import Estimate, Profile, average, proportion, values_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NODES, WEIGHTS = np.polynomial.legendre.leggauss(5)


@dataclass(frozen=True, eq=False)
class Support:
    """The sites that a distribution has atoms on.

    Attributes
    ----------
    x : array of shape (sites,)
        All sites, `dx` apart.
    dx : float
    domain : Domain
    sublattice : function
        () → (slice of the sites that can be occupied, width in dx of the cell that an atom stands for): every second site and
        2 where a walk never stays. It is called when a density is asked for, because it may take long.
    """

    x: Floats
    dx: float
    domain: Domain
    sublattice: Callable[[], tuple[slice, int]]

    def spread(self, values: np.ndarray) -> tuple[Floats, np.ndarray, float]:
        """(edges of pieces, sums of the values of the cells on each piece, width of a cell) of values that are spread evenly
        over cells."""
        width = self.sublattice()[1]
        return *spread(self.x, values, self.dx, width, self.domain), width * self.dx

    def width(self) -> float:
        """The width of the cell that an atom stands for."""
        return self.dx * self.sublattice()[1]

    def occupied(self) -> tuple[slice, float]:
        """The sites that can be occupied and their distance."""
        kept = self.sublattice()[0]
        return kept, self.dx * (kept.step or 1)


@dataclass(frozen=True, eq=False)
class Atoms(Distribution):
    """Exact probabilities `p` of sites."""

    support: Support
    p: Floats

    @property
    def ends(self) -> tuple[float, float]:
        return self.support.domain.low, self.support.domain.high

    @property
    def places(self) -> Floats:
        return self.support.x

    def cells(self) -> Cells:
        """The atoms spread over their cells."""
        edges, covered, width = self.support.spread(self.p)
        return Cells(edges, covered / width, self.support.domain)

    def density(self) -> tuple[Floats, Floats]:
        """(places, probability over the distance of the sites) of the sites that can be occupied."""
        kept, distance = self.support.occupied()
        return self.support.x[kept], self.p[kept] / distance

    def pdf(self, x: Floats) -> Floats:
        return self.cells().pdf(x)

    def cdf(self, x: Floats) -> Floats:
        return up_to(self.support.x, self.p, x, self.support.dx)

    def mass(self, edges: Floats) -> Floats:
        return bin_atoms(self.support.x, self.p, edges, self.support.dx)

    def total(self) -> float:
        return float(self.p.sum())

    def expect(self, f: Callable[[Floats], ArrayLike]) -> float:
        return float(np.sum(self.p * np.where(self.p > 0.0, values_of(f, self.support.x), 0.0)))

    def mean(self) -> float:
        return self._average(self.support.x)

    def variance(self) -> float:
        return self._average((self.support.x - self.mean()) ** 2)

    def _average(self, values: Floats) -> float:
        return float(self.p @ values / self.p.sum()) if self.p.any() else float("nan")

    def draw(self, ax: Axes, **style: Any) -> None:
        ax.plot(*self.density(), lw=1.2, **style)

    def to_scipy(self) -> Any:
        from .scipy_form import discrete

        return discrete(self.support.x, self.p)


@dataclass(frozen=True, eq=False)
class Sample(Distribution):
    """`counts` of walkers on sites, of `walkers` in all, those that have left included; answers are estimates."""

    support: Support
    counts: NDArray[np.int64]
    walkers: int

    @property
    def ends(self) -> tuple[float, float]:
        return self.support.domain.low, self.support.domain.high

    @property
    def places(self) -> Floats:
        return self.support.x

    def density(self) -> Profile:
        """The proportion over the distance of the sites, at the sites that can be occupied."""
        kept, distance = self.support.occupied()
        p = proportion(self.counts[kept], self.walkers)
        return Profile(p.value / distance, p.error / distance, self.support.x[kept])

    def pdf(self, x: Floats) -> Estimate:
        edges, covered, width = self.support.spread(self.counts)
        return proportion(_on_pieces(edges, covered, x, self.support.domain), self.walkers) / width

    def cdf(self, x: Floats) -> Estimate:
        return proportion(up_to(self.support.x, self.counts, x, self.support.dx), self.walkers)

    def mass(self, edges: Floats) -> Estimate:
        return proportion(bin_atoms(self.support.x, self.counts, edges, self.support.dx), self.walkers)

    def total(self) -> float:
        return float(self.counts.sum()) / self.walkers

    def expect(self, f: Callable[[Floats], ArrayLike]) -> Estimate:
        return average(values_of(f, self.support.x), self.counts, self.walkers)

    def mean(self) -> Estimate:
        return average(self.support.x, self.counts, int(self.counts.sum()))

    def variance(self) -> Estimate:
        """The variance of the survivors' places; its standard error is √((m₄ - m₂²)/n)."""
        return average((self.support.x - float(self.mean())) ** 2, self.counts, int(self.counts.sum()))

    def draw(self, ax: Axes, **style: Any) -> None:
        rho = self.density()
        seen = rho.value > 0
        ax.errorbar(rho.x[seen], rho.value[seen], rho.error[seen], fmt="o", ms=3, lw=0.8, **style)

    def to_scipy(self) -> Any:
        from .scipy_form import discrete

        return discrete(self.support.x, self.counts.astype(np.float64))


@dataclass(frozen=True, eq=False)
class Cells(Distribution):
    """A density that is constant on each of the pieces between `edges`."""

    edges: Floats
    density: Floats
    domain: Domain

    @property
    def ends(self) -> tuple[float, float]:
        return self.domain.low, self.domain.high

    @property
    def places(self) -> Floats:
        return 0.5 * (self.edges[1:] + self.edges[:-1])

    @property
    def masses(self) -> Floats:
        """The probability of each piece."""
        return self.density * np.diff(self.edges)

    def pdf(self, x: Floats) -> Floats:
        return _on_pieces(self.edges, self.density, x, self.domain)

    def cdf(self, x: Floats) -> Floats:
        return np.interp(x, self.edges, np.append(0.0, np.cumsum(self.masses)))

    def mass(self, edges: Floats) -> Floats:
        """Sums of parts of pieces, so that a small mass keeps its digits."""
        cut = np.clip(edges, self.edges[0], self.edges[-1])
        fine = np.union1d(cut, self.edges)
        piece = np.searchsorted(self.edges, 0.5 * (fine[1:] + fine[:-1]), side="right") - 1
        parts = self.density[piece] * np.diff(fine)
        at = np.searchsorted(fine, cut)
        return np.array([parts[a:b].sum() for a, b in itertools.pairwise(at)])

    def total(self) -> float:
        return float(self.masses.sum())

    def expect(self, f: Callable[[Floats], ArrayLike]) -> float:
        """By five Gauss–Legendre nodes a piece: exact for polynomials of degree 9."""
        half = 0.5 * np.diff(self.edges)
        x = self.places[:, None] + half[:, None] * NODES
        here = np.broadcast_to(self.density[:, None] > 0.0, x.shape)
        return float(self.density * half @ (np.where(here, values_of(f, x.ravel()).reshape(x.shape), 0.0) @ WEIGHTS))

    def draw(self, ax: Axes, **style: Any) -> None:
        ax.stairs(self.density, self.edges, **style)

    def to_scipy(self) -> Any:
        from .scipy_form import histogram

        return histogram(self.masses, self.edges)


def _on_pieces(edges: Floats, values: np.ndarray, x: Floats, domain: Domain) -> np.ndarray:
    """The value of the piece that each of the `x` lies on; 0 outside. On a ring, places one turn apart are the same."""
    if domain.periodic:
        known = np.isfinite(x)
        x = np.where(known, domain.low + np.mod(np.where(known, x, 0.0) - domain.low, domain.high - domain.low), x)
    inside = (x >= edges[0]) & (x <= edges[-1])
    piece = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, values.size - 1)
    return np.where(inside, values[piece], 0)
