"""The workloads in continuous space: Euler–Maruyama, first passage, and the normals that drive them.

``python -m benchmarks.ito [--size 1] [--threads N]`` prints them alone.
"""

from __future__ import annotations

import argparse
import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba
import numpy as np
from numba import njit, prange
from rich.console import Console
from rich.table import Table

import randwalk as rw
from randwalk.kernels import normal
from randwalk.kernels.philox import key

from .measure import Goal, Limits, Work, Workload, compiled, measure

STEPS, DT, NOISE = 1000, 1e-3, 0.7
ROWS = 16  # of normals at once, as a block of walkers takes them


@njit(parallel=True, error_model="numpy")
def _well(walkers: int, steps: int, dt: float, noise: float) -> Any:
    out, root = np.empty(walkers), math.sqrt(dt)
    for i in prange(walkers):
        x = 0.0
        for _ in range(steps):
            x += (x - x**3) * dt + noise * root * np.random.normal()  # noqa: NPY002
        out[i] = x
    return out


@njit(parallel=True, error_model="numpy")
def _passage(walkers: int, dt: float) -> Any:
    """With the bridge's probability of a passage within a step."""
    steps, root = np.zeros(walkers), math.sqrt(dt)
    for i in prange(walkers):
        x, inside = 0.0, True
        while inside:
            y = x + root * np.random.normal()  # noqa: NPY002
            steps[i] += 1.0
            up, down = (1.0 - x) * (1.0 - y), (1.0 + x) * (1.0 + y)
            inside = up > 0.0 and down > 0.0
            drawn = np.random.random()  # noqa: NPY002
            inside = inside and drawn > math.exp(-2.0 * up / dt) + math.exp(-2.0 * down / dt)
            x = y
    return steps.sum()


def normals(count: int, threads: int) -> float:
    """Draw `count` normals on each of the threads."""
    keys = key(1)

    def drawn(thread: int) -> None:
        z, words = np.empty((ROWS + normal.SPARE, normal.BLOCK)), np.zeros((3, normal.BLOCK), np.uint64)
        number = np.arange(normal.BLOCK, dtype=np.uint64) + np.uint64(thread * normal.BLOCK)
        for first in range(0, count // normal.BLOCK, ROWS):
            normal.normals(z, words, number, normal.BLOCK, first, ROWS, keys)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(drawn, range(threads)))
    return float(count // (ROWS * normal.BLOCK) * ROWS * normal.BLOCK * threads)


def workloads(size: float, threads: int, limit: Limits) -> list[Workload]:
    """All workloads, at `size` times their full size."""
    walkers, few = int(2**18 * size), max(1000, int(2**14 * size))
    well = rw.ItoWalk(rw.expression("x - x**3"), noise=NOISE, dt=DT)
    leaving = rw.ItoWalk(0.0, noise=1.0, dt=DT, domain=rw.Interval(-1.0, 1.0, rw.Absorbing(), rw.Absorbing()))
    free = rw.ItoWalk(0.0, noise=1.0, dt=DT)
    turning = rw.ItoWalk(
        (rw.expression("-x + 0.3*y"), rw.expression("-0.3*x - y")), noise=((0.7, 0.0), (0.3, 0.4)), dt=DT, start=(1.0, 0.0)
    )  # fmt: skip

    def moved(walk: rw.ItoWalk, walkers: int) -> Work:
        def work() -> float:
            rw.simulate(walk, walkers, [STEPS * DT], seed=1, threads=threads)
            return float(walkers) * STEPS

        return work

    def leave() -> float:
        """The steps until walkers left, 1/dt on the mean."""
        rw.simulate(leaving, few, [10.0], seed=1, threads=threads)
        return few / DT

    def naive_well() -> float:
        _well(few, STEPS, DT, NOISE)
        return float(few) * STEPS

    numba.set_num_threads(threads)
    return [
        Workload(
            "double well", "steps",
            {
                "randwalk": moved(well, walkers), "two-point": moved(well.replaced(increments=rw.TwoPoint()), 4 * walkers),
                "naive Numba": naive_well,
            },
            limit("C++, same rules", "well-ahead") | limit("C++, free", "well-free"),
            (Goal(0.8, "C++, same rules"), Goal(5.0, "naive Numba"), Goal(3.0, "randwalk", "two-point")),
        ),
        Workload(
            "first passage out of (-1, 1)", "steps",
            {"randwalk": leave, "no walls": moved(free, walkers), "naive Numba": lambda: float(_passage(few, DT))},
            limit("C++, same rules", "passage") | limit("C++, free", "passage-free"),
            (Goal(0.5, "no walls"), Goal(5.0, "naive Numba")),
        ),
        Workload("a full noise in the plane", "steps", {"randwalk": moved(turning, walkers // 2)}),
        Workload(
            "normals", "normals", {"randwalk": lambda: normals(int(2**26 * size), threads)}, {"300 M/s": lambda: 3e8},
            (Goal(1.0, "300 M/s"),),
        ),
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ito", description=__doc__)
    parser.add_argument("--size", type=float, default=1.0, help="fraction of the full size")
    parser.add_argument("--threads", type=int, default=numba.get_num_threads())
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    console = Console(width=120)
    with compiled(options.threads) as limit:
        for workload in workloads(options.size, options.threads, limit):
            result = measure(workload, options.repetitions)
            table = Table("by", f"M {workload.unit}/s", "goals", title=workload.name, title_justify="left")
            for name, rate in result.rates.items():
                judged = [
                    f"{result.rates[name] / result.rates[g.of]:.3g} of {g.of} (≥ {g.fraction:g})"
                    for g in workload.goals
                    if g.row == name and g.of in result.rates
                ]
                table.add_row(name, f"{rate / 1e6:.4g}", "; ".join(judged))
            console.print(table)


if __name__ == "__main__":
    main()
