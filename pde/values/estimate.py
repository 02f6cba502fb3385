"""The value of a solution at a point, from a sample of walks, and what is said where a tolerance is out of reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from randwalk.laws.estimate import Estimate
from randwalk.model.coefficient import Floats


@dataclass(frozen=True, eq=False, repr=False)
class Expectation(Estimate):
    """`value` ± `error` at each of some points: arrays of one shape, of shape () for one point.

    Attributes
    ----------
    value
        The mean over the walkers; of walks of step dt extrapolated to dt = 0.
    error
        √(statistical² + step²), what a comparison with another number should take.
    statistical
        The standard error of the mean over walkers.
    step
        The size of the error of finite steps that is left in the value, of spheres that end ε before a wall or of steps of length
        dt: √(estimate² + standard error of that estimate²).
    dt
        The duration of a step; NaN for spheres, which have none.
    walkers
        How many walks were made from each point.
    order
        The order in dt (or in ε) of the errors that the estimate of `step` assumes.
    saved
        The factor by which variance reduction lowered the variance at equal cost; 1 without.
    method : str
        "spheres" or "walk".
    """

    statistical: Floats
    step: Floats
    dt: Floats
    walkers: NDArray[np.int64]
    order: float
    saved: Floats
    method: str

    def _part(self, value: Floats, error: Floats) -> Estimate:
        return Estimate(value, error)

    def __getitem__(self, index: Any) -> Expectation:
        each = (getattr(self, name) for name in ("value", "error", "statistical", "step", "dt", "walkers"))
        value, error, statistical, step, dt, walkers = (v[index] for v in each)
        return Expectation(value, error, statistical, step, dt, walkers, self.order, self.saved[index], self.method)

    def __repr__(self) -> str:
        if self.value.ndim:
            return super().__repr__()
        steps = "" if np.isnan(self.dt) else f", dt = {float(self.dt):.3g}"
        return (
            f"{self.value:.6g} ± {self.error:.2g} (statistical {self.statistical:.2g}, step {self.step:.2g}; "
            f"{int(self.walkers)} walkers{steps})"
        )


class ToleranceNotMet(ArithmeticError):
    """A tolerance is out of reach. What has been reached is in `reached`, an :class:`Expectation`."""

    def __init__(self, message: str, reached: Expectation) -> None:
        super().__init__(message)
        self.reached = reached
