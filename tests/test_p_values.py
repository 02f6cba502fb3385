"""P-values of few counts against enumeration and SciPy; trials of the statistics; what is said to be seen is seen."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from randwalk.validate import Comparison
from randwalk.validate.compare import Check, chi_square, kolmogorov_smirnov
from randwalk.validate.judge import SURE, judge
from randwalk.validate.outcomes import Outcomes
from randwalk.validate.p_values import chi_square_p, distance_p


def enumerated(total: int, p: np.ndarray, statistic: float) -> float:
    """The p-value by all outcomes."""
    chance = 0.0
    for counts in itertools.product(range(total + 1), repeat=p.size - 1):
        last = total - sum(counts)
        if last >= 0:
            all_of_them = np.array([*counts, last])
            if ((all_of_them - total * p) ** 2 / (total * p)).sum() >= statistic * (1.0 - 1e-9):
                chance += float(stats.multinomial.pmf(all_of_them, total, p))
    return chance


@pytest.mark.parametrize(("total", "p"), [(12, (0.2, 0.3, 0.5)), (20, (0.1, 0.6, 0.3)), (9, (0.25, 0.25, 0.25, 0.25))])
def test_three_and_four_classes_against_all_outcomes(total: int, p: tuple[float, ...]) -> None:
    """200 000 samples: a p-value of 0.01 is right to 10 % at 4.5 standard errors; the tail to a factor of 3."""
    law, rng = np.array(p), np.random.default_rng(1)
    statistics = {float(((c - total * law) ** 2 / (total * law)).sum()) for c in rng.multinomial(total, law, 12)}
    for statistic in [*statistics, *(total * (1.0 / law.min() - 1.0) * part for part in (0.3, 0.45))]:
        known = enumerated(total, law, statistic)
        found = chi_square_p(statistic, total * law)
        if known > 0.01:
            assert found == pytest.approx(known, rel=0.1)
        elif known > 1e-9:
            assert known / 4.0 < found < 4.0 * known, (statistic, known, found)


def test_two_classes_are_exact() -> None:
    for total, p, count in ((10, 0.5, 9), (10, 0.2, 6), (40, 0.1, 0), (1, 0.5, 1)):
        expected = total * np.array([p, 1.0 - p])
        statistic = float(((np.array([count, total - count]) - expected) ** 2 / expected).sum())
        assert chi_square_p(statistic, expected) == pytest.approx(enumerated(total, np.array([p, 1.0 - p]), statistic))
    assert chi_square_p(0.0, np.array([5.0, 5.0])) == pytest.approx(1.0)


def test_many_counts_have_the_limit_law_and_distances_scipys() -> None:
    assert chi_square_p(12.5, np.full(5, 25.0)) == stats.chi2.sf(12.5, 4)
    sample = np.random.default_rng(2).random(17)
    known = stats.kstest(sample, "uniform", method="exact")
    assert distance_p(float(known.statistic), 17) == pytest.approx(float(known.pvalue))
    assert distance_p(2e-3, 10**6) == pytest.approx(float(stats.kstwo.sf(2e-3, 10**6)), rel=2e-2)


def test_few_observations_are_judged() -> None:
    """Ten of them were in one class, and nothing was said."""
    outcomes = Outcomes("", np.arange(4.0), np.array([10, 0, 0, 0]), np.full(4, 0.25))
    check, distance = chi_square(outcomes), kolmogorov_smirnov(outcomes)
    assert check is not None and check.p_value < 1e-4 and distance is not None and distance.p_value < 1e-4
    assert chi_square(Outcomes("", np.arange(2.0), np.array([1, 0]), np.array([0.5, 0.5]))) is None


def test_the_statistics_pass_their_trials() -> None:
    found = judge(seed=7)
    assert min(check.p_value for check in found) > SURE, found
    assert len({check.name for check in found}) == len(found)


@pytest.mark.parametrize(("classes", "total"), [(2, 500), (30, 2_000), (200, 50_000)])
def test_a_bias_of_the_stated_size_is_seen_nine_times_in_ten(classes: int, total: int) -> None:
    """Over 400 seeds: false alarms 1e-6, and ±3 % because the non-central law is a limit."""
    p, signs = np.full(classes, 1.0 / classes), np.tile([1.0, -1.0], classes // 2)
    rng, seen = np.random.default_rng(classes), 0
    first = chi_square(Outcomes("", np.arange(float(classes)), np.rint(total * p).astype(np.int64), p))
    assert first is not None
    for counts in rng.multinomial(total, p * (1.0 + first.detectable * signs), 400):
        check = chi_square(Outcomes("", np.arange(float(classes)), counts, p))
        seen += check is not None and check.p_value < 1e-3
    low, high = stats.binom.interval(1 - 1e-6, 400, 0.9)
    assert low - 12 <= seen <= high + 12


def test_families_keep_their_rate() -> None:
    rng = np.random.default_rng(3)
    failed = sum(
        not Comparison(tuple(Check("", "", 0.0, 1, float(p), 1.0) for p in rng.random(20)), (), 0.05).passed
        for _ in range(1000)
    )
    assert stats.binom.isf(1.0 - 1e-6, 1000, 0.045) <= failed <= stats.binom.isf(1e-6, 1000, 0.05)
