"""Backward problems: expectations of a payoff, mean exit times and exit probabilities, as functions of the start.

They are solved with the transpose of the forward operator on the same grid, which is the generator of a birth–death chain
between the cells; so the duality ∫ u(x, 0) ρ₀ dx = ∫ f(x) ρ(x, T) dx holds on the grid to rounding. The walls are the
adjoint ones: u = 0 (or what is paid there) at an absorbing wall, u_x = 0 at a reflecting one, ±D u_x = K u at a partially
absorbing one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from randwalk.inputs.arguments import finite, numbers
from randwalk.inputs.keywords import once_positional
from randwalk.inputs.wording import shown
from randwalk.model.coefficient import Coefficient, Floats, as_coefficient, in_dimension
from randwalk.model.start import Product, Sites, Uniform
from randwalk.terminal.progress import Stages

from .equation import FokkerPlanck
from .moving import check_rests_too
from .solver.arguments import checked_tolerance
from .solver.backward_family import SAMPLES, Backward, Ranges, line_difference
from .solver.backward_solution import BackwardSolution
from .solver.chains import INNER, OUTLETS, Chain
from .solver.field import check_open, field_steady
from .solver.fit import fitted, refuse_zeros
from .solver.grid import Grid
from .solver.levels import last, on
from .solver.mesh import Mesh
from .solver.needs import LARGEST_CELLS, Needs, even
from .solver.refine import LARGEST_PILOT, PILOT_CELLS, refinement
from .solver.schemes import SDIRK2
from .solver.stencil import Stencil
from .solver.truncate import find_window
from .solver.window import find_mesh

LOOKS: Final = 1024  # places at which coefficients are looked at
LEAK: Final = {1: 1e-12}  # mass that may leave the window of an unbounded domain; 1e-10 in more dimensions
STARTS: Final = 8  # places that stand for all starting places

Payoff: TypeAlias = float | Coefficient | Callable[..., ArrayLike]


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
    progress: bool = False,
) -> BackwardSolution:
    """Solve u_t + a u_x + D u_xx - κu = 0 backward from u(x, T) = f(x) to u(x, 0), in one dimension or more.

    u(x, 0) = E[f(X_T); alive | X_0 = x] + `left` P(absorbed at the left wall) + `right` P(… at the right wall)
    + `killed` P(killed), by the time T. In several dimensions f takes all coordinates, and the solution has
    a mesh of all axes.

    Parameters
    ----------
    equation : FokkerPlanck
        Its start serves only to place the window of an unbounded domain.
    payoff : number, Coefficient or function of the coordinates
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
        For which starting places u is wanted to the tolerance, in several dimensions a pair for each axis; by default
        everywhere in a bounded domain of one dimension, else where the start lies. In several dimensions u is known beyond
        them, less precisely, as ``error(x)`` says: where two faces meet that pay differently it jumps.
    progress : bool
        Show a progress bar, of one solution after another, once the work has taken a second.

    Raises
    ------
    ValueError
        for arguments that are none, and a tolerance that is out of reach (with the one that was reached).
    Interrupted
        on Ctrl-C, with the solution that was reached in ``reached`` (None if none had an error yet).

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
    named = {"left": left, "right": right, "killing": killed}
    for name, value in named.items():
        finite("killed" if name == "killing" else name, value)
    if paid is not None and not isinstance(paid, Mapping):
        raise TypeError(f"paid = {shown(paid)}: give a mapping from exits to numbers, such as {{'left': 1.0}}")
    for name, value in (paid or {}).items():
        equation.domain.exit(name, "paid")
        named[name] = finite(f"paid[{name!r}]", value)
    if equation.dimension == 1 and callable(payoff) and not isinstance(payoff, Coefficient):
        final = as_coefficient(lambda x: payoff(x))  # of any object that takes an array
    else:
        final = in_dimension("payoff", payoff, equation.dimension)
    pose = _pose_on_line if equation.dimension == 1 else _pose_in_space

    def levels(stages: Stages) -> Iterator[BackwardSolution]:
        mesh, asked, needs, pilot = pose(equation, final, time, over)
        return Backward(equation, mesh, final, named, time, asked, stages).solved(needs, pilot, tolerance)

    return last(levels, progress)


def _pose_on_line(
    equation: FokkerPlanck, payoff: Coefficient, time: float, over: Any
) -> tuple[Mesh, Ranges, Needs, int]:
    """(mesh, range of starts, what is to be resolved, cells of the first look) in one dimension."""
    window, asked = _place(equation, time, over)
    width = SAMPLES[1] * payoff.width("x", window.low, window.high, (time, time))  # which the samples of a cell see
    needs = Needs.of(equation, np.array([time]), SDIRK2(), window, _starts(*asked), width).mirrored()
    return Mesh((window,), equation.domain), (asked,), needs, max(PILOT_CELLS, even(2 * needs.cells))


def _pose_in_space(
    equation: FokkerPlanck, payoff: Coefficient, time: float, over: Any
) -> tuple[Mesh, Ranges, Needs, int]:
    """The same in several dimensions."""
    asked = equation.start.bounds if over is None else _ranges(equation, over)
    posed = equation if over is None else equation.with_start(Product(tuple(Uniform(*ends) for ends in asked)))
    mesh = find_mesh(posed, np.array([time]), LEAK.get(equation.dimension, 1e-10))
    ends = [(min(g.low, low), max(g.high, high)) for g, (low, high) in zip(mesh.axes, asked, strict=True)]
    mesh = mesh.with_ends(ends)  # which hold all starts
    needs = Needs.on_mesh(equation, np.array([time]), SDIRK2(), mesh, posed.start).mirrored()
    return mesh, asked, needs, even(max(2 * needs.first, needs.cells))


def _ranges(equation: FokkerPlanck, over: Any) -> Ranges:
    """A range of starts for each axis."""
    ends = numbers("over", over)
    if ends.shape != (equation.dimension, 2) or not np.isfinite(ends).all() or not (ends[:, 0] < ends[:, 1]).all():
        raise ValueError(
            f"over = {over}: give an increasing pair of finite numbers for each of {equation.dimension} axes"
        )
    return tuple((float(low), float(high)) for low, high in ends)


@once_positional("tolerance")
def mean_exit_time(equation: FokkerPlanck, *, tolerance: float = 1e-4, progress: bool = False) -> BackwardSolution:
    """The mean time until absorption at a wall or killing, by starting place: a τ_x + D τ_xx - κτ = -1 [Gardiner 2009, §5.5].

    In several dimensions a·∇τ + D:∇∇τ - κτ = -1.

    `tolerance` is relative to the largest mean exit time. The domain must be bounded and let walkers out, and the coefficients
    must not depend on time; otherwise there is a ValueError that says so. With `progress` a bar shows the solutions on one mesh
    after another, once they have taken a second; Ctrl-C raises :class:`randwalk.Interrupted` with the best one in ``reached``.

    >>> import randwalk as rw
    >>> between = rw.Interval(0.0, 1.0, rw.Absorbing(), rw.Absorbing())
    >>> round(float(mean_exit_time(FokkerPlanck(0.0, 0.5, domain=between, start=0.5)).value(0.5)), 4)  # x (1 - x)/2D
    0.25
    """
    check_rests_too(equation)
    if equation.dimension > 1:
        return _steady_field(equation, 1.0, {}, "mean exit time", tolerance, progress)
    return _steady(equation, lambda chain: np.ones(chain.killed.size), "mean exit time", tolerance, progress)


@once_positional("tolerance")
def exit_probability(
    equation: FokkerPlanck, wall: str, *, tolerance: float = 1e-4, progress: bool = False
) -> BackwardSolution:
    """The probability of leaving in the end through `wall`, "left", "right" or "killing", by starting place:
    a u_x + D u_xx - κu = 0 with u = 1 on leaving there and 0 elsewhere. In several dimensions `wall` is any of the domain's
    exits; of a region that absorbs, u is the committor of that region against all other exits.
    `tolerance` is relative to the largest probability.
    Domain, coefficients and `progress` as for :func:`mean_exit_time`.

    >>> import randwalk as rw
    >>> between = rw.Interval(0.0, 1.0, rw.Absorbing(), rw.Absorbing())
    >>> round(float(exit_probability(FokkerPlanck(0.0, 0.5, domain=between, start=0.5), "right").value(0.3)), 4)
    0.3
    """

    check_rests_too(equation)
    if equation.dimension > 1:
        check_open(equation, wall)
        return _steady_field(equation, 0.0, {wall: 1.0}, f"probability of leaving by {wall!r}", tolerance, progress)
    if wall not in equation.domain.exits:
        equation.domain.exit(wall)  # refuses it
    face = equation.domain.face(wall)
    if wall != "killing" and (face is None or face.wall.reactivity == 0.0):
        raise ValueError(f"wall = {wall!r}: nobody leaves {equation.domain} there; take another wall")
    paid = (float(wall == "left"), float(wall == "right"))

    def source(chain: Chain) -> Floats:
        return chain.killed if wall == "killing" else np.zeros(chain.killed.size)

    return _steady(equation, source, f"probability of leaving by {wall!r}", tolerance, progress, paid)


def _steady_field(
    equation: FokkerPlanck, source: float, paid: Mapping[str, float], quantity: str, tolerance: float, progress: bool
) -> BackwardSolution:
    """The same as :func:`_steady` in several dimensions."""
    tolerance, domain = checked_tolerance(tolerance), equation.domain
    _check_steady(equation, quantity)
    if not all(math.isfinite(low) and math.isfinite(high) for low, high in domain.bounds):
        raise ValueError(
            f"{quantity}: needs a bounded domain, not {domain}; put far walls, Reflecting() or Absorbing()"
        )
    return last(lambda stages: field_steady(equation, source, paid, quantity, tolerance, stages), progress)


def _check_steady(equation: FokkerPlanck, quantity: str) -> None:
    if equation.time_dependent:
        raise ValueError(f"{quantity}: the coefficients depend on time; use backward(), which is for a given time")


def _steady(
    equation: FokkerPlanck,
    source: Callable[[Chain], Floats],
    quantity: str,
    tolerance: float,
    progress: bool,
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
    return last(lambda stages: _line_steady(equation, source, paid, quantity, tolerance, stages), progress)


def _line_steady(
    equation: FokkerPlanck,
    source: Callable[[Chain], Floats],
    paid: tuple[float, float],
    quantity: str,
    tolerance: float,
    stages: Stages,
) -> Iterator[BackwardSolution]:
    """The solutions on one grid after another."""
    domain = equation.domain

    def run(cells: int) -> BackwardSolution:
        advance = stages(on((cells,)), 1.0)
        grid = replace(whole, cells=cells)
        stencil = Stencil(equation, grid)
        chain = stencil.chain(0.0)
        if not (chain.drains or (not grid.periodic and (chain.down[1] > 0.0 or chain.up[-2] > 0.0))):
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
        asked = ((domain.low, domain.high),)
        advance(1.0)
        return BackwardSolution.of(equation, Mesh((grid,), domain), u, joints, asked, quantity)

    whole = _whole(equation, 0.0)
    cells = max(whole.cells, 2 * min(_steady_cells(equation, whole), LARGEST_PILOT))
    coarse, error = run(cells // 2), math.inf
    while cells <= LARGEST_CELLS:
        fine = run(cells)
        if 2 * coarse.u.size != cells:
            coarse = run(cells // 2)
        before, error = error, line_difference(fine, coarse) / 3.0
        scale = float(np.abs(fine.u).max())
        yield fine.judged(error)
        if error <= tolerance * scale:
            return
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
    return find_window(posed, time, LEAK[1]), (low, high)


def _starts(low: float, high: float) -> Sites:
    """Starting places that stand for a range of them."""
    x = low + (high - low) * (np.arange(STARTS) + 0.5) / STARTS
    return Sites(x, np.full(STARTS, 1.0 / STARTS))


def _steady_cells(equation: FokkerPlanck, window: Grid) -> int:
    """The fewest cells on `window` that show what coefficients that do not depend on time do: their widths, and D/|a|."""
    x = window.low + (window.high - window.low) * (np.arange(LOOKS) + 0.5) / LOOKS
    a, d = np.abs(equation.declared_drift(x)), equation.diffusion(x)
    usable = np.isfinite(a) & (a > 0.0) & (d > 0.0)
    with np.errstate(over="ignore"):  # where a is next to nothing a layer is infinitely wide
        layers = 2.0 * d[usable] / a[usable]
    coefficients = (equation.declared_drift, equation.diffusion, equation.killing)
    widths = (c.width("x", window.low, window.high) for c in coefficients)
    return even((window.high - window.low) / min(float(layers.min(initial=math.inf)), *widths))
