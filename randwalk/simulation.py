"""The one verb of simulation: a walk, walkers and times in, an ensemble out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike

from .collect import Interrupted, collect
from .ensemble import Ensemble
from .inputs.arguments import one_of
from .inputs.keywords import once_positional
from .inputs.wording import shown
from .ito_ensemble import ItoEnsemble
from .model.ito import ItoWalk
from .model.rule import Rule
from .model.walk import LatticeWalk
from .run.devices import BACKENDS
from .run.effort import Effort
from .run.executor import RangeFailed
from .run.ito_task import ItoTask, explained
from .run.plan import METHODS, Plan, plan
from .run.record import Record, Trajectories
from .run.results import Paths
from .run.task import Task, checked_records, checked_seed, checked_walk, walker_range

__all__ = ["Interrupted", "Plan", "RangeFailed", "explain", "simulate", "trajectories"]

AUTO = ("auto", *METHODS)


@overload
def simulate(
    walk: LatticeWalk,
    walkers: int | range,
    times: ArrayLike,
    *,
    seed: int = ...,
    method: str = ...,
    bins: None = ...,
    record: Sequence[Record] = ...,
    threads: int | None = ...,
    progress: bool = ...,
    backend: str = ...,
    devices: Sequence[int] | None = ...,
    executor: Any = ...,
    out: str | Path | None = ...,
) -> Ensemble: ...
@overload
def simulate(
    walk: ItoWalk,
    walkers: int | range,
    times: ArrayLike,
    *,
    seed: int = ...,
    method: str = ...,
    bins: Any = ...,
    record: Sequence[Record] = ...,
    threads: int | None = ...,
    progress: bool = ...,
    backend: str = ...,
    devices: Sequence[int] | None = ...,
    executor: Any = ...,
    out: str | Path | None = ...,
) -> ItoEnsemble: ...
@once_positional("seed", "method", "record", "threads", "progress", "backend", "devices")
def simulate(
    walk: LatticeWalk | ItoWalk,
    walkers: int | range,
    times: ArrayLike,
    *,
    seed: int = 0,
    method: str = "auto",
    bins: Any = None,
    record: Sequence[Record] = (),
    threads: int | None = None,
    progress: bool = False,
    backend: str = "cpu",
    devices: Sequence[int] | None = None,
    executor: Any = None,
    out: str | Path | None = None,
) -> Ensemble | ItoEnsemble:
    """Run independent walkers and count them at the recorded times.

    Parameters
    ----------
    walk : LatticeWalk or ItoWalk
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
        law between recorded times, axis by axis; constant walks on lines and rings only, whose axes step independently.
        ``auto`` takes the cheapest by a fixed rule of the walk, walkers, times and records (:func:`explain` shows it), never of
        the machine; on rings it does not take ``jump``. Of an Itô walk every walker is followed.
    bins : number of bins, or edges, or one of these for each axis
        In which the walkers of an Itô walk are counted. Left out, there are 64 along an axis (32 of three) over the domain, on an
        unbounded axis over ± 5 standard deviations. In more than three dimensions every coordinate is counted by itself.
    record : sequence of records
        What to keep besides counts; ``ensemble[record]`` gives it. FirstPassage(), LastVisit(x), Maximum(axis),
        Displacement(axis), Moments(), TimeIn(shape), Visits(set), Winding(axis), DistinctSites(), Positions(); in one dimension
        TimePositive(x) and SquaredDisplacement(), too. Of walkers without walls on so many sites that they cannot be counted
        (a long walk in space), records of displacements, Winding and Positions are kept all the same. Of an Itô walk
        FirstPassage(), Average(f) and Positions().
    threads : int, optional
        At most this many; never changes a result. With an executor, those of each of its workers, one if not given.
    progress : bool
        Show a progress bar.
    backend : "cpu", "cuda" or "auto"
        The same results, bit for bit. ``cuda`` needs the extra ``randwalk-pde[cuda]``; ``auto`` takes a usable GPU where the
        predicted work is seconds.
    devices : sequence of int, optional
        CUDA devices that share the walkers; the first one if not given.
    executor : object with submit(f, *args), or a function that makes one
        Whose workers run the walkers, in ranges of a minute at most: an executor of concurrent.futures, a Client of
        dask.distributed, joblib's loky, mpi4py.futures. The same results, bit for bit. The range of a worker that is lost is
        submitted again; where an executor takes no more work after that (one of processes), a function that makes another one
        goes on. A run by ``occupation`` is drawn as a whole, by one worker after another, in stretches of a minute at most.
    out : path that ends in .npz or .nc, optional
        Where the ensemble is saved, every minute and at the end. If the file holds walkers of this run already, these are not run
        again: the same call goes on where it stopped. A run by ``occupation`` is kept midway, too, in ``NAME.unfinished.npz``
        (or ``.nc``) beside it, as an ensemble of all its walkers at the recorded times so far and now.
        The run is that of the walk in the file, in which traced Python functions stand as formulas (their values may differ in
        the last digit); opaque ones are refused.

    Returns
    -------
    Ensemble, or ItoEnsemble of an Itô walk

    Raises
    ------
    ValueError, MemoryError
        before anything runs, with argument, value and remedy.
    Interrupted
        on Ctrl-C, with the walkers finished so far.
    DeviceError
        where a GPU is asked for and missing, or fails (with the walkers finished so far).
    RangeFailed
        where an executor could not run a range of walkers, with the reason (and the walkers that were finished).

    Examples
    --------
    >>> walk = LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0)
    >>> simulate(walk, walkers=10_000, times=[100], seed=1, method="paths").mean(100)
    -0.2164 ± 0.1
    """
    span, seed, records = walker_range(walkers), checked_seed(seed), checked_records(record)
    one_of("method", method, AUTO)
    one_of("backend", backend, BACKENDS)
    effort = Effort(threads, progress, backend, devices, executor)
    if isinstance(walk, ItoWalk):
        if method not in ("auto", "paths"):
            raise ValueError(f"method = {method!r}: the walkers of an Itô walk are followed, by method='paths'")
        of_ito = ItoTask.of(walk, walk.steps(times), seed, bins, records)
        followed: ItoEnsemble = collect(ItoEnsemble, of_ito, [span], None, effort, out)
        return followed
    steps = tuple(checked_walk(walk).steps(times))
    if bins is not None:
        raise ValueError(
            "bins: walkers on a lattice are counted on its sites; leave it out, and give edges to mass(edges, t)"
        )
    walk.warn_if_quick(steps[-1] * walk.dt)
    task = Task.asked(walk, span, steps, seed, method, records, part=isinstance(walkers, range))
    done: Ensemble = collect(Ensemble, task, [span], None, effort, out)
    if walk.rule is Rule.CAPPED and done.counted:
        table = done.tally.table
        walk.warn_if_slow(table.point, table.layout.live(done.tally.raw), done.times)
    return done


@once_positional("record")
def explain(
    walk: LatticeWalk | ItoWalk,
    walkers: int | range,
    times: ArrayLike,
    *,
    record: Sequence[Record] = (),
    bins: Any = None,
    workers: int | None = None,
) -> Plan:
    """Which method ``simulate(..., method="auto")`` takes, and the predicted seconds of each that can do the run.

    The other arguments are those of :func:`simulate`; nothing is run. The seconds are those of a reference machine of two cores,
    so that the choice is the same on every machine. With `workers`, those of an executor, each of one core, the plan also says
    how much work the run is, how many bytes its result takes, in how many ranges it would be cut and how long the workers
    would take.

    >>> explain(LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0), walkers=10**9, times=[100]).method
    'occupation'
    """
    span, records = walker_range(walkers), checked_records(record)
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, (int, np.integer)) or workers < 1):
        raise ValueError(f"workers = {shown(workers)}: must be a whole number, at least 1")
    if isinstance(walk, ItoWalk):
        found = explained(walk, walk.steps(times), bins, records, len(span))
    else:
        steps = tuple(checked_walk(walk).steps(times))
        walk.warn_if_quick(steps[-1] * walk.dt)
        found = plan(walk, span, steps, records, part=isinstance(walkers, range))
    return replace(found, workers=workers)


@once_positional("seed", "progress")
def trajectories(
    walk: LatticeWalk | ItoWalk, walkers: int | range, times: ArrayLike, *, seed: int = 0, progress: bool = False
) -> Paths:
    """Whole paths, for plotting: the place of each walker at each of `times`, shape (times, walkers) in ``.x``, and (times,
    walkers, d) in d > 1 dimensions.

    They are the paths that ``simulate(..., method="paths")`` counts, walker by walker. An absorbed walker is where it left, a
    killed one at NaN. The arguments are those of :func:`simulate`.

    >>> trajectories(LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0), walkers=2, times=range(6), seed=1).x.T
    array([[ 0., -1.,  0.,  1.,  2.,  1.],
           [ 0.,  1.,  0.,  1.,  0., -1.]])
    """
    record = Trajectories()
    run: Any = simulate(walk, walkers, times, seed=seed, method="paths", record=[record], progress=progress)
    paths: Paths = run[record]
    return paths
