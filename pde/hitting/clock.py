"""Visits of a walk that steps along one axis at a time, in any number of dimensions, by one integral over time.

Steps at the ticks of a Poisson clock make the axes independent, and the walker rests for a mean time of 1 between two ticks, so
that

    Σ_n P(X_n = x) = ∫ exp(-t(1 - r)) Π_i (p_i/q_i)^(x_i/2) I_(x_i)(2t √(p_i q_i)) dt,   t from 0 to ∞,

p_i and q_i the probabilities of a step up and down axis i and r that of staying; with another factor t it is
Σ_n (n + 1) P(X_n = x) (Montroll, *J. SIAM* 4 (1956) 241). In log t the integrand is analytic in a strip of width π and falls off
exponentially, so that the trapezoidal rule converges exponentially, and no term is negative.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from randwalk.model.coefficient import Floats

STEP: Final = 0.125  # of log t: the error is about exp(-π²/STEP)
BEGIN: Final = 1e-18
FEWEST: Final = 1e-19  # of the whole, left beyond the last node
LARGE: Final = 1e8  # an argument from which the Bessel function is its asymptotic series
TERMS: Final = 8
AT_ONCE: Final = 500  # sites


def visits_by_time(up: Floats, down: Floats, lost: float, numbers: NDArray[np.int64], power: int = 0) -> Floats:
    """∫ tⁿ P(X at time t = x) dt, n = `power`, at sites `numbers` (n, d) of a walk that is killed in a step with the probability
    `lost` and steps `up` and `down` each axis, (d,); exact to rounding, relatively. Finite for d > 2 + 2 `power`."""
    d = up.size
    falls = lost + float(
        ((np.sqrt(up) - np.sqrt(down)) ** 2).sum()
    )  # exponentials beside those of the Bessel functions
    end = FEWEST ** (-1.0 / (0.5 * d - 1.0 - power)) * (1.0 + float(np.abs(numbers).max())) ** 2 / (up + down).max()
    if falls > 0.0:
        end = min(end, 50.0 / falls + 20.0 * float(np.abs(numbers).sum()) / (up + down).max())
    t = np.exp(np.arange(np.log(BEGIN), np.log(end) + STEP, STEP))
    weight, found = np.log(STEP) + (1.0 + power) * np.log(t) - falls * t, np.empty(len(numbers))
    with np.errstate(divide="ignore"):
        axes = [np.unique(x, return_inverse=True) for x in numbers.T]
        parts = [log_law(float(p), float(q), x, t) for p, q, (x, _) in zip(up, down, axes, strict=True)]
        for some in np.array_split(np.arange(len(numbers)), 1 + len(numbers) // AT_ONCE):
            total = sum((part[place[some]] for part, (_, place) in zip(parts, axes, strict=True)), weight)
            found[some] = np.exp(total).sum(axis=1)
    return found


def log_law(p: float, q: float, x: NDArray[np.int64], t: Floats) -> Floats:
    """The logarithm of (p/q)^(x/2) I_x(2t√(pq)) exp(-2t√(pq)), (sites, times), that of the law but for exp(-t (√p - √q)²)."""
    n = np.abs(x)[:, None]
    if p * q > 0.0:
        return np.asarray(0.5 * x[:, None] * np.log(p / q) + _log_bessel(n, 2.0 * np.sqrt(p * q) * t))
    way = np.where(x >= 0, p, q)[:, None]
    return np.where((n > 0) & (way == 0.0), -np.inf, special.xlogy(n, way * t) - special.gammaln(n + 1.0))


def _log_bessel(n: NDArray[np.int64], z: Floats) -> Floats:
    """The logarithm of exp(-z) I_n(z)."""
    small = z < LARGE
    values = np.log(special.ive(n, np.where(small, z, 1.0)))
    first = n * np.log(0.5 * z) - special.gammaln(n + 1.0) - z  # where I_n is too small for a double
    term = series = np.ones(np.broadcast_shapes(n.shape, z.shape))
    for k in range(1, TERMS):
        term = term * np.where(small, 0.0, (2 * k - 1) ** 2 - 4.0 * n**2) / (8.0 * k * z)
        series = series + term
    far = np.log(np.maximum(series, 1e-300)) - 0.5 * np.log(2.0 * np.pi * z)
    return np.where(small, np.where(np.isneginf(values), first, values), far)
