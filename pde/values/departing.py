"""Walks that end when everybody has left: a pilot tells how long that takes and how long steps may be to begin with."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from randwalk.kernels.ito import State
from randwalk.model.coefficient import ZERO, Coefficient, Floats
from randwalk.model.declaration import positive
from randwalk.model.interface import slope_between

from ..equation import FokkerPlanck
from .horizon import BEYOND, Departure, Horizon, check_addressed, released
from .question import Question
from .reduction import Control
from .sampling import NotFiniteValue
from .walks import LEVELS, NARROW, Walks

PILOT = 1024  # walkers
SHORT, LONG = 2**8, 2**17  # steps of a pilot, where steps may become longer, and where they may not
LONGER = 4.0  # times as long
ATTEMPTS = 20  # at the length of a step
FIRST = 16.0  # steps in the shortest time that matters
PLACES = 512  # at which coefficients are looked at


def departing(made: Callable[[Horizon, int], Walks], dt: float | None) -> Walks:
    """Walks until everybody has left, made of a horizon and a number of steps.

    Raises
    ------
    ValueError
        if somebody stays inside however long the pilot is.
    """
    way = made(Departure(1.0, math.inf), LEVELS[-1])
    check_all_leave(way.question, way.reduction)
    given = None if dt is None else LEVELS[-1] * positive("dt", dt)
    drift = _between_jumps(way.question.equation)
    most = _longest_step(way.question, drift)
    begin = min(_shortest_time(way.question, way.point, drift) / FIRST, most)
    if math.isinf(begin):
        raise ValueError(f"t = inf: from x = {way.point} neither drift nor noise moves a walker; give a finite t")
    lived, last, step = _pilot(made(Departure(begin, math.inf), LEVELS[-1]), begin, most)
    if given is not None:
        step = given
        check_addressed(
            LEVELS[-1] * BEYOND * last / step, f"dt = {dt:g}: the {BEYOND * last:.3g} that a walker may take to leave"
        )
    steps = max(1, math.ceil(lived / step))  # of the coarsest level
    return made(Departure(steps * step, BEYOND * last), LEVELS[-1] * steps)


def check_all_leave(question: Question, reduction: object) -> None:
    """Refuse a question that walks without an end in time do not answer."""
    if question.payoff != ZERO:
        raise ValueError(
            f"t = inf: payoff = {question.payoff} is paid at the time t, which is infinite (give payoff=0)"
        )
    if isinstance(reduction, Control):
        raise ValueError(
            "t = inf: reduction = Control(...) has a payoff at the time t, which is infinite: take Antithetic() or Drift(...)"
        )
    stay = question.equation.killing == ZERO and not any(wall.reactivity > 0.0 for wall in question.barriers)
    if question.timed or stay:
        why = "something depends on time" if question.timed else "no wall absorbs and nothing is killed"
        raise ValueError(
            f"t = inf is for problems without time whose walkers all leave, and {why}: give a finite t by which nearly all have "
            "left; expectation(equation, 1.0, x, t) is the share of those that have not"
        )


def _pilot(way: Walks, step: float, most: float) -> tuple[float, float, float]:
    """How long walkers count on average, by when all have left, and a length of steps, `most` at most, with which they do."""
    for _ in range(ATTEMPTS):
        state = way.program.begin(np.repeat(np.array(way.place)[:, None], PILOT, axis=1))
        try:
            stop = _walked(way, state, step, LONG if step == most else SHORT)
        except NotFiniteValue:  # no step may be so long
            if step == most:
                raise
            step = most = step / LONGER
            continue
        if not (state.exit == 0).any():
            return float(_lifetimes(state, stop).mean()), stop, step
        if step == most:
            break
        step = min(LONGER * step, most)
    rate = float(way.question.equation.killing(tuple(map(np.asarray, way.point)), 0.0))
    rare = (
        f"; killing = {rate:.3g} there takes 1/κ = {1.0 / rate:.3g}, {1.0 / rate / step:.3g} steps"
        if rate > 0.0
        else ""
    )
    raise ValueError(
        f"t = inf: {int((state.exit == 0).sum())} of {PILOT} walkers from x = {way.point} are still inside after the time "
        f"{stop:.3g}, which takes {stop / step:.3g} steps: they leave too rarely, or never{rare}. Give a finite t, of which "
        "expectation(equation, 1.0, x, t) is the share of those that are inside, or put an absorbing wall around the domain"
    )


def _walked(way: Walks, state: State, step: float, most: int) -> float:
    """Walk until all have left, or for so many steps; returns the time at the end."""
    done, exits = 0, len(way.walk.domain.exits)
    while done < most and (state.exit == 0).any():
        stop = max(2 * done, SHORT // 4)
        way.program.advance(state, 0, done, stop, step, way.keys)
        released(state, exits)
        done = stop
    return done * step


def _lifetimes(state: State, stop: float) -> Floats:
    """About how long each walker counts: until it has left, or until its weight has fallen to 1/e."""
    known = np.where(state.gone_at > 0.0, state.gone_at, stop)
    with np.errstate(divide="ignore"):
        return np.minimum(known, known / np.abs(np.log(state.weight)))


def _between_jumps(equation: FokkerPlanck) -> Sequence[Coefficient]:
    """The Itô drift, where a diagonal D jumps that between its jumps."""
    if not equation.tensor.diagonal:
        return equation.ito_vector
    declared = enumerate(equation.vector)
    return [slope_between(a, equation.tensor[i, i], equation.convention, i) for i, a in declared]


def _longest_step(question: Question, drift: Sequence[Coefficient]) -> float:
    """Of which noise and drift are well within the domain along every axis that is bounded; infinite if none is."""
    equation = question.equation
    rng = np.random.default_rng(0)
    most = math.inf
    bounds = equation.domain.bounds
    ends = [(low, high) if math.isfinite(high - low) else (0.0, 0.0) for low, high in bounds]
    places = tuple(low + (high - low) * rng.uniform(size=PLACES) for low, high in ends)
    inside = equation.domain.contains(places)
    places = tuple(x[inside] for x in places)
    for axis, (low, high) in enumerate(ends):
        if high > low and inside.any():
            width = NARROW * (high - low)
            noise = _largest(2.0 * equation.tensor[axis, axis](places, 0.0))
            speed = _largest(drift[axis](places, 0.0))
            most = min(most, width**2 / noise if noise else math.inf, width / speed if speed else math.inf)
    return most


def _shortest_time(question: Question, point: tuple[float, ...], drift: Sequence[Coefficient]) -> float:
    """Of those in which noise or drift lead to a wall, walls turn walkers back, or walkers are killed."""
    equation, at = question.equation, tuple(map(np.asarray, point))
    noise = max(float(equation.tensor[i, i](at, 0.0)) for i in range(equation.dimension))
    speed = math.hypot(*(float(a(at, 0.0)) for a in drift))
    rate = float(equation.killing(at, 0.0))
    lengths = [float(wall.distance(at, 0.0)) for wall in question.barriers]
    lengths += [high - low for low, high in equation.domain.bounds]
    lengths += [noise / wall.reactivity for wall in question.barriers if 0.0 < wall.reactivity < math.inf]
    times = [length / (2.0 * noise) * length for length in lengths if noise] + [
        length / speed for length in lengths if speed
    ]
    times += [noise / speed / speed] if noise and speed else []
    times += [1.0 / rate] if rate else []
    return min((t for t in times if 0.0 < t < math.inf), default=math.inf)


def _largest(values: Floats) -> float:
    """The largest size of those that are numbers."""
    sizes = np.abs(values)
    return float(np.max(sizes, where=np.isfinite(sizes), initial=0.0))
