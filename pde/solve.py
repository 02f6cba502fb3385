"""The finite-difference solution of a Fokker–Planck equation to a stated tolerance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import PchipInterpolator

from randwalk.inputs.arguments import finite_numbers
from randwalk.inputs.keywords import once_positional
from randwalk.laws.distribution import Distribution
from randwalk.laws.estimate import values_of
from randwalk.laws.law import Law
from randwalk.model.coefficient import Floats
from randwalk.model.domain import Domain
from randwalk.model.times import SAME, row_of

from .arguments import (
    SMALLEST_CELLS,
    check_memory,
    checked_cells,
    checked_scheme,
    checked_times,
    checked_tolerance,
)  # fmt: skip
from .equation import FokkerPlanck, check_equation
from .fit import fitted
from .grid import Grid, Piecewise
from .refine import GRID_ERROR, Needs, Plan
from .schemes import Clock, Scheme, march
from .stencil import Resolvents, Stencil
from .truncate import MARGIN, find_window, leaked, widened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEAK_SHARE: Final = 1e-3  # of the tolerance may leave the window of an unbounded domain
ROUNDING: Final = 4.0 * np.finfo(float).eps  # of a sum of masses, in each step
FIXED_LEAK: Final = 1e-12  # mass that may leave it when the number of cells is given


@dataclass(frozen=True, eq=False, repr=False)
class Solution(Law[Any]):
    """The law that :func:`solve` found, as the masses of cells at the recorded times.

    Attributes
    ----------
    equation : FokkerPlanck
    scheme : Scheme
    grid : Grid
        The cells; ``window`` is where they lie.
    times : (times,) array
    density : (times, cells) array
        Mass of each cell divided by its width (1/length). Not negative beyond rounding.
    errors : (times,) array
        Estimate of the largest error of the cumulative probability at any cell edge, or of the mass absorbed at a wall
        or killed, at each recorded time: a third of the difference to the same solution on cells, and steps, twice as
        long; not less than what ``leaked``. ``error_estimate`` is the largest.
    passage_error : float
        Estimate of the largest error of :meth:`absorbed` and :meth:`survival` at any time, between the recorded ones and
        before the first too: the difference to the solution on cells and steps twice as long. Steps are chosen for the
        recorded times, so it may be far larger than the tolerance.
    ages : (steps + 1,) array
        The times of all steps, from 0.
    left_so_far : (steps + 1, 3) array
        Mass that has left through the left end, the right end and by killing, at those times.
    """

    kind: ClassVar[str] = "finite differences"

    equation: FokkerPlanck
    scheme: Scheme
    grid: Grid
    times: Floats
    density: Floats
    errors: Floats
    passage_error: float
    ages: Floats
    left_so_far: Floats

    @property
    def x(self) -> Floats:
        """Centres of the cells, (cells,)."""
        return self.grid.x

    @property
    def edges(self) -> Floats:
        """Edges of the cells, (cells + 1,)."""
        return self.grid.edges

    @property
    def window(self) -> tuple[float, float]:
        """The ends of the grid: walls, or where an unbounded (or unreached) part is cut off."""
        return self.grid.low, self.grid.high

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
        return float(leaked(self.grid, self.left_so_far[-1]).sum())

    def error(self, t: float) -> float:
        """The error estimate at the recorded time `t`."""
        return float(self.errors[self._row(t)])

    @property
    def domain(self) -> Domain:
        return self.equation.domain

    def _at(self, t: float) -> SolutionAt:
        return SolutionAt(self.grid, self.density[self._row(t)])

    def _absorbed(self, exit: str, t: ArrayLike) -> Floats:
        """Exact sums at the time steps, a monotone cubic between them. At the recorded times the error is within ``errors``; at
        others, ``passage_error`` tells how large it may be."""
        return np.asarray(PchipInterpolator(self.ages, self.left_so_far[:, self.domain.exit(exit)])(self._within(t)))

    def _survival(self, t: ArrayLike) -> Floats:
        return np.asarray(PchipInterpolator(self.ages, 1.0 - self.left_so_far.sum(axis=1))(self._within(t)))

    def _row(self, t: float) -> int:
        return row_of(t, self.times)

    def _within(self, t: ArrayLike) -> Floats:
        given, last = finite_numbers("t", t), float(self.times[-1])
        wrong = given[(given < 0.0) | (given > last * (1.0 + SAME))]
        if wrong.size:
            raise ValueError(f"t = {wrong.flat[0]:g}: the solution covers times from 0 to {last:g}; add it to times=")
        return np.minimum(given, last)

    def __repr__(self) -> str:
        low, high = self.window
        return (
            f"Solution(times {self.times[0]:g} … {self.times[-1]:g}, {self.x.size} cells on [{low:.4g}, {high:.4g}], "
            f"{self.steps} steps of {type(self.scheme).__name__}, error ≈ {self.error_estimate:.1e})"
        )


@dataclass(frozen=True, eq=False)
class SolutionAt(Distribution):
    """The cells of a solution at one time: masses at edges are exact sums, with a monotone cubic (PCHIP) between them."""

    grid: Grid
    density: Floats

    @property
    def ends(self) -> tuple[float, float]:
        return self.grid.low, self.grid.high

    @property
    def places(self) -> Floats:
        return self.grid.x

    @property
    def masses(self) -> Floats:
        return self.density * self.grid.widths

    @cached_property
    def _cumulative(self) -> Piecewise:
        return Piecewise.through_edges(self.grid, np.append(0.0, np.cumsum(self.masses)), PchipInterpolator)

    def cdf(self, x: Floats) -> Floats:
        return np.asarray(self._cumulative(np.clip(x, *self.ends)))

    def pdf(self, x: Floats) -> Floats:
        """The slope of :meth:`cdf`; 0 outside the window."""
        low, high = self.ends
        if self.grid.periodic:
            x = low + np.mod(x - low, high - low, where=np.isfinite(x), out=np.full_like(x, np.inf))
        inside = (x >= low) & (x <= high)
        return np.where(inside, self._cumulative.derivative()(np.clip(x, low, high)), 0.0)

    def total(self) -> float:
        return float(self.masses.sum())

    def expect(self, f: Callable[[Floats], ArrayLike]) -> float:
        return float(self.masses @ np.where(self.masses > 0.0, values_of(f, self.grid.x), 0.0))

    def mean(self) -> float:
        return float(self.masses @ self.grid.x) / self.total() if self.total() > 0.0 else float("nan")

    def variance(self) -> float:
        """Masses stand at the centres of cells, which adds a twelfth of the squared width to the variance of a smooth density
        (Sheppard's correction)."""
        if not self.total() > 0.0:
            return float("nan")
        squares = (self.grid.x - self.mean()) ** 2 - self.grid.widths**2 / 12.0
        return max(float(self.masses @ squares) / self.total(), 0.0)

    def draw(self, ax: Axes, **style: Any) -> None:
        ax.plot(self.grid.x, self.density, **style)


@once_positional("tolerance", "cells", "scheme")
def solve(
    equation: FokkerPlanck,
    times: ArrayLike,
    *,
    tolerance: float = 1e-4,
    cells: int | None = None,
    scheme: Scheme | None = None,
) -> Solution:
    """Solve ρ_t = -(aρ)_x + (Dρ)_xx - κρ by conservative finite volumes on a grid of its own.

    Parameters
    ----------
    equation : FokkerPlanck
    times : increasing positive numbers
        When the law is recorded (time).
    tolerance : float
        The largest error wanted, at any recorded time, of the cumulative probability at any cell edge and of the mass
        absorbed at either wall or killed. The estimate that is reached is in the result.
    cells : even int ≥ 16, optional
        Fixes the grid in place of the tolerance; steps are then chosen so that their error stays below that of the grid.
        Refused where so few show nothing of the law.
    scheme : BackwardEuler(), CrankNicolson() or SDIRK2(), optional
        The time scheme, SDIRK2() by default. With a ``dt`` its steps are at most that long; else they are chosen.

    Notes
    -----
    Scharfetter–Gummel fluxes (:mod:`randwalk.pde.stencil`) keep mass to rounding and the equilibrium between reflecting
    walls exactly. Second order in space. Cells are equal, except that edges stand on the kinks and jumps of coefficients
    (:meth:`randwalk.Coefficient.breaks`), and that cells crowd towards an end where D vanishes or the drift is singular; such
    an end lets mass through if it can be reached [Feller 1952].

    An unbounded domain, and a wall that is not reached, is cut where less than a thousandth of the tolerance (1e-12 for
    fixed `cells`) crosses; see ``window`` and ``leaked``. A short pilot solution measures the errors of space and time, which
    sets cells and steps; the returned solution is compared with one on twice the spacing, and made again on a finer grid if
    the estimate misses the tolerance.

    Raises
    ------
    ValueError
        for times that are not positive and increasing, coefficients that are not numbers, D < 0, or D = 0 elsewhere than at
        an end of the domain (with the place), and a tolerance that is out of reach (with the one that was reached).

    Examples
    --------
    >>> import randwalk as rw
    >>> ou = FokkerPlanck(drift=rw.Affine(slope=-1.0), diffusion=0.5, start=1.0)
    >>> law = solve(ou, times=[1.0])
    >>> round(law.mean(1.0), 3)
    0.368
    """
    check_equation(equation)
    cells = None if cells is None else checked_cells(cells)
    tolerance, recorded, scheme = checked_tolerance(tolerance), checked_times(times), checked_scheme(scheme)
    check_memory(cells or SMALLEST_CELLS, recorded.size)
    leak = LEAK_SHARE * tolerance if cells is None else FIXED_LEAK
    window = find_window(equation, float(recorded[-1]), leak)
    needs = Needs.of(equation, recorded, scheme, window, equation.start)
    if cells is not None and cells < 2 * needs.cells:
        raise ValueError(f"cells = {cells}: too few to show the law at all; take cells = {2 * needs.cells} or more")

    def run(cells: int, clock: Clock) -> _Run:
        check_memory(cells, recorded.size)
        return _Run.of(equation, scheme, replace(window, cells=cells), clock)

    def pair(cells: int, clocks: tuple[Clock, Clock]) -> Solution:
        nonlocal window
        while True:
            fine, coarse = (run(n, clock) for n, clock in zip((cells, cells // 2), clocks, strict=True))
            grid = replace(window, cells=cells)
            lost = leaked(grid, fine.left_so_far[-1])
            surely = lost.sum() + ROUNDING * (fine.ages.size - 1)  # however well the two agree
            errors = np.maximum(fine.difference(coarse) * needs.remaining(cells), surely)
            if (lost <= leak).all():
                return Solution(
                    equation,
                    scheme,
                    grid,
                    recorded,
                    fine.mass / grid.widths,
                    errors,
                    fine.passage_difference(coarse),
                    fine.ages,
                    fine.left_so_far,
                )
            window = fitted(equation, widened(window, lost, leak, MARGIN), float(recorded[-1]))

    plan = Plan.measured(run, lambda fine, coarse: float(fine.difference(coarse).max()), needs)
    return plan.reach(tolerance, pair) if cells is None else pair(cells, plan.clocks(cells, GRID_ERROR / cells**2))


def fewest_cells(equation: FokkerPlanck, times: ArrayLike) -> int:
    """The smallest even number of `cells` that :func:`solve` admits: enough to show the law, and to stand on all breaks."""
    recorded = checked_times(times)
    window = find_window(equation, float(recorded[-1]), FIXED_LEAK)
    return max(2 * Needs.of(equation, recorded, checked_scheme(None), window, equation.start).cells, SMALLEST_CELLS)


@dataclass(frozen=True)
class _Run:
    """Masses (times, cells) at the recorded times, and what has left (steps + 1, 3) by the times `ages` of all steps."""

    mass: Floats
    ages: Floats
    left_so_far: Floats
    at: list[int]

    @classmethod
    def of(cls, equation: FokkerPlanck, scheme: Scheme, grid: Grid, clock: Clock) -> _Run:
        stencil = Stencil(equation, grid)
        start = stencil.start()
        ages, left, mass, at = [0.0], [start[-3:].copy()], [], []  # copies, or every state would be kept
        for t, recorded, state in march(scheme, Resolvents(stencil).forward, start, clock, 0.0):
            ages.append(t)
            left.append(state[-3:].copy())
            if recorded:
                mass.append(state[:-3])
                at.append(len(ages) - 1)
        return cls(np.array(mass), np.array(ages), np.array(left), at)

    def passage_difference(self, other: _Run) -> float:
        """The largest difference between what has left here, at any step, and a cubic through what has left in a run with
        longer steps."""
        return float(np.abs(self.left_so_far - PchipInterpolator(other.ages, other.left_so_far)(self.ages)).max())

    def difference(self, other: _Run) -> Floats:
        """The largest difference to a run on the same grid or one of half as many cells, at each recorded time."""
        ratio = self.mass.shape[1] // other.mass.shape[1]
        cdf = np.cumsum(self.mass, axis=1)[:, ratio - 1 :: ratio] - np.cumsum(other.mass, axis=1)
        left = self.left_so_far[self.at] - other.left_so_far[other.at]
        return np.maximum(np.abs(cdf).max(axis=1), np.abs(left).max(axis=1))
