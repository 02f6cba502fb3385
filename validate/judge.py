"""Trials of the statistics themselves, by samples that are right and samples that are biased by as much as is said to be seen.

Nothing here depends on a walk. Each trial is a check whose p-value is that of what was counted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from .compare import Check, Comparison, chi_square, kolmogorov_smirnov
from .outcomes import TESTS, Outcomes
from .power import LEVEL, POWER, detectable

RATE = 0.05  # of false alarms that families are allowed in a trial
FAMILIES, MEMBERS = 400, 20
SAMPLES = 500
SURE = 1e-6  # a p-value of a trial below which the statistics are wrong
NEAR = 0.03  # the limit laws behind a stated power are so near


def judge(seed: int = 1) -> tuple[Check, ...]:
    """The trials: families keep their rate of false alarms; p-values of right samples, large and small, are not too small and, of
    classes, uniform; a bias of the stated size is seen at the stated rate."""
    rng = np.random.default_rng(seed)
    return (
        false_alarms(rng),
        *(uniform(rng, total, classes) for total, classes in ((20_000, 40), (60, 6), (12, 3))),
        conservative(rng, 4000),
        conservative(rng, 15),
        seen_as_stated(rng),
    )


def false_alarms(rng: np.random.Generator) -> Check:
    """Families of uniform p-values, of which RATE may fail."""
    failed = 0
    for _ in range(FAMILIES):
        checks = tuple(Check("", "", 0.0, 1, float(p), 1.0) for p in rng.random(MEMBERS))
        failed += not Comparison(checks, (), RATE).passed
    p = float(stats.binom.sf(failed - 1, FAMILIES, RATE))
    return Check(f"false alarms of {FAMILIES} families", "binomial", failed, FAMILIES, p, NEAR)


def _outcomes(rng: np.random.Generator, total: int, p: Any, seen: Any = None, tests: Any = TESTS) -> Outcomes:
    """A sample of `seen`, compared with `p`."""
    return Outcomes("", np.arange(float(len(p))), rng.multinomial(total, p if seen is None else seen), p, tests=tests)


def uniform(rng: np.random.Generator, total: int, classes: int) -> Check:
    """The p-values of chi-square of right samples: where they are discrete, they must not be too small, else uniform."""
    weights = 1.0 + np.arange(classes) / classes
    p = weights / weights.sum()
    found = [chi_square(_outcomes(rng, total, p)) for _ in range(SAMPLES)]
    values = np.array([check.p_value for check in found if check is not None])
    name = f"p-values of chi-square, {total} counts in {classes} classes"
    if values.size < SAMPLES or any(c is not None and c.freedom < 2 for c in found):
        return Check(name, "KS", 1.0, SAMPLES, 0.0, NEAR)
    test = stats.kstest(values, "uniform", alternative="two-sided" if total > 1000 else "greater")
    return Check(name, "KS", float(test.statistic), SAMPLES, float(test.pvalue), NEAR)


def conservative(rng: np.random.Generator, total: int) -> Check:
    """The p-values of Kolmogorov and Smirnov's distance, which are upper bounds on atoms."""
    p = np.full(256, 1.0 / 256)
    found = [kolmogorov_smirnov(_outcomes(rng, total, p)) for _ in range(SAMPLES)]
    values = np.array([1.0 if check is None else check.p_value for check in found])
    test = stats.kstest(values, "uniform", alternative="greater")
    return Check(
        f"p-values of a distance, {total} counts", "KS", float(test.statistic), SAMPLES, float(test.pvalue), NEAR
    )


def seen_as_stated(rng: np.random.Generator) -> Check:
    """Samples biased by what a chi-square says to detect with probability POWER at LEVEL."""
    total, p = 10_000, np.full(10, 0.1)
    delta = detectable(9, total)
    biased = p * (1.0 + delta * np.tile([1.0, -1.0], 5))
    found = [chi_square(_outcomes(rng, total, p, biased)) for _ in range(SAMPLES)]
    seen = sum(check is not None and check.p_value < LEVEL for check in found)
    test = min(
        float(stats.binom.cdf(seen, SAMPLES, POWER - NEAR)),
        float(stats.binom.sf(seen - 1, SAMPLES, min(POWER + NEAR, 1.0))),
    )
    return Check("a bias of the stated size", "binomial", seen, SAMPLES, min(1.0, 2.0 * test), NEAR)
