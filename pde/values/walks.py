"""Values by Itô walks: the formula of Feynman and Kac, on three levels of steps that share their noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from randwalk.kernels.ito import State
from randwalk.kernels.program import Keys
from randwalk.laws.estimate import Estimate
from randwalk.laws.sums import SampleSums
from randwalk.model.coefficient import Coefficient, Floats
from randwalk.model.ito import ItoWalk
from randwalk.model.scheme import EulerMaruyama, Platen, Scheme
from randwalk.run.host import HERE
from randwalk.run.machine import Machine
from randwalk.tables.ito_program import ItoProgram, program

from .horizon import Horizon
from .question import Question
from .reduction import Antithetic, Control, Reduction
from .sampling import Combination, NotFiniteValue

LEVELS = (1, 2, 4)  # lengths of the steps, in the finest
FEWEST = 4 * 4  # finest steps
NARROW = 0.25  # of the width of a domain: a step's noise, at the coarsest level, to begin with
MOST_STEPS = 2**24


@dataclass(frozen=True)
class Walks:
    """Walks from a point to their horizon. The resolution is the number of steps of the finest level in the time of the horizon,
    a multiple of four.

    With the values v₁, v₂, v₄ of a walker on three levels of steps dt, 2 dt, 4 dt that share their noise and have the same law of
    increments, R = (2ᵖv₁ - v₂)/(2ᵖ - 1) is of the order after p (Talay and Tubaro, *Stoch. Anal. Appl.* 8 (1990) 483), q > p. Its
    difference to that of v₂ and v₄ is 2^q - 1 times its error; it is divided by 2ᵖ, which is on the safe side for q ≥ p + 0.6.
    """

    question: Question
    point: tuple[float, ...]
    horizon: Horizon
    keys: Keys
    steps: int | None = None
    reduction: Reduction | None = None
    name = "walk"

    @property
    def time(self) -> float:
        """In which a walker makes as many steps as the resolution is."""
        return self.horizon.time

    @property
    def order(self) -> float:
        return self.walk.scheme.order

    @property
    def lengths(self) -> tuple[int, ...]:
        """Of the steps on each level, in the finest."""
        return LEVELS

    @property
    def place(self) -> tuple[float, ...]:
        """Where walkers start."""
        return self.point

    @property
    def extrapolation(self) -> tuple[float, ...]:
        """The weights of v₁, v₂, v₄ in R."""
        r = 2.0**self.order
        return r / (r - 1.0), -1.0 / (r - 1.0), 0.0

    @property
    def remainder(self) -> tuple[float, ...]:
        """Their weights in the estimate of the error of R."""
        r = 2.0**self.order
        return tuple(w / (r * (r - 1.0)) for w in (r, -1.0 - r, 1.0))

    def combined(self, sums: SampleSums) -> Combination:
        """Rows are the levels; behind those of antithetic pairs R of one partner, or behind them the levels of a control."""
        value, step = self.extrapolation, self.remainder
        if isinstance(self.reduction, Antithetic):
            return Combination((*value, 0.0), (*step, 0.0))
        if isinstance(self.reduction, Control):
            slope = self._slope(sums)
            both = (*value, *(-slope * w for w in value))
            return Combination(both, (*step, *(-slope * w for w in step)), slope * self.reduction.mean)
        return Combination(value, step)

    def _slope(self, sums: SampleSums) -> float:
        """Of the regression of R on the control's R."""
        paid, control = self._of_both()
        covariance = sums.covariance
        spread = float(control @ covariance @ control)
        return float(paid @ covariance @ control) / spread if spread > 0.0 else 0.0

    def _of_both(self) -> tuple[Floats, Floats]:
        """The weights of all six levels in R of the payoff, and in R of the control."""
        value, none = self.extrapolation, (0.0,) * len(LEVELS)
        return np.array((*value, *none)), np.array((*none, *value))

    def controlled(self, sums: SampleSums) -> Estimate:
        """The mean of the control's payoff that the walkers find, with the errors of sampling and of steps."""
        none = (0.0,) * len(LEVELS)
        mean, step = np.array((*none, *self.extrapolation)), np.array((*none, *self.remainder))

        def noise(weights: Floats) -> float:
            return sums.unit * math.sqrt(max(float(weights @ sums.covariance @ weights), 0.0) / sums.count)

        error = math.hypot(noise(mean), noise(step), float(step @ sums.means))
        return Estimate(np.asarray(mean @ sums.means), np.asarray(error))

    def plain(self, sums: SampleSums) -> float:
        """The variance of a value without the control, in squared units of the sums."""
        paid, _ = self._of_both()
        return float(paid @ sums.covariance @ paid)

    def saved(self, sums: SampleSums) -> float:
        used = np.array(self.combined(sums).value)
        if isinstance(self.reduction, Antithetic):
            plain, cost = np.array((0.0,) * len(LEVELS) + (1.0,)), 2.0
        elif isinstance(self.reduction, Control):
            plain, cost = self._of_both()[0], 1.0
        else:
            return 1.0
        left = float(used @ sums.covariance @ used) * cost
        return float(plain @ sums.covariance @ plain) / left if left > 0.0 else math.inf

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
        """The walk of the equation from the point: of weak order 2 where there are no walls and the noise allows it."""
        equation = self.question.equation

        def made(scheme: Scheme) -> ItoWalk:
            return ItoWalk(
                equation.declared_drift, equation.diffusion, dt=self.time / self.first, domain=equation.domain,
                start=self.point if equation.dimension > 1 else self.point[0], killing=equation.killing,
                convention=equation.convention, scheme=scheme,
            )  # fmt: skip

        walk = made(EulerMaruyama())
        free = not self.question.barriers and (walk.diagonal or walk.sources == 1)
        return made(Platen()) if free else walk

    @cached_property
    def program(self) -> ItoProgram:
        return self._program(self.walk, self.question.payoff)

    def _program(self, walk: ItoWalk, payoff: Coefficient) -> ItoProgram:
        question = self.question
        return program(
            walk,
            source=question.source,
            payoff=payoff,
            boundary=question.boundary,
            kills=False,
            holds=self.horizon.holds,
        )

    @cached_property
    def partner(self) -> ItoProgram:
        """The walk whose increments are those of the first with the other sign."""
        noise = tuple(tuple(-entry for entry in row) for row in self.walk.noise)
        return self._program(self.walk.replaced(noise=noise), self.question.payoff)

    @cached_property
    def control(self) -> ItoProgram:
        """What settles walkers by the control's payoff."""
        assert isinstance(self.reduction, Control)
        return program(self.walk, payoff=self.reduction.read(self.question.equation.dimension), kills=False)

    def rows(self, resolution: int, walkers: range, machine: Machine = HERE) -> Floats:
        made = self._levels(self.program, resolution, walkers, machine)
        if isinstance(self.reduction, Antithetic):
            other = self._levels(self.partner, resolution, walkers, machine)
            return np.concatenate([0.5 * (made + other), [np.array(self.extrapolation) @ made]])
        return made

    def _levels(self, made: ItoProgram, resolution: int, walkers: range, machine: Machine) -> Floats:
        """The values of the walkers on each level, and of the control if there is one."""
        found, controls = np.empty((len(self.lengths), len(walkers))), []
        dt, exits = self.time / resolution, len(self.walk.domain.exits)
        for row, pairs in zip(found, self.lengths, strict=True):
            state = made.begin(np.repeat(np.array(self.place)[:, None], len(walkers), axis=1))
            done = 0
            for stop in self.horizon.stops(resolution // pairs):
                machine.move(made, state, walkers.start, done, stop, dt, self.keys, pairs)
                _check_weights(state, walkers, len(self.point))
                if self.horizon.over(state, exits, stop * pairs * dt, walkers):
                    break
                done = stop
            row[:] = made.settled(state, self.time)
            _check_values(row, state, self.time, walkers, len(self.point))
            if isinstance(self.reduction, Control):
                controls.append(self.control.settled(state._replace(gathered=np.zeros(len(walkers))), self.time))
        return np.concatenate([found, controls]) if controls else found

    def dt(self, resolution: int) -> float:
        return self.time / resolution

    def cost(self, resolution: int) -> float:
        return sum(resolution / pairs for pairs in self.lengths)

    def finer(self, resolution: int, factor: float) -> int:
        """The error of the extrapolated value falls one order faster than that of the scheme."""
        return LEVELS[-1] * math.ceil(resolution * max(factor ** (1.0 / (self.order + 1.0)), 1.5) / LEVELS[-1])


def _check_values(values: Floats, state: State, time: float, walkers: range, axes: int) -> None:
    """Refuse values that are no finite numbers, with the walker and where on the axes of the equation it is settled."""
    bad = ~np.isfinite(values)
    if bad.any():
        at = int(np.argmax(bad))
        place = ", ".join(f"{value:g}" for value in state.x[:axes, at])
        then = state.gone_at[at] if state.exit[at] else time
        raise NotFiniteValue(
            f"walker {walkers[at]}, at x = {place} at t = {then:g}, counts {values[at]}: payoff, source and boundary must be "
            "finite numbers wherever walkers come, and dt so short that the drift does not throw them out"
        )


def _check_weights(state: State, walkers: range, axes: int) -> None:
    """Refuse a killing rate that is no rate where a walker came, with the walker and where on the axes of the equation it is."""
    bad = np.isnan(state.weight) & np.isfinite(state.x).all(axis=0)
    if bad.any():
        at = int(np.argmax(bad))
        place = ", ".join(f"{value:g}" for value in state.x[:axes, at])
        raise ValueError(
            f"killing: the rate that walker {walkers[at]} met on its way to {place} is negative or no number; declare a rate ≥ 0 "
            "there, or put walls before such places"
        )
