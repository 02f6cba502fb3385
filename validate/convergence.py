"""Rungs 2 and 3: discretisation errors and their orders, with no sampling noise in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from randwalk.inputs.wording import shown
from randwalk.laws.law import Law
from randwalk.model.coefficient import Constant, Floats
from randwalk.model.region import Mask
from randwalk.model.walk import LatticeWalk
from randwalk.pde import FokkerPlanck, exact_law, limit
from randwalk.pde.closed_form import NoClosedForm, closed_form
from randwalk.pde.solve import fewest_cells, solve

from .measure import FLOOR, Measure, distance, measure_for
from .plain import AGREED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ODD, ANY = (
    (1, 3, 9),
    (1, 2, 3),
)  # refinements: on the line, and in more dimensions, where sites are many; odd ones fit all walls
LEVELS = 3
ORDER = 2.0  # of the walk in dx (dt ~ dx²) and of the finite differences in the cell width; a case may state another
BELOW, ABOVE = 0.5, 2.5  # nearer to 2 than to 1, the order of a misplaced wall; special walks converge at order 4
COARSE = 0.01  # larger errors show no order: different laws can approach each other at any
CELLS = {1: 200, 2: 24, 3: 12}  # along an axis of the coarsest finite-difference grid of rung 3, by dimension,
SHOWN = {1: 100, 2: 16, 3: 16}  # and where there is no closed form, so that nothing is judged
# Of the finite-difference solution that replaces a missing closed form, by dimension, where regions are taken out, and between
# walls with a D that is not diagonal, where the solver's steps fall as the square of its cells.
TOLERANCE = {1: 1e-6, 2: 1e-4, 3: 1e-3}
BY_REGIONS = 2e-3
JOINED = 5e-4


@dataclass(frozen=True)
class Convergence:
    """Errors under refinement and the local orders between them.

    An error is the root mean square, over recorded times, of the differences of the distribution function at fixed places
    and of the absorbed probabilities. `order` is that of the theory. `counted` is False for self-convergence, which never counts
    as passed. `apart` is the largest difference of the walk as declared from a second account of it
    (:mod:`randwalk.validate.plain`), NaN where there is none.
    """

    against: str
    widths: tuple[float, ...]
    errors: tuple[float, ...]
    floor: float = FLOOR
    counted: bool = True
    order: float = ORDER
    apart: float = np.nan

    @property
    def orders(self) -> tuple[float, ...]:
        """log(error ratio)/log(width ratio) of neighbours, one fewer than there are errors."""
        pairs = zip(self.errors, self.errors[1:], self.widths, self.widths[1:], strict=False)
        return tuple(float(np.log(max(a, 1e-300) / max(b, 1e-300)) / np.log(h / k)) for a, b, h, k in pairs)

    @property
    def passed(self) -> bool:
        """The last order agrees with the theory and the last error is small, or the last error is at the floor; and the first
        error, of the walk as declared, is not much larger than the orders of the refined walks predict."""
        at_floor = self.errors[-1] <= self.floor
        above = [max(error, self.floor) for error in self.errors]
        in_line = all(order <= self.order + ABOVE for order in replace(self, errors=tuple(above)).orders[:-1])
        if not (self.counted and in_line and self.errors[-1] <= COARSE) or self.apart > AGREED:
            return False
        return at_floor or self.order - BELOW <= self.orders[-1] <= self.order + ABOVE

    @property
    def rule(self) -> str:
        """The rule of :attr:`passed` in words."""
        apart = f"; the master equation written out differs by {self.apart:.1g} ≤ {AGREED:g}"
        return (
            f"last order in [{self.order - BELOW:g}, {self.order + ABOVE:g}] and last error ≤ {COARSE:g}, or last error ≤ "
            f"{self.floor:.1g}; no other order above" + ("" if np.isnan(self.apart) else apart)
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Error against width on logarithmic axes, with the slope of the theory."""
        from randwalk.laws.plotting import COLOURS, axes

        ax = axes(ax)
        widths, errors = np.array(self.widths), np.array(self.errors)
        ax.loglog(widths, errors, "o-", color=COLOURS["exact law"])
        ax.loglog(widths, errors[-1] * (widths / widths[-1]) ** self.order, ":", color="0.5")
        ax.set(xlabel=r"spacing $\Delta x$", ylabel=f"error against {self.against}")
        return ax


def refine(walk: LatticeWalk, factor: int) -> LatticeWalk:
    """The walk of the same equation on sites `factor` times closer, with steps factor² times shorter.

    An even `factor` does not fit between walls of two kinds, and is a ValueError there.

    >>> finer = refine(LatticeWalk(0.5, 0.5, dx=0.3, dt=0.09), 3)
    >>> round(finer.dx, 12), round(finer.dt, 12)
    (0.1, 0.01)
    """
    if not isinstance(walk, LatticeWalk):
        raise TypeError(f"walk = {shown(walk)}: give a LatticeWalk")
    if isinstance(factor, bool) or not isinstance(factor, (int, np.integer)) or factor < 1:
        raise ValueError(f"factor = {shown(factor)}: must be a whole number of at least 1")
    domain = walk.domain
    mixed = any(len({face.wall.on_site for face in axis.faces}) == 2 for axis in domain.axes)
    if mixed and factor % 2 == 0:
        raise ValueError(f"factor = {factor}: between walls of two kinds only odd refinements fit")
    dx = tuple(h / factor for h in walk.spacings)
    shared: dict[str, Any] = {
        "dx": dx if len(dx) > 1 else dx[0], "dt": walk.dt / factor**2, "domain": domain, "start": walk.start,
        "killing": walk.killing,
    }  # fmt: skip
    if walk.rule is None:  # declared by probabilities: p + q of opposite steps stays, p - q shrinks with dx
        steps: dict[tuple[int, ...], Any] = {}
        for step, p in walk.probabilities.items():
            back = tuple(-e for e in step)
            q = walk.probabilities.get(back, Constant(0.0))
            s, m = p + q, (1.0 / factor) * (p - q)
            steps |= {step: 0.5 * (s + m)} | ({} if back in walk.probabilities else {back: 0.5 * (s - m)})
        return LatticeWalk(steps=steps, **shared)
    return LatticeWalk.from_drift(
        walk.declared_drift,
        walk.diffusion,
        rule=walk.rule,
        convention=walk.convention,
        neighbourhood=walk.neighbourhood,
        **shared,
    )


@dataclass(frozen=True, eq=False)
class Reference:
    """The solution of the equation: its closed form, else finite differences with their error.

    `values` are the quantities of `measure`, computed once, because closed forms of spread starts take long.
    """

    law: Law[Any]  # a ClosedForm, a Solution, or one of them between moving ends
    measure: Measure
    values: Floats
    name: str
    error: float
    missing: str = ""


def reference(walk: LatticeWalk, times: Sequence[float]) -> Reference:
    """The closed form of the equation of `walk` if there is one, else a finite-difference solution, with the measure of its
    difference from the exact law of the walk at the `times` > 0."""
    equation = limit(walk)
    try:
        form = closed_form(equation)
        measure = measure_for(walk, times, form)
        return Reference(form, measure, measure.values(form), f"closed form ({form.description})", FLOOR)
    except NoClosedForm as reason:
        solution = solve(equation, list(times), tolerance=_tolerance(equation))
        measure, error = measure_for(walk, times, solution), float(np.max(solution.error_estimate))
        return Reference(solution, measure, measure.values(solution), "finite differences", error, str(reason))


def _tolerance(equation: FokkerPlanck) -> float:
    """That of the solution which stands for a closed form."""
    domain = equation.domain
    if domain.regions:
        return BY_REGIONS
    joined = domain.dimension > 1 and not equation.tensor.diagonal and bool(domain.faces)
    return JOINED if joined else TOLERANCE[min(domain.dimension, max(TOLERANCE))]


def refinements(walk: LatticeWalk) -> tuple[int, ...]:
    """The factors by which rung 2 refines a walk, coarsest first: odd ones where walls stand half way between sites or a region
    is a set of cells, for which alone sites stay sites."""
    half_way = any(not face.wall.on_site for face in walk.domain.faces)
    cells = any(isinstance(leaf, Mask) for region in walk.domain.regions for leaf in region.shape.leaves)
    return ODD if walk.dimension == 1 else ODD[:2] if half_way or cells else ANY


def walk_convergence(
    walk: LatticeWalk, times: Sequence[float], against: Reference, measure: Measure, order: float = ORDER
) -> Convergence:
    """Rung 2: the exact law of the walk against the solution of its equation, at dx, dx/3, dx/9; beyond one dimension at dx,
    dx/2, dx/3, or dx, dx/3 where walls stand half way between sites."""
    widths, errors = [], []
    for factor in refinements(walk):
        finer = refine(walk, factor) if factor > 1 else walk
        law = exact_law(finer, measure.times)
        widths.append(finer.spacings[0])
        errors.append(distance(measure.values(law.smoothed()), against.values))
    return Convergence(against.name, tuple(widths), tuple(errors), max(FLOOR, against.error), order=order)


def solver_convergence(
    equation: FokkerPlanck, against: Reference, measure: Measure, order: float = ORDER
) -> Convergence:
    """Rung 3: finite differences against the closed form, at 200, 400 and 800 cells, or more where the equation needs more;
    beyond one dimension at fewer along each axis.

    Without a closed form the report shows the differences of successive solutions, on coarser grids, which are no evidence about
    the equation.
    """
    dimension, known = equation.domain.dimension, not against.missing
    cells = CELLS if known else SHOWN
    coarsest = max(cells[min(dimension, max(cells))], fewest_cells(equation, list(measure.times)))
    solutions = [solve(equation, list(measure.times), cells=coarsest * 2**level) for level in range(LEVELS)]
    widths = tuple(s.mesh.axes[0].h for s in solutions)
    if known:
        errors = tuple(distance(measure.values(s), against.values) for s in solutions)
        return Convergence(against.name, widths, errors, order=order)
    errors = tuple(measure.difference(a, b) for a, b in pairwise(solutions))
    return Convergence("self-convergence", widths[:-1], errors, counted=False, order=order)
