"""Runs by occupation numbers for the workers of an executor, in stretches of steps. What a run has reached is sent with its next
stretch, so that a worker that is lost loses a stretch, and the run can be kept meanwhile."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .counts import Counts
from .effort import Portions
from .occupation import Midway, ends_at
from .pieces import Ended
from .ranges import LONGEST, SHORTEST


@dataclass(frozen=True, eq=False)
class Stretch:
    """Some `walkers` from what is `known` of them, as a run that has ended (None: from their start), to the step `stop`."""

    walkers: range
    stop: int
    known: Counts | None = None

    @property
    def start(self) -> int:
        return 0 if self.known is None else self.known.steps[-1]

    def __str__(self) -> str:
        return f"walkers {self.walkers.start} … {self.walkers.stop - 1}, steps {self.start} … {self.stop}"


class Stretches:
    """What there is to do in runs of `parts` of the walkers of a task, one part after another: in stretches of a minute at most.
    The first one is short, and tells the pace. Counts do not depend on where a run is cut. The part under way is kept `midway`.
    """

    def __init__(self, task: Any, parts: Sequence[range], midway: Midway | None = None) -> None:
        self._parts, self._last, self._midway = deque(parts), task.steps[-1], midway
        self._pace = task.seconds(sum(map(len, parts))) / max(1, self._last)  # seconds a step
        self._longest, self._free, self._done, self._known = SHORTEST, True, 0, self._begun()

    def _begun(self) -> Counts | None:
        return self._midway.begun(self._parts[0]) if self._midway is not None and self._parts else None

    def take(self, shares: int) -> Stretch | None:
        """The next stretch; None while one is under way, and at the end."""
        if not self._free or not self._parts:
            return None
        start = 0 if self._known is None else self._known.steps[-1]
        size = max(1, round(min(self._longest / max(self._pace, 1e-300), self._last)))
        self._free = False
        return Stretch(self._parts[0], min(start + size, self._last), self._known)

    def took(self, stretch: Stretch, seconds: float) -> None:
        """A stretch took so long."""
        self._pace, self._longest = seconds / max(1, stretch.stop - stretch.start), LONGEST

    def share(self, stretch: Stretch) -> float:
        """Which part of a run is done by a stretch, with what had been kept of it."""
        return (stretch.stop - self._done) / max(1, self._last)

    def after(self, stretch: Stretch, counts: Counts) -> Iterator[Counts]:
        """The counts of a part that is finished now that a stretch has come."""
        self._known, self._free, self._done = counts, True, stretch.stop
        if self._midway is not None:
            self._midway.keep(lambda: counts)
        if counts.steps[-1] == self._last:
            self._parts.popleft()
            yield counts
            self._known, self._done = self._begun(), 0

    def rest(self, late: Sequence[Counts]) -> list[Counts]:
        """What came `late` is kept; the parts that it finishes."""
        for counts in late:
            if self._midway is not None:
                self._midway.keep(lambda: counts)  # noqa: B023
        return [counts for counts in late if counts.steps[-1] == self._last]


class Reached:
    """What a worker has made of a stretch (:class:`randwalk.run.occupation.Midway`)."""

    def __init__(self, known: Counts | None) -> None:
        self._known = known
        self._so_far: Callable[[], Counts] | None = None

    def begun(self, walkers: range) -> Counts | None:
        return self._known

    def keep(self, so_far: Callable[[], Counts]) -> None:
        self._so_far = so_far

    @property
    def part(self) -> Counts | None:
        return None if self._so_far is None else self._so_far()


@dataclass(frozen=True)
class InStretches:
    """What workers do for a stretch: the counts of its walkers, as those of a run that ends there."""

    portions: Portions

    @property
    def shared(self) -> tuple[Any, ...]:
        return self.portions.shared

    def __call__(self, stretch: Stretch, ended: Callable[[], bool]) -> Counts:
        reached, task = Reached(stretch.known), self.portions.task
        with self.portions.machine(len(stretch.walkers), ended) as machine:
            try:
                (counts,) = task.stream(
                    stretch.walkers, machine, midway=reached, steps=ends_at(task.steps, stretch.stop)
                )
            except (Ended, KeyboardInterrupt):  # a terminal sends Ctrl-C to processes, too
                raise Ended(reached.part) from None
            return counts
