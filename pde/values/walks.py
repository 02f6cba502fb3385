"""Values by Itô walks: the formula of Feynman and Kac in time, on three levels of steps that share their noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from randwalk.kernels.program import Keys
from randwalk.model.coefficient import Floats
from randwalk.model.ito import ItoWalk
from randwalk.model.scheme import EulerMaruyama
from randwalk.tables.ito_program import ItoProgram, program

from .question import Question

LEVELS = (1, 2, 4)  # lengths of the steps, in the finest
FEWEST = 4 * 4  # finest steps
NARROW = 0.25  # of the width of a domain: a step's noise, at the coarsest level, to begin with
MOST_STEPS = 2**24


@dataclass(frozen=True)
class Walks:
    """Walks of a time from a point. The resolution is the number of steps of the finest level, a multiple of four.

    With the values v₁, v₂, v₄ of a walker on three levels of steps dt, 2 dt, 4 dt that share their noise and have the same law of
    increments, R = (2ᵖv₁ - v₂)/(2ᵖ - 1) is of the order after p (Talay and Tubaro, *Stoch. Anal. Appl.* 8 (1990) 483), q > p. Its
    difference to that of v₂ and v₄ is 2^q - 1 times its error; it is divided by 2ᵖ, which is on the safe side for q ≥ p + 0.6.
    """

    question: Question
    point: tuple[float, ...]
    time: float
    keys: Keys
    steps: int | None = None
    name = "walk"

    @property
    def order(self) -> float:
        return self.walk.scheme.order

    @property
    def value(self) -> tuple[float, ...]:
        r = 2.0**self.order
        return r / (r - 1.0), -1.0 / (r - 1.0), 0.0

    @property
    def step(self) -> tuple[float, ...]:
        r = 2.0**self.order
        return tuple(w / (r * (r - 1.0)) for w in (r, -1.0 - r, 1.0))

    @cached_property
    def first(self) -> int:
        """Steps to begin with: as many as the declared dt makes, or such that the noise of a coarse step is well within the
        domain."""
        if self.steps is not None:
            return self.steps
        equation = self.question.equation
        wanted = float(FEWEST)
        at = tuple(map(np.asarray, self.point))
        for axis, (low, high) in enumerate(equation.domain.bounds):
            d = equation.diffusion if equation.dimension == 1 else equation.diffusion[axis, axis]
            if math.isfinite(high - low):
                wanted = max(wanted, LEVELS[-1] * 2.0 * float(d(at, 0.0)) * self.time / (NARROW * (high - low)) ** 2)
        return LEVELS[-1] * math.ceil(min(wanted, MOST_STEPS) / LEVELS[-1])

    @cached_property
    def walk(self) -> ItoWalk:
        """The walk of the equation from the point."""
        equation = self.question.equation
        return ItoWalk(
            equation.declared_drift, equation.diffusion, dt=self.time / self.first, domain=equation.domain,
            start=self.point if equation.dimension > 1 else self.point[0], killing=equation.killing,
            convention=equation.convention, scheme=EulerMaruyama(),
        )  # fmt: skip

    @cached_property
    def program(self) -> ItoProgram:
        question = self.question
        return program(
            self.walk, source=question.source, payoff=question.payoff, boundary=question.boundary, kills=False
        )

    def rows(self, resolution: int, walkers: range) -> Floats:
        made, module = self.program, self.program.module
        found = np.empty((len(LEVELS), len(walkers)))
        for row, pairs in zip(found, LEVELS, strict=True):
            state = made.begin(np.repeat(np.array(self.point)[:, None], len(walkers), axis=1))
            steps = resolution // pairs
            dt = self.time / resolution
            module.walk(state, walkers.start, 0, steps, dt, pairs, made.parameters, self.keys)
            row[:] = made.settled(state, self.time)
        return found

    def dt(self, resolution: int) -> float:
        return self.time / resolution

    def cost(self, resolution: int) -> float:
        return sum(resolution / pairs for pairs in LEVELS)

    def finer(self, resolution: int, factor: float) -> int:
        """The error of the extrapolated value falls one order faster than that of the scheme."""
        return LEVELS[-1] * math.ceil(resolution * max(factor ** (1.0 / (self.order + 1.0)), 1.5) / LEVELS[-1])
