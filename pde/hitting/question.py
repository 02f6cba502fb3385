"""What is asked of a walk about a target, and where it is answered: on all sites of the domain, on a window, by integrals."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from randwalk.inputs.wording import shown
from randwalk.laws.estimate import plain
from randwalk.model.coefficient import Constant, Floats
from randwalk.model.start import Start
from randwalk.model.walk import LatticeWalk
from randwalk.tables.start_table import start_cells
from randwalk.tables.table import StepTable
from randwalk.tables.window import start_range, table_on

from ..equation import check_walk
from .capacity import Capture
from .excursion import LOST, Excursion, excursion
from .lattice_green import Moves
from .mirrors import Mirror, half_open, mirrors_of
from .passage import HitOnly, HittingTime, Passage, mixture
from .places import Numbers, Places, cells_of, numbers_of, sites_of
from .projected import exits_on, faced_axes, projected
from .site_chain import SiteChain
from .tube import folded, levels_of, open_axis

AROUND: Final = 32  # sites of the first window on either side of the starts
WIDER: Final = 1.25  # by which a window grows that is too narrow
LARGEST: Final = 1 << 20  # sites of a window
AGREE: Final = 1e-12  # relative difference of two bounds of a probability
TINY: Final = 1e-300  # of a probability
SETTLED: Final = 1e-10  # relative change of mean and variance with the window

Target: TypeAlias = Any


@dataclass(frozen=True)
class Question:
    """What is asked of a walk: places are lattice numbers; without `start`, walkers start where the walk says."""

    walk: LatticeWalk
    target: Numbers | None
    stopped: Numbers | None
    exits: tuple[str, ...]
    start: Numbers | None
    kind: type[Passage]

    @classmethod
    def read(
        cls, walk: LatticeWalk, target: Target, before: Places, start: Places, kind: type[Passage] = Passage
    ) -> Question:
        check_walk(walk)
        if isinstance(start, Start):
            walk, start = walk.with_start(start), None
        if walk.time_dependent:
            raise ValueError(
                "the walk's probabilities depend on time: only exact_law(walk, times).absorbed(exit, t), up to a given time, is "
                "answered"
            )
        open_exits = walk.domain.open_exits(walk.killing != Constant(0.0))
        if target is None or isinstance(target, str):
            exits = open_exits if target is None else (target,)
            places = None
            if target is not None:
                walk.domain.exit(target, "target")
            if not set(exits) & set(open_exits):
                where = "; give a place" if target is None else " there; take another exit, or a place"
                raise ValueError(f"target = {shown(target)}: nobody leaves {walk.domain}{where}")
        else:
            exits, places = (), numbers_of(walk, "target", target)
        stopped = None if before is None else numbers_of(walk, "before", before)
        if places is not None and stopped is not None and sites_of(places) & sites_of(stopped):
            raise ValueError("target and before have a place in common: leave it out of one of them")
        return cls(walk, places, stopped, exits, None if start is None else numbers_of(walk, "start", start, 1), kind)

    def on(
        self,
        table: StepTable,
        edges: Callable[[SiteChain, int], Excursion],
        folded: Callable[[SiteChain], SiteChain] = lambda chain: chain,
    ) -> Passage:
        """The passage on the sites of a table, with the excursions over each of its edges, or `folded` into its chain."""
        chain = folded(SiteChain.of(table))
        exits = np.array([exit in self.exits for exit in table.layout.exits])
        target, stopped = (np.zeros(chain.to.shape[1], dtype=bool) for _ in range(2))
        for places, sites in ((self.target, target), (self.stopped, stopped)):
            if places is not None:
                sites[chain.position[cells_of(table, places)]] = True
        beyond = {exit: edges(chain, exit) for exit in np.flatnonzero(table.layout.edges).tolist()}
        return self.kind(chain, target, stopped, exits, beyond)

    def starts(self, table: StepTable, passage: Passage) -> tuple[NDArray[np.intp], Floats | None]:
        """The positions of the starts on the chain, and their masses unless they are asked for one by one."""
        if self.start is not None:
            return passage.chain.position[table.layout.index(*self.start)], None
        cells, masses = start_cells(table)
        return passage.chain.position[cells], masses

    @property
    def target_sites(self) -> NDArray[np.int64]:
        """The target's sites, (n, d)."""
        return _stacked(self.target, self.walk.dimension)

    @property
    def stopped_sites(self) -> NDArray[np.int64]:
        """Those where walkers stop before, (n, d)."""
        return _stacked(self.stopped, self.walk.dimension)

    @cached_property
    def begun(self) -> Begun:
        """The starts on a lattice without ends."""
        if self.start is not None:
            return Begun(_stacked(self.start, self.walk.dimension), None, self.start[0].shape)
        table = table_on(self.walk, start_range(self.walk))
        cells, masses = start_cells(table)
        return Begun(np.stack(table.layout.numbers(cells), axis=-1), masses, ())


class Begun(NamedTuple):
    """Sites (n, d) from which walkers start, with their masses, or one by one in an array of a shape."""

    sites: NDArray[np.int64]
    masses: Floats | None
    shape: tuple[int, ...]


def _stacked(places: Numbers | None, dimension: int) -> NDArray[np.int64]:
    """Lattice numbers as (n, d)."""
    if places is None:
        return np.zeros((0, dimension), dtype=np.int64)
    return np.stack([axis.reshape(-1) for axis in places], axis=-1)


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


def answer(question: Question, way: Way) -> HittingTime:
    """The answer on all sites of the domain; on an unbounded one, on a window that settles it, or by integrals."""
    walk = question.walk
    if (ends := _ends(walk)) is not None:
        table = table_on(walk, ends)
        found = way.on_table(question, table, question.on(table, _lost))
    elif walk.dimension > 1:
        found = _unbounded(question, way)
    elif walk.homogeneous and "killing" not in question.exits:
        table = next(_windows(question))
        found = way.on_table(question, table, question.on(table, _going_on))
    else:
        found = _settled(question, way)
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
    if (axis := open_axis(walk)) is not None:
        return _in_a_tube(question, way, axis)
    if half_open(walk) and not question.exits:
        return _on_a_lattice(question, way, mirrors_of(walk))
    raise ValueError(
        f"{walk.domain} is unbounded: places are answered on Line() ** d, where probabilities are the same everywhere, and on "
        "half-planes and half-spaces, and on domains with one unbounded axis, along which they are the same; else put far walls, "
        "Reflecting() or Absorbing()"
    )


def _across(question: Question, walk: LatticeWalk, axes: list[int]) -> HittingTime:
    """Of leaving by faces, from the coordinates across them alone."""
    sites, masses, shape = question.begun
    one, back = np.unique(sites[:, axes], axis=0, return_inverse=True)
    start = tuple(one.T)
    asked = answer(Question(walk, None, None, exits_on(axes, question.exits), start, question.kind), FROM_STARTS)
    dt = walk.dt
    hit, mean, variance = asked.probability, asked.mean / dt, asked.variance / dt**2
    found = HittingTime(*(np.asarray(value)[back.reshape(-1)] for value in (hit, mean, variance)))
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
    passage = question.on(table, _lost, lambda chain: folded(chain, axis, edges))
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
        return way.on_table(question, table, question.on(table, _lost))
    sites, masses, shape = question.begun
    if question.kind is HitOnly:
        hit = capture.probability(sites, way.stepped)
        found = HittingTime(hit, *(np.full(hit.size, math.nan),) * 2)
    else:
        found = capture.time(sites, way.stepped)
    return (
        HittingTime(*(value.reshape(shape) for value in found))
        if masses is None
        else mixture(masses * found.probability, *found[1:])
    )


def without_ends(walk: LatticeWalk) -> bool:
    """Whether a walk is the same everywhere on a lattice without ends."""
    free = all(not lattice.periodic and lattice.first is None and lattice.last is None for lattice in walk.lattices)
    return walk.homogeneous and free and not walk.domain.regions


def _lost(chain: SiteChain, exit: int) -> Excursion:
    """A walker that steps over the edge of a window counts as lost."""
    return LOST


def _going_on(chain: SiteChain, exit: int) -> Excursion:
    """The excursion over the edge of a window from which on all probabilities are those of the edge."""
    edge, inward = (-1, 1) if exit else (0, 0)
    return excursion(float(chain.leave[exit, edge]), float(chain.chance[inward, edge]), float(chain.leave[-1, edge]))


def _settled(question: Question, way: Way) -> HittingTime:
    """The answer on growing windows. Two probabilities must meet: of walkers that never leave the window, and that which would
    hold if probabilities were the same from the edge on. The moments of those that never leave it must settle. So the answer is
    right if walkers farther out are not driven back more than at the edge, or are there so already."""
    walk, before, told = question.walk, None, "its first window is refused"
    try:
        for table in _windows(question):
            low, high = (way.on_table(question, table, question.on(table, edges)) for edges in (_lost, _going_on))
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


def _windows(question: Question) -> Iterator[StepTable]:
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
