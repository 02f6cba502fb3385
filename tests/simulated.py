"""Run by tests/test_cuda.py in a process of its own, with NUMBA_ENABLE_CUDASIM=1: python -m tests.simulated PART…

Every part stops with an AssertionError where the CUDA kernels do not do what the CPU does.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np

import randwalk as rw
from randwalk.kernels.bits import spread
from randwalk.kernels.cuda import ito as continuous
from randwalk.kernels.cuda import occupation as occupying
from randwalk.kernels.philox import JUMP, U, key, philox
from randwalk.kernels.program import BITS, FULL, DigitsProgram, JumpProgram, Levels, Program, TableProgram, Walkers
from randwalk.pde.values.question import Question
from randwalk.pde.values.sampling import Portion
from randwalk.pde.values.spheres import Spheres
from randwalk.pde.values.weighted import walks
from randwalk.run import devices as machines
from randwalk.run.effort import Effort
from randwalk.run.host import Host
from randwalk.run.pieces import never
from randwalk.run.record import Record
from randwalk.tables.ito_program import program as compiled_walk

from . import plane as planar
from . import simulator
from .faults import replace_device
from .ito_walks import WALKS as CONTINUOUS
from .space_walks import WALKS as SPACE
from .spatial import WALKS as SPATIAL
from .ties import steps_taken

machine: Any = import_module("randwalk.run.cuda.machine")  # whose names are replaced below
compiled: Any = import_module("randwalk.jit.cuda.compile")

ABSORB, REFLECT = rw.Absorbing(), rw.Reflecting()
ACROSS = range(2**32 - 20, 2**32 + 16)  # more than a block of threads; both counter words of a walker's number
SEED = 3
RECORDS: tuple[Record, ...] = (
    rw.FirstPassage(), rw.LastVisit(0.0), rw.LastVisit(1.0), rw.TimePositive(0.0), rw.Maximum(), rw.SquaredDisplacement(),
    rw.Positions(),
)  # fmt: skip

CONSTANT: dict[str, Callable[[], rw.LatticeWalk]] = {
    "coin": lambda: rw.LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0),
    "always right": lambda: rw.LatticeWalk(1.0, 0.0, dx=1.0, dt=1.0),
    "three digits": lambda: rw.LatticeWalk(0.375, 0.5, dx=1.0, dt=1.0, start=rw.Sites([0, 3], [0.4, 0.6])),
    "ties": lambda: rw.LatticeWalk(1 / 3, 1 / 3, dx=1.0, dt=1.0, start=rw.Uniform(-3, 5)),
    "tiny": lambda: rw.LatticeWalk(2.0**-31, 0.7 + 2.0**-20, dx=1.0, dt=1.0),
}
TABLED: dict[str, Callable[[], rw.LatticeWalk]] = {
    "walls": lambda: rw.LatticeWalk(0.4, 0.35, sites=9, dt=1.0, domain=rw.Interval(0, 10, ABSORB, ABSORB), start=4.3),
    "p(x), mixed walls": lambda: rw.LatticeWalk(
        lambda x: 0.3 + 0.2 * np.tanh(x), 0.45, sites=11, dt=1.0,
        domain=rw.Interval(-1, 1, REFLECT, ABSORB), start=rw.Uniform(-0.9, 1.0),
    ),
    "p(x, t), killed, on a line": lambda: rw.LatticeWalk(
        lambda x, t: 0.4 + 0.3 * np.sin(x - 3 * t), 0.2, dx=0.5, dt=0.01, killing=lambda x: 0.1 * x**2
    ),
    "p(t)": lambda: rw.LatticeWalk(lambda t: 0.35 + 0.3 * np.sin(5 * t), 0.3, dx=1.0, dt=0.05),
    "robin": lambda: rw.LatticeWalk.from_drift(
        0.5, 0.5, sites=12, domain=rw.Interval(0, 1, rw.PartiallyAbsorbing(2.0), rw.PartiallyAbsorbing(0.7)), start=0.5
    ),
    "killed on a ring": lambda: rw.LatticeWalk(0.6, 0.1, sites=9, dt=0.1, domain=rw.Ring(0, 3), killing=0.3, start=2.0),
    "ring of one": lambda: rw.LatticeWalk(0.3, 0.3, sites=1, dt=1.0, domain=rw.Ring(0, 1)),
    "more columns than fit": lambda: rw.LatticeWalk(
        lambda x: 0.4 + 0.1 * np.tanh(x), 0.4, sites=5000, dt=1.0, domain=rw.Interval(0, 5001, ABSORB, ABSORB), start=3.0
    ),
}  # fmt: skip


def agree(cpu: rw.Ensemble, gpu: rw.Ensemble) -> None:
    np.testing.assert_array_equal(cpu.raw, gpu.raw)
    assert cpu.parts == gpu.parts and list(cpu.records) == list(gpu.records)
    for record in cpu.records:
        name = "x" if isinstance(record, rw.Positions) else "counts"
        np.testing.assert_array_equal(getattr(cpu[record], name), getattr(gpu[record], name), str(record))


def both(
    walk: rw.LatticeWalk, walkers: int | range, steps: list[int], method: str, records: Any = (), **cuda_only: Any
) -> None:
    times = np.array(steps) * walk.dt
    gpu = rw.simulate(walk, walkers, times, seed=SEED, method=method, record=records, backend="cuda", **cuda_only)
    agree(rw.simulate(walk, walkers, times, seed=SEED, method=method, record=records), gpu)


def paths(walks: dict[str, Callable[[], rw.LatticeWalk]], steps: int) -> None:
    """Every family, with and without records; times inside blocks of 8 and 64 steps, and of 128 that only digits have."""
    for make in walks.values():
        walk = make()
        records = [
            r for r in RECORDS if not (isinstance(walk.domain, rw.Ring) and isinstance(r, rw.SquaredDisplacement))
        ]
        both(walk, ACROSS, [0, 3, steps // 2, steps], "paths")
        both(walk, range(ACROSS.start, ACROSS.start + 12), [5, steps], "paths", records)


def tossed() -> None:
    """Fair coins that are walked and counted by one kernel, and those that are not: too many steps, or high words."""
    coin = CONSTANT["coin"]()
    counted, calls = machine.Tossed.counted, []

    def told(self: Any, *arguments: int) -> Any:
        found = counted(self, *arguments)
        calls.append(found is not None)
        return found

    machine.Tossed.counted = told
    for walkers, steps in ((range(5, 75), [137]), (70, [1]), (70, [128, 300]), (70, [1100]), (ACROSS, [5])):
        both(coin, walkers, steps, "paths")
    assert calls == [True, True, True, False, False, False], calls
    machine.Tossed.counted = counted


def occupation() -> None:
    """One block that holds all sites, blocks with margins, rings of both, large numbers of walkers."""
    for name in (
        "walls",
        "robin",
        "killed on a ring",
        "ring of one",
        "p(x), mixed walls",
        "p(x, t), killed, on a line",
    ):
        both(TABLED[name](), 10**6, [4, 13], "occupation", [rw.FirstPassage()])
    wide = rw.LatticeWalk(
        lambda x: 0.4 + 0.1 * np.tanh(x - 30), 0.4, sites=70, dt=1.0,
        domain=rw.Interval(0, 71, ABSORB, REFLECT), start=rw.Uniform(1, 70), killing=0.01,
    )  # fmt: skip
    ring = rw.LatticeWalk(0.5, 0.4, sites=45, dt=1.0, domain=rw.Ring(0, 1), start=rw.Uniform(0, 1))
    assert min(w.lattice.last or 0 for w in (wide, ring)) + 1 > occupying.WIDTH
    both(wide, 10**15, [3, 11], "occupation", [rw.FirstPassage()])
    both(ring, 10**5, [11], "occupation")


def launches() -> None:
    """A run of steps in several launches, each with its own rows of a table that depends on time; and jumps that tie."""
    whole, machine.WORK = machine.WORK, 128 * len(ACROSS)
    for name in ("p(x, t), killed, on a line", "p(t)", "walls"):
        for records in ([], [rw.FirstPassage()], [rw.Maximum()]):
            both(TABLED[name](), ACROSS, [140], "paths", records)
    machine.WORK = whole
    keys = key(SEED)
    walkers = range(1, 40)
    words = [philox(U(w // 4), U(0), U(2), JUMP, *keys)[w % 4] & 0xFFFFFFFF for w in walkers]
    for word in map(int, words[::5]):
        cells = np.array([word % 2**31 << 32 | 7, word % 2**31 << 32 | 9], np.uint64)
        for rest in (0, 2**20, 2**21 - 1):
            program = JumpProgram(2, 0, 1, cells, np.full(2, rest, np.uint32))
            here, there = np.zeros(len(walkers), np.int32), compiled.cuda.to_device(np.zeros(len(walkers), np.int32))
            Host().advance(Walkers(walkers.start, here), program, 0, 1, keys)
            machine.Cuda().advance(Walkers(walkers.start, there), program, 0, 1, keys)
            np.testing.assert_array_equal(here, there.copy_to_host())


def windows() -> None:
    """Windows that are far too narrow, where walkers that reach the edge go on in wider ones."""
    guessed: Any = import_module("randwalk.tables.window")
    ends = guessed.guessed_ends
    guessed.guessed_ends = lambda walk, steps, start, leak: start
    for make in (CONSTANT["ties"], TABLED["p(x, t), killed, on a line"]):
        both(make(), range(40), [5, 30], "paths", [r for r in RECORDS if not isinstance(r, rw.FirstPassage)])
        both(make(), range(40), [30], "paths", [rw.FirstPassage()])
    both(TABLED["p(x, t), killed, on a line"](), 10**6, [4, 13], "occupation", [rw.FirstPassage()])
    both(CONSTANT["ties"](), 40, [30], "jump", [rw.SquaredDisplacement()])
    guessed.guessed_ends = ends


def plane() -> None:
    """Walks in the plane, on tables of one row and of a row a step, and with constant probabilities; some places alone."""
    host, gpu, keys = Host(), machine.Cuda(), key(SEED)
    size, first, to_device = 70, ACROSS.start, compiled.cuda.to_device
    levels = Levels(np.array([planar.START, planar.START + 1], np.int32), np.array([planar.START], np.int32))
    programs: list[Program] = [planar.program(rows, kills) for rows in (1, 24) for kills in (True, False)]
    stride, eighth = planar.LAYOUT.strides[0], FULL // 8
    programs += [DigitsProgram((stride, -stride, 1, -1), (eighth, 3 * eighth, 4 * eighth + tail, FULL), 3 if not tail else 8)
                 for tail in (0, 12345)]  # fmt: skip
    programs += [
        DigitsProgram((5, -2, 0), (FULL // 32, 7 * FULL // 32, FULL // 2), 5),
        DigitsProgram((0, 3), (FULL // 2, FULL), 1),
    ]
    for program in programs:
        here = np.full(size, planar.START, np.int32)
        there = to_device(here.copy())
        for where, site in ((host, here), (gpu, there)):
            where.advance(Walkers(first, site), program, 3, 27, keys)
        np.testing.assert_array_equal(here, there.copy_to_host())
        places = np.arange(0, size, 3, dtype=np.int32) if isinstance(program, TableProgram) else None
        sites = [np.full(size, planar.START, np.int32), to_device(np.full(size, planar.START, np.int32))]
        states = [where.begin(site, levels) for where, site in zip((host, gpu), sites, strict=True)]
        for where, site, state in zip((host, gpu), sites, states, strict=True):
            where.advance(Walkers(first, site, state, levels, places=places), program, 3, 27, keys)
        np.testing.assert_array_equal(sites[0], sites[1].copy_to_host())
        np.testing.assert_array_equal(
            sites[0][:: 3 if places is not None else 1], here[:: 3 if places is not None else 1]
        )
        np.testing.assert_array_equal(states[0], states[1].copy_to_host())
        if isinstance(program, TableProgram):
            counts, gone = np.zeros((2, planar.LAYOUT.cells), np.int64), np.zeros((2, 12, len(planar.EXITS)), np.int64)
            counts[:, planar.START] = 10**6
            for where, count, left in zip((host, gpu), counts, gone, strict=True):
                where.occupy(count, program, planar.Numbered(), 3, 15, left, keys)
            np.testing.assert_array_equal(*counts)
            np.testing.assert_array_equal(*gone)
            assert counts[0].sum() + gone[0].sum() == 10**6


def jumps() -> None:
    for name in ("coin", "ties"):
        both(CONSTANT[name](), ACROSS, [7, 1000], "jump", [rw.SquaredDisplacement()])


def space() -> None:
    """Boxes, tori, obstacles, traps and products of axes; starts and jumps axis by axis."""
    for name, make in SPACE.items():
        walk = make()
        both(walk, range(ACROSS.start, ACROSS.start + 40), [1, 11], "paths")
        if name.startswith(("walls", "killed", "a box")):
            both(walk, 10**6, [2], "occupation")
    free = rw.LatticeWalk.from_drift((0.3, 0.0), 0.5, dx=0.25, domain=rw.Line() ** 2, start=rw.Normal((0.0, 0.0), 0.5))
    both(free, range(ACROSS.start, ACROSS.start + 40), [7, 90], "jump")


def devices() -> None:
    """Two devices of one card, a worker with a device, batches of half the size where memory runs out, and what is left after a
    failure."""
    walk = TABLED["walls"]()
    with ThreadPoolExecutor(1) as worker:
        both(walk, 1500, [12], "paths", [rw.FirstPassage()], executor=worker)
        both(walk, 10**6, [12], "occupation", [rw.FirstPassage()], executor=worker)
    both(walk, 2500, [12], "paths", [rw.FirstPassage(), rw.Positions()], devices=[0, 0])
    ensemble = rw.simulate(walk, 1000, [30], seed=SEED, method="paths", backend="cuda")
    agree(
        rw.simulate(walk, 1500, [40], seed=SEED, method="paths"),
        rw.simulate(walk, 1000, [40], seed=SEED, method="paths").extend(1500, backend="cuda"),
    )
    assert ensemble.resume([40], backend="cuda", devices=[0]).walkers == 1000

    allocate, sizes = compiled.allocate, []

    def scarce(shape: Any, kind: Any = np.int32) -> Any:
        sizes.append(int(np.prod(shape)))
        if sizes[-1] > 300:
            raise RuntimeError("[CUDA_ERROR_OUT_OF_MEMORY] Call to cuMemAlloc results in CUDA_ERROR_OUT_OF_MEMORY")
        return allocate(shape, kind)

    compiled.allocate = scarce
    both(walk, 700, [30], "paths")
    assert [s for s in sizes if s > 300] and sizes[-1] <= 300
    both(walk, 700, [30], "paths", devices=[0, 0])
    compiled.allocate = lambda *arguments: scarce(10**6)
    try:
        rw.simulate(walk, 700, [30], seed=SEED, method="paths", backend="cuda")
    except rw.DeviceError as error:
        assert "no memory" in str(error) and error.ensemble is None
    else:
        raise AssertionError("a device without memory went unnoticed")
    compiled.allocate = allocate

    failure = type("CudaAPIError", (RuntimeError,), {"__module__": "numba.cuda.cudadrv.driver"})
    histogram, calls = machine.Cuda.histogram, []

    def failing(self: Any, *arguments: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise failure("[700] an illegal memory access was encountered")
        return histogram(self, *arguments, **named)

    machine.Cuda.histogram = failing
    try:
        rw.simulate(walk, 2500, [12], seed=SEED, method="paths", backend="cuda")
    except rw.DeviceError as error:
        part = error.ensemble
        assert "illegal memory access" in str(error) and part is not None and part.walkers == 1024
        agree(rw.simulate(walk, 2500, [12], seed=SEED, method="paths"), part.extend(2500))
    else:
        raise AssertionError("a failed device went unnoticed")
    machine.Cuda.histogram = histogram

    # Three devices, as far as the simulator goes: entering one is noted. They take turns, each with the pieces of its place.
    entered: list[int] = []

    class Entered:
        def __init__(self, number: int) -> None:
            self.number = number

        def __enter__(self) -> None:
            entered.append(self.number)
            real[0].__enter__()

        def __exit__(self, *error: object) -> None:
            real[0].__exit__(*error)

    real = machine.cuda.gpus
    machine.cuda.gpus = [Entered(number) for number in range(3)]
    both(walk, 3 * 1024 + 5, [12], "paths", devices=[2, 0])
    assert entered == [2, 0, 2, 0]
    try:
        rw.simulate(walk, 10, [5], backend="cuda", devices=[1, 3])
    except ValueError as error:
        assert str(error) == "devices = [1, 3]: 3 is not a CUDA device here; there are 0, 1, 2"
    else:
        raise AssertionError("a device that is not there went unnoticed")
    machine.cuda.gpus = real

    for wrong in ([1], [-1], ["0"], [True], []):
        try:
            rw.simulate(walk, 10, [5], backend="cuda", devices=wrong)
        except ValueError as error:
            assert "devices = " in str(error)
        else:
            raise AssertionError(f"devices = {wrong} went unnoticed")


def info() -> None:
    """What is said of the device, and that `auto` takes it for long work only."""
    report = dict(machines.report())
    assert "simulator" in report["cuda"] and "agrees with the CPU" in report["self-test"], report
    chosen = [machines.choose("auto", None, *work).name for work in (
        (0.1, 1), (1e3, 1), (1e3, 2, "occupation"), (3.0, 2, "jump"), (10.0, 16), (1e3, 16), (1e6, 256),
    )]  # fmt: skip
    assert chosen == ["cpu", "cuda", "cpu", "cuda", "cpu", "cuda", "cpu"], chosen


# Changes of the physics for the rows of `digest`: (the module of the scalar function, its wrong result)
CHANGED: dict[str, tuple[str, Callable[..., Any]]] = {
    "start_cell": ("step", lambda cell, given: cell + 1),
    "next_digit": ("bits", lambda masks, given: (given[3] & ~given[2], masks[1])),  # lower digits are forgotten
    "next_digits": ("bits", lambda masks, given: (given[3] | ~spread(given[4], BITS - 2), masks[1])),
    "above": ("functionals", lambda counts, given: not counts),
    "odds": (
        "occupation",
        lambda odds, given: (odds[1] // 2 - (odds[1] - odds[0]) // 2, FULL // 2 + odds[1] // 2),
    ),  # half all
}


def planted() -> None:
    """:func:`digest`, with the physics changed where it stands."""
    for name, (module, change) in CHANGED.items():
        replace_device(f"randwalk.kernels.{module}", name, change)
        wrong = getattr(import_module(f"randwalk.kernels.{module}"), name)
        for kernels in [m for known, m in sys.modules.items() if known.startswith("randwalk.kernels.cuda.")]:
            if hasattr(kernels, f"_{name}"):  # which the simulator was given when the module was imported
                setattr(kernels, f"_{name}", compiled.in_kernel(wrong))
    digest()


def digest() -> None:
    """What each backend makes of one walk of each family, as JSON."""
    runs: dict[str, tuple[rw.LatticeWalk, str, list[Record]]] = {
        "start_cell": (TABLED["p(x), mixed walls"](), "paths", []),
        "next_digit": (CONSTANT["ties"](), "paths", []),
        "above": (CONSTANT["coin"](), "paths", [rw.TimePositive(0.0)]),
        "odds": (TABLED["walls"](), "occupation", []),
    }
    found: dict[str, dict[str, str]] = {}
    for name, (walk, method, records) in runs.items():
        for backend in ("cpu", "cuda"):
            ensemble = rw.simulate(walk, 40, [20 * walk.dt], seed=SEED, method=method, record=records, backend=backend)
            counts = [ensemble.raw, *(ensemble[r].counts for r in records)]
            found.setdefault(name, {})[backend] = hashlib.sha256(b"".join(c.tobytes() for c in counts)).hexdigest()
    print(json.dumps(found))


def digits() -> None:
    """Steps that the last 31 digits of a uniform decide: one probability takes them, its neighbour does not."""
    records: tuple[list[Record], ...] = [], [rw.Maximum()]
    for name in ("right, p", "left, p(x, t)", "right on the line", "left on the line"):
        for recorded in records:
            assert steps_taken(name, 5, 0, recorded, "cuda") == [False, True]


def records_in_space() -> None:
    """Records of walks on tori, between walls and on unbounded lattices; starts and jumps axis by axis."""
    ball, half = rw.TimeIn(rw.Ball((0, 0), 1.5)), rw.TimeIn(rw.HalfSpace((1, 0), 0.5))
    recorded: dict[str, list[Any]] = {
        "torus": [rw.Moments(), rw.Winding(1), ball, rw.DistinctSites(), rw.Maximum(1), rw.Visits((0.0, 0.0))],
        "walls": [rw.FirstPassage(), rw.DistinctSites(), rw.Maximum(0), rw.Positions()],
        "plane, starts": [rw.Moments(), rw.Positions()],
        "plane": [rw.Maximum(1), half],
    }
    for name, records in recorded.items():
        both(SPATIAL[name](), range(5, 45), [3, 12], "paths", records)
    both(rw.LatticeWalk.from_drift(drift=(0.5, 0.0), diffusion=0.5, dx=0.5), 40, [9], "jump")
    tube = rw.LatticeWalk.from_drift(drift=(0.5, 0.0), diffusion=0.5, dx=0.5, domain=rw.Ring(0, 4) * rw.Line())
    both(tube, 40, [9, 30], "jump", [rw.Winding(0), rw.Moments(), rw.Positions()])


def ito() -> None:
    """Walks in continuous space, in stretches, by steps of one and of four levels."""
    for name, increments in (
        ("functions", rw.Gaussian()),
        ("killed between walls", rw.Gaussian()),
        ("three sources", rw.ThreePoint()),
    ):
        made = compiled_walk(CONTINUOUS[name](increments=increments))
        for pairs in (1, 4):
            wanted, found = (made.begin(np.zeros((made.dimension, 40))) for _ in range(2))
            made.walk(wanted, ACROSS.start, 0, 12, key(SEED), pairs)
            for start, stop in ((0, 5), (5, 12)):
                span = ACROSS.start, start, stop
                continuous.advance(made.module, found, *span, made.dt, pairs, made.parameters, key(SEED))
            for one, other in zip(wanted, found, strict=True):
                np.testing.assert_array_equal(one, other)


def ring(killing: float) -> rw.pde.FokkerPlanck:
    """Brownian motion between walls y = ±2 on a ring along x, with a round trap."""
    strip = rw.Ring(-3.0, 3.0) * rw.Interval(-2.0, 2.0, ABSORB, ABSORB)
    trapped = strip.without(rw.Ball((0.0, 0.0), 0.5), ABSORB, "trap")
    return rw.pde.FokkerPlanck(0.0, 0.5, domain=trapped, killing=killing, start=(1.0, 0.5))


def spheres() -> None:
    """Walks on spheres with and without source and screening, more walkers than threads, and what is summed of them."""
    ball = rw.pde.FokkerPlanck(0.0, 1.5, domain=(rw.Line() ** 5).inside(rw.Ball((0.0,) * 5, 2.0), ABSORB), killing=0.7)
    source, paid = rw.expression("2 - x"), rw.expression("1 + x*y")
    for equation, gathered, point in (
        (ring(0.0), 0.0, (1.0, 0.5)), (ring(0.0), source, (-2.9, 0.5)), (ring(2.0), source, (1.0, 0.5)),
        (ball, source, (0.1, 0.2, 0.0, 0.3, -0.5)),
    ):  # fmt: skip
        way = Spheres(Question.of(equation, 0.0, gathered, paid), point, key(SEED))
        first, last = ACROSS.start, ACROSS.start + 80
        np.testing.assert_array_equal(way.rows(5, range(first, last), machine.Cuda()), way.rows(5, range(first, last)))
    portion = Portion(way, 5, (1.0, 1.0), 0.25, Effort(1))
    summed = [replace(portion, effort=Effort(1, backend=backend))(range(50), never) for backend in ("cpu", "cuda")]
    assert len({(one.count, *one.means, *one.covariance.ravel()) for one in summed}) == 1


def values() -> None:
    """Walks in time to a value, on all levels, and one that is for the CPU alone."""
    walls = rw.Interval(-1.0, 1.5, ABSORB, REFLECT)
    equation = rw.pde.FokkerPlanck(rw.expression("-x"), 0.5, domain=walls, killing=rw.expression("0.3*x**2"))
    question = Question.of(equation, rw.expression("1 + x"), 0.5, 2.0)
    for reduction in (None, rw.pde.Antithetic()):
        way = walks(question, (0.2,), 0.5, key(SEED), None, reduction)
        np.testing.assert_array_equal(way.rows(16, ACROSS, machine.Cuda()), way.rows(16, ACROSS))
    partly = rw.Interval(-1.0, 1.5, rw.PartiallyAbsorbing(1.0), REFLECT)
    held = walks(
        Question.of(rw.pde.FokkerPlanck(0.0, 0.5, domain=partly), 1.0, 0.0, 2.0), (0.2,), 0.5, key(SEED), None, None
    )
    try:
        held.rows(16, ACROSS, machine.Cuda())
    except continuous.NotOnDevices as error:
        assert "take backend='cpu'" in str(error)
    else:
        raise AssertionError("a wall that takes from weights went unnoticed")


PARTS: dict[str, Callable[[], None]] = {
    "constant": lambda: paths(CONSTANT, 137), "tossed": tossed, "table": lambda: paths(TABLED, 70),
    "occupation": occupation, "jump": jumps,
    "launches": launches, "digits": digits, "windows": windows, "plane": plane, "space": space, "records": records_in_space,
    "ito": ito, "spheres": spheres, "values": values, "devices": devices, "info": info, "digest": digest, "planted": planted,
}  # fmt: skip

if __name__ == "__main__":
    simulator.mend()
    for part in sys.argv[1:]:
        PARTS[part]()
