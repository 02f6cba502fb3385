"""Timing: the rows of a table are measured in turn, the best of several repetitions each, so that noise is the same for all."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

Work = Callable[[], float]  # does some work and returns its amount
Rate = Callable[[], float]  # does some work and returns its amount per second
Limits = Callable[..., dict[str, Rate]]
ATTEMPTS = 1.17  # at a binomial of a large mean
QUIET = 0.2  # seconds between rows: threads of the row before (OpenMP's, for example) spin for a while and would slow the next


@dataclass(frozen=True)
class Goal:
    """`row` should reach `fraction` of `of` (a row, or a limit)."""

    fraction: float
    of: str
    row: str = "randwalk"


@dataclass(frozen=True)
class Workload:
    """The same work by several programs; rates in `unit` per second."""

    name: str
    unit: str
    rows: dict[str, Work]
    limits: dict[str, Rate] = field(default_factory=dict)
    goals: tuple[Goal, ...] = ()
    predicted: float | None = None  # seconds that the cost model gives for one call of "randwalk"


@dataclass(frozen=True)
class Measured:
    """The rates of one workload, and for each goal the fraction reached."""

    workload: Workload
    rates: dict[str, float]  # also of the limits
    seconds: dict[str, float]

    def reached(self, goal: Goal) -> float | None:
        other = self.rates.get(goal.of)
        return None if other is None else self.rates[goal.row] / other


def measure(workload: Workload, repetitions: int) -> Measured:
    """Run every row once to warm up, then all rows in turn; the best rate of each."""
    best = dict.fromkeys([*workload.rows, *workload.limits], 0.0)
    seconds = {name: float("inf") for name in workload.rows}
    for work in workload.rows.values():
        work()
    for _ in range(repetitions):
        for name, work in workload.rows.items():
            time.sleep(QUIET)
            begun = time.perf_counter()
            done = work()
            took = time.perf_counter() - begun
            best[name], seconds[name] = max(best[name], done / took), min(seconds[name], took)
        for name, limit in workload.limits.items():
            time.sleep(QUIET)
            best[name] = max(best[name], limit())
    return Measured(workload, best, seconds)


@contextmanager
def compiled(threads: int) -> Iterator[Limits]:
    """The hand-written C++, compiled here: limit(row, kernel, factor) is a row of that many times its rate; nothing without a
    compiler."""
    compiler = shutil.which("g++") or shutil.which("c++")
    with tempfile.TemporaryDirectory() as folder:
        program, source = Path(folder) / "limit", Path(__file__).with_name("limit.cpp")
        options = ["-O3", "-march=native", "-ffp-contract=off", "-fopenmp"]
        command = [str(compiler), *options, str(source), "-o", str(program)]
        built = compiler is not None and subprocess.run(command, capture_output=True, check=False).returncode == 0

        def limit(row: str, kernel: str, factor: float = 1.0) -> dict[str, Rate]:
            def rate() -> float:
                arguments = [str(program), kernel, str(threads), "3"]
                printed = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout
                return factor * float(printed.split()[1])

            return {row: rate} if built else {}

        yield limit
