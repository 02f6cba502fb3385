"""Records of where walkers are: displacements from their starts, turns around rings, sums of displacements, places."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..inputs.memory import SHARE, available
from ..model.coefficient import Floats
from ..model.start import Point, start_masses
from ..model.walk import LatticeWalk
from ..tables.table import StepTable
from .batch import Batch
from .counted import Along, Counted, only_one_dimension
from .functional import Functional, Turns
from .results import Displacements, Paths, Recorded


class Displacement(Along):
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
        only_one_dimension(self, walk, "Displacement(axis) or Moments()")
        if _turns(walk, 0):
            raise ValueError(f"record = {self} needs a domain that is not a ring; Displacement() counts the turns")


class Winding(Along):
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


@dataclass(frozen=True)
class Trajectories(Positions):
    """The same for a run that is asked for nothing else: free walkers are not counted on sites beside it."""


def _from_one_site(walk: LatticeWalk) -> bool:
    """Whether all walkers start on one site."""
    factors = walk.start.factors if walk.dimension > 1 else (walk.start,)
    return factors is not None and all(
        isinstance(factor, Point) and start_masses(factor, lattice)[1].size == 1
        for factor, lattice in zip(factors, walk.lattices, strict=True)
    )


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
