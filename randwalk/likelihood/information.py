"""The observed information: the curvature of a log-likelihood at its maximum, and the directions in which it has none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from randwalk.model.coefficient import Floats

from .maximum import LogLikelihood

DROP = 0.25  # of log L, by which the steps of second differences lower it: 0.7 of the error with all others fixed
WITHIN = (0.08, 0.8)  # a drop that is accepted
WEAK = 1e-2  # an eigenvalue of the information, scaled to a diagonal of 1, below which a direction may be flat
HALVINGS = 20  # of the steps, if two of them together are excluded
LEAST = 1e-6  # the smallest eigenvalue that is inverted


@dataclass(frozen=True, eq=False)
class Information:
    """The observed information in units of `steps`, shape (parameters, parameters), with a diagonal of 1.

    `steps` are the standard errors with all other parameters fixed; infinite for one that changes nothing, which has a row of 0.
    """

    steps: Floats
    scaled: Floats

    @property
    def idle(self) -> NDArray[np.bool_]:
        """Which parameters change nothing."""
        return ~np.isfinite(self.steps)

    @property
    def eigen(self) -> tuple[Floats, Floats]:
        """(eigenvalues in increasing order, eigenvectors in columns) of the scaled matrix."""
        values, vectors = np.linalg.eigh(self.scaled)
        return values, vectors

    @property
    def basis(self) -> Floats:
        """Columns along each of which a step of 1 lowers log L by about a half; of no curvature, by no more."""
        values, vectors = self.eigen
        steps = np.where(self.idle, 0.0, self.steps)
        return steps[:, None] * vectors / np.sqrt(np.maximum(values, WEAK * WEAK))

    @property
    def covariance(self) -> Floats:
        """The inverse of the information."""
        values, vectors = self.eigen
        inverse = (vectors / np.maximum(values, LEAST)) @ vectors.T
        steps = np.where(self.idle, 0.0, self.steps)
        covariance = steps[:, None] * inverse * steps
        covariance[self.idle, self.idle] = np.inf
        return covariance

    def part(self, these: NDArray[np.bool_]) -> Information:
        """The information of some of the parameters, the others fixed."""
        return Information(self.steps[these], self.scaled[np.ix_(these, these)])

    def following(self, number: int) -> Floats:
        """How far the others move at their maximum for each unit of one parameter: -(H_oo)⁻¹ H_on."""
        others = np.arange(self.steps.size) != number
        steps = np.where(self.idle, 0.0, self.steps)
        shift = np.linalg.lstsq(self.scaled[np.ix_(others, others)], -self.scaled[others, number], rcond=LEAST)[0]
        return shift * steps[others] / steps[number] if steps[number] else np.zeros(shift.size)

    def weak(self) -> list[Floats]:
        """Directions in the space of parameters that may be flat, of the length of one error with all others fixed."""
        values, vectors = self.eigen
        found = [np.where(self.idle, 0.0, self.steps) * v for e, v in zip(values, vectors.T, strict=True) if e < WEAK]
        return [direction for direction in found if direction.any()]


def information(f: LogLikelihood, x: Floats, guess: Floats) -> Information:
    """Second differences of `f` around `x`, its maximum; `guess` are steps to begin with."""
    here = f(x)
    steps = np.array([_step(f, x, i, float(guess[i]), here) for i in range(x.size)])
    used = np.where(np.isfinite(steps), steps, 0.0)
    second = np.zeros((x.size, x.size))
    for _ in range(HALVINGS):
        for i in range(x.size):
            for j in range(i + 1):
                if used[i] and used[j]:
                    second[i, j] = second[j, i] = _second(f, x, used, i, j, here)
        if np.isfinite(second).all():
            break
        used = 0.5 * used  # some corner is excluded
    curved = np.sqrt(np.maximum(np.diag(second), 0.0))
    scale = np.where(curved > 0.0, curved, 1.0)
    errors = np.where(curved > 0.0, used / scale, np.inf)
    return Information(errors, second / scale[:, None] / scale)


def _step(f: LogLikelihood, x: Floats, i: int, step: float, here: float) -> float:
    """A step of one parameter to whose two sides log L drops by about DROP in the mean; infinite if no step does."""
    first = step
    for _ in range(40):
        sides = []
        for side in (step, -step):
            moved = x.copy()
            moved[i] += side
            sides.append(f(moved))
        drop = here - 0.5 * (sides[0] + sides[1])
        if WITHIN[0] <= drop <= WITHIN[1]:
            return step
        if not np.isfinite(drop):
            step /= 4.0
        else:
            step *= float(np.clip(np.sqrt(DROP / max(drop, 1e-12)), 0.1, 8.0))
        if step > 1e8 * max(abs(x[i]), first):
            return np.inf
    return step


def _second(f: LogLikelihood, x: Floats, steps: Floats, i: int, j: int, here: float) -> float:
    """-∂²f/∂i∂j in units of the steps."""
    a, b = np.zeros(x.size), np.zeros(x.size)
    a[i], b[j] = steps[i], steps[j]
    if i == j:
        return 2.0 * here - f(x + a) - f(x - a)
    return -0.25 * (f(x + a + b) - f(x + a - b) - f(x - a + b) + f(x - a - b))
