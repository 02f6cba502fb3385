"""Timing: rows of one table measured in turn, the best of several repetitions each, so that noise hits all alike."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

Work = Callable[[], float]  # does some work and returns how much
QUIET = 0.2  # seconds between rows: threads of the one before (OpenMP's, say) spin for a while and would slow the next


@dataclass(frozen=True)
class Goal:
    """`row` should reach `fraction` of `of` (a row, or a limit)."""

    fraction: float
    of: str
    row: str = "randwalk"


@dataclass(frozen=True)
class Workload:
    """The same work done by several programs; rates in `unit` per second."""

    name: str
    unit: str
    rows: dict[str, Work]
    limits: dict[str, float] = field(default_factory=dict)
    goals: tuple[Goal, ...] = ()
    predicted: float | None = None  # seconds that the cost model gives for one call of "randwalk"


@dataclass(frozen=True)
class Measured:
    """The rates of one workload, and for each goal the fraction reached."""

    workload: Workload
    rates: dict[str, float]
    seconds: dict[str, float]

    def reached(self, goal: Goal) -> float | None:
        other = self.rates.get(goal.of, self.workload.limits.get(goal.of))
        return None if other is None else self.rates[goal.row] / other


def measure(workload: Workload, repetitions: int) -> Measured:
    """Every row once to warm up, then all of them in turn; the best rate of each."""
    best = dict.fromkeys(workload.rows, 0.0)
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
    return Measured(workload, best, seconds)


def compiled_limits(threads: int, repetitions: int) -> dict[str, float]:
    """Rates of the hand-written C++, compiled here; none without a compiler."""
    compiler = shutil.which("g++") or shutil.which("c++")
    if compiler is None:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "limit"
        source = Path(__file__).with_name("limit.cpp")
        flags = ["-O3", "-march=native", "-fopenmp"]
        built = subprocess.run([compiler, *flags, str(source), "-o", str(program)], capture_output=True, check=False)
        if built.returncode:
            return {}
        printed = subprocess.run(
            [program, "all", str(threads), str(repetitions)], capture_output=True, text=True, check=True
        )
    return {name: float(rate) for name, rate in (line.split() for line in printed.stdout.splitlines())}
