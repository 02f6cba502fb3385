"""Runs that are kept in a file while they go on: what is there is whole, the same call goes on from it to the same result, and
another run is refused."""

from __future__ import annotations

import multiprocessing
import os
import platform
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import randwalk as rw
from randwalk import checkpoint
from randwalk.run import ito_task, paths, ranges

from .test_stream import same

TRAP = rw.LatticeWalk(
    0.3, 0.4, sites=100, domain=rw.Interval(0, 100, rw.Reflecting(), rw.Absorbing()), start=90.0, dt=1.0
)
WALKERS = 40_000
GIVEN: dict[str, Any] = {"seed": 5, "method": "paths", "record": [rw.FirstPassage()]}


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint after every batch or range, of some hundred walkers."""
    monkeypatch.setattr(checkpoint, "EVERY", 0.0)
    monkeypatch.setattr(checkpoint, "SHARE", 0.0)
    monkeypatch.setattr(paths, "BATCH", 1 << 10)
    monkeypatch.setattr(paths, "LEAST_BATCH", 1 << 10)
    monkeypatch.setattr(paths, "LARGE_BATCH", 1 << 10)
    monkeypatch.setattr(ito_task, "BATCH", 1 << 10)
    monkeypatch.setattr(ranges, "SHORTEST", 1e-3)
    monkeypatch.setattr(ranges, "LONGEST", 2e-3)


def run(walkers: int | range = WALKERS, **given: Any) -> rw.Ensemble:
    return rw.simulate(TRAP, walkers, [100.0, 200.0], **{**GIVEN, **given})


@pytest.fixture(scope="module")
def alone() -> rw.Ensemble:
    return run()


@pytest.mark.quick
def test_a_run_goes_on_from_its_file(tmp_path: Path, alone: rw.Ensemble) -> None:
    file = tmp_path / "run.npz"
    same(run(10_000, out=file), run(10_000))
    same(run(out=file), alone)
    same(rw.Ensemble.load(file), alone)
    before = file.stat().st_mtime_ns
    same(run(out=str(file)), alone)
    assert file.stat().st_mtime_ns == before  # nothing was left to do
    assert os.listdir(tmp_path) == ["run.npz"]


def test_what_is_in_the_file_is_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of ranges that were finished out of order, too."""
    file = tmp_path / "run.npz"
    gaps = run(range(5_000, 10_000)).merge(run(range(20_000, 30_000)))
    gaps.save(file)
    ran: list[int] = []
    stream = rw.run.task.Task.stream

    def counted(self: Any, walkers: range, *others: Any) -> Any:
        ran.append(len(walkers))
        return stream(self, walkers, *others)

    monkeypatch.setattr(rw.run.task.Task, "stream", counted)
    made = run(out=file)
    assert sum(ran) == WALKERS - 15_000
    monkeypatch.undo()
    same(made, run())


def test_extending_and_resuming(tmp_path: Path, alone: rw.Ensemble) -> None:
    first, file = run(10_000), tmp_path / "run.npz"
    same(first.extend(20_000, out=file), run(20_000))
    same(first.extend(WALKERS, out=file), alone)
    same(rw.Ensemble.load(file).extend(range(WALKERS + 10)), run(WALKERS + 10))
    with pytest.raises(ValueError, match=r"walkers = range\(0, 100\): the ensemble holds them all"):
        alone.extend(range(100))
    with pytest.raises(ValueError, match=r"out = .*run.npz: holds another run, with steps"):
        alone.resume([300.0], out=file)
    later = tmp_path / "later.npz"
    same(alone.resume([300.0], out=later), rw.Ensemble.load(later))


@pytest.mark.quick
def test_another_run_is_refused(tmp_path: Path, alone: rw.Ensemble) -> None:
    file = tmp_path / "run.npz"
    alone.save(file)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"seed": 4}, "with seed = 5 and not 4"),
        ({"method": "occupation"}, "with method = paths and not occupation"),
        ({"record": []}, r"which records \[FirstPassage\(\)\] and not \[\]"),
        ({"walkers": 100}, r"walkers 0 … 39,999 where 0 … 99 are asked for"),
        ({"walkers": range(100, 100_000)}, r"walkers 0 … 39,999 where 100 … 99,999 are asked for"),
    ]
    for given, message in cases:
        with pytest.raises(ValueError, match=rf"out = .*run.npz: holds .*{message}.*; give another name, or remove"):
            run(**{**given, "out": file})
    (tmp_path / "junk.npz").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"junk.npz is not a readable .npz file"):
        run(out=tmp_path / "junk.npz")
    same(rw.Ensemble.load(file), alone)


@pytest.mark.quick
def test_what_cannot_be_written_is_refused_before_the_run(tmp_path: Path) -> None:
    huge = 10**15
    for out, message in [("run.txt", "must end in .npz or .nc"), (tmp_path / "none" / "run.npz", "there is no folder")]:
        with pytest.raises(ValueError, match=message):
            run(huge, out=out)
    with pytest.raises(ValueError, match=r"an ensemble with Positions\(\) is not saved"):
        run(huge, out=tmp_path / "run.npz", record=[rw.Positions()])
    with pytest.raises(TypeError, match="out = 3: must be the name of a file"):
        run(huge, out=3)


def test_an_occupation_run_is_kept_whole(tmp_path: Path) -> None:
    given: Any = {"method": "occupation", "out": tmp_path / "run.npz"}
    whole = run(10**6, **given)
    same(run(10**6, **given), whole)
    with pytest.raises(ValueError, match="holds walkers 0 … 999,999 where 0 … 1,999,999 are asked for"):
        run(2 * 10**6, **given)
    assert whole.extend(2 * 10**6, out=tmp_path / "run.npz").parts == (range(10**6), range(10**6, 2 * 10**6))


def test_walkers_in_continuous_space(tmp_path: Path) -> None:
    walk = rw.ItoWalk(drift=0.0, diffusion=0.5, dt=0.01)
    first = rw.simulate(walk, 3_000, [0.5], seed=2, out=tmp_path / "run.npz")
    whole = rw.simulate(walk, 9_000, [0.5], seed=2, out=tmp_path / "run.npz")
    alone = rw.simulate(walk, 9_000, [0.5], seed=2)
    assert first.walkers == 3_000 and (whole.tally.raw == alone.tally.raw).all()
    assert whole.mean(0.5).value == alone.mean(0.5).value and whole.parts == (range(9_000),)


def test_ten_dimensions(tmp_path: Path) -> None:
    """Whose cells are too many to spread out."""
    walk = rw.ItoWalk((-1.0,) * 10, 0.5, dt=0.01, start=(0.0,) * 10, domain=rw.Line() ** 10)
    made = rw.simulate(walk, 500, [0.1], seed=2, out=tmp_path / "run.nc")
    assert (rw.ItoEnsemble.load(tmp_path / "run.nc").tally.raw == made.tally.raw).all()
    with pytest.raises(rw.NoAnswer, match="in 10 dimensions every coordinate is counted by itself"):
        made.pdf((0.0,) * 10)


@pytest.mark.skipif(os.name != "posix", reason="links as POSIX has them")
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), MemoryError("no room to pack it")])
def test_a_file_that_cannot_be_written_at_last_loses_no_walkers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def save(self: rw.Ensemble, path: Path) -> None:
        raise error

    monkeypatch.setattr(checkpoint, "EVERY", 1e9)
    monkeypatch.setattr(rw.Ensemble, "save", save)
    with pytest.raises(type(error)) as caught:
        run(5000, out=tmp_path / "run.nc")
    same(caught.value.ensemble, run(5000))  # type: ignore[attr-defined]


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    link, file = tmp_path / "run.npz", tmp_path / "scratch" / "data.npz"
    link.symlink_to(file)
    run(1_000, out=link)
    same(run(2_000, out=link), rw.Ensemble.load(file))
    assert link.is_symlink() and os.listdir(file.parent) == ["data.npz"]


def test_temporary_files_of_the_killed_are_removed(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-S", "-c", ""])
    process.wait()
    (tmp_path / f".run.{platform.node()}.{process.pid}.npz").write_bytes(b"half a file")
    mine = tmp_path / f".other.{os.getpid()}.npz"
    mine.write_bytes(b"")
    run(1_000, out=tmp_path / "run.npz")
    assert sorted(os.listdir(tmp_path)) == [mine.name, "run.npz"]


# ---------------------------------------------------------------- killed


def _child(file: Path, ready: Any, executor: bool) -> None:
    ready.set()
    if executor:
        with ThreadPoolExecutor(2) as pool:
            run(out=file, executor=pool)
    else:
        run(out=file)


def killed_and_continued(folder: Path, kills: int, seed: int, alone: rw.Ensemble) -> int:
    """Run in other processes that are killed at random moments, until it is finished; how often there was part of it in the
    file. After each kill what is in the file is a whole ensemble, part of the run."""
    random, context, partial = np.random.default_rng(seed), multiprocessing.get_context("fork"), 0
    run(100)  # compiled
    for number in range(kills):
        file = folder / f"run{number}.npz"
        for _ in range(2):
            ready = context.Event()
            child = context.Process(target=_child, args=(file, ready, number % 2 == 1))
            child.start()
            ready.wait()
            time.sleep(float(random.uniform(0.0, 0.3)))
            assert child.pid is not None
            os.kill(child.pid, signal.SIGKILL)
            child.join()
            if file.exists():
                held = rw.Ensemble.load(file)
                partial += held.walkers < WALKERS
                same(held, run(held.walkers))
        same(run(out=file), alone)
        assert [left.name for left in folder.iterdir() if left.name.startswith(f".run{number}.")] == []
    return partial


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_killed_and_continued(tmp_path: Path, alone: rw.Ensemble) -> None:
    killed_and_continued(tmp_path, 3, 1, alone)


@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_killed_at_a_hundred_moments(tmp_path: Path, alone: rw.Ensemble) -> None:
    """Two kills each of 50 runs, a minute or two: a file that is half written, walkers that are lost or counted twice."""
    assert killed_and_continued(tmp_path, 50, 2, alone) > 30
