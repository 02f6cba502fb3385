"""The declaration: how a walker steps, where, and from where."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..inputs.arguments import finite_numbers, member, number, numbers
from ..inputs.keywords import once_positional, user_level
from ..inputs.memory import SHARE, available, require
from .coefficient import Coefficient, CoefficientLike, Constant, Floats, one_dimensional
from .convention import Convention
from .domain import Domain, as_domain
from .lattice import Lattice, check_place, spacing
from .remedy import remedy, rounded_down
from .rule import SLOW, shortfall
from .rule import Rule as Rule
from .start import Start, StartLike, as_start, check_start
from .step_mean import step_mean
from .tabulated import Table
from .time_step import CHUNK, OF_A_CHANGE, Declared, check_two_way, chosen_step, quickest
from .times import MOST_STEPS, SAME, Times, checked_times, is_whole, labels, least_whole

LEAST = 1e-150  # of dx and dt
OF_A_SITE = 24.0  # bytes that a law or the counts of a site need
ULPS = 8 * np.finfo(np.float64).eps  # rounding allowed in 0 ≤ p, q and p + q ≤ 1


Probability: TypeAlias = CoefficientLike | ArrayLike


@dataclass(frozen=True, init=False, eq=True)
class LatticeWalk:
    """A random walk on a lattice: every `dt` the walker steps +dx with probability `right`, -dx with probability `left`,
    and stays with the remaining probability. Probabilities are evaluated at the site and the time at which a step starts. A
    killing rate, a drift and a diffusion with a kink or a jump in time inside the step are replaced by their mean over the
    step.

    Parameters
    ----------
    right, left : number, Coefficient, function of (x, t), or array over the sites of a bounded domain
        Step probabilities, dimensionless; 0 ≤ right, left and right + left ≤ 1 wherever there is mass.
    dx, dt : float
        Lattice spacing (length) and duration of a step (time; 1 if left out).
    sites : int, in place of `dx`
        The number of sites of a bounded domain.
    domain : Line(), Interval(...) or Ring(...)
        An absorbing wall stands on a site, the other walls half way between two (see :mod:`randwalk.model.domain`).
    start : number, Point, Uniform, Normal or Sites
    killing : like `right`; 0 if left out
        Rate κ(x, t) (1/time) at which a walker disappears: per step it is killed with probability 1 - exp(-κ dt), else it
        steps.

    Raises
    ------
    ValueError
        if the probabilities are no probabilities, with the argument, the value, the place and a remedy. On an unbounded
        domain coefficients that depend on x are checked by a run, which knows how far walkers go.

    Attributes
    ----------
    declared_drift, convention
        The declared a (length/time) and its meaning where D depends on x (Itô where D does not); of given probabilities
        (p - q) dx/dt and Itô.
    drift : Coefficient
        The Itô drift; a ValueError where D jumps and the convention is another, because then there is none.
    diffusion : Coefficient
        The declared D (length²/time), or (p + q) dx²/2dt.
    rule : Rule or None
        The rule that made the probabilities from drift and diffusion; None for given probabilities.
    declared : object or None
        Drift, diffusion, rule and convention together, as :meth:`from_drift` hands them to the constructor.
    probabilities : mapping
        From a displacement in lattice steps to its probability, ``{(1,): right, (-1,): left}``.
    inexact_times : tuple of float
        The times given to :meth:`from_drift` that no whole number of steps meets. A record at such a time is the record of
        the nearest step.

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
    declared: Declared | None = None
    inexact_times: tuple[float, ...] = field(default=(), compare=False)

    @once_positional("dx", "dt", "domain", "start", "killing", "sites")
    def __init__(
        self,
        right: Probability,
        left: Probability,
        *,
        dx: float | None = None,
        dt: float = 1.0,
        domain: Domain | None = None,
        start: StartLike = 0.0,
        killing: Probability = 0.0,
        sites: int | None = None,
        declared: Declared | None = None,
        inexact_times: tuple[float, ...] = (),
    ) -> None:
        dt = _positive("dt", dt)
        domain, begin, lattice = _lay(domain, dx, sites, start)
        fields = {
            "right": _on_sites("right", right, lattice), "left": _on_sites("left", left, lattice), "dx": lattice.dx,
            "dt": dt, "domain": domain, "start": begin, "killing": _on_sites("killing", killing, lattice),
            "declared": declared, "inexact_times": inexact_times,
        }  # fmt: skip
        for name, value in fields.items():
            object.__setattr__(self, name, value)
        self._check_now()

    @classmethod
    @once_positional("dx", "dt")
    def from_drift(
        cls,
        drift: CoefficientLike,
        diffusion: CoefficientLike,
        *,
        dx: float | None = None,
        dt: float | None = None,
        domain: Domain | None = None,
        start: StartLike = 0.0,
        killing: CoefficientLike = 0.0,
        sites: int | None = None,
        rule: Rule = Rule.EXACT_VARIANCE,
        convention: Convention = Convention.ITO,
        times: ArrayLike | None = None,
    ) -> LatticeWalk:
        """The walk of a drift a(x, t) (velocity) and a diffusion `D(x, t)` (length²/time; an Itô equation's σ² is 2D).

        Without `dt`, the method takes the dt with s = 2D dt/dx² = ⅓ at the largest D (third- and fourth-order errors of the
        walk vanish there). It takes a shorter dt so that steps meet the given `times`, and where a coefficient changes smoothly
        in less than two steps (a kink or a jump in time needs no shorter dt). :attr:`Rule.TWO_WAY` takes dt = dx²/2D, and
        :attr:`Rule.FITTED` a shorter dt where the drift is strong (on an unbounded domain: where walkers start). Times whose
        ratios are simple fractions become whole numbers of steps. Of other times the last one does, with at most twice the
        steps that it would take alone. The remaining times are recorded at the nearest step, within dt/1000 where possible,
        always within dt/2: ``inexact_times`` lists them, and `step_times` of an ensemble or law has the times of the steps.
        `rule` (:class:`Rule`) makes the probabilities, and `convention` (:class:`Convention`) is the meaning of the drift where
        D depends on x; the other arguments are those of the class.

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
        where, begin, lattice = _lay(domain, dx, sites, start)
        a, d, rate = (
            one_dimensional(name, value)
            for name, value in (("drift", drift), ("diffusion", diffusion), ("killing", killing))
        )
        declared = Declared(a, d, member("rule", rule, Rule), member("convention", convention, Convention).where(d))
        check_two_way(declared, lattice.dx, None if dt is None else _positive("dt", dt))
        told = [] if times is None or not finite_numbers("times", times).size else checked_times(times).tolist()
        step = _positive("dt", chosen_step(declared, rate, lattice, where, begin, told) if dt is None else dt)
        right, left = declared.rule.probabilities(a, d, lattice.dx, step, declared.convention, where)
        return cls(
            right, left, dx=lattice.dx, dt=step, domain=where, start=begin, killing=rate, declared=declared,
            inexact_times=_inexact(told, step) if dt is None else (),
        )  # fmt: skip

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "rule" in state:  # of a release before 0.4, which kept these four apart
            drift, diffusion, rule, convention = (
                state[name] for name in ("declared_drift", "diffusion", "rule", "convention")
            )
            held = {name: value for name, value in state.items() if name not in ("rule", "convention")}
            state = held | {"declared": None if rule is None else Declared(drift, diffusion, rule, convention)}
        vars(self).update(state)

    @property
    def probabilities(self) -> Mapping[tuple[int, ...], Coefficient]:
        """The probability of each displacement, in lattice steps: ``{(1,): right, (-1,): left}``."""
        return MappingProxyType({(1,): self.right, (-1,): self.left})

    @property
    def rule(self) -> Rule | None:
        """How the probabilities were made from a drift and a diffusion; None if they were given."""
        return None if self.declared is None else self.declared.rule

    @property
    def convention(self) -> Convention:
        """What the declared drift means where D depends on x; Itô where D does not, and of given probabilities."""
        return Convention.ITO if self.declared is None else self.declared.convention

    @cached_property
    def declared_drift(self) -> Coefficient:
        """a (length/time) as it was declared; of given probabilities (p - q) dx/dt."""
        return (self.dx / self.dt) * (self.right - self.left) if self.declared is None else self.declared.drift

    @cached_property
    def diffusion(self) -> Coefficient:
        """D (length²/time): what the walk was made from, or (p + q) dx²/2dt."""
        if self.declared is not None:
            return self.declared.diffusion
        return (self.dx**2 / (2.0 * self.dt)) * (self.right + self.left)

    @property
    def lattice(self) -> Lattice:
        """The sites. On a line they are anchored at a point start, else at 0."""
        return Lattice.on(self.domain, self.dx, self.start.anchor)

    @cached_property
    def drift(self) -> Coefficient:
        """The Itô drift."""
        return self.convention.ito_drift(self.declared_drift, self.diffusion, self.domain.low, self.domain.high)

    @property
    def killing_rate(self) -> Coefficient:
        """The killing rate, averaged over a step in which it breaks."""
        return step_mean(self.killing, self.dt)

    @cached_property
    def homogeneous(self) -> bool:
        """Whether the step probabilities are the same at every site (they may depend on time)."""
        return not any(c.dimension for c in (*self.probabilities.values(), self.killing))

    @cached_property
    def time_dependent(self) -> bool:
        """Whether any step probability depends on time."""
        return any(c.depends_on_t for c in (*self.probabilities.values(), self.killing))

    def with_start(self, start: StartLike) -> LatticeWalk:
        """The same walk from another start."""
        return replace(self, start=start)  # type: ignore[arg-type]  # the constructor takes what a start may be

    def told(self, times: ArrayLike) -> LatticeWalk:
        """The same walk with other `inexact_times`: each of `times` that no whole number of steps meets, and that a record
        therefore takes at the nearest step.
        """
        given = checked_times(times).tolist() if finite_numbers("times", times).size else []
        return replace(self, inexact_times=_inexact(given, self.dt))

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
                f"{MOST_STEPS * self.dt:.15g}"
            )
        inexact = np.array(self.inexact_times)
        for t in given[~is_whole(given, self.dt)]:
            if not (np.abs(inexact - t) <= SAME * t).any():
                raise ValueError(
                    f"time {t:.12g} is not a whole number of steps of dt = {self.dt:g}: {self._whole(float(t))}"
                )
        if (np.diff(steps, prepend=-1.0) <= 0).any():
            at = int(np.argmax(np.diff(steps) <= 0))
            raise ValueError(
                f"times {given[at]:.12g} and {given[at + 1]:.12g} are the same step of dt = {self.dt:g}: give one"
            )
        return [int(n) for n in steps]

    def _whole(self, t: float) -> str:
        """A remedy for a time `t` that is no whole number of steps."""
        near, dt = max(1, round(t / self.dt)) * self.dt, t / least_whole(t / self.dt)
        if self.rule is None or self.rule is Rule.TWO_WAY:
            return f"take t = {near:.15g}" + (f", or dt = {dt:.15g}" if self.rule is None else "")
        return f"take t = {near:.15g}, or dt = {dt:.15g}, or from_drift(..., times=[...]) without dt"

    def recorded(self, steps: Sequence[int]) -> Times:
        """The times of recorded `steps` of this walk."""
        return Times(tuple(steps), self.dt, labels(steps, self.dt, self.inexact_times))

    def check(self, x: ArrayLike, t: ArrayLike) -> None:
        """Refuse numbers that are no probabilities at the sites `x` and times `t` (which broadcast); the message has the place
        and a remedy."""
        p, q, kappa = self.right(x, t), self.left(x, t), self.killing_rate(x, t)
        for name, values in (("right", p), ("left", q), ("killing", kappa)):
            if not (np.isfinite(values) & (values >= -ULPS)).all():
                place = _worst(values, x, t)
                raise ValueError(
                    f"{name} = {place[0]:.6g} at {_at(place)}: must be a number ≥ 0; {remedy(self, *place[1:])}"
                )
        if (p + q > 1.0 + ULPS).any():
            place = _worst(-(p + q), x, t)
            raise ValueError(f"right + left = {-place[0]:.6g} at {_at(place)}: must be ≤ 1; {remedy(self, *place[1:])}")

    def missing_speed(self, x: Floats, masses: Floats | NDArray[np.int64], t: float) -> float:
        """The part of the mean speed |a| over the masses at places `x` that :attr:`Rule.CAPPED` loses; 0 for other rules."""
        return self.capped_speed(x, masses, t) if self.rule is Rule.CAPPED else 0.0

    def capped_speed(self, x: Floats, masses: Floats | NDArray[np.int64], t: float) -> float:
        """The part of the mean speed |a| over the masses at places `x` that :attr:`Rule.CAPPED` loses, or would lose."""
        seen = masses > 0
        if not seen.any():
            return 0.0
        x, masses = x[seen], masses[seen]
        a, d = self.declared_drift(x, t), self.diffusion(x, t)
        speed = masses * np.abs(a)
        with np.errstate(divide="ignore", invalid="ignore"):  # D = 0: the whole speed, or no drift
            lost = np.where(a == 0.0, 0.0, shortfall(self.dx * a / d))
        return float(speed @ lost / speed.sum()) if speed.any() else 0.0

    def warn_if_slow(self, x: Floats, masses: Floats | NDArray[np.int64], times: Floats) -> None:
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
                stacklevel=user_level(),
            )

    def warn_if_quick(self, until: float) -> None:
        """Warn where a drift, diffusion or killing changes smoothly in less than a step before `until`, which steps miss."""
        coefficients = [self.killing] if self.rule is None else [self.declared_drift, self.diffusion, self.killing]
        change = quickest(coefficients, self.domain, self.start, until)
        if change < self.dt:
            better = "or leave dt out and give times=" if self.rule not in (None, Rule.TWO_WAY) else "with a smaller dx"
            warnings.warn(
                f"coefficients change within {change:.3g}, less than a step of dt = {self.dt:g}, which sees them where it "
                f"starts; take dt ≤ {rounded_down(OF_A_CHANGE * change)} {better}",
                RuntimeWarning,
                stacklevel=user_level(),
            )

    def starting_masses(self) -> tuple[Floats, Floats]:
        """The sites inside the domain on which walkers start, and their masses."""
        lattice = self.lattice
        number, masses = self.start.weights(lattice)
        sites = number + np.arange(masses.size)
        low, high = (end if end is not None else k for end, k in ((lattice.first, sites[0]), (lattice.last, sites[-1])))
        inside = (sites >= low) & (sites <= high)
        return lattice.x(sites[inside]), masses[inside]

    def _check_now(self) -> None:
        """Check probabilities on all sites of a bounded domain, and constant probabilities; a run checks the others."""
        lattice = self.lattice
        self._check_speed(*self.starting_masses())
        if self.homogeneous:
            self.check(lattice.x(np.full(1, lattice.first or lattice.last or 0)), 0.0)
        elif lattice.first is not None and lattice.last is not None:
            for first in range(lattice.first, lattice.last + 1, CHUNK):
                self.check(lattice.x(np.arange(first, min(first + CHUNK, lattice.last + 1))), 0.0)

    def _check_speed(self, x: Floats, masses: Floats) -> None:
        """Refuse the capped rule where it slows down walkers at their start."""
        if (missing := self.missing_speed(x, masses, 0.0)) <= SLOW:
            return
        a, d = self.declared_drift(x, 0.0), self.diffusion(x, 0.0)
        at = int(np.argmax(masses * np.abs(a)))
        told = (
            f"drift = {a[at]:.6g} at x = {x[at]:.6g}, t = 0: rule = capped loses {100 * missing:.3g} % of the mean speed where "
            f"walkers start, at most {100 * SLOW:g} % is allowed"
        )
        if d[at] <= 0.0:
            raise ValueError(
                f"{told}; with the diffusion {d[at]:g} there no rule will do: start elsewhere, or where D > 0"
            )
        raise ValueError(f"{told}; take dx ≤ {rounded_down(d[at] / abs(a[at]))}, or from_drift(..., rule=Rule.FITTED)")

    def __repr__(self) -> str:
        parts = [f"right={self.right}", f"left={self.left}", f"dx={self.dx:g}", f"dt={self.dt:g}"]
        if self.killing != Constant(0.0):
            parts.append(f"killing={self.killing}")
        return f"LatticeWalk({', '.join(parts)}, domain={self.domain}, start={self.start})"


def _lay(domain: Domain | None, dx: float | None, sites: int | None, start: StartLike) -> tuple[Domain, Start, Lattice]:
    """(domain, start, lattice) of a declaration, checked against each other."""
    where = as_domain(domain)
    if (dx is None) == (sites is None):
        raise ValueError("give either dx or sites")
    begin = as_start(start, where)
    check_start(begin, where)
    lattice = Lattice.on(where, _positive("dx", spacing(where, sites) if sites is not None else dx), begin.anchor)
    check_place(lattice, *begin.support, where.low, where.high)
    if lattice.sites is not None:
        fit = int(SHARE * available() / OF_A_SITE)
        require(OF_A_SITE * lattice.sites, f"a walk on {lattice.sites} sites", f"take sites ≤ {fit}, or a larger dx")
    return where, begin, lattice


def _inexact(times: Sequence[float], dt: float) -> tuple[float, ...]:
    """The times that no whole number of steps meets."""
    given = np.asarray(times, dtype=np.float64)
    return tuple(given[~is_whole(given, dt)].tolist())


def _positive(name: str, value: float | None) -> float:
    result = number(name, value)
    if not 0.0 < result < math.inf:
        raise ValueError(f"{name} = {result}: must be positive and finite")
    if not LEAST < result < 1.0 / LEAST:
        raise ValueError(f"{name} = {result}: its square is no floating-point number; choose other units")
    return result


def _on_sites(name: str, value: Probability, lattice: Lattice) -> Coefficient:
    """The coefficient of a probability: an array over the sites becomes a table."""
    if isinstance(value, Coefficient) or callable(value) or not isinstance(value, (list, tuple, np.ndarray)):
        return one_dimensional(name, value)  # type: ignore[arg-type]
    values = numbers(name, value)
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
    """(value, x, t) of the first value that is not finite, else of the smallest value."""
    everywhere = np.broadcast_arrays(values, x, t)
    at = np.unravel_index(np.argmin(np.where(np.isfinite(values), values, -np.inf)), values.shape)
    value, place, time = (float(a[at]) for a in everywhere)
    return value, place, time


def _at(place: tuple[float, float, float]) -> str:
    return f"x = {place[1]:.6g}, t = {place[2]:.6g}"
