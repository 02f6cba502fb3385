"""What ensembles of all walks have in common: walkers that were run, and how to go on with them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .collect import collect
from .inputs.keywords import once_positional
from .inputs.wording import shown
from .kernels.philox import STREAM_VERSION
from .laws.estimate import Estimate, proportion
from .laws.law import Law
from .laws.lookup import NoAnswer
from .model.coefficient import Floats
from .model.domain import Domain
from .model.functions import told_apart
from .model.times import Times
from .run.effort import Effort
from .run.ranges import missing
from .run.record import Record
from .run.results import Passages
from .run.task import walker_range


class Sampled(Law[Estimate]):
    """Counts of walkers of one run. Its fields are the `task`, the `tally` of its counts, and the version `stream` of the random
    stream that drew them."""

    alike: ClassVar[tuple[str, ...]] = ("walk", "seed", "method", "steps", "stream")  # in two parts of one run

    task: Any
    tally: Any
    stream: int

    @property
    def walk(self) -> Any:
        return self.task.walk

    @property
    def seed(self) -> int:
        return int(self.task.seed)

    @property
    def method(self) -> str:
        return str(self.task.method)

    @property
    def steps(self) -> tuple[int, ...]:
        return tuple(self.task.steps)

    @property
    def parts(self) -> tuple[range, ...]:
        return tuple(self.tally.parts)

    @property
    def records(self) -> dict[Record, Any]:
        return dict(self.tally.records)

    @property
    def walkers(self) -> int:
        """How many walkers it holds, also those that have left the domain."""
        return int(self.tally.walkers)

    @property
    def domain(self) -> Domain:
        return self.walk.domain

    @property
    def _times(self) -> Times:
        return self.walk.recorded(self.steps)

    @property
    def times(self) -> Floats:
        return np.array(self._times.asked)

    @property
    def step_times(self) -> Floats:
        return self._times.exact

    @property
    @abstractmethod
    def gone(self) -> NDArray[np.int64]:
        """Whole numbers of walkers that have left by each time, by exit; shape (times, exits)."""

    @property
    @abstractmethod
    def _alive(self) -> NDArray[np.int64]:
        """Whole numbers of walkers that were counted inside at each time."""

    def __getitem__(self, record: Record) -> Any:
        """The result of a record that was asked for: ``ensemble[FirstPassage()]``."""
        found = [result for mine, result in self.records.items() if type(mine) is type(record) and mine == record]
        if not found:
            raise KeyError(f"{shown(record)} was not recorded; give record=[{shown(record)}] to simulate")
        return found[0]

    def _survival(self, t: ArrayLike) -> Estimate:
        counted = self._alive
        passages = self._passages
        if passages is None:
            return proportion(counted[self._counted(t)], self.walkers)
        steps = self._times.step_before(t)
        alive = (self.walkers - np.cumsum(passages.counts.sum(axis=1)))[steps]
        row = np.searchsorted(self.steps, steps)  # what leaked is alive to the passages, and not counted
        return proportion(np.where(np.array(self.steps)[row] == steps, counted[row], alive), self.walkers)

    def _absorbed(self, exit: str, t: ArrayLike) -> Estimate:
        column = self.domain.exit(exit)
        passages = self._passages
        if passages is None:
            return proportion(self.gone[self._counted(t), column], self.walkers)
        return proportion(np.cumsum(passages.counts[:, column])[self._times.step_before(t)], self.walkers)

    def _counted(self, t: ArrayLike) -> NDArray[np.int64]:
        """The rows of times at which walkers were counted; without passages there is no answer between them."""
        try:
            return self._times.rows(t)
        except ValueError as error:
            self._times.step_before(t)  # refuses a time outside the run, for which no record helps
            raise NoAnswer(f"{error}; with record=[FirstPassage()] a run answers at any of its times") from None

    @property
    def _passages(self) -> Passages | None:
        return next((r for r in self.records.values() if isinstance(r, Passages)), None)

    @once_positional("threads", "progress", "backend", "devices")
    def extend(
        self,
        walkers: int | range,
        *,
        threads: int | None = None,
        progress: bool = False,
        backend: str = "cpu",
        devices: Sequence[int] | None = None,
        executor: Any = None,
        out: str | Path | None = None,
    ) -> Self:
        """As many `walkers` in all, those already here unchanged, bit for bit; or, too, those of a range that are not here yet.
        Returns another ensemble.

        A number adds walkers after the last one, ``range(n)`` also those that are missing before. The others are those of
        :func:`randwalk.simulate`: where the file `out` holds some of the walkers already, these are not run again.
        """
        self._check_stream()
        effort = Effort(threads, progress, backend, devices, executor)
        return collect(type(self), self.task, self._further(walkers), self.tally, effort, out)

    def _further(self, walkers: int | range) -> list[range]:
        """The walkers that are not here, of a range or up to so many in all."""
        if isinstance(walkers, range):
            more = missing([walker_range(walkers)], self.parts)
            if not more:
                raise ValueError(f"walkers = {shown(walkers)}: the ensemble holds them all")
            return more
        if isinstance(walkers, bool) or not isinstance(walkers, (int, np.integer)) or walkers <= self.walkers:
            raise ValueError(f"walkers = {shown(walkers)}: must be a whole number above the {self.walkers} there are")
        first = max(part.stop for part in self.parts)
        return [walker_range(range(first, first + int(walkers) - self.walkers))]

    @once_positional("threads", "progress", "backend", "devices")
    def resume(
        self,
        times: ArrayLike,
        *,
        threads: int | None = None,
        progress: bool = False,
        backend: str = "cpu",
        devices: Sequence[int] | None = None,
        executor: Any = None,
        out: str | Path | None = None,
    ) -> Self:
        """Go on to later `times`; what was recorded stays as it was, bit for bit. Returns another ensemble.

        The walkers are run again from their start (their paths are addresses, so they come out the same): nothing has to be
        kept per walker for this, and the cost is that of the whole time. The other arguments are those of
        :func:`randwalk.simulate`.
        """
        later = self.walk.steps(times)
        if later[0] <= self.steps[-1]:
            raise ValueError(
                f"times must come after the last recorded one, {self.times[-1]:g}; the first is {later[0] * self.walk.dt:g}"
            )
        self._check_stream()
        task = replace(self.task, steps=(*self.steps, *later))
        return collect(type(self), task, self.parts, None, Effort(threads, progress, backend, devices, executor), out)

    def _check_stream(self) -> None:
        if self.stream != STREAM_VERSION:
            raise ValueError(
                f"this ensemble was drawn from version {self.stream} of the random stream and would go on from version "
                f"{STREAM_VERSION}, with other walkers: run it again, or go on with the release that made it"
            )

    def merge(self, other: Self) -> Self:
        """This ensemble and another part of the same run (same walk, seed, times, method, records; other walkers) as one."""
        if not isinstance(other, type(self)):
            raise TypeError(f"other = {shown(other)}: must be an {type(self).__name__}")
        for name in self.alike:
            if getattr(self, name) != getattr(other, name):
                remedy = f"; simulate both with method={self.method!r}" if name == "method" else ""
                raise ValueError(
                    f"the ensembles differ in {name}: {told_apart(getattr(self, name), getattr(other, name))}{remedy}"
                )
        if self.records.keys() != other.records.keys():
            raise ValueError(
                f"the ensembles differ in what they record: {list(self.records)} and {list(other.records)}"
            )
        return replace(self, tally=self.tally + other.tally)  # type: ignore[type-var]  # both classes are dataclasses

    def __repr__(self) -> str:
        times = ", ".join(f"{t:g}" for t in self.times[:4]) + (", …" if len(self.steps) > 4 else "")
        alive = f"{100 * self._alive[-1] / self.walkers:.4g} % alive at the end"
        return (
            f"{type(self).__name__}({self.walkers:,} walkers by {self.method}, seed {self.seed}, t = {times}; {alive})"
        )

    def _repr_html_(self) -> str:
        questions = (self.survival, self.mean, self.variance)
        cells = ([f"{t:g}", *(_answer(ask, t) for ask in questions)] for t in self.times[:20].tolist())
        rows = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in cells)
        head = "<tr><th>time</th><th>alive</th><th>mean of survivors</th><th>variance</th></tr>"
        shown = super()._repr_html_() or f"<p>{self}</p>"
        return f"{shown}<table>{head}{rows}</table>"


def _answer(ask: Callable[[float], Any], t: float) -> str:
    """The answer at a time, as text; a dash if there is none."""
    try:
        return str(ask(t))
    except NoAnswer:
        return "—"
