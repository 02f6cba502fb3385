"""One statistical test of a sample."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One test: its statistic, p-value, and the smallest bias that this test alone, at level 10⁻³, detects with probability 0.9.

    `detectable` is a relative error of the probabilities for chi-square over counts (see :func:`detectable`), a shift of the
    distribution function for Kolmogorov–Smirnov, and an error of the fractions themselves for a measured curve.
    """

    name: str
    test: str
    statistic: float
    freedom: int
    p_value: float
    detectable: float
