"""Values by walks on spheres (:mod:`randwalk.kernels.spheres`)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from randwalk.kernels.program import Keys
from randwalk.kernels.spheres import COARSE
from randwalk.laws.sums import SampleSums
from randwalk.model.coefficient import ZERO, Coefficient, Floats, constant_value
from randwalk.run.host import HERE
from randwalk.run.machine import Machine
from randwalk.tables.sphere_program import SphereProgram, sphere_program

from .question import Question
from .sampling import Combination

MOST = 10_000  # spheres of a walk; usual ones have about 10 log10(1/ε)


@dataclass(frozen=True)
class Spheres:
    """Walks on spheres from a point. The resolution is the number of times that ε is halved from the distance of the point to
    the nearest wall."""

    question: Question
    point: tuple[float, ...]
    keys: Keys
    order = 1.0
    name = "spheres"
    first = 14  # halvings, ε = 6e-5 of the distance

    @cached_property
    def program(self) -> SphereProgram:
        equation, question = self.question.equation, self.question
        walls = question.barriers
        return sphere_program(
            [wall.distance for wall in walls], [question.boundary[wall.exit] for wall in walls], question.source,
            physics(question), [(axis.low, axis.high) if axis.periodic else None for axis in equation.domain.axes],
        )  # fmt: skip

    @cached_property
    def distance(self) -> float:
        """From the point to the nearest wall."""
        at = tuple(map(np.asarray, self.point))
        return min(float(wall.distance(at, 0.0)) for wall in self.question.barriers)

    def rows(self, resolution: int, walkers: range, machine: Machine = HERE) -> Floats:
        """At once, because the spheres of a batch take some tenths of a second."""
        epsilon = math.ldexp(self.distance, -resolution)
        found = machine.spheres(self.program, walkers, self.point, epsilon, MOST, self.keys)
        lost = (found[2] >= MOST) | ~np.isfinite(found[3])
        if lost.any():
            raise ValueError(
                f"{int(lost.sum())} of {len(walkers)} walkers from x = {self.point} are not near a wall after {MOST} spheres: "
                "they go to infinity, or a distance is far too small; put an absorbing wall around the domain"
            )
        beyond = found[3] < -epsilon
        if beyond.any():
            raise ValueError(
                f"walker {walkers[int(np.argmax(beyond))]} from x = {self.point} came {-found[3].min():.3g} beyond a wall: the "
                "distance of a region is larger than the distance to its boundary; divide the expression of its Level by the "
                "largest length of its gradient"
            )
        return found[:2]

    def dt(self, resolution: int) -> float:
        """Spheres take no time."""
        return math.nan

    def combined(self, sums: SampleSums) -> Combination:
        """The bias is proportional to ε."""
        part = 1.0 / (COARSE - 1.0)
        return Combination((1.0, 0.0), (-part, part))

    def saved(self, sums: SampleSums) -> float:
        return 1.0

    def cost(self, resolution: int) -> float:
        """In spheres."""
        return 4.0 + 2.0 * resolution

    def finer(self, resolution: int, factor: float) -> int:
        """A resolution of which the error is smaller by a factor."""
        return resolution + max(1, math.ceil(math.log2(factor)))


def physics(question: Question) -> tuple[float, float]:
    """(D, κ) as numbers."""
    tensor = question.equation.diffusion
    first = tensor if isinstance(tensor, Coefficient) else tensor[0, 0]
    return constant_value(first) or 0.0, constant_value(question.equation.killing) or 0.0


def obstacles(question: Question, t: float) -> Iterator[str]:
    """Why walks on spheres do not apply: each reason, as a part of a sentence."""
    equation = question.equation
    if math.isfinite(t):
        yield f"the time t = {t:g} is finite (t = inf asks for the problem without time)"
    if question.timed:
        yield "something depends on time"
    drift = equation.declared_drift if equation.dimension > 1 else (equation.declared_drift,)
    if any(a != ZERO for a in drift):
        yield "there is a drift"
    tensor = equation.diffusion
    if equation.dimension == 1:
        same = constant_value(tensor) is not None
    else:
        matrix = tensor.matrix
        same = matrix is not None and np.array_equal(matrix, matrix[0, 0] * np.eye(len(matrix))) and matrix[0, 0] > 0.0
    if not same:
        yield "the diffusion is not the same number along every axis"
    if constant_value(equation.killing) is None:
        yield "the killing rate is not a number"
    walls = question.barriers
    if not walls:
        yield "there is no wall"
    for wall in walls:
        if not math.isinf(wall.reactivity):
            yield f"the wall {wall.name!r} does not absorb"
    if question.payoff != ZERO and math.isinf(t):
        yield f"payoff = {question.payoff} is paid at the time t, which is infinite (give payoff=0)"
