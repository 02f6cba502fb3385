"""Time schemes for linear systems u' = A(t)u, written with resolvents (I - τA)⁻¹ alone, and the clock they run on.

A resolvent of the finite-volume operator keeps mass and sign; a scheme is a combination of resolvents whose weights sum
to 1, so it keeps mass too. :func:`march` watches the sign: backward Euler repeats a step that would break it.

Where A is a sum of parts (:mod:`randwalk.pde.solver.chains`), a step of all of them is the palindrome of steps of each
[Strang 1968], which is of second order with any scheme of second order.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise, repeat
from typing import ClassVar, Final, NamedTuple, Protocol, TypeAlias

import numpy as np

from randwalk.model.coefficient import Floats

from ..pace import PILOT_STEPS, Pace

Apply: TypeAlias = Callable[[float, float, Floats], Floats]  # (τ, t, u) -> (I - τA(t))⁻¹ u

SQRT2: Final = math.sqrt(2.0)
DAMPING_STEPS: Final = (
    4  # backward Euler steps in place of one that meets rough data [Rannacher 1984; Giles & Carter 2006]
)
SAME: Final = 1e-14  # times closer than this, relative to the last, are one
INSIDE: Final = 1e-9  # of a stretch lies between a jump of a coefficient and the place where it is read
ROUNDING: Final = 1e-14  # sign changes below this, relative to the largest value, are rounding


class Scheme(Protocol):
    """A one-step scheme of some `order`; with a `dt` the steps are that long (shortened to hit recorded times and breaks, and to
    resolve quick changes of coefficients)."""

    @property
    def order(self) -> int: ...

    @property
    def dt(self) -> float | None: ...

    def step(self, apply: Apply, u: Floats, t: float, dt: float) -> Floats:
        """The state at `t` + `dt` from `u` at `t`."""


@dataclass(frozen=True)
class _Stepped:
    """The step length (time) that a scheme is given, or None to have steps chosen by the error."""

    dt: float | None = None

    def __post_init__(self) -> None:
        if self.dt is not None and not (math.isfinite(self.dt) and self.dt > 0):
            raise ValueError(f"{type(self).__name__}: dt = {self.dt} must be positive and finite, or left out")


@dataclass(frozen=True)
class BackwardEuler(_Stepped):
    """(I - dt A(t + dt)) u' = u: first order, L-stable, keeps sign for every step length."""

    order: ClassVar[int] = 1

    def step(self, apply: Apply, u: Floats, t: float, dt: float) -> Floats:
        return apply(dt, t + dt, u)


@dataclass(frozen=True)
class CrankNicolson(_Stepped):
    """u' = 2 (I - ½dt A)⁻¹ u - u with A at the middle of the step: second order, but sharp features ring, so it begins
    with backward Euler quarter steps [Rannacher 1984]."""

    order: ClassVar[int] = 2

    def step(self, apply: Apply, u: Floats, t: float, dt: float) -> Floats:
        return 2.0 * apply(0.5 * dt, t + 0.5 * dt, u) - u


@dataclass(frozen=True)
class SDIRK2(_Stepped):
    """The two-stage, second-order, L-stable, stiffly accurate diagonally implicit scheme with γ = 1 - 1/√2 [Alexander 1977].

    y = (I - γdt A(t + γdt))⁻¹ u and u' = (I - γdt A(t + dt))⁻¹ ((1 + √2) y - √2 u). For constant A it is TR-BDF2.
    """

    order: ClassVar[int] = 2
    gamma: ClassVar[float] = 1.0 - 1.0 / SQRT2

    def step(self, apply: Apply, u: Floats, t: float, dt: float) -> Floats:
        tau = self.gamma * dt
        y = apply(tau, t + tau, u)
        y *= 1.0 + SQRT2  # a resolvent makes a new array
        y -= SQRT2 * u
        return apply(tau, t + dt, y)


class Stretch(NamedTuple):
    """`steps` steps from `begin` to `end`, which may be `recorded`: equal ones in the root of the time that the `power` is of.
    Coefficients are read from `first` to `last`: at a kink or jump of a coefficient that is just inside the stretch, else its
    ends."""

    begin: float
    end: float
    steps: int
    recorded: bool
    first: float
    last: float
    power: int = 1

    def each(self) -> Iterator[tuple[float, float, float]]:
        """(begin, length, end) of every step. Equal steps have the same length to the last bit."""
        begin, end, steps, p = self.begin, self.end, self.steps, self.power
        dt, low, high = (end - begin) / steps, begin ** (1.0 / p), end ** (1.0 / p)
        t = begin
        for k in range(1, steps + 1):
            until = end if k == steps else begin + k * dt if p == 1 else (low + (high - low) * k / steps) ** p
            yield t, dt if p == 1 else until - t, until
            t = until

    @property
    def restarts(self) -> bool:
        """Whether a coefficient has a kink or a jump at the beginning."""
        return self.first > self.begin


@dataclass(frozen=True)
class Clock:
    """The steps in time, as stretches of equal steps that follow one another from 0."""

    stretches: tuple[Stretch, ...]

    @classmethod
    def octaves(cls, times: Floats, steps: int, pace: Pace | None = None, power: int = 1) -> Clock:
        """`steps` steps until the first time and then in every doubling of the time, and no longer than `pace` admits; until the
        first time they end at times in proportion to the `power` of their number.

        A heat kernel of age t forgets a step's error as t grows, so equal steps until the first recorded time, and then
        steps in proportion to the age, give all recorded times alike the error ∝ steps⁻².
        """
        spans = [_Span(0.0, float(times[0]), steps, True, power)]
        for begin, end in pairwise(times.tolist()):
            while begin < end:
                until = 2.0 * begin if 2.0 * begin < end else end
                spans.append(_Span(begin, until, steps * (until - begin) / begin, until == end))
                begin = until
        return cls(tuple(_cut(spans, pace, steps / PILOT_STEPS)))

    @classmethod
    def equal(cls, times: Floats, dt: float, pace: Pace | None = None, power: int = 1) -> Clock:
        """Steps of at most `dt`, equal between recorded times but with the `power` before the first, and no longer than `pace`
        admits."""
        spans = [
            _Span(begin, end, own * (end - begin) / dt, True, own)
            for (begin, end), own in zip(pairwise([0.0, *times.tolist()]), chain((power,), repeat(1)), strict=False)
        ]
        return cls(tuple(_cut(spans, pace, 1.0)))

    def refined(self, factor: int) -> Clock:
        """The clock with every step cut in `factor` equal ones."""
        return Clock(tuple(stretch._replace(steps=factor * stretch.steps) for stretch in self.stretches))

    @property
    def steps(self) -> int:
        return sum(stretch.steps for stretch in self.stretches)

    def each(self) -> Iterator[tuple[float, float, float]]:
        """(begin, length, the first time at which coefficients are read) of every step."""
        for stretch in self.stretches:
            yield from ((t, dt, stretch.first) for t, dt, _ in stretch.each())


class _Span(NamedTuple):
    """A stretch before it is cut: `steps` need not be whole."""

    begin: float
    end: float
    steps: float
    recorded: bool
    power: int = 1


def _cut(spans: list[_Span], pace: Pace | None, fineness: float) -> Iterator[Stretch]:
    """The spans cut at the breaks and parts of `pace`, with steps `fineness` times as fine as it asks for."""
    pace = Pace(spans[-1].end) if pace is None else pace
    near = SAME * spans[-1].end
    breaks = pace.breaks
    ends, longest = zip(*(pace.parts or [(math.inf, math.inf)]), strict=True)
    marks = sorted({*breaks, *ends})

    def broken(t: float) -> bool:
        at = bisect_left(breaks, t - near)
        return at < len(breaks) and breaks[at] <= t + near

    for begin, end, count, recorded, power in spans:
        inner = marks[bisect_right(marks, begin + near) : bisect_left(marks, end - near)]
        cuts = [begin, *(b for a, b in pairwise([begin, *inner]) if b - a > near), end]
        for a, b in pairwise(cuts):
            length = b - a
            quickest = longest[bisect_left(ends, 0.5 * (a + b))]
            own = length / (end - begin) if power == 1 else (b / end) ** (1.0 / power) - (a / end) ** (1.0 / power)
            steps = max(count * own, power * fineness * length / quickest)
            at_a, at_b = broken(a), broken(b)
            if at_a or at_b:
                steps = max(steps, fineness)
            inside = max(INSIDE * length, near)
            yield Stretch(
                a, b, max(1, math.ceil(steps - 1e-9)), recorded and b == end,
                a + inside if at_a else a, b - inside if at_b else b, power,
            )  # fmt: skip


def march(
    scheme: Scheme, parts: Sequence[Apply], u: Floats, clock: Clock, floor: float
) -> Iterator[tuple[float, bool, Floats]]:
    """The states after each step of `clock`: (time, whether it is recorded, state). A is the sum of the `parts`.

    Backward Euler steps damp the first step, and the first after a kink or jump of a coefficient; they also replace any step
    that takes a value below `floor` by more than rounding.
    """
    signed = scheme.order > 1 and floor > -math.inf
    for stretch in clock.stretches:
        read = [_within(apply, stretch.first, stretch.last) for apply in parts]
        for t, dt, until in stretch.each():
            rough = scheme.order > 1 and t == stretch.begin and (t == 0.0 or stretch.restarts)
            new = _damped(read, u, t, dt) if rough else strang(scheme, read, u, t, dt)
            if signed and not rough and new.min() < floor - ROUNDING * np.abs(new).max():
                new = _damped(read, u, t, dt)
            u = new
            yield until, stretch.recorded and until == stretch.end, u


def strang(scheme: Scheme, parts: Sequence[Apply], u: Floats, t: float, dt: float) -> Floats:
    """One step of `scheme` with the sum of the `parts`: half a step with each but the last one, a step with that, and half a
    step with the others in the opposite order."""
    *outer, middle = parts
    for apply in outer:
        u = scheme.step(apply, u, t, 0.5 * dt)
    u = scheme.step(middle, u, t, dt)
    for apply in reversed(outer):
        u = scheme.step(apply, u, t + 0.5 * dt, 0.5 * dt)
    return u


def _within(apply: Apply, first: float, last: float) -> Apply:
    """The part with its coefficients read from `first` to `last` alone."""
    return lambda tau, t, u: apply(tau, min(max(t, first), last), u)


def _damped(parts: Sequence[Apply], u: Floats, t: float, dt: float) -> Floats:
    """One step as several of backward Euler."""
    tau = dt / DAMPING_STEPS
    for k in range(DAMPING_STEPS):
        u = strang(BackwardEuler(), parts, u, t + k * tau, tau)
    return u
