"""Normal laws on the line, for every start; and what a formula of a closed form answers."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import numpy as np
from scipy import special

from randwalk.model.coefficient import Coefficient, Floats
from randwalk.model.start import Normal, Point, Sites, Start, Uniform

from .green import NODES, WEIGHTS, Split, deficit, normal_between
from .quadrature import integral


class Form(ABC):
    """The formula of a closed form, without killing. Arguments are flat arrays of x and t inside the domain."""

    exits: tuple[str, ...] = ()

    @abstractmethod
    def pdf(self, x: Floats, t: Floats) -> Floats:
        """The density at pairs of places and times."""

    @abstractmethod
    def split(self, x: Floats, t: float) -> Split:
        """The masses on both sides of each of the `x` at one time."""

    @abstractmethod
    def bins(self, edges: Floats, t: float) -> Floats:
        """The masses between increasing edges at one time."""

    def flux(self, wall: str, t: Floats) -> Floats:
        """The probability per time of absorption at a wall of ``exits``."""
        raise NotImplementedError("only laws with exits have a flux")

    def absorbed(self, wall: str, t: Floats, killing: float) -> Floats:
        """The probability of absorption at a wall of ``exits`` by each time, before killing at a constant rate."""
        raise NotImplementedError("only laws with exits absorb")

    def moments(self, t: Floats) -> tuple[Floats, Floats]:
        """Mean and variance at each time."""
        raise NotImplementedError("only laws on the line have moments by formula")


class Normals(Form):
    """On the line, x = shift(t) + factor(t) y + a normal of variance(t): exact for every start."""

    def __init__(self, start: Start) -> None:
        self.start = start

    @abstractmethod
    def coefficients(self, t: float) -> tuple[float, float, float]:
        """shift, factor and variance at a time."""

    def _parts(self, t: float) -> tuple[Floats, Floats, float, float]:
        """Means (of the centre, for a uniform start), weights, standard deviation, and width of the uniform part."""
        shift, factor, variance = self.coefficients(t)
        if isinstance(self.start, Uniform):
            width = factor * (self.start.high - self.start.low)
            return (
                np.array([shift + factor * 0.5 * (self.start.low + self.start.high)]),
                np.ones(1),
                math.sqrt(variance),
                width,
            )
        if isinstance(self.start, Normal):
            return (
                np.array([shift + factor * self.start.mean]),
                np.ones(1),
                math.hypot(factor * self.start.sd, math.sqrt(variance)),
                0.0,
            )
        y, weights = atoms(self.start)
        return shift + factor * y, weights, math.sqrt(variance), 0.0

    def pdf(self, x: Floats, t: Floats) -> Floats:
        values = np.empty(x.size)
        for time in np.unique(t):
            here = t == time
            means, weights, sd, width = self._parts(float(time))
            z = (x[here] - means[:, None]) / sd
            values[here] = weights @ normal_density(z, 0.5 * width / sd) / sd
        return values

    def split(self, x: Floats, t: float) -> Split:
        means, weights, sd, width = self._parts(t)
        z = (x - means[:, None]) / sd
        return weights @ normal_mass(z, 0.5 * width / sd), weights @ normal_mass(-z, 0.5 * width / sd)

    def bins(self, edges: Floats, t: float) -> Floats:
        below, above = self.split(edges, t)
        mass = np.where(below[1:] < above[:-1], np.diff(below), -np.diff(above))
        half = 0.5 * np.diff(edges)
        narrow = half < 0.125 * self._parts(t)[2]
        if narrow.any():
            x = 0.5 * (edges[1:] + edges[:-1])[narrow, None] + half[narrow, None] * NODES
            mass[narrow] = half[narrow] * (self.pdf(x.ravel(), np.full(x.size, t)).reshape(x.shape) @ WEIGHTS)
        return mass

    def moments(self, t: Floats) -> tuple[Floats, Floats]:
        parts = [self._parts(float(time)) for time in t]
        mean = np.array([means @ weights for means, weights, _, _ in parts])
        spread = [weights @ (means - m) ** 2 for m, (means, weights, _, _) in zip(mean, parts, strict=True)]
        return mean, np.array(spread) + np.array([sd**2 + width**2 / 12.0 for _, _, sd, width in parts])


class Linear(Normals):
    """dX = (intercept + slope X) dt + √(2D) dW: Ornstein–Uhlenbeck, of either sign; slope 0 is plain drift."""

    def __init__(self, start: Start, intercept: float, slope: float, diffusion: float) -> None:
        super().__init__(start)
        self.intercept, self.slope, self.diffusion = intercept, slope, diffusion

    def coefficients(self, t: float) -> tuple[float, float, float]:
        if self.slope * t > 350.0:
            raise ValueError(
                f"t = {t:g}: with the drift's slope of {self.slope:g} the law is wider than exp(350), beyond any double"
            )
        mean_time = t * float(special.exprel(self.slope * t))
        variance = 2.0 * self.diffusion * t * float(special.exprel(2.0 * self.slope * t))
        return self.intercept * mean_time, math.exp(self.slope * t), variance


class Driven(Normals):
    """Drift a(t) and diffusion D(t) of time alone: mean y + ∫a, variance 2∫D."""

    def __init__(self, start: Start, drift: Coefficient, diffusion: Coefficient) -> None:
        super().__init__(start)
        self.drift, self.diffusion = drift, diffusion

    def coefficients(self, t: float) -> tuple[float, float, float]:
        return integral(self.drift, t), 1.0, 2.0 * integral(self.diffusion, t)


def atoms(start: Start) -> tuple[Floats, Floats]:
    if isinstance(start, Point):
        return np.array([start.x]), np.ones(1)
    assert isinstance(start, Sites)
    return np.array(start.x), np.array(start.masses)


def normal_density(z: Floats, half: float) -> Floats:
    """The standard normal density averaged over z ± `half`."""
    if half < 0.5:
        return np.exp(-0.5 * (z[..., None] + half * NODES) ** 2) @ (0.5 * WEIGHTS) / math.sqrt(2.0 * math.pi)
    return normal_between(z - half, z + half) / (2.0 * half)


def normal_mass(z: Floats, half: float) -> Floats:
    """The standard normal distribution function averaged over z ± `half`: (ψ(z + half) - ψ(z - half))/2half, ψ = ∫Φ."""
    if half < 0.5:
        return special.ndtr(z[..., None] + half * NODES) @ (0.5 * WEIGHTS)

    def psi(z: Floats) -> Floats:  # ∫Φ = φ(z) + zΦ(z) below zero, in one positive product
        z = np.minimum(z, 0.0)
        return np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi) * deficit(-z / math.sqrt(2.0))

    def rest(z: Floats) -> Floats:  # ψ(z) - max(z, 0) = ψ(-|z|)
        return psi(-np.abs(z))

    low, high = z - half, z + half
    return (np.maximum(high, 0.0) - np.maximum(low, 0.0) + rest(high) - rest(low)) / (2.0 * half)
