"""Walkers run: on this machine or by the workers of an executor, kept in a file meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any, TypeAlias

import numpy as np

from .checkpoint import Checkpoint
from .jit.compile import DeviceError
from .model.functions import check_unchanged
from .run.counts import Counts
from .run.devices import choose
from .run.effort import Effort, Portions
from .run.executor import RangeFailed, gathered
from .run.ito_counts import ItoCounts
from .run.ito_task import ItoTask
from .run.ranges import Cut, missing
from .run.stretches import InStretches, Stretches
from .run.task import Task
from .run.threads import checked, share
from .terminal.progress import progress_bar

AnyTask = Task | ItoTask
AnyCounts = Counts | ItoCounts


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during a run. `ensemble` holds the walkers that were finished, as a run of these walkers gives them (None if there
    are none); ``ensemble.extend(range(walkers))`` continues with those that are missing. Of values at points `reached` holds what
    the walkers that were finished say, an :class:`randwalk.pde.Expectation` (None if there are none); of a solution of an
    equation the best one that was finished, with its error (None if none had an error yet). The message says what is
    kept, and how to go on. At the prompt of Python the exception is ``sys.last_value``."""

    def __init__(self, ensemble: Any, further: str = "", reached: Any = None, finished: str | None = None) -> None:
        made = reached if ensemble is None else ensemble
        self.done = f"interrupted {_walkers_finished(made) if finished is None else finished}"
        super().__init__(self.done + further)
        self.ensemble, self.reached = ensemble, reached


def _walkers_finished(made: Any) -> str:
    if made is None:
        return "before any walkers were finished"
    return f"with {int(np.sum(made.walkers)):,} walkers finished"


def collect(
    made: Any, task: AnyTask, parts: Sequence[range], before: AnyCounts | None, effort: Effort, out: Any = None
) -> Any:
    """Run the walkers `parts` of a task, but for those in the counts `before` or in the file `out`; the ensemble of all of them,
    which `made` makes of the task and the counts.

    Raises
    ------
    MemoryError
        before anything runs, for what does not fit.
    ValueError
        before anything runs, for Python functions that read what has changed, and a file that cannot be written, or holds
        another run.
    Interrupted, DeviceError, RangeFailed
        with the ensemble of the walkers that were finished, which is also in the file.
    """
    check_unchanged(task.functions)
    checkpoint = Checkpoint.of(made, task, out)
    task, counts = checkpoint.task, checkpoint.begun(before, parts)
    left = missing(parts, () if counts is None else counts.parts)
    if left:
        alone = effort.executor is None
        with (
            _alone(task, left, effort, checkpoint) if alone else _by_executor(task, left, effort, checkpoint) as (
                results,
                rest,
            )
        ):
            try:
                for more in results:
                    counts = more if counts is None else counts + more
                    checkpoint.keep(counts)
            except BaseException as error:
                if isinstance(error, (KeyboardInterrupt, RangeFailed)):
                    with suppress(KeyboardInterrupt):  # a second one: what has come by now is kept
                        for more in rest():
                            if counts is None or missing(more.parts, counts.parts):
                                counts = more if counts is None else counts + more
                ensemble, further = checkpoint.cut_short(counts, parts)
                if isinstance(error, KeyboardInterrupt):
                    raise Interrupted(ensemble, further) from None
                if isinstance(error, DeviceError):
                    error.partial = counts
                if isinstance(error, (DeviceError, RangeFailed)):
                    error.ensemble = ensemble
                if isinstance(error, ValueError) and ensemble is not None:
                    error.ensemble = ensemble  # type: ignore[attr-defined]
                    error.add_note(
                        f"{ensemble.walkers:,} walkers that were finished, none of whom met it, are in .ensemble of this error"
                    )
                raise
    assert counts is not None
    return checkpoint.end(counts)


Coming: TypeAlias = tuple[
    Iterator[AnyCounts], Callable[[], Sequence[AnyCounts]]
]  # counts; what else, if they are cut short


@contextmanager
def _alone(task: AnyTask, parts: Sequence[range], effort: Effort, checkpoint: Checkpoint) -> Iterator[Coming]:
    """Counts of one batch of walkers after another, made by threads of this process."""
    walkers = sum(map(len, parts))
    with share(effort.threads) as threads, _bar(task, parts, effort) as advance:
        task.check_memory(walkers, threads)
        seconds = task.seconds(walkers) if effort.backend == "auto" else 0.0  # the only one that asks for it
        machine = choose(effort.backend, effort.devices, seconds, threads, task.method)
        kept = () if checkpoint.midway is None else (checkpoint.midway,)
        batches = (counts for part in parts for counts in task.stream(part, machine, advance, *kept))

        def rest() -> Sequence[AnyCounts]:
            batches.close()
            return machine.late

        with closing(batches):  # ends its threads, also where an error comes between two batches
            yield batches, rest


@contextmanager
def _by_executor(task: AnyTask, parts: Sequence[range], effort: Effort, checkpoint: Checkpoint) -> Iterator[Coming]:
    """Counts of ranges of walkers as workers have made them, in any order, so that none waits for a slow one; by ``occupation``
    of one part after another, which is drawn as a whole."""
    threads, walkers = checked(effort.threads) or 1, sum(map(len, parts))
    task.check_memory(walkers, threads)
    if effort.backend == "cpu":
        choose(effort.backend, effort.devices, 0.0, threads)  # refuses devices of which workers know nothing
    portions = Portions(task, threads, effort.backend, effort.devices)
    work: Any = portions
    items: Any = Cut(parts, task.seconds(walkers))
    if task.method == "occupation":
        work, items = InStretches(portions), Stretches(task, parts, checkpoint.midway)
    late = list[AnyCounts]()
    with _bar(task, parts, effort) as advance, closing(gathered(effort.executor, work, items, late.append)) as done:

        def told() -> Iterator[AnyCounts]:
            for item, counts in done:
                advance(items.share(item))
                yield from items.after(item, counts)

        def rest() -> Sequence[AnyCounts]:
            done.close()
            more: Sequence[AnyCounts] = items.rest(late)
            return more

        yield told(), rest


def _bar(task: AnyTask, parts: Sequence[range], effort: Effort) -> Any:
    """A progress bar, which is full after as many parts."""
    return progress_bar(f"simulating by {task.method}", float(len(parts)), effort.progress)
