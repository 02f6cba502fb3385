"""Closed forms of the Fokker–Planck equation, chosen by the structure of the problem.

:func:`closed_form` reads coefficients, domain, walls and start, never samples them, and returns a :class:`ClosedForm`
or raises :class:`NoClosedForm` with the property that stands in the way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from randwalk.inputs.arguments import known_numbers, number
from randwalk.inputs.wording import shown
from randwalk.laws.binning import check_edges
from randwalk.model.coefficient import Floats, affine_parts, constant_value, tanh_parts
from randwalk.model.domain import Interval, Line, Ring, Wall
from randwalk.model.start import Normal

from .equation import FokkerPlanck, check_equation
from .green import Benes, Circle, HalfLine
from .law import Driven, Law, Linear, Superposition
from .series import Bar

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FARTHEST = 1e120  # a place, in any unit; farther is infinitely far
SAME = 1e-12  # relative difference up to which height = 2 D rate counts as equal


class NoClosedForm(ValueError):
    """No closed form is known here; the message names the property that stands in the way."""


@dataclass(frozen=True)
class ClosedForm:
    """The solution ρ(x, t) of an equation by formula; made by :func:`closed_form`.

    All times are > 0 (:meth:`survival` and :meth:`passed` take 0 and infinity too) and in the units of the coefficients.
    Densities and masses are accurate to about 1e-12 of their largest value over x; densities and masses of bins in the tails
    keep their relative accuracy, except on a wide ring.

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
        """The density ρ(x, t), of the broadcast shape of `x` and `t`; it integrates to :meth:`survival`.

        0 outside the domain; on a ring `x` and `x` + a circumference are the same place.
        """
        x, t = self._places(x, _times("t", t))
        domain = self.equation.domain
        x = _on_ring(x, domain) if isinstance(domain, Ring) else x
        inside = np.isfinite(x) & (domain.periodic | ((x >= domain.low) & (x <= domain.high)))
        values = np.zeros(x.shape)
        density = np.maximum(self.law.pdf(x[inside], t[inside]), 0.0)  # rounding at an absorbing wall
        values[inside] = density * np.exp(-self.killing * t[inside])
        return values

    def cdf(self, x: ArrayLike, t: ArrayLike) -> Floats:
        """The mass in (low, x] at time `t`, of the broadcast shape of `x` and `t`; up to the high end, :meth:`survival`."""
        x, t = self._places(x, _times("t", t))
        values = np.empty(x.shape)
        for time in np.unique(t):
            here = t == time
            values[here] = self._below(self._clipped(x[here]), float(time)) * math.exp(-self.killing * time)
        return values

    def mass(self, edges: ArrayLike, t: float) -> Floats:
        """The probabilities of the bins between the increasing `edges`, shape (len(edges) - 1,); the ends may be infinite."""
        edges = _seen(check_edges(edges))
        time = float(_times("t", number("t", t)))
        inside, place = np.unique(self._clipped(edges), return_inverse=True)
        mass = np.zeros(edges.size - 1)
        if inside.size > 1:
            full = np.diff(place) > 0
            mass[full] = self._bins(inside, time)[place[:-1][full]]
        return np.maximum(mass, 0.0) * math.exp(-self.killing * time) + 0.0  # no -0

    def survival(self, t: ArrayLike) -> Floats:
        """The fraction still walking at each of the times `t` ≥ 0, of the shape of `t`; at infinity its limit."""
        t = _times("t", t, from_start=True)
        alive = np.exp(-self.killing * t) if self.killing else np.ones(t.shape)
        if self.law.exits:
            alive *= np.reshape([self._staying(float(time)) for time in t.flat], t.shape)
        return alive

    def first_passage_density(self, wall: str, t: ArrayLike) -> Floats:
        """The probability per time of being absorbed at `wall`, "left" or "right", at the times `t`."""
        if not isinstance(wall, str) or wall not in self.law.exits:
            known = " and ".join(map(repr, self.law.exits)) or "no wall"
            raise ValueError(f"wall = {shown(wall)}: walkers leave through {known} here")
        t = _times("t", t)
        return self.law.flux(wall, t.ravel()).reshape(t.shape) * np.exp(-self.killing * t)

    def passed(self, wall: str, times: ArrayLike) -> Floats:
        """The probability of having been absorbed at `wall` ("left", "right" or "killing") by each of the `times` ≥ 0.

        At infinity its limit. At a wall that reflects, and by "killing" without killing, it is 0.
        """
        self.equation.domain.exit(wall)
        times = _times("times", times, from_start=True)
        values, late = np.zeros(times.shape), times > 0
        if wall == "killing" and self.killing and self.law.exits:
            left = sum(self.passed(side, times) for side in self.law.exits)
            return np.maximum(1.0 - self.survival(times) - left, 0.0)
        if wall == "killing" and self.killing:
            return -np.expm1(-self.killing * times)
        if wall in self.law.exits:
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
        from randwalk.laws.plotting import COLOURS, axes

        ax = axes(ax)
        times = np.atleast_1d(_times("t", t))
        low, high = self._window(float(times.max()))
        x = np.linspace(low, high, 801)
        for count, time in enumerate(times, start=1):
            shade = count / times.size
            ax.plot(
                x, self.pdf(x, time), color=COLOURS["closed form"], alpha=shade, label=f"closed form, $t = {time:g}$"
            )
        ax.set(xlabel="position $x$", ylabel=r"density $\rho(x, t)$")
        return ax

    def __repr__(self) -> str:
        return f"ClosedForm({self.description}; {self.equation})"

    def _places(self, x: ArrayLike, t: Floats) -> tuple[Floats, Floats]:
        """`x` and `t` broadcast."""
        x = _seen(known_numbers("x", x))
        try:
            x, t = np.broadcast_arrays(x, t)
        except ValueError:
            raise ValueError(f"x of shape {x.shape} and t of shape {t.shape} do not broadcast to one shape") from None
        return x, t

    def _clipped(self, x: Floats) -> Floats:
        return np.clip(x, self.equation.domain.low, self.equation.domain.high)

    def _below(self, x: Floats, time: float) -> Floats:
        """The mass below each of the `x`, which may be infinite, without killing."""
        values = np.where(x > 0.0, self._staying(time) if np.isposinf(x).any() else 0.0, 0.0)
        finite = np.isfinite(x)
        if finite.any():
            values[finite] = self.law.split(x[finite], time)[0]
        return values

    def _bins(self, edges: Floats, time: float) -> Floats:
        """The masses between increasing `edges`, of which the first and the last may be infinite, without killing."""
        finite = edges[np.isfinite(edges)]
        if not finite.size:
            return np.array([self._staying(time)])
        mass = [self.law.bins(finite, time)] if finite.size > 1 else []
        if np.isneginf(edges[0]):
            mass.insert(0, self.law.split(finite[:1], time)[0])
        if np.isposinf(edges[-1]):
            mass.append(self.law.split(finite[-1:], time)[1])
        return np.concatenate(mass)

    def _staying(self, time: float) -> float:
        """The fraction that has not left through a wall by `time`."""
        if not self.law.exits or time == 0.0:
            return 1.0
        domain = self.equation.domain
        if math.isinf(time):
            if math.isfinite(domain.low) and math.isfinite(domain.high):
                return 0.0
            left = sum(float(self.law.passed(side, np.array([time]), 0.0)[0]) for side in self.law.exits)
            return max(1.0 - left, 0.0)
        end = np.array([domain.low if math.isfinite(domain.low) else domain.high])
        return sum(float(side[0]) for side in self.law.split(end, time))

    def _moments(self, t: ArrayLike) -> tuple[Floats, Floats]:
        if not isinstance(self.equation.domain, Line):
            raise NoClosedForm(f"mean and variance have a closed form on Line(), not on {self.equation.domain}")
        t = _times("t", t)
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


def closed_form(equation: FokkerPlanck) -> ClosedForm:
    """The closed form of `equation`.

    Covered: constant drift and diffusion on the line, on a half-line, on an interval (walls absorbing, reflecting or
    partially absorbing) and on a ring; on the line also a drift affine in x (Ornstein–Uhlenbeck), the Beneš drift
    2Db·tanh(b(x - c)), and drift and diffusion that depend on time alone. Killing must be constant. Starts are points,
    sites and uniform laws anywhere, normal laws wherever ±9.5 standard deviations of them fit.

    Raises
    ------
    NoClosedForm
        Naming the property that stands in the way.

    Examples
    --------
    >>> import randwalk as rw
    >>> half_line = rw.Interval(0.0, math.inf, rw.Absorbing())
    >>> form = closed_form(FokkerPlanck(drift=0.0, diffusion=0.5, domain=half_line, start=1.0))
    >>> form.description, round(float(form.passed("left", 1.0)), 6)
    ('method of images, absorbing half-line', 0.317311)
    """
    check_equation(equation)
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
            f"drift = {equation.drift}: height·tanh(rate·(x - c)) has a closed form if "
            f"height = 2·D·rate = {2.0 * constant * rate:g}, not {height:g}"
        )
    return Superposition(
        Benes(0.0, constant, -math.inf, math.inf, (), rate, centre), start
    ), "Beneš drift on the line, two normal laws"


def _bounded_law(equation: FokkerPlanck) -> tuple[Law, str]:
    domain, start = equation.domain, equation.start
    given = {"drift": equation.declared_drift, "diffusion": equation.diffusion}
    drift, diffusion = (constant_value(coefficient) for coefficient in given.values())
    for name, value in (("drift", drift), ("diffusion", diffusion)):
        if value is None:
            raise NoClosedForm(f"{name} = {given[name]}: on {domain} a closed form needs a constant {name}")
    assert drift is not None and diffusion is not None
    low, high = start.support
    if isinstance(start, Normal) and not domain.low <= low <= high <= domain.high:
        raise NoClosedForm(f"start = {start} reaches beyond the ends of {domain}: from {low:g} to {high:g}; narrow it")
    if isinstance(domain, Ring):
        return Superposition(Circle(drift, diffusion, domain.low, domain.high), start), "wrapped normal law on a ring"
    assert isinstance(domain, Interval)
    faces = domain.faces
    exits = tuple(face.exit for face in faces if face.wall.reactivity > 0.0)
    names = "–".join(_adjective(face.wall) for face in faces)
    if len(faces) == 1:
        half = HalfLine(drift, diffusion, domain.low, domain.high, exits, faces[0].wall.reactivity)
        return Superposition(half, start), f"method of images, {names} half-line"
    left, right = (face.wall.reactivity for face in faces)
    near, far = (right, left) if drift > 0.0 else (left, right)
    bar = Bar(drift, diffusion, domain.low, domain.high, exits, near, far)
    return Superposition(bar, start), f"images by contour, then eigenfunctions, {names} interval"


def _adjective(wall: Wall) -> str:
    return {0.0: "reflecting", math.inf: "absorbing"}.get(wall.reactivity, "partially absorbing")


def _seen(x: Floats) -> Floats:
    """Places so far that their squares overflow count as infinitely far."""
    return np.where(np.abs(x) > FARTHEST, np.copysign(np.inf, x), x)


def _on_ring(x: Floats, ring: Ring) -> Floats:
    """Places brought back to the `ring`; infinite ones as they are. Refused where a double does not say where that is."""
    length, finite = ring.high - ring.low, np.isfinite(x)
    far = finite & (np.abs(x - ring.low) > 2.0**52 * length)
    if far.any():
        raise ValueError(
            f"x = {x[far][0]:g}: so many times round {ring} that a double does not say where; give it between "
            f"{ring.low:g} and {ring.high:g}"
        )
    there = finite & ((x < ring.low) | (x > ring.high))
    return np.where(there, ring.low + np.mod(np.where(finite, x, ring.low) - ring.low, length), x)


def _times(name: str, t: ArrayLike, from_start: bool = False) -> Floats:
    """Times as an array; refused unless they are positive and finite, or, `from_start`, between 0 and infinity."""
    times = known_numbers(name, t)
    wrong = times < 0 if from_start else ~((times > 0) & np.isfinite(times))
    if wrong.any():
        rule = "not be negative" if from_start else "be positive and finite; the law at time 0 is the start"
        raise ValueError(f"{name} = {times[wrong].flat[0]:g}: must {rule}")
    return times
