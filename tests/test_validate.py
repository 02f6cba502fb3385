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
from randwalk.validate.convergence import Convergence, reference, walk_convergence
from randwalk.validate.measure import Measure, measure_for
from randwalk.validate.measured_curve import MeasuredCurve
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


HALF = rw.LatticeWalk(0.3, 0.3, dx=1.0, domain=rw.Interval(0, math.inf, rw.Absorbing()), start=3.0)
RING = rw.LatticeWalk(0.3, 0.3, sites=10, domain=rw.Ring(0, 10), start=3.5)


@pytest.mark.parametrize(
    ("observed", "expected", "message"),
    [
        (lambda: rw.simulate(WALK, 10, [5, 10]), lambda: rw.pde.exact_law(WALK, [10]), "not computed at t = 5"),
        (
            lambda: rw.simulate(WALK, 10, [5, 10]),
            lambda: rw.pde.exact_law(WALK, [10]).smoothed(),
            "not computed at t = 5",
        ),
        (lambda: rw.simulate(WALK, 10, [5]), lambda: rw.pde.solve(rw.pde.limit(WALK), [10]), "not computed at t = 5"),
        (lambda: rw.simulate(WALK, 10, [0, 5]), lambda: rw.pde.solve(rw.pde.limit(WALK), [5]), "recorded t = 0"),
        (lambda: rw.simulate(WALK, 10, [0, 5]), lambda: rw.pde.closed_form(rw.pde.limit(WALK)), "recorded t = 0"),
        (lambda: rw.simulate(HALF, 10, [5]), lambda: rw.pde.exact_law(WALK, [5]), "the same domain"),
        (lambda: rw.simulate(WALK, 10, [5]), lambda: rw.pde.exact_law(HALF, [5]).smoothed(), "the same domain"),
        (lambda: rw.simulate(HALF, 10, [5]), lambda: rw.pde.closed_form(rw.pde.limit(WALK)), "the same domain"),
        (lambda: rw.simulate(RING, 10, [5]), lambda: rw.pde.solve(rw.pde.limit(HALF), [5]), "the same domain"),
        (lambda: rw.simulate(RING, 10, [5]), lambda: rw.simulate(WALK, 10, [5]), "the same domain"),
        (lambda: rw.simulate(WALK, 10, [5]), lambda: rw.pde.exact_law(refine(WALK, 2), [5]), "sites 0.5 apart"),
        (
            lambda: rw.simulate(WALK, 10, [5]),
            lambda: rw.pde.exact_law(WALK.with_start(0.4), [5]),
            "one of them at x = ",
        ),
        (lambda: rw.simulate(RING, 10, [5]), lambda: rw.pde.exact_law(refine(RING, 2), [5]), "sites 0.5 apart"),
    ],
)
def test_laws_that_do_not_answer_are_told(observed: Any, expected: Any, message: str) -> None:
    ensemble = observed()
    with pytest.raises(ValueError, match=message):
        compare(ensemble, expected())
    # what the messages advise
    later = ensemble if ensemble.times[0] > 0 else rw.simulate(ensemble.walk, 10, ensemble.times[1:])
    compare(ensemble, rw.pde.exact_law(ensemble.walk, ensemble.times))
    compare(later, rw.pde.closed_form(rw.pde.limit(later.walk)))


def test_a_law_from_another_start_is_compared_where_it_is() -> None:
    """On the line a point start is site 0, wherever it is: places are compared, not the numbers of sites."""
    elsewhere = rw.pde.exact_law(WALK.with_start(2.0), [5])
    assert not compare(rw.simulate(WALK, 10_000, [5], seed=1), elsewhere).passed
    assert compare(rw.simulate(WALK.with_start(2.0), 10_000, [5], seed=1), elsewhere).passed
    far = rw.LatticeWalk(0.3, 0.3, dx=1.0, start=1e9)
    assert compare(rw.simulate(far, 10_000, [5], seed=1), rw.pde.exact_law(far, [5])).passed


@pytest.mark.parametrize("bad", ["x", None, [0.1], True, 1j])
def test_wrong_kinds_are_refused_by_name(bad: Any) -> None:
    run, law = rw.simulate(WALK, 10, [5]), rw.pde.exact_law(WALK, [5])
    counts = MeasuredCounts(np.array([-1.0, 0.0]), np.array([0.0, 1.0]), np.array([3, 4]), 5.0)
    for ask, name in (
        (lambda: compare(run, law, alpha=bad), "alpha"),
        (lambda: compare(run, bad), "expected"),
        (lambda: compare(bad, law), "observed"),
        (lambda: compare(counts, bad), "expected"),
        (lambda: refine(bad, 3), "walk"),
        (lambda: refine(WALK, bad), "factor"),
    ):
        with pytest.raises((TypeError, ValueError), match=f"^{name} = "):
            ask()


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

    def wrong(self: rw.Rule, a: Any, d: Any, dx: float, *rest: Any) -> Any:
        return now(self, planted(a, dx / unit), d, dx, *rest)

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
    catches = [tuple(source.data["catches"]) for source in told if source is not None]
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
    text = (Path(__file__).parent / "data" / "sand_column.toml").read_text()
    (tmp_path / "sand.toml").write_text(text)
    problem = rw.Problem.load(tmp_path / "sand.toml")
    from randwalk.validate.read_measured import read_measured

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


# ---------------------------------------------------------------- files that cannot be used, and measured data

GOOD = "[walk]\nright = 0.3\nleft = 0.2\ndx = 1.0\ndt = 1.0\n[run]\ntimes = [20]\nwalkers = 1000\n"
COUNTS = '[measured]\nkind = "counts"\ncsv = "n.csv"\nlow = "low"\nhigh = "high"\ncount = "n"\ntime = 20\n'
CURVE = (
    '[domain]\nlow = 0\nleft = "absorbing"\n[start]\npoint = 3\n'
    '[measured]\nkind = "passed"\ncsv = "n.csv"\ntime = "t"\nvalue = "f"\nwall = "left"\nerror = 0.01\n'
)


def test_a_case_that_cannot_be_read_ends_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("good.toml").write_text(GOOD)
    Path("bad.toml").write_text(GOOD.replace("0.3", "0.9"))
    Path("data.toml").write_text(GOOD + COUNTS)
    Path("n.csv").write_text("low,high,n\n-1,1,3\n1,2,nan\n")
    told: list[object] = []
    report = validate(["bad.toml", "no.toml", "/dev/zero.toml", "data.toml", "good.toml"], done=told.append)
    assert [case.name for case in report.cases] == ["good"] and list(report.failures) == ["bad", "no", "zero", "data"]
    assert report.failures["bad"].startswith("bad.toml:2: right + left = 1.1")
    assert report.failures["no"] == "no.toml cannot be read: No such file or directory"
    assert report.failures["data"] == "data.toml:11: n.csv, line 3: 'nan' in column 'n' is not a finite number"
    assert not any("\n" in reason for reason in report.failures.values()) and len(told) == 5
    assert not report.passed and report.status == 2 and "no case failed, 4 could not be run" in report.summary()
    assert report.verdicts(report.cases[0])["sampling"] == "pass"


def test_cases_of_one_name_are_kept_apart(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "p.toml").write_text(GOOD.replace("20", "2O") if folder == "b" else GOOD)
    names = [str(tmp_path / folder / "p.toml") for folder in ("a", "b", "a")]
    report = validate(names)
    assert [case.name for case in report.cases] == names[:1] and list(report.failures) == names[1:2]


def test_the_status_tells_evidence_from_failure() -> None:
    report = validate(["lazy_line"], walkers=1000)
    assert report.status == 0
    assert rw.validate.Report(report.cases, report.alpha, {"other": "other.toml:1: no"}).status == 2
    strict = rw.validate.Report(report.cases, alpha=1.0 - 1e-9)
    assert strict.status == (0 if strict.passed else 1)


MEASURED = [  # a change of the problem, the rows of its CSV file, and the line and the words of the complaint
    (("", ""), "0,2,5\n1,3,5\n", 11, "the classes from 0 to 2 (row 0) and from 1 to 3 (row 1) overlap"),
    (("", ""), "2,3,5\n0,1,5\n0.5,2,5\n", 11, "overlap"),
    (("", ""), "0,1,nan\n1,2,5\n", 11, "n.csv, line 2: 'nan' in column 'n' is not a finite number"),
    (("", ""), "nan,1,1\n1,2,5\n", 11, "n.csv, line 2: 'nan' in column 'low'"),
    (("", ""), "0,1,2.5\n1,2,5\n", 14, "counts = 2.5 in row 0: must be a whole number"),
    (("", ""), "0,1,-2\n1,2,5\n", 14, "counts = -2 in row 0"),
    (("", ""), "0,1,0\n1,2,0\n", 14, "counts are all 0"),
    (("", ""), "1,0,2\n1,2,5\n", 12, "low = 1 in row 0: every class must have low < high"),
    (('high = "high"', 'width = "w"'), "0,1,2\n1,2,5\n", 13, "width = 'w': must be a number"),
    (('high = "high"', "width = -1"), "0,1,2\n1,2,5\n", 13, "width = -1: must be positive"),
    (('high = "high"', "width = 1.5"), "0,1,2\n1,2,5\n", 11, "overlap"),
    (('high = "high"', 'high = "hi"'), "0,1,2\n", 11, "no column 'hi'; the columns are low, high, n; did you mean 'high'?"),
    (('high = "high"', "high = 3"), "0,1,2\n", 13, "high = 3: must be a name in quotes"),
    (('csv = "n.csv"', 'csv = "/dev/zero"'), "0,1,2\n", 11, "/dev/zero is a device"),
    (('csv = "n.csv"', "csv = 1"), "0,1,2\n", 11, "csv = 1: must be a name in quotes"),
    (("time = 20", "time = 21"), "0,1,2\n", 15, 'time = 21: must be "stationary" or one of times in [run]'),
    (("time = 20", "time = [20]"), "0,1,2\n", 15, "time = [20]: must be"),
    (("time = 20", "time = 20\nfold = 1"), "0,1,2\n", 16, "fold = 1: must be true or false"),
    (("time = 20", "time = 20\nfold = true"), "-1,0,2\n0,1,3\n", 12, "low = -1 in row 0: a class of distances must not"),
    (("time = 20", "time = 20\nrows = 'c'"), "0,1,2\n", 16, "rows = 'c': must be {column = …, value = …}"),
    (("time = 20", "time = 20\nrows = {column = 'set', value = 'c'}"), "0,1,2\n", 11, "there is no column 'set'"),
    (("time = 20", "time = 20\nsource = 1909"), "0,1,2\n", 16, "source = 1909: must be a text"),
    (('kind = "counts"', 'kind = "count"'), "0,1,2\n", 10, "kind = 'count': must be"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "rows", "line", "told"), MEASURED, ids=map(str, range(len(MEASURED))))
def test_measured_counts_are_refused_in_words(
    change: tuple[str, str], rows: str, line: int, told: str, tmp_path: Path
) -> None:
    from randwalk.validate.read_measured import read_measured

    (tmp_path / "n.csv").write_text("low,high,n\n" + rows)
    (tmp_path / "p.toml").write_text(GOOD + COUNTS.replace(*change))
    with pytest.raises(rw.problem.ProblemError) as error:
        read_measured(rw.Problem.load(tmp_path / "p.toml"))
    assert str(error.value).startswith(f"{tmp_path / 'p.toml'}:{line}: ") and told in str(error.value)


@pytest.mark.parametrize(
    ("change", "rows", "line", "told"),
    [
        (("", ""), "5,0.1\n10,x\n", 16, "n.csv, line 3: 'x' in column 'f'"),
        (("", ""), "-5,0.1\n", 17, "times = -5 in row 0: must not be negative"),
        (('wall = "left"', 'wall = "top"'), "5,0.1\n", 19, "wall = 'top': must be"),
        (('wall = "left"', 'wall = "right"'), "5,0.1\n", 19, "has no wall there"),
        (("error = 0.01", "error = 0"), "5,0.1\n", 20, "error = 0.0: must be a positive number"),
        (("error = 0.01", "error = nan"), "5,0.1\n", 20, "error = nan: must be a finite number"),
        (("error = 0.01", 'error = 0.01\nstart = "f"'), "5,-0.1\n", 21, "start = Point(x=-0.1) lies outside"),
    ],
)  # fmt: skip
def test_measured_curves_are_refused_in_words(
    change: tuple[str, str], rows: str, line: int, told: str, tmp_path: Path
) -> None:
    from randwalk.validate.read_measured import read_measured

    (tmp_path / "n.csv").write_text("t,f\n" + rows)
    (tmp_path / "p.toml").write_text(GOOD + CURVE.replace(*change))
    with pytest.raises(rw.problem.ProblemError) as error:
        read_measured(rw.Problem.load(tmp_path / "p.toml"))
    assert str(error.value).startswith(f"{tmp_path / 'p.toml'}:{line}: ") and told in str(error.value)


def test_measured_data_from_python_are_checked_alike() -> None:
    with pytest.raises(ValueError, match=r"the classes from 0 to 2 \(row 0\) and from 1 to 3 \(row 1\) overlap"):
        MeasuredCounts(np.array([0.0, 1.0]), np.array([2.0, 3.0]), np.array([1, 2]), 1.0)
    with pytest.raises(ValueError, match="low = nan in row 1: a class limit must be a number"):
        MeasuredCounts(np.array([0.0, math.nan]), np.array([1.0, 3.0]), np.array([1, 2]), 1.0)
    with pytest.raises(ValueError, match="values = nan in row 1: must be a finite number"):
        MeasuredCurve(np.array([1.0, 2.0]), np.array([0.1, math.nan]), np.zeros(2), "left", 0.1)
    edges = np.arange(11) * 0.1  # 0.1 + 0.2 is above 0.3, and the classes touch all the same
    assert MeasuredCounts(edges[:-1], edges[:-1] + 0.1, np.ones(10, dtype=np.int64), None).counts.dtype == np.int64


def test_a_validation_has_walkers_and_a_seed_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(GOOD + "[validate]\nwalkers = 77\nseed = 5\n")
    problem = rw.Problem.load(tmp_path / "p.toml")
    assert (
        "8e+01 by paths" in validate_problem(problem).runs
        and "5e+01 by paths" in validate_problem(problem, walkers=50).runs
    )


def test_decimal_commas_and_rows_of_a_set(tmp_path: Path) -> None:
    from randwalk.validate.read_measured import read_measured

    (tmp_path / "n.csv").write_bytes(
        "\ufeffset;low;high;n\r\n# Perrin\r\na;0,5;1,5;3\r\nb;lost;;\r\na;1,5;2,5;4\r\n".encode()
    )
    (tmp_path / "p.toml").write_text(GOOD + COUNTS + 'rows = {column = "set", value = "a"}\n')
    data = read_measured(rw.Problem.load(tmp_path / "p.toml"))
    assert isinstance(data, MeasuredCounts)
    assert data.low.tolist() == [0.5, 1.5] and data.high.tolist() == [1.5, 2.5] and data.counts.tolist() == [3, 4]


@pytest.mark.parametrize("domain", [rw.Line(), rw.Ring(0.0, 1.0)], ids=str)
def test_bins_where_a_walk_is_on_every_second_site(domain: Any) -> None:
    """Atoms 2 dx apart stand in the middle of cells of that width, after an odd number of steps too; false alarms: 1e-3 each."""
    walk = rw.LatticeWalk(0.5, 0.5, dx=0.02, dt=0.0004, domain=domain, start=0.5)
    times = [0.08, 0.1, 251 * 0.0004]
    ensemble = rw.simulate(walk, 10**6, times, seed=3)
    for law in (rw.pde.exact_law(walk, times).smoothed(), rw.pde.closed_form(rw.pde.limit(walk))):
        result = compare(ensemble, law)
        assert result.passed, result


@pytest.mark.parametrize("start", [0.5, 0.0, 0.483])
@pytest.mark.parametrize("kind", ["formula", "finite differences", "smoothed"])
def test_ring_bin_by_bin(start: float, kind: str) -> None:
    """The cell of a site at the seam lies on both sides of it. The walk's own bias is below 1e-3 of the law here; false
    alarms: 1e-3 each."""
    walk = rw.LatticeWalk.from_drift(1.0, 0.5, dx=0.02, domain=rw.Ring(0.0, 1.0), start=start, times=[0.1])
    equation, ensemble = rw.pde.limit(walk), rw.simulate(walk, 10**6, [0.1], seed=11)
    laws: dict[str, Any] = {
        "formula": lambda: rw.pde.closed_form(equation),
        "finite differences": lambda: rw.pde.solve(equation, [0.1]),
        "smoothed": lambda: rw.pde.exact_law(walk, [0.1]).smoothed(),
    }
    result = compare(ensemble, laws[kind]())
    assert result.passed, result
    assert result.outcomes[0].observed.sum() == 10**6
    assert result.outcomes[0].expected.sum() == pytest.approx(1.0, abs=1e-9)
