"""Windows of sites. On an unbounded axis a table covers the sites that walkers are expected to reach; where that turns out to
be too few, a wider window reaches twice as far from the start on that side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..inputs.memory import require
from ..model.coefficient import Floats
from ..model.coefficient.variables import coordinate
from ..model.lattice import MOST_SITES
from ..model.sites import site_masses
from ..model.walk import LatticeWalk
from .guess import LEAK as LEAK
from .guess import Ends, guessed_ends, where_defined
from .start_table import start_index as start_index
from .start_table import start_mass as start_mass
from .surroundings import as_point
from .table import StepTable

OF_A_THRESHOLD = 50.0  # bytes of each of the thresholds of a column while a table is made
OF_A_SITE = 24.0  # bytes of a law or count of a site and its cell
TRIED = 16  # times at which the probabilities of a time-dependent walk are checked before a window is taken
ROUNDING = 1e-15


def table_for(walk: LatticeWalk, steps: int, leak: float = LEAK) -> StepTable:
    """The step table of `walk` on the sites that hold all but a mass of `leak` during `steps` steps, as far as can be foreseen. A
    bounded domain is its own window."""
    walk.warn_if_quick(steps * walk.dt)
    return table_on(walk, Windows(walk, steps, leak).ends())


def table_on(walk: LatticeWalk, ends: Ends) -> StepTable:
    """The step table of `walk` on the sites between the lattice numbers `ends`, (first, last) of each axis; refused if it
    cannot be held."""
    check_size(walk, ends)
    return unchecked(walk, ends)


def unchecked(walk: LatticeWalk, ends: Ends) -> StepTable:
    """The step table of `walk` on the sites between the lattice numbers `ends`, however many."""
    return StepTable(walk, tuple((first, last - first + 1) for first, last in ends))


def check_size(walk: LatticeWalk, ends: Ends) -> None:
    """Refuse a window whose table cannot be held."""
    counts = [last - first + 1 for first, last in ends]
    sites = math.prod(counts)
    bounded = all(lattice.sites for lattice in walk.lattices)
    remedy = "take a larger dx (fewer sites)" if bounded else "record earlier times, or take a larger dx and dt"
    if math.prod(count + 2 for count in counts) >= MOST_SITES + 2:  # a walker's place has 32 bits
        raise ValueError(f"{sites} sites are more than the 2³¹ a walker's place is counted in: {remedy}")
    of_columns = OF_A_THRESHOLD * (len(walk.probabilities) + 1) * (not walk.homogeneous)
    require(
        (of_columns + OF_A_SITE) * sites, f"a table of {sites} sites",
        remedy,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Windows:
    """The windows of a walk during `steps` steps: a guess that holds all but a mass of `leak`, and wider ones.

    Doublings are numbers for the low and the high end of every axis: the end is 2^doublings times as far from the start as
    guessed.
    """

    walk: LatticeWalk
    steps: int
    leak: float = LEAK

    def ends(self, doublings: Sequence[int] = ()) -> Ends:
        """The numbers of the first and the last site of each axis, as far as the probabilities are ones from the start on. A
        ring is whole: its ends are neighbours."""
        if self._bounded:
            return self._limits
        wider, ends = doublings or (0,) * (2 * len(self._limits)), []
        ring = [lattice.periodic for lattice in self.walk.lattices]
        for axis, ((first, last), (low, high)) in enumerate(zip(self.begin, self._limits, strict=True)):
            below, above = self._far[axis]
            ends.append((low, high) if ring[axis] else (
                max(first - min(below << wider[2 * axis], self.steps), low),
                min(last + min(above << wider[2 * axis + 1], self.steps), high),
            ))  # fmt: skip
        if self.walk.homogeneous:
            return tuple(ends)
        check_size(self.walk, ends)
        kept = [end if whole else begin for end, begin, whole in zip(ends, self.begin, ring, strict=True)]
        return valid_ends(self.walk, tuple(ends), kept, self.times)

    @cached_property
    def begin(self) -> Ends:
        return start_range(self.walk)

    @cached_property
    def times(self) -> Floats:
        """The times at which probabilities are checked."""
        tried = np.linspace(0, max(self.steps - 1, 0), TRIED if self.walk.time_dependent else 1)
        return np.unique(np.rint(tried)) * self.walk.dt

    def wider(self, ends: Ends, reached: Sequence[bool], what: str) -> Ends:
        """The next wider window than `ends`, at the ends that have been `reached`, in the order of the exits of the axes.

        Raises
        ------
        ValueError
            where the walk is not valid beyond such an end; the message has the place and `what` has reached it.
        """
        doublings = []
        for (first, last), (below, above), (low, high) in zip(self.begin, self._far, ends, strict=True):
            doublings += [_doublings(first - low, below), _doublings(high - last, above)]
        wider = self.ends([n + bool(more) for n, more in zip(doublings, reached, strict=False)])
        for axis, (before, after) in enumerate(zip(ends, wider, strict=True)):
            for high in (False, True):
                if reached[2 * axis + high] and after[high] == before[high]:
                    self._refuse(ends, axis, high, what)
        return wider

    def _refuse(self, ends: Ends, axis: int, high: bool, what: str) -> None:
        """Say why a window does not reach further at an end of an axis."""
        edge, lattices = ends[axis][high], self.walk.lattices
        for across in (self.begin, ends):  # next to the start, then anywhere beyond the end
            ranges = [np.arange(first, last + 1) for first, last in across]
            ranges[axis] = np.array([edge + (1 if high else -1)])
            mesh = np.meshgrid(*ranges, indexing="ij")
            point = as_point([lattice.x(k.ravel()) for lattice, k in zip(lattices, mesh, strict=True)])
            for t in self.times:
                self.walk.check(point, t)
        lattice, name = lattices[axis], coordinate(axis)
        wall = lattice.x(edge) + (0.5 if high else -0.5) * lattice.dx
        raise ValueError(
            f"{what} {name} = {lattice.x(edge):.6g}, beyond which the walk is not valid: put a wall at {name} = {wall:.15g}, "
            f"{'right' if high else 'left'}=Reflecting() of an Interval along {name}, or give coefficients that go further"
        )

    @cached_property
    def _limits(self) -> Any:
        """For each axis the numbers of the first and the last site of the domain, infinite where there is none."""
        limits = []
        for lattice, (low, high) in zip(self.walk.lattices, self.walk.domain.bounds, strict=True):
            # Where a region ends an axis, the sites next to the free ones belong to it.
            first = _or(lattice.first, low if math.isinf(low) else math.floor((low - lattice.origin) / lattice.dx) - 1)
            last = _or(lattice.last, high if math.isinf(high) else math.ceil((high - lattice.origin) / lattice.dx) + 1)
            limits.append((first, last))
        return tuple(limits)

    @property
    def _bounded(self) -> bool:
        return all(math.isfinite(end) for ends in self._limits for end in ends)

    @cached_property
    def _far(self) -> list[tuple[int, int]]:
        """How many sites beyond the start walkers are expected to go, at the low and at the high end of each axis."""
        guess = guessed_ends(self.walk, self.steps, self.begin, self.leak)
        return [
            (max(first - low, 1), max(high - last, 1))
            for (first, last), (low, high) in zip(self.begin, guess, strict=True)
        ]


def _or(number: int | None, other: float) -> float:
    return other if number is None else number


def _doublings(distance: int, guessed: int) -> int:
    """How often the guessed distance is doubled to reach so far."""
    return max(0, math.ceil(math.log2(max(distance, 1) / guessed)))


def start_range(walk: LatticeWalk) -> Ends:
    """For each axis the numbers of the first and the last live site at which the walk may start."""
    ends = {}
    for axes, numbers, _ in site_masses(walk.start, walk.lattices, walk.domain):
        for axis, k in zip(axes, numbers, strict=True):
            lattice = walk.lattices[axis]
            first, last = int(k.min()), int(k.max())
            first = first if lattice.first is None else max(first, lattice.first)
            last = last if lattice.last is None else min(last, lattice.last)
            ends[axis] = min(first, last), max(first, last)
    return tuple(ends[axis] for axis in range(len(walk.lattices)))


def valid_ends(walk: LatticeWalk, ends: Ends, begin: Ends, times: Floats) -> Ends:
    """The part of a window around `begin` on which the step probabilities are ones at all of the `times`: the axis along which
    the nearest site without is farthest away ends before it, again and again."""
    while True:
        ranges = [np.arange(first, last + 1) for first, last in ends]
        numbers = [k.ravel() for k in np.meshgrid(*ranges, indexing="ij")]
        bad = ~_valid(walk, numbers, times)
        if not bad.any():
            return ends
        away = []
        for k, (low, high), (first, last) in zip(numbers, ends, begin, strict=True):
            here = k[bad]
            away.append(
                np.maximum((first - here) / max(first - low, 1), (here - last) / max(high - last, 1)).clip(min=0.0)
            )
        nearest = int(np.argmin(np.max(away, axis=0) + 1e-6 * np.sum(away, axis=0)))
        axis = int(np.argmax([share[nearest] for share in away]))
        site, (low, high), (first, last) = int(numbers[axis][bad][nearest]), ends[axis], begin[axis]
        if first <= site <= last:  # among the sites of the start: a run says so, with the place
            return ends
        cut = (site + 1, high) if site < first else (low, site - 1)
        ends = tuple(cut if i == axis else pair for i, pair in enumerate(ends))


def _valid(walk: LatticeWalk, numbers: Sequence[NDArray[np.int64]], times: Floats) -> NDArray[np.bool_]:
    """Whether the probabilities of sites are ones; of a site in a region, which nobody asks for, too."""
    point = as_point([lattice.x(k) for lattice, k in zip(walk.lattices, numbers, strict=True)])
    taken = walk.domain.region_at(point) >= 0 if walk.domain.regions else np.False_
    good = np.ones(numbers[0].size, dtype=bool)
    for t in times:
        chances = [where_defined(chance, point, float(t)) for chance in walk.probabilities.values()]
        killing = where_defined(walk.killing_rate, point, float(t))
        with np.errstate(invalid="ignore"):
            good &= (np.min(chances, axis=0) >= -ROUNDING) & (killing >= 0.0)
            good &= np.sum(chances, axis=0) <= 1.0 + ROUNDING
    return good | taken
