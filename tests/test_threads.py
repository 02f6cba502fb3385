"""Threads change nothing: several callers at once, forked processes, other processors, compilers that meet."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

import randwalk as rw
from randwalk.checkpoint import Checkpoint
from randwalk.jit import pools
from randwalk.kernels.cpu import BLOCK
from randwalk.run import paths, threads
from randwalk.run.counts import Counts
from randwalk.run.host import Host

from .test_stream import same

WALK = rw.LatticeWalk(0.3, 0.4, sites=40, domain=rw.Interval(0, 40, rw.Absorbing(), rw.Reflecting()), start=12.3)
LINE = rw.LatticeWalk(0.3, 0.5, dx=1.0)
METHODS = (("paths", WALK), ("occupation", WALK), ("paths", LINE), ("jump", LINE))


def counts(number: int) -> bytes:
    method, walk = METHODS[number % len(METHODS)]
    return rw.simulate(walk, 30_000, [200.0], seed=number, method=method, threads=2).counts.tobytes()


def test_several_callers_at_once() -> None:
    alone = [counts(i) for i in range(8)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(counts, range(8))) == alone


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_goes_on() -> None:
    before = counts(0)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map_async(counts, range(4)).get(timeout=120) == [before, *(counts(i) for i in (1, 2, 3))]


def test_threads_are_shared_among_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "available", lambda: 5)
    with threads.share(3) as first, threads.share(None) as second, threads.share(None) as third:
        assert (first, second, third) == (3, 2, 1)
    with threads.share(None) as all_free:
        assert all_free == 5


@pytest.mark.parametrize("name", threads.LIMITS)
def test_workers_of_joblib_and_dask_are_not_crowded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "1")
    assert threads.available() == 1
    monkeypatch.setenv(name, "auto")
    assert threads.available() >= 1


CODE = """
import hashlib, sys, randwalk as rw
walk = rw.LatticeWalk(0.3, 0.4, sites=30, domain=rw.Interval(0, 30, rw.Reflecting(), rw.Absorbing()), start=12.3)
line = rw.LatticeWalk(0.3, 0.5, dx=1.0)
record = [rw.FirstPassage()]
runs = [(walk, "paths", 3000, []), (walk, "paths", 3000, record), (line, "paths", 3000, []), (line, "jump", 3000, []),
        (walk, "occupation", 10**12, []), (walk, "occupation", 10**12, record)]
for w, method, walkers, record in runs[: int(sys.argv[1])]:
    e = rw.simulate(w, walkers, [10.0, 130.0], seed=5, method=method, record=record)
    print(hashlib.sha256(e.counts.tobytes() + b"".join(r.counts.tobytes() for r in e.records.values())).hexdigest())
"""


def printed(cache: Path, runs: int = 6, **environment: str) -> subprocess.Popen[str]:
    settings = {**os.environ, "RANDWALK_CACHE_DIR": str(cache), **environment}
    return subprocess.Popen([sys.executable, "-c", CODE, str(runs)], env=settings, stdout=subprocess.PIPE, text=True)


def test_same_bits_without_vectors_and_two_compilers_at_once(tmp_path: Path) -> None:
    """Compiled for the plainest x86 (or Arm) processor, two processes filling one cache directory together, of which
    one stops after one run; and for few lanes, on which the walkers of the first three runs go."""
    here = printed(Path(os.environ.get("RANDWALK_CACHE_DIR", tmp_path / "here"))).communicate()[0].split()
    plain = [printed(tmp_path, runs, NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="") for runs in (6, 1)]
    told = [process.communicate()[0] for process in (*plain, printed(tmp_path / "narrow", 3, NUMBA_ENABLE_AVX="0"))]
    assert len(here) == 6
    assert [hashes.split() for hashes in told] == [here, here[:1], here[:3]]


def test_compiling_is_said_once_and_only_when_it_happens(tmp_path: Path) -> None:
    code = (
        "import randwalk as rw; "
        "[rw.simulate(rw.LatticeWalk(0.5, q, dx=1.0, dt=1.0), 10, [5.0], method='jump') for q in (0.5, 0.3)]"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "RANDWALK_CACHE_DIR": str(tmp_path)},
            capture_output=True, text=True, check=True,
        ).stderr.splitlines()
        for _ in range(2)
    ]  # fmt: skip
    assert [line.startswith("randwalk: compiling kernels") for line in said[0]] == [True] and said[1] == []


def test_functions_of_others_are_compiled_as_ever() -> None:
    """Those that `exec` made have no module."""
    scope: dict[str, Any] = {}
    exec("def f(x):\n    return x + 1", scope)
    scope["f"].__module__ = None
    assert numba.njit(scope["f"])(1) == 2


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    process = subprocess.run(
        [sys.executable, "-c", "from randwalk.jit.disk import cache_place as c; print(c()[0])"],
        env={**os.environ, "RANDWALK_CACHE_DIR": str(blocked)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert process.stdout == "None\n"


def test_counting_is_the_histogram() -> None:
    rng = np.random.default_rng(3)
    values, minus = rng.integers(-5, 30, 1000).astype(np.int32), rng.integers(0, 4, 1000).astype(np.int32)
    wanted = np.bincount(np.clip(values + 2, 0, 19), minlength=20)
    assert np.array_equal(Host().histogram(values, 20, 2), wanted)
    kept = (values >= 1) & (values <= 25)
    wanted = np.bincount(np.clip(values - minus, 0, 19)[kept], minlength=20)
    assert np.array_equal(Host().histogram(values, 20, 0, minus, (1, 25)), wanted)
    wanted = np.bincount(np.clip(values + 1, 0, 19)[kept], minlength=20)
    assert np.array_equal(Host().histogram(values, 20, 1, live=(1, 25)), wanted)


def test_an_interrupt_between_two_batches_ends_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C may come while counts are added: what threads have begun is given up then, not finished."""

    def pressed(self: Checkpoint, counts: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoint, "keep", pressed)
    before = threading.active_count()
    walk = rw.LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0)
    with pytest.raises(rw.Interrupted) as stopped:
        rw.simulate(walk, 10**12, [1000.0], method="paths", threads=2)
    assert stopped.value.ensemble.walkers > 0
    assert threading.active_count() == before


@pytest.mark.parametrize("counting", [True, False])
def test_batches_that_are_finished_are_kept(counting: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C comes while counts of the first batch are added, or while this thread waits for it: the later ones are kept. The
    run goes on with those that are missing, to the same bits."""
    real, others, pressed = paths._Walkers.run, threading.Semaphore(0), list[bool]()
    add, result = Counts.__add__, Future.result

    def run(self: Any) -> Any:
        counts = real(self)
        if not pressed and counts.parts[0].start:
            others.release()
        return counts

    def press(then: Any) -> Any:
        def pressing(self: Any, *given: Any) -> Any:
            if not pressed and threading.current_thread() is threading.main_thread():
                for _ in range(4):
                    assert others.acquire(timeout=60.0)
                pressed.append(True)
                raise KeyboardInterrupt
            return then(self, *given)

        return pressing

    monkeypatch.setattr(paths._Walkers, "run", run)
    monkeypatch.setattr(paths, "FOLLOWED_WORK", 1)  # batches of 1024 walkers
    monkeypatch.setattr(paths, "QUICK_WORK", 1)
    monkeypatch.setattr(*((Counts, "__add__", press(add)) if counting else (Future, "result", press(result))))
    with pytest.raises(rw.Interrupted) as stopped:
        rw.simulate(WALK, 1024 * 12, [200.0], seed=3, method="paths", threads=2)
    kept = stopped.value.ensemble
    assert 4 * 1024 <= kept.walkers < 1024 * 12
    same(kept.extend(range(1024 * 12)), rw.simulate(WALK, 1024 * 12, [200.0], seed=3, method="paths"))


def test_after_ctrl_c_nobody_waits_for_threads_at_work() -> None:
    """Nor does the main thread for one that compiles what it has asked for; others compile themselves."""
    end, begun = threading.Event(), time.monotonic()

    def works() -> str:
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        end.wait(60.0)
        return threading.current_thread().name

    with pytest.raises(KeyboardInterrupt), pools.threads(2) as pool:
        pool.submit(end.wait, 60.0)
        raise KeyboardInterrupt
    if os.name == "posix":
        with pytest.raises(KeyboardInterrupt):
            pools.apart(works)
    assert time.monotonic() - begun < 30.0 and pools.left()
    end.set()
    assert pools.apart(lambda: threading.current_thread().name).startswith(pools.NAME)
    with ThreadPoolExecutor(1, "other") as others:
        assert others.submit(pools.apart, lambda: threading.current_thread().name).result().startswith("other")


def test_a_thread_that_compiles_is_not_waited_for() -> None:
    """It hears of the end once it has compiled (here: slept), and then ends."""
    host, compiled, heard = Host(2), threading.Event(), threading.Event()

    def work(batch: range) -> range:
        if batch.start:
            compiled.wait(30.0)
            if host.ended():
                heard.set()
        return batch

    batches: Any = host.batches(range(4 * BLOCK), BLOCK, 1, 0, work)
    assert next(batches)[0].start == 0
    begun = time.monotonic()
    batches.close()
    assert time.monotonic() - begun < 5.0 and not heard.is_set()
    compiled.set()
    assert heard.wait(10.0)


INTERRUPTED = """
import atexit, os, signal, threading, time
from randwalk.jit.pools import apart, left
atexit.register(print, "ended well")
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    apart(lambda: time.sleep(600.0))
except KeyboardInterrupt:
    print("heard", left())
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_script_does_not_wait_at_its_end_for_a_thread_that_compiles() -> None:
    """What the script does at its end is done, and its status is its own."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=True, timeout=120.0
    )
    assert done.stdout.split("\n")[:2] == ["heard True", "ended well"]


def test_a_pool_is_an_executor() -> None:
    with pools.Pool(3) as pool:
        assert list(pool.map(abs, range(-50, 0))) == list(range(50, 0, -1))
        with pytest.raises(ZeroDivisionError):
            pool.submit(lambda: 1 / 0).result()
        waits = [pool.submit(time.sleep, 0.2) for _ in range(9)]
        pool.shutdown(cancel_futures=True)
    assert any(job.cancelled() for job in waits) and all(job.done() for job in waits)
    with pytest.raises(RuntimeError, match="has been shut down"):
        pool.submit(abs, 1)
