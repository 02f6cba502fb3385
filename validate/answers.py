"""Known answers of runs: what a processor or a device makes of walks of every kind, checked in seconds.

The hashes were made on the CPU. A run is the same on every machine, so another hash is a fault: of the device, of its
driver, of an installation.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from randwalk.ensemble import Ensemble
from randwalk.jit.compile import DeviceError
from randwalk.model.domain import Interval, Line, Ring
from randwalk.model.formula import expression
from randwalk.model.ito import ItoWalk
from randwalk.model.region import Ball
from randwalk.model.scheme import TwoPoint
from randwalk.model.start import Uniform
from randwalk.model.walk import LatticeWalk
from randwalk.model.wall import Absorbing, Reflecting
from randwalk.pde import FokkerPlanck, expectation
from randwalk.run.record import DistinctSites, FirstPassage, LastVisit, Maximum, Positions, Record, Winding
from randwalk.simulation import simulate

WALKERS, SEED = 100_000, 2026


class Case(NamedTuple):
    """A run whose counts and records are hashed: to each of some numbers of steps."""

    walk: Callable[[], LatticeWalk | ItoWalk]
    steps: tuple[int, ...]
    answer: str
    records: tuple[Record, ...] = ()
    method: str = "paths"

    def found(self, backend: str, devices: Sequence[int] | None) -> bytes:
        """The walkers on each site of a lattice, then the records."""
        walk, times = self.walk(), np.array(self.steps)
        ensemble = simulate(
            walk,
            WALKERS,
            times * walk.dt,
            seed=SEED,
            method=self.method,
            record=self.records,
            backend=backend,
            devices=devices,
        )
        found = [ensemble.raw] if isinstance(ensemble, Ensemble) else []
        for record in self.records:
            recorded = ensemble[record]
            found.append(recorded.x if isinstance(record, Positions) else recorded.counts)
        return b"".join(array.tobytes() for array in found)


class Value(NamedTuple):
    """An expectation whose value and error are hashed: of 1 at a time, 2 at the walls and 3 a time on the way."""

    equation: Callable[[], FokkerPlanck]
    place: Any
    time: float
    answer: str

    def found(self, backend: str, devices: Sequence[int] | None) -> bytes:
        """The value and its statistical error."""
        value = expectation(
            self.equation(),
            1.0 if math.isfinite(self.time) else 0.0,
            self.place,
            self.time,
            source=3.0,
            boundary=2.0,
            walkers=WALKERS,
            seed=SEED,
            backend=backend,
            devices=devices,
        )
        return np.array([value.value, value.statistical], dtype="<f8").tobytes()


def _between(low: float, high: float) -> Interval:
    return Interval(low, high, Absorbing(), Absorbing())


def _drift(text: str) -> dict[str, Any]:
    return {"right": expression(f"0.4 - {text}"), "left": expression(f"0.4 + {text}"), "dx": 1.0, "dt": 1.0}


CASES: dict[str, Case | Value] = {
    "fair coin": Case(lambda: LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0), (300, 1000), "cbd1cd9a4bd7f333"),
    "constant p and q": Case(lambda: LatticeWalk(0.3, 0.5, dx=1.0, dt=1.0), (300, 1000), "8a0edcbe57bc1c8b"),
    "constant p and q, records": Case(
        lambda: LatticeWalk(0.3, 0.6, dx=1.0, dt=1.0), (200,), "26224c421b403fbf", (Maximum(), LastVisit(0.0), Positions())
    ),
    "jumps": Case(lambda: LatticeWalk(0.3, 0.5, dx=1.0, dt=1.0), (300, 10_000), "5216023dba423441", method="jump"),
    "p(x)": Case(lambda: LatticeWalk(**_drift("0.1*tanh(x/50)")), (300, 1000), "cc0a3c065912d0e7"),
    "p(x, t)": Case(lambda: LatticeWalk(**_drift("0.1*tanh((x - t/50)/50)")), (100, 500), "02e05653097c0b25"),
    "p(x), killed, on a ring": Case(
        lambda: LatticeWalk(**_drift("0.1*sin(2*pi*x/30)"), killing=expression("x/30000"), domain=Ring(0, 30)), (500,),
        "7bc2511fa45552ed", (FirstPassage(),),
    ),
    "first passage": Case(
        lambda: LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0, domain=_between(-50, 50)), (1000,), "b64e3a01eb08337b", (FirstPassage(),)
    ),
    "sites": Case(
        lambda: LatticeWalk(0.45, 0.4, dx=1.0, dt=1.0, domain=Interval(0, 40.5, Absorbing(), Reflecting()), start=Uniform(5, 25)),
        (300,), "2fc48dee7e174295", (FirstPassage(),), "occupation",
    ),
    "plane": Case(lambda: LatticeWalk.from_drift((0.0, 0.0), 0.5, dx=1.0, domain=Line() ** 2), (128, 300), "a3df0de55087e141"),
    "p(x, y) between walls": Case(
        lambda: LatticeWalk.from_drift(
            (expression("-x/40"), expression("-y/40")), 0.5, dx=1.0, start=(0.0, 0.0), domain=_between(-20, 20) * Line()
        ),
        (300,), "ac6b4b087a9b2c15", (FirstPassage(),),
    ),
    "space": Case(lambda: LatticeWalk.from_drift((0.1, 0.0, 0.0), 0.5, dx=1.0, domain=Line() ** 3), (200,), "d6a5528a7c92c74a"),
    "double well": Case(lambda: ItoWalk(expression("x - x**3"), noise=0.7, dt=0.01), (200,), "985a7c6ec05013b3", (Positions(),)),
    "Itô walk between walls": Case(
        lambda: ItoWalk(-1.0, 0.5, dt=0.01, killing=expression("x**2"), domain=_between(-1.0, 1.0)), (200,), "608c589eea0c2dd5",
        (FirstPassage(), Positions()),
    ),
    "Itô walk in the plane": Case(
        lambda: ItoWalk((expression("sin(y) - tanh(x)"), expression("exp(-x**2)")), noise=((0.5, 0.1), (0.0, 0.3)), dt=0.01,
                        start=(0.0, 0.0)),
        (100,), "1113766a1acc5cd4", (Positions(),),
    ),
    "Itô walk of two-point increments": Case(
        lambda: ItoWalk(expression("x - x**3"), noise=0.7, dt=0.01, increments=TwoPoint()), (200,), "83d87dae39a9c4d2",
        (Positions(),),
    ),
    "visited sites": Case(
        lambda: LatticeWalk.from_drift((0.0, 0.0), 0.5, dx=1.0, domain=Ring(0, 30) * Ring(0, 30)), (300,), "49007e9a350d6149",
        (DistinctSites(), Winding(0)),
    ),
    "value at a time": Value(
        lambda: FokkerPlanck(-1.0, 0.5, killing=expression("x**2"), domain=_between(-1.0, 1.0)), 0.3, 0.5, "bbedb1d221c539d7"
    ),
    "value by walks on spheres": Value(
        lambda: FokkerPlanck(0.0, 0.6, killing=2.0, domain=(Line() ** 3).inside(Ball((0.0, 0.0, 0.0), 1.5), Absorbing())),
        (0.5, 0.0, 0.0), math.inf, "3e394688c50150f5",
    ),
}  # fmt: skip


def answer(case: Case | Value, backend: str = "cpu", devices: Sequence[int] | None = None) -> str:
    """The hash of what is found."""
    return hashlib.sha256(case.found(backend, devices)).hexdigest()[:16]


def check(backend: str = "cpu", devices: Sequence[int] | None = None) -> Iterator[tuple[str, bool, float]]:
    """Each case: (its name, whether the answer is the known one, seconds)."""
    for name, case in CASES.items():
        begin = time.perf_counter()
        right = answer(case, backend, devices) == case.answer
        yield name, right, time.perf_counter() - begin


def checked(backend: str = "cpu", devices: Sequence[int] | None = None) -> tuple[str, bool]:
    """What :func:`check` found, in words, and whether all is right. A failure of the device is told, not raised."""
    try:
        found = list(check(backend, devices))
    except DeviceError as error:
        return f"failed: {error}", False
    seconds, wrong = sum(seconds for _, _, seconds in found), [name for name, right, _ in found if not right]
    if wrong:
        return f"WRONG answers: {', '.join(wrong)}; do not use it, its results are not those of other machines", False
    return f"{len(found)} known answers, {seconds:.1f} s", True
