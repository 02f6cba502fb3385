"""Functionals of a path that kernels keep up to date at every step, and the arrays by which kernels know them.

A record names the functionals that it needs; two records that need the same one share it. Rules of the functionals:
:mod:`randwalk.kernels.functionals`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..kernels.cpu import visit
from ..kernels.program import NO_PLACES, NO_SETS, Levels
from ..model.domain import sites_within
from ..model.shape import Shape
from ..tables.table import StepTable
from .machine import Machine

FARTHEST = 1 << 30  # the largest index of a level
BEYOND = float(1 << 40)  # a lattice number outside every window


@dataclass(frozen=True)
class Leaving:
    """The number of steps after which a walker has left."""


@dataclass(frozen=True)
class Highest:
    """The highest place along an axis, the start included, numbered as the cells of the axis are."""

    axis: int


@dataclass(frozen=True)
class Visit:
    """The step of the last visit to the site nearest to a point, -1 if there was none."""

    point: tuple[float, ...]


@dataclass(frozen=True)
class Above:
    """The number of steps above the site nearest to x, of the only axis."""

    x: float


@dataclass(frozen=True)
class Inside:
    """The number of steps that are made from the sites in a shape, or from the site nearest to a point."""

    set: Shape | tuple[float, ...]


@dataclass(frozen=True)
class Turns:
    """The number of turns around a periodic axis, upward minus downward."""

    axis: int


@dataclass(frozen=True)
class Distinct:
    """The number of cells where a walker has been, the one at which it rests included."""


Functional: TypeAlias = Leaving | Highest | Visit | Above | Inside | Turns | Distinct


class Functionals:
    """The functionals of a run of so many steps on a table: `levels` for kernels, and which column of the state of walkers has
    which."""

    def __init__(self, table: StepTable, wanted: Iterable[Functional], steps: int) -> None:
        self.wanted = tuple(dict.fromkeys(wanted))
        by_kind: dict[type, list[Any]] = {kind: [] for kind in (Visit, Above, Inside, Highest, Turns)}
        for functional in self.wanted:
            by_kind.setdefault(type(functional), []).append(functional)
        if len(table.layout.shape) == 1:  # the second column of every state
            by_kind[Highest] = []
        visits, above, inside, highest, turns = (by_kind[kind] for kind in (Visit, Above, Inside, Highest, Turns))
        self.levels = Levels(
            np.array([nearest(table, f.point) for f in visits], dtype=np.int32),
            np.array([nearest(table, (f.x,)) for f in above], dtype=np.int32),
            _stacked([within(table, f.set) for f in inside], NO_SETS),
            _stacked([_along(table, f.axis) for f in highest], NO_PLACES),
            _stacked([_along(table, f.axis) for f in turns], NO_PLACES),
        )
        first: list[Functional | None] = [Leaving(), Highest(0) if len(table.layout.shape) == 1 else None]
        self.words = words_of(table, self.wanted, steps)
        self._columns = [*first, *visits, *above, *inside, *highest, *turns, Distinct()]

    def begun(self, site: Any, machine: Machine) -> Levels:
        """The levels of walkers that begin at the cells `site`, an array of the machine."""
        if not self.words:
            return self.levels
        seen = np.zeros((site.size, self.words), dtype=np.uint32)
        visit(seen, machine.host(site))
        return self.levels._replace(seen=machine.array(seen))

    @property
    def leaving_only(self) -> bool:
        """Whether no other functional is wanted than the step of leaving."""
        return all(isinstance(functional, Leaving) for functional in self.wanted)

    @property
    def on_cells(self) -> bool:
        """Whether walkers may not step outside the window."""
        return self.words > 0 or any(len(kept) for kept in self.levels[2:])

    def of(self, columns: Iterable[Any]) -> dict[Functional, Any]:
        """The functionals of walkers, of the columns of their state."""
        named = zip(self._columns, columns, strict=False)
        return {functional: column for functional, column in named if functional is not None}

    def carried(self, columns: list[Any], narrow: StepTable, wide: StepTable, cells: Callable[[Any], Any]) -> list[Any]:
        """The columns of the state in a wider window: `cells` of those that hold cells, moved places along an axis; the others
        are numbers of steps and of turns."""
        carried = []
        for i, (functional, column) in enumerate(zip(self._columns, columns, strict=False)):
            if i == 1:
                column = cells(column)
            elif isinstance(functional, Highest):
                column = column + (narrow.layout.first[functional.axis] - wide.layout.first[functional.axis])
            carried.append(column)
        return carried


def words_of(table: StepTable, wanted: Sequence[Functional], steps: int) -> int:
    """How many words of 32 bits a walker has for the cells where it has been in so many steps; 0 if they are not kept."""
    return 4 * min(-(-table.layout.cells // 32), steps + 1) if Distinct() in wanted else 0


def nearest(table: StepTable, point: tuple[float, ...]) -> int:
    """The cell of the site nearest to a point. Outside the window, of several axes -1; of the only one, -1 below all cells and
    the number of cells above them all."""
    numbers = [
        round(max(-BEYOND, min((x - lattice.origin) / lattice.dx, BEYOND)))
        for x, lattice in zip(point, table.lattices, strict=True)
    ]
    layout = table.layout
    if len(numbers) > 1:
        pairs = zip(numbers, layout.first, layout.shape, layout.periodic, strict=True)
        return (
            int(layout.index(*numbers))
            if all(ring or first - 1 <= k <= first + n for k, first, n, ring in pairs)
            else -1
        )
    if table.digits:  # walkers of a constant walk also step outside the window
        return max(-FARTHEST, min(int(layout.index(*numbers)), FARTHEST))
    return layout.level(*numbers)


def within(table: StepTable, shape: Shape | tuple[float, ...]) -> NDArray[np.uint8]:
    """Whether each cell is in a shape, 1 or 0, or is that of the site nearest to a point; on periodic axes the shape goes on at
    the other end."""
    domain, layout = table.walk.domain, table.layout
    if not isinstance(shape, Shape):
        return (np.arange(layout.cells) == nearest(table, shape)).astype(np.uint8)
    numbers = layout.numbers(np.arange(layout.cells))
    point = tuple(lattice.x(k) for lattice, k in zip(table.lattices, numbers, strict=True))
    return sites_within(shape, domain.axes, point).astype(np.uint8)


def _along(table: StepTable, axis: int) -> NDArray[np.int32]:
    """The place of each cell along an axis, as its cells are numbered; -1 for that of the killed."""
    layout = table.layout
    places = layout.numbers(np.arange(layout.cells))[axis] - layout.first[axis] + 1
    places[layout.killed] = -1
    return places.astype(np.int32)


def _stacked(rows: Sequence[NDArray[Any]], none: NDArray[Any]) -> NDArray[Any]:
    return np.stack(rows) if rows else none
