"""The eigenfunctions of the ball of radius 1 in d dimensions, and the law of a walker in it.

Of degree l they are u(r) Y(direction), u = r^-μ J_ν(αr), μ = d/2 - 1, ν = μ + l, Y a spherical harmonic, and decay as
exp(-α²τ). At the wall u' + hu = 0 (h = 0 reflects, ∞ absorbs), that is (l + h) J_ν(α) = α J_(ν+1)(α). With
∫ u² r^(d-1) dr = N/2, N = J_ν'(α)² + (1 - ν²/α²) J_ν(α)², and Z the zonal harmonics, which add up to δ(direction) (Carslaw and
Jaeger, *Conduction of Heat in Solids*, 14.7 and 14.13; Watson, *Theory of Bessel Functions*, 18.3):

    ρ = Σ_l Z_l(cos γ)/|S^(d-1)| Σ_n (2/N) u(r) u(r₀) exp(-α²τ).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import optimize, special

from randwalk.model.coefficient import Floats

STEP = 1.0  # of the grid on which changes of sign are seen; roots are more than 2 apart
BISECTIONS = 5
NEWTON = 4  # steps from a bracket of STEP/32
SMALL_BIOT = 0.5  # h below which the first root, about √(dh), is looked for by itself
LAST = 45.0  # α²τ beyond that of the slowest mode from which modes are left out: exp(-45) = 3e-20


@dataclass(frozen=True, eq=False)
class Degree:
    """The modes of one degree: α, N and l, each (modes,) but l."""

    dimension: int
    degree: int
    alpha: Floats
    norm: Floats

    @property
    def mu(self) -> float:
        return 0.5 * self.dimension - 1.0

    def u(self, r: Floats) -> Floats:
        """u at places r in [0, 1], shape (modes, places)."""
        r = np.asarray(r, dtype=np.float64)
        z = np.outer(self.alpha, r)
        values = special.jv(self.mu + self.degree, z)
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.where(r > 0.0, values / r**self.mu, 0.0) if self.mu else values
        if self.degree == 0:  # r^-μ J_μ(αr) → (α/2)^μ/Γ(μ+1)
            limit = (0.5 * self.alpha) ** self.mu / special.gamma(self.mu + 1.0)
            values = np.where(z < 1e-8, limit[:, None], values)
            values[self.alpha == 0.0] = 1.0  # where the wall reflects
        return values

    def until(self, tau: float) -> Degree:
        """The slowest mode, and those that are not negligible beside it at τ and later."""
        kept = (self.alpha**2 - self.alpha[:1] ** 2) * tau <= LAST
        return Degree(self.dimension, self.degree, self.alpha[kept], self.norm[kept])

    def power(self, more: int) -> Floats:
        """∫ u r^(d - 1 + l + more) dr from 0 to 1 for `more` = 0 or 2, (modes,)."""
        nu, a = self.mu + self.degree, np.where(self.alpha > 0.0, self.alpha, 1.0)
        value = special.jv(nu + 1.0, a) / a
        if more:
            value = value - 2.0 * special.jv(nu + 2.0, a) / a**2
        return np.where(self.alpha > 0.0, value, 1.0 / (self.dimension + more))


@lru_cache(maxsize=4096)
def modes_of(dimension: int, degree: int, biot: float, limit: float) -> Degree:
    """The modes of a `degree` with α < `limit` in a ball whose wall has u' + `biot` u = 0."""
    mu = 0.5 * dimension - 1.0
    nu = mu + degree
    alpha = _roots(nu, degree, biot, limit)
    j, above = special.jv(nu, alpha), special.jv(nu + 1.0, alpha)
    slope = nu * j / alpha - above
    norm = slope**2 + (1.0 - (nu / alpha) ** 2) * j**2
    if degree == 0 and biot == 0.0:  # u = 1
        alpha, norm = np.append(0.0, alpha), np.append(2.0 / dimension, norm)
    return Degree(dimension, degree, alpha, norm)


def _roots(nu: float, degree: int, biot: float, limit: float) -> Floats:
    """The positive roots α < `limit` of (l + h) J_ν(α) - α J_(ν+1)(α), of J_ν(α) for h = ∞, increasing."""

    def value(a: Floats) -> tuple[Floats, Floats]:
        j, above = special.jv(nu, a), special.jv(nu + 1.0, a)
        slope = nu * j / a - above
        if math.isinf(biot):
            return j, slope
        # its derivative by Bessel's equation; h - μ = (l + h) - ν
        return (degree + biot) * j - a * above, (degree + biot - nu) * slope - (a - nu * nu / a) * j

    begin = max(degree - 1.0, 0.0)  # no root is smaller than the degree
    grid = np.arange(begin, limit + STEP, STEP)
    if grid.size < 2:
        return np.zeros(0)
    signs = np.sign(value(np.maximum(grid, 1e-300))[0])
    signs[0] = 1.0 if degree or biot > 0.0 else -1.0  # near 0 the first term is the larger one
    at = np.flatnonzero(signs[1:] * signs[:-1] < 0.0)
    low, high, sign = grid[at], grid[at + 1], signs[at]
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        same = value(middle)[0] * sign > 0.0
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    root = 0.5 * (low + high)
    for _ in range(NEWTON):
        f, slope = value(root)
        with np.errstate(divide="ignore", invalid="ignore"):
            better = np.clip(root - f / slope, low, high)
        root = np.where(np.isfinite(better), better, root)
    if degree == 0 and 0.0 < biot < SMALL_BIOT:  # a first root that may be far smaller than the grid
        root[0] = optimize.brentq(
            lambda a: float(value(np.asarray(a))[0]), 1e-2 * math.sqrt(biot), 2.0, xtol=1e-300, rtol=1e-15
        )
    return root[root < limit]


def zonal(dimension: int, cosine: Floats) -> Iterator[Floats]:
    """Z_0, Z_1, … at the cosines of angles: 1, 2 cos γ, 2 cos 2γ, … in the plane, (2l + 1) P_l in space."""
    mu = 0.5 * dimension - 1.0
    before, now = np.zeros_like(cosine), np.ones_like(cosine)  # Gegenbauer's polynomials, in the plane Chebyshev's
    for degree in itertools.count():
        if mu:
            yield (degree + mu) / mu * now
            before, now = (
                now,
                (2.0 * (degree + mu) * cosine * now - (degree + 2.0 * mu - 1.0) * before) / (degree + 1.0),
            )
        else:
            yield (2.0 if degree else 1.0) * now
            before, now = now, (2.0 * cosine * now - before if degree else cosine)


def sphere(dimension: int) -> float:
    """The area of the unit sphere, |S^(d-1)|."""
    return 2.0 * math.pi ** (0.5 * dimension) / math.gamma(0.5 * dimension)
