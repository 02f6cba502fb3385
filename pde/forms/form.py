"""Closed forms of the Fokker–Planck equation: what they answer. :func:`randwalk.pde.closed_form` makes them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from randwalk.inputs.arguments import known_numbers
from randwalk.inputs.keywords import once_named
from randwalk.laws.distribution import Distribution
from randwalk.laws.estimate import plain
from randwalk.laws.law import Law
from randwalk.laws.lookup import NoAnswer
from randwalk.model.coefficient import Floats, constant_value
from randwalk.model.domain import Domain, Line, Ring

from ..equation import FokkerPlanck
from ..factors import NoClosedForm as NoClosedForm
from .normal_laws import Form
from .space_form import SpaceForm

FARTHEST = 1e120  # a place, in any unit; farther is infinitely far


@dataclass(frozen=True, repr=False)
class ClosedForm(Law[Any]):
    """The solution ρ(x, t) of an equation by formula; made by :func:`closed_form`.

    All times are > 0 (:meth:`survival` and :meth:`absorbed` take 0 and infinity too) and in the units of the coefficients.
    In one dimension:
    Densities and masses are accurate to about 1e-12 of their largest value over x; densities and masses of bins in the tails
    keep their relative accuracy, except on a wide ring. On a ring `x` and `x` + a circumference are the same place. Moments on
    the line are formulas; elsewhere, and for :meth:`expect`, the density is integrated, to a relative error of about 1e-10
    where the function is smooth. In more dimensions the accuracy is stated where the form is made
    (:mod:`randwalk.pde.forms.separable`, :mod:`randwalk.pde.forms.affine`, :mod:`randwalk.pde.forms.radial`).

    Attributes
    ----------
    equation : FokkerPlanck
    description : str
        Which form is used.
    """

    kind: ClassVar[str] = "closed form"

    equation: FokkerPlanck
    description: str
    law: Form | SpaceForm
    killing: float

    @property
    def domain(self) -> Domain:
        return self.equation.domain

    @property
    def times(self) -> None:
        return None

    def _given(self, t: ArrayLike | None) -> Floats:
        return _times("t", self._asked(t))

    def _at(self, t: float) -> Distribution:
        law = self.law
        return FormAt(self, law, t) if isinstance(law, Form) else law.at(t, math.exp(-self.killing * t))

    def _survival(self, t: ArrayLike) -> Floats:
        """At infinity, the limit."""
        t = _times("t", t, from_start=True)
        alive = np.exp(-self.killing * t) if self.killing else np.ones(t.shape)
        if self.law.exits:
            alive *= np.reshape([self.staying(float(time)) for time in t.flat], t.shape)
        return alive

    @once_named(wall="exit")
    def first_passage_density(self, exit: str, t: ArrayLike) -> Floats:
        """The probability per time of leaving by the `exit`, a wall or a region that absorbs, at the times `t`."""
        self.domain.exit(exit, "exit")
        if exit not in self.law.exits:
            known = " and ".join(map(repr, self.law.exits)) or "no wall"
            raise NoAnswer(f"exit = {exit!r}: walkers are absorbed at {known} here, which alone have a passage density")
        t = _times("t", t)
        return self.law.flux(exit, t.ravel()).reshape(t.shape) * np.exp(-self.killing * t)

    def _absorbed(self, exit: str, t: ArrayLike) -> Floats:
        """At infinity, the limit."""
        t = _times("t", t, from_start=True)
        values, late = np.zeros(t.shape), t > 0
        if exit == "killing" and self.killing and self.law.exits:
            left = sum(self._absorbed(side, t) for side in self.law.exits)
            return np.maximum(1.0 - self._survival(t) - left, 0.0)
        if exit == "killing" and self.killing:
            return -np.expm1(-self.killing * t)
        if exit in self.law.exits:
            values[late] = self.law.absorbed(exit, t[late], self.killing)
        return values

    def __repr__(self) -> str:
        return f"ClosedForm({self.description}; {self.equation})"

    def pdf(self, x: ArrayLike, t: ArrayLike | None = None) -> Any:
        """As :meth:`randwalk.Law.pdf`; all times are computed together."""
        if not isinstance(self.law, Form):
            return super().pdf(x, t)
        places, times = known_numbers("x", x), self._some(t)
        pairs = np.broadcast_arrays(places.ravel(), times.reshape(-1, 1))
        return plain(self.density(*(v.ravel() for v in pairs)).reshape(times.shape + places.shape))

    def density(self, x: Floats, t: Floats) -> Floats:
        """The density at pairs of places and times, flat arrays, in one dimension."""
        assert isinstance(self.law, Form)
        x, domain = _seen(x), self.domain
        x = _on_ring(x, domain) if isinstance(domain, Ring) else x
        inside = np.isfinite(x) & (domain.periodic | ((x >= domain.low) & (x <= domain.high)))
        values = np.zeros(x.shape)
        density = np.maximum(self.law.pdf(x[inside], t[inside]), 0.0)  # rounding at an absorbing wall
        values[inside] = density * np.exp(-self.killing * t[inside])
        return values

    def staying(self, time: float) -> float:
        """The fraction that has not left through a wall by `time`."""
        if not self.law.exits or time == 0.0:
            return 1.0
        if not isinstance(self.law, Form):
            return self.law.staying(time)
        domain = self.domain
        if math.isinf(time):
            if math.isfinite(domain.low) and math.isfinite(domain.high):
                return 0.0
            left = sum(float(self.law.absorbed(side, np.array([time]), 0.0)[0]) for side in self.law.exits)
            return max(1.0 - left, 0.0)
        end = np.array([domain.low if math.isfinite(domain.low) else domain.high])
        return sum(float(side[0]) for side in self.law.split(end, time))


@dataclass(frozen=True, eq=False)
class FormAt(Distribution):
    """A closed form in one dimension at one time."""

    form: ClosedForm
    law: Form
    time: float

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        return ((self.form.domain.low, self.form.domain.high),)

    @property
    def _alive(self) -> float:
        """The fraction that has not been killed."""
        return math.exp(-self.form.killing * self.time)

    def pdf(self, x: Floats) -> Floats:
        return self.form.density(x, np.full(x.shape, self.time))

    def cdf(self, x: Floats) -> Floats:
        x = np.clip(_seen(x), *self.ends)
        values = np.where(x > 0.0, self.form.staying(self.time) if np.isposinf(x).any() else 0.0, 0.0)
        finite = np.isfinite(x)
        if finite.any():
            values[finite] = self.law.split(x[finite], self.time)[0]
        return values * self._alive

    def mass(self, edges: Floats) -> Floats:
        inside, place = np.unique(np.clip(_seen(edges), *self.ends), return_inverse=True)
        mass = np.zeros(edges.size - 1)
        if inside.size > 1:
            full = np.diff(place) > 0
            mass[full] = self._bins(inside)[place[:-1][full]]
        return np.maximum(mass, 0.0) * self._alive + 0.0  # no -0

    def _bins(self, edges: Floats) -> Floats:
        """The masses between increasing `edges`, of which the first and the last may be infinite, without killing."""
        finite, law = edges[np.isfinite(edges)], self.law
        if not finite.size:
            return np.array([self.form.staying(self.time)])
        mass = [law.bins(finite, self.time)] if finite.size > 1 else []
        if np.isneginf(edges[0]):
            mass.insert(0, law.split(finite[:1], self.time)[0])
        if np.isposinf(edges[-1]):
            mass.append(law.split(finite[-1:], self.time)[1])
        return np.concatenate(mass)

    def total(self) -> float:
        return float(self.form.survival(self.time))

    def mean(self) -> float:
        return self._moments()[0] if isinstance(self.form.domain, Line) else float(super().mean())

    def variance(self) -> float:
        return self._moments()[1] if isinstance(self.form.domain, Line) else float(super().variance())

    def _moments(self) -> tuple[float, float]:
        mean, variance = self.law.moments(np.array([self.time]))
        return float(mean[0]), float(variance[0])

    @property
    def span(self) -> tuple[tuple[float, float], ...]:
        return (self._span,)

    @property
    def _span(self) -> tuple[float, float]:
        low, high = self.ends
        if math.isfinite(low) and math.isfinite(high):
            return low, high
        if isinstance(self.form.domain, Line):
            mean, variance = self._moments()
            return mean - 4.0 * math.sqrt(variance), mean + 4.0 * math.sqrt(variance)
        equation = self.form.equation
        drift, diffusion = constant_value(equation.drift), constant_value(equation.diffusion)
        assert drift is not None and diffusion is not None  # the half-line has no other form
        reach = 4.0 * math.sqrt(2.0 * diffusion * self.time)
        first, last = equation.start.support
        first = min(first, first + drift * self.time) - reach
        last = max(last, last + drift * self.time) + reach
        return (low, max(last, low + reach)) if math.isfinite(low) else (min(first, high - reach), high)


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
