"""Records of paths besides the counts of places: what each needs to know of the walkers, and how it counts them.

Results (:mod:`randwalk.run.results`) are histograms and sums of whole numbers, whose memory does not grow with the number of
walkers. Only :class:`Positions` keeps a number for every walker. The bins of a histogram are lattice numbers, steps or
displacements, never places in a window of sites, so results of different windows add.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..inputs.arguments import numbers
from ..inputs.memory import SHARE, available
from ..inputs.wording import shown
from ..model.coefficient import Floats
from ..model.coefficient.variables import coordinate
from ..model.shape import Shape
from ..model.start import Point, start_masses
from ..model.walk import LatticeWalk
from ..tables.table import StepTable
from .batch import Batch
from .functional import Above, Distinct, Functional, Highest, Inside, Leaving, Turns, Visit
from .results import Displacements, Recorded
from .results import Histogram as Histogram
from .results import Passages as Passages
from .results import Paths as Paths


class Counted:
    """A record. Most are histograms: `bins` are the bins, `count` counts the walkers in them."""

    def check(self, walk: LatticeWalk) -> None:
        """Refuse a walk whose paths have no such functional."""

    def follows(self, walk: LatticeWalk) -> tuple[Functional, ...]:
        """The functionals of the paths of a walk that it needs."""
        return ()

    def occupation(self, walk: LatticeWalk) -> bool:
        """Whether the occupation method can keep it, which knows how many walkers are on each site, and how many leave."""
        return False

    def bins(self, table: StepTable, steps: int) -> tuple[str, int, Floats]:
        """(name, whole number of the first bin, value of every bin)."""
        raise TypeError(f"{type(self).__name__} is not a histogram")

    def count(self, batch: Batch, bins: int) -> NDArray[np.int64]:
        """The number of walkers in each of the `bins`."""
        raise TypeError(f"{type(self).__name__} is not a histogram")

    def shape(self, table: StepTable, steps: Sequence[int]) -> tuple[int, ...]:
        """The shape of the counts of the result."""
        raise TypeError(f"{type(self).__name__} has no counts")

    def size(self, table: StepTable, walkers: int, steps: Sequence[int]) -> tuple[float, str]:
        """(bytes of the result, the remedy if they are too many)."""
        values = max(steps[-1], 2 * max(table.layout.shape))
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
        result.counts[row] = self.count(batch, result.values.size)


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
        place = _place(self, self.x)
        object.__setattr__(self, "x", place[0] if len(place) == 1 else place)

    def check(self, walk: LatticeWalk) -> None:
        if len(_place(self, self.x)) != walk.dimension:
            raise ValueError(
                f"record = {self}: the walk has {walk.dimension} dimensions; give a place with as many numbers"
            )

    def follows(self, walk: LatticeWalk) -> tuple[Functional, ...]:
        return (Visit(_place(self, self.x)),)

    def shape(self, table: StepTable, steps: Sequence[int]) -> tuple[int, ...]:
        return len(steps), steps[-1] + 2

    def bins(self, table: StepTable, steps: int) -> tuple[str, int, Floats]:
        place = [f"{name} = {x:g}" for name, x in zip(_names(table.walk), _place(self, self.x), strict=True)]
        return f"last visit to {', '.join(place)}", -1, np.append(np.nan, np.arange(steps + 1) * table.walk.dt)

    def count(self, batch: Batch, bins: int) -> NDArray[np.int64]:
        return batch.histogram(Visit(_place(self, self.x)), bins, 1)


@dataclass(frozen=True)
class TimePositive(Counted):
    """The time spent above the site nearest to `x`, up to each recorded time: a step counts if neither of its ends is
    below the site and not both are on it (Feller, volume I, III.4). Of walks in one dimension."""

    x: float = 0.0

    def __post_init__(self) -> None:
        (x,) = _place(self, self.x, most=1)
        object.__setattr__(self, "x", x)

    def check(self, walk: LatticeWalk) -> None:
        _only_one_dimension(self, walk, "TimeIn(HalfSpace(normal, offset))")

    def follows(self, walk: LatticeWalk) -> tuple[Functional, ...]:
        return (Above(self.x),)

    def shape(self, table: StepTable, steps: Sequence[int]) -> tuple[int, ...]:
        return len(steps), steps[-1] + 1

    def bins(self, table: StepTable, steps: int) -> tuple[str, int, Floats]:
        return f"time above x = {self.x:g}", 0, np.arange(steps + 1) * table.walk.dt

    def count(self, batch: Batch, bins: int) -> NDArray[np.int64]:
        return batch.histogram(Above(self.x), bins)


@dataclass(frozen=True, repr=False)
class _Along(Counted):
    """A record of one axis: 0 or "x", 1 or "y", …"""

    axis: int = 0

    def __init__(self, axis: int | str = 0) -> None:
        object.__setattr__(self, "axis", _axis(self, axis))

    def check(self, walk: LatticeWalk) -> None:
        if self.axis >= walk.dimension:
            raise ValueError(f"record = {self}: the walk has the axes {', '.join(_names(walk))} alone")

    def named(self, walk: LatticeWalk, one: str, several: str) -> str:
        """The name of a histogram: in one dimension, and `several` with the name of the axis in more."""
        return one if walk.dimension == 1 else f"{several} {_names(walk)[self.axis]}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({f'axis={self.axis}' if self.axis else ''})"


class Maximum(_Along):
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


class Displacement(_Along):
    """The displacement of survivors along an axis (0 or "x", 1 or "y", …) from their own starts at each recorded time. On a
    periodic axis it counts the turns, too."""

    def check(self, walk: LatticeWalk) -> None:
        super().check(walk)
        _check_rings(self, walk, self.axis)

    def follows(self, walk: LatticeWalk) -> tuple[Functional, ...]:
        return _turns(walk, self.axis)

    def occupation(self, walk: LatticeWalk) -> bool:
        return not _turns(walk, self.axis) and _from_one_site(walk)

    def shape(self, table: StepTable, steps: Sequence[int]) -> tuple[int, ...]:
        return len(steps), 2 * self._farthest(table, steps[-1]) + 1

    def bins(self, table: StepTable, steps: int) -> tuple[str, int, Floats]:
        n = self._farthest(table, steps)
        name = self.named(table.walk, "displacement", "displacement along")
        return name, -n, np.arange(-n, n + 1) * table.lattices[self.axis].dx

    def _farthest(self, table: StepTable, steps: int) -> int:
        return steps if table.layout.periodic[self.axis] else table.layout.shape[self.axis]

    def count(self, batch: Batch, bins: int) -> NDArray[np.int64]:
        return batch.displacement(self.axis, bins)


class SquaredDisplacement(Displacement):
    """:class:`Displacement` of walks in one dimension; its mean square is the MSD. Not on a ring, where a displacement needs the
    number of turns."""

    def check(self, walk: LatticeWalk) -> None:
        _only_one_dimension(self, walk, "Displacement(axis) or Moments()")
        if _turns(walk, 0):
            raise ValueError(f"record = {self} needs a domain that is not a ring; Displacement() counts the turns")


class Winding(_Along):
    """How many times survivors have gone round a periodic axis (0 or "x", 1 or "y", …), upward minus downward, up to each
    recorded time: the turns over the seam where the ends of the axis meet."""

    def check(self, walk: LatticeWalk) -> None:
        super().check(walk)
        if not _turns(walk, self.axis):
            rings = [f"Winding({a})" for a, axis in enumerate(walk.domain.axes) if axis.periodic]
            remedy = f"; take {' or '.join(rings)}" if rings else ""
            raise ValueError(
                f"record = {self}: {walk.domain.axes[self.axis]} is not a ring, which alone has turns{remedy}"
            )
        _check_rings(self, walk, self.axis)

    def follows(self, walk: LatticeWalk) -> tuple[Functional, ...]:
        return _turns(walk, self.axis)

    def shape(self, table: StepTable, steps: Sequence[int]) -> tuple[int, ...]:
        return len(steps), 2 * self._most(table, steps[-1]) + 1

    def bins(self, table: StepTable, steps: int) -> tuple[str, int, Floats]:
        most = self._most(table, steps)
        return self.named(table.walk, "turns", "turns around"), -most, np.arange(-most, most + 1.0)

    def _most(self, table: StepTable, steps: int) -> int:
        return steps // table.layout.shape[self.axis] + 1

    def count(self, batch: Batch, bins: int) -> NDArray[np.int64]:
        return batch.living(Turns(self.axis), bins)


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


@dataclass(frozen=True)
class Moments(Counted):
    """Exact sums of the displacements of survivors from their own starts, of their products and squares
    (:class:`Displacements`): mean, covariance and mean squared displacement at each recorded time. On periodic axes
    displacements count the turns, too.

    >>> import randwalk as rw
    >>> plane = rw.LatticeWalk(right=0.25, left=0.25, up=0.25, down=0.25, dx=1.0, dt=1.0)
    >>> run = rw.simulate(plane, 10_000, [100], seed=1, record=[rw.Moments()])
    >>> abs(run[rw.Moments()].mean_square(100).z(100.0)) < 3
    np.True_
    """

    def check(self, walk: LatticeWalk) -> None:
        _check_rings(self, walk, *range(walk.dimension))

    def follows(self, walk: LatticeWalk) -> tuple[Functional, ...]:
        return _turns(walk, *range(walk.dimension))

    def occupation(self, walk: LatticeWalk) -> bool:
        return not self.follows(walk) and _from_one_site(walk)

    def shape(self, table: StepTable, steps: Sequence[int]) -> tuple[int, ...]:
        return len(steps), 1 + table.walk.dimension + 2 * table.walk.dimension**2, 3

    def size(self, table: StepTable, walkers: int, steps: Sequence[int]) -> tuple[float, str]:
        return 200.0 * len(steps) * table.walk.dimension**2, f"leave {self} out, or record fewer times"

    def empty(self, table: StepTable, parts: Sequence[range], steps: Sequence[int]) -> Recorded:
        walk, times, d = table.walk, len(steps), table.walk.dimension
        first, second, fourth = (np.zeros((times, *shape), dtype=object) for shape in ((d,), (d, d), (d, d)))
        asked, alive = np.array(walk.recorded(steps).asked), np.zeros(times, dtype=np.int64)
        return Displacements(asked, walk.spacings, alive, first, second, fourth)

    def add(self, result: Recorded, row: int, batch: Batch) -> None:
        assert isinstance(result, Displacements)
        k, walkers = batch.displacements()
        result.alive[row] = walkers.sum()
        for a, along in enumerate(k):
            result.first[row, a] = exact_sum(along, walkers)
            for b, other in enumerate(k[: a + 1]):
                both = along * other
                result.second[row, a, b] = result.second[row, b, a] = exact_sum(both, walkers)
                result.fourth[row, a, b] = result.fourth[row, b, a] = exact_sum(both, walkers, both)


def exact_sum(values: NDArray[np.int64], *factors: NDArray[np.int64]) -> int:
    """The sum of the products of whole numbers, exact: in 64 bits where no sum can be longer."""
    arrays = (values, *factors)
    if math.prod(int(np.abs(array).max(initial=0)) for array in arrays) * max(values.size, 1) >= 1 << 63:
        arrays = tuple(array.astype(object) for array in arrays)
    return int(np.sum(math.prod(arrays)))


@dataclass(frozen=True)
class Positions(Counted):
    """The place of every walker at each recorded time, the only record whose memory grows with walkers: 8 bytes each, for each
    axis."""

    def size(self, table: StepTable, walkers: int, steps: Sequence[int]) -> tuple[float, str]:
        each = 8.0 * len(steps) * table.walk.dimension
        fit = max(1, int(0.4 * SHARE * available() / each))
        return each * walkers, f"take walkers ≤ {fit}, or record fewer times"

    def empty(self, table: StepTable, parts: Sequence[range], steps: Sequence[int]) -> Recorded:
        axes = (table.walk.dimension,) if table.walk.dimension > 1 else ()
        blocks = tuple(np.empty((len(steps), len(part), *axes)) for part in parts)
        return Paths(np.array(table.walk.recorded(steps).asked), tuple(parts), blocks, table.walk.domain)

    def add(self, result: Recorded, row: int, batch: Batch) -> None:
        assert isinstance(result, Paths)
        places = result.blocks[0][row]
        for axis, x in enumerate(batch.places()):
            places[(..., axis) if places.ndim > 1 else ...] = x


Record: TypeAlias = (
    FirstPassage
    | LastVisit
    | TimePositive
    | Maximum
    | Displacement
    | Winding
    | TimeIn
    | DistinctSites
    | Moments
    | Positions
    | Counted
)


def followed(records: Sequence[Record], walk: LatticeWalk) -> tuple[Functional, ...]:
    """The functionals of every step of a path that the records need."""
    return tuple(functional for record in records for functional in record.follows(walk))


def _place(record: Counted, x: ArrayLike, most: int | None = None) -> tuple[float, ...]:
    """The coordinates of a place, if they are some."""
    name = type(record).__name__
    given = numbers(f"{name}: x", x)
    if given.ndim > 1 or not given.size or (most is not None and given.size > most):
        raise ValueError(f"{name}: x = {shown(x)} must be {'a number' if most == 1 else 'a number, or a point (x, y)'}")
    if not np.isfinite(given).all():
        raise ValueError(f"{name}: x = {shown(x)} must be a finite number")
    return tuple(given.ravel().tolist())


def _names(walk: LatticeWalk) -> tuple[str, ...]:
    """The names of the axes."""
    return tuple(map(coordinate, range(walk.dimension)))


def _axis(record: Counted, axis: int | str) -> int:
    """The number of an axis that is given by its number or name."""
    names = ("x", "y", "z")
    if isinstance(axis, str) and axis in names:
        return names.index(axis)
    if isinstance(axis, (int, np.integer)) and not isinstance(axis, bool) and axis >= 0:
        return int(axis)
    raise ValueError(
        f"{type(record).__name__}: axis = {shown(axis)}: must be 0, 1, … or one of {', '.join(map(repr, names))}"
    )


def _from_one_site(walk: LatticeWalk) -> bool:
    """Whether all walkers start on one site."""
    factors = walk.start.factors if walk.dimension > 1 else (walk.start,)
    return factors is not None and all(
        isinstance(factor, Point) and start_masses(factor, lattice)[1].size == 1
        for factor, lattice in zip(factors, walk.lattices, strict=True)
    )


def _only_one_dimension(record: Counted, walk: LatticeWalk, instead: str) -> None:
    if walk.dimension > 1:
        raise ValueError(f"record = {record} is of walks in one dimension; in {walk.dimension} take {instead}")


def _turns(walk: LatticeWalk, *axes: int) -> tuple[Functional, ...]:
    """The turns around those of the axes that are periodic."""
    return tuple(Turns(axis) for axis in axes if walk.domain.axes[axis].periodic)


def _check_rings(record: Counted, walk: LatticeWalk, *axes: int) -> None:
    """Refuse rings so short that a step does not show in which direction it goes."""
    for axis in axes:
        if walk.domain.axes[axis].periodic and (walk.lattices[axis].sites or 0) < 3:
            raise ValueError(
                f"record = {record}: turns around a ring of {walk.lattices[axis].sites} sites are not told apart; take 3 or more"
            )
