"""Estimates keep their errors: arithmetic against formulas, intervals against SciPy and exact coverage."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import approx_fprime

import randwalk as rw
from randwalk.laws.estimate import DERIVATIVES, OF_FIRST, OF_SECOND, Profile, exact, proportion, stacked

Est: Any = rw.Estimate  # lists and numbers are welcome where arrays are declared
E = Est([0.3, 0.7], [0.01, 0.02])
ONE = Est(0.3, 0.01)
ROUNDING = 1e-15


def same(got: Any, value: Any, error: Any) -> None:
    assert isinstance(got, rw.Estimate)
    np.testing.assert_allclose(got.value, value, rtol=ROUNDING, atol=0)
    np.testing.assert_allclose(got.error, error, rtol=ROUNDING, atol=0)


def test_arithmetic_with_exact_numbers() -> None:
    same(E + 1, [1.3, 1.7], E.error)
    same(1 - E, [0.7, 1 - 0.7], E.error)
    same(-E, [-0.3, -0.7], E.error)
    same(+E, E.value, E.error)
    same(abs(-E), E.value, E.error)
    same(-2 * E, -2 * E.value, 2 * E.error)
    same(E / -4, -E.value / 4, E.error / 4)
    same(2 / E, 2 / E.value, 2 * E.error / E.value**2)
    same(E**2, E.value**2, 2 * E.value * E.error)
    same(E - np.array([0.1, 0.2]), [0.3 - 0.1, 0.7 - 0.2], E.error)
    same(np.array([0.1, 0.2]) - E, [0.1 - 0.3, 0.2 - 0.7], E.error)
    same(np.float64(3.0) * E, 3 * E.value, 3 * E.error)
    same(np.array([1.0, -2.0, 3.0]) * ONE, [0.3, -0.6, 3 * 0.3], [0.01, 0.02, 0.03])
    same(ONE + np.zeros((2, 1)), [[0.3], [0.3]], [[0.01], [0.01]])


@pytest.mark.parametrize("function", DERIVATIVES, ids=lambda f: f.__name__)
def test_functions_carry_the_error_to_first_order(function: np.ufunc) -> None:
    """The slope by SciPy's forward difference of step 1e-7: right to about 1e-6."""
    place = 1.3 if function is np.arccosh else 0.3
    slope = approx_fprime([place], lambda v: float(function(v[0])), 1e-7)[0]
    got = function(Est(place, 0.01))
    assert float(got) == float(function(place))
    assert float(got.error) == pytest.approx(abs(slope) * 0.01, rel=1e-5)


@pytest.mark.parametrize("function", OF_FIRST, ids=lambda f: f.__name__)
def test_functions_of_two_carry_the_error_of_the_estimate(function: np.ufunc) -> None:
    assert set(OF_FIRST) == set(OF_SECOND)
    first = approx_fprime([0.3], lambda v: float(function(v[0], 1.7)), 1e-7)[0]
    second = approx_fprime([0.3], lambda v: float(function(1.7, v[0])), 1e-7)[0]
    assert float(function(ONE, 1.7).error) == pytest.approx(abs(first) * 0.01, rel=1e-5)
    assert float(function(1.7, ONE).error) == pytest.approx(abs(second) * 0.01, rel=1e-5)


def test_the_first_order_is_that_of_a_sample() -> None:
    """√, exp and 1/x of 4000 estimates, each with a normal error of 1 %: their spread is the stated error within four standard
    errors of a standard deviation, 1/√(2n) (one false alarm in 5000 for the three), and second order, 1 % of it."""
    n = 4000
    draws = 0.3 + 0.003 * np.random.default_rng(1).standard_normal(n)
    functions: list[Callable[[Any], Any]] = [np.sqrt, np.exp, lambda v: 1 / v]
    for function in functions:
        said = float(function(Est(0.3, 0.003)).error)
        assert np.std(function(draws)) == pytest.approx(said, rel=4 / math.sqrt(2 * n) + 0.01)


def test_an_exact_zero_stays_exact() -> None:
    assert float(np.sqrt(Est(0.0, 0.0)).error) == 0.0 and math.isinf(np.sqrt(Est(0.0, 0.1)).error)


def test_powers_at_zero() -> None:
    """a⁰ is 1 for every a, and 0ᵇ is 0 for every b > 0: neither has an error."""
    nothing = Est([0.0, 0.3], [0.1, 0.1])
    same(nothing**0, [1.0, 1.0], [0.0, 0.0])
    same(nothing**1, nothing.value, nothing.error)
    same(0.0 ** Est([0.5, 2.0], [0.1, 0.1]), [0.0, 0.0], [0.0, 0.0])


def test_an_error_is_not_negative() -> None:
    with pytest.raises(ValueError, match=r"error = -0\.1: a standard error must not be negative"):
        Est([1.0, 2.0], [0.1, -0.1])
    assert math.isnan(Est(1.0, math.nan).error)


def test_what_would_lose_the_error_is_refused() -> None:
    lossy: list[Callable[[], Any]] = [
        lambda: np.asarray(E), lambda: np.array([ONE, ONE]), lambda: np.mean(E), lambda: np.sum(E),
        lambda: np.concatenate([E, E]), lambda: np.floor(E), lambda: np.isnan(E), lambda: np.add.reduce(E),
        lambda: np.add(E, 1, out=np.zeros(2)),
        lambda: np.interp(0.5, [0.0, 1.0], E), lambda: np.maximum(E, 0.0),
    ]  # fmt: skip
    for ask in lossy:
        with pytest.raises(TypeError, match=r"lose the error.*estimate\.value"):
            ask()
    compared: list[Callable[[], Any]] = [
        lambda: E < 1, lambda: E >= E, lambda: ONE == 0.3, lambda: ONE != ONE, lambda: np.float64(0.5) > ONE,
    ]  # fmt: skip
    for ask in compared:
        with pytest.raises(TypeError, match=r"estimate\.z\(number\)"):
            ask()
    for ask in (lambda: E + E, lambda: ONE / ONE, lambda: np.hypot(E, E)):
        with pytest.raises(TypeError, match="correlated"):
            ask()
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(ONE)
    with pytest.raises(TypeError, match="2 numbers is not one number"):
        float(E)


def test_z_is_the_difference_in_standard_errors() -> None:
    np.testing.assert_allclose(E.z(0.33), [-3.0, 18.5], rtol=1e-13)
    np.testing.assert_allclose(E.z([0.3, 0.74]), [0.0, -2.0], rtol=1e-13, atol=0)
    np.testing.assert_allclose(ONE.z(Est(0.35, 0.04)), -0.05 / math.hypot(0.01, 0.04), rtol=1e-13)
    sure = Est(1.0, 0.0)
    assert float(sure.z(1.0)) == 0.0 and float(sure.z(0.5)) == math.inf
    with pytest.raises(TypeError, match="other = "):
        ONE.z("0.3")
    with pytest.raises(TypeError, match="level = 'a'"):
        ONE.interval("a")
    assert all(isinstance(one, float) for one in (ONE.z(0.3), *ONE.interval(), *proportion(np.array(3), 9).interval()))


def test_z_of_independent_runs_is_normal() -> None:
    """300 pairs of runs: Kolmogorov–Smirnov at 1e-3 (the shares of 10 000 walkers are nearly continuous)."""
    counts = np.random.default_rng(2).binomial(10_000, 0.4, (2, 300))
    one, other = (proportion(row, 10_000) for row in counts)
    assert stats.kstest(one.z(other), stats.norm.cdf).pvalue > 1e-3


@pytest.mark.parametrize("level", [0.68, 0.95, 0.997])
def test_intervals_of_shares_are_wilsons(level: float) -> None:
    counts = np.array([0, 1, 7, 25, 49, 50])
    low, high = proportion(counts, 50).interval(level)
    for count, a, b in zip(counts.tolist(), low, high, strict=True):
        known = stats.binomtest(count, 50).proportion_ci(level, method="wilson")
        assert (a, b) == pytest.approx((known.low, known.high), rel=1e-12, abs=1e-15)


def test_coverage_of_the_intervals() -> None:
    """The exact probability, over all counts of 200 walkers, that Wilson's interval holds the true share: 0.95 ± 0.01 averaged
    over shares, and never below 0.83; a normal interval of the same error misses more than half at a share of 0.003."""
    counts = np.arange(201)
    low, high = proportion(counts, 200).interval(0.95)
    shares = (np.arange(1000) + 0.5) / 1000
    chance = stats.binom.pmf(counts[:, None], 200, shares)
    covered = (chance * ((low[:, None] <= shares) & (shares <= high[:, None]))).sum(axis=0)
    assert abs(covered.mean() - 0.95) < 0.01 and covered.min() > 0.83
    plain = Est(proportion(counts, 200).value, proportion(counts, 200).error).interval(0.95)
    rare = stats.binom.pmf(counts, 200, 0.003)
    assert (rare * ((plain[0] <= 0.003) & (plain[1] >= 0.003))).sum() < 0.5
    assert (rare * ((low <= 0.003) & (high >= 0.003))).sum() > 0.83


def test_intervals_of_means_are_normal() -> None:
    low, high = ONE.interval(0.6826894921370859)  # one standard error on either side
    assert (float(low), float(high)) == pytest.approx((0.29, 0.31), rel=1e-12)
    with pytest.raises(ValueError, match=r"level = 1\.0: must lie between 0 and 1"):
        ONE.interval(1.0)


def test_text() -> None:
    assert f"{ONE:.3f}" == "0.300 ± 0.010" and f"{E:.2e}" == "[3.00e-01 ± 1.00e-02, 7.00e-01 ± 2.00e-02]"
    assert f"{ONE}" == str(ONE) == "0.3 ± 0.01" and [str(e) for e in E] == ["0.3 ± 0.01", "0.7 ± 0.02"]


def test_parts_and_stacks() -> None:
    share: Any = proportion(np.array([1, 2]), 10)
    assert (
        type(share[0]) is type(share)
        and type(share.reshape((2, 1))) is type(share)
        and share.reshape((2, 1)).shape == (2, 1)
    )
    whole: Any = stacked([share, share], (2,))
    assert type(whole) is type(share) and whole.shape == (2, 2) and share.total == whole.total == 10
    assert type(stacked([share, proportion(np.array([1, 2]), 20)], (2,))) is rw.Estimate
    assert stacked([np.float64(2.0)], ()) == 2.0 and stacked([1.0, 2.0], (2, 1)).shape == (2, 1)
    assert exact(E).tolist() == [0.3, 0.7] and exact(2.0).shape == ()
    profile = Profile(np.array([0.1, 0.2]), np.array([0.01, 0.01]), np.array([3.0, 4.0]))
    assert profile[1:].x.tolist() == [4.0] and (2 * profile).x is profile.x
    assert not hasattr(profile + np.zeros((3, 2)), "x")


def test_estimates_of_a_run_survive_use() -> None:
    walk = rw.LatticeWalk(0.4, 0.6, dx=1.0, domain=rw.Interval(0, 10.5, rw.Absorbing(), rw.Reflecting()), start=3.0)
    run = rw.simulate(walk, 10_000, [20, 40], seed=1)
    alive = run.survival([20, 40])
    logarithm: Any = np.log(alive)
    np.testing.assert_allclose(logarithm.error, alive.error / alive.value)
    assert np.abs(alive.z(rw.pde.exact_law(walk, [20, 40]).survival([20, 40]))).max() < 4.5  # a false alarm in 10⁵
