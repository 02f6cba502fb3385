"""Means and covariances along paths in space: :mod:`randwalk.pde.solver.moments` for a vector.

m' = a(m, t), V' = J V + V Jᵀ + 2D with J the Jacobian of a, along the paths from the start [van Kampen 2007, ch. X].
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from randwalk.model.coefficient import ZERO, Coefficient, Floats, coordinate
from randwalk.model.start import Normal, Start

from ..equation import FokkerPlanck
from ..pace import Pace
from .moments import FAR, STEPS, Moments
from .schemes import Clock

MOST_PATHS: Final = 64
TERMS: Final = 12  # of the series of an exponential, for a rounding of 1e-15


@dataclass(frozen=True)
class Spread:
    """Moments along the paths from the start of an equation in space.

    Attributes
    ----------
    clock : Clock
    t : (steps + 1,) array
    mean, variance : (steps + 1, paths, d) arrays
        m, and the diagonal of V.
    killed : (steps + 1, paths) array
    drift, diffusion, decay : (steps, paths, d) arrays
        |a|, the diagonal of D, and that of J dt, at most 0.
    """

    clock: Clock
    t: Floats
    mean: Floats
    variance: Floats
    killed: Floats
    drift: Floats
    diffusion: Floats
    decay: Floats

    def range(self, deviations: float) -> tuple[Floats, Floats]:
        """(low, high) of each axis: all places within that many standard deviations of any path at any time."""
        reach = deviations * np.sqrt(self.variance)
        return (self.mean - reach).min(axis=(0, 1)), (self.mean + reach).max(axis=(0, 1))

    def narrowest(self, times: Floats) -> Floats:
        """The smallest standard deviation along each axis at any of the `times`."""
        rows = np.minimum(np.searchsorted(self.t, times * (1.0 - 1e-9)), self.t.size - 1)
        return np.sqrt(self.variance[rows].min(axis=(0, 1)))

    def scaled(self, lengths: Floats) -> Moments:
        """The coordinates of all paths, each in units of the length of its axis, as if they were paths on a line."""

        def flat(values: Floats, power: int) -> Floats:
            return (values / lengths**power).reshape(len(values), -1)

        return Moments(
            self.clock, self.t, flat(self.mean, 1), flat(self.variance, 2), np.repeat(self.killed, lengths.size, axis=1),
            flat(self.drift, 1), flat(self.diffusion, 2), flat(self.decay, 0),
        )  # fmt: skip


def spread(equation: FokkerPlanck, times: Floats, pace: Pace, start: Start) -> Spread:
    """Moments from 0, with the law `start`, at the increasing `times` and between them, with steps that `pace` admits.

    A growing direction of J is taken as a constant one, because it acts locally: a window that is then too narrow is widened.
    """
    drift, slopes = _drift(equation)
    m, v = _begin(start)
    k, d, until = np.zeros(len(m)), m.shape[1], float(times[-1])
    low, high = _bounds(equation, drift, m, until)
    clock = Clock.equal(times, until / STEPS, pace)
    states, steps = [(0.0, m, np.einsum("pii->pi", v), k)], []
    for stretch in clock.stretches:
        dt = (stretch.end - stretch.begin) / stretch.steps
        for step in range(stretch.steps):
            t = max(stretch.begin + step * dt, stretch.first)
            x = _around(equation, m)
            a = np.stack([_finite(c, x, t) for c in drift], axis=-1)
            noise = np.array(np.nan_to_num(equation.diffusion(x, t), nan=0.0, posinf=0.0, neginf=0.0))
            jacobian = np.stack([np.stack([_finite(c, x, t) for c in row], axis=-1) for row in slopes], axis=-2)
            grown, moved, middle = _step(_not_growing(jacobian), a, dt)
            diagonal = np.maximum(np.einsum("pii->pi", noise), 0.0)
            steps.append((
                np.abs(a), np.maximum(diagonal, np.finfo(float).tiny),
                np.minimum(np.einsum("pii->pi", jacobian), 0.0) * dt,
            ))  # fmt: skip
            v = grown @ v @ np.swapaxes(grown, 1, 2) + 2.0 * dt * middle @ noise @ np.swapaxes(middle, 1, 2)
            m, k = np.clip(m + moved, low, high), k + _finite(equation.killing, x, t) * dt
            states.append((stretch.begin + (step + 1) * dt, m, np.maximum(np.einsum("pii->pi", v), 0.0), k))
    columns = [np.array(column) for rows in (states, steps) for column in zip(*rows, strict=True)]
    assert columns[1].shape[-1] == d
    return Spread(clock, *columns)


def _step(jacobian: Floats, a: Floats, dt: float) -> tuple[Floats, Floats, Floats]:
    """e^(J dt), ∫ e^(J s) a ds over a step, and e^(J dt/2), of each path."""
    d = a.shape[1]
    whole = np.zeros((len(a), d + 1, d + 1))
    whole[:, :d, :d], whole[:, :d, d] = jacobian * dt, a * dt
    half = _exponential(0.5 * whole)
    found = half @ half
    return found[:, :d, :d], found[:, :d, d], half[:, :d, :d]


def _exponential(matrices: Floats) -> Floats:
    """e^A of each of (n, k, k), by a series of A/2^m, squared m times. (SciPy's takes ten times as long for small ones.)"""
    size = float(np.abs(matrices).sum(axis=-1).max(initial=0.0))
    squarings = max(0, math.ceil(math.log2(max(2.0 * size, 1.0))))
    small, one = matrices / 2.0**squarings, np.eye(matrices.shape[-1])
    found = one + small / TERMS
    for k in range(TERMS - 1, 0, -1):
        found = one + small @ found / k
    for _ in range(squarings):
        found = found @ found
    return np.asarray(found)


def _not_growing(jacobian: Floats) -> Floats:
    """The Jacobians without the positive eigenvalues of their symmetric parts."""
    symmetric = 0.5 * (jacobian + np.swapaxes(jacobian, 1, 2))
    values, vectors = np.linalg.eigh(symmetric)
    growing = (vectors * np.maximum(values, 0.0)[:, None, :]) @ np.swapaxes(vectors, 1, 2)
    return np.asarray(jacobian - growing)


def _drift(equation: FokkerPlanck) -> tuple[tuple[Coefficient, ...], list[list[Coefficient]]]:
    """The Itô drift and its Jacobian; where there is none, the declared drift and 0."""
    axes = range(equation.dimension)
    try:
        return equation.drift, [[a.regular_derivative(coordinate(j)) for j in axes] for a in equation.drift]
    except ValueError:
        return equation.declared_drift, [[ZERO for _ in axes] for _ in axes]


def _around(equation: FokkerPlanck, m: Floats) -> tuple[Floats, ...]:
    """The means with coordinates on rings between their ends."""
    return tuple(
        axis.low + np.mod(x - axis.low, axis.high - axis.low) if axis.periodic else x
        for axis, x in zip(equation.domain.axes, m.T, strict=True)
    )


def _bounds(equation: FokkerPlanck, drift: tuple[Coefficient, ...], m: Floats, until: float) -> tuple[Floats, Floats]:
    """Limits of paths: walls, or a thousand times the distance that the first velocity leads."""
    x = _around(equation, m)
    a = np.array([np.abs(_finite(c, x, 0.0)).max() for c in drift])
    d = np.abs(np.nan_to_num(np.einsum("...ii->...i", equation.diffusion(x, 0.0)))).reshape(-1, len(drift)).max(axis=0)
    reach = FAR * (np.ptp(m, axis=0) + a * until + np.sqrt(2.0 * d * until))
    low, high = m.min(axis=0) - reach, m.max(axis=0) + reach
    for i, axis in enumerate(equation.domain.axes):
        if not axis.periodic:
            low[i], high[i] = max(axis.low, low[i]), min(axis.high, high[i])
    return low, high


def _begin(start: Start) -> tuple[Floats, Floats]:
    """Places (paths, d) and covariances about them that represent a start."""
    if start.factors is None:
        points = np.array(getattr(start, "points", list(itertools.product(*start.bounds))))
        points = points[:: -(-len(points) // MOST_PATHS)]
        return points, np.zeros((len(points), points.shape[1], points.shape[1]))
    ends = [(f.mean,) if isinstance(f, Normal) else tuple(sorted(set(f.support))) for f in start.factors]
    points = np.array(list(itertools.product(*ends)), dtype=np.float64)
    variances = np.diag([f.sd**2 if isinstance(f, Normal) else 0.0 for f in start.factors])
    return points, np.tile(variances, (len(points), 1, 1))


def _finite(coefficient: Coefficient, x: tuple[Floats, ...], t: float) -> Floats:
    """The values, 0 where they are not finite: the solution is refused later, if mass is there."""
    return np.nan_to_num(coefficient(x, t), nan=0.0, posinf=0.0, neginf=0.0)
