"""First passage between two bounds by the two series of the textbooks, and draws from it: slow, and on its own.

W. Feller, An Introduction to Probability Theory and Its Applications, vol. 1, XIV.6; D. J. Navarro and I. G. Fuss, J. Math.
Psychol. 53, 222 (2009), equations 3 and 4. The walk has the drift v and σ² = 2D, between 0 and `a`, from `w` a.
"""

from __future__ import annotations

import math

import numpy as np

TERMS = 12  # the next is smaller than 1e-60 of the first


def lower_density(t: float, v: float, d: float, a: float, w: float) -> float:
    """The probability per time of reaching 0 first, at `t`."""
    sigma = math.sqrt(2.0 * d)
    v, a = v / sigma, a / sigma
    u = t / a**2
    if u < 0.2:
        terms = ((w + 2 * k) * math.exp(-((w + 2 * k) ** 2) / (2.0 * u)) for k in range(-TERMS, TERMS + 1))
        standard = math.fsum(terms) / math.sqrt(2.0 * math.pi * u**3)
    else:
        terms = (k * math.exp(-((k * math.pi) ** 2) * u / 2.0) * math.sin(k * math.pi * w) for k in range(1, TERMS))
        standard = math.pi * math.fsum(terms)
    return standard / a**2 * math.exp(-v * a * w - 0.5 * v * v * t)


def upper_density(t: float, v: float, d: float, a: float, w: float) -> float:
    """The same of `a`: the walk seen in a mirror."""
    return lower_density(t, -v, d, a, 1.0 - w)


def survival(t: float, v: float, d: float, a: float, w: float) -> float:
    """1 less what has left by `t`, by Simpson's rule."""
    s = np.linspace(0.0, t, 2001)
    left = np.array([0.0] + [lower_density(x, v, d, a, w) + upper_density(x, v, d, a, w) for x in s[1:]])
    weights = np.ones(s.size)
    weights[1:-1:2], weights[2:-1:2] = 4.0, 2.0
    return 1.0 - float(weights @ left) * s[1] / 3.0


def drawn(rng: np.random.Generator, n: int, v: float, d: float, a: float, w: float) -> tuple[np.ndarray, np.ndarray]:
    """(times, whether at `a`) of `n` walkers, by inversion of sums on 4000 times."""
    t = np.linspace(0.0, 12.0 * a * a / (2.0 * d), 4001)[1:]
    both = np.array([[f(float(x), v, d, a, w) for x in t] for f in (lower_density, upper_density)])
    below = np.append(0.0, np.cumsum(both.ravel())) / both.sum()
    place = np.interp(rng.random(n), below, np.arange(below.size, dtype=np.float64))
    upper = place >= t.size
    return np.interp(np.where(upper, place - t.size, place), np.arange(t.size + 1), np.append(0.0, t)), upper
