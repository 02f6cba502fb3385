"""Runs by occupation numbers that are kept midway: killed or interrupted, they go on from a step to the same bits."""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import randwalk as rw
from randwalk import unfinished
from randwalk.run import occupation, stretches

WALKERS, STEPS = 10**9, 400
HALF_LINE = rw.LatticeWalk(
    0.3, 0.4, dx=1.0, dt=1.0, start=20.0, domain=rw.Interval(0.0, math.inf, rw.Absorbing())
)  # the window grows
RECORDS = [rw.FirstPassage(), rw.Moments(), rw.Displacement()]
TIMES = [0.0, 100.0, 250.0, float(STEPS)]


class Stop(Exception):
    pass


def same(one: rw.Ensemble, other: rw.Ensemble) -> None:
    assert one.parts == other.parts and one.steps == other.steps
    assert np.array_equal(one.raw, other.raw) and list(one.records) == list(other.records)
    assert all(np.array_equal(one[record].counts, other[record].counts) for record in one.records)


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint after every 16 steps."""
    monkeypatch.setattr(unfinished, "EVERY", 0.0)
    monkeypatch.setattr(unfinished, "SHARE", 0.0)
    monkeypatch.setattr(occupation, "STRETCH", 16)
    monkeypatch.setattr(stretches, "SHORTEST", 1e-4)
    monkeypatch.setattr(stretches, "LONGEST", 1e-4)


def run(walkers: int | range = WALKERS, **given: Any) -> rw.Ensemble:
    return rw.simulate(
        HALF_LINE, walkers, TIMES, **{"seed": 5, "method": "occupation", "record": RECORDS, "threads": 1, **given}
    )


@pytest.fixture(scope="module")
def whole() -> rw.Ensemble:
    return run()


def stopped_after(stretches: int, error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Raise an error in the stretch after so many."""
    made, real = iter(range(stretches)), occupation._stretch

    def stretch(*given: Any) -> Any:
        if next(made, None) is None:
            raise error
        return real(*given)

    monkeypatch.setattr(occupation, "_stretch", stretch)


@pytest.mark.quick
@pytest.mark.parametrize("stretches", [1, 7, 16, 24])
def test_a_run_goes_on_from_a_step(
    stretches: int, tmp_path: Path, whole: rw.Ensemble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the window has grown meanwhile, between recorded times and at one. What is kept is an ensemble of all walkers
    up to the step, as a run to that step gives it."""
    file, midway = tmp_path / "run.npz", tmp_path / "run.unfinished.npz"
    with monkeypatch.context() as patched:
        stopped_after(stretches, Stop(), patched)
        with pytest.raises(Stop):
            run(out=file)
    assert os.listdir(tmp_path) == [midway.name]
    held = rw.Ensemble.load(midway)
    now = held.steps[-1]
    assert 0 < now <= 16 * stretches and held.walkers == WALKERS
    short = rw.simulate(HALF_LINE, WALKERS, held.times, seed=5, method="occupation", record=RECORDS)
    assert np.array_equal(held.raw, short.tally.on(held.table).raw)
    assert all(np.array_equal(held[record].counts, short[record].counts) for record in RECORDS[:2])
    done: list[int] = []
    real = occupation._stretch

    def stretch(windows: Any, rows: Any, counts: Any, start: int, stop: int, *others: Any) -> Any:
        done.append(start)
        return real(windows, rows, counts, start, stop, *others)

    monkeypatch.setattr(occupation, "_stretch", stretch)
    same(run(out=file), whole)
    assert min(done) == now  # nothing is done twice
    assert os.listdir(tmp_path) == [file.name]
    same(rw.Ensemble.load(file), whole)


def test_ctrl_c_keeps_what_is_done(tmp_path: Path, whole: rw.Ensemble, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without waiting for the time of a checkpoint."""
    file = tmp_path / "run.npz"
    monkeypatch.setattr(unfinished, "EVERY", 1e9)
    with monkeypatch.context() as patched:
        stopped_after(9, KeyboardInterrupt(), patched)
        said = r"before any .*; .*run\.unfinished\.npz has 1,000,000,000 up to step 1\d\d: the same call goes on"
        with pytest.raises(rw.Interrupted, match=said) as interrupted:
            run(out=file)
    assert interrupted.value.ensemble is None
    same(run(out=file), whole)


def test_parts_are_kept_one_after_another(tmp_path: Path, whole: rw.Ensemble, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "run.npz"
    both = whole.extend(2 * WALKERS)
    with monkeypatch.context() as patched:
        stopped_after(6, Stop(), patched)
        with pytest.raises(Stop):
            whole.extend(2 * WALKERS, out=file)
    assert rw.Ensemble.load(tmp_path / "run.unfinished.npz").parts == (range(WALKERS, 2 * WALKERS),)
    same(whole.extend(2 * WALKERS, out=file), both)
    assert os.listdir(tmp_path) == [file.name]


def test_a_rest_of_another_run_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In words, before anything runs; what the words advise works."""
    file, midway = tmp_path / "run.npz", tmp_path / "run.unfinished.npz"
    with monkeypatch.context() as patched:
        stopped_after(3, Stop(), patched)
        with pytest.raises(Stop):
            run(out=file)
    kept = midway.read_bytes()
    cases: list[tuple[dict[str, Any], str]] = [
        ({"seed": 6}, "with seed = 5 and not 6"),
        ({"record": []}, "which records"),
        ({"walkers": 10}, "walkers 0 … 999,999,999, which are not to be run"),
    ]
    for given, message in cases:
        with pytest.raises(
            ValueError, match=rf"run\.unfinished\.npz: holds .*{message}.*; give another name, or remove the file"
        ):
            run(**{**given, "out": file})
    with pytest.raises(ValueError, match="holds another run, with steps"):
        rw.simulate(HALF_LINE, WALKERS, [20.0], seed=5, method="occupation", record=RECORDS, out=file)
    assert midway.read_bytes() == kept
    run(10, out=tmp_path / "other.npz")
    midway.unlink()
    run(10, out=file)


def test_a_plane_with_rings_and_killing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    walk = rw.LatticeWalk(
        right=0.2, left=0.3, up=0.25, down=0.2, killing=0.01, dx=1.0, dt=1.0,
        domain=rw.Ring(0.0, 12.0) * rw.Interval(0.0, 9.5, rw.Absorbing(), rw.Reflecting()), start=(3.0, 4.0),
    )  # fmt: skip
    given: Any = {"seed": 2, "method": "occupation", "record": [rw.FirstPassage()], "threads": 1}
    alone = rw.simulate(walk, 10**6, [50.0, 90.0], **given)
    with monkeypatch.context() as patched:
        stopped_after(4, Stop(), patched)
        with pytest.raises(Stop):
            rw.simulate(walk, 10**6, [50.0, 90.0], **given, out=tmp_path / "run.npz")
    same(rw.simulate(walk, 10**6, [50.0, 90.0], **given, out=tmp_path / "run.npz"), alone)


# ---------------------------------------------------------------- killed


def _child(file: Path, ready: Any, executor: bool) -> None:
    ready.set()
    if executor:
        with ThreadPoolExecutor(2) as pool:
            run(out=file, executor=pool)
    else:
        run(out=file)


def killed_and_continued(folder: Path, kills: int, seed: int, whole: rw.Ensemble) -> int:
    """Run in other processes that are killed at random moments, every other one by an executor, and then to its end; how often a
    part of it had been kept. What is kept is never half a file."""
    random, context, kept = np.random.default_rng(seed), multiprocessing.get_context("fork"), 0
    for number in range(kills):
        file = folder / f"run{number}.npz"
        midway = folder / f"run{number}.unfinished.npz"
        for _ in range(2):
            ready = context.Event()
            child = context.Process(target=_child, args=(file, ready, number % 2 == 1))
            child.start()
            ready.wait()
            time.sleep(float(random.uniform(0.0, 0.3)))
            assert child.pid is not None
            os.kill(child.pid, signal.SIGKILL)
            child.join()
            if midway.exists():
                kept += 1
                assert rw.Ensemble.load(midway).walkers == WALKERS
        same(run(out=file), whole)
        assert [left.name for left in folder.iterdir() if f"run{number}." in left.name] == [file.name]
    return kept


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_killed_and_continued(tmp_path: Path, whole: rw.Ensemble) -> None:
    killed_and_continued(tmp_path, 2, 1, whole)


@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_killed_at_a_hundred_moments(tmp_path: Path, whole: rw.Ensemble) -> None:
    """Two kills each of 50 runs, a minute: a file that is half written, steps that are lost or made twice."""
    assert killed_and_continued(tmp_path, 50, 2, whole) > 30
