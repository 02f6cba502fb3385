"""Simulations in two and three dimensions: every path is the one that `naive_space` walks, bit for bit; counts are drawn from
the exact law; records are those of the naive paths; published numbers.

Seeds are fixed. The statistical tests of this file share a false-alarm rate of FALSE_ALARMS (Bonferroni): with other seeds a
right program would fail this file once in ten thousand times.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import randwalk as rw
from randwalk.run.counts import Counts
from randwalk.run.displacement import exact_sum
from randwalk.run.host import Host
from randwalk.run.record import Record
from randwalk.run.task import Task

from . import naive_space as naive
from .spatial import ABSORB, SIMPLE, WALKS, room
from .test_simulate import p_value
from .test_store import rewrite

FALSE_ALARMS = 1e-4
WALKERS, STEPS, SEED = 30, 80, 3
FIRST = 1000  # number of the first walker


@cache
def naive_paths(name: str) -> list[list[naive.Place]]:
    walk = WALKS[name]()
    return [naive.path(walk, FIRST + k, STEPS, SEED) for k in range(WALKERS)]


def run(name: str, steps: tuple[int, ...], *records: Record) -> tuple[rw.LatticeWalk, Counts]:
    walk = WALKS[name]()
    counts = Task(walk, steps, SEED, "paths", records).run(range(FIRST, FIRST + WALKERS))
    return walk, counts


def values(counts: Counts, record: Record, row: int) -> list[float]:
    """The values of a histogram, one for each walker, increasing."""
    histogram: Any = counts.records[record]
    return np.repeat(histogram.values, histogram.counts[row]).tolist()


@pytest.mark.parametrize("name", WALKS)
def test_paths_are_the_naive_ones(name: str) -> None:
    steps = (0, 7, STEPS)
    walk, counts = run(name, steps, rw.Positions(), rw.FirstPassage())
    x, passages = counts.records[rw.Positions()].x, counts.records[rw.FirstPassage()]  # type: ignore[union-attr]
    assert x.shape == (3, WALKERS, walk.dimension) and passages.exits == walk.domain.exits  # type: ignore[union-attr]
    paths = naive_paths(name)
    for row, n in enumerate(steps):
        for k, path in enumerate(paths):
            place = path[n]
            if isinstance(place, tuple):
                assert tuple(x[row, k]) == pytest.approx(naive.point(walk, place), abs=1e-12)
            assert np.isnan(x[row, k]).all() == (place == "killing")
        gone = [sum(path[n] == exit for path in paths) for exit in walk.domain.exits]
        assert counts.table.layout.absorbed(counts.raw[row]).tolist() == gone
        assert np.cumsum(passages.counts, axis=0)[n].tolist() == gone  # type: ignore[union-attr]
        live = counts.table.layout.live(counts.raw[row])
        stood = [place for path in paths if isinstance(place := path[n], tuple)]
        sites = [tuple(k - first for k, (first, _) in zip(at, counts.table.window, strict=True)) for at in stood]
        assert live.sum() == len(sites) and all(live[site] >= 1 for site in sites)


@pytest.mark.parametrize("name", ["plane", "p(x, y), trap", "torus", "space", "plane, starts"])
def test_records_are_those_of_the_naive_paths(name: str) -> None:
    steps, paths = (7, STEPS), naive_paths(name)
    walk = WALKS[name]()
    d = walk.dimension
    middle = naive.point(walk, naive.start(walk, FIRST, SEED))
    half = rw.HalfSpace((1.0,) * d, sum(middle) + 0.25)
    records: list[Record] = [rw.LastVisit(middle), rw.TimeIn(half), rw.Moments(), rw.FirstPassage(), rw.DistinctSites()]
    records += [kind(axis) for axis in range(d) for kind in (rw.Displacement, rw.Maximum)]
    records += [rw.Winding(axis) for axis, ring in enumerate(walk.lattices) if ring.periodic]
    _, counts = run(name, steps, *records)
    for row, n in enumerate(steps):
        walked = [[place for place in path[: n + 1] if isinstance(place, tuple)] for path in paths]
        above = [[sum(naive.point(walk, k)) > half.offset for k in path] for path in walked]
        inside = [sum(path[: n if len(path) > n else None]) for path in above]
        assert values(counts, records[1], row) == sorted(map(float, inside))
        here = naive.start(walk, FIRST, SEED)
        visits = [max((i for i, k in enumerate(path) if k == here), default=math.nan) for path in walked]
        assert values(counts, records[0], row) == pytest.approx(sorted(visits, key=lambda v: (v == v, v)), nan_ok=True)
        assert values(counts, rw.DistinctSites(), row) == sorted(len(set(path)) for path in walked)
        alive: list[Any] = [path for path in paths if isinstance(path[n], tuple)]
        turns = np.array([naive.torus_turns(walk, path[: n + 1]) for path in alive])
        moved = np.array([np.subtract(path[n], path[0]) for path in alive]) + turns * [
            x.sites or 0 for x in walk.lattices
        ]
        sums: Any = counts.records[rw.Moments()]
        assert sums.alive[row] == len(alive)
        assert (sums.first[row] == moved.sum(axis=0)).all() and (sums.second[row] == moved.T @ moved).all()
        assert (sums.fourth[row] == (moved**2).T @ moved**2).all()
        for axis, lattice in enumerate(walk.lattices):
            assert values(counts, rw.Displacement(axis), row) == pytest.approx(sorted(moved[:, axis] * lattice.dx))
            if len(alive) == len(paths):
                highest = [lattice.x(max(k[axis] for k in path)) for path in walked]
                assert values(counts, rw.Maximum(axis), row) == pytest.approx(sorted(highest))
            if lattice.periodic:
                assert values(counts, rw.Winding(axis), row) == sorted(turns[:, axis].tolist())


@pytest.mark.parametrize("name", ["plane", "p(x, y), trap", "torus in space, killed", "plane, starts"])
def test_threads_ranges_and_windows_change_no_bit(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    walk = WALKS[name]()
    records = (rw.FirstPassage(), rw.Moments(), rw.Maximum(1), rw.Positions())
    task = Task(walk, (5, 40), SEED, "paths", records)
    whole = task.run(range(400))
    parts = [task.run(range(150, 400)), task.run(range(1)), task.run(range(1, 150), Host(2))]
    same(sum(parts[1:], parts[0]), whole)
    monkeypatch.setattr("randwalk.tables.window.guessed_ends", lambda walk, steps, begin, leak: begin)
    same(Task(walk, (5, 40), SEED, "paths", records).run(range(400)), whole)
    same(Task(walk, (5, 40), SEED, "paths").run(range(400)), whole, records=False)


def same(one: Counts, other: Counts, records: bool = True) -> None:
    table = one.table if one.table.sites >= other.table.sites else other.table
    window = tuple(
        (min(a, b), max(a + n, b + m) - min(a, b))
        for (a, n), (b, m) in zip(one.table.window, other.table.window, strict=True)
    )
    table = type(table)(table.walk, window)
    one, other = one.on(table), other.on(table)
    np.testing.assert_array_equal(one.raw, other.raw)
    assert one.parts == other.parts
    for record, result in one.records.items() if records else ():
        match: Any = other.records[record]
        np.testing.assert_array_equal(getattr(result, "x", None), getattr(match, "x", None))
        np.testing.assert_array_equal(getattr(result, "counts", None), getattr(match, "counts", None))


METHODS = [(name, method) for name in WALKS for method in ("paths", "occupation")]


@pytest.mark.parametrize(("name", "method"), METHODS)
def test_methods_draw_from_the_exact_law(name: str, method: str) -> None:
    """10⁶ walkers, χ² over all sites and exits."""
    walk, n, walkers = WALKS[name](), 12, 10**6
    made = rw.simulate(walk, walkers, [n * walk.dt], seed=11, method=method, record=[rw.FirstPassage()])
    law = rw.pde.exact_law(walk, [n * walk.dt])
    observed = on_sites(made.counts[0], made.table.window, law.table.window)
    p = np.concatenate([law.pmf[0].ravel(), law.gone[n]])
    np.testing.assert_allclose(p.sum(), 1.0, atol=1e-12)
    counts = np.concatenate([observed.ravel(), made.gone[0]])
    assert counts.sum() == walkers
    assert p_value(counts, p / p.sum()) > FALSE_ALARMS / (2 * len(METHODS))
    early = made[rw.FirstPassage()].survival(5 * walk.dt)
    assert float(early.value) == 1.0 or abs(float(early.z(float(law.survival(5 * walk.dt))))) < 5.0


def on_sites(counts: NDArray[np.int64], mine: Any, wanted: Any) -> NDArray[np.int64]:
    """Counts on the sites of another window, outside which there are none."""
    placed = np.zeros([n for _, n in wanted], dtype=np.int64)
    total = counts.sum()
    cut, into = [], []
    for (first, n), (begin, m) in zip(mine, wanted, strict=True):
        low, high = max(first, begin), min(first + n, begin + m)
        cut.append(slice(low - first, high - first))
        into.append(slice(low - begin, high - begin))
    placed[tuple(into)] = counts[tuple(cut)]
    assert placed.sum() == total
    return placed


def test_a_small_bias_is_seen() -> None:
    """The test above is no rubber stamp: probabilities off by 0.002 are seen at 10⁶ walkers."""
    walk = rw.LatticeWalk(**(SIMPLE | {"right": 0.252, "left": 0.248}), domain=room())
    made = rw.simulate(walk, 10**6, [12.0], seed=11, method="paths")
    law = rw.pde.exact_law(rw.LatticeWalk(**SIMPLE, domain=room()), [12.0])
    p = np.concatenate([law.pmf[0].ravel(), law.gone[12]])
    assert p_value(np.concatenate([made.counts[0].ravel(), made.gone[0]]), p / p.sum()) < 1e-6


def test_axes_that_step_independently_jump() -> None:
    walk = rw.LatticeWalk.from_drift(drift=(0.5, 0.0), diffusion=0.5, dx=0.5)
    n, walkers = 40, 10**6
    made = rw.simulate(walk, walkers, [n * walk.dt], seed=4, method="jump", record=[rw.Moments()])
    law = rw.pde.exact_law(walk, made.times)
    counts = on_sites(made.counts[0], made.table.window, law.table.window)
    assert p_value(counts, law.pmf[0] / law.pmf[0].sum()) > FALSE_ALARMS / 3
    drift = made[rw.Moments()].mean(made.times[0])
    assert abs(drift[0].z(0.5 * made.step_times[0])) < 4.0 and abs(drift[1].z(0.0)) < 4.0
    with pytest.raises(ValueError, match="axes of this walk do not step independently"):
        rw.simulate(rw.LatticeWalk(**SIMPLE), 10, [5.0], method="jump")


# ---------------------------------------------------------------- published numbers


def test_return_to_the_origin_of_the_plane() -> None:
    """P(S_2n = 0) = (C(2n, n)/4ⁿ)² (Pólya, Mathematische Annalen 84, 1921), by 10¹² walkers at the cost of the grid."""
    made = rw.simulate(rw.LatticeWalk(**SIMPLE), 10**12, [20.0], seed=2, method="occupation", record=[rw.Moments()])
    exact = (math.comb(20, 10) / 4**10) ** 2
    share = made.mass([[-0.5, 0.5], [-0.5, 0.5]], 20.0)[0, 0]
    assert abs(float(share.z(exact))) < 4.0 and float(share.error) < 1e-6
    msd = made[rw.Moments()].mean_square(20.0)
    assert abs(float(msd.z(20.0))) < 4.0 and float(msd.error) < 1e-4


def test_exit_from_a_square() -> None:
    """The mean exit time from the middle of the square of 2N × 2N steps, from its Poisson equation solved by sines."""
    n = 8
    domain = rw.Interval(-n, n, ABSORB, ABSORB) ** 2
    made = rw.simulate(rw.LatticeWalk(**SIMPLE, domain=domain), 10**5, [2000.0], seed=6, record=[rw.FirstPassage()])
    k = np.pi * np.arange(1, 2 * n) / (2 * n)
    sines = np.sin(np.outer(k, np.arange(1, 2 * n)))
    weight = sines.sum(axis=1) * sines[:, n - 1] * 2.0 / (2 * n)
    rate = 1.0 - 0.5 * (np.cos(k)[:, None] + np.cos(k)[None, :])
    exact = float((np.outer(weight, weight) / rate).sum())
    mean = made[rw.FirstPassage()].mean()
    assert made.gone[-1].sum() == 10**5 and abs(float(mean.z(exact))) < 4.0
    for exit in ("left", "right", "bottom", "top"):
        assert abs(float(made.absorbed(exit, 2000.0).z(0.25))) < 4.0


def test_mean_squared_displacement_on_a_torus() -> None:
    """2 d D t whatever the size of the torus, since turns are counted."""
    walk = rw.LatticeWalk(**SIMPLE, domain=rw.Ring(0, 3) * rw.Ring(0, 7))
    made = rw.simulate(walk, 10**5, [50.0, 400.0], seed=8, record=[rw.Moments()])
    for t in made.times:
        assert abs(float(made[rw.Moments()].mean_square(t).z(t))) < 4.0


@pytest.mark.parametrize("method", ["paths", "occupation"])
def test_displacements_across_a_channel_that_closes_on_itself(method: str) -> None:
    """Along the open axis they are differences of places, whatever the turns around the other."""
    walk = rw.LatticeWalk(**SIMPLE, domain=rw.Line() * rw.Ring(0, 4))
    made = rw.simulate(walk, 1000, [20.0], seed=8, method=method, record=[rw.Displacement("x")])
    x = made.sites[0]
    along = made.counts[0].sum(axis=1)
    shown = made[rw.Displacement("x")]
    assert dict(zip(shown.values[shown.counts[0] > 0], shown.counts[0][shown.counts[0] > 0], strict=True)) == dict(
        zip(x[along > 0], along[along > 0], strict=True)
    )


def test_moments_are_exact_whole_numbers() -> None:
    """Where no sum of 64 bits would do; the errors are those of a sample."""
    big = np.array([3 * 10**9, -(10**9), 7], dtype=np.int64)
    many = np.array([10**15, 3, 5], dtype=np.int64)
    assert exact_sum(big, many, big) == sum(int(a) * int(b) * int(a) for a, b in zip(big, many, strict=True))
    walk = rw.LatticeWalk(**(SIMPLE | {"dx": (0.5, 2.0)}), start=rw.Uniform((-2, -2), (2, 2)))
    made = rw.simulate(walk, 2000, [30.0], seed=1, method="paths", record=[rw.Moments(), rw.Positions()])
    start = rw.simulate(walk, 2000, [0.0], seed=1, method="paths", record=[rw.Positions()])[rw.Positions()].x[0]
    moved, sums = made[rw.Positions()].x[0] - start, made[rw.Moments()]
    square = (moved**2).sum(axis=1)
    np.testing.assert_allclose(sums.mean(30.0).value, moved.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(sums.mean(30.0).error, moved.std(axis=0) / math.sqrt(2000), rtol=1e-12)
    np.testing.assert_allclose(sums.covariance(30.0), np.cov(moved.T, bias=True), atol=1e-10)
    assert float(sums.mean_square(30.0).value) == pytest.approx(square.mean())
    assert float(sums.mean_square(30.0).error) == pytest.approx(square.std() / math.sqrt(2000))
    again = sums.holding(sums.counts)
    for name in ("alive", "first", "second", "fourth"):
        assert (getattr(again, name) == getattr(sums, name)).all()


# ---------------------------------------------------------------- what cannot be recorded


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (rw.TimePositive(0.0), r"of walks in one dimension; in 2 take TimeIn\(HalfSpace"),
        (rw.SquaredDisplacement(), r"of walks in one dimension; in 2 take Displacement\(axis\) or Moments"),
        (rw.LastVisit(1.0), "the walk has 2 dimensions; give a place with as many numbers"),
        (rw.LastVisit((1.0, 2.0, 3.0)), "the walk has 2 dimensions"),
        (rw.Maximum(2), "the walk has the axes x, y alone"),
        (rw.Winding(0), "is not a ring, which alone has turns"),
        (rw.TimeIn(rw.Ball((0.0, 0.0, 0.0), 1.0)), "3"),
    ],
)
def test_records_of_another_dimension_are_refused(record: Record, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        rw.simulate(rw.LatticeWalk(**SIMPLE), 10, [1.0], record=[record])
    with pytest.raises(ValueError, match=told):
        rw.explain(rw.LatticeWalk(**SIMPLE), 10, [1.0], record=[record])


def test_the_rings_that_have_turns_are_named() -> None:
    walk = rw.LatticeWalk(**SIMPLE, domain=rw.Line() * rw.Ring(0.0, 6.0))
    with pytest.raises(ValueError, match=r"take Winding\(1\)"):
        rw.simulate(walk, 10, [1.0], record=[rw.Winding()])
    rw.simulate(walk, 10, [1.0], record=[rw.Winding(1)])


def test_short_rings_have_no_turns() -> None:
    walk = rw.LatticeWalk(**SIMPLE, domain=rw.Ring(0, 2) * rw.Ring(0, 4))
    with pytest.raises(ValueError, match="turns around a ring of 2 sites are not told apart; take 3 or more"):
        rw.simulate(walk, 10, [1.0], record=[rw.Moments()])
    rw.simulate(walk, 10, [1.0], record=[rw.Winding("y")])


# ---------------------------------------------------------------- files


@pytest.mark.parametrize("suffix", [".npz", ".nc"])
@pytest.mark.parametrize("name", ["plane", "torus", "p(x, y), trap", "Moore"])
def test_files_of_runs_in_the_plane(name: str, suffix: str, tmp_path: Path) -> None:
    walk = WALKS[name]()
    if name in ("p(x, y), trap", "Moore"):  # functions are not written; formulas are
        walk = rw.LatticeWalk(
            **(SIMPLE | {"right": rw.expression("0.2 + 0.05*tanh(x)")}), domain=walk.domain, start=walk.start
        )  # fmt: skip
    records: list[Record] = [
        rw.FirstPassage(),
        rw.LastVisit((1.0, 2.0)),
        rw.Moments(),
        rw.Maximum("y"),
        rw.Displacement(1),
    ]
    records += [rw.TimeIn(rw.Ball((1.0, 1.0), 2.0) | rw.HalfSpace((1.0, 0.0), 3.0)), rw.DistinctSites()]
    records += [rw.Winding(0)] if name == "torus" else []
    made = rw.simulate(walk, 200, [3.0, 20.0], seed=2, method="paths", record=records)
    made.save(tmp_path / f"run{suffix}")
    read = rw.Ensemble.load(tmp_path / f"run{suffix}")
    assert read.walk == walk and read.table.window == made.table.window and list(read.records) == records
    np.testing.assert_array_equal(read.raw, made.raw)
    for record in records:
        np.testing.assert_array_equal(read[record].counts, made[record].counts)
    longer = read.extend(300)
    same(longer.tally, made.extend(300).tally)
    assert longer.walkers == 300


def test_a_file_of_walkers_that_saw_a_part_of_a_wide_channel(tmp_path: Path) -> None:
    walk = rw.LatticeWalk(**SIMPLE, domain=rw.Line() * rw.Interval(0, 300, ABSORB, ABSORB), start=(0.0, 150.0))
    made = rw.simulate(walk, 50, [3.0], seed=2, method="paths")
    made.save(tmp_path / "run.npz")
    read = rw.Ensemble.load(tmp_path / "run.npz")
    assert read.table.window == made.table.window == ((-3, 7), (146, 7))
    np.testing.assert_array_equal(read.raw, made.raw)


def test_damaged_files_of_runs_in_the_plane_are_refused(tmp_path: Path) -> None:
    walk = rw.LatticeWalk(**SIMPLE, domain=room().without(rw.Ball((1.0, 1.0), 0.6)))
    rw.simulate(walk, 200, [3.0], seed=2, method="paths", record=[rw.Moments()]).save(tmp_path / "run.npz")

    def refused(
        told: str, meta: Callable[[dict[str, Any]], object], arrays: Callable[[dict[str, Any]], object]
    ) -> None:
        path = tmp_path / "run.npz"
        whole = path.read_bytes()
        rewrite(path, meta, arrays, signed=True)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match=told):
            rw.Ensemble.load(path)
        path.write_bytes(whole)

    layout = rw.Ensemble.load(tmp_path / "run.npz").table.layout

    def into_obstacle(held: dict[str, Any]) -> None:
        held["raw"][0, np.flatnonzero(held["raw"][0])[0]] -= 1
        held["raw"][0, layout.index(3, 3)] += 1

    assert not layout.free[3, 3]
    refused("walkers in an obstacle", lambda meta: None, into_obstacle)
    refused("window = .*must be", lambda meta: meta.update(window=[[0, 5]]), lambda held: None)
    refused("does not hold the sites", lambda meta: meta.update(window=[[0, 4], [0, 5]]), lambda held: None)
    refused("is no record", lambda meta: meta.update(records=[["Winding", {"axis": 0}]]), lambda held: None)
    refused("survivors", lambda meta: None, lambda held: held["record0"].__setitem__((0, 0, 0), 3))


def test_the_number_of_distinct_sites_in_space_is_that_of_dvoretzky_and_erdos() -> None:
    """(1 - F) n + 4 (1 - F)² (3/2π)^(3/2) √n + O(1), with Pólya's F = 0.340537."""
    step, record = 1 / 6, rw.DistinctSites()
    space = rw.LatticeWalk(right=step, left=step, up=step, down=step, front=step, back=step, dx=1.0, dt=1.0)
    run = rw.simulate(space, 1000, [400], seed=5, record=[record])
    expected = 0.659463 * 400 + 0.659463**2 * 4 * (3 / (2 * math.pi)) ** 1.5 * math.sqrt(400)
    assert abs(run[record].mean(400).value - expected) < 4 * run[record].mean(400).error + 1.5
