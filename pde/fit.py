"""The grid that an equation needs: edges on its breaks, cells that crowd towards an end where D vanishes."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import numpy as np
from scipy.optimize import minimize_scalar

from randwalk.coefficient import Coefficient
from randwalk.domain import PartiallyAbsorbing

from .equation import FokkerPlanck
from .grid import Grid, fewest_cells
from .stencil import Degenerate

MOST_BREAKS: Final = 4096  # that edges of cells can stand on
SAME: Final = 1e-10  # of the window: places as close as that are one
VANISHES: Final = 1e-9  # relative to D nearby: taken as 0
NEAR: Final = 1e-6  # of the window: where the exponents of a degenerate end are read
SAMPLES: Final = 1025
POWER: Final = 2.0  # of the grading towards a degenerate end where the density is not singular
LARGEST_POWER: Final = 8.0  # towards x = 0, about which doubles are as fine as may be
LARGEST_POWER_ELSEWHERE: Final = 2.5  # towards any other place: of 2**16 cells the first is some 1e-12 of the piece


def fitted(equation: FokkerPlanck, window: Grid) -> Grid:
    """The `window` with breaks and grading as the coefficients of `equation` ask, and cells enough to be halved once.

    Raises
    ------
    ValueError
        where the coefficients break at more places than edges can stand on, or a partially absorbing wall stands where D is 0.
    """
    plain = replace(window, breaks=(), powers=(1.0, 1.0))
    breaks = _breaks(equation, plain)
    powers = _power(equation, plain, 0), _power(equation, plain, 1)
    if min(powers) > 1.0 and not breaks:
        breaks = (0.5 * (window.low + window.high),)
    if powers == (1.0, 1.0) and not breaks:
        return plain
    cells = max(window.cells, 2 * fewest_cells(len(breaks) + 1))
    return replace(plain, cells=cells, breaks=breaks, powers=powers)


def refuse_zeros(equation: FokkerPlanck, grid: Grid, until: float) -> None:
    """Refuse a D that vanishes between the ends of `grid` at a time up to `until`; at an end it may."""
    diffusion = equation.diffusion
    if not diffusion.depends_on_x:
        return
    times = np.linspace(0.0, until, 5) if diffusion.depends_on_t else np.zeros(1)
    x = np.unique(np.concatenate([np.linspace(grid.low, grid.high, SAMPLES), np.array(grid.breaks)]))
    for t in times.tolist():
        d = diffusion(x, t)
        dips = np.flatnonzero((d[1:-1] <= d[:-2]) & (d[1:-1] <= d[2:]) & (d[1:-1] < 0.9 * np.maximum(d[:-2], d[2:]))) + 1
        for k in dips.tolist():
            found = minimize_scalar(
                lambda y, t=t: float(diffusion(y, t)), bounds=(x[k - 1], x[k + 1]), method="bounded",
                options={"xatol": 1e-12 * (grid.high - grid.low)},
            )  # fmt: skip
            least, place = min((float(d[k]), float(x[k])), (float(found.fun), float(found.x)))
            if least <= VANISHES * max(d[k - 1], d[k + 1]):
                raise ValueError(
                    f"diffusion = {least:.3g} at x = {place:.6g}, t = {t:.6g}: it must be positive between the ends of the "
                    "domain, and may vanish at them alone; put an end of the domain there, or keep it positive"
                )


def _breaks(equation: FokkerPlanck, grid: Grid) -> tuple[float, ...]:
    """The places inside where a coefficient breaks, and the seam of a ring if one breaks there."""
    coefficients = (equation.declared_drift, equation.diffusion, equation.killing)
    low, high = grid.low, grid.high
    places = sorted({place for c in coefficients if c.depends_on_x for place in c.breaks("x", low, high)})
    if len(places) > MOST_BREAKS:
        raise ValueError(
            f"the coefficients break at {len(places)} places between x = {low:g} and {high:g}, and the solver takes at most "
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


def _power(equation: FokkerPlanck, grid: Grid, side: int) -> float:
    """The power of the grading towards an end: 1 where D is positive and the drift finite."""
    wall, end = ((grid.left, grid.low), (grid.right, grid.high))[side]
    if wall is None or grid.periodic:
        return 1.0
    drift = equation.declared_drift
    near = end + (1.0 - 2.0 * side) * NEAR * (grid.high - grid.low)
    at_end, inside = np.abs(equation.diffusion(np.array([end, near]), 0.0))
    if at_end > 1e-3 * inside and math.isfinite(float(drift(end, 0.0))):
        return 1.0
    if isinstance(wall, PartiallyAbsorbing):
        raise ValueError(
            f"diffusion = {at_end:g} and drift = {float(drift(end, 0.0)):g} at x = {end:g}, where the wall is {wall}: the density "
            "that its flux is proportional to is 0 or infinite there; take Absorbing() or Reflecting()"
        )
    eta = Degenerate.read(equation, wall, end, near, 0.0).eta
    limit = LARGEST_POWER if end == 0.0 else LARGEST_POWER_ELSEWHERE
    return min(max(POWER, 2.0 / eta), limit) if eta > 0.0 else POWER
