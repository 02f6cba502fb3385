"""The workloads: each by randwalk, by a C++ program at the limit, and by common programs."""

from __future__ import annotations

from typing import Any

import numpy as np

import randwalk as rw
from randwalk.kernels.philox import key
from randwalk.run.results import Passages
from randwalk.tables.window import table_for

from .measure import Goal, Limits, Work, Workload

STEPS = 1000
KEYS = key(1)


def simulated(
    walk: rw.LatticeWalk, walkers: int, times: list[float], threads: int, method: str, **options: Any
) -> Work:
    def work() -> float:
        rw.simulate(walk, walkers, times, seed=1, method=method, threads=threads, **options)
        return float(walkers) * round(times[-1] / walk.dt)

    return work


def workloads(size: float, threads: int, limit: Limits) -> list[Workload]:
    """All workloads, at `size` times their full size."""

    from . import naive

    rng = np.random.default_rng(1)
    walkers = int(1_000_000 * size)
    few = max(1000, walkers // 20)
    fair, biased = rw.LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0), rw.LatticeWalk(0.3, 0.5, dx=1.0, dt=1.0)
    curve = rw.LatticeWalk(rw.expression("0.4 - 0.1*tanh(x/50)"), rw.expression("0.4 + 0.1*tanh(x/50)"), dx=1.0, dt=1.0)
    moving = rw.LatticeWalk(
        rw.expression("0.4 - 0.1*tanh((x - t/50)/50)"), rw.expression("0.4 + 0.1*tanh((x - t/50)/50)"), dx=1.0, dt=1.0
    )
    trapped = rw.LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0, domain=rw.Interval(-20, 20, rw.Absorbing(), rw.Absorbing()))
    table = table_for(curve, STEPS)
    right, left = np.cumsum(table.probabilities()[:2], axis=0)
    occupied = rw.LatticeWalk.from_drift(
        rw.Affine(slope=-0.02),
        0.5,
        dx=0.1,
        domain=rw.Interval(-100.05, 100.05, rw.Reflecting(), rw.Reflecting()),
        start=rw.Uniform(-100, 100),
    )
    occupied_steps = 4 * STEPS
    occupied_times = [occupied_steps * occupied.dt]
    occupied_table = table_for(occupied, STEPS)
    histogram_right, histogram_left = np.cumsum(occupied_table.probabilities()[:2], axis=0)

    def occupy() -> float:
        rw.simulate(occupied, 10**12, occupied_times, seed=1, method="occupation", threads=threads)
        return float(occupied_table.sites) * occupied_steps

    law_walk = rw.LatticeWalk.from_drift(
        rw.Affine(slope=-0.02), 0.5, dx=0.01, domain=rw.Interval(-20.005, 20.005, rw.Reflecting(), rw.Reflecting()),
        start=rw.Uniform(-20, 20),
    )  # fmt: skip

    def law() -> float:
        rw.pde.exact_law(law_walk, [10 * STEPS * law_walk.dt])
        return 16.0 * table_for(law_walk, STEPS).sites * 10 * STEPS * 2.5  # bytes: mass in and out, three tables

    def leave() -> float:
        left = rw.simulate(
            trapped, walkers, [4000.0], seed=1, method="paths", record=[rw.FirstPassage()], threads=threads
        )[rw.FirstPassage()]
        assert isinstance(left, Passages)
        return float(left.counts.sum(axis=1) @ np.arange(left.times.size))  # the steps until walkers left

    def predicted(walk: rw.LatticeWalk, walkers: int, t: float, method: str, **options: Any) -> float:
        return rw.explain(walk, walkers, [t], **options).seconds[method]

    rows: list[Workload] = [
        Workload(
            "p = 1/2, endpoints", "steps",
            {
                "randwalk": simulated(fair, walkers * 16, [float(STEPS)], threads, "paths"),
                "NumPy bits": naive.numpy_coin(rng, few * 10, STEPS),
                "naive Numba": naive.numba_table(few, STEPS, np.full(2 * STEPS + 1, 0.5), np.full(2 * STEPS + 1, 1.0)),
                **naive.installed(few, STEPS),
            },
            limit("C++", "coin") | limit("C++, blocks in turn", "coin-ahead"), (Goal(0.9, "C++"), Goal(10.0, "naive Numba")),
            predicted=predicted(fair, walkers * 16, float(STEPS), "paths"),
        ),
        Workload(
            "constant p = 0.3, q = 0.5", "steps",
            {
                "randwalk": simulated(biased, walkers * 4, [float(STEPS)], threads, "paths"),
                "NumPy": naive.numpy_table(rng, few // 10, STEPS, np.full(2 * STEPS + 1, 0.3), np.full(2 * STEPS + 1, 0.8)),
                "naive Numba": naive.numba_table(few, STEPS, np.full(2 * STEPS + 1, 0.3), np.full(2 * STEPS + 1, 0.8)),
            },
            limit("Philox words × 8", "words", 8.0) | limit("… blocks in turn", "words-ahead", 8.0),
            (Goal(0.8, "… blocks in turn"),),
            predicted=predicted(biased, walkers * 4, float(STEPS), "paths"),
        ),
        Workload(
            "p(x), q(x) from a table", "steps",
            {
                "randwalk": simulated(curve, walkers, [float(STEPS)], threads, "paths"),
                "NumPy": naive.numpy_table(rng, few // 10, STEPS, right, left, -table.first),
                "naive Numba": naive.numba_table(few, STEPS, right, left, -table.first),
            },
            limit("C++ look-ups", "table"), (Goal(0.6, "C++ look-ups"),),
            predicted=predicted(curve, walkers, float(STEPS), "paths"),
        ),
        Workload(
            "p(x, t) from tables", "steps",
            {
                "randwalk": simulated(moving, walkers, [float(STEPS)], threads, "paths"),
                "naive Numba, p(x)": naive.numba_table(few, STEPS, right, left, -table.first),
            },
            limit("C++ look-ups", "table"), (Goal(0.6, "C++ look-ups"),),
            predicted=predicted(moving, walkers, float(STEPS), "paths"),
        ),
        Workload(
            "first passage, ±20 sites", "steps",
            {
                "randwalk": leave,
                "table walk": simulated(curve, walkers, [float(STEPS)], threads, "paths"),
                "naive Numba": naive.numba_passage(few, 20),
            },
            {}, (Goal(0.9, "table walk"),),
            predicted=predicted(trapped, walkers, 4000.0, "paths", record=[rw.FirstPassage()]),
        ),
        Workload(
            "occupation, 2000 sites, 10¹² walkers", "site steps",
            {
                "randwalk": occupy,
                "NumPy binomial": naive.numpy_occupation(rng, histogram_right, histogram_left, max(10, int(50 * size))),
            },
            {}, (Goal(8.0, "NumPy binomial"),),
            predicted=predicted(occupied, 10**12, occupied_times[0], "occupation"),
        ),
        Workload(
            "jump, endpoint after 1000 steps", "walkers",
            {
                "randwalk": lambda: simulated(biased, walkers * 40, [float(STEPS)], threads, "jump")() / STEPS,
                "NumPy binomial": naive.numpy_endpoint(rng, walkers // 10, STEPS),
            },
            limit("Philox words × 2", "words", 2.0),
            (Goal(10.0, "NumPy binomial"), Goal(0.17, "Philox words × 2")),  # 0.79 G/s where 2.31 G words/s are made
            predicted=predicted(biased, walkers * 40, float(STEPS), "jump"),
        ),
        Workload(
            "exact law, 4001 sites", "bytes", {"randwalk": law}, limit("copy", "copy"), (Goal(0.6, "copy"),)
        ),
    ]  # fmt: skip
    return rows
