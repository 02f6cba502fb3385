"""The coefficients of a step: diffusion and bias on the bonds to the right and to the left of a site.

The flux J = aρ - D^(1-λ) (D^λ ρ)_x of :class:`randwalk.Convention` reads, with u = D^λ ρ, J = (a/D) D^(1-λ) u - D^(1-λ) u_x. A
steady J without drift gives u(x + dx) - u(x) = -J ∫ D^(λ-1) over the bond, that is the step probabilities
p(x) = D(x)^λ F dt/dx² and q(x + dx) = D(x + dx)^λ F dt/dx² with F the harmonic mean of D^(1-λ) over the bond. For Itô F = 1,
for Fick p(x) = D(x + dx/2) dt/dx² where D is smooth. No derivative of D is needed, D may jump anywhere in the bond, and in
equilibrium ρ is proportional to D^-λ to rounding. The drift multiplies u(x + dx)/u(x) by e^w, w = ∫ a/D over the bond.

D^λ is read at the site. For Fick, where it is 1, a walk is of second order wherever a jump of D stands; for Itô and
Stratonovich it is of first order in the place of the jump, because the cell of a site has one D.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .coefficient import ONE, ZERO, Coefficient, Floats, Point
from .convention import Convention
from .domain import Domain
from .step_mean import Mean, integral_of_parts


@dataclass(frozen=True)
class Bond:
    """`diffusion` D^λ F of the steps across a bond, and their `bias` w = ∫ a/D along it (positive to the right)."""

    diffusion: Coefficient
    bias: Coefficient


def bonds(
    drift: Coefficient, diffusion: Coefficient, convention: Convention, dx: float, domain: Domain
) -> tuple[Bond, Bond]:
    """The bonds to the right and to the left of a site, as functions of its place. In the Itô form both take the
    coefficients at the site, so that the mean of a step is a dt whatever D does."""
    power = convention.exponent
    if convention is Convention.ITO:
        here = Bond(diffusion, ZERO if drift == ZERO else dx * drift / diffusion)
        return here, here
    at_site = diffusion**power if power else ONE

    def bond(span: float) -> Bond:
        face = at_site / BondMean(diffusion ** (power - 1.0), span, domain)
        return Bond(face, ZERO if drift == ZERO else dx * BondMean(drift / diffusion, span, domain))

    return bond(dx), bond(-dx)


@dataclass(frozen=True, repr=False)
class BondMean(Mean):
    """The mean of a coefficient between x and x + `span`, by the midpoint rule on each part between two of its breaks.

    Around a ring the bond goes on at the other end. Breaks of opaque functions are seen if they are declared.
    """

    span: float
    domain: Domain

    def evaluate(self, point: Point, t: Floats) -> Floats:
        (x,) = point
        values = self._at(x + 0.5 * self.span, t)
        cuts = self._cuts(x)
        low, high = np.minimum(x, x + self.span), np.maximum(x, x + self.span)
        first, last = np.searchsorted(cuts, low, "right"), np.searchsorted(cuts, high, "left")
        if not (last > first).any():
            return values
        low, high, first, last, t, values = np.broadcast_arrays(low, high, first, last, t, values)
        broken = last > first
        low, high, first, last, t = (a[broken] for a in (low, high, first, last, t))
        values = values.copy()
        total = integral_of_parts(low, high, first, last, cuts, lambda middles: self._at(middles, t))
        values[broken] = total / abs(self.span)
        return values

    def _own_breaks(self, variable: str, low: float, high: float) -> set[float]:
        if variable != "x":
            return set()
        before, after = min(self.span, 0.0), max(self.span, 0.0)
        return {place - self.span for place in self.coefficient.breaks(variable, low + before, high + after)}

    def latex(self) -> str:
        return rf"\left\langle {self.coefficient.latex()}\right\rangle_{{x}}^{{x {self.span:+g}}}"

    def __str__(self) -> str:
        return f"mean({self.coefficient}, x, x {'-' if self.span < 0 else '+'} {abs(self.span):g})"

    def _at(self, x: Floats, t: Floats) -> Floats:
        """The coefficient at places in the domain; half a bond beyond an end is the end itself, but for rounding."""
        low, high = self.domain.low, self.domain.high
        inside = low + np.mod(x - low, high - low) if self.domain.periodic else np.clip(x, low, high)
        shape = np.broadcast_shapes(np.shape(inside), np.shape(t))
        return np.broadcast_to(np.asarray(self.coefficient.evaluate((inside,), t), dtype=np.float64), shape)

    def _cuts(self, x: Floats) -> Floats:
        """The breaks that bonds of `x` may hold, increasing."""
        low, high = self.domain.low, self.domain.high
        if self.domain.periodic:
            cuts = np.array(_breaks(self.coefficient, low, high))
            return np.concatenate([cuts - (high - low), cuts, cuts + (high - low)])
        seen = x[np.isfinite(x)]
        if seen.size == 0:
            return np.empty(0)
        size = 2.0 ** math.ceil(math.log2(np.ptp(seen) + 4.0 * abs(self.span)))
        reach = size * math.floor(seen.min() / size - 1.0), size * math.ceil(seen.max() / size + 1.0)
        return np.array(_breaks(self.coefficient, max(low, reach[0]), min(high, reach[1])))


@lru_cache(maxsize=64)
def _breaks(coefficient: Coefficient, low: float, high: float) -> tuple[float, ...]:
    return coefficient.breaks("x", low, high)
