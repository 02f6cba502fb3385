"""A run by occupation numbers on its way, in a file beside that of the run.

Such a run has no walkers that are finished before all are. But it is an ensemble of all of them at every step, so that is what
the file holds: the recorded times so far, and now.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .run.counts import Counts
from .run.occupation import ends_at
from .store import sweep

EVERY = 60.0  # seconds between two checkpoints
ENDING = ".unfinished"  # of the name of the file
SHARE = 20.0  # and so many times as long as the last one took to write


@dataclass
class Unfinished:
    """Where the part under way of a run is kept (:class:`randwalk.run.occupation.Midway`).

    `made` is the class of the ensemble, and `task` the run as the file holds it.
    """

    made: Any
    task: Any
    path: Path
    _part: range | None = None  # the walkers under way
    _held: Counts | None = None
    _latest: Callable[[], Counts] | None = None
    _told: str = ""  # what the file has
    _due: float = field(default_factory=lambda: time.monotonic() + EVERY)

    @classmethod
    def beside(cls, made: Any, task: Any, out: Path) -> Unfinished:
        """That of the run whose file is `out`."""
        if out.stem.endswith(ENDING):
            raise ValueError(f"out = {out}: {ENDING} names the file of a run on its way; give another name")
        path = out.with_name(f"{out.stem}{ENDING}{out.suffix}")
        sweep(path)
        return cls(made, task, path)

    def read(self, check: Callable[[Any, Any, Path], None], left: Sequence[range], done: Sequence[range]) -> None:
        """Read the file, if there is one, before anything runs. `check` refuses an ensemble of another run than that of a task.

        Raises
        ------
        ValueError
            for a file of another run, or of walkers that are neither `left` nor `done`.
        """
        if not self.path.exists():
            return
        held = self.made.load(self.path)
        now, wanted = held.steps[-1], self.task.steps
        steps = ends_at(wanted, now) if now <= wanted[-1] else wanted
        check(held, replace(self.task, steps=steps), self.path)
        self._part = held.parts[0]
        if self._part in left:
            self._held = held.tally
            self._told = f"{self.path} has {held.walkers:,} up to step {now:,}"
        elif self._part not in done:
            raise ValueError(
                f"out = {self.path}: holds walkers {self._part.start:,} … {self._part.stop - 1:,}, which are not to be run; "
                "give another name, or remove the file"
            )

    def begun(self, walkers: range) -> Counts | None:
        """What was kept of a run of these walkers."""
        held = self._held if self._part == walkers else None
        self._part, self._held = walkers, None
        if held is None:
            self._told = ""
        return held

    def keep(self, so_far: Callable[[], Counts]) -> None:
        """Write the file if that is due."""
        self._latest, now = so_far, time.monotonic()
        if now >= self._due:
            self.save()
            self._due = time.monotonic() + max(EVERY, SHARE * (time.monotonic() - now))

    def save(self) -> str:
        """Write the file, unless nothing is new; what it has then, in words."""
        if self._latest is not None:
            counts, self._latest = self._latest(), None
            self.made(replace(self.task, steps=counts.steps), counts).save(self.path)
            self._told = f"{self.path} has {counts.walkers:,} up to step {counts.steps[-1]:,}"
        return self._told

    def end(self, parts: Sequence[range]) -> None:
        """Remove the file if the part is one of those that are finished, and in the file of the run."""
        if self._part in parts:
            self._latest, self._told = None, ""
            self.path.unlink(missing_ok=True)
