"""Solvers on finer and finer grids, until an error is met or the time is up: a grid is begun only if it will be finished in time.

Each solver has a process of its own, which is ended at its limit; the grids that it has finished by then are kept.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

HOPE = 1.5  # times the error wanted: a grid on which more is expected is left out
LEAST, FIRST, MOST = 1, 2, 3  # exponents of the seconds over cells of an axis less the dimension: FIRST after one grid
CAUTION = 2.0  # times the seconds expected: for so much there must be time
FINER = 2  # times the cells of the last grid, where what is wanted is out of reach
ORDER = 2.0  # at which errors fall
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}


class Run(NamedTuple):
    """A grid that has been finished by a solver, or by one of its kinds: seconds of the processor, and the error."""

    kind: str
    cells: int | None  # of an axis, where a solver is told
    seconds: float
    error: float


Solve = Callable[[int], tuple[float, float]]  # cells of an axis -> (seconds, error)


def refine(
    kinds: Mapping[str, Solve], dimension: int, wanted: float, limit: float, grids: Sequence[int],
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[Run]:  # fmt: skip
    """The runs of the `kinds` of a solver, each when it is finished: the first grid, then the coarsest that may meet what is
    `wanted`, or else the finest for which there is time; of kinds that are slower than one that has met it nothing more."""
    begin, runs = clock(), {kind: list[Run]() for kind in kinds}
    while True:
        best = reached([run for done in runs.values() for run in done], wanted)
        known = best is not None and best.error <= wanted
        most = min((limit - (clock() - begin)) / CAUTION, best.seconds if best and known else math.inf)
        found = {kind: _next(done, grids, dimension, wanted, most) for kind, done in runs.items()}
        chosen = {kind: cells for kind, (cells, hope) in found.items() if hope or (cells and not known)}
        if not chosen or most <= 0.0:
            return
        kind = min(chosen, key=lambda kind: _seconds(runs[kind], chosen[kind], dimension))
        run = Run(kind, chosen[kind], *kinds[kind](chosen[kind]))
        runs[kind].append(run)
        yield run


def _next(done: Sequence[Run], grids: Sequence[int], dimension: int, wanted: float, most: float) -> tuple[int, bool]:
    """(the grid to take up after those that are done, of those that are expected to take `most` seconds, or 0; whether it may
    meet what is wanted)."""
    if not done:
        return grids[0], True
    last, error = done[-1].cells or 1, done[-1].error
    in_time = [cells for cells in grids if cells > last and _seconds(done, cells, dimension) <= most]
    if error <= wanted:
        return 0, False
    hopeful = [cells for cells in in_time if error * (last / cells) ** ORDER <= HOPE * wanted]
    return min(hopeful, default=max((cells for cells in in_time if cells <= FINER * last), default=0)), bool(hopeful)


def _seconds(done: Sequence[Run], cells: int, dimension: int) -> float:
    """What a grid is expected to take, by the last two; 0 if there is none."""
    if not done:
        return 0.0
    power, last = float(dimension + FIRST), done[-1]
    for before in done[-2:-1]:
        power = math.log(last.seconds / before.seconds) / math.log((last.cells or 1) / (before.cells or 1))
    return float(last.seconds * (cells / (last.cells or 1)) ** min(max(power, dimension + LEAST), dimension + MOST))


def reached(runs: Sequence[Run], wanted: float) -> Run | None:
    """The quickest run that meets what is wanted, or else the one with the least error; None if there is none."""
    met = [run for run in runs if run.error <= wanted]
    return min(met, key=lambda run: run.seconds) if met else min(runs, key=lambda run: run.error, default=None)


def within(limit: float, work: Callable[..., Iterator[Run]], *given: Any, told: Callable[[Run], None]) -> list[Run]:
    """The runs that `work` of the arguments `given` has finished after `limit` seconds in a process of its own, whose time begins
    when it yields its first item, "ready"."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)  # read when the process loads its libraries
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(sender, work, *given), daemon=True)
    try:
        process.start()
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
    sender.close()
    runs: list[Run] = []
    try:
        receiver.recv()
        end = time.perf_counter() + limit
        while receiver.poll(max(end - time.perf_counter(), 0.0)):
            runs.append(Run(*receiver.recv()))
            told(runs[-1])
    except EOFError:
        process.join()
    process.kill()
    process.join()
    return runs


def _send(sender: Any, work: Callable[..., Iterator[Any]], *given: Any) -> None:
    for item in work(*given):
        sender.send(item if item == "ready" else tuple(item))
