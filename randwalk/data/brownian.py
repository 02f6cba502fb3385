"""The likelihood of Brownian motion with drift that is seen at times, with a localisation error and during an exposure.

The place seen at the time t is the mean of X over the exposure e before t, plus a normal error of standard deviation σ along each
axis. The steps between successive observations of a track are then normal with the mean v τ, where τ is the time between them,
the variance 2Dτ + 2s² and the covariance -s² of neighbouring steps, s² = σ² - De/3 [Berglund, Phys. Rev. E 82, 011917 (2010);
Michalet & Berglund, Phys. Rev. E 85, 061916 (2012)]; gaps only change τ. The covariance matrix is tridiagonal: likelihoods
take a time proportional to the number of steps, and are exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import optimize, special
from scipy.linalg import lapack, solve_banded

from ..model.coefficient import Floats

ACCURACY = 1e-8  # of the place of a minimum, of the range that is searched
INNER = 1.0 - 1e-6  # of the range of s² in which the covariance matrix is positive
FARTHEST = 4.0  # in units of the mean square of steps: where the search for D and for s² ends


@dataclass(frozen=True, eq=False)
class Steps:
    """Steps between successive observations of all tracks, one track after another.

    Attributes
    ----------
    moved : (steps, dimension) array
        Displacements.
    waited : (steps,) array
        Times between the two observations.
    joined : (steps - 1,) array of bool
        Whether a step and the next share an observation.
    """

    moved: Floats
    waited: Floats
    joined: Any


@dataclass(frozen=True)
class Likelihood:
    """The likelihood of D and the localisation error σ, for the `exposure` of the camera.

    The drift is the best for each D and σ, and the likelihood is the restricted one, of the differences that do not depend on the
    drift, so that D is not too small for short tracks [Patterson & Thompson, Biometrika 58, 545 (1971)]. A `drift` that is given
    is taken off. The errors of axes are independent and alike.
    """

    steps: Steps
    exposure: float
    drift: Floats | None = None
    localisation: float | None = None

    @cached_property
    def _moved(self) -> Floats:
        given = 0.0 if self.drift is None else np.outer(self.steps.waited, self.drift)
        return self.steps.moved - given

    @cached_property
    def _right(self) -> Floats:
        """The displacements and the times, in the order in which LAPACK takes them."""
        return np.asfortranarray(np.column_stack([self._moved, self.steps.waited]))

    @cached_property
    def _squared_times(self) -> float:
        return float(np.sum(self.steps.waited**2))

    @cached_property
    def scale(self) -> float:
        """The mean square of a step along one axis, about its mean."""
        residual = self._moved
        if self.drift is None:
            waited = self.steps.waited
            residual = residual - np.outer(waited, residual.sum(axis=0) / waited.sum())
        return float(np.mean(residual**2))

    @cached_property
    def interval(self) -> float:
        """The mean time of a step."""
        return float(self.steps.waited.mean())

    @property
    def freedom(self) -> int:
        """The number of the differences that are normal with the mean 0."""
        steps, dimension = self.steps.moved.shape
        return (steps - (self.drift is None)) * dimension

    def solved(self, diffusion: float, spread: float) -> tuple[float, float, Floats, float]:
        """(ln det, sum of squares, drift, its precision) for Σ of D and s² = `spread`; the drift is that of the best fit."""
        steps = self.steps
        diagonal = 2.0 * (diffusion * steps.waited + spread)
        d, e, failed = lapack.dpttrf(diagonal, np.where(steps.joined, -spread, 0.0))
        if failed:  # D is far below 0, or both are 0
            return math.inf, math.inf, np.full(self._moved.shape[1], math.nan), 1.0
        inverse, _ = lapack.dpttrs(d, e, self._right)
        products = self._right.T @ inverse
        squares = float(np.trace(products[:-1, :-1]))
        precision = float(products[-1, -1])
        if self.drift is not None:
            return float(np.log(d).sum()), squares, self.drift, math.inf
        drift = products[:-1, -1] / precision
        return float(np.log(d).sum()), squares - precision * float(drift @ drift), drift, precision

    def innovations(self, diffusion: float, localisation2: float) -> Floats:
        """Displacements less their means given all earlier ones, in standard deviations: independent normal numbers of variance 1
        if D, σ² and the `drift` are right; shape (steps, dimension)."""
        steps, spread = self.steps, self.spread(diffusion, localisation2)
        diagonal = 2.0 * (diffusion * steps.waited + spread)
        d, e, failed = lapack.dpttrf(diagonal, np.where(steps.joined, -spread, 0.0))
        if failed:
            raise ValueError(f"D = {diffusion:g}, σ² = {localisation2:g}: no covariance matrix of steps")
        factor = np.vstack([np.ones(d.size), np.append(e, 0.0)])
        return solve_banded((1, 0), factor, self._moved) / np.sqrt(d)[:, None]

    def spread(self, diffusion: float, localisation2: float) -> float:
        """s² = σ² - De/3."""
        return localisation2 - diffusion * self.exposure / 3.0

    def deviance(self, diffusion: float, localisation2: float) -> float:
        """-2 ln of the (restricted) likelihood of D and σ²."""
        log_det, squares, _, precision = self.solved(diffusion, self.spread(diffusion, localisation2))
        return self._log_det(log_det, precision) + squares + self.freedom * math.log(2.0 * math.pi)

    def _log_det(self, log_det: float, precision: float) -> float:
        dimension = self._moved.shape[1]
        restricted = 0.0 if self.drift is not None else math.log(precision / self._squared_times)
        return dimension * (log_det + restricted)

    def best(self) -> tuple[float, float]:
        """The D and σ² of the largest likelihood, D not below 0.

        For each ratio of the two the best size is known; so the ratios are searched, as an angle. σ² is a part of a covariance
        that may come out below 0, as it does half of the time where there is no error: kept above, it would make D too small
        in the mean, by 8 % for 118 steps.
        """
        if self.localisation is not None:
            known = self.localisation**2
            return _least(lambda d: self.deviance(d, known), 0.0, self._largest_diffusion)[0], known
        interval = self.interval

        def size(angle: float) -> tuple[float, float]:
            """(deviance but for a constant, size) of D and s² in a ratio."""
            log_det, squares, _, precision = self.solved(math.cos(angle) / interval, math.sin(angle))
            best = squares / self.freedom
            return self._log_det(log_det, precision) + self.freedom * math.log(best), best

        lowest = math.atan(self._lowest_spread(1.0 / interval))
        turned, _ = _least(lambda angle: size(angle + lowest)[0], 0.0, 0.5 * math.pi - lowest)
        angle = turned + lowest
        diffusion, spread = (size(angle)[1] * part for part in (max(math.cos(angle), 0.0) / interval, math.sin(angle)))
        return diffusion, spread + diffusion * self.exposure / 3.0

    def _lowest_spread(self, diffusion: float) -> float:
        """The lowest s² for which the covariance matrix is surely positive: 2(Dτ + s²) > -2s²."""
        return -0.5 * INNER * diffusion * float(self.steps.waited.min())

    @property
    def _largest_diffusion(self) -> float:
        return FARTHEST * self.scale / self.interval

    def profile(self, name: str, value: float) -> float:
        """The deviance of a value of "diffusion" or "localisation", at the best of the other."""
        if name == "localisation":
            return _least(lambda d: self.deviance(d, value**2), 0.0, self._largest_diffusion)[1]
        if self.localisation is not None:
            return self.deviance(value, self.localisation**2)
        lowest = self._lowest_spread(value) + value * self.exposure / 3.0
        return _least(lambda square: self.deviance(value, square), lowest, FARTHEST * self.scale)[1]

    def interval_of(self, name: str, best: float, level: float) -> tuple[float, float]:
        """The values of "diffusion" or "localisation" whose deviance is at most the χ² quantile of `level` above the least."""
        least, allowed = self.profile(name, best), math.sqrt(special.chdtri(1.0, 1.0 - level))

        def above(value: float) -> float:  # of the roots, which are nearly straight lines
            return math.sqrt(max(self.profile(name, value) - least, 0.0)) - allowed

        unit = math.sqrt(self.scale) if name == "localisation" else 0.5 * self.scale / self.interval
        width, exact = max(0.5 * best, 0.01 * unit), {"xtol": 1e-6 * unit, "rtol": 1e-6}
        low = 0.0 if best == 0.0 or above(0.0) <= 0.0 else float(optimize.brentq(above, 0.0, best, **exact))
        while above(best + width) < 0.0:
            width *= 2.0
        return low, float(optimize.brentq(above, best, best + width, **exact))


def _least(f: Callable[[float], float], low: float, top: float) -> tuple[float, float]:
    """(place, value) of the least value of a function between two ends, which are looked at too."""
    found = optimize.minimize_scalar(f, bounds=(low, top), method="bounded", options={"xatol": ACCURACY * (top - low)})
    return min(((float(x), f(x)) for x in (found.x, low, top)), key=lambda pair: pair[1])
