"""The one verb of simulation: a walk, walkers and times in, an ensemble out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from .ensemble import Ensemble
from .inputs.arguments import one_of
from .inputs.keywords import once_positional
from .inputs.memory import require
from .inputs.wording import shown
from .kernels.backend import DeviceError
from .kernels.step import PLANES
from .model.walk import LatticeWalk
from .run.devices import BACKENDS, choose
from .run.occupation import occupation
from .run.paths import BATCH, Jumps, StepByStep, Stride, follow, planes
from .run.record import FUNCTIONALS, FirstPassage, Paths, Positions, Record, Recorded, _Counted
from .run.threads import share
from .tables.table import StepTable
from .tables.window import leak_tolerance, table_for
from .terminal.progress import progress_bar

MOST_WALKERS = 1 << 53
METHODS = ("auto", "paths", "occupation", "jump")

# Nanoseconds on two cores, between those of an AMD EPYC with AVX2 and of one with AVX-512 (`python -m benchmarks` compares).
# The rule of method="auto" is made of them, so it is the same on every machine.
COIN, DIGITS, TABLE, FOLLOW = 0.008, 0.08, 0.6, 5.0  # a step: p = ½, other constants, from a table, followed
SITE, DRAW, SETUP = 20.0, 1.2, 1.5e6  # a site for a step; a walker for a recorded time; what any run takes


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during a run. `ensemble` holds the walkers that were finished, as a run of that many would have given them
    (None if there are none); ``ensemble.extend(walkers)`` goes on."""

    def __init__(self, ensemble: Ensemble | None) -> None:
        done = ensemble.walkers if ensemble is not None else 0
        super().__init__(f"interrupted with {done:,} walkers finished; they are in the exception's .ensemble")
        self.ensemble = ensemble


@dataclass(frozen=True)
class Plan:
    """How a run would be done: predicted seconds of each method that can do it, and the one `method="auto"` takes."""

    seconds: dict[str, float]

    @property
    def method(self) -> str:
        return min(self.seconds, key=lambda name: self.seconds[name])

    def __str__(self) -> str:
        listed = ", ".join(f"{name} {seconds:.3g} s" for name, seconds in self.seconds.items())
        return f"{self.method} (predicted: {listed})"


@once_positional("seed", "method", "record", "threads", "progress", "backend", "devices")
def simulate(
    walk: LatticeWalk,
    walkers: int | range,
    times: ArrayLike,
    *,
    seed: int = 0,
    method: str = "auto",
    record: Sequence[Record] = (),
    threads: int | None = None,
    progress: bool = False,
    backend: str = "cpu",
    devices: Sequence[int] | None = None,
) -> Ensemble:
    """Run independent walkers and count them at the recorded times.

    Parameters
    ----------
    walk : LatticeWalk
    walkers : int or range
        How many; a range runs those numbers only (parts of one run can be made in different places and merged).
    times : number or increasing numbers
        When walkers are counted: whole multiples of ``walk.dt``, each later than the one before.
    seed : int ≥ 0
        Same seed, same bits: whatever the threads, the batches, the machine.
    method : "auto", "paths", "occupation" or "jump"
        ``paths`` follows every walker, and alone can keep every record. ``occupation`` steps the histogram: its cost is
        sites × steps whatever the number of walkers, its law that of independent walkers; of the records it can keep
        FirstPassage(). ``jump`` draws from the
        exact law between recorded times; constant walks on a line only. ``auto`` takes the cheapest by a fixed rule of the
        walk, walkers, times and records (:func:`explain` shows it), never of the machine.
    record : sequence of FirstPassage(), LastVisit(x), TimePositive(x), Maximum(), SquaredDisplacement(), Positions()
        What to keep besides counts; ``ensemble[record]`` gives it.
    threads : int, optional
        At most this many; never changes a result.
    progress : bool
        Show a progress bar.
    backend : "cpu", "cuda" or "auto"
        The same results, bit for bit. ``cuda`` needs the extra ``randwalk-pde[cuda]``; ``auto`` takes a usable GPU where the
        predicted work is seconds.
    devices : sequence of int, optional
        CUDA devices that share the walkers; the first one if not given.

    Returns
    -------
    Ensemble

    Raises
    ------
    ValueError, MemoryError
        before anything runs, with argument, value and remedy.
    Interrupted
        on Ctrl-C, with the walkers finished so far.
    DeviceError
        where a GPU is asked for and missing, or fails (with the walkers finished so far).

    Examples
    --------
    >>> walk = LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0)
    >>> simulate(walk, walkers=10_000, times=[100], seed=1, method="paths").mean(100)
    -0.2164 ± 0.1
    """
    steps = tuple(_walk(walk).steps(times))
    span = _walkers(walkers)
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ValueError(f"seed = {shown(seed)}: must be a whole number ≥ 0")
    one_of("method", method, METHODS)
    one_of("backend", backend, BACKENDS)
    records = _records(record)
    done = run(walk, span, steps, int(seed), method, records, threads, progress, backend, devices)
    walk.warn_if_slow(done.sites, done.counts, done.times)
    return done


@once_positional("record")
def explain(walk: LatticeWalk, walkers: int | range, times: ArrayLike, *, record: Sequence[Record] = ()) -> Plan:
    """Which method ``simulate(..., method="auto")`` takes, and the predicted seconds of each that can do the run.

    The arguments are those of :func:`simulate`; nothing is run. The seconds are those of a reference machine, so that the
    choice is the same on every machine.

    >>> explain(LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0), walkers=10**9, times=[100]).method
    'occupation'
    """
    steps = tuple(_walk(walk).steps(times))
    span, records = _walkers(walkers), _records(record)
    return _plan(table_for(walk, steps[-1], leak_tolerance(span.stop)), span, steps, records)


def run(
    walk: LatticeWalk,
    walkers: range,
    steps: tuple[int, ...],
    seed: int,
    method: str,
    records: list[Record],
    threads: int | None,
    progress: bool,
    backend: str = "cpu",
    devices: Sequence[int] | None = None,
) -> Ensemble:
    """As :func:`simulate`, from checked arguments and whole steps."""
    table = table_for(walk, steps[-1], leak_tolerance(walkers.stop))
    plan = _plan(table, walkers, steps, records)
    if method == "auto":
        method = plan.method
    if method not in plan.seconds:
        raise ValueError(f"method = {method!r} cannot do this run: {_why_not(method, table, records)}")
    paths: dict[Record, list[Paths]] = {}
    with share(threads) as taken, progress_bar(f"simulating by {method}", 1.0, progress) as advance:
        _check_memory(table, walkers, steps, records, method, taken)
        nobody = np.zeros((len(steps), table.sites + 3), dtype=np.int64)
        done = Ensemble(walk, table, seed, method, (), steps, nobody, {})
        where = choose(backend, devices, plan.seconds[method], taken)
        try:
            if method == "occupation":
                before, raw = 0.0, done.raw
                results: list[Recorded] = []
                for fraction, raw, results in occupation(table, walkers, steps, seed, records, where):  # noqa: B007
                    advance(fraction - before)
                    before = fraction
                return replace(done, parts=(walkers,), raw=raw, records=dict(zip(records, results, strict=True)))
            stride: Stride = Jumps(table, steps) if method == "jump" else StepByStep(table)
            for batch, raw, results in follow(table, walkers, steps, seed, records, stride, where):
                so_far = dict(done.records)
                for record, result in zip(records, results, strict=True):
                    if isinstance(result, Paths):
                        paths.setdefault(record, []).append(result)
                        so_far[record] = result
                    else:
                        so_far[record] = so_far[record] + result if record in so_far else result  # type: ignore[operator]
                done = replace(
                    done, parts=(range(walkers.start, batch.stop),), raw=done.raw + raw, records=so_far
                )  # fmt: skip
                advance(len(batch) / len(walkers))
            return _with_paths(done, paths)
        except KeyboardInterrupt:
            raise Interrupted(_with_paths(done, paths) if done.parts else None) from None
        except DeviceError as error:
            error.ensemble = _with_paths(done, paths) if done.parts else None
            raise


def _with_paths(done: Ensemble, paths: dict[Record, list[Paths]]) -> Ensemble:
    """The ensemble with the paths of all its batches; joined once, because each joining copies them."""
    joined = {record: Paths.joined(parts) for record, parts in paths.items()}
    return replace(done, records=done.records | {k: Paths(p.times, p.x[:, : done.walkers]) for k, p in joined.items()})


@once_positional("seed", "progress")
def trajectories(
    walk: LatticeWalk, walkers: int | range, times: ArrayLike, *, seed: int = 0, progress: bool = False
) -> Paths:
    """Whole paths, for plotting: the place of each walker at each of `times`, shape (times, walkers) in ``.x``.

    They are the paths that ``simulate(..., method="paths")`` counts, walker by walker. An absorbed walker is at its wall, a
    killed one at NaN. The arguments are those of :func:`simulate`.

    >>> trajectories(LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0), walkers=2, times=range(6), seed=1).x.T
    array([[ 0., -1.,  0.,  1.,  2.,  1.],
           [ 0.,  1.,  0.,  1.,  0., -1.]])
    """
    paths: Paths = simulate(walk, walkers, times, seed=seed, method="paths", record=[Positions()], progress=progress)[
        Positions()
    ]
    return paths


def _walk(walk: object) -> LatticeWalk:
    if not isinstance(walk, LatticeWalk):
        raise TypeError(f"walk = {shown(walk)}: must be a LatticeWalk")
    return walk


def _records(record: object) -> list[Record]:
    if isinstance(record, _Counted):
        raise TypeError(f"record = {record!r}: give a list, record=[{record!r}]")
    if not isinstance(record, (list, tuple)):
        raise TypeError(f"record = {shown(record)}: give a list like [FirstPassage()], or leave it out")
    for item in record:
        if not isinstance(item, _Counted):
            raise TypeError(
                f"record = {shown(item)}: must be FirstPassage(), LastVisit(x), TimePositive(x), Maximum(), …"
            )
    if len(set(record)) < len(record):
        raise ValueError(f"record has {list(record)}: each only once")
    return list(record)


def _walkers(walkers: int | range) -> range:
    if isinstance(walkers, range):
        if walkers.step != 1 or not 0 <= walkers.start < walkers.stop:
            raise ValueError(
                f"walkers = {shown(walkers)}: a range must start at 0 or above, have step 1 and not be empty"
            )
        span = walkers
    elif isinstance(walkers, bool) or not isinstance(walkers, (int, np.integer)):
        hint = f"; write {int(walkers)}" if type(walkers) is float and walkers.is_integer() else ""
        raise TypeError(f"walkers = {shown(walkers)}: must be a whole number{hint}")
    else:
        span = range(int(walkers)) if walkers > 0 else range(0)
    if not span:
        raise ValueError(f"walkers = {shown(walkers)}: must be at least 1")
    if span.stop > MOST_WALKERS:
        raise ValueError(f"walkers = {shown(walkers)}: at most 2⁵³ = {MOST_WALKERS} are counted exactly")
    return span


def _plan(table: StepTable, walkers: range, steps: Sequence[int], records: Sequence[Record]) -> Plan:
    """The fixed rule of ``method="auto"``: predicted cost of the methods that can do the run."""
    digits = planes(table)
    followed = any(isinstance(r, FUNCTIONALS) for r in records)
    kept = any(
        not isinstance(r, FirstPassage) for r in records if isinstance(r, FUNCTIONALS)
    )  # first passages cost no more
    per_step = (
        FOLLOW
        if kept or (followed and digits)
        else TABLE
        if not digits
        else COIN + (DIGITS - COIN) * (digits - 1) / (PLANES - 1)
    )
    walked = min(float(steps[-1]), _lifetime(table))
    seconds = {"paths": 1e-9 * (len(walkers) * (walked * per_step + DRAW * len(steps)) + SETUP)}
    if all(isinstance(r, FirstPassage) for r in records):
        seconds["occupation"] = 1e-9 * (SITE * steps[-1] * table.sites + SETUP)
    if digits and not followed:
        seconds["jump"] = 1e-9 * (len(walkers) * len(steps) * DRAW + SETUP)
    return Plan(seconds)


def _lifetime(table: StepTable) -> float:
    """About how many steps a walker makes before it is absorbed: N²/4(p + q) free steps on N sites between absorbing walls."""
    walls = [face.wall for face in table.walk.domain.faces]
    if len(walls) < 2 or not all(math.isinf(wall.reactivity) for wall in walls):
        return math.inf
    middle = float(table.x[table.sites // 2])
    moving = float(table.walk.right(middle, 0.0) + table.walk.left(middle, 0.0))
    return table.sites**2 / (4.0 * moving) if moving > 0.0 else math.inf


def _why_not(method: str, table: StepTable, records: Sequence[Record]) -> str:
    if method == "occupation":
        return f"it keeps counts and FirstPassage() only, not {[r for r in records if not isinstance(r, FirstPassage)]}"
    return (
        "it needs constant probabilities on the whole line, without killing" if not planes(table)
        else "it knows walkers at the recorded times only; take method='paths' for records of whole paths"
    )  # fmt: skip


def _check_memory(
    table: StepTable, walkers: range, steps: Sequence[int], records: Sequence[Record], method: str, threads: int
) -> None:
    """Refuse a request that cannot fit, before anything runs.

    There are two of every result, that of the walkers so far and the sum with the next; and one for each batch of walkers
    that a thread has finished or works at. Places of walkers are in parts, and joined.
    """
    batches = 0 if method == "occupation" else min(-(-len(walkers) // BATCH), 2 * threads + 1)
    sizes = [(8.0 * len(steps) * (table.sites + 3) * (2 + batches), "record fewer times, or take a larger dx")]
    for record in records:
        size, remedy = record.size(table, len(walkers), steps)
        sizes.append((size * (2 if isinstance(record, Positions) else 2 + batches), remedy))
    require(sum(size for size, _ in sizes), "the run", max(sizes)[1])
