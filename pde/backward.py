"""Backward problems: expectations of a payoff, mean exit times and exit probabilities, as functions of the start.

They are solved with the transpose of the forward operator on the same grid, which is the generator of a birth–death chain
between the cells; so the duality ∫ u(x, 0) ρ₀ dx = ∫ f(x) ρ(x, T) dx holds on the grid to rounding. The walls are the
adjoint ones: u = 0 (or what is paid there) at an absorbing wall, u_x = 0 at a reflecting one, ±D u_x = K u at a partially
absorbing one.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline

from randwalk.inputs.arguments import finite, finite_numbers, numbers
from randwalk.inputs.keywords import once_positional
from randwalk.laws.plotting import COLOURS, axes
from randwalk.model.coefficient import Coefficient, Floats, as_coefficient, in_dimension
from randwalk.model.domain import Ring
from randwalk.model.start import Sites, Uniform

from .equation import FokkerPlanck
from .moving import check_rests_too
from .pace import PILOT_STEPS
from .solver.arguments import check_memory, checked_tolerance
from .solver.chains import GONE, INNER, OUTLETS, Chain
from .solver.field import BackwardField, check_open, field_backward, field_steady, ranges_of
from .solver.fit import fitted, refuse_zeros
from .solver.grid import Grid, Piecewise
from .solver.refine import (
    LARGEST_CELLS,
    LARGEST_PILOT,
    PILOT_CELLS,
    SMALLEST,
    Needs,
    even,
    refined,
    refinement,
    steady_cells,
)
from .solver.schemes import ROUNDING, SDIRK2, Clock, march
from .solver.shares import local_means
from .solver.stencil import Stencil
from .solver.truncate import find_window

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEAK: Final = 1e-12  # mass that may leave the window of an unbounded domain
AT_START: Final = 1e-9  # of all of the time: when coefficients are read that may jump at 0
SAMPLES: Final = 32  # of the payoff in a cell
STARTS: Final = 8  # places that stand for all starting places

Payoff: TypeAlias = Coefficient | Callable[..., ArrayLike]


@dataclass(frozen=True, eq=False, repr=False)
class BackwardSolution:
    """A function u of the starting place, at the cell centres of a grid.

    Attributes
    ----------
    equation : FokkerPlanck
    grid : Grid
    u : (cells,) array
    joints : (pieces + 1,) array
        u at walls and where coefficients break (``grid.joints``); NaN where it is not known better than from the cells.
    asked : (low, high)
        The range of x for which the solution is made, and where ``value`` answers.
    error_estimate : float
        Estimate of the largest error of u in that range (in the units of u).
    quantity : str
        What u is.
    """

    equation: FokkerPlanck
    grid: Grid
    u: Floats
    joints: Floats
    asked: tuple[float, float]
    error_estimate: float
    quantity: str

    @property
    def x(self) -> Floats:
        """Centres of the cells, (cells,)."""
        return self.grid.x

    def value(self, x: ArrayLike) -> Floats:
        """u at the places `x`, of their shape: a cubic spline through the cells."""
        x = finite_numbers("x", x)
        low, high = self.asked
        slack, domain = 1e-9 * (high - low), self.equation.domain
        if isinstance(domain, Ring):
            first = low - slack
            x = first + np.mod(x - first, domain.high - domain.low)
        if not ((x >= low - slack) & (x <= high + slack)).all():
            raise ValueError(
                f"x = {x.min():g} … {x.max():g}: the solution was asked for from {low:g} to {high:g}; see over="
            )
        return self._spline(x)

    @property
    def _spline(self) -> Piecewise:
        return Piecewise.through_centres(self.grid, self.u, self.joints, CubicSpline)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw u over the starting place, on `ax` or on new axes, which are returned."""
        ax = axes(ax)
        low, high = self.asked
        shown = (self.x >= low) & (self.x <= high)
        ax.plot(self.x[shown], self.u[shown], color=COLOURS["finite differences"], label="finite differences")
        ax.set(xlabel="start x", ylabel=self.quantity)
        ax.legend()
        return ax

    def __repr__(self) -> str:
        low, high = self.asked
        return (
            f"BackwardSolution({self.quantity} for x from {low:.4g} to {high:.4g}, {self.u.size} cells, "
            f"error ≈ {self.error_estimate:.1e})"
        )


@once_positional("tolerance")
def backward(
    equation: FokkerPlanck,
    payoff: Payoff,
    time: float,
    *,
    tolerance: float = 1e-4,
    left: float = 0.0,
    right: float = 0.0,
    killed: float = 0.0,
    paid: Mapping[str, float] | None = None,
    over: tuple[float, float] | Sequence[tuple[float, float]] | None = None,
) -> BackwardSolution | BackwardField:
    """Solve u_t + a u_x + D u_xx - κu = 0 backward from u(x, T) = f(x) to u(x, 0), in one dimension or more.

    u(x, 0) = E[f(X_T); alive | X_0 = x] + `left` P(absorbed at the left wall) + `right` P(… at the right wall)
    + `killed` P(killed), by the time T. In several dimensions f takes all coordinates, and the solution is a
    :class:`BackwardField`.

    Parameters
    ----------
    equation : FokkerPlanck
        Its start serves only to place the window of an unbounded domain.
    payoff : function of x, or Coefficient
        f. Cells are divided where it is known to jump (:meth:`randwalk.Coefficient.breaks`).
    time : float
        T > 0.
    tolerance : float
        The largest error of u wanted, relative to the largest `|u|` in the range asked for.
    left, right, killed : float
        What is paid on absorption at the walls and on killing.
    paid : mapping of exits to numbers, optional
        What is paid on leaving by each of the domain's exits, in place of the three above.
    over : (low, high), optional
        For which starting places u is wanted, in several dimensions a pair for each axis; by default everywhere in a bounded
        domain, else where the start lies.

    Examples
    --------
    >>> import randwalk as rw
    >>> heat = FokkerPlanck(drift=0.0, diffusion=0.5)
    >>> round(float(backward(heat, lambda x: x**2, time=1.0, over=(-1.0, 1.0)).value(0.5)), 3)  # x² + 2Dt
    1.25
    """
    check_rests_too(equation)
    time, tolerance = finite("time", time), checked_tolerance(tolerance)
    if time <= 0.0:
        raise ValueError(f"time = {time:g}: must be positive")
    if not callable(payoff):
        raise TypeError(f"payoff = {payoff!r}: give a function of x or a Coefficient, such as lambda x: x**2")
    named = {"left": left, "right": right, "killing": killed}
    for name, value in named.items():
        finite("killed" if name == "killing" else name, value)
    for name, value in (paid or {}).items():
        equation.domain.exit(name, "paid")
        named[name] = finite(f"paid[{name!r}]", value)
    if equation.dimension > 1:
        starts = None if over is None else ranges_of(equation, over)
        final = in_dimension("payoff", payoff, equation.dimension)
        return field_backward(equation, final, time, tolerance, named, starts)
    window, asked = _place(equation, time, over)
    paid_at_end = payoff if isinstance(payoff, Coefficient) else as_coefficient(lambda x: payoff(x))
    width = SAMPLES * paid_at_end.width("x", window.low, window.high, (time, time))  # which the samples of a cell see
    needs = Needs.of(equation, np.array([time]), SDIRK2(), window, _starts(*asked), width).mirrored()

    family = _Backward(equation, window, asked, paid_at_end, (named["left"], named["right"], named["killing"]), time)
    scale = max(_size(family.run(max(PILOT_CELLS, even(2 * needs.cells)), needs.clock(PILOT_STEPS)).solution), SMALLEST)
    found = refined(family, needs, tolerance, scale)
    return replace(found.solution.solution, error_estimate=float(found.errors.max()))


@dataclass(frozen=True)
class _Level:
    """A solution on one grid; `redone` where steps were made again to keep the sign."""

    solution: BackwardSolution
    redone: bool


@dataclass(frozen=True)
class _Backward:
    """The backward problems of an equation on the `window`, as a family that :func:`refined` climbs."""

    equation: FokkerPlanck
    window: Grid
    asked: tuple[float, float]
    payoff: Coefficient
    paid: tuple[float, float, float]
    time: float

    def run(self, cells: int, clock: Clock) -> _Level:
        check_memory((cells,), SAMPLES)
        grid, time = replace(self.window, cells=cells), self.time
        stencil = Stencil(self.equation, grid)
        last = local_means(self.equation, grid, _samples(self.payoff, grid, time))
        walls = (grid.left, self.paid[0], last[0]), (grid.right, self.paid[1], last[-1])
        final = np.empty(cells + 3)
        final[INNER] = last
        final[GONE] = (
            *(value if wall else edge for wall, value, edge in walls),
            self.paid[2],
        )  # past a cut, the payoff stays

        def apply(tau: float, elapsed: float, state: Floats) -> Floats:
            return stencil.backward(tau, time - elapsed, state)

        def last_state(floor: float) -> Floats:
            ((_, _, state),) = deque(march(SDIRK2(), [apply], final, clock, floor), maxlen=1)
            return state

        state, floor = last_state(-math.inf), min(float(final.min()), 0.0)
        redone = bool(state.min() < floor - ROUNDING * np.abs(state).max())
        state = last_state(floor) if redone else state
        u, joints = state[INNER], stencil.at_joints(AT_START * time, state)
        quantity = "E[f(X_T) | X_0 = x]"
        return _Level(BackwardSolution(self.equation, grid, u, joints, self.asked, math.nan, quantity), redone)

    def difference(self, fine: _Level, coarse: _Level) -> Floats:
        """The largest difference in the range of starts that the solution is asked for."""
        return np.array([_difference(fine.solution, coarse.solution)])

    def extrapolated(self, fine: _Level, coarse: _Level) -> _Level:
        """A third of the difference at the cells of `coarse` is added to `fine`, by a cubic spline."""
        one, other = fine.solution, coarse.solution
        joints = (one.joints - other.joints) / 3.0
        more = Piecewise.through_centres(other.grid, (one._spline(other.x) - other.u) / 3.0, joints, CubicSpline)
        solution = replace(one, u=one.u + more(one.x), joints=one.joints + joints)
        return _Level(solution, fine.redone or coarse.redone)

    def usable(self, level: _Level) -> bool:
        """Whether all steps were those of the scheme. Values may have any sign."""
        return not level.redone


@once_positional("tolerance")
def mean_exit_time(equation: FokkerPlanck, *, tolerance: float = 1e-4) -> BackwardSolution | BackwardField:
    """The mean time until absorption at a wall or killing, by starting place: a τ_x + D τ_xx - κτ = -1 [Gardiner 2009, §5.5].

    In several dimensions a·∇τ + D:∇∇τ - κτ = -1, and a :class:`BackwardField`.

    `tolerance` is relative to the largest mean exit time. The domain must be bounded and let walkers out, and the coefficients
    must not depend on time; otherwise there is a ValueError that says so.

    >>> import randwalk as rw
    >>> between = rw.Interval(0.0, 1.0, rw.Absorbing(), rw.Absorbing())
    >>> round(float(mean_exit_time(FokkerPlanck(0.0, 0.5, domain=between, start=0.5)).value(0.5)), 4)  # x (1 - x)/2D
    0.25
    """
    check_rests_too(equation)
    if equation.dimension > 1:
        return _steady_field(equation, 1.0, {}, "mean exit time", tolerance)
    return _steady(equation, lambda chain: np.ones(chain.killed.size), "mean exit time", tolerance)


@once_positional("tolerance")
def exit_probability(equation: FokkerPlanck, wall: str, *, tolerance: float = 1e-4) -> BackwardSolution | BackwardField:
    """The probability of leaving in the end through `wall`, "left", "right" or "killing", by starting place:
    a u_x + D u_xx - κu = 0 with u = 1 on leaving there and 0 elsewhere. In several dimensions `wall` is any of the domain's
    exits; of a region that absorbs, u is the committor of that region against all other exits, a
    :class:`BackwardField`. `tolerance` is relative to the largest probability.
    Domain and coefficients as for :func:`mean_exit_time`.

    >>> import randwalk as rw
    >>> between = rw.Interval(0.0, 1.0, rw.Absorbing(), rw.Absorbing())
    >>> round(float(exit_probability(FokkerPlanck(0.0, 0.5, domain=between, start=0.5), "right").value(0.3)), 4)
    0.3
    """

    check_rests_too(equation)
    if equation.dimension > 1:
        check_open(equation, wall)
        return _steady_field(equation, 0.0, {wall: 1.0}, f"probability of leaving by {wall!r}", tolerance)
    if wall not in equation.domain.exits:
        equation.domain.exit(wall)  # refuses it
    face = equation.domain.face(wall)
    if wall != "killing" and (face is None or face.wall.reactivity == 0.0):
        raise ValueError(f"wall = {wall!r}: nobody leaves {equation.domain} there; take another wall")
    paid = (float(wall == "left"), float(wall == "right"))

    def source(chain: Chain) -> Floats:
        return chain.killed if wall == "killing" else np.zeros(chain.killed.size)

    return _steady(equation, source, f"probability of leaving by {wall!r}", tolerance, paid)


def _steady_field(
    equation: FokkerPlanck, source: float, paid: Mapping[str, float], quantity: str, tolerance: float
) -> BackwardField:
    """The same as :func:`_steady` in several dimensions."""
    tolerance, domain = checked_tolerance(tolerance), equation.domain
    _check_steady(equation, quantity)
    if not all(math.isfinite(low) and math.isfinite(high) for low, high in domain.bounds):
        raise ValueError(
            f"{quantity}: needs a bounded domain, not {domain}; put far walls, Reflecting() or Absorbing()"
        )
    return field_steady(equation, source, paid, quantity, tolerance)


def _check_steady(equation: FokkerPlanck, quantity: str) -> None:
    if equation.time_dependent:
        raise ValueError(f"{quantity}: the coefficients depend on time; use backward(), which is for a given time")


def _steady(
    equation: FokkerPlanck,
    source: Callable[[Chain], Floats],
    quantity: str,
    tolerance: float,
    paid: tuple[float, float] = (0.0, 0.0),
) -> BackwardSolution:
    """The solution of Aᵀu = -source with u = `paid` on leaving, refined to `tolerance` relative to its largest value."""
    check_rests_too(equation)
    tolerance, domain = checked_tolerance(tolerance), equation.domain
    _check_steady(equation, quantity)
    if not (math.isfinite(domain.low) and math.isfinite(domain.high)):
        raise ValueError(
            f"{quantity}: needs a bounded domain, not {domain}; put a far Reflecting() or Absorbing() wall"
        )

    def run(cells: int) -> BackwardSolution:
        grid = replace(whole, cells=cells)
        stencil = Stencil(equation, grid)
        chain = stencil.chain(0.0)
        if not (chain.kills or (not grid.periodic and (chain.down[1] > 0.0 or chain.up[-2] > 0.0))):
            raise ValueError(f"{quantity}: nobody ever leaves {domain}; give it an absorbing wall, or killing")
        excess, values = chain.killed.copy(), source(chain).copy()
        excess[OUTLETS], values[OUTLETS] = 1.0, paid
        values[chain.order] = chain.eliminated(excess, 1.0).solve(values[chain.order])
        state = np.append(values, 0.0)
        u = state[INNER]
        if not np.isfinite(u).all():
            raise ValueError(
                f"{quantity}: more than {np.finfo(float).max:.1g}, as where walkers are trapped for ever; give {domain} a wall "
                "that lets them out where they are"
            )
        joints = stencil.at_joints(0.0, state)
        return BackwardSolution(equation, grid, u, joints, (domain.low, domain.high), math.nan, quantity)

    whole = _whole(equation, 0.0)
    cells = max(whole.cells, 2 * min(steady_cells(equation, whole), LARGEST_PILOT))
    coarse, error = run(cells // 2), math.inf
    while cells <= LARGEST_CELLS:
        fine = run(cells)
        if 2 * coarse.u.size != cells:
            coarse = run(cells // 2)
        before, error = error, _difference(fine, coarse) / 3.0
        scale = _size(fine)
        if error <= tolerance * scale:
            return replace(fine, error_estimate=error)
        if error > 0.9 * before and cells > 16 * PILOT_CELLS:
            break
        factor = refinement(error, tolerance * scale) if whole.uniform else 2.0  # which halves every cell
        coarse, cells = fine, even(cells * factor)
    raise ValueError(
        f"tolerance = {tolerance:g} is out of reach: {error / scale:.2g} was reached; take tolerance = {2.0 * error / scale:.2g}"
    )


def _whole(equation: FokkerPlanck, until: float) -> Grid:
    """The grid on all of a bounded domain."""
    domain = equation.domain
    grid = Grid(domain.low, domain.high, PILOT_CELLS, domain.left, domain.right, domain.periodic)
    grid = fitted(equation, grid, until)
    refuse_zeros(equation, grid, until)
    return grid


def _place(equation: FokkerPlanck, time: float, over: Any) -> tuple[Grid, tuple[float, float]]:
    """The window of the grid, and the range that is asked for."""
    domain = equation.domain
    bounded = math.isfinite(domain.low) and math.isfinite(domain.high)
    if over is not None:
        ends = np.atleast_1d(numbers("over", over))
        if ends.shape != (2,) or not domain.low <= ends[0] < ends[1] <= domain.high or not np.isfinite(ends).all():
            raise ValueError(f"over = {over}: must be an increasing pair of finite numbers inside {domain}")
        over = (float(ends[0]), float(ends[1]))
    if bounded:
        return _whole(equation, time), over or (domain.low, domain.high)
    low, high = over or equation.start.support
    posed = equation if over is None else equation.with_start(Uniform(low, high))
    return find_window(posed, time, LEAK), (low, high)


def _starts(low: float, high: float) -> Sites:
    """Starting places that stand for a range of them."""
    x = low + (high - low) * (np.arange(STARTS) + 0.5) / STARTS
    return Sites(x, np.full(STARTS, 1.0 / STARTS))


def _samples(payoff: Coefficient, grid: Grid, time: float) -> Iterator[tuple[Floats, Floats, Floats]]:
    """(places, lengths, values) of the payoff in parts of every cell; a cell that it breaks in is divided there first."""
    breaks = np.array(payoff.breaks("x", grid.low, grid.high))
    broken = np.unique(np.searchsorted(grid.edges, breaks) - 1)
    whole = np.ones(grid.cells)
    whole[broken] = 0.0
    for part in (np.arange(SAMPLES) + 0.5) / SAMPLES:
        x = grid.edges[:-1] + part * grid.widths
        yield x, whole * grid.widths / SAMPLES, _values(payoff, x, time)
    cuts = np.unique(np.concatenate([breaks, grid.edges[broken], grid.edges[broken + 1]]))
    inside = whole[np.searchsorted(grid.edges, 0.5 * (cuts[1:] + cuts[:-1])) - 1] == 0.0
    begin, length = cuts[:-1][inside], np.diff(cuts)[inside]
    for part in (np.arange(SAMPLES) + 0.5) / SAMPLES:
        x = begin + part * length
        yield x, length / SAMPLES, _values(payoff, x, time)


def _values(payoff: Coefficient, x: Floats, time: float) -> Floats:
    values = np.asarray(payoff(x, time), dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"payoff at x = {x[~np.isfinite(values)][0]:.6g} is not a finite number")
    return values


def _size(solution: BackwardSolution) -> float:
    """The largest |u| in (or next to) the range that is asked for."""
    low, high = solution.asked
    here = (solution.x >= low - solution.grid.h) & (solution.x <= high + solution.grid.h)
    return float(np.abs(solution.u[here]).max())


def _difference(fine: BackwardSolution, coarse: BackwardSolution) -> float:
    """The largest difference at the cells of `coarse` in (or next to) the range that is asked for, or between them, at the
    cells of `fine` in it, where a layer that `coarse` does not resolve shows."""
    low, high = fine.asked
    x = coarse.x
    here = (x >= low - coarse.grid.h) & (x <= high + coarse.grid.h)
    there = (fine.x >= low) & (fine.x <= high)
    at_cells = np.abs(fine._spline(x[here]) - coarse.u[here]).max()
    return float(max(at_cells, np.abs(coarse._spline(fine.x[there]) - fine.u[there]).max(initial=0.0)))
