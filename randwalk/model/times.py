"""The step of a walk at a time, and the length of a step for which given times are whole numbers of steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..inputs.arguments import finite_numbers
from ..inputs.wording import shown
from .coefficient import Floats

Whole: TypeAlias = NDArray[np.int64]

SAME = 1e-9  # relative difference up to which two times are the same
MOST_STEPS = 2**32 - 1  # of one stream of random numbers
CLOSE = 1e-3  # of dt: how near a time is met where that is possible
LONGER = 4  # times the fewest steps are taken if all times are then met exactly,
FEW = 1000  # or this many in all
TRIED = 1 << 22  # products of a time and a number of steps that are looked at for times that have no common measure
ULPS = 8 * float(np.finfo(np.float64).eps)


def least_whole(ratio: float) -> int:
    """The least whole number not below `ratio`, but for rounding: a few ulp above a whole number are that number."""
    return math.ceil(ratio * (1.0 - ULPS))


def checked_times(times: ArrayLike) -> Floats:
    """Times to record, one or more of them, finite and not negative, as an array of one dimension."""
    given = np.atleast_1d(finite_numbers("times", times))
    if given.ndim != 1 or given.size == 0:
        raise ValueError(f"times must be a number or a list of numbers, not an array of shape {given.shape}")
    if (given < 0).any():
        raise ValueError(f"times must be finite and not negative, not {given[given < 0][0]:g}")
    return given


def steps_at(
    times: ArrayLike, dt: float, inexact: Sequence[float], remedy: Callable[[float, Floats], str]
) -> list[int]:
    """Times as whole numbers of steps; refused unless they increase and are multiples of `dt` to within rounding, or among the
    times `inexact`, which are the nearest steps. `remedy` says what to do with a time that is none, given all."""
    given = checked_times(times)
    if given.size > 1 and (np.diff(given) <= 0).any():
        at = int(np.argmax(np.diff(given) <= 0))
        raise ValueError(
            f"times must increase: {given[at + 1]:.12g} comes after {given[at]:.12g}; sort them, each once"
        )
    with np.errstate(over="ignore"):
        steps = np.rint(given / dt)
    if steps[-1] > MOST_STEPS:
        raise ValueError(
            f"{steps[-1]:.3g} steps are more than the 2³² that a random stream addresses; take a larger dt, or times up to "
            f"{MOST_STEPS * dt:.15g}"
        )
    for t in given[~is_whole(given, dt)]:
        if not (np.abs(np.array(inexact) - t) <= SAME * t).any():
            raise ValueError(f"time {t:.12g} is not a whole number of steps of dt = {dt:g}: {remedy(float(t), given)}")
    if steps.size > 1 and (np.diff(steps) <= 0).any():
        at = int(np.argmax(np.diff(steps) <= 0))
        raise ValueError(f"times {given[at]:.12g} and {given[at + 1]:.12g} are the same step of dt = {dt:g}: give one")
    return [int(n) for n in steps]


@dataclass(frozen=True)
class Times:
    """The recorded times of a run, as asked for and in steps.

    Attributes
    ----------
    steps : tuple of int
        Numbers of steps, increasing.
    dt : float
        The length of a step.
    asked : tuple of float
        One time for each of `steps`: the name of the record. It differs from ``steps × dt`` only if a walk was built for
        times that have no common measure.

    Examples
    --------
    >>> times = Times(steps=(2, 4), dt=0.5, asked=(1.0, 2.1))
    >>> times.row(2.1), times.row(2.0), times.step_before(1.9), times.step_before(2.0)
    (1, 1, array(3), array(4))
    """

    steps: tuple[int, ...]
    dt: float
    asked: tuple[float, ...]

    @property
    def exact(self) -> Floats:
        """The times of the recorded steps."""
        return np.array(self.steps) * self.dt

    def row(self, t: float) -> int:
        """The row of a recorded time: as asked for, or as that of its step, to a relative 1e-9."""
        return row_of(t, self.asked, self.exact)

    def rows(self, t: ArrayLike) -> Whole:
        """The rows of recorded times, of the shape of `t`."""
        given = finite_numbers("t", t)
        return np.array([self.row(v) for v in given.ravel().tolist()], dtype=np.int64).reshape(given.shape)

    def step_before(self, t: ArrayLike) -> Whole:
        """For each time `t` of the run the last step at or before it. A recorded time is its own step, and one that is within a
        relative 1e-9 of a step is that step."""
        given = finite_numbers("t", t)
        if (given < 0).any():
            raise ValueError(
                f"t = {given.min():g}: must not be negative; times must lie between 0 and {self.asked[-1]:g}"
            )
        end = max(self.asked[-1], self.steps[-1] * self.dt)
        if (given > end * (1.0 + SAME)).any():
            raise ValueError(
                f"t = {given.max():g} is after the end of the run: times must lie between 0 and {self.asked[-1]:g}, its last "
                "recorded time; run it for longer"
            )
        steps = np.minimum(last_step(given, self.dt), self.steps[-1])
        inexact = np.flatnonzero(~_same(np.array(self.asked), self.exact))
        for row in inexact:
            steps = np.where(_same(given, self.asked[row]), self.steps[row], steps)
        return steps


def last_step(t: Floats, dt: float) -> Whole:
    """The last step of length `dt` at or before each of the times `t` ≥ 0; a relative 1e-9 before a step is that step."""
    nearest = np.rint(t / dt)
    return np.where(_same(t, nearest * dt), nearest, np.floor(t / dt)).astype(np.int64)


def is_whole(t: ArrayLike, dt: float) -> NDArray[np.bool_]:
    """Whether times are whole numbers of steps: to a relative 1e-9 and a millionth of a step, or to rounding (1e-12)."""
    n = np.asarray(t, dtype=np.float64) / dt
    return np.abs(n - np.rint(n)) <= np.maximum(np.minimum(SAME * n, 1e-6), 1e-12 * n)


def row_of(t: float, *recorded: Sequence[float] | Floats) -> int:
    """The row of time `t` among recorded times, under the first of the names `recorded` for them that has it.

    Raises
    ------
    ValueError
        where no recorded time is within a relative 1e-9 of `t`; the message names the nearest.
    """
    given = finite_numbers("t", t)
    if given.ndim:
        raise TypeError(f"t = {shown(t)}: must be one number, a recorded time")
    for names in recorded:
        row = int(np.argmin(np.abs(np.asarray(names) - given)))
        if _same(np.asarray(names)[row], given):
            return row
    times = np.asarray(recorded[0])
    listed = ", ".join(f"{v:.9g}" for v in times[:8]) + (", …" if times.size > 8 else "")
    nearest = times[np.argmin(np.abs(times - given))]
    raise ValueError(
        f"t = {float(given):.12g} was not recorded; the recorded times are {listed}: take the nearest, t = {nearest:.15g}, or "
        "give this one to times="
    )


def _same(a: ArrayLike, b: ArrayLike) -> NDArray[np.bool_]:
    """Whether two times are the same to a relative 1e-9, in any unit."""
    return np.abs(np.subtract(a, b)) <= SAME * np.maximum(np.abs(a), np.abs(b))


def labels(steps: Sequence[int], dt: float, inexact: Iterable[float]) -> tuple[float, ...]:
    """What recorded steps are called: one of the times `inexact` that was asked for, where it has that step, else n dt."""
    named = {round(t / dt): t for t in inexact}
    return tuple(float(named.get(n, n * dt)) for n in steps)


def dividing_step(longest: float, times: Iterable[float]) -> float:
    """A step of at most about `longest` for which the times are whole numbers of steps, or nearly so.

    If the times have a common measure (their ratios are simple fractions) and it takes at most some times the fewest steps,
    all are whole multiples of the step. Else the last one is, the step is between half of `longest` and `longest`, and the
    others are met to a thousandth of the step if that can be, or else as nearly as can be, to less than half a step. Two
    times are never the same step.

    Raises
    ------
    ValueError
        if times lie so close together that they would take more than 2³² steps.
    """
    positive = sorted({float(t) for t in times if t > 0})
    if not positive:
        return longest
    given, end = np.array(positive), positive[-1]
    gaps = np.diff(given, prepend=0.0)
    closest = int(np.argmin(gaps))
    fewest = end / min(longest, float(gaps[closest]))
    if fewest > MOST_STEPS:
        if gaps[closest] < longest:
            before = f"time {given[closest - 1]:.17g}" if closest else "0"
            why = f"{given[closest]:.17g} is only {gaps[closest]:.3g} after {before}: leave it out"
        else:
            why = f"a step is {longest:.3g} and they go up to {end:g}: take shorter times or a larger dx"
        raise ValueError(
            f"times would take {fewest:.3g} steps, more than the 2³² that a random stream addresses: {why}"
        )
    count = least_whole(fewest)
    exact = _whole_steps(positive, least_whole(end / longest), max(FEW, LONGER * count))
    return exact if exact is not None else end / _nearly_whole_steps(given / end, count)


def or_step(times: Floats, dt: float) -> str:
    """A step of at most about `dt` that divides all `times`, as a further remedy; nothing if they have no common measure."""
    step = dividing_step(dt, times.tolist())
    return f", or dt = {step:.15g}" if is_whole(times, step).all() else ""


def _whole_steps(times: Sequence[float], fewest: int, most: int) -> float | None:
    """The longest step that divides the times, if they have a common measure and it does not take too many steps."""
    fractions = [Fraction(t / times[-1]).limit_denominator(most) for t in times]
    if any(abs(float(f) * times[-1] - t) > ULPS * t for f, t in zip(fractions, times, strict=True)):
        return None
    measure = math.lcm(*(f.denominator for f in fractions))
    count = measure * math.ceil(fewest / measure)
    if count > most:
        return None
    end = Fraction(times[-1])
    simple = end.limit_denominator(10**6)
    return float((simple if float(simple) == times[-1] else end) / count)  # 3/10 and not the float nearest to it


def _nearly_whole_steps(shares: Floats, fewest: int) -> int:
    """How many steps up to the last time meet all times, `shares` of the last, most nearly."""
    counts = np.arange(fewest, fewest + 1 + min(fewest, TRIED // shares.size))
    worst = np.zeros(counts.size)
    distinct, before = np.ones(counts.size, dtype=bool), np.zeros(counts.size)
    for share in shares:
        steps = np.rint(share * counts)
        worst = np.maximum(worst, np.abs(share * counts - steps))
        distinct &= steps > before
        before = steps
    worst[~distinct] = 1.0
    return int(counts[int(np.argmax(worst <= CLOSE)) if (worst <= CLOSE).any() else int(np.argmin(worst))])
