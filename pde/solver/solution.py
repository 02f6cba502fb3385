"""The law that finite differences find: the masses of cells at the recorded times, and what has left by every exit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from randwalk.inputs.arguments import finite_numbers
from randwalk.laws.distribution import Distribution
from randwalk.laws.law import Law
from randwalk.model.coefficient import Floats
from randwalk.model.domain import Domain
from randwalk.model.times import SAME, row_of

from ..equation import FokkerPlanck
from .forward import between
from .grid import Grid
from .line_density import LineDensity
from .mesh import Mesh
from .mosaic import Mosaic
from .reconstruct import Profile
from .schemes import Scheme


@dataclass(frozen=True, eq=False, repr=False)
class Solution(Law[Any]):
    """The law that :func:`solve` found, as the masses of cells at the recorded times.

    Attributes
    ----------
    equation : FokkerPlanck
    scheme : Scheme
    mesh : Mesh
        The cells, of every axis; in one dimension those of ``grid``. ``window`` is where they lie.
    times : (times,) array
    density : (times, cells) array, in several dimensions (times, cells of each axis)
        Mass of each cell divided by its width, area or volume. Not negative beyond rounding.
    errors : (times,) array
        Estimate of the largest error of the cumulative probability at any cell edge (in several dimensions
        P(X ≤ x, Y ≤ y, …) at any corner), or of the mass absorbed at a wall
        or killed, at each recorded time, from the differences to the same solution on cells, and steps, twice as long
        (:class:`randwalk.pde.solver.ladder.Ladder`), with four times the mass that may have met walls where the extrapolated
        solution has no such order; not less than what ``leaked``. ``error_estimate`` is the largest.
    passage_error : float
        Estimate of the largest error of :meth:`absorbed` and :meth:`survival` at any time, between the recorded ones and
        before the first too: the difference to the solution on cells and steps twice as long. Steps are chosen for the
        recorded times, so it may be far larger than the tolerance.
    ages : (steps + 1,) array
        The times of all steps, from 0.
    left_so_far : (steps + 1, exits) array
        Mass that has left by each of the domain's exits (the left end, the right end, …, killing) at those times.
    extrapolated : bool
        Whether solutions on two grids are combined to one of fourth order in space; else the solution is of second order:
        with `cells` or a ``dt`` given, where the errors are not seen to be smooth in h, where a mass came out negative, or
        where more than 1e-5 has met, by the last time, the wall of a region, or with a tensor D any wall.
    """

    kind: ClassVar[str] = "finite differences"

    equation: FokkerPlanck
    scheme: Scheme
    mesh: Mesh
    times: Floats
    density: Floats
    errors: Floats
    passage_error: float
    ages: Floats
    left_so_far: Floats
    extrapolated: bool

    @property
    def grid(self) -> Grid:
        """The cells of a solution in one dimension."""
        return self.mesh.grid

    @property
    def x(self) -> Any:
        """Centres of the cells, (cells,); in several dimensions a tuple of them, one an axis."""
        return self._each(lambda grid: grid.x)

    @property
    def edges(self) -> Any:
        """Edges of the cells, (cells + 1,); in several dimensions a tuple of them, one an axis."""
        return self._each(lambda grid: grid.edges)

    @property
    def window(self) -> Any:
        """(low, high), in several dimensions of every axis: walls, or where an unbounded (or unreached) part is cut off."""
        return self._each(lambda grid: (grid.low, grid.high))

    def _each(self, what: Callable[[Grid], Any]) -> Any:
        """What holds for every axis: in one dimension the only one."""
        found = tuple(what(grid) for grid in self.mesh.axes)
        return found if self.mesh.dimension > 1 else found[0]

    @property
    def steps(self) -> int:
        """Number of time steps."""
        return self.ages.size - 1

    @property
    def error_estimate(self) -> float:
        """The largest of ``errors``."""
        return float(self.errors.max())

    @property
    def leaked(self) -> float:
        """Mass that has crossed an end of the window that is not a wall: an upper bound of what the window leaves out."""
        return float(self.left_so_far[-1][self.mesh.cut].sum())

    def error(self, t: float) -> float:
        """The error estimate at the recorded time `t`."""
        return float(self.errors[self._row(t)])

    @property
    def domain(self) -> Domain:
        return self.equation.domain

    def _at(self, t: float) -> Distribution:
        masses = self.density[self._row(t)] * self.mesh.volumes
        return LineDensity(Profile.of(self.grid, masses)) if self.mesh.dimension == 1 else Mosaic(self.mesh, masses)

    def _absorbed(self, exit: str, t: ArrayLike) -> Floats:
        """Exact sums at the time steps, a monotone cubic between them. At the recorded times the error is within ``errors``; at
        others, ``passage_error`` tells how large it may be."""
        return between(self.ages, self.left_so_far[:, self.domain.exit(exit)], self._within(t))

    def _survival(self, t: ArrayLike) -> Floats:
        return between(self.ages, 1.0 - self.left_so_far.sum(axis=1), self._within(t))

    def _row(self, t: float) -> int:
        return row_of(t, self.times)

    def _within(self, t: ArrayLike) -> Floats:
        given, last = finite_numbers("t", t), float(self.times[-1])
        wrong = given[(given < 0.0) | (given > last * (1.0 + SAME))]
        if wrong.size:
            raise ValueError(f"t = {wrong.flat[0]:g}: the solution covers times from 0 to {last:g}; add it to times=")
        return np.minimum(given, last)

    def __repr__(self) -> str:
        cells = " × ".join(str(grid.cells) for grid in self.mesh.axes)
        window = " × ".join(f"[{grid.low:.4g}, {grid.high:.4g}]" for grid in self.mesh.axes)
        order = "extrapolated" if self.extrapolated else "second order"
        return (
            f"Solution(times {self.times[0]:g} … {self.times[-1]:g}, {cells} cells on {window}, "
            f"{order}, {self.steps} steps of {type(self.scheme).__name__}, error ≈ {self.error_estimate:.1e})"
        )
