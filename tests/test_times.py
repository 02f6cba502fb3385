"""Which step a time is, in every unit and for every law; and the step that is chosen for a list of times."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import randwalk as rw
from randwalk.model.times import CLOSE, FEW, LONGER, Times, dividing_step, least_whole
from randwalk.problem import Source
from randwalk.validate.run import validate_problem

ABSORB, REFLECT = rw.Absorbing(), rw.Reflecting()
UNITS = [1.0, 1e-3, 1e-9, 1e-15, 1e9]


def walled(dt: float = 1.0) -> rw.LatticeWalk:
    return rw.LatticeWalk(0.5, 0.5, dx=1.0, dt=dt, domain=rw.Interval(-5, 5, ABSORB, ABSORB))


# ---------------------------------------------------------------- which time is meant


@pytest.mark.parametrize("dt", UNITS)
def test_a_time_is_recorded_or_refused(dt: float) -> None:
    """Variance n dx² of the free walk at n steps; any other time is refused and the nearest named, whatever the unit."""
    walk = rw.LatticeWalk(0.5, 0.5, dx=1.0, dt=dt)
    law = rw.pde.exact_law(walk, [dt, 5 * dt])
    run = rw.simulate(walk, 100, [dt, 5 * dt], record=[rw.Maximum()])
    solution = rw.pde.solve(rw.pde.limit(walk), [dt, 5 * dt], cells=64)
    assert law.variance(dt * (1 + 1e-10)) == pytest.approx(1.0, rel=1e-12)
    assert law.variance(5 * dt) == pytest.approx(5.0, rel=1e-12)
    asked: list[Any] = [
        law.variance, law.mean, law.density, run.variance, run.mean, run.density, run[rw.Maximum()].mean, solution.mean,
        lambda t: law.mass([0, 1], t), lambda t: law.smoothed().mass([0, 1], t), lambda t: run.mass([0, 1], t),
        lambda t: solution.mass([0, 1], t), lambda t: law.expect(np.abs, t), lambda t: run.expect(np.abs, t),
    ]  # fmt: skip
    for ask in asked:
        ask(5 * dt)
        for t in (900 * dt, 2 * dt, 0.0, 5 * dt * (1 + 1e-8)):
            with pytest.raises(ValueError, match=r"was not recorded; .* take the nearest"):
                ask(t)
        for t in (math.nan, math.inf, -math.inf):
            with pytest.raises(ValueError, match="finite"):
                ask(t)
        for nonsense in ("1", None, True, 1j):
            with pytest.raises(TypeError, match="t = "):
                ask(nonsense)
    of_one_time: list[Any] = [law.density, run.density, run.smoothing]
    for ask in of_one_time:
        with pytest.raises(TypeError, match="t = "):
            ask([dt, 5 * dt])


@pytest.mark.parametrize("dt", UNITS)
def test_passages_by_the_last_step_at_or_before(dt: float) -> None:
    """From 0 between ±5 nobody is out before step 5, and 2⁻⁵ at either wall with it (one path each)."""
    walk = walled(dt)
    law = rw.pde.exact_law(walk, [10 * dt])
    run = rw.simulate(walk, 1000, [10 * dt], seed=1, record=[rw.FirstPassage()])
    passages = run[rw.FirstPassage()]
    exact = [0.0, 0.0, 0.0, 2.0**-5, 2.0**-5, 2.0**-5]
    times = np.array([0.0, 4.51, 4.999999, 5 * (1 - 1e-10), 5.0, 6.99]) * dt
    for answer in (law.absorbed, law.smoothed().absorbed):
        assert [float(answer("left", t)) for t in times] == answer("left", times).tolist() == exact
    counted = float(passages.counts[5, 0]) / 1000
    for result in (run, passages):
        expected = [0.0, 0.0, 0.0, counted, counted, counted]
        assert result.absorbed("left", times).value.tolist() == expected
        assert [float(result.absorbed("left", t)) for t in times] == expected
    assert law.survival(times).tolist() == [1 - 2 * p for p in exact] == [law.survival(t) for t in times]
    gone = float(passages.counts[5].sum()) / 1000
    for survival in (run.survival, passages.survival):
        assert survival(times).value.tolist() == [1.0, 1.0, 1.0, 1 - gone, 1 - gone, 1 - gone]
    table = times.reshape(2, 3)
    assert (
        law.absorbed("left", table).shape
        == run.absorbed("left", table).value.shape
        == law.survival(table).shape
        == (2, 3)
    )
    answers: list[Any] = [law.absorbed, law.smoothed().absorbed, run.absorbed, passages.absorbed]
    for ask in [*(lambda t, f=f: f("left", t) for f in answers), law.survival, run.survival, passages.survival]:
        for bad in (-dt, 10.5 * dt, [dt, 11 * dt]):
            with pytest.raises(ValueError, match="must lie between 0 and"):
                ask(bad)
        for bad in (math.nan, math.inf, [0.0, math.nan]):
            with pytest.raises(ValueError, match="finite"):
                ask(bad)
        for nonsense in ("1", None, True):
            with pytest.raises(TypeError):
                ask(nonsense)


def test_without_passages_a_run_knows_its_recorded_times() -> None:
    run = rw.simulate(walled(), 1000, [5.0, 10.0], seed=1)
    assert float(run.absorbed("left", 5.0)) == float(run.absorbed("left", [5.0])[0]) == run.gone[0, 0] / 1000
    for ask in (run.survival, lambda t: run.absorbed("left", t)):
        with pytest.raises(ValueError, match="was not recorded"):
            ask(7.0)


def test_neighbouring_steps_far_out_are_told_apart() -> None:
    times = Times((2**31, 2**31 + 1), 0.125, (2**31 / 8, (2**31 + 1) / 8))
    assert [times.row(n / 8) for n in times.steps] == [0, 1]


# ---------------------------------------------------------------- the step that is chosen


def longest_step(unit: float, dx: float, d: float = 0.5) -> float:
    return dx**2 / (6 * d) * unit


@given(
    st.lists(st.floats(1e-3, 10.0), min_size=1, max_size=6, unique=True),
    st.floats(1e-4, 0.1),
    st.sampled_from(UNITS),
)
def test_any_times_are_met_with_a_step_near_the_longest(times: list[float], longest: float, unit: float) -> None:
    """Exactly with at most LONGER times the fewest steps (or FEW), else to less than half a step with at most twice as many."""
    asked, longest = np.sort(times) * unit, longest * unit
    gap = float(np.diff(asked, prepend=0.0).min())
    fewest = asked[-1] / min(longest, gap)
    if fewest > 1e6:
        return
    dt = dividing_step(longest, asked.tolist())
    assert 0 < dt <= longest * (1 + 1e-14)
    steps = asked / dt
    off = np.abs(steps - np.rint(steps))
    assert (np.diff(np.rint(steps), prepend=0.0) >= 1).all()
    if off.max() > 1e-9 * steps[-1]:
        assert off.max() < 0.5 and steps[-1] <= 2 * math.ceil(fewest) + 1e-6
    else:
        assert steps[-1] <= max(FEW, LONGER * math.ceil(fewest)) + 1e-6


@pytest.mark.parametrize("unit", UNITS)
def test_two_times_without_a_measure_are_met_to_a_thousandth(unit: float) -> None:
    """Of 600 candidates some 600 × 2/1000 are this good; here there is one."""
    times = np.array([1.3464589594272631, 2.0]) * unit
    dt = dividing_step(2.0 * unit / 600, times.tolist())
    n = times / dt
    assert np.abs(n - np.rint(n)).max() <= CLOSE and 600 <= round(n[1]) <= 1200


@pytest.mark.parametrize(("dx", "d", "steps"), [(1 / 3, 0.5, 27), (0.1, 0.5, 300), (0.2, 0.5, 75), (1 / 7, 1.0, 294)])
@pytest.mark.parametrize("unit", UNITS)
def test_a_whole_number_is_not_rounded_up(dx: float, d: float, steps: int, unit: float) -> None:
    """6 D t/dx² is the whole number of steps; its floating-point value may lie an ulp above."""
    walk = rw.LatticeWalk.from_drift(0, d / unit, dx=dx, times=[unit])
    assert walk.steps([unit]) == [steps]
    assert float(walk.right(0.0) + walk.left(0.0)) == pytest.approx(1 / 3, rel=1e-14)


def test_least_whole() -> None:
    assert [least_whole(v) for v in (0.3 / 0.1, 2.9999999, 3.0000001, 27 * (1 + 4e-16))] == [3, 3, 4, 27]


def test_times_too_close_together_are_named() -> None:
    with pytest.raises(
        ValueError, match=r"0\.30000000000000004 is only 5.55e-17 after time 0.29999999999999999: leave it out"
    ):
        rw.LatticeWalk.from_drift(0, 0.5, dx=0.1, times=[0.3, 0.1 * 3, 1.0])
    with pytest.raises(ValueError, match="take shorter times or a larger dx"):
        rw.LatticeWalk.from_drift(0, 0.5, dx=1e-6, times=[1.0])


@pytest.mark.parametrize(
    ("dx", "d", "times"),
    [
        (1e-8, 1e-3, [1e-10, 2e-10]),
        (0.1, 0.5, np.geomspace(0.01, 10, 7)),
        (0.1, 0.5, [1.3464589594272631, 2.0]),
        (1e-7, 1e-3, np.geomspace(1e-11, 1e-9, 5)),
        (0.1, 0.5, [math.pi]),
    ],
)
def test_all_the_way(dx: float, d: float, times: Any) -> None:
    """Simulation, exact law, solver and closed form at the times asked for. Variance 2Dt is off by the time error at most."""
    walk = rw.LatticeWalk.from_drift(0.0, d, dx=dx, times=times)
    asked = np.atleast_1d(times)
    assert 0.25 < 6 * d * walk.dt / dx**2 < 1 + 1e-12
    law, run = rw.pde.exact_law(walk, times), rw.simulate(walk, 10**12, times, seed=3, method="occupation")
    np.testing.assert_allclose(law.times, asked, rtol=1e-12)
    np.testing.assert_allclose(run.times, asked, rtol=1e-12)
    assert (np.abs(law.step_times - asked) < 0.5 * walk.dt).all() and law.step_times[-1] == pytest.approx(asked[-1])
    for t, own in zip(asked.tolist(), law.step_times.tolist(), strict=True):
        assert law.variance(t) == law.variance(own) == pytest.approx(2 * d * own, rel=1e-12)
        assert float(run.variance(t)) == pytest.approx(2 * d * own, rel=1e-5)  # 7 standard errors
        assert law.survival(t) == pytest.approx(1.0, abs=1e-12)
    assert rw.validate.compare(run, law).passed
    solution = rw.pde.solve(rw.pde.limit(walk), asked, tolerance=1e-3)
    small = rw.simulate(walk, 1000, times, seed=3)
    assert rw.validate.compare(small, solution).passed
    assert rw.validate.compare(small, rw.pde.closed_form(rw.pde.limit(walk))).passed


def test_a_two_way_walk_records_at_the_nearest_step() -> None:
    walk = rw.LatticeWalk.from_drift(0.0, 0.5, dx=0.1, times=[0.123, 1.0], rule=rw.Rule.TWO_WAY)
    assert walk.dt == pytest.approx(0.01) and walk.steps([0.123, 1.0]) == [12, 100] and walk.inexact_times == (0.123,)
    assert rw.pde.exact_law(walk, [0.123]).variance(0.123) == pytest.approx(0.12, rel=1e-9)
    with pytest.raises(ValueError, match=r"time 0\.124 is not a whole number of steps"):
        walk.steps([0.124])


def test_times_survive_a_file_and_a_new_start(tmp_path: Any) -> None:
    times = [1.3464589594272631, 2.0]
    walk = rw.LatticeWalk.from_drift(0.0, 0.5, dx=0.1, times=times).with_start(0.3)
    run = rw.simulate(walk, 100, times, seed=1, record=[rw.Maximum()])
    run.save(tmp_path / "run.npz")
    again = rw.Ensemble.load(tmp_path / "run.npz")
    assert again.times.tolist() == run.times.tolist() == times
    assert float(again.variance(times[0])) == float(run.variance(times[0]))
    assert float(again[rw.Maximum()].mean(times[0])) == float(run[rw.Maximum()].mean(times[0]))


@pytest.mark.parametrize("bad", [[math.nan], [-1.0, 1.0], math.inf, "1", None, [[1.0]], [1j], [True], [], {}])
def test_times_are_checked_before_anything_else(bad: Any) -> None:
    if bad not in (None, []):
        with pytest.raises((TypeError, ValueError), match="times"):
            rw.LatticeWalk.from_drift(0.0, 0.5, dx=0.1, times=bad)
    for run in (lambda: rw.simulate(walled(), 10, bad), lambda: rw.pde.exact_law(walled(), bad)):
        with pytest.raises((TypeError, ValueError), match="times"):
            run()


def test_times_without_a_measure_are_no_error_of_any_rung() -> None:
    """Rungs compare at the times of the steps, so refining shows the order of the walk, 2, and not the error of the times."""
    text = """
    [walk]
    drift = 0.3
    diffusion = 0.5
    sites = 20
    [domain]
    low = 0.0
    high = 1.0
    left = "absorbing"
    right = "reflecting"
    [start]
    point = 0.5
    [run]
    times = [0.12, 0.31415926535]
    walkers = 20_000
    """
    problem = rw.Problem.of(Source.parse(text))
    assert problem.walk.inexact_times
    report = validate_problem(problem)
    assert report.sampling.passed and report.discretisation.passed and report.solver.passed
    assert 1.8 < report.discretisation.orders[-1] < 2.5


def test_times_beyond_all_numbers_are_refused() -> None:
    walk = rw.LatticeWalk(0.5, 0.5, dx=1.0, dt=1e-9)
    for times in ([1e308], [1e-320, 1.0]):
        with pytest.raises(ValueError, match=r"2³²|its square is no floating-point number"):
            rw.LatticeWalk.from_drift(0.0, 0.5, dx=0.1, times=times)
    with pytest.raises(ValueError, match="more than the 2³²"):
        walk.steps([1e308])
