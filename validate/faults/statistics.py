"""Faults of the statistics by which everything else is judged."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from .fault import Fault
from .planting import Function, changed, replace

COMPARE, POWER, JUDGE = "randwalk.validate.compare", "randwalk.validate.power", ("judge",)


def _freer(check: Any, given: dict[str, Any]) -> Any:
    """A chi-square with a degree of freedom for every class."""
    from scipy import stats

    if check is None or check.test != "chi²":
        return check
    freedom = check.freedom + max(1, round(0.2 * check.freedom))
    return dataclasses.replace(check, p_value=float(stats.chi2.sf(check.statistic, freedom)))


def _unsquared(check: Any, given: dict[str, Any]) -> Any:
    """A distance of distribution functions taken twice as large."""
    from scipy import special

    return check and dataclasses.replace(check, p_value=float(special.kolmogorov(1.5 * check.statistic)))


def _lumped(right: Function) -> Any:
    """All outcomes but the first in one class."""

    def planted(self: Any) -> Any:
        expected = self.expected * self.total
        observed = np.array([self.observed[0], self.observed[1:].sum()])
        return observed, np.array([expected[0], expected[1:].sum()])

    return planted


FAULTS = (
    Fault(
        "Holm's correction left out", "statistics", JUDGE,
        lambda patch: replace(patch, POWER, "holm", lambda _: lambda p: np.asarray(p, dtype=np.float64)),
    ),
    Fault(
        "a fifth more degrees of freedom", "statistics", JUDGE,
        lambda patch: replace(patch, COMPARE, "chi_square", changed(_freer)),
    ),
    Fault(
        "classes that are lumped together", "statistics", JUDGE,
        lambda patch: replace(patch, "randwalk.validate.outcomes:Outcomes", "merged", _lumped),
    ),
    Fault(
        "a Kolmogorov–Smirnov distance half as large again", "statistics", JUDGE,
        lambda patch: replace(patch, COMPARE, "kolmogorov_smirnov", changed(_unsquared)),
    ),
    Fault(
        "a bias that is said to be seen at half its size", "statistics", JUDGE,
        lambda patch: replace(patch, POWER, "detectable", changed(lambda size, _: 0.5 * size)),
    ),
)  # fmt: skip
