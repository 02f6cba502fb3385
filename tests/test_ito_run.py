"""Runs of Itô walks: bits against a naive twin and any partition, answers against closed forms, and what is refused.

z-tests allow 4.5 standard errors: a false alarm once in 150 000 of them; seeds are fixed.
"""

from __future__ import annotations

import itertools
import math
import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

import randwalk as rw
from randwalk.run.bins import Bins
from randwalk.run.ito_task import ItoTask

from . import naive_ito

LIMIT = 4.5
SPIRAL = rw.ItoWalk(lambda x, y: (-x - y, x - y), ((0.5, 0.2), (0.2, 0.4)), dt=0.05, start=(1.0, 0.0))
BROWNIAN = rw.ItoWalk(0.0, 0.4, dt=0.1)  # numbers other than 0 and 1 are parameters of kernels: others share its kernel
WELL = rw.ItoWalk(lambda x: x - x**3, 0.25, dt=0.05, start=rw.Uniform(-1.5, 1.5))


def test_paths_are_those_of_the_naive_walk() -> None:
    paths = rw.trajectories(SPIRAL, range(40_000, 40_003), [0.0, 0.05, 0.5], seed=7)
    assert SPIRAL.noise_numbers is not None
    assert np.allclose(SPIRAL.noise_numbers, np.linalg.cholesky(2.0 * np.array([[0.5, 0.2], [0.2, 0.4]])), rtol=1e-14)
    (a, _), (b, c) = SPIRAL.noise_numbers.tolist()
    for place, walker in enumerate(range(40_000, 40_003)):
        there = naive_ito.euler(
            (1.0, 0.0), lambda x, t: (-x[0] + -1.0 * x[1], x[0] + -1.0 * x[1]), lambda x, t: ((a, 0.0), (b, c)), 0.05, 10,
            walker, 7,
        )  # fmt: skip
        assert tuple(paths.x[2, place]) == there
        assert tuple(paths.x[0, place]) == (1.0, 0.0)


def test_starts_are_those_of_the_naive_walk() -> None:
    walk = rw.ItoWalk((0.0, 0.0), 0.5, dt=0.1, domain=rw.Line() ** 2, start=rw.Normal(1.0, 2.0) * rw.Uniform(-1.0, 3.0))
    begun = rw.trajectories(walk, 3, [0.0], seed=5).x[0]
    for walker in range(3):
        assert begun[walker, 0] == naive_ito.start_normal(walker, 0, 1.0, 2.0, 5)
        assert begun[walker, 1] == naive_ito.start_uniform(walker, 1, -1.0, 3.0, 5)


def test_laws_of_starts() -> None:
    atoms = rw.Atoms([(0.0, 1.0), (2.0, -1.0)], [0.25, 0.75])
    walk = rw.ItoWalk((0.0, 0.0), 0.5, dt=0.1, domain=rw.Line() ** 2, start=atoms)
    begun = rw.trajectories(walk, 40_000, [0.0], seed=1).x[0]
    share = np.mean(begun[:, 0] == 0.0)
    assert abs(share - 0.25) < LIMIT * math.sqrt(0.25 * 0.75 / 40_000)
    assert ((begun == (0.0, 1.0)).all(axis=1) | (begun == (2.0, -1.0)).all(axis=1)).all()
    for start, law in ((rw.Normal(1.0, 2.0), stats.norm(1.0, 2.0)), (rw.Uniform(-1.0, 3.0), stats.uniform(-1.0, 4.0))):
        line = rw.ItoWalk(0.0, 0.5, dt=0.1, start=start)
        x = rw.trajectories(line, 40_000, [0.0], seed=2).x[0]
        assert stats.kstest(x, law.cdf).pvalue > 1e-5


def test_any_partition_gives_the_same_counts_and_sums() -> None:
    records = (rw.FirstPassage(), rw.Average(rw.expression("cos(x)")))
    walk = rw.ItoWalk(-1.2, 0.5, dt=0.02, killing=0.3, start=1.0, domain=rw.Interval(0.0, math.inf, rw.Absorbing()))
    task = ItoTask.of(walk, walk.steps([0.5, 1.0]), 3, None, records)
    whole = task.run(50_000)
    for cuts in ((0, 17, 30_000, 50_000), (0, 49_999, 50_000)):
        parts = [task.run(range(a, b)) for a, b in itertools.pairwise(cuts)]
        added: Any = sum(parts[::-1])
        assert added.parts == (range(50_000),)
        assert (added.raw == whole.raw).all() and (added.gone == whole.gone).all()
        assert added.places == whole.places
        assert (added.records[records[0]].counts == whole.records[records[0]].counts).all()
        assert added.records[records[1]].sums == whole.records[records[1]].sums
    threaded = rw.simulate(walk, 50_000, [0.5, 1.0], seed=3, record=records, threads=2)
    assert (threaded.tally.raw == whole.raw).all() and threaded.tally.places == whole.places


def test_extend_resume_and_merge_keep_every_bit() -> None:
    whole = rw.simulate(WELL, 3000, [0.5, 1.0], seed=4, record=[rw.FirstPassage()])
    first = rw.simulate(WELL, 1000, [0.5, 1.0], seed=4, record=[rw.FirstPassage()])
    assert (first.extend(3000).tally.raw == whole.tally.raw).all()
    rest = rw.simulate(WELL, range(1000, 3000), [0.5, 1.0], seed=4, record=[rw.FirstPassage()])
    assert (rest.merge(first).tally.raw == whole.tally.raw).all()
    early = rw.simulate(WELL, 3000, [0.5], seed=4, bins=whole.bins.edges[0])
    later = early.resume([1.0])
    assert (later.counts == whole.counts).all()
    with pytest.raises(ValueError, match="differ in bins"):
        first.merge(rw.simulate(WELL, range(1000, 2000), [0.5, 1.0], seed=4, bins=3, record=[rw.FirstPassage()]))
    copy = pickle.loads(pickle.dumps(whole))
    assert (copy.counts == whole.counts).all() and copy.walk == whole.walk


def test_an_ensemble_answers_as_a_law() -> None:
    run = rw.simulate(BROWNIAN, 40_000, [1.0, 2.0], seed=5, bins=np.linspace(-4.0, 4.0, 33))
    law = stats.norm(0.0, math.sqrt(1.6))
    edges = [-4.0, -1.0, 0.0, 4.0]
    assert np.abs(run.mass(edges, 2.0).z(np.diff(law.cdf(edges)))).max() < LIMIT
    assert np.abs(run.mass([-math.inf, 0.0, math.inf], 2.0).z(0.5)).max() < LIMIT
    assert abs(run.cdf(1.0, 2.0).z(law.cdf(1.0))) < LIMIT and float(run.cdf(math.inf, 2.0)) == 1.0
    centre = float(run.pdf(0.125, 2.0).z((law.cdf(0.25) - law.cdf(0.0)) / 0.25))
    assert abs(centre) < LIMIT and np.isnan(run.pdf(5.0, 2.0).value)
    assert np.abs(run.mean([1.0, 2.0]).z(0.0)).max() < LIMIT
    assert np.abs(run.variance([1.0, 2.0]).z([0.8, 1.6])).max() < LIMIT
    assert run.survival([1.0, 2.0]).value.tolist() == [1.0, 1.0]
    assert run.counts.sum() + run.outside.sum() == 80_000
    assert abs(run.to_scipy(1.0).mean() - float(run.mean(1.0))) < 0.01
    data = run.to_xarray()
    assert data["density"].shape == (2, 32) and data.attrs == {}
    with pytest.raises(rw.NoAnswer, match=r"nearest edge is 0\.25"):
        run.mass([0.2, 1.0], 1.0)
    with pytest.raises(rw.NoAnswer, match="Average"):
        run.expect(np.cos, 1.0)
    with pytest.raises(rw.NoAnswer, match="was not recorded"):
        run.mean(1.5)


def test_the_error_of_an_average_that_hardly_varies() -> None:
    """1 + 1e-9 x is known 1e9 times as well as x."""
    x, near = rw.Average(rw.expression("x")), rw.Average(rw.expression("1 + 1e-9*x"))
    run = rw.simulate(BROWNIAN, range(1000, 2000), [1.0], seed=5, record=[x, near])
    run = run.merge(rw.simulate(BROWNIAN, 1000, [1.0], seed=5, record=[x, near]))
    assert run[near].mean(1.0).error == pytest.approx(1e-9 * run[x].mean(1.0).error, rel=1e-6)


@pytest.mark.parametrize("unit", [1.0, 1e-6, 1e6])
def test_the_variance_error_and_units(unit: float) -> None:
    """x in µm and t in ns: the same numbers in other units."""
    walk = rw.ItoWalk(0.0, 0.5 * unit**2 * 1e9, dt=1e-10, start=unit)
    run = rw.simulate(walk, 20_000, [1e-9], seed=8)
    assert abs(run.mean(1e-9).z(unit)) < LIMIT and abs(run.variance(1e-9).z(unit**2)) < LIMIT
    assert abs(run.variance(1e-9).error / (unit**2 * math.sqrt(2.0 / 20_000)) - 1.0) < 0.05


def test_the_plane_and_its_marginals() -> None:
    run = rw.simulate(SPIRAL.replaced(dt=0.01), 40_000, [1.0], seed=6)
    form = rw.pde.closed_form(rw.pde.limit(SPIRAL))
    step = 0.01  # the bias of Euler's step at dt = 0.01, of weak order 1 with a constant of about 1
    for axis in (0, 1):
        assert abs(float(run.mean(1.0)[axis]) - form.mean(1.0)[axis]) < LIMIT * run.mean(1.0).error[axis] + step
    difference = np.abs(run.variance(1.0).value - form.variance(1.0))
    assert (difference < LIMIT * run.variance(1.0).error + step).all()
    assert run.counts.shape == (1, 64, 64)
    along = run.marginal("y")
    assert (along.mass(run.bins.edges[1], 1.0).value == run.counts[0].sum(axis=0) / 40_000).all()
    ax = run.plot(1.0)
    assert ax.get_title() is not None


def test_many_dimensions_have_marginals() -> None:
    walk = rw.ItoWalk(rw.Linear(-np.eye(20)), 0.5, dt=0.02)
    run = rw.simulate(walk, 5000, [0.5], seed=2, bins=16)
    assert len(run.counts) == 20 and run.counts[7].shape == (1, 16)
    exact = 0.5 * (1.0 - 0.98**50) / (1.0 - 0.5 * 0.02)  # of Euler's steps
    assert abs(run.marginal(7).variance(0.5).z(exact)) < LIMIT
    known = np.isfinite(run.variance(0.5).value)
    assert (known == np.eye(20, dtype=bool)).all()
    with pytest.raises(rw.NoAnswer, match="ask marginal"):
        run.pdf((0.0,) * 20, 0.5)


def test_killing_and_passages() -> None:
    record = rw.FirstPassage()
    walk = rw.ItoWalk(0.3, 0.5, dt=0.02, killing=0.4, start=1.0, domain=rw.Interval(0.0, math.inf, rw.Absorbing()))
    run = rw.simulate(walk, 40_000, [1.0, 2.0], seed=3, record=[record])
    form = rw.pde.closed_form(rw.pde.limit(walk))
    for t in (0.5, 1.0, 2.0):
        assert abs(run.absorbed("left", t).z(form.absorbed("left", t))) < LIMIT
        assert abs(run.absorbed("killing", t).z(form.absorbed("killing", t))) < LIMIT
    total = run.gone.sum(axis=1) + run.counts.sum(axis=1) + run.outside
    assert (total == 40_000).all()
    assert (run[record].counts.sum(axis=0) == run.gone[-1]).all()


def test_bins() -> None:
    walk = BROWNIAN.replaced(domain=rw.Interval(-1.0, 2.0, rw.Reflecting(), rw.Reflecting()))
    run = rw.simulate(walk, 100, [1.0], bins=6)
    assert np.allclose(run.bins.edges[0], np.linspace(-1.0, 2.0, 7))
    free = rw.simulate(BROWNIAN, 100, [1.0])
    low, high = free.bins.edges[0][0], free.bins.edges[0][-1]
    assert len(free.bins.edges[0]) == 65 and -6.0 < low < -4.0 and 4.0 < high < 6.0
    assert Bins(((0.0, 1.0, 2.0),)).count(np.array([[-1.0, 0.0, 0.5, 1.0, 2.0, 2.5]])).tolist() == [1, 2, 2, 1]
    for bins, said in (([1.0, 0.5], "increase"), (0, "at least 1"), ("x", "number of bins"), ([1.0], "two finite")):
        with pytest.raises((ValueError, TypeError), match=said):
            rw.simulate(walk, 100, [1.0], bins=bins)
    with pytest.raises(ValueError, match="each of the 2 axes"):
        rw.simulate(SPIRAL, 100, [0.5], bins=[0.0, 1.0, 2.0])
    with pytest.raises(ValueError, match="are more than"):
        rw.simulate(SPIRAL, 100, [0.5], bins=100_000)


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="of walks on a lattice"):
        rw.simulate(WELL, 100, [0.5], record=[rw.Maximum()])
    with pytest.raises(ValueError, match="are followed"):
        rw.simulate(WELL, 100, [0.5], method="jump")
    with pytest.raises(ValueError, match=r"take t = 0\.5"):
        rw.simulate(WELL, 100, [0.51])
    lattice = rw.LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0)
    with pytest.raises(ValueError, match="on its sites"):
        rw.simulate(lattice, 100, [1.0], bins=3)  # type: ignore[call-overload]
    with pytest.raises(ValueError, match=r"expect\(f, t\)"):
        rw.simulate(lattice, 100, [1.0], record=[rw.Average(1.0)])
    with pytest.raises(ValueError, match=r"walker \d+ is at .* take a smaller dt"):
        rw.simulate(WELL.replaced(dt=0.5, start=3.0), 100, [20.0])
    for rate in ("where(x > 8, -1.0, 0.1)", "sqrt(8 - x)"):  # wrong where walkers come, and not where it is sampled
        killed = rw.ItoWalk(3.0, noise=0.1, dt=0.01, killing=rw.expression(rate))
        with pytest.raises(ValueError, match=r"walker \d+ is at .* the killing rate it met"):
            rw.simulate(killed, 2000, [4.0], seed=1)
    with pytest.raises(MemoryError, match="take walkers ≤"):
        rw.trajectories(WELL, 10**12, [0.5])


def test_interrupted_runs_keep_what_was_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    from randwalk.run import ito_task

    task_run, calls = ito_task.ItoTask._counted, []

    def counted(self: ItoTask, batch: range, moves: object, keys: object) -> object:
        calls.append(batch)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return task_run(self, batch, moves, keys)  # type: ignore[arg-type]

    monkeypatch.setattr(ito_task.ItoTask, "_counted", counted)
    monkeypatch.setattr(ito_task, "BATCH", 500)
    with pytest.raises(rw.Interrupted, match="500 walkers finished") as caught:
        rw.simulate(WELL, 1500, [0.5], seed=4, threads=1)
    monkeypatch.undo()
    whole = rw.simulate(WELL, 1500, [0.5], seed=4)
    assert (caught.value.ensemble.extend(1500).tally.raw == whole.tally.raw).all()


def test_explain_and_plots() -> None:
    assert rw.explain(WELL, 10**6, [1.0]).method == "paths"
    assert rw.explain(WELL, 10**6, [1.0]).seconds["paths"] > 0.0
    paths = rw.trajectories(SPIRAL, 4, np.arange(11) * 0.05, seed=1)
    assert paths.x.shape == (11, 4, 2) and paths.plot().lines
    run = rw.simulate(WELL, 2000, [1.0], seed=1)
    assert run.plot(1.0).containers and "ItoEnsemble(2,000 walkers" in repr(run)
    assert "<table>" in run._repr_html_()


def test_counts_of_different_runs_do_not_add() -> None:
    task = ItoTask.of(WELL, (1,), 1, [-1.0, 0.0, 1.0], ())
    counts = task.run(10)
    with pytest.raises(ValueError, match="would count twice"):
        counts + task.run(range(5, 20))
    for other in (replace(task, seed=2), replace(task, steps=(2,)), replace(task, walk=SPIRAL.replaced(dt=0.05))):
        if other.walk.dimension == 1:
            with pytest.raises(ValueError, match="do not add"):
                counts + other.run(range(10, 20))
