"""Samples of walks from one point: exact sums over any walkers, and what they say of the value, its noise and its step error."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from typing import Any, NamedTuple, Protocol

import numpy as np

from randwalk.jit.compile import DeviceError
from randwalk.laws.sums import SampleSums
from randwalk.model.coefficient import Floats
from randwalk.run.effort import Effort
from randwalk.run.executor import RangeFailed, gathered
from randwalk.run.host import HERE
from randwalk.run.machine import Machine
from randwalk.run.pieces import Ended, never
from randwalk.run.ranges import Cut
from randwalk.run.threads import checked

BATCH, LEAST = 1 << 16, 1 << 6  # walkers of a batch at most, and at least
DEVICE_BATCH, WIDTH = 1 << 20, 32  # walkers of a batch of a device at most, and words that it keeps of each
WORK = 1 << 26  # walkers × steps of a batch: about a second
STEP, ALONE = 1e-8, 1.0  # seconds: of a step, about; of work that is not worth sending
FIRST = 1024  # walkers whose mean is the shift of the sums
STOPS = (
    KeyboardInterrupt,
    RangeFailed,
    DeviceError,
    ValueError,
)  # what cuts walks short; the last, what a walker has met


class CutShort(Exception):
    """Walks were cut short by `stop`, one of STOPS, with the `sample` that was reached."""

    def __init__(self, stop: BaseException, sample: Any) -> None:
        super().__init__(stop, sample)
        self.stop, self.sample = stop, sample


@contextmanager
def or_else(sample: Any) -> Iterator[None]:
    """Where walks that are to say more than `sample` are cut short before they do, this is what was reached."""
    try:
        yield
    except STOPS as stop:
        raise CutShort(stop, sample) from None
    except CutShort as cut:
        better = cut.sample if cut.sample.error < sample.error else sample
        raise CutShort(cut.stop, better) from None


class Combination(NamedTuple):
    """Two linear combinations of the means of rows: the value, with a constant, and the error of finite steps in it."""

    value: tuple[float, ...]
    step: tuple[float, ...]
    constant: float = 0.0


class Method(Protocol):
    """A way to make walks from a point: rows of numbers a walker, and what their means say."""

    def combined(self, sums: SampleSums) -> Combination:
        """What the means of the rows say of the value and of the error of finite steps."""

    def saved(self, sums: SampleSums) -> float:
        """The factor by which variance reduction lowered the variance at equal cost; 1 without."""

    @property
    def order(self) -> float:
        """The order with which that error falls as the resolution rises."""

    def rows(self, resolution: int, walkers: range, machine: Machine = HERE) -> Floats:
        """Shape (k, walkers), made by a machine.

        Raises
        ------
        Ended
            once the run has ended.
        """

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
class Portion:
    """The sums over some walkers of a method, about `shift` in `unit`: what a thread or a worker of an executor makes. It pickles
    as what it is made of, without compiled walks."""

    method: Method
    resolution: int
    shift: tuple[float, ...]
    unit: float
    effort: Effort
    shared = ()

    def __getstate__(self) -> dict[str, Any]:
        question = replace(self.method.question)  # type: ignore[attr-defined]
        return vars(self) | {"method": replace(self.method, question=question)}  # type: ignore[type-var]

    @property
    def steps(self) -> int:
        """Of a walker, about."""
        return 1 + int(self.method.cost(self.resolution))

    def parts(self, walkers: range, late: list[SampleSums], ended: Callable[[], bool] = never) -> Iterator[SampleSums]:
        """One batch after another, until the run is `ended`. Where this is cut short, `late` gets those that other threads have
        finished meanwhile; the last one that was given may be among them."""

        def summed(batch: range) -> SampleSums:
            if machine.ended():
                raise Ended
            return SampleSums.of(_rows(self.method, self.resolution, batch, machine), self.shift, self.unit)

        size = min(BATCH, max(LEAST, WORK // self.steps))
        with self.effort.machine(self.seconds(len(walkers)), self.method.name, ended) as machine:
            batches: Any = machine.batches(walkers, size, self.steps, WIDTH, summed, DEVICE_BATCH)
            try:
                for _, part in batches:
                    yield part
            finally:
                batches.close()
                late.extend(machine.late)

    def seconds(self, walkers: int) -> float:
        """The predicted time on a reference machine."""
        return walkers * self.steps * STEP

    def __call__(self, walkers: range, ended: Callable[[], bool]) -> Any:
        made: Any = None
        try:
            for part in self.parts(walkers, [], ended):
                made = part if made is None else made + part
        except (Ended, KeyboardInterrupt):  # a terminal sends Ctrl-C to processes, too
            raise Ended(made) from None
        return made

    def by_effort(self, walkers: range, late: list[SampleSums]) -> Generator[SampleSums, None, None]:
        """Range by range, from the workers of an executor if there is one; here if it takes less than a second. Where this is cut
        short, `late` gets what was under way and came all the same."""
        executor = self.effort.executor
        seconds = self.seconds(len(walkers))
        if executor is None or seconds < ALONE:
            here = self if executor is None else replace(self, effort=Effort(self.effort.threads))
            yield from here.parts(walkers, late)
            return
        work = replace(self, effort=replace(self.effort, threads=checked(self.effort.threads) or 1, executor=None))
        with closing(gathered(executor, work, Cut([walkers], seconds), late.append)) as ranges:
            for _, part in ranges:
                yield part


@dataclass(frozen=True)
class Sample:
    """The walks from a point so far: their sums, the method that made them, and how finely."""

    method: Method
    resolution: int
    effort: Effort
    shift: tuple[float, ...]
    unit: float
    sums: SampleSums

    @classmethod
    def of(cls, method: Method, resolution: int, walkers: int, effort: Effort) -> Sample:
        """Of the walkers 0 … `walkers` - 1."""
        first = _rows(method, resolution, range(min(walkers, FIRST)))
        shift, unit = centre(first)
        return cls(method, resolution, effort, shift, unit, SampleSums.of(first, shift, unit)).extended(walkers)

    def extended(self, walkers: int) -> Sample:
        """With further walkers, up to that number of them.

        Raises
        ------
        CutShort
        """
        more = range(self.walkers, walkers)
        if not more:
            return self
        portion = Portion(self.method, self.resolution, self.shift, self.unit, self.effort)
        total = last = self.sums
        late: list[SampleSums] = []
        try:
            with closing(portion.by_effort(more, late)) as parts:
                for part in parts:
                    total, last = total + part, part
        except STOPS as stop:
            rest = (part for part in late if part is not last)
            raise CutShort(stop, replace(self, sums=reduce(operator.add, rest, total))) from None
        return replace(self, sums=total)

    @cached_property
    def _combined(self) -> Combination:
        return self.method.combined(self.sums)

    @property
    def saved(self) -> float:
        """The factor by which variance reduction lowered the variance at equal cost."""
        return self.method.saved(self.sums)

    @property
    def dt(self) -> float:
        """The duration of a step; NaN if there is none."""
        return self.method.dt(self.resolution)

    @property
    def walkers(self) -> int:
        return self.sums.count

    @property
    def value(self) -> float:
        """The estimate of the value."""
        combined = self._combined
        return float(np.dot(combined.value, self.sums.means)) + combined.constant

    @property
    def deviation(self) -> float:
        """The standard deviation of a walker's contribution to the value."""
        return self._deviation(self._combined.value)

    @property
    def statistical(self) -> float:
        """The standard error of the value."""
        return self.deviation / math.sqrt(self.walkers)

    @property
    def bias(self) -> tuple[float, float]:
        """The error of finite steps, and its standard error."""
        return float(np.dot(self._combined.step, self.sums.means)), self._deviation(self._combined.step) / math.sqrt(
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


def _rows(method: Method, resolution: int, walkers: range, machine: Machine = HERE) -> Floats:
    rows = method.rows(resolution, walkers, machine)
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
