"""Exact sums of the places of walkers and of their products: means and covariances that do not depend on the order of walkers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np

from ..model.coefficient import Floats
from .estimate import Estimate
from .sums import ExactSum, SampleSums

TOGETHER = 16  # dimensions up to which the products of different coordinates are summed


@dataclass(frozen=True)
class PlaceSums:
    """Sums over walkers of their coordinates, of the products of two and of the squares of these products.

    Attributes
    ----------
    groups : tuple of SampleSums
        One of all coordinates; in more than 16 dimensions one of each.
    squares : tuple of ExactSum
        For every product of the groups Σ of its square, in fourth powers of the unit.
    """

    groups: tuple[SampleSums, ...]
    squares: tuple[ExactSum, ...]

    @classmethod
    def of(cls, x: Floats, shift: Floats, unit: float) -> PlaceSums:
        """Those of points, shape (d, n), about a `shift` of shape (d,); `unit` is a power of two."""
        rows = range(len(x))
        sets = [list(rows)] if len(x) <= TOGETHER else [[i] for i in rows]
        groups, squares = [], []
        for members in sets:
            groups.append(SampleSums.of(x[members], tuple(shift[members].tolist()), unit, "place"))
            scaled = [(x[i] - shift[i]) / unit for i in members]
            squares += [ExactSum.of((a * b) ** 2, "place") for a, b in combinations_with_replacement(scaled, 2)]
        return cls(tuple(groups), tuple(squares))

    def __add__(self, other: PlaceSums) -> PlaceSums:
        if not isinstance(other, PlaceSums):
            return NotImplemented
        return PlaceSums(
            tuple(a + b for a, b in zip(self.groups, other.groups, strict=True)),
            tuple(a + b for a, b in zip(self.squares, other.squares, strict=True)),
        )

    @property
    def count(self) -> int:
        """The number of walkers."""
        return self.groups[0].count

    def mean(self, axis: int) -> Estimate:
        """The mean of a coordinate."""
        group, place = self._at(axis)
        error = group.errors[place] if self.count > 1 else np.nan
        return Estimate(np.asarray(group.means[place]), np.asarray(error))

    def covariance(self, first: int, second: int) -> Estimate:
        """The covariance of two coordinates, their mean product about the mean; its standard error is √((E[u²v²] - E[uv]²)/n), u
        and v the distances from the shift, which is near the mean.

        NaN for two coordinates whose products were not summed, and for less than two walkers.
        """
        (group, i), (other, j) = self._at(first), self._at(second)
        n = self.count
        if group is not other or n < 2:
            return Estimate(np.asarray(np.nan), np.asarray(np.nan))
        area = group.unit**2
        value = float(group.covariance[i, j]) * area * ((n - 1) / n)
        pairs = list(combinations_with_replacement(range(len(group.sums)), 2))
        pair = pairs.index((min(i, j), max(i, j)))
        moment = group.products[pair].mean
        offset = pair if len(self.groups) == 1 else first
        spread = max(self.squares[offset].mean - moment**2, 0.0)
        return Estimate(np.asarray(value), np.asarray(area * math.sqrt(spread / n)))

    def _at(self, axis: int) -> tuple[SampleSums, int]:
        return (self.groups[0], axis) if len(self.groups) == 1 else (self.groups[axis], 0)
