"""Records of paths besides the counts of places: what each needs to know of the walkers, and how it counts them.

Results (:mod:`randwalk.run.results`) are histograms and sums of whole numbers, whose memory does not grow with the number of
walkers. Only :class:`Positions` keeps a number for every walker. The bins of a histogram are lattice numbers, steps or
displacements, never places in a window of sites, so results of different windows add.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..inputs.wording import shown
from ..model.coefficient import Floats
from ..model.shape import Shape
from ..model.walk import LatticeWalk
from ..tables.table import StepTable
from .batch import Batch
from .counted import Along, axis_names, only_one_dimension, place_of
from .counted import Counted as Counted
from .displacement import Displacement as Displacement
from .displacement import Moments as Moments
from .displacement import Positions as Positions
from .displacement import SquaredDisplacement as SquaredDisplacement
from .displacement import Trajectories as Trajectories
from .displacement import Winding as Winding
from .functional import Above, Distinct, Functional, Highest, Inside, Leaving, Visit
from .results import Histogram as Histogram
from .results import Passages as Passages
from .results import Paths as Paths
from .results import Recorded


@dataclass(frozen=True)
class FirstPassage(Counted):
    """When and where walkers leave: counts of absorptions by step, at each wall, in each absorbing region and by killing
    (:class:`Passages`).

    >>> import randwalk as rw
    >>> game = rw.LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0, start=2.0,
    ...                       domain=rw.Interval(0.0, 10.0, rw.Absorbing(), rw.Absorbing()))
    >>> record = rw.FirstPassage()
    >>> rw.simulate(game, 10_000, [1000], seed=1, record=[record])[record].absorbed("right", 1000)  # 2/10 in the end
    0.2022 ± 0.004
    """

    def follows(self, walk: LatticeWalk) -> tuple[Functional, ...]:
        return (Leaving(),)

    def occupation(self, walk: LatticeWalk) -> bool:
        return True

    def shape(self, table: StepTable, steps: Sequence[int]) -> tuple[int, ...]:
        return steps[-1] + 1, len(table.layout.exits)

    def size(self, table: StepTable, walkers: int, steps: Sequence[int]) -> tuple[float, str]:
        exits = len(table.layout.exits)
        return 8.0 * (exits + 1) * steps[-1], f"leave {self} out, take shorter times, or a larger dt"

    def empty(self, table: StepTable, parts: Sequence[range], steps: Sequence[int]) -> Recorded:
        times, exits = np.arange(steps[-1] + 1) * table.walk.dt, table.layout.exits
        return Passages(times, np.zeros((times.size, len(exits)), dtype=np.int64), sum(map(len, parts)), exits)

    def add(self, result: Recorded, row: int, batch: Batch) -> None:
        assert isinstance(result, Passages)
        if batch.may_leave:
            result.counts[:] = batch.passages(result.times.size - 1)


@dataclass(frozen=True)
class LastVisit(Counted):
    """The time of the last visit to the site nearest to `x`, up to each recorded time; `x` is a number, and a point (x, y) in the
    plane. The value NaN counts walkers that have not visited the site; means leave these walkers out."""

    x: float | tuple[float, ...] = 0.0

    def __post_init__(self) -> None:
        place = place_of(self, self.x)
        object.__setattr__(self, "x", place[0] if len(place) == 1 else place)

    def check(self, walk: LatticeWalk) -> None:
        if len(place_of(self, self.x)) != walk.dimension:
            raise ValueError(
                f"record = {self}: the walk has {walk.dimension} dimensions; give a place with as many numbers"
            )

    def follows(self, walk: LatticeWalk) -> tuple[Functional, ...]:
        return (Visit(place_of(self, self.x)),)

    def shape(self, table: StepTable, steps: Sequence[int]) -> tuple[int, ...]:
        return len(steps), steps[-1] + 2

    def bins(self, table: StepTable, steps: int) -> tuple[str, int, Floats]:
        place = [f"{name} = {x:g}" for name, x in zip(axis_names(table.walk), place_of(self, self.x), strict=True)]
        return f"last visit to {', '.join(place)}", -1, np.append(np.nan, np.arange(steps + 1) * table.walk.dt)

    def count(self, batch: Batch, bins: int) -> NDArray[np.int64]:
        return batch.histogram(Visit(place_of(self, self.x)), bins, 1)


@dataclass(frozen=True)
class TimePositive(Counted):
    """The time spent above the site nearest to `x`, up to each recorded time: a step counts if neither of its ends is
    below the site and not both are on it (Feller, volume I, III.4). Of walks in one dimension."""

    x: float = 0.0

    def __post_init__(self) -> None:
        (x,) = place_of(self, self.x, most=1)
        object.__setattr__(self, "x", x)

    def check(self, walk: LatticeWalk) -> None:
        only_one_dimension(self, walk, "TimeIn(HalfSpace(normal, offset))")

    def follows(self, walk: LatticeWalk) -> tuple[Functional, ...]:
        return (Above(self.x),)

    def shape(self, table: StepTable, steps: Sequence[int]) -> tuple[int, ...]:
        return len(steps), steps[-1] + 1

    def bins(self, table: StepTable, steps: int) -> tuple[str, int, Floats]:
        return f"time above x = {self.x:g}", 0, np.arange(steps + 1) * table.walk.dt

    def count(self, batch: Batch, bins: int) -> NDArray[np.int64]:
        return batch.histogram(Above(self.x), bins)


class Maximum(Along):
    """The highest place reached along an axis (0 or "x", 1 or "y", …), the start included, up to each recorded time."""

    def follows(self, walk: LatticeWalk) -> tuple[Functional, ...]:
        return (Highest(self.axis),)

    def shape(self, table: StepTable, steps: Sequence[int]) -> tuple[int, ...]:
        return len(steps), table.layout.padded[self.axis]

    def bins(self, table: StepTable, steps: int) -> tuple[str, int, Floats]:
        sites = table.layout.along(self.axis, ghosts=True)
        return self.named(table.walk, "maximum", "maximum of"), int(sites[0]), table.lattices[self.axis].x(sites)

    def count(self, batch: Batch, bins: int) -> NDArray[np.int64]:
        return batch.histogram(Highest(self.axis), bins)


@dataclass(frozen=True)
class TimeIn(Counted):
    """The time spent in a shape, up to each recorded time: a walker that makes a step from one of the sites in the shape has
    spent dt there.

    >>> import randwalk as rw
    >>> plane = rw.LatticeWalk(right=0.25, left=0.25, up=0.25, down=0.25, dx=1.0, dt=1.0)
    >>> record = rw.TimeIn(rw.HalfSpace((1.0, 0.0), 0.5))  # the sites with x ≥ 1
    >>> run = rw.simulate(plane, 10_000, [1], seed=1, method="paths", record=[record])
    >>> float(run[record].mean(1))  # every step begins at x = 0
    0.0
    """

    set: Shape

    def __post_init__(self) -> None:
        if not isinstance(self.set, Shape):
            raise TypeError(f"TimeIn: set = {shown(self.set)}: give a Ball, HalfSpace, Level or Mask")

    def check(self, walk: LatticeWalk) -> None:
        self.set.fit(walk.dimension)

    def follows(self, walk: LatticeWalk) -> tuple[Functional, ...]:
        return (Inside(self.set),)

    def shape(self, table: StepTable, steps: Sequence[int]) -> tuple[int, ...]:
        return len(steps), steps[-1] + 1

    def bins(self, table: StepTable, steps: int) -> tuple[str, int, Floats]:
        return f"time in {self.set}", 0, np.arange(steps + 1) * table.walk.dt

    def count(self, batch: Batch, bins: int) -> NDArray[np.int64]:
        return batch.histogram(Inside(self.set), bins)


@dataclass(frozen=True)
class Visits(Counted):
    """The number of visits to a site, or to the sites in a shape, up to each recorded time: of the times 0, dt, 2dt, … at which a
    walker is there (the local time of the walk), the start included. `set` is a shape, or the place of the nearest site: a
    number, and a point (x, y) in the plane.

    >>> import randwalk as rw
    >>> coin = rw.LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0)
    >>> run = rw.simulate(coin, 10_000, [2], seed=1, method="paths", record=[rw.Visits(0.0)])
    >>> run[rw.Visits(0.0)].mean(2)  # 1 + P(back after two steps)
    1.5065 ± 0.005
    """

    set: Shape | float | tuple[float, ...] = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.set, Shape):
            place = place_of(self, self.set, "set")
            object.__setattr__(self, "set", place[0] if len(place) == 1 else place)

    def check(self, walk: LatticeWalk) -> None:
        if isinstance(self.set, Shape):
            self.set.fit(walk.dimension)
        elif np.size(self.set) != walk.dimension:
            raise ValueError(
                f"record = {self}: the walk has {walk.dimension} dimensions; give a place with as many numbers, or a shape"
            )

    def follows(self, walk: LatticeWalk) -> tuple[Functional, ...]:
        return (self._inside,)

    @property
    def _inside(self) -> Inside:
        return Inside(self.set if isinstance(self.set, Shape) else place_of(self, self.set, "set"))

    def shape(self, table: StepTable, steps: Sequence[int]) -> tuple[int, ...]:
        return len(steps), steps[-1] + 2

    def bins(self, table: StepTable, steps: int) -> tuple[str, int, Floats]:
        return f"visits to {self.set}", 0, np.arange(steps + 2.0)

    def count(self, batch: Batch, bins: int) -> NDArray[np.int64]:
        return batch.visits(self._inside, bins)


@dataclass(frozen=True)
class DistinctSites(Counted):
    """The number of distinct sites visited, the start included, up to each recorded time. While walkers are followed it
    takes up to 16 bytes a step and walker.

    >>> import randwalk as rw
    >>> plane = rw.LatticeWalk(right=0.25, left=0.25, up=0.25, down=0.25, dx=1.0, dt=1.0)
    >>> record = rw.DistinctSites()
    >>> run = rw.simulate(plane, 20_000, [2], seed=1, method="paths", record=[record])
    >>> bool(abs(run[record].mean(2).z(2.75)) < 3)  # three sites unless the second step goes back
    True
    """

    def follows(self, walk: LatticeWalk) -> tuple[Functional, ...]:
        return (Distinct(),)

    def shape(self, table: StepTable, steps: Sequence[int]) -> tuple[int, ...]:
        return len(steps), steps[-1] + 2

    def bins(self, table: StepTable, steps: int) -> tuple[str, int, Floats]:
        return "distinct sites", 0, np.arange(steps + 2.0)

    def count(self, batch: Batch, bins: int) -> NDArray[np.int64]:
        return batch.distinct(bins)


Record: TypeAlias = (
    FirstPassage
    | LastVisit
    | TimePositive
    | Maximum
    | Displacement
    | Winding
    | TimeIn
    | Visits
    | DistinctSites
    | Moments
    | Positions
    | Counted
)


def followed(records: Sequence[Record], walk: LatticeWalk) -> tuple[Functional, ...]:
    """The functionals of every step of a path that the records need."""
    return tuple(functional for record in records for functional in record.follows(walk))
