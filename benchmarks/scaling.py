"""How runs by executors scale: one and two workers of this machine measured, more of them extrapolated from what the run costs
the process that adds the results.

    python -m benchmarks.scaling [--json gallery/results/scaling.json]

Workers share nothing, so W of them make W times the rate, until the one process that hands out ranges and adds counts is busy all
the time. With c seconds of its processor a range, and ranges of r seconds, the speed-up of W workers is 1/(1/W + c/r).

Rates are walker-steps in a second of a worker's own processor, so that other programs of the machine hardly change them: two
workers that hinder each other (at the memory, or at the client) are seen, time in which another program runs is not.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import randwalk as rw
from randwalk.run.effort import Portions
from randwalk.run.executor import gathered
from randwalk.run.task import Task

RANGE = 1 << 17  # walkers of a range, about a second
RANGES = 6  # of each worker
WORKERS = (1, 2)


class Timed:
    """The work of a run, with the seconds of its processor that a worker needed."""

    def __init__(self, work: Portions) -> None:
        self.work = work

    @property
    def shared(self) -> Sequence[Any]:
        return self.work.shared

    def __call__(self, walkers: range, ended: Callable[[], bool]) -> tuple[Any, float]:
        begun = time.process_time()
        counts = self.work(walkers, ended)
        return counts, time.process_time() - begun


class Even:
    """Ranges of the same size."""

    def __init__(self, count: int) -> None:
        self.left = [range(i * RANGE, (i + 1) * RANGE) for i in range(count)]

    def take(self, shares: int) -> range | None:
        return self.left.pop(0) if self.left else None

    def took(self, item: range, seconds: float) -> None:
        pass


def task() -> Task:
    """A walk on tables whose result has 2001 sites and first passages: some tens of kilobytes a range."""
    domain = rw.Interval(-100.0, 100.0, rw.Absorbing(), rw.Absorbing())
    walk = rw.LatticeWalk.from_drift(rw.expression("-tanh(x/20)"), 0.5, dx=0.1, dt=0.005, domain=domain)
    return Task(walk, (2500, 5000), 1, "paths", (rw.FirstPassage(),))


def measured(workers: int) -> dict[str, float]:
    """Walker-steps in a second of the processors of so many workers, and seconds of this process's processor a range."""
    run = task()
    work, spawn = Timed(Portions(run, 1, "cpu", None)), multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawn) as pool:
        for _ in gathered(pool, work, Even(2 * workers)):  # imports, tables, kernels
            pass
        own, walked, total, count = time.process_time(), 0.0, None, RANGES * workers
        for _, (counts, seconds) in gathered(pool, work, Even(count)):
            total = counts if total is None else total + counts
            walked += seconds
        own = time.process_time() - own
    return {"steps a second": count * RANGE * run.steps[-1] / walked, "client seconds a range": own / count}


def speed_up(workers: int, client: float, seconds: float) -> float:
    """Of workers whose ranges take some seconds each, and the client some seconds a range."""
    return 1.0 / (1.0 / workers + client / seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--repetitions", type=int, default=3)
    given = parser.parse_args()
    load, best, client = os.getloadavg()[0], dict.fromkeys(WORKERS, 0.0), []
    for _ in range(given.repetitions):  # in turn, so that what else runs disturbs all alike
        for workers in WORKERS:
            one = measured(workers)
            best[workers] = max(best[workers], one["steps a second"])
            client.append(one["client seconds a range"])
            print(
                f"{workers} workers: {one['steps a second']:.3g} steps/s of a processor, {1e3 * client[-1]:.2f} ms a range here"
            )
    found = {
        "machine": platform.processor() or platform.machine(), "processors": os.cpu_count(),
        "load before": load, "load after": os.getloadavg()[0], "repetitions": given.repetitions,
        "rates": {str(workers): rate for workers, rate in best.items()}, "client seconds a range": min(client),
    }  # fmt: skip
    print(json.dumps(found, indent=1))
    if given.json is not None:
        given.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
