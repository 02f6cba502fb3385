"""P-values of chi-square statistics, by their limit law where counts are many, else exact or by samples, and of distances."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import special, stats

from randwalk.model.coefficient import Floats

MANY = 25.0  # counts expected in every class, from which the chi-square law is near enough
ENUMERATED = 1_000_000  # counts in two classes up to which all outcomes are added up
DRAWN, BLOCK = 200_000, 20_000  # samples of a multinomial law
FINITE = 10_000  # observations up to which the law of a distance is that of their number
RARE = 100  # of these beyond a statistic, below which the tail is an exponential one


def chi_square_p(statistic: float, expected: Floats) -> float:
    """The probability that Pearson's statistic of counts with these expectations is as large or larger, if they are right.

    With two classes it is the sum over all outcomes. With more it is the part of 200 000 samples, from a seed of its own; of a
    statistic that fewer than 100 of them reach, their upper tail continued by the exponential law with its mean excess.
    """
    if expected.min() >= MANY:
        return float(stats.chi2.sf(statistic, expected.size - 1))
    total = round(float(expected.sum()))
    nearly = statistic * (1.0 - 1e-9)  # an outcome as unlikely as that seen counts, whatever the rounding
    if expected.size == 2 and total <= ENUMERATED:
        counts = np.arange(total + 1)
        all_of_them = (counts - expected[0]) ** 2 * (1.0 / expected[0] + 1.0 / expected[1])
        return float(
            min(1.0, stats.binom.pmf(counts, total, expected[0] / expected.sum())[all_of_them >= nearly].sum())
        )
    drawn = _drawn(total, tuple((expected / expected.sum()).tolist()))
    beyond = drawn.size - int(np.searchsorted(drawn, nearly))
    if beyond >= RARE:
        return (beyond + 1) / (drawn.size + 1)
    tail = drawn[-RARE:]
    return float(RARE / drawn.size * np.exp(-max(statistic - tail[0], 0.0) / (tail - tail[0]).mean()))


def distance_p(distance: float, total: int) -> float:
    """The probability that the two-sided Kolmogorov–Smirnov distance of a sample of a continuous law is as large or larger."""
    if total <= FINITE:
        return float(stats.kstwo.sf(distance, total))
    return float(special.kolmogorov(np.sqrt(total) * distance))


@lru_cache(maxsize=16)
def _drawn(total: int, p: tuple[float, ...]) -> Floats:
    """Statistics of samples, increasing."""
    rng, expected, found = np.random.default_rng(0), total * np.array(p), []
    for _ in range(DRAWN // BLOCK):
        counts = rng.multinomial(total, p, BLOCK)
        found.append(((counts - expected) ** 2 / expected).sum(axis=1))
    return np.sort(np.concatenate(found))
