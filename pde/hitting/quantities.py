"""The walk's own backward quantities: probabilities and times of hitting an exit or sites, of return, of going there and back.

They are sums over the steps of the walk itself, for ever; those of its equation are :func:`randwalk.pde.exit_probability` and
:func:`randwalk.pde.mean_exit_time`.
"""

from __future__ import annotations

from typing import Any

from randwalk.model.walk import LatticeWalk

from ..equation import check_walk
from .answers import answer
from .passage import HitOnly, HittingTime
from .places import Places, one_site
from .question import Question, Target
from .windows import AFTER_A_STEP, FROM_STARTS


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
        Of a distribution, the answer is the mean over it. Who starts on a wall that absorbs has left there at once.

    Returns
    -------
    float, or array of the shape of `start`
        Exact to rounding, also relatively where it is small; in more than one dimension to the rounding of a sparse
        factorisation. A domain that a region encloses, such as a disc, is bounded. On ``Line() ** d``, half-planes and
        half-spaces with the same probabilities everywhere, where places are sites, to 1e-12 by integrals
        (:func:`green_function`); on strips, cylinders and other domains with one unbounded axis, along which probabilities are
        the same, to rounding. Times without a mean are infinite.

    Raises
    ------
    ValueError
        if nobody can ever hit the target for want of such an exit, a place is no site, or probabilities depend on time or, on
        an unbounded side, depend on x such that the limit is not reached; for domains with several unbounded axes and walls
        without an image, where walkers neither drift away nor die, as the answer then settles too slowly.

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
    return answer(Question.read(walk, target, before, start, HitOnly), FROM_STARTS).probability


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
    return answer(Question.read(walk, target, before, start), FROM_STARTS)


def return_time(walk: LatticeWalk, place: Places, *, before: Places = None) -> HittingTime:
    """Mean and variance of the time until a walker that starts at the site `place` is there again, and the probability that it
    ever is. A walker that stays is back after one step. Arguments and errors as for :func:`hitting_probability`.

    >>> import randwalk as rw
    >>> ring = rw.LatticeWalk(right=0.5, left=0.25, dx=1.0, domain=rw.Ring(0.0, 10.0))
    >>> round(return_time(ring, 3.0).mean, 12)  # by Kac's lemma 1/π
    10.0
    """
    check_walk(walk)
    return answer(Question.read(walk, place, before, one_site(walk, "place", place)), AFTER_A_STEP)


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
    question = Question.read(walk, target, place, one_site(walk, "place", place), HitOnly)
    return float(answer(question, AFTER_A_STEP).probability)


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
    begin, end = one_site(walk, "one", one), one_site(walk, "other", other)
    there, back = hitting_time(walk, end, start=begin), hitting_time(walk, begin, start=end)
    return HittingTime(there.probability * back.probability, there.mean + back.mean, there.variance + back.variance)
