"""The grid that an equation needs: edges on its breaks, cells that crowd towards an end where D vanishes."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import Final

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from randwalk.model.coefficient import Coefficient, Floats, coordinate

from ..equation import FokkerPlanck
from .ends import Degenerate
from .grid import Grid, fewest_cells
from .mesh import COARSEST, Mesh
from .reading import refuse

MOST_BREAKS: Final = 4096  # that edges of cells stand on
MOST_ON_AXIS: Final = 16  # the same of an axis in several dimensions
SAME: Final = 1e-10  # of the window: places as close as that are one
VANISHES: Final = 1e-9  # relative to D nearby: taken as 0
NEAR: Final = 1e-6  # of the window: where the exponents of a degenerate end are read
SAMPLES: Final = 1025
LOOKS: Final = (1e-6, 0.25, 0.5, 0.75, 1.0)  # shares of all of the time
POWER: Final = 2.0  # of the grading towards a degenerate end where the density is not singular
LARGEST_POWER: Final = 16.0  # towards x = 0, about which doubles are fine; the third power of 2**(-18 * 16) is one
LARGEST_POWER_ELSEWHERE: Final = 2.5  # towards any other place: of 2**16 cells the first is some 1e-12 of the piece


def fitted(equation: FokkerPlanck, window: Grid, until: float) -> Grid:
    """The `window` with breaks and grading as the coefficients of `equation` ask half way to the time `until`, and cells
    enough to be halved once.

    Raises
    ------
    ValueError
        where the coefficients break at more places than edges can stand on, or a partially absorbing wall stands where D is 0.
    """
    plain = replace(window, breaks=(), powers=(1.0, 1.0))
    breaks = _breaks(equation, plain)
    powers = _power(equation, plain, 0, 0.5 * until), _power(equation, plain, 1, 0.5 * until)
    if min(powers) > 1.0 and not breaks:
        breaks = (0.5 * (window.low + window.high),)
    if powers == (1.0, 1.0) and not breaks:
        return plain
    cells = max(window.cells, 2 * fewest_cells(len(breaks) + 1))
    return replace(plain, cells=cells, breaks=breaks, powers=powers)


def edged(equation: FokkerPlanck, mesh: Mesh) -> Mesh:
    """A `mesh` in several dimensions with edges of cells on the places where coefficients break along an axis. Cells stay equal
    with a tensor D, whose diagonals need it, in domains with regions, and where there are very many breaks."""
    if mesh.dimension == 1 or mesh.domain.regions or not equation.tensor.diagonal:
        return mesh
    axes = []
    for a, grid in enumerate(mesh.axes):
        name, same = coordinate(a), SAME * (grid.high - grid.low)
        found = {b for c in equation.coefficients if c.depends_on(name) for b in c.breaks(name, grid.low, grid.high)}
        places = [grid.low, *sorted(found), grid.high]
        kept = tuple(b for b, c in pairwise(places) if b - grid.low > same and c - b > same)
        few = kept if len(kept) <= MOST_ON_AXIS else ()
        plain = replace(grid, breaks=(), cells=max(grid.cells, 4 * len(few) + 4 * bool(few)), coarsest=COARSEST)
        axes.append(replace(plain, breaks=few))
    return replace(mesh, axes=tuple(axes))


def refuse_zeros(equation: FokkerPlanck, grid: Grid, until: float) -> None:
    """Refuse a D that is negative in `grid` at a time up to `until`, or vanishes between its ends; at an end it may be 0."""
    diffusion = equation.diffusion
    times = until * np.array(LOOKS) if diffusion.depends_on_t else np.zeros(1)
    x = _samples(diffusion, grid.low, grid.high)[1:-1]
    for t in times.tolist():
        d = diffusion(x, t)
        refuse("diffusion", d < 0.0, d, x, t, "must be positive where there may be mass")
        for place in zeros(diffusion, grid.low, grid.high, t):
            raise ValueError(
                f"diffusion = {float(diffusion(place, t)):.3g} at x = {place:.6g}, t = {t:.6g}: it must be positive between "
                "the ends of the domain, and may vanish at them alone; put an end of the domain there, or keep it positive"
            )


def clipped(equation: FokkerPlanck, window: Grid, until: float) -> Grid:
    """The `window` with an end that cuts an unbounded domain moved to the nearest place before it where D vanishes half way
    to the time `until`."""
    low, high = np.clip(equation.start.support, window.low, window.high)
    places = np.array(zeros(equation.diffusion, window.low, window.high, 0.5 * until))
    below, above = places[places < low], places[places > high]
    return replace(
        window,
        low=float(below.max()) if below.size and window.left is None else window.low,
        high=float(above.min()) if above.size and window.right is None else window.high,
    )


def zeros(diffusion: Coefficient, low: float, high: float, t: float) -> list[float]:
    """Places strictly between `low` and `high` where D at time `t` vanishes or changes its sign; if there are none but D is
    negative, one such place."""
    if not diffusion.depends_on_x:
        return []
    x = _samples(diffusion, low, high)
    d = diffusion(x, t)
    found = [brentq(diffusion, x[k], x[k + 1], args=(t,)) for k in np.flatnonzero(d[1:-2] * d[2:-1] < 0.0) + 1]
    size = np.abs(d)
    dips = (size[1:-1] <= size[:-2]) & (size[1:-1] <= size[2:]) & (size[1:-1] < 0.9 * np.maximum(size[:-2], size[2:]))
    for k in (np.flatnonzero(dips) + 1).tolist():
        near = minimize_scalar(
            lambda y: abs(float(diffusion(y, t))), bounds=(x[k - 1], x[k + 1]), method="bounded",
            options={"xatol": 1e-12 * (high - low)},
        )  # fmt: skip
        least, place = min((float(size[k]), float(x[k])), (float(near.fun), float(near.x)))
        if least <= VANISHES * max(size[k - 1], size[k + 1]):
            found.append(place)
    if not found and (d[1:-1] <= 0.0).any():
        found = [float(x[1:-1][d[1:-1] <= 0.0][0])]
    return sorted(place for place in found if low < place < high)


def _samples(diffusion: Coefficient, low: float, high: float) -> Floats:
    """Places from `low` to `high` at which D is looked at: in every piece between two of its breaks, and many."""
    ends = np.array([low, *diffusion.breaks("x", low, high), high])
    return np.unique(np.concatenate([np.linspace(low, high, SAMPLES), ends, 0.5 * (ends[1:] + ends[:-1])]))


def _breaks(equation: FokkerPlanck, grid: Grid) -> tuple[float, ...]:
    """The places inside where a coefficient breaks, and the seam of a ring if one breaks there."""
    coefficients = (equation.declared_drift, equation.diffusion, equation.killing)
    low, high = grid.low, grid.high
    places = sorted({place for c in coefficients if c.depends_on_x for place in c.breaks("x", low, high)})
    if len(places) > MOST_BREAKS:  # kinks need no edge where cells are no wider than they are apart
        places = sorted({place for c in coefficients if c.depends_on_x for place in c.jumps("x", low, high)})
    if len(places) > MOST_BREAKS:
        raise ValueError(
            f"the coefficients jump at {len(places)} places between x = {low:g} and {high:g}, and the solver takes at most "
            f"{MOST_BREAKS}: give tables with fewer rows, or smooth formulas"
        )
    same = SAME * (high - low)
    kept = [low]
    for place in places:
        if place - kept[-1] > same and high - place > same:
            kept.append(place)
    return tuple(kept if grid.periodic and _breaks_at_seam(coefficients, grid) else kept[1:])


def _breaks_at_seam(coefficients: tuple[Coefficient, ...], grid: Grid) -> bool:
    """Whether the value or the slope of a coefficient is another before the seam of a ring than behind it."""
    step = NEAR * (grid.high - grid.low)
    for c in coefficients:
        if not c.depends_on_x:
            continue
        after, before = c(grid.low + step * np.arange(3.0), 0.0), c(grid.high - step * np.arange(3.0), 0.0)
        scale = np.abs(c(np.linspace(grid.low, grid.high, SAMPLES), 0.0)).max()
        slopes = (after[1] - after[0]) + (before[1] - before[0])
        if abs(after[0] - before[0]) > VANISHES * scale or abs(slopes) > 1e-3 * NEAR * scale:
            return True
    return False


def _power(equation: FokkerPlanck, grid: Grid, side: int, t: float) -> float:
    """The power of the grading towards an end: 1 where D is positive and the drift finite."""
    wall, end = ((grid.left, grid.low), (grid.right, grid.high))[side]
    if grid.periodic:
        return 1.0
    drift = equation.declared_drift
    near = end + (1.0 - 2.0 * side) * NEAR * (grid.high - grid.low)
    at_end, inside = np.abs(equation.diffusion(np.array([end, near]), t))
    if wall is None and at_end > 0.0:
        return 1.0
    if at_end > 1e-3 * inside and not math.isinf(float(drift(end, t))):
        return 1.0
    if wall is not None and 0.0 < wall.reactivity < math.inf:
        raise ValueError(
            f"diffusion = {at_end:g} and drift = {float(drift(end, t)):g} at x = {end:g}, where the wall is {wall}: the "
            "density that its flux is proportional to is 0 or infinite there; take Absorbing() or Reflecting()"
        )
    eta = Degenerate.read(equation, wall, end, near, t).eta
    limit = LARGEST_POWER if end == 0.0 else LARGEST_POWER_ELSEWHERE
    return float(min(max(POWER, 2.0 / eta), limit)) if eta > 0.0 else POWER
