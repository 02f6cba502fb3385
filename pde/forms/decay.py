"""The fraction that has not left by a time, of which only the rate of leaving is known: 1 less the integral of the rate.

The rate times the time is interpolated in log t by polynomials of Chebyshev's on panels, which are halved until their last
coefficients vanish, and integrated as such [Trefethen, Approximation Theory and Approximation Practice, SIAM 2019, ch. 8, 19].
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev

from randwalk.model.coefficient import Floats

DEGREE = 24
WIDEST = 4.0  # of a panel in log t
NEGLIGIBLE = 1e-15  # last coefficients, as a probability
NARROWEST = 1e-3

Rate = Callable[[Floats], Floats]


@dataclass(frozen=True, eq=False)
class Decay:
    """The integral of a rate from 0 to any time up to a last one. `edges` are those of panels in log t, `below` is what has left
    before each of them, and `parts` has the coefficients of the integral on each panel."""

    edges: Floats
    below: Floats
    parts: list[Floats]

    @classmethod
    def of(cls, rate: Rate, first: float, last: float) -> Decay:
        """Of a rate that is 0 before a first time."""
        edges = np.linspace(math.log(first), math.log(last), 1 + max(1, math.ceil(math.log(last / first) / WIDEST)))
        found = [panel for low, high in pairwise(edges.tolist()) for panel in _panels(rate, low, high)]
        ends = np.array([found[0][0], *(high for _, high, _ in found)])
        gone = [chebyshev.chebval(1.0, part) for _, _, part in found]
        return cls(ends, np.append(0.0, np.cumsum(gone)), [part for _, _, part in found])

    def __call__(self, t: Floats) -> Floats:
        """The fraction that has not left by each of some times."""
        log_t = np.log(t)
        panel = np.clip(np.searchsorted(self.edges, log_t, side="right") - 1, -1, len(self.parts) - 1)
        left = np.zeros(t.shape)
        for i in np.unique(panel[panel >= 0]):
            here, (low, high) = panel == i, self.edges[i : i + 2]
            left[here] = self.below[i] + chebyshev.chebval(
                2.0 * (log_t[here] - low) / (high - low) - 1.0, self.parts[i]
            )
        return np.clip(1.0 - left, 0.0, 1.0)


def _panels(rate: Rate, low: float, high: float) -> Iterator[tuple[float, float, Floats]]:
    """(low, high, the coefficients of the integral from low) of the parts into which a panel is halved."""
    half, middle = 0.5 * (high - low), 0.5 * (high + low)

    def scaled(u: Floats) -> Floats:
        t = np.exp(middle + half * u)
        return half * t * rate(t)

    interpolate: Any = chebyshev.chebinterpolate  # whose types allow no arrays
    part: Floats = interpolate(scaled, DEGREE)
    if np.abs(part[-3:]).max() <= NEGLIGIBLE or high - low < NARROWEST:
        yield low, high, np.asarray(chebyshev.chebint(part, lbnd=-1.0), dtype=np.float64)
        return
    yield from _panels(rate, low, middle)
    yield from _panels(rate, middle, high)


def decay(rates: list[Rate], first: float, last: float) -> Callable[[Floats], Floats]:
    """The fraction that has not left by times up to the last one, of the rates of several ways out."""
    if not rates or not first < last:
        return partial(np.ones_like)
    return Decay.of(lambda t: sum((rate(t) for rate in rates), np.zeros(t.shape)), first, last)
