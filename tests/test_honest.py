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
from randwalk.model.coefficient import Floats
from randwalk.model.domain import Domain, Wall
from randwalk.model.start import Normal, Point, Sites, Start, Uniform
from randwalk.pde import FokkerPlanck, backward, closed_form, exit_probability, mean_exit_time, solve
from randwalk.pde.solve import Solution

HONEST = 4.0  # an estimate may be too small by less than this
EDGES = 25  # at most, at which a closed form is evaluated

ABSORBING, REFLECTING = rw.Absorbing(), rw.Reflecting()


def wall(kind: str, speed: float = 1.0) -> Wall:
    walls: dict[str, Wall] = {"A": ABSORBING, "R": REFLECTING, "P": rw.PartiallyAbsorbing(1.5 * speed)}
    return walls[kind]


def started(kind: str, length: float) -> Start:
    """A start between 0.2 and 0.8 of `length`."""
    starts: dict[str, Start] = {
        "point": Point(0.4 * length),
        "uniform": Uniform(0.25 * length, 0.55 * length),
        "normal": Normal(0.45 * length, 0.02 * length),
        "sites": Sites([0.3 * length, 0.71 * length], [0.3, 0.7]),
    }
    return starts[kind]


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
    return FokkerPlanck(
        drift * speed, 0.5 * length**2 / time, domain=place, start=started(start, length), killing=killing / time
    )


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
    yield "fast ring", FokkerPlanck(1.0, 1.0 / 500.0, domain=rw.Ring(0.0, 1.0), start=0.2), [3.3]
    yield (
        "strong drift to a wall",
        FokkerPlanck(60.0, 1.0, domain=rw.Interval(0.0, 1.0, REFLECTING, ABSORBING), start=0.2),
        [0.01, 0.1],
    )
    yield (
        "layer at a wall",
        FokkerPlanck(-50.0, 1.0, domain=rw.Interval(0.0, 1.0, REFLECTING, REFLECTING), start=0.5, killing=3.0),
        [0.2, 1.0],
    )
    yield (
        "narrow uniform far from the walls",
        FokkerPlanck(0.0, 1e-3, domain=rw.Interval(0.0, 1000.0, REFLECTING, ABSORBING), start=Uniform(500.0, 500.01)),
        [0.01, 1.0],
    )
    yield (
        "narrow normal far from the walls",
        FokkerPlanck(0.01, 1e-6, domain=rw.Interval(0.0, 100.0, REFLECTING, ABSORBING), start=Normal(30.0, 1e-3)),
        [0.01, 1.0],
    )
    yield "tiny D", FokkerPlanck(0.0, 1e-8, domain=rw.Interval(0.0, 1.0, ABSORBING, ABSORBING), start=0.5), [1.0]
    yield (
        "hardly anybody left",
        FokkerPlanck(0.0, 0.5, domain=rw.Interval(0.0, 1.0, ABSORBING, ABSORBING), start=0.5),
        [0.01, 14.0],
    )
    yield "two far sites", FokkerPlanck(0.0, 0.5, start=Sites([-300.0, 300.0], [0.5, 0.5])), [0.5]
    yield (
        "flat with killing",
        FokkerPlanck(0.0, 1.0, domain=rw.Interval(0.0, 1.0, REFLECTING, REFLECTING), start=0.5, killing=1.0),
        [1.0, 8.0],
    )


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
        parts += [abs(float(solution.absorbed(side, t) - form.absorbed(side, t))) for side in walls]
        parts.append(abs(float(solution.survival(t) - form.survival(t))))
        errors.append(max(parts))
    return np.array(errors)


def check(solution: Solution, tolerance: float, errors: Floats) -> None:
    assert solution.error_estimate <= tolerance
    assert (errors <= HONEST * solution.errors + 1e-12).all(), (errors, solution.errors)


@pytest.mark.parametrize("name", QUICK)
def test_closed_forms(name: str) -> None:
    equation, times = CLOSED[name]
    solution = solve(equation, times, tolerance=1e-2)
    check(solution, 1e-2, true_errors(solution))


@pytest.mark.long
@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.parametrize("tolerance", [1e-2, 1e-4, 1e-6])
def test_closed_forms_to_any_tolerance(name: str, tolerance: float) -> None:
    if name == "fast ring" and tolerance < 1e-4:
        pytest.skip("takes minutes: steps have to follow the drift round the ring")
    equation, times = CLOSED[name]
    solution = solve(equation, times, tolerance=tolerance)
    check(solution, tolerance, true_errors(solution))


@pytest.mark.parametrize("start", [0.5, 0.05])
def test_passage_between_recorded_times(start: float) -> None:
    """Far from the recorded times the curves may be poor, and ``passage_error`` says so."""
    equation = FokkerPlanck(1.0, 0.5, domain=rw.Interval(0.0, 1.0, ABSORBING, REFLECTING), start=start, killing=0.3)
    solution, form, t = solve(equation, [0.5, 1.0], tolerance=1e-3), closed_form(equation), np.linspace(1e-3, 1.0, 200)
    errors = [np.abs(solution.absorbed(side, t) - form.absorbed(side, t)).max() for side in ("left", "killing")]
    assert max(errors) <= HONEST * solution.passage_error
    assert solution.error_estimate <= 1e-3 < solution.passage_error


NO_CLOSED_FORM: dict[str, tuple[FokkerPlanck, list[float]]] = {
    "p(x, t)": (FokkerPlanck(rw.expression("cos(3*t) - x**3"), rw.expression("0.3 + 0.2*sin(x + t)"), start=0.5), [0.2, 1.0]),
    "Fick": (
        FokkerPlanck(0.5, rw.expression("0.3 + 0.5*x"), domain=rw.Interval(0.0, 1.0, rw.PartiallyAbsorbing(1.0), REFLECTING),
                     start=Uniform(0.2, 1.0), convention=rw.Convention.FICK), [0.1, 0.4],
    ),
    "table": (
        FokkerPlanck(
            rw.Table(np.linspace(-3, 3, 13), np.sin(np.arange(13.0))), 0.2, domain=rw.Interval(-3.0, 3.0, ABSORBING, REFLECTING)
        ),
        [0.3, 2.0],
    ),
    "killing in space": (
        FokkerPlanck(0.0, 0.1, domain=rw.Ring(0.0, 1.0), start=0.3, killing=rw.expression("5*exp(-((x-0.6)/0.02)**2)")),
        [0.2, 1.0],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NO_CLOSED_FORM)
def test_against_a_hundredth_of_the_tolerance(name: str) -> None:
    equation, times = NO_CLOSED_FORM[name]
    found, right = solve(equation, times, tolerance=1e-2), solve(equation, times, tolerance=1e-4)
    edges = found.edges
    for t, error in zip(times, found.errors, strict=True):
        assert np.abs(found.cdf(edges, t) - right.cdf(edges, t)).max() <= HONEST * error + 2e-4
        assert abs(float(found.survival(t) - right.survival(t))) <= HONEST * error + 1e-4
    assert found.error_estimate <= 1e-2


@pytest.mark.parametrize("tolerance", [1e-2, 1e-4])
@pytest.mark.parametrize("drift", [0.3, 5.0, -40.0])
def test_exits(tolerance: float, drift: float) -> None:
    """D = 1 between 0, absorbing, and 1, absorbing: P(right) = (1 - e^(-ax))/(1 - e^(-a)), mean time (P(right) - x)/a."""
    box = FokkerPlanck(drift, 1.0, domain=rw.Interval(0.0, 1.0, ABSORBING, ABSORBING), start=0.5)
    time, right = mean_exit_time(box, tolerance=tolerance), exit_probability(box, "right", tolerance=tolerance)
    x = time.x
    exact = np.expm1(-drift * x) / math.expm1(-drift)
    error = np.abs(time.u - (exact - x) / drift).max()
    assert error <= HONEST * time.error_estimate + 1e-13 and time.error_estimate <= tolerance * time.u.max()
    exact = np.expm1(-drift * right.x) / math.expm1(-drift)
    assert np.abs(right.u - exact).max() <= HONEST * right.error_estimate + 1e-12
    assert right.error_estimate <= tolerance * right.u.max()


PAYOFFS: dict[str, tuple[Callable[[Any], Any], Callable[[Floats, float, float], Floats]]] = {
    "step": (lambda x: np.heaviside(x - 0.123, 0.5), lambda x, m, s: ndtr((x + m - 0.123) / s)),
    "square": (lambda x: x**2, lambda x, m, s: (x + m) ** 2 + s**2),
    "narrow": (
        lambda x: np.exp(-(((x - 0.1) / 0.01) ** 2)),
        lambda x, m, s: np.exp(-((x + m - 0.1) ** 2) / (1e-4 + 2 * s * s)) / math.sqrt(1.0 + 2e4 * s * s),
    ),
}


@pytest.mark.parametrize("name", PAYOFFS)
@pytest.mark.parametrize("drift", [0.0, 3.0])
def test_payoffs(name: str, drift: float) -> None:
    payoff, exact = PAYOFFS[name]
    t, diffusion = 0.5, 0.2
    found = backward(FokkerPlanck(drift, diffusion), payoff, t, tolerance=1e-3, over=(-2.0, 1.0))
    x = np.linspace(-2.0, 1.0, 40)
    right = exact(x, drift * t, math.sqrt(2 * diffusion * t))
    assert np.abs(found.value(x) - right).max() <= HONEST * found.error_estimate
    assert found.error_estimate <= 1.01e-3 * np.abs(right).max()
