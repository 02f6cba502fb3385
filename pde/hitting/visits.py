"""How often a walk visits a site: its Green's function, and the potential kernel of one that comes back for ever."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from randwalk.laws.estimate import plain
from randwalk.model.coefficient import Constant
from randwalk.model.walk import LatticeWalk

from ..equation import check_walk
from .answers import answer, without_ends
from .lattice_green import Moves, kernel, visits
from .passage import HitOnly
from .places import Places, numbers_of, one_site
from .quantities import hitting_probability
from .question import Question
from .windows import AFTER_A_STEP

ROUNDING: Final = 1e-12  # of a probability of no return where nobody leaves


def green_function(walk: LatticeWalk, place: Places, *, start: Places = None) -> Any:
    """The mean number of visits to the site `place`, for ever: Σ_n P(X_n = place), the start counted.

    Parameters
    ----------
    walk : LatticeWalk
        Its probabilities must not depend on time.
    place : a site of the lattice
    start : places, or a Start; the walk's own start if left out

    Returns
    -------
    float, or array of the shape of `start`
        Infinite where walkers come back for ever. On ``Line() ** d``, of a walk whose probabilities are the same everywhere, an
        integral to 1e-12 of the largest value, the walk's steps being any (:mod:`randwalk.pde.hitting.lattice_green`), and, of
        steps along the axes in three and more dimensions, to rounding of each (:mod:`randwalk.pde.hitting.clock`); elsewhere the
        probability of a visit over that of no return, with the errors of :func:`hitting_probability`.

    Examples
    --------
    Watson's integral for the simple walk in space (Quarterly J. Math. 10, 266, 1939):

    >>> import randwalk as rw
    >>> sixth = dict(right=1 / 6, left=1 / 6, up=1 / 6, down=1 / 6, front=1 / 6, back=1 / 6)
    >>> walk = rw.LatticeWalk(**sixth, dx=1.0, domain=rw.Line() ** 3, start=(0.0, 0.0, 0.0))
    >>> round(green_function(walk, (0.0, 0.0, 0.0)), 12)
    1.516386059152
    """
    check_walk(walk)
    question = Question.read(walk, one_site(walk, "place", place), None, start, HitOnly)
    if not without_ends(walk):
        return _by_returns(walk, place, start)
    moves, (sites, masses, shape) = Moves.of(walk), question.begun
    apart = question.target_sites - sites
    never = moves.class_of(apart).any(axis=1)
    found = np.where(never, 0.0, math.inf) if moves.recurrent else visits(moves, apart)
    return plain(found.reshape(shape) if masses is None else masses[found > 0.0] @ found[found > 0.0])


def potential_kernel(walk: LatticeWalk, place: Places) -> Any:
    """The potential kernel a(x) = Σ_n P(X_n = start) - P(X_n = place) at x = `place` - start: by how many a walker visits its
    start more often than `place`.

    Parameters
    ----------
    walk : LatticeWalk
        On ``Line() ** d``, the same everywhere, from a point.
    place : places
        Sites of the lattice.

    Returns
    -------
    float, or array of the shape of `place`
        An integral to 1e-12 of the largest value; infinite at sites that the walk never comes to because of its sublattice.
        Of a walk that does not come back for certain, the difference of two values of :func:`green_function`.

    Examples
    --------
    Of the simple walk in the plane it is 4/π at a diagonal neighbour (Spitzer, *Principles of Random Walk*, 1976, P15).

    >>> import math
    >>> import randwalk as rw
    >>> walk = rw.LatticeWalk(right=0.25, left=0.25, up=0.25, down=0.25, dx=1.0, domain=rw.Line() ** 2, start=(0.0, 0.0))
    >>> [round(a, 12) for a in potential_kernel(walk, ([1.0, 2.0], [0.0, 0.0])).tolist()], round(4 - 8 / math.pi, 12)
    ([1.0, 1.45352091053], 1.45352091053)
    """
    check_walk(walk)
    numbers = numbers_of(walk, "place", place)
    question = Question.read(walk, place, None, None, HitOnly)
    if not without_ends(walk):
        raise ValueError(f"{walk.domain}: needs a walk on Line() ** d whose probabilities are the same everywhere")
    moves, (sites, *_) = Moves.of(walk), question.begun
    if len(sites) != 1:
        raise ValueError(
            f"start = {walk.start}: the potential kernel is that of a walk from a point: give the walk one"
        )
    apart = np.stack([k.reshape(-1) for k in numbers], axis=-1) - sites
    there = ~moves.class_of(apart).any(axis=1)
    found = np.full(len(apart), math.inf)
    if not moves.recurrent:
        at_start, found = visits(moves, np.zeros_like(apart[:1])), visits(moves, apart)
        found = at_start - found
    elif there.any():
        found[there] = kernel(moves, apart[there])
    return plain(found.reshape(numbers[0].shape))


def _by_returns(walk: LatticeWalk, place: Places, start: Places) -> Any:
    """The probability of a visit over that of no return."""
    hit = np.asarray(hitting_probability(walk, place, start=start))
    if all(lattice.sites for lattice in walk.lattices) and walk.domain.open_exits(walk.killing != Constant(0.0)):
        escape = answer(Question.read(walk, None, place, place, HitOnly), AFTER_A_STEP).probability
    else:
        escape = 1.0 - answer(Question.read(walk, place, None, place, HitOnly), AFTER_A_STEP).probability
    with np.errstate(divide="ignore", invalid="ignore"):
        return plain(np.where(hit > 0.0, hit / (escape if escape > ROUNDING else 0.0), 0.0))
