"""The walk's own backward quantities: probabilities and times of hitting an exit or sites, of return, of going there and back.

They are sums over the steps of the walk itself, for ever; those of its equation are :func:`randwalk.pde.exit_probability` and
:func:`randwalk.pde.mean_exit_time`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from randwalk.inputs.wording import shown
from randwalk.laws.estimate import plain
from randwalk.laws.lookup import points
from randwalk.model.coefficient import Constant, Floats
from randwalk.model.shape import Shape
from randwalk.model.start import Start
from randwalk.model.walk import LatticeWalk
from randwalk.tables.start_table import start_cells
from randwalk.tables.table import StepTable
from randwalk.tables.window import table_on

from ..equation import check_walk
from .excursion import LOST, Excursion, excursion
from .passage import HitOnly, HittingTime, Passage
from .site_chain import SiteChain

ON_SITE: Final = 1e-6  # of dx: how far from a site a place may be given
AROUND: Final = 32  # sites of the first window on either side of the starts
WIDER: Final = 1.25  # by which a window grows that is too narrow
LARGEST: Final = 1 << 20  # sites of a window
AGREE: Final = 1e-12  # relative difference of two bounds of a probability
FARTHEST: Final = 1 << 60  # lattice number
TINY: Final = 1e-300  # of a probability
SETTLED: Final = 1e-10  # relative change of mean and variance with the window

Places: TypeAlias = Any
Target: TypeAlias = Any
Numbers: TypeAlias = tuple[NDArray[np.int64], ...]  # of sites, an array for each axis


def hitting_probability(walk: LatticeWalk, target: Target, *, before: Places = None, start: Places = None) -> Any:
    """The probability that a walker ever hits `target`: leaves by an exit, or comes to a place.

    Parameters
    ----------
    walk : LatticeWalk
        Its probabilities must not depend on time.
    target : name of an exit, or places
        Places are a number or an array, beyond one dimension a tuple of one for each coordinate, and must be sites of the
        lattice; on a bounded domain also a shape, or an array over the sites that is True where they are.
    before : places, optional
        Walkers stop there: the probability of the target `before` these (the committor of two sets).
    start : places, or a Start; the walk's own start if left out
        Of a distribution, the answer is the mean over it.

    Returns
    -------
    float, or array of the shape of `start`
        Exact to rounding, also relatively where it is small; in more than one dimension to the rounding of a sparse
        factorisation.

    Raises
    ------
    ValueError
        if nobody can ever hit the target for want of such an exit, a place is no site, or probabilities depend on time or, on
        an unbounded side, depend on x such that the limit is not reached.

    Examples
    --------
    A walker one step from a cliff who goes away with probability ⅔ survives with probability ½.

    >>> import math
    >>> import randwalk as rw
    >>> cliff = rw.Interval(0.0, math.inf, rw.Absorbing())
    >>> drunkard = rw.LatticeWalk(right=2 / 3, left=1 / 3, dx=1.0, domain=cliff, start=1.0)
    >>> round(hitting_probability(drunkard, "left"), 15)
    0.5
    """
    return _answer(_Question.read(walk, target, before, start, HitOnly), _from_starts).probability


def hitting_time(
    walk: LatticeWalk, target: Target = None, *, before: Places = None, start: Places = None
) -> HittingTime:
    """Mean and variance of the time until a walker hits `target`, given that it does, and the probability that it does.

    Arguments and errors as for :func:`hitting_probability`; without a `target` it is the time of leaving by any exit.

    Examples
    --------
    A fair walker needs n² steps across a path of n that is closed behind it.

    >>> import randwalk as rw
    >>> path = rw.Interval(-0.5, 30.5, rw.Reflecting(), rw.Reflecting())
    >>> walk = rw.LatticeWalk(right=[1.0] + [0.5] * 30, left=[0.0] + [0.5] * 30, dx=1.0, domain=path)
    >>> time = hitting_time(walk, 30.0)
    >>> round(time.mean, 9), round(time.variance, 6)
    (900.0, 539400.0)
    """
    return _answer(_Question.read(walk, target, before, start), _from_starts)


def return_time(walk: LatticeWalk, place: Places, *, before: Places = None) -> HittingTime:
    """Mean and variance of the time until a walker that starts at the site `place` is there again, and the probability that it
    ever is. A walker that stays is back after one step. Arguments and errors as for :func:`hitting_probability`.

    >>> import randwalk as rw
    >>> ring = rw.LatticeWalk(right=0.5, left=0.25, dx=1.0, domain=rw.Ring(0.0, 10.0))
    >>> round(return_time(ring, 3.0).mean, 12)  # by Kac's lemma 1/π
    10.0
    """
    check_walk(walk)
    return _answer(_Question.read(walk, place, before, _one(walk, "place", place)), _from_first_step)


def escape_probability(walk: LatticeWalk, place: Places, target: Target) -> float:
    """The probability that a walker that starts at the site `place` hits `target` before it is at `place` again.

    Arguments and errors as for :func:`hitting_probability`. For a symmetric walk it is the effective conductance between the two
    over the sum of the conductances at `place` (Doyle and Snell, *Random Walks and Electric Networks*, 1984).

    >>> import randwalk as rw
    >>> walk = rw.LatticeWalk(right=0.5, left=0.5, dx=1.0, domain=rw.Interval(-0.5, 20.5, rw.Reflecting(), rw.Reflecting()))
    >>> escape_probability(walk, 0.0, 10.0)  # 1/(2k) of a walk that bounces off the wall beside it
    0.05
    """
    check_walk(walk)
    question = _Question.read(walk, target, place, _one(walk, "place", place), HitOnly)
    return float(_answer(question, _from_first_step).probability)


def commute_time(walk: LatticeWalk, one: Places, other: Places) -> HittingTime:
    """The time from the site `one` to the site `other` and back: mean and variance, given that the walker comes there and back,
    and the probability that it does. Arguments and errors as for :func:`hitting_probability`.

    For a symmetric walk the mean is the effective resistance between the two times the sum of all conductances, both directions
    counted (Chandra et al., *The electrical resistance of a graph captures its commute and cover times*, 1989).

    >>> import randwalk as rw
    >>> path = rw.Interval(-0.5, 30.5, rw.Reflecting(), rw.Reflecting())
    >>> walk = rw.LatticeWalk(right=0.5, left=0.5, dx=1.0, domain=path)
    >>> round(commute_time(walk, 3.0, 10.0).mean, 9)  # 31 sites of conductance 2 between resistances 1
    434.0
    """
    check_walk(walk)
    there = hitting_time(walk, other, start=_one(walk, "one", one))
    back = hitting_time(walk, one, start=_one(walk, "other", other))
    return HittingTime(there.probability * back.probability, there.mean + back.mean, there.variance + back.variance)


@dataclass(frozen=True)
class _Question:
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
    ) -> _Question:
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
                raise ValueError(
                    f"target = {shown(target)}: nobody leaves {walk.domain} there; take another exit, or a place"
                )
        else:
            exits, places = (), _numbers(walk, "target", target)
        stopped = None if before is None else _numbers(walk, "before", before)
        if places is not None and stopped is not None and _sites(places) & _sites(stopped):
            raise ValueError("target and before have a place in common: leave it out of one of them")
        return cls(walk, places, stopped, exits, None if start is None else _numbers(walk, "start", start), kind)

    def on(self, table: StepTable, edges: Callable[[SiteChain, int], Excursion]) -> Passage:
        """The passage on the sites of a table, with the excursions over each of its edges."""
        chain = SiteChain.of(table)
        exits = np.array([exit in self.exits for exit in table.layout.exits])
        target, stopped = (np.zeros(chain.to.shape[1], dtype=bool) for _ in range(2))
        for places, sites in ((self.target, target), (self.stopped, stopped)):
            if places is not None:
                sites[chain.position[_inside(table, places)]] = True
        beyond = {exit: edges(chain, exit) for exit in np.flatnonzero(table.layout.edges).tolist()}
        return self.kind(chain, target, stopped, exits, beyond)

    def starts(self, table: StepTable, passage: Passage) -> tuple[NDArray[np.intp], Floats | None]:
        """The positions of the starts on the chain, and their masses unless they are asked for one by one."""
        if self.start is not None:
            return passage.chain.position[table.layout.index(*self.start)], None
        cells, masses = start_cells(table)
        return passage.chain.position[cells], masses


Answer: TypeAlias = Callable[[_Question, StepTable, Passage], HittingTime]


def _from_starts(question: _Question, table: StepTable, passage: Passage) -> HittingTime:
    return passage.from_starts(*question.starts(table, passage))


def _from_first_step(question: _Question, table: StepTable, passage: Passage) -> HittingTime:
    (site,) = question.starts(table, passage)[0].reshape(-1).tolist()
    return passage.first_step(site)


def _answer(question: _Question, ask: Answer) -> HittingTime:
    """The answer on all sites of the domain; on an unbounded one, on a window that settles it."""
    walk = question.walk
    ends = [(lattice.first, lattice.last) for lattice in walk.lattices if lattice.sites is not None]
    if len(ends) == walk.dimension:
        table = table_on(walk, ends)  # type: ignore[arg-type]  # bounded: no end is None
        answer = ask(question, table, question.on(table, _lost))
    elif walk.dimension > 1:
        raise ValueError(
            f"{walk.domain} is unbounded: in more than one dimension put far walls, Reflecting() or Absorbing()"
        )
    elif walk.homogeneous and "killing" not in question.exits:
        table = next(_windows(question))
        answer = ask(question, table, question.on(table, _going_on))
    else:
        answer = _settled(question, ask)
    probability, mean, variance = answer
    return HittingTime(plain(probability), plain(mean * walk.dt), plain(variance * walk.dt * walk.dt))


def _lost(chain: SiteChain, exit: int) -> Excursion:
    """A walker that steps over the edge of a window counts as lost."""
    return LOST


def _going_on(chain: SiteChain, exit: int) -> Excursion:
    """The excursion over the edge of a window from which on all probabilities are those of the edge."""
    edge, inward = (-1, 1) if exit else (0, 0)
    return excursion(float(chain.leave[exit, edge]), float(chain.chance[inward, edge]), float(chain.leave[-1, edge]))


def _settled(question: _Question, ask: Answer) -> HittingTime:
    """The answer on growing windows. Two probabilities must meet: of walkers that never leave the window, and that which would
    hold if probabilities were the same from the edge on. The moments of those that never leave it must settle. So the answer is
    right if walkers farther out are not driven back more than at the edge, or are there so already."""
    walk, before, told = question.walk, None, "its first window is refused"
    try:
        for table in _windows(question):
            low, high = (ask(question, table, question.on(table, edges)) for edges in (_lost, _going_on))
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


def _windows(question: _Question) -> Iterator[StepTable]:
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


def _inside(table: StepTable, places: Numbers) -> NDArray[np.int64]:
    """The cells of those places that are in the window of a table."""
    layout, here = table.layout, np.array(True)
    for axis, numbers in enumerate(places):
        along = layout.along(axis)
        here = here & (numbers >= along[0]) & (numbers <= along[-1])
    return layout.index(*(numbers[here] for numbers in places))


def _numbers(walk: LatticeWalk, name: str, places: Places) -> Numbers:
    """The lattice numbers of places, which must be sites that walkers can be on; of a shape or of True in an array over the
    sites, of those that are."""
    if isinstance(places, Shape) or (isinstance(places, np.ndarray) and places.dtype == bool):
        return _covered(walk, name, places)
    point, shape = points(places, walk.dimension, name)
    if not math.prod(shape):
        raise ValueError(f"{name} = {shown(places)}: give at least one place")
    point = (point,) if walk.dimension == 1 else point
    numbers, nearest, wrong = [], [], np.zeros(point[0].shape, dtype=bool)
    for x, lattice in zip(point, walk.lattices, strict=True):
        ratio = (x - lattice.origin) / lattice.dx
        near = np.rint(np.clip(ratio, -FARTHEST, FARTHEST)).astype(np.int64)
        close = np.abs(ratio - near) <= ON_SITE
        if lattice.periodic and lattice.sites is not None:
            near = np.where(close, near % lattice.sites, near)
        first = -FARTHEST if lattice.first is None else lattice.first
        last = FARTHEST if lattice.last is None else lattice.last
        wrong |= ~close | (near < first) | (near > last)
        numbers.append(near.reshape(shape))
        nearest.append(lattice.x(np.clip(near, first, last)))
    if wrong.any():
        at = int(np.argmax(wrong))
        place, near_by = (", ".join(f"{float(x[at]):.12g}" for x in axes) for axes in (point, nearest))
        raise ValueError(f"{name} = {place} is no site of the walk on {walk.domain}: the nearest is {near_by}")
    taken = _taken(walk, tuple(numbers))
    if taken.any():
        place = ", ".join(f"{float(x[np.argmax(taken.ravel())]):.12g}" for x in point)
        raise ValueError(
            f"{name} = {place} is in a region of {walk.domain}, where no walker is: give another place, or its exit"
        )
    return tuple(numbers)


def _covered(walk: LatticeWalk, name: str, where: Shape | NDArray[np.bool_]) -> Numbers:
    """The lattice numbers of the sites that a shape contains, or that are True in an array over the sites."""
    firsts = [lattice.first for lattice in walk.lattices]
    sites = [lattice.sites for lattice in walk.lattices]
    if None in sites:
        raise ValueError(f"{name} = {shown(where)}: needs a bounded domain, not {walk.domain}; give places")
    shape = tuple(n for n in sites if n is not None)
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"))
    numbers = tuple(k + first for k, first in zip(grid, firsts, strict=True))
    if isinstance(where, Shape):
        chosen = where.contains(tuple(lattice.x(k) for lattice, k in zip(walk.lattices, numbers, strict=True)))
    elif where.shape != shape:
        raise ValueError(f"{name} has shape {where.shape} and the sites have {shape}: give one value a site")
    else:
        chosen = where
    chosen = chosen & ~_taken(walk, numbers)
    if not chosen.any():
        raise ValueError(f"{name} = {shown(where)}: holds no site that walkers can be on")
    return tuple(k[chosen] for k in numbers)


def _taken(walk: LatticeWalk, numbers: Numbers) -> NDArray[np.bool_]:
    """Whether sites are in a region of the domain."""
    if not walk.domain.regions:
        return np.zeros(numbers[0].shape, dtype=bool)
    point = tuple(lattice.x(k) for lattice, k in zip(walk.lattices, numbers, strict=True))
    return walk.domain.region_at(point) >= 0


def _sites(numbers: Numbers) -> set[tuple[int, ...]]:
    """Lattice numbers as a set of sites."""
    return set(zip(*(axis.reshape(-1).tolist() for axis in numbers), strict=True))


def _one(walk: LatticeWalk, name: str, place: Places) -> Places:
    """The place, refused unless it is one site."""
    (numbers, *_) = _numbers(walk, name, place)
    if numbers.size != 1:
        raise ValueError(f"{name} = {shown(place)}: give one place")
    return place
