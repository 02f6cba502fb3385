"""Answers on growing windows of a domain without ends, until they settle."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np

from randwalk.model.coefficient import Floats
from randwalk.tables.table import StepTable
from randwalk.tables.window import table_on

from .excursion import FOUND, LOST, Excursion, excursion
from .passage import HitOnly, HittingTime, Passage
from .places import Numbers
from .question import Question
from .site_chain import SiteChain

AROUND: Final = 32  # sites of the first window on either side of the starts
WIDER: Final = 1.25  # by which a window grows that is too narrow
LARGEST: Final = 1 << 20  # sites of a window
AGREE: Final = 1e-12  # relative difference of two bounds of a probability
TINY: Final = 1e-300  # of a probability
SETTLED: Final = 1e-10  # relative change of mean and variance with the window
NEAR: Final = 16  # sites of the first window around starts and places in several dimensions
MOST: Final = (1 << 19, 1 << 14)  # sites of a window in the plane, in space
FALLS: Final = (
    1.5  # power of a change to which the next falls, of windows twice as wide: 2 if errors decay exponentially
)
STEEP: Final = (
    1.0 / 1024.0
)  # of a change, to which the next falls by a power of the width that walks in the plane do not have
SMALL: Final = (1e-7, 1e-9)  # a change that falls so, after which what is left is rounding
HOPEFUL: Final = 1.3  # a lower power, at which windows are still widened if changes halve


class Way(NamedTuple):
    """How a passage is asked on the sites of a table, and whether it begins with a step."""

    on_table: Callable[[Question, StepTable, Passage], HittingTime]
    stepped: bool


def _from_starts(question: Question, table: StepTable, passage: Passage) -> HittingTime:
    return passage.from_starts(*question.starts(table, passage))


def _from_first_step(question: Question, table: StepTable, passage: Passage) -> HittingTime:
    (site,) = question.starts(table, passage)[0].reshape(-1).tolist()
    return passage.first_step(site)


FROM_STARTS: Final = Way(_from_starts, False)
AFTER_A_STEP: Final = Way(_from_first_step, True)


def lost(chain: SiteChain, exit: int) -> Excursion:
    """A walker that steps over the edge of a window counts as lost."""
    return LOST


def _found(chain: SiteChain, exit: int) -> Excursion:
    """A walker that steps over the edge of a window counts as one that hits the target."""
    return FOUND


def going_on(chain: SiteChain, exit: int) -> Excursion:
    """The excursion over the edge of a window from which on all probabilities are those of the edge."""
    edge, inward = (-1, 1) if exit else (0, 0)
    return excursion(float(chain.leave[exit, edge]), float(chain.chance[inward, edge]), float(chain.leave[-1, edge]))


def settled(question: Question, way: Way) -> HittingTime:
    """The answer on growing windows. Two probabilities must meet: of walkers that never leave the window, and that which would
    hold if probabilities were the same from the edge on. The moments of those that never leave it must settle. So the answer is
    right if walkers farther out are not driven back more than at the edge, or are there so already."""
    walk, before, told = question.walk, None, "its first window is refused"
    try:
        for table in windows(question):
            low, high = (way.on_table(question, table, question.on(table, edges)) for edges in (lost, going_on))
            gap = np.max(np.abs(high.probability - low.probability) / np.maximum(high.probability, TINY))
            told = f"between x = {table.x[0]:.6g} and {table.x[-1]:.6g} the probability is known to {gap:.2g} of itself"
            if gap <= AGREE:
                if before is not None and all(_same(a, b) for a, b in zip(low[1:], before[1:], strict=True)):
                    return low
                told = f"between x = {table.x[0]:.6g} and {table.x[-1]:.6g} mean and variance of the time still grow"
            before = low
    except ValueError as error:
        raise ValueError(f"{walk.domain} is unbounded and {told}; beyond, {error}") from None
    raise ValueError(f"{walk.domain} is unbounded and {told}: put a far wall, Reflecting() or Absorbing()")


def _same(a: Any, b: Any) -> bool:
    return bool(np.all((np.abs(a - b) <= SETTLED * np.abs(a)) | (np.isnan(a) & np.isnan(b))))


def windows(question: Question) -> Iterator[StepTable]:
    """Tables on growing windows around the starts, which end where walkers stop for certain."""
    walk, lattice = question.walk, question.walk.lattice
    if question.start is None:
        number, masses = walk.start.weights(lattice)
        low, high = number, number + masses.size - 1
    else:
        low, high = int(question.start[0].min()), int(question.start[0].max())
    given = [places[0].reshape(-1) for places in (question.target, question.stopped) if places is not None]
    stops = np.concatenate([np.zeros(0, dtype=np.int64), *given])
    below, above = stops[stops < low], stops[stops > high]
    first = int(below.max()) if below.size else lattice.first
    last = int(above.min()) if above.size else lattice.last
    margin = AROUND
    while high - low + 2 * margin <= LARGEST:
        ends = low - margin if first is None else first, high + margin if last is None else last
        yield table_on(walk, [ends])
        margin = math.ceil(WIDER * margin)


def settled_in_boxes(question: Question, way: Way, why: str) -> HittingTime:
    """The answer on growing windows in several dimensions, of walkers that never leave the window. Either next to none do, or the
    walk is the same everywhere and the answer changes, from a window to one twice as wide, by less and less, as exponentials of
    the width do: walkers drift away or die. Where it is a power of the width it is refused, with `why` there is no other answer.
    """
    walk, before, changes = question.walk, None, list[float]()
    told = "windows in which that can be seen are too large"
    try:
        for table in _boxes(question):
            low = way.on_table(question, table, question.on(table, lost))
            if before is not None:
                changes.append(_change(before, low))
                shape = " x ".join(map(str, table.layout.shape))
                told = f"on {shape} sites the answer changes by {changes[-1]:.2g} of itself still"
            if changes and changes[-1] <= SMALL[0]:
                known = beyond(question, way, table) <= AGREE * low.probability
                same = walk.homogeneous and _fallen(changes)
                if np.all(known | (same & ((low.probability > 0.0) | (not walk.domain.regions)))):
                    return low
            if len(changes) > 1 and changes[-1] > max(
                min(changes[-2] ** HOPEFUL, 0.5 * changes[-2]), STEEP * changes[-2]
            ):
                break
            before = low
    except ValueError as error:
        raise ValueError(
            f"{walk.domain} is unbounded along more than one axis, and {why}; {told}, and beyond {error}"
        ) from None
    raise ValueError(
        f"{walk.domain} is unbounded along more than one axis, and {why}; {told}: put far walls, Reflecting() or Absorbing()"
    )


def _fallen(changes: list[float]) -> bool:
    """Whether the last change is so much smaller than the one before that what is left is rounding."""
    if len(changes) < 2:
        return False
    earlier, last = changes[-2:]
    return last <= AGREE or last <= earlier**FALLS or (last <= STEEP * earlier and last <= SMALL[1])


def in_the_first_box(question: Question, way: Way) -> tuple[HittingTime, Floats]:
    """The answer of walkers that stay in the first window, and the probability of leaving it."""
    table = next(_boxes(question))
    return way.on_table(question, table, question.on(table, lost)), beyond(question, way, table)


def beyond(question: Question, way: Way, table: StepTable) -> Floats:
    """The probability of stepping over the edge of a window, unless the walker stops before."""
    known = replace(question, exits=(), target=None, kind=HitOnly)
    known = replace(known, stopped=_joined(question.target, question.stopped))
    return np.asarray(way.on_table(known, table, known.on(table, _found)).probability)


def _joined(one: Numbers | None, other: Numbers | None) -> Numbers | None:
    """The places of both."""
    given = [places for places in (one, other) if places is not None]
    return (
        tuple(np.concatenate([axis.reshape(-1) for axis in axes]) for axes in zip(*given, strict=True))
        if given
        else None
    )


def _change(before: HittingTime, after: HittingTime) -> float:
    """The largest relative change of an answer."""
    changes = [0.0]
    for a, b in zip(before, after, strict=True):
        size = np.asarray(np.abs(b))
        known = np.isfinite(a) & np.isfinite(b) & (size > 0.0)
        apart = np.divide(np.abs(a - b), size, out=np.zeros(size.shape), where=known)
        changes.append(float(np.max(np.where(known | (np.isnan(a) & np.isnan(b)) | (a == b), apart, 1.0))))
    return max(changes)


def _boxes(question: Question) -> Iterator[StepTable]:
    """Tables on growing windows around starts, places and regions with ends; axes that have two ends are whole."""
    walk = question.walk
    sites = np.concatenate([question.target_sites, question.stopped_sites, question.begun.sites])
    low, high = sites.min(axis=0), sites.max(axis=0)
    for shape in walk.domain.sets:
        for axis, (lattice, bounds) in enumerate(zip(walk.lattices, shape.bounds, strict=True)):
            first, last = ((place - lattice.origin) / lattice.dx for place in bounds)
            low[axis] = min(low[axis], math.floor(first) - 1) if math.isfinite(first) else low[axis]
            high[axis] = max(high[axis], math.ceil(last) + 1) if math.isfinite(last) else high[axis]
    margin = NEAR
    while True:
        ends = [
            (int(a) - margin if line.first is None else line.first, int(b) + margin if line.last is None else line.last)
            for line, a, b in zip(walk.lattices, low, high, strict=True)
        ]
        if math.prod(last - first + 1 for first, last in ends) > MOST[walk.dimension > 2]:
            return
        yield table_on(walk, ends)
        margin *= 2
