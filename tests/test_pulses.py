"""Coefficients that change quickly in time are not stepped over: laws whose mean, variance and killing are integrals."""

import math
import tracemalloc
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pytest
from scipy.special import ndtr

import randwalk as rw
from randwalk.model.coefficient import CoefficientLike
from randwalk.pde import CrankNicolson, FokkerPlanck, backward, closed_form, solve
from randwalk.pde.pace import Pace
from randwalk.pde.solver.schemes import Clock, Scheme

Integral: TypeAlias = Callable[[float], float]

HONEST = 4.0
E = rw.expression


def nothing(t: float) -> float:
    return 0.0


def switched(height: float, begin: float, end: float = math.inf) -> Integral:
    return lambda t: height * (min(max(t, begin), end) - begin)


def bell(area: float, centre: float, width: float) -> Integral:
    return lambda t: 0.5 * area * (math.erf((t - centre) / width) + math.erf(centre / width))


PULSE = "heaviside(t-0.3712)-heaviside(t-0.3722)"
CASES: dict[str, tuple[CoefficientLike, CoefficientLike, CoefficientLike, Integral, Integral, Integral]] = {
    "drift": (E(f"1000*({PULSE})"), 0.5, 0, switched(1e3, 0.3712, 0.3722), lambda t: t, nothing),
    "killing": (0, 0.5, E(f"2000*({PULSE})"), nothing, lambda t: t, switched(2e3, 0.3712, 0.3722)),
    "diffusion": (0, E(f"0.5+1000*({PULSE})"), 0, nothing, lambda t: t + switched(2e3, 0.3712, 0.3722)(t), nothing),
    "diffusion on": (0, E("0.01+0.5*heaviside(t-0.5)"), 0, nothing, lambda t: 0.02 * t + switched(1.0, 0.5)(t), nothing),
    "at the end": (E("1000*heaviside(t-0.9995)"), 0.5, 0, switched(1e3, 0.9995), lambda t: t, nothing),
    "on at a recorded time": (E("3*heaviside(t-0.4)"), 0.5, 0, switched(3.0, 0.4), lambda t: t, nothing),
    "fast drive": (E("20*cos(200*t)"), 0.5, 0, lambda t: 0.1 * math.sin(200 * t), lambda t: t, nothing),
    "fast killing": (0, 0.5, E("1+sin(200*t)"), nothing, lambda t: t, lambda t: t + (1 - math.cos(200 * t)) / 200),
    "bell": (
        E("1000*exp(-((t-0.3)/0.001)**2)"), 0.5, 0, bell(math.sqrt(math.pi), 0.3, 1e-3), lambda t: t, nothing,
    ),
    "narrow bell of killing": (
        0, 0.5, E("100000*exp(-((t-0.5)/1e-5)**2)"), nothing, lambda t: t, bell(math.sqrt(math.pi), 0.5, 1e-5),
    ),
    "kink": (E("abs(t-0.4)*5"), 0.5, 0, lambda t: 0.4 + 2.5 * (t - 0.4) * abs(t - 0.4), lambda t: t, nothing),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_happens_quickly_is_seen(name: str) -> None:
    drift, diffusion, killing, mean, variance, killed = CASES[name]
    times = [0.2, 0.4, 1.0]
    solution = solve(FokkerPlanck(drift, diffusion, killing=killing), times, tolerance=1e-2)
    assert solution.error_estimate <= 1e-2
    for t, error in zip(times, solution.errors, strict=True):
        alive, edges = math.exp(-killed(t)), solution.edges
        right = alive * ndtr((edges - mean(t)) / math.sqrt(variance(t)))
        assert np.abs(solution.cdf(edges, t) - right).max() <= HONEST * error
        assert abs(float(solution.absorbed("killing", t)) - (1.0 - alive)) <= HONEST * error


def test_the_mean_after_a_pulse_in_any_unit() -> None:
    """1000 for a thousandth of the time moves everybody by 1; the mean is kept exactly by the fluxes."""
    equation = FokkerPlanck(E(f"1000*({PULSE})"), 0.5)
    assert solve(equation, [1.0], tolerance=1e-3).mean(1.0) == pytest.approx(1.0, abs=1e-4)
    small = FokkerPlanck(E("1e6*(heaviside(t-0.3712e-9)-heaviside(t-0.3722e-9))"), 0.5e-3)  # μm and ns
    assert solve(small, [1e-9], tolerance=1e-3).mean(1e-9) == pytest.approx(1e-6, abs=1e-10)


def test_a_pulse_backward() -> None:
    """E[X_T] is the start plus 1, whenever in between the pulse is."""
    for begin in (0.1, 0.3712, 0.95):
        pulse = E(f"1000*(heaviside(t-{begin})-heaviside(t-{begin}-0.001))")
        found = backward(FokkerPlanck(pulse, 0.5), lambda x: x, 1.0, tolerance=1e-3, over=(-1.0, 1.0))
        x = np.linspace(-1.0, 1.0, 9)
        assert np.abs(found.value(x) - x - 1.0).max() <= HONEST * found.error_estimate + 1e-9


@pytest.mark.parametrize("switches", [50, pytest.param(1000, marks=pytest.mark.long)])
def test_many_switches(switches: int) -> None:
    """Back and forth by 20/switches: where it began, with the variance of diffusion."""
    solution = solve(FokkerPlanck(E(f"20*sign(sin({switches * math.pi!r}*t))"), 0.5), [1.0], tolerance=1e-2)
    right = ndtr(solution.edges)
    assert np.abs(solution.cdf(solution.edges, 1.0) - right).max() <= HONEST * solution.error_estimate <= HONEST * 1e-2


@pytest.mark.parametrize("scheme", [None, CrankNicolson(), CrankNicolson(dt=0.05)])
def test_killing_that_jumps_in_time_and_place(scheme: Scheme | None) -> None:
    """A region is emptied at once at t = 0.35; against the same at a tenth of the tolerance."""
    equation = FokkerPlanck(
        0.0, 0.05, domain=rw.Interval(0.0, 1.0, rw.Reflecting(), rw.Reflecting()), start=0.5,
        killing=E("1000*heaviside(t-0.35)*heaviside(x-0.6)"),
    )  # fmt: skip
    found, right = solve(equation, [0.5], tolerance=1e-2, scheme=scheme), solve(equation, [0.5], tolerance=1e-3)
    difference = abs(float(found.survival(0.5) - right.survival(0.5)))
    assert difference <= HONEST * found.error_estimate + right.error_estimate
    assert found.density.min() >= -1e-13 * found.density.max()


def test_a_moving_break() -> None:
    """A step of the drift that travels with the mass, against the same at a tenth of the tolerance: first order, and so told."""
    equation = FokkerPlanck(E("2*heaviside(x-t)"), 0.5)
    found, right = solve(equation, [1.0], tolerance=1e-2), solve(equation, [1.0], tolerance=1e-3)
    edges = found.edges
    assert np.abs(found.cdf(edges, 1.0) - right.cdf(edges, 1.0)).max() <= HONEST * found.error_estimate + 1e-3


def test_steps_follow_the_tolerance() -> None:
    """What is flat after the first record needs no steps for an error of 1e-11 that nobody asked for."""
    flat = FokkerPlanck(0, 1, domain=rw.Interval(0, 1, rw.Reflecting(), rw.Reflecting()), start=0.5, killing=1)
    for solution in (solve(flat, [1, 2, 4, 8], tolerance=1e-2), solve(flat, [1, 2, 4, 8], cells=16)):
        assert solution.steps < 500
        assert (
            np.abs(solution.survival(solution.times) - np.exp(-solution.times)).max()
            <= HONEST * solution.error_estimate
        )
    layer = FokkerPlanck(-50, 1, domain=rw.Interval(0, 1, rw.Reflecting(), rw.Reflecting()), start=0.5, killing=3)
    solution = solve(layer, [0.2, 1], tolerance=1e-2)
    assert solution.steps < 500 and solution.error_estimate <= 1e-2


def test_a_grid_on_which_all_is_flat_is_not_believed() -> None:
    """A wrapped normal law that has gone round 5 times and is still narrow."""
    ring = FokkerPlanck(1.0, 1 / 1000, domain=rw.Ring(0, 1), start=0.2)
    solution, t = solve(ring, [5.3], tolerance=1e-2), 5.3
    edges = solution.edges[::50]
    assert np.abs(solution.cdf(edges, t) - closed_form(ring).cdf(edges, t)).max() <= HONEST * solution.error_estimate
    assert solution.error_estimate <= 1e-2


def test_a_backward_solution_keeps_no_states() -> None:
    """Hundreds of steps on thousands of cells, in the memory of some states (here 200 of 8 bytes a cell)."""
    equation = FokkerPlanck(1, 1, domain=rw.Interval(0, 1, rw.Reflecting(), rw.Absorbing()), start=0.5)
    backward(equation, lambda x: np.ones_like(x), 0.1, tolerance=1e-2)
    tracemalloc.start()
    found = backward(equation, lambda x: np.ones_like(x), 0.1, tolerance=1e-10)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.x.size > 1000
    assert peak < 200 * 8 * found.x.size


def test_steps_end_on_breaks_and_resolve_quick_parts() -> None:
    equation = FokkerPlanck(E("heaviside(t-0.3)+exp(-((t-0.6)/1e-4)**2)"), 0.5)
    pace = Pace.of(equation, 1.0, (0.0, 0.0))
    clock = Clock.octaves(np.array([1.0]), 16, pace)
    assert pace.breaks == pytest.approx((0.3,))
    assert any(stretch.end == pace.breaks[0] for stretch in clock.stretches)
    near = [s for s in clock.stretches if s.begin < 0.6 <= s.end]
    assert all((s.end - s.begin) / s.steps < 1e-4 for s in near)
    assert clock.steps < 2000
    back = pace.mirrored()
    assert back.breaks == pytest.approx((0.7,))
    assert Clock.octaves(np.array([1.0]), 16, back).steps == pytest.approx(clock.steps, rel=0.1)


# ---------------------------------------------------------------- walks

SHORT = f"({PULSE})"  # 0.001, shorter than the step 1/300 of D = ½ and dx = 0.1


@pytest.mark.parametrize("dt", [None, 0.01, 0.1])
@pytest.mark.parametrize("begin", [0.3712, 0.1, 0.9995 - 1e-9])
def test_a_step_sees_a_pulse_of_killing_that_is_shorter(dt: float | None, begin: float) -> None:
    """e⁻¹ is left after 1000 for a thousandth, wherever it falls; less where some of it is after the end."""
    pulse = E(f"1e3*(heaviside(t-{begin!r})-heaviside(t-{begin + 1e-3!r}))")
    dx = 0.1 if dt is None else 0.5
    walk = rw.LatticeWalk.from_drift(0, 0.5, dx=dx, dt=dt, killing=pulse, times=[1.0])
    expected = math.exp(-min(1.0, (1.0 - begin) / 1e-3))
    assert float(rw.pde.exact_law(walk, [1.0]).survival(1.0)) == pytest.approx(expected, rel=1e-6)
    declared = rw.LatticeWalk(0.3, 0.3, dx=0.5, dt=0.1, killing=pulse)
    assert float(rw.pde.exact_law(declared, [1.0]).survival(1.0)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("rule", [rw.Rule.EXACT_VARIANCE, rw.Rule.LINEAR, rw.Rule.FITTED])
@pytest.mark.parametrize("unit", [1.0, 1e-9])
def test_a_walk_is_moved_by_a_short_pulse_of_drift(rule: rw.Rule, unit: float) -> None:
    """20 for a thousandth of the unit of time moves everybody by 0.02."""
    drift = E(f"{20 / unit!r}*(heaviside(t-{0.3712 * unit!r})-heaviside(t-{0.3722 * unit!r}))")
    walk = rw.LatticeWalk.from_drift(drift, 0.5 / unit, dx=0.1, times=[unit], rule=rule)
    assert float(rw.pde.exact_law(walk, [unit]).mean(unit)) == pytest.approx(0.02, rel=1e-6)
    run = rw.simulate(walk, 100_000, [unit])
    assert float(run.mean(unit)) == pytest.approx(0.02, abs=5 * (1.0 / 100_000) ** 0.5)  # one false alarm in 10⁶


def test_a_walk_diffuses_in_a_short_pulse() -> None:
    """2 ∫ D = 1 + 2 × 10 × 0.001."""
    walk = rw.LatticeWalk.from_drift(0, E(f"0.5+10*{SHORT}"), dx=0.1, times=[1.0])
    assert float(rw.pde.exact_law(walk, [1.0]).variance(1.0)) == pytest.approx(1.02, rel=1e-6)


def test_walk_and_equation_agree_to_second_order_in_dx() -> None:
    """A killing of 1000 x for 0.0002 between reflecting walls, by half the dx and a quarter of the step."""
    killing = E("x*1000*(heaviside(t-0.0101)-heaviside(t-0.0103))")
    shared: dict[str, Any] = {
        "domain": rw.Interval(0, 1, rw.Reflecting(), rw.Reflecting()),
        "start": rw.Uniform(0.4, 0.6),
    }
    right = solve(FokkerPlanck(0, 0.1, killing=killing, **shared), [0.1], tolerance=1e-5).mass([0.6, 1.0], 0.1)
    errors = []
    for sites in (20, 40, 80):
        walk = rw.LatticeWalk.from_drift(0, 0.1, sites=sites, killing=killing, times=[0.1], **shared)
        errors.append(abs(float((rw.pde.exact_law(walk, [0.1]).smoothed().mass([0.6, 1.0], 0.1) - right)[0])))
    assert math.log2(errors[0] / errors[2]) / 2 == pytest.approx(2.0, abs=0.3)


def test_a_chosen_step_resolves_a_narrow_bell() -> None:
    killing = E("1000*exp(-((t-0.3)/0.001)**2)")
    walk = rw.LatticeWalk.from_drift(0, 0.5, dx=0.1, killing=killing, times=[1.0])
    alive = float(rw.pde.exact_law(walk, [1.0]).survival(1.0))
    assert alive == pytest.approx(math.exp(-math.sqrt(math.pi)), rel=2e-3)


def test_a_given_step_longer_than_a_bell_is_said() -> None:
    killing = E("1000*exp(-((t-0.3)/0.001)**2)")
    walk = rw.LatticeWalk.from_drift(0, 0.5, dx=0.1, dt=1 / 300, killing=killing)
    with pytest.warns(RuntimeWarning, match=r"change within .* less than a step of dt = 0.0033.*; take dt ≤ 0.000"):
        rw.pde.exact_law(walk, [1.0])


@pytest.mark.parametrize("dt", [0.1, 0.025, 1 / 128])
def test_a_break_at_a_step_is_read_after_it(dt: float) -> None:
    """Killing that ends, or begins, at 0.3 = n dt: exact whatever side of 0.3 rounding leaves n dt on."""
    for text, expected in (("heaviside(t-0.3)", 0.7), ("heaviside(0.3-t)", 0.3)):
        walk = rw.LatticeWalk(0.3, 0.3, dx=1.0, dt=dt, killing=E(text))
        end = 128 * dt if dt == 1 / 128 else 1.0
        left = float(rw.pde.exact_law(walk, [end]).survival(end))
        assert -math.log(left) == pytest.approx(expected, rel=1e-6)


def test_remedies_for_a_pulse_of_drift_work() -> None:
    """Moved by 0.1, a whole site, in a thousandth: the rule is followed wherever the pulse falls in a step."""
    drift = E(f"100*{SHORT}")
    walk = rw.LatticeWalk.from_drift(drift, 0.5, dx=0.1, times=[1.0])
    with pytest.raises(ValueError, match=r"right \+ left = .*; take dx ≤ 0.0101 without|rule=Rule.FITTED") as refused:
        rw.pde.exact_law(walk, [1.0])
    longest = float(str(refused.value).split("FITTED) with dt ≤ ")[1])
    for steps in (math.ceil(1 / longest), math.ceil(1 / longest) + 7, math.ceil(1.3 / longest)):
        better = rw.LatticeWalk.from_drift(drift, 0.5, dx=0.1, dt=1 / steps, rule=rw.Rule.FITTED)
        assert float(rw.pde.exact_law(better, [1.0]).mean(1.0)) == pytest.approx(0.1, rel=1e-6)
