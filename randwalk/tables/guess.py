"""A guess of the sites that walkers reach on an unbounded domain: the mean of a walk and the spread about it.

The linear-noise approximation [van Kampen 2007, ch. X] in sites and steps: with the mean displacement a = p - q and the mean
square b = p + q of a step, m' = a(m) and V' = 2 a'(m) V + b. A guess need not hold: a run whose walkers reach its edge takes a
wider window (see :mod:`randwalk.run.windows`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ..model.coefficient import Floats
from ..model.walk import LatticeWalk
from .window import LEAK, where_defined

SPANS = 16  # of the time at least, where these are not SHORT,
MOST_SPANS = 80  # and at most: each costs one call of the coefficients
SHORT = 32.0  # steps that a span may have, and sites that the mean may go in a span,
GROWTH = 0.25  # or this share of its way from the start and of the standard deviation
AROUND = np.array([-1.0, 0.0, 1.0])


def guessed_ends(walk: LatticeWalk, steps: int, start: tuple[int, int]) -> tuple[int, int]:
    """The lowest and the highest site that walkers from the sites `start` (first, last) are expected to reach in `steps` steps,
    within the walls and within the sites that `steps` steps can reach."""
    first, last = start
    lattice = walk.lattice
    walls = -np.inf if lattice.first is None else lattice.first, np.inf if lattice.last is None else lattice.last
    begin = np.array([first, last], dtype=np.float64)
    path = _free(walk, begin, steps) if walk.homogeneous else _bound(walk, begin, steps, walls)
    level = math.log(2.0 * max(steps, 1) / LEAK)
    low, high = float(first), float(last)
    for mean, variance in path:
        # Bernstein's inequality for a sum of independent steps: P(|S - E S| ≥ d) ≤ 2 exp(-d²/2(V + 2d/3))
        reach = 2.0 * level / 3.0 + np.sqrt((2.0 * level / 3.0) ** 2 + 2.0 * level * variance)
        low, high = min(low, float((mean - reach).min())), max(high, float((mean + reach).max()))
    low, high = max(math.floor(low), first - steps, walls[0]), min(math.ceil(high), last + steps, walls[1])
    return int(low), int(high)


def _free(walk: LatticeWalk, start: Floats, steps: int) -> Iterator[tuple[Floats, Floats]]:
    """(mean, variance) of a walk that is the same everywhere, from the first and the last start: at all times at once."""
    span = steps / SPANS
    t = walk.dt * np.floor(span * (np.arange(SPANS) + 0.5))
    p, q = (np.broadcast_to(np.clip(coefficient(0.0, t), 0.0, 1.0), t.shape) for coefficient in (walk.right, walk.left))
    yield start[:, None] + span * np.cumsum(p - q), span * np.cumsum(p + q)


def _bound(walk: LatticeWalk, start: Floats, steps: int, walls: tuple[float, float]) -> Iterator[tuple[Floats, Floats]]:
    """(mean, variance) of the paths from the first and the last start, at one time after another. The paths are too few for
    arrays to be faster than numbers."""
    begins = np.unique(start).tolist()
    means, variances, done = list(begins), [0.0 for _ in begins], 0.0
    for _ in range(MOST_SPANS):
        if done >= steps:
            return
        moments = _moments(walk, np.clip(np.rint(means)[:, None] + AROUND, *walls), done)
        away = (abs(m - m0) + math.sqrt(v) for m, m0, v in zip(means, begins, variances, strict=True))
        fastest = max(1e-300, *(abs(a) for a, _, _ in moments))
        span = min(steps - done, max(SHORT, steps / SPANS), max(SHORT, GROWTH * max(away)) / fastest)
        for i, (a, b, slope) in enumerate(moments):
            means[i] = min(max(means[i] + a * _decayed(slope, span), walls[0]), walls[1])
            variances[i] = variances[i] * math.exp(2.0 * slope * span) + b * _decayed(2.0 * slope, span)
        done += span
        yield np.array(means), np.array(variances)


def _moments(walk: LatticeWalk, k: Floats, step: float) -> list[tuple[float, float, float]]:
    """(a, b, a') of a step at the middle of the three sites of each row. A positive a' acts locally and is taken as 0; so is a
    probability that is not defined."""
    x, t = walk.lattice.x(k.ravel()), walk.dt * math.floor(step)
    try:
        values = walk.right(x, t), walk.left(x, t)
    except ValueError:  # beyond the end of a table
        values = where_defined(walk.right, x, t), where_defined(walk.left, x, t)
    p, q = (np.fmin(np.fmax(value, 0.0), 1.0).reshape(k.shape) for value in values)  # NaN becomes 0
    a, b = p - q, p + q
    slopes = np.minimum((a[:, 2] - a[:, 0]) / np.maximum(k[:, 2] - k[:, 0], 1.0), 0.0)
    return list(zip(a[:, 1].tolist(), b[:, 1].tolist(), slopes.tolist(), strict=True))


def _decayed(rate: float, span: float) -> float:
    """∫ exp(rate s) ds from 0 to `span`, for rates ≤ 0."""
    return span if rate * span > -1e-12 else math.expm1(rate * span) / rate
