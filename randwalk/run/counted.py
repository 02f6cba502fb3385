"""What every record of paths has: the functionals that it needs, its bins and how walkers are counted in them; and the checks of
its arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..inputs.arguments import numbers
from ..inputs.wording import shown
from ..model.coefficient import Floats
from ..model.coefficient.variables import coordinate
from ..model.walk import LatticeWalk
from ..tables.table import StepTable
from .batch import Batch
from .functional import Functional
from .results import Histogram, Recorded


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


@dataclass(frozen=True, repr=False)
class Along(Counted):
    """A record of one axis: 0 or "x", 1 or "y", …"""

    axis: int = 0

    def __init__(self, axis: int | str = 0) -> None:
        object.__setattr__(self, "axis", axis_of(self, axis))

    def check(self, walk: LatticeWalk) -> None:
        if self.axis >= walk.dimension:
            raise ValueError(f"record = {self}: the walk has the axes {', '.join(axis_names(walk))} alone")

    def named(self, walk: LatticeWalk, one: str, several: str) -> str:
        """The name of a histogram: in one dimension, and `several` with the name of the axis in more."""
        return one if walk.dimension == 1 else f"{several} {axis_names(walk)[self.axis]}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({f'axis={self.axis}' if self.axis else ''})"


def place_of(record: Counted, x: ArrayLike, argument: str = "x", most: int | None = None) -> tuple[float, ...]:
    """The coordinates of a place, if they are some."""
    name = f"{type(record).__name__}: {argument}"
    given = numbers(name, x)
    if given.ndim > 1 or not given.size or (most is not None and given.size > most):
        raise ValueError(f"{name} = {shown(x)} must be {'a number' if most == 1 else 'a number, or a point (x, y)'}")
    if not np.isfinite(given).all():
        raise ValueError(f"{name} = {shown(x)} must be a finite number")
    return tuple(given.ravel().tolist())


def axis_names(walk: LatticeWalk) -> tuple[str, ...]:
    """The names of the axes."""
    return tuple(map(coordinate, range(walk.dimension)))


def axis_of(record: Counted, axis: int | str) -> int:
    """The number of an axis that is given by its number or name."""
    names = ("x", "y", "z")
    if isinstance(axis, str) and axis in names:
        return names.index(axis)
    if isinstance(axis, (int, np.integer)) and not isinstance(axis, bool) and axis >= 0:
        return int(axis)
    raise ValueError(
        f"{type(record).__name__}: axis = {shown(axis)}: must be 0, 1, … or one of {', '.join(map(repr, names))}"
    )


def only_one_dimension(record: Counted, walk: LatticeWalk, instead: str) -> None:
    if walk.dimension > 1:
        raise ValueError(f"record = {record} is of walks in one dimension; in {walk.dimension} take {instead}")
