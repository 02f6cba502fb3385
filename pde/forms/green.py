"""Green functions with constant coefficients that are finite sums: half-line, ring, and the Beneš drift on the line.

Every one is the density at ``x`` after time ``t`` of a walker that started at ``y``, with the masses on both sides of
``x``. Exponents are added before anything is exponentiated, and what is left over is ``erfcx``, so that neither a large
Péclet number nor a far tail costs digits.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from randwalk.model.coefficient import Floats

from .exits import exit_probability

NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)
CHUNK = 1 << 15  # entries of one work array: small enough for the cache
ROOT_PI = math.sqrt(math.pi)
VANISHED = -745.0  # exp() of less is 0 in a double
WIDE = 39.0  # standard deviations of a normal law beyond which its density is 0 in a double
Split: TypeAlias = tuple[Floats, Floats]


def gauss_legendre(breaks: Floats) -> tuple[Floats, Floats]:
    """16 nodes and weights for each panel between consecutive `breaks`, both of shape (panels, 16)."""
    half = 0.5 * np.diff(breaks)[:, None]
    return 0.5 * (breaks[1:] + breaks[:-1])[:, None] + half * NODES, half * WEIGHTS


@dataclass(frozen=True)
class Panels:
    """The masses on panels between increasing `ends`: sides and bins are sums of them, so that small ones keep their digits."""

    ends: Floats
    masses: Floats

    @classmethod
    def of(cls, breaks: Floats, places: Floats, density: Callable[[Floats], Floats]) -> Panels:
        """`density` integrated between the `breaks`, with the `places` that lie among them as ends too."""
        ends = np.unique(np.concatenate([breaks, np.clip(places, breaks.min(), breaks.max())]))
        nodes, weights = gauss_legendre(ends)
        return cls(ends, (density(nodes.ravel()).reshape(nodes.shape) * weights).sum(axis=1))

    def _place(self, x: Floats) -> NDArray[np.int64]:
        return np.searchsorted(self.ends, np.clip(x, self.ends[0], self.ends[-1]))

    def split(self, x: Floats) -> Split:
        """The masses on both sides of each of the `x`, which are ends."""
        left = np.concatenate([[0.0], np.cumsum(self.masses)])
        right = np.concatenate([[0.0], np.cumsum(self.masses[::-1])])[::-1]
        return left[self._place(x)], right[self._place(x)]

    def bins(self, edges: Floats) -> Floats:
        """The masses between `edges`, which are ends."""
        return np.array([self.masses[i:j].sum() for i, j in pairwise(self._place(edges))])


def deficit(z: ArrayLike) -> Floats:
    """1 - √π z erfcx(z) = √π exp(z²) ierfc(z) > 0, to full relative accuracy (continued fraction, DLMF 7.9.1)."""
    z = np.asarray(z, dtype=np.float64)
    far = np.maximum(z, 2.0)
    step = 0.5 / (far * far)
    tail = np.zeros_like(far)
    for k in range(64, 0, -1):  # √π z erfcx(z) = 1/(1 + s/(1 + 2s/(1 + 3s/…))) with s = 1/2z²
        tail = k * step / (1.0 + tail)
    near = np.clip(z, -26.0, 2.0)
    return np.where(z > 2.0, tail / (1.0 + tail), 1.0 - ROOT_PI * near * special.erfcx(near))


def erfcx_slope(p: ArrayLike, q: ArrayLike) -> Floats:
    """(erfcx(p) - erfcx(q))/(q - p) > 0 without cancellation, for arguments above -5; p = q gives the derivative."""
    p, q = np.broadcast_arrays(np.asarray(p, dtype=np.float64), np.asarray(q, dtype=np.float64))
    width = q - p
    low = np.minimum(p, q)
    wide = np.abs(width) > 0.5 * np.maximum(1.0, low)
    # -d erfcx/dz = (2/√π) deficit(z): its mean over the stretch from p to q
    z = 0.5 * (p + q)[..., None] + 0.5 * np.where(wide, 0.0, width)[..., None] * NODES
    near = deficit(z) @ WEIGHTS / ROOT_PI
    return np.where(wide, (special.erfcx(p) - special.erfcx(q)) / np.where(wide, width, 1.0), near)


def normal_between(u: Floats, v: Floats) -> Floats:
    """Φ(v) - Φ(u), taken in the tail where the two are small."""
    flip = u + v > 0.0
    return np.where(flip, special.ndtr(-u) - special.ndtr(-v), special.ndtr(v) - special.ndtr(u))


def scaled_erfc(exponent: Floats, z: Floats, whole: Floats) -> Floats:
    """exp(`exponent`) erfcx(z); below z = 0 as 2 exp(`whole`) minus the other tail, where whole = exponent + z²."""
    other = np.exp(exponent) * special.erfcx(np.abs(z))
    return np.where(z >= 0.0, other, 2.0 * np.exp(np.where(z < 0.0, whole, 0.0)) - other)


@dataclass(frozen=True)
class Green(ABC):
    """The law of one walker with constant drift and diffusion (length²/time) from ``y``, between `low` and `high`."""

    drift: float
    diffusion: float
    low: float
    high: float

    exits: tuple[str, ...] = ()

    @abstractmethod
    def pdf(self, x: Floats, t: Floats, y: Floats) -> Floats:
        """The density at `x` inside the domain; the arguments broadcast."""

    @abstractmethod
    def sides(self, x: Floats, t: float, y: Floats) -> Split:
        """The masses in [low, x] and in [x, high] at one time; the arguments broadcast."""

    def flux(self, wall: str, t: Floats, y: Floats) -> Floats:
        """The probability per time that leaves through `wall`; the arguments broadcast."""
        raise NotImplementedError("asked only of laws that have exits")

    def absorbed(self, wall: str, t: Floats, y: Floats, killing: float) -> Floats:
        """∫ flux exp(-killing s) ds from 0 to each of the finite times `t`, for the start `y` of each (one-dimensional)."""
        raise NotImplementedError("asked only of laws that have exits")

    def absorbed_ever(self, wall: str, y: Floats, killing: float) -> Floats:
        """The limit of `absorbed` as t → ∞, for starts `y` (one-dimensional)."""
        raise NotImplementedError("asked only of laws that have exits")

    def beside(self, side: str) -> Green:
        """The law of a walker that meets the wall on this `side` ("left" or "right") alone."""
        raise NotImplementedError("asked only of laws that have walls")

    def reach(self, t: float) -> tuple[float, float]:
        """How far from the lower and from the upper end a walker may start and still meet it by time `t`."""
        wide = WIDE * self.spread(t)
        return wide + max(-self.drift * t, 0.0), wide + max(self.drift * t, 0.0)

    def arriving(self, t: float) -> tuple[float, float]:
        """The starts between which the law changes over the spread: those that may, but need not, have met a wall by `t`."""
        return -math.inf, math.inf

    def arrived(self, t: float) -> list[Floats]:
        """Breaks between which the law of those that have met a wall long before `t` is smooth."""
        return []

    @property
    def layer(self) -> float:
        """D/|a|: the thickness of the boundary layer at a wall."""
        return self.diffusion / abs(self.drift) if self.drift else math.inf

    def layer_with(self, killing: float) -> float:
        """2D/(√(a² + 4Dκ) + |a|): where walkers are killed, what leaves by a wall falls off over that too."""
        fall = math.hypot(self.drift, 2.0 * math.sqrt(self.diffusion * killing)) + abs(self.drift)
        return 2.0 * self.diffusion / fall if fall else math.inf

    def spread(self, t: float) -> float:
        """The standard deviation of the free displacement."""
        return math.sqrt(2.0 * self.diffusion * t)

    def split(self, x: Floats, t: float, y: Floats, weights: Floats) -> Split:
        """The masses on both sides of each of the `x` (one-dimensional), summed over starts `y` with `weights`."""
        below, above = self.over_starts(lambda x, y: self.sides(x, t, y), x, y, weights)
        return below, above

    def bins(self, edges: Floats, t: float, y: Floats, weights: Floats) -> Floats:
        """The probabilities of the bins between `edges`: differences of the smaller side, or the integrated density."""
        below, above = self.split(edges, t, y, weights)
        mass = np.where(below[1:] < above[:-1], np.diff(below), -np.diff(above))
        narrow = np.diff(edges) < 0.25 * min(self.spread(t), self.layer)  # there the differences would cancel
        if narrow.any():
            centre, half = 0.5 * (edges[1:] + edges[:-1])[narrow], 0.5 * np.diff(edges)[narrow]
            x = (centre[:, None] + half[:, None] * NODES).ravel()
            (density,) = self.over_starts(lambda x, y: (self.pdf(x, np.asarray(t), y),), x, y, weights)
            mass[narrow] = half * (density.reshape(-1, NODES.size) @ WEIGHTS)
        return mass

    @staticmethod
    def over_starts(
        law: Callable[[Floats, Floats], tuple[Floats, ...]], x: Floats, y: Floats, weights: Floats
    ) -> tuple[Floats, ...]:
        """`law` of (x, y) summed over the starts, in chunks of bounded size."""
        parts = np.array_split(x, max(1, math.ceil(x.size * y.size / CHUNK)))
        sums = [[side @ weights for side in law(part[:, None], y[None, :])] for part in parts]
        return tuple(np.concatenate(column) for column in zip(*sums, strict=True))


@dataclass(frozen=True)
class HalfLine(Green):
    """One wall at the finite end: the outward flux there is `reactivity` × ρ; 0 reflects, infinity absorbs.

    In ξ, η ≥ 0, the distances of x and y from the wall, with the drift a pointing away from it, s = √(4Dt), q = ξη/Dt,
    E = -(ξ - η - at)²/4Dt and ζ = (ξ + η + (2K + a)t)/s:

        ρ = exp(E)/√(4πDt) [1 + exp(-q) (1 - (2K + a)√(πt/D) erfcx ζ)]

    (Carslaw and Jaeger, *Conduction of Heat in Solids*, 14.2; Smoluchowski 1916 for K = 0). K = ∞ leaves 1 - exp(-q).
    """

    reactivity: float = 0.0

    def _inward(self, x: Floats) -> Floats:
        return x - self.low if math.isfinite(self.low) else self.high - x

    @property
    def _away(self) -> float:
        return self.drift if math.isfinite(self.low) else -self.drift

    def beside(self, side: str) -> HalfLine:
        return self

    def _front(self, t: float) -> float:
        """How far from the wall they begin that have met it by `t` but for a part that vanishes; 0 without a drift onto it."""
        return max(-self._away * t - WIDE * self.spread(t), 0.0)

    def arriving(self, t: float) -> tuple[float, float]:
        front = self._front(t)
        return (self.low + front, math.inf) if math.isfinite(self.low) else (-math.inf, self.high - front)

    def arrived(self, t: float) -> list[Floats]:
        """Behind the front they have left at the rate K of a layer: as exp(K distance/D), which starts anew at the front."""
        front, decay = self._front(t), self.diffusion / self.reactivity if self.reactivity else math.inf
        if not 0.0 < decay < front:
            return []
        behind = front - np.append(decay * 2.5 ** np.arange(-1.0, math.log(front / decay, 2.5)), 0.0)
        return [self.low + behind if math.isfinite(self.low) else self.high - behind]

    def pdf(self, x: Floats, t: Floats, y: Floats) -> Floats:
        return self._pdf(self._inward(x), t, self._inward(y))

    def _pdf(self, xi: Floats, t: Floats, eta: Floats) -> Floats:
        a, d, k = self._away, self.diffusion, self.reactivity
        s = np.sqrt(4.0 * d * t)
        exponent, q = -(((xi - eta - a * t) / s) ** 2), xi * eta / (d * t)
        free = np.exp(exponent) / (ROOT_PI * s)
        if math.isinf(k):
            return -free * np.expm1(-q)
        z, zeta = (xi + eta) / s, (xi + eta + (2.0 * k + a) * t) / s
        # 1 + e^-q (1 - P) = (1 - e^-q) + e^-q (2 - P), and 2 - P = 2 deficit(ζ) + 2√π z erfcx(ζ): nothing is subtracted
        positive = np.maximum(zeta, 0.0)
        ahead = -np.expm1(-q) + 2.0 * np.exp(-q) * (deficit(positive) + ROOT_PI * z * special.erfcx(positive))
        # ζ < 0 (drift onto the wall): erfcx(ζ) = 2 exp(ζ²) - erfcx(-ζ), and exp(E - q + ζ²) is the layer at the wall
        h = (k + 0.5 * a) / d
        layer = np.minimum(((a + k) * xi + k * eta + k * (k + a) * t) / d, 0.0)
        behind = free * (1.0 + np.exp(-q)) + h * (
            np.exp(exponent - q) * special.erfcx(np.abs(zeta)) - 2.0 * np.exp(layer)
        )
        return np.where(zeta >= 0.0, free * ahead, behind)

    def sides(self, x: Floats, t: float, y: Floats) -> Split:
        xi, eta = self._inward(x), self._inward(y)
        near, far = self._near(xi, t, eta), self._far(xi, t, eta)
        return (near, far) if math.isfinite(self.low) else (far, near)

    def _far(self, xi: Floats, t: float | Floats, eta: Floats) -> Floats:
        """∫ρ from ξ to ∞ = ½erfc(z₁) - K/(K+a) ½e^(E-q) erfcx(z₂) + (2K+a)/(K+a) ½e^(E-q) erfcx(ζ)."""
        a, d, k = self._away, self.diffusion, self.reactivity
        s = np.sqrt(4.0 * d * t)
        z1, z2 = (xi - eta - a * t) / s, (xi + eta - a * t) / s
        q = xi * eta / (d * t)
        exponent = -z1 * z1
        if math.isinf(k):
            # with z₁ > 0 or z₂ < 0 the two tails and the two exponents are subtracted by differences; between, by erf
            turned = z2 < 0.0
            p1, p2 = np.where(turned, -z1, z1), np.where(turned, -z2, z2)
            p1, p2 = np.maximum(p1, 0.0), np.maximum(p2, 0.0)
            tails = erfcx_slope(p1, p2) * (p2 - p1) - np.expm1(-q) * special.erfcx(p2)
            same = 0.5 * np.exp(exponent) * tails
            gone = -np.expm1(np.where(turned, -a * eta / d, 0.0))
            between = 0.5 * (special.erf(z2) - special.erf(z1)) + 0.5 * (
                special.erfc(z2) - np.exp(exponent - q) * special.erfcx(np.maximum(z2, 0.0))
            )
            return np.where(z1 >= 0.0, same, np.where(turned, gone - same, between))
        zeta = (xi + eta + (2.0 * k + a) * t) / s
        tail = 0.5 * scaled_erfc(exponent, z1, np.zeros_like(z1))
        p, r = np.maximum(z2, 0.0), np.maximum(zeta, 0.0)
        mixed = 0.5 * np.exp(exponent - q) * (special.erfcx(r) - 2.0 * k * t / s * erfcx_slope(p, r))
        if k + a == 0.0:  # then z₂ = ζ ≥ 0
            return tail + mixed
        layer = np.minimum(((a + k) * xi + k * eta + k * (k + a) * t) / d, 0.0)
        second = scaled_erfc(exponent - q, z2, np.where(z2 < 0.0, -a * eta / d, 0.0))
        third = scaled_erfc(exponent - q, zeta, layer)
        apart = (-0.5 * k * second + 0.5 * (2.0 * k + a) * third) / (k + a)
        return tail + np.where((z2 < 0.0) | (zeta < 0.0), apart, mixed)

    def _near(self, xi: Floats, t: float, eta: Floats) -> Floats:
        """∫ρ from 0 to ξ: the density integrated panel by panel, which keeps the relative accuracy of the near tail."""
        shape = np.broadcast_shapes(np.shape(xi), np.shape(eta))
        flat_xi, flat_eta = np.broadcast_to(xi, shape).ravel(), np.broadcast_to(eta, shape).ravel()
        whole = self._far(np.zeros_like(flat_eta), t, flat_eta)
        near = whole - self._far(flat_xi, t, flat_eta)
        small = (near < 0.1 * whole) & (flat_xi > 0.0)
        if small.any():
            near[small] = self._near_tail(flat_xi[small], t, flat_eta[small])
        return near.reshape(shape)

    def _near_tail(self, xi: Floats, t: float, eta: Floats) -> Floats:
        """The same, where it is small: panels that double in width away from ξ and from the wall."""
        width = np.minimum(0.5 * min(self.spread(t), self.layer), xi)
        steps = np.concatenate([[0.0], np.cumsum(1.5 ** np.arange(24))])  # spans 33 000 widths: the whole tail
        left = np.minimum(steps[:, None] * width, 0.5 * xi)
        breaks = np.concatenate([left, xi - left[::-1]])
        total = np.zeros_like(xi)
        for low, high in pairwise(breaks):
            half = 0.5 * (high - low)
            if half.any():
                x = 0.5 * (low + high)[:, None] + half[:, None] * NODES
                total += half * (self._pdf(x, np.asarray(t), eta[:, None]) @ WEIGHTS)
        return total

    def flux(self, wall: str, t: Floats, y: Floats) -> Floats:
        eta = self._inward(y)
        if math.isfinite(self.reactivity):
            return self.reactivity * self._pdf(np.zeros_like(eta), t, eta)
        s = np.sqrt(4.0 * self.diffusion * t)  # the inverse Gaussian density
        return eta / (ROOT_PI * s * t) * np.exp(-(((eta + self._away * t) / s) ** 2))

    def absorbed(self, wall: str, t: Floats, y: Floats, killing: float) -> Floats:
        """With killing κ: the one of drift a' = -√(a² + 4Dκ), K' = K + (a - a')/2, times exp(-(a - a')η/2D) K/K'."""
        a, d, k, eta = self._away, self.diffusion, self.reactivity, self._inward(y)
        if killing:
            root = math.hypot(a, 2.0 * math.sqrt(d * killing))
            total = a + root if a >= 0.0 else 4.0 * d * killing / (root - a)  # a - a'
            other = HalfLine(-root, d, 0.0, math.inf, ("left",), k + 0.5 * total)
            share = k / (k + 0.5 * total) if math.isfinite(k) else 1.0
            return share * np.exp(-total * eta / (2.0 * d)) * other.absorbed("left", t, eta, 0.0)
        s = np.sqrt(4.0 * d * t)
        plus, minus = (eta + a * t) / s, (eta - a * t) / s
        if math.isinf(k):
            image = scaled_erfc(-plus * plus, minus, np.minimum(-a * eta / d, 0.0))
            return 0.5 * (special.erfc(plus) + image)
        zeta = plus + 2.0 * k * t / s
        exact = (k * t / s) * np.exp(-plus * plus) * (
            erfcx_slope(np.maximum(plus, -5.0), np.maximum(zeta, -5.0))
            + erfcx_slope(np.maximum(minus, -5.0), np.maximum(zeta, -5.0))
        )  # fmt: skip
        late = 1.0 - self._far(np.zeros_like(eta), t, eta)
        return np.where(np.minimum(plus, minus) >= -5.0, exact, late)

    def absorbed_ever(self, wall: str, y: Floats, killing: float) -> Floats:
        eta = self._inward(y)
        return exit_probability(eta, self._away, self.diffusion, killing, self.reactivity, math.inf, 0.0)


@dataclass(frozen=True)
class Circle(Green):
    """The normal law wrapped around a ring: the sum of its images, or its Fourier series once it is wide."""

    def _phase(self, x: Floats, t: Floats, y: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """Per period: displacement x - y - at reduced to [-½, ½], standard deviation, and whether the series serves."""
        period = self.high - self.low
        turn = (x - y - self.drift * t) / period
        sd = np.sqrt(2.0 * self.diffusion * t) / period
        return turn - np.rint(turn), sd, sd > 0.25

    @property
    def period(self) -> float:
        return self.high - self.low

    def pdf(self, x: Floats, t: Floats, y: Floats) -> Floats:
        u, sd, wide = self._phase(x, t, y)
        narrow_sd = np.minimum(sd, 0.25)
        images = sum(np.exp(-0.5 * ((u + k) / narrow_sd) ** 2) for k in range(-4, 5)) / (
            narrow_sd * math.sqrt(2.0 * math.pi)
        )
        decay = 2.0 * math.pi**2 * np.maximum(sd, 0.25) ** 2
        series = 1.0 + sum(2.0 * np.exp(-decay * n * n) * np.cos(2.0 * math.pi * n * u) for n in range(1, 7))
        return np.where(wide, series, images) / (self.high - self.low)

    def sides(self, x: Floats, t: float, y: Floats) -> Split:
        time = np.asarray(t)
        return self._mass(np.asarray(self.low), x, time, y), self._mass(x, np.asarray(self.high), time, y)

    def _mass(self, low: Floats, high: Floats, t: Floats, y: Floats) -> Floats:
        """The mass between two places at most one turn apart."""
        u, sd, wide = self._phase(low, t, y)
        v = u + (high - low) / (self.high - self.low)
        if wide:
            terms = (
                np.exp(-2.0 * (math.pi * n * sd) ** 2) / (math.pi * n)
                * (2.0 * np.cos(math.pi * n * (u + v)) * np.sin(math.pi * n * (v - u)))
                for n in range(1, 7)
            )  # fmt: skip
            return (v - u) + sum(terms)
        return np.asarray(sum(normal_between((u + k) / sd, (v + k) / sd) for k in range(-5, 5)))


@dataclass(frozen=True)
class Benes(Green):
    """Drift 2Db·tanh(b(x - c)), constant D: two normal laws that run apart at speeds ±2Db, with odds exp(2b(y - c)).

    ρ = cosh(b(x-c))/cosh(b(y-c)) exp(-Db²t) × the heat kernel (Beneš 1981): the potential V of this drift is constant.
    """

    rate: float = 1.0
    centre: float = 0.0

    def _branches(self, x: Floats, t: Floats, y: Floats) -> list[tuple[Floats, Floats]]:
        sd, run = np.sqrt(2.0 * self.diffusion * t), self.speed * t
        return [
            (special.expit(sign * 2.0 * self.rate * (y - self.centre)), (x - y - sign * run) / sd)
            for sign in (1.0, -1.0)
        ]

    def pdf(self, x: Floats, t: Floats, y: Floats) -> Floats:
        total = sum(odds * np.exp(-0.5 * z * z) for odds, z in self._branches(x, t, y))
        return np.asarray(total / np.sqrt(4.0 * math.pi * self.diffusion * t))

    def sides(self, x: Floats, t: float, y: Floats) -> Split:
        branches = self._branches(x, np.asarray(t), y)
        below, above = (sum(odds * special.ndtr(side * z) for odds, z in branches) for side in (1.0, -1.0))
        return np.asarray(below), np.asarray(above)

    @property
    def layer(self) -> float:
        return 1.0 / abs(self.rate)

    @property
    def speed(self) -> float:
        """2Db, at which the two normal laws run apart."""
        return 2.0 * self.diffusion * self.rate

    def turns(self) -> Floats:
        """Breaks between which the odds of the two ways are smooth."""
        return self.centre + self.layer * np.arange(-20.0, 21.0, 2.0)
