"""Rungs 2 and 3: discretisation errors and their orders, with no sampling noise in them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from randwalk.inputs.wording import shown
from randwalk.laws.estimate import exact
from randwalk.laws.law import Law
from randwalk.model.coefficient import Constant, Floats
from randwalk.model.walk import LatticeWalk
from randwalk.pde import FokkerPlanck, exact_law, limit
from randwalk.pde.closed_form import ClosedForm, NoClosedForm, closed_form
from randwalk.pde.solve import Solution, fewest_cells, solve
from randwalk.tables.sublattice import cell, occupied

if TYPE_CHECKING:
    from matplotlib.axes import Axes

REFINE = 3  # old sites stay sites, whatever the kinds of the walls
LEVELS = 3
ORDER = 2.0  # of the walk in dx (dt ~ dx²) and of the finite differences in the cell width
BELOW, ABOVE = 0.5, 2.5  # nearer to 2 than to 1, the order of a misplaced wall; special walks converge at order 4
FLOOR = 2e-11  # errors below this are rounding
COARSE = 0.01  # larger errors show no order: different laws can approach each other at any
CELLS = 200  # of the coarsest finite-difference grid of rung 3
EDGES = 33  # bin edges, over all times
FEWEST = 12  # bin edges at each time
SEEN = 1e-4  # the mass at either end that lies outside the bins
TOLERANCE = 1e-6  # of the finite-difference solution that replaces a missing closed form


@dataclass(frozen=True)
class Convergence:
    """Errors under refinement and the local orders between them.

    An error is the root mean square, over recorded times, of the differences of the distribution function at fixed places
    and of the absorbed probabilities. `counted` is False for self-convergence, which never counts as passed.
    """

    against: str
    widths: tuple[float, ...]
    errors: tuple[float, ...]
    floor: float = FLOOR
    counted: bool = True

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
        in_line = all(order <= ORDER + ABOVE for order in replace(self, errors=tuple(above)).orders[:-1])
        if not (self.counted and in_line and self.errors[-1] <= COARSE):
            return False
        return at_floor or ORDER - BELOW <= self.orders[-1] <= ORDER + ABOVE

    @property
    def rule(self) -> str:
        """The rule of :attr:`passed` in words."""
        return (
            f"last order in [{ORDER - BELOW:g}, {ORDER + ABOVE:g}] and last error ≤ {COARSE:g}, or last error ≤ "
            f"{self.floor:.1g}; no other order above"
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Error against width on logarithmic axes, with the slope of the theory."""
        from randwalk.laws.plotting import COLOURS, axes

        ax = axes(ax)
        widths, errors = np.array(self.widths), np.array(self.errors)
        ax.loglog(widths, errors, "o-", color=COLOURS["exact law"])
        ax.loglog(widths, errors[-1] * (widths / widths[-1]) ** ORDER, ":", color="0.5")
        ax.set(xlabel=r"spacing $\Delta x$", ylabel=f"error against {self.against}")
        return ax


@dataclass(frozen=True)
class Measure:
    """The quantities compared between laws of one problem: bin edges that do not move under refinement, times, exits."""

    edges: Floats
    times: tuple[float, ...]
    exits: tuple[str, ...]

    def values(self, law: Law[Any]) -> Floats:
        """Distribution function at the edges, and absorbed probabilities, at every time."""
        cumulative = [np.cumsum(exact(law.mass(self.edges, t))) for t in self.times]
        absorbed = [exact(law.absorbed(exit, self.times)) for exit in self.exits]
        return np.concatenate([*cumulative, *absorbed])

    def difference(self, first: Law[Any], second: Law[Any]) -> float:
        return distance(self.values(first), self.values(second))


def distance(first: Floats, second: Floats) -> float:
    """The root mean square of the differences."""
    return float(np.sqrt(np.mean((first - second) ** 2)))


def measure_for(walk: LatticeWalk, times: Sequence[float], *others: ClosedForm | Solution) -> Measure:
    """The ends of the domain and some 30 edges between cells of the walk's atoms, which refinement by 3 keeps, so that no edge
    cuts a cell. At each time the edges cover all places but those of a mass of 1e-4 at either end of the exact law of `walk`
    or of one of the `others`, so that laws at different places are compared at both."""
    law = exact_law(walk, times)
    domain, lattice, dx = walk.domain, walk.lattice, walk.dx
    last = law.steps[-1]
    pairs = cell(law.table, last) == 2
    offset = 0.0 if pairs else 0.5  # borders are the sites without mass, or half way between two sites
    parity = (law.table.first + 1 - (occupied(law.table, last).start or 0)) % 2
    ends = [law.sites[0] - dx, law.sites[-1] + dx]
    borders = []
    for row, t in enumerate(times):
        total = np.cumsum(law.pmf[row]) / max(float(law.pmf[row].sum()), 1e-300)
        seen = np.flatnonzero((total > SEEN) & (total < 1.0 - SEEN))
        low, high = law.sites[seen[[0, -1]] if seen.size else [0, -1]]
        for other in others if t > 0 else ():
            begin, end = _places(other, t, low, high, dx)
            low, high = min(low, begin), max(high, end)
        ends = [min(ends[0], low - dx), max(ends[1], high + dx)]
        step = 2 if pairs else 1
        first = math.ceil((low - lattice.origin) / dx - offset - 1e-6)
        first += (first - parity) % 2 if pairs else 0
        count = math.floor((high - lattice.origin) / dx - offset + 1e-6) - first
        stride = step * max(1, count // step // max(EDGES // len(times), FEWEST))
        borders.append(lattice.origin + dx * (np.arange(first, first + count + 1, stride) + offset))
    ends = [domain.low if np.isfinite(domain.low) else ends[0], domain.high if np.isfinite(domain.high) else ends[1]]
    inside = np.unique(np.concatenate(borders))
    inside = inside[(inside > ends[0] + 0.25 * dx) & (inside < ends[1] - 0.25 * dx)]
    inside = inside[np.diff(inside, prepend=-np.inf) > 0.25 * dx]
    exits = domain.open_exits(walk.killing != Constant(0.0))
    return Measure(np.concatenate([[ends[0]], inside, [ends[1]]]), tuple(t for t in times if t > 0), exits)


def _places(law: ClosedForm | Solution, t: float, low: float, high: float, width: float) -> tuple[float, float]:
    """The interval that holds the mass of `law` at time `t` but SEEN at either end, to within `width` or a 64th of its length;
    the search begins with [low, high]. Returns (low, high) if no mass is left."""
    alive = float(law.survival(t))
    if alive <= FLOOR:
        return low, high
    domain = law.equation.domain

    def below(x: Floats | float) -> Floats:
        return exact(law.cdf(x, t)) / alive

    begin, end, reach = low, high, max(high - low, width)
    while begin > domain.low and float(below(begin)) > SEEN and math.isfinite(begin):
        begin, reach = max(begin - reach, domain.low), 2.0 * reach
    reach = max(high - low, width)
    while end < domain.high and float(below(end)) < 1.0 - SEEN and math.isfinite(end):
        end, reach = min(end + reach, domain.high), 2.0 * reach
    found: list[float] = []
    for part in (SEEN, 1.0 - SEEN):
        left, right = begin, end
        while right - left > max(width, (end - begin) / 2.0**50):
            x = np.linspace(left, right, 65)
            at = int(np.clip(np.searchsorted(below(x), part), 1, 64))
            left, right = float(x[at - 1]), float(x[at])
            if found and right - left < (right - found[0]) / 64.0:
                break
        found.append(left if part == SEEN else right)
    return found[0], found[1]


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
    mixed = len({face.wall.on_site for face in domain.faces}) == 2
    if mixed and factor % 2 == 0:
        raise ValueError(f"factor = {factor}: between walls of two kinds only odd refinements fit")
    dx, dt = walk.dx / factor, walk.dt / factor**2
    shared: dict[str, Any] = {"domain": domain, "start": walk.start, "killing": walk.killing}
    if walk.rule is None:  # declared by probabilities: p + q stays, p - q shrinks with dx
        s, m = walk.right + walk.left, (1.0 / factor) * (walk.right - walk.left)
        return LatticeWalk(0.5 * (s + m), 0.5 * (s - m), dx=dx, dt=dt, **shared)
    return LatticeWalk.from_drift(
        walk.declared_drift, walk.diffusion, dx=dx, dt=dt, rule=walk.rule, convention=walk.convention, **shared
    )


@dataclass(frozen=True, eq=False)
class Reference:
    """The solution of the equation: its closed form, else finite differences with their error.

    `values` are the quantities of `measure`, computed once, because closed forms of spread starts take long.
    """

    law: ClosedForm | Solution
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
        solution = solve(equation, list(times), tolerance=TOLERANCE)
        measure, error = measure_for(walk, times, solution), float(np.max(solution.error_estimate))
        return Reference(solution, measure, measure.values(solution), "finite differences", error, str(reason))


def walk_convergence(walk: LatticeWalk, times: Sequence[float], against: Reference, measure: Measure) -> Convergence:
    """Rung 2: the exact law of the walk against the solution of its equation, at dx, dx/3, dx/9."""
    widths, errors = [], []
    for level in range(LEVELS):
        finer = refine(walk, REFINE**level) if level else walk
        law = exact_law(finer, measure.times)
        widths.append(finer.dx)
        errors.append(distance(measure.values(law.smoothed()), against.values))
    return Convergence(against.name, tuple(widths), tuple(errors), max(FLOOR, against.error))


def solver_convergence(equation: FokkerPlanck, against: Reference, measure: Measure) -> Convergence:
    """Rung 3: finite differences against the closed form, at 200, 400 and 800 cells, or more where the equation needs more.

    Without a closed form the report shows the differences of successive solutions, which are no evidence about the equation.
    """
    coarsest = max(CELLS, fewest_cells(equation, list(measure.times)))
    cells = [coarsest * 2**level for level in range(LEVELS)]
    solutions = [solve(equation, list(measure.times), cells=n) for n in cells]
    widths = tuple(s.grid.h for s in solutions)
    if not against.missing:
        errors = tuple(distance(measure.values(s), against.values) for s in solutions)
        return Convergence(against.name, widths, errors)
    finest = solve(equation, list(measure.times), cells=2 * cells[-1])
    pairs = zip(solutions, [*solutions[1:], finest], strict=True)
    errors = tuple(measure.difference(a, b) for a, b in pairs)
    return Convergence("self-convergence", widths, errors, counted=False)
