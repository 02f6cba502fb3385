"""Means and variances along paths: the places and widths of the mass of an equation, and the effect of a coarse grid on them.

The linear-noise approximation [van Kampen 2007, ch. X]: m' = a(m, t), V' = J V + V Jᵀ + 2D with J the Jacobian of a, along the
paths from the start.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

from randwalk.model.coefficient import ZERO, Coefficient, Floats, Point, coordinate
from randwalk.model.start import Normal, Sites, Start

from ..equation import FokkerPlanck
from ..pace import PILOT_STEPS, Pace
from .schemes import SAME, Clock

STEPS: Final = 64
SECOND_ORDER: Final = 0.4  # a share of the difference up to which convergence counts as second order
FAR: Final = 1000.0
MOST_PATHS: Final = 64  # from a start on several axes
MOST_TIMES: Final = 1024  # at which moments are wanted; of more, as many are taken
SMALL: Final = 0.25  # the size of a matrix whose series is summed

Read: TypeAlias = Callable[[Point, float], Floats]


@dataclass(frozen=True)
class Moments:
    """Moments along the paths from the start of an equation on d axes.

    Attributes
    ----------
    clock : Clock
        The steps.
    t : (steps + 1,) array
    mean, variance : (steps + 1, paths, d) arrays
        m, and the diagonal of V.
    killed : (steps + 1, paths, 1) array
        ∫κ dt.
    drift, diffusion : (steps, paths, d) arrays
        |a| and the diagonal of D on the steps.
    jacobian : (steps, paths, d, d) array
        J dt on the steps, without what grows.
    """

    clock: Clock
    t: Floats
    mean: Floats
    variance: Floats
    killed: Floats
    drift: Floats
    diffusion: Floats
    jacobian: Floats

    def range(self, deviations: float) -> tuple[Floats, Floats]:
        """(low, high) of each axis: all places within that many standard deviations of any path at any time."""
        reach = deviations * np.sqrt(self.variance)
        return (self.mean - reach).min(axis=(0, 1)), (self.mean + reach).max(axis=(0, 1))

    def narrowest(self, times: Floats) -> Floats:
        """The smallest standard deviation along each axis at any of the `times`."""
        return np.sqrt(self.variance[self._rows(times)].min(axis=(0, 1)))

    def scaled(self, lengths: Floats) -> Moments:
        """The moments in units of a length of each axis."""
        return replace(
            self, mean=self.mean / lengths, variance=self.variance / lengths**2, drift=self.drift / lengths,
            diffusion=self.diffusion / lengths**2, jacobian=self.jacobian * lengths / lengths[:, None],
        )  # fmt: skip

    def coarsest(self, times: Floats) -> float:
        """The width of cells above which a grid shows nothing of the law at one of the `times`: √2 standard deviations, or
        where fluxes add as much variance as there is."""
        rows = self._rows(times)
        variance, smearing = (
            self.variance[rows],
            self._carried(self.drift)[rows],
        )  # the flux's 2D_h - 2D < |a|h, see below
        with np.errstate(over="ignore"):  # inf: hardly any drift
            added = np.divide(variance, smearing, out=np.full_like(variance, np.inf), where=smearing > 0.0)
        return float(np.minimum(np.sqrt(2.0 * variance), added).min())

    def remaining(self, times: Floats, h: float) -> float:
        """The share of the difference between solutions on cells of width `h` and 2`h` that is the error of the first, for
        the variance that the fluxes add: from a third for cells that resolve D/|a| to 1 for those that do not.

        The Scharfetter–Gummel flux diffuses with D_h = D (w/2) coth(w/2), w = |a|h/D.
        """
        fine, coarse = (
            self._carried(2.0 * self.diffusion * _excess(self.drift * width / self.diffusion)) for width in (h, 2.0 * h)
        )
        rows = self._rows(times)
        known = coarse[rows] > 1e-6 * self.variance[rows]
        share = float((fine[rows][known] / (coarse - fine)[rows][known]).max(initial=0.0))
        return share if share > SECOND_ORDER else 1.0 / 3.0

    def longest(self, times: Floats) -> Floats:
        """The steps in time, before each of the `times`, in which a path goes a standard deviation of that time."""
        steps = (self._moved(times) / np.sqrt(self.variance[self._rows(times)])).max(axis=(1, 2))
        with np.errstate(over="ignore"):
            return np.divide(np.diff(times, prepend=0.0), steps, out=np.full_like(steps, np.inf), where=steps > 0.0)

    def pulses(self, times: Floats) -> tuple[Floats, Floats]:
        """(ends, longest step) of the stretches between breaks: :data:`PILOT_STEPS` for a move by a standard deviation of
        the next of the `times`, for a doubling of the variance, or for a fall of what is alive by a factor e."""
        stretches = self.clock.stretches
        ends = np.array([s.end for s in stretches])
        deviation = np.sqrt(self.variance[self._rows(times[np.searchsorted(times, ends * (1.0 - SAME))])])
        variance, killed = (values[self._rows(np.append(0.0, ends))] for values in (self.variance, self.killed))
        begin = np.maximum(variance[:-1], 0.5 * variance[1:])  # one doubling at most: a point has no variance
        changes = self._moved(ends) / deviation + np.abs(np.log2(variance[1:] / begin)) + np.diff(killed, axis=0)
        broken = np.array([s.first > s.begin or s.last < s.end for s in stretches])
        steps = np.where(broken, PILOT_STEPS * changes.max(axis=(1, 2)), 0.0)
        return ends, np.divide(np.diff(ends, prepend=0.0), steps, out=np.full_like(steps, np.inf), where=steps > 0.0)

    def _moved(self, times: Floats) -> Floats:
        """The lengths of the paths before each of the increasing `times`, (times, paths, d)."""
        steps = np.abs(np.diff(self.mean, axis=0, prepend=self.mean[:1]))
        return np.diff(np.cumsum(steps, axis=0)[self._rows(times)], axis=0, prepend=0.0)

    def _carried(self, rate: Floats) -> Floats:
        """The diagonal of the solution of G' = J G + G Jᵀ + diag(`rate`) from 0, (steps + 1, paths, d), as that of V from the
        `rate` (steps, paths, d)."""
        new, decay = rate * np.diff(self.t)[:, None, None], np.einsum("spii->spi", self.jacobian)
        axes = np.eye(new.shape[-1])
        if not self.jacobian[..., axes == 0.0].any():  # e^J of each axis is a number
            kept, new = np.exp(2.0 * decay), new * special.exprel(2.0 * decay)
            g = np.zeros_like(self.variance)
            for k in range(new.shape[0]):
                g[k + 1] = g[k] * kept[k] + new[k]
            return g
        return _variances(np.zeros_like(self.jacobian[0]), self.jacobian, new[..., None] * axes)

    def _rows(self, times: Floats) -> NDArray[np.int64]:
        """The first row at or after each of the `times`."""
        return np.minimum(np.searchsorted(self.t, times * (1.0 - SAME)), self.t.size - 1)


def few(times: Floats) -> Floats:
    """At most :data:`MOST_TIMES` of the `times`, the first and the last among them."""
    return times[np.unique(np.linspace(0.0, times.size - 1.0, min(times.size, MOST_TIMES)).astype(np.int64))]


def linear_noise(equation: FokkerPlanck, times: Floats, pace: Pace, start: Start) -> Moments:
    """Moments from 0, with the law `start`, at the increasing `times` and between them, with steps that `pace` admits.

    A growing direction of J is taken as a constant one, because it acts locally: a window that is then too narrow is widened.
    """
    until, clock = float(times[-1]), Clock.equal(times, float(times[-1]) / STEPS, pace)
    with np.errstate(all="ignore"):  # what is not finite counts as 0: the solver refuses it, if mass is there
        mean, variance = _begin(start)
        at = _readers(equation, len(mean))
        low, high = _bounds(equation, at[0], at[2], mean, until)
        means, read = [mean], []
        for begin, dt, first in clock.each():
            x, t = _around(equation, mean), max(begin, first)
            a, j, spread, kappa = (values(x, t) for values in at)
            kept = _not_growing(j) * dt
            read.append((a, kept, spread, kappa))
            moved = (_mean_exponential(kept) @ a[..., None])[..., 0] if kept.any() else a
            mean = np.minimum(np.maximum(mean + dt * moved, low), high)
            means.append(mean)
    steps = np.array([dt for _, dt, _ in clock.each()])
    a, kept, spread, kappa = (np.array(column) for column in zip(*read, strict=True))
    width = steps[:, None, None]
    diagonal = np.maximum(np.einsum("spii->spi", spread), 0.0)
    np.einsum("spii->spi", spread)[...] = diagonal
    return Moments(
        clock, np.append(0.0, np.array([begin for begin, _, _ in clock.each()]) + steps), np.array(means),
        _variances(variance, kept, 2.0 * spread * width[..., None]),
        np.concatenate([np.zeros_like(kappa[:1]), np.cumsum(kappa * width, axis=0)]), np.abs(a),
        np.maximum(diagonal, np.finfo(float).tiny), kept,
    )  # fmt: skip


def _variances(v: Floats, jacobians: Floats, added: Floats) -> Floats:
    """The diagonals of V' = J V + V Jᵀ + 2D from `v` (paths, d, d), at all ends of steps with J dt and 2D dt, (steps, …)."""
    found = [v]
    for grown, new in zip(*_accumulated(jacobians, added), strict=True):
        found.append(grown @ found[-1] @ np.swapaxes(grown, 1, 2) + new)
    return np.maximum(np.einsum("spii->spi", np.array(found)), 0.0)


def _mean_exponential(j: Floats) -> Floats:
    """∫ e^(Js) ds over 0 < s < 1 of each of (…, d, d): a series of J/2^n, doubled n times.

    Sums of products, in which nothing cancels on one axis. (SciPy's ``expm`` takes ten times as long for small matrices.)
    """
    j, doublings, terms = _halved(j)
    mean = _series(j, terms)
    for _ in range(doublings):
        mean = mean + 0.5 * j @ mean @ mean  # ½(1 + e^J) times the mean, with e^J = 1 + J mean
        j = 2.0 * j
    return mean


def _accumulated(j: Floats, added: Floats) -> tuple[Floats, Floats]:
    """e^J and ∫ e^(Js) `added` e^(Jᵀs) ds over 0 < s < 1 of each of (…, d, d), in the same way."""
    j, doublings, terms = _halved(j)
    grown, total, term = np.eye(j.shape[-1]) + j @ _series(j, terms), added, added
    for k in range(1, terms + 1):
        half = j @ term / (k + 1.0)
        term = half + np.swapaxes(half, -1, -2)
        total = total + term
    for _ in range(doublings):
        total = 0.5 * (total + grown @ total @ np.swapaxes(grown, -1, -2))
        grown = grown @ grown
    return grown, total


def _halved(j: Floats) -> tuple[Floats, int, int]:
    """(J/2^n, n, terms): a small matrix, and how many terms of the series of its mean exponential are not rounding."""
    size = float(np.abs(j).sum(axis=-1).max(initial=0.0))
    doublings = max(0, math.ceil(math.log2(max(size / SMALL, 1.0))))
    size /= 2.0**doublings
    return j / 2.0**doublings, doublings, next(k for k in itertools.count() if size**k < 1e-17 * math.factorial(k + 1))


def _series(j: Floats, terms: int) -> Floats:
    """Σ J^k/(k + 1)!."""
    one = np.eye(j.shape[-1])
    mean = np.broadcast_to(one, j.shape)
    for k in range(terms, 0, -1):
        mean = one + j @ mean / (k + 1.0)
    return mean


def _not_growing(jacobian: Floats) -> Floats:
    """The Jacobians without the positive eigenvalues of their symmetric parts."""
    if not jacobian.any():
        return jacobian
    symmetric = 0.5 * (jacobian + np.swapaxes(jacobian, 1, 2))
    diagonal = np.einsum("pii->pi", symmetric)
    if (np.abs(symmetric).sum(axis=2) - np.abs(diagonal) + diagonal <= 0.0).all():  # Gershgorin's bounds
        return jacobian
    values, vectors = np.linalg.eigh(symmetric)
    growing = (vectors * np.maximum(values, 0.0)[:, None, :]) @ np.swapaxes(vectors, 1, 2)
    return np.asarray(jacobian - growing)


def _excess(w: Floats) -> Floats:
    """(w/2) coth(w/2) - 1 for w ≥ 0."""
    w = np.minimum(w, 1e100)  # where D is 0, as at the end of a domain, its excess is left out
    half = 0.5 * np.maximum(w, 1e-3)
    return np.where(w > 1e-3, half / np.tanh(half) - 1.0, w * w / 12.0)


def _readers(equation: FokkerPlanck, paths: int) -> tuple[Read, Read, Read, Read]:
    """The Itô drift, its Jacobian (0 for the declared drift, where there is no other), D, and κ, at the places of `paths`."""
    names = [coordinate(i) for i in range(equation.dimension)]
    try:
        drift = equation.ito_vector
        slopes = [a.regular_derivative(name) for a in drift for name in names]
    except ValueError:
        drift, slopes = equation.vector, [ZERO] * len(names) ** 2
    entries = [entry for row in equation.tensor.rows for entry in row]
    d = len(names)
    return (
        _reader(drift, (d,), paths), _reader(slopes, (d, d), paths), _reader(entries, (d, d), paths),
        _reader([equation.killing], (1,), paths),
    )  # fmt: skip


def _reader(coefficients: Sequence[Coefficient], shape: tuple[int, ...], paths: int) -> Read:
    """The values of coefficients, 0 where they are not finite, (paths, *shape); numbers alone are read once."""

    def read(x: Point, t: float) -> Floats:
        values, now = np.empty((paths, len(coefficients))), np.asarray(t)
        for k, coefficient in enumerate(coefficients):
            values[:, k] = coefficient.evaluate(x, now)
        return np.where(np.isfinite(values), values, 0.0).reshape(-1, *shape)

    if any(coefficient.variables for coefficient in coefficients):
        return read
    once = read((np.zeros(()),), 0.0)
    return lambda x, t: once


def _around(equation: FokkerPlanck, m: Floats) -> tuple[Floats, ...]:
    """The means with coordinates on rings between their ends."""
    return tuple(
        axis.low + np.mod(x - axis.low, axis.high - axis.low) if axis.periodic else x
        for axis, x in zip(equation.domain.axes, m.T, strict=True)
    )


def _bounds(equation: FokkerPlanck, drift: Read, noise: Read, m: Floats, until: float) -> tuple[Floats, Floats]:
    """Limits of paths: walls, or a thousand times the distance that the first velocity leads."""
    x = _around(equation, m)
    a, spread = np.abs(drift(x, 0.0)).max(axis=0), np.abs(np.einsum("pii->pi", noise(x, 0.0))).max(axis=0)
    reach = FAR * (np.ptp(m, axis=0) + a * until + np.sqrt(2.0 * spread * until))
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
    atoms = [f.x if isinstance(f, Sites) else end for f, end in zip(start.factors, ends, strict=True)]
    counts = [len(places) for places in atoms]
    places = atoms if math.prod(counts) <= max(MOST_PATHS, *counts, 0) else ends
    points = np.array(list(itertools.product(*places)), dtype=np.float64)
    variances = np.diag([f.sd**2 if isinstance(f, Normal) else 0.0 for f in start.factors])
    return points, np.tile(variances, (len(points), 1, 1))
