"""Samples of walks from one point: exact sums over any walkers, and what they say of the value, its noise and its step error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from randwalk.laws.sums import SampleSums
from randwalk.model.coefficient import Floats
from randwalk.run.host import Host
from randwalk.run.threads import share

BATCH = 1 << 16  # walkers of a batch
FIRST = 1024  # walkers whose mean is the shift of the sums


class Method(Protocol):
    """A way to make walks from a point: rows of numbers a walker, and two linear combinations of their means."""

    @property
    def value(self) -> tuple[float, ...]:
        """The weights of the rows in the value."""

    @property
    def step(self) -> tuple[float, ...]:
        """The weights of the rows in the error of finite steps."""

    @property
    def order(self) -> float:
        """The order with which that error falls as the resolution rises."""

    def rows(self, resolution: int, walkers: range) -> Floats:
        """Shape (k, walkers)."""

    @property
    def name(self) -> str: ...

    @property
    def first(self) -> int:
        """The resolution to begin with."""

    def cost(self, resolution: int) -> float:
        """The expected number of steps of a walker."""

    def finer(self, resolution: int, factor: float) -> int:
        """A resolution of which the error is smaller by a factor."""

    def dt(self, resolution: int) -> float:
        """The duration of a step; NaN if there is none."""


@dataclass(frozen=True)
class Sample:
    """The walks from a point so far: their sums, the method that made them, and how finely."""

    method: Method
    resolution: int
    threads: int | None
    shift: tuple[float, ...]
    unit: float
    sums: SampleSums

    @classmethod
    def of(cls, method: Method, resolution: int, walkers: int, threads: int | None) -> Sample:
        """Of the walkers 0 … `walkers` - 1."""
        first = _rows(method, resolution, range(min(walkers, FIRST)))
        shift, unit = centre(first)
        return cls(method, resolution, threads, shift, unit, SampleSums.of(first, shift, unit)).extended(walkers)

    def extended(self, walkers: int) -> Sample:
        """With further walkers, up to that number of them."""
        more = range(self.walkers, walkers)
        if not more:
            return self
        total = self.sums

        def summed(batch: range) -> SampleSums:
            return SampleSums.of(_rows(self.method, self.resolution, batch), self.shift, self.unit)

        with share(self.threads) as threads:
            host = Host(threads)
            for _, part in host.batches(more, BATCH, 1 + int(self.method.cost(self.resolution)), 0, summed):
                total = total + part
        return Sample(self.method, self.resolution, self.threads, self.shift, self.unit, total)

    @property
    def walkers(self) -> int:
        return self.sums.count

    @property
    def value(self) -> float:
        """The estimate of the value."""
        return float(np.dot(self.method.value, self.sums.means))

    @property
    def deviation(self) -> float:
        """The standard deviation of a walker's contribution to the value."""
        return self._deviation(self.method.value)

    @property
    def statistical(self) -> float:
        """The standard error of the value."""
        return self.deviation / math.sqrt(self.walkers)

    @property
    def bias(self) -> tuple[float, float]:
        """The error of finite steps, and its standard error."""
        return float(np.dot(self.method.step, self.sums.means)), self._deviation(self.method.step) / math.sqrt(
            self.walkers
        )

    @property
    def step_error(self) -> float:
        """The size of the error of finite steps."""
        return math.hypot(*self.bias)

    @property
    def error(self) -> float:
        return math.hypot(self.statistical, self.step_error)

    def _deviation(self, weights: tuple[float, ...]) -> float:
        w = np.array(weights)
        return self.unit * math.sqrt(max(float(w @ self.sums.covariance @ w), 0.0))


def centre(values: Floats) -> tuple[tuple[float, ...], float]:
    """(shift, unit) about which the sums of a sample keep their digits: the means of some of its rows, and a power of two near
    their largest standard deviation."""
    shift = tuple(float(np.mean(row)) for row in values)
    size = max(float(np.std(row)) for row in values) or max(map(abs, shift))
    return shift, 2.0 ** round(math.log2(size)) if size > 0.0 else 1.0


def _rows(method: Method, resolution: int, walkers: range) -> Floats:
    rows = method.rows(resolution, walkers)
    good = np.isfinite(rows).all(axis=0)
    if not good.all():
        at = int(np.argmin(good))
        value = rows[~np.isfinite(rows[:, at]), at][0]
        raise NotFiniteValue(
            f"walker {walkers[at]} counts {value}: payoff, source and boundary must be finite numbers wherever walkers come, and "
            "dt so short that the drift does not throw them out"
        )
    return rows


class NotFiniteValue(ValueError):
    """A walker counts no finite number: what it is paid is none, or its steps are far too long for the drift."""
