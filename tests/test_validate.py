"""The evidence itself: do the tests keep their false-alarm rate, see what they say they see, and judge as they state?"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

import randwalk as rw
from randwalk.validate import MeasuredCounts, case_names, compare, load_case, refine, validate, validate_problem
from randwalk.validate.compare import Outcomes, chi_square, kolmogorov_smirnov
from randwalk.validate.convergence import Convergence, Measure, measure_for, reference, walk_convergence
from randwalk.validate.measured import MeasuredCurve
from randwalk.validate.power import detectable, holm

WALK = rw.LatticeWalk(0.3, 0.5, dx=1.0, dt=1.0)


def test_p_values_are_uniform_when_the_hypothesis_is_true() -> None:
    law = rw.pde.exact_law(WALK, [20])
    p = [compare(rw.simulate(WALK, 20_000, [20], seed=s, method="jump"), law).checks[0].p_value for s in range(300)]
    assert stats.kstest(p, "uniform").pvalue > 1e-4  # false-alarm rate of this test


def test_the_stated_bias_is_seen_nine_times_in_ten() -> None:
    freedom, total, runs = 9, 10_000, 400
    delta = detectable(freedom, total)
    signs = np.tile([1.0, -1.0], 5)
    rng = np.random.default_rng(1)
    critical = stats.chi2.isf(1e-3, freedom)
    counts = rng.multinomial(total, 0.1 * (1 + delta * signs), runs)
    seen = int((((counts - total / 10) ** 2 / (total / 10)).sum(axis=1) > critical).sum())
    low, high = stats.binom.interval(1 - 1e-6, runs, 0.9)  # false-alarm rate 1e-6
    assert (
        low - 8 <= seen <= high + 8
    )  # ±2 % of runs: the non-central chi-square is itself a limit law of the statistic


def test_holm_against_its_definition() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]).tolist() == [1.0, 1.0]


def test_chi_square_is_scipys_where_nothing_is_merged() -> None:
    rng = np.random.default_rng(2)
    p = np.array([0.2, 0.3, 0.1, 0.4])
    counts = rng.multinomial(5000, p)
    check = chi_square(Outcomes("", np.arange(4.0), counts, p))
    expected = stats.chisquare(counts, 5000 * p)
    assert check is not None and check.statistic == pytest.approx(expected.statistic)
    assert check.p_value == pytest.approx(expected.pvalue)


def test_merged_classes_expect_at_least_25() -> None:
    p = stats.poisson.pmf(np.arange(40), 6.0)
    outcomes = Outcomes("", np.arange(40.0), np.random.default_rng(3).multinomial(1000, p / p.sum()), p / p.sum())
    observed, expected = outcomes.merged()
    assert observed.sum() == 1000 and expected.sum() == pytest.approx(1000) and expected.min() >= 25


def test_kolmogorov_smirnov_is_conservative_on_atoms() -> None:
    p = np.full(8, 1 / 8)
    rng = np.random.default_rng(4)
    values = [kolmogorov_smirnov(Outcomes("", np.arange(8.0), rng.multinomial(4000, p), p)) for _ in range(500)]
    below = sum(v is not None and v.p_value < 0.05 for v in values)
    assert below <= stats.binom.isf(1e-6, 500, 0.05)  # at most the nominal rate, with a false-alarm rate of 1e-6


def test_an_ensemble_of_another_walk_is_refused() -> None:
    law = rw.pde.exact_law(rw.LatticeWalk(0.3, 0.51, dx=1.0, dt=1.0), [50])
    assert not compare(rw.simulate(WALK, 10**6, [50], seed=1), law).passed


def test_an_ensemble_agrees_with_a_continuous_law_and_with_data() -> None:
    walk = rw.LatticeWalk.from_drift(0.0, 0.5, dx=0.02, times=[1.0])
    ensemble = rw.simulate(walk, 20_000, [1.0], seed=1)
    assert compare(ensemble, rw.pde.closed_form(rw.pde.limit(walk))).passed
    edges = np.linspace(-4, 4, 17)
    counts = np.random.default_rng(5).multinomial(
        2000, np.diff(stats.norm.cdf(edges)) / np.diff(stats.norm.cdf(edges)).sum()
    )
    data = MeasuredCounts(edges[:-1], edges[1:], counts, 1.0)
    assert compare(data, rw.pde.exact_law(walk, [1.0])).passed
    doubled = rw.LatticeWalk.from_drift(0.0, 1.0, dx=0.02, times=[1.0])  # α for D
    assert not compare(data, rw.pde.exact_law(doubled, [1.0])).passed


def test_what_cannot_be_compared_is_told() -> None:
    with pytest.raises(TypeError, match="give an Ensemble"):
        compare(3.0, rw.pde.exact_law(WALK, [5]))
    with pytest.raises(ValueError, match="alpha"):
        compare(rw.simulate(WALK, 10, [5]), rw.pde.exact_law(WALK, [5]), alpha=2.0)


@pytest.mark.parametrize(
    ("errors", "passed"),
    [
        ((9e-3, 1e-3, 1.1e-4), True),  # order 2
        ((9e-3, 3e-3, 1e-3), False),  # order 1: a wall half a site off
        ((9e-3, 9e-3, 9e-3), False),  # order 0: another equation
        ((1e-1, 1e-5, 1.1e-6), False),  # the declared walk is out of line with its own refinement
        ((1e-12, 1e-12, 1e-12), True),  # rounding
        ((0.5, 1e-14, 1e-14), False),  # the declared walk is elsewhere, its refinements right
    ],
)
def test_the_rule_of_convergence(errors: tuple[float, ...], passed: bool) -> None:
    assert Convergence("", (0.1, 0.1 / 3, 0.1 / 9), errors).passed is passed
    assert not Convergence("", (0.1, 0.1 / 3, 0.1 / 9), errors, counted=False).passed


def test_measures_do_not_cut_cells() -> None:
    walk = rw.LatticeWalk(0.5, 0.5, dx=0.1, dt=0.01)
    measure = measure_for(walk, [0.5])
    law = rw.pde.exact_law(walk, [0.5])
    atoms, spread = Measure(measure.edges, (0.5,), ()).values(law), measure.values(law.smoothed())
    assert np.abs(atoms - spread).max() < 1e-15 * 64  # so smoothing changes nothing but rounding


def rung_two(walk: rw.LatticeWalk, times: list[float]) -> Convergence:
    against = reference(walk, times)
    return walk_convergence(walk, times, against, against.measure)


FAULTS: list[tuple[str, Callable[[Any, float], Any]]] = [  # of (drift, dx)
    ("ten times too slow", lambda drift, dx: 0.1 * drift),
    ("a speed that grows as sites get closer", lambda drift, dx: 0.1 * drift * (0.05 / dx)),
    ("the wrong way", lambda drift, dx: -drift),
]


@pytest.mark.parametrize("unit", [1e-6, 1.0])
@pytest.mark.parametrize(("fault", "planted"), FAULTS, ids=[name for name, _ in FAULTS])
@pytest.mark.parametrize(
    ("drift", "domain", "start"),
    [
        (20.0, None, 0.0),
        (-20.0, None, 0.0),
        (8.0, rw.Interval(-10.0, math.inf, rw.Reflecting()), 0.0),
        (3.0, rw.Interval(0.0, 12.025, rw.Reflecting(), rw.Absorbing()), 3.5),
    ],
)
def test_a_walk_that_is_elsewhere_fails_rung_two(
    monkeypatch: pytest.MonkeyPatch, drift: float, domain: Any, start: float, fault: str, planted: Any, unit: float
) -> None:
    """The rule is told another drift than the equation, at all levels of refinement. With a drift of 20 the laws have no place
    in common, and at edges where the declared walk is neither its refinements nor the equation have mass."""
    rule, now = rw.Rule.EXACT_VARIANCE, rw.Rule.probabilities
    if domain is not None:
        ends = {"low": domain.low * unit, "high": domain.high * unit}
        domain = replace(domain, **ends)

    def wrong(self: rw.Rule, a: Any, d: Any, dx: float, dt: float) -> Any:
        return now(self, planted(a, dx / unit), d, dx, dt)

    def made() -> rw.LatticeWalk:
        return rw.LatticeWalk.from_drift(
            drift * unit, 0.5 * unit**2, dx=0.05 * unit, dt=0.00125, domain=domain, start=start * unit, rule=rule
        )

    times = [0.1, 1.0]
    assert rung_two(made(), times[:1]).passed
    monkeypatch.setattr(rw.Rule, "probabilities", wrong)
    found = rung_two(made(), times)
    assert not found.passed and min(found.errors) > 0.02


def test_early_and_late_times_are_compared_where_their_mass_is() -> None:
    """At t = 0.01 and 100 the laws are 100 times as wide as one another: edges for the late one alone see nothing early."""
    walk = rw.LatticeWalk.from_drift(0.0, 0.5, dx=0.1, times=[0.01, 100.0])
    against = reference(walk, [0.01, 100.0])
    for t, sd in ((0.01, 0.1), (100.0, 10.0)):
        inside = (np.abs(against.measure.edges) < 3.0 * sd).sum()
        assert inside >= 5, f"{inside} edges within three standard deviations at t = {t}"


def test_refinement_keeps_the_equation() -> None:
    for walk in (WALK, rw.LatticeWalk.from_drift(rw.Affine(slope=-1.0), 0.5, dx=0.1, times=[1.0])):
        fine, x = refine(walk, 3), np.array([-1.0, 0.5])
        for coarse_value, fine_value in (
            (rw.pde.limit(walk).drift(x), rw.pde.limit(fine).drift(x)),
            (rw.pde.limit(walk).diffusion(x), rw.pde.limit(fine).diffusion(x)),
        ):
            np.testing.assert_allclose(coarse_value, fine_value, rtol=1e-12)  # a few roundings
        assert fine.dx == pytest.approx(walk.dx / 3) and fine.dt == pytest.approx(walk.dt / 9)


def test_there_are_at_least_14_cases_and_each_says_what_only_it_catches() -> None:
    assert len(case_names()) >= 14
    told = [load_case(name).source for name in case_names()]
    catches = [source.data["catches"] for source in told if source is not None]
    assert len(set(catches)) == len(case_names())


def test_self_convergence_never_counts_as_passed() -> None:
    problem = load_case("tanh_bias")
    report = validate_problem(problem, walkers=1000)
    assert report.missing and not report.solver.counted and not report.solver.passed
    assert "tanh" in report.missing or "drift" in report.missing


def test_a_sand_column_with_one_diffusion_fails_and_with_its_own_passes(tmp_path: Path) -> None:
    """Curves made from the published V and D of three depths by the third-type inlet solution (Lapidus and Amundson 1952)."""

    def breakthrough(z: float, t: np.ndarray, v: float, d: float) -> np.ndarray:
        root = np.sqrt(4 * d * t)
        late = np.exp(v * z / d + stats.norm.logsf((z + v * t) / root * math.sqrt(2)) + math.log(2))
        return np.asarray(
            0.5 * (2 * stats.norm.sf((z - v * t) / root * math.sqrt(2)))
            + np.sqrt(v**2 * t / (np.pi * d)) * np.exp(-((z - v * t) ** 2) / root**2)
            - 0.5 * (1 + v * z / d + v**2 * t / d) * late
        )

    rows = ["depth_cm,time,rel_conc"]
    for z, v, d in ((11.0, 2.451, 0.1540), (17.0, 2.513, 0.1264), (23.0, 2.506, 0.1103)):
        t = np.round(z / v + np.linspace(-1.5, 1.5, 35), 2)
        rows += [f"{z},{a},{c:.4f}" for a, c in zip(t, breakthrough(z, t, v, d), strict=True)]
    (tmp_path / "sand_column_saturated.csv").write_text("\n".join(rows))
    text = (Path(__file__).parents[1] / "docs" / "examples" / "sand_column.toml").read_text()
    (tmp_path / "sand.toml").write_text(text)
    problem = rw.Problem.load(tmp_path / "sand.toml")
    from randwalk.validate.measured import read_measured

    data = read_measured(problem)
    assert isinstance(data, MeasuredCurve)
    together = compare(data, data.law_of(problem.walk))
    assert not together.passed and len(together.checks) == 3
    own = rw.LatticeWalk.from_drift(
        -2.513, 0.1264, dx=0.1, domain=rw.Interval(0.0, math.inf, rw.PartiallyAbsorbing(2.513)), start=17.05
    )
    alone = MeasuredCurve(data.times[35:70], data.values[35:70], data.starts[35:70], data.wall, data.error)
    assert compare(alone, alone.law_of(own)).passed


def test_the_report_is_complete_json_and_a_table() -> None:
    report = validate(["lazy_line"], walkers=2000)
    data = json.loads(report.to_json())
    assert report.passed and data["passed"] and data["cases"][0]["verdicts"]["sampling"] == "pass"
    assert "all passed" in report.summary() and "orders" in report.details(report.cases[0])


def test_a_case_that_does_not_exist_is_named() -> None:
    with pytest.raises(ValueError, match="there is no case 'nonsense'"):
        validate(["nonsense"])


def test_what_is_no_law_or_no_list_is_refused() -> None:
    with pytest.raises(TypeError, match=r"is not a law: give rw\.pde\.exact_law"):
        compare(rw.simulate(WALK, 10, [20], seed=1), WALK)
    with pytest.raises(TypeError, match=r"give a list, \['lazy_line'\]"):
        rw.validate.validate("lazy_line")
    with pytest.raises(ValueError, match="walkers = 0"):
        rw.validate.validate_problem(load_case("lazy_line"), walkers=0)


def test_a_ring_has_no_walls_and_may_kill() -> None:
    """Its ways out are those that exist: killing, and that alone."""
    ring = rw.LatticeWalk(0.4, 0.3, sites=9, dt=0.1, domain=rw.Ring(0, 1), killing=0.5)
    run = rw.simulate(ring, 10_000, [2.0], seed=1, record=[rw.FirstPassage()])
    assert compare(run, rw.pde.exact_law(ring, [2.0])).passed
    assert validate(["ring"], walkers=1000).passed
