"""The declaration: how a walker steps, where, and from where."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from .coefficient import Coefficient, CoefficientLike, Constant, Floats, apply, as_coefficient, constant_value
from .convention import Convention
from .domain import Domain, Interval, Line, Ring
from .lattice import Lattice, check_place, spacing
from .memory import SHARE, available, require
from .start import Start, StartLike, as_start, check_start
from .tabulated import Table
from .times import MOST_STEPS, SAME, Times, checked_times, dividing_step, is_whole, labels, least_whole

CHUNK = 1 << 20  # sites whose probabilities are looked at together
ULPS = 8 * np.finfo(np.float64).eps  # rounding allowed in 0 ≤ p, q and p + q ≤ 1


class Rule(StrEnum):
    """How step probabilities come from a drift a and a diffusion D, with m = a dt/dx and s = 2D dt/dx².

    ==================  ==========================================================================================
    ``EXACT_VARIANCE``  p - q = m, p + q = s + m²: mean and variance of every step are exact. The default, with s = ⅓.
    ``LINEAR``          p - q = m, p + q = s: the limit of the walk gives back exactly a and D.
    ``TWO_WAY``         r = 0, p = ½(1 + a dx/2D), dt = dx²/2D: the two-direction walk; needs a constant D.
    ``FITTED``          p/q = exp(a dx/D), p + q = s: never negative, however strong the drift.
    ==================  ==========================================================================================
    """

    EXACT_VARIANCE = "exact_variance"
    LINEAR = "linear"
    TWO_WAY = "two_way"
    FITTED = "fitted"

    def probabilities(
        self, drift: Coefficient, diffusion: Coefficient, dx: float, dt: float
    ) -> tuple[Coefficient, Coefficient]:
        """The step probabilities (right, left)."""
        s = (2.0 * dt / dx**2) * diffusion
        if self is Rule.FITTED:
            ratio = dx * drift / diffusion
            if (number := constant_value(ratio)) is not None:
                ratio = Constant(
                    min(max(number, -700.0), 700.0)
                )  # exp(700) is a number, and its inverse no probability
            return s / (1.0 + apply("exp", -ratio)), s / (1.0 + apply("exp", ratio))
        m = (dt / dx) * drift
        if self is Rule.TWO_WAY:
            s = Constant(1.0)
        if self is Rule.EXACT_VARIANCE:
            s = s + m * m
        return 0.5 * (s + m), 0.5 * (s - m)


Probability: TypeAlias = CoefficientLike | ArrayLike


@dataclass(frozen=True, init=False, eq=True)
class LatticeWalk:
    """A random walk on a lattice: every `dt` the walker steps +dx with probability `right`, -dx with probability `left`,
    and stays with the rest. Coefficients are evaluated at the site and the time a step starts from.

    Parameters
    ----------
    right, left : number, Coefficient, function of (x, t), or array over the sites of a bounded domain
        Step probabilities, dimensionless; 0 ≤ right, left and right + left ≤ 1 wherever there is mass.
    dx, dt : float
        Lattice spacing (length) and duration of a step (time; 1 if left out).
    sites : int, in place of `dx`
        The number of sites of a bounded domain.
    domain : Line(), Interval(...) or Ring(...)
        An absorbing wall stands on a site, the other walls half way between two (see :mod:`randwalk.domain`).
    start : number, Point, Uniform, Normal or Sites
    killing : like `right`; 0 if left out
        Rate κ(x, t) (1/time) at which a walker disappears: per step it is killed with probability 1 - exp(-κ dt), else it
        steps.

    Raises
    ------
    ValueError
        if the walk is not one: the message has the argument, the value, the place and what would do. On an unbounded domain
        coefficients that depend on x are checked when a run says how far it goes.

    Attributes
    ----------
    drift : Coefficient
        a (length/time, Itô): what the walk was made from, or (p - q) dx/dt.
    diffusion : Coefficient
        D (length²/time): what the walk was made from, or (p + q) dx²/2dt.
    rule : Rule or None
        How the probabilities were made from them; None if they were given.
    inexact_times : tuple of float
        Of the times that :meth:`from_drift` chose `dt` for, those that no whole number of steps meets. A record at such a time
        is that of the nearest step.

    Examples
    --------
    >>> walk = LatticeWalk(right=0.55, left=0.45, dx=0.1, dt=0.01)
    >>> round(float(walk.drift(0.0)), 12), round(float(walk.diffusion(0.0)), 12)  # (p - q) dx/dt and (p + q) dx²/2dt
    (1.0, 0.5)
    """

    right: Coefficient
    left: Coefficient
    dx: float
    dt: float
    domain: Domain
    start: Start
    killing: Coefficient
    drift: Coefficient
    diffusion: Coefficient
    rule: Rule | None
    inexact_times: tuple[float, ...] = field(default=(), compare=False)

    def __init__(
        self,
        right: Probability,
        left: Probability,
        dx: float | None = None,
        dt: float = 1.0,
        domain: Domain | None = None,
        start: StartLike = 0.0,
        killing: Probability = 0.0,
        sites: int | None = None,
    ) -> None:
        domain = Line() if domain is None else domain
        if not isinstance(domain, (Line, Interval, Ring)):
            raise TypeError(f"domain = {domain!r}: give Line(), Interval(...) or Ring(...)")
        if (dx is None) == (sites is None):
            raise ValueError("give either dx or sites")
        dx = spacing(domain, sites) if sites is not None else _positive("dx", dx)
        dt = _positive("dt", dt)
        begin = as_start(start)
        check_start(begin, domain)
        lattice = Lattice.on(domain, dx, begin.anchor)
        values = {
            name: _on_sites(name, value, lattice)
            for name, value in (("right", right), ("left", left), ("killing", killing))
        }
        self._set(
            **values, dx=lattice.dx, dt=dt, domain=domain, start=begin, rule=None,
            drift=(lattice.dx / dt) * (values["right"] - values["left"]),
            diffusion=(lattice.dx**2 / (2.0 * dt)) * (values["right"] + values["left"]),
        )  # fmt: skip
        self._check_now()

    @classmethod
    def from_drift(
        cls,
        drift: CoefficientLike,
        diffusion: CoefficientLike,
        dx: float | None = None,
        dt: float | None = None,
        *,
        domain: Domain | None = None,
        start: StartLike = 0.0,
        killing: CoefficientLike = 0.0,
        sites: int | None = None,
        rule: Rule = Rule.EXACT_VARIANCE,
        convention: Convention = Convention.ITO,
        times: ArrayLike | None = None,
    ) -> LatticeWalk:
        """The walk of a drift a(x, t) (velocity) and a diffusion `D(x, t)` (length²/time; an Itô equation's σ² is 2D).

        Without `dt`, the one with s = 2D dt/dx² = ⅓ at the largest D is taken (third- and fourth-order errors of the walk
        vanish there), shortened for the `times` it is told about; :attr:`Rule.TWO_WAY` takes dt = dx²/2D. Times whose ratios
        are simple fractions become whole numbers of steps. Of other times the last one does, with at most twice the steps that
        s = ⅓ takes, and the rest are recorded at the nearest step, within dt/1000 where that can be had, always within dt/2:
        ``inexact_times`` lists them, and `step_times` of an ensemble or law has the times of the steps.
        `rule` says how probabilities follow (:class:`Rule`), `convention` what the drift means where D depends on x
        (:class:`Convention`); the other arguments are those of the class.

        Raises
        ------
        ValueError
            if there is no such walk, saying at which x and t, and which dt, dx or rule would do.

        Examples
        --------
        >>> from randwalk import Affine
        >>> ou = LatticeWalk.from_drift(drift=Affine(slope=-1.0), diffusion=0.5, dx=0.05, start=1.0, times=[1.0])
        >>> round(1.0 / ou.dt)
        1200
        """
        domain = Line() if domain is None else domain
        if (dx is None) == (sites is None):
            raise ValueError("give either dx or sites")
        dx = spacing(domain, sites) if sites is not None else _positive("dx", dx)
        rule, convention = Rule(rule), Convention(convention)
        diffusion = as_coefficient(diffusion)
        ito = convention.ito_drift(as_coefficient(drift), diffusion)
        begin = as_start(start)
        check_start(begin, domain)
        lattice = Lattice.on(domain, dx, begin.anchor)
        if rule is Rule.TWO_WAY and constant_value(diffusion) is None:
            raise ValueError(
                f"rule = two_way needs a constant diffusion, not {diffusion}; take exact_variance or linear"
            )
        told = [] if times is None or np.size(times) == 0 else checked_times(times).tolist()
        chosen = dt is None
        if dt is None:
            largest = _largest_diffusion(diffusion, lattice, begin, told)
            dt = lattice.dx**2 / ((2.0 if rule is Rule.TWO_WAY else 6.0) * largest)
            dt = dt if rule is Rule.TWO_WAY else dividing_step(dt, told)
        dt = _positive("dt", dt)
        if rule is Rule.TWO_WAY:
            only = lattice.dx**2 / (2.0 * float(diffusion(0.0)))
            if abs(dt - only) > 1e-9 * only:
                raise ValueError(f"dt = {dt:g}: rule = two_way steps with dt = dx²/2D = {only:.12g}; leave dt out")
        right, left = rule.probabilities(ito, diffusion, lattice.dx, dt)
        walk = object.__new__(cls)
        walk._set(
            right=right, left=left, dx=lattice.dx, dt=dt, domain=domain, start=begin, killing=as_coefficient(killing),
            drift=ito, diffusion=diffusion, rule=rule,
        )  # fmt: skip
        walk._check_now()
        return walk.told(told) if chosen else walk

    def _set(self, **fields: object) -> None:
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    @property
    def lattice(self) -> Lattice:
        """The sites. On a line they are anchored at a point start, else at 0."""
        return Lattice.on(self.domain, self.dx, self.start.anchor)

    @property
    def homogeneous(self) -> bool:
        """Whether the step probabilities are the same at every site (they may depend on time)."""
        return not any(c.depends_on_x for c in (self.right, self.left, self.killing))

    @property
    def time_dependent(self) -> bool:
        """Whether any step probability depends on time."""
        return any(c.depends_on_t for c in (self.right, self.left, self.killing))

    def with_start(self, start: StartLike) -> LatticeWalk:
        """The same walk from elsewhere."""
        begin = as_start(start)
        check_start(begin, self.domain)
        walk = self._with(start=begin)
        walk._check_now()
        return walk

    def _with(self, **fields: object) -> LatticeWalk:
        walk = object.__new__(type(self))
        walk._set(**{**self.__dict__, **fields})
        return walk

    def told(self, times: ArrayLike) -> LatticeWalk:
        """The same walk, for which each of `times` that is no whole number of steps is the nearest step.

        :meth:`from_drift` tells a walk the times that it chooses `dt` for.
        """
        given = checked_times(times) if np.size(times) else np.zeros(0)
        return self._with(inexact_times=tuple(given[~is_whole(given, self.dt)].tolist()))

    def steps(self, times: ArrayLike) -> list[int]:
        """Times as whole numbers of steps; refused unless they increase and are multiples of dt to within rounding, or among
        the `inexact_times`, which are the nearest steps."""
        given = checked_times(times)
        if (np.diff(given) <= 0).any():
            at = int(np.argmax(np.diff(given) <= 0))
            raise ValueError(f"times must increase: {given[at + 1]:.12g} comes after {given[at]:.12g}; sort them")
        with np.errstate(over="ignore"):
            steps = np.rint(given / self.dt)
        if steps[-1] > MOST_STEPS:
            raise ValueError(
                f"{steps[-1]:.3g} steps are more than the 2³² that a random stream addresses; take a larger dt, or times up to "
                f"{MOST_STEPS * self.dt:.6g}"
            )
        inexact = np.array(self.inexact_times)
        for t in given[~is_whole(given, self.dt)]:
            if not (np.abs(inexact - t) <= SAME * t).any():
                raise ValueError(f"time {t:.12g} is not a whole number of steps of dt = {self.dt:g}: {self._whole(float(t))}")
        if (np.diff(steps, prepend=-1.0) <= 0).any():
            at = int(np.argmax(np.diff(steps) <= 0))
            raise ValueError(
                f"times {given[at]:.12g} and {given[at + 1]:.12g} are the same step of dt = {self.dt:g}: give one"
            )
        return [int(n) for n in steps]

    def _whole(self, t: float) -> str:
        """What would make time `t` a whole number of steps."""
        near, dt = max(1, round(t / self.dt)) * self.dt, t / least_whole(t / self.dt)
        if self.rule is None or self.rule is Rule.TWO_WAY:
            return f"take t = {near:.15g}" + (f", or dt = {dt:.15g}" if self.rule is None else "")
        return f"take t = {near:.15g}, or dt = {dt:.15g}, or from_drift(..., times=[...]) without dt"

    def recorded(self, steps: Sequence[int]) -> Times:
        """The times of recorded `steps` of this walk."""
        return Times(tuple(steps), self.dt, labels(steps, self.dt, self.inexact_times))

    def check(self, x: ArrayLike, t: ArrayLike) -> None:
        """Refuse probabilities that are not ones at the sites `x` and times `t` (which broadcast); the message says where,
        and what would do."""
        p, q, kappa = self.right(x, t), self.left(x, t), self.killing(x, t)
        for name, values in (("right", p), ("left", q), ("killing", kappa)):
            if not (np.isfinite(values) & (values >= -ULPS)).all():
                place = _worst(values, x, t)
                raise ValueError(
                    f"{name} = {place[0]:.6g} at {_at(place)}: must be a number ≥ 0; {self._remedy(place)}"
                )
        if (p + q > 1.0 + ULPS).any():
            place = _worst(-(p + q), x, t)
            raise ValueError(f"right + left = {-place[0]:.6g} at {_at(place)}: must be ≤ 1; {self._remedy(place)}")

    def _remedy(self, place: tuple[float, float, float]) -> str:
        """What would make the step at a bad place valid."""
        a, d = float(self.drift(*place[1:])), float(self.diffusion(*place[1:]))
        if not (math.isfinite(a) and math.isfinite(d) and d > 0.0):
            return f"the diffusion there is {d:g} and the drift {a:g}"
        longest = self.dx**2 / (2.0 * d)  # p + q ≤ 1 without the drift
        if self.rule is Rule.FITTED or 2.0 * d * self.dt > self.dx**2:
            return f"take dt ≤ {longest:.3g}"
        remedies = [f"dx ≤ {2.0 * d / abs(a):.3g} (and dt ≤ dx²/2D)"] if a else [f"dt ≤ {longest:.3g}"]
        if self.rule is Rule.EXACT_VARIANCE and a:
            remedies.insert(0, f"dt ≤ {_longest_exact_variance(a, d, self.dx):.3g}")
        return f"take {', '.join(remedies)}, or from_drift(..., rule=Rule.FITTED)"

    def _check_now(self) -> None:
        """Check what can be checked without knowing how long the walk will run: bounded domains, and constants anywhere."""
        lattice = self.lattice
        check_place(lattice, *self.start.support, self.domain.low, self.domain.high)
        if lattice.sites is not None:
            of_a_site = 24.0 if self.homogeneous else 150.0
            fit = int(SHARE * available() / of_a_site)
            require(of_a_site * lattice.sites, f"a walk on {lattice.sites} sites", f"take sites ≤ {fit}, or a larger dx")
        self.start.weights(lattice)
        if self.homogeneous:
            self.check(lattice.x(np.full(1, lattice.first or lattice.last or 0)), 0.0)
        elif lattice.first is not None and lattice.last is not None:
            for first in range(lattice.first, lattice.last + 1, CHUNK):
                self.check(lattice.x(np.arange(first, min(first + CHUNK, lattice.last + 1))), 0.0)

    def __repr__(self) -> str:
        parts = [f"right={self.right}", f"left={self.left}", f"dx={self.dx:g}", f"dt={self.dt:g}"]
        if self.killing != Constant(0.0):
            parts.append(f"killing={self.killing}")
        return f"LatticeWalk({', '.join(parts)}, domain={self.domain}, start={self.start})"


def _positive(name: str, value: float | None) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{name} = {value!r}: must be a positive number")
    if not (value > 0 and math.isfinite(value)):
        raise ValueError(f"{name} = {value}: must be positive and finite")
    return float(value)


def _on_sites(name: str, value: Probability, lattice: Lattice) -> Coefficient:
    """An array over the sites becomes a table; anything else is a coefficient already or becomes one."""
    if isinstance(value, Coefficient) or callable(value) or np.ndim(value) == 0:
        return as_coefficient(value)  # type: ignore[arg-type]
    values = np.asarray(value, dtype=np.float64)
    if lattice.sites is None:
        raise ValueError(
            f"{name} is an array, which needs a bounded domain; on an unbounded one give a function or a Table"
        )
    if values.shape != (lattice.sites,):
        raise ValueError(
            f"{name} has shape {values.shape} and the domain has {lattice.sites} sites; give one value a site"
        )
    if lattice.sites == 1:
        return Constant(float(values[0]))
    assert lattice.first is not None
    return Table(lattice.x(np.arange(lattice.first, lattice.first + lattice.sites)), values)


def _worst(values: Floats, x: ArrayLike, t: ArrayLike) -> tuple[float, float, float]:
    """(value, x, t) where `values` is not finite, else where it is smallest."""
    everywhere = np.broadcast_arrays(values, x, t)
    at = np.unravel_index(np.argmin(np.where(np.isfinite(values), values, -np.inf)), values.shape)
    value, place, time = (float(a[at]) for a in everywhere)
    return value, place, time


def _at(place: tuple[float, float, float]) -> str:
    return f"x = {place[1]:.6g}, t = {place[2]:.6g}"


def _longest_exact_variance(a: float, d: float, dx: float) -> float:
    """The largest dt with s + m² ≤ 1 and |m| ≤ s + m²; the second holds for every dt when s ≥ ¼."""
    longest = dx**2 / (math.hypot(d, a * dx) + d)  # root of 2D dt/dx² + a²dt²/dx² = 1
    return longest if 2.0 * d * longest / dx**2 >= 0.25 else min(longest, dx**2 / (6.0 * d))


def _largest_diffusion(diffusion: Coefficient, lattice: Lattice, start: Start, times: Sequence[float]) -> float:
    """The largest D over a bounded domain (over the start on an unbounded one) and over the times, sampled."""
    if not diffusion.depends_on_x:
        x = np.array([start.support[0]])
    elif lattice.first is not None and lattice.last is not None:
        x = lattice.x(np.arange(lattice.first, lattice.last + 1))
    else:
        x = np.linspace(*start.support, 65)
    t = np.linspace(0.0, max(times), 257) if times and diffusion.depends_on_t else np.zeros(1)
    largest = 0.0
    for begin in range(0, x.size, CHUNK // t.size):
        piece = x[begin : begin + CHUNK // t.size]
        values = diffusion(piece[:, None], t[None, :])
        if not np.isfinite(values).all() or (values < 0.0).any():
            i, j = np.argwhere(~(np.isfinite(values) & (values >= 0.0)))[0]
            raise ValueError(
                f"diffusion = {values[i, j]:g} at x = {piece[i]:g}, t = {t[j]:g}: must be a positive number"
            )
        largest = max(largest, float(values.max()))
    if largest <= 0.0:
        raise ValueError(f"diffusion = 0 at x = {x[0]:g}, t = {t[0]:g}: must be a positive number")
    return largest
