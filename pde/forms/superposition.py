"""Closed forms by superposition: a Green function summed over the start."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy import special

from randwalk.model.coefficient import Floats
from randwalk.model.start import Normal, Point, Sites, Start, Uniform

from .green import (
    CHUNK,
    NODES,
    VANISHED,
    WEIGHTS,
    WIDE,
    Benes,
    Circle,
    Green,
    Panels,
    Split,
    gauss_legendre,
    normal_between,
)
from .normal_laws import Form, atoms, normal_density
from .series import Bar

MANY = 1000  # kernels side by side in a start, above which it is cut
NARROW = 0.02  # of a period: of a narrower law on a ring, five images are all that 39 standard deviations reach


@dataclass(frozen=True)
class Superposition(Form):
    """A Green function summed over the start.

    Atoms are summed one by one. A continuous start is cut into parts. The law of a part from which walkers meet no wall by time
    t is that of the line, by formula; another part is summed over Gauss–Legendre panels that resolve the kernel, with the walls
    that walkers from it can meet. So the work does not grow with the width of the start over √(Dt).
    """

    green: Green
    start: Start

    @property
    def exits(self) -> tuple[str, ...]:  # type: ignore[override]
        return self.green.exits

    def pieces(self, t: float, killing: float = 0.0) -> list[Cloud | Free]:
        """The laws at time `t` of parts of the start, whose sum is this law. With `killing`, the parts also resolve the
        probability of absorption before killing."""
        green, (low, high) = self.green, self.start.support
        if isinstance(self.start, (Point, Sites)):
            return self._atoms_by_walls(t) if isinstance(green, Bar) else [Cloud(green, *atoms(self.start))]
        if isinstance(green, Benes):
            return self._stretches_by_odds(green, t)
        if isinstance(green, Circle) and green.spread(t) <= NARROW * green.period:
            return [Free(green, self.start, low, high, green.period)]
        if isinstance(green, Circle) or math.isinf(t):
            return [Cloud(green, *self.starts(green, low, high, t, killing))]
        return self._stretches_by_walls(t, killing)

    def _stretches_by_odds(self, green: Benes, t: float) -> list[Cloud | Free]:
        """Far from the centre of a Beneš drift all walkers run one way; near it, narrow kernels are summed around each x."""
        (low, high), sd = self.start.support, green.spread(t)
        if (high - low) < MANY * min(sd, green.layer):
            return [Cloud(green, *self.starts(green, low, high, t, 0.0))]
        if sd < 0.2 * green.layer:
            return [Forked(green, self.start, low, high)]
        near = 0.5 * -VANISHED * green.layer
        first, last = (min(max(green.centre + side * near, low), high) for side in (-1.0, 1.0))
        found: list[Cloud | Free] = []
        for begin, end, way in ((low, first, -1.0), (first, last, 0.0), (last, high, 1.0)):
            if begin < end and way:
                found.append(Free(replace(green, drift=way * green.speed), self.start, begin, end))
            elif begin < end:
                found.append(Cloud(green, *self.starts(green, begin, end, t, 0.0)))
        return found

    def _met(self, t: float) -> tuple[float, float]:
        """The lower wall is met by time `t` from starts below the first, the upper one from starts above the second place."""
        near_low, near_high = self.green.reach(t)
        return self.green.low + near_low, self.green.high - near_high  # infinite where there is no wall

    def _atoms_by_walls(self, t: float) -> list[Cloud | Free]:
        (near_low, near_high), (y, weights) = self._met(t), atoms(self.start)
        both = (y < near_low) & (y > near_high)
        right = ~both & (y > near_high)
        groups = ((both, None), (right, "right"), (~both & ~right, "left"))
        return [
            Cloud(self.green.beside(side) if side else self.green, y[these], weights[these])
            for these, side in groups
            if these.any()
        ]

    def _stretches_by_walls(self, t: float, killing: float) -> list[Cloud | Free]:
        (low, high), (near_low, near_high) = self.start.support, self._met(t)
        first, last = sorted((min(max(near_low, low), high), min(max(near_high, low), high)))
        found: list[Cloud | Free] = []
        for begin, end in ((low, first), (first, last), (last, high)):
            if not begin < end:
                continue
            middle = 0.5 * (begin + end)
            left, right = middle < near_low, middle > near_high
            if not (left or right):
                found.append(Free(self.green, self.start, begin, end))
                continue
            green = self.green if left and right else self.green.beside("left" if left else "right")
            found.append(Cloud(green, *self.starts(green, begin, end, t, killing)))
        return found

    def starts(self, green: Green, low: float, high: float, t: float, killing: float) -> tuple[Floats, Floats]:
        """Places and weights of a quadrature over the start between `low` and `high` that resolves the law at time `t`."""
        scale = 1.5 * green.spread(
            t
        )  # half a panel: 16 nodes integrate a normal density over 3 or 4 deviations to 1e-16
        if isinstance(self.start, Normal):
            scale = min(scale, 1.5 * self.start.sd)
        if isinstance(green, Benes):
            scale = min(scale, green.layer)
        layer = green.layer_with(killing)
        pieces = [np.array([low, high]), *green.arrived(t)]
        begin, end = green.arriving(t)
        begin, end = max(begin, low), min(end, high)
        if isinstance(self.start, Normal):
            begin, end = (low, high) if scale == 1.5 * self.start.sd else (begin, end)
            pieces.append(self.start.mean + self.start.sd * np.linspace(-9.0, 9.0, 7))
        if begin < end:
            pieces.append(np.linspace(begin, end, 1 + max(1, math.ceil((end - begin) / (2.0 * scale)))))
        if layer < scale:  # near a wall the law changes over that as well
            doubling = layer * 2.5 ** np.arange(-1, max(1.0, math.log(max((high - low) / layer, 1.0), 2.5)))
            walls = ((green.low, 1.0), (green.high, -1.0))
            pieces += [end + side * doubling for end, side in walls if math.isfinite(end)]
        return self._nodes(pieces, low, high)

    def _nodes(self, breaks: list[Floats], low: float, high: float) -> tuple[Floats, Floats]:
        """Gauss–Legendre nodes between `breaks`, clipped to the start from `low` to `high`, and their weights."""
        origin = (
            self.start.mean if isinstance(self.start, Normal) else low
        )  # offsets from it keep the digits of a narrow start
        ends = np.unique(np.clip(np.concatenate(breaks) - origin, low - origin, high - origin))
        offset, w = (v.ravel() for v in gauss_legendre(ends))
        if isinstance(self.start, Normal):
            z = offset / self.start.sd
            return origin + offset, w * np.exp(-0.5 * z * z) / (math.sqrt(2.0 * math.pi) * self.start.sd)
        assert isinstance(self.start, Uniform)
        return origin + offset, w / (self.start.high - self.start.low)

    def pdf(self, x: Floats, t: Floats) -> Floats:
        if isinstance(self.start, (Point, Sites)):
            y, weights = atoms(self.start)
            return sum((w * self.green.pdf(x, t, place) for place, w in zip(y, weights, strict=True)), np.zeros(x.size))
        values = np.zeros(x.size)
        for time in np.unique(t):
            here = t == time
            for piece in self.pieces(float(time)):
                values[here] += piece.pdf(x[here], float(time))
        return values

    def split(self, x: Floats, t: float) -> Split:
        sides = [piece.split(x, t) for piece in self.pieces(t)]
        return sum(below for below, _ in sides), sum(above for _, above in sides)  # type: ignore[return-value]

    def bins(self, edges: Floats, t: float) -> Floats:
        return np.asarray(sum(piece.bins(edges, t) for piece in self.pieces(t)))

    def flux(self, wall: str, t: Floats) -> Floats:
        if isinstance(self.start, (Point, Sites)):
            y, weights = atoms(self.start)
            flux = (w * self.green.flux(wall, t, place) for place, w in zip(y, weights, strict=True))
            return sum(flux, np.zeros(t.size))
        return np.array([sum(piece.flux(wall, time) for piece in self.pieces(time)) for time in t.tolist()])

    def absorbed(self, wall: str, t: Floats, killing: float) -> Floats:
        values = np.zeros(t.size)
        if isinstance(self.start, (Point, Sites)):
            late = np.isfinite(t)
            for place, weight in zip(*atoms(self.start), strict=True):
                values[late] += weight * self.green.absorbed(wall, t[late], np.full(int(late.sum()), place), killing)
                values[~late] += weight * self.green.absorbed_ever(wall, np.array([place]), killing)
            return values
        for i, time in enumerate(t.tolist()):
            values[i] = sum(piece.absorbed(wall, time, killing) for piece in self.pieces(time, killing))
        return values

    def moments(self, t: Floats) -> tuple[Floats, Floats]:
        assert isinstance(self.green, Benes)
        run = 2.0 * self.green.diffusion * self.green.rate * t
        y, w = self._places()
        side = np.tanh(self.green.rate * (y - self.green.centre))
        first = y @ w + run * (side @ w)
        centred = y[None, :] - first[:, None]
        second = (centred**2 + 2.0 * centred * run[:, None] * side) @ w + run**2 + 2.0 * self.green.diffusion * t
        return first, second

    def _places(self) -> tuple[Floats, Floats]:
        """Places and weights that integrate tanh over the start."""
        assert isinstance(self.green, Benes)
        if isinstance(self.start, (Point, Sites)):
            return atoms(self.start)
        low, high = self.start.support
        steps = [low, high] if isinstance(self.start, Uniform) else np.linspace(low, high, 20)
        return self._nodes([np.asarray(steps), self.green.turns()], low, high)


@dataclass(frozen=True, eq=False)
class Cloud:
    """A Green function summed over starts `y` with `weights`."""

    green: Green
    y: Floats
    weights: Floats

    def pdf(self, x: Floats, t: float) -> Floats:
        kernel = partial(self._kernel, t=np.asarray(t))
        return self.green.over_starts(kernel, x, self.y, self.weights)[0]

    def _kernel(self, x: Floats, y: Floats, t: Floats) -> tuple[Floats]:
        return (self.green.pdf(x, t, y),)

    def split(self, x: Floats, t: float) -> Split:
        return self.green.split(x, t, self.y, self.weights)

    def bins(self, edges: Floats, t: float) -> Floats:
        return self.green.bins(edges, t, self.y, self.weights)

    def flux(self, wall: str, t: float) -> float:
        return float(self.green.flux(wall, np.asarray(t), self.y) @ self.weights) if wall in self.green.exits else 0.0

    def absorbed(self, wall: str, t: float, killing: float) -> float:
        if wall not in self.green.exits:
            return 0.0
        if math.isinf(t):
            return float(self.green.absorbed_ever(wall, self.y, killing) @ self.weights)
        return float(self.green.absorbed(wall, np.full(self.y.size, t), self.y, killing) @ self.weights)


@dataclass(frozen=True, eq=False)
class Free:
    """The part of a uniform or normal `start` between `low` and `high` that moves as on the line; on a ring, of `period`.

    For a normal start of variance s₀², cut at both ends: the product of two normal densities is a normal density of x, of
    variance s₀² + s², times one of y, whose mass between the cuts is a factor.
    """

    green: Green
    start: Start
    low: float
    high: float
    period: float = math.inf

    def _shift(self, t: float) -> float:
        shift = self.green.drift * t
        return shift if math.isinf(self.period) else shift - self.period * round(shift / self.period)

    def _turns(self) -> Floats:
        """Displacements by whole periods that can come back to the ring, from a spread below NARROW periods."""
        return np.zeros(1) if math.isinf(self.period) else self.period * np.arange(-2.0, 3.0)

    def pdf(self, x: Floats, t: float) -> Floats:
        shift, sd = self._shift(t), self.green.spread(t)
        return np.asarray(sum(self._density(x - shift + turn, sd) for turn in self._turns()))

    def _density(self, x: Floats, sd: float) -> Floats:
        if isinstance(self.start, Uniform):
            centre, half = 0.5 * (self.low + self.high), 0.5 * (self.high - self.low)
            share = 2.0 * half / (self.start.high - self.start.low)
            return share * normal_density((x - centre) / sd, half / sd) / sd
        assert isinstance(self.start, Normal)
        whole = math.hypot(self.start.sd, sd)
        narrow = self.start.sd * (sd / whole)
        # of the start, given where it has come to
        mean = x + (self.start.mean - x) * (sd / whole) ** 2
        kept = normal_between((self.low - mean) / narrow, (self.high - mean) / narrow)
        return kept * np.exp(-0.5 * ((x - self.start.mean) / whole) ** 2) / (math.sqrt(2.0 * math.pi) * whole)

    def _panels(self, x: Floats, t: float) -> Panels:
        shift, sd = self._shift(t), self.green.spread(t)
        steps = np.linspace(-WIDE * sd, WIDE * sd, 1 + math.ceil(2.0 * WIDE / 1.5))
        pieces = [self.low + shift + steps, self.high + shift + steps]
        if isinstance(self.start, Normal):
            count = 1 + max(1, math.ceil((self.high - self.low) / self.start.sd))
            pieces.append(np.linspace(self.low, self.high, count) + shift)
        breaks = np.concatenate(pieces)
        if math.isfinite(self.period):
            ends = self.green.low, self.green.high
            breaks = np.clip((breaks + self._turns()[:, None]).ravel(), *ends)
            breaks = np.concatenate([breaks, ends])
        return Panels.of(np.unique(breaks), x, lambda nodes: self.pdf(nodes, t))

    def split(self, x: Floats, t: float) -> Split:
        return self._panels(x, t).split(x)

    def bins(self, edges: Floats, t: float) -> Floats:
        return self._panels(edges, t).bins(edges)

    def flux(self, wall: str, t: float) -> float:
        return 0.0

    def absorbed(self, wall: str, t: float, killing: float) -> float:
        return 0.0


@dataclass(frozen=True, eq=False)
class Forked(Free):
    """A start much wider than the kernel of a Beneš drift, and a kernel much narrower than the layer in which the drift changes:
    the sum over starts is taken around each x."""

    def pdf(self, x: Floats, t: float) -> Floats:
        parts = np.array_split(x, max(1, x.size * 1000 // CHUNK))
        return np.concatenate([self._around(part, t) for part in parts])

    def _around(self, x: Floats, t: float) -> Floats:
        assert isinstance(self.green, Benes)
        green, sd, total = self.green, self.green.spread(t), np.zeros(x.size)
        for way in (-1.0, 1.0):
            centre = x - way * green.speed * t
            begin, end = (np.clip((centre - edge) / sd, -WIDE, WIDE) for edge in (self.high, self.low))
            ends = begin[:, None] + (end - begin)[:, None] * np.linspace(0.0, 1.0, 1 + math.ceil(WIDE / 1.5))
            half, middle = 0.5 * np.diff(ends)[..., None], 0.5 * (ends[:, 1:] + ends[:, :-1])[..., None]
            z = middle + half * NODES
            y = centre[:, None, None] - sd * z
            odds = special.expit(way * 2.0 * green.rate * (y - green.centre))
            total += (half * WEIGHTS * np.exp(-0.5 * z * z) * odds * self._start(y)).sum(axis=(1, 2))
        return total / math.sqrt(2.0 * math.pi)

    def _start(self, y: Floats) -> Floats | float:
        if isinstance(self.start, Uniform):
            return 1.0 / (self.start.high - self.start.low)
        assert isinstance(self.start, Normal)
        return np.exp(-0.5 * ((y - self.start.mean) / self.start.sd) ** 2) / (math.sqrt(2.0 * math.pi) * self.start.sd)

    def _panels(self, x: Floats, t: float) -> Panels:
        assert isinstance(self.green, Benes)
        sd, (low, high) = self.green.spread(t), (self.low, self.high)
        steps = np.linspace(-WIDE * sd, WIDE * sd, 1 + math.ceil(2.0 * WIDE / 1.5))
        within = [np.asarray([low, high])] if isinstance(self.start, Uniform) else [np.linspace(low, high, 20)]
        pieces = [low + steps, high + steps, np.clip(self.green.turns(), low, high), *within]
        breaks = np.concatenate([np.concatenate(pieces) + way * self.green.speed * t for way in (-1.0, 1.0)])
        return Panels.of(np.unique(breaks), x, lambda nodes: self.pdf(nodes, t))
