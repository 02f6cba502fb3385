"""Functionals of a path that kernels keep up to date at every step, and the arrays by which kernels know them.

A record names the functionals that it needs; two records that need the same one share it. Rules of the functionals:
:mod:`randwalk.kernels.functionals`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ..kernels.backend import Levels
from ..tables.table import StepTable

FARTHEST = 1 << 30  # the largest index of a level
BEYOND = float(1 << 40)  # a lattice number outside every window


@dataclass(frozen=True)
class Leaving:
    """The number of steps after which a walker has left."""


@dataclass(frozen=True)
class Highest:
    """The highest cell along an axis, the start included."""

    axis: int


@dataclass(frozen=True)
class Visit:
    """The step of the last visit to the site nearest to a point, -1 if there was none."""

    point: tuple[float, ...]


@dataclass(frozen=True)
class Above:
    """The number of steps above the site nearest to x, of the only axis."""

    x: float


Functional: TypeAlias = Leaving | Highest | Visit | Above


class Functionals:
    """The functionals of a run on a table: `levels` for kernels, and which column of the state of walkers has which.

    The columns are the step of leaving, the highest site, then the last visits and the times above of `levels`.
    """

    def __init__(self, table: StepTable, wanted: Iterable[Functional]) -> None:
        self.wanted = tuple(dict.fromkeys(wanted))
        visits = [f for f in self.wanted if isinstance(f, Visit)]
        above = [f for f in self.wanted if isinstance(f, Above)]
        self.levels = Levels(
            np.array([nearest(table, f.point) for f in visits], dtype=np.int32),
            np.array([nearest(table, (f.x,)) for f in above], dtype=np.int32),
        )
        self._columns: list[Functional] = [Leaving(), Highest(0), *visits, *above]

    @property
    def leaving_only(self) -> bool:
        """Whether no other functional is wanted than the step of leaving."""
        return all(isinstance(functional, Leaving) for functional in self.wanted)

    def of(self, columns: Iterable[Any]) -> dict[Functional, Any]:
        """The functionals of walkers, of the columns of their state."""
        return dict(zip(self._columns, columns, strict=False))

    def carried(self, columns: list[Any], cells: Callable[[Any], Any]) -> list[Any]:
        """The columns of the state in another window: `cells` of those that hold cells; the others are numbers of steps."""
        pairs = zip(self._columns, columns, strict=False)
        return [cells(column) if isinstance(functional, Highest) else column for functional, column in pairs]


def nearest(table: StepTable, point: tuple[float, ...]) -> int:
    """The cell of the site nearest to a point: -1 below all cells of the only axis, the number of cells above them all, and
    -1 outside the window of several axes."""
    numbers = [
        round(max(-BEYOND, min((x - lattice.origin) / lattice.dx, BEYOND)))
        for x, lattice in zip(point, table.lattices, strict=True)
    ]
    if table.digits:  # walkers of a constant walk also step outside the window
        return max(-FARTHEST, min(int(table.layout.index(*numbers)), FARTHEST))
    return table.layout.level(*numbers)
