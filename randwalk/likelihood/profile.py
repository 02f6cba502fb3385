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
FIRST = 1.15  # of the distance that a parabola has its end at, the first look
EXACT = 1e-2  # of a standard error: the ends
DEEPEST = 1e4  # more is not told apart


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

    def _repr_html_(self) -> str:
        from randwalk.laws.plotting import in_notebook

        return in_notebook(repr(self), self.plot)

    def __repr__(self) -> str:
        low, high = self.interval
        return f"Profile({self.name}: {self.estimate:.6g}, {self.level:.3g} between {low:.6g} and {high:.6g})"


def profiled(
    f: Objective, x: Floats, found: Information, error: float, number: int, level: float, scale: float
) -> Profile:
    """The profile of the parameter `number` around the maximum `x`; `scale` is the step of one whose error is not known."""
    name, top = f.names[number], f(x)
    others = np.arange(x.size) != number
    rest_of, wanted = found.part(others), float(np.sqrt(stats.chi2.ppf(level, 1)))
    basis, slope = rest_of.basis, found.following(number)
    error = error if np.isfinite(error) and error > 0.0 else scale
    points: dict[float, tuple[float, Floats]] = {float(x[number]): (0.0, x[others])}

    def height(value: float) -> float:
        """The profile, from the nearest known maximum of the others."""
        if value not in points:
            rest = f.without(name, value)
            near = min((v for v in points if np.isfinite(points[v][0])), key=lambda v: abs(v - value))
            begin = points[near][1] + slope * (value - near)
            begin = begin if np.isfinite(rest(begin)) else points[near][1]
            best = refined(rest, begin, basis) if np.isfinite(rest(begin)) else begin
            points[value] = (rest(best) - top, best)
        return points[value][0]

    def depth(value: float) -> float:
        """√(2 (log L_max - log L)), nearly proportional to the distance from the estimate."""
        return float(np.sqrt(min(max(-2.0 * height(value), 0.0), DEEPEST)))

    def end(side: float) -> float:
        limit, centre = f.limits[number][0 if side < 0.0 else 1], float(x[number])
        inner, step = centre, FIRST * wanted * error
        while step <= FARTHEST * error:
            value = centre + side * step
            if side * (value - limit) >= 0.0:
                value = limit
                if depth(limit) <= wanted:
                    return limit
            if depth(value) > wanted:
                return float(optimize.brentq(lambda v: depth(v) - wanted, inner, value, xtol=EXACT * error))
            inner, step = value, 1.6 * step
        return side * np.inf

    interval = end(-1.0), end(1.0)
    known = sorted(value for value, (fall, _) in points.items() if np.isfinite(fall))
    falls = np.array([points[value][0] for value in known])
    return Profile(name, float(x[number]), np.array(known), falls, level, interval)
