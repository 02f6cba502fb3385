"""A sample of walkers in continuous space: counts in bins, and exact sums of places."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..model.coefficient import Floats, coordinate
from ..model.domain import Axis
from .binning import each_axis, on_axis
from .estimate import Estimate, proportion, stacked
from .gridded import Gridded
from .lookup import NoAnswer
from .places import PlaceSums

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SAME = 1e-9  # of the width of a bin: an edge that is asked for this close to an edge of the bins is that


@dataclass(frozen=True, eq=False)
class BinnedSample(Gridded):
    """Walkers inside, of `walkers` in all, those that have left included; answers are estimates.

    Attributes
    ----------
    edges : tuple of arrays
        Those of the bins along each axis.
    counts : array, or tuple of arrays
        Walkers in the products of bins, shape (bins + 2 of each axis), with a cell below the first edge and one above the last;
        where every coordinate was counted by itself, an array for each.
    walkers : int
    axes : tuple of domains in one dimension
    sums : PlaceSums
    numbers : tuple of int
        Which of the coordinates of `sums` the axes are.
    """

    edges: tuple[Floats, ...]
    counts: Any
    walkers: int
    axes: tuple[Axis, ...]
    sums: PlaceSums
    numbers: tuple[int, ...]

    @property
    def alive(self) -> int:
        """How many walkers are inside."""
        return int(np.sum(self.counts[0] if isinstance(self.counts, tuple) else self.counts))

    @cached_property
    def joint(self) -> NDArray[np.int64]:
        """The counts in products of bins; a question without an answer where there are none."""
        if not isinstance(self.counts, tuple):
            return np.asarray(self.counts)
        if self.dimension == 1:
            return np.asarray(self.counts[0])
        raise NoAnswer(f"in {self.dimension} dimensions every coordinate is counted by itself: ask marginal(axis)")

    def pdf(self, x: Any) -> Estimate:
        """The share of walkers in the bin of each place over its volume; NaN outside the bins, where the density is not known,
        and 0 outside the domain."""
        point = (x,) if self.dimension == 1 else x
        cells, volume, inside = [], np.ones(np.shape(point[0])), np.ones(np.shape(point[0]), dtype=bool)
        known = inside.copy()
        for values, edges, axis in zip(point, self.edges, self.axes, strict=True):
            here = on_axis(axis, np.asarray(values, dtype=np.float64))
            cell = np.searchsorted(edges, here, side="right")
            cell = np.where(here == edges[-1], cell - 1, cell)
            known &= (cell > 0) & (cell < edges.size)
            inside &= (here >= axis.low) & (here <= axis.high)
            cells.append(cell)
            volume = volume * np.diff(edges)[np.clip(cell - 1, 0, edges.size - 2)]
        share = proportion(self.joint[tuple(cells)], self.walkers)
        value, error = (
            np.where(inside, np.where(known, part / volume, np.nan), 0.0) for part in (share.value, share.error)
        )
        return Estimate(value, error)

    def cdf(self, x: Floats) -> Estimate:
        if self.dimension > 1:
            return super().cdf(x)
        places = self._edge_numbers(0, np.asarray(x, dtype=np.float64))
        return proportion(np.cumsum(np.append(0, self.joint))[places], self.walkers)

    def mass(self, edges: Any) -> Estimate:
        return proportion(self.binned(edges), self.walkers)

    def binned(self, edges: Any) -> NDArray[np.int64]:
        """Walkers between edges, which are among those of the bins."""
        cuts = [self._edge_numbers(a, e) for a, e in enumerate((edges,) if self.dimension == 1 else edges)]

        def along(axis: int, values: np.ndarray) -> np.ndarray:
            total = np.concatenate([np.zeros((1, *values.shape[1:]), dtype=values.dtype), np.cumsum(values, axis=0)])
            return np.diff(total[cuts[axis]], axis=0)

        return np.asarray(each_axis(self.joint, along))

    def _edge_numbers(self, axis: int, places: Floats) -> NDArray[np.int64]:
        """For each place how many cells of an axis lie below it; a place inside a bin has no answer."""
        edges, ends = self.edges[axis], self.bounds[axis]
        nearest = np.clip(np.searchsorted(edges, places), 1, edges.size - 1)
        nearest = np.where(places - edges[nearest - 1] < edges[nearest] - places, nearest - 1, nearest)
        close = np.abs(places - edges[nearest]) <= SAME * np.diff(edges).min()
        number = np.where(places <= ends[0], 0, np.where(places >= ends[1], edges.size + 1, nearest + 1))
        wrong = ~close & (places > ends[0]) & (places < ends[1])
        if wrong.any():
            place = float(places[wrong][0])
            name = coordinate(self.numbers[axis])
            raise NoAnswer(
                f"{name} = {place:g} lies inside a bin, whose walkers are counted together: the nearest edge is "
                f"{float(edges[nearest[wrong][0]]):.12g}; give bins= with an edge there to simulate"
            )
        return number

    def total(self) -> float:
        return self.alive / self.walkers

    def onto(self, axes: Sequence[int]) -> BinnedSample:
        if tuple(axes) == tuple(range(self.dimension)):
            return self
        if isinstance(self.counts, tuple):
            counts: Any = tuple(self.counts[axis] for axis in axes)
        else:
            others = tuple(axis for axis in range(self.dimension) if axis not in axes)
            kept = sorted(axes)
            counts = np.transpose(self.counts.sum(axis=others), [kept.index(axis) for axis in axes])
        return BinnedSample(
            tuple(self.edges[axis] for axis in axes), counts, self.walkers, tuple(self.axes[axis] for axis in axes),
            self.sums, tuple(self.numbers[axis] for axis in axes),
        )  # fmt: skip

    def expect(self, f: Callable[..., ArrayLike]) -> Estimate:
        raise NoAnswer(
            "the mean of a function is not found from counts in bins: simulate with record=[Average(f)]; mean and variance are "
            "always there"
        )

    def mean(self) -> Estimate:
        means = [self.sums.mean(number) for number in self.numbers]
        return means[0] if self.dimension == 1 else stacked(means, (self.dimension,))

    def variance(self) -> Estimate:
        """The variance of the survivors' places, their covariance in more dimensions; in more than 16 dimensions products of
        different coordinates are not summed, and their entries are NaN."""
        if self.dimension == 1:
            return self.sums.covariance(self.numbers[0], self.numbers[0])
        pairs = [self.sums.covariance(a, b) for a, b in itertools.product(self.numbers, repeat=2)]
        return stacked(pairs, (self.dimension,) * 2)

    def covariance(self) -> Estimate:
        return self.sums.covariance(*self.numbers)

    def bins(self) -> tuple[Floats, ...]:
        return self.edges

    def pieces(self) -> tuple[tuple[Floats, ...], Estimate]:
        inner = self.joint[(slice(1, -1),) * self.dimension]
        volume = each_axis(
            np.ones(inner.shape), lambda a, v: v * np.diff(self.edges[a]).reshape(-1, *(1,) * (v.ndim - 1))
        )
        share = proportion(inner, self.walkers)
        return self.edges, Estimate(share.value / volume, share.error / volume)

    def draw(self, ax: Axes, **style: Any) -> None:
        (x,), (_, rho) = self.places, self.pieces()
        seen = rho.value > 0
        ax.errorbar(x[seen], rho.value[seen], rho.error[seen], fmt="o", ms=3, lw=0.8, **style)

    def to_scipy(self) -> Any:
        self.check_one_dimension()
        from .scipy_form import histogram

        return histogram(self.joint[1:-1].astype(np.float64), self.edges[0])
