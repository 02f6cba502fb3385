"""Runs by occupation numbers on executors, in stretches of steps: the bits of one thread, a stretch that is lost with its worker
and made again, and a file from which they go on, here or there."""

from __future__ import annotations

import math
import os
import pickle
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import randwalk as rw
from randwalk import unfinished
from randwalk.run import executor, occupation, stretches

WALKERS, STEPS = 10**9, 400
HALF_LINE = rw.LatticeWalk(
    0.3, 0.4, dx=1.0, dt=1.0, start=20.0, domain=rw.Interval(0.0, math.inf, rw.Absorbing())
)  # the window grows
RECORDS = [rw.FirstPassage(), rw.Moments(), rw.Displacement()]
TIMES = [0.0, 100.0, 250.0, float(STEPS)]


def same(one: rw.Ensemble, other: rw.Ensemble) -> None:
    assert one.parts == other.parts and one.steps == other.steps
    assert np.array_equal(one.raw, other.raw) and list(one.records) == list(other.records)
    assert all(np.array_equal(one[record].counts, other[record].counts) for record in one.records)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stretches of 32 steps, in which there are two checkpoints."""
    monkeypatch.setattr(stretches.Stretches, "took", lambda *given: None)  # the pace is the predicted one
    monkeypatch.setattr(stretches, "SHORTEST", 32e-6)
    monkeypatch.setattr(rw.run.task.Task, "seconds", lambda self, walkers: STEPS * 1e-6)
    monkeypatch.setattr(occupation, "STRETCH", 16)


class Here:
    """An executor that does what is submitted at once; work and results travel as to another process and back. `before` and
    `after` are told of each stretch."""

    def __init__(
        self, before: Callable[[int], None] = lambda number: None, after: Callable[[int], None] = lambda number: None
    ):
        self.before, self.after = before, after
        self.stretches: list[tuple[int, int]] = []

    def submit(self, f: Callable[..., Any], *args: Any) -> Any:
        future: Future[Any] = Future()
        self.stretches.append((args[1].item.start, args[1].item.stop))
        number = len(self.stretches)
        try:
            self.before(number)
            result = pickle.dumps(f(*pickle.loads(pickle.dumps(args))))
            self.after(number)
            future.set_result(pickle.loads(result))
        except Lost as error:
            future.set_exception(error)
        return future


class Lost(Exception):
    """Of a worker."""


def at(numbers: set[int], error: BaseException) -> Callable[[int], None]:
    """Raises an error at these stretches."""

    def happens(number: int) -> None:
        if number in numbers:
            raise error

    return happens


def run(walkers: int | range = WALKERS, **given: Any) -> rw.Ensemble:
    return rw.simulate(HALF_LINE, walkers, TIMES, **{"seed": 5, "method": "occupation", "record": RECORDS, **given})


@pytest.fixture(scope="module")
def alone() -> rw.Ensemble:
    return run(threads=1)


@pytest.mark.quick
def test_stretches_give_the_bits_of_one_thread(alone: rw.Ensemble) -> None:
    """Of which two are lost with their workers, before and after their work, and made again."""
    here = Here(before=at({1, 3}, Lost()), after=at({6}, Lost()))
    same(run(executor=here), alone)
    assert here.stretches[:4] == [(0, 32), (0, 32), (32, 64), (32, 64)] and here.stretches[5] == here.stretches[6]
    assert len(here.stretches) == 13 + 3 and here.stretches[-1] == (384, 400)
    same(alone.extend(2 * WALKERS, executor=Here()), alone.extend(2 * WALKERS))


def test_parts_and_no_steps() -> None:
    halves = rw.simulate(HALF_LINE, range(50, 100), [0.0], seed=5, method="occupation")
    whole = halves.merge(rw.simulate(HALF_LINE, range(200, 300), [0.0], seed=5, method="occupation"))
    same(whole.extend(range(400), executor=Here()), whole.extend(range(400)))


@pytest.mark.parametrize("there", [True, False])
def test_a_run_goes_on_from_a_stretch(
    there: bool, tmp_path: Path, alone: rw.Ensemble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of which a worker has failed, by an executor or on this machine; and one that was stopped here goes on there."""
    monkeypatch.setattr(unfinished, "EVERY", 0.0)
    monkeypatch.setattr(unfinished, "SHARE", 0.0)
    file, midway = tmp_path / "run.npz", tmp_path / "run.unfinished.npz"
    failing = Here(before=at({5, 6, 7, 8}, Lost("power")))
    with pytest.raises(
        rw.RangeFailed, match=r"walkers 0 … 999999999, steps 128 … 160: lost 4 times .* Lost: power"
    ) as stop:
        run(out=file, executor=failing)
    assert stop.value.item.walkers == range(WALKERS) and stop.value.ensemble is None
    assert os.listdir(tmp_path) == [midway.name] and rw.Ensemble.load(midway).steps == (0, 100, 128)
    here = Here()
    same(run(out=file, executor=here if there else None), alone)
    assert here.stretches[:1] == ([(128, 160)] if there else [])
    assert os.listdir(tmp_path) == [file.name]
    same(rw.Ensemble.load(file), alone)


def test_ctrl_c_keeps_what_workers_have_of_a_stretch(
    tmp_path: Path, alone: rw.Ensemble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The half that is done of the stretch under way, which its worker hands over when the run is ended."""
    file, real, calls = tmp_path / "run.npz", occupation._stretch, iter(range(1, 100))

    def stretch(*given: Any) -> Any:
        if next(calls) == 9:
            raise KeyboardInterrupt  # a terminal sends it to processes, too
        return real(*given)

    class Pressed(Here):
        """Ctrl-C comes to this process, too."""

        def submit(self, f: Callable[..., Any], *args: Any) -> Any:
            future = super().submit(f, *args)
            if isinstance(future.result(), executor.Unfinished):
                first = iter([KeyboardInterrupt()])

                def done() -> bool:
                    for error in first:
                        raise error
                    return True

                future.done = done
            return future

    with monkeypatch.context() as patched:
        patched.setattr(occupation, "_stretch", stretch)
        with pytest.raises(
            rw.Interrupted, match=r"run\.unfinished\.npz has 1,000,000,000 up to step 116: the same call"
        ):
            run(out=file, executor=Pressed())
    here = Here()
    same(run(out=file, executor=here), alone)
    assert here.stretches[0] == (116, 148)


def test_a_function_without_a_module_travels_with_each_stretch() -> None:
    pytest.importorskip("cloudpickle")
    walk = rw.LatticeWalk(lambda x: 0.3 + 0.1 * float(x > 0.0), 0.4, dx=1.0, start=0.5)
    given: Any = {"seed": 2, "method": "occupation"}
    here = Here()
    made = rw.simulate(walk, 10**6, [50.0, 90.0], executor=here, **given)
    assert (made.raw == rw.simulate(walk, 10**6, [50.0, 90.0], **given).raw).all() and len(here.stretches) > 3


def test_an_error_names_walkers_and_steps(alone: rw.Ensemble, monkeypatch: pytest.MonkeyPatch) -> None:
    real = occupation._stretch

    def stretch(windows: Any, rows: Any, counts: Any, start: int, *given: Any) -> Any:
        if start == 64:
            raise ValueError("no such place")
        return real(windows, rows, counts, start, *given)

    monkeypatch.setattr(occupation, "_stretch", stretch)
    with pytest.raises(rw.RangeFailed, match=r"walkers 0 … 999999999, steps 64 … 96: ValueError: no such place"):
        run(executor=Here())
