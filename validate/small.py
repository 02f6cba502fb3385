"""P-values of small samples by drawing counts from the hypothesis (Monte Carlo)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from randwalk.model.coefficient import Floats

DRAWS = 50_000  # at most; no p-value is below one in DRAWS + 1
ENOUGH = 500  # draws that are as large, after which no more are made
SEED = 20_190_103  # the same draws every time, so that a report can be made again
TOGETHER = 2_000  # draws

Counts = NDArray[np.int64]


def drawn(
    statistic: float, draw: Callable[[np.random.Generator, int], Counts], of: Callable[[Counts], Floats]
) -> float:
    """The share of draws whose statistic is as large, the observation counted among them: with that a p-value is below α with a
    probability of at most α, whatever the number of draws (A. C. Davison and D. V. Hinkley, *Bootstrap Methods*, 1997, §4.2); a
    p-value that is large is known well after few of them (J. Besag and P. Clifford, Biometrika 78, 301, 1991)."""
    rng = np.random.default_rng(SEED)
    as_large, done = 0, 0
    while done < DRAWS and as_large < ENOUGH:
        as_large += int((of(draw(rng, TOGETHER)) >= statistic * (1.0 - 1e-12)).sum())
        done += TOGETHER
    return (1 + as_large) / (1 + done)
