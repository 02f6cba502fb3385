"""Laws that closed forms are made of: a Green function summed over the start, and normal laws on the line."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import integrate, special

from randwalk.coefficient import Coefficient, Floats, constant_value
from randwalk.start import Normal, Point, Sites, Start, Uniform

from .green import NODES, WEIGHTS, Benes, Green, Split, deficit, gauss_legendre, normal_between


class Law(ABC):
    """A law without killing, as :class:`ClosedForm` asks for it: flat arrays of x and t inside the domain."""

    exits: tuple[str, ...] = ()

    @abstractmethod
    def pdf(self, x: Floats, t: Floats) -> Floats: ...

    @abstractmethod
    def split(self, x: Floats, t: float) -> Split:
        """The masses on both sides of each of the `x` at one time."""

    @abstractmethod
    def bins(self, edges: Floats, t: float) -> Floats: ...

    def flux(self, wall: str, t: Floats) -> Floats:
        raise NotImplementedError("asked only of laws that have exits")

    def passed(self, wall: str, t: Floats, killing: float) -> Floats:
        raise NotImplementedError("asked only of laws that have exits")

    def moments(self, t: Floats) -> tuple[Floats, Floats]:
        raise NotImplementedError("asked only of laws on the line")


@dataclass(frozen=True)
class Superposition(Law):
    """A Green function summed over the start: over its atoms, or by Gauss–Legendre panels that resolve the kernel."""

    green: Green
    start: Start

    @property
    def exits(self) -> tuple[str, ...]:  # type: ignore[override]
        return self.green.exits

    def starts(self, t: float) -> tuple[Floats, Floats]:
        """Places and weights of starts that stand for the whole start at time `t`."""
        if isinstance(self.start, (Point, Sites)):
            return _atoms(self.start)
        low, high = self.start.support
        scale = self.green.spread(t)
        if isinstance(self.start, Normal):
            scale = min(scale, self.start.sd)
        if isinstance(self.green, Benes):
            scale = min(scale, self.green.layer)
        pieces = [np.linspace(low, high, 1 + math.ceil((high - low) / (2.0 * scale)))]
        thin = min(self.green.layer, scale)
        doubling = thin * 1.6 ** np.arange(-2, max(1.0, math.log(max((high - low) / thin, 1.0)) / math.log(1.6)))
        for end, side in ((self.green.low, 1.0), (self.green.high, -1.0)):
            if math.isfinite(end):  # near a wall the law changes over D/|a| as well
                pieces.append(end + side * doubling)
        breaks = np.unique(np.clip(np.concatenate(pieces), low, high))
        y, w = (v.ravel() for v in gauss_legendre(breaks))
        if isinstance(self.start, Normal):
            density = np.exp(-0.5 * ((y - self.start.mean) / self.start.sd) ** 2) / (
                math.sqrt(2.0 * math.pi) * self.start.sd
            )
            return y, w * density
        return y, w / (high - low)

    def pdf(self, x: Floats, t: Floats) -> Floats:
        if isinstance(self.start, (Point, Sites)):
            y, weights = _atoms(self.start)
            return sum((w * self.green.pdf(x, t, place) for place, w in zip(y, weights, strict=True)), np.zeros(x.size))
        values = np.empty(x.size)
        for time in np.unique(t):
            here = t == time
            kernel = partial(self._kernel, t=time)
            (values[here],) = self.green.over_starts(kernel, x[here], *self.starts(float(time)))
        return values

    def _kernel(self, x: Floats, y: Floats, t: Floats) -> tuple[Floats]:
        return (self.green.pdf(x, t, y),)

    def split(self, x: Floats, t: float) -> Split:
        return self.green.split(x, t, *self.starts(t))

    def bins(self, edges: Floats, t: float) -> Floats:
        return self.green.bins(edges, t, *self.starts(t))

    def flux(self, wall: str, t: Floats) -> Floats:
        return np.array(
            [self.green.flux(wall, np.asarray(time), y) @ w for time in t for y, w in [self.starts(float(time))]]
        )

    def passed(self, wall: str, t: Floats, killing: float) -> Floats:
        if isinstance(self.start, (Point, Sites)):
            y, weights = _atoms(self.start)
            return sum(
                (w * self.green.passed(wall, t, place, killing) for place, w in zip(y, weights, strict=True)),
                np.zeros(t.size),
            )
        values = np.zeros(t.size)
        for i, time in enumerate(t):
            y, weights = self.starts(float(time))
            at = np.array([time])
            values[i] = sum(
                w * self.green.passed(wall, at, place, killing)[0] for place, w in zip(y, weights, strict=True)
            )
        return values

    def moments(self, t: Floats) -> tuple[Floats, Floats]:
        assert isinstance(self.green, Benes)
        run = 2.0 * self.green.diffusion * self.green.rate * t
        y, w = self.starts(math.inf)
        side = np.tanh(self.green.rate * (y - self.green.centre))
        first = y @ w + run * (side @ w)
        centred = y[None, :] - first[:, None]
        second = (centred**2 + 2.0 * centred * run[:, None] * side) @ w + run**2 + 2.0 * self.green.diffusion * t
        return first, second


class Normals(Law):
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
        y, weights = _atoms(self.start)
        return shift + factor * y, weights, math.sqrt(variance), 0.0

    def pdf(self, x: Floats, t: Floats) -> Floats:
        values = np.empty(x.size)
        for time in np.unique(t):
            here = t == time
            means, weights, sd, width = self._parts(float(time))
            z = (x[here] - means[:, None]) / sd
            values[here] = weights @ _normal_density(z, 0.5 * width / sd) / sd
        return values

    def split(self, x: Floats, t: float) -> Split:
        means, weights, sd, width = self._parts(t)
        z = (x - means[:, None]) / sd
        return weights @ _normal_mass(z, 0.5 * width / sd), weights @ _normal_mass(-z, 0.5 * width / sd)

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
        mean_time = t * float(special.exprel(self.slope * t))
        variance = 2.0 * self.diffusion * t * float(special.exprel(2.0 * self.slope * t))
        return self.intercept * mean_time, math.exp(self.slope * t), variance


class Driven(Normals):
    """Drift a(t) and diffusion D(t) of time alone: mean y + ∫a, variance 2∫D."""

    def __init__(self, start: Start, drift: Coefficient, diffusion: Coefficient) -> None:
        super().__init__(start)
        self.drift, self.diffusion = drift, diffusion

    def coefficients(self, t: float) -> tuple[float, float, float]:
        return _integral(self.drift, t), 1.0, 2.0 * _integral(self.diffusion, t)


def _atoms(start: Start) -> tuple[Floats, Floats]:
    if isinstance(start, Point):
        return np.array([start.x]), np.ones(1)
    assert isinstance(start, Sites)
    return np.array(start.x), np.array(start.masses)


def _integral(coefficient: Coefficient, t: float) -> float:
    """∫ of a function of time from 0 to t, exact for a constant."""
    value = constant_value(coefficient)
    if value is not None:
        return value * t
    return float(
        integrate.quad(lambda s: float(coefficient(0.0, s)), 0.0, t, epsabs=1e-13, epsrel=1e-12, limit=1000)[0]
    )


def _normal_density(z: Floats, half: float) -> Floats:
    """The standard normal density averaged over z ± `half`."""
    if half < 0.5:
        return np.exp(-0.5 * (z[..., None] + half * NODES) ** 2) @ (0.5 * WEIGHTS) / math.sqrt(2.0 * math.pi)
    return normal_between(z - half, z + half) / (2.0 * half)


def _normal_mass(z: Floats, half: float) -> Floats:
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
