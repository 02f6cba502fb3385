"""The maximum of a log-likelihood by SciPy: a simplex from afar, then a quasi-Newton method in units of the curvature."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from scipy import optimize

from randwalk.model.coefficient import Floats

LogLikelihood: TypeAlias = Callable[[Floats], float]

SHARE = 0.1  # of a starting value is the first step of its parameter
NOTICED = (0.05, 500.0)  # of log L, between which a first step from 0 must change it
CLOSE = 0.1  # of log L, and of a first step, at which the simplex ends
STEP = 0.1  # of a standard error: the differences of a gradient
FLAT_ENOUGH = 1e-2  # of a gradient in log L a standard error: the maximum is within a hundredth of one
BEYOND = 1e4  # below its maximum log L counts as no lower
MOST = 400  # evaluations of a simplex for each parameter
SIMPLICES = 12
GAIN = 1.0  # of log L, for which another simplex is worth while


def first_steps(f: LogLikelihood, x: Floats) -> Floats:
    """A first step for each parameter: a tenth of its value, or for 0 what changes log L; less where f is -inf on both sides."""
    here, steps = f(x), np.where(x != 0.0, SHARE * np.abs(x), 1.0)
    for i in range(x.size):
        for _ in range(60):
            change = _largest_change(f, x, i, steps[i], here)
            if not np.isfinite(change) or (x[i] == 0.0 and change > NOTICED[1]):
                steps[i] /= 4.0
            elif x[i] == 0.0 and change < NOTICED[0]:
                steps[i] *= 4.0
            else:
                break
    return steps


def _largest_change(f: LogLikelihood, x: Floats, i: int, step: float, here: float) -> float:
    """The larger change of log L on the two sides; infinite if both are excluded."""
    changes = []
    for side in (step, -step):
        moved = x.copy()
        moved[i] += side
        changes.append(abs(f(moved) - here))
    known = [change for change in changes if np.isfinite(change)]
    return max(known) if known else np.inf


def climbed(f: LogLikelihood, x: Floats, limits: list[tuple[float, float]]) -> tuple[Floats, Floats]:
    """(the end of simplices that climb from `x`, first steps there). A simplex may end where it has become flat: another begins
    there until it gains nothing that counts."""
    here = f(x)
    for _ in range(SIMPLICES):
        steps = first_steps(f, x)
        x = _climbed(f, x, steps, limits)
        before, here = here, f(x)
        if here - before < GAIN:
            break
    return x, steps


def _climbed(f: LogLikelihood, x: Floats, steps: Floats, limits: list[tuple[float, float]]) -> Floats:
    corners = np.vstack([np.zeros(x.size), np.eye(x.size)])
    for i, (low, high) in enumerate(limits):
        if not low <= x[i] + steps[i] <= high or not np.isfinite(f(x + steps * corners[i + 1])):
            corners[i + 1, i] = -1.0
    found = optimize.minimize(
        lambda z: -f(x + z * steps), np.zeros(x.size), method="Nelder-Mead",
        bounds=[tuple((limit - v) / s for limit in ends) for ends, v, s in zip(limits, x, steps, strict=True)],
        options={"initial_simplex": corners, "xatol": CLOSE, "fatol": CLOSE, "maxfev": MOST * x.size, "adaptive": True},
    )  # fmt: skip
    return x + found.x * steps


def refined(f: LogLikelihood, x: Floats, basis: Floats) -> Floats:
    """The maximum near `x`; a step along each column of `basis` lowers log L by about a half there."""
    if not x.size:
        return x
    here = f(x)

    def falling(z: Floats) -> float:
        return min(here - f(x + basis @ z), BEYOND)

    def slope(z: Floats) -> Floats:
        sides = STEP * np.eye(x.size)
        return np.array([(falling(z + side) - falling(z - side)) / (2.0 * STEP) for side in sides])

    found = optimize.minimize(
        falling, np.zeros(x.size), jac=slope, method="BFGS", options={"gtol": FLAT_ENOUGH, "maxiter": 60}
    )
    return x + basis @ found.x if found.fun < 0.0 else x
