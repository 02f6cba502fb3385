"""Records of the paths of continuous walks: which of :mod:`randwalk.run.record` they have, and how each counts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ..inputs.memory import SHARE, available
from ..laws.places import PlaceSums
from ..laws.sums import SampleSums
from ..model.ito import ItoWalk
from .average import Average, Averages
from .exit_times import Departed, Departures, ExitTimes
from .ito_batch import ItoBatch
from .record import Counted, FirstPassage, Positions, Trajectories
from .results import Paths


class Kind(NamedTuple):
    """How a record works.

    Attributes
    ----------
    empty
        (record, walk, recorded steps, walkers) → its result before anybody is counted.
    add
        (record, result, number of the recorded time, batch) → the result with the batch at that time.
    size
        (record, walk, recorded steps, number of walkers) → (bytes of the result, the remedy if they are too many).
    """

    empty: Callable[[Any, ItoWalk, Sequence[int], range], Any]
    add: Callable[[Any, Any, int, ItoBatch], Any]
    size: Callable[[Any, ItoWalk, Sequence[int], int], tuple[float, str]]


def _no_passages(record: Counted, walk: ItoWalk, steps: Sequence[int], walkers: range) -> ExitTimes:
    exits, none = walk.domain.exits, np.zeros((walk.dimension, 0))
    counts = np.zeros((steps[-1] + 1, len(exits)), dtype=np.int64)
    times = SampleSums.of(np.empty(0), (0.0,), power_of_two(steps[-1] * walk.dt), "times of passage")
    places = PlaceSums.of(none, *_about(walk, steps[-1]))
    return ExitTimes(
        np.arange(steps[-1] + 1) * walk.dt, counts, len(walkers), exits, (times,) * len(exits), (places,) * len(exits)
    )


def _about(walk: ItoWalk, steps: int) -> tuple[np.ndarray, float]:
    """(the middle of the start, about how far walkers come): what sums of places are about, and their unit."""
    middle = np.array([0.5 * (low + high) for low, high in walk.start.bounds])
    here = tuple(np.asarray(x) for x in middle)
    spread = max(abs(float(walk.diffusion[i, i](here, 0.0))) for i in range(walk.dimension)) * steps * walk.dt
    return middle, power_of_two(math.sqrt(2.0 * spread))


def _passed(record: Counted, result: ExitTimes, row: int, batch: ItoBatch) -> ExitTimes:
    if batch.steps < result.times.size - 1:
        return result
    time, place, exit = batch.state.gone_at, batch.state.x, batch.state.exit
    shift, unit = _about(batch.walk, batch.steps)
    left = [exit == 1 + way for way in range(len(result.exits))]
    sums = tuple(SampleSums.of(time[gone], (0.0,), result.sums[0].unit, "times of passage") for gone in left)
    spots = tuple(PlaceSums.of(place[:, gone], shift, unit) for gone in left)
    return replace(result, counts=batch.passages(), sums=sums, spots=spots)


def _not_departed(record: Counted, walk: ItoWalk, steps: Sequence[int], walkers: range) -> Departed:
    axes = (walk.dimension,) if walk.dimension > 1 else ()
    n = len(walkers)
    return Departed(
        (walkers,), steps[-1] * walk.dt, walk.domain.exits, np.full(n, math.inf), np.full(n, -1), np.empty((n, *axes))
    )


def _departed(record: Counted, result: Departed, row: int, batch: ItoBatch) -> Departed:
    gone, place = ~batch.inside, batch.state.x.T.copy()
    time = np.where(gone, batch.state.gone_at, math.inf)
    exit = batch.state.exit.astype(np.int64) - 1
    return replace(result, time=time, exit=exit, place=place if batch.walk.dimension > 1 else place[:, 0])


def _departed_size(record: Counted, walk: ItoWalk, steps: Sequence[int], walkers: int) -> tuple[float, str]:
    each = 8.0 * (2 + walk.dimension)
    return each * walkers, f"take walkers ≤ {max(1, int(0.4 * SHARE * available() / each))}, or record FirstPassage()"


def _passages_size(record: Counted, walk: ItoWalk, steps: Sequence[int], walkers: int) -> tuple[float, str]:
    return 8.0 * (len(walk.domain.exits) + 1) * steps[-1], f"leave {record} out, take shorter times, or a larger dt"


def _no_places(record: Counted, walk: ItoWalk, steps: Sequence[int], walkers: range) -> Paths:
    axes = (walk.dimension,) if walk.dimension > 1 else ()
    block = np.empty((len(steps), len(walkers), *axes))
    return Paths(np.array(walk.recorded(steps).asked), (walkers,), (block,), walk.domain)


def _placed(record: Counted, result: Paths, row: int, batch: ItoBatch) -> Paths:
    killed = batch.state.exit == len(batch.walk.domain.exits)
    places = np.where(killed, np.nan, batch.state.x)
    result.blocks[0][row] = places.T if batch.walk.dimension > 1 else places[0]
    return result


def _places_size(record: Counted, walk: ItoWalk, steps: Sequence[int], walkers: int) -> tuple[float, str]:
    each = 8.0 * len(steps) * walk.dimension
    return each * walkers, f"take walkers ≤ {max(1, int(0.4 * SHARE * available() / each))}, or record fewer times"


def _no_average(record: Average, walk: ItoWalk, steps: Sequence[int], walkers: range) -> Averages:
    return Averages(str(record.f), np.array(walk.recorded(steps).asked), ())


def _averaged(record: Average, result: Averages, row: int, batch: ItoBatch) -> Averages:
    values = record.values(batch.walk, batch.state.x, batch.time, batch.inside)
    good = np.isfinite(values)
    if not good.all():
        at = int(np.argmin(good))
        raise ValueError(
            f"record = {record}: {record.f} is {values[at]:g} where {batch.told(at)}; it must be a finite number wherever "
            "walkers come, or walls must stand before such places"
        )
    return Averages(result.name, result.times, (*result.sums, SampleSums.of(values, (0.0,), 1.0, str(record.f))))


def _average_size(record: Average, walk: ItoWalk, steps: Sequence[int], walkers: int) -> tuple[float, str]:
    return 5000.0 * len(steps), "record fewer times"


KINDS: dict[type, Kind] = {
    FirstPassage: Kind(_no_passages, _passed, _passages_size),
    Departures: Kind(_not_departed, _departed, _departed_size),
    **dict.fromkeys((Positions, Trajectories), Kind(_no_places, _placed, _places_size)),
    Average: Kind(_no_average, _averaged, _average_size),
}


def kind_of(record: Counted) -> Kind:
    """How a record works; refused if it is one of lattice walks."""
    if type(record) not in KINDS:
        raise ValueError(
            f"record = {record}: is of walks on a lattice; an Itô walk keeps FirstPassage(), Departures(), Positions() and "
            "Average(f), and mean and variance always"
        )
    return KINDS[type(record)]


def power_of_two(value: float) -> float:
    """The power of two next to a positive number; 1 for 0 and for what is no number."""
    return 2.0 ** round(math.log2(value)) if 0.0 < value < math.inf else 1.0
