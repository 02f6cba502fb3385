"""A guess of the sites that walkers reach on an unbounded domain: the mean of a walk and the spread about it.

The linear-noise approximation [van Kampen 2007, ch. X] in sites and steps: with the mean displacement a_i = Σ p_e e_i and the
mean squares b_i = Σ p_e e_i² of a step, and its derivatives J_ij = ∂a_i/∂k_j, m' = a(m) and V' = J V + V Jᵀ + diag b. A guess
need not hold: a run whose walkers reach its edge takes a wider window (see :mod:`randwalk.run.windows`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, TypeAlias

import numpy as np

from ..model.coefficient import Coefficient, Floats
from ..model.walk import LatticeWalk
from .surroundings import as_point

SPANS = 16  # of the time at least, where these are not SHORT,
MOST_SPANS = 80  # and at most: each costs one call of the coefficients
SHORT = 32.0  # steps that a span may have, and sites that the mean may go in a span,
GROWTH = 0.25  # or this share of its way from the start and of the standard deviation
LEAK = 1e-18  # mass that may leave the window of an exact law
PIECES = 256  # of a span, in which the variance along an axis becomes one along others

Ends: TypeAlias = Sequence[tuple[int, int]]  # of each axis the numbers of the first and the last site


def guessed_ends(walk: LatticeWalk, steps: int, start: Ends, leak: float = LEAK) -> Ends:
    """The lowest and the highest site of each axis that walkers from the sites `start`, (first, last) of each axis, but for a
    mass of `leak`, are expected to reach in `steps` steps, within the walls and within the sites that `steps` steps can reach."""
    walls = np.array(
        [
            (-np.inf if lattice.first is None else lattice.first, np.inf if lattice.last is None else lattice.last)
            for lattice in walk.lattices
        ]
    ).T
    begins = np.array(sorted(set(product(*start))), dtype=np.float64)
    path = _free(walk, begins, steps) if walk.homogeneous else _bound(walk, begins, steps, walls)
    level = math.log(2.0 / leak)
    low, high = begins.min(axis=0), begins.max(axis=0)
    for mean, variance in path:
        # Bernstein's inequality for all sums of steps up to now [Freedman 1975]: P(max |S - E S| ≥ d) ≤ 2 exp(-d²/2(V + 2d/3))
        reach = 2.0 * level / 3.0 + np.sqrt((2.0 * level / 3.0) ** 2 + 2.0 * level * variance)
        low, high = np.minimum(low, (mean - reach).min(axis=0)), np.maximum(high, (mean + reach).max(axis=0))
    ends = zip(low, high, start, walls.T, strict=True)
    return tuple(
        (int(max(math.floor(a), first - steps, wall[0])), int(min(math.ceil(b), last + steps, wall[1])))
        for a, b, (first, last), wall in ends
    )


def axis_chances(walk: LatticeWalk, axis: int, point: Any, t: Any) -> tuple[Floats, Floats]:
    """The probabilities of stepping up and down along an axis, away from walls, whatever the other axes do; NaN where they are
    not defined."""
    if walk.axis_steps is not None:
        up, down = (where_defined(coefficient, point, t) for coefficient in walk.axis_steps[axis])
        return up, down
    sums = {1: 0.0, -1: 0.0}
    for step, chance in walk.probabilities.items():
        if step[axis]:
            sums[step[axis]] = sums[step[axis]] + where_defined(chance, point, t)  # type: ignore[assignment]
    return np.asarray(sums[1]), np.asarray(sums[-1])


def _free(walk: LatticeWalk, begins: Floats, steps: int) -> Iterator[tuple[Floats, Floats]]:
    """(means, variances), shape (…, axes), of a walk that is the same everywhere, from all starts and at all times at once."""
    span = steps / SPANS
    t = walk.dt * np.floor(span * (np.arange(SPANS) + 0.5))
    axes = range(begins.shape[1])
    origin = as_point([np.zeros(())] * len(axes))
    chances = [np.broadcast_arrays(*axis_chances(walk, axis, origin, t), t)[:2] for axis in axes]
    p, q = (np.clip(np.stack([pair[i] for pair in chances], axis=-1), 0.0, 1.0) for i in range(2))
    means = begins[:, None, :] + span * np.cumsum(p - q, axis=0)
    yield means.reshape(-1, len(axes)), np.tile(span * np.cumsum(p + q, axis=0), (len(begins), 1))


def _bound(walk: LatticeWalk, begins: Floats, steps: int, walls: Floats) -> Iterator[tuple[Floats, Floats]]:
    """(means, variances), shape (starts, axes), of the paths from all starts, at one time after another."""
    means, done, axes = begins.copy(), 0.0, begins.shape[1]
    spread = np.zeros((len(begins), axes, axes))
    own, one = np.arange(axes), np.eye(axes)
    around = np.concatenate([np.zeros((1, axes)), one, -one])
    for _ in range(MOST_SPANS):
        if done >= steps:
            return
        a, b, slopes = _moments(walk, means, done, walls, around)
        away = np.abs(means - begins) + np.sqrt(spread[:, own, own])
        fastest = max(1e-300, float(np.abs(a).max()))
        span = min(steps - done, max(SHORT, steps / SPANS), max(SHORT, GROWTH * float(away.max())) / fastest)
        along = np.minimum(slopes[:, own, own], 0.0)  # a drift away from a place acts locally, and is taken as none
        means = np.minimum(np.maximum(means + a * _decayed(along, span), walls[0]), walls[1])
        turned = np.exp(along * span)[:, :, None]
        across = slopes * (1.0 - one) * (span / PIECES)
        turned = (np.linalg.matrix_power(one + across, PIECES) if across.any() else one) * turned
        spread = turned @ spread @ turned.transpose(0, 2, 1)
        spread[:, own, own] += b * _decayed(2.0 * along, span)
        done += span
        yield means, spread[:, own, own]


def _moments(
    walk: LatticeWalk, means: Floats, step: float, walls: Floats, around: Floats
) -> tuple[Floats, Floats, Floats]:
    """(a, b, ∂a_i/∂k_j) of a step at the sites next to the means, which are `around` them. A probability that is not defined is
    taken as 0."""
    axes = means.shape[1]
    k = np.minimum(np.maximum(np.rint(means)[:, None, :] + around, walls[0]), walls[1])
    point = as_point([lattice.x(k[..., axis].ravel()) for axis, lattice in enumerate(walk.lattices)])
    t = walk.dt * math.floor(step)
    chances = np.empty((2, k[..., 0].size, axes))
    for axis in range(axes):
        chances[0, :, axis], chances[1, :, axis] = axis_chances(walk, axis, point, t)
    p, q = np.fmin(np.fmax(chances, 0.0), 1.0)  # NaN becomes 0
    a, b = (p - q).reshape(k.shape), (p + q).reshape(k.shape)
    moved = np.stack([k[:, 1 + axis, axis] - k[:, 1 + axes + axis, axis] for axis in range(axes)], axis=-1)
    slopes = (a[:, 1 : 1 + axes] - a[:, 1 + axes :]) / np.maximum(moved, 1.0)[:, :, None]
    return a[:, 0], b[:, 0], slopes.transpose(0, 2, 1)


def _decayed(rate: Floats, span: float) -> Floats:
    """∫ exp(rate s) ds from 0 to `span`, for rates ≤ 0."""
    small = rate * span > -1e-12
    return np.where(small, span, np.expm1(rate * span) / np.where(small, -1.0, rate))


def where_defined(coefficient: Coefficient, point: Any, t: Any) -> Floats:
    """The values of a coefficient; NaN at places where it has none, beyond the end of a table."""
    try:
        return coefficient(point, t)
    except ValueError:
        first = point[0] if isinstance(point, tuple) else point
        if np.size(first) <= 1:
            return np.full(np.broadcast_shapes(np.shape(first), np.shape(t)), np.nan)
        middle = np.size(first) // 2
        halves = slice(None, middle), slice(middle, None)
        return np.concatenate([where_defined(coefficient, _part(point, half), t) for half in halves], axis=-1)


def _part(point: Any, part: slice) -> Any:
    return tuple(x[part] for x in point) if isinstance(point, tuple) else point[part]
