"""The part of a domain that has cells: all of a small domain, else the window that holds all but a stated mass."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import numpy as np

from randwalk.model.coefficient import Floats
from randwalk.model.domain import Domain, Ring

from ..equation import FokkerPlanck
from ..pace import Pace
from .chains import GONE, INNER
from .fit import clipped, fitted, refuse_zeros
from .grid import Grid
from .moments import linear_noise
from .reading import refuse
from .schemes import SDIRK2, Clock, march
from .shares import start_state
from .stencil import Stencil

CELLS: Final = 128
STEPS: Final = 32
PASSES: Final = 60
NEAR: Final = 0.2  # a wall this close, relative to the width, is taken in
MARGIN: Final = 0.1  # share of the width by which an end that leaks a little is moved out
MOST_CELLS: Final = 2**16  # of a window that is widened, at the spacing of the first guess
LOOSE: Final = 0.75  # a window of which less than this is used is tightened


def leaked(grid: Grid, left_so_far: Floats) -> Floats:
    """Mass that has crossed the ends (left, right) of `grid` that are not walls, from the mass that has left it."""
    cut = np.array([grid.left is None, grid.right is None]) & (not grid.periodic)
    return np.where(cut, left_so_far[:2], 0.0)


def find_window(equation: FokkerPlanck, until: float, leak: float) -> Grid:
    """The window through whose cuts no more mass than `leak` leaves, each, by the time `until`.

    A first guess comes from the linear-noise approximation; solutions on a coarse grid widen the window until it loses no
    more than `leak`, and tighten it to the cells that hold mass.
    """
    domain = equation.domain
    ring = Grid(domain.low, domain.high, CELLS, periodic=True) if isinstance(domain, Ring) else None
    window = fitted(equation, ring or _window(equation, until, leak), until)
    refuse_zeros(equation, window, until)
    return window


def _window(equation: FokkerPlanck, until: float, leak: float) -> Grid:
    """The window of a domain that is no ring, without breaks."""
    domain = equation.domain
    x = np.clip(equation.start.support, domain.low, domain.high)
    d = equation.diffusion(x, 0.0)
    refuse("diffusion", d < 0.0, d, x, 0.0, "must be positive where there may be mass")
    pace = Pace.of(equation, until, equation.start.support)
    window = clipped(equation, _cut(domain, *_guess(equation, until, leak, pace)), until)
    sufficient = None
    for _ in range(PASSES):
        if window.left is not None and window.right is not None:
            return window
        lost, used = _follow(equation, window, until, leak, pace)
        if (lost > leak).any() and sufficient is not None:
            return clipped(equation, widened(window, lost, leak, MARGIN), until)
        if (lost > leak).any():
            if window.cells == MOST_CELLS:
                break
            wider, before = widened(window, lost, leak, 0.25), (window.low, window.high)
            cells = math.ceil(window.cells * (wider.high - wider.low) / (window.high - window.low))
            window = replace(
                clipped(equation, _cut(domain, wider.low, wider.high), until), cells=min(cells, MOST_CELLS)
            )
            if (window.low, window.high) == before:
                refuse_zeros(equation, replace(window, low=wider.low, high=wider.high), until)
            continue
        sufficient = window
        if used[1] - used[0] > LOOSE * (window.high - window.low) or not used[0] < used[1]:  # none left to see
            return window
        window = clipped(equation, _cut(domain, *used), until)
    if sufficient is not None:
        return sufficient
    raise ValueError(
        f"the mass does not stay in any window until t = {until:g}: on x from {window.low:.3g} to "
        f"{window.high:.3g} more than {leak:.1g} still escapes; shorten times, raise the tolerance, or put walls"
    )


def widened(window: Grid, lost: Floats, leak: float, share: float) -> Grid:
    """The window with each cut end that lost more than `leak` moved out by `share` of the width."""
    width = window.high - window.low
    out = np.where(lost[:2] > leak, share * width, 0.0)
    return replace(
        window,
        low=window.low - (out[0] if window.left is None else 0.0),
        high=window.high + (out[1] if window.right is None else 0.0),
    )


def _cut(domain: Domain, low: float, high: float) -> Grid:
    """The grid on [low, high], which ends at a wall that is passed or near."""
    near = NEAR * (high - low)
    left, right = low - near <= domain.low, high + near >= domain.high
    return Grid(
        domain.low if left else low, domain.high if right else high, CELLS,
        domain.left if left else None, domain.right if right else None,
    )  # fmt: skip


def _guess(equation: FokkerPlanck, until: float, leak: float, pace: Pace) -> tuple[float, float]:
    """Where the mass is by the linear-noise approximation."""
    moments = linear_noise(equation, np.array([until]), pace, equation.start)
    low, high = moments.range(math.sqrt(2.0 * math.log(1.0 / leak)))
    if not low[0] < high[0]:
        raise ValueError(
            f"diffusion = 0 along the path from {equation.start!r}, so its mass stays at one place and has no density; start "
            "where diffusion > 0: FokkerPlanck(..., start=...) or equation.with_start(...)"
        )
    return float(low[0]), float(high[0])


def _follow(
    equation: FokkerPlanck, window: Grid, until: float, leak: float, pace: Pace
) -> tuple[Floats, tuple[float, float]]:
    """(mass lost through the cuts, the ends outside which less than a tenth of `leak` has ever been), on a coarse grid."""
    grid = fitted(equation, window, until)
    stencil = Stencil(equation, grid)
    below, above = np.zeros(grid.cells + 1), np.zeros(grid.cells + 1)
    clock = Clock.equal(np.array([until]), until / STEPS, pace)
    for _, _, state in march(SDIRK2(), [stencil.forward], start_state(equation, grid), clock, 0.0):
        mass = state[INNER]
        below[1:] = np.maximum(below[1:], np.cumsum(mass))
        above[:-1] = np.maximum(above[:-1], np.cumsum(mass[::-1])[::-1])
    low = window.low if window.left is not None else grid.edges[np.flatnonzero(below <= 0.1 * leak)[-1]]
    high = window.high if window.right is not None else grid.edges[np.flatnonzero(above <= 0.1 * leak)[0]]
    return leaked(window, state[GONE]), (float(low), float(high))
