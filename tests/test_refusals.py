"""Arguments of every wrong kind are refused by the package itself, never by what happens to break underneath."""

from __future__ import annotations

import inspect
import linecache
import math
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import randwalk as rw

ABSORB, REFLECT = rw.Absorbing(), rw.Reflecting()
HERE = Path(inspect.getfile(rw)).resolve().parent.parent
UNIT = rw.Interval(0.0, 1.0, ABSORB, REFLECT)
COIN = rw.LatticeWalk(0.5, 0.5, dx=1.0)
HEAT = rw.pde.FokkerPlanck(0.0, 0.5, domain=UNIT, start=0.5)
ROAM = rw.ItoWalk(0.0, 0.5, dt=0.25)

WRONG: dict[str, Any] = {
    "text": "1.6", "a word": "line", "nothing": None, "true": True, "nan": math.nan, "inf": math.inf, "-inf": -math.inf,
    "complex": 1 + 2j, "negative": -1.0, "zero": 0, "huge": 1e300, "a list": [0.1, 0.2], "no list": [], "a list of text": ["a"],
    "a table": [[0.1], [0.2]], "ragged": [[1.0], [1.0, 2.0]], "a pair": (0, 1), "an array": np.array([0.3, 0.4]), "a set": {1.0},
    "a dictionary": {"x": 1}, "an object": object(), "a class": rw.Line, "bytes": b"1", "a function": len,
    "NumPy's true": np.True_,
    "a large integer": 10**400, "a date": np.datetime64("2020-01-01"),
}  # fmt: skip


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    walk = rw.LatticeWalk(0.3, 0.4, sites=9, domain=UNIT, start=0.5)
    line = rw.LatticeWalk(0.3, 0.4, dx=1.0)
    run = rw.simulate(walk, 100, [2.0, 5.0], seed=1, record=[rw.FirstPassage(), rw.Maximum()])
    law = rw.pde.exact_law(walk, [2.0, 5.0])
    return {"walk": walk, "line": line, "run": run, "law": law}


Place = Callable[[Any, dict[str, Any]], object]
MAKE: Any = rw  # without types, as a notebook has it


def calling(name: str, **given: Any) -> Callable[..., Place]:
    """Calls of a function with good arguments, of which those that are ... are replaced by a wrong one."""

    def of(**arguments: Any) -> Place:
        def call(wrong: Any, made: dict[str, Any]) -> object:
            first = [made["line"]] if name == "simulate" else []
            make = MAKE.LatticeWalk.from_drift if name == "from_drift" else getattr(MAKE, name)
            return make(*first, **(given | {k: wrong if v is ... else v for k, v in arguments.items()}))

        return call

    return of


w = calling("LatticeWalk", right=0.3, left=0.4, dx=1.0)
d = calling("from_drift", drift=0.1, diffusion=0.5, dx=0.1)
s = calling("simulate", walkers=10, times=[2.0])


PLACES: dict[str, Place] = {
    "LatticeWalk right": w(right=...),
    "LatticeWalk left": w(left=...),
    "LatticeWalk dx": w(dx=...),
    "LatticeWalk dt": w(dt=...),
    "LatticeWalk killing": w(killing=...),
    "LatticeWalk domain": w(domain=...),
    "LatticeWalk start": w(start=...),
    "LatticeWalk sites": w(dx=None, sites=..., domain=UNIT, start=0.5),
    "LatticeWalk right in a box": w(right=..., dx=None, sites=2, domain=UNIT, start=0.5),
    "from_drift drift": d(drift=...),
    "from_drift diffusion": d(diffusion=...),
    "from_drift dx": d(dx=...),
    "from_drift dt": d(dt=...),
    "from_drift domain": d(domain=...),
    "from_drift start": d(start=...),
    "from_drift killing": d(killing=...),
    "from_drift rule": d(rule=...),
    "from_drift convention": d(convention=...),
    "from_drift times": d(times=...),
    "from_drift sites": d(dx=None, sites=..., domain=UNIT, start=0.5),
    "with_start": lambda v, made: made["walk"].with_start(v),
    "steps": lambda v, made: made["walk"].steps(v),
    "Interval low": lambda v, made: rw.Interval(v, 1.0, ABSORB, ABSORB),
    "Interval high": lambda v, made: rw.Interval(0.0, v, ABSORB, ABSORB),
    "Interval left": lambda v, made: rw.Interval(0.0, 1.0, v, ABSORB),
    "Interval right": lambda v, made: rw.Interval(0.0, 1.0, ABSORB, v),
    "Ring low": lambda v, made: rw.Ring(v, 1.0),
    "Ring high": lambda v, made: rw.Ring(0.0, v),
    "PartiallyAbsorbing": lambda v, made: rw.PartiallyAbsorbing(v),
    "Point": lambda v, made: rw.Point(v),
    "Uniform low": lambda v, made: rw.Uniform(v, 1.0),
    "Uniform high": lambda v, made: rw.Uniform(0.0, v),
    "Normal mean": lambda v, made: rw.Normal(v, 1.0),
    "Normal sd": lambda v, made: rw.Normal(0.0, v),
    "Sites x": lambda v, made: rw.Sites(v, [0.5, 0.5]),
    "Sites masses": lambda v, made: rw.Sites([0.0, 1.0], v),
    "simulate walk": lambda v, made: rw.simulate(v, 10, [2.0]),
    "simulate walkers": s(walkers=...),
    "simulate times": s(times=...),
    "simulate seed": s(seed=...),
    "simulate method": s(method=...),
    "simulate record": s(record=...),
    "simulate a record": lambda v, made: rw.simulate(made["line"], 10, [2.0], record=[v]),
    "simulate threads": s(threads=...),
    "simulate backend": s(backend=...),
    "simulate devices": s(devices=...),
    "explain walk": lambda v, made: rw.explain(v, 10, [2.0]),
    "explain walkers": lambda v, made: rw.explain(made["line"], v, [2.0]),
    "explain times": lambda v, made: rw.explain(made["line"], 10, v),
    "explain record": lambda v, made: rw.explain(made["line"], 10, [2.0], record=v),
    "trajectories walk": lambda v, made: rw.trajectories(v, 10, [2.0]),
    "trajectories walkers": lambda v, made: rw.trajectories(made["line"], v, [2.0]),
    "trajectories times": lambda v, made: rw.trajectories(made["line"], 10, v),
    "trajectories seed": lambda v, made: rw.trajectories(made["line"], 10, [2.0], seed=v),
    "exact_law walk": lambda v, made: rw.pde.exact_law(v, [2.0]),
    "exact_law times": lambda v, made: rw.pde.exact_law(made["line"], v),
    "exact_law leak": lambda v, made: rw.pde.exact_law(made["line"], [2.0], leak=v),
    "LastVisit": lambda v, made: rw.LastVisit(v),
    "TimePositive": lambda v, made: rw.TimePositive(v),
    "extend": lambda v, made: made["run"].extend(v),
    "resume": lambda v, made: made["run"].resume(v),
    "merge": lambda v, made: made["run"].merge(v),
    "getitem": lambda v, made: made["run"][v],
} | {
    f"{kind} {name}": (lambda v, made, kind=kind, name=name: getattr(made[kind], name)(v))
    for kind in ("run", "law") for name in ("mean", "variance", "density", "survival", "to_scipy", "to_xarray", "marginal")
} | {
    f"{kind} {name} {what}": (lambda v, made, kind=kind, name=name, what=what: getattr(made[kind], name)(*{
        "edges": (v, 2.0), "t": ([0.0, 0.5, 1.0], v), "f": (v, 2.0), "t of f": (np.abs, v), "exit": (v, 2.0),
        "times": ("left", v), "x": (v, 2.0), "t of x": (0.5, v),
    }[what]))
    for kind in ("run", "law")
    for name, what in (
        ("mass", "edges"), ("mass", "t"), ("expect", "f"), ("expect", "t of f"), ("absorbed", "exit"), ("absorbed", "times"),
        ("pdf", "x"), ("pdf", "t of x"), ("cdf", "x"), ("cdf", "t of x"),
    )
} | {
    "passages absorbed": lambda v, made: made["run"][rw.FirstPassage()].absorbed("left", v),
    "passages wall": lambda v, made: made["run"][rw.FirstPassage()].absorbed(v, 2.0),
    "passages mean": lambda v, made: made["run"][rw.FirstPassage()].mean(v),
    "histogram mean": lambda v, made: made["run"][rw.Maximum()].mean(v),
    "histogram f": lambda v, made: made["run"][rw.Maximum()].expect(v, 2.0),
    "smoothed mass": lambda v, made: made["law"].smoothed().mass(v, 2.0),
    "smoothed absorbed": lambda v, made: made["law"].smoothed().absorbed("left", v),
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_wrong_kinds_are_refused_in_words(place: str, made: dict[str, Any]) -> None:
    """Every wrong value at every place either works (1.6 is a fine reactivity) or is refused by a `raise` of the package."""
    for kind, wrong in WRONG.items():
        if callable(wrong) and (place.endswith(" f") or "right" in place or "left" in place):
            continue  # a function is welcome there, and breaks as it likes
        try:
            PLACES[place](wrong, made)
        except (TypeError, ValueError, KeyError, MemoryError) as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            inside = HERE in Path(frame.filename).resolve().parents and ".venv" not in Path(frame.filename).parts
            line = linecache.getline(frame.filename, frame.lineno or 0).strip()
            where = f"{frame.filename}:{frame.lineno}"
            assert inside and line.startswith("raise "), f"{place} = {kind}: {type(error).__name__}: {error} ({where})"
            assert len(str(error)) > 10


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: MAKE.LatticeWalk(0.5, 0.5, dx=1.0, domain=(0, 1)), r"domain = \(0, 1\): give Line\(\), .*here Interval\(0, 1"),
        (lambda: MAKE.LatticeWalk(0.5, 0.5, dx=1.0, domain="line"), r"domain = 'line': .* here Line\(\)"),
        (lambda: MAKE.LatticeWalk.from_drift(0, 0.5, dx=1.0, domain=3.0), r"domain = 3.0: give Line\(\)"),
        (lambda: MAKE.LatticeWalk.from_drift(0, 0.5, dx=1.0, rule="fit"), "rule = 'fit': must be one of exact_variance, l"),
        (lambda: MAKE.LatticeWalk.from_drift(0, 0.5, dx=1.0, convention="its"), "convention = 'its': must be one of ito"),
        (lambda: MAKE.Interval(0, "1.6", ABSORB, ABSORB), r"high = '1\.6': must be a number, as 1\.6"),
        (lambda: MAKE.Interval(0, 1, rw.Absorbing, ABSORB), r"left = Absorbing: write Absorbing\(...\)"),
        (lambda: MAKE.pde.FokkerPlanck(0.0, 0.5, convention="its"), "convention = 'its': must be one of ito"),
        (lambda: MAKE.pde.solve(HEAT, [0.1], tolerance=10**400), "tolerance = 10+ .*: must be at least"),
        (lambda: MAKE.pde.solve(HEAT, [0.1], cells=10**400), "cells = 10+ .*: must be at most"),
        (lambda: MAKE.pde.backward(HEAT, 0.0, 0.1, paid="left"), "paid = 'left': give a mapping from exits to numbers"),
        (lambda: MAKE.simulate(ROAM, 10, [1.0], bins=np.array(4)), r"bins = array\(4\): give a number of bins"),
        (lambda: MAKE.simulate(ROAM, 10, [1.0], bins=10**400), "bins = 10+ .*: give at most 16777216"),
        (lambda: MAKE.simulate(ROAM, 10, [1.0], bins=2**63), "bins = 9223372036854775808: give at most 16777216"),
        (lambda: s(record=...)(None, {"line": COIN}), r"record = None: give a list.*leave it out"),
        (lambda: s(record=...)("FirstPassage", {"line": COIN}), "record = 'FirstPassage': give a list"),
    ],
)  # fmt: skip
def test_the_remedy_is_named(call: Callable[[], object], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        call()


def test_an_interval_may_be_given_by_its_high_end() -> None:
    assert rw.Interval(high=1.0, right=ABSORB) == rw.Interval(-math.inf, 1.0, None, ABSORB)
    assert rw.Interval(low=0.0, left=REFLECT) == rw.Interval(0.0, math.inf, REFLECT)


def test_a_new_start_is_checked_as_the_first_is() -> None:
    walk = rw.LatticeWalk(0.3, 0.4, sites=9, domain=UNIT, start=0.5)
    starts: list[Any] = [0.0, 1.5, rw.Normal(0.5, 0.01), rw.Uniform(0.5, 1.5), rw.Normal(0.5, 1.0), "0.5", None]
    for start in starts:
        errors = []
        for make in (walk.with_start, partial(MAKE.LatticeWalk, 0.3, 0.4, domain=UNIT, sites=9)):
            with pytest.raises((TypeError, ValueError)) as caught:
                make(start) if make == walk.with_start else make(start=start)
            errors.append(str(caught.value))
        assert errors[0] == errors[1]


def test_a_place_outside_the_window_has_nobody() -> None:
    """On a line a sample and a law may be asked about any place; nobody is beyond the window."""
    walk = rw.LatticeWalk(0.3, 0.4, dx=1.0)
    run, law = rw.simulate(walk, 100, [5.0], seed=1), rw.pde.exact_law(walk, [5.0])
    for edges in ([1e3, 1e4], [-1e300, -1e10], [-math.inf, math.inf]):
        total = 1.0 if math.inf in edges else 0.0
        assert float(run.mass(edges, 5.0)[0]) == total
        assert float(law.mass(edges, 5.0)[0]) == pytest.approx(total, abs=1e-12)
    for x in (1e6, -1e300, 1e308):
        visits = rw.simulate(walk, 100, [5.0], seed=1, record=[rw.LastVisit(x), rw.TimePositive(x)])
        assert math.isnan(visits[rw.LastVisit(x)].mean(5.0))
        assert float(visits[rw.TimePositive(x)].mean(5.0)) == (5.0 if x < 0 else 0.0)
