"""The one verb of simulation: a walk, walkers and times in, an ensemble out."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.typing import ArrayLike

from .ensemble import Effort, Ensemble, Interrupted, collect
from .inputs.arguments import one_of
from .inputs.keywords import once_positional
from .model.walk import LatticeWalk
from .run.devices import BACKENDS
from .run.plan import METHODS, Plan, plan
from .run.record import Positions, Record
from .run.results import Paths
from .run.task import Task, checked_records, checked_seed, checked_walk, walker_range

__all__ = ["Interrupted", "Plan", "explain", "simulate", "trajectories"]

AUTO = ("auto", *METHODS)


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
        How many; a range runs those numbers only. Ranges of one run can be made in different places and merged; with
        ``method="auto"`` they are followed by ``paths``, or by ``jump`` where it can, whatever the range.
    times : number or increasing numbers
        When walkers are counted: whole multiples of ``walk.dt``, each later than the one before.
    seed : int ≥ 0
        Same seed, same bits: whatever the threads, the batches, the machine.
    method : "auto", "paths", "occupation" or "jump"
        ``paths`` follows every walker, and alone can keep every record. ``occupation`` steps the histogram: its cost is
        sites × steps whatever the number of walkers, its law that of independent walkers; of the records it can keep
        FirstPassage(), and Moments() and Displacement(axis) of walkers that start on one site. ``jump`` draws from the exact
        law between recorded times, axis by axis; constant walks without walls only, whose axes step independently. ``auto``
        takes the cheapest by a fixed rule of the walk, walkers, times and records (:func:`explain` shows it), never of the
        machine.
    record : sequence of records
        What to keep besides counts; ``ensemble[record]`` gives it. FirstPassage(), LastVisit(x), Maximum(axis),
        Displacement(axis), Moments(), TimeIn(shape), Winding(axis), DistinctSites(), Positions(); in one dimension
        TimePositive(x) and SquaredDisplacement(), too.
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
    steps = tuple(checked_walk(walk).steps(times))
    span, seed = walker_range(walkers), checked_seed(seed)
    one_of("method", method, AUTO)
    one_of("backend", backend, BACKENDS)
    records = checked_records(record)
    walk.warn_if_quick(steps[-1] * walk.dt)
    if method == "auto":
        method = plan(walk, span, steps, records, part=isinstance(walkers, range)).method
    task = Task(walk, steps, seed, method, records)
    done = collect(task, [span], None, Effort(threads, progress, backend, devices))
    if done.counted:
        walk.warn_if_slow(done.table.point, done.counts, done.times)
    return done


@once_positional("record")
def explain(walk: LatticeWalk, walkers: int | range, times: ArrayLike, *, record: Sequence[Record] = ()) -> Plan:
    """Which method ``simulate(..., method="auto")`` takes, and the predicted seconds of each that can do the run.

    The arguments are those of :func:`simulate`; nothing is run. The seconds are those of a reference machine, so that the
    choice is the same on every machine.

    >>> explain(LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0), walkers=10**9, times=[100]).method
    'occupation'
    """
    steps = tuple(checked_walk(walk).steps(times))
    span, records = walker_range(walkers), checked_records(record)
    walk.warn_if_quick(steps[-1] * walk.dt)
    return plan(walk, span, steps, records, part=isinstance(walkers, range))


@once_positional("seed", "progress")
def trajectories(
    walk: LatticeWalk, walkers: int | range, times: ArrayLike, *, seed: int = 0, progress: bool = False
) -> Paths:
    """Whole paths, for plotting: the place of each walker at each of `times`, shape (times, walkers) in ``.x``, and (times,
    walkers, d) in d > 1 dimensions.

    They are the paths that ``simulate(..., method="paths")`` counts, walker by walker. An absorbed walker is where it left, a
    killed one at NaN. The arguments are those of :func:`simulate`.

    >>> trajectories(LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0), walkers=2, times=range(6), seed=1).x.T
    array([[ 0., -1.,  0.,  1.,  2.,  1.],
           [ 0.,  1.,  0.,  1.,  0., -1.]])
    """
    paths: Paths = simulate(walk, walkers, times, seed=seed, method="paths", record=[Positions()], progress=progress)[
        Positions()
    ]
    return paths
