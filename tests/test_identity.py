"""Which Python functions are one, and how walks made of them go to other processes and into files."""

from __future__ import annotations

import functools
import math
import multiprocessing
import pickle
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import randwalk as rw
from randwalk.model.coefficient import Function
from randwalk.model.coefficient.components import components
from randwalk.model.functions import check_travels, functions_in
from randwalk.run.ito_task import ItoTask
from randwalk.run.task import Task
from randwalk.store import check_savable

RATE = 2.0
TABLE = np.linspace(0.0, 1.0, 11)


def opaque(x: float) -> float:
    """A function of this module, which has no tree."""
    return -math.sin(x)


def bent(k: float, x: float) -> float:
    return k * math.sin(x)


class Pull:
    """A callable object."""

    def __init__(self, rate: float) -> None:
        self.rate = rate

    def __call__(self, x: float) -> float:
        return -self.rate * math.tanh(x)


def made(rate: float) -> Callable[[float], float]:
    return lambda x: -rate * math.tanh(x)


def raised(x: Any) -> Any:
    x += 1.0
    return x * 3.0


TRACED: dict[str, Callable[..., Any]] = {
    "affine": lambda x: 2 * (x - 1.0) - 3 * x,
    "powers": lambda x: x**2 - x**0.5 + 2.0**x + np.power(x, 3) - 1 / x,
    "in place": raised,
    "chosen": lambda x: np.where((x > 0) & ~(x >= 2), np.sin(x), np.clip(x, -0.5, 0.5)),
    "selected": lambda x: np.select([x < -1, x < 1], [-1.0, x], 1.0) + np.polyval([1.0, 2.0, 3.0], x),
    "a condition as a number": lambda x: 0.1 * (x > 0.3) + np.hypot(x, 2.0),
    "a number": lambda x: 0.25,
    "many operations": lambda x: functools.reduce(lambda a, k: a + np.sin(k * x), range(1, 400), x),
    "of time": lambda x, t: np.exp(-t) * x - np.maximum(x, t),
}


@pytest.mark.parametrize("name", TRACED)
def test_a_traced_function_travels_and_gives_the_same_bits(name: str) -> None:
    function = Function(TRACED[name])
    copy = pickle.loads(pickle.dumps(function))
    rng = np.random.default_rng(0)
    at = (rng.normal(size=4000), rng.uniform(size=4000))
    with np.errstate(all="ignore"):
        assert np.array_equal(copy(*at), function(*at), equal_nan=True)
    assert str(copy) == str(function)
    assert copy == function and hash(copy) == hash(function) and copy.tree == function.tree
    assert function.opaque is None and pickle.loads(pickle.dumps(copy)) == function


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (lambda x: -RATE * np.sin(x), lambda x: np.sin(x) * -RATE),  # by their trees
        (made(1.5), made(1.5)),
        (Pull(0.5), Pull(0.5)),
        (Pull(0.5).__call__, Pull(0.5).__call__),
        (functools.partial(bent, 2.0), functools.partial(bent, 2.0)),
        (functools.lru_cache(made(1.0)), functools.lru_cache(made(1.0))),
        (lambda x: float(np.interp(x, TABLE, TABLE)), lambda x: float(np.interp(x, TABLE, TABLE))),
    ],
)
def test_functions_that_say_the_same_are_one(first: Any, second: Any) -> None:
    assert Function(first) == Function(second) and hash(Function(first)) == hash(Function(second))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (lambda x: -np.sin(x), lambda x: -np.cos(x)),
        (made(1.5), made(1.25)),
        (functools.partial(bent, 2.0), functools.partial(bent, 3.0)),
        (Pull(0.5), Pull(0.75)),
        (lambda x, k=1.0: float(k) * abs(float(x)), lambda x, k=2.0: float(k) * abs(float(x))),
        (lambda x: math.sin(x), lambda x: math.cos(x)),
        (lambda x: float(np.interp(x, TABLE, TABLE)), lambda x: float(np.interp(x, TABLE, TABLE**2))),
        (Function(opaque, x_scale=1.0), Function(opaque)),
        (Function(opaque), Function(opaque).shifted("x", 0.5)),
        (Function(opaque), Function(opaque).of("y")),
    ],
)
def test_functions_that_differ_are_two(first: Any, second: Any) -> None:
    one, other = (f if isinstance(f, Function) else Function(f) for f in (first, second))
    assert one != other


def test_components_of_a_vector_are_known_by_the_function_and_the_place() -> None:
    def field(a: float) -> Any:
        return components("drift", lambda x, y: (-a * float(x), abs(float(y))))

    (one, two), (same, _), (other, _) = field(1.0), field(1.0), field(2.0)
    assert Function(one) == Function(same) and Function(one) != Function(other) and Function(one) != Function(two)


def walk_of(function: Any) -> rw.LatticeWalk:
    return rw.LatticeWalk(right=function, left=0.3, dx=1.0, dt=1.0)


def test_parts_of_one_run_merge_and_a_changed_global_makes_another_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    def written() -> Any:
        return lambda x: 0.1 * RATE if float(np.max(x)) > -1e9 else 0.0

    first = rw.simulate(walk_of(written()), range(500), [20.0], seed=1)
    again = rw.simulate(walk_of(written()), range(500, 1000), [20.0], seed=1)
    assert first.merge(again).walkers == 1000
    monkeypatch.setitem(globals(), "RATE", 3.0)
    other = rw.simulate(walk_of(written()), range(500, 1000), [20.0], seed=1)
    with pytest.raises(ValueError, match="the ensembles differ in walk"):
        first.merge(other)
    with pytest.raises(ValueError, match=r"right = <lambda>: reads RATE, which changed after the walk was declared"):
        first.extend(2000)


def test_what_a_call_itself_changes_is_no_change() -> None:
    known: dict[float, float] = {}

    def remembered(x: float) -> float:
        return known.setdefault(float(x), 0.2 + 0.1 * math.tanh(x))

    walk = walk_of(remembered)
    assert rw.simulate(walk, 100, [10.0], seed=1, method="paths").extend(200).walkers == 200 and len(known) > 3


def test_a_walk_of_functions_runs_in_another_process_and_its_part_merges(tmp_path: Path) -> None:
    """By plain pickles, as spawned processes take them."""
    shift = 0.1
    walk = rw.LatticeWalk.from_drift(lambda x: -2 * (x - shift), lambda x: 0.5 + 0.1 * np.cos(x), dx=0.1, dt=0.005)
    (tmp_path / "walk").write_bytes(pickle.dumps(walk))
    code = (
        "import pickle, pathlib, sys, randwalk as rw; folder = pathlib.Path(sys.argv[1])\n"
        "part = rw.simulate(pickle.loads((folder / 'walk').read_bytes()), range(500, 1000), [0.1], seed=1, method='paths')\n"
        "(folder / 'part').write_bytes(pickle.dumps(part))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    whole = rw.simulate(walk, 1000, [0.1], seed=1, method="paths")
    part = pickle.loads((tmp_path / "part").read_bytes())
    merged = rw.simulate(walk, 500, [0.1], seed=1, method="paths").merge(part)
    assert np.array_equal(merged.counts, whole.counts)


NOT_WRITTEN: dict[str, tuple[Callable[[], Any], str]] = {
    "a drift": (
        lambda: rw.LatticeWalk.from_drift(opaque, 0.5, dx=0.1),
        r"drift = opaque: a Python function cannot be written to a file: .*rw\.expression.* \(it is opaque, because it takes",
    ),
    "a killing rate": (lambda: rw.ItoWalk(0.0, 0.5, dt=0.1, killing=lambda x: 0.1 * abs(float(x))), r"killing = <lambda>: a P"),
    "declared breaks": (lambda: walk_of(Function(lambda x: 0.2, x_breaks=[0.5])), r"right = .*breaks, scales and deriv"),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_WRITTEN)
def test_what_a_file_cannot_hold_is_told_by_name(name: str) -> None:
    walk, told = NOT_WRITTEN[name]
    task: Any = Task(walk(), (1,), 1, "paths") if isinstance(walk(), rw.LatticeWalk) else ito_task(walk())
    with pytest.raises(ValueError, match=told):
        check_savable(task.walk, task.records)


def ito_task(walk: rw.ItoWalk, *records: Any) -> Any:
    return ItoTask.of(walk, (1,), 1, (-1.0, 0.0, 1.0), records)


def test_records_that_a_file_cannot_hold_are_told() -> None:
    walk = rw.ItoWalk(0.0, 0.5, dt=0.1)
    with pytest.raises(ValueError, match=r"Average\(opaque\(x\)\) cannot be written"):
        check_savable(walk, (rw.Average(opaque),))
    with pytest.raises(ValueError, match=r"an ensemble with Positions\(\) is not saved"):
        check_savable(walk, (rw.Positions(),))
    check_savable(walk, (rw.Average(lambda x: x**2), rw.FirstPassage()))


def test_a_walk_of_traced_functions_is_saved_as_formulas(tmp_path: Path) -> None:
    walk = rw.LatticeWalk.from_drift(lambda x: -np.tanh(x - 0.5), lambda x: 0.5 + 0.1 * np.cos(x), dx=0.1, dt=0.005)
    made = rw.simulate(walk, 500, [0.1], seed=1, method="paths")
    made.save(tmp_path / "run.npz")
    read = rw.Ensemble.load(tmp_path / "run.npz")
    assert np.array_equal(read.extend(1000).counts, made.extend(1000).counts)
    assert str(read.walk.declared_drift) == "-tanh(x - 0.5)"


def test_what_does_not_travel_is_told_by_name() -> None:
    inner = made(1.0)
    walk = rw.LatticeWalk.from_drift(opaque, 0.5, dx=0.1, killing=lambda x: 0.1 * abs(float(np.max(x))))
    with pytest.raises(TypeError, match=r"killing = <lambda>: does not travel .*opaque.*cloudpickle"):
        check_travels(functions_in(walk))
    with pytest.raises(TypeError, match=r"f = <lambda>: does not travel"):
        check_travels(functions_in(ito_task(rw.ItoWalk(opaque, 0.5, dt=0.1), rw.Average(inner))))
    check_travels(functions_in(rw.LatticeWalk.from_drift(opaque, lambda x: 0.5 + 0 * x, dx=0.1)))


def test_functions_are_found_under_the_names_of_arguments() -> None:
    hole = rw.Level(lambda x, y: math.hypot(x, y) - 1.0, distance=True)
    domain = (rw.Line() * rw.Line()).without(~hole)
    walk = rw.ItoWalk(drift=(lambda x: -math.sin(x), 0.0), diffusion=0.5, dt=0.01, domain=domain, start=(2.0, 0.0))
    assert [name for name, _ in functions_in(walk)] == ["drift", "domain"]


def test_workers_run_opaque_functions_and_lose_no_bit() -> None:
    """By cloudpickle, which takes the code, the closure and the globals of a function; the worker finds them unchanged."""
    cloudpickle, scale = pytest.importorskip("cloudpickle"), 0.1

    def killed(x: float) -> float:
        return scale * RATE * abs(math.tanh(x))

    walk = rw.LatticeWalk.from_drift(lambda x: -2 * (x - scale), 0.5, dx=0.1, dt=0.005, killing=killed)
    alone = rw.simulate(walk, 3000, [0.1], seed=1, method="paths")
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        by_workers = rw.simulate(walk, 2000, [0.1], seed=1, method="paths", executor=pool)
        part = pickle.loads(pool.submit(portable, cloudpickle.dumps(walk)).result())
    assert by_workers.walk == walk and np.array_equal(by_workers.merge(part).counts, alone.counts)


def portable(walk: bytes) -> bytes:
    """Another part of the run, made from what travelled."""
    import cloudpickle

    part = rw.simulate(pickle.loads(walk), range(2000, 3000), [0.1], seed=1, method="paths")
    return bytes(cloudpickle.dumps(part))


def test_a_run_with_a_file_is_that_of_the_formulas_and_goes_on(tmp_path: Path) -> None:
    def run(walkers: int, out: Path | None) -> rw.Ensemble:
        walk = rw.LatticeWalk.from_drift(lambda x: -2 * (x - 1.0), lambda x: 0.5 + 0.1 * np.cos(x), dx=0.1, dt=0.005)
        return rw.simulate(walk, walkers, [0.1], seed=1, method="paths", out=out)

    begun = run(500, tmp_path / "run.npz")
    whole = run(1000, tmp_path / "run.npz")
    assert rw.Ensemble.load(tmp_path / "run.npz").walkers == 1000 and begun.walk == whole.walk
    assert np.array_equal(whole.counts, run(1000, tmp_path / "other.npz").counts)
    with pytest.raises(ValueError, match=r"drift = opaque: a Python function cannot be written"):
        rw.simulate(rw.ItoWalk(opaque, 0.5, dt=0.1), 10, [0.1], out=tmp_path / "never.npz")
    assert not (tmp_path / "never.npz").exists()
