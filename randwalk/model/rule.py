"""Step probabilities from a drift and a diffusion."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from .bernoulli import bernoulli, bernoulli_of
from .bond import Bond, bonds
from .coefficient import Coefficient, Constant, Floats, Point, apply, constant_value
from .convention import Convention
from .domain import Axis, Line
from .step_mean import step_mean

SLOW = 0.1  # the part of the mean speed that Rule.CAPPED may lose where walkers start


class Rule(StrEnum):
    """How step probabilities come from a drift a and a diffusion D, with m = a dt/dx, s = 2D dt/dx² and w = a dx/D.

    ==================  ==========================================================================================
    ``EXACT_VARIANCE``  p - q = m, p + q = s + m²: mean and variance of every step are exact. The default, with s = ⅓.
    ``LINEAR``          p - q = m, p + q = s: the limit of the walk gives back exactly a and D.
    ``TWO_WAY``         r = 0, p = ½(1 + a dx/2D), dt = dx²/2D: the two-direction walk; needs a constant D.
    ``FITTED``          p - q = m and p/q = e^w, so p + q = ``|m| coth(|w|/2)``: never negative, however strong the drift; dt
                        follows from the drift [Scharfetter and Gummel 1969].
    ``CAPPED``          p/q = e^w, p + q = s: never negative nor above 1, but ``|p - q| = s tanh(|w|/2)``: the speed is capped
                        at 2D/dx. For drifts that are strong only where next to no walker gets.
    ==================  ==========================================================================================

    Where D depends on x, :class:`randwalk.Convention` says what m and s stand for (:mod:`randwalk.model.bond`).
    """

    EXACT_VARIANCE = "exact_variance"
    LINEAR = "linear"
    TWO_WAY = "two_way"
    FITTED = "fitted"
    CAPPED = "capped"

    def probabilities(
        self,
        drift: Coefficient,
        diffusion: Coefficient,
        dx: float,
        dt: float,
        convention: Convention = Convention.ITO,
        domain: Axis = Line(),  # noqa: B008 (it has no state)
        axis: int = 0,
    ) -> tuple[Coefficient, Coefficient]:
        """The probabilities of (+dx, -dx) along an axis, whose domain is given, of coefficients averaged over a step where they
        break (:func:`step_mean`)."""
        drift, diffusion = step_mean(drift, dt), step_mean(diffusion, dt)
        right, left = bonds(drift, diffusion, convention, dx, domain, axis)
        up, down = ((2.0 * dt / dx**2) * bond.diffusion for bond in (right, left))
        if self is Rule.FITTED:
            return 0.5 * up * bernoulli_of(-right.bias), 0.5 * down * bernoulli_of(left.bias)
        if self is Rule.CAPPED:
            return up / (1.0 + exponential(-right.bias)), down / (1.0 + exponential(left.bias))
        m = (dt / dx) * drift
        if self is Rule.TWO_WAY:
            up = down = Constant(1.0)
        if self is Rule.EXACT_VARIANCE:
            square = m * m
            up, down = up + square, down + square
        return 0.5 * (up + m), 0.5 * (down - m)

    def longest_step(self, both: tuple[Bond, Bond], dx: float, x: Floats | Point, t: Floats) -> float:
        """The longest time step to take, given places and times: s = ⅓, 1 for ``TWO_WAY``; for ``FITTED`` the longest step
        whose variance is nowhere below 2D dt, which is s = ⅓ where the drift is weak and p + q < 1 everywhere.

        The variance dx² (p + q - (p - q)²) is 2D dt for dt = (a dx coth(w/2) - 2D)/a² = (dx²/6D)·12((w/2)coth(w/2) - 1)/w².
        """
        most = 2.0 if self is Rule.TWO_WAY else 6.0
        if self is not Rule.FITTED:
            with np.errstate(
                divide="ignore", over="ignore"
            ):  # D = 0: no step is too long; D too large: none is short enough
                return min(float(dx**2 / (most * np.nanmax(bond.diffusion(x, t)))) for bond in both)
        with np.errstate(all="ignore"):  # where D = 0 there is no such step, and the walk is refused with the place
            d, w = ([c(x, t) for c in cs] for cs in zip(*((b.diffusion, b.bias) for b in both), strict=True))
            exact = np.fmin.reduce([dx**2 / (most * d[i]) * _slowing(w[i]) for i in (0, 1)], axis=None)
            total = np.fmax.reduce(d[0] * bernoulli(-w[0])[0] + d[1] * bernoulli(w[1])[0], axis=None)
            return float(min(exact, dx**2 / total))


def shortfall(bias: Floats) -> Floats:
    """The part of the speed that ``CAPPED`` loses at w = a dx/D: 1 - tanh(w/2)/(w/2)."""
    half = 0.5 * np.maximum(np.abs(bias), 1e-8)
    return 1.0 - np.tanh(half) / half


def _slowing(bias: Floats) -> Floats:
    """12 ((w/2) coth(w/2) - 1)/w², 1 at w = 0."""
    w = np.maximum(np.abs(bias), 1e-2)  # below it the next term of the series is under 1e-11
    return np.where(np.abs(bias) < 1e-2, 1.0 - bias**2 / 60.0, (6.0 / np.tanh(0.5 * w) - 12.0 / w) / w)


def exponential(argument: Coefficient) -> Coefficient:
    """e to the power of a coefficient."""
    if (number := constant_value(argument)) is not None:
        return Constant(
            float(np.exp(min(max(number, -700.0), 700.0)))
        )  # exp(700) is a number, its inverse no probability
    return apply("exp", argument)
