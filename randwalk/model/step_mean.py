"""The coefficients of a step: their mean over the step where they have a kink or a jump in time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .coefficient import Coefficient, Floats, Node, Point

AT = 1e-9  # of a step: a break so near to the start or the end of a step is at it


def step_mean(coefficient: Coefficient, dt: float) -> Coefficient:
    """The coefficient of a step of length `dt` from time t: the value at t, or the mean over the step if a break in time is
    inside the step. So a pulse shorter than a step has its whole effect."""
    if not (coefficient.depends_on_t and breaks_in_time(coefficient, math.inf)):
        return coefficient
    return StepMean(coefficient, dt)


@dataclass(frozen=True, repr=False)
class Mean(Node):
    """The mean of a coefficient over an interval of one variable, whose derivatives are means of derivatives."""

    coefficient: Coefficient

    @property
    def parts(self) -> tuple[Coefficient, ...]:
        return (self.coefficient,)

    def _with(self, *parts: Coefficient) -> Coefficient:
        (coefficient,) = parts
        return replace(self, coefficient=coefficient)

    def derivative(self, variable: str) -> Coefficient:
        return self._with(self.coefficient.derivative(variable))

    def regular_derivative(self, variable: str) -> Coefficient:
        return self._with(self.coefficient.regular_derivative(variable))


@dataclass(frozen=True, repr=False)
class StepMean(Mean):
    """The value of a coefficient at t, or, with breaks in (t, t + `dt`), its mean by the midpoint rule on each part between
    two breaks. At a break the value is that just after it."""

    dt: float

    def evaluate(self, point: Point, t: Floats) -> Floats:
        seen = t[np.isfinite(t)]
        if seen.size == 0:
            return self.coefficient.evaluate(point, t)
        cuts = self._cuts(float(seen.max()) + self.dt)
        near = AT * self.dt
        first, last = np.searchsorted(cuts, t + near, "right"), np.searchsorted(cuts, t + self.dt - near, "left")
        after = np.where(first > np.searchsorted(cuts, t - near, "left"), t + near, t)
        values = self.coefficient.evaluate(point, after)
        if not (last > first).any():
            return values
        *everywhere, t, first, last, values = np.broadcast_arrays(*point, t, first, last, values)
        broken = last > first
        values = values.copy()
        inside = tuple(x[broken] for x in everywhere)
        values[broken] = integral_of_parts(
            t[broken], t[broken] + self.dt, first[broken], last[broken], cuts,
            lambda middles: self.coefficient.evaluate(inside, middles),
        ) / self.dt  # fmt: skip
        return values

    def _own_breaks(self, variable: str, low: float, high: float) -> set[float]:
        if variable != "t":
            return set()
        return {time - self.dt for time in self.coefficient.breaks(variable, low, high + self.dt)}

    def latex(self) -> str:
        return rf"\left\langle {self.coefficient.latex()}\right\rangle_{{t}}^{{t + {self.dt:g}}}"

    def __str__(self) -> str:
        return f"mean({self.coefficient}, t, t + {self.dt:g})"

    def _cuts(self, until: float) -> Floats:
        return np.array(breaks_in_time(self.coefficient, 2.0 ** math.ceil(math.log2(until))))


def integral_of_parts(
    low: Floats, high: Floats, first: NDArray[Any], last: NDArray[Any], cuts: Floats, at: Callable[[Floats], Floats]
) -> Floats:
    """The integrals of a function over [`low`, `high`], by the midpoint rule between the breaks `first` … `last` - 1 of the
    increasing `cuts`."""
    ends, total, begin = np.append(cuts, np.inf), np.zeros(low.shape), low
    for k in range(int((last - first).max()) + 1):
        end = np.minimum(ends[np.minimum(first + k, last)], high)
        total += (end - begin) * at(0.5 * (begin + end))
        begin = end
    return total


@lru_cache(maxsize=64)
def breaks_in_time(coefficient: Coefficient, until: float) -> tuple[float, ...]:
    """The breaks in t before `until`."""
    return coefficient.breaks("t", 0.0, until)
