"""The part of a domain that is given cells: all of a small one, else the window that holds all but a stated mass."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import numpy as np

from randwalk.coefficient import Coefficient, Floats
from randwalk.domain import Domain, Ring
from randwalk.start import Normal, Sites, Start

from .equation import FokkerPlanck
from .schemes import SDIRK2, Clock, march
from .stencil import Grid, Resolvents, Stencil

CELLS: Final = 128
STEPS: Final = 32
LINEAR_STEPS: Final = 64  # of the linear-noise approximation
FAR: Final = 1000.0
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
    """The window that mass `leak` at most leaves through either cut by the time `until`.

    A first guess comes from the linear-noise approximation; solutions on a coarse grid widen it until no more than `leak`
    is lost and tighten it to what is used.
    """
    domain = equation.domain
    if isinstance(domain, Ring):
        return Grid(domain.low, domain.high, CELLS, periodic=True)
    window = _cut(domain, *_linear_noise(equation, until, math.sqrt(2.0 * math.log(1.0 / leak))))
    sufficient = None
    for _ in range(PASSES):
        if window.left is not None and window.right is not None:
            return window
        lost, used = _follow(equation, window, until, leak)
        if (lost > leak).any() and sufficient is not None:
            return widened(window, lost, leak, MARGIN)
        if (lost > leak).any():
            if window.cells == MOST_CELLS:
                break
            wider = widened(window, lost, leak, 0.25)
            cells = math.ceil(window.cells * (wider.high - wider.low) / (window.high - window.low))
            window = replace(_cut(domain, wider.low, wider.high), cells=min(cells, MOST_CELLS))
            continue
        sufficient = window
        if used[1] - used[0] > LOOSE * (window.high - window.low):
            return window
        window = _cut(domain, *used)
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


def _linear_noise(equation: FokkerPlanck, until: float, deviations: float) -> tuple[float, float]:
    """The range of m ± `deviations` √V with m' = a(m), V' = 2 a_x V + 2D along the paths from the start.

    An unstable a_x > 0 is taken as 0, because it acts locally: the window is widened where that is too little.
    """
    dt = until / LINEAR_STEPS
    slope = equation.drift.regular_derivative("x")
    m, v = _spread(equation.start)
    low, high = math.inf, -math.inf
    bounds = _bounds(equation, m, until)
    for k in range(LINEAR_STEPS + 1):
        reach = deviations * np.sqrt(v)
        low, high = min(low, float((m - reach).min())), max(high, float((m + reach).max()))
        a, d, j = (_finite(c, m, k * dt) for c in (equation.drift, equation.diffusion, slope))
        j = np.minimum(j, 0.0) * dt
        m = np.clip(m + a * dt * _phi(j), *bounds)
        v = v * np.exp(2.0 * j) + 2.0 * d * dt * _phi(2.0 * j)
    return low, high


def _bounds(equation: FokkerPlanck, m: Floats, until: float) -> tuple[float, float]:
    """Places beyond which no path is followed: walls, or a thousand times as far as the first velocity leads."""
    a, d = (np.abs(_finite(c, m, 0.0)).max() for c in (equation.drift, equation.diffusion))
    reach = FAR * (np.ptp(m) + a * until + math.sqrt(2.0 * d * until))
    return max(equation.domain.low, float(m.min() - reach)), min(equation.domain.high, float(m.max() + reach))


def _spread(start: Start) -> tuple[Floats, Floats]:
    """Places and variances about them that stand for a start."""
    if isinstance(start, Normal):
        return np.array([start.mean]), np.array([start.sd**2])
    places = np.array(start.x) if isinstance(start, Sites) else np.array(start.support)
    return places, np.zeros(places.size)


def _finite(coefficient: Coefficient, x: Floats, t: float) -> Floats:
    """The values, 0 where there is none: the guess may pass where the solution is refused."""
    return np.nan_to_num(coefficient(x, t), nan=0.0, posinf=0.0, neginf=0.0)


def _phi(z: Floats) -> Floats:
    """(e^z - 1)/z."""
    small = np.abs(z) < 1e-8
    return np.where(small, 1.0, np.expm1(z) / np.where(small, 1.0, z))


def _follow(equation: FokkerPlanck, window: Grid, until: float, leak: float) -> tuple[Floats, tuple[float, float]]:
    """(mass lost through the cuts, the ends outside which less than a tenth of `leak` has ever been), on a coarse grid."""
    stencil = Stencil(equation, window)
    resolvents = Resolvents(stencil)
    below, above = np.zeros(window.cells + 1), np.zeros(window.cells + 1)
    clock = Clock.equal(np.array([until]), until / STEPS)
    for _, _, state in march(SDIRK2(), resolvents.forward, stencil.start(), clock, 0.0):
        mass = state[:-3]
        below[1:] = np.maximum(below[1:], np.cumsum(mass))
        above[:-1] = np.maximum(above[:-1], np.cumsum(mass[::-1])[::-1])
    low = window.low if window.left is not None else window.edges[np.flatnonzero(below <= 0.1 * leak)[-1]]
    high = window.high if window.right is not None else window.edges[np.flatnonzero(above <= 0.1 * leak)[0]]
    return leaked(window, state[-3:]), (float(low), float(high))
