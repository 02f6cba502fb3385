"""Distributions on the sites of a lattice: with exact probabilities, as counts of a sample, and spread over cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from ..model.coefficient import Floats
from ..model.domain import Domain
from .binning import bin_atoms, spread, up_to
from .distribution import Distribution
from .estimate import Estimate, Profile, average, proportion, values_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NODES, WEIGHTS = np.polynomial.legendre.leggauss(5)


@dataclass(frozen=True, eq=False)
class Sites:
    """The sites that a distribution has atoms on.

    Attributes
    ----------
    x : array of shape (sites,)
        All sites, `dx` apart.
    dx : float
    width : int
        The width in dx of the cell that an atom stands for: 2 where a walk lives on every second site.
    kept : slice
        The sites that can be occupied: all of them, or every second one.
    domain : Domain
    """

    x: Floats
    dx: float
    width: int
    kept: slice
    domain: Domain

    def spread(self, values: np.ndarray) -> tuple[Floats, np.ndarray]:
        """(edges of pieces, sum of the values of the cells on each) of values of the sites that are spread over cells."""
        return spread(self.x, values, self.dx, self.width, self.domain)

    def spacing(self) -> float:
        """The distance of the sites that can be occupied."""
        return self.dx * (self.kept.step or 1)


@dataclass(frozen=True, eq=False)
class Atoms(Distribution):
    """Exact probabilities `p` of sites."""

    sites: Sites
    p: Floats

    @property
    def ends(self) -> tuple[float, float]:
        return self.sites.domain.low, self.sites.domain.high

    @property
    def places(self) -> Floats:
        return self.sites.x

    def cells(self) -> Cells:
        """The atoms spread over their cells."""
        edges, covered = self.sites.spread(self.p)
        return Cells(edges, covered / (self.sites.dx * self.sites.width), self.sites.domain)

    def density(self) -> tuple[Floats, Floats]:
        """(places, probability over the distance of the sites) of the sites that can be occupied."""
        kept = self.sites.kept
        return self.sites.x[kept], self.p[kept] / self.sites.spacing()

    def pdf(self, x: Floats) -> Floats:
        return self.cells().pdf(x)

    def cdf(self, x: Floats) -> Floats:
        return up_to(self.sites.x, self.p, x, self.sites.dx)

    def mass(self, edges: Floats) -> Floats:
        return bin_atoms(self.sites.x, self.p, edges, self.sites.dx)

    def total(self) -> float:
        return float(self.p.sum())

    def expect(self, f: Callable[[Floats], ArrayLike]) -> float:
        return float(np.sum(self.p * np.where(self.p > 0.0, values_of(f, self.sites.x), 0.0)))

    def mean(self) -> float:
        return self._average(self.sites.x)

    def variance(self) -> float:
        return self._average((self.sites.x - self.mean()) ** 2)

    def _average(self, values: Floats) -> float:
        return float(self.p @ values / self.p.sum()) if self.p.any() else float("nan")

    def draw(self, ax: Axes, **style: Any) -> None:
        ax.plot(*self.density(), lw=1.2, **style)

    def to_scipy(self) -> Any:
        return _discrete(self.sites.x, self.p)


@dataclass(frozen=True, eq=False)
class Sample(Distribution):
    """`counts` of walkers on sites, of `walkers` in all, those that have left included; answers are estimates."""

    sites: Sites
    counts: NDArray[np.int64]
    walkers: int

    @property
    def ends(self) -> tuple[float, float]:
        return self.sites.domain.low, self.sites.domain.high

    @property
    def places(self) -> Floats:
        return self.sites.x

    def density(self) -> Profile:
        """The proportion over the distance of the sites, at the sites that can be occupied."""
        kept, width = self.sites.kept, self.sites.spacing()
        p = proportion(self.counts[kept], self.walkers)
        return Profile(p.value / width, p.error / width, self.sites.x[kept])

    def pdf(self, x: Floats) -> Estimate:
        edges, covered = self.sites.spread(self.counts)
        counts = _on_pieces(edges, covered, x, self.sites.domain)
        p = proportion(counts, self.walkers)
        return Estimate(p.value / (self.sites.dx * self.sites.width), p.error / (self.sites.dx * self.sites.width))

    def cdf(self, x: Floats) -> Estimate:
        return proportion(up_to(self.sites.x, self.counts, x, self.sites.dx), self.walkers)

    def mass(self, edges: Floats) -> Estimate:
        return proportion(bin_atoms(self.sites.x, self.counts, edges, self.sites.dx), self.walkers)

    def total(self) -> float:
        return float(self.counts.sum()) / self.walkers

    def expect(self, f: Callable[[Floats], ArrayLike]) -> Estimate:
        return average(values_of(f, self.sites.x), self.counts, self.walkers)

    def mean(self) -> Estimate:
        return average(self.sites.x, self.counts, int(self.counts.sum()))

    def variance(self) -> Estimate:
        """The variance of the survivors' places; its standard error is √((m₄ - m₂²)/n)."""
        return average((self.sites.x - float(self.mean())) ** 2, self.counts, int(self.counts.sum()))

    def draw(self, ax: Axes, **style: Any) -> None:
        rho = self.density()
        seen = rho.value > 0
        ax.errorbar(rho.x[seen], rho.value[seen], rho.error[seen], fmt="o", ms=3, lw=0.8, **style)

    def to_scipy(self) -> Any:
        return _discrete(self.sites.x, self.counts.astype(np.float64))


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
        return np.array([parts[a:b].sum() for a, b in zip(at[:-1], at[1:], strict=True)])

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
        return stats.rv_histogram((self.masses, self.edges), density=False)()


def _on_pieces(edges: Floats, values: np.ndarray, x: Floats, domain: Domain) -> np.ndarray:
    """The value of the piece that each of the `x` lies on; 0 outside. On a ring, places one turn apart are the same."""
    if domain.periodic:
        known = np.isfinite(x)
        x = np.where(known, domain.low + np.mod(np.where(known, x, 0.0) - domain.low, domain.high - domain.low), x)
    inside = (x >= edges[0]) & (x <= edges[-1])
    piece = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, values.size - 1)
    return np.where(inside, values[piece], 0)


def _discrete(x: Floats, weights: Floats) -> Any:
    """The distribution of the places `x` by their weights."""
    seen = weights > 0.0
    return stats.rv_discrete(values=(x[seen], weights[seen] / weights[seen].sum()))()
