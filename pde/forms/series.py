"""Green function of an interval with constant coefficients and any two walls: contour of images, then eigenfunctions.

Distances ξ, η are from the wall that the drift points to, α = |a|/2D, and ρ = exp(-α(ξ - η) - Dα²t) u. The walls are
u_ξ = h₀u at 0 and u_ξ = -h_L u at L with h₀ = K₀/D - α, h_L = K_L/D + α (K = 0 reflects, ∞ absorbs). In the Laplace
variable s = Dp² the sum over all images is geometric (Carslaw and Jaeger, *Conduction of Heat in Solids*, 14.3):

    2Dp û = exp(-p|ξ-η|) (1 + r₀ exp(-2p x<)) (1 + r_L exp(-2p(L - x>))) / (1 - r₀ r_L exp(-2pL)),  r = (p - h)/(p + h)

with x< and x> the smaller and the larger of ξ and η. For Dt < 0.05 L² it is inverted on the vertical line through the
saddle p = |ξ-η|/2Dt, where the integrand is a Gaussian and the trapezoidal rule converges like exp(-2π distance/step);
a real pole to the right of the line adds its eigenmode. Later the first eigenmodes are everything.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from randwalk.model.coefficient import Floats

from .exits import exit_probability
from .green import CHUNK, VANISHED, Green, HalfLine, Panels, Split, gauss_legendre

LATE = 0.05  # Dt/L² from which eigenmodes are summed: where they cancel most, to exp(-1/4 LATE), two digits go
MODES = 12  # exp(-(11π)² 0.05) = 1e-26
GAP = 0.75  # least distance from the line of integration to a pole, in 1/√(Dt)
# Distance to a pole, step and number of points of the trapezoidal rule, all in √(Dt) p. Its error, exp(distance² - 2π
# distance/step), and what it leaves out, exp(-(step points)²), are below 1e-16.
RULES = ((2.5, 0.35, 19), (GAP, 0.12, 54))
ALONE = 40.0  # a wall that changes the law by exp(-40) = 4e-18 is left out
UNSEEN = 1e-25  # beside the likeliest start, what is less likely than this is left out


@dataclass(frozen=True)
class Bar(Green):
    """An interval; `near_reactivity` is that of the wall the drift points to, `far_reactivity` of the other."""

    near_reactivity: float = 0.0
    far_reactivity: float = 0.0

    @property
    def length(self) -> float:
        return self.high - self.low

    @property
    def alpha(self) -> float:
        return abs(self.drift) / (2.0 * self.diffusion)

    @property
    def near_wall(self) -> str:
        return "right" if self.drift > 0.0 else "left"

    @property
    def h(self) -> tuple[float, float]:
        return self.near_reactivity / self.diffusion - self.alpha, self.far_reactivity / self.diffusion + self.alpha

    def _inward(self, x: Floats) -> Floats:
        return x - self.low if self.near_wall == "left" else self.high - x

    @cached_property
    def bound(self) -> tuple[float, float] | None:
        """(p, ε = α - p) of the mode exp(-pξ) bound to the near wall, if it is bound tightly: p > 1/L.

        It solves (p + h₀)(p + h_L) = (p - h₀)(p - h_L) exp(-2pL). Its rate D(α² - p²) can be exponentially small, so
        the unknown is ε, in which p + h₀ = K₀/D - ε and p - h_L = -ε - K_L/D have no cancellation.
        """
        k0, k_far, h_far = self.near_reactivity / self.diffusion, self.far_reactivity / self.diffusion, self.h[1]
        alpha, length = self.alpha, self.length
        if math.isinf(k0) or alpha * length <= 1.0:
            return None

        def mismatch(epsilon: float) -> float:
            p = alpha - epsilon
            s, d = (1.0, -1.0) if math.isinf(h_far) else (p + h_far, -epsilon - k_far)
            return (k0 - epsilon) * s - (p + alpha - k0) * d * math.exp(-2.0 * p * length)

        most = alpha - 1.0 / length
        if mismatch(0.0) == 0.0:
            return alpha, 0.0
        if mismatch(most) >= 0.0:
            return None
        epsilon = float(optimize.brentq(mismatch, 0.0, most, xtol=1e-300, rtol=1e-15, maxiter=2000))
        return alpha - epsilon, epsilon

    @cached_property
    def modes(self) -> tuple[Floats, Floats, Floats]:
        """k² (negative: hyperbolic), rates D(α² + k²) and ∫φ² of the lowest modes, without a tightly bound one."""
        (h0, h_far), length = self.h, self.length

        def phase(k: float, n: int) -> float:
            return k * length - math.atan2(h0, k) - math.atan2(h_far, k) - n * math.pi

        def mismatch(square: float) -> float:
            c, s = (float(f) for f in _cosine_sine(np.asarray(square), np.asarray(length)))
            return c + h0 * s if math.isinf(h_far) else (h0 + h_far) * c + (h0 * h_far - square) * s

        lowest = 0 if h0 >= 0.0 else 1
        shift = 0.0 if h0 >= 0.0 else 0.5  # kL lies between (n - shift)π and (n + 1 - shift)π
        squares = np.array([])
        for n in range(lowest, MODES):
            ends = max(n - shift - 1e-9, 0.0) * math.pi / length, (n + 1 - shift + 1e-9) * math.pi / length
            squares = np.append(squares, optimize.brentq(phase, *ends, (n,), xtol=1e-300, rtol=1e-15) ** 2)
        if lowest and self.bound is None:
            bottom = -(((1.0 + 1e-9) * min(self.alpha, 1.0 / length)) ** 2)
            top = (0.5 * math.pi / length) ** 2
            conserved = self.near_reactivity == 0.0 and self.far_reactivity == 0.0  # then k² = -α² exactly
            square = -(self.alpha**2) if conserved else optimize.brentq(mismatch, bottom, top, xtol=1e-300, rtol=1e-15)
            squares = np.append(square, squares)
        x, w = gauss_legendre(np.linspace(0.0, length, 9))
        norms = np.array([np.sum(w * self._shape(square, x) ** 2) for square in squares])
        return squares, self.diffusion * (self.alpha**2 + squares), norms

    def _shape(self, square: Floats, xi: Floats) -> Floats:
        """The mode cos(kδ) + h_L sin(kδ)/k, δ = L - ξ, which meets the far wall's condition, over 1 + h_L L."""
        c, s = _cosine_sine(np.asarray(square), self.length - xi)
        h0, h_far = self.h
        value = s / self.length if math.isinf(h_far) else (c + h_far * s) / (1.0 + h_far * self.length)
        if h0 * self.length <= 1.0 or math.isinf(h0):
            return value
        # at a wall that absorbs nearly all it is small by cancellation, and φ' = h₀ φ there is not
        return np.where(xi == 0.0, self._end_slope(float(square), "near") / h0, value)

    def _bound_mode(self, xi: Floats, eta: Floats, t: Floats, slope: bool = False) -> Floats:
        """The bound mode's part of ρ, exp(-(α+p)ξ + εη - λt) w(ξ)w(η)/∫, or of its slope at the far absorbing wall."""
        assert self.bound is not None
        (p, epsilon), length, h_far = self.bound, self.length, self.h[1]
        k_far = self.far_reactivity / self.diffusion
        reflected = -1.0 if math.isinf(h_far) else -(epsilon + k_far) / (p + h_far)
        fall = math.exp(-2.0 * p * length)
        norm = (
            -math.expm1(-2.0 * p * length) / (2.0 * p) * (1.0 + reflected**2 * fall) + 2.0 * reflected * length * fall
        )

        def w(z: Floats) -> Floats:
            return -np.expm1(-2.0 * p * (length - z)) + (1.0 + reflected) * np.exp(-2.0 * p * (length - z))

        exponent = epsilon * eta - (self.alpha + p) * xi - self._bound_rate * t
        return np.exp(exponent) * (2.0 * p if slope else w(xi)) * w(eta) / norm

    @property
    def _bound_rate(self) -> float:
        assert self.bound is not None
        p, epsilon = self.bound
        return self.diffusion * epsilon * (self.alpha + p)

    def pdf(self, x: Floats, t: Floats, y: Floats) -> Floats:
        return self._evaluate(self._inward(x), t, self._inward(y), None)

    def flux(self, wall: str, t: Floats, y: Floats) -> Floats:
        near, reactivity = wall == self.near_wall, self.reactivity(wall)
        xi, eta = np.asarray(0.0 if near else self.length), self._inward(y)
        if math.isfinite(reactivity):
            return reactivity * self._evaluate(xi, t, eta, None)
        return self.diffusion * self._evaluate(xi, t, eta, "near" if near else "far")

    def _evaluate(self, xi: Floats, t: Floats, eta: Floats, slope: str | None) -> Floats:
        """ρ, or the size of its slope at an absorbing wall, where ξ already is."""
        shape = np.broadcast_shapes(np.shape(xi), np.shape(t), np.shape(eta))
        xi, t, eta = (np.broadcast_to(v, shape).ravel() for v in (xi, t, eta))
        late = self.diffusion * t >= LATE * self.length**2
        near, far = self._one_wall(xi, t, eta)
        values = np.empty(xi.size)
        for these, law in (
            (late, self._eigenmodes),
            (~late & near, self._near_alone),
            (~late & far, self._far_alone),
            (~late & ~near & ~far, self._contour),
        ):
            if these.any():
                values[these] = law(xi[these], t[these], eta[these], slope)
        return values.reshape(shape)

    @cached_property
    def _pole(self) -> float:
        """p of the mode bound to the near wall, or 0."""
        return self.bound[0] if self.bound is not None else self._loose_pole

    def _one_wall(self, xi: Floats, t: Floats, eta: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Where the near wall, and where the far wall, is the only one that changes the law by more than exp(-ALONE).

        The image in a wall is exp(-q) of the walker that meets none, q the product of the distances over Dt; a walker bound
        to the near wall, which there has been time for if ξ + η < 2pDt, feels the far one by exp(-2p distance).
        """
        spread, length = self.diffusion * t, self.length
        bound = xi + eta < 2.0 * spread * self._pole
        apart = 2.0 * self._pole * (length - np.maximum(xi, eta)) > ALONE
        near = ((length - xi) * (length - eta) > ALONE * spread) & (~bound | apart)
        return near, ~near & (xi * eta > ALONE * spread) & ~bound

    def _near_alone(self, xi: Floats, t: Floats, eta: Floats, slope: str | None) -> Floats:
        half = HalfLine(-abs(self.drift), self.diffusion, 0.0, math.inf, (), self.near_reactivity)
        return half.pdf(xi, t, eta) if slope is None else half.flux("left", t, eta) / self.diffusion

    def _far_alone(self, xi: Floats, t: Floats, eta: Floats, slope: str | None) -> Floats:
        half = HalfLine(abs(self.drift), self.diffusion, 0.0, math.inf, (), self.far_reactivity)
        if slope is not None:
            return half.flux("left", t, self.length - eta) / self.diffusion
        return half.pdf(self.length - xi, t, self.length - eta)

    def _eigenmodes(self, xi: Floats, t: Floats, eta: Floats, slope: str | None) -> Floats:
        squares, rates, norms = self.modes
        total = np.zeros(xi.size)
        for square, rate, norm in zip(squares, rates, norms, strict=True):
            size = self._end_slope(square, slope) if slope else self._shape(square, xi)
            total += size * self._shape(square, eta) / norm * np.exp(-self.alpha * (xi - eta) - rate * t)
        if self.bound is not None:
            total += self._bound_mode(xi, eta, t, slope is not None)
        return total

    def _end_slope(self, square: float, end: str) -> float:
        """|φ'| with its sign as an outflow: φ'(0) at the near wall, -φ'(L) at the far one (absorbing)."""
        c, s = (float(f) for f in _cosine_sine(np.asarray(square), np.asarray(self.length)))
        h_far = self.h[1]
        if end == "far":
            return 1.0 / self.length
        if math.isinf(h_far):
            return -c / self.length
        return (square * s - h_far * c) / (1.0 + h_far * self.length)

    def _contour(self, xi: Floats, t: Floats, eta: Floats, slope: str | None) -> Floats:
        root = np.sqrt(self.diffusion * t)
        gap = GAP / root
        z = xi - eta
        saddle = np.abs(z) / (2.0 * root * root)
        line, residue = np.maximum(saddle, gap), np.zeros(xi.size, dtype=bool)
        pole = self._pole
        if pole > 0.0:
            residue = (saddle < pole) & (pole > 2.0 * gap)
            line = np.where(residue, np.minimum(line, pole - gap), np.maximum(saddle, np.maximum(pole, 0.0) + gap))
        exponent = -(((z + 2.0 * self.alpha * root * root) / (2.0 * root)) ** 2)
        values, chosen = np.zeros(xi.size), exponent > VANISHED
        clear = (line == saddle) & (np.minimum(line, np.abs(line - pole)) * root >= RULES[0][0])
        for (_, step, count), these in zip(RULES, (chosen & clear, chosen & ~clear), strict=True):
            v, places = step * np.arange(count), np.flatnonzero(these)
            for part in np.array_split(places, max(1, math.ceil(places.size * count / CHUNK))):
                integral = self._inverted(xi[part], eta[part], root[part], line[part], saddle[part], v, slope)
                values[part] = np.exp(exponent[part]) * integral
        if residue.any():
            values[residue] += self._bound_mode(xi[residue], eta[residue], t[residue], slope is not None)
        return values

    @cached_property
    def _loose_pole(self) -> float:
        """The real pole of a mode with k² < 0 that is not bound tightly, or 0."""
        return math.sqrt(max(-float(self.modes[0][0]), 0.0))

    def _inverted(
        self, xi: Floats, eta: Floats, root: Floats, line: Floats, saddle: Floats, v: Floats, slope: str | None
    ) -> Floats:
        """(1/π) Re ∫ exp(Dt(p - saddle)²) × images d(Im p) along p = line + iv/√(Dt)."""
        weight = np.where(v == 0.0, 0.5, 1.0) * (v[1] / math.pi)
        p = line[:, None] + 1j * v / root[:, None]
        h0, h_far = self.h

        def sum_and_difference(h: float) -> tuple[np.ndarray, np.ndarray]:
            return (np.ones_like(p), -np.ones_like(p)) if math.isinf(h) else (p + h, p - h)

        def factor(s: np.ndarray, h: float, depth: Floats) -> np.ndarray:
            """(p + h)(1 + r exp(-2p depth)) in positive parts."""
            fall = -2.0 * p * depth[:, None]
            power = np.exp(fall)
            gone, small = 1.0 - power, np.abs(fall) < 0.5
            gone[small] = -np.expm1(fall[small])  # slow, so only where the difference would cancel
            return s * gone if math.isinf(h) else s * gone + 2.0 * p * power

        (s0, d0), (s_far, d_far) = sum_and_difference(h0), sum_and_difference(h_far)
        near = 2.0 * p if slope == "near" else factor(s0, h0, np.minimum(xi, eta))
        far = 2.0 * p if slope == "far" else factor(s_far, h_far, self.length - np.maximum(xi, eta))
        images = near * far / (s0 * s_far - d0 * d_far * np.exp(-2.0 * p * self.length))
        gauss = np.exp(((line - saddle) * root)[:, None] ** 2 - v * v + 2j * ((line - saddle) * root)[:, None] * v)
        return ((gauss * images).real @ weight) / root

    def _breaks(self, t: float, y: Floats) -> Floats:
        """Panels on which ρ is smooth: 1.5 standard deviations where the starts arrive, growing away from the walls."""
        length, sd, eta = self.length, self.spread(t), self._inward(y)
        step = 1.5 * sd
        starts = np.sort(eta) - abs(self.drift) * t
        apart = np.flatnonzero(np.diff(starts) > 80.0 * sd)
        lows = starts[np.concatenate([[0], apart + 1])] - 39.0 * sd
        highs = starts[np.concatenate([apart, [starts.size - 1]])] + 39.0 * sd
        pieces = [np.array([0.0, length])]
        for low, high in zip(np.clip(lows, 0.0, length), np.clip(highs, 0.0, length), strict=True):
            if high > low:
                pieces.append(np.linspace(low, high, 1 + math.ceil((high - low) / step)))
        thin = min(self.layer, sd, length)
        doubling = thin * 1.6 ** np.arange(-2, max(1.0, math.log(length / thin) / math.log(1.6)))
        pieces += [doubling, length - doubling]
        breaks = np.unique(np.clip(np.concatenate(pieces), 0.0, length))
        return breaks if self.near_wall == "left" else (length - breaks)[::-1]

    def _panels(self, x: Floats, t: float, y: Floats, weights: Floats) -> Panels:
        def density(nodes: Floats) -> Floats:
            return self.over_starts(lambda x, y: (self.pdf(x, np.asarray(t), y),), nodes, y, weights)[0]

        breaks = np.clip(self.low + self._breaks(t, y), self.low, self.high)
        return Panels.of(np.concatenate([breaks, [self.low, self.high]]), x, density)

    def split(self, x: Floats, t: float, y: Floats, weights: Floats) -> Split:
        return self._panels(x, t, y, weights).split(x)

    def sides(self, x: Floats, t: float, y: Floats) -> Split:
        raise NotImplementedError("the masses of an interval are summed panel by panel, in split")

    def bins(self, edges: Floats, t: float, y: Floats, weights: Floats) -> Floats:
        return self._panels(edges, t, y, weights).bins(edges)

    def beside(self, side: str) -> HalfLine:
        low, high = (self.low, math.inf) if side == "left" else (-math.inf, self.high)
        exits = tuple(wall for wall in self.exits if wall == side)
        return HalfLine(self.drift, self.diffusion, low, high, exits, self.reactivity(side))

    def reactivity(self, wall: str) -> float:
        """Outward flux over density at `wall`."""
        return self.near_reactivity if wall == self.near_wall else self.far_reactivity

    def absorbed_ever(self, wall: str, y: Floats, killing: float) -> Floats:
        left = wall == "left"
        return exit_probability(
            y - self.low if left else self.high - y, self.drift if left else -self.drift, self.diffusion, killing,
            self.reactivity(wall), self.length, self.reactivity("right" if left else "left"),
        )  # fmt: skip

    def absorbed(self, wall: str, t: Floats, y: Floats, killing: float) -> Floats:
        values, most = np.zeros(t.size), 0.0
        starts = np.unique(y)
        for start in starts if wall == "left" else starts[::-1]:  # the nearest first, which are the likeliest
            of = y == start
            if 4.0 * math.exp(self._latest(wall, float(t[of].max()), float(start))) < UNSEEN * most:
                break
            values[of] = self._absorbed_from(wall, t[of], float(start), killing)
            most = max(most, float(values[of].max()))
        return values

    def _latest(self, wall: str, t: float, y: float) -> float:
        """The logarithm of a quarter of a bound of the probability of having met `wall`: that of a walker with the drift
        towards it, if any, whose path may be mirrored once at either wall."""
        distance = (y - self.low) if wall == "left" else (self.high - y)
        towards = max(-self.drift if wall == "left" else self.drift, 0.0) * t
        return -(max(distance - towards, 0.0) ** 2) / (4.0 * self.diffusion * t)

    def _absorbed_from(self, wall: str, t: Floats, y: float, killing: float) -> Floats:
        """The flux, integrated over log t on panels as short as its front asks for, and later mode by mode."""
        late, alone = LATE * self.length**2 / self.diffusion, self._alone_until(wall, y)
        early, start = np.minimum(t, late), np.array([y])
        first: Floats = np.zeros(t.size)
        if alone > 0.0:  # not from a start on the other wall
            first = self.beside(wall).absorbed(wall, np.minimum(t, alone), np.broadcast_to(start, t.shape), killing)
        breaks = self._time_breaks(wall, early, y, alone)
        if breaks.size < 2:
            return first + self._absorbed_late(wall, late, t, y, killing)
        log_s, w = gauss_legendre(np.log(breaks))
        s = np.exp(log_s)
        flux = self.flux(wall, s.ravel(), np.full(s.size, y)).reshape(s.shape)
        total = np.concatenate([[0.0], np.cumsum((flux * np.exp(-killing * s) * s * w).sum(axis=1))])
        first += np.where(early > breaks[0], total[np.searchsorted(breaks, np.maximum(early, breaks[0]))], 0.0)
        return first + self._absorbed_late(wall, late, t, y, killing)

    def _alone_until(self, wall: str, y: float) -> float:
        """The time before which a walker from `y` leaves through `wall` as if the other were not there, as in _one_wall."""
        eta = float(self._inward(np.asarray(y)))
        if wall == self.near_wall:
            until = self.length * (self.length - eta) / (ALONE * self.diffusion)
            apart = 2.0 * self._pole * (self.length - eta) > ALONE
            return until if apart or not self._pole else min(until, eta / (2.0 * self._pole * self.diffusion))
        until = self.length * eta / (ALONE * self.diffusion)
        return min(until, (self.length + eta) / (2.0 * self._pole * self.diffusion)) if self._pole else until

    def _time_breaks(self, wall: str, times: Floats, y: float, alone: float) -> Floats:
        """Ends of panels in log t, after the time `alone`, that resolve the front, of relative width √(2D/(|a| distance)), and
        the rise before."""
        distance = (y - self.low) if wall == "left" else (self.high - y)
        speed = -self.drift if wall == "left" else self.drift  # towards the wall
        four_d = 4.0 * self.diffusion
        reach = four_d * -VANISHED  # before (distance - speed s)² = reach s the flux is 0 in a double
        if reach + 4.0 * speed * distance < 0.0:
            return np.zeros(0)
        first = (2.0 * distance / (math.sqrt(reach) + math.sqrt(reach + 4.0 * speed * distance))) ** 2
        first = max(first, alone, 1e-34 * float(times.max()))
        widest = min(0.7, 1.2 / math.sqrt(max(self.alpha * distance, 1.0)))
        s, breaks = float(times.max()), []
        while s > first:
            breaks.append(s)
            rise = (distance**2 - (speed * s) ** 2) / (four_d * s)  # of the exponent, with log s
            s *= math.exp(-min(widest, 20.0 / max(rise, 1.0)))
        if breaks and first == alone:  # to which the law of one wall is exact
            breaks.append(first)
        return np.unique(np.concatenate([breaks, times[times > first]]))

    def _absorbed_late(self, wall: str, late: float, t: Floats, y: float, killing: float) -> Floats:
        """∫ of the flux from `late` on: every mode's flux at `late` times (1 - exp(-rate (t - late)))/rate."""
        near, reactivity = wall == self.near_wall, self.reactivity(wall)
        xi, eta = np.asarray([0.0 if near else self.length]), np.asarray([float(self._inward(np.asarray(y)))])
        end = None if math.isfinite(reactivity) else ("near" if near else "far")
        factor = reactivity if end is None else self.diffusion
        wait = np.maximum(t - late, 0.0)
        squares, rates, norms = self.modes
        total = np.zeros(t.size)
        for square, rate, norm in zip(squares, rates, norms, strict=True):
            size = float(self._shape(square, xi)[0]) if end is None else self._end_slope(square, end)
            start = size * self._shape(square, eta)[0] / norm
            start *= math.exp(float(-self.alpha * (xi[0] - eta[0])) - (rate + killing) * late)
            total += start * _elapsed(rate + killing, wait)
        if self.bound is not None:
            time = np.asarray([late])
            start = float(self._bound_mode(xi, eta, time, end is not None)[0])
            start *= math.exp(-killing * late)
            total += start * _elapsed(self._bound_rate + killing, wait)
        return factor * total


def _elapsed(rate: float, wait: Floats) -> Floats:
    """∫ exp(-rate s) ds from 0 to `wait` = (1 - exp(-rate wait))/rate."""
    return wait * special.exprel(-rate * wait) if rate <= 0.0 else -np.expm1(-rate * wait) / rate


def _cosine_sine(square: Floats, z: Floats) -> tuple[Floats, Floats]:
    """cos(kz) and sin(kz)/k as functions of k², of either sign."""
    k = np.sqrt(np.abs(square))
    kz = k * z
    growing = np.minimum(np.where(square < 0.0, kz, 0.0), 700.0)
    cosine = np.where(square < 0.0, np.cosh(growing), np.cos(kz))
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(square < 0.0, np.sinh(growing), np.sin(kz)) / kz
    return cosine, z * np.where(np.abs(kz) < 1e-8, 1.0, ratio)
