"""Visits: the local time of a site or a set, against published laws, the sum of the exact law, and walkers counted one by one."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

import randwalk as rw

MICRO, NANO = 1e-6, 1e-9
FALSE_ALARMS = 1e-5
NAMES = ("right", "left", "up", "down", "front", "back")


def simple(d: int, **more: Any) -> rw.LatticeWalk:
    fair: dict[str, Any] = dict.fromkeys(NAMES[: 2 * d], 1.0 / (2 * d))
    return rw.LatticeWalk(**fair, dx=MICRO, dt=NANO, **more)


def test_returns_of_the_coin_have_fellers_law() -> None:
    """P(r returns in 2n steps) = C(2n - r, n)/2^(2n - r) (Feller, volume I, III.6)."""
    n, record = 20, rw.Visits(0.0)
    run = rw.simulate(simple(1), 100_000, [2 * n * NANO], seed=1, method="paths", record=[record])
    counts = run[record].counts[0][1 : n + 2]  # the start is a visit
    p = np.array([math.comb(2 * n - r, n) / 2.0 ** (2 * n - r) for r in range(n + 1)])
    assert p.sum() == pytest.approx(1.0) and counts.sum() == 100_000
    kept = 100_000 * p > 5.0
    seen, due = np.append(counts[kept], counts[~kept].sum()), np.append(p[kept], p[~kept].sum())
    assert stats.chisquare(seen, 100_000 * due).pvalue > FALSE_ALARMS


@pytest.mark.parametrize("d", [1, 2, 3])
def test_the_mean_is_the_sum_of_the_exact_law(d: int) -> None:
    """Σ P(S_n = 0) over n = 0 … N: Green's function of the lattice as far as N."""
    walk, steps, point = simple(d), 24, 0.0 if d == 1 else (0.0,) * d
    record = rw.Visits(point)
    run = rw.simulate(walk, 60_000, [10 * NANO, steps * NANO], seed=2, method="paths", record=[record])
    law = rw.pde.exact_law(walk, np.arange(steps + 1) * NANO)
    middle: tuple[Any, ...] = tuple(-first for first, _ in law.table.window)
    at_home = law.pmf[(slice(None), *middle)]
    for n in (10, steps):
        assert abs(run[record].mean(n * NANO).z(at_home[: n + 1].sum())) < 4.5


def walls() -> dict[str, tuple[rw.LatticeWalk, list[Any]]]:
    box = (rw.Interval(0.0, 6 * MICRO, rw.Absorbing(), rw.Absorbing()) * rw.Ring(0.0, 6 * MICRO)).without(
        rw.Ball((4 * MICRO, 3 * MICRO), 0.5 * MICRO), rw.Absorbing(), "trap"
    )
    rim = rw.HalfSpace((1.0, 0.0), 4.5 * MICRO)  # has sites of the wall in it, at which nobody visits
    pair = rw.Ball((0.0, 0.0), 1.2 * MICRO)  # across the seam of the ring
    home = (2 * MICRO, 3 * MICRO)
    line = rw.Interval(0.0, 8 * MICRO, rw.Absorbing(), rw.Absorbing())
    return {
        "room": (simple(2, domain=box, start=home), [home, rim, pair, (4 * MICRO, 3 * MICRO)]),
        "line": (simple(1, domain=line, start=3 * MICRO), [3 * MICRO, 2.6 * MICRO, 8 * MICRO, 99 * MICRO]),
        "space": (simple(3, domain=rw.Ring(0, 4 * MICRO) ** 3), [(0.0, 0.0, 0.0), rw.Ball((0.0, 0.0, 0.0), 1.1 * MICRO)]),
    }  # fmt: skip


@pytest.mark.parametrize("name", walls())
def test_visits_are_those_of_walkers_counted_one_by_one(name: str) -> None:
    walk, sets = walls()[name]
    records, times = [rw.Visits(place) for place in sets], np.arange(31) * NANO
    run = rw.simulate(walk, 500, times[[0, 7, 30]], seed=4, method="paths", record=records)
    x = rw.trajectories(walk, 500, times, seed=4).x
    point = (x,) if x.ndim == 2 else tuple(np.moveaxis(x, -1, 0))
    alive = walk.domain.contains(point if len(point) > 1 else x)
    for axis, (along, lattice) in enumerate(zip(point, walk.lattices, strict=True)):
        if not walk.domain.axes[axis].periodic:  # a site on a wall is in the domain, and nobody's
            assert lattice.first is not None and lattice.last is not None
            low, high = lattice.x([lattice.first - 0.5, lattice.last + 0.5])
            alive &= (along > low) & (along < high)
    for record in records:
        if isinstance(record.set, rw.model.shape.Shape):
            domain = rw.Box(*walk.domain.axes).without(record.set)
            there = domain.region_at(point) >= 0
        else:
            place = np.atleast_1d(record.set)
            there = np.logical_and.reduce([np.abs(a - b) <= 0.5 * MICRO for a, b in zip(point, place, strict=True)])
        visits = np.cumsum(there & alive, axis=0)
        for row, n in enumerate((0, 7, 30)):
            np.testing.assert_array_equal(
                run[record].counts[row], np.bincount(visits[n], minlength=32), err_msg=f"{record} {n}"
            )


def test_visits_are_saved_and_bad_ones_refused(tmp_path: Path) -> None:
    walk, sets = walls()["room"]
    records = [rw.Visits(place) for place in sets]
    run = rw.simulate(walk, 200, [5 * NANO], seed=1, record=records)
    run.save(tmp_path / "visits.npz")
    again = rw.Ensemble.load(tmp_path / "visits.npz")
    for record in records:
        np.testing.assert_array_equal(again[record].counts, run[record].counts)
    assert again.extend(300)[records[1]].walkers == 300
    for bad, message in (
        (lambda: rw.simulate(walk, 10, [NANO], record=[rw.Visits(0.0)]), "has 2 dimensions; give a place with as many numbers"),
        (lambda: rw.simulate(walk, 10, [NANO], record=[rw.Visits(rw.Ball((0.0,) * 3, 1.0))]), "3 axes"),
        (lambda: rw.Visits(math.nan), "Visits: set = nan must be a finite number"),
        (lambda: rw.simulate(walk, 10, [NANO], method="occupation", record=records), "cannot do this run"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            bad()


def test_a_shape_goes_on_at_the_other_end_of_a_ring() -> None:
    """A ball about the corner of a torus of 6 × 6 sites holds nine of them, where the walker is counted and where it is hit."""
    ring, ball = rw.Ring(0.0, 6.0), rw.Ball((0.0, 0.0), 1.5)
    torus = rw.LatticeWalk(right=0.25, left=0.25, up=0.25, down=0.25, dx=1.0, dt=1.0, domain=ring**2, start=(4.0, 0.0))
    corner = np.array([(x, y) for x in (5.0, 0.0, 1.0) for y in (5.0, 0.0, 1.0)])
    sites = rw.pde.hitting_time(torus, tuple(corner.T)).mean
    assert rw.pde.hitting_time(torus, ball).mean == pytest.approx(sites, rel=1e-13)
    visits = rw.simulate(torus, 10_000, [1.0], seed=1, method="paths", record=[rw.Visits(ball)])[rw.Visits(ball)]
    assert abs(visits.mean(1.0).z(0.25)) < 4.0  # a false alarm in 16 000
