"""``law.to_scipy(t)`` is a distribution of SciPy: it passes the generic checks that SciPy has for its own distributions."""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

import randwalk as rw
from randwalk.pde import FokkerPlanck, closed_form, exact_law, solve, stationary_law

common: Any = pytest.importorskip("scipy.stats.tests.common_tests", reason="SciPy was installed without its tests")
continuous: Any = pytest.importorskip("scipy.stats.tests.test_continuous_basic")
discrete: Any = pytest.importorskip("scipy.stats.tests.test_discrete_basic")

A, R = rw.Absorbing(), rw.Reflecting()
BOX = FokkerPlanck(0.0, 0.5, domain=rw.Interval(0.0, 1.0, A, A), start=0.3)
SPRING = FokkerPlanck(rw.expression("-x"), 0.5, start=0.3)
WALK = rw.LatticeWalk(0.3, 0.4, dx=0.1, domain=rw.Interval(-0.3, math.inf, A), start=0.0)


def measured() -> Any:
    low, counts = np.arange(-3.0, 3.0), np.array([36, 124, 239, 247, 122, 40])
    return rw.validate.MeasuredCounts(low, high=low + 1.0, counts=counts, time=1.0).to_scipy(1.0)


LAWS: dict[str, Callable[[], Any]] = {
    "exact law": lambda: exact_law(WALK, [9.0]).to_scipy(9.0),
    "smoothed law": lambda: exact_law(WALK, [9.0]).smoothed().to_scipy(9.0),
    "run": lambda: rw.simulate(WALK, 5000, [9.0], seed=1).to_scipy(9.0),
    "counts": measured,
    "solution": lambda: solve(BOX, [0.1]).to_scipy(0.1),
    "closed form on the line": lambda: closed_form(SPRING).to_scipy(1.0),
    "closed form beside a wall": lambda: closed_form(
        FokkerPlanck(-0.2, 0.5, domain=rw.Interval(0.0, math.inf, A), start=0.8)
    ).to_scipy(0.4),
    "steady state": lambda: stationary_law(
        FokkerPlanck(1.0, 0.5, domain=rw.Interval(0.0, 2.0, R, R), start=1.0)
    ).to_scipy(),
    "marginal": lambda: (
        closed_form(FokkerPlanck((0.1, 0.0), 0.5, domain=rw.Line() ** 2, start=(0.3, 0.2))).marginal("x").to_scipy(1.0)
    ),
}
DISCRETE = ("exact law", "run")
CONTINUOUS = tuple(name for name in LAWS if name not in DISCRETE)
HISTOGRAMS = ("smoothed law", "counts")


@functools.cache
def told(name: str) -> Any:
    return LAWS[name]()


@pytest.mark.parametrize("name", LAWS)
def test_moments_supports_and_copies(name: str) -> None:
    frozen = told(name)
    law, (mean, variance, skew, kurtosis) = frozen.dist, frozen.stats("mvsk")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", integrate.IntegrationWarning)  # of densities with kinks
        common.check_normalization(law, (), name)
        common.check_moment(law, (), mean, variance, name)
        common.check_mean_expect(law, (), mean, name)
        common.check_var_expect(law, (), mean, variance, name)
        common.check_skew_expect(law, (), mean, variance, skew, name)
        common.check_kurt_expect(law, (), mean, variance, kurtosis, name)
        common.check_entropy(law, (), name)
    common.check_edge_support(law, ())
    common.check_random_state_property(law, ())
    common.check_pickling(law, ())
    common.check_freezing(law, ())
    common.check_ppf_dtype(law, ())
    common.check_meth_dtype(law, (), [law.pmf] if name in DISCRETE else [law.pdf, law.cdf, law.sf, law.logpdf])


@pytest.mark.parametrize("name", CONTINUOUS)
def test_densities(name: str) -> None:
    frozen = told(name)
    law, (mean, variance) = frozen.dist, frozen.stats("mv")
    for check in (
        "cdf_ppf", "sf_isf", "cdf_sf", "ppf_isf", "pdf", "pdf_logpdf", "pdf_logpdf_at_endpoints", "sf_logsf", "cdf_logcdf",
        "ppf_broadcast", "ppf_private",
    ):  # fmt: skip
        getattr(continuous, f"check_{check}")(law, (), name)
    continuous.check_loc_scale(law, (), mean, variance, name)
    continuous.check_retrieving_support(law, ())
    methods = [law.pdf, law.logpdf, law.cdf, law.logcdf, law.logsf]
    common.check_named_args(law, frozen.ppf(0.45), (), [0, 1], methods)
    if name not in HISTOGRAMS:  # which SciPy's own quadrature of the entropy does not resolve
        common.check_private_entropy(law, (), stats.rv_continuous)
    drawn = frozen.rvs(size=1000, random_state=1)
    assert stats.kstest(drawn, frozen.cdf).pvalue > 1e-4
    continuous.check_sample_meanvar_(mean, variance, drawn, np.random.default_rng(1))


@pytest.mark.parametrize("name", DISCRETE)
def test_atoms(name: str) -> None:
    frozen = told(name)
    law, drawn = frozen.dist, frozen.rvs(size=2000, random_state=1)
    discrete.check_cdf_ppf(law, (), np.unique(drawn), name)
    discrete.check_pmf_cdf(law, (), name)
    discrete.check_oth(law, (), np.unique(drawn), name)
    discrete.check_discrete_chisquare(law, (), drawn, 1e-4, name)


def test_quantiles_are_those_of_the_normal_distribution() -> None:
    """Far in the tails too: the place of an Ornstein–Uhlenbeck process is normal."""
    normal = stats.norm(0.3 * np.exp(-1.0), np.sqrt(0.5 * -np.expm1(-2.0)))
    q = np.array([1e-12, 1e-5, 0.3, 0.5, 0.99, 1.0 - 1e-9])
    np.testing.assert_allclose(told("closed form on the line").ppf(q), normal.ppf(q), rtol=1e-8)
    np.testing.assert_allclose(told("closed form on the line").moment(4), normal.moment(4), rtol=1e-8)


def test_atoms_are_met_to_rounding() -> None:
    """0.1 + 0.2 is no site to the last digit."""
    frozen = told("exact law")
    assert frozen.pmf(0.1 + 0.2) == pytest.approx(
        float(exact_law(WALK, [9.0]).mass([0.25, 0.35], 9.0)[0]) / frozen_total()
    )
    assert frozen.pmf(0.25) == 0.0 and frozen.cdf(0.1 + 0.2) == frozen.cdf(0.35)


def frozen_total() -> float:
    return float(exact_law(WALK, [9.0]).survival(9.0))


def test_expectations_of_a_histogram() -> None:
    frozen = told("counts")
    masses = np.array([36, 124, 239, 247, 122, 40]) / 808
    middles = np.arange(-2.5, 3.0)
    assert frozen.expect(lambda x: x**2) == pytest.approx(float(masses @ (middles**2 + 1.0 / 12.0)), rel=1e-12)
    assert frozen.expect(lb=-1.0, ub=0.5) == pytest.approx(masses[2] * -0.5 + masses[3] * 0.5 * 0.25, rel=1e-12)
    assert frozen.expect(lb=-1.0, ub=0.0, conditional=True) == pytest.approx(-0.5)
    assert frozen.dist.expect(loc=2.0, scale=3.0) == pytest.approx(2.0 + 3.0 * float(masses @ middles), rel=1e-12)
