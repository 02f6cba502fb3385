"""Walkers without walls, whose places are numbers along the axes: jumps on lines and rings, and records on more sites than can
be counted."""

from __future__ import annotations

import math
import pickle
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import randwalk as rw
from randwalk.kernels import cpu
from randwalk.kernels.packing import packing
from randwalk.run import free, plan, windows
from randwalk.run.task import Task

SPACE = dict.fromkeys(("right", "left", "up", "down", "front", "back"), 1.0 / 6.0)
MICRO, NANO = 1e-6, 1e-9
P = 1e-6  # false alarms of a test


def simple(**more: object) -> rw.LatticeWalk:
    return rw.LatticeWalk(**SPACE, dx=MICRO, dt=NANO, **more)  # type: ignore[arg-type]


# ---------------------------------------------------------------- displacements in one number


@pytest.mark.parametrize("digits", [32, 64])
@pytest.mark.parametrize("axes", [1, 2, 3, 4])
def test_displacements_are_packed_and_unpacked(axes: int, digits: int) -> None:
    bits, most, strides = packing(axes, digits)
    assert most * sum(strides) < 1 << (digits - 1)
    ends = np.array(np.meshgrid(*[[-most, -most + 1, -1, 0, 1, most - 1, most]] * axes)).reshape(axes, -1)
    packed = np.dot(strides, ends).astype(f"int{digits}")
    numbers = np.full(ends.shape, 7, dtype=np.int64)
    cpu.unpack(packed, bits, numbers)
    np.testing.assert_array_equal(numbers, ends + 7)
    assert not packed.any()


# ---------------------------------------------------------------- the sites that walkers need


def counted(run: rw.Ensemble) -> np.ndarray:
    """The walkers on each cell of the window of a run, by their places."""
    layout, x = run.table.layout, run[rw.Positions()].x
    cells = [layout.index(*np.rint(now / MICRO).astype(int).T) for now in x]
    return np.array([np.bincount(cell, minlength=layout.cells) for cell in cells])


@pytest.mark.parametrize("leak", [None, 0.9], ids=["as guessed", "a guess too narrow"])
def test_batches_are_counted_on_the_sites_they_need(monkeypatch: pytest.MonkeyPatch, leak: float | None) -> None:
    """A small part of the window, from which the run makes all of it; the starts are part of it, too."""
    if leak is not None:
        monkeypatch.setattr(windows.window, "Windows", partial(windows.window.Windows, leak=leak))
    start = rw.Point(0.0) * rw.Point(0.0) * rw.Atoms([0.0, 60 * MICRO], [0.5, 0.5])
    walk, records = simple(start=start), [rw.Positions(), rw.Displacement("z")]
    task = Task(walk, steps=(200,), seed=1, method="paths", records=tuple(records))
    parts = [*task.stream(range(1500)), *task.stream(range(1500, 2000))]
    whole = task.run(2000)
    assert all(part.raw.size < whole.raw.size / (5 if leak is None else 1) for part in parts)
    assert parts[0].table.window != parts[1].table.window and parts[0].raw.sum() == 1500
    run = rw.Ensemble(task, parts[0] + parts[1])
    np.testing.assert_array_equal(run.raw, whole.raw)
    np.testing.assert_array_equal(run.raw, counted(run))
    assert run[records[1]].counts.shape == whole.records[records[1]].counts.shape  # type: ignore[union-attr]
    again = pickle.loads(pickle.dumps(run))
    assert again.tally.raw.size == run.tally.raw.size < run.raw.size
    np.testing.assert_array_equal(again.raw, run.raw)


def test_several_times_are_counted_on_the_window_of_the_run(tmp_path: Path) -> None:
    run = rw.simulate(simple(), 300, np.array([3, 90]) * NANO, seed=1, method="paths", record=[rw.Positions()])
    assert run.tally.raw.shape == run.raw.shape
    np.testing.assert_array_equal(run.raw, counted(run))
    once = rw.simulate(simple(), 300, [90 * NANO], seed=1, method="paths", out=tmp_path / "once.npz")
    np.testing.assert_array_equal(once.raw[0], run.raw[1])
    held = rw.Ensemble.load(tmp_path / "once.npz")
    np.testing.assert_array_equal(held.extend(400).raw, once.extend(400).raw)


# ---------------------------------------------------------------- more sites than can be counted


RECORDS = [rw.Moments(), rw.Displacement(0), rw.Displacement(2), rw.Positions(), rw.FirstPassage()]


def test_trajectories_at_every_step_take_no_counts() -> None:
    """Whole paths in space, of which counts of sites at every time would take 13 GB: each step is one site along one axis, and
    the places are those of a run that counts."""
    steps = np.arange(101)
    paths = rw.trajectories(simple(), 6, steps * NANO, seed=3).x
    moved = np.abs(np.diff(paths, axis=0)) / MICRO
    np.testing.assert_allclose(moved.sum(axis=-1), 1.0, rtol=1e-12)
    record = rw.Positions()
    counted = rw.simulate(simple(), 6, [20 * NANO], seed=3, method="paths", record=[record])
    assert counted.counted
    np.testing.assert_array_equal(paths[20], counted[record].x[0])


@pytest.mark.parametrize(
    "start",
    [(0.0, 0.0, 0.0), rw.Point(MICRO) * rw.Uniform(-2 * MICRO, 2 * MICRO) * rw.Point(0.0)],
    ids=["point", "spread"],
)
def test_records_do_without_counts(monkeypatch: pytest.MonkeyPatch, start: object) -> None:
    """The same walkers, whether they are counted by site or not; in pieces of 511 steps, and in parts."""
    walk, times = simple(start=start), np.array([5, 811, 1000]) * NANO
    counted = rw.simulate(walk, 400, times, seed=3, method="paths", record=RECORDS)
    for module in (free, plan):
        monkeypatch.setattr(module, "MOST_CELLS", 1000)
    bare = rw.simulate(walk, range(150), times, seed=3, method="paths", record=RECORDS).extend(400)
    assert counted.counted and not bare.counted and bare.walkers == 400
    np.testing.assert_array_equal(bare[RECORDS[3]].x, counted[RECORDS[3]].x)
    for name in ("alive", "first", "second", "fourth"):
        np.testing.assert_array_equal(getattr(bare[RECORDS[0]], name), getattr(counted[RECORDS[0]], name))
    for record in RECORDS[1:3]:
        one, other = bare[record], counted[record]
        np.testing.assert_array_equal(one.counts[:, other.first - one.first :][:, : other.values.size], other.counts)
        assert one.counts.sum() == other.counts.sum()
    assert (bare.survival(times).value == 1.0).all() and (bare.gone == 0).all() and not bare.leaked.any()
    with pytest.raises(
        ValueError, match=r"were not counted on .* sites, which are too many: ask the records, Moments\(\), Disp"
    ):
        _ = bare.counts
    with pytest.raises(ValueError, match="not counted"):
        bare.density(times[0])
    assert (
        "100 % alive" in repr(bare) and bare._repr_html_().count("<td>—</td>") == 6
    )  # means and variances of three times


def test_a_long_walk_in_space_costs_the_walking_alone(tmp_path: Path) -> None:
    """20 000 steps, for which a window would have 4·10⁹ sites. E|S_n|² = n dx², and E S_x⁴ = (n/3 + n(n-1)/3) dx⁴."""
    walk, n, walkers = simple(), 20_000, 3000
    record, along = rw.Moments(), rw.Displacement("z")
    assert list(rw.explain(walk, walkers, [n * NANO], record=[record]).seconds) == ["paths"]
    run = rw.simulate(walk, walkers, [n * NANO], seed=5, record=[record, along])
    assert abs(run[record].mean_square(n * NANO).z(n * MICRO**2)) < 5.0
    fourth = run[along].expect(lambda z: (z / MICRO) ** 4, n * NANO)
    assert abs(fourth.z(n / 3 + n * (n - 1) / 3)) < 5.0
    run.save(tmp_path / "long.npz")
    again = rw.Ensemble.load(tmp_path / "long.npz")
    assert again.extend(walkers + 10).walkers == walkers + 10 and not again.counted
    np.testing.assert_array_equal(again[along].counts, run[along].counts)


def test_too_many_sites_to_count_are_refused_with_a_remedy_that_works() -> None:
    walk, times = simple(), [20_000 * NANO]
    for method in ("auto", "paths"):
        with pytest.raises(ValueError, match=r"counted one by one: .*or record=\[Moments\(\)\]"):
            rw.simulate(walk, 10, times, method=method)
    rw.simulate(walk, 10, times, record=[rw.Moments()])
    with pytest.raises(ValueError, match="counted one by one"):
        rw.simulate(walk, 10, times, record=[rw.Maximum(0)])
    with pytest.raises(ValueError, match="counted one by one"):
        rw.explain(walk, 10, times)


def in_space(size: float, dt: float = NANO) -> rw.LatticeWalk:
    return rw.LatticeWalk(steps=simple().probabilities, dx=size, dt=dt)


def diffusing(size: float) -> rw.LatticeWalk:
    return rw.LatticeWalk.from_drift(drift=(0.0,) * 3, diffusion=1e-4, dx=size, times=[4000 * NANO])


def boxed(size: float) -> rw.LatticeWalk:
    side = rw.Interval(0.0, 500 * MICRO, rw.Reflecting(), rw.Reflecting())
    return rw.LatticeWalk(steps=simple().probabilities, dx=size, dt=NANO, domain=side**3, start=(250 * MICRO,) * 3)


@pytest.mark.parametrize(
    ("refused", "remedy", "tried"),
    [
        ([in_space(MICRO), in_space(10 * MICRO)], "take a larger dt, or shorter times", in_space(MICRO, 100 * NANO)),
        ([diffusing(0.1 * MICRO)], "take a larger dx, or shorter times", diffusing(5 * MICRO)),
        ([boxed(MICRO)], "take a larger dx", boxed(10 * MICRO)),
    ],
    ids=["given probabilities", "from a diffusion", "in a box"],
)
def test_where_sites_are_too_many_the_remedy_gives_fewer(
    refused: list[rw.LatticeWalk], remedy: str, tried: rw.LatticeWalk
) -> None:
    """Given probabilities without walls lead as many sites away whatever dx is."""
    record = rw.DistinctSites()
    for walk, asked in product(refused, (record, rw.Maximum(0))):
        with pytest.raises(ValueError, match=f"counted one by one: {remedy}"):
            rw.simulate(walk, 10, [4000 * NANO], record=[asked])
    run = rw.simulate(tried, 10, [4000 * NANO], seed=1, record=[record])
    assert run[record].counts.sum() == 10


# ---------------------------------------------------------------- jumps


def products() -> dict[str, rw.LatticeWalk]:
    ring, line = rw.Ring(0.0, 0.9 * MICRO), rw.Line()
    slope: dict[str, Any] = {"drift": (2e1, -1e1), "diffusion": (5e-6, 4e-6), "dx": 0.1 * MICRO, "times": [20 * NANO]}
    made = slope | {"start": (0.2 * MICRO, 0.0)}
    return {
        "ring": rw.LatticeWalk(0.3, 0.4, sites=7, domain=rw.Ring(0.0, MICRO), dt=NANO, start=0.3 * MICRO),
        "two sites": rw.LatticeWalk(0.3, 0.4, sites=2, domain=rw.Ring(0.0, MICRO), dt=NANO),
        "tube": rw.LatticeWalk.from_drift(domain=ring * line, **made),
        "torus": rw.LatticeWalk.from_drift(domain=ring**2, **made),
        "diagonals": rw.LatticeWalk(
            steps={(a, b): 0.25 for a in (1, -1) for b in (1, -1)}, dx=MICRO, dt=NANO, domain=line**2
        ),
        "spread": rw.LatticeWalk.from_drift(
            domain=ring * line, start=rw.Uniform(0.0, 0.9 * MICRO) * rw.Normal(0.0, 0.2 * MICRO), **slope
        ),
    }


@pytest.mark.parametrize("name", products())
def test_jumps_on_products_of_lines_and_rings_have_the_exact_law(name: str) -> None:
    walk = products()[name]
    times = np.array([3, 40]) * walk.dt
    run, law = rw.simulate(walk, 50_000, times, seed=2, method="jump"), rw.pde.exact_law(walk, times)
    assert rw.validate.compare(run, law, alpha=P).passed
    halves = [rw.simulate(walk, part, times, seed=2, method="jump") for part in (range(20_001), range(20_001, 50_000))]
    np.testing.assert_array_equal(halves[0].merge(halves[1]).counts, run.counts)


def test_jumps_count_the_turns_around_rings() -> None:
    """Displacements along a ring are those on the line, k dx of a sum of steps; there and back, the turns follow from them."""
    walk, records = products()["tube"], [rw.Moments(), rw.Displacement(0), rw.Winding("x"), rw.Positions()]
    n = 400
    run = rw.simulate(walk, 40_000, [n * walk.dt], seed=7, method="jump", record=records)
    up, down = (float(p((0.0, 0.0), 0.0)) for p in (walk.axis_steps or ())[0])
    mean, variance = n * (up - down), n * (up + down - (up - down) ** 2)
    moved = run[records[1]]
    assert abs(moved.mean(n * walk.dt).z(mean * walk.dx[0])) < 5.0
    assert abs(run[records[0]].mean(n * walk.dt)[0].z(mean * walk.dx[0])) < 5.0
    assert abs(moved.expect(lambda x: (x / walk.dx[0] - mean) ** 2, n * walk.dt).z(variance)) < 5.0
    counts, k = moved.counts[0], moved.first + np.arange(moved.counts.shape[1])
    turns = np.bincount(
        (2 + k) // 9 - run[records[2]].first, counts, run[records[2]].counts.shape[1]
    )  # from site 2 of 9
    np.testing.assert_array_equal(run[records[2]].counts[0], turns)
    x = run[records[3]].x[0, :, 0]
    assert x.min() >= 0.0 and x.max() < 0.9 * MICRO
    with pytest.raises(ValueError, match="recorded times only; take method='paths'"):
        rw.simulate(walk, 10, [walk.dt], method="jump", record=[rw.Maximum(0)])


def test_what_cannot_jump_says_why() -> None:
    wall, half = rw.Reflecting(), rw.Interval(0.0, math.inf, rw.Absorbing())
    walled = rw.LatticeWalk.from_drift(
        drift=0.0, diffusion=0.5, dx=0.1, domain=half * rw.Line(), start=(1.0, 0.0), dt=0.001
    )
    hole = rw.LatticeWalk.from_drift(drift=0.0, diffusion=0.5, dx=0.1, dt=0.001, start=(1.0, 0.0),
                                     domain=(rw.Line() ** 2).without(rw.Ball((0.0, 0.0), 0.5), wall))  # fmt: skip
    killed = rw.LatticeWalk(0.3, 0.3, sites=5, domain=rw.Ring(0.0, 1.0), killing=0.5)
    for walk, reason in (
        (walled, "has walls"), (hole, "has walls"), (killed, "killed at the rate 0.5"),
        (rw.LatticeWalk(lambda t: 0.3 / (1.0 + t), 0.3, dx=1.0), "change from place to place or with time"),
        (simple(), r"the probability of the step \(1, 1, 1\) is 0 and not 0\.00462963"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=f"method = 'jump' cannot do this run: .*{reason}.*; take method='paths'"):
            rw.simulate(walk, 10, [walk.dt], method="jump")
        rw.simulate(walk, 10, [walk.dt], method="paths")


def test_auto_chooses_what_it_chose_before_rings_could_jump() -> None:
    torus, line = products()["torus"], rw.LatticeWalk.from_drift((0.5, 0.0), 0.5, dx=0.5)
    assert "jump" not in rw.explain(torus, range(100), [torus.dt]).seconds
    assert rw.explain(line, range(100), [900 * line.dt]).method == "jump"
