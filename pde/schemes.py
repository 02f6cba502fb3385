"""Time schemes for linear systems u' = A(t)u, written with resolvents (I - τA)⁻¹ alone, and the clock they run on.

A resolvent of the finite-volume operator keeps mass and sign; a scheme is a combination of resolvents whose weights sum
to 1, so it keeps mass too. Sign is watched: a step that would break it is made again by backward Euler.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol, TypeAlias

import numpy as np

from randwalk.coefficient import Floats

Apply: TypeAlias = Callable[[float, float, Floats], Floats]  # (τ, t, u) -> (I - τA(t))⁻¹ u

SQRT2: Final = math.sqrt(2.0)
DAMPING_STEPS: Final = (
    4  # backward Euler steps in place of one that meets rough data [Rannacher 1984; Giles & Carter 2006]
)
ROUNDING: Final = 1e-14  # sign changes below this, relative to the largest value, are rounding


class Scheme(Protocol):
    """A one-step scheme of some `order`; with a `dt` the steps are that long (shortened to hit the recorded times)."""

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
        return apply(tau, t + dt, (1.0 + SQRT2) * y - SQRT2 * u)


@dataclass(frozen=True)
class Clock:
    """Stretches of equal steps: stretch k ends at ``ends[k]`` after ``counts[k]`` steps and is recorded if ``recorded[k]``."""

    ends: tuple[float, ...]
    counts: tuple[int, ...]
    recorded: tuple[bool, ...]

    @classmethod
    def octaves(cls, times: Floats, steps: int) -> Clock:
        """`steps` steps until the first time and then in every doubling of the time.

        A heat kernel of age t forgets a step's error as t grows, so equal steps until the first recorded time, and then
        steps in proportion to the age, give all recorded times alike the error ∝ steps⁻².
        """
        ends, counts, recorded = [float(times[0])], [steps], [True]
        for begin, end in zip(times[:-1].tolist(), times[1:].tolist(), strict=True):
            while begin < end:
                until = 2.0 * begin if 2.0 * begin < end else end
                counts.append(math.ceil(steps * (until - begin) / begin - 1e-9))
                ends.append(until)
                recorded.append(until == end)
                begin = until
        return cls(tuple(ends), tuple(counts), tuple(recorded))

    @classmethod
    def equal(cls, times: Floats, dt: float) -> Clock:
        """Steps of at most `dt`, equal between recorded times."""
        lengths = np.diff(times, prepend=0.0)
        counts = np.maximum(1, np.ceil(lengths / dt - 1e-9)).astype(np.int64)
        return cls(tuple(times.tolist()), tuple(counts.tolist()), (True,) * times.size)

    def refined(self, factor: int) -> Clock:
        """The clock with every step cut in `factor` equal ones."""
        return Clock(self.ends, tuple(factor * count for count in self.counts), self.recorded)

    @property
    def steps(self) -> int:
        return sum(self.counts)

    def __iter__(self) -> Iterator[tuple[float, float, float, bool]]:
        """The steps: (begin, length, end, whether the end is a recorded time)."""
        begin = 0.0
        for end, count, recorded in zip(self.ends, self.counts, self.recorded, strict=True):
            dt = (end - begin) / count
            for k in range(count - 1):
                yield begin + k * dt, dt, begin + (k + 1) * dt, False
            yield begin + (count - 1) * dt, dt, end, recorded
            begin = end


def march(scheme: Scheme, apply: Apply, u: Floats, clock: Clock, floor: float) -> Iterator[tuple[float, bool, Floats]]:
    """The states after each step of `clock`: (time, whether it is recorded, state).

    The first step is damped, and any step that takes a value below `floor` by more than rounding is made again that way.
    """
    first = scheme.order > 1
    for t, dt, end, recorded in clock:
        new = _damped(apply, u, t, dt) if first else scheme.step(apply, u, t, dt)
        if scheme.order > 1 and not first and new.min() < floor - ROUNDING * np.abs(new).max():
            new = _damped(apply, u, t, dt)
        first, u = False, new
        yield end, recorded, u


def _damped(apply: Apply, u: Floats, t: float, dt: float) -> Floats:
    """One step as several of backward Euler."""
    tau = dt / DAMPING_STEPS
    for k in range(1, DAMPING_STEPS + 1):
        u = apply(tau, t + k * tau, u)
    return u
