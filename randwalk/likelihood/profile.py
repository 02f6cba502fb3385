"""Profile likelihoods: a parameter fixed, the others at their maximum; and the intervals that follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize, stats

from randwalk.model.coefficient import Floats

from .information import Information
from .maximum import refined
from .objective import Objective

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FARTHEST = 64.0  # standard errors beyond the estimate at which an end is looked for; farther there is none
EXACT = 1e-2  # of a standard error: the ends


@dataclass(frozen=True, eq=False)
class Profile:
    """The log-likelihood of one parameter, the other free ones at their maximum for each of its values.

    Attributes
    ----------
    name : str
    estimate : float
    values, log_likelihood : (points,) arrays, in increasing order of the values
        Where it was computed, and log L there less that at the maximum.
    level : float
    interval : (low, high)
        Where 2(log L_max - log L) is below the quantile `level` of χ² with one degree of freedom (Wilks 1938). An end is
        infinite, or the bound of the parameter, if log L does not fall so far.
    """

    name: str
    estimate: float
    values: Floats
    log_likelihood: Floats
    level: float
    interval: tuple[float, float]

    def plot(self, ax: Axes | None = None) -> Axes:
        """log L against the parameter, with the interval."""
        from randwalk.laws.plotting import COLOURS, axes

        ax = axes(ax)
        ax.plot(self.values, self.log_likelihood, "o-", ms=3, color=COLOURS["closed form"])
        for end in self.interval:
            if np.isfinite(end):
                ax.axvline(end, color="0.5", lw=0.8)
        ax.axhline(-0.5 * float(stats.chi2.ppf(self.level, 1)), color="0.5", lw=0.8, ls=":")
        ax.set(xlabel=self.name, ylabel=r"$\log L - \log L_{\max}$", title=f"{self.level:.0%} interval")
        return ax

    def __repr__(self) -> str:
        low, high = self.interval
        return f"Profile({self.name}: {self.estimate:.6g}, {self.level:.3g} between {low:.6g} and {high:.6g})"


def profiled(
    f: Objective, x: Floats, found: Information, error: float, number: int, level: float, scale: float
) -> Profile:
    """The profile of the parameter `number` around the maximum `x`; `scale` is the step of one whose error is not known."""
    name, top = f.names[number], f(x)
    others = np.arange(x.size) != number
    basis, wanted = found.part(others).basis, float(stats.chi2.ppf(level, 1))
    error = error if np.isfinite(error) and error > 0.0 else scale
    points: dict[float, tuple[float, Floats]] = {float(x[number]): (0.0, x[others])}

    def height(value: float) -> float:
        """The profile, from the nearest known maximum of the others."""
        if value not in points:
            rest = f.without(name, value)
            near = [v for v in points if np.isfinite(points[v][0])]
            begin = points[min(near, key=lambda v: abs(v - value))][1]
            best = refined(rest, begin, basis) if np.isfinite(rest(begin)) else begin
            points[value] = (rest(best) - top, best)
        return points[value][0]

    def end(side: float) -> float:
        limit = f.limits[number][0 if side < 0.0 else 1]
        step, inner = np.sqrt(wanted), 0.0
        while step <= FARTHEST:
            value = float(x[number] + side * step * error)
            if side * (value - limit) >= 0.0 and height(limit) > -0.5 * wanted:
                return limit
            value = min(value, limit) if side > 0.0 else max(value, limit)
            if height(value) <= -0.5 * wanted:
                outer = abs(value - x[number]) / error
                return float(
                    x[number] + side * error * _crossing(height, x[number], side * error, inner, outer, wanted)
                )
            inner, step = step, 1.6 * step
        return side * np.inf

    interval = end(-1.0), end(1.0)
    known = sorted(value for value, (fall, _) in points.items() if np.isfinite(fall))
    falls = np.array([points[value][0] for value in known])
    return Profile(name, float(x[number]), np.array(known), falls, level, interval)


def _crossing(height: object, centre: float, unit: float, inner: float, outer: float, wanted: float) -> float:
    """The distance in units at which the profile has fallen by what is wanted."""
    assert callable(height)

    def excess(distance: float) -> float:
        return float(np.clip(-2.0 * height(float(centre + unit * distance)) - wanted, -1e3, 1e3))

    return float(optimize.brentq(excess, inner, outer, xtol=EXACT))
