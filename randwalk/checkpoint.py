"""A run that is kept in a file while it goes on, and goes on from that file."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .inputs.wording import shown
from .run.counts import Counts
from .run.ito_counts import ItoCounts
from .run.ranges import missing
from .store import SUFFIXES, as_written, check_savable, sweep
from .terminal.output import check_output
from .unfinished import EVERY, SHARE, Unfinished

REMEDY = "give another name, or remove the file"


@dataclass
class Checkpoint:
    """The file of a run, if it has one. What is in it is always a whole ensemble, of the walkers that were finished by then.

    `made` is the class of the ensemble, and `task` the run as the file holds it.
    """

    made: Any
    task: Any
    path: Path | None
    midway: Unfinished | None = None  # of a run by ``occupation``
    _due: float = field(default_factory=lambda: time.monotonic() + EVERY)
    _kept: int = 0  # walkers in the file

    @classmethod
    def of(cls, made: Any, task: Any, out: Any) -> Checkpoint:
        """The file `out` of a run, None for none: tried before anything runs.

        Raises
        ------
        ValueError, TypeError, ImportError
            for a path that cannot be written, or a run that is not saved.
        """
        if out is None:
            return cls(made, task, None)
        if not isinstance(out, (str, Path)):
            raise TypeError(f"out = {shown(out)}: must be the name of a file that ends in {' or '.join(SUFFIXES)}")
        path = check_output("out =", out, SUFFIXES)
        check_savable(task.walk, task.records)
        sweep(path)
        task = replace(task, walk=as_written(task.walk))
        return cls(made, task, path, Unfinished.beside(made, task, path) if task.method == "occupation" else None)

    def begun(self, before: Counts | ItoCounts | None, parts: Sequence[range]) -> Any:
        """The counts to go on from: those of the file, if it holds the walkers `before`; else these. And what is kept of the part
        that was under way.

        Raises
        ------
        ValueError
            for a file of another run.
        """
        counts = self._whole(before, parts)
        if self.midway is not None:
            done = () if counts is None else counts.parts
            self.midway.read(_check_same, missing(parts, done), done)
        return counts

    def _whole(self, before: Counts | ItoCounts | None, parts: Sequence[range]) -> Any:
        if self.path is None or not self.path.exists():
            return before
        held = self.made.load(self.path)
        self._check(held, [*parts, *(before.parts if before is not None else ())])
        self._kept = held.walkers
        if before is None or not missing(before.parts, held.parts):
            return held.tally
        if missing(held.parts, before.parts):
            raise ValueError(
                f"out = {self.path}: holds walkers {_listed(held.parts)}, and this ensemble {_listed(before.parts)}: merge "
                "them, or give another name"
            )
        return before

    def _check(self, held: Any, wanted: Sequence[range]) -> None:
        """Refuse a file of another run, or of walkers that are not wanted."""
        assert self.path is not None
        _check_same(held, self.task, self.path)
        more = missing(held.parts, wanted)
        if self.task.method == "occupation" and any(part not in wanted for part in held.parts):
            more = list(held.parts)
        if more:
            raise ValueError(
                f"out = {self.path}: holds walkers {_listed(held.parts)} where {_listed(wanted)} are asked for; {REMEDY}"
            )

    def keep(self, counts: Any) -> None:
        """Write the file if that is due."""
        now = time.monotonic()
        if self.path is not None and (now >= self._due or self.midway is not None):  # parts by ``occupation`` are few
            self.end(counts)
            self._due = time.monotonic() + max(EVERY, SHARE * (time.monotonic() - now))

    def end(self, counts: Any) -> Any:
        """The ensemble of the counts, None if there are none; in the file, if there is one. An OSError of the file has the
        ensemble, too, as `ensemble`, and so has a MemoryError."""
        if counts is None:
            return None
        ensemble = self.made(self.task, counts)
        if self.path is not None and ensemble.walkers != self._kept:
            try:
                ensemble.save(self.path)
            except (OSError, MemoryError) as error:
                error.ensemble = ensemble  # type: ignore[union-attr]
                raise
            self._kept = ensemble.walkers
        if self.midway is not None:
            self.midway.end(ensemble.parts)
        return ensemble

    def cut_short(self, counts: Any, parts: Sequence[range]) -> tuple[Any, str]:
        """As :meth:`end`, and in words where what there is of the walkers `parts` is kept, and how to go on."""
        midway = self.midway.save() if self.midway is not None else ""
        ensemble = self.end(counts)
        finished = f"they are in {self.path}" if self.path is not None and ensemble is not None else ""
        if finished or midway:
            return ensemble, f"; {' and '.join(filter(None, (finished, midway)))}: the same call goes on from there"
        if ensemble is not None and not missing(parts, ensemble.parts):
            return ensemble, "; .ensemble of this exception has them all"
        if ensemble is not None:
            every = range(min(part.start for part in (*parts, *ensemble.parts)), max(part.stop for part in parts))
            return ensemble, f"; .ensemble of this exception has them, and .ensemble.extend({every}) makes the others"
        if self.task.method == "occupation" and self.path is None:
            return (
                None,
                '; by occupation numbers all end together: with out="run.npz" the same call goes on from a step',
            )
        return None, "; nothing is kept, and the same call begins again"


def _check_same(held: Any, task: Any, path: Path) -> None:
    """Refuse an ensemble of another run than that of a task."""
    for name in ("walk", "seed", "method", "bins", "steps"):
        mine, its = getattr(task, name, None), getattr(held.task, name, None)
        if mine != its:
            raise ValueError(f"out = {path}: holds another run, with {name} = {its} and not {mine}; {REMEDY}")
    if set(task.records) != set(held.task.records):
        raise ValueError(
            f"out = {path}: holds another run, which records {list(held.task.records)} and not "
            f"{list(task.records)}; {REMEDY}"
        )
    held._check_stream()


def _listed(parts: Sequence[range]) -> str:
    told = [f"{part.start:,} … {part.stop - 1:,}" for part in parts[:3]]
    return ", ".join(told) + (", …" if len(parts) > 3 else "")
