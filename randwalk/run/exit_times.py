"""First passages of continuous walks: exact sums of times and places beside the counts, and the passage of every walker."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..inputs.arguments import finite_numbers
from ..inputs.wording import shown
from ..laws.estimate import Estimate, proportion, stacked
from ..laws.places import PlaceSums
from ..laws.sums import SampleSums
from ..model.coefficient import Floats
from .record import Counted
from .results import Passages

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Departures(Counted):
    """When, where and by which exit every walker left: :class:`Departed`. Of Itô walks; it takes memory for every walker.

    >>> import randwalk as rw
    >>> bounds = rw.Interval(-1.0, 1.0, rw.Absorbing(), rw.Absorbing())
    >>> run = rw.simulate(rw.ItoWalk(0.8, 0.5, dt=0.01, domain=bounds), 5, [2.0], seed=1, record=[rw.Departures()])
    >>> run[rw.Departures()]
    Departed(5 walkers: 5 left, 0 had not by t = 2)
    """


@dataclass(frozen=True, eq=False)
class ExitTimes(Passages):
    """First passages of an Itô walk: counts of walkers by the step in which they left and by exit, and exact sums of the times,
    which are drawn from the bridge within the step, and of the places on the walls.

    A walker that has not left at the end of the run is *censored*: its time is only known to be later. No mean leaves it out
    silently: :meth:`mean` is refused while there are any, :meth:`restricted_mean` counts them, and :meth:`conditional_mean` says
    what it is given.

    Attributes
    ----------
    times : array of shape (steps + 1,)
        The ends of the steps.
    counts : array of int, shape (steps + 1, exits)
        ``counts[n]`` left between ``times[n - 1]`` and ``times[n]``.
    censored : int
        Walkers that have not left.
    """

    sums: tuple[SampleSums, ...] = ()  # of the times, by exit
    spots: tuple[PlaceSums, ...] = ()  # of the places, by exit

    @property
    def censored(self) -> int:
        return self.walkers - int(self.counts.sum())

    def mean(self, exit: str | None = None) -> Estimate:
        """The mean time of passage of those that leave by the `exit` (None: by any).

        Raises
        ------
        ValueError
            if walkers have not left by the end of the run, with their number.
        """
        if self.censored:
            raise ValueError(
                f"{self.censored:,} of {self.walkers:,} walkers have not left at t = {self.times[-1]:g}, so the mean of all "
                "times is not known: simulate to a later time, or ask restricted_mean(), the mean of the earlier of passage and "
                "end, or conditional_mean(exit), of those that left"
            )
        return self.conditional_mean(exit)

    def conditional_mean(self, exit: str | None = None) -> Estimate:
        """The mean time of passage of the walkers that left by the `exit` (None: by any) before the end of the run, *given* that
        they did; NaN if nobody did."""
        sums = self._sums(exit)
        return Estimate(np.asarray(sums.means[0]), np.asarray(sums.errors[0]))

    def restricted_mean(self) -> Estimate:
        """The mean of min(τ, T), of the passage by any exit or the end T of the run, whichever is earlier: of all walkers, and
        the area under :meth:`survival`."""
        end, sums, n = float(self.times[-1]), self._sums(None), self.walkers
        gone = n - self.censored
        if not gone:
            return Estimate(np.asarray(end), np.asarray(0.0))
        mean = float(sums.means[0])
        within = float(sums.covariance[0, 0]) * sums.unit**2 * (gone - 1) if gone > 1 else 0.0
        between = gone * self.censored / n * (end - mean) ** 2
        whole = mean + self.censored / n * (end - mean)
        error = math.sqrt((within + between) / (n * (n - 1))) if n > 1 else math.nan
        return Estimate(np.asarray(whole), np.asarray(error))

    def density(self, edges: ArrayLike, exit: str | None = None) -> Estimate:
        """The density of the time of passage (1/time) by the `exit` (None: by any) between `edges`, increasing times of the run,
        each of which is taken at the end of the step before it. Its integral is the fraction that left."""
        at = np.unique(self._steps(finite_numbers("edges", edges)))
        if at.size < 2:
            raise ValueError(f"edges = {shown(edges)}: give two or more times that lie a step or more apart")
        by_step = self.counts.sum(axis=1) if exit is None else self.counts[:, self._column(exit)]
        counts = np.diff(np.cumsum(by_step)[at])
        return proportion(counts, self.walkers) / np.diff(self.times[at])

    def place(self, exit: str) -> Estimate:
        """The mean place of the walkers that left by the `exit`: a number, or one for each coordinate."""
        spots = self.spots[self._column(exit)]
        found = [spots.mean(axis) for axis in range(self._dimension)]
        return found[0] if self._dimension == 1 else stacked(found, (self._dimension,))

    @property
    def _dimension(self) -> int:
        return sum(len(group.sums) for group in self.spots[0].groups)

    def _sums(self, exit: str | None) -> SampleSums:
        return reduce(add, self.sums) if exit is None else self.sums[self._column(exit)]

    def __add__(self, other: Passages) -> ExitTimes:
        if not isinstance(other, ExitTimes):
            return NotImplemented
        return replace(
            self, counts=self.counts + other.counts, walkers=self.walkers + other.walkers,
            sums=tuple(a + b for a, b in zip(self.sums, other.sums, strict=True)),
            spots=tuple(a + b for a, b in zip(self.spots, other.spots, strict=True)),
        )  # fmt: skip

    def plot(self, ax: Axes | None = None) -> Axes:
        """The density of the time of passage by each exit, in about 50 bins."""
        from ..laws.plotting import axes

        ax = axes(ax)
        edges = self.times[np.unique(np.linspace(0, self.times.size - 1, 51).astype(int))]
        for column, exit in enumerate(self.exits):
            if self.counts[:, column].any():
                ax.stairs(self.density(edges, exit).value, edges, label=exit)
        ax.set(xlabel="time of passage $t$", ylabel="density")
        ax.legend()
        return ax

    def __repr__(self) -> str:
        gone = [f"{count:,} {exit}" for exit, count in zip(self.exits, self.counts.sum(axis=0), strict=True) if count]
        return f"ExitTimes({self.walkers:,} walkers: {', '.join([*gone, f'{self.censored:,} censored'])})"


@dataclass(frozen=True, eq=False)
class Departed:
    """The passage of every walker, in the order of their numbers.

    Attributes
    ----------
    parts : tuple of range
        The walkers.
    end : float
        The end of the run; walkers without a passage left later, if they do.
    exits : tuple of str
        The names of the exits.
    time : array of shape (walkers,)
        When they left (time); infinite for those that had not.
    exit : array of int, shape (walkers,)
        The number of the exit in `exits`; -1 for those that had not left.
    place : array of shape (walkers,), or (walkers, d) in d > 1 dimensions
        Where they left, on the wall; where the others are at the end.
    """

    parts: tuple[range, ...]
    end: float
    exits: tuple[str, ...]
    time: Floats
    exit: NDArray[np.int64]
    place: Floats

    def by(self, exit: str) -> NDArray[np.bool_]:
        """Which walkers left by the exit."""
        if exit not in self.exits:
            raise ValueError(f"exit = {exit!r}: must be one of {', '.join(map(repr, self.exits))}")
        return np.asarray(self.exit == self.exits.index(exit))

    def __add__(self, other: Departed) -> Departed:
        parts = (*self.parts, *other.parts)
        order = sorted(range(len(parts)), key=lambda i: parts[i].start)
        rows = np.cumsum([0, *map(len, parts)])

        def joined(name: str) -> Any:
            whole = np.concatenate([getattr(self, name), getattr(other, name)])
            return np.concatenate([whole[rows[i] : rows[i + 1]] for i in order])

        return replace(
            self, parts=tuple(parts[i] for i in order), time=joined("time"), exit=joined("exit"), place=joined("place")
        )

    def __repr__(self) -> str:
        left = int((self.exit >= 0).sum())
        return f"Departed({self.time.size:,} walkers: {left:,} left, {self.time.size - left:,} had not by t = {self.end:g})"
