"""Runs of one walk share what does not depend on the seed: with the results of walks that have run never before."""

from __future__ import annotations

import copy
import importlib
import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import randwalk as rw
from randwalk.model import kept
from randwalk.run import windows
from randwalk.run.task import Task
from randwalk.tables import table

A = rw.Absorbing()
MADE: dict[str, tuple[Callable[[], Any], list[float], tuple[Any, ...]]] = {
    "jump": (lambda: rw.LatticeWalk(0.5, 0.5, dx=1.0), [3.0, 40.0], ()),
    "paths": (lambda: rw.LatticeWalk(0.3, 0.6, dx=1.0), [3.0, 40.0], (rw.Maximum(), rw.FirstPassage())),
    "table": (
        lambda: rw.LatticeWalk(rw.expression("0.4 - 0.01*x"), 0.4, dx=1.0, domain=rw.Interval(-9, math.inf, A)),
        [3.0, 40.0],
        (rw.FirstPassage(), rw.Positions()),
    ),
    "p(x, t)": (lambda: rw.LatticeWalk(rw.expression("0.4 + 0.1*sin(x + t)"), 0.4, dx=1.0), [3.0, 40.0], ()),
    "plane": (
        lambda: rw.LatticeWalk(right=0.2, left=0.3, up=0.25, down=0.2, dx=1.0), [3.0, 40.0], (rw.Displacement(1),),
    ),
    "continuous": (
        lambda: rw.ItoWalk(drift=rw.expression("-x"), diffusion=0.5, dt=0.1), [0.3, 4.0], (rw.Positions(), rw.FirstPassage()),
    ),
}  # fmt: skip


def told(run: Any) -> list[Any]:
    """All that a run holds, as numbers and texts."""
    tally = run.tally
    records = [result.x if hasattr(result, "x") else result.counts for result in tally.records.values()]
    where = (tally.table.window, run.table.window) if isinstance(run, rw.Ensemble) else run.task.bins.edges
    return [
        tally.raw.tolist(),
        *(r.tolist() for r in records),
        where,
        run.seed,
        run.parts,
        run.times.tolist(),
        repr(run),
    ]


@pytest.mark.parametrize("name", MADE)
def test_runs_of_a_walk_are_those_of_walks_of_their_own(name: str) -> None:
    make, times, records = MADE[name]
    walk = make()
    asked: list[tuple[Any, int, list[float], list[Any]]] = [
        (walkers, seed, until, list(record))
        for walkers in (200, range(50, 90), 200)
        for until in (times, times[:1])
        for record in (records, ())
        for seed in (1, 2)
    ]
    for walkers, seed, until, record in asked:
        mine, other = (rw.simulate(w, walkers, until, seed=seed, record=record) for w in (walk, make()))
        assert told(mine) == told(other)
    assert 1 < len(walk._kept) <= kept.MOST


def test_a_window_that_was_made_wider_is_not_that_of_the_next_run() -> None:
    """A run of seed 1 needs a wider window than it guesses, and one of seed 2 does not: its counts are on the guessed one."""
    walk = rw.LatticeWalk(0.45, 0.45, dx=1.0)
    tables = Task.asked(walk, range(9), (400,), 1, "paths", (rw.Maximum(),), False).prepared.tables
    tables.guess = ((-50, 50),)  # of standard deviations of 19 sites
    first, second = (
        rw.simulate(walk, walkers, [400.0], seed=1, method="paths", record=[rw.Maximum()]) for walkers in (20_000, 9)
    )
    assert first.table.window[0][1] > second.table.window[0][1] == 101


def test_later_runs_make_no_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    walk, times = MADE["table"][0](), [40.0]
    first = rw.simulate(walk, 100, times, seed=1, method="paths")
    monkeypatch.setattr(rw.tables.table.StepTable, "rows", None)
    monkeypatch.setattr(windows, "window", None)
    rw.simulate(walk, 100, times, seed=2, method="paths")
    assert (rw.simulate(walk, 100, times, seed=1, method="paths").raw == first.raw).all()
    with pytest.raises(AttributeError, match="Windows"):
        rw.simulate(walk.with_start(1.0), 100, times, seed=1, method="paths")


LAWS: dict[str, Callable[[], rw.LatticeWalk]] = {
    "box": lambda: rw.LatticeWalk(
        right=0.2, left=0.3, up=0.25, down=0.2, dx=1.0, domain=rw.Interval(0, 5.5, A, rw.Reflecting()) ** 2, start=(2.0, 3.0)
    ),
    "half-line": lambda: rw.LatticeWalk(0.6, 0.3, dx=1.0, domain=rw.Interval(-1, math.inf, A), killing=0.01),
    "line": lambda: rw.LatticeWalk(0.3, 0.3, dx=1.0),
    "p(x, t)": MADE["p(x, t)"][0],
}  # fmt: skip


@pytest.mark.parametrize("name", LAWS)
def test_laws_of_a_walk_are_those_of_walks_of_their_own(name: str) -> None:
    walk = LAWS[name]()
    for times in ([40.0], [3.0, 300.0], [40.0]):  # walkers to the right leave the window of 40 steps after 300
        mine, other = (rw.pde.exact_law(w, times) for w in (walk, copy.copy(walk)))
        assert (mine.pmf == other.pmf).all()
        assert (mine.gone == other.gone).all()
        assert mine.table.window == other.table.window
    assert bool(walk._kept) == (name != "p(x, t)")


def test_laws_that_python_functions_make_are_not_kept() -> None:
    chances = {"p": 0.2}
    walk = rw.LatticeWalk(lambda x: chances["p"] + 0 * x, 0.1, dx=1.0, domain=rw.Interval(-9, 9, A, A))
    rw.pde.exact_law(walk, [3.0])
    assert not walk._kept


def test_what_is_large_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit, value in (("SMALL", 100), ("SMALL_CELLS", 100)):
        with monkeypatch.context() as patch:
            patch.setattr(table, limit, value)
            walk = MADE["p(x, t)"][0]()
            rw.simulate(walk, 100, [200.0], method="paths")
            assert not [what for what in walk._kept if isinstance(what, tuple)]
    rw.simulate(walk, 100, [200.0], method="paths")
    assert [what for what in walk._kept if isinstance(what, tuple)]


@pytest.mark.parametrize("name", MADE)
def test_copies_begin_with_nothing(name: str) -> None:
    make, times, records = MADE[name] if name != "continuous" else (continuous, [0.3], ())
    walk = make() if name in ("jump", "paths", "plane", "continuous") else rw.LatticeWalk(0.3, 0.4, dx=1.0, killing=0.1)
    before = pickle.dumps(copy.copy(walk))
    rw.simulate(walk, 50, times, record=list(records))
    for other in (copy.copy(walk), copy.deepcopy(walk), pickle.loads(pickle.dumps(walk))):
        assert "_kept" in vars(walk) and "_kept" not in vars(other) and other == walk
    assert b"Prepared" not in pickle.dumps(walk) and b"_kept" not in before


def continuous() -> rw.ItoWalk:
    return rw.ItoWalk(drift=rw.expression("-x"), diffusion=0.5, dt=0.1)


def test_the_oldest_goes_first() -> None:
    holder = rw.LatticeWalk(0.5, 0.5, dx=1.0)
    made: list[int] = []
    for number in (*range(kept.MOST + 1), *range(1, kept.MOST + 1), 0):
        assert holder.kept(number, lambda n=number: made.append(n) or n, lambda n: True) == number  # type: ignore[misc, func-returns-value]
    assert made == [*range(kept.MOST + 1), 0]


SCALE = 0.01


def test_a_function_that_reads_what_has_changed_is_refused_by_later_runs_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def right(x: float) -> float:
        return 0.4 - SCALE * float(f"{x}")  # opaque

    walk = rw.LatticeWalk(right, 0.4, dx=1.0, domain=rw.Interval(-9, 9, A, A))
    rw.simulate(walk, 10, [5.0], seed=1)
    monkeypatch.setitem(globals(), "SCALE", 0.02)
    with pytest.raises(ValueError, match="SCALE, which changed"):
        rw.simulate(walk, 10, [5.0], seed=2)


def test_what_functions_make_is_not_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """They may call a function of another module, known by its name, that reads what has changed."""
    (tmp_path / "rates_of_another.py").write_text("K = 0.1\n\ndef rate(x):\n    return K + 0.0 * x\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    rates = importlib.import_module("rates_of_another")
    walks = [
        rw.LatticeWalk(right, 0.4, dx=1.0, domain=rw.Interval(-9, 9, A, A))
        for right in (lambda x: rates.rate(x), lambda x: rates.rate(float(f"{x}")))  # traced, opaque
    ]
    first = [rw.simulate(walk, 1000, [20.0], seed=1, method="paths").raw for walk in walks]
    monkeypatch.setattr(rates, "K", 0.5)
    for walk, before in zip(walks, first, strict=True):
        again, own = (rw.simulate(w, 1000, [20.0], seed=1, method="paths").raw for w in (walk, copy.copy(walk)))
        assert (again == own).all() and not (again == before).all()
