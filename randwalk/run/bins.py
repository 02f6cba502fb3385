"""Bins along each axis, in which the walkers of a continuous walk are counted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..inputs.arguments import known_numbers
from ..inputs.wording import shown
from ..model.coefficient import Floats, coordinate
from ..model.domain import Domain
from ..model.ito import ItoWalk
from ..model.shape import Bounds

Whole: TypeAlias = NDArray[np.int64]

BINS = {1: 64, 2: 64, 3: 32}  # of each axis where none are given
BEYOND = 64  # the same in more dimensions, where every coordinate is counted by itself
JOINT = 3  # dimensions in which points are counted together
MOST_BINS = 1 << 24  # of all axes together
SPREAD = 5.0  # standard deviations about the mean over which bins lie on an unbounded axis


@dataclass(frozen=True)
class Bins:
    """Increasing, finite `edges` for each axis. A bin is closed on the left, the last one of an axis on both sides.

    In up to three dimensions points are counted in the product of the bins, in more every coordinate by itself. Cells of an axis
    are one below the edges, the bins, and one above.
    """

    edges: tuple[tuple[float, ...], ...]

    @property
    def dimension(self) -> int:
        return len(self.edges)

    @property
    def joint(self) -> bool:
        """Whether points are counted in products of bins."""
        return self.dimension <= JOINT

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """The cells along each axis."""
        return tuple(len(edges) + 1 for edges in self.edges)

    @property
    def cells(self) -> int:
        """All cells: of the product, or of the axes one after the other."""
        return cells_of(self.shape)

    @cached_property
    def _arrays(self) -> tuple[Floats, ...]:
        return tuple(map(np.array, self.edges))

    def count(self, x: Floats) -> Whole:
        """How many of the points, shape (d, n), are in each cell, flat."""
        index = [self._index(axis, row) for axis, row in enumerate(x)]
        if self.joint:
            flat = np.ravel_multi_index(tuple(index), self.shape) if x.shape[1] else np.zeros(0, dtype=np.int64)
            return np.bincount(flat, minlength=self.cells).astype(np.int64)
        counts = [np.bincount(i, minlength=n) for i, n in zip(index, self.shape, strict=True)]
        return np.concatenate(counts).astype(np.int64)

    def _index(self, axis: int, x: Floats) -> Whole:
        edges = self._arrays[axis]
        found = np.searchsorted(edges, x, side="right")
        return np.where(x == edges[-1], found - 1, found)

    def split(self, counts: Whole) -> tuple[Whole, ...] | Whole:
        """Flat counts as an array with an axis for each coordinate; where coordinates are counted by themselves, one each."""
        if self.joint:
            return counts.reshape(self.shape)
        return tuple(np.split(counts, np.cumsum(self.shape)[:-1]))


def cells_of(shape: Sequence[int]) -> int:
    """The cells of so many along each axis: all together, in more than three dimensions those of the axes one after the other."""
    return math.prod(shape) if len(shape) <= JOINT else sum(shape)


def given_bins(walk: ItoWalk, bins: Any) -> Bins | list[int]:
    """The bins that the argument `bins` says: edges along every axis, or numbers of bins on which edges are still to be laid."""
    d = walk.dimension
    if bins is None:
        return [BINS.get(d, BEYOND)] * d
    if _is_count(bins):
        return [_count(bins)] * d
    if not isinstance(bins, (list, tuple, np.ndarray)) or getattr(bins, "ndim", 1) == 0 or not len(bins):
        raise TypeError(f"bins = {shown(bins)}: give a number of bins, or increasing edges{_each(d)}")
    parts = [bins] if d == 1 else list(bins)
    if len(parts) != d:
        raise ValueError(f"bins = {shown(bins)}: give edges, or a number of bins, for each of the {d} axes")
    if all(map(_is_count, parts)):
        return [_count(part) for part in parts]
    if any(map(_is_count, parts)):
        raise ValueError(f"bins = {shown(bins)}: give edges for every axis, or numbers of bins for every axis")
    return _checked(walk, tuple(_edges(i, part) for i, part in enumerate(parts)))


def laid_bins(walk: ItoWalk, counts: Sequence[int], times: Sequence[float], mean: Floats, sd: Floats) -> Bins:
    """So many bins along every axis: over a bounded axis, where walls move at t = 0 and all `times`; on others about
    the `mean` as far as 5 `sd`, shape (times, d)."""
    edges, ends = [], _ends(walk.domain, times)
    for axis, count in enumerate(counts):
        low, high = ends[axis]
        if not (math.isfinite(low) and math.isfinite(high)):
            low = max(low, float(np.min(mean[:, axis] - SPREAD * sd[:, axis])))
            high = min(high, float(np.max(mean[:, axis] + SPREAD * sd[:, axis])))
            low, high = _rounded(low, high, count, ends[axis])
        edges.append(tuple(np.linspace(low, high, count + 1).tolist()))
    return _checked(walk, tuple(edges))


def _ends(domain: Domain, times: Sequence[float]) -> Bounds:
    """(lowest, highest) place of each axis in the domain at t = 0 and the times."""
    ends = [domain.bounds]
    for t in times if domain.moves else ():
        with suppress(ValueError):  # of a domain of which nothing is left at t
            ends.append(domain.at(t).bounds)
    return tuple((min(low for low, _ in axis), max(high for _, high in axis)) for axis in zip(*ends, strict=True))


def _rounded(low: float, high: float, count: int, ends: tuple[float, float]) -> tuple[float, float]:
    """A range a little wider, so that the width of a bin has two digits and a finite end of the axis stays an edge."""
    width = (high - low) / count
    digit = 10.0 ** (math.floor(math.log10(width)) - 1)
    width = math.ceil(width / digit * (1.0 - 1e-12)) * digit
    if math.isfinite(ends[0]):
        return low, low + count * width
    if math.isfinite(ends[1]):
        return high - count * width, high
    begin = math.floor(0.5 * (low + high - count * width) / width) * width
    return begin, begin + count * width


def _checked(walk: ItoWalk, edges: tuple[tuple[float, ...], ...]) -> Bins:
    made = Bins(edges)
    if made.cells > MOST_BINS:
        raise ValueError(
            f"bins: {' × '.join(str(n - 2) for n in made.shape)} are more than the {MOST_BINS} that are counted; take fewer"
        )
    return made


def _edges(axis: int, edges: ArrayLike) -> tuple[float, ...]:
    name = f"bins along {coordinate(axis)}"
    array = known_numbers(name, edges)
    if array.ndim != 1:
        raise ValueError(f"{name} = {shown(edges)}: give increasing edges")
    finite = array[np.isfinite(array)]
    if finite.size < 2 or not (np.diff(array) > 0).all():
        raise ValueError(f"{name} = {shown(edges)}: give at least two finite edges that increase")
    return tuple(finite.tolist())


def _is_count(value: object) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _count(value: Any) -> int:
    if value < 1:
        raise ValueError(f"bins = {shown(value)}: give at least 1")
    if value > MOST_BINS:
        raise ValueError(f"bins = {shown(value)}: give at most {MOST_BINS}")
    return int(value)


def _each(dimension: int) -> str:
    return " along every axis" if dimension > 1 else ""
