"""Importance sampling: walks with another drift, whose path weight is one more coordinate."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

import numpy as np

from randwalk.kernels.program import Keys
from randwalk.laws.sums import SampleSums
from randwalk.model.coefficient import ZERO, Coefficient, Floats, Variable, apply, coordinate
from randwalk.model.convention import Convention
from randwalk.model.declaration import positive
from randwalk.model.domain import Line
from randwalk.model.ito import ItoWalk
from randwalk.model.ito_checks import check_vector
from randwalk.model.tensor import as_vector
from randwalk.run.effort import Effort
from randwalk.run.host import HERE
from randwalk.run.machine import Machine
from randwalk.tables.ito_program import ItoProgram, program

from .departing import departing
from .horizon import Horizon, Until, check_addressed
from .question import Question
from .reduction import Drift, Reduction
from .sampling import Combination, CutShort, Sample
from .walks import Walks

PLAIN = 8192  # unweighted walkers that tell the variance without the drift
FEW = 16  # walkers that tell of what size values are
EVEN = 1e-6  # of the value: the deviation below which rounding hides its tails


@dataclass(frozen=True)
class Weighted(Walks):
    """Walks whose drift is a + b. With σθ = b the coordinate Y after the others, dY = -½|θ|² dt - θ·dW, is the logarithm of the
    path's weight, exactly that of the steps that are made: everything paid is multiplied by exp Y."""

    @cached_property
    def walk(self) -> ItoWalk:
        assert isinstance(self.reduction, Drift)
        equation = self.question.equation
        if equation.domain.regions:
            raise ValueError(
                f"reduction = Drift(...): a domain with regions, such as {equation.domain.regions[0].name!r}, has no such walks; "
                "take Antithetic() or Control(...)"
            )
        plain = without(self).walk
        if plain.interfaces and equation.convention is not Convention.ITO:
            raise ValueError(
                f"reduction = Drift(...): a diffusion that jumps in the {equation.convention.value} convention, here at "
                f"{coordinate(plain.interfaces[0].axis)} = {plain.interfaces[0].place:g}, has no such walks; take Antithetic()"
            )
        added = as_vector("Drift: drift", self.reduction.drift, equation.dimension)
        check_vector("Drift: drift", added, plain)
        shares = plain.diffusion.solved(added)  # D⁻¹ b
        theta = [
            0.5 * _sum([row[k] * share for row, share in zip(plain.noise, shares, strict=True)])
            for k in range(plain.sources)
        ]
        drift = [a + b for a, b in zip(plain.drift, added, strict=True)]
        noise = [*plain.noise, tuple(-part for part in theta)]
        return ItoWalk(
            (*drift, -0.5 * _sum([part * part for part in theta])), noise=noise, dt=plain.dt, domain=equation.domain * Line(),
            start=(*self.point, 0.0), killing=equation.killing,
        )  # fmt: skip

    @cached_property
    def program(self) -> ItoProgram:
        question, walk = self.question, self.walk
        weight = apply("exp", Variable(coordinate(walk.dimension - 1)))
        old, new = question.equation.domain.exits, walk.domain.exits
        paid = [ZERO if name not in old else question.boundary[old.index(name)] * weight for name in new]
        return program(
            walk,
            source=question.source * weight,
            payoff=question.payoff * weight,
            boundary=paid,
            kills=False,
            holds=self.horizon.holds,
            carried=1,
        )

    @property
    def place(self) -> tuple[float, ...]:
        return (*self.point, 0.0)

    def rows(self, resolution: int, walkers: range, machine: Machine = HERE) -> Floats:
        """The levels, and the square of R over its :attr:`size`, whose moments are the third and the fourth of R."""
        made = super().rows(resolution, walkers, machine)
        value = np.array(self.extrapolation) @ made
        return np.concatenate([made, [value / self.size * value]])

    @cached_property
    def size(self) -> float:
        """A power of two of the size of R, so that its square keeps the digits of the other rows."""
        largest = float(np.abs(super().rows(self.first, range(FEW))).max())
        return 2.0 ** round(math.log2(largest)) if 0.0 < largest < math.inf else 1.0

    def combined(self, sums: SampleSums) -> Combination:
        return Combination((*self.extrapolation, 0.0), (*self.remainder, 0.0))

    def carriers(self, sums: SampleSums) -> float:
        """n/κ of n walkers with the kurtosis κ = E(R - ER)⁴/(Var R)²: the standard error is known to ½√(κ/n) of itself (Cramér,
        *Mathematical Methods of Statistics* (1946), 27.4). Infinite where R is as good as constant."""
        weights = np.array(self.combined(sums).value)
        mean, size = float(weights @ sums.means) / sums.unit, self.size / sums.unit
        covariance = sums.covariance
        variance, cross = float(weights @ covariance @ weights), float(weights @ covariance[-1]) * size
        if not variance > (EVEN * mean) ** 2:
            return math.inf
        third = cross - 2.0 * mean * variance
        fourth = covariance[-1, -1] * size**2 - 4.0 * mean * third - (2.0 * mean) ** 2 * variance + variance**2
        return float(sums.count * variance**2 / fourth) if fourth > 0.0 else math.inf

    def saved(self, sums: SampleSums) -> float:
        """Against a sample without the drift."""
        resolution = self.first
        try:
            plain = Sample.of(without(self), resolution, PLAIN, Effort(1))
        except CutShort as cut:  # this sample is not that of the question
            raise cut.stop from None
        weights = np.array(self.combined(sums).value)
        left = sums.unit * math.sqrt(max(float(weights @ sums.covariance @ weights), 0.0))
        return (plain.deviation / left) ** 2 if left > 0.0 and plain.deviation > 0.0 else math.nan


def without(way: Walks) -> Walks:
    """The same walks without variance reduction."""
    return Walks(way.question, way.point, way.horizon, way.keys, way.steps)


def _sum(terms: list[Coefficient]) -> Coefficient:
    return reduce(operator.add, terms, ZERO)


def walks(
    question: Question, point: tuple[float, ...], t: float, keys: Keys, dt: float | None, reduction: Reduction | None
) -> Walks:
    """Walks from a point to a time, or of an infinite one until all have left, with the variance reduction that is asked for."""
    kind = Weighted if isinstance(reduction, Drift) else Walks

    def made(horizon: Horizon, steps: int | None) -> Walks:
        return kind(question, point, horizon, keys, steps, reduction)

    if math.isfinite(t):
        return made(Until(t), None if dt is None else _steps(t, dt))
    return departing(made, dt)


def _steps(t: float, dt: Any) -> int:
    """How many steps of dt are t: a multiple of four, so that two coarser levels exist."""
    steps = t / positive("dt", dt)
    check_addressed(steps, f"dt = {dt:g}: t = {t:g}")
    whole = round(steps)
    if whole < 4 or whole % 4 or abs(steps - whole) > 1e-9 * steps:
        near = 4 * max(1, round(steps / 4.0))
        raise ValueError(f"dt = {dt:g}: t = {t:g} must be a multiple of 4 dt; take dt = {t / near:.15g}")
    return whole
