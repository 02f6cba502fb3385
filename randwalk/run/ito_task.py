"""A run of a continuous walk as a value: what is run, apart from how many walkers and on which machine."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from ..inputs.memory import require
from ..inputs.wording import shown
from ..kernels.ito import State
from ..kernels.philox import key
from ..kernels.program import Keys
from ..laws.places import PlaceSums
from ..model.coefficient import Floats, Function
from ..model.functions import check_unchanged, functions_in
from ..model.ito import ItoWalk
from ..model.scheme import Gaussian, Increments, ThreePoint, TwoPoint
from ..tables.ito_program import ItoProgram, program
from ..tables.table import SMALL
from .bins import Bins, cells_of, given_bins, laid_bins
from .counts import added
from .host import Host
from .ito_batch import ItoBatch, begin
from .ito_counts import ItoCounts
from .ito_record import kind_of
from .machine import Machine
from .plan import Plan
from .record import Record
from .task import checked_records, checked_seed, checked_steps, walker_range

Moves: TypeAlias = Callable[
    [State, int, int, int, Keys], None
]  # of (walkers, first number, first step, last step, key)

BATCH, LEAST = 1 << 15, 1 << 9  # walkers of a batch at most, and at least
DEVICE_BATCH = 1 << 20  # at most on a device, whose walkers come back to the host
WORK = 1 << 27  # coordinates × steps of a batch: about a second
STRIDE = 1 << 26  # coordinates that are moved between two looks for Ctrl-C
PILOT = 1024  # walkers that say where bins lie and about which place sums are taken
# On the machine that randwalk.run.plan has: a coordinate for a step, by the law of the increments, and at a recorded time.
NANOSECONDS: dict[type[Increments], float] = {Gaussian: 2.5, TwoPoint: 0.6, ThreePoint: 1.5}
COUNTING = 20.0


@dataclass(frozen=True)
class ItoPrepared:
    """What a run needs that depends neither on its seed, its bins nor its walkers, each part made when it is first needed."""

    walk: ItoWalk
    steps: tuple[int, ...]
    records: tuple[Record, ...]

    @cached_property
    def functions(self) -> tuple[tuple[str, Function], ...]:
        """The Python functions of the declaration, by the names of the arguments."""
        return tuple(functions_in(self))

    @cached_property
    def program(self) -> ItoProgram:
        """The walk as compiled kernels."""
        return program(self.walk)

    @cached_property
    def pilot(self) -> tuple[Floats, Floats]:
        """(mean, standard deviation) of some walkers at each time."""
        return _pilot(self.walk, self.steps, self.program)

    @cached_property
    def about(self) -> tuple[Floats, Floats]:
        """(places about which sums are taken, shape (times, d); their units, powers of two, shape (times,)): numbers of few
        digits that are the same wherever the task is run."""
        mean, sd = self.pilot
        unit = 2.0 ** np.ceil(np.log2(sd.max(axis=1)))
        return np.rint(mean / unit[:, None] * 16.0) / 16.0 * unit[:, None], unit

    @cached_property
    def bins(self) -> Bins:
        """Those that are taken where none are given."""
        counts = given_bins(self.walk, None)
        assert not isinstance(counts, Bins)
        return self.laid(counts)

    def laid(self, counts: Sequence[int]) -> Bins:
        """So many bins along every axis."""
        return laid_bins(self.walk, counts, [n * self.walk.dt for n in self.steps], *self.pilot)

    @property
    def small(self) -> bool:
        """Whether it may be kept after a run: it takes little memory, and is not made by Python functions, which may read what
        changes where nobody sees it, as by a function of another module."""
        return (
            not self.functions
            and 16 * len(self.steps) * self.walk.dimension + self.program.parameters[-1].nbytes <= SMALL
        )


@dataclass(frozen=True)
class ItoTask:
    """A run without its walkers. Counts of any ranges of walkers add up to the run of all of them, wherever they are made.

    Parameters
    ----------
    walk : ItoWalk
    steps : sequence of int ≥ 0
        The recorded steps, increasing: ``walk.steps(times)``.
    seed : int ≥ 0
    bins : Bins
        :meth:`of` lays them where none are given.
    records : sequence of records
        FirstPassage(), Positions() and Average(f).

    Raises
    ------
    TypeError, ValueError
        for arguments that are none, with a remedy.
    """

    walk: ItoWalk
    steps: tuple[int, ...]
    seed: int
    bins: Bins
    records: tuple[Record, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.walk, ItoWalk):
            raise TypeError(f"walk = {shown(self.walk)}: must be an ItoWalk")
        object.__setattr__(self, "steps", checked_steps(self.steps))
        object.__setattr__(self, "seed", checked_seed(self.seed))
        object.__setattr__(self, "records", checked_records(self.records, "records"))
        for record in self.records:
            kind_of(record)

    @classmethod
    def of(cls, walk: ItoWalk, steps: Sequence[int], seed: int, bins: Any, records: Sequence[Record]) -> ItoTask:
        """The task with bins as :func:`randwalk.simulate` takes them. Where bins have no edges yet, 1024 walkers of seed 0 say
        where walkers are."""
        given, what = None if bins is None else given_bins(walk, bins), (tuple(steps), tuple(records))
        made = walk.kept(what, lambda: ItoPrepared(walk, *what), lambda made: made.small)
        laid = made.bins if given is None else given if isinstance(given, Bins) else made.laid(given)
        task = cls(walk, what[0], seed, laid, what[1])
        vars(task)["prepared"] = made
        return task

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    method = "paths"

    @cached_property
    def prepared(self) -> ItoPrepared:
        """What depends neither on the seed nor on the bins."""
        return ItoPrepared(self.walk, self.steps, self.records)

    @property
    def functions(self) -> tuple[tuple[str, Function], ...]:
        """The Python functions of the declaration, by the names of the arguments."""
        return self.prepared.functions

    def run(self, walkers: int | range, machine: Machine | None = None) -> ItoCounts:
        """The counts of the first `walkers`, or of a range of them, on one thread of this processor or on another `machine`."""
        return added(self.stream(walker_range(walkers), machine))

    def stream(
        self, walkers: range, machine: Machine | None = None, advance: Callable[[float], None] = lambda fraction: None
    ) -> Iterator[ItoCounts]:
        """The counts of one batch of the walkers after another; `advance` is told of each fraction of the work that is done."""
        check_unchanged(self.functions)
        where, keys, made = machine or Host(), key(self.seed), self.prepared
        moves: Moves = lambda state, first, start, stop, keys: where.move(  # noqa: E731
            made.program, state, first, start, stop, made.program.dt, keys
        )
        made.about  # noqa: B018  # made once, before threads need it
        work, width = len(self.steps) * self.walk.dimension + self.steps[-1], 2 * (self.walk.dimension + 4)
        size = min(BATCH, max(LEAST, WORK // (work * self.walk.dimension)))
        counted = where.batches(
            walkers, size, work, width, lambda batch: self._counted(batch, moves, keys), DEVICE_BATCH
        )
        for batch, counts in counted:
            advance(len(batch) / len(walkers))
            yield counts

    def _counted(self, batch: range, moves: Moves, keys: Keys) -> ItoCounts:
        shift, unit = self.prepared.about
        raw, gone, places = [], [], []
        records = {record: kind_of(record).empty(record, self.walk, self.steps, batch) for record in self.records}
        for row, now in enumerate(_paths(self.walk, moves, batch, self.steps, keys)):
            inside = now.state.x[:, now.inside]
            raw.append(self.bins.count(inside))
            gone.append(now.gone())
            places.append(PlaceSums.of(inside, shift[row], float(unit[row])))
            for record, result in records.items():
                records[record] = kind_of(record).add(record, result, row, now)
        return ItoCounts(
            self.walk, self.steps, self.seed, self.bins, (batch,), np.array(raw), np.array(gone), tuple(places), records
        )

    def seconds(self, walkers: int) -> float:
        """The predicted time on a reference machine."""
        return predicted(self.walk, self.steps, walkers)

    def check_memory(self, walkers: int, threads: int) -> None:
        """Refuse a request that cannot fit, before anything runs."""
        batches = min(-(-walkers // BATCH), 2 * threads + 1)
        counts, *records = result_sizes(self.walk, self.steps, self.bins.cells, self.records, walkers)
        sizes = [
            (counts[0] * (2 + batches), counts[1]),
            (8.0 * min(threads * BATCH, walkers) * (self.walk.dimension + 4), "take fewer threads"),
            *((size * 2, remedy) for size, remedy in records),
        ]
        require(sum(size for size, _ in sizes), "the run", max(sizes)[1])


def result_sizes(
    walk: ItoWalk, steps: Sequence[int], cells: int, records: Sequence[Record], walkers: int
) -> list[tuple[float, str]]:
    """(bytes, what makes them fewer) of the counts in so many cells, then of each record."""
    counts = (8.0 * len(steps) * cells, "record fewer times, or take fewer bins")
    return [counts, *(kind_of(record).size(record, walk, steps, walkers) for record in records)]


def explained(walk: ItoWalk, steps: Sequence[int], bins: Any, records: Sequence[Record], walkers: int) -> Plan:
    """The plan of a run, in which every walker is followed."""
    given = given_bins(walk, bins)
    cells = given.cells if isinstance(given, Bins) else cells_of([count + 2 for count in given])
    size = sum(size for size, _ in result_sizes(walk, steps, cells, records, walkers))
    return Plan({"paths": predicted(walk, steps, walkers)}, False, walkers, steps[-1], {"paths": size})


def predicted(walk: ItoWalk, steps: Sequence[int], walkers: int) -> float:
    """The predicted seconds of a run on a reference machine."""
    a_step = NANOSECONDS[type(walk.increments)]
    return 1e-9 * walkers * walk.dimension * (steps[-1] * a_step + len(steps) * COUNTING)


def _paths(walk: ItoWalk, moves: Moves, batch: range, steps: Sequence[int], keys: Keys) -> Iterator[ItoBatch]:
    """The walkers of a batch at each of the recorded steps."""
    state = begin(walk, batch, keys)
    stride = max(1, STRIDE // (len(batch) * walk.dimension))
    done = 0
    for stop in steps:
        while done < stop:
            end = min(done + stride, stop)
            moves(state, batch.start, done, end, keys)
            done = end
        now = ItoBatch(walk, batch, state, stop)
        now.check(lambda walker, well, last=stop: _first(walk, moves, walker, last, keys, well))  # type: ignore[misc]
        yield now


def _first(walk: ItoWalk, moves: Moves, walker: int, last: int, keys: Keys, well: str) -> tuple[ItoBatch, ItoBatch]:
    """A walker before and after the first step after which it is not `well`, as it is not after the `last`: what is no number
    stays so."""

    def after(steps: int) -> ItoBatch:
        batch = range(walker, walker + 1)
        state = begin(walk, batch, keys)
        moves(state, walker, 0, steps, keys)
        return ItoBatch(walk, batch, state, steps)

    first = bisect_left(range(last), True, key=lambda steps: not getattr(after(steps), well).all())
    return after(max(first - 1, 0)), after(first)


def _pilot(walk: ItoWalk, steps: tuple[int, ...], made: ItoProgram) -> tuple[Floats, Floats]:
    """(mean, standard deviation) of some walkers at each time, shape (times, d). A standard deviation is at least that of a step;
    where nobody is left, or one of these walkers came where a coefficient is none, both are those of the time before."""
    low, high = (np.array(ends) for ends in zip(*walk.start.bounds, strict=True))
    mean, sd = 0.5 * (low + high), 0.5 * (high - low)
    least = _least(walk, mean)
    found = []
    with suppress(ValueError):  # the walkers of the run may never come to such a place
        for now in _paths(walk, made.walk, range(PILOT), steps, key(0)):
            inside = now.state.x[:, now.inside]
            if inside.size:
                mean, sd = inside.mean(axis=1), inside.std(axis=1)
            found.append((mean, np.maximum(sd, least)))
    found += [(mean, np.maximum(sd, least))] * (len(steps) - len(found))
    means, sds = zip(*found, strict=True)
    return np.array(means), np.array(sds)


def _least(walk: ItoWalk, place: Floats) -> Floats:
    """The standard deviation of a step at a place; along axes without noise as much as the drift moves, or 1."""
    here = tuple(np.asarray(x) for x in place)
    moved = []
    for i, a in enumerate(walk.drift):
        noise = math.sqrt(max(2.0 * float(walk.diffusion[i, i](here, 0.0)), 0.0) * walk.dt)
        moved.append(noise or abs(float(a(here, 0.0))) * walk.dt)
    largest = max(moved) or 1.0
    return np.array([value or largest for value in moved])
