"""The value of an equation's solution at a point, by walks from it (the formula of Feynman and Kac)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from randwalk.inputs.arguments import one_of
from randwalk.inputs.wording import shown
from randwalk.kernels.compile import check_compiler
from randwalk.kernels.philox import key
from randwalk.model.coefficient import CoefficientLike
from randwalk.model.declaration import positive
from randwalk.run.task import checked_seed

from ..equation import FokkerPlanck
from .estimate import Expectation, ToleranceNotMet
from .question import Question, points_of
from .sampling import Method, Sample
from .spheres import Spheres, obstacles
from .tolerance import OutOfReach, balanced, to_tolerance
from .walks import Walks

METHODS = ("auto", "spheres", "walk")
WALKERS = 100_000  # where neither walkers nor a tolerance is given


def expectation(
    equation: FokkerPlanck,
    payoff: CoefficientLike,
    x: Any,
    t: ArrayLike,
    *,
    source: CoefficientLike = 0.0,
    boundary: CoefficientLike | Mapping[str, CoefficientLike] = 0.0,
    tolerance: float | None = None,
    walkers: int | None = None,
    dt: float | None = None,
    method: str = "auto",
    seed: int = 0,
    threads: int | None = None,
) -> Expectation:
    check_compiler()
    question = Question.of(equation, payoff, source, boundary)
    points, times, shape = points_of(equation, x, t)
    seed = checked_seed(seed)
    wanted = None if tolerance is None else positive("tolerance", tolerance)
    most = _checked_walkers(walkers)
    one_of("method", method, METHODS)
    for point in points:
        question.check_inside(point)
    made, missed = [], None
    for number, (point, time) in enumerate(zip(points, times, strict=True)):
        keys = key(seed, *([number] if number else []))
        way = _way(question, point, time, method, dt, keys)
        try:
            if wanted is None:
                made.append(balanced(way, most or WALKERS, way.first, dt is None, threads))
            else:
                made.append(to_tolerance(way, wanted, most, way.first, dt is None, threads))
        except OutOfReach as reason:
            made.append(reason.sample)
            missed = missed or f"tolerance = {tolerance:g} is out of reach at x = {_place(point)}: {reason}"
    found = _together(made, shape)
    if missed:
        raise ToleranceNotMet(f"{missed}. What has been reached, {found!r}, is in .reached of this error", found)
    return found


def _way(question: Question, point: tuple[float, ...], t: float, method: str, dt: float | None, keys: Any) -> Method:
    """How walks are made from a point."""
    reasons = list(obstacles(question, t)) if method != "walk" else ["method = 'walk'"]
    if not reasons and dt is None:
        return Spheres(question, point, keys)
    if method == "spheres":
        raise ValueError(f"method = 'spheres': {'; '.join(reasons) or 'spheres have no dt'}")
    if math.isinf(t):
        raise ValueError(f"t = inf is for walks on spheres, and {'; '.join(reasons)}: give a finite t")
    return Walks(question, point, t, keys, None if dt is None else _steps(t, dt))


def _steps(t: float, dt: Any) -> int:
    """How many steps of dt are t: a multiple of four, so that two coarser levels exist."""
    steps = t / positive("dt", dt)
    whole = round(steps)
    if whole < 4 or whole % 4 or abs(steps - whole) > 1e-9 * steps:
        near = 4 * max(1, round(steps / 4.0))
        raise ValueError(f"dt = {dt:g}: t = {t:g} must be a multiple of 4 dt; take dt = {t / near:.15g}")
    return whole


def _checked_walkers(walkers: Any) -> int | None:
    if walkers is None:
        return None
    if isinstance(walkers, bool) or not isinstance(walkers, (int, np.integer)) or walkers < 2:
        raise ValueError(f"walkers = {shown(walkers)}: must be a whole number from 2")
    return int(walkers)


def _place(point: tuple[float, ...]) -> Any:
    return point if len(point) > 1 else point[0]


def _together(samples: list[Sample], shape: tuple[int, ...]) -> Expectation:
    """The values at all points."""

    def array(values: list[Any], kind: Any = np.float64) -> Any:
        return np.array(values, dtype=kind).reshape(shape)

    method = samples[0].method
    return Expectation(
        array([s.value for s in samples]), array([s.error for s in samples]), array([s.statistical for s in samples]),
        array([s.step_error for s in samples]), array([s.method.dt(s.resolution) for s in samples]),
        array([s.walkers for s in samples], np.int64), method.order, array([1.0 for s in samples]), method.name,
    )  # fmt: skip
