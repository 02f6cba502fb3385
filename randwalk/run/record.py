"""Records of paths besides the counts of places, and their results.

Each record is a histogram of a whole-number functional of the path, which the kernels compute: its memory does not grow with the
number of walkers. Only :class:`Positions` keeps a number for every walker. The bins of a histogram are lattice numbers, steps or
displacements, never places in a window of sites, so results of different windows add.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..inputs.arguments import number
from ..inputs.keywords import once_named
from ..inputs.memory import SHARE, available
from ..laws.estimate import Estimate, average, proportion, values_of
from ..laws.law import warn_of_passed
from ..model.coefficient import Floats
from ..model.domain import EXITS, exit_index
from ..model.times import Times, row_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..kernels.backend import Machine
    from ..tables.table import StepTable


@dataclass(frozen=True, eq=False)
class Batch:
    """Walkers in memory at a recorded time: where they are, where they began, and the functionals of their paths.

    The arrays are the machine's, which counts them. `live` is (first, last) index of the sites inside the domain, or None if
    walkers cannot leave it.
    """

    table: StepTable
    backend: Machine
    site: Any
    begun: Any
    passage: Any
    maximum: Any
    visits: dict[LastVisit, Any]
    positives: dict[TimePositive, Any]
    live: tuple[int, int] | None


@dataclass(frozen=True, eq=False)
class Bin:
    """The bin of each walker: `values` - `minus` + `shift`; if `living`, only walkers inside the domain are counted."""

    values: Any
    shift: int = 0
    minus: Any = None
    living: bool = False


class Counted:
    """A record that is a histogram: `bins` are its bins, `bin` is the bin of each walker."""

    def bins(self, table: StepTable, steps: int) -> tuple[str, int, Floats]:
        """(name, whole number of the first bin, value of every bin)."""
        raise TypeError(f"{type(self).__name__} is not a histogram")

    def bin(self, batch: Batch) -> Bin:
        raise TypeError(f"{type(self).__name__} is not a histogram")

    def size(self, table: StepTable, walkers: int, steps: Sequence[int]) -> tuple[float, str]:
        """(bytes of the result, the remedy if they are too many)."""
        values = max(steps[-1], 2 * table.sites)
        return 8.0 * len(steps) * values, f"leave {self} out, record fewer times, or take a larger dx and dt"

    def empty(self, table: StepTable, parts: Sequence[range], steps: Sequence[int]) -> Recorded:
        """The result of the walkers `parts` before any of them is counted."""
        name, first, values = self.bins(table, steps[-1])
        counts = np.zeros((len(steps), values.size), dtype=np.int64)
        return Histogram(name, np.array(table.walk.recorded(steps).asked), values, counts, sum(map(len, parts)), first)

    def on(self, result: Recorded, table: StepTable, steps: Sequence[int]) -> Recorded:
        """The result with the bins of a wider window."""
        if not isinstance(result, Histogram):
            return result
        whole = self.empty(table, (range(result.walkers),), steps)
        assert isinstance(whole, Histogram)
        whole.counts[:, result.first - whole.first :][:, : result.values.size] = result.counts
        return whole

    def add(self, result: Recorded, row: int, batch: Batch) -> None:
        """Count the batch at recorded time number `row`."""
        assert isinstance(result, Histogram)
        chosen = self.bin(batch)
        live = batch.live if chosen.living else None
        result.counts[row] = batch.backend.histogram(
            chosen.values, result.values.size, chosen.shift, chosen.minus, live
        )


@dataclass(frozen=True)
class FirstPassage(Counted):
    """When and where walkers leave: counts of absorptions by step, at each wall and by killing (:class:`Passages`).

    >>> import randwalk as rw
    >>> game = rw.LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0, start=2.0,
    ...                       domain=rw.Interval(0.0, 10.0, rw.Absorbing(), rw.Absorbing()))
    >>> record = rw.FirstPassage()
    >>> rw.simulate(game, 10_000, [1000], seed=1, record=[record])[record].absorbed("right", 1000)  # 2/10 in the end
    0.2022 ± 0.004
    """

    def size(self, table: StepTable, walkers: int, steps: Sequence[int]) -> tuple[float, str]:
        return 32.0 * steps[-1], f"leave {self} out, take shorter times, or a larger dt"

    def empty(self, table: StepTable, parts: Sequence[range], steps: Sequence[int]) -> Recorded:
        times = np.arange(steps[-1] + 1) * table.walk.dt
        return Passages(times, np.zeros((times.size, len(EXITS)), dtype=np.int64), sum(map(len, parts)))

    def add(self, result: Recorded, row: int, batch: Batch) -> None:
        assert isinstance(result, Passages)
        if batch.live is not None:
            steps, exit_of = result.times.size - 1, batch.table.layout.exit_of
            result.counts[:] = batch.backend.passages(batch.site, batch.passage, steps, exit_of)


@dataclass(frozen=True)
class LastVisit(Counted):
    """The time of the last visit to the site nearest to `x`, up to each recorded time. The value NaN counts walkers that have not
    visited the site; means leave these walkers out."""

    x: float = 0.0

    def __post_init__(self) -> None:
        _check_level(self)

    def bins(self, table: StepTable, steps: int) -> tuple[str, int, Floats]:
        return f"last visit to x = {self.x:g}", -1, np.append(np.nan, np.arange(steps + 1) * table.walk.dt)

    def bin(self, batch: Batch) -> Bin:
        return Bin(batch.visits[self], shift=1)


@dataclass(frozen=True)
class TimePositive(Counted):
    """The time spent above the site nearest to `x`, up to each recorded time: a step counts if neither of its ends is
    below the site and not both are on it (Feller, volume I, III.4)."""

    x: float = 0.0

    def __post_init__(self) -> None:
        _check_level(self)

    def bins(self, table: StepTable, steps: int) -> tuple[str, int, Floats]:
        return f"time above x = {self.x:g}", 0, np.arange(steps + 1) * table.walk.dt

    def bin(self, batch: Batch) -> Bin:
        return Bin(batch.positives[self])


def _check_level(record: LastVisit | TimePositive) -> None:
    x = number(f"{type(record).__name__}: x", record.x)
    if not math.isfinite(x):
        raise ValueError(f"{type(record).__name__}: x = {record.x} must be a finite number")
    object.__setattr__(record, "x", x)


@dataclass(frozen=True)
class Maximum(Counted):
    """The highest place reached, the start included, up to each recorded time."""

    def bins(self, table: StepTable, steps: int) -> tuple[str, int, Floats]:
        sites = table.layout.along(ghosts=True)
        return "maximum", int(sites[0]), table.lattice.x(sites)

    def bin(self, batch: Batch) -> Bin:
        return Bin(batch.maximum)


@dataclass(frozen=True)
class SquaredDisplacement(Counted):
    """The displacement of survivors from their own starts at each recorded time; its mean square is the MSD. Not on a ring,
    where a displacement needs the number of turns."""

    def bins(self, table: StepTable, steps: int) -> tuple[str, int, Floats]:
        if table.lattice.periodic:
            raise ValueError("record = SquaredDisplacement() needs a domain that is not a ring")
        return "displacement", -table.sites, np.arange(-table.sites, table.sites + 1) * table.walk.dx

    def bin(self, batch: Batch) -> Bin:
        return Bin(batch.site, shift=batch.table.sites, minus=batch.begun, living=True)


@dataclass(frozen=True)
class Positions(Counted):
    """The place of every walker at each recorded time, the only record whose memory grows with walkers: 8 bytes each."""

    def size(self, table: StepTable, walkers: int, steps: Sequence[int]) -> tuple[float, str]:
        fit = max(1, int(0.4 * SHARE * available() / (8.0 * len(steps))))
        return 8.0 * len(steps) * walkers, f"take walkers ≤ {fit}, or record fewer times"

    def empty(self, table: StepTable, parts: Sequence[range], steps: Sequence[int]) -> Recorded:
        blocks = tuple(np.empty((len(steps), len(part))) for part in parts)
        return Paths(np.array(table.walk.recorded(steps).asked), tuple(parts), blocks)

    def add(self, result: Recorded, row: int, batch: Batch) -> None:
        assert isinstance(result, Paths)
        table, site = batch.table, batch.backend.host(batch.site)
        killed = (site == table.layout.killed) & (batch.live is not None)
        result.blocks[0][row] = np.where(killed, np.nan, table.lattice.x(table.layout.numbers(site)[0]))


Record: TypeAlias = FirstPassage | LastVisit | TimePositive | Maximum | SquaredDisplacement | Positions
FUNCTIONALS = (FirstPassage, LastVisit, TimePositive, Maximum)  # these records need every step of a path


@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts of a functional: ``counts[i, j]`` of `walkers` had ``values[j]`` at ``times[i]``. Walkers that had left the domain
    are not counted, so a row may sum to less than `walkers`; the value NaN counts walkers for whom the functional has none.
    `first` is the whole number of bin 0: of the site, of the displacement in sites, or of the step."""

    name: str
    times: Floats
    values: Floats
    counts: NDArray[np.int64]
    walkers: int
    first: int = 0

    def _row(self, t: float) -> NDArray[np.int64]:
        return self.counts[row_of(t, self.times)]

    def proportions(self, t: float) -> Estimate:
        """The fraction of walkers with each of the values at time `t`."""
        return proportion(self._row(t), self.walkers)

    def mean(self, t: float) -> Estimate:
        """The mean of the functional at time `t` over the walkers that have it; NaN if none has."""
        return self.expect(lambda v: v, t)

    def expect(self, f: Callable[[Floats], ArrayLike], t: float) -> Estimate:
        """The mean of f(value) at time `t` over the walkers that have the functional; NaN if none has."""
        has = np.isfinite(self.values)
        row = self._row(t)[has]
        return average(values_of(f, self.values[has]), row, int(row.sum()))

    def __add__(self, other: Histogram) -> Histogram:
        """The walkers of both, on the same bins (a record's `on` gives bins of a wider window)."""
        return replace(self, counts=self.counts + other.counts, walkers=self.walkers + other.walkers)

    def plot(self, t: float | None = None, ax: Axes | None = None) -> Axes:
        """The histogram at time `t` (default: the last)."""
        from ..laws.plotting import COLOURS, axes

        ax = axes(ax)
        shares = self.proportions(float(self.times[-1]) if t is None else t)
        kept = shares.value > 0
        ax.errorbar(
            self.values[kept], shares.value[kept], shares.error[kept], fmt=".", color=COLOURS["walk"], label="walk"
        )
        ax.set(xlabel=self.name, ylabel="fraction of walkers")
        return ax

    def __repr__(self) -> str:
        return f"Histogram({self.name!r}, {self.values.size} values, {self.times.size} times, {self.walkers:,} walkers)"


@dataclass(frozen=True, eq=False)
class Passages:
    """First-passage counts: ``counts[n, w]`` of `walkers` left at ``times[n]`` by way w of ("left", "right", "killing")."""

    times: Floats
    counts: NDArray[np.int64]
    walkers: int

    def absorbed(self, exit: str, t: ArrayLike) -> Estimate:
        """The fraction that had left by the `exit` by each of the times `t`, any times of the run: by the last step at or
        before them."""
        return proportion(np.cumsum(self.counts[:, exit_index(exit, "exit")])[self._steps(t)], self.walkers)

    def passed(self, wall: str, times: ArrayLike) -> Estimate:
        """The former name of :meth:`absorbed`."""
        warn_of_passed()
        return self.absorbed(wall, times)

    def _steps(self, times: ArrayLike) -> NDArray[np.int64]:
        last = self.times.size - 1
        dt = float(self.times[1]) if last else 1.0  # a run of no steps has no other time than 0
        return Times((last,), dt, (float(self.times[-1]),)).step_before(times)

    def survival(self, t: ArrayLike) -> Estimate:
        """The fraction that had not left at each of the times `t`, any times of the run."""
        return proportion(self.walkers - np.cumsum(self.counts.sum(axis=1))[self._steps(t)], self.walkers)

    @once_named(wall="exit")
    def mean(self, exit: str | None = None) -> Estimate:
        """The mean passage time of the walkers that left by the `exit` (None: by any exit) during the run."""
        counts = self.counts.sum(axis=1) if exit is None else self.counts[:, exit_index(exit, "exit")]
        return average(self.times, counts, int(counts.sum()))

    def __add__(self, other: Passages) -> Passages:
        return Passages(self.times, self.counts + other.counts, self.walkers + other.walkers)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Survival against time."""
        from ..laws.plotting import COLOURS, axes

        ax = axes(ax)
        ax.plot(self.times, self.survival(self.times).value, color=COLOURS["walk"], label="walk")
        ax.set(xlabel="time $t$", ylabel="survival probability")
        return ax

    def __repr__(self) -> str:
        left, right, killed = self.counts.sum(axis=0)
        return f"Passages({self.walkers:,} walkers: {left:,} left, {right:,} right, {killed:,} killed, {self.times.size} times)"


@dataclass(frozen=True, eq=False)
class Paths:
    """The place of every walker at each recorded time, `x` of shape (times, walkers) in the order of their numbers: the wall
    once absorbed, NaN once killed. `blocks` holds the places of each of the ranges of walkers `parts`."""

    times: Floats
    parts: tuple[range, ...]
    blocks: tuple[Floats, ...]

    @cached_property
    def x(self) -> Floats:
        """All places as one array. The blocks become views of it, so that the places are in memory once."""
        whole = self.blocks[0] if len(self.blocks) == 1 else np.concatenate(self.blocks, axis=1)
        begins = np.cumsum([len(part) for part in self.parts])[:-1]
        object.__setattr__(self, "blocks", tuple(np.split(whole, begins, axis=1)))
        return whole

    def __add__(self, other: Paths) -> Paths:
        pairs = zip((*self.parts, *other.parts), (*self.blocks, *other.blocks), strict=True)
        ordered = sorted(pairs, key=lambda pair: pair[0].start)
        return Paths(self.times, tuple(part for part, _ in ordered), tuple(block for _, block in ordered))

    def plot(self, ax: Axes | None = None) -> Axes:
        """Each path against time."""
        from ..laws.plotting import axes

        ax = axes(ax)
        ax.plot(self.times, self.x, lw=0.6)
        ax.set(xlabel="time $t$", ylabel="position $x$")
        return ax

    def __repr__(self) -> str:
        return f"Paths({sum(map(len, self.parts)):,} walkers, {self.times.size} times)"


Recorded: TypeAlias = Histogram | Passages | Paths
