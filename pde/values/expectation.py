"""The value of an equation's solution at a point, by walks from it (the formula of Feynman and Kac)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from randwalk.inputs.arguments import one_of
from randwalk.inputs.wording import shown
from randwalk.kernels.compile import check_compiler
from randwalk.kernels.philox import key
from randwalk.model.coefficient import CoefficientLike
from randwalk.run.task import checked_seed

from ..equation import FokkerPlanck
from ..solver.arguments import checked_tolerance
from .estimate import Expectation, ToleranceNotMet
from .question import Question, points_of
from .sampling import Sample
from .spheres import Spheres, obstacles
from .tolerance import OutOfReach, to_tolerance

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
    wanted = None if tolerance is None else checked_tolerance(tolerance)
    most = _checked_walkers(walkers)
    one_of("method", method, METHODS)
    for point in points:
        question.check_inside(point)
    made, missed = [], None
    for number, (point, time) in enumerate(zip(points, times, strict=True)):
        keys = key(seed, *([number] if number else []))
        way = _way(question, point, time, method, keys)
        try:
            if wanted is None:
                made.append(Sample.of(way, way.first, most or WALKERS, threads))
            else:
                made.append(to_tolerance(way, wanted, most, way.first, dt is None, threads))
        except OutOfReach as reason:
            made.append(reason.sample)
            missed = missed or f"tolerance = {tolerance:g} is out of reach at x = {_place(point)}: {reason}"
    found = _together(made, shape)
    if missed:
        raise ToleranceNotMet(f"{missed}. What has been reached, {found!r}, is in .reached of this error", found)
    return found


def _way(question: Question, point: tuple[float, ...], t: float, method: str, keys: Any) -> Spheres:
    reasons = list(obstacles(question, t))
    if not reasons:
        return Spheres(question, point, keys)
    if method == "spheres":
        raise ValueError(f"method = 'spheres': {'; '.join(reasons)}")
    raise ValueError(f"t = {t}: {'; '.join(reasons)}")


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
