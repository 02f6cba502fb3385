"""Solutions on finer and finer grids, how far off each of them is, and which is the best."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Generic, Protocol, TypeVar

import numpy as np

from randwalk.model.coefficient import Floats

from .effort import too_much
from .needs import Needs
from .schemes import Clock

R = TypeVar("R")

MOST_PLAIN: Final = 16.0  # by which the difference of two levels may fall from one to the next: chance explains more
FALL: Final = 4.0  # of second-order errors from a level to the next; no more is believed where the order may be lower
LEAST_FALL: Final = 1.5  # the same of the lowest order, about a half
MOST_RICH: Final = 20.0  # the same of extrapolated solutions
SHARE_OF_LARGEST: Final = 0.003  # of the errors of an extrapolated solution: less, at another time, is chance
SMOOTH: Final = 0.2  # of the difference of two levels, up to which that of extrapolated ones shows an expansion in h²
FIRST_ORDER: Final = 1.5  # times that of (4 fine - coarse)/3 is an error of first order in `fine`
ORDERLY: Final = 11.0  # by which an extrapolated error falls from a level to the next: 8 at third order, 16 at fourth
MET: Final = 1e-5  # mass that may have met walls where errors have no expansion, at any time, for an extrapolation
REACHED: Final = 4.0  # times the mass near such walls, which is no less than what they change
SMALLEST: Final = 1e-300  # in place of 0 as a divisor


class Family(Protocol[R]):
    """A problem solved on grids of different fineness; solutions R on one grid and on half of its cells can be compared."""

    @property
    def smooth(self) -> bool:
        """Whether errors have an expansion in h², so that extrapolated solutions are better."""

    def effort(self, cells: int, clock: Clock) -> float:
        """The numbers that the steps of a clock take on, those that take longer several times."""

    def fits(self, cells: int) -> bool:
        """Whether there is memory for a solution."""

    def begun(self, cells: int, clock: Clock) -> Clock:
        """The clock of the first level of a ladder, from that on which errors of steps and of cells are in balance."""

    def run(self, cells: int, clock: Clock) -> R:
        """The solution of second order in space."""

    def difference(self, fine: R, coarse: R) -> Floats:
        """The largest differences of the two, one for each recorded time; the grid of `fine` is that of `coarse` or finer."""

    def extrapolated(self, fine: R, coarse: R) -> R:
        """(4 `fine` - `coarse`)/3 on the grid of `fine`, which has twice the cells of that of `coarse`."""

    def irregular(self, fine: R, coarse: R) -> Floats:
        """The errors of an extrapolated solution, one for each recorded time, in what has no expansion in h², from the one with
        half the cells; 0 where all has one."""

    def met(self, coarse: R) -> Floats:
        """The mass that has met walls at which errors have no expansion in h², by each recorded time, as `coarse` shows. Where it
        is more than :data:`MET` at one of them no extrapolated solution is taken."""

    def usable(self, solution: R) -> bool:
        """Whether an extrapolated solution is one: all its masses are positive."""


@dataclass(frozen=True)
class Found(Generic[R]):
    """A solution that a :class:`Ladder` arrived at.

    Attributes
    ----------
    solution : R
    cells : int
    errors : (times,) array
        Estimates.
    fine, coarse : R
        The second-order solutions of its last two levels.
    extrapolated : bool
        Whether `solution` is the extrapolated one, else it is `fine`.
    """

    solution: R
    cells: int
    errors: Floats
    fine: R
    coarse: R
    extrapolated: bool


class Ladder(Generic[R]):
    """Solutions on grids of `cells`, 2 `cells`, 4 `cells`, … with steps that are refined with them, so that errors of the second
    order in space and time fall to a quarter from each to the next.

    If they have an expansion in h², (4 fine - coarse)/3 is of the fourth order in space and at least of the third in time. Its
    error is estimated from the difference to the same of the level before, which is 7 to 15 times that error; 10 is assumed,
    and less where the levels show a lower order, or the family knows of one. The error of the second-order solution is a third
    of a difference. The better of the two is taken.
    """

    def __init__(self, family: Family[R], needs: Needs, cells: int, clock: Clock) -> None:
        self._family, self._needs, self._cells, self._clock = family, needs, cells, clock
        self.plain: list[R] = []
        self.rich: list[R] = []
        self.best: Found[R] | None = None

    def cells(self, level: int) -> int:
        return self._cells * 2**level

    def clock(self, level: int) -> Clock:
        return self._clock.refined(self._needs.refined**level)

    def over(self, more: int) -> str:
        """The limits that so many `more` levels are beyond, empty if none."""
        level, needs = len(self.plain) - 1 + more, self._needs
        cells, clock = self.cells(level), self.clock(level)
        if cells > needs.most or clock.steps > needs.most_steps:
            return f"at most {needs.most} and {needs.most_steps}"
        fits = "" if self._family.fits(cells) else "more than this machine has memory for"
        return too_much(self._family.effort(cells, clock)) or fits

    def climb(self) -> Found[R] | None:
        """The next level; None after the first two, whose agreement may be chance."""
        family, level = self._family, len(self.plain)
        self.plain.append(family.run(self.cells(level), self.clock(level)))
        if level == 0:
            return None
        fine, coarse = self.plain[-1], self.plain[-2]
        self.rich.append(family.extrapolated(fine, coarse))
        if level == 1:
            return None
        differences = [family.difference(a, b) for a, b in pairwise(reversed(self.plain[-3:]))]
        share, most = self._needs.remaining(self.cells(level)), MOST_PLAIN
        if self._needs.moving:
            share, most = max(share, _left(differences)), FALL
        irregular = family.irregular(self.rich[-1], self.rich[-2])
        errors = np.maximum(share * _without_luck(differences, most), FIRST_ORDER * irregular)
        found = Found(fine, self.cells(level), errors, fine, coarse, False)
        met = family.met(coarse)
        richer = [family.difference(a, b) for a, b in pairwise(reversed(self.rich[-3:]))]
        orderly = len(richer) > 1 or richer[0].max() <= SMOOTH * differences[0].max()
        if orderly and met.max() <= MET and family.usable(self.rich[-1]):
            rich_errors = _without_luck(richer, MOST_RICH) / _shrinking(richer)
            rich_errors = np.maximum(rich_errors, SHARE_OF_LARGEST * rich_errors.max())
            rich_errors = np.maximum(rich_errors, irregular) + REACHED * met
            if rich_errors.max() < errors.max():
                found = Found(self.rich[-1], self.cells(level), rich_errors, fine, coarse, True)
        return found


def _left(differences: list[Floats]) -> float:
    """The share of the first of two differences that is left as error, if those of later levels fall as it did."""
    fall = differences[1].max() / max(differences[0].max(), SMALLEST) if len(differences) > 1 else 2.0
    return 1.0 / (float(np.clip(fall, LEAST_FALL, FALL)) - 1.0)


def _shrinking(richer: list[Floats]) -> float:
    """By what the difference of two extrapolated solutions is divided: the factor by which it falls from a level to the next,
    less 1; where two levels alone are known, and they show an expansion in h², as if that factor were large."""
    factor = richer[1].max() / max(richer[0].max(), SMALLEST) if len(richer) > 1 else ORDERLY
    return float(np.clip(factor, 2.0, ORDERLY)) - 1.0


def _without_luck(differences: list[Floats], most: float) -> Floats:
    """The first of the `differences`, no less than the share of the one before that its order explains: two levels may agree
    by chance."""
    return np.maximum(differences[0], differences[1] / most) if len(differences) > 1 else differences[0]
