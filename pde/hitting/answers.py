"""Where a question is answered: on all sites of the domain, on a window, by integrals."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import numpy as np

from randwalk.laws.estimate import plain
from randwalk.model.coefficient import Floats
from randwalk.model.walk import LatticeWalk
from randwalk.tables.window import table_on

from .capacity import Capture
from .lattice_green import Moves, Whole
from .mirrors import Mirror, mirrors_of, without_image
from .orthant import Orthant
from .passage import HitOnly, HittingTime, mixture
from .projected import exits_on, faced_axes, projected
from .question import Question
from .traps import traps_of, without_traps
from .tube import folded, levels_of, open_axis
from .windows import FROM_STARTS, Way, going_on, in_the_first_box, lost, settled, settled_in_boxes, windows

FEW: Final = 16  # places, up to which leaving before them is worked out from coming to each
DIGITS: Final = 2.0**-20  # of a probability: a difference that is less has lost too many digits


def answer(question: Question, way: Way) -> HittingTime:
    """The answer on all sites of the domain; on an unbounded one, on a window that settles it, or by integrals."""
    walk = question.walk
    if (ends := _ends(walk)) is not None:
        table = table_on(walk, ends)
        found = way.on_table(question, table, question.on(table, lost))
    elif walk.dimension > 1:
        found = _unbounded(question, way)
    elif walk.homogeneous and "killing" not in question.exits:
        table = next(windows(question))
        found = way.on_table(question, table, question.on(table, going_on))
    else:
        found = settled(question, way)
    probability, mean, variance = found
    probability = np.minimum(probability, 1.0)  # a sum may round to more
    return HittingTime(plain(probability), plain(mean * walk.dt), plain(variance * walk.dt * walk.dt))


def _ends(walk: LatticeWalk) -> list[tuple[int, int]] | None:
    """The first and the last site of each axis, one more where a region encloses walkers; None where they have no end."""
    ends = []
    for lattice, bounds in zip(walk.lattices, walk.domain.bounds, strict=True):
        low, high = ((place - lattice.origin) / lattice.dx for place in bounds)
        first = lattice.first if lattice.first is not None or math.isinf(low) else math.floor(low) - 1
        last = lattice.last if lattice.last is not None or math.isinf(high) else math.ceil(high) + 1
        if first is None or last is None:
            return None
        ends.append((first, last))
    return ends


def _unbounded(question: Question, way: Way) -> HittingTime:
    """The answer on an unbounded domain in more than one dimension."""
    walk, places = question.walk, question.target is not None or question.stopped is not None
    axes = faced_axes(walk)
    across = None if places or way.stepped else projected(walk, axes)
    if without_ends(walk):
        return _on_a_lattice(question, way)
    if across is not None:
        return _across(question, across, axes)
    if not places and not way.stepped and (orthant := Orthant.of(walk)) is not None:
        return _of_begun(question, orthant.leaving(question.begun.sites, question.exits))
    if (axis := open_axis(walk)) is not None:
        return _in_a_tube(question, way, axis)
    if (traps := traps_of(walk)) is not None:
        return _at_traps(question, traps, way)
    why = without_image(walk)
    if why is None and not question.exits:
        return _on_a_lattice(question, way, mirrors_of(walk))
    if question.exits and question.stopped is not None and (why is None or len(question.stopped_sites) <= FEW):
        return _unless_stopped(question, way)
    return settled_in_boxes(question, way, why or "walkers leave through more than one of its axes")


def _at_traps(question: Question, traps: dict[str, Whole], way: Way) -> HittingTime:
    """The answer where traps are places: of coming to one that is asked for, or of leaving by a face, before any other."""
    walk = without_traps(question.walk)
    hit, rest = [question.target_sites], [question.stopped_sites]
    for name, sites in traps.items():
        (hit if name in question.exits else rest).append(sites)
    target, others = np.concatenate(hit), np.concatenate(rest)
    faces = tuple(exit for exit in question.exits if exit not in traps)
    asked = replace(question, walk=walk, exits=faces)
    found = []
    if len(target):
        found.append(
            answer(
                replace(asked, target=tuple(target.T), stopped=tuple(others.T) if len(others) else None, exits=()), way
            )
        )
    if faces:
        found.append(answer(replace(asked, target=None, stopped=tuple(np.concatenate([target, others]).T)), way))
    whole = [HittingTime(*(np.asarray(value, dtype=np.float64) for value in one)) for one in found]
    in_steps = [HittingTime(one.probability, one.mean / walk.dt, one.variance / walk.dt**2) for one in whole]
    return in_steps[0] if len(in_steps) == 1 else _either(*in_steps)


def _either(one: HittingTime, other: HittingTime) -> HittingTime:
    """Of outcomes that exclude each other."""
    every = np.broadcast_arrays(*one, *other)
    flat = [value.reshape(-1) for value in every]
    mixed = [mixture(*(np.array([flat[k][i], flat[k + 3][i]]) for k in range(3))) for i in range(flat[0].size)]
    return HittingTime(*(np.array(value).reshape(every[0].shape) for value in zip(*mixed, strict=True)))


def _unless_stopped(question: Question, way: Way) -> HittingTime:
    """Of leaving before places: of leaving, less of those that come to one of the places first and leave later (the strong Markov
    property). Where walkers never leave a window it is that of the window; where next to nothing is left of the difference, that
    of windows that grow."""
    window, beyond = in_the_first_box(question, way)
    if not beyond.any():
        return window
    walk, sites = question.walk, np.unique(question.stopped_sites, axis=0)
    leaving = replace(question, stopped=None)

    def asked(of: Question, begins: Way) -> tuple[Floats, Floats, Floats]:
        """The probability, and times it the means of the number of steps and of its square."""
        p, mean, variance = (np.asarray(value, dtype=np.float64) for value in answer(of, begins))
        mean, variance = mean / walk.dt, variance / walk.dt**2
        with np.errstate(invalid="ignore"):
            return p, np.where(p > 0.0, p * mean, 0.0), np.where(p > 0.0, p * (variance + mean**2), 0.0)

    whole, first, second = asked(leaving, FROM_STARTS)
    p, kind = whole, question.kind if np.isfinite(first).any() else HitOnly
    later = asked(replace(leaving, start=tuple(sites.T)), FROM_STARTS)
    with np.errstate(invalid="ignore", divide="ignore"):
        for k, (q, mean, square) in enumerate(zip(*later, strict=True)):
            there, others = tuple(sites[k : k + 1].T), tuple(np.delete(sites, k, axis=0).T)
            to = replace(question, exits=(), target=there, stopped=others if len(sites) > 1 else None, kind=kind)
            hit, way_mean, way_square = asked(to, way)
            p = p - hit * q
            first = first - np.where(hit > 0.0, way_mean * q + hit * mean, 0.0)
            second = second - np.where(hit > 0.0, way_square * q + 2.0 * way_mean * mean + hit * square, 0.0)
        if np.any((beyond > 0.0) & (p < DIGITS * whole)):
            return settled_in_boxes(question, way, "nearly all who leave come to one of the places first")
        mean = np.where(np.isfinite(first), first / p, math.inf)
        variance = np.where(np.isfinite(second), second / p - mean**2, math.inf)
    if question.kind is HitOnly:
        mean, variance = np.full(p.shape, math.nan), np.full(p.shape, math.nan)
    found = (p, *(np.where(p > 0.0, value, math.nan) for value in (mean, variance)))
    return HittingTime(*(np.where(beyond, value, inside) for value, inside in zip(found, window, strict=True)))


def _across(question: Question, walk: LatticeWalk, axes: list[int]) -> HittingTime:
    """Of leaving by faces, from the coordinates across them alone."""
    sites = question.begun.sites
    one, back = np.unique(sites[:, axes], axis=0, return_inverse=True)
    start = tuple(one.T)
    asked = answer(Question(walk, None, None, exits_on(axes, question.exits), start, question.kind), FROM_STARTS)
    dt = walk.dt
    hit, mean, variance = asked.probability, asked.mean / dt, asked.variance / dt**2
    return _of_begun(question, HittingTime(*(np.asarray(value)[back.reshape(-1)] for value in (hit, mean, variance))))


def _of_begun(question: Question, found: HittingTime) -> HittingTime:
    """The answer from what is found for each of the sites where walkers begin."""
    _, masses, shape = question.begun
    if masses is None:
        return HittingTime(*(value.reshape(shape) for value in found))
    return mixture(masses * found.probability, *found[1:])


def _in_a_tube(question: Question, way: Way, axis: int) -> HittingTime:
    """The answer on a window along the only unbounded axis, with the excursions over its edges."""
    walk, lattice = question.walk, question.walk.lattices[axis]
    numbers = [question.target_sites, question.stopped_sites, question.begun.sites]
    along = np.concatenate([given[:, axis] for given in numbers])
    for shape in walk.domain.sets:
        low, high = (math.floor((place - lattice.origin) / lattice.dx) for place in shape.bounds[axis])
        along = np.append(along, [low - 1, high + 2])
    low, high = int(along.min()) - 1, int(along.max()) + 1
    ends = [(line.first, line.last) for line in walk.lattices]
    ends[axis] = low if lattice.first is None else lattice.first, high if lattice.last is None else lattice.last
    table = table_on(walk, ends)  # type: ignore[arg-type]  # no end is None any more
    edges = {2 * axis + side: levels_of(walk, axis, (low, high)[side], (-1, 1)[side])
             for side, end in enumerate((lattice.first, lattice.last)) if end is None}  # fmt: skip
    passage = question.on(table, lost, lambda chain: folded(chain, axis, edges))
    return way.on_table(question, table, passage)


def _on_a_lattice(question: Question, way: Way, mirrors: tuple[Mirror, ...] = ()) -> HittingTime:
    """The answer on a lattice without ends in more than one dimension, or behind `mirrors`; by a table if walkers are enclosed by
    where they stop."""
    walk = question.walk
    target, stopped = (np.unique(sites, axis=0) for sites in (question.target_sites, question.stopped_sites))
    capture = Capture(Moves.of(walk), target, stopped, "killing" in question.exits, mirrors)
    if capture.encloses(question.begun.sites, way.stepped):
        sites = np.concatenate([target, stopped])
        table = table_on(walk, tuple(zip(sites.min(axis=0).tolist(), sites.max(axis=0).tolist(), strict=True)))
        return way.on_table(question, table, question.on(table, lost))
    sites = question.begun.sites
    if question.kind is not HitOnly:
        return _of_begun(question, capture.time(sites, way.stepped))
    hit = capture.probability(sites, way.stepped)
    return _of_begun(question, HittingTime(hit, *(np.full(hit.size, math.nan),) * 2))


def without_ends(walk: LatticeWalk) -> bool:
    """Whether a walk is the same everywhere on a lattice without ends."""
    free = all(not lattice.periodic and lattice.first is None and lattice.last is None for lattice in walk.lattices)
    return walk.homogeneous and free and not walk.domain.regions
