"""What a step sees of a coefficient that has a kink or a jump in time: its mean over the step."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .coefficient import Coefficient, Floats, Node, Point

AT = 1e-9  # of a step: a break so near to its start or its end is there


def step_mean(coefficient: Coefficient, dt: float) -> Coefficient:
    """The coefficient as a step of length `dt` from time t sees it: its value at t, the mean over the step where a break in
    time stands inside it. A pulse shorter than a step then has its whole effect in whatever step it falls."""
    if not (coefficient.depends_on_t and breaks_in_time(coefficient, math.inf)):
        return coefficient
    return StepMean(coefficient, dt)


@dataclass(frozen=True, repr=False)
class StepMean(Node):
    """The value of a coefficient at t, or, with breaks in (t, t + `dt`), its mean by the midpoint rule on each part between
    two of them. After a break at t itself it is the value just after."""

    coefficient: Coefficient
    dt: float

    @property
    def parts(self) -> tuple[Coefficient, ...]:
        return (self.coefficient,)

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

    def _with(self, *parts: Coefficient) -> Coefficient:
        (coefficient,) = parts
        return StepMean(coefficient, self.dt)

    def derivative(self, variable: str) -> Coefficient:
        return self._with(self.coefficient.derivative(variable))

    def regular_derivative(self, variable: str) -> Coefficient:
        return self._with(self.coefficient.regular_derivative(variable))

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
