"""Fits: likelihoods against series and formulas of other books, estimates against maxima in closed form, errors against the
information by formula, intervals, flat directions, bounds, and what is refused. Simulated data have fixed seeds; a bound of 4
standard errors fails a right program once in 16 000."""

from __future__ import annotations

import math
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import optimize, stats

import randwalk as rw
from randwalk.likelihood.fit import Fit
from randwalk.likelihood.laws import EquationLaws, GivenLaw, laws_of
from randwalk.likelihood.maximum import first_steps
from randwalk.likelihood.passages import SplinePassages, spline_passages

from . import naive_passage

HALF = rw.Interval(0.0, math.inf, rw.Absorbing())
TRUE = {"v": 1.0, "D": 0.25}


def half_line(v: float = 0.5, D: float = 0.5) -> Any:
    return rw.pde.FokkerPlanck(drift=-v, diffusion=D, domain=HALF, start=1.0)


def two_bounds(v: float = 0.8, a: float = 1.2, z: float = 0.1, D: float = 0.5) -> Any:
    domain = rw.Interval(-a, a, rw.Absorbing(), rw.Absorbing())
    return rw.pde.FokkerPlanck(drift=v, diffusion=D, domain=domain, start=z)


@pytest.fixture(scope="module")
def wald() -> np.ndarray:
    """500 passages of distance 1 with v = 1 and D = 1/4: inverse Gaussian, of mean 1/v and shape 1/2D."""
    return np.random.default_rng(1).wald(1.0, 2.0, 500)


@pytest.fixture(scope="module")
def fitted(wald: np.ndarray) -> Fit:
    return rw.fit(rw.FirstPassageTimes(wald, "left"), half_line)


def test_the_likelihood_is_that_of_the_series() -> None:
    """Of two sides, an unknown one, an offset and two censored walkers, against Navarro and Fuss."""
    v, a, z, d, offset = 0.7, 1.3, 0.2, 0.4, 0.25
    times = np.array([0.31, 0.45, 0.8, 1.3, 2.5, 0.9, 1.1, 2.0])
    exits = ["right", "left", "left", "right", "right", "", "", ""]
    data = rw.FirstPassageTimes(times, exits, [False] * 6 + [True] * 2, offset="t0")
    got = data.log_likelihood(laws_of(two_bounds(v, a, z, d), 1e-6), {"t0": offset})
    width, w = 2.0 * a, (z + a) / (2.0 * a)
    series = {"left": naive_passage.lower_density, "right": naive_passage.upper_density}
    expected = 0.0
    for t, exit in zip(times[:6] - offset, exits[:6], strict=True):
        ways = [exit] if exit else ["left", "right"]
        expected += math.log(sum(series[way](t, v, d, width, w) for way in ways))
    expected += sum(math.log(naive_passage.survival(t, v, d, width, w)) for t in times[6:] - offset)
    assert got == pytest.approx(expected, rel=1e-9)
    assert data.log_likelihood(laws_of(two_bounds(), 1e-6), {"t0": 0.4}) == -math.inf  # somebody left before


def test_a_spline_of_finite_differences_has_the_density_of_the_series() -> None:
    """Where there is no closed form: a drift that leans by 1e-12, solved by finite differences."""
    equation = two_bounds()
    leaning = rw.pde.FokkerPlanck(rw.Affine(0.8, 1e-12), 0.5, domain=equation.domain, start=equation.start)
    times = np.geomspace(0.05, 5.0, 200)
    found = EquationLaws(leaning, 1e-5).passages(times)
    assert isinstance(found, SplinePassages) and found.exits == ("left", "right")
    for exit, series in (("left", naive_passage.lower_density), ("right", naive_passage.upper_density)):
        exact = np.array([series(t, 0.8, 0.5, 2.4, 1.3 / 2.4) for t in times])
        assert np.abs(found.density(exit, times) - exact).max() < 1e-4 * exact.max()
    assert 1e-9 < found.error < 1e-3


def test_a_spline_of_a_given_law_and_its_stated_error() -> None:
    form = rw.pde.closed_form(two_bounds())
    times = np.geomspace(0.05, 5.0, 300)
    found = GivenLaw(form).passages(times)
    for exit in ("left", "right"):
        exact = form.first_passage_density(exit, times)
        assert np.abs(found.density(exit, times) - exact).max() <= found.error * exact.max()
    assert np.allclose(found.survival(times), form.survival(times), atol=1e-6)


def test_passages_between_bounds_that_collapse() -> None:
    """By integral equations, and by finite differences in a moving frame, as where a bound has a kink."""
    bounds = rw.Interval(rw.expression("t/4 - 1"), rw.expression("1 - t/4"), rw.Absorbing(), rw.Absorbing())
    laws, t = EquationLaws(rw.pde.FokkerPlanck(0.8, 0.5, domain=bounds), 1e-4), np.array([0.3, 0.6, 1.0])
    found, solved = laws.passages(t), spline_passages(laws._solved, laws.exits, t)
    assert float(found.absorbed("right", t)[-1]) == pytest.approx(0.6716, abs=1e-4)
    for exit in ("left", "right"):
        assert np.abs(found.absorbed(exit, t) - solved.absorbed(exit, t)).max() < 2e-4
        assert np.abs(found.density(exit, t) - solved.density(exit, t)).max() < 1e-2


def test_estimates_are_the_maximum_in_closed_form(fitted: Fit, wald: np.ndarray) -> None:
    """Of an inverse Gaussian law: mean = Σt/n and 1/shape = Σ(1/t - 1/mean)/n (Schrödinger 1915); Fisher's information is
    n shape/mean³ and n/2 shape²."""
    mean = wald.mean()
    shape = 1.0 / np.mean(1.0 / wald - 1.0 / mean)
    v, d = 1.0 / mean, 0.5 / shape
    errors = np.sqrt([mean**3 / (500 * shape)]) / mean**2, np.sqrt(2.0 / 500) * d
    for name, exact, error in (("v", v, float(errors[0][0])), ("D", d, float(errors[1]))):
        assert abs(float(fitted[name]) - exact) < 0.02 * error
        assert float(fitted[name].error) == pytest.approx(error, rel=0.02)
    assert abs(fitted.correlation[0, 1]) < 0.02
    log_f = stats.invgauss.logpdf(wald, mean / shape, scale=shape).sum()
    assert fitted.log_likelihood == pytest.approx(log_f, abs=1e-3)
    assert fitted.aic == pytest.approx(4.0 - 2.0 * log_f, abs=2e-3) and fitted.observations == 500


def test_the_profile_interval_is_the_one_in_closed_form(fitted: Fit) -> None:
    """The profile of the shape λ is n/2 (log λ - λ/λ̂), so that its ends solve n(r - 1 - log r) = χ², r = λ/λ̂ = D̂/D."""
    wanted = stats.chi2.ppf(0.9, 1) / 500
    low, high = (optimize.brentq(lambda r: r - 1 - math.log(r) - wanted, *ends) for ends in ((1.0, 2.0), (0.5, 1.0)))
    found = fitted.profile("D", level=0.9)
    d, error = float(fitted["D"]), float(fitted["D"].error)
    assert found.interval == pytest.approx((d / low, d / high), abs=0.03 * error)
    assert found.log_likelihood.max() < 1e-3 and found.values[np.argmax(found.log_likelihood)] == pytest.approx(
        d, abs=0.05 * error
    )
    with pytest.raises(ValueError, match=r"level = 1.5: must lie between 0 and 1"):
        fitted.profile("D", level=1.5)
    with pytest.raises(KeyError, match=r"'d': the free parameters are v, D; did you mean 'D'"):
        fitted.profile("d")


@pytest.mark.parametrize(("length", "time"), [(1e-6, 1e-9), (1e5, 1e3)])
def test_units_change_nothing(fitted: Fit, wald: np.ndarray, length: float, time: float) -> None:
    def scaled(v: float = 0.5 * length / time, D: float = 0.5 * length**2 / time) -> Any:
        return rw.pde.FokkerPlanck(drift=-v, diffusion=D, domain=HALF, start=length)

    found = rw.fit(rw.FirstPassageTimes(wald * time, "left"), scaled)
    for name, unit in (("v", length / time), ("D", length**2 / time)):
        assert float(found[name]) / unit == pytest.approx(float(fitted[name]), rel=1e-3)
        assert float(found[name].error) / unit == pytest.approx(float(fitted[name].error), rel=1e-2)


def test_a_flat_direction_is_named(wald: np.ndarray) -> None:
    """v, D and the distance are determined up to the unit of length."""

    def model(v: float = 0.5, D: float = 0.5, a: float = 1.2, tau: float = 3.0) -> Any:
        return rw.pde.FokkerPlanck(drift=-v, diffusion=D, domain=HALF, start=a)

    data = rw.FirstPassageTimes(wald[:100], "left")
    with pytest.warns(UserWarning) as caught:
        found = rw.fit(data, model, ["v", "D", "a"])
    said = "v, D and a are not determined separately: log L stays the same along v by +0.5 %, D by +1 %, a by +0.5 %; fix one"
    assert len(caught) == 1 and str(caught[0].message).startswith(said) and caught[0].filename == __file__
    assert np.isinf(found.errors).all() and found.notes == (str(caught[0].message),)
    assert "not determined separately" in repr(found)
    with pytest.warns(UserWarning, match=r"tau does not matter to these data"):
        found = rw.fit(data, model, ["v", "tau"])
    assert math.isinf(float(found["tau"].error)) and math.isfinite(float(found["v"].error))
    with pytest.raises(ValueError, match=r"no normal law of the estimates: tau does not matter"):
        found.to_xarray()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rw.fit(data, model, ["v", "D"])  # with the distance known nothing is flat


def test_a_parameter_on_its_bound_is_named(wald: np.ndarray) -> None:
    with pytest.warns(UserWarning, match=r"v is on its bound, 0.8: it has no standard error"):
        found = rw.fit(rw.FirstPassageTimes(wald, "left"), half_line, bounds={"v": (0.0, 0.8)})
    assert float(found["v"]) == 0.8 and math.isnan(float(found["v"].error))
    low, high = found.interval("v")
    assert high == 0.8 and 0.6 < low < 0.8


def test_the_end_of_what_a_model_admits_is_named() -> None:
    """A lattice whose step is too long for the best D stops the search, and is told to be why."""
    text = "[parameters]\nD = 0.4\n[walk]\ndrift = 0.0\ndiffusion = 'D'\ndx = 0.1\ndt = 0.01\n[run]\ntimes = [1.0]"
    x = np.random.default_rng(1).normal(0.0, math.sqrt(2.0), 400)
    with pytest.warns(
        UserWarning, match=r"D is at the end of what the model admits, 0.5 \(.*take dt ≤ .*\): it has no standard"
    ):
        found = rw.fit(rw.validate.Samples(x, time=1.0), rw.Problem.loads(text))
    assert float(found["D"]) == pytest.approx(0.5, rel=1e-3) and math.isnan(float(found["D"].error))
    free = rw.fit(rw.validate.Samples(x, time=1.0), rw.Problem.loads(text.replace("\ndt = 0.01", "")))
    assert float(free["D"]) == pytest.approx(float(np.mean(x**2)) / 2.0, rel=1e-3) and not free.notes


def test_choices_with_an_offset_and_a_deadline() -> None:
    """Estimates within 4 standard errors of the truth, with and without the 10 % that were late."""
    times, right = naive_passage.drawn(np.random.default_rng(3), 600, 1.0, 0.5, 2.0, 0.5)
    truth = {"v": 1.0, "a": 1.0, "t0": 0.3}
    late = times > np.quantile(times, 0.9)
    cut = float(np.quantile(times, 0.9))
    exits = np.where(right, "right", "left")
    whole = rw.FirstPassageTimes(times + 0.3, exits, offset="t0")
    watched = rw.FirstPassageTimes(np.minimum(times, cut) + 0.3, np.where(late, "", exits), late, offset="t0")
    begin = {"v": 0.8, "a": 1.2, "t0": 0.25}

    def model(v: float, a: float) -> Any:
        return two_bounds(v, a, 0.0)

    for data in (whole, watched):
        found = rw.fit(data, model, begin)
        for name, true in truth.items():
            assert abs(found[name].z(true)) < 4.0, found
        assert rw.validate.compare(data, found).passed
    assert rw.validate.compare(whole.with_offset(0.3), rw.pde.closed_form(model(1.0, 1.0))).passed
    assert not rw.validate.compare(whole.with_offset(0.2), rw.pde.closed_form(model(1.0, 1.0))).passed
    with pytest.raises(
        ValueError, match=r"offset = 't0' is a parameter: fit it, or give the data with_offset\(number\)"
    ):
        rw.validate.compare(whole, rw.pde.closed_form(model(1.0, 1.0)))


def test_counts_take_fitted_parameters_off_the_freedom() -> None:
    """Perrin's grains: D against a maximisation of its own, and the chi-square of docs/how_to/data.md with one degree less."""
    folder = Path(rw.validate.__file__).parent / "cases"
    low, high, found = np.loadtxt(folder / "perrin_displacement_classes.csv", delimiter=",", skiprows=1).T[:3]
    data = rw.validate.MeasuredCounts(low, high, found, time=30.0, fold=True)

    def fall(d: float) -> float:
        p = np.diff(stats.norm.cdf(np.append(low, high[-1]), scale=math.sqrt(60.0 * d)))
        return float(-(found * np.log(p / p.sum())).sum())

    exact = optimize.minimize_scalar(fall, bounds=(0.5, 1.2), method="bounded", options={"xatol": 1e-8})
    fitted = rw.fit(data, lambda D=1.0: rw.pde.FokkerPlanck(0.0, D), "D")
    assert float(fitted["D"]) == pytest.approx(exact.x, abs=0.02 * float(fitted["D"].error))
    curvature = (fall(exact.x + 0.01) + fall(exact.x - 0.01) - 2.0 * exact.fun) / 1e-4
    assert float(fitted["D"].error) == pytest.approx(curvature**-0.5, rel=0.02)
    law = rw.pde.closed_form(rw.pde.FokkerPlanck(0.0, float(fitted["D"])))
    free, fixed = rw.validate.compare(data, fitted), rw.validate.compare(data, law)
    assert len(free.checks) == 1 and free.checks[0].freedom == fixed.checks[0].freedom - 1
    assert free.checks[0].statistic == pytest.approx(fixed.checks[0].statistic)
    assert free.checks[0].p_value == pytest.approx(stats.chi2.sf(free.checks[0].statistic, free.checks[0].freedom))


def column(V: float = 2.0, D: float = 0.2) -> Any:
    return rw.pde.FokkerPlanck(
        drift=-V, diffusion=D, domain=rw.Interval(0.0, math.inf, rw.PartiallyAbsorbing(V)), start=11.0
    )


def measured_column() -> Any:
    """Shiozawa's curves, if they are at hand."""
    folder = os.environ.get("RANDWALK_DATA")
    if folder is None or not (Path(folder) / "cxtfit_shiozawa").is_dir():
        pytest.skip("RANDWALK_DATA names no folder with cxtfit_shiozawa")
    depth, time, value = np.loadtxt(
        Path(folder) / "cxtfit_shiozawa" / "sand_column_saturated.csv", delimiter=",", skiprows=1
    ).T
    return rw.validate.MeasuredCurve(time, value, depth, "left", "sigma")


def test_the_sand_column_as_published() -> None:
    """V and D of CXTFIT 2.1 at each depth, to the last printed digit but one; jointly one D does not fit."""
    data, begin = measured_column(), {"V": 2.0, "D": 0.2, "sigma": 0.02}
    errors = []
    for depth, v, d in ((11.0, 2.451, 0.1540), (17.0, 2.513, 0.1264), (23.0, 2.506, 0.1103)):
        found = rw.fit(data.from_start(depth), column, begin)
        assert float(found["V"]) == pytest.approx(v, abs=1.5e-3)
        assert float(found["D"]) == pytest.approx(d, abs=3e-4)
        errors.append(float(found["sigma"]))
    together = rw.fit(data, column, begin)
    assert float(together["sigma"]) > 3.0 * max(errors)


def test_a_simulated_column() -> None:
    """Curves of known V and D with normal errors of 0.01, whose size is fitted too; and D that falls with depth is seen."""
    rng = np.random.default_rng(7)
    parts = []
    for z, d in ((11.0, 0.15), (17.0, 0.12)):
        times = z / 2.5 * np.linspace(0.8, 1.2, 25)
        form = rw.pde.closed_form(column(2.5, d).with_start(z))
        parts.append((np.full(25, z), times, form.absorbed("left", times) + rng.normal(0.0, 0.01, 25)))
    depths, times, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    data = rw.validate.MeasuredCurve(times, values, depths, "left", "sigma")
    for z, d in ((11.0, 0.15), (17.0, 0.12)):
        found = rw.fit(data.from_start(z), column, {"V": 2.0, "D": 0.2, "sigma": 0.02})
        for name, true in (("V", 2.5), ("D", d), ("sigma", 0.01)):
            assert abs(found[name].z(true)) < 4.0, found
    known = rw.validate.MeasuredCurve(times, values, depths, "left", 0.01)
    joint = rw.fit(known, column, {"V": 2.0, "D": 0.2})
    assert not rw.validate.compare(known, joint).passed
    assert rw.validate.compare(known, joint).checks[0].freedom == 48
    axes = joint.plot().axes
    assert len(axes) == 2 and len(axes[0].lines) >= 4


def test_places_are_fitted() -> None:
    """A drifting walker at one time is normal: mean and variance of the sample are the maximum."""
    x = np.random.default_rng(2).normal(0.3, 0.7, 400)
    samples = rw.validate.Samples(x, time=1.0)
    found = rw.fit(samples, lambda v=0.0, D=0.5: rw.pde.FokkerPlanck(v, D), ["v", "D"])
    assert float(found["v"]) == pytest.approx(x.mean(), abs=0.02 * float(found["v"].error))
    assert float(found["D"]) == pytest.approx(x.var() / 2.0, abs=0.02 * float(found["D"].error))
    assert float(found["v"].error) == pytest.approx(x.std() / 20.0, rel=0.02)
    assert float(found["D"].error) == pytest.approx(x.var() / 2.0 * math.sqrt(2.0 / 400), rel=0.02)
    assert len(found.data[0].series(found.laws, found.parameters)) == 1
    with pytest.raises(ValueError, match=r"time is not known: a fit needs the time of the places"):
        rw.fit(rw.validate.Samples(x), lambda v=0.0: rw.pde.FokkerPlanck(v, 0.5))


def test_several_data_are_fitted_together(wald: np.ndarray) -> None:
    """The information of two halves is that of the whole."""
    halves = [rw.FirstPassageTimes(part, "left") for part in (wald[:100], wald[100:200])]
    both, whole = rw.fit(halves, half_line), rw.fit(rw.FirstPassageTimes(wald[:200], "left"), half_line)
    assert both.log_likelihood == pytest.approx(whole.log_likelihood, abs=1e-6)
    assert both.values == pytest.approx(whole.values, rel=1e-6)


def test_a_law_may_be_the_model(wald: np.ndarray, fitted: Fit) -> None:
    found = rw.fit(
        rw.FirstPassageTimes(wald, "left"), lambda v=0.5, D=0.5: rw.pde.closed_form(half_line(v, D)), ["v", "D"]
    )
    assert found.values == pytest.approx(fitted.values, rel=1e-3)


def test_arviz_reads_the_draws(fitted: Fit) -> None:
    draws = fitted.to_xarray(draws=2000, seed=4)
    assert draws.sizes == {"chain": 4, "draw": 2000} and set(draws.data_vars) == {"v", "D"}
    for name in fitted:
        sample = draws[name].values.ravel()
        assert abs(sample.mean() - float(fitted[name])) < 4.0 * float(fitted[name].error) / math.sqrt(8000)
        assert sample.std() == pytest.approx(float(fitted[name].error), rel=0.04)
    arviz = pytest.importorskip("arviz")
    summary = arviz.summary(draws, kind="stats")
    assert list(summary.index) == ["v", "D"]


def test_the_first_step_from_zero_is_as_long_as_what_it_changes() -> None:
    steps = first_steps(lambda x: -((x[0] / 1e-9) ** 2) - (x[1] / 1e9) ** 2, np.zeros(2))
    assert 1e-10 < steps[0] < 1e-7 and 1e8 < steps[1] < 1e11


def test_data_that_say_little_are_told() -> None:
    """Walkers that were only watched bound the drift from one side; too few cannot determine all; some say nothing."""
    watched = rw.FirstPassageTimes([1.0, 1.2], None, [True, True])
    with pytest.warns(UserWarning, match=r"v is bounded from above only: log L does not fall however far below"):
        rw.fit(watched, half_line, ["v"])
    with pytest.raises(
        ValueError, match=r"1 observation cannot determine 2 parameters, v, D: name fewer of them in free"
    ):
        rw.fit(rw.FirstPassageTimes([1.0], "left"), half_line)
    later = rw.FirstPassageTimes([1.0, 1.2], None, [True, True], offset=2.0)
    assert later.log_likelihood(laws_of(half_line(), 1e-5), {}) == 0.0
    found = GivenLaw(rw.pde.closed_form(two_bounds())).passages(np.array([1.0, 2.0]))
    with pytest.raises(ValueError, match=r"exit = 'lft': must be one of left, right; did you mean 'left'\?"):
        found.density("lft", np.array([1.0]))


def test_tracks_are_told_where_they_are_fitted() -> None:
    """Their displacements are data of any model: D of a normal sample about 0 is its mean square over 2 lag."""
    x = np.cumsum(np.random.default_rng(3).normal(0.0, 0.2, 400))
    tracks = rw.Tracks(None, 0.1 * np.arange(400), x)
    with pytest.raises(TypeError, match=r"tracks.fit\(\) finds D, drift.*tracks.increments\(lag\), from a start at 0"):
        rw.fit(tracks, lambda D=0.5: rw.pde.FokkerPlanck(0.0, D))
    found = rw.fit(tracks.increments(0.1), lambda D=0.5: rw.pde.FokkerPlanck(0.0, D))
    exact = float(np.mean(np.diff(x) ** 2)) / 0.2
    assert float(found["D"]) == pytest.approx(exact, abs=0.02 * float(found["D"].error))


BAD: list[tuple[Any, Any, dict[str, Any], str]] = [
    ([], half_line, {}, r"data = \[\]: give at least one datum"),
    ([1.0], half_line, {}, r"data = 1.0: must be FirstPassageTimes"),
    (None, 3.0, {}, r"model = 3.0: must be a problem with \[parameters\], or a function of parameters by name"),
    (None, half_line, {"free": ["w"]}, r"free has 'w': the parameters are v, D"),
    (None, half_line, {"free": []}, r"free = \[\]: name at least one parameter to fit"),
    (None, half_line, {"free": ["v", "v"]}, r"free = \['v', 'v'\]: names a parameter twice"),
    (None, lambda v, D=0.5: half_line(v, D), {}, r"the parameter v has no value to start from: give free=\{'v': 1.0, …\}"),
    (None, lambda *v: half_line(*v), {}, r"its argument \*v has no name of its own"),
    (None, half_line, {"bounds": {"v": (1.0, 2.0)}}, r"bounds\['v'\] = \(1, 2\): must be low < high with the start 0.5"),
    (None, half_line, {"bounds": {"x": (1.0, 2.0)}}, r"bounds has 'x': the free parameters are v, D"),
    (None, half_line, {"bounds": {"v": 2.0}}, r"bounds\['v'\] = 2.0: must be a pair \(low, high\)"),
    (None, half_line, {"free": {"v": 1.0, "D": -1.0}}, r"diffusion = -1: must be positive"),
    (None, lambda v=1.0: "a walk", {}, r"the model gave 'a walk': it must return a walk, an equation"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "model", "given", "message"), BAD)
def test_bad_requests_are_refused(data: Any, model: Any, given: dict[str, Any], message: str) -> None:
    datum = rw.FirstPassageTimes([1.0, 2.0], "left") if data is None else data
    with pytest.raises((ValueError, TypeError), match=message):
        rw.fit(datum, model, **given)


def test_data_that_cannot_occur_are_refused() -> None:
    late = rw.FirstPassageTimes([0.2, 0.9], "left", offset="t0")
    with pytest.raises(
        ValueError, match=r"the data are impossible at the start, t0 = 0.5, v = 0.5, D = 0.5: give values"
    ):
        rw.fit(late, half_line, {"t0": 0.5})
    with pytest.raises(ValueError, match=r"exit = 'right'"):
        rw.fit(rw.FirstPassageTimes([0.2, 0.9], "right"), half_line)
