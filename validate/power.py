"""The power of a test, and Holm's correction for many tests."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy import optimize, stats

from randwalk.model.coefficient import Floats

LEVEL = 1e-3  # of the test
POWER = 0.9  # the probability to detect a bias of the stated size


def detectable(freedom: int, total: int, level: float = LEVEL, power: float = POWER) -> float:
    """The root-mean-square relative error of the probabilities that a chi-square test of `total` counts detects.

    A relative error δ of every probability makes the statistic non-central with λ = n δ². A test at `level` rejects with
    probability `power` at the δ returned.
    """
    return float(np.sqrt(_noncentrality(freedom, level, power) / total))


@lru_cache(maxsize=1024)
def _noncentrality(freedom: int, level: float, power: float) -> float:
    """λ with which a chi-square of so many degrees of freedom exceeds its `level` with probability `power`."""
    critical = stats.chi2.isf(level, freedom)
    top = 10.0 * (freedom + 100.0)
    return float(optimize.brentq(lambda c: stats.ncx2.sf(critical, freedom, c) - power, 1e-6, top))


def holm(p_values: Sequence[float]) -> Floats:
    """Adjusted p-values (S. Holm, Scand. J. Statist. 6, 65, 1979): rejecting those below α keeps the probability of any
    false alarm below α, whatever the dependence of the tests."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p)
    stepped = np.maximum.accumulate((p.size - np.arange(p.size)) * p[order])
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
