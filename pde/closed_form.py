"""Closed forms of the Fokker–Planck equation, chosen by the structure of the problem.

:func:`closed_form` reads coefficients, domain, walls and start, never samples them, and returns a :class:`ClosedForm` or raises
:class:`NoClosedForm` with the property that stands in the way.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from scipy import integrate, special

from randwalk.coefficient import Coefficient, Floats, affine_parts, constant_value, tanh_parts
from randwalk.domain import Absorbing, Interval, Line, PartiallyAbsorbing, Ring, Wall
from randwalk.start import Normal, Point, Sites, Start, Uniform

from .equation import FokkerPlanck
from .green import NODES, WEIGHTS, Benes, Circle, Green, HalfLine, Split, deficit, gauss_legendre, normal_between
from .series import Bar

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SAME = 1e-12  # relative difference up to which height = 2 D rate counts as equal


class NoClosedForm(ValueError):
    """No closed form is known here; the message names the property that stands in the way."""


@dataclass(frozen=True)
class ClosedForm:
    """The solution ρ(x, t) of an equation by formula; made by :func:`closed_form`.

    All times are > 0 and in the units of the coefficients. Densities and masses are accurate to about 1e-12 of their largest
    value over x; densities from a point start, and masses of bins in the tails, keep their relative accuracy in most forms.

    Attributes
    ----------
    equation : FokkerPlanck
    description : str
        Which form is used.
    """

    equation: FokkerPlanck
    description: str
    law: Law
    killing: float

    def pdf(self, x: ArrayLike, t: ArrayLike) -> Floats:
        """The density ρ(x, t), of the broadcast shape of `x` and `t`; it integrates to :meth:`survival`. 0 outside walls."""
        x, t = np.broadcast_arrays(np.asarray(x, dtype=np.float64), _times(t))
        domain = self.equation.domain
        inside = np.ones(x.shape, dtype=bool) if domain.periodic else (x >= domain.low) & (x <= domain.high)
        values = np.zeros(x.shape)
        values[inside] = self.law.pdf(x[inside], t[inside]) * np.exp(-self.killing * t[inside])
        return values

    def cdf(self, x: ArrayLike, t: ArrayLike) -> Floats:
        """The mass in (low, x] at time `t`, of the broadcast shape of `x` and `t`; at the high end it is :meth:`survival`."""
        x, t = np.broadcast_arrays(np.asarray(x, dtype=np.float64), _times(t))
        values = np.empty(x.shape)
        for time in np.unique(t):
            here = t == time
            values[here] = self.law.split(self._clipped(x[here]), float(time))[0] * math.exp(-self.killing * time)
        return values

    def mass(self, edges: ArrayLike, t: float) -> Floats:
        """The probabilities of the bins between the increasing `edges`, shape (len(edges) - 1,), without cancellation."""
        edges = np.asarray(edges, dtype=np.float64)
        if edges.ndim != 1 or edges.size < 2 or not (np.diff(edges) > 0).all():
            raise ValueError(f"edges must be a list of at least two increasing numbers, not of shape {edges.shape}")
        time = float(_times(t))
        inside, place = np.unique(self._clipped(edges), return_inverse=True)
        mass = np.zeros(edges.size - 1)
        if inside.size > 1:
            bins = self.law.bins(inside, time)
            full = np.diff(place) > 0
            mass[full] = bins[place[:-1][full]]
        return mass * math.exp(-self.killing * time)

    def survival(self, t: ArrayLike) -> Floats:
        """The fraction still walking at each of the times `t` ≥ 0, of the shape of `t`."""
        t = np.asarray(t, dtype=np.float64)
        if not (t >= 0).all():
            raise ValueError(f"t = {t.min():g}: must not be negative")
        alive = np.exp(-self.killing * t)
        if self.law.exits:
            domain = self.equation.domain
            end = np.array([domain.low if math.isfinite(domain.low) else domain.high])
            alive *= np.reshape(
                [sum(float(s[0]) for s in self.law.split(end, time)) if time else 1.0 for time in t.flat], t.shape
            )
        return alive

    def first_passage_density(self, wall: str, t: ArrayLike) -> Floats:
        """The probability per time of being absorbed at `wall`, "left" or "right", at the times `t`, of the shape of `t`."""
        self._check_wall(wall, killing=False)
        t = _times(t)
        return self.law.flux(wall, t.ravel()).reshape(t.shape) * np.exp(-self.killing * t)

    def passed(self, wall: str, times: ArrayLike) -> Floats:
        """The probability of having been absorbed at `wall`, "left", "right" or "killing", by each of the `times` ≥ 0."""
        self._check_wall(wall, killing=True)
        times = np.asarray(times, dtype=np.float64)
        if not (times >= 0).all():
            raise ValueError(f"times = {times.min():g}: must not be negative")
        if wall == "killing" and not self.law.exits:
            return -np.expm1(-self.killing * times)
        if wall == "killing":
            return 1.0 - self.survival(times) - sum(self.passed(side, times) for side in self.law.exits)
        values = np.zeros(times.shape)
        late = times > 0
        values[late] = self.law.passed(wall, times[late], self.killing)
        return values

    def mean(self, t: ArrayLike) -> Floats:
        """The mean position at the times `t`, on the line."""
        return self._moments(t)[0]

    def variance(self, t: ArrayLike) -> Floats:
        """The variance of the position at the times `t`, on the line."""
        return self._moments(t)[1]

    def plot(self, t: ArrayLike, ax: Axes | None = None) -> Axes:
        """Draw the density over x at each of the times `t`, on `ax` or on new axes, which are returned."""
        from matplotlib import pyplot

        ax = pyplot.subplots()[1] if ax is None else ax
        times = np.atleast_1d(_times(t))
        low, high = self._window(float(times.max()))
        x = np.linspace(low, high, 801)
        for time in times:
            ax.plot(x, self.pdf(x, time), label=f"t = {time:g}")
        ax.set(xlabel="x", ylabel="ρ(x, t)", title=self.description)
        ax.legend()
        return ax

    def _clipped(self, x: Floats) -> Floats:
        return np.clip(x, self.equation.domain.low, self.equation.domain.high)

    def _check_wall(self, wall: str, killing: bool) -> None:
        known = [*self.law.exits, *(["killing"] if killing and self.killing else [])]
        if wall not in known:
            raise ValueError(
                f"wall = {wall!r}: walkers leave through {' and '.join(map(repr, known)) or 'no wall'} here"
            )

    def _moments(self, t: ArrayLike) -> tuple[Floats, Floats]:
        if not isinstance(self.equation.domain, Line):
            raise NoClosedForm(f"mean and variance have a closed form on Line(), not on {self.equation.domain}")
        t = _times(t)
        mean, variance = self.law.moments(t.ravel())
        return mean.reshape(t.shape), variance.reshape(t.shape)

    def _window(self, t: float) -> tuple[float, float]:
        """Where all but about 1e-4 of the mass is, to be drawn."""
        domain = self.equation.domain
        if math.isfinite(domain.low) and math.isfinite(domain.high):
            return domain.low, domain.high
        if isinstance(domain, Line):
            mean, sd = float(self.mean(t)), math.sqrt(float(self.variance(t)))
            return mean - 4.0 * sd, mean + 4.0 * sd
        drift, diffusion = constant_value(self.equation.drift), constant_value(self.equation.diffusion)
        assert drift is not None and diffusion is not None  # the half-line has no other form
        reach = 4.0 * math.sqrt(2.0 * diffusion * t)
        low, high = self.equation.start.support
        low, high = min(low, low + drift * t) - reach, max(high, high + drift * t) + reach
        return (
            (domain.low, max(high, domain.low + reach))
            if math.isfinite(domain.low)
            else (min(low, domain.high - reach), domain.high)
        )


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
        raise NotImplementedError

    def passed(self, wall: str, t: Floats, killing: float) -> Floats:
        raise NotImplementedError

    def moments(self, t: Floats) -> tuple[Floats, Floats]:
        raise NotImplementedError


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

    def coefficients(self, t: float) -> tuple[float, float, float]:
        """shift, factor and variance at a time."""
        raise NotImplementedError

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
    """dX = (intercept + slope X) dt + √(2D) dW: the Ornstein–Uhlenbeck process, of either sign; slope 0 is plain drift."""

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


def closed_form(equation: FokkerPlanck) -> ClosedForm:
    """The closed form of `equation`.

    Covered: constant drift and diffusion on the line, on a half-line, on an interval (walls absorbing, reflecting or partially
    absorbing) and on a ring; on the line also a drift affine in x (Ornstein–Uhlenbeck), the Beneš drift 2Db·tanh(b(x - c)) and
    drift and diffusion that depend on time alone. Killing must be constant. Starts are points, sites and uniform laws anywhere,
    normal laws wherever ±9.5 standard deviations of them fit.

    Raises
    ------
    NoClosedForm
        Naming the property that stands in the way.

    Examples
    --------
    >>> import randwalk as rw
    >>> form = closed_form(FokkerPlanck(drift=0.0, diffusion=0.5, start=1.0, domain=rw.Interval(0.0, math.inf, rw.Absorbing())))
    >>> form.description, round(float(form.passed("left", 1.0)), 6)
    ('method of images, absorbing half-line', 0.317311)
    """
    killing = constant_value(equation.killing)
    if killing is None:
        raise NoClosedForm(f"killing = {equation.killing}: a closed form needs a constant killing rate")
    law, description = _line_law(equation) if isinstance(equation.domain, Line) else _bounded_law(equation)
    if killing:
        description += ", constant killing"
    return ClosedForm(equation, description, law, killing)


def _line_law(equation: FokkerPlanck) -> tuple[Law, str]:
    diffusion, start = equation.diffusion, equation.start
    if diffusion.depends_on_x:
        raise NoClosedForm(f"diffusion = {diffusion} depends on x: a closed form needs a diffusion that does not")
    constant = constant_value(diffusion)
    drift = affine_parts(equation.drift)
    if drift is not None and constant is not None:
        name = "normal law" if not drift[1] else "Ornstein–Uhlenbeck"
        return Linear(start, *drift, constant), f"{name} on the line"
    if not equation.drift.depends_on_x:
        return Driven(start, equation.drift, diffusion), "normal law on the line, integrated drift and diffusion"
    if constant is None:
        raise NoClosedForm(f"diffusion = {diffusion} depends on t while drift = {equation.drift} depends on x")
    parts = tanh_parts(equation.drift)
    if parts is None:
        raise NoClosedForm(
            f"drift = {equation.drift}: on the line it must be affine in x, of t alone, or 2·D·b·tanh(b·(x - c))"
        )
    height, rate, centre = parts
    if abs(height - 2.0 * constant * rate) > SAME * abs(height):
        raise NoClosedForm(
            f"drift = {equation.drift}: height·tanh(rate·(x - c)) has a closed form if height = 2·D·rate = {2.0 * constant * rate:g}, "
            f"not {height:g}"
        )
    return Superposition(
        Benes(0.0, constant, -math.inf, math.inf, (), rate, centre), start
    ), "Beneš drift on the line, two normal laws"


def _bounded_law(equation: FokkerPlanck) -> tuple[Law, str]:
    domain, start = equation.domain, equation.start
    drift, diffusion = constant_value(equation.drift), constant_value(equation.diffusion)
    for name, value in (("drift", drift), ("diffusion", diffusion)):
        if value is None:
            raise NoClosedForm(f"{name} = {getattr(equation, name)}: on {domain} a closed form needs a constant {name}")
    assert drift is not None and diffusion is not None
    low, high = start.support
    if isinstance(start, Normal) and not domain.low <= low <= high <= domain.high:
        raise NoClosedForm(f"start = {start} reaches beyond the ends of {domain}: from {low:g} to {high:g}; narrow it")
    if isinstance(domain, Ring):
        return Superposition(Circle(drift, diffusion, domain.low, domain.high), start), "wrapped normal law on a ring"
    assert isinstance(domain, Interval)
    walls = {side: wall for side, wall in (("left", domain.left), ("right", domain.right)) if wall is not None}
    exits = tuple(side for side, wall in walls.items() if _reactivity(wall))
    names = "–".join(_adjective(wall) for wall in walls.values())
    if len(walls) == 1:
        (wall,) = walls.values()
        half = HalfLine(drift, diffusion, domain.low, domain.high, exits, _reactivity(wall))
        return Superposition(half, start), f"method of images, {names} half-line"
    left, right = (_reactivity(wall) for wall in walls.values())
    near, far = (right, left) if drift > 0.0 else (left, right)
    bar = Bar(drift, diffusion, domain.low, domain.high, exits, near, far)
    return Superposition(bar, start), f"images by contour, then eigenfunctions, {names} interval"


def _reactivity(wall: Wall) -> float:
    """Outward flux over density: 0 reflects, infinity absorbs."""
    if isinstance(wall, PartiallyAbsorbing):
        return wall.reactivity
    return math.inf if isinstance(wall, Absorbing) else 0.0


def _adjective(wall: Wall) -> str:
    return {0.0: "reflecting", math.inf: "absorbing"}.get(_reactivity(wall), "partially absorbing")


def _atoms(start: Start) -> tuple[Floats, Floats]:
    if isinstance(start, Point):
        return np.array([start.x]), np.ones(1)
    assert isinstance(start, Sites)
    return np.array(start.x), np.array(start.masses)


def _times(t: ArrayLike) -> Floats:
    t = np.asarray(t, dtype=np.float64)
    if not ((t > 0) & np.isfinite(t)).all():
        raise ValueError(f"t = {t[~((t > 0) & np.isfinite(t))].flat[0]:g}: must be positive and finite")
    return t


def _integral(coefficient: Coefficient, t: float) -> float:
    """∫ of a function of time from 0 to t, exact for a constant."""
    value = constant_value(coefficient)
    if value is not None:
        return value * t
    return float(integrate.quad(lambda s: float(coefficient(0.0, s)), 0.0, t, epsabs=0.0, epsrel=1e-13, limit=1000)[0])


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
