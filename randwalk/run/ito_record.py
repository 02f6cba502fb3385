"""Records of the paths of continuous walks: which of :mod:`randwalk.run.record` they have, and how each counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..inputs.memory import SHARE, available
from ..laws.sums import SampleSums
from ..model.ito import ItoWalk
from .average import Average, Averages
from .ito_batch import ItoBatch
from .record import Counted, FirstPassage, Positions
from .results import Passages, Paths


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


def _no_passages(record: Counted, walk: ItoWalk, steps: Sequence[int], walkers: range) -> Passages:
    exits = walk.domain.exits
    counts = np.zeros((steps[-1] + 1, len(exits)), dtype=np.int64)
    return Passages(np.arange(steps[-1] + 1) * walk.dt, counts, len(walkers), exits)


def _passed(record: Counted, result: Passages, row: int, batch: ItoBatch) -> Passages:
    return result.holding(batch.passages()) if batch.steps == result.times.size - 1 else result


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
    return Averages(result.name, result.times, (*result.sums, SampleSums.of(values, (0.0,), 1.0, str(record.f))))


def _average_size(record: Average, walk: ItoWalk, steps: Sequence[int], walkers: int) -> tuple[float, str]:
    return 5000.0 * len(steps), "record fewer times"


KINDS: dict[type, Kind] = {
    FirstPassage: Kind(_no_passages, _passed, _passages_size),
    Positions: Kind(_no_places, _placed, _places_size),
    Average: Kind(_no_average, _averaged, _average_size),
}


def kind_of(record: Counted) -> Kind:
    """How a record works; refused if it is one of lattice walks."""
    if type(record) not in KINDS:
        raise ValueError(
            f"record = {record}: is of walks on a lattice; an Itô walk keeps FirstPassage(), Positions() and Average(f), and "
            "mean and variance always"
        )
    return KINDS[type(record)]
