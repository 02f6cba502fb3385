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

from .coefficient import ONE, ZERO, Coefficient, Floats, Point, coordinate
from .convention import Convention
from .domain import Axis
from .step_mean import Mean, integral_of_parts


@dataclass(frozen=True)
class Bond:
    """`diffusion` D^λ F of the steps across a bond, and their `bias` w = ∫ a/D along it (positive to the right)."""

    diffusion: Coefficient
    bias: Coefficient


def bonds(
    drift: Coefficient, diffusion: Coefficient, convention: Convention, dx: float, domain: Axis, axis: int = 0
) -> tuple[Bond, Bond]:
    """The bonds to the right and to the left of a site along an axis, whose domain is given, as functions of the place. In the
    Itô form both take the coefficients at the site, so that the mean of a step is a dt whatever D does."""
    power = convention.exponent
    if convention is Convention.ITO:
        here = Bond(diffusion, ZERO if drift == ZERO else dx * drift / diffusion)
        return here, here
    at_site = diffusion**power if power else ONE

    def bond(span: float) -> Bond:
        face = at_site / BondMean(diffusion ** (power - 1.0), span, domain, axis)
        return Bond(face, ZERO if drift == ZERO else dx * BondMean(drift / diffusion, span, domain, axis))

    return bond(dx), bond(-dx)


@dataclass(frozen=True, repr=False)
class BondMean(Mean):
    """The mean of a coefficient between x and x + `span` along an axis, by the midpoint rule on each part between two of its
    breaks.

    Around a ring the bond goes on at the other end. Breaks of opaque functions are seen if they are declared.
    """

    span: float
    domain: Axis
    axis: int = 0

    def evaluate(self, point: Point, t: Floats) -> Floats:
        x = point[self.axis]
        values = self._at(point, x + 0.5 * self.span, t)
        cuts = self._cuts(x)
        low, high = np.minimum(x, x + self.span), np.maximum(x, x + self.span)
        first, last = np.searchsorted(cuts, low, "right"), np.searchsorted(cuts, high, "left")
        if not (last > first).any():
            return values
        *others, low, high, first, last, t, values = np.broadcast_arrays(*point, low, high, first, last, t, values)
        broken = last > first
        low, high, first, last, t = (a[broken] for a in (low, high, first, last, t))
        inside, values = tuple(a[broken] for a in others), values.copy()
        total = integral_of_parts(low, high, first, last, cuts, lambda middles: self._at(inside, middles, t))
        values[broken] = total / abs(self.span)
        return values

    def _own_breaks(self, variable: str, low: float, high: float) -> set[float]:
        if variable != coordinate(self.axis):
            return set()
        before, after = min(self.span, 0.0), max(self.span, 0.0)
        return {place - self.span for place in self.coefficient.breaks(variable, low + before, high + after)}

    def latex(self) -> str:
        x = coordinate(self.axis)
        return rf"\left\langle {self.coefficient.latex()}\right\rangle_{{{x}}}^{{{x} {self.span:+g}}}"

    def __str__(self) -> str:
        x = coordinate(self.axis)
        return f"mean({self.coefficient}, {x}, {x} {'-' if self.span < 0 else '+'} {abs(self.span):g})"

    def _at(self, point: Point, x: Floats, t: Floats) -> Floats:
        """The coefficient at places in the domain, `x` along the axis."""
        at = (*point[: self.axis], within(self.domain, x), *point[self.axis + 1 :])
        shape = np.broadcast_shapes(*map(np.shape, at), np.shape(t))
        return np.broadcast_to(np.asarray(self.coefficient.evaluate(at, t), dtype=np.float64), shape)

    def _cuts(self, x: Floats) -> Floats:
        """The breaks that bonds of `x` may hold, increasing."""
        low, high = self.domain.low, self.domain.high
        if self.domain.periodic:
            cuts = np.array(_breaks(self.coefficient, coordinate(self.axis), low, high))
            return np.concatenate([cuts - (high - low), cuts, cuts + (high - low)])
        seen = x[np.isfinite(x)]
        if seen.size == 0:
            return np.empty(0)
        size = 2.0 ** math.ceil(math.log2(np.ptp(seen) + 4.0 * abs(self.span)))
        reach = size * math.floor(seen.min() / size - 1.0), size * math.ceil(seen.max() / size + 1.0)
        return np.array(_breaks(self.coefficient, coordinate(self.axis), max(low, reach[0]), min(high, reach[1])))


@dataclass(frozen=True, repr=False)
class Midpoint(Mean):
    """A coefficient in the middle of the bond from a site to the one that is `spans` away, one span an axis."""

    spans: tuple[float, ...]
    axes: tuple[Axis, ...]

    def evaluate(self, point: Point, t: Floats) -> Floats:
        at = tuple(
            within(domain, x + 0.5 * span) if span else x
            for x, span, domain in zip(point, self.spans, self.axes, strict=True)
        )
        return self.coefficient.evaluate(at, t)

    def _own_breaks(self, variable: str, low: float, high: float) -> set[float]:
        moved = dict(zip(map(coordinate, range(len(self.spans))), self.spans, strict=True))
        half = 0.5 * moved.get(variable, 0.0)
        return {place - half for place in self.coefficient.breaks(variable, low + half, high + half)} if half else set()

    def latex(self) -> str:
        return rf"\left.{self.coefficient.latex()}\right|_{{{self._where()}}}"

    def __str__(self) -> str:
        return f"at({self.coefficient}, {self._where()})"

    def _where(self) -> str:
        return ", ".join(f"{coordinate(i)} {0.5 * span:+g}" for i, span in enumerate(self.spans) if span)


def within(domain: Axis, x: Floats) -> Floats:
    """Places in the domain of an axis; half a bond beyond an end is the end itself, but for rounding."""
    low, high = domain.low, domain.high
    return low + np.mod(x - low, high - low) if domain.periodic else np.clip(x, low, high)


@lru_cache(maxsize=64)
def _breaks(coefficient: Coefficient, variable: str, low: float, high: float) -> tuple[float, ...]:
    return coefficient.breaks(variable, low, high)
