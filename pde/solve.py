"""The finite-difference solution of a Fokker–Planck equation to a stated tolerance."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final

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
from .chains import GONE, INNER
from .equation import FokkerPlanck, check_equation
from .fit import fitted
from .grid import Grid
from .reconstruct import Profile, left_halves
from .refine import LARGEST_CELLS, PILOT_CELLS, SMALLEST, STUCK, Balance, Found, Needs, even, refined
from .schemes import Clock, Scheme, march
from .shares import start_state
from .stencil import Stencil
from .truncate import MARGIN, find_window, leaked, widened

LEAK_SHARE: Final = 1e-3  # of the tolerance may leave the window of an unbounded domain
ROUNDING: Final = 4.0 * np.finfo(float).eps  # of a sum of masses, in each step
TAIL: Final = 1e-10  # of what has left in the end, up to which it is not extrapolated
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
        or killed, at each recorded time, from the differences to the same solution on cells, and steps, twice as long
        (:class:`randwalk.pde.refine.Ladder`); not less than what ``leaked``. ``error_estimate`` is the largest.
    passage_error : float
        Estimate of the largest error of :meth:`absorbed` and :meth:`survival` at any time, between the recorded ones and
        before the first too: the difference to the solution on cells and steps twice as long. Steps are chosen for the
        recorded times, so it may be far larger than the tolerance.
    ages : (steps + 1,) array
        The times of all steps, from 0.
    left_so_far : (steps + 1, 3) array
        Mass that has left through the left end, the right end and by killing, at those times.
    extrapolated : bool
        Whether solutions on two grids are combined to one of fourth order in space; else the solution is of second order:
        with `cells` or a ``dt`` given, where the errors are not seen to be smooth in h, or a mass came out negative.
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
    extrapolated: bool

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
        return SolutionAt(Profile.of(self.grid, self.density[self._row(t)] * self.grid.widths))

    def _absorbed(self, exit: str, t: ArrayLike) -> Floats:
        """Exact sums at the time steps, a monotone cubic between them. At the recorded times the error is within ``errors``; at
        others, ``passage_error`` tells how large it may be."""
        return _between(self.ages, self.left_so_far[:, self.domain.exit(exit)], self._within(t))

    def _survival(self, t: ArrayLike) -> Floats:
        return _between(self.ages, 1.0 - self.left_so_far.sum(axis=1), self._within(t))

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
        order = "extrapolated" if self.extrapolated else "second order"
        return (
            f"Solution(times {self.times[0]:g} … {self.times[-1]:g}, {self.x.size} cells on [{low:.4g}, {high:.4g}], "
            f"{order}, {self.steps} steps of {type(self.scheme).__name__}, error ≈ {self.error_estimate:.1e})"
        )


@dataclass(frozen=True, eq=False)
class SolutionAt(Distribution):
    """The cells of a solution at one time, with a polynomial in each (:mod:`randwalk.pde.reconstruct`)."""

    profile: Profile

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        return ((self.profile.grid.low, self.profile.grid.high),)

    @property
    def places(self) -> tuple[Floats, ...]:
        return (self.profile.grid.x,)

    def cdf(self, x: Floats) -> Floats:
        return self.profile.split(np.clip(x, *self.ends))[0]

    def mass(self, edges: Floats) -> Floats:
        below, above = self.profile.split(np.clip(edges, *self.ends))
        return np.where(below[:-1] < above[1:], np.diff(below), -np.diff(above))

    def pdf(self, x: Floats) -> Floats:
        """0 outside the window."""
        low, high = self.ends
        if self.profile.grid.periodic:
            x = low + np.mod(x - low, high - low, where=np.isfinite(x), out=np.full_like(x, np.inf))
        inside = (x >= low) & (x <= high)
        return np.where(inside, self.profile.density(np.clip(x, low, high)), 0.0)

    def total(self) -> float:
        return float(self.profile.masses.sum())

    def expect(self, f: Callable[[Floats], ArrayLike]) -> float:
        return float(self.profile.expect(lambda x: values_of(f, x.ravel()).reshape(x.shape)))


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
        Fixes the grid in place of the tolerance; steps are then chosen so that their error stays below that of the grid. The
        solution is the second-order one, so that a study of its convergence shows the order. Refused where so few cells show
        nothing of the law.
    scheme : BackwardEuler(), CrankNicolson() or SDIRK2(), optional
        The time scheme, SDIRK2() by default. With a ``dt`` its steps are at most that long; else they are chosen.

    Notes
    -----
    Scharfetter–Gummel fluxes (:mod:`randwalk.pde.stencil`) keep mass to rounding and the equilibrium between reflecting
    walls exactly. They are of second order in space; (4 fine - coarse)/3 of the solutions with widths h and 2h, and steps in
    proportion, is of fourth order where errors are smooth in h. Cells are equal, except that edges stand on the kinks and
    jumps of coefficients (:meth:`randwalk.Coefficient.breaks`), and that cells crowd towards an end where D vanishes or the
    drift is singular; such an end lets mass through if it can be reached [Feller 1952].

    An unbounded domain, and a wall that is not reached, is cut where less than a thousandth of the tolerance (1e-12 for
    fixed `cells`) crosses; see ``window`` and ``leaked``. Short pilot solutions compare the errors of space and time; cells and
    steps are then halved together until the estimate meets the tolerance.

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

    while True:
        family = _Forward(equation, recorded, scheme, window)
        if cells is None and scheme.dt is None:
            found = refined(family, needs, tolerance)
        elif cells is None:
            found = _with_steps(family, needs, tolerance)
        else:
            found = family.pair(cells, needs, Balance.measured(family, needs, 1.0).clock(cells // 2))
        lost = leaked(window, found.fine.left_so_far[-1])
        if (lost <= leak).all():
            break
        window = fitted(equation, widened(window, lost, leak, MARGIN), float(recorded[-1]))
    run = found.solution
    surely = lost.sum() + ROUNDING * (run.ages.size - 1)  # however well two solutions agree
    errors = np.maximum(found.errors, surely)
    if cells is None and errors.max() > tolerance:
        raise ValueError(
            f"tolerance = {tolerance:g} is out of reach: {errors.max():.2g} is the rounding of {run.ages.size - 1} steps; take "
            f"tolerance = {2.0 * errors.max():.2g}"
        )
    return Solution(
        equation,
        scheme,
        run.grid,
        recorded,
        run.mass / run.grid.widths,
        errors,
        found.fine.passage_difference(found.coarse),
        run.ages,
        run.left_so_far,
        found.extrapolated,
    )


def fewest_cells(equation: FokkerPlanck, times: ArrayLike) -> int:
    """The smallest even number of `cells` that :func:`solve` admits: enough to show the law, and to stand on all breaks."""
    recorded = checked_times(times)
    window = find_window(equation, float(recorded[-1]), FIXED_LEAK)
    return max(2 * Needs.of(equation, recorded, checked_scheme(None), window, equation.start).cells, SMALLEST_CELLS)


def _between(ages: Floats, values: Floats, t: Floats) -> Floats:
    """The monotone cubic through `values` at `ages`, at the times `t`."""
    with np.errstate(over="ignore"):  # of reciprocal slopes, where there is next to none
        return np.asarray(PchipInterpolator(ages, values)(t))


@dataclass(frozen=True)
class _Run:
    """Masses (times, cells) at the recorded times, and what has left (steps + 1, 3) by the times `ages` of all steps, of which
    those `at` are recorded; `redone` where steps were made again to keep the sign."""

    grid: Grid
    mass: Floats
    ages: Floats
    left_so_far: Floats
    at: list[int]
    redone: bool = False

    @classmethod
    def of(cls, equation: FokkerPlanck, scheme: Scheme, grid: Grid, clock: Clock) -> _Run:
        """The run whose steps are all those of the scheme, as an expansion of its error in powers of the step asks for; if
        masses are negative at a recorded time, or what has left comes back, the run whose steps keep the sign."""
        stencil = Stencil(equation, grid)
        run = cls._marched(scheme, stencil, clock, -math.inf)
        return run if run.positive else replace(cls._marched(scheme, stencil, clock, 0.0), redone=True)

    @classmethod
    def _marched(cls, scheme: Scheme, stencil: Stencil, clock: Clock, floor: float) -> _Run:
        start = start_state(stencil.equation, stencil.grid)
        ages, left, mass, at = [0.0], [start[GONE]], [], []
        for t, recorded, state in march(scheme, stencil.forward, start, clock, floor):
            ages.append(t)
            left.append(state[GONE])
            if recorded:
                mass.append(state[INNER])
                at.append(len(ages) - 1)
        return cls(stencil.grid, np.array(mass), np.array(ages), np.array(left), at)

    @property
    def positive(self) -> bool:
        """Whether no mass is negative and what has left never decreases, beyond rounding."""
        rounding = ROUNDING * self.mass.max(axis=1, keepdims=True, initial=0.0)
        return bool((self.mass >= -rounding).all() and (np.diff(self.left_so_far, axis=0) >= -ROUNDING).all())

    def passage_difference(self, other: _Run) -> float:
        """The largest difference between what has left here, at any step, and a cubic through what has left in a run with
        longer steps."""
        return float(np.abs(self.left_so_far - _between(other.ages, other.left_so_far, self.ages)).max())


@dataclass(frozen=True)
class _Forward:
    """The runs of an equation on the `window`, as a family that :func:`refined` climbs."""

    equation: FokkerPlanck
    times: Floats
    scheme: Scheme
    window: Grid
    known: dict[tuple[int, Clock], _Run] = field(default_factory=dict)

    def run(self, cells: int, clock: Clock) -> _Run:
        """The run on `cells` cells; each is made once."""
        if (cells, clock) not in self.known:
            check_memory(cells, self.times.size)
            self.known[cells, clock] = _Run.of(self.equation, self.scheme, replace(self.window, cells=cells), clock)
        return self.known[cells, clock]

    def difference(self, fine: _Run, coarse: _Run) -> Floats:
        """That of the cumulative masses at the edges of `coarse`, and of what has left."""
        ratio = fine.mass.shape[1] // coarse.mass.shape[1]
        cdf = np.cumsum(fine.mass, axis=1)[:, ratio - 1 :: ratio] - np.cumsum(coarse.mass, axis=1)
        left = fine.left_so_far[fine.at] - coarse.left_so_far[coarse.at]
        return np.maximum(np.abs(cdf).max(axis=1), np.abs(left).max(axis=1))

    def extrapolated(self, fine: _Run, coarse: _Run) -> _Run:
        """A third of the difference is added to the masses of `fine`: that of each cell of `coarse` is shared by its halves as
        the polynomial through the differences says. In tails, where one mass is more than twice the other, the logarithms are
        extrapolated instead of the masses, so that small ones stay positive; and what that adds to the sum is taken from all."""
        pairs = fine.mass[:, 0::2] + fine.mass[:, 1::2]
        more = (pairs - coarse.mass) / 3.0
        halves = left_halves(coarse.grid, more)
        mass = fine.mass + np.stack([halves, more - halves], axis=-1).reshape(fine.mass.shape)
        ratio = np.divide(pairs, coarse.mass, out=np.ones_like(pairs), where=(coarse.mass > 0.0) & (pairs > 0.0))
        steep = np.repeat(np.abs(np.log(ratio)) > math.log(2.0), 2, axis=1)
        mass[steep] = (fine.mass * np.repeat(np.cbrt(ratio), 2, axis=1))[steep]
        alive = fine.mass.sum(axis=1) + more.sum(axis=1)
        mass *= (alive / np.maximum(mass.sum(axis=1), SMALLEST))[:, None]
        steps = (fine.ages.size - 1) // (coarse.ages.size - 1)
        left = fine.left_so_far
        left = left + _between(coarse.ages, (left[::steps] - coarse.left_so_far) / 3.0, fine.ages)
        early = (left <= 0.0) | (fine.left_so_far <= TAIL * fine.left_so_far[-1])
        left = np.maximum.accumulate(np.where(early, fine.left_so_far, left))
        return replace(fine, mass=mass, left_so_far=left, redone=fine.redone or coarse.redone)

    def usable(self, solution: _Run) -> bool:
        return solution.positive and not solution.redone

    def pair(self, cells: int, needs: Needs, clock: Clock) -> Found[_Run]:
        """The second-order solution on `cells`, compared with that on half of them and the steps of `clock`."""
        coarse = self.run(cells // 2, clock)
        fine = self.run(cells, clock.refined(2 if self.scheme.order == 2 else 4))
        return Found(fine, cells, self.difference(fine, coarse) * needs.remaining(cells), fine, coarse, False)


def _with_steps(family: _Forward, needs: Needs, tolerance: float) -> Found[_Run]:
    """The second-order solution with the steps of the scheme, on as many cells as it takes."""
    dt = family.scheme.dt
    assert dt is not None
    clock = Clock.equal(needs.times, (2 if family.scheme.order == 2 else 4) * dt, needs.pace)
    cells, reached = even(max(PILOT_CELLS, 2 * needs.cells)), math.inf
    while cells <= LARGEST_CELLS:
        found = family.pair(cells, needs, clock)
        error = float(found.errors.max())
        if error <= tolerance:
            return found
        if error > STUCK * reached:
            break
        reached, cells = min(error, reached), 2 * cells
    raise ValueError(
        f"tolerance = {tolerance:g} is out of reach: {reached:.2g} was reached; more cells do not help: leave dt out, or take "
        f"one much smaller than {dt:g}"
    )
