"""First passage of Brownian motion with drift to bounds that move, by integral equations of the second kind.

In the frame that drifts with the walker, whose start is 0, the densities g of passage through the bounds S satisfy
[Buonocore, Giorno, Nobile & Ricciardi, J. Appl. Probab. 27, 102 (1990)]

    ±g_j(t) = -K_j(t; 0, 0) + Σ_k ∫₀ᵗ K_j(t; S_k(s), s) g_k(s) ds,   K_j(t; y, s) = (S_j'(t) - (S_j(t) - y)/(t - s)) f,

with + for an upper bound and - for a lower one, and f the normal density at S_j(t) of who was at y at s. Kernels vanish at s = t:
as the root of t - s at a curved bound, else faster than any power. So the trapezoidal rule in log t, with the term of that
root [Navot, J. Math. Phys. 40, 271 (1961)], is of order 5/2, and beside straight bounds limited by the width of g alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import optimize
from scipy.interpolate import BSpline, make_interp_spline
from scipy.linalg import solve_triangular

from randwalk.model.coefficient import Coefficient, Constant, Floats
from randwalk.model.domain import Interval
from randwalk.model.start import Point
from randwalk.model.times import SAME
from randwalk.pde.equation import FokkerPlanck

from .exits import check_exit, survival

NOBODY = 100.0  # before 4Dt is the squared distance to the bounds by this, 1e-11 have left: so the first node
NODES = 128  # times
MOST_NODES = 1024
DENSITY_ERROR = 1e-3  # of the largest density: above it the nodes are doubled
SHARE = 0.25  # of the difference to half of the nodes is left as error, at order 5/2
ROOT = 0.2078862249773546  # -ζ(-1/2): the integral of a root less its trapezoidal rule, in units of h^(3/2)
ORDER = 5  # of splines
LOOKS = 257  # for the first time at which bounds have met
CLOSE = 1e-6  # of the time at which they meet: the last node is so much before
FLOOR = 1e-12  # of the largest density: a spline is not below it


@dataclass(frozen=True)
class MovingBounds:
    """Absorbing bounds around a walker: `paths` by exit, and their first and second derivatives."""

    drift: float
    diffusion: float
    start: float
    paths: dict[str, Coefficient]
    slopes: list[Coefficient]
    curves: list[Coefficient]

    @classmethod
    def of(cls, equation: FokkerPlanck) -> MovingBounds | None:
        """Those of an equation; None for one with other walls, coefficients or starts."""
        domain, start = equation.domain, equation.start
        if not isinstance(domain, Interval) or not isinstance(start, Point) or equation.killing != Constant(0.0):
            return None
        if any(face.wall.reactivity < np.inf for face in domain.faces):
            return None
        drift, diffusion = equation.drift, equation.diffusion
        if not isinstance(drift, Constant) or not isinstance(diffusion, Constant):
            return None
        ends = zip(("left", "right"), (domain.low, domain.high), domain.paths, strict=True)
        paths = {exit: Constant(end) if path is None else path for exit, end, path in ends if np.isfinite(end)}
        try:
            slopes = [path.derivative("t") for path in paths.values()]
            curves = [slope.derivative("t") for slope in slopes]
        except ValueError:  # a bound has a kink or a jump
            return None
        return cls(drift.value, diffusion.value, float(start.x), paths, slopes, curves)

    def places(self, t: Floats) -> Floats:
        """The bounds in the frame of the walker, shape (bounds, times)."""
        return _values(self.paths.values(), t) - self.start - self.drift * t

    @cached_property
    def onset(self) -> float:
        """A time before which next to nobody has left."""
        first = self.places(np.zeros(1))
        near = float(np.abs(first).min())
        t = near * near / (NOBODY * self.diffusion)
        while np.abs(self.places(np.array([t])) - first).max() > 0.25 * near:
            t *= 0.5
        return t

    def densities(self, t: Floats) -> Floats:
        """The densities of passage at times `t` in geometric progression from :attr:`onset`, shape (bounds, times)."""
        size, bounds, ratio = t.size, len(self.paths), np.log(t[1] / t[0])
        place, slope = self.places(t), _values(self.slopes, t) - self.drift
        curve = _values(self.curves, t)
        spread, sign = 4.0 * self.diffusion, np.array([-1.0 if exit == "left" else 1.0 for exit in self.paths])
        since = np.where(later := np.tri(size, k=-1, dtype=bool), t[:, None] - t, 1.0)

        def kernel(bound: int, distance: Floats, since: Floats) -> Floats:
            normal = np.exp(-distance * distance / (spread * since)) / np.sqrt(np.pi * spread * since)
            return (slope[bound].reshape((-1,) + (1,) * (since.ndim - 1)) - distance / since) * normal

        matrix, right = np.zeros((size, bounds, size, bounds)), np.zeros((size, bounds))
        for j in range(bounds):
            right[:, j] = -sign[j] * kernel(j, place[j], t)
            for k in range(bounds):
                weighed = kernel(j, place[j][:, None] - place[k], since) * t * ratio
                matrix[:, j, :, k] = -sign[j] * np.where(later, weighed, 0.0)
            lacking = ROOT * 0.5 * curve[j] / np.sqrt(np.pi * spread) * (t * ratio) ** 1.5
            matrix[np.arange(size), j, np.arange(size), j] = 1.0 - sign[j] * lacking
        whole = matrix.reshape(size * bounds, size * bounds)
        return solve_triangular(whole, right.ravel(), lower=True, check_finite=False).reshape(size, bounds).T

    def meeting(self, last: float) -> float:
        """When two bounds have met by the time `last`, else infinity."""
        if len(self.paths) < 2:
            return np.inf

        def apart(t: float) -> float:
            low, high = self.places(np.array([t]))[:, 0]
            return float(high - low)

        times = np.linspace(0.0, last, LOOKS)
        low, high = self.places(times)
        met = np.flatnonzero(high <= low)
        return float(optimize.brentq(apart, times[met[0] - 1], times[met[0]])) if met.size else np.inf

    def passages(self, last: float) -> VolterraPassages | None:
        """The passages up to the time `last`, to a thousandth of the largest density; None where no nodes reach that."""
        if not last > 0.0:
            return None
        end = self.meeting(last)
        first, last, nodes = min(self.onset, 0.1 * min(last, end)), min(last, end * (1.0 - CLOSE)), NODES
        while nodes <= MOST_NODES:
            t = np.geomspace(first, last, nodes)
            fine, coarse = self.densities(t), self.densities(t[1::2])
            top = float(fine.max())
            if not top > 0.0:  # nobody leaves to rounding
                return None
            error = SHARE * float(np.abs(fine[:, 1::2] - coarse).max()) / top
            if error <= DENSITY_ERROR:
                return VolterraPassages(tuple(self.paths), t, fine, error)
            nodes *= 2
        return None


def _values(paths: Iterable[Coefficient], t: Floats) -> Floats:
    """Functions of the time, shape (functions, times)."""
    return np.array([np.broadcast_to(path(0.0, t), t.shape) for path in paths])


@dataclass(frozen=True, eq=False)
class VolterraPassages:
    """First passage through moving bounds: splines of degree 5 in log t through t g(t), and their integrals.

    `densities` are those at `nodes`, shape (exits, nodes). `error` is that of the densities, of the largest one. Nobody leaves
    after the last node: no question is later, or the bounds have met.
    """

    exits: tuple[str, ...]
    nodes: Floats
    densities: Floats
    error: float

    @cached_property
    def _splines(self) -> dict[str, BSpline]:
        x = np.log(self.nodes)
        return {
            exit: make_interp_spline(x, self.nodes * g, k=ORDER)
            for exit, g in zip(self.exits, self.densities, strict=True)
        }

    @cached_property
    def _integrals(self) -> dict[str, BSpline]:
        return {exit: spline.antiderivative() for exit, spline in self._splines.items()}

    def density(self, exit: str, t: Floats) -> Floats:
        spline = self._splines[check_exit(exit, self.exits)]
        known = np.clip(t, self.nodes[0], self.nodes[-1])
        found = np.maximum(spline(np.log(known)) / known, FLOOR * self.densities.max())
        return np.where(t > self.nodes[-1] * (1.0 + SAME), 0.0, found)

    def absorbed(self, exit: str, t: Floats) -> Floats:
        spline = self._integrals[check_exit(exit, self.exits)]
        return np.clip(spline(np.log(np.clip(t, self.nodes[0], self.nodes[-1]))), 0.0, 1.0)

    def survival(self, t: Floats) -> Floats:
        return survival(self, t) if t.size else t
