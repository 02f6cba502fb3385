"""Any executor gives the bits of one thread: threads, processes, loky, Dask whose workers are killed and added, MPI. Few ranges
are under way, what is lost is submitted again, what fails keeps the rest."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import randwalk as rw
from randwalk import checkpoint
from randwalk.run import effort, executor, paths, ranges, shipping
from randwalk.run.devices import why_not_cuda
from randwalk.run.effort import Portions
from randwalk.run.executor import Done, Failed, work_on
from randwalk.run.ranges import Cut, missing
from randwalk.run.shipping import Shipped, _unpacked
from randwalk.run.task import Task
from randwalk.run.wanted import Wanted
from randwalk.workers import workers

from .test_stream import same

TRAP = rw.LatticeWalk(
    0.3, 0.4, sites=100, domain=rw.Interval(0, 100, rw.Reflecting(), rw.Absorbing()), start=90.0, dt=1.0
)
RECORD = (rw.FirstPassage(), rw.Maximum())
WALKERS = 50_000


@pytest.fixture(autouse=True)
def short_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ranges of some thousands of walkers, so that small runs have many."""
    monkeypatch.setattr(ranges, "SHORTEST", 1e-3)
    monkeypatch.setattr(ranges, "LONGEST", 1e-2)


def run(walkers: int | range = WALKERS, **given: Any) -> rw.Ensemble:
    return rw.simulate(TRAP, walkers, [100.0, 200.0], seed=5, method="paths", record=RECORD, **given)


@pytest.fixture(scope="module")
def alone() -> rw.Ensemble:
    return run(threads=1)


@dataclass
class Plain:
    """An executor of futures that have done, result and cancel alone, with `workers` threads; it counts what is under way, and
    does `before` each piece of work."""

    workers: int
    before: Callable[[int], None] = lambda number: None
    most: int = 0
    submitted: int = 0
    _under_way: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.pool = ThreadPoolExecutor(self.workers)

    def submit(self, f: Callable[..., Any], *args: Any) -> Any:
        with self._lock:
            self.submitted += 1
            self._under_way += 1
            self.most = max(self.most, self._under_way)
            number = self.submitted

        def work() -> Any:
            try:
                self.before(number)
                return f(*args)
            finally:
                with self._lock:
                    self._under_way -= 1

        return Few(self.pool.submit(work))


@dataclass(frozen=True)
class Told:
    """A future that says what it is told to."""

    done: Callable[[], bool]
    result: Callable[[], Any]

    def cancel(self) -> bool:
        return False


class Few:
    """A future of few methods."""

    def __init__(self, future: Future[Any]) -> None:
        self.done, self.result, self.cancel = future.done, future.result, future.cancel


# ---------------------------------------------------------------- ranges


@pytest.mark.quick
def test_ranges_cover_the_span_once_and_get_shorter_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    spans = [range(5, 1_000_000), range(2_000_000, 4_000_000)]
    cut = Cut(spans, seconds=1000.0)
    taken: list[range] = []
    while (part := cut.take(shares=10)) is not None:
        taken.append(part)
        cut.took(part, len(part) * 1000.0 / 2_999_995)
    assert missing(spans, taken) == [] and sum(map(len, taken)) == cut.walkers
    seconds = [len(part) * 1000.0 / cut.walkers for part in taken]
    assert max(seconds) < 61.0 and seconds[-1] < 3.0 and 20 < len(taken) < 200


def test_a_wrong_prediction_is_corrected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    cut = Cut([range(10**9)], seconds=10.0)  # which takes 10 000 s
    first = cut.take(shares=8)
    assert first is not None
    cut.took(first, len(first) * 1e-5)
    second = cut.take(shares=8)
    assert second is not None and len(second) * 1e-5 == pytest.approx(60.0, rel=0.01)


@pytest.mark.quick
def test_what_is_missing() -> None:
    assert missing([range(0, 100)], [range(40, 50), range(0, 10)]) == [range(10, 40), range(50, 100)]
    assert missing([range(0, 100)], [range(0, 200)]) == []
    assert missing([range(10, 20), range(30, 40)], [range(15, 35)]) == [range(10, 15), range(35, 40)]


# ---------------------------------------------------------------- the same bits


@pytest.mark.quick
def test_threads(alone: rw.Ensemble) -> None:
    with ThreadPoolExecutor(3) as pool:
        same(run(executor=pool), alone)
        same(run(10_000, executor=pool).extend(WALKERS, executor=pool), alone)
        later = rw.simulate(TRAP, WALKERS, [100.0], seed=5, method="paths", record=RECORD)
        same(later.resume([200.0], executor=pool), alone)


def test_few_are_under_way(alone: rw.Ensemble) -> None:
    """With futures of the plainest kind, one of two workers slow for a time."""
    plain = Plain(2, before=lambda number: time.sleep(0.03 if number % 2 else 0.01))
    same(run(executor=plain), alone)
    assert plain.submitted > 12 and plain.most <= 12


def test_a_slow_range_keeps_no_other_out_of_the_file(
    alone: rw.Ensemble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two workers one hangs with the second range until the other has done ten more."""
    for name in ("EVERY", "SHARE"):
        monkeypatch.setattr(checkpoint, name, 0.0)
    file, seen, held = tmp_path / "run.npz", threading.Event(), list[rw.Ensemble]()

    def before(number: int) -> None:
        if number == 2:
            seen.wait(60.0)
        if number == 12:
            held.append(rw.Ensemble.load(file))
            seen.set()

    same(run(executor=Plain(2, before), out=file), alone)
    same(rw.Ensemble.load(file), alone)
    first, *others = held[0].parts
    assert others and sum(map(len, others)) > len(first)


def test_an_occupation_run_is_one_sample() -> None:
    """Of which one stretch of steps is under way."""
    plain = Plain(2)
    given: Any = {"seed": 3, "method": "occupation", "record": [rw.FirstPassage()]}
    same(rw.simulate(TRAP, 10**9, [50.0], executor=plain, **given), rw.simulate(TRAP, 10**9, [50.0], **given))
    assert plain.most == 1


def test_walkers_in_continuous_space() -> None:
    walk = rw.ItoWalk(drift=0.0, diffusion=0.5, dt=0.01)
    wanted = rw.simulate(walk, 20_000, [0.5, 1.0], seed=2, record=[rw.Average(rw.expression("cos(x)"))])
    with ThreadPoolExecutor(2) as pool:
        made = rw.simulate(
            walk, 20_000, [0.5, 1.0], seed=2, record=[rw.Average(rw.expression("cos(x)"))], executor=pool
        )
    assert made.parts == wanted.parts and (made.tally.raw == wanted.tally.raw).all()
    assert made.mean(1.0).value == wanted.mean(1.0).value and made.variance(1.0).error == wanted.variance(1.0).error


def test_values_at_points(monkeypatch: pytest.MonkeyPatch) -> None:
    from randwalk.pde.values import sampling

    monkeypatch.setattr(sampling, "ALONE", 0.0)
    ball = (rw.Line() ** 3).inside(rw.Ball((0.0, 0.0, 0.0), 1.5), rw.Absorbing())
    brownian = rw.pde.FokkerPlanck(0.0, 0.6, domain=ball, killing=2.0)  # whose kernel tests of spheres have
    given: Any = {"source": 2.0, "boundary": 3.0, "walkers": 30_000, "seed": 4}
    alone = rw.pde.expectation(brownian, 0.0, (0.5, 0.0, 0.0), np.inf, **given)
    plain = Plain(2)
    shared = rw.pde.expectation(brownian, 0.0, (0.5, 0.0, 0.0), np.inf, executor=plain, **given)
    assert (shared.value, shared.error, shared.walkers) == (alone.value, alone.error, alone.walkers)
    assert plain.submitted > 3


def test_a_work_is_unpacked_once_and_what_it_shares_stays(alone: rw.Ensemble) -> None:
    """As in a worker of another process: its tables are made once, and the walk does not travel back."""
    task = Task(TRAP, (100, 200), 5, "paths", RECORD)
    sent = Shipped(Portions(task, 1, "cpu", None), Wanted())
    arrived = [pickle.loads(pickle.dumps(sent)) for _ in range(2)]
    _unpacked.cache_clear()
    results = [
        pickle.loads(pickle.dumps(work(pickle.loads(pickle.dumps(sent.sent(part))))))
        for work, part in zip(arrived, (range(20_000), range(20_000, WALKERS)), strict=True)
    ]
    assert _unpacked.cache_info().misses == 1 and _unpacked.cache_info().hits == 1
    counts = [sent.received(result) for result in results]
    assert all(each.table.walk is TRAP for each in counts)
    same(rw.Ensemble(task, counts[0] + counts[1]), alone)


# ---------------------------------------------------------------- losses and errors


class Lost(Exception):
    """Of a worker."""


def test_a_worker_of_another_version_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its kernels may give other bits."""
    sent = Shipped(Portions(Task(TRAP, (100,), 5, "paths", ()), 1, "cpu", None), Wanted())
    arrived, item = pickle.loads(pickle.dumps((sent, sent.sent(range(100)))))
    assert isinstance(work_on(arrived, item, 1), Done)
    monkeypatch.setattr(shipping, "__version__", "0.8.0")
    failed = work_on(arrived, item, 1)
    assert isinstance(failed, Failed) and "has randwalk 0.8.0" in failed.reason and rw.__version__ in failed.reason


@pytest.mark.quick
def test_what_is_lost_is_submitted_again(alone: rw.Ensemble) -> None:
    def lose(number: int) -> None:
        if number in (1, 4, 5, 9):
            raise Lost

    same(run(executor=Plain(2, before=lose)), alone)


def test_a_range_that_is_always_lost_is_named_and_the_rest_kept(alone: rw.Ensemble) -> None:
    class Unlucky(Plain):
        def submit(self, f: Callable[..., Any], *args: Any) -> Any:
            return super().submit(_lost if 20_000 in args[1].item else f, *args)

    with pytest.raises(rw.RangeFailed, match=r"walkers \d+ … \d+: lost 4 times by the executor, .* Lost") as caught:
        run(executor=Unlucky(2))
    kept, failed = caught.value.ensemble, caught.value.item
    assert 20_000 in failed and all(20_000 not in part for part in kept.parts)
    assert all(part.stop <= failed.start or part.start >= failed.stop for part in kept.parts)
    same(kept.extend(range(WALKERS)), alone)


def _lost(*args: Any) -> None:
    raise Lost


def test_an_error_names_its_range(monkeypatch: pytest.MonkeyPatch) -> None:
    called = Portions.__call__

    def broken(self: Portions, walkers: range, ended: Any) -> Any:
        if 30_000 in walkers:
            raise ValueError("walker 30000 is at nan")
        return called(self, walkers, ended)

    monkeypatch.setattr(effort.Portions, "__call__", broken)
    with pytest.raises(rw.RangeFailed, match=r"walkers \d+ … \d+: ValueError: walker 30000 is at nan") as caught:
        run(executor=Plain(2))
    assert 30_000 in caught.value.item and caught.value.ensemble.walkers >= caught.value.item.start


def test_a_function_makes_another_executor_where_one_breaks(alone: rw.Ensemble) -> None:
    made: list[ThreadPoolExecutor] = []

    def make() -> ThreadPoolExecutor:
        made.append(ThreadPoolExecutor(2))
        return made[-1]

    class Dies(Plain):
        def submit(self, f: Callable[..., Any], *args: Any) -> Any:
            if self.submitted > 5:
                raise RuntimeError("cannot schedule new futures after shutdown")
            return super().submit(f, *args)

    given = [Dies(2)]
    same(run(executor=lambda: given.pop() if given else make()), alone)
    assert len(made) == 1
    with pytest.raises(rw.RangeFailed, match=r"the executor takes no more work .* give a function that makes one"):
        run(executor=Dies(2))


@pytest.mark.parametrize("executor", [3, "dask", [1]])
def test_no_executor(executor: Any) -> None:
    message = r"executor = .*: must have submit\(f, \*args\)"
    with pytest.raises(TypeError, match=message):
        run(executor=executor)
    with pytest.raises(TypeError, match=message):  # also where the work is so little that none is needed
        rw.pde.expectation(rw.pde.FokkerPlanck(0.0, 0.5), 1.0, 0.0, 1.0, executor=executor)


@pytest.mark.parametrize(
    ("executor", "message"),
    [
        (
            SimpleNamespace(submit=lambda *work: 3),
            r"its submit\(f, \*args\) returns 3, which is no future: it has no done",
        ),
        (lambda: 3, r"executor = .*: makes 3, which has no submit"),
    ],
)
def test_no_futures(executor: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        run(executor=executor)


def test_bad_threads_are_refused_before_anything_is_sent() -> None:
    plain = Plain(1)
    with pytest.raises(ValueError, match="threads = 0: must be a whole number from 1"):
        run(executor=plain, threads=0)
    with pytest.raises(ValueError, match=r"backend = 'gpu': must be one of cpu, cuda, auto"):
        run(executor=plain, backend="gpu")
    assert plain.submitted == 0


@pytest.mark.skipif(why_not_cuda() is None, reason="there is a GPU")
def test_workers_without_a_gpu_are_told_at_once(alone: rw.Ensemble) -> None:
    """By the worker that goes ahead; what the message says works."""
    plain = Plain(2)
    with pytest.raises(rw.DeviceError, match=r"a worker of the executor, on .*cannot run here.*backend='auto'"):
        run(executor=plain, backend="cuda")
    assert plain.submitted == 1
    same(run(executor=plain, backend="auto"), alone)


# ---------------------------------------------------------------- Ctrl-C


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize("executor", [None, 2])
def test_ctrl_c_is_heard_within_a_second(executor: int | None) -> None:
    """In a run whose batches have paths of ten million steps; 3 s are allowed for a machine at work."""
    walk = rw.LatticeWalk(0.3, 0.4, sites=100, domain=rw.Interval(0, 100, rw.Reflecting(), rw.Reflecting()), start=9.0)
    rw.simulate(walk, 3000, [9.0], method="paths", threads=2)  # compiled
    pressed: list[float] = []

    def press() -> None:
        time.sleep(0.5)
        pressed.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    presses = threading.Thread(target=press)
    with pytest.raises(rw.Interrupted):
        presses.start()
        if executor is None:
            rw.simulate(walk, 10**6, [1e7 * walk.dt], method="paths", threads=2)
        with ThreadPoolExecutor(executor) as pool:
            rw.simulate(walk, 10**6, [1e7 * walk.dt], method="paths", executor=pool)
    presses.join()
    assert time.monotonic() - pressed[0] < 3.0


@pytest.mark.parametrize("travels", [False, True])
def test_workers_hand_over_the_part_that_they_have(
    alone: rw.Ensemble, monkeypatch: pytest.MonkeyPatch, travels: bool
) -> None:
    """Ctrl-C when a worker has finished the first batch of its range. The run goes on with the others."""
    finished, real = threading.Event(), Task.stream

    def stream(self: Task, walkers: range, machine: Any = None, advance: Any = lambda fraction: None) -> Any:
        for counts in real(self, walkers, machine, advance):
            yield counts
            finished.set()
            until = time.monotonic() + 20.0
            while not machine.ended() and time.monotonic() < until:
                time.sleep(0.01)

    def look(seconds: float) -> None:
        time.sleep(seconds)
        if finished.is_set() and not pressed:
            pressed.append(True)
            raise KeyboardInterrupt

    pressed: list[bool] = []
    monkeypatch.setattr(Task, "stream", stream)
    monkeypatch.setattr(paths, "FOLLOWED_WORK", 1)  # batches of 1024 walkers
    monkeypatch.setattr(ranges, "SHORTEST", 1.0)
    clock = SimpleNamespace(sleep=look, monotonic=time.monotonic, perf_counter=time.perf_counter)
    monkeypatch.setattr(executor, "time", clock)
    plain: Any = Travelling(1) if travels else Plain(1)
    with pytest.raises(rw.Interrupted) as stopped:
        run(executor=plain)
    kept = stopped.value.ensemble
    assert 0 < kept.walkers < WALKERS and kept.walkers % 1024 == 0 and plain.submitted == 1
    monkeypatch.undo()
    same(kept.extend(WALKERS), alone)


def test_a_worker_that_comes_late_knows_that_the_run_is_over() -> None:
    """It has not seen the run while it went on; one of another machine sees no file at all."""
    run, elsewhere = Wanted(), Wanted()
    late, there = pickle.loads(pickle.dumps(run)), pickle.loads(pickle.dumps(elsewhere))
    assert not pickle.loads(pickle.dumps(run)).ended()
    run.end()
    assert late.ended() and run.ended()
    os.unlink(elsewhere._path)
    assert not there.ended()
    elsewhere.renew()
    assert not there.ended()
    elsewhere.end()
    assert there.ended()


class Travelling(Plain):
    """Work and results are pickled, as on their way to another process and back."""

    def submit(self, f: Callable[..., Any], *args: Any) -> Any:
        return super().submit(lambda: pickle.loads(pickle.dumps(f(*pickle.loads(pickle.dumps(args))))))


def test_what_cannot_be_sent_is_told_once() -> None:
    """By the future, where another thread sends it. Of two functions the one that holds a lock is named, and what is told works:
    without the lock, cloudpickle sends it."""
    pytest.importorskip("cloudpickle")

    def declared(held: Any) -> rw.LatticeWalk:
        def holds(x: float) -> float:
            return 0.3 if held and x > 0.0 else 0.2

        return rw.LatticeWalk(right=lambda x: 0.3 if x > 0.0 else 0.2, left=holds, dx=1.0)

    for method in ("paths", "occupation"):
        plain = Travelling(1)
        told = r"left = holds: does not travel .* holds what cannot be sent \(cannot pickle .*lock"
        with pytest.raises(TypeError, match=told):
            rw.simulate(declared(threading.Lock()), 100, [10.0], method=method, executor=plain)
        assert plain.submitted == 1
    assert rw.simulate(declared("no lock"), 100, [10.0], method="paths", executor=Travelling(1)).walkers == 100


def test_a_function_that_has_changed_is_refused_before_anything_is_sent() -> None:
    rates = {"rate": 0.1}
    reads = eval("lambda x: rate + 0.0 * float(x > 0.0)", rates)
    walk = rw.LatticeWalk(right=reads, left=0.4, dx=1.0)
    rates["rate"] = 0.2
    plain = Plain(1)
    with pytest.raises(ValueError, match="reads rate, which changed after the walk was declared: declare it again"):
        rw.simulate(walk, 100, [10.0], method="paths", executor=plain)
    assert plain.submitted == 0
    again = rw.LatticeWalk(right=reads, left=0.4, dx=1.0)
    assert rw.simulate(again, 100, [10.0], method="paths", executor=plain).walkers == 100


# ---------------------------------------------------------------- engines


@dataclass
class Watched:
    """An executor of which something happens at the sixth piece of work: then its first worker has done some."""

    executor: Any
    happens: Callable[[], None]
    submitted: int = 0

    def submit(self, *work: Any) -> Any:
        self.submitted += 1
        if self.submitted == 6:
            self.happens()
        return self.executor.submit(*work)


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")
def test_a_process_that_is_killed(alone: rw.Ensemble) -> None:
    """A function, that of `--workers`, makes another pool after that."""
    pools: list[Any] = []

    def kill() -> None:
        os.kill(next(iter(pools[0]._processes)), signal.SIGKILL)

    with workers(1, None) as make:

        def watched() -> Any:
            pools.append(make())
            return Watched(pools[0], kill) if len(pools) == 1 else pools[-1]

        same(run(executor=watched), alone)
    assert len(pools) == 2


@pytest.mark.long
def test_loky(alone: rw.Ensemble) -> None:
    loky = pytest.importorskip("joblib.externals.loky")
    executor = loky.get_reusable_executor(max_workers=2)
    same(run(executor=executor), alone)
    executor.shutdown(wait=True)


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")
@pytest.mark.filterwarnings("ignore")
def test_dask_whose_worker_is_killed_and_one_is_added() -> None:
    """By SIGKILL in the middle, and found as `--dask` finds it."""
    distributed = pytest.importorskip("distributed")
    kind = {"threads_per_worker": 1, "processes": True, "dashboard_address": None, "silence_logs": 50}
    with (
        distributed.LocalCluster(n_workers=1, **kind) as cluster,
        workers(None, cluster.scheduler_address) as client,
    ):
        (process,) = client.run(os.getpid).values()

        def changes() -> None:
            cluster.scale(2)
            os.kill(process, signal.SIGKILL)

        watched = Watched(client, changes)
        same(run(4 * WALKERS, executor=watched), run(4 * WALKERS))
        assert watched.submitted > 8 and process not in client.run(os.getpid).values()


MPI = """
import sys, hashlib, randwalk as rw
from mpi4py.futures import MPIPoolExecutor
from randwalk.run import ranges
if __name__ == "__main__":
    ranges.SHORTEST = ranges.LONGEST = 0.01
    walk = rw.LatticeWalk(0.3, 0.4, sites=100, domain=rw.Interval(0, 100, rw.Reflecting(), rw.Absorbing()), start=90.0, dt=1.0)
    given = dict(seed=5, method="paths", record=[rw.FirstPassage()])
    with MPIPoolExecutor() as pool:
        made = rw.simulate(walk, 200_000, [200.0], executor=pool, **given)
    alone = rw.simulate(walk, 200_000, [200.0], **given)
    assert (made.raw == alone.raw).all() and made.parts == alone.parts
    print("the same")
"""


@pytest.mark.long
@pytest.mark.skipif(shutil.which("mpiexec") is None, reason="there is no MPI: apt-get install openmpi-bin")
def test_mpi(tmp_path: Path) -> None:
    """`mpiexec -n 4 python -m mpi4py.futures script.py`: one process cuts the run, three run it."""
    pytest.importorskip("mpi4py")
    script = tmp_path / "script.py"
    script.write_text(MPI)
    command = ["mpiexec", "--allow-run-as-root", "--oversubscribe", "-n", "4", sys.executable, "-m", "mpi4py.futures"]
    ran = subprocess.run(
        [*command, str(script)], capture_output=True, text=True, timeout=300, cwd=Path(__file__).parents[1], check=False
    )
    assert ran.returncode == 0 and ran.stdout.strip() == "the same", ran.stderr


def test_ctrl_c_that_a_worker_hands_over_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes as the result of a future while this process takes the parts of the others."""
    kept: list[Any] = []

    def keep(_: Any, counts: Any) -> None:
        kept.append(counts)
        if len(kept) == 2:
            raise KeyboardInterrupt

    def result() -> Any:
        raise KeyboardInterrupt

    class HandsOver:
        submitted = 0

        def submit(self, f: Callable[..., Any], *args: Any) -> Any:
            self.submitted += 1
            made, late = f(*args), self.submitted > 2
            handed = result if self.submitted == 3 else lambda: made
            return Told(lambda: len(kept) == 2 if late else True, handed)

    monkeypatch.setattr(checkpoint.Checkpoint, "keep", keep)
    with pytest.raises(rw.Interrupted) as caught:
        run(executor=HandsOver())
    assert caught.value.ensemble is not None
    assert caught.value.ensemble.walkers > kept[-1].walkers  # those of the futures after it, too
