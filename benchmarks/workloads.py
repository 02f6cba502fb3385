"""The workloads: each by randwalk, by a C++ program at the limit, and by common programs."""

from __future__ import annotations

from typing import Any

import numpy as np

import randwalk as rw
from randwalk.run.results import Passages
from randwalk.tables.window import table_for

from . import naive
from .measure import ATTEMPTS, Goal, Limits, Workload
from .setting import Setting

STEPS = 1000
FAIR, BIASED = rw.LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0), rw.LatticeWalk(0.3, 0.5, dx=1.0, dt=1.0)
CURVE = rw.LatticeWalk(rw.expression("0.4 - 0.1*tanh(x/50)"), rw.expression("0.4 + 0.1*tanh(x/50)"), dx=1.0, dt=1.0)
MOVING = rw.LatticeWalk(
    rw.expression("0.4 - 0.1*tanh((x - t/50)/50)"), rw.expression("0.4 + 0.1*tanh((x - t/50)/50)"), dx=1.0, dt=1.0
)
TRAPPED = rw.LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0, domain=rw.Interval(-20, 20, rw.Absorbing(), rw.Absorbing()))


def in_a_well(dx: float, half: float) -> rw.LatticeWalk:
    """Ornstein–Uhlenbeck between reflecting walls half a site beyond ±`half`; walkers begin everywhere."""
    end = half + dx / 2
    return rw.LatticeWalk.from_drift(
        rw.Affine(slope=-0.02), 0.5, dx=dx, domain=rw.Interval(-end, end, rw.Reflecting(), rw.Reflecting()),
        start=rw.Uniform(-half, half),
    )  # fmt: skip


def chances(walk: rw.LatticeWalk) -> tuple[int, Any, Any]:
    """(first site of its table, P(right) and P(right or left) on each site)."""
    table = table_for(walk, STEPS)
    right, left = np.cumsum(table.probabilities()[:2], axis=0)
    return table.first, right, left


def predicted(walk: rw.LatticeWalk, walkers: int, t: float, method: str, **options: Any) -> float:
    return rw.explain(walk, walkers, [t], **options).seconds[method]


def workloads(size: float, threads: int, limit: Limits) -> list[Workload]:
    """All workloads, at `size` times their full size."""
    setting, rng = Setting(size, threads, limit), np.random.default_rng(1)
    return [
        coin(setting, rng), constant(setting, rng), in_place(setting, rng), in_time(setting), passage(setting),
        occupation(setting, rng), jump(setting, rng), law(setting),
    ]  # fmt: skip


def coin(setting: Setting, rng: np.random.Generator) -> Workload:
    walkers, few = setting.walkers * 16, setting.few
    half, one = np.full(2 * STEPS + 1, 0.5), np.full(2 * STEPS + 1, 1.0)
    return Workload(
        "p = 1/2, endpoints", "steps",
        {
            "randwalk": setting.simulated(FAIR, walkers, float(STEPS), "paths"),
            "NumPy bits": naive.numpy_coin(rng, few * 10, STEPS),
            "naive Numba": naive.numba_table(few, STEPS, half, one),
            **naive.installed(few, STEPS),
        },
        setting.limit("C++", "coin") | setting.limit("C++, blocks in turn", "coin-ahead"),
        (Goal(0.9, "C++"), Goal(10.0, "naive Numba")),
        predicted=predicted(FAIR, walkers, float(STEPS), "paths"),
    )  # fmt: skip


def constant(setting: Setting, rng: np.random.Generator) -> Workload:
    walkers, few = setting.walkers * 4, setting.few
    right, left = np.full(2 * STEPS + 1, 0.3), np.full(2 * STEPS + 1, 0.8)
    return Workload(
        "constant p = 0.3, q = 0.5", "steps",
        {
            "randwalk": setting.simulated(BIASED, walkers, float(STEPS), "paths"),
            "NumPy": naive.numpy_table(rng, few // 10, STEPS, right, left),
            "naive Numba": naive.numba_table(few, STEPS, right, left),
        },
        setting.limit("Philox words × 8", "words", 8.0) | setting.limit("… blocks in turn", "words-ahead", 8.0)
        | setting.limit("C++, every step decided", "biased-settled")
        | setting.limit("C++, every step decided, blocks in turn", "biased-settled-ahead"),
        (Goal(0.8, "… blocks in turn"), Goal(1.0, "C++, every step decided, blocks in turn")),
        predicted=predicted(BIASED, walkers, float(STEPS), "paths"),
    )  # fmt: skip


def in_place(setting: Setting, rng: np.random.Generator) -> Workload:
    walkers, few = setting.walkers, setting.few
    first, right, left = chances(CURVE)
    return Workload(
        "p(x), q(x) from a table", "steps",
        {
            "randwalk": setting.simulated(CURVE, walkers, float(STEPS), "paths"),
            "NumPy": naive.numpy_table(rng, few // 10, STEPS, right, left, -first),
            "naive Numba": naive.numba_table(few, STEPS, right, left, -first),
        },
        setting.limit("C++ look-ups", "table"), (Goal(0.6, "C++ look-ups"),),
        predicted=predicted(CURVE, walkers, float(STEPS), "paths"),
    )  # fmt: skip


def in_time(setting: Setting) -> Workload:
    walkers = setting.walkers
    first, right, left = chances(CURVE)
    return Workload(
        "p(x, t) from tables", "steps",
        {
            "randwalk": setting.simulated(MOVING, walkers, float(STEPS), "paths"),
            "naive Numba, p(x)": naive.numba_table(setting.few, STEPS, right, left, -first),
        },
        setting.limit("C++ look-ups", "table"), (Goal(0.6, "C++ look-ups"),),
        predicted=predicted(MOVING, walkers, float(STEPS), "paths"),
    )  # fmt: skip


def passage(setting: Setting) -> Workload:
    walkers, record = setting.walkers, rw.FirstPassage()

    def leave() -> float:
        left = rw.simulate(
            TRAPPED, walkers, [4000.0], seed=1, method="paths", record=[record], threads=setting.threads
        )[record]
        assert isinstance(left, Passages)
        return float(left.counts.sum(axis=1) @ np.arange(left.times.size))  # the steps until walkers left

    return Workload(
        "first passage, ±20 sites", "steps",
        {
            "randwalk": leave,
            "table walk": setting.simulated(CURVE, walkers, float(STEPS), "paths"),
            "naive Numba": naive.numba_passage(setting.few, 20),
        },
        {}, (Goal(0.9, "table walk"),),
        predicted=predicted(TRAPPED, walkers, 4000.0, "paths", record=[record]),
    )  # fmt: skip


def occupation(setting: Setting, rng: np.random.Generator) -> Workload:
    walk, steps = in_a_well(0.1, 100.0), 4 * STEPS
    _, right, left = chances(walk)
    run = setting.simulated(walk, 10**12, steps * walk.dt, "occupation")

    def occupy() -> float:
        run()
        return float(right.size) * steps

    return Workload(
        "occupation, 2000 sites, 10¹² walkers", "site steps",
        {
            "randwalk": occupy,
            "NumPy binomial": naive.numpy_occupation(rng, right, left, max(10, int(50 * setting.size))),
        },
        setting.limit("C++ attempts", "attempts", 1.0 / (2 * ATTEMPTS)), (Goal(8.0, "NumPy binomial"),),
        predicted=predicted(walk, 10**12, steps * walk.dt, "occupation"),
    )  # fmt: skip


def jump(setting: Setting, rng: np.random.Generator) -> Workload:
    walkers = setting.walkers * 40
    run = setting.simulated(BIASED, walkers, float(STEPS), "jump")
    return Workload(
        "jump, endpoint after 1000 steps", "walkers",
        {
            "randwalk": lambda: run() / STEPS,
            "NumPy binomial": naive.numpy_endpoint(rng, setting.walkers // 10, STEPS),
        },
        setting.limit("Philox words × 2", "words", 2.0),
        (Goal(10.0, "NumPy binomial"), Goal(0.17, "Philox words × 2")),  # 0.79 G/s where 2.31 G words/s are made
        predicted=predicted(BIASED, walkers, float(STEPS), "jump"),
    )  # fmt: skip


def law(setting: Setting) -> Workload:
    walk = in_a_well(0.01, 20.0)

    def work() -> float:
        rw.pde.exact_law(walk, [10 * STEPS * walk.dt])
        return 16.0 * table_for(walk, STEPS).sites * 10 * STEPS * 2.5  # bytes: mass in and out, three tables

    return Workload(
        "exact law, 4001 sites", "bytes", {"randwalk": work}, setting.limit("copy", "copy"), (Goal(0.6, "copy"),)
    )
