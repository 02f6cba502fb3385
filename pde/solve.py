"""The finite-difference solution of a Fokker–Planck equation to a stated tolerance."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from randwalk.inputs.keywords import once_positional
from randwalk.model.coefficient import Floats
from randwalk.terminal.progress import Stages

from .equation import FokkerPlanck
from .moving import check_rests_too
from .solver.arguments import (
    SMALLEST_CELLS,
    check_memory,
    checked_cells,
    checked_scheme,
    checked_times,
    checked_tolerance,
)  # fmt: skip
from .solver.fit import edged
from .solver.forward import ROUNDING, Forward, Run
from .solver.ladder import Found
from .solver.levels import last
from .solver.needs import Needs, even
from .solver.refine import PILOT_CELLS, STUCK, Balance, refined
from .solver.schemes import Clock, Scheme
from .solver.solution import Solution as Solution
from .solver.window import find_mesh, wider_mesh

LEAK_SHARE: Final = 1e-3  # of the tolerance may leave the window of an unbounded domain
THIRD_LEVEL: Final = 4  # times the first cells: the third level of a ladder, below which none is believed
FIXED_LEAK: Final = 1e-12  # mass that may leave it when the number of cells is given


@once_positional("tolerance", "cells", "scheme")
def solve(
    equation: FokkerPlanck,
    times: ArrayLike,
    *,
    tolerance: float = 1e-4,
    cells: int | None = None,
    scheme: Scheme | None = None,
    progress: bool = False,
) -> Solution:
    """Solve ρ_t = -(aρ)_x + (Dρ)_xx - κρ by conservative finite volumes on a grid of its own, in one dimension or more.

    Parameters
    ----------
    equation : FokkerPlanck
    times : increasing positive numbers
        When the law is recorded (time).
    tolerance : float
        The largest error wanted, at any recorded time, of the cumulative probability at any cell edge (in several dimensions
        at any corner of cells) and of the mass absorbed at any wall or killed. The estimate that is reached is in the result.
    cells : even int ≥ 16, optional
        Fixes the grid in place of the tolerance: in several dimensions the number of cells of the axis that has the most,
        others in proportion. Steps are then chosen so that their error stays below that of the grid. The
        solution is the second-order one, so that a study of its convergence shows the order. Refused where so few cells show
        nothing of the law.
    scheme : BackwardEuler(), CrankNicolson() or SDIRK2(), optional
        The time scheme, SDIRK2() by default. With a ``dt`` its steps are at most that long; else they are chosen.
    progress : bool
        Show a progress bar, of one solution after another, once the work has taken a second.

    Notes
    -----
    Scharfetter–Gummel fluxes (:mod:`randwalk.pde.solver.stencil`) keep mass to rounding and the equilibrium between reflecting
    walls exactly. They are of second order in space; (4 fine - coarse)/3 of the solutions with widths h and 2h, and steps in
    proportion, is of fourth order where errors are smooth in h. Cells are equal, except that edges stand on the kinks and
    jumps of coefficients (:meth:`randwalk.Coefficient.breaks`), and that cells crowd towards an end where D vanishes or the
    drift is singular; such an end lets mass through if it can be reached [Feller 1952].

    Where coordinates are independent, each axis is solved on a line of its own (:mod:`randwalk.pde.solver.states`).
    Else in several dimensions every axis, and every diagonal that a mixed derivative needs, has a chain
    (:mod:`randwalk.pde.solver.operator`), taken in Strang's order. Cells are equal there, except that edges stand on kinks and
    jumps along an axis where D is diagonal and the domain has no regions. Walls of regions with a distance, or of a smooth level,
    are of second order where D is diagonal: absorbing ones are crossed where they stand, and others cut cells
    (:mod:`randwalk.pde.solver.cut_cells`), so that mass is kept and an equilibrium stays, to rounding. Masks, and what is made
    of them, are sets of cells, of first order. With a D that is not diagonal the order at curved walls is 2 of those that absorb
    and between 1½ and 2, as measured, of those that reflect or absorb in part; of walls that absorb so much that they are crossed
    (K h above about D/2) it is 1. With regions, and with walls and a D that is not diagonal, nothing is extrapolated once
    mass has met such a wall.
    Where a wall asks for all chains together, as when it cuts cells or with such a D, they make one step
    (:mod:`randwalk.pde.solver.together`).
    Of a start that does not vanish at absorbing faces, steps grow as the cube of their number, so that by which of them mass
    leaves is of second order too (:mod:`randwalk.pde.solver.exit_order`).

    An unbounded domain, and a wall that is not reached, is cut where less than a thousandth of the tolerance (1e-12 for
    fixed `cells`) crosses; see ``window`` and ``leaked``. Short pilot solutions compare the errors of space and time; cells and
    steps are then halved together until the estimate meets the tolerance.

    Raises
    ------
    ValueError
        for times that are not positive and increasing, coefficients that are not numbers, D < 0, or D = 0 elsewhere than at
        an end of the domain (with the place), and a tolerance that is out of reach (with the one that was reached).
    Interrupted
        on Ctrl-C, with the solution that was reached in ``reached`` (None if none had an error yet).

    Examples
    --------
    >>> import randwalk as rw
    >>> ou = FokkerPlanck(drift=rw.Affine(slope=-1.0), diffusion=0.5, start=1.0)
    >>> law = solve(ou, times=[1.0])
    >>> round(law.mean(1.0), 3)
    0.368
    """
    check_rests_too(equation)
    cells = None if cells is None else checked_cells(cells)
    tolerance, recorded, scheme = checked_tolerance(tolerance), checked_times(times), checked_scheme(scheme)
    check_memory((cells or SMALLEST_CELLS,), recorded.size)
    return last(lambda stages: _levels(equation, recorded, tolerance, cells, scheme, stages), progress)


def _levels(
    equation: FokkerPlanck, recorded: Floats, tolerance: float, cells: int | None, scheme: Scheme, stages: Stages
) -> Iterator[Solution]:
    """The solutions of all levels that have an error, of which the last one is what was asked for."""
    leak = LEAK_SHARE * tolerance if cells is None else FIXED_LEAK
    mesh = edged(equation, find_mesh(equation, recorded, leak))
    check_memory(mesh.with_cells(cells).shape if cells else mesh.shape, recorded.size)
    needs = Needs.on_mesh(equation, recorded, scheme, mesh, equation.start)
    if cells is not None and cells < 2 * needs.cells:
        raise ValueError(f"cells = {cells}: too few to show the law at all; take cells = {2 * needs.cells} or more")

    if cells is None and scheme.dt is None:
        needs.check(THIRD_LEVEL * needs.first)
        check_memory(mesh.with_cells(THIRD_LEVEL * needs.first).shape, recorded.size)

    while True:
        family = Forward(equation, recorded, scheme, mesh, stages)
        for found in _found(family, needs, tolerance, cells):
            lost = np.where(mesh.cut, found.fine.left_so_far[-1], 0.0)
            solution = _solution(family, found, float(lost.sum()))
            yield solution
        if (lost <= leak).all():
            break
        mesh = edged(equation, wider_mesh(equation, mesh, lost, leak, float(recorded[-1])))
    error = solution.error_estimate
    if cells is None and error > tolerance:
        raise ValueError(
            f"tolerance = {tolerance:g} is out of reach: {error:.2g} is the rounding of {solution.steps} steps; take "
            f"tolerance = {2.0 * error:.2g}"
        )


def _found(family: Forward, needs: Needs, tolerance: float, cells: int | None) -> Iterator[Found[Run]]:
    """What is found on one window, the last to the tolerance or on the number of cells that is given."""
    if cells is not None:
        yield family.pair(cells, needs, Balance.measured(family, needs, 1.0).clock(cells // 2))
    elif family.scheme.dt is None:
        yield from refined(family, needs, tolerance)
    else:
        yield from _with_steps(family, needs, tolerance)


def _solution(family: Forward, found: Found[Run], lost: float) -> Solution:
    """The law that was found, where as much mass was `lost` through cuts."""
    run = found.solution
    surely = lost + ROUNDING * (run.ages.size - 1)  # however well two solutions agree
    return Solution(
        family.equation,
        family.scheme,
        run.mesh,
        family.times,
        np.maximum(run.mass, 0.0) / run.mesh.volumes,  # what is below 0 is rounding
        np.maximum(found.errors, surely),
        found.fine.passage_difference(found.coarse),
        run.ages,
        run.left_so_far,
        found.extrapolated,
    )


def fewest_cells(equation: FokkerPlanck, times: ArrayLike) -> int:
    """The smallest even number of `cells` that :func:`solve` admits: enough to show the law, and to stand on all breaks."""
    recorded = checked_times(times)
    mesh = edged(equation, find_mesh(equation, recorded, FIXED_LEAK))
    return max(2 * Needs.on_mesh(equation, recorded, checked_scheme(None), mesh, equation.start).cells, SMALLEST_CELLS)


def _with_steps(family: Forward, needs: Needs, tolerance: float) -> Iterator[Found[Run]]:
    """Second-order solutions with the steps of the scheme, the last on as many cells as it takes."""
    dt = family.scheme.dt
    assert dt is not None
    clock = Clock.equal(needs.times, needs.refined * dt, needs.pace, needs.power)
    cells, reached = even(max(PILOT_CELLS, 2 * needs.cells)), math.inf
    while cells <= needs.most:
        found = family.pair(cells, needs, clock)
        yield found
        error = float(found.errors.max())
        if error <= tolerance:
            return
        if error > STUCK * reached:
            break
        reached, cells = min(error, reached), 2 * cells
    raise ValueError(
        f"tolerance = {tolerance:g} is out of reach: {reached:.2g} was reached; more cells do not help: leave dt out, or take "
        f"one much smaller than {dt:g}"
    )
