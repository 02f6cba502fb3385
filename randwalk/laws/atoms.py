"""Distributions on the sites of a lattice: with exact probabilities, and as counts of a sample."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..model.coefficient import Floats
from ..model.domain import Axis
from .binning import bin_atoms, each_axis, on_axis, spread, up_to
from .cells import Cells, on_pieces, summed
from .distribution import Distribution
from .estimate import Estimate, Profile, average, proportion, values_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


Kept: TypeAlias = slice | NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Support:
    """The sites that a distribution has atoms on: a product of those of the axes.

    Attributes
    ----------
    places : tuple of arrays
        All sites of each axis, `spacings` apart.
    spacings : tuple of float
    axes : tuple of domains in one dimension
        What each axis is: its walls, whether it is a ring.
    sublattice : function, or None for a walk that can be on all sites
        () → (the sites that can be occupied: a slice of those of the only axis, or an array of bool, shape (sites of each axis);
        how many sites wide the cell is that an atom stands for, an entry an axis). In one dimension every second site and (2,)
        where a walk never stays. It is called when a density is asked for, because it may take long.
    """

    places: tuple[Floats, ...]
    spacings: tuple[float, ...]
    axes: tuple[Axis, ...]
    sublattice: Callable[[], tuple[Kept, tuple[int, ...]]] | None = None

    @property
    def dimension(self) -> int:
        return len(self.places)

    @cached_property
    def known(self) -> tuple[Kept, tuple[int, ...]]:
        """What `sublattice` says."""
        if self.sublattice is not None:
            return self.sublattice()
        shape = tuple(x.size for x in self.places)
        return slice(None) if self.dimension == 1 else np.ones(shape, dtype=bool), (1,) * self.dimension

    @property
    def site(self) -> float:
        """The volume of one site, the product of the spacings."""
        return math.prod(self.spacings)

    @property
    def volume(self) -> float:
        """That of the cell that an atom stands for: its width in one dimension."""
        return self.site * math.prod(self.known[1])

    def spread(self, values: np.ndarray) -> tuple[tuple[Floats, ...], np.ndarray]:
        """(edges of pieces along each axis, sums of the values of the cells on each piece) of values that are spread evenly over
        cells."""
        edges: list[Floats] = []

        def along(axis: int, rows: np.ndarray) -> np.ndarray:
            width, dx = self.known[1][axis], self.spacings[axis]
            found, covered = spread(self.places[axis], rows, dx, width, self.axes[axis])
            edges.append(found)
            return covered

        covered = each_axis(values, along)
        return tuple(edges), covered

    def occupied(self) -> tuple[Floats, Kept, float]:
        """(places of the sites that can be occupied, which ones they are, volume that each has for itself); places beyond one
        dimension have a row for each."""
        kept, _ = self.known
        if isinstance(kept, slice):
            return self.places[0][kept], kept, self.site * (kept.step or 1)
        return np.stack([x[kept] for x in self.grid()], axis=-1), kept, self.site if kept.all() else self.volume

    def grid(self) -> tuple[Floats, ...]:
        """The coordinates of all sites, arrays of shape (sites of each axis)."""
        return tuple(np.meshgrid(*self.places, indexing="ij"))

    def bins(self) -> tuple[Floats, ...]:
        """Edges along each axis of bins that hold whole cells, as far as cells lie side by side; on a ring its ends are edges."""
        kept, widths = self.known
        step = (kept.step or 1) if isinstance(kept, slice) else 1
        edges = []
        for places, dx, axis in zip(self.places, self.spacings, self.axes, strict=True):
            sites = places[kept] if isinstance(kept, slice) else places
            apart, width = dx * step, dx * max(widths)  # an atom is in the middle of its cell
            found = np.append(sites[:: max(1, round(width / apart))] - 0.5 * apart, sites[-1] + max(width, apart))
            if axis.periodic:  # the cell of a site at the seam lies on both sides of it
                edges.append(np.unique([axis.low, *on_axis(axis, found[:-1]), axis.high]))
            else:
                found = np.clip(found, axis.low, axis.high)
                edges.append(found[np.append(True, np.diff(found) > 0)])
        return tuple(edges)

    def binned(self, values: np.ndarray, edges: Any) -> np.ndarray:
        """Sums over bins, closed on the left, the last of each axis on both sides."""
        cuts = (edges,) if self.dimension == 1 else edges
        return each_axis(values, lambda a, rows: bin_atoms(self.places[a], rows, cuts[a], self.spacings[a]))

    def up_to(self, values: np.ndarray, x: Floats) -> np.ndarray:
        """Sums up to each of the places on the only axis."""
        return up_to(self.places[0], values, x, self.spacings[0])

    def onto(self, axes: Sequence[int]) -> Support:
        """The sites of some of the axes."""
        return Support(
            tuple(self.places[axis] for axis in axes),
            tuple(self.spacings[axis] for axis in axes),
            tuple(self.axes[axis] for axis in axes),
            None if self.sublattice is None else lambda: self._seen(axes),
        )

    def _seen(self, axes: Sequence[int]) -> tuple[Kept, tuple[int, ...]]:
        """The sublattice seen along some of the axes: every second site of an axis stays that; else all sites are seen."""
        mask, widths = self.known
        assert not isinstance(mask, slice)
        rows: list[Any] = [mask.any(axis=tuple(other for other in range(mask.ndim) if other != axis)) for axis in axes]
        single = [
            bool(widths[axis] > 1 and not (row[1:] & row[:-1]).any()) for axis, row in zip(axes, rows, strict=True)
        ]
        if len(axes) == 1:
            return (slice(int(np.argmax(rows[0])) % 2, None, 2), (2,)) if single[0] else (slice(None), (1,))
        seen = [row if alone else np.ones(row.size, dtype=bool) for row, alone in zip(rows, single, strict=True)]
        return np.asarray(reduce(np.multiply.outer, seen)), tuple(1 + alone for alone in single)


class OnSites(Distribution):
    """What atoms and counts share: their sites."""

    support: Support

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        return tuple((axis.low, axis.high) for axis in self.support.axes)

    @property
    def span(self) -> tuple[tuple[float, float], ...]:
        return tuple(
            (float(x[0]) - 0.5 * dx, float(x[-1]) + 0.5 * dx)
            for x, dx in zip(self.support.places, self.support.spacings, strict=True)
        )

    @property
    def places(self) -> tuple[Floats, ...]:
        return self.support.places

    def bins(self) -> tuple[Floats, ...]:
        return self.support.bins()


@dataclass(frozen=True, eq=False)
class Atoms(OnSites):
    """Exact probabilities `p` of sites, shape (sites of each axis)."""

    support: Support
    p: Floats

    def cells(self) -> Cells:
        """The atoms spread over their cells."""
        edges, covered = self.support.spread(self.p)
        return Cells(edges, covered / self.support.volume, self.support.axes)

    def density(self) -> tuple[Floats, Floats]:
        """(places, probability over the volume of a site) of the sites that can be occupied."""
        places, kept, volume = self.support.occupied()
        return places, self.p[kept] / volume

    def pdf(self, x: Any) -> Floats:
        return self.cells().pdf(x)

    def cdf(self, x: Floats) -> Floats:
        return self.support.up_to(self.p, x) if self.dimension == 1 else np.asarray(super().cdf(x))

    def mass(self, edges: Any) -> Floats:
        return self.support.binned(self.p, edges)

    def total(self) -> float:
        return float(self.p.sum())

    def onto(self, axes: Sequence[int]) -> Atoms:
        if tuple(axes) == tuple(range(self.dimension)):
            return self
        return Atoms(self.support.onto(axes), summed(self.p, axes))

    def expect(self, f: Callable[..., ArrayLike]) -> float:
        return float(np.sum(self.p * np.where(self.p > 0.0, values_of(f, *self.support.grid()), 0.0)))

    def mean(self) -> Any:
        return self._average(self.places[0]) if self.dimension == 1 else super().mean()

    def variance(self) -> Any:
        return self._average((self.places[0] - self.mean()) ** 2) if self.dimension == 1 else super().variance()

    def _average(self, values: Floats) -> float:
        return float(self.p @ values / self.p.sum()) if self.p.any() else float("nan")

    def pieces(self) -> tuple[tuple[Floats, ...], Floats]:
        return self.cells().pieces()

    def draw(self, ax: Axes, **style: Any) -> None:
        ax.plot(*self.density(), lw=1.2, **style)

    def to_scipy(self) -> Any:
        self.check_one_dimension()
        from .scipy_form import discrete

        return discrete(self.places[0], self.p)


@dataclass(frozen=True, eq=False)
class Sample(OnSites):
    """`counts` of walkers on sites, shape (sites of each axis), of `walkers` in all, those that have left included; answers are
    estimates."""

    support: Support
    counts: NDArray[np.int64]
    walkers: int

    def density(self) -> Profile:
        """The proportion over the volume of a site, at the sites that can be occupied."""
        places, kept, volume = self.support.occupied()
        p = proportion(self.counts[kept], self.walkers)
        return Profile(p.value / volume, p.error / volume, places)

    def pdf(self, x: Any) -> Estimate:
        edges, covered = self.support.spread(self.counts)
        return proportion(on_pieces(edges, covered, x, self.support.axes), self.walkers) / self.support.volume

    def cdf(self, x: Floats) -> Estimate:
        if self.dimension > 1:
            return super().cdf(x)
        return proportion(self.support.up_to(self.counts, x), self.walkers)

    def mass(self, edges: Any) -> Estimate:
        return proportion(self.support.binned(self.counts, edges), self.walkers)

    def total(self) -> float:
        return float(self.counts.sum()) / self.walkers

    def onto(self, axes: Sequence[int]) -> Sample:
        if tuple(axes) == tuple(range(self.dimension)):
            return self
        return Sample(self.support.onto(axes), summed(self.counts, axes), self.walkers)

    def expect(self, f: Callable[..., ArrayLike]) -> Estimate:
        return average(values_of(f, *self.support.grid()).ravel(), self.counts.ravel(), self.walkers)

    def mean(self) -> Any:
        return self._average(lambda x: x) if self.dimension == 1 else super().mean()

    def variance(self) -> Any:
        """The variance of the survivors' places; its standard error is √((m₄ - m₂²)/n)."""
        if self.dimension > 1:
            return super().variance()
        mean = float(self.mean())
        return self._average(lambda x: (x - mean) ** 2)

    def covariance(self) -> Estimate:
        """Its standard error is √((E[u²v²] - E[uv]²)/n), u and v the distances from the means."""
        first, second = (float(self.onto((axis,)).mean()) for axis in (0, 1))
        return self._average(lambda x, y: (x - first) * (y - second))

    def _average(self, f: Callable[..., Floats]) -> Estimate:
        """The mean of f(x) over the survivors."""
        return average(f(*self.support.grid()).ravel(), self.counts.ravel(), int(self.counts.sum()))

    def pieces(self) -> tuple[tuple[Floats, ...], Estimate]:
        edges, covered = self.support.spread(self.counts)
        return edges, proportion(covered, self.walkers) / self.support.volume

    def draw(self, ax: Axes, **style: Any) -> None:
        rho = self.density()
        seen = rho.value > 0
        ax.errorbar(rho.x[seen], rho.value[seen], rho.error[seen], fmt="o", ms=3, lw=0.8, **style)

    def to_scipy(self) -> Any:
        self.check_one_dimension()
        from .scipy_form import discrete

        return discrete(self.places[0], self.counts.astype(np.float64))
