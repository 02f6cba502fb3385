"""What a run costs, as `explain` tells before it is paid."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

import randwalk as rw
from randwalk.run.plan import BEGIN, CORES, DRAW, FOLLOW, _walked
from randwalk.run.ranges import LONGEST, SHORTEST, Cut

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"
PULLED = rw.LatticeWalk.from_drift(rw.expression("-sin(x)"), 0.5, dx=0.05, dt=0.001)
WELL = rw.ItoWalk(drift=rw.expression("x - x**3"), diffusion=0.25, dt=0.01)


def test_work_ranges_and_seconds_add_up() -> None:
    plan = rw.explain(PULLED, 10**11, [10.0], record=[rw.Maximum()], workers=64)
    assert (plan.walkers, plan.steps, plan.workers) == (10**11, 10_000, 64)
    cores = CORES * plan.seconds["paths"]
    assert plan.ranges["paths"] == math.ceil(cores / LONGEST)
    assert plan.seconds_by_workers["paths"] == pytest.approx(BEGIN + cores / 64)
    assert "100,000,000,000 walkers × 10,000 steps = 1e+15 walker-steps" in str(plan) and "on 64 workers" in str(plan)


def test_workers_without_a_range_wait_and_occupation_is_one_range() -> None:
    plan = rw.explain(PULLED, 3, [10.0], workers=64)
    assert plan.ranges == {"paths": 1, "occupation": 1} and "; 63 workers would have nothing to do" in str(plan)
    assert plan.seconds_by_workers["occupation"] == pytest.approx(BEGIN + CORES * plan.seconds["occupation"])
    many = rw.explain(PULLED, 10**12, [10.0], workers=64)
    assert many.ranges["occupation"] == 1 and "occupation" in str(many) and "in 1 range" in str(many)


@pytest.mark.parametrize(("walkers", "workers"), [(10**7, 10**9), (10**7, 5), (2, 10**9)])
def test_ranges_are_no_shorter_than_those_that_are_sent(walkers: int, workers: int) -> None:
    plan = rw.explain(PULLED, walkers, [10.0], record=[rw.Maximum()], workers=workers)
    work, cut, sent = CORES * plan.seconds["paths"], 0, Cut([range(walkers)], CORES * plan.seconds["paths"])
    while (part := sent.take(min(workers, 10**6))) is not None:
        sent.took(part, len(part) * work / walkers)
        cut += 1
    assert plan.ranges["paths"] <= cut + 1 and plan.ranges["paths"] <= math.ceil(work / SHORTEST)
    assert plan.ranges["paths"] >= min(workers, math.floor(work / SHORTEST), walkers)


@pytest.mark.parametrize("record", [[], [rw.FirstPassage()], [rw.LastVisit(0.0), rw.Moments()]])
def test_the_bytes_are_those_of_the_result(record: list[rw.Record]) -> None:
    walk = rw.LatticeWalk(0.4, 0.5, sites=49, domain=rw.Interval(-1, 1, rw.Absorbing(), rw.Absorbing()))
    times = [10.0, 200.0]
    ensemble = rw.simulate(walk, 100, times, record=record, method="paths")
    held = ensemble.raw.nbytes + sum(result.counts.nbytes for result in ensemble.records.values())
    assert held <= rw.explain(walk, 100, times, record=record).sizes["paths"] <= 1.5 * held


def test_an_ito_walk_and_its_bins() -> None:
    plan = rw.explain(WELL, 10**9, [1.0, 10.0], bins=10, record=[rw.FirstPassage()], workers=2)
    assert plan.method == "paths" and plan.steps == 1000 and plan.sizes["paths"] >= 8 * 2 * 12
    run = rw.simulate(WELL, 100, [1.0, 10.0], bins=10)
    assert rw.explain(WELL, 100, [1.0, 10.0], bins=10).sizes["paths"] == run.tally.raw.nbytes
    space = rw.ItoWalk(drift=(0.0,) * 5, diffusion=0.5, dt=0.1)
    assert rw.explain(space, 100, [1.0]).sizes["paths"] == 8 * 5 * 66


MEASURED = [json.loads((RESULTS / name).read_text(encoding="utf-8")) for name in ("cpu.json", "cpu_avx2.json")]


@pytest.mark.parametrize(
    ("workload", "row", "walk"),
    [
        ("double well", "randwalk", WELL),
        ("double well", "two-point", WELL.replaced(increments=rw.TwoPoint())),
        ("first passage out of (-1, 1)", "randwalk", WELL),
        ("a full noise in the plane", "randwalk", rw.ItoWalk(drift=(0.0, 0.0), diffusion=0.5, dt=0.01)),
    ],
)
def test_an_ito_walk_takes_what_was_measured(workload: str, row: str, walk: rw.ItoWalk) -> None:
    """Within a factor of two of the (geometric) mean over the two processors whose rates are kept."""
    rates = [case["rates"][row] for file in MEASURED for case in file["workloads"] if case["name"] == workload]
    steps = 10**9 * 1000
    assert len(rates) == 2
    assert 0.5 < rw.explain(walk, 10**9, [10.0]).seconds["paths"] * math.sqrt(math.prod(rates)) / steps < 2.0


def test_without_workers_the_text_is_one_line() -> None:
    assert "\n" not in str(rw.explain(PULLED, 10**6, [10.0]))


@pytest.mark.parametrize("workers", [0, -1, 1.5, True, "4"])
def test_workers_that_are_none(workers: object) -> None:
    with pytest.raises(ValueError, match=r"workers = .*: must be a whole number, at least 1"):
        rw.explain(PULLED, 10, [1.0], workers=workers)  # type: ignore[arg-type]


def test_a_shorter_range_of_walkers_has_the_cost_of_its_own() -> None:
    part = rw.explain(PULLED, range(10**6, 2 * 10**6), [10.0], workers=4)
    assert part.walkers == 10**6 and part.method == "paths" and np.isfinite(part.seconds["paths"])


A = rw.Absorbing()
LEAVING = {  # (domain, start, probabilities of steps to the right and to the left)
    "two walls": (rw.Interval(-30, 30, A, A), 0.0, (0.5, 0.5)),
    "beside a wall": (rw.Interval(-5, 200, A, A), 0.0, (0.5, 0.5)),
    "one wall": (rw.Interval(-20, math.inf, left=A), 0.0, (0.3, 0.3)),
    "one wall on the right": (rw.Interval(-math.inf, 20, right=A), 0.0, (0.5, 0.5)),
    "towards the wall": (rw.Interval(-100, 400, A, A), 0.0, (0.3, 0.7)),
    "towards the other wall": (rw.Interval(-400, 100, A, A), 0.0, (0.7, 0.3)),
    "away from the wall": (rw.Interval(-50, math.inf, left=A), 0.0, (0.7, 0.3)),
    "nobody leaves": (rw.Interval(-500, 500, A, A), 0.0, (0.5, 0.5)),
    "walls that turn back": (rw.Interval(-30, 30, rw.Reflecting(), rw.Reflecting()), 0.0, (0.5, 0.5)),
}  # fmt: skip


@pytest.mark.parametrize("name", LEAVING)
def test_walkers_that_have_left_cost_nothing(name: str) -> None:
    """The steps of a mean walker, which the seconds are made of, are the sum of the chances that it is there by the exact law."""
    domain, start, (right, left) = LEAVING[name]
    walk, steps = rw.LatticeWalk(right, left, dx=1.0, domain=domain, start=start), 2000
    there = rw.pde.exact_law(walk, range(steps)).survival(range(steps)).sum()
    table = rw.pde.exact_law(walk, [steps]).table
    assert _walked(table, steps) == pytest.approx(there, rel=0.25)
    kept, walkers = rw.explain(walk, 10**9, [float(steps)], record=[rw.FirstPassage(), rw.Maximum()]), 10**9
    assert kept.seconds["paths"] == pytest.approx(1e-9 * walkers * (_walked(table, steps) * FOLLOW + DRAW), rel=1e-3)


@pytest.mark.parametrize("record", [
    rw.Maximum(), rw.LastVisit(0.0), rw.TimePositive(0.0), rw.Visits(0.0), rw.DistinctSites(),
])  # fmt: skip
def test_runs_of_which_the_lifetime_is_better_known_have_no_other_method(record: rw.Record) -> None:
    """So that a better prediction changes no method, and no bits."""
    for domain in (rw.Interval(-9, 9, A, A), rw.Line(), rw.Ring(0.0, 9.0)):
        walk = rw.LatticeWalk(0.4, 0.5, dx=1.0, domain=domain)
        assert list(rw.explain(walk, 10**12, [100.0], record=[record]).seconds) == ["paths"]
        assert rw.explain(walk, 10**12, [10.0]).seconds.keys() > {"paths"}
