"""The declaration: how a walker steps, where, and from where."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from .bond import bonds
from .coefficient import Coefficient, CoefficientLike, Constant, Floats, as_coefficient, constant_value
from .convention import Convention
from .domain import Domain, Interval, Line, Ring
from .lattice import Lattice, spacing
from .rule import Rule, shortfall
from .start import Start, StartLike, as_start, check_start
from .tabulated import Table

ULPS = 8 * np.finfo(np.float64).eps  # rounding allowed in 0 ≤ p, q and p + q ≤ 1
SLOW = 0.1  # the part of the mean speed that Rule.CAPPED may lose where walkers start


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
    declared_drift, convention
        a (length/time) as it was declared, and what it means where D depends on x (Itô where it does not); of declared
        probabilities (p - q) dx/dt, Itô.
    drift : Coefficient
        The Itô drift. Where D jumps and the convention is another, there is none, and asking for it is a ValueError.
    diffusion : Coefficient
        D (length²/time): what the walk was made from, or (p + q) dx²/2dt.
    rule : Rule or None
        How the probabilities were made from them; None if they were given.

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
    declared_drift: Coefficient
    diffusion: Coefficient
    rule: Rule | None
    convention: Convention

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
            convention=Convention.ITO, declared_drift=(lattice.dx / dt) * (values["right"] - values["left"]),
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
        vanish there), shortened until it divides the `times` it is told about; :attr:`Rule.TWO_WAY` takes dt = dx²/2D, and
        :attr:`Rule.FITTED` a shorter one where the drift is strong (on an unbounded domain: where walkers start).
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
        drift, diffusion = as_coefficient(drift), as_coefficient(diffusion)
        rule, convention = Rule(rule), Convention(convention).where(diffusion)
        begin = as_start(start)
        check_start(begin, domain)
        lattice = Lattice.on(domain, dx, begin.anchor)
        if rule is Rule.TWO_WAY and constant_value(diffusion) is None:
            raise ValueError(
                f"rule = two_way needs a constant diffusion, not {diffusion}; take exact_variance or linear"
            )
        times = None if times is None else np.atleast_1d(np.asarray(times, dtype=np.float64)).tolist()
        if dt is None:
            both = bonds(drift, diffusion, convention, lattice.dx, domain)
            dt = rule.longest_step(both, lattice.dx, *_samples(drift, diffusion, lattice, begin, times))
            dt = dt if times is None or rule is Rule.TWO_WAY else dividing_step(dt, times)
        dt = _positive("dt", dt)
        if rule is Rule.TWO_WAY:
            only = lattice.dx**2 / (2.0 * float(diffusion(0.0)))
            if abs(dt - only) > 1e-9 * only:
                raise ValueError(f"dt = {dt:g}: rule = two_way steps with dt = dx²/2D = {only:.12g}; leave dt out")
        right, left = rule.probabilities(drift, diffusion, lattice.dx, dt, convention, domain)
        walk = object.__new__(cls)
        walk._set(
            right=right, left=left, dx=lattice.dx, dt=dt, domain=domain, start=begin, killing=as_coefficient(killing),
            declared_drift=drift, diffusion=diffusion, rule=rule, convention=convention,
        )  # fmt: skip
        walk._check_now()
        return walk

    def _set(self, **fields: object) -> None:
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    @property
    def lattice(self) -> Lattice:
        """The sites. On a line they are anchored at a point start, else at 0."""
        return Lattice.on(self.domain, self.dx, self.start.anchor)

    @cached_property
    def drift(self) -> Coefficient:
        """The Itô drift."""
        return self.convention.ito_drift(self.declared_drift, self.diffusion, self.domain.low, self.domain.high)

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
        walk = object.__new__(type(self))
        walk._set(**{**self.__dict__, "start": begin})
        return walk

    def steps(self, times: ArrayLike) -> list[int]:
        """Times as whole numbers of steps; refused unless they increase and are multiples of dt to within rounding."""
        given = np.atleast_1d(np.asarray(times, dtype=np.float64))
        if given.ndim != 1 or given.size == 0:
            raise ValueError(f"times must be a number or a list of numbers, not an array of shape {given.shape}")
        if not np.isfinite(given).all() or given[0] < 0:
            raise ValueError(f"times must be finite and not negative, not {given.tolist()}")
        if (np.diff(given) <= 0).any():
            at = int(np.argmax(np.diff(given) <= 0))
            raise ValueError(f"times must increase: {given[at + 1]:g} comes after {given[at]:g}")
        steps = np.rint(given / self.dt)
        wrong = np.abs(given / self.dt - steps) > 1e-6 * np.maximum(1.0, steps * 1e-6)
        if wrong.any():
            t = float(given[wrong][0])
            n = max(1, math.ceil(t / self.dt))
            raise ValueError(
                f"time {t:g} is not a whole number of steps of dt = {self.dt:g}: take t = {round(t / self.dt) * self.dt:g}, "
                f"or dt = {t / n:.12g}, or build the walk with from_drift(..., times=[...])"
            )
        if (np.diff(steps) <= 0).any():
            at = int(np.argmax(np.diff(steps) <= 0))
            raise ValueError(
                f"times {given[at]:.12g} and {given[at + 1]:.12g} are the same step of dt = {self.dt:g}: give one"
            )
        if steps[-1] >= 2**32:
            raise ValueError(
                f"{steps[-1]:.3g} steps are more than the 2³² that a random stream addresses; take a larger dt"
            )
        return [int(n) for n in steps]

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
        x, t = place[1:]
        a, d, both = (
            float(v) for v in (self.declared_drift(x, t), self.diffusion(x, t), self.right(x, t) + self.left(x, t))
        )
        if not (math.isfinite(a) and math.isfinite(d) and d > 0.0):
            return f"the diffusion there is {d:g} and the drift {a:g}"
        bounded = math.isfinite(self.domain.low) and math.isfinite(self.domain.high)
        strong = Rule.FITTED if bounded or not self.declared_drift.depends_on_x else Rule.CAPPED
        if self.rule is Rule.FITTED:
            other = "" if strong is Rule.FITTED else ", or from_drift(..., rule=Rule.CAPPED)"
            further = 1.0 if strong is Rule.FITTED else 0.5  # less mass gets further, where the drift is stronger
            return f"take dt ≤ {rounded_down(further * self.dt / both)}{other}"
        if self.rule is not None and self.convention is not Convention.ITO:
            ends = bonds(self.declared_drift, self.diffusion, self.convention, self.dx, self.domain)
            d = max(float(bond.diffusion(x, t)) for bond in ends)
        longest = self.dx**2 / (2.0 * d)  # p + q ≤ 1 without the drift
        if 2.0 * d * self.dt > self.dx**2:
            return f"take dt ≤ {rounded_down(longest)}"
        remedies = [f"dx ≤ {2.0 * d / abs(a):.3g} (and dt ≤ dx²/2D)"] if a else [f"dt ≤ {longest:.3g}"]
        if self.rule is Rule.EXACT_VARIANCE and a:
            remedies.insert(0, f"dt ≤ {_longest_exact_variance(a, d, self.dx):.3g}")
        return f"take {', '.join(remedies)}, or from_drift(..., rule=Rule.{strong.name})"

    def missing_speed(self, x: Floats, masses: Floats, t: float) -> float:
        """The part of the mean speed |a| over the masses at places `x` that :attr:`Rule.CAPPED` loses; 0 for other rules."""
        seen = masses > 0
        if self.rule is not Rule.CAPPED or not seen.any():
            return 0.0
        x, masses = x[seen], masses[seen]
        a, d = self.declared_drift(x, t), self.diffusion(x, t)
        speed = masses * np.abs(a)
        return float(speed @ shortfall(self.dx * a / d) / speed.sum()) if speed.any() else 0.0

    def warn_if_slow(self, x: Floats, masses: Floats, times: Floats) -> None:
        """Warn where the masses (times, sites) are slowed down by :attr:`Rule.CAPPED`, once, at the worst of the times."""
        if self.rule is not Rule.CAPPED:
            return
        missing = [self.missing_speed(x, row, float(t)) for row, t in zip(masses, times, strict=True)]
        if max(missing) > SLOW:
            at = int(np.argmax(missing))
            warnings.warn(
                f"rule = capped loses {100 * missing[at]:.3g} % of the mean speed at t = {times[at]:.6g}: walkers are where the "
                f"drift is stronger than 2D/dx; take a smaller dx than {self.dx:g}, or rule=Rule.FITTED",
                RuntimeWarning,
                stacklevel=3,
            )

    def _check_now(self) -> None:
        """Check what can be checked without knowing how long the walk will run: bounded domains, and constants anywhere."""
        lattice = self.lattice
        first, weights = self.start.weights(lattice)
        self._check_speed(lattice.x(first + np.arange(weights.size)), weights)
        if lattice.first is not None and lattice.last is not None:
            self.check(lattice.x(np.arange(lattice.first, lattice.last + 1)), 0.0)
        elif self.homogeneous:
            self.check(lattice.x(np.zeros(1)), 0.0)

    def _check_speed(self, x: Floats, masses: Floats) -> None:
        """Refuse the capped rule where walkers start that it slows down."""
        if (missing := self.missing_speed(x, masses, 0.0)) <= SLOW:
            return
        a, d = self.declared_drift(x, 0.0), self.diffusion(x, 0.0)
        at = int(np.argmax(masses * np.abs(a)))
        raise ValueError(
            f"drift = {a[at]:.6g} at x = {x[at]:.6g}, t = 0: rule = capped loses {100 * missing:.3g} % of the mean speed where "
            f"walkers start, at most {100 * SLOW:g} % is allowed; take dx ≤ {rounded_down(d[at] / abs(a[at]))}, or "
            "from_drift(..., rule=Rule.FITTED)"
        )

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


def rounded_down(value: float) -> str:
    """Three digits that are not above the value."""
    digit = 10.0 ** (math.floor(math.log10(value)) - 2)
    return f"{math.floor(value / digit * (1.0 + 1e-12)) * digit:.3g}"


def _at(place: tuple[float, float, float]) -> str:
    return f"x = {place[1]:.6g}, t = {place[2]:.6g}"


def _longest_exact_variance(a: float, d: float, dx: float) -> float:
    """The largest dt with s + m² ≤ 1 and |m| ≤ s + m²; the second holds for every dt when s ≥ ¼."""
    longest = dx**2 / (math.hypot(d, a * dx) + d)  # root of 2D dt/dx² + a²dt²/dx² = 1
    return longest if 2.0 * d * longest / dx**2 >= 0.25 else min(longest, dx**2 / (6.0 * d))


def _samples(
    drift: Coefficient, diffusion: Coefficient, lattice: Lattice, start: Start, times: Sequence[float] | None
) -> tuple[Floats, Floats]:
    """Places of a bounded domain (of the start on an unbounded one) and times, which broadcast; D is refused where it is no
    diffusion."""
    if lattice.first is not None and lattice.last is not None:
        x = lattice.x(np.arange(lattice.first, lattice.last + 1))
    else:
        x = np.linspace(*start.support, 65)
    moving = drift.depends_on_t or diffusion.depends_on_t
    t = np.linspace(0.0, max(times), 257) if times is not None and moving else np.zeros(1)
    values = diffusion(x[:, None], t[None, :])
    if not np.isfinite(values).all() or (values < 0.0).any() or values.max() <= 0.0:
        bad = ~(np.isfinite(values) & (values >= 0.0))
        i, j = np.argwhere(bad)[0] if bad.any() else (0, 0)
        raise ValueError(f"diffusion = {values[i, j]:g} at x = {x[i]:g}, t = {t[j]:g}: must be a positive number")
    return x[:, None], t[None, :]


def dividing_step(longest: float, times: Sequence[float]) -> float:
    """The largest dt ≤ `longest` of which every one of the times is a whole multiple (times read as simple fractions)."""
    fractions = [Fraction(float(t)).limit_denominator(10**6) for t in times if t > 0]
    if not fractions:
        return longest
    if any(abs(float(f) - t) > 1e-9 * t for f, t in zip(fractions, [t for t in times if t > 0], strict=True)):
        common = Fraction(float(max(times)))
    else:
        denominator = math.lcm(*(f.denominator for f in fractions))
        common = Fraction(math.gcd(*(int(f * denominator) for f in fractions)), denominator)
    return float(common / math.ceil(common / Fraction(longest)))
