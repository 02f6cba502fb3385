"""Multilevel Monte Carlo over the length of the steps (Giles, *Oper. Res.* 56 (2008) 607)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from randwalk.laws.sums import SampleSums
from randwalk.model.coefficient import Floats
from randwalk.run.effort import Effort
from randwalk.run.host import HERE
from randwalk.run.machine import Machine

from .sampling import STOPS, Combination, CutShort, Sample
from .tolerance import PILOT, RESERVE, SHARE, begun, check_work
from .walks import Walks

APART = 1 << 40  # walkers of the levels have numbers so far apart, so that they are independent
TO_BEGIN = 3  # levels


@dataclass(frozen=True)
class Level(Walks):
    """The values of walkers with steps of one length, minus those with twice the length on level 1 and above."""

    level: int = 0

    @property
    def lengths(self) -> tuple[int, ...]:
        return (1, 2) if self.level else (1,)

    def combined(self, sums: SampleSums) -> Combination:
        weights = (1.0, -1.0) if self.level else (1.0,)
        return Combination(weights, weights if self.level else (0.0,))

    def saved(self, sums: SampleSums) -> float:
        return 1.0

    def rows(self, resolution: int, walkers: range, machine: Machine = HERE) -> Floats:
        shift = self.level * APART
        return super().rows(resolution, range(walkers.start + shift, walkers.stop + shift), machine)


@dataclass(frozen=True)
class Levels:
    """Samples of all levels, from the longest steps to the shortest: their means add up to the value."""

    samples: tuple[Sample, ...]

    @property
    def method(self) -> Level:
        method = self.samples[-1].method
        assert isinstance(method, Level)
        return method

    @property
    def value(self) -> float:
        return math.fsum(sample.value for sample in self.samples)

    @property
    def statistical(self) -> float:
        return math.hypot(*(sample.statistical for sample in self.samples))

    @property
    def step_error(self) -> float:
        """Of the last level, by its difference and, on the safe side, by that before it."""
        r = 2.0**self.method.order
        last, before = self.samples[-1], self.samples[-2]
        size = max(math.hypot(*last.bias), abs(before.value) / r)
        return size / (r - 1.0)

    @property
    def error(self) -> float:
        return math.hypot(self.statistical, self.step_error)

    @property
    def walkers(self) -> int:
        return sum(sample.walkers for sample in self.samples)

    @property
    def dt(self) -> float:
        return self.samples[-1].dt

    @property
    def saved(self) -> float:
        """Against walkers of the shortest steps alone."""
        each = [sample.deviation * math.sqrt(sample.method.cost(sample.resolution)) for sample in self.samples]
        last = self.samples[-1]
        single = self.samples[0].deviation ** 2 * last.resolution
        return single / sum(each) ** 2 if sum(each) > 0.0 else math.inf


def by_levels(way: Walks, tolerance: float, effort: Effort) -> Levels:
    """Samples of as many levels, and with as many walkers on each, as the tolerance needs at the least cost.

    Raises
    ------
    OutOfReach, CutShort
    """
    samples: list[Sample] = []
    try:
        return _balanced(way, tolerance, effort, samples)
    except (CutShort, *STOPS) as cut:
        stop, now = (cut.stop, _with(samples, cut.sample)) if isinstance(cut, CutShort) else (cut, samples)
        reached = [Levels(tuple(made)) for made in (samples, now) if len(made) > 1]  # one says nothing of its steps
        if not reached:
            raise stop from None
        raise CutShort(stop, min(reached, key=lambda levels: levels.error)) from None


def _with(samples: list[Sample], sample: Sample) -> list[Sample]:
    """The samples of all levels with another one of its level, or of the level after them."""
    assert isinstance(sample.method, Level)
    level = sample.method.level
    return [*samples[:level], sample, *samples[level + 1 :]]


def _balanced(way: Walks, tolerance: float, effort: Effort, samples: list[Sample]) -> Levels:
    """As :func:`by_levels`; `samples` are those of all levels so far."""

    def sampled(level: int, resolution: int) -> Sample:
        made = Level(way.question, way.point, way.horizon, way.keys, way.steps, None, level)
        return begun(made, resolution, False, effort)

    for level in range(TO_BEGIN):
        samples.append(sampled(level, way.first << level))
    while True:
        costs = [sample.method.cost(sample.resolution) for sample in samples]
        whole = sum(sample.deviation * math.sqrt(cost) for sample, cost in zip(samples, costs, strict=True))
        for i, (sample, cost) in enumerate(zip(samples, costs, strict=True)):
            needed = math.ceil(RESERVE * sample.deviation / math.sqrt(cost) * whole / (SHARE * tolerance**2))
            check_work(sample.method, sample.resolution, needed, Levels(tuple(samples)))
            samples[i] = sample.extended(max(needed, PILOT))
        found = Levels(tuple(samples))
        if found.error <= tolerance:
            return found
        if found.step_error**2 > (1.0 - SHARE) * tolerance**2:
            samples.append(sampled(len(samples), way.first << len(samples)))
