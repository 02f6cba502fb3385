"""Means and variances along paths: the places and widths of the mass of an equation, and the effect of a coarse grid on them.

The linear-noise approximation [van Kampen 2007, ch. X]: m' = a(m, t), V' = 2 a_x V + 2D along the paths from the start.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from randwalk.model.coefficient import ZERO, Coefficient, Floats
from randwalk.model.start import Normal, Sites, Start

from ..equation import FokkerPlanck
from ..pace import PILOT_STEPS, Pace
from .schemes import SAME, Clock

STEPS: Final = 64
SECOND_ORDER: Final = 0.4  # a share of the difference up to which convergence counts as second order
FAR: Final = 1000.0


@dataclass(frozen=True)
class Moments:
    """Moments along the paths from the start of an equation.

    Attributes
    ----------
    clock : Clock
        The steps.
    t : (steps + 1,) array
    mean, variance : (steps + 1, paths) arrays
        m and V.
    killed : (steps + 1, paths) array
        ∫κ dt.
    drift, diffusion : (steps, paths) arrays
        |a| and D on the steps.
    decay : (steps, paths) array
        a_x dt, at most 0.
    """

    clock: Clock
    t: Floats
    mean: Floats
    variance: Floats
    killed: Floats
    drift: Floats
    diffusion: Floats
    decay: Floats

    def range(self, deviations: float) -> tuple[float, float]:
        """The interval of all places within that many standard deviations of any path at any time."""
        reach = deviations * np.sqrt(self.variance)
        return float((self.mean - reach).min()), float((self.mean + reach).max())

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
        steps = (self._moved(times) / np.sqrt(self.variance[self._rows(times)])).max(axis=1)
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
        steps = np.where(broken, PILOT_STEPS * changes.max(axis=1), 0.0)
        return ends, np.divide(np.diff(ends, prepend=0.0), steps, out=np.full_like(steps, np.inf), where=steps > 0.0)

    def _moved(self, times: Floats) -> Floats:
        """The lengths of the paths before each of the increasing `times`, (times, paths)."""
        steps = np.abs(np.diff(self.mean, axis=0, prepend=self.mean[:1]))
        return np.diff(np.cumsum(steps, axis=0)[self._rows(times)], axis=0, prepend=0.0)

    def _carried(self, rate: Floats) -> Floats:
        """The solution of G' = 2 a_x G + `rate` (steps, paths) from 0, (steps + 1, paths)."""
        new = rate * np.diff(self.t)[:, None] * special.exprel(2.0 * self.decay)
        kept = np.exp(2.0 * self.decay)
        g = np.zeros_like(self.variance)
        for k in range(new.shape[0]):
            g[k + 1] = g[k] * kept[k] + new[k]
        return g

    def _rows(self, times: Floats) -> NDArray[np.int64]:
        """The first row at or after each of the `times`."""
        return np.minimum(np.searchsorted(self.t, times * (1.0 - SAME)), self.t.size - 1)


def linear_noise(equation: FokkerPlanck, times: Floats, pace: Pace, start: Start) -> Moments:
    """Moments from 0, with the law `start`, at the increasing `times` and between them, with steps that `pace` admits.

    An unstable a_x > 0 is taken as 0, because it acts locally: a window that is then too narrow is widened.
    """
    domain, (drift, slope) = equation.domain, _drift(equation)
    m, v = _spread(start)
    k = np.zeros_like(v)
    states, steps = [(0.0, m, v, k)], []
    until = float(times[-1])
    bounds = _bounds(equation, m, until)
    clock = Clock.equal(times, until / STEPS, pace)
    for stretch in clock.stretches:
        dt = (stretch.end - stretch.begin) / stretch.steps
        for step in range(stretch.steps):
            t = stretch.begin + step * dt
            x = domain.low + np.mod(m - domain.low, domain.high - domain.low) if domain.periodic else m
            read = (drift, equation.diffusion, equation.killing, slope)
            a, d, kappa, j = (_finite(c, x, max(t, stretch.first)) for c in read)
            j, d = np.minimum(j, 0.0) * dt, np.maximum(d, 0.0)
            steps.append((np.abs(a), np.maximum(d, np.finfo(float).tiny), j))
            m = np.clip(m + a * dt * special.exprel(j), *bounds)
            v, k = v * np.exp(2.0 * j) + 2.0 * d * dt * special.exprel(2.0 * j), k + kappa * dt
            states.append((t + dt, m, v, k))
    columns = [np.array(column) for rows in (states, steps) for column in zip(*rows, strict=True)]
    return Moments(clock, *columns)


def _excess(w: Floats) -> Floats:
    """(w/2) coth(w/2) - 1 for w ≥ 0."""
    w = np.minimum(w, 1e100)  # where D is 0, as at the end of a domain, its excess is left out
    half = 0.5 * np.maximum(w, 1e-3)
    return np.where(w > 1e-3, half / np.tanh(half) - 1.0, w * w / 12.0)


def _drift(equation: FokkerPlanck) -> tuple[Coefficient, Coefficient]:
    """The Itô drift and its slope; where D jumps, the declared drift and the slope 0."""
    try:
        return equation.drift, equation.drift.regular_derivative("x")
    except ValueError:
        return equation.declared_drift, ZERO


def _bounds(equation: FokkerPlanck, m: Floats, until: float) -> tuple[float, float]:
    """Limits of paths: walls, or a thousand times the distance that the first velocity leads."""
    a, d = (np.abs(_finite(c, m, 0.0)).max() for c in (_drift(equation)[0], equation.diffusion))
    reach = FAR * (np.ptp(m) + a * until + math.sqrt(2.0 * d * until))
    low, high = float(m.min() - reach), float(m.max() + reach)
    domain = equation.domain
    return (low, high) if domain.periodic else (max(domain.low, low), min(domain.high, high))


def _spread(start: Start) -> tuple[Floats, Floats]:
    """Places and variances about them that represent a start."""
    if isinstance(start, Normal):
        return np.array([start.mean]), np.array([start.sd**2])
    places = np.array(start.x) if isinstance(start, Sites) else np.array(start.support)
    return places, np.zeros(places.size)


def _finite(coefficient: Coefficient, x: Floats, t: float) -> Floats:
    """The values, 0 where they are not finite: the solution is refused later, if mass is there."""
    return np.nan_to_num(coefficient(x, t), nan=0.0, posinf=0.0, neginf=0.0)
