"""A run as a value: a task makes its tables once, is sent to other processes as its declaration, and its counts add."""

from __future__ import annotations

import itertools
import pickle
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from typing import Any

import numpy as np
import pytest

import randwalk as rw
from randwalk.run import windows
from randwalk.run.counts import Counts
from randwalk.run.host import Host
from randwalk.run.task import Task
from randwalk.tables.table import StepTable

from .test_stream import WALKS, same

TRAVELLING = rw.LatticeWalk(rw.expression("0.4 + 0.3*sin(x - 3*t)"), 0.2, dx=0.5, dt=0.01)


def test_a_task_is_its_declaration() -> None:
    task = Task(WALKS["mixed"](), (5, 40), 3, "paths", (rw.FirstPassage(), rw.Maximum()))
    whole = task.run(range(500))
    run = rw.simulate(
        task.walk, 500, np.array(task.steps) * task.walk.dt, seed=3, method="paths", record=list(task.records)
    )
    same(rw.Ensemble(task, whole), run)
    assert run.task == task
    declared = Task(TRAVELLING, (5, 40), 3, "paths")
    small = len(pickle.dumps(declared))
    declared.run(range(10))
    assert len(pickle.dumps(declared)) < 2 * small  # without its tables, which take 40 times as much
    assert pickle.loads(pickle.dumps(declared)) == declared


def test_parts_are_made_in_other_processes() -> None:
    task = Task(TRAVELLING, (5, 40), 3, "paths", (rw.Maximum(),))
    parts = [range(0, 40), range(40, 41), range(41, 100)]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        counts = list(pool.map(task.run, parts))
    total = counts[2] + counts[0] + counts[1]
    same(rw.Ensemble(task, total), rw.Ensemble(task, task.run(range(100))))


@pytest.mark.parametrize("method", ["paths", "occupation"])
def test_rows_are_made_once_a_run(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the batches, the ranges and the records; in pieces that begin at the same steps."""
    made: list[tuple[int, int]] = []
    rows = StepTable.rows

    def counted(self: StepTable, start: int, stop: int) -> object:
        made.append((start, stop))
        return rows(self, start, stop)

    monkeypatch.setattr(StepTable, "rows", counted)
    monkeypatch.setattr("randwalk.tables.table.CHUNK", 2000)
    task = Task(TRAVELLING, (30, 77), 3, method, (rw.FirstPassage(),))
    task.run(range(20))
    once = list(made)
    assert once and sorted(set(once)) == once and once[0][0] == 0 and once[-1][1] == 77
    assert all(one[1] == other[0] for one, other in itertools.pairwise(once))
    task.run(range(20, 60), Host(2))
    again = task.run(range(20))
    assert made == once
    monkeypatch.setattr(windows, "KEPT", 0)  # no room: the rows are made for every batch, and are the same rows
    without = Task(TRAVELLING, (30, 77), 3, method, (rw.FirstPassage(),))
    same(rw.Ensemble(task, again), rw.Ensemble(without, without.run(range(20))))
    assert sum(stop - start for start, stop in made[len(once) :]) == 77


def test_what_cannot_be_run_is_refused_where_it_is_declared() -> None:
    walk = WALKS["absorbing"]()
    with pytest.raises(ValueError, match=r"method = 'jump' cannot do this run: it needs constant probabilities"):
        Task(walk, (5,), 1, "jump")
    with pytest.raises(
        ValueError, match=r"method = 'occupation' cannot do this run: it keeps counts and FirstPassage\(\) only"
    ):
        Task(walk, (5,), 1, "occupation", (rw.Maximum(),))
    with pytest.raises(ValueError, match=r"method = 'auto': must be one of paths, occupation, jump"):
        Task(walk, (5,), 1, "auto")


def test_counts_that_do_not_belong_together_do_not_add() -> None:
    walk = WALKS["absorbing"]()
    counts = Task(walk, (5,), 1, "paths").run(range(10))
    for other, message in (
        (Task(walk, (6,), 1, "paths"), "different steps"),
        (Task(WALKS["mixed"](), (5,), 1, "paths"), "different walks"),
        (Task(walk, (5,), 1, "paths", (rw.Maximum(),)), "different records"),
    ):
        with pytest.raises(ValueError, match=message):
            counts + other.run(range(10, 20))
    with pytest.raises(ValueError, match="both ensembles hold walkers 5 … 9: they would count twice"):
        counts + Task(walk, (5,), 1, "paths").run(range(5, 10))
    with pytest.raises(TypeError):
        counts + 1  # type: ignore[operator]


def test_batches_come_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the fraction of the work that each is."""
    monkeypatch.setattr("randwalk.run.host.ALONE", 0)  # threads even for a run of this size
    task = Task(WALKS["ties"](), (5,), 1, "paths")
    fractions: list[float] = []
    parts = [counts.parts for counts in task.stream(range(40_000), Host(2), fractions.append)]
    assert len(parts) > 1 and sum(fractions) == pytest.approx(1.0, abs=1e-12)
    assert [part[0].start for part in parts] == [0, *(part[0].stop for part in parts[:-1])]


@pytest.mark.parametrize("method", ["paths", "occupation"])
def test_densities_make_no_rows(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether walkers may stay is noted when the rows are made; the ensemble keeps the table of the task."""
    run = rw.simulate(TRAVELLING, 100, [0.3, 0.77], seed=3, method=method)

    def refused(self: StepTable, start: int, stop: int) -> object:
        raise AssertionError("rows are made again")

    monkeypatch.setattr(StepTable, "rows", refused)
    np.testing.assert_array_equal(run.density(0.77).x, run.sites)  # p + q < 1: they may stay
    assert run.smoothing(0.3) == TRAVELLING.dx


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"walk": None}, "walk = None: must be a LatticeWalk"),
        ({"steps": ()}, r"steps = \(\): must be at least one"),
        ({"steps": (3, 2)}, r"steps = \(3, 2\): must be at least one, ≥ 0 and increasing"),
        ({"steps": (-1,)}, "≥ 0"),
        ({"steps": (2.5,)}, "must be whole numbers"),
        ({"steps": 5}, "must be whole numbers"),
        ({"seed": -1}, "seed = -1: must be a whole number"),
        ({"seed": 1.5}, "seed = 1.5"),
        ({"records": rw.Maximum()}, "give a list"),
        ({"records": (3,)}, "records = 3"),
        ({"records": (rw.Maximum(), rw.Maximum())}, "only once"),
    ],
)
def test_a_task_that_is_none_is_refused(change: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"walk": rw.LatticeWalk(0.5, 0.5, dx=1.0), "steps": (2,), "seed": 1, "method": "paths"}
    with pytest.raises((TypeError, ValueError), match=message):
        Task(**(given | change))


def test_a_task_takes_sequences_and_numbers_of_walkers() -> None:
    walk = rw.LatticeWalk(0.5, 0.5, dx=1.0)
    task = Task(walk, [np.int64(2), 5], np.int64(1), "paths", [rw.Maximum()])  # type: ignore[arg-type]
    assert task == Task(walk, (2, 5), 1, "paths", (rw.Maximum(),)) and hash(task)
    np.testing.assert_array_equal(task.run(9).raw, task.run(range(9)).raw)
    for walkers in (range(0), range(0, 10, 2), range(-3, 3), 0, 1.5, range(2**53, 2**53 + 1)):
        with pytest.raises((TypeError, ValueError), match="walkers = "):
            task.run(walkers)  # type: ignore[arg-type]


def test_counts_of_one_run_add_and_no_others() -> None:
    walk, both = rw.LatticeWalk(0.5, 0.5, dx=1.0), (rw.Maximum(), rw.FirstPassage())
    task = Task(walk, (2, 5), 1, "paths", both)
    parts = [task.run(range(i, i + 3)) for i in (6, 0, 3)]
    whole = task.run(range(9))
    total = sum(parts)
    assert isinstance(total, Counts) and total.parts == (range(9),)
    np.testing.assert_array_equal(total.raw, whole.raw)
    other_order = Task(walk, (2, 5), 1, "paths", both[::-1]).run(range(9, 12))
    assert (whole + other_order).records.keys() == set(both)
    with pytest.raises(ValueError, match="different seeds do not add: 1 and 2"):
        whole + Task(walk, (2, 5), 2, "paths", both).run(range(9, 12))
    plain = Task(walk, (2, 5), 1, "paths")
    for one, other in (("paths", "jump"), ("occupation", "paths"), ("paths", "occupation")):
        with pytest.raises(ValueError, match=f"different methods do not add: {one} and {other}"):
            replace(plain, method=one).run(3) + replace(plain, method=other).run(range(3, 5))
    with pytest.raises(TypeError):
        1 + whole
    with pytest.raises(ValueError, match="task and tally differ in seed: 2 and 1"):
        rw.Ensemble(replace(task, seed=2), whole)
