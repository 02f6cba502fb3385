"""Every solution is right within its error estimate: against closed forms, and where there are none against itself at a
hundredth of the tolerance. An estimate that is more than four times too small counts as a wrong answer."""

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from scipy.special import ndtr

import randwalk as rw
from randwalk.coefficient import Floats
from randwalk.domain import Domain, Wall
from randwalk.pde import FokkerPlanck, backward, closed_form, exit_probability, mean_exit_time, solve
from randwalk.pde.solve import Solution
from randwalk.start import Normal, Point, Sites, Start, Uniform

HONEST = 4.0  # an estimate may be too small by less than this
EDGES = 25  # at most, at which a closed form is evaluated

ABSORBING, REFLECTING = rw.Absorbing(), rw.Reflecting()


def wall(kind: str, speed: float = 1.0) -> Wall:
    return {"A": ABSORBING, "R": REFLECTING, "P": rw.PartiallyAbsorbing(1.5 * speed)}[kind]


def started(kind: str, length: float) -> Start:
    """A start between 0.2 and 0.8 of `length`."""
    return {
        "point": Point(0.4 * length), "uniform": Uniform(0.25 * length, 0.55 * length),
        "normal": Normal(0.45 * length, 0.02 * length), "sites": Sites([0.3 * length, 0.71 * length], [0.3, 0.7]),
    }[kind]  # fmt: skip


def problem(domain: str, start: str, drift: float, killing: float, length: float, time: float) -> FokkerPlanck:
    """D = ½ and what is given in units of `length` and `time`."""
    speed = length / time
    place: Domain
    if domain == "line":
        place = rw.Line()
    elif domain == "ring":
        place = rw.Ring(0.0, length)
    elif len(domain) == 1:
        place = rw.Interval(0.0, math.inf, wall(domain, speed))
    else:
        place = rw.Interval(0.0, length, wall(domain[0], speed), wall(domain[1], speed))
    return FokkerPlanck(drift * speed, 0.5 * length**2 / time, place, started(start, length), killing / time)


def closed_problems() -> Iterator[tuple[str, FokkerPlanck, list[float]]]:
    """(name, problem, times)."""
    domains = ["line", "ring", "A", "R", "P", *("".join(pair) for pair in itertools.product("ARP", repeat=2))]
    starts = itertools.cycle(("point", "uniform", "normal", "sites"))
    for domain, (drift, killing) in itertools.product(domains, ((0.0, 0.0), (2.0, 0.0), (-6.0, 1.5))):
        if domain == "P" and drift:
            drift = 0.5 * drift
        start = next(starts)
        for length, time in ((1.0, 1.0), (1e-6, 1e-9)):
            name = f"{domain} {start} a={drift:g} k={killing:g} L={length:g}"
            yield name, problem(domain, start, drift, killing, length, time), [0.05 * time, 0.4 * time]
    yield "ou", FokkerPlanck(rw.Affine(slope=-2.0), 0.5, start=1.3), [0.1, 2.0]
    yield "stiff ou", FokkerPlanck(rw.Affine(slope=-100.0), 1.0, start=1.0), [0.01, 1.0]
    yield "unstable ou", FokkerPlanck(rw.Affine(slope=1.0), 0.5, start=0.2), [0.3, 2.0]
    yield "benes", FokkerPlanck(rw.Tanh(1.0, 1.0), 0.5, start=0.2), [0.2, 1.0]
    yield "fast ring", FokkerPlanck(1.0, 1.0 / 500.0, rw.Ring(0.0, 1.0), 0.2), [3.3]
    yield "strong drift to a wall", FokkerPlanck(60.0, 1.0, rw.Interval(0.0, 1.0, REFLECTING, ABSORBING), 0.2), [0.01, 0.1]
    yield "layer at a wall", FokkerPlanck(-50.0, 1.0, rw.Interval(0.0, 1.0, REFLECTING, REFLECTING), 0.5, 3.0), [0.2, 1.0]
    yield "narrow uniform far from the walls", FokkerPlanck(
        0.0, 1e-3, rw.Interval(0.0, 1000.0, REFLECTING, ABSORBING), Uniform(500.0, 500.01)
    ), [0.01, 1.0]
    yield "narrow normal far from the walls", FokkerPlanck(
        0.01, 1e-6, rw.Interval(0.0, 100.0, REFLECTING, ABSORBING), Normal(30.0, 1e-3)
    ), [0.01, 1.0]
    yield "tiny D", FokkerPlanck(0.0, 1e-8, rw.Interval(0.0, 1.0, ABSORBING, ABSORBING), 0.5), [1.0]
    yield "hardly anybody left", FokkerPlanck(0.0, 0.5, rw.Interval(0.0, 1.0, ABSORBING, ABSORBING), 0.5), [0.01, 14.0]
    yield "two far sites", FokkerPlanck(0.0, 0.5, start=Sites([-300.0, 300.0], [0.5, 0.5])), [0.5]
    yield "flat with killing", FokkerPlanck(0.0, 1.0, rw.Interval(0.0, 1.0, REFLECTING, REFLECTING), 0.5, 1.0), [1.0, 8.0]


CLOSED = {name: (equation, times) for name, equation, times in closed_problems()}
QUICK = [name for name in list(CLOSED)[::5] if "normal" not in name] + list(CLOSED)[-13:]


def true_errors(solution: Solution) -> Floats:
    """At each recorded time, in the norm of the estimate: the cdf at cell edges and what has left."""
    form = closed_form(solution.equation)
    edges = solution.edges[:: max(1, solution.edges.size // EDGES)]
    walls = [side for side in ("left", "right") if getattr(solution.equation.domain, side) not in (None, REFLECTING)]
    errors = []
    for t in solution.times:
        parts = [np.abs(solution.cdf(edges, t) - form.cdf(edges, t)).max()]
        parts += [abs(float(solution.passed(side, t) - form.passed(side, t))) for side in walls]
        parts.append(abs(float(solution.survival(t) - form.survival(t))))
        errors.append(max(parts))
    return np.array(errors)


def check(solution: Solution, tolerance: float, errors: Floats) -> None:
    assert solution.error_estimate <= tolerance
    assert (errors <= HONEST * solution.errors + 1e-12).all(), (errors, solution.errors)


@pytest.mark.parametrize("name", QUICK)
def test_closed_forms(name: str) -> None:
    equation, times = CLOSED[name]
    solution = solve(equation, times, 1e-2)
    check(solution, 1e-2, true_errors(solution))


@pytest.mark.long
@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.parametrize("tolerance", [1e-2, 1e-4, 1e-6])
def test_closed_forms_to_any_tolerance(name: str, tolerance: float) -> None:
    equation, times = CLOSED[name]
    solution = solve(equation, times, tolerance)
    check(solution, tolerance, true_errors(solution))
